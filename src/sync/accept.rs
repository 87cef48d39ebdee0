//! Taking over the channel's newer version of an order, as a whole or field by field.

use super::goes_by::Versions;
use super::versions::{again, makes_status, status_without_applied, told_of};
use crate::book::{Acceptance, Accepted, Book, BookOrder, Circumstances, Kept, Known, Store, Value};
use crate::channel::Format;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Difference, Field, Order, Status};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    /// What is as the channel has it now, and was not.
    pub(crate) differences: Vec<Difference>,
    /// So many dispatches that have surely not gone out were taken back.
    pub(crate) taken_back: u64,
    /// What the merchant had edited and is the channel's now.
    pub(crate) given_up: Vec<Difference>,
    /// What still differs.
    pub(crate) left: Vec<Field>,
}

/// Takes over the newer version that the book has of this order, or these fields of it; nothing
/// where the order changed since it was read: then what was read of it is void.
///
/// # Errors
/// `NotFound` where the book has none, or it does not differ in one of the fields.
pub(crate) fn accept(
    book: &mut Book,
    store: &Store,
    format: &dyn Format,
    order: &BookOrder,
    fields: &[Field],
) -> Result<Option<Done>> {
    let Some(newest) = book.newest_document(order.id)? else { return Err(Book::no_newer(order.id)) };
    let seen = format.order(&newest)?;
    let versions = Versions::read(book, order.id, format).unwrap_or_default();
    let found = versions.as_ref().map(Versions::differences).unwrap_or_default();
    let (differences, left): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| fields.is_empty() || fields.contains(&found.aspect));
    if let Some(field) = fields.iter().find(|field| differences.iter().all(|found| found.aspect != **field)) {
        return Err(differs_not(order.id, *field, versions.is_none()));
    }
    let part = match (&versions, left.is_empty()) {
        (Some(versions), false) => in_part(book, store, format, versions, order.id, fields)?,
        // With the last of them the whole version is the merchant's.
        _ => None,
    };
    let left = part.as_ref().map(|_| left.iter().map(|found| found.aspect).collect()).unwrap_or_default();
    // An edit of what does not differ is none of this; without the version before nobody can tell.
    let given_up = given_up(order, |field| versions.is_none() || differences.iter().any(|one| one.aspect == field));
    let gives_up: Vec<Field> = given_up.iter().map(|edit| edit.aspect).collect();
    let acceptance = Acceptance {
        order: order.id,
        event: order.last_event,
        before: versions.as_ref().map(|versions| &versions.base),
        seen: &seen,
        fields,
        part: part.as_ref(),
        differences: &differences,
        gives_up: &gives_up,
    };
    match book.accept(&acceptance)? {
        Accepted::Taken(taken_back) => Ok(Some(Done { differences, taken_back, given_up, left })),
        Accepted::Moved => Ok(None),
    }
}

/// What the merchant has edited in such fields.
fn given_up(order: &BookOrder, is_taken: impl Fn(Field) -> bool) -> Vec<Difference> {
    let edits = order.edits.iter().map(|edit| Difference {
        aspect: edit.place.field(),
        before: edit.value.words(),
        after: edit.channels.as_ref().map_or("none".to_owned(), Value::words),
    });
    edits.filter(|edit| is_taken(edit.aspect)).collect()
}

/// What becomes of the version once these fields of it are the merchant's; nothing where the order
/// would follow it as a whole.
fn in_part(
    book: &Book,
    store: &Store,
    format: &dyn Format,
    versions: &Versions,
    order: i64,
    fields: &[Field],
) -> Result<Option<Kept>> {
    let (Some(mut known), Some(newest)) = (book.known(order)?, &versions.newest) else { return Ok(None) };
    let told = told_of(store, format, &known, &versions.base);
    let before = status_without_applied(&known.since, &versions.base);
    // What was applied until now is the merchant's as well from this act on.
    let taken: Vec<Field> = known.since.applied().into_iter().chain(fields.iter().copied()).collect();
    let after = versions.base.taking(&taken, newest);
    settle(&mut known, &taken);
    let status = if taken.iter().any(|field| makes_status(*field)) { standing(&known.since, &after) } else { before };
    Ok(again(store, format, &known, &after, status, told))
}

/// Of these fields nothing is to be said any more.
fn settle(known: &mut Known, fields: &[Field]) {
    let since = &mut known.since;
    since.fates.retain(|(field, _)| !fields.contains(field));
    since.followed.retain(|field| !fields.contains(field));
    since.rejected.retain(|(field, _)| !fields.contains(field));
    since.accepted.extend(fields);
    // What was edited is given up; what was sent or cancelled stays so.
    since.edited.retain(|field| makes_status(*field) || !fields.contains(field));
}

/// The status of an order whose merchant goes by this version, which the merchant's own acts stand
/// against.
fn standing(since: &Circumstances, base: &Order) -> Status {
    let is_own = |field| since.edited.contains(&field);
    match base.status {
        _ if is_own(Field::Cancelled) => Status::Cancelled,
        Status::Cancelled | Status::Shipped => base.status,
        _ if is_own(Field::Shipped) && matches!(since.status, Status::Shipped | Status::PartiallyShipped) => {
            since.status
        }
        status => status,
    }
}

fn differs_not(order: i64, field: Field, is_lost: bool) -> Error {
    let field = field.word();
    if is_lost {
        let text = format!(
            "the version of order {order} that you had is lost, so {field} cannot be accepted by itself; nothing was changed"
        );
        let hint = format!("ordersync accept book:{order} takes over the channel's version as a whole");
        return Error::new(ErrorKind::NotFound, text).hint(hint);
    }
    let text = format!("the channel's version of order {order} does not differ in {field}; nothing was changed");
    Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{order} lists what differs"))
}
