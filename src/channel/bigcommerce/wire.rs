//! BigCommerce's documents as Orders V2 and V3 spell them, read leniently: money comes as text or as a number, `""` stands for nothing,
//! a sub-resource comes expanded or as a link to it, identifiers change their type. Unknown members are skipped.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Text that may come as text, number, bool or null; a list counts as empty, an object stays as it is and is no number. A number keeps
/// the digits it was sent with: money never passes through a float.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text, trimmed.
    pub fn get(&self) -> &str {
        self.0.trim()
    }

    /// The text as an id; `None` for nothing and for 0, BigCommerce's "none".
    pub fn id(&self) -> Option<&str> {
        Some(self.get()).filter(|id| !id.is_empty() && *id != "0")
    }

    /// Whether it says yes.
    pub fn is_true(&self) -> bool {
        self.get() == "true"
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match raw.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<&'de str>(raw) {
                Ok(plain) => Cow::Borrowed(plain),
                Err(_) => Cow::Owned(serde_json::from_str::<String>(raw).map_err(serde::de::Error::custom)?),
            },
            Some(b'[' | b'n') | None => Cow::Borrowed(""),
            Some(_) => Cow::Borrowed(raw),
        }))
    }
}

/// A list that may come as a link to it, as null or as `""`.
#[derive(Debug, Clone)]
pub struct Many<T> {
    /// The rows; none where it was no list.
    pub rows: Vec<T>,
    /// Whether it came as a list.
    pub listed: bool,
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), listed: false }
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Many<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(|rows| Many { rows, listed: true })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Many<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Many::default())
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
    fn visit_u64<E>(self, _: u64) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

/// An object that may come as null, `""` or a list (`consignments` in its discouraged form).
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
    fn visit_u64<E>(self, _: u64) -> Result<Maybe<T>, E> {
        Ok(Maybe::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Maybe<T>, E> {
        Ok(Maybe::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Maybe<T>, E> {
        Ok(Maybe::default())
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MaybeVisitor(PhantomData))
    }
}

/// Declares documents: every member may be missing, and what can be borrowed is.
macro_rules! documents {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $member:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        pub struct $name<'a> { $($(#[$of])* #[serde(borrow)] pub $member: $type),* }
    )*};
}

documents! {
    /// What a walk, and the question whether a row is complete, need of it.
    Head {
        id: Text<'a>,
        status_id: Text<'a>,
        payment_status: Text<'a>,
        date_modified: Text<'a>,
        is_deleted: Text<'a>,
        fees: Many<Nothing<'a>>,
        consignments: Maybe<HeadConsignments<'a>>,
        total_inc_tax: Text<'a>,
        subtotal_inc_tax: Text<'a>,
        shipping_cost_inc_tax: Text<'a>,
        handling_cost_inc_tax: Text<'a>,
        wrapping_cost_inc_tax: Text<'a>,
        discount_amount: Text<'a>,
        coupon_discount: Text<'a>,
    }

    /// Of consignments, whether they and their lines are there.
    HeadConsignments {
        shipping: Many<HeadBundle<'a>>,
        pickups: Many<HeadBundle<'a>>,
        downloads: Many<HeadBundle<'a>>,
        email: Maybe<HeadEmail<'a>>,
    }

    /// Gift certificates by e-mail.
    HeadEmail { gift_certificates: Many<HeadBundle<'a>> }

    /// The lines of one consignment.
    HeadBundle { line_items: Many<HeadLine<'a>> }

    /// Of a line, what tells a link from a line, and a refund.
    HeadLine { id: Text<'a>, quantity_refunded: Text<'a>, is_refunded: Text<'a> }

    /// Anything at all.
    Nothing { id: Text<'a> }

    /// What a cancellation looks at: the notes, which a PUT replaces as a whole, and how many pieces are shipped.
    Cancellable { staff_notes: Text<'a>, items_shipped: Text<'a> }

    /// An order, as `GET /v2/orders` gives it with its consignments; with what else belongs to it under `ordersync`.
    Order {
        id: Text<'a>,
        status_id: Text<'a>,
        status: Text<'a>,
        custom_status: Text<'a>,
        date_created: Text<'a>,
        date_modified: Text<'a>,
        date_shipped: Text<'a>,
        is_deleted: Text<'a>,
        customer_id: Text<'a>,
        currency_code: Text<'a>,
        default_currency_code: Text<'a>,
        store_default_currency_code: Text<'a>,
        store_default_to_transactional_exchange_rate: Text<'a>,
        is_tax_inclusive_pricing: Text<'a>,
        total_inc_tax: Text<'a>,
        total_tax: Text<'a>,
        shipping_cost_ex_tax: Text<'a>,
        handling_cost_ex_tax: Text<'a>,
        handling_cost_tax: Text<'a>,
        wrapping_cost_ex_tax: Text<'a>,
        wrapping_cost_tax: Text<'a>,
        discount_amount: Text<'a>,
        coupon_discount: Text<'a>,
        store_credit_amount: Text<'a>,
        gift_certificate_amount: Text<'a>,
        items_total: Text<'a>,
        items_shipped: Text<'a>,
        payment_method: Text<'a>,
        payment_provider_id: Text<'a>,
        payment_status: Text<'a>,
        customer_message: Text<'a>,
        staff_notes: Text<'a>,
        order_source: Text<'a>,
        channel_id: Text<'a>,
        external_source: Text<'a>,
        external_id: Text<'a>,
        external_order_id: Text<'a>,
        external_merchant_id: Text<'a>,
        ebay_order_id: Text<'a>,
        billing_address: Maybe<Address<'a>>,
        consignments: Maybe<Consignments<'a>>,
        fees: Many<Fee<'a>>,
        ordersync: Maybe<Added<'a>>,
    }

    /// What was fetched beside the order's own row.
    Added {
        products: Many<Product<'a>>,
        shipping_addresses: Many<Address<'a>>,
        fees: Many<Fee<'a>>,
        refunds: Many<Refund<'a>>,
    }

    /// The order's lines by the way they reach the buyer (`include=consignments.line_items`, `consignment_structure=object`).
    Consignments {
        shipping: Many<Address<'a>>,
        pickups: Many<Bundle<'a>>,
        downloads: Many<Bundle<'a>>,
        email: Maybe<Email<'a>>,
    }

    /// Gift certificates sent by e-mail.
    Email { gift_certificates: Many<Bundle<'a>> }

    /// Lines that are not shipped, together.
    Bundle { pickup_method_display_name: Text<'a>, line_items: Many<Product<'a>> }

    /// A billing or delivery address. A shipping consignment is one with its lines and what its delivery costs.
    Address {
        id: Text<'a>,
        first_name: Text<'a>,
        last_name: Text<'a>,
        company: Text<'a>,
        street_1: Text<'a>,
        street_2: Text<'a>,
        city: Text<'a>,
        state: Text<'a>,
        zip: Text<'a>,
        country: Text<'a>,
        country_iso2: Text<'a>,
        phone: Text<'a>,
        email: Text<'a>,
        form_fields: Many<FormField<'a>>,
        shipping_method: Text<'a>,
        cost_ex_tax: Text<'a>,
        cost_tax: Text<'a>,
        line_items: Many<Product<'a>>,
    }

    /// A field that the merchant added to an address form.
    FormField { name: Text<'a>, value: Option<&'a RawValue> }

    /// A line: an "order product".
    Product {
        id: Text<'a>,
        order_address_id: Text<'a>,
        order_pickup_method_id: Text<'a>,
        product_id: Text<'a>,
        variant_id: Text<'a>,
        name: Text<'a>,
        name_customer: Text<'a>,
        sku: Text<'a>,
        #[serde(rename = "type")]
        kind: Text<'a>,
        quantity: Text<'a>,
        quantity_shipped: Text<'a>,
        quantity_refunded: Text<'a>,
        price_ex_tax: Text<'a>,
        price_inc_tax: Text<'a>,
        total_ex_tax: Text<'a>,
        total_inc_tax: Text<'a>,
        total_tax: Text<'a>,
        discounted_total_inc_tax: Text<'a>,
        applied_discounts: Many<Discount<'a>>,
        product_options: Many<Choice<'a>>,
        configurable_fields: Many<FormField<'a>>,
        wrapping_name: Text<'a>,
        wrapping_message: Text<'a>,
    }

    /// A discount on a line, or its share of one on the order.
    Discount { id: Text<'a>, amount: Text<'a>, name: Text<'a>, code: Text<'a> }

    /// What the buyer chose.
    Choice { display_name: Text<'a>, display_value: Text<'a> }

    /// A fee. An example of the vendor's spells `cost_exc_tax`; see [`Fee::cost`].
    Fee {
        id: Text<'a>,
        #[serde(rename = "type")]
        kind: Text<'a>,
        display_name_customer: Text<'a>,
        display_name_merchant: Text<'a>,
        cost_ex_tax: Text<'a>,
        cost_exc_tax: Text<'a>,
        cost_tax: Text<'a>,
    }

    /// A refund (V3).
    Refund {
        id: Text<'a>,
        order_id: Text<'a>,
        created: Text<'a>,
        reason: Text<'a>,
        total_amount: Text<'a>,
        items: Many<RefundItem<'a>>,
        payments: Many<RefundPayment<'a>>,
    }

    /// What a refund is for; `item_id` is an order product's for `PRODUCT`.
    RefundItem { item_type: Text<'a>, item_id: Text<'a>, quantity: Text<'a>, requested_amount: Text<'a> }

    /// How a refund was paid.
    RefundPayment { is_declined: Text<'a> }

    /// What the fees of an order may come as: a list below `fees`, or one fee.
    Fees { id: Text<'a>, fees: Many<&'a RawValue> }

    /// A page of V3.
    Page { data: Many<&'a RawValue> }

    /// A shipment.
    Shipment {
        id: Text<'a>,
        order_address_id: Text<'a>,
        date_created: Text<'a>,
        tracking_number: Text<'a>,
        comments: Text<'a>,
        items: Many<ShipmentItem<'a>>,
    }

    /// What is in a shipment.
    ShipmentItem { order_product_id: Text<'a>, quantity: Text<'a> }

    /// `GET /v2/store`.
    Store {
        id: Text<'a>,
        store_id: Text<'a>,
        name: Text<'a>,
        domain: Text<'a>,
        secure_url: Text<'a>,
        currency: Text<'a>,
        timezone: Maybe<TimeZone<'a>>,
        status: Text<'a>,
    }

    /// The store's time zone.
    TimeZone { name: Text<'a> }

    /// `GET /v2/orders/count`.
    Count { count: Text<'a> }

    /// An error: V2 sends a list of `{status, message}`, V3 an object `{status, title, type, errors}`, newer parts problem+json.
    Failure { message: Text<'a>, title: Text<'a>, detail: Text<'a> }
}

impl Failure<'_> {
    /// Its own words.
    pub fn text(&self) -> &str {
        [&self.message, &self.title, &self.detail]
            .map(Text::get)
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or("")
    }
}

impl<'a> Fee<'a> {
    /// What it costs without tax, in whichever of the two spellings.
    pub fn cost(&self) -> &Text<'a> {
        if self.cost_ex_tax.get().is_empty() { &self.cost_exc_tax } else { &self.cost_ex_tax }
    }
}

impl FormField<'_> {
    /// Its value as text; several ticked boxes are joined.
    pub fn text(&self) -> String {
        let Some(raw) = self.value else { return String::new() };
        match serde_json::from_str::<Vec<Text<'_>>>(raw.get()) {
            Ok(several) => several.iter().map(Text::get).collect::<Vec<_>>().join(", "),
            Err(_) => serde_json::from_str::<Text<'_>>(raw.get()).map(|text| text.get().to_owned()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i8_an_amount_keeps_its_digits_as_text_or_number() {
        let read = |json: &str| serde_json::from_str::<Fee<'_>>(json).map(|fee| fee.cost().get().to_owned()).unwrap();
        assert_eq!(read(r#"{"cost_ex_tax":"69.8400"}"#), "69.8400");
        assert_eq!(read(r#"{"cost_ex_tax":0.10000000000000000001}"#), "0.10000000000000000001");
        assert_eq!(read(r#"{"cost_exc_tax":8}"#), "8");
        assert_eq!(read(r#"{"cost_ex_tax":"8.0","cost_exc_tax":8}"#), "8.0");
        assert_eq!(read(r#"{"cost_ex_tax":null}"#), "");
    }

    #[test]
    fn fees_come_below_their_name_or_as_one_fee() {
        let read = |json: &str| {
            serde_json::from_str::<Fees<'_>>(json)
                .map(|fees| (fees.id.id().is_some(), fees.fees.listed, fees.fees.rows.len()))
                .unwrap()
        };
        assert_eq!(read(r#"{"fees":[{"id":1},{"id":2}]}"#), (false, true, 2));
        assert_eq!(read(r#"{"id":1,"type":"custom_fee"}"#), (true, false, 0));
    }

    #[test]
    fn a_link_is_no_list_and_a_legacy_list_is_no_consignment() {
        let head = |json: &str| {
            serde_json::from_str::<Head<'_>>(json)
                .map(|head| (head.fees.listed, head.consignments.0.shipping.listed))
                .unwrap()
        };
        assert_eq!(head(r#"{"fees":{"url":"x","resource":"y"},"consignments":[{"shipping":[]}]}"#), (false, false));
        assert_eq!(head(r#"{"fees":[],"consignments":{"shipping":[]}}"#), (true, true));
        assert_eq!(head(r#"{"fees":0,"consignments":-1.5}"#), (false, false));
    }
}
