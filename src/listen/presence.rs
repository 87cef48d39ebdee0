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

/// A longer file is none of ours.
const MOST: u64 = 64 * 1024;

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
    /// Whether it has ended then.
    #[serde(default)]
    pub(crate) ended: bool,
}

fn dir(home: &Home) -> PathBuf {
    home.data().join("listen")
}

impl Presence {
    /// Whether it is surely at work.
    pub(crate) fn is_at_work(&self, now: Timestamp) -> bool {
        !self.ended && (now - self.seen_at()).abs() < AT_WORK
    }

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

    /// The name of its file: two receivers may have one port of two addresses.
    fn file(&self) -> String {
        let address: String = self.bind.ip().to_string().chars().map(|c| if c == ':' { '_' } else { c }).collect();
        format!("{address}-{}.json", self.bind.port())
    }

    /// Writes it down; what was answered by one before it at the same place stays known. Where that
    /// fails, nobody knows of it, and it receives all the same.
    pub(crate) fn write(mut self, home: &Home) {
        let file = dir(home).join(self.file());
        let before = self.take_over_from_before(home).or_else(|| read(&file));
        for (store, at) in before.map(|before| before.answered).unwrap_or_default() {
            let known = self.answered.entry(store).or_insert(at);
            *known = at.max(*known);
        }
        let written = serde_json::to_string(&self).map_err(std::io::Error::from);
        if private_dir(&dir(home)).is_ok() {
            let _ = written.and_then(|text| write_private(&file, &text));
        }
    }
}

impl Presence {
    /// Versions before this one named the file by the port alone: the one of this receiver goes.
    fn take_over_from_before(&self, home: &Home) -> Option<Self> {
        let file = dir(home).join(format!("{}.json", self.bind.port()));
        let found = read(&file).filter(|found| found.bind == self.bind)?;
        let _ = std::fs::remove_file(file);
        Some(found)
    }
}

/// Whether a receiver is at work for this store.
pub(crate) fn is_received(home: &Home, store: &str, now: Timestamp) -> bool {
    all(home, now).iter().any(|found| found.is_at_work(now) && found.stores.iter().any(|name| name == store))
}

/// When a receiver has last answered the store's channel well.
pub(crate) fn answered_at(home: &Home, store: &str, now: Timestamp) -> Option<Timestamp> {
    let at = all(home, now).iter().filter_map(|found| found.answered.get(store).copied()).max();
    at.map(|at| from_millis(at).min(now))
}

fn read(file: &Path) -> Option<Presence> {
    serde_json::from_str(&read_small(file, MOST).ok()?).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::locate(Some(dir.path().into())).unwrap();
        (dir, home)
    }

    fn receiver(bind: &str, store: &str) -> Presence {
        let (bind, stores, answered) = (bind.parse().unwrap(), vec![store.into()], BTreeMap::new());
        Presence { bind, stores, at: 1_795_100_000_000, answered, ended: false }
    }

    #[test]
    fn w3_one_that_has_ended_receives_nothing_from_that_moment_on() {
        let (_dir, home) = home();
        let now = from_millis(1_795_100_000_000);
        let one = receiver("127.0.0.1:8788", "shop");
        one.clone().write(&home);
        assert!(is_received(&home, "shop", now));
        Presence { ended: true, ..one.clone() }.write(&home);
        assert!(!is_received(&home, "shop", now) && all(&home, now).len() == 1);
        one.clone().write(&home);
        assert!(is_received(&home, "shop", now), "it was started again");
        let text = serde_json::json!({ "bind": one.bind, "stores": one.stores, "at": one.at }).to_string();
        assert!(!serde_json::from_str::<Presence>(&text).unwrap().ended, "as a version before this one has left it");
    }

    #[test]
    fn receivers_on_one_port_of_several_addresses_are_all_known() {
        let (_dir, home) = home();
        let binds = ["127.0.0.1:8788", "127.0.0.2:8788", "[::1]:8788", "127.0.0.1:8789"];
        for bind in binds {
            receiver(bind, bind).write(&home);
            receiver(bind, bind).write(&home);
        }
        let now = from_millis(1_795_100_000_000);
        assert_eq!(all(&home, now).len(), binds.len());
        assert!(binds.iter().all(|bind| is_received(&home, bind, now)));
        // As a version before this one has left it.
        std::fs::rename(dir(&home).join("127.0.0.1-8788.json"), dir(&home).join("8788.json")).unwrap();
        assert_eq!(all(&home, now).len(), binds.len());
        receiver(binds[0], binds[0]).write(&home);
        assert_eq!(all(&home, now).len(), binds.len(), "it is known once");
    }
}
