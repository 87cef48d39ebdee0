//! Dispatches that the channel has undone since: a fulfilment cancelled or deleted there.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rust_decimal::Decimal;

use super::copy::quantity;
use super::error::{Done, odd};
use super::trail::{self, By, Who};
use crate::error::Result;
use crate::order::{Order, RemoteShipment, names_number};

/// Takes back the merchant's own confirmed dispatches that the channel has undone since: what was
/// in them is open again. Tells whether there were any. Only what `before` showed and `seen` does
/// not counts as undone, as many a channel never shows a dispatch in its orders.
pub(super) fn undo_dispatches(db: &Connection, order: i64, before: &Order, seen: &Order, by: By) -> Result<bool> {
    let own = confirmed(db, order)?;
    let (was, is) = (shown(&own, before, seen, before), shown(&own, before, seen, seen));
    let mut undone = false;
    for (one, _) in own.iter().zip(was.into_iter().zip(is)).filter(|(_, (was, is))| *was && !is) {
        db.execute("UPDATE outbox SET shipment_id = NULL WHERE shipment_id = ?", [one.shipment]).done("written")?;
        db.execute("DELETE FROM shipments WHERE id = ?", [one.shipment]).done("written")?;
        trail::note(db, order, by.who(Who::Channel), "dispatch undone at the channel", &one.numbers.join(", "))?;
        undone = true;
    }
    Ok(undone)
}

/// Which of these dispatches `version` shows. Where a channel only counts pieces, the newest is
/// taken for the one that is undone.
fn shown(own: &[Confirmed], before: &Order, seen: &Order, version: &Order) -> Vec<bool> {
    let mut counted: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in version.shipments.iter().filter(|one| one.is_count()).flat_map(|one| &one.lines) {
        let count = counted.entry(&line.line_id).or_default();
        *count = count.saturating_add(line.quantity);
    }
    own.iter()
        .map(|one| {
            let by_name = one.is_named(before) || one.is_named(seen);
            one.is_shown(version, by_name) || one.is_counted(&mut counted)
        })
        .collect()
}

/// A dispatch of the merchant's own that the channel has confirmed.
struct Confirmed {
    shipment: i64,
    numbers: Vec<String>,
    /// What the channel calls that which was made of it.
    receipts: Vec<String>,
    /// How many pieces of which line.
    lines: Vec<(String, Decimal)>,
}

impl Confirmed {
    /// Whether a version of the order has it under the channel's name for it.
    fn is_named(&self, version: &Order) -> bool {
        version.shipments.iter().any(|one| self.receipts.contains(&one.remote_id))
    }

    /// Whether a version of the order shows it: by the channel's name where it is known by that,
    /// else by its number, else as any shipment. A version that only says that all of it went out
    /// shows it too.
    fn is_shown(&self, version: &Order, by_name: bool) -> bool {
        let has = |one: &RemoteShipment| {
            let names = |number: &String| one.parcels.iter().any(|parcel| names_number(&parcel.tracking, number));
            !one.is_count() && (self.numbers.is_empty() || self.numbers.iter().any(names))
        };
        let bare = version.shipments.iter().any(RemoteShipment::is_bare);
        bare || if by_name { self.is_named(version) } else { version.shipments.iter().any(has) }
    }

    /// Whether its pieces are among those counted; then they are used up.
    fn is_counted(&self, counted: &mut BTreeMap<&str, Decimal>) -> bool {
        let enough = |(line, sent): &(String, Decimal)| counted.get(line.as_str()).is_some_and(|n| n >= sent);
        if self.lines.is_empty() || !self.lines.iter().all(enough) {
            return false;
        }
        for (line, sent) in &self.lines {
            if let Some(left) = counted.get_mut(line.as_str()) {
                *left = left.saturating_sub(*sent);
            }
        }
        true
    }
}

fn confirmed(db: &Connection, order: i64) -> Result<Vec<Confirmed>> {
    let mut statement = db
        .prepare_cached(
            "SELECT sh.id, x.receipts, (SELECT json_group_array(p.tracking) FROM parcels p WHERE p.shipment_id = sh.id),
               (SELECT json_group_array(json_array(l.line_id, l.quantity)) FROM shipment_lines l WHERE l.shipment_id = sh.id)
             FROM shipments sh JOIN outbox x ON x.shipment_id = sh.id AND x.kind = 'dispatch' AND x.state = 'confirmed'
             WHERE sh.order_id = ? AND sh.key IS NOT NULL ORDER BY x.id",
        )
        .done("read")?;
    let rows = statement
        .query_map([order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .done("read")?
        .collect::<rusqlite::Result<Vec<(i64, String, String, String)>>>()
        .done("read")?;
    // What is ours and cannot be read is not taken for nothing: it would be offered again.
    rows.into_iter()
        .map(|(shipment, receipts, numbers, lines)| {
            let lines: Vec<(String, String)> = list("list of pieces", &lines)?;
            Ok(Confirmed {
                shipment,
                receipts: list("list of receipts", &receipts)?,
                numbers: list("list of numbers", &numbers)?,
                lines: lines.into_iter().map(|(line, sent)| Ok((line, quantity(&sent)?))).collect::<Result<_>>()?,
            })
        })
        .collect()
}

fn list<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<Vec<T>> {
    serde_json::from_str(text).map_err(|_| odd(what, text))
}
