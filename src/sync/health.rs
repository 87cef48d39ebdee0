//! Whether a store is well, by what was done and not by what was tried: decisions on times and counts
//! (F-1).

use chrono::TimeDelta;

use super::advice::{RetryPolicy, Stage, export_patience};
use crate::book::{Book, Store};
use crate::clock::Timestamp;
use crate::error::Result;

/// How long a first sync may be at work before the store counts as not read, whatever its interval
///
const FIRST_SYNC: TimeDelta = TimeDelta::minutes(150);

/// A pause that is over before anybody could look is none.
const SHORT_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Orders that no delivery has told of for so long are a reason to ask the channel for them: a delivery
/// may be later still, and asking costs little.
pub(crate) const LATE: TimeDelta = TimeDelta::minutes(5);

/// How far the deliveries of a store tell of its new orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// Of all that syncs have found.
    All,
    /// Not of all, and what is missing may still come.
    Late,
    /// Not of all, since then.
    NotAll(Timestamp),
}

impl Announced {
    /// By what the book knows of a store.
    pub(crate) fn of(book: &Book, store: &Store) -> Result<Self> {
        let Some(webhooks) = &store.kind.adapter().webhooks else { return Ok(Self::All) };
        if let Some(since) = book.unannounced_since(store.id, webhooks.comes_within)? {
            return Ok(Self::NotAll(since));
        }
        let is_late = book.unannounced_since(store.id, LATE.min(webhooks.comes_within))?.is_some();
        Ok(if is_late { Self::Late } else { Self::All })
    }

    /// Since when it is sure that some are missing.
    pub(crate) fn not_all_since(self) -> Option<Timestamp> {
        if let Self::NotAll(since) = self { Some(since) } else { None }
    }
}

/// What is known of a store, all of it from this machine's own files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// When it was connected.
    pub(crate) connected_at: Timestamp,
    /// When all that had changed was last read.
    pub(crate) read_at: Option<Timestamp>,
    /// When the sync began that is at work on it now, if one is.
    pub(crate) at_work_since: Option<Timestamp>,
    /// How often it is to be read.
    pub(crate) interval: TimeDelta,
    /// How old the last reading may be; `None`: twice the interval.
    pub(crate) max_age: Option<TimeDelta>,
    /// Whether its credentials are on this machine.
    pub(crate) has_credentials: bool,
    /// Whether the channel refuses them.
    pub(crate) refused: bool,
    /// Until when the channel wants to be left alone.
    pub(crate) paused_until: Option<Timestamp>,
    /// How old the oldest dispatch or cancellation is that is not confirmed.
    pub(crate) unconfirmed: Option<TimeDelta>,
    /// Dispatches and cancellations that were refused.
    pub(crate) failed: u64,
    /// Open entries of the inbox.
    pub(crate) inbox: u64,
    /// Whether the timer should have taken it long ago.
    pub(crate) overdue: bool,
    /// Where its first sync stands.
    pub(crate) stage: Stage,
    /// Whether the newest sync that came to its end failed.
    pub(crate) sync_failed: bool,
    /// Whether the newest sync was killed before its end.
    pub(crate) cut_off: bool,
}

/// One reason why a store is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Not read for so long.
    NotRead(TimeDelta),
    /// Its credentials are gone from this machine.
    CredentialsGone,
    /// The channel refuses its credentials.
    CredentialsRefused,
    /// The channel wants to be left alone for so long.
    Paused(TimeDelta),
    /// A dispatch or cancellation is not confirmed for so long, over an hour and a half.
    NotConfirmed(TimeDelta),
    /// So many dispatches or cancellations were refused.
    Failed(u64),
    /// So many entries of the inbox need the merchant.
    Inbox(u64),
    /// The timer has not taken it for three turns.
    Overdue,
    /// No order has come, and it is time to do something about it.
    NoOrders,
    /// The last sync failed; the next one may do better.
    SyncFailed,
    /// The last sync was cut off; the next one goes on from there.
    CutOff,
    /// The first sync has brought orders and has not come to its end.
    Unfinished,
}

impl Trouble {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NotRead(_) => "not-read",
            Self::CredentialsGone => "credentials-gone",
            Self::CredentialsRefused => "credentials-refused",
            Self::Paused(_) => "paused",
            Self::NotConfirmed(_) => "not-confirmed",
            Self::Failed(_) => "failed",
            Self::Inbox(_) => "inbox",
            Self::Overdue => "overdue",
            Self::NoOrders => "no-orders",
            Self::SyncFailed => "sync-failed",
            Self::CutOff => "cut-off",
            Self::Unfinished => "first-sync",
        }
    }

    /// Whether the next sync may well be all that it takes: told at once, and none for a monitor
    /// before the store counts as not read.
    pub(crate) fn passes(self) -> bool {
        matches!(self, Self::SyncFailed | Self::CutOff | Self::Unfinished)
    }

    /// Whether new credentials are what helps.
    pub(crate) fn is_about_credentials(self) -> bool {
        matches!(self, Self::CredentialsGone | Self::CredentialsRefused)
    }
}

impl Facts {
    /// How old the last reading may be. A store that was never read counts from when it was
    /// connected, and its first sync may take a while.
    pub(crate) fn limit(&self) -> TimeDelta {
        let usual = self.interval * 2;
        self.max_age.unwrap_or(match (self.read_at, self.at_work_since) {
            (None, Some(_)) => usual.max(FIRST_SYNC),
            _ => usual,
        })
    }

    /// Everything that is wrong, the gravest first; nothing where the store is well.
    pub(crate) fn troubles(&self, now: Timestamp) -> Vec<Trouble> {
        let age = now - self.read_at.unwrap_or(self.connected_at);
        let pause = self.paused_until.map(|until| until - now).filter(|left| *left > SHORT_PAUSE);
        let waiting = self.unconfirmed.filter(|age| export_patience(Some(*age)) == RetryPolicy::GetInTouch);
        let too_old = age > self.limit();
        let is_told = too_old || self.refused || !self.has_credentials;
        let unfinished = self.read_at.is_none() && self.stage == Stage::Ok;
        let found = [
            (!self.has_credentials).then_some(Trouble::CredentialsGone),
            self.refused.then_some(Trouble::CredentialsRefused),
            too_old.then_some(Trouble::NotRead(age)),
            pause.map(Trouble::Paused),
            waiting.map(Trouble::NotConfirmed),
            (self.failed > 0).then_some(Trouble::Failed(self.failed)),
            (self.inbox > 0).then_some(Trouble::Inbox(self.inbox)),
            self.overdue.then_some(Trouble::Overdue),
            matches!(self.stage, Stage::Test | Stage::GetInTouch).then_some(Trouble::NoOrders),
            (self.sync_failed && !is_told).then_some(Trouble::SyncFailed),
            self.cut_off.then_some(Trouble::CutOff),
            (unfinished && !too_old && self.at_work_since.is_none()).then_some(Trouble::Unfinished),
        ];
        found.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    /// Connected at 0, read at 100, every half hour.
    fn facts() -> Facts {
        Facts {
            connected_at: at(0),
            read_at: Some(at(100)),
            at_work_since: None,
            interval: TimeDelta::minutes(30),
            max_age: None,
            has_credentials: true,
            refused: false,
            paused_until: None,
            unconfirmed: None,
            failed: 0,
            inbox: 0,
            overdue: false,
            stage: Stage::Ok,
            sync_failed: false,
            cut_off: false,
        }
    }

    #[test]
    fn f1_a_store_that_was_not_read_for_twice_its_interval_is_not_well() {
        assert_eq!(facts().troubles(at(160)), []);
        assert_eq!(facts().troubles(at(161)), [Trouble::NotRead(TimeDelta::minutes(61))]);
        let slow = Facts { interval: TimeDelta::minutes(60), ..facts() };
        assert_eq!(slow.troubles(at(220)), []);
        let strict = Facts { max_age: Some(TimeDelta::minutes(10)), ..facts() };
        assert_eq!(strict.troubles(at(111)).len(), 1);
    }

    #[test]
    fn f1_a_sync_that_is_still_running_makes_no_store_well() {
        let busy = Facts { at_work_since: Some(at(110)), ..facts() };
        assert_eq!(busy.troubles(at(161)).len(), 1, "it was read before: a sync that does not end is no sync");
        let first = Facts { read_at: None, at_work_since: Some(at(1)), ..facts() };
        assert_eq!(first.troubles(at(150)), [], "a first sync takes its time");
        assert_eq!(first.troubles(at(151)).len(), 1);
        let never = Facts { read_at: None, ..facts() };
        assert_eq!(never.troubles(at(61)).len(), 1, "nobody is at work on it");
    }

    #[test]
    fn f1_a_sync_that_failed_is_told_at_once_and_is_no_alarm_yet() {
        let failed = Facts { sync_failed: true, ..facts() };
        assert_eq!(failed.troubles(at(110)), [Trouble::SyncFailed]);
        assert!(failed.troubles(at(110)).into_iter().all(Trouble::passes));
        let told = failed.troubles(at(161));
        assert!(matches!(told[..], [Trouble::NotRead(_)]), "said once: {told:?}");
        let first = Facts { read_at: None, cut_off: true, ..facts() };
        assert_eq!(first.troubles(at(10)), [Trouble::CutOff, Trouble::Unfinished]);
        let at_work = Facts { read_at: None, at_work_since: Some(at(1)), ..facts() };
        assert_eq!(at_work.troubles(at(10)), [], "a first sync takes its time");
    }

    #[test]
    fn f1_everything_else_that_is_not_well_has_a_word_of_its_own() {
        let all = Facts {
            has_credentials: false,
            refused: true,
            paused_until: Some(at(200)),
            unconfirmed: Some(TimeDelta::minutes(91)),
            failed: 2,
            inbox: 3,
            overdue: true,
            stage: Stage::Test,
            ..facts()
        };
        let words: Vec<&str> = all.troubles(at(110)).into_iter().map(Trouble::word).collect();
        let wanted = [
            "credentials-gone",
            "credentials-refused",
            "paused",
            "not-confirmed",
            "failed",
            "inbox",
            "overdue",
            "no-orders",
        ];
        assert_eq!(words, wanted);
        let brief = Facts { paused_until: Some(at(100) + TimeDelta::seconds(50)), ..facts() };
        assert_eq!(brief.troubles(at(100)), []);
    }
}
