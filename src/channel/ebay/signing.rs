//! Signatures on what moves money: eBay demands them of sellers of the European Union and the United
//! Kingdom, and reads past them elsewhere. The key is made at eBay, which tells it once; what stands for
//! its public half goes with each request.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::api::Api;
use super::errors;
use super::settings::Settings;
use super::wire::NewKey;
use crate::channel::ShopInfo;
use crate::clock::{Timestamp, rfc3339};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::message_signature::{self, KEY_ENDS_AT, SigningKey};
use crate::http::{Effect, Protocol, Reply, Request, Verdict};
use crate::secret::{Secret, Secrets};

/// Where the private key stands among the secrets, and what stands for its public half.
const KEY: &str = "signing_key";
const PUBLIC: &str = "signing_key_public";

const SIGNATURE_KEY: HeaderName = HeaderName::from_static("x-ebay-signature-key");

/// Signs a request, where the store has a key.
///
/// # Errors
/// `Credentials` for a key that is none.
pub(crate) fn sign(credentials: &Credentials, request: &mut Request, now: Timestamp) -> Result<()> {
    let (Some(key), Some(public)) = (credentials.get(KEY), credentials.get(PUBLIC)) else { return Ok(()) };
    let unusable = || {
        Error::new(ErrorKind::Credentials, "the key that signs requests to eBay cannot be used; nothing was sent")
            .hint("ordersync connect --reauth STORE makes another one")
    };
    let key = SigningKey::read(&key).ok_or_else(unusable)?;
    let mut public = HeaderValue::from_str(public.reveal()).map_err(|_| unusable())?;
    public.set_sensitive(true);
    request.headers.insert(SIGNATURE_KEY, public);
    message_signature::sign(request, &key, &[SIGNATURE_KEY.as_str()], now)
}

/// Requests of the application itself.
pub(crate) struct AsApplication<'a>(pub(crate) &'a Api);

impl Protocol for AsApplication<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        self.0.auth.authorize_as_application(request)
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        errors::classify(request, reply, self.0.our_now())
    }

    fn renew(&self, failed: &Request) -> Result<()> {
        self.0.auth.renew_as_application(failed)
    }
}

/// Makes a key, where the seller needs one. Without it everything goes but cancelling, so that it
/// cannot be made is said, and no reason not to connect.
pub(crate) fn furnish(api: &Api, settings: &Settings, shop: &mut ShopInfo) -> Result<()> {
    if !settings.signs() {
        return Ok(());
    }
    match new_key(api) {
        Ok(secrets) => {
            let ends = secrets.get(KEY_ENDS_AT).map(|at| at.reveal().get(..10).unwrap_or_default().to_owned());
            let ends = ends.map_or(String::new(), |day| format!("; it ends on {day}, and --reauth makes another one"));
            shop.warnings.push(format!("eBay has made the key that signs cancellations{ends}"));
            api.auth.credentials().put(secrets);
            Ok(())
        }
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted) => Err(error),
        Err(error) => {
            shop.warnings.push(format!(
                "eBay has made no key for signatures ({}): it will refuse cancellations until ordersync connect --reauth STORE \
                 gets one",
                error.message()
            ));
            Ok(())
        }
    }
}

/// A key that nobody uses is nothing, so asking again does no harm.
fn new_key(api: &Api) -> Result<Secrets> {
    let url = api.auth.hosts.apiz("/developer/key_management/v1/signing_key")?;
    let body = json!({ "signingKeyCipher": "ED25519" });
    let request = Request { effect: Effect::Read, ..Request::write_json(Method::POST, url, &body) };
    let reply = api.http().send(&AsApplication(api), &request.repeated(1))?;
    let (told, _) = reply.json::<NewKey<'_>>()?;
    let key = Secret::new(told.private.get());
    let public = told.jwe.get();
    if SigningKey::read(&key).is_none() || HeaderValue::from_str(public).is_err() || public.is_empty() {
        return Err(reply.unusable("a key that cannot sign"));
    }
    let ends = told.ends.get().parse().ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
    let mut secrets = Secrets::from([(KEY.to_owned(), key), (PUBLIC.to_owned(), Secret::new(public))]);
    secrets.extend(ends.map(|at| (KEY_ENDS_AT.to_owned(), Secret::new(rfc3339(at)))));
    Ok(secrets)
}
