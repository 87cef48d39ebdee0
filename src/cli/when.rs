//! Times as people type them.

use chrono::{Days, Local, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result as Outcome};

/// What every `--since` takes: a time that has passed, or `all`, from the first order on.
pub(super) fn parse_since(text: &str, now: Timestamp) -> Outcome<Option<Timestamp>> {
    if text.trim() == "all" {
        return Ok(None);
    }
    let usage = |why: String| Error::new(ErrorKind::Usage, format!("--since: {why}; nothing was done"));
    let since = parse_when(text, now).map_err(|why| usage(format!("{why}, or all")))?;
    if since > now {
        return Err(usage(format!("{:?} has not come yet, so nothing can have changed since then", text.trim())));
    }
    Ok(Some(since))
}

/// Reads `30d`, `12h`, `45m`, `2w` (ago), `2026-11-01` and `2026-11-01 13:30` (this machine's time
/// zone) and RFC 3339.
pub(super) fn parse_when(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let read = ago(text, now).or_else(|| date(text)).or_else(|| moment(text)).filter(crate::clock::is_meant);
    read.ok_or_else(|| {
        format!("{text:?} is not a time; write 30d or 12h (ago), 2026-11-01, 2026-11-01 13:30 or 2026-11-01T13:30:00Z")
    })
}

/// What `--until` takes: a time to come. `3d` is in three days.
pub(super) fn parse_until(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let usage = |why: String| Error::new(ErrorKind::Usage, format!("--until: {why}; nothing was changed"));
    let text = text.trim();
    let ahead = span(text).and_then(|span| now.checked_add_signed(span));
    let read = ahead.or_else(|| date(text)).or_else(|| moment(text)).filter(crate::clock::is_meant);
    let forms = "write 3d or 12h (from now), 2026-12-24, 2026-12-24 13:30 or 2026-12-24T13:30:00Z";
    match read {
        None => Err(usage(format!("{text:?} is not a time; {forms}"))),
        Some(at) if at <= now => Err(usage(format!("{text:?} is over already"))),
        Some(at) => Ok(at),
    }
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    now.checked_sub_signed(span(text)?)
}

fn span(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|n| (0..100_000).contains(n))?;
    match unit {
        "m" => Some(TimeDelta::minutes(number)),
        "h" => Some(TimeDelta::hours(number)),
        "d" => Some(TimeDelta::days(number)),
        "w" => Some(TimeDelta::weeks(number)),
        _ => None,
    }
}

fn date(text: &str) -> Option<Timestamp> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    local(date.and_hms_opt(0, 0, 0)?)
}

fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .and_then(local)
}

/// A wall-clock time of this machine. In the hour that a clock change leaves out, the same time a
/// day later less a day.
fn local(at: NaiveDateTime) -> Option<Timestamp> {
    let found = Local.from_local_datetime(&at).earliest();
    let found = found.or_else(|| {
        Local.from_local_datetime(&at.checked_add_days(Days::new(1))?).earliest()?.checked_sub_days(Days::new(1))
    });
    found.map(|t| t.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn since_is_a_time_that_has_passed_or_all() {
        let now = from_millis(1_795_000_000_000);
        assert_eq!(parse_since("all", now).unwrap(), None);
        assert_eq!(parse_since(" 2w ", now).unwrap(), Some(now - TimeDelta::weeks(2)));
        for bad in ["2126-11-01", "2026-11-19T00:00:00Z", "everything", ""] {
            assert_eq!(parse_since(bad, now).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
    }

    #[test]
    fn until_is_a_time_to_come() {
        let now = from_millis(1_795_000_000_000);
        assert_eq!(parse_until(" 3d ", now).unwrap(), now + TimeDelta::days(3));
        assert_eq!(parse_until("2026-11-19T00:00:00Z", now).unwrap().to_rfc3339(), "2026-11-19T00:00:00+00:00");
        for bad in ["2026-11-01", "0d", "all", "yesterday", "", "9999999w", "+99999-01-01"] {
            assert_eq!(parse_until(bad, now).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = from_millis(1_795_000_000_000);
        assert_eq!(parse_when("30d", now), Ok(now - TimeDelta::days(30)));
        assert_eq!(parse_when("12h", now), Ok(now - TimeDelta::hours(12)));
        assert_eq!(parse_when("2026-11-01T13:30:00+01:00", now).unwrap().to_rfc3339(), "2026-11-01T12:30:00+00:00");
        assert!(parse_when("2026-11-01", now).is_ok());
        for bad in [
            "",
            "d",
            "yesterday",
            "-3d",
            "2026-13-01",
            "99999999999d",
            "ä",
            "262142-12-31",
            "+99999-01-01",
            "-0001-01-01",
        ] {
            assert!(parse_when(bad, now).is_err(), "{bad}");
        }
    }
}
