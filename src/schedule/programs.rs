//! The system's own programs, and what is known of this machine.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::{Error, ErrorKind, Result};

/// Runs a program with messages in English, `input` on its standard input.
///
/// # Errors
/// Only where it cannot be run at all; how it ended is in the output.
pub(super) fn run(program: &str, args: &[&str], input: &[u8]) -> Result<Output> {
    let failed = |e: std::io::Error| {
        Error::new(ErrorKind::Failed, format!("{program} cannot be run: {e}; the timer was not changed"))
            .hint("ordersync schedule install --with systemd, cron or launchd takes another way")
    };
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading says why by its exit status.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output().map_err(failed)
}

/// Runs a program that must succeed.
pub(super) fn must(program: &str, args: &[&str], input: &[u8]) -> Result<Output> {
    let output = run(program, args, input)?;
    if output.status.success() {
        return Ok(output);
    }
    let text =
        format!("`{program} {}` failed: {}; the timer was not changed by it", args.join(" "), complaint(&output));
    Err(Error::new(ErrorKind::Failed, text))
}

/// The first line of what a program said on its way out.
pub(super) fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().find(|line| !line.trim().is_empty()).map_or_else(|| output.status.to_string(), str::to_owned)
}

/// Whether there is such a program.
pub(super) fn is_in_path(program: &str) -> bool {
    find_in_path(program).is_some()
}

fn find_in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_absolute() && file.is_file())
}

/// The absolute path of this program. Where the PATH leads to it through a link, the link: it
/// outlives an update.
pub(super) fn this_program() -> Result<PathBuf> {
    let exe = std::env::current_exe().map_err(|e| {
        Error::new(ErrorKind::Failed, format!("the path of this program is not known: {e}; nothing was installed"))
    })?;
    let same = |other: &Path| matches!((other.canonicalize(), exe.canonicalize()), (Ok(a), Ok(b)) if a == b);
    Ok(find_in_path("ordersync").filter(|found| same(found)).unwrap_or(exe))
}

/// Something that tells this machine from others and stays.
pub(super) fn machine() -> String {
    ["/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostname"]
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok().filter(|text| !text.trim().is_empty()))
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default()
        .trim()
        .to_owned()
}
