//! BigCommerce's documents as Orders V2 and V3 spell them: money comes as text or as a number, `""`
//! stands for nothing, a sub-resource comes expanded or as a link to it, identifiers change their
//! type. Unknown members are skipped.

use serde_json::value::RawValue;

use crate::channel::json::{Amount, Many, Maybe, Text, documents};

documents! {
    /// What a walk needs of a row.
    Place { id: Text<'a>, date_modified: Text<'a>, is_deleted: Text<'a> }

    /// What the question whether a row is complete needs of it.
    Head {
        id: Text<'a>,
        status_id: Text<'a>,
        payment_status: Text<'a>,
        items_total: Amount<'a>,
        fees: Many<Nothing<'a>>,
        consignments: Maybe<HeadConsignments<'a>>,
        total_inc_tax: Amount<'a>,
        subtotal_inc_tax: Amount<'a>,
        shipping_cost_inc_tax: Amount<'a>,
        handling_cost_inc_tax: Amount<'a>,
        wrapping_cost_inc_tax: Amount<'a>,
        discount_amount: Amount<'a>,
        coupon_discount: Amount<'a>,
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
    HeadLine { id: Text<'a>, quantity: Amount<'a>, quantity_refunded: Amount<'a>, is_refunded: Text<'a> }

    /// Anything at all.
    Nothing { id: Text<'a> }

    /// What a cancellation looks at: the notes, which a PUT replaces as a whole.
    Noted { staff_notes: Text<'a> }

    /// An order, as `GET /v2/orders` gives it with its consignments; with what else belongs to it
    /// under `ordersync`.
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
        store_default_to_transactional_exchange_rate: Amount<'a>,
        is_tax_inclusive_pricing: Text<'a>,
        total_inc_tax: Amount<'a>,
        total_tax: Amount<'a>,
        shipping_cost_ex_tax: Amount<'a>,
        handling_cost_ex_tax: Amount<'a>,
        handling_cost_tax: Amount<'a>,
        wrapping_cost_ex_tax: Amount<'a>,
        wrapping_cost_tax: Amount<'a>,
        discount_amount: Amount<'a>,
        coupon_discount: Amount<'a>,
        store_credit_amount: Amount<'a>,
        gift_certificate_amount: Amount<'a>,
        items_total: Text<'a>,
        items_shipped: Amount<'a>,
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

    /// The order's lines by the way they reach the buyer (`include=consignments.line_items`,
    /// `consignment_structure=object`).
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

    /// A billing or delivery address. A shipping consignment is one with its lines and what its
    /// delivery costs.
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
        cost_ex_tax: Amount<'a>,
        cost_tax: Amount<'a>,
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
        quantity: Amount<'a>,
        quantity_shipped: Amount<'a>,
        quantity_refunded: Amount<'a>,
        price_ex_tax: Amount<'a>,
        price_inc_tax: Amount<'a>,
        total_ex_tax: Amount<'a>,
        total_inc_tax: Amount<'a>,
        total_tax: Amount<'a>,
        discounted_total_inc_tax: Amount<'a>,
        applied_discounts: Many<Discount<'a>>,
        product_options: Many<Choice<'a>>,
        configurable_fields: Many<FormField<'a>>,
        wrapping_name: Text<'a>,
        wrapping_message: Text<'a>,
    }

    /// A discount on a line, or its share of one on the order.
    Discount { id: Text<'a>, amount: Amount<'a>, name: Text<'a>, code: Text<'a> }

    /// What the buyer chose.
    Choice { display_name: Text<'a>, display_value: Text<'a> }

    /// A fee. An example of the vendor's spells `cost_exc_tax`; see [`Fee::cost`].
    Fee {
        id: Text<'a>,
        #[serde(rename = "type")]
        kind: Text<'a>,
        display_name_customer: Text<'a>,
        display_name_merchant: Text<'a>,
        cost_ex_tax: Amount<'a>,
        cost_exc_tax: Amount<'a>,
        cost_tax: Amount<'a>,
    }

    /// A refund (V3).
    Refund {
        id: Text<'a>,
        order_id: Text<'a>,
        created: Text<'a>,
        reason: Text<'a>,
        total_amount: Amount<'a>,
        items: Many<RefundItem<'a>>,
        payments: Many<RefundPayment<'a>>,
    }

    /// What a refund is for; `item_id` is an order product's for `PRODUCT`.
    RefundItem { item_type: Text<'a>, item_id: Text<'a>, quantity: Amount<'a>, requested_amount: Amount<'a> }

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
        shipping_provider: Text<'a>,
        tracking_carrier: Text<'a>,
        shipping_method: Text<'a>,
        comments: Text<'a>,
        items: Many<ShipmentItem<'a>>,
    }

    /// What is in a shipment.
    ShipmentItem { order_product_id: Text<'a>, quantity: Amount<'a> }

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

    /// An error: V2 sends a list of `{status, message}`, V3 an object `{status, title, type,
    /// errors}`, newer parts problem+json.
    Failure { message: Text<'a>, title: Text<'a>, detail: Text<'a> }
}

impl Failure<'_> {
    /// Its own words.
    pub(crate) fn text(&self) -> &str {
        [&self.message, &self.title, &self.detail]
            .map(Text::get)
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or("")
    }
}

impl<'a> Fee<'a> {
    /// What it costs without tax, in whichever of the two spellings.
    pub(crate) fn cost(&self) -> &Amount<'a> {
        if self.cost_ex_tax.get().is_empty() { &self.cost_exc_tax } else { &self.cost_ex_tax }
    }
}

impl FormField<'_> {
    /// Its value as text; several ticked boxes are joined.
    pub(crate) fn text(&self) -> String {
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
