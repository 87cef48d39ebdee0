//! Finding out about a shop: whether the key is let in, what the consent covers, whose it is.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::auth::{self, Auth, READS, SHOP, WORDS, WRITES};
use super::settings::Settings;
use crate::channel::ShopInfo;
use crate::channel::json::nullable;
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

#[derive(Deserialize)]
struct Pong {
    application_id: u64,
}

/// Whether the app's key is let in. Costs nothing of the quota.
pub(crate) fn ping(auth: &Auth) -> Result<()> {
    let reply = ask(auth, By::Key, &Request::get(auth::address("/v3/application/openapi-ping")?))?;
    let (pong, _) = reply.json::<Pong>()?;
    if pong.application_id == 0 { Err(reply.unusable("an app without a number")) } else { Ok(()) }
}

/// The list that Etsy's documents promise, in the forms that they leave open.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scopes {
    Named { scopes: Vec<String> },
    Bare(Vec<String>),
}

/// What the consent covers. Costs nothing of the quota.
fn scopes(auth: &Auth) -> Result<Vec<String>> {
    let mut request = Request::get(auth::address("/v3/application/scopes")?);
    request.method = Method::POST;
    let reply = ask(auth, By::TokenInForm, &request)?;
    let (Scopes::Named { scopes } | Scopes::Bare(scopes)) = reply.json::<Scopes>()?.0;
    Ok(scopes)
}

#[derive(Deserialize)]
struct Me {
    #[serde(deserialize_with = "nullable")]
    user_id: u64,
    #[serde(default, deserialize_with = "nullable")]
    shop_id: u64,
}

#[derive(Deserialize)]
struct Shop {
    shop_id: u64,
    #[serde(default, deserialize_with = "nullable")]
    shop_name: String,
    #[serde(default, deserialize_with = "nullable")]
    currency_code: String,
    #[serde(default, deserialize_with = "nullable")]
    url: String,
    #[serde(default, deserialize_with = "nullable")]
    shipping_from_country_iso: String,
    #[serde(default, deserialize_with = "nullable")]
    is_vacation: bool,
}

#[derive(Deserialize)]
struct Counted {
    count: u64,
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
    let me = whose(auth, settings)?;
    let reply = get(auth, &format!("/v3/application/shops/{}", me.shop_id))?;
    let (shop, _) = reply.json::<Shop>()?;
    if shop.shop_id != me.shop_id {
        return Err(reply.unusable("another shop than the one that was asked for"));
    }
    let orders = count(auth, me.shop_id)?;
    Ok(ShopInfo {
        remote_id: me.shop_id.to_string(),
        url: page(&shop),
        title: if shop.shop_name.is_empty() { format!("shop {}", me.shop_id) } else { shop.shop_name },
        currency: Currency::new(&shop.currency_code),
        time_zone: "UTC".to_owned(),
        orders,
        warnings: warnings(has(WRITES), shop.is_vacation),
        choices: Vec::new(),
        // As texts: numbers stand in what is written for a report.
        facts: json!({ "shop_id": me.shop_id.to_string(), "user_id": me.user_id.to_string(), "scopes": scopes, "country": shop.shipping_from_country_iso }),
    })
}

/// How many receipts there are. `None` where the newest cannot be shown, which is no fault of the
/// connection: a sync reads the others.
fn count(auth: &Auth, shop: u64) -> Result<Option<u64>> {
    let answer = get(auth, &format!("/v3/application/shops/{shop}/receipts?limit=1"));
    match answer.and_then(|reply| reply.json::<Counted>().map(|(counted, _)| counted.count)) {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.is_too_much() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whose consent it is.
fn whose(auth: &Auth, settings: &Settings) -> Result<Me> {
    let (me, _) = get(auth, "/v3/application/users/me")?.json::<Me>()?;
    let refused = |text: String| {
        let hint = "sign in at Etsy as the shop's owner, then ordersync connect --reauth STORE";
        Err(Error::new(ErrorKind::Refused, format!("{text}; nothing was stored")).hint(hint))
    };
    match settings.shop_id {
        _ if me.shop_id == 0 => refused("the account that has consented has no shop at Etsy".to_owned()),
        Some(wanted) if wanted != me.shop_id => {
            refused(format!("the consent is for shop {}, and shop_id says {wanted}", me.shop_id))
        }
        _ => Ok(me),
    }
}

/// The shop's page for people.
fn page(shop: &Shop) -> String {
    let told = Url::parse(&shop.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // What Etsy adds to its links tells where a visitor came from.
    let plain = told.map(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    });
    plain.unwrap_or_else(|| format!("https://www.etsy.com/shop/{}", shop.shop_name))
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
