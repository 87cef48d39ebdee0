//! `ordersync connect` as a merchant or a script runs it.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind, ServerOptions};
use support::program::Home;
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
fn a1_connect_shows_the_shop_what_it_imports_and_the_guide_time() {
    let rig = Rig { served: served(), home: woo::home() };
    rig.paid(1);
    let done = rig.connect("").exits(0).prints("EUR").prints("Europe/Berlin").prints("1 at the channel");
    done.prints("everything changed since")
        .prints("approximately 30 minutes")
        .prints("ordersync sync --channel woocommerce");
}

#[test]
fn connect_in_json_names_the_store_and_the_guide_time() {
    let rig = Rig { served: served(), home: woo::home() };
    let told = rig.connect("--json --name shop-de --since all").exits(0).json();
    assert_eq!((&told["store"]["name"], &told["store"]["channel"]), (&"shop-de".into(), &"woocommerce".into()));
    assert_eq!((&told["store"]["since"], &told["guide_time"]), (&serde_json::Value::Null, &"30 minutes".into()));
    assert_eq!(told["orders_at_channel"], 0);
}

#[test]
fn c4_a_missing_value_is_a_usage_error_that_names_the_flag() {
    let shop = served();
    let home = woo::home();
    home.run("connect woocommerce").exits(2).says("--url");
    let connect = format!("connect woocommerce --url {}", shop.server.url());
    home.run(&connect).without(KEY).exits(2).says("--credentials").says(KEY);
    home.run(&connect).without(SECRET).exits(2).says("--credentials").says(SECRET);
    assert!(shop.server.requests().is_empty() && !home.book().exists(), "nothing was asked and nothing was made");
}

#[test]
fn c4_a_secret_is_never_taken_from_a_flag() {
    let shop = served();
    let home = woo::home();
    let connect = format!("connect woocommerce --url {}", shop.server.url());
    for flag in ["--set consumer_secret=cs_1", "--set consumer_key=ck_1", "--consumer-secret cs_1"] {
        home.run(&format!("{connect} {flag}")).exits(2).without("cs_1").without("ck_1");
    }
    assert!(shop.server.requests().is_empty());
}

#[test]
fn secrets_come_from_a_toml_file_or_from_json_on_standard_input() {
    let shop = served();
    let home = Home::new();
    let toml = format!("consumer_key = \"{REHEARSAL_KEY}\"\nconsumer_secret = \"{REHEARSAL_SECRET}\"\n");
    let file = home.file("key.toml", &format!("url = \"{}\"\n{toml}", shop.server.url()));
    home.run(&format!("connect woocommerce --credentials {file}")).exits(0).without(REHEARSAL_SECRET);
    let other = served();
    let json = serde_json::json!({"consumer_key": REHEARSAL_KEY, "consumer_secret": REHEARSAL_SECRET}).to_string();
    let connect = format!("connect woocommerce --name other --url {} --credentials -", other.server.url());
    home.run(&connect).stdin(&json).exits(0).without(REHEARSAL_SECRET);
    home.run("sync").exits(0).silent();
}

#[test]
fn a_credentials_file_with_a_slip_is_refused_by_name_and_its_values_are_not_repeated() {
    let home = Home::new();
    for (text, says) in [
        ("consumer_kee = \"ck_1\"", "consumer_kee"),
        ("{\"consumer_key\": [\"ck_1\"]}", "consumer_key"),
        ("ck_1 cs_1", "no TOML"),
    ] {
        let file = home.file("key", text);
        let done = home.run(&format!("connect woocommerce --url x.test --credentials {file}")).exits(2);
        done.says(says).says("nothing was connected").without("ck_1\"").without("cs_1");
    }
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
fn i9_a_shop_that_is_connected_already_is_refused_by_name() {
    let rig = Rig::new();
    rig.connect("").exits(6).says("woocommerce is connected already");
    rig.connect("--name second").exits(6).says("woocommerce");
    assert_eq!(rig.home.json("connect --list").as_array().unwrap().len(), 1);
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
fn i9_a_new_key_keeps_orders_and_position() {
    let (rig, ids) = Rig::with_orders(&[1, 2, 3]);
    rig.home.run(&format!("dispatch woocommerce:{}", ids[0])).exits(0);
    let before = rig.home.sql("SELECT position FROM cursors");
    rig.home.run("connect --reauth woocommerce").exits(0).prints("its orders and its position are as they were");
    assert_eq!(rig.home.sql("SELECT position FROM cursors"), before);
    let run = &rig.home.json("sync")["stores"][0];
    assert_eq!((&run["new"], &run["changed"]), (&0.into(), &0.into()));
}

#[test]
fn a_new_key_of_another_shop_is_refused_and_the_old_one_stays() {
    let rig = Rig::new();
    let other = served();
    rig.home
        .run(&format!("connect --reauth woocommerce --url {}", other.server.url()))
        .exits(6)
        .says("as a store of its own");
    rig.sync();
}

#[test]
fn a_store_with_something_still_to_be_told_is_removed_by_force_only() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.sync();
    rig.home.run(&format!("dispatch woocommerce:{id} --carrier ups --tracking 1Z1 --later")).exits(0);
    let done = rig.home.run("connect --remove woocommerce").exits(6);
    done.says("row 1, dispatch of order 1").says("nothing was changed").says("--force");
    assert_eq!(rig.home.json("outbox").as_array().unwrap().len(), 1);
    rig.home.run("connect --test woocommerce").exits(0);
    rig.home.run("connect --remove woocommerce --force").exits(0);
    let orders = rig.home.json("orders --channel woocommerce");
    assert_eq!(orders.as_array().unwrap().len(), 1, "its orders can still be asked for");
    rig.home.run("orders --channel other").exits(7).says("woocommerce");
}

#[test]
fn a_removed_store_leaves_its_orders_and_no_credentials() {
    let (rig, ids) = Rig::with_orders(&[1, 2]);
    let file = rig.home.path().join("credentials/woocommerce.json");
    assert!(file.exists());
    rig.home.run("connect --remove woocommerce").exits(0).prints("its orders stay in the book");
    assert!(!file.exists());
    rig.home.run("sync").exits(7).says("no store is connected");
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2);
    rig.connect("").exits(0);
    rig.sync();
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2, "the same orders, not others beside them");
    rig.home.run(&format!("show woocommerce:{}", ids[0])).exits(0);
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

/// A certificate authority of one's own: the server's side and the PEM file.
fn over_tls(options: Options) -> (Served, String) {
    over_tls_with(options, rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap())
}

fn over_tls_with(options: Options, params: rcgen::CertificateParams) -> (Served, String) {
    let signing_key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let certified = rcgen::CertifiedKey { cert, signing_key };
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let served = Served::over(options, ServerOptions { tls: Some(Arc::new(config)), ..ServerOptions::default() });
    (served, certified.cert.pem())
}

#[test]
fn x2_a_shop_with_an_authority_of_its_own_is_trusted_only_when_told_to() {
    let (served, pem) = over_tls(Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() });
    let rig = Rig { served, home: woo::home() };
    let id = rig.paid(1);
    rig.connect("").exits(1).says("does not prove that it is itself").says("--ca-file");
    assert!(rig.server.requests().is_empty(), "nothing is said to a stranger");
    let file = rig.home.file("ca.pem", &pem);
    rig.connect(&format!("--ca-file {file}")).exits(0);
    rig.sync();
    assert_eq!(rig.status(id), "awaiting-fulfillment");
    let scheme = |one: &ordersync::sim::Exchange| {
        one.headers.iter().any(|(n, v)| n == "authorization" && v.starts_with("Basic"))
    };
    assert!(rig.server.requests().iter().any(scheme));
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
fn x2_plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let home = woo::home();
    home.run("connect woocommerce --url http://shop.example.test")
        .exits(6)
        .says("--allow-http")
        .says("nothing was sent");
}

#[test]
fn c5_another_endpoint_stands_in_for_every_request() {
    let shop = served();
    let home = woo::home();
    let connect = format!("connect woocommerce --url https://shop.example.test --endpoint {}", shop.server.url());
    home.run(&connect).exits(0);
    shop.paid(1);
    home.run("sync").exits(0).silent();
    assert_eq!(home.json("orders").as_array().unwrap().len(), 1);
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

#[test]
fn a_connection_can_be_tested_and_says_what_fails() {
    let rig = Rig::new();
    rig.home.run("connect --test").exits(0).prints("the connection works");
    rig.fault(Fault::new(FaultKind::Unauthorized).on_path(woo::ORDERS).always());
    let told = rig.home.run("connect --test woocommerce --json").exits(4).json();
    assert_eq!((&told[0]["ok"], &told[0]["error"]["exit_code"]), (&false.into(), &4.into()));
    rig.home.run("connect --test nobody").exits(7);
}

#[cfg(unix)]
#[test]
fn x1_what_is_kept_is_for_its_owner_only_and_secrets_are_nowhere_but_in_their_file() {
    use std::os::unix::fs::PermissionsExt;
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01", ids[0])).exits(0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = rig.home.path();
    assert_eq!(mode(&home.join("credentials")), 0o700);
    assert_eq!(mode(&home.join("credentials/woocommerce.json")), 0o600);
    assert_eq!(mode(&home), 0o700);
    for entry in
        std::fs::read_dir(&home).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "credentials")
    {
        if entry.path().is_file() {
            assert_eq!(mode(&entry.path()) & 0o077, 0, "{:?}", entry.file_name());
        }
        rig.home.assert_no_secret_in(&entry.path());
    }
    let backup = rig.home.beside("copy.sqlite");
    rig.home.run(&format!("backup {}", backup.display())).exits(0);
    rig.home.assert_no_secret_in(&backup);
    assert_eq!(mode(&backup) & 0o077, 0);
}

/// A certificate that is no good is told as what it is: waiting does not mend it, nor does any
/// other advice.
#[test]
fn x2_a_certificate_that_has_expired_or_is_for_another_name_is_told_with_its_remedy() {
    let options = || Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() };
    let params = |name: &str| rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let mut old = params("127.0.0.1");
    (old.not_before, old.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    let mut young = params("127.0.0.1");
    (young.not_before, young.not_after) = (rcgen::date_time_ymd(2090, 1, 1), rcgen::date_time_ymd(2099, 1, 1));
    for (params, said, remedy) in [
        (old, "has expired", "renew"),
        (young, "not valid yet", "clock"),
        (params("other.example.test"), "for another name", "check the address"),
    ] {
        let (served, pem) = over_tls_with(options(), params);
        let rig = Rig { served, home: woo::home() };
        let file = rig.home.file("ca.pem", &pem);
        rig.connect(&format!("--ca-file {file}")).exits(1).says(said).says(remedy).without("--ca-file at connect");
        assert!(rig.server.requests().is_empty(), "nothing is said to a stranger");
    }
}

#[test]
fn c4_what_was_named_wins_over_what_lies_about() {
    let (wrong, shop) = ("ck_0000000000000000000000000000000000000000", served());
    let home = woo::home();
    let file = home
        .file("key.toml", &format!("consumer_key = \"{REHEARSAL_KEY}\"\nconsumer_secret = \"{REHEARSAL_SECRET}\"\n"));
    let connect = |name: &str| format!("connect woocommerce --name {name} --url {}", shop.server.url());
    let named = format!("{} --credentials {file}", connect("a"));
    // The file, whatever the environment says, in either form.
    let own = "ORDERSYNC_WOOCOMMERCE_CONSUMER_KEY";
    home.run(&named).env(KEY, wrong).env(SECRET, "cs_x").env(own, wrong).exits(0);
    home.run("connect --remove a").exits(0);
    // Half a file: the channel's own variables fill it up, the short ones, which are another
    // channel's as well, do not.
    let half = home.file("half.toml", &format!("consumer_secret = \"{REHEARSAL_SECRET}\"\n"));
    let halved = format!("{} --credentials {half}", connect("a"));
    home.run(&halved).exits(2).says("ORDERSYNC_WOOCOMMERCE_CONSUMER_KEY");
    home.run(&halved).env(own, REHEARSAL_KEY).exits(0);
    home.run("connect --remove a").exits(0);
    // Without a file the channel's own win over the short ones.
    home.run(&connect("a")).env(KEY, wrong).env(own, REHEARSAL_KEY).exits(0);
    let kept = std::fs::read_to_string(home.path().join("credentials/a.json")).unwrap();
    assert!(!kept.contains(wrong));
}

/// A pair that was named is not mixed with another kind of credentials that the environment has.
#[test]
fn c4_of_two_ways_in_the_one_that_was_named_is_taken() {
    let home = Home::new();
    let file = home.file("key.toml", "access_token = \"shpat_1\"\napi_secret = \"shpss_1\"\n");
    let closed = served().server.url().to_owned();
    home.run(&format!("connect shopify --shop x --endpoint {closed} --credentials {file}"))
        .env("ORDERSYNC_SHOPIFY_CLIENT_ID", "id")
        .env("ORDERSYNC_SHOPIFY_CLIENT_SECRET", "secret")
        .exits(5)
        .without("access_token\"");
}

#[cfg(unix)]
#[test]
fn a_certificate_file_that_is_none_is_not_waited_for() {
    let rig = Rig { served: served(), home: woo::home() };
    let pipe = rig.home.beside("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for file in [pipe.to_string_lossy().as_ref(), "/dev/zero", "/"] {
        rig.connect(&format!("--ca-file {file}")).exits(2).says("it is not a file").says("nothing was sent");
    }
    assert!(rig.server.requests().is_empty());
}

#[test]
fn x6_an_endpoint_with_more_than_scheme_host_and_port_is_refused_and_not_repeated() {
    let rig = Rig::new();
    for bad in [
        "http://ann:pa55word@127.0.0.1:1",
        "http://127.0.0.1:1/?key=pa55word",
        "http://127.0.0.1:1/pa55word",
        "pa55word",
    ] {
        rig.home
            .run(&format!("connect woocommerce --name b --url https://b.test --endpoint {bad}"))
            .exits(2)
            .without("pa55word");
        rig.home.run(&format!("config set woocommerce.endpoint {bad}")).exits(2).without("pa55word");
    }
    // As an older version has kept it.
    let url = rig.server.url().replacen("://", "://ann:pa55word@", 1);
    rig.home.sql(&format!(
        "UPDATE stores SET settings = json_set(settings, '$.endpoint', '{url}/x?y=pa55word') RETURNING id"
    ));
    for words in ["config", "config --json", "connect --list --json", "sync -v", "config get woocommerce.endpoint"] {
        rig.home.run(words).exits(0).without("pa55word");
    }
}

/// Whoever can change an address, in the book or by a slip, is not sent the secrets.
#[test]
fn x6_credentials_are_sent_to_nobody_but_the_server_they_were_given_for() {
    let rig = Rig::new();
    let other = served();
    rig.home
        .run(&format!("config set woocommerce.endpoint {}", other.server.url()))
        .exits(0)
        .says("--reauth woocommerce");
    for words in ["sync", "connect --test", "pull woocommerce:1"] {
        rig.home.run(words).exits(4).says("ordersync connect --reauth woocommerce").says("nothing was sent");
    }
    assert!(other.server.requests().is_empty());
    rig.home.run("config unset woocommerce.endpoint").exits(0).says("--reauth");
    rig.home.run("connect --reauth woocommerce").exits(0);
    rig.sync();
    rig.home.sql(&format!(
        "UPDATE stores SET settings = json_set(settings, '$.url', '{}') RETURNING id",
        other.server.url()
    ));
    rig.home.run("sync").exits(4).says("are for");
    assert!(other.server.requests().is_empty());
}

#[test]
fn x5_this_machine_is_never_reached_through_a_proxy() {
    let rig = Rig { served: served(), home: woo::home() };
    let proxied = |words: &str| {
        let call = rig.home.run(words).without("NO_PROXY").without("no_proxy");
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
            .iter()
            .fold(call, |call, name| call.env(name, "http://127.0.0.1:9"))
    };
    for url in [rig.server.url().to_owned(), rig.server.url().replace("127.0.0.1", "localhost")] {
        proxied(&format!("connect woocommerce --url {url}")).exits(0);
        proxied("sync").exits(0);
        rig.home.run("connect --remove woocommerce").exits(0);
    }
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

/// The documents in the book can be read without the secrets.
#[test]
fn show_and_accept_need_no_credentials() {
    let (rig, ids) = Rig::with_orders(&[1]);
    assert!(ordersync::sim::Simulated::readdress(rig.shop.as_ref(), &ids[0].to_string(), "77 Somewhere Else"));
    rig.sync();
    std::fs::remove_file(rig.home.path().join("credentials/woocommerce.json")).unwrap();
    let order = format!("woocommerce:{}", ids[0]);
    rig.home.run(&format!("show {order}")).exits(0).prints("77 Somewhere Else");
    rig.home.run(&format!("accept {order}")).exits(0).prints("77 Somewhere Else");
    rig.home.run("sync").exits(4);
}

#[cfg(unix)]
#[test]
fn a_credentials_file_may_be_a_pipe_and_is_small() {
    let shop = served();
    let home = Home::new();
    let pipe = home.beside("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let text = format!("consumer_key = \"{REHEARSAL_KEY}\"\nconsumer_secret = \"{REHEARSAL_SECRET}\"\n");
            std::fs::write(pipe, text).unwrap();
        })
    };
    home.run(&format!("connect woocommerce --url {} --credentials {}", shop.server.url(), pipe.display())).exits(0);
    writer.join().unwrap();
    let connect = format!("connect woocommerce --name b --url {} --credentials", shop.server.url());
    home.run(&format!("{connect} /dev/zero")).exits(2).says("larger than");
    home.run(&format!("{connect} {}", home.path().display())).exits(2);
}

#[test]
fn c7_what_was_typed_is_repeated_without_its_escapes() {
    let home = Home::new();
    for words in [&["\u{1b}[31mred"][..], &["orders", "--status", "\u{1b}]0;x\u{7}"], &["connect", "\u{1b}[2J"]] {
        home.call(words).exits(2).without("\u{1b}").without("\u{7}");
    }
}

/// Everything but this machine is reached through the proxy that the environment names.
#[test]
fn x5_another_machine_is_reached_through_the_proxy() {
    let shop = served();
    let home = woo::home();
    let connect = "connect woocommerce --url http://shop.example.test --allow-http";
    home.run(connect).without("NO_PROXY").without("no_proxy").env("http_proxy", shop.server.url()).exits(0);
    assert!(!shop.server.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn f4_a_home_that_may_not_be_looked_into_is_not_called_empty() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let rig = Rig::new();
    let home = rig.home.path();
    let root = std::fs::metadata(&home).unwrap().uid() == 0;
    let run = |words: &str| if root { rig.home.run(words).user(65_534) } else { rig.home.run(words) };
    if root {
        // Permissions mean nothing to root, so it plays another user, to whom all but the home is
        // open.
        chown(home.parent().unwrap(), Some(65_534), Some(65_534)).unwrap();
    } else {
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    for words in ["orders", "sync", "status", "connect --list"] {
        run(words).exits(1).says("ermission").without("no store is connected");
    }
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
}
