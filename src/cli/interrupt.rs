//! Ctrl-C and `kill`: a flag that the work looks at, and an end to the process if the work does
//! not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::{Error, ErrorKind, exit_code};

/// How long the work may take to notice: a request that hangs is not waited for.
const GRACE: Duration = Duration::from_millis(1500);

/// A question whose answer is not shown. The terminal's echo is off meanwhile, and nobody but us
/// switches it on again where the process ends in the middle.
pub(super) struct HiddenQuestion;

/// The terminal as it was before such a question.
#[cfg(unix)]
static SHOWN: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

impl HiddenQuestion {
    /// From here on Ctrl-C ends the process at once.
    pub(super) fn begin() -> Self {
        #[cfg(unix)]
        remember(rustix::termios::tcgetattr(std::io::stdin()).ok());
        Self
    }
}

impl Drop for HiddenQuestion {
    fn drop(&mut self) {
        #[cfg(unix)]
        remember(None);
    }
}

#[cfg(unix)]
fn remember(terminal: Option<rustix::termios::Termios>) {
    *SHOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = terminal;
}

/// Shows again what is typed. False where it was not hidden.
#[cfg(unix)]
fn show_input() -> bool {
    use rustix::termios::{OptionalActions, tcsetattr};
    let shown = SHOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    shown.is_some_and(|shown| tcsetattr(std::io::stdin(), OptionalActions::Flush, &shown).is_ok())
}

#[cfg(not(unix))]
fn show_input() -> bool {
    false
}

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
    /// Nothing: a file was being made.
    NoFile,
    /// A part of what was to be printed.
    Printed,
    /// What was decided about the first of many orders.
    Decided,
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
        Left::NoFile => "no file was made; give the command again",
        Left::Printed => "what was printed is not all of it; give the command again",
        Left::Unconnected => "nothing is connected; give the command again",
        Left::Decided => "what was decided so far is kept; the other orders are as they were",
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

/// Whether an interruption is how the command ends.
static IS_THE_END: AtomicBool = AtomicBool::new(false);

/// Says that the command runs until it is interrupted: that is no failure, and no word is lost on it.
pub(super) fn is_the_end() {
    IS_THE_END.store(true, Ordering::Relaxed);
}

/// The flag that Ctrl-C sets. Everything is safe to be cut off at any instant, so after a short
/// grace, or at the second Ctrl-C, the process ends by itself.
pub(super) fn on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) || show_input() {
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
    show_input();
    if IS_THE_END.load(Ordering::Relaxed) {
        std::process::exit(0);
    }
    super::output::show_cursor();
    super::output::say(&format!("\nerror: {}\n", words()));
    std::process::exit(i32::from(code))
}
