//! Fields that the merchant has accepted of newer versions while others still differ. The version
//! last imported or accepted, with these fields, is what the merchant goes by.

use rusqlite::{Connection, OptionalExtension, params};

use super::Book;
use super::changes::{self, Circumstances};
use super::documents::Documents;
use super::error::Done;
use crate::error::Result;
use crate::order::{Fate, Field, People};

/// What the merchant has of the channel's documents.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// The version that was last imported or accepted as a whole.
    pub(crate) document: Vec<u8>,
    /// The later versions of which fields were accepted, each with these fields.
    pub(crate) accepted: Vec<(Vec<Field>, Vec<u8>)>,
}

/// What the book knows of an order's versions, for the policy.
#[derive(Debug)]
pub(crate) struct Known {
    /// The order's number.
    pub(crate) order_id: i64,
    /// What has happened to the order since its copy was made.
    pub(crate) since: Circumstances,
    /// Whom the copy knows, where an address was applied to it that the channel may not tell again.
    pub(crate) people: Option<People>,
    /// What the merchant has.
    pub(crate) basis: Basis,
    /// The newest document kept beside it, if one is.
    pub(crate) newest: Option<Vec<u8>>,
}

impl Book {
    /// What the merchant has of the channel's documents of an order; nothing where that is lost.
    pub(crate) fn basis(&self, order: i64) -> Result<Option<Basis>> {
        basis(&self.db, &self.documents, order)
    }

    /// What the book knows of the versions of an order; nothing where the merchant's is lost.
    pub(crate) fn known(&self, order: i64) -> Result<Option<Known>> {
        known(&self.db, &self.documents, order)
    }
}

pub(super) fn known(db: &Connection, documents: &Documents, order: i64) -> Result<Option<Known>> {
    let Some(basis) = basis(db, documents, order)? else { return Ok(None) };
    let newest = super::import::document(db, documents, order, "newest")?;
    let since = changes::circumstances(db, order)?;
    let is_moved = since.applied().contains(&Field::Address);
    let people = is_moved.then(|| super::copy::people(db, order)).transpose()?;
    Ok(Some(Known { order_id: order, since, people, basis, newest }))
}

fn basis(db: &Connection, documents: &Documents, order: i64) -> Result<Option<Basis>> {
    let Some(document) = super::import::document(db, documents, order, "base")? else { return Ok(None) };
    let sql =
        "SELECT v.id, a.field, v.codec, v.document FROM accepted_versions v JOIN accepted a ON a.version_id = v.id
               WHERE v.order_id = ? ORDER BY v.id, a.field";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let mut rows = statement.query([order]).done("read")?;
    let mut accepted: Vec<(Vec<Field>, Vec<u8>)> = Vec::new();
    let mut last: Option<i64> = None;
    while let Some(row) = rows.next().done("read")? {
        let (version, word): (i64, String) = (row.get(0).done("read")?, row.get(1).done("read")?);
        // One that another version of the program knows stays as it was last accepted as a whole.
        let Some(field) = Field::from_word(&word) else { continue };
        if last == Some(version) {
            accepted.iter_mut().last().into_iter().for_each(|(fields, _)| fields.push(field));
            continue;
        }
        let (codec, packed): (i64, Vec<u8>) = (row.get(2).done("read")?, row.get(3).done("read")?);
        accepted.push((vec![field], documents.unpack(codec, &packed)?));
        last = Some(version);
    }
    Ok(Some(Basis { document, accepted }))
}

/// Notes that these fields of the newest version are the merchant's.
fn take(db: &Connection, order: i64, fields: &[Field]) -> Result<()> {
    let Some(version) = keep_version(db, order, "newest")? else { return Ok(()) };
    for field in fields {
        let sql = "INSERT INTO accepted VALUES (?, ?, ?, 0)
                   ON CONFLICT DO UPDATE SET version_id = excluded.version_id, followed = 0";
        db.prepare_cached(sql).done("written")?.execute(params![order, field.word(), version]).done("written")?;
    }
    drop_unused(db, order)
}

/// Keeps the version that has this role, for fields of it.
fn keep_version(db: &Connection, order: i64, role: &str) -> Result<Option<i64>> {
    let sql = "INSERT INTO accepted_versions (order_id, updated_at, codec, document)
               SELECT order_id, updated_at, codec, document FROM versions WHERE order_id = ? AND role = ? RETURNING id";
    db.prepare_cached(sql).done("written")?.query_row(params![order, role], |row| row.get(0)).optional().done("written")
}

/// Before the order goes by another version as a whole: of these fields, which the merchant has
/// edited, what was seen of them last stays what the merchant goes by.
pub(super) fn follow_but(db: &Connection, order: i64, apart: &[Field]) -> Result<()> {
    let seen = if apart.is_empty() { None } else { keep_version(db, order, "base")? };
    for field in apart {
        let sql = "INSERT INTO accepted VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET followed = 1";
        db.prepare_cached(sql).done("written")?.execute(params![order, field.word(), seen]).done("written")?;
    }
    for field in Field::ALL.into_iter().filter(|field| !apart.contains(field)) {
        let sql = "DELETE FROM accepted WHERE order_id = ? AND field = ?";
        db.prepare_cached(sql).done("written")?.execute(params![order, field.word()]).done("written")?;
    }
    drop_unused(db, order)
}

/// The fields in which the copy has followed the channel under an edit, unseen.
pub(super) fn followed(db: &Connection, order: i64) -> Result<Vec<Field>> {
    Ok(fields(db, order)?.0)
}

/// The same, and the fields of later versions that are the merchant's one by one.
pub(super) fn fields(db: &Connection, order: i64) -> Result<(Vec<Field>, Vec<Field>)> {
    let mut statement = db.prepare_cached("SELECT field, followed FROM accepted WHERE order_id = ?").done("read")?;
    let rows = statement.query_map([order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let found: Vec<(String, bool)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    let read = |is: bool| {
        let of_kind = found.iter().filter(move |(_, followed)| *followed == is);
        of_kind.filter_map(|(word, _)| Field::from_word(word)).collect()
    };
    Ok((read(true), read(false)))
}

/// What does not differ any more was not followed unseen.
pub(super) fn settle_followed(db: &Connection, order: i64) -> Result<()> {
    let sql = "UPDATE accepted SET followed = 0 WHERE order_id = ?1 AND followed = 1
               AND field NOT IN (SELECT field FROM changes WHERE order_id = ?1)";
    db.prepare_cached(sql).done("written")?.execute([order]).done("written")?;
    Ok(())
}

fn drop_unused(db: &Connection, order: i64) -> Result<()> {
    let sql = "DELETE FROM accepted_versions WHERE order_id = ?1
               AND id NOT IN (SELECT version_id FROM accepted WHERE order_id = ?1)";
    db.prepare_cached(sql).done("written")?.execute([order]).done("written")?;
    Ok(())
}

/// From an act of the merchant on, what was applied of the newest version before it is the
/// merchant's: it is not taken back because the order has been begun with. So are these fields.
pub(super) fn take_applied(db: &Connection, order: i64, also: &[Field]) -> Result<()> {
    let fates = changes::fates(db, order)?;
    let applied = fates.iter().filter(|(field, fate)| *fate == Fate::Applied && !also.contains(field));
    let taken: Vec<Field> = applied.map(|(field, _)| *field).chain(also.iter().copied()).collect();
    settle(db, order, &taken)
}

/// These fields of the newest version are the merchant's, and differ no more.
pub(super) fn settle(db: &Connection, order: i64, fields: &[Field]) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    take(db, order, fields)?;
    let mut left = changes::fates(db, order)?;
    left.retain(|(field, _)| !fields.contains(field));
    changes::put(db, order, &left)
}

/// Another version is the merchant's as a whole.
pub(super) fn forget(db: &Connection, order: i64) -> Result<()> {
    for table in ["accepted", "accepted_versions"] {
        let sql = format!("DELETE FROM {table} WHERE order_id = ?");
        db.prepare_cached(&sql).done("written")?.execute([order]).done("written")?;
    }
    Ok(())
}
