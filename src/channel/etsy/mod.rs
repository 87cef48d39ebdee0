//! Etsy: Open API v3, for a merchant's own app and shop.
//!
//! A receipt (Etsy's word for an order) comes whole with its row, a hundred at a time; so orders are
//! read by their times ([`super::keyset`]). Its modification time does not move with a refund or
//! another ship-by date, and cancelled ones may be on a list of their own: both are looked through
//! besides ([`pages`]).
//!
//! The one write tells of a parcel. It is not repeatable, marks the whole receipt as shipped and
//! mails the buyer each time; it cannot be taken back, and nothing can be cancelled or given back
//! ([`shipments`]).
//!
//! # Sources
//!
//! Read in November 2026.
//!
//! - The vendor's OpenAPI file `3.0.0.json` as of 2026-08-17, and the pages of
//!   developers.etsy.com: authentication, rate limits, request standards, webhooks.
//! - Threads of github.com/etsy/open-api and of its API clients, among them #157 (tracking dropped in
//!   silence), #339, #513, #604 (what moves no time), #422 (limit), #451 (tracking required), #510
//!   (rows on two pages), #344 (farthest place).
//! - Not documented, so both possibilities are handled: whether bounds are inclusive, whether a list
//!   that says nothing of cancelled receipts has them, whether a list of receipts has a farthest
//!   place, how many requests an app of a merchant's own is permitted, and whether Etsy marks what is
//!   only downloaded as shipped.

mod api;
mod auth;
mod cancel;
mod errors;
mod list;
mod map;
mod operation;
mod pages;
mod probe;
mod settings;
mod shipments;
mod status;
mod wire;

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Adapter, CancelSupport, Cancellation, Capabilities, Channel, Consent, Cursor, DispatchPlan, Format, GuideTime,
    Heads, Notify, Page, Pass, Plan, Quota, Range, RemoteOrder, ShopInfo, Step, Survey, TrackingChange, TrackingPlan,
    UnknownCarrier, Write, impossible, stored,
};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Order, Policies, Shipment};
use api::Api;
use settings::Settings;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "Etsy",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &[],
    auth_methods: &[],
    of_shop: &["shop_id"],
    guide_time: GuideTime::minutes(30),
    sold_here: |source| matches!(source, "etsy.com" | "pattern"),
    ships: |_| true,
    renews_consent: true,
    policies: Policies::USUAL,
    webhooks: None,
    no_webhooks: "Etsy sends webhooks to commercial apps only, and a merchant's own app is none",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Settings::read(values).and_then(|_| auth::address("/")),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        Ok(Box::new(Etsy { api: Api::new(connection, &settings)?, settings }))
    },
};

/// How far a sync reaches back behind its cursor. How late a change shows in the list is not
/// documented.
const OVERLAP: Duration = Duration::from_secs(600);

/// A shop.
struct Etsy {
    api: Api,
    settings: Settings,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, map::order)
    }
}

impl Channel for Etsy {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: false,
            for_parts: ": Etsy calls all of it shipped with the first parcel",
            several_parcels: true,
            replace_tracking: false,
            notify: Notify::Always,
            unknown_carrier: UnknownCarrier::SentAsOther,
            cancel: CancelSupport::No(cancel::WHERE),
            in_flight: 4,
            beside: 1,
            overlap: OVERLAP,
            guide_time: ADAPTER.guide_time,
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.api.told_now()
    }

    fn consent(&self) -> Option<Box<dyn Consent + '_>> {
        self.api.auth.consent()
    }

    fn lapses_after(&self) -> Option<TimeDelta> {
        Some(auth::UNUSED)
    }

    fn quota(&self) -> Option<Quota> {
        Some(pages::quota(&self.api))
    }

    fn probe(&self) -> Result<ShopInfo> {
        probe::probe(&self.api.auth, &self.settings)
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        pages::plan(&self.api, range)
    }

    fn passes(&self, changes: &Cursor) -> Result<Vec<Pass>> {
        pages::passes(&self.api, changes)
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        pages::page(&self.api, at)
    }

    fn survey(&self, range: &Range) -> Result<Survey> {
        pages::survey(&self.api, range)
    }

    fn heads(&self, at: &Cursor) -> Result<Heads> {
        pages::heads(&self.api, at)
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        list::one(&self.api, numeric(remote_id)?, None)
    }

    fn may_dispatch(&self, order: &Order, shipment: &Shipment) -> Result<()> {
        shipments::refuse_bare(order, self.api.country(), shipment)
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        _: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        shipments::plan(self.api.country(), now, numeric(&now.remote_id)?, shipment)
    }

    fn plan_tracking<'a>(
        &'a self,
        _: &'a RemoteOrder,
        _: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        Err(impossible("Etsy takes no other tracking number for a parcel, and takes none away"))
    }

    fn cancel(&self, now: &RemoteOrder, _: &Cancellation, _: &[String]) -> Result<Step> {
        cancel::step(now)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        shipments::apply(&self.api, write.operation()?)
    }
}

/// Ids go into paths, so only digits are let through.
fn numeric(remote_id: &str) -> Result<u64> {
    super::numeric(remote_id, "an Etsy shop")
}
