//! eBay's deliveries: one for each sale, signed with a key of eBay's own, to one address for all
//! accounts of a keyset.
//!
//! Sources (November 2026): eBay's OpenAPI file of the Notification API 1.6.2 with its error
//! numbers, its pages on the Notification API (release notes to 1.6.7), on `ORDER_CONFIRMATION` and
//! on account deletion; eBay/event-notification-nodejs-sdk, whose vectors are among the tests here;
//! deliveries and answers that openlinker#2880 has recorded.
//!
//! What has to be there, in this order: an address for alerts, a destination (eBay asks there
//! whether it is wanted), and a subscription with the token of the seller whose orders are told of.
//! A keyset has one subscription to a topic for each seller, so one that delivers to another
//! address of ours is moved, and one of another program is left alone. Not confirmed, so handled
//! both ways: whether lists that are asked for with one of the two tokens show what belongs to the
//! other, whether the place of what was made is in the answer, whether a destination that nothing
//! uses can be deleted while it is on.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api::{Api, checked};
use super::auth::WORDS;
use super::errors;
use crate::channel::all_pages::{More, all_pages};
use crate::channel::webhooks::{Application, Challenge, Delivery, Hook, HookChange, Told, Webhooks, is_key_id};
use crate::error::{Error, ErrorKind, Result};
use crate::http::ecdsa::is_p256_sha1;
use crate::http::{Effect, Protocol, Reply, Request, Verdict, status};
use crate::secret::Secret;

/// Somebody has bought: the topic of the seller.
const ORDERS: &str = "ORDER_CONFIRMATION";

/// Somebody has left eBay, and is to be forgotten: the topic of the keyset.
const ERASED: &str = "MARKETPLACE_ACCOUNT_DELETION";

/// What is known of the deliveries. What else happens to an order the syncs find.
pub(super) const WEBHOOKS: Webhooks = Webhooks {
    topics: &[ORDERS, ERASED],
    signed_with: &[],
    takes_our_key: false,
    comes_within: TimeDelta::hours(24),
    needs: "",
    deletes: true,
    application: Some(Application { credential: "client_secret", topics: &[ERASED] }),
    challenge: Some(answer),
    key_id: Some(|delivery| signature(delivery).map(|signature| signature.kid)),
    port: None,
    read,
    test: None,
};

/// The longest code of a challenge, and the longest header with a signature.
const LONGEST_CODE: usize = 256;
const LONGEST_SIGNATURE: usize = 4096;

/// The answer to the question whether an address wants deliveries.
fn answer(challenge: &Challenge<'_>) -> Option<Vec<u8>> {
    let is_one = |name: &str, code: &str| name == "challenge_code" && (1..=LONGEST_CODE).contains(&code.len());
    let (_, code) = challenge.query.iter().find(|(name, code)| is_one(name, code))?;
    let hash = Sha256::new().chain_update(code).chain_update(challenge.key.reveal()).chain_update(challenge.address);
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(json!({ "challengeResponse": hash }).to_string().into_bytes())
}

/// What the header with the signature holds, as base64 of JSON.
#[derive(Deserialize)]
struct Signature {
    kid: String,
    signature: String,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    digest: Option<String>,
}

fn signature(delivery: &Delivery<'_>) -> Option<Signature> {
    let header = delivery.header("x-ebay-signature").filter(|header| header.len() <= LONGEST_SIGNATURE)?;
    let signature: Signature = serde_json::from_slice(&STANDARD.decode(header.trim()).ok()?).ok()?;
    let is = |told: &Option<String>, word: &str| told.as_ref().is_none_or(|told| told.eq_ignore_ascii_case(word));
    (is(&signature.alg, "ecdsa") && is(&signature.digest, "sha1")).then_some(signature)
}

fn read(delivery: &Delivery<'_>) -> Told {
    let key = delivery.keys.fetched.as_ref().map_or("", Secret::reveal);
    if !signature(delivery).is_some_and(|one| is_p256_sha1(key, delivery.body, &one.signature)) {
        return Told::Refused;
    }
    let Ok(body) = serde_json::from_slice::<Value>(delivery.body) else { return Told::Refused };
    let notification = &body["notification"];
    let (key, data) = (notification["notificationId"].as_str().map(str::to_owned), &notification["data"]);
    match text(&body["metadata"]["topic"]) {
        // eBay signs for all accounts alike, so whose it is stands in it. One sale can be told in
        // several deliveries, and several lines in one: the order is read, and nothing else is
        // taken of it.
        ORDERS => match (text(&data["user"]["userId"]), checked(text(&data["order"]["orderId"]))) {
            ("", _) | (_, Err(_)) => Told::Nothing,
            (account, Ok(id)) => {
                let told = Box::new(Told::Orders { ids: vec![id.to_owned()], key });
                Told::Of { account: account.to_owned(), told }
            }
        },
        // Orders have one of the two: names, or for some developers the ids in their place.
        ERASED => {
            let names = [&data["userId"], &data["username"]].map(text);
            let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
            if names.is_empty() { Told::Nothing } else { Told::Forget { names, key } }
        }
        _ => Told::Nothing,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().map_or("", str::trim)
}

/// Whose token goes with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The seller's.
    Seller,
    /// The keyset's own.
    Keyset,
}

impl By {
    fn of(topic: &str) -> Self {
        if topic == ERASED { Self::Keyset } else { Self::Seller }
    }
}

/// The Notification API.
struct Notifications<'a> {
    api: &'a Api,
    by: By,
}

impl Protocol for Notifications<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        match self.by {
            By::Seller => self.api.auth.authorize(request),
            By::Keyset => self.api.auth.authorize_as_application(request),
        }
    }

    fn renew(&self, failed: &Request) -> Result<()> {
        match self.by {
            By::Seller => self.api.auth.renew(failed),
            By::Keyset => self.api.auth.renew_as_application(failed),
        }
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        let told = errors::told(reply);
        let id = told.as_ref().map_or("", |told| told.id());
        match (reply.status, id) {
            // What is not there is an answer, and whoever wants it gone has it.
            (404, _) if told.is_some() && (request.effect == Effect::Read || request.method == Method::DELETE) => {
                Verdict::Good
            }
            (403, "195011") => {
                let text = "eBay does not let this keyset, or with this consent, subscribe to the topic (195011); nothing was \
                            subscribed to";
                let hint = "ordersync connect --reauth STORE asks for the consent anew; until then ordersync watch asks for \
                            orders as often as eBay permits";
                Verdict::Refused(Error::new(ErrorKind::Permission, text).hint(hint))
            }
            (400 | 409, "195017" | "195020") => Verdict::Refused(unreached(id)),
            _ => errors::classify(request, reply, self.api.our_now()),
        }
    }
}

/// What eBay says of an address that is not public, and of one where nobody answers rightly.
fn unreached(id: &str) -> Error {
    let why = match id {
        "195017" => "takes no such address",
        _ => "has asked at the public address, and what came back was not the answer",
    };
    Error::new(ErrorKind::Failed, format!("eBay {why} ({id}); nothing was subscribed to")).hint(
        "it is to be an https address that the internet reaches, with a certificate that is not self-signed, and ordersync \
         listen has to run behind it while it is subscribed: ordersync listen --public-url https://...",
    )
}

impl<'a> Notifications<'a> {
    fn of(api: &'a Api, by: By) -> Self {
        Self { api, by }
    }

    fn url(&self, path: &str) -> Result<url::Url> {
        self.api.auth.hosts.api(&format!("/commerce/notification/v1/{path}"))
    }

    /// What is at a path; nothing where there is none.
    fn get(&self, path: &str) -> Result<Option<Value>> {
        let reply = self.api.http().send(self, &Request::get(self.url(path)?))?;
        if reply.status == 404 { Ok(None) } else { Ok(Some(reply.json()?.0)) }
    }

    fn write(&self, method: Method, path: &str, body: &Value) -> Result<()> {
        let mut request = Request::write_json(method, self.url(path)?, body);
        if body.is_null() {
            request.body = None;
        }
        self.api.http().send(self, &request).map(drop)
    }

    /// All rows of a list, each with its id.
    fn all<T>(
        &self,
        path: &str,
        members: &str,
        row: impl Fn(&Value) -> T,
        id: impl Fn(&T) -> String,
    ) -> Result<Vec<T>> {
        all_pages(&format!("eBay's {members}"), Vec::new(), String::new(), id, |at| {
            let token = if at.is_empty() { String::new() } else { format!("&continuation_token={at}") };
            let mut url = self.url(path)?;
            url.set_query(Some(&format!("limit=100{token}")));
            let reply = self.api.http().send(self, &Request::get(url))?;
            let page: Value = reply.json()?.0;
            let rows: Vec<T> = page[members].as_array().into_iter().flatten().map(&row).collect();
            Ok((rows, next(&page["next"])?.map_or(More::No, More::Yes)))
        })
    }
}

/// Where a list goes on: the token in the address of its next page, which may be of another host.
fn next(page: &Value) -> Result<Option<String>> {
    let query = text(page).split_once('?').map_or("", |(_, query)| query);
    let token = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "continuation_token");
    Ok(token.map(|(_, token)| crate::http::sign::encode(&token)).filter(|token| !token.is_empty()))
}

/// An address that deliveries go to.
struct Destination {
    id: String,
    endpoint: String,
    is_on: bool,
}

fn destinations(api: &Api) -> Result<Vec<Destination>> {
    let row = |row: &Value| Destination {
        id: text(&row["destinationId"]).to_owned(),
        endpoint: text(&row["deliveryConfig"]["endpoint"]).to_owned(),
        is_on: text(&row["status"]) == "ENABLED",
    };
    Notifications::of(api, By::Keyset).all("destination", "destinations", row, |one| one.id.clone())
}

struct Subscription {
    id: String,
    topic: String,
    destination: String,
    is_on: bool,
}

/// The subscriptions to topics of the seller, or of the keyset. What a list shows of the others may
/// be those of other sellers.
fn subscriptions(api: &Api, by: By) -> Result<Vec<Subscription>> {
    let row = |row: &Value| Subscription {
        id: text(&row["subscriptionId"]).to_owned(),
        topic: text(&row["topicId"]).to_owned(),
        destination: text(&row["destinationId"]).to_owned(),
        is_on: text(&row["status"]) == "ENABLED",
    };
    let mut all = Notifications::of(api, by).all("subscription", "subscriptions", row, |one| one.id.clone())?;
    all.retain(|one| WEBHOOKS.topics.contains(&one.topic.as_str()) && By::of(&one.topic) == by);
    Ok(all)
}

/// The topics that are not to be had, as the last look has shown.
#[derive(Default)]
pub(super) struct Offer(Mutex<BTreeSet<&'static str>>);

impl Offer {
    /// Whether it is tried to subscribe to a topic. To that of orders it always is: where that
    /// cannot be, the merchant is to be told.
    pub(super) fn has(&self, topic: &str) -> bool {
        topic == ORDERS || !self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }
}

/// The subscriptions.
pub(super) fn list(api: &Api, offer: &Offer) -> Result<Vec<Hook>> {
    let topic = |row: &Value| text(&row["topicId"]).to_owned();
    let topics = Notifications::of(api, By::Keyset).all("topic", "topics", topic, String::clone)?;
    let (destinations, mut hooks) = (destinations(api)?, Vec::new());
    for by in [By::Seller, By::Keyset] {
        for one in subscriptions(api, by)? {
            let to = destinations.iter().find(|to| to.id == one.destination);
            let address = to.map_or(String::new(), |to| to.endpoint.clone());
            let is_active = one.is_on && to.is_some_and(|to| to.is_on);
            hooks.push(Hook { id: one.id, topic: one.topic, address, is_active });
        }
    }
    // A merchant may have had whom eBay erases told to another program before: eBay wants that from
    // the first day of a keyset on.
    let ours = api.auth.hook_path().map(|path| format!("/{path}"));
    let is_ours = |address: &str| ours.as_ref().is_some_and(|end| address.ends_with(end));
    let is_elsewhere = |topic: &str| hooks.iter().any(|hook| hook.topic == topic && !is_ours(&hook.address));
    let lacks = |topic: &&'static str| !topics.iter().any(|known| known == topic) || is_elsewhere(topic);
    *offer.0.lock().unwrap_or_else(PoisonError::into_inner) = WEBHOOKS.topics.iter().copied().filter(lacks).collect();
    Ok(hooks)
}

/// Carries out a change.
pub(super) fn change(api: &Api, alerts: Option<&str>, change: &HookChange) -> Result<()> {
    match change {
        HookChange::Create { topic, address, key } => create(api, alerts, topic, address, key),
        HookChange::Enable(hook) => enable(api, hook),
        HookChange::Remove(hook) => remove(api, hook),
    }
}

fn create(api: &Api, alerts: Option<&str>, topic: &str, address: &str, key: &Secret) -> Result<()> {
    let by = By::of(topic);
    let version = version(api, topic)?;
    see_to_alerts(api, alerts)?;
    let existing = subscriptions(api, by)?.into_iter().find(|one| one.topic == topic);
    if let Some(one) = &existing {
        let all = destinations(api)?;
        let other = all.iter().find(|to| to.id == one.destination).filter(|to| !is_alike(&to.endpoint, address));
        if let Some(other) = other {
            return Err(taken(topic, &other.endpoint));
        }
    }
    let destination = destination(api, address, key)?;
    let payload = json!({ "format": "JSON", "schemaVersion": version, "deliveryProtocol": "HTTPS" });
    let mut body = json!({ "status": "ENABLED", "payload": payload, "destinationId": destination });
    let to = Notifications::of(api, by);
    match existing {
        None => {
            body["topicId"] = json!(topic);
            to.write(Method::POST, "subscription", &body)
        }
        Some(one) => to.write(Method::PUT, &format!("subscription/{}", part(&one.id)?), &body),
    }
}

/// Whether two addresses are of one store here: both end with its path.
fn is_alike(one: &str, other: &str) -> bool {
    let path = |address: &str| address.rsplit('/').next().map(str::to_owned);
    path(one) == path(other)
}

fn taken(topic: &str, endpoint: &str) -> Error {
    let host = url::Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let text = format!(
        "eBay tells of {topic} once for a keyset, and does so at {host} already, which is not this ordersync; nothing was subscribed to"
    );
    Error::new(ErrorKind::Unsupported, text)
        .hint("a keyset of its own for ordersync has its own subscriptions; until then ordersync watch asks for orders as often as eBay permits")
}

/// The version of a topic's deliveries that is subscribed to.
///
/// # Errors
/// `Unsupported` where there is no such topic.
fn version(api: &Api, topic: &str) -> Result<String> {
    let Some(found) = Notifications::of(api, By::Keyset).get(&format!("topic/{topic}"))? else {
        let whose = if api.sandbox { "eBay's sandbox" } else { "eBay" };
        let text = format!(
            "{whose} has no topic {topic} for this keyset, so it tells of no orders; nothing was subscribed to"
        );
        return Err(Error::new(ErrorKind::Unsupported, text).hint(
            "ordersync watch asks for its orders as often as eBay permits; the sync every half hour (ordersync schedule \
             install) has them as well",
        ));
    };
    let payloads = found["supportedPayloads"].as_array();
    let good = payloads.into_iter().flatten().filter(|one| one["deprecated"] != true);
    let version = good.map(|one| text(&one["schemaVersion"])).find(|version| !version.is_empty());
    Ok(version.unwrap_or("1.0").to_owned())
}

/// Sees to it that eBay knows where to write when deliveries fail: without that it takes no
/// destination. Another address stays unless one is set here.
fn see_to_alerts(api: &Api, alerts: Option<&str>) -> Result<()> {
    let to = Notifications::of(api, By::Keyset);
    let known = to.get("config")?.map(|config| text(&config["alertEmail"]).to_owned()).unwrap_or_default();
    match alerts {
        Some(wanted) if wanted != known => to.write(Method::PUT, "config", &json!({ "alertEmail": wanted })),
        None if known.is_empty() => {
            let text =
                "eBay delivers nothing before it knows an e-mail address for its alerts; nothing was subscribed to";
            Err(Error::new(ErrorKind::Unsupported, text)
                .hint("ordersync config set STORE.alert_email you@example.com, then ordersync listen again"))
        }
        _ => Ok(()),
    }
}

/// The destination of this address, which eBay is told of where it does not know it.
fn destination(api: &Api, address: &str, key: &Secret) -> Result<String> {
    let find = || Ok::<_, Error>(destinations(api)?.into_iter().find(|to| to.endpoint == address));
    let known = find()?;
    let to = Notifications::of(api, By::Keyset);
    let body = as_on(address, key);
    match known {
        // One with our path has our key: they are made together.
        Some(one) if one.is_on => Ok(one.id),
        Some(one) => {
            to.write(Method::PUT, &format!("destination/{}", part(&one.id)?), &body)?;
            Ok(one.id)
        }
        None => {
            to.write(Method::POST, "destination", &body)?;
            find()?.map(|one| one.id).ok_or_else(|| {
                let text = "eBay has taken a destination and does not list it; nothing was subscribed to";
                Error::new(ErrorKind::Unreadable, text).hint("ordersync listen again")
            })
        }
    }
}

fn as_on(endpoint: &str, key: &Secret) -> Value {
    let config = json!({ "endpoint": endpoint, "verificationToken": key.reveal() });
    json!({ "name": "ordersync", "status": "ENABLED", "deliveryConfig": config })
}

/// eBay switches a destination off where nobody answers.
fn enable(api: &Api, hook: &Hook) -> Result<()> {
    let by = By::of(&hook.topic);
    let Some(one) = subscriptions(api, by)?.into_iter().find(|one| one.id == hook.id) else { return Ok(()) };
    let off = destinations(api)?.into_iter().find(|to| to.id == one.destination && !to.is_on);
    if let Some(to) = off {
        let path = format!("destination/{}", part(&to.id)?);
        Notifications::of(api, By::Keyset).write(Method::PUT, &path, &as_on(&to.endpoint, &api.auth.hook_key()?))?;
    }
    if one.is_on {
        return Ok(());
    }
    Notifications::of(api, by).write(Method::POST, &format!("subscription/{}/enable", part(&one.id)?), &Value::Null)
}

/// Takes away what delivers to an address; a subscription that delivers elsewhere by now stays.
fn remove(api: &Api, hook: &Hook) -> Result<()> {
    let by = By::of(&hook.topic);
    let to = destinations(api)?.into_iter().find(|to| to.endpoint == hook.address);
    let is_there = |one: &Subscription| one.id == hook.id && to.as_ref().is_some_and(|to| to.id == one.destination);
    if subscriptions(api, by)?.iter().any(is_there) {
        let path = format!("subscription/{}", part(&hook.id)?);
        Notifications::of(api, by).write(Method::DELETE, &path, &Value::Null)?;
    }
    // Other subscriptions may still use it, also those of other sellers: eBay knows, and refuses.
    let Some(to) = to else { return Ok(()) };
    let path = format!("destination/{}", part(&to.id)?);
    match Notifications::of(api, By::Keyset).write(Method::DELETE, &path, &Value::Null) {
        Err(error) if error.kind() == ErrorKind::Rejected => Ok(()),
        done => done,
    }
}

/// An id that can stand in an address.
fn part(id: &str) -> Result<&str> {
    Some(id).filter(|id| is_key_id(id)).ok_or_else(|| {
        let text = "eBay shows a subscription with an id that cannot be sent; none was changed";
        Error::new(ErrorKind::Unreadable, text).hint(status::AGAIN)
    })
}

/// A key of eBay's.
///
/// # Errors
/// `Unreadable` for one of another kind than deliveries are signed with.
pub(super) fn key(api: &Api, id: &str) -> Result<Option<Secret>> {
    let Some(found) = Notifications::of(api, By::Keyset).get(&format!("public_key/{id}"))? else { return Ok(None) };
    let is = |member: &str, word: &str| matches!(text(&found[member]), told if told.is_empty() || told.eq_ignore_ascii_case(word));
    let key = text(&found["key"]);
    if key.is_empty() || !is("algorithm", "ECDSA") || !is("digest", "SHA1") {
        let text =
            format!("{}'s key for deliveries is of a kind that this version does not know; none was taken", WORDS.who);
        return Err(Error::new(ErrorKind::Unreadable, text));
    }
    Ok(Some(Secret::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Values;
    use crate::channel::webhooks::Keys;
    use crate::clock::from_millis;

    /// As `test/test.json` of eBay/event-notification-nodejs-sdk has it (Apache-2.0): `VALID`, and
    /// the header of `SIGNATURE_MISMATCH`.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYO\
        yf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----";
    const HEADER: &str = "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik\
        1FWUNJUUNmeGZJV3V4bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2\
        FkK214Mm5FRTI1dyIsImRpZ2VzdCI6IlNIQTEifQ==";
    const MISMATCH: &str = "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6\
        Ik1FVUNJUUNHY1NubUFrVGZyK1paMlZnMGJXRW9zOGEvdGVCcWk3UGU2OCtoR21MTUNRSWdlRnZrcnRvKzhkczhSVndJM0dnbjFtTUdDck5NRVpK\
        M1NSbE8yZngveHJRPSIsImRpZ2VzdCI6IlNIQTEifQ==";
    const BODY: &str = concat!(
        r#"{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"#,
        r#""notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-"#,
        r#"791923bd9a6d","eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","#,
        r#""publishAttemptCount":1,"data":{"username":"test_user","userId":"ma8vp1jySJC","#,
        r#""eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}"#,
    );

    fn with<T>(header: Option<&str>, body: &str, key: &str, read: impl Fn(&Delivery<'_>) -> T) -> T {
        let headers = header.map(|header| ("x-ebay-signature".to_owned(), header.as_bytes().to_vec()));
        let keys = Keys { fetched: Some(Secret::new(key)).filter(|key| !key.is_empty()), ..Keys::default() };
        let (headers, values) = (Vec::from_iter(headers), Values::default());
        read(&Delivery { headers: &headers, body: body.as_bytes(), values: &values, keys: &keys, now: from_millis(0) })
    }

    #[test]
    fn w2_a_notice_is_taken_with_ebay_s_own_published_signature_and_with_no_other() {
        let names = vec!["ma8vp1jySJC".to_owned(), "test_user".to_owned()];
        let key = Some("49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d".to_owned());
        assert_eq!(with(Some(HEADER), BODY, KEY, read), Told::Forget { names, key });
        let id = "9936261a-7d7b-4621-a0f1-96ccb428af49";
        assert_eq!(with(Some(HEADER), BODY, KEY, WEBHOOKS.key_id.unwrap()).as_deref(), Some(id));
        let other = BODY.replace("test_user", "other_user");
        for (header, body, key) in [
            (Some(MISMATCH), BODY, KEY),
            (Some(HEADER), other.as_str(), KEY),
            (Some(HEADER), BODY, ""),
            (None, BODY, KEY),
            (Some(""), BODY, KEY),
            (Some("no base64!"), BODY, KEY),
            (Some("W10="), BODY, KEY),
        ] {
            assert_eq!(with(header, body, key, read), Told::Refused, "{header:?}");
        }
    }

    #[test]
    fn w2_what_is_signed_in_another_way_names_no_key() {
        let named = |json: &str| with(Some(&STANDARD.encode(json)), BODY, KEY, WEBHOOKS.key_id.unwrap());
        assert_eq!(named(r#"{"kid":"k-1","signature":"x"}"#).as_deref(), Some("k-1"));
        for odd in [
            r#"{"alg":"none","kid":"k-1","signature":"x"}"#,
            r#"{"digest":"MD5","kid":"k-1","signature":"x"}"#,
            r#"{"kid":7,"signature":"x"}"#,
            r#"{"signature":"x"}"#,
            r#"{"kid":"k-1"}"#,
            "[]",
            "",
        ] {
            assert_eq!(named(odd), None, "{odd}");
        }
        assert_eq!(named(&format!(r#"{{"kid":"k-1","signature":"{}"}}"#, "A".repeat(LONGEST_SIGNATURE))), None);
    }

    /// Signed by a key that the test has, as eBay does.
    fn told(body: &Value) -> Told {
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        // What stands before a point of this curve in a public key (RFC 5480).
        let before = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAA";
        let own = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let before = STANDARD.decode(before).unwrap();
        let point = own.verifying_key().to_sec1_point(false);
        let key = STANDARD.encode([&before[..26], point.as_bytes()].concat());
        let body = body.to_string();
        let signed: p256::ecdsa::Signature = own.sign_prehash(&sha1::Sha1::digest(body.as_bytes())).unwrap();
        let signature = STANDARD.encode(signed.to_der().as_bytes());
        let header = json!({ "alg": "ecdsa", "kid": "k-1", "signature": signature, "digest": "SHA1" }).to_string();
        with(Some(&STANDARD.encode(header)), &body, &key, read)
    }

    #[test]
    fn w2_a_sale_is_the_seller_s_who_stands_in_it_and_names_its_order_however_many_lines_it_tells() {
        let sale = |user: Value, order: Value| {
            let data = json!({ "user": user, "order": order });
            let metadata = json!({ "topic": ORDERS, "schemaVersion": "1.0", "deprecated": false });
            json!({ "metadata": metadata, "notification": { "notificationId": "a_b", "data": data } })
        };
        let user = json!({ "userId": "rEhEaRsAl01", "username": "greencat" });
        let lines = json!([{ "orderLineItemId": "1", "quantity": 1 }, { "orderLineItemId": "2", "quantity": 3 }]);
        let order = json!({ "orderId": "12-12345-12345", "orderLineItems": lines });
        let orders = Told::Orders { ids: vec!["12-12345-12345".to_owned()], key: Some("a_b".to_owned()) };
        let wanted = Told::Of { account: "rEhEaRsAl01".to_owned(), told: Box::new(orders) };
        assert_eq!(told(&sale(user.clone(), order.clone())), wanted);
        for odd in [
            sale(json!({ "username": "greencat" }), order.clone()),
            sale(json!(null), order),
            sale(user.clone(), json!({})),
            sale(user.clone(), json!({ "orderId": "12/../../user" })),
            sale(user.clone(), json!({ "orderId": 12 })),
            sale(user, json!([])),
            json!({}),
            json!([]),
            json!({ "metadata": { "topic": "ITEM_SOLD" }, "notification": null }),
            json!({ "metadata": { "topic": ERASED }, "notification": { "data": { "userId": "", "username": 7 } } }),
        ] {
            assert_eq!(told(&odd), Told::Nothing, "{odd}");
        }
    }

    #[test]
    fn x4_a_challenge_is_answered_with_the_hash_of_code_key_and_address() {
        let ask = |query: &[(&str, &str)]| {
            let query: Vec<_> = query.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
            let key = Secret::new("71745723-d031-455c-bfa5-f90d11b4f20a");
            let address = "http://www.testendpoint.com/webhook";
            answer(&Challenge { query: &query, key: &key, address })
        };
        // The values in the tests of eBay/event-notification-nodejs-sdk, hashed by another program.
        let answer = ask(&[("challenge_code", "71745723-d031-455c-bfa5-f90d11b4f20a")]).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            answer,
            json!({ "challengeResponse": "048de9ffd0e35021fefc0388d5c52e0f475324f582f3778ca81a53354ccbbc97" })
        );
        for odd in [&[][..], &[("challenge", "x")], &[("challenge_code", "")], &[("challenge_code", &"x".repeat(257))]]
        {
            assert_eq!(ask(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_list_goes_on_where_it_says_whatever_host_it_names() {
        let next = |page: Value| next(&page).unwrap();
        let of_ebay = "https://api.ebay.com/commerce/notification/v1/topic?limit=100&continuation_token=MA%3D%3D";
        assert_eq!(next(json!(of_ebay)).as_deref(), Some("MA%3D%3D"));
        assert_eq!(next(json!("/topic?continuation_token=b")).as_deref(), Some("b"));
        for end in [json!(null), json!(""), json!("/topic?limit=20"), json!("/topic?continuation_token="), json!(7)] {
            assert_eq!(next(end), None);
        }
    }

    #[test]
    fn addresses_are_alike_by_the_path_that_nobody_can_guess() {
        assert!(is_alike("https://old.example.test/hooks/abc", "https://new.example.test/x/hooks/abc"));
        assert!(!is_alike("https://other.example.test/hooks/abd", "https://new.example.test/hooks/abc"));
    }
}
