//! What only BigCommerce's merchants do in the control panel, and what a test may look at.

use std::sync::Arc;

use super::options::Options;
use super::{NewOrder, Shop, vendor};
use crate::clock::Clock;

impl Shop {
    /// A store with about forty orders of the last three weeks.
    pub(crate) fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self::with_stories(options, clock, 29, stories())
    }

    /// How many requests the quota let in, and how many it refused.
    pub fn asked(&self) -> (u64, u64) {
        self.lock().own.asked
    }

    /// The status id, if there is such an order.
    pub fn status(&self, id: u64) -> Option<u8> {
        self.lock().orders.get(&id).map(vendor::status)
    }

    /// The status is set by hand.
    pub fn set_status(&self, id: u64, status: u8) -> bool {
        self.with(|context| vendor::set_status(context, id, status))
    }

    /// The order is put away (what a DELETE of it does), or fetched back.
    pub fn set_archived(&self, id: u64, archived: bool) -> bool {
        self.with(|context| context.put_away(id, archived))
    }

    /// How many orders are archived.
    pub fn archived(&self) -> usize {
        self.lock().orders.values().filter(|entry| entry.away.is_some()).count()
    }

    /// The API account was deleted: its token is worth nothing any more. Or made again.
    pub fn set_revoked(&self, revoked: bool) {
        self.lock().own.revoked = revoked;
    }

    /// The store is down for maintenance, or up again.
    pub fn set_down(&self, down: bool) {
        self.lock().own.down = down;
    }
}

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=60).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::of(&[("TEE-001", 2), ("MUG-9", 1)]),
        NewOrder::of(&[("TEE-001", 1)]).line_elsewhere("MUG-9", 2).line_elsewhere("BOOK-7", 1),
        NewOrder::of(&[("MUG-9", 1)]).status("0"),
        NewOrder::of(&[("BOOK-7", 1)]).unpaid(),
        NewOrder::of(&[("VOUCHER-25", 1)]),
        NewOrder::of(&[("TEE-001", 1)]).currency_at("EUR", 9_200),
        NewOrder::of(&[("TEE-001", 1)]).status("8").picked_up(),
        NewOrder::of(&[("SHIRT-S-ROT", 1)]).wrapped().note("Gift, no invoice please 🎁"),
        NewOrder::of(&[("MUG-9", 2)]).coupon(),
        NewOrder::of(&[("BOOK-7", 3)]).status("12").staff_notes("Called: address is right"),
        large,
    ]
}
