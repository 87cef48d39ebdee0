//! Which request is for what, and the small documents.

use serde_json::{Value, json};

use super::access::{error, user};
use super::options::{Options, SCOPES};
use super::{Call, Context, Request, Response, lists, writes};
use crate::sim::rest::{Answer, Route, check, declared, find, from_pairs};

/// What a route does, and the scope that it needs; empty: none, and no user either.
type Handler = (&'static str, fn(&mut Call<'_, '_>) -> Answer);

/// Every route, with the parameters of its query.
const ROUTES: &[Route<Handler>] = &[
    Route("GET", "openapi-ping", "", ("", |_| Ok(Response::json(200, &json!({ "application_id": 123_456_789 }))))),
    Route("POST", "scopes", "", ("", scopes)),
    Route("GET", "users/me", "", ("shops_r", me)),
    Route(
        "GET",
        "shops/{id}",
        "",
        // Any shop is shown to any app, also the stranger's.
        ("", |call| match call.id(0) {
            id if id == call.options.shop => Ok(Response::json(200, &shop(call.options))),
            id if id == call.options.shop + 777 => Ok(Response::json(
                200,
                &shop(&Options { shop: id, name: "OtherPottery".to_owned(), ..call.options.clone() }),
            )),
            id => Err(error(404, &format!("Could not find a Shop with shop_id = {id}."))),
        }),
    ),
    Route("GET", "shops/{id}/receipts", lists::PARAMETERS, ("transactions_r", lists::receipts)),
    Route("GET", "shops/{id}/receipts/{id}", "legacy:bool", ("transactions_r", lists::one)),
    Route("PUT", "shops/{id}/receipts/{id}", "legacy:bool", ("transactions_w", writes::mark)),
    Route("POST", "shops/{id}/receipts/{id}/tracking", "legacy:bool", ("transactions_w", writes::ship)),
];

/// Answers a request that has been let in.
pub(super) fn respond(context: &mut Context<'_>, request: &Request) -> Response {
    answer(context, request).unwrap_or_else(|refused| refused)
}

fn answer(context: &mut Context<'_>, request: &Request) -> Answer {
    let path = request.path.strip_prefix("/v3/application/").unwrap_or_default();
    let Some((route, path)) = find(ROUTES, &request.method, path) else {
        let known = ROUTES.iter().any(|route| route.parts(path).is_some());
        return Err(if known { error(405, "Method not allowed") } else { error(404, "Resource not found") });
    };
    let (scope, act) = route.3;
    let mine = match scope {
        "" => None,
        scope => Some(user(context, request, scope)?),
    };
    let args = declared(route.2);
    let mut params = from_pairs(&request.query);
    let unknown = params.keys().find(|name| args.iter().all(|arg| arg.name != **name));
    if let Some(unknown) = unknown.filter(|_| context.options.strict_query) {
        return Err(error(400, &format!("Unknown parameter: [{unknown}]")));
    }
    if let Err(wrong) = check(&args, &mut params) {
        let names: Vec<String> = wrong.into_iter().map(|wrong| wrong.name).collect();
        return Err(error(400, &format!("Invalid value for parameter: [{}]", names.join(", "))));
    }
    let mut call = Call { context, request, params, path, by: () };
    if route.1.contains("receipts") {
        own(&call, mine)?;
    }
    let response = act(&mut call)?;
    call.state.writes += u64::from(request.method != "GET" && route.1.contains("receipts"));
    Ok(response)
}

/// A seller sees the receipts of the own shop only.
fn own(call: &Call<'_, '_>, user: Option<u64>) -> Result<(), Response> {
    // What another seller has here is nobody's business: as many receipts as this one.
    if (call.id(0), user) == (call.options.shop + 777, Some(call.options.seller + 777)) {
        return Ok(());
    }
    if call.id(0) != call.options.shop {
        return Err(lists::missing(call));
    }
    let is_mine = user == Some(call.options.seller);
    is_mine.then_some(()).ok_or_else(|| error(403, "User does not own the requested shop."))
}

/// `POST scopes`: what a token may do.
fn scopes(call: &mut Call<'_, '_>) -> Answer {
    let form = call.request.form();
    let token = form.iter().find(|(name, _)| name == "token").map_or("", |(_, token)| token.as_str());
    let grant = call.state.own.grants.of(token, call.now);
    let grant = grant.ok_or_else(|| error(401, "invalid_token"))?;
    let scopes: Vec<&str> =
        SCOPES.iter().copied().filter(|scope| grant.scopes.iter().any(|one| one == scope)).collect();
    Ok(Response::json(200, &json!({ "scopes": scopes })))
}

/// `GET users/me`.
fn me(call: &mut Call<'_, '_>) -> Answer {
    let user = user(call, call.request, "shops_r")?;
    let shop = if user == call.options.seller { call.options.shop } else { call.options.shop + 777 };
    Ok(Response::json(200, &json!({ "user_id": user, "shop_id": shop })))
}

fn shop(options: &Options) -> Value {
    json!({
        "shop_id": options.shop, "user_id": options.seller, "shop_name": options.name, "create_date": 1_500_000_000,
        "created_timestamp": 1_500_000_000, "title": "Mugs &amp; more", "announcement": null,
        "currency_code": options.currency, "is_vacation": false, "vacation_message": null, "sale_message": null,
        "digital_sale_message": null, "update_date": 1_600_000_000, "updated_timestamp": 1_600_000_000,
        "listing_active_count": 12, "digital_listing_count": 1, "login_name": "greencat",
        "accepts_custom_requests": false, "url": format!("https://www.etsy.com/shop/{}", options.name),
        "num_favorers": 7, "languages": ["en-US"], "is_etsy_payments_onboarded": true, "review_count": null,
        "is_shop_us_based": options.country == "US", "transaction_sold_count": 310, "review_average": null,
        "shipping_from_country_iso": options.country, "shop_location_country_iso": options.country,
    })
}
