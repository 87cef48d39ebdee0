//! The id of an order that the shop cannot show.
//!
//! Each list that holds it fails, also one of a few ids that are asked for by name, so it is found
//! by halves. The orders beside it mostly have ids beside its own. Where they do not, the time of
//! its creation is searched for first; those that were created before and after it are its
//! neighbours.

use super::api::Api;
use super::map;
use super::walk::{Row, Walk, gmt};
use super::wire::Head;
use crate::http::read_json;

/// Of more ids between two neighbours than this, most are no orders at all.
const MOST: usize = 300;

/// How many ids are asked for at once.
const PAGE: usize = 100;

/// How far beyond the last order's id.
const BEYOND: u64 = 150;

/// When the first WooCommerce shop opened.
const FIRST: i64 = 1_300_000_000;

/// The id of the first order at `at`, at which the shop fails; `before` is the id of the one read
/// before it.
pub fn find(api: &Api, at: &Walk, status: Option<&str>, before: Option<u64>) -> Option<u64> {
    let search = Search { api, at, status };
    let after = search.next()?;
    let beside = match (before, after) {
        (Some(before), Some(after)) => search.between(before.min(after.id), before.max(after.id)),
        (Some(one), None) => search.between(one, one + BEYOND),
        (None, Some(one)) => search.between(one.id.saturating_sub(BEYOND), one.id),
        (None, None) => None,
    };
    let changed = after.map_or_else(|| api.now().timestamp(), |after| after.at);
    beside.or_else(|| search.by_creation(changed))
}

struct Search<'a> {
    api: &'a Api,
    at: &'a Walk,
    status: Option<&'a str>,
}

impl Search<'_> {
    fn with_status(&self, mut query: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
        query.extend(self.status.map(|status| ("status", status.to_owned())));
        query
    }

    /// Ids of a list, with the times of their last change.
    fn rows(&self, query: Vec<(&'static str, String)>) -> Option<Vec<Row>> {
        let mut query = self.with_status(query);
        query.push(("_fields", "id,date_modified_gmt".to_owned()));
        let reply = self.api.ask("wc/v3/orders", &query, 0).ok()?;
        let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body).ok()?;
        let row = |head: &Head<'_>| {
            let at = map::parse_time(head.date_modified_gmt.get())?.timestamp();
            Some(Row { id: head.id.id()?.parse().ok()?, at })
        };
        Some(rows.iter().filter_map(row).collect())
    }

    /// The row behind it, if there is one; nothing where the shop fails at that too.
    fn next(&self) -> Option<Option<Row>> {
        (1..=3).find_map(|further| {
            let mut query = self.at.query(1);
            query.retain(|(name, _)| !matches!(*name, "per_page" | "offset"));
            let offset = self.at.stretch.map_or(0, |stretch| stretch.read) + further;
            query.extend([("per_page", "1".to_owned()), ("offset", offset.to_string())]);
            self.rows(query).map(|rows| rows.first().copied())
        })
    }

    /// Whether the shop fails at one of these; nothing where it fails otherwise.
    fn fails_at(&self, ids: &[u64]) -> Option<bool> {
        let include = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let query = vec![("include", include), ("per_page", PAGE.to_string()), ("orderby", "id".to_owned())];
        match self.api.ask("wc/v3/orders", &self.with_status(query), 0) {
            Ok(_) => Some(false),
            Err(error) => error.is_too_much().then_some(true),
        }
    }

    /// The first between these ids that the shop fails at.
    fn between(&self, low: u64, high: u64) -> Option<u64> {
        let ids: Vec<u64> = (low.checked_add(1)?..high).filter(|id| !self.at.skip.contains(id)).collect();
        if ids.len() > MOST {
            return None;
        }
        let mut ids = ids.chunks(PAGE).find(|ids| self.fails_at(ids) == Some(true))?;
        while ids.len() > 1 {
            let (first, rest) = ids.split_at(ids.len() / 2);
            ids = if self.fails_at(first)? { first } else { rest };
        }
        ids.first().copied().filter(|id| self.fails_at(&[*id]) == Some(true))
    }

    /// It, by when it was created: mostly not long before its last change, which is not after
    /// `changed`.
    fn by_creation(&self, changed: i64) -> Option<u64> {
        let is_before = |at: i64| {
            let mut query = self.at.query(1);
            query.retain(|(name, _)| !matches!(*name, "offset" | "after" | "before"));
            query.push(("before", gmt(at)));
            match self.api.ask("wc/v3/orders", &self.with_status(query), 0) {
                Ok(_) => Some(false),
                Err(error) => error.is_too_much().then_some(true),
            }
        };
        let (mut low, mut high, mut step) = (changed, changed + 1, 3_600);
        while is_before(low)? {
            (low, high) = (low - step, low);
            step *= 4;
            if low < FIRST {
                return None;
            }
        }
        loop {
            // Created from `low` on and before `high`.
            let before = self.beside("desc", "before", low);
            let after = self.beside("asc", "after", high - 1);
            let found = match (before, after) {
                (Some(before), Some(after)) => self.between(before.min(after), before.max(after)),
                (Some(one), None) => self.between(one, one + BEYOND),
                (None, Some(one)) => self.between(one.saturating_sub(BEYOND), one),
                (None, None) => None,
            };
            if found.is_some() || high - low <= 1 {
                return found;
            }
            for _ in 0..6 {
                let middle = low + (high - low) / 2;
                if is_before(middle)? { high = middle } else { low = middle }
            }
        }
    }

    /// The id of the order created next before or after this time.
    fn beside(&self, order: &str, bound: &'static str, at: i64) -> Option<u64> {
        let query = vec![
            ("per_page", "1".to_owned()),
            ("orderby", "date".to_owned()),
            ("order", order.to_owned()),
            ("dates_are_gmt", "true".to_owned()),
            (bound, gmt(at)),
        ];
        self.rows(query).and_then(|rows| rows.first().map(|row| row.id))
    }
}
