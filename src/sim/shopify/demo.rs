//! A small shop to look around in: forty varied orders of the last weeks.

use std::sync::Arc;

use chrono::TimeDelta;

use super::hands::NewOrder;
use super::options::Options;
use super::{Shop, seed};
use crate::clock::Clock;
use crate::sim::Simulated;

impl Shop {
    /// A shop with about forty orders of the last three weeks.
    pub fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let shop = Self::new(options, clock);
        shop.seed(30, now - TimeDelta::weeks(3), now - TimeDelta::days(2));
        let stories = stories();
        for (index, order) in stories.into_iter().enumerate() {
            let hours = 40 - 4 * i64::try_from(index).unwrap_or(0);
            shop.place_order(&order.at(now - TimeDelta::hours(hours)));
        }
        let last = shop.numbers();
        if let [.., split, held, gone, tagged] = last.as_slice() {
            shop.split(*split);
            shop.hold(*held, "Awaiting payment");
            shop.edit_away(*gone, 0);
            shop.tag(*tagged, "wholesale");
        }
        shop
    }
}

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=30).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1),
        NewOrder::paid().line("SHIRT-S-ROT", 1).note("Gift, no invoice please 🎁").attribute("gift message", "🌷"),
        NewOrder::unpaid().line("BOOK-7", 1),
        NewOrder::paid().line("VOUCHER-25", 1),
        NewOrder::paid().line("TEE-001", 1).currency("USD"),
        large,
        NewOrder::paid().line("TEE-001", 4).line("BOOK-7", 2),
        NewOrder::paid().line("MUG-9", 2),
        NewOrder::paid().line("MUG-9", 1).line("TEE-001", 1),
        NewOrder::paid().line("BOOK-7", 10),
    ]
}

/// Ids are far apart, so that what belongs to an order can be told from its id, and beyond what a floating-point number can hold.
pub const FIRST_ID: u64 = 820_982_911_946_000 * seed::STEP;
