//! A shop's own time: how far its clock is from UTC, and since when.
//!
//! Any SQLite tool can read the shop's days with it: the offset of an order is the last one before
//! it was placed. So no order holds a day of its own, and where a shop is found to be elsewhere,
//! all its days follow.

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Utc};
use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::error::Done;
use crate::error::Result;

/// The years that shops and their orders are in, in seconds: 1990 to 2060.
const YEARS: (i64, i64) = (631_152_000, 2_840_140_800);
const DAY: i64 = 86_400;

/// Writes down the offsets of a store in the time zone that its channel names.
pub(super) fn keep(db: &Connection, store: i64, time_zone: &str) -> Result<()> {
    db.execute("DELETE FROM zone_offsets WHERE store_id = ?", [store]).done("written")?;
    let mut insert =
        db.prepare_cached("INSERT INTO zone_offsets (store_id, since, seconds) VALUES (?, ?, ?)").done("written")?;
    for (since, seconds) in offsets(time_zone) {
        insert.execute(params![store, since.saturating_mul(1000), seconds]).done("written")?;
    }
    Ok(())
}

/// Writes down the offsets of all stores: of a book that an older version made.
pub(super) fn keep_all(db: &Connection) -> Result<()> {
    let mut statement = db.prepare("SELECT id, time_zone FROM stores").done("read")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let stores: Vec<(i64, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    stores.iter().try_for_each(|(store, time_zone)| keep(db, *store, time_zone))
}

/// The offsets of a store that hold around a moment, the oldest first: since when (milliseconds
/// since 1970) its clock is how many seconds before UTC.
pub(super) fn offsets_before(db: &Connection, store: i64, moment: i64) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT since, seconds FROM zone_offsets WHERE store_id = ? AND since <= ? ORDER BY since DESC LIMIT 8";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map([store, moment], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let mut found: Vec<(i64, i64)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    found.reverse();
    Ok(found)
}

/// Since when (in seconds since 1970) the zone is how many seconds before UTC. Nothing for a zone
/// that is not known: it is UTC then.
fn offsets(time_zone: &str) -> Vec<(i64, i32)> {
    let Ok(zone) = time_zone.trim().parse::<chrono_tz::Tz>() else {
        return fixed(time_zone).map(|seconds| vec![(YEARS.0, seconds)]).unwrap_or_default();
    };
    let at = |seconds: i64| {
        let moment = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc()
    };
    let mut found = vec![(YEARS.0, at(YEARS.0))];
    let mut day = YEARS.0;
    while day < YEARS.1 {
        let (mut before, mut after) = (day, day + DAY);
        if at(before) != at(after) {
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if at(middle) == at(before) { before = middle } else { after = middle }
            }
            found.push((after, at(after)));
        }
        day += DAY;
    }
    found
}

/// `UTC+5.5`, `+02:00`, `GMT-3`.
fn fixed(text: &str) -> Option<i32> {
    let text = text.trim();
    let text = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let plain = text.trim_start_matches(['+', '-', '\u{2212}']);
    let seconds = match plain.split_once(':') {
        Some((hours, minutes)) => {
            hours.parse::<i32>().ok()?.checked_mul(3600)?.checked_add(minutes.parse::<i32>().ok()?.checked_mul(60)?)?
        }
        None => (plain.parse::<Decimal>().ok()?.checked_mul(Decimal::from(3600))?).to_i32()?,
    };
    let sane = TimeDelta::hours(15).num_seconds() >= i64::from(seconds);
    sane.then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time_zone: &str, moment: &str) -> i32 {
        let moment = DateTime::parse_from_rfc3339(moment).unwrap().timestamp();
        offsets(time_zone).into_iter().rfind(|(since, _)| *since <= moment).map_or(0, |(_, seconds)| seconds)
    }

    #[test]
    fn a_shops_clock_is_followed_through_summer_and_winter() {
        assert_eq!(at("Europe/Berlin", "2026-03-29T00:59:59Z"), 3600);
        assert_eq!(at("Europe/Berlin", "2026-03-29T01:00:00Z"), 7200);
        assert_eq!(at("America/Los_Angeles", "2026-07-01T00:00:00Z"), -7 * 3600);
        assert_eq!(at("Australia/Lord_Howe", "2026-07-01T00:00:00Z"), 10 * 3600 + 1800);
        assert_eq!((at("UTC+5.5", "2026-07-01T00:00:00Z"), at("-03:30", "2026-07-01T00:00:00Z")), (19_800, -12_600));
        assert_eq!((at("UTC+0", "2026-07-01T00:00:00Z"), at("somewhere", "2026-07-01T00:00:00Z")), (0, 0));
        assert!(offsets("UTC+999999999999").is_empty() && offsets("+99999999999:1").is_empty());
    }
}
