//! What the API changes, with the refusals that a real shop was recorded to give.

use serde_json::{Map, Value, json};

use super::render::{gid, id_of};
use super::vendor::{Cancelled, Job, STEP, total};
use super::{Context, Order};
use crate::sim::world::{About, Refund, Shipment, Tracking, numbers};

/// Lines of a fulfilment order in one call.
const MOST_LINES: usize = 512;

/// A refusal with `userErrors`.
fn refused(field: &[&str], message: impl Into<String>) -> Value {
    json!({ "$type": "UserError", "field": field, "message": message.into() })
}

impl Context<'_> {
    /// `fulfillmentCreate`. The outer error is one of the query itself.
    pub fn fulfill(&mut self, arguments: &Map<String, Value>) -> Result<Value, Value> {
        let wish = &arguments["fulfillment"];
        Ok(match self.fulfillment(wish)? {
            Ok((order, fulfillment)) => {
                let notify = wish["notifyCustomer"] == true;
                let id = fulfillment.id;
                self.change(order, |order| {
                    take_from(order, &fulfillment);
                    if notify {
                        order.mail(About::Shipment, numbers(&fulfillment.tracking));
                    }
                    order.add_shipment(fulfillment);
                });
                self.state.writes += 1;
                json!({ "$type": "FulfillmentCreatePayload", "userErrors": [],
                    "fulfillment": { "$type": "Fulfillment", "id": gid("Fulfillment", id), "status": "SUCCESS" } })
            }
            Err(error) => json!({ "$type": "FulfillmentCreatePayload", "fulfillment": null, "userErrors": [error] }),
        })
    }

    /// What a wish would ship, or why it is refused.
    fn fulfillment(&mut self, wish: &Value) -> Result<Result<(u64, Shipment), Value>, Value> {
        let groups = wish["lineItemsByFulfillmentOrder"].as_array().cloned().unwrap_or_default();
        let mut lines: Vec<(u64, u64)> = Vec::new();
        let mut places: Vec<u64> = Vec::new();
        let mut owner = None;
        for (n, group) in groups.iter().enumerate() {
            let Some(id) = id_of("FulfillmentOrder", &group["fulfillmentOrderId"]) else { return Err(invalid_id()) };
            let order_id = id / STEP * STEP;
            let Some(order) = self.order(order_id) else {
                return Ok(Err(refused(&["fulfillment"], "Fulfillment order does not exist.")));
            };
            let Some(one) = order.own.fulfillment_orders.iter().find(|one| one.id == id) else {
                return Ok(Err(refused(&["fulfillment"], "Fulfillment order does not exist.")));
            };
            if !matches!(one.status, "OPEN" | "IN_PROGRESS") {
                let status = one.status.to_lowercase();
                let text = format!("Fulfillment order {id} has an unfulfillable status= {status}.");
                return Ok(Err(refused(&["fulfillment"], text)));
            }
            if one.service {
                return Ok(Err(refused(&["fulfillment"], "Fulfillment order is assigned to a fulfillment service.")));
            }
            owner = Some(order_id);
            if !places.contains(&one.location) {
                places.push(one.location);
            }
            match group["fulfillmentOrderLineItems"].as_array() {
                None => lines.extend(one.lines.iter().map(|open| (open.line, open.remaining))),
                Some(wanted) if wanted.len() > MOST_LINES => {
                    let field = ["fulfillment", "lineItemsByFulfillmentOrder", &n.to_string()];
                    let text = format!(
                        "The input array size of {} is greater than the maximum allowed of {MOST_LINES}.",
                        wanted.len()
                    );
                    return Ok(Err(refused(&field, text)));
                }
                Some(wanted) => {
                    for (m, want) in wanted.iter().enumerate() {
                        let (open, count) = (id_of("FulfillmentOrderLineItem", &want["id"]), want["quantity"].as_i64());
                        let Some(open) = one.lines.iter().find(|line| Some(line.id) == open) else {
                            return Ok(Err(refused(&["fulfillment"], "Fulfillment order line item does not exist.")));
                        };
                        let count = count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
                        if count == 0 {
                            let (n, m) = (n.to_string(), m.to_string());
                            let field = [
                                "fulfillment",
                                "lineItemsByFulfillmentOrder",
                                &n,
                                "fulfillmentOrderLineItems",
                                &m,
                                "quantity",
                            ];
                            return Ok(Err(refused(&field, "Quantity must be greater than 0")));
                        }
                        if count > open.remaining {
                            let text = "Invalid fulfillment order line item quantity requested.";
                            return Ok(Err(refused(&["fulfillment"], text)));
                        }
                        lines.push((open.line, count));
                    }
                }
            }
        }
        if places.len() > 1 {
            let text = format!(
                "All fulfillment orders must be assigned to a single location. Multiple locations with ids {places:?} were found."
            );
            return Ok(Err(refused(&["fulfillment"], text)));
        }
        let Some(order) = owner else {
            return Ok(Err(refused(&["fulfillment"], "Fulfillment order does not exist.")));
        };
        let id = self.state.own.take_id();
        let tracking = tracking(&wish["trackingInfo"]);
        Ok(Ok((order, Shipment { id, at: self.now, tracking, items: lines, ..Shipment::default() })))
    }

    /// `fulfillmentTrackingInfoUpdate`.
    pub fn retrack(&mut self, arguments: &Map<String, Value>) -> Result<Value, Value> {
        let Some(id) = id_of("Fulfillment", &arguments["fulfillmentId"]) else { return Err(invalid_id()) };
        let owner = self.owner_of_fulfillment(id);
        let tracking = tracking(&arguments["trackingInfoInput"]);
        let notify = arguments.get("notifyCustomer") == Some(&json!(true));
        let changed = owner.is_some_and(|owner| {
            self.change(owner, |order| {
                if notify {
                    order.mail(About::Shipment, numbers(&tracking));
                }
                if let Some(one) = order.shipments.iter_mut().find(|one| one.id == id) {
                    one.tracking = tracking;
                }
            })
        });
        let kind = "FulfillmentTrackingInfoUpdatePayload";
        if !changed {
            let error = refused(&["fulfillmentId"], "Fulfillment does not exist.");
            return Ok(json!({ "$type": kind, "fulfillment": null, "userErrors": [error] }));
        }
        self.state.writes += 1;
        Ok(json!({ "$type": kind, "userErrors": [],
            "fulfillment": { "$type": "Fulfillment", "id": gid("Fulfillment", id), "status": "SUCCESS" } }))
    }

    /// The order that a fulfilment is of.
    pub fn owner_of_fulfillment(&self, fulfillment: u64) -> Option<u64> {
        let seeded = fulfillment / STEP * STEP;
        let has = |id: u64| {
            let order = self.order(id)?;
            order.shipments.iter().any(|one| one.id == fulfillment).then_some(id)
        };
        has(seeded).or_else(|| {
            let touched = self.state.orders.iter().filter(|(_, slot)| slot.order.is_some()).map(|(id, _)| *id);
            touched.into_iter().find_map(has)
        })
    }

    /// `orderCancel`: checks at once, works later.
    pub fn cancel(&mut self, arguments: &Map<String, Value>) -> Result<Value, Value> {
        let Some(id) = id_of("Order", &arguments["orderId"]) else { return Err(invalid_id()) };
        let refusal = self.why_not_cancel(id, arguments);
        let kind = "OrderCancelPayload";
        if let Some((field, message, code)) = refusal {
            let error = json!({ "$type": "OrderCancelUserError", "field": [field], "message": message, "code": code });
            return Ok(json!({ "$type": kind, "job": null, "jobResult": null, "orderCancelUserErrors": [error] }));
        }
        let number = self.state.own.take_id();
        let done_at = self.now + self.options.cancelling * 1000;
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
        let method = arguments.get("refundMethod").cloned().unwrap_or_default();
        let job = Job {
            order: id,
            done_at,
            reason: text("reason").unwrap_or_default(),
            note: text("staffNote"),
            refund: method["originalPaymentMethodsRefund"] == true,
            restock: arguments.get("restock") == Some(&json!(true)),
            notify: arguments.get("notifyCustomer") == Some(&json!(true)),
            fails: self.options.cancelling_fails,
        };
        let result = gid("OrderCancelJobResult", number);
        self.state.own.jobs.insert(result.clone(), job);
        self.state.writes += 1;
        self.work();
        let done = self.now >= done_at;
        let result = if self.options.job_results { self.job_result(&json!(result)) } else { Value::Null };
        Ok(json!({
            "$type": kind, "orderCancelUserErrors": [],
            "job": { "$type": "Job", "id": gid("Job", number), "done": done },
            "jobResult": result,
        }))
    }

    fn why_not_cancel(&self, id: u64, arguments: &Map<String, Value>) -> Option<(&'static str, String, &'static str)> {
        let Some(order) = self.order(id) else {
            return Some(("orderId", "Order does not exist".to_owned(), "NOT_FOUND"));
        };
        let note = arguments.get("staffNote").and_then(Value::as_str).unwrap_or_default();
        if note.chars().count() > 255 {
            return Some((
                "staffNote",
                "Staff note is too long. Maximum length is 255 characters.".to_owned(),
                "INVALID",
            ));
        }
        let given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
        if given("refund") && given("refundMethod") {
            let text = "Only one of the arguments `refund` or `refund_method` is allowed.";
            return Some(("refund", text.to_owned(), "INVALID"));
        }
        if order.own.cancelled.is_some() {
            return Some(("orderId", "Cannot cancel an order that has already been canceled".to_owned(), "INVALID"));
        }
        if order.sent().next().is_some() {
            return Some(("orderId", "Cannot cancel an order that has outstanding fulfillments".to_owned(), "INVALID"));
        }
        None
    }

    /// Cancellations whose time has come take effect.
    pub fn work(&mut self) {
        let due: Vec<Job> = self.state.own.jobs.values().filter(|job| job.done_at <= self.now).cloned().collect();
        for job in due {
            let open = self.order(job.order).is_some_and(|order| order.own.cancelled.is_none());
            if open && !job.fails {
                let refund = self.state.own.take_id();
                let at = job.done_at;
                self.change(job.order, |order| {
                    cancel(order, at, &job.reason, job.note.clone());
                    if job.restock {
                        order.restock();
                    }
                    if job.notify {
                        order.mail(About::Cancellation, "");
                    }
                    if job.refund && order.own.financial == Some("PAID") {
                        let amount = total(order);
                        order.refunds.push(Refund { id: refund, at, amount, reason: String::new(), lines: Vec::new() });
                        order.own.financial = Some("REFUNDED");
                    }
                });
            }
        }
    }

    /// `node(id:)` of a cancellation.
    pub fn job_result(&self, id: &Value) -> Value {
        let Some(job) = id.as_str().and_then(|id| self.state.own.jobs.get(id)) else { return Value::Null };
        let done = job.done_at <= self.now;
        let failed = done && job.fails;
        let error = json!({ "$type": "OrderCancelUserError", "field": null, "code": "INVALID",
            "message": "The payment cannot be refunded at the moment" });
        json!({ "$type": "OrderCancelJobResult", "id": id, "done": done,
            "errors": if failed { vec![error] } else { Vec::new() },
            "status": if failed { "FAILED" } else if done { "SUCCEEDED" } else { "STARTED" } })
    }

    /// `job(id:)`: only whether it is over.
    pub fn job(&self, id: &Value) -> Value {
        let number = id_of("Job", id).unwrap_or(0);
        let Some(job) = self.state.own.jobs.get(&gid("OrderCancelJobResult", number)) else { return Value::Null };
        json!({ "$type": "Job", "id": id, "done": job.done_at <= self.now })
    }
}

/// Cancels an order: everything closes, nothing remains.
pub fn cancel(order: &mut Order, at: i64, reason: &str, note: Option<String>) {
    order.own.cancelled = Some(Cancelled { at, reason: reason.to_owned(), note });
    if order.own.financial == Some("AUTHORIZED") {
        order.own.financial = Some("VOIDED");
    }
    for one in &mut order.own.fulfillment_orders {
        one.status = "CLOSED";
    }
}

/// Takes a fulfilment's pieces out of the fulfilment orders of its order.
fn take_from(order: &mut Order, fulfillment: &Shipment) {
    for (line, count) in &fulfillment.items {
        let mut left = *count;
        for one in order.own.fulfillment_orders.iter_mut().filter(|one| matches!(one.status, "OPEN" | "IN_PROGRESS")) {
            for open in one.lines.iter_mut().filter(|open| open.line == *line) {
                let take = left.min(open.remaining);
                open.remaining -= take;
                left -= take;
                if take > 0 {
                    one.status = "IN_PROGRESS";
                }
            }
        }
    }
    for one in order.own.fulfillment_orders.iter_mut().filter(|one| one.status == "IN_PROGRESS") {
        if one.lines.iter().all(|open| open.remaining == 0) {
            one.status = "CLOSED";
        }
    }
}

/// `FulfillmentTrackingInput`: one number or several.
fn tracking(wish: &Value) -> Vec<Tracking> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |number: &Value, link: &Value| {
        let (carrier, number, link) = (text(&wish["company"]), text(number), text(link));
        Tracking { carrier, number, link, ..Tracking::default() }
    };
    match wish["numbers"].as_array() {
        Some(numbers) => numbers.iter().enumerate().map(|(n, number)| one(number, &wish["urls"][n])).collect(),
        None if wish["number"].is_string() || wish["company"].is_string() => vec![one(&wish["number"], &wish["url"])],
        None => Vec::new(),
    }
}

/// A malformed id is an error of the query.
fn invalid_id() -> Value {
    json!({ "message": "invalid id", "extensions": { "code": "RESOURCE_NOT_FOUND" } })
}
