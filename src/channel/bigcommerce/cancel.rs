//! Cancellation: the status, with the reason at the end of the staff notes. Both in one request,
//! safe to repeat.

use super::operation::{NewStatus, Operation};
use super::shipments::status_id;
use super::wire;
use crate::channel::{Cancellation, RemoteOrder, Step, Write};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;

/// The longest staff notes that the vendor's schema permits.
const LONGEST_NOTES: usize = 65_535;

/// What is to be done to cancel this order. A declined order is as good as cancelled.
///
/// # Errors
/// `Refused` for an order that is shipped or refunded, wholly or in part, unless the merchant
/// insists: BigCommerce itself would let it be cancelled.
pub(crate) fn step(now: &RemoteOrder, id: u64, cancellation: &Cancellation) -> Result<Step> {
    let status = status_id(now);
    if matches!(status.as_str(), "5" | "6") {
        return Ok(Step::Nothing);
    }
    if !cancellation.force {
        refuse_done(now, &status)?;
    }
    let staff_notes = notes(now, cancellation.reason.trim());
    let with = if staff_notes.is_some() { " and add the reason to the staff notes" } else { "" };
    let operation = Operation::SetStatus { order: id, status: NewStatus::Cancelled, staff_notes };
    Ok(Step::Write(vec![Write::new(format!("set the order's status to cancelled{with}"), operation)?]))
}

fn refuse_done(now: &RemoteOrder, status: &str) -> Result<()> {
    let counted = serde_json::from_str::<wire::Cancellable<'_>>(now.document.get())
        .is_ok_and(|order| order.items_shipped.decimal("items_shipped").is_ok_and(|pieces| !pieces.is_zero()));
    let shipped = counted
        || now.order.as_ref().is_ok_and(|order| {
            !order.shipments.is_empty() || matches!(order.status, Status::Shipped | Status::PartiallyShipped)
        });
    let what = match status {
        "4" => "refunded",
        "2" | "10" => "shipped",
        _ if shipped => "shipped, wholly or in part,",
        "14" => "partly refunded",
        _ => return Ok(()),
    };
    let text = format!("the order is {what} at BigCommerce; it was not cancelled there");
    Err(Error::new(ErrorKind::Refused, text)
        .hint("ordersync cancel ... --force, if it is to be cancelled all the same"))
}

/// The staff notes with the reason at their end; none where it stands there already or does not
/// fit. A PUT replaces the notes as a whole.
fn notes(now: &RemoteOrder, reason: &str) -> Option<String> {
    // Notes that cannot be read would be lost.
    let order: wire::Cancellable<'_> = serde_json::from_str(now.document.get()).ok()?;
    let old = order.staff_notes.0.trim_end();
    let note = format!("Cancelled: {reason}");
    if reason.is_empty() || old.contains(&note) {
        return None;
    }
    let new = if old.is_empty() { note } else { format!("{old}\n{note}") };
    Some(new).filter(|notes| notes.chars().count() <= LONGEST_NOTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(document: &str) -> RemoteOrder {
        let document = serde_json::value::RawValue::from_string(document.to_owned()).unwrap();
        RemoteOrder { remote_id: "7".into(), document, order: Err("unreadable".into()) }
    }

    fn noted(document: &str, reason: &str) -> Option<String> {
        notes(&remote(document), reason)
    }

    #[test]
    fn what_is_shipped_by_the_orders_own_count_is_not_cancelled() {
        let refused = |document: &str| refuse_done(&remote(document), "11").is_err();
        assert!(refused(r#"{"items_shipped":1}"#) && refused(r#"{"items_shipped":"2"}"#));
        assert!(!refused(r#"{"items_shipped":0}"#) && !refused(r#"{"items_shipped":""}"#));
    }

    #[test]
    fn d8_notes_are_kept_whatever_else_of_the_order_cannot_be_read_and_a_reason_stands_there_once() {
        let odd = r#"{"staff_notes":"VIP","consignments":{"shipping":[7]}}"#;
        assert_eq!(noted(odd, "sold out").as_deref(), Some("VIP\nCancelled: sold out"));
        assert_eq!(noted("7", "sold out"), None, "notes that cannot be read are not replaced");
        assert_eq!(noted(r#"{"staff_notes":null}"#, "a\nb").as_deref(), Some("Cancelled: a\nb"));
        assert_eq!(noted(r#"{"staff_notes":"VIP\nCancelled: a\nb"}"#, "a\nb"), None);
    }
}
