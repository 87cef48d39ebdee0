//! The merchant's consent by a RuName, the tokens that come of it, and how they go on requests.
//!
//! A refresh token lives for 18 months and is not replaced by its use; a token that is fetched with
//! it lives for two hours. One and the same token goes as `Bearer` to the Sell APIs and as `IAF` to
//! Post-Order, which answers 401 to a Bearer. The sandbox has hosts and keysets of its own.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::settings::Settings;
use super::signing;
use crate::channel::consent::{Attempt, Brought, Consent};
use crate::channel::settings::usage;
use crate::clock::Timestamp;
use crate::credentials::{Credentials, HOOK_KEY, HOOK_PATH};
use crate::error::{Error, ErrorKind, Result};
use crate::http::oauth2::{self, Issuer, REFRESH_TOKEN};
use crate::http::status::{self, Words};
use crate::http::{Client, Effect, Reply, Request, Verdict};
use crate::secret::{Secret, Secrets};

/// What eBay's servers are called, and what helps.
pub(crate) const WORDS: Words = Words::of("eBay");

/// To see orders and to tell of parcels.
pub(crate) const FULFILLMENT: &str = "https://api.ebay.com/oauth/api_scope/sell.fulfillment";
/// To see whose account it is.
pub(crate) const IDENTITY: &str = "https://api.ebay.com/oauth/api_scope/commerce.identity.readonly";
/// What an application may ask for itself, and what Post-Order takes.
const GENERAL: &str = "https://api.ebay.com/oauth/api_scope";
/// To be told of orders.
const NOTIFICATIONS: &str = "https://api.ebay.com/oauth/api_scope/commerce.notification.subscription";

/// What the consent is asked for. They are the same in the sandbox.
const SCOPES: [&str; 4] = [GENERAL, FULFILLMENT, IDENTITY, NOTIFICATIONS];

/// Where the merchant's keysets and RuNames are.
const KEYS: &str = "https://developer.ebay.com/my/keys";

const MARKETPLACE: HeaderName = HeaderName::from_static("x-ebay-c-marketplace-id");

/// What stands before the paths of Post-Order.
pub(crate) const POST_ORDER: &str = "/post-order/";

/// eBay's servers: the real ones, or those of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hosts {
    sandbox: bool,
}

impl Hosts {
    /// Those of a store with these settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { sandbox: settings.sandbox }
    }

    /// An address of the API.
    pub(crate) fn api(self, path: &str) -> Result<Url> {
        self.join("api", path)
    }

    /// An address of the host that has accounts and keys.
    pub(crate) fn apiz(self, path: &str) -> Result<Url> {
        self.join("apiz", path)
    }

    fn join(self, name: &str, path: &str) -> Result<Url> {
        let domain = if self.sandbox { "sandbox.ebay.com" } else { "ebay.com" };
        Url::parse(&format!("https://{name}.{domain}"))
            .and_then(|host| host.join(path))
            .map_err(|_| Error::new(ErrorKind::Failed, "an address cannot be made; nothing was sent"))
    }

    fn title(self) -> &'static str {
        if self.sandbox { "eBay's sandbox" } else { "eBay" }
    }
}

/// How the requests of a store are authorised.
pub(crate) struct Auth {
    http: Arc<Client>,
    credentials: Arc<Credentials>,
    tokens: Tokens,
    ru_name: Option<String>,
    marketplace: String,
    /// Where the hosts of this store are.
    pub(crate) hosts: Hosts,
}

impl Auth {
    /// For these settings.
    ///
    /// # Errors
    /// `Credentials` without the keyset, `Usage` for one of the sandbox that is not said to be one,
    /// and the other way round: eBay says no more of it than that the token is none (1001).
    pub(crate) fn new(http: Arc<Client>, credentials: Arc<Credentials>, settings: &Settings) -> Result<Self> {
        let (id, secret) = (credentials.need(CLIENT_ID)?, credentials.need(CLIENT_SECRET)?);
        let hosts = Hosts::of(settings);
        let of = |sign: &str, begins: &str| id.reveal().contains(sign) || secret.reveal().starts_with(begins);
        if !hosts.sandbox && of("-SBX-", "SBX-") {
            return Err(usage("this keyset is one of eBay's sandbox; nothing was sent")
                .hint(format!("--sandbox connects the sandbox; the production keyset is beside it at {KEYS}")));
        }
        if hosts.sandbox && of("-PRD-", "PRD-") {
            return Err(usage("this is a production keyset, and the sandbox takes none; nothing was sent")
                .hint(format!("without --sandbox it is that of your own account; the sandbox's is at {KEYS}")));
        }
        let tokens = Tokens { endpoint: hosts.api("/identity/v1/oauth2/token")?, hosts };
        let (ru_name, marketplace) = (settings.ru_name.clone(), settings.marketplace.clone());
        Ok(Self { http, credentials, tokens, ru_name, marketplace, hosts })
    }

    /// Puts the merchant's token on a request, in the form that its API takes.
    pub(crate) fn authorize(&self, request: &mut Request) -> Result<()> {
        let is_post_order = request.url.path().starts_with(POST_ORDER);
        let form = if is_post_order { "IAF" } else { "Bearer" };
        let value = format!("{form} {}", self.token()?.reveal());
        request.headers.insert(AUTHORIZATION, sensitive(&value, "the access token")?);
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if is_post_order {
            let marketplace = HeaderValue::from_str(&self.marketplace)
                .map_err(|_| usage("the marketplace cannot be sent; nothing was sent"))?;
            request.headers.insert(MARKETPLACE, marketplace);
            if request.effect == Effect::Write {
                return signing::sign(&self.credentials, request, self.http.their_now());
            }
        }
        Ok(())
    }

    /// The secrets of the store.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The token to send now.
    fn token(&self) -> Result<Secret> {
        self.credentials.need(REFRESH_TOKEN)?;
        oauth2::token(&self.http, &self.credentials, &self.tokens)
    }

    /// Fetches a token in the place of the one that a refused request was sent with.
    pub(crate) fn renew(&self, failed: &Request) -> Result<()> {
        oauth2::renew(&self.http, &self.credentials, &self.tokens, sent_with(failed).as_ref())
    }

    /// Puts the application's own token on a request. It is of the keyset alone, and sees no account.
    pub(crate) fn authorize_as_application(&self, request: &mut Request) -> Result<()> {
        let token = oauth2::token(&self.http, &self.credentials, &Application(&self.tokens))?;
        let value = sensitive(&format!("Bearer {}", token.reveal()), "the application's token")?;
        request.headers.insert(AUTHORIZATION, value);
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(())
    }

    /// As [`Self::renew`], for a request with the application's own token.
    pub(crate) fn renew_as_application(&self, failed: &Request) -> Result<()> {
        oauth2::renew(&self.http, &self.credentials, &Application(&self.tokens), sent_with(failed).as_ref())
    }

    /// The path that the store's deliveries come to, where it has one.
    pub(crate) fn hook_path(&self) -> Option<String> {
        self.credentials.get(HOOK_PATH).map(|path| path.reveal().to_owned())
    }

    /// Our own key, which eBay was given with the destination; what an answer shows of it is hidden.
    pub(crate) fn hook_key(&self) -> Result<Secret> {
        self.credentials.need(HOOK_KEY)
    }

    /// The way to the merchant's consent, where there is none.
    pub(crate) fn consent(&self) -> Option<Box<dyn Consent + '_>> {
        let has_one = self.credentials.get(REFRESH_TOKEN).is_some();
        (!has_one).then(|| Box::new(Asked(self)) as Box<dyn Consent>)
    }
}

/// The keys of the keyset among the secrets.
const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";

/// The token that a request was sent with.
fn sent_with(failed: &Request) -> Option<Secret> {
    let sent = failed.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    sent.and_then(|value| value.split_once(' ')).map(|(_, token)| Secret::new(token))
}

fn sensitive(text: &str, what: &str) -> Result<HeaderValue> {
    let unsendable = |_| {
        Error::new(ErrorKind::Credentials, format!("{what} has signs in it that cannot be sent; nothing was sent"))
            .hint("ordersync connect --reauth STORE")
    };
    let mut value = HeaderValue::from_str(text).map_err(unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A consent that is still to be given.
struct Asked<'a>(&'a Auth);

impl Asked<'_> {
    fn ru_name(&self) -> Result<&str> {
        self.0.ru_name.as_deref().ok_or_else(|| {
            usage("ebay needs a refresh_token, or a RuName for your consent in a browser; nothing was sent").hint(
                "refresh_token in a --credentials file or the variable ORDERSYNC_EBAY_REFRESH_TOKEN; or --set ru_name=NAME \
                 with the RuName of your keyset (https://developer.ebay.com/my/auth), and --consent paste",
            )
        })
    }
}

impl Consent for Asked<'_> {
    /// It stands behind the RuName, and eBay alone knows it.
    fn landing(&self) -> Option<&Url> {
        None
    }

    fn before(&self) -> String {
        "eBay sends the browser to the \"auth accepted\" URL of your RuName, whatever is there; its address is wanted, within \
         five minutes"
            .to_owned()
    }

    fn page(&self, attempt: &Attempt) -> Result<Url> {
        let mut page = self.0.hosts.join("auth", "/oauth2/authorize")?;
        page.query_pairs_mut()
            .append_pair("client_id", self.0.credentials.need(CLIENT_ID)?.reveal())
            .append_pair("redirect_uri", self.ru_name()?)
            .append_pair("response_type", "code")
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", attempt.state())
            .append_pair("prompt", "login");
        // A blank as `+` is taken for a part of a scope's name by some of eBay's pages.
        let query = page.query().map(|query| query.replace('+', "%20"));
        page.set_query(query.as_deref());
        Ok(self.0.http.address_of(&page))
    }

    /// The code was decoded once, with the address that it came in: it has signs in it that no
    /// address holds as they are.
    fn redeem(&self, brought: &Brought) -> Result<()> {
        let form = [
            ("grant_type", BY_CODE.to_owned()),
            ("code", brought.code.reveal().to_owned()),
            ("redirect_uri", self.ru_name()?.to_owned()),
        ];
        oauth2::redeem(&self.0.http, &self.0.credentials, &self.0.tokens, &form)
    }
}

/// The grant of a consent.
const BY_CODE: &str = "authorization_code";

/// Where tokens are fetched.
struct Tokens {
    endpoint: Url,
    hosts: Hosts,
}

impl Issuer for Tokens {
    fn vendor(&self) -> &'static str {
        "eBay"
    }

    fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    fn form(&self, secrets: &Secrets) -> Vec<(&'static str, String)> {
        let refresh = secrets.get(REFRESH_TOKEN).map(|secret| secret.reveal().to_owned()).unwrap_or_default();
        vec![("grant_type", REFRESH_TOKEN.to_owned()), ("refresh_token", refresh)]
    }

    fn authorize(&self, request: &mut Request, secrets: &Secrets) -> Result<()> {
        let part = |key| secrets.get(key).map(Secret::reveal).unwrap_or_default();
        let pair = format!("{}:{}", part(CLIENT_ID), part(CLIENT_SECRET));
        let basic = format!("Basic {}", STANDARD.encode(pair));
        request.headers.insert(AUTHORIZATION, sensitive(&basic, "the keyset")?);
        Ok(())
    }

    fn refused(&self, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
        let Some(told) = Told::of(reply) else { return status::classify(&WORDS, request, reply, now) };
        let by_code = request.body.as_deref().is_some_and(|body| body.starts_with(b"grant_type=authorization_code"));
        let status = reply.status;
        Verdict::Refused(match &*told.error {
            "invalid_grant" if by_code => code_refused(status),
            "invalid_grant" => refresh_refused(status),
            "invalid_client" | "unauthorized_client" => not_let_in(status, self.hosts),
            "invalid_scope" => scope_refused(status),
            _ => return status::refused(&WORDS, request, status, &told.text()),
        })
    }
}

/// Where the application's own token is fetched, beside the merchant's.
struct Application<'a>(&'a Tokens);

impl Issuer for Application<'_> {
    fn vendor(&self) -> &'static str {
        self.0.vendor()
    }

    fn kept_as(&self) -> &'static str {
        "application_token"
    }

    fn endpoint(&self) -> &Url {
        self.0.endpoint()
    }

    fn form(&self, _: &Secrets) -> Vec<(&'static str, String)> {
        vec![("grant_type", "client_credentials".to_owned()), ("scope", GENERAL.to_owned())]
    }

    fn authorize(&self, request: &mut Request, secrets: &Secrets) -> Result<()> {
        self.0.authorize(request, secrets)
    }

    fn refused(&self, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
        self.0.refused(request, reply, now)
    }
}

/// An error of the token endpoint.
#[derive(Debug, Deserialize)]
struct Told {
    error: String,
    #[serde(default, deserialize_with = "crate::channel::json::nullable")]
    error_description: String,
}

impl Told {
    fn of(reply: &Reply) -> Option<Self> {
        reply.json::<Self>().ok().map(|(told, _)| told)
    }

    fn text(&self) -> String {
        let (error, more) = (&self.error, &self.error_description);
        if more.is_empty() { error.clone() } else { format!("{error}: {more}") }
    }
}

/// The keyset itself.
fn not_let_in(status: u16, hosts: Hosts) -> Error {
    let text = format!(
        "{} does not let this keyset in ({status}): App ID and Cert ID are not a pair, are of the other system, or the keyset \
         is not active; nothing was done",
        hosts.title()
    );
    Error::new(ErrorKind::Credentials, text).hint(format!(
        "{KEYS} has both, and says whether the production keyset is active: eBay switches it on once you have subscribed to its \
         account deletion notices; then ordersync connect --reauth STORE"
    ))
}

/// The code of a consent.
fn code_refused(status: u16) -> Error {
    let text = format!(
        "eBay does not take what the consent brought ({status}): it was used already, is more than five minutes old, or is for \
         another keyset or RuName; nothing was stored"
    );
    Error::new(ErrorKind::Credentials, text).hint("give the command again, and open the address that it prints then")
}

/// The consent itself.
fn refresh_refused(status: u16) -> Error {
    let text = format!(
        "eBay does not take the refresh token ({status}): the consent is 18 months old, was withdrawn, ended with another \
         password or user name of the seller, or is for another keyset; nothing was imported or sent"
    );
    Error::new(ErrorKind::Credentials, text)
        .hint("ordersync connect --reauth STORE asks for the consent anew; orders and position stay")
}

fn scope_refused(status: u16) -> Error {
    let text =
        format!("the keyset, or the consent, does not have a scope that is asked for ({status}); nothing was done");
    Error::new(ErrorKind::Permission, text).hint(format!(
        "{KEYS} > OAuth Scopes lists those of the keyset; ordersync connect --reauth STORE asks for the consent anew"
    ))
}

/// What a refusal of the token means; no other token helps against a scope that is missing, so that is
/// none of them.
pub(crate) fn not_taken(status: u16, place: &str) -> Error {
    let text = format!(
        "eBay does not take the access token, not even a fresh one ({status}, {place}): the consent was withdrawn, or the keyset \
         is one of the other system; nothing was done"
    );
    Error::new(ErrorKind::Credentials, text)
        .hint("ordersync connect --reauth STORE asks for the consent anew; --sandbox is for keysets of the sandbox")
}

/// A scope that is missing.
pub(crate) fn lacks(scope: &str, status: u16, place: &str) -> Error {
    let name = scope.rsplit('/').next().unwrap_or(scope);
    let text = format!("the consent at eBay lacks the scope {name} ({status}, {place}); nothing was done");
    Error::new(ErrorKind::Permission, text).hint(
        "scopes cannot be added to a consent: ordersync connect --reauth STORE asks for a new one; a refresh_token of your own \
         must be of a consent with api_scope, sell.fulfillment, commerce.identity.readonly and commerce.notification.subscription",
    )
}

/// The scope that a request needs.
pub(crate) fn scope(request: &Request) -> &'static str {
    match request.url.path() {
        path if path.starts_with("/commerce/identity/") => IDENTITY,
        path if path.starts_with("/commerce/notification/") => NOTIFICATIONS,
        path if path.starts_with(POST_ORDER) => GENERAL,
        _ => FULFILLMENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn tokens() -> Tokens {
        let hosts = Hosts { sandbox: false };
        Tokens { endpoint: hosts.api("/identity/v1/oauth2/token").unwrap(), hosts }
    }

    /// The bodies are those that people have recorded, and eBay's own examples.
    #[test]
    fn what_lets_nobody_in_has_a_sentence_of_its_own_and_what_helps() {
        for (by, error, kind, says) in [
            ("refresh_token", "invalid_grant", ErrorKind::Credentials, "18 months"),
            ("authorization_code", "invalid_grant", ErrorKind::Credentials, "five minutes"),
            ("refresh_token", "invalid_client", ErrorKind::Credentials, "are not a pair"),
            ("refresh_token", "invalid_scope", ErrorKind::Permission, "scope"),
        ] {
            let mut request = Request::get(tokens().endpoint);
            request.body = Some(format!("grant_type={by}&x=1").into_bytes());
            let body = format!(r#"{{"error":"{error}","error_description":"the provided x is invalid"}}"#);
            let reply = Reply { status: 400, body: body.into_bytes(), ..Reply::default() };
            let Verdict::Refused(told) = tokens().refused(&request, &reply, from_millis(0)) else { panic!("{error}") };
            assert_eq!(told.kind(), kind, "{error}");
            assert!(told.message().contains(says) && told.hint_text().is_some(), "{told}");
        }
    }

    #[test]
    fn the_keyset_goes_as_basic_authentication_and_is_never_shown() {
        let secrets = [(CLIENT_ID, "app"), (CLIENT_SECRET, "cert")];
        let secrets = secrets.map(|(key, value)| (key.to_owned(), Secret::new(value))).into();
        let mut request = Request::get(tokens().endpoint);
        tokens().authorize(&mut request, &secrets).unwrap();
        assert_eq!(request.headers[AUTHORIZATION], "Basic YXBwOmNlcnQ=");
        assert!(!format!("{request:?}").contains("YXBw"));
    }

    #[test]
    fn the_sandbox_has_hosts_of_its_own() {
        let at = |sandbox| {
            let hosts = Hosts { sandbox };
            [hosts.api("/a").unwrap(), hosts.apiz("/b").unwrap()].map(String::from)
        };
        assert_eq!(at(false), ["https://api.ebay.com/a", "https://apiz.ebay.com/b"]);
        assert_eq!(at(true), ["https://api.sandbox.ebay.com/a", "https://apiz.sandbox.ebay.com/b"]);
    }
}
