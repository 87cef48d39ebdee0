//! A simulated BigCommerce store: Orders V2, refunds of V3, store information.
//!
//! Written from the vendor's OpenAPI documents and their examples; it shares no types with the adapter. What those documents leave open
//! (do bounds exclude, is `include` served, does a shipment move the status) is a choice of [`Options`], so that both answers can be
//! met.

mod answer;
mod demo;
mod gate;
mod hands;
mod lists;
mod options;
mod parts;
mod people;
mod render;
mod routes;
mod seed;
mod state;
#[cfg(test)]
mod tests;
mod writes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

pub use hands::NewOrder;
pub use options::{Options, REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN, Scope};
pub use state::{Details, Fee, Line, Place, Refund, Shipment, Way};

use super::http::{Request, Response, Store};
use super::{CONTROL, FaultKind};
use crate::clock::Clock;
use crate::sim::time::ShopClock;
use gate::Quota;
use state::State;

type Hook = Arc<dyn Fn(&Request, &Shop) + Send + Sync>;

/// A simulated BigCommerce store. Share it as `Arc<Shop>` between a [`Server`](super::Server) and a test.
pub struct Shop {
    options: Mutex<Options>,
    clock: ShopClock,
    state: Mutex<State>,
    hook: Mutex<Option<Hook>>,
}

impl Shop {
    /// An empty store that reads the time from `clock`.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let state = State { next_id: options.first_id, ..State::default() };
        Self {
            options: Mutex::new(options),
            clock: ShopClock::new(clock),
            state: Mutex::new(state),
            hook: Mutex::new(None),
        }
    }

    /// How many requests the quota let in, and how many it refused.
    pub fn asked(&self) -> (u64, u64) {
        self.lock().asked
    }

    /// The store's options, to look at or to change.
    pub fn options(&self) -> MutexGuard<'_, Options> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `hook` before every request, for instance to change orders between two pages of a list.
    pub fn before_request(&self, hook: impl Fn(&Request, &Self) + Send + Sync + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since the epoch.
    fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    fn answer(&self, request: &Request) -> Response {
        let options = self.options().clone();
        let (quota, free) = Quota::take(&mut self.lock(), &options, self.clock.now().timestamp_millis());
        let response = match gate::refuse(self, request, &options) {
            Some(refused) => refused,
            None if !free => gate::throttled(request),
            None => routes::answer(self, request, &options),
        };
        let asks_for_json = request.header("accept").is_some_and(|kinds| kinds.contains("json"));
        let response = if asks_for_json || request.path.contains("/v3/") { response } else { answer::as_xml(response) };
        let date = httpdate::fmt_http_date(self.clock.now().into());
        quota.tell(&options, response).with_header("Date", date)
    }
}

impl Store for Shop {
    fn handle(&self, request: &Request) -> Response {
        if request.path.starts_with(CONTROL) {
            return super::simulated::control(self, request);
        }
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(request, self);
        }
        self.answer(request)
    }

    fn fault(&self, kind: &FaultKind, request: &Request) -> Option<Response> {
        match kind {
            FaultKind::Unauthorized => Some(gate::unauthorized(request)),
            FaultKind::RateLimited(after) => {
                let response = gate::throttled(request);
                // Without these headers the platform itself is under load, and does not say for how long.
                let Some(seconds) = after.as_deref().and_then(|text| text.parse::<u64>().ok()) else {
                    return Some(response);
                };
                let options = self.options().clone();
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
                let mut response = self.handle(request);
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
}
