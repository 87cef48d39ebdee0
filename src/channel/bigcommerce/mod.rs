//! BigCommerce: Orders V2 for orders, lines, addresses and shipments, Orders V3 for refunds.
//!
//! All apps of a store share one quota of requests, which every answer tells ([`errors::budget`]);
//! so orders are read with everything in them, 250 at a time ([`document`]), by keys that do not
//! move or only move ahead ([`super::keyset`]). What can be written is a closed list
//! ([`operation`]), because harmless and ruinous calls are neighbours here.
//!
//! # Sources
//!
//! Read in November 2026; the newest of the vendor's pages is of 2026-04-01.
//!
//! - github.com/bigcommerce/docs at 24f580ca: the OpenAPI files `orders.v2.oas2.yml` and
//!   `orders.v3.yml`; the pages `start/authentication/api-accounts`, `start/about/status-codes`,
//!   `start/migration/4_errors`, `api-docs/getting-started/api-rate-limits`,
//!   `store-operations/orders/refunds`.
//! - Public threads in the repositories of the vendor and of its API clients.
//! - Not documented, so both possibilities are handled: whether date bounds are inclusive, how late
//!   a change shows in the list, whether `is_deleted` still lists archived orders, and whether a
//!   shipment moves the order's status at once.

mod api;
mod auth;
mod cancel;
mod document;
mod errors;
mod lines;
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

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Cursor, DispatchPlan, Format, GuideTime,
    Heads, Hook, HookChange, Notify, Page, Pass, Plan, Range, RemoteOrder, ShopInfo, Step, Survey, TrackingChange,
    TrackingPlan, UnknownCarrier, Write, stored,
};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Order, Policies, Policy, Shipment};
use api::Api;
use operation::Operation;
use settings::Settings;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "BigCommerce",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &[],
    auth_methods: &[],
    of_shop: &[],
    guide_time: GuideTime::UNKNOWN,
    sold_here: |source| matches!(source, "www" | "mobile" | "iphone" | "ipad" | "android" | "checkout_api" | "manual"),
    ships: |_| true,
    renews_consent: true,
    policies: Policies { edits: Policy::Apply, address: Policy::Apply, cancels: Policy::Apply, ..Policies::USUAL },
    webhooks: Some(webhooks::WEBHOOKS),
    no_webhooks: "",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Settings::read(values).and_then(|_| settings::origin()),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        let api = Api::new(connection, &settings)?;
        Ok(Box::new(BigCommerce { api, settings }))
    },
};

/// How far a sync reaches back behind its cursor. How late a change shows in the list is not
/// documented.
const OVERLAP: Duration = Duration::from_secs(600);

/// A BigCommerce store.
struct BigCommerce {
    api: Api,
    settings: Settings,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, map::order)
    }
}

impl Channel for BigCommerce {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: true,
            for_parts: "",
            several_parcels: true,
            replace_tracking: true,
            notify: Notify::ShopDecides,
            unknown_carrier: UnknownCarrier::SentAsText,
            cancel: CancelSupport::Yes(Cancelling {
                money: "no money is given back by this",
                effect: "whether stock goes back and the buyer gets a mail is for the store's own settings",
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
        probe::probe(&self.api, &self.settings)
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        pages::plan(&self.api, &self.settings, range)
    }

    fn passes(&self, changes: &Cursor) -> Result<Vec<Pass>> {
        pages::passes(&self.api, &self.settings, changes)
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        pages::page(&self.api, &self.settings, at)
    }

    fn survey(&self, range: &Range) -> Result<Survey> {
        pages::survey(&self.api, &self.settings, range)
    }

    fn heads(&self, at: &Cursor) -> Result<Heads> {
        pages::heads(&self.api, &self.settings, at)
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        list::one(&self.api, numeric(remote_id)?, None)
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        _: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        shipments::plan(&self.api, self.settings.marker, now, numeric(&now.remote_id)?, shipment)
    }

    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        shipments::replacement(&self.api, numeric(&now.remote_id)?, change)
    }

    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, _: &[String]) -> Result<Step> {
        cancel::step(now, numeric(&now.remote_id)?, &cancellation.reason)
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        webhooks::list(&self.api)
    }

    fn change_hook(&self, change: &HookChange) -> Result<()> {
        webhooks::change(&self.api, change)
    }

    /// The receipt is the id of the shipment that was made. An order's own id is none: it may be
    /// the number of a shipment, too.
    fn is_overtaken(&self, write: &Write) -> Result<bool> {
        shipments::is_overtaken(&self.api, write.operation()?)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        let operation = write.operation()?;
        let reply = self.api.carry_out(operation)?;
        if !matches!(operation, Operation::Ship { .. }) {
            return Ok(None);
        }
        let made = reply.json::<wire::Nothing<'_>>().ok();
        Ok(made.and_then(|(made, _)| made.id.id().map(str::to_owned)))
    }
}

/// Ids go into paths, so only digits are let through.
fn numeric(remote_id: &str) -> Result<u64> {
    super::numeric(remote_id, "a BigCommerce store")
}
