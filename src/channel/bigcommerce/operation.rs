//! The writes that this adapter can make, all of them.
//!
//! BigCommerce has dangerous neighbours of the calls we need: `DELETE /v2/orders` archives every
//! order of the store, and a PUT of an order that carries `products` or `fees` clears discounts and
//! deletes fees. A write is therefore a value of this type and nothing else: what it does not have
//! a member for cannot be sent.

use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// A write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// `POST /v2/orders/{order}/shipments`: the buyer is told, as the store's settings have it.
    Ship {
        /// The order's id.
        order: u64,
        /// What is shipped where.
        shipment: NewShipment,
    },
    /// `PUT /v2/orders/{order}/shipments/{shipment}`, without items: they cannot be changed (400).
    Retrack {
        /// The order's id.
        order: u64,
        /// The shipment's id.
        shipment: u64,
        /// The new tracking.
        tracking: Tracking,
    },
    /// `PUT /v2/orders/{order}` with a status and, where they change, the staff notes as a whole.
    SetStatus {
        /// The order's id.
        order: u64,
        /// The new status.
        status: NewStatus,
        /// The notes that replace the old ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        staff_notes: Option<String>,
        /// The id of the status that it is to replace.
        #[serde(skip)]
        was: String,
    },
}

/// The statuses that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NewStatus {
    /// 2.
    Shipped,
    /// 5.
    Cancelled,
    /// 10: for orders in which nothing is shipped.
    Completed,
}

impl NewStatus {
    /// The status id.
    pub(crate) fn id(self) -> u8 {
        match self {
            Self::Shipped => 2,
            Self::Cancelled => 5,
            Self::Completed => 10,
        }
    }
}

/// A shipment to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewShipment {
    /// The address within the order.
    pub(crate) order_address_id: u64,
    /// How it can be followed.
    pub(crate) tracking: Tracking,
    /// What is in it; never empty.
    pub(crate) items: Vec<Item>,
}

/// How a shipment can be followed; members left out stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tracking {
    /// At most 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_number: Option<String>,
    /// One of the vendor's own list; empty beside a `tracking_carrier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shipping_provider: Option<String>,
    /// An AfterShip courier slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_carrier: Option<String>,
    /// A link of its own; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_link: Option<String>,
    /// The carrier's name, where BigCommerce has no code for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shipping_method: Option<String>,
    /// Our marker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comments: Option<String>,
}

/// How many of which order product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    /// The `id` of the order product, not its product.
    pub(crate) order_product_id: u64,
    /// Pieces.
    pub(crate) quantity: u64,
}

impl Operation {
    /// Method, path below the store and body.
    ///
    /// # Errors
    /// Never in practice; a body that cannot be written down is not sent.
    pub(crate) fn request(&self) -> Result<(Method, String, Value)> {
        let in_words = |part: serde_json::Result<Value>| {
            part.map_err(|_| Error::new(ErrorKind::Failed, "a write could not be put into words; nothing was sent"))
        };
        Ok(match self {
            Self::Ship { order, shipment } => {
                let mut body = in_words(serde_json::to_value(&shipment.tracking))?;
                body["order_address_id"] = Value::from(shipment.order_address_id);
                body["items"] = in_words(serde_json::to_value(&shipment.items))?;
                (Method::POST, format!("v2/orders/{order}/shipments"), body)
            }
            Self::Retrack { order, shipment, tracking } => {
                let body = in_words(serde_json::to_value(tracking))?;
                (Method::PUT, format!("v2/orders/{order}/shipments/{shipment}"), body)
            }
            Self::SetStatus { order, status, staff_notes, .. } => {
                let mut fields = serde_json::Map::from_iter([("status_id".to_owned(), Value::from(status.id()))]);
                fields.extend(staff_notes.clone().map(|notes| ("staff_notes".to_owned(), Value::from(notes))));
                (Method::PUT, format!("v2/orders/{order}"), Value::Object(fields))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tracking() -> impl Strategy<Value = Tracking> {
        let text = || prop::option::of("\\PC{0,12}");
        (text(), text(), text(), text(), text(), text()).prop_map(
            |(number, provider, carrier, link, method, comments)| Tracking {
                tracking_number: number,
                shipping_provider: provider,
                tracking_carrier: carrier,
                tracking_link: link,
                shipping_method: method,
                comments,
            },
        )
    }

    fn operation() -> impl Strategy<Value = Operation> {
        let item =
            (any::<u64>(), any::<u64>()).prop_map(|(order_product_id, quantity)| Item { order_product_id, quantity });
        let shipment = (any::<u64>(), tracking(), prop::collection::vec(item, 0..3))
            .prop_map(|(order_address_id, tracking, items)| NewShipment { order_address_id, tracking, items });
        let status = prop::sample::select(vec![NewStatus::Shipped, NewStatus::Cancelled, NewStatus::Completed]);
        prop_oneof![
            (any::<u64>(), shipment).prop_map(|(order, shipment)| Operation::Ship { order, shipment }),
            (any::<u64>(), any::<u64>(), tracking()).prop_map(|(order, shipment, tracking)| Operation::Retrack {
                order,
                shipment,
                tracking
            }),
            (any::<u64>(), status, prop::option::of("\\PC{0,20}")).prop_map(|(order, status, staff_notes)| {
                Operation::SetStatus { order, status, staff_notes, was: String::new() }
            }),
        ]
    }

    /// The members that a body may have, by the kind of write.
    fn may_send(method: &Method, path: &str, body: &Value) -> bool {
        const SHIPMENT: &[&str] = &[
            "order_address_id",
            "items",
            "tracking_number",
            "shipping_provider",
            "tracking_carrier",
            "tracking_link",
            "shipping_method",
            "comments",
        ];
        let places: Vec<&str> = path.split('/').collect();
        let number = |text: &&str| text.bytes().all(|b| b.is_ascii_digit());
        let allowed = match (method.as_str(), places.as_slice()) {
            ("POST", ["v2", "orders", order, "shipments"]) if number(order) => SHIPMENT,
            ("PUT", ["v2", "orders", order, "shipments", shipment]) if number(order) && number(shipment) => {
                &SHIPMENT[2..]
            }
            ("PUT", ["v2", "orders", order]) if number(order) => &["status_id", "staff_notes"],
            _ => return false,
        };
        body.as_object().is_some_and(|members| members.keys().all(|name| allowed.contains(&name.as_str())))
    }

    proptest! {
        /// Whatever is in an operation: no DELETE, no `products`, no `fees`, no path but those of
        /// single orders.
        #[test]
        fn no_dangerous_request_can_be_made_out_of_any_operation(operation in operation()) {
            let (method, path, body) = operation.request().unwrap();
            prop_assert!(may_send(&method, &path, &body), "{method} {path} {body}");
        }
    }
}
