//! Webhooks of a simulated store: who wants to be told of what, and the deliveries, which are really
//! sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use url::Url;

use super::{Context, State, Vendor};

/// What happened to an order that somebody may want to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// It was placed.
    Placed,
    /// It was changed.
    Changed,
    /// It was put away as done with.
    PutAway,
    /// It was erased for good.
    Erased,
    /// It is held back, of which its date says nothing.
    Held,
    /// The same of the end of a hold.
    Released,
    /// What a vendor calls so happened to the order, or to what has this number and belongs to it.
    Named(&'static str, u64),
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its id.
    pub id: u64,
    /// What it is about, in the vendor's words.
    pub topic: String,
    /// Where its deliveries go.
    pub address: String,
    /// What they are signed with, where each subscription has a key of its own.
    pub key: String,
    /// Headers that go with them as they are.
    pub headers: Vec<(String, String)>,
    /// Whether it delivers.
    pub is_active: bool,
    /// How many deliveries in a row have failed.
    pub failures: u32,
}

/// How long a vendor waits for whoever receives its deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the connection.
    pub connect: Duration,
    /// In all.
    pub all: Duration,
}

impl Patience {
    /// So many seconds for the connection, and in all.
    pub const fn seconds(connect: u64, all: u64) -> Self {
        Self { connect: Duration::from_secs(connect), all: Duration::from_secs(all) }
    }
}

/// The headers and the body of a delivery.
pub type Written = (Vec<(String, String)>, Vec<u8>);

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subscription that it is of.
    pub hook: u64,
    /// Where it goes.
    pub address: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// How long its vendor waits.
    pub patience: Patience,
    /// What was answered; nothing where nobody did.
    pub status: Option<u16>,
}

impl Letter {
    /// Sends it, or sends it again, and gives what was answered; nothing where that is not whole in
    /// the vendor's time.
    pub fn send(&self) -> Option<u16> {
        let end = Instant::now() + self.patience.all;
        let left = || Some(end.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero());
        let url = Url::parse(&self.address).ok()?;
        let address = (url.host_str()?, url.port_or_known_default()?);
        let mut places = address.to_socket_addrs().ok()?;
        let mut stream = places.find_map(|place| TcpStream::connect_timeout(&place, self.patience.connect).ok())?;
        stream.set_write_timeout(left()).ok()?;
        let mut request = format!(
            "POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Length: {}\r\nConnection: close\r\n",
            url.path(),
            address.0,
            address.1,
            self.body.len()
        );
        self.headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        request.push_str("\r\n");
        stream.write_all(&[request.as_bytes(), &self.body].concat()).ok()?;
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        loop {
            stream.set_read_timeout(Some(left()?)).ok()?;
            match stream.read(&mut part).ok()? {
                0 => break,
                read => answer.extend_from_slice(part.get(..read)?),
            }
        }
        String::from_utf8(answer).ok()?.split(' ').nth(1)?.parse().ok()
    }
}

/// What is answered at an address to a question with this query: status and body.
pub(crate) fn ask(address: &str, query: &str) -> Option<(u16, String)> {
    let url = Url::parse(address).ok()?;
    let mut stream = TcpStream::connect((url.host_str()?, url.port_or_known_default()?)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let (path, host) = (url.path(), url.authority());
    let request = format!("GET {path}?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// HMAC-SHA256 in base64.
pub(crate) fn sign(key: &str, message: &[u8]) -> String {
    let mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(message));
    mac.map(|mac| base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// The same in hexadecimal digits.
pub(crate) fn sign_in_hex(key: &str, message: &[u8]) -> String {
    let mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(message));
    let code = mac.map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A store's subscriptions and deliveries.
#[derive(Debug, Default)]
pub struct Post {
    /// The subscriptions.
    pub hooks: Vec<Hook>,
    /// The deliveries so far, in the order in which they were answered.
    pub letters: Vec<Letter>,
    last: u64,
    /// The last body of each subscription about each order.
    told: BTreeMap<(u64, u64), Vec<u8>>,
}

impl Post {
    /// A new subscription; gives its id.
    pub(crate) fn subscribe(&mut self, topic: &str, address: &str, key: &str, headers: Vec<(String, String)>) -> u64 {
        self.last += 1;
        let (topic, address, key) = (topic.to_owned(), address.to_owned(), key.to_owned());
        self.hooks.push(Hook { id: self.last, topic, address, key, headers, is_active: true, failures: 0 });
        self.last
    }

    /// Whether a subscription has something new to say about an order; a vendor that waits for a moment
    /// says the same only once.
    pub(crate) fn is_news(&mut self, hook: u64, order: u64, body: &[u8]) -> bool {
        self.told.insert((hook, order), body.to_vec()).is_none_or(|before| before != body)
    }

    /// A subscription.
    pub(crate) fn hook(&mut self, id: u64) -> Option<&mut Hook> {
        self.hooks.iter_mut().find(|hook| hook.id == id)
    }

    /// Takes a subscription away; whether there was one.
    pub(crate) fn unsubscribe(&mut self, id: u64) -> bool {
        let before = self.hooks.len();
        self.hooks.retain(|hook| hook.id != id);
        self.hooks.len() < before
    }
}

/// Shared with those who are on their way with a delivery.
pub(crate) type SharedPost = Arc<Mutex<Post>>;

/// The subscriptions and deliveries as they are now.
pub(crate) fn locked(post: &SharedPost) -> MutexGuard<'_, Post> {
    post.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings a delivery to where it goes, on a thread of its own.
pub(in crate::sim) fn deliver<V: Vendor>(mut letter: Letter, post: SharedPost) {
    std::thread::spawn(move || {
        letter.status = letter.send();
        let mut post = locked(&post);
        let is_well = letter.status.is_some_and(V::is_delivered);
        if let Some(hook) = post.hook(letter.hook) {
            hook.failures = if is_well { 0 } else { hook.failures + 1 };
            if hook.failures >= V::GIVES_UP_AFTER {
                hook.is_active = false;
            }
        }
        if V::FORGETS_HOOKS {
            post.hooks.retain(|hook| hook.is_active);
        }
        post.letters.push(letter);
    });
}

impl<V: Vendor> Context<'_, V> {
    /// The deliveries about what has happened since this was asked last.
    pub(super) fn letters(&mut self) -> Vec<Letter> {
        let mut news = std::mem::take(&mut self.state.news);
        let hooks: Vec<Hook> = locked(&self.state.post).hooks.iter().filter(|hook| hook.is_active).cloned().collect();
        if hooks.is_empty() {
            return Vec::new();
        }
        news.sort_unstable();
        news.dedup();
        let mut letters = Vec::new();
        for (id, what) in news {
            for hook in &hooks {
                letters.extend(V::letter(self, hook, id, what).map(|(headers, body)| Letter {
                    hook: hook.id,
                    address: hook.address.clone(),
                    headers: headers.into_iter().chain(hook.headers.clone()).collect(),
                    body,
                    patience: V::PATIENCE,
                    status: None,
                }));
            }
        }
        letters
    }
}

impl<V: Vendor> State<V> {
    /// Something happened to an order.
    pub(in crate::sim) fn note(&mut self, id: u64, news: News) {
        self.news.push((id, news));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn w2_a_vendor_waits_no_longer_than_it_has_patience_also_for_an_answer_that_drips() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/hooks/x", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                while stream.write_all(b"H").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        });
        let (headers, body) = (Vec::new(), b"{}".to_vec());
        let letter = Letter { hook: 1, address, headers, body, patience: Patience::seconds(1, 1), status: None };
        let begun = Instant::now();
        assert_eq!(letter.send(), None);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}
