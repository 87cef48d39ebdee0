//! Why an order is in the book, or is not: by what the book and its runs say, and where they say
//! nothing, by what the channel says of it now.

use super::Context;
use super::reconcile::{is_read_whole, settled};
use super::store::OpenStore;
use crate::book::{Book, BookOrder, InboxKind, Store};
use crate::channel::RemoteOrder;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Order, Presence};

/// What the answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is in the book.
    InBook,
    /// It is in the book, and the channel has it no more.
    Gone,
    /// It came and could not be understood.
    Unreadable,
    /// The channel itself cannot show it.
    Unshown,
    /// Something has said that it changed, and it is about to be read.
    ToBeRead,
    /// The store was not read to its end yet.
    NotRead,
    /// The channel refuses the key or its role.
    Refused,
    /// The channel shows no such order.
    NotThere,
    /// It changed last before what was asked for when the store was connected.
    NotAskedFor,
    /// It is put away at the channel: no list has it.
    PutAway,
    /// It changed since the last sync.
    NextSync,
    /// The channel has it, and no list has shown it.
    NeverSeen,
    /// The book knows nothing of it, and the channel was not asked.
    NotAsked,
}

impl Verdict {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::InBook => "in-book",
            Self::Gone => "gone",
            Self::Unreadable => "unreadable",
            Self::Unshown => "unshown",
            Self::ToBeRead => "to-be-read",
            Self::NotRead => "not-read",
            Self::Refused => "refused",
            Self::NotThere => "not-there",
            Self::NotAskedFor => "not-asked-for",
            Self::PutAway => "put-away",
            Self::NextSync => "next-sync",
            Self::NeverSeen => "never-seen",
            Self::NotAsked => "not-asked",
        }
    }
}

/// What an answer rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// What is known.
    pub(crate) what: String,
    /// In which run it was found out.
    pub(crate) run: Option<i64>,
    /// What was asked of the channel for it.
    pub(crate) request: Option<String>,
    /// When.
    pub(crate) at: Option<Timestamp>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Why {
    /// What it comes to.
    pub(crate) verdict: Verdict,
    /// In one sentence.
    pub(crate) text: String,
    /// The command that helps.
    pub(crate) hint: String,
    /// What it rests on.
    pub(crate) evidence: Vec<Evidence>,
}

impl Why {
    fn new(verdict: Verdict, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict, text: text.into(), hint: hint.into(), evidence: Vec::new() }
    }

    fn by(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// Why an order of the book is there.
pub(crate) fn of_book(book: &Book, order: &BookOrder) -> Result<Why> {
    let (id, gone) = (order.id, book.gone_at(order.id)?);
    let events = book.history(id)?;
    let event = |what: &str| events.iter().rev().find(|event| event.what == what);
    let imported = event("imported");
    let since = imported.and_then(|event| event.run).map_or(String::new(), |run| format!(" since run {run}"));
    let mut text = format!("it is in the book as order {id}{since}");
    if order.test {
        text.push_str(", marked as a test order, so it is offered for shipping nowhere");
    }
    for twin in &order.twins {
        text.push_str(&format!("; {} is the same sale", twin.name));
    }
    let mut told = Why::new(Verdict::InBook, text, format!("ordersync show book:{id} --history"));
    if gone.is_some() {
        told.verdict = Verdict::Gone;
        told.text.push_str("; the channel has it no more, and it stays here");
    }
    let words = ["imported", "changed at the channel", "followed the channel", "gone at the channel"];
    let found = words.iter().filter_map(|word| event(word));
    Ok(told.by(found.map(|event| Evidence {
        what: if event.detail.is_empty() { event.what.clone() } else { format!("{}: {}", event.what, event.detail) },
        run: event.run,
        request: None,
        at: Some(event.at),
    })))
}

/// Why the order with this id is not in the book. With `offline` the channel is not asked.
///
/// # Errors
/// Where the channel cannot be asked, so that nothing is known.
pub(crate) fn of_store(
    context: &Context,
    book: &mut Book,
    store: &Store,
    remote_id: &str,
    offline: bool,
) -> Result<Why> {
    if let Some(why) = of_records(book, store, remote_id)? {
        return Ok(why);
    }
    if offline {
        let text = "the book knows nothing of it, and the channel was not asked";
        let hint = format!("ordersync why {}:{remote_id} asks it", store.name);
        return Ok(Why::new(Verdict::NotAsked, text, hint).by(last_sync(book, store)?));
    }
    let open = context.open(store)?;
    let asked = open.channel.order(remote_id);
    book.note_access(store.id, &asked)?;
    let request = Evidence {
        what: "the channel was asked for the order by its id".to_owned(),
        run: None,
        request: Some(format!("order {remote_id} of {}, {} sent", store.name, requests(&open))),
        at: Some(context.clock.now()),
    };
    let why = match asked {
        Ok(Some(seen)) => of_seen(book, &open, remote_id, &seen)?,
        Ok(None) => of_none(&open, remote_id),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Why::new(Verdict::NotThere, plain(&error), hint_of(&error))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Permission) => {
            Why::new(Verdict::Refused, plain(&error), hint_of(&error))
        }
        Err(error) if error.is_too_much() => {
            // A channel that is down fails at every order.
            open.channel.probe()?;
            let text = format!("the channel itself cannot show it ({})", plain(&error));
            let hint = format!(
                "open it in the channel's own pages and save it, then ordersync pull {}:{remote_id}",
                store.name
            );
            Why::new(Verdict::Unshown, text, hint)
        }
        Err(error) => return Err(error),
    };
    Ok(why.by([request]).by(last_sync(book, store)?))
}

/// What the book's own records say of an order that is not in it.
fn of_records(book: &Book, store: &Store, remote_id: &str) -> Result<Option<Why>> {
    if let Some(entry) = book.inbox_about(store.id, remote_id)? {
        let (verdict, text) = if entry.kind == InboxKind::Unshown.word() {
            (Verdict::Unshown, entry.text.clone())
        } else {
            (Verdict::Unreadable, entry.text.clone())
        };
        let evidence = Evidence {
            what: format!("entry {} of the inbox", entry.id),
            run: book.run_at(store.id, entry.created_at)?,
            request: None,
            at: Some(entry.created_at),
        };
        return Ok(Some(Why::new(verdict, text, entry.hint).by([evidence])));
    }
    if let Some(since) = book.asked_for(store.id, remote_id)? {
        let text = "something has said that it changed, and it is read by the next sync";
        let hint = format!("ordersync pull {}:{remote_id} reads it now", store.name);
        let evidence = Evidence { what: "it waits to be read".to_owned(), at: Some(since), ..Evidence::default() };
        return Ok(Some(Why::new(Verdict::ToBeRead, text, hint).by([evidence])));
    }
    if let Some(hint) = book.refusal(store.id)? {
        let text = format!("the channel refuses the credentials of {}, so nothing new comes", store.name);
        return Ok(Some(Why::new(Verdict::Refused, text, hint).by(last_error(book, store)?)));
    }
    if !is_read_whole(book, store)? {
        let text = format!("the first sync of {} has not come to its end", store.name);
        let hint = format!("ordersync sync --channel {}", store.name);
        return Ok(Some(Why::new(Verdict::NotRead, text, hint).by(last_error(book, store)?)));
    }
    Ok(None)
}

/// The channel has the order.
fn of_seen(book: &Book, open: &OpenStore, remote_id: &str, seen: &RemoteOrder) -> Result<Why> {
    let store = &open.store;
    let pull = format!("ordersync pull {}:{remote_id} brings it", store.name);
    let order = match &seen.order {
        Ok(order) => order,
        Err(why) => {
            let text = format!("the channel has it, and it cannot be understood ({why})");
            return Ok(Why::new(Verdict::Unreadable, text, format!("{pull} into the inbox, with its document")));
        }
    };
    let changed = Evidence {
        what: "the order changed last at the channel".to_owned(),
        at: Some(order.updated_at),
        ..Evidence::default()
    };
    Ok(of_order(book, open, order, pull)?.by([changed]))
}

fn of_order(book: &Book, open: &OpenStore, order: &Order, pull: String) -> Result<Why> {
    let (store, at) = (&open.store, order.updated_at);
    if let Some(since) = store.since.filter(|since| at < *since) {
        let text = format!(
            "it was not asked for: it changed last before {}, from when on orders of {} are imported",
            rfc3339(since),
            store.name
        );
        let hint = format!(
            "{pull}; ordersync sync --channel {} --since {} brings all since then",
            store.name,
            at.format("%Y-%m-%d")
        );
        return Ok(Why::new(Verdict::NotAskedFor, text, hint));
    }
    if order.presence != Presence::Listed {
        let text = "it is put away at the channel (archive or bin), so that no list of changes has it";
        return Ok(Why::new(Verdict::PutAway, text, pull));
    }
    if at > settled(book, store, open.channel.as_ref())? {
        return Ok(Why::new(
            Verdict::NextSync,
            "it changed after what the last sync has read, and the next one brings it",
            pull,
        ));
    }
    let text = "the channel has it, and no list that a sync has read has shown it";
    let hint = format!("{pull}; ordersync reconcile --channel {} looks for more of them", store.name);
    Ok(Why::new(Verdict::NeverSeen, text, hint))
}

/// The channel shows none: it is not there, or it is hidden from the key.
fn of_none(open: &OpenStore, remote_id: &str) -> Why {
    let error = open.channel.no_order(remote_id);
    let verdict = if open.channel.shown_since().is_some() { Verdict::Refused } else { Verdict::NotThere };
    Why::new(verdict, plain(&error), hint_of(&error))
}

/// The error's words, without what it says of an act, and of an order that was known before.
fn plain(error: &Error) -> String {
    let text = error.message();
    ["; nothing was written", "; nothing was sent"]
        .iter()
        .find_map(|end| text.strip_suffix(end))
        .unwrap_or(text)
        .replace(" any more", "")
}

fn hint_of(error: &Error) -> String {
    error.hint_text().unwrap_or_default().to_owned()
}

fn requests(open: &OpenStore) -> String {
    match open.http.requests() {
        1 => "1 request".to_owned(),
        several => format!("{several} requests"),
    }
}

fn last_sync(book: &Book, store: &Store) -> Result<Option<Evidence>> {
    let Some(at) = store.last_sync_at else { return Ok(None) };
    let run = book.run_at(store.id, at)?;
    let what = "the last sync that read all changes ended".to_owned();
    Ok(Some(Evidence { what, run, request: None, at: Some(at) }))
}

fn last_error(book: &Book, store: &Store) -> Result<Option<Evidence>> {
    let Some(error) = book.last_error(store.id)? else { return last_sync(book, store) };
    let run = book.run_at(store.id, error.at)?;
    let what = format!("the last sync stopped: {}", error.why);
    Ok(Some(Evidence { what, run, request: None, at: Some(error.at) }))
}
