//! What each channel costs, held against the lean program ([`crate::lean`]) in the same run: a
//! first sync, a sync with nothing new and one with a hundredth changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use rust_decimal::Decimal;

use crate::lean::Sums;
use crate::measure::{Cost, Program};
use crate::shop::{ShopProcess, Wish};
use crate::{Size, book, connected, least, median, ms, row};

/// A channel, and the fewest requests in which it tells that nothing is new, and what has changed.
/// BigCommerce has its archived orders, Etsy its cancelled ones and Magento shipments and credit
/// memos on lists of their own: what was made there since, and what belongs to changed orders.
///
/// What the requests of a sync with changes buy, also those beyond that:
///
/// - the page;
/// - behind a page of ten orders or more, and of as many as ever came at once, a question for what
///   is behind it (WooCommerce, Magento, Etsy): something that cuts pages may count what it gives.
///   Behind shorter ones there is none, so a shop with many changes has it now and then;
/// - BigCommerce, which tells no count with its pages, its count: nothing else shows that a page was
///   cut, or that orders are hidden. And the refunds of these orders, which are in no order;
/// - Etsy the cancelled orders, which the other list may leave out;
/// - Magento the shipments of these orders, the credit memos of those that were refunded, and the new
///   shipments of others, which move no order's time;
/// - Shopify, of an order with more than twenty lines, the others. Each such order takes a request of
///   its own, and one for several of them would do. It has pages of fifty until it is known what one
///   costs.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    nothing: u64,
    changed: u64,
}

/// The channels.
pub const KINDS: [Kind; 6] = [
    Kind { name: "woocommerce", nothing: 1, changed: 2 },
    Kind { name: "bigcommerce", nothing: 2, changed: 2 },
    Kind { name: "shopify", nothing: 1, changed: 2 },
    Kind { name: "magento", nothing: 2, changed: 3 },
    Kind { name: "ebay", nothing: 1, changed: 2 },
    Kind { name: "etsy", nothing: 2, changed: 2 },
];

/// All figures of a channel.
pub fn measure(dir: &Path, size: &Size, kind: &Kind) {
    println!("{}, {} orders", kind.name, size.first);
    first(dir, size, kind.name);
    again(dir, size, kind);
}

/// A program that the first sync is held against, and where its tables go.
struct Rival {
    name: &'static str,
    program: Program,
    args: Vec<String>,
    file: PathBuf,
    /// How many times as much the first sync may cost at most, CPU and wall.
    target: [Option<f64>; 2],
    costs: Vec<Cost>,
}

impl Rival {
    fn run(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.file.display()));
        }
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.costs.push(self.program.run(&args));
    }
}

fn first(dir: &Path, size: &Size, kind: &str) {
    let shop = ShopProcess::start(Wish { kind, orders: size.first, repeats: true });
    let home = dir.join(format!("{kind}-first"));
    let sync = || {
        let program = connected(&home, &shop);
        shop.bytes();
        program.run(&["sync", "--json"])
    };
    // The shop renders each answer once and repeats it from then on.
    sync();
    let ours = shop.bytes();
    let sums = sums(&home.join("orders.sqlite"));
    assert_eq!(sums.orders, size.first, "orders in the book");
    let mut rivals = rivals(dir, &shop);
    let mut requests = 0;
    for rival in &mut rivals {
        shop.bytes();
        rival.run();
        let theirs = shop.bytes();
        if rival.name == "bare program" {
            book::compare(&home.join("orders.sqlite"), &rival.file);
            continue;
        }
        let found: Sums = serde_json::from_str(&rival.costs[0].output).unwrap();
        requests = found.requests;
        assert_eq!(found, Sums { requests, ..sums }, "{}: another book than ordersync's", rival.name);
        assert!(ours.abs_diff(theirs) * 10 < ours, "{}: {theirs} bytes came, of ordersync's {ours}", rival.name);
    }
    let shop_before = shop.cpu();
    let mut syncs = Vec::new();
    for _ in 0..size.repeats {
        rivals.iter_mut().for_each(Rival::run);
        syncs.push(sync());
    }
    let shop_cpu = (shop.cpu() - shop_before) / (size.repeats * (rivals.len() + 1)) as f64;
    print(size, &home, &rivals, &syncs);
    let per_order = |count: u64| count / size.first;
    row("  requests (the lean program's)", format!("{} ({requests})", syncs[0].requests()), "", true);
    row("  bytes that came per order", per_order(ours), "", true);
    row("  the shop's own CPU per order", us(shop_cpu, size), "", true);
}

/// The programs that this channel is held against.
fn rivals(dir: &Path, shop: &ShopProcess) -> Vec<Rival> {
    let rival = |name: &'static str, program: Program, before: &[&str], target| {
        let file = dir.join(format!("{}.sqlite", name.replace(' ', "-")));
        let args = before.iter().copied().chain([shop.url.as_str(), file.to_str().unwrap()]);
        let args = args.map(str::to_owned).collect();
        Rival { name, program: program.with_keys_of(shop), args, file, target, costs: Vec::new() }
    };
    // Where a slice of Shopify's orders ends depends on the second, so the shop cannot repeat itself:
    // it renders each page anew, which takes longer than all else.
    let wall = (shop.kind != "shopify").then_some(1.25);
    let mut rivals = vec![rival("lean program", Program::this(), &["lean", &shop.kind], [Some(2.0), wall])];
    if shop.kind == "woocommerce" {
        rivals.push(rival("bare program", Program::this(), &["floor"], [None; 2]));
        let python = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
        if python.is_ok_and(|status| status.success()) {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer.py");
            rivals.push(rival("Python peer", Program::at("python3".into()), &[script], [None; 2]));
        }
    }
    rivals
}

fn us(seconds: f64, size: &Size) -> String {
    format!("{:.1} us", seconds * 1e6 / size.first as f64)
}

fn print(size: &Size, home: &Path, rivals: &[Rival], syncs: &[Cost]) {
    let (cpu, wall) = (|cost: &Cost| cost.cpu, |cost: &Cost| cost.wall);
    row("  first sync, CPU per order", us(least(syncs, cpu), size), "", true);
    row("    wall", us(least(syncs, wall), size), "", true);
    for Rival { name, target, costs, .. } in rivals {
        row(&format!("  {name}, CPU per order"), us(least(costs, cpu), size), "", true);
        row("    wall", us(least(costs, wall), size), "", true);
        let ratios = [least(syncs, cpu) / least(costs, cpu), least(syncs, wall) / least(costs, wall)];
        for ((what, ratio), most) in ["CPU", "wall"].into_iter().zip(ratios).zip(*target) {
            let target = most.map(|most| format!("<= {most} (Q-1)")).unwrap_or_default();
            let what = format!("  first sync / {name}, {what}");
            row(&what, format!("{ratio:.2}"), &target, most.is_none_or(|most| ratio <= most));
        }
    }
    let peak = syncs.iter().map(|cost| cost.peak).max().unwrap_or(0) as f64 / 1e6;
    row("  peak memory, MB", format!("{peak:.1}"), "< 67 (64 MiB, Q-1)", peak < 67.1);
    let bytes = std::fs::metadata(home.join("orders.sqlite")).unwrap().len();
    row("  book, bytes per order", bytes / size.first, "", true);
}

/// The sums of ordersync's own book, as the lean program has them of its.
fn sums(file: &Path) -> Sums {
    let db = Connection::open(file).unwrap();
    let count =
        |table: &str| -> i64 { db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap() };
    let mut totals = db.prepare("SELECT total FROM orders").unwrap();
    let totals = totals.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let total: Decimal = totals.map(|total| total.unwrap().parse::<Decimal>().unwrap()).sum();
    let units = (total * Decimal::from(10_000)).try_into().unwrap();
    Sums { orders: count("orders") as u64, total: units, lines: count("lines") as u64, requests: 0 }
}

/// nothing new, and one order in a hundred changed.
fn again(dir: &Path, size: &Size, kind: &Kind) {
    let orders = size.first / 2;
    let shop = ShopProcess::start(Wish { kind: kind.name, orders, repeats: false });
    let program = connected(&dir.join(format!("{}-again", kind.name)), &shop);
    program.run(&["sync"]);
    // What is looked through once a day.
    let daily = program.run(&["sync", "--json"]).requests();
    let costs = program.many(&["sync", "--json"], 20);
    let cpu = median(&costs, |c| c.cpu);
    row("  nothing new, CPU", ms(cpu), "< 20 ms (Q-2)", cpu < 0.020);
    row("    wall", ms(median(&costs, |c| c.wall)), "", true);
    let requests = costs.iter().map(Cost::requests).max().unwrap_or(0);
    let (nothing, changed) = (kind.nothing, kind.changed);
    let what = "    requests (of the first one of a day)";
    row(what, format!("{requests} ({daily})"), &format!("{nothing} (Q-2)"), requests <= nothing);
    shop.change(orders / 100);
    let cost = program.run(&["sync", "--json"]);
    let what = format!("  {} of {orders} changed, requests", cost.store("changed"));
    row(&what, cost.requests(), &format!("{changed} (Q-2)"), cost.requests() <= changed);
    row("    CPU", ms(cost.cpu), "", true);
}
