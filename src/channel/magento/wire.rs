//! Magento's documents as the shop spells them (`V1`): members without a value are left out or
//! null, numbers come as numbers or text, an empty list may be null. Unknown members are skipped. A
//! row that is null costs the order where it may be a line, a shipment or a number, and nothing
//! where it can only be what somebody wrote beside it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::channel::json::{Amount, Keyed, Maybe, Text, documents};

/// The lines of an address: a list, or, as some programs leave it, one text of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines<'a>(pub(crate) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Lines<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = |value: &Value| match value {
            Value::String(text) => text.trim().to_owned().into(),
            Value::Number(number) => number.to_string().into(),
            _ => Cow::default(),
        };
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Array(rows) => rows.iter().map(line).collect(),
            Value::Object(rows) => rows.values().map(line).collect(),
            text => line(&text).lines().map(|line| line.trim().to_owned().into()).collect(),
        }))
    }
}

documents! {
    /// What a walk needs to know about an order before anything else about it.
    Head {
        entity_id: Text<'a>,
        state: Text<'a>,
        created_at: Text<'a>,
        updated_at: Text<'a>,
        total_paid: Amount<'a>,
        total_refunded: Amount<'a>,
        items: Keyed<Option<HeadItem<'a>>>,
    }

    /// What of a line tells whether there are credit memos.
    HeadItem { qty_refunded: Amount<'a> }

    /// An order.
    Order {
        entity_id: Text<'a>,
        increment_id: Text<'a>,
        state: Text<'a>,
        status: Text<'a>,
        hold_before_state: Text<'a>,
        hold_before_status: Text<'a>,
        created_at: Text<'a>,
        updated_at: Text<'a>,
        order_currency_code: Text<'a>,
        base_currency_code: Text<'a>,
        discount_amount: Amount<'a>,
        discount_description: Text<'a>,
        coupon_code: Text<'a>,
        tax_amount: Amount<'a>,
        shipping_amount: Amount<'a>,
        shipping_tax_amount: Amount<'a>,
        shipping_discount_amount: Amount<'a>,
        shipping_discount_tax_compensation_amount: Amount<'a>,
        shipping_description: Text<'a>,
        grand_total: Amount<'a>,
        total_paid: Amount<'a>,
        total_due: Amount<'a>,
        total_refunded: Amount<'a>,
        base_subtotal: Amount<'a>,
        base_discount_amount: Amount<'a>,
        base_discount_tax_compensation_amount: Amount<'a>,
        base_tax_amount: Amount<'a>,
        base_shipping_amount: Amount<'a>,
        base_grand_total: Amount<'a>,
        base_total_refunded: Amount<'a>,
        is_virtual: Text<'a>,
        store_name: Text<'a>,
        /// Where there was one ([`super::document`]).
        remote_ip: Text<'a>,
        customer_id: Text<'a>,
        customer_email: Text<'a>,
        customer_prefix: Text<'a>,
        customer_firstname: Text<'a>,
        customer_middlename: Text<'a>,
        customer_lastname: Text<'a>,
        customer_suffix: Text<'a>,
        customer_taxvat: Text<'a>,
        customer_note: Text<'a>,
        relation_parent_real_id: Text<'a>,
        original_increment_id: Text<'a>,
        relation_child_real_id: Text<'a>,
        ext_order_id: Text<'a>,
        items: Keyed<Item<'a>>,
        billing_address: Maybe<Address<'a>>,
        payment: Maybe<Payment<'a>>,
        extension_attributes: Maybe<Extension<'a>>,
        /// What was fetched beside the order itself ([`crate::channel::parts`]).
        ordersync: Maybe<Added<'a>>,
    }

    /// What was fetched beside the order itself.
    Added {
        shipments: Keyed<Shipment<'a>>,
        creditmemos: Keyed<Creditmemo<'a>>,
        invoices: Keyed<Invoice<'a>>,
        /// What was asked for that the first version of the program did not ask for.
        asked: Keyed<Text<'a>>,
    }

    /// A row of an order: a line, or what a line is made of. `row_total` is not read: what is in it
    /// differs from version to version.
    Item {
        item_id: Text<'a>,
        parent_item_id: Text<'a>,
        product_id: Text<'a>,
        product_type: Text<'a>,
        sku: Text<'a>,
        name: Text<'a>,
        is_virtual: Text<'a>,
        qty_ordered: Amount<'a>,
        qty_canceled: Amount<'a>,
        qty_invoiced: Amount<'a>,
        qty_refunded: Amount<'a>,
        qty_shipped: Amount<'a>,
        price: Amount<'a>,
        row_total_incl_tax: Amount<'a>,
        tax_amount: Amount<'a>,
        discount_amount: Amount<'a>,
        discount_tax_compensation_amount: Amount<'a>,
        amount_refunded: Amount<'a>,
        product_option: Maybe<ProductOption<'a>>,
        extension_attributes: Maybe<ItemExtension<'a>>,
    }

    /// How a product was made up.
    ProductOption { extension_attributes: Maybe<MadeUp<'a>> }

    /// What the buyer typed or chose; some versions leave it out.
    MadeUp { custom_options: Keyed<Option<Chosen<'a>>> }

    /// One of these, by the ids that the shop's catalogue has for them: of what is chosen from a list
    /// the value is an id, too.
    Chosen { option_id: Text<'a>, option_value: Text<'a> }

    /// What hangs on a row.
    ItemExtension { gift_message: Maybe<GiftMessage<'a>> }

    /// What a buyer has somebody told.
    GiftMessage { sender: Text<'a>, recipient: Text<'a>, message: Text<'a> }

    /// A billing or delivery address.
    Address {
        prefix: Text<'a>,
        firstname: Text<'a>,
        middlename: Text<'a>,
        lastname: Text<'a>,
        suffix: Text<'a>,
        company: Text<'a>,
        street: Lines<'a>,
        city: Text<'a>,
        region: Text<'a>,
        region_code: Text<'a>,
        postcode: Text<'a>,
        country_id: Text<'a>,
        telephone: Text<'a>,
        email: Text<'a>,
        vat_id: Text<'a>,
    }

    /// How it was paid, no more than its name.
    Payment { method: Text<'a>, last_trans_id: Text<'a>, po_number: Text<'a> }

    /// What modules add to an order.
    Extension {
        shipping_assignments: Keyed<Maybe<Assignment<'a>>>,
        payment_additional_info: Keyed<Option<Pair<'a>>>,
        gift_message: Maybe<GiftMessage<'a>>,
        pickup_location_code: Text<'a>,
    }

    /// A pair of key and value.
    Pair { key: Text<'a>, value: Text<'a> }

    /// Where a part of the order goes.
    Assignment { shipping: Maybe<Shipping<'a>> }

    /// By which service, and to whom.
    Shipping { method: Text<'a>, address: Maybe<Address<'a>> }

    /// A shipment.
    Shipment {
        entity_id: Text<'a>,
        increment_id: Text<'a>,
        order_id: Text<'a>,
        created_at: Text<'a>,
        items: Keyed<ShippedItem<'a>>,
        tracks: Keyed<Track<'a>>,
        comments: Keyed<Option<Comment<'a>>>,
    }

    /// What of a row is in a shipment.
    ShippedItem { order_item_id: Text<'a>, qty: Amount<'a> }

    /// A tracking number.
    Track {
        entity_id: Text<'a>,
        parent_id: Text<'a>,
        created_at: Text<'a>,
        track_number: Text<'a>,
        title: Text<'a>,
        carrier_code: Text<'a>,
    }

    /// What somebody wrote beside it.
    Comment { comment: Text<'a> }

    /// A refund.
    Creditmemo {
        entity_id: Text<'a>,
        order_id: Text<'a>,
        state: Text<'a>,
        created_at: Text<'a>,
        grand_total: Amount<'a>,
        items: Keyed<BackItem<'a>>,
        comments: Keyed<Option<Comment<'a>>>,
    }

    /// What of a row was given back.
    BackItem {
        order_item_id: Text<'a>,
        qty: Amount<'a>,
        price: Amount<'a>,
        row_total: Amount<'a>,
        tax_amount: Amount<'a>,
        discount_amount: Amount<'a>,
        discount_tax_compensation_amount: Amount<'a>,
    }

    /// What was paid of an order, or is to be.
    Invoice { order_id: Text<'a>, state: Text<'a>, created_at: Text<'a> }

    /// An error.
    Failure { message: Text<'a> }
}
