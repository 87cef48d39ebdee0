//! What eBay means by an answer that is not the one asked for. What is about keys and consent stands
//! in [`super::auth`].
//!
//! An error is `{"errors":[{"errorId", "domain", "message", "longMessage"}]}` at the Sell APIs; at
//! Post-Order the same under `error`, or under `errorMessage`. The numbers are documented, the words
//! are passed on.

use super::auth::{self, POST_ORDER, WORDS};
use super::wire::{Failure, Refusal};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::http::status;
use crate::http::{Effect, Reply, Request, Verdict, url_for_people};

/// A bound that has not come yet, by eBay's clock.
const IN_FUTURE: &str = "30850";

/// No order can have such an id.
const NO_ORDER_ID: &str = "32100";

/// An error is no longer than this, in bytes.
const LONGEST: usize = 16 * 1024;

/// What a reply means.
pub(crate) fn classify(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let (status, effect) = (reply.status, request.effect);
    if matches!(status, 200..=299) {
        return good(request, reply, now);
    }
    let place = url_for_people(&request.url);
    let told = told(reply);
    let is = |id: &str| told.as_ref().is_some_and(|told| told.id == id);
    match status {
        401 => Verdict::Expired(auth::not_taken(status, &place)),
        403 if told.is_some() => Verdict::Refused(auth::lacks(auth::scope(request), status, &place)),
        404 if effect == Effect::Read && is_of_one(request) && told.is_some() => Verdict::Good,
        400 if effect == Effect::Read && is_of_one(request) && is(NO_ORDER_ID) => Verdict::Good,
        400 if effect == Effect::Read && is(IN_FUTURE) => Verdict::Good,
        429 => {
            let text = format!("the requests that eBay permits this keyset are used up (429, {place})");
            let error = Error::new(ErrorKind::Temporary, text).hint(status::AGAIN);
            Verdict::Throttled(reply.retry_after(now), error)
        }
        400 | 404 | 405 | 409 | 410..=412 | 415..=499 => match told {
            Some(told) => status::refused(&WORDS, request, status, &told.text()),
            None => status::classify(&WORDS, request, reply, now),
        },
        _ => status::classify(&WORDS, request, reply, now),
    }
}

/// A write that was taken has an answer without a body: the place of what was made stands in a header.
fn good(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let is_write = request.effect == Effect::Write;
    let is_bare = reply.body.trim_ascii().is_empty();
    let may_be_bare = reply.status == 201 || request.url.path().starts_with(POST_ORDER);
    if is_write && is_bare && may_be_bare {
        return Verdict::Good;
    }
    // A page of orders is no error, and is not read twice to find that out.
    match Some(reply).filter(|reply| reply.body.len() <= LONGEST).and_then(told) {
        Some(told) => {
            let what = format!("an error in the place of an answer ({})", status::short(&told.text()));
            Verdict::Transient(status::garbled(&WORDS, request, &what))
        }
        None => status::classify(&WORDS, request, reply, now),
    }
}

/// Whether the answer to the reading of a list is that a bound of it has not come yet at eBay.
pub(crate) fn is_in_future(reply: &Reply) -> bool {
    reply.status == 400 && told(reply).is_some_and(|told| told.id == IN_FUTURE)
}

/// An error as eBay words it.
pub(crate) struct Told {
    id: String,
    words: String,
}

impl Told {
    /// Its number.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        if self.id.is_empty() { self.words.clone() } else { format!("{} {}", self.id, self.words) }
    }
}

/// The first error in an answer; `None` where there is none in eBay's form.
pub(crate) fn told(reply: &Reply) -> Option<Told> {
    if !reply.body.trim_ascii().starts_with(b"{") {
        return None;
    }
    let (refusal, _) = reply.json::<Refusal<'_>>().ok()?;
    let all = [&refusal.errors, &refusal.error, &refusal.error_message.0.error];
    let first = all.into_iter().flat_map(|errors| &errors.rows).next()?;
    let Failure { error_id, message, long_message, .. } = first;
    let (short, long) = (message.get(), long_message.get());
    // The longer text repeats the shorter one, or says what it is about.
    let words = if long.is_empty() { short } else { long };
    Some(Told { id: error_id.get().to_owned(), words: words.to_owned() })
}

/// Whether what is asked for is one order or what belongs to it, and no list of orders.
fn is_of_one(request: &Request) -> bool {
    request.url.path().split_once("/order/").is_some_and(|(_, rest)| !rest.is_empty())
        || request.url.path().contains("/cancellation/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::law;

    fn to(path: &str, effect: Effect) -> Request {
        Request { effect, ..Request::get(url::Url::parse(&format!("https://api.ebay.com{path}")).unwrap()) }
    }

    fn verdict(path: &str, effect: Effect, status: u16, body: &str) -> Verdict {
        let reply = Reply { status, body: body.as_bytes().to_vec(), ..Reply::default() };
        classify(&to(path, effect), &reply, Timestamp::UNIX_EPOCH)
    }

    const ORDERS: &str = "/sell/fulfillment/v1/order";
    const FULFILLMENTS: &str = "/sell/fulfillment/v1/order/12-1/shipping_fulfillment";

    fn error(id: u32, words: &str) -> String {
        format!(r#"{{"errors":[{{"errorId":{id},"domain":"X","category":"REQUEST","message":"{words}"}}]}}"#)
    }

    #[test]
    fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
        for path in ["sell/fulfillment/v1/order", "post-order/v2/cancellation"] {
            law::holds(path, &[r#"{"errors":[{"errorId":30500,"message":"System error"}]}"#], |request, reply| {
                classify(request, reply, Timestamp::UNIX_EPOCH)
            });
        }
    }

    #[test]
    fn each_refusal_has_its_kind_and_ebays_words() {
        for (path, effect, status, body, kind, says) in [
            (ORDERS, Effect::Read, 403, error(1100, "Access denied"), ErrorKind::Permission, "sell.fulfillment"),
            (
                "/commerce/identity/v1/user/",
                Effect::Read,
                403,
                error(1100, "x"),
                ErrorKind::Permission,
                "commerce.identity",
            ),
            (
                ORDERS,
                Effect::Read,
                400,
                error(31100, "Invalid limit: 201"),
                ErrorKind::Failed,
                "31100 Invalid limit: 201",
            ),
            (FULFILLMENTS, Effect::Write, 400, error(32300, "Invalid shipment"), ErrorKind::Rejected, "32300 Invalid"),
            (FULFILLMENTS, Effect::Write, 409, error(0, "Conflict"), ErrorKind::Rejected, "Conflict"),
        ] {
            let Verdict::Refused(told) = verdict(path, effect, status, &body) else { panic!("{body}") };
            assert_eq!(told.kind(), kind, "{told}");
            assert!(told.message().contains(says), "{told}");
        }
        let Verdict::Expired(told) = verdict(ORDERS, Effect::Read, 401, &error(1001, "Invalid access token")) else {
            panic!()
        };
        assert_eq!(told.kind(), ErrorKind::Credentials);
        let words = r#"{"errorMessage":{"error":[{"errorId":1616,"message":"Not eligible"}]}}"#;
        let Verdict::Refused(told) = verdict("/post-order/v2/cancellation", Effect::Write, 400, words) else {
            panic!()
        };
        assert!(told.message().contains("1616 Not eligible"), "{told}");
    }

    #[test]
    fn what_is_not_there_is_an_answer_where_one_order_was_asked_for() {
        let missing = error(404, "not found");
        assert!(matches!(verdict(&format!("{ORDERS}/12-1"), Effect::Read, 404, &missing), Verdict::Good));
        assert!(matches!(
            verdict(&format!("{ORDERS}/x"), Effect::Read, 400, &error(32100, "Invalid order ID")),
            Verdict::Good
        ));
        assert!(matches!(verdict(ORDERS, Effect::Read, 404, &missing), Verdict::Refused(_)));
        assert!(matches!(verdict(&format!("{ORDERS}/12-1"), Effect::Read, 404, "<p>"), Verdict::Refused(_)));
    }

    #[test]
    fn d3_an_answer_without_a_body_is_one_where_something_was_made() {
        assert!(matches!(verdict(FULFILLMENTS, Effect::Write, 201, ""), Verdict::Good));
        assert!(matches!(verdict(FULFILLMENTS, Effect::Write, 200, ""), Verdict::Transient(_)));
        assert!(matches!(verdict(FULFILLMENTS, Effect::Write, 201, "<html>"), Verdict::Transient(_)));
        assert!(matches!(
            verdict(FULFILLMENTS, Effect::Write, 500, &error(30500, "System error")),
            Verdict::Transient(_)
        ));
    }
}
