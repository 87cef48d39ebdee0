//! Opening a store: its client, its limit, its adapter.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use url::Url;

use super::Context;
use super::outstanding::{Outstanding, outstanding};
use crate::book::{Book, Store};
use crate::channel::consent::{Attempt, Brought, Consent};
use crate::channel::settings::{client, client_for};
use crate::channel::webhooks::{Hook, HookChange};
use crate::channel::{
    self, Cancellation, Capabilities, Channel, ChannelKind, Connection, Cursor, DispatchPlan, Format, Found, Heads,
    Learn, Page, Pass, Plan, Quota, Range, RemoteOrder, ShopInfo, Step, Survey, Task, TrackingChange, TrackingPlan,
    Values, Write,
};
use crate::clock::{Clock, Timestamp};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::AGAIN;
use crate::http::{Client, Protocol, Purpose, RateLimit, Reply, Request, Shared, Standing, TEST, Verdict};
use crate::order::{Order, Shipment};
use crate::secret::Secret;

/// What adapters write in a hint for the store's name, and for new credentials of it.
const GENERAL: &str = "STORE";
const REAUTH: &str = "connect --reauth STORE";

/// What is said in the place of [`AGAIN`] of a store that is not connected: nobody takes care of it.
const NOT_AGAIN: &str = "nothing is connected; give the command again later";

/// The same of a store that is to get other credentials.
const NOT_CHANGED: &str = "its credentials are as they were; give the command again later";

/// Told what each call came to: nothing, or why not.
type Heard = Box<dyn Fn(Option<&Error>) + Send + Sync>;

/// A channel whose hints name the command exactly as it is to be typed.
struct Named {
    channel: Box<dyn Channel>,
    words: Vec<(&'static str, String)>,
    heard: Heard,
}

impl Named {
    fn name<T>(&self, result: Result<T>) -> Result<T> {
        let result = result.map_err(|error| renamed(with_remedy(error), &self.words));
        (self.heard)(result.as_ref().err());
        result
    }
}

/// A cache that heeds only a part of the address gives another order's document: taken for this
/// one, it would send its parcel to somebody else.
fn asked_for(remote_id: &str, seen: Option<RemoteOrder>) -> Result<Option<RemoteOrder>> {
    let bare = |id: &str| id.rsplit('/').next().unwrap_or(id).trim_start_matches('0').to_owned();
    let is_other = |seen: &RemoteOrder| seen.order.is_ok() && bare(&seen.remote_id) != bare(remote_id);
    match seen {
        Some(seen) if is_other(&seen) => {
            let text = format!("order {} came where {remote_id} was asked for; nothing of it was used", seen.remote_id);
            Err(Error::new(ErrorKind::Unreadable, text)
                .hint("a cache or a proxy may answer in the store's place; exclude the API from it and try again"))
        }
        seen => Ok(seen),
    }
}

impl Channel for Named {
    fn capabilities(&self) -> Capabilities {
        self.channel.capabilities()
    }

    fn now(&self) -> Option<Timestamp> {
        self.channel.now()
    }

    fn consent(&self) -> Option<Box<dyn Consent + '_>> {
        self.channel.consent().map(|consent| Box::new(NamedConsent { consent, named: self }) as Box<dyn Consent>)
    }

    fn lapses_after(&self) -> Option<TimeDelta> {
        self.channel.lapses_after()
    }

    fn quota(&self) -> Option<Quota> {
        self.channel.quota()
    }

    fn probe(&self) -> Result<ShopInfo> {
        self.name(self.channel.probe())
    }

    fn unknown_status(&self, order: &Order) -> Option<String> {
        self.channel.unknown_status(order)
    }

    fn plan(&self, range: &Range) -> Result<Plan> {
        self.name(self.channel.plan(range))
    }

    fn passes(&self, changes: &Cursor) -> Result<Vec<Pass>> {
        self.name(self.channel.passes(changes))
    }

    fn page(&self, at: &Cursor) -> Result<Page> {
        self.name(self.channel.page(at))
    }

    fn survey(&self, range: &Range) -> Result<Survey> {
        self.name(self.channel.survey(range))
    }

    fn heads(&self, at: &Cursor) -> Result<Heads> {
        self.name(self.channel.heads(at))
    }

    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>> {
        self.name(self.channel.order(remote_id).and_then(|seen| asked_for(remote_id, seen)))
    }

    fn orders(&self, remote_ids: &[String]) -> Result<Found> {
        self.name(self.channel.orders(remote_ids))
    }

    fn no_order(&self, remote_id: &str) -> Error {
        renamed(self.channel.no_order(remote_id), &self.words)
    }

    fn shown_since(&self) -> Option<Timestamp> {
        self.channel.shown_since()
    }

    fn may_dispatch(&self, order: &Order, shipment: &Shipment) -> Result<()> {
        self.channel.may_dispatch(order, shipment)
    }

    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        receipts: &'a [String],
    ) -> Result<DispatchPlan<'a>> {
        self.channel.plan_dispatch(now, shipment, receipts)
    }

    fn furnish(&self, shop: &mut ShopInfo) -> Result<()> {
        self.name(self.channel.furnish(shop))
    }

    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        receipts: &'a [String],
    ) -> Result<TrackingPlan<'a>> {
        self.channel.plan_tracking(now, change, receipts)
    }

    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
        self.channel.cancel(now, cancellation, receipts)
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        self.name(self.channel.hooks())
    }

    fn may_subscribe(&self, topic: &str) -> bool {
        self.channel.may_subscribe(topic)
    }

    fn hook_key(&self, id: &str) -> Result<Option<Secret>> {
        self.name(self.channel.hook_key(id))
    }

    fn change_hook(&self, change: &HookChange) -> Result<()> {
        self.name(self.channel.change_hook(change))
    }

    fn is_overtaken(&self, write: &Write) -> Result<bool> {
        self.name(self.channel.is_overtaken(write))
    }

    fn has_replaced_cancellation(&self, now: &RemoteOrder, shipment: &Shipment) -> Result<bool> {
        self.name(self.channel.has_replaced_cancellation(now, shipment))
    }

    fn apply(&self, write: &Write) -> Result<Option<String>> {
        self.name(self.channel.apply(write))
    }
}

/// The same of a consent.
struct NamedConsent<'a> {
    consent: Box<dyn Consent + 'a>,
    named: &'a Named,
}

impl Consent for NamedConsent<'_> {
    fn landing(&self) -> Option<&Url> {
        self.consent.landing()
    }

    fn before(&self) -> String {
        self.consent.before()
    }

    fn page(&self, attempt: &Attempt) -> Result<Url> {
        self.named.name(self.consent.page(attempt))
    }

    fn redeem(&self, brought: &Brought) -> Result<()> {
        self.named.name(self.consent.redeem(brought))
    }
}

/// What helps where credentials are refused, whatever command has met with it and whatever else the
/// adapter knows of it.
fn with_remedy(error: Error) -> Error {
    let is_refused = matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Permission);
    if is_refused && error.hint_text().is_none() { error.hint(format!("ordersync {REAUTH}")) } else { error }
}

fn renamed(error: Error, words: &[(&'static str, String)]) -> Error {
    words.iter().fold(error, |error, (general, named)| error.rename_in_hint(general, named))
}

/// A store with its channel open.
pub struct OpenStore {
    /// The store as the book knows it.
    pub(crate) store: Store,
    /// Its adapter.
    pub channel: Box<dyn Channel>,
    /// How the documents that the book has of it are read.
    pub format: Box<dyn Format>,
    /// Its client, for the count of requests.
    pub(crate) http: Arc<Client>,
}

impl OpenStore {
    /// Opens a connected store with its stored credentials. No network.
    pub(crate) fn connected(context: &Context, store: &Store, purpose: Purpose) -> Result<Self> {
        let locks = context.home.locks();
        let origin = channel::origin(store.kind, &store.values)?;
        let credentials =
            Credentials::of_store(context.credential_store(), &store.name, locks, context.clock.clone(), &origin)?;
        let credentials = Arc::new(credentials);
        let others = OtherProcesses {
            book_file: context.home.book(),
            clock: context.clock.clone(),
            store: store.id,
            book: Mutex::default(),
        };
        let limit = RateLimit::new(store.pause(context.clock.now()), Box::new(others));
        let name = |error: Error| error.rename_in_hint(GENERAL, &store.name);
        let known = (store.facts.clone(), keep_for_later(context, store));
        let (channel, http) =
            open(context, store.kind, store.values.clone(), credentials, known, (limit, purpose)).map_err(name)?;
        let channel = Named { channel, words: vec![(GENERAL, store.name.clone())], heard: note_access(context, store) };
        let format = channel::format(store.kind, &store.values)?;
        Ok(Self { store: store.clone(), channel: Box::new(channel), format, http })
    }

    /// What is missing at the channel for the task, the order being as it is now.
    pub(crate) fn outstanding(&self, task: &Task, now: &RemoteOrder) -> Result<Outstanding> {
        // Here the hints of plans get the store's name, too.
        outstanding(self.channel.as_ref(), task, now).map_err(|error| error.rename_in_hint(GENERAL, &self.store.name))
    }
}

/// Opens a channel with values that are not in the book yet, and with secrets that are in no file
/// yet, for the command `connect CHANNEL`, or `connect --reauth STORE` of a store. No network.
pub fn open_new(
    context: &Context,
    kind: ChannelKind,
    values: Values,
    credentials: Arc<Credentials>,
    store: Option<&str>,
) -> Result<Box<dyn Channel>> {
    // The command itself is what helps: a store to be tested is not there yet, or has other secrets.
    let command = || store.map_or_else(|| format!("connect {kind}"), |name| format!("connect --reauth {name}"));
    let again = || format!("{} again", command());
    let not_again = if store.is_some() { NOT_CHANGED } else { NOT_AGAIN };
    let words = vec![
        (TEST, not_again.to_owned()),
        (REAUTH, again()),
        ("connect --test STORE", again()),
        (AGAIN, not_again.to_owned()),
    ];
    let nothing: (_, Learn) = (serde_json::Value::Null, Box::new(|_, _| {}));
    let (channel, _) = open(context, kind, values, credentials, nothing, (RateLimit::open(), Purpose::Act))
        .map_err(|error| renamed(error, &words))?;
    Ok(Box::new(Named { channel, words, heard: Box::new(|_| {}) }))
}

/// Asks the server that would be sent the credentials for anything at all, without any: whether there
/// is one at this address, before a secret is asked for. Whatever it answers is good enough.
///
/// # Errors
/// `Usage` for an address that cannot be right; else why nothing answers there.
pub(crate) fn reach(context: &Context, kind: ChannelKind, values: &Values) -> Result<()> {
    let words = [(TEST, NOT_AGAIN.to_owned()), (AGAIN, NOT_AGAIN.to_owned())];
    let text = channel::origin(kind, values)?;
    let unusable = |e| Error::new(ErrorKind::Usage, format!("{text}: {e}; nothing was connected"));
    let http = client(values, context.clock.clone(), context.retry, RateLimit::open())?;
    let request = Request::get(Url::parse(&text).map_err(unusable)?).repeated(1);
    http.send(&AnyAnswer, &request).map(drop).map_err(|error| renamed(error, &words))
}

/// Takes every answer for a good one, and says nothing of who asks.
struct AnyAnswer;

impl Protocol for AnyAnswer {
    fn authorize(&self, _: &mut Request) -> Result<()> {
        Ok(())
    }

    fn classify(&self, _: &Request, _: &Reply) -> Verdict {
        Verdict::Good
    }
}

fn open(
    context: &Context,
    kind: ChannelKind,
    values: Values,
    credentials: Arc<Credentials>,
    (facts, learn): (serde_json::Value, Learn),
    limit: (RateLimit, Purpose),
) -> Result<(Box<dyn Channel>, Arc<Client>)> {
    let (limit, purpose) = limit;
    let http = Arc::new(client_for(&values, context.clock.clone(), context.retry, limit, purpose)?);
    let channel = channel::open(kind, Connection { values, credentials, facts, http: http.clone(), learn })?;
    Ok((channel, http))
}

/// Whether a store could be opened with these values. No network, no secrets.
pub(crate) fn check(context: &Context, kind: ChannelKind, values: &Values) -> Result<()> {
    channel::format(kind, values)?;
    client(values, context.clock.clone(), context.retry, RateLimit::open()).map(drop)
}

/// What an adapter learns is kept with the store's facts. Where the book cannot be written just
/// then, it is learned again.
fn keep_for_later(context: &Context, store: &Store) -> Learn {
    let (path, clock, id) = (context.home.book(), context.clock.clone(), store.id);
    Box::new(move |name, value| {
        if let Ok(mut book) = Book::open(&path, clock.clone()) {
            let _ = book.learn(id, name, value);
        }
    })
}

/// That a store's credentials are refused, and that they work again, is in the book at once,
/// whatever command has met with it. Where that cannot be written just then, the next one tells.
fn note_access(context: &Context, store: &Store) -> Heard {
    let (path, clock, id) = (context.home.book(), context.clock.clone(), store.id);
    let known = AtomicBool::new(store.refused);
    Box::new(move |error| {
        let refused = error.is_some();
        // What else is wrong says nothing of them.
        if error.is_some_and(|error| error.kind() != ErrorKind::Credentials) || known.swap(refused, Relaxed) == refused
        {
            return;
        }
        if let Ok(mut book) = Book::open(&path, clock.clone()) {
            let _ = book.note_access(id, &error.map_or(Ok(()), |error| Err(error.clone())));
        }
    })
}

/// How long a request waits for another's transaction: it can do without.
const HURRY: Duration = Duration::from_millis(100);

/// What the processes that call a store tell each other through the book (I-6). Where it cannot be
/// written just then, what is told still holds in this process.
struct OtherProcesses {
    book_file: PathBuf,
    clock: Arc<dyn Clock>,
    store: i64,
    /// For the lanes, of which every request asks.
    book: Mutex<Option<Book>>,
}

impl Shared for OtherProcesses {
    fn pause(&self, until: Timestamp, why: &str) {
        if let Ok(mut book) = Book::open(&self.book_file, self.clock.clone()) {
            let _ = book.pause(self.store, until, why);
        }
    }

    fn lane(&self, name: &str, change: &mut dyn FnMut(Option<Standing>) -> Option<Standing>) -> bool {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if book.is_none() {
            let open = Book::open_existing(&self.book_file, self.clock.clone());
            *book = open.ok().flatten().and_then(|book| book.in_a_hurry(HURRY).ok());
        }
        let changed = book.as_mut().map(|book| {
            book.change_lane(self.store, name, &mut |kept| {
                let standing = change(kept.and_then(|kept| serde_json::from_str(&kept).ok()))?;
                serde_json::to_string(&standing).ok()
            })
        });
        changed.is_some_and(|changed| changed.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::NewStore;
    use crate::channel::Values;
    use crate::clock::{ManualClock, from_millis};
    use crate::http::{Budget, Lane};

    /// Each process has a limit of its own; the book is what they share.
    #[test]
    fn i6_what_one_process_has_taken_of_a_budget_the_next_one_does_not_take_again() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(from_millis(1_795_100_000_000)));
        let book_file = dir.path().join("orders.sqlite");
        let new = NewStore {
            name: "shop".into(),
            kind: ChannelKind::WooCommerce,
            remote_id: "shop.example.test".into(),
            title: String::new(),
            url: String::new(),
            currency: None,
            time_zone: String::new(),
            values: Values::new(),
            facts: serde_json::Value::Null,
            since: None,
        };
        let store = Book::open(&book_file, clock.clone()).unwrap().add_store(&new).unwrap().id;
        let process = |store| {
            let (book_file, clock, book) = (book_file.clone(), clock.clone(), Mutex::default());
            RateLimit::new(None, Box::new(OtherProcesses { book_file, clock, store, book }))
        };
        let lane =
            Lane { name: "lists", permitted: Some(Budget::Bucket { level: 2.0, capacity: 2.0, per_second: 0.1 }) };
        let take = |limit: &RateLimit| limit.pass(clock.as_ref(), lane, 1.0, Purpose::Act, Duration::ZERO).map(drop);
        let (first, other) = (process(store), process(store));
        take(&first).unwrap();
        take(&other).unwrap();
        for limit in [&first, &other, &process(store)] {
            assert_eq!(take(limit).unwrap_err().kind(), ErrorKind::Temporary);
        }
    }
}
