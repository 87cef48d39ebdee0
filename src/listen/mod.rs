//! The receiver of webhooks (Instasync).
//!
//! A delivery is a doorbell. It is verified as it came ([`Webhooks::read`]: the adapter's part),
//! reduced to the ids of orders, kept durably, answered, and only then worked on: each order that
//! was rung for is read again by its id and taken into the book on the path of every other single
//! read ([`crate::sync::import`]). So nothing of a body reaches an order; what comes twice, late or
//! in another order does no harm; and what a killed receiver has left undone stands in the book's
//! queue of orders to be read again, of which the next sync takes care.
//!
//! It stands beside the engine and not in it, because it runs beside the engine: it takes none of
//! the locks that keep two runs from each other (F-2). Like `pull` it needs none: what it reads goes
//! into the book in a transaction of its own, and an older version of an order than the book's
//! changes nothing there.
//!
//! | module | does |
//! |---|---|
//! | here | paths, verification, keeping in groups, answers |
//! | [`fetched`] | keys of the channel that deliveries name |
//! | [`http`] | requests within their limits, on plain sockets |
//! | [`keys`] | the path and the keys of a store, in its credentials |
//! | [`presence`] | which receivers are at work |
//! | [`ready`] | that it is ready, for a service manager |
//! | [`reread`] | the worker of a store |
//! | [`room`] | the connections at a time, and who makes room |
//! | [`send_test`] | a test delivery by the public address |
//! | [`subscriptions`] | what the channel is to send where |

mod fetched;
mod http;
pub(crate) mod keys;
pub(crate) mod presence;
pub(crate) mod ready;
mod reread;
mod room;
pub(crate) mod send_test;
pub(crate) mod subscriptions;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver as Incoming, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use url::Url;

use crate::book::{Book, Ring, Store};
use crate::channel::webhooks::{Challenge, Delivery, Keys, Told, Webhooks, is_key_id};
use crate::clock::Clock;
use crate::credentials::CredentialStore;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Context;
use fetched::{Fetched, Key};
use http::{Connection, Head};
use room::{Place, Room};

/// How long an order that was rung for is left alone: what else happens to it is read with it.
const MOMENT: TimeDelta = TimeDelta::seconds(1);

/// How long a delivery may take from when it was heard: its turn, its key and the book together. The
/// least patient sender waits for 5 s in all.
const KEPT_WITHIN: Duration = Duration::from_secs(4);

/// How long the book may be locked by others meanwhile.
const LOCKED_AT_MOST: Duration = Duration::from_secs(3);

/// How many deliveries go into the book together at most.
const TOGETHER: usize = 256;

/// How often it is looked whether a store has other keys now, when a delivery is not by those known.
const OTHER_KEYS: Duration = Duration::from_secs(2);

/// What a thread of a connection needs of stack.
const STACK: usize = 512 * 1024;

/// How long those whose requests are whole are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Below which path the stores have theirs.
const BELOW: &str = "/hooks/";

/// Whether it is there; says nothing else.
const HEALTH: &str = "/health";

/// Where something is told, a sentence at a time.
pub(crate) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Who is told what.
#[derive(Clone)]
pub(crate) struct Tells {
    /// What goes wrong.
    pub(crate) note: Tell,
    /// Each delivery and each order, where somebody wants to see them.
    pub(crate) each: Option<Tell>,
}

impl Tells {
    fn note(&self, text: &str) {
        (self.note)(text);
    }

    fn each(&self, text: impl FnOnce() -> String) {
        if let Some(each) = &self.each {
            each(&text());
        }
    }
}

/// A store whose deliveries are received.
pub(crate) struct Line {
    store: Store,
    webhooks: &'static Webhooks,
    path: String,
    keys: RwLock<Keys>,
    fetched: Arc<Fetched>,
    looked_at: Mutex<Instant>,
    refused: AtomicU64,
    answered_at: AtomicI64,
    is_closed: AtomicBool,
    credentials: CredentialStore,
}

impl Line {
    /// A store's line, with its keys, which are made where there are none yet.
    ///
    /// # Errors
    /// `Unsupported` where the channel has no webhooks, `Credentials` where there is nothing to
    /// verify a delivery with.
    pub(crate) fn new(context: &Context, store: &Store) -> Result<Self> {
        let webhooks = webhooks_of(store)?;
        let secrets = keys::ensure(context, store, webhooks)?;
        let (path, keys) = keys::of(&secrets, webhooks, context.clock.now());
        if keys.vendor.is_empty() && !webhooks.takes_our_key && webhooks.key_id.is_none() {
            let text = format!(
                "{}: {} is missing, so no delivery could be verified; nothing is received",
                store.name,
                webhooks.signed_with.join(" or ")
            );
            let hint = format!("ordersync connect --reauth {}", store.name);
            return Err(Error::new(ErrorKind::Credentials, text).hint(hint));
        }
        Ok(Self {
            store: store.clone(),
            webhooks,
            path,
            keys: RwLock::new(keys),
            fetched: Arc::default(),
            looked_at: Mutex::new(Instant::now()),
            refused: AtomicU64::new(0),
            answered_at: AtomicI64::new(0),
            is_closed: AtomicBool::new(false),
            credentials: context.credential_store(),
        })
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Its path, which nobody can guess.
    pub(crate) fn path(&self) -> String {
        format!("{BELOW}{}", self.path)
    }

    /// How many were refused since this was asked last.
    pub(crate) fn take_refused(&self) -> u64 {
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// When the channel, or who has its key, was last answered well here, in milliseconds since 1970;
    /// nothing where that has not been.
    pub(crate) fn answered_at(&self) -> Option<i64> {
        Some(self.answered_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Nothing more is received here, as the store is not connected any more.
    fn close(&self, tells: &Tells) {
        if !self.is_closed.swap(true, Ordering::Relaxed) {
            tells.note(&format!("{}: is not connected any more; nothing is received for it", self.store.name));
        }
    }

    /// Whether its path is that of the store's credentials. A store that is connected again has
    /// another; while nothing can be read of them it is as it was.
    fn is_current(&self) -> bool {
        self.credentials.read(&self.store.name).is_ok_and(|secrets| keys::path(&secrets).as_ref() == Some(&self.path))
    }

    /// Whether something is still received here.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// What proves to whoever has sent a test delivery that it came here.
    fn proof(&self, head: &Head) -> Option<String> {
        let [challenge] = head.all(send_test::HEADER)[..] else { return None };
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        send_test::proof(keys.own.first()?, challenge)
    }

    /// What a delivery tells; an error where that cannot be known now.
    fn read(&self, head: &Head, body: &[u8], of: &Shared, until: Instant) -> Result<Told, Option<u16>> {
        let context = &of.context;
        let read = || {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
            let (headers, values, now) = (&head.headers, &self.store.values, context.clock.now());
            let fetched = match self.webhooks.key_id {
                None => None,
                Some(names) => {
                    match self.key(names(&Delivery { headers, body, values, keys: &keys, now }), of, until) {
                        Key::Is(key) => Some(key),
                        Key::None => return Ok(Told::Refused),
                        Key::NotNow => return Err(Some(503)),
                    }
                }
            };
            let keys = Keys { fetched, ..keys };
            Ok((self.webhooks.read)(&Delivery { headers, body, values, keys: &keys, now }))
        };
        match read()? {
            Told::Refused if self.takes_other_keys(context.clock.as_ref()) => read(),
            told => Ok(told),
        }
    }

    /// The channel's key of this name.
    fn key(&self, id: Option<String>, of: &Shared, until: Instant) -> Key {
        let Some(id) = id.filter(|id| is_key_id(id)) else { return Key::None };
        let (context, tells) = (of.context.clone(), of.tells.clone());
        let (store, name) = (self.store.clone(), id.clone());
        self.fetched.key(&id, until.saturating_duration_since(Instant::now()), move || {
            let found = context.open(&store).and_then(|open| open.channel.hook_key(&name));
            if let Err(error) = &found {
                let why = error.message();
                tells.note(&format!(
                    "{}: the key of a delivery cannot be had, so it is not taken (503): {why}",
                    store.name
                ));
            }
            found
        })
    }

    /// The answer to a challenge, where that is one.
    fn answer(&self, query: &str, address: &str) -> Option<Vec<u8>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        self.webhooks.challenge?(&Challenge { query: &query, key: keys.own.first()?, address })
    }

    /// Whether the store has other keys by now.
    fn takes_other_keys(&self, clock: &dyn Clock) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if looked_at.elapsed() < OTHER_KEYS {
            return false;
        }
        *looked_at = Instant::now();
        let Ok(secrets) = self.credentials.read(&self.store.name) else { return false };
        let (_, keys) = keys::of(&secrets, self.webhooks, clock.now());
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        true
    }
}

/// How the store's channel tells of changes.
///
/// # Errors
/// `Unsupported` where it does not.
pub(crate) fn webhooks_of(store: &Store) -> Result<&'static Webhooks> {
    let adapter = store.kind.adapter();
    adapter.webhooks.as_ref().ok_or_else(|| {
        let why = match adapter.no_webhooks {
            "" => format!("{} tells ordersync of nothing by webhook", adapter.title),
            why => why.to_owned(),
        };
        let text = format!("{}: {why}, so there is nothing to receive", store.name);
        Error::new(ErrorKind::Unsupported, text).hint(
            "ordersync watch asks for its orders as often as the channel permits; the sync every half hour (ordersync schedule install) has them as well",
        )
    })
}

/// Whether a store that nobody has named is received for: where its shop must have something of its
/// own, once it was named.
pub(crate) fn is_meant(book: &Book, store: &Store) -> Result<bool> {
    let Some(webhooks) = &store.kind.adapter().webhooks else { return Ok(false) };
    Ok(webhooks.needs.is_empty() || book.hooked(store.id)?.is_some())
}

/// What is said of a store that is left out until it is named; nothing of one that has no webhooks.
pub(crate) fn why_not_meant(store: &Store) -> Option<Error> {
    let needs = store.kind.adapter().webhooks.as_ref()?.needs;
    let text = format!(
        "{}: {} tells of orders by webhook where the shop has {needs}, so only a store that is named is subscribed",
        store.name,
        store.kind.title()
    );
    let hint = format!("with that: ordersync listen --public-url https://... --channel {}", store.name);
    Some(Error::new(ErrorKind::Unsupported, text).hint(hint))
}

/// A delivery on its way into the book: for one store, or several.
struct Kept {
    rings: Vec<Ring>,
    answer: SyncSender<bool>,
}

struct Shared {
    lines: RwLock<Vec<Belled>>,
    addresses: RwLock<Vec<String>>,
    prefixes: RwLock<Vec<String>>,
    to_book: SyncSender<Kept>,
    context: Arc<Context>,
    room: Arc<Room>,
    tells: Tells,
}

/// A line, and what wakes its worker.
type Belled = (Arc<Line>, SyncSender<()>);

/// A receiver at work.
pub(crate) struct Receiver {
    context: Arc<Context>,
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Receiver {
    /// A receiver that is to listen at `listener`. It keeps what comes from [`Self::begin`] on, when it
    /// knows for whom.
    ///
    /// # Errors
    /// Where the book or a thread cannot be had.
    pub(crate) fn new(context: &Arc<Context>, listener: &TcpListener, tells: &Tells) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new(ErrorKind::Failed, format!("nothing can be received: {e}"));
        let address = listener.local_addr().map_err(failed)?;
        let (to_book, from_senders) = sync_channel(room::AT_WORK);
        let book = context.book()?.in_a_hurry(LOCKED_AT_MOST)?;
        let told = tells.clone();
        spawn("deliveries", move || keep_all(book, &from_senders, &told))?;
        let shared = Arc::new(Shared {
            lines: RwLock::default(),
            addresses: RwLock::default(),
            prefixes: RwLock::new(vec![String::new()]),
            to_book,
            context: context.clone(),
            room: Arc::default(),
            tells: tells.clone(),
        });
        Ok(Self { context: context.clone(), shared, address })
    }

    /// Receives from now on, on threads of its own, until the process ends.
    ///
    /// # Errors
    /// Where a thread cannot be had.
    pub(crate) fn begin(&self, listener: TcpListener) -> Result<()> {
        let own = self.shared.clone();
        spawn("receiver", move || own.accept(&listener))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A public address whose own path stands before ours, where a proxy does not take it away. The
    /// newest one is told first.
    pub(crate) fn expect(&self, public: &str) {
        let mut addresses = self.shared.addresses.write().unwrap_or_else(PoisonError::into_inner);
        if !addresses.iter().any(|known| known == public) {
            addresses.push(public.to_owned());
        }
        let Some(prefix) = Url::parse(public).ok().map(|url| url.path().trim_end_matches('/').to_owned()) else {
            return;
        };
        let mut prefixes = self.shared.prefixes.write().unwrap_or_else(PoisonError::into_inner);
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }

    /// Receives for one store more.
    ///
    /// # Errors
    /// Where a thread cannot be had.
    pub(crate) fn add(&self, line: Arc<Line>) -> Result<()> {
        let (bell, rung) = sync_channel(1);
        let (context, own, tells) = (self.context.clone(), line.clone(), self.shared.tells.clone());
        spawn("orders", move || reread::work(&context, &own, &rung, &tells))?;
        self.shared.lines.write().unwrap_or_else(PoisonError::into_inner).push((line, bell));
        Ok(())
    }

    /// The stores of `connected` that are received for. What belongs to a store that is not connected
    /// any more, or was so anew, is closed.
    pub(crate) fn lines(&self, connected: &[Store]) -> Vec<Arc<Line>> {
        let mut lines = self.shared.lines.write().unwrap_or_else(PoisonError::into_inner);
        for (line, _) in lines.iter() {
            if !connected.iter().any(|store| store.id == line.store.id) || !line.is_current() {
                line.close(&self.shared.tells);
            }
        }
        lines.retain(|(line, _)| line.is_open());
        lines.iter().map(|(line, _)| line.clone()).collect()
    }

    /// Receives nothing more. Whoever has sent its delivery gets its answer before.
    pub(crate) fn close(&self) {
        self.shared.room.close(LAST_ANSWERS);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(|e| Error::new(ErrorKind::Failed, format!("no thread can be started: {e}")))
}

/// Keeps deliveries, all that wait together: a burst costs few flushes of the disk.
fn keep_all(mut book: Book, deliveries: &Incoming<Kept>, tells: &Tells) {
    let mut told = None::<Instant>;
    while let Ok(first) = deliveries.recv() {
        let group: Vec<Kept> = std::iter::once(first).chain(deliveries.try_iter()).take(TOGETHER).collect();
        let (rings, answers): (Vec<Vec<Ring>>, Vec<_>) =
            group.into_iter().map(|kept| (kept.rings, kept.answer)).unzip();
        crate::crash::point("before-kept");
        let kept = book.keep_deliveries(&rings.concat(), MOMENT);
        crate::crash::point("after-kept");
        if let Err(error) = &kept
            && told.is_none_or(|at| at.elapsed() > Duration::from_secs(60))
        {
            told = Some(Instant::now());
            tells.note(&format!("deliveries are not taken (503), because they cannot be kept: {}", error.message()));
        }
        for answer in answers {
            let _ = answer.try_send(kept.is_ok());
        }
    }
}

/// What a request is answered.
#[derive(Default)]
struct Answer {
    status: u16,
    /// JSON, or nothing.
    body: Vec<u8>,
    /// Who works on what was kept of it.
    bells: Vec<SyncSender<()>>,
}

impl From<u16> for Answer {
    fn from(status: u16) -> Self {
        Self { status, ..Self::default() }
    }
}

impl Shared {
    /// Takes connections, each on a thread of its own.
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept() else {
                // Out of handles, or a peer that has gone again.
                self.room.make_room();
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            let stream = Arc::new(stream);
            let Some(place) = self.room.enter(&stream) else { continue };
            let own = self.clone();
            let thread = std::thread::Builder::new().name("delivery".to_owned()).stack_size(STACK);
            // Without a thread nobody is answered, and the place is free again.
            let _ = thread.spawn(move || own.converse(&stream, &place));
        }
    }

    fn converse(&self, stream: &TcpStream, place: &Place) {
        let mut connection = Connection::new(stream);
        let answer = match self.handle(&mut connection, place) {
            Ok(answer) => answer,
            Err(Some(status)) => status.into(),
            Err(None) => return,
        };
        let lingers = connection.answer(answer.status, &answer.body);
        if !answer.bells.is_empty() {
            crate::crash::point("after-answered");
        }
        for bell in answer.bells {
            let _ = bell.try_send(());
        }
        if lingers {
            place.is_answered();
            connection.linger();
        }
    }

    /// Whether the target is this path of ours, below one of the public addresses.
    fn is_at(&self, target: &str, path: &str) -> bool {
        let prefixes = self.prefixes.read().unwrap_or_else(PoisonError::into_inner);
        target.strip_suffix(path).is_some_and(|before| prefixes.iter().any(|prefix| prefix == before))
    }

    /// The stores whose path the target ends with; those of one application have one.
    fn lines(&self, target: &str) -> Vec<Belled> {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(line, _)| line.is_open() && target.ends_with(&line.path())).cloned().collect()
    }

    fn handle(&self, connection: &mut Connection<'_>, place: &Place) -> Result<Answer, Option<u16>> {
        let head = connection.head()?;
        place.sends();
        // Only a question has a query.
        let asked = head.target.split_once('?').filter(|_| head.method == "GET");
        let (target, query) = asked.unwrap_or((&head.target, ""));
        if self.is_at(target, HEALTH) {
            return Ok(if matches!(head.method.as_str(), "GET" | "HEAD") { 200 } else { 405 }.into());
        }
        let here = self.lines(target);
        let Some((line, _)) = here.first() else { return Err(Some(404)) };
        let name = &line.store.name;
        // A proxy that puts something else before it.
        if !self.is_at(target, &line.path()) {
            line.refused.fetch_add(1, Ordering::Relaxed);
            self.tells.each(|| format!("{name}: a delivery below another address was refused (404)"));
            return Err(Some(404));
        }
        if head.method == "GET" && line.webhooks.challenge.is_some() {
            let answer = line.answer(query, &self.address(&head, target, &line.path())).ok_or(Some(400))?;
            self.answers(&here);
            self.tells.each(|| format!("{name}: a question whether this address is ours was answered"));
            return Ok(Answer { body: answer, ..200.into() });
        }
        if head.method != "POST" {
            return Err(Some(405));
        }
        let body = connection.body(&head)?;
        let until = Instant::now() + KEPT_WITHIN;
        if !place.is_heard(until) {
            self.tells.each(|| format!("{name}: a delivery was not taken (503), as too many come at once"));
            return Err(Some(503));
        }
        let (told, whose) = addressed(&here, line.read(&head, &body, self, until)?);
        let orders = match &told {
            Told::Refused => {
                line.refused.fetch_add(1, Ordering::Relaxed);
                self.tells.each(|| format!("{name}: a delivery that is not proven was refused (401)"));
                return Err(Some(401));
            }
            Told::Orders { ids, .. } => ids.join(", "),
            _ => String::new(),
        };
        let rings: Vec<Ring> = whose.iter().filter_map(|(line, _)| ring(line, &told)).collect();
        if rings.is_empty() {
            connection.also = line.proof(&head).map(|proof| (send_test::HEADER, proof));
            self.answers(&here);
            self.tells.each(|| format!("{name}: a test, or what is not about an order"));
            return Ok(200.into());
        }
        let (answer, kept) = sync_channel(1);
        self.to_book.try_send(Kept { rings, answer }).map_err(|_| Some(503))?;
        if kept.recv_timeout(until.saturating_duration_since(Instant::now())) != Ok(true) {
            return Err(Some(503));
        }
        self.answers(&here);
        for (line, _) in &whose {
            let name = &line.store.name;
            self.tells.each(|| match orders.as_str() {
                "" => format!("{name}: a delivery about somebody to be forgotten was taken"),
                orders => format!("{name}: a delivery about order {orders} was taken"),
            });
        }
        Ok(Answer { bells: whose.into_iter().map(|(_, bell)| bell.clone()).collect(), ..200.into() })
    }

    /// The channel is answered well at the path of these stores.
    fn answers(&self, here: &[Belled]) {
        let now = self.context.clock.now().timestamp_millis();
        here.iter().for_each(|(line, _)| line.answered_at.store(now, Ordering::Relaxed));
    }

    /// The public address of a path, as the channel was told it. Where there are several, it is
    /// that of the host that was asked.
    fn address(&self, head: &Head, target: &str, path: &str) -> String {
        let before = target.strip_suffix(path).unwrap_or_default();
        let fits = |address: &&String| {
            let url = Url::parse(address).ok();
            let authority = url.as_ref().map(|url| url.authority().as_bytes());
            let is_host = head.all("host").first().is_some_and(|host| authority == Some(*host));
            (is_host, url.is_some_and(|url| url.path().trim_end_matches('/') == before))
        };
        // Of those that fit alike the first, which is the newest.
        let addresses = self.addresses.read().unwrap_or_else(PoisonError::into_inner);
        let best = addresses.iter().rev().max_by_key(fits);
        format!("{}{path}", best.map_or("", |address| address.as_str()))
    }
}

/// What is kept for a store of what is told.
fn ring(line: &Line, told: &Told) -> Option<Ring> {
    let store = line.store.id;
    match told {
        Told::Orders { ids, key } => Some(Ring { store, orders: ids.clone(), key: key.clone(), forget: Vec::new() }),
        Told::Forget { names, key } => {
            Some(Ring { store, orders: Vec::new(), key: key.clone(), forget: names.clone() })
        }
        Told::Of { .. } | Told::Nothing | Told::Refused => None,
    }
}

/// What is told, and of which of the stores at a path: of all of them, that somebody is to be
/// forgotten.
fn addressed(here: &[Belled], told: Told) -> (Told, Vec<&Belled>) {
    match told {
        Told::Of { account, told } => {
            (*told, here.iter().filter(|(line, _)| line.store.remote_id == account).collect())
        }
        Told::Forget { .. } => (told, here.iter().collect()),
        told => (told, here.iter().take(1).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::NewStore;
    use crate::channel::{ChannelKind, Values};
    use crate::clock::{ManualClock, from_millis};

    /// How many transactions are in the log of a book: a frame that ends one says how large the book
    /// is after it.
    fn commits(book: &std::path::Path) -> usize {
        let mut log = book.as_os_str().to_owned();
        log.push("-wal");
        let log = std::fs::read(log).unwrap();
        let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
        let ends = |frame: &&[u8]| frame[4..8] != [0; 4] && frame[8..16] == log[16..24];
        log[32..].chunks_exact(24 + page).filter(ends).count()
    }

    #[test]
    fn w2_deliveries_that_wait_together_are_kept_in_one_transaction() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.sqlite");
        let clock = Arc::new(ManualClock::at(from_millis(1_795_100_000_000)));
        let mut book = Book::open(&path, clock.clone()).unwrap();
        let new = NewStore {
            name: "shop".into(),
            kind: ChannelKind::WooCommerce,
            remote_id: "shop.example.test".into(),
            title: "Shop".into(),
            url: "https://shop.example.test".into(),
            currency: None,
            time_zone: "Europe/Berlin".into(),
            values: Values::new(),
            facts: serde_json::Value::Null,
            since: None,
        };
        let store = book.add_store(&new).unwrap().id;
        let before = commits(&path);
        let (to_book, deliveries) = sync_channel(TOGETHER + 44);
        let (answer, answers) = sync_channel(TOGETHER + 44);
        for nth in 0..TOGETHER + 44 {
            let ring = Ring { store, orders: vec![nth.to_string()], key: None, forget: Vec::new() };
            to_book.try_send(Kept { rings: vec![ring], answer: answer.clone() }).ok().unwrap();
        }
        drop(to_book);
        let tells = Tells { note: Arc::new(|text| panic!("{text}")), each: None };
        let other = Book::open(&path, clock).unwrap();
        keep_all(other, &deliveries, &tells);
        assert_eq!(answers.try_iter().filter(|kept| *kept).count(), TOGETHER + 44);
        assert_eq!(commits(&path) - before, 2, "a full group, and the rest");
        assert_eq!(book.due_rereads(store, crate::book::Why::Asked, 999).unwrap().len(), 0);
        assert!(book.next_asked(store).unwrap().is_some());
    }
}
