//! WooCommerce, REST API `wc/v3`: every shop is a server of its own, of any version, with any
//! plugins, behind any firewall.
//!
//! Facts about the shop are found out once, by `probe` ([`probe`]): where the REST API is, how
//! credentials reach PHP there, which routes exist. They are stored with the store and read again
//! at the next `connect --test`.
//!
//! Orders are walked by a key ([`super::keyset`]): by modification time, or in a first sync also by
//! creation time in slices side by side. Tracking numbers have three possible homes
//! ([`shipments`]).
//!
//! # Sources
//!
//! Read in November 2026.
//!
//! - woocommerce.github.io/woocommerce-rest-api-docs: introduction, authentication, orders, order
//!   notes, order refunds, order fulfillments.
//! - github.com/woocommerce/woocommerce, the source up to 11.1: the REST controllers of orders,
//!   notes, refunds and fulfilments, `class-wc-rest-authentication`, `OrdersTableQuery`.
//! - Public threads on lists that lie (object caches, #65488), on `modified_after` and time zones
//!   (#37697, #39215), on stripped headers and broken JSON, in the repositories of WooCommerce, its
//!   API clients and its apps.
//! - Answers recorded from real shops (10.0.2 and 10.5.0, orders in HPOS and in posts), which win
//!   over the pages.
//! - Not confirmed, so handled both ways: the form of the fulfilments' list before 10.5, and the
//!   namespace of the Shipment Tracking extension.

mod api;
mod auth;
mod cancel;
mod document;
mod errors;
mod goods;
mod list;
mod map;
mod operation;
mod pages;
mod probe;
mod settings;
mod shipments;
mod status;
mod webhooks;
mod wire;

use std::time::Duration;

use serde_json::value::RawValue;

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Cursor, DispatchPlan, Format, Found,
    GuideTime, Heads, Hook, HookChange, Notify, Page, Pass, Plan, Range, RemoteOrder, ShopInfo, Step, Survey,
    TrackingChange, TrackingPlan, UnknownCarrier, Unshown, Write, stored,
};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Order, Policies, Shipment};
use api::Api;
use operation::Operation;
use settings::{Settings, Tracking};

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "WooCommerce",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &[],
    auth_methods: &[],
    of_shop: &[],
    guide_time: GuideTime::minutes(30),
    sold_here: |source| matches!(source, "checkout" | "store-api" | "admin"),
    ships: |_| true,
    renews_consent: true,
    policies: Policies::USUAL,
    webhooks: Some(webhooks::WEBHOOKS),
    no_webhooks: "",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Ok(Settings::read(values)?.url),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        let api = Api::new(connection, &settings)?;
        Ok(Box::new(WooCommerce { api, settings }))
    },
};

/// How far a sync reaches back behind its cursor: bulk jobs, and a database and a PHP whose clocks
/// differ.
const OVERLAP: Duration = Duration::from_secs(600);

/// A WooCommerce shop.
struct WooCommerce {
    api: Api,
    settings: Settings,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, |text| map::order(text, &self.statuses))
    }
}

impl WooCommerce {
    /// Where tracking numbers go in this shop.
    fn home(&self) -> Tracking {
        self.settings.tracking.unwrap_or_else(|| self.api.facts().tracking_home())
    }

    /// Orders with what their rows in a list lack.
    fn complete(&self, orders: Vec<RemoteOrder>, unshown: Vec<Unshown>) -> Result<Found> {
        let complete = document::complete(&self.api, &self.settings.statuses, orders)?;
        Ok(Found { orders: complete.orders, unshown: unshown.into_iter().chain(complete.unshown).collect() })
    }

    fn remote(&self, document: &RawValue) -> RemoteOrder {
        list::remote(document, &self.settings.statuses)
    }
}

impl Channel for WooCommerce {
    fn capabilities(&self) -> Capabilities {
        let home = self.home();
        Capabilities {
            partial: home == Tracking::Fulfillments,
            for_parts: ", or turn on the shop's order fulfilments and run ordersync connect --test",
            several_parcels: true,
            notify: match home {
                Tracking::Fulfillments | Tracking::Note => Notify::Choice,
                Tracking::Extension | Tracking::None => Notify::ShopDecides,
            },
            unknown_carrier: UnknownCarrier::SentAsText,
            replace_tracking: matches!(home, Tracking::Fulfillments | Tracking::Extension),
            cancel: CancelSupport::Yes(Cancelling {
                money: "no money is given back by this",
                effect: "stock that the order had taken goes back, and the shop sends the mails that it is set to",
                reason: "",
                restock: false,
                notify: false,
                refund: false,
                taken: true,
            }),
            in_flight: 4,
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
        pages::plan(&self.api, &self.settings, range)
    }

    fn passes(&self, changes: &Cursor) -> Result<Vec<Pass>> {
        pages::passes(&self.api, &self.settings, changes)
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        let page = pages::page(&self.api, &self.settings, at)?;
        let Found { orders, unshown } = self.complete(page.orders, page.unshown)?;
        Ok(Page { orders, unshown, ..page })
    }

    fn orders(&self, remote_ids: &[String]) -> Result<Found> {
        let ids = remote_ids.iter().filter_map(|id| id.parse().ok()).collect();
        let found = pages::of_ids(&self.api, &self.settings, ids)?;
        self.complete(found.orders, found.unshown)
    }

    fn survey(&self, range: &Range) -> Result<Survey> {
        pages::survey(&self.api, &self.settings, range)
    }

    fn heads(&self, at: &Cursor) -> Result<Heads> {
        pages::heads(&self.api, &self.settings, at)
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        let reply = self.api.get(&operation::order_route(numeric(remote_id)?, ""), &[])?;
        if reply.status == 404 {
            return Ok(None);
        }
        let row = crate::channel::rows::single(&reply)?;
        if list::is_draft(&row) {
            let text = format!("order {remote_id} is a draft, a checkout that is not finished; nothing was written");
            let hint = "it comes with the next sync once the buyer has placed it";
            return Err(Error::new(ErrorKind::NotFound, text).hint(hint));
        }
        let seen = self.remote(&row);
        let mut complete = document::complete(&self.api, &self.settings.statuses, vec![seen])?;
        match complete.unshown.pop() {
            Some(hidden) => Err(Error::new(ErrorKind::Temporary, hidden.why).too_much()),
            None => Ok(complete.orders.pop()),
        }
    }

    fn unknown_status(&self, order: &Order) -> Option<String> {
        let word = &order.channel_status;
        status::is_unknown(word, &self.settings.statuses).then(|| status::plain(word))
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        receipts: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        shipments::plan(&self.api, self.home(), (now, numeric(&now.remote_id)?), shipment, receipts)
    }

    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        receipts: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        shipments::replacement(&self.api, self.home(), numeric(&now.remote_id)?, change, receipts)
    }

    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
        cancel::step(&self.api, now, numeric(&now.remote_id)?, &cancellation.reason, receipts)
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        webhooks::list(&self.api)
    }

    fn change_hook(&self, change: &HookChange) -> Result<()> {
        webhooks::change(&self.api, change)
    }

    fn is_overtaken(&self, write: &Write) -> Result<bool> {
        shipments::is_overtaken(&self.api, write.operation()?)
    }

    fn has_replaced_cancellation(&self, now: &RemoteOrder, shipment: &Shipment) -> Result<bool> {
        shipments::has_replaced_cancellation(&self.api, numeric(&now.remote_id)?, shipment)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        let operation: &Operation = write.operation()?;
        let reply = self.api.write(operation)?;
        Ok(shipments::receipt(operation, &reply.body))
    }
}

/// Ids go into paths, so only digits are let through.
fn numeric(remote_id: &str) -> Result<u64> {
    super::numeric(remote_id, "a WooCommerce shop")
}
