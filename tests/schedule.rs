//! `ordersync schedule` against systems of our own making: `systemctl`, `crontab` and `launchctl`
//! are scripts first in the PATH, the home directory is a temporary one.

#![cfg(feature = "simulator")]
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// A machine with only the programs that a test gives it.
struct Machine {
    dir: tempfile::TempDir,
    /// How the merchant's shell reaches the network.
    proxy: Option<&'static str>,
}

/// Keeps the crontab in a file, as crontab does.
const CRONTAB: &str = r#"
file="$HOME/spool"
case "$1" in
  -l) if [ -e "$file" ]; then cat "$file"; else echo "no crontab for ann" >&2; exit 1; fi ;;
  -r) rm "$file" ;;
  -) cat > "$file.new" && mv "$file.new" "$file" ;;
esac
"#;

impl Machine {
    fn new() -> Self {
        let machine = Self { dir: tempfile::Builder::new().prefix("a home").tempdir().unwrap(), proxy: None };
        std::fs::create_dir(machine.path("bin")).unwrap();
        machine
    }

    /// Adds a program that writes down how it was called.
    fn with(self, program: &str, script: &str) -> Self {
        let path = self.path("bin").join(program);
        let text = format!("#!/bin/sh\necho {program} \"$@\" >> \"$HOME/calls\"\n{script}\n");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn with_proxy(self, proxy: &'static str) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    fn with_crontab(self, text: &[u8]) -> Self {
        std::fs::write(self.path("spool"), text).unwrap();
        self.with("crontab", CRONTAB)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        let mut command = Command::cargo_bin("ordersync").unwrap();
        command.env_clear().env("HOME", self.dir.path()).env("USER", "ann").args(args);
        command.envs(self.proxy.map(|proxy| ("HTTPS_PROXY", proxy)));
        // cat, mv and rm of the scripts; a machine without a crontab is one whose PATH has none.
        command.env("PATH", format!("{}:{}", self.path("bin").display(), self.tools().display()));
        command.assert()
    }

    fn tools(&self) -> PathBuf {
        let tools = self.path("tools");
        if !tools.exists() {
            std::fs::create_dir(&tools).unwrap();
            for tool in ["cat", "mv", "rm", "id"] {
                let real = ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|p| p.exists());
                std::os::unix::fs::symlink(real.unwrap(), tools.join(tool)).unwrap();
            }
        }
        tools
    }

    fn schedule(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        self.run(&[&["schedule"], args].concat())
    }
}

fn program() -> String {
    assert_cmd::cargo::cargo_bin("ordersync").display().to_string()
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_reachable_systemd_is_chosen_and_install_and_remove_leave_no_trace() {
    let machine = Machine::new().with("systemctl", "").with_crontab(b"# mine\n");
    for _ in 0..2 {
        let done = machine.schedule(&["install"]).success();
        let output = String::from_utf8(done.get_output().stderr.clone()).unwrap();
        assert!(output.contains("loginctl enable-linger"), "{output}");
    }
    let service = machine.read(".config/systemd/user/ordersync.service");
    assert!(service.contains(&format!("ExecStart=\"{}\" sync --autosync\n", program())), "{service}");
    let timer = machine.read(".config/systemd/user/ordersync.timer");
    assert!(timer.contains("Persistent=true"), "{timer}");
    let calls = machine.read("calls");
    assert!(calls.contains("--user daemon-reload\nsystemctl --user enable ordersync.timer\n"), "{calls}");
    machine.schedule(&["remove"]).success();
    assert!(machine.read("calls").contains("--user disable --now ordersync.timer"));
    assert_eq!(std::fs::read_dir(machine.path(".config/systemd/user")).unwrap().count(), 0);
    assert_eq!(machine.read("spool"), "# mine\n", "the crontab was never touched");
    let again = machine.schedule(&["remove"]).success();
    assert!(String::from_utf8_lossy(&again.get_output().stderr).contains("nothing was changed"));
}

#[cfg(not(target_os = "macos"))]
#[test]
fn without_a_user_manager_cron_takes_over_and_every_other_line_stays() {
    let before: &[u8] = b"MAILTO=ann\n5 4 * * * backup \\%H\n# \xff not UTF-8\n";
    let machine = Machine::new().with("systemctl", "exit 1").with_crontab(before);
    machine.schedule(&["install"]).success();
    let once = std::fs::read(machine.path("spool")).unwrap();
    machine.schedule(&["install"]).success();
    assert_eq!(std::fs::read(machine.path("spool")).unwrap(), once, "repeating changes nothing");
    assert!(once.starts_with(before));
    let text = String::from_utf8_lossy(&once).into_owned();
    assert!(text.contains(&format!(" * * * * {} sync --autosync\n", program())), "{text}");
    machine.schedule(&["remove"]).success();
    assert_eq!(std::fs::read(machine.path("spool")).unwrap(), before);
}

#[test]
fn a_crontab_that_only_held_the_timer_goes_with_it() {
    let machine = Machine::new().with("crontab", CRONTAB);
    machine.schedule(&["install", "--with", "cron"]).success();
    assert!(machine.path("spool").exists());
    machine.schedule(&["remove"]).success();
    assert!(!machine.path("spool").exists());
}

#[test]
fn a_crontab_that_cannot_be_read_is_not_replaced() {
    let machine = Machine::new().with("crontab", "echo 'you (ann) are not allowed to use this program' >&2; exit 1");
    let failed = machine.schedule(&["install", "--with", "cron"]).code(1);
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("not allowed"));
    assert_eq!(machine.read("calls"), "crontab -l\n");
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_machine_with_nothing_to_run_a_timer_is_told_what_to_do() {
    let failed = Machine::new().schedule(&["install"]).code(1);
    let text = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(text.contains("nothing was installed") && text.contains("ordersync sync --autosync"), "{text}");
    let shown = Machine::new().schedule(&["show"]).success().get_output().stdout.clone();
    let text = String::from_utf8_lossy(&shown).into_owned();
    assert!(text.contains("not installed; ") && text.contains("ordersync sync --autosync"), "{text}");
}

#[test]
fn a_systemd_that_fails_is_an_error() {
    let machine = Machine::new().with("systemctl", "echo 'Failed to connect to bus' >&2; exit 1");
    let failed = machine.schedule(&["install", "--with", "systemd"]).code(1);
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("Failed to connect to bus"));
    assert!(
        !machine.path(".config/systemd/user/ordersync.timer").exists(),
        "a timer that nobody runs and nobody removes"
    );
    assert!(!machine.path(".config/systemd/user/ordersync.service").exists());
    let shown = machine.schedule(&["show", "--json", "--quiet"]).get_output().stdout.clone();
    assert!(!String::from_utf8_lossy(&shown).contains("\"systemd\""));
}

#[test]
fn a_timer_whose_user_manager_is_gone_is_removed_all_the_same() {
    let machine = Machine::new().with("systemctl", "");
    machine.schedule(&["install", "--with", "systemd"]).success();
    let before = machine.read(".config/systemd/user/ordersync.timer");
    let machine = machine.with("systemctl", "echo 'Failed to connect to bus' >&2; exit 1");
    machine.schedule(&["install", "--with", "systemd"]).code(1);
    assert_eq!(machine.read(".config/systemd/user/ordersync.timer"), before, "what was there before is there again");
    machine.schedule(&["remove"]).success();
    assert_eq!(std::fs::read_dir(machine.path(".config/systemd/user")).unwrap().count(), 0);
}

#[test]
fn launchd_gets_an_agent() {
    let machine = Machine::new().with("launchctl", "");
    machine.schedule(&["install", "--with", "launchd"]).success();
    assert!(machine.read("Library/LaunchAgents/ordersync.plist").contains("<string>--autosync</string>"));
    assert!(machine.read("calls").contains("launchctl bootstrap gui/"));
    machine.schedule(&["remove"]).success();
    assert!(!machine.path("Library/LaunchAgents/ordersync.plist").exists());
}

#[test]
fn a_dry_run_and_show_touch_nothing() {
    let machine = Machine::new().with("systemctl", "").with_crontab(b"# mine\n");
    for kind in ["systemd", "cron", "launchd"] {
        let done = machine.schedule(&["install", "--with", kind, "--dry-run"]).success();
        assert!(String::from_utf8_lossy(&done.get_output().stdout).contains("--autosync"));
    }
    machine.schedule(&["show"]).success();
    machine.schedule(&["remove", "--dry-run"]).success();
    assert_eq!(machine.read("spool"), "# mine\n");
    assert!(!machine.path(".config").exists() && !machine.path(".local").exists() && !machine.path("Library").exists());
    let calls = machine.read("calls");
    assert!(calls.lines().all(|call| call.contains(" -l") || call.contains(" show ")), "{calls}");
}

#[test]
fn c5_a_named_home_has_a_timer_of_its_own_beside_the_other() {
    let machine = Machine::new().with_crontab(b"");
    let named = machine.path("my 50% \"shop\"");
    machine.schedule(&["install", "--with", "cron"]).success();
    machine.schedule(&["install", "--with", "cron", "--home", named.to_str().unwrap()]).success();
    let text = machine.read("spool");
    assert_eq!(text.lines().filter(|line| line.ends_with("sync --autosync")).count(), 2, "{text}");
    assert!(text.contains(r#"my 50'\%' "shop"' sync --autosync"#), "{text}");
    machine.schedule(&["remove"]).success();
    let text = machine.read("spool");
    assert!(text.contains("--home") && text.lines().count() == 3, "{text}");
}

#[test]
fn changing_the_kind_leaves_one_timer() {
    let machine = Machine::new().with("systemctl", "").with_crontab(b"# mine\n");
    machine.schedule(&["install", "--with", "cron"]).success();
    machine.schedule(&["install", "--with", "systemd"]).success();
    assert_eq!(machine.read("spool"), "# mine\n");
    let shown = machine.schedule(&["show", "--json"]).success();
    let shown: Value = serde_json::from_slice(&shown.get_output().stdout).unwrap();
    assert_eq!(shown["installed"], serde_json::json!(["systemd"]));
    assert!(shown["next_at"].is_string());
}

#[test]
fn c3_the_installed_command_is_silent_where_there_is_nothing_to_do() {
    let machine = Machine::new();
    machine.run(&["sync", "--autosync"]).success().stdout("").stderr("");
}

/// Where the receiver's unit is.
const RECEIVER: &str = ".config/systemd/user/ordersync-listen.service";

#[cfg(not(target_os = "macos"))]
#[test]
fn a_receiver_is_a_service_of_its_own_beside_the_timer_and_leaves_no_trace() {
    let machine = Machine::new().with("systemctl", "").with_crontab(b"# mine\n");
    machine.schedule(&["install"]).success();
    for _ in 0..2 {
        let done = machine.schedule(&["install", "--listen", "--bind", "127.0.0.1:9000"]).success();
        let output = String::from_utf8(done.get_output().stderr.clone()).unwrap();
        assert!(output.contains("loginctl enable-linger"), "{output}");
    }
    let unit = machine.read(RECEIVER);
    assert!(unit.contains(&format!("ExecStart=\"{}\" listen --bind \"127.0.0.1:9000\"\n", program())), "{unit}");
    assert!(machine.read("calls").contains("--user restart ordersync-listen.service"));
    let shown = machine.schedule(&["show", "--json"]).success();
    let shown: Value = serde_json::from_slice(&shown.get_output().stdout).unwrap();
    assert_eq!(
        (&shown["installed"], &shown["listen"]),
        (&serde_json::json!(["systemd"]), &serde_json::json!(["systemd"]))
    );
    machine.schedule(&["remove", "--listen"]).success();
    assert!(machine.read("calls").contains("--user disable --now ordersync-listen.service"));
    assert!(!machine.path(RECEIVER).exists());
    assert!(machine.path(".config/systemd/user/ordersync.timer").exists(), "the timer stays");
    machine.schedule(&["install", "--listen"]).success();
    machine.schedule(&["remove"]).success();
    assert_eq!(std::fs::read_dir(machine.path(".config/systemd/user")).unwrap().count(), 0);
    assert_eq!(machine.read("spool"), "# mine\n", "the crontab was never touched");
}

/// There may be logins in how the network is reached.
#[cfg(not(target_os = "macos"))]
#[test]
fn x1_what_reaches_the_network_goes_with_the_last_that_needs_it() {
    let machine = Machine::new().with("systemctl", "").with_proxy("http://ann:pa55word@proxy.test:3128");
    let file = || machine.path(".local/share/ordersync/timer.env").exists();
    for (installed, removed) in [
        (vec!["--listen"], vec![("--listen", false)]),
        (vec!["", "--listen"], vec![("--listen", true), ("", false)]),
        (vec!["", "--listen"], vec![("", false)]),
        (vec![""], vec![("--listen", true), ("", false)]),
    ] {
        let args = |verb, listen| [verb, listen].into_iter().filter(|arg: &&str| !arg.is_empty()).collect::<Vec<_>>();
        for listen in &installed {
            machine.schedule(&args("install", listen)).success();
            assert!(file(), "{installed:?}");
        }
        for (listen, stays) in removed {
            machine.schedule(&args("remove", listen)).success();
            assert_eq!(file(), stays, "{installed:?}, without {listen:?}");
        }
    }
}

#[test]
fn a_receiver_that_does_not_start_is_not_installed_and_one_without_its_own_view_of_the_files_is() {
    let machine = Machine::new().with("systemctl", "case \"$*\" in *restart*) echo 'Job failed' >&2; exit 1;; esac");
    let failed = machine.schedule(&["install", "--listen", "--with", "systemd"]).code(1);
    let text = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(text.contains("Job failed") && text.contains("journalctl --user -u ordersync-listen.service"), "{text}");
    assert!(!machine.path(RECEIVER).exists());
    let picky = "case \"$*\" in *restart*) while read -r line; do case \"$line\" in ProtectSystem*) exit 1;; esac; done \
                 < \"$HOME/.config/systemd/user/ordersync-listen.service\";; esac";
    let machine = Machine::new().with("systemctl", picky);
    machine.schedule(&["install", "--listen", "--with", "systemd"]).success();
    let unit = machine.read(RECEIVER);
    assert!(unit.contains("NoNewPrivileges=yes") && !unit.contains("ProtectSystem"), "{unit}");
}

#[test]
fn a_receiver_by_cron_is_refused_and_by_launchd_an_agent() {
    let machine = Machine::new().with_crontab(b"# mine\n").with("launchctl", "");
    let failed = machine.schedule(&["install", "--listen", "--with", "cron"]).code(6);
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("starts nothing anew"));
    assert_eq!(machine.read("spool"), "# mine\n");
    machine.schedule(&["install", "--listen", "--with", "launchd"]).success();
    assert!(machine.read("Library/LaunchAgents/ordersync-listen.plist").contains("<key>KeepAlive</key>"));
    machine.schedule(&["remove"]).success();
    assert!(!machine.path("Library/LaunchAgents/ordersync-listen.plist").exists());
}

/// By systemd's own reading of the units. What an older one does not know yet it leaves out.
#[cfg(target_os = "linux")]
#[test]
fn systemd_finds_nothing_wrong_with_what_is_installed() {
    let verifier = Path::new("/usr/bin/systemd-analyze");
    if !verifier.exists() {
        println!("skipped: systemd-analyze is not installed here");
        return;
    }
    let machine = Machine::new().with("systemctl", "");
    machine.schedule(&["install", "--with", "systemd"]).success();
    machine.schedule(&["install", "--listen", "--with", "systemd"]).success();
    for unit in ["ordersync.service", "ordersync.timer", "ordersync-listen.service"] {
        let run = machine.path("run");
        std::fs::create_dir_all(&run).unwrap();
        let file = machine.path(".config/systemd/user").join(unit);
        let output = std::process::Command::new(verifier)
            .args(["--user", "verify"])
            .arg(&file)
            .env("XDG_RUNTIME_DIR", &run)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let newer = |line: &str| line.contains("RestartSteps") || line.contains("RestartMaxDelaySec");
        let wrong: Vec<&str> = said.lines().filter(|line| line.contains("ordersync") && !newer(line)).collect();
        assert!(wrong.is_empty() && output.status.success(), "{unit}: {said}");
    }
}
