//! The app's key on every request, the tokens of the merchant's consent, and what Etsy says where
//! it lets nobody in.
//!
//! The app is a public client (PKCE): its shared secret goes with requests to the API, never to the
//! token endpoint. Tokens live for an hour; a refresh token lives for 90 days and is replaced by
//! each renewal.

use std::sync::Arc;

use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::settings::Settings;
use crate::channel::consent::{Attempt, Brought, Consent};
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::oauth2::{self, Issuer, REFRESH_TOKEN};
use crate::http::status::{self, Words};
use crate::http::{Client, Effect, Reply, Request, Verdict, url_for_people};
use crate::secret::{Secret, Secrets};

/// What Etsy's servers are called, and what helps.
pub(crate) const WORDS: Words = Words::of("Etsy");

/// Where the API is. Tokens are fetched there too, so that secrets go to one server only.
pub(crate) const API: &str = "https://openapi.etsy.com";

/// Etsy's page for the consent.
const CONNECT: &str = "https://www.etsy.com/oauth/connect";

/// Where the merchant's apps are.
const APPS: &str = "https://www.etsy.com/developers/your-apps";

/// To see orders.
pub(crate) const READS: &str = "transactions_r";
/// To tell Etsy of parcels.
pub(crate) const WRITES: &str = "transactions_w";
/// To see which shop it is.
pub(crate) const SHOP: &str = "shops_r";

/// What the consent is asked for; more than that is needed for nothing here.
const SCOPES: [&str; 3] = [READS, WRITES, SHOP];

/// For how long a refresh token is good.
const REFRESH_LIFE: TimeDelta = TimeDelta::days(90);

/// An app without a good call for six months is banned.
pub(crate) const UNUSED: TimeDelta = TimeDelta::days(182);

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How the requests of a store are authorised.
pub(crate) struct Auth {
    http: Arc<Client>,
    credentials: Arc<Credentials>,
    tokens: Tokens,
    redirect_uri: String,
    landing: Url,
}

impl Auth {
    /// For these settings.
    ///
    /// # Errors
    /// `Credentials` without the shared secret.
    pub(crate) fn new(http: Arc<Client>, credentials: Arc<Credentials>, settings: &Settings) -> Result<Self> {
        credentials.need("shared_secret")?;
        let tokens = Tokens { endpoint: address("/v3/public/oauth/token")?, keystring: settings.keystring.clone() };
        let (redirect_uri, landing) = (settings.redirect_uri.clone(), settings.landing.clone());
        Ok(Self { http, credentials, tokens, redirect_uri, landing })
    }

    /// Puts the app's key on a request, which is all that some need.
    pub(crate) fn with_key(&self, request: &mut Request) -> Result<()> {
        let secret = self.credentials.need("shared_secret")?;
        let key = format!("{}:{}", self.tokens.keystring, secret.reveal());
        request.headers.insert(API_KEY, sensitive(&key, "the shared secret")?);
        Ok(())
    }

    /// Puts the app's key and the merchant's token on a request.
    pub(crate) fn authorize(&self, request: &mut Request) -> Result<()> {
        self.with_key(request)?;
        let bearer = format!("Bearer {}", self.token()?.reveal());
        request.headers.insert(AUTHORIZATION, sensitive(&bearer, "the access token")?);
        Ok(())
    }

    /// The token to send now.
    pub(crate) fn token(&self) -> Result<Secret> {
        self.credentials.need(REFRESH_TOKEN)?;
        oauth2::token(&self.http, &self.credentials, &self.tokens)
    }

    /// Fetches a token in the place of the one that a refused request was sent with.
    pub(crate) fn renew(&self, failed: &Request) -> Result<()> {
        let sent = failed.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let stale = sent.and_then(|value| value.strip_prefix("Bearer ")).map(Secret::new);
        oauth2::renew(&self.http, &self.credentials, &self.tokens, stale.as_ref())
    }

    /// The same in the place of this one.
    pub(crate) fn renew_token(&self, stale: &Secret) -> Result<()> {
        oauth2::renew(&self.http, &self.credentials, &self.tokens, Some(stale))
    }

    /// The client.
    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// The way to the merchant's consent, where there is none.
    pub(crate) fn consent(&self) -> Option<Box<dyn Consent + '_>> {
        let has_one = self.credentials.get(REFRESH_TOKEN).is_some();
        (!has_one).then(|| Box::new(Asked(self)) as Box<dyn Consent>)
    }
}

/// An address of the API.
pub(crate) fn address(path: &str) -> Result<Url> {
    Url::parse(API)
        .and_then(|api| api.join(path))
        .map_err(|_| Error::new(ErrorKind::Failed, "an address cannot be made; nothing was sent"))
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

impl Consent for Asked<'_> {
    fn landing(&self) -> Option<&Url> {
        Some(&self.0.landing)
    }

    fn before(&self) -> String {
        format!(
            "among the callback URLs of your app ({APPS} > Edit your callback URLs) must be, to the letter: {}",
            self.0.redirect_uri
        )
    }

    fn page(&self, attempt: &Attempt) -> Result<Url> {
        // A key that is not let in would end on a page that says nothing of use.
        super::probe::ping(self.0)?;
        let mut page = Url::parse(CONNECT)
            .map_err(|_| Error::new(ErrorKind::Failed, "the address of the consent page cannot be made"))?;
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.0.tokens.keystring)
            .append_pair("redirect_uri", &self.0.redirect_uri)
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", attempt.state())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(self.0.http.address_of(&page))
    }

    fn redeem(&self, brought: &Brought) -> Result<()> {
        let form = [
            ("grant_type", BY_CODE.to_owned()),
            ("client_id", self.0.tokens.keystring.clone()),
            ("redirect_uri", self.0.redirect_uri.clone()),
            ("code", brought.code.reveal().to_owned()),
            ("code_verifier", brought.verifier.reveal().to_owned()),
        ];
        oauth2::redeem(&self.0.http, &self.0.credentials, &self.0.tokens, &form)
    }
}

/// The grant of a consent.
const BY_CODE: &str = "authorization_code";

/// Where tokens are fetched.
struct Tokens {
    endpoint: Url,
    keystring: String,
}

impl Issuer for Tokens {
    fn vendor(&self) -> &'static str {
        "Etsy"
    }

    fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    fn form(&self, secrets: &Secrets) -> Vec<(&'static str, String)> {
        let refresh = secrets.get(REFRESH_TOKEN).map(|secret| secret.reveal().to_owned()).unwrap_or_default();
        vec![
            ("grant_type", REFRESH_TOKEN.to_owned()),
            ("client_id", self.keystring.clone()),
            ("refresh_token", refresh),
        ]
    }

    fn refresh_life(&self) -> Option<TimeDelta> {
        Some(REFRESH_LIFE)
    }

    fn rotates(&self) -> bool {
        true
    }

    /// Etsy says "revoked" of what it has taken back with the consent. Whether it says the same of
    /// what was only replaced nobody has written down, so the one before is worth a try either way.
    fn is_unknown(&self, reply: &Reply) -> bool {
        Told::of(reply).is_some_and(|told| told.error == "invalid_grant")
    }

    fn refused(&self, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
        let Some(told) = Told::of(reply) else { return status::classify(&WORDS, request, reply, now) };
        let by_code = request.body.as_deref().is_some_and(|body| body.starts_with(b"grant_type=authorization_code"));
        let error = match &*told.error {
            "invalid_grant" if by_code => code_refused(reply.status),
            "invalid_grant" => refresh_refused(reply.status, &told.description),
            "invalid_client" | "unauthorized_client" => not_let_in(reply.status),
            _ => match key_refused(request, reply, &told) {
                Some(error) => error,
                None => return status::refused(&WORDS, request, reply.status, &told.text()),
            },
        };
        Verdict::Refused(error)
    }
}

/// An error in Etsy's form.
#[derive(Debug, Deserialize)]
struct Told {
    error: String,
    #[serde(default, rename = "error_description", deserialize_with = "crate::channel::json::nullable")]
    description: String,
}

impl Told {
    fn of(reply: &Reply) -> Option<Self> {
        reply.json::<Self>().ok().map(|(told, _)| told)
    }

    fn text(&self) -> String {
        if self.description.is_empty() { self.error.clone() } else { format!("{}: {}", self.error, self.description) }
    }
}

/// What an answer of the API means that lets nobody in; `None` for any other.
pub(crate) fn refused(request: &Request, reply: &Reply) -> Option<Verdict> {
    if !matches!(reply.status, 401 | 403) {
        return None;
    }
    let told = Told::of(reply)?;
    if let Some(error) = key_refused(request, reply, &told) {
        return Some(Verdict::Refused(error));
    }
    let place = url_for_people(&request.url);
    let lower = told.text().to_ascii_lowercase();
    let error = |text: String, hint: &str| Error::new(ErrorKind::Credentials, text).hint(hint);
    Some(match reply.status {
        _ if lower.contains("insufficient_scope") || lower.contains("insufficient scope") => {
            Verdict::Refused(lacks(scope(request)))
        }
        401 if lower.contains("expired") => Verdict::Expired(error(
            format!(
                "Etsy takes no access token for valid any more, not even a fresh one (401, {place}); nothing was done"
            ),
            "is the clock right? If it is: ordersync connect --reauth STORE asks for the consent anew",
        )),
        401 if lower.contains("token") => Verdict::Expired(error(
            format!(
                "Etsy refuses the access token, also a fresh one (401, {place}): the consent was withdrawn, or lacks the scope {}; nothing was done",
                scope(request)
            ),
            "ordersync connect --reauth STORE asks for the consent anew",
        )),
        403 if lower.contains("bearer token") => Verdict::Refused(error(
            format!("Etsy says that the access token came without a user (403, {place}); nothing was done"),
            "a proxy may take the Authorization header away; else ordersync connect --reauth STORE asks for the consent anew",
        )),
        _ => return None,
    })
}

/// A refusal of the app's key: its secret is missing, or Etsy does not let it in.
fn key_refused(request: &Request, reply: &Reply, told: &Told) -> Option<Error> {
    let lower = told.text().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_of_app = says(&["api key", "api_key", "x-api-key", "apikey", "keystring", "application", "your app"]);
    // What Etsy says of one that waits, or was banned, is in no document: "not found or not active"
    // is the one text that people have recorded, and may be either.
    if reply.status == 403 && is_of_app {
        if says(&["pending", "not approved", "not yet approved", "awaiting approval"]) {
            return Some(waits());
        }
        if says(&["banned", "suspended", "disabled", "deactivated", "dormant"]) {
            return Some(banned());
        }
        if says(&["inactive"]) {
            return Some(not_let_in(reply.status));
        }
    }
    let is_of_key = says(&["api key", "api_key", "x-api-key", "apikey", "keystring"]);
    if !is_of_key || !matches!(reply.status, 400 | 401 | 403 | 404) {
        return None;
    }
    if lower.contains("required")
        || lower.contains("format")
        || (lower.contains("missing") && !lower.contains("invalid"))
    {
        let place = url_for_people(&request.url);
        let text = format!(
            "Etsy got the keystring without its shared secret, or neither ({}, {place}); nothing was done",
            reply.status
        );
        return Some(Error::new(ErrorKind::Credentials, text).hint(format!(
            "give both as they stand at {APPS} (See API Key Details): ordersync connect --reauth STORE; \
             a proxy may take the header x-api-key away"
        )));
    }
    Some(not_let_in(reply.status))
}

/// The key waits for Etsy's approval.
fn waits() -> Error {
    let text = "Etsy has not approved this key yet (403); nothing was done";
    Error::new(ErrorKind::Credentials, text).hint(format!(
        "Etsy alone decides who gets a key, and it can only be waited for; {APPS} tells how it stands, \
         ordersync connect --test STORE whether it is let in"
    ))
}

/// Etsy has taken the key away.
fn banned() -> Error {
    let text = "Etsy has banned this key (403; six months unused are enough); nothing was done";
    Error::new(ErrorKind::Credentials, text).hint(format!(
        "only Etsy can give it back: {APPS} says why and whom to ask; with the key of another app: ordersync connect --reauth STORE"
    ))
}

/// The key itself: Etsy has one sentence for all of these.
fn not_let_in(status: u16) -> Error {
    let text = format!(
        "Etsy does not let this key in ({status}): it waits for Etsy's approval, Etsy has banned it (six months unused are \
         enough), or keystring and shared secret are not a pair; nothing was done"
    );
    Error::new(ErrorKind::Credentials, text).hint(format!(
        "{APPS} tells which: a pending key can only be waited for, a banned one is Etsy's to give back; \
         of an active one give both values anew: ordersync connect --reauth STORE"
    ))
}

/// The consent does not cover a request.
pub(crate) fn lacks(scope: &str) -> Error {
    let text = format!("the consent at Etsy lacks the scope {scope}; nothing was done");
    Error::new(ErrorKind::Permission, text).hint(
        "scopes cannot be added to a consent: ordersync connect --reauth STORE asks for a new one; \
         with a refresh_token of your own, make it with transactions_r, transactions_w and shops_r",
    )
}

/// The scope that a request needs.
fn scope(request: &Request) -> &'static str {
    match request.effect {
        Effect::Write => WRITES,
        Effect::Read if request.url.path().ends_with("/users/me") => SHOP,
        Effect::Read => READS,
    }
}

/// The code of a consent.
fn code_refused(status: u16) -> Error {
    let text = format!(
        "Etsy does not take what the consent brought ({status}): it was used already, is some minutes old, or is for another \
         app or another redirect_uri; nothing was stored"
    );
    Error::new(ErrorKind::Credentials, text).hint("give the command again, and open the address that it prints then")
}

/// The consent itself.
fn refresh_refused(status: u16, description: &str) -> Error {
    let lower = description.to_ascii_lowercase();
    let why = if lower.contains("revoked") {
        "Etsy has revoked the consent: the seller's password was changed, the app was disconnected, or the refresh token was \
         replaced by a newer one"
    } else {
        "Etsy does not know the refresh token: 90 days without a sync end it, and a newer one replaces it"
    };
    Error::new(ErrorKind::Credentials, format!("{why} ({status}); nothing was imported or sent"))
        .hint("ordersync connect --reauth STORE asks for the consent anew; orders and position stay")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: body.as_bytes().to_vec(), ..Reply::default() }
    }

    fn to(path: &str, effect: Effect) -> Request {
        Request { effect, ..Request::get(address(path).unwrap()) }
    }

    /// What people have recorded of Etsy's answers, and the forms that its document names.
    #[test]
    fn what_lets_nobody_in_has_a_sentence_of_its_own_and_what_helps() {
        let receipts = "/v3/application/shops/1/receipts";
        for (status, body, kind, says, helps) in [
            (
                403,
                r#"{"error":"Shared secret is required in x-api-key header."}"#,
                ErrorKind::Credentials,
                "without its shared secret",
                "--reauth",
            ),
            (
                403,
                r#"{"error":"Invalid API key: should be in the format 'keystring:shared_secret'."}"#,
                ErrorKind::Credentials,
                "without its shared secret",
                "--reauth",
            ),
            (
                403,
                r#"{"error":"API key not found or not active, or incorrect shared secret for API key."}"#,
                ErrorKind::Credentials,
                "waits for Etsy's approval",
                "your-apps",
            ),
            (
                401,
                r#"{"error":"Missing or invalid API key."}"#,
                ErrorKind::Credentials,
                "waits for Etsy's approval",
                "your-apps",
            ),
            (
                403,
                r#"{"error":"insufficient_scope","error_description":"Insufficient scope"}"#,
                ErrorKind::Permission,
                "lacks the scope transactions_r",
                "--reauth",
            ),
            (
                403,
                r#"{"error":"No user was provided as part of the bearer token."}"#,
                ErrorKind::Credentials,
                "without a user",
                "--reauth",
            ),
        ] {
            let Some(Verdict::Refused(error)) = refused(&to(receipts, Effect::Read), &reply(status, body)) else {
                panic!("{body}")
            };
            assert_eq!(error.kind(), kind, "{body}");
            assert!(error.message().contains(says) && error.message().contains("nothing was done"), "{error}");
            assert!(error.hint_text().unwrap().contains(helps), "{error}");
        }
        for body in [
            r#"{"error":"invalid_token","error_description":"access token is expired"}"#,
            r#"{"error":"invalid_token"}"#,
            r#"{"error":"invalid_token","error_description":null}"#,
        ] {
            let verdict = refused(&to(receipts, Effect::Read), &reply(401, body));
            assert!(matches!(verdict, Some(Verdict::Expired(_))), "{body}: {verdict:?}");
        }
        let scope = |path: &str, effect| super::scope(&to(path, effect));
        let tracking = format!("{receipts}/7/tracking");
        assert_eq!([scope(receipts, Effect::Read), scope(&tracking, Effect::Write)], [READS, WRITES]);
        assert_eq!(scope("/v3/application/users/me", Effect::Read), SHOP);
        // A firewall's page, and what is about an order, are somebody else's matter.
        for (status, body) in
            [(403, "<html>blocked</html>"), (403, r#"{"error":"Not allowed"}"#), (404, r#"{"error":"api key"}"#)]
        {
            assert!(refused(&to(receipts, Effect::Read), &reply(status, body)).is_none(), "{body}");
        }
    }

    #[test]
    fn what_the_token_endpoint_refuses_is_told_apart() {
        let tokens = Tokens { endpoint: address("/v3/public/oauth/token").unwrap(), keystring: "k".to_owned() };
        let told = |form: &str, status: u16, body: &str| {
            let request =
                Request { body: Some(form.as_bytes().to_vec()), ..to("/v3/public/oauth/token", Effect::Read) };
            match tokens.refused(&request, &reply(status, body), from_millis(0)) {
                Verdict::Refused(error) => error,
                other => panic!("{body}: {other:?}"),
            }
        };
        let (by_code, by_refresh) =
            ("grant_type=authorization_code&code=c", "grant_type=refresh_token&refresh_token=r");
        let revoked = r#"{"error":"invalid_grant","error_description":"refresh_token is revoked"}"#;
        for (form, body, says) in [
            (by_refresh, revoked, "revoked the consent"),
            (by_refresh, r#"{"error":"invalid_grant","error_description":"refresh_token is expired"}"#, "90 days"),
            (by_refresh, r#"{"error":"invalid_grant"}"#, "90 days"),
            (by_code, r#"{"error":"invalid_grant","error_description":"code has been used"}"#, "used already"),
            (by_code, r#"{"error":"invalid_client"}"#, "does not let this key in"),
        ] {
            let error = told(form, 400, body);
            assert!(error.kind() == ErrorKind::Credentials && error.message().contains(says), "{error}");
            assert!(error.hint_text().is_some(), "{error}");
        }
        assert!(
            told(by_code, 400, r#"{"error":"invalid_request","error_description":"x"}"#)
                .message()
                .contains("invalid_request: x")
        );
        assert!(tokens.is_unknown(&reply(400, revoked)) && !tokens.is_unknown(&reply(400, "{}")));
    }

    /// A key that waits, one that is banned, one without its secret, a scope that is missing and a
    /// consent that was revoked.
    #[test]
    fn each_cause_has_its_own_sentence_and_next_step() {
        let of_api = |status: u16, body: &str| match refused(
            &to("/v3/application/shops/1/receipts", Effect::Read),
            &reply(status, body),
        ) {
            Some(Verdict::Refused(error)) => error,
            other => panic!("{body}: {other:?}"),
        };
        let errors = [
            of_api(403, r#"{"error":"API key is pending approval"}"#),
            of_api(403, r#"{"error":"This API key has been banned"}"#),
            of_api(403, r#"{"error":"Shared secret is required in x-api-key header."}"#),
            of_api(403, r#"{"error":"insufficient_scope"}"#),
            refresh_refused(400, "refresh_token is revoked"),
            of_api(403, r#"{"error":"API key not found or not active, or incorrect shared secret for API key."}"#),
        ];
        for (nth, error) in errors.iter().enumerate() {
            let is_another =
                |other: &Error| other.message() != error.message() && other.hint_text() != error.hint_text();
            assert!(errors.iter().skip(nth + 1).all(is_another), "{error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains("ordersync ")), "{error}");
        }
        for (body, says) in [
            (r#"{"error":"Your application is not approved"}"#, "has not approved this key"),
            (r#"{"error":"Application suspended"}"#, "has banned this key"),
            (r#"{"error":"Inactive application"}"#, "does not let this key in"),
        ] {
            let error = of_api(403, body);
            assert!(error.kind() == ErrorKind::Credentials && error.message().contains(says), "{error}");
        }
        // It may be the shop or the order that is meant.
        for words in ["Forbidden", "Shop is suspended", "This receipt is pending"] {
            let body = format!(r#"{{"error":"{words}"}}"#);
            for effect in [Effect::Read, Effect::Write] {
                let request = to("/v3/application/shops/1/receipts/7", effect);
                assert!(refused(&request, &reply(403, &body)).is_none(), "{words}");
            }
        }
    }

    /// The app is a public client: what is secret of it never goes there.
    #[test]
    fn a_token_is_asked_for_with_the_keystring_alone() {
        let secrets = [("shared_secret", "s3cr3t"), ("refresh_token", "r"), ("token", "t")];
        let secrets: Secrets = secrets.map(|(key, value)| (key.to_owned(), Secret::new(value))).into();
        let tokens = Tokens { endpoint: address("/v3/public/oauth/token").unwrap(), keystring: "k".to_owned() };
        let form = tokens.form(&secrets).into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        assert_eq!(form, ["grant_type=refresh_token", "client_id=k", "refresh_token=r"]);
    }
}
