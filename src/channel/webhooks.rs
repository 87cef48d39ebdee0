//! The seam for webhooks: what an adapter says of its channel's deliveries and subscriptions.
//!
//! **Deliveries.** [`Webhooks::read`] looks at one delivery as it came, raw bytes and headers, with
//! the store's keys: it verifies it and says which orders it is about. It does nothing else, so that
//! it can be asked before anything is open. Of a delivery no more than ids reaches the core: what
//! has become of the orders is read from the channel.
//!
//! **Subscriptions.** The adapter names the topics that it wants, and lists and changes the
//! channel's subscriptions one by one ([`Channel::hooks`](super::Channel::hooks),
//! [`Channel::change_hook`](super::Channel::change_hook)). Which are missing, switched off, or of
//! an older address, the core knows ([`crate::listen::subscriptions`]).

use chrono::TimeDelta;
use serde_json::Value;

use super::{Values, meant};
use crate::clock::Timestamp;
use crate::http::sign::is_hmac_sha256;
use crate::secret::Secret;

/// How a channel tells of changes.
pub(crate) struct Webhooks {
    /// The topics that are subscribed to, in the channel's words.
    pub(crate) topics: &'static [&'static str],
    /// The credentials that the vendor signs with; the first that there is does. Empty where it
    /// signs with a key of our own.
    pub(crate) signed_with: &'static [&'static str],
    /// Whether a key of our own goes with a subscription and proves a delivery.
    pub(crate) takes_our_key: bool,
    /// How long after a change its delivery may still come.
    pub(crate) comes_within: TimeDelta,
    /// The only port of a public address that the channel delivers to, where it is particular.
    pub(crate) port: Option<u16>,
    /// What a delivery tells.
    pub(crate) read: fn(&Delivery<'_>) -> Told,
    /// A delivery that is signed as the channel signs, for this store, and is about nothing
    /// ([`Told::Nothing`]): its body has this text in it.
    pub(crate) test: fn(&Values, &Keys, Timestamp, &str) -> Test,
}

/// A delivery of our own, by which the way to the receiver is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// Its headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// The keys that a store's deliveries are verified with. While one takes another's place there are
/// two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// Of the vendor.
    pub(crate) vendor: Vec<Secret>,
    /// Our own, which the vendor was given with the subscription.
    pub(crate) own: Vec<Secret>,
}

/// A delivery as it came.
pub(crate) struct Delivery<'a> {
    /// The headers: names in lower case, values as sent.
    pub(crate) headers: &'a [(String, Vec<u8>)],
    /// The raw body.
    pub(crate) body: &'a [u8],
    /// The values of the store whose path it was sent to.
    pub(crate) values: &'a Values,
    /// The keys of that store.
    pub(crate) keys: &'a Keys,
    /// The time.
    pub(crate) now: Timestamp,
}

/// What a delivery tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// These orders have changed.
    Orders {
        /// Their ids at the channel.
        ids: Vec<String>,
        /// What this delivery is known by when it comes again; nothing where it cannot be told from
        /// another one about the same order.
        key: Option<String>,
    },
    /// Nothing about orders: a test, or something that is of no interest.
    Nothing,
    /// It is not proven to be the channel's, or not this store's.
    Refused,
}

impl Delivery<'_> {
    /// A header that came once, as text; name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        let value = found.next().filter(|_| found.next().is_none())?;
        std::str::from_utf8(&value.1).ok()
    }

    /// Whether `signature` is the HMAC-SHA256 of `message` in base64 by one of `keys`.
    pub(crate) fn is_signed(&self, keys: &[Secret], message: &[&[u8]], signature: &str) -> bool {
        keys.iter().any(|key| is_hmac_sha256(key.reveal().as_bytes(), message, signature))
    }
}

/// An order's id out of a body: a whole number, or text that is one.
pub(crate) fn order_id(value: &Value) -> Option<String> {
    let number = match value {
        Value::Number(number) => meant(&number.to_string()),
        Value::String(text) => meant(text).filter(|_| text.bytes().all(|b| b.is_ascii_digit())),
        _ => None,
    };
    number.filter(|id| *id > 0).map(|id| id.to_string())
}

/// A subscription at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The channel's id.
    pub(crate) id: String,
    /// Its topic, in the channel's words.
    pub(crate) topic: String,
    /// Where its deliveries go.
    pub(crate) address: String,
    /// Whether it delivers: the channel switches those off whose deliveries fail.
    pub(crate) is_active: bool,
}

/// What is to be done about a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookChange {
    /// There is to be one.
    Create {
        /// Its topic.
        topic: &'static str,
        /// Where its deliveries go.
        address: String,
        /// Our own key.
        key: Secret,
    },
    /// It is to deliver again.
    Enable(Hook),
    /// It is not wanted any more.
    Remove(Hook),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_can_be_an_order_s_id_is_one() {
        assert_eq!(order_id(&json!(727)).as_deref(), Some("727"));
        assert_eq!(order_id(&json!("727")).as_deref(), Some("727"));
        let none = [json!(0), json!(-1), json!(1.5), json!(9_223_372_036_854_775_808u64), json!(u64::MAX), json!("-1")];
        for odd in none.into_iter().chain([json!("7/../9"), json!(" 7"), json!(""), json!(null), json!([7]), json!({})])
        {
            assert_eq!(order_id(&odd), None, "{odd}");
        }
    }
}
