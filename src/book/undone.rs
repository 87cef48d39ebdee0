//! Dispatches that the channel has undone since: a fulfilment cancelled or deleted there.

use rusqlite::Connection;

use super::error::Done;
use super::rows;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Order, RemoteShipment, names_number};

/// Takes back the merchant's own confirmed dispatches that the channel has undone since: what was in them is open again. Tells whether there
/// were any. Only what `before` showed and `seen` does not counts as undone, as many a channel never shows a dispatch in its orders.
pub(super) fn undo_dispatches(
    db: &Connection,
    order: i64,
    before: &Order,
    seen: &Order,
    now: Timestamp,
) -> Result<bool> {
    let mut undone = false;
    for own in confirmed(db, order)? {
        let by_name = own.is_named(before) || own.is_named(seen);
        if own.is_shown(before, by_name) && !own.is_shown(seen, by_name) {
            db.execute("UPDATE outbox SET shipment_id = NULL WHERE shipment_id = ?", [own.shipment]).done("written")?;
            db.execute("DELETE FROM shipments WHERE id = ?", [own.shipment]).done("written")?;
            rows::note_history(db, order, now, "dispatch undone at the channel", &own.numbers.join(", "))?;
            undone = true;
        }
    }
    Ok(undone)
}

/// A dispatch of the merchant's own that the channel has confirmed.
struct Confirmed {
    shipment: i64,
    numbers: Vec<String>,
    /// What the channel calls that which was made of it.
    receipts: Vec<String>,
}

impl Confirmed {
    /// Whether a version of the order has it under the channel's name for it.
    fn is_named(&self, version: &Order) -> bool {
        version.shipments.iter().any(|one| self.receipts.contains(&one.remote_id))
    }

    /// Whether a version of the order shows it: by the channel's name where it is known by that, else by its number, else as anything that was
    /// shipped. A version that only says that all of it went out shows it too.
    fn is_shown(&self, version: &Order, by_name: bool) -> bool {
        let has = |one: &RemoteShipment| {
            let names = |number: &String| one.parcels.iter().any(|parcel| names_number(&parcel.tracking, number));
            self.numbers.is_empty() || self.numbers.iter().any(names)
        };
        let bare = version.shipments.iter().any(RemoteShipment::is_bare);
        bare || if by_name { self.is_named(version) } else { version.shipments.iter().any(has) }
    }
}

fn confirmed(db: &Connection, order: i64) -> Result<Vec<Confirmed>> {
    let mut statement = db
        .prepare_cached(
            "SELECT sh.id, x.receipts, (SELECT json_group_array(p.tracking) FROM parcels p WHERE p.shipment_id = sh.id)
             FROM shipments sh JOIN outbox x ON x.shipment_id = sh.id AND x.kind = 'dispatch' AND x.state = 'confirmed'
             WHERE sh.order_id = ? AND sh.key IS NOT NULL",
        )
        .done("read")?;
    let list = |text: String| serde_json::from_str(&text).unwrap_or_default();
    let rows = statement
        .query_map([order], |row| {
            Ok(Confirmed { shipment: row.get(0)?, receipts: list(row.get(1)?), numbers: list(row.get(2)?) })
        })
        .done("read")?;
    rows.collect::<rusqlite::Result<_>>().done("read")
}
