//! A test delivery: signed as the channel signs, sent to the public address, so that name,
//! certificate, proxy, path and key are tried by the way that the deliveries take. It is about
//! nothing, and changes nothing. The receiver proves that it has come to it.
//!
//! Where it does not arrive, the receivers of this machine are asked past everything that stands
//! before them: so what fails has a name.

use std::time::{Duration, Instant};

use url::Url;

use super::presence::{self, Presence};
use super::{BELOW, HEALTH, keys, webhooks_of};
use crate::book::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::http::once::{Answered, Stopped, post};
use crate::http::{sign, url_for_people};
use crate::secret::Secret;
use crate::sync::Context;

/// The header of a challenge, and of its answer.
pub(super) const HEADER: &str = "x-ordersync-test";

/// How large a test is: some orders are, and a proxy that lets less through turns those away.
const SIZE: usize = 512 * 1024;

/// The answer to a challenge: nobody gives it who has not this key. A challenge is such that no
/// body of a delivery could be signed by its answer.
pub(super) fn proof(key: &Secret, challenge: &[u8]) -> Option<String> {
    let is_one = (16..=64).contains(&challenge.len()) && challenge.iter().all(u8::is_ascii_hexdigit);
    let message = [b"ordersync test ".as_slice(), challenge].concat();
    is_one.then(|| sign::hmac_sha256(key.reveal().as_bytes(), &message))
}

/// What of the way to the receiver fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// No public address is known.
    Address,
    /// Its name.
    Dns,
    /// Nobody takes the connection.
    Connection,
    /// The certificate, or TLS itself.
    Certificate,
    /// What stands before the receiver.
    Proxy,
    /// The path that it hands on.
    Path,
    /// No receiver of this book is there.
    Listen,
    /// The key that deliveries are verified with.
    Secret,
}

impl Link {
    /// In JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Dns => "dns",
            Self::Connection => "connection",
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
            Self::Path => "path",
            Self::Listen => "listen",
            Self::Secret => "secret",
        }
    }

    fn kind(self) -> ErrorKind {
        match self {
            Self::Address => ErrorKind::NotFound,
            Self::Dns | Self::Connection => ErrorKind::Temporary,
            Self::Certificate | Self::Proxy | Self::Path | Self::Listen => ErrorKind::Failed,
            Self::Secret => ErrorKind::Credentials,
        }
    }
}

/// What fails, and in words with what helps.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    /// Which link.
    pub(crate) link: Link,
    /// The error to print.
    pub(crate) error: Error,
}

impl Failed {
    fn new(link: Link, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { link, error: Error::new(link.kind(), text).hint(hint) }
    }
}

/// A test that is on its way.
struct Letter {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What proves that it has come.
    proof: String,
    path: String,
}

fn letter(context: &Context, store: &Store, size: usize) -> Result<Letter> {
    let webhooks = webhooks_of(store)?;
    let Some(signed) = webhooks.test else {
        let text = format!(
            "{}: only {} can sign a delivery, so none can be tried from here; nothing was sent",
            store.name,
            store.kind.title()
        );
        return Err(Error::new(ErrorKind::Unsupported, text).hint("ordersync status says whether deliveries come"));
    };
    let secrets = keys::ensure(context, store, webhooks)?;
    let now = context.clock.now();
    let (path, keys) = keys::of(&secrets, webhooks, now);
    let challenge = sign::nonce()?;
    let proof = keys.own.first().and_then(|key| proof(key, challenge.as_bytes())).unwrap_or_default();
    let test = signed(&store.values, &keys, now, &"test ".repeat(size / 5));
    let headers = test.headers.into_iter().chain([("X-Ordersync-Test", challenge)]);
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Letter { headers, body: test.body, proof, path: format!("{BELOW}{path}") })
}

/// Sends a test for the store to its public address; gives how long it took.
///
/// # Errors
/// What stands against sending; what became of it is the result.
pub(crate) fn send(context: &Context, store: &Store, address: Option<&str>) -> Result<Result<Duration, Failed>> {
    let Some(address) = address else {
        let text = format!("no public address is known for {}; nothing was sent", store.name);
        let hint = format!("ordersync listen --public-url https://... --channel {} subscribes it", store.name);
        return Ok(Err(Failed::new(Link::Address, text, hint)));
    };
    let large = letter(context, store, SIZE)?;
    let url = url(&format!("{address}{}", large.path))?;
    let begun = Instant::now();
    let far = post(&url, &large.headers, large.body)?;
    let took = begun.elapsed();
    if far.as_ref().is_ok_and(|answer| is_proven(answer, &large.proof)) {
        return Ok(Ok(took));
    }
    if let Ok(answer) = &far {
        // Not every proxy says that a body is too large for it: one breaks off, and answers 502.
        let small = letter(context, store, 0)?;
        if post(&url, &small.headers, small.body)?.is_ok_and(|answer| is_proven(&answer, &small.proof)) {
            return Ok(Err(too_large(address, answer.status)));
        }
    }
    let now = context.clock.now();
    let mut near = Near::Unknown;
    for found in presence::all(&context.home, now) {
        if !found.stores.contains(&store.name) {
            continue;
        }
        near = ask(context, store, &found)?;
        if !matches!(near, Near::Gone(_)) {
            break;
        }
    }
    // One that hands on the path of the public address as it is leads to a receiver, and to another one.
    let is_bare = |answer: &Answered, status| answer.status == status && answer.begins.is_empty();
    let is_other = match &far {
        Ok(answer) if is_bare(answer, 404) => {
            let health = self::url(&format!("{address}{HEALTH}"))?;
            post(&health, &[], Vec::new())?.is_ok_and(|answer| is_bare(&answer, 405))
        }
        _ => false,
    };
    Ok(Err(diagnosis(address, &far, &near, is_other)))
}

/// An address that was put together from a known one.
fn url(text: &str) -> Result<Url> {
    Url::parse(text).map_err(|e| {
        let text = format!("the public address that the book has is none ({e}); nothing was sent");
        Error::new(ErrorKind::Failed, text).hint("ordersync listen --public-url https://... gives another")
    })
}

fn is_proven(answer: &Answered, proof: &str) -> bool {
    let told = answer.header(HEADER).unwrap_or_default();
    answer.status == 200 && sign::is_same(proof.as_bytes(), told.as_bytes())
}

/// What a receiver on this machine says to the same test.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Near {
    /// None is known.
    Unknown,
    /// The one that is known does not answer any more.
    Gone(String),
    /// It takes the test.
    Takes(String),
    /// It answers something else.
    Refuses(String, u16),
}

/// Asks a receiver past what stands before it.
fn ask(context: &Context, store: &Store, found: &Presence) -> Result<Near> {
    let place = found.near().to_string();
    let letter = letter(context, store, SIZE)?;
    let url = url(&format!("http://{place}{}", letter.path))?;
    Ok(match post(&url, &letter.headers, letter.body)? {
        Err(_) => Near::Gone(place),
        Ok(answer) if is_proven(&answer, &letter.proof) => Near::Takes(place),
        Ok(answer) => Near::Refuses(place, answer.status),
    })
}

/// Which link it is, by how far the test came and by what the receiver itself says.
fn diagnosis(address: &str, far: &Result<Answered, Stopped>, near: &Near, is_other: bool) -> Failed {
    let from_here = "the test goes out from this machine: a router may not lead its own network back to itself";
    let failed = match far {
        Err(Stopped::Name(why)) => Failed::new(
            Link::Dns,
            format!("DNS: the name of {address} leads nowhere ({why}); no delivery can come"),
            "set the name's record at whoever runs its DNS; a new one takes a while",
        ),
        Err(Stopped::Connection(why)) => Failed::new(
            Link::Connection,
            format!("connection: nobody answers at {address} ({why}); no delivery can come"),
            format!("start the proxy or the tunnel, and let its port through router and firewall; {from_here}"),
        ),
        Err(Stopped::Certificate(error)) => {
            let error = Error::new(Link::Certificate.kind(), format!("certificate: {}", error.message()));
            let hint = "channels deliver only where the certificate is valid, whole and from a public authority, such as Let's Encrypt";
            Failed { link: Link::Certificate, error: error.hint(hint) }
        }
        Err(Stopped::Silence(why)) => Failed::new(
            Link::Proxy,
            format!("proxy: {address} takes the connection and gives no answer ({why})"),
            "look into the proxy's or the tunnel's log",
        ),
        Ok(answer) => answered(address, answer, near, is_other),
    };
    let beside = match (near, failed.link) {
        (Near::Takes(place), Link::Dns | Link::Connection | Link::Certificate | Link::Proxy | Link::Path) => {
            format!("ordersync listen itself is well and takes the test at {place}")
        }
        (Near::Gone(place), Link::Dns | Link::Connection | Link::Certificate) => {
            format!("ordersync listen does not run, either: nothing answers at {place}")
        }
        _ => return failed,
    };
    Failed { error: failed.error.adding(&beside), ..failed }
}

/// Which link it is where something was answered. `is_other`: another receiver than the store's has
/// done it.
fn answered(address: &str, answer: &Answered, near: &Near, is_other: bool) -> Failed {
    let status = answer.status;
    // Ours has no body; whoever answers in its own name nearly always has one.
    let is_bare = answer.begins.is_empty();
    let page = if is_page(answer) { " with a page" } else { "" };
    let proxy = |text: String, hint: &str| Failed::new(Link::Proxy, format!("proxy: {text}"), hint);
    match status {
        200..=299 => proxy(
            format!("{address} answers {status}{page}, and it is not ordersync listen: each delivery would be lost"),
            "lead the address to where ordersync listen runs; one of an older version is to be started anew",
        ),
        300..=399 => {
            let to = answer.header("location").and_then(|to| Url::parse(to).ok());
            let to = to.map_or_else(|| "elsewhere".to_owned(), |to| format!("to {}", url_for_people(&to)));
            let text = format!("{address} leads {to} ({status}), where channels do not follow");
            proxy(text, "subscribe to the address that it leads to: ordersync listen --public-url https://...")
        }
        401 if answer.headers.contains_key("www-authenticate") => proxy(
            format!("{address} asks for a login (401), which no channel has"),
            "take the login away for this path: each delivery is signed",
        ),
        401 if matches!(near, Near::Takes(_)) => proxy(
            format!(
                "the signature was refused (401) behind {address}: something on the way changes the body or takes headers away"
            ),
            "let body and headers through as they are",
        ),
        401 if is_bare => Failed::new(
            Link::Secret,
            format!(
                "secret: ordersync listen refuses the signature (401) at {address}: it verifies with another key than this book has"
            ),
            "start ordersync listen anew, with this home and as this user",
        ),
        404 if is_bare && !is_other && matches!(near, Near::Takes(_)) => Failed::new(
            Link::Path,
            format!("path: ordersync listen gets another path than the one of {address} (404)"),
            "let the proxy hand on the path as it is, or take away just the path of the public address",
        ),
        404 if is_bare => Failed::new(
            Link::Listen,
            format!(
                "listen: what answers at {address} does not know the store (404): it is another book's ordersync listen, or receives for other stores"
            ),
            "start ordersync listen with this home, without --channel or with this store",
        ),
        404 => proxy(
            format!("{address} answers 404{page} itself: it hands nothing on below this path"),
            "lead /hooks/ below the public address to where ordersync listen runs",
        ),
        413 => too_large(address, status),
        502..=504 | 520..=530 => match near {
            Near::Takes(place) => proxy(
                format!("{address} does not reach ordersync listen ({status})"),
                &format!("lead it to http://{place}"),
            ),
            Near::Refuses(place, own) => Failed::new(
                Link::Listen,
                format!("listen: {address} answers {status}; ordersync listen at {place} answers {own} itself"),
                "start ordersync listen with this home, without --channel or with this store",
            ),
            Near::Gone(_) | Near::Unknown => Failed::new(
                Link::Listen,
                format!("listen: the proxy at {address} answers {status}, and ordersync listen does not run here"),
                "ordersync listen; ordersync schedule install --listen keeps it running",
            ),
        },
        _ => proxy(
            format!("{address} answers {status}{page}, which ordersync listen does not"),
            "look into the proxy's or the tunnel's log, and at its rules for bots and logins",
        ),
    }
}

fn too_large(address: &str, status: u16) -> Failed {
    let text = format!("proxy: {address} takes no body of {} KiB ({status}), as large orders have it", SIZE / 1024);
    let hint = "let it take 1 MiB: client_max_body_size 1m in nginx, request_body with max_size 1MiB in Caddy";
    Failed::new(Link::Proxy, text, hint)
}

/// Whether it is a page for people.
fn is_page(answer: &Answered) -> bool {
    let is_html = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    is_html || answer.begins.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;
    use crate::channel::ChannelKind;
    use crate::channel::webhooks::{Delivery, Keys, Told};
    use crate::clock::from_millis;

    #[test]
    fn w1_a_test_of_every_channel_is_proven_and_about_nothing_and_with_another_key_refused() {
        let secrets = |key: &str| vec![Secret::new(key)];
        let values = [("shop", "a.myshopify.com"), ("store_hash", "abc123"), ("url", "https://shop.example")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        for kind in ChannelKind::ALL {
            let Some(webhooks) = &kind.adapter().webhooks else { continue };
            let now = from_millis(1_795_000_000_000);
            for vendor in [Vec::new(), secrets("vendor")] {
                if vendor.is_empty() && !webhooks.takes_our_key {
                    continue;
                }
                let Some(signed) = webhooks.test else { continue };
                let keys = Keys { vendor, own: secrets("own"), fetched: None };
                let test = signed(&values, &keys, now, "text");
                assert!(String::from_utf8_lossy(&test.body).contains("text"), "{kind}");
                let headers: Vec<_> = test
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into_bytes()))
                    .collect();
                let told = |keys: &Keys| {
                    let body = &test.body;
                    (webhooks.read)(&Delivery { headers: &headers, body, values: &values, keys, now })
                };
                assert_eq!(told(&keys), Told::Nothing, "{kind}");
                let others = Keys { vendor: secrets("other"), own: secrets("another"), fetched: None };
                assert_eq!(told(&others), Told::Refused, "{kind}");
            }
        }
    }

    #[test]
    fn w1_a_proof_is_given_to_what_can_be_no_body_of_a_delivery() {
        let key = Secret::new("key");
        assert!(proof(&key, b"0123456789abcdef").is_some());
        for odd in [&b"{\"id\":7,\"aaaaaaaa\":1}"[..], b"", b"0123456789abcde", &[b'0'; 65]] {
            assert_eq!(proof(&key, odd), None);
        }
        assert_ne!(proof(&key, b"0123456789abcdef").unwrap(), sign::hmac_sha256(b"key", b"0123456789abcdef"));
    }

    #[test]
    fn w1_each_answer_names_its_link() {
        let bare = |status| Ok(Answered { status, ..Answered::default() });
        let page = |status| Ok(Answered { status, begins: b"<html>".to_vec(), ..Answered::default() });
        let (takes, gone) = (Near::Takes("127.0.0.1:8788".into()), Near::Gone("127.0.0.1:8788".into()));
        let refuses = Near::Refuses("127.0.0.1:8788".into(), 404);
        let of = |far: &Result<Answered, Stopped>, near: &Near| {
            let failed = diagnosis("https://orders.example.com", far, near, false);
            assert!(failed.error.hint_text().is_some(), "{failed:?}");
            failed.link
        };
        for (far, near, link) in [
            (Err(Stopped::Name("x".into())), &gone, Link::Dns),
            (Err(Stopped::Connection("x".into())), &takes, Link::Connection),
            (Err(Stopped::Silence("x".into())), &takes, Link::Proxy),
            (bare(200), &takes, Link::Proxy),
            (page(200), &gone, Link::Proxy),
            (bare(301), &takes, Link::Proxy),
            (bare(401), &Near::Unknown, Link::Secret),
            (bare(401), &takes, Link::Proxy),
            (bare(404), &takes, Link::Path),
            (bare(404), &refuses, Link::Listen),
            (bare(404), &Near::Unknown, Link::Listen),
            (page(404), &takes, Link::Proxy),
            (page(413), &takes, Link::Proxy),
            (page(502), &gone, Link::Listen),
            (page(502), &takes, Link::Proxy),
            (page(504), &Near::Unknown, Link::Listen),
            (page(530), &gone, Link::Listen),
            (page(503), &refuses, Link::Listen),
            (page(403), &takes, Link::Proxy),
        ] {
            assert_eq!(of(&far, near), link, "{far:?} {near:?}");
        }
        let other = diagnosis("https://orders.example.com", &bare(404), &takes, true);
        assert_eq!(other.link, Link::Listen);
    }
}
