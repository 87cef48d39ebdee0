//! WooCommerce's documents as the shop spells them (`wc/v3`): numbers come as text or numbers,
//! lists as arrays or PHP's keyed objects, anything may be null or missing, `taxes[].total` may be
//! `""`. Unknown members are skipped.

use serde_json::value::RawValue;

use crate::channel::json::{Amount, Keyed, Maybe, Text, documents};

documents! {
    /// What a walk needs to know about a row before anything else about it.
    Head {
        id: Text<'a>,
        status: Text<'a>,
        date_created: Text<'a>,
        date_created_gmt: Text<'a>,
        date_modified_gmt: Text<'a>,
        parent_id: Text<'a>,
    }

    /// An order.
    Order {
        id: Text<'a>,
        parent_id: Text<'a>,
        number: Text<'a>,
        status: Text<'a>,
        currency: Text<'a>,
        date_created: Text<'a>,
        date_created_gmt: Text<'a>,
        date_modified_gmt: Text<'a>,
        date_paid: Text<'a>,
        date_paid_gmt: Text<'a>,
        date_completed_gmt: Text<'a>,
        discount_total: Amount<'a>,
        shipping_total: Amount<'a>,
        total: Amount<'a>,
        total_tax: Amount<'a>,
        customer_id: Text<'a>,
        billing: Maybe<Address<'a>>,
        shipping: Maybe<Address<'a>>,
        payment_method: Text<'a>,
        payment_method_title: Text<'a>,
        transaction_id: Text<'a>,
        created_via: Text<'a>,
        customer_note: Text<'a>,
        needs_processing: Text<'a>,
        meta_data: Keyed<Meta<'a>>,
        line_items: Keyed<LineItem<'a>>,
        tax_lines: Keyed<TaxLine<'a>>,
        shipping_lines: Keyed<ShippingLine<'a>>,
        fee_lines: Keyed<FeeLine<'a>>,
        coupon_lines: Keyed<CouponLine<'a>>,
        refunds: Keyed<Refund<'a>>,
        /// What was fetched beside the order itself ([`crate::channel::parts`]).
        ordersync: Maybe<Added<'a>>,
    }

    /// What was fetched beside the order itself; documents of earlier versions have none of it.
    Added {
        refunds: Keyed<RefundDetails<'a>>,
        fulfillments: Keyed<Fulfillment<'a>>,
        products: Keyed<Product<'a>>,
    }

    /// A product or a variation, as far as it tells whether it goes into a parcel.
    Product { id: Text<'a>, r#virtual: Text<'a>, downloadable: Text<'a> }

    /// A refund as its own route tells it.
    RefundDetails {
        id: Text<'a>,
        date_created_gmt: Text<'a>,
        amount: Amount<'a>,
        reason: Text<'a>,
        line_items: Keyed<RefundedItem<'a>>,
    }

    /// What a refund gave back of a line; which line stands in `_refunded_item_id`. Quantities are
    /// negative, from some plugins positive.
    RefundedItem {
        quantity: Amount<'a>,
        total: Amount<'a>,
        total_tax: Amount<'a>,
        meta_data: Keyed<Meta<'a>>,
    }

    /// A billing or shipping address.
    Address {
        first_name: Text<'a>,
        last_name: Text<'a>,
        company: Text<'a>,
        address_1: Text<'a>,
        address_2: Text<'a>,
        city: Text<'a>,
        state: Text<'a>,
        postcode: Text<'a>,
        country: Text<'a>,
        email: Text<'a>,
        phone: Text<'a>,
    }

    /// A pair of key and value; the value is any JSON.
    Meta { key: Text<'a>, value: Option<&'a RawValue>, display_key: Text<'a>, display_value: Text<'a> }

    /// A product line. `price` is a float with rounding noise (22.220000000000002) and is not read.
    LineItem {
        id: Text<'a>,
        name: Text<'a>,
        product_id: Text<'a>,
        variation_id: Text<'a>,
        quantity: Amount<'a>,
        subtotal: Amount<'a>,
        total: Amount<'a>,
        total_tax: Amount<'a>,
        sku: Text<'a>,
        meta_data: Keyed<Meta<'a>>,
    }

    /// A tax rate's sums.
    TaxLine {
        id: Text<'a>,
        rate_code: Text<'a>,
        label: Text<'a>,
        tax_total: Amount<'a>,
        shipping_tax_total: Amount<'a>,
    }

    /// A shipping service; there may be several or none.
    ShippingLine {
        id: Text<'a>,
        method_id: Text<'a>,
        method_title: Text<'a>,
        total: Amount<'a>,
        total_tax: Amount<'a>,
        meta_data: Keyed<Meta<'a>>,
    }

    /// A fee; negative ones are discounts.
    FeeLine { id: Text<'a>, name: Text<'a>, total: Amount<'a>, total_tax: Amount<'a> }

    /// A coupon and what it took off.
    CouponLine { id: Text<'a>, code: Text<'a>, discount: Amount<'a>, discount_tax: Amount<'a> }

    /// Money given back, as an order lists it: no date, no lines; `total` is negative text.
    Refund { id: Text<'a>, reason: Text<'a>, total: Amount<'a> }

    /// A parcel of the Shipment Tracking extension, from its route or from order meta.
    /// `date_shipped` is a date in the one and seconds since the epoch as text in the other.
    Tracking {
        tracking_id: Text<'a>,
        tracking_provider: Text<'a>,
        custom_tracking_provider: Text<'a>,
        custom_tracking_link: Text<'a>,
        tracking_link: Text<'a>,
        tracking_number: Text<'a>,
        date_shipped: Text<'a>,
        /// What is in it, where the plugin (Advanced Shipment Tracking) lets the merchant say so.
        products_list: Keyed<Item<'a>>,
    }

    /// A parcel of AfterShip, from order meta.
    AfterShip {
        tracking_id: Text<'a>,
        tracking_number: Text<'a>,
        slug: Text<'a>,
        /// What is in it, where the merchant said so.
        line_items: Keyed<AfterShipLine<'a>>,
    }

    /// How many of a line of the order are in it.
    AfterShipLine { id: Text<'a>, quantity: Amount<'a> }

    /// A label that was bought with WooCommerce Shipping, from order meta.
    Label { label_id: Text<'a>, tracking: Text<'a>, carrier_id: Text<'a>, refund: Maybe<LabelRefund<'a>> }

    /// That a label was given back.
    LabelRefund { status: Text<'a> }

    /// A fulfilment of WooCommerce's own (10.1 and later, behind a feature switch).
    Fulfillment {
        id: Text<'a>,
        status: Text<'a>,
        date_deleted: Text<'a>,
        is_fulfilled: Text<'a>,
        meta_data: Keyed<Meta<'a>>,
    }

    /// An item of a fulfilment or of a tracking plugin's parcel.
    Item { item_id: Text<'a>, qty: Amount<'a> }

    /// An order note.
    Note { id: Text<'a>, note: Text<'a>, customer_note: Text<'a>, date_created_gmt: Text<'a> }

    /// What a write made: only its id matters.
    Made { id: Text<'a>, tracking_id: Text<'a> }

    /// An error answer: `code` may be a number, `data` an object, a number or nothing.
    Failure { code: Text<'a>, message: Text<'a> }
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

impl Meta<'_> {
    /// The value, where it is text, a number or a bool.
    pub(crate) fn text(&self) -> String {
        let value = self.value.and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok());
        value.map(|text| text.get().to_owned()).unwrap_or_default()
    }
}

impl Product<'_> {
    /// Whether the shop takes it for something that is not sent. What is sent may have a download
    /// with it: a record and its tracks.
    pub(crate) fn needs_no_parcel(&self) -> bool {
        self.r#virtual.is_true()
    }

    /// Whether there is something of it to be downloaded.
    pub(crate) fn is_downloadable(&self) -> bool {
        self.downloadable.is_true()
    }
}

/// The meta of a fulfilment by which we know our own again. Random, so it may be seen by anybody.
pub(crate) const OUR_KEY: &str = "_ordersync_shipment";

/// The meta of a fulfilment that names its carrier.
pub(crate) const PROVIDER: &str = "_shipment_provider";

impl Fulfillment<'_> {
    /// The text of one of its entries.
    pub(crate) fn meta(&self, key: &str) -> Option<String> {
        self.meta_data.0.iter().find(|meta| meta.key.get() == key).map(Meta::text)
    }

    /// Whether it names a number or a carrier, or is one that we have made.
    pub(crate) fn tells_of_a_parcel(&self) -> bool {
        let says = |key| self.meta(key).is_some_and(|text| !text.is_empty());
        says("_tracking_number") || says(PROVIDER) || says(OUR_KEY)
    }

    /// When it went out, by the shop's own clock and without an offset.
    pub(crate) fn sent_at(&self) -> Option<chrono::NaiveDateTime> {
        super::map::local_time(&self.meta("_date_fulfilled")?)
    }

    /// How many of which line are in it; none where it does not tell.
    ///
    /// # Errors
    /// What it tells cannot be read, or a quantity is no number that anybody means.
    pub(crate) fn contents(&self) -> Result<Vec<crate::order::LineQuantity>, String> {
        let raw = self.meta_data.0.iter().find(|meta| meta.key.get() == "_items").and_then(|meta| meta.value);
        let unreadable = || "fulfillments._items holds no pieces".to_owned();
        let items: Keyed<Item<'_>> = match raw {
            None => Keyed::default(),
            // Text or a number in the place of a list would be read as an empty one.
            Some(raw) if raw.get() != "null" && !raw.get().starts_with(['[', '{']) => return Err(unreadable()),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| unreadable())?,
        };
        super::map::contents(&items.0)
    }

    /// Whether it went out: not a draft, not deleted. Of the shop's own two words the status counts;
    /// plugins have words of their own, and the shop tells which of them mean that it went out.
    pub(crate) fn is_made(&self) -> bool {
        let fulfilled = match self.status.get() {
            "fulfilled" => true,
            "unfulfilled" => false,
            _ => self.is_fulfilled.is_true(),
        };
        fulfilled && self.date_deleted.get().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_a_fulfilment_in_a_word_of_a_plugin_went_out_where_the_shop_says_so() {
        let is_made = |status: &str, is_fulfilled: serde_json::Value| {
            let json = serde_json::json!({ "id": 1, "status": status, "is_fulfilled": is_fulfilled });
            serde_json::from_str::<Fulfillment<'_>>(&json.to_string()).unwrap().is_made()
        };
        for word in ["shipped", "delivered", "requested", "", "fulfilled"] {
            assert!(is_made(word, true.into()), "{word}");
            assert_eq!(is_made(word, false.into()), word == "fulfilled", "{word}");
        }
        assert!(!is_made("unfulfilled", true.into()) && !is_made("draft", "".into()));
    }

    #[test]
    fn p10_pieces_that_cannot_be_read_are_not_taken_for_none() {
        let contents = |items: &str| {
            let json = format!(r#"{{"id":1,"meta_data":[{{"key":"_items","value":{items}}}]}}"#);
            serde_json::from_str::<Fulfillment<'_>>(&json).unwrap().contents()
        };
        for nothing in ["null", "[]", "{}"] {
            assert_eq!(contents(nothing), Ok(Vec::new()), "{nothing}");
        }
        for list in [r#"[{"item_id":7,"qty":2}]"#, r#"{"1":{"item_id":7,"qty":2}}"#] {
            assert_eq!(contents(list).unwrap().len(), 1, "{list}");
        }
        for odd in [r#""a:1:{i:0;i:7;}""#, r#""""#, "7", "true", r#"[{"item_id":7,"qty":[]}]"#] {
            assert!(contents(odd).is_err(), "{odd}");
        }
    }
}
