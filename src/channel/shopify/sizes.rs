//! How much one query may ask for.
//!
//! Shopify prices a query before it carries it out, by a formula that it does not publish, and
//! refuses one of more than 1,000 points. A refused query costs nothing, so it is asked again for
//! half as much until it fits.

use std::sync::Arc;

use crate::channel::page_size::{PageSize, PageSizes};
use crate::error::{Error, ErrorKind, Result};

/// How many orders the first page of a process asks for.
const FIRST_PAGE: u32 = 50;

/// How many orders a page of ids asks for: as many as Shopify gives.
pub(crate) const HEADS: u32 = 250;

/// How many lines of each order a page brings.
const PAGE_LINES: u32 = 20;

/// How many lines an order that is read by itself brings.
const ORDER_LINES: u32 = 50;

/// How many orders are read by their ids at once.
const BY_IDS: u32 = 20;

/// How many more are asked for at once, at most.
const MORE_LINES: u32 = 100;

/// How many members of the other lists of an order, which have no pages: as many as Shopify gives.
pub(crate) const LISTS: u32 = 250;

/// How much of each may be asked for.
pub(crate) struct Sizes {
    /// Orders in a page, for what a query may cost.
    page: PageSize,
    /// Orders in a page that do not choke the server.
    borne: PageSize,
    /// Orders in a page of ids.
    pub(crate) heads: PageSize,
    /// Lines of each of them.
    pub(crate) page_lines: PageSize,
    /// Lines of an order that is read by itself.
    pub(crate) order_lines: PageSize,
    /// Orders that are read by their ids at once.
    pub(crate) by_ids: PageSize,
    /// Lines in a list of nothing else.
    pub(crate) more_lines: PageSize,
    /// Members of the other lists of an order.
    pub(crate) lists: PageSize,
}

impl Sizes {
    /// With what an earlier process learned.
    pub(crate) fn new(kept: &Arc<PageSizes>, largest_page: u32) -> Self {
        let usual = |name, most| kept.of(name, most, most);
        Self {
            page: kept.of("page", FIRST_PAGE, largest_page),
            borne: usual("borne", largest_page),
            heads: usual("heads", HEADS.min(largest_page.max(FIRST_PAGE))),
            page_lines: usual("page_lines", PAGE_LINES),
            order_lines: usual("order_lines", ORDER_LINES),
            by_ids: usual("by_ids", BY_IDS),
            more_lines: usual("more_lines", MORE_LINES),
            lists: usual("lists", LISTS),
        }
    }

    /// How many orders a page asks for.
    pub(crate) fn page(&self) -> u32 {
        self.page.get().min(self.borne.get())
    }

    /// A page of `size` orders would do with `share` times as many.
    pub(crate) fn fit_page(&self, size: u32, share: f64) {
        self.page.fit(size, (f64::from(size) * share) as u32);
    }

    /// After a page of `size` orders with `lines` each was too dear: fewer orders, then fewer lines
    /// of the only one. False where there is no less, or something else was wrong.
    pub(crate) fn less_of_a_page(&self, size: u32, lines: u32, error: &Error) -> bool {
        costs_too_much(error) && (self.page.halve(size) || self.page_lines.halve(lines))
    }

    /// A server that chokes on a page of `size` orders is asked for half of it.
    pub(crate) fn bear_less(&self, size: u32) {
        self.borne.halve(size);
    }

    /// Asks for as much as `size` says, at most `wanted`, and for half as much as long as that
    /// costs more than is permitted.
    pub(crate) fn fitting<T>(&self, size: &PageSize, wanted: u32, ask: impl Fn(u32) -> Result<T>) -> Result<T> {
        loop {
            let asked = size.get().min(wanted).max(1);
            match ask(asked) {
                Err(error) if costs_too_much(&error) && size.halve(asked) => {}
                result => return result,
            }
        }
    }
}

/// Whether something at Shopify has choked on an answer: one of its orders may be the reason, or
/// all of it is down.
pub(crate) fn chokes(error: &Error) -> bool {
    error.is_too_much() && error.kind() != ErrorKind::Failed
}

/// Whether Shopify has refused a query for its price; servers that choke on one are something else.
fn costs_too_much(error: &Error) -> bool {
    error.is_too_much() && error.kind() == ErrorKind::Failed
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;
    use crate::channel::Learn;
    use crate::clock::{ManualClock, Timestamp};

    fn sizes(facts: &Arc<Mutex<Value>>, largest_page: u32) -> Sizes {
        let shelf = facts.clone();
        let learn: Learn = Box::new(move |name, value| *shelf.lock().unwrap() = json!({ name: value }));
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        Sizes::new(&PageSizes::new(&facts.lock().unwrap(), learn, clock), largest_page)
    }

    #[test]
    fn a_page_is_halved_down_to_one_line_and_what_fits_is_kept() {
        let facts = Arc::default();
        let one = sizes(&facts, 250);
        let refused = Error::new(ErrorKind::Failed, "too dear").too_much();
        let mut tried = Vec::new();
        loop {
            let (size, lines) = (one.page(), one.page_lines.get());
            tried.push((size, lines));
            if !one.less_of_a_page(size, lines, &refused) {
                break;
            }
        }
        assert_eq!(tried, [(50, 20), (25, 20), (12, 20), (6, 20), (3, 20), (1, 20), (1, 10), (1, 5), (1, 2), (1, 1)]);
        let again = sizes(&facts, 250);
        assert_eq!((again.page(), again.page_lines.get(), again.order_lines.get()), (1, 1, 50));
        again.fit_page(1, 80.0);
        assert_eq!(again.page(), 80, "what a page costs is known again after the first");
    }

    #[test]
    fn a_server_that_chokes_teaches_nothing_about_prices() {
        let facts = Arc::default();
        let one = sizes(&facts, 40);
        let choked = Error::new(ErrorKind::Temporary, "502").too_much();
        assert!(!one.less_of_a_page(40, 20, &choked));
        assert_eq!(*facts.lock().unwrap(), Value::Null);
        one.bear_less(40);
        one.fit_page(40, 9.0);
        assert_eq!(one.page(), 20, "cheap enough, but more than the server bears");
        let asked = std::cell::Cell::new(0);
        let failed = one.fitting(&one.order_lines, 50, |_| -> Result<()> {
            asked.set(asked.get() + 1);
            Err(Error::new(ErrorKind::Temporary, "502").too_much())
        });
        assert!(failed.is_err() && asked.get() == 1);
    }
}
