//! Shipments: what rows they may have, how they are made, their tracks and comments.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::errors::{missing, only, plain, required};
use super::orders::known;
use super::render::{self, Sort, time};
use super::vendor::{SEEDED, can_ship, canceled, is_virtual, next_made, set_state, settle, status, to_ship};
use super::{Answer, Call, Context, Line, Order, Response, Shipment, Tracking};
use crate::sim::world::hooks::News;
use crate::sim::world::{About, numbers};

/// Row and pieces.
type Rows = Vec<(u64, u64)>;

/// What of so many pieces of a line is sent by itself: the line, or each part of a bundle whose
/// parts go apart.
fn sent_as(line: &Line, pieces: u64) -> Rows {
    match Sort::of(line) {
        Sort::Apart => render::parts(line).into_iter().map(|part| (part.id, part.per_set * pieces)).collect(),
        _ => vec![(line.id, pieces)],
    }
}

/// The rows for pieces of lines.
pub(super) fn rows_of(order: &Order, wanted: &[(u64, u64)]) -> Rows {
    let lines = wanted.iter().filter_map(|(id, pieces)| order.line(*id).map(|line| sent_as(line, *pieces)));
    lines.flatten().collect()
}

/// Every row of which something is left to ship.
pub(super) fn left(order: &Order) -> Rows {
    let lines = order.lines.iter().filter(|line| line.ships());
    let rows = lines.flat_map(|line| match Sort::of(line) {
        Sort::Apart => parts_left(order, line),
        _ => vec![(line.id, to_ship(order, line))],
    });
    rows.filter(|(_, pieces)| *pieces > 0).collect()
}

/// The rows of a bundle whose parts go apart, with what is left to ship of each.
pub(super) fn parts_left(order: &Order, line: &Line) -> Rows {
    let left = |part: render::Part| {
        let sent = order.own.parts.get(&part.id).copied().unwrap_or(0).max(render::part_refunded(order, line, &part));
        let all = (line.quantity - canceled(order, line).min(line.quantity)) * part.per_set;
        (part.id, all.saturating_sub(sent))
    };
    render::parts(line).into_iter().map(left).collect()
}

/// Takes in a shipment of these rows.
pub(super) fn add(order: &mut Order, mut shipment: Shipment, rows: &[(u64, u64)]) {
    let mut items = Rows::new();
    for line in &order.lines {
        if Sort::of(line) != Sort::Apart {
            items.extend(rows.iter().filter(|(row, _)| *row == line.id));
            continue;
        }
        let parts = render::parts(line);
        let mine: Rows = rows.iter().filter(|(row, _)| parts.iter().any(|part| part.id == *row)).copied().collect();
        mine.iter().for_each(|(row, pieces)| *order.own.parts.entry(*row).or_default() += pieces);
        let whole = |part: &render::Part| order.own.parts.get(&part.id).copied().unwrap_or(0) / part.per_set;
        let sets = parts.iter().map(whole).min().unwrap_or(0);
        items.push((line.id, sets.saturating_sub(line.shipped)));
        order.own.sent_parts.entry(shipment.id).or_default().extend(mine);
    }
    shipment.items = items.into_iter().filter(|(_, pieces)| *pieces > 0).collect();
    shipment.place = order.places.first().map_or(0, |place| place.id);
    order.add_shipment(shipment);
}

/// Sends these rows, no more of each than is left. The order's date moves only with its state.
pub(super) fn send(
    context: &mut Context<'_>,
    id: u64,
    wanted: &[(u64, u64)],
    tracking: Vec<Tracking>,
    source: String,
) -> Option<u64> {
    let (made, at) = (next_made(context.state), context.now);
    let order = context.order_mut(id)?;
    let open: BTreeMap<u64, u64> = left(order).into_iter().collect();
    let rows = wanted.iter().map(|(row, pieces)| (*row, *open.get(row).unwrap_or(&0).min(pieces)));
    let rows: Rows = rows.filter(|(_, pieces)| *pieces > 0).collect();
    add(order, Shipment { id: made, at, tracking, method: source, ..Shipment::default() }, &rows);
    let is_new = context.state.orders.get(&id).is_some_and(|entry| entry.status == "new");
    if is_new {
        set_state(context, id, "processing");
    }
    settle(context, id);
    context.state.note(id, News::Named("sales.shipment.created", made));
    if context.order(id).is_some_and(|order| !can_ship(&order)) {
        context.state.note(id, News::Named("sales.order.shipped", id));
    }
    Some(made)
}

/// The rows of a wish, of equal ones the last; none where it names none.
fn items(wish: &Map<String, Value>) -> Result<BTreeMap<u64, u64>, Response> {
    let rows = wish.get("items").and_then(Value::as_array).into_iter().flatten();
    rows.map(|row| {
        only(row, &["order_item_id", "qty", "extension_attributes"])?;
        let number = |name: &str, kind: &str| {
            let text = row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
            let number = text.parse::<f64>().map_err(|_| {
                let why = format!(r#"The "{text}" value's type is invalid. The "{kind}" type was expected."#);
                plain(400, &format!(r#"Error occurred during "{name}" processing. {why} Verify and try again."#))
            });
            number.map(|number| number.max(0.0) as u64)
        };
        Ok((number("order_item_id", "int")?, number("qty", "float")?))
    })
    .collect()
}

/// The tracks of a wish; each member of an object instead of a list is a track without a number.
fn tracks(wish: &Map<String, Value>) -> Result<Vec<Tracking>, Response> {
    let known = ["track_number", "title", "carrier_code", "extension_attributes"];
    let track = |row: &Value| {
        only(row, &known)?;
        let text = |name: &str| row[name].as_str().map(str::to_owned).ok_or_else(|| required(name));
        let (number, carrier, carrier_code) = (text("track_number")?, text("title")?, text("carrier_code")?);
        Ok(Tracking { number, carrier, carrier_code, ..Tracking::default() })
    };
    match wish.get("tracks") {
        Some(Value::Array(rows)) => rows.iter().map(track).collect(),
        Some(Value::Object(members)) => Ok(vec![Tracking::default(); members.len()]),
        _ => Ok(Vec::new()),
    }
}

/// What stands against a shipment, in Magento's order.
fn objections(state: &str, order: &Order, rows: &[(u64, u64)], tracks: &[Tracking]) -> Vec<String> {
    let mut said = Vec::new();
    if matches!(state, "payment_review" | "holded" | "canceled") || is_virtual(order) {
        said.push(format!("A shipment cannot be created when an order has a status of {}", status(state, order)));
    } else if !can_ship(order) {
        said.push("The order does not allow a shipment to be created.".to_owned());
    }
    let open: BTreeMap<u64, u64> = left(order).into_iter().collect();
    let wanted = || rows.iter().filter(|(_, pieces)| *pieces > 0);
    if !wanted().any(|(row, _)| open.contains_key(row)) {
        said.push("You can't create a shipment without products.".to_owned());
    }
    for (row, _) in wanted() {
        let Some(line) = order.lines.iter().find(|line| (line.id..line.id + 10).contains(row)) else { continue };
        let (kind, what) = match Sort::of(line) {
            Sort::Together if *row != line.id => ("Together", "itself"),
            Sort::Apart if *row == line.id => ("Separately", "options"),
            _ => continue,
        };
        let sku = &line.sku;
        said.push(format!(
            "Cannot create shipment as bundle product \"{sku}\" has shipment type \"{kind}\". \
             Bundle product {what} should be shipped instead."
        ));
    }
    let nameless = tracks.iter().filter(|track| track.number.is_empty());
    said.extend(nameless.map(|_| "Please enter a tracking number.".to_owned()));
    said
}

/// `POST order/{id}/ship`: the same again ships again.
pub(super) fn ship(call: &mut Call<'_, '_>) -> Answer {
    let (id, wish) = (known(call)?, call.params.clone());
    let (rows, tracks) = (items(&wish)?, tracks(&wish)?);
    let mut rows: Rows = rows.into_iter().collect();
    let entry = call.state.orders.get(&id).ok_or_else(missing)?;
    let order = entry.order(call.options);
    if rows.is_empty() {
        rows = left(&order);
    }
    let said = objections(&entry.status, &order, &rows, &tracks);
    if !said.is_empty() {
        return Err(plain(400, &format!("Shipment Document Validation Error(s):\n{}", said.join("\n"))));
    }
    let source = wish.get("arguments").and_then(|one| one["extension_attributes"]["source_code"].as_str());
    // Without one it is the only one, or the default one; what has no goods fails late, and wholly.
    let sources = &call.options.sources;
    let source = source.or(sources.first().copied().filter(|_| sources.len() == 1)).unwrap_or("default");
    let has_goods = sources.contains(&source) && !call.options.sold_out.contains(&source);
    let source = Some(source.to_owned()).filter(|_| has_goods);
    let source = source.ok_or_else(|| plain(400, "Could not save a shipment, see error log for details"))?;
    let told = numbers(&tracks);
    let made = send(call, id, &rows, tracks, source).ok_or_else(missing)?;
    let truth = |name: &str| wish.get(name).is_some_and(|value| *value == true || *value == 1);
    let (notify, append) = (truth("notify"), truth("appendComment"));
    let comment = wish.get("comment").filter(|one| one.is_object()).cloned().unwrap_or_default();
    let words = comment["comment"].as_str().unwrap_or_default();
    let order = call.order_mut(id).ok_or_else(missing)?;
    if notify {
        let words = if append { words } else { "" };
        order.mail(About::Shipment, format!("{told} {words}").trim());
    }
    if !words.is_empty() {
        remark(call, id, made, words, notify && append, comment["is_visible_on_front"].as_i64() == Some(1));
    }
    Ok(Response::json(200, &json!(made.to_string())))
}

/// A comment on a shipment.
fn remark(context: &mut Context<'_>, order: u64, shipment: u64, text: &str, notified: bool, visible: bool) -> Value {
    let now = context.now;
    let Some(order) = context.order_mut(order) else { return Value::Null };
    let remarks = order.own.remarks.entry(shipment).or_default();
    remarks.push(json!({
        "is_customer_notified": u8::from(notified), "parent_id": shipment, "comment": text,
        "is_visible_on_front": u8::from(visible), "created_at": time(now),
        "entity_id": shipment * 10 + remarks.len() as u64,
    }));
    remarks.last().cloned().unwrap_or_default()
}

/// The order of a shipment.
pub(super) fn order_of(context: &Context<'_>, shipment: u64) -> Result<u64, Response> {
    let has = |order: &Order| order.sent().any(|one| one.id == shipment);
    let all = &context.state.orders;
    let seeded = all.get(&shipment.saturating_sub(SEEDED)).filter(|entry| has(&entry.order(context.options)));
    let made = || all.values().find(|entry| entry.order.as_deref().is_some_and(has));
    seeded.or_else(made).map(|entry| entry.id).ok_or_else(missing)
}

/// `GET shipment/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    let id = order_of(call, call.id(0))?;
    let order = call.order(id).ok_or_else(missing)?;
    let shipment = order.sent().find(|one| one.id == call.id(0)).ok_or_else(missing)?;
    Ok(Response::json(200, &document(&order, shipment)))
}

/// `POST shipment/{id}/comments`.
pub(super) fn comment(call: &mut Call<'_, '_>) -> Answer {
    let (shipment, wish) = (call.id(0), call.params.get("entity").cloned().unwrap_or_default());
    let id = order_of(call, shipment)?;
    let words = wish["comment"].as_str().ok_or_else(|| required("comment"))?;
    let is = |name: &str| wish[name].as_i64() == Some(1);
    let mut made = remark(call, id, shipment, words, is("is_customer_notified"), is("is_visible_on_front"));
    made.as_object_mut().into_iter().for_each(|made| drop(made.remove("created_at")));
    Ok(Response::json(200, &made))
}

/// `POST shipment/{id}/emails`: the buyer is told again.
pub(super) fn mail(call: &mut Call<'_, '_>) -> Answer {
    let id = order_of(call, call.id(0))?;
    let shipment = call.id(0);
    let order = call.order_mut(id).ok_or_else(missing)?;
    let told = order.sent().find(|one| one.id == shipment).map(|one| one.tracking.clone());
    let tracks = told.unwrap_or_default().into_iter().filter(|track| !track.number.is_empty());
    order.mail(About::Shipment, numbers(&tracks.collect::<Vec<_>>()));
    Ok(Response::json(200, &json!(true)))
}

/// `POST shipment/track`: neither the order's date nor the shipment's moves.
pub(super) fn add_track(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.params.get("entity").cloned().ok_or_else(|| required("entity"))?;
    let text = |name: &str| wish[name].as_str().map_or_else(|| wish[name].to_string(), str::to_owned);
    let (shipment, now): (u64, i64) = (text("parent_id").parse().unwrap_or(0), call.now);
    let order = text("order_id").parse().ok().and_then(|id| call.order_mut(id));
    let found = order.and_then(|order| {
        let at = order.shipments.iter().position(|one| one.id == shipment && !one.undone)?;
        Some((at, order))
    });
    let (at, order) = found.ok_or_else(|| plain(400, "Could not save the shipment tracking."))?;
    let track = Tracking {
        number: text("track_number"),
        carrier: text("title"),
        carrier_code: text("carrier_code"),
        ..Tracking::default()
    };
    let one = order.shipments.get_mut(at).ok_or_else(missing)?;
    one.tracking.push(track);
    let id = track_id(one, one.tracking.len());
    order.own.tracks.insert(id, (now, wish.clone()));
    let one = order.shipments.get(at).ok_or_else(missing)?;
    let mut made = track_documents(order, one).pop().unwrap_or_default();
    made["description"] = wish["description"].clone();
    Ok(Response::json(200, &made))
}

/// `DELETE shipment/track/{id}`: true for whatever is not there.
pub(super) fn remove_track(call: &mut Call<'_, '_>) -> Answer {
    let (shipment, nth) = (call.id(0) / 100, usize::try_from(call.id(0) % 100).unwrap_or(0));
    if let Ok(id) = order_of(call, shipment) {
        let order = call.order_mut(id).ok_or_else(missing)?;
        let one = order.shipments.iter_mut().find(|one| one.id == shipment);
        let track = one.and_then(|one| one.tracking.get_mut(nth.saturating_sub(1)));
        track.into_iter().for_each(|track| track.number.clear());
    }
    Ok(Response::json(200, &json!(true)))
}

/// The id of a shipment's nth track, counted from one.
pub(super) fn track_id(shipment: &Shipment, nth: usize) -> u64 {
    shipment.id * 100 + nth as u64
}

/// The tracks that were not taken away.
fn track_documents(order: &Order, shipment: &Shipment) -> Vec<Value> {
    let numbered = (1..).zip(&shipment.tracking).filter(|(_, track)| !track.number.is_empty());
    let document = |(nth, track): (usize, &Tracking)| {
        let id = track_id(shipment, nth);
        let (at, more) = order.own.tracks.get(&id).cloned().unwrap_or((shipment.at, json!({})));
        json!({
            "order_id": order.id, "created_at": time(at), "entity_id": id, "parent_id": shipment.id,
            "updated_at": time(at), "weight": more["weight"], "qty": more["qty"],
            "description": more["description"].as_str().filter(|text| !text.is_empty()),
            "track_number": track.number, "title": track.carrier, "carrier_code": track.carrier_code,
        })
    };
    numbered.map(document).collect()
}

/// The parts of a bundle that went with a shipment by themselves.
pub(super) fn sent_parts(order: &Order, shipment: &Shipment, line: &Line) -> Rows {
    let rows = order.own.sent_parts.get(&shipment.id).into_iter().flatten();
    rows.filter(|(row, _)| (line.id..line.id + 10).contains(row)).copied().collect()
}

/// A shipment.
pub(super) fn document(order: &Order, shipment: &Shipment) -> Value {
    let (mut sent, mut count) = (Rows::new(), 0);
    for line in &order.lines {
        let mine: Rows = match Sort::of(line) {
            Sort::Apart => sent_parts(order, shipment, line),
            _ => shipment.items.iter().filter(|(id, _)| *id == line.id).copied().collect(),
        };
        count += mine.iter().map(|(_, pieces)| pieces).sum::<u64>();
        // With parts goes one of their bundle, whatever they are.
        sent.extend((Sort::of(line) == Sort::Apart && !mine.is_empty()).then_some((line.id, 1)));
        sent.extend(mine);
    }
    let item = |(nth, (row, pieces)): (u64, &(u64, u64))| {
        let line = order.lines.iter().find(|line| (line.id..line.id + 10).contains(row))?;
        let part = render::parts(line).into_iter().find(|part| part.id == *row);
        let (name, sku) = part.map_or_else(|| (line.name.clone(), line.sku.clone()), |part| (part.name, part.sku));
        Some(json!({
            "entity_id": shipment.id * 10 + nth, "name": name, "parent_id": shipment.id,
            "price": render::number(line.price), "product_id": line.product, "sku": sku, "weight": 0.5,
            "order_item_id": row, "qty": pieces,
        }))
    };
    let items: Vec<Value> = (1..).zip(&sent).filter_map(item).collect();
    let source = if shipment.method.is_empty() { "default" } else { &shipment.method };
    render::without_nulls(json!({
        "billing_address_id": render::address_id(order, false), "created_at": time(shipment.at),
        "customer_id": Some(order.customer).filter(|id| *id > 0), "entity_id": shipment.id,
        "increment_id": format!("{:09}", shipment.id), "order_id": order.id, "packages": [],
        "shipping_address_id": render::address_id(order, true), "store_id": 1,
        "total_qty": count, "updated_at": time(shipment.at),
        "items": items, "tracks": track_documents(order, shipment),
        "comments": order.own.remarks.get(&shipment.id).cloned().unwrap_or_default(),
        "extension_attributes": { "source_code": source },
    }))
}
