use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let header = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let json = (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"));
    let headers: HeaderMap = headers.iter().map(header).chain([json]).collect();
    Reply { status, headers, body: body.as_bytes().to_vec(), ..Reply::default() }
}

fn verdict(effect: Effect, path: &str, reply: &Reply) -> Verdict {
    let url = url::Url::parse(&format!("https://openapi.etsy.com/v3/application/shops/7/receipts{path}")).unwrap();
    classify(&Request { effect, ..Request::get(url) }, reply, Timestamp::UNIX_EPOCH)
}

#[test]
fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
    let undecided = &[r#"{"error":"Server Error"}"#, r#"{"error":"x","error_description":"y"}"#];
    for path in ["v3/application/shops/7/receipts", "v3/application/shops/7/receipts/8/tracking"] {
        status::law::holds(path, undecided, |request, reply| classify(request, reply, Timestamp::UNIX_EPOCH));
    }
}

#[test]
fn i6_the_day_that_is_used_up_ends_the_run_and_a_second_costs_a_second() {
    let pause =
        |headers: &[(&'static str, &str)], body: &str| match verdict(Effect::Read, "", &reply(429, headers, body)) {
            Verdict::Throttled(pause, error) => (pause.unwrap().as_secs(), error.message().contains("24 hours")),
            other => panic!("{other:?}"),
        };
    assert_eq!(pause(&[("retry-after", "86400")], r#"{"error":"Exceeded daily rate limit"}"#), (86_400, true));
    assert_eq!(pause(&[], r#"{"error":"Exceeded daily rate limit"}"#), (3600, true));
    assert_eq!(pause(&[("X-Limit-Per-Day", "5000"), ("X-Remaining-Today", "0")], ""), (3600, true));
    assert_eq!(pause(&[], r#"{"error":"Exceeded per second rate limit"}"#), (1, false));
    assert_eq!(pause(&[("retry-after", "2")], ""), (2, false));
    assert_eq!(pause(&[], r#"{"error":"Daintree"}"#), (1, false));
}

#[test]
fn what_is_permitted_is_read_in_any_case() {
    let told =
        reply(200, &[("X-Limit-Per-Second", "10"), ("X-LIMIT-PER-DAY", "10000"), ("x-remaining-today", "9999")], "{}");
    assert_eq!(per_second(&told), Some(10));
    assert_eq!(Quota::of(&told), Some(Quota { permitted: 10_000, left: 9_999 }));
    for absurd in ["0", "-5", "x", "99999999999"] {
        assert_eq!(per_second(&reply(200, &[("x-limit-per-second", absurd)], "{}")), None, "{absurd}");
    }
    assert_eq!(Quota::of(&reply(200, &[("x-limit-per-day", "0"), ("x-remaining-today", "0")], "{}")), None);
}

#[test]
fn a_404_is_an_answer_about_one_receipt_and_a_wrong_shop_about_all() {
    let body = r#"{"error":"Could not find a Shop Receipt with receipt_id = 8 associated with shop_id = 7."}"#;
    assert!(matches!(verdict(Effect::Read, "/8", &reply(404, &[], body)), Verdict::Good));
    let Verdict::Refused(error) = verdict(Effect::Read, "", &reply(404, &[], body)) else { panic!() };
    assert_eq!(error.kind(), ErrorKind::NoStore);
    let Verdict::Refused(error) = verdict(Effect::Write, "/8/tracking", &reply(404, &[], body)) else { panic!() };
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[test]
fn the_words_of_a_refusal_are_passed_on_and_an_error_is_never_an_answer() {
    let told = reply(400, &[], r#"{"error":"A tracking number is required"}"#);
    let Verdict::Refused(error) = verdict(Effect::Write, "/8/tracking", &told) else { panic!() };
    assert_eq!(error.message(), "Etsy refused (400): A tracking number is required; nothing was written");
    let told = reply(200, &[], r#"{"error":"Server Error"}"#);
    assert!(matches!(verdict(Effect::Read, "", &told), Verdict::Transient(_)));
    assert!(matches!(verdict(Effect::Write, "/8/tracking", &told), Verdict::Transient(_)));
}

/// What it holds is read once, by whoever wants it; errors are short.
#[test]
fn q1_a_page_is_not_read_through_for_an_error() {
    let long = "x".repeat(LONGEST);
    let page = reply(200, &[], &format!(r#"{{"count":1,"results":[{{"note":"{long}"}}],"error":"x"}}"#));
    assert!(matches!(verdict(Effect::Read, "", &page), Verdict::Good));
    let refusal = reply(400, &[], &format!(r#"{{"error":"no","x":"{long}"}}"#));
    assert!(matches!(verdict(Effect::Write, "/8/tracking", &refusal), Verdict::Refused(_)));
}

/// Four causes, four sentences, each with what to do.
#[test]
fn each_of_the_ways_to_be_let_in_by_nobody_is_told_apart() {
    let told = |status, body| match verdict(Effect::Read, "", &reply(status, &[], body)) {
        Verdict::Refused(error) | Verdict::Expired(error) => {
            (error.message().to_owned(), error.hint_text().unwrap_or_default().to_owned())
        }
        other => panic!("{other:?}"),
    };
    let all = [
        told(403, r#"{"error":"Invalid API key"}"#),
        told(403, r#"{"error":"Shared secret is required in x-api-key header."}"#),
        told(403, r#"{"error":"insufficient_scope"}"#),
        told(401, r#"{"error":"invalid_token","error_description":"access token is expired"}"#),
    ];
    for (nth, (message, hint)) in all.iter().enumerate() {
        assert!(!hint.is_empty() && all.iter().skip(nth + 1).all(|(other, _)| other != message), "{message}");
    }
}

/// The texts are in no document.
#[test]
fn c6_an_account_or_a_shop_that_etsy_has_barred_is_told_with_what_helps_whatever_was_asked() {
    for told in ["User is banned", "This shop has been suspended", "Account deactivated"] {
        for (effect, kind) in [(Effect::Read, ErrorKind::Permission), (Effect::Write, ErrorKind::Rejected)] {
            let body = format!(r#"{{"error":"{told}"}}"#);
            let Verdict::Refused(error) = verdict(effect, "/8/tracking", &reply(403, &[], &body)) else {
                panic!("{told}")
            };
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(told), "{error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains("sign in at")), "{error}");
        }
    }
    let other = verdict(Effect::Write, "/8/tracking", &reply(403, &[], r#"{"error":"not your receipt"}"#));
    assert!(matches!(other, Verdict::Refused(error) if error.hint_text().is_none()));
}
