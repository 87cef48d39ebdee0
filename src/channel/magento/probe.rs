//! Finding out about a shop: where its REST API is, what the integration may read, what the shop
//! has.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::api::{Api, Criteria};
use super::auth;
use super::errors::{self, Way};
use super::list::{self, is_well};
use super::settings::Settings;
use crate::channel::settings::usage;
use crate::channel::{Choice, ShopInfo, rows};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Reply, check_json, url_for_people};
use crate::order::Currency;

/// How many redirects are followed while looking for the API. Credentials are never sent along.
const HOPS: usize = 5;

/// What is known about a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Path of the REST API: `/rest/`, `/shop/index.php/rest/`.
    pub(crate) root: String,
    /// The address was given without encryption, and the shop has it.
    pub(crate) https: bool,
    /// What the shop takes its own scheme, host and port for, where those are others than are
    /// asked: they are signed.
    pub(crate) signed_as: Option<String>,
    /// What the shop says of its version: `2.4`.
    pub(crate) version: Option<String>,
    /// The codes of its inventory sources; none where it has no such thing, or does not tell.
    pub(crate) sources: Vec<String>,
    /// Codes and ids of its store views.
    pub(crate) store_views: Vec<(String, u64)>,
    /// Shipments, credit memos and invoices may be read.
    pub(crate) shipments: bool,
    /// See `shipments`.
    pub(crate) creditmemos: bool,
    /// See `shipments`.
    pub(crate) invoices: bool,
}

/// What a member means that an earlier version has not written.
impl Default for Facts {
    fn default() -> Self {
        Self {
            root: "/rest/".to_owned(),
            https: false,
            signed_as: None,
            version: None,
            sources: Vec::new(),
            store_views: Vec::new(),
            shipments: true,
            creditmemos: true,
            invoices: true,
        }
    }
}

impl Facts {
    /// Of a shop of which nothing is known yet.
    pub(crate) fn of(url: &Url) -> Self {
        Self { root: format!("{}rest/", url.path()), ..Self::default() }
    }

    /// The ids of these store views.
    ///
    /// # Errors
    /// `Usage` for a code that the shop does not have, `Permission` where it does not tell its own.
    pub(crate) fn ids_of(&self, codes: &[String]) -> Result<Vec<String>> {
        let id = |code: &String| {
            let found = self.store_views.iter().find(|(known, _)| known == code).map(|(_, id)| id.to_string());
            found.ok_or_else(|| match self.store_views.as_slice() {
                [] => {
                    let text = format!("the integration may not read the shop's store views, so which one {code:?} is cannot be found out; nothing was imported");
                    Error::new(ErrorKind::Permission, text).hint("tick Stores > Settings > All Stores in the shop's admin (System > Extensions > Integrations > the integration > API), save, and reauthorize it there")
                }
                views => {
                    let known: Vec<&str> = views.iter().map(|(code, _)| code.as_str()).collect();
                    usage(format!("the shop has no store view {code:?}, only {}; nothing was imported", known.join(", ")))
                        .hint("their codes, with commas between: --set store_view=CODES at connect, ordersync config set STORE.store_view CODES later")
                }
            })
        };
        codes.iter().map(id).collect()
    }
}

/// A store view's configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoreConfig {
    id: Value,
    code: Value,
    base_currency_code: Value,
    timezone: Value,
}

/// An inventory source.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    source_code: Value,
    enabled: Value,
}

/// A text; what is none is an empty one.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Finds out everything about the shop and tests the credentials.
pub(crate) fn probe(api: &Api, settings: &Settings) -> Result<ShopInfo> {
    let mut facts = find_root(api)?;
    api.learn(facts.clone());
    log_in(api, &mut facts)?;
    let mut warnings = Vec::new();
    let configs = store_configs(api, &mut warnings)?;
    let id = |config: &StoreConfig| config.id.as_u64().or_else(|| config.id.as_str()?.parse().ok());
    facts.store_views = configs.iter().filter_map(|config| Some((text(&config.code), id(config)?))).collect();
    facts.shipments = may_read(api, "shipments", "shipments and their tracking numbers", &mut warnings)?;
    facts.creditmemos = may_read(api, "creditmemos", "credit memos, so which pieces a refund was of", &mut warnings)?;
    facts.invoices =
        may_read(api, "invoices", "invoices, so an order counts as paid when it was placed", &mut warnings)?;
    facts.sources = sources(api, settings, &mut warnings)?;
    let wanted = unset(settings, &facts.sources);
    warnings.extend(wanted.clone());
    let choice = Choice { key: "source", of: facts.sources.clone(), wanted };
    facts.version = version(api, &facts);
    if api.way() == Way::Bearer && !facts.https && api.given().scheme() == "http" {
        warnings.push("the access token is sent with every request without encryption and can be read on the way; give an https address, or all four values of the integration".to_owned());
    }
    api.learn(facts.clone());
    let wanted = facts.ids_of(&settings.store_views)?;
    let first = settings.store_views.first();
    let config = configs.iter().find(|config| first.map_or(config.code != "admin", |code| config.code == **code));
    let home = home(api, &facts);
    Ok(ShopInfo {
        remote_id: identity(&home, settings),
        title: bare(&home).to_owned(),
        url: home.clone(),
        currency: config.and_then(|config| Currency::new(&text(&config.base_currency_code))),
        time_zone: config
            .map(|config| text(&config.timezone))
            .filter(|zone| !zone.is_empty())
            .unwrap_or_else(|| "UTC".to_owned()),
        orders: count(api, &wanted)?,
        facts: json!(facts),
        warnings,
        choices: vec![choice],
    })
}

/// The shop's address for people, without the way to its API.
fn home(api: &Api, facts: &Facts) -> String {
    let mut url = api.route(facts, "", &[]);
    let path = facts.root.trim_end_matches("rest/").trim_end_matches("index.php/").to_owned();
    url.set_path(&path);
    url.as_str().trim_end_matches('/').to_owned()
}

fn bare(home: &str) -> &str {
    home.split_once("://").map_or(home, |(_, rest)| rest)
}

/// What stays the same when a shop moves between http and https, or gains a `www.`; of an
/// installation with several shops the store views that are wanted belong to it.
fn identity(home: &str, settings: &Settings) -> String {
    let bare = bare(home).to_lowercase();
    let bare = bare.strip_prefix("www.").unwrap_or(&bare);
    let mut views = settings.store_views.clone();
    views.sort_unstable();
    if views.is_empty() { bare.to_owned() } else { format!("{bare}#{}", views.join(",")) }
}

/// Tries the places where the API can be: below the address, or below one that it is a store view
/// of, with rewriting and without.
fn find_root(api: &Api) -> Result<Facts> {
    let mut places = vec![api.given().path().to_owned()];
    while let Some(parent) =
        places.last().and_then(|path| path.trim_end_matches('/').rfind('/').map(|at| path[..=at].to_owned()))
    {
        if places.last() == Some(&parent) {
            break;
        }
        places.push(parent);
    }
    let mut first = None;
    for root in places.iter().flat_map(|place| [format!("{place}rest/"), format!("{place}index.php/rest/")]) {
        let facts = Facts { root, ..Facts::of(api.given()) };
        let query = Criteria { size: 1, ..Criteria::default() }.parameters();
        let (url, reply) = follow(api, api.route(&facts, "orders", &query))?;
        if is_api(&reply) {
            let https = api.given().scheme() == "http" && url.scheme() == "https";
            let root = url.path().strip_suffix("V1/orders").map_or(facts.root, str::to_owned);
            return Ok(Facts { https, root, ..Facts::default() });
        }
        first.get_or_insert((url, reply));
    }
    Err(no_api(api, first))
}

/// An answer of the API's own, most often that nobody may read without credentials.
fn is_api(reply: &Reply) -> bool {
    let speaks = reply.json::<Value>().is_ok_and(|(body, _)| body.get("message").or(body.get("total_count")).is_some());
    matches!(reply.status, 200 | 400 | 401) && check_json(reply).is_ok() && speaks
}

/// The answer at an address, following redirects within the same host; to encryption, too.
fn follow(api: &Api, mut url: Url) -> Result<(Url, Reply)> {
    for _ in 0..HOPS {
        let reply = api.look(url.clone())?;
        let target = reply.header("location").filter(|_| (300..400).contains(&reply.status));
        let Some(to) = target.and_then(|location| url.join(location).ok()) else { return Ok((url, reply)) };
        let is_upgrade = url.scheme() == "http" && to.scheme() == "https";
        let is_same = to.host_str() == url.host_str() && to.port() == url.port();
        if !is_same || !(to.scheme() == url.scheme() || is_upgrade) {
            let text =
                format!("{} redirects to {}; no credentials were sent", url_for_people(&url), url_for_people(&to));
            let path = to.path().split_once("/rest/").map_or("/", |(before, _)| before);
            let shop = format!("{}{path}", to.origin().ascii_serialization());
            return Err(Error::new(ErrorKind::Usage, text).hint(format!("give that address: --url {shop}")));
        }
        url = to;
    }
    let text = format!("{} redirects in a circle; no credentials were sent", url_for_people(&url));
    Err(Error::new(ErrorKind::Failed, text))
}

/// What answered in the API's place.
fn no_api(api: &Api, first: Option<(Url, Reply)>) -> Error {
    let place = url_for_people(api.given());
    let Some((url, reply)) = first else {
        return Error::new(
            ErrorKind::NoStore,
            format!("no Magento REST API was found at {place}; nothing was connected"),
        );
    };
    let what = match (check_json(&reply), reply.status) {
        (Err(why), _) => why.message().to_owned(),
        (Ok(()), status) => format!("JSON with status {status}"),
    };
    if matches!(reply.status, 401 | 403 | 406) {
        let text = format!("{place} refuses every request ({}: {what}); no credentials were sent", reply.status);
        return Error::new(ErrorKind::Temporary, text).hint(
            "a password, a firewall or Fastly stands before the whole shop; have this machine's address permitted",
        );
    }
    let text = format!(
        "no Magento REST API was found at {place}: {} answered {} ({what}); nothing was connected",
        url.path(),
        reply.status
    );
    Error::new(ErrorKind::NoStore, text).hint("check the address; a firewall may have closed /rest/")
}

/// Tests the credentials where they are needed most. The signature is over the address that the
/// shop takes for its own.
fn log_in(api: &Api, facts: &mut Facts) -> Result<()> {
    let ask = || {
        let one = Criteria { size: 1, fields: "entity_id", ..Criteria::default() };
        match api.search("orders", &one, None) {
            // An order that the shop cannot show is for a sync to find.
            Err(error) if error.is_too_much() => is_well(api),
            // An error may come with status 200.
            reply => rows::member(&reply?, "items", "total_count").map(drop),
        }
    };
    let Err(error) = ask() else { return Ok(()) };
    if error.kind() == ErrorKind::Credentials && error.message().contains("signature") {
        for origin in auth::other_origins(&api.route(facts, "", &[])) {
            let other = Facts { signed_as: Some(origin), ..facts.clone() };
            api.learn(other.clone());
            if ask().is_ok() {
                *facts = other;
                return Ok(());
            }
        }
        api.learn(facts.clone());
    }
    // Where the token opens something else, it is the permission that is missing.
    let opens = |route: &str| api.get(route, &[], None).is_ok_and(|reply| reply.status == 200);
    if api.way() == Way::Bearer && error.kind() == ErrorKind::Credentials && opens("store/storeConfigs") {
        return Err(errors::lacking("Magento_Sales::actions_view (Sales > Orders > View)"));
    }
    Err(error)
}

/// The store views, where the integration may read them.
fn store_configs(api: &Api, warnings: &mut Vec<String>) -> Result<Vec<StoreConfig>> {
    match api.get("store/storeConfigs", &[], None) {
        Ok(reply) if reply.status == 200 => {
            let read = reply.json::<Vec<Value>>().map(|(rows, _)| rows).unwrap_or_default();
            Ok(read.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect())
        }
        Ok(_) => Ok(Vec::new()),
        Err(error) if matches!(error.kind(), ErrorKind::Permission | ErrorKind::NoStore) => {
            warnings.push("the integration may not read the stores (Magento_Backend::store): the shop's currency and time zone are not known".to_owned());
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn may_read(api: &Api, list: &str, what: &str, warnings: &mut Vec<String>) -> Result<bool> {
    let one = Criteria { size: 1, ..Criteria::default() };
    match api.search(list, &one, None) {
        Ok(_) => Ok(true),
        Err(error) if error.is_too_much() => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::Permission | ErrorKind::NoStore) => {
            warnings.push(format!("the integration may not read {what}; tick it there (Sales > Operations) and run ordersync connect --test"));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// What is said where the integration may not know from where the shop ships.
const UNREAD_SOURCES: &str = "the integration may not read inventory sources: where the shop has several, dispatches are taken from its default one; tick Stores > Inventory > Sources in the shop's admin (System > Extensions > Integrations), or ordersync config set STORE.source CODE";

/// The codes of the sources that ship.
fn sources(api: &Api, settings: &Settings, warnings: &mut Vec<String>) -> Result<Vec<String>> {
    let all = Criteria { size: super::api::MOST_ROWS as usize, fields: "source_code,enabled", ..Criteria::default() };
    let reply = match api.search("inventory/sources", &all, None) {
        // The modules of the inventory may be switched off.
        Err(error) if error.kind() == ErrorKind::NoStore => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::Permission => {
            // Where none is named the shop ships from its default one.
            warnings.extend(settings.source.is_none().then(|| UNREAD_SOURCES.to_owned()));
            return Ok(Vec::new());
        }
        reply => reply?,
    };
    if reply.status == 404 {
        return Ok(Vec::new());
    }
    let Ok(listed) = rows::member(&reply, "items", "total_count") else { return Ok(Vec::new()) };
    let found = listed.rows.iter().filter_map(|row| serde_json::from_str::<Source>(row.get()).ok());
    let is_on = |source: &Source| source.enabled != Value::Bool(false) && source.enabled != json!(0);
    Ok(found.filter(is_on).map(|source| text(&source.source_code)).filter(|code| !code.is_empty()).collect())
}

/// What is to be said of the source that is set, or is not.
fn unset(settings: &Settings, sources: &[String]) -> Option<String> {
    let known = sources.join(", ");
    match &settings.source {
        None if sources.len() > 1 => Some(format!(
            "the shop ships from several sources ({known}): say which one ships your dispatches, ordersync config set STORE.source CODE; without it a dispatch is refused"
        )),
        Some(source) if !sources.is_empty() && !sources.contains(source) => Some(format!(
            "the shop has no enabled source {source:?}, only {known}; ordersync config set STORE.source CODE"
        )),
        _ => None,
    }
}

/// What the shop says of its version to everybody, where that is not switched off.
fn version(api: &Api, facts: &Facts) -> Option<String> {
    let mut url = api.route(facts, "", &[]);
    let place = facts.root.trim_end_matches("rest/").to_owned();
    url.set_path(&format!("{place}magento_version"));
    let reply = api.look(url).ok().filter(|reply| reply.status == 200)?;
    let text = String::from_utf8(reply.body).ok()?;
    let version = text.trim().strip_prefix("Magento/")?;
    Some(version.chars().take(40).filter(|c| !c.is_control() && *c != '<').collect())
}

fn count(api: &Api, store_views: &[String]) -> Result<Option<u64>> {
    let filters = (!store_views.is_empty()).then(|| ("store_id", "in", store_views.join(",")));
    let all = Criteria { filters: filters.into_iter().collect(), size: 1, ..Criteria::default() };
    match api.search("orders", &all, None) {
        Err(error) if error.is_too_much() => Ok(None),
        reply => Ok(list::total(&reply?)),
    }
}
