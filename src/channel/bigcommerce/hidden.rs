//! Orders that the store itself cannot show: every list that holds one, and it alone, is a server
//! error.
//!
//! They are looked for by id, because ids do not move ([`super::walk::Slice`]): a list by time
//! would move on while it is searched.

use super::api::{self, Api};
use super::document::INCLUDE;
use super::pages::{Aside, Read, fetch, one, step as plain};
use super::settings::Settings;
use super::walk::{Slice, Walking};
use crate::channel::Unshown;
use crate::channel::isolate::isolate;
use crate::error::{Error, ErrorKind, Result};

/// So many orders in a row that cannot be shown make one wonder whether it is the orders.
const MANY: u32 = 3;

/// At most so many orders in a row are asked for by themselves.
const NEIGHBOURS: u64 = 12;

/// Ids further away than this are not looked through.
const FARTHEST: u64 = 1 << 40;

/// Asks the list of orders for none: an outage fails here too, and an order that cannot be shown
/// does not.
///
/// # Errors
/// What the store fails with.
pub fn well(api: &Api) -> Result<()> {
    let none = [("limit", "1".to_owned()), ("min_id", u32::MAX.to_string()), ("max_id", u32::MAX.to_string())];
    api.get("v2/orders", &none).map(|_| ())
}

/// The same question about an order, with all that is asked of one: the newest or the oldest.
fn shows_any(api: &Api) -> Result<()> {
    let include = api.facts().include.then_some(INCLUDE).into_iter().flatten();
    let include: Vec<_> = include.map(|(name, value)| (name, value.to_owned())).collect();
    let one = |sort: &str| {
        let mut query = vec![("limit", "1".to_owned()), ("sort", sort.to_owned())];
        query.extend(include.iter().cloned());
        api.get_once("v2/orders", &query, 1)
    };
    one("id:desc").or_else(|_| one("id:asc")).map(|_| ())
}

/// Reads the slice's next page, up to an order that the store cannot show, and past it.
pub fn step(
    api: &Api,
    settings: &Settings,
    slice: &Slice,
    more: Aside,
    repeats: Option<u32>,
) -> Result<(Read, Option<Slice>)> {
    let error = match plain(api, settings, slice, more, repeats.or((slice.vain > 0).then_some(1))) {
        Err(error) if error.is_too_much() => error,
        done => return done,
    };
    let size = settings.page_size.min(api.bearable()).clamp(2, api::DEFAULT_PAGE);
    let mut read = Read::default();
    let found = isolate(
        slice.clone(),
        size,
        |at: &Slice, count| {
            // The row of the lower bound may come along.
            let (page, next) = fetch(api, at, count + 1, more, u32::from(count == 1))?;
            read.join(page);
            Ok((Vec::<()>::new(), next))
        },
        || well(api),
    )?;
    let Some(at) = found.at else { return Ok((read, None)) };
    if found.why.is_none() {
        // It was too much at once, or it has passed.
        api.at_most((size / 2).max(2));
        return Ok((read, Some(at)));
    }
    if slice.vain >= MANY && at == *slice {
        shows_any(api).map_err(|_| error)?;
    }
    api.bears_more();
    let next = past(api, &at, more, &mut read)?;
    Ok((read, next))
}

/// Finds out which order it is that comes next and cannot be shown, and goes on behind it. An order
/// that can be shown by itself is taken.
fn past(api: &Api, at: &Slice, more: Aside, read: &mut Read) -> Result<Option<Slice>> {
    let Some(id) = next_id(api, at, more)? else { return Err(nameless(at)) };
    // Bounds that exclude make it this one, bounds that include the one after it; and the bound of
    // what follows is none that fails.
    let mut last = id;
    for next in id..id.saturating_add(NEIGHBOURS) {
        last = next;
        match one(api, next, Some(1)) {
            Ok(Some(order)) => read.orders.push(order),
            Ok(None) => {}
            Err(error) if error.is_too_much() => {
                read.unshown.push(Unshown::of(next.to_string(), &error));
                continue;
            }
            Err(error) => return Err(error),
        }
        if next >= id + 2 {
            break;
        }
    }
    let over = at.until.is_some_and(|until| last >= until);
    let mut held = at.held.clone();
    if let Some(held) = &mut held {
        held.census = held.census.meet(last.saturating_sub(at.after));
    }
    Ok((!over).then(|| Slice { after: last, vain: at.vain + 1, held, ..at.clone() }))
}

/// The lowest id of which a list up to the one after it fails: first ever farther, then in halves
/// between.
fn next_id(api: &Api, at: &Slice, more: Aside) -> Result<Option<u64>> {
    let fails = |distance: u64| -> Result<bool> {
        let upto = Slice { until: at.after.checked_add(distance), ..at.clone() };
        let mut query = upto.query(2);
        query.extend(more.map(|(name, value)| (name, value.to_owned())));
        match api.get_once("v2/orders", &query, 0) {
            Ok(_) => Ok(false),
            Err(error) if error.is_too_much() => Ok(true),
            Err(error) => Err(error),
        }
    };
    let (mut below, mut reach) = (0, 1);
    // One that is known already is not looked for again.
    if let Some(known) = at.shut.iter().filter_map(|id| id.checked_sub(at.after)).filter(|distance| *distance > 2).min()
        && !fails(known - 2)?
    {
        (below, reach) = (known - 2, known);
    }
    while !fails(reach)? {
        (below, reach) = (reach, reach * 2);
        if reach > FARTHEST {
            return Ok(None);
        }
    }
    while reach - below > 1 {
        let middle = below + (reach - below) / 2;
        if fails(middle)? { reach = middle } else { below = middle }
    }
    Ok(at.after.checked_add(reach))
}

/// A store that fails at a page of one order, and does not when it is asked which.
fn nameless(at: &Slice) -> Error {
    let text = format!(
        "BigCommerce fails at the order after number {}, and does not say which it is; nothing more was imported",
        at.after
    );
    Error::new(ErrorKind::Temporary, text)
        .hint("the next sync tries again by itself; status.bigcommerce.com tells of outages")
}
