//! The writes that this adapter can make, all of them.
//!
//! A shop takes other things of whoever may write: `POST orders` saves raw data over an order,
//! `POST shipment` ships without counting. A write is therefore a value of this type and nothing
//! else: what it does not have a member for cannot be sent.

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

/// A write.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// `POST order/{order}/ship`: ships pieces, and mails the buyer where that is wished.
    Ship {
        /// The order's id.
        order: u64,
        /// What is shipped.
        shipment: NewShipment,
        /// What is shipped in its place where a bundle among it turns out to ship in its parts.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        in_parts: Vec<Item>,
    },
    /// `POST shipment/track`: mails nobody.
    AddTrack {
        /// The order's id.
        order: u64,
        /// The shipment's id.
        shipment: u64,
        /// The tracking number.
        track: Track,
    },
    /// `DELETE shipment/track/{track}`.
    RemoveTrack {
        /// The track's id.
        track: u64,
    },
    /// `POST shipment/{shipment}/emails`: mails the buyer what the shipment is now.
    Mail {
        /// The shipment's id.
        shipment: u64,
    },
    /// `POST orders/{order}/comments`: only the staff sees it.
    Comment {
        /// The order's id.
        order: u64,
        /// What stands in it.
        text: String,
        /// The order's status code as it is: without it the shop may empty it.
        status: String,
    },
    /// `POST orders/{order}/cancel`.
    Cancel {
        /// The order's id.
        order: u64,
    },
}

/// A shipment as it is to be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NewShipment {
    /// What is in it; never empty: without items the shop ships all.
    pub(crate) items: Vec<Item>,
    /// Its tracking numbers.
    pub(crate) tracks: Vec<Track>,
    /// Whether the buyer is told.
    pub(crate) notify: bool,
    /// Our key, in a comment that only the staff sees; none where the merchant wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
    /// The inventory source; none where the shop has one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

/// How many of which row of the order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Item {
    /// The row's id.
    pub(crate) order_item_id: u64,
    /// Pieces; some shops sell parts of one.
    pub(crate) qty: Value,
}

/// A tracking number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Track {
    /// The number.
    pub(crate) track_number: String,
    /// The carrier's name.
    pub(crate) title: String,
    /// The module that knows the carrier; `custom` for all others.
    pub(crate) carrier_code: &'static str,
}

impl Operation {
    /// Method, route below `V1/` and body; null: none.
    pub(crate) fn request(&self) -> (Method, String, Value) {
        match self {
            Self::Ship { order, shipment, .. } => {
                let NewShipment { items, tracks, notify, marker, source } = shipment;
                let mut body = json!({ "items": items, "tracks": tracks, "notify": notify, "appendComment": false });
                if let Some(marker) = marker {
                    body["comment"] = json!({ "comment": marker, "is_visible_on_front": 0 });
                }
                if let Some(source) = source {
                    body["arguments"] = json!({ "extension_attributes": { "source_code": source } });
                }
                (Method::POST, format!("order/{order}/ship"), body)
            }
            Self::AddTrack { order, shipment, track } => {
                // The three members that say nothing are asked for by the vendor's schema.
                let entity = json!({ "order_id": order, "parent_id": shipment, "weight": 0, "qty": 1, "description": "",
                    "track_number": track.track_number, "title": track.title, "carrier_code": track.carrier_code });
                (Method::POST, "shipment/track".to_owned(), json!({ "entity": entity }))
            }
            Self::RemoveTrack { track } => (Method::DELETE, format!("shipment/track/{track}"), Value::Null),
            Self::Mail { shipment } => (Method::POST, format!("shipment/{shipment}/emails"), json!({})),
            Self::Comment { order, text, status } => {
                let history = json!({ "comment": text, "is_customer_notified": 0, "is_visible_on_front": 0,
                    "parent_id": order, "status": status });
                (Method::POST, format!("orders/{order}/comments"), json!({ "statusHistory": history }))
            }
            Self::Cancel { order } => (Method::POST, format!("orders/{order}/cancel"), json!({})),
        }
    }

    /// The same shipment of the parts in the place of their bundles; `None` where it has none.
    pub(crate) fn in_parts(&self) -> Option<Self> {
        match self {
            Self::Ship { order, shipment, in_parts } if !in_parts.is_empty() => Some(Self::Ship {
                order: *order,
                shipment: NewShipment { items: in_parts.clone(), ..shipment.clone() },
                in_parts: Vec::new(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the outbox hold marks that an older version has made of these words.
    #[test]
    fn d3_what_a_mark_is_made_of_stays_from_version_to_version() {
        let track = || Track { track_number: "JD01".to_owned(), title: "DHL".to_owned(), carrier_code: "custom" };
        let item = |id: u64| Item { order_item_id: id, qty: json!(2) };
        let shipment =
            NewShipment { items: vec![item(5)], tracks: vec![track()], notify: true, marker: None, source: None };
        let words = json!({ "ship": { "order": 7, "shipment": { "items": [{ "order_item_id": 5, "qty": 2 }],
            "tracks": [{ "track_number": "JD01", "title": "DHL", "carrier_code": "custom" }], "notify": true } } });
        assert_eq!(json!(Operation::Ship { order: 7, shipment, in_parts: Vec::new() }), words);
        assert_eq!(json!(Operation::Cancel { order: 7 }), json!({ "cancel": { "order": 7 } }));
        assert_eq!(json!(Operation::RemoveTrack { track: 9 }), json!({ "remove-track": { "track": 9 } }));
    }

    #[test]
    fn items_and_tracks_are_lists_and_nothing_else_than_what_is_meant_is_sent() {
        let item = Item { order_item_id: 5, qty: json!(1) };
        let shipment = NewShipment {
            items: vec![item.clone()],
            tracks: Vec::new(),
            notify: false,
            marker: Some("ordersync:x".to_owned()),
            source: Some("berlin".to_owned()),
        };
        let operation = Operation::Ship { order: 7, shipment, in_parts: vec![Item { order_item_id: 6, ..item }] };
        let (method, route, body) = operation.request();
        assert_eq!((method, route.as_str()), (Method::POST, "order/7/ship"));
        assert_eq!(
            body,
            json!({ "items": [{ "order_item_id": 5, "qty": 1 }], "tracks": [], "notify": false, "appendComment": false,
            "comment": { "comment": "ordersync:x", "is_visible_on_front": 0 },
            "arguments": { "extension_attributes": { "source_code": "berlin" } } })
        );
        let parts = operation.in_parts().unwrap();
        assert_eq!(parts.request().2["items"], json!([{ "order_item_id": 6, "qty": 1 }]));
        assert!(parts.in_parts().is_none());
    }
}
