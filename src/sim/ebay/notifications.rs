//! Notification: topics, destinations that are really asked, subscriptions, and deliveries.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::access::{denied, error, stamp};
use super::signatures::{KIDS, public_key, signed};
use super::vendor::user_id;
use super::{Call, Context, Ebay, Response};
use crate::sim::rest::Answer;
use crate::sim::world::hooks::{Hook, Letter, News, Written, ask, locked};
use crate::sim::world::{Dice, Vendor};

/// Of new orders.
const ORDERS: &str = "ORDER_CONFIRMATION";
/// Of people who close their accounts.
const DELETION: &str = "MARKETPLACE_ACCOUNT_DELETION";

/// The topics: whether they are of users (else of applications), and of what they tell.
const TOPICS: &[(&str, bool, &str)] = &[
    (DELETION, false, "Notifies of users who have asked that their data be deleted"),
    ("AUTHORIZATION_REVOCATION", false, "Notifies of users who have revoked their consent"),
    ("ITEM_MARKED_SHIPPED", true, "Notifies of items that were marked as shipped"),
    (ORDERS, true, "Notifies of orders whose checkout is complete"),
];

/// The news that somebody has closed the account.
const CLOSED_ACCOUNT: &str = "account closed";
/// The news that an order was paid after all.
pub(super) const CONFIRMED: &str = "order confirmed";

/// Where notifications go.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    id: u64,
    name: String,
    endpoint: String,
    token: String,
    is_enabled: bool,
}

fn refused(status: u16, id: u32, message: &str) -> Response {
    error(status, id, "API_NOTIFICATION", message)
}

/// An answer without a body.
fn empty(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
}

fn made(call: &Call<'_, '_>, id: u64) -> Response {
    let host = if call.options.sandbox { "https://api.sandbox.ebay.com" } else { "https://api.ebay.com" };
    let mut answer = empty(201);
    answer.set_header("Location", format!("{host}{}/{id}", call.request.path));
    answer
}

/// These are the application's.
fn of_app(call: &Call<'_, '_>) -> Result<(), Response> {
    if call.by.is_app { Ok(()) } else { Err(denied()) }
}

fn topics(call: &Call<'_, '_>) -> impl Iterator<Item = &'static (&'static str, bool, &'static str)> {
    let has_orders = call.options.order_topic;
    TOPICS.iter().filter(move |(id, ..)| has_orders || *id != ORDERS)
}

fn topic_row((id, of_user, text): &(&str, bool, &str)) -> Value {
    let scope = if *of_user {
        "https://api.ebay.com/oauth/api_scope/commerce.notification.subscription"
    } else {
        super::options::SCOPE
    };
    json!({
        "topicId": id, "description": text, "status": "ENABLED", "context": "SELLER", "filterable": false,
        "scope": if *of_user { "USER" } else { "APPLICATION" }, "authorizationScopes": [scope],
        "supportedPayloads": [{ "format": ["JSON"], "schemaVersion": "1.0", "deliveryProtocol": "HTTPS", "deprecated": false }],
    })
}

/// A page of a list: everything is on the first.
fn page(call: &Call<'_, '_>, name: &str, rows: Vec<Value>) -> Answer {
    let limit = call.request.param("limit").map_or(Some(20), |text| text.parse::<usize>().ok());
    let limit = limit.filter(|limit| (10..=100).contains(limit));
    let limit = limit.ok_or_else(|| refused(400, 195_004, "Invalid limit. Supported ranges 10 - 100."))?;
    if call.request.param("continuation_token").is_some() {
        return Err(refused(400, 195_005, "Invalid continuation token."));
    }
    let href = format!("https://api.ebay.com{}?limit={limit}", call.request.path);
    let mut body = json!({ "href": href, "limit": limit, "total": rows.len() });
    body[name] = json!(rows);
    Ok(Response::json(200, &body))
}

/// `GET topic`.
pub(super) fn list_topics(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let rows = topics(call).map(topic_row).collect();
    page(call, "topics", rows)
}

/// `GET topic/{id}`.
pub(super) fn topic(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let found = topics(call).find(|(id, ..)| Some(*id) == call.path.first().map(String::as_str)).map(topic_row);
    found.map(|row| Response::json(200, &row)).ok_or_else(|| refused(404, 195_002, "Invalid or missing topic id."))
}

/// `GET config`.
pub(super) fn config(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let email = call.state.own.alert_email.clone();
    let missing = || error(404, 195_026, "API_NOTIFICATION", "Configuration Not Found.");
    email.map(|email| Response::json(200, &json!({ "alertEmail": email }))).ok_or_else(missing)
}

/// `PUT config`.
pub(super) fn configure(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let wish = call.request.json().unwrap_or_default();
    let email = wish["alertEmail"].as_str().filter(|email| email.contains('@'));
    call.state.own.alert_email =
        Some(email.ok_or_else(|| refused(400, 195_025, "Invalid or missing email."))?.to_owned());
    Ok(empty(204))
}

fn destination_row(one: &Destination) -> Value {
    json!({
        "destinationId": one.id.to_string(), "name": one.name, "status": status(one.is_enabled),
        "deliveryConfig": { "endpoint": one.endpoint, "verificationToken": one.token },
    })
}

fn status(is_enabled: bool) -> &'static str {
    if is_enabled { "ENABLED" } else { "DISABLED" }
}

/// Whether a status is wished for that there is.
fn wished_status(wish: &Value) -> Option<bool> {
    match wish["status"].as_str()? {
        "ENABLED" => Some(true),
        "DISABLED" => Some(false),
        _ => None,
    }
}

/// Whether the vendor can reach an address: it is public, and has TLS.
fn is_public(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let is_named = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".local"),
        Some(Host::Ipv4(ip)) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        Some(Host::Ipv6(ip)) => !ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" && is_named
}

/// What a request wants of a destination, once the endpoint has answered the challenge.
fn wanted(call: &Call<'_, '_>, id: u64) -> Result<Destination, Response> {
    let wish = call.request.json().unwrap_or_default();
    let text = |name: &str| wish["deliveryConfig"][name].as_str().unwrap_or_default().to_owned();
    let name = wish["name"].as_str().unwrap_or_default().to_owned();
    if name.is_empty() || name.len() > 64 || name.contains(['<', '>']) {
        return Err(refused(400, 195_016, "Invalid name. Markups or lengths greater than 64 not supported"));
    }
    let is_enabled = wished_status(&wish).ok_or_else(|| {
        refused(400, 195_018, "Invalid or missing destination status. Supported values:[ENABLED,DISABLED]")
    })?;
    let (endpoint, token) = (text("endpoint"), text("verificationToken"));
    let is_address = call.options.local_endpoints && Url::parse(&endpoint).is_ok_and(|url| url.has_host());
    if !is_address && !is_public(&endpoint) {
        return Err(refused(400, 195_017, "Invalid or missing endpoint."));
    }
    let is_token = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !(32..=80).contains(&token.len()) || !token.chars().all(is_token) {
        return Err(refused(400, 195_019, "Invalid or missing verification token for this endpoint."));
    }
    if call.state.own.alert_email.is_none() {
        let text = "Please provide configurations required for notifications. Refer to /config";
        return Err(refused(409, 195_003, text));
    }
    if call.state.own.destinations.iter().any(|one| one.endpoint == endpoint && one.id != id) {
        return Err(refused(409, 195_021, "Destination exists for this endpoint"));
    }
    challenge(call, &endpoint, &token)?;
    Ok(Destination { id, name, endpoint, token, is_enabled })
}

/// Whoever is at the endpoint has to know the token.
fn challenge(call: &Call<'_, '_>, endpoint: &str, token: &str) -> Result<(), Response> {
    let code = Dice::new(call.options.seed ^ 0xC0DE, call.state.generation ^ call.now.unsigned_abs()).letters(32);
    let hash = Sha256::digest(format!("{code}{token}{endpoint}"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let (status, body) = ask(endpoint, &format!("challenge_code={code}")).unwrap_or_default();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let is_good = status == 200 && body["challengeResponse"] == json!(hash);
    if is_good { Ok(()) } else { Err(refused(409, 195_020, "Challenge verification failed for requested endpoint")) }
}

fn known(call: &Call<'_, '_>) -> Result<usize, Response> {
    let found = call.state.own.destinations.iter().position(|one| one.id == call.id(0));
    found.ok_or_else(|| refused(404, 195_022, "Invalid or missing destination id."))
}

/// `GET destination`.
pub(super) fn destinations(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let rows = call.state.own.destinations.iter().map(destination_row).collect();
    page(call, "destinations", rows)
}

/// `GET destination/{id}`.
pub(super) fn destination(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let at = known(call)?;
    Ok(Response::json(200, &call.state.own.destinations.get(at).map(destination_row).unwrap_or_default()))
}

/// `POST destination`.
pub(super) fn create_destination(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let id = call.state.own.last_destination + 1;
    let wanted = wanted(call, id)?;
    call.state.own.last_destination = id;
    call.state.own.destinations.push(wanted);
    Ok(made(call, id))
}

/// `PUT destination/{id}`.
pub(super) fn update_destination(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let at = known(call)?;
    let wanted = wanted(call, call.id(0))?;
    let of = wanted.id.to_string();
    for hook in locked(&call.state.post).hooks.iter_mut().filter(|hook| hook.key == of) {
        hook.address.clone_from(&wanted.endpoint);
    }
    call.state.own.destinations.get_mut(at).into_iter().for_each(|one| *one = wanted.clone());
    Ok(empty(204))
}

/// `DELETE destination/{id}`.
pub(super) fn delete_destination(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let at = known(call)?;
    let of = call.id(0).to_string();
    if locked(&call.state.post).hooks.iter().any(|hook| hook.key == of) {
        return Err(refused(409, 195_024, "Destination is in use and cannot be deleted."));
    }
    call.state.own.destinations.remove(at);
    Ok(empty(204))
}

fn subscription_row(call: &Call<'_, '_>, hook: &Hook) -> Value {
    json!({
        "subscriptionId": hook.id.to_string(), "topicId": hook.topic, "status": status(hook.is_active),
        "destinationId": hook.key, "creationDate": stamp(call.now),
        "payload": { "format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS" },
    })
}

/// What a subscription wants of its payload.
fn check_payload(wish: &Value) -> Result<(), Response> {
    let payload = &wish["payload"];
    for (name, good, id, text) in [
        ("schemaVersion", "1.0", 195_008, "Invalid or missing schema version."),
        ("format", "JSON", 195_009, "Specified format is not supported for the topic."),
        ("deliveryProtocol", "HTTPS", 195_010, "Invalid or missing protocol"),
    ] {
        if payload[name] != good {
            return Err(refused(400, id, text));
        }
    }
    Ok(())
}

/// The destination that a subscription wants, and whether it is to deliver.
fn check_subscription(call: &Call<'_, '_>, wish: &Value) -> Result<(Destination, bool), Response> {
    let is_enabled =
        wished_status(wish).ok_or_else(|| refused(400, 195_006, "Invalid or missing subscription status."))?;
    let to = wish["destinationId"].as_str().unwrap_or_default();
    let to = call.state.own.destinations.iter().find(|one| one.id.to_string() == to).cloned();
    let to = to.ok_or_else(|| refused(400, 195_007, "Invalid or missing destination id."))?;
    check_payload(wish)?;
    if is_enabled && !to.is_enabled {
        let text = "The subscription cannot be enabled since the destination is not enabled.";
        return Err(refused(409, 195_015, text));
    }
    Ok((to, is_enabled))
}

/// `GET subscription`.
pub(super) fn subscriptions(call: &mut Call<'_, '_>) -> Answer {
    let hooks: Vec<Hook> = locked(&call.state.post).hooks.clone();
    let rows = hooks.iter().map(|hook| subscription_row(call, hook)).collect();
    page(call, "subscriptions", rows)
}

fn unknown_subscription() -> Response {
    refused(404, 195_013, "The subscription id does not exist.")
}

fn known_hook(call: &Call<'_, '_>) -> Result<Hook, Response> {
    locked(&call.state.post).hook(call.id(0)).cloned().ok_or_else(unknown_subscription)
}

/// `GET subscription/{id}`.
pub(super) fn subscription(call: &mut Call<'_, '_>) -> Answer {
    let hook = known_hook(call)?;
    Ok(Response::json(200, &subscription_row(call, &hook)))
}

/// `POST subscription`: topics of users need the user's token, the others the application's.
pub(super) fn subscribe(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.request.json().unwrap_or_default();
    let topic = wish["topicId"].as_str().unwrap_or_default().to_owned();
    if topic.is_empty() {
        return Err(refused(400, 195_027, "Invalid or missing topic id."));
    }
    let known = topics(call).find(|(id, ..)| *id == topic);
    let (_, of_user, _) = known.ok_or_else(|| refused(400, 195_002, "The topic id does not exist."))?;
    if *of_user == call.by.is_app {
        return Err(refused(403, 195_011, "Not authorized for this topic."));
    }
    if call.state.own.alert_email.is_none() {
        let text = "Please provide configurations required for notifications. Refer to /config";
        return Err(refused(409, 195_003, text));
    }
    let (to, is_enabled) = check_subscription(call, &wish)?;
    let of = to.id.to_string();
    let mut post = locked(&call.state.post);
    if post.hooks.iter().any(|hook| hook.topic == topic && hook.key == of) {
        return Err(refused(409, 195_012, "Subscription already exists"));
    }
    let id = post.subscribe(&topic, &to.endpoint, &of, Vec::new());
    post.hook(id).into_iter().for_each(|hook| hook.is_active = is_enabled);
    drop(post);
    Ok(made(call, id))
}

/// `PUT subscription/{id}`.
pub(super) fn update(call: &mut Call<'_, '_>) -> Answer {
    known_hook(call)?;
    let wish = call.request.json().unwrap_or_default();
    let (to, is_enabled) = check_subscription(call, &wish)?;
    if let Some(hook) = locked(&call.state.post).hook(call.id(0)) {
        (hook.is_active, hook.failures) = (is_enabled, 0);
        (hook.address, hook.key) = (to.endpoint, to.id.to_string());
    }
    Ok(empty(204))
}

/// `POST subscription/{id}/enable` and `disable`.
pub(super) fn switch(call: &mut Call<'_, '_>) -> Answer {
    let hook = known_hook(call)?;
    let on = call.request.path.ends_with("/enable");
    let to = call.state.own.destinations.iter().find(|one| one.id.to_string() == hook.key);
    if on && to.is_none_or(|to| !to.is_enabled) {
        let text = "The subscription cannot be enabled since the destination is not enabled.";
        return Err(refused(409, 195_015, text));
    }
    locked(&call.state.post).hook(hook.id).into_iter().for_each(|hook| (hook.is_active, hook.failures) = (on, 0));
    Ok(empty(204))
}

/// `DELETE subscription/{id}`.
pub(super) fn unsubscribe(call: &mut Call<'_, '_>) -> Answer {
    let is_gone = locked(&call.state.post).unsubscribe(call.id(0));
    if is_gone { Ok(empty(204)) } else { Err(unknown_subscription()) }
}

/// `POST subscription/{id}/test`: a made-up notification goes out.
pub(super) fn test(call: &mut Call<'_, '_>) -> Answer {
    let hook = known_hook(call)?;
    let data = match hook.topic.as_str() {
        DELETION => {
            json!({ "username": "test_user", "userId": "ma8vp1jySJC", "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA==" })
        }
        _ => json!({
            "user": { "userId": call.options.user_id, "username": call.options.username },
            "order": { "orderId": "00-00000-00000", "orderLineItems": [] },
        }),
    };
    let (headers, body) = written(call, &hook.topic, &data);
    let patience = <Ebay as Vendor>::PATIENCE;
    let letter = Letter { hook: hook.id, address: hook.address, headers, body, patience, status: None };
    crate::sim::world::hooks::deliver::<Ebay>(letter, call.state.post.clone());
    Ok(empty(202))
}

/// `GET public_key/{id}`.
pub(super) fn key(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let key = call.path.first().and_then(|kid| public_key(kid));
    let missing = || refused(404, 195_001, "The specified key id is invalid.");
    let shown = |key: String| Response::json(200, &json!({ "key": key, "algorithm": "ECDSA", "digest": "SHA1" }));
    key.map(shown).ok_or_else(missing)
}

/// Headers and body of a delivery with this in it.
fn sealed(kid: &str, body: &Value) -> Written {
    let body = body.to_string().into_bytes();
    let headers = [("Content-Type", "application/json".to_owned()), ("X-EBAY-SIGNATURE", signed(kid, &body))];
    (headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body)
}

fn written(context: &Context<'_>, topic: &str, data: &Value) -> Written {
    let mut dice = Dice::new(context.options.seed ^ 0x1D, context.state.generation);
    let mut uuid = || {
        let [one, two] = [dice.roll(), dice.roll()];
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            one >> 32,
            one >> 16 & 0xffff,
            one & 0xfff,
            two >> 52,
            two & 0xffff_ffff_ffff
        )
    };
    let body = json!({
        "metadata": { "topic": topic, "schemaVersion": "1.0", "deprecated": false },
        "notification": {
            "notificationId": format!("{}_{}", uuid(), uuid()), "eventDate": stamp(context.now),
            "publishDate": stamp(context.now + 900), "publishAttemptCount": 1, "data": data,
        },
    });
    sealed(KIDS[0], &body)
}

/// What is sent when something happens to an order.
pub(super) fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
    let order = context.order(id)?;
    match (hook.topic.as_str(), news) {
        (ORDERS, News::Placed | News::Named(CONFIRMED, _))
            if context.state.orders.get(&id).is_some_and(Ebay::is_listed) =>
        {
            let line = |line: &crate::sim::world::Line| {
                json!({
                    "orderLineItemId": line.id.to_string(), "listingId": (110_000_000_000 + line.product).to_string(),
                    "quantity": line.quantity,
                })
            };
            let data = json!({
                "user": { "userId": context.options.user_id, "username": context.options.username },
                "order": {
                    "orderId": Ebay::write_id(id), "orderLineItems": order.lines.iter().map(line).collect::<Value>(),
                },
            });
            Some(written(context, ORDERS, &data))
        }
        (DELETION, News::Named(CLOSED_ACCOUNT, _)) => {
            let user = user_id(&order);
            let data = json!({ "username": format!("buyer_{user}"), "userId": user, "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA==" });
            Some(written(context, DELETION, &data))
        }
        _ => None,
    }
}

/// The buyer of an order closes the account: whoever has to forget them is told.
pub(super) fn close_account(context: &mut Context<'_>, id: u64) -> bool {
    let is_known = context.change(id, |order| order.own.erased = true);
    if is_known {
        context.state.note(id, News::Named(CLOSED_ACCOUNT, id));
    }
    is_known
}

/// A delivery to an address, signed with the nth of eBay's keys.
pub fn delivery(address: &str, nth: usize, body: &Value) -> Letter {
    let (headers, body) = sealed(KIDS.get(nth).copied().unwrap_or_default(), body);
    let patience = <Ebay as Vendor>::PATIENCE;
    Letter { hook: 0, address: address.to_owned(), headers, body, patience, status: None }
}
