//! What the statuses of every HTTP API mean, and the bodies that stand in the place of an answer.
//!
//! An adapter first looks for what is its vendor's own, an error in the vendor's form or a status
//! with a meaning of its own, and leaves the rest to [`classify`]. A write that may have been
//! applied is [`Verdict::Transient`], so that it is looked for (D-3); a read is good only with
//! whole JSON in it (F-4).

use super::body::{TEST, check_json, unusable};
use super::{Effect, Reply, Request, Verdict, url_for_people};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};

/// What is said where nobody need do anything.
pub(crate) const AGAIN: &str = super::again!();

/// The adapter's words in the common errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// Who answers: `the shop`, `Shopify`.
    pub(crate) who: &'static str,
    /// What helps where something else answers in the API's place with a good status.
    pub(crate) garbled: &'static str,
    /// What helps where something before the API refuses the request.
    pub(crate) blocked: &'static str,
    /// What helps where the address has moved.
    pub(crate) moved: &'static str,
    /// What helps where nothing is at the address.
    pub(crate) missing: &'static str,
    /// What helps where the credentials are not accepted.
    pub(crate) credentials: &'static str,
    /// What helps where the server fails.
    pub(crate) failed: &'static str,
}

impl Words {
    /// The usual words about `who`.
    pub(crate) const fn of(who: &'static str) -> Self {
        Self {
            who,
            garbled: "a proxy, cache or firewall stands before the API, or --endpoint is wrong",
            blocked: "a proxy or firewall; have this machine's address permitted there",
            moved: "check the address (and --endpoint, where one is set)",
            missing: "check the address (and --endpoint, where one is set)",
            credentials: "ordersync connect --reauth STORE takes new ones",
            failed: AGAIN,
        }
    }
}

/// What a reply means, as far as nothing in it is the vendor's own.
pub(crate) fn classify(words: &Words, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let (who, place, status) = (words.who, url_for_people(&request.url), reply.status);
    let is_write = request.effect == Effect::Write;
    let refused = |kind, text: String, hint: &str| Verdict::Refused(Error::new(kind, text).hint(hint));
    match status {
        204 if is_write => Verdict::Good,
        200..=299 => match check_json(reply) {
            Ok(()) => Verdict::Good,
            Err(why) => Verdict::Transient(garbled(words, request, why.message())),
        },
        // After a write, these name a page to look at (a plugin that redirects at its end does so).
        302 | 303 if is_write => Verdict::Transient(redirected(&place, reply, "").hint(words.moved)),
        300..=399 => Verdict::Refused(redirected(&place, reply, ", nothing was done").hint(words.moved)),
        401 => {
            let text = format!("{who} does not accept the credentials (401, {place}); nothing was imported or sent");
            refused(ErrorKind::Credentials, text, words.credentials)
        }
        // 406 and 501 are those of a web server's own firewall (ModSecurity).
        403 | 406 | 501 => {
            let text = format!("something before {who} refused the request ({status}, {place}); nothing was done");
            refused(ErrorKind::Temporary, text, words.blocked)
        }
        404 => {
            let text = format!("there is no store at {place} (404); nothing was done");
            refused(ErrorKind::NoStore, text, words.missing)
        }
        413 | 414 if !is_write => {
            let text = format!("{who} cannot answer so much at once ({status}, {place})");
            Verdict::Refused(Error::new(ErrorKind::Temporary, text).hint(AGAIN).too_much())
        }
        429 => {
            let text = format!("{who}, or a host before it, asked for fewer requests (429, {place})");
            Verdict::Throttled(reply.retry_after(now), Error::new(ErrorKind::Temporary, text).hint(AGAIN))
        }
        503 => down(words, request, reply, now),
        408 | 500..=599 => {
            let text = format!("{who}'s server failed ({status}, {place})");
            Verdict::Transient(Error::new(ErrorKind::Temporary, text).hint(words.failed).too_much())
        }
        400..=499 => {
            let text = format!("{who} refused the request ({status}, {place}); nothing was done");
            refused(ErrorKind::Failed, text, "ordersync connect --test STORE")
        }
        _ => {
            let text = format!("{place} answered with a status that HTTP does not know ({status})");
            Verdict::Transient(Error::new(ErrorKind::Temporary, text).hint(words.garbled))
        }
    }
}

/// Down for maintenance: no fault of the data. A pause that is named is kept; else the run gives up
/// after its repeats, and a merchant who knows that the store is back can sync at once. A write may
/// have been applied before the gateway gave up.
fn down(words: &Words, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let place = url_for_people(&request.url);
    let text = format!("{} is down for maintenance or overloaded (503, {place})", words.who);
    let error = Error::new(ErrorKind::Temporary, text).hint(AGAIN);
    match reply.retry_after(now) {
        Some(pause) if request.effect == Effect::Read => Verdict::Throttled(Some(pause), error),
        _ => Verdict::Transient(error),
    }
}

/// An answer with a good status that is not the one asked for: asking again may help; a write that
/// was answered with it may have been applied.
pub(crate) fn garbled(words: &Words, request: &Request, what: &str) -> Error {
    let done = if request.effect == Effect::Write { "" } else { "; nothing was used of it" };
    unusable(&url_for_people(&request.url), what, done).hint(format!("{}; {TEST}", words.garbled))
}

/// A refusal in the vendor's own form, with the vendor's words: what was understood and is not
/// done.
pub(crate) fn refused(words: &Words, request: &Request, status: u16, told: &str) -> Verdict {
    let (kind, done) = match request.effect {
        Effect::Write => (ErrorKind::Rejected, "; nothing was written"),
        Effect::Read => (ErrorKind::Failed, ""),
    };
    let told = short(told);
    let colon = if told.is_empty() { "" } else { ": " };
    let error = Error::new(kind, format!("{} refused ({status}){colon}{told}{done}", words.who));
    Verdict::Refused(if request.effect == Effect::Read { error.hint(TEST) } else { error })
}

/// Following a redirect with credentials could hand them to another host.
fn redirected(place: &str, reply: &Reply, done: &str) -> Error {
    let target = reply.header("location").and_then(|to| url::Url::parse(to).ok()).map(|url| url_for_people(&url));
    let to = target.map_or_else(String::new, |target| format!(" to {target}"));
    Error::new(ErrorKind::Failed, format!("{place} redirects{to}; credentials are not sent there{done}"))
}

/// A vendor's words, bounded: its errors are fixed sentences with ids in them.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// What holds for every adapter's reading of an answer.
#[cfg(test)]
pub(crate) mod law {
    use proptest::prelude::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    /// Statuses after which a write may have been applied.
    fn leaves_in_doubt(status: u16) -> bool {
        !matches!(status, 300..=301 | 304..=407 | 409..=499 | 501)
    }

    fn body(undecided: &'static [&'static str]) -> impl Strategy<Value = String> {
        let json = prop::sample::select(&["[]", "{}", "[{\"id\":7}]", "{\"id\":7}", "7", "null", "{\"data\":[]}"][..]);
        let whole = prop_oneof![json.prop_map(str::to_owned), prop::sample::select(undecided).prop_map(str::to_owned)];
        let cut = (whole.clone(), 0.0f64..1.0).prop_map(|(text, at)| {
            let at = (text.len() as f64 * at) as usize;
            text.get(..at).unwrap_or_default().to_owned()
        });
        let page = prop::sample::select(
            &["", "<!DOCTYPE html><p>back soon", "<html><script>\n[]\n</script></html>", "<?xml version=\"1.0\"?><a/>"]
                [..],
        );
        prop_oneof![3 => whole, 2 => cut, 2 => page.prop_map(str::to_owned), 1 => "\\PC{0,40}"]
    }

    /// Whatever the status and the body: a write that may have been applied is looked for, and what
    /// is used of a read is the whole of an answer, or that something is not there.
    ///
    /// `undecided`: errors in the vendor's form that do not say whether a write was applied.
    pub(crate) fn holds(
        path: &str,
        undecided: &'static [&'static str],
        classify: impl Fn(&Request, &Reply) -> Verdict,
    ) {
        const KINDS: [&str; 4] = ["application/json", "text/html; charset=UTF-8", "text/plain", "application/xml"];
        let statuses = prop_oneof![4 => 200u16..600, 1 => 100u16..1000, 2 => prop::sample::select(&[200u16, 204, 408, 429, 500, 502, 503, 520][..])];
        proptest!(ProptestConfig { cases: 2000, ..ProptestConfig::default() }, |(
            is_write in any::<bool>(), status in statuses, kind in prop::sample::select(&KINDS[..]),
            after in prop::option::of("[0-9]{1,3}"), body in body(undecided),
        )| {
            let mut request = Request::get(url::Url::parse(&format!("https://store.example.test/{path}")).unwrap());
            request.effect = if is_write { Effect::Write } else { Effect::Read };
            let mut headers = HeaderMap::new();
            headers.insert("content-type", HeaderValue::from_static(kind));
            if let Some(after) = after {
                headers.insert("retry-after", after.parse().unwrap());
            }
            let reply = Reply { status, headers, body: body.clone().into_bytes(), ..Reply::default() };
            let verdict = classify(&request, &reply);
            let is_good = matches!(verdict, Verdict::Good);
            if is_write && leaves_in_doubt(status) && status != 429 {
                let looked_for = matches!(verdict, Verdict::Transient(_)) || (is_good && status < 300);
                prop_assert!(looked_for, "{status} {body:?}: {verdict:?}");
            }
            if !is_write && is_good {
                let whole = (200..300).contains(&status) && check_json(&reply).is_ok();
                let nothing = matches!(status, 204 | 404);
                prop_assert!(whole || nothing, "{status} {kind} {body:?}");
            }
            if let Verdict::Refused(error) | Verdict::Transient(error) | Verdict::Throttled(_, error) = verdict {
                prop_assert!(!error.message().is_empty() && !error.message().contains('<'), "{error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const WORDS: Words = Words::of("the shop");

    fn verdict(effect: Effect, status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Verdict {
        let request = Request { effect, ..Request::get(url::Url::parse("https://shop.example.test/x").unwrap()) };
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = headers.iter().map(pair).collect();
        classify(
            &WORDS,
            &request,
            &Reply { status, headers, body: body.as_bytes().to_vec(), ..Reply::default() },
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn d3_f4_a_write_in_doubt_is_looked_for_and_no_part_of_an_answer_is_used() {
        law::holds("x", &["{\"error\":\"x\"}"], |request, reply| {
            classify(&WORDS, request, reply, Timestamp::UNIX_EPOCH)
        });
    }

    #[test]
    fn i6_a_503_pauses_a_read_only_where_it_says_how_long_and_a_write_never() {
        let named = [("retry-after", "60")];
        let Verdict::Throttled(Some(pause), _) = verdict(Effect::Read, 503, &named, "") else { panic!() };
        assert_eq!(pause.as_secs(), 60);
        assert!(matches!(verdict(Effect::Read, 503, &[], ""), Verdict::Transient(e) if !e.is_too_much()));
        assert!(matches!(verdict(Effect::Write, 503, &named, ""), Verdict::Transient(_)));
        let Verdict::Throttled(pause, _) = verdict(Effect::Write, 429, &named, "") else { panic!() };
        assert_eq!(pause.map(|pause| pause.as_secs()), Some(60), "a write that was not taken waits, too");
    }

    #[test]
    fn each_status_has_its_kind_its_place_and_what_helps() {
        let kinds = [
            (301, ErrorKind::Failed),
            (401, ErrorKind::Credentials),
            (403, ErrorKind::Temporary),
            (404, ErrorKind::NoStore),
            (406, ErrorKind::Temporary),
            (408, ErrorKind::Temporary),
            (413, ErrorKind::Temporary),
            (422, ErrorKind::Failed),
            (429, ErrorKind::Temporary),
            (500, ErrorKind::Temporary),
            (501, ErrorKind::Temporary),
            (999, ErrorKind::Temporary),
        ];
        for (status, kind) in kinds {
            for effect in [Effect::Read, Effect::Write] {
                let (Verdict::Refused(error) | Verdict::Transient(error) | Verdict::Throttled(_, error)) =
                    verdict(effect, status, &[], "")
                else {
                    panic!("{status}")
                };
                assert!(error.kind() == kind || (effect == Effect::Write && status == 413), "{status}: {error:?}");
                assert!(error.message().contains("https://shop.example.test/x"), "{error}");
                assert!(error.hint_text().is_some(), "{error}");
                let less = matches!(status, 408 | 500) || (status == 413 && effect == Effect::Read);
                assert_eq!(error.is_too_much(), less, "{status}");
            }
        }
    }

    #[test]
    fn x6_a_redirect_is_named_and_not_followed() {
        let to = [("location", "https://ann:pw@other.example/x?token=1")];
        let Verdict::Refused(error) = verdict(Effect::Write, 301, &to, "") else { panic!() };
        assert!(error.message().contains("redirects to https://other.example/x"), "{error}");
        assert!(!error.message().contains("pw") && error.message().contains("nothing was done"), "{error}");
        // The page to look at after a form was taken: the write may have been applied.
        let Verdict::Transient(error) = verdict(Effect::Write, 303, &to, "") else { panic!() };
        assert!(!error.message().contains("nothing was done"), "{error}");
    }
}
