//! Parcels: the ones the merchant sends and the ones the channel knows.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::{Line, carrier};
use crate::clock::Timestamp;

/// How many of which order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineQuantity {
    /// The order line's `remote_id`.
    pub line_id: String,
    /// How many of it.
    pub quantity: Decimal,
}

/// One tracking number. A shipment may have several (boxes of one handover) or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The carrier's plain name (`royal-mail`) or, where the table does not know it, the merchant's
    /// own text.
    pub carrier: String,
    /// The tracking number.
    pub tracking: String,
    /// A link of the merchant's own; without it adapters use the carrier's where they need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Parcel {
    /// The carrier's name as people read it.
    pub(crate) fn title(&self) -> &str {
        carrier(&self.carrier).map_or(&self.carrier, |carrier| carrier.title)
    }

    /// Where the buyer follows it: the merchant's own link, else the carrier's page.
    pub(crate) fn link(&self) -> Option<String> {
        self.url.clone().or_else(|| carrier(&self.carrier)?.url(&self.tracking))
    }
}

impl fmt::Display for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(format!("{} {}", self.title(), self.tracking).trim())
    }
}

/// `tracking DHL JD01, tracking UPS 1Z1`.
pub(crate) fn trackings<'a>(parcels: impl IntoIterator<Item = &'a Parcel>) -> String {
    let parcels: Vec<String> = parcels.into_iter().map(|parcel| format!("tracking {parcel}")).collect();
    if parcels.is_empty() { "no tracking".to_owned() } else { parcels.join(", ") }
}

/// What the merchant ships in one go: the content of a `dispatch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// A key of the book's own that never changes: adapters put it where the channel keeps free
    /// text, to recognise the write again.
    pub key: String,
    /// When it was recorded.
    pub shipped_at: Timestamp,
    /// Exactly what is in it: never empty, also when everything is shipped.
    pub lines: Vec<LineQuantity>,
    /// Its tracking numbers.
    pub parcels: Vec<Parcel>,
    /// Whether the channel tells the buyer.
    pub notify: bool,
    /// Whether nothing that ships was left after it when it was recorded, counting what was shipped
    /// before: then the order is shipped here. What the channel has left is reckoned at each attempt.
    pub completes: bool,
    /// What others had sent at the channel, as far as it was counted when this was recorded: none of
    /// it is its own, though it goes out under the same tracking number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Counted>,
}

/// A shipment that others made at the channel, or a count of what they sent, as it was counted here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The channel's id of it; empty where it only tells how many.
    pub(crate) remote_id: String,
    /// The pieces.
    pub(crate) lines: Vec<LineQuantity>,
}

/// A shipment as the channel shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteShipment {
    /// The channel's id of it; empty where it has none (a note, a meta entry).
    pub(crate) remote_id: String,
    /// When, where the channel says.
    pub(crate) shipped_at: Option<Timestamp>,
    /// What is in it; empty where the channel does not say.
    pub lines: Vec<LineQuantity>,
    /// Carrier as the channel names it, and tracking number.
    pub parcels: Vec<Parcel>,
}

/// Deals the pieces to so many boxes, none empty: whole lines where there are enough of them, else
/// piece by piece. `None` where there are too few pieces, or parts of a piece.
pub(crate) fn deal(lines: &[LineQuantity], count: usize) -> Option<Vec<Vec<LineQuantity>>> {
    if count <= lines.len() {
        return (0..count)
            .map(|n| Some(lines.get(share(lines.len(), n, count)..share(lines.len(), n + 1, count))?.to_vec()))
            .collect();
    }
    let whole = |line: &LineQuantity| {
        let quantity = line.quantity.normalize();
        (quantity.scale() == 0).then(|| quantity.to_usize()).flatten()
    };
    let pieces: Vec<usize> = lines.iter().map(whole).collect::<Option<_>>()?;
    let all = pieces.iter().try_fold(0usize, |all, some| all.checked_add(*some)).filter(|all| *all >= count)?;
    Some((0..count).map(|n| between(lines, &pieces, share(all, n, count)..share(all, n + 1, count))).collect())
}

/// Where the nth of so many shares begins.
fn share(all: usize, nth: usize, count: usize) -> usize {
    // Rounded by parts, so that no number grows.
    all / count * nth + all % count * nth / count
}

/// The pieces with these places, counted through the lines.
fn between(lines: &[LineQuantity], pieces: &[usize], places: std::ops::Range<usize>) -> Vec<LineQuantity> {
    let mut dealt = Vec::new();
    let mut start = 0;
    for (line, count) in lines.iter().zip(pieces) {
        let end = start + count;
        let some = end.min(places.end).saturating_sub(start.max(places.start));
        if some > 0 {
            dealt.push(LineQuantity { quantity: Decimal::from(some), ..line.clone() });
        }
        start = end;
    }
    dealt
}

/// What stands before the id of a label: it was bought, and nothing says that anything left.
pub(crate) const LABEL: &str = "label ";

impl RemoteShipment {
    /// Whether it is but a label that was bought.
    pub(crate) fn is_label(&self) -> bool {
        self.remote_id.starts_with(LABEL)
    }

    /// Whether it is no shipment but a count of the pieces that were sent.
    pub(crate) fn is_count(&self) -> bool {
        self.remote_id.is_empty() && self.parcels.is_empty() && !self.lines.is_empty()
    }

    /// Whether it is a parcel of an order with these lines: a channel may show as sent what is
    /// downloaded, or what nobody sends. An order of nothing else is done with by that.
    pub(crate) fn is_parcel(&self, lines: &[Line]) -> bool {
        let of = |part: &LineQuantity| lines.iter().find(|line| line.remote_id == part.line_id);
        let may_ship = |part| of(part).is_none_or(|line| line.ships);
        let tells_nothing_else = self.parcels.is_empty() && !self.lines.is_empty();
        !tells_nothing_else || self.lines.iter().any(may_ship) || !lines.iter().any(|line| line.ships)
    }

    /// Whether it says no more than that the order went out: not by which parcels, nor what was in
    /// them.
    pub(crate) fn is_bare(&self) -> bool {
        self.remote_id.is_empty() && self.lines.is_empty() && self.parcels.is_empty()
    }
}
