//! What becomes of a newer version of an order: the policy, asked with what the book knows of it.

use super::goes_by::{self, Versions};
use super::policy::{self, Case, Decision, Notice};
use crate::book::{Circumstances, InboxKind, InboxNote, Kept, Known, Store, Update};
use crate::channel::Format;
use crate::error::Result;
use crate::order::sums::balanced_copy;
use crate::order::{Difference, Fate, Field, Local, Order, People, Status, differences};

/// What becomes of a version that just came.
pub(super) fn decide(store: &Store, format: &dyn Format, known: &Known, order: &Order) -> Result<Update> {
    // A version that an older program stored and this one cannot read is no reason to lose the new
    // one.
    let Ok(base) = goes_by::base(&known.basis, format) else { return Ok(Update::Aside) };
    let newest = known.newest.as_deref().and_then(|document| format.order(document).ok());
    let status = status_without_applied(&known.since, &base);
    let incoming = match (&known.people, &newest) {
        (Some(people), _) => order.with_known(people),
        (None, Some(newest)) => order.with_known(&People::of(newest)),
        (None, None) => order.clone(),
    };
    let case = case_of(store, &known.since, status, &base, &incoming);
    // Less than what is kept beside the copy, as after an erasure, must not take its place.
    if !case.is_to_follow() && newest.as_ref().is_some_and(|newest| differences(newest, order).is_empty()) {
        return Ok(Update::Known);
    }
    let (fates, notice) = match policy::decide(&case) {
        Decision::Keep(fates, notice) => (fates, notice),
        Decision::Follow(apart) => return Ok(Update::Follow(apart)),
    };
    let before = newest.as_ref().and_then(|newest| told(&Case { incoming: newest, ..case }));
    let news = differences(newest.as_ref().unwrap_or(&base), &incoming);
    Ok(Update::Keep(Box::new(kept(&case, known, fates, notice, before, &news))))
}

/// What becomes of the newest version, which is in the book, once `since` has changed: by an act of
/// the merchant, or by what the store does with changes. `base` is what the merchant goes by then,
/// and `told` what was told of that version before. The copy is always told. Nothing where there is
/// no such version, or it would be followed as a whole.
pub(super) fn again(
    store: &Store,
    format: &dyn Format,
    known: &Known,
    base: &Order,
    status: Status,
    told: Option<Field>,
) -> Option<Kept> {
    let newest = format.order(known.newest.as_deref()?).ok()?;
    let incoming = known.people.as_ref().map_or_else(|| newest.clone(), |people| newest.with_known(people));
    let case = case_of(store, &known.since, status, base, &incoming);
    let Decision::Keep(fates, notice) = policy::decide(&case) else { return None };
    // What is taken over by it only now is news.
    let news = differences(base, &incoming);
    let news: Vec<Difference> = news
        .into_iter()
        .filter(|news| !known.since.fates.iter().any(|(f, fate)| *f == news.aspect && fate.is_written()))
        .collect();
    let fields = known.since.taken(&fates);
    Some(Kept { copy: Some(copy_of(&case, &fields)), ..kept(&case, known, fates, notice, told, &news) })
}

/// What becomes of the newest version, which is in the book, as things are now: `Known`, where that is
/// what became of it before. `tell`: what was told of it is told again. Nothing where a version cannot
/// be read.
pub(super) fn again_as_is(store: &Store, format: &dyn Format, known: &Known, tell: bool) -> Option<(Order, Update)> {
    let base = goes_by::base(&known.basis, format).ok()?;
    let newest = format.order(known.newest.as_deref()?).ok()?;
    let incoming = known.people.as_ref().map_or_else(|| newest.clone(), |people| newest.with_known(people));
    let since = &known.since;
    let case = case_of(store, since, status_without_applied(since, &base), &base, &incoming);
    let is_as_before = |fates: &[(Field, Fate)]| {
        fates.len() == since.fates.len() && fates.iter().all(|fate| since.fates.contains(fate))
    };
    let (fates, notice) = match policy::decide(&case) {
        Decision::Keep(fates, notice) => (fates, notice),
        Decision::Follow(apart) if known.newest.as_ref() == Some(&known.basis.document) && is_as_before(&apart) => {
            return Some((newest, Update::Known));
        }
        Decision::Follow(apart) => return Some((newest, Update::Follow(apart))),
    };
    if is_as_before(&fates) && notice.is_none() {
        return Some((newest, Update::Known));
    }
    // What waits was told of when it came to wait.
    let told = told(&case).filter(|field| {
        let waits = since.fates.contains(&(*field, Fate::Review));
        !tell && (waits || !matches!(field, Field::Cancelled | Field::Shipped))
    });
    let news = differences(&base, &incoming);
    let news: Vec<Difference> = news.into_iter().filter(|news| !since.written().contains(&news.aspect)).collect();
    let taken = since.taken(&fates);
    let kept = kept(&case, known, fates, notice, told, &news);
    // The copy has what it had: not a byte of it changes.
    let had = since.written();
    let is_same = taken.len() == had.len() && taken.iter().all(|field| had.contains(field));
    let copy = kept.copy.filter(|_| !is_same);
    Some((newest, Update::Keep(Box::new(Kept { copy, ..kept }))))
}

/// What the merchant was told of the newest version as things are.
pub(super) fn told_of(store: &Store, format: &dyn Format, known: &Known, base: &Order) -> Option<Field> {
    let newest = format.order(known.newest.as_deref()?).ok()?;
    told(&case_of(store, &known.since, status_without_applied(&known.since, base), base, &newest))
}

fn told(case: &Case<'_>) -> Option<Field> {
    match policy::decide(case) {
        Decision::Keep(_, notice) => notice.map(|notice| notice.field),
        Decision::Follow(_) => None,
    }
}

fn kept(
    case: &Case<'_>,
    known: &Known,
    fates: Vec<(Field, Fate)>,
    notice: Option<Notice>,
    told: Option<Field>,
    news: &[Difference],
) -> Kept {
    let fields = written(&fates);
    let was_written = known.since.fates.iter().any(|(_, fate)| fate.is_written()) || !known.since.followed.is_empty();
    let copy = (was_written || !fields.is_empty()).then(|| copy_of(case, &known.since.taken(&fates)));
    let written = news.iter().filter(|news| fields.contains(&news.aspect)).map(in_words).collect();
    let told = notice.as_ref().is_some_and(|notice| told == Some(notice.field));
    let note = notice.map(|notice| note(known.order_id, notice, case.incoming));
    let released = case.base.status == Status::OnHold && fates.contains(&(Field::Hold, Fate::Applied));
    Kept { fates, copy, written, note, told, released }
}

fn case_of<'a>(
    store: &'a Store,
    since: &'a Circumstances,
    status: Status,
    base: &'a Order,
    incoming: &'a Order,
) -> Case<'a> {
    Case {
        policies: since.policies,
        channel: store.kind.title(),
        status: Local { held: false, ..since.local }.over(status),
        held: since.local.held,
        edited: &since.edited,
        tracking: &since.tracking,
        base,
        accepted: &since.accepted,
        rejected: &since.rejected,
        incoming,
    }
}

/// Whether the status of an order may hang on this field.
pub(super) fn makes_status(field: Field) -> bool {
    matches!(field, Field::Cancelled | Field::Shipped | Field::Hold)
}

/// The order's status as it would be if nothing of newer versions had been applied, and without
/// what the merchant does with it here alone: what was decided about one of them does not hang on
/// what was decided about another.
pub(super) fn status_without_applied(since: &Circumstances, base: &Order) -> Status {
    let is_made = since.applied().into_iter().any(makes_status);
    let is_own = since.edited.iter().any(|field| makes_status(*field));
    if is_made && !is_own { base.status } else { since.status }
}

/// The fields that the copy takes over.
fn written(fates: &[(Field, Fate)]) -> Vec<Field> {
    fates.iter().filter(|(_, fate)| fate.is_written()).map(|(field, _)| *field).collect()
}

/// The copy with these fields of the newer version; where its lines and its totals are of different
/// versions by that, it says what they differ by (F-7). An order whose cancellation from here the
/// channel has confirmed stays cancelled, though the version that the merchant has is not.
fn copy_of(case: &Case<'_>, fields: &[Field]) -> Order {
    let mut copy = case.base.taking(fields, case.incoming);
    if case.status == Status::Cancelled && !case.edited.contains(&Field::Cancelled) {
        copy.status = Status::Cancelled;
    }
    balanced_copy(copy)
}

fn in_words(difference: &Difference) -> String {
    format!("{}: {} → {}", difference.aspect.word(), difference.before, difference.after)
}

/// What becomes of a version that came in with an act of the merchant, and what is to be told of it.
/// Only facts are written to the copy in this moment: what else would be is a difference until the
/// next version comes.
pub(super) fn kept_beside(store: &Store, since: &Circumstances, order: i64, had: &Versions, now: &Order) -> Kept {
    let status = status_without_applied(since, &had.base);
    let case = case_of(store, since, status, &had.base, now);
    let Decision::Keep(fates, notice) = policy::decide(&case) else { return Kept::default() };
    let before = had.newest.as_ref().and_then(|newest| told(&Case { incoming: newest, ..case }));
    let still: Vec<Field> = differences(&had.by, now).iter().map(|found| found.aspect).collect();
    let applied = since.applied();
    let settle = |(field, fate): (Field, Fate)| match fate {
        _ if applied.contains(&field) && !still.contains(&field) => (field, Fate::Applied),
        Fate::Applied => (field, Fate::Drift),
        _ => (field, fate),
    };
    let fates: Vec<(Field, Fate)> = fates.into_iter().map(settle).collect();
    let is_fact = fates.iter().any(|(_, fate)| *fate == Fate::Fact);
    let copy = is_fact.then(|| copy_of(&case, &since.taken(&fates)));
    let told = notice.as_ref().is_some_and(|notice| before == Some(notice.field));
    let note = notice.map(|notice| note(order, notice, now));
    Kept { fates, copy, note, told, ..Kept::default() }
}

fn note(order: i64, notice: Notice, seen: &Order) -> InboxNote {
    match notice.field {
        Field::Refunded => InboxNote::given_back(order, notice.text, seen),
        Field::Payment => InboxNote::paid_in_vain(order, notice.text),
        field => InboxNote {
            kind: InboxKind::of(field),
            text: notice.text,
            hint: format!(
                "ordersync show book:{order} prints both versions; ordersync accept book:{order} takes over the channel's, ordersync reject book:{order} keeps yours"
            ),
        },
    }
}
