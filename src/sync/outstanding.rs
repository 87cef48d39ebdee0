//! What is still to be written to reach a goal: the adapter says what its records would be and what
//! is shown, the core matches the two, and the adapter turns what is left into writes.

use std::time::Duration;

use crate::channel::matching::{self, Claim, Matched};
use crate::channel::{Channel, Goal, RemoteOrder, Step, Task, TrackingChange, Write};
use crate::error::Result;
use crate::order::{LineQuantity, Shipment, Status};

/// How soon to look again for what the channel took and does not show.
const UNSEEN: Duration = Duration::from_millis(300);

/// What is still missing at the channel.
#[derive(Debug, Clone, Default)]
pub struct Outstanding {
    /// The writes that are missing, in the order in which they must happen. Empty: nothing to
    /// write.
    pub writes: Vec<Write>,
    /// The channel has taken the writes but is still at work; look again after this pause.
    pub wait: Option<Duration>,
    /// Records that the channel shows and that are this task's. They become its receipts.
    pub(crate) claimed: Vec<String>,
    /// The pieces that the writes would ship.
    pub(crate) pieces: Vec<LineQuantity>,
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
        Self { writes, wait, claimed, pieces: Vec::new() }
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
        Goal::Retracked(change) => tracking(channel, now, change),
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
    let since = shipment.shipped_at - plan.behind;
    let claim = Claim { mark: &plan.mark, receipts: &task.receipts, others: &task.others, since };
    let mut found = matching::matched(&plan.parts, &plan.shown, &claim);
    for look in &plan.further {
        if !found.is_short() {
            break;
        }
        plan.shown.append(&mut look(&plan.shown, &found)?);
        found = matching::matched(&plan.parts, &plan.shown, &claim);
    }
    // What the channel has acknowledged and does not show yet may be what seems to be missing: it
    // is looked for, not made again.
    if found.is_short() && !found.unseen.is_empty() {
        return Ok(Outstanding::of(Step::Wait(UNSEEN), found.claimed));
    }
    let step = (plan.step)(&plan.shown, &found)?;
    let pieces = pieces(shipment, &found, &step);
    Ok(Outstanding { pieces, ..Outstanding::of(step, found.claimed) })
}

/// An entry or a note tells of no pieces: one that is missing is told for all of them.
fn pieces(shipment: &Shipment, found: &Matched, step: &Step) -> Vec<LineQuantity> {
    let pieces = found.pieces();
    match step {
        Step::Write(_) if pieces.is_empty() && found.claimed.is_empty() => shipment.lines.clone(),
        _ => pieces,
    }
}

fn tracking(channel: &dyn Channel, now: &RemoteOrder, change: &TrackingChange) -> Result<Outstanding> {
    let plan = channel.plan_tracking(now, change)?;
    let (old, new) = matching::to_retrack(&plan.shown, change)?;
    let step = Step::of((plan.writes)(&old, !new.is_empty())?);
    let claimed = new.into_iter().filter_map(|place| plan.shown.get(place)).map(|record| record.id.clone());
    Ok(Outstanding::of(step, claimed.collect()))
}
