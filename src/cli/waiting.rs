//! A word to whoever sits at a terminal and waits: what for.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::{App, output};

/// How long a command may be silent.
const SILENT: Duration = Duration::from_secs(3);

/// Something is being waited for, for as long as this lives.
pub(super) struct Waiting {
    _over: Option<Sender<()>>,
}

impl Waiting {
    /// Says `text` where it takes longer than a moment and somebody watches.
    pub(super) fn watched(app: &App, text: String) -> Self {
        if app.global.quiet || !std::io::stderr().is_terminal() {
            return Self { _over: None };
        }
        Self::after(SILENT, move || output::note(&text))
    }

    fn after(silent: Duration, tell: impl FnOnce() + Send + 'static) -> Self {
        let (over, is_over) = channel();
        std::thread::spawn(move || {
            if is_over.recv_timeout(silent) == Err(RecvTimeoutError::Timeout) {
                tell();
            }
        });
        Self { _over: Some(over) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_told_and_what_does_not_is_not() {
        let (told, heard) = channel();
        let waiting = Waiting::after(Duration::from_millis(1), move || told.send("slow").unwrap());
        assert_eq!(heard.recv(), Ok("slow"));
        drop(waiting);
        let (told, heard) = channel();
        drop(Waiting::after(Duration::from_secs(600), move || told.send("quick").unwrap()));
        assert!(heard.recv().is_err(), "the thread ends without a word");
    }
}
