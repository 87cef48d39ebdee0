//! Taking pages of fetched orders into the book.

use std::ops::AddAssign;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::value::RawValue;

use super::accepted::{self, Known};
use super::arrived::{Arrived, Document, fingerprint};
use super::documents::Documents;
use super::error::{Done, odd};
use super::followed::{self, Shop, UnderEdits, say_followed, settle_under_edits};
use super::inbox::{CHANGES, EDITED, GIVEN_BACK, InboxKind, InboxNote, RACED, put_note, renew_note, resolve_order};
use super::trail::{self, By, Who};
use super::{Book, Present, changes, clearing, copy, edits, twins};
use crate::channel::rows::NAMELESS;
use crate::channel::{ChannelKind, Cursor, Unshown};
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::order::sale::Sale;
use crate::order::{Difference, Fate, Field, Order, Parcel, Status};

/// Pages to be taken into the book together, with the positions behind them.
pub(crate) struct Batch<'a> {
    /// The store's number.
    pub(crate) store: i64,
    /// The run that fetched them.
    pub(crate) run: i64,
    /// Their orders.
    pub(crate) orders: &'a [Arrived],
    /// The orders that the channel could not show.
    pub(crate) unshown: &'a [Unshown],
    /// How many the run has told before that are counted and not listed.
    pub(crate) unlisted: u64,
    /// Orders that are to be read again by their ids.
    pub(crate) reread: &'a [String],
    /// The positions to move to, one after the other, in the same transaction.
    pub(crate) moves: &'a [CursorMove],
    /// Entries that are no orders yet.
    pub(crate) drafts: u32,
    /// Count only; keep nothing.
    pub(crate) dry_run: bool,
    /// The time by the channel's clock, as far as its answers have told it.
    pub(crate) clock: Option<Timestamp>,
}

impl Batch<'_> {
    /// What is said to have failed where the book cannot do it.
    fn done(&self) -> &'static str {
        if self.dry_run { "read" } else { "written" }
    }
}

/// The new position of a walk.
pub(crate) struct CursorMove {
    /// The walk's name.
    pub(crate) walk: String,
    /// Where it stands now.
    pub(crate) cursor: Cursor,
    /// Whether it came to its end.
    pub(crate) done: bool,
}

/// An order of which a new version came, and is to be decided about.
pub(crate) struct Offered {
    /// What the book knows of it.
    pub(crate) known: Known,
    /// The new version's fingerprint.
    print: [u8; 16],
}

/// What becomes of the new version.
#[derive(Debug)]
pub(crate) enum Update {
    /// The copy takes it over, but for what the merchant has edited: this becomes of what differs
    /// under that.
    Follow(Vec<(Field, Fate)>),
    /// It says what the newer version says that is kept beside the copy, or less: that one stays.
    Known,
    /// It is kept beside the copy, and what differs cannot be told.
    Aside,
    /// It is kept beside the copy, which stays as it is by the byte where nothing of it is applied.
    Keep(Box<Kept>),
}

/// What becomes of a version that is kept beside the copy.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What becomes of each field that differs. None: it says what the copy's own version says, and
    /// nothing is kept.
    pub(crate) fates: Vec<(Field, Fate)>,
    /// What the copy is to be; `None` where it stays as it is.
    pub(crate) copy: Option<Order>,
    /// What is written to the copy by it, in words for the audit trail.
    pub(crate) written: Vec<String>,
    /// What the merchant is to be told.
    pub(crate) note: Option<InboxNote>,
    /// Whether the version before this one told the merchant the same.
    pub(crate) told: bool,
    /// Whether a hold at the channel that the merchant's version has is over by it: a version that
    /// tells of no hold, as of a cancelled order, does not bring it back.
    pub(crate) released: bool,
}

/// The account of what was fetched (I-7).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Not in the book before.
    pub new: u64,
    /// A version not seen before.
    pub(crate) changed: u64,
    /// Known already.
    pub(crate) unchanged: u64,
    /// Could not be understood; in the inbox.
    pub(crate) failed: u64,
    /// Open checkouts and the like; not counted as fetched.
    pub(crate) drafts: u64,
}

impl Tally {
    /// All orders fetched.
    pub fn fetched(&self) -> u64 {
        self.new + self.changed + self.unchanged + self.failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.failed += other.failed;
        self.drafts += other.drafts;
    }
}

/// A newer version that is to be taken over.
pub(crate) struct Acceptance<'a> {
    /// The order's number.
    pub(crate) order: i64,
    /// The order's last event when its versions were read: what another command has made of the
    /// order since is neither overwritten nor taken for what was read.
    pub(crate) event: Option<i64>,
    /// What the merchant went by, where that is known.
    pub(crate) before: Option<&'a Order>,
    /// The newer version.
    pub(crate) seen: &'a Order,
    /// The fields that the merchant named; none: all of them.
    pub(crate) fields: &'a [Field],
    /// What becomes of the others; `None`: the version is taken over as a whole.
    pub(crate) part: Option<&'a Kept>,
    /// What is taken over, in words.
    pub(crate) differences: &'a [Difference],
    /// The fields in which what the merchant has edited is given up for the channel's.
    pub(crate) gives_up: &'a [Field],
}

/// What became of a newer version that was to be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It is the merchant's now; so many dispatches that have surely not gone out were taken back.
    Taken(u64),
    /// The order has changed since it was read: nothing was taken over.
    Moved,
}

impl Book {
    /// Begins to take a page into the book: its orders, the account of the run and the position
    /// behind it, all in one transaction.
    pub(crate) fn intake<'a>(&'a mut self, batch: &'a Batch<'a>) -> Result<Intake<'a>> {
        let by = self.by(Who::Channel).in_run(batch.run);
        let now = by.at;
        let db = self.db.transaction_with_behavior(TransactionBehavior::Immediate).done(batch.done())?;
        super::rereads::ask(&db, batch.store, batch.reread, now)?;
        let (word, connected): (String, i64) = db
            .prepare_cached("SELECT channel, connected_at FROM stores WHERE id = ?")
            .done("read")?
            .query_row([batch.store], |row| Ok((row.get(0)?, row.get(1)?)))
            .done("read")?;
        let kind = ChannelKind::from_word(&word).ok_or_else(|| odd("channel", &word))?;
        let mut tally = Tally { drafts: batch.drafts.into(), ..Tally::default() };
        let mut unlisted = batch.unlisted;
        for unshown in batch.unshown {
            tally.failed += super::rereads::put(&db, batch.store, unshown, unlisted, now)?;
            unlisted = unlisted.saturating_add(unshown.unlisted);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM inbox WHERE store_id = ? AND kind IN ('unreadable', 'unshown') AND resolved_at IS NULL)";
        let troubled = db.prepare_cached(sql).done("read")?.query_row([batch.store], |row| row.get(0)).done("read")?;
        let missed = super::comparisons::is_any_gone(&db)?;
        let any_cleared = clearing::is_any_cleared(&db)?;
        let can_have_twins = twins::can_be(&db)?;
        let undecided = super::undecided::is_any(&db)?;
        let documents = &self.documents;
        let present = Present::new(batch.clock, now);
        Ok(Intake {
            db,
            batch,
            kind,
            documents,
            by,
            present,
            connected,
            troubled,
            missed,
            any_cleared,
            can_have_twins,
            undecided,
            tally,
        })
    }

    /// The orders that could not be read by another version of this program, to be tried again.
    pub(crate) fn unreadable(&self, store: i64) -> Result<Vec<(String, Box<RawValue>)>> {
        let sql = "SELECT subject, document FROM inbox INDEXED BY inbox_open
                   WHERE store_id = ? AND kind = 'unreadable' AND resolved_at IS NULL AND program <> ? LIMIT 1000";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map(params![store, env!("CARGO_PKG_VERSION")], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .done("read")?;
        let found: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
        Ok(found.into_iter().filter_map(|(id, text)| Some((id, RawValue::from_string(text).ok()?))).collect())
    }

    /// The document that the order's copy was made from.
    pub fn base_document(&self, order: i64) -> Result<Option<Vec<u8>>> {
        document(&self.db, &self.documents, order, "base")
    }

    /// The newer document kept beside the copy, if there is one.
    pub fn newest_document(&self, order: i64) -> Result<Option<Vec<u8>>> {
        document(&self.db, &self.documents, order, "newest")
    }

    /// Takes over the newer version: it becomes what the merchant has seen, and the copy; or fields
    /// of it do. What the merchant has done to the order and the channel does not show yet stays
    /// done; a dispatch that the version before showed and this one does not is undone. Where it is
    /// cancelled or in the bin, the dispatches that have surely not gone out are taken back.
    ///
    /// # Errors
    /// `NotFound` where no newer version is kept beside the copy.
    pub(crate) fn accept(&mut self, new: &Acceptance<'_>) -> Result<Accepted> {
        let by = self.by(Who::Merchant);
        let (order, seen) = (new.order, new.seen);
        self.write_durably("written", |db| {
            clearing::refuse_cleared(db, order)?;
            if super::acts::has_moved(db, order, new.event)? {
                return Ok(Accepted::Moved);
            }
            if !has_newest(db, order)? {
                return Err(Self::no_newer(order));
            }
            let undone = match new.before {
                Some(before) if new.takes(Field::Shipped) => {
                    super::undone::undo_dispatches(db, order, before, seen, by)?
                }
                _ => false,
            };
            match new.part {
                Some(_) => accepted::take_applied(db, order, new.fields)?,
                None => newest_is_base(db, order)?,
            }
            let is_gone = new.takes(Field::Cancelled) && seen.is_gone();
            let taken = if is_gone { super::acts::take_back_unsent(db, order, by)?.len() as u64 } else { 0 };
            super::edits::give_up(db, order, new.gives_up, by)?;
            if let Some(copy) = new.part.map_or(Some(seen), |part| part.copy.as_ref()) {
                copy::replace_copy(db, order, copy, by)?;
                // "Shipped" was said because of what is undone.
                let was_said = undone && copy.status == Status::Shipped;
                let status = if was_said { Status::AwaitingFulfillment } else { copy.status };
                if was_said {
                    super::acts::set_status(db, order, status)?;
                }
                if status == Status::Cancelled && new.takes(Field::Cancelled) {
                    super::acts::is_cancelled_there(db, order)?;
                }
                super::acts::stand_by_own_acts(db, order, status)?;
                twins::seek_anew(db, order, by)?;
            }
            new.settle(db, by)?;
            new.note(db, by)?;
            Ok(Accepted::Taken(taken))
        })
    }

    /// The error of an act on a newer version where there is none.
    pub(crate) fn no_newer(order: i64) -> Error {
        Error::new(ErrorKind::NotFound, format!("the book has no newer version of order {order}; nothing was changed"))
    }
}

impl Acceptance<'_> {
    /// Whether this field is taken over.
    fn takes(&self, field: Field) -> bool {
        self.part.is_none() || self.fields.contains(&field)
    }

    /// What was said of the newer version is settled, as far as it was about what is taken over.
    fn settle(&self, db: &Connection, by: By) -> Result<()> {
        let order = self.order;
        let Some(part) = self.part else {
            changes::forget(db, order)?;
            resolve_order(db, order, &[EDITED], by.at)?;
            return resolve_order(db, order, &CHANGES, by.at);
        };
        changes::put(db, order, &part.fates)?;
        let words: Vec<&str> = self.fields.iter().map(|field| field.word()).collect();
        changes::forget_rejections(db, order, self.fields)?;
        resolve_order(db, order, &words, by.at)?;
        if self.fields.contains(&Field::Address) {
            edits::seen(db, order, by.at)?;
        }
        let races = |field| matches!(field, Field::Address | Field::Lines | Field::Cancelled | Field::Refunded);
        if !part.fates.iter().any(|(field, _)| races(*field)) {
            resolve_order(db, order, &[RACED], by.at)?;
        }
        tell(db, order, self.seen, part, by)
    }

    fn note(&self, db: &Connection, by: By) -> Result<()> {
        let Some(part) = self.part else {
            let words = format!("the channel's version of {}", crate::clock::rfc3339(self.seen.updated_at));
            return trail::note(db, self.order, by, "accepted", &words);
        };
        for found in self.differences {
            let words = format!("{}: {} → {}", found.aspect.word(), found.before, found.after);
            trail::note(db, self.order, by, "accepted", &words)?;
        }
        for written in &part.written {
            trail::note(db, self.order, by.who(Who::Policy), "applied", written)?;
        }
        Ok(())
    }
}

fn newest_is_base(db: &Connection, order: i64) -> Result<()> {
    db.execute("DELETE FROM versions WHERE order_id = ? AND role = 'base'", [order]).done("written")?;
    db.execute("UPDATE versions SET role = 'base' WHERE order_id = ? AND role = 'newest'", [order]).done("written")?;
    Ok(())
}

/// What has become of the version that is kept beside the copy: noted, written to the copy, told.
pub(super) fn stand(db: &Connection, id: i64, order: &Order, kept: &Kept, by: By) -> Result<()> {
    let followed = accepted::followed(db, id)?;
    changes::put(db, id, &kept.fates)?;
    if kept.released {
        accepted::settle(db, id, &[Field::Hold])?;
    }
    edits::settled(db, id, &followed, by.at)?;
    rewrite(db, id, kept.copy.as_ref(), &kept.fates, by)?;
    for written in &kept.written {
        trail::note(db, id, by.who(Who::Policy), "applied", written)?;
    }
    tell(db, id, order, kept, by)
}

/// Makes the copy what it is with the applied fields; the merchant's own acts stay done. A
/// cancellation takes back the dispatches that have surely not gone out.
fn rewrite(db: &Connection, id: i64, copy: Option<&Order>, fates: &[(Field, Fate)], by: By) -> Result<()> {
    let Some(order) = copy else { return Ok(()) };
    if fates.contains(&(Field::Cancelled, Fate::Applied)) {
        let taken = super::acts::take_back_unsent(db, id, by.who(Who::Policy))?;
        tell_of_taken_back(db, id, &taken, by)?;
    }
    copy::replace_copy(db, id, order, by)?;
    super::acts::stand_by_own_acts(db, id, order.status)?;
    twins::seek_anew(db, id, by)
}

/// A dispatch that vanished by itself, or a request to a supplier, is told of until the merchant has
/// settled it: a parcel may have left the house.
fn tell_of_taken_back(db: &Connection, id: i64, taken: &[Vec<Parcel>], by: By) -> Result<()> {
    let is_requested = super::local::dropship_of(db, id)?.is_some();
    if taken.is_empty() && !is_requested {
        return Ok(());
    }
    let sql = "SELECT s.id, s.name, o.remote_id FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
    let (store, name, remote_id): (i64, String, String) = db
        .prepare_cached(sql)
        .done("read")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .done("read")?;
    let subject = format!("taken back {remote_id}");
    let note = match taken {
        [] => InboxNote::supplier_to_tell(&name, id),
        taken => InboxNote::taken_back(&name, id, &taken.concat()),
    };
    put_note(db, Some(store), Some(id), &subject, &note, by.at)
}

/// Tells the merchant what is to be told of a version, once; what an older one said and this one
/// does not is settled.
pub(super) fn tell(db: &Connection, id: i64, order: &Order, kept: &Kept, by: By) -> Result<()> {
    let store = twins::store_of(db, id)?;
    let is_told = |kind: &str| kept.note.as_ref().is_some_and(|note| note.kind.word() == kind);
    for kind in ["cancelled", "paid", "shipped"].into_iter().filter(|kind| !is_told(kind)) {
        resolve_order(db, id, &[kind], by.at)?;
    }
    if !order.waits_given_back() && !is_told(GIVEN_BACK) {
        resolve_order(db, id, &[GIVEN_BACK], by.at)?;
    }
    followed::tell_if_held_back(db, store, id, order, by.at)?;
    match &kept.note {
        Some(note) if kept.told => renew_note(db, id, note),
        Some(note) => put_note(db, Some(store), Some(id), &order.remote_id, note, by.at),
        None => Ok(()),
    }
}

fn has_newest(db: &Connection, order: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM versions WHERE order_id = ? AND role = 'newest')";
    db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

impl Book {
    /// Makes the copy anew from the version that the merchant has: its parts and sums are those of
    /// `seen`, what the merchant did to it stays. False, and nothing is changed, where the order has
    /// another last event than `event` by now.
    pub(crate) fn remake(&mut self, order: i64, event: Option<i64>, seen: &Order) -> Result<bool> {
        let by = self.by(Who::Program);
        self.write_durably("written", |db| {
            if super::acts::has_moved(db, order, event)? {
                return Ok(false);
            }
            let (_, status) = super::acts::head(db, order)?;
            copy::replace_copy(db, order, seen, by)?;
            super::acts::set_status(db, order, status)?;
            trail::note(db, order, by, "read anew", "its parts are those of the version that you have")?;
            Ok(true)
        })
    }
}

/// A page on its way into the book. Nothing of it stays that is not committed.
pub(crate) struct Intake<'a> {
    db: Transaction<'a>,
    batch: &'a Batch<'a>,
    kind: ChannelKind,
    documents: &'a Documents,
    /// The channel, now, in the run that fetched it.
    by: By,
    /// What time it is at the channel and here.
    present: Present,
    /// When the store was connected, in milliseconds.
    connected: i64,
    /// Whether any order of the store stands in the inbox as unreadable, or as one that the channel
    /// cannot show.
    troubled: bool,
    /// Whether any order is known to be gone from its channel.
    missed: bool,
    /// Whether any order was cleared of personal data.
    any_cleared: bool,
    /// Whether the book has a second store.
    can_have_twins: bool,
    /// Whether any order is to be decided about again.
    undecided: bool,
    tally: Tally,
}

impl Intake<'_> {
    /// Takes an order that needs no decision: one that is new, known already, or cannot be
    /// understood. Gives what is known of any other.
    pub(crate) fn offer(&mut self, seen: &Arrived) -> Result<Option<Offered>> {
        self.shown(&seen.remote_id)?;
        let order = match &seen.order {
            Ok(order) => order,
            // Of a cleared order no document is kept, not even to be read later.
            Err(_) if self.is_cleared(&seen.remote_id)? => {
                self.tally.unchanged += 1;
                return Ok(None);
            }
            Err(why) => {
                self.unreadable(seen, why)?;
                self.tally.failed += 1;
                return Ok(None);
            }
        };
        let print = seen.print.unwrap_or_else(|| fingerprint(order));
        let Some(last) = self.last_version(&order.remote_id)? else {
            self.insert(seen, order, &print)?;
            self.tally.new += 1;
            if !self.batch.moves.is_empty() {
                let (id, store) = (&order.remote_id, self.batch.store);
                super::hooks::found(&self.db, store, id, order.placed_at, self.by.at)?;
            }
            return Ok(None);
        };
        if self.missed {
            super::comparisons::is_there_again(&self.db, last.order_id, self.by)?;
        }
        // A late or repeated delivery of an older version changes nothing (I-3, P-6).
        if self.is_older(&last, order)? {
            self.tally.unchanged += 1;
            return Ok(None);
        }
        self.readable(&order.remote_id)?;
        if self.any_cleared && clearing::cleared(&self.db, last.order_id)?.is_some() {
            self.follow_facts(&last, order)?;
            return Ok(None);
        }
        if last.print.is_some_and(|known| known == print) {
            // One that was made between the two times is an older one from now on. A time to come
            // tells nothing new of that.
            let is_later = |known| order.updated_at > known && !self.is_to_come(order);
            let is_stamped = |known| self.present.is_ahead(known) || is_later(known);
            if last.updated_at.map(from_millis).is_some_and(is_stamped) {
                self.stamp(last.order_id, &last.role, order, &print)?;
            }
            self.tally.unchanged += 1;
            return Ok(None);
        }
        let status: Status = last.status.parse().map_err(|_| odd("status", &last.status))?;
        if self.undecided {
            super::undecided::keep_first(&self.db, last.order_id)?;
        }
        let Some(known) = accepted::known(&self.db, self.documents, last.order_id)? else {
            self.without_base(last.order_id, status, seen, order, &print)?;
            self.tally.changed += 1;
            return Ok(None);
        };
        Ok(Some(Offered { known, print }))
    }

    /// Whether the order with this id is in the book and was cleared, or is about to be.
    fn is_cleared(&self, remote_id: &str) -> Result<bool> {
        if !self.any_cleared {
            return Ok(false);
        }
        let Some(last) = self.last_version(remote_id)? else { return Ok(false) };
        Ok(clearing::cleared(&self.db, last.order_id)?.is_some()
            || clearing::is_to_be_forgotten(&self.db, last.order_id)?)
    }

    /// A cleared order follows its channel in money, pieces and words, and stays closed; nothing of
    /// people comes back with that.
    fn follow_facts(&mut self, last: &LastVersion, order: &Order) -> Result<()> {
        let (id, bare) = (last.order_id, order.without_personal());
        let print = fingerprint(&bare);
        if last.print.as_ref().is_some_and(|known| *known == print) {
            self.stamp(id, "base", &bare, &print)?;
            self.tally.unchanged += 1;
            return Ok(());
        }
        let (_, status) = super::acts::standing(&self.db, id)?;
        copy::replace_copy(&self.db, id, &bare, self.by)?;
        super::acts::set_status(&self.db, id, status)?;
        self.stamp(id, "base", &bare, &print)?;
        trail::note(&self.db, id, self.by, "followed the channel", &order.channel_status)?;
        self.tally.changed += 1;
        Ok(())
    }

    /// Makes of a new version what was decided.
    pub(crate) fn apply(&mut self, offered: &Offered, seen: &Arrived, update: Update) -> Result<()> {
        let Ok(order) = &seen.order else { return Ok(()) };
        let (known, print) = (&offered.known, &offered.print);
        let id = known.order_id;
        let changed = match update {
            Update::Follow(apart) => self.follow(offered, seen, order, &apart).map(|()| true)?,
            Update::Known => self.stamp(id, "newest", order, print).map(|()| false)?,
            Update::Aside => {
                self.put_version(id, "newest", seen, order, print)?;
                changes::put_unknown(&self.db, id)?;
                trail::note(&self.db, id, self.by, "changed at the channel", &order.channel_status)?;
                true
            }
            Update::Keep(kept) if kept.fates.is_empty() => self.same(offered, order, kept.copy.as_ref())?,
            Update::Keep(kept) => self.keep(offered, seen, order, &kept).map(|()| true)?,
        };
        let count = if changed { &mut self.tally.changed } else { &mut self.tally.unchanged };
        *count += 1;
        Ok(())
    }

    /// Keeps all of it, and moves the walk. A dry run was only for counting: it waits for its turn
    /// like any writer, and leaves nothing.
    pub(crate) fn commit(self) -> Result<Tally> {
        let done = self.batch.done();
        if self.batch.dry_run {
            self.db.rollback().done(done)?;
            return Ok(self.tally);
        }
        account(&self.db, self.batch, &self.tally)?;
        if !self.can_have_twins {
            twins::leave_unsought(&self.db)?;
        }
        for to in self.batch.moves {
            super::cursors::advance(&self.db, self.batch.store, to, self.by.at)?;
        }
        self.db.commit().done(done)?;
        Ok(self.tally)
    }

    /// The newest version of an order in the book.
    fn last_version(&self, remote_id: &str) -> Result<Option<LastVersion>> {
        self.db
            .prepare_cached(
                "SELECT o.id, coalesce(o.bare_status, o.status), v.updated_at, v.fingerprint, coalesce(v.role, 'base') FROM orders o LEFT JOIN versions v ON v.order_id = o.id
                 WHERE o.store_id = ? AND o.remote_id = ? ORDER BY v.role DESC LIMIT 1",
            )
            .done("read")?
            .query_row(params![self.batch.store, remote_id], |row| {
                Ok(LastVersion {
                    order_id: row.get(0)?,
                    status: row.get(1)?,
                    updated_at: row.get(2)?,
                    print: row.get::<_, Option<Vec<u8>>>(3)?,
                    role: row.get(4)?,
                })
            })
            .optional()
            .done("read")
    }

    fn insert(&self, seen: &Arrived, order: &Order, print: &[u8; 16]) -> Result<()> {
        let id = copy::insert_copy(&self.db, self.batch.store, order, self.by.at)?;
        self.put_version(id, "base", seen, order, print)?;
        trail::note(&self.db, id, self.by, "imported", &order.channel_status)?;
        followed::tell_if_given_back(&self.db, self.shop(), id, order, self.by.at)?;
        if order.why_held_back().is_some() {
            followed::tell_if_held_back(&self.db, self.batch.store, id, order, self.by.at)?;
        }
        self.seek_twins(id, order)?;
        self.readable(&order.remote_id)
    }

    /// The copy takes the version over, and what the merchant has edited stays over it. What differs
    /// under that, `apart`, is to be looked at before anything goes out.
    fn follow(&self, offered: &Offered, seen: &Arrived, order: &Order, apart: &[(Field, Fate)]) -> Result<()> {
        let (id, print) = (offered.known.order_id, &offered.print);
        let fields: Vec<Field> = apart.iter().map(|(field, _)| *field).collect();
        accepted::follow_but(&self.db, id, &fields)?;
        let news = self.follow_as_whole(id, offered.known.since.status, seen, order, print)?;
        if !apart.is_empty() {
            self.put_version(id, "newest", seen, order, print)?;
        }
        let edits = UnderEdits { apart, news, before: &offered.known.since.followed };
        settle_under_edits(&self.db, self.shop(), id, order, edits, self.by.at)
    }

    fn shop(&self) -> Shop {
        Shop { store: self.batch.store, connected: self.connected }
    }

    /// Gives the fields that the channel has changed under the merchant's edits.
    fn follow_as_whole(
        &self,
        id: i64,
        before: Status,
        seen: &Arrived,
        order: &Order,
        print: &[u8; 16],
    ) -> Result<Vec<Field>> {
        let laid = copy::replace_copy(&self.db, id, order, self.by)?;
        self.put_version(id, "base", seen, order, print)?;
        self.drop_newest(id)?;
        self.seek_twins(id, order)?;
        say_followed(&self.db, self.shop(), id, before, order, self.by)?;
        Ok(laid.news)
    }

    fn seek_twins(&self, id: i64, order: &Order) -> Result<()> {
        if !self.can_have_twins {
            return Ok(());
        }
        let sold_here = (self.kind.adapter().sold_here)(&order.source);
        twins::seek(&self.db, id, &Sale::of(self.batch.store, sold_here, order), self.by)
    }

    /// Keeps the version beside the copy, and has the copy take over what is to be applied of it.
    fn keep(&self, offered: &Offered, seen: &Arrived, order: &Order, kept: &Kept) -> Result<()> {
        let id = offered.known.order_id;
        self.put_version(id, "newest", seen, order, &offered.print)?;
        trail::note(&self.db, id, self.by, "changed at the channel", &order.channel_status)?;
        stand(&self.db, id, order, kept, self.by)
    }

    /// The version that the merchant has seen is lost, so nothing tells what is different: the
    /// order is to be looked at as a whole.
    fn without_base(&self, id: i64, status: Status, seen: &Arrived, order: &Order, print: &[u8; 16]) -> Result<()> {
        if status == Status::AwaitingPayment {
            let news = self.follow_as_whole(id, status, seen, order, print)?;
            followed::tell_of_edits(&self.db, self.shop(), id, order, &news, self.by.at)?;
            return changes::forget(&self.db, id);
        }
        self.put_version(id, "newest", seen, order, print)?;
        changes::put_unknown(&self.db, id)?;
        put_note(&self.db, Some(self.batch.store), Some(id), &order.remote_id, &InboxNote::lost(id), self.by.at)?;
        trail::note(&self.db, id, self.by, "read without the version you had", &order.channel_status)
    }

    /// The channel's version is the merchant's; tells whether it was another before.
    fn same(&self, offered: &Offered, order: &Order, copy: Option<&Order>) -> Result<bool> {
        let id = offered.known.order_id;
        let was_another = self.drop_newest(id)?;
        self.stamp(id, "base", order, &offered.print)?;
        if was_another {
            changes::put(&self.db, id, &[])?;
            rewrite(&self.db, id, copy, &[], self.by)?;
            resolve_order(&self.db, id, &CHANGES, self.by.at)?;
            followed::tell_if_held_back(&self.db, self.batch.store, id, order, self.by.at)?;
            edits::settled(&self.db, id, &offered.known.since.followed, self.by.at)?;
            let what = "the channel is back at your version";
            trail::note(&self.db, id, self.by, what, &order.channel_status)?;
        }
        Ok(was_another)
    }

    /// A version is known to have been seen again: its document stays.
    fn stamp(&self, id: i64, role: &str, order: &Order, print: &[u8; 16]) -> Result<()> {
        self.db
            .prepare_cached("UPDATE versions SET updated_at = ?, fingerprint = ? WHERE order_id = ? AND role = ?")
            .done("written")?
            .execute(params![self.present.bounded(order.updated_at).timestamp_millis(), print, id, role])
            .done("written")?;
        Ok(())
    }

    fn put_version(&self, id: i64, role: &str, seen: &Arrived, order: &Order, print: &[u8; 16]) -> Result<()> {
        let at = self.present.bounded(order.updated_at);
        match &seen.document {
            Document::Packed(codec, packed) => put_version(&self.db, id, role, (*codec, packed), at, print),
            Document::Bare(bare) => {
                let (codec, packed) = self.documents.pack(self.kind, bare.get().as_bytes())?;
                put_version(&self.db, id, role, (codec, &packed), at, print)
            }
        }
    }

    /// Whether a version is older than the newest one in the book. Where that bears a time that has
    /// not come yet, only a version that is in the book as well is known to be.
    fn is_older(&self, last: &LastVersion, order: &Order) -> Result<bool> {
        let Some(known) = last.updated_at.map(from_millis).filter(|known| order.updated_at < *known) else {
            return Ok(false);
        };
        if !self.present.is_ahead(known) {
            return Ok(true);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM versions WHERE order_id = ? AND updated_at = ?)";
        self.db
            .prepare_cached(sql)
            .done("read")?
            .query_row(params![last.order_id, order.updated_at.timestamp_millis()], |row| row.get(0))
            .done("read")
    }

    /// Whether a version bears a time that has not come yet.
    fn is_to_come(&self, order: &Order) -> bool {
        self.present.bounded(order.updated_at) != order.updated_at
    }

    /// Tells whether there was one.
    fn drop_newest(&self, id: i64) -> Result<bool> {
        let dropped = self
            .db
            .prepare_cached("DELETE FROM versions WHERE order_id = ? AND role = 'newest'")
            .done("written")?
            .execute([id])
            .done("written")?;
        Ok(dropped > 0)
    }

    fn unreadable(&mut self, seen: &Arrived, why: &str) -> Result<()> {
        let note = unread(seen, why);
        put_note(&self.db, Some(self.batch.store), None, &seen.remote_id, &note, self.by.at)?;
        if seen.remote_id.starts_with(NAMELESS) {
            super::rereads::met(&self.db, self.batch.store, &seen.remote_id, self.by.at)?;
        }
        self.troubled = true;
        let document = if let Document::Bare(document) = &seen.document { Some(document.get()) } else { None };
        self.db
            .prepare_cached(
                "UPDATE inbox SET document = ?, program = ?, text = ? WHERE store_id = ? AND kind = 'unreadable' AND subject = ? AND resolved_at IS NULL",
            )
            .done("written")?
            .execute(params![document, env!("CARGO_PKG_VERSION"), note.text, self.batch.store, seen.remote_id])
            .done("written")?;
        Ok(())
    }

    /// An order that the channel could not show before has come.
    fn shown(&self, remote_id: &str) -> Result<()> {
        if !self.troubled {
            return Ok(());
        }
        super::rereads::settle(&self.db, self.batch.store, remote_id, self.by.at)
    }

    /// An order that could not be read before can be now.
    fn readable(&self, remote_id: &str) -> Result<()> {
        if !self.troubled {
            return Ok(());
        }
        self.db
            .prepare_cached(
                "UPDATE inbox SET resolved_at = ?, document = NULL WHERE store_id = ? AND kind = 'unreadable' AND subject = ? AND resolved_at IS NULL",
            )
            .done("written")?
            .execute(params![self.by.at.timestamp_millis(), self.batch.store, remote_id])
            .done("written")?;
        Ok(())
    }
}

/// What is told of an order that could not be read. One without a number cannot be asked for, and
/// once it is older than what a sync reads, nothing comes back to it by itself.
fn unread(seen: &Arrived, why: &str) -> InboxNote {
    if seen.remote_id.starts_with(NAMELESS) {
        return InboxNote {
            kind: InboxKind::Unreadable,
            text: format!(
                "an order came without a number and could not be read ({why}); it is not in the book, and a sync does not come back to it by itself"
            ),
            hint: "look for it in the channel's own pages; ordersync sync --full reads all again".to_owned(),
        };
    }
    InboxNote {
        kind: InboxKind::Unreadable,
        text: format!(
            "order {} could not be read ({why}); its document is kept and tried again after an upgrade",
            seen.remote_id
        ),
        hint: "ordersync doctor --bundle collects what a report of this needs".to_owned(),
    }
}

struct LastVersion {
    order_id: i64,
    status: String,
    updated_at: Option<i64>,
    print: Option<Vec<u8>>,
    role: String,
}

/// Keeps a version; `document` with its codec.
pub(super) fn put_version(
    db: &Connection,
    order: i64,
    role: &str,
    (codec, document): (i64, &[u8]),
    updated_at: Timestamp,
    print: &[u8; 16],
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET updated_at = excluded.updated_at,
           fingerprint = excluded.fingerprint, codec = excluded.codec, document = excluded.document",
    )
    .done("written")?
    .execute(params![order, role, updated_at.timestamp_millis(), print, codec, document])
    .done("written")?;
    Ok(())
}

pub(super) fn document(db: &Connection, documents: &Documents, order: i64, role: &str) -> Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT codec, document FROM versions WHERE order_id = ? AND role = ?")
        .done("read")?
        .query_row(params![order, role], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()
        .done("read")?
        .map(|(codec, bytes)| documents.unpack(codec, &bytes))
        .transpose()
}

fn account(db: &Connection, batch: &Batch<'_>, tally: &Tally) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO run_stores (run_id, store_id, new, changed, unchanged, failed, drafts) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET new = new + excluded.new, changed = changed + excluded.changed,
           unchanged = unchanged + excluded.unchanged, failed = failed + excluded.failed, drafts = drafts + excluded.drafts",
    )
    .done("written")?
    .execute(params![batch.run, batch.store, tally.new, tally.changed, tally.unchanged, tally.failed, tally.drafts])
    .done("written")?;
    Ok(())
}
