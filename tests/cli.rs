//! What holds for every command: exit codes, streams, JSON, CSV, hostile text; and `status`,
//! `doctor`, `orders`, `show`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use chrono::{DateTime, TimeDelta, Utc};
use ordersync::cli::command_tree;
use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind};
use serde_json::{Value, json};
use support::program::Home;
use support::woo::{self, ORDERS, Rig};

/// The name of a buyer who means no good: escapes, a bell, text turned around, a spreadsheet
/// formula, a forged line.
const HOSTILE: &str = "=HYPERLINK(\"http://evil.test\")\u{1b}[2J\u{7}\u{202e}\nerror: all is lost";

/// A shop with one hostile order and one plain one, imported and dispatched: something for every
/// command to print.
fn rig() -> (Rig, Vec<u64>) {
    // A shop that gives another address than the one it is served at, to see where it goes.
    let rig = Rig::with(Options { home_url: Some("https://www.shop.example.test".to_owned()), ..Options::demo() });
    let address = |name: &str| Address {
        first_name: name.to_owned(),
        last_name: "Müller".to_owned(),
        company: "+49 30 1".to_owned(),
        city: "Köln\u{9b}31m".to_owned(),
        postcode: "50667".to_owned(),
        country: "DE".to_owned(),
        email: "buyer@example.test".to_owned(),
        phone: "+49 30 555".to_owned(),
        ..Address::default()
    };
    let hostile = NewOrder::paid().line("@SUM(1+1)\u{1b}]0;x\u{7}", 2).note(HOSTILE);
    let ids = vec![
        rig.shop.place_order(hostile.bill_to(address(HOSTILE)).ship_to(address(HOSTILE))),
        rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).bill_to(address("Ann")).ship_to(address("Ann"))),
    ];
    rig.sync();
    (rig, ids)
}

/// Commands that only read.
const READING: [&str; 11] = [
    "orders",
    "show 1",
    "show 1 --history",
    "outbox",
    "outbox --all",
    "inbox",
    "inbox --all",
    "runs",
    "status",
    "config",
    "connect --list",
];

/// Has something of everything: a changed order, a dispatch on its way, an unreadable order.
fn eventful() -> (Rig, Vec<u64>) {
    let (rig, ids) = rig();
    rig.shop.edit_address(ids[0], |address| address.city = format!("{HOSTILE} City"));
    rig.shop.cancel(ids[0]);
    let wrong = FaultKind::WrongType(ordersync::sim::WrongType::TotalIsObject, Some(ids[1]));
    rig.fault(Fault::new(wrong).on_path(ORDERS));
    rig.home.run("sync").exits(3);
    rig.home.call(&["dispatch", "2", "--carrier", "=cmd", "--tracking", "1Z=1+1", "--later"]).exits(0);
    (rig, ids)
}

#[test]
fn c1_every_reading_command_has_json_with_texts_for_ids_money_and_times() {
    let (rig, _) = eventful();
    for words in READING.iter().chain(&["carriers", "doctor --offline"]) {
        let value = rig.home.json(words);
        check_json(words, "", &value);
    }
    for (words, keys) in [
        ("orders", vec!["order", "store", "number", "remote_id", "status", "placed_at", "total", "currency"]),
        ("inbox", vec!["entry", "store", "order", "kind", "text", "hint", "created_at"]),
        ("outbox", vec!["row", "order", "kind", "state", "attempts", "queued_at", "error"]),
        ("runs", vec!["run", "kind", "started_at", "fetched", "new", "changed", "unchanged", "failed", "error"]),
    ] {
        let first = rig.home.json(words)[0].clone();
        keys.iter().for_each(|key| assert!(first.get(key).is_some(), "{words} has no {key}: {first}"));
    }
}

/// Ids and money are texts, times are RFC 3339 in UTC.
fn check_json(words: &str, key: &str, value: &Value) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| check_json(words, key, value)),
        Value::Array(items) => items.iter().for_each(|item| check_json(words, key, item)),
        Value::Number(_) => {
            let named = ["order", "id", "row", "entry", "run", "total", "amount", "tax", "unit_price", "quantity"];
            assert!(!named.contains(&key), "{words}: {key} is a number");
        }
        Value::String(text) if key.ends_with("_at") || key == "now" || key == "since" => {
            assert!(text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok(), "{words}: {key} is {text}");
        }
        _ => {}
    }
}

#[test]
fn c1_results_go_to_stdout_and_errors_to_stderr() {
    let (rig, _) = rig();
    for words in READING {
        assert_eq!(
            rig.home.run(words).exits(0).stderr,
            if words.contains("box") { rig.home.run(words).exits(0).stderr } else { String::new() }
        );
    }
    let done = rig.home.run("show 99").exits(7).says("error: ");
    assert_eq!(done.stdout, "");
    let error = rig.home.run("show 99 --json").exits(7).error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&json!("not-found"), &json!(7)));
}

#[test]
fn c1_machine_formats_are_complete_unless_a_limit_is_given() {
    let rig = Rig::new();
    (0..55).for_each(|_| {
        rig.paid(1);
    });
    rig.sync();
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 55);
    assert_eq!(rig.home.json("orders --limit 3").as_array().unwrap().len(), 3);
    assert_eq!(rig.home.run("orders --csv").exits(0).stdout.lines().count(), 56);
    rig.home.run("orders").exits(0).says("only the newest 50");
    (0..22).for_each(|_| drop(rig.sync()));
    assert_eq!(rig.home.json("runs").as_array().unwrap().len(), 23);
    assert_eq!(rig.home.run("runs").exits(0).stdout.lines().count(), 21);
}

#[test]
fn c1_amounts_have_their_currencys_own_scale() {
    let rig = Rig::with(Options { currency: "JPY".into(), ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    rig.home.sql("UPDATE orders SET total = '1500.0000'");
    assert_eq!(
        (&rig.home.json("orders")[0]["total"], &rig.show(id)["totals"]["total"]),
        (&json!("1500"), &json!("1500"))
    );
    rig.home.run("orders --csv").exits(0).prints(",1500,JPY,");
    rig.home.run("orders").exits(0).prints(" 1500  JPY");
}

#[test]
fn c2_codes_of_the_command_line_itself() {
    let home = woo::home();
    home.run("--version").exits(0).prints("ordersync ");
    home.run("--help").exits(0).prints("Exit codes: ");
    home.run("help").exits(0).prints("Exit codes: ");
    home.run("help config set").exits(0).prints("Usage: ordersync config set");
    home.run("help nonsense").exits(2);
    for words in ["", "nonsense", "sync --nonsense", "orders --status asleep", "show", "-q -v status"] {
        home.run(words).exits(2);
    }
    for words in ["status", "orders", "show 1", "inbox", "outbox", "runs", "dispatch 1", "cancel 1", "connect --test"] {
        home.run(words).exits(7).says("no store is connected yet").says("hint: ");
    }
    home.run("sync").env("ORDERSYNC_RETRY_MS", "soon").exits(2);
    assert!(!home.path().exists(), "asking makes nothing");
}

#[test]
fn c4_no_command_waits_for_an_answer_without_a_terminal() {
    let (rig, _) = rig();
    for command in command_tree().get_subcommands() {
        // These two serve or play until they are stopped, and take no answers.
        if matches!(command.get_name(), "simulate" | "demo") {
            continue;
        }
        rig.home.run(command.get_name()).stdin("").done();
    }
}

#[test]
fn c7_hostile_text_reaches_no_terminal_as_anything_but_text() {
    let (rig, ids) = eventful();
    let mut all = READING.map(str::to_owned).to_vec();
    all.extend(
        ["orders --search Ann", "sync -v", "doctor", "pull 1", "accept 1", "dispatch 1", "retry"].map(str::to_owned),
    );
    all.push(format!("cancel woocommerce:{} --local", ids[0]));
    for words in all {
        let done = rig.home.run(&words).done();
        for text in [&done.stdout, &done.stderr] {
            let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.chars().any(harmful), "{words}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("error: all is lost")), "{words} let a line be forged");
        }
    }
    rig.home.run("show 1").exits(0).prints("Köln").prints("Müller");
}

#[test]
fn c7_json_has_hostile_text_whole_and_yet_harmless() {
    let (rig, _) = eventful();
    for words in READING {
        let done = rig.home.run(words).arg("--json").exits(0);
        let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!done.stdout.chars().any(harmful), "{words}: {:?}", done.stdout);
    }
    assert_eq!(rig.home.json("show 1")["buyer_note"], HOSTILE);
}

#[test]
fn c7_no_cell_of_a_csv_is_a_formula() {
    let (rig, _) = rig();
    let done = rig.home.run("orders --csv").exits(0);
    let mut reader = csv::Reader::from_reader(done.stdout.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(&header[..4], ["order", "store", "number", "remote_id"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?} would be calculated");
    }
    assert!(rows.iter().flatten().any(|cell| cell.starts_with("'=HYPERLINK")), "the name itself is kept");
}

#[test]
fn c5_home_is_one_directory_and_the_flag_is_the_variable() {
    let (rig, _) = rig();
    let home = rig.home.path().to_string_lossy().into_owned();
    let elsewhere = Home::new();
    let told = elsewhere.run(&format!("orders --json --home {home}")).without("ORDERSYNC_HOME").exits(0).json();
    assert_eq!(told.as_array().unwrap().len(), 2);
    let config = rig.home.json("config");
    for key in ["book", "credentials"] {
        assert!(config[key].as_str().unwrap().starts_with(&home), "{config}");
    }
}

#[test]
fn c6_quiet_prints_results_and_errors_only() {
    let (rig, _) = rig();
    rig.home.run("-q dispatch 2 --carrier dhl --tracking JD01").exits(0).silent();
    rig.home.run("-q cancel 1").exits(0).silent();
    rig.home.run("-q sync").exits(0).silent();
    rig.home.run("-q outbox").exits(0).silent();
    rig.home.run("-q show 99").exits(7).says("error: ");
}

#[test]
fn orders_are_narrowed_by_status_store_time_and_text() {
    let (rig, ids) = rig();
    rig.shop.place_order(NewOrder::paid().unpaid().line("MUG-9", 1).at(Utc::now() - TimeDelta::days(8)));
    rig.home.run("sync --since 30d").exits(0);
    let count = |words: &str| rig.home.json(&format!("orders {words}")).as_array().unwrap().len();
    let counts = [
        count(""),
        count("--status awaiting-payment"),
        count("--channel woocommerce"),
        count("--since 7d"),
        count("--search TEE-001"),
        count("--search buyer@example.test"),
        count(&format!("--search {}", ids[1])),
        count("--limit 1"),
        count("--late"),
    ];
    assert_eq!(counts, [3, 1, 3, 2, 1, 2, 1, 1, 0]);
    rig.home.run("orders --channel nobody").exits(7);
    rig.home.run("orders --search nothing-like-this").exits(0).says("no order fits");
    assert_eq!(rig.home.json(&format!("show {}", ids[1]))["order"], "2", "the channel's own number names it too");
}

/// Puts a store's times so many minutes back.
fn connected_before(rig: &Rig, minutes: i64) {
    rig.home.sql(&format!("UPDATE stores SET connected_at = connected_at - {}", minutes * 60_000));
}

#[test]
fn since_takes_the_same_words_wherever_it_is_taken_and_no_time_to_come() {
    let rig = Rig::new();
    rig.shop.place_order(NewOrder::paid().line("MUG-9", 1).at(Utc::now() - TimeDelta::days(400)));
    rig.sync();
    for words in ["sync", "orders", "connect woocommerce --name other"] {
        for bad in ["2126-01-01", "everything", ""] {
            let words: Vec<&str> = words.split(' ').chain(["--since", bad]).collect();
            rig.home.call(&words).exits(2).says("--since").says("nothing was done");
        }
    }
    assert_eq!(rig.home.json("orders"), json!([]), "30 days are imported where nothing is said");
    rig.home.run("sync --since all").exits(0).silent();
    assert_eq!(rig.home.json("orders --since all").as_array().unwrap().len(), 1);
    assert_eq!(rig.home.json("orders --since 30d"), json!([]));
    rig.connect("--since all --name other").exits(6).says("is connected already");
}

#[test]
fn usage_lines_name_as_required_only_what_is() {
    let home = woo::home();
    for words in ["accept", "show", "pull", "config set"] {
        let done = home.run(words).exits(2).says("Usage: ");
        assert!(!done.stderr.contains("--home"), "{done:?}");
    }
    home.run("orders").env("ORDERSYNC_HOME", "").exits(2).says("ORDERSYNC_HOME is empty");
}

/// What a command advises is another command, or this one with more to it.
#[test]
fn c6_no_hint_advises_the_command_that_is_running() {
    type Spoil = fn(&Rig);
    let states: [(&str, Spoil); 5] = [
        ("as it is", |_| {}),
        ("the key is refused", |rig| rig.fault(Fault::new(FaultKind::Unauthorized).always())),
        ("the shop is down", |rig| rig.unplug()),
        ("no credentials", |rig| std::fs::remove_dir_all(rig.home.path().join("credentials")).unwrap()),
        ("a damaged book", |rig| {
            rig.home.sql("PRAGMA wal_checkpoint(TRUNCATE)");
            let mut bytes = std::fs::read(rig.home.book()).unwrap();
            bytes.iter_mut().skip(4096).take(16 * 4096).for_each(|byte| *byte = 0xff);
            std::fs::write(rig.home.book(), bytes).unwrap();
        }),
    ];
    for (what, make) in states {
        let (rig, _) = rig();
        make(&rig);
        let commands = READING.iter().chain(&[
            "sync",
            "doctor",
            "doctor --offline",
            "pull 1",
            "accept 1",
            "dispatch 1 --tracking 1Z1",
            "cancel 2",
            "retry",
            "retry 1",
            "connect --test",
            "connect --test woocommerce",
            "connect --reauth woocommerce",
        ]);
        for words in commands {
            let done = rig.home.run(words).done();
            let hints = done.stderr.lines().filter_map(|line| line.strip_prefix("hint: "));
            let found = done.stdout.lines().filter_map(|line| line.strip_prefix("      "));
            for way in hints.chain(found).flat_map(|line| line.split("; ")) {
                let command = words.split(" --").next().unwrap_or_default();
                let again = [command, words].iter().any(|typed| {
                    let rest = way.strip_prefix("ordersync ").and_then(|way| way.strip_prefix(typed));
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(" again") || rest.starts_with(" tells"))
                });
                assert!(!again, "{what}: `{words}` advises {way:?}");
            }
        }
    }
}

#[test]
fn a2_status_advises_by_the_stages_of_a_store_without_orders() {
    let rig = Rig::new();
    let standing = || rig.home.json("status")["stores"][0].clone();
    let word = |key: &str| standing()[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(word("advice"), "wait");
    rig.home.run("status --check").exits(0).prints("approximately 30 minutes");
    connected_before(&rig, 29);
    rig.home.run("status").exits(0).without("later than usual");
    connected_before(&rig, 120);
    assert_eq!((word("advice").as_str(), &standing()["later_than_usual"]), ("wait", &json!(true)));
    rig.home.run("status --check").exits(3).prints("later than usual for WooCommerce");
    connected_before(&rig, 2);
    assert_eq!(word("advice"), "test");
    rig.home.run("status --check").exits(3).prints("ordersync connect --test woocommerce");
    rig.fault(Fault::new(FaultKind::Unauthorized).on_path(ORDERS));
    rig.home.run("connect --test").exits(4);
    assert_eq!(word("advice"), "get-in-touch");
    rig.home.run("status").exits(0).prints("the test failed").prints("ordersync doctor --bundle");
    rig.home.run("connect --test").exits(0);
    assert_eq!(word("advice"), "wait-after-test");
    rig.home.sql("UPDATE stores SET tested_at = tested_at - 1860000");
    assert_eq!(word("advice"), "get-in-touch");
    rig.paid(1);
    rig.sync();
    assert_eq!(word("advice"), "ok");
}

#[test]
fn status_counts_orders_by_status_and_reads_only_local_files() {
    let (rig, _) = rig();
    rig.shop.place_order(NewOrder::paid().unpaid());
    rig.sync();
    rig.unplug();
    rig.server.clear_requests();
    let status = rig.home.json("status");
    let store = &status["stores"][0];
    assert_eq!(
        (&store["orders"]["awaiting-fulfillment"], &store["orders"]["awaiting-payment"]),
        (&json!(2), &json!(1))
    );
    assert!(store["last_sync_at"].is_string() && status["ok"] == true, "{status}");
    rig.home.run("status").exits(0).prints("awaiting-fulfillment").prints("not scheduled");
    assert!(rig.server.requests().is_empty());
}

#[test]
fn status_check_is_for_monitors() {
    let (rig, _) = rig();
    rig.home.run("status --check --quiet").exits(0).silent();
    rig.fault(Fault::new(FaultKind::Unauthorized).on_path(ORDERS).always());
    rig.home.run("sync").exits(4).says("hint: ");
    rig.home.run("status --check --quiet").exits(4).silent();
    rig.home.run("status").exits(0).prints("ordersync connect --reauth woocommerce");
    assert_eq!(rig.home.json("inbox")[0]["kind"], "credentials");
    rig.plug_in();
    rig.sync();
    rig.home.run("status --check --quiet").exits(0).silent();
    rig.home.run("sync --autosync").exits(0);
    rig.home.sql("UPDATE stores SET last_autosync_at = last_autosync_at - 7200000");
    rig.home.run("status --check").exits(3).prints("overdue");
}

#[test]
fn f7_a_number_of_pieces_that_cannot_be_read_is_named() {
    let (rig, _) = rig();
    rig.home.sql("UPDATE lines SET refunded = 'two' WHERE order_id = 1");
    rig.home.run("doctor --offline").exits(3).prints("a number of pieces that cannot be read: 1");
}

#[test]
fn doctor_checks_book_credentials_and_connection() {
    let (rig, _) = rig();
    rig.home.run("doctor").exits(0).prints("ok    book: 2 orders").prints("ok    woocommerce: connection");
    rig.unplug();
    rig.home.run("doctor").exits(3).prints("BAD   woocommerce: connection");
    rig.home.run("doctor --offline").exits(0);
    let file = rig.home.path().join("credentials/woocommerce.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        rig.home.run("doctor --offline").exits(3).prints("others can read it").prints("chmod 600");
    }
    std::fs::write(&file, "{").unwrap();
    rig.home.run("doctor --offline").exits(3).prints("is damaged").prints("--reauth woocommerce");
    rig.home.run("sync").exits(4).says("is damaged").says("--reauth woocommerce");
    std::fs::remove_file(&file).unwrap();
    rig.home.run("sync").exits(4).says("--reauth woocommerce");
    woo::home().run("doctor").exits(3).prints("there is none yet");
}

#[test]
fn x1_a_bundle_holds_no_secret_and_nothing_personal() {
    let (rig, ids) = eventful();
    rig.fault(Fault::new(FaultKind::Unauthorized).on_path(ORDERS));
    rig.home.run("sync").exits(4);
    let file = rig.home.beside("bundle.json");
    rig.home.run(&format!("doctor --bundle {}", file.display())).exits(0).prints("https://www.shop.example.test");
    rig.home.assert_no_secret_in(&file);
    let text = std::fs::read_to_string(&file).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert!(bundle["runs"].as_array().unwrap().len() >= 2 && bundle["program"].is_string(), "{bundle}");
    let shop = rig.server.url().trim_start_matches("http://");
    let personal = [
        "Müller",
        "Ann",
        "Köln",
        "50667",
        "example.test",
        "+49",
        "evil",
        "=1+1",
        "simulated shop",
        "shop.example",
        shop,
    ];
    for word in personal.into_iter().chain([ids[0].to_string().as_str(), "127.0.0.1"]) {
        assert!(!text.contains(word), "the bundle has {word:?} in it: {text}");
    }
}

#[test]
fn x3_no_error_or_account_of_a_run_holds_personal_data() {
    let (rig, _) = eventful();
    let mut all = String::new();
    rig.home.sql("SELECT coalesce(group_concat(error), '') FROM run_stores").iter().for_each(|text| all.push_str(text));
    rig.home.sql("SELECT group_concat(text || hint) FROM inbox").iter().for_each(|text| all.push_str(text));
    for kind in [FaultKind::HtmlInstead, FaultKind::NoticeBefore, FaultKind::Truncated] {
        rig.fault(Fault::new(kind).on_path(ORDERS).always());
        let done = rig.home.run("sync -v").done();
        all.push_str(&done.stderr);
        rig.plug_in();
    }
    for word in ["Müller", "Ann", "Köln", "50667", "buyer@"] {
        assert!(!all.contains(word), "{word:?} in {all}");
    }
}

#[test]
fn settings_are_checked_and_can_be_taken_back() {
    let (rig, _) = rig();
    rig.home.run("config set woocommerce.page_size 20").exits(0);
    rig.home.run("config get woocommerce.page_size").exits(0).prints("20");
    rig.home.run("config unset woocommerce.page_size").exits(0);
    for (words, code) in [
        ("woocommerce.page_size 0", 2),
        ("woocommerce.consumer_key ck_1", 2),
        ("woocommerce.nonsense 1", 2),
        ("nonsense 1", 2),
        ("nobody.page_size 5", 7),
        ("woocommerce.url https://other.example.test", 6),
    ] {
        rig.home.run(&format!("config set {words}")).exits(code).without("ck_1");
    }
    rig.home.call(&["config", "set", "woocommerce.page_size", ""]).exits(2).says("config unset woocommerce.page_size");
    rig.home.run("config unset woocommerce.nonsense").exits(2).says("one of: ");
    rig.home.run("config unset woocommerce.consumer_key").exits(2);
}

/// What is typed beside the point is refused, not left out: an empty variable in a script must not
/// mean "all".
#[test]
fn nothing_that_was_typed_is_left_out_in_silence() {
    let (rig, _) = rig();
    for words in [
        "connect --list --name x",
        "connect --list --set tracking=note",
        "connect --remove woocommerce --since 3d",
        "connect --remove woocommerce --url http://x",
        "connect --test woocommerce --credentials x",
        "connect --reauth woocommerce --name x",
        "dispatch 1 --from x.csv",
    ] {
        rig.home.run(words).exits(2).says("cannot be used with");
    }
    rig.home.call(&["connect", "--test", ""]).exits(7);
    rig.home.call(&["connect", "--remove", ""]).exits(7);
    rig.home.call(&["orders", "--search", ""]).exits(2);
    rig.home.call(&["sync", "--channel", ""]).exits(7);
    rig.home.run("connect --test").exits(0);
    assert_eq!(rig.home.json("connect --list").as_array().unwrap().len(), 1);
    rig.home.run("dispatch").exits(2).says("--from <FILE>");
    rig.home.run("pull book:99999").exits(7).says("no order \"book:99999\"");
    rig.home.run("show woocommerce:").exits(7).without("ordersync pull");
    rig.home.run("backup no-such-directory/x").exits(1).says("there is no directory").says("no backup was made");
    rig.home.run("dispatch --from no-such-file.csv").exits(2).without("the first line names");
    let long = "x".repeat(100_000);
    assert!(rig.home.call(&["show", &long]).exits(7).stderr.len() < 1000);
    assert!(rig.home.call(&["orders", "--status", &long]).exits(2).stderr.len() < 1000);
}

#[cfg(target_os = "linux")]
#[test]
fn f4_output_on_a_full_disk_is_an_error_of_every_command() {
    let (rig, _) = rig();
    for words in READING.iter().chain(&["--help", "--version", "sync --help", "carriers", "completions bash", "doctor"])
    {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_ordersync"));
        program.args(words.split(' ')).env("ORDERSYNC_HOME", rig.home.path()).stdout(full);
        let output = program.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // An empty list has nothing to print but a note.
        let nothing = words.starts_with("inbox") || words.starts_with("outbox");
        assert!(nothing || output.status.code() == Some(1) && said.contains("could not be written"), "{words}: {said}");
    }
    rig.home.run("doctor --offline --bundle /dev/full").exits(1).prints("ok    book").says("there is no bundle");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_names_of_files_like_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let (rig, ids) = rig();
    let strange = |end: &[u8]| std::path::PathBuf::from(std::ffi::OsStr::from_bytes(&[b"n\xff\xfe", end].concat()));
    let home = rig.home.beside("").join(strange(b""));
    let labels = rig.home.beside("").join(strange(b".csv"));
    std::fs::rename(rig.home.path(), &home).unwrap();
    std::fs::write(&labels, format!("order,tracking\n{},1Z1\n", ids[0])).unwrap();
    let run = |words: &[&std::ffi::OsStr]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_ordersync"));
        let output =
            program.args(words).current_dir(rig.home.beside("")).env("ORDERSYNC_HOME", &home).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["config".as_ref(), "--json".as_ref()]);
    run(&["orders".as_ref()]);
    run(&["doctor".as_ref()]);
    run(&["backup".as_ref(), "--json".as_ref(), strange(b".sqlite").as_ref()]);
    run(&["dispatch".as_ref(), "--dry-run".as_ref(), "--from".as_ref(), labels.as_ref()]);
}

#[test]
fn the_demo_plays_to_its_end_without_network() {
    let done = Home::new().run("demo").exits(0).prints("dispatch").prints("The book is yours");
    let home = done.stdout.lines().find_map(|line| line.trim().strip_prefix("export ORDERSYNC_HOME=")).unwrap();
    std::fs::remove_dir_all(home).unwrap();
}

#[test]
fn f6_output_that_nobody_reads_is_no_panic_and_stops_nothing() {
    use std::process::{Command, Stdio};
    let home = tempfile::tempdir().unwrap();
    for args in [&["dispatch", "1", "--tracking", "JD01"][..], &["no-such-command"], &["carriers"], &["config"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ordersync"));
        program.args(args).env("ORDERSYNC_HOME", home.path()).stdin(Stdio::null());
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        let code = child.wait().unwrap().code();
        assert!(code.is_some_and(|code| code < 10), "{args:?}: {code:?}");
    }
}

#[test]
fn c6_what_is_empty_is_said_with_the_command_that_fills_it() {
    let rig = Rig::new();
    rig.home.run("runs").exits(0).says("no sync has run yet: ordersync sync");
    rig.home.run("orders").exits(0).says("ordersync sync brings them in");
    rig.home.run("runs --quiet").exits(0).silent();
    rig.home
        .run("connect")
        .exits(2)
        .says("bigcommerce, ebay, etsy, magento, shopify, woocommerce")
        .says("ordersync connect CHANNEL");
    let (rig, _) = Rig::with_orders(&[1]);
    rig.home.run("orders --search nobody-at-all").exits(0).says("no order fits");
}

/// What a command prints on a terminal of 80 columns.
#[cfg(unix)]
fn on_a_terminal(home: &Home, words: &str) -> String {
    use std::io::Read;
    let size = nix::pty::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(Some(&size), None).unwrap();
    let mut child = home.spawn_at(&slave, words, "NO_COLOR");
    drop(slave);
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        // A terminal that nobody holds any more ends with an error.
        let _ = std::fs::File::from(master).read_to_end(&mut said);
        String::from_utf8_lossy(&said).replace('\r', "")
    });
    child.wait().unwrap();
    reader.join().unwrap()
}

#[cfg(unix)]
#[test]
fn lists_keep_every_row_on_one_line_of_a_terminal() {
    let (rig, _) = Rig::with_orders(&[1, 2]);
    rig.home.sql(
        "UPDATE orders SET buyer_name = 'Maximiliane Hildegard von und zu Großmannsdorf', number = '2' WHERE id = 1",
    );
    rig.fault(Fault::new(FaultKind::ServerError(503)).on_path(ORDERS).always());
    rig.home.run("sync").exits(5);
    for words in ["orders", "runs"] {
        let rows = on_a_terminal(&rig.home, words);
        let is_row = |line: &&str| !line.starts_with("note:");
        let rows: Vec<&str> = rows.lines().filter(|line| !line.is_empty()).take_while(is_row).collect();
        assert_eq!(rows.len(), 3, "{words}: {rows:?}");
        assert!(rows.iter().all(|row| row.chars().count() <= 80), "{words}: {rows:?}");
    }
    rig.home.run("orders").exits(0).prints("book:2 ").prints("von und zu Großmannsdorf");
    assert_eq!(rig.home.json("orders")[0]["order"], "2", "machine formats stay as they are");
}

#[cfg(unix)]
#[test]
fn a_command_to_be_copied_is_one_line_however_narrow_the_terminal() {
    let said = on_a_terminal(&Home::new(), "demo woocommerce");
    let home = said.lines().find_map(|line| line.trim().strip_prefix("export ORDERSYNC_HOME=")).unwrap();
    assert!(
        said.contains(&format!("  sqlite3 {home}/orders.sqlite 'SELECT * FROM v_sales_by_day LIMIT 5'\n")),
        "{said}"
    );
    std::fs::remove_dir_all(home).unwrap();
}

#[test]
fn a_test_order_is_marked_and_not_among_what_is_to_be_sent() {
    let (rig, _) = Rig::with_orders(&[1, 2]);
    rig.home.sql("UPDATE orders SET test = 1 WHERE id = 1");
    rig.home.run("orders").exits(0).prints("awaiting-fulfillment  (test)");
    rig.home.run("show book:1").exits(0).prints("a test order: not to be sent");
    assert_eq!(rig.home.json("orders --status awaiting-fulfillment").as_array().unwrap().len(), 1);
    assert_eq!(
        rig.home.json("orders --status awaiting-fulfillment --channel woocommerce").as_array().unwrap().len(),
        1
    );
    let all = rig.home.json("orders");
    assert_eq!(all.as_array().unwrap().iter().filter(|order| order["test"] == true).count(), 1);
}

#[test]
fn config_set_says_what_it_set() {
    let (rig, _) = Rig::with_orders(&[1]);
    rig.home.run("config set woocommerce.interval 60").exits(0).prints("woocommerce.interval is 60 now");
    rig.home.run("config unset woocommerce.interval").exits(0).prints("woocommerce.interval is the default again, 30");
    let method = rig.home.sql("SELECT payment_method FROM orders")[0].to_uppercase();
    let done = rig.home.run(&format!("config set woocommerce.unpaid_methods quux,{method}")).exits(0);
    assert!(done.says("no order of woocommerce is paid by \"quux\"").stderr.lines().count() == 1);
    rig.home.run("config set woocommerce.unpaid_methods quux --quiet").exits(0).silent();
}

#[test]
fn c6_a_store_that_is_disconnected_is_said_to_be() {
    let (rig, _) = Rig::with_orders(&[1]);
    rig.home.run("connect --remove woocommerce").exits(0);
    let told = rig.home.run("status").exits(0).prints("the book keeps 1 order of woocommerce");
    told.prints("ordersync connect woocommerce");
    rig.home
        .run("dispatch book:1 --tracking JD01")
        .exits(7)
        .says("is disconnected")
        .says("ordersync connect woocommerce");
    rig.home.run("connect --test woocommerce").exits(7).says("is disconnected");
}

#[test]
fn c1_every_run_is_listed_where_that_is_wanted() {
    let (rig, _) = Rig::with_orders(&[1]);
    (0..22).for_each(|_| drop(rig.sync()));
    assert_eq!(rig.home.run("runs --limit 0").exits(0).stdout.lines().count(), 24);
}
