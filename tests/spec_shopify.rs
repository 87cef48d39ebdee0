//! Everything that the adapter sends and the simulated shop answers, against the vendor's own
//! schema. Without `ORDERSYNC_SPECS` the tests pass unasked and say so.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use chrono::{TimeDelta, TimeZone, Utc};
use ordersync::channel::shopify::Operation as Mutation;
use ordersync::channel::shopify::query;
use ordersync::channel::{
    Cancellation, Channel, ChannelKind, Cursor, Format, Goal, Next, Range, Task, TrackingChange, Values, format,
};
use ordersync::clock::ManualClock;
use ordersync::order::{LineQuantity, Parcel, Shipment};
use ordersync::sim::shopify::{NewOrder, Options, REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET, Shop};
use ordersync::sim::{Server, ServerOptions, Simulated};
use ordersync::sync::outstanding::{Outstanding, outstanding};
use serde_json::{Value, json};

fn specs() -> Option<PathBuf> {
    let found = std::env::var_os("ORDERSYNC_SPECS").map(|dir| PathBuf::from(dir).join("shopify"));
    if found.is_none() {
        println!("skipped: ORDERSYNC_SPECS does not name the directory of the vendors' specifications");
    }
    found
}

fn schema(dir: &Path) -> Valid<Schema> {
    let mut text = std::fs::read_to_string(dir.join("admin_2026-10.graphql")).unwrap();
    // Built into newer GraphQL, so the printed schema does not define it.
    text.push_str("\ndirective @oneOf on INPUT_OBJECT\n");
    Schema::parse_and_validate(text, "admin_2026-10.graphql").map_err(|e| e.errors.to_string()).unwrap()
}

/// Holds requests and answers against the schema.
struct Judge {
    schema: Valid<Schema>,
    complaints: Vec<String>,
}

impl Judge {
    fn document(&mut self, text: &str) -> Option<Valid<ExecutableDocument>> {
        match ExecutableDocument::parse_and_validate(&self.schema, text, "query.graphql") {
            Ok(document) => Some(document),
            Err(error) => {
                self.complaints.push(format!("{}\n{}", text.get(..80).unwrap_or(text), error.errors));
                None
            }
        }
    }

    fn exchange(&mut self, text: &str, variables: &Value, answer: &Value) {
        let Some(document) = self.document(text) else { return };
        let operation = document.operations.iter().next().unwrap().clone();
        self.variables(&operation, variables);
        let data = &answer["data"];
        if !data.is_null() {
            let name = operation.name.as_ref().map(ToString::to_string).unwrap_or_default();
            self.object(&name, &operation.selection_set, data);
        }
    }

    fn variables(&mut self, operation: &Operation, variables: &Value) {
        let map = serde_json::from_value(variables.clone()).unwrap();
        if let Err(error) = coerce_variable_values(&self.schema, operation, &map) {
            self.complaints.push(format!("{:?}: {error:?}", operation.name));
        }
    }

    fn object(&mut self, at: &str, set: &SelectionSet, value: &Value) {
        let Some(members) = value.as_object() else {
            return self.complaints.push(format!("{at}: not an object"));
        };
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).to_string();
                    let at = format!("{at}.{key}");
                    match members.get(&key) {
                        Some(value) => self.value(&at, &field.definition.ty, &field.selection_set, value),
                        None => self.complaints.push(format!("{at}: missing")),
                    }
                }
                // An object of another type has none of these; that of an empty one is not known.
                Selection::InlineFragment(fragment) if !members.is_empty() => {
                    self.object(at, &fragment.selection_set, value);
                }
                _ => {}
            }
        }
    }

    fn value(&mut self, at: &str, ty: &Type, set: &SelectionSet, value: &Value) {
        match ty {
            Type::NonNullNamed(_) | Type::NonNullList(_) if value.is_null() => {
                self.complaints.push(format!("{at}: null although {ty}"));
            }
            _ if value.is_null() => {}
            Type::Named(name) | Type::NonNullNamed(name) => match self.schema.types.get(name).cloned() {
                Some(ExtendedType::Scalar(_)) => self.scalar(at, name.as_str(), value),
                Some(ExtendedType::Enum(words)) => {
                    if !value.as_str().is_some_and(|word| words.values.keys().any(|known| known == word)) {
                        self.complaints.push(format!("{at}: {value} is no {name}"));
                    }
                }
                Some(_) => self.object(at, set, value),
                None => self.complaints.push(format!("{at}: no type {name}")),
            },
            Type::List(inner) | Type::NonNullList(inner) => match value.as_array() {
                Some(items) => items.iter().for_each(|item| self.value(at, inner, set, item)),
                None => self.complaints.push(format!("{at}: not a list")),
            },
        }
    }

    fn scalar(&mut self, at: &str, name: &str, value: &Value) {
        let text = value.as_str();
        let good = match name {
            "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "Float" => value.is_number(),
            "Boolean" => value.is_boolean(),
            "DateTime" => text.is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
            "Decimal" | "Money" => text.is_some_and(|text| text.parse::<rust_decimal::Decimal>().is_ok()),
            "UnsignedInt64" => text.is_some_and(|text| text.parse::<u64>().is_ok()),
            "URL" => text.is_some_and(|text| url::Url::parse(text).is_ok()),
            "ID" => text.is_some_and(|text| text.starts_with("gid://shopify/")),
            _ => text.is_some(),
        };
        if !good {
            self.complaints.push(format!("{at}: {value} is no {name}"));
        }
    }

    fn done(mut self) {
        self.complaints.sort();
        self.complaints.dedup();
        assert!(self.complaints.is_empty(), "{}", self.complaints.join("\n"));
    }
}

struct Rig {
    shop: Arc<Shop>,
    server: Server,
    clock: Arc<ManualClock>,
    channel: Box<dyn Channel>,
    format: Box<dyn Format>,
}

fn rig(options: Options, values: &[(&str, &str)]) -> Rig {
    let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 23, 7, 0, 0).unwrap()));
    let shop = Arc::new(Shop::demo(options, clock.clone()));
    let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
    let mut known = Values::from([
        ("shop".to_owned(), "tea-and-cups".to_owned()),
        ("endpoint".to_owned(), server.url().to_owned()),
    ]);
    known.extend(values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let secrets = [("client_id", REHEARSAL_CLIENT_ID), ("client_secret", REHEARSAL_CLIENT_SECRET)];
    let format = format(ChannelKind::Shopify, &known).unwrap();
    let channel = support::shopify::channel(&clock, known, secrets);
    Rig { shop, server, clock, channel, format }
}

impl Rig {
    /// Reads a walk to its end; gives how many orders it brought.
    fn walk(&self, mut at: Cursor) -> usize {
        let mut orders = 0;
        loop {
            let page = self.channel.page(&at).unwrap();
            orders += page.orders.len();
            match page.next {
                Next::More(next) => at = next,
                Next::Wait(next, pause) => {
                    self.clock.advance(TimeDelta::from_std(pause).unwrap());
                    at = next;
                }
                Next::Done(_) => return orders,
            }
        }
    }

    fn first_sync(&self) -> usize {
        let plan = self.channel.plan(&Range { since: None, until: None }).unwrap();
        let slices: usize = plan.slices.into_iter().map(|slice| self.walk(slice)).sum();
        slices + self.walk(plan.changes)
    }

    /// Carries a goal out, as the engine does.
    fn reach(&self, order: u64, goal: Goal) -> Outstanding {
        let mut task =
            Task { remote_id: order.to_string(), goal, receipts: Vec::new(), others: Vec::new(), pieces: Vec::new() };
        for _ in 0..6 {
            let now = self.channel.order(&task.remote_id).unwrap().unwrap();
            let seen = outstanding(self.channel.as_ref(), &task, &now).unwrap();
            if seen.writes.is_empty() && seen.wait.is_none() {
                return seen;
            }
            for write in &seen.writes {
                task.receipts.extend(self.channel.apply(write).unwrap());
            }
            self.clock.advance(TimeDelta::seconds(5));
        }
        panic!("not reached");
    }

    fn dispatch(&self, order: u64, tracking: &[&str]) -> Outstanding {
        let seen = self.channel.order(&order.to_string()).unwrap().unwrap().order.unwrap();
        let line =
            |line: &ordersync::order::Line| LineQuantity { line_id: line.remote_id.clone(), quantity: line.quantity };
        let parcel = |number: &&str| Parcel { carrier: "dhl".into(), tracking: (*number).into(), url: None };
        let shipment = Shipment {
            key: "k".into(),
            shipped_at: self.shop_time(),
            lines: seen.lines.iter().filter(|line| line.ships).map(line).collect(),
            parcels: tracking.iter().map(parcel).collect(),
            notify: true,
            completes: true,
            counted: Vec::new(),
        };
        self.reach(order, Goal::Dispatched(shipment))
    }

    fn shop_time(&self) -> ordersync::clock::Timestamp {
        ordersync::clock::Clock::now(self.clock.as_ref())
    }
}

/// Everything that a merchant does in a life with a shop.
fn a_life(rig: &Rig) {
    rig.channel.probe().unwrap();
    assert!(rig.first_sync() >= 40);
    let two = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1));
    let apart = rig.shop.place_order(NewOrder::paid().line("TEE-001", 4));
    rig.shop.split(apart);
    let bare = rig.shop.place_order(NewOrder::paid().line("MUG-9", 3));
    let gone = rig.shop.place_order(NewOrder::paid().line("MUG-9", 1));
    let many = (0..130).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:03}"), 1));
    let many = rig.shop.place_order(many);
    rig.dispatch(two, &["JD01", "JD02"]);
    rig.dispatch(apart, &["JD03"]);
    assert_eq!(rig.shop.fulfillments(apart).len(), 2);
    rig.dispatch(bare, &[]);
    assert_eq!(rig.shop.fulfillments(bare), [(3, Vec::new())]);
    rig.dispatch(many, &["JD04"]);
    let parcel = Parcel { carrier: "poczta-polska".into(), tracking: "PP9".into(), url: None };
    let change = TrackingChange { shipment: String::new(), was: "JD01".into(), parcel, notify: true, before: None };
    rig.reach(two, Goal::Retracked(change));
    let cancellation = Cancellation {
        reason: "sold out".into(),
        notify: true,
        restock: true,
        refund: true,
        force: false,
        key: "k".into(),
    };
    rig.reach(gone, Goal::Cancelled(cancellation));
    assert_eq!(rig.shop.cancellation(gone), Some(("OTHER".to_owned(), Some("sold out".to_owned()))));
    rig.channel.order("7").unwrap();
}

#[test]
fn every_document_is_one_of_the_vendors_schema() {
    let Some(dir) = specs() else { return };
    let mut classify = Judge { schema: schema(&dir), complaints: Vec::new() };
    for document in query::ALL {
        classify.document(document.text);
    }
    for routes in [true, false] {
        let filter = "created_at:>='2026-11-20T00:00:00Z' updated_at:>='2026-11-20T00:00:00Z'";
        classify.document(&query::bulk(filter, routes));
    }
    classify.done();
}

#[test]
fn what_is_sent_and_answered_in_a_merchants_life_is_as_the_schema_says() {
    let Some(dir) = specs() else { return };
    let mut classify = Judge { schema: schema(&dir), complaints: Vec::new() };
    let slow = Options { cancelling: 8, routing: 6, latency: Duration::ZERO, ..Options::rehearsal() };
    for (bulk, job_results) in [("never", true), ("always", false)] {
        let rig = rig(Options { job_results, ..slow.clone() }, &[("bulk", bulk)]);
        rig.shop.seed(400, rig.shop_time() - TimeDelta::days(90), rig.shop_time());
        a_life(&rig);
        for exchange in rig.server.requests().iter().filter(|one| one.path.ends_with("graphql.json")) {
            let (sent, answer): (Value, Value) = (exchange.json(), serde_json::from_slice(&exchange.answer).unwrap());
            assert_eq!(answer["errors"], Value::Null, "{sent}");
            classify.exchange(sent["query"].as_str().unwrap(), &sent["variables"], &answer);
            if let Some(inner) = sent["variables"]["query"].as_str().filter(|text| text.starts_with('{')) {
                classify.document(inner);
            }
        }
    }
    classify.done();
}

#[test]
fn bulk_and_paged_reads_of_an_order_give_the_same_document() {
    let mut found = Vec::new();
    for bulk in ["never", "always"] {
        let rig = rig(Options::rehearsal(), &[("bulk", bulk)]);
        rig.shop.seed(350, rig.shop_time() - TimeDelta::days(40), rig.shop_time());
        let plan = rig.channel.plan(&Range { since: None, until: None }).unwrap();
        let mut orders = std::collections::BTreeMap::new();
        for mut at in plan.slices {
            loop {
                let page = rig.channel.page(&at).unwrap();
                let read = |seen: ordersync::channel::RemoteOrder| {
                    assert!(seen.order.is_ok(), "{:?}", seen.order);
                    (seen.remote_id, seen.document.get().to_owned())
                };
                orders.extend(page.orders.into_iter().map(read));
                at = match page.next {
                    Next::More(next) => next,
                    Next::Wait(next, pause) => {
                        rig.clock.advance(TimeDelta::from_std(pause).unwrap());
                        next
                    }
                    Next::Done(_) => break,
                };
            }
        }
        let one = orders.keys().next().unwrap();
        let alone = rig.channel.order(one).unwrap().unwrap();
        assert_eq!(alone.document.get(), orders[one]);
        assert_eq!(bulk == "always", rig.shop.bulk_operations() > 0);
        found.push(orders);
    }
    assert_eq!(found[0].len(), 390);
    assert_eq!(found[0], found[1]);
}

/// The places below `set` where the schema has money, and whether it must not be null there; lists
/// by their first member.
fn money(set: &SelectionSet, value: &Value, at: &str, found: &mut Vec<(String, bool)>) {
    for selection in &set.selections {
        let Selection::Field(field) = selection else { continue };
        let at = format!("{at}/{}", field.name);
        let Some(value) = value.get(field.name.as_str()) else { continue };
        let (value, at) = match value.as_array() {
            Some(items) if items.is_empty() => continue,
            Some(items) => (&items[0], format!("{at}/0")),
            None => (value, at),
        };
        if matches!(field.definition.ty.inner_named_type().as_str(), "MoneyBag" | "MoneyV2" | "Decimal") {
            found.push((at.clone(), field.definition.ty.is_non_null()));
        }
        money(&field.selection_set, value, &at, found);
    }
}

#[test]
fn i4_money_that_the_schema_promises_and_that_is_not_there_makes_an_order_unreadable() {
    let Some(dir) = specs() else { return };
    let mut classify = Judge { schema: schema(&dir), complaints: Vec::new() };
    let document = classify.document(query::ORDER.text).unwrap();
    let operation = document.operations.iter().next().unwrap();
    let Selection::Field(order) = &operation.selection_set.selections[0] else { panic!("no field") };
    let rig = rig(Options::rehearsal(), &[]);
    let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).currency("USD")).to_string();
    rig.shop.refund(&id, "1.00");
    let whole: Value = serde_json::from_str(rig.channel.order(&id).unwrap().unwrap().document.get()).unwrap();
    let mut places = Vec::new();
    money(&order.selection_set, &whole, "", &mut places);
    let read = |document: &Value| rig.format.order(document.to_string().as_bytes());
    read(&whole).unwrap();
    let mut promised = 0;
    // What is owed is read in the buyer's currency only.
    places.retain(|(place, _)| !place.starts_with("/totalOutstandingSet/shopMoney"));
    for (place, must) in &places {
        let mut without = whole.clone();
        *without.pointer_mut(place).unwrap() = Value::Null;
        match read(&without) {
            Ok(_) => assert!(!must, "{place} may not be null"),
            Err(error) => assert!(*must, "{place} may be null: {error}"),
        }
        promised += u32::from(*must);
    }
    let nullable: Vec<&str> = places.iter().filter(|(_, must)| !must).map(|(place, _)| place.as_str()).collect();
    let duties = ["/originalTotalDutiesSet", "/currentTotalDutiesSet"];
    assert_eq!(nullable, [&["/subtotalPriceSet", "/totalTaxSet", "/totalDiscountsSet"][..], &duties].concat());
    assert!(promised > 20, "{promised}");
}

/// Every query with its answer, and every message of a refusal, in a recorded file.
fn recorded(value: &Value, pairs: &mut Vec<(String, Value, Value)>, messages: &mut Vec<String>) {
    if let (Some(query), Some(data)) = (value["query"].as_str(), answer_in(value)) {
        pairs.push((query.to_owned(), value["variables"].clone(), data.clone()));
    }
    if let Some(text) = value["message"].as_str() {
        messages.push(without_numbers(text));
    }
    match value {
        Value::Object(members) => members.values().for_each(|member| recorded(member, pairs, messages)),
        Value::Array(items) => items.iter().for_each(|item| recorded(item, pairs, messages)),
        _ => {}
    }
}

fn answer_in(value: &Value) -> Option<&Value> {
    let places = ["/response", "/response/payload", "/response/body"];
    places.into_iter().filter_map(|place| value.pointer(place)).find(|answer| answer["data"].is_object())
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn recordings(dir: &Path) -> (Vec<(String, Value, Value)>, Vec<String>) {
    let (mut pairs, mut messages) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(dir.join("captured-responses")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        recorded(&serde_json::from_str(&text).unwrap(), &mut pairs, &mut messages);
    }
    (pairs, messages)
}

/// The classify is worth something only if it takes what a real shop answered.
#[test]
fn the_recorded_answers_of_a_real_shop_pass_the_same_judge() {
    let Some(dir) = specs() else { return };
    let mut classify = Judge { schema: schema(&dir), complaints: Vec::new() };
    let (pairs, _) = recordings(&dir);
    let mut judged = 0;
    for (query, _, answer) in &pairs {
        // Recorded with older versions: what 2026-10 no longer has cannot be judged by it.
        if ExecutableDocument::parse_and_validate(&classify.schema, query, "recorded.graphql").is_err() {
            continue;
        }
        let document = classify.document(query).unwrap();
        let operation = document.operations.iter().next().unwrap().clone();
        classify.object(query.get(..40).unwrap_or(query), &operation.selection_set, &answer["data"]);
        judged += 1;
    }
    assert!(judged >= 20, "{judged} of {} could be judged", pairs.len());
    // The recorder left members out of some answers that it needed only a part of.
    classify.complaints.retain(|complaint| !complaint.ends_with(": missing"));
    classify.done();
}

#[test]
fn prices_and_refusals_have_the_form_that_was_recorded() {
    let Some(dir) = specs() else { return };
    let (pairs, messages) = recordings(&dir);
    let rig = rig(Options::rehearsal(), &[]);
    let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2));
    rig.channel.probe().unwrap();
    let answer: Value = serde_json::from_slice(&rig.server.requests().last().unwrap().answer).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (_, _, real) = pairs.iter().find(|(.., answer)| answer["extensions"]["cost"].is_object()).unwrap();
    for place in ["/extensions/cost", "/extensions/cost/throttleStatus"] {
        assert_eq!(keys(answer.pointer(place).unwrap()), keys(real.pointer(place).unwrap()));
    }
    let group = |count: i64, order: u64, line: u64| {
        json!({ "fulfillment": { "lineItemsByFulfillmentOrder": [{ "fulfillmentOrderId": format!("gid://shopify/FulfillmentOrder/{order}"),
            "fulfillmentOrderLineItems": [{ "id": format!("gid://shopify/FulfillmentOrderLineItem/{line}"), "quantity": count }] }] } })
    };
    let cancel = |id: u64| json!({ "id": format!("gid://shopify/Order/{id}"), "reason": "OTHER", "restock": false });
    let mut said = Vec::new();
    let mut say = |operation: Mutation| {
        let write = ordersync::channel::Write::new("", operation).unwrap();
        let _ = rig.channel.apply(&write);
        let answer: Value = serde_json::from_slice(&rig.server.requests().last().unwrap().answer).unwrap();
        recorded(&answer, &mut Vec::new(), &mut said);
    };
    say(Mutation::Fulfill(group(9, id + 200, id + 301)));
    say(Mutation::Fulfill(group(0, id + 200, id + 301)));
    say(Mutation::Fulfill(group(1, 7, 7)));
    say(Mutation::Cancel(cancel(id)));
    say(Mutation::Cancel(cancel(id)));
    say(Mutation::Fulfill(group(1, id + 200, id + 301)));
    assert_eq!(said.len(), 5, "{said:?}");
    for text in said {
        // Known from another recording than those in the directory.
        assert!(messages.contains(&text) || text.contains("already been canceled"), "{text} was never recorded");
    }
}
