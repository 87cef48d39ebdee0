//! Orders whose newest version is to be decided about again: what the merchant did when it came has
//! ended since, what the store is set to do has changed, or nobody could tell what differs in it.
//!
//! What decides needs the channel's format, which the book does not have. So the act that ends
//! something only notes the order, in its own transaction, and whoever opens the book next decides.

use rusqlite::{Connection, params};

use super::error::Done;
use super::followed::{Shop, UnderEdits, say_followed, settle_under_edits};
use super::import::{Update, stand};
use super::trail::{self, By, Who};
use super::{Book, accepted, acts, changes, copy, twins};
use crate::channel::settings::policies;
use crate::channel::{ChannelKind, Values};
use crate::error::Result;
use crate::order::{Fate, Field, Order, Policies};

/// An order that is to be decided about again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Undecided {
    /// Its number.
    pub(crate) order: i64,
    /// The number of its store.
    pub(crate) store: i64,
    /// Whether what was told of the version before is to be told again.
    pub(crate) tell: bool,
    /// Whether what was applied of the version stays.
    pub(crate) keep: bool,
}

/// What this version of the program has tried and could not decide, another one may.
const DUE: &str = "undecided u WHERE u.tried IS NOT ?1";

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

impl Book {
    /// Whether any order is to be decided about.
    pub(crate) fn is_any_undecided(&self) -> Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {DUE})");
        self.db.prepare_cached(&sql).done("read")?.query_row([PROGRAM], |row| row.get(0)).done("read")
    }

    /// The orders behind `after` that are to be decided about, at most so many.
    pub(crate) fn undecided(&self, after: i64, most: u32) -> Result<Vec<Undecided>> {
        let sql = format!(
            "SELECT u.order_id, (SELECT store_id FROM orders o WHERE o.id = u.order_id), u.tell, u.keep FROM {DUE}
               AND u.order_id > ?2 ORDER BY u.order_id LIMIT ?3"
        );
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Undecided { order: row.get(0)?, store: row.get(1)?, tell: row.get(2)?, keep: row.get(3)? })
        };
        let rows = statement.query_map(params![PROGRAM, after, most], read).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// Notes what has become of the order's newest version, if it still has one. False, and nothing
    /// is changed, where the order has another last event than `event` by now, or its store is set
    /// to do something else than these `policies`: then it is decided about another time.
    pub(crate) fn decided(
        &mut self,
        order: i64,
        event: Option<i64>,
        policies: Option<Policies>,
        newest: Option<(&Order, &Update)>,
    ) -> Result<bool> {
        let by = self.by(Who::Policy);
        self.write("written", |db| {
            let now = changes::policies_of(db, order)?;
            if acts::has_moved(db, order, event)? || policies.is_some_and(|policies| policies != now) {
                return Ok(false);
            }
            match newest {
                Some((seen, Update::Follow(apart))) => follow(db, order, seen, apart, by)?,
                Some((seen, Update::Keep(kept))) => {
                    note_fates(db, order, &kept.fates, by)?;
                    stand(db, order, seen, kept, by)?;
                }
                Some((_, Update::Known | Update::Aside)) | None => {}
            }
            forget(db, order)?;
            Ok(true)
        })
    }

    /// What was applied of the newest version is the merchant's from now on. False, and nothing is
    /// changed, where the order has another last event than `event` by now.
    pub(crate) fn keep_applied(&mut self, order: i64, event: Option<i64>) -> Result<bool> {
        self.write("written", |db| {
            if acts::has_moved(db, order, event)? {
                return Ok(false);
            }
            keep(db, order)?;
            Ok(true)
        })
    }

    /// This version of the program cannot decide about the order.
    pub(crate) fn undecidable(&mut self, order: i64) -> Result<()> {
        self.write("written", |db| {
            let sql = "UPDATE undecided SET tried = ? WHERE order_id = ?";
            db.execute(sql, params![PROGRAM, order]).done("written")?;
            Ok(())
        })
    }
}

/// What is kept beside the order's copy, if anything, is to be decided about again. `tell`: what was
/// told of it before may not be so any more.
pub(super) fn note(db: &Connection, order: i64, tell: bool) -> Result<()> {
    let sql = "INSERT INTO undecided SELECT order_id, NULL, ?2, 0 FROM versions WHERE order_id = ?1 AND role = 'newest'
               ON CONFLICT DO UPDATE SET tried = NULL, tell = max(tell, excluded.tell)";
    db.prepare_cached(sql).done("written")?.execute(params![order, tell]).done("written")?;
    Ok(())
}

/// All that is kept beside copies of a store is to be decided about again, where what it is set to do
/// with changes is another now; gives of how many orders that is.
pub(super) fn note_all(db: &Connection, store: i64, kind: ChannelKind, before: &Values, now: &Values) -> Result<u64> {
    if policies(kind, before) == policies(kind, now) {
        return Ok(0);
    }
    let sql = "INSERT INTO undecided SELECT v.order_id, NULL, 0, 1 FROM versions v INDEXED BY versions_newest JOIN orders o ON o.id = v.order_id
               WHERE v.role = 'newest' AND o.store_id = ? ON CONFLICT DO UPDATE SET tried = NULL, keep = 1";
    Ok(db.execute(sql, [store]).done("written")? as u64)
}

/// Whether any order is noted.
pub(super) fn is_any(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM undecided)";
    db.prepare_cached(sql).done("read")?.query_row([], |row| row.get(0)).done("read")
}

/// Before another version of an order is decided about by what its store is set to do now: what was
/// applied by what it was set to do before stays.
pub(super) fn keep_first(db: &Connection, order: i64) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM undecided WHERE order_id = ? AND keep = 1)";
    let waits: bool = db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")?;
    if waits { keep(db, order) } else { Ok(()) }
}

/// What is a fact under whatever a store is set to do is none of it.
fn keep(db: &Connection, order: i64) -> Result<()> {
    let mut applied = changes::fates(db, order)?;
    applied.retain(|(field, fate)| *fate == Fate::Applied && !matches!(field, Field::Payment | Field::Hold));
    let applied: Vec<Field> = applied.into_iter().map(|(field, _)| field).collect();
    accepted::settle(db, order, &applied)?;
    db.execute("UPDATE undecided SET keep = 0 WHERE order_id = ?", [order]).done("written")?;
    Ok(())
}

fn forget(db: &Connection, order: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM undecided WHERE order_id = ?").done("written")?.execute([order]).done("written")?;
    Ok(())
}

/// Says in the audit trail which fates are others than before. That also tells a command that has
/// read the order before that it is not so any more.
fn note_fates(db: &Connection, order: i64, fates: &[(Field, Fate)], by: By) -> Result<()> {
    let before = changes::fates(db, order)?;
    let words = |fate: Option<Fate>| fate.map_or("unknown", Fate::word);
    let fate_of = |all: &[(Field, Fate)], field| all.iter().find(|(one, _)| *one == field).map(|(_, fate)| *fate);
    let told: Vec<String> = fates
        .iter()
        .filter(|(field, fate)| fate_of(&before, *field) != Some(*fate))
        .map(|(field, fate)| format!("{}: {} → {}", field.word(), words(fate_of(&before, *field)), fate.word()))
        .collect();
    let gone = before.iter().filter(|(field, _)| fate_of(fates, *field).is_none());
    let gone = gone.map(|(field, fate)| format!("{}: {} → the same", field.word(), fate.word()));
    let told: Vec<String> = told.into_iter().chain(gone).collect();
    if told.is_empty() { Ok(()) } else { trail::note(db, order, by, "decided again", &told.join(", ")) }
}

/// An order that is not paid is as its channel has it, from the version that was kept beside it.
fn follow(db: &Connection, id: i64, seen: &Order, apart: &[(Field, Fate)], by: By) -> Result<()> {
    let fields: Vec<Field> = apart.iter().map(|(field, _)| *field).collect();
    let followed = accepted::followed(db, id)?;
    let (_, before) = acts::standing(db, id)?;
    accepted::follow_but(db, id, &fields)?;
    let laid = copy::replace_copy(db, id, seen, by)?;
    acts::stand_by_own_acts(db, id, seen.status)?;
    db.execute("DELETE FROM versions WHERE order_id = ? AND role = 'base'", [id]).done("written")?;
    let sql = "INSERT INTO versions SELECT order_id, 'base', updated_at, fingerprint, codec, document FROM versions WHERE order_id = ? AND role = 'newest'";
    db.execute(sql, [id]).done("written")?;
    if apart.is_empty() {
        db.execute("DELETE FROM versions WHERE order_id = ? AND role = 'newest'", [id]).done("written")?;
    }
    twins::seek_anew(db, id, by)?;
    let shop = Shop::of(db, id)?;
    say_followed(db, shop, id, before, seen, by)?;
    settle_under_edits(db, shop, id, seen, UnderEdits { apart, news: laid.news, before: &followed }, by.at)
}
