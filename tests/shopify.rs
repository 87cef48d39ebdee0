//! Shopify: what only such a shop does with credentials, budgets and lists. The whole program over
//! real HTTP; the writing side is in `shopify_dispatch.rs`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{TimeDelta, TimeZone, Utc};
use ordersync::channel::{Channel, ChannelKind, Cursor, Format, Next, Range, Values, format};
use ordersync::clock::{Clock, ManualClock};
use ordersync::sim::shopify::{Deaf, NewOrder, Options, REHEARSAL_TOKEN, Shop};
use ordersync::sim::{Fault, FaultKind, Server, ServerOptions, Simulated, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::shopify::Desk;

fn tea(pieces: u32) -> NewOrder {
    NewOrder::paid().line("TEE-001", pieces)
}

/// Amounts of an order as texts without the zeros that say nothing.
fn amounts(shown: &Value, places: &[&str]) -> Vec<String> {
    let plain = |place: &&str| {
        let text = shown.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("{place} of {shown}"));
        text.parse::<rust_decimal::Decimal>().unwrap().normalize().to_string()
    };
    places.iter().map(plain).collect()
}

#[test]
fn either_pair_of_credentials_opens_the_shop_and_half_a_pair_is_named() {
    let desk = Desk::unconnected(Options::rehearsal());
    let bare = || desk.connect("").without("ORDERSYNC_CLIENT_ID").without("ORDERSYNC_CLIENT_SECRET");
    bare().exits(2).says("client_id and client_secret").says("access_token and api_secret");
    bare().env("ORDERSYNC_ACCESS_TOKEN", REHEARSAL_TOKEN).exits(2).says("ORDERSYNC_API_SECRET");
    desk.connect("").without("ORDERSYNC_CLIENT_SECRET").exits(2).says("ORDERSYNC_CLIENT_SECRET");
    assert!(desk.server.requests().is_empty());
    bare().env("ORDERSYNC_ACCESS_TOKEN", REHEARSAL_TOKEN).env("ORDERSYNC_API_SECRET", "x9").exits(0);
    assert_eq!(desk.shop.tokens_fetched(), 0);
    // The other kind for the same shop: its orders stay.
    desk.home.run("connect --reauth shopify").exits(0);
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), 1);
    desk.home.assert_no_secret_in(&desk.home.book());
}

#[test]
fn a_domain_of_the_shops_own_is_refused_with_the_way_to_the_right_one() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.home.run("connect shopify --shop www.tea.example").exits(2).says(".myshopify.com");
    desk.home.run("connect shopify").exits(2).says("--shop");
    assert!(desk.server.requests().is_empty());
}

#[test]
fn what_a_missing_scope_means_is_said_and_nothing_is_deduced_from_silence() {
    let without = |scopes: &[&str]| Desk::unconnected(Options::rehearsal().without(scopes));
    without(&["write_orders"]).connect("").exits(4).says("read_orders");
    without(&["read_all_orders"]).connect("").exits(0).says("60 days");
    let desk = without(&["write_merchant_managed_fulfillment_orders"]);
    desk.connect("").exits(0).says("dispatched");
    let order = desk.place(&tea(1));
    // What the shop does not show is not "nothing to ship".
    desk.on("dispatch", order, "--carrier dhl --tracking JD01")
        .exits(4)
        .says("write_merchant_managed_fulfillment_orders");
    assert_eq!(desk.show(order)["status"], "awaiting-fulfillment");
    assert_eq!(desk.shop.counters().writes, 0);
}

/// The list of an order's fulfilment orders may not be null: denied, it takes the order with it, and
/// the page.
#[test]
fn p8_orders_come_without_the_scope_for_fulfilment_orders_and_none_is_called_gone() {
    const SHIP: &str = "write_merchant_managed_fulfillment_orders";
    for more in ["", "--set bulk=always"] {
        let desk = Desk::unconnected(Options::rehearsal().without(&[SHIP]));
        let early = desk.shop.place_order(tea(1));
        desk.connect(more).exits(0).says(SHIP);
        desk.home.run("sync").exits(0);
        assert_eq!(desk.show(early)["status"], "awaiting-fulfillment", "{more}");
        desk.on("pull", early, "").exits(0);
        desk.home.run("reconcile").exits(0).without("gone");
        desk.on("dispatch", early, "--carrier dhl --tracking JD01").exits(4).says(SHIP).says("nothing was written");
        assert_eq!(desk.shop.counters().writes, 0);
        // Given: the next sync asks for them, and only the first is a request longer.
        desk.shop.options().scopes.push(SHIP.to_owned());
        let late = desk.shop.place_order(tea(1).delivery("PICK_UP"));
        desk.server.clear_requests();
        assert!(!desk.sync()["warnings"].to_string().contains(SHIP));
        assert_eq!((desk.asked("FirstOrders"), &desk.show(late)["lines"][0]["ships"]), (2, &json!(false)), "{more}");
        desk.server.clear_requests();
        desk.sync();
        assert_eq!(desk.server.requests().len(), 1, "{more}");
        desk.on("dispatch", early, "--carrier dhl --tracking JD01").exits(0);
        // Taken away again, which the answer to a query for them says first.
        let held = desk.place(&tea(1));
        desk.shop.options().scopes.retain(|scope| scope != SHIP);
        desk.on("pull", held, "").exits(0);
        desk.on("dispatch", held, "--carrier dhl --tracking JD02").exits(4).says(SHIP);
        let last = desk.shop.place_order(tea(1));
        assert!(desk.sync()["warnings"].to_string().contains(SHIP));
        assert_eq!(
            (&desk.show(held)["status"], &desk.show(last)["status"]),
            (&json!("awaiting-fulfillment"), &json!("awaiting-fulfillment"))
        );
    }
}

#[test]
fn a_version_of_the_api_that_is_gone_is_noticed() {
    let desk = Desk::new();
    desk.shop.options().version = "2027-10".to_owned();
    let report = desk.sync();
    assert!(report["warnings"].to_string().contains("2027-10"), "{report}");
    desk.shop.options().version = "2026-10".to_owned();
    assert_eq!(desk.sync()["warnings"], json!([]));
}

#[test]
fn a_scope_that_is_taken_away_is_noticed_by_the_next_sync() {
    let desk = Desk::new();
    desk.sync();
    desk.shop.options().scopes.retain(|scope| scope != "write_orders");
    assert_eq!(desk.home.json("why shopify:987654321")["verdict"], "refused");
    desk.home.run("sync").exits(4).says("read_orders");
    desk.shop.options().scopes.push("read_orders".to_owned());
    desk.home.run("sync").exits(0);
    desk.on("cancel", desk.shop.place_order(tea(1)), "").exits(7);
    let order = desk.place(&tea(1));
    desk.on("cancel", order, "").exits(4).says("write_orders");
}

#[test]
fn f3_a_token_that_has_run_out_is_fetched_once_more_and_a_revoked_app_is_exit_4_without_a_loop() {
    let desk = Desk::new();
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), 1, "kept between runs");
    desk.shop.end_tokens();
    desk.place(&tea(1));
    assert_eq!((desk.orders(), desk.shop.tokens_fetched()), (1, 2));
    // Fetched tokens that are worth nothing: one more is asked for, then it is over.
    desk.server.faults().add(Fault::new(FaultKind::Unauthorized).on_path("graphql").always());
    desk.home.run("sync").exits(4).says("ordersync connect --reauth shopify");
    assert_eq!(desk.shop.tokens_fetched(), 3);
}

#[test]
fn a_token_that_is_short_of_its_end_is_renewed_before_it() {
    let desk = Desk::with(Options { token_life: 150, ..Options::rehearsal() });
    let fetched = desk.shop.tokens_fetched();
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), fetched, "used while it lasts");
    let file = desk.home.path();
    let saved: Vec<_> = walk(&file).into_iter().filter(|path| path.ends_with("shopify.json")).collect();
    let text = std::fs::read_to_string(&saved[0]).unwrap();
    let mut secrets: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    secrets.insert("token_renew_at".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    std::fs::write(&saved[0], serde_json::to_string(&secrets).unwrap()).unwrap();
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), fetched + 1);
}

#[test]
fn f3_what_the_token_endpoint_refuses_is_told_as_what_it_is() {
    let told =
        [(402, 5, "unpaid bills"), (403, 4, "forbids"), (404, 7, "no store"), (423, 5, "lock"), (430, 5, "attack")];
    for (status, code, words) in told.into_iter().chain([(503, 5, "access_token"), (418, 1, "418")]) {
        let desk = Desk::new();
        desk.shop.end_tokens();
        desk.server.faults().add(Fault::new(FaultKind::ServerError(status)).on_path("access_token").always());
        desk.home.run("sync").exits(code).says(words).without("client id and secret");
        desk.server.faults().clear();
        desk.sync();
        assert_eq!(desk.home.json("inbox"), json!([]), "{status}");
    }
    let desk = Desk::unconnected(Options::rehearsal());
    desk.server.faults().add(Fault::new(FaultKind::HtmlInstead).on_path("access_token").always());
    desk.connect("").exits(1).says("web page (HTML)").says("no token was fetched");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn i6_a_small_budget_costs_time_and_no_order() {
    let desk = Desk::unconnected(Options { bucket: 700.0, restore_rate: 2000.0, ..Options::rehearsal() });
    desk.shop.seed(400, Utc::now() - TimeDelta::days(30), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    desk.server.faults().add(Fault::new(FaultKind::RateLimited(None)).on_path("query Orders").times(2));
    let report = desk.sync();
    assert_eq!((report["new"].clone(), desk.server.faults().pending()), (json!(400), 0));
}

#[test]
fn a_query_that_costs_too_much_is_asked_smaller() {
    let desk = Desk::unconnected(Options { bucket: 20_000.0, ..Options::rehearsal() });
    desk.shop.seed(700, Utc::now() - TimeDelta::days(30), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    assert_eq!(desk.sync()["new"], 700);
    let sizes: Vec<u64> =
        desk.server.requests().iter().filter_map(|one| one.json()["variables"]["first"].as_u64()).collect();
    assert!(sizes.contains(&50) && sizes.iter().any(|size| *size > 80), "{sizes:?}");
    let refused =
        desk.server.requests().iter().filter(|one| one.answer.windows(17).any(|w| w == b"MAX_COST_EXCEEDED")).count();
    assert_eq!(refused, 0);
}

/// The formula is Shopify's own: a page of 50 orders was seen to cost 2,493 points, where one query
/// may cost 1,000.
#[test]
fn a_first_sync_comes_to_its_end_whatever_a_query_costs_and_the_next_process_knows() {
    for price in [4.2, 10.0] {
        let desk = Desk::unconnected(Options { price, restore_rate: 1e6, bucket: 20_000.0, ..Options::rehearsal() });
        desk.shop.seed(620, Utc::now() - TimeDelta::days(30), Utc::now() - TimeDelta::days(1));
        let large = desk.shop.place_order((1..=60).fold(NewOrder::paid(), |order, nth| order.line("TEE-001", nth)));
        desk.connect("").exits(0);
        assert_eq!(desk.sync()["new"], 621, "{price}");
        assert_eq!(desk.show(large)["lines"].as_array().unwrap().len(), 60);
        desk.on("pull", large, "").exits(0);
        let refused = desk.shop.too_dear();
        assert!((1..=20).contains(&refused), "{price}: {refused}");
        desk.sync();
        desk.on("pull", large, "").exits(0);
        assert_eq!(desk.shop.too_dear(), refused, "{price}: what fits is known");
        let sizes = &desk.home.sql("SELECT json_extract(facts, '$.sizes') FROM stores")[0];
        assert!(sizes.contains("\"page\""), "{sizes}");
    }
}

/// A query that is refused for its price costs nothing, so nothing is waited for.
#[test]
fn i6_what_was_refused_for_its_price_is_not_paid_for_by_waiting() {
    let reader = reader(Options { price: 4.2, restore_rate: 10.0, ..Options::default() }, 250);
    let now = reader.clock.now();
    reader.shop.seed(700, now - TimeDelta::days(30), now - TimeDelta::hours(1));
    reader.channel.plan(&Range { since: None, until: None }).unwrap();
    assert!(reader.shop.too_dear() > 1);
    assert_eq!(reader.clock.now(), now);
}

/// How long cursors live is not known. One that is refused costs the way from the beginning;
/// cursors that always are, no run without end.
#[test]
fn i3_a_cursor_that_is_refused_begins_the_walk_anew_and_not_for_ever() {
    let desk = Desk::unconnected(Options { cursors: false, ..Options::rehearsal() });
    for _ in 0..12 {
        desk.shop.place_order(tea(1));
    }
    desk.connect("--set page_size=5").exits(0);
    desk.home.run("sync").exits(1);
    assert!(desk.asked("Orders") < 30, "{}", desk.asked("Orders"));
    desk.shop.options().cursors = true;
    desk.sync();
    assert_eq!(desk.orders(), 12);
}

#[test]
fn orders_with_more_lines_than_a_page_brings_have_all_of_them_in_order() {
    let desk = Desk::new();
    // 20 come with the order, 30 follow, then a hundred at a time.
    let orders = [19, 20, 21, 50, 51, 151, 300].map(|lines| {
        let order = (1..=lines).fold(NewOrder::paid(), |order, nth| order.line("TEE-001", nth));
        (desk.shop.place_order(order), lines)
    });
    desk.sync();
    for (id, lines) in orders {
        let pieces: Vec<Value> =
            desk.show(id)["lines"].as_array().unwrap().iter().map(|l| l["quantity"].clone()).collect();
        assert_eq!(pieces, (1..=lines).map(|nth| json!(nth.to_string())).collect::<Vec<_>>());
    }
    let asked = desk
        .server
        .requests()
        .iter()
        .filter(|one| one.json()["query"].as_str().is_some_and(|text| text.starts_with("query Lines")))
        .count();
    assert_eq!(asked, 1 + 1 + 2 + 3 + 4, "and no question more than it takes");
}

#[test]
fn a_first_sync_is_cut_into_slices_of_like_size_where_most_orders_are_of_last_week() {
    let reader = reader(Options::rehearsal(), 250);
    let now = reader.clock.now();
    reader.shop.seed(100, now - TimeDelta::days(900), now - TimeDelta::days(8));
    reader.shop.seed(2000, now - TimeDelta::days(7), now - TimeDelta::hours(1));
    let plan = reader.channel.plan(&Range { since: None, until: None }).unwrap();
    let mut sizes = Vec::new();
    for slice in plan.slices {
        let (mut at, mut size) = (slice, 0);
        sizes.push(loop {
            let page = reader.channel.page(&at).unwrap();
            size += page.orders.len();
            match page.next {
                Next::More(next) | Next::Wait(next, _) => at = next,
                Next::Done(_) => break size,
            }
        });
    }
    assert_eq!(sizes.iter().sum::<usize>(), 2100);
    assert!((14..=40).contains(&sizes.len()) && sizes.iter().all(|size| *size <= 160), "{sizes:?}");
}

#[test]
fn orders_without_personal_data_are_orders() {
    let desk = Desk::unconnected(Options { personal_data: false, ..Options::rehearsal() });
    desk.shop.seed(60, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    let report = desk.sync();
    assert_eq!((report["new"].clone(), report["failed"].clone()), (json!(60), json!(0)));
    let order = desk.place(&tea(1));
    let shown = desk.show(order);
    assert_eq!(shown["buyer"]["email"].as_str().unwrap_or_default(), "");
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
}

#[test]
fn test_orders_archived_ones_and_edits_come_as_what_they_are() {
    let desk = Desk::new();
    let trial = desk.place(&tea(1).test());
    desk.on("dispatch", trial, "--carrier dhl --tracking JD01").exits(6).says("test order");
    let away = desk.shop.place_order(tea(1));
    desk.shop.put_away(&away.to_string());
    desk.sync();
    assert_eq!(desk.show(away)["status"], "awaiting-fulfillment", "archived is not shipped or cancelled");
    let edited = desk.place(&tea(2).line("MUG-9", 1));
    desk.shop.edit_away(edited, 1);
    desk.on("dispatch", edited, "--carrier dhl --tracking JD02").exits(6).says("lines").says("MUG-9");
    desk.on("accept", edited, "").exits(0);
    assert_eq!(desk.show(edited)["lines"].as_array().unwrap().len(), 1);
    desk.on("dispatch", edited, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!(desk.shop.fulfillments(edited), [(2, vec!["JD02".to_owned()])]);
    let abroad = desk.place(&tea(1).currency("USD"));
    let shown = desk.show(abroad);
    let here = &shown["in_shop_currency"];
    // 12.90 and 4.90 postage in the shop's currency.
    assert_eq!(
        (&shown["currency"], &here["currency"], &here["totals"]["total"]),
        (&json!("USD"), &json!("EUR"), &json!("17.80"))
    );
    assert!(desk.on("show", abroad, "").exits(0).stdout.contains("17.80 EUR for the shop"));
}

#[test]
fn a_bulk_operation_that_fails_is_no_empty_shop_and_its_file_is_fetched_without_the_token() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    desk.shop.fail_bulk(1);
    desk.connect("--set bulk=always").exits(0);
    let report = desk.sync();
    assert_eq!(report["new"], 900, "{report}");
    assert!(desk.shop.bulk_operations() > 0);
    // Nor is one that ends well and found nothing where orders were counted.
    let empty = Desk::unconnected(Options::rehearsal());
    empty.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    empty.shop.empty_bulk(1);
    empty.connect("--set bulk=always").exits(0);
    assert_eq!(empty.sync()["new"], 900);
    let again = Desk::unconnected(Options::rehearsal());
    again.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    again.connect("--set bulk=always").exits(0);
    assert_eq!(again.sync()["new"], 900);
    let files: Vec<_> = again.server.requests().into_iter().filter(|one| one.path.starts_with("/bulk/")).collect();
    assert!(!files.is_empty());
    assert!(files.iter().all(|one| one.headers.iter().all(|(name, _)| name != "x-shopify-access-token")));
    assert!(again.server.requests().iter().any(|one| one.status == Some(206)));
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_first_sync_by_bulk_operations_killed_within_its_files_brings_every_order_once() {
    for point in ["before-import:2", "after-import:2"] {
        let desk = Desk::unconnected(Options::rehearsal());
        desk.shop.seed(1500, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
        desk.connect("--set bulk=always").exits(0);
        let mut deaths = 0;
        while desk.home.run("sync").env("ORDERSYNC_CRASH_AT", point).done().code.is_none() {
            deaths += 1;
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"]);
        }
        assert!(deaths > 3, "{point}: {deaths}");
        assert_eq!(desk.orders(), 1500, "{point}");
        let wrong = "SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)";
        assert_eq!(desk.home.sql(wrong), ["0"]);
    }
}

struct Reader {
    shop: Arc<Shop>,
    _server: Server,
    clock: Arc<ManualClock>,
    channel: Box<dyn Channel>,
    format: Box<dyn Format>,
}

fn reader(options: Options, page_size: u64) -> Reader {
    let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 23, 7, 0, 0).unwrap()));
    let shop = Arc::new(Shop::new(options, clock.clone()));
    let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
    let values = [
        ("shop", "tea-and-cups".to_owned()),
        ("endpoint", server.url().to_owned()),
        ("page_size", page_size.to_string()),
    ];
    let values = Values::from(values.map(|(key, value)| (key.to_owned(), value)));
    let secrets = [("access_token", REHEARSAL_TOKEN), ("api_secret", "x")];
    let format = format(ChannelKind::Shopify, &values).unwrap();
    let channel = support::shopify::channel(&clock, values, secrets);
    Reader { shop, _server: server, clock, channel, format }
}

/// Shopify has it shipped, and the rest of the order with it: a card of plastic left out would
/// never go.
#[test]
fn a_gift_card_that_requires_shipping_ships() {
    let reader = reader(Options::rehearsal(), 5);
    let id = reader.shop.place_order(tea(1)).to_string();
    let mut document: serde_json::Value =
        serde_json::from_str(reader.channel.order(&id).unwrap().unwrap().document.get()).unwrap();
    let ships = |document: &serde_json::Value| {
        reader.format.order(document.to_string().as_bytes()).unwrap().lines.first().unwrap().ships
    };
    document["lineItems"]["nodes"][0]["isGiftCard"] = json!(true);
    assert!(ships(&document));
    document["lineItems"]["nodes"][0]["requiresShipping"] = json!(false);
    assert!(!ships(&document));
}

/// `spec_shopify.rs` asks the vendor's schema for every amount.
#[test]
fn i4_an_order_whose_price_is_null_is_unreadable_and_not_free_of_charge() {
    let reader = reader(Options::rehearsal(), 5);
    let id = reader.shop.place_order(tea(1)).to_string();
    let whole = reader.channel.order(&id).unwrap().unwrap().document.get().to_owned();
    let with = |place: &str, value: serde_json::Value| {
        let mut document: serde_json::Value = serde_json::from_str(&whole).unwrap();
        *document.pointer_mut(place).unwrap() = value;
        reader.format.order(document.to_string().as_bytes())
    };
    let without = |place: &str| with(place, serde_json::Value::Null);
    let promised = ["totalPriceSet", "totalShippingPriceSet", "totalOutstandingSet", "currentTotalPriceSet"];
    let named = promised.map(|member| (format!("/{member}"), member));
    let line = ("/lineItems/nodes/0/originalUnitPriceSet".to_owned(), "originalUnitPriceSet");
    let inner = ("/totalPriceSet/presentmentMoney".to_owned(), "totalPriceSet");
    for (place, member) in named.into_iter().chain([line, inner]) {
        let error = without(&place).unwrap_err();
        assert!(error.message().contains(&format!("{member} is missing")), "{place}: {error}");
    }
    assert!(with("/totalPriceSet/presentmentMoney/amount", json!("")).is_err(), "no digits are no zero either");
    assert!(without("/presentmentCurrencyCode").is_err());
    assert_eq!(without("/totalTaxSet").unwrap().totals.tax.to_string(), "0", "an order may have no taxes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// While orders are changed and placed between the pages, the index lags and walks are cut off
    /// and gone on with later, the syncs meet every order in its last version.
    #[test]
    fn i3_walks_meet_every_order_in_its_last_version(
        orders in 1usize..25,
        changes in prop::collection::vec((0usize..25, 0i64..40), 0..30),
        page_size in 1u64..6,
        lag in 0i64..120,
        pause in 0i64..400,
    ) {
        let reader = reader(Options { lag, ..Options::rehearsal() }, page_size);
        for _ in 0..orders {
            reader.shop.place_order(tea(1));
            reader.clock.advance(TimeDelta::seconds(1));
        }
        reader.clock.advance(TimeDelta::seconds(200));
        let mut seen = BTreeMap::new();
        let plan = reader.channel.plan(&Range { since: None, until: None }).unwrap();
        let mut at = plan.changes;
        let mut changes = changes.into_iter();
        let pages = AtomicU64::new(0);
        for round in 0..4 {
            at = loop {
                prop_assert!(pages.fetch_add(1, Ordering::Relaxed) < 2000, "it ends");
                // As if the process had been killed and gone on after a while: only the text of the
                // position is left.
                let stored = Cursor::from_stored(at.as_str().to_owned());
                reader.clock.advance(TimeDelta::seconds(pause / 10));
                let page = reader.channel.page(&stored).unwrap();
                for order in page.orders {
                    let order = order.order.unwrap();
                    seen.insert(order.remote_id.clone(), order.updated_at);
                }
                if round < 2 && let Some((order, wait)) = changes.next() {
                    reader.clock.advance(TimeDelta::seconds(wait));
                    match reader.shop.numbers().get(order) {
                        Some(id) => { reader.shop.touch(&id.to_string()); }
                        None => { reader.shop.place_order(tea(1)); }
                    }
                }
                match page.next {
                    Next::More(next) | Next::Wait(next, _) => at = next,
                    Next::Done(next) => break next,
                }
            };
            // By the last one the index knows of everything, and the newest minutes are due again.
            reader.clock.advance(TimeDelta::seconds(pause + if round == 2 { 430 } else { 130 }));
        }
        for id in reader.shop.ids() {
            let now = reader.channel.order(&id).unwrap().unwrap().order.unwrap().updated_at;
            prop_assert_eq!(seen.get(&id), Some(&now), "order {} at {}", id, reader.clock.now());
        }
    }
}

/// 2 pieces with ten per cent off, one of them taken out: Shopify goes on telling the discount and
/// the tax of both.
#[test]
fn f7_a_line_of_which_an_edit_took_a_part_has_the_discount_and_the_tax_of_what_is_left() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2).coupon());
    desk.shop.edit_away(order, 0);
    desk.sync();
    let shown = desk.show(order);
    let places = ["/lines/0/quantity", "/lines/0/total", "/lines/0/tax", "/totals/discount", "/totals/total"];
    // 12.90 less 1.29, and 4.90 postage.
    assert_eq!(amounts(&shown, &places), ["1", "11.61", "1.85", "1.29", "16.51"], "{shown}");
    assert_eq!(desk.home.sql("SELECT kind FROM charges WHERE kind = 'other'"), Vec::<String>::new());
}

#[test]
fn a_cancelled_order_keeps_its_lines_in_the_book() {
    let desk = Desk::new();
    let order = desk.place(&tea(2).line("MUG-9", 1));
    desk.shop.cancel(&order.to_string());
    desk.sync();
    desk.on("accept", order, "").exits(0);
    let shown = desk.show(order);
    assert_eq!((&shown["status"], shown["lines"].as_array().unwrap().len()), (&json!("cancelled"), 2), "{shown}");
    assert_eq!(amounts(&shown, &["/lines/0/quantity", "/lines/1/quantity"]), ["2", "1"]);
}

#[test]
fn f7_duties_and_fees_are_charges() {
    let desk = Desk::new();
    let order = desk.place(&tea(1).duties(2000).fee("Import handling", 350));
    let charges = desk.home.sql("SELECT title || ' ' || amount FROM charges WHERE kind = 'fee' ORDER BY position");
    assert_eq!(charges, ["Duties 20.0", "Import handling 3.5"]);
    assert_eq!(amounts(&desk.show(order), &["/totals/total"]), ["41.3"]);
    assert_eq!(desk.home.sql("SELECT kind FROM charges WHERE kind = 'other'"), Vec::<String>::new());
}

#[test]
fn p12_what_left_the_house_is_shipped_whatever_became_of_the_money() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(1));
    desk.shop.ship_elsewhere(&order.to_string(), "DHL", "JD01");
    desk.shop.expire(order);
    let waits = desk.shop.place_order(tea(1));
    desk.shop.expire(waits);
    desk.sync();
    assert_eq!(desk.show(order)["status"], "shipped");
    assert_eq!(desk.show(waits)["status"], "awaiting-payment");
}

#[test]
fn p12_goods_that_need_no_parcel_of_the_merchants_are_marked() {
    for (method, word) in [("PICK_UP", "picked up"), ("LOCAL", "the shop itself"), ("RETAIL", "in the shop")] {
        let desk = Desk::new();
        let order = desk.place(&tea(1).line("MUG-9", 1).line("VOUCHER-25", 1).delivery(method));
        let shown = desk.show(order);
        assert_eq!(shown["lines"][0]["ships"], false, "{method}: {shown}");
        assert!(shown["attributes"].to_string().contains(word), "{method}: {shown}");
    }
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2).line("MUG-9", 1));
    desk.shop.outsource(order, 1);
    desk.sync();
    let shown = desk.show(order);
    assert_eq!((&shown["lines"][0]["ships"], &shown["lines"][1]["ships"]), (&json!(true), &json!(false)), "{shown}");
    assert!(shown["attributes"].to_string().contains("MUG-9"), "{shown}");
}

/// Lists without pages come with 20 members. What the 21st says is asked for, by pages and by bulk
/// operations alike.
#[test]
fn nothing_is_cut_off_a_long_list_of_fulfilments() {
    for bulk in ["never", "always"] {
        let desk = Desk::unconnected(Options::rehearsal());
        let order = desk.shop.place_order(tea(1));
        desk.shop.try_often(order, 23);
        desk.connect(&format!("--set bulk={bulk}")).exits(0);
        desk.sync();
        let shown = desk.show(order);
        assert!(shown["shipments"].to_string().contains("TRY022"), "{bulk}: {shown}");
        assert_eq!(
            desk.home.json(&format!("pull shopify:{order}"))["result"],
            "unchanged",
            "one document whichever way it came"
        );
    }
}

#[test]
fn i3_a_list_that_is_not_what_was_asked_for_ends_the_sync_and_moves_nothing() {
    let whole = Options::rehearsal().deaf;
    let deaf = [
        (Deaf { order: true, ..whole }, "not in the order"),
        (Deaf { most_rows: 10, ends: true, ..whole }, "Shopify counts"),
    ];
    for (deaf, said) in deaf {
        let desk = Desk::unconnected(Options::rehearsal());
        desk.shop.seed(80, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        desk.connect("").exits(0);
        let new = desk.shop.place_order(tea(1));
        desk.shop.options().deaf = deaf;
        desk.home.run("sync").exits(1).says(said);
        desk.shop.options().deaf = whole;
        desk.sync();
        assert_eq!((desk.orders(), &desk.show(new)["status"]), (81, &json!("awaiting-fulfillment")), "{said}");
    }
}

/// The search index has one order wrong, for a moment or for longer.
#[test]
fn i3_one_order_that_is_older_than_the_filter_is_asked_for_again_and_then_named_and_moves_nothing() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(80, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    desk.sync();
    desk.shop.options().deaf.strays = 1;
    let new = desk.shop.place_order(tea(1));
    assert_eq!(desk.sync()["new"], json!(1), "a moment later it is right");
    desk.shop.options().deaf.strays = 5;
    let next = desk.shop.place_order(tea(1));
    for _ in 0..2 {
        desk.home
            .run("sync")
            .exits(1)
            .says("before the time that was asked for")
            .says("nothing of this page was imported");
    }
    desk.sync();
    assert_eq!((desk.orders(), &desk.show(new)["status"]), (82, &json!("awaiting-fulfillment")));
    assert_eq!(desk.show(next)["status"], "awaiting-fulfillment");
}

/// A hold is of a fulfilment order: the order's own time does not move.
#[test]
fn i2_holds_that_begin_or_end_after_the_import_are_seen_and_cost_no_request_where_there_are_none() {
    let desk = Desk::new();
    let ids: Vec<u64> = (0..30).map(|_| desk.shop.place_order(tea(1))).collect();
    desk.sync();
    desk.server.clear_requests();
    desk.sync();
    assert_eq!(desk.server.requests().len(), 1);
    let status = |nth: usize| desk.show(ids[nth])["status"].clone();
    assert!(desk.shop.hold(ids[3], "Awaiting payment") && desk.shop.schedule(ids[4]));
    desk.sync();
    assert_eq!((status(3), status(4), status(5)), (json!("on-hold"), json!("on-hold"), json!("awaiting-fulfillment")));
    desk.server.clear_requests();
    desk.sync();
    assert_eq!(desk.server.requests().len(), 1, "held as before");
    assert!(desk.shop.release(ids[3]));
    desk.server.clear_requests();
    desk.sync();
    assert_eq!((status(3), status(4)), (json!("awaiting-fulfillment"), json!("on-hold")));
    assert!(desk.server.requests().len() <= 2, "and what has changed in one");
    // Many at once.
    ids.iter().for_each(|id| assert!(desk.shop.hold(*id, "Inventory out of stock")));
    desk.sync();
    assert_eq!(desk.home.json("orders --status on-hold --limit 0").as_array().unwrap().len(), 30);
    ids.iter().for_each(|id| assert!(desk.shop.release(*id)));
    desk.sync();
    // What is scheduled stays so.
    assert_eq!(desk.home.json("orders --status on-hold --limit 0").as_array().unwrap().len(), 1);
}

/// The word for an order in parts says nothing of its rest; its fulfilment orders do.
#[test]
fn i2_a_hold_of_the_rest_of_an_order_that_begins_or_ends_after_the_import_is_seen() {
    let desk = Desk::new();
    // Long enough ago that no sync reads them again for their own times.
    desk.shop.set_clock(-2 * 1_440);
    let ids: Vec<u64> = (0..3).map(|_| desk.shop.place_order(tea(2))).collect();
    for id in &ids {
        assert!(desk.shop.ship_pieces(&id.to_string(), 0, 1, "DHL", &format!("JD{id}")));
    }
    desk.shop.set_clock(0);
    desk.shop.place_order(tea(1));
    desk.sync();
    let differs = |nth: usize| desk.show(ids[nth])["differences"].to_string();
    assert_eq!((&desk.show(ids[0])["status"], differs(0).as_str()), (&json!("partially-shipped"), "[]"));
    assert!(desk.shop.hold(ids[0], "Awaiting payment"));
    desk.sync();
    assert!(differs(0).contains("on hold"), "{}", differs(0));
    assert_eq!(differs(1), "[]");
    desk.server.clear_requests();
    desk.sync();
    assert_eq!(desk.server.requests().len(), 1, "held as before");
    assert!(desk.shop.release(ids[0]));
    desk.sync();
    assert_eq!((differs(0).as_str(), differs(1).as_str()), ("[]", "[]"));
}

/// What is held back was so before the first sync, and is older than what is imported.
#[test]
fn i2_an_order_from_before_the_import_does_not_come_for_being_held_back() {
    for many in [1, 320] {
        let desk = Desk::unconnected(Options::rehearsal());
        let long_ago = Utc::now() - TimeDelta::days(40);
        let old: Vec<u64> = (0..3).map(|_| desk.shop.place_order(tea(2).at(long_ago))).collect();
        let new = desk.shop.place_order(tea(1).at(Utc::now() - TimeDelta::days(2)));
        desk.shop.seed(many as u64, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
        assert!(desk.shop.schedule(old[0]) && desk.shop.hold(old[1], "Awaiting payment"));
        let flags = desk.shop.access(desk.server.url()).flags.join(" ");
        desk.home.run(&format!("connect shopify --since 30d {flags}")).exits(0);
        for _ in 0..2 {
            desk.sync();
            assert_eq!(desk.orders(), many + 1, "of those that are held none");
        }
        assert!(desk.shop.hold(new, "Awaiting payment"));
        desk.sync();
        assert_eq!((desk.orders(), &desk.show(new)["status"]), (many + 1, &json!("on-hold")));
    }
}

#[test]
fn i4_an_order_that_shopify_cannot_show_costs_one_order_in_slices_and_in_changes() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(400, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    let ids = desk.shop.ids();
    for bad in [&ids[0], &ids[137], &ids[399]] {
        desk.shop.set_unrenderable(bad, true);
    }
    desk.connect("").exits(0);
    desk.home.run("sync").exits(3);
    assert_eq!(desk.orders(), 397);
    let inbox = desk.home.json("inbox").to_string();
    assert!(inbox.contains(&ids[0]) && inbox.contains(&ids[137]) && inbox.contains(&ids[399]), "{inbox}");
    // Of three orders of one moment the second; the walk goes on behind it.
    let now = Utc::now();
    let three = [1, 2, 3].map(|pieces| desk.shop.place_order(tea(pieces).at(now)));
    let after = desk.shop.place_order(tea(4));
    desk.shop.set_unrenderable(&three[1].to_string(), true);
    desk.server.clear_requests();
    desk.home.run("sync").exits(3);
    assert!(desk.server.requests().len() < 90, "{}", desk.server.requests().len());
    for shown in [three[0], three[2], after] {
        assert_eq!(desk.show(shown)["status"], "awaiting-fulfillment");
    }
    assert!(desk.home.json("inbox").to_string().contains(&three[1].to_string()));
    let last = desk.place(&tea(5));
    assert_eq!(desk.show(last)["status"], "awaiting-fulfillment");
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 4, "each is said once");
}

#[test]
fn i4_orders_of_one_second_around_two_that_cannot_be_shown_are_read_from_both_ends() {
    let desk = Desk::unconnected(Options::rehearsal());
    let before = Utc::now() - TimeDelta::hours(1);
    let ids: Vec<u64> = (0..40).map(|_| desk.shop.place_order(tea(1).at(before))).collect();
    let later = desk.shop.place_order(tea(1).at(before + TimeDelta::seconds(1)));
    for bad in [ids[9], ids[10]] {
        desk.shop.set_unrenderable(&bad.to_string(), true);
    }
    desk.connect("").exits(0);
    desk.home.run("sync").exits(3);
    assert_eq!(desk.orders(), 39);
    desk.show(later);
    let inbox = desk.home.json("inbox").to_string();
    assert!(inbox.contains(&ids[9].to_string()) && inbox.contains(&ids[10].to_string()), "{inbox}");
}

#[test]
fn i3_a_bulk_operation_that_never_ends_is_given_up_after_hours_and_its_orders_come_in_pages() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    desk.shop.stall_bulk(1);
    desk.connect("--set bulk=always").exits(0);
    let mut sync = desk.home.spawn("sync", &[]);
    let waits = "SELECT count(*) FROM cursors WHERE position ->> '$.bulk.looks' > 0";
    support::program::until("a look at the operation", || desk.home.sql(waits) == ["1"]);
    sync.kill().unwrap();
    sync.wait().unwrap();
    let hours = format!(
        "UPDATE cursors SET position = json_set(position, '$.bulk.started', {})",
        Utc::now().timestamp() - 4 * 3600
    );
    desk.home.sql(&format!("{hours} WHERE position ->> '$.bulk.looks' > 0"));
    let report = desk.sync();
    assert!(report["warnings"].to_string().contains("not ended"), "{report}");
    assert_eq!((desk.orders(), desk.shop.bulk_operations()), (900, 1));
}

#[test]
fn i3_a_bulk_file_that_lacks_rows_is_not_taken_for_whole() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    desk.shop.shorten_bulk(1);
    desk.connect("--set bulk=always").exits(0);
    let report = desk.sync();
    assert!(report["warnings"].to_string().contains("fewer"), "{report}");
    let without = "SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)";
    assert_eq!((desk.orders(), desk.home.sql(without)), (900, vec!["0".to_owned()]));
}

/// A shop in whose answers some bytes are others.
struct Spoiled {
    shop: Arc<Shop>,
    from: &'static [u8],
    to: &'static [u8],
}

impl Store for Spoiled {
    fn handle(&self, request: &ordersync::sim::Request) -> ordersync::sim::Response {
        let mut response = self.shop.handle(request);
        if let Some(at) = response.body.windows(self.from.len()).position(|bytes| bytes == self.from) {
            response.body.splice(at..at + self.from.len(), self.to.iter().copied());
        }
        response
    }
}

#[test]
fn i4_bytes_of_one_order_that_are_no_json_cost_one_order_and_its_id_is_known() {
    for to in [&br#""note":1e999"#[..], b"\"note\":\"\xff\"", b"\"note\":{", br#""note":1,"note":2"#] {
        let reader = reader(Options::rehearsal(), 250);
        let orders = ["a", "SPOIL", "b"].map(|note| reader.shop.place_order(tea(1).note(note)).to_string());
        let spoiled = Spoiled { shop: reader.shop.clone(), from: br#""note":"SPOIL""#, to };
        let server = Server::start(Arc::new(spoiled), ServerOptions::default()).unwrap();
        let values = [("shop", "tea-and-cups".to_owned()), ("endpoint", server.url().to_owned())];
        let values = Values::from(values.map(|(key, value)| (key.to_owned(), value)));
        let channel =
            support::shopify::channel(&reader.clock, values, [("access_token", REHEARSAL_TOKEN), ("api_secret", "x")]);
        let mut at = channel.plan(&Range { since: None, until: None }).unwrap().changes;
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        loop {
            let page = channel.page(&at).unwrap();
            for order in page.orders {
                if order.order.is_ok() { good.push(order.remote_id) } else { bad.push(order.remote_id) }
            }
            bad.extend(page.unshown.into_iter().filter_map(|unshown| unshown.remote_id));
            match page.next {
                Next::More(next) | Next::Wait(next, _) => at = next,
                Next::Done(_) => break,
            }
        }
        assert_eq!(good, [orders[0].clone(), orders[2].clone()], "{}", String::from_utf8_lossy(to));
        assert_eq!(bad, [orders[1].clone()], "{}", String::from_utf8_lossy(to));
    }
}

/// A pair that was named is not mixed with another kind of credentials that the environment has.
#[test]
fn c4_of_two_ways_in_the_one_that_was_named_is_taken() {
    let desk = Desk::unconnected(Options::rehearsal());
    let file = desk.home.file("key.toml", "access_token = \"shpat_1\"\napi_secret = \"shpss_1\"\n");
    let call = desk.connect(&format!("--credentials {file}"));
    let call = call.env("ORDERSYNC_SHOPIFY_CLIENT_ID", "id").env("ORDERSYNC_SHOPIFY_CLIENT_SECRET", "secret");
    call.exits(4).without("shpat_1");
    assert_eq!(desk.shop.tokens_fetched(), 0);
}

/// Nothing tells an order that is hidden for its age from one that never was.
#[test]
fn why_says_of_an_order_that_may_be_hidden_for_its_age_which_scope_is_missing() {
    for hidden in [true, false] {
        let options = Options::rehearsal();
        let desk = Desk::unconnected(if hidden { options.without(&["read_all_orders"]) } else { options });
        desk.connect("").exits(0);
        desk.home.run("sync").exits(0);
        let told = desk.home.json("why shopify:987654321");
        let text = format!("{} {}", told["text"], told["hint"]);
        assert_eq!(told["verdict"], if hidden { "refused" } else { "not-there" }, "{told}");
        assert_eq!(text.contains("read_all_orders"), hidden, "{told}");
    }
}
