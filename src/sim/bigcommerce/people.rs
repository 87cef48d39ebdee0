//! The store as the demo, the contract tests and control over HTTP know every simulated store. See [`crate::sim`].

use serde_json::{Value, json};

use super::hands::NewOrder;
use super::options::{REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN};
use super::render::{self, Expand};
use super::state::{Refund, Shipment};
use super::{Shop, seed};
use crate::channel::ChannelKind;
use crate::clock::Timestamp;
use crate::sim::http::Response;
use crate::sim::{Access, Counters, Purchase, Simulated, Standing};

/// An id as this store has it; 0, which no order has, for anything else.
fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

/// An amount in hundredths.
fn cents(amount: &str) -> Option<i64> {
    let amount = amount.trim().parse::<rust_decimal::Decimal>().ok()? * rust_decimal::Decimal::ONE_HUNDRED;
    rust_decimal::prelude::ToPrimitive::to_i64(&amount).filter(|cents| *cents > 0)
}

impl Simulated for Shop {
    fn kind(&self) -> ChannelKind {
        ChannelKind::BigCommerce
    }

    fn access(&self, url: &str) -> Access {
        let hash = self.options().store_hash.clone();
        Access {
            flags: vec!["--store-hash".to_owned(), hash, "--endpoint".to_owned(), url.to_owned()],
            secrets: vec![
                ("ORDERSYNC_ACCESS_TOKEN", REHEARSAL_TOKEN.to_owned()),
                ("ORDERSYNC_CLIENT_SECRET", REHEARSAL_CLIENT_SECRET.to_owned()),
            ],
        }
    }

    fn place(&self, purchase: &Purchase) -> String {
        let new = match (purchase.paid, purchase.at_delivery) {
            (true, _) => NewOrder::paid(),
            (false, true) => NewOrder::paid().payment(render::AT_DELIVERY),
            (false, false) => NewOrder::unpaid(),
        };
        let new = if purchase.pick_up { new.picked_up() } else { new };
        let mut new = new.note(&purchase.note).street(&purchase.street);
        for (sku, pieces) in &purchase.lines {
            new = new.line(sku, u64::from(*pieces));
        }
        if let Some(at) = purchase.at {
            new = new.at(at);
        }
        self.place_order(&new).to_string()
    }

    /// Only ids, times and statuses are made now; the rest when it is looked at.
    fn seed(&self, orders: u64, from: Timestamp, to: Timestamp) {
        let options = self.options().clone();
        let (from, to) = (from.timestamp(), to.timestamp());
        let mut state = self.lock();
        for nth in 0..orders {
            let place = i128::from(nth) * i128::from((to - from).max(0)) / i128::from(orders.max(1));
            let created = from + i64::try_from(place).unwrap_or(0);
            let id = state.take_id();
            state.insert(seed::order(&options, id, created, to.max(created)));
        }
    }

    fn set_clock(&self, ahead_minutes: i64) {
        self.clock.set(ahead_minutes);
    }

    fn ids(&self) -> Vec<String> {
        self.numbers().iter().map(u64::to_string).collect()
    }

    fn pay(&self, id: &str) -> bool {
        self.set_status(number(id), 11)
    }

    fn cancel(&self, id: &str) -> bool {
        self.set_status(number(id), 5)
    }

    fn readdress(&self, id: &str, street: &str) -> bool {
        self.edit(number(id), |details| {
            if let Some(place) = details.places.first_mut() {
                street.clone_into(&mut place.address.street_1);
            }
        })
    }

    fn erase_buyer(&self, id: &str) -> bool {
        self.edit(number(id), |details| {
            let places = details.places.iter_mut().map(|place| &mut place.address);
            places.for_each(|address| *address = super::state::Address::default());
            details.billing = super::state::Address::default();
            details.customer_id = 0;
        })
    }

    fn annotate(&self, id: &str, note: &str) -> bool {
        self.edit(number(id), |details| note.clone_into(&mut details.message))
    }

    fn ship_elsewhere(&self, id: &str, carrier: &str, tracking: &str) -> bool {
        let id = number(id);
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            seed::ship_all(details, id, now, &carrier.to_lowercase(), Some(tracking));
            state.set_status(options, id, 2, now);
        })
    }

    fn ship_pieces(&self, id: &str, nth: usize, pieces: u32, carrier: &str, tracking: &str) -> bool {
        let id = number(id);
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            let by = (&*carrier.to_lowercase(), Some(tracking));
            seed::ship_pieces(details, id, now, (nth, u64::from(pieces)), by);
            let all = details.lines.iter().all(|line| line.shipped + line.refunded >= line.quantity);
            state.set_status(options, id, if all { 2 } else { 3 }, now);
        })
    }

    fn refund(&self, id: &str, amount: &str) -> bool {
        let (id, Some(amount)) = (number(id), cents(amount)) else { return false };
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            let refund = details.next_id(id);
            details.refunds.push(Refund { id: refund, created: now, reason: String::new(), amount, lines: Vec::new() });
            let given: i64 = details.refunds.iter().map(|refund| refund.amount).sum();
            let all = given >= render::total(details);
            state.set_status(options, id, if all { 4 } else { 14 }, now);
        })
    }

    fn refund_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool {
        let id = number(id);
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            let refund = details.next_id(id);
            let Some(line) = details.lines.get_mut(nth) else { return };
            let back = line.quantity.min(u64::from(pieces));
            line.refunded = (line.refunded + back).min(line.quantity);
            let amount = line.price * i64::try_from(back).unwrap_or(0);
            let lines = vec![(line.id, back, amount)];
            details.refunds.push(Refund { id: refund, created: now, reason: String::new(), amount, lines });
            let all = details.lines.iter().all(|line| line.refunded >= line.quantity);
            state.set_status(options, id, if all { 4 } else { 14 }, now);
        })
    }

    fn remove_line(&self, id: &str, nth: usize) -> bool {
        self.edit(number(id), |details| drop((nth < details.lines.len()).then(|| details.lines.remove(nth))))
    }

    fn hold(&self, id: &str) -> bool {
        self.set_status(number(id), 12)
    }

    fn unpay(&self, id: &str) -> bool {
        self.set_status(number(id), 7)
    }

    fn undo_shipments(&self, id: &str) -> bool {
        let id = number(id);
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            details.shipments.clear();
            details.lines.iter_mut().for_each(|line| line.shipped = 0);
            state.set_status(options, id, 11, now);
            if let Some(order) = state.orders.get_mut(&id) {
                order.shipped = None;
            }
        })
    }

    fn put_away(&self, id: &str) -> bool {
        self.set_archived(number(id), true)
    }

    fn touch(&self, id: &str) -> bool {
        self.edit(number(id), |_| ())
    }

    fn set_unrenderable(&self, id: &str, unrenderable: bool) -> bool {
        let (id, mut state) = (number(id), self.lock());
        if unrenderable {
            state.unrenderable.insert(id)
        } else {
            state.unrenderable.remove(&id)
        };
        state.orders.contains_key(&id)
    }

    fn standing(&self, id: &str) -> Option<Standing> {
        let options = self.options().clone();
        let state = self.lock();
        let order = state.orders.get(&number(id))?;
        let details = state.details(&options, order.id)?;
        let parcel = |s: &Shipment| {
            let carrier = if s.shipping_provider.is_empty() { &s.tracking_carrier } else { &s.shipping_provider };
            (carrier.clone(), s.tracking_number.clone())
        };
        Some(Standing {
            cancelled: order.status == 5,
            shipped: matches!(order.status, 2 | 10),
            sent: details.shipments.iter().flat_map(|one| &one.items).map(|(_, pieces)| pieces).sum(),
            parcels: details.shipments.iter().map(parcel).filter(|(_, number)| !number.is_empty()).collect(),
            dispatch_mails: order.mails,
        })
    }

    fn document(&self, id: &str) -> Option<Value> {
        let options = self.options().clone();
        let state = self.lock();
        let order = state.orders.get(&number(id))?;
        let all = Expand { consignments: true, lines: true, fees: true };
        Some(render::order(&options, order, &state.details(&options, order.id)?, all))
    }

    fn counters(&self) -> Counters {
        let state = self.lock();
        let mails = state.orders.values().map(|order| order.mails).sum();
        Counters { orders: state.orders.len() as u64, writes: state.writes, dispatch_mails: mails }
    }

    /// `POST status/{id}` with `{"status_id": 9}`, `POST restore/{id}`, `POST down` and `POST up`.
    fn verb(&self, method: &str, verb: &str, id: &str, wish: &Value) -> Option<Response> {
        let status = || wish["status_id"].as_u64().and_then(|id| u8::try_from(id).ok());
        let changed = match (method, verb) {
            ("POST", "status") => self.set_status(number(id), status().filter(|status| *status < 15)?),
            ("POST", "restore") => self.set_archived(number(id), false),
            ("POST", "down" | "up") => {
                self.set_down(verb == "down");
                return Some(Response::json(200, &json!({ "down": verb == "down" })));
            }
            _ => return None,
        };
        changed.then(|| Response::json(200, &json!({ "id": id, "changed": true })))
    }
}
