//! What is still to be written to reach a goal: the adapter says what its records would be and what
//! is shown, the core matches the two, and the adapter turns what is left into writes.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::channel::matching::{self, Claim, Matched, Record};
use crate::channel::{Channel, DispatchPlan, Goal, RemoteOrder, Step, Task, TrackingChange, Write};
use crate::error::Result;
use crate::order::pieces::{Back, Pieces, Sent, given_back_by};
use crate::order::{Line, LineQuantity, Order, Shipment, Status, sum};

/// How soon to look again for what the channel took and does not show.
const UNSEEN: Duration = Duration::from_millis(300);

/// What is still missing at the channel.
#[derive(Debug, Clone, Default)]
pub struct Outstanding {
    /// The writes that are missing, in the order in which they must happen. Empty: nothing to
    /// write.
    pub writes: Vec<Write>,
    /// All else being there, what nothing shows to be missing or made.
    pub(crate) traceless: Vec<Write>,
    /// The channel has taken the writes but is still at work; look again after this pause.
    pub wait: Option<Duration>,
    /// Records that the channel shows and that are this task's. They become its receipts.
    pub(crate) claimed: Vec<String>,
    /// The pieces that the writes would ship.
    pub(crate) pieces: Vec<LineQuantity>,
    /// All parts of a dispatch are there: what is still written only closes the order.
    pub(crate) is_all_there: bool,
    /// The first line of which these are more than is left there.
    pub(crate) excess: Option<Excess>,
}

/// More pieces of a line than are left to ship at the channel: by what the order says and by what
/// is shown of its shipments, whichever is less. What was given back is not left. Or more than the
/// channel has recorded of what it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excess {
    /// The line's SKU, or its name.
    pub(crate) what: String,
    /// How many are left.
    pub(crate) left: Decimal,
    /// How many would be shipped.
    pub(crate) wanted: Decimal,
    /// The writes hold just these pieces, and some channels take any number of them. Else they tell
    /// of the whole dispatch, whatever of it is there.
    pub(crate) is_exact: bool,
    /// The channel took the dispatch and recorded fewer of them.
    pub(crate) is_cut: bool,
}

impl Outstanding {
    /// The goal is reached.
    pub(crate) fn is_nothing(&self) -> bool {
        self.writes.is_empty() && self.wait.is_none()
    }

    fn of(step: Step, claimed: Vec<String>) -> Self {
        let (writes, wait) = match step {
            Step::Nothing => (Vec::new(), None),
            Step::Write(writes) => (writes, None),
            Step::Wait(pause) => (Vec::new(), Some(pause)),
        };
        Self { writes, wait, claimed, ..Self::default() }
    }
}

/// What is missing for the task, the order being as in `now`, which was read just now and which the
/// merchant may ship or cancel as it stands. Writes nothing.
///
/// # Errors
/// `Refused` or `Unsupported` for what the channel would surely refuse, naming what can go instead.
pub fn outstanding(channel: &dyn Channel, task: &Task, now: &RemoteOrder) -> Result<Outstanding> {
    match &task.goal {
        Goal::Dispatched(shipment) => dispatch(channel, task, now, shipment),
        Goal::Retracked(change) => tracking(channel, task, now, change),
        Goal::Cancelled(_) if now.order.as_ref().is_ok_and(|order| order.status == Status::Cancelled) => {
            Ok(Outstanding::default())
        }
        Goal::Cancelled(cancellation) => {
            Ok(Outstanding::of(channel.cancel(now, cancellation, &task.receipts)?, Vec::new()))
        }
    }
}

fn dispatch(channel: &dyn Channel, task: &Task, now: &RemoteOrder, shipment: &Shipment) -> Result<Outstanding> {
    let mut plan = channel.plan_dispatch(now, shipment, &task.receipts)?;
    let mut found = looked_for(&mut plan, task, shipment)?;
    let order = now.order.as_ref().ok();
    found.completes = order.map_or(shipment.completes, |order| completes(order, &plan.shown, &found, task, shipment));
    // What the channel has acknowledged and does not show yet may be what seems to be missing: it
    // is looked for, not made again.
    if found.is_short() && !found.unseen.is_empty() {
        return Ok(Outstanding::of(Step::Wait(UNSEEN), found.claimed));
    }
    let step = (plan.step)(&plan.shown, &found)?;
    let (is_exact, pieces) = (!found.pieces().is_empty(), pieces(shipment, &found, &step));
    let excess =
        order.and_then(|order| cut(order, &found, shipment).or_else(|| excess(order, &plan.shown, &pieces, is_exact)));
    let is_all_there = !found.is_short();
    Ok(Outstanding { pieces, is_all_there, excess, ..Outstanding::of(step, found.claimed) })
}

/// What of the dispatch the channel shows.
fn looked_for(plan: &mut DispatchPlan<'_>, task: &Task, shipment: &Shipment) -> Result<Matched> {
    let since = shipment.shipped_at - plan.behind;
    let (mark, receipts, others, counted) = (&plan.mark, &task.receipts, &task.others, &shipment.counted);
    let claim = Claim { mark, receipts, others, counted, since };
    let mut found = matching::matched(&plan.parts, &plan.shown, &claim);
    for look in &plan.further {
        if !found.is_short() {
            break;
        }
        plan.shown.append(&mut look(&plan.shown, &found)?);
        found = matching::matched(&plan.parts, &plan.shown, &claim);
    }
    Ok(found)
}

/// The pieces of a dispatch that are not at the channel, whether or not they can go there; none
/// where that is not known: it has not shown yet what it took, or its records tell of no pieces.
pub(crate) fn not_there(
    channel: &dyn Channel,
    task: &Task,
    now: &RemoteOrder,
    shipment: &Shipment,
) -> Result<Vec<LineQuantity>> {
    let mut plan = channel.plan_dispatch(now, shipment, &task.receipts)?;
    let found = looked_for(&mut plan, task, shipment)?;
    Ok(if found.unseen.is_empty() { found.pieces() } else { Vec::new() })
}

/// Whether the channel shows nothing of a dispatch, however the order stands there by now.
pub(crate) fn shows_nothing(channel: &dyn Channel, task: &Task, now: &RemoteOrder) -> Result<bool> {
    let (Goal::Dispatched(shipment), Ok(order)) = (&task.goal, &now.order) else { return Ok(false) };
    let mut plan = channel.plan_dispatch(now, shipment, &task.receipts)?;
    let found = looked_for(&mut plan, task, shipment)?;
    // What has no record of its own shows in the order alone.
    let is_sent = matches!(order.status, Status::Shipped | Status::PartiallyShipped) || !order.shipments.is_empty();
    let is_short = if plan.parts.is_empty() { !is_sent } else { found.left.iter().all(Option::is_some) };
    Ok(is_short && found.claimed.is_empty() && found.unseen.is_empty())
}

/// An entry or a note tells of no pieces: one that is missing is told for all of them.
fn pieces(shipment: &Shipment, found: &Matched, step: &Step) -> Vec<LineQuantity> {
    let pieces = found.pieces();
    match step {
        Step::Write(_) if pieces.is_empty() && found.claimed.is_empty() => shipment.lines.clone(),
        _ => pieces,
    }
}

/// Whether nothing that ships is left of the order, as it is at the channel now, nor may be, once all
/// of the dispatch is there: by what the channel shows and what of the dispatch is still missing, or
/// by what the book has sent, as not every channel tells of pieces.
fn completes(order: &Order, shown: &[Record], found: &Matched, task: &Task, shipment: &Shipment) -> bool {
    let missing = found.pieces();
    order.lines.iter().filter(|line| line.ships).all(|line| {
        let id = line.remote_id.as_str();
        let known = task.pieces.iter().find(|known| known.line_id == id).cloned().unwrap_or_default();
        let back = given_back(line, &known.back);
        let now = given_back_by(&order.refunds, id, Some(shipment.shipped_at));
        let is_done = |mut sent: Vec<Sent>, more: &[LineQuantity]| {
            sent.push(Sent { quantity: count(more, id), behind: now });
            Pieces::new(line.quantity, &back, &sent).at_most().is_zero()
        };
        is_done(sent_there(order, shown, id), &missing) || is_done(known.sent, &shipment.lines)
    })
}

/// The pieces of a line that were given back, as the channel tells it now. What was given back by hand
/// may be what it tells of by now.
fn given_back(line: &Line, known: &Back) -> Back {
    let more = line.refunded.saturating_sub(known.there).max(Decimal::ZERO);
    Back { by_hand: known.by_hand.saturating_sub(more).max(Decimal::ZERO), said: known.said, ..Back::of(line) }
}

fn excess(order: &Order, shown: &[Record], wanted: &[LineQuantity], is_exact: bool) -> Option<Excess> {
    order.lines.iter().find_map(|line| {
        let id = line.remote_id.as_str();
        let left = can_be_owed(line, sent(order, shown, id));
        let wanted = count(wanted, id);
        (wanted > left).then(|| Excess { what: title(line), left, wanted, is_exact, is_cut: false })
    })
}

/// What the channel has cut off the dispatch without a word: whether the rest is to go out, the
/// merchant says.
fn cut(order: &Order, found: &Matched, shipment: &Shipment) -> Option<Excess> {
    let missing = found.pieces();
    order.lines.iter().filter(|_| found.is_cut).find_map(|line| {
        let id = line.remote_id.as_str();
        let (missing, wanted) = (count(&missing, id), count(&shipment.lines, id));
        let left = wanted.saturating_sub(missing);
        (missing > Decimal::ZERO).then(|| Excess { what: title(line), left, wanted, is_exact: true, is_cut: true })
    })
}

fn title(line: &Line) -> String {
    if line.sku.is_empty() { line.name.clone() } else { line.sku.clone() }
}

/// How many of a line can be owed yet, once so many are sent, whenever that was.
fn can_be_owed(line: &Line, sent: Decimal) -> Decimal {
    Pieces::new(line.quantity, &Back::of(line), &[Sent { quantity: sent, behind: Decimal::ZERO }]).at_most()
}

/// How many of a line are sent at the channel.
fn sent(order: &Order, shown: &[Record], id: &str) -> Decimal {
    sum(sent_there(order, shown, id).iter().map(|sent| sent.quantity))
}

/// What of a line is sent at the channel, by the order or by what is shown of its shipments, whichever
/// is more.
fn sent_there(order: &Order, shown: &[Record], id: &str) -> Vec<Sent> {
    let at = |lines: &[LineQuantity], when| Sent {
        quantity: count(lines, id),
        behind: given_back_by(&order.refunds, id, when),
    };
    let told: Vec<Sent> = order.shipments.iter().map(|one| at(&one.lines, one.shipped_at)).collect();
    let shown = shown.iter().filter(|record| !record.elsewhere && !record.draft);
    let shown: Vec<Sent> = shown.map(|record| at(&record.lines, record.made_at)).collect();
    let all = |sent: &[Sent]| sum(sent.iter().map(|one| one.quantity));
    if all(&shown) > all(&told) { shown } else { told }
}

fn count<'a>(lines: impl IntoIterator<Item = &'a LineQuantity>, id: &str) -> Decimal {
    sum(lines.into_iter().filter(|line| line.line_id == id).map(|line| line.quantity))
}

fn tracking(channel: &dyn Channel, task: &Task, now: &RemoteOrder, change: &TrackingChange) -> Result<Outstanding> {
    let plan = channel.plan_tracking(now, change, &task.receipts)?;
    let (old, new) = matching::to_retrack(&plan, change)?;
    let writes = (plan.writes)(&old, !new.is_empty())?;
    let claimed = new.into_iter().filter_map(|place| plan.shown.get(place)).map(|record| record.id.clone()).collect();
    if writes.iter().all(|write| write.is_traceless) {
        return Ok(Outstanding { traceless: writes, claimed, ..Outstanding::default() });
    }
    Ok(Outstanding::of(Step::of(writes), claimed))
}
