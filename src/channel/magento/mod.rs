//! Magento Open Source and Adobe Commerce 2.4, REST API `V1` of the admin: every shop is a server
//! of its own, with any modules, behind any proxy. Commerce as a cloud service is another API.
//!
//! Facts about the shop are found out once, by `probe` ([`probe`]): where the API is, what the
//! integration may read, store views and inventory sources. They are stored with the store and read
//! again at the next `connect --test`.
//!
//! Orders are walked by a key ([`super::keyset`]), with no more of each than is read
//! ([`document`]). Part shipments and added tracking numbers move no order's time, so shipments are
//! looked through beside them ([`pages`]). What can be written is a closed list ([`operation`]).
//!
//! # Sources
//!
//! Read in November 2026.
//!
//! - github.com/AdobeDocs/commerce-webapi at e2275b56: the OpenAPI files of 2.4.6 and 2.4.9; the
//!   pages on authentication (OAuth, tokens, errors), on search criteria, on filtered responses, on
//!   limits, and the tutorials on orders and on inventory.
//! - github.com/magento/magento2 and github.com/magento/inventory: the issues that are named where
//!   something follows from them, and the source of shipping, cancelling and inventory.
//! - github.com/mage-os/mageos-async-events and mageos-common-async-events: what `webhooks` names.
//! - Answers recorded from real shops (2.4.7-p3, 2.4.8-p2), which win over the pages.
//! - Not confirmed, so handled both ways: whether a page beyond the end is empty or the last one
//!   again; whether an answer of `ship` is a number or a text; which messages a nonce that was used
//!   has.

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
mod refunds;
mod settings;
mod shipments;
mod status;
mod webhooks;
mod wire;

use std::time::Duration;

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Cursor, DispatchPlan, Format, Found,
    GuideTime, Heads, Hook, HookChange, Notify, Page, Pass, Plan, Range, RemoteOrder, ShopInfo, Step, Survey,
    TrackingChange, TrackingPlan, UnknownCarrier, Write, status_words, stored,
};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Order, Policies, Shipment};
use api::Api;
use settings::Settings;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "Magento",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &[],
    auth_methods: settings::AUTH_METHODS,
    of_shop: &["store_view", "source"],
    guide_time: GuideTime::minutes(120),
    sold_here: |source| source == map::CHECKOUT,
    ships: |words| shipments::may_ship(map::apart(words).0).is_ok(),
    renews_consent: true,
    policies: Policies::USUAL,
    webhooks: Some(webhooks::WEBHOOKS),
    no_webhooks: "",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Ok(Settings::read(values)?.url),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        let api = Api::new(connection, &settings)?;
        Ok(Box::new(Magento { api, settings }))
    },
};

/// How far a sync reaches back behind its cursor: a long transaction commits late, with an older
/// time.
const OVERLAP: Duration = Duration::from_secs(600);

/// A Magento shop.
struct Magento {
    api: Api,
    settings: Settings,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, |text| map::order(text, &self.statuses))
    }
}

impl Channel for Magento {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: true,
            for_parts: "",
            several_parcels: true,
            replace_tracking: true,
            notify: Notify::Choice,
            unknown_carrier: UnknownCarrier::SentAsText,
            cancel: CancelSupport::Yes(Cancelling {
                money: "no money is given back by this; an authorised payment is released where its gateway can",
                effect: "stock that was reserved for the order is released, and the shop sends no mail",
                reason: "",
                restock: false,
                notify: false,
                refund: false,
                taken: false,
            }),
            in_flight: 4,
            beside: u32::from(self.api.facts().shipments),
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
        pages::passes(&self.api, changes)
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
        list::one(&self.api, &self.settings, numeric(remote_id)?, None)
    }

    fn orders(&self, remote_ids: &[String]) -> Result<Found> {
        let ids = remote_ids.iter().filter_map(|id| id.parse().ok()).collect();
        pages::of_ids(&self.api, &self.settings, ids)
    }

    fn unknown_status(&self, order: &Order) -> Option<String> {
        let (state, code) = map::apart(&order.channel_status);
        status::is_unknown(state, code, &self.settings.statuses).then(|| status_words::plain(code))
    }

    fn may_dispatch(&self, _: &Order, _: &Shipment) -> Result<()> {
        shipments::source(&self.api, &self.settings).map(drop)
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        _: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        shipments::plan(&self.api, &self.settings, now, numeric(&now.remote_id)?, shipment)
    }

    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        shipments::replacement(&self.api, numeric(&now.remote_id)?, change)
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

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        self.api.carry_out(write.operation()?)
    }
}

/// Ids go into paths, so only digits are let through.
fn numeric(remote_id: &str) -> Result<u64> {
    super::numeric(remote_id, "a Magento shop")
}
