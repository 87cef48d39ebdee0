//! What a Magento shop means by an answer that is not the one asked for.
//!
//! Errors are sentences with places in them (`%1`, `%resources`) and the values beside them. One
//! 401 has three causes: the token is unknown, the shop takes no token without a signature, or the
//! integration may not do this. A signed request has its own sentences for the first.

use serde::Deserialize;
use serde_json::Value;

use super::wire::Failure;
use crate::channel::json::Maybe;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::http::status::{self, Words, short};
use crate::http::{Effect, Reply, Request, Verdict, check_json, url_for_people};

const REAUTH: &str = "in the shop's admin, System > Extensions > Integrations shows whether the integration is active and what it may do; ordersync connect --reauth STORE takes its values anew";

/// The switch that lets a token do without a signature.
pub(crate) const BEARER_SWITCH: &str = "give all four values of the integration: ordersync connect --reauth STORE; or set Stores > Configuration > Services > OAuth > Consumer Settings > \"Allow OAuth Access Tokens to be used as standalone Bearer tokens\" to Yes";

const WORDS: Words = Words {
    garbled: "a cache, a proxy or a module stands before the shop's API; exclude /rest/ from it",
    blocked: "a firewall or Fastly; have this machine's address or /rest/ permitted",
    moved: "if the shop has moved: ordersync connect --reauth STORE --url https://...",
    missing: "check the address; ordersync connect --test STORE looks for the API again",
    credentials: REAUTH,
    failed: concat!(crate::http::again!(), "; if it stays so, the shop's own logs (var/log) tell why"),
    ..Words::of("the shop")
};

/// How requests are authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Signed with all four values.
    Signed,
    /// By the token alone.
    Bearer,
}

/// What a reply means.
pub(crate) fn classify(way: Way, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    // Only there: looking for an error in a good page would read the whole of it once more.
    let words = if reply.status >= 400 { words(reply) } else { None };
    let told = words.and_then(|words| told(way, request, reply, &words));
    told.unwrap_or_else(|| status::classify(&WORDS, request, reply, now))
}

/// The sentence of an error in Magento's own form, with the values in their places. A page of a
/// server or a firewall is none, whatever stands in it. `trace` is never read: it has paths in it.
pub(crate) fn words(reply: &Reply) -> Option<String> {
    check_json(reply).ok()?;
    let (Maybe(failure), _) = reply.json::<Maybe<Failure<'_>>>().ok()?;
    let message = failure.message.get();
    (!message.is_empty()).then(|| filled(message, &parameters(reply)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    parameters: Value,
}

fn parameters(reply: &Reply) -> Value {
    reply.json::<Parameters>().map(|(found, _)| found.parameters).unwrap_or_default()
}

/// A sentence with its values: `%1` is the first of a list, `%name` a member of an object.
fn filled(message: &str, parameters: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut named: Vec<(String, String)> = match parameters {
        Value::Array(values) => {
            values.iter().enumerate().map(|(nth, value)| ((nth + 1).to_string(), text(value))).collect()
        }
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        _ => Vec::new(),
    };
    // The longer name first: %fieldName is not %field and "Name".
    named.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut parts = message.split('%');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let place = named.iter().find_map(|(name, value)| Some((value, part.strip_prefix(name.as_str())?)));
        match place {
            Some((value, rest)) => whole.extend([value.as_str(), rest]),
            None => whole.extend(["%", part]),
        }
    }
    whole.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What an answer in Magento's own form says beyond its status.
fn told(way: Way, request: &Request, reply: &Reply, words: &str) -> Option<Verdict> {
    let is_write = request.effect == Effect::Write;
    match reply.status {
        // Each attempt has a nonce of its own: where it is known already, the same bytes came
        // twice, by a proxy's doing, and the first were carried out.
        400 | 401 if is_write && words.to_ascii_lowercase().contains("nonce") => {
            let text = format!("the shop says that the request has come before ({})", short(words));
            Some(Verdict::Transient(Error::new(ErrorKind::Temporary, text)))
        }
        400 | 401 if is_of_the_moment(words) => {
            let text =
                format!("the shop refuses the time or the nonce of the request ({}); nothing was done", short(words));
            let hint = "set this machine's clock (timedatectl set-ntp true), or the shop's, and run the command again";
            Some(Verdict::Expired(Error::new(ErrorKind::Credentials, text).hint(hint)))
        }
        401 => Some(Verdict::Refused(access(way, request, words, &resource(reply)))),
        // Before any of them is looked up.
        400 if is_of_credentials(words) => Some(Verdict::Refused(access(way, request, words, ""))),
        404 if words.contains("route") => {
            let text = format!("the shop has no route {}; nothing was done", url_for_people(&request.url));
            let kind = if is_write { ErrorKind::Rejected } else { ErrorKind::NoStore };
            let hint =
                "a module is switched off there, or the address is another; ordersync connect --test STORE looks again";
            Some(Verdict::Refused(Error::new(kind, text).hint(hint)))
        }
        404 if !is_write => Some(Verdict::Good),
        400 if page_limit(words).is_some() && !is_write => {
            let text = format!("the shop refuses the size of the page ({})", short(words));
            Some(Verdict::Refused(Error::new(ErrorKind::Failed, text).too_much()))
        }
        400 if is_write && words.starts_with(TOO_MANY) => Some(Verdict::Refused(too_many(words))),
        408 | 413 | 414 | 429 | 503 => None,
        500.. => {
            // The words hold the number under which the shop's log has it.
            let text = format!("the shop's server failed ({}: {})", reply.status, short(words));
            Some(Verdict::Transient(Error::new(ErrorKind::Temporary, text).hint(WORDS.failed).too_much()))
        }
        status => Some(status::refused(&WORDS, request, status, words)),
    }
}

/// How the refusal of a list begins that is longer than the shop's limit for lists in a request.
const TOO_MANY: &str = "Maximum items of type";

/// The limit is on the lines of a shipment, and on its tracking numbers.
fn too_many(words: &str) -> Error {
    let last = words.rsplit(' ').next().unwrap_or_default();
    let most: String = last.chars().filter(char::is_ascii_digit).take(6).collect();
    let (what, how) = match words.contains("ShipmentTrack") {
        true => ("tracking numbers", "dispatch the order in parts, each with no more tracking numbers"),
        false => (
            "lines",
            "dispatch the order in parts, each with no more lines (the parts of a bundle count): --item #LINE=PIECES, once for each",
        ),
    };
    let text =
        format!("the shop takes no more than {most} {what} in one shipment, by its own limit; nothing was written");
    Error::new(ErrorKind::Rejected, text).hint(format!(
        "{how}; or raise it in the shop's admin: Stores > Configuration > Services > Magento Web API > Web Api Input Limits > Input List Limit"
    ))
}

/// What another nonce and another time may help.
fn is_of_the_moment(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    words.contains("nonce") || words.contains("timestamp")
}

fn is_of_credentials(words: &str) -> bool {
    ["token length", "oauth_", "Signature method", "consumer key"].iter().any(|part| words.contains(part))
}

/// The permission that is missing, as the shop calls it.
fn resource(reply: &Reply) -> String {
    parameters(reply)["resources"].as_str().unwrap_or_default().chars().take(80).collect()
}

/// How large a page may be, by the sentence that refuses a larger one.
pub(crate) fn page_limit(words: &str) -> Option<u32> {
    let behind = words.split_once("pageSize is ")?.1;
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|limit| *limit > 0)
}

/// Who may not do what, as far as the shop says.
fn access(way: Way, request: &Request, words: &str, resource: &str) -> Error {
    let credentials = |text: String, hint: &str| {
        Error::new(ErrorKind::Credentials, format!("{text}; nothing was imported or sent")).hint(hint.to_owned())
    };
    let lower = words.to_ascii_lowercase();
    if lower.contains("signature") {
        let origin = request.url.origin().ascii_serialization();
        let text = format!(
            "the signature does not match ({}): one of the two secrets is wrong, or the shop takes its own address for another one than {origin}",
            short(words)
        );
        return credentials(
            text,
            "copy all four values again (ordersync connect --reauth STORE); the web server before the shop must hand on host, port and https as they were asked for (nginx with fastcgi_param HTTP_HOST $host drops the port: $http_host keeps it)",
        );
    }
    if !lower.contains("authorized to access") {
        let text = format!("the shop does not accept the credentials ({})", short(words));
        return credentials(text, REAUTH);
    }
    // The order was read with them a moment ago.
    if request.effect == Effect::Write || is_beside_orders(request) {
        return lacking(resource);
    }
    match way {
        Way::Bearer => credentials(
            format!(
                "the shop does not accept the access token alone: it is unknown there, the integration may not read orders ({resource}), or the shop takes no token without a signature, as is usual since 2.4.4"
            ),
            BEARER_SWITCH,
        ),
        Way::Signed => credentials(
            format!(
                "the shop knows the integration and does not let it read orders ({resource}): it is not active any more, or lacks the permission"
            ),
            REAUTH,
        ),
    }
}

/// A permission that is missing beside others that are there.
pub(crate) fn lacking(resource: &str) -> Error {
    let text = format!("the integration lacks the permission {resource}; nothing was done");
    Error::new(ErrorKind::Permission, text)
        .hint("tick it in the shop's admin (System > Extensions > Integrations > the integration > API), save, and reauthorize it there")
}

/// What an integration may lack without being of no use.
fn is_beside_orders(request: &Request) -> bool {
    !request.url.path().split('/').any(|part| part == "orders")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn verdict(way: Way, effect: Effect, route: &str, status: u16, body: &str) -> Verdict {
        let url = url::Url::parse(&format!("https://shop.example.test/rest/V1/{route}")).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
        let reply = Reply { status, headers, body: body.as_bytes().to_vec(), ..Reply::default() };
        classify(way, &Request { effect, ..Request::get(url) }, &reply, Timestamp::UNIX_EPOCH)
    }

    fn refused(verdict: Verdict) -> Error {
        match verdict {
            Verdict::Refused(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
        let undecided =
            &[r#"{"message":"Internal Error. Report ID: webapi-1"}"#, r#"{"message":"%1","parameters":["x"]}"#];
        for path in ["rest/V1/orders", "rest/V1/order/7/ship"] {
            status::law::holds(path, undecided, |request, reply| {
                classify(Way::Signed, request, reply, Timestamp::UNIX_EPOCH)
            });
        }
    }

    #[test]
    fn c6_places_are_filled_and_what_follows_a_sentence_is_not_shown() {
        for (message, parameters, whole) in [
            (
                "The consumer isn't authorized to access %resources.",
                r#"{"resources":"A::b"}"#,
                "The consumer isn't authorized to access A::b.",
            ),
            ("Signature method %1 is not supported", r#"["HMAC-SHA1"]"#, "Signature method HMAC-SHA1 is not supported"),
            ("\"%fieldName\" is required by %field.", r#"{"field":"x","fieldName":"y"}"#, "\"y\" is required by x."),
            ("100% of %1, %2", r#"[7]"#, "100% of 7, %2"),
            ("Shipment Document Validation Error(s):\nA.\nB.", "[]", "Shipment Document Validation Error(s): A. B."),
        ] {
            assert_eq!(filled(message, &serde_json::from_str(parameters).unwrap()), whole);
        }
        let body = r#"{"message":"No %1.","parameters":["way"],"trace":"/var/www/secret.php(7)"}"#;
        let error = refused(verdict(Way::Signed, Effect::Write, "order/7/ship", 400, body));
        assert!(error.message().contains("No way.") && !error.message().contains("/var/www"), "{error}");
    }

    #[test]
    fn the_three_causes_of_one_401_are_told_apart_as_far_as_can_be() {
        let body = |resource: &str| {
            format!(
                r#"{{"message":"The consumer isn't authorized to access %resources.","parameters":{{"resources":"{resource}"}}}}"#
            )
        };
        let view = body("Magento_Sales::actions_view");
        let error = refused(verdict(Way::Bearer, Effect::Read, "orders", 401, &view));
        assert!(
            error.kind() == ErrorKind::Credentials && error.hint_text().unwrap().contains("standalone Bearer"),
            "{error}"
        );
        let error = refused(verdict(Way::Signed, Effect::Read, "orders", 401, &view));
        assert!(error.kind() == ErrorKind::Credentials && error.message().contains("actions_view"), "{error}");
        for (effect, route) in [(Effect::Write, "order/7/ship"), (Effect::Read, "creditmemos")] {
            let error = refused(verdict(Way::Bearer, effect, route, 401, &body("Magento_Sales::ship")));
            assert!(
                error.kind() == ErrorKind::Permission && error.message().contains("Magento_Sales::ship"),
                "{error}"
            );
        }
        let error = refused(verdict(
            Way::Signed,
            Effect::Read,
            "orders",
            401,
            r#"{"message":"The signature is invalid. Verify and try again."}"#,
        ));
        assert!(error.message().contains("https://shop.example.test"), "{error}");
    }

    /// What real shops say of each value that is wrong.
    #[test]
    fn f3_each_of_the_four_values_that_is_wrong_is_a_matter_of_credentials() {
        for (status, words) in [
            (401, "A consumer having the specified key does not exist"),
            (401, "Specified token does not exist"),
            (401, "Token is not associated with the specified consumer"),
            (401, "The signature is invalid. Verify and try again."),
            (400, "The token length is invalid. Check the length and try again."),
        ] {
            let body = format!(r#"{{"message":"{words}"}}"#);
            let error = refused(verdict(Way::Signed, Effect::Read, "orders", status, &body));
            assert!(error.kind() == ErrorKind::Credentials && error.message().contains(words), "{error}");
        }
    }

    #[test]
    fn a_nonce_and_a_time_that_are_refused_are_tried_once_more() {
        for words in [
            "The nonce is already being used by the consumer with ID 7.",
            "The timestamp value in the oauth_timestamp parameter is invalid.",
        ] {
            for status in [400, 401] {
                let body = format!(r#"{{"message":"{words}"}}"#);
                let found = verdict(Way::Signed, Effect::Read, "orders", status, &body);
                assert!(matches!(found, Verdict::Expired(_)), "{words}: {found:?}");
                // A write that came twice may have been carried out once.
                let found = verdict(Way::Signed, Effect::Write, "order/7/ship", status, &body);
                let is_in_doubt = matches!(found, Verdict::Transient(_));
                assert_eq!(is_in_doubt, words.contains("nonce"), "{words}: {found:?}");
            }
        }
    }

    #[test]
    fn i4_a_report_of_the_shops_is_named_and_worth_a_smaller_page() {
        let body = r#"{"message":"Internal Error. Details are available in Magento log file. Report ID: webapi-6b03e0fe014ec"}"#;
        let Verdict::Transient(error) = verdict(Way::Signed, Effect::Read, "orders", 500, body) else { panic!() };
        assert!(error.is_too_much() && error.message().contains("webapi-6b03e0fe014ec"), "{error}");
        let error = refused(verdict(
            Way::Signed,
            Effect::Read,
            "orders",
            400,
            r#"{"message":"Maximum SearchCriteria pageSize is 300"}"#,
        ));
        assert!(error.is_too_much() && page_limit(error.message()) == Some(300), "{error}");
    }

    #[test]
    fn c6_a_limit_on_lists_is_told_with_the_setting_and_the_way_around_it() {
        for (kind, what, way) in [
            ("ShipmentItemCreationInterface", "more than 20 lines", "--item"),
            ("ShipmentTrackCreationInterface", "more than 20 tracking numbers", "in parts"),
        ] {
            let body = format!(
                r#"{{"message":"Maximum items of type \"%type\" is %max","parameters":{{"type":"\\Magento\\Sales\\Api\\Data\\{kind}","max":20}}}}"#
            );
            let error = refused(verdict(Way::Signed, Effect::Write, "order/7/ship", 400, &body));
            assert!(error.kind() == ErrorKind::Rejected && error.message().contains(what), "{error}");
            assert!(error.message().contains("nothing was written"), "{error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains(way) && hint.contains("Input List Limit")));
        }
    }

    #[test]
    fn a_404_is_an_answer_about_one_order_and_a_missing_route_about_all() {
        let gone = r#"{"message":"The entity that was requested doesn't exist. Verify the entity and try again."}"#;
        assert!(matches!(verdict(Way::Signed, Effect::Read, "orders/7", 404, gone), Verdict::Good));
        assert_eq!(refused(verdict(Way::Signed, Effect::Write, "order/7/ship", 404, gone)).kind(), ErrorKind::Rejected);
        let route = r#"{"message":"Request does not match any route."}"#;
        assert_eq!(
            refused(verdict(Way::Signed, Effect::Read, "inventory/sources", 404, route)).kind(),
            ErrorKind::NoStore
        );
    }
}
