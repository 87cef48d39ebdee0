//! What servers say about time, bounded in one place (I-6, X-7): a pause of years, a window that
//! never ends, a token for ever.

use std::time::Duration;

use crate::clock::Timestamp;

/// The longest pause that any vendor means: quotas are counted by the day at most.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// What is kept in the place of a longer one, which nobody means: the channel is asked again after
/// it.
pub(crate) const INSTEAD: Duration = Duration::from_secs(3600);

/// The longest window of a quota that is waited for without having been refused: those of today
/// last half a minute.
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);

/// The longest life of an access token that is believed; one that ends sooner is refused and
/// fetched anew.
const LONGEST_LIFE: i64 = 366 * 24 * 3600;

/// The pause to keep where `asked` is asked for, and whether that is another one.
pub(crate) fn pause(asked: Duration) -> (Duration, bool) {
    if asked > LONGEST_PAUSE { (INSTEAD, true) } else { (asked, false) }
}

/// A pause that is kept in the book, as far as it can be meant: the end of one that is further away
/// was told by nonsense, or by a clock that was ahead, and does not count.
pub(crate) fn kept_pause(until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    until.filter(|until| *until > now && (*until - now).to_std().is_ok_and(|left| left <= LONGEST_PAUSE))
}

/// A number of seconds, as a pause; `None` where it is negative or no number. One that is too large
/// for a clock is as long as can be.
pub(crate) fn seconds(number: f64) -> Option<Duration> {
    if number.is_nan() || number < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX))
}

/// How long a quota's window lasts; `None` where no vendor can mean it.
pub(crate) fn window(milliseconds: f64) -> Option<Duration> {
    seconds(milliseconds / 1000.0).filter(|window| *window <= LONGEST_WINDOW)
}

/// For how many seconds a token is used that is said to live for `told`, less a margin: half a
/// minute at least, so that no answer makes a loop of fetching.
pub(crate) fn life(told: Option<f64>, margin: i64) -> i64 {
    // A cast of a float saturates, and NaN is zero.
    (told.unwrap_or(0.0) as i64).clamp(0, LONGEST_LIFE).saturating_sub(margin).max(30)
}

/// For how many seconds a refresh token lives that is said to live for `told`: eighteen months at
/// eBay; no vendor means more than ten years.
pub(crate) fn long_life(told: f64) -> i64 {
    (told as i64).clamp(0, LONGEST_LIFE.saturating_mul(10))
}

/// `Retry-After` as a pause: seconds or an HTTP date, which is held against the server's own clock
/// where it shows it.
pub(crate) fn retry_after(text: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    if let Ok(number) = text.parse::<f64>() {
        return seconds(number);
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let there = date.and_then(|text| httpdate::parse_http_date(text).ok()).unwrap_or_else(|| now.into());
    Some(at.duration_since(there).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;
    use proptest::prelude::*;

    #[test]
    fn i6_what_no_vendor_means_is_bounded_and_what_one_means_is_kept() {
        let now = from_millis(1_795_000_000_000);
        let kept = |text: &str| retry_after(text, None, now).map(|asked| pause(asked).0.as_secs());
        assert_eq!([kept("0"), kept("30"), kept(" 86400 "), kept("1.5")], [Some(0), Some(30), Some(86_400), Some(1)]);
        for absurd in
            ["315360000", "9999999999999999", "99999999999999999999999999", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"]
        {
            assert_eq!(kept(absurd), Some(INSTEAD.as_secs()), "{absurd}");
        }
        assert_eq!([kept("-5"), kept("NaN"), kept(""), kept("soon")], [None; 4]);
        assert_eq!(kept("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        // A server whose clock is hours ahead means what it says by its own.
        let told = retry_after("Sat, 28 Nov 2026 22:00:30 GMT", Some("Sat, 28 Nov 2026 22:00:00 GMT"), now);
        assert_eq!(told, Some(Duration::from_secs(30)));
    }

    #[test]
    fn i6_a_pause_of_years_that_is_in_the_book_does_not_count() {
        let now = from_millis(1_795_000_000_000);
        let at = |seconds: i64| Some(from_millis(now.timestamp_millis() + seconds * 1000));
        assert_eq!(kept_pause(at(600), now), at(600));
        assert_eq!(kept_pause(at(-1), now), None);
        assert_eq!(kept_pause(at(10 * 365 * 86_400), now), None);
        assert_eq!(kept_pause(Some(Timestamp::MAX_UTC), now), None);
    }

    proptest! {
        #[test]
        fn x7_no_number_of_a_server_ends_the_program(number in any::<f64>(), text in "\\PC{0,30}") {
            let now = from_millis(1_795_000_000_000);
            let kept = seconds(number).into_iter().chain(retry_after(&text, Some(&text), now));
            for (pause, _) in kept.map(pause) {
                prop_assert!(pause <= LONGEST_PAUSE);
                let _ = now + pause;
            }
            prop_assert!((30..=LONGEST_LIFE).contains(&life(Some(number), 120)));
            prop_assert!(window(number).is_none_or(|window| window <= LONGEST_WINDOW));
        }
    }
}
