//! A small store to look around in: forty varied orders of the last weeks.

use std::sync::Arc;

use chrono::TimeDelta;

use super::Shop;
use super::hands::NewOrder;
use super::options::Options;
use crate::clock::Clock;
use crate::sim::Simulated;

impl Shop {
    /// A store with about forty orders of the last three weeks.
    pub fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let shop = Self::new(options, clock);
        shop.seed(29, now - TimeDelta::weeks(3), now - TimeDelta::days(2));
        for (index, order) in stories().into_iter().enumerate() {
            let hours = 40 - 3 * i64::try_from(index).unwrap_or(0);
            shop.place_order(&order.at(now - TimeDelta::hours(hours)));
        }
        shop
    }
}

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=60).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1),
        NewOrder::paid().line("TEE-001", 1).line_elsewhere("MUG-9", 2).line_elsewhere("BOOK-7", 1),
        NewOrder::with_status(0).line("MUG-9", 1),
        NewOrder::unpaid().line("BOOK-7", 1),
        NewOrder::paid().line("VOUCHER-25", 1),
        NewOrder::paid().line("TEE-001", 1).currency("EUR", 9_200),
        NewOrder::with_status(8).line("TEE-001", 1).picked_up(),
        NewOrder::paid().line("SHIRT-S-ROT", 1).wrapped().note("Gift, no invoice please 🎁"),
        NewOrder::paid().line("MUG-9", 2).coupon(),
        NewOrder::with_status(12).line("BOOK-7", 3).staff_notes("Called: address is right"),
        large,
    ]
}
