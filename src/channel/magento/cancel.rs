//! Cancellation: a comment for the staff with the reason, then the act. What cannot be cancelled is
//! refused with the reason, before anything is written: the shop itself answers no more than
//! `false`.

use super::api::Api;
use super::lines::Rows;
use super::operation::Operation;
use super::status::{CANCELED, CLOSED, HELD, REVIEW};
use super::wire::{Comment, Order};
use crate::channel::{RemoteOrder, Step, Write, impossible, rows};
use crate::error::{Error, ErrorKind, Result};

/// The receipt of the comment, of which the shop tells no id.
pub(crate) const NOTED: &str = "comment";

/// What is to be done to cancel this order.
pub(crate) fn step(api: &Api, now: &RemoteOrder, id: u64, reason: &str, receipts: &[String]) -> Result<Step> {
    let order: Order<'_> = serde_json::from_str(now.document.get()).map_err(|_| {
        Error::new(ErrorKind::Unreadable, "the order cannot be read at the channel; nothing was written")
    })?;
    if order.state.get() == CANCELED {
        return Ok(Step::Nothing);
    }
    if let Some(why) = forbids(&order) {
        let error = impossible(why);
        let is_open = matches!(order.state.get(), HELD | REVIEW);
        let hint = "an invoiced order is given back with a credit memo, in the shop's admin: Sales > Orders";
        return Err(if is_open { error } else { error.hint(hint) });
    }
    let note = format!("Cancelled: {}", reason.trim());
    let mut writes = Vec::new();
    let noted = reason.trim().is_empty() || receipts.iter().any(|receipt| receipt.starts_with(NOTED));
    if !noted && !comments(api, id)?.iter().any(|there| there.trim() == note) {
        let status = order.status.get().to_owned();
        writes.push(Write::new(
            "add a comment for the staff with the reason",
            Operation::Comment { order: id, text: note, status },
        )?);
    }
    writes.push(Write::new("cancel the order", Operation::Cancel { order: id })?);
    Ok(Step::Write(writes))
}

/// Why the shop would answer `false`, or cancel a part alone.
fn forbids(order: &Order<'_>) -> Option<String> {
    let state = order.state.get();
    match state {
        HELD => {
            return Some(
                "the order is on hold at the shop, which cancels no held order: take the hold off there first"
                    .to_owned(),
            );
        }
        REVIEW => return Some("the order's payment is under review at the shop: decide that there first".to_owned()),
        "complete" | CLOSED => {
            return Some(format!("the order is {state} at the shop and cannot be cancelled any more"));
        }
        _ => {}
    }
    match Rows::of(order).invoiced() {
        Ok((false, true)) => Some("the order is invoiced at the shop and cannot be cancelled any more".to_owned()),
        Ok((true, true)) => {
            Some("a part of the order is invoiced at the shop: it would cancel the rest alone".to_owned())
        }
        _ => None,
    }
}

/// What stands beside the order.
fn comments(api: &Api, id: u64) -> Result<Vec<String>> {
    let query = [("fields".to_owned(), "items[comment],total_count".to_owned())];
    let reply = api.get(&format!("orders/{id}/comments"), &query, None)?;
    let listed = rows::member(&reply, "items", "total_count")?;
    let read = |row: &serde_json::value::RawValue| {
        serde_json::from_str::<Comment<'_>>(row.get()).ok().map(|one| one.comment.get().to_owned())
    };
    Ok(listed.rows.iter().filter_map(|row| read(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(state: &str, invoiced: &[(u32, u32, u32)]) -> Option<String> {
        let items: Vec<_> = invoiced.iter().zip(1..).map(|((ordered, invoiced, canceled), id)| {
            serde_json::json!({ "item_id": id, "qty_ordered": ordered, "qty_invoiced": invoiced, "qty_canceled": canceled })
        }).collect();
        let text = serde_json::json!({ "state": state, "items": items }).to_string();
        forbids(&serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn d8_what_the_shop_would_not_cancel_is_refused_with_the_reason() {
        assert_eq!(why("new", &[(2, 0, 0)]), None);
        assert_eq!(why("processing", &[(2, 0, 0)]), None, "authorised and not invoiced");
        for (state, items, words) in [
            ("holded", &[(2, 0, 0)][..], "on hold"),
            ("payment_review", &[(2, 0, 0)], "under review"),
            ("complete", &[(2, 2, 0)], "complete"),
            ("closed", &[(2, 2, 0)], "closed"),
            ("processing", &[(2, 2, 0), (3, 1, 2)], "is invoiced"),
            ("processing", &[(2, 2, 0), (3, 0, 0)], "a part"),
        ] {
            assert!(why(state, items).is_some_and(|why| why.contains(words)), "{state}: {words}");
        }
    }
}
