//! The writes that this adapter can make, all of them.
//!
//! BigCommerce has dangerous neighbours of the calls we need: `DELETE /v2/orders` archives every order of the store, and a PUT of an
//! order that carries `products` or `fees` clears discounts and deletes fees (fact sheet 2.3, 5). A write is therefore a value of this
//! type and nothing else: what it does not have a member for cannot be sent, not even out of a damaged book.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// A write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operation {
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        staff_notes: Option<String>,
    },
}

/// The statuses that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewStatus {
    /// 2.
    Shipped,
    /// 5.
    Cancelled,
    /// 10: for orders in which nothing is shipped.
    Completed,
}

impl NewStatus {
    /// The status id (fact sheet 3.1).
    pub fn id(self) -> u8 {
        match self {
            Self::Shipped => 2,
            Self::Cancelled => 5,
            Self::Completed => 10,
        }
    }
}

/// A shipment to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewShipment {
    /// The address within the order.
    pub order_address_id: u64,
    /// How it can be followed.
    pub tracking: Tracking,
    /// What is in it; never empty.
    pub items: Vec<Item>,
}

/// How a shipment can be followed; members left out stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// At most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// One of the vendor's own list; empty beside a `tracking_carrier`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_provider: Option<String>,
    /// An AfterShip courier slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_carrier: Option<String>,
    /// A link of its own; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_link: Option<String>,
    /// The carrier's name, where BigCommerce has no code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<String>,
    /// Our marker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
}

/// How many of which order product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The `id` of the order product, not its product (fact sheet 4.1).
    pub order_product_id: u64,
    /// Pieces.
    pub quantity: u64,
}

impl Operation {
    /// Method, path below the store and body.
    ///
    /// # Errors
    /// Never in practice; a body that cannot be written down is not sent.
    pub fn request(&self) -> Result<(Method, String, Value)> {
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
            Self::SetStatus { order, status, staff_notes } => {
                let mut fields = serde_json::Map::from_iter([("status_id".to_owned(), Value::from(status.id()))]);
                fields.extend(staff_notes.clone().map(|notes| ("staff_notes".to_owned(), Value::from(notes))));
                (Method::PUT, format!("v2/orders/{order}"), Value::Object(fields))
            }
        })
    }

    /// The operation as it is kept in a [`crate::channel::Write`].
    pub fn content(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The operation out of a stored write.
    pub fn from_content(content: &Value) -> Result<Self> {
        serde_json::from_value(content.clone()).map_err(|_| {
            Error::new(ErrorKind::Failed, "a write of another version cannot be carried out; nothing was sent")
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<u64>().prop_map(Value::from), "[a-z]{0,8}".prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop::sample::select(vec![
                "ship",
                "retrack",
                "set-status",
                "order",
                "shipment",
                "status",
                "staff_notes",
                "products",
                "fees",
                "items",
                "order_address_id",
                "order_product_id",
                "quantity",
                "tracking",
                "tracking_number",
                "method",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
            ]
        })
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
        /// Whatever stands in the book: no DELETE, no `products`, no `fees`, no path but those of single orders.
        #[test]
        fn no_dangerous_request_can_be_made_out_of_any_stored_write(content in any_json()) {
            if let Ok(operation) = Operation::from_content(&content) {
                let (method, path, body) = operation.request().unwrap();
                prop_assert!(may_send(&method, &path, &body), "{method} {path} {body}");
            }
        }
    }

    #[test]
    fn a_stored_write_comes_back_as_it_was_and_with_more_in_it_not_at_all() {
        let status = Operation::SetStatus { order: 7, status: NewStatus::Cancelled, staff_notes: Some("x".into()) };
        let item = Item { order_product_id: 194, quantity: 1 };
        let shipment = NewShipment { order_address_id: 131, tracking: Tracking::default(), items: vec![item] };
        for operation in [status, Operation::Ship { order: 7, shipment }] {
            let (method, path, body) = operation.request().unwrap();
            assert!(may_send(&method, &path, &body), "{body}");
            assert_eq!(Operation::from_content(&operation.content()).unwrap(), operation);
        }
        let more = serde_json::json!({"set-status": {"order": 7, "status": "shipped", "products": []}});
        assert!(Operation::from_content(&more).is_err());
        let delete = serde_json::json!({"method": "DELETE", "route": "v2/orders"});
        assert!(Operation::from_content(&delete).is_err());
    }
}
