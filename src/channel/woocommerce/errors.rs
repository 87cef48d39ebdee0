//! What a WooCommerce shop means by an answer that is not the one asked for.
//!
//! A shop tells little: a missing key, an unknown key and keys that never reach PHP are one and the
//! same answer. The message names the causes in the order of their likelihood.

use crate::channel::json::Maybe;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::http::status::{self, Words, short};
use crate::http::{Effect, Reply, Request, Verdict, check_json, url_for_people};

use super::wire::Failure;

const REAUTH: &str =
    "check the key in the shop (WooCommerce > Settings > Advanced > REST API), then ordersync connect --reauth STORE";

const WORDS: Words = Words {
    garbled: "a cache or a plugin stands before the shop's API; exclude /wp-json/ from it",
    blocked: "a firewall or security plugin (ModSecurity, Wordfence, Cloudflare); have this machine's address or /wp-json/ permitted",
    moved: "if the shop has moved: ordersync connect --reauth STORE --url https://...",
    missing: "check the address; in the shop, Settings > Permalinks must be another choice than Plain, or WooCommerce is not installed",
    credentials: REAUTH,
    failed: concat!(crate::http::again!(), "; if it stays so, the shop's own error log tells why"),
    ..Words::of("the shop")
};

/// What a reply means.
pub(crate) fn classify(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    // Only there: looking for an error in a good page would read the whole of it once more.
    let failure = if reply.status >= 400 { failure(reply) } else { None };
    let told = failure.and_then(|failure| told(request, reply.status, &failure));
    told.unwrap_or_else(|| status::classify(&WORDS, request, reply, now))
}

/// An error in WooCommerce's own form: an object with a code. A page of a server or a firewall is
/// none, whatever stands in it.
fn failure(reply: &Reply) -> Option<Failure<'_>> {
    check_json(reply).ok()?;
    let (Maybe(failure), _) = reply.json::<Maybe<Failure<'_>>>().ok()?;
    (!failure.code.get().is_empty()).then_some(failure)
}

/// What an answer in WooCommerce's own form says, as people read it.
pub(super) fn said(reply: &Reply) -> Option<String> {
    let failure = failure(reply)?;
    let text = crate::channel::text::plain(failure.message.get());
    Some(text.trim().trim_end_matches('.').to_owned()).filter(|text| !text.is_empty())
}

/// Whether a code is one that WooCommerce or WordPress gives where it has decided not to do what it
/// was asked for.
fn is_decided(code: &str) -> bool {
    code.starts_with("woocommerce_") || code.starts_with("rest_")
}

/// What an answer in WooCommerce's own form says beyond its status.
fn told(request: &Request, status: u16, failure: &Failure<'_>) -> Option<Verdict> {
    let code = failure.code.get();
    let words = crate::channel::text::plain(failure.message.get());
    match status {
        401 | 403 => Some(Verdict::Refused(access(status, code, failure.message.get()))),
        404 if code.ends_with("_invalid_id") || code == "0" => Some(Verdict::Good),
        404 if code == "rest_no_route" => {
            let text = format!("the shop has no route {}; nothing was done", url_for_people(&request.url));
            let kind = if request.effect == Effect::Write { ErrorKind::Rejected } else { ErrorKind::NoStore };
            Some(Verdict::Refused(Error::new(kind, text).hint(
                "WooCommerce or the feature is switched off there; ordersync connect --test STORE looks at the shop again",
            )))
        }
        408 | 413 | 414 | 429 => None,
        500.. if request.effect == Effect::Read || !is_decided(code) => None,
        _ => Some(status::refused(&WORDS, request, status, &format!("{code}: {words}"))),
    }
}

/// Who may not do what, as far as the shop says.
fn access(status: u16, code: &str, message: &str) -> Error {
    let credentials =
        |text: &str| Error::new(ErrorKind::Credentials, format!("{text}; nothing was imported or sent")).hint(REAUTH);
    let permission =
        |text: &str, hint: &str| Error::new(ErrorKind::Permission, format!("{text}; nothing was done")).hint(hint);
    match (status, code) {
        (_, "woocommerce_rest_authentication_error") => match message {
            m if m.contains("secret is invalid") => credentials("the consumer secret is wrong (the key is right)"),
            m if m.contains("key is invalid") => credentials("the shop does not know this consumer key"),
            m if m.contains("timestamp") => Error::new(
                ErrorKind::Credentials,
                "the shop refuses the time of the request: this machine's clock and the shop's are more than 15 minutes apart; nothing was sent",
            )
            .hint("set the clock (timedatectl set-ntp true) and run the command again"),
            m if m.contains("nonce") => credentials("the shop takes the request for a repeated one"),
            m if m.contains("signature") => credentials(
                "the signature does not match: the consumer secret is wrong, or the shop's own address (Settings > General) is another one",
            ),
            m if m.contains("permissions") => permission(
                "the key does not have the permission for this",
                "make a key with permissions Read/Write, then ordersync connect --reauth STORE",
            ),
            _ => credentials("the shop refuses the credentials"),
        },
        (401, "woocommerce_rest_cannot_view" | "woocommerce_rest_cannot_edit" | "woocommerce_rest_cannot_create") => credentials(
            "the shop does not accept the key: it is unknown there (deleted, or a typo), or a server or plugin keeps it from reaching WooCommerce",
        ),
        (401, code) if code.starts_with("rest_") => credentials(&format!(
            "the shop does not accept the key ({}): it is unknown there, or a plugin has closed the REST API", short(code)
        )),
        (403, code) if code.starts_with("woocommerce_rest_cannot") => permission(
            "the key is right, but its user may not do this",
            "the key's user must be a shop manager or an administrator; make the key for such a user, then ordersync connect --reauth STORE",
        ),
        (_, code) if code.starts_with("rest_") => permission(
            &format!("a plugin has closed the shop's REST API ({})", short(code)),
            "permit the REST API for this key in the security plugin, then ordersync connect --test STORE",
        ),
        _ => credentials(&format!("the shop refuses the credentials ({status} {})", short(code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str, kind: &str) -> Verdict {
        let url = url::Url::parse("https://shop.example.test/wp-json/wc/v3/orders/7/notes").unwrap();
        let request = Request::write_json(reqwest::Method::POST, url, &serde_json::json!({}));
        let mut reply = Reply {
            status,
            headers: reqwest::header::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            ..Reply::default()
        };
        reply.headers.insert("content-type", kind.parse().unwrap());
        classify(&request, &reply, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
        let undecided = &[r#"{"code":"internal_server_error","message":"x"}"#, r#"{"code":1015,"message":"x"}"#];
        status::law::holds("wp-json/wc/v3/orders/7", undecided, |request, reply| {
            classify(request, reply, Timestamp::UNIX_EPOCH)
        });
    }

    #[test]
    fn d3_a_write_that_a_server_failed_at_may_have_been_carried_out_whatever_its_page_holds() {
        let fatal =
            r#"{"code":"internal_server_error","message":"There has been a critical error","data":{"status":500}}"#;
        for (body, kind) in [
            ("[1]", "application/json"),
            ("[1]", "text/html"),
            (r#"["woocommerce_rest_x"]"#, "application/json"),
            ("<html><script>var a = [1];</script></html>", "text/html"),
            (r#"{"code":"woocommerce_rest_x"}"#, "text/html"),
            (r#"{"code":1015,"message":"rate limited"}"#, "application/json"),
            (fatal, "application/json"),
            ("", "text/html"),
        ] {
            for status in [500, 502, 504, 520, 524] {
                let found = verdict(status, body, kind);
                assert!(matches!(found, Verdict::Transient(_)), "{status} {kind} {body}: {found:?}");
            }
        }
        let refund =
            r#"{"code":"woocommerce_rest_cannot_create_order_refund","message":"Invalid refund amount.","data":500}"#;
        assert!(
            matches!(verdict(500, refund, "application/json"), Verdict::Refused(error) if error.kind() == ErrorKind::Rejected)
        );
    }
}
