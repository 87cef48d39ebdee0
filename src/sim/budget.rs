//! How much a store lets its clients ask for.

use std::collections::VecDeque;

/// A bucket of points that fills again by and by. Times are in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// What is in it.
    pub(crate) level: f64,
    at: i64,
    /// What was set aside and comes back: when, and how much.
    back: Vec<(i64, f64)>,
}

impl Bucket {
    /// A bucket with so many points in it.
    pub(crate) fn full(level: f64, at: i64) -> Self {
        Self { level, at, back: Vec::new() }
    }

    /// As it is at `now`, with so many points a second and `most` at the most.
    pub(crate) fn refill(&mut self, now: i64, rate: f64, most: f64) {
        let passed = (now - self.at).max(0) as f64 / 1000.0;
        let back: f64 = self.back.iter().filter(|(at, _)| *at <= now).map(|(_, points)| points).sum();
        self.back.retain(|(at, _)| *at > now);
        self.level = (self.level + passed * rate + back).min(most);
        self.at = self.at.max(now);
    }

    /// Sets points aside; those that were not needed come back at `over`.
    pub(crate) fn spend(&mut self, aside: f64, needed: f64, over: i64) {
        self.level -= aside;
        self.back.push((over, aside - needed));
    }
}

/// A quota in windows of time, shared with a store's other clients.
#[derive(Debug, Default)]
pub(crate) struct Window {
    began: i64,
    used: u32,
}

/// How a window stood when a request came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    /// Whether the request got in.
    pub(crate) free: bool,
    /// What is left behind it.
    pub(crate) requests: u32,
    /// Milliseconds until the next window.
    pub(crate) ends_in: i64,
}

impl Window {
    /// Takes one request out of the window. The other clients use theirs bit by bit while it lasts.
    pub(crate) fn take(&mut self, now: i64, length: i64, quota: u32, others: u32) -> Left {
        if now - self.began >= length || self.began > now {
            *self = Self { began: now, used: 0 };
        }
        let passed = now - self.began;
        let others = u32::try_from(i64::from(others) * passed / length.max(1)).unwrap_or(0);
        let before = quota.saturating_sub(self.used.saturating_add(others));
        self.used = self.used.saturating_add(u32::from(before > 0));
        Left { free: before > 0, requests: before.saturating_sub(1), ends_in: length - passed }
    }
}

/// Requests of the last while, wherever that begins.
#[derive(Debug, Default)]
pub(crate) struct Sliding {
    taken: VecDeque<i64>,
}

impl Sliding {
    /// Forgets what was before `from`, and what a clock that was set back has not seen yet.
    pub(crate) fn since(&mut self, from: i64, now: i64) {
        while self.taken.front().is_some_and(|at| *at < from) {
            self.taken.pop_front();
        }
        while self.taken.back().is_some_and(|at| *at > now) {
            self.taken.pop_back();
        }
    }

    /// What is left of a quota.
    pub(crate) fn left(&self, quota: u32) -> u32 {
        quota.saturating_sub(u32::try_from(self.taken.len()).unwrap_or(u32::MAX))
    }

    /// Takes one request.
    pub(crate) fn take(&mut self, now: i64) {
        self.taken.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_by_and_by_and_gives_back_what_was_not_needed() {
        let mut bucket = Bucket::full(10.0, 0);
        bucket.spend(8.0, 3.0, 500);
        bucket.refill(400, 1.0, 10.0);
        assert!((bucket.level - 2.4).abs() < 0.001);
        bucket.refill(500, 1.0, 10.0);
        assert!((bucket.level - 7.5).abs() < 0.001);
        bucket.refill(60_000, 1.0, 10.0);
        assert!((bucket.level - 10.0).abs() < 0.001, "no more than it holds");
    }

    #[test]
    fn a_window_is_shared_and_begins_anew() {
        let mut window = Window::default();
        let take = |window: &mut Window, now| {
            let left = window.take(now, 1000, 4, 2);
            (left.free, left.requests, left.ends_in)
        };
        assert_eq!(take(&mut window, 0), (true, 3, 1000));
        assert_eq!(take(&mut window, 500), (true, 1, 500), "the others took one of their two");
        assert_eq!(take(&mut window, 999), (true, 0, 1));
        assert_eq!(take(&mut window, 999), (false, 0, 1));
        assert_eq!(take(&mut window, 1000), (true, 3, 1000));
    }

    #[test]
    fn a_sliding_quota_comes_back_one_by_one() {
        let mut day = Sliding::default();
        let mut take = |now: i64| {
            day.since(now - 999, now);
            let left = day.left(2);
            (left > 0).then(|| day.take(now));
            left
        };
        assert_eq!([take(0), take(400), take(900), take(1_000), take(1_399), take(1_400)], [2, 1, 0, 1, 0, 1]);
        assert_eq!(take(100), 2, "a clock that was set back");
    }
}
