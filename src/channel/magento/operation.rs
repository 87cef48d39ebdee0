//! The writes that this adapter can make, all of them.
//!
//! A shop takes other things of whoever may write: `POST orders` saves raw data over an order,
//! `POST shipment` ships without counting. A write is therefore a value of this type and nothing
//! else: what it does not have a member for cannot be sent.

use reqwest::Method;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::secret::Secret;

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
        /// How each of its rows is shipped where a bundle among them turns out to ship in its
        /// parts; none where there is no bundle.
        #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_rows")]
        in_parts: Vec<InParts>,
        /// The ids of the shipments that the order had when this one was planned.
        #[serde(skip)]
        known: Vec<String>,
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
    /// `POST async_event`, a route of the module for webhooks.
    Subscribe {
        /// `sales.order.created`.
        topic: &'static str,
        /// Where its deliveries go.
        address: String,
        /// What they are signed with.
        #[serde(skip)]
        key: Secret,
    },
    /// `PUT async_event/{hook}`: has a subscription deliver, or not any more.
    Switch {
        /// The subscription's id.
        hook: u64,
        /// Its topic: what it permits is looked up by that.
        topic: String,
        /// Whether it is to deliver.
        is_on: bool,
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

/// A row of a shipment as what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InParts {
    /// The SKU under which the shop refuses a bundle; `None` for what is no bundle.
    pub(crate) bundle: Option<String>,
    /// The parts of a bundle; else the row itself.
    pub(crate) rows: Vec<Item>,
}

/// One after the other.
fn as_rows<S: Serializer>(in_parts: &[InParts], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(in_parts.iter().flat_map(|row| &row.rows))
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
            Self::Subscribe { topic, address, key } => {
                let hook = json!({ "event_name": topic, "recipient_url": address, "verification_token": key.reveal(),
                    "metadata": "http" });
                (Method::POST, "async_event".to_owned(), json!({ "asyncEvent": hook }))
            }
            Self::Switch { hook, topic, is_on } => {
                let row = json!({ "subscription_id": hook, "event_name": topic, "status": is_on });
                (Method::PUT, format!("async_event/{hook}"), json!({ "asyncEvent": row }))
            }
        }
    }

    /// The same shipment with the parts of those bundles in their place that a refusal names: one
    /// names all that it is for. Shops before 2.4.2 name none: then of every bundle, as nothing of
    /// the shipment can go out as it is. `None` where there is no bundle.
    pub(crate) fn in_parts(&self, refusal: &str) -> Option<Self> {
        let Self::Ship { order, shipment, in_parts, .. } = self else { return None };
        let is_named = |row: &InParts| row.bundle.as_deref().is_some_and(|sku| is_quoted(refusal, sku));
        let is_any_named = in_parts.iter().any(is_named);
        let rows = shipment.items.iter().zip(in_parts).flat_map(|(item, row)| match is_any_named && !is_named(row) {
            true => std::slice::from_ref(item),
            false => &row.rows,
        });
        let shipment = NewShipment { items: rows.cloned().collect(), ..shipment.clone() };
        let ship = Self::Ship { order: *order, shipment, in_parts: Vec::new(), known: Vec::new() };
        (!in_parts.is_empty()).then_some(ship)
    }
}

/// Whether a text has this word in quotes, as whatever language writes them.
fn is_quoted(text: &str, word: &str) -> bool {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›' | '「' | '」');
    let is_between = |at: usize| {
        let (before, after) = (text.get(..at), text.get(at + word.len()..));
        before.is_some_and(|text| text.trim_end().ends_with(is_quote))
            && after.is_some_and(|text| text.trim_start().starts_with(is_quote))
    };
    !word.is_empty() && text.match_indices(word).any(|(at, _)| is_between(at))
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
        assert_eq!(
            json!(Operation::Ship {
                order: 7,
                shipment: shipment.clone(),
                in_parts: Vec::new(),
                known: vec!["8".to_owned()]
            }),
            words
        );
        let rows = |ids: &[u64]| ids.iter().map(|id| item(*id)).collect();
        let in_parts = vec![
            InParts { bundle: Some("SET".to_owned()), rows: rows(&[6, 7]) },
            InParts { bundle: None, rows: rows(&[9]) },
        ];
        let rows = json!([6, 7, 9].map(|id| json!({ "order_item_id": id, "qty": 2 })));
        assert_eq!(
            json!(Operation::Ship { order: 7, shipment, in_parts, known: Vec::new() })["ship"]["in_parts"],
            rows
        );
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
        let operation = Operation::Ship { order: 7, shipment, in_parts: Vec::new(), known: Vec::new() };
        let (method, route, body) = operation.request();
        assert_eq!((method, route.as_str()), (Method::POST, "order/7/ship"));
        assert_eq!(
            body,
            json!({ "items": [{ "order_item_id": 5, "qty": 1 }], "tracks": [], "notify": false, "appendComment": false,
            "comment": { "comment": "ordersync:x", "is_visible_on_front": 0 },
            "arguments": { "extension_attributes": { "source_code": "berlin" } } })
        );
        assert!(operation.in_parts("refused").is_none());
    }

    #[test]
    fn d5_only_the_bundles_that_a_refusal_names_are_swapped_for_their_parts() {
        let item = |id: u64| Item { order_item_id: id, qty: json!(1) };
        let of = |id: u64, sku: Option<&str>, parts: &[u64]| {
            (item(id), InParts { bundle: sku.map(str::to_owned), rows: parts.iter().map(|id| item(*id)).collect() })
        };
        // One SKU begins as another, one is a word of the sentence, and one has a quote in it.
        let rows = [
            of(1, Some("SET"), &[11, 12]),
            of(2, Some("SET-APART"), &[21, 22]),
            of(3, Some("bundle"), &[31]),
            of(4, Some("5\" SET"), &[41]),
            of(9, None, &[9]),
        ];
        let (items, in_parts): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let shipment = NewShipment { items, tracks: Vec::new(), notify: true, marker: None, source: None };
        let operation = Operation::Ship { order: 7, shipment, in_parts, known: vec!["5".to_owned()] };
        let sent = |refusal: &str| {
            let Some(Operation::Ship { shipment, in_parts, .. }) = operation.in_parts(refusal) else { panic!() };
            assert!(in_parts.is_empty(), "it is swapped once");
            shipment.items.iter().map(|item| item.order_item_id).collect::<Vec<_>>()
        };
        let told =
            |sku: &str| format!("Cannot create shipment as bundle product \"{sku}\" has shipment type \"Separately\".");
        assert_eq!(sent(&told("SET-APART")), [1, 21, 22, 3, 4, 9]);
        assert_eq!(sent(&format!("{} {}", told("SET"), told("5\" SET"))), [11, 12, 2, 3, 41, 9]);
        assert_eq!(sent("Das Bündelprodukt „SET-APART“ hat den Versandtyp „Getrennt“."), [1, 21, 22, 3, 4, 9]);
        assert_eq!(sent("Le produit « SET » est expédié séparément."), [11, 12, 2, 3, 4, 9]);
        assert_eq!(sent("You can't create a shipment without products."), [11, 12, 21, 22, 31, 41, 9], "none is named");
    }
}
