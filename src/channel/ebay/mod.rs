//! eBay: the Sell Fulfillment API and Post-Order, for a seller's own keyset and account.
//!
//! The list of orders has all that belongs to one but its parcels, and but who wants to cancel it. It is
//! paged by places, and moves while it is read ([`pages`]). Names and streets are told for 90 days, an
//! address for mails for 14 (P-11); orders older than two years for nobody.
//!
//! A parcel is told of once: eBay tells the buyer each time and takes nothing back ([`shipments`]). A
//! cancellation is asked for, and done when eBay has closed it ([`cancel`]).
//!
//! # Sources
//!
//! Read in November 2026.
//!
//! - eBay's OpenAPI files of Sell Fulfillment 1.20.7, Identity 2.0.0, Developer Analytics v1_beta and
//!   Post-Order 2.8.0, and the pages of developer.ebay.com on OAuth, RuNames, call limits, cancellations
//!   and account deletion.
//! - Threads of its API clients, among them hendt/ebay-api#76 (Post-Order answers 401 to a Bearer), #145
//!   and #68 (signs of a filter), #58 (1100), #77 (`invalid_grant`), davidtsadler/ebay-sdk-examples#42
//!   (1001), ebay-sdk-php#73 (members that come over night), openlinker#2880 (pages that move).
//! - Not documented, so both possibilities are handled: the order of the list, whether a bound belongs
//!   to it, how late a change shows in it, what stands in `cancelState`, what a second parcel with the
//!   number of the first answers.

mod api;
mod auth;
mod cancel;
mod document;
mod errors;
mod list;
mod map;
mod operation;
mod pages;
mod probe;
mod settings;
mod shipments;
mod signing;
mod status;
mod webhooks;
mod wire;

use std::time::Duration;

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Consent, Cursor, DispatchPlan, Format,
    GuideTime, Heads, Hook, HookChange, Notify, Page, Plan, Quota, Range, RemoteOrder, ShopInfo, Step, Survey,
    TrackingChange, TrackingPlan, UnknownCarrier, Write, impossible, stored,
};
use crate::clock::{Timestamp, from_millis};
use crate::error::Result;
use crate::order::{Order, Policies, Shipment};
use crate::secret::Secret;
use api::Api;
use settings::Settings;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "eBay",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &["sandbox"],
    auth_methods: &[],
    of_shop: &[],
    guide_time: GuideTime::minutes(60),
    sold_here: |_| true,
    ships: |_| true,
    renews_consent: false,
    policies: Policies::USUAL,
    webhooks: Some(webhooks::WEBHOOKS),
    no_webhooks: "",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Settings::read(values).and_then(|settings| auth::Hosts::of(&settings).api("/")),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        Ok(Box::new(Ebay { api: Api::new(connection, &settings)?, settings, offer: Default::default() }))
    },
};

/// How far a sync reaches back behind its cursor. How late a change shows in the list is not
/// documented.
const OVERLAP: Duration = Duration::from_secs(600);

/// The requests of a day where eBay tells none: what people have written down.
const USUAL_QUOTA: u64 = 100_000;

/// An account.
struct Ebay {
    api: Api,
    settings: Settings,
    offer: webhooks::Offer,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, map::order)
    }
}

impl Channel for Ebay {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: true,
            for_parts: "",
            several_parcels: true,
            replace_tracking: false,
            notify: Notify::Always,
            unknown_carrier: UnknownCarrier::SentAsOther,
            cancel: CancelSupport::Yes(Cancelling {
                money: "eBay gives the buyer's money back with it",
                effect: "eBay tells the buyer, and counts it against the seller unless --reason says that the buyer asked for it, or names the address",
                reason: "of the reason eBay is told which of its own it is",
                restock: false,
                notify: false,
                refund: false,
                taken: true,
            }),
            in_flight: 2,
            beside: 0,
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

    fn quota(&self) -> Option<Quota> {
        Some(Quota { permitted: self.api.permitted().unwrap_or(USUAL_QUOTA), left: None })
    }

    fn probe(&self) -> Result<ShopInfo> {
        probe::probe(&self.api, &self.settings)
    }

    fn furnish(&self, shop: &mut ShopInfo) -> Result<()> {
        signing::furnish(&self.api, &self.settings, shop)
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        pages::plan(&self.api, range)
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
        document::one(&self.api, remote_id)
    }

    fn shown_since(&self) -> Option<Timestamp> {
        Some(from_millis(list::reach(list::now(&self.api))))
    }

    fn may_dispatch(&self, order: &Order, shipment: &Shipment) -> Result<()> {
        shipments::refuse(order, shipment)
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
        _: &'a RemoteOrder,
        _: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        Err(impossible("eBay's API changes no tracking number that it was told")
            .hint("change it in Seller Hub > Orders"))
    }

    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
        cancel::step(&self.api, now, cancellation, receipts)
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        webhooks::list(&self.api, &self.offer)
    }

    fn may_subscribe(&self, topic: &str) -> bool {
        self.offer.has(topic)
    }

    fn change_hook(&self, change: &HookChange) -> Result<()> {
        webhooks::change(&self.api, self.settings.alert_email.as_deref(), change)
    }

    fn hook_key(&self, id: &str) -> Result<Option<Secret>> {
        webhooks::key(&self.api, id)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        shipments::apply(&self.api, write.operation()?)
    }
}
