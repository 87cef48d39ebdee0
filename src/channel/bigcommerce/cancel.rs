//! Cancellation: the status, with the reason at the end of the staff notes. Both in one request,
//! safe to repeat.

use super::operation::{NewStatus, Operation};
use super::shipments::status_id;
use super::wire;
use crate::channel::{RemoteOrder, Step, Write};
use crate::error::Result;

/// The longest staff notes that the vendor's schema permits.
const LONGEST_NOTES: usize = 65_535;

/// What is to be done to cancel this order. A declined order is as good as cancelled.
pub(crate) fn step(now: &RemoteOrder, id: u64, reason: &str) -> Result<Step> {
    if matches!(status_id(now).as_str(), "5" | "6") {
        return Ok(Step::Nothing);
    }
    let staff_notes = notes(now, reason.trim());
    let with = if staff_notes.is_some() { " and add the reason to the staff notes" } else { "" };
    let operation = Operation::SetStatus { order: id, status: NewStatus::Cancelled, staff_notes, was: status_id(now) };
    Ok(Step::Write(vec![Write::new(format!("set the order's status to cancelled{with}"), operation)?]))
}

/// The staff notes with the reason at their end; none where it stands there already or does not
/// fit. A PUT replaces the notes as a whole.
fn notes(now: &RemoteOrder, reason: &str) -> Option<String> {
    // Notes that cannot be read would be lost.
    let order: wire::Noted<'_> = serde_json::from_str(now.document.get()).ok()?;
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
    fn d8_notes_are_kept_whatever_else_of_the_order_cannot_be_read_and_a_reason_stands_there_once() {
        let odd = r#"{"staff_notes":"VIP","consignments":{"shipping":[7]}}"#;
        assert_eq!(noted(odd, "sold out").as_deref(), Some("VIP\nCancelled: sold out"));
        assert_eq!(noted("7", "sold out"), None, "notes that cannot be read are not replaced");
        assert_eq!(noted(r#"{"staff_notes":null}"#, "a\nb").as_deref(), Some("Cancelled: a\nb"));
        assert_eq!(noted(r#"{"staff_notes":"VIP\nCancelled: a\nb"}"#, "a\nb"), None);
    }
}
