//! Whether an order may go out: one rule for everybody who lets it (a dispatch, the retry of one, the
//! push of one that waits, a request to a supplier), asked inside the transaction that does so (D-1,
//! D-2). What the channel has newer is looked at besides, where there is a look.

use rusqlite::{Connection, OptionalExtension, params};

use super::acts::column;
use super::comparisons::gone_at;
use super::error::{Done, odd};
use super::local::hold_of;
use super::outbox::{Guard, Leave};
use super::twins::{self, Twin};
use super::{Book, own_refunds, pieces};
use crate::channel::{ChannelKind, Goal};
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Field, Order, Presence, Status};

const BY_FORCE: &str = "--as-local --force";

const UNPAID: &str = "is not paid yet";
const HELD: &str = "is on hold";

/// How an order stands, here or at its channel, as far as a parcel hangs on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    status: Status,
    /// Its channel has it in the bin.
    trashed: bool,
    /// All of it was given back.
    given_back: bool,
    /// Its channel ships it also while it is on hold or not paid there.
    ships: bool,
}

impl Standing {
    /// The standing of an order as its channel has it.
    pub(crate) fn of(kind: ChannelKind, order: &Order) -> Self {
        let trashed = order.presence == Presence::Trashed;
        let ships = (kind.adapter().ships)(&order.channel_status);
        Self { status: order.status, trashed, given_back: order.is_given_back(), ships }
    }

    /// The same of an order of which the channel is about to be told: what it ships of no one is not
    /// even tried.
    pub(crate) fn against_telling(self, leave: Leave) -> Option<(&'static str, &'static str)> {
        let (unpaid, on_hold) = (leave.unpaid && self.ships, leave.on_hold && self.ships);
        self.against(Leave { unpaid, on_hold, ..leave })
    }

    /// What speaks against a parcel, and the flags of a dispatch that insist on it, where any do.
    pub(crate) fn against(self, leave: Leave) -> Option<(&'static str, &'static str)> {
        let forced = leave.guard == Guard::Force;
        let flag = |flag| if self.ships { flag } else { "" };
        match self.status {
            _ if self.trashed && !forced => Some(("is in the bin", BY_FORCE)),
            Status::Cancelled if !forced => Some(("is cancelled", BY_FORCE)),
            Status::Shipped | Status::Cancelled => None,
            Status::AwaitingPayment if !leave.unpaid => Some((UNPAID, flag("--unpaid"))),
            _ if self.given_back && !forced => Some(("is refunded in full", BY_FORCE)),
            Status::OnHold if !leave.on_hold => Some((HELD, flag("--on-hold"))),
            _ => None,
        }
    }
}

/// In which way an order is to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a new dispatch; whether its pieces are named.
    Dispatch { named: bool },
    /// By this row of the outbox, which was refused or waits, at the merchant's word.
    Retry(i64),
    /// By this row of the outbox, of which surely nothing has gone out.
    Push(i64),
    /// By a supplier.
    Dropship,
}

/// Why an order does not go out.
#[derive(Debug)]
pub(super) struct Bar {
    what: String,
    /// A command that ends it, and what it does.
    first: Option<String>,
    /// The flags that insist.
    flags: &'static str,
    /// It is over once the merchant releases a hold.
    pub(super) waits: bool,
}

impl Bar {
    fn new(what: impl Into<String>, flags: &'static str) -> Self {
        Self { what: what.into(), first: None, flags, waits: false }
    }

    fn first(self, first: String) -> Self {
        Self { first: Some(first), ..self }
    }

    fn held(self) -> Self {
        Self { waits: true, ..self }
    }

    /// The refusal.
    pub(super) fn error(self, order: i64, way: Way) -> Error {
        let flags = self.flags;
        let (not_done, insist) = match way {
            Way::Dispatch { .. } if flags == "--again" => {
                ("nothing was recorded or sent".to_owned(), "add --again if another parcel really goes out".to_owned())
            }
            Way::Dispatch { .. } => {
                ("nothing was recorded or sent".to_owned(), format!("add {flags} if it ships all the same"))
            }
            Way::Dropship => {
                let flags = if flags == "--again" { BY_FORCE } else { flags };
                ("nothing was changed".to_owned(), format!("add {flags} if it is handed over all the same"))
            }
            Way::Retry(row) | Way::Push(row) => {
                let not_done = match way {
                    Way::Retry(_) => format!("row {row} was not tried again"),
                    _ => "nothing was sent".to_owned(),
                };
                let insist = format!(
                    "ordersync outbox --withdraw {row} takes the row back; ordersync dispatch book:{order} ... {flags} ships it all the same"
                );
                (not_done, insist)
            }
        };
        let insist = (!flags.is_empty()).then_some(insist);
        let hint = self.first.into_iter().chain(insist).collect::<Vec<_>>().join("; ");
        Error::new(ErrorKind::Refused, format!("order {order} {}; {not_done}", self.what)).hint(hint)
    }
}

impl Book {
    /// Whether an order may go out in this way, by what the book knows of it now. It is asked again
    /// in the transaction that records it.
    ///
    /// # Errors
    /// `Refused` where it may not.
    pub(crate) fn may_go_out(&self, order: i64, way: Way, leave: Leave) -> Result<()> {
        check(&self.db, order, way, leave, self.clock.now())
    }
}

/// The same, inside a transaction.
pub(super) fn check(db: &Connection, order: i64, way: Way, leave: Leave, now: Timestamp) -> Result<()> {
    bar(db, order, way, leave, now)?.map_or(Ok(()), |bar| Err(bar.error(order, way)))
}

/// What speaks against the first write of a row of the outbox: what was recorded may not be so any
/// more when its turn comes. A row of which something may be at the channel is looked for there
/// first, whatever has happened since.
pub(super) fn bar_of_row(db: &Connection, row: i64, now: Timestamp) -> Result<Option<(i64, Bar)>> {
    let sql = "SELECT order_id, goal FROM outbox WHERE id = ? AND written = 'no'";
    let found: Option<(i64, String)> =
        db.query_row(sql, [row], |row| Ok((row.get(0)?, row.get(1)?))).optional().done("read")?;
    let Some((order, goal)) = found else { return Ok(None) };
    match serde_json::from_str(&goal).map_err(|_| odd("task", "goal"))? {
        Goal::Dispatched(_) => {
            let bar = bar(db, order, Way::Push(row), leave_of(db, row)?, now)?;
            Ok(bar.map(|bar| (order, bar)))
        }
        Goal::Cancelled(wished) if wished.refund => own_refunds::refuse_while_any(db, order).map(|()| None),
        Goal::Cancelled(_) | Goal::Retracked(_) => Ok(None),
    }
}

/// What a row was recorded to go out in spite of.
pub(super) fn leave_of(db: &Connection, row: i64) -> Result<Leave> {
    let sql = "SELECT guard, unpaid, on_hold, again FROM outbox WHERE id = ?";
    let (guard, unpaid, on_hold, again): (String, bool, bool, bool) =
        db.query_row(sql, [row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).done("read")?;
    Ok(Leave { guard: Guard::from_word(&guard)?, unpaid, on_hold, again, test_order: true })
}

/// What the book has of an order, as far as a parcel hangs on it.
struct Facts {
    standing: Standing,
    test: bool,
    /// Nothing of it goes into a parcel.
    bodiless: bool,
    /// A part of it has gone out, and nobody knows which: the channel shows a shipment and not what
    /// is in it, or the word alone.
    part_unknown: bool,
    unpaid_setting: String,
    /// Why it is held back, where it is the program that does not let it go.
    held_back: Option<String>,
}

/// What speaks against it, if anything.
pub(super) fn bar(db: &Connection, order: i64, way: Way, leave: Leave, now: Timestamp) -> Result<Option<Bar>> {
    super::clearing::refuse_cleared(db, order)?;
    if way != Way::Dropship
        && let Some(since) = gone_at(db, order)?
    {
        let bar = Bar::new(format!("is gone at the channel, as was found at {}", rfc3339(since)), "");
        return Ok(Some(bar.first(format!(
            "ordersync pull book:{order} looks whether it is there again; ordersync cancel book:{order} --local ends it here"
        ))));
    }
    let facts = facts(db, order, way)?;
    // What the channel holds, or waits to be paid for, a recorded dispatch is told there.
    let is_row = matches!(way, Way::Retry(_) | Way::Push(_));
    let passes = Leave { unpaid: leave.unpaid || is_row, on_hold: leave.on_hold || is_row, ..leave };
    if let Some((what, flags)) = facts.standing.against(passes) {
        return Ok(Some(standing_bar(order, what, flags, way, &facts)));
    }
    if let Way::Push(row) | Way::Retry(row) = way
        && leave.guard != Guard::Force
        && let Some(shipment) = shipment_of(db, row)?
        && pieces::holds_given_back(db, order, shipment)?
    {
        let bar = Bar::new("has fewer pieces to be sent than the dispatch has: some were given back since", "");
        return Ok(Some(bar.first(format!(
            "ordersync outbox --withdraw {row} takes the row back, and ordersync dispatch book:{order} ... sends what is left"
        ))));
    }
    if !leave.on_hold
        && let Some(hold) = hold_of(db, order)?.filter(|hold| hold.until.is_none_or(|at| at > now))
    {
        let until = hold.until.map(|at| format!(" until {}", rfc3339(at))).unwrap_or_default();
        let bar = Bar::new(format!("is on hold here{until}"), "--on-hold").held();
        return Ok(Some(bar.first(format!("ordersync release book:{order} ends the hold"))));
    }
    if let Way::Dispatch { named } = way
        && facts.part_unknown
        && (leave.guard == Guard::Check || !named)
    {
        let bar = Bar::new("has gone out in part, and the channel does not tell which pieces", "--as-local");
        return Ok(Some(bar.first("name the pieces that go out now: --item SKU=QTY, for each of them".to_owned())));
    }
    if way == Way::Dropship
        && let Some(bar) = dropship_bar(db, order, leave, &facts)?
    {
        return Ok(Some(bar));
    }
    if let Some(bar) = twin_bar(order, &twins::of(db, order)?, leave) {
        return Ok(Some(bar));
    }
    let test = facts.test && !leave.test_order && !is_row;
    Ok(test.then(|| match way {
        Way::Dropship => Bar::new("is a test order", "").first(format!("ordersync show book:{order}")),
        _ => Bar::new("is a test order", "--test-order"),
    }))
}

/// The shipment that a row of the outbox tells of.
fn shipment_of(db: &Connection, row: i64) -> Result<Option<i64>> {
    let sql = "SELECT shipment_id FROM outbox WHERE id = ?";
    db.prepare_cached(sql).done("read")?.query_row([row], |row| row.get(0)).done("read")
}

fn facts(db: &Connection, order: i64, way: Way) -> Result<Facts> {
    let row = match way {
        Way::Retry(row) | Way::Push(row) => Some(row),
        Way::Dispatch { .. } | Way::Dropship => None,
    };
    // What a row holds of the order makes it shipped by itself: it is what it was without.
    let sql = "SELECT coalesce((SELECT x.status_before FROM outbox x WHERE x.id = ?2 AND x.shipment_id IS NOT NULL), o.bare_status, o.status),
        o.given_back, o.test, NOT o.ships,
        EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = o.id AND s.key IS NULL
            AND NOT EXISTS (SELECT 1 FROM shipment_lines sl WHERE sl.shipment_id = s.id))
          OR NOT EXISTS (SELECT 1 FROM lines l JOIN shipments s ON s.order_id = l.order_id
            JOIN shipment_lines sl ON sl.shipment_id = s.id AND sl.line_id = l.remote_id WHERE l.order_id = o.id),
        z.name, o.payment_method, o.payment_title, z.channel, o.channel_status,
        (SELECT text FROM inbox i WHERE i.order_id = o.id AND i.kind = ?3 AND i.resolved_at IS NULL LIMIT 1)
        FROM orders o JOIN stores z ON z.id = o.store_id WHERE o.id = ?1";
    let (word, facts, channel, words) = db
        .prepare_cached(sql)
        .done("read")?
        .query_row(params![order, row, super::inbox::HELD_BACK], |row| {
            let (store, method, title): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
            let standing = Standing { status: Status::Shipped, trashed: false, given_back: row.get(1)?, ships: true };
            let unpaid_setting = unpaid_setting(&store, [&method, &title]);
            let (test, bodiless, part_unknown) = (row.get(2)?, row.get(3)?, row.get(4)?);
            let held_back = row.get(10)?;
            let facts = Facts { standing, test, bodiless, part_unknown, unpaid_setting, held_back };
            Ok((row.get::<_, String>(0)?, facts, row.get::<_, String>(8)?, row.get::<_, String>(9)?))
        })
        .done("read")?;
    let kind = ChannelKind::from_word(&channel).ok_or_else(|| odd("channel", &channel))?;
    // What a supplier sends is not told there now.
    let ships = way == Way::Dropship || (kind.adapter().ships)(&words);
    let status: Status = word.parse().map_err(|_| odd("status", &word))?;
    let part_unknown = facts.part_unknown && status == Status::PartiallyShipped;
    Ok(Facts { standing: Standing { status, ships, ..facts.standing }, part_unknown, ..facts })
}

fn standing_bar(order: i64, what: &str, flags: &'static str, way: Way, facts: &Facts) -> Bar {
    match (way, flags) {
        (Way::Dropship, "--unpaid") => Bar::new(what, "")
            .first(format!("ordersync dispatch book:{order} ... --unpaid says that it went out all the same")),
        (_, "--unpaid") => Bar::new(what, flags).first(format!(
            "ordersync config set {} lets all go out that are to be paid like it",
            facts.unpaid_setting
        )),
        _ if what == HELD && facts.held_back.is_some() => {
            let why = facts.held_back.as_deref().unwrap_or_default();
            Bar::new(format!("is {why}"), flags).first(over_there(order)).held()
        }
        _ if what == HELD => Bar::new(what, flags).first(over_there(order)).held(),
        _ if what == UNPAID => Bar::new(what, flags).first(over_there(order)),
        _ => Bar::new(what, flags),
    }
}

/// What helps where it is the channel that holds an order back, or waits for its payment.
pub(crate) fn over_there(order: i64) -> String {
    format!("once that is over in the channel's own pages, ordersync pull book:{order} reads it")
}

/// A supplier is asked for an order as a whole, and the channel is not looked at first: what it has
/// told already is what counts.
fn dropship_bar(db: &Connection, order: i64, leave: Leave, facts: &Facts) -> Result<Option<Bar>> {
    if facts.standing.status == Status::PartiallyShipped {
        let says = format!("ordersync dispatch book:{order} --item SKU=QTY says what else went out, whoever sent it");
        return Ok(Some(Bar::new("has gone out in part", "").first(says)));
    }
    if facts.bodiless {
        return Ok(Some(Bar::new("needs no parcel", "").first(format!("ordersync show book:{order}"))));
    }
    let sql = "SELECT field FROM changes WHERE order_id = ?1 AND fate <> 'applied' ORDER BY field";
    let mut found = column::<String>(db, sql, [order])?;
    found.retain(|word| Field::from_word(word).is_none_or(Field::stops_a_parcel));
    let stops = |field: &String| match leave.guard {
        Guard::Check => true,
        Guard::AsLocal => field == "cancelled",
        Guard::Force => false,
    };
    if !found.iter().any(stops) {
        return Ok(None);
    }
    let flags = if found.iter().any(|field| field == "cancelled") { BY_FORCE } else { "--as-local" };
    let sql = "SELECT field FROM changes WHERE order_id = ?1 AND fate = 'rejected'";
    let rejected = column::<String>(db, sql, [order])?;
    let what_is = match found.iter().all(|field| rejected.contains(field)) {
        true => "is still at the channel as you rejected it",
        false => "changed at the channel since you last saw it",
    };
    let bar = Bar::new(format!("{what_is} ({})", found.join(", ")), flags);
    Ok(Some(bar.first(format!("ordersync accept book:{order} takes over the channel's version"))))
}

/// What its twins say against it: of a sale that goes out twice, that is over, or that is held back.
fn twin_bar(order: i64, twins: &[Twin], leave: Leave) -> Option<Bar> {
    let which = |is: fn(&Twin) -> bool| {
        let named: Vec<String> =
            twins.iter().filter(|twin| is(twin)).map(|twin| format!("order {} ({})", twin.id, twin.name)).collect();
        (!named.is_empty()).then(|| named.join(" and "))
    };
    let again = leave.again || leave.guard == Guard::Force;
    let two_sales = || format!("ordersync twin deny book:{order} if they are two sales");
    let same = |twins: String, what: &str, flags| Bar::new(format!("is the same sale as {twins}, which {what}"), flags);
    if !again {
        if let Some(sent) = which(Twin::is_sent) {
            return Some(same(sent, "is dispatched already", "--again").first(two_sales()));
        }
        if let Some(over) = which(|twin| twin.confirmed && twin.is_cancelled()) {
            return Some(same(over, "is cancelled", "--again").first(two_sales()));
        }
        if let Some(over) = which(|twin| twin.confirmed && twin.given_back) {
            return Some(same(over, "is refunded in full", "--again").first(two_sales()));
        }
    }
    let held = which(|twin| twin.held).filter(|_| !leave.on_hold)?;
    let bar = same(held, "is on hold here", "--on-hold").held();
    Some(bar.first("ordersync release ends a hold".to_owned()))
}

/// The setting that ships orders that are to be paid like this one.
fn unpaid_setting(store: &str, methods: [&String; 2]) -> String {
    let method = methods.into_iter().find(|name| !name.trim().is_empty());
    let is_word = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let method = method.map_or("METHOD".to_owned(), |name| {
        if is_word(name) { name.clone() } else { format!("'{}'", name.replace('\'', "'\\''")) }
    });
    format!("{store}.unpaid_methods {method}")
}
