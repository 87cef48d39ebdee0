//! The writes that this adapter can make, all of them. Each tells the buyer by e-mail.

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

/// A write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Tells of a parcel; the receipt is shipped with it, as a whole.
    Track {
        /// The receipt's id.
        receipt: u64,
        /// Etsy's word for the carrier.
        carrier: String,
        /// The tracking number.
        code: String,
    },
    /// Marks the receipt as shipped, without a parcel.
    Ship {
        /// The receipt's id.
        receipt: u64,
    },
}

impl Operation {
    /// Method, place among the shop's receipts, and body. The number goes as a text: digits alone
    /// would be read as a number that is too large. It goes as JSON that says so: sent as a form it
    /// is dropped in silence, and the receipt is shipped all the same.
    pub(crate) fn request(&self) -> (Method, String, Value) {
        let (receipt, body) = match self {
            Self::Track { receipt, carrier, code } => {
                (receipt, json!({ "tracking_code": code, "carrier_name": carrier, "send_bcc": false }))
            }
            Self::Ship { receipt } => (receipt, json!({ "send_bcc": false })),
        };
        (Method::POST, format!("/{receipt}/tracking"), body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_digits_goes_as_a_text() {
        let code = "9400111899223197428490".to_owned();
        let (method, route, body) = Operation::Track { receipt: 7, carrier: "usps".into(), code }.request();
        assert_eq!((method, &*route), (Method::POST, "/7/tracking"));
        assert_eq!(body["tracking_code"], json!("9400111899223197428490"));
        assert_eq!(Operation::Ship { receipt: 7 }.request().2, json!({ "send_bcc": false }));
    }
}
