//! Opening a store: its client, its gate, its adapter.

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use crate::book::{Book, Store};
use crate::channel::{self, Channel, ChannelKind, Connection, Values};
use crate::credentials::Keyring;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Gate, Options};

/// A store with its channel open.
pub struct OpenStore {
    /// The store as the book knows it.
    pub store: Store,
    /// Its adapter.
    pub channel: Box<dyn Channel>,
    /// Its client, for the count of requests.
    pub http: Arc<Client>,
}

impl OpenStore {
    /// Opens a connected store with its stored credentials. No network.
    pub fn connected(context: &Context, store: &Store) -> Result<Self> {
        let locks = context.home.locks();
        let keyring = Arc::new(Keyring::of_store(context.vault(), &store.name, locks, context.clock.clone())?);
        let gate = Gate::new(store.paused_until, Duration::ZERO, tell_other_processes(context, store));
        let (channel, http) = open(context, store.kind, store.values.clone(), keyring, store.facts.clone(), gate)?;
        Ok(Self { store: store.clone(), channel, http })
    }
}

/// Opens a channel with values that are not in the book yet (`connect`), and with secrets that are in no file yet. No network.
pub fn open_new(
    context: &Context,
    kind: ChannelKind,
    values: Values,
    keyring: Arc<Keyring>,
) -> Result<Box<dyn Channel>> {
    let (channel, _) = open(context, kind, values, keyring, serde_json::Value::Null, Gate::open())?;
    Ok(channel)
}

fn open(
    context: &Context,
    kind: ChannelKind,
    values: Values,
    keyring: Arc<Keyring>,
    facts: serde_json::Value,
    gate: Gate,
) -> Result<(Box<dyn Channel>, Arc<Client>)> {
    let http = Arc::new(Client::new(Options {
        clock: context.clock.clone(),
        patience: context.patience,
        gate,
        ca_pem: values.get("ca_file").map(|path| read_ca(path)).transpose()?,
        allow_http: values.get("allow_http").is_some_and(|answer| answer == "yes"),
    })?);
    let channel = channel::open(kind, Connection { values, keyring, facts, http: http.clone() })?;
    Ok((channel, http))
}

fn read_ca(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        Error::new(ErrorKind::Usage, format!("the certificate file {path} cannot be read: {e}; nothing was sent"))
    })
}

/// A pause that a channel asks for holds for every process that calls the store, so it goes into the book (PRODUCT.md I-6).
/// Where the book cannot be written just then, the pause still holds in this process.
fn tell_other_processes(context: &Context, store: &Store) -> crate::http::OnPause {
    let (path, clock, id) = (context.home.book(), context.clock.clone(), store.id);
    Box::new(move |until, why| {
        if let Ok(mut book) = Book::open(&path, clock.clone()) {
            let _ = book.pause(id, until, why);
        }
    })
}
