//! Stores that are away, slow, broken or not to be trusted: what is to go out waits, and others go
//! on.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::channel::{CancelSupport, ChannelKind};
use ordersync::http::RetryPolicy;
use ordersync::sim::{Fault, FaultKind, Purchase, Server, ServerOptions};
use ordersync::sync::Context;
use serde_json::json;

use super::desk::{Desk, each, each_kind};
use super::support::program;

#[test]
fn d7_one_order_that_the_channel_cannot_show_holds_up_no_other_dispatch() {
    each(|desk| {
        let (first, second) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        for (nth, id) in [&first, &second].into_iter().enumerate() {
            desk.on("dispatch", id, &format!("--carrier dhl --tracking JD0{nth} --later")).exits(0);
        }
        assert!(desk.store.set_unrenderable(&first, true));
        desk.home.run("sync").done();
        let standing = desk.store.standing(&second).unwrap();
        assert_eq!(standing.sent, 1, "{}: {:?}", desk.kind, desk.home.json("outbox"));
        assert!(desk.store.set_unrenderable(&first, false));
        desk.home.run("retry").exits(0);
        assert_eq!(desk.store.standing(&first).unwrap().sent, 1, "{}", desk.kind);
    });
}

#[test]
fn i5_a_store_that_is_down_keeps_its_place_and_says_so() {
    each(|desk| {
        desk.sync();
        for status in [502, 520] {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            desk.server.clear_requests();
            desk.server.faults().add(Fault::new(FaultKind::ServerError(status)).always());
            desk.home.run("sync").exits(5).without("cannot show");
            assert!(desk.server.requests().len() < 12, "{}: {}", desk.kind, desk.server.requests().len());
            assert_eq!(desk.home.json("inbox"), json!([]), "{}: no order is to blame", desk.kind);
            desk.home.run("connect --test").exits(5);
            desk.server.faults().clear();
            desk.sync();
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        }
    });
}

#[test]
fn i5_one_store_that_is_down_costs_one_store() {
    each(|desk| {
        let other = Desk::empty(desk.kind);
        desk.connect_also(&other, "other");
        let id = other.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
        desk.home.run("sync").exits(3).says(&format!("error: {}: ", desk.kind)).without("other: ");
        assert_eq!(desk.home.json(&format!("show other:{id}"))["status"], "awaiting-fulfillment");
        desk.home.run("sync --channel other").exits(0).silent();
        desk.home.run("sync --channel nobody").exits(7).says("connected: ").says("other");
    });
}

/// What a store can bear is its own: one that is slow makes no other read in smaller pages.
#[test]
fn i5_a_store_that_fails_at_large_pages_costs_the_others_no_request() {
    each_kind(|kind| {
        let quick = Desk::empty(kind);
        quick.store.seed(700, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        quick.connect("").exits(0);
        quick.server.clear_requests();
        quick.sync();
        let alone = quick.lists().len();

        let slow = Desk::new(kind);
        slow.store.seed(400, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        let quick = Desk::beside(quick.store.clone());
        slow.connect_also(&quick, "quick");
        quick.server.clear_requests();
        quick.server.faults().add(quick.list_fault(FaultKind::Slow(Duration::from_millis(300))).always());
        slow.server.faults().add(slow.list_fault(FaultKind::ServerError(504)).times(6));
        slow.home.run("sync").done();
        assert_eq!(quick.lists().len(), alone, "{kind}");
        let read = "SELECT count(*) FROM orders WHERE store_id = (SELECT id FROM stores WHERE name = 'quick')";
        assert!(slow.home.sql(read)[0].parse::<u32>().unwrap() > 600, "{kind}");
    });
}

/// A self-made certificate: the server's side and the PEM file.
fn certificate(of: &str) -> (Arc<rustls::ServerConfig>, String) {
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, of);
    let signing_key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    (Arc::new(config), cert.pem())
}

#[test]
fn d7_a_certificate_that_is_refused_fails_no_dispatch() {
    each_kind(|kind| {
        let mut desk = Desk::unconnected(kind);
        let serve = |desk: &mut Desk, tls: &Arc<rustls::ServerConfig>, port: u16| {
            let options = || ServerOptions { port, tls: Some(tls.clone()), ..ServerOptions::default() };
            let serve = || Server::start(desk.store.clone(), options()).ok();
            // A connection of another test may have the port for a moment.
            let pause = || std::thread::sleep(Duration::from_millis(50));
            let served = (0..200).find_map(|_| serve().or_else(|| (pause(), None).1));
            desk.server = served.unwrap();
        };
        let ((good, authority), (stranger, _)) = (certificate("the shop"), certificate("a stranger"));
        serve(&mut desk, &good, 0);
        let port = url::Url::parse(desk.server.url()).unwrap().port().unwrap();
        desk.connect(&format!("--ca-file {}", desk.home.file("ca.pem", &authority))).exits(0);
        let (id, other) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("MUG-9", 1)]));
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);

        // The old server must leave its port first.
        desk.server = Server::start(desk.store.clone(), ServerOptions::default()).unwrap();
        serve(&mut desk, &stranger, port);
        let told = |done: program::Done| {
            done.says("does not prove that it is itself").says("nothing was sent").says("--ca-file")
        };
        told(desk.home.run("sync").exits(1));
        told(desk.home.run("retry").exits(1));
        told(desk.on("dispatch", &other, "--carrier dhl --tracking JD02").exits(1));
        let rows = desk.home.json("outbox");
        let states: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["queued"], "{kind}: {rows}");
        assert_eq!(desk.show(&id)["status"], "shipped", "{kind}");
        let inbox = desk.home.json("inbox").to_string();
        assert!(!inbox.contains("did not go out"), "{kind}: {inbox}");
        assert!(desk.server.requests().is_empty(), "{kind}: something was said to a stranger");

        desk.server = Server::start(desk.store.clone(), ServerOptions::default()).unwrap();
        serve(&mut desk, &good, port);
        desk.home.run("retry").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");
        assert_eq!(desk.show(&other)["status"], "awaiting-fulfillment", "{kind}");
    });
}

/// Breaks down where a store's orders are announced.
struct BreaksDown<'a>(&'a str);

impl ordersync::sync::Progress for BreaksDown<'_> {
    fn opened(&self, _: &str, _: &Arc<ordersync::http::Client>) {}
    fn total(&self, _: &str, _: u64) {}
    fn advanced(&self, store: &str, _: u64) {
        assert_ne!(store, self.0, "broken on purpose");
    }
    fn message(&self, _: &str, _: &str) {}
    fn finished(&self, _: &str) {}
}

#[test]
fn i5_f6_a_store_whose_thread_breaks_down_costs_one_store() {
    let desks: Vec<Desk> = ChannelKind::ALL.map(Desk::unconnected).into();
    let home = &desks[0].home;
    for desk in &desks {
        desks[0].connect_also(desk, desk.kind.word());
    }
    let context = desks[0].context();
    let stores = context.book().unwrap().stores().unwrap();
    let job = ordersync::sync::Job { kind: ordersync::book::RunKind::Sync, range: None, full: false, dry_run: false };
    for broken in &desks {
        let name = broken.kind.word();
        let report = ordersync::sync::run(&context, &stores, &job, &BreaksDown(name)).unwrap();
        for store in &report.stores {
            let error = store.error.as_ref().map(|error| error.to_string());
            if store.store != name {
                assert_eq!(error, None, "{} beside {name}", store.store);
            } else if let Some(error) = error {
                assert!(error.contains("ordersync itself failed"), "{error}");
            }
        }
    }
    let first = "SELECT count(*) FROM run_stores WHERE run_id = 1 AND error_kind IS NOT NULL";
    assert_eq!(home.sql(first), ["1"], "the first store broke down in the first run");
    // What it held is free again, and nothing is lost.
    for store in home.json("sync")["stores"].as_array().unwrap() {
        assert!(store["error"].is_null(), "{store}");
    }
    for desk in &desks {
        let count =
            format!("SELECT count(*) FROM orders JOIN stores s ON s.id = store_id WHERE s.channel = '{}'", desk.kind);
        assert_eq!(home.sql(&count), [desk.elsewhere().len().to_string()], "{}", desk.kind);
    }
}

/// A length told too long on a connection that stays open, a byte now and then: no run waits for
/// hours, and nothing is lost.
#[test]
fn f1_i5_a_list_that_begins_and_does_not_end_ends_the_run_and_says_so() {
    each(|desk| {
        desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        let retry = RetryPolicy { timeout: Duration::from_millis(900), ..RetryPolicy::default() };
        let context = Context { retry: retry.starting_at(Duration::from_millis(1)), ..desk.context() };
        let stores = context.book().unwrap().stores().unwrap();
        let job =
            ordersync::sync::Job { kind: ordersync::book::RunKind::Sync, range: None, full: false, dry_run: false };
        desk.server.faults().add(desk.list_fault(FaultKind::Drips(Duration::from_millis(50))).always());
        let report = ordersync::sync::run(&context, &stores, &job, &BreaksDown("nobody")).unwrap();
        let error = report.stores[0].error.as_ref().unwrap();
        assert!(error.message().contains("began and did not end in 1 s"), "{}: {error}", desk.kind);
        assert!(desk.server.requests().len() < 20, "{}: {}", desk.kind, desk.server.requests().len());
        desk.server.faults().clear();
        desk.sync();
        assert_eq!(desk.home.sql("SELECT count(*) FROM orders"), [desk.elsewhere().len().to_string()]);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
    });
}

#[test]
fn d7_a_store_that_is_not_at_its_address_for_a_while_fails_no_dispatch() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD404 --later").exits(0);
        desk.server.faults().add(Fault::new(FaultKind::ServerError(404)).always());
        desk.home.run("sync").exits(7);
        desk.home.run("retry").exits(7);
        let row = desk.home.json("outbox")[0].clone();
        assert_eq!(row["state"], "queued", "{} {row}", desk.kind);
        desk.server.faults().clear();
        desk.home.run("retry").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD404"]);
    });
}

#[test]
fn f3_a_revoked_credential_is_exit_4_and_stands_in_the_inbox_until_it_works_again() {
    each(|desk| {
        desk.sync();
        desk.server.faults().add(Fault::new(FaultKind::Unauthorized).always());
        desk.home.run("sync").exits(4).says(desk.kind.word()).says("ordersync connect --").without("STORE");
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1, "{}", desk.kind);
        desk.server.faults().clear();
        desk.sync();
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn f3_credentials_that_are_refused_are_known_at_once_whatever_command_has_met_with_it() {
    each(|desk| {
        let kind = desk.kind;
        let (id, other) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        let is_known = || desk.home.run("status --check").done().code == Some(4);
        let mut commands =
            vec![("pull", &other, ""), ("retry", &id, ""), ("dispatch", &other, "--carrier dhl --tracking JD02")];
        if matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
            commands.push(("cancel", &other, ""));
        }
        for (command, order, more) in commands {
            assert!(!is_known(), "{kind} {command}");
            desk.server.faults().add(Fault::new(FaultKind::Unauthorized).always());
            desk.on(command, order, more).exits(4);
            assert!(is_known(), "{kind} {command}");
            desk.server.faults().clear();
            desk.on("pull", &other, "").exits(0);
        }
        assert!(!is_known() && desk.home.json("inbox") == json!([]), "{kind}");
    });
}

#[test]
fn d7_what_is_to_go_out_waits_for_no_list_that_fails() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let cancelled = desk.paid(&[("MUG-9", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        desk.server.faults().add(desk.list_fault(FaultKind::ServerError(500)).always());
        desk.home.run("sync").exits(5);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{}", desk.kind);
        desk.server.faults().clear();
        // A list that is long to read.
        desk.on("dispatch", &cancelled, "--carrier dhl --tracking JD02 --later").exits(0);
        desk.server.faults().add(desk.list_fault(FaultKind::Slow(Duration::from_secs(20))).always());
        let mut sync = desk.home.spawn("sync", &[]);
        program::until("the dispatch", || desk.tracking_numbers(&cancelled) == ["JD02"]);
        sync.kill().unwrap();
        sync.wait().unwrap();
        desk.server.faults().clear();
        desk.sync();
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: its own echo is news", desk.kind);
    });
}

#[test]
fn d7_what_is_recorded_while_a_long_import_is_at_work_goes_out_meanwhile() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(desk.list_fault(FaultKind::Slow(Duration::from_secs(100))).always());
        let mut sync = desk.home.spawn("sync", &[]);
        // The first look at the outbox is over once the list is asked for.
        program::until("the import", || desk.home.sql("SELECT count(*) FROM runs WHERE finished_at IS NULL") == ["1"]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        program::until("the dispatch", || desk.tracking_numbers(&id) == ["JD01"]);
        assert!(sync.try_wait().unwrap().is_none(), "{}: the import is over", desk.kind);
        sync.kill().unwrap();
        sync.wait().unwrap();
    });
}
