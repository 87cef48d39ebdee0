//! The least of a browser that a consent page needs: to open an address, to press a button, to go
//! where it is sent. And the real one, where it is installed.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use url::Url;

/// What a server has answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(':'));
        pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// One request, without following where it is sent.
pub fn ask(method: &str, address: &str, form: &str) -> Answer {
    let url = Url::parse(address).unwrap();
    let at = url.socket_addrs(|| None).unwrap();
    let mut stream = at.iter().find_map(|at| TcpStream::connect(at).ok()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let length = form.len();
    let host = url.authority();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: text/html\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    )
    .unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let said = String::from_utf8(said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Opens a consent page and permits what it asks for; gives the address to which the page then
/// sends the browser.
pub fn permit(page: &str) -> String {
    let shown = ask("GET", page, "");
    assert!(shown.status == 200 && shown.body.contains("id=\"allow\""), "{shown:?}");
    ask("POST", page, "").header("location").unwrap().to_owned()
}

/// The same, but denies it.
pub fn deny(page: &str) -> String {
    ask("GET", &page.replace("/oauth/connect?", "/oauth/connect/deny?"), "").header("location").unwrap().to_owned()
}

/// A program that waits for a consent.
pub struct Waiting {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
    heard: String,
    /// The address that it has printed.
    pub page: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Waiting {
    /// Reads what the program says until it has printed the page's address.
    pub fn for_page(mut child: Child) -> Self {
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let (mut heard, mut page) = (String::new(), String::new());
        while page.is_empty() {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "no address was printed\n{heard}");
            heard.push_str(&line);
            if line.starts_with("http") {
                page = line.trim().to_owned();
            }
        }
        Self { child, said, heard, page }
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives it this on standard input and waits for its end.
    pub fn told(mut self, text: &str) -> Outcome {
        let mut stdin = self.child.stdin.take().unwrap();
        // One that does not listen any more is no failure of the test's.
        let _ = stdin.write_all(text.as_bytes());
        drop(stdin);
        self.end()
    }

    /// Waits for its end.
    pub fn end(mut self) -> Outcome {
        self.said.read_to_string(&mut self.heard).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        Outcome { code: output.status.code(), stdout, stderr: self.heard }
    }
}

impl Outcome {
    /// Asserts the exit code and that this was said.
    pub fn ends(self, code: i32, says: &str) -> Self {
        assert!(self.code == Some(code) && self.stderr.contains(says), "expected {code} and {says:?}\n{self:?}");
        self
    }

    /// Asserts that none of these stands in what was printed.
    pub fn without(self, secrets: &[&str]) -> Self {
        for secret in secrets {
            assert!(secret.len() > 5 && !self.stderr.contains(secret) && !self.stdout.contains(secret), "{self:?}");
        }
        self
    }
}

/// A real browser without a window, driven through its two pipes.
pub struct Chromium {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    number: u64,
    session: String,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts it; `None` where it is not installed.
    pub fn start() -> Option<Self> {
        let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
        let program = *["chromium", "chromium-browser", "google-chrome"].iter().find(|name| is_there(name))?;
        let profile = tempfile::tempdir().unwrap();
        // It reads what it is to do from its third file and writes to its fourth.
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "exec {program} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
                 --no-proxy-server --remote-debugging-pipe --user-data-dir='{}' about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1",
                profile.path().display()
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (number, session) = (0, String::new());
        let mut browser = Self { child, orders, answers, number, session, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        Some(browser)
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut order = json!({ "id": self.number, "method": method, "params": params });
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        self.orders.write_all(format!("{order}\0").as_bytes()).unwrap();
        loop {
            let mut answer = Vec::new();
            assert!(self.answers.read_until(0, &mut answer).unwrap() > 0, "the browser has ended");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == json!(self.number) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens an address.
    pub fn open(&mut self, address: &str) {
        self.call("Page.navigate", json!({ "url": address }));
    }

    /// What a line of script comes to on the page; null while there is none.
    pub fn eval(&mut self, script: &str) -> Value {
        self.call("Runtime.evaluate", json!({ "expression": script, "returnByValue": true }))["result"]["value"].clone()
    }

    /// Evaluates a line of script until it comes to something true.
    pub fn until(&mut self, script: &str) {
        let begun = Instant::now();
        while self.eval(script) != json!(true) {
            let page = self.eval("location.href.split('?')[0] + ': ' + document.body.innerText");
            assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain for {script}: {page}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
