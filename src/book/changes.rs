//! What became of the newer versions that are kept beside the copies, field by field.

use rusqlite::{Connection, params};

use super::Book;
use super::accepted;
use super::acts::{column, is_cancelled_here};
use super::edits;
use super::error::{Done, odd};
use super::trail::{self, Who};
use crate::channel::ChannelKind;
use crate::channel::settings::policies;
use crate::error::Result;
use crate::order::{Fate, Field, Local, Mark, Policies, Status};

/// What has happened to an order since its copy was made: what a newer version is held against
/// beside the version that the copy was made from.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances {
    /// What its store does with which change.
    pub(crate) policies: Policies,
    /// The copy's status, without what the merchant does with the order here alone.
    pub(crate) status: Status,
    /// What that is.
    pub(crate) local: Local,
    /// What became of the newest version, field by field.
    pub(crate) fates: Vec<(Field, Fate)>,
    /// What the merchant has rejected, each with what marks its value.
    pub(crate) rejected: Vec<(Field, Mark)>,
    /// What the merchant has done to the order itself: sent or cancelled it, or edited a field.
    pub(crate) edited: Vec<Field>,
    /// The fields in which the copy has followed the channel under an edit, and that the merchant
    /// has not settled yet. They count as edited.
    pub(crate) followed: Vec<Field>,
    /// The fields of later versions than the one the copy was made from that are the merchant's, one
    /// by one.
    pub(crate) accepted: Vec<Field>,
    /// The numbers of the merchant's own parcels.
    pub(crate) tracking: Vec<String>,
}

impl Circumstances {
    /// The fields that the copy has taken over, and a parcel goes by.
    pub(crate) fn applied(&self) -> Vec<Field> {
        self.fates.iter().filter(|(_, fate)| *fate == Fate::Applied).map(|(field, _)| *field).collect()
    }

    /// The fields that the copy has as the newest version has them.
    pub(crate) fn written(&self) -> Vec<Field> {
        self.taken(&self.fates)
    }

    /// The same where this becomes of a version.
    pub(crate) fn taken(&self, fates: &[(Field, Fate)]) -> Vec<Field> {
        let is_taken = |(field, fate): &&(Field, Fate)| fate.is_written() || self.followed.contains(field);
        fates.iter().filter(is_taken).map(|(field, _)| *field).collect()
    }
}

impl Book {
    /// What has happened to an order since its copy was made.
    pub(crate) fn circumstances(&self, order: i64) -> Result<Circumstances> {
        circumstances(&self.db, order)
    }
}

/// What became of a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// It is noted.
    Noted,
    /// The order has changed since it was read: nothing was noted.
    Moved,
}

impl Book {
    /// The orders of which something waits for the merchant, the oldest first: of these stores, and in
    /// one of these fields, where any are given.
    pub(crate) fn waiting(&self, stores: &[i64], fields: &[Field], limit: usize) -> Result<Vec<i64>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut sql =
            "SELECT DISTINCT c.order_id FROM changes c INDEXED BY changes_waiting WHERE c.fate = 'review'".to_owned();
        if !stores.is_empty() {
            let stores: Vec<String> = stores.iter().map(i64::to_string).collect();
            let of = "AND (SELECT o.store_id FROM orders o WHERE o.id = c.order_id) IN";
            sql.push_str(&format!(" {of} ({})", stores.join(", ")));
        }
        if !fields.is_empty() {
            let words: Vec<String> = fields.iter().map(|field| format!("'{}'", field.word())).collect();
            sql.push_str(&format!(" AND c.field IN ({})", words.join(", ")));
        }
        sql.push_str(" ORDER BY c.order_id LIMIT ?");
        column(&self.db, &sql, [limit])
    }

    /// How many orders that are.
    pub(crate) fn waiting_count(&self) -> Result<u64> {
        let sql = "SELECT count(DISTINCT order_id) FROM changes INDEXED BY changes_waiting WHERE fate = 'review'";
        self.db.query_row(sql, [], |row| row.get(0)).done("read")
    }

    /// Notes that the merchant does not want these fields of the newest version: each with what
    /// marks its value there, and the difference in words. `event` is the order's last event when
    /// they were read.
    pub(crate) fn reject(
        &mut self,
        order: i64,
        event: Option<i64>,
        rejected: &[(Field, Mark, String)],
    ) -> Result<Rejected> {
        let by = self.by(Who::Merchant);
        self.write_durably("written", |db| {
            if super::acts::has_moved(db, order, event)? {
                return Ok(Rejected::Moved);
            }
            for (field, mark, words) in rejected {
                db.execute(
                    "INSERT INTO rejections VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET mark = excluded.mark",
                    params![order, field.word(), mark],
                )
                .done("written")?;
                db.execute(
                    "UPDATE changes SET fate = 'rejected' WHERE order_id = ? AND field = ? AND fate = 'review'",
                    params![order, field.word()],
                )
                .done("written")?;
                super::inbox::resolve_order(db, order, &[field.word()], by.at)?;
                trail::note(db, order, by, "rejected", &format!("{}: {words}", field.word()))?;
            }
            Ok(Rejected::Noted)
        })
    }
}

pub(super) fn circumstances(db: &Connection, order: i64) -> Result<Circumstances> {
    let word: String = db
        .prepare_cached("SELECT coalesce(bare_status, status) FROM orders WHERE id = ?")
        .done("read")?
        .query_row([order], |row| row.get(0))
        .done("read")?;
    let sent: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND kind = 'dispatch' AND state <> 'withdrawn'
               AND NOT (state = 'failed' AND written = 'no'))",
        )
        .done("read")?
        .query_row([order], |row| row.get(0))
        .done("read")?;
    let own = [(Field::Shipped, sent), (Field::Cancelled, is_cancelled_here(db, order)?)];
    let mut edited: Vec<Field> = own.into_iter().filter(|(_, is_own)| *is_own).map(|(field, _)| field).collect();
    let (followed, accepted) = accepted::fields(db, order)?;
    edited.extend(edits::fields(db, order)?.into_iter().chain(followed.iter().copied()));
    let tracking = "SELECT p.tracking FROM parcels p JOIN shipments s ON s.id = p.shipment_id
                    WHERE s.order_id = ? AND s.key IS NOT NULL ORDER BY p.shipment_id, p.position";
    Ok(Circumstances {
        policies: policies_of(db, order)?,
        status: word.parse().map_err(|_| odd("status", &word))?,
        local: super::local::local_of(db, order)?,
        fates: fates(db, order)?,
        rejected: rejected(db, order)?,
        edited,
        followed,
        accepted,
        tracking: column(db, tracking, [order])?,
    })
}

/// What the order's store does with which change, at this moment: another process may set it to do
/// something else.
pub(super) fn policies_of(db: &Connection, order: i64) -> Result<Policies> {
    let sql = "SELECT s.channel, s.settings FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
    let (channel, settings): (String, String) =
        db.prepare_cached(sql).done("read")?.query_row([order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let kind = ChannelKind::from_word(&channel).ok_or_else(|| odd("channel", &channel))?;
    let settings = serde_json::from_str(&settings).map_err(|_| odd("store", "its values"))?;
    Ok(policies(kind, &settings))
}

/// What became of the order's newest version. A field that another version of the program knows is
/// left out: the next version of the order brings its fate.
pub(super) fn fates(db: &Connection, order: i64) -> Result<Vec<(Field, Fate)>> {
    let mut statement = db.prepare_cached("SELECT field, fate FROM changes WHERE order_id = ?").done("read")?;
    let rows = statement.query_map([order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let found: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    Ok(found.iter().filter_map(|(field, fate)| Some((Field::from_word(field)?, Fate::from_word(fate)?))).collect())
}

fn rejected(db: &Connection, order: i64) -> Result<Vec<(Field, Mark)>> {
    let mut statement = db.prepare_cached("SELECT field, mark FROM rejections WHERE order_id = ?").done("read")?;
    let rows = statement.query_map([order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let found: Vec<(String, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    let mark = |(field, mark): (String, Vec<u8>)| Some((Field::from_word(&field)?, mark.try_into().ok()?));
    Ok(found.into_iter().filter_map(mark).collect())
}

/// Notes what became of the order's newest version, in the place of what was noted before. What
/// does not differ any more has nothing left in it that was followed unseen.
pub(super) fn put(db: &Connection, order: i64, fates: &[(Field, Fate)]) -> Result<()> {
    db.prepare_cached("DELETE FROM changes WHERE order_id = ?").done("written")?.execute([order]).done("written")?;
    for (field, fate) in fates {
        db.prepare_cached("INSERT INTO changes VALUES (?, ?, ?)")
            .done("written")?
            .execute(params![order, field.word(), fate.word()])
            .done("written")?;
    }
    accepted::settle_followed(db, order)
}

/// Notes that a newer version differs in what nobody can tell.
pub(super) fn put_unknown(db: &Connection, order: i64) -> Result<()> {
    put(db, order, &[])?;
    db.execute("INSERT INTO changes VALUES (?, 'unknown', 'drift')", [order]).done("written")?;
    super::undecided::note(db, order, true)
}

/// What the merchant has not wanted of these fields is the merchant's by now.
pub(super) fn forget_rejections(db: &Connection, order: i64, fields: &[Field]) -> Result<()> {
    for field in fields {
        db.prepare_cached("DELETE FROM rejections WHERE order_id = ? AND field = ?")
            .done("written")?
            .execute(params![order, field.word()])
            .done("written")?;
    }
    Ok(())
}

/// The copy is as the channel has it: nothing differs, and nothing is rejected any more.
pub(super) fn forget(db: &Connection, order: i64) -> Result<()> {
    put(db, order, &[])?;
    super::accepted::forget(db, order)?;
    db.prepare_cached("DELETE FROM rejections WHERE order_id = ?").done("written")?.execute([order]).done("written")?;
    Ok(())
}
