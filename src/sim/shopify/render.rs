//! An order as the tree that queries are answered from.

use serde_json::{Value, json};

use super::options::Options;
use super::state::{Fulfillment, FulfillmentOrder, Order, Slot};
use crate::clock::{from_millis, rfc3339};
use crate::sim::world::fixtures::{PEOPLE, email};

/// Shopify's global id.
pub fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// The number at the end of a global id of this kind.
pub fn id_of(kind: &str, gid: &Value) -> Option<u64> {
    gid.as_str()?.strip_prefix(&format!("gid://shopify/{kind}/"))?.parse().ok()
}

/// A time on the wire: whole seconds in UTC.
pub fn time(at: i64) -> Value {
    json!(rfc3339(from_millis(at)))
}

/// An amount on the wire: no fixed scale, at least one digit after the point.
fn decimal(cents: i64) -> String {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    let digits = format!("{sign}{}.{:02}", cents / 100, cents % 100);
    digits.strip_suffix('0').map_or_else(|| digits.clone(), str::to_owned)
}

/// Amounts in the shop's currency, EUR, and in the buyer's.
struct Money<'a> {
    options: &'a Options,
    order: &'a Order,
}

impl Money<'_> {
    fn bag(&self, cents: i64) -> Value {
        let theirs = if self.order.currency == "EUR" { cents } else { cents * self.options.exchange / 100 };
        let money =
            |cents, currency: &str| json!({ "$type": "MoneyV2", "amount": decimal(cents), "currencyCode": currency });
        json!({ "$type": "MoneyBag", "shopMoney": money(cents, "EUR"), "presentmentMoney": money(theirs, self.order.currency) })
    }

    /// Tax of 19 % that prices include.
    fn tax(&self, cents: i64) -> Value {
        json!({ "$type": "TaxLine", "title": "MwSt", "rate": 0.19, "ratePercentage": 19.0, "priceSet": self.bag(included_tax(cents)) })
    }
}

fn included_tax(cents: i64) -> i64 {
    cents * 19 / 119
}

/// The whole order. `visible` tells what the app may look at.
pub fn order(options: &Options, order: &Order, slot: &Slot, now: i64) -> Value {
    let money = Money { options, order };
    let goods = order.ordered_cents() - order.discount_cents;
    let total = goods + order.shipping_cents + order.fees_cents();
    let gone = order.cancelled.is_some();
    let removed = order.removed_cents();
    let current = if gone { 0 } else { total - removed };
    let refunded = order.refunded_cents();
    let paid = matches!(order.financial, Some("PAID" | "PARTIALLY_REFUNDED" | "REFUNDED"));
    let person = PEOPLE.get(order.person % PEOPLE.len().max(1));
    let personal = |value: Value| if options.personal_data && !order.erased { value } else { Value::Null };
    let mut tree = json!({
        "$type": "Order",
        "id": gid("Order", order.id),
        "legacyResourceId": order.id.to_string(),
        "name": if order.broken { Value::Null } else { json!(format!("#{}", order.number)) },
        "number": order.number,
        "confirmationNumber": format!("C{:07X}", order.id & 0x0fff_ffff),
        "poNumber": null,
        "createdAt": time(order.created),
        "processedAt": time(order.created),
        "updatedAt": time(slot.updated),
        "cancelledAt": order.cancelled.as_ref().map(|cancelled| time(cancelled.at)),
        "cancelReason": order.cancelled.as_ref().map(|cancelled| cancelled.reason.clone()),
        "cancellation": order.cancelled.as_ref().map(|cancelled| json!({ "$type": "OrderCancellation", "staffNote": cancelled.note })),
        "closed": order.closed.is_some() || gone,
        "closedAt": order.closed.or(order.cancelled.as_ref().map(|cancelled| cancelled.at)).map(time),
        "test": order.test,
        "edited": order.edited,
        "confirmed": true,
        "displayFinancialStatus": order.financial,
        "displayFulfillmentStatus": order.fulfillment_status(),
        "returnStatus": "NO_RETURN",
        "sourceName": order.source,
        "note": Some(&order.note).filter(|note| !note.is_empty()),
        "tags": order.tags,
        "customAttributes": order.attributes.iter().map(|(key, value)| json!({ "$type": "Attribute", "key": key, "value": value })).collect::<Vec<_>>(),
        "email": personal(json!(email(order.id % 100_000))),
        "phone": null,
        "customer": customer(options, order),
        "currencyCode": "EUR",
        "presentmentCurrencyCode": order.currency,
        "taxesIncluded": true,
        "paymentGatewayNames": gateways(order),
        "discountCodes": if order.discount_cents > 0 { json!(["TEN"]) } else { json!([]) },
        "shippingAddress": if order.ships { personal(json!(person.map(|person| address(person, &order.street, order.id)))) } else { Value::Null },
        "billingAddress": personal(json!(person.map(|person| address(person, "", order.id)))),
    });
    let more = json!({
        "originalTotalPriceSet": money.bag(total),
        "totalPriceSet": money.bag(total),
        "currentTotalPriceSet": money.bag(current - if gone { 0 } else { refunded.min(current) }),
        "subtotalPriceSet": money.bag(goods),
        "currentSubtotalPriceSet": money.bag(if gone { 0 } else { goods - removed }),
        "totalShippingPriceSet": money.bag(order.shipping_cents),
        "currentShippingPriceSet": money.bag(if gone { 0 } else { order.shipping_cents }),
        "totalTaxSet": money.bag(included_tax(total)),
        "currentTotalTaxSet": money.bag(included_tax(current)),
        "totalDiscountsSet": money.bag(order.discount_cents),
        "currentTotalDiscountsSet": money.bag(if gone { 0 } else { order.discount_cents }),
        "totalRefundedSet": money.bag(refunded),
        "totalOutstandingSet": money.bag(if paid || gone { 0 } else { current }),
        "currentTaxLines": if current > 0 { json!([money.tax(current)]) } else { json!([]) },
        "dutiesIncluded": false,
        "originalTotalDutiesSet": if order.duties_cents > 0 { money.bag(order.duties_cents) } else { Value::Null },
        "currentTotalDutiesSet": if order.duties_cents > 0 { money.bag(if gone { 0 } else { order.duties_cents }) } else { Value::Null },
        "additionalFees": order.fees.iter().map(|(name, cents)| json!({
            "$type": "AdditionalFee", "id": gid("AdditionalFee", order.id + 970), "name": name, "price": money.bag(*cents), "taxLines": [],
        })).collect::<Vec<_>>(),
        "refunds": { "$list": order.refunds.iter().map(|refund| json!({
            "$type": "Refund", "id": gid("Refund", refund.id), "createdAt": time(refund.at),
            "note": Some(&refund.note).filter(|note| !note.is_empty()), "totalRefundedSet": money.bag(refund.cents),
        })).collect::<Vec<_>>() },
        "fulfillments": { "$list": order.fulfillments.iter().map(fulfillment).collect::<Vec<_>>() },
        "transactions": { "$list": transactions(order) },
        "shippingLines": { "$connection": shipping_lines(&money, order) },
        "lineItems": { "$connection": lines(&money, order) },
        "fulfillmentOrders": { "$connection": fulfillment_orders(options, order, now) },
    });
    if let (Some(tree), Value::Object(more)) = (tree.as_object_mut(), more) {
        tree.extend(more);
    }
    tree
}

fn gateways(order: &Order) -> Value {
    match (order.gateway.as_str(), order.financial) {
        ("", None) => json!([]),
        ("", Some(_)) => json!(["shopify_payments"]),
        (gateway, _) => json!([gateway]),
    }
}

fn customer(options: &Options, order: &Order) -> Value {
    let Some(id) = order.customer else { return Value::Null };
    if !options.has("read_customers") {
        return json!({ "$denied": "`read_customers` access scope." });
    }
    if !options.personal_data {
        return json!({ "$denied": "personal" });
    }
    let person = PEOPLE.get(order.person % PEOPLE.len().max(1));
    let name = person.map(|person| format!("{} {}", person.first, person.last));
    json!({ "$type": "Customer", "id": gid("Customer", id), "legacyResourceId": id.to_string(), "displayName": name })
}

fn address(person: &crate::sim::world::fixtures::Person, street: &str, id: u64) -> Value {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let street = if street.is_empty() { person.street } else { street };
    json!({
        "$type": "MailingAddress", "id": gid("MailingAddress", id + 1),
        "firstName": text(person.first), "lastName": text(person.last), "name": format!("{} {}", person.first, person.last),
        "company": text(person.company), "address1": street, "address2": text(person.street_2), "city": text(person.city),
        "province": text(person.state), "provinceCode": text(person.state), "zip": text(person.postcode),
        "country": person.country, "countryCodeV2": person.country, "phone": text(person.phone),
    })
}

fn transactions(order: &Order) -> Vec<Value> {
    let Some(at) = order.paid_at else { return Vec::new() };
    let kind = if order.financial == Some("AUTHORIZED") { "AUTHORIZATION" } else { "SALE" };
    vec![json!({
        "$type": "OrderTransaction", "id": gid("OrderTransaction", order.id + 950), "kind": kind, "status": "SUCCESS",
        "gateway": "shopify_payments", "processedAt": time(at), "paymentId": format!("#{}.1", order.number),
    })]
}

fn shipping_lines(money: &Money<'_>, order: &Order) -> Vec<Value> {
    if !order.ships {
        return Vec::new();
    }
    vec![json!({
        "$type": "ShippingLine", "id": gid("ShippingLine", order.id + 100), "title": "Standard", "code": "standard",
        "isRemoved": false, "originalPriceSet": money.bag(order.shipping_cents),
        "discountedPriceSet": money.bag(order.shipping_cents), "taxLines": { "$list": [money.tax(order.shipping_cents)] },
    })]
}

fn lines(money: &Money<'_>, order: &Order) -> Vec<Value> {
    let reference = |kind: &str, id: Option<u64>| match id {
        _ if !money.options.has("read_products") => json!({ "$denied": "`read_products` access scope." }),
        Some(id) => json!({ "$type": kind, "id": gid(kind, id) }),
        None => Value::Null,
    };
    order
        .lines
        .iter()
        .map(|line| {
            let discount = order.discount(line, line.quantity);
            let allocations = if discount > 0 {
                json!([{ "$type": "DiscountAllocation", "allocatedAmountSet": money.bag(discount) }])
            } else {
                json!([])
            };
            json!({
                "$type": "LineItem", "id": gid("LineItem", line.id), "sku": Some(&line.sku).filter(|sku| !sku.is_empty()),
                "title": line.title, "variantTitle": line.variant, "quantity": line.quantity, "currentQuantity": if order.cancelled.is_some() { 0 } else { line.current },
                "unfulfilledQuantity": order.unfulfilled(line), "requiresShipping": line.ships, "isGiftCard": line.gift_card,
                "customAttributes": [], "variant": reference("ProductVariant", line.product.map(|id| id * 10)),
                "product": reference("Product", line.product), "originalUnitPriceSet": money.bag(line.cents),
                "discountAllocations": allocations,
                "taxLines": { "$list": [money.tax(line.cents * line.quantity - discount)] },
            })
        })
        .collect()
}

/// A fulfilment by itself.
pub fn fulfillment(one: &Fulfillment) -> Value {
    let tracking = |t: &super::state::Tracking| json!({ "$type": "FulfillmentTrackingInfo", "company": t.company, "number": t.number, "url": t.url });
    let line = |(n, (line, count)): (usize, &(u64, i64))| {
        json!({
            "$type": "FulfillmentLineItem", "id": gid("FulfillmentLineItem", one.id.wrapping_add(n as u64)), "quantity": count,
            "lineItem": { "$type": "LineItem", "id": gid("LineItem", *line) },
        })
    };
    json!({
        "$type": "Fulfillment", "id": gid("Fulfillment", one.id), "legacyResourceId": one.id.to_string(), "status": one.status,
        "createdAt": time(one.at), "updatedAt": time(one.at),
        "trackingInfo": { "$list": one.tracking.iter().map(tracking).collect::<Vec<_>>() },
        "fulfillmentLineItems": { "$connection": one.lines.iter().enumerate().map(line).collect::<Vec<_>>() },
    })
}

/// Without a scope for them there are none, and nothing says so; very new orders have none yet.
fn fulfillment_orders(options: &Options, order: &Order, now: i64) -> Vec<Value> {
    if !options.has("read_merchant_managed_fulfillment_orders") || now < order.created + options.routing * 1000 {
        return Vec::new();
    }
    let way = if order.delivery.is_empty() { "SHIPPING" } else { order.delivery };
    let mut trees: Vec<Value> = order.fulfillment_orders.iter().map(fulfillment_order).collect();
    trees.iter_mut().for_each(|tree| tree["deliveryMethod"]["methodType"] = json!(way));
    trees
}

/// A fulfilment order by itself.
pub fn fulfillment_order(one: &FulfillmentOrder) -> Value {
    let actions: &[&str] = match one.status {
        "OPEN" if one.service => &["REQUEST_FULFILLMENT", "MOVE", "HOLD"],
        "IN_PROGRESS" if one.service => &["REQUEST_CANCELLATION"],
        "OPEN" => &["CREATE_FULFILLMENT", "MOVE", "HOLD"],
        "IN_PROGRESS" => &["CREATE_FULFILLMENT", "HOLD"],
        "ON_HOLD" => &["RELEASE_HOLD", "HOLD", "MOVE"],
        "SCHEDULED" => &["MARK_AS_OPEN"],
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
    let line = |open: &super::state::OpenLine| {
        json!({
            "$type": "FulfillmentOrderLineItem", "id": gid("FulfillmentOrderLineItem", open.id), "totalQuantity": open.total,
            "remainingQuantity": open.remaining, "lineItem": { "$type": "LineItem", "id": gid("LineItem", open.line) },
        })
    };
    json!({
        "$type": "FulfillmentOrder", "id": gid("FulfillmentOrder", one.id), "status": one.status, "requestStatus": request,
        "fulfillAt": if one.status == "SCHEDULED" { json!("2027-01-15T00:00:00Z") } else { Value::Null },
        "supportedActions": actions.iter().map(|action| json!({ "$type": "FulfillmentOrderSupportedAction", "action": action })).collect::<Vec<_>>(),
        "assignedLocation": { "$type": "FulfillmentOrderAssignedLocation", "name": place,
            "location": { "$type": "Location", "id": gid("Location", one.location) } },
        "deliveryMethod": { "$type": "DeliveryMethod", "id": gid("DeliveryMethod", one.id), "methodType": "SHIPPING" },
        "fulfillmentHolds": hold.into_iter().collect::<Vec<_>>(),
        "lineItems": { "$connection": one.lines.iter().map(line).collect::<Vec<_>>() },
    })
}

/// The same without the members that only the executor knows, for people who look.
pub fn plain(tree: &Value) -> Value {
    match tree {
        Value::Object(members) => {
            for hidden in ["$connection", "$list"] {
                if let Some(items) = members.get(hidden).and_then(Value::as_array) {
                    return items.iter().map(plain).collect();
                }
            }
            if members.contains_key("$denied") {
                return Value::Null;
            }
            let shown = members.iter().filter(|(key, _)| !key.starts_with('$'));
            Value::Object(shown.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}
