//! `cargo bench`: the statements of the product, measured. It prints a table and fails
//! nothing: whoever changes something that is meant to be fast runs it before and after.
//! `ORDERSYNC_BENCH=quick` takes a fraction of the time.
//!
//! The simulated shop, the bare program that everything is held against ([`floor`]) and the real
//! binary are processes of their own, so that the CPU time of each is its own; a process between
//! ([`measure`]) reads it from the kernel when they end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on says where")]

mod book;
mod floor;
mod measure;
mod shop;

use std::path::{Path, PathBuf};
use std::time::Duration;

use measure::{Cost, Program};
use shop::ShopProcess;

/// How much is measured.
struct Size {
    /// Orders of a first sync, and its repetitions.
    first: u64,
    repeats: usize,
    /// Orders and latency of a first sync from a slow shop.
    slow: u64,
    latency: Duration,
    /// Orders of the largest first sync, for memory.
    large: u64,
    /// Orders of the generated book.
    book: u64,
}

const FULL: Size = Size {
    first: 20_000,
    repeats: 3,
    slow: 10_000,
    latency: Duration::from_millis(200),
    large: 200_000,
    book: 1_000_000,
};

const QUICK: Size =
    Size { first: 4_000, repeats: 2, slow: 2_000, latency: Duration::from_millis(200), large: 50_000, book: 100_000 };

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shop", rest @ ..] => shop::serve(rest),
        ["floor", url, book, documents] => floor::run(url, Path::new(book), documents),
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

/// `cargo bench -- import nothing` runs those parts only.
fn bench(args: &[&str]) {
    let quick = std::env::var("ORDERSYNC_BENCH").is_ok_and(|value| value == "quick");
    let size = if quick { QUICK } else { FULL };
    let names: Vec<&&str> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| **wanted == name);
    let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<58} {:>24}   {:<22}", "", "figure", "target");
    if wanted("start") {
        start_up(dir.path());
    }
    if wanted("import") {
        import(dir.path(), &size);
    }
    if wanted("again") {
        again(dir.path(), &size);
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

/// a first sync over loopback, held against a bare program that fetches, parses and inserts
/// the same.
fn import(dir: &Path, size: &Size) {
    let shop = ShopProcess::start(size.first, Duration::ZERO, true);
    let one = |n: usize| {
        let home = fresh(dir, &format!("import-{n}"));
        let program = Program::ordersync(&home);
        connect(&program, &shop);
        (program.run(&["sync", "--json"]), home)
    };
    // The shop renders each answer once and repeats it from then on.
    let (_, home) = one(0);
    let per_order = std::fs::metadata(home.join("orders.sqlite")).unwrap().len() / size.first;
    let floor_book = dir.join("floor.sqlite");
    let floor = |documents: &str| {
        let _ = std::fs::remove_file(&floor_book);
        Program::this().run(&["floor", &shop.url, floor_book.to_str().unwrap(), documents])
    };
    floor("packed");
    book::compare(&home.join("orders.sqlite"), &floor_book);
    let shop_before = shop.cpu();
    let fetch: Vec<Cost> = (0..size.repeats).map(|_| floor("fetch")).collect();
    let shop_cpu = (shop.cpu() - shop_before) / size.repeats as f64;
    let mut floors = Vec::new();
    let mut plain = Vec::new();
    let mut syncs = Vec::new();
    for n in 1..=size.repeats {
        floors.push(floor("packed"));
        plain.push(floor("plain"));
        syncs.push(one(n).0);
    }
    let orders = size.first as f64;
    let us = |seconds: f64| format!("{:.1} us", seconds * 1e6 / orders);
    row("the shop alone: fetch only, wall per order", us(least(&fetch, |c| c.wall)), "", true);
    row("  its own CPU per order", us(shop_cpu), "", true);
    row("bare program, CPU per order", us(least(&floors, |c| c.cpu)), "", true);
    row("  its documents as they are, not packed", us(least(&plain, |c| c.cpu)), "", true);
    row("first sync, CPU per order", us(least(&syncs, |c| c.cpu)), "", true);
    row("bare program, wall per order", us(least(&floors, |c| c.wall)), "", true);
    row("first sync, wall per order", us(least(&syncs, |c| c.wall)), "", true);
    // The statement speaks of the same rows, so the packed documents count; the other ratio is
    // there to be looked at.
    let ratio = |floors: &[Cost], of: fn(&Cost) -> f64| least(&syncs, of) / least(floors, of);
    let (cpu, wall) = (ratio(&floors, |c| c.cpu), ratio(&floors, |c| c.wall));
    row("first sync / bare program, CPU", format!("{cpu:.2}"), "<= 1.5 (Q-1)", cpu <= 1.5);
    row("first sync / bare program, wall", format!("{wall:.2}"), "<= 1.5 (Q-1)", wall <= 1.5);
    row("  CPU, its documents not packed", format!("{:.2}", ratio(&plain, |c| c.cpu)), "", true);
    row(
        &format!("orders per second ({} orders)", size.first),
        format!("{:.0}", orders / least(&syncs, |c| c.wall)),
        "",
        true,
    );
    row("book, bytes per order", per_order, "", true);
}

/// nothing new, and one order in a hundred changed.
fn again(dir: &Path, size: &Size) {
    let orders = size.first / 2;
    let mut shop = ShopProcess::start(orders, Duration::ZERO, false);
    let home = fresh(dir, "again");
    let program = Program::ordersync(&home);
    connect(&program, &shop);
    program.run(&["sync"]);
    let costs = program.many(&["sync", "--json"], 20);
    let cpu = median(&costs, |c| c.cpu);
    row("sync with nothing new, CPU", ms(cpu), "< 20 ms (Q-2)", cpu < 0.020);
    row("  wall", ms(median(&costs, |c| c.wall)), "", true);
    let requests = costs.last().unwrap().requests();
    row("  requests", requests, "1 (Q-2)", requests == 1);
    shop.change(orders / 100);
    let cost = program.run(&["sync", "--json"]);
    let changed = cost.store("changed");
    row(
        &format!("sync with {changed} of {orders} changed, requests"),
        cost.requests(),
        "2 (Q-2)",
        cost.requests() <= 2,
    );
    row("  CPU", ms(cost.cpu), "", true);
}

/// a shop that takes its time.
fn slow(dir: &Path, size: &Size) {
    let shop = ShopProcess::start(size.slow, size.latency, true);
    let sync = |in_flight: &str| {
        let home = fresh(dir, &format!("slow-{in_flight}"));
        let program = Program::ordersync(&home);
        connect(&program, &shop);
        program.run(&["config", "set", "woocommerce.in_flight", in_flight]);
        program.run(&["sync", "--json"])
    };
    sync("4");
    let (four, one) = (sync("4"), sync("1"));
    let floor_book = dir.join("slow-floor.sqlite");
    let floor = Program::this().run(&["floor", &shop.url, floor_book.to_str().unwrap(), "packed"]);
    let what = format!("{} orders at {} ms a request", size.slow, size.latency.as_millis());
    row(&format!("{what}: 4 in flight"), format!("{:.2} s, {} requests", four.wall, four.requests()), "", true);
    row("  page after page", format!("{:.2} s, {} requests", one.wall, one.requests()), "", true);
    row("  the bare program, page after page", format!("{:.2} s", floor.wall), "", true);
    let gain = floor.wall.min(one.wall) / four.wall;
    row("  gain", format!("{gain:.2}"), ">= 3 (Q-5)", gain >= 3.0);
}

/// memory.
fn memory(dir: &Path, size: &Size) {
    for orders in [20_000, size.large] {
        let shop = ShopProcess::start(orders, Duration::ZERO, false);
        let home = fresh(dir, &format!("memory-{orders}"));
        let program = Program::ordersync(&home);
        connect(&program, &shop);
        let cost = program.run(&["sync", "--json"]);
        assert!(cost.store("new") >= orders, "{}", cost.output);
        let peak = cost.peak as f64 / 1e6;
        row(
            &format!("peak memory of a first sync of {orders} orders, MB"),
            format!("{peak:.1}"),
            "< 67 (64 MiB, Q-1)",
            peak < 67.1,
        );
        std::fs::remove_dir_all(home).unwrap();
    }
}

/// a large book.
fn reading(dir: &Path, size: &Size) {
    let shop = ShopProcess::start(size.first, Duration::ZERO, false);
    let home = fresh(dir, "book");
    let program = Program::ordersync(&home);
    connect(&program, &shop);
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
    searching(&program, &file, size.book);
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

fn connect(program: &Program, shop: &ShopProcess) {
    program.run(&["connect", "woocommerce", "--url", &shop.url, "--since", "all"]);
}

fn fresh(dir: &Path, name: &str) -> PathBuf {
    let home = dir.join(name);
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir(&home).unwrap();
    home
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
