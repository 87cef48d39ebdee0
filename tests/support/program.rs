//! The real program in a home of its own: what to run, and what must come of it.
//!
//! ```text
//! home.run("sync").exits(0).silent();
//! let orders = home.json("orders --limit 0");
//! ```
//!
//! Nothing here knows a channel: credentials are environment variables that a test gives to
//! [`Home::secret`]. Every run is also held against them: a secret on either stream fails the test,
//! whatever it is about (X-1).
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No command of a test may take longer; one that hangs fails instead.
const LONGEST: Duration = Duration::from_secs(120);

/// The program under test: the one just built, or the one that `ORDERSYNC_PROGRAM` names, such as a
/// release.
fn program() -> std::ffi::OsString {
    std::env::var_os("ORDERSYNC_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_ordersync").into())
}

/// A temporary home and the environment of every command run in it.
pub struct Home {
    dir: tempfile::TempDir,
    env: BTreeMap<String, String>,
    secrets: Vec<String>,
}

impl Home {
    /// A fresh home, in which repeats follow at once.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut env = BTreeMap::new();
        env.insert("ORDERSYNC_HOME".to_owned(), dir.path().join("home").to_string_lossy().into_owned());
        env.insert("ORDERSYNC_RETRY_MS".to_owned(), "1".to_owned());
        Self { dir, env, secrets: Vec::new() }
    }

    /// The same home with one more environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same home with an environment variable whose value no command may ever print.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push(value.to_owned());
        self.env(name, value)
    }

    /// The home directory; the program creates it.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A directory beside the home, for files of the test.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file beside the home and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.beside(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// The order book's file.
    pub fn book(&self) -> PathBuf {
        self.path().join("orders.sqlite")
    }

    /// A command line, its words separated by spaces.
    pub fn run(&self, words: &str) -> Call<'_> {
        self.call(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// A command line, word by word.
    pub fn call(&self, words: &[&str]) -> Call<'_> {
        Call { command: self.command(words), home: self, words: words.join(" "), stdin: None }
    }

    fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(program());
        command.args(words).current_dir(self.dir.path());
        for name in std::env::vars_os().map(|(name, _)| name).filter(|n| n.to_string_lossy().starts_with("ORDERSYNC_"))
        {
            command.env_remove(name);
        }
        command.envs(&self.env);
        command
    }

    /// What a command that succeeds prints with `--json`.
    pub fn json(&self, words: &str) -> Value {
        self.run(words).arg("--json").exits(0).json()
    }

    /// Starts a command and does not wait for it.
    pub fn spawn(&self, words: &str, env: &[(&str, &str)]) -> Child {
        self.command(&words.split_whitespace().collect::<Vec<_>>())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts a command that is told something while it runs, and does not wait for it.
    pub fn spawn_listening(&self, words: &str, env: &[(&str, &str)], without: &str) -> Child {
        self.command(&words.split_whitespace().collect::<Vec<_>>())
            .envs(env.iter().copied())
            .env_remove(without)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts a command at a terminal, as a person does, and does not wait for it.
    #[cfg(unix)]
    pub fn spawn_at(&self, terminal: &std::os::fd::OwnedFd, words: &str, without: &str) -> Child {
        let end = || Stdio::from(terminal.try_clone().unwrap());
        let mut command = self.command(&words.split_whitespace().collect::<Vec<_>>());
        command.env_remove(without).stdin(end()).stdout(end()).stderr(end()).spawn().unwrap()
    }

    /// Runs SQL on the book by other means than the program's own; gives the first column of all
    /// rows as texts.
    pub fn sql(&self, query: &str) -> Vec<String> {
        let book = rusqlite::Connection::open(self.book()).unwrap();
        book.busy_timeout(Duration::from_secs(10)).unwrap();
        let mut statement = book.prepare(query).unwrap();
        let text = |row: &rusqlite::Row<'_>| {
            row.get::<_, rusqlite::types::Value>(0).map(|value| match value {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                other => format!("{other:?}"),
            })
        };
        statement.query_map([], text).unwrap().map(Result::unwrap).collect()
    }

    fn assert_no_secret(&self, words: &str, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "x1: `{words}` printed a secret");
        }
    }

    /// Asserts that no file below `dir` holds a secret.
    pub fn assert_no_secret_in(&self, dir: &Path) {
        if dir.is_file() {
            let text = std::fs::read(dir).unwrap();
            self.assert_no_secret(&dir.to_string_lossy(), &String::from_utf8_lossy(&text));
            return;
        }
        for entry in std::fs::read_dir(dir).unwrap() {
            self.assert_no_secret_in(&entry.unwrap().path());
        }
    }
}

/// A command about to be run.
pub struct Call<'a> {
    command: std::process::Command,
    home: &'a Home,
    words: String,
    stdin: Option<String>,
}

impl Call<'_> {
    /// With one more word.
    pub fn arg(mut self, word: &str) -> Self {
        self.command.arg(word);
        self.words = format!("{} {word}", self.words);
        self
    }

    /// With this on standard input.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// With this environment variable, for this command only.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without this environment variable of the home.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// As this user of the machine.
    #[cfg(unix)]
    pub fn user(mut self, id: u32) -> Self {
        std::os::unix::process::CommandExt::uid(&mut self.command, id);
        self
    }

    /// Runs it, whatever comes of it.
    pub fn done(self) -> Done {
        let mut command = assert_cmd::Command::from_std(self.command);
        command.timeout(LONGEST);
        if let Some(text) = self.stdin {
            command.write_stdin(text);
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let done = Done {
            words: self.words,
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        self.home.assert_no_secret(&done.words, &done.stdout);
        self.home.assert_no_secret(&done.words, &done.stderr);
        // A thread that dies does not always end the program, but it always says so.
        let panicked = done.code == Some(101) || done.stderr.contains("panicked at");
        assert!(!panicked, "f6: the program panicked\n{done:?}");
        done
    }

    /// Runs it and asserts that it dies at this crash point. Only debug builds have such points.
    pub fn dies_at(self, point: &str) {
        let done = self.env("ORDERSYNC_CRASH_AT", point).done();
        assert!(done.code.is_none(), "lives on after {point}\n{done:?}");
    }

    /// Runs it and asserts the exit code.
    pub fn exits(self, code: i32) -> Done {
        let done = self.done();
        assert!(done.code == Some(code), "expected exit {code}\n{done:?}");
        done
    }
}

/// The points of an export that `crash::point` names; `tests/contract/kills.rs` holds the list
/// against the program.
pub const EXPORT: [&str; 7] =
    ["after-record", "before-sending", "before-write", "after-write", "after-sent", "before-confirm", "after-confirm"];

/// Those of the renewal of a token, which `tests/etsy_connect.rs` passes.
pub const RENEWAL: [&str; 2] = ["before-renewed", "after-renewed"];

/// Those of a delivery on its way into the book, which `tests/listen.rs` passes.
pub const RECEIPT: [&str; 5] = ["before-kept", "after-kept", "after-answered", "before-reread", "after-reread"];

/// Runs a command that dies when it passes `point` for the nth time; false where it passes it less
/// often.
pub fn dies(home: &Home, words: &str, point: &str, nth: u32) -> bool {
    let done = home.run(words).env("ORDERSYNC_CRASH_AT", &format!("{point}:{nth}")).done();
    assert!(matches!(done.code, None | Some(0)), "{done:?}");
    done.code.is_none()
}

/// What came of a command.
pub struct Done {
    words: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed as its result.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ended with {:?}\n--- stdout\n{}--- stderr\n{}", self.words, self.code, self.stdout, self.stderr)
    }
}

impl Done {
    /// Asserts that the result has this text in it.
    pub fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no {text:?} on stdout\n{self:?}");
        self
    }

    /// Asserts that notes or errors have this text in them.
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} on stderr\n{self:?}");
        self
    }

    /// Asserts that neither stream has this text in it.
    pub fn without(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} was printed\n{self:?}");
        self
    }

    /// Asserts that nothing was printed on either stream.
    pub fn silent(self) -> Self {
        assert!(self.stdout.is_empty() && self.stderr.is_empty(), "not silent\n{self:?}");
        self
    }

    /// The result as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error})\n{self:?}"))
    }

    /// The error on stderr as JSON.
    pub fn error(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("no JSON error ({error})\n{self:?}"));
        value["error"].clone()
    }
}

/// Waits until `condition` holds, for as long as a command may take at most.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LONGEST, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
