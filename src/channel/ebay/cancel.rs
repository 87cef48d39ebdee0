//! Cancellation by Post-Order: of whole orders, for a reason of eBay's, and done when eBay says so.
//!
//! eBay is asked first whether the order can be cancelled and for which reasons. What a buyer has asked
//! for is agreed to. An answer without a number has cancelled nothing. From then on the order itself is
//! looked at, in this run and in those to come, until eBay has closed the request; the money of a paid
//! order goes back with it.

use std::time::Duration;

use super::api::{Api, writable};
use super::map;
use super::operation::{Operation, moment};
use super::status::Cancelling;
use super::wire::{Cancellation as Request, Cancellations, Created, Detail, Eligibility};
use crate::channel::{Cancellation, RemoteOrder, Step, Write};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Reply, status};
use crate::order::Order;

/// How long eBay is given before it is looked again.
const A_MOMENT: Duration = Duration::from_secs(2);

const STOCK: &str = "OUT_OF_STOCK_OR_CANNOT_FULFILL";
const BUYER: &str = "BUYER_ASKED_CANCEL";
const ADDRESS: &str = "ADDRESS_ISSUES";
const UNPAID: &str = "ORDER_UNPAID";

/// The reasons that a seller may give.
const REASONS: [&str; 4] = [STOCK, BUYER, ADDRESS, UNPAID];

/// What is to be done now so that the order is cancelled.
pub(crate) fn step(api: &Api, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
    let unreadable = |why: &str| {
        Error::new(
            ErrorKind::Unreadable,
            format!("the order cannot be read at the channel ({why}); nothing was written"),
        )
    };
    let order = now.order.as_deref().map_err(|why| unreadable(why))?;
    let told = map::read(now.document.get()).map_err(|why| unreadable(&why))?;
    let id = writable(&order.remote_id)?;
    match Cancelling::of(told.cancel.0.state.get()) {
        Cancelling::Done => return Ok(Step::Nothing),
        Cancelling::UnderWay => {
            let open = map::open_request(&told.cancel.0);
            let open = open.map(|one| (one.id.get().to_owned(), map::is_buyers(one.initiator.get())));
            return match open {
                Some((request, true)) if !receipts.contains(&request) => approve(&request),
                _ => follow(api, &id, receipts),
            };
        }
        Cancelling::No => {}
    }
    // The order may lag behind what was asked for, by an answer that was lost or by somebody else.
    let known = requests(api, &id)?;
    if let Some(open) = known.iter().find(|one| one.is_open()) {
        return match open.is_buyers && !receipts.contains(&open.id) {
            true => approve(&open.id),
            false => Ok(Step::Wait(A_MOMENT)),
        };
    }
    if let Some(closed) = known.iter().find(|one| receipts.contains(&one.id)) {
        return closed.outcome();
    }
    let reason = reason(api, order, &id, &cancellation.reason)?;
    let paid_at = order.paid_at.map(moment);
    let summary = format!("ask eBay to cancel the order ({})", in_words(&reason));
    Ok(Step::Write(vec![Write::new(summary, Operation::Cancel { order: id, reason, paid_at })?]))
}

fn approve(request: &str) -> Result<Step> {
    let operation = Operation::Approve { request: writable(request)? };
    Ok(Step::Write(vec![Write::new("agree to the buyer's request to cancel the order", operation)?]))
}

/// What became of a cancellation that is under way by the order itself.
fn follow(api: &Api, order: &str, receipts: &[String]) -> Result<Step> {
    let Some(request) = receipts.last().filter(|request| writable(request).is_ok()) else {
        return Ok(Step::Wait(A_MOMENT));
    };
    let reply = api.cancellation(request)?;
    if reply.status != 200 {
        return Ok(Step::Wait(A_MOMENT));
    }
    let (wrapped, _) = reply.json::<Detail<'_>>()?;
    let (bare, _) = reply.json::<Request<'_>>()?;
    let detail = if wrapped.detail.0.id.get().is_empty() { bare } else { wrapped.detail.0 };
    match Found::of(&detail, order) {
        Some(found) if !found.is_open() => found.outcome(),
        _ => Ok(Step::Wait(A_MOMENT)),
    }
}

/// A request that eBay has.
struct Found {
    id: String,
    state: String,
    status: String,
    is_buyers: bool,
}

impl Found {
    fn of(request: &Request<'_>, order: &str) -> Option<Self> {
        let id = request.id.id()?.to_owned();
        let of = request.order.get();
        let text = |text: &crate::channel::json::Text<'_>| text.get().to_ascii_uppercase();
        let is_buyers = map::is_buyers(request.by.get());
        let found = Self { id, state: text(&request.state), status: text(&request.status), is_buyers };
        (of.is_empty() || of == order).then_some(found)
    }

    fn is_rejected(&self) -> bool {
        self.status == "CANCEL_REJECTED" || self.status == "INVALID"
    }

    fn is_open(&self) -> bool {
        self.state != "CLOSED" && !self.is_rejected()
    }

    /// What a request came to that is closed: the order shows it in a moment, or it came to nothing.
    fn outcome(&self) -> Result<Step> {
        if !self.is_rejected() {
            return Ok(Step::Wait(A_MOMENT));
        }
        let text =
            format!("eBay has closed the cancellation {} without cancelling the order ({})", self.id, self.status);
        Err(Error::new(ErrorKind::Rejected, text)
            .hint("the order's page at eBay says why; ordersync retry ORDER asks anew"))
    }
}

/// The cancellations of an order.
fn requests(api: &Api, order: &str) -> Result<Vec<Found>> {
    let reply = api.cancellations(order)?;
    if reply.status != 200 {
        return Ok(Vec::new());
    }
    let (list, _) = reply.json::<Cancellations<'_>>()?;
    Ok(list.cancellations.rows.iter().filter_map(|one| Found::of(one, order)).collect())
}

/// The reason to give: of those that eBay takes for this order the one that the merchant's words mean.
///
/// # Errors
/// `Rejected` where eBay does not cancel it, or not for that.
fn reason(api: &Api, order: &Order, id: &str, words: &str) -> Result<String> {
    let meant = meant(words, order.paid_at.is_some());
    // The sandbox has no such question.
    if api.sandbox {
        return Ok(meant.to_owned());
    }
    let reply = api.may_cancel(id)?;
    let (told, _) = reply.json::<Eligibility<'_>>()?;
    if !told.eligible.is_true() {
        return Err(not_eligible(&told));
    }
    let taken: Vec<&str> = told.reasons.rows.iter().map(|one| one.get()).filter(|one| !one.is_empty()).collect();
    // An older spelling lacks the last letter.
    let same = |taken: &&&str| **taken == meant || taken.trim_end_matches('S') == meant.trim_end_matches('S');
    if taken.is_empty() {
        return Ok(meant.to_owned());
    }
    match taken.iter().find(same) {
        Some(reason) => Ok((*reason).to_owned()),
        None if words.trim().is_empty() => Ok(taken.first().copied().unwrap_or(meant).to_owned()),
        None => {
            let known: Vec<String> = taken.iter().map(|one| in_words(one)).collect();
            let text =
                format!("eBay does not cancel this order for that reason ({}); nothing was written", in_words(meant));
            Err(Error::new(ErrorKind::Rejected, text).hint(format!("--reason with one of: {}", known.join(", "))))
        }
    }
}

/// What a merchant's words mean among eBay's reasons. Where they say nothing of it, it is the seller who
/// cannot send it, which counts as a defect: another is not claimed without being said.
fn meant(words: &str, is_paid: bool) -> &'static str {
    let lower = words.to_lowercase().replace(['-', '_'], " ");
    let says = |all: &[&str]| all.iter().any(|word| lower.contains(word));
    let exact = REASONS.into_iter().find(|reason| lower.trim() == reason.to_lowercase().replace('_', " "));
    match exact {
        Some(reason) => reason,
        None if says(&["unpaid", "not paid", "no payment"]) => UNPAID,
        None if says(&["address"]) => ADDRESS,
        None if says(&["buyer", "customer", "changed mind", "mistake"]) => BUYER,
        None if lower.trim().is_empty() && !is_paid => UNPAID,
        None => STOCK,
    }
}

/// `out of stock or cannot fulfill`.
fn in_words(reason: &str) -> String {
    reason.replace('_', " ").to_lowercase()
}

fn not_eligible(told: &Eligibility<'_>) -> Error {
    let failures: Vec<&str> = told.failures.rows.iter().map(|one| one.get()).filter(|one| !one.is_empty()).collect();
    let why = |failure: &&str| match *failure {
        "SHIPPED_ORDER" => "it is shipped",
        "FULL_REFUNDED_ORDER" => "its money went back already",
        "PARTIAL_REFUNDED_ORDER" => "some of its money went back already",
        "CANCEL_WINDOW_ELAPSED" => "it is too old",
        "CANCELLATION_EXIST" => "a cancellation was asked for already",
        "RETURN_EXIST" => "a return is open",
        "CASE_EXIST" => "a case is open",
        "CHARGEBACK_OPENED" | "PAYPAL_DISPUTE_EXIST" => "its payment is disputed",
        _ => "",
    };
    let words: Vec<&str> = failures.iter().map(why).filter(|why| !why.is_empty()).collect();
    let words = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
    let codes = if failures.is_empty() { "no reason given".to_owned() } else { failures.join(", ") };
    let text = format!("eBay does not cancel this order{words} ({}); nothing was written", status::short(&codes));
    Error::new(ErrorKind::Rejected, text).hint("the order's page at eBay says what can be done")
}

/// The number of the cancellation that an answer tells of. Without one nothing was cancelled, whatever
/// its status says.
///
/// # Errors
/// `Rejected` where there is none, `Unknown` where it cannot be read.
pub(crate) fn number(reply: &Reply) -> Result<String> {
    let unknown = |error: Error| {
        let text =
            format!("eBay's answer cannot be read ({}); whether it cancels the order is not known", error.message());
        Error::new(ErrorKind::Unknown, text)
    };
    let (created, _) = reply.json::<Created<'_>>().map_err(unknown)?;
    if let Some(id) = created.id.id() {
        return Ok(id.to_owned());
    }
    let error = not_eligible(&created.eligibility.0);
    let text = error.message().replace("eBay does not", "eBay took the request and does not");
    Err(Error::new(ErrorKind::Rejected, text).hint(error.hint_text().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reply(body: serde_json::Value) -> Reply {
        Reply { status: 200, body: body.to_string().into_bytes(), ..Reply::default() }
    }

    #[test]
    fn d8_an_answer_without_a_number_has_cancelled_nothing() {
        assert_eq!(number(&reply(json!({ "cancelId": "5000123456" }))).unwrap(), "5000123456");
        assert_eq!(number(&reply(json!({ "cancelId": 5_000_123_456_u64 }))).unwrap(), "5000123456");
        let none = json!({ "orderEligibilityResult": { "eligible": false, "failureReason": ["SHIPPED_ORDER"] } });
        let error = number(&reply(none)).unwrap_err();
        assert!(error.kind() == ErrorKind::Rejected && error.message().contains("it is shipped"), "{error}");
        assert_eq!(number(&reply(json!({}))).unwrap_err().kind(), ErrorKind::Rejected);
        let cut = Reply { status: 200, body: b"{\"cancelId\":".to_vec(), ..Reply::default() };
        assert_eq!(number(&cut).unwrap_err().kind(), ErrorKind::Unknown);
    }

    #[test]
    fn d8_words_become_one_of_ebays_reasons_and_no_buyer_is_named_who_was_not() {
        for (words, is_paid, reason) in [
            ("", true, STOCK),
            ("", false, UNPAID),
            ("sold out", true, STOCK),
            ("the buyer changed his mind", true, BUYER),
            ("BUYER_ASKED_CANCEL", true, BUYER),
            ("wrong address", true, ADDRESS),
            ("not paid", false, UNPAID),
            ("lost", true, STOCK),
        ] {
            assert_eq!(meant(words, is_paid), reason, "{words}");
        }
    }

    #[test]
    fn a_request_is_over_when_it_is_closed_or_turned_down() {
        let found = |state: &str, status: &str| {
            let text =
                json!({ "cancelId": "5", "cancelState": state, "cancelStatus": status, "requestorType": "BUYER" });
            Found::of(&serde_json::from_str(&text.to_string()).unwrap(), "12-1").unwrap()
        };
        assert!(found("INITIAL", "CANCEL_REQUESTED").is_open() && found("REFUND_PENDING", "CANCEL_PENDING").is_open());
        let closed = found("CLOSED", "CANCEL_CLOSED_WITH_REFUND");
        assert!(!closed.is_open() && matches!(closed.outcome(), Ok(Step::Wait(_))));
        assert_eq!(found("CLOSED", "CANCEL_REJECTED").outcome().unwrap_err().kind(), ErrorKind::Rejected);
    }
}
