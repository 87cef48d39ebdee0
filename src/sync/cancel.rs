//! A cancellation, from what the merchant says to what became of it.

use rust_decimal::Decimal;

use super::Context;
use super::act::{self, Looked, Observer, Pushed};
use super::dispatch::store_of;
use super::export::Outcome;
use super::guard::Seen;
use super::store::OpenStore;
use super::wishes::{Wish, flags, wishes};
use crate::book::{Book, BookOrder, Guard, Leave, OutboxRow, OutboxState, Recorded};
use crate::channel::{CancelSupport, Cancellation, Cancelling, Goal};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Status, scaled};

/// A cancellation as the merchant says it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Why, for the channel's own record; may be empty.
    pub(crate) reason: String,
    /// Only in the book; the channel is not told.
    pub(crate) local: bool,
    /// The channel is to tell the buyer, where it leaves that to us.
    pub(crate) notify: bool,
    /// The stock goes back, where the channel leaves it to us.
    pub(crate) restock: bool,
    /// The money is given back the way it was paid.
    pub(crate) refund: bool,
    /// Also an order of which something is shipped or given back.
    pub(crate) force: bool,
    /// Nothing is done; what would be written is only said.
    pub(crate) dry_run: bool,
}

impl Request {
    fn wishes(&self) -> Vec<Wish> {
        wishes(self.refund, self.notify, self.restock)
    }
}

/// What a cancellation came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The order's number in the book.
    pub(crate) order: i64,
    /// The store and the channel's number: `etsy:1204`.
    pub(crate) name: String,
    /// The state of its outbox row, `local` or `dry-run`.
    pub(crate) state: &'static str,
    /// What happened, in words.
    pub(crate) detail: String,
    /// What becomes of reason, stock, money and buyer; empty where nothing does.
    pub(crate) effect: String,
    /// The writes that would be made, in words.
    pub(crate) writes: Vec<String>,
    /// Why it has not arrived.
    pub(crate) error: Option<Error>,
}

/// Cancels an order of the book. An error means that nothing was changed.
pub(crate) fn cancel(
    context: &Context,
    book: &mut Book,
    observer: &dyn Observer,
    order: i64,
    request: &Request,
) -> Result<Done> {
    let desk = Desk { context, observer, request };
    act::at_rest(order, || desk.once(book, order))
}

struct Desk<'a> {
    context: &'a Context,
    observer: &'a dyn Observer,
    request: &'a Request,
}

impl Desk<'_> {
    /// One try; nothing where the order changed while it was looked at: then what was decided by it
    /// is void.
    fn once(&self, book: &mut Book, id: i64) -> Result<Option<Done>> {
        let (request, order) = (self.request, book.order(id)?);
        book.refuse_cleared(id)?;
        if request.local {
            refuse_shipped(&order, request)?;
            return self.local(book, &order);
        }
        let open = self.context.open(&store_of(book, &order)?)?;
        // No flag helps where the channel takes none at all.
        let can = supported(&open, &order, request)?;
        refuse_shipped(&order, request)?;
        let goal = Goal::Cancelled(Cancellation {
            reason: request.reason.clone(),
            notify: request.notify,
            restock: request.restock,
            refund: request.refund,
            force: request.force,
            key: crate::http::sign::nonce()?,
        });
        let guard = if request.force { Guard::Force } else { Guard::Check };
        let earlier = is_done(&order);
        if let Some(earlier) = earlier.filter(|_| !order.drifted && !request.dry_run) {
            refuse_what_is_over(&order, Some(earlier), request)?;
            return Ok(Some(done_already(&order, earlier)));
        }
        if request.refund {
            book.may_refund_by_cancelling(id)?;
        }
        let (seen, unreached) = match self.look(book, &open, &order, &goal, guard)? {
            Ok(Looked::Moved) => return Ok(None),
            Ok(Looked::Clear(seen)) => (Some(*seen), None),
            Err(error) => (None, Some(error)),
        };
        // What is under way from here may be what has cancelled it.
        let is_under_way = |row: &OutboxRow| row.state.is_open() && matches!(row.goal, Goal::Cancelled(_));
        let is_cancelled_there = seen.as_ref().is_some_and(|seen| seen.missing.is_nothing());
        if is_cancelled_there && !order.outbox.iter().any(is_under_way) {
            refuse_what_is_over(&order, earlier, request)?;
            if let Some(earlier) = earlier.filter(|_| !request.dry_run) {
                return Ok(Some(done_already(&order, earlier)));
            }
        }
        let effect = Effect::of(&order, seen.as_ref(), request, &can);
        if request.dry_run {
            return Ok(Some(Done { error: unreached, ..rehearsed(&order, seen.as_ref(), &effect) }));
        }
        self.observer.keeps();
        match book.record_cancel(id, order.last_event, Some((&goal, guard)), &request.reason)? {
            Recorded::Moved => Ok(None),
            Recorded::Local => Ok(Some(done(&order, "local", "cancelled in the book only"))),
            // It goes out as it was recorded, not as it was planned now.
            Recorded::Already(row) => self.push(book, &open, &order, &effect, (row, None)).map(Some),
            Recorded::Row(row, event) => {
                crate::crash::point("after-record");
                let seen = seen.map(|seen| (seen, event));
                self.push(book, &open, &order, &effect, (row, seen)).map(Some)
            }
        }
    }

    /// How the order stands at the channel, refused where that speaks against it; or why the channel
    /// can't be reached: then the same check is made before the push.
    fn look(
        &self,
        book: &mut Book,
        open: &OpenStore,
        order: &BookOrder,
        goal: &Goal,
        guard: Guard,
    ) -> Result<Result<Looked>> {
        match act::look(book, self.observer, open, order, goal, Leave::of_no_dispatch(guard)) {
            Err(error) if !matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Unknown) => Err(error),
            looked => Ok(looked),
        }
    }

    fn push(
        &self,
        book: &mut Book,
        open: &OpenStore,
        order: &BookOrder,
        effect: &Effect,
        (row, seen): (i64, Option<(Seen, i64)>),
    ) -> Result<Done> {
        let _telling = self.observer.telling(&open.store.name);
        let (state, pushed) = act::push_row(self.context, book, open, row, seen)?;
        let waits = pushed.why_not().map(|why| format!("recorded; {why}"));
        let stands = || format!("cancelled here; {}", act::standing(state));
        let (detail, error) = match pushed {
            Pushed::Elsewhere | Pushed::Behind(_) => {
                (waits.unwrap_or_default(), Some(act::not_confirmed(order.id, "cancellation")))
            }
            Pushed::Tried(Outcome::TakenBack) => {
                ("taken back by another command".to_owned(), Some(act::taken_back(order.id, "cancellation")))
            }
            Pushed::Tried(Outcome::Confirmed { wrote }) if wrote.is_empty() && self.request.refund => {
                ("it is cancelled at the channel; whether the money went back, its own pages tell".to_owned(), None)
            }
            Pushed::Tried(Outcome::Confirmed { wrote }) if wrote.is_empty() => {
                ("it was cancelled at the channel already".to_owned(), None)
            }
            Pushed::Tried(Outcome::Confirmed { .. }) if self.request.refund => {
                let back = &effect.money_back;
                let told =
                    format!("cancelled here and at the channel, which {back}; the money goes back the way it was paid");
                (told, None)
            }
            Pushed::Tried(Outcome::Confirmed { .. }) => ("cancelled here and at the channel".to_owned(), None),
            Pushed::Tried(Outcome::Unheard(error)) => ("it is cancelled at the channel".to_owned(), Some(error)),
            Pushed::Tried(Outcome::Waiting(error) | Outcome::Pending(error)) => (stands(), Some(error)),
            Pushed::Tried(Outcome::Refused(error)) => {
                ("not cancelled: the channel refused, or a guard did".to_owned(), Some(error))
            }
        };
        Ok(Done { effect: effect.rest.clone(), error, ..done(order, state, &detail) })
    }

    fn local(&self, book: &mut Book, order: &BookOrder) -> Result<Option<Done>> {
        if self.request.dry_run {
            let detail = format!("would cancel order {} in the book only", order.id);
            return Ok(Some(done(order, "dry-run", &detail)));
        }
        self.observer.keeps();
        if book.record_cancel(order.id, order.last_event, None, &self.request.reason)? == Recorded::Moved {
            return Ok(None);
        }
        let told = "cancelled in the book only; the channel was not told";
        Ok(Some(Done { effect: self.in_its_pages(book, order), ..done(order, "local", told) }))
    }

    /// Where the channel is told, which takes no cancellation from here; nothing of others.
    fn in_its_pages(&self, book: &Book, order: &BookOrder) -> String {
        let open = store_of(book, order).and_then(|store| self.context.open(&store));
        match open.map(|open| open.channel.capabilities().cancel) {
            Ok(CancelSupport::No(pages)) => format!("to cancel it there as well: {pages}"),
            _ => String::new(),
        }
    }
}

fn done(order: &BookOrder, state: &'static str, detail: &str) -> Done {
    Done {
        order: order.id,
        name: format!("{}:{}", order.store, order.number),
        state,
        detail: detail.to_owned(),
        effect: String::new(),
        writes: Vec::new(),
        error: None,
    }
}

/// What a cancellation does beside, in words.
struct Effect {
    /// How much money goes back, and to whom; empty where it is not asked back.
    money_back: String,
    /// What becomes of the rest, and of the money where it is not asked back.
    rest: String,
}

impl Effect {
    fn of(order: &BookOrder, seen: Option<&Seen>, request: &Request, can: &Cancelling) -> Self {
        let money = if request.refund { "" } else { can.money };
        let reason = if request.reason.trim().is_empty() { "" } else { can.reason };
        Self {
            money_back: if request.refund { money_back(order, seen) } else { String::new() },
            rest: joined(&[money, can.effect, reason]),
        }
    }

    fn in_words(&self) -> String {
        joined(&[&self.money_back, &self.rest])
    }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("; ")
}

/// How much money goes back: what is left after the refunds that the channel shows. Beside a
/// refund made by hand none goes back with a cancellation.
fn money_back(order: &BookOrder, seen: Option<&Seen>) -> String {
    let now = seen.and_then(|seen| seen.now.order.as_ref().ok());
    let totals = now.map_or(&order.totals, |now| &now.totals);
    let is_paid = now.map_or(order.paid_at, |now| now.paid_at).is_some();
    let money = |amount| format!("{} {}", scaled(amount, &order.currency), order.currency);
    let left = money(totals.total.saturating_sub(totals.refunded).max(Decimal::ZERO));
    let of = if is_paid { "" } else { "what was paid of " };
    let buyer = if order.buyer.name.trim().is_empty() { &order.buyer.email } else { &order.buyer.name };
    let to = if buyer.trim().is_empty() { String::new() } else { format!(" to {}", buyer.trim()) };
    format!("gives back {of}{left}{to}")
}

/// What a cancellation would write.
fn rehearsed(order: &BookOrder, seen: Option<&Seen>, effect: &Effect) -> Done {
    let (id, store) = (order.id, &order.store);
    let writes = seen.map_or(&[][..], |seen| &seen.missing.writes);
    let detail = match seen {
        None => joined(&[
            &format!("would cancel order {id} in the book, and at {store} as soon as it can be reached"),
            &effect.money_back,
        ]),
        Some(_) if writes.is_empty() => {
            format!("order {id} is cancelled at {store} already; nothing would be written there")
        }
        Some(_) => {
            let effect = effect.in_words();
            let colon = if effect.is_empty() { "" } else { ": " };
            format!("would cancel order {id} at {store}{colon}{effect}")
        }
    };
    Done { writes: writes.iter().map(|write| write.summary.clone()).collect(), ..done(order, "dry-run", &detail) }
}

/// What cancelling does at the channel.
///
/// # Errors
/// `Unsupported` where it takes none, or none like this.
fn supported(open: &OpenStore, order: &BookOrder, request: &Request) -> Result<Cancelling> {
    match open.channel.capabilities().cancel {
        CancelSupport::Yes(can) => {
            refuse_unsupported(order, request, &can)?;
            Ok(can)
        }
        CancelSupport::No(instead) => {
            let text =
                format!("{} takes no cancellation through its API; nothing was changed here or there", order.channel);
            let local = match order.status {
                Status::Cancelled => "",
                Status::Shipped | Status::PartiallyShipped => " --local --force",
                _ => " --local",
            };
            let here = format!("; ordersync cancel book:{}{local} takes it out of your work here", order.id);
            let hint = format!("{instead}{}", if local.is_empty() { "" } else { &here });
            Err(Error::new(ErrorKind::Unsupported, text).hint(hint))
        }
    }
}

/// The cancellation by which the order is cancelled here and, as was read back, was cancelled at
/// its channel.
fn is_done(order: &BookOrder) -> Option<Earlier<'_>> {
    let row = order.outbox.iter().rfind(|row| row.state != OutboxState::Withdrawn)?;
    let cancelled = order.status == Status::Cancelled && row.state == OutboxState::Confirmed;
    match &row.goal {
        Goal::Cancelled(goal) if cancelled => Some(Earlier { row, goal }),
        _ => None,
    }
}

/// A cancellation that was confirmed.
#[derive(Clone, Copy)]
struct Earlier<'a> {
    row: &'a OutboxRow,
    goal: &'a Cancellation,
}

impl Earlier<'_> {
    /// The wishes that the channel has heard with it, or may have heard. Where none of its writes
    /// went out, others have cancelled the order.
    fn wishes(self) -> Vec<Wish> {
        if self.row.may_be_there { wishes(self.goal.refund, self.goal.notify, self.goal.restock) } else { Vec::new() }
    }
}

fn done_already(order: &BookOrder, earlier: Earlier<'_>) -> Done {
    let wishes = earlier.wishes();
    let more = if wishes.is_empty() {
        String::new()
    } else if !earlier.row.took {
        format!("; whether {} was carried out, the channel's own pages tell", flags(&wishes))
    } else if earlier.goal.refund {
        "; the money went back by that, the way it was paid".to_owned()
    } else {
        String::new()
    };
    let detail = format!("cancelled already, here and at the channel{more}. Nothing more was done");
    done(order, OutboxState::Confirmed.word(), &detail)
}

/// An order that is cancelled is not cancelled once more, so what is wished with it would not be
/// heard.
fn refuse_what_is_over(order: &BookOrder, earlier: Option<Earlier<'_>>, request: &Request) -> Result<()> {
    let heard = earlier.map(Earlier::wishes).unwrap_or_default();
    match request.wishes().into_iter().find(|wish| !heard.contains(wish)) {
        None => Ok(()),
        Some(wish) => {
            let text = format!(
                "order {} is cancelled at the channel already, so {} comes too late; nothing was changed here or there",
                order.id,
                wish.flag()
            );
            Err(Error::new(ErrorKind::Refused, text).hint(wish.instead()))
        }
    }
}

fn refuse_shipped(order: &BookOrder, request: &Request) -> Result<()> {
    if order.status == Status::Cancelled && request.local {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("order {} is cancelled already; nothing was changed", order.id),
        ));
    }
    if matches!(order.status, Status::Shipped | Status::PartiallyShipped) && !request.force {
        let text = format!("order {} is {}; nothing was cancelled here or at the channel", order.id, order.status);
        let waits = |row: &&OutboxRow| matches!(row.goal, Goal::Dispatched(_)) && row.state == OutboxState::Queued;
        if let Some(row) = order.outbox.iter().find(waits) {
            let hint = format!(
                "its dispatch has not gone out yet: ordersync outbox --withdraw {} takes it back; add --force if it is to be cancelled all the same",
                row.id
            );
            return Err(Error::new(ErrorKind::Refused, text).hint(hint));
        }
        return Err(Error::new(ErrorKind::Refused, text).hint("add --force if it is to be cancelled all the same"));
    }
    Ok(())
}

/// A change about money, stock or the buyer that the channel would not hear is refused, not
/// dropped.
fn refuse_unsupported(order: &BookOrder, request: &Request, can: &Cancelling) -> Result<()> {
    let is_heard = |wish: &Wish| match wish {
        Wish::Refund => can.refund,
        Wish::Notify => can.notify,
        Wish::NoRestock => can.restock,
    };
    match request.wishes().into_iter().find(|wish| !is_heard(wish)) {
        None => Ok(()),
        Some(wish) => {
            let (flag, instead) = (wish.flag(), wish.instead());
            let text =
                format!("{} takes no {flag} with a cancellation; nothing was changed here or there", order.channel);
            Err(Error::new(ErrorKind::Refused, text).hint(format!("{instead}; then without {flag}")))
        }
    }
}
