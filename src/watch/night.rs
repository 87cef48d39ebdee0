//! The hours in which the merchant wants little to be asked, by this machine's clock: it is the one
//! that the merchant reads, and that the timer goes by.

use std::str::FromStr;

use chrono::{Local, NaiveTime};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};

/// From one time of day to another, over midnight where that is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Night {
    from: NaiveTime,
    to: NaiveTime,
}

impl Night {
    /// Whether it is night at `now`.
    pub(crate) fn is_at(&self, now: Timestamp) -> bool {
        self.contains(now.with_timezone(&Local).time())
    }

    fn contains(&self, time: NaiveTime) -> bool {
        match self.from < self.to {
            true => (self.from..self.to).contains(&time),
            false => time >= self.from || time < self.to,
        }
    }
}

impl FromStr for Night {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let both = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
        let night = both.filter(|(from, to)| from != to).map(|(from, to)| Self { from, to });
        night.ok_or_else(|| {
            let text = format!("--night {text:?} is not from one time of day to another; nothing was done");
            Error::new(ErrorKind::Usage, text).hint("write it as --night 22:00-06:00, by this machine's clock")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_may_go_over_midnight_and_what_is_none_is_refused() {
        let is_night = |night: &str, time: &str| {
            let time = NaiveTime::parse_from_str(time, "%H:%M:%S").unwrap();
            night.parse::<Night>().unwrap().contains(time)
        };
        let night = "22:00-06:30";
        assert!(is_night(night, "22:00:00") && is_night(night, "23:59:59") && is_night(night, "00:00:00"));
        assert!(is_night(night, "06:29:59") && !is_night(night, "06:30:00") && !is_night(night, "21:59:59"));
        assert!(is_night("1:00 - 5:00", "01:00:00") && !is_night("1:00-5:00", "05:00:00"));
        for odd in ["", "22", "22-06", "22:00", "22:00-22:00", "25:00-06:00", "22:00-06:60", "22:00-06:00-07:00"] {
            let error = odd.parse::<Night>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{odd:?}");
        }
    }
}
