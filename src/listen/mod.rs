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
//! | [`reread`] | the worker of a store |
//! | [`subscriptions`] | what the channel is to send where |

mod fetched;
mod http;
pub(crate) mod keys;
mod reread;
pub(crate) mod subscriptions;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// How many connections are served at a time; others wait in the system's queue.
const CONNECTIONS: usize = 64;

/// How long an order that was rung for is left alone: what else happens to it is read with it.
const MOMENT: TimeDelta = TimeDelta::seconds(1);

/// How long keeping a delivery may take. The least patient sender waits for 5 s in all.
const KEPT_WITHIN: Duration = Duration::from_secs(4);

/// How long the book may be locked by others meanwhile.
const LOCKED_AT_MOST: Duration = Duration::from_secs(3);

/// How many deliveries go into the book together at most.
const TOGETHER: usize = 256;

/// How often it is looked whether a store has other keys now, when a delivery is not by those known.
const OTHER_KEYS: Duration = Duration::from_secs(2);

/// Below which path the stores have theirs.
const BELOW: &str = "/hooks/";

/// Whether it is there; says nothing else.
const HEALTH: &str = "/health";

/// Where what goes wrong is told, a sentence at a time.
pub(crate) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// A store whose deliveries are received.
pub(crate) struct Line {
    store: Store,
    webhooks: &'static Webhooks,
    path: String,
    keys: RwLock<Keys>,
    fetched: Arc<Fetched>,
    looked_at: Mutex<Instant>,
    refused: AtomicU64,
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

    /// Nothing more is received here.
    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// What a delivery tells; an error where that cannot be known now.
    fn read(&self, head: &Head, body: &[u8], context: &Arc<Context>) -> Result<Told, Option<u16>> {
        let read = || {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
            let (headers, values, now) = (&head.headers, &self.store.values, context.clock.now());
            let fetched = match self.webhooks.key_id {
                None => None,
                Some(names) => match self.key(names(&Delivery { headers, body, values, keys: &keys, now }), context) {
                    Key::Is(key) => Some(key),
                    Key::None => return Ok(Told::Refused),
                    Key::NotNow => return Err(Some(503)),
                },
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
    fn key(&self, id: Option<String>, context: &Arc<Context>) -> Key {
        let Some(id) = id.filter(|id| is_key_id(id)) else { return Key::None };
        let (context, store, name) = (context.clone(), self.store.clone(), id.clone());
        self.fetched.key(&id, KEPT_WITHIN, move || context.open(&store)?.channel.hook_key(&name))
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
    lines: Vec<Belled>,
    addresses: Vec<String>,
    prefixes: Vec<String>,
    to_book: SyncSender<Kept>,
    context: Arc<Context>,
}

/// A line, and what wakes its worker.
type Belled = (Arc<Line>, SyncSender<()>);

/// Receives for these lines at `listener` from now on, on threads of its own, until the process ends.
/// `addresses`: the public ones, whose own path stands before ours where a proxy does not take it
/// away.
///
/// # Errors
/// Where the book or a thread cannot be had.
pub(crate) fn start(
    context: &Arc<Context>,
    lines: &[Arc<Line>],
    listener: &TcpListener,
    addresses: &[String],
    tell: &Tell,
) -> Result<SocketAddr> {
    let failed = |e: std::io::Error| Error::new(ErrorKind::Failed, format!("nothing can be received: {e}"));
    let address = listener.local_addr().map_err(failed)?;
    let (to_book, from_senders) = sync_channel(CONNECTIONS);
    let book = context.book()?.in_a_hurry(LOCKED_AT_MOST)?;
    let told = tell.clone();
    spawn("deliveries", move || keep_all(book, &from_senders, &told))?;
    let mut bells = Vec::new();
    for line in lines {
        let (bell, rung) = sync_channel(1);
        let (context, own, told) = (context.clone(), line.clone(), tell.clone());
        spawn("orders", move || reread::work(&context, &own, &rung, &told))?;
        bells.push((line.clone(), bell));
    }
    let prefix = |address: &String| Some(Url::parse(address).ok()?.path().trim_end_matches('/').to_owned());
    let prefixes = addresses.iter().filter_map(prefix).chain([String::new()]).collect();
    let (addresses, context) = (addresses.to_vec(), context.clone());
    let shared = Arc::new(Shared { lines: bells, addresses, prefixes, to_book, context });
    for _ in 0..CONNECTIONS {
        let (shared, listener) = (shared.clone(), listener.try_clone().map_err(failed)?);
        spawn("receiver", move || {
            loop {
                match listener.accept() {
                    Ok((stream, _)) => shared.converse(&stream),
                    // Out of handles, or a peer that has gone again.
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        })?;
    }
    Ok(address)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(|e| Error::new(ErrorKind::Failed, format!("no thread can be started: {e}")))
}

/// Keeps deliveries, all that wait together: a burst costs few flushes of the disk.
fn keep_all(mut book: Book, deliveries: &Incoming<Kept>, tell: &Tell) {
    let mut told = None::<Instant>;
    while let Ok(first) = deliveries.recv() {
        let group: Vec<Kept> = std::iter::once(first).chain(deliveries.try_iter()).take(TOGETHER).collect();
        let (rings, answers): (Vec<Vec<Ring>>, Vec<_>) =
            group.into_iter().map(|kept| (kept.rings, kept.answer)).unzip();
        let kept = book.keep_deliveries(&rings.concat(), MOMENT);
        if let Err(error) = &kept
            && told.is_none_or(|at| at.elapsed() > Duration::from_secs(60))
        {
            told = Some(Instant::now());
            tell(&format!("deliveries are not taken (503), because they cannot be kept: {}", error.message()));
        }
        for answer in answers {
            let _ = answer.try_send(kept.is_ok());
        }
    }
}

impl Shared {
    fn converse(&self, stream: &TcpStream) {
        let mut connection = Connection::new(stream);
        let (status, body) = match self.handle(&mut connection) {
            Ok(answer) => answer,
            Err(Some(status)) => (status, Vec::new()),
            Err(None) => return,
        };
        connection.answer(status, &body);
    }

    /// The answer to a request: its status, and a body where there is one.
    fn handle(&self, connection: &mut Connection<'_>) -> Result<(u16, Vec<u8>), Option<u16>> {
        let head = connection.head()?;
        // Only a question has a query.
        let asked = head.target.split_once('?').filter(|_| head.method == "GET");
        let (target, query) = asked.unwrap_or((&head.target, ""));
        let is_at = |path: &str| {
            let path = target.strip_suffix(path);
            path.is_some_and(|before| self.prefixes.iter().any(|prefix| prefix == before))
        };
        if is_at(HEALTH) {
            return Ok((if matches!(head.method.as_str(), "GET" | "HEAD") { 200 } else { 405 }, Vec::new()));
        }
        // Stores of one application have one path.
        let meant = |(line, _): &&Belled| line.is_open() && target.ends_with(&line.path());
        let here: Vec<&Belled> = self.lines.iter().filter(meant).collect();
        let Some((line, _)) = here.first() else { return Err(Some(404)) };
        // A proxy that puts something else before it.
        if !is_at(&line.path()) {
            line.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Some(404));
        }
        if head.method == "GET" && line.webhooks.challenge.is_some() {
            let answer = line.answer(query, &self.address(&head, target, &line.path()));
            return answer.map(|body| (200, body)).ok_or(Some(400));
        }
        if head.method != "POST" {
            return Err(Some(405));
        }
        let body = connection.body(&head)?;
        let (told, whose) = addressed(&here, line.read(&head, &body, &self.context)?);
        let ring = |(line, _): &&Belled| match &told {
            Told::Orders { ids, key } => {
                Some(Ring { store: line.store.id, orders: ids.clone(), key: key.clone(), forget: None })
            }
            Told::Forget { person, key } => {
                let forget = Some(person.clone());
                Some(Ring { store: line.store.id, orders: Vec::new(), key: key.clone(), forget })
            }
            Told::Of { .. } | Told::Nothing | Told::Refused => None,
        };
        if told == Told::Refused {
            line.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Some(401));
        }
        let rings: Vec<Ring> = whose.iter().filter_map(ring).collect();
        if !rings.is_empty() {
            let (answer, kept) = sync_channel(1);
            self.to_book.try_send(Kept { rings, answer }).map_err(|_| Some(503))?;
            if kept.recv_timeout(KEPT_WITHIN) != Ok(true) {
                return Err(Some(503));
            }
            for (_, bell) in whose {
                let _ = bell.try_send(());
            }
        }
        Ok((200, Vec::new()))
    }

    /// The public address of a path, as the channel was told it. Where there are several, it is that of
    /// the host that was asked.
    fn address(&self, head: &Head, target: &str, path: &str) -> String {
        let before = target.strip_suffix(path).unwrap_or_default();
        let fits = |address: &&String| {
            let url = Url::parse(address).ok();
            let authority = url.as_ref().map(|url| url.authority().as_bytes());
            let is_host = head.all("host").first().is_some_and(|host| authority == Some(*host));
            (is_host, url.is_some_and(|url| url.path().trim_end_matches('/') == before))
        };
        // Of those that fit alike the first, which is the newest.
        let best = self.addresses.iter().rev().max_by_key(fits);
        format!("{}{path}", best.map_or("", |address| address.as_str()))
    }
}

/// What is told, and of which of the stores at a path: of all of them, that somebody is to be
/// forgotten.
fn addressed<'l>(here: &[&'l Belled], told: Told) -> (Told, Vec<&'l Belled>) {
    match told {
        Told::Of { account, told } => {
            (*told, here.iter().copied().filter(|(line, _)| line.store.remote_id == account).collect())
        }
        Told::Forget { .. } => (told, here.to_vec()),
        told => (told, here.iter().copied().take(1).collect()),
    }
}
