//! Finding out about an account: whose it is, how many orders it has, and what eBay permits it.

use serde_json::{Value, json};

use super::api::{Api, PERMITTED};
use super::list::{self, By, Span};
use super::pages::LONG_AGO;
use super::settings::Settings;
use super::wire::User;
use crate::channel::{ShopInfo, meant};
use crate::error::Result;
use crate::http::Reply;

/// Tests the connection and reads the facts about the account. Its user id is its identity: a seller
/// can take another name.
pub(crate) fn probe(api: &Api, settings: &Settings) -> Result<ShopInfo> {
    let reply = api.user()?;
    let (user, _) = reply.json::<User<'_>>()?;
    let Some(id) = user.id.id() else { return Err(reply.unusable("an account without a user id")) };
    let all = Span { by: By::Modified, from: LONG_AGO, until: None };
    let orders = list::count(api, &all)?;
    let name = if user.username.get().is_empty() { id } else { user.username.get() };
    Ok(ShopInfo {
        remote_id: id.to_owned(),
        title: name.to_owned(),
        url: format!("https://{}/usr/{}", settings.site(), crate::http::sign::encode(name)),
        currency: settings.currency(),
        time_zone: "UTC".to_owned(),
        orders,
        warnings: warnings(&user, settings),
        choices: Vec::new(),
        // As a text: numbers stand in what is written for a report.
        facts: json!({ "user_id": id, PERMITTED: permitted(api)?.map(|most| most.to_string()) }),
    })
}

/// What the merchant should know.
fn warnings(user: &User<'_>, settings: &Settings) -> Vec<String> {
    let status = user.status.get();
    let is_odd = !matches!(status, "" | "CONFIRMED");
    let standing = is_odd.then(|| format!("eBay says of the account that it is {}", status.to_lowercase()));
    let home = user.marketplace.get();
    let is_elsewhere = !home.is_empty() && home != settings.marketplace;
    let elsewhere = is_elsewhere.then(|| {
        format!(
            "the account is registered at {home}, and the store is connected for {}: where that is another country, ordersync \
             connect --reauth STORE --marketplace {home}",
            settings.marketplace
        )
    });
    [standing, elsewhere].into_iter().flatten().collect()
}

/// The requests of a day. Where eBay does not tell it, that is no fault of the connection.
fn permitted(api: &Api) -> Result<Option<u64>> {
    match api.limits() {
        Ok(reply) => Ok(most(&reply)),
        Err(error) if error.kind() == crate::error::ErrorKind::Temporary && error.retry_after().is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// The least of the limits for a day that an answer tells of orders.
fn most(reply: &Reply) -> Option<u64> {
    let (told, _) = reply.json::<Value>().ok()?;
    let resources = told["rateLimits"].as_array()?.iter().flat_map(|api| api["resources"].as_array()).flatten();
    let rates = resources.flat_map(|resource| resource["rates"].as_array()).flatten();
    let number = |value: &Value| meant(&value.to_string());
    let of_a_day = rates.filter(|rate| number(&rate["timeWindow"]) == Some(86_400));
    of_a_day.filter_map(|rate| number(&rate["limit"])).filter(|limit| *limit > 0).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i6_the_limit_of_a_day_is_read_and_one_of_another_time_is_not() {
        let read = |body: Value| most(&Reply { body: body.to_string().into_bytes(), ..Reply::default() });
        let rates =
            |rates: Value| json!({ "rateLimits": [{ "resources": [{ "name": "sell.fulfillment", "rates": rates }] }] });
        assert_eq!(read(rates(json!([{ "limit": 100_000, "remaining": 7, "timeWindow": 86_400 }]))), Some(100_000));
        assert_eq!(read(rates(json!([{ "limit": 50, "timeWindow": 300 }]))), None);
        assert_eq!(read(json!({ "rateLimits": null })), None);
        assert_eq!(read(json!([])), None);
    }
}
