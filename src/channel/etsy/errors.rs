//! What Etsy means by an answer that is not the one asked for, and what its answers say of its
//! quotas. What is about keys and consent stands in [`super::auth`].
//!
//! An error of the API is `{"error": "text"}`. The texts are in no document.

use std::time::Duration;

use chrono::TimeDelta;

use super::api::PATIENCE;
use super::auth::{self, WORDS};
use super::wire::Refusal;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, ErrorKind};
use crate::http::status;
use crate::http::{Effect, Reply, Request, Verdict, told, url_for_people};

/// How long to wait where the requests of a second are used up, and nothing is said.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long where those of a day are: they come back one by one, 24 hours after they were made.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// An error is no longer than this, in bytes.
const LONGEST: usize = 4096;

/// What a reply means.
pub(crate) fn classify(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    if let Some(verdict) = auth::refused(request, reply) {
        return verdict;
    }
    // A page of receipts is no error, and is not read twice to find that out.
    let may_be_one = !matches!(reply.status, 200..=299) || reply.body.len() <= LONGEST;
    let told = may_be_one.then(|| words(reply)).flatten();
    let own = match (reply.status, told, request.effect) {
        (200..=299, Some(told), _) => Some(in_disguise(request, &told)),
        (404, Some(_), Effect::Read) if is_of_one(request) => Some(Verdict::Good),
        (404, Some(told), Effect::Read) => Some(no_shop(request, &told)),
        (403, Some(told), _) if is_barred(&told) => Some(barred(request, &told)),
        (403, Some(told), Effect::Read) => Some(not_shown(request, &told)),
        (429, told, _) => Some(throttled(request, reply, &told.unwrap_or_default(), now)),
        (status @ (400 | 403 | 404 | 409 | 422), Some(told), _) => {
            Some(status::refused(&WORDS, request, status, &told))
        }
        _ => None,
    };
    own.unwrap_or_else(|| status::classify(&WORDS, request, reply, now))
}

/// The text of an error in Etsy's form; `None` where the body is in no such form.
fn words(reply: &Reply) -> Option<String> {
    let is_object = reply.body.trim_ascii().starts_with(b"{");
    let (refusal, _) = is_object.then(|| reply.json::<Refusal<'_>>().ok()).flatten()?;
    let (error, more) = (refusal.error.get(), refusal.error_description.get());
    let text = if more.is_empty() { error.to_owned() } else { format!("{error}: {more}") };
    (!error.is_empty()).then_some(text)
}

/// An error with a good status. What became of a write is not known by that.
fn in_disguise(request: &Request, told: &str) -> Verdict {
    let what = format!("an error in the place of an answer ({})", status::short(told));
    Verdict::Transient(status::garbled(&WORDS, request, &what))
}

/// Whether what is asked for is one receipt, and no list.
fn is_of_one(request: &Request) -> bool {
    let of = request.url.path().rsplit_once("/receipts/").map(|(_, id)| id);
    of.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

fn no_shop(request: &Request, told: &str) -> Verdict {
    let place = url_for_people(&request.url);
    let text = format!("Etsy has no such shop ({}; 404, {place}); nothing was done", status::short(told));
    Verdict::Refused(
        Error::new(ErrorKind::NoStore, text).hint("ordersync connect --test STORE looks which shop the consent is for"),
    )
}

/// The consent of an account whose shop this is not, or not any more.
fn not_shown(request: &Request, told: &str) -> Verdict {
    let place = url_for_people(&request.url);
    let text =
        format!("Etsy does not show this to the consent ({}; 403, {place}); nothing was done", status::short(told));
    Verdict::Refused(Error::new(ErrorKind::Permission, text).hint(
        "ordersync connect --test STORE looks whose consent it is; ordersync connect --reauth STORE asks for a new one",
    ))
}

/// Whether Etsy has barred somebody, the account or the shop: of an app's key [`super::auth`] tells.
fn is_barred(told: &str) -> bool {
    let told = told.to_ascii_lowercase();
    ["banned", "suspended", "deactivated"].iter().any(|word| told.contains(word))
}

/// No consent of it helps, and nothing is sent in its name.
fn barred(request: &Request, told: &str) -> Verdict {
    let hint = "sign in at https://www.etsy.com as the seller: Etsy says there why, and what is to be done; then \
                ordersync connect --test STORE looks whether the shop is let in again";
    let refused = match request.effect {
        Effect::Write => status::refused(&WORDS, request, 403, told),
        Effect::Read => not_shown(request, told),
    };
    match refused {
        Verdict::Refused(error) => Verdict::Refused(error.hint(hint)),
        other => other,
    }
}

/// A quota that is used up. One of a day has no pause that is worth waiting for.
fn throttled(request: &Request, reply: &Reply, told: &str, now: Timestamp) -> Verdict {
    let place = url_for_people(&request.url);
    let by_day = told.to_ascii_lowercase().contains("daily") || Quota::of(reply).is_some_and(|quota| quota.left == 0);
    let of = if by_day { "of 24 hours" } else { "of a second" };
    let pause = reply.retry_after(now).unwrap_or(if by_day { AN_HOUR } else { A_MOMENT });
    let until = TimeDelta::from_std(told::pause(pause).0).ok().filter(|_| pause > PATIENCE);
    let until = until.and_then(|pause| now.checked_add_signed(pause));
    let until = until.map_or(String::new(), |until| format!("; it asks to be left alone until {}", rfc3339(until)));
    let text = format!("the requests {of} that Etsy permits this key are used up (429, {place}){until}");
    Verdict::Throttled(Some(pause), Error::new(ErrorKind::Temporary, text).hint(status::AGAIN))
}

/// The requests of 24 hours that an app is permitted, in a window that slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// In all.
    pub(crate) permitted: u64,
    /// Left now.
    pub(crate) left: u64,
}

impl Quota {
    /// What an answer tells of it.
    pub(crate) fn of(reply: &Reply) -> Option<Self> {
        let (permitted, left) = (number(reply, "x-limit-per-day")?, number(reply, "x-remaining-today")?);
        (permitted > 0).then_some(Self { permitted, left })
    }
}

/// How many requests a second are permitted, as an answer tells it.
pub(crate) fn per_second(reply: &Reply) -> Option<u32> {
    let told = number(reply, "x-limit-per-second")?;
    u32::try_from(told).ok().filter(|told| (1..=10_000).contains(told))
}

fn number(reply: &Reply, name: &str) -> Option<u64> {
    reply.header(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
