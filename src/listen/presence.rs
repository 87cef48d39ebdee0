//! Which receivers are at work on a book, or were: a small file for each beside the book, that is
//! written anew while it runs. So `status` knows without asking, and a test delivery finds it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, from_millis};
use crate::files::{private_dir, read_small, write_private};
use crate::home::Home;

/// How often it is written.
pub(crate) const EACH: std::time::Duration = std::time::Duration::from_secs(60);

/// How long one that ended is known.
const KNOWN: TimeDelta = TimeDelta::days(90);

/// How long after it was last written one is surely at work.
const AT_WORK: TimeDelta = TimeDelta::minutes(3);

/// A receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Presence {
    /// Where it listens.
    pub(crate) bind: SocketAddr,
    /// The stores that it receives for.
    pub(crate) stores: Vec<String>,
    /// When this was written, in milliseconds since 1970.
    pub(crate) at: i64,
    /// When the channels of the stores were last answered well, the same.
    #[serde(default)]
    pub(crate) answered: BTreeMap<String, i64>,
}

fn dir(home: &Home) -> PathBuf {
    home.data().join("listen")
}

impl Presence {
    /// When it was surely there.
    pub(crate) fn seen_at(&self) -> Timestamp {
        from_millis(self.at)
    }

    /// Where it is reached from this machine.
    pub(crate) fn near(&self) -> SocketAddr {
        let ip = match self.bind.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.bind.port())
    }

    /// Writes it down; what was answered by one before it at the same port stays known. Where that
    /// fails, nobody knows of it, and it receives all the same.
    pub(crate) fn write(mut self, home: &Home) {
        let file = dir(home).join(format!("{}.json", self.bind.port()));
        for (store, at) in read(&file).map(|before| before.answered).unwrap_or_default() {
            let known = self.answered.entry(store).or_insert(at);
            *known = at.max(*known);
        }
        let written = serde_json::to_string(&self).map_err(std::io::Error::from);
        if private_dir(&dir(home)).is_ok() {
            let _ = written.and_then(|text| write_private(&file, &text));
        }
    }
}

/// Whether a receiver is at work for this store.
pub(crate) fn is_received(home: &Home, store: &str, now: Timestamp) -> bool {
    let is_at_work = |found: &Presence| (now - found.seen_at()).abs() < AT_WORK;
    all(home, now).iter().any(|found| is_at_work(found) && found.stores.iter().any(|name| name == store))
}

/// When a receiver has last answered the store's channel well.
pub(crate) fn answered_at(home: &Home, store: &str, now: Timestamp) -> Option<Timestamp> {
    let at = all(home, now).iter().filter_map(|found| found.answered.get(store).copied()).max();
    at.map(|at| from_millis(at).min(now))
}

fn read(file: &Path) -> Option<Presence> {
    serde_json::from_str(&read_small(file, 64 * 1024).ok()?).ok()
}

/// All that are known, the one that was there last at first; those of long ago are taken away.
pub(crate) fn all(home: &Home, now: Timestamp) -> Vec<Presence> {
    let Ok(files) = std::fs::read_dir(dir(home)) else { return Vec::new() };
    let mut all = Vec::new();
    for path in files.flatten().map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "json"))
    {
        let Some(found) = read(&path) else { continue };
        if now - found.seen_at() > KNOWN {
            let _ = std::fs::remove_file(&path);
            continue;
        }
        all.push(found);
    }
    all.sort_by_key(|found| std::cmp::Reverse(found.at));
    all
}
