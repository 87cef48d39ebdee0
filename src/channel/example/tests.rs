//! The whole way through the core with a channel that it knows nothing of: connected, read,
//! shipped, another number, cancelled; with an answer that is lost on the way.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::book::{Guard, Leave, NewStore, RunKind};
use crate::channel::{ChannelKind, Values};
use crate::clock::SystemClock;
use crate::credentials::Credentials;
use crate::home::Home;
use crate::http::RetryPolicy;
use crate::order::Status;
use crate::secret::Secret;
use crate::sim::{self, Fault, FaultKind, Request, Response, Server, ServerOptions};
use crate::sync::act::Watch;
use crate::sync::dispatch::{Request as Dispatch, When, dispatch};
use crate::sync::{self, Context, Job, Silent, cancel as cancelling, store};

/// The shop's program: the file, and what it refuses.
#[derive(Default)]
struct Shop {
    orders: Mutex<Vec<Value>>,
}

impl Shop {
    fn place(&self, id: u64, changed: i64) {
        self.orders.lock().unwrap().push(json!({
            "id": id.to_string(), "placed": changed, "changed": changed, "state": "open", "currency": "EUR",
            "total": "18.00", "buyer": "Robin Example", "street": "1 Test Street",
            "lines": [{ "id": "1", "sku": "TEA", "quantity": 2, "price": "9.00" }], "shipments": [],
        }));
    }

    fn order(&self, id: &str) -> Value {
        self.orders.lock().unwrap().iter().find(|order| order["id"] == id).cloned().unwrap()
    }

    fn list(&self, since: i64, after: &str) -> Value {
        let place = |order: &Value| (order["changed"].as_i64().unwrap(), order["id"].as_str().unwrap().to_owned());
        let mut rows: Vec<Value> = self.orders.lock().unwrap().clone();
        rows.retain(|order| place(order) > (since, after.to_owned()));
        rows.sort_by_key(place);
        rows.truncate(50);
        Value::from(rows)
    }
}

impl sim::Store for Shop {
    fn handle(&self, request: &Request) -> Response {
        if request.header("x-token") != Some("ex_1") {
            return Response::json(401, &json!({}));
        }
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let body = request.json().unwrap_or_default();
        let mut orders = self.orders.lock().unwrap();
        let found = path.get(1).and_then(|id| {
            let id = id.trim_end_matches(".json");
            orders.iter_mut().find(|order| order["id"] == id)
        });
        match (request.method.as_str(), path.as_slice(), found) {
            ("GET", ["shop.json"], _) => {
                Response::json(200, &json!({ "id": "corner", "name": "Corner Shop", "currency": "EUR" }))
            }
            ("GET", ["orders.json"], _) => {
                drop(orders);
                let since = request.param("since").and_then(|text| text.parse().ok()).unwrap_or(0);
                Response::json(200, &self.list(since, request.param("after").unwrap_or_default()))
            }
            ("GET", ["orders", _], Some(order)) => Response::json(200, order),
            ("POST", ["orders", _, "shipments.json"], Some(order)) => {
                let id = order["shipments"].as_array().unwrap().len().to_string();
                let mut shipment = body;
                shipment["id"] = json!(id);
                order["shipments"].as_array_mut().unwrap().push(shipment);
                order["changed"] = json!(order["changed"].as_i64().unwrap() + 1);
                Response::json(201, &json!({ "id": id }))
            }
            ("PUT", ["orders", _, "shipments", id], Some(order)) => {
                let id = id.trim_end_matches(".json");
                let shipments = order["shipments"].as_array_mut().unwrap();
                let shipment = shipments.iter_mut().find(|one| one["id"] == id).unwrap();
                (shipment["carrier"], shipment["tracking"]) = (body["carrier"].clone(), body["tracking"].clone());
                order["changed"] = json!(order["changed"].as_i64().unwrap() + 1);
                Response::json(200, &json!({ "id": id }))
            }
            ("POST", ["orders", _, "cancel.json"], Some(order)) => {
                order["state"] = json!("cancelled");
                order["changed"] = json!(order["changed"].as_i64().unwrap() + 1);
                Response::json(200, &json!({}))
            }
            _ => Response::json(404, &json!({})),
        }
    }
}

struct Nobody;

impl Watch for Nobody {
    fn looking(&self, _: &str) -> Box<dyn std::any::Any> {
        Box::new(())
    }
    fn telling(&self, _: &str) -> Box<dyn std::any::Any> {
        Box::new(())
    }
    fn keeps(&self) {}
    fn differs(&self, _: &[crate::order::Difference]) {}
    fn note(&self, _: &str) {}
}

struct Rig {
    shop: Arc<Shop>,
    server: Server,
    context: Context,
    _dir: tempfile::TempDir,
}

impl Rig {
    /// A shop with 120 orders, many of them of one second, connected as `connect` does it.
    fn new() -> Self {
        Self::with(&[])
    }

    /// The same with these settings.
    fn with(values: &[(&str, &str)]) -> Self {
        let shop = Arc::new(Shop::default());
        (1..=120).for_each(|id| shop.place(id, 1_790_000_000 + id as i64 / 70));
        let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let context = Context {
            home: Home::locate(Some(dir.path().into())).unwrap(),
            clock: Arc::new(SystemClock::new(Arc::default())),
            retry: RetryPolicy::default().starting_at(Duration::from_millis(1)),
            lock_timeout: Duration::from_secs(1),
        };
        let rig = Self { shop, server, context, _dir: dir };
        rig.connect(values);
        rig
    }

    fn connect(&self, values: &[(&str, &str)]) {
        let kind = ChannelKind::from_word("example").unwrap();
        let address = ("address", self.server.url());
        let values: Values =
            values.iter().chain([&address]).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let secrets = [("token".to_owned(), Secret::new("ex_1"))].into();
        let credentials = Arc::new(Credentials::loose(secrets));
        let channel = store::open_new(&self.context, kind, values.clone(), credentials.clone()).unwrap();
        let shop = channel.probe().unwrap();
        assert_eq!((shop.title.as_str(), shop.remote_id.as_str()), ("Corner Shop", "corner"));
        credentials.bind(&crate::channel::origin(kind, &values).unwrap());
        self.context.credential_store().write("corner", &credentials.all()).unwrap();
        let new = NewStore {
            name: "corner".into(),
            kind,
            remote_id: shop.remote_id,
            title: shop.title,
            url: shop.url,
            currency: shop.currency,
            time_zone: shop.time_zone,
            values,
            facts: shop.facts,
            since: None,
        };
        self.context.book().unwrap().add_store(&new).unwrap();
    }

    fn sync(&self) -> sync::report::Report {
        let stores = self.context.book().unwrap().stores().unwrap();
        let job = Job { kind: RunKind::Sync, range: None, full: false, dry_run: false };
        let report = sync::run(&self.context, &stores, &job, &Silent).unwrap();
        assert!(report.stores.iter().all(|store| store.error.is_none()), "{report:?}");
        report
    }

    fn dispatch(&self, order: i64, tracking: &str, replaces: Option<&str>) -> sync::dispatch::Done {
        let items = if replaces.is_some() { Vec::new() } else { vec!["TEA=1".into()] };
        let request = Dispatch { items, replaces: replaces.map(str::to_owned), ..number(tracking) };
        self.asked(order, &request).unwrap()
    }

    fn asked(&self, order: i64, request: &Dispatch) -> Result<sync::dispatch::Done> {
        dispatch(&self.context, &mut self.context.book().unwrap(), &Nobody, order, request)
    }

    fn find(&self, reference: &str) -> i64 {
        self.context.book().unwrap().find(reference).unwrap()
    }
}

/// The whole order under a number of DHL's.
fn number(tracking: &str) -> Dispatch {
    Dispatch {
        carriers: vec!["dhl".into()],
        other_carrier: false,
        tracking: vec![tracking.into()],
        items: Vec::new(),
        replaces: None,
        notify: true,
        when: When::Now,
        leave: Leave { guard: Guard::Check, unpaid: false, on_hold: false, again: false, test_order: false },
    }
}

/// A plain cancellation.
fn cancellation() -> cancelling::Request {
    cancelling::Request {
        reason: "sold out".into(),
        local: false,
        notify: false,
        restock: true,
        refund: false,
        force: false,
        dry_run: false,
    }
}

#[test]
fn a_channel_needs_its_folder_and_one_line() {
    let rig = Rig::new();
    rig.sync();
    assert_eq!(rig.context.book().unwrap().size().unwrap().orders, 120);
    let order = rig.find("corner:7");

    // The answer to the write is lost: it is looked for, and not made again.
    rig.server.faults().add(Fault::new(FaultKind::AnswerLost).on("POST", "shipments"));
    assert_eq!(rig.dispatch(order, "JD01", None).state, "unknown");
    rig.sync();
    let shipments = rig.shop.order("7")["shipments"].clone();
    assert_eq!(shipments.as_array().unwrap().len(), 1, "{shipments}");
    let known = rig.context.book().unwrap().order(order).unwrap();
    assert_eq!((known.status, known.outbox.len()), (Status::PartiallyShipped, 1));

    assert_eq!(rig.dispatch(order, "JD02", Some("JD01")).state, "confirmed");
    assert_eq!(rig.shop.order("7")["shipments"][0]["tracking"], "JD02");

    let gone = rig.find("corner:8");
    let mut book = rig.context.book().unwrap();
    let done = cancelling::cancel(&rig.context, &mut book, &Nobody, gone, &cancellation()).unwrap();
    assert_eq!(done.state, "confirmed");
    assert_eq!(rig.shop.order("8")["state"], "cancelled");
    // What the channel itself did is no news to the next sync.
    assert_eq!(rig.sync().stores[0].tally.changed, 0);
}

/// Every promise of a channel can be missing, also where no real channel of today lacks it.
#[test]
fn d2_what_a_channel_does_not_promise_is_refused_before_anything_is_recorded() {
    let rig = Rig::with(&[("old", "yes")]);
    rig.sync();
    let order = rig.find("corner:7");
    let is_refused = |error: Error, kind: ErrorKind, says: &str| {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(says) && error.message().contains("nothing was"), "{error:?}");
        assert!(error.hint_text().is_some(), "what can go instead: {error:?}");
    };
    for when in [When::Never, When::Later, When::Now] {
        for (request, kind, says) in [
            (Dispatch { items: vec!["TEA=1".into()], ..number("JD01") }, ErrorKind::Unsupported, "a part of an order"),
            (
                Dispatch { tracking: vec!["JD01".into(), "JD02".into()], ..number("") },
                ErrorKind::Unsupported,
                "one tracking number",
            ),
            (Dispatch { carriers: vec!["Brieftaube".into()], ..number("JD01") }, ErrorKind::Usage, "the nearest"),
            (
                Dispatch { replaces: Some("JD00".into()), ..number("JD01") },
                ErrorKind::Unsupported,
                "no other tracking number",
            ),
        ] {
            is_refused(rig.asked(order, &Dispatch { when, ..request }).unwrap_err(), kind, says);
        }
    }
    let mut book = rig.context.book().unwrap();
    let error = cancelling::cancel(&rig.context, &mut book, &Nobody, order, &cancellation()).unwrap_err();
    assert!(error.hint_text().is_some_and(|hint| hint.contains("write to the shop") && hint.contains("--local")));
    is_refused(error, ErrorKind::Unsupported, "takes no cancellation");
    let known = book.order(order).unwrap();
    assert_eq!((known.status, known.outbox.len()), (Status::AwaitingFulfillment, 0));
    assert_eq!(rig.shop.order("7")["shipments"], json!([]));
    assert_eq!(rig.asked(order, &number("JD01")).unwrap().state, "confirmed", "the whole goes");
}

#[test]
fn a_shop_that_takes_the_token_no_more_is_told() {
    let rig = Rig::new();
    let store = rig.context.book().unwrap().stores().unwrap().remove(0);
    let mut secrets = rig.context.credential_store().read("corner").unwrap();
    secrets.insert("token".into(), Secret::new("ex_2"));
    rig.context.credential_store().write("corner", &secrets).unwrap();
    let error = rig.context.open(&store).unwrap().channel.probe().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.hint_text().unwrap().contains("--reauth corner"), "{error:?}");
}
