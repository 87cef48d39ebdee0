//! The domain types: what an order is, whichever channel it came from. No I/O.
//!
//! An [`Order`] here is *one version of an order as a channel tells it*. The merchant's working
//! copy, its history and the outbox live in the book (`crate::book`).

mod address;
mod carrier;
mod deliverable;
mod difference;
mod due;
mod field;
mod mended;
mod money;
#[allow(clippy::module_inception)]
mod order;
pub(crate) mod pieces;
pub(crate) mod policies;
pub(crate) mod sale;
mod shipment;
mod status;
pub(crate) mod sums;
mod taken;
#[cfg(test)]
pub(crate) mod testing;
mod tracking;
pub(crate) mod twin;
pub(crate) mod waiting;
mod withheld;

pub(crate) use address::Address;
pub(crate) use carrier::{CARRIERS, CarrierName, carrier, carrier_name, carrier_of, nearest_carriers, same_carrier};
pub use difference::differences;
pub(crate) use difference::{Difference, same_places};
pub(crate) use due::{Due, ShipWithin};
pub(crate) use field::{Field, Mark};
pub(crate) use mended::{KEPT_DIGITS, tracking_number, undressed, zeros_behind};
pub(crate) use money::{Currency, LARGEST, decimals, parse_decimal, scaled, stored_decimal, sum};
pub(crate) use order::{Buyer, Charge, Payment, Presence, Refund, RefundLine, Totals, is_given_back};
pub use order::{ChargeKind, Line, Order};
pub use pieces::KnownPieces;
pub(crate) use pieces::Pieces;
pub(crate) use policies::{Fate, Policies, Policy};
pub use shipment::{Counted, LineQuantity, Parcel, Shipment};
pub(crate) use shipment::{LABEL, RemoteShipment, deal, trackings};
pub(crate) use status::{Local, Status};
pub(crate) use tracking::{names_number, normal_number, same_number};
pub(crate) use withheld::People;
