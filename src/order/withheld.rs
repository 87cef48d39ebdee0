//! What a channel withholds: names and addresses that it erased after a privacy request, tells no
//! more after some weeks, or keeps from an app. That is no change, and nothing that was known is
//! emptied by it (P-11). What stands in a document in the place of something erased, an adapter
//! reads as nothing.

use std::borrow::Cow;

use super::{Address, Buyer, Order};

/// What is known of the people of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct People {
    /// Who bought.
    pub(crate) buyer: Buyer,
    /// Where the parcels go.
    pub(crate) ship_to: Vec<Address>,
    /// Who is billed.
    pub(crate) bill_to: Option<Address>,
    /// What the buyer wrote.
    pub(crate) buyer_note: String,
    /// The gateway's transaction id, which leads to the payer.
    pub(crate) transaction_id: String,
}

impl People {
    /// Those of a version.
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            buyer: order.buyer.clone(),
            ship_to: order.ship_to.clone(),
            bill_to: order.bill_to.clone(),
            buyer_note: order.buyer_note.clone(),
            transaction_id: order.payment.transaction_id.clone(),
        }
    }
}

impl Order {
    /// The same with what is `known` in the place of what it does not tell any more. An address
    /// that tells anything else than the known one stands as it is: that is a change.
    pub(crate) fn with_known(&self, known: &People) -> Self {
        let mut full = self.clone();
        let Buyer { remote_id, name, email, phone } = &mut full.buyer;
        let of = &known.buyer;
        for (now, before) in [(name, &of.name), (email, &of.email), (phone, &of.phone), (remote_id, &of.remote_id)] {
            fill(now, before);
        }
        if full.ship_to.is_empty() && full.lines.iter().any(|line| line.ships) {
            full.ship_to.clone_from(&known.ship_to);
        } else if full.ship_to.len() == known.ship_to.len() {
            full.ship_to.iter_mut().zip(&known.ship_to).for_each(|(now, before)| fill_address(now, before));
        }
        match (&mut full.bill_to, &known.bill_to) {
            (Some(now), Some(before)) => fill_address(now, before),
            (now, before) => *now = now.take().or_else(|| before.clone()),
        }
        // Taken out by itself, a note is a change.
        if (&full.buyer, &full.ship_to, &full.bill_to) != (&self.buyer, &self.ship_to, &self.bill_to) {
            fill(&mut full.buyer_note, &known.buyer_note);
            fill(&mut full.payment.transaction_id, &known.transaction_id);
        }
        full
    }
}

impl Order {
    /// The same with what `later` has of names and options, where they are untold here: an earlier
    /// version of the program asked the channel for less. Whoever lives at another place, or is
    /// called otherwise, is another one all the same.
    pub(crate) fn with_asked_since<'o>(&'o self, later: &Order) -> Cow<'o, Self> {
        if !self.asked_less || later.asked_less {
            return Cow::Borrowed(self);
        }
        let mut full = self.clone();
        if full.ship_to.len() == later.ship_to.len() {
            for (before, after) in full.ship_to.iter_mut().zip(&later.ship_to) {
                if is_within(before.name.split_whitespace(), after.name.split_whitespace()) {
                    before.name.clone_from(&after.name);
                }
            }
        }
        for line in &mut full.lines {
            let of_line = later.lines.iter().find(|later| later.remote_id == line.remote_id);
            if let Some(later) = of_line.filter(|later| is_within(parts(&line.variant), parts(&later.variant))) {
                line.variant.clone_from(&later.variant);
            }
        }
        Cow::Owned(full)
    }
}

fn parts(variant: &str) -> impl Iterator<Item = &str> {
    variant.split(", ").filter(|part| !part.is_empty())
}

/// Whether these words are there in their order, with others or without.
fn is_within<'w>(words: impl Iterator<Item = &'w str>, mut all: impl Iterator<Item = &'w str>) -> bool {
    let mut words = words.peekable();
    words.peek().is_some() && words.all(|word| all.any(|other| other == word))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn fill(now: &mut String, before: &str) {
    if is_blank(now) {
        before.clone_into(now);
    }
}

/// Fills an address that lost whom or which door it is for, where the rest of it says nothing else
/// than before.
fn fill_address(now: &mut Address, before: &Address) {
    let is_lost = |now: &str, before: &str| is_blank(now) && !is_blank(before);
    let is_erased = is_lost(&now.line1, &before.line1) || is_lost(&now.name, &before.name);
    let mut full = now.clone();
    for (now, before) in full.label_mut().into_iter().zip(before.label()) {
        fill(now, before);
    }
    if !full.same_place(before) || !(is_erased || now.same_place(before)) {
        return;
    }
    fill(&mut full.phone, &before.phone);
    fill(&mut full.email, &before.email);
    *now = full;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Field, Status, differences, testing};

    type Change = fn(&mut Order);

    fn order() -> Order {
        let mut order = testing::order("7", Status::AwaitingFulfillment);
        order.ship_to[0].company = "Tea Ltd".into();
        order.ship_to[0].line2 = "Back door".into();
        order.ship_to[0].phone = "+49 1".into();
        order.buyer_note = "please ring".into();
        order
    }

    fn erase(a: &mut Address) {
        *a = Address { remote_id: a.remote_id.take(), ..Address::default() };
    }

    #[test]
    fn p11_what_a_channel_no_longer_tells_is_no_change_and_is_kept() {
        let before = order();
        let erased: [(&str, Change); 6] = [
            ("no addresses", |o| (o.ship_to, o.bill_to, o.buyer) = (Vec::new(), None, Buyer::default())),
            ("all", |o| {
                erase(&mut o.ship_to[0]);
                erase(o.bill_to.as_mut().unwrap());
                (o.buyer, o.buyer_note) = (Buyer::default(), String::new());
            }),
            ("one address", |o| erase(&mut o.ship_to[0])),
            ("names and streets", |o| {
                let to = &mut o.ship_to[0];
                [&mut to.name, &mut to.line1, &mut to.line2, &mut to.company].into_iter().for_each(String::clear);
            }),
            ("names", |o| o.ship_to[0].name.clear()),
            ("contacts", |o| {
                o.ship_to[0].phone.clear();
                o.buyer.email.clear();
            }),
        ];
        for (what, erase) in erased {
            let mut after = before.clone();
            erase(&mut after);
            assert_ne!(after, before, "{what}");
            assert_eq!(after.with_known(&People::of(&before)), before, "{what}");
            assert_eq!(differences(&before, &after), [], "{what}");
        }
    }

    #[test]
    fn p11_what_a_channel_tells_anew_is_a_change_also_where_it_is_less() {
        let before = order();
        let changes: [(&str, Change); 5] = [
            ("line 2 taken out", |o| o.ship_to[0].line2.clear()),
            ("company taken out", |o| o.ship_to[0].company.clear()),
            ("another town, no street", |o| {
                o.ship_to[0].line1.clear();
                o.ship_to[0].city = "Elsewhere".into();
            }),
            ("another person, no phone", |o| {
                o.ship_to[0].name = "Sam Other".into();
                o.ship_to[0].phone.clear();
            }),
            ("fetched by the buyer", |o| {
                o.ship_to.clear();
                o.lines.iter_mut().for_each(|line| line.ships = false);
            }),
        ];
        for (what, change) in changes {
            let mut after = before.clone();
            change(&mut after);
            assert_eq!(after.with_known(&People::of(&before)).ship_to, after.ship_to, "{what}");
            assert!(differences(&before, &after).iter().any(|found| found.aspect == Field::Address), "{what}");
        }
        let mut after = before.clone();
        after.buyer_note.clear();
        assert_eq!(differences(&before, &after).len(), 1, "a note that is taken out");
    }
}
