//! Finding out about a shop: where its REST API is, how credentials get through, what it can do.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::api::Api;
use super::settings::Tracking;
use crate::channel::ShopInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Reply, url_for_people};
use crate::order::Currency;

/// How many redirects are followed while looking for the API. Credentials are never sent along.
const HOPS: usize = 5;

/// The REST root's own description of the site.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root {
    name: String,
    home: String,
    timezone_string: String,
    gmt_offset: Value,
    namespaces: Vec<String>,
}

/// Finds out everything about the shop and tests the key.
pub(crate) fn probe(api: &Api) -> Result<ShopInfo> {
    let (mut facts, root) = find_root(api)?;
    features(api, &mut facts)?;
    let (orders, mut warnings) = log_in(api, &mut facts)?;
    if !facts.modified_after {
        warnings.push(
            "this WooCommerce is older than 5.8 and cannot list what changed: each sync reads the orders of the last 3 days, every 6 hours those of the last 60"
                .to_owned(),
        );
    }
    api.learn(facts.clone());
    warnings.extend(super::list::heeds(api)?);
    Ok(ShopInfo {
        remote_id: identity(&facts.home),
        title: crate::channel::text::plain(if root.name.is_empty() { &facts.home } else { &root.name }),
        url: facts.home.clone(),
        currency: currency(api),
        time_zone: time_zone(&root),
        orders,
        facts: json!(facts),
        warnings,
        choices: Vec::new(),
    })
}

/// What stays the same when a shop moves between http and https, or gains a `www.`.
fn identity(home: &str) -> String {
    let bare = home.split_once("://").map_or(home, |(_, rest)| rest).trim_end_matches('/').to_lowercase();
    bare.strip_prefix("www.").unwrap_or(&bare).to_owned()
}

fn time_zone(root: &Root) -> String {
    if !root.timezone_string.is_empty() {
        return root.timezone_string.clone();
    }
    match &root.gmt_offset {
        Value::Number(hours) => format!("UTC{}{hours}", if hours.as_f64().is_some_and(|h| h < 0.0) { "" } else { "+" }),
        Value::String(hours) if !hours.is_empty() => {
            format!("UTC{}{hours}", if hours.starts_with('-') { "" } else { "+" })
        }
        _ => "UTC".to_owned(),
    }
}

/// Tries the places where a REST root can be; the shop's own hint first.
fn find_root(api: &Api) -> Result<(Facts, Root)> {
    let home = follow(api, api.base.clone())?;
    let base_path = api.base.path().to_owned();
    let mut candidates: Vec<(String, bool)> = hint(&home).into_iter().collect();
    for (path, plain) in [("wp-json/", false), ("index.php/wp-json/", false), ("index.php", true), ("", true)] {
        let candidate = (format!("{base_path}{path}"), plain);
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    let mut without_shop = false;
    for (root, plain) in candidates {
        let facts = Facts { root, plain, ..api.facts() };
        let url = api.route(&facts, "", &[("_fields", "name,home,timezone_string,gmt_offset,namespaces")]);
        let reply = api.look(url)?;
        let Ok((found, _)) = reply.json::<Root>() else { continue };
        if reply.status != 200 || found.namespaces.is_empty() {
            continue;
        }
        if found.namespaces.iter().any(|name| name == "wc/v3") {
            let home =
                if found.home.is_empty() { facts.home.clone() } else { found.home.trim_end_matches('/').to_owned() };
            return Ok((Facts { home, ..facts }, found));
        }
        without_shop = true;
    }
    Err(no_api(api, &home, without_shop))
}

/// The path of the REST root that the home page names. Its host and port are not trusted: shops
/// behind proxies get them wrong.
fn hint(home: &Reply) -> Option<(String, bool)> {
    let links: Vec<&str> = home.headers.get_all("link").iter().filter_map(|value| value.to_str().ok()).collect();
    let link = links.iter().flat_map(|line| line.split(',')).find(|link| link.contains("https://api.w.org/"))?;
    let address = link.split_once('<')?.1.split_once('>')?.0;
    let url = Url::parse(address).ok()?;
    let plain = url.query_pairs().any(|(name, _)| name == "rest_route");
    Some((url.path().to_owned(), plain))
}

/// The home page, following redirects within the same machine; one to another host is an error that
/// names it.
fn follow(api: &Api, mut url: Url) -> Result<Reply> {
    for _ in 0..HOPS {
        let reply = api.look(url.clone())?;
        let target = reply.header("location").filter(|_| (300..400).contains(&reply.status));
        let Some(to) = target.and_then(|location| url.join(location).ok()) else { return Ok(reply) };
        if to.host_str() != url.host_str()
            || to.scheme() != url.scheme()
            || to.port_or_known_default() != url.port_or_known_default()
        {
            let text =
                format!("{} redirects to {}; no credentials were sent", url_for_people(&url), url_for_people(&to));
            return Err(Error::new(ErrorKind::Usage, text).hint(format!("give that address: --url {}", origin(&to))));
        }
        url = to;
    }
    Err(Error::new(
        ErrorKind::Failed,
        format!("{} redirects in a circle; no credentials were sent", url_for_people(&url)),
    ))
}

fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or(""), url.path())
}

fn no_api(api: &Api, home: &Reply, without_shop: bool) -> Error {
    let place = url_for_people(&api.base);
    if without_shop {
        return Error::new(
            ErrorKind::NoStore,
            format!("{place} is a WordPress site, but WooCommerce is not active there; nothing was connected"),
        )
        .hint("activate WooCommerce in the site's plugins, or give the address of the shop");
    }
    if matches!(home.status, 401 | 403 | 406) {
        return Error::new(
            ErrorKind::Temporary,
            format!("{place} refuses every request ({}); no credentials were sent", home.status),
        )
        .hint("a password or a firewall stands before the whole site; have this machine's address permitted");
    }
    Error::new(ErrorKind::NoStore, format!("no WooCommerce REST API was found at {place}; nothing was connected"))
        .hint("check the address; a security plugin may have closed /wp-json/")
}

/// Which routes and parameters this shop has, from its own description of the API.
fn features(api: &Api, facts: &mut Facts) -> Result<()> {
    let reply = api.look(api.route(facts, "wc/v3", &[]))?;
    let (index, _) = reply.json::<Value>()?;
    let Some(routes) = index.get("routes").and_then(Value::as_object) else {
        return Err(reply
            .unusable("JSON that does not describe its API")
            .hint("a security plugin may have closed it; permit /wp-json/wc/v3"));
    };
    let has = |part: &str| routes.keys().any(|route| route.ends_with(part));
    facts.modified_after =
        routes.get("/wc/v3/orders").is_some_and(|orders| orders.to_string().contains("\"modified_after\""));
    facts.fulfillments = has("/fulfillments");
    facts.refunds = routes.contains_key("/wc/v3/refunds");
    facts.shipment_tracking =
        if has("/shipment-trackings") { Some("wc/v3".to_owned()) } else { older_tracking(api, facts) };
    facts.version = None;
    Ok(())
}

/// Early versions of the Shipment Tracking extension answer under `wc/v2` only.
fn older_tracking(api: &Api, facts: &Facts) -> Option<String> {
    ["wc/v2", "wc/v1"].into_iter().find_map(|namespace| {
        let reply = api.look(api.route(facts, namespace, &[("_fields", "routes")])).ok()?;
        let (index, _) = reply.json::<Value>().ok()?;
        let routes = index.get("routes")?.as_object()?;
        routes.keys().any(|route| route.ends_with("/shipment-trackings")).then(|| namespace.to_owned())
    })
}

/// Tests the key in each way that may get it through; gives the number of orders and what the
/// merchant should know.
fn log_in(api: &Api, facts: &mut Facts) -> Result<(Option<u64>, Vec<String>)> {
    let ways: &[Login] =
        if api.base.scheme() == "https" { &[Login::Basic, Login::Query, Login::Oauth] } else { &[Login::Oauth] };
    let mut first_error = None;
    for login in ways {
        facts.login = *login;
        api.learn(facts.clone());
        let asked = match api.get("wc/v3/orders", &[("per_page", "1"), ("_fields", "id")]) {
            // An order that the shop cannot show is for a sync to find; a list without one tells as
            // much of the key.
            Err(error) if error.is_too_much() => api.get("wc/v3/orders", &super::list::NO_ORDER),
            answer => answer,
        };
        match asked {
            Ok(reply) => return Ok((orders(api, &reply), login_warning(*login))),
            Err(error) => {
                let may_not_arrive =
                    error.kind() == ErrorKind::Credentials && error.message().contains("does not accept the key");
                let error = first_error.get_or_insert(error).clone();
                if !may_not_arrive {
                    return Err(error);
                }
            }
        }
    }
    Err(first_error.unwrap_or_else(|| Error::new(ErrorKind::Credentials, "the shop accepts no credentials")))
}

/// How many orders there are: the list counts open checkouts as well, which are none yet. Where the shop
/// does not tell them apart they count.
fn orders(api: &Api, listed: &Reply) -> Option<u64> {
    let count = |reply: &Reply| reply.header("x-wp-total").and_then(|n| n.parse::<u64>().ok());
    let all = count(listed)?;
    if all == 0 {
        return Some(0);
    }
    let drafts = [("status", "checkout-draft"), ("per_page", "1"), ("_fields", "id")];
    let drafts = api.get("wc/v3/orders", &drafts).ok().and_then(|reply| count(&reply)).unwrap_or_default();
    Some(if drafts < all { all - drafts } else { all })
}

fn login_warning(login: Login) -> Vec<String> {
    match login {
        Login::Query => vec![
            "the shop's server keeps the Authorization header from WooCommerce, so the key travels in the address (encrypted, but it may stand in the server's log)".to_owned(),
        ],
        _ => Vec::new(),
    }
}

/// The shop's currency; a key may be refused it without harm.
fn currency(api: &Api) -> Option<Currency> {
    let reply = api.get("wc/v3/data/currencies/current", &[("_fields", "code")]).ok()?;
    let (value, _) = reply.json::<Value>().ok()?;
    Currency::new(value.get("code")?.as_str()?)
}

/// How credentials reach PHP in this shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Login {
    /// HTTP Basic, over TLS.
    Basic,
    /// In the query string, over TLS: the server keeps the Authorization header from PHP.
    Query,
    /// OAuth 1.0a: no TLS, or a shop that does not know that it has TLS.
    Oauth,
}

/// What is known about a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Path of the REST root: `/wp-json/`, `/shop/index.php/wp-json/`; with plain permalinks the
    /// path before `?rest_route=`.
    pub(crate) root: String,
    /// Plain permalinks: routes are a parameter, not a path.
    pub(crate) plain: bool,
    /// The shop's own idea of its address, which OAuth signs; without a slash at its end.
    pub(crate) home: String,
    /// How credentials reach PHP.
    pub(crate) login: Login,
    /// WooCommerce's version, where it shows.
    pub(crate) version: Option<String>,
    /// The list of orders can be filtered by modification time (5.8 and later).
    pub(crate) modified_after: bool,
    /// Core order fulfilments are switched on.
    pub(crate) fulfillments: bool,
    /// The namespace in which the Shipment Tracking extension answers.
    pub(crate) shipment_tracking: Option<String>,
    /// Refunds of all orders can be listed (9.0 and later).
    pub(crate) refunds: bool,
}

impl Facts {
    /// Where tracking numbers go when the merchant says nothing.
    pub(crate) fn tracking_home(&self) -> Tracking {
        if self.fulfillments {
            Tracking::Fulfillments
        } else if self.shipment_tracking.is_some() {
            Tracking::Extension
        } else {
            Tracking::Note
        }
    }
}
