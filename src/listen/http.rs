//! Requests within their limits. One connection brings one request; nothing of one that is refused
//! is read further than that is known.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The largest head, in bytes, and the most headers in it.
const HEAD: usize = 16 * 1024;
const HEADERS: usize = 100;

/// The largest body, in bytes; and in how many it may be sent, its chunks' sizes among them.
const BODY: usize = 1024 * 1024;
const SENT: usize = 2 * BODY;

/// How long a head and a whole request may take.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
const ALL_WITHIN: Duration = Duration::from_secs(10);

/// How long, and how much, of what a refused sender still sends is read, so that it sees the answer.
const LINGER: Duration = Duration::from_millis(500);

/// A connection; errors are the status to answer with, `None` where nobody is there any more.
pub(super) struct Connection<'a> {
    stream: &'a TcpStream,
    begun: Instant,
    /// What was received, and up to where it is used up.
    buffer: Vec<u8>,
    used: usize,
    received: usize,
    /// A header that goes with the answer.
    pub(super) also: Option<(&'static str, String)>,
}

/// Method, target and headers of a request.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    is_old: bool,
}

impl Head {
    /// All headers of this name.
    pub(super) fn all(&self, name: &str) -> Vec<&[u8]> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_slice()).collect()
    }
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        let _ = stream.set_write_timeout(Some(LINGER));
        let _ = stream.set_nodelay(true);
        Self { stream, begun: Instant::now(), buffer: Vec::new(), used: 0, received: 0, also: None }
    }

    /// Receives more, before `within` has passed since the connection began.
    fn fill(&mut self, within: Duration) -> Result<(), Option<u16>> {
        if self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
        }
        let left = within.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            return Err(Some(408));
        }
        let _ = self.stream.set_read_timeout(Some(left));
        let mut part = [0; 8192];
        match (&mut &*self.stream).read(&mut part) {
            Ok(0) => Err(None),
            Ok(read) => {
                self.received += read;
                self.buffer.extend_from_slice(part.get(..read).unwrap_or_default());
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(()),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(Some(408)),
            Err(_) => Err(None),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Receives the head.
    pub(super) fn head(&mut self) -> Result<Head, Option<u16>> {
        let end = loop {
            // TLS, and whatever else is no HTTP.
            if self.buffer.first().is_some_and(|first| !first.is_ascii_uppercase()) {
                return Err(Some(400));
            }
            match memchr::memmem::find(&self.buffer, b"\r\n\r\n").map(|at| at + 4) {
                Some(end) if end <= HEAD => break end,
                None if self.buffer.len() < HEAD => self.fill(HEAD_WITHIN)?,
                _ => return Err(Some(431)),
            }
        };
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(self.buffer.get(..end).unwrap_or_default()) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::TooManyHeaders) => return Err(Some(431)),
            _ => return Err(Some(400)),
        }
        let head = Head {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: request.headers.iter().map(|one| (one.name.to_ascii_lowercase(), one.value.to_vec())).collect(),
            is_old: request.version == Some(0),
        };
        self.used = end;
        Ok(head)
    }

    /// Receives the body.
    pub(super) fn body(&mut self, head: &Head) -> Result<Vec<u8>, Option<u16>> {
        let (lengths, codings) = (head.all("content-length"), head.all("transfer-encoding"));
        if head.all("content-encoding").iter().any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
            return Err(Some(415));
        }
        let length = match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => return Ok(Vec::new()),
            ([length], []) => Some(whole(length).ok_or(Some(400))?),
            ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") && !head.is_old => None,
            // Two lengths, or two sorts of them: whoever stands before us may have read another body.
            _ => return Err(Some(400)),
        };
        if length.is_some_and(|length| length > BODY) {
            return Err(Some(413));
        }
        if head.all("expect").iter().any(|what| what.eq_ignore_ascii_case(b"100-continue")) {
            let _ = (&mut &*self.stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        match length {
            Some(length) => self.take(length),
            None => self.chunks(),
        }
    }

    /// The next so many bytes.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, Option<u16>> {
        while self.rest().len() < length {
            self.fill(ALL_WITHIN)?;
        }
        let taken = self.rest().get(..length).unwrap_or_default().to_vec();
        self.used += length;
        Ok(taken)
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<Vec<u8>, Option<u16>> {
        loop {
            if let Some(end) = memchr::memmem::find(self.rest(), b"\r\n") {
                let line = self.rest().get(..end).unwrap_or_default().to_vec();
                self.used += end + 2;
                return Ok(line);
            }
            if self.rest().len() > 1024 || self.received > SENT {
                return Err(Some(400));
            }
            self.fill(ALL_WITHIN)?;
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Option<u16>> {
        let mut body = Vec::new();
        loop {
            let size = self.line()?;
            let size = size.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
            let is_hex = (1..=8).contains(&size.len()) && size.iter().all(u8::is_ascii_hexdigit);
            let size = std::str::from_utf8(size).ok().filter(|_| is_hex).ok_or(Some(400))?;
            let size = usize::from_str_radix(size, 16).map_err(|_| Some(400))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            if size > BODY - body.len() || self.received > SENT {
                return Err(Some(413));
            }
            body.extend(self.take(size)?);
            if !self.line()?.is_empty() {
                return Err(Some(400));
            }
        }
    }

    /// Answers, with JSON where there is a body. True where the sender may still be sending, and would
    /// not see the answer if the connection ended now ([`Self::linger`]).
    pub(super) fn answer(&mut self, status: u16, body: &[u8]) -> bool {
        let also = self.also.take().map_or_else(String::new, |(name, value)| format!("{name}: {value}\r\n"));
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} \r\n{kind}Content-Length: {length}\r\nConnection: close\r\n{also}\r\n");
        (&mut &*self.stream).write_all(&[head.as_bytes(), body].concat()).is_ok() && status != 200
    }

    /// Reads on for a moment: to close with something unread would take the answer away from the
    /// sender again.
    pub(super) fn linger(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let end = self.begun.elapsed() + LINGER;
        while self.received <= SENT && self.fill(end).is_ok() {
            self.used = self.buffer.len();
        }
    }
}

fn whole(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}
