//! An order as the API shows it: amounts as text with their currency, dates in UTC, what is personal
//! only while it is young.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::access::stamp;
use super::options::Options;
use super::vendor::{self, CANCELED, Cancel, Program};
use super::{Context, Ebay, Entry, Order};
use crate::sim::forms::merge;
use crate::sim::world::{Address, Line, Shipment, Vendor, Way};

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// What is shown of an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// With the taxes that eBay collects.
    pub(super) breakdown: bool,
    /// By itself, not in a list.
    pub(super) whole: bool,
    /// It breaks its own documentation.
    pub(super) spoilt: bool,
}

/// How many decimals the order's currency has.
pub(super) fn decimals(order: &Order) -> u32 {
    if order.currency == "JPY" { 0 } else { 2 }
}

fn rounded(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// A number as the vendor's program writes it: without zeros at its end, but for one.
pub(super) fn text(amount: Decimal) -> String {
    let amount = amount.normalize();
    if amount.scale() == 0 { format!("{amount}.0") } else { amount.to_string() }
}

/// Amounts of one order.
#[derive(Clone, Copy)]
struct Money<'a> {
    order: &'a Order,
    /// The seller's currency.
    own: &'a str,
}

impl Money<'_> {
    /// An amount of the sale.
    fn of(self, amount: Decimal) -> Value {
        match self.order.own.localized {
            true => self.paid_out(amount),
            false => json!({ "value": text(rounded(amount, decimals(self.order))), "currency": self.order.currency }),
        }
    }

    /// An amount that the seller gets, in the seller's currency.
    fn paid_out(self, amount: Decimal) -> Value {
        let amount = rounded(amount, decimals(self.order));
        let rate = self.order.rate;
        if rate == Decimal::ONE || self.order.currency == self.own {
            return json!({ "value": text(amount), "currency": self.order.currency });
        }
        let worth = rounded(amount.checked_div(rate).unwrap_or_default(), 2);
        json!({
            "value": text(worth), "currency": self.own, "convertedFromValue": text(amount),
            "convertedFromCurrency": self.order.currency,
        })
    }
}

/// Where an order goes in the end.
fn country(order: &Order) -> &str {
    order.places.first().map_or(order.billing.country.as_str(), |place| place.address.country.as_str())
}

/// A tax that eBay collects.
struct Collected {
    /// In hundredths.
    rate: i64,
    kind: &'static str,
    /// Under which number it is paid: name and value.
    reference: Option<(&'static str, &'static str)>,
}

/// The tax that eBay collects of an order; nothing where it does not.
fn collected(order: &Order) -> Option<Collected> {
    let (rate, kind, reference) = match country(order) {
        "US" => (8, "STATE_SALES_TAX", None),
        "GB" => (20, "VAT", None),
        "IE" | "NL" => (21, "VAT", Some(("IOSS", "IM2760000742"))),
        "AU" => (10, "GST", Some(("ABN", "64652016681"))),
        _ => return None,
    };
    Some(Collected { rate, kind, reference })
}

fn line_tax(order: &Order, line: &Line) -> Decimal {
    let rate = collected(order).map_or(Decimal::ZERO, |tax| Decimal::new(tax.rate, 2));
    rounded(line.total() * rate, decimals(order))
}

/// The shipping and the duties of a line: the first has those of the order.
fn line_delivery(order: &Order, line: &Line) -> (Decimal, Decimal, Decimal) {
    match order.lines.first().is_some_and(|first| first.id == line.id) {
        true => (order.shipping(), order.own.delivery_discount, order.duties),
        false => Default::default(),
    }
}

fn line_total(order: &Order, line: &Line, breakdown: bool) -> Decimal {
    let (shipping, off, duties) = line_delivery(order, line);
    let tax = if breakdown { line_tax(order, line) } else { Decimal::ZERO };
    line.total() + shipping - off + duties + tax
}

/// What the buyer pays: the taxes that eBay collects belong to it only where they are asked for.
pub(super) fn total(order: &Order, breakdown: bool) -> Decimal {
    let lines: Decimal = order.lines.iter().map(|line| line_total(order, line, breakdown)).sum();
    lines + order.fees() + order.own.adjustment
}

/// What eBay keeps of an amount.
fn fee(order: &Order, amount: Decimal) -> Decimal {
    rounded(amount * Decimal::new(11, 2), decimals(order))
}

/// An order.
pub(super) fn order(context: &Context<'_>, entry: &Entry, order: &Order, shown: Shown) -> Value {
    let (options, id) = (context.options, Ebay::write_id(order.id));
    let money = Money { order, own: &options.currency };
    let basis = total(order, false);
    let hrefs =
        order.sent().map(|one| format!("https://api.ebay.com{}", fulfillment_path(order.id, &fulfillment_id(one))));
    let mut row = json!({
        "orderId": id, "legacyOrderId": id, "creationDate": stamp(entry.created),
        "lastModifiedDate": stamp(entry.modified), "orderFulfillmentStatus": vendor::fulfillment(order),
        "orderPaymentStatus": vendor::payment(entry, order), "sellerId": options.username,
        "buyer": buyer(context, entry, order, shown), "cancelStatus": cancel_status(options, entry, order, shown),
        "pricingSummary": pricing(money, shown), "paymentSummary": payments(options, money, entry, shown),
        "fulfillmentStartInstructions": [instructions(context, entry, order)],
        "fulfillmentHrefs": hrefs.collect::<Value>(),
        "lineItems": order.lines.iter().map(|one| line(context, entry, money, one, shown)).collect::<Value>(),
        "salesRecordReference": Ebay::number(order.id).to_string(),
        "totalFeeBasisAmount": money.paid_out(total(order, true)),
        "totalMarketplaceFee": money.paid_out(fee(order, basis)),
    });
    if !order.note.is_empty() {
        row["buyerCheckoutNotes"] = json!(order.note);
    }
    if collected(order).is_some() {
        row["ebayCollectAndRemitTax"] = json!(true);
    }
    let program = match order.own.program {
        Program::Hub => json!({ "ebayInternationalShipping": { "returnsManagedBy": "EBAY" } }),
        Program::Authenticity => json!({ "authenticityVerification": { "status": "PENDING" } }),
        Program::Fulfilled => json!({ "fulfillmentProgram": { "fulfilledBy": "EBAY" } }),
        Program::Label => json!({ "ebayShipping": { "shippingLabelProvidedBy": "EBAY" } }),
        Program::None | Program::Tagged => Value::Null,
    };
    if !program.is_null() {
        row["program"] = program;
    }
    if shown.spoilt {
        row["pricingSummary"]["total"] = json!("12.0");
        row["lastModifiedDate"] = json!(["yesterday"]);
    }
    row
}

/// Whose order it is. Addresses and the like are personal, and go as those of the parcel do.
fn buyer(context: &Context<'_>, entry: &Entry, order: &Order, shown: Shown) -> Value {
    let at = &order.billing;
    let mut buyer = json!({
        "username": username(order),
        "taxAddress": { "stateOrProvince": at.state, "postalCode": at.postcode, "countryCode": at.country },
        "buyerRegistrationAddress": contact(context, entry, order, at),
    });
    // Only where the tax office wants it, and only of an order by itself.
    if shown.whole && matches!(at.country.as_str(), "IT" | "ES" | "GT") && !order.own.erased {
        buyer["taxIdentifier"] = json!({
            "taxpayerId": "X1234567L", "taxIdentifierType": "NIE", "issuingCountry": at.country,
        });
    }
    if order.own.erased {
        buyer["taxAddress"] = json!({ "countryCode": at.country });
    }
    buyer
}

/// The name under which somebody buys.
fn username(order: &Order) -> String {
    if order.own.erased { "Unknown eBay user".to_owned() } else { format!("buyer_{}", vendor::user_id(order)) }
}

fn insert(members: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        members.insert(name.to_owned(), json!(text));
    }
}

/// An address; its streets only while they are young.
fn address(at: &Address, has_street: bool) -> Value {
    let mut members = Map::new();
    if has_street {
        insert(&mut members, "addressLine1", &at.street_1);
        insert(&mut members, "addressLine2", &at.street_2);
    }
    insert(&mut members, "city", &at.city);
    insert(&mut members, "stateOrProvince", &at.state);
    insert(&mut members, "postalCode", &at.postcode);
    insert(&mut members, "countryCode", &at.country);
    Value::Object(members)
}

/// Whether names and streets are shown still, and whether the e-mail address is.
fn young(context: &Context<'_>, entry: &Entry, order: &Order) -> (bool, bool) {
    let age = context.now - entry.created;
    (age < 90 * DAY && !order.own.erased, age < 14 * DAY && !order.own.erased)
}

/// Somebody, and where.
fn contact(context: &Context<'_>, entry: &Entry, order: &Order, at: &Address) -> Value {
    let (has_name, has_email) = young(context, entry, order);
    if order.own.erased {
        return json!({ "contactAddress": { "countryCode": at.country } });
    }
    let mut members = Map::new();
    if has_name {
        insert(&mut members, "fullName", format!("{} {}", at.first_name, at.last_name).trim());
        insert(&mut members, "companyName", &at.company);
        // Some have no number, which is no member then.
        let phone = if at.phone.is_empty() { json!({}) } else { json!({ "phoneNumber": at.phone }) };
        members.insert("primaryPhone".to_owned(), phone);
    }
    if has_email {
        insert(&mut members, "email", &at.email);
    }
    members.insert("contactAddress".to_owned(), address(at, has_name));
    Value::Object(members)
}

/// Where eBay receives what it sends on.
fn hub(program: Program) -> Address {
    let text = str::to_owned;
    let (first, street_1) = match program {
        Program::Authenticity => ("eBay Authentication", "Echtheitsweg 4"),
        _ => ("eBay International Shipping", "Hubstraße 100"),
    };
    Address {
        first_name: text(first),
        street_1: text(street_1),
        city: text("Halle (Saale)"),
        postcode: text("06116"),
        country: text("DE"),
        phone: text("+49 345 5550100"),
        ..Address::default()
    }
}

/// How the order gets to its buyer.
fn instructions(context: &Context<'_>, entry: &Entry, order: &Order) -> Value {
    let is_all = |way: fn(&Way) -> bool| !order.lines.is_empty() && order.lines.iter().all(|line| way(&line.way));
    if is_all(|way| *way == Way::Pickup) {
        return json!({ "fulfillmentInstructionsType": "PREPARE_FOR_PICKUP", "pickupStep": { "merchantLocationKey": "store-1" } });
    }
    if is_all(|way| *way == Way::Download) {
        return json!({ "fulfillmentInstructionsType": "DIGITAL" });
    }
    let program = order.own.program;
    let kind = if program == Program::Fulfilled { "FULFILLED_BY_EBAY" } else { "SHIP_TO" };
    let service = order.places.first().map_or("DE_DHLPaket", |place| place.method.as_str());
    let mut step = json!({ "shippingCarrierCode": "DHL", "shippingServiceCode": service });
    let mut told = json!({
        "fulfillmentInstructionsType": kind, "minEstimatedDeliveryDate": stamp(entry.created + 4 * DAY),
        "maxEstimatedDeliveryDate": stamp(entry.created + 7 * DAY),
    });
    let home = order.places.first().map_or(&order.billing, |place| &place.address);
    match program {
        Program::Fulfilled => {}
        Program::Hub | Program::Authenticity => {
            let mut to = contact(context, entry, order, &hub(program));
            // The e-mail address is the buyer's also here.
            if young(context, entry, order).1 {
                to["email"] = json!(home.email);
            }
            step["shipTo"] = to;
            if program == Program::Hub {
                step["shipToReferenceId"] = json!(format!("EIS{:012}", Ebay::number(order.id)));
            }
            told["ebaySupportedFulfillment"] = json!(true);
            let is_young = young(context, entry, order).0;
            let bare = Address { country: home.country.clone(), ..Address::default() };
            told["finalDestinationAddress"] = address(if order.own.erased { &bare } else { home }, is_young);
        }
        Program::Tagged => {
            let [street_1, street_2] = ["ebay:xgslkk7".to_owned(), home.street_1.clone()];
            step["shipTo"] = contact(context, entry, order, &Address { street_1, street_2, ..home.clone() });
        }
        _ => step["shipTo"] = contact(context, entry, order, home),
    }
    told["shippingStep"] = step;
    told
}

fn cancel_status(options: &Options, entry: &Entry, order: &Order, shown: Shown) -> Value {
    let is_open = order.own.cancels.iter().any(|cancel| cancel.closed.is_none());
    let state = match (entry.status.as_ref(), is_open) {
        (CANCELED, _) => options.cancelled,
        (_, true) => "IN_PROGRESS",
        _ => "NONE_REQUESTED",
    };
    let requests = order.own.cancels.iter().filter(|_| shown.whole).map(request);
    let mut status = json!({ "cancelState": state, "cancelRequests": requests.collect::<Value>() });
    if let (CANCELED, Some(at)) = (entry.status.as_ref(), order.own.cancels.iter().find_map(|cancel| cancel.closed)) {
        status["cancelledDate"] = json!(stamp(at));
    }
    status
}

fn request(cancel: &Cancel) -> Value {
    let state = match cancel.stands {
        (_, "CANCEL_REJECTED") => "REJECTED",
        ("CLOSED", _) => "COMPLETED",
        _ => "REQUESTED",
    };
    let mut row = json!({
        "cancelInitiator": if cancel.by_buyer { "Buyer" } else { "Seller" }, "cancelReason": cancel.reason,
        "cancelRequestedDate": stamp(cancel.asked), "cancelRequestId": cancel.id.to_string(),
        "cancelRequestState": state,
    });
    if let (Some(at), "COMPLETED") = (cancel.closed, state) {
        row["cancelCompletedDate"] = json!(stamp(at));
    }
    row
}

/// The sums. What is off is below zero, and what is nothing is left out.
fn pricing(money: Money<'_>, shown: Shown) -> Value {
    let order = money.order;
    let mut sums = json!({
        "priceSubtotal": money.of(order.subtotal()), "deliveryCost": money.of(order.shipping() + order.duties),
        "total": money.of(total(order, shown.breakdown)),
    });
    let tax: Decimal = order.lines.iter().map(|line| line_tax(order, line)).sum();
    let mut some = |name: &str, amount: Decimal| {
        if !amount.is_zero() {
            sums[name] = money.of(amount);
        }
    };
    some("priceDiscount", -order.discount());
    some("deliveryDiscount", -order.own.delivery_discount);
    some("adjustment", order.own.adjustment);
    if shown.breakdown {
        some("tax", tax);
        some("fee", order.fees());
    }
    sums
}

/// What the seller gets: after fees, in the seller's currency.
fn payments(options: &Options, money: Money<'_>, entry: &Entry, shown: Shown) -> Value {
    let order = money.order;
    let net = total(order, false) - fee(order, total(order, false));
    let status = match (entry.status.as_ref(), order.paid) {
        (vendor::FAILED, _) => "FAILED",
        (_, None) => "PENDING",
        _ => "PAID",
    };
    // With a breakdown the tax that eBay collects passes through here.
    let tax = total(order, shown.breakdown) - total(order, false);
    let mut payment = json!({
        "paymentMethod": order.payment, "paymentStatus": status, "amount": money.paid_out(net + tax),
    });
    if let Some(at) = order.paid {
        payment["paymentDate"] = json!(stamp(at));
    }
    if order.own.held {
        payment["paymentHolds"] = json!([{
            "expectedReleaseDate": stamp(entry.created + 21 * DAY), "holdAmount": money.paid_out(net),
            "holdReason": "NEW_SELLER", "holdState": "HELD",
            "sellerActionsToRelease": [{ "sellerActionToRelease": "SHIP" }],
        }]);
    }
    let back = |amount: Decimal| if options.nets_refunds { amount - fee(order, amount) } else { amount };
    let refunds = order.refunds.iter().map(|refund| {
        json!({
            "amount": money.paid_out(back(refund.amount)), "refundDate": stamp(refund.at),
            "refundId": refund.id.to_string(), "refundReferenceId": format!("R{}", refund.id),
            "refundStatus": "REFUNDED",
        })
    });
    let due = net - order.refunds.iter().map(|refund| back(refund.amount)).sum::<Decimal>();
    json!({ "payments": [payment], "refunds": refunds.collect::<Value>(), "totalDueSeller": money.paid_out(due) })
}

/// What came back of each line: refunds are told by amount, and fill the lines in turn.
fn line_refunds(money: Money<'_>, line: &Line) -> Value {
    let order = money.order;
    let mut rows = Vec::new();
    let mut left: Vec<(u64, Decimal)> = order.lines.iter().map(|one| (one.id, line_total(order, one, false))).collect();
    for refund in &order.refunds {
        let mut amount = refund.amount;
        for (nth, (id, room)) in left.iter_mut().enumerate() {
            // More than all lines is given back with the last.
            let is_last = nth + 1 == order.lines.len();
            let part = if is_last { amount } else { amount.min(*room) };
            (*room, amount) = (*room - part, amount - part);
            if *id == line.id && part > Decimal::ZERO {
                rows.push(json!({
                    "amount": money.of(part), "refundDate": stamp(refund.at), "refundId": refund.id.to_string(),
                }));
            }
        }
    }
    json!(rows)
}

/// The site on which somebody buys.
fn site(country: &str) -> &'static str {
    match country {
        "DE" => "EBAY_DE",
        "GB" => "EBAY_GB",
        "IE" => "EBAY_IE",
        "NL" => "EBAY_NL",
        "ES" => "EBAY_ES",
        "AT" => "EBAY_AT",
        "HK" => "EBAY_HK",
        "AU" => "EBAY_AU",
        _ => "EBAY_US",
    }
}

fn line(context: &Context<'_>, entry: &Entry, money: Money<'_>, line: &Line, shown: Shown) -> Value {
    let (options, order) = (context.options, money.order);
    let (shipping, off, duties) = line_delivery(order, line);
    let mut delivery = json!({ "shippingCost": money.of(shipping) });
    if !off.is_zero() {
        delivery["discountAmount"] = money.of(-off);
    }
    if !duties.is_zero() {
        delivery["importCharges"] = money.of(duties);
    }
    let mut row = json!({
        "lineItemId": line.id.to_string(), "legacyItemId": (110_000_000_000 + line.product).to_string(),
        "title": line.name, "quantity": line.quantity, "soldFormat": "FIXED_PRICE",
        "listingMarketplaceId": options.marketplace, "purchaseMarketplaceId": site(&order.billing.country),
        "lineItemCost": money.of(line.subtotal()), "total": money.of(line_total(order, line, shown.breakdown)),
        "deliveryCost": delivery, "lineItemFulfillmentStatus": vendor::line_status(line), "taxes": [],
        "appliedPromotions": [], "refunds": line_refunds(money, line),
        "lineItemFulfillmentInstructions": dates(entry, order, line),
        "properties": { "buyerProtection": true, "fromBestOffer": false, "soldViaAdCampaign": line.id.is_multiple_of(5) },
        "itemLocation": { "location": "Köln", "countryCode": options.country, "postalCode": "50667" },
    });
    let mut members = Map::new();
    insert(&mut members, "sku", &line.sku);
    if line.variant > 0 {
        let aspect = |(_, name, value): &(String, String, String)| json!({ "name": name, "value": value });
        members.insert("variationAspects".to_owned(), line.choices.iter().map(aspect).collect());
        members.insert("legacyVariationId".to_owned(), json!((410_000_000_000 + line.variant).to_string()));
    }
    if !line.discount.is_zero() {
        members.insert("discountedLineItemCost".to_owned(), money.of(line.total()));
        let description = order.coupon.as_deref().unwrap_or("Sale");
        let promotion = json!({
            "promotionId": "5123456010", "description": description, "discountAmount": money.of(line.discount),
        });
        members.insert("appliedPromotions".to_owned(), json!([promotion]));
    }
    if let Some((_, message)) = line.wrapping.as_ref().filter(|_| young(context, entry, order).0) {
        members.insert("giftDetails".to_owned(), json!({ "message": message, "senderName": "A friend" }));
    }
    if let Some(Collected { kind, reference, .. }) = collected(order).filter(|_| shown.breakdown) {
        let amount = money.of(line_tax(order, line));
        let mut tax = json!({ "amount": amount, "taxType": kind, "collectionMethod": "NET" });
        if let Some((name, value)) = reference {
            tax["ebayReference"] = json!({ "name": name, "value": value });
        }
        members.insert("taxes".to_owned(), json!([{ "amount": amount, "taxType": kind }]));
        members.insert("ebayCollectAndRemitTaxes".to_owned(), json!([tax]));
    }
    merge(&mut row, Value::Object(members));
    row
}

/// When a line is to be sent, and when it should arrive.
fn dates(entry: &Entry, order: &Order, line: &Line) -> Value {
    if !line.ships() {
        return json!({ "guaranteedDelivery": false });
    }
    json!({
        "shipByDate": stamp(order.own.ship_by.unwrap_or(entry.created + 3 * DAY)), "guaranteedDelivery": false,
        "minEstimatedDeliveryDate": stamp(entry.created + 4 * DAY),
        "maxEstimatedDeliveryDate": stamp(entry.created + 7 * DAY),
    })
}

/// The id of a fulfilment: its tracking number, and where it has none the same for all.
pub(super) fn fulfillment_id(shipment: &Shipment) -> String {
    shipment.tracking.first().map_or_else(|| "999".to_owned(), |tracking| tracking.number.clone())
}

/// Where a fulfilment is.
pub(super) fn fulfillment_path(order: u64, fulfillment: &str) -> String {
    format!("/sell/fulfillment/v1/order/{}/shipping_fulfillment/{fulfillment}", Ebay::write_id(order))
}

/// A fulfilment.
pub(super) fn fulfillment(shipment: &Shipment) -> Value {
    let items = shipment.items.iter();
    let items = items.map(|(line, pieces)| json!({ "lineItemId": line.to_string(), "quantity": pieces }));
    let mut row = json!({
        "fulfillmentId": fulfillment_id(shipment), "shippedDate": stamp(shipment.at),
        "lineItems": items.collect::<Value>(),
    });
    if let Some(tracking) = shipment.tracking.first() {
        row["shipmentTrackingNumber"] = json!(tracking.number);
        row["shippingCarrierCode"] = json!(tracking.carrier);
    }
    row
}
