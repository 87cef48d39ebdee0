//! A dispatch, from what the merchant says to what became of it.

mod lines;
mod parcels;

use super::Context;
use super::act::{self, Looked, Observer, Pushed};
use super::export::Outcome;
use super::goes_by::Versions;
use super::guard::Seen;
use super::store::OpenStore;
use crate::book::{Book, BookOrder, Guard, Leave, NewDispatch, OutboxRow, OutboxState, Recorded, Store, Way};
use crate::channel::{Capabilities, Goal, Notify, TrackingChange};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Parcel, Shipment, Status, same_carrier, same_number};

pub(crate) use lines::{choose, given_back, returned};

/// When the channel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once; where it can't be reached, with the next sync.
    Now,
    /// With the next sync.
    Later,
    /// Never: what would be written is only said.
    Never,
}

/// A dispatch as the merchant says it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Carriers by name: none, one for all numbers, or one for each.
    pub(crate) carriers: Vec<String>,
    /// The carriers are called so, although one looks like a slip of a name that is known.
    pub(crate) other_carrier: bool,
    /// Tracking numbers, one for each parcel.
    pub(crate) tracking: Vec<String>,
    /// `SKU=QTY` or `#LINE=QTY`; empty for all that is left.
    pub(crate) items: Vec<String>,
    /// The number that the one tracking number takes the place of.
    pub(crate) replaces: Option<String>,
    /// Whether the channel is to tell the buyer, where that is a choice.
    pub(crate) notify: bool,
    /// When the channel is told.
    pub(crate) when: When,
    /// What it may go out in spite of.
    pub(crate) leave: Leave,
}

impl Request {
    /// The parcels, with the carriers' plain names.
    ///
    /// # Errors
    /// `Usage` for what cannot be meant.
    pub(crate) fn parcels(&self, can: &Capabilities, channel: &str) -> Result<Vec<Parcel>> {
        parcels::of(self, can, channel)
    }
}

/// What one dispatch came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The order's number in the book.
    pub(crate) order: i64,
    /// The store and the channel's number: `etsy:1204`.
    pub(crate) name: String,
    /// The state of its outbox row, or `dry-run`.
    pub(crate) state: &'static str,
    /// What happened, in words.
    pub(crate) detail: String,
    /// The writes made, or that would be, in words.
    pub(crate) writes: Vec<String>,
    /// Why it has not arrived.
    pub(crate) error: Option<Error>,
}

impl Done {
    /// Whether the channel has it, as was read back.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.state == OutboxState::Confirmed.word()
    }
}

/// Who asks for a dispatch, and where it is kept.
struct Desk<'a> {
    context: &'a Context,
    observer: &'a dyn Observer,
    request: &'a Request,
}

/// Dispatches an order of the book. An error means that nothing was recorded.
pub(crate) fn dispatch(
    context: &Context,
    book: &mut Book,
    observer: &dyn Observer,
    order: i64,
    request: &Request,
) -> Result<Done> {
    let desk = Desk { context, observer, request };
    act::at_rest(order, || desk.once(book, order))
}

/// What a dispatch may go out in spite of, where it is only recorded: a channel that ships nothing that
/// it holds itself, or waits to be paid for, would refuse it at each sync, and nobody asks it now.
fn leave_of_now(open: &OpenStore, order: &BookOrder, when: When, leave: Leave) -> Leave {
    if when != When::Later || (open.store.kind.adapter().ships)(&order.channel_status) {
        return leave;
    }
    // A hold of the merchant's own is another thing.
    Leave { unpaid: false, on_hold: leave.on_hold && order.status != Status::OnHold, ..leave }
}

impl Desk<'_> {
    /// One try; nothing where the order changed while it was looked at: then what was decided by it
    /// is void.
    fn once(&self, book: &mut Book, id: i64) -> Result<Option<Done>> {
        book.release_due()?;
        let order = book.order(id)?;
        let store = store_of(book, &order)?;
        let open = self.context.open(&store)?;
        let request = self.request;
        let capabilities = open.channel.capabilities();
        if let Some(was) = &request.replaces {
            book.refuse_cleared(id)?;
            return self.replace(book, &open, &order, was).map(Some);
        }
        let parcels = request.parcels(&capabilities, &order.channel)?;
        if let Some(earlier) = lines::already(&order, &request.items, &parcels)?.filter(|_| !request.leave.again) {
            lines::refuse_other_carrier(&order, earlier, &parcels, capabilities.replace_tracking)?;
            if earlier.held && request.leave.on_hold {
                return self.let_go(book, &open, &order, earlier).map(Some);
            }
            let error = if earlier.held { act::held(order.id) } else { act::not_confirmed(order.id, "dispatch") };
            let error = Some(error);
            let error = error.filter(|_| request.when != When::Later && earlier.state != OutboxState::Confirmed);
            return Ok(Some(Done { error, ..recorded_already(&order, earlier) }));
        }
        book.refuse_cleared(id)?;
        let shipment = self.shipment(&order, &capabilities, parcels)?;
        if !request.leave.again {
            lines::refuse_known_number(&order, &shipment)?;
        }
        let mut leave = Leave { unpaid: request.leave.unpaid || ships_unpaid(&store, &order), ..request.leave };
        let way = Way::Dispatch { named: !request.items.is_empty() };
        if let Err(error) = book.may_go_out(id, way, leave_of_now(&open, &order, request.when, leave)) {
            // What is only recorded asks nobody.
            let keeps = request.when == When::Now;
            let asks = request.when != When::Later;
            if !asks || !act::is_released(book, self.observer, &open, &order, keeps)? {
                return Err(error);
            }
            if keeps {
                return Ok(None);
            }
            // A rehearsal goes on as if that were in the book.
            leave.on_hold = true;
            book.may_go_out(id, way, leave)?;
        }
        if let Some(at) = order.not_before {
            let at = crate::clock::rfc3339(at);
            self.observer
                .note(&format!("order {} is in its waiting time until {at}; it goes out as you say", order.id));
        }
        if let Some(versions) = Versions::read(book, id, open.format.as_ref())? {
            let named = |error: Error| error.rename_in_hint("ORDER", &format!("book:{id}"));
            open.channel.may_dispatch(&versions.by, &shipment).map_err(named)?;
        }
        let goal = Goal::Dispatched(shipment);
        if request.when == When::Later {
            let recorded = self.record(book, &order, &goal, leave)?;
            return Ok(recorded.map(|_| done(&order, "queued", "recorded; the next sync tells the channel")));
        }
        let rehearsal = request.when == When::Never;
        match act::look(book, self.observer, &open, &order, &goal, leave) {
            Ok(Looked::Moved) => Ok(None),
            Ok(Looked::Clear(seen)) if rehearsal => Ok(Some(rehearsed(&order, &seen))),
            Ok(Looked::Clear(seen)) => match self.record(book, &order, &goal, leave)? {
                None => Ok(None),
                Some((row, event)) => self.push(book, &open, &order, row, Some((*seen, event))).map(Some),
            },
            Err(error) if rehearsal => Err(error),
            // What speaks against it may be another command's dispatch, begun since the order was
            // read here: then it is looked at anew.
            Err(error) if error.kind() == ErrorKind::Refused && book.order(id)?.outbox.len() != order.outbox.len() => {
                Ok(None)
            }
            Err(error) if matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Unknown) => {
                let detail = "recorded; the channel cannot be reached now, the next sync tells it";
                let recorded = self.record(book, &order, &goal, leave)?;
                Ok(recorded.map(|_| Done { error: Some(error), ..done(&order, "queued", detail) }))
            }
            Err(error) => Err(error),
        }
    }

    /// An earlier dispatch that waits because the order is on hold here: the merchant lets it go.
    fn let_go(&self, book: &mut Book, open: &OpenStore, order: &BookOrder, earlier: &OutboxRow) -> Result<Done> {
        let rehearsal = self.request.when == When::Never;
        book.let_go(earlier.id, rehearsal)?;
        if rehearsal {
            return Ok(done(
                order,
                "dry-run",
                "recorded already, and on hold here: it would go out; nothing was written",
            ));
        }
        if self.request.when == When::Later {
            let detail = "recorded already; the next sync tells the channel in spite of the hold";
            return Ok(done(order, earlier.state.word(), detail));
        }
        self.push(book, open, order, earlier.id, None)
    }

    /// Another tracking number for a parcel that is on its way (D-5).
    fn replace(&self, book: &mut Book, open: &OpenStore, order: &BookOrder, was: &str) -> Result<Done> {
        let can = open.channel.capabilities();
        if !can.replace_tracking {
            let text = format!(
                "{} takes no other tracking number for a shipment; nothing was recorded or sent",
                order.channel
            );
            return Err(Error::new(ErrorKind::Unsupported, text).hint("change it in the channel's own pages"));
        }
        let parcels = self.request.parcels(&can, &order.channel)?;
        let [parcel] = parcels.as_slice() else {
            let text = "--replaces takes the place of one number, so give one --tracking; nothing was recorded";
            return Err(Error::new(ErrorKind::Usage, text).hint("--replaces OLD --tracking NEW"));
        };
        let known = order.shipments.iter().flat_map(|shipment| &shipment.parcels).find(|parcel| parcel.tracking == was);
        let Some(known) = known else {
            let text = format!("order {} has no tracking number {was}; nothing was recorded or sent", order.id);
            return Err(
                Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{} lists them", order.id))
            );
        };
        let mut parcel = parcel.clone();
        if parcel.carrier.is_empty() {
            parcel.carrier.clone_from(&known.carrier);
        }
        if same_number(&parcel.tracking, was) {
            if same_carrier(&parcel.carrier, &known.carrier) {
                let text = format!(
                    "--tracking and --replaces are the same number, {was}, of the same carrier; nothing was recorded or sent"
                );
                return Err(Error::new(ErrorKind::Usage, text)
                    .hint("--replaces OLD --tracking NEW; or --replaces OLD --tracking OLD --carrier NEW"));
            }
            parcel.tracking.clone_from(&known.tracking);
        }
        self.tell_who_decides(&can);
        let change = TrackingChange {
            shipment: String::new(),
            was: was.to_owned(),
            parcel,
            notify: self.request.notify,
            before: Some(known.clone()),
        };
        if self.request.when == When::Never {
            let leave = Leave::of_no_dispatch(Guard::Check);
            let seen = act::look(book, self.observer, open, order, &Goal::Retracked(change), leave)?;
            let Looked::Clear(seen) = seen else { return Err(act::restless(order.id)) };
            return Ok(rehearsed(order, &seen));
        }
        self.observer.keeps();
        let row = book.record_retracking(order.id, &change)?;
        crate::crash::point("after-record");
        if self.request.when == When::Later {
            return Ok(done(order, "queued", "recorded; the next sync tells the channel"));
        }
        self.push(book, open, order, row, None)
    }

    /// What the shop does by itself is no reason to send nothing.
    fn tell_who_decides(&self, can: &Capabilities) {
        if !self.request.notify && can.notify == Notify::ShopDecides {
            self.observer
                .note("this shop's own settings decide whether the buyer is told; --no-notify changes nothing there");
        }
    }

    /// What goes out: the lines wanted, or all that is left, and the parcels.
    fn shipment(&self, order: &BookOrder, can: &Capabilities, parcels: Vec<Parcel>) -> Result<Shipment> {
        let (lines, completes) = lines::choose(order, &self.request.items, can.replace_tracking)?;
        if !parcels.is_empty() && !order.lines.is_empty() && !order.lines.iter().any(|line| line.ships) {
            return Err(needs_no_parcel(order));
        }
        let unclear = order.unclear_words();
        if let Some((text, hint)) = unclear.as_ref().filter(|_| !can.partial) {
            let text = format!("order {}: {text}; nothing was recorded or sent", order.id);
            return Err(Error::new(ErrorKind::Refused, text).hint(hint.clone()));
        }
        if let Some((text, hint)) = &unclear {
            self.observer.note(&format!("{text}: {hint}"));
        }
        if !completes && !can.partial {
            let text =
                format!("{} cannot record a part of an order as shipped; nothing was recorded or sent", order.channel);
            return Err(Error::new(ErrorKind::Unsupported, text)
                .hint(format!("dispatch the order when all of it ships{}", can.for_parts)));
        }
        if parcels.len() > 1 && !can.several_parcels {
            let text =
                format!("{} takes one tracking number for a shipment; nothing was recorded or sent", order.channel);
            return Err(Error::new(ErrorKind::Unsupported, text)
                .hint("give one --tracking, and enter the other numbers in the channel's own pages"));
        }
        refuse_silence(self.request.notify, can, &order.channel)?;
        self.tell_who_decides(can);
        Ok(Shipment {
            key: crate::http::sign::nonce()?,
            shipped_at: self.context.clock.now(),
            lines,
            parcels,
            notify: self.request.notify,
            completes,
            counted: order.sent_by_others(),
        })
    }

    /// Records the dispatch: from here on it is not forgotten, whatever happens. Gives its row and
    /// the order's last event; nothing where the order has changed since it was read.
    fn record(&self, book: &mut Book, order: &BookOrder, goal: &Goal, leave: Leave) -> Result<Option<(i64, i64)>> {
        let Goal::Dispatched(shipment) = goal else {
            return Err(Error::new(ErrorKind::Failed, "this is not a dispatch"));
        };
        self.observer.keeps();
        let named = !self.request.items.is_empty();
        let new = NewDispatch { order: order.id, seen: order.last_event, shipment, leave, named };
        match book.record_dispatch(&new)? {
            Recorded::Row(row, event) => {
                crate::crash::point("after-record");
                Ok(Some((row, event)))
            }
            Recorded::Moved | Recorded::Local | Recorded::Already(_) => Ok(None),
        }
    }

    fn push(
        &self,
        book: &mut Book,
        open: &OpenStore,
        order: &BookOrder,
        row: i64,
        seen: Option<(Seen, i64)>,
    ) -> Result<Done> {
        let _telling = self.observer.telling(&open.store.name);
        let (state, pushed) = act::push_row(self.context, book, open, row, seen)?;
        if let Some(why) = pushed.why_not() {
            let error = Some(act::not_confirmed(order.id, "dispatch"));
            return Ok(Done { error, ..done(order, state, &format!("recorded; {why}")) });
        }
        let Pushed::Tried(outcome) = pushed else { return Ok(done(order, state, "recorded")) };
        Ok(match outcome {
            Outcome::TakenBack => {
                let error = Some(act::taken_back(order.id, "dispatch"));
                Done { error, ..done(order, state, "taken back by another command") }
            }
            Outcome::Confirmed { wrote } if wrote.is_empty() => {
                done(order, state, "the channel had it already; nothing was written")
            }
            Outcome::Confirmed { wrote } => Done { writes: wrote, ..done(order, state, "confirmed by the channel") },
            Outcome::Unheard(error) => Done { error: Some(error), ..done(order, state, "the channel has it") },
            Outcome::Waiting(error) | Outcome::Pending(error) => {
                let detail = format!("recorded; {}", act::standing(state));
                Done { error: Some(error), ..done(order, state, &detail) }
            }
            Outcome::Refused(error) => {
                let went_out = book.outbox_row(row)?.is_some_and(|row| row.may_be_there);
                let detail = match went_out {
                    true => "refused in part; what went out before stays recorded",
                    false => "refused; the order is as it was before",
                };
                Done { error: Some(error), ..done(order, state, detail) }
            }
        })
    }
}

/// A channel that tells the buyer of each shipment takes none in silence.
fn refuse_silence(notify: bool, can: &Capabilities, channel: &str) -> Result<()> {
    if notify || can.notify != Notify::Always {
        return Ok(());
    }
    let text = format!(
        "{channel} tells the buyer of each shipment, so --no-notify cannot be kept; nothing was recorded or sent"
    );
    Err(Error::new(ErrorKind::Unsupported, text).hint(
        "dispatch without --no-notify; or mark the order as shipped in the channel's own pages and ordersync accept it",
    ))
}

/// The connected store of an order.
///
/// # Errors
/// `NotFound` where its store is connected no more.
pub(crate) fn store_of(book: &Book, order: &BookOrder) -> Result<Store> {
    book.store(&order.store)?.ok_or_else(|| {
        let text = format!("{} is disconnected; nothing was done", order.store);
        Error::new(ErrorKind::NotFound, text)
            .hint(format!("ordersync connect {} takes it and its orders up again", order.channel))
    })
}

/// The same order, lines, quantities and numbers as in a dispatch of before: it is that one (D-3).
fn recorded_already(order: &BookOrder, earlier: &OutboxRow) -> Done {
    let way = match earlier.state {
        OutboxState::Confirmed => String::new(),
        _ if earlier.held => format!("; {}", act::ON_HOLD),
        state => format!("; {}", act::standing(state.word())),
    };
    // Of what is shipped whole no second box can be told: the pieces in it would be more than were
    // ordered.
    let again = if lines::is_open(order) { ". --again says that another box really went out" } else { "" };
    let detail = format!("recorded already, nothing was sent{way}{again}");
    done(order, earlier.state.word(), &detail)
}

fn rehearsed(order: &BookOrder, seen: &Seen) -> Done {
    let writes = seen.missing.writes.iter().map(|write| write.summary.clone()).collect();
    Done { writes, ..done(order, "dry-run", "nothing was written") }
}

fn needs_no_parcel(order: &BookOrder) -> Error {
    let text = format!(
        "order {} needs no parcel: it is picked up, downloaded or sent by others; nothing was recorded or sent",
        order.id
    );
    Error::new(ErrorKind::Refused, text).hint(format!(
        "ordersync dispatch book:{} without a carrier and a number says at the channel that it is done",
        order.id
    ))
}

/// Whether the order is paid in a way that the merchant ships before the money comes (D-9).
fn ships_unpaid(store: &Store, order: &BookOrder) -> bool {
    let methods = store.values.get("unpaid_methods").map_or("", String::as_str);
    let is = |method: &str, name: &str| !name.trim().is_empty() && method.eq_ignore_ascii_case(name.trim());
    methods
        .split(',')
        .map(str::trim)
        .any(|method| is(method, &order.payment.method) || is(method, &order.payment.title))
}

fn done(order: &BookOrder, state: &'static str, detail: &str) -> Done {
    Done {
        order: order.id,
        name: format!("{}:{}", order.store, order.number),
        state,
        detail: detail.to_owned(),
        writes: Vec::new(),
        error: None,
    }
}
