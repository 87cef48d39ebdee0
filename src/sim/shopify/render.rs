//! An order as the tree that queries are answered from.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::options::Options;
use super::vendor::{FulfillmentOrder, OpenLine, Shopify, fulfillment_status, removed_from, total, unfulfilled};
use super::{Context, Entry, Order};
use crate::clock::{from_millis, rfc3339};
use crate::sim::forms::merge;
use crate::sim::world::fixtures::email;
use crate::sim::world::{Address, Fee, Line, Meta, Refund, Shipment, Tracking, Vendor};

/// Shopify's global id.
pub(crate) fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// The number at the end of a global id of this kind.
pub(crate) fn id_of(kind: &str, gid: &Value) -> Option<u64> {
    gid.as_str()?.strip_prefix(&format!("gid://shopify/{kind}/"))?.parse().ok()
}

/// What stands where an app without this scope may not look.
pub(crate) fn needs(scope: &str) -> Value {
    json!({ "$denied": format!("`{scope}` access scope.") })
}

/// A text, or null where there is none.
fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A time on the wire: whole seconds in UTC.
pub(crate) fn time(at: i64) -> Value {
    json!(rfc3339(from_millis(at)))
}

/// An amount on the wire: no fixed scale, at least one digit after the point.
fn decimal(amount: Decimal) -> String {
    let digits = format!("{amount:.2}");
    digits.strip_suffix('0').map_or_else(|| digits.clone(), str::to_owned)
}

/// Amounts in the shop's currency, EUR, and in the buyer's.
struct Money<'a> {
    options: &'a Options,
    order: &'a Order,
}

impl Money<'_> {
    fn bag(&self, amount: Decimal) -> Value {
        let rate = Decimal::new(self.options.exchange, 2);
        let theirs = if self.order.currency == "EUR" { amount } else { (amount * rate).trunc_with_scale(2) };
        let money =
            |amount, currency: &str| json!({ "$type": "MoneyV2", "amount": decimal(amount), "currencyCode": currency });
        json!({ "$type": "MoneyBag", "shopMoney": money(amount, "EUR"), "presentmentMoney": money(theirs, &self.order.currency) })
    }

    /// Tax of 19 % that prices include.
    fn tax(&self, amount: Decimal) -> Value {
        json!({ "$type": "TaxLine", "title": "MwSt", "rate": 0.19, "ratePercentage": 19.0, "priceSet": self.bag(included_tax(amount)) })
    }
}

fn included_tax(amount: Decimal) -> Decimal {
    (amount * Decimal::from(19) / Decimal::from(119)).trunc_with_scale(2)
}

/// No money.
const ZERO: Decimal = Decimal::ZERO;

/// The whole order.
pub(crate) fn order(context: &Context<'_>, id: u64) -> Option<Value> {
    let entry = context.state.orders.get(&id)?;
    let order = entry.order(context.options);
    let mut tree = head(context.options, entry, &order);
    if context.state.spoilt.contains(&id) {
        tree["name"] = Value::Null;
    }
    merge(&mut tree, rest(context.options, &order, entry.created, context.now));
    Some(tree)
}

/// What is in the order but money and lists.
fn head(options: &Options, entry: &Entry, order: &Order) -> Value {
    let own = &order.own;
    let gone = own.cancelled.is_some();
    let personal = |value: Value| if options.personal_data && !own.erased { value } else { Value::Null };
    let cancelled = own.cancelled.as_ref();
    let attribute = |one: &Meta| json!({ "$type": "Attribute", "key": one.key, "value": one.value.as_str() });
    let delivery = order.places.first().map(|place| personal(address(&place.address, order.id)));
    json!({
        "$type": "Order", "id": gid("Order", order.id), "legacyResourceId": order.id.to_string(),
        "name": format!("#{}", number(order)), "number": number(order), "poNumber": null, "phone": null,
        "confirmationNumber": format!("C{:07X}", order.id & 0x0fff_ffff), "createdAt": time(entry.created),
        "processedAt": time(entry.created), "updatedAt": time(entry.modified),
        "cancelledAt": cancelled.map(|one| time(one.at)), "cancelReason": cancelled.map(|one| one.reason.as_str()),
        "cancellation": cancelled.map(|one| json!({ "$type": "OrderCancellation", "staffNote": one.note })),
        "closed": own.closed.is_some() || gone, "closedAt": own.closed.or(cancelled.map(|one| one.at)).map(time),
        "test": order.test, "edited": own.edited, "confirmed": true, "displayFinancialStatus": own.financial,
        "displayFulfillmentStatus": fulfillment_status(order), "returnStatus": "NO_RETURN",
        "sourceName": order.source, "sourceIdentifier": null, "note": text(&order.note), "tags": own.tags,
        "customAttributes": order.meta.iter().map(attribute).collect::<Value>(),
        "email": personal(json!(email(order.id % 100_000))), "customer": customer(options, order),
        "currencyCode": "EUR", "presentmentCurrencyCode": order.currency, "taxesIncluded": true,
        "paymentGatewayNames": gateways(order), "discountCodes": order.coupon.iter().map(|_| "TEN").collect::<Value>(),
        "shippingAddress": delivery, "billingAddress": personal(address(&order.billing, order.id)),
    })
}

/// Money and lists.
fn rest(options: &Options, order: &Order, created: i64, now: i64) -> Value {
    let money = Money { options, order };
    let own = &order.own;
    let gone = own.cancelled.is_some();
    let goods = order.subtotal() - order.discount();
    let (total, removed) = (total(order), removed_from(order));
    let current = if gone { ZERO } else { total - removed };
    let refunded = order.refunded();
    let paid = matches!(own.financial, Some("PAID" | "PARTIALLY_REFUNDED" | "REFUNDED"));
    let left = |amount: Decimal| money.bag(if gone { ZERO } else { amount });
    let duties = (order.duties > ZERO).then_some(order.duties);
    let fee = |fee: &Fee| {
        json!({ "$type": "AdditionalFee", "id": gid("AdditionalFee", order.id + 970), "name": fee.name,
            "price": money.bag(fee.cost), "taxLines": [] })
    };
    let refund = |refund: &Refund| {
        json!({ "$type": "Refund", "id": gid("Refund", refund.id), "createdAt": time(refund.at),
            "note": text(&refund.reason), "totalRefundedSet": money.bag(refund.amount) })
    };
    json!({
        "originalTotalPriceSet": money.bag(total), "totalPriceSet": money.bag(total),
        "currentTotalPriceSet": left(current - refunded.min(current)), "subtotalPriceSet": money.bag(goods),
        "currentSubtotalPriceSet": left(goods - removed), "totalShippingPriceSet": money.bag(order.shipping()),
        "currentShippingPriceSet": left(order.shipping()), "totalTaxSet": money.bag(included_tax(total)),
        "currentTotalTaxSet": money.bag(included_tax(current)), "totalDiscountsSet": money.bag(order.discount()),
        "currentTotalDiscountsSet": left(order.discount()), "totalRefundedSet": money.bag(refunded),
        "totalOutstandingSet": left(if paid { ZERO } else { current }),
        "currentTaxLines": if current > ZERO { json!([money.tax(current)]) } else { json!([]) },
        "dutiesIncluded": false, "originalTotalDutiesSet": duties.map(|duties| money.bag(duties)),
        "currentTotalDutiesSet": duties.map(left), "additionalFees": order.fees.iter().map(fee).collect::<Value>(),
        "refunds": { "$list": order.refunds.iter().map(refund).collect::<Value>() },
        "fulfillments": { "$list": order.shipments.iter().map(fulfillment).collect::<Value>() },
        "transactions": { "$list": transactions(order) },
        "shippingLines": { "$connection": shipping_lines(&money, order) },
        "lineItems": { "$connection": order.lines.iter().map(|one| line(&money, order, one)).collect::<Value>() },
        "fulfillmentOrders": fulfillment_orders(options, order, created, now),
    })
}

/// The number that people see.
fn number(order: &Order) -> u64 {
    Shopify::number(order.id)
}

fn gateways(order: &Order) -> Value {
    match (order.payment.as_str(), order.own.financial) {
        ("", None) => json!([]),
        ("", Some(_)) => json!(["shopify_payments"]),
        (gateway, _) => json!([gateway]),
    }
}

fn customer(options: &Options, order: &Order) -> Value {
    let Some(id) = Some(order.customer).filter(|id| *id > 0) else { return Value::Null };
    if !options.has("read_customers") {
        return needs("read_customers");
    }
    if !options.personal_data {
        return json!({ "$denied": "personal" });
    }
    let name = format!("{} {}", order.billing.first_name, order.billing.last_name);
    json!({ "$type": "Customer", "id": gid("Customer", id), "legacyResourceId": id.to_string(), "displayName": name })
}

fn address(a: &Address, id: u64) -> Value {
    json!({
        "$type": "MailingAddress", "id": gid("MailingAddress", id + 1),
        "firstName": text(&a.first_name), "lastName": text(&a.last_name), "name": format!("{} {}", a.first_name, a.last_name),
        "company": text(&a.company), "address1": a.street_1, "address2": text(&a.street_2), "city": text(&a.city),
        "province": text(&a.state), "provinceCode": text(&a.state), "zip": text(&a.postcode),
        "country": a.country, "countryCodeV2": a.country, "phone": text(&a.phone),
    })
}

fn transactions(order: &Order) -> Vec<Value> {
    let Some(at) = order.paid else { return Vec::new() };
    let kind = if order.own.financial == Some("AUTHORIZED") { "AUTHORIZATION" } else { "SALE" };
    vec![json!({
        "$type": "OrderTransaction", "id": gid("OrderTransaction", order.id + 950), "kind": kind, "status": "SUCCESS",
        "gateway": "shopify_payments", "processedAt": time(at), "paymentId": format!("#{}.1", number(order)),
    })]
}

fn shipping_lines(money: &Money<'_>, order: &Order) -> Vec<Value> {
    let Some(place) = order.places.first() else { return Vec::new() };
    vec![json!({
        "$type": "ShippingLine", "id": gid("ShippingLine", place.id), "title": place.method, "code": "standard",
        "isRemoved": false, "originalPriceSet": money.bag(order.shipping()),
        "discountedPriceSet": money.bag(order.shipping()), "taxLines": { "$list": [money.tax(order.shipping())] },
    })]
}

fn line(money: &Money<'_>, order: &Order, line: &Line) -> Value {
    let reference = |kind: &str, id: u64| match id {
        _ if !money.options.has("read_products") => needs("read_products"),
        0 => Value::Null,
        id => json!({ "$type": kind, "id": gid(kind, id) }),
    };
    let choices: Vec<&str> = line.choices.iter().map(|(_, _, value)| value.as_str()).collect();
    let discount = json!([{ "$type": "DiscountAllocation", "allocatedAmountSet": money.bag(line.discount) }]);
    json!({
        "$type": "LineItem", "id": gid("LineItem", line.id), "sku": text(&line.sku),
        "title": if line.parent.is_empty() { &line.name } else { &line.parent },
        "variantTitle": (!choices.is_empty()).then(|| choices.join(" / ")), "quantity": line.quantity,
        "currentQuantity": if order.own.cancelled.is_some() { 0 } else { line.current() },
        "unfulfilledQuantity": unfulfilled(line), "requiresShipping": line.ships(), "customAttributes": [],
        "isGiftCard": is_gift_card(line), "variant": reference("ProductVariant", line.product * 10),
        "product": reference("Product", line.product), "originalUnitPriceSet": money.bag(line.price),
        "discountAllocations": if line.discount > ZERO { discount } else { json!([]) },
        "taxLines": { "$list": [money.tax(line.total())] },
    })
}

/// Of plastic: sent like any other goods.
pub(crate) fn is_gift_card(line: &Line) -> bool {
    line.sku.starts_with("GIFT-")
}

/// A fulfilment by itself.
pub(crate) fn fulfillment(one: &Shipment) -> Value {
    let tracking = |t: &Tracking| json!({ "$type": "FulfillmentTrackingInfo", "company": text(&t.carrier), "number": text(&t.number), "url": text(&t.link) });
    let line = |(n, (line, count)): (usize, &(u64, u64))| {
        json!({
            "$type": "FulfillmentLineItem", "id": gid("FulfillmentLineItem", one.id.wrapping_add(n as u64)), "quantity": count,
            "lineItem": { "$type": "LineItem", "id": gid("LineItem", *line) },
        })
    };
    json!({
        "$type": "Fulfillment", "id": gid("Fulfillment", one.id), "legacyResourceId": one.id.to_string(), "status": if one.undone { "CANCELLED" } else { "SUCCESS" },
        "createdAt": time(one.at), "updatedAt": time(one.at),
        "totalQuantity": one.items.iter().map(|(_, pieces)| pieces).sum::<u64>(),
        "trackingInfo": { "$list": one.tracking.iter().map(tracking).collect::<Vec<_>>() },
        "fulfillmentLineItems": { "$connection": one.items.iter().enumerate().map(line).collect::<Vec<_>>() },
    })
}

/// Without any scope for them the list is denied, and it may not be null; with a scope for those of
/// others there are none of the merchant's own locations, and nothing says so. Very new orders have
/// none yet.
fn fulfillment_orders(options: &Options, order: &Order, created: i64, now: i64) -> Value {
    if !options.scopes.iter().any(|scope| scope.ends_with("_fulfillment_orders")) {
        return json!({ "$denied": "untold", "$needed": true });
    }
    let mut trees = Vec::new();
    if now >= created + options.routing * 1000 {
        trees = routes(order, !options.has("read_merchant_managed_fulfillment_orders"));
    }
    json!({ "$connection": trees })
}

fn routes(order: &Order, only_of_services: bool) -> Vec<Value> {
    let way = if order.delivery.is_empty() { "SHIPPING" } else { order.delivery };
    let shown = order.own.fulfillment_orders.iter().filter(|one| one.service || !only_of_services);
    let tree = |one: &FulfillmentOrder| {
        let mut tree = fulfillment_order(one);
        if !one.undelivered {
            tree["deliveryMethod"]["methodType"] = json!(way);
        }
        tree
    };
    shown.map(tree).collect()
}

/// A fulfilment order by itself.
pub(crate) fn fulfillment_order(one: &FulfillmentOrder) -> Value {
    let actions: &[&str] = match one.status {
        "OPEN" if one.service => &["REQUEST_FULFILLMENT", "MOVE", "HOLD"],
        "IN_PROGRESS" if one.service => &["REQUEST_CANCELLATION"],
        "OPEN" => &["CREATE_FULFILLMENT", "MOVE", "HOLD"],
        "IN_PROGRESS" => &["CREATE_FULFILLMENT", "HOLD"],
        "ON_HOLD" => &["RELEASE_HOLD", "HOLD", "MOVE"],
        "SCHEDULED" => &["MARK_AS_OPEN"],
        "INCOMPLETE" => &["REQUEST_FULFILLMENT", "MOVE"],
        _ => &[],
    };
    let place = match one.location {
        1 => "Lager Köln",
        2 => "Wien, Lager 2",
        _ => "A fulfilment house",
    };
    let request = if one.service && one.status == "IN_PROGRESS" { "ACCEPTED" } else { "UNSUBMITTED" };
    let hold = one.hold.as_ref().map(|reason| {
        json!({ "$type": "FulfillmentHold", "id": gid("FulfillmentHold", one.id), "reason": "OTHER", "displayReason": reason })
    });
    let line = |open: &OpenLine| {
        json!({
            "$type": "FulfillmentOrderLineItem", "id": gid("FulfillmentOrderLineItem", open.id), "totalQuantity": open.total,
            "remainingQuantity": open.remaining,
            "lineItem": { "$type": "LineItem", "id": gid("LineItem", open.line), "isGiftCard": open.gift },
        })
    };
    json!({
        "$type": "FulfillmentOrder", "id": gid("FulfillmentOrder", one.id), "orderId": gid("Order", super::order_of(one.id)), "status": one.status, "requestStatus": request,
        "fulfillAt": if one.status == "SCHEDULED" { json!("2027-01-15T00:00:00Z") } else { Value::Null },
        "supportedActions": actions.iter().map(|action| json!({ "$type": "FulfillmentOrderSupportedAction", "action": action })).collect::<Vec<_>>(),
        "assignedLocation": { "$type": "FulfillmentOrderAssignedLocation", "name": place,
            "location": { "$type": "Location", "id": gid("Location", one.location) } },
        "deliveryMethod": { "$type": "DeliveryMethod", "id": gid("DeliveryMethod", one.id),
            "methodType": if one.undelivered { "NONE" } else { "SHIPPING" } },
        "fulfillmentHolds": hold.into_iter().collect::<Vec<_>>(),
        "lineItems": { "$connection": one.lines.iter().map(line).collect::<Vec<_>>() },
    })
}
