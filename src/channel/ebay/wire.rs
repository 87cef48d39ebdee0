//! eBay's documents as its OpenAPI files spell them (Sell Fulfillment 1.20.7, Identity 2.0.0,
//! Post-Order 2.8.0). Members may be missing, and new ones come over night: unknown ones are skipped.

use serde_json::value::RawValue;

use crate::channel::json::{Amount, Many, Maybe, Text, documents};

documents! {
    /// What a walk needs of an order, and what tells which of its parts are kept elsewhere.
    Head {
        #[serde(rename = "orderId")] order_id: Text<'a>,
        #[serde(rename = "creationDate")] created: Text<'a>,
        #[serde(rename = "lastModifiedDate")] modified: Text<'a>,
        #[serde(rename = "orderFulfillmentStatus")] fulfillment: Text<'a>,
        #[serde(rename = "cancelStatus")] cancel: Maybe<Cancel<'a>>,
    }

    /// An order.
    Order {
        #[serde(rename = "orderId")] order_id: Text<'a>,
        #[serde(rename = "salesRecordReference")] sales_record: Text<'a>,
        #[serde(rename = "creationDate")] created: Text<'a>,
        #[serde(rename = "lastModifiedDate")] modified: Text<'a>,
        #[serde(rename = "orderFulfillmentStatus")] fulfillment: Text<'a>,
        #[serde(rename = "orderPaymentStatus")] payment: Text<'a>,
        #[serde(rename = "cancelStatus")] cancel: Maybe<Cancel<'a>>,
        #[serde(rename = "buyerCheckoutNotes")] note: Text<'a>,
        buyer: Maybe<Buyer<'a>>,
        #[serde(rename = "pricingSummary")] pricing: Maybe<Pricing<'a>>,
        #[serde(rename = "paymentSummary")] payments: Maybe<Payments<'a>>,
        #[serde(rename = "fulfillmentStartInstructions")] instructions: Many<Instruction<'a>>,
        #[serde(rename = "lineItems")] lines: Many<Line<'a>>,
        program: Maybe<Program<'a>>,
        ordersync: Maybe<Added<'a>>,
    }

    /// What was read beside an order.
    Added { fulfillments: Many<Fulfillment<'a>> }

    /// How it stands with a cancellation. Lists have no requests.
    Cancel {
        #[serde(rename = "cancelState")] state: Text<'a>,
        #[serde(rename = "cancelRequests")] requests: Many<CancelRequest<'a>>,
    }

    /// A request to cancel an order.
    CancelRequest {
        #[serde(rename = "cancelInitiator")] initiator: Text<'a>,
        #[serde(rename = "cancelReason")] reason: Text<'a>,
        #[serde(rename = "cancelRequestId")] id: Text<'a>,
        #[serde(rename = "cancelRequestState")] state: Text<'a>,
    }

    /// Who bought.
    Buyer {
        username: Text<'a>,
        #[serde(rename = "buyerRegistrationAddress")] registered: Maybe<Contact<'a>>,
    }

    /// A person or a company with an address.
    Contact {
        #[serde(rename = "fullName")] name: Text<'a>,
        #[serde(rename = "companyName")] company: Text<'a>,
        #[serde(rename = "contactAddress")] address: Maybe<Address<'a>>,
        #[serde(rename = "primaryPhone")] phone: Maybe<Phone<'a>>,
        email: Text<'a>,
    }

    /// An address.
    Address {
        #[serde(rename = "addressLine1")] line1: Text<'a>,
        #[serde(rename = "addressLine2")] line2: Text<'a>,
        city: Text<'a>,
        county: Text<'a>,
        #[serde(rename = "stateOrProvince")] region: Text<'a>,
        #[serde(rename = "postalCode")] postcode: Text<'a>,
        #[serde(rename = "countryCode")] country: Text<'a>,
    }

    /// A telephone.
    Phone { #[serde(rename = "phoneNumber")] number: Text<'a> }

    /// The sums of an order. Discounts are below zero.
    Pricing {
        #[serde(rename = "priceSubtotal")] subtotal: Maybe<Money<'a>>,
        #[serde(rename = "priceDiscount")] discount: Maybe<Money<'a>>,
        adjustment: Maybe<Money<'a>>,
        #[serde(rename = "deliveryCost")] delivery: Maybe<Money<'a>>,
        #[serde(rename = "deliveryDiscount")] delivery_discount: Maybe<Money<'a>>,
        tax: Maybe<Money<'a>>,
        fee: Maybe<Money<'a>>,
        total: Maybe<Money<'a>>,
    }

    /// An amount; where it was converted, what it was before.
    Money {
        value: Amount<'a>,
        currency: Text<'a>,
        #[serde(rename = "convertedFromValue")] before: Amount<'a>,
        #[serde(rename = "convertedFromCurrency")] before_currency: Text<'a>,
    }

    /// What was paid and given back. The amounts of payments are what the seller gets of them.
    Payments { payments: Many<Payment<'a>>, refunds: Many<Refund<'a>> }

    /// A payment.
    Payment {
        #[serde(rename = "paymentMethod")] method: Text<'a>,
        #[serde(rename = "paymentDate")] date: Text<'a>,
        #[serde(rename = "paymentReferenceId")] reference: Text<'a>,
    }

    /// Money given back, of an order or of a line.
    Refund {
        amount: Maybe<Money<'a>>,
        #[serde(rename = "refundDate")] date: Text<'a>,
        #[serde(rename = "refundId")] id: Text<'a>,
        #[serde(rename = "refundReferenceId")] reference: Text<'a>,
        #[serde(rename = "refundStatus")] status: Text<'a>,
    }

    /// How it is to be brought to the buyer.
    Instruction {
        #[serde(rename = "fulfillmentInstructionsType")] kind: Text<'a>,
        #[serde(rename = "ebaySupportedFulfillment")] by_hub: Text<'a>,
        #[serde(rename = "finalDestinationAddress")] destination: Maybe<Address<'a>>,
        #[serde(rename = "shippingStep")] step: Maybe<ShippingStep<'a>>,
    }

    /// Where the parcel goes, and by which service.
    ShippingStep {
        #[serde(rename = "shipTo")] to: Maybe<Contact<'a>>,
        #[serde(rename = "shipToReferenceId")] reference: Text<'a>,
        #[serde(rename = "shippingServiceCode")] service: Text<'a>,
    }

    /// A line.
    Line {
        #[serde(rename = "lineItemId")] id: Text<'a>,
        title: Text<'a>,
        sku: Text<'a>,
        quantity: Amount<'a>,
        #[serde(rename = "legacyItemId")] item: Text<'a>,
        #[serde(rename = "legacyVariationId")] variation: Text<'a>,
        #[serde(rename = "variationAspects")] aspects: Many<Aspect<'a>>,
        #[serde(rename = "lineItemCost")] cost: Maybe<Money<'a>>,
        #[serde(rename = "discountedLineItemCost")] discounted: Maybe<Money<'a>>,
        #[serde(rename = "deliveryCost")] delivery: Maybe<Delivery<'a>>,
        taxes: Many<Tax<'a>>,
        #[serde(rename = "ebayCollectAndRemitTaxes")] collected: Many<Tax<'a>>,
        #[serde(rename = "ebayCollectedCharges")] charged: Maybe<Charged<'a>>,
        #[serde(rename = "appliedPromotions")] promotions: Many<Promotion<'a>>,
        refunds: Many<Refund<'a>>,
        #[serde(rename = "listingMarketplaceId")] listed_at: Text<'a>,
        #[serde(rename = "purchaseMarketplaceId")] bought_at: Text<'a>,
        #[serde(rename = "lineItemFulfillmentInstructions")] promised: Maybe<Promised<'a>>,
        #[serde(rename = "giftDetails")] gift: Maybe<Gift<'a>>,
    }

    /// What the buyer chose.
    Aspect { name: Text<'a>, value: Text<'a> }

    /// What bringing a line costs beside what the order's sums say.
    Delivery {
        #[serde(rename = "importCharges")] import: Maybe<Money<'a>>,
        #[serde(rename = "handlingCost")] handling: Maybe<Money<'a>>,
    }

    /// A tax on a line.
    Tax {
        amount: Maybe<Money<'a>>,
        #[serde(rename = "taxType")] kind: Text<'a>,
        #[serde(rename = "ebayReference")] reference: Maybe<Aspect<'a>>,
    }

    /// What eBay takes of the buyer beside the price.
    Charged {
        #[serde(rename = "ebayShipping")] shipping: Maybe<Money<'a>>,
        charges: Many<Charge<'a>>,
    }

    /// One such charge.
    Charge { amount: Maybe<Money<'a>> }

    /// A promotion.
    Promotion { description: Text<'a> }

    /// What the buyer was promised of a line.
    Promised { #[serde(rename = "shipByDate")] ship_by: Text<'a> }

    /// A gift card that is sent by e-mail.
    Gift {
        message: Text<'a>,
        #[serde(rename = "senderName")] sender: Text<'a>,
    }

    /// What eBay has to do with the parcel.
    Program {
        #[serde(rename = "ebayShipping")] label: Maybe<Label<'a>>,
        #[serde(rename = "fulfillmentProgram")] fulfilled: Maybe<Fulfilled<'a>>,
        #[serde(rename = "authenticityVerification")] verified: Maybe<Verified<'a>>,
    }

    /// Who gives the label.
    Label { #[serde(rename = "shippingLabelProvidedBy")] by: Text<'a> }

    /// Who sends it.
    Fulfilled { #[serde(rename = "fulfilledBy")] by: Text<'a> }

    /// How it stands with the proof that it is genuine.
    Verified { status: Text<'a> }

    /// A parcel, as eBay shows it.
    Fulfillment {
        #[serde(rename = "fulfillmentId")] id: Text<'a>,
        #[serde(rename = "shipmentTrackingNumber")] number: Text<'a>,
        #[serde(rename = "shippingCarrierCode")] carrier: Text<'a>,
        #[serde(rename = "shippedDate")] date: Text<'a>,
        #[serde(rename = "lineItems")] lines: Many<Part<'a>>,
    }

    /// Pieces of a line.
    Part { #[serde(rename = "lineItemId")] id: Text<'a>, quantity: Amount<'a> }

    /// A list of parcels.
    Fulfillments { fulfillments: Many<&'a RawValue> }

    /// A page of orders, beside them.
    Page { offset: Text<'a>, next: Text<'a> }

    /// Whose account it is.
    User {
        #[serde(rename = "userId")] id: Text<'a>,
        username: Text<'a>,
        status: Text<'a>,
        #[serde(rename = "registrationMarketplaceId")] marketplace: Text<'a>,
    }

    /// A key to sign with, which is told once.
    NewKey {
        #[serde(rename = "privateKey")]
        private: Text<'a>,
        jwe: Text<'a>,
        #[serde(rename = "expirationTime")]
        ends: Text<'a>,
    }

    /// Whether an order can be cancelled.
    Eligibility {
        eligible: Text<'a>,
        #[serde(rename = "eligibleCancelReason")] reasons: Many<Text<'a>>,
        #[serde(rename = "failureReason")] failures: Many<Text<'a>>,
    }

    /// The answer to a cancellation.
    Created {
        #[serde(rename = "cancelId")] id: Text<'a>,
        #[serde(rename = "orderEligibilityResult")] eligibility: Maybe<Eligibility<'a>>,
    }

    /// The cancellations of an order.
    Cancellations { cancellations: Many<Cancellation<'a>> }

    /// A cancellation by itself.
    Detail { #[serde(rename = "cancelDetail")] detail: Maybe<Cancellation<'a>> }

    /// A cancellation.
    Cancellation {
        #[serde(rename = "cancelId")] id: Text<'a>,
        #[serde(rename = "legacyOrderId")] order: Text<'a>,
        #[serde(rename = "cancelState", alias = "state")] state: Text<'a>,
        #[serde(rename = "cancelStatus", alias = "status")] status: Text<'a>,
        #[serde(rename = "requestorType")] by: Text<'a>,
    }

    /// A refusal in any of its forms.
    Refusal {
        errors: Many<Failure<'a>>,
        error: Many<Failure<'a>>,
        #[serde(rename = "errorMessage")] error_message: Maybe<Wrapped<'a>>,
    }

    /// Errors within an object.
    Wrapped { error: Many<Failure<'a>> }

    /// An error.
    Failure {
        #[serde(rename = "errorId")] error_id: Text<'a>,
        message: Text<'a>,
        #[serde(rename = "longMessage")] long_message: Text<'a>,
    }
}
