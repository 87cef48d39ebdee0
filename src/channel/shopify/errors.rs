//! What Shopify means by an answer that is not the one asked for.
//!
//! Most of it comes with status 200: too many requests, missing scopes, queries that cost too much.
//! Data and errors in one answer are normal, and an answer with errors is never taken for a good
//! one because it has data.

use std::cell::OnceCell;
use std::time::Duration;

use serde_json::Value;

use super::probe::{ADD_SCOPE, SHIP};
use super::wire::{Envelope, GraphError, TOO_DEAR};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::http::status::{self, Words};
use crate::http::{Effect, Reply, Request, Verdict, check_json, read_json, url_for_people};

pub(crate) use crate::http::status::short;

const REAUTH: &str = "ordersync connect --reauth STORE with a new token, or install the app in the shop again";

const ADDRESS: &str = "give the shop's own address: NAME.myshopify.com";

const WORDS: Words = Words { moved: ADDRESS, missing: ADDRESS, credentials: REAUTH, ..Words::of("Shopify") };

/// What a reply to a GraphQL request means.
pub(crate) fn classify(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    match reply.status {
        200..=299 => answered(request, reply),
        _ => refused(request, reply, now),
    }
}

fn answered(request: &Request, reply: &Reply) -> Verdict {
    // Orders stand side by side in one answer: bytes in one of them that are no text must not cost
    // the others.
    let body = String::from_utf8_lossy(&reply.body);
    let envelope = match check_json(reply).and_then(|()| read_json::<Envelope<'_>>(body.as_bytes())) {
        Ok((envelope, _)) => envelope,
        Err(error) => {
            // It may be one order of many that cannot be read.
            return Verdict::Transient(status::garbled(&WORDS, request, error.message()).too_much());
        }
    };
    if let Some(warning) = envelope.extensions.search_warning().filter(|_| request.effect == Effect::Read) {
        // An unknown filter gives the whole list, unfiltered.
        let text = format!("Shopify did not understand a filter ({}); the list was not used", short(warning));
        return Verdict::Refused(Error::new(ErrorKind::Unreadable, text));
    }
    let errors = &envelope.errors.0;
    let data: OnceCell<Value> = OnceCell::new();
    let data = || {
        data.get_or_init(|| envelope.data().and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default())
    };
    let serious = || errors.iter().filter(|error| !error.is_denied() || !is_hidden(&error.path, data()));
    // One whose meaning is known says more than one without a code.
    match serious().find(|error| !error.code.is_empty()).or(serious().next()) {
        None if errors.is_empty() && !envelope.has_data() => {
            Verdict::Transient(status::garbled(&WORDS, request, "JSON without data"))
        }
        None => Verdict::Good,
        Some(error) => failed(request, error, &envelope),
    }
}

/// Whether a field that this app may not see is null inside an answer that is good otherwise. One
/// that may not be null takes what stands around it with it, up to what may be: an order that is
/// null for this reason is there.
fn is_hidden(path: &[Value], data: &Value) -> bool {
    let Some((_, around)) = path.split_last().filter(|(_, around)| !around.is_empty()) else { return false };
    let inner = around.iter().try_fold(data, |at, part| match part {
        Value::String(name) => at.get(name),
        part => at.get(usize::try_from(part.as_u64()?).ok()?),
    });
    inner.is_some_and(Value::is_object)
}

fn failed(request: &Request, error: &GraphError, envelope: &Envelope<'_>) -> Verdict {
    let temporary = |text: String| Error::new(ErrorKind::Temporary, text);
    // It was carried out, at least in part: neither repeated nor called refused, but looked for.
    if request.effect == Effect::Write && envelope.has_result() {
        let code = if error.code.is_empty() { "without a code" } else { &error.code };
        return Verdict::Transient(temporary(format!(
            "Shopify answered with a result and an error in one ({})",
            short(code)
        )));
    }
    match error.code.as_str() {
        "THROTTLED" => {
            let wait = envelope.extensions.cost.as_ref().map_or(Duration::from_secs(1), super::wire::Cost::wait);
            Verdict::Throttled(Some(wait), temporary("Shopify asked for fewer points to be spent".to_owned()))
        }
        TOO_DEAR => Verdict::Refused(
            Error::new(ErrorKind::Failed, "the query costs more points than Shopify permits for one; nothing was read")
                .too_much(),
        ),
        "INTERNAL_SERVER_ERROR" | "TIMEOUT" | "SERVICE_UNAVAILABLE" => {
            Verdict::Transient(temporary(format!("Shopify failed inside ({})", error.code)).too_much())
        }
        _ if error.is_denied() => Verdict::Refused(denied(error)),
        "SHOP_INACTIVE" => Verdict::Refused(frozen("SHOP_INACTIVE")),
        // Also for a write: what went wrong, and whether before or after it, is not known.
        "" if error.message.trim().is_empty() => {
            let text = "Shopify reports an error and does not say which; the answer was not used";
            Verdict::Transient(Error::new(ErrorKind::Unreadable, text))
        }
        // The refusals of whole writes that were recorded from real shops all have a code. One
        // without says that something broke on the way, before or after the write.
        "" if request.effect == Effect::Write => {
            Verdict::Transient(Error::new(ErrorKind::Unreadable, format!("Shopify reports: {}", short(&error.message))))
        }
        _ => {
            let (kind, done) = match request.effect {
                Effect::Write => (ErrorKind::Rejected, "; nothing was written"),
                Effect::Read => (ErrorKind::Failed, ""),
            };
            let text = told(&format!("{} {}", error.code, error.message));
            Verdict::Refused(Error::new(kind, format!("{text}{done}")))
        }
    }
}

/// The list of an order's fulfilment orders. It may not be null, and of a denial it is not told
/// which scope is missing.
const ROUTES: &str = "fulfillmentOrders";

/// What the list of all that wait is called in a question: a path names it so.
const WAITING: &str = "waiting";

fn denied(error: &GraphError) -> Error {
    let field = error.path.iter().rev().find_map(Value::as_str).unwrap_or("this");
    let field = if field == WAITING { ROUTES } else { field };
    let needed = match error.required_access.as_deref() {
        Some(needed) => needed,
        None if field == ROUTES => SHIP,
        None => "a permission",
    };
    let text = format!("the app may not use {}: it needs {}; nothing was done", short(field), short(needed));
    Error::new(ErrorKind::Permission, text).hint(ADD_SCOPE)
}

/// Whether it was for the fulfilment orders in it that a query was denied.
pub(crate) fn denies_routes(error: &Error) -> bool {
    error.kind() == ErrorKind::Permission && error.message().contains(ROUTES)
}

/// What the status of a refusal means, whatever was asked for.
pub(crate) fn refused(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let place = url_for_people(&request.url);
    let final_no = |kind, text: String, hint: &str| Verdict::Refused(Error::new(kind, text).hint(hint.to_owned()));
    match reply.status {
        401 => Verdict::Expired(
            Error::new(
                ErrorKind::Credentials,
                "Shopify does not accept the access token: it is revoked, or the app was removed from the shop; nothing was imported or sent",
            )
            .hint(REAUTH),
        ),
        status @ (402 | 423) => Verdict::Refused(frozen(&status.to_string())),
        403 => final_no(
            ErrorKind::Permission,
            format!("Shopify forbids this ({place}, 403); nothing was done"),
            "the app's access may be limited by the shop's plan or its owner",
        ),
        430 => final_no(
            ErrorKind::Temporary,
            format!("Shopify takes the request for an attack (430, {place}); nothing was done"),
            concat!(crate::http::again!(), "; if it stays so, ask Shopify about this machine's address"),
        ),
        _ => status::classify(&WORDS, request, reply, now),
    }
}

fn frozen(code: &str) -> Error {
    let text = format!("Shopify has closed the shop for now ({code}): unpaid bills or a lock; nothing was done");
    Error::new(ErrorKind::Temporary, text).hint(concat!("the shop's admin says why; ", crate::http::again!()))
}

fn told(text: &str) -> String {
    match text.trim() {
        "" => "Shopify refused and gave no reason".to_owned(),
        text => format!("Shopify refused: {}", short(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;
    use reqwest::header::HeaderMap;

    fn verdict(status: u16, body: &str) -> Verdict {
        let request = Request::get(url::Url::parse("https://x.myshopify.com/admin").unwrap());
        let reply = Reply { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), ..Reply::default() };
        classify(&request, &reply, from_millis(0))
    }

    fn kind(status: u16, body: &str) -> Option<ErrorKind> {
        match verdict(status, body) {
            Verdict::Refused(error) => Some(error.kind()),
            _ => None,
        }
    }

    #[test]
    fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
        let undecided = &[
            r#"{"errors":"x"}"#,
            r#"{"errors":[{"message":"x"}]}"#,
            r#"{"data":{"a":{}},"errors":[{"message":"x","extensions":{"code":"THROTTLED"}}]}"#,
            r#"{"data":{"a":{}},"extensions":{"search":[{"warnings":[{"code":"x"}]}]}}"#,
        ];
        status::law::holds("admin/api/graphql.json", undecided, |request, reply| {
            classify(request, reply, from_millis(0))
        });
    }

    #[test]
    fn i6_a_throttle_inside_200_says_how_long_to_wait() {
        let body = r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{
            "requestedQueryCost":170,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":1000.0,"currentlyAvailable":66,"restoreRate":50.0}}}}"#;
        let Verdict::Throttled(Some(wait), _) = verdict(200, body) else { panic!("not throttled") };
        assert_eq!(wait, Duration::from_secs(3));
    }

    #[test]
    fn errors_beside_data_are_not_swallowed_and_a_hidden_field_is_no_failure() {
        let gone = r#"{"data":{"order":null},"errors":[{"message":"Access denied for fulfillmentOrders field.","path":["order","fulfillmentOrders"],"extensions":{"code":"ACCESS_DENIED"}}]}"#;
        let Verdict::Refused(error) = verdict(200, gone) else { panic!("an order that is not shown is not gone") };
        assert!(denies_routes(&error) && error.message().contains(SHIP), "{error}");
        let hidden = r#"{"data":{"orders":{"nodes":[{"customer":null}]}},"errors":[{"message":"This app is not approved to access the Customer object.","path":["orders","nodes",0,"customer"]}]}"#;
        assert!(matches!(verdict(200, hidden), Verdict::Good));
        let denied = r#"{"data":{"orders":null},"errors":[{"message":"Access denied for orders field.","path":["orders"],"extensions":{"code":"ACCESS_DENIED","requiredAccess":"`read_orders` access scope."}}]}"#;
        assert_eq!(kind(200, denied), Some(ErrorKind::Permission));
        let partial = r#"{"data":{"orders":{"nodes":[]}},"errors":[{"message":"boom","path":["orders","nodes"]}]}"#;
        assert_eq!(kind(200, partial), Some(ErrorKind::Failed));
        let search = r#"{"data":{"orders":{"nodes":[]}},"extensions":{"search":[{"path":["orders"],"query":"x:1","warnings":[{"field":"x","message":"Invalid search field for this query.","code":"invalid_field"}]}]}}"#;
        assert_eq!(kind(200, search), Some(ErrorKind::Unreadable));
    }

    /// The list that stands beside such a warning is the whole one, unfiltered.
    #[test]
    fn a_filter_that_was_not_understood_is_seen_whatever_stands_beside_the_warning() {
        let answer = |extensions: &str| format!(r#"{{"data":{{"orders":{{"nodes":[]}}}},"extensions":{extensions}}}"#);
        let warned = r#""search":[{"warnings":[{"code":"invalid_field"}]}]"#;
        for extensions in [
            format!(r#"{{"cost":"cheap",{warned}}}"#),
            format!(r#"{{"cost":{{"requestedQueryCost":null,"throttleStatus":[]}},{warned}}}"#),
            r#"{"search":[7,{"warnings":null},{"path":7,"warnings":[{"code":7}]}]}"#.to_owned(),
            r#"{"search":[{"warnings":"odd"}]}"#.to_owned(),
        ] {
            assert_eq!(kind(200, &answer(&extensions)), Some(ErrorKind::Unreadable), "{extensions}");
        }
        for extensions in [r#"{"cost":7}"#, r#"{"cost":7,"search":[{"warnings":[]}]}"#, "null", "7"] {
            assert!(matches!(verdict(200, &answer(extensions)), Verdict::Good), "{extensions}");
        }
    }

    #[test]
    fn f4_errors_of_any_shape_are_read_for_what_they_mean() {
        let throttled = r#"{"message":"Throttled","extensions":{"code":"THROTTLED"}}"#;
        for body in [
            format!(r#"{{"errors":{throttled}}}"#),
            format!(r#"{{"errors":[{{"message":null}},null,7,{throttled}]}}"#),
            r#"{"errors":[{"message":null,"path":7,"extensions":{"code":"THROTTLED","requiredAccess":[]}}],"data":null}"#.to_owned(),
        ] {
            assert!(matches!(verdict(200, &body), Verdict::Throttled(..)), "{body}");
        }
        let denied = r#"{"data":{"orders":null},"errors":[{"message":null,"locations":null,"path":["orders"],"extensions":{"code":"ACCESS_DENIED"}}]}"#;
        assert_eq!(kind(200, denied), Some(ErrorKind::Permission));
        for (body, said) in [
            (r#"{"errors":"Not Found"}"#, "Not Found"),
            (r#"{"errors":["Not Found"]}"#, "Not Found"),
            (r#"{"errors":{"base":["is odd"]},"data":{"shop":{}}}"#, "base is odd"),
            (r#"{"errors":[{"message":{"base":"is odd"}}]}"#, "base is odd"),
            (r#"{"errors":true}"#, "true"),
        ] {
            let Verdict::Refused(error) = verdict(200, body) else { panic!("{body}") };
            assert!(error.message().contains(said), "{error}");
        }
        for silent in [r#"{"errors":[{"message":null}]}"#, r#"{"data":{"shop":{}},"errors":[{}]}"#] {
            let Verdict::Transient(error) = verdict(200, silent) else { panic!("{silent}") };
            assert!(error.message().contains("does not say which"), "{error}");
        }
        for none in ["null", "[]", "{}"] {
            assert!(matches!(verdict(200, &format!(r#"{{"data":{{"shop":{{}}}},"errors":{none}}}"#)), Verdict::Good));
        }
    }

    #[test]
    fn d3_only_a_refusal_with_a_code_says_that_a_write_was_not_applied() {
        let told = |errors: &str| {
            let mut request = Request::get(url::Url::parse("https://x.myshopify.com/admin").unwrap());
            request.effect = Effect::Write;
            let body = format!(
                r#"{{"data":{{"fulfillmentCreate":null}},"errors":[{{{errors},"path":["fulfillmentCreate"]}}]}}"#
            );
            let reply = Reply { status: 200, headers: HeaderMap::new(), body: body.into_bytes(), ..Reply::default() };
            classify(&request, &reply, from_millis(0))
        };
        assert!(matches!(told(r#""message":"Something went wrong""#), Verdict::Transient(_)));
        let refused = told(r#""message":"invalid id","extensions":{"code":"RESOURCE_NOT_FOUND"}"#);
        assert!(matches!(refused, Verdict::Refused(error) if error.kind() == ErrorKind::Rejected));
        assert!(matches!(told(r#""message":"Throttled","extensions":{"code":"THROTTLED"}"#), Verdict::Throttled(..)));
    }

    #[test]
    fn d3_a_write_that_has_a_result_is_neither_repeated_nor_called_refused() {
        for code in ["THROTTLED", "RESOURCE_NOT_FOUND", "ACCESS_DENIED", ""] {
            let mut request = Request::get(url::Url::parse("https://x.myshopify.com/admin").unwrap());
            request.effect = Effect::Write;
            let body = format!(
                r#"{{"data":{{"fulfillmentCreate":{{"userErrors":[]}}}},"errors":[{{"message":"x","extensions":{{"code":"{code}"}}}}]}}"#
            );
            let reply = Reply { status: 200, headers: HeaderMap::new(), body: body.into_bytes(), ..Reply::default() };
            assert!(matches!(classify(&request, &reply, from_millis(0)), Verdict::Transient(_)), "{code}");
            request.effect = Effect::Read;
            assert!(!matches!(classify(&request, &reply, from_millis(0)), Verdict::Good), "{code}");
        }
    }

    #[test]
    fn the_statuses_are_told_apart() {
        let revoked = r#"{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}"#;
        assert!(matches!(verdict(401, revoked), Verdict::Expired(_)));
        assert_eq!(kind(402, ""), Some(ErrorKind::Temporary));
        assert_eq!(kind(403, ""), Some(ErrorKind::Permission));
        assert_eq!(kind(404, "<html>"), Some(ErrorKind::NoStore));
        assert_eq!(kind(423, ""), Some(ErrorKind::Temporary));
        assert_eq!(kind(430, ""), Some(ErrorKind::Temporary));
        assert_eq!(kind(301, ""), Some(ErrorKind::Failed));
        assert!(matches!(verdict(502, "<html>"), Verdict::Transient(_)));
        assert!(matches!(verdict(200, "<html>"), Verdict::Transient(_)));
        assert!(matches!(verdict(200, "{}"), Verdict::Transient(_)));
    }

    #[test]
    fn a_query_that_costs_too_much_asks_for_less_at_once() {
        let body = r#"{"errors":[{"message":"Query cost is 1200, which exceeds the single query max cost limit (1000).","extensions":{"code":"MAX_COST_EXCEEDED","cost":1200,"maxCost":1000}}]}"#;
        let Verdict::Refused(error) = verdict(200, body) else { panic!("not refused") };
        assert!(error.is_too_much());
    }
}
