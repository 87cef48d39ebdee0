//! A made-up channel, as small as one can be: a file of orders served over HTTP by a shop's own
//! program.
//!
//! It shows what an adapter owns and what it does not, and its tests show that the core needs
//! nothing more of a channel. A real one begins as a copy of this folder.
//!
//! | request | answer |
//! |---|---|
//! | `GET shop.json` | id, name and currency of the shop |
//! | `GET orders.json?since=SECONDS&after=ID` | at most 50 orders changed then or later, by change and id |
//! | `GET orders/ID.json` | one order, or 404 |
//! | `POST orders/ID/shipments.json` | ships the pieces in the body; gives the shipment's id |
//! | `PUT orders/ID/shipments/ID.json` | gives a shipment another number |
//! | `POST orders/ID/cancel.json` | cancels |
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
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{
    Adapter, CancelSupport, Cancellation, Cancelling, Capabilities, Channel, Cursor, DispatchPlan, Format, GuideTime,
    Notify, Page, Plan, Range, RemoteOrder, ShopInfo, Step, TrackingChange, TrackingPlan, UnknownCarrier, Write,
};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Order, Policies, Shipment};
use api::{Api, Operation};
use settings::Settings;

/// What this channel is before a store of it is open.
pub(crate) static ADAPTER: Adapter = Adapter {
    title: "Example",
    fields: settings::FIELDS,
    forms: settings::FORMS,
    auth_methods: &[],
    guide_time: GuideTime::minutes(1),
    sold_here: |_| true,
    policies: Policies::USUAL,
    format: |values| Ok(Box::new(Settings::read(values)?)),
    origin: |values| Ok(Settings::read(values)?.url),
    open: |connection| {
        let old = Settings::read(&connection.values)?.old;
        Ok(Box::new(Example { api: Api::new(connection)?, old }))
    },
};

/// A shop.
struct Example {
    api: Api,
    old: bool,
}

impl Format for Settings {
    fn order(&self, document: &[u8]) -> Result<Order> {
        map::order(document)
            .map_err(|why| Error::new(ErrorKind::Unreadable, format!("a stored order cannot be read: {why}")))
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
            overlap: Duration::ZERO,
            guide_time: ADAPTER.guide_time,
        }
    }

    fn probe(&self) -> Result<ShopInfo> {
        self.api.shop()
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        pages::plan(range)
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        pages::page(&self.api, at)
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        pages::one(&self.api, remote_id)
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

    fn cancel(&self, now: &RemoteOrder, _: &Cancellation, _: &[String]) -> Result<Step> {
        cancel::step(now)
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        self.api.carry_out(write.operation::<Operation>()?)
    }
}
