//! What is said, told and settled of an order that has taken a version of its channel over as a
//! whole: as that came, or when it was decided about again.

use rusqlite::Connection;

use super::error::Done;
use super::inbox::{CHANGES, GIVEN_BACK, HELD_BACK, InboxNote, put_note, resolve_order};
use super::trail::{self, By};
use super::{acts, changes, edits};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Fate, Field, Order, Presence, Status};

/// How far a channel's clock may be behind.
const CLOCKS_APART_MS: i64 = 3_600_000;

/// A store, and when it was connected, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Shop {
    pub(super) store: i64,
    pub(super) connected: i64,
}

impl Shop {
    /// That of an order.
    pub(super) fn of(db: &Connection, order: i64) -> Result<Self> {
        let sql = "SELECT s.id, s.connected_at FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
        let read = |row: &rusqlite::Row<'_>| Ok(Self { store: row.get(0)?, connected: row.get(1)? });
        db.prepare_cached(sql).done("read")?.query_row([order], read).done("read")
    }
}

/// What an order that has followed its channel has under the merchant's edits.
pub(super) struct UnderEdits<'a> {
    /// What differs there, to be looked at before anything goes out.
    pub(super) apart: &'a [(Field, Fate)],
    /// Which fields the channel has changed.
    pub(super) news: Vec<Field>,
    /// Which ones differed before.
    pub(super) before: &'a [Field],
}

/// Says that an order that had this status before is as the channel has it.
pub(super) fn say_followed(db: &Connection, shop: Shop, id: i64, before: Status, order: &Order, by: By) -> Result<()> {
    let detail = if before == order.status {
        order.channel_status.clone()
    } else {
        format!("{before} → {} ({})", order.status, order.channel_status)
    };
    // Nothing differs any more that was told of an older version; nor does an order wait for a
    // decision that has been put away.
    let is_over = |kind: &&str| *kind != GIVEN_BACK || !is_to_be_told(order);
    resolve_order(db, id, &CHANGES.into_iter().filter(is_over).collect::<Vec<_>>(), by.at)?;
    tell_if_given_back(db, shop, id, order, by.at)?;
    tell_if_held_back(db, shop.store, id, order, by.at)?;
    trail::note(db, id, by, "followed the channel", &detail)
}

/// What differs under edits is told and waits; of all else nothing does any more.
pub(super) fn settle_under_edits(
    db: &Connection,
    shop: Shop,
    id: i64,
    order: &Order,
    edits: UnderEdits<'_>,
    at: Timestamp,
) -> Result<()> {
    let UnderEdits { apart, news, before } = edits;
    let fields: Vec<Field> = apart.iter().map(|(field, _)| *field).collect();
    let news: Vec<Field> = news.into_iter().filter(|field| fields.contains(field)).collect();
    tell_of_edits(db, shop, id, order, &news, at)?;
    if apart.is_empty() {
        changes::forget(db, id)?;
        return edits::settled(db, id, before, at);
    }
    changes::put(db, id, apart)?;
    let settled: Vec<Field> = Field::ALL.into_iter().filter(|field| !fields.contains(field)).collect();
    changes::forget_rejections(db, id, &settled)
}

/// The channel has changed these fields under the merchant's edits.
pub(super) fn tell_of_edits(
    db: &Connection,
    shop: Shop,
    id: i64,
    order: &Order,
    news: &[Field],
    at: Timestamp,
) -> Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    put_note(db, Some(shop.store), Some(id), &order.remote_id, &InboxNote::edited(id, news), at)
}

/// A copy of which all was given back before all of it was sent is for the merchant to decide
/// about. What had come to an end before the store was connected, or was put away as done with, is
/// no news.
pub(super) fn tell_if_given_back(db: &Connection, shop: Shop, id: i64, order: &Order, at: Timestamp) -> Result<()> {
    let last = order.refunds.iter().filter_map(|refund| refund.refunded_at).max().unwrap_or(order.updated_at);
    let is_news = last.timestamp_millis() >= shop.connected.saturating_sub(CLOCKS_APART_MS);
    if !is_news || !is_to_be_told(order) {
        return Ok(());
    }
    let note = InboxNote::given_back(id, order.given_back_text(), order);
    put_note(db, Some(shop.store), Some(id), &order.remote_id, &note, at)
}

/// An order that is held back waits for the merchant to look; once it is not, was put away as done
/// with, or is over here, there is nothing to be told any more.
pub(super) fn tell_if_held_back(db: &Connection, store: i64, id: i64, order: &Order, at: Timestamp) -> Result<()> {
    let why = order.why_held_back().filter(|_| order.presence == Presence::Listed);
    let (_, status) = acts::standing(db, id)?;
    match why.filter(|_| !matches!(status, Status::Shipped | Status::Cancelled)) {
        Some(why) => put_note(db, Some(store), Some(id), &order.remote_id, &InboxNote::held_back(id, why), at),
        None => resolve_order(db, id, &[HELD_BACK], at),
    }
}

/// Whether all of an order was given back before all of it was sent, and nobody has put it away as
/// done with.
fn is_to_be_told(order: &Order) -> bool {
    order.waits_given_back() && order.presence == Presence::Listed
}
