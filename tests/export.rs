//! `export`: every row that fits, the same bytes of the same book, and never half of them under the
//! name of the whole.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::page::section;
use support::program::until;
use support::woo::Rig;

const SHEETS: [&str; 5] = ["orders", "lines", "shipments", "refunds", "charges"];

/// A home whose book has something for every sheet: 1 is sent in two parcels, 2 has refunds, 3 is
/// as it came.
fn rig() -> Rig {
    let (rig, ids) = Rig::with_orders(&[2, 2, 1]);
    rig.dispatch(ids[0], "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z02").exits(0);
    rig.shop.refund(ids[1], "1.00", "late").unwrap();
    rig.sync();
    rig.home.run("refund 2 --amount 2 --line #1=1 --reason scratched").exits(0);
    rig
}

/// The rows of an export as JSON.
fn rows(rig: &Rig, words: &str) -> Vec<Value> {
    let done = rig.home.run(&format!("export --format ndjson {words}")).exits(0);
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The cells of a column.
fn column(rig: &Rig, name: &str, words: &str) -> Vec<Value> {
    rows(rig, words).into_iter().map(|row| row[name].clone()).collect()
}

/// Gives the book so many orders like its third one.
fn multiply(rig: &Rig, orders: u32) {
    let columns = rig.home.sql("SELECT group_concat(name, ', ') FROM pragma_table_info('orders')").remove(0);
    let values = columns.replace("number", "'N' || n").replace("remote_id", "'R' || n").replacen("id,", "100 + n,", 1);
    let values = values.replace("buyer_'R' || n", "buyer_remote_id");
    rig.home.sql(&format!(
        "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < {orders})
         INSERT INTO orders ({columns}) SELECT {values} FROM orders, c WHERE id = 3 RETURNING 1"
    ));
}

/// What is left in the directory beside the home.
fn files(rig: &Rig) -> Vec<String> {
    let dir = std::fs::read_dir(rig.home.beside("")).unwrap();
    let mut names: Vec<String> = dir.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "home");
    names.sort_unstable();
    names
}

#[test]
fn c1_the_columns_of_an_export_are_those_of_the_page_in_both_formats_and_of_the_types_it_says() {
    let rig = rig();
    for sheet in SHEETS {
        let page = section(&format!("export --what {sheet}"));
        let names: Vec<&str> = page.iter().map(|entry| entry.name.as_str()).collect();
        let csv = rig.home.run(&format!("export --what {sheet}")).exits(0).stdout;
        assert_eq!(csv.lines().next().unwrap().split(',').collect::<Vec<_>>(), names, "{sheet}");
        let ndjson = rig.home.run(&format!("export --what {sheet} --json")).exits(0).stdout;
        assert!(ndjson.lines().count() > 0 && csv.lines().count() == ndjson.lines().count() + 1, "{sheet}: {ndjson}");
        for line in ndjson.lines() {
            let places: Vec<usize> = names.iter().map(|name| line.find(&format!("\"{name}\":")).unwrap()).collect();
            assert!(places.is_sorted(), "{sheet}: the keys are in the order of the columns: {line}");
            let row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(row.as_object().unwrap().len(), page.len(), "{sheet}");
            for entry in &page {
                let value = &row[&entry.name];
                assert!(entry.fits(value), "{sheet}: {} is {value}, and the page says {entry:?}", entry.name);
            }
        }
    }
}

#[test]
fn what_is_exported_is_what_show_has() {
    let rig = rig();
    let (first, second) = (rig.home.json("show 1"), rig.home.json("show 2"));
    let orders = rows(&rig, "");
    assert_eq!(orders.len(), 3);
    for (key, path) in
        [("total", "/totals/total"), ("tax_total", "/totals/tax"), ("refunded_total", "/totals/refunded")]
    {
        assert_eq!(Some(&orders[1][key]), second.pointer(path), "{key}");
    }
    assert_eq!(orders[1]["refunded_by_hand"], "2.00");
    assert_eq!(orders[0]["tracking"], json!(["JD01", "1Z02"]));
    assert_eq!((&orders[0]["status"], &orders[0]["country"]), (&first["status"], &first["ship_to"][0]["country"]));
    let line = &rows(&rig, "--what lines")[0];
    for key in ["sku", "name", "quantity", "refunded", "shipped", "left", "unit_price", "total", "tax"] {
        assert_eq!(line[key], first["lines"][0][key], "{key}");
    }
    let parcels = rows(&rig, "--what shipments");
    assert_eq!(parcels.len(), 2, "{parcels:?}");
    for (parcel, nth) in parcels.iter().zip(1..) {
        assert_eq!(
            (&parcel["parcel"], &parcel["parcels"], &parcel["state"]),
            (&json!(nth), &json!(2), &json!("confirmed"))
        );
        assert_eq!(parcel["lines"][0]["quantity"], "2");
    }
    let refunds = rows(&rig, "--what refunds");
    assert_eq!(refunds.len(), 2, "{refunds:?}");
    assert_eq!((&refunds[0]["amount"], &refunds[0]["recorded_here"]), (&json!("1.00"), &json!(false)));
    assert_eq!((&refunds[1]["amount"], &refunds[1]["refund"]), (&json!("2.00"), &json!("1")));
    assert_eq!(refunds[1]["lines"][0]["sku"], "TEE-001");
    rig.home.run("refund 2 --remove 1").exits(0);
    assert_eq!(rows(&rig, "--what refunds").len(), 1, "one that was removed is none");
}

#[test]
fn filters_choose_orders_and_nothing_else_is_left_out() {
    let rig = rig();
    rig.home.sql("UPDATE orders SET test = 1 WHERE id = 3");
    rig.home.sql("UPDATE orders SET placed_at = 1764547200000 WHERE id = 2");
    let ids = |words: &str| column(&rig, "order", words);
    assert_eq!(ids(""), ["1", "2", "3"]);
    assert_eq!(ids("--status awaiting-fulfillment"), ["2", "3"], "a test order is marked, not left out");
    assert_eq!(ids("--status shipped --status awaiting-fulfillment --channel woocommerce"), ["1", "2", "3"]);
    assert_eq!(ids("--until 2025-12-01T00:00:00Z"), [""; 0], "the end is not in it");
    assert_eq!(ids("--since 2025-12-01T00:00:00Z --until 2025-12-01T00:00:01Z"), ["2"], "the beginning is");
    assert_eq!(ids("--what refunds --until 2026-01-01"), ["2", "2"]);
    assert_eq!(ids("--what charges --status cancelled"), [""; 0]);
    rig.home.run("export --status cancelled").exits(0).prints("order,store,");
    rig.home.run("export --since 2026-01-01 --until 2025-01-01").exits(2).says("nothing was exported");
    rig.home.run("export --until never").exits(2).says("--until").says("nothing was exported");
    rig.home.run("export --channel elsewhere").exits(7);
    rig.home.run("export --json --format csv").exits(2).says("nothing was exported");
    rig.home.run("connect --remove woocommerce").exits(0);
    assert_eq!(column(&rig, "connected", "--channel woocommerce"), [false, false, false]);
}

#[test]
fn the_same_book_gives_the_same_bytes() {
    let rig = rig();
    for sheet in SHEETS {
        let export = |format: &str| rig.home.run(&format!("export --what {sheet} --format {format}")).exits(0).stdout;
        for format in ["csv", "ndjson"] {
            let first = export(format);
            rig.home.sql("REINDEX");
            rig.home.sql("ANALYZE");
            assert_eq!(first, export(format), "{sheet}");
        }
    }
    let csv = rig.home.run("export").exits(0).stdout;
    rig.home.run("export --output all.csv").exits(0);
    assert_eq!(std::fs::read_to_string(rig.home.beside("all.csv")).unwrap(), csv, "printed or in a file");
}

#[test]
fn c7_no_cell_becomes_a_formula_and_ndjson_is_left_as_it_is() {
    let rig = rig();
    rig.home.sql("UPDATE orders SET buyer_name = '=1+1', buyer_note = 'a' || char(10) || '@b' || char(27)");
    rig.home.sql("UPDATE lines SET name = '+1', sku = '=cmd'");
    rig.home.run("tag 1 =tag").exits(0);
    for sheet in SHEETS {
        let csv = rig.home.run(&format!("export --what {sheet}")).exits(0).stdout;
        assert!(!csv.contains('\u{1b}') && csv.lines().count() == rows(&rig, &format!("--what {sheet}")).len() + 1);
        for record in csv::Reader::from_reader(csv.as_bytes()).records() {
            for cell in &record.unwrap() {
                assert!(!cell.starts_with(['=', '+', '@']), "{sheet}: {cell}");
            }
        }
    }
    let first = &rows(&rig, "")[0];
    assert_eq!((&first["buyer"], &first["buyer_note"]), (&json!("=1+1"), &json!("a\n@b\u{1b}")));
    assert!(!rig.home.run("export --json").exits(0).stdout.contains('\u{1b}'), "escaped, which changes nothing");
}

#[test]
fn a_file_comes_whole_and_replaces_nothing_unasked() {
    let rig = rig();
    let to = rig.home.beside("orders.csv");
    std::fs::write(&to, "mine").unwrap();
    rig.home.run("export --output orders.csv").exits(6).says("exists already").says("--replace");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "mine");
    rig.home.run("export --output orders.csv --replace").exits(0).prints("3 rows");
    assert!(std::fs::read_to_string(&to).unwrap().starts_with("order,"));
    let report = rig.home.json("export --what lines --output lines.jsonl");
    assert_eq!(report, json!({ "file": "lines.jsonl", "what": "lines", "format": "ndjson", "rows": 3 }));
    rig.home.run("export -q --output quiet.csv").exits(0).silent();
    rig.home.run("export --output none/x.csv").exits(1).says("there is no directory").says("nothing was exported");
    rig.home.run("export --output .").exits(6);
    rig.home.run("export --output home/orders.sqlite-wal").exits(6).says("ordersync's own files");
    rig.home.run("export --output home/orders.sqlite --replace").exits(6).says("ordersync's own files");
    rig.home.run("export --output home/credentials/woocommerce --replace").exits(6);
    assert_eq!(files(&rig), ["lines.jsonl", "orders.csv", "quiet.csv"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| rig.home.beside(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("lines.jsonl"), 0o600, "there are names and addresses in it");
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o640)).unwrap();
        rig.home.run("export --output orders.csv --replace").exits(0);
        assert_eq!(mode("orders.csv"), 0o640, "who could read it before can read it now");
        std::os::unix::fs::symlink("lines.jsonl", rig.home.beside("link")).unwrap();
        rig.home.run("export --output link --replace").exits(6).says("not a file");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn f4_a_reader_that_goes_and_a_full_disk_end_no_export_well() {
    let rig = rig();
    multiply(&rig, 3_000);
    let program = Path::new(env!("CARGO_BIN_EXE_ordersync"));
    let mut child = rig.home.spawn("export", &[]);
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("not all of it"), "{output:?}");

    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut call = Command::new(program);
    let output = call.arg("export").env("ORDERSYNC_HOME", rig.home.path()).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");

    // No file may become larger than 64 kB.
    for (more, said) in [("--output orders.csv", "orders.csv"), ("", "cannot be put aside")] {
        let words = format!("trap '' XFSZ; ulimit -f 64; exec '{}' export {more}", program.display());
        let mut shell = Command::new("bash");
        shell.args(["-c", &words]).env("ORDERSYNC_HOME", rig.home.path()).current_dir(rig.home.beside(""));
        let output = shell.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr.contains(said) && stderr.contains("nothing was exported"), "{stderr}");
        assert!(output.stdout.is_empty(), "nothing is printed of what is not whole");
    }
    assert_eq!(files(&rig), [""; 0]);
}

#[cfg(unix)]
#[test]
fn c2_an_export_that_is_interrupted_leaves_nothing() {
    let rig = rig();
    multiply(&rig, 60_000);
    let is_begun = |name: &String| name.starts_with(".ordersync-export.");
    let child = rig.home.spawn("export --output orders.csv", &[]);
    until("a beginning", || files(&rig).iter().any(is_begun));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no file was made"), "{output:?}");
    assert_eq!(files(&rig), [""; 0]);
    // At once, and with no time to tidy up: what is left has no name that anybody takes for it.
    let mut child = rig.home.spawn("export --output orders.csv", &[]);
    until("a beginning", || files(&rig).iter().any(is_begun));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(files(&rig).iter().all(is_begun), "{:?}", files(&rig));
}

/// A reader who looks at the first page for hours holds up nobody.
#[test]
fn a_slow_reader_does_not_hold_the_book() {
    let rig = rig();
    multiply(&rig, 3_000);
    let mut child = rig.home.spawn("export", &[]);
    let mut out = child.stdout.take().unwrap();
    let mut some = [0; 100];
    out.read_exact(&mut some).unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it waits for the reader");
    rig.home.sql("UPDATE orders SET buyer_name = 'Zoë'");
    let busy = rig.home.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    assert_eq!(busy, ["0"], "no read of the book is under way");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 3_004, "with what is left of the header");
    assert!(!rest.contains("Zoë"), "as of the moment at which it began");
    assert!(child.wait().unwrap().success());
}
