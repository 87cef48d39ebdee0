//! One error type for the library: what was found, what was *not* done, and the command to run
//! next.
//!
//! Rules: the message names the store or the order and says what was not done; it never holds a
//! raw body, a secret, a name, an address or an e-mail. The [`ErrorKind`] decides the exit code
//! (C-2), and [`exit_code`] is the one place where it does.

use std::fmt;
use std::time::Duration;

/// What kind of failure this is. Programs match on it; the text is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Anything without a kind of its own. Exit 1.
    Failed,
    /// A flag or a value that cannot be used. Exit 2.
    Usage,
    /// The channel refuses the credentials, or they are missing. Exit 4.
    Credentials,
    /// The credentials are good but lack a permission. Exit 4.
    Permission,
    /// Network, rate limit, maintenance, server error: worth trying again later. Exit 5.
    Temporary,
    /// A write went out and no answer came back: it may have been applied. Exit 5.
    Unknown,
    /// The channel understood a write and refused it; repeating it unchanged is pointless. Exit 1.
    Rejected,
    /// This channel, or this shop's version of it, cannot do that: refused before anything is sent.
    /// Exit 6.
    Unsupported,
    /// An answer that is not what the channel's documents promise. Exit 1.
    Unreadable,
    /// A guard stopped the command before anything was written. Exit 6.
    Refused,
    /// Done, and something stands against it that the merchant has to see to. Exit 3.
    Partly,
    /// No such order, store or file. Exit 7.
    NotFound,
    /// Nothing that answers like a store at its address: moved, switched off, mistyped. It says
    /// nothing of the orders there. Exit 7.
    NoStore,
    /// Another run holds the lock. Exit 8.
    Locked,
    /// Ctrl-C. Exit 130.
    Interrupted,
    /// The book cannot be read or written: full disk, read-only, damaged. Exit 1.
    Book,
}

impl ErrorKind {
    /// The word used for this kind in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Credentials => "credentials",
            Self::Permission => "permission",
            Self::Temporary => "temporary",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
            Self::Partly => "partly",
            Self::NotFound => "not-found",
            Self::NoStore => "no-store",
            Self::Locked => "locked",
            Self::Interrupted => "interrupted",
            Self::Book => "book",
        }
    }
}

/// Exit code of a run that did only a part of its work (C-2).
pub(crate) const EXIT_PARTLY: u8 = 3;

/// The exit code that several results have in common, 0 where there are none; nothing where they
/// differ: then it depends on what was done whether that is a part of the work.
pub(crate) fn common_code(codes: impl IntoIterator<Item = u8>) -> Option<u8> {
    let mut codes = codes.into_iter();
    let first = codes.next().unwrap_or(0);
    codes.all(|code| code == first).then_some(first)
}

/// The exit code for a kind (C-2); the only place where kinds become codes.
pub(crate) fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Failed | ErrorKind::Rejected | ErrorKind::Unreadable | ErrorKind::Book => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Partly => EXIT_PARTLY,
        ErrorKind::Credentials | ErrorKind::Permission => 4,
        ErrorKind::Temporary | ErrorKind::Unknown => 5,
        ErrorKind::Refused | ErrorKind::Unsupported => 6,
        ErrorKind::NotFound | ErrorKind::NoStore => 7,
        ErrorKind::Locked => 8,
        ErrorKind::Interrupted => 130,
    }
}

/// What a channel answered to a write that it says it has not carried out. That it has not is known
/// only once it was looked for (D-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No.
    No,
    /// Not now: what was asked for before it comes again is done, be it a pause or another token.
    NotNow,
}

/// An error a merchant can act on.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    too_much: bool,
    answer: Option<Answer>,
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`: `message` says what was found and what was not done.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, retry_after: None, too_much: false, answer: None }
    }

    /// Adds the command to run next (or another way on), shown on a line of its own.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds how long the channel asked to be left alone.
    pub(crate) fn after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Marks that the channel may have choked on how much was asked of it at once.
    pub(crate) fn too_much(mut self) -> Self {
        self.too_much = true;
        self
    }

    /// The same error of something that fails whatever is asked for at once.
    pub(crate) fn not_too_much(self) -> Self {
        Self { too_much: false, ..self }
    }

    /// Whether asking for less at once may help: a server error, no answer in time, an answer
    /// without end.
    pub(crate) fn is_too_much(&self) -> bool {
        self.too_much
    }

    /// Puts the words to run next in the place of a hint's general ones: adapters write STORE and
    /// ORDER, as they know neither the store's name nor the order's number here.
    pub(crate) fn rename_in_hint(mut self, general: &str, named: &str) -> Self {
        self.hint = self.hint.map(|hint| hint.replace(general, named));
        self
    }

    /// Marks that a write had come to the channel, which answered this.
    pub(crate) fn answered(self, answer: Answer) -> Self {
        Self { answer: Some(answer), ..self }
    }

    /// What the channel answered to the write that failed, where it had come there.
    pub(crate) fn answer(&self) -> Option<Answer> {
        self.answer
    }

    /// The same without the claim at its end that nothing was done: whoever was answered does not
    /// know that.
    pub(crate) fn unclaimed(mut self) -> Self {
        let claim = ["; nothing was ", ", nothing was "].iter().filter_map(|claim| self.message.rfind(claim)).max();
        self.message.truncate(claim.unwrap_or(self.message.len()));
        self
    }

    /// Says one thing more.
    pub(crate) fn adding(mut self, what: &str) -> Self {
        self.message = format!("{}; {what}", self.message);
        self
    }

    /// Puts `what` before the message: `sync of "woocommerce": ...`.
    pub(crate) fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message without the hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The command to run next, if one helps.
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// How long the channel asked to be left alone, if it did.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
