//! The writes that this adapter can make, all of them.
//!
//! A shop takes many other things of whoever may write: a DELETE of an order, a PUT of one with its
//! lines. A write is therefore a value of this type and nothing else: what it does not have a
//! member for cannot be sent.

use reqwest::Method;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::secret::Secret;

/// A write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// `PUT orders/{order}`: the status alone.
    SetStatus {
        /// The order's id.
        order: u64,
        /// The new status.
        status: NewStatus,
        /// The status that it is to replace.
        was: String,
    },
    /// `POST orders/{order}/notes`: mails the buyer where it is for him.
    AddNote {
        /// The order's id.
        order: u64,
        /// What stands in it.
        text: String,
        /// Whether it is for the buyer; else only the staff sees it.
        to_buyer: bool,
    },
    /// `POST orders/{order}/fulfillments`.
    Fulfill {
        /// The order's id.
        order: u64,
        /// Its entries: items, tracking, our key.
        entries: Vec<Value>,
        /// Whether the buyer is told.
        notify: bool,
    },
    /// `PUT orders/{order}/fulfillments/{fulfillment}`: what is not among the entries is deleted.
    Retrack {
        /// The order's id.
        order: u64,
        /// The fulfilment's id.
        fulfillment: u64,
        /// The status that it has.
        status: String,
        /// All of its entries.
        entries: Vec<Value>,
        /// Whether the buyer is told.
        notify: bool,
    },
    /// `POST orders/{order}/shipment-trackings`, of the Shipment Tracking extension.
    AddTracking {
        /// Where the extension's routes are: `wc/v3`.
        namespace: String,
        /// The order's id.
        order: u64,
        /// The parcel.
        tracking: NewTracking,
    },
    /// `DELETE orders/{order}/shipment-trackings/{tracking}`.
    RemoveTracking {
        /// Where the extension's routes are.
        namespace: String,
        /// The order's id.
        order: u64,
        /// The entry's id: letters and digits.
        tracking: String,
    },
    /// `POST webhooks`.
    Subscribe {
        /// `order.created`.
        topic: &'static str,
        /// Where its deliveries go.
        address: String,
        /// What they are signed with: letters and digits, as the shop decodes entities in it.
        key: Secret,
    },
    /// `PUT webhooks/{hook}`: deliver again.
    Resume {
        /// The subscription's id.
        hook: u64,
    },
    /// `DELETE webhooks/{hook}`.
    Unsubscribe {
        /// The subscription's id.
        hook: u64,
    },
}

/// The statuses that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewStatus {
    /// `completed`.
    Completed,
    /// `cancelled`.
    Cancelled,
}

/// A parcel for the extension. It refuses provider names that it does not know, so ours go in as
/// custom ones with a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewTracking {
    /// The carrier's name.
    pub(crate) custom_tracking_provider: String,
    /// The tracking number.
    pub(crate) tracking_number: String,
    /// The day: `2026-11-29`.
    pub(crate) date_shipped: String,
    /// Where the buyer follows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_tracking_link: Option<String>,
}

/// What is sent of a write. The mark by which a row of the outbox knows its writes again is made of
/// its members, so they stay as they are from version to version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Call {
    /// `POST`, `PUT` or `DELETE`.
    #[serde(serialize_with = "word")]
    pub(crate) method: Method,
    /// Below the REST root: `wc/v3/orders/17`.
    pub(crate) route: String,
    /// Query parameters.
    pub(crate) query: Vec<(&'static str, &'static str)>,
    /// The JSON body; null: none.
    pub(crate) body: Value,
}

fn word<S: Serializer>(method: &Method, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.as_str())
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.call().serialize(to)
    }
}

impl Operation {
    /// The request that carries it out.
    pub(crate) fn call(&self) -> Call {
        match self {
            Self::SetStatus { order, status, .. } => {
                let status = match status {
                    NewStatus::Completed => "completed",
                    NewStatus::Cancelled => "cancelled",
                };
                call(Method::PUT, order_route(*order, ""), json!({ "status": status }))
            }
            Self::AddNote { order, text, to_buyer } => {
                let body = json!({ "note": text, "customer_note": to_buyer });
                call(Method::POST, order_route(*order, "/notes"), body)
            }
            Self::Fulfill { order, entries, notify } => {
                fulfilled(Method::POST, order_route(*order, "/fulfillments"), "fulfilled", (entries, *notify))
            }
            Self::Retrack { order, fulfillment, status, entries, notify } => {
                let route = order_route(*order, &format!("/fulfillments/{fulfillment}"));
                fulfilled(Method::PUT, route, status, (entries, *notify))
            }
            Self::AddTracking { namespace, order, tracking } => {
                call(Method::POST, trackings_route(namespace, *order), json!(tracking))
            }
            Self::RemoveTracking { namespace, order, tracking } => {
                let route = format!("{}/{tracking}", trackings_route(namespace, *order));
                call(Method::DELETE, route, Value::Null)
            }
            Self::Subscribe { topic, address, key } => {
                let (route, name) = ("wc/v3/webhooks".to_owned(), "ordersync");
                let body = json!({ "name": name, "topic": topic, "delivery_url": address, "secret": key.reveal() });
                call(Method::POST, route, body)
            }
            Self::Resume { hook } => call(Method::PUT, webhook_route(*hook), json!({ "status": "active" })),
            Self::Unsubscribe { hook } => {
                // There is no bin for them.
                Call { query: vec![("force", "true")], ..call(Method::DELETE, webhook_route(*hook), Value::Null) }
            }
        }
    }
}

fn call(method: Method, route: String, body: Value) -> Call {
    Call { method, route, query: Vec::new(), body }
}

fn fulfilled(method: Method, route: String, status: &str, (entries, notify): (&[Value], bool)) -> Call {
    let body = json!({ "status": status, "is_fulfilled": true, "meta_data": entries });
    let notify = if notify { "true" } else { "false" };
    Call { query: vec![("notify_customer", notify)], ..call(method, route, body) }
}

/// What belongs to an order, below the REST root.
pub(super) fn order_route(order: u64, below: &str) -> String {
    format!("wc/v3/orders/{order}{below}")
}

fn webhook_route(hook: u64) -> String {
    format!("wc/v3/webhooks/{hook}")
}

/// The extension's list of an order's parcels.
pub(super) fn trackings_route(namespace: &str, order: u64) -> String {
    format!("{namespace}/orders/{order}/shipment-trackings")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the outbox hold marks that an older version has made of these words.
    #[test]
    fn d3_what_a_mark_is_made_of_stays_from_version_to_version() {
        let entries = vec![json!({ "id": 0, "key": "_items", "value": [{ "item_id": 7, "qty": 2 }] })];
        let namespace = || "wc/v2".to_owned();
        let tracking = |link: Option<&str>| NewTracking {
            custom_tracking_provider: "DHL".to_owned(),
            tracking_number: "JD01".to_owned(),
            date_shipped: "2026-11-29".to_owned(),
            custom_tracking_link: link.map(str::to_owned),
        };
        for (operation, words) in [
            (
                Operation::SetStatus { order: 17, status: NewStatus::Completed, was: "processing".to_owned() },
                json!({ "method": "PUT", "route": "wc/v3/orders/17", "query": [], "body": { "status": "completed" } }),
            ),
            (
                Operation::AddNote { order: 17, text: "Cancelled: x".to_owned(), to_buyer: false },
                json!({ "method": "POST", "route": "wc/v3/orders/17/notes", "query": [],
                    "body": { "note": "Cancelled: x", "customer_note": false } }),
            ),
            (
                Operation::Fulfill { order: 17, entries: entries.clone(), notify: true },
                json!({ "method": "POST", "route": "wc/v3/orders/17/fulfillments", "query": [["notify_customer", "true"]],
                    "body": { "status": "fulfilled", "is_fulfilled": true, "meta_data": entries } }),
            ),
            (
                Operation::Retrack {
                    order: 17,
                    fulfillment: 3,
                    status: "fulfilled".to_owned(),
                    entries: entries.clone(),
                    notify: false,
                },
                json!({ "method": "PUT", "route": "wc/v3/orders/17/fulfillments/3",
                    "query": [["notify_customer", "false"]],
                    "body": { "status": "fulfilled", "is_fulfilled": true, "meta_data": entries } }),
            ),
            (
                Operation::AddTracking { namespace: namespace(), order: 17, tracking: tracking(None) },
                json!({ "method": "POST", "route": "wc/v2/orders/17/shipment-trackings", "query": [],
                    "body": { "custom_tracking_provider": "DHL", "tracking_number": "JD01", "date_shipped": "2026-11-29" } }),
            ),
            (
                Operation::AddTracking { namespace: namespace(), order: 17, tracking: tracking(Some("https://x")) },
                json!({ "method": "POST", "route": "wc/v2/orders/17/shipment-trackings", "query": [],
                    "body": { "custom_tracking_provider": "DHL", "tracking_number": "JD01", "date_shipped": "2026-11-29",
                        "custom_tracking_link": "https://x" } }),
            ),
            (
                Operation::RemoveTracking { namespace: namespace(), order: 17, tracking: "ab12".to_owned() },
                json!({ "method": "DELETE", "route": "wc/v2/orders/17/shipment-trackings/ab12", "query": [], "body": null }),
            ),
        ] {
            assert_eq!(json!(operation).to_string(), words.to_string());
        }
    }
}
