//! One document for one order: its row of the list, and beside it, under `ordersync`, the parcels,
//! which eBay keeps elsewhere. Who wants to cancel it and why is told only where one order is asked
//! for, so an order with a cancellation is read by itself. One of which nothing has left, and that
//! nobody wants to cancel, is its row: it costs no request of its own.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::api::{self, Api};
use super::status::{Cancelling, has_parcels};
use super::wire::{Fulfillments, Head};
use super::{list, map};
use crate::channel::parts::{Rows, joined};
use crate::channel::rows::{broken, dug, nameless, single_with};
use crate::channel::{Found, RemoteOrder, Unshown};
use crate::error::{Error, ErrorKind, Result};

/// The member that has the parcels.
const FULFILLMENTS: &str = "fulfillments";

/// The member that has the id.
const ID: &str = "orderId";

/// So many orders in a row whose parts do not come say that it is not the orders.
const OUTAGE: usize = 3;

/// The rows with all that belongs to them. An order at whose parts eBay fails costs one order.
pub(crate) fn complete(api: &Api, rows: Vec<Box<RawValue>>) -> Result<Found> {
    let (mut found, mut in_vain) = (Found::default(), 0);
    for row in rows {
        let id = dug(&row, ID);
        match whole(api, row, None) {
            Ok(order) => found.orders.push(order),
            Err(error) if is_its_own(&error) => {
                // An outage fails at each of them, and is no fault of any.
                in_vain += 1;
                list::is_well(api)?;
                if in_vain >= OUTAGE && found.orders.is_empty() {
                    return Err(error.not_too_much());
                }
                let why = format!("its parcels, or its cancellation, which eBay keeps apart: {}", error.message());
                found.unshown.push(Unshown::of(id.unwrap_or_default(), &Error::new(error.kind(), why)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Whether it may be one order at which eBay fails, or whose parts cannot be read.
fn is_its_own(error: &Error) -> bool {
    error.is_too_much() || error.kind() == ErrorKind::Unreadable
}

/// One order with all that belongs to it; `None` where the account has none with this id.
pub(crate) fn one(api: &Api, id: &str) -> Result<Option<RemoteOrder>> {
    let reply = api.order(id)?;
    if reply.status != 200 {
        return Ok(None);
    }
    whole(api, single_with(&reply, ID)?.into_owned(), Some(id)).map(Some)
}

/// An order by its row, or by its own document, which was asked for by this id.
fn whole(api: &Api, mut row: Box<RawValue>, asked: Option<&str>) -> Result<RemoteOrder> {
    let known: Cow<'_, str> = Cow::Owned(row.get().to_owned());
    let head: Head<'_> = serde_json::from_str(&known).unwrap_or_default();
    let Some(id) = head.order_id.id().filter(|id| broken(&row).is_none() && api::checked(id).is_ok()) else {
        return Ok(remote(row));
    };
    let is_cancelling = Cancelling::of(head.cancel.0.state.get()) != Cancelling::No;
    let mut fulfillment = has_parcels(head.fulfillment.get());
    if is_cancelling && asked.is_none() {
        let reply = api.order(id)?;
        if reply.status == 200 {
            let own = single_with(&reply, ID)?.into_owned();
            if dug(&own, ID).as_deref() != Some(id) {
                return Err(reply.unusable("another order than the one that was asked for"));
            }
            fulfillment = has_parcels(&serde_json::from_str::<Head<'_>>(own.get()).unwrap_or_default().fulfillment.0);
            row = own;
        }
    }
    if fulfillment && asked.is_none_or(|asked| asked == id) {
        let parcels = parcels(api, id)?;
        return Ok(remote(joined(&row, &[(FULFILLMENTS, parcels)])?));
    }
    Ok(remote(row))
}

/// The parcels of an order as eBay shows them now.
pub(crate) fn parcels(api: &Api, id: &str) -> Result<Rows> {
    let reply = api.fulfillments(id)?;
    if reply.status != 200 {
        return Ok(Rows::new());
    }
    let (list, _) = reply.json::<Fulfillments<'_>>()?;
    if !list.fulfillments.listed {
        return Err(reply.unusable("JSON without fulfillments"));
    }
    Ok(list.fulfillments.rows.into_iter().map(ToOwned::to_owned).collect())
}

/// The order in a document.
fn remote(document: Box<RawValue>) -> RemoteOrder {
    let order = broken(&document).map_or_else(|| map::order(document.get()), |why| Err(why.to_owned()));
    let remote_id = match &order {
        Ok(order) => order.remote_id.clone(),
        Err(_) => dug(&document, ID).unwrap_or_else(|| nameless(document.get())),
    };
    RemoteOrder { remote_id, document, order: order.map(Box::new) }
}
