//! What only eBay's sellers do, or meet, and what a test may look at.

use std::sync::Arc;

use serde_json::Value;

use super::options::Options;
use super::{NewOrder, Shop, notifications, post_order};
use crate::clock::Clock;

impl Shop {
    /// A shop with about forty orders of the last three weeks.
    pub(crate) fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self::with_stories(options, clock, 30, stories())
    }

    /// How many requests the APIs had, and how many of these the limits refused.
    pub fn asked(&self) -> (u64, u64) {
        self.lock().own.asked
    }

    /// How many access tokens were given out.
    pub fn tokens_given(&self) -> u64 {
        self.lock().own.tokens_given
    }

    /// Every access token ends now.
    pub fn end_tokens(&self) {
        self.lock().own.grants.end();
    }

    /// The seller changes the password: every token and every consent is void.
    pub fn revoke(&self) {
        self.lock().own.grants.revoke();
    }

    /// So many of the next requests for tokens fail at eBay.
    pub fn fail_tokens(&self, times: u32) {
        self.lock().own.failing_tokens = times;
    }

    /// The ship-by date of an order, which the handling time of its listing makes, is another.
    pub fn set_ship_by(&self, id: u64, at: i64) -> bool {
        self.with(|context| context.change(id, |order| order.own.ship_by = Some(at)))
    }

    /// The buyer asks that an order be cancelled; gives the id of the request. Nothing once an hour is
    /// over, or something was sent.
    pub fn ask_to_cancel(&self, id: u64, reason: &str) -> Option<u64> {
        self.with(|context| post_order::ask(context, id, reason))
    }

    /// The buyer of an order closes the account.
    pub fn close_account(&self, id: u64) -> bool {
        self.with(|context| notifications::close_account(context, id))
    }

    /// eBay's own part of the control over HTTP.
    pub(super) fn act(&self, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        let known = self.lock().orders.get(&id).map(|entry| entry.created);
        match verb {
            "ship-by" => Some(self.set_ship_by(id, known? + wish["days"].as_i64().unwrap_or(7) * 86_400_000)),
            "revoke" => {
                self.revoke();
                Some(true)
            }
            "end-tokens" => {
                self.end_tokens();
                Some(true)
            }
            "fail-tokens" => {
                self.fail_tokens(wish["times"].as_u64().and_then(|times| u32::try_from(times).ok()).unwrap_or(1));
                Some(true)
            }
            // The buyer asks that it be cancelled, or closes the account.
            "ask-to-cancel" => {
                Some(self.ask_to_cancel(id, wish["reason"].as_str().unwrap_or("ORDER_MISTAKE")).is_some())
            }
            "close-account" => Some(self.close_account(id)),
            _ => None,
        }
    }
}

/// One order for each thing a seller meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=30).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::of(&[("TEE-001", 2), ("MUG-9", 1)]),
        NewOrder::of(&[("SHIRT-S-ROT", 1)]).note("Please don't ring \"twice\" & leave it"),
        NewOrder::of(&[("BOOK-7", 1)]).unpaid(),
        NewOrder::of(&[("VOUCHER-25", 1)]),
        NewOrder::of(&[("TEE-001", 1)]).source("hub"),
        NewOrder::of(&[("MUG-9", 2)]).coupon(),
        NewOrder::of(&[("TEE-001", 3)]).currency_at("USD", 10_800),
        NewOrder::of(&[("BOOK-7", 2)]).source("fulfilled-by-ebay"),
        NewOrder::of(&[("MUG-9", 1)]).picked_up(),
        large,
    ]
}
