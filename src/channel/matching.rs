//! Which of the shipments that a channel shows are a dispatch's own, and what of it is still to be
//! written.
//!
//! No channel takes a key with which a write could be repeated without harm, so every attempt reads
//! what is there first and takes it off what is wanted. This is the one rule for all of them: no
//! network, no clock, the same answer each time (D-3, D-4).
//!
//! A record is the dispatch's own, in this order of certainty: it carries the dispatch's mark; the
//! channel gave its id as the receipt of one of the dispatch's writes; it names one of the
//! dispatch's tracking numbers and holds pieces that are wanted, and that were not counted as sent
//! before; it names all numbers and tells
//! nothing of pieces; it has no number, as the dispatch has none, was made since the dispatch was
//! recorded, and holds nothing but what is wanted. What is known to be another dispatch's is never
//! taken: two dispatches may be alike in everything.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{TrackingChange, TrackingPlan, impossible};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Counted, LineQuantity, Parcel, names_number, same_number};

/// One of the writes that a dispatch consists of at a channel: a shipment, a fulfilment, an entry,
/// a note.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Part {
    /// The mark that its record carries, where the channel keeps one: the dispatch's, or the
    /// dispatch's, a slash and its own.
    pub(crate) mark: Option<String>,
    /// The delivery address within the order, where that matters.
    pub(crate) place: Option<String>,
    /// The pieces in it; empty where the channel's records hold none.
    pub(crate) lines: Vec<LineQuantity>,
    /// Its tracking numbers.
    pub(crate) numbers: Vec<String>,
}

/// One shipment, fulfilment, entry or note that the channel shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    /// The channel's id, as the receipt of its making gives it and an order's shipments show it.
    pub(crate) id: String,
    /// The mark of ordersync's that it carries, whichever dispatch's it is.
    pub(crate) mark: Option<String>,
    /// The delivery address within the order, where the channel tells.
    pub(crate) place: Option<String>,
    /// The pieces in it; empty where the channel does not tell.
    pub(crate) lines: Vec<LineQuantity>,
    /// What names its tracking numbers: the numbers themselves, or the text of a note.
    pub(crate) tracking: Vec<String>,
    /// When it was made, where the channel tells.
    pub(crate) made_at: Option<Timestamp>,
    /// It is of another sort than what this dispatch writes: it proves that the buyer was told a
    /// number, not what was sent.
    pub(crate) elsewhere: bool,
    /// It tells a number for the order and nothing of pieces: what one dispatch has told there is
    /// told for each.
    pub(crate) shared: bool,
    /// It has not gone out, or is deleted: its pieces are not sent.
    pub(crate) draft: bool,
}

/// What is known of the dispatch beside its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// The dispatch's mark.
    pub(crate) mark: &'a str,
    /// The receipts of its writes, and what was found to be its own before.
    pub(crate) receipts: &'a [String],
    /// What other dispatches of the order have: never this one's, however like it.
    pub(crate) others: &'a [String],
    /// What was counted as sent by somebody else when it was recorded.
    pub(crate) counted: &'a [Counted],
    /// When it was recorded, by the channel's clock and with its doubt taken off.
    pub(crate) since: Timestamp,
}

/// What a dispatch has at the channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Matched {
    /// The ids of the records that are its own.
    pub(crate) claimed: Vec<String>,
    /// For each part what of it is still to be written: `None` where nothing is.
    pub(crate) left: Vec<Option<Vec<LineQuantity>>>,
    /// Receipts of which the channel shows nothing.
    pub(crate) unseen: Vec<String>,
    /// The channel made the record of a part, and put fewer pieces in it than it was given: the
    /// rest is still to be written, and not by itself.
    pub(crate) is_cut: bool,
    /// Whether nothing that ships is left of the order at the channel once all of the dispatch is
    /// there: then the channel may close the order. The core reckons it at each attempt, as the
    /// order may have grown since the dispatch was recorded.
    pub(crate) completes: bool,
}

impl Matched {
    /// The pieces that are still to be shipped.
    pub(crate) fn pieces(&self) -> Vec<LineQuantity> {
        total(self.left.iter().flatten().flatten())
    }

    /// Whether anything is still to be written.
    pub(crate) fn is_short(&self) -> bool {
        self.left.iter().any(Option::is_some)
    }
}

/// Matches what a dispatch consists of with what the channel shows.
pub(crate) fn matched(parts: &[Part], shown: &[Record], claim: &Claim<'_>) -> Matched {
    let mut matching = Matching {
        parts,
        claim,
        left: parts.iter().map(|part| Some(part.lines.clone())).collect(),
        open: shown.iter().map(Cow::Borrowed).collect(),
        claimed: Vec::new(),
        is_cut: false,
    };
    matching.by_mark();
    matching.by_receipt();
    matching.without_counted();
    matching.by_number();
    matching.by_word(shown);
    matching.by_time();
    let is_shown = |receipt: &&String| shown.iter().any(|record| record.id == **receipt);
    let unseen = claim.receipts.iter().filter(|receipt| !is_shown(receipt)).cloned().collect();
    Matched { claimed: matching.claimed, left: matching.left, unseen, is_cut: matching.is_cut, completes: false }
}

struct Matching<'a> {
    parts: &'a [Part],
    claim: &'a Claim<'a>,
    left: Vec<Option<Vec<LineQuantity>>>,
    open: Vec<Cow<'a, Record>>,
    claimed: Vec<String>,
    is_cut: bool,
}

impl<'a> Matching<'a> {
    /// A record with a part's own mark is that part. Where it tells of fewer pieces, the channel has
    /// cut them: some do without a word.
    fn by_mark(&mut self) {
        for (nth, part) in self.parts.iter().enumerate() {
            let own = |record: &Cow<'_, Record>| part.mark.is_some() && record.mark == part.mark;
            if let Some(place) = self.open.iter().position(own) {
                let record = self.open.remove(place);
                self.claim(&record);
                let (mut lines, mut pieces) = (part.lines.clone(), record.lines.clone());
                subtract(&mut lines, &mut pieces);
                // One with other lines than it was given tells its pieces in another way.
                let is_alike = |sent: &LineQuantity| part.lines.iter().any(|line| line.line_id == sent.line_id);
                let is_cut = !record.lines.is_empty() && record.lines.iter().all(is_alike) && !lines.is_empty();
                self.left[nth] = is_cut.then_some(lines);
                self.is_cut |= is_cut;
            }
        }
    }

    /// What is otherwise known to be the dispatch's. One that shows neither pieces nor numbers
    /// stands for the first part that is not told: some shops drop what they were given.
    fn by_receipt(&mut self) {
        let (own, open): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|record| {
            !record.elsewhere && (self.claim.receipts.contains(&record.id) || is_marked(record, self.claim.mark))
        });
        self.open = open;
        for record in own {
            self.claim(&record);
            if !record.lines.is_empty() {
                self.take_off(&record);
            } else if let Some(nth) = self.told_by(&record).or_else(|| self.left.iter().position(Option::is_some)) {
                self.left[nth] = None;
            }
        }
    }

    /// Takes off the open records what others had sent before: off each what was counted of it, and
    /// off the oldest what was counted without a word of where.
    fn without_counted(&mut self) {
        let (named, nameless): (Vec<_>, Vec<_>) = self.claim.counted.iter().partition(|one| !one.remote_id.is_empty());
        let mut pool = total(nameless.iter().flat_map(|one| &one.lines));
        let mut places: Vec<usize> = (0..self.open.len()).collect();
        places.sort_by_key(|place| self.open[*place].made_at);
        for place in places {
            let record = &self.open[place];
            if record.elsewhere || record.draft || record.lines.is_empty() || self.is_anothers(record) {
                continue;
            }
            let known = named.iter().find(|one| one.remote_id == record.id);
            let (mut lines, mut own) = (record.lines.clone(), known.map(|one| one.lines.clone()).unwrap_or_default());
            subtract(&mut lines, if known.is_some() { &mut own } else { &mut pool });
            if lines != record.lines {
                self.open[place] = Cow::Owned(Record { lines, ..record.as_ref().clone() });
            }
        }
        self.open.retain(|record| matches!(record, Cow::Borrowed(_)) || !record.lines.is_empty());
    }

    /// One of the numbers, and pieces that are wanted: those pieces are sent under this dispatch's
    /// number.
    fn by_number(&mut self) {
        for record in std::mem::take(&mut self.open) {
            let parts = self.parts.iter().zip(&self.left);
            let fits = |(part, left): (&Part, &Option<Vec<LineQuantity>>)| {
                is_there(part, &record)
                    && names_any(&record, part)
                    && left.as_deref().is_some_and(|left| overlap(left, &record))
            };
            if self.may_be_ours(&record) && !record.elsewhere && parts.into_iter().any(fits) {
                self.claim(&record);
                self.take_off(&record);
            } else {
                self.open.push(record);
            }
        }
    }

    /// All of a part's numbers stand in records that tell nothing of pieces. What stands in another
    /// place than this dispatch's says nothing where another dispatch has one of the numbers: it
    /// may be that one's.
    fn by_word(&mut self, shown: &[Record]) {
        let others: Vec<&Record> = shown.iter().filter(|record| self.is_anothers(record)).collect();
        for (nth, part) in self.parts.iter().enumerate() {
            if self.left[nth].is_none() || part.numbers.is_empty() {
                continue;
            }
            let shared = others.iter().any(|record| names_any(record, part));
            let tells = |record: &&Cow<'_, Record>| {
                (record.elsewhere || record.lines.is_empty())
                    && !(record.elsewhere && shared)
                    && self.may_be_ours(record)
                    && is_there(part, record)
            };
            let words: Vec<Cow<'a, Record>> = self.open.iter().filter(tells).cloned().collect();
            let telling = part.numbers.iter().map(|number| words.iter().find(|record| names(record, number)));
            if let Some(telling) = telling.collect::<Option<Vec<_>>>() {
                telling.into_iter().for_each(|record| self.claim(record));
                self.left[nth] = None;
            }
        }
    }

    /// Without a number only content and time speak for a record.
    fn by_time(&mut self) {
        for record in std::mem::take(&mut self.open) {
            let recent = record.made_at.is_some_and(|made| made >= self.claim.since);
            let bare = !record.elsewhere
                && !record.lines.is_empty()
                && record.tracking.iter().all(|text| text.trim().is_empty());
            let parts = self.parts.iter().zip(&self.left);
            let fits = |(part, left): (&Part, &Option<Vec<LineQuantity>>)| {
                part.numbers.is_empty()
                    && is_there(part, &record)
                    && left.as_deref().is_some_and(|left| is_within(left, &record.lines))
            };
            if recent && bare && self.may_be_ours(&record) && parts.into_iter().any(fits) {
                self.claim(&record);
                self.take_off(&record);
            }
        }
    }

    fn claim(&mut self, record: &Record) {
        if !self.claimed.contains(&record.id) {
            self.claimed.push(record.id.clone());
        }
    }

    fn is_anothers(&self, record: &Record) -> bool {
        !record.shared && self.claim.others.contains(&record.id) && !self.claim.receipts.contains(&record.id)
    }

    fn may_be_ours(&self, record: &Record) -> bool {
        record.mark.is_none() && !self.is_anothers(record)
    }

    /// The first part that is not told yet and whose numbers all stand in this record.
    fn told_by(&self, record: &Record) -> Option<usize> {
        let parts = self.parts.iter().zip(&self.left);
        let told = |(part, left): (&Part, &Option<_>)| {
            left.is_some() && !part.numbers.is_empty() && part.numbers.iter().all(|number| names(record, number))
        };
        parts.into_iter().position(told)
    }

    /// Takes a record's pieces off what is wanted: first of the parts whose numbers it names, then
    /// of the others, for no piece that is sent is to be sent again.
    fn take_off(&mut self, record: &Record) {
        let mut pieces = record.lines.clone();
        for named in [true, false] {
            for (part, left) in self.parts.iter().zip(&mut self.left) {
                if let Some(lines) = left.as_mut().filter(|_| names_any(record, part) == named) {
                    subtract(lines, &mut pieces);
                    if lines.is_empty() && !part.lines.is_empty() {
                        *left = None;
                    }
                }
            }
        }
    }
}

/// The same pieces, each line once.
fn total<'a>(lines: impl IntoIterator<Item = &'a LineQuantity>) -> Vec<LineQuantity> {
    let mut pieces: Vec<LineQuantity> = Vec::new();
    for line in lines {
        match pieces.iter_mut().find(|known| known.line_id == line.line_id) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => pieces.push(line.clone()),
        }
    }
    pieces
}

/// Takes off `lines` what is in `pieces`, and off `pieces` what went into it.
fn subtract(lines: &mut Vec<LineQuantity>, pieces: &mut [LineQuantity]) {
    for line in lines.iter_mut() {
        for sent in pieces.iter_mut().filter(|sent| sent.line_id == line.line_id) {
            let taken = sent.quantity.min(line.quantity).max(Decimal::ZERO);
            line.quantity = line.quantity.saturating_sub(taken);
            sent.quantity = sent.quantity.saturating_sub(taken);
        }
    }
    lines.retain(|line| line.quantity > Decimal::ZERO);
}

/// Whether a mark is the dispatch's, or that of a part of it.
fn is_marked(record: &Record, mark: &str) -> bool {
    let rest = record.mark.as_deref().and_then(|own| own.strip_prefix(mark));
    !mark.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_there(part: &Part, record: &Record) -> bool {
    part.place.is_none() || record.place.is_none() || part.place == record.place
}

fn names(record: &Record, number: &str) -> bool {
    record.tracking.iter().any(|text| same_number(text, number) || names_number(text, number))
}

fn names_any(record: &Record, part: &Part) -> bool {
    part.numbers.iter().any(|number| names(record, number))
}

fn overlap(left: &[LineQuantity], record: &Record) -> bool {
    record
        .lines
        .iter()
        .any(|sent| sent.quantity > Decimal::ZERO && left.iter().any(|line| line.line_id == sent.line_id))
}

/// Whether `left` has all of these pieces.
fn is_within(left: &[LineQuantity], pieces: &[LineQuantity]) -> bool {
    let (mut left, mut pieces) = (left.to_vec(), pieces.to_vec());
    subtract(&mut left, &mut pieces);
    pieces.iter().all(|sent| sent.quantity <= Decimal::ZERO)
}

/// The tracking numbers of these parcels.
pub(crate) fn numbers<'a>(parcels: impl IntoIterator<Item = &'a Parcel>) -> Vec<String> {
    parcels.into_iter().map(|parcel| parcel.tracking.clone()).collect()
}

/// The places of the records that have the old tracking number, to be changed, and of those that
/// have the new one already. Where the number stays, they are told apart by its carrier.
///
/// # Errors
/// `Refused` where nothing has either: the parcel is not there; and where a number of which the
/// carrier changes stands with others, for which it would change as well.
pub(crate) fn to_retrack(plan: &TrackingPlan<'_>, change: &TrackingChange) -> Result<(Vec<usize>, Vec<usize>)> {
    let shown = &plan.shown;
    let with = |number: &str| (0..shown.len()).filter(|place| names(&shown[*place], number)).collect::<Vec<_>>();
    let (mut old, mut new) = (with(&change.was), with(&change.parcel.tracking));
    if change.is_of_carrier() {
        let is_carried = |place: &usize| plan.carried.get(*place) == Some(&true);
        old.retain(|place| !is_carried(place));
        new.retain(is_carried);
        let alone = |place: &usize| matches!(shown[*place].tracking.as_slice(), [one] if same_number(one, &change.was));
        if !old.iter().all(alone) {
            let text = format!("tracking {} stands with other numbers, which have one carrier there", change.was);
            return Err(impossible(text).hint("change it in the channel's own pages"));
        }
    }
    if old.is_empty() && new.is_empty() {
        let text = format!("the store shows no tracking number {}; nothing was written", change.was);
        return Err(Error::new(ErrorKind::Refused, text).hint("ordersync pull ORDER reads what it shows now"));
    }
    Ok((old, new))
}

#[cfg(test)]
mod tests;
