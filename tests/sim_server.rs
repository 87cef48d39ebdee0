//! The server of the simulated stores: concurrency, faults, recording, control.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use ordersync::clock::SystemClock;
use ordersync::sim::woocommerce::{Options, REHEARSAL_KEY, REHEARSAL_SECRET, Shop};
use ordersync::sim::{Fault, FaultKind, Recording, Server, ServerOptions, WrongType};
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

fn demo() -> (Arc<Shop>, Server) {
    let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
    let shop = Arc::new(Shop::demo(Arc::new(clock)));
    let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
    (shop, server)
}

fn client() -> Client {
    // The second and later calls find it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn ask(server: &Server, method: &str, path: &str, body: &str) -> reqwest::Result<Response> {
    let request = client().request(method.parse().unwrap(), format!("{}{path}", server.url()));
    request
        .basic_auth(REHEARSAL_KEY, Some(REHEARSAL_SECRET))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
}

const ORDERS: &str = "/wp-json/wc/v3/orders";

fn list(server: &Server) -> reqwest::Result<Response> {
    ask(server, "GET", ORDERS, "")
}

#[test]
fn four_slow_requests_are_served_at_once() {
    let (_shop, server) = demo();
    let each = Duration::from_secs(1);
    server.faults().add(Fault::new(FaultKind::Slow(each)).times(4));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(list(&server).unwrap().status(), 200));
        }
    });
    let took = begun.elapsed();
    assert!(took >= each && took < each * 4, "one after the other: {took:?}");
}

#[test]
fn a_lost_answer_was_applied_and_a_cut_request_was_not() {
    let (shop, server) = demo();
    let id = shop.place_order(ordersync::sim::woocommerce::NewOrder::paid());
    let complete = || ask(&server, "PUT", &format!("{ORDERS}/{id}"), r#"{"status":"completed"}"#);
    server.faults().next(FaultKind::CutBefore);
    assert!(complete().is_err());
    assert_eq!((shop.status(id).as_deref(), shop.writes()), (Some("processing"), 0));
    server.faults().next(FaultKind::AnswerLost);
    assert!(complete().is_err());
    assert_eq!((shop.status(id).as_deref(), shop.writes()), (Some("completed"), 1));
    assert_eq!(server.faults().pending(), 0);
    assert_eq!(server.requests().iter().map(|one| one.status).collect::<Vec<_>>(), [None, Some(200)]);
}

#[test]
fn a_truncated_answer_promises_more_than_it_brings() {
    let (_shop, server) = demo();
    server.faults().next(FaultKind::Truncated);
    let response = list(&server).unwrap();
    assert!(response.content_length().unwrap() > 100);
    assert!(response.bytes().is_err());
}

#[test]
fn an_endless_answer_never_ends() {
    let (_shop, server) = demo();
    server.faults().next(FaultKind::Endless);
    let mut part = vec![0; 5_000_000];
    list(&server).unwrap().read_exact(&mut part).unwrap();
}

#[test]
fn answers_are_damaged_on_order() {
    let (_shop, server) = demo();
    let struck = |kind| {
        server.faults().next(kind);
        list(&server).unwrap().bytes().unwrap().to_vec()
    };
    assert!(struck(FaultKind::ByteOrderMark).starts_with(b"\xEF\xBB\xBF["));
    assert!(struck(FaultKind::NoticeBefore).starts_with(b"<br />"));
    assert!(struck(FaultKind::NoticeAfter).ends_with(b"<br />\n"));
    assert!(struck(FaultKind::HtmlInstead).starts_with(b"<!DOCTYPE"));
    let wrong = |wrong| serde_json::from_slice::<Value>(&struck(FaultKind::WrongType(wrong, None))).unwrap()[0].clone();
    assert!(wrong(WrongType::TotalIsObject)["total"].is_object());
    assert_eq!(wrong(WrongType::IdIsText)["id"], "abc");
    assert!(wrong(WrongType::DatesMissing).get("date_modified_gmt").is_none());
}

#[test]
fn requests_are_refused_on_order() {
    let (_shop, server) = demo();
    let struck = |kind| {
        server.faults().next(kind);
        list(&server).unwrap()
    };
    let limited = struck(FaultKind::RateLimited(Some("7".to_owned())));
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(struck(FaultKind::ServerError(502)).status(), 502);
    assert_eq!(struck(FaultKind::Firewall).status(), 403);
    assert_eq!(struck(FaultKind::Unauthorized).status(), 401);
    let moved = struck(FaultKind::Redirect("https://elsewhere.example.test".to_owned()));
    assert_eq!(moved.headers()["location"], "https://elsewhere.example.test/wp-json/wc/v3/orders");
}

#[test]
fn a_fault_waits_for_its_method_path_and_turn() {
    let (_shop, server) = demo();
    server.faults().add(Fault::new(FaultKind::ServerError(503)).on("GET", "page=2").after(1).times(2));
    let status = |page: u32| ask(&server, "GET", &format!("{ORDERS}?page={page}"), "").unwrap().status().as_u16();
    assert_eq!([status(1), status(2), status(1), status(2), status(2), status(2)], [200, 200, 200, 503, 503, 200]);
}

#[test]
fn a_stale_cache_repeats_the_first_answer_as_html() {
    let (shop, server) = demo();
    server.faults().add(Fault::new(FaultKind::StaleCache).on("GET", ORDERS).always());
    let first = list(&server).unwrap().text().unwrap();
    shop.place_order(ordersync::sim::woocommerce::NewOrder::paid());
    let second = ask(&server, "GET", &format!("{ORDERS}?page=3"), "").unwrap();
    assert_eq!(second.headers()["content-type"], "text/html; charset=UTF-8");
    assert_eq!(second.text().unwrap(), first);
    server.faults().clear();
    assert_ne!(list(&server).unwrap().text().unwrap(), first);
}

#[test]
fn keys_are_scrubbed_from_what_is_recorded() {
    let (_shop, server) = demo();
    list(&server).unwrap();
    let query = format!("{ORDERS}?consumer_key={REHEARSAL_KEY}&consumer_secret={REHEARSAL_SECRET}");
    ask(&server, "GET", &query, "").unwrap();
    let told = format!("{:?}", server.requests());
    assert!(!told.contains("decade") && told.contains("<credentials>"));
    server.clear_requests();
    assert!(server.requests().is_empty());
}

#[test]
fn a_shop_is_steered_over_http() {
    let (shop, server) = demo();
    let post = |verb: &str, body: Value| {
        let response = ask(&server, "POST", &format!("/__ordersync-sim/{verb}"), &body.to_string()).unwrap();
        serde_json::from_str::<Value>(&response.text().unwrap()).unwrap()
    };
    let id =
        post("place-order", json!({"lines": [{"sku": "MUG-9", "quantity": 3}]}))["id"].as_str().unwrap().to_owned();
    post(&format!("edit-address/{id}"), json!({"city": "Bremen"}));
    let number = id.parse().unwrap();
    assert_eq!(shop.order_json(number).unwrap()["shipping"]["city"], "Bremen");
    assert_eq!(post(&format!("cancel/{id}"), json!({}))["changed"], true);
    assert_eq!(shop.status(number).unwrap(), "cancelled");
    post("fault", json!({"kind": "rate-limited", "retry_after": "3"}));
    assert_eq!(list(&server).unwrap().status(), 429);
    let stats = ask(&server, "GET", "/__ordersync-sim/stats", "").unwrap().text().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stats).unwrap()["orders"], 41);
}

#[test]
fn a_stopped_server_closes_its_port() {
    let (_shop, server) = demo();
    let address = server.url().trim_start_matches("http://").to_owned();
    TcpStream::connect(&address).unwrap().write_all(b"GET / HTTP/1.1\r\n").unwrap();
    server.stop();
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn two_hundred_thousand_orders_fit_and_page_quickly() {
    let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
    let shop = Shop::demo(Arc::new(clock));
    let begun = Instant::now();
    let day = |day| chrono::TimeZone::with_ymd_and_hms(&chrono::Utc, 2026, 1, day, 0, 0, 0).unwrap();
    let first = shop.seed(200_000, day(1), day(28));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let size = shop.order_json(first + 7).unwrap().to_string().len();
    assert!((2_000..8_000).contains(&size), "{size}");
    let options = ServerOptions { recording: Recording::Off, ..ServerOptions::default() };
    let server = Server::start(Arc::new(shop), options).unwrap();
    let response = ask(&server, "GET", &format!("{ORDERS}?per_page=100&page=900&orderby=id&order=asc"), "").unwrap();
    assert_eq!(response.json_rows(), 100);
    assert!(server.requests().is_empty());
}

trait Rows {
    fn json_rows(self) -> usize;
}

impl Rows for Response {
    fn json_rows(self) -> usize {
        serde_json::from_str::<Vec<Value>>(&self.text().unwrap()).unwrap().len()
    }
}

#[test]
fn a_shop_is_served_over_tls_and_then_takes_basic() {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
    let shop = Arc::new(Shop::new(Options::default(), Arc::new(clock)));
    let options = ServerOptions { tls: Some(Arc::new(config)), ..ServerOptions::default() };
    let server = Server::start(shop, options).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = reqwest::Certificate::from_der(certified.cert.der()).unwrap();
    let client = Client::builder().tls_certs_only([authority]).build().unwrap();
    let url = format!("{}{ORDERS}", server.url());
    let response = client.get(&url).basic_auth(REHEARSAL_KEY, Some(REHEARSAL_SECRET)).send().unwrap();
    assert_eq!((response.status().as_u16(), url.starts_with("https://")), (200, true));
}
