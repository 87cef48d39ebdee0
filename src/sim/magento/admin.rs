//! What only Magento's merchants do in the admin, and what a test may look at.

use std::sync::Arc;

use super::options::Options;
use super::{NewOrder, Shop, orders, render, vendor};
use crate::clock::Clock;

impl Shop {
    /// A shop with about forty orders of the last three weeks.
    pub fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self::with_stories(options, clock, 29, stories())
    }

    /// The state and the status word, if there is such an order.
    pub fn status(&self, id: u64) -> Option<(String, String)> {
        self.with(|context| {
            let state = context.state.orders.get(&id)?.status.to_string();
            let word = context.order(id).map(|order| vendor::status(&state, &order).to_owned())?;
            Some((state, word))
        })
    }

    /// The merchant gives the order a status word of their own.
    pub fn set_status(&self, id: u64, word: &str) -> bool {
        self.with(|context| context.change(id, |order| order.own.word = Some(word.to_owned())))
    }

    /// What the buyer typed in an option of the first line is another text.
    pub fn set_option(&self, id: u64, option: &str, text: &str) -> bool {
        self.with(|context| context.change(id, |order| order.set_meta(&format!("option {option}"), text.into())))
    }

    /// Everything goes on an invoice: it cannot be cancelled any more.
    pub fn invoice(&self, id: u64) -> bool {
        self.with(|context| {
            let now = context.now;
            let is_done = context.change(id, |order| vendor::invoice(order, now));
            if context.state.orders.get(&id).is_some_and(|entry| entry.status == "new") {
                vendor::set_state(context, id, "processing");
            }
            vendor::settle(context, id);
            is_done
        })
    }

    /// The merchant pays back pieces of the parts of a bundle, of each so many, as the shop's own
    /// pages have it; gives the credit memo's id.
    pub fn refund_parts(&self, id: u64, nth: usize, pieces: &[u64], amount: &str) -> Option<u64> {
        let amount = amount.parse().ok()?;
        self.with(|context| {
            let memo = context.refund(id, amount, "", Vec::new())?;
            let order = context.order_mut(id)?;
            let parts = render::parts(order.lines.get(nth)?);
            let rows = parts.iter().zip(pieces).map(|(part, pieces)| (part.id, *pieces));
            order.own.parts_back.insert(memo, rows.filter(|(_, pieces)| *pieces > 0).collect());
            vendor::settle(context, id);
            context.touch(id);
            Some(memo)
        })
    }

    /// The merchant edits the order: it is cancelled, and another takes its place, whose id is given.
    pub fn replace(&self, id: u64, purchase: &NewOrder) -> u64 {
        let new = self.place_order(purchase);
        self.with(|context| {
            orders::cancel_order(context, id);
            context.order_mut(id).into_iter().for_each(|order| order.own.replaced_by = Some(new));
            context.order_mut(new).into_iter().for_each(|order| order.own.replaces = Some(id));
        });
        new
    }

    /// The access token is revoked, or made again.
    pub fn set_revoked(&self, revoked: bool) {
        self.lock().own.revoked = revoked;
    }

    /// The shop is in maintenance mode, or out of it.
    pub fn set_down(&self, down: bool) {
        self.lock().own.down = down;
    }
}

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=12).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::of(&[("TEE-001", 2), ("MUG-9", 1)]),
        NewOrder::of(&[("SHIRT-S-ROT", 2), ("SHIRT-XL-OCE", 1)]),
        NewOrder::of(&[("BUNDLE-TOGETHER", 1), ("MUG-9", 1)]),
        NewOrder::of(&[("BUNDLE-APART", 2)]),
        NewOrder::of(&[("VOUCHER-25", 1), ("DOWNLOAD-1", 1)]),
        NewOrder::of(&[("BOOK-7", 1)]).unpaid(),
        NewOrder::of(&[("BOOK-7", 3)]).coupon(),
        NewOrder::of(&[("TEE-001", 1)]).currency_at("USD", 10_832).customer(7),
        NewOrder::of(&[("MUG-9", 2)]).status("processing:packed").note("Bitte klingeln"),
        NewOrder::of(&[("MUG-9", 1)]).status("pending_payment").unpaid(),
        large,
    ]
}
