//! Order fulfilments as WooCommerce 10.5 has them behind a feature switch: no check of quantities,
//! no protection against doubles, and numeric error codes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::check_rights;
use super::errors::error;
use super::options::{Options, Rights};
use super::render::gmt;
use super::vendor::Fulfillment;
use super::{Answer, Call, Context, Line, Order, Response};
use crate::sim::world::{About, Meta, Way};

/// Where an order's overall status of fulfilments stands.
pub(super) const META: &str = "_fulfillment_status";

/// Whether the asker may. Fulfilments of guest orders are readable by anybody: the owner check
/// compares customer 0 with user 0.
pub(super) fn allowed(call: &Call<'_, '_>, reads: bool) -> Result<(), Response> {
    let Some(order) = call.order(call.id(0)) else {
        let data = json!({ "status": "404" });
        let body = json!({ "code": "woocommerce_rest_order_invalid_id", "message": "Invalid order ID.", "data": data });
        return Err(Response::json(404, &body));
    };
    let a_customer = call.by.as_ref().is_some_and(|key| key.rights == Rights::Customer);
    if reads && !a_customer && order.customer == 0 {
        return Ok(());
    }
    match reads {
        true => check_rights(&call.by, "woocommerce_rest_cannot_view", "Sorry, you cannot view resources."),
        false => check_rights(&call.by, "woocommerce_rest_cannot_create", "Sorry, you cannot create resources."),
    }
}

/// A 400 with a number as its code.
fn refused(code: u16, message: &str) -> Response {
    Response::json(400, &json!({ "code": code, "message": message, "data": { "status": 400 } }))
}

/// The site's time with a space and without zone.
fn local(options: &Options, at: i64) -> String {
    gmt(at + i64::from(options.offset_minutes) * 60).replace('T', " ")
}

fn meta_json(one: &Fulfillment) -> Value {
    one.meta.iter().map(|meta| json!({ "id": meta.id, "key": meta.key, "value": meta.value })).collect()
}

fn body(options: &Options, order: u64, one: &Fulfillment) -> Value {
    json!({
        "id": one.id, "entity_type": "WC_Order", "entity_id": order.to_string(), "status": one.status,
        "is_fulfilled": is_sent(&one.status), "date_updated": local(options, one.updated),
        "meta_data": meta_json(one),
    })
}

/// Whether a status of the shop's, or of its shipping plugin, means that it went out.
fn is_sent(status: &str) -> bool {
    matches!(status, "fulfilled" | "shipped" | "delivered")
}

/// The status that this one becomes. The shipping plugin does not know the shop's own two words.
fn settled(options: &Options, status: &str, is_fulfilled: bool) -> String {
    match status {
        "fulfilled" | "unfulfilled" if options.shipping_plugin => {
            if is_fulfilled {
                "shipped"
            } else {
                "draft"
            }
        }
        other => other,
    }
    .to_owned()
}

fn live(order: &Order) -> impl Iterator<Item = &Fulfillment> {
    order.own.fulfillments.iter().filter(|one| !one.deleted)
}

/// Every fulfilment of an order that is not deleted.
pub(super) fn all(options: &Options, order: &Order) -> Vec<Value> {
    live(order).map(|one| body(options, order.id, one)).collect()
}

impl Fulfillment {
    fn value(&self, key: &str) -> Option<&Value> {
        self.meta.iter().find(|meta| meta.key == key).map(|meta| &meta.value)
    }

    fn text(&self, key: &str) -> String {
        self.value(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// What is in it, once it is sent.
    fn sent(&self) -> impl Iterator<Item = &Value> {
        let sent = self.value("_items").filter(|_| is_sent(&self.status));
        sent.and_then(Value::as_array).into_iter().flatten()
    }
}

/// Pieces that are sent, and carrier and number of each fulfilment.
pub(super) fn parcels(order: &Order) -> (u64, Vec<(String, String)>) {
    let pieces = live(order).flat_map(Fulfillment::sent).filter_map(|item| item["qty"].as_u64());
    let parcel = |one: &Fulfillment| (one.text("_shipment_provider"), one.text("_tracking_number"));
    (pieces.sum(), live(order).map(parcel).collect())
}

/// `GET /orders/{id}/fulfillments`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let order = call.order(call.id(0));
    Ok(Response::json(200, &json!(order.map(|order| all(call.options, &order)).unwrap_or_default())))
}

fn find(call: &Call<'_, '_>) -> Result<Fulfillment, Response> {
    let order = call.order(call.id(0));
    let found = order.and_then(|order| order.own.fulfillments.iter().find(|one| one.id == call.id(1)).cloned());
    match found {
        Some(one) if !one.deleted => Ok(one),
        found => Err(refused(if found.is_some() { 404 } else { 0 }, "Fulfillment not found.")),
    }
}

/// `GET /orders/{id}/fulfillments/{id}`.
pub(super) fn get(call: &mut Call<'_, '_>) -> Answer {
    Ok(Response::json(200, &body(call.options, call.id(0), &find(call)?)))
}

/// `GET /orders/{id}/fulfillments/{id}/metadata`.
pub(super) fn metadata(call: &mut Call<'_, '_>) -> Answer {
    Ok(Response::json(200, &meta_json(&find(call)?)))
}

/// The entries of a body that count: those with an id, 0 for a new one. Others are dropped in
/// silence. Items must be there, be numbered and have a positive quantity; nothing else is checked.
fn wished(call: &Call<'_, '_>) -> Result<Vec<(String, Value)>, Response> {
    let entries = call.params.get("meta_data").and_then(Value::as_array).into_iter().flatten();
    let counted = entries.filter(|entry| entry.get("id").is_some_and(|id| !id.is_null()));
    let entry = |entry: &Value| Some((entry["key"].as_str()?.to_owned(), entry["value"].clone()));
    let wished: Vec<(String, Value)> = counted.filter_map(entry).collect();
    let items = wished.iter().find(|(key, _)| key == "_items").and_then(|(_, value)| value.as_array());
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return Err(refused(0, "The fulfillment should contain at least one item."));
    };
    let good = |item: &Value| item["item_id"].is_u64() && item["qty"].as_f64().is_some_and(|pieces| pieces > 0.0);
    if items.iter().all(good) { Ok(wished) } else { Err(refused(0, "Invalid item.")) }
}

/// `POST /orders/{id}/fulfillments`: makes one more each time.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let wished = wished(call)?;
    let status = settled(call.options, call.text("status").unwrap_or("unfulfilled"), call.truth("is_fulfilled"));
    let (order, notify) = (call.id(0), call.truth("notify_customer"));
    Ok(Response::json(201, &add(call, order, status, wished, notify)))
}

/// Adds a fulfilment, whoever makes it; gives its body.
fn add(context: &mut Context<'_>, order: u64, status: String, wished: Vec<(String, Value)>, notify: bool) -> Value {
    context.state.own.last_fulfillment += 1;
    let id = context.state.own.last_fulfillment;
    let mut one = Fulfillment { id, status, updated: context.now, deleted: false, meta: Vec::new() };
    write_meta(context, &mut one, wished);
    let body = body(context.options, order, &one);
    store(context, order, one, notify);
    body
}

/// The merchant makes one in the admin screen. False in a shop without the feature.
pub(super) fn by_hand(
    context: &mut Context<'_>,
    order: u64,
    items: &[(u64, u64)],
    carrier: &str,
    number: &str,
) -> bool {
    let known = context.state.orders.contains_key(&order) && context.options.has_fulfillments();
    let items: Value = items.iter().map(|(item, qty)| json!({ "item_id": item, "qty": qty })).collect();
    let mut meta = vec![("_items".to_owned(), items)];
    if !number.is_empty() {
        meta.push(("_shipment_provider".to_owned(), json!(carrier)));
        meta.push(("_tracking_number".to_owned(), json!(number)));
    }
    let status = settled(context.options, "fulfilled", true);
    known && add(context, order, status, meta, false).is_object()
}

/// The shop fulfils by itself what has a download, and what is virtual, in the moment in which the order is paid, where it is
/// set to: with what is in it and when, and nothing else.
pub(super) fn by_itself(options: &Options, order: &mut Order, now: i64) {
    let once = order.meta(PROCESSED).is_none();
    if !(once && options.has_fulfillments()) {
        return;
    }
    let is_wished =
        |line: &Line| options.downloadable.contains(&line.sku) || options.fulfills_virtual && line.way == Way::Download;
    if options.fulfills_virtual || order.lines.iter().any(is_wished) {
        order.set_meta(PROCESSED, json!("1"));
    }
    let items = order.lines.iter().filter(|line| is_wished(line));
    let items: Vec<Value> = items.map(|line| json!({ "item_id": line.id, "qty": line.quantity })).collect();
    if items.is_empty() {
        return;
    }
    // Apart from those that are counted one by one.
    let id = 1_000_000 + order.id;
    let entries = [("_items", json!(items)), ("_date_fulfilled", json!(local(options, now)))];
    let meta = (id * 10..).zip(entries).map(|(id, (key, value))| Meta { id, key: key.to_owned(), value }).collect();
    let status = "fulfilled".to_owned();
    order.own.fulfillments.push(Fulfillment { id, status, updated: now, deleted: false, meta });
    if let Some(status) = overall(options, order) {
        order.set_meta(META, json!(status));
    }
}

/// What an order carries once the shop has looked for what it fulfils by itself.
const PROCESSED: &str = "_auto_fulfill_processed";

/// `PUT /orders/{id}/fulfillments/{id}`: meta data that is not in the body is removed. The answer
/// still shows the old date.
pub(super) fn update(call: &mut Call<'_, '_>) -> Answer {
    let (mut one, wished) = (find(call)?, wished(call)?);
    let (order, notify, now) = (call.id(0), call.truth("notify_customer"), call.now);
    one.status = settled(call.options, call.text("status").unwrap_or("unfulfilled"), call.truth("is_fulfilled"));
    write_meta(call, &mut one, wished);
    let body = body(call.options, order, &one);
    store(call, order, Fulfillment { updated: now, ..one }, notify);
    Ok(Response::json(200, &body))
}

/// `DELETE /orders/{id}/fulfillments/{id}`.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let (one, order) = (find(call)?, call.id(0));
    store(call, order, Fulfillment { deleted: true, ..one }, false);
    Ok(Response::json(200, &json!({"message": "Fulfillment deleted successfully."})))
}

/// Changes the nth fulfilment that is not deleted; whether there is one.
pub(super) fn edit(
    context: &mut Context<'_>,
    order: u64,
    nth: usize,
    change: impl FnOnce(Fulfillment) -> Fulfillment,
) -> bool {
    let found = context.order(order).and_then(|order| live(&order).nth(nth).cloned());
    found.map(|one| store(context, order, change(one), false)).is_some()
}

/// Dates the nth fulfilment that is not deleted; whether there is one.
pub(super) fn date(context: &mut Context<'_>, order: u64, nth: usize, at: i64) -> bool {
    let text = json!(local(context.options, at));
    edit(context, order, nth, |mut one| {
        let dates = one.meta.iter_mut().filter(|meta| meta.key == "_date_fulfilled");
        dates.for_each(|meta| meta.value.clone_from(&text));
        one
    })
}

fn write_meta(context: &mut Context<'_>, one: &mut Fulfillment, mut wished: Vec<(String, Value)>) {
    if is_sent(&one.status) {
        let earlier = one.value("_date_fulfilled").cloned();
        let at = earlier.unwrap_or_else(|| json!(local(context.options, context.now)));
        wished.push(("_date_fulfilled".to_owned(), at));
    }
    if context.options.forgets_entries {
        wished.retain(|(key, _)| key == "_items");
    }
    let before = std::mem::take(&mut one.meta);
    let last = &mut context.state.own.last_fulfillment_meta;
    one.meta.extend(wished.into_iter().map(|(key, value)| {
        let known = before.iter().find(|meta| meta.key == key && meta.value == value);
        *last += u64::from(known.is_none());
        Meta { id: known.map_or(*last, |meta| meta.id), key, value }
    }));
}

/// Keeps a fulfilment. The order's date moves and its `_fulfillment_status` follows; its status
/// does not.
fn store(context: &mut Context<'_>, order: u64, one: Fulfillment, notify: bool) {
    let options = context.options;
    context.change(order, |order| {
        if notify && is_sent(&one.status) && !one.deleted {
            order.mail(About::Shipment, one.text("_tracking_number"));
        }
        match order.own.fulfillments.iter_mut().find(|other| other.id == one.id) {
            Some(place) => *place = one,
            None => order.own.fulfillments.push(one),
        }
        match overall(options, order) {
            Some(status) => order.set_meta(META, json!(status)),
            None => order.meta.retain(|meta| meta.key != META),
        }
    });
}

fn overall(options: &Options, order: &Order) -> Option<&'static str> {
    live(order).next()?;
    let mut sent: BTreeMap<u64, f64> = BTreeMap::new();
    for item in live(order).flat_map(Fulfillment::sent) {
        *sent.entry(item["item_id"].as_u64().unwrap_or(0)).or_default() += item["qty"].as_f64().unwrap_or(0.0);
    }
    let whole = |pieces: u64| f64::from(u32::try_from(pieces).unwrap_or(u32::MAX));
    let all = order.lines.iter().all(|l| sent.get(&l.id).is_some_and(|pieces| *pieces >= whole(l.quantity)));
    let delivered = || live(order).all(|one| one.status == "delivered");
    Some(match (sent.is_empty(), all) {
        (true, _) if options.shipping_plugin => "not-shipped",
        (_, true) if options.shipping_plugin && delivered() => "delivered",
        (_, true) if options.shipping_plugin => "shipped",
        _ if options.shipping_plugin => "partially-shipped",
        (true, _) => "unfulfilled",
        (_, true) => "fulfilled",
        _ => "partially_fulfilled",
    })
}

/// `GET /orders/{id}/fulfillments/lookup`: guesses the carrier from the number.
pub(super) fn lookup(call: &mut Call<'_, '_>) -> Answer {
    let number = call.text("tracking_number").unwrap_or_default();
    let (provider, url) = match number {
        ups if ups.starts_with("1Z") => ("ups", "www.ups.com/track?tracknum="),
        dhl if dhl.starts_with("003404") || dhl.starts_with("JD") => {
            ("dhl", "www.dhl.com/en/express/tracking.html?AWB=")
        }
        _ => {
            let code = "woocommerce_rest_tracking_number_not_found";
            return Err(error(404, code, "No tracking information found."));
        }
    };
    let url = format!("https://{url}{number}");
    let possibilities = json!({ provider: { "url": url, "ambiguity_score": 95 } });
    let body = json!({ "tracking_number": number, "shipping_provider": provider, "tracking_url": url,
        "possibilities": possibilities });
    Ok(Response::json(200, &body))
}
