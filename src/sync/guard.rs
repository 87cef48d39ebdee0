//! The look before an act: the order is read at the channel, held against what the merchant knows,
//! and only then is asked what is missing for the act (D-1).

use rust_decimal::Decimal;

use super::goes_by::Versions;
use super::outstanding::{Excess, Outstanding};
use super::policy::mark;
use super::store::OpenStore;
use crate::book::{Book, Guard, Leave, Standing, over_there};
use crate::channel::{Cancellation, Goal, RemoteOrder, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::AGAIN;
use crate::order::{
    Difference, Field, LineQuantity, Order, Parcel, People, RemoteShipment, Shipment, Status, differences, same_number,
    same_places, trackings,
};

/// An act on an order, on its way to the channel.
#[derive(Debug)]
pub(crate) struct Act<'a> {
    /// The order's number in the book.
    pub(crate) order: i64,
    /// What is to be true at the channel.
    pub(crate) task: &'a Task,
    /// What it may go out in spite of.
    pub(crate) leave: Leave,
    /// Whether the channel took something of it before: that is looked for, whatever else there is.
    pub(crate) took: bool,
    /// Whether something of it may be there already: a write was begun for it of which it is not
    /// sure that it came to nothing.
    pub(crate) tried: bool,
    /// Whether it stands in the outbox.
    pub(crate) recorded: bool,
}

/// An order at the channel that may be acted on.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The order as it is now.
    pub(crate) now: RemoteOrder,
    /// What is still missing for the act.
    pub(crate) missing: Outstanding,
}

/// What a look came to.
#[derive(Debug)]
pub(crate) enum Look {
    /// Nothing speaks against it.
    Clear(Box<Seen>),
    /// The merchant is to look first.
    Stopped(Box<Stop>),
}

/// Why an act does not go on.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The version to look at.
    pub(crate) now: RemoteOrder,
    /// What is to be reviewed.
    pub(crate) review: Review,
    /// What of the act is at the channel already, by its receipts.
    pub(crate) claimed: Vec<String>,
    /// There is nothing left for the act to do, and nothing of it is there: others have shipped it.
    pub(crate) moot: bool,
}

/// What a dispatch or a cancellation must be reviewed for first.
#[derive(Debug)]
pub(crate) struct Review {
    /// What differs from the version that the merchant last imported or accepted.
    pub(crate) differences: Vec<Difference>,
    /// The refusal, fit to be shown.
    pub(crate) error: Error,
}

/// Reads the order as it is at the channel now.
pub(crate) fn read(open: &OpenStore, remote_id: &str) -> Result<RemoteOrder> {
    open.channel.order(remote_id)?.ok_or_else(|| open.channel.no_order(remote_id))
}

/// Reads the order, holds it against the version that the merchant last saw, and asks the adapter
/// only then: an order that changed is told as that, not as what the change makes impossible.
pub(crate) fn look(book: &Book, open: &OpenStore, act: &Act<'_>) -> Result<Look> {
    let now = read(open, &act.task.remote_id)?;
    is_of_now(book, open, act, &now)?;
    plan(book, open, act, now)
}

/// A replica or a cache that lags behind shows an order as it was: nothing is decided by what is
/// older than what was shown before. Where that bears a time that has not come yet, a clock was set
/// back since, and only what is in the book as well is known to be older.
///
/// # Errors
/// `Temporary`, and nothing goes out, but for who goes on with the version in the book anyway.
fn is_of_now(book: &Book, open: &OpenStore, act: &Act<'_>, now: &RemoteOrder) -> Result<()> {
    let Ok(order) = &now.order else { return Ok(()) };
    // What the channel took is only looked for, and an old state shows just that it is not there
    // yet.
    let shown = book.shown(act.order)?;
    let known = shown.last().copied().filter(|_| act.leave.guard == Guard::Check && !act.took);
    let Some(known) = known.filter(|known| order.updated_at < *known) else { return Ok(()) };
    if book.present(open.channel.now()).is_ahead(known) && !shown.contains(&order.updated_at) {
        return Ok(());
    }
    let text = format!(
        "the channel shows order {} as it was before {}, which it has shown already; nothing was sent",
        act.order,
        crate::clock::rfc3339(known)
    );
    let hint = format!("{AGAIN}; ordersync retry book:{} does so now", act.order);
    Err(Error::new(ErrorKind::Temporary, text).hint(hint))
}

/// The same for an order that was read just now.
fn plan(book: &Book, open: &OpenStore, act: &Act<'_>, now: RemoteOrder) -> Result<Look> {
    let (found, state) = match readable(act.order, &now, act.leave.guard)? {
        Some(now) => hold(book, open, act, now)?,
        None => (Vec::new(), None),
    };
    if found.is_empty() && state.is_none() {
        let missing = missing(open, act.task, act.leave.guard, &now)?;
        if let Some(error) = another_parcel(book, act, &now, &missing)? {
            let review = Review { differences: Vec::new(), error };
            return Ok(Look::Stopped(Box::new(Stop { now, review, claimed: missing.claimed, moot: false })));
        }
        return Ok(match no_longer_left(act, &now, &missing) {
            None => Look::Clear(Box::new(Seen { now, missing })),
            Some(error) => {
                let moot = missing.claimed.is_empty();
                let review = Review { differences: Vec::new(), error };
                Look::Stopped(Box::new(Stop { now, review, claimed: missing.claimed, moot }))
            }
        });
    }
    let shipped_only = state.is_none() && found.iter().all(|difference| difference.aspect == Field::Shipped);
    // What an attempt before this one has reached is there, whatever else changed; and what was
    // shipped may be this very act.
    let missing = if shipped_only || act.tried {
        missing(open, act.task, act.leave.guard, &now)
    } else {
        Ok(Outstanding::default())
    };
    let missing = match missing {
        // What cannot be done is because of what changed, and that is the better reason.
        Err(error) if is_about_the_order(&error) => Outstanding::default(),
        other => other?,
    };
    let reached = act.tried && missing.is_nothing();
    if !missing.claimed.is_empty() && (shipped_only || reached) {
        return Ok(Look::Clear(Box::new(Seen { now, missing })));
    }
    let review = match state {
        Some(error) if found.iter().all(|difference| difference.aspect == Field::Shipped) => {
            Review { differences: found, error }
        }
        _ => {
            let rejected = is_rejected(book, open, act, &now, &found)?;
            review(act, found, rejected)
        }
    };
    Ok(Look::Stopped(Box::new(Stop { now, review, claimed: missing.claimed, moot: false })))
}

/// Why an act does not go on with its further writes, the order being as it was read after the
/// ones before.
///
/// # Errors
/// `Unreadable` where the order cannot be read.
pub(crate) fn forbids_more(open: &OpenStore, act: &Act<'_>, now: &RemoteOrder) -> Result<Option<Error>> {
    let why = readable(act.order, now, act.leave.guard)?.and_then(|now| forbids(open, act, now));
    Ok(why.map(|why| {
        let text = why.message().replace("nothing was sent", "nothing more was sent");
        Error::new(why.kind(), text).hint(why.hint_text().unwrap_or_default())
    }))
}

/// What is still to be written, the order being as it is now. Of a dispatch that is there, an order
/// that is cancelled is not closed over that, but by force.
pub(crate) fn missing(open: &OpenStore, task: &Task, guard: Guard, now: &RemoteOrder) -> Result<Outstanding> {
    let missing = of_lines_there(open, task, now)?;
    let is_gone = now.order.as_ref().is_ok_and(|order| order.is_gone());
    let is_there = missing.is_all_there && !missing.claimed.is_empty();
    if is_gone && is_there && guard != Guard::Force {
        return Ok(Outstanding { claimed: missing.claimed, is_all_there: true, ..Outstanding::default() });
    }
    Ok(missing)
}

/// A line that the channel's order does not have any more is left out: who goes on after the guard
/// has accepted that, or has sent it on the merchant's own account, and there is no such line to be
/// told of.
fn of_lines_there(open: &OpenStore, task: &Task, now: &RemoteOrder) -> Result<Outstanding> {
    let (Goal::Dispatched(shipment), Ok(order)) = (&task.goal, &now.order) else {
        return open.outstanding(task, now);
    };
    let is_there = |line: &&LineQuantity| order.lines.iter().any(|there| there.remote_id == line.line_id);
    let lines: Vec<LineQuantity> = shipment.lines.iter().filter(is_there).cloned().collect();
    if lines.len() == shipment.lines.len() {
        return open.outstanding(task, now);
    }
    if lines.is_empty() {
        let text = "the order has nothing of this dispatch at the channel any more; nothing was sent";
        return Err(
            Error::new(ErrorKind::Refused, text).hint("ordersync outbox --withdraw ROW takes the dispatch back")
        );
    }
    let goal = Goal::Dispatched(Shipment { lines, ..shipment.clone() });
    open.outstanding(&Task { goal, ..task.clone() }, now)
}

/// Why nothing more goes out where the order has not so many pieces left at the channel, whatever
/// the merchant has accepted: a write whose answer was lost may be what was shipped, or somebody
/// else has shipped it since. Who insists has the check switched off, but for pieces that some
/// channels would take without a look at what was ordered.
fn no_longer_left(act: &Act<'_>, now: &RemoteOrder, missing: &Outstanding) -> Option<Error> {
    let now = now.order.as_ref().ok().filter(|_| !act.took)?;
    if act.leave.guard != Guard::Check {
        return too_many(act.order, missing);
    }
    // Shipped without a word of what: then the merchant has seen it, or it came while the answer to
    // a write was lost.
    let untold = act.tried && now.status == Status::Shipped && !missing.pieces.is_empty();
    if !untold && missing.excess.is_none() {
        return None;
    }
    too_many(act.order, missing).or_else(|| {
        let order = act.order;
        let text = format!("order {order} has not so many pieces left to ship at the channel; nothing more was sent");
        Some(Error::new(ErrorKind::Refused, text)
            .hint(format!("ordersync show book:{order} lists what was shipped; ordersync dispatch book:{order} ... --as-local ships it all the same")))
    })
}

/// Why a dispatch does not go out where the channel shows a parcel that is none of ours, and nothing
/// of what is in it: some plugins and programs add a number and leave the status as it is, so all of
/// the order may have left.
fn another_parcel(book: &Book, act: &Act<'_>, now: &RemoteOrder, missing: &Outstanding) -> Result<Option<Error>> {
    let (Goal::Dispatched(shipment), Ok(there)) = (&act.task.goal, &now.order) else { return Ok(None) };
    let untold = |one: &&RemoteShipment| one.lines.is_empty() && !one.parcels.is_empty();
    // Where the pieces that were sent are counted beside the parcels, it is told what is left.
    let is_told = there.shipments.iter().any(RemoteShipment::is_count);
    let is_over = is_told || matches!(there.status, Status::Shipped | Status::Cancelled);
    if act.leave.guard != Guard::Check || act.took || is_over || !there.shipments.iter().any(|one| untold(&one)) {
        return Ok(None);
    }
    let known = book.order(act.order)?;
    let own = known.shipments.iter().filter(|one| one.own).flat_map(|one| &one.parcels);
    let own: Vec<&Parcel> = own.chain(&shipment.parcels).collect();
    let receipts = [&act.task.receipts, &act.task.others, &missing.claimed];
    let is_ours = |one: &RemoteShipment| {
        let has = |parcel: &Parcel| own.iter().any(|own| same_number(&own.tracking, &parcel.tracking));
        receipts.iter().any(|ids| ids.contains(&one.remote_id)) || one.parcels.iter().any(has)
    };
    let Some(parcel) = there.shipments.iter().filter(untold).find(|one| !is_ours(one)) else { return Ok(None) };
    let order = act.order;
    let text = format!(
        "order {order} has a parcel at the channel that was not dispatched here ({}), and nobody tells what is in it; nothing was sent",
        trackings(&parcel.parcels)
    );
    let hint = format!(
        "if it is all of the order, ordersync dispatch book:{order} with its carrier and number takes it over; ordersync dispatch book:{order} ... --as-local ships what you say beside it"
    );
    Ok(Some(Error::new(ErrorKind::Refused, text).hint(hint)))
}

/// Why the writes that are missing are not made, whoever insists: they hold more pieces than are
/// left to ship.
pub(crate) fn too_many(order: i64, missing: &Outstanding) -> Option<Error> {
    let Excess { what, left, wanted, is_cut, .. } = missing.excess.as_ref().filter(|excess| excess.is_exact)?;
    if *is_cut {
        let text = format!(
            "order {order}: the channel took the dispatch and recorded {} of {what}, not {}; nothing more was sent",
            left.normalize(),
            wanted.normalize()
        );
        let hint = "ordersync outbox --withdraw ROW gives back what is not there, to be sent by another dispatch";
        return Some(Error::new(ErrorKind::Refused, text).hint(hint));
    }
    let text = format!(
        "order {order} has {} of {what} left to ship at the channel, not {}: shipped by other means, or given back; nothing more was sent",
        left.normalize(),
        wanted.normalize()
    );
    let hint = format!(
        "ordersync show book:{order} lists what was shipped; ordersync accept book:{order} takes over the channel's version"
    );
    Some(Error::new(ErrorKind::Refused, text).hint(hint))
}

/// Whether an error tells of the order, and not of the way to the channel.
pub(super) fn is_about_the_order(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Rejected | ErrorKind::Unsupported | ErrorKind::NotFound)
}

/// Holds the order against the merchant's version: what must be reviewed before the act, and why
/// nothing goes out whatever was reviewed.
fn hold(book: &Book, open: &OpenStore, act: &Act<'_>, now: &Order) -> Result<(Vec<Difference>, Option<Error>)> {
    let Some(versions) = Versions::read(book, act.order, open.format.as_ref())? else {
        let lost = (act.leave.guard == Guard::Check).then(|| lost(act.order));
        return Ok((Vec::new(), forbids(open, act, now).or(lost)));
    };
    let base = &versions.by;
    // What it does not tell any more was told by the version that the merchant has not accepted
    // yet.
    let newest = versions.newest.as_ref();
    let now = &newest.map_or_else(|| now.clone(), |newest| now.with_known(&People::of(newest)));
    // Another telephone at the same door is no reason to stop a parcel.
    let moved = !same_places(base, &now.with_known(&People::of(base)));
    let matters = |found: &Difference| stops(act, found.aspect) && (found.aspect != Field::Address || moved);
    let found = differences(base, now).into_iter().filter(matters).collect();
    Ok((found, forbids(open, act, now)))
}

/// Without the version that the merchant last saw nothing can be said to be as it was.
fn lost(order: i64) -> Error {
    let text = format!(
        "the book has lost the version of order {order} that you last saw, so it cannot tell what changed at the channel; nothing was sent"
    );
    let hint = format!(
        "ordersync pull book:{order} reads it again; ordersync show book:{order} and ordersync accept book:{order} make it yours"
    );
    Error::new(ErrorKind::Refused, text).hint(hint)
}

/// Whether a difference from the merchant's version must be reviewed before the act.
fn stops(act: &Act<'_>, field: Field) -> bool {
    let (guard, goal) = (act.leave.guard, &act.task.goal);
    match field {
        Field::Cancelled => guard != Guard::Force && matches!(goal, Goal::Dispatched(_)),
        Field::Shipped => guard == Guard::Check && !act.tried && !matches!(goal, Goal::Retracked(_)),
        field => guard == Guard::Check && matches!(goal, Goal::Dispatched(_)) && field.stops_a_parcel(),
    }
}

/// Why nothing goes out for an order that stands like this at the channel, whatever the merchant
/// has seen and accepted.
fn forbids(open: &OpenStore, act: &Act<'_>, now: &Order) -> Option<Error> {
    let (order, leave) = (act.order, act.leave);
    match &act.task.goal {
        Goal::Dispatched(_) => {}
        Goal::Cancelled(cancellation) => return forbids_cancelling(act, cancellation, now),
        Goal::Retracked(_) => return None,
    }
    if leave.guard == Guard::Force {
        return None;
    }
    let (what, way) = Standing::of(open.store.kind, now).against_telling(leave)?;
    let text = match now.why_held_back() {
        Some(why) => format!("order {order} is held back: {why}; {}", not_sent(act)),
        None => format!("order {order} {what} at the channel ({}); {}", now.channel_status, not_sent(act)),
    };
    let then = if act.recorded { format!(", and ordersync retry book:{order} sends it") } else { String::new() };
    let insist = format!("; ordersync dispatch book:{order} ... {way} ships it all the same");
    let insist = if way.is_empty() { String::new() } else { insist };
    Some(Error::new(ErrorKind::Refused, text).hint(format!("{}{then}{insist}", over_there(order))))
}

/// Why an order of which something is shipped or given back is not cancelled: some channels refuse
/// that by themselves, others would call off what the buyer has.
fn forbids_cancelling(act: &Act<'_>, cancellation: &Cancellation, now: &Order) -> Option<Error> {
    let order = act.order;
    // A cancellation that gives the money back may have begun with that.
    let may_be_own = act.tried && cancellation.refund;
    let (what, first) = match now.status {
        _ if act.leave.guard == Guard::Force => return None,
        Status::Cancelled => return None,
        Status::Shipped => ("is shipped", TAKES_OVER),
        Status::PartiallyShipped => ("is shipped in part", TAKES_OVER),
        _ if !now.shipments.is_empty() => ("is shipped, wholly or in part,", TAKES_OVER),
        _ if may_be_own => return None,
        _ if now.is_given_back() => ("is refunded in full", LISTS_REFUNDS),
        _ if now.totals.refunded > Decimal::ZERO => ("is refunded in part", LISTS_REFUNDS),
        _ => return None,
    };
    let text = format!("order {order} {what} at the channel ({}); nothing was sent", now.channel_status);
    let (command, does) = first;
    let hint = format!(
        "ordersync {command} book:{order} {does}; ordersync cancel book:{order} --force cancels it all the same"
    );
    Some(Error::new(ErrorKind::Refused, text).hint(hint))
}

/// What helps before a cancellation by force: a command, and what it does.
const TAKES_OVER: (&str, &str) = ("accept", "takes over the channel's version");
const LISTS_REFUNDS: (&str, &str) = ("show", "lists what was given back");

/// What is sure of the sending of an act that does not go on.
fn not_sent(act: &Act<'_>) -> &'static str {
    if act.tried { "nothing more was sent" } else { "nothing was sent" }
}

/// Whether all that differs is what the merchant has rejected, and as it was then.
fn is_rejected(
    book: &Book,
    open: &OpenStore,
    act: &Act<'_>,
    now: &RemoteOrder,
    differences: &[Difference],
) -> Result<bool> {
    let rejected = book.circumstances(act.order)?.rejected;
    let (Ok(now), false) = (&now.order, rejected.is_empty()) else { return Ok(false) };
    let Some(versions) = Versions::read(book, act.order, open.format.as_ref())? else { return Ok(false) };
    let is_it = |one: &Difference| rejected.contains(&(one.aspect, mark(&versions.base, now, one.aspect)));
    Ok(differences.iter().all(is_it))
}

/// `rejected`: the merchant has seen it all, and wants none of it.
fn review(act: &Act<'_>, differences: Vec<Difference>, rejected: bool) -> Review {
    let order = act.order;
    let what: Vec<&str> = differences.iter().map(|d| d.aspect.word()).collect();
    let what_is = match rejected {
        true => "is still at the channel as you rejected it",
        false => "changed at the channel since you last saw it",
    };
    let text = format!("order {order} {what_is} ({}); {}", what.join(", "), not_sent(act));
    let on = match act.task.goal {
        Goal::Cancelled(_) => format!("cancel book:{order} --force"),
        Goal::Dispatched(_) if what.contains(&"cancelled") => format!("dispatch book:{order} ... --as-local --force"),
        Goal::Dispatched(_) | Goal::Retracked(_) => format!("dispatch book:{order} ... --as-local"),
    };
    let takes_over = format!("ordersync accept book:{order} takes over the channel's version");
    let goes_on = format!("ordersync {on} goes on with yours");
    let hint = if rejected { format!("{goes_on}; {takes_over}") } else { format!("{takes_over}; {goes_on}") };
    Review { differences, error: Error::new(ErrorKind::Refused, text).hint(hint) }
}

/// The order as it is at the channel now. One that cannot be read cannot be compared either: only
/// force goes on without.
fn readable(order: i64, now: &RemoteOrder, guard: Guard) -> Result<Option<&Order>> {
    match &now.order {
        Ok(now) => Ok(Some(now)),
        Err(_) if guard == Guard::Force => Ok(None),
        Err(why) => {
            let text = format!("order {order} could not be read at the channel ({why}); nothing was sent");
            Err(Error::new(ErrorKind::Unreadable, text)
                .hint("ordersync doctor --bundle collects what a report of this needs"))
        }
    }
}
