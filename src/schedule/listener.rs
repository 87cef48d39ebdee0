//! The receiver of webhooks as a service that is always there: of the systemd user manager, or an
//! agent of launchd. Cron starts nothing anew that has ended, so it is no way for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{Kind, Plan, delete_file, forget_network, launchd, programs, shown, systemd, write_file, write_network};
use crate::error::{Error, ErrorKind, Result};

/// A receiver as it is to be installed.
pub(crate) struct Listener<'a> {
    plan: &'a Plan,
    bind: Option<SocketAddr>,
}

impl<'a> Listener<'a> {
    /// The receiver beside the timer of `plan`, listening at `bind` where that is given.
    pub(crate) fn new(plan: &'a Plan, bind: Option<SocketAddr>) -> Self {
        Self { plan, bind }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        format!("{}-listen", self.plan.name)
    }

    /// The arguments of the program.
    pub(super) fn arguments(&self) -> Vec<String> {
        let home = self.plan.home.iter().flat_map(|dir| ["--home".to_owned(), dir.clone()]);
        let bind = self.bind.iter().flat_map(|bind| ["--bind".to_owned(), bind.to_string()]);
        home.chain(["listen".to_owned()]).chain(bind).collect()
    }

    /// The plan that it stands beside.
    pub(super) fn plan(&self) -> &Plan {
        self.plan
    }

    /// Its file for this kind.
    ///
    /// # Errors
    /// `Unsupported` for cron.
    fn file(&self, kind: Kind) -> Result<PathBuf> {
        match kind {
            Kind::Systemd => Ok(systemd::dir(self.plan).join(format!("{}.service", self.name()))),
            Kind::Launchd => Ok(launchd::dir(self.plan).join(format!("{}.plist", self.name()))),
            Kind::Cron => {
                let text = "cron starts nothing anew that has ended, so it cannot keep ordersync listen running; nothing was installed";
                Err(Error::new(ErrorKind::Unsupported, text).hint(
                    "where there is a systemd user manager: --with systemd; else have a supervisor of your own run `ordersync listen` and start it anew",
                ))
            }
        }
    }

    /// What installing with `kind` puts where.
    ///
    /// # Errors
    /// `Unsupported` for cron.
    pub(crate) fn text(&self, kind: Kind) -> Result<(String, String)> {
        let path = self.file(kind)?;
        let text = match kind {
            Kind::Launchd => launchd::receiver(self),
            Kind::Systemd | Kind::Cron => systemd::receiver(self, true),
        };
        Ok((shown(&path), text))
    }

    /// What is in place, as it is there.
    pub(crate) fn in_place(&self) -> Vec<(Kind, PathBuf, String)> {
        let there = |kind| {
            let path = self.file(kind).ok()?;
            Some((kind, path.clone(), std::fs::read_to_string(path).ok()?))
        };
        [Kind::Systemd, Kind::Launchd].into_iter().filter_map(there).collect()
    }

    /// Installs it with `kind`, and starts it. Where it does not start, all is as it was before.
    ///
    /// # Errors
    /// What stands against it.
    pub(crate) fn install(&self, kind: Kind) -> Result<()> {
        let path = self.file(kind)?;
        write_network(self.plan)?;
        match kind {
            Kind::Launchd => self.install_agent(&path),
            Kind::Systemd | Kind::Cron => self.install_service(&path),
        }
    }

    fn install_agent(&self, path: &Path) -> Result<()> {
        let domain = launchd::domain(&self.plan.account);
        programs::run("launchctl", &["bootout", &format!("{domain}/{}", self.name())], b"")?;
        write_file(path, &launchd::receiver(self))?;
        programs::must("launchctl", &["bootstrap", &domain, &path.display().to_string()], b"").map(drop)
    }

    fn install_service(&self, path: &Path) -> Result<()> {
        let before = std::fs::read(path).ok();
        let started = [true, false].into_iter().fold(None::<Result<()>>, |started, isolated| match started {
            Some(Ok(())) => Some(Ok(())),
            // Not every kernel lets a user's services have a view of the files of their own.
            _ => Some(write_file(path, &systemd::receiver(self, isolated)).and_then(|()| self.take_up())),
        });
        let Some(Err(error)) = started else { return Ok(()) };
        let service = format!("{}.service", self.name());
        match before {
            Some(text) => {
                let _ = std::fs::write(path, text);
                let _ = self.take_up();
            }
            None => {
                let _ = programs::run("systemctl", &["--user", "disable", "--now", &service], b"");
                let _ = delete_file(path).and_then(|()| delete_file(&self.wanted()));
                let _ = programs::run("systemctl", &["--user", "daemon-reload"], b"");
            }
        }
        let hint = format!("`ordersync listen` here, or journalctl --user -u {service}, says why it does not start");
        Err(Error::new(error.kind(), format!("{}; the receiver is not installed", error.message())).hint(hint))
    }

    fn take_up(&self) -> Result<()> {
        let service = format!("{}.service", self.name());
        programs::must("systemctl", &["--user", "daemon-reload"], b"")?;
        programs::must("systemctl", &["--user", "enable", &service], b"")?;
        // It is back when the receiver has said that it is ready.
        programs::must("systemctl", &["--user", "restart", &service], b"").map(drop)
    }

    /// The link by which an enabled service is found.
    fn wanted(&self) -> PathBuf {
        systemd::dir(self.plan).join("default.target.wants").join(format!("{}.service", self.name()))
    }

    /// Takes it away, of whichever kind, and says which there were.
    ///
    /// # Errors
    /// Where something of it stays.
    pub(crate) fn remove(&self) -> Result<Vec<Kind>> {
        let mut removed = Vec::new();
        for (kind, path, _) in self.in_place() {
            match kind {
                Kind::Launchd => {
                    let agent = format!("{}/{}", launchd::domain(&self.plan.account), self.name());
                    programs::run("launchctl", &["bootout", &agent], b"")?;
                    delete_file(&path)?;
                }
                Kind::Systemd | Kind::Cron => {
                    let reachable = systemd::is_reachable();
                    if reachable {
                        let service = format!("{}.service", self.name());
                        programs::must("systemctl", &["--user", "disable", "--now", &service], b"")?;
                    }
                    delete_file(&path)?;
                    delete_file(&self.wanted())?;
                    if reachable {
                        programs::must("systemctl", &["--user", "daemon-reload"], b"")?;
                    }
                }
            }
            removed.push(kind);
        }
        if !removed.is_empty() {
            forget_network(self.plan)?;
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    #[test]
    fn f1_a_receiver_says_when_it_is_ready_and_is_started_anew_after_any_failure() {
        let plan = plan("/opt/100% $x/ordersync", Some("/home/ann/my shop"));
        let text = Listener::new(&plan, "127.0.0.1:9000".parse().ok()).text(Kind::Systemd).unwrap().1;
        let command =
            r#"ExecStart="/opt/100%% $x/ordersync" --home "/home/ann/my shop" listen --bind "127.0.0.1:9000""#;
        for line in [command, "Type=notify", "Restart=on-failure", "StartLimitIntervalSec=0", "UMask=0077"] {
            assert!(text.contains(&format!("{line}\n")), "{line}: {text}");
        }
        assert!(text.contains("PrivateTmp=yes\n") && text.contains("WantedBy=default.target\n"), "{text}");
        assert!(!text.contains("EnvironmentFile"), "{text}");
    }

    #[test]
    fn x5_a_receiver_has_the_proxies_of_the_shell_and_a_home_in_tmp_stays_in_sight() {
        let mut plan = plan("/usr/bin/ordersync", Some("/tmp/shop"));
        plan.network = vec![("HTTPS_PROXY".into(), "http://ann:pa55word@proxy.test".into())];
        let listener = Listener::new(&plan, None);
        for kind in [Kind::Systemd, Kind::Launchd] {
            let text = listener.text(kind).unwrap().1;
            assert!(text.contains("timer.env") && !text.contains("pa55word"), "{text}");
        }
        assert!(!listener.text(Kind::Systemd).unwrap().1.contains("PrivateTmp"));
    }

    #[test]
    fn launchd_keeps_a_receiver_running_and_cron_is_refused() {
        let plan = plan("/Apps & <co>/ordersync", None);
        let listener = Listener::new(&plan, None);
        let text = listener.text(Kind::Launchd).unwrap().1;
        for part in
            ["<string>/Apps &amp; &lt;co&gt;/ordersync</string>", "<key>KeepAlive</key>", "<string>listen</string>"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(listener.text(Kind::Cron).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
