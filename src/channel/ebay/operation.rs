//! The writes that this adapter can make, all of them.

use chrono::TimeDelta;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::auth::POST_ORDER;
use crate::clock::Timestamp;

/// A write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Tells of a parcel.
    Ship(Parcel),
    /// Asks for the cancellation of a whole order.
    Cancel {
        /// The order's id.
        order: String,
        /// One of the reasons that eBay takes for this order.
        reason: String,
        /// When it was paid, where it was.
        paid_at: Option<String>,
    },
    /// Agrees to a cancellation that the buyer has asked for.
    Approve {
        /// The request's id.
        request: String,
    },
    /// Turns such a request down, because the order has been sent.
    Reject {
        /// The request's id.
        request: String,
        /// When it was sent.
        shipped_at: String,
        /// Its tracking number, where it has one.
        number: Option<String>,
    },
}

/// A parcel as it is to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Parcel {
    /// The order's id.
    pub(crate) order: String,
    /// Lines and pieces. A line without a count would be taken for one piece.
    pub(crate) lines: Vec<(String, u64)>,
    /// When it was sent.
    pub(crate) shipped_at: String,
    /// eBay's code of the carrier and the tracking number, letters and digits alone; both or neither.
    pub(crate) tracking: Option<(String, String)>,
}

/// How far two clocks are apart that are right.
const CLOCKS: TimeDelta = TimeDelta::seconds(5);

/// A moment as eBay takes it.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

impl Operation {
    /// Method, path and body, where eBay's clock shows `now`.
    pub(crate) fn request(&self, now: Timestamp) -> (Method, String, Value) {
        let post_order = |rest: &str| format!("{POST_ORDER}v2/cancellation{rest}");
        let (path, body) = match self {
            Self::Ship(parcel) => {
                (format!("/sell/fulfillment/v1/order/{}/shipping_fulfillment", parcel.order), parcel.body(now))
            }
            Self::Cancel { order, reason, paid_at } => {
                let mut body =
                    json!({ "legacyOrderId": order, "cancelReason": reason, "buyerPaid": paid_at.is_some() });
                if let Some(at) = paid_at {
                    body["buyerPaidDate"] = json!({ "value": at });
                }
                (post_order(""), body)
            }
            Self::Approve { request } => (post_order(&format!("/{request}/approve")), Value::Null),
            Self::Reject { request, shipped_at, number } => {
                let mut body = json!({ "shipmentDate": { "value": shipped_at } });
                if let Some(number) = number {
                    body["trackingNumber"] = json!(number);
                }
                (post_order(&format!("/{request}/reject")), body)
            }
        };
        (Method::POST, path, body)
    }
}

impl Parcel {
    /// What was sent is not sent in time to come, and eBay takes its own clock for that.
    fn body(&self, now: Timestamp) -> Value {
        let ahead = moment(now + CLOCKS);
        let shipped_at = if self.shipped_at > ahead { moment(now) } else { self.shipped_at.clone() };
        let line = |(id, quantity): &(String, u64)| json!({ "lineItemId": id, "quantity": quantity });
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        let mut body = json!({ "lineItems": lines, "shippedDate": shipped_at });
        if let Some((carrier, number)) = &self.tracking {
            body["shippingCarrierCode"] = json!(carrier);
            body["trackingNumber"] = json!(number);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T09:20:00Z".parse().unwrap()
    }

    #[test]
    fn d5_a_parcel_names_the_pieces_of_each_line_and_carrier_and_number_go_together() {
        let parcel = Parcel {
            order: "12-34567-89012".into(),
            lines: vec![("9900012345678".into(), 2), ("9900012345679".into(), 1)],
            shipped_at: "2026-11-23T09:15:00.000Z".into(),
            tracking: Some(("DHL".into(), "00340434161094012345".into())),
        };
        let (method, path, body) = Operation::Ship(parcel.clone()).request(now());
        assert_eq!((method, &*path), (Method::POST, "/sell/fulfillment/v1/order/12-34567-89012/shipping_fulfillment"));
        assert_eq!(body["lineItems"][1], json!({ "lineItemId": "9900012345679", "quantity": 1 }));
        assert_eq!(body["trackingNumber"], "00340434161094012345");
        let bare = Operation::Ship(Parcel { tracking: None, ..parcel }).request(now() - TimeDelta::hours(3)).2;
        assert_eq!(bare["shippedDate"], "2026-11-23T06:20:00.000Z", "eBay's clock is behind");
        assert!(bare.get("trackingNumber").is_none() && bare.get("shippingCarrierCode").is_none());
    }

    #[test]
    fn d8_a_cancellation_says_whether_it_was_paid() {
        let cancel = |paid_at| {
            let reason = "ORDER_UNPAID".to_owned();
            Operation::Cancel { order: "14-00000-12345".into(), reason, paid_at }.request(now())
        };
        let (_, path, body) = cancel(Some("2026-11-20T10:00:00.000Z".into()));
        assert_eq!((&*path, &body["buyerPaid"]), ("/post-order/v2/cancellation", &json!(true)));
        assert_eq!(body["buyerPaidDate"], json!({ "value": "2026-11-20T10:00:00.000Z" }));
        assert_eq!(cancel(None).2["buyerPaid"], false);
        assert!(cancel(None).2.get("buyerPaidDate").is_none());
        let (_, path, body) = Operation::Approve { request: "50".into() }.request(now());
        assert_eq!((&*path, body), ("/post-order/v2/cancellation/50/approve", Value::Null));
    }
}
