//! Ctrl-C and `kill`: a flag that the work looks at, and an end to the process if the work does
//! not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::{Error, ErrorKind, exit_code};

/// How long the work may take to notice: a request that hangs is not waited for.
const GRACE: Duration = Duration::from_millis(1500);

/// What an interruption leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Something is done, and it stays.
    Kept,
    /// Nothing: an act was only looked into.
    Nothing,
    /// Nothing: a shop was asked whether it lets us in.
    Unconnected,
    /// The first rows of a file.
    Rows,
}

/// What an interruption would leave behind now.
static LEFT: Mutex<Left> = Mutex::new(Left::Kept);

/// Says what an interruption leaves behind from here on.
pub(super) fn leaves(left: Left) {
    *LEFT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = left;
}

/// What is said of an interruption.
fn words() -> String {
    let left = match *LEFT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Left::Kept => "what was done so far is kept",
        Left::Nothing => "nothing was recorded or sent; give the command again",
        Left::Unconnected => "nothing is connected; give the command again",
        Left::Rows => {
            "what was dispatched so far is kept, the other rows are not recorded; the same file again goes on from there"
        }
    };
    format!("interrupted; {left}")
}

/// An interruption that was noticed in time says the same as one that was not.
pub(super) fn told(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<Error>() {
        Some(known) if known.kind() == ErrorKind::Interrupted && known.message() == "interrupted" => {
            Error::new(ErrorKind::Interrupted, words()).into()
        }
        _ => error,
    }
}

/// The flag that Ctrl-C sets. Everything is safe to be cut off at any instant, so after a short
/// grace, or at the second Ctrl-C, the process ends by itself.
pub(super) fn on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            leave();
        }
        std::thread::spawn(|| {
            std::thread::sleep(GRACE);
            leave();
        });
    };
    ctrlc::set_handler(handler)
        .map_err(|e| Error::new(ErrorKind::Failed, format!("Ctrl-C cannot be watched for: {e}; nothing was done")))?;
    Ok(flag)
}

fn leave() -> ! {
    let code = exit_code(ErrorKind::Interrupted);
    super::output::show_cursor();
    super::output::say(&format!("\nerror: {}\n", words()));
    std::process::exit(i32::from(code))
}
