//! The half-hourly timer: a systemd user timer, a line in the merchant's crontab, or a launchd
//! agent.
//!
//! The texts are made by pure functions ([`systemd`], [`cron`], [`launchd`]); putting them in place
//! goes through the system's own programs. What was installed is also noted beside the book
//! ([`Installed`]), so that `status` knows the next autosync without asking anybody. Nothing but
//! `schedule remove` ever switches a timer off (F-1). The receiver of webhooks is a service of its own
//! ([`listener`]).

pub(crate) mod cron;
pub(crate) mod launchd;
pub(crate) mod listener;
mod programs;
pub(crate) mod removed;
pub(crate) mod systemd;

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{Local, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::files::private_dir;
use crate::home::Home;

/// Minutes between two autosyncs where no store asks for less (I-1).
pub(crate) const HALF_HOUR: u32 = 30;

/// What runs the timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A service and a timer of the systemd user manager
    Systemd,
    /// A line in the crontab
    Cron,
    /// An agent of macOS's launchd
    Launchd,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Systemd, Self::Cron, Self::Launchd];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Systemd => "systemd",
            Self::Cron => "cron",
            Self::Launchd => "launchd",
        })
    }
}

/// What is to run, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What the timer is called: `ordersync`, or with a suffix of its own for a home that was
    /// named, so that several live side by side.
    pub(crate) name: String,
    /// The absolute path of the program.
    pub(crate) program: String,
    /// The home that was named by `--home` or `ORDERSYNC_HOME`.
    pub(crate) home: Option<String>,
    /// Variables that decide where the platform's directories are, as they are here: a timer starts
    /// without them.
    pub(crate) environment: Vec<(String, String)>,
    /// Variables with which the network is reached (proxies, certificate authorities), as they are
    /// here. There may be logins in them.
    pub(crate) network: Vec<(String, String)>,
    /// The file beside the book that holds those, for its owner only: no unit, no process list and
    /// no output repeats them (X-1).
    pub(crate) network_file: String,
    /// Minutes between two runs; divides an hour.
    pub(crate) every: u32,
    /// The minute of the first run in each hour, less than `every`: each machine has its own, so
    /// that not all knock at once.
    pub(crate) minute: u32,
    /// The merchant's home directory.
    pub(crate) account: PathBuf,
}

impl Plan {
    /// The plan for this program, this machine and this home. `shortest` is the smallest interval
    /// among the stores, in minutes.
    pub(crate) fn new(home: &Home, shortest: u32) -> Result<Self> {
        let program = programs::this_program()?;
        let account = directories::BaseDirs::new()
            .ok_or_else(|| Error::new(ErrorKind::Failed, "this account has no home directory; nothing was installed"))?
            .home_dir()
            .to_owned();
        let named = home.explicit().map(text).transpose()?;
        let name = match &named {
            None => "ordersync".to_owned(),
            Some(dir) => format!("ordersync-{}", &hex(dir.as_bytes())[..8]),
        };
        let every = [30, 20, 15, 10, 5].into_iter().find(|every| *every <= shortest).unwrap_or(5);
        let seed = format!("{}\n{}\n{name}", programs::machine(), account.display());
        let minute = u32::from_str_radix(&hex(seed.as_bytes())[..6], 16).unwrap_or(0) % every;
        let environment = if named.is_some() { Vec::new() } else { directory_variables()? };
        let network_file = text(&home.data().join("timer.env"))?;
        let network = network_variables();
        Ok(Self {
            name,
            program: text(&program)?,
            home: named,
            environment,
            network,
            network_file,
            every,
            minute,
            account,
        })
    }

    /// The arguments of the program.
    fn arguments(&self) -> Vec<&str> {
        let home = self.home.iter().flat_map(|dir| ["--home", dir.as_str()]);
        home.chain(["sync", "--autosync"]).collect()
    }

    /// The minutes of an hour at which it runs.
    fn minutes(&self) -> impl Iterator<Item = u32> {
        (self.minute..60).step_by(self.every as usize)
    }

    /// What installing with `kind` puts where, to be shown: a place and a text.
    pub(crate) fn texts(&self, kind: Kind) -> Vec<(String, String)> {
        match kind {
            Kind::Systemd => systemd::files(self).into_iter().map(|(path, text)| (shown(&path), text)).collect(),
            Kind::Cron => vec![("crontab".to_owned(), cron::block(self))],
            Kind::Launchd => vec![(shown(&launchd::path(self)), launchd::plist(self))],
        }
    }
}

/// Where a timer's directories would be elsewhere than in the merchant's shell.
fn directory_variables() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) {
            found.push((name.to_owned(), text(Path::new(&value))?));
        }
    }
    Ok(found)
}

/// How the network is reached from the merchant's shell.
fn network_variables() -> Vec<(String, String)> {
    const PROXIES: [&str; 8] =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    const AUTHORITIES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
    let value = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty() && !v.chars().any(char::is_control));
    let proxies = PROXIES.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?)));
    let authorities = AUTHORITIES.iter().filter_map(|name| {
        // A timer starts in another directory.
        let path = std::path::absolute(value(name)?).ok()?;
        Some(((*name).to_owned(), path.to_str()?.to_owned()))
    });
    proxies.chain(authorities).collect()
}

/// The variables as a shell reads them, and systemd's `EnvironmentFile`.
fn network_text(plan: &Plan) -> String {
    let line = |(name, value): &(String, String)| format!("{name}='{}'\n", value.replace('\'', r"'\''"));
    let lines: String = plan.network.iter().map(line).collect();
    format!(
        "# Written by `ordersync schedule install` for the timer; `ordersync schedule remove` takes it away.\n{lines}"
    )
}

/// Puts the file of the network's variables in place, or away where there are none.
fn write_network(plan: &Plan) -> Result<()> {
    let path = Path::new(&plan.network_file);
    if plan.network.is_empty() {
        return delete_file(path);
    }
    path.parent().map_or(Ok(()), private_dir)?;
    crate::files::write_private(path, &network_text(plan)).map_err(|e| {
        Error::new(ErrorKind::Failed, format!("{} cannot be written: {e}; the timer is not installed", path.display()))
    })
}

/// Takes the file of the network's variables away once neither a timer nor a receiver needs it: there
/// may be logins in it.
fn forget_network(plan: &Plan) -> Result<()> {
    let path = Path::new(&plan.network_file);
    if !path.exists() || !listener::Listener::new(plan, None).in_place().is_empty() || !in_place(plan)?.is_empty() {
        return Ok(());
    }
    delete_file(path)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A path as text for a unit, a crontab or a plist: those are lines of UTF-8.
fn text(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => {
            let text = format!("the path {path:?} holds characters that no timer can be given; nothing was installed");
            Err(Error::new(ErrorKind::Usage, text).hint("use a path without line breaks, in UTF-8"))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which kind this machine has.
pub(crate) fn choose() -> Result<Kind> {
    if cfg!(target_os = "macos") {
        return Ok(Kind::Launchd);
    }
    if systemd::is_reachable() {
        return Ok(Kind::Systemd);
    }
    if programs::is_in_path("crontab") {
        return Ok(Kind::Cron);
    }
    let text = "this machine has neither a systemd user manager in reach nor a crontab";
    Err(Error::new(ErrorKind::Failed, text)
        .hint("have anything run `ordersync sync --autosync` every half hour; it is silent when all is well"))
}

/// Whether this machine seems to have what a timer takes: at once, and so without asking any program.
pub(crate) fn is_possible() -> bool {
    cfg!(target_os = "macos") || systemd::seems_reachable() || programs::is_in_path("crontab")
}

/// What syncs every half hour where no timer can be installed.
pub(crate) const BY_OTHERS: &str = "ordersync sync --autosync";

/// The note beside the book of what was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    /// What runs it.
    pub(crate) with: Kind,
    /// Minutes between two runs.
    pub(crate) every: u32,
    /// The minute of the first run in each hour.
    pub(crate) minute: u32,
    /// When it was installed, in milliseconds since 1970.
    pub(crate) at: i64,
}

impl Installed {
    /// What is installed for `home`, as far as the note tells.
    pub(crate) fn read(home: &Home) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(note(home)).ok()?).ok()
    }

    /// The first run at or after `from`, in this machine's time zone, whose clock the timers
    /// follow.
    pub(crate) fn next(&self, from: Timestamp) -> Timestamp {
        let every = i64::from(self.every.clamp(1, 60));
        let local = from.with_timezone(&Local);
        let into_hour = i64::from(local.minute() * 60 + local.second());
        let wait = (i64::from(self.minute) * 60 - into_hour).rem_euclid(every * 60);
        // To the whole second that a timer fires at.
        from - TimeDelta::milliseconds(from.timestamp_millis().rem_euclid(1000)) + TimeDelta::seconds(wait)
    }
}

fn note(home: &Home) -> PathBuf {
    home.data().join("schedule.json")
}

/// Installs the plan with `kind`; a timer of the same name of another kind goes away, so that there
/// is one.
pub(crate) fn install(home: &Home, plan: &Plan, kind: Kind, now: Timestamp) -> Result<()> {
    write_network(plan)?;
    match kind {
        Kind::Systemd => systemd::install(plan)?,
        Kind::Cron => cron::install(plan)?,
        Kind::Launchd => launchd::install(plan)?,
    }
    for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
        remove_one(plan, other)?;
    }
    let installed = Installed { with: kind, every: plan.every, minute: plan.minute, at: now.timestamp_millis() };
    private_dir(home.data())?;
    let written = serde_json::to_vec(&installed).map_err(std::io::Error::from);
    written.and_then(|bytes| std::fs::write(note(home), bytes)).map_err(|e| {
        Error::new(
            ErrorKind::Failed,
            format!("the timer is installed, but {} cannot be written: {e}", note(home).display()),
        )
    })
}

/// Takes away what is installed under the plan's name, of whichever kind, and says which kinds
/// there were.
pub(crate) fn remove(home: &Home, plan: &Plan) -> Result<Vec<Kind>> {
    let mut removed = Vec::new();
    for kind in Kind::ALL {
        if remove_one(plan, kind)? {
            removed.push(kind);
        }
    }
    forget_network(plan)?;
    match std::fs::remove_file(note(home)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            let text = format!("the timer is removed, but {} cannot be deleted: {e}", note(home).display());
            Err(Error::new(ErrorKind::Failed, text))
        }
        _ => Ok(removed),
    }
}

/// What is in place under the plan's name.
pub(crate) fn in_place(plan: &Plan) -> Result<Vec<Kind>> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let is = match kind {
            Kind::Systemd => systemd::is_installed(plan),
            Kind::Cron => cron::is_installed(plan)?,
            Kind::Launchd => launchd::is_installed(plan),
        };
        if is {
            found.push(kind);
        }
    }
    Ok(found)
}

fn remove_one(plan: &Plan, kind: Kind) -> Result<bool> {
    match kind {
        Kind::Systemd => systemd::remove(plan),
        Kind::Cron => cron::remove(plan),
        Kind::Launchd => launchd::remove(plan),
    }
}

/// Writes a file of a timer, creating its directory.
fn write_file(path: &Path, text: &str) -> Result<()> {
    let dir = path.parent().unwrap_or(path);
    std::fs::create_dir_all(dir).and_then(|()| std::fs::write(path, text)).map_err(|e| {
        Error::new(ErrorKind::Failed, format!("{} cannot be written: {e}; the timer is not installed", path.display()))
    })
}

/// Deletes a file of a timer.
fn delete_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::Failed, format!("{} cannot be deleted: {e}", path.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    pub(super) fn plan(program: &str, home: Option<&str>) -> Plan {
        Plan {
            name: "ordersync".into(),
            program: program.into(),
            home: home.map(str::to_owned),
            environment: Vec::new(),
            network: Vec::new(),
            network_file: "/home/ann/my data/100%/timer.env".into(),
            every: 30,
            minute: 7,
            account: "/home/ann".into(),
        }
    }

    #[test]
    fn i1_the_next_run_is_the_next_of_the_two_minutes_of_an_hour() {
        let installed = Installed { with: Kind::Cron, every: 30, minute: 7, at: 0 };
        // Whole hours, so that the time zone of the machine that tests does not matter where it is
        // a whole number of half hours.
        let hour = from_millis(1_795_000_000_000 - 1_795_000_000_000 % 3_600_000);
        let next = |seconds: i64| (installed.next(hour + TimeDelta::seconds(seconds)) - hour).num_seconds();
        assert_eq!([next(0), next(420), next(421), next(2220), next(2221)], [420, 420, 2220, 2220, 4020]);
    }

    #[test]
    fn x5_the_timer_has_the_proxies_of_the_shell_and_no_text_repeats_them() {
        let mut plan = plan("/usr/bin/ordersync", None);
        for kind in Kind::ALL {
            assert!(
                plan.texts(kind).iter().all(|(_, text)| !text.contains("timer.env")),
                "{kind}: where there are none"
            );
        }
        plan.network = vec![("HTTPS_PROXY".into(), "http://ann:it's pa55word@proxy.test:3128".into())];
        for kind in Kind::ALL {
            let texts = plan.texts(kind);
            assert!(texts.iter().any(|(_, text)| text.contains("timer.env")), "{kind}");
            assert!(texts.iter().all(|(_, text)| !text.contains("pa55word")), "{kind}");
        }
        assert!(network_text(&plan).ends_with("HTTPS_PROXY='http://ann:it'\\''s pa55word@proxy.test:3128'\n"));
    }

    #[test]
    fn a_path_with_a_line_break_is_refused() {
        assert_eq!(text(Path::new("/a\nb")).unwrap_err().kind(), ErrorKind::Usage);
    }
}
