//! WooCommerce's documents as the shop spells them (`wc/v3`), read leniently: numbers come as text or numbers, lists as
//! arrays or PHP's keyed objects, anything may be null or missing, `taxes[].total` may be `""`. Unknown members are skipped.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Text that may come as text, number, bool or null; lists and objects count as empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text, trimmed.
    pub fn get(&self) -> &str {
        self.0.trim()
    }

    /// The text as an id; `None` for nothing and for 0, WooCommerce's "none".
    pub fn id(&self) -> Option<&str> {
        Some(self.get()).filter(|id| !id.is_empty() && *id != "0")
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a number")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }
    fn visit_bool<E>(self, yes: bool) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(if yes { "true" } else { "false" })))
    }
    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

/// An amount or a quantity: text, number or null. A list or an object is no amount: taken for nothing, it would make an order free of charge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amount<'a>(pub Text<'a>);

struct AmountVisitor;

impl<'de> Visitor<'de> for AmountVisitor {
    type Value = Amount<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount")
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Amount<'de>, E> {
        TextVisitor.visit_borrowed_str(text).map(Amount)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount<'de>, E> {
        TextVisitor.visit_str(text).map(Amount)
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Amount<'de>, E> {
        TextVisitor.visit_u64(number).map(Amount)
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Amount<'de>, E> {
        TextVisitor.visit_i64(number).map(Amount)
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Amount<'de>, E> {
        TextVisitor.visit_f64(number).map(Amount)
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Amount<'de>, E> {
        Ok(Amount::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Amount<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

/// A list that may come as an array, as an object (PHP arrays with gaps), as null or as `""`.
#[derive(Debug, Clone)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Many<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Many)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Many<T>, A::Error> {
        let mut list = Vec::new();
        while let Some((_, value)) = map.next_entry::<IgnoredAny, T>()? {
            list.push(value);
        }
        Ok(Many(list))
    }
    fn visit_unit<E>(self) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

/// An object that may come as null, `""` or PHP's empty array.
#[derive(Debug, Clone, Default)]
pub struct Maybe<T>(pub T);

struct MaybeVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for MaybeVisitor<T> {
    type Value = Maybe<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Maybe<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Maybe)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Maybe<T>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Maybe::default())
    }
    fn visit_unit<E>(self) -> Result<Maybe<T>, E> {
        Ok(Maybe::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Maybe<T>, E> {
        Ok(Maybe::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Maybe<T>, E> {
        Ok(Maybe::default())
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MaybeVisitor(PhantomData))
    }
}

/// What a walk needs to know about a row before anything else about it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Head<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow)]
    pub date_created: Text<'a>,
    #[serde(borrow)]
    pub date_created_gmt: Text<'a>,
    #[serde(borrow)]
    pub date_modified_gmt: Text<'a>,
    #[serde(borrow)]
    pub parent_id: Text<'a>,
}

impl<'a> From<Order<'a>> for Head<'a> {
    fn from(order: Order<'a>) -> Self {
        Self {
            id: order.id,
            status: order.status,
            date_created: Text::default(),
            date_created_gmt: order.date_created_gmt,
            date_modified_gmt: order.date_modified_gmt,
            parent_id: order.parent_id,
        }
    }
}

/// An order.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Order<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub parent_id: Text<'a>,
    #[serde(borrow)]
    pub number: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow)]
    pub currency: Text<'a>,
    #[serde(borrow)]
    pub date_created_gmt: Text<'a>,
    #[serde(borrow)]
    pub date_modified_gmt: Text<'a>,
    #[serde(borrow)]
    pub date_paid_gmt: Text<'a>,
    #[serde(borrow)]
    pub date_completed_gmt: Text<'a>,
    #[serde(borrow)]
    pub discount_total: Amount<'a>,
    #[serde(borrow)]
    pub shipping_total: Amount<'a>,
    #[serde(borrow)]
    pub total: Amount<'a>,
    #[serde(borrow)]
    pub total_tax: Amount<'a>,
    #[serde(borrow)]
    pub customer_id: Text<'a>,
    #[serde(borrow)]
    pub billing: Maybe<Address<'a>>,
    #[serde(borrow)]
    pub shipping: Maybe<Address<'a>>,
    #[serde(borrow)]
    pub payment_method: Text<'a>,
    #[serde(borrow)]
    pub payment_method_title: Text<'a>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
    #[serde(borrow)]
    pub created_via: Text<'a>,
    #[serde(borrow)]
    pub customer_note: Text<'a>,
    #[serde(borrow)]
    pub needs_processing: Text<'a>,
    #[serde(borrow)]
    pub meta_data: Many<Meta<'a>>,
    #[serde(borrow)]
    pub line_items: Many<LineItem<'a>>,
    #[serde(borrow)]
    pub tax_lines: Many<TaxLine<'a>>,
    #[serde(borrow)]
    pub shipping_lines: Many<ShippingLine<'a>>,
    #[serde(borrow)]
    pub fee_lines: Many<FeeLine<'a>>,
    #[serde(borrow)]
    pub coupon_lines: Many<CouponLine<'a>>,
    #[serde(borrow)]
    pub refunds: Many<Refund<'a>>,
    /// What was fetched beside the order itself ([`ADDED`]).
    #[serde(borrow)]
    pub ordersync: Maybe<Added<'a>>,
}

/// The member that holds what the shop keeps elsewhere.
pub const ADDED: &str = "ordersync";

/// What was fetched beside the order itself; documents of earlier versions have none of it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Added<'a> {
    #[serde(borrow)]
    pub refunds: Many<RefundDetails<'a>>,
    #[serde(borrow)]
    pub fulfillments: Many<Fulfillment<'a>>,
}

/// A refund as its own route tells it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct RefundDetails<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub date_created_gmt: Text<'a>,
    #[serde(borrow)]
    pub line_items: Many<RefundedItem<'a>>,
}

/// What a refund gave back of a line; which line stands in `_refunded_item_id`. Quantities are negative, from some plugins positive.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct RefundedItem<'a> {
    #[serde(borrow)]
    pub quantity: Amount<'a>,
    #[serde(borrow)]
    pub total: Amount<'a>,
    #[serde(borrow)]
    pub total_tax: Amount<'a>,
    #[serde(borrow)]
    pub meta_data: Many<Meta<'a>>,
}

/// A billing or shipping address.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Address<'a> {
    #[serde(borrow)]
    pub first_name: Text<'a>,
    #[serde(borrow)]
    pub last_name: Text<'a>,
    #[serde(borrow)]
    pub company: Text<'a>,
    #[serde(borrow)]
    pub address_1: Text<'a>,
    #[serde(borrow)]
    pub address_2: Text<'a>,
    #[serde(borrow)]
    pub city: Text<'a>,
    #[serde(borrow)]
    pub state: Text<'a>,
    #[serde(borrow)]
    pub postcode: Text<'a>,
    #[serde(borrow)]
    pub country: Text<'a>,
    #[serde(borrow)]
    pub email: Text<'a>,
    #[serde(borrow)]
    pub phone: Text<'a>,
}

/// A pair of key and value; the value is any JSON.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Meta<'a> {
    #[serde(borrow)]
    pub key: Text<'a>,
    #[serde(borrow)]
    pub value: Option<&'a RawValue>,
    #[serde(borrow)]
    pub display_key: Text<'a>,
    #[serde(borrow)]
    pub display_value: Text<'a>,
}

impl Meta<'_> {
    /// The value, where it is text, a number or a bool.
    pub fn text(&self) -> String {
        let value = self.value.and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok());
        value.map(|text| text.get().to_owned()).unwrap_or_default()
    }
}

/// A product line. `price` is a float with rounding noise (22.220000000000002) and is not read.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct LineItem<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub product_id: Text<'a>,
    #[serde(borrow)]
    pub variation_id: Text<'a>,
    #[serde(borrow)]
    pub quantity: Amount<'a>,
    #[serde(borrow)]
    pub subtotal: Amount<'a>,
    #[serde(borrow)]
    pub total: Amount<'a>,
    #[serde(borrow)]
    pub total_tax: Amount<'a>,
    #[serde(borrow)]
    pub sku: Text<'a>,
    #[serde(borrow)]
    pub meta_data: Many<Meta<'a>>,
}

/// A tax rate's sums.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct TaxLine<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub rate_code: Text<'a>,
    #[serde(borrow)]
    pub label: Text<'a>,
    #[serde(borrow)]
    pub tax_total: Amount<'a>,
    #[serde(borrow)]
    pub shipping_tax_total: Amount<'a>,
}

/// A shipping service; there may be several or none.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct ShippingLine<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub method_id: Text<'a>,
    #[serde(borrow)]
    pub method_title: Text<'a>,
    #[serde(borrow)]
    pub total: Amount<'a>,
    #[serde(borrow)]
    pub total_tax: Amount<'a>,
}

/// A fee; negative ones are discounts.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct FeeLine<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub total: Amount<'a>,
    #[serde(borrow)]
    pub total_tax: Amount<'a>,
}

/// A coupon and what it took off.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct CouponLine<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub code: Text<'a>,
    #[serde(borrow)]
    pub discount: Amount<'a>,
    #[serde(borrow)]
    pub discount_tax: Amount<'a>,
}

/// Money given back, as an order lists it: no date, no lines; `total` is negative text.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Refund<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub reason: Text<'a>,
    #[serde(borrow)]
    pub total: Amount<'a>,
}

/// A parcel of the Shipment Tracking extension, from its route or from order meta. `date_shipped` is a date in the one
/// and seconds since the epoch as text in the other.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Tracking<'a> {
    #[serde(borrow)]
    pub tracking_id: Text<'a>,
    #[serde(borrow)]
    pub tracking_provider: Text<'a>,
    #[serde(borrow)]
    pub custom_tracking_provider: Text<'a>,
    #[serde(borrow)]
    pub custom_tracking_link: Text<'a>,
    #[serde(borrow)]
    pub tracking_link: Text<'a>,
    #[serde(borrow)]
    pub tracking_number: Text<'a>,
    #[serde(borrow)]
    pub date_shipped: Text<'a>,
    /// What is in it, where the plugin (Advanced Shipment Tracking) lets the merchant say so.
    #[serde(borrow)]
    pub products_list: Many<Item<'a>>,
}

/// A fulfilment of WooCommerce's own (10.1 and later, behind a feature switch).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Fulfillment<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow)]
    pub date_deleted: Text<'a>,
    #[serde(borrow)]
    pub is_fulfilled: Text<'a>,
    #[serde(borrow)]
    pub meta_data: Many<Meta<'a>>,
}

impl Fulfillment<'_> {
    /// The text of one of its entries.
    pub fn meta(&self, key: &str) -> Option<String> {
        self.meta_data.0.iter().find(|meta| meta.key.get() == key).map(Meta::text)
    }

    /// How many of which line are in it; none where it does not tell.
    ///
    /// # Errors
    /// A quantity is no number that anybody means.
    pub fn contents(&self) -> Result<Vec<crate::order::LineQuantity>, String> {
        let raw = self.meta_data.0.iter().find(|meta| meta.key.get() == "_items").and_then(|meta| meta.value);
        let items: Many<Item<'_>> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        super::map::contents(&items.0)
    }

    /// Whether it went out: not a draft, not deleted. Where both are told, the status counts (observed 25).
    pub fn is_made(&self) -> bool {
        let fulfilled = match self.status.get() {
            "" => self.is_fulfilled.get() == "true",
            status => status == "fulfilled",
        };
        fulfilled && self.date_deleted.get().is_empty()
    }
}

/// An item of a fulfilment or of a tracking plugin's parcel.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Item<'a> {
    #[serde(borrow)]
    pub item_id: Text<'a>,
    #[serde(borrow)]
    pub qty: Amount<'a>,
}

/// An order note.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Note<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub note: Text<'a>,
    #[serde(borrow)]
    pub customer_note: Text<'a>,
}

/// What a write made: only its id matters.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Made<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub tracking_id: Text<'a>,
}

/// An error answer: `code` may be a number, `data` an object, a number or nothing.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Failure<'a> {
    #[serde(borrow)]
    pub code: Text<'a>,
    #[serde(borrow)]
    pub message: Text<'a>,
}
