//! What becomes of a newer version of an order: pure decisions, no I/O.
//!
//! An imported order is the merchant's working copy. Until it is paid it follows the channel in
//! everything (P-9), also while the channel holds it back: that is no act of the merchant's. After
//! that each field that differs from the version that the merchant last imported or accepted has its
//! own fate, by what the store is set to do.
//!
//! What is decided hangs on that version, the newest one and what the merchant has done, never on
//! the versions between: whatever of them came, and in which order, comes to the same. But for one
//! fact: a hold at the channel that the first one has is over once a version has told so. An order that
//! is cancelled or sent tells nothing of holds, and what it does not tell takes nothing back: the copy
//! stays as it is, by the byte where the store ignores what comes (P-1), and a cancellation finds it as
//! one to be sent (P-3).

use crate::order::{Fate, Field, Local, Mark, Order, People, Policies, Policy, Status, differences};

/// What is known of an order of which a newer version came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    /// What the store does with which change.
    pub(crate) policies: Policies,
    /// The status of the order here, without what newer versions made of it, and without a hold of
    /// the merchant's.
    pub(crate) status: Status,
    /// Whether the merchant holds the order back.
    pub(crate) held: bool,
    /// What the merchant has done to the order: an address that was edited, a parcel, a
    /// cancellation.
    pub(crate) edited: &'a [Field],
    /// The numbers of the merchant's own parcels.
    pub(crate) tracking: &'a [String],
    /// The version that the merchant last imported or accepted.
    pub(crate) base: &'a Order,
    /// The fields of it that are of later versions than the rest.
    pub(crate) accepted: &'a [Field],
    /// What the merchant has rejected, each with what marks its value.
    pub(crate) rejected: &'a [(Field, Mark)],
    /// The name of the channel.
    pub(crate) channel: &'a str,
    /// The newer version.
    pub(crate) incoming: &'a Order,
}

/// What becomes of a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The copy takes it over as a whole, but for what the merchant has edited: this becomes of
    /// each such field that differs.
    Follow(Vec<(Field, Fate)>),
    /// It is kept beside the copy; this becomes of each field that differs, the graver first, and
    /// this is what the merchant is told. Nothing where it says what the merchant's version says.
    Keep(Vec<(Field, Fate)>, Option<Notice>),
}

/// What the merchant is told about a version that is kept beside the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The gravest change.
    pub(crate) field: Field,
    /// One sentence without personal data.
    pub(crate) text: String,
}

/// What marks the value of a field in a newer version; what that does not tell of people any more
/// is as it was.
pub(crate) fn mark(base: &Order, newer: &Order, field: Field) -> Mark {
    field.mark(&newer.with_known(&People::of(base)))
}

/// Decides for one order.
pub(crate) fn decide(case: &Case<'_>) -> Decision {
    let mut found: Vec<Field> = differences(case.base, case.incoming).iter().map(|found| found.aspect).collect();
    if case.is_to_follow() {
        found.retain(|field| field.can_be_edited() && case.edited.contains(field));
        return Decision::Follow(found.into_iter().map(|field| (field, case.fate(field, false))).collect());
    }
    let cancels = found.contains(&Field::Cancelled) && case.fate(Field::Cancelled, false) == Fate::Applied;
    let fates: Vec<(Field, Fate)> = found.into_iter().map(|field| (field, case.fate(field, cancels))).collect();
    let notice = if cancels { None } else { case.notice(&fates) };
    Decision::Keep(fates, notice)
}

impl Case<'_> {
    /// Whether the order waits for its payment, and nobody here has begun with it. The channel's hold
    /// changes nothing of that: one that would be sent without it (authorised, paid later by other
    /// terms) is the merchant's, whether it was first seen before the hold or under it.
    pub(crate) fn is_to_follow(&self) -> bool {
        match self.status {
            Status::AwaitingPayment => true,
            Status::OnHold if self.accepted.contains(&Field::Hold) => false,
            Status::OnHold => self.base.status == Status::OnHold && self.base.is_unpaid(),
            _ => false,
        }
    }

    fn fate(&self, field: Field, cancels: bool) -> Fate {
        let is_own = self.edited.contains(&field);
        match self.policies.of(field) {
            // An unpaid one is a fact as well, but takes nothing back here.
            None if field == Field::Payment && self.is_paid() => Fate::Applied,
            None if field == Field::Payment => Fate::Drift,
            None => Fate::Fact,
            // What the merchant has sent or cancelled comes back as an echo.
            Some(_) if is_own && matches!(field, Field::Shipped | Field::Cancelled) => Fate::Drift,
            Some(_) if field == Field::Cancelled && self.status == Status::Cancelled && self.incoming.is_gone() => {
                Fate::Drift
            }
            // Who may not send it for the channel's part is a fact as well, until it is sent.
            Some(_) if field == Field::Hold && !is_own && self.may_apply(field) => Fate::Applied,
            Some(_) if self.is_rejected(field) => Fate::Rejected,
            Some(Policy::Ignore) => Fate::Drift,
            Some(Policy::Apply) if is_own => Fate::Drift,
            Some(Policy::Apply) if self.may_apply(field) => Fate::Applied,
            // Of a cancelled order nothing else is to be decided.
            Some(_) if field != Field::Cancelled && (cancels || self.status == Status::Cancelled) => Fate::Drift,
            Some(Policy::Apply) if field != Field::Cancelled && self.status == Status::Shipped => Fate::Drift,
            Some(_) => Fate::Review,
        }
    }

    /// Whether the copy takes it over by itself: nobody here has begun with what it is about.
    fn may_apply(&self, field: Field) -> bool {
        use Status::{AwaitingFulfillment, DropshipmentRequested, OnHold, PartiallyShipped};
        match field {
            Field::Cancelled => {
                let is_begun = self.held || !matches!(self.status, AwaitingFulfillment | DropshipmentRequested);
                self.incoming.is_gone() && !is_begun
            }
            Field::Shipped => {
                matches!(self.status, AwaitingFulfillment | DropshipmentRequested | OnHold | PartiallyShipped)
            }
            Field::Archived => false,
            // Of one that was requested a supplier has been told.
            _ => matches!(self.status, AwaitingFulfillment | OnHold),
        }
    }

    /// Whether it is paid at the channel, or to be sent there by terms under which it is paid later.
    fn is_paid(&self) -> bool {
        use Status::{AwaitingFulfillment, AwaitingPayment, PartiallyShipped, Shipped};
        let is_to_be_sent = matches!(self.incoming.status, AwaitingFulfillment | PartiallyShipped | Shipped);
        self.incoming.paid_at.is_some() || (self.base.status == AwaitingPayment && is_to_be_sent)
    }

    fn is_rejected(&self, field: Field) -> bool {
        let is_it =
            |(rejected, value): &(Field, Mark)| *rejected == field && *value == mark(self.base, self.incoming, field);
        self.rejected.iter().any(is_it)
    }

    fn notice(&self, fates: &[(Field, Fate)]) -> Option<Notice> {
        let fate = |field| fates.iter().find(|(found, _)| *found == field).map(|(_, fate)| *fate);
        let waits = |field| fate(field) == Some(Fate::Review);
        if waits(Field::Cancelled) {
            return Some(Notice { field: Field::Cancelled, text: self.cancelled() });
        }
        let is_over = matches!(self.status, Status::Shipped | Status::Cancelled);
        let given_back = fate(Field::Refunded).is_some() && self.incoming.waits_given_back() && !is_over;
        if given_back && !self.is_rejected(Field::Refunded) {
            return Some(Notice { field: Field::Refunded, text: self.incoming.given_back_text() });
        }
        if waits(Field::Shipped) {
            return Some(Notice { field: Field::Shipped, text: self.shipped() });
        }
        // Money for what does not go out is for the merchant to give back, or to send after all.
        let in_vain = self.status == Status::Cancelled && !self.incoming.is_gone() && !self.base.is_gone();
        (in_vain && fate(Field::Payment) == Some(Fate::Applied))
            .then(|| Notice { field: Field::Payment, text: self.paid_in_vain() })
    }

    /// The status as the merchant sees it.
    fn shown(&self) -> Status {
        Local { held: self.held, ..Local::default() }.over(self.status)
    }

    fn cancelled(&self) -> String {
        let (channel, status, word) = (self.channel, self.shown(), &self.incoming.channel_status);
        if !self.incoming.is_gone() {
            return format!("no longer cancelled at {channel} ({word}); it stays {status} here until you decide");
        }
        match self.status {
            Status::Shipped | Status::PartiallyShipped => {
                let numbers = self.tracking.join(", ");
                let tracking =
                    if numbers.is_empty() { "no tracking".to_owned() } else { format!("tracking {numbers}") };
                format!("cancelled at {channel} after dispatch ({word}); {tracking}; it stays {status} here")
            }
            _ => format!("cancelled at {channel} ({word}); it stays {status} here until you decide"),
        }
    }

    fn paid_in_vain(&self) -> String {
        format!("paid at {} ({}) after it was cancelled here", self.channel, self.incoming.channel_status)
    }

    fn shipped(&self) -> String {
        let (status, word) = (self.shown(), &self.incoming.channel_status);
        format!("shipped at {} by other means while it is {status} here ({word})", self.channel)
    }
}

#[cfg(test)]
mod tests;
