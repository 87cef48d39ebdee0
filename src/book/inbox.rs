//! The inbox: what needs the merchant.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Book;
use super::error::Done;
use super::personal::unaddressed;
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Field, Order, Parcel, trackings};

/// Declares the kinds of entries: the word in the book and in JSON, and what helps where an entry
/// does not say it more closely, with STORE and ORDER in the place of names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal $fix:literal,)*) => {
        /// What kind of thing an entry of the inbox is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum InboxKind {
            $($(#[$doc])* $name,)*
        }

        impl InboxKind {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in the book and in JSON.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What helps.
            pub(crate) const fn fix(self) -> &'static str {
                match self {
                    $(Self::$name => $fix,)*
                }
            }
        }
    };
}

kinds! {
    /// An order that could not be understood.
    Unreadable "unreadable" "ordersync doctor --bundle collects what a report of this needs",
    /// An order that the channel itself cannot show.
    Unshown "unshown" "open it in the channel's own pages and save it; ordersync sync --channel STORE --full looks whether all are shown again",
    /// A write that the channel or a guard refused.
    Rejected "rejected" "ordersync retry book:ORDER",
    /// A write that the channel took and does not show.
    Unseen "unseen" "ordersync show book:ORDER, then look in the channel's own pages; ordersync retry book:ORDER --again makes it once more where it is not there",
    /// Cancelled at the channel.
    Cancelled "cancelled" "ordersync accept book:ORDER takes over the channel's version, ordersync reject book:ORDER keeps yours",
    /// Paid at the channel after the merchant has cancelled it.
    Paid "paid" "ordersync cancel book:ORDER, or give the money back in the channel's own pages",
    /// A dispatch that was taken back, or a supplier who was asked for it, where the order was
    /// cancelled at the channel.
    TakenBack "taken-back" "ordersync dispatch book:ORDER ... --as-local --force if the parcel is gone and stays so; ordersync inbox --done ENTRY settles it",
    /// Shipped at the channel by other means.
    Shipped "shipped" "ordersync accept book:ORDER takes over the channel's version, ordersync reject book:ORDER keeps yours",
    /// Changed at the channel in the moment of a dispatch.
    Raced "raced" "ordersync show book:ORDER has both versions; ordersync accept book:ORDER takes over the channel's",
    /// Given back in full before all of it was sent.
    Refund "refund" "ordersync cancel book:ORDER --local if it does not go out",
    /// Held back, as nobody can tell from what its channel says where or whether it is to be sent.
    Held "held" "ordersync show book:ORDER; ordersync dispatch book:ORDER ... --on-hold ships it all the same",
    /// What was wished with an act and was not heard, as far as is known.
    Unheard "unheard" "ordersync show book:ORDER, and do what is missing in the channel's own pages",
    /// Changed at the channel in what the merchant has edited.
    Edited "edited" "ordersync show book:ORDER prints both; ordersync revert book:ORDER gives the channel's back",
    /// The version that the merchant last saw is lost.
    Lost "lost" "ordersync show book:ORDER, then ordersync accept book:ORDER takes over the channel's version",
    /// A refund noted by hand that may be the same as one that the channel shows.
    Refunds "refunds" "ordersync show book:ORDER lists the refunds of both",
    /// A status word that nobody knows.
    Status "status" "ordersync config set STORE.statuses WORD=shipped",
    /// Two orders that look like one sale.
    Twin "twin" "ordersync twin confirm book:ORDER, or, where they are two sales, ordersync twin deny book:ORDER",
    /// Credentials that are refused.
    Credentials "credentials" "ordersync connect --reauth STORE",
    /// The channel's list and the book say different things.
    Apart "apart" "ordersync reconcile --channel STORE names them",
}

impl InboxKind {
    /// The kind of a note about a field that changed at the channel.
    pub(crate) fn of(field: Field) -> Self {
        match field {
            Field::Shipped => Self::Shipped,
            Field::Payment => Self::Paid,
            Field::Refunded => Self::Refund,
            _ => Self::Cancelled,
        }
    }

    /// What helps, for an entry of this word, with its names; nothing for a word of a later version.
    fn fix_for(word: &str, store: Option<&str>, order: Option<i64>) -> String {
        let kind = Self::ALL.iter().find(|kind| kind.word() == word);
        let order = order.map_or_else(|| "ORDER".to_owned(), |id| id.to_string());
        kind.map_or(String::new(), |kind| {
            kind.fix().replace("STORE", store.unwrap_or("STORE")).replace("ORDER", &order)
        })
    }
}

/// Something the merchant is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InboxNote {
    /// What kind of thing it is.
    pub(crate) kind: InboxKind,
    /// One sentence, without personal data.
    pub(crate) text: String,
    /// The command to run next.
    pub(crate) hint: String,
}

impl InboxNote {
    /// The channel has changed what the merchant has edited, in an order that follows it.
    pub(super) fn edited(order: i64, fields: &[Field]) -> Self {
        let words: Vec<&str> = fields.iter().map(|field| field.word()).collect();
        let waits = if fields.contains(&Field::Address) { ", and nothing goes out until you have looked" } else { "" };
        let text = format!(
            "the channel changed what you have edited in order {order} ({}); it stays as you have it{waits}",
            words.join(", ")
        );
        let hint = format!(
            "ordersync show book:{order} prints both; ordersync accept book:{order} or ordersync revert book:{order} gives the channel's back, ordersync edit book:{order} ... makes it yours again"
        );
        Self { kind: InboxKind::Edited, text, hint }
    }

    /// Addresses that the merchant has edited, counted from one, are not there any more.
    pub(super) fn edit_given_up(order: i64, gone: &[usize]) -> Self {
        let gone: Vec<String> = gone.iter().map(usize::to_string).collect();
        let text = format!(
            "the channel changed to which addresses order {order} goes, and address {}, which you had edited, is not among them as it was; your edit of it is given up, and lies over no other address",
            gone.join(" and address ")
        );
        let hint = format!(
            "ordersync show book:{order} --history lists the addresses and tells what you had written; ordersync edit book:{order} --address N ... writes it where it belongs"
        );
        Self { kind: InboxKind::Edited, text, hint }
    }

    /// All of an order was given back before all of it was sent. Where the money came back and not
    /// the pieces, they may still be sent.
    pub(crate) fn given_back(order: i64, text: String, seen: &Order) -> Self {
        let mut hint = format!("ordersync cancel book:{order} --local if it does not go out");
        if seen.lines.iter().any(|line| line.ships && line.refunded < line.quantity) {
            hint.push_str(&format!("; ordersync dispatch book:{order} ... --as-local --force ships it all the same"));
        }
        Self { kind: InboxKind::Refund, text, hint }
    }

    /// An order whose channel does not tell enough of it to be sent.
    pub(super) fn held_back(order: i64, why: &str) -> Self {
        let hint = format!(
            "ordersync show book:{order}, and look in the channel's own pages; ordersync dispatch book:{order} ... --on-hold ships it all the same"
        );
        Self { kind: InboxKind::Held, text: format!("held back: {why}"), hint }
    }

    /// The money for an order came in after the merchant had cancelled it.
    pub(crate) fn paid_in_vain(order: i64, text: String) -> Self {
        let hint = format!(
            "give the money back in the channel's own pages, or ordersync dispatch book:{order} ... --as-local --force ships it after all"
        );
        Self { kind: InboxKind::Paid, text, hint }
    }

    /// The order that a supplier was asked to ship is cancelled at the channel.
    pub(super) fn supplier_to_tell(store: &str, order: i64) -> Self {
        let text = format!(
            "cancelled at {store}; a supplier was asked to ship order {order} and knows nothing of it: tell them, or have the parcel stopped"
        );
        let hint = format!(
            "ordersync show book:{order} says whom you asked; ordersync inbox --done with the number of this entry settles it"
        );
        Self { kind: InboxKind::TakenBack, text, hint }
    }

    /// The order is cancelled at the channel, and with that a dispatch that had not gone out.
    pub(super) fn taken_back(store: &str, order: i64, parcels: &[Parcel]) -> Self {
        let text = format!(
            "cancelled at {store}; your dispatch of order {order} with {} had not gone out and was taken back: if the parcel is gone, have it stopped or returned",
            trackings(parcels)
        );
        let hint = format!(
            "ordersync dispatch book:{order} ... --as-local --force tells the channel of it all the same; ordersync inbox --done with the number of this entry settles it"
        );
        Self { kind: InboxKind::TakenBack, text, hint }
    }

    /// So many orders of a store differ from the channel's list, and of so many more that it lacks it
    /// is not known yet why.
    pub(crate) fn apart(store: &str, orders: u64, unread: u64) -> Self {
        let count = |orders, one: &str, more: &str| match orders {
            1 => format!("1 order of {store} {one}"),
            _ => format!("{orders} orders of {store} {more}"),
        };
        let told =
            (orders > 0).then(|| count(orders, "differs", "differ") + " between the book and the channel's list");
        let open = (unread > 0).then(|| {
            count(unread, "is", "are")
                + " not on the channel's list and not read one by one yet; the next comparisons go on"
        });
        let text = told.into_iter().chain(open).collect::<Vec<_>>().join("; ");
        let hint = format!(
            "ordersync reconcile --channel {store} names them; with --pull it brings what is missing or older here"
        );
        Self { kind: InboxKind::Apart, text, hint }
    }

    /// The timer's comparison of a store failed.
    pub(crate) fn not_compared(store: &str, why: &str) -> Self {
        let text = format!("the nightly comparison of {store} with the book was not made: {why}");
        let hint = format!("ordersync reconcile --channel {store} makes one now");
        Self { kind: InboxKind::Apart, text, hint }
    }

    /// The version of an order that the merchant has seen is not in the book any more.
    pub(crate) fn lost(order: i64) -> Self {
        let text = format!(
            "the book has lost the version of order {order} that you last saw, so it cannot tell what changed at the channel; nothing goes out for it until you have looked"
        );
        let hint =
            format!("ordersync show book:{order}, then ordersync accept book:{order} takes over the channel's version");
        Self { kind: InboxKind::Lost, text, hint }
    }
}

/// The kind of a note about an order that was refunded in full.
pub(super) const GIVEN_BACK: &str = "refund";

/// The kind of a note about an order that is held back.
pub(super) const HELD_BACK: &str = InboxKind::Held.word();

/// The kind of a note about a dispatch that a cancellation at the channel took back.
pub(super) const TAKEN_BACK: &str = InboxKind::TakenBack.word();

/// The kind of a note about an order of which the channel has changed what the merchant has edited.
pub(super) const EDITED: &str = "edited";

/// The kind of a note about an order of which the merchant's version is lost.
const LOST: &str = "lost";

/// The kind of a note about an order that changed while a parcel of it went out.
pub(super) const RACED: &str = "raced";

/// What an order's newer version at the channel is noted as.
pub(super) const CHANGES: [&str; 6] = ["cancelled", "paid", "shipped", RACED, GIVEN_BACK, LOST];

/// An entry of the inbox.
#[derive(Debug, Clone)]
pub(crate) struct InboxEntry {
    /// Its number.
    pub(crate) id: i64,
    /// The store, where it is about one.
    pub(crate) store: Option<String>,
    /// The order, where it is about one that is in the book.
    pub(crate) order_id: Option<i64>,
    /// The number of that order in its shop.
    pub(crate) number: Option<String>,
    /// What kind of thing it is.
    pub(crate) kind: String,
    /// What happened.
    pub(crate) text: String,
    /// The command to run next.
    pub(crate) hint: String,
    /// When.
    pub(crate) created_at: Timestamp,
    /// When it was dealt with, if it was.
    pub(crate) resolved_at: Option<Timestamp>,
}

const ENTRY: &str = "SELECT i.id, s.name, i.order_id, i.kind, i.text, i.hint, i.created_at, i.resolved_at, o.number
    FROM inbox i LEFT JOIN stores s ON s.id = i.store_id LEFT JOIN orders o ON o.id = i.order_id ";

impl Book {
    /// The open entries, the oldest first; with `all` the dealt-with ones too.
    pub(crate) fn inbox(&self, all: bool) -> Result<Vec<InboxEntry>> {
        let condition = if all { "" } else { "WHERE i.resolved_at IS NULL" };
        self.entries(&format!("{ENTRY} {condition} ORDER BY i.id"), [])
    }

    /// How many entries are open, by store.
    pub(crate) fn inbox_count(&self, store: i64) -> Result<u64> {
        self.db
            .prepare_cached(
                "SELECT count(*) FROM inbox INDEXED BY inbox_open WHERE store_id = ? AND resolved_at IS NULL",
            )
            .done("read")?
            .query_row([store], |row| row.get(0))
            .done("read")
    }

    /// What helps where the store's credentials are refused.
    pub(crate) fn refusal(&self, store: i64) -> Result<Option<String>> {
        let sql = "SELECT hint FROM inbox INDEXED BY inbox_open WHERE store_id = ? AND kind = 'credentials' AND resolved_at IS NULL";
        self.db.prepare_cached(sql).done("read")?.query_row([store], |row| row.get(0)).optional().done("read")
    }

    /// Marks an entry as dealt with; false where there is no such open entry. The document of an order
    /// that could not be read goes with it.
    pub(crate) fn resolve(&mut self, id: i64) -> Result<bool> {
        let now = self.now_ms();
        self.write("written", |db| {
            let done = db.execute(
                "UPDATE inbox SET resolved_at = ?, document = NULL WHERE id = ? AND resolved_at IS NULL",
                [now, id],
            );
            Ok(done.done("written")? > 0)
        })
    }

    /// What is open about an order of the store that is not in the book: it could not be read, or
    /// not be shown.
    pub(crate) fn inbox_about(&self, store: i64, remote_id: &str) -> Result<Option<InboxEntry>> {
        let sql = format!(
            "{ENTRY} WHERE i.store_id = ? AND i.subject = ? AND i.kind IN ('unreadable', 'unshown') AND i.resolved_at IS NULL
             ORDER BY i.id DESC LIMIT 1"
        );
        Ok(self.entries(&sql, params![store, remote_id])?.pop())
    }

    pub(super) fn inbox_of(&self, order: i64) -> Result<Vec<InboxEntry>> {
        self.entries(&format!("{ENTRY} WHERE i.order_id = ? AND i.resolved_at IS NULL ORDER BY i.id"), [order])
    }

    /// Remembers that a store's credentials are refused, or forgets it once they work again, by
    /// what the channel has answered.
    pub(crate) fn note_access<T>(&mut self, store: i64, answered: &Result<T>) -> Result<()> {
        match answered {
            Ok(_) => self.credentials_work(store),
            Err(error) if matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Permission) => {
                self.credentials_refused(store, error)
            }
            Err(_) => Ok(()),
        }
    }

    fn credentials_refused(&mut self, store: i64, error: &Error) -> Result<()> {
        let now = self.clock.now();
        let note = InboxNote {
            kind: InboxKind::Credentials,
            text: error.message().to_owned(),
            hint: error.hint_text().unwrap_or_default().to_owned(),
        };
        self.write("written", |db| put_note(db, Some(store), None, "", &note, now))
    }

    /// The channel accepts them again.
    pub(crate) fn credentials_work(&mut self, store: i64) -> Result<()> {
        let open: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM inbox WHERE store_id = ? AND kind = 'credentials' AND resolved_at IS NULL)")
            .done("read")?
            .query_row([store], |row| row.get(0))
            .done("read")?;
        if !open {
            return Ok(());
        }
        let now = self.now_ms();
        self.write("written", |db| {
            db.execute(
                "UPDATE inbox SET resolved_at = ? WHERE store_id = ? AND kind = 'credentials' AND resolved_at IS NULL",
                [now, store],
            )
            .done("written")?;
            Ok(())
        })
    }

    fn entries(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<InboxEntry>> {
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map(params, entry).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<InboxEntry> {
    let (store, order_id, kind): (Option<String>, Option<i64>, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let told: String = row.get(5)?;
    let hint = if told.is_empty() { InboxKind::fix_for(&kind, store.as_deref(), order_id) } else { told };
    Ok(InboxEntry {
        id: row.get(0)?,
        store,
        order_id,
        number: row.get(8)?,
        kind,
        text: row.get(4)?,
        hint,
        created_at: from_millis(row.get(6)?),
        resolved_at: row.get::<_, Option<i64>>(7)?.map(from_millis),
    })
}

/// Adds a note, or renews the open one about the same subject.
pub(super) fn put_note(
    db: &Connection,
    store: Option<i64>,
    order: Option<i64>,
    subject: &str,
    note: &InboxNote,
    now: Timestamp,
) -> Result<()> {
    // What is said of an order goes with it.
    let text = if order.is_none() { unaddressed(&note.text) } else { note.text.as_str().into() };
    db.prepare_cached(
        "INSERT INTO inbox (store_id, order_id, kind, subject, text, hint, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (store_id, kind, subject) WHERE resolved_at IS NULL DO UPDATE SET text = excluded.text, hint = excluded.hint",
    )
    .done("written")?
    .execute(params![store, order, note.kind.word(), subject, text, note.hint, now.timestamp_millis()])
    .done("written")?;
    Ok(())
}

/// Words an order's open note of this kind anew; one that was dealt with stays so.
pub(super) fn renew_note(db: &Connection, order: i64, note: &InboxNote) -> Result<()> {
    db.prepare_cached("UPDATE inbox SET text = ?, hint = ? WHERE order_id = ? AND kind = ? AND resolved_at IS NULL")
        .done("written")?
        .execute(params![note.text, note.hint, order, note.kind.word()])
        .done("written")?;
    Ok(())
}

/// Marks what is said about one subject as dealt with.
pub(super) fn resolve_subject(db: &Connection, store: i64, subject: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE inbox SET resolved_at = ?, document = NULL WHERE store_id = ? AND subject = ? AND resolved_at IS NULL",
    )
    .done("written")?
    .execute(params![now.timestamp_millis(), store, subject])
    .done("written")?;
    Ok(())
}

/// Marks what an order's open note of this kind and about this subject says as dealt with.
pub(super) fn resolve_note(db: &Connection, order: i64, kind: InboxKind, subject: &str, now: Timestamp) -> Result<()> {
    let sql =
        "UPDATE inbox SET resolved_at = ? WHERE order_id = ? AND kind = ? AND subject = ? AND resolved_at IS NULL";
    db.prepare_cached(sql)
        .done("written")?
        .execute(params![now.timestamp_millis(), order, kind.word(), subject])
        .done("written")?;
    Ok(())
}

/// Marks what an order needed, of these kinds, as dealt with.
pub(super) fn resolve_order(db: &Connection, order: i64, kinds: &[&str], now: Timestamp) -> Result<()> {
    for kind in kinds {
        db.prepare_cached("UPDATE inbox SET resolved_at = ? WHERE order_id = ? AND kind = ? AND resolved_at IS NULL")
            .done("written")?
            .execute(params![now.timestamp_millis(), order, kind])
            .done("written")?;
    }
    Ok(())
}
