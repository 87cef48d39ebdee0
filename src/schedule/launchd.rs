//! An agent of macOS's launchd.

use std::path::{Path, PathBuf};

use super::listener::Listener;
use super::{Plan, delete_file, programs, write_file};
use crate::error::Result;

/// The file.
pub(crate) fn path(plan: &Plan) -> PathBuf {
    dir(plan).join(format!("{}.plist", plan.name))
}

/// Where the user's agents are.
pub(super) fn dir(plan: &Plan) -> PathBuf {
    plan.account.join("Library/LaunchAgents")
}

/// The agent. launchd runs a missed one when the machine wakes up.
pub(crate) fn plist(plan: &Plan) -> String {
    let times: String = plan
        .minutes()
        .map(|minute| format!("    <dict>\n      <key>Minute</key>\n      <integer>{minute}</integer>\n    </dict>\n"))
        .collect();
    let when = format!("  <key>StartCalendarInterval</key>\n  <array>\n{times}  </array>\n");
    agent(plan, &plan.name, &plan.arguments(), &when)
}

/// The receiver: there from the log-in on, and started anew after every failure.
pub(super) fn receiver(listener: &Listener<'_>) -> String {
    let arguments = listener.arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let when = "  <key>RunAtLoad</key>\n  <true/>\n  <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n\
                \x20 <key>Umask</key>\n  <integer>63</integer>\n";
    agent(listener.plan(), &listener.name(), &words, when)
}

fn agent(plan: &Plan, name: &str, arguments: &[&str], when: &str) -> String {
    let strings = |words: Vec<&str>| -> String {
        words.iter().map(|word| format!("    <string>{}</string>\n", escaped(word))).collect()
    };
    const WITH_NETWORK: [&str; 3] = ["/bin/sh", "-c", "[ ! -r \"$0\" ] || { set -a; . \"$0\"; set +a; }; exec \"$@\""];
    let shell = WITH_NETWORK.into_iter().chain([plan.network_file.as_str()]).filter(|_| !plan.network.is_empty());
    let words = shell.chain([plan.program.as_str()]).chain(arguments.iter().copied()).collect();
    let variables: String = plan
        .environment
        .iter()
        .map(|(name, value)| format!("    <key>{name}</key>\n    <string>{}</string>\n", escaped(value)))
        .collect();
    let environment = match variables.as_str() {
        "" => String::new(),
        some => format!("  <key>EnvironmentVariables</key>\n  <dict>\n{some}  </dict>\n"),
    };
    let log = escaped(&plan.account.join("Library/Logs/ordersync.log").display().to_string());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         \x20 <key>Label</key>\n  <string>{name}</string>\n\
         \x20 <key>ProgramArguments</key>\n  <array>\n{words}  </array>\n{environment}{when}\
         \x20 <key>ProcessType</key>\n  <string>Background</string>\n\
         \x20 <key>StandardErrorPath</key>\n  <string>{log}</string>\n\
         </dict>\n</plist>\n",
        name = escaped(name),
        words = strings(words),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub(super) fn is_installed(plan: &Plan) -> bool {
    path(plan).exists()
}

pub(super) fn install(plan: &Plan) -> Result<()> {
    let (domain, path) = (domain(&plan.account), path(plan));
    // An agent that runs already would keep its old times; one that does not is no failure.
    programs::run("launchctl", &["bootout", &format!("{domain}/{}", plan.name)], b"")?;
    write_file(&path, &plist(plan))?;
    programs::must("launchctl", &["bootstrap", &domain, &path.display().to_string()], b"").map(|_| ())
}

pub(super) fn remove(plan: &Plan) -> Result<bool> {
    if !is_installed(plan) {
        return Ok(false);
    }
    programs::run("launchctl", &["bootout", &format!("{}/{}", domain(&plan.account), plan.name)], b"")?;
    delete_file(&path(plan)).map(|()| true)
}

/// The merchant's own domain, by the owner of the home directory.
pub(super) fn domain(account: &Path) -> String {
    #[cfg(unix)]
    if let Ok(data) = std::fs::metadata(account) {
        return format!("gui/{}", std::os::unix::fs::MetadataExt::uid(&data));
    }
    let _ = account;
    "gui/501".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    #[test]
    fn i1_the_agent_runs_in_both_halves_of_the_hour_and_takes_any_path() {
        let text = plist(&plan("/Apps & <co>/ordersync", Some("/Users/ann/my shop")));
        assert!(text.contains("<string>/Apps &amp; &lt;co&gt;/ordersync</string>"), "{text}");
        assert!(text.contains("<string>--home</string>\n    <string>/Users/ann/my shop</string>"), "{text}");
        assert_eq!(text.matches("<key>Minute</key>").count(), 2);
        assert!(text.contains("<integer>7</integer>") && text.contains("<integer>37</integer>"));
    }
}
