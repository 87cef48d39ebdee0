//! Etsy's documents as its OpenAPI file (3.0.0) spells them. Nearly every member may be null, and a
//! time has two names. Unknown members are skipped.

use serde_json::value::RawValue;

use crate::channel::json::{Amount, Many, Maybe, Text, documents};

documents! {
    /// What a walk needs of a receipt, and the question whether its row is all of it.
    Head {
        receipt_id: Text<'a>,
        created_timestamp: Text<'a>,
        create_timestamp: Text<'a>,
        updated_timestamp: Text<'a>,
        update_timestamp: Text<'a>,
        transactions: Many<&'a RawValue>,
        shipments: Many<&'a RawValue>,
        refunds: Many<&'a RawValue>,
    }

    /// A receipt: what Etsy calls an order.
    Receipt {
        receipt_id: Text<'a>,
        receipt_type: Text<'a>,
        buyer_user_id: Text<'a>,
        buyer_email: Text<'a>,
        name: Text<'a>,
        first_line: Text<'a>,
        second_line: Text<'a>,
        city: Text<'a>,
        state: Text<'a>,
        zip: Text<'a>,
        country_iso: Text<'a>,
        formatted_address: Text<'a>,
        status: Text<'a>,
        payment_method: Text<'a>,
        message_from_buyer: Text<'a>,
        is_paid: Text<'a>,
        is_shipped: Text<'a>,
        created_timestamp: Text<'a>,
        create_timestamp: Text<'a>,
        updated_timestamp: Text<'a>,
        update_timestamp: Text<'a>,
        is_gift: Text<'a>,
        gift_message: Text<'a>,
        gift_sender: Text<'a>,
        grandtotal: Maybe<Money<'a>>,
        subtotal: Maybe<Money<'a>>,
        total_shipping_cost: Maybe<Money<'a>>,
        total_tax_cost: Maybe<Money<'a>>,
        total_vat_cost: Maybe<Money<'a>>,
        discount_amt: Maybe<Money<'a>>,
        gift_wrap_price: Maybe<Money<'a>>,
        shipments: Many<Shipment<'a>>,
        transactions: Many<Transaction<'a>>,
        refunds: Many<Refund<'a>>,
    }

    /// A line of a receipt. Its coupon numbers are left out: one is in the buyer's currency and one
    /// in the shop's, whatever the document says.
    Transaction {
        transaction_id: Text<'a>,
        title: Text<'a>,
        quantity: Amount<'a>,
        is_digital: Text<'a>,
        listing_id: Text<'a>,
        product_id: Text<'a>,
        sku: Text<'a>,
        price: Maybe<Money<'a>>,
        variations: Many<Variation<'a>>,
        shipping_method: Text<'a>,
        shipping_upgrade: Text<'a>,
        expected_ship_date: Text<'a>,
        paid_timestamp: Text<'a>,
    }

    /// What the buyer chose or wrote for a line.
    Variation { formatted_name: Text<'a>, formatted_value: Text<'a> }

    /// A parcel that the buyer was told of. What is in it is not told.
    Shipment {
        receipt_shipping_id: Text<'a>,
        shipment_notification_timestamp: Text<'a>,
        carrier_name: Text<'a>,
        tracking_code: Text<'a>,
    }

    /// Money given back. It has no id and names no line.
    Refund {
        amount: Maybe<Money<'a>>,
        created_timestamp: Text<'a>,
        reason: Text<'a>,
        note_from_issuer: Text<'a>,
        status: Text<'a>,
    }

    /// An amount in units of one part in `divisor`.
    Money { amount: Amount<'a>, divisor: Amount<'a>, currency_code: Text<'a> }

    /// What the ping answers.
    Pong { application_id: Text<'a> }

    /// What a consent covers.
    Scopes { scopes: Many<Text<'a>> }

    /// Whose the token is.
    Me { user_id: Text<'a>, shop_id: Text<'a> }

    /// A shop.
    Shop {
        shop_id: Text<'a>,
        shop_name: Text<'a>,
        currency_code: Text<'a>,
        url: Text<'a>,
        shipping_from_country_iso: Text<'a>,
        is_vacation: Text<'a>,
    }

    /// A list, as far as it is counted.
    Counted { count: Text<'a> }

    /// A refusal. Those of the OAuth part have a description as well.
    Refusal { error: Text<'a>, error_description: Text<'a> }
}

impl Head<'_> {
    /// Whether the lists that belong to a receipt came with it.
    pub(crate) fn is_whole(&self) -> bool {
        self.transactions.listed && self.shipments.listed && self.refunds.listed
    }
}
