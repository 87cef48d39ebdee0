//! A simulated Shopify shop (Admin GraphQL `2026-10`).
//!
//! Written from the vendor's schema and answers recorded from real shops; it shares no types with
//! the adapter. A field that the schema does not have is an error here, too, as far as the tree of
//! [`render`] goes.

mod admin;
mod answer;
mod bulk;
mod lists;
mod options;
mod render;
#[cfg(test)]
mod tests;
mod vendor;
mod webhooks;
mod writes;

use std::sync::Arc;

use serde_json::json;

pub use options::{Deaf, Options, REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN};
pub(crate) use vendor::{Own, Shopify};

use super::FaultKind;
use super::http::{Request, Response};
pub use super::world::Purchase as NewOrder;
use super::{Registered, stores, world};

/// A simulated Shopify shop.
pub type Shop = world::Shop<Shopify>;

/// What makes stores of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, latency| Arc::new(Shop::demo(Options { latency, ..Options::rehearsal() }, clock)),
    another: |clock| Arc::new(Shop::new(Options::another(), clock)),
    variants: |clock| stores::<Shopify>(Options::variants(), clock),
};

type State = world::State<Shopify>;
type Entry = world::Entry<Shopify>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, Shopify>;

/// Ids within an order: its own, then room for a thousand things that belong to it.
const STEP: u64 = 1000;

/// The order that something belongs to, by its id.
fn order_of(id: u64) -> u64 {
    id / STEP * STEP
}

/// The answer to a request that found its way to the shop.
fn respond(shop: &Shop, request: &Request) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/admin/oauth/access_token") => shop.with(|context| grant(context, request)),
        ("POST", "/admin/api/2026-10/graphql.json") => answer::graphql(shop, request),
        ("GET", path) if path.starts_with("/bulk/") => file(shop, request, path.trim_start_matches("/bulk/")),
        _ => Response::html(404, "<!DOCTYPE html><html><body>This store is unavailable</body></html>"),
    }
}

/// The client-credentials grant.
fn grant(context: &mut Context<'_>, request: &Request) -> Response {
    let form = request.form();
    let has = |key: &str, value: &str| form.iter().any(|(name, given)| name == key && given == value);
    if !has("grant_type", "client_credentials") {
        return Response::json(400, &json!({ "error": "invalid_request" }));
    }
    if !has("client_id", REHEARSAL_CLIENT_ID) || !has("client_secret", REHEARSAL_CLIENT_SECRET) {
        let text = "<html><body><h1>400</h1>Oauth error application_cannot_be_found</body></html>";
        return Response::html(400, text);
    }
    let (options, own) = (context.options, &mut context.state.own);
    let token = format!("shpca_{:024x}", own.take_id());
    own.tokens.fetch(token.clone(), context.now + options.token_life * 1000);
    let scope = options.scopes.join(",");
    Response::json(200, &json!({ "access_token": token, "scope": scope, "expires_in": options.token_life }))
}

/// A bulk operation's file, in ranges. It is not the shop's host: a token has no business there.
fn file(shop: &Shop, request: &Request, name: &str) -> Response {
    if request.header("x-shopify-access-token").is_some() {
        return Response::html(400, "<html>a token was sent to the file store</html>");
    }
    let id = name.strip_suffix(".jsonl").and_then(|id| id.parse().ok()).unwrap_or(0);
    match shop.lock().own.bulk.get(&id) {
        Some(operation) => Response::file(request, "application/jsonl", &operation.file),
        None => Response::html(404, "<html>NoSuchKey</html>"),
    }
}

fn fault(shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
    if !request.path.ends_with("graphql.json") {
        return None;
    }
    match kind {
        FaultKind::RateLimited(None) => {
            Some(shop.with(|context| answer::throttled(context.options, context.state.own.bucket.level, 100.0)))
        }
        FaultKind::Unauthorized => Some(answer::unauthorized()),
        FaultKind::Says(_, text) => Some(Response::json(200, &json!({ "errors": [{ "message": text }] }))),
        _ => None,
    }
}
