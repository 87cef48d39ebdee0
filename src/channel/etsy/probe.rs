//! Finding out about a shop: whether the key is let in, what the consent covers, whose it is.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;
use url::Url;

use super::auth::{self, Auth, READS, SHOP, WORDS, WRITES};
use super::settings::Settings;
use super::wire::{Counted, Me, Pong, Scopes, Shop};
use crate::channel::json::{Many, Text};
use crate::channel::{ShopInfo, meant};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Protocol, Reply, Request, Verdict, status};
use crate::order::Currency;
use crate::secret::Secret;

/// What a request shows of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The app's key.
    Key,
    /// The key and the merchant's token.
    Token,
    /// The key; the token is what is asked about.
    TokenInForm,
}

/// Requests that are about access itself.
struct Asking<'a> {
    auth: &'a Auth,
    by: By,
}

impl Protocol for Asking<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        if self.by == By::Token {
            return self.auth.authorize(request);
        }
        if self.by == By::TokenInForm {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            let form = form.append_pair(TOKEN, self.auth.token()?.reveal()).finish();
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            request.body = Some(form.into_bytes());
        }
        self.auth.with_key(request)
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        let now = self.auth.http().clock().now();
        auth::refused(request, reply).unwrap_or_else(|| status::classify(&WORDS, request, reply, now))
    }

    fn renew(&self, failed: &Request) -> Result<()> {
        let form = failed.body.as_deref().unwrap_or_default();
        match url::form_urlencoded::parse(form).find(|(name, _)| name == TOKEN) {
            Some((_, sent)) => self.auth.renew_token(&Secret::new(sent)),
            None => self.auth.renew(failed),
        }
    }
}

/// The parameter that holds the token that is asked about.
const TOKEN: &str = "token";

fn ask(auth: &Auth, by: By, request: &Request) -> Result<Reply> {
    auth.http().send(&Asking { auth, by }, request)
}

fn get(auth: &Auth, path: &str) -> Result<Reply> {
    ask(auth, By::Token, &Request::get(auth::address(path)?))
}

/// Whether the app's key is let in. Costs nothing of the quota.
pub(crate) fn ping(auth: &Auth) -> Result<()> {
    let reply = ask(auth, By::Key, &Request::get(auth::address("/v3/application/openapi-ping")?))?;
    let (pong, _) = reply.json::<Pong<'_>>()?;
    if pong.application_id.id().is_none() { Err(reply.unusable("an app without a number")) } else { Ok(()) }
}

/// What the consent covers. Costs nothing of the quota.
fn scopes(auth: &Auth) -> Result<Vec<String>> {
    let mut request = Request::get(auth::address("/v3/application/scopes")?);
    request.method = Method::POST;
    let reply = ask(auth, By::TokenInForm, &request)?;
    // A list, or an object around one.
    let (bare, _) = reply.json::<Many<Text<'_>>>()?;
    let told = if bare.listed { bare } else { reply.json::<Scopes<'_>>()?.0.scopes };
    if !told.listed {
        return Err(reply.unusable("JSON without scopes"));
    }
    Ok(told.rows.iter().map(|scope| scope.get().to_owned()).collect())
}

/// Tests key and consent and reads the facts about the shop, whose number is its identity: names
/// can change.
pub(crate) fn probe(auth: &Auth, settings: &Settings) -> Result<ShopInfo> {
    ping(auth)?;
    let scopes = scopes(auth)?;
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    // Asked without them, Etsy may say no more than that the token is none.
    if let Some(missing) = [READS, SHOP].into_iter().find(|scope| !has(scope)) {
        return Err(auth::lacks(missing));
    }
    let (user_id, shop_id) = whose(auth, settings)?;
    let reply = get(auth, &format!("/v3/application/shops/{shop_id}"))?;
    let (shop, _) = reply.json::<Shop<'_>>()?;
    if number(&shop.shop_id) != Some(shop_id) {
        return Err(reply.unusable("another shop than the one that was asked for"));
    }
    let (orders, name) = (count(auth, shop_id)?, shop.shop_name.get());
    Ok(ShopInfo {
        remote_id: shop_id.to_string(),
        url: page(&shop),
        title: if name.is_empty() { format!("shop {shop_id}") } else { name.to_owned() },
        currency: Currency::new(shop.currency_code.get()),
        time_zone: "UTC".to_owned(),
        orders,
        warnings: warnings(has(WRITES), shop.is_vacation.is_true()),
        choices: Vec::new(),
        // As texts: numbers stand in what is written for a report.
        facts: json!({ "shop_id": shop_id.to_string(), "user_id": user_id, "scopes": scopes, "country": shop.shipping_from_country_iso.get() }),
    })
}

/// A number above 0, whether it comes as one or as a text.
fn number(text: &Text<'_>) -> Option<u64> {
    text.id().and_then(meant)
}

/// How many receipts there are. `None` where the newest cannot be shown, which is no fault of the
/// connection: a sync reads the others.
fn count(auth: &Auth, shop: u64) -> Result<Option<u64>> {
    let answer = get(auth, &format!("/v3/application/shops/{shop}/receipts?limit=1"));
    match answer.and_then(|reply| Ok(meant(reply.json::<Counted<'_>>()?.0.count.get()))) {
        Ok(count) => Ok(count),
        Err(error) if error.is_too_much() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whose consent it is: the seller's number, and the shop's.
fn whose(auth: &Auth, settings: &Settings) -> Result<(String, u64)> {
    let reply = get(auth, "/v3/application/users/me")?;
    let (me, _) = reply.json::<Me<'_>>()?;
    let refused = |text: String| {
        let hint = "sign in at Etsy as the shop's owner, then ordersync connect --reauth STORE";
        Err(Error::new(ErrorKind::Refused, format!("{text}; nothing was stored")).hint(hint))
    };
    match (number(&me.shop_id), settings.shop_id) {
        (None, _) => refused("the account that has consented has no shop at Etsy".to_owned()),
        (Some(shop), Some(wanted)) if wanted != shop => {
            refused(format!("the consent is for shop {shop}, and shop_id says {wanted}"))
        }
        (Some(shop), _) => Ok((me.user_id.get().to_owned(), shop)),
    }
}

/// The shop's page for people.
fn page(shop: &Shop<'_>) -> String {
    let told = Url::parse(shop.url.get()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // What Etsy adds to its links tells where a visitor came from.
    let plain = told.map(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    });
    plain.unwrap_or_else(|| format!("https://www.etsy.com/shop/{}", shop.shop_name.get()))
}

/// What the merchant should know.
fn warnings(can_ship: bool, is_away: bool) -> Vec<String> {
    let cannot = (!can_ship).then(|| {
        format!(
            "the consent lacks the scope {WRITES}: nothing can be dispatched at Etsy from here; ordersync connect --reauth STORE asks for it"
        )
    });
    let away = is_away.then(|| "the shop is on vacation at Etsy: it takes no orders meanwhile".to_owned());
    [cannot, away].into_iter().flatten().collect()
}
