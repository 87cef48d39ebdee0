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
use crate::http::sign::{is_hmac_sha256, is_hmac_sha256_in_hex};
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
    /// What a shop must have of its own before it can be subscribed to: such a one is where the
    /// merchant names it. Empty where every shop can.
    pub(crate) needs: &'static str,
    /// Whether a subscription can be deleted; else it is switched off, and listed as that.
    pub(crate) deletes: bool,
    /// What stores of one application have in common; nothing where each store stands for itself.
    pub(crate) application: Option<Application>,
    /// Answers the question whether an address is ours, as JSON; nothing where the channel asks
    /// none.
    pub(crate) challenge: Option<Challenged>,
    /// By which of the channel's own keys a delivery says that it is signed, where such keys are to
    /// be fetched ([`Channel::hook_key`](super::Channel::hook_key)). It is not proven by then.
    pub(crate) key_id: Option<KeyNamed>,
    /// The only port of a public address that the channel delivers to, where it is particular.
    pub(crate) port: Option<u16>,
    /// What a delivery tells.
    pub(crate) read: fn(&Delivery<'_>) -> Told,
    /// A delivery that is signed as the channel signs, for this store, and is about nothing
    /// ([`Told::Nothing`]): its body has this text in it. Nothing where only the channel can sign.
    pub(crate) test: Option<Signed>,
}

/// What signs a test.
pub(crate) type Signed = fn(&Values, &Keys, Timestamp, &str) -> Test;

/// A delivery of our own, by which the way to the receiver is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// Its headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// The body of the answer to a challenge; nothing where it is none.
pub(crate) type Challenged = fn(&Challenge<'_>) -> Option<Vec<u8>>;

/// The name of a key; nothing where there is none.
pub(crate) type KeyNamed = fn(&Delivery<'_>) -> Option<String>;

/// An application through which a channel delivers for several stores: to one path, with one key.
/// Whose a delivery is stands in it ([`Told::Of`]).
#[derive(Debug)]
pub(crate) struct Application {
    /// The credential that stores of one application have the same.
    pub(crate) credential: &'static str,
    /// Those of the topics that are subscribed to once for all of its stores.
    pub(crate) topics: &'static [&'static str],
}

/// A question of the channel whether whoever is at an address knows what was given with it.
pub(crate) struct Challenge<'a> {
    /// The query.
    pub(crate) query: &'a [(String, String)],
    /// Our own key, which the channel was given.
    pub(crate) key: &'a Secret,
    /// The address, as it was subscribed to.
    pub(crate) address: &'a str,
}

/// The keys that a store's deliveries are verified with. While one takes another's place there are
/// two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// Of the vendor.
    pub(crate) vendor: Vec<Secret>,
    /// Our own, which the vendor was given with the subscription.
    pub(crate) own: Vec<Secret>,
    /// That which the delivery names, where such ones are fetched.
    pub(crate) fetched: Option<Secret>,
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
    /// The channel has erased this person, and wants them forgotten here as well.
    Forget {
        /// What the channel knows the person by: its own number of the customer, and what it may have
        /// told in the place of that.
        names: Vec<String>,
        /// As that of orders.
        key: Option<String>,
    },
    /// This is told of the store with this account, the id that the channel knows the store by; of
    /// one that is none of ours it is nothing.
    Of {
        /// The id of the account.
        account: String,
        /// What is told.
        told: Box<Told>,
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

    /// The same in hexadecimal digits.
    pub(crate) fn is_signed_in_hex(&self, keys: &[Secret], message: &[&[u8]], signature: &str) -> bool {
        keys.iter().any(|key| is_hmac_sha256_in_hex(key.reveal().as_bytes(), message, signature))
    }
}

/// Whether a name of a key can be one: it goes into an address.
pub(crate) fn is_key_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
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
    fn only_what_can_be_a_key_s_name_is_one() {
        assert!(is_key_id("9936261a-7d7b-4621-a0f1-964a24b1ee9e") && is_key_id("k_1"));
        for odd in ["", "../x", "a/b", "a?b", "a%2fb", "a b", "ä", "a\n", &"a".repeat(65)] {
            assert!(!is_key_id(odd), "{odd}");
        }
    }

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
