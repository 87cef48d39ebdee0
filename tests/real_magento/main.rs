//! The real program against a real Magento shop, which the environment names:
//!
//! ```text
//! ORDERSYNC_REAL_MAGENTO_URL=http://127.0.0.1:8247/ \
//! ORDERSYNC_REAL_MAGENTO_CONSUMER_KEY=... ORDERSYNC_REAL_MAGENTO_CONSUMER_SECRET=... \
//! ORDERSYNC_REAL_MAGENTO_ACCESS_TOKEN=... ORDERSYNC_REAL_MAGENTO_ACCESS_TOKEN_SECRET=... \
//! cargo test --test real_magento
//! ```
//!
//! Where the shop has the modules for webhooks, `ORDERSYNC_REAL_MAGENTO_CONSUME` is a command that
//! works its queue off and ends: `bin/magento queue:consumers:start event.trigger.consumer
//! --max-messages=100` with a time-out, as a consumer waits for more.
//!
//! It has to be a shop for tests, at `http://` on loopback, with an integration that may do everything,
//! checkout for guests, a way of delivery to Germany, and checks (`checkmo`) as a way of payment. Goods
//! and orders are made by the tests: they place, ship and cancel orders of their own, and read all. What
//! came of it is read from the shop by other means than the program's ([`shop`]). The program reaches the
//! shop through a proxy that counts ([`proxy`]). Without a shop the tests pass unasked and say so.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

#[path = "../support/mod.rs"]
mod support;

mod goods;
mod proxy;
mod shop;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use goods::{APART, OTHER, PLAIN, SIZES, TOGETHER};
use proxy::{Lost, Proxy};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use shop::{KEYS, PREFIX, Shop};
use support::program::{Call, Done, Home, until};

/// The shop, with the goods in it.
fn shop() -> Option<&'static Shop> {
    static SHOP: OnceLock<Option<Shop>> = OnceLock::new();
    SHOP.get_or_init(|| Shop::named().inspect(Shop::stock)).as_ref()
}

/// A home that is connected to the shop and has all its orders.
struct Rig {
    shop: &'static Shop,
    proxy: Proxy,
    home: Home,
    /// One test at a time: another's orders would be news.
    _alone: MutexGuard<'static, ()>,
}

impl Rig {
    /// Not connected yet; `None`, with a word of it, where there is no shop.
    fn unconnected() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(shop) = shop() else {
            println!("skipped: {PREFIX}URL names no Magento shop");
            return None;
        };
        let home = KEYS
            .iter()
            .zip(&shop.keys)
            .fold(Home::new(), |home, (name, value)| home.secret(&format!("ORDERSYNC_MAGENTO_{name}"), value));
        Some(Self { shop, proxy: Proxy::before(&shop.server), home, _alone: alone })
    }

    fn new() -> Option<Self> {
        let rig = Self::unconnected()?;
        rig.connect("").exits(0);
        rig.sync();
        rig.proxy.asked();
        Some(rig)
    }

    fn connect(&self, more: &str) -> Call<'_> {
        self.home.run(&format!("connect magento --url {}{} {more}", self.proxy.address(), self.shop.path))
    }

    /// A sync that succeeds and says nothing.
    fn sync(&self) -> Done {
        self.home.run("sync").exits(0).silent()
    }

    /// A command about an order of the shop.
    fn on(&self, command: &str, id: u64, more: &str) -> Call<'_> {
        self.home.run(&format!("{command} magento:{id} {more}"))
    }

    fn show(&self, id: u64) -> Value {
        self.home.json(&format!("show magento:{id}"))
    }

    fn status(&self, id: u64) -> String {
        self.show(id)["status"].as_str().unwrap().to_owned()
    }

    /// How many writes the program has made since this was asked last.
    fn writes(&self) -> usize {
        self.proxy.asked().iter().filter(|asked| asked.is_write()).count()
    }

    /// A paid order of these goods, which is in the book.
    fn paid(&self, goods: &[(&str, u32)]) -> u64 {
        let id = self.shop.place(goods);
        self.shop.invoice(id);
        self.sync();
        self.proxy.asked();
        id
    }

    fn outbox(&self) -> Vec<String> {
        let rows = self.home.json("outbox --all");
        rows.as_array().unwrap().iter().rev().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    }
}

/// A number of the shop's, to the four places that it reckons with.
fn amount(value: &Value) -> Decimal {
    let text = if value.is_null() { "0".to_owned() } else { value.to_string() };
    text.trim_matches('"').parse::<Decimal>().unwrap_or_else(|_| panic!("{value} is no number")).round_dp(4).normalize()
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// What of an order in the book has to be as the shop has it, as the shop has it.
fn at_the_shop(order: &Value) -> Vec<(&'static str, String)> {
    let sum = |name: &str| amount(&order[name]).abs().to_string();
    let state = text(order, "state");
    let mut all = vec![
        ("number", text(order, "increment_id").to_owned()),
        ("currency", text(order, "order_currency_code").to_owned()),
        ("total", sum("grand_total")),
        ("tax", sum("tax_amount")),
        ("shipping", sum("shipping_amount")),
        ("refunded", sum("total_refunded")),
        ("discount", sum("discount_amount")),
        ("state", state.to_owned()),
        ("cancelled", (state == "canceled").to_string()),
        ("lines", format!("{:?}", lines(order))),
        ("unexplained", (!is_balanced(order)).to_string()),
    ];
    let to = &order["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"];
    if to["postcode"].is_string() {
        let street = to["street"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        all.push(("name", format!("{} {}", text(to, "firstname"), text(to, "lastname"))));
        all.push(("street", street.collect::<Vec<_>>().join("|")));
        let members = ["company", "city", "postcode", "country_id"].into_iter();
        all.extend(members.map(|member| (member, text(to, member).to_owned())));
    }
    all
}

/// The same as the book has it.
fn in_the_book(order: &Value) -> Vec<(&'static str, String)> {
    let sum = |name: &str| amount(&order["totals"][name]).to_string();
    let lines: BTreeMap<u64, Decimal> = order["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (text(line, "id").parse().unwrap(), amount(&line["quantity"])))
        .collect();
    let mut charges = order["charges"].as_array().unwrap().iter();
    let is_unexplained =
        charges.any(|charge| charge["kind"] == "other" && text(charge, "title") != "Cancelled at the shop");
    let mut all = vec![
        ("number", text(order, "number").to_owned()),
        ("currency", text(order, "currency").to_owned()),
        ("total", sum("total")),
        ("tax", sum("tax")),
        ("shipping", sum("shipping")),
        ("refunded", sum("refunded")),
        ("discount", sum("discount")),
        ("state", text(order, "channel_status").split(" / ").next().unwrap().to_owned()),
        ("cancelled", (text(order, "status") == "cancelled").to_string()),
        ("lines", format!("{lines:?}")),
        ("unexplained", is_unexplained.to_string()),
    ];
    let to = &order["ship_to"][0];
    if to.is_object() {
        let street = [text(to, "line1"), text(to, "line2")].into_iter().filter(|line| !line.is_empty());
        all.push(("name", text(to, "name").to_owned()));
        all.push(("street", street.collect::<Vec<_>>().join("|")));
        let members = [("company", "company"), ("city", "city"), ("postcode", "postcode"), ("country_id", "country")];
        all.extend(members.map(|(theirs, ours)| (theirs, text(to, ours).to_owned())));
    }
    all
}

/// The lines that an order has in the book: a thing in sizes is one, a bundle and its parts are each
/// one. What was cancelled of one is no more in it, but a cancelled order keeps its pieces.
fn lines(order: &Value) -> BTreeMap<u64, Decimal> {
    let items = order["items"].as_array().unwrap();
    let is_sizes =
        |id: &Value| items.iter().any(|item| item["item_id"] == *id && item["product_type"] == "configurable");
    let wanted = items.iter().filter(|item| item["parent_item_id"].is_null() || !is_sizes(&item["parent_item_id"]));
    let pieces = |item: &Value| {
        let cancelled = if order["state"] == "canceled" { Decimal::ZERO } else { amount(&item["qty_canceled"]) };
        (amount(&item["qty_ordered"]) - cancelled).normalize()
    };
    wanted.map(|item| (item["item_id"].as_u64().unwrap(), pieces(item))).collect()
}

/// Whether the shop has sent more of something than was ordered of it.
fn oversent<'o>(shop: &Shop, orders: impl Iterator<Item = &'o Value>) -> bool {
    let all = shop.call("GET", "shipments", &[("searchCriteria[pageSize]", "10000")], None).good();
    let rows = all["items"].as_array().unwrap().iter().flat_map(|one| one["items"].as_array().unwrap());
    let mut sent = BTreeMap::<String, Decimal>::new();
    rows.for_each(|row| *sent.entry(row["order_item_id"].to_string()).or_default() += amount(&row["qty"]));
    // The row of a bundle counts its shipments.
    let mut items =
        orders.flat_map(|order| order["items"].as_array().unwrap()).filter(|row| row["product_type"] != "bundle");
    let is_more =
        |row: &Value| sent.get(&row["item_id"].to_string()).is_some_and(|sent| *sent > amount(&row["qty_ordered"]));
    items.any(is_more)
}

/// Whether the rows come to what the shop says that they come to.
fn is_balanced(order: &Value) -> bool {
    let items = order["items"].as_array().unwrap().iter().filter(|item| item["parent_item_id"].is_null());
    let goods: Decimal = items.map(|item| amount(&item["price"]) * amount(&item["qty_ordered"])).sum();
    (goods - amount(&order["subtotal"])).abs() < Decimal::new(1, 2)
}

#[test]
fn i2_a_first_sync_has_every_order_as_the_shop_has_it_and_writes_nothing() {
    let Some(rig) = Rig::unconnected() else { return };
    rig.shop.place(&[(PLAIN, 3), (OTHER, 1)]);
    rig.shop.place(&[(SIZES, 2), (TOGETHER, 1), (APART, 2)]);
    rig.connect("").exits(0);
    rig.home.run("config set magento.page_size 20").exits(0);
    rig.sync();
    let asked = rig.proxy.asked();
    assert!(asked.iter().all(|asked| !asked.is_write()), "{asked:?}");
    let there = rig.shop.orders();
    let here = rig.home.json("orders --limit 0");
    let ids = |rows: &[Value], member: &str| {
        let id = |row: &Value| row[member].to_string().trim_matches('"').parse::<u64>().unwrap();
        rows.iter().map(|row| (id(row), row.clone())).collect::<BTreeMap<_, _>>()
    };
    let (there, here) = (ids(&there, "entity_id"), ids(here.as_array().unwrap(), "remote_id"));
    assert!(there.keys().eq(here.keys()), "{:?} at the shop, {:?} in the book", there.keys(), here.keys());
    let mut wrong = Vec::new();
    for (id, order) in &there {
        let (there, here) = (at_the_shop(order), in_the_book(&rig.show(*id)));
        let differ = there.iter().zip(&here).filter(|(there, here)| there != here);
        wrong.extend(differ.map(|(there, here)| format!("{id}: {there:?} at the shop, {here:?} in the book")));
        assert_eq!(there.len(), here.len(), "{id}: an address is missing\n{there:?}\n{here:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What another program has shipped past the counts (`POST shipment`) is told.
    let is_oversent = oversent(rig.shop, there.values());
    rig.home.run("doctor").exits(if is_oversent { 3 } else { 0 });
    let entries = rig.home.json("inbox");
    let unread = entries.as_array().unwrap().iter().filter(|entry| entry["order"].is_null()).collect::<Vec<_>>();
    assert!(unread.is_empty(), "{unread:?}");
}

#[test]
fn q2_a_sync_with_nothing_new_asks_twice_and_writes_nothing() {
    let Some(rig) = Rig::new() else { return };
    // What changed within the last ten minutes is read at each sync, until they are over.
    let over = "json_set(position, '$.rest.owed', json_extract(position, '$.rest.high') + 1)";
    rig.home.sql(&format!("UPDATE cursors SET position = {over} WHERE walk = 'changes'"));
    rig.sync();
    rig.proxy.asked();
    rig.sync();
    let asked = rig.proxy.asked();
    assert!(asked.len() == 2 && asked.iter().all(|asked| !asked.is_write()), "{asked:?}");
    let run = &rig.home.json("runs")[0];
    assert_eq!(
        (&run["new"], &run["changed"], &run["failed"], &run["requests"]),
        (&json!(0), &json!(0), &json!(0), &json!(2))
    );
}

#[test]
fn d5_a_part_goes_out_and_then_the_rest() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(PLAIN, 3), (OTHER, 1)]);
    rig.on("dispatch", id, &format!("--carrier dhl --tracking JD01 --item {PLAIN}=1 --dry-run")).exits(0);
    assert_eq!((rig.writes(), rig.shop.sent(id)), (0, vec![0.0, 0.0]));
    rig.on("dispatch", id, &format!("--carrier dhl --tracking JD01 --item {PLAIN}=1"))
        .exits(0)
        .prints("confirmed by the channel");
    assert_eq!((rig.writes(), rig.shop.sent(id), rig.status(id).as_str()), (1, vec![1.0, 0.0], "partially-shipped"));
    rig.sync();
    rig.on("dispatch", id, "--carrier ups --tracking 1Z02 --carrier dhl --tracking JD02").exits(0);
    assert_eq!((rig.writes(), rig.shop.sent(id), rig.status(id).as_str()), (1, vec![3.0, 1.0], "shipped"));
    assert_eq!(rig.shop.numbers(id), [vec!["JD01"], vec!["1Z02", "JD02"]]);
    assert_eq!(rig.shop.order(id)["state"], "complete");
    rig.sync();
    assert_eq!(
        (rig.status(id).as_str(), &rig.show(id)["changed_at_channel"], rig.writes()),
        ("shipped", &json!(false), 0)
    );
    rig.on("dispatch", id, "--carrier dhl --tracking JD03").exits(6);
    assert_eq!((rig.writes(), rig.shop.numbers(id).len()), (0, 2));
}

#[test]
fn d5_bundles_and_sizes_go_out_as_the_shop_wants_them() {
    let Some(rig) = Rig::new() else { return };
    let all = [(SIZES, 2), (TOGETHER, 1), (APART, 1), (PLAIN, 1)];
    for goods in [&all[..1], &all[1..2], &all[2..3], &all[2..], &all[..]] {
        let id = rig.paid(goods);
        rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0).prints("confirmed by the channel");
        let order = rig.shop.order(id);
        assert_eq!((text(&order, "state"), rig.status(id).as_str()), ("complete", "shipped"), "{goods:?}");
        assert_eq!(rig.shop.numbers(id), [["JD01"]], "{goods:?}");
        rig.sync();
        assert_eq!(
            (rig.status(id).as_str(), &rig.show(id)["changed_at_channel"]),
            ("shipped", &json!(false)),
            "{goods:?}"
        );
    }
    assert!(rig.outbox().iter().all(|state| state == "confirmed"), "{:?}", rig.outbox());
}

#[test]
fn d5_half_of_a_bundle_that_ships_apart_goes_out_and_then_the_other_half() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(APART, 2), (PLAIN, 2)]);
    let lines = rig.show(id)["lines"].clone();
    let bundle = lines.as_array().unwrap().iter().position(|line| text(line, "name") == APART).unwrap() + 1;
    let half = format!("--carrier dhl --tracking JD01 --item #{bundle}=1");
    rig.on("dispatch", id, &half).exits(0);
    assert_eq!((rig.shop.sent(id), rig.status(id).as_str()), (vec![1.0, 2.0, 1.0, 0.0], "partially-shipped"));
    rig.sync();
    assert_eq!(rig.show(id)["changed_at_channel"], false, "its own parcel is news: {}", rig.show(id)["differences"]);
    rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!((rig.shop.sent(id), rig.status(id).as_str()), (vec![2.0, 4.0, 2.0, 2.0], "shipped"));
    assert_eq!(rig.shop.numbers(id), [["JD01"], ["JD02"]]);
}

/// The shop counts the row of a bundle and those of its parts, and takes half of them for all.
#[test]
fn p12_what_the_shop_calls_complete_with_half_of_it_unsent_is_sent_to_its_end() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(APART, 2), (PLAIN, 2)]);
    let items = rig.shop.rows(id).into_iter().skip(1).zip([2, 1, 1]);
    let items: Vec<Value> = items.map(|(row, qty)| json!({ "order_item_id": row, "qty": qty })).collect();
    rig.shop.post(&format!("order/{id}/ship"), &json!({ "items": items }));
    if text(&rig.shop.order(id), "state") != "complete" {
        println!("this shop counts better: the order is {}", rig.shop.order(id)["state"]);
    }
    rig.sync();
    rig.on("accept", id, "").exits(0);
    assert_eq!(rig.status(id), "partially-shipped");
    rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!((rig.shop.sent(id), rig.status(id).as_str()), (vec![2.0, 4.0, 2.0, 2.0], "shipped"));
}

#[test]
fn d3_a_lost_request_or_answer_ships_once() {
    let Some(rig) = Rig::new() else { return };
    // Of a bundle that ships apart the first call is refused and the second is the one that ships.
    let (part, whole) = ([(PLAIN, 3)], [(APART, 1), (PLAIN, 1)]);
    for (lost, nth, goods) in [
        (Lost::Answer, 1, &part[..]),
        (Lost::Request, 1, &part),
        (Lost::Answer, 1, &whole),
        (Lost::Answer, 2, &whole),
        (Lost::Request, 2, &whole),
    ] {
        let told = format!("{lost:?} of call {nth}, {goods:?}");
        let id = rig.paid(goods);
        let number = if goods.len() == 1 {
            format!("--carrier dhl --tracking JD01 --item {PLAIN}=1")
        } else {
            "--carrier dhl --tracking JD01".to_owned()
        };
        rig.proxy.lose(lost, nth, "/ship");
        rig.on("dispatch", id, &number).done();
        rig.proxy.assert_lost();
        rig.home.run("retry").exits(0);
        rig.sync();
        assert_eq!(rig.shop.numbers(id), [["JD01"]], "{told}");
        assert_eq!(rig.shop.sent(id)[0], 1.0, "{told}");
        assert!(rig.outbox().iter().all(|state| state == "confirmed"), "{told}: {:?}", rig.outbox());
        rig.on("dispatch", id, &number).done();
        assert_eq!(rig.shop.numbers(id), [["JD01"]], "the same dispatch is the same parcel: {told}");
    }
}

#[test]
fn d3_a_parcel_without_a_number_whose_answer_was_lost_ships_once() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(PLAIN, 3)]);
    rig.proxy.lose(Lost::Answer, 1, "/ship");
    rig.on("dispatch", id, &format!("--item {PLAIN}=1")).exits(5);
    assert_eq!(rig.outbox(), ["unknown"]);
    rig.home.run("retry").exits(0);
    assert_eq!((rig.shop.sent(id), rig.outbox()), (vec![1.0], vec!["confirmed".to_owned()]));
}

#[test]
fn d5_a_tracking_number_takes_the_place_of_another() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(PLAIN, 1)]);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD02 --replaces JD01").exits(0);
    assert_eq!((rig.shop.numbers(id), rig.status(id).as_str()), (vec![vec!["JD02".to_owned()]], "shipped"));
    rig.proxy.lose(Lost::Answer, 1, "/shipment/track");
    rig.on("dispatch", id, "--carrier dhl --tracking JD03 --replaces JD02").done();
    rig.proxy.assert_lost();
    rig.home.run("retry").exits(0);
    assert_eq!(rig.shop.numbers(id), [["JD03"]]);
}

#[test]
fn d9_an_order_that_is_not_paid_yet_goes_out_when_the_merchant_says_so() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.shop.place(&[(PLAIN, 1)]);
    rig.sync();
    assert_eq!(rig.status(id), "awaiting-payment");
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("--unpaid");
    assert_eq!(rig.writes(), 0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01 --unpaid").exits(0);
    assert_eq!(
        (rig.shop.numbers(id), text(&rig.shop.order(id), "state")),
        (vec![vec!["JD01".to_owned()]], "processing")
    );
    // The shop itself would cancel it now, and the parcel is on its way.
    rig.on("cancel", id, "--reason late").done();
    assert_eq!(text(&rig.shop.order(id), "state"), "processing", "cancelled although it is sent");
}

#[test]
fn d8_what_can_be_cancelled_is_and_what_cannot_is_refused_before_anything_is_written() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.shop.place(&[(PLAIN, 2)]);
    rig.sync();
    rig.proxy.asked();
    rig.on("cancel", id, "--reason sold-out").exits(0).prints("cancelled here and at the channel");
    assert_eq!((text(&rig.shop.order(id), "state"), rig.status(id).as_str()), ("canceled", "cancelled"));
    let notes = rig.shop.order(id)["status_histories"].to_string();
    assert!(notes.contains("sold-out"), "{notes}");
    rig.sync();
    assert_eq!(rig.show(id)["changed_at_channel"], false);
    // Its answer is lost.
    let id = rig.shop.place(&[(PLAIN, 2)]);
    rig.sync();
    rig.proxy.lose(Lost::Answer, 1, "/cancel");
    rig.on("cancel", id, "").done();
    rig.proxy.assert_lost();
    rig.home.run("retry").exits(0);
    assert_eq!((text(&rig.shop.order(id), "state"), rig.status(id).as_str()), ("canceled", "cancelled"));
    rig.proxy.asked();
    // Invoiced, a part of it invoiced, on hold.
    let whole = rig.paid(&[(PLAIN, 2)]);
    let part = rig.shop.place(&[(PLAIN, 2)]);
    let some = json!({ "capture": true, "items": [{ "order_item_id": rig.shop.rows(part)[0], "qty": 1 }] });
    rig.shop.post(&format!("order/{part}/invoice"), &some);
    let held = rig.shop.place(&[(PLAIN, 2)]);
    assert_eq!(rig.shop.post(&format!("orders/{held}/hold"), &json!({})), true);
    rig.sync();
    for (id, state, words) in
        [(whole, "processing", "invoiced"), (part, "processing", "invoiced"), (held, "holded", "hold")]
    {
        rig.on("cancel", id, "--reason x").exits(6).says(words);
        assert_eq!((rig.writes(), text(&rig.shop.order(id), "state")), (0, state), "{words}");
        assert_ne!(rig.status(id), "cancelled", "{words}");
    }
}

#[test]
fn d1_what_the_merchant_changes_in_the_shop_stops_a_dispatch_until_it_is_accepted() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(PLAIN, 2)]);
    let order = rig.shop.order(id);
    let mut address = order["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"].clone();
    address["street"] = json!(["Neue Gasse 5"]);
    let done = rig.shop.call("PUT", &format!("orders/{id}"), &[], Some(&json!({ "entity": address })));
    assert_eq!(done.status, 200, "{done:?}");
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("Neue Gasse 5");
    assert_eq!((rig.writes(), rig.shop.sent(id)), (0, vec![0.0]));
    rig.on("accept", id, "").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(rig.shop.numbers(id), [["JD01"]]);
    // Cancelled there.
    let id = rig.shop.place(&[(PLAIN, 2)]);
    rig.sync();
    assert_eq!(rig.shop.post(&format!("orders/{id}/cancel"), &json!({})), true);
    rig.proxy.asked();
    rig.on("dispatch", id, "--carrier dhl --tracking JD01 --unpaid").exits(6).says("cancelled");
    assert_eq!(rig.writes(), 0);
    rig.sync();
    assert_eq!(rig.status(id), "cancelled", "one that is not paid follows the channel");
}

#[test]
fn i3_a_part_that_the_shop_ships_itself_is_seen_although_it_moves_no_time() {
    let Some(rig) = Rig::new() else { return };
    let id = rig.paid(&[(PLAIN, 3)]);
    let row = rig.shop.rows(id)[0];
    let ship = |number: &str| {
        let track = json!({ "track_number": number, "title": "DHL", "carrier_code": "custom" });
        rig.shop.post(
            &format!("order/{id}/ship"),
            &json!({ "items": [{ "order_item_id": row, "qty": 1 }], "tracks": [track] }),
        )
    };
    let before = rig.shop.order(id)["updated_at"].clone();
    let shipment = ship("THERE1");
    assert_eq!(rig.shop.order(id)["updated_at"], before, "the shop moves the order's time after all");
    rig.sync();
    let shown = rig.show(id).to_string();
    assert!(shown.contains("THERE1"), "{shown}");
    // A number that is added later is read with the order.
    let entity = json!({ "order_id": id, "parent_id": shipment.to_string().trim_matches('"').parse::<u64>().unwrap(),
        "track_number": "THERE2", "title": "DHL", "carrier_code": "custom", "weight": 0, "qty": 1, "description": "" });
    rig.shop.post("shipment/track", &json!({ "entity": entity }));
    rig.on("pull", id, "").exits(0);
    assert!(rig.show(id).to_string().contains("THERE2"));
    // What is left can be sent from here, and no more.
    rig.proxy.asked();
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("THERE1");
    assert_eq!((rig.writes(), rig.shop.sent(id)), (0, vec![1.0]));
    rig.on("accept", id, "").exits(0);
    assert_eq!(rig.status(id), "partially-shipped");
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!((rig.shop.sent(id), rig.status(id).as_str()), (vec![3.0], "shipped"));
    assert_eq!(rig.shop.numbers(id), [vec!["THERE1", "THERE2"], vec!["JD01"]]);
}

#[test]
fn c6_each_wrong_value_is_refused_as_a_credential_and_nothing_is_connected() {
    let Some(rig) = Rig::unconnected() else { return };
    for name in KEYS {
        for wrong in ["x".repeat(32), "short".to_owned()] {
            rig.connect("").env(&format!("ORDERSYNC_MAGENTO_{name}"), &wrong).exits(4);
        }
    }
    assert!(rig.home.json("connect --list").as_array().unwrap().is_empty());
    assert_eq!(rig.writes(), 0);
}

/// Has the shop send what waits to be sent. How it ends says nothing: a consumer waits for more.
fn consume(command: &str) {
    let _ = std::process::Command::new("sh").args(["-c", command]).output().unwrap();
}

#[test]
fn w1_orders_and_shipments_of_a_part_come_by_webhook_and_the_subscriptions_go_again() {
    let Some(rig) = Rig::new() else { return };
    let Some(command) = std::env::var(format!("{PREFIX}CONSUME")).ok().filter(|command| !command.is_empty()) else {
        println!("skipped: {PREFIX}CONSUME names no command that has the shop deliver");
        return;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = format!("http://127.0.0.1:{port}");
    let mut listening =
        rig.home.spawn(&format!("listen --bind 127.0.0.1:{port} --channel magento --public-url {at}"), &[]);
    until("the subscriptions", || !rig.home.sql("SELECT 1 FROM hooks WHERE checked_at > 0").is_empty());
    assert_eq!(rig.writes(), 5, "one for each topic");
    let id = rig.shop.place(&[(PLAIN, 2)]);
    consume(&command);
    until("the order", || rig.home.sql(&format!("SELECT 1 FROM orders WHERE remote_id = '{id}'")).len() == 1);
    let track = json!({ "track_number": "THERE1", "title": "DHL", "carrier_code": "custom" });
    let items = json!([{ "order_item_id": rig.shop.rows(id)[0], "qty": 1 }]);
    rig.shop.post(&format!("order/{id}/ship"), &json!({ "items": items, "tracks": [track] }));
    consume(&command);
    until("the shipment of a part", || rig.show(id).to_string().contains("THERE1"));
    rig.shop.post(&format!("order/{id}/invoice"), &json!({ "capture": true, "notify": false }));
    consume(&command);
    until("the payment", || rig.show(id)["paid_at"].is_string());
    assert_eq!(rig.writes(), 0, "no delivery has written anything");
    listening.kill().unwrap();
    listening.wait().unwrap();
    rig.home.run("listen --off").exits(0).prints("5 subscriptions taken away");
    let ours = rig.shop.found("async_events", "status", "1");
    assert!(ours.iter().all(|hook| !text(hook, "recipient_url").starts_with(&at)), "{ours:?}");
}
