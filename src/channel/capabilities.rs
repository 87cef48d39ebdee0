//! What a store can do, as plain data: read by the core, `--help`, the README's table and the
//! contract test.

use std::time::Duration;

use super::GuideTime;

/// What a store can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A dispatch may contain a part of the order.
    pub partial: bool,
    /// The other way, where it may not: goes on after "dispatch the order when all of it ships".
    pub for_parts: &'static str,
    /// A dispatch may have several tracking numbers.
    pub several_parcels: bool,
    /// A tracking number that the channel knows can be replaced.
    pub replace_tracking: bool,
    /// Who decides whether the buyer is told of a shipment.
    pub notify: Notify,
    /// What becomes of a carrier that the table does not know.
    pub unknown_carrier: UnknownCarrier,
    /// Whether and how an order can be cancelled there.
    pub cancel: CancelSupport,
    /// How many pages may be in flight in a first sync when the merchant says nothing.
    pub(crate) in_flight: usize,
    /// How many lists besides the changes each sync looks through, a request each: what moves no
    /// order's time.
    pub beside: u32,
    /// How far a sync reaches back behind its cursor, so that late-indexed changes are not lost.
    pub overlap: Duration,
    /// The approximate guide time of a first sync.
    pub(crate) guide_time: GuideTime,
}

/// Who decides whether the buyer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// The merchant, with every dispatch.
    Choice,
    /// The shop's own settings; `--notify` and `--no-notify` change nothing.
    ShopDecides,
    /// Nobody: the channel tells the buyer of each shipment, so that `--no-notify` is refused.
    Always,
}

/// What becomes of a carrier that the table does not know (D-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownCarrier {
    /// It goes out as free text.
    SentAsText,
    /// The channel has a word for all that it does not know, and that goes out.
    SentAsOther,
    /// The dispatch is refused with the nearest names.
    Refused,
}

/// Whether and how an order can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelSupport {
    /// Through the API.
    Yes(Cancelling),
    /// Not through the API; the text says what to do in the channel's own pages.
    No(&'static str),
}

/// What cancelling does at the channel, and what of it is the merchant's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelling {
    /// What becomes of the money where it is not asked back with it, for the merchant.
    pub money: &'static str,
    /// What happens to stock and the buyer, for the merchant; may be empty.
    pub effect: &'static str,
    /// What becomes of a reason, where that is worth a word.
    pub reason: &'static str,
    /// Whether stock goes back is a choice; else the channel decides.
    pub restock: bool,
    /// Whether the buyer is told is a choice; else the channel decides.
    pub notify: bool,
    /// The money can be given back with it.
    pub refund: bool,
    /// An order whose money was taken can be cancelled; else it can only be given back.
    pub taken: bool,
}
