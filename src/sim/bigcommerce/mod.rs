//! A simulated BigCommerce store: Orders V2, refunds of V3, store information.
//!
//! Written from the vendor's OpenAPI documents and their examples; it shares no types with the
//! adapter. What those documents leave open (do bounds exclude, is `include` served, does a
//! shipment move the status) is a choice of [`Options`], so that both answers can be met.

mod access;
mod lists;
mod options;
mod render;
mod response;
mod routes;
mod subresources;
#[cfg(test)]
mod tests;
mod vendor;
mod writes;

use std::sync::Arc;

use serde_json::json;

pub use options::{Options, REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN, Scope};
pub use vendor::{BigCommerce, Own};

use super::FaultKind;
use super::http::{Request, Response, Store};
use super::world;
pub use super::world::{Fee, Line, Purchase as NewOrder, Refund, Shipment, Way};
use crate::clock::Clock;

/// A simulated BigCommerce store.
pub type Shop = world::Shop<BigCommerce>;

type State = world::State<BigCommerce>;
type Entry = world::Entry<BigCommerce>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, BigCommerce>;

impl Shop {
    /// A store with about forty orders of the last three weeks.
    pub fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
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
        NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1),
        NewOrder::paid().line("TEE-001", 1).line_elsewhere("MUG-9", 2).line_elsewhere("BOOK-7", 1),
        NewOrder::paid().status("0").line("MUG-9", 1),
        NewOrder::paid().unpaid().line("BOOK-7", 1),
        NewOrder::paid().line("VOUCHER-25", 1),
        NewOrder::paid().line("TEE-001", 1).currency_at("EUR", 9_200),
        NewOrder::paid().status("8").line("TEE-001", 1).picked_up(),
        NewOrder::paid().line("SHIRT-S-ROT", 1).wrapped().note("Gift, no invoice please 🎁"),
        NewOrder::paid().line("MUG-9", 2).coupon(),
        NewOrder::paid().status("12").line("BOOK-7", 3).staff_notes("Called: address is right"),
        large,
    ]
}

/// The answer to a request that found its way to the store.
fn respond(shop: &Shop, request: &Request) -> Response {
    let options = shop.options().clone();
    let (quota, free) = access::Quota::take(&mut shop.lock().own, &options, shop.milliseconds());
    let response = match access::refuse(shop, request, &options) {
        Some(refused) => refused,
        None if !free => access::throttled(request),
        None => routes::respond(shop, request, &options),
    };
    let asks_for_json = request.header("accept").is_some_and(|kinds| kinds.contains("json"));
    let response = if asks_for_json || request.path.contains("/v3/") { response } else { response::as_xml(response) };
    quota.tell(&options, response)
}

fn fault(shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
    match kind {
        FaultKind::Unauthorized => Some(access::unauthorized(request)),
        FaultKind::RateLimited(after) => {
            let response = access::throttled(request);
            // Without these headers the platform itself is under load, and does not say for how
            // long.
            let Some(seconds) = after.as_deref().and_then(|text| text.parse::<u64>().ok()) else {
                return Some(response);
            };
            let options = shop.options().clone();
            Some(
                response
                    .with_header("X-Retry-After", seconds.to_string())
                    .with_header("X-Rate-Limit-Requests-Left", "0")
                    .with_header("X-Rate-Limit-Requests-Quota", options.quota.to_string())
                    .with_header("X-Rate-Limit-Time-Reset-Ms", (seconds * 1000).to_string())
                    .with_header("X-Rate-Limit-Time-Window-Ms", options.window.as_millis().to_string()),
            )
        }
        FaultKind::WrongType(_, wanted) => {
            let mut response = shop.handle(request);
            let mut body = response.body_json();
            let order = match &mut body {
                serde_json::Value::Array(rows) => {
                    rows.iter_mut().find(|row| wanted.is_none_or(|id| row["id"] == json!(id)))
                }
                one => Some(one),
            };
            if let Some(order) = order.filter(|order| order.is_object()) {
                order["total_inc_tax"] = json!({ "amount": "12.00" });
            }
            response.body = body.to_string().into_bytes();
            Some(response)
        }
        _ => None,
    }
}
