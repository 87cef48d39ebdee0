//! What a WooCommerce shop means by an answer that is not the one asked for.
//!
//! A shop tells little: a missing key, an unknown key and keys that never reach PHP are one and the
//! same answer. The message names the causes in the order of their likelihood.

use crate::error::{Error, ErrorKind};
use crate::http::{Effect, Reply, Request, Verdict, check_json, read_json, url_for_people};

use super::wire::Failure;
use crate::channel::json::Maybe;

const REAUTH: &str =
    "check the key in the shop (WooCommerce > Settings > Advanced > REST API), then ordersync connect --reauth STORE";

/// What a reply means.
pub fn classify(request: &Request, reply: &Reply, now: crate::clock::Timestamp) -> Verdict {
    let place = url_for_people(&request.url);
    match reply.status {
        200..=299 => accepted(reply, &place),
        300..=399 => Verdict::Refused(redirected(reply, &place)),
        429 => Verdict::Throttled(reply.retry_after(now), throttled(&place)),

        503 if request.effect == Effect::Read && reply.header("retry-after").is_some() => {
            Verdict::Throttled(reply.retry_after(now), stumbled(reply, &place))
        }
        // Only here: looking for an error in a good page would read the whole of it once more.
        status => match failure(reply) {
            Some(failure) => told(request, status, &failure, &place),
            None => page(status, reply, &place),
        },
    }
}

/// A good status is a good answer only with JSON in it. A web page in its place is a cache's or a
/// plugin's; asking again may help. A write that was answered with one may have been applied.
fn accepted(reply: &Reply, place: &str) -> Verdict {
    match check_json(reply) {
        Ok(()) => Verdict::Good,
        Err(error) => {
            let text = format!("{place} answered with {}; nothing was used of it", error.message());
            let hint = "a cache or a plugin stands before the shop's API; exclude /wp-json/ from it";
            Verdict::Transient(Error::new(ErrorKind::Unreadable, text).hint(hint))
        }
    }
}

/// An error in WooCommerce's own form: an object with a code. A page of a server or a firewall is
/// none, whatever stands in it.
fn failure(reply: &Reply) -> Option<Failure<'_>> {
    check_json(reply).ok()?;
    let (Maybe(failure), _) = read_json::<Maybe<Failure<'_>>>(&reply.body).ok()?;
    (!failure.code.get().is_empty()).then_some(failure)
}

/// Whether a code is one that WooCommerce or WordPress gives where it has decided not to do what it
/// was asked for.
fn is_decided(code: &str) -> bool {
    code.starts_with("woocommerce_") || code.starts_with("rest_")
}

/// An answer in WooCommerce's own form.
fn told(request: &Request, status: u16, failure: &Failure<'_>, place: &str) -> Verdict {
    let code = failure.code.get();
    match status {
        401 | 403 => Verdict::Refused(access(status, code, failure.message.get())),
        404 if code.ends_with("_invalid_id") || code == "0" => Verdict::Good,
        404 if code == "rest_no_route" => {
            let text = format!("the shop has no route {place}; nothing was done");
            Verdict::Refused(Error::new(ErrorKind::Unsupported, text).hint(
                "WooCommerce or the feature is switched off there; ordersync connect --test STORE looks at the shop again",
            ))
        }
        500..=599 if request.effect == Effect::Read || !is_decided(code) => {
            Verdict::Transient(server_error(status, place))
        }
        _ => {
            let kind = if request.effect == Effect::Write { ErrorKind::Rejected } else { ErrorKind::Failed };
            let text = format!("the shop refused ({status} {}): {}", short(code), short(failure.message.get()));
            Verdict::Refused(Error::new(kind, text))
        }
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

/// A page in place of an answer: from a firewall, a host, or a shop that fell over.
fn page(status: u16, reply: &Reply, place: &str) -> Verdict {
    match status {
        401 => Verdict::Refused(access(401, "", "")),
        403 | 406 | 501 => {
            let text = format!("something before the shop refused the request ({status}, {place}); nothing was done");
            let hint = "a firewall or security plugin (ModSecurity, Wordfence, Cloudflare); have this machine's address or /wp-json/ permitted";
            Verdict::Refused(Error::new(ErrorKind::Temporary, text).hint(hint))
        }
        404 => {
            let text = format!("there is no REST API at {place} (404); nothing was done");
            Verdict::Refused(Error::new(ErrorKind::NoStore, text).hint(
                "check the address; in the shop, Settings > Permalinks must be another choice than Plain, or WooCommerce is not installed",
            ))
        }
        400..=499 => {
            let text = format!("the shop refused the request ({status}, {place})");
            Verdict::Refused(Error::new(ErrorKind::Failed, text))
        }
        _ => Verdict::Transient(stumbled(reply, place)),
    }
}

fn stumbled(reply: &Reply, place: &str) -> Error {
    match reply.status {
        503 => Error::new(ErrorKind::Temporary, format!("the shop is in maintenance or overloaded (503, {place})"))
            .hint("the next sync tries again by itself"),
        status => server_error(status, place),
    }
}

fn server_error(status: u16, place: &str) -> Error {
    Error::new(ErrorKind::Temporary, format!("the shop's server failed ({status}, {place})"))
        .hint("the next sync tries again by itself; if it stays so, the shop's own error log tells why")
        .too_much()
}

fn throttled(place: &str) -> Error {
    Error::new(ErrorKind::Temporary, format!("the shop, or a host before it, asked for fewer requests (429, {place})"))
        .hint("the next sync tries again by itself")
}

/// Following a redirect with credentials could hand them to another host.
fn redirected(reply: &Reply, place: &str) -> Error {
    let target = reply.header("location").and_then(|to| url::Url::parse(to).ok()).map(|url| url_for_people(&url));
    let to = target.map_or_else(String::new, |target| format!(" to {target}"));
    Error::new(ErrorKind::Failed, format!("{place} redirects{to}; credentials are not sent there, nothing was done"))
        .hint("if the shop has moved: ordersync connect --reauth STORE --url https://...")
}

/// The shop's words, bounded: error texts of WooCommerce are fixed sentences.
fn short(text: &str) -> String {
    super::text::plain(text).chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str, kind: &str) -> Verdict {
        let url = url::Url::parse("https://shop.example.test/wp-json/wc/v3/orders/7/notes").unwrap();
        let request = Request::write_json(reqwest::Method::POST, url, &serde_json::json!({}));
        let mut reply = Reply { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() };
        reply.headers.insert("content-type", kind.parse().unwrap());
        classify(&request, &reply, crate::clock::Timestamp::UNIX_EPOCH)
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
