//! The domain types: what an order is, whichever channel it came from. No I/O.
//!
//! An [`Order`] here is *one version of an order as a channel tells it*. The merchant's working
//! copy, its history and the outbox live in the book (`crate::book`).

mod address;
mod carrier;
mod difference;
mod mended;
mod money;
#[allow(clippy::module_inception)]
mod order;
mod shipment;
mod status;
pub mod sums;
#[cfg(test)]
pub mod testing;
mod tracking;
mod withheld;

pub use address::Address;
pub use carrier::{CARRIERS, CarrierName, carrier, carrier_name, nearest_carriers};
pub use difference::{Aspect, Difference, differences, same_beside};
pub use mended::{KEPT_DIGITS, tracking_number, undressed, zeros_behind};
pub use money::{Currency, LARGEST, parse_decimal, scaled, stored_decimal, sum};
pub use order::{Buyer, Charge, ChargeKind, Line, Order, Payment, Presence, Refund, RefundLine, Totals, is_given_back};
pub use shipment::{LineQuantity, Parcel, RemoteShipment, Shipment, deal, left, trackings};
pub use status::Status;
pub use tracking::{names_number, normal_number, same_number};
pub use withheld::People;
