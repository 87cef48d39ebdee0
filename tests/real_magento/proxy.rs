//! A loopback proxy before the shop: it tells what was asked, and can lose a request or its answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked, and the status of the answer; 0 where none was handed on.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    #[allow(dead_code, reason = "shown where an assertion fails")]
    pub target: String,
    #[allow(dead_code, reason = "shown where an assertion fails")]
    pub status: u16,
}

impl Asked {
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

/// What is lost of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It does not reach the shop.
    Request,
    /// The shop does it, and nobody hears of it.
    Answer,
}

/// What is lost of the write that is the nth from now on with this in its target.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    what: Lost,
    nth: u32,
    target: String,
}

#[derive(Default)]
struct State {
    asked: Mutex<Vec<Asked>>,
    fault: Mutex<Option<Fault>>,
}

/// A proxy on a port of its own.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// Before a server at `host:port`.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let (server, shared) = (server.to_owned(), state.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, shared) = (server.clone(), shared.clone());
                std::thread::spawn(move || hand_on(client, &server, &shared));
            }
        });
        Self { port, state }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All requests so far, which are then forgotten.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.asked.lock().unwrap())
    }

    /// Loses the nth write from now on that has this in its target.
    pub fn lose(&self, what: Lost, nth: u32, target: &str) {
        *self.state.fault.lock().unwrap() = Some(Fault { what, nth, target: target.to_owned() });
    }

    /// Asserts that what was to be lost was asked for.
    pub fn assert_lost(&self) {
        assert_eq!(*self.state.fault.lock().unwrap(), None, "nothing of the kind was asked for");
    }
}

/// One request of a connection, which then ends.
fn hand_on(mut client: TcpStream, server: &str, state: &State) -> Option<()> {
    let (head, body) = request(&mut client)?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let lost = lost(state, &method, &target);
    let answer = if lost == Some(Lost::Request) {
        Vec::new()
    } else {
        // Of HTTP 1.0 an answer is neither in chunks nor followed by another.
        let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let head =
            format!("{method} {target} HTTP/1.0\r\n{}\r\n\r\n", kept.collect::<Vec<_>>().join("\r\n").trim_end());
        let mut shop = TcpStream::connect(server).ok()?;
        shop.write_all(&[head.as_bytes(), &body].concat()).ok()?;
        let mut answer = Vec::new();
        shop.read_to_end(&mut answer).ok()?;
        answer
    };
    let status = std::str::from_utf8(answer.get(9..12).unwrap_or_default()).ok().and_then(|text| text.parse().ok());
    let status = status.filter(|_| lost.is_none()).unwrap_or(0);
    state.asked.lock().unwrap().push(Asked { method, target, status });
    if lost.is_none() {
        client.write_all(&answer).ok()?;
    }
    client.shutdown(std::net::Shutdown::Both).ok()
}

fn lost(state: &State, method: &str, target: &str) -> Option<Lost> {
    let mut fault = state.fault.lock().unwrap();
    let meant = fault.as_mut().filter(|fault| method != "GET" && target.contains(&fault.target))?;
    meant.nth -= 1;
    fault.take_if(|fault| fault.nth == 0).map(|fault| fault.what)
}

/// Head and body of a request.
fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).ok()?;
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).ok()?;
    Some((head.trim_end().to_owned(), body))
}
