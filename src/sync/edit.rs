//! What the merchant edits in an order, and gives up again. The channel is told nothing of it, and
//! nothing that comes from there changes it (P-5).

use super::goes_by;
use super::versions::{again, status_without_applied, told_of};
use crate::book::{Book, BookOrder, Edit, Kept, NewEdits, Place, Store, Value};
use crate::channel::Format;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Address, Difference, Field, Order, Status};

/// What is to be edited.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Parts of a delivery address, each by its name in [`Address::part_mut`].
    pub(crate) parts: Vec<(&'static str, String)>,
    /// Which of the delivery addresses, counted from one.
    pub(crate) nth: Option<usize>,
    /// What stands in the place of the buyer's note.
    pub(crate) note: Option<String>,
    /// Say what would change, and change nothing.
    pub(crate) dry_run: bool,
}

/// What was changed, or would be.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Before and after, in words.
    pub(crate) differences: Vec<Difference>,
    /// What the merchant is to know of it.
    pub(crate) warnings: Vec<String>,
}

/// Edits the order; nothing where it changed since it was read.
///
/// # Errors
/// `Usage` for what cannot be meant, `Refused` where it makes no sense any more.
pub(crate) fn edit(book: &mut Book, order: &BookOrder, wish: &Wish) -> Result<Option<Done>> {
    book.refuse_cleared(order.id)?;
    let mut edits = Vec::new();
    let mut done = Done::default();
    if !wish.parts.is_empty() {
        let position = which(order, wish.nth)?;
        let mut address = order.ship_to.get(position).cloned().unwrap_or_default();
        let before = address.clone();
        for (part, text) in &wish.parts {
            address.part_mut(part).into_iter().for_each(|stands| *stands = tidy(text));
        }
        address.country = address.country.to_uppercase();
        refuse_emptied(&wish.parts, &address)?;
        // Who says once more what stands there has seen what the channel changed under it.
        if address != before || order.followed.contains(&Field::Address) {
            done.warnings = warnings(order, &address)?;
            done.differences.push(difference(Field::Address, before.in_words(), address.in_words()));
            edits.push((Place::Address(position), Value::Address(Box::new(address))));
        }
    }
    let is_new = |note: &&str| *note != order.buyer_note.trim() || order.followed.contains(&Field::Notes);
    if let Some(note) = wish.note.as_ref().map(|note| note.trim()).filter(is_new) {
        let words = |text: &str| Value::Text(text.to_owned()).words();
        done.differences.push(difference(Field::Notes, words(&order.buyer_note), words(note)));
        edits.push((Place::Notes, Value::Text(note.to_owned())));
    }
    if wish.dry_run || edits.is_empty() {
        return Ok(Some(done));
    }
    let new = NewEdits { order: order.id, event: order.last_event, edits: &edits, differences: &done.differences };
    Ok(book.edit(&new)?.then_some(done))
}

/// Which of the order's addresses is meant.
///
/// # Errors
/// `Usage` where that is in doubt, `Refused` where none is to be changed any more.
pub(crate) fn which(order: &BookOrder, nth: Option<usize>) -> Result<usize> {
    let id = order.id;
    may_be_moved(order)?;
    let count = order.ship_to.len();
    match nth {
        None if count > 1 => {
            let text = format!("order {id} goes to {count} addresses, and none of them was named; nothing was changed");
            Err(Error::new(ErrorKind::Usage, text)
                .hint(format!("ordersync show book:{id} lists them; --address 1 is the first of them")))
        }
        Some(nth) if nth == 0 || nth > count.max(1) => {
            let text = format!("order {id} has no address {nth}; nothing was changed");
            Err(Error::new(ErrorKind::Usage, text).hint(format!("ordersync show book:{id} lists them")))
        }
        nth => Ok(nth.map_or(0, |nth| nth - 1)),
    }
}

/// Where an order went that is over is not changed any more.
fn may_be_moved(order: &BookOrder) -> Result<()> {
    let id = order.id;
    let waiting = order.outbox.iter().find(|row| row.state.is_open() && !row.may_be_there);
    let over = match (order.status, waiting) {
        (Status::Shipped, Some(row)) => {
            let text =
                format!("the address of order {id} is not changed while its dispatch waits; nothing was changed");
            let hint = format!("ordersync outbox --withdraw {} takes the dispatch back first", row.id);
            return Err(Error::new(ErrorKind::Refused, text).hint(hint));
        }
        (Status::Shipped, None) => "all of it is shipped",
        (Status::Cancelled, _) => "it is cancelled",
        _ if order.ship_to.is_empty() && !order.lines.iter().any(|line| line.ships) => {
            "nothing in it goes into a parcel"
        }
        _ => return Ok(()),
    };
    let text = format!("the address of order {id} is not changed: {over}; nothing was changed");
    Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{id} says how it stands")))
}

/// A street that is emptied is a script's variable that is not set, and no wish.
fn refuse_emptied(parts: &[(&'static str, String)], address: &Address) -> Result<()> {
    match parts.iter().find(|(part, text)| tidy(text).is_empty() && address.needs(part)) {
        None => Ok(()),
        Some((part, _)) => {
            let text = format!("--{part} is empty, as where a script's variable is not set; nothing was changed");
            Err(Error::new(ErrorKind::Usage, text)
                .hint(format!("give --{part} what is to stand there; a part that is not named stays as it is")))
        }
    }
}

fn warnings(order: &BookOrder, address: &Address) -> Result<Vec<String>> {
    if let Some(why) = address.undeliverable() {
        let text = format!("no parcel can be sent to this address: {why}; nothing was changed");
        return Err(Error::new(ErrorKind::Usage, text).hint("ordersync edit --help lists the parts of an address"));
    }
    let mut told = Vec::new();
    if !order.shipments.is_empty() {
        told.push("a parcel of it is recorded already, and went to the address of before".to_owned());
    }
    let lacks = address.lacks();
    if !lacks.is_empty() {
        told.push(format!("the address is without {}; carriers may ask for that", lacks.join(" and ")));
    }
    Ok(told)
}

/// On one line, and without what is no text.
fn tidy(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn difference(aspect: Field, before: String, after: String) -> Difference {
    Difference { aspect, before, after }
}

/// Gives up what the merchant has edited, in all fields where none is named; nothing where the
/// order changed since it was read.
///
/// # Errors
/// `NotFound` where nothing is edited there, `Refused` for the address of an order that is over.
pub(crate) fn revert(
    book: &mut Book,
    store: &Store,
    format: &dyn Format,
    order: &BookOrder,
    fields: &[Field],
    dry_run: bool,
) -> Result<Option<Done>> {
    let edited = |edit: &&Edit| fields.is_empty() || fields.contains(&edit.place.field());
    let edits: Vec<&Edit> = order.edits.iter().filter(edited).collect();
    let missing = fields.iter().find(|field| edits.iter().all(|edit| edit.place.field() != **field));
    if let (Some(what), _) | (None, Some(what)) =
        (missing.map(|field| field.word()), edits.is_empty().then_some("nothing"))
    {
        let id = order.id;
        let what = if what == "nothing" { "nothing of".to_owned() } else { format!("no {what} in") };
        let text = format!("you have edited {what} order {id}; nothing was changed");
        return Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{id} says what you have")));
    }
    let lifted: Vec<Field> = edits.iter().map(|edit| edit.place.field()).collect();
    if lifted.contains(&Field::Address) {
        may_be_moved(order)?;
    }
    let newest = without(book, store, format, order.id, &lifted)?;
    let copy = newest.as_ref().and_then(|(_, kept)| kept.copy.as_ref());
    let differences = edits.iter().map(|edit| {
        let channels = edit.channels.as_ref().map_or("none".to_owned(), Value::words);
        let after = copy.and_then(|copy| in_copy(copy, edit, order.ship_to.len())).unwrap_or(channels);
        difference(edit.place.field(), edit.value.words(), after)
    });
    let done = Done { differences: differences.collect(), warnings: Vec::new() };
    if dry_run {
        return Ok(Some(done));
    }
    let newest = newest.as_ref().map(|(seen, kept)| (seen, kept));
    Ok(book.revert(order.id, order.last_event, &lifted, newest, &done.differences)?.then_some(done))
}

/// What becomes of the newest version once nothing of these fields is edited any more; nothing
/// where none is kept, or nobody can tell.
fn without(
    book: &Book,
    store: &Store,
    format: &dyn Format,
    order: i64,
    fields: &[Field],
) -> Result<Option<(Order, Kept)>> {
    let Some(mut known) = book.known(order)? else { return Ok(None) };
    let Some(newest) = known.newest.as_deref().and_then(|document| format.order(document).ok()) else {
        return Ok(None);
    };
    let Ok(base) = goes_by::base(&known.basis, format) else { return Ok(None) };
    let told = told_of(store, format, &known, &base);
    known.since.edited.retain(|field| !fields.contains(field));
    // What was followed under an edit is the merchant's with it.
    let (settled, still) = std::mem::take(&mut known.since.followed).into_iter().partition(|one| fields.contains(one));
    let settled: Vec<Field> = settled;
    known.since.followed = still;
    known.since.fates.retain(|(field, _)| !settled.contains(field));
    let base = base.taking(&settled, &newest);
    let status = status_without_applied(&known.since, &base);
    Ok(again(store, format, &known, &base, status, told).map(|kept| (newest, kept)))
}

/// What stands in the place of an edit in a copy without it, of an order that had `before` so many
/// addresses.
fn in_copy(copy: &Order, edit: &Edit, before: usize) -> Option<String> {
    match edit.place_in(before, &copy.ship_to)? {
        Place::Notes => Some(Value::Text(copy.buyer_note.clone()).words()),
        Place::Address(position) => copy.ship_to.get(position).map(Address::in_words),
    }
}
