use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::clock::from_millis;

const EARLY: i64 = 1_795_000_000_000;

fn lines(lines: &[(&str, i64)]) -> Vec<LineQuantity> {
    let line = |(id, quantity): &(&str, i64)| LineQuantity { line_id: (*id).to_owned(), quantity: (*quantity).into() };
    lines.iter().map(line).collect()
}

fn part(content: &[(&str, i64)], numbers: &[&str]) -> Part {
    let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
    Part { lines: lines(content), numbers, ..Part::default() }
}

fn record(id: &str, content: &[(&str, i64)], tracking: &[&str]) -> Record {
    let tracking = tracking.iter().map(|text| (*text).to_owned()).collect();
    Record { id: id.to_owned(), lines: lines(content), tracking, ..Record::default() }
}

fn found(parts: &[Part], shown: &[Record], receipts: &[&str], taken: &[&str]) -> Matched {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let (receipts, taken) = (owned(receipts), owned(taken));
    matched(
        parts,
        shown,
        &Claim { mark: "us", receipts: &receipts, others: &taken, counted: &[], since: from_millis(EARLY) },
    )
}

#[test]
fn d3_a_mark_decides_whatever_the_channel_has_made_of_the_rest() {
    let ours = Part { mark: Some("us/2".into()), ..part(&[("1", 1)], &["A"]) };
    let marked = |mark: &str| Record { mark: Some(mark.into()), ..record("7", &[("1", 1)], &["A"]) };
    assert_eq!(found(std::slice::from_ref(&ours), &[marked("us/2")], &[], &[]).claimed, ["7"]);
    let other = found(std::slice::from_ref(&ours), &[marked("us2/2")], &[], &[]);
    assert!(other.claimed.is_empty() && other.is_short(), "another dispatch's, alike in everything");
    // Dealt out differently since: what is sent is sent.
    assert!(!found(&[ours], &[marked("us/1")], &[], &[]).is_short());
}

#[test]
fn d4_fewer_pieces_in_a_record_than_were_written_are_cut_off() {
    let ours = Part { mark: Some("us".into()), ..part(&[("1", 4), ("2", 1)], &["A"]) };
    let shown = |content| Record { mark: Some("us".into()), ..record("7", content, &["A"]) };
    let of = |content| found(std::slice::from_ref(&ours), &[shown(content)], &[], &[]);
    let cut = of(&[("1", 1), ("2", 1)]);
    assert_eq!((cut.is_cut, cut.pieces(), cut.claimed), (true, lines(&[("1", 3)]), vec!["7".to_owned()]));
    for whole in [of(&[("1", 4), ("2", 1)]), of(&[("1", 5), ("2", 1)]), of(&[])] {
        assert!(!whole.is_cut && !whole.is_short(), "{whole:?}");
    }
}

#[test]
fn d3_what_is_not_shown_is_told_and_what_shows_nothing_stands_for_a_part() {
    let parts = [part(&[("1", 1)], &["A"]), part(&[("2", 1)], &["B"])];
    let matched = found(&parts, &[record("7", &[], &[])], &["7", "8"], &[]);
    assert_eq!(matched.left, [None, Some(lines(&[("2", 1)]))]);
    assert_eq!((matched.claimed, matched.unseen), (vec!["7".to_owned()], vec!["8".to_owned()]));
    let named = found(&parts, &[record("7", &[], &["b"])], &["7"], &[]);
    assert_eq!(named.left, [Some(lines(&[("1", 1)])), None], "the part whose number it names");
}

#[test]
fn d4_pieces_under_our_number_are_sent_and_the_rest_is_left() {
    let parts = [part(&[("1", 3), ("2", 1)], &["A"])];
    let some = found(&parts, &[record("7", &[("1", 2)], &["a"])], &[], &[]);
    assert_eq!(some.left, [Some(lines(&[("1", 1), ("2", 1)]))]);
    let other_goods = found(&parts, &[record("7", &[("9", 2)], &["A"])], &[], &[]);
    assert!(other_goods.claimed.is_empty(), "another part of the same parcel");
    let other_number = found(&parts, &[record("7", &[("1", 2)], &["B"])], &[], &[]);
    assert!(other_number.claimed.is_empty());
    // Entered by hand as one, where we would have made two of it.
    let two = [part(&[("1", 1)], &["A"]), part(&[("1", 1)], &["B"])];
    assert!(!found(&two, &[record("7", &[("1", 2)], &["A"])], &[], &[]).is_short());
}

fn counted(id: &str, content: &[(&str, i64)]) -> Counted {
    Counted { remote_id: id.to_owned(), lines: lines(content) }
}

#[test]
fn d3_pieces_that_others_had_sent_under_the_number_are_not_ours() {
    let parts = [part(&[("1", 2)], &["A"])];
    let at = |record: Record, at: i64| Record { made_at: Some(from_millis(at)), ..record };
    // Where it is told which shipment was counted, and where only how many
    // pieces were.
    for (id, shown_as) in [("7", "7"), ("", "7")] {
        let counted = [counted(id, &[("1", 2)])];
        let of = |shown: &[Record]| {
            let claim = Claim { mark: "us", receipts: &[], others: &[], counted: &counted, since: from_millis(EARLY) };
            matched(&parts, shown, &claim)
        };
        let theirs = at(record(shown_as, &[("1", 2)], &["A"]), EARLY - 9);
        assert_eq!(of(std::slice::from_ref(&theirs)).left, [Some(lines(&[("1", 2)]))], "{id}");
        // Others have sent more since, and under another number.
        let more = at(record("8", &[("1", 2)], &["B"]), EARLY + 9);
        assert_eq!(of(&[more, theirs.clone()]).left, [Some(lines(&[("1", 2)]))], "{id}");
        // The answer was lost.
        let ours = at(record("9", &[("1", 2)], &["A"]), EARLY + 9);
        let found = of(&[ours.clone(), theirs]);
        assert_eq!((found.is_short(), found.claimed), (false, vec!["9".to_owned()]), "{id}");
        // A draft is nothing that was sent.
        let draft = Record { draft: true, ..at(record("6", &[("1", 2)], &["A"]), EARLY - 99) };
        assert!(of(&[draft, at(record("7", &[("1", 2)], &["A"]), EARLY - 9)]).claimed != ["7"], "{id}");
    }
    // What was counted is there no more.
    let gone = [counted("7", &[("1", 2)])];
    let claim = Claim { mark: "us", receipts: &[], others: &[], counted: &gone, since: from_millis(EARLY) };
    assert!(!matched(&parts, &[record("9", &[("1", 2)], &["A"])], &claim).is_short());
}

#[test]
fn d3_a_parcel_without_a_number_that_was_counted_is_not_ours_either() {
    let parts = [part(&[("1", 2)], &[])];
    let theirs = Record { made_at: Some(from_millis(EARLY + 1)), ..record("7", &[("1", 2)], &[]) };
    let known = [counted("", &[("1", 2)])];
    let claim = Claim { mark: "us", receipts: &[], others: &[], counted: &known, since: from_millis(EARLY) };
    assert!(matched(&parts, &[theirs], &claim).is_short());
}

#[test]
fn d4_a_record_that_tells_its_pieces_in_another_way_is_not_cut() {
    let ours = Part { mark: Some("us".into()), ..part(&[("1", 1)], &["A"]) };
    let shown = Record { mark: Some("us".into()), ..record("7", &[("11", 1), ("12", 2)], &["A"]) };
    let found = found(&[ours], &[shown], &[], &[]);
    assert!(!found.is_cut && !found.is_short());
}

#[test]
fn d3_two_dispatches_that_are_alike_each_have_their_own() {
    let parts = [part(&[("1", 1)], &["A"])];
    let theirs = record("7", &[("1", 1)], &["A"]);
    assert!(found(&parts, std::slice::from_ref(&theirs), &[], &["7"]).is_short());
    let ours = record("8", &[("1", 1)], &["A"]);
    let matched = found(&parts, &[theirs, ours], &[], &["7"]);
    assert_eq!(matched.claimed, ["8"]);
    assert!(!matched.is_short());
}

#[test]
fn d4_a_number_that_stands_elsewhere_is_told_unless_it_may_be_anothers() {
    let parts = [part(&[("1", 1)], &["A", "B"])];
    let note = |id: &str, text: &str| Record { elsewhere: true, ..record(id, &[], &[text]) };
    assert!(found(&parts, &[note("n1", "sent as A")], &[], &[]).is_short(), "B is not told");
    let both = found(&parts, &[note("n1", "sent as A"), note("n2", "and B")], &[], &[]);
    assert_eq!(both.claimed, ["n1", "n2"]);
    let taken = record("7", &[("2", 1)], &["A"]);
    let shared = found(&parts, &[taken, note("n1", "A, B")], &[], &["7"]);
    assert!(shared.claimed.is_empty() && shared.is_short());
}

#[test]
fn d3_without_a_number_content_and_time_decide() {
    let parts = [part(&[("1", 2)], &[])];
    let at = |millis: i64, content: &[(&str, i64)], tracking: &[&str]| Record {
        made_at: Some(from_millis(millis)),
        ..record("7", content, tracking)
    };
    assert!(!found(&parts, &[at(EARLY, &[("1", 2)], &[])], &[], &[]).is_short());
    assert_eq!(found(&parts, &[at(EARLY, &[("1", 1)], &[""])], &[], &[]).left, [Some(lines(&[("1", 1)]))]);
    for other in [
        at(EARLY - 1, &[("1", 2)], &[]),
        at(EARLY, &[("1", 3)], &[]),
        at(EARLY, &[("1", 2)], &["A"]),
        record("7", &[("1", 2)], &[]),
    ] {
        assert!(found(&parts, std::slice::from_ref(&other), &[], &[]).claimed.is_empty(), "{other:?}");
    }
}

#[test]
fn a_place_that_is_another_one_is_another_parcel() {
    let here = Part { place: Some("51".into()), ..part(&[("1", 1)], &["A"]) };
    let at = |place: Option<&str>| Record { place: place.map(str::to_owned), ..record("7", &[("1", 1)], &["A"]) };
    assert!(!found(std::slice::from_ref(&here), &[at(Some("51"))], &[], &[]).is_short());
    assert!(!found(std::slice::from_ref(&here), &[at(None)], &[], &[]).is_short());
    assert!(found(&[here], &[at(Some("52"))], &[], &[]).is_short());
}

/// What a channel keeps of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Keeps {
    Mark,
    Content,
    Nothing,
}

/// What happens to one write of a dispatch.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    /// It is carried out, and the process hears nothing of it.
    Lost,
    /// It is not carried out.
    Failed,
    /// It is answered and shown a round later.
    Lags,
    /// Both: the process hears nothing of it, and it is shown only once the next look has waited for
    /// what may still be at work.
    LostAndLags,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Answered),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Failed),
        2 => Just(Fate::Lags),
        2 => Just(Fate::LostAndLags),
    ];
    prop::collection::vec(fate, 0..12)
}

/// Dispatches of the same order, each of one or two parts, and whether their numbers are the same.
fn dispatches() -> impl Strategy<Value = Vec<Vec<Part>>> {
    let quantity = (0i64..3, 0i64..3).prop_filter("not empty", |(one, two)| one + two > 0);
    let part = (quantity, 0usize..3).prop_map(|((one, two), number)| {
        let content: Vec<(&str, i64)> = [("1", one), ("2", two)].into_iter().filter(|(_, count)| *count > 0).collect();
        part(&content, &[["A", "B", "C"][number]])
    });
    prop::collection::vec(prop::collection::vec(part, 1..3), 1..3)
}

/// A channel in little.
struct ShopInfo {
    keeps: Keeps,
    /// With the round from which on it is shown.
    records: Vec<(usize, Record)>,
    round: usize,
}

impl ShopInfo {
    fn shown(&self) -> Vec<Record> {
        self.records.iter().filter(|(from, _)| *from <= self.round).map(|(_, record)| record.clone()).collect()
    }

    fn write(&mut self, mark: String, lines: Vec<LineQuantity>, numbers: Vec<String>, lags: bool) -> String {
        let id = format!("r{}", self.records.len());
        let mark = (self.keeps == Keeps::Mark).then_some(mark);
        let record = match self.keeps {
            Keeps::Nothing => Record { id: id.clone(), ..Record::default() },
            _ => Record { id: id.clone(), mark, lines, tracking: numbers, ..Record::default() },
        };
        self.records.push((if lags { self.round + 2 } else { self.round + 1 }, record));
        id
    }
}

/// How many pieces of each line.
fn pieces<'l>(lines: impl IntoIterator<Item = &'l LineQuantity>) -> BTreeMap<String, Decimal> {
    let mut pieces = BTreeMap::new();
    lines.into_iter().for_each(|line| *pieces.entry(line.line_id.clone()).or_default() += line.quantity);
    pieces
}

/// Pushes each dispatch to its end, one after the other; gives how many pieces of each line were
/// written for each.
fn run(shop: &mut ShopInfo, dispatches: &[Vec<Part>], fates: &[Fate]) -> Vec<BTreeMap<String, Decimal>> {
    let mut fates = fates.iter().copied();
    let (mut taken, mut written) = (Vec::<String>::new(), Vec::new());
    for (nth, wanted) in dispatches.iter().enumerate() {
        let mark = format!("d{nth}");
        let marked = |(n, part): (usize, &Part)| Part { mark: Some(format!("{mark}/{n}")), ..part.clone() };
        let parts: Vec<Part> = wanted.iter().enumerate().map(marked).collect();
        let (mut receipts, mut sum) = (Vec::<String>::new(), Vec::<LineQuantity>::new());
        for _ in 0..40 {
            shop.round += 1;
            let claim =
                Claim { mark: &mark, receipts: &receipts, others: &taken, counted: &[], since: from_millis(EARLY) };
            let found = matched(&parts, &shop.shown(), &claim);
            receipts.extend(found.claimed.iter().filter(|id| !receipts.contains(id)).cloned().collect::<Vec<_>>());
            if !found.is_short() {
                break;
            }
            if !found.unseen.is_empty() {
                continue;
            }
            let left = parts.iter().zip(found.left).filter_map(|(part, left)| Some((part, left?)));
            for (part, left) in left.collect::<Vec<_>>() {
                let fate = fates.next().unwrap_or(Fate::Answered);
                // Where nothing is kept of a write, one whose answer is lost is lost for good: no
                // rule can tell.
                let is_lost = matches!(fate, Fate::Lost | Fate::LostAndLags);
                let fate = if shop.keeps == Keeps::Nothing && is_lost { Fate::Failed } else { fate };
                if matches!(fate, Fate::Failed) {
                    break;
                }
                sum.extend(left.clone());
                let own = part.mark.clone().unwrap_or_default();
                let id = shop.write(own, left, part.numbers.clone(), matches!(fate, Fate::Lags | Fate::LostAndLags));
                if matches!(fate, Fate::LostAndLags) {
                    shop.round += 1;
                }
                if matches!(fate, Fate::Lost | Fate::LostAndLags) {
                    break;
                }
                receipts.push(id);
            }
        }
        taken.extend(receipts);
        written.push(pieces(&sum));
    }
    written
}

proptest! {
    /// Any split, any repeat, two alike, a lost answer, a channel that lags behind: each dispatch's
    /// pieces are written once.
    #[test]
    fn d3_whatever_becomes_of_the_answers_each_piece_is_written_once(
        dispatches in dispatches(), fates in fates(), keeps in 0usize..3,
    ) {
        let mut shop = ShopInfo { keeps: [Keeps::Mark, Keeps::Content, Keeps::Nothing][keeps], records: Vec::new(), round: 0 };
        let written = run(&mut shop, &dispatches, &fates);
        for (wanted, written) in dispatches.iter().zip(&written) {
            prop_assert_eq!(&pieces(wanted.iter().flat_map(|part| &part.lines)), written);
        }
    }

    /// Whatever others have shipped under whatever number: never more goes out than was wanted, and
    /// what is claimed was shown.
    #[test]
    fn d4_what_is_left_is_never_more_than_was_wanted(
        dispatches in dispatches(),
        others in prop::collection::vec((0i64..4, 0i64..4, 0usize..4, any::<bool>()), 0..5),
    ) {
        let other = |(nth, (one, two, number, taken)): (usize, &(i64, i64, usize, bool))| {
            let numbers = ["A", "A, B", "C", ""];
            (record(&format!("r{nth}"), &[("1", *one), ("2", *two)], &[numbers[*number]]), *taken)
        };
        let others: Vec<(Record, bool)> = others.iter().enumerate().map(other).collect();
        let shown: Vec<Record> = others.iter().map(|(record, _)| record.clone()).collect();
        let taken: Vec<&str> = others.iter().filter(|(_, taken)| *taken).map(|(record, _)| record.id.as_str()).collect();
        for parts in &dispatches {
            let found = found(parts, &shown, &[], &taken);
            for (part, left) in parts.iter().zip(&found.left) {
                for line in left.iter().flatten() {
                    let wanted = part.lines.iter().find(|wanted| wanted.line_id == line.line_id).unwrap();
                    prop_assert!(line.quantity > Decimal::ZERO && line.quantity <= wanted.quantity);
                }
            }
            prop_assert!(found.claimed.iter().all(|id| !taken.contains(&id.as_str())));
        }
    }
}
