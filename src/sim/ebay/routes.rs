//! Which request is for what, and the small documents.

use serde_json::{Map, json};

use super::access::{caller, error, throttle};
use super::{Call, Context, Request, Response, fulfillments, lists};
use crate::sim::rest::{Answer, Route, find};

type Handler = fn(&mut Call<'_, '_>) -> Answer;

/// The API of a route, the endings of the scopes of which one is needed, whether the application
/// itself may ask, and what the route does.
struct Way(&'static str, &'static [&'static str], bool, Handler);

const READ: &[&str] = &["/sell.fulfillment", "/sell.fulfillment.readonly"];
const WRITE: &[&str] = &["/sell.fulfillment"];

/// Every route.
const ROUTES: &[Route<Way>] = &[
    Route("GET", "sell/fulfillment/v1/order", "", Way("fulfillment", READ, false, lists::orders)),
    Route("GET", "sell/fulfillment/v1/order/{id:w}", "", Way("fulfillment", READ, false, lists::one)),
    Route(
        "GET",
        "sell/fulfillment/v1/order/{id:w}/shipping_fulfillment",
        "",
        Way("fulfillment", READ, false, fulfillments::list),
    ),
    Route(
        "GET",
        "sell/fulfillment/v1/order/{id:w}/shipping_fulfillment/{id:w}",
        "",
        Way("fulfillment", READ, false, fulfillments::one),
    ),
    Route(
        "POST",
        "sell/fulfillment/v1/order/{id:w}/shipping_fulfillment",
        "",
        Way("fulfillment", WRITE, false, fulfillments::create),
    ),
    Route("GET", "commerce/identity/v1/user/", "", Way("identity", &["/commerce.identity.readonly"], false, user)),
    Route("GET", "commerce/identity/v1/user", "", Way("identity", &["/commerce.identity.readonly"], false, user)),
];

/// Answers a request to one of the APIs.
pub(super) fn respond(context: &mut Context<'_>, request: &Request) -> Response {
    answer(context, request).unwrap_or_else(|refused| refused)
}

fn answer(context: &mut Context<'_>, request: &Request) -> Answer {
    let path = request.path.strip_prefix('/').unwrap_or_default();
    let Some((route, path)) = find(ROUTES, &request.method, path) else {
        let known = ROUTES.iter().any(|route| route.parts(path).is_some());
        return Err(error(if known { 405 } else { 404 }, 2_002, "ACCESS", "Resource not found"));
    };
    let Way(api, scopes, app, act) = route.3;
    let by = caller(context, request, scopes, app)?;
    throttle(context, request, api)?;
    let mut call = Call { context, request, params: Map::new(), path, by };
    let response = act(&mut call)?;
    let is_write = request.method != "GET" && matches!(api, "fulfillment" | "post-order");
    call.state.writes += u64::from(is_write && !request.path.ends_with("/check_eligibility"));
    Ok(response)
}

/// `GET commerce/identity/v1/user/`.
fn user(call: &mut Call<'_, '_>) -> Answer {
    let options = call.options;
    let (id, name) = match call.by.is_seller {
        true => (options.user_id.as_str(), options.username.as_str()),
        false => ("sTrAnGeR777", "somebody_else"),
    };
    let account = json!({
        "name": "Green Cat Pottery", "email": "seller@greencat.test",
        "address": { "city": "Köln", "country": options.country, "postalCode": "50667" },
        "primaryContact": { "firstName": "Rehearsal", "lastName": "Seller" },
    });
    Ok(Response::json(
        200,
        &json!({
            "userId": id, "username": name, "accountType": "BUSINESS", "status": "CONFIRMED",
            "registrationMarketplaceId": options.marketplace, "businessAccount": account,
        }),
    ))
}
