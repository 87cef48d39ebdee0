//! A made-up channel, as small as one can be: a shop's own program that serves its orders as JSON.
//!
//! It shows what an adapter owns and what it does not: all that the contract of a channel asks for
//! (`tests/contract`) holds for it, and the core needs nothing more of one. A real one begins as a
//! copy of this folder. Only what is built for the tests knows it.
//!
//! | request | answer |
//! |---|---|
//! | `GET shop` | id, name and currency of the shop |
//! | `GET orders` | the first orders of a list |
//! | `GET orders/count` | how many orders a list has |
//! | `GET orders/ID` | one order, or 404 |
//! | `POST orders/ID/shipments` | ships pieces and mails the buyer; gives the shipment's id |
//! | `PUT orders/ID/shipments/ID` | gives a shipment another carrier and number |
//! | `POST orders/ID/done` | closes an order that takes no parcel |
//! | `POST orders/ID/cancel` | cancels; the reason is for the staff |
//!
//! | `GET hooks` | the subscriptions to webhooks |
//! | `POST hooks` | subscribes an address to a topic; the shop asks there whether it may |
//! | `PUT hooks/ID`, `DELETE hooks/ID` | switches a subscription on, takes it away |
//! | `GET keys?id=ID` | a key that deliveries are signed with |
//!
//! A list has `limit` orders at most, by `sort` (`id`, or `changed`: the time of change) in this
//! `order` (`asc`, `desc`), and only those within `id_from`, `id_to`, `changed_from` and
//! `changed_to`, both ends included.
//!
//! What it does not do: keep several numbers for a shipment, let the merchant decide whether the
//! buyer is told, give money back, tell of pieces given back whether they had been sent. An old
//! program ships whole orders only, changes no number and cancels nothing.
//!
//! # Sources
//!
//! - None: nobody sells here.

mod api;
mod cancel;
mod map;
mod pages;
mod settings;
mod shipments;
mod webhooks;

use std::time::Duration;

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Cursor, DispatchPlan, Format, GuideTime,
    Heads, Hook, HookChange, Notify, Page, Plan, Range, RemoteOrder, ShopInfo, Step, Survey, TrackingChange,
    TrackingPlan, UnknownCarrier, Write, keyset, stored,
};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Order, Policies, Shipment};
use crate::secret::Secret;
use api::{Api, Operation};
use pages::Orders;
use settings::Settings;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "Example",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    switches: &[],
    auth_methods: &[],
    of_shop: &[],
    guide_time: GuideTime::minutes(1),
    sold_here: |source| source != "import",
    ships: |_| true,
    renews_consent: true,
    policies: Policies::USUAL,
    webhooks: Some(webhooks::WEBHOOKS),
    no_webhooks: "",
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Ok(Settings::read(values)?.url),
    open: |connection| {
        let settings = Settings::read(&connection.values)?;
        Ok(Box::new(Example { api: Api::new(connection, &settings)?, old: settings.old }))
    },
};

/// How far a sync reaches back behind its cursor: the shop's list shows a change within seconds, and
/// a clock that was put right is met with some minutes.
const OVERLAP: Duration = Duration::from_secs(600);

/// A shop.
struct Example {
    api: Api,
    old: bool,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        stored(document, map::order)
    }
}

/// What cancelling does.
const CANCELLING: Cancelling = Cancelling {
    money: "no money is given back by this",
    effect: "",
    reason: "",
    restock: false,
    notify: false,
    refund: false,
    taken: true,
};

impl Channel for Example {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: !self.old,
            for_parts: ", or have the shop brought up to date",
            several_parcels: false,
            replace_tracking: !self.old,
            notify: Notify::ShopDecides,
            unknown_carrier: if self.old { UnknownCarrier::Refused } else { UnknownCarrier::SentAsText },
            cancel: if self.old { CancelSupport::No("write to the shop") } else { CancelSupport::Yes(CANCELLING) },
            in_flight: 1,
            beside: 0,
            overlap: OVERLAP,
            guide_time: ADAPTER.guide_time,
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.api.told_now()
    }

    fn probe(&self) -> Result<ShopInfo> {
        self.api.shop()
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        keyset::plan(&Orders::of(&self.api), range)
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        keyset::page(&Orders::of(&self.api), at.position::<pages::Position>()?)
    }

    fn survey(&self, range: &Range) -> Result<Survey> {
        keyset::survey(&Orders::of(&self.api), range)
    }

    fn heads(&self, at: &Cursor) -> Result<Heads> {
        keyset::heads(&Orders::of(&self.api), at.position::<pages::Position>()?)
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        pages::one(&self.api, remote_id, None)
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        _: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        shipments::plan(now, shipment)
    }

    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        shipments::replacement(now, change)
    }

    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, _: &[String]) -> Result<Step> {
        cancel::step(now, &cancellation.reason)
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        webhooks::list(&self.api)
    }

    fn change_hook(&self, change: &HookChange) -> Result<()> {
        webhooks::change(&self.api, change)
    }

    fn hook_key(&self, id: &str) -> Result<Option<Secret>> {
        webhooks::key(&self.api, id)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        self.api.carry_out(write.operation::<Operation>()?)
    }
}
