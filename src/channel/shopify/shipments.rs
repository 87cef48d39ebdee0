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

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Operation};
use super::errors::short;
use super::map::{is_made, time};
use super::probe::missing;
use super::wire::{
    Action, App, BY_SERVICE, Fulfillment, FulfillmentLine, Method, Nodes, OpenLine, PICKED_UP, Reference, Tracking,
    UserError, by_others,
};
use super::{gid, number, probe, query};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write, impossible};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Line, LineQuantity, Parcel, Shipment, carrier, same_number};

/// An order younger than this may not have its fulfilment orders yet.
const VERY_NEW: TimeDelta = TimeDelta::minutes(5);

/// Until Shopify has made them.
const SOON: Duration = Duration::from_secs(4);

/// Clocks that go alike are still this far apart.
const CLOCKS: TimeDelta = TimeDelta::seconds(2);

/// What comes of a list that cannot be read.
const UNWRITTEN: &str = "nothing was written";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    current_app_installation: Option<App>,
    order: Option<State>,
}

/// What of an order can be shipped from where, and what has been.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    created_at: String,
    fulfillments: Vec<Fulfillment>,
    fulfillment_orders: Nodes<FulfillmentOrder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FulfillmentOrder {
    id: String,
    status: String,
    #[serde(default)]
    request_status: String,
    fulfill_at: Option<String>,
    supported_actions: Vec<Action>,
    assigned_location: Location,
    delivery_method: Option<Method>,
    #[serde(default)]
    fulfillment_holds: Vec<Hold>,
    line_items: Nodes<OpenLine>,
}

#[derive(Deserialize)]
struct Location {
    name: String,
    location: Option<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hold {
    display_reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoreLines {
    fulfillment_order: Option<LinesOnly>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinesOnly {
    line_items: Nodes<OpenLine>,
}

#[derive(Deserialize)]
struct MoreShipped {
    fulfillment: Option<Shipped>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipped {
    fulfillment_line_items: Nodes<FulfillmentLine>,
}

impl FulfillmentOrder {
    /// Closed ones keep a remaining quantity after a cancelled fulfilment, so the quantity alone
    /// says nothing.
    fn can_ship(&self) -> bool {
        matches!(&*self.status, "OPEN" | "IN_PROGRESS")
            && self.supported_actions.iter().any(|action| action.action == "CREATE_FULFILLMENT")
            && self.by_others().is_none()
    }

    /// Who brings its goods to the buyer, where it is not a parcel of the merchant's.
    fn by_others(&self) -> Option<&'static str> {
        by_others(self.delivery_method.as_ref(), &self.request_status, &self.supported_actions)
    }

    /// One call is for one location and one method of delivery.
    fn group(&self) -> (String, String) {
        let location = &self.assigned_location;
        let id = location.location.as_ref().map_or_else(|| location.name.clone(), |at| at.id.clone());
        (id, self.delivery_method.as_ref().map(|method| method.method_type.clone()).unwrap_or_default())
    }

    fn holds(&self, line: &str) -> bool {
        self.line_items.nodes.iter().any(|open| number(&open.line_item.id) == line && open.remaining_quantity > 0)
    }
}

/// How many of which line.
type Quantities = BTreeMap<String, i64>;

/// A dispatch in fulfilments.
struct Plan<'a> {
    api: &'a Api,
    now: &'a RemoteOrder,
    shipment: &'a Shipment,
    state: State,
    /// Where the pieces are, and so how many writes it takes, is known at the time of writing only:
    /// until then it is one part.
    part: [Part; 1],
    shown: Vec<Record>,
}

/// How this dispatch would be recorded, beside the order's fulfilments.
pub fn plan<'a>(api: &'a Api, now: &'a RemoteOrder, shipment: &'a Shipment) -> Result<Box<dyn DispatchPlan + 'a>> {
    let state = read(api, &now.remote_id)?;
    shipment.lines.iter().try_for_each(|line| whole(line.quantity).map(drop))?;
    let numbers = matching::numbers(&shipment.parcels);
    let part = [Part { lines: shipment.lines.clone(), numbers, ..Part::default() }];
    let shown = state.fulfillments.iter().filter(|one| is_made(one)).map(record).collect();
    Ok(Box::new(Plan { api, now, shipment, state, part, shown }))
}

impl DispatchPlan for Plan<'_> {
    fn parts(&self) -> &[Part] {
        &self.part
    }

    fn shown(&self) -> &[Record] {
        &self.shown
    }

    /// By Shopify's clock where ours is known to be ahead; whole seconds there.
    fn since(&self, recorded_at: Timestamp) -> Timestamp {
        let behind = self.api.clock_difference().unwrap_or_default().min(TimeDelta::zero());
        recorded_at + behind - CLOCKS
    }

    fn step(&self, found: &Matched) -> Result<Step> {
        let mut wanted = Quantities::new();
        for line in found.left.iter().flatten().flatten() {
            let count = wanted.entry(line.line_id.clone()).or_default();
            *count = whole(line.quantity)?.saturating_add(*count);
        }
        if wanted.is_empty() {
            return Ok(Step::Nothing);
        }
        let fulfillment_orders = &self.state.fulfillment_orders.nodes;
        let created_at = time(&self.state.created_at, "");
        let age = created_at.map(|at| self.api.our_now() - at).unwrap_or(TimeDelta::MAX);
        if age < VERY_NEW && !is_routed(fulfillment_orders, &wanted) {
            return Ok(Step::Wait(SOON));
        }
        let parts = divide(fulfillment_orders, &mut wanted);
        if !wanted.is_empty() {
            let names = Names::of(self.now);
            let can = sent(fulfillment_orders, &parts);
            return Err(not_taken(&why_not(fulfillment_orders, &wanted), &names, &wanted, &can));
        }
        let writes = parts.values().flat_map(calls).map(|part| write(self.shipment, &part));
        Ok(Step::of(writes.collect::<Result<_>>()?))
    }
}

/// How many of which line are in these parts.
fn sent(all: &[FulfillmentOrder], parts: &BTreeMap<(String, String), Pieces<'_>>) -> Quantities {
    let mut sent = Quantities::new();
    for (id, count) in parts.values().flat_map(|part| part.values().flatten()) {
        let line = all.iter().flat_map(|one| &one.line_items.nodes).find(|open| open.id == *id);
        if let Some(line) = line {
            *sent.entry(number(&line.line_item.id).to_owned()).or_default() += count;
        }
    }
    sent
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
fn not_taken(why: &str, names: &Names, wanted: &Quantities, can: &Quantities) -> Error {
    let lines = names.list(wanted, |name, count| format!("{count} × {name}"), ", ");
    let error = impossible(format!("Shopify would not take {lines}: {why}"));
    if can.is_empty() {
        return error.hint("when that is settled at Shopify, dispatch it again");
    }
    let items = names.list(can, |name, count| format!("--item {name}={count}"), " ");
    error.hint(format!("ordersync dispatch ORDER ... {items} sends what can go"))
}

/// Whether there is a fulfilment order, in whatever state, for each of these lines: Shopify makes
/// them one after the other.
fn is_routed(all: &[FulfillmentOrder], wanted: &Quantities) -> bool {
    let routed: BTreeSet<&str> =
        all.iter().flat_map(|one| &one.line_items.nodes).map(|open| number(&open.line_item.id)).collect();
    wanted.keys().all(|line| routed.contains(line.as_str()))
}

/// Shopify ships whole pieces.
fn whole(quantity: Decimal) -> Result<i64> {
    let why = || impossible(format!("Shopify ships whole pieces, not {quantity}"));
    let count = (quantity.fract() == Decimal::ZERO).then(|| quantity.to_i64()).flatten();
    count.ok_or_else(why)
}

/// Reads everything that there is to know before a write.
fn read(api: &Api, remote_id: &str) -> Result<State> {
    let mut too_few = 0;
    for sizes in SIZES {
        if sizes.fulfillments <= too_few {
            continue;
        }
        match read_in(api, remote_id, sizes) {
            Ok(Some(state)) => return Ok(state),
            Ok(None) => too_few = sizes.fulfillments,
            Err(error) if error.kind() == ErrorKind::Failed && error.is_too_much() => {}
            Err(error) => return Err(error),
        }
    }
    let why = if too_few == MOST_FULFILLMENTS {
        format!("the order has {MOST_FULFILLMENTS} fulfilments or more, and Shopify lists no others")
    } else {
        "the order is too large to be read in one piece for less than Shopify's limit".to_owned()
    };
    Err(impossible(why).hint("ship it in the order's page at Shopify"))
}

/// How much is asked for at once.
#[derive(Clone, Copy)]
struct Sizes {
    /// Fulfilment orders in a page.
    orders: u32,
    /// Lines of each.
    lines: u32,
    /// Fulfilments, of which there are no pages.
    fulfillments: u32,
    /// Lines of each.
    shipped: u32,
}

/// As many members as Shopify gives of a list that has no pages.
const MOST_FULFILLMENTS: u32 = 250;

/// The largest first. Shopify may price it above what one query may cost (1000 points), so there
/// are smaller ones; the last one is for an order that was sent in very many parts. What a page
/// lacks of lines is read for each by itself, so none of them leaves anything out.
const SIZES: [Sizes; 4] = [
    Sizes { orders: 20, lines: 50, fulfillments: 50, shipped: 50 },
    Sizes { orders: 5, lines: 20, fulfillments: 50, shipped: 20 },
    Sizes { orders: 1, lines: 20, fulfillments: 50, shipped: 10 },
    Sizes { orders: 1, lines: 20, fulfillments: MOST_FULFILLMENTS, shipped: 2 },
];

/// Nothing where there may be more fulfilments than were asked for: one that is not seen would be
/// made again.
fn read_in(api: &Api, remote_id: &str, sizes: Sizes) -> Result<Option<State>> {
    let id = gid("Order", remote_id)?;
    let mut state: Option<State> = None;
    let mut after: Option<String> = None;
    loop {
        let Sizes { orders, lines, fulfillments, shipped } = sizes;
        let variables = json!({
            "id": id, "after": after, "orders": orders, "lines": lines, "fulfillments": fulfillments, "shipped": shipped,
        });
        let page: Page = api.ask(&query::FULFILLMENT, variables)?.read()?;
        // Without the scope Shopify shows fewer fulfilment orders, or none, and no error.
        if !page.current_app_installation.unwrap_or_default().scopes().can_ship() {
            let scope = "write_merchant_managed_fulfillment_orders";
            return Err(missing(scope, "nothing can be dispatched; nothing was written"));
        }
        let Some(mut more) = page.order else {
            return Err(probe::gone(api, remote_id));
        };
        if more.fulfillments.len() >= fulfillments as usize {
            return Ok(None);
        }
        for fulfillment_order in &mut more.fulfillment_orders.nodes {
            read_lines(api, fulfillment_order)?;
        }
        let next = more.fulfillment_orders.further(after.as_deref(), "fulfilment orders", UNWRITTEN)?;
        let whole = match state.take() {
            Some(mut whole) => {
                whole.fulfillment_orders.nodes.append(&mut more.fulfillment_orders.nodes);
                whole
            }
            None => {
                for fulfillment in &mut more.fulfillments {
                    read_shipped(api, fulfillment)?;
                }
                more
            }
        };
        if next.is_none() {
            return Ok(Some(whole));
        }
        (state, after) = (Some(whole), next);
    }
}

/// The rest of what is in a fulfilment: lines that are not seen would be shipped again.
fn read_shipped(api: &Api, fulfillment: &mut Fulfillment) -> Result<()> {
    let what = "a fulfilment's lines";
    let mut next = fulfillment.fulfillment_line_items.further(None, what, UNWRITTEN)?;
    while let Some(after) = next {
        let variables = json!({ "id": fulfillment.id, "after": after });
        let more: MoreShipped = api.ask(&query::FULFILLED_LINES, variables)?.read()?;
        let Some(Shipped { fulfillment_line_items: mut more }) = more.fulfillment else {
            let text = "a fulfilment went away while its lines were read; nothing was written";
            return Err(Error::new(ErrorKind::Temporary, text).hint("the next sync tries again by itself"));
        };
        next = more.further(Some(&after), what, UNWRITTEN)?;
        fulfillment.fulfillment_line_items.nodes.append(&mut more.nodes);
    }
    Ok(())
}

fn read_lines(api: &Api, fulfillment_order: &mut FulfillmentOrder) -> Result<()> {
    let what = "a fulfilment order's lines";
    let mut next = fulfillment_order.line_items.further(None, what, UNWRITTEN)?;
    while let Some(after) = next {
        let variables = json!({ "id": fulfillment_order.id, "after": after });
        let more: MoreLines = api.ask(&query::FULFILLMENT_LINES, variables)?.read()?;
        let Some(mut more) = more.fulfillment_order else {
            // Replaced by another one: a hold, a move, a split.
            let text = "a fulfilment order went away while its lines were read; nothing was written";
            return Err(Error::new(ErrorKind::Temporary, text).hint("the next sync tries again by itself"));
        };
        next = more.line_items.further(Some(&after), what, UNWRITTEN)?;
        fulfillment_order.line_items.nodes.append(&mut more.line_items.nodes);
    }
    Ok(())
}

/// A fulfilment as the matching takes it.
fn record(fulfillment: &Fulfillment) -> Record {
    let quantity = |line: &FulfillmentLine| LineQuantity {
        line_id: number(&line.line_item.id).to_owned(),
        quantity: line.quantity.map(Decimal::from).unwrap_or_default(),
    };
    Record {
        id: fulfillment.id.clone(),
        lines: fulfillment.fulfillment_line_items.nodes.iter().map(quantity).collect(),
        tracking: numbers(fulfillment).map(str::to_owned).collect(),
        made_at: fulfillment.created_at.as_deref().and_then(|at| time(at, "").ok()),
        ..Record::default()
    }
}

fn numbers(fulfillment: &Fulfillment) -> impl Iterator<Item = &str> {
    let numbers = fulfillment.tracking_info.iter().filter_map(|tracking| tracking.number.as_deref());
    numbers.map(str::trim).filter(|number| !number.is_empty())
}

/// Lines of fulfilment orders to be shipped together: by fulfilment order, the lines and how many
/// of each.
type Pieces<'a> = BTreeMap<&'a str, Vec<(&'a str, i64)>>;

/// One call takes at most so many lines (schema, `FulfillmentOrderLineItemsInput`).
const MOST_LINES: usize = 512;

/// A part in pieces that one call each can carry.
fn calls<'a>(part: &Pieces<'a>) -> Vec<Pieces<'a>> {
    let lines: Vec<_> = part.iter().flat_map(|(order, lines)| lines.iter().map(|line| (*order, *line))).collect();
    let piece = |lines: &[(&'a str, (&'a str, i64))]| {
        let mut part = Pieces::new();
        for (order, line) in lines {
            part.entry(order).or_default().push(*line);
        }
        part
    };
    lines.chunks(MOST_LINES).map(piece).collect()
}

/// Takes what is wanted from the fulfilment orders that can be shipped, location by location; what
/// they do not have stays wanted.
fn divide<'a>(all: &'a [FulfillmentOrder], wanted: &mut Quantities) -> BTreeMap<(String, String), Pieces<'a>> {
    let mut parts: BTreeMap<(String, String), Pieces<'a>> = BTreeMap::new();
    for fulfillment_order in all.iter().filter(|one| one.can_ship()) {
        for open in &fulfillment_order.line_items.nodes {
            let Some(want) = wanted.get_mut(number(&open.line_item.id)) else { continue };
            let take = open.remaining_quantity.min(*want);
            if take > 0 {
                *want -= take;
                let part = parts.entry(fulfillment_order.group()).or_default();
                part.entry(&fulfillment_order.id).or_default().push((&open.id, take));
            }
        }
    }
    wanted.retain(|_, count| *count > 0);
    parts
}

/// Why some of it cannot be shipped, in the merchant's words.
fn why_not(all: &[FulfillmentOrder], wanted: &Quantities) -> String {
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
    let has_some = |one: &&FulfillmentOrder| wanted.keys().any(|line| one.holds(line));
    let open = all.iter().filter(|one| matches!(&*one.status, "OPEN" | "IN_PROGRESS") && !one.can_ship());
    match open.filter(has_some).map(FulfillmentOrder::by_others).next() {
        Some(Some(PICKED_UP)) => "it is picked up by the buyer; mark it as ready in the order's page".to_owned(),
        Some(Some(way)) if way != BY_SERVICE => format!("it is {way}; mark it as done in the order's page"),
        Some(_) => "a fulfilment service is to ship it, and nobody else may".to_owned(),
        None => "it is not left to ship there: shipped by other means, removed or cancelled".to_owned(),
    }
}

fn write(shipment: &Shipment, part: &Pieces<'_>) -> Result<Write> {
    let orders: Vec<Value> = part
        .iter()
        .map(|(id, lines)| {
            let lines: Vec<Value> = lines.iter().map(|(id, count)| json!({ "id": id, "quantity": count })).collect();
            json!({ "fulfillmentOrderId": id, "fulfillmentOrderLineItems": lines })
        })
        .collect();
    let mut fulfillment = json!({ "lineItemsByFulfillmentOrder": orders, "notifyCustomer": shipment.notify });
    if let Some(tracking) = tracking(&shipment.parcels) {
        fulfillment["trackingInfo"] = tracking;
    }
    let pieces: i64 = part.values().flatten().map(|(_, count)| count).sum();
    let summary = format!("add a fulfilment of {pieces} pieces with {}", describe(&shipment.parcels));
    Write::new(summary, shipment.notify, Operation::Fulfill(json!({ "fulfillment": fulfillment })))
}

/// The tracking of one fulfilment. Which lines are in which of several parcels is not known, so the
/// numbers stand together; they share one company there, which is named only where it is the same
/// for all. Else Shopify can make no links, so the carriers' own are given.
fn tracking(parcels: &[Parcel]) -> Option<Value> {
    let first = parcels.first()?;
    let company =
        company(first).filter(|name| parcels.iter().all(|parcel| self::company(parcel).as_ref() == Some(name)));
    let links: Option<Vec<String>> = parcels.iter().map(|parcel| link(parcel, company.is_some())).collect();
    let mut tracking = match parcels {
        [one] => json!({ "number": one.tracking }),
        several => json!({ "numbers": several.iter().map(|parcel| &parcel.tracking).collect::<Vec<_>>() }),
    };
    if let Some(company) = company {
        tracking["company"] = json!(company);
    }
    match (links, parcels) {
        (Some(links), [_]) => tracking["url"] = json!(links.first()),
        (Some(links), _) => tracking["urls"] = json!(links),
        (None, _) => {}
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

fn describe(parcels: &[Parcel]) -> String {
    let parcels: Vec<String> = parcels
        .iter()
        .map(|parcel| format!("tracking {} {}", company(parcel).unwrap_or_default(), parcel.tracking))
        .collect();
    if parcels.is_empty() { "no tracking".to_owned() } else { parcels.join(", ") }
}

/// Another tracking number in every fulfilment that has the old one.
struct Replacement<'a> {
    change: &'a TrackingChange,
    fulfillments: Vec<Fulfillment>,
    shown: Vec<Record>,
}

/// How this tracking number would be replaced.
pub fn replacement<'a>(api: &Api, order: &str, change: &'a TrackingChange) -> Result<Box<dyn TrackingPlan + 'a>> {
    let mut fulfillments = read(api, order)?.fulfillments;
    fulfillments.retain(is_made);
    let shown = fulfillments.iter().map(record).collect();
    Ok(Box::new(Replacement { change, fulfillments, shown }))
}

impl TrackingPlan for Replacement<'_> {
    fn shown(&self) -> &[Record] {
        &self.shown
    }

    fn step(&self, old: &[&Record], _: &[&Record]) -> Result<Step> {
        let old = self.fulfillments.iter().filter(|one| old.iter().any(|record| record.id == one.id));
        Ok(Step::of(old.map(|fulfillment| replace(fulfillment, self.change)).collect::<Result<_>>()?))
    }
}

fn replace(fulfillment: &Fulfillment, change: &TrackingChange) -> Result<Write> {
    let parcel = |tracking: &Tracking| {
        let number = tracking.number.clone().unwrap_or_default();
        if same_number(&number, &change.was) {
            return change.parcel.clone();
        }
        Parcel { carrier: tracking.company.clone().unwrap_or_default(), tracking: number, url: tracking.url.clone() }
    };
    let parcels: Vec<Parcel> = fulfillment.tracking_info.iter().map(parcel).collect();
    let summary = format!("replace tracking {} by {}", change.was, describe(std::slice::from_ref(&change.parcel)));
    let variables = json!({ "id": fulfillment.id, "tracking": tracking(&parcels), "notify": change.notify });
    Write::new(summary, change.notify, Operation::Retrack(variables))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fulfilled {
    fulfillment_create: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retracked {
    fulfillment_tracking_info_update: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    fulfillment: Option<Reference>,
    #[serde(default)]
    user_errors: Vec<UserError>,
}

/// Ships; gives the fulfilment's id.
pub fn fulfill(api: &Api, variables: &Value) -> Result<Option<String>> {
    outcome(api.tell(&query::FULFILL, variables.clone())?.read::<Fulfilled>()?.fulfillment_create)
}

/// Replaces tracking numbers.
pub fn retrack(api: &Api, variables: &Value) -> Result<Option<String>> {
    outcome(api.tell(&query::RETRACK, variables.clone())?.read::<Retracked>()?.fulfillment_tracking_info_update)
}

fn outcome(payload: Option<Payload>) -> Result<Option<String>> {
    let unclear = || Error::new(ErrorKind::Unknown, "Shopify did not say what became of the write");
    let payload = payload.ok_or_else(unclear)?;
    if let Some(error) = payload.user_errors.first() {
        let text = format!("Shopify refused: {}", short(&error.message));
        return Err(Error::new(ErrorKind::Rejected, text));
    }
    payload.fulfillment.map(|fulfillment| Some(fulfillment.id)).ok_or_else(unclear)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(carrier: &str, tracking: &str) -> Parcel {
        Parcel { carrier: carrier.to_owned(), tracking: tracking.to_owned(), url: None }
    }

    fn order(id: &str, status: &str, location: &str, lines: &[(&str, i64)]) -> FulfillmentOrder {
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
        let parts = divide(&all, &mut want);
        assert!(want.is_empty());
        let berlin = &parts[&("Berlin".to_owned(), String::new())];
        assert_eq!(berlin["F1"], [("F1-1", 2), ("F1-2", 1)]);
        assert_eq!(parts[&("Wien".to_owned(), String::new())]["F2"], [("F2-1", 2)]);
    }

    #[test]
    fn a_line_without_any_fulfilment_order_is_not_shipped_by_other_means() {
        let all = [order("F1", "CLOSED", "Berlin", &[("1", 0)]), order("F2", "OPEN", "Wien", &[("2", 1)])];
        assert!(is_routed(&all, &wanted(&[("1", 1), ("2", 1)])));
        assert!(!is_routed(&all, &wanted(&[("1", 1), ("3", 1)])));
        assert!(!is_routed(&[], &wanted(&[("1", 1)])));
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
        assert_eq!(mixed, json!({ "numbers": ["1Z1", "X2"] }));
        let two = tracking(&[parcel("ups", "1Z1"), parcel("dhl", "JD2")]).unwrap();
        assert_eq!(two["company"], Value::Null);
        assert!(two["urls"][0].as_str().unwrap().contains("1Z1") && two["urls"][1].as_str().unwrap().contains("JD2"));
        assert_eq!(tracking(&[]), None);
    }

    #[test]
    fn only_whole_pieces_are_shipped() {
        assert_eq!(whole(Decimal::new(20, 1)).unwrap(), 2);
        assert_eq!(whole(Decimal::new(15, 1)).unwrap_err().kind(), ErrorKind::Refused);
    }
}
