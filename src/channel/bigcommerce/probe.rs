//! Finding out about a store: its name, what the token may do, what the API of this store can do.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::{self, Api};
use super::document::INCLUDE;
use super::pages;
use super::settings::Settings;
use super::wire::{Head, Place, Store};
use crate::channel::ShopInfo;
use crate::error::{ErrorKind, Result};
use crate::http::Reply;
use crate::order::Currency;

/// Tests the token and finds out about the store.
///
/// The store hash is the identity: it is permanent, every token has to name it, and it is known
/// also to a token that may not read `/v2/store`.
pub(crate) fn probe(api: &Api, settings: &Settings) -> Result<ShopInfo> {
    let some_orders = has_orders(api)?;
    let mut warnings = vec![
        "whether the token may also ship and cancel (scope \"Orders: modify\") cannot be tried without changing something; the first dispatch shows it"
            .to_owned(),
    ];
    let reply = information(api, &mut warnings)?;
    let store = match &reply {
        Some(reply) if reply.status != 204 => reply.json::<Store<'_>>()?.0,
        _ => Store::default(),
    };
    let orders = pages::count(api, &[]).ok().flatten();
    let facts = Facts {
        store_id: store.store_id.id().map(str::to_owned),
        include: includes(api, some_orders)?,
        archived: lists_archived(api)?,
    };
    if !facts.include {
        warnings.push(
            "this store gives orders without their lines; each order takes two to three requests more, so a first sync is slow".to_owned(),
        );
    }
    api.learn(facts.clone());
    let name = format!("store {}", settings.store_hash);
    let url = super::map::first_of(store.secure_url.get(), &address(store.domain.get(), &settings.store_hash));
    Ok(ShopInfo {
        remote_id: settings.store_hash.clone(),
        title: super::map::first_of(store.name.get(), &name),
        url,
        currency: Currency::new(store.currency.get()),
        time_zone: super::map::first_of(store.timezone.0.name.get(), "UTC"),
        orders,
        facts: json!(facts),
        warnings,
        choices: Vec::new(),
    })
}

fn address(domain: &str, hash: &str) -> String {
    if domain.is_empty() { format!("https://store-{hash}.mybigcommerce.com") } else { format!("https://{domain}") }
}

/// The scope without which there is nothing to do. Gives whether there is an order at all.
fn has_orders(api: &Api) -> Result<bool> {
    let reply = an_order(api, Vec::new())?;
    Ok(!api::list(&reply)?.is_empty())
}

/// A page of one order: the oldest, or the newest where the store cannot show that.
fn an_order(api: &Api, mut query: Vec<(&str, String)>) -> Result<Reply> {
    query.push(("limit", "1".to_owned()));
    match api.get("v2/orders", &query) {
        Err(error) if error.is_too_much() => {
            query.push(("sort", "id:desc".to_owned()));
            api.get("v2/orders", &query)
        }
        reply => reply,
    }
}

/// What the store says of itself, where the token may read it.
fn information(api: &Api, warnings: &mut Vec<String>) -> Result<Option<Reply>> {
    match api.get("v2/store", &[]) {
        Ok(reply) => Ok(Some(reply)),
        Err(error) if error.kind() == ErrorKind::Permission => {
            warnings.push(
                "the token lacks the scope \"Information & Settings: read-only\": the store's name, currency and time zone are not known"
                    .to_owned(),
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether lines and addresses come with the list. A store without orders is taken at the
/// documents' word; a page that lacks them all the same is completed order by order.
fn includes(api: &Api, some_orders: bool) -> Result<bool> {
    let include = INCLUDE.map(|(name, value)| (name, value.to_owned()));
    let reply = match an_order(api, include.into_iter().collect()) {
        Ok(reply) => reply,
        Err(error) if error.kind() == ErrorKind::Failed => return Ok(false),
        Err(error) => return Err(error),
    };
    let rows = api::list(&reply)?;
    let listed = |head: Head<'_>| head.consignments.0.shipping.listed;
    Ok(!some_orders || rows.first().is_some_and(|row| serde_json::from_str(row.get()).is_ok_and(listed)))
}

/// Whether archived orders can be listed. A store that does not know the parameter gives its
/// ordinary orders; one that gives nothing knows it, or has no orders yet, and then the walk itself
/// finds out.
fn lists_archived(api: &Api) -> Result<bool> {
    let query = [("is_deleted", "true".to_owned()), ("limit", "1".to_owned())];
    let reply = match api.get("v2/orders", &query) {
        Ok(reply) => reply,
        Err(error) if error.kind() == ErrorKind::Failed => return Ok(false),
        // An order that the store cannot show: the walk itself finds out.
        Err(error) if error.is_too_much() => return Ok(true),
        Err(error) => return Err(error),
    };
    match api::list(&reply)?.first() {
        None => Ok(true),
        Some(row) => Ok(serde_json::from_str::<Place<'_>>(row.get()).is_ok_and(|head| head.is_deleted.is_true())),
    }
}

/// What is known about a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The store's numeric id, where the token may read it: what webhooks name.
    pub(crate) store_id: Option<String>,
    /// The list of orders is served with lines, addresses and fees in it (`include`), at one
    /// request for a page instead of three for each order.
    pub(crate) include: bool,
    /// Archived orders can be listed (`is_deleted=true`, which the current documents no longer
    /// mention).
    pub(crate) archived: bool,
}

impl Default for Facts {
    /// Before the first probe: what is documented is tried, what is not is left alone.
    fn default() -> Self {
        Self { store_id: None, include: true, archived: false }
    }
}
