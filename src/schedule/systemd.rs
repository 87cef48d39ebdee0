//! A service and a timer of the systemd user manager.

use std::path::PathBuf;

use super::listener::Listener;
use super::{Plan, delete_file, programs, write_file};
use crate::error::Result;

/// Whether a user manager runs and can be talked to: on servers it often is not, over `su` or in
/// containers.
pub(crate) fn is_reachable() -> bool {
    programs::run("systemctl", &["--user", "show", "--property=Version"], b"").is_ok_and(|out| out.status.success())
}

/// Whether a user manager seems to run, without asking it: it listens in the session's own directory.
pub(super) fn seems_reachable() -> bool {
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    session.is_some_and(|dir| dir.join("systemd/private").exists() || dir.join("bus").exists())
}

/// Where the user's units are.
pub(super) fn dir(plan: &Plan) -> PathBuf {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    config.unwrap_or_else(|| plan.account.join(".config")).join("systemd/user")
}

/// The files, each with its text.
pub(crate) fn files(plan: &Plan) -> Vec<(PathBuf, String)> {
    let file = |kind: &str| dir(plan).join(format!("{}.{kind}", plan.name));
    vec![(file("service"), service(plan)), (file("timer"), timer(plan))]
}

/// The service: one autosync.
pub(crate) fn service(plan: &Plan) -> String {
    let environment = environment(plan);
    let arguments: String = plan.arguments().iter().map(|word| format!(" {}", argument(word))).collect();
    let program = program(&plan.program);
    format!(
        "# Written by `ordersync schedule install`; `ordersync schedule remove` takes it away.\n\
         [Unit]\nDescription=ordersync: shop orders in, dispatches out\n\n\
         [Service]\nType=oneshot\n{environment}ExecStart={program}{arguments}\nNice=10\n\
         # The program ends by itself before that; this is for the day it cannot.\nTimeoutStartSec={most}min\n",
        most = plan.every.max(10) + 5,
    )
}

/// What the program has of the merchant's shell.
fn environment(plan: &Plan) -> String {
    let variable =
        |(name, value): &(String, String)| format!("Environment={}\n", quoted(&format!("{name}={value}"), false));
    let network = match plan.network.is_empty() {
        true => String::new(),
        // Missing is no failure.
        false => format!("EnvironmentFile=-{}\n", plan.network_file.replace('%', "%%")),
    };
    plan.environment.iter().map(variable).chain([network]).collect()
}

/// The receiver: it says when it is ready, and is started anew after every failure, from systemd 254
/// on with pauses that grow. `isolated`: with a view of the files of its own, which not every kernel
/// lets a user's service have.
pub(super) fn receiver(listener: &Listener<'_>, isolated: bool) -> String {
    let plan = listener.plan();
    let arguments: String = listener.arguments().iter().map(|word| format!(" {}", argument(word))).collect();
    let isolation = match isolated {
        false => "",
        // It would not see a book that is there.
        true if is_temporary(plan) => "ProtectSystem=full\n",
        true => "ProtectSystem=full\nPrivateTmp=yes\n",
    };
    format!(
        "# Written by `ordersync schedule install --listen`; `ordersync schedule remove` takes it away.\n\
         [Unit]\nDescription=ordersync: shops' webhooks in\nStartLimitIntervalSec=0\n\n\
         [Service]\nType=notify\n{environment}ExecStart={program}{arguments}\n\
         Restart=on-failure\nRestartSec=2\nRestartSteps=8\nRestartMaxDelaySec=300\n\
         # A wrong flag is not mended by another start; 3 is an end of which a part was not well.\n\
         RestartPreventExitStatus=2\nSuccessExitStatus=3\nTimeoutStopSec=10\n\
         UMask=0077\nNoNewPrivileges=yes\nLockPersonality=yes\nRestrictRealtime=yes\nRestrictSUIDSGID=yes\n\
         SystemCallArchitectures=native\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n{isolation}\n\
         [Install]\nWantedBy=default.target\n",
        environment = environment(plan),
        program = program(&plan.program),
    )
}

/// Whether something of the program or the book is where temporary files are.
fn is_temporary(plan: &Plan) -> bool {
    let places = [Some(&plan.program), plan.home.as_ref(), Some(&plan.network_file)];
    let places = places.into_iter().flatten().chain(plan.environment.iter().map(|(_, value)| value));
    places.map(std::path::Path::new).any(|path| path.starts_with("/tmp") || path.starts_with("/var/tmp"))
}

/// The timer: it makes up for runs that the machine slept through, and its runs are near enough to
/// their minute that no store's turn is taken for too early.
pub(crate) fn timer(plan: &Plan) -> String {
    let minutes: Vec<String> = plan.minutes().map(|minute| format!("{minute:02}")).collect();
    format!(
        "# Written by `ordersync schedule install`; `ordersync schedule remove` takes it away.\n\
         [Unit]\nDescription=ordersync every {every} minutes\n\n\
         [Timer]\nOnCalendar=*:{minutes}\nPersistent=true\nRandomizedDelaySec=20\nAccuracySec=10\n\n\
         [Install]\nWantedBy=timers.target\n",
        every = plan.every,
        minutes = minutes.join(","),
    )
}

/// The first words of the command. In the program itself, unlike in its arguments, a dollar stands
/// for itself; and systemd 252 takes no quotes or backslashes there ("contains special
/// characters"), so such a path is handed to a shell.
fn program(path: &str) -> String {
    if path.contains(['"', '\'', '\\']) {
        return format!("/bin/sh -c {} {}", quoted("exec \"$0\" \"$@\"", true), quoted(path, true));
    }
    quoted(path, false)
}

fn argument(word: &str) -> String {
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    if plain { word.to_owned() } else { quoted(word, true) }
}

/// A word in double quotes: systemd reads backslashes, per cent signs and, in arguments, dollars.
fn quoted(word: &str, dollars: bool) -> String {
    let mut text = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    if dollars {
        text = text.replace('$', "$$");
    }
    format!("\"{text}\"")
}

/// Whether the files are there.
pub(super) fn is_installed(plan: &Plan) -> bool {
    files(plan).iter().any(|(path, _)| path.exists())
}

/// Puts the files in place and has the user manager take them up. Where it does not, everything is
/// as it was before.
pub(super) fn install(plan: &Plan) -> Result<()> {
    let files = files(plan);
    let before: Vec<(&PathBuf, Option<Vec<u8>>)> =
        files.iter().map(|(path, _)| (path, std::fs::read(path).ok())).collect();
    let installed = files.iter().try_for_each(|(path, text)| write_file(path, text)).and_then(|()| take_up(plan));
    if installed.is_err() {
        for (path, text) in before {
            let _ = text.map_or_else(|| std::fs::remove_file(path), |text| std::fs::write(path, text));
        }
        let _ = std::fs::remove_file(wanted(plan));
    }
    installed
}

fn take_up(plan: &Plan) -> Result<()> {
    let timer = format!("{}.timer", plan.name);
    programs::must("systemctl", &["--user", "daemon-reload"], b"")?;
    programs::must("systemctl", &["--user", "enable", &timer], b"")?;
    // A timer that runs already takes a new calendar only so.
    programs::must("systemctl", &["--user", "restart", &timer], b"")?;
    Ok(())
}

/// The link by which an enabled timer is found.
fn wanted(plan: &Plan) -> PathBuf {
    dir(plan).join("timers.target.wants").join(format!("{}.timer", plan.name))
}

/// Takes the files away. Where no user manager runs, nothing runs them, and nobody needs to be
/// asked.
pub(super) fn remove(plan: &Plan) -> Result<bool> {
    if !is_installed(plan) {
        return Ok(false);
    }
    let reachable = is_reachable();
    if reachable {
        programs::must("systemctl", &["--user", "disable", "--now", &format!("{}.timer", plan.name)], b"")?;
    }
    for path in files(plan).into_iter().map(|(path, _)| path).chain([wanted(plan)]) {
        delete_file(&path)?;
    }
    if reachable {
        programs::must("systemctl", &["--user", "daemon-reload"], b"")?;
    }
    Ok(true)
}

/// Whether the timer sleeps while nobody is logged in.
pub(crate) fn sleeps_without_login() -> bool {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    user.is_empty() || !std::path::Path::new("/var/lib/systemd/linger").join(user).exists()
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    #[test]
    fn i1_the_timer_runs_twice_an_hour_and_makes_up_for_sleep() {
        let text = timer(&plan("/usr/bin/ordersync", None));
        assert!(text.contains("OnCalendar=*:07,37\n"), "{text}");
        assert!(text.contains("Persistent=true\n") && text.contains("RandomizedDelaySec="), "{text}");
    }

    #[test]
    fn paths_with_anything_in_them_are_escaped_for_systemd() {
        let mut plan = plan("/opt/100% $x/ordersync", Some("/home/ann/my $shop 50% \"a\\b"));
        plan.environment = vec![("XDG_DATA_HOME".into(), "/data/5% $y".into())];
        let text = service(&plan);
        let wanted = r#"ExecStart="/opt/100%% $x/ordersync" --home "/home/ann/my $$shop 50%% \"a\\b" sync --autosync"#;
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains("Environment=\"XDG_DATA_HOME=/data/5%% $y\"\n"), "{text}");
    }

    #[test]
    fn a_program_path_that_systemd_refuses_goes_through_a_shell() {
        let text = service(&plan("/opt/\"mine\"/100% $x/ordersync", None));
        let wanted =
            r#"ExecStart=/bin/sh -c "exec \"$$0\" \"$$@\"" "/opt/\"mine\"/100%% $$x/ordersync" sync --autosync"#;
        assert!(text.contains(wanted), "{text}");
    }
}
