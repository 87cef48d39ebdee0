//! What BigCommerce means by an answer that is not the one asked for.
//!
//! V2 sends errors as a list, V3 as an object, newer parts as problem+json, and the gateway before
//! them plain text or HTML. Wording differs from place to place, so the status alone decides; the
//! words are only passed on.

use std::time::Duration;

use super::wire::Failure;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::http::status::{self, Words};
use crate::http::{Budget, Effect, Reply, Request, Verdict, told, url_for_people};

const WORDS: Words = Words {
    garbled: "a proxy stands before the API, or --endpoint is wrong",
    moved: "check --endpoint; BigCommerce's API itself never redirects",
    missing: "check the store hash (and --endpoint, where one is set)",
    credentials: "the API account was deleted, or the token or the store hash is wrong: make an API account in the control panel (Settings > Store-level API accounts), then ordersync connect --reauth STORE",
    failed: concat!(crate::http::again!(), "; status.bigcommerce.com tells of outages"),
    ..Words::of("BigCommerce")
};

/// A quota's window, where an answer does not say how long it is.
const WINDOW: Duration = Duration::from_secs(30);

/// What a reply means.
pub(crate) fn classify(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let place = url_for_people(&request.url);
    let own = match reply.status {
        // An empty list.
        204 => Some(Verdict::Good),
        403 => failure(reply).map(|_| Verdict::Refused(forbidden(request, &place))),
        404 => failure(reply).and_then(|_| missing(request)),
        401 | 406 | 408 | 413 | 414 => None,
        429 => {
            let text = format!("the store's quota, which all its apps share, is used up (429, {place})");
            let error = Error::new(ErrorKind::Temporary, text).hint(status::AGAIN);
            // Where it says no time, the platform itself is under load.
            Some(Verdict::Throttled(told_pause(reply, now), error))
        }
        status @ 400..=499 => Some(status::refused(&WORDS, request, status, &failure(reply).unwrap_or_default())),
        _ => None,
    };
    own.unwrap_or_else(|| status::classify(&WORDS, request, reply, now))
}

/// How long a 429 asks for: until the window ends, or the time that it names, whichever is longer.
fn told_pause(reply: &Reply, now: Timestamp) -> Option<Duration> {
    let window = number(reply, "x-rate-limit-time-reset-ms").and_then(told::window);
    // No time at all is no answer: asking again at once is what led here.
    reply.retry_after(now).into_iter().chain(window).max().filter(|pause| !pause.is_zero())
}

fn number(reply: &Reply, name: &str) -> Option<f64> {
    reply.header(name)?.trim().parse::<f64>().ok()
}

/// The quota as every answer tells it, less what is left to the store's other apps. They share it,
/// so only the store's own count is believed.
pub(crate) fn budget(reply: &Reply, reserve: u32) -> Option<Budget> {
    let number = |name: &str| number(reply, name).filter(|n| n.is_finite() && *n >= 0.0);
    let left = number("x-rate-limit-requests-left")?;
    let quota = number("x-rate-limit-requests-quota")?;
    let ends_in = number("x-rate-limit-time-reset-ms").and_then(told::window)?;
    let length = number("x-rate-limit-time-window-ms").map_or(Some(WINDOW), told::window)?;
    // However small the quota, some of it is ours.
    let reserve = f64::from(reserve).min((quota - 1.0).max(0.0));
    Some(Budget::Window {
        left: (left - reserve).max(0.0),
        quota: (quota - reserve).max(1.0),
        ends_in,
        length: length.max(Duration::from_millis(1)),
    })
}

/// A scope that is missing.
fn forbidden(request: &Request, place: &str) -> Error {
    let scope = scope(request);
    let text = format!("the access token lacks the scope {scope:?} (403, {place}); nothing was done");
    Error::new(ErrorKind::Permission, text).hint(format!(
        "scopes of an API account cannot be changed: make a new one with {scope} (and the others), then ordersync connect --reauth STORE. \
         If it has the scope: the store hash may be another store's, or the plan lacks the feature"
    ))
}

/// The scope that a request needs, as the control panel calls it.
fn scope(request: &Request) -> &'static str {
    let path = request.url.path();
    match request.effect {
        _ if path.ends_with("/v2/store") || path.ends_with("/v2/time") => "Information & Settings: read-only",
        Effect::Write => "Orders: modify",
        Effect::Read if path.contains("/payment_actions/") => "Orders: read-only, or Order Transactions: read-only",
        Effect::Read => "Orders: read-only",
    }
}

/// Nothing there, by the API itself: for the reading of one thing an answer. Of all orders it says
/// that the address is wrong.
fn missing(request: &Request) -> Option<Verdict> {
    let of_one_order = request
        .url
        .path()
        .split_once("/orders/")
        .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    match request.effect {
        Effect::Read => of_one_order.then_some(Verdict::Good),
        Effect::Write => {
            let text = "the store has no such order or shipment any more (404); nothing was written";
            Some(Verdict::Refused(Error::new(ErrorKind::Rejected, text)))
        }
    }
}

/// The words of an error in any of the API's forms. `None` where the body is in none of them.
fn failure(reply: &Reply) -> Option<String> {
    if let Ok((list, _)) = reply.json::<Vec<Failure<'_>>>() {
        return Some(list.first().map(|failure| failure.text().to_owned()).unwrap_or_default());
    }
    let is_object = reply.body.trim_ascii().starts_with(b"{");
    let one = is_object.then(|| reply.json::<Failure<'_>>().ok())??.0;
    Some(one.text().to_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Reply {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Reply { status, headers, body: body.as_bytes().to_vec(), ..Reply::default() }
    }

    fn request(effect: Effect, path: &str) -> Request {
        let url = url::Url::parse(&format!("https://api.bigcommerce.com/stores/abc123/{path}")).unwrap();
        Request { effect, ..Request::get(url) }
    }

    fn verdict(effect: Effect, path: &str, reply: &Reply) -> Verdict {
        classify(&request(effect, path), reply, Timestamp::UNIX_EPOCH)
    }

    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

    #[test]
    fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
        let undecided = &[r#"[{"status":500,"message":"x"}]"#, r#"{"status":503,"title":"x","errors":{}}"#];
        for path in ["stores/abc123/v2/orders", "stores/abc123/v2/orders/7/shipments"] {
            status::law::holds(path, undecided, |request, reply| classify(request, reply, Timestamp::UNIX_EPOCH));
        }
    }

    #[test]
    fn f4_neither_xml_nor_html_nor_half_an_answer_is_taken_for_json() {
        for (headers, body) in [
            (&[("content-type", "application/xml")][..], "<?xml version=\"1.0\"?><orders/>"),
            (&[("content-type", "text/html")][..], "<!DOCTYPE html><p>x"),
            (&[("content-type", "text/html")][..], "[{\"id\":1}]"),
            (JSON, "[{\"id\":1}"),
            (JSON, ""),
        ] {
            let seen = verdict(Effect::Read, "v2/orders", &reply(200, headers, body));
            assert!(matches!(&seen, Verdict::Transient(e) if e.kind() == ErrorKind::Unreadable), "{body}: {seen:?}");
        }
        assert!(matches!(verdict(Effect::Read, "v2/orders", &reply(204, &[], "")), Verdict::Good));
        assert!(matches!(verdict(Effect::Read, "v2/orders", &reply(200, JSON, " [] ")), Verdict::Good));
    }

    #[test]
    fn a_missing_scope_is_named_and_told_from_a_revoked_token_and_a_firewall() {
        let body = r#"{"status":403,"title":"You don't have a required scope to access the endpoint","errors":{}}"#;
        for (effect, path, scope) in [
            (Effect::Read, "v2/orders", "\"Orders: read-only\""),
            (Effect::Write, "v2/orders/7/shipments", "\"Orders: modify\""),
            (Effect::Read, "v2/store", "\"Information & Settings: read-only\""),
        ] {
            let Verdict::Refused(error) = verdict(effect, path, &reply(403, JSON, body)) else { panic!("{path}") };
            assert!(error.kind() == ErrorKind::Permission && error.message().contains(scope), "{error}");
        }
        let Verdict::Refused(error) = verdict(Effect::Read, "v2/orders", &reply(403, &[], "<html>")) else { panic!() };
        assert_eq!(error.kind(), ErrorKind::Temporary);
        let Verdict::Refused(error) = verdict(Effect::Read, "v2/orders", &reply(401, &[], "")) else { panic!() };
        assert_eq!(error.kind(), ErrorKind::Credentials);
    }

    #[test]
    fn i6_a_429_waits_for_the_longer_of_its_headers_and_may_say_nothing() {
        let pause = |headers: &[(&'static str, &'static str)]| match verdict(
            Effect::Read,
            "v2/orders",
            &reply(429, headers, ""),
        ) {
            Verdict::Throttled(pause, _) => pause.map(|pause| pause.as_secs_f64()),
            other => panic!("{other:?}"),
        };
        assert_eq!(pause(&[("x-rate-limit-time-reset-ms", "15000"), ("x-retry-after", "12")]), Some(15.0));
        assert_eq!(pause(&[("x-rate-limit-time-reset-ms", "1500"), ("x-retry-after", "12")]), Some(12.0));
        assert_eq!([&[][..], &[("x-rate-limit-time-reset-ms", "0")]].map(pause), [None; 2]);
    }

    #[test]
    fn q5_at_least_95_per_cent_of_the_quota_is_ours_by_default() {
        let headers = [
            ("x-rate-limit-requests-left", "120"),
            ("x-rate-limit-requests-quota", "150"),
            ("x-rate-limit-time-reset-ms", "9000"),
            ("x-rate-limit-time-window-ms", "30000"),
        ];
        let Some(Budget::Window { left, quota, ends_in, length }) = budget(&reply(200, &headers, ""), 4) else {
            panic!()
        };
        assert_eq!((left, quota, ends_in.as_secs(), length.as_secs()), (116.0, 146.0, 9, 30));
        assert!(quota / 150.0 >= 0.95);
        assert!(budget(&reply(200, &headers[..1], ""), 4).is_none());
    }

    /// The window of the quota ends, not the outage.
    #[test]
    fn i6_an_outage_has_no_pause_but_one_that_it_names() {
        let window = reply(503, &[("x-rate-limit-time-reset-ms", "30000")], "");
        assert!(matches!(verdict(Effect::Read, "v2/orders", &window), Verdict::Transient(_)));
        let named = reply(503, &[("x-retry-after", "60")], "");
        let Verdict::Throttled(Some(pause), _) = verdict(Effect::Read, "v2/orders", &named) else { panic!() };
        assert_eq!(pause.as_secs(), 60);
    }

    #[test]
    fn errors_of_every_form_are_read_and_a_refused_write_says_so() {
        for body in [
            r#"[{"status":400,"message":"The field 'product_id' cannot be written to."}]"#,
            r#"{"status":422,"title":"The field 'product_id' cannot be written to.","type":"x"}"#,
            r#"{"detail":"The field 'product_id' cannot be written to."}"#,
        ] {
            let Verdict::Refused(error) = verdict(Effect::Write, "v2/orders/7", &reply(400, JSON, body)) else {
                panic!()
            };
            assert!(error.kind() == ErrorKind::Rejected && error.message().contains("'product_id'"), "{error}");
        }
        let Verdict::Refused(error) = verdict(Effect::Write, "v2/orders/7", &reply(400, &[], "no")) else { panic!() };
        assert_eq!(error.message(), "BigCommerce refused (400); nothing was written");
    }

    #[test]
    fn a_404_is_an_answer_about_one_order_and_a_wrong_hash_about_all() {
        let body = r#"[{"status":404,"message":"The requested resource was not found."}]"#;
        assert!(matches!(verdict(Effect::Read, "v2/orders/7", &reply(404, JSON, body)), Verdict::Good));
        for path in ["v2/orders", "v2/store"] {
            let Verdict::Refused(error) = verdict(Effect::Read, path, &reply(404, JSON, body)) else { panic!() };
            assert_eq!(error.kind(), ErrorKind::NoStore);
        }
    }
}
