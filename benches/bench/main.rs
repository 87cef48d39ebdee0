//! `cargo bench`: the statements of the product, measured. It prints a table and fails
//! nothing: whoever changes something that is meant to be fast runs it before and after.
//! `ORDERSYNC_BENCH=quick` takes a fraction of the time.
//!
//! The simulated shop, the programs that everything is held against ([`lean`], [`floor`],
//! `benches/peer.py`) and the real binary are processes of their own, so that the CPU time of each is
//! its own; a process between ([`measure`]) reads it from the kernel when they end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on says where")]

mod book;
mod channels;
mod floor;
mod lean;
mod listen;
mod measure;
mod shop;
mod signing;

/// What signs requests, as the program has it for itself.
#[allow(dead_code, reason = "more than that is in it")]
#[path = "../../src/secret.rs"]
mod secret;
#[allow(dead_code, unused_imports, reason = "more than that is in it")]
#[path = "../../src/http"]
mod http {
    pub(crate) mod oauth1;
    pub(crate) mod sign;
}

use std::path::Path;
use std::time::Duration;

// By these names `http` takes them from the program.
use ordersync::{clock, error};

use measure::{Cost, Program};
use shop::{ShopProcess, Wish};

/// How much is measured.
struct Size {
    /// Orders of a first sync, and its repetitions.
    first: u64,
    repeats: usize,
    /// Orders of a first sync from a slow shop.
    slow: u64,
    /// Orders of the largest first sync, for memory.
    large: u64,
    /// Orders of the generated book.
    book: u64,
    /// What a receiver gets.
    received: listen::Size,
    /// Ids that are compared with a channel's.
    compared: u64,
}

const FULL: Size = Size {
    first: 20_000,
    repeats: 3,
    slow: 10_000,
    large: 200_000,
    book: 1_000_000,
    compared: 100_000,
    received: listen::Size {
        seconds: 60,
        burst: 500,
        first: 100_000,
        refused: 5_000,
        deliveries: 50_000,
        kills: 1_000,
    },
};

const QUICK: Size = Size {
    first: 4_000,
    repeats: 2,
    slow: 4_000,
    large: 50_000,
    book: 100_000,
    compared: 10_000,
    received: listen::Size { seconds: 20, burst: 500, first: 20_000, refused: 1_000, deliveries: 5_000, kills: 50 },
};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shop", rest @ ..] => shop::serve(rest),
        ["lean", kind, url, book] => lean::run(kind, url, Path::new(book)),
        ["floor", url, book] => floor::run(url, Path::new(book)),
        ["measured", report, program, rest @ ..] => measure::run(Path::new(report), program, rest),
        _ => bench(&words),
    }
}

/// One line of the result.
fn row(what: &str, figure: impl std::fmt::Display, target: &str, met: bool) {
    let verdict = match (target, met) {
        ("", _) => "",
        (_, true) => "ok",
        (_, false) => "MISSED",
    };
    println!("{what:<58} {:>24}   {target:<22} {verdict}", figure.to_string());
}

/// `cargo bench -- channels slow` runs those parts only; the name of a channel is a part, too.
fn bench(args: &[&str]) {
    let quick = std::env::var("ORDERSYNC_BENCH").is_ok_and(|value| value == "quick");
    let size = if quick { QUICK } else { FULL };
    let names: Vec<&&str> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let parts = ["start", "channels", "signing", "slow", "memory", "book", "reconcile", "listen"];
    let is_part = |name: &str| parts.contains(&name) || channels::KINDS.iter().any(|kind| kind.name == name);
    if let Some(none) = names.iter().find(|name| !is_part(name)) {
        let kinds: Vec<&str> = channels::KINDS.iter().map(|kind| kind.name).collect();
        eprintln!("{none} is no part of the bench; there are {}, {}", parts.join(", "), kinds.join(", "));
        std::process::exit(2);
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| **wanted == name);
    let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<58} {:>24}   {:<22}", "", "figure", "target");
    if wanted("start") {
        start_up(dir.path());
    }
    for kind in channels::KINDS.iter().filter(|kind| wanted("channels") || wanted(kind.name)) {
        channels::measure(dir.path(), &size, kind);
    }
    if wanted("signing") {
        signing::measure();
    }
    if wanted("slow") {
        slow(dir.path(), &size);
    }
    if wanted("memory") {
        memory(dir.path(), &size);
    }
    if wanted("book") {
        reading(dir.path(), &size);
    }
    if wanted("listen") {
        listen::measure(dir.path(), &size.received);
    }
    if wanted("reconcile") {
        comparing(dir.path(), &size);
    }
}

///
fn start_up(dir: &Path) {
    let program = Program::ordersync(dir);
    let costs = program.many(&["--version"], 30);
    row(
        "start-up (--version), median wall",
        ms(median(&costs, |c| c.wall)),
        "< 5 ms (Q-4)",
        median(&costs, |c| c.wall) < 0.005,
    );
    row("binary size, MB", format!("{:.1}", Program::size() as f64 / 1e6), "", true);
}

/// shops that set no limit and take their time.
fn slow(dir: &Path, size: &Size) {
    for (kind, latencies) in [("woocommerce", &[200][..]), ("magento", &[0, 600])] {
        let shop = ShopProcess::start(Wish { kind, orders: size.slow, repeats: true });
        let sync = |in_flight: &str| {
            let program = connected(&dir.join("slow"), &shop);
            program.run(&["config", "set", &format!("{kind}.in_flight"), in_flight]);
            program.run(&["sync", "--json"])
        };
        let lean = || {
            let book = dir.join("slow.sqlite");
            let _ = std::fs::remove_file(&book);
            Program::this().with_keys_of(&shop).run(&["lean", kind, &shop.url, book.to_str().unwrap()])
        };
        // The shop renders each answer once and repeats it from then on.
        sync("4");
        sync("1");
        lean();
        for ms in latencies {
            println!("{kind}, {} orders at {ms} ms a page", size.slow);
            shop.slow_down(Duration::from_millis(*ms));
            let (four, one, lean) = (sync("4"), sync("1"), lean());
            let told = |cost: &Cost| format!("{:.2} s, {} requests", cost.wall, cost.requests());
            row("  4 in flight", told(&four), "", true);
            row("  page after page", told(&one), "", true);
            row("  the lean program, page after page", format!("{:.2} s", lean.wall), "", true);
            for (what, other) in [("  gain over itself", one), ("  gain over the lean program", lean)] {
                let (gain, target) = (other.wall / four.wall, if *ms > 0 { ">= 3 (Q-5)" } else { "" });
                row(what, format!("{gain:.2}"), target, gain >= 3.0);
            }
        }
    }
}

/// memory, of more orders than [`channels`] has.
fn memory(dir: &Path, size: &Size) {
    let wish = Wish { kind: "woocommerce", orders: size.large, repeats: false };
    let shop = ShopProcess::start(wish);
    let home = dir.join("memory");
    let cost = connected(&home, &shop).run(&["sync", "--json"]);
    assert!(cost.store("new") >= size.large, "{}", cost.output);
    let peak = cost.peak as f64 / 1e6;
    let what = format!("peak memory of a first sync of {} orders, MB", size.large);
    row(&what, format!("{peak:.1}"), "< 67 (64 MiB, Q-1)", peak < 67.1);
    std::fs::remove_dir_all(home).unwrap();
}

/// a large book.
fn reading(dir: &Path, size: &Size) {
    let wish = Wish { kind: "woocommerce", orders: size.first, repeats: false };
    let shop = ShopProcess::start(wish);
    let home = dir.join("book");
    let program = connected(&home, &shop);
    program.run(&["sync"]);
    let file = home.join("orders.sqlite");
    book::multiply(&file, size.book);
    let middle = format!("book:{}", size.book / 2);
    let commands: [&[&str]; 10] = [
        &["status"],
        &["orders"],
        &["orders", "--status", "awaiting-fulfillment"],
        &["orders", "--late"],
        &["orders", "--to-send"],
        &["orders", "--today"],
        &["orders", "--since", "7d", "--json"],
        &["show", &middle],
        &["show", &middle, "--history", "--json"],
        &["orders", "--review"],
    ];
    for args in commands {
        let costs = program.many(args, 15);
        let wall = median(&costs, |c| c.wall);
        row(&format!("{} of {} orders", args.join(" "), size.book), ms(wall), "< 20 ms (Q-3)", wall < 0.020);
    }
    let mut costs: Vec<f64> = program.many(&["orders", "--to-send"], 100).iter().map(|cost| cost.wall).collect();
    costs.sort_by(f64::total_cmp);
    for (what, part) in [("p50", 50), ("p99", 99)] {
        let wall = costs[(costs.len() - 1) * part / 100];
        row(&format!("orders --to-send of {} orders: {what}", size.book), ms(wall), "< 20 ms (Q-3)", wall < 0.020);
    }
    searching(&program, &file, size.book);
}

/// What it costs to hold a channel's whole list against a book that has all of it.
fn comparing(dir: &Path, size: &Size) {
    for kind in ["woocommerce", "shopify"] {
        let shop = ShopProcess::start(Wish { kind, orders: size.compared, repeats: false });
        let home = dir.join("reconcile");
        let program = connected(&home, &shop);
        program.run(&["sync"]);
        let cost = program.run(&["reconcile", "--since", "all", "--json"]);
        let what = format!("{kind}, reconcile of {} ids", size.compared);
        row(&what, format!("{:.1} s, {} requests", cost.wall, cost.listings()), "", true);
        row("  CPU, µs an id", format!("{:.1}", cost.cpu * 1e6 / size.compared as f64), "", true);
        let peak = cost.peak as f64 / 1e6;
        row("  peak memory, MB", format!("{peak:.1}"), "< 67 (64 MiB, Q-1)", peak < 67.1);
        std::fs::remove_dir_all(home).unwrap();
    }
}

/// any search, and what its index costs.
fn searching(program: &Program, file: &Path, orders: u64) {
    let (before, _) = book::bytes(file);
    let first = program.run(&["orders", "--search", "nobody-of-that-name"]);
    let each = first.cpu * 1e6 / orders as f64;
    row("the first search, which makes all searchable", format!("{:.1} s, {each:.1} µs each", first.wall), "", true);
    let (after, index) = book::bytes(file);
    let per_order = |bytes: u64| format!("{:.0}", bytes as f64 / orders as f64);
    row(
        "  index, bytes per order (of the book in all)",
        format!("{} ({})", per_order(index), per_order(after)),
        "",
        true,
    );
    row("  the book grew by, bytes per order", per_order(after.saturating_sub(before)), "", true);
    let mut costs: Vec<(f64, String)> = book::searches(file, 20)
        .into_iter()
        .map(|text| {
            (program.many(&["orders", "--search", &text], 3).iter().map(|c| c.wall).fold(f64::INFINITY, f64::min), text)
        })
        .collect();
    costs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |part: usize| costs[(costs.len() - 1) * part / 100].0;
    let what = format!("orders --search of {orders} orders, {} texts", costs.len());
    row(&format!("{what}: p50"), ms(at(50)), "< 20 ms (Q-3)", at(50) < 0.020);
    row("  p99", ms(at(99)), "< 20 ms (Q-3)", at(99) < 0.020);
    row("  the longest", format!("{} ({})", ms(at(100)), costs[costs.len() - 1].1), "", true);
}

/// A program with a new home, to which the shop is connected.
fn connected(home: &Path, shop: &ShopProcess) -> Program {
    let _ = std::fs::remove_dir_all(home);
    std::fs::create_dir(home).unwrap();
    let program = Program::ordersync(home).with_keys_of(shop);
    let flags = shop.flags.iter().map(String::as_str);
    let args: Vec<&str> = ["connect", &shop.kind].into_iter().chain(flags).chain(["--since", "all"]).collect();
    program.run(&args);
    program
}

fn ms(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

/// Others' work on the machine only ever adds, so the least is nearest to the truth.
fn least(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    costs.iter().map(of).fold(f64::INFINITY, f64::min)
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
