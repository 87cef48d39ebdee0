//! Dispatch through fulfilment orders.
//!
//! Shopify splits an order into fulfilment orders, one or more for each location, in the background
//! after the order is placed, and replaces them when goods are held, moved or split. So they are
//! read before every write and never kept. A parcel belongs to one location, so one dispatch can be
//! several writes with the same tracking number; each tells the buyer of its own lines.
//!
//! Nothing here is idempotent at Shopify: a part that is sent twice is shipped twice and mailed
//! twice. What is there already is known by our receipts, else by its tracking number; one without
//! a number by its lines and a time of making after the dispatch was recorded. What is known to be
//! another dispatch's is neither.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::Api;
use super::errors::{denies_routes, short};
use super::map::{is_made, time};
use super::operation::Operation;
use super::probe::{SHIP, missing};
use super::query::{self, Document};
use super::wire::{
    App, BY_SERVICE, Fulfillment, FulfillmentLine, INCOMPLETE, Nodes, OpenLine, PICKED_UP, Route, Tracking, objects,
};
use super::{gid, number, probe};
use crate::channel::all_pages::{self, all_pages};
use crate::channel::json::nullable;
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write, impossible, whole_pieces};
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::AGAIN;
use crate::order::{Line, LineQuantity, Parcel, Shipment, Status, carrier, same_carrier, same_number, trackings};

/// An order younger than this may not have its fulfilment orders yet.
const VERY_NEW: TimeDelta = TimeDelta::minutes(5);

/// Until Shopify has made them.
const SOON: Duration = Duration::from_secs(4);

/// Clocks that go alike are still this far apart; whole seconds at Shopify.
const CLOCKS: TimeDelta = TimeDelta::seconds(2);

objects! {
    /// What [`query::FULFILLMENT`] gives.
    Page { current_app_installation: Option<App>, order: Option<State> }

    /// What of an order can be shipped from where, and what has been.
    State [created_at: String, fulfillments: Vec<Fulfillment>, fulfillment_orders: Nodes<Route>] {}
}

objects! {
    /// What [`query::NUMBERS`] gives.
    Parcels { fulfillment: Option<Numbers> }

    /// Tracking numbers.
    Numbers { tracking_info: Vec<Tracking> }
}

/// One more page of a list: what it is of, and the list.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct More<T> {
    of: Option<Listed<T>>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Listed<T> {
    list: Nodes<T>,
}

/// How many of which line.
type Quantities = BTreeMap<String, i64>;

/// How this dispatch would be recorded, beside the order's fulfilments. Where the pieces are, and
/// so how many writes it takes, is known at the time of writing only: until then it is one part.
pub(crate) fn plan<'a>(api: &'a Api, now: &'a RemoteOrder, shipment: &'a Shipment) -> Result<DispatchPlan<'a>> {
    let state = read(api, &now.remote_id)?;
    shipment.lines.iter().try_for_each(|line| whole_pieces(line, "Shopify").map(drop))?;
    let numbers = matching::numbers(&shipment.parcels);
    let part = Part { lines: shipment.lines.clone(), numbers, ..Part::default() };
    let shown = state.fulfillments.iter().filter(|one| is_made(one)).map(record).collect();
    // By Shopify's clock where ours is known to be ahead.
    let behind = CLOCKS - api.clock_difference().unwrap_or_default().min(TimeDelta::zero());
    let plan = DispatchPlan::new(vec![part], shown, move |_, found| step(api, now, shipment, &state, found));
    Ok(DispatchPlan { behind, ..plan })
}

fn step(api: &Api, now: &RemoteOrder, shipment: &Shipment, state: &State, found: &Matched) -> Result<Step> {
    let pieces = found.pieces();
    let count = |line: &LineQuantity| {
        let count = whole_pieces(line, "Shopify")?;
        Ok((line.line_id.clone(), i64::try_from(count).unwrap_or(i64::MAX)))
    };
    let mut wanted = pieces.iter().map(count).collect::<Result<Quantities>>()?;
    let fulfillment_orders = &state.fulfillment_orders.nodes;
    // Of downloads nothing is to be fulfilled, now or later.
    let is_done = || now.order.as_ref().is_ok_and(|order| order.status == Status::Shipped);
    if wanted.is_empty() || (fulfillment_orders.is_empty() && is_done()) {
        return Ok(Step::Nothing);
    }
    let age = time(&state.created_at, "").map_or(TimeDelta::MAX, |at| api.our_now() - at);
    if age < VERY_NEW && !is_routed(fulfillment_orders, &wanted) {
        return Ok(Step::Wait(SOON));
    }
    let taken = divide(fulfillment_orders, &mut wanted);
    if !wanted.is_empty() {
        return Err(not_taken(&why_not(fulfillment_orders, &wanted), &Names::of(now), &wanted, &taken));
    }
    let calls = taken.chunk_by(|a, b| a.group == b.group).flat_map(|group| group.chunks(MOST_LINES));
    Ok(Step::of(calls.map(|part| write(shipment, part)).collect::<Result<_>>()?))
}

/// What `--item` takes for a line, by its id.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(order: &RemoteOrder) -> Self {
        let lines = order.order.as_ref().map(|order| order.lines.as_slice()).unwrap_or_default();
        let name = |(nth, line): (usize, &Line)| {
            let name = if line.sku.is_empty() { format!("#{}", nth + 1) } else { line.sku.clone() };
            (line.remote_id.clone(), name)
        };
        Self(lines.iter().enumerate().map(name).collect())
    }

    /// `2 TEE-001, 1 MUG-9`, or as flags.
    fn list(&self, quantities: &Quantities, show: impl Fn(&str, i64) -> String, between: &str) -> String {
        let shown = |(line, count): (&String, &i64)| show(self.0.get(line).unwrap_or(line), *count);
        quantities.iter().map(shown).collect::<Vec<_>>().join(between)
    }
}

/// A refusal before anything is recorded (D-2), with what can go.
fn not_taken(why: &str, names: &Names, wanted: &Quantities, taken: &[Taken<'_>]) -> Error {
    let lines = names.list(wanted, |name, count| format!("{count} × {name}"), ", ");
    let error = impossible(format!("Shopify would not take {lines}: {why}"));
    if taken.is_empty() {
        return error.hint("when that is settled at Shopify, dispatch it again");
    }
    let mut can = Quantities::new();
    for one in taken {
        *can.entry(number(&one.open.line_item.id).to_owned()).or_default() += one.count;
    }
    let items = names.list(&can, |name, count| format!("--item {name}={count}"), " ");
    error.hint(format!("ordersync dispatch ORDER ... {items} sends what can go"))
}

/// Whether there is a fulfilment order, in whatever state, for each of these lines: Shopify makes
/// them one after the other.
fn is_routed(all: &[Route], wanted: &Quantities) -> bool {
    let routed: BTreeSet<&str> = all.iter().flat_map(Route::lines).map(|open| number(&open.line_item.id)).collect();
    wanted.keys().all(|line| routed.contains(line.as_str()))
}

/// What comes of a list that cannot be read.
const UNWRITTEN: &str = "nothing was written";

/// As many members as Shopify gives of a list that has no pages.
const MOST_FULFILLMENTS: usize = 250;

/// How many numbers come with a fulfilment, and how many Shopify gives at most: they have no pages.
const NUMBERS: usize = 10;
const MOST_NUMBERS: usize = 250;

/// How many fulfilment orders are asked for at once, lines of each, fulfilments, of which there are
/// no pages, and lines of each.
///
/// The largest first. Shopify may price it above what one query may cost (1000 points), so there
/// are smaller ones; the last one is for an order that was sent in very many parts. What a page
/// lacks is read for each list by itself, so none of them leaves anything out.
const SIZES: [(usize, usize, usize, usize); 4] =
    [(20, 50, 50, 50), (5, 20, 50, 20), (1, 20, 50, 10), (1, 20, MOST_FULFILLMENTS, 2)];

/// Reads everything that there is to know before a write. Where there may be more fulfilments than
/// were asked for, it is asked for more: one that is not seen would be made again.
fn read(api: &Api, remote_id: &str) -> Result<State> {
    let id = gid("Order", remote_id)?;
    let mut too_few = 0;
    for (orders, lines, fulfillments, shipped) in SIZES {
        if fulfillments <= too_few {
            continue;
        }
        let variables = json!({
            "id": id, "orders": orders, "lines": lines, "fulfillments": fulfillments, "shipped": shipped,
        });
        let lacks_scope = || missing(SHIP, "nothing can be dispatched; nothing was written");
        let page: Page = match api.ask(&query::FULFILLMENT, variables) {
            Err(error) if error.kind() == ErrorKind::Failed && error.is_too_much() => continue,
            Err(error) if denies_routes(&error) => return Err(lacks_scope()),
            answer => answer?.read()?,
        };
        // With a scope for those of others Shopify shows fewer fulfilment orders, or none, and no
        // error.
        if !page.current_app_installation.is_some_and(|app| app.can_ship()) {
            return Err(lacks_scope());
        }
        let state = page.order.ok_or_else(|| probe::gone(api, remote_id))?;
        if state.fulfillments.len() < fulfillments {
            return whole(api, &id, state);
        }
        too_few = fulfillments;
    }
    let why = if too_few == MOST_FULFILLMENTS {
        format!("the order has {MOST_FULFILLMENTS} fulfilments or more, and Shopify lists no others")
    } else {
        "the order is too large to be read in one piece for less than Shopify's limit".to_owned()
    };
    Err(impossible(why).hint("ship it in the order's page at Shopify"))
}

/// With what its lists lack: lines that are not seen would be shipped again.
fn whole(api: &Api, id: &str, mut state: State) -> Result<State> {
    let key = |one: &Route| one.id.clone();
    rest(api, &mut state.fulfillment_orders, &query::FULFILLMENT_ORDERS, id, "fulfilment orders", key)?;
    for one in &mut state.fulfillment_orders.nodes {
        let lines = one.line_items.get_or_insert_default();
        let key = |line: &OpenLine| line.id.clone();
        rest(api, lines, &query::FULFILLMENT_LINES, &one.id, "a fulfilment order's lines", key)?;
    }
    for one in &mut state.fulfillments {
        if one.tracking_info.len() >= NUMBERS {
            one.tracking_info = all_numbers(api, &one.id)?;
        }
        // They say nothing that tells them apart, and pieces of one line may stand in several.
        let nth = Cell::new(0_usize);
        let key = |_: &FulfillmentLine| nth.replace(nth.get() + 1);
        rest(api, &mut one.fulfillment_line_items, &query::FULFILLED_LINES, &one.id, "a fulfilment's lines", key)?;
    }
    Ok(state)
}

/// All numbers of a fulfilment of which [`NUMBERS`] are known: they are replaced together, so one that
/// is not seen would be taken away.
fn all_numbers(api: &Api, id: &str) -> Result<Vec<Tracking>> {
    let Parcels { fulfillment } = api.ask(&query::NUMBERS, json!({ "id": id }))?.read()?;
    let Some(Numbers { tracking_info }) = fulfillment else {
        let text = format!("a fulfilment went away while its tracking numbers were read; {UNWRITTEN}");
        return Err(Error::new(ErrorKind::Temporary, text).hint(AGAIN));
    };
    if tracking_info.len() < MOST_NUMBERS {
        return Ok(tracking_info);
    }
    let why = format!("a fulfilment has {MOST_NUMBERS} tracking numbers or more, and Shopify lists no others");
    Err(impossible(why).hint("change it in the order's page at Shopify"))
}

/// Reads a list to its end of which a page is there.
fn rest<T: DeserializeOwned, K: Ord>(
    api: &Api,
    list: &mut Nodes<T>,
    document: &'static Document,
    id: &str,
    what: &str,
    key: impl Fn(&T) -> K,
) -> Result<()> {
    let Some(after) = list.further(None, what, UNWRITTEN)? else { return Ok(()) };
    list.nodes = all_pages(what, std::mem::take(&mut list.nodes), after, key, |after| {
        let more: More<T> = api.ask(document, json!({ "id": id, "after": after }))?.read()?;
        let Some(Listed { list: more }) = more.of else {
            // Replaced by another one: a hold, a move, a split.
            let text = format!("what has {what} went away while they were read; {UNWRITTEN}");
            return Err(Error::new(ErrorKind::Temporary, text).hint(AGAIN));
        };
        let next = more.further(Some(after), what, UNWRITTEN)?;
        Ok((more.nodes, next.map_or(all_pages::More::No, all_pages::More::Yes)))
    })?;
    Ok(())
}

/// A fulfilment as the matching takes it.
fn record(fulfillment: &Fulfillment) -> Record {
    let quantity = |line: &FulfillmentLine| LineQuantity {
        line_id: number(&line.line_item.id).to_owned(),
        quantity: line.quantity.into(),
    };
    let numbers = fulfillment.tracking_info.iter().map(|tracking| tracking.number.trim().to_owned());
    Record {
        id: number(&fulfillment.id).to_owned(),
        lines: fulfillment.fulfillment_line_items.nodes.iter().map(quantity).collect(),
        tracking: numbers.filter(|number| !number.is_empty()).collect(),
        made_at: fulfillment.created_at.as_deref().and_then(|at| time(at, "").ok()),
        ..Record::default()
    }
}

/// One call takes at most so many lines (schema, `FulfillmentOrderLineItemsInput`).
const MOST_LINES: usize = 512;

/// Pieces of a line that one fulfilment order can ship.
struct Taken<'a> {
    /// One call is for one location and one method of delivery, and for gift cards or for other
    /// goods: Shopify refuses a fulfilment of both.
    group: (&'a str, &'a str, bool),
    order: &'a str,
    open: &'a OpenLine,
    count: i64,
}

/// Takes what is wanted from the fulfilment orders that can be shipped, location by location; what
/// they do not have stays wanted.
fn divide<'a>(all: &'a [Route], wanted: &mut Quantities) -> Vec<Taken<'a>> {
    let mut taken = Vec::new();
    for one in all.iter().filter(|one| one.can_ship()) {
        for open in one.lines() {
            let Some(want) = wanted.get_mut(number(&open.line_item.id)) else { continue };
            let count = open.remaining_quantity.min(*want);
            if count > 0 {
                *want -= count;
                let (place, method) = one.group();
                taken.push(Taken { group: (place, method, open.line_item.is_gift_card), order: &one.id, open, count });
            }
        }
    }
    wanted.retain(|_, count| *count > 0);
    taken.sort_by_key(|one| (one.group, one.order));
    taken
}

/// Why some of it cannot be shipped, in the merchant's words.
fn why_not(all: &[Route], wanted: &Quantities) -> String {
    let with = |status: &str| all.iter().find(|one| one.status == status && wanted.keys().any(|line| one.holds(line)));
    if let Some(held) = with("ON_HOLD") {
        let reasons: Vec<&str> = held.fulfillment_holds.iter().map(|hold| hold.display_reason.as_str()).collect();
        let why = if reasons.is_empty() { String::new() } else { format!(" ({})", short(&reasons.join(", "))) };
        return format!("it is on hold there{why}; release the hold in the order's page");
    }
    if let Some(scheduled) = with("SCHEDULED") {
        let when = scheduled.fulfill_at.as_deref().map(|at| format!(" for {}", short(at))).unwrap_or_default();
        return format!("it is scheduled{when}, and can be shipped from then on");
    }
    if with(INCOMPLETE).is_some() {
        return "the fulfilment service could not complete it and has given it back; move it to a location of your own in the order's page"
            .to_owned();
    }
    let has_some = |one: &&Route| wanted.keys().any(|line| one.holds(line));
    let open = all.iter().filter(|one| matches!(&*one.status, "OPEN" | "IN_PROGRESS") && !one.can_ship());
    match open.filter(has_some).map(Route::by_others).next() {
        Some(Some(PICKED_UP)) => "it is picked up by the buyer; mark it as ready in the order's page".to_owned(),
        Some(Some(way)) if way != BY_SERVICE => format!("it is {way}; mark it as done in the order's page"),
        Some(_) => "a fulfilment service is to ship it, and nobody else may".to_owned(),
        None => "it is not left to ship there: shipped by other means, removed or cancelled".to_owned(),
    }
}

fn write(shipment: &Shipment, part: &[Taken<'_>]) -> Result<Write> {
    let line = |one: &Taken<'_>| json!({ "id": one.open.id, "quantity": one.count });
    let of_order = |lines: &[Taken<'_>]| {
        json!({
            "fulfillmentOrderId": lines.first().map(|one| one.order),
            "fulfillmentOrderLineItems": lines.iter().map(line).collect::<Vec<_>>(),
        })
    };
    let orders: Vec<Value> = part.chunk_by(|a, b| a.order == b.order).map(of_order).collect();
    let mut fulfillment = json!({ "lineItemsByFulfillmentOrder": orders, "notifyCustomer": shipment.notify });
    if let Some(tracking) = tracking(&shipment.parcels) {
        fulfillment["trackingInfo"] = tracking;
    }
    let pieces = match part.iter().map(|one| one.count).sum::<i64>() {
        1 => "1 piece".to_owned(),
        pieces => format!("{pieces} pieces"),
    };
    let summary = format!("add a fulfilment of {pieces} with {}", trackings(&shipment.parcels));
    Write::new(summary, Operation::Fulfill(json!({ "fulfillment": fulfillment })))
}

/// The tracking of one fulfilment. Which lines are in which of several parcels is not known, so the
/// numbers stand together; they share one company there, which is named only where it is the same
/// for all. Else Shopify can make no links, so the carriers' own are given.
fn tracking(parcels: &[Parcel]) -> Option<Value> {
    let first = parcels.first()?;
    let company =
        company(first).filter(|name| parcels.iter().all(|parcel| self::company(parcel).as_ref() == Some(name)));
    let mut linked: Vec<(&Parcel, Option<String>)> =
        parcels.iter().map(|parcel| (parcel, link(parcel, company.is_some()))).collect();
    if linked.iter().any(|(_, link)| link.is_some()) {
        linked.iter_mut().filter(|(_, link)| link.is_none()).for_each(|(parcel, url)| *url = link(parcel, false));
    }
    // Links are matched to numbers by their places: numbers without one stand behind the others.
    linked.sort_by_key(|(_, link)| link.is_none());
    let mut tracking = match parcels {
        [one] => json!({ "number": one.tracking }),
        _ => json!({ "numbers": linked.iter().map(|(parcel, _)| &parcel.tracking).collect::<Vec<_>>() }),
    };
    if let Some(company) = company {
        tracking["company"] = json!(company);
    }
    let links: Vec<String> = linked.into_iter().filter_map(|(_, link)| link).collect();
    match links.as_slice() {
        [] => {}
        [link] if parcels.len() == 1 => tracking["url"] = json!(link),
        links => tracking["urls"] = json!(links),
    }
    Some(tracking)
}

/// The name on Shopify's list, which gives a link of its own; else the carrier's own name.
fn company(parcel: &Parcel) -> Option<String> {
    let name = match carrier(&parcel.carrier) {
        Some(carrier) if !carrier.shopify.is_empty() => carrier.shopify,
        Some(carrier) => carrier.title,
        None => parcel.carrier.trim(),
    };
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

/// A link of the merchant's own; the carrier's where Shopify makes none: for a company that is not
/// `named` or not on its list.
fn link(parcel: &Parcel, named: bool) -> Option<String> {
    let known = carrier(&parcel.carrier).filter(|carrier| !named || carrier.shopify.is_empty());
    parcel.url.clone().or_else(|| known.and_then(|carrier| carrier.url(&parcel.tracking)))
}

/// How this tracking number would be replaced, in every fulfilment that has it.
pub(crate) fn replacement<'a>(api: &Api, order: &str, change: &'a TrackingChange) -> Result<TrackingPlan<'a>> {
    let made = read(api, order)?.fulfillments.into_iter().filter(is_made);
    let there = made.map(|one| (record(&one), one)).collect();
    let new = company(&change.parcel).unwrap_or_default();
    let is_carried = |one: &Fulfillment| {
        let mut of_number = one.tracking_info.iter().filter(|tracking| same_number(&tracking.number, &change.was));
        of_number.all(|tracking| same_carrier(&tracking.company, &new))
    };
    Ok(TrackingPlan::in_place(there, is_carried, move |fulfillment: &Fulfillment| replace(fulfillment, change)))
}

fn replace(fulfillment: &Fulfillment, change: &TrackingChange) -> Result<Write> {
    let parcel = |tracking: &Tracking| {
        let Tracking { company, number, url } = tracking;
        if same_number(number, &change.was) {
            return change.parcel.clone();
        }
        let url = Some(url.clone()).filter(|url| !url.is_empty());
        Parcel { carrier: company.clone(), tracking: number.clone(), url }
    };
    let parcels: Vec<Parcel> = fulfillment.tracking_info.iter().map(parcel).collect();
    let variables = json!({ "id": fulfillment.id, "tracking": tracking(&parcels), "notify": change.notify });
    Write::new(change.summary(), Operation::Retrack(variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(carrier: &str, tracking: &str) -> Parcel {
        Parcel { carrier: carrier.to_owned(), tracking: tracking.to_owned(), url: None }
    }

    fn order(id: &str, status: &str, location: &str, lines: &[(&str, i64)]) -> Route {
        let action = if matches!(status, "OPEN" | "IN_PROGRESS") { "CREATE_FULFILLMENT" } else { "RELEASE_HOLD" };
        let lines: Vec<Value> = lines
            .iter()
            .map(|(line, left)| {
                json!({ "id": format!("{id}-{line}"), "remainingQuantity": left,
                    "lineItem": { "id": format!("gid://shopify/LineItem/{line}") } })
            })
            .collect();
        serde_json::from_value(json!({
            "id": id, "status": status, "requestStatus": "UNSUBMITTED", "fulfillAt": "2026-12-24T00:00:00Z", "supportedActions": [{ "action": action }],
            "assignedLocation": { "name": location, "location": null }, "deliveryMethod": null,
            "fulfillmentHolds": [{ "displayReason": "Awaiting payment" }], "lineItems": { "nodes": lines },
        }))
        .unwrap()
    }

    fn wanted(lines: &[(&str, i64)]) -> Quantities {
        lines.iter().map(|(line, count)| ((*line).to_owned(), *count)).collect()
    }

    #[test]
    fn d5_a_dispatch_is_divided_by_location_and_closed_fulfilment_orders_are_left_alone() {
        let all = [
            order("F1", "OPEN", "Berlin", &[("1", 2), ("2", 1)]),
            order("F2", "IN_PROGRESS", "Wien", &[("1", 3)]),
            order("F3", "CLOSED", "Berlin", &[("1", 9)]),
        ];
        let mut want = wanted(&[("1", 4), ("2", 1)]);
        let taken = divide(&all, &mut want);
        assert!(want.is_empty());
        let taken: Vec<_> = taken.iter().map(|one| (one.group.0, one.order, &*one.open.id, one.count)).collect();
        assert_eq!(taken, [("Berlin", "F1", "F1-1", 2), ("Berlin", "F1", "F1-2", 1), ("Wien", "F2", "F2-1", 2)]);
    }

    /// Each call takes fulfilment orders whole or by lines, so one can be in two calls.
    #[test]
    fn d5_gift_cards_go_into_a_fulfilment_of_their_own() {
        let mut all =
            [order("F1", "OPEN", "Berlin", &[("1", 2), ("2", 1)]), order("F2", "OPEN", "Berlin", &[("3", 1)])];
        all[0].line_items.as_mut().unwrap().nodes[1].line_item.is_gift_card = true;
        let taken = divide(&all, &mut wanted(&[("1", 2), ("2", 1), ("3", 1)]));
        let calls: Vec<Vec<_>> = taken
            .chunk_by(|a, b| a.group == b.group)
            .map(|call| call.iter().map(|one| &*one.open.id).collect())
            .collect();
        assert_eq!(calls, [vec!["F1-1", "F2-3"], vec!["F1-2"]]);
    }

    #[test]
    fn a_line_without_any_fulfilment_order_is_not_shipped_by_other_means() {
        let all = [order("F1", "CLOSED", "Berlin", &[("1", 0)]), order("F2", "OPEN", "Wien", &[("2", 1)])];
        assert!(is_routed(&all, &wanted(&[("1", 1), ("2", 1)])));
        assert!(!is_routed(&all, &wanted(&[("1", 1), ("3", 1)])));
        assert!(!is_routed(&[], &wanted(&[("1", 1)])));
    }

    #[test]
    fn d3_a_fulfilment_is_known_by_the_id_that_its_order_shows() {
        let one = json!({ "id": "gid://shopify/Fulfillment/7", "status": "SUCCESS" });
        let one: Fulfillment = serde_json::from_value(one).unwrap();
        assert_eq!((record(&one).id, super::super::map::shipment(&one).remote_id), ("7".to_owned(), "7".to_owned()));
    }

    #[test]
    fn why_something_cannot_be_shipped_is_said() {
        let held = [order("F1", "ON_HOLD", "Berlin", &[("1", 2)])];
        assert!(why_not(&held, &wanted(&[("1", 2)])).contains("Awaiting payment"));
        let later = [order("F1", "SCHEDULED", "Berlin", &[("1", 2)])];
        assert!(why_not(&later, &wanted(&[("1", 2)])).contains("2026-12-24"));
        let closed = [order("F1", "CLOSED", "Berlin", &[("1", 2)])];
        assert!(why_not(&closed, &wanted(&[("1", 2)])).contains("other means"));
        let service = |line| {
            let mut one = order("F1", "OPEN", "Lager", &[(line, 2)]);
            one.supported_actions.clear();
            [one]
        };
        assert!(why_not(&service("1"), &wanted(&[("1", 2)])).contains("fulfilment service"));
        assert!(why_not(&service("2"), &wanted(&[("1", 2)])).contains("other means"));
    }

    #[test]
    fn d6_carriers_have_shopifys_spelling_or_a_link_and_never_both_forms_of_a_number() {
        let known = tracking(&[parcel("dhl-express", "JD01")]).unwrap();
        assert_eq!(known, json!({ "number": "JD01", "company": "DHL Express" }));
        let any = tracking(&[parcel("dhl", "00340434161094000119")]).unwrap();
        assert_eq!(any["company"], "DHL", "which company of the group it is, is not known");
        assert!(any["url"].as_str().unwrap().contains("00340434161094000119"));
        let linked = tracking(&[parcel("poczta-polska", "PP1")]).unwrap();
        assert_eq!(linked["company"], "Poczta Polska");
        assert!(linked["url"].as_str().unwrap().contains("PP1"));
        let several = tracking(&[parcel("ups", "1Z1"), parcel("ups", "1Z2")]).unwrap();
        assert_eq!(several, json!({ "numbers": ["1Z1", "1Z2"], "company": "UPS" }));
        let mixed = tracking(&[parcel("ups", "1Z1"), parcel("", "X2")]).unwrap();
        assert_eq!((&mixed["numbers"], &mixed["company"]), (&json!(["1Z1", "X2"]), &Value::Null));
        assert!(mixed["urls"][0].as_str().unwrap().contains("1Z1") && mixed["urls"].as_array().unwrap().len() == 1);
        let own = Parcel { url: Some("https://x.example/X2".to_owned()), ..parcel("", "X2") };
        let some = tracking(&[parcel("", "X1"), own.clone(), parcel("", "X3")]).unwrap();
        assert_eq!(some, json!({ "numbers": ["X2", "X1", "X3"], "urls": ["https://x.example/X2"] }));
        let known = tracking(&[parcel("ups", "1Z1"), Parcel { carrier: "ups".to_owned(), ..own }]).unwrap();
        assert_eq!((&known["company"], &known["urls"][1]), (&json!("UPS"), &json!("https://x.example/X2")));
        assert!(known["urls"][0].as_str().unwrap().contains("1Z1"), "a link of one number is none of the other");
        let two = tracking(&[parcel("ups", "1Z1"), parcel("dhl", "JD2")]).unwrap();
        assert_eq!(two["company"], Value::Null);
        assert!(two["urls"][0].as_str().unwrap().contains("1Z1") && two["urls"][1].as_str().unwrap().contains("JD2"));
        assert_eq!(tracking(&[]), None);
    }
}
