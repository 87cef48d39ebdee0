//! How much one query may ask for.
//!
//! Shopify prices a query before it carries it out, by a formula that it does not publish, and
//! refuses one of more than 1,000 points. A refused query costs nothing, so it is asked again for
//! half as much until it fits, and what fits is kept with the store: the next process begins there.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::Learn;
use crate::error::{Error, ErrorKind, Result};

/// How many orders the first page of a process asks for.
const FIRST_PAGE: u32 = 50;

/// How many lines of each order a page brings.
const PAGE_LINES: u32 = 20;

/// How many lines an order that is read by itself brings.
const ORDER_LINES: u32 = 50;

/// How many more are asked for at once, at most.
const MORE_LINES: u32 = 100;

/// How many members of the other lists of an order, which have no pages: as many as Shopify gives.
pub const LISTS: u32 = 250;

/// How much of each may be asked for.
#[derive(Debug)]
pub struct Sizes {
    /// Orders in a page.
    pub page: Size,
    /// Lines of each of them.
    pub page_lines: Size,
    /// Lines of an order that is read by itself.
    pub order_lines: Size,
    /// Lines in a list of nothing else.
    pub more_lines: Size,
    /// Members of the other lists of an order.
    pub lists: Size,
    largest_page: AtomicU32,
    learned: AtomicBool,
}

/// One of them.
#[derive(Debug)]
pub struct Size(AtomicU32);

/// What is kept with the store.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    page: Option<u32>,
    page_lines: Option<u32>,
    order_lines: Option<u32>,
    more_lines: Option<u32>,
    lists: Option<u32>,
}

impl Size {
    fn new(usual: u32, kept: Option<u32>) -> Self {
        Self(AtomicU32::new(kept.unwrap_or(usual).clamp(1, usual)))
    }

    /// As it is now.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Half of `size` from now on, and not more again by itself. False where there is nothing to
    /// halve.
    fn halve(&self, size: u32) -> bool {
        self.0.fetch_min((size / 2).max(1), Ordering::Relaxed);
        size > 1
    }
}

impl Sizes {
    /// With what an earlier process learned, by the facts of the store.
    pub fn new(facts: &Value, largest_page: u32) -> Self {
        let kept: Kept = serde_json::from_value(facts[LEARNED].clone()).unwrap_or_default();
        Self {
            page: Size::new(FIRST_PAGE.min(largest_page), kept.page),
            page_lines: Size::new(PAGE_LINES, kept.page_lines),
            order_lines: Size::new(ORDER_LINES, kept.order_lines),
            more_lines: Size::new(MORE_LINES, kept.more_lines),
            lists: Size::new(LISTS, kept.lists),
            largest_page: AtomicU32::new(largest_page),
            learned: AtomicBool::new(false),
        }
    }

    /// A page of `size` orders would do with `share` times as many.
    pub fn fit_page(&self, size: u32, share: f64) {
        let fits = ((f64::from(size) * share) as u32).clamp(1, self.largest_page.load(Ordering::Relaxed).max(1));
        // Only from the newest size, so that an answer that was long on its way does not undo what
        // a later one taught.
        let _ = self.page.0.compare_exchange(size, fits, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// After a page of `size` orders with `lines` each was too dear: fewer orders, then fewer lines
    /// of the only one. False where there is no less, or something else was wrong.
    pub fn less_of_a_page(&self, size: u32, lines: u32, error: &Error) -> bool {
        if !costs_too_much(error) {
            return false;
        }
        self.learned.store(true, Ordering::Relaxed);
        self.page.halve(size) || self.page_lines.halve(lines)
    }

    /// A server that chokes on a page of `size` orders is asked for half of it, in this process.
    pub fn bear_less(&self, size: u32) {
        self.page.halve(size);
        self.largest_page.fetch_min((size / 2).max(1), Ordering::Relaxed);
    }

    /// Asks for as much as `size` says, at most `wanted`, and for half as much as long as that
    /// costs more than is permitted.
    pub fn fitting<T>(&self, size: &Size, wanted: u32, ask: impl Fn(u32) -> Result<T>) -> Result<T> {
        loop {
            let asked = size.get().min(wanted).max(1);
            match ask(asked) {
                Err(error) if costs_too_much(&error) && size.halve(asked) => {
                    self.learned.store(true, Ordering::Relaxed);
                }
                result => return result,
            }
        }
    }

    /// Keeps what was learned since the last time, if anything was.
    pub fn keep(&self, learn: &Learn) {
        if self.learned.swap(false, Ordering::Relaxed) {
            let kept = Kept {
                page: Some(self.page.get()),
                page_lines: Some(self.page_lines.get()),
                order_lines: Some(self.order_lines.get()),
                more_lines: Some(self.more_lines.get()),
                lists: Some(self.lists.get()),
            };
            learn(LEARNED, &json!(kept));
        }
    }
}

/// The name of it among the store's facts.
const LEARNED: &str = "sizes";

/// Whether something at Shopify has choked on an answer: one of its orders may be the reason, or
/// all of it is down.
pub fn chokes(error: &Error) -> bool {
    error.is_too_much() && error.kind() != ErrorKind::Failed
}

/// Whether Shopify has refused a query for its price; servers that choke on one are something else.
fn costs_too_much(error: &Error) -> bool {
    error.is_too_much() && error.kind() == ErrorKind::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_halved_down_to_one_line_and_what_fits_is_kept() {
        let sizes = Sizes::new(&Value::Null, 250);
        let refused = Error::new(ErrorKind::Failed, "too dear").too_much();
        let mut tried = Vec::new();
        loop {
            let (size, lines) = (sizes.page.get(), sizes.page_lines.get());
            tried.push((size, lines));
            if !sizes.less_of_a_page(size, lines, &refused) {
                break;
            }
        }
        assert_eq!(tried, [(50, 20), (25, 20), (12, 20), (6, 20), (3, 20), (1, 20), (1, 10), (1, 5), (1, 2), (1, 1)]);
        let kept = std::sync::Arc::new(std::sync::Mutex::new(Value::Null));
        let shelf = kept.clone();
        let learn: Learn = Box::new(move |name, value| *shelf.lock().unwrap() = json!({ name: value }));
        sizes.keep(&learn);
        let again = Sizes::new(&kept.lock().unwrap(), 250);
        assert_eq!((again.page.get(), again.page_lines.get(), again.order_lines.get()), (1, 1, 50));
        *kept.lock().unwrap() = Value::Null;
        sizes.keep(&learn);
        assert_eq!(*kept.lock().unwrap(), Value::Null, "nothing new, nothing written");
    }

    #[test]
    fn a_server_that_chokes_teaches_nothing_about_prices() {
        let sizes = Sizes::new(&json!({ "sizes": { "page": 0, "page_lines": 900, "order_lines": "x" } }), 40);
        assert_eq!((sizes.page.get(), sizes.page_lines.get()), (40, 20), "what is no size is not used");
        let choked = Error::new(ErrorKind::Temporary, "502").too_much();
        assert!(!sizes.less_of_a_page(40, 20, &choked));
        sizes.bear_less(40);
        sizes.fit_page(20, 9.0);
        assert_eq!(sizes.page.get(), 20, "cheap enough, but more than the server bears");
        let learn: Learn = Box::new(|name, _| assert_eq!(name, "", "nothing was learned"));
        sizes.keep(&learn);
        let asked = std::cell::Cell::new(0);
        let failed = sizes.fitting(&sizes.order_lines, 50, |_| -> Result<()> {
            asked.set(asked.get() + 1);
            Err(Error::new(ErrorKind::Temporary, "502").too_much())
        });
        assert!(failed.is_err() && asked.get() == 1);
    }
}
