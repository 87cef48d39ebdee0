//! WooCommerce: where a shop has its API, and how its keys get there. What every channel keeps is
//! in `tests/contract`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind};
use support::tls::over_tls;
use support::woo::{self, Rig, Served};

/// The environment variables that hold the secrets.
const KEY: &str = "ORDERSYNC_CONSUMER_KEY";
const SECRET: &str = "ORDERSYNC_CONSUMER_SECRET";

fn served() -> Served {
    Served::new(Options::demo())
}

fn with_key(permission: Permission, rights: Rights) -> Options {
    Options { keys: vec![Key::rehearsal(permission, rights)], ..Options::demo() }
}

#[test]
fn c2_keys_that_do_not_open_the_shop_are_exit_4_with_what_to_do() {
    let wrong = REHEARSAL_KEY.replace("01", "02");
    let wrong_secret = REHEARSAL_SECRET.replace("01", "02");
    let shop = served();
    let home = woo::home().secret("UNUSED", &wrong).secret("UNUSED_TOO", &wrong_secret);
    let connect = format!("connect woocommerce --url {}", shop.server.url());
    home.run(&connect).env(KEY, &wrong).exits(4).says("consumer key").says("hint: ");
    home.run(&connect).env(SECRET, &wrong_secret).exits(4).says("secret").says("hint: ");
    let error = home.run(&connect).env(KEY, &wrong).arg("--json").exits(4).error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&"credentials".into(), &4.into()));
    home.run("connect --list").exits(0).without("woocommerce  ");
    assert!(!home.path().join("credentials").exists(), "nothing is kept of a key that does not work");
}

#[test]
fn c2_a_key_without_the_right_to_read_is_exit_4() {
    for (options, says) in [
        (with_key(Permission::Write, Rights::Admin), "permission"),
        (with_key(Permission::ReadWrite, Rights::Customer), "shop manager"),
    ] {
        let rig = Rig { served: Served::new(options), home: woo::home() };
        rig.connect("").exits(4).says(says);
    }
}

#[test]
fn a_read_only_key_imports_and_its_dispatch_waits_until_a_better_key_comes() {
    let better =
        Key { consumer_key: REHEARSAL_KEY.replace("01", "02"), ..Key::rehearsal(Permission::ReadWrite, Rights::Admin) };
    let reads = Key::rehearsal(Permission::Read, Rights::Admin);
    let rig = Rig::with(Options { keys: vec![reads, better.clone()], ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    let dispatch = format!("dispatch woocommerce:{id} --carrier dhl --tracking JD01");
    rig.home.run(&dispatch).exits(4).says("Read/Write");
    assert_eq!((rig.shop.mails(id).dispatch_mails(), rig.home.json("outbox").as_array().unwrap().len()), (0, 1));
    rig.home.run("retry").exits(4).says("Read/Write");
    rig.home.run("connect --reauth woocommerce").env(KEY, &better.consumer_key).exits(0);
    rig.home.run("retry").exits(0);
    assert_eq!((rig.shop.mails(id).fulfillment, rig.status(id).as_str()), (1, "shipped"));
}

#[test]
fn i9_a_shop_is_the_same_under_another_spelling_of_its_address() {
    let home = woo::home();
    let connect = |address: &str, name: &str| {
        let shop = Served::new(Options { home_url: Some(address.to_owned()), ..Options::demo() });
        home.run(&format!("connect woocommerce --name {name} --url {}", shop.server.url())).done().code
    };
    assert_eq!(connect("https://shop.example.test", "one"), Some(0));
    assert_eq!(connect("http://www.shop.example.test", "two"), Some(6));
    assert_eq!(connect("https://shop.example.test/other", "three"), Some(0), "another shop on the same machine");
}

#[test]
fn the_api_is_found_wherever_the_shop_has_it() {
    let shops = [
        Options { permalinks: Permalinks::Plain, ..Options::demo() },
        Options { permalinks: Permalinks::IndexPhp, ..Options::demo() },
        Options { prefix: "/shop".to_owned(), ..Options::demo() },
        Options { prefix: "/a/b".to_owned(), permalinks: Permalinks::Plain, ..Options::demo() },
        Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() },
        Options { profile: Profile::V10_0_2, ..Options::demo() },
        Options { profile: Profile::V10_0_2Posts, ..Options::demo() },
        Options { profile: Profile::V5_6, ..Options::demo() },
        Options { home_url: Some("https://www.shop.example.test".to_owned()), ..Options::demo() },
    ];
    for options in shops {
        let told = format!("{:?} {:?} {:?}", options.permalinks, options.prefix, options.profile);
        let rig = Rig::with(options);
        let id = rig.paid(2);
        rig.home.run("sync").exits(0).silent();
        rig.home.run(&format!("dispatch woocommerce:{id} --carrier dhl --tracking JD01")).exits(0);
        assert_eq!((rig.shop.status(id).as_deref(), rig.status(id).as_str()), (Some("completed"), "shipped"), "{told}");
    }
}

#[test]
fn a_shop_with_plain_permalinks_is_read_and_written_over_tls_and_without() {
    for prefix in ["", "/shop"] {
        let options = Options {
            permalinks: Permalinks::Plain,
            https_seen: HttpsSeen::AsConnected,
            prefix: prefix.to_owned(),
            ..Options::demo()
        };
        let (served, pem) = over_tls(options.clone());
        let rig = Rig { served, home: woo::home() };
        let file = rig.home.file("ca.pem", &pem);
        rig.connect(&format!("--ca-file {file}")).exits(0);
        for rig in [rig, Rig::with(options)] {
            let id = rig.paid(2);
            rig.sync();
            rig.home.run(&format!("dispatch woocommerce:{id} --carrier dhl --tracking JD01")).exits(0);
            assert_eq!(rig.shop.status(id).as_deref(), Some("completed"), "{}", rig.server.url());
        }
    }
}

#[test]
fn x1_keys_in_the_address_are_shown_by_no_error() {
    let options = Options { https_seen: HttpsSeen::AsConnected, strips_authorization: true, ..Options::demo() };
    let (served, pem) = over_tls(options);
    let rig = Rig { served, home: woo::home() };
    let file = rig.home.file("ca.pem", &pem);
    rig.connect(&format!("--ca-file {file}")).exits(0).says("the key travels in the address");
    for kind in [FaultKind::ServerError(500), FaultKind::CutBefore, FaultKind::HtmlInstead, FaultKind::Firewall] {
        rig.fault(Fault::new(kind).on_path(woo::ORDERS).always());
        for words in ["sync", "sync --json", "connect --test", "doctor", "doctor --json", "pull woocommerce:101"] {
            assert_ne!(rig.home.run(words).done().code, Some(0), "{words}");
        }
        rig.plug_in();
    }
    for words in ["runs", "runs --json", "status", "inbox", "connect --list --json", "config", "config --json"] {
        rig.home.run(words).exits(0);
    }
}

#[test]
fn a_proxy_that_hides_tls_from_the_shop_is_no_hindrance() {
    let (served, pem) = over_tls(Options { https_seen: HttpsSeen::Never, ..Options::demo() });
    let rig = Rig { served, home: woo::home() };
    let file = rig.home.file("ca.pem", &pem);
    rig.connect(&format!("--ca-file {file}")).exits(0);
    rig.sync();
}

#[test]
fn what_is_no_shop_is_told_apart() {
    let home = woo::home();
    let closed = served().server.url().to_owned();
    home.run(&format!("connect woocommerce --url {closed}")).exits(5).says("cannot be reached");
    let shop = served();
    let connect = format!("connect woocommerce --url {}", shop.server.url());
    shop.fault(Fault::new(FaultKind::HtmlInstead).always());
    home.run(&connect).exits(7).says("no WooCommerce REST API was found");
    shop.plug_in();
    shop.fault(Fault::new(FaultKind::Firewall).always());
    home.run(&connect).exits(5);
    shop.plug_in();
    shop.fault(Fault::new(FaultKind::Redirect("https://www.shop.example.test".to_owned())).always());
    home.run(&connect).exits(2).says("no credentials were sent").says("--url https://www.shop.example.test");
    home.run("connect woocommerce --url ftp://shop.example.test").exits(2);
    home.run(&format!("{connect} --name Bad/Name")).exits(2);
}

/// What was found out over https (Basic) does not hold without it.
#[test]
fn x5_over_plain_http_a_shop_is_sent_signatures_and_never_the_key() {
    let (rig, _) = Rig::with_orders(&[1]);
    for login in ["basic", "query"] {
        rig.home.sql(&format!("UPDATE stores SET facts = json_set(facts, '$.login', '{login}') RETURNING id"));
        rig.server.clear_requests();
        rig.home.run("sync").exits(0);
        for asked in rig.server.requests() {
            let shown = format!("{asked:?}");
            assert!(!shown.contains("Basic ") && !shown.contains("consumer_secret"), "{shown}");
        }
    }
}
