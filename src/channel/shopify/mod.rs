//! Shopify, Admin GraphQL `2026-10`: one address and one schema for every shop, a budget of points,
//! and a search index that lags.
//!
//! Orders come in three ways that give the same document ([`document`]): in pages ([`pages`]), in
//! bulk ([`bulk`]) and one by one. What the adapter sends is all in [`query`]. Parcels go out
//! through *fulfilment orders*, which Shopify makes per location ([`shipments`]).
//!
//! Ids are the number at the end of Shopify's global ids: `gid://shopify/Order/820982911946154508`
//! is order `820982911946154508`.
//!
//! # Sources
//!
//! Read in November 2026.
//!
//! - The schema of the Admin GraphQL API `2026-10` with its descriptions; the table of access
//!   scopes in Shopify's own package.
//! - shopify.dev: "Generate access tokens for admin-created custom apps", "Get API access tokens
//!   for Dev Dashboard apps" (client-credentials grant, no refresh token, `expires_in` 86399),
//!   "GraphQL Admin API rate limits", "Work with protected customer data".
//! - github.com/airhorns/shopify-draft-proxy: answers recorded from live shops, versions 2025-01
//!   and 2026-04.
//! - Not documented, so measured or handled both ways: the price of a query beyond its fields, and
//!   how long the search index lags behind the orders.

mod api;
mod around;
mod auth;
mod bulk;
mod cancel;
mod document;
mod errors;
mod list;
mod map;
mod operation;
mod pages;
mod probe;
pub mod query;
mod settings;
mod shipments;
mod sizes;
mod slices;
mod webhooks;
mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Cursor, DispatchPlan, Format, Found,
    GuideTime, Heads, Hook, HookChange, Notify, Page, Plan, Range, RemoteOrder, ShopInfo, Step, Survey, TrackingChange,
    TrackingPlan, UnknownCarrier, Unshown, Write, stored,
};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Order, Policies, Policy, Shipment};
use api::Api;
use list::Span;
pub use operation::Operation;
use settings::Settings;
use sizes::chokes;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "Shopify",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &[],
    auth_methods: settings::AUTH_METHODS,
    of_shop: &[],
    guide_time: GuideTime::minutes(30),
    sold_here: |source| matches!(source, "web" | "pos" | "iphone" | "android"),
    ships: |words| !words.split(map::AND).any(|word| matches!(word, map::ON_HOLD | map::SCHEDULED)),
    renews_consent: true,
    policies: Policies { cancels: Policy::Apply, ..Policies::USUAL },
    webhooks: Some(webhooks::WEBHOOKS),
    no_webhooks: "",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Settings::read(values)?.origin(),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        let api = Api::new(connection, &settings)?;
        Ok(Box::new(Shopify { api, settings }))
    },
};

/// How far a sync reaches back behind its cursor: the list of orders is served by a search index
/// that lags by seconds, sometimes more.
const OVERLAP: Duration = Duration::from_secs(300);

/// A Shopify shop.
struct Shopify {
    api: Api,
    settings: Settings,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, |text| map::order(text, self.authorized))
    }
}

impl Channel for Shopify {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: true,
            for_parts: "",
            several_parcels: true,
            replace_tracking: true,
            notify: Notify::Choice,
            unknown_carrier: UnknownCarrier::SentAsText,
            cancel: CancelSupport::Yes(Cancelling {
                money: "a payment that is only authorised is voided; money is given back only with --refund",
                effect: "",
                reason: "a reason of customer, declined, fraud, inventory or staff becomes Shopify's own, any other text a note for the staff",
                restock: true,
                notify: true,
                refund: true,
                taken: true,
            }),
            // The budget holds walks back, not their number: with 1.5 s for a request, four leave
            // points unused, because orders with many lines cost requests of their own
            // (benches/permitted_rate.rs). With eight, their pages together are over 64 MiB.
            in_flight: 6,
            beside: 0,
            overlap: OVERLAP,
            guide_time: ADAPTER.guide_time,
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.api.told_now()
    }

    fn probe(&self) -> Result<ShopInfo> {
        probe::probe(&self.api)
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        slices::plan(&self.api, &self.settings, range)
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        pages::page(&self.api, &self.settings, at)
    }

    fn survey(&self, range: &Range) -> Result<Survey> {
        let second = |at: Option<Timestamp>| at.map(|at| at.timestamp());
        pages::survey(&self.api, Span { since: second(range.since), until: second(range.until) })
    }

    fn heads(&self, at: &Cursor) -> Result<Heads> {
        pages::heads(&self.api, &self.settings, at)
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        let Some(id) = self.owners(&[remote_id.to_owned()])?.pop() else { return Ok(None) };
        let sizes = &self.api.sizes;
        let ask = |lines: u32| self.api.ask(&query::ORDER, json!({ "id": id, "lines": lines }));
        let answer = sizes.fitting(&sizes.order_lines, u32::MAX, ask)?;
        let data: wire::OneOrder = answer.read()?;
        let Some(mut order) = data.order else { return Ok(None) };
        let text = order.to_string();
        answer.mark(&mut order, || text);
        let documents = document::complete(&self.api, std::iter::once(order))?;
        Ok(documents.into_iter().next().map(|document| pages::remote(document, self.settings.authorized)))
    }

    fn orders(&self, remote_ids: &[String]) -> Result<Found> {
        let ids = self.owners(remote_ids)?;
        match pages::by_ids(&self.api, &self.settings, &ids) {
            // One of them may be the reason.
            Err(error) if chokes(&error) => {
                let mut found = Found::default();
                for id in ids.iter().map(|id| number(id)) {
                    match self.order(id) {
                        Ok(order) => found.orders.extend(order),
                        Err(error) if error.is_too_much() => found.unshown.push(Unshown::of(id.to_owned(), &error)),
                        Err(error) => return Err(error),
                    }
                }
                Ok(found)
            }
            orders => orders.map(|orders| Found { orders, ..Found::default() }),
        }
    }

    fn no_order(&self, remote_id: &str) -> Error {
        probe::gone(&self.api, remote_id)
    }

    fn shown_since(&self) -> Option<Timestamp> {
        self.api.shown_since()
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        _: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        shipments::plan(&self.api, now, shipment)
    }

    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        shipments::replacement(&self.api, &now.remote_id, change)
    }

    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
        cancel::step(&self.api, now, cancellation, receipts)
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        webhooks::list(&self.api)
    }

    fn may_subscribe(&self, topic: &str) -> bool {
        self.api.sees_routes() || !webhooks::is_of_routes(topic)
    }

    fn change_hook(&self, change: &HookChange) -> Result<()> {
        webhooks::change(&self.api, change)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        operation::apply(&self.api, write.operation()?)
    }
}

impl Shopify {
    /// The global ids of these orders. One may be told by a fulfilment order of it, which is what a
    /// delivery about a hold names; of one that is there no more nothing is known.
    fn owners(&self, ids: &[String]) -> Result<Vec<String>> {
        let (routes, orders): (Vec<&String>, Vec<&String>) = ids.iter().partition(|id| webhooks::is_route(id));
        let mut found: Vec<String> = orders.into_iter().map(|id| gid("Order", id)).collect::<Result<_>>()?;
        if !routes.is_empty() {
            let listed = match self.api.ask(&query::OWNERS, json!({ "ids": routes })) {
                Ok(answer) => answer.read::<wire::Listed>()?,
                // Whose they are the app may not know any more; what else was asked for is read.
                Err(error) if error.kind() == ErrorKind::Permission => wire::Listed { nodes: Vec::new() },
                Err(error) => return Err(error),
            };
            let owner = |node: Value| wire::Owner::deserialize(node).ok()?.order_id;
            let owners = listed.nodes.into_iter().flatten().filter_map(owner);
            found.extend(owners.map(|id| gid("Order", &id)).collect::<Result<Vec<_>>>()?);
            let mut seen = BTreeSet::new();
            found.retain(|id| seen.insert(id.clone()));
        }
        Ok(found)
    }
}

/// Shopify's global id for one of ours.
fn gid(kind: &str, id: &str) -> Result<String> {
    let number = id.strip_prefix(&format!("gid://shopify/{kind}/")).unwrap_or(id);
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(format!("gid://shopify/{kind}/{number}"));
    }
    let text = format!("{id:?} is not an id of Shopify's; nothing was sent");
    Err(Error::new(ErrorKind::NotFound, text))
}

/// The number at the end of a global id, which is ours.
fn number(gid: &str) -> &str {
    let last = gid.rsplit('/').next().unwrap_or(gid);
    last.split('?').next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_short_and_long_and_nothing_else_reaches_a_query() {
        assert_eq!(gid("Order", "820982911946154508").unwrap(), "gid://shopify/Order/820982911946154508");
        assert_eq!(gid("Order", "gid://shopify/Order/7").unwrap(), "gid://shopify/Order/7");
        for bad in ["", "abc", "7\"", "gid://shopify/Order/", "gid://shopify/FulfillmentOrder/7"] {
            assert_eq!(gid("Order", bad).unwrap_err().kind(), ErrorKind::NotFound, "{bad}");
        }
    }
}
