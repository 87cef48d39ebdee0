//! What a walk has seen of its newest minutes.
//!
//! Every walk reads back over the minutes before the newest change it knows, because the search
//! index lags. Where hundreds of orders share them (a bulk edit, an import), that would be a full
//! reading at every sync for as long as nothing newer happens. So it is remembered which versions
//! were there, and the next walk first asks for ids and times only.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::api::Api;
use super::list::{List, Span};
use super::pages::{Row, checked};
use super::sizes::chokes;
use super::{map, number, query, wire};
use crate::error::Result;

/// So many orders are read anew for less than it costs to compare them.
const FEW: u64 = 20;

/// As many ids and times as one question brings.
const HEADS: u32 = 250;

/// The sums are kept this small: a position holds no number that is larger than any time or id.
const SUMS: u64 = (1 << 56) - 1;

/// Versions of orders by the second in which they were changed: how many, and a sum over them in
/// which their order does not matter.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail(Vec<(i64, u64, u64)>);

impl Tail {
    /// Takes an order in.
    pub fn add(&mut self, row: &Row) {
        if let Some(at) = row.changed {
            self.take(&row.order.remote_id, at);
        }
    }

    fn take(&mut self, id: &str, at: i64) {
        let hash = Sha256::digest(format!("{id} {at}").as_bytes());
        let hash = hash.iter().take(8).fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte)) & SUMS;
        match self.0.iter_mut().find(|(second, ..)| *second == at) {
            Some((_, count, sum)) => (*count, *sum) = (*count + 1, sum.wrapping_add(hash) & SUMS),
            None => {
                self.0.push((at, 1, hash));
                let newest = self.0.iter().map(|(second, ..)| *second).max().unwrap_or(at);
                self.0.retain(|(second, ..)| *second >= newest - super::OVERLAP.as_secs() as i64);
                self.0.sort_unstable();
            }
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|(_, count, _)| count).sum()
    }

    /// What the next walk, which begins at `since`, is to be told, where that is worth it. A
    /// version of the second in which this walk began may have been followed by another of the same
    /// second.
    pub fn worth_knowing(mut self, since: Option<i64>, began: i64) -> Option<Self> {
        self.0.retain(|(second, ..)| since.is_some_and(|since| *second >= since));
        let safe = self.0.iter().all(|(second, ..)| *second < began);
        (safe && self.count() > FEW).then_some(self)
    }
}

/// Compares what is in a span now with what is known of it. Where it is the same, gives what is to
/// be said about the app's scopes.
pub fn unchanged(api: &Api, span: Span, known: &Tail) -> Result<Option<Vec<String>>> {
    let filter = List::Changed(span).filter();
    let (mut now, mut after, mut warnings) = (Tail::default(), None::<String>, Vec::new());
    loop {
        let question = json!({ "first": HEADS, "after": after, "query": filter, "sort": "UPDATED_AT" });
        let heads: wire::Orders<wire::Head> = match api.ask_shortly(&query::HEADS, question) {
            Ok(answer) => answer.read()?,
            // The walk itself finds out what is wrong.
            Err(error) if chokes(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(app) = heads.current_app_installation {
            warnings = checked(&app.scopes())?;
        }
        for head in &heads.orders.nodes {
            let Some((id, at)) = head.id.as_deref().zip(map::second(&head.updated_at)) else { return Ok(None) };
            now.take(number(id), at);
        }
        let next = heads.orders.further(after.as_deref(), "orders", "nothing was imported")?;
        if next.is_none() || now.count() > known.count() {
            return Ok((now == *known).then_some(warnings));
        }
        after = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(versions: &[(&str, i64)]) -> Tail {
        let mut tail = Tail::default();
        versions.iter().for_each(|(id, at)| tail.take(id, *at));
        tail
    }

    #[test]
    fn q2_the_same_versions_are_the_same_in_any_order_and_another_version_is_not() {
        let seen = tail(&[("1", 10), ("2", 10), ("3", 12)]);
        assert_eq!(seen, tail(&[("3", 12), ("2", 10), ("1", 10)]));
        for other in
            [&[("1", 10), ("2", 10)][..], &[("1", 10), ("2", 10), ("3", 13)], &[("1", 10), ("4", 10), ("3", 12)]]
        {
            assert_ne!(seen, tail(other), "{other:?}");
        }
        assert_eq!(seen.count(), 3);
        assert_eq!(tail(&[("1", 10), ("2", 10_000)]), tail(&[("2", 10_000)]), "what is old is left to the past");
    }

    #[test]
    fn q2_only_many_orders_are_worth_it_and_only_where_their_second_is_over() {
        let mut many = Tail::default();
        (0..30).for_each(|id: i64| many.take(&id.to_string(), 100));
        assert!(many.clone().worth_knowing(Some(90), 101).is_some());
        assert!(many.clone().worth_knowing(Some(90), 100).is_none(), "there may be another change of that second");
        assert!(many.worth_knowing(Some(101), 200).is_none());
        assert!(tail(&[("1", 100)]).worth_knowing(Some(90), 200).is_none());
    }
}
