//! The engine against a channel that lives in memory: paging under change, lost answers, cut runs.
//!
//! The channel is as unkind as real ones: orders change between pages, answers get lost after the
//! write was applied, writes are not idempotent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::export::{Outcome, export_due, push};
use super::import::import;
use super::report::{Exports, StoreReport};
use super::store::OpenStore;
use super::*;
use crate::book::{Guard, NewStore, OutboxState, Why};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::*;
use crate::clock::{ManualClock, from_millis};
use crate::http::{Client, Options, RateLimit};
use crate::order::{LineQuantity, Order, Parcel, RemoteShipment, Shipment, Status, testing};

mod versions;

/// What happens to the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Applied, answered.
    Fine,
    /// Applied, the answer is lost.
    AnswerLost,
    /// Not applied, the connection breaks; the client cannot tell the two apart.
    NeverArrived,
    /// Not applied and known not to be.
    Busy,
    /// Understood and refused.
    Refused,
}

#[derive(Default)]
struct Shop {
    orders: BTreeMap<u64, Order>,
    clock: i64,
    fates: Vec<Fate>,
    /// Changes to make after so many pages.
    between_pages: Vec<u64>,
    writes: u32,
    buyer_told: u32,
    pages: u32,
    fail_page: Option<u32>,
    /// Orders that the channel cannot show.
    unshowable: BTreeSet<u64>,
    /// Beside those it lists there is one that it cannot show, nobody knows which.
    nameless: bool,
    /// One comes without an id, and can't be read.
    without_id: Option<&'static str>,
    /// Every page announces more and stays where it is.
    frozen: bool,
    /// So many reads of an order come from a replica that does not know of the last write to it.
    lag: u32,
    before_write: BTreeMap<u64, Order>,
    reads: u32,
    /// The list of shipments lags behind the order.
    hides_shipments: bool,
    /// Orders that cannot be read, and that no list can place: they are on every page.
    unplaced: BTreeSet<String>,
    /// Orders whose single read comes to this error.
    odd: BTreeMap<u64, ErrorKind>,
    /// Nothing that it answers can be read.
    is_odd: bool,
}

impl Shop {
    fn touch(&mut self, id: u64) {
        self.clock += 1;
        let at = from_millis(1_795_000_000_000 + self.clock * 1000);
        let order = self.orders.entry(id).or_insert_with(|| testing::order(&id.to_string(), Status::AwaitingPayment));
        order.updated_at = at;
        order.buyer_note = format!("version {}", self.clock);
    }
}

#[derive(Clone, Default)]
struct FakeChannel(Arc<Mutex<Shop>>);

/// Keyset paging by modification time, as the real adapters do it.
#[derive(Serialize, Deserialize)]
struct Position {
    after: i64,
}

const PAGE: usize = 3;

impl FakeChannel {
    fn remote(order: &Order) -> RemoteOrder {
        RemoteOrder {
            remote_id: order.remote_id.clone(),
            document: RawValue::from_string(serde_json::to_string(order).unwrap()).unwrap(),
            order: Ok(Box::new(order.clone())),
        }
    }
}

struct FakeFormat;

impl Format for FakeFormat {
    fn order(&self, document: &[u8]) -> Result<Order> {
        serde_json::from_slice(document).map_err(|e| Error::new(ErrorKind::Unreadable, e.to_string()))
    }
}

impl Channel for FakeChannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            partial: true,
            for_parts: "",
            several_parcels: true,
            notify: Notify::Choice,
            unknown_carrier: UnknownCarrier::SentAsText,
            replace_tracking: true,
            cancel: CancelSupport::Yes(Cancelling {
                money: "",
                effect: "",
                reason: "",
                restock: false,
                notify: false,
                refund: false,
                taken: true,
            }),
            beside: 0,
            in_flight: 2,
            overlap: Duration::ZERO,
            guide_time: crate::channel::GuideTime::UNKNOWN,
        }
    }

    fn probe(&self) -> Result<ShopInfo> {
        match self.0.lock().unwrap().is_odd {
            true => Err(Error::new(ErrorKind::Unreadable, "a page in place of the answer")),
            false => Ok(ShopInfo {
                remote_id: "shop.example.test".into(),
                title: "Shop".into(),
                url: String::new(),
                currency: None,
                time_zone: String::new(),
                orders: None,
                facts: serde_json::Value::Null,
                warnings: Vec::new(),
                choices: Vec::new(),
            }),
        }
    }

    fn plan(&self, _: &Range) -> Result<Plan> {
        Ok(Plan { slices: vec![], changes: Cursor::new(&Position { after: 0 })?, total: None })
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        let position: Position = at.position()?;
        let mut shop = self.0.lock().unwrap();
        shop.pages += 1;
        if shop.fail_page == Some(shop.pages) {
            return Err(Error::new(ErrorKind::Temporary, "the channel is down"));
        }
        let mut rows: Vec<Order> =
            shop.orders.values().filter(|o| o.updated_at.timestamp_millis() > position.after).cloned().collect();
        rows.sort_by_key(|o| (o.updated_at, o.remote_id.clone()));
        let full = rows.len() > PAGE;
        rows.truncate(PAGE);
        let after = rows.last().map_or(position.after, |o| o.updated_at.timestamp_millis());
        if let Some(id) = shop.between_pages.pop() {
            shop.touch(id);
        }
        let cursor = Cursor::new(&Position { after })?;
        let next = if full || shop.frozen { Next::More(cursor) } else { Next::Done(cursor) };
        let hidden = |order: &&Order| shop.unshowable.contains(&order.remote_id.parse().unwrap());
        let unshown = rows.iter().filter(hidden).map(|order| Unshown {
            remote_id: Some(order.remote_id.clone()),
            place: String::new(),
            why: "500".into(),
            unlisted: 0,
        });
        let unread = shop.unplaced.iter().map(|id| RemoteOrder {
            remote_id: id.clone(),
            document: RawValue::from_string("{}".to_owned()).unwrap(),
            order: Err("its dates are no dates".to_owned()),
        });
        let nameless = shop.nameless.then(|| Unshown {
            remote_id: None,
            place: "an order or more".into(),
            why: "counted and not listed".into(),
            unlisted: 0,
        });
        let unshown = unshown.chain(nameless).collect();
        let without_id = shop.without_id.map(|document| RemoteOrder {
            remote_id: crate::channel::rows::nameless(document),
            document: RawValue::from_string(document.into()).unwrap(),
            order: Err("no id".into()),
        });
        let orders = rows.iter().filter(|order| !hidden(order)).map(Self::remote).chain(unread).chain(without_id);
        let orders = orders.collect();
        Ok(Page { orders, unshown, ..Page::without_orders(next) })
    }

    fn order(&self, id: &str) -> Result<Option<RemoteOrder>> {
        if self.0.lock().unwrap().unshowable.contains(&id.parse().unwrap()) {
            return Err(Error::new(ErrorKind::Temporary, "500"));
        }
        let id = id.parse().unwrap();
        let mut shop = self.0.lock().unwrap();
        shop.reads += 1;
        let odd = shop.odd.get(&id).copied();
        if let Some(kind) = odd.or(shop.is_odd.then_some(ErrorKind::Unreadable)) {
            return Err(Error::new(kind, "no order came"));
        }
        if shop.lag > 0 && shop.before_write.contains_key(&id) {
            shop.lag -= 1;
            return Ok(shop.before_write.get(&id).map(Self::remote));
        }
        Ok(shop.orders.get(&id).map(Self::remote))
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        _: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        let hides = self.0.lock().unwrap().hides_shipments;
        let shipments = now.order.as_ref().unwrap().shipments.iter().filter(|_| !hides);
        let record = |shipment: &RemoteShipment| Record {
            id: shipment.remote_id.clone(),
            lines: shipment.lines.clone(),
            tracking: matching::numbers(&shipment.parcels),
            ..Record::default()
        };
        let part = |parcel| Part { numbers: matching::numbers([parcel]), ..Part::default() };
        let lines = match shipment.parcels.as_slice() {
            [_] => shipment.lines.clone(),
            _ => Vec::new(),
        };
        let parts = shipment.parcels.iter().map(part).map(|part| Part { lines: lines.clone(), ..part }).collect();
        let step = move |_: &[Record], found: &Matched| fake_step(&now.remote_id, shipment, found);
        Ok(DispatchPlan::new(parts, shipments.map(record).collect(), step))
    }

    fn plan_tracking<'a>(
        &'a self,
        _: &'a RemoteOrder,
        _: &'a TrackingChange,
        _: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        unreachable!("no test here replaces a number")
    }

    fn cancel(&self, now: &RemoteOrder, _: &Cancellation, _: &[String]) -> Result<Step> {
        let operation = FakeWrite { order: now.remote_id.parse().unwrap(), parcel: None, lines: Vec::new() };
        Ok(Step::Write(vec![Write::new("cancel", operation)?]))
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        let mut shop = self.0.lock().unwrap();
        let fate = shop.fates.pop().unwrap_or(Fate::Fine);
        shop.writes += 1;
        if matches!(fate, Fate::Fine | Fate::AnswerLost) {
            let FakeWrite { order: id, parcel, lines } = write.operation::<FakeWrite>().unwrap().clone();
            shop.clock += 1;
            let at = from_millis(1_795_000_000_000 + shop.clock * 1000);
            shop.buyer_told += u32::from(parcel.is_some());
            let before = shop.orders[&id].clone();
            shop.before_write.insert(id, before);
            let order = shop.orders.get_mut(&id).unwrap();
            order.updated_at = at;
            if parcel.is_none() {
                order.status = Status::Cancelled;
            } else {
                order.shipments.push(RemoteShipment {
                    remote_id: format!("s{}", order.shipments.len()),
                    shipped_at: None,
                    lines,
                    parcels: parcel.into_iter().collect(),
                });
                let sent = order.shipments.iter().flat_map(|shipment| &shipment.lines).map(|line| line.quantity);
                let all = order.lines.iter().map(|line| line.quantity);
                let whole = sent.sum::<rust_decimal::Decimal>() >= all.sum();
                order.status = if whole { Status::Shipped } else { Status::PartiallyShipped };
            }
        }
        match fate {
            Fate::Fine => Ok(None),
            Fate::AnswerLost | Fate::NeverArrived => Err(Error::new(ErrorKind::Unknown, "no answer")),
            Fate::Busy => Err(Error::new(ErrorKind::Temporary, "too many requests")),
            Fate::Refused => Err(Error::new(ErrorKind::Rejected, "no such carrier")),
        }
    }
}

#[derive(Clone, Serialize)]
struct FakeWrite {
    order: u64,
    parcel: Option<Parcel>,
    lines: Vec<LineQuantity>,
}

fn fake_step(order: &str, shipment: &Shipment, found: &Matched) -> Result<Step> {
    let left = shipment.parcels.iter().zip(&found.left).filter(|(_, left)| left.is_some());
    let order = order.parse().unwrap();
    let write = |(parcel, _): (&Parcel, _)| {
        let operation = FakeWrite { order, parcel: Some(parcel.clone()), lines: shipment.lines.clone() };
        Write::new(format!("add {}", parcel.tracking), operation)
    };
    Ok(Step::of(left.map(write).collect::<Result<_>>()?))
}

struct Desk {
    context: Context,
    clock: Arc<ManualClock>,
    channel: FakeChannel,
    open: OpenStore,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(from_millis(1_795_100_000_000)));
        let context = Context {
            home: Home::locate(Some(dir.path().into())).unwrap(),
            clock: clock.clone(),
            retry: RetryPolicy::default(),
            lock_timeout: Duration::ZERO,
        };
        let new = NewStore {
            name: "shop".into(),
            kind: ChannelKind::WooCommerce,
            remote_id: "shop.example.test".into(),
            title: "Shop".into(),
            url: "https://shop.example.test".into(),
            currency: None,
            time_zone: String::new(),
            values: Values::new(),
            facts: serde_json::Value::Null,
            since: None,
        };
        let store = context.book().unwrap().add_store(&new).unwrap();
        let channel = FakeChannel::default();
        let http = Client::new(Options {
            clock: clock.clone(),
            retry: RetryPolicy::default(),
            limit: RateLimit::open(),
            purpose: crate::http::Purpose::Act,
            endpoint: None,
            ca_pem: None,
            allow_http: false,
        });
        let (own, http) = (Box::new(channel.clone()), Arc::new(http.unwrap()));
        let open = OpenStore { store, channel: own, format: Box::new(FakeFormat), http };
        Self { context, clock, channel, open, _dir: dir }
    }

    fn shop(&self) -> std::sync::MutexGuard<'_, Shop> {
        self.channel.0.lock().unwrap()
    }

    fn sync(&self) -> Result<StoreReport> {
        self.sync_all(false)
    }

    fn sync_all(&self, full: bool) -> Result<StoreReport> {
        let mut book = self.context.book().unwrap();
        let run = book.start_run(RunKind::Sync, false).unwrap();
        let job = Job { kind: RunKind::Sync, range: None, full, dry_run: false };
        let mut report = StoreReport::new("shop");
        import(&self.context, &mut book, &self.open, run, &job, &Silent, &mut report)?;
        export_due(&self.context, &mut book, &self.open, true, &mut report.exports)?;
        Ok(report)
    }

    /// One paid order, imported, with a dispatch of all of it recorded.
    fn with_dispatch(&self) -> i64 {
        self.with_dispatch_of(&shipment())
    }

    fn with_dispatch_of(&self, shipment: &Shipment) -> i64 {
        let order = testing::order("7", Status::AwaitingFulfillment);
        self.shop().orders.insert(7, order);
        self.sync().unwrap();
        let mut book = self.context.book().unwrap();
        book.dispatched(1, shipment, Guard::Check).unwrap()
    }

    fn push(&self, row: i64) -> Outcome {
        let mut book = self.context.book().unwrap();
        let row = book.outbox_row(row).unwrap().unwrap();
        push(&self.context, &mut book, &self.open, &row, None).unwrap()
    }

    fn state(&self, row: i64) -> OutboxState {
        self.context.book().unwrap().outbox_row(row).unwrap().unwrap().state
    }
}

/// One piece of three.
fn part() -> Shipment {
    let lines = vec![LineQuantity { line_id: "11".into(), quantity: 1.into() }];
    Shipment { lines, completes: false, ..shipment() }
}

fn shipment() -> Shipment {
    let line = |id: &str, n: i64| LineQuantity { line_id: id.into(), quantity: n.into() };
    Shipment {
        key: "key".into(),
        shipped_at: from_millis(1_795_100_000_000),
        lines: vec![line("11", 2), line("12", 1)],
        parcels: vec![Parcel { carrier: "dhl".into(), tracking: "JD01".into(), url: None }],
        notify: true,
        completes: true,
        counted: Vec::new(),
    }
}

/// What nothing names cannot be asked for: it is told, told again the next day, and done with once
/// all orders were read without it.
#[test]
fn i4_what_nothing_names_is_done_with_once_all_is_read_without_it() {
    let desk = Desk::new();
    desk.shop().orders.insert(7, testing::order("7", Status::AwaitingFulfillment));
    let open = || {
        let kinds = desk.context.book().unwrap().inbox(false).unwrap().into_iter().map(|entry| entry.kind);
        kinds.collect::<Vec<_>>()
    };
    desk.shop().nameless = true;
    assert_eq!(desk.sync().unwrap().tally.failed, 1);
    assert_eq!(desk.sync().unwrap().tally.failed, 0, "told just now");
    desk.clock.advance(chrono::TimeDelta::hours(25));
    assert_eq!(desk.sync().unwrap().tally.failed, 1, "it may be another one");
    desk.shop().without_id = Some("{\"id\":[]}");
    desk.sync().unwrap();
    desk.clock.advance(chrono::TimeDelta::minutes(1));
    desk.shop().without_id = Some("{\"id\":[0]}");
    desk.sync_all(true).unwrap();
    assert_eq!(open(), ["unshown", "unreadable"], "the former version of the nameless one is done with");
    desk.clock.advance(chrono::TimeDelta::minutes(1));
    desk.shop().nameless = false;
    desk.shop().without_id = None;
    desk.sync().unwrap();
    assert_eq!(open().len(), 2, "not all was read");
    desk.sync_all(true).unwrap();
    assert_eq!(open(), [""; 0]);
    assert_eq!(desk.context.book().unwrap().due_rereads(1, Why::Unshown, 9).unwrap(), [""; 0]);
}

#[test]
fn d4_a_dispatch_is_confirmed_by_reading_it_back() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    assert!(matches!(desk.push(row), Outcome::Confirmed { wrote } if wrote == ["add JD01"]));
    assert_eq!((desk.state(row), desk.shop().writes), (OutboxState::Confirmed, 1));
    // The version read back is the merchant's: the echo of it in the next poll is no change.
    let report = desk.sync().unwrap();
    assert_eq!((report.tally.unchanged, report.tally.changed), (1, 0));
    assert!(!desk.context.book().unwrap().order(1).unwrap().drifted);
}

#[test]
fn d4_what_is_there_already_is_claimed_and_nothing_is_written() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    let there = RemoteShipment { remote_id: "x".into(), shipped_at: None, lines: vec![], parcels: shipment().parcels };
    desk.shop().orders.get_mut(&7).unwrap().shipments.push(there);
    desk.shop().orders.get_mut(&7).unwrap().status = Status::Shipped;
    assert!(matches!(desk.push(row), Outcome::Confirmed { wrote } if wrote.is_empty()));
    assert_eq!(desk.shop().writes, 0);
}

#[test]
fn d3_a_dispatch_whose_answer_was_lost_is_not_sent_twice() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    desk.shop().fates = vec![Fate::AnswerLost];
    assert!(matches!(desk.push(row), Outcome::Waiting(_)));
    assert_eq!(desk.state(row), OutboxState::Unknown);
    assert!(matches!(desk.push(row), Outcome::Confirmed { wrote } if wrote.is_empty()));
    let shop = desk.shop();
    assert_eq!((shop.writes, shop.buyer_told), (1, 1));
}

/// Two looks at the outbox in one run: what the second one found is no longer lost, and each row
/// counts once.
#[test]
fn d3_a_row_counts_as_what_its_last_try_in_a_run_came_to() {
    let desk = Desk::new();
    for id in ["7", "8"] {
        desk.shop().orders.insert(id.parse().unwrap(), testing::order(id, Status::AwaitingFulfillment));
    }
    desk.sync().unwrap();
    let mut book = desk.context.book().unwrap();
    let first = book.dispatched(1, &shipment(), Guard::Check).unwrap();
    let mut exports = Exports::default();
    let mut look = |book: &mut Book| {
        export_due(&desk.context, book, &desk.open, true, &mut exports).unwrap();
        (exports.confirmed, exports.waiting.clone(), exports.lost.clone())
    };
    desk.shop().fates = vec![Fate::AnswerLost];
    assert_eq!(look(&mut book), (0, [first].into(), [first].into()));
    let second = book.dispatched(2, &Shipment { key: "k".into(), ..shipment() }, Guard::Check).unwrap();
    desk.shop().fates = vec![Fate::AnswerLost];
    assert_eq!(look(&mut book), (1, [second].into(), [second].into()));
    assert_eq!(look(&mut book), (2, [].into(), [].into()));
}

#[test]
fn d4_what_the_first_look_does_not_show_is_looked_for_once_more_and_confirmed() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    desk.shop().lag = 1;
    assert!(matches!(desk.push(row), Outcome::Confirmed { wrote } if wrote == ["add JD01"]));
    let shop = desk.shop();
    assert_eq!((shop.writes, shop.lag), (1, 0));
}

#[test]
fn d3_what_the_channel_took_and_does_not_show_is_looked_for_ever_more_rarely_and_told() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    desk.shop().lag = u32::MAX;
    let open = |desk: &Desk| -> Vec<String> {
        let entries = desk.context.book().unwrap().inbox(false).unwrap();
        entries.into_iter().map(|entry| format!("{} {} {}", entry.kind, entry.text, entry.hint)).collect()
    };
    let half_hours = |number: u32| {
        for _ in 0..number {
            let mut book = desk.context.book().unwrap();
            export_due(&desk.context, &mut book, &desk.open, false, &mut Exports::default()).unwrap();
            desk.clock.advance(chrono::TimeDelta::minutes(30));
        }
    };
    half_hours(2);
    assert_eq!(open(&desk), Vec::<String>::new(), "it may show in a while");
    half_hours(142);
    let inbox = open(&desk);
    assert!(inbox.len() == 1 && inbox[0].starts_with("unseen ") && inbox[0].contains("ordersync retry"), "{inbox:?}");
    let shop = desk.shop();
    assert_eq!((shop.writes, shop.buyer_told), (1, 1));
    assert!(shop.reads < 100, "{} looks in three days", shop.reads);
    drop(shop);
    assert_eq!(desk.state(row), OutboxState::Sent);

    desk.shop().lag = 0;
    half_hours(13);
    assert_eq!((desk.state(row), desk.shop().writes), (OutboxState::Confirmed, 1));
    assert_eq!(open(&desk), Vec::<String>::new());
}

#[test]
fn d3_a_lost_write_is_not_made_again_while_more_is_shipped_than_anybody_knows_of() {
    let desk = Desk::new();
    let row = desk.with_dispatch_of(&part());
    desk.shop().fates = vec![Fate::AnswerLost];
    assert!(matches!(desk.push(row), Outcome::Waiting(_)));
    desk.shop().hides_shipments = true;
    for _ in 0..4 {
        assert!(matches!(desk.push(row), Outcome::Pending(_)));
        desk.clock.advance(chrono::TimeDelta::minutes(30));
    }
    assert_eq!((desk.state(row), desk.shop().writes), (OutboxState::Unknown, 1));
    desk.shop().hides_shipments = false;
    assert!(matches!(desk.push(row), Outcome::Confirmed { wrote } if wrote.is_empty()));
    assert_eq!(desk.shop().buyer_told, 1);
}

#[test]
fn d3_a_write_that_was_cut_off_just_now_is_looked_for_again_before_it_is_repeated() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    desk.shop().fates = vec![Fate::NeverArrived];
    desk.push(row);
    // The shop may still be at work on it.
    for _ in 0..4 {
        assert!(
            matches!(desk.push(row), Outcome::Pending(error) if error.message().contains("nothing was written again"))
        );
        desk.clock.advance(chrono::TimeDelta::minutes(1));
    }
    assert_eq!(desk.shop().buyer_told, 0);
    desk.clock.advance(chrono::TimeDelta::minutes(8));
    assert!(matches!(desk.push(row), Outcome::Confirmed { .. }));
    assert_eq!(desk.shop().buyer_told, 1);
}

#[test]
fn d1_what_changed_at_the_channel_stops_a_queued_dispatch_and_goes_to_the_inbox() {
    type Change = fn(&mut Order);
    let changes: [(&str, Change); 4] = [
        ("cancelled", |o| o.status = Status::Cancelled),
        ("address", |o| o.ship_to[0].line1 = "2 Other Street".into()),
        ("lines", |o| o.lines[0].quantity += rust_decimal::Decimal::ONE),
        ("shipped", |o| o.status = Status::Shipped),
    ];
    for (word, change) in changes {
        let desk = Desk::new();
        let row = desk.with_dispatch();
        change(desk.shop().orders.get_mut(&7).unwrap());
        let Outcome::Refused(error) = desk.push(row) else { panic!("{word} went out") };
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.message().contains(word), "{word}: {error}");
        assert_eq!((desk.state(row), desk.shop().writes), (OutboxState::Failed, 0));
        assert_eq!(desk.context.book().unwrap().inbox(false).unwrap().len(), 1);
    }
}

#[test]
fn d1_as_local_goes_on_but_only_force_ships_a_cancelled_order() {
    for (guard, cancelled, goes_out) in
        [(Guard::AsLocal, false, true), (Guard::AsLocal, true, false), (Guard::Force, true, true)]
    {
        let desk = Desk::new();
        desk.shop().orders.insert(7, testing::order("7", Status::AwaitingFulfillment));
        desk.sync().unwrap();
        let row = desk.context.book().unwrap().dispatched(1, &shipment(), guard).unwrap();
        let mut shop = desk.shop();
        let order = shop.orders.get_mut(&7).unwrap();
        order.ship_to[0].line1 = "2 Other Street".into();
        if cancelled {
            order.status = Status::Cancelled;
        }
        drop(shop);
        assert_eq!(matches!(desk.push(row), Outcome::Confirmed { .. }), goes_out, "{guard:?} {cancelled}");
    }
}

#[test]
fn a_refused_write_waits_for_the_merchant_and_a_busy_channel_for_the_next_sync() {
    let desk = Desk::new();
    let row = desk.with_dispatch();
    desk.shop().fates = vec![Fate::Refused, Fate::Busy];
    assert!(matches!(desk.push(row), Outcome::Waiting(_)));
    assert_eq!(desk.state(row), OutboxState::Queued, "surely not applied");
    assert!(matches!(desk.push(row), Outcome::Refused(_)));
    assert_eq!(desk.sync().unwrap().exports, Exports::default(), "not tried again by itself");
    desk.context.book().unwrap().retry(row, false).unwrap();
    assert_eq!(desk.sync().unwrap().exports.confirmed, 1);
    assert!(desk.context.book().unwrap().inbox(false).unwrap().is_empty());
}

#[test]
fn d8_a_cancellation_reaches_the_channel_and_its_echo_is_no_news() {
    let desk = Desk::new();
    desk.shop().orders.insert(7, testing::order("7", Status::AwaitingFulfillment));
    desk.sync().unwrap();
    let goal = Goal::Cancelled(Cancellation {
        reason: "out of stock".into(),
        notify: false,
        restock: true,
        refund: false,
        force: false,
        key: "k".into(),
    });
    desk.context.book().unwrap().record_cancel(1, None, Some((&goal, Guard::Check)), "out of stock").unwrap();
    assert_eq!(desk.sync().unwrap().exports.confirmed, 1);
    desk.sync().unwrap();
    assert!(desk.context.book().unwrap().inbox(false).unwrap().is_empty());
}

#[test]
fn d7_what_was_recorded_for_one_order_in_turn_goes_out_in_one_sync() {
    let desk = Desk::new();
    desk.shop().orders.insert(7, testing::order("7", Status::AwaitingFulfillment));
    desk.sync().unwrap();
    for (line, tracking) in [("11", "JD01"), ("11", "JD02"), ("12", "JD03")] {
        let lines = vec![LineQuantity { line_id: line.into(), quantity: 1.into() }];
        let parcels = vec![Parcel { carrier: "dhl".into(), tracking: tracking.into(), url: None }];
        let part = Shipment { key: tracking.into(), lines, parcels, completes: false, ..shipment() };
        desk.context.book().unwrap().dispatched(1, &part, Guard::Check).unwrap();
    }
    desk.shop().fates = vec![Fate::AnswerLost];
    let exports = desk.sync().unwrap().exports;
    assert_eq!(
        (exports.confirmed, exports.waiting.len(), desk.shop().writes),
        (0, 1, 1),
        "in order: the first one holds up the others"
    );
    assert_eq!((desk.sync().unwrap().exports.confirmed, desk.shop().buyer_told), (3, 3));
}

#[test]
fn p1_a_version_that_says_the_same_in_other_words_is_no_change() {
    let desk = Desk::new();
    desk.shop().orders.insert(7, testing::order("7", Status::AwaitingFulfillment));
    desk.sync().unwrap();
    let again = |change: fn(&mut Order)| {
        let mut shop = desk.shop();
        let order = shop.orders.get_mut(&7).unwrap();
        order.updated_at += chrono::TimeDelta::seconds(1);
        change(order);
        drop(shop);
        let tally = desk.sync().unwrap().tally;
        (tally.changed, tally.unchanged, desk.context.book().unwrap().order(1).unwrap().drifted)
    };
    assert_eq!(again(|order| order.totals.total.rescale(4)), (0, 1, false));
    assert_eq!(again(|order| order.buyer_note = "please ring".into()), (1, 0, true));
    assert_eq!(again(|order| order.buyer_note.clear()), (1, 0, false), "back at the merchant's version");
}

#[test]
fn p7_between_import_and_the_merchants_own_act_nothing_is_written() {
    let desk = Desk::new();
    for id in 1..20 {
        desk.shop().orders.insert(id, testing::order(&id.to_string(), Status::ALL[id as usize % 7]));
    }
    for _ in 0..3 {
        desk.sync().unwrap();
        desk.shop().touch(3);
    }
    assert_eq!(desk.shop().writes, 0);
}

#[test]
fn i5_a_page_that_fails_keeps_what_came_before_and_the_next_run_goes_on_there() {
    let desk = Desk::new();
    (1..=10).for_each(|id| desk.shop().touch(id));
    desk.shop().fail_page = Some(3);
    assert_eq!(desk.sync().unwrap_err().kind(), ErrorKind::Temporary);
    assert_eq!(desk.context.book().unwrap().size().unwrap().orders, 6);
    assert_eq!(desk.sync().unwrap().tally.new, 4, "only what is missing is fetched");
}

/// What becomes of so many writes at most. Not so many come to nothing unheard that the merchant
/// would be asked.
fn fates(most: usize) -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop::sample::select(vec![Fate::AnswerLost, Fate::NeverArrived, Fate::Busy, Fate::Fine]);
    prop::collection::vec(fate, 0..most).prop_map(|fates| {
        let mut unheard = 0;
        let heard = |fate: &Fate| {
            unheard += u32::from(matches!(fate, Fate::NeverArrived));
            unheard <= 3 || !matches!(fate, Fate::NeverArrived)
        };
        fates.into_iter().filter(heard).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever changes between the pages and wherever runs break off, the book ends with every
    /// order in its newest version.
    #[test]
    fn i3_no_order_is_lost_or_doubled_while_orders_change_between_pages(
        orders in 1u64..14,
        changes in prop::collection::vec(1u64..18, 0..12),
        fail_page in prop::option::of(1u32..6),
    ) {
        let desk = Desk::new();
        (1..=orders).for_each(|id| desk.shop().touch(id));
        desk.shop().between_pages = changes;
        desk.shop().fail_page = fail_page;
        let mut runs = 0;
        while desk.sync().is_err() || !desk.shop().between_pages.is_empty() {
            runs += 1;
            prop_assert!(runs < 30);
        }
        desk.shop().fail_page = None;
        desk.sync().unwrap();
        let book = desk.context.book().unwrap();
        let shop = desk.shop();
        prop_assert_eq!(book.size().unwrap().orders as usize, shop.orders.len());
        for (id, order) in &shop.orders {
            let found = book.order(book.find(&format!("shop:{id}")).unwrap()).unwrap();
            prop_assert_eq!(&found.buyer_note, &order.buyer_note);
        }
    }

    /// Two dispatches that are alike to the letter, whatever happens to the writes: each is told
    /// once.
    #[test]
    fn d3_two_dispatches_under_one_number_are_each_told_once(
        fates in fates(8),
    ) {
        let desk = Desk::new();
        desk.shop().orders.insert(7, testing::order("7", Status::AwaitingFulfillment));
        desk.sync().unwrap();
        let rows = ["one", "two"].map(|key| {
            let part = Shipment { key: key.into(), ..part() };
            desk.context.book().unwrap().dispatched(1, &part, Guard::Check).unwrap()
        });
        desk.shop().fates = fates;
        for _ in 0..20 {
            let mut book = desk.context.book().unwrap();
            let _ = export_due(&desk.context, &mut book, &desk.open, true, &mut Exports::default());
            desk.clock.advance(chrono::TimeDelta::minutes(12));
        }
        prop_assert_eq!(rows.map(|row| desk.state(row)), [OutboxState::Confirmed; 2]);
        let shop = desk.shop();
        prop_assert_eq!((shop.buyer_told, shop.orders[&7].shipments.len()), (2, 2));
    }

    /// Whatever happens to the writes, and however often the outbox is tried, the buyer is told
    /// once and the goal is reached in the end.
    #[test]
    fn d3_the_buyer_is_told_once_whatever_happens_to_the_answers(
        fates in fates(6),
    ) {
        let desk = Desk::new();
        let row = desk.with_dispatch();
        desk.shop().fates = fates;
        for _ in 0..12 {
            desk.push(row);
            desk.clock.advance(chrono::TimeDelta::minutes(12));
            if desk.state(row) == OutboxState::Confirmed {
                break;
            }
        }
        prop_assert_eq!(desk.state(row), OutboxState::Confirmed);
        prop_assert_eq!(desk.shop().buyer_told, 1);
    }
}

#[test]
fn i4_an_order_that_the_channel_cannot_show_is_named_left_out_and_asked_for_again_each_day() {
    let desk = Desk::new();
    (1..=8).for_each(|id| desk.shop().touch(id));
    desk.shop().unshowable.extend([4, 5]);
    let open = |desk: &Desk| -> Vec<String> {
        let entries = desk.context.book().unwrap().inbox(false).unwrap();
        entries.into_iter().map(|entry| format!("{} {} {}", entry.kind, entry.text, entry.hint)).collect()
    };
    let first = desk.sync().unwrap().tally;
    assert_eq!((first.new, first.failed), (6, 2), "the rest goes on");
    let inbox = open(&desk);
    assert!(inbox.len() == 2 && inbox.iter().all(|entry| entry.starts_with("unshown order ")), "{inbox:?}");
    assert!(inbox[0].contains("ordersync pull shop:4"), "{inbox:?}");

    desk.shop().unshowable.remove(&4);
    let tally = desk.sync().unwrap().tally;
    assert_eq!(tally.fetched(), 0, "not asked for before a day is over");
    desk.clock.advance(chrono::TimeDelta::hours(25));
    let tally = desk.sync().unwrap().tally;
    assert_eq!((tally.new, tally.failed), (1, 1), "one has come, the other was asked for in vain");
    assert_eq!(open(&desk).len(), 1);

    desk.shop().unshowable.clear();
    let seen = desk.open.channel.order("5").unwrap().unwrap();
    let mut book = desk.context.book().unwrap();
    let run = book.start_run(RunKind::Pull, false).unwrap();
    super::import::import_one(&mut book, &desk.open, run, seen).unwrap();
    assert_eq!(open(&desk), Vec::<String>::new(), "a pull brings it at once");
    desk.clock.advance(chrono::TimeDelta::hours(25));
    assert_eq!(desk.sync().unwrap().tally.fetched(), 0, "nothing is left to be asked for");
}

#[test]
fn i3_one_order_whose_read_fails_oddly_holds_up_no_other_that_was_asked_for() {
    let desk = Desk::new();
    (1..=6).for_each(|id| desk.shop().touch(id));
    desk.sync().unwrap();
    let ring = |ids: &[&str]| {
        let orders = ids.iter().map(|id| (*id).to_owned()).collect();
        let ring = crate::book::Ring { store: 1, orders, key: None, forget: Vec::new() };
        desk.context.book().unwrap().keep_deliveries(&[ring], chrono::TimeDelta::zero()).unwrap();
    };
    let due = |why| desk.context.book().unwrap().due_rereads(1, why, 9).unwrap();
    let version = |id: u64| desk.shop().orders[&id].updated_at;
    let kept = |id: u64| {
        let book = desk.context.book().unwrap();
        let order = book.find_remote(1, &id.to_string()).unwrap();
        book.version_time(order).unwrap().unwrap()
    };
    let inbox = || desk.context.book().unwrap().inbox(false).unwrap().len();
    // A store that is not well as a whole: all wait, and none is told of.
    ring(&["1", "2"]);
    desk.shop().is_odd = true;
    assert_eq!(desk.sync().unwrap_err().kind(), ErrorKind::Unreadable);
    assert_eq!((due(Why::Asked), inbox()), (vec!["1".to_owned(), "2".to_owned()], 0));
    desk.shop().is_odd = false;
    desk.sync().unwrap();
    assert_eq!(due(Why::Asked), [""; 0]);
    for (kind, told) in [(ErrorKind::Unreadable, 1), (ErrorKind::Failed, 1), (ErrorKind::Rejected, 0)] {
        desk.shop().odd = BTreeMap::from([(2, kind)]);
        ring(&["1", "2", "3"]);
        // Changed at the channel, and on no page.
        {
            let mut shop = desk.shop();
            let third = shop.orders.get_mut(&3).unwrap();
            third.updated_at += chrono::TimeDelta::milliseconds(1);
            third.buyer_note = format!("{kind:?}");
        }
        desk.sync().unwrap();
        assert_eq!(kept(3), version(3), "{kind:?}: what comes is kept");
        assert_eq!((due(Why::Asked), inbox()), (Vec::new(), told), "{kind:?}");
        // The next day it is there.
        desk.shop().odd.clear();
        desk.clock.advance(chrono::TimeDelta::hours(25));
        desk.sync().unwrap();
        assert_eq!((due(Why::Unshown), inbox()), (Vec::new(), 0), "{kind:?}");
    }
}

#[test]
fn i7_an_order_that_cannot_be_read_is_counted_once_in_a_run_however_often_it_is_met() {
    let desk = Desk::new();
    (1..=8).for_each(|id| desk.shop().touch(id));
    desk.shop().unplaced.extend(["90".to_owned(), "91".to_owned()]);
    let first = desk.sync().unwrap().tally;
    assert!(desk.shop().pages > 2);
    assert_eq!((first.new, first.failed, first.fetched()), (8, 2, 10));
    let book = desk.context.book().unwrap();
    assert_eq!(book.inbox(false).unwrap().len(), 2);
    assert_eq!(book.runs(1).unwrap()[0].tally.failed, 2, "and so in its account");
    assert_eq!(desk.sync().unwrap().tally.failed, 2, "the next run tells of them again");
}

#[test]
fn i4_an_order_that_is_gone_is_not_asked_for_for_ever() {
    let desk = Desk::new();
    desk.shop().touch(1);
    desk.shop().unshowable.insert(1);
    assert_eq!(desk.sync().unwrap().tally.failed, 1);
    desk.shop().unshowable.clear();
    desk.shop().orders.clear();
    desk.clock.advance(chrono::TimeDelta::hours(25));
    assert_eq!(desk.sync().unwrap().tally.fetched(), 0);
    assert!(desk.context.book().unwrap().inbox(false).unwrap().is_empty());
}

#[test]
fn i3_a_walk_that_does_not_get_on_ends_in_an_error_and_goes_on_later() {
    let desk = Desk::new();
    (1..=7).for_each(|id| desk.shop().touch(id));
    desk.shop().frozen = true;
    let error = desk.sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable, "{error}");
    assert!(desk.shop().pages < 20);
    desk.shop().frozen = false;
    desk.shop().touch(9);
    assert_eq!(desk.sync().unwrap().tally.new, 1);
}
