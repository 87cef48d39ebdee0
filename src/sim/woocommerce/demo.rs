//! A small shop to look around in: forty varied orders of the last weeks.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::hands::NewOrder;
use super::options::{HttpsSeen, Options};
use super::{NewLine, Shop};
use crate::clock::Clock;

impl Shop {
    /// A shop with about forty orders of the last three weeks, the fulfilments feature on, and the fixed keys
    /// [`REHEARSAL_KEY`](super::REHEARSAL_KEY) and [`REHEARSAL_SECRET`](super::REHEARSAL_SECRET). It takes
    /// them over Basic and over OAuth 1.0a, on loopback HTTP too.
    pub fn demo(clock: Arc<dyn Clock>) -> Self {
        Self::demo_with(Options::demo(), clock)
    }

    /// The same orders in a shop with other options.
    pub fn demo_with(options: Options, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let shop = Self::new(options, clock);
        shop.seed(32, now - TimeDelta::weeks(3), now - TimeDelta::days(2));
        for (index, order) in stories().into_iter().enumerate() {
            let hours = 36 - 4 * i64::try_from(index).unwrap_or(0);
            shop.place_order(order.at(now - TimeDelta::hours(hours)));
        }
        shop
    }
}

impl Options {
    /// The options of [`Shop::demo`].
    pub fn demo() -> Self {
        Self { fulfillments: true, https_seen: HttpsSeen::Rehearsal, ..Self::default() }
    }
}

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = NewOrder { lines: (1..=12).map(line).collect(), ..NewOrder::paid() };
    vec![
        NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1),
        NewOrder::paid().line("SHIRT-S-ROT", 1).note("Gift, no invoice please 🎁").meta("gift_message", json!("🌷")),
        NewOrder::unpaid().line("BOOK-7", 1),
        NewOrder::paid().only_virtual(),
        large,
        NewOrder::paid().line("SHIRT-XL-OCE", 11).coupon(),
        NewOrder::paid().line("TEE-001", 1).currency("USD").customer(7),
        NewOrder::paid().status("checkout-draft").line("MUG-9", 1),
    ]
}

fn line(nth: u32) -> NewLine {
    NewLine { sku: format!("PART-{nth:02}"), quantity: nth }
}
