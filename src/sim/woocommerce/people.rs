//! The shop as the demo, the contract tests and control over HTTP know every simulated store. See [`crate::sim`].

use serde_json::{Value, json};

use super::hands::NewOrder;
use super::options::{REHEARSAL_KEY, REHEARSAL_SECRET};
use super::{Address, Shop};
use crate::channel::ChannelKind;
use crate::clock::Timestamp;
use crate::sim::http::Response;
use crate::sim::{Access, Counters, Purchase, Simulated, Standing};

/// An id as this shop has it; 0, which no order has, for anything else.
fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

impl Simulated for Shop {
    fn kind(&self) -> ChannelKind {
        ChannelKind::WooCommerce
    }

    fn access(&self, url: &str) -> Access {
        Access {
            flags: vec!["--url".to_owned(), format!("{url}{}", self.options().prefix)],
            secrets: vec![
                ("ORDERSYNC_CONSUMER_KEY", REHEARSAL_KEY.to_owned()),
                ("ORDERSYNC_CONSUMER_SECRET", REHEARSAL_SECRET.to_owned()),
            ],
        }
    }

    fn place(&self, purchase: &Purchase) -> String {
        let mut new = if purchase.paid { NewOrder::paid() } else { NewOrder::unpaid() };
        for (sku, pieces) in &purchase.lines {
            new = new.line(sku, *pieces);
        }
        new = new.note(&purchase.note);
        if purchase.at_delivery {
            new = new.status("processing").payment("cod");
        }
        if !purchase.delivery.is_empty() {
            new = new.meta("_sim_shipping_method", Value::from("local_pickup"));
        }
        if let Some(at) = purchase.at {
            new = new.at(at);
        }
        let id = self.place_order(new);
        if !purchase.street.is_empty() {
            self.edit_address(id, |address| purchase.street.clone_into(&mut address.address_1));
        }
        id.to_string()
    }

    fn seed(&self, orders: u64, from: Timestamp, to: Timestamp) {
        Shop::seed(self, orders, from, to);
    }

    fn set_clock(&self, ahead_minutes: i64) {
        self.clock.set(ahead_minutes);
    }

    fn ids(&self) -> Vec<String> {
        Shop::ids(self).iter().map(u64::to_string).collect()
    }

    fn pay(&self, id: &str) -> bool {
        Shop::pay(self, number(id))
    }

    fn cancel(&self, id: &str) -> bool {
        Shop::cancel(self, number(id))
    }

    fn readdress(&self, id: &str, street: &str) -> bool {
        self.edit_address(number(id), |address| street.clone_into(&mut address.address_1))
    }

    /// As WordPress does it: texts get a mark, what has another form than text is emptied.
    fn erase_buyer(&self, id: &str) -> bool {
        self.edit(number(id), |details| {
            for address in [&mut details.billing, &mut details.shipping] {
                let names = [&mut address.first_name, &mut address.last_name, &mut address.company];
                let places = [&mut address.address_1, &mut address.address_2, &mut address.city, &mut address.postcode];
                for text in names.into_iter().chain(places).filter(|text| !text.is_empty()) {
                    "[deleted]".clone_into(text);
                }
                for text in [&mut address.state, &mut address.country, &mut address.phone] {
                    text.clear();
                }
            }
            "deleted@site.invalid".clone_into(&mut details.billing.email);
            details.transaction_id.clear();
            details.customer_id = 0;
        })
    }

    fn annotate(&self, id: &str, note: &str) -> bool {
        self.edit(number(id), |details| note.clone_into(&mut details.customer_note))
    }

    fn ship_elsewhere(&self, id: &str, carrier: &str, tracking: &str) -> bool {
        self.complete_with_tracking(number(id), carrier, tracking)
    }

    fn ship_pieces(&self, id: &str, nth: usize, pieces: u32, carrier: &str, tracking: &str) -> bool {
        let item = self.item_ids(number(id)).get(nth).copied();
        item.is_some_and(|item| self.fulfill(number(id), &[(item, pieces)], &carrier.to_lowercase(), tracking))
    }

    fn refund(&self, id: &str, amount: &str) -> bool {
        Shop::refund(self, number(id), amount, "").is_some()
    }

    fn refund_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool {
        let price = |line: &super::Line| line.subtotal / rust_decimal::Decimal::from(line.quantity.max(1));
        let wanted =
            self.lines(number(id)).get(nth).map(|line| (line.id, price(line) * rust_decimal::Decimal::from(pieces)));
        wanted.is_some_and(|(item, amount)| self.refund_line(number(id), item, pieces, &amount.to_string()).is_some())
    }

    fn remove_line(&self, id: &str, nth: usize) -> bool {
        self.edit_lines(number(id), |lines| drop((nth < lines.len()).then(|| lines.remove(nth))))
    }

    fn hold(&self, id: &str) -> bool {
        self.set_status(number(id), "on-hold")
    }

    fn unpay(&self, id: &str) -> bool {
        self.set_status(number(id), "pending")
    }

    fn undo_shipments(&self, id: &str) -> bool {
        Shop::undo_shipments(self, number(id))
    }

    fn put_away(&self, id: &str) -> bool {
        self.trash(number(id))
    }

    fn touch(&self, id: &str) -> bool {
        let known = self.status(number(id)).is_some();
        if known {
            Shop::touch(self, number(id));
        }
        known
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
        let id = number(id);
        let status = self.status(id)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let meta = |one: &Value, key: &str| {
            let entries = one["meta_data"].as_array().into_iter().flatten();
            entries.filter(|meta| meta["key"] == key).map(|meta| text(&meta["value"])).next().unwrap_or_default()
        };
        let fulfilled = self.fulfillments(id);
        let items = fulfilled.iter().filter(|one| one["status"] == "fulfilled");
        let items = items.flat_map(|one| one["meta_data"].as_array().into_iter().flatten());
        let items = items.filter(|meta| meta["key"] == "_items").flat_map(|meta| meta["value"].as_array());
        let sent = items.flatten().filter_map(|item| item["qty"].as_u64()).sum();
        let fulfilled = fulfilled.iter().map(|one| (meta(one, "_shipment_provider"), meta(one, "_tracking_number")));
        let tracked = self.trackings(id);
        let tracked = tracked.iter().map(|one| (text(&one["tracking_provider"]), text(&one["tracking_number"])));
        Some(Standing {
            cancelled: matches!(status.as_str(), "cancelled" | "trash"),
            shipped: status == "completed",
            sent,
            parcels: fulfilled.chain(tracked).filter(|(_, number)| !number.is_empty()).collect(),
            dispatch_mails: u64::from(self.mails(id).dispatch_mails()),
        })
    }

    fn document(&self, id: &str) -> Option<Value> {
        self.order_json(number(id))
    }

    fn counters(&self) -> Counters {
        Shop::counters(self)
    }

    fn verb(&self, method: &str, verb: &str, id: &str, wish: &Value) -> Option<Response> {
        let changed = match (method, verb) {
            ("POST", "status") => self.set_status(number(id), wish["status"].as_str().unwrap_or_default()),
            ("POST", "date") => {
                let at = wish["modified"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
                at.is_some_and(|at| self.modified_at(number(id), at))
            }
            ("POST", "trash") => self.trash(number(id)),
            ("POST", "restore") => self.restore(number(id)),
            ("POST", "edit-address") if wish["street"].is_null() => {
                self.edit_address(number(id), |address| Address::update(address, wish))
            }
            _ => return None,
        };
        let status = self.status(number(id))?;
        Some(Response::json(200, &json!({ "id": id, "status": status, "changed": changed })))
    }
}
