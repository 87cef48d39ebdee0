//! Waits on this machine for the browser that comes back from a vendor's page.
//!
//! Nothing but the loopback addresses is listened on, nothing but the one address is answered with
//! more than a refusal, and the first that is answered ends it. What is said to the browser is
//! fixed: nothing that came in goes out again.

use std::io::{ErrorKind as Io, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use url::form_urlencoded::parse;
use url::{Host, Url};

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// How long between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// A browser's request for a page, with all its cookies for this host.
const LARGEST: usize = 64 * 1024;

/// Browsers open connections that they may need; more than these are somebody else's.
const MOST: usize = 16;

/// For how many looks a connection may say nothing: some ten seconds.
const QUIET: u32 = 333;

/// The ports of this machine to which a landing address leads.
pub(super) struct Listener {
    listeners: Vec<TcpListener>,
    landing: Url,
}

/// A connection that has not said all yet.
struct Caller {
    stream: TcpStream,
    said: Vec<u8>,
    looks: u32,
}

impl Listener {
    /// Listens where `landing` leads to.
    ///
    /// # Errors
    /// `Refused` where another program does so already.
    pub(super) fn bind(landing: &Url) -> Result<Self> {
        let port = landing.port_or_known_default().unwrap_or_default();
        let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        let ips = match landing.host() {
            Some(Host::Ipv4(_)) => vec![v4],
            Some(Host::Ipv6(_)) => vec![v6],
            // A name that browsers look up as the one or the other.
            _ => vec![v4, v6],
        };
        let mut listeners = Vec::new();
        let mut failed = None;
        for ip in ips {
            match listen(SocketAddr::new(ip, port)) {
                Ok(listener) => listeners.push(listener),
                Err(e) if e.kind() == Io::AddrInUse => return Err(taken(port)),
                // A machine without one of the two.
                Err(e) => failed = Some(e),
            }
        }
        match failed {
            Some(e) if listeners.is_empty() => {
                let text = format!("port {port} of this machine cannot be listened on: {e}; nothing was stored");
                Err(Error::new(ErrorKind::Failed, text).hint(OTHERWISE))
            }
            _ => Ok(Self { listeners, landing: landing.clone() }),
        }
    }

    /// Waits until a browser lands, and tells it by what `judge` makes of the address whether that
    /// was it.
    ///
    /// # Errors
    /// `Credentials` where nobody has come until then, `Interrupted`, and those of `judge`.
    pub(super) fn wait<T>(
        self,
        clock: &dyn Clock,
        until: Timestamp,
        judge: impl FnOnce(&str) -> Result<T>,
    ) -> Result<T> {
        let mut callers: Vec<Caller> = Vec::new();
        loop {
            self.answer_the_phone(&mut callers);
            let mut waiting = Vec::new();
            for mut caller in callers {
                match caller.listen() {
                    Said::All => match self.place(&caller.said) {
                        Ok(landed) => {
                            let judged = judge(&landed);
                            caller.tell("200 OK", if judged.is_ok() { THANKS } else { SORRY });
                            return judged;
                        }
                        Err(status) => caller.tell(status, NOT_HERE),
                    },
                    Said::Part => waiting.push(caller),
                    Said::Nonsense => {}
                }
            }
            callers = waiting;
            if clock.now() >= until {
                let text = "no browser came back from the page in time; nothing was stored";
                return Err(Error::new(ErrorKind::Credentials, text).hint(OTHERWISE));
            }
            clock.sleep(LOOK)?;
        }
    }

    fn answer_the_phone(&self, callers: &mut Vec<Caller>) {
        for listener in &self.listeners {
            while callers.len() < MOST {
                let Ok((stream, _)) = listener.accept() else { break };
                if stream.set_nonblocking(true).is_ok() {
                    callers.push(Caller { stream, said: Vec::new(), looks: 0 });
                }
            }
        }
    }

    /// The address that a request is for, if it is the landing address with something in it; else
    /// how it is refused.
    fn place(&self, said: &[u8]) -> Result<String, &'static str> {
        let Ok(head) = std::str::from_utf8(said) else { return Err("400 Bad Request") };
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err("400 Bad Request");
        };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return Err("400 Bad Request");
        }
        // A page elsewhere can have a name lead here; it cannot say that it is this name.
        let mut hosts = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.trim());
        let is_host = hosts.next().is_some_and(|host| host.eq_ignore_ascii_case(self.landing.authority()));
        if !is_host || hosts.next().is_some() {
            return Err("421 Misdirected Request");
        }
        // Whatever else calls the address brings nothing that could be an answer of the page's.
        let is_answer = |query: &str| parse(query.as_bytes()).any(|(name, _)| name == "code" || name == "error");
        let Some((path, query)) = target.split_once('?').filter(|(_, query)| is_answer(query)) else {
            return Err("404 Not Found");
        };
        match (method, path == self.landing.path()) {
            (_, false) => Err("404 Not Found"),
            ("GET", true) => Ok(format!("{}?{query}", self.landing)),
            _ => Err("405 Method Not Allowed"),
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn taken(port: u16) -> Error {
    let text = format!("another program listens on port {port} of this machine; nothing was stored");
    Error::new(ErrorKind::Refused, text).hint(OTHERWISE)
}

/// What helps where no browser of this machine can come back here.
const OTHERWISE: &str = "give the command again; with --consent paste the address at which the browser lands can be brought by hand; \
                         another port is set with --set redirect_uri=... once it is registered at the channel";

/// How much of a request there is.
enum Said {
    All,
    Part,
    Nonsense,
}

impl Caller {
    fn listen(&mut self) -> Said {
        self.looks += 1;
        let mut part = [0u8; 4096];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => return Said::Nonsense,
                Ok(read) => {
                    self.said.extend_from_slice(part.get(..read).unwrap_or_default());
                    if self.said.windows(4).any(|end| end == b"\r\n\r\n") {
                        return Said::All;
                    }
                    if self.said.len() > LARGEST {
                        return Said::Nonsense;
                    }
                }
                Err(e) if e.kind() == Io::Interrupted => {}
                Err(e) if e.kind() == Io::WouldBlock && self.looks < QUIET => return Said::Part,
                Err(_) => return Said::Nonsense,
            }
        }
    }

    /// Says a sentence as a page. A browser that does not hear it has been here all the same.
    fn tell(mut self, status: &str, sentence: &str) {
        let page = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>ordersync</title></head>\
             <body><p>{sentence}</p></body></html>\n"
        );
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            page.len()
        );
        let said = self
            .stream
            .set_nonblocking(false)
            .and_then(|()| self.stream.set_write_timeout(Some(Duration::from_secs(2))))
            .and_then(|()| self.stream.write_all(head.as_bytes()))
            .and_then(|()| self.stream.write_all(page.as_bytes()))
            .and_then(|()| self.stream.shutdown(Shutdown::Write));
        drop(said);
    }
}

const THANKS: &str = "ordersync has heard of your consent. You can close this page; the terminal says how it goes on.";
const SORRY: &str = "ordersync got no consent. You can close this page; the terminal says why.";
const NOT_HERE: &str = "There is nothing here.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock, Timestamp};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// A port that nobody uses.
    fn landing() -> Url {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Url::parse(&format!("http://localhost:{}/shop", free.port())).unwrap()
    }

    fn call(landing: &Url, ip: &str, request: &str) -> String {
        let mut stream = TcpStream::connect((ip, landing.port().unwrap())).unwrap();
        stream.write_all(request.replace("HOST", landing.authority()).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn only_the_landing_address_itself_is_answered_and_only_once() {
        let landing = landing();
        let listener = Listener::bind(&landing).unwrap();
        let page = landing.clone();
        let browser = std::thread::spawn(move || {
            // One that opens a connection and says nothing is in nobody's way.
            let _idle = TcpStream::connect(("127.0.0.1", page.port().unwrap())).unwrap();
            for (request, status) in [
                ("GET /shop?code=c HTTP/1.1\r\n\r\n", "421"),
                ("GET /shop?code=c HTTP/1.1\r\nHost: evil.example.test\r\n\r\n", "421"),
                ("GET /shop?code=c HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", "421"),
                ("GET /shop?code=c HTTP/1.1\r\nHost: localhost\r\n\r\n", "421"),
                ("GET /shop/?code=c HTTP/1.1\r\nHost: HOST\r\n\r\n", "404"),
                ("GET /favicon.ico HTTP/1.1\r\nHost: HOST\r\n\r\n", "404"),
                ("GET /shop HTTP/1.1\r\nHost: HOST\r\n\r\n", "404"),
                ("GET /shop?x=code HTTP/1.1\r\nHost: HOST\r\n\r\n", "404"),
                ("POST /shop?code=c HTTP/1.1\r\nHost: HOST\r\n\r\n", "405"),
                ("GET http://localhost/shop?code=c HTTP/1.1\r\nHost: HOST\r\n\r\n", "400"),
                ("nonsense\r\n\r\n", "400"),
            ] {
                let answer = call(&page, "127.0.0.1", request);
                assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
            }
            call(&page, "127.0.0.1", "GET /shop?code=c0de&state=<b> HTTP/1.1\r\nHost: HOST\r\n\r\n")
        });
        let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
        let until = clock.now() + chrono::TimeDelta::seconds(60);
        let landed = listener.wait(&clock, until, |landed| Ok(landed.to_owned())).unwrap();
        assert_eq!(landed, format!("{landing}?code=c0de&state=<b>"));
        let answer = browser.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(THANKS), "{answer}");
        assert!(answer.contains("Cache-Control: no-store") && answer.contains("default-src 'none'"), "{answer}");
        assert!(!answer.contains("c0de") && !answer.contains("<b>") && !answer.contains("<script"), "{answer}");
        assert!(TcpStream::connect(("127.0.0.1", landing.port().unwrap())).is_err(), "nobody listens any more");
    }

    #[test]
    fn a_taken_port_is_said_and_nobody_is_waited_for_for_ever() {
        let landing = landing();
        let listener = Listener::bind(&landing).unwrap();
        let error = Listener::bind(&landing).err().unwrap();
        assert!(error.kind() == ErrorKind::Refused && error.message().contains("another program"), "{error}");
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let until = clock.now() + chrono::TimeDelta::minutes(10);
        let error = listener.wait(&clock, until, |_| Ok(())).unwrap_err();
        assert!(error.kind() == ErrorKind::Credentials && error.message().contains("no browser came back"), "{error}");
        assert!(error.hint_text().unwrap().contains("--consent paste"));
    }

    #[test]
    fn a_landing_on_an_address_of_one_kind_is_listened_for_there_alone() {
        let url = landing();
        let landing = Url::parse(&format!("http://127.0.0.1:{}/shop", url.port().unwrap())).unwrap();
        let listener = Listener::bind(&landing).unwrap();
        let addresses: Vec<SocketAddr> = listener.listeners.iter().map(|one| one.local_addr().unwrap()).collect();
        assert_eq!(addresses, [SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()))]);
    }
}
