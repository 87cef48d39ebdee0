//! The parts of an order add up to its total, whatever numbers a channel's document holds (F-7):
//! documents of every simulated store, with their amounts and counts changed at random, are read by
//! the real adapters.
//!
//! `ORDERSYNC_SUMS_CASES` says how many documents are made for each channel, `ORDERSYNC_SUMS_SEED`
//! from which seed.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::book::{Book, Filter};
use ordersync::channel::ChannelKind;
use ordersync::clock::{Clock, SystemClock};
use ordersync::home;
use ordersync::http::RetryPolicy;
use ordersync::order::{ChargeKind, Order};
use ordersync::sim::world::Dice;
use ordersync::sim::{Purchase, Server, ServerOptions, rehearsal};
use ordersync::sync::Context;
use ordersync::sync::store::OpenStore;
use rust_decimal::Decimal;
use serde_json::Value;
use support::program::Home;

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))))
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The documents of a simulated store's orders as the book keeps them, and its adapter.
fn documents(kind: ChannelKind) -> (OpenStore, Vec<Value>) {
    let store = rehearsal(kind, clock(), Duration::ZERO);
    store.seed(60, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    let id = store.place(&Purchase::of(&[("TEE-001", 3), ("MUG-9", 1)]));
    assert!(store.refund_pieces(&id, 0, 1));
    let server = Server::start(store.clone(), ServerOptions::default()).unwrap();
    let access = store.access(server.url());
    let home = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
    home.run(&format!("connect {kind} {}", access.flags.join(" "))).exits(0);
    home.run("sync").exits(0);
    let context = Context {
        home: home::Home::locate(Some(home.path())).unwrap(),
        clock: clock(),
        retry: RetryPolicy::default(),
        lock_timeout: Duration::ZERO,
    };
    let book = Book::open(&context.home.book(), clock()).unwrap();
    let open = context.open(&book.store(kind.word()).unwrap().unwrap()).unwrap();
    let orders = book.list(&Filter { limit: 1000, ..Filter::default() }).unwrap();
    let document = |id| serde_json::from_slice(&book.base_document(id).unwrap().unwrap()).unwrap();
    (open, orders.iter().map(|order| document(order.id)).collect())
}

/// Reckons by itself, from what a merchant sees.
fn assert_adds_up(order: &Order, told: &dyn Fn() -> String) {
    let goods: Decimal = order.lines.iter().map(|line| line.total).sum();
    let counted = |kind| matches!(kind, ChargeKind::Shipping | ChargeKind::Fee | ChargeKind::Other);
    let charges = || order.charges.iter().filter(|charge| counted(charge.kind));
    let tax = match order.prices_include_tax {
        true => charges().map(|charge| charge.tax).sum(),
        false => order.totals.tax,
    };
    let parts = goods + charges().map(|charge| charge.amount).sum::<Decimal>() + tax;
    assert_eq!(parts, order.totals.total, "{}", told());
    assert!(order.charges.iter().filter(|charge| charge.kind == ChargeKind::Other).count() <= 1, "{}", told());
}

fn assert_pieces(order: &Order) {
    for line in &order.lines {
        let sent = order.shipments.iter().flat_map(|shipment| &shipment.lines).filter(|l| l.line_id == line.remote_id);
        let sent: Decimal = sent.map(|line| line.quantity).sum();
        assert!(
            sent <= line.quantity && line.refunded <= line.quantity,
            "order {}: {line:?}, {sent} sent",
            order.number
        );
    }
}

/// Other numbers here and there: small, large, negative, with many decimals, absurd.
fn shake(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| shake(row, dice)),
        Value::Object(members) => {
            members.iter_mut().filter(|(key, _)| !is_name(key)).for_each(|(_, value)| shake(value, dice));
        }
        Value::String(text) if text.contains('.') && text.parse::<Decimal>().is_ok() && dice.below(4) == 0 => {
            *text = amount(dice);
        }
        Value::Number(_) if dice.below(6) == 0 => *value = dice.below(9).into(),
        _ => {}
    }
}

/// Members whose numbers are names of things.
fn is_name(key: &str) -> bool {
    let key = key.to_lowercase();
    key == "id" || key.ends_with("_id") || key.ends_with("id") || key.contains("date") || key.ends_with("at")
}

fn amount(dice: &mut Dice) -> String {
    let most = [10, 1_000, 100_000, 10_000_000_000, 100_000_000_000_000_000][usize::try_from(dice.below(5)).unwrap()];
    let value = i64::try_from(dice.below(most)).unwrap();
    let value = if dice.below(5) == 0 { -value } else { value };
    Decimal::new(value, u32::try_from(dice.below(7)).unwrap()).to_string()
}

#[test]
fn f7_whatever_numbers_a_document_holds_its_parts_are_its_total() {
    let (cases, seed) = (number("ORDERSYNC_SUMS_CASES", 1500), number("ORDERSYNC_SUMS_SEED", 1));
    for kind in ChannelKind::ALL {
        let (open, documents) = documents(kind);
        for document in &documents {
            let order = open.format.order(document.to_string().as_bytes()).unwrap();
            assert_adds_up(&order, &|| format!("{kind} order {}", order.number));
            assert_pieces(&order);
        }
        let (mut read, mut explained) = (0, 0);
        for case in 0..cases {
            let mut dice = Dice::new(seed, case);
            let mut document = documents[usize::try_from(dice.below(documents.len() as u64)).unwrap()].clone();
            shake(&mut document, &mut dice);
            if let Ok(order) = open.format.order(document.to_string().as_bytes()) {
                read += 1;
                explained += u64::from(order.charges.iter().any(|charge| charge.kind == ChargeKind::Other));
                assert_adds_up(&order, &|| format!("{kind}, seed {seed}, case {case}"));
            }
        }
        println!("{kind}: {cases} documents, {read} read, {explained} with a charge of their own for the rest");
        assert!(read > cases / 3 && explained > cases / 20, "{kind}: the numbers were not changed");
    }
}
