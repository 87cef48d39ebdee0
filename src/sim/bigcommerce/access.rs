//! What every request has to pass: maintenance, the token, its scopes, the quota that all apps of
//! the store share.

use super::Shop;
use super::options::{Options, REHEARSAL_TOKEN, Scope};
use super::response::{error, error_v3};
use super::vendor::Memory;
use crate::sim::http::{Request, Response};

/// How the quota stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    /// Of this window.
    left: u32,
    /// Milliseconds until the next window.
    ends_in: i64,
}

impl Quota {
    /// Takes one request out of the window. The store's other apps use theirs bit by bit while it
    /// lasts.
    pub(super) fn take(state: &mut Memory, options: &Options, now: i64) -> (Self, bool) {
        let length = i64::try_from(options.window.as_millis()).unwrap_or(i64::MAX).max(1);
        if now - state.window.0 >= length || state.window.0 > now {
            state.window = (now, 0);
        }
        let passed = now - state.window.0;
        let others = u32::try_from(i64::from(options.others) * passed / length).unwrap_or(0);
        let free = options.quota.saturating_sub(state.window.1.saturating_add(others));
        state.window.1 = state.window.1.saturating_add(u32::from(free > 0));
        state.asked.0 += u64::from(free > 0);
        state.asked.1 += u64::from(free == 0);
        (Self { left: free.saturating_sub(1), ends_in: length - passed }, free > 0)
    }

    /// The headers that every answer has.
    pub(super) fn tell(self, options: &Options, response: Response) -> Response {
        response
            .with_header("X-Rate-Limit-Requests-Left", self.left.to_string())
            .with_header("X-Rate-Limit-Requests-Quota", options.quota.to_string())
            .with_header("X-Rate-Limit-Time-Reset-Ms", self.ends_in.to_string())
            .with_header("X-Rate-Limit-Time-Window-Ms", options.window.as_millis().to_string())
    }
}

/// The answer to a request that does not get in.
pub(super) fn refuse(shop: &Shop, request: &Request, options: &Options) -> Option<Response> {
    let (down, revoked) = {
        let state = shop.lock();
        (state.own.down, state.own.revoked)
    };
    if down {
        return Some(error(request, 503, "The store is down for maintenance."));
    }
    let mine = request.path.starts_with(&format!("/stores/{}/", options.store_hash));
    if revoked || !mine || request.header("x-auth-token") != Some(REHEARSAL_TOKEN) {
        return Some(unauthorized(request));
    }
    allowed(request, options).err()
}

/// The answer to a token that is not one of this store's.
pub(super) fn unauthorized(request: &Request) -> Response {
    let v3 = "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store.";
    let text = if request.path.contains("/v3/") { v3 } else { "No valid API credentials provided." };
    error(request, 401, text)
}

/// A missing scope has the form of V3 also under V2.
fn allowed(request: &Request, options: &Options) -> Result<(), Response> {
    let reads = request.method == "GET";
    let settings = request.path.ends_with("/v2/store") || request.path.ends_with("/v2/time");
    let may = match options.orders {
        _ if settings => options.information,
        Scope::None => false,
        Scope::ReadOnly => reads,
        Scope::Modify => true,
    };
    if may { Ok(()) } else { Err(error_v3(403, "You don't have a required scope to access the endpoint")) }
}

/// What is said when the quota is used up.
pub(super) fn throttled(request: &Request) -> Response {
    error(request, 429, "Too many requests in a given time frame.")
}
