//! The client: send, wait, repeat.

use std::cell::Cell;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::blocking as rq;
use reqwest::header::{HeaderMap, HeaderValue};

use super::{
    Account, Effect, Lane, LaneUse, MAX_REPLY, Permit, Protocol, Purpose, RateLimit, Reply, Request, RetryPolicy,
    Verdict, redact::Forms, silence::Silence, told, url_for_people,
};
use crate::clock::{Clock, Timestamp};
use crate::error::{Answer, Error, ErrorKind, Result};
use crate::secret::Secret;

/// How a client is set up.
pub(crate) struct Options {
    /// Who tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// How long to go on trying.
    pub(crate) retry: RetryPolicy,
    /// The limit of the store.
    pub(crate) limit: RateLimit,
    /// What its requests are for.
    pub(crate) purpose: Purpose,
    /// Scheme, host and port that are asked in the place of the channel's own, whatever the address
    /// of a request (`--endpoint`).
    pub(crate) endpoint: Option<url::Url>,
    /// A certificate authority of the merchant's own, in PEM.
    pub(crate) ca_pem: Option<Vec<u8>>,
    /// Whether plain `http://` to another machine is permitted (`--allow-http`).
    pub(crate) allow_http: bool,
}

/// The HTTP client of one store; shared by its threads.
pub struct Client {
    /// For other machines, through the environment's proxy where there is one.
    far: OnceLock<rq::Client>,
    /// For this machine: never through a proxy, which could not reach it and would read everything
    ///
    near: OnceLock<rq::Client>,
    tls: rustls::ClientConfig,
    options: Options,
    requests: AtomicU64,
    received: AtomicU64,
    /// How long answers were waited for, in microseconds.
    answers: AtomicU64,
    /// The server's clock less ours, in milliseconds, by the last `Date` header; `i64::MIN` before
    /// the first.
    apart: AtomicI64,
    /// What is being waited for, in words; of several threads the last one tells.
    waiting: Mutex<Option<String>>,
    hidden: OnceLock<Hidden>,
    /// How many answers began and did not end.
    unended: AtomicU32,
    /// A request has waited for as long as the store is worth, and no good answer has come since.
    waited_out: AtomicBool,
    silence: Mutex<Silence>,
    /// The secrets than which no newer ones would help a request that is refused, and since when:
    /// they were new when it was.
    in_vain: Mutex<Option<(Vec<HeaderValue>, Instant)>>,
}

/// Tells the secrets of a store, as they are now.
type Hidden = Box<dyn Fn() -> Vec<Secret> + Send + Sync>;

/// Why an attempt brought no reply.
enum Broken {
    /// Repeating it changes nothing: the server does not prove who it is, or has been silent for
    /// long.
    Final(Error),
    /// It never reached the server.
    Before(Error),
    /// It may have.
    During(Error),
    /// It has, and nothing came in time.
    Silent(Error),
    /// It has, and the answer began and did not end in time.
    Unended(Error),
}

/// What a request has cost so far.
#[derive(Default)]
struct Attempts {
    failures: u32,
    /// A new token was got for it.
    renewed: bool,
    /// It was answered by silence once.
    silent: bool,
    /// The pauses that the server asked for, together.
    waited: Duration,
    /// The last one did not get as far as the server.
    unreached: bool,
}

/// A store that is silent for so many timeouts of a read is asked nothing more in this run. One may
/// be a connection that hangs, or a page that is too large for a slow shop; what comes next is a
/// new connection, or a smaller page.
const SILENT: u32 = 2;

/// From here on whoever watches is told that no answer comes.
const LONG: Duration = Duration::from_secs(5);

/// How many answers of a store may begin and not end before nothing more is asked of it. A line
/// that is too slow for a large page gets smaller ones meanwhile; a server that tells a wrong
/// length, or sends a byte now and then, does so at every size.
const UNENDED: u32 = 5;

/// From the first such answer on the next ones get this part of the time, and behind one that did
/// not come at all the next.
const HASTE: u32 = 3;

impl Client {
    /// A client; fails where the certificate authority cannot be read.
    pub(crate) fn new(options: Options) -> Result<Self> {
        Ok(Self {
            far: OnceLock::new(),
            near: OnceLock::new(),
            tls: super::tls::config(options.ca_pem.as_deref())?,
            options,
            requests: AtomicU64::new(0),
            received: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            apart: AtomicI64::new(i64::MIN),
            waiting: Mutex::new(None),
            hidden: OnceLock::new(),
            unended: AtomicU32::new(0),
            waited_out: AtomicBool::new(false),
            silence: Mutex::default(),
            in_vain: Mutex::default(),
        })
    }

    /// The secrets that no answer may hold as it is handed on: a server or a firewall that repeats
    /// them is neither printed nor kept with them. They are asked for anew each time, as
    /// tokens are renewed.
    pub(crate) fn hide(&self, secrets: impl Fn() -> Vec<Secret> + Send + Sync + 'static) {
        let _ = self.hidden.set(Box::new(secrets));
    }

    fn without_secrets(&self, mut reply: Reply) -> Reply {
        let Some(hidden) = self.hidden.get() else { return reply };
        let secrets = Forms::of(&hidden());
        if let Some(clean) = secrets.marked(&reply.body) {
            reply.body = clean;
        }
        for value in reply.headers.values_mut() {
            let clean = secrets.marked(value.as_bytes());
            if let Some(clean) = clean.and_then(|clean| HeaderValue::from_bytes(&clean).ok()) {
                *value = clean;
            }
        }
        reply
    }

    /// The connections to use for this address. Most stores need only one kind of them.
    fn connections(&self, url: &url::Url) -> Result<&rq::Client> {
        let near = is_loopback(url);
        let kept = if near { &self.near } else { &self.far };
        if let Some(client) = kept.get() {
            return Ok(client);
        }
        let RetryPolicy { timeout, write_timeout, .. } = self.options.retry;
        let builder = rq::Client::builder()
            .user_agent(concat!("ordersync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(15)))
            .timeout(timeout.max(write_timeout))
            .tcp_nodelay(true)
            .tls_backend_preconfigured(self.tls.clone());
        let builder = if near { builder.no_proxy() } else { builder };
        let client =
            builder.build().map_err(|e| Error::new(ErrorKind::Failed, format!("no HTTP client: {}", causes(&e))))?;
        Ok(kept.get_or_init(|| client))
    }

    /// Who tells the time.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    /// How many requests have gone out.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many bytes have come in, decompressed.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How long its answers were waited for, all together.
    pub(crate) fn answers(&self) -> Duration {
        Duration::from_micros(self.answers.load(Ordering::Relaxed))
    }

    /// What was taken of the budgets of the store.
    pub(crate) fn used(&self) -> Vec<LaneUse> {
        self.options.limit.used()
    }

    /// How far the server's clock is ahead of ours, by its last answer.
    pub(crate) fn clock_difference(&self) -> Option<chrono::TimeDelta> {
        let ms = self.apart.load(Ordering::Relaxed);
        (ms != i64::MIN).then(|| chrono::TimeDelta::milliseconds(ms))
    }

    /// The time by the server's clock; by ours as long as no answer has told it.
    pub(crate) fn their_now(&self) -> Timestamp {
        self.told_now().unwrap_or_else(|| self.options.clock.now())
    }

    /// The time by the server's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.options.clock.now().checked_add_signed(self.clock_difference()?)
    }

    /// What the store is being waited for, for whoever watches; `None` while nothing is.
    pub(crate) fn waiting(&self) -> Option<String> {
        let pause = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        pause.or_else(|| {
            let quiet = self.silence().waits(Instant::now());
            quiet.filter(|quiet| *quiet >= LONG).map(|quiet| format!("no answer for {} s", quiet.as_secs()))
        })
    }

    fn silence(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and hears what comes. Of a store that is silent for long nothing more is
    /// asked: each further question would take as long.
    fn exchange(&self, request: &Request) -> Result<Reply, Broken> {
        {
            let mut silence = self.silence();
            if silence.given_up {
                return Err(Broken::Final(given_up(request, "nothing more was asked of it")));
            }
            silence.ask(Instant::now());
        }
        let heard = self.ask(request);
        let mut silence = self.silence();
        let Err(Broken::Silent(_)) = &heard else {
            silence.heard(Instant::now());
            return heard;
        };
        let quiet = silence.in_vain(Instant::now());
        if quiet < self.options.retry.timeout * SILENT {
            return heard;
        }
        silence.given_up = true;
        let done = format!("it has said nothing for {} s, so nothing more is asked of it now", quiet.as_secs());
        Err(match request.effect {
            Effect::Read => Broken::Final(given_up(request, &done)),
            Effect::Write => Broken::During(given_up(request, &done)),
        })
    }

    /// Sleeps before a repeat, and says so meanwhile.
    fn wait(&self, pause: Duration, why: &Error) -> Result<()> {
        let say = |text: Option<String>| {
            *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = text;
        };
        // For a line that has little room: without addresses.
        let words: Vec<&str> = why.message().split(' ').filter(|word| !word.contains("://")).collect();
        let why: String = words.join(" ").chars().take(40).collect();
        say(Some(format!("again in {} s: {why}", pause.as_secs_f64().ceil())));
        let slept = self.options.clock.sleep(pause);
        say(None);
        slept
    }

    fn compare_clocks(&self, headers: &reqwest::header::HeaderMap) {
        let date = headers.get("date").and_then(|value| value.to_str().ok());
        if let Some(theirs) = date.and_then(|text| httpdate::parse_http_date(text).ok()) {
            let apart = chrono::DateTime::<chrono::Utc>::from(theirs) - self.options.clock.now();
            self.apart.store(apart.num_milliseconds(), Ordering::Relaxed);
        }
    }

    /// The address that is really asked: with an endpoint always one there, so that no request of a
    /// rehearsal reaches anything else, be it made here, named by an answer or redirected to (C-5).
    pub(crate) fn address_of(&self, url: &url::Url) -> url::Url {
        let Some(endpoint) = &self.options.endpoint else { return url.clone() };
        let mut there = endpoint.clone();
        there.set_path(url.path());
        there.set_query(url.query());
        there
    }

    /// Sends `request` until there is a good reply, the protocol refuses, or patience ends. A write
    /// that has come to the channel is not sent again, whatever the answer: a shop may do the work,
    /// and something before or behind it answer for it (D-3).
    ///
    /// # Errors
    /// The protocol's own error for a refusal; `Temporary` where the channel cannot be reached or
    /// keeps failing; `Unknown` where a write went out and no usable answer came back. With an
    /// [`Answer`] where a write was turned down; a pause that it asked for is over by then, where it
    /// is one to wait for.
    pub(crate) fn send(&self, protocol: &dyn Protocol, request: &Request) -> Result<Reply> {
        let there =
            self.options.endpoint.is_some().then(|| Request { url: self.address_of(&request.url), ..request.clone() });
        let request = there.as_ref().unwrap_or(request);
        self.refuse_plain_http(request)?;
        let is_write = request.effect == Effect::Write;
        let mut so_far = Attempts::default();
        loop {
            let (lane, cost) = (protocol.lane(request), protocol.cost(request));
            let longest = protocol
                .patience()
                .map_or(self.options.retry.longest_pause, |own| own.min(self.options.retry.longest_pause));
            let permit = self.wait_turn(request, lane, cost, longest)?;
            let mut attempt = request.clone();
            protocol.authorize(&mut attempt)?;
            let verdict = match self.exchange(&attempt) {
                Ok(reply) => {
                    so_far.unreached = false;
                    if let Some(Account { budget, spent }) = protocol.account(&reply) {
                        let refund = spent.map_or(0.0, |spent| cost - spent);
                        self.options.limit.account(budget, permit, refund, self.options.clock.now());
                    }
                    let granted = protocol.grants().then(|| reply.clone());
                    let reply = self.without_secrets(reply);
                    match protocol.classify(request, &reply) {
                        Verdict::Good => {
                            self.waited_out.store(false, Ordering::Relaxed);
                            return Ok(granted.unwrap_or(reply));
                        }
                        verdict => verdict,
                    }
                }
                Err(broken) => self.without_reply(request, broken, &mut so_far)?,
            };
            match verdict {
                Verdict::Good => {}
                Verdict::Expired(error) if is_write && !self.was_in_vain(&attempt.headers) => {
                    let renewed = self.renewed_for_good(protocol, &attempt);
                    return Err(renewed.map_or_else(|e| e.answered(Answer::No), |()| error.answered(Answer::NotNow)));
                }
                Verdict::Expired(_) if !so_far.renewed && !self.was_in_vain(&attempt.headers) => {
                    protocol.renew(&attempt)?;
                    so_far.renewed = true;
                }
                Verdict::Expired(error) if so_far.renewed => {
                    self.is_in_vain(&attempt.headers);
                    return Err(error);
                }
                Verdict::Refused(error) | Verdict::Expired(error) if is_write => {
                    return Err(error.answered(Answer::No));
                }
                Verdict::Refused(error) | Verdict::Expired(error) => return Err(error),
                Verdict::Transient(error) if is_write => return Err(unknown(error)),
                Verdict::Throttled(asked, error) if is_write && !so_far.unreached => {
                    return Err(self.turned_away(lane, asked, longest, error, &mut so_far));
                }
                Verdict::Transient(error) => self.after_failure(request, error, &mut so_far)?,
                Verdict::Throttled(None, error) => self.after_silent_throttle(error, &mut so_far)?,
                Verdict::Throttled(Some(asked), error) => self.after_pause(lane, asked, longest, error, &mut so_far)?,
            }
        }
    }

    /// Whether a request was refused with these secrets a while ago, and they were new: others would
    /// be refused as well, as where a scope is missing. What ends them later is another matter.
    fn was_in_vain(&self, headers: &HeaderMap) -> bool {
        let known = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_some_and(|(secrets, at)| at.elapsed() < IN_VAIN && *secrets == secrets_of(headers))
    }

    /// Renews the secrets with which a write was refused, and knows the new ones where they are
    /// refused as well when it comes again.
    fn renewed_for_good(&self, protocol: &dyn Protocol, attempt: &Request) -> Result<()> {
        protocol.renew(attempt)?;
        let mut renewed = attempt.clone();
        protocol.authorize(&mut renewed)?;
        self.is_in_vain(&renewed.headers);
        Ok(())
    }

    fn is_in_vain(&self, headers: &HeaderMap) {
        let secrets = secrets_of(headers);
        *self.in_vain.lock().unwrap_or_else(PoisonError::into_inner) = Some((secrets, Instant::now()));
    }

    /// What a throttled write ends with, once the pause is over or where it is not worth waiting for.
    fn turned_away(
        &self,
        lane: Lane,
        asked: Option<Duration>,
        longest: Duration,
        error: Error,
        so_far: &mut Attempts,
    ) -> Error {
        let waited = match asked {
            Some(asked) => self.after_pause(lane, asked, longest, error.clone(), so_far),
            None => self.after_silent_throttle(error.clone(), so_far),
        };
        match waited {
            Ok(()) => error.answered(Answer::NotNow),
            Err(ended) => ended.answered(Answer::No),
        }
    }

    /// What an attempt without a reply means, where it is worth another one.
    fn without_reply(&self, request: &Request, broken: Broken, so_far: &mut Attempts) -> Result<Verdict> {
        so_far.unreached = matches!(broken, Broken::Before(_));
        let is_read = request.effect == Effect::Read;
        match broken {
            Broken::Final(error) => Err(error),
            Broken::Before(error) => Ok(Verdict::Throttled(None, error)),
            // A smaller page is of more use than the same again.
            Broken::Silent(error) if is_read && (request.repeats.is_some() || so_far.silent) => Err(error),
            Broken::Silent(error) => {
                so_far.silent = true;
                Ok(Verdict::Transient(error))
            }
            // Repeated once in a run: each costs as much as a server can be waited for.
            Broken::Unended(error) if is_read && self.unended.load(Ordering::Relaxed) > 1 => Err(error),
            Broken::During(error) | Broken::Unended(error) => Ok(Verdict::Transient(error)),
        }
    }

    /// Waits before a read that failed is repeated, if it is.
    fn after_failure(&self, request: &Request, error: Error, so_far: &mut Attempts) -> Result<()> {
        let repeats = request.repeats.unwrap_or(u32::MAX).min(self.options.retry.repeats);
        if so_far.failures >= repeats {
            return Err(error);
        }
        so_far.failures += 1;
        self.wait(self.options.retry.pause(so_far.failures - 1), &error)
    }

    /// Waits for a server that has no room, and that does not say for how long.
    fn after_silent_throttle(&self, error: Error, so_far: &mut Attempts) -> Result<()> {
        if so_far.failures >= self.options.retry.repeats || self.waited_out.load(Ordering::Relaxed) {
            self.waited_out.store(true, Ordering::Relaxed);
            return Err(error);
        }
        so_far.failures += 1;
        let retry = if so_far.unreached { self.options.retry } else { self.options.retry.under_load() };
        self.wait(retry.pause(so_far.failures - 1), &error)
    }

    /// Keeps to a pause that was asked for, where it can be waited for; else tells when it is over.
    fn after_pause(
        &self,
        lane: Lane,
        asked: Duration,
        longest_pause: Duration,
        error: Error,
        so_far: &mut Attempts,
    ) -> Result<()> {
        let (pause, error) = bounded(asked, error);
        let repeats = self.options.retry.repeats;
        let now = self.options.clock.now();
        self.options.limit.close(lane, now + pause, error.message(), now);
        so_far.waited = so_far.waited.saturating_add(pause);
        if pause > longest_pause
            || self.waited_out.load(Ordering::Relaxed)
            || so_far.waited > longest_pause.saturating_mul(PAUSES_IN_ALL)
            || so_far.failures >= repeats.saturating_mul(8)
        {
            self.waited_out.store(true, Ordering::Relaxed);
            return Err(error.after(pause));
        }
        so_far.failures += 1;
        self.wait(pause, &error)
    }

    /// Waits at the limit, unless it stays closed for longer than we are willing to wait.
    fn wait_turn(&self, request: &Request, lane: Lane, cost: f64, longest: Duration) -> Result<Permit> {
        let now = self.options.clock.now();
        if let Some(until) = self.options.limit.closed_until(now) {
            let left = (until - now).to_std().unwrap_or_default();
            if left > longest || self.waited_out.load(Ordering::Relaxed) {
                return Err(Error::new(
                    ErrorKind::Temporary,
                    format!(
                        "{} asked to be left alone until {}; nothing was sent",
                        host(request),
                        crate::clock::rfc3339(until)
                    ),
                )
                .hint(PAST_A_PAUSE)
                .after(left));
            }
        }
        let purpose = if is_act(request) { Purpose::Act } else { self.options.purpose };
        self.options.limit.pass(self.options.clock.as_ref(), lane, cost, purpose, longest)
    }

    fn ask(&self, request: &Request) -> Result<Reply, Broken> {
        let place = url_for_people(&request.url);
        let http = self.connections(&request.url).map_err(Broken::Final)?;
        let mut builder = http.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        builder = builder.timeout(match request.effect {
            Effect::Read => self.read_timeout(),
            Effect::Write => self.options.retry.write_timeout,
        });
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let response = builder.send().map_err(|error| broken(&origin(&request.url), &error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.compare_clocks(&headers);
        let mut body = Vec::with_capacity(response.content_length().unwrap_or(0).min(MAX_REPLY) as usize);
        let cut_off = |why: String| {
            let text = format!("the answer of {place} broke off ({why}); it was not used");
            Broken::During(Error::new(ErrorKind::Temporary, text).too_much())
        };
        response.take(MAX_REPLY + 1).read_to_end(&mut body).map_err(|error| {
            if is_timeout(&error) { self.unended(&place, began.elapsed()) } else { cut_off(causes(&error)) }
        })?;
        if body.len() as u64 > MAX_REPLY {
            return Err(cut_off(format!("it is larger than {} MB", MAX_REPLY / 1024 / 1024)));
        }
        self.received.fetch_add(body.len() as u64, Ordering::Relaxed);
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.answers.fetch_add(took, Ordering::Relaxed);
        Ok(Reply { place, status, headers, body })
    }

    fn read_timeout(&self) -> Duration {
        let timeout = self.options.retry.timeout;
        let in_haste = self.unended.load(Ordering::Relaxed) > 0 || self.silence().in_vain;
        if in_haste { timeout / HASTE } else { timeout }
    }

    /// An answer that began and did not end. Asking for less may help, until it was seen not to.
    fn unended(&self, place: &str, waited: Duration) -> Broken {
        let count = self.unended.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let seconds = waited.as_secs_f64().ceil();
        let text = format!("the answer of {place} began and did not end in {seconds} s; it was not used");
        let hint = concat!(
            "the server, or a cache or proxy before it, tells a wrong length or sends too slowly; ",
            super::again!()
        );
        if count < UNENDED {
            return Broken::Unended(Error::new(ErrorKind::Temporary, text).hint(hint).too_much());
        }
        let text = format!("{text}, and {} answers before it did the same, so nothing more is asked now", count - 1);
        Broken::Unended(Error::new(ErrorKind::Temporary, text).hint(hint))
    }

    /// Plain HTTP only to this machine, or where the merchant insists.
    fn refuse_plain_http(&self, request: &Request) -> Result<()> {
        if request.url.scheme() == "https" || self.options.allow_http || is_loopback(&request.url) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Refused, format!("{} is not encrypted (http://); nothing was sent", host(request)))
            .hint("use the https:// address, or add --allow-http at connect if the line is safe by other means"))
    }
}

thread_local! {
    static IS_ACTING: Cell<bool> = const { Cell::new(false) };
}

/// Has `work` done as an act, whatever the client's other requests are for: what a sync sends out goes
/// before what it reads beside it.
pub(crate) fn acting<T>(work: impl FnOnce() -> T) -> T {
    let before = IS_ACTING.replace(true);
    let done = work();
    IS_ACTING.set(before);
    done
}

/// Whether a request is one that cannot wait.
fn is_act(request: &Request) -> bool {
    request.effect == Effect::Write || IS_ACTING.get()
}

/// How long new secrets that were refused are not replaced.
const IN_VAIN: Duration = Duration::from_secs(600);

/// What proves who asks, as far as it stands in headers.
fn secrets_of(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.values().filter(|value| value.is_sensitive()).cloned().collect()
}

/// How many of the longest pauses a request is worth: a server that asks for one after the other
/// must not hold up a run for good.
const PAUSES_IN_ALL: u32 = 4;

/// What to do about a pause that need not be waited for.
pub(super) const PAST_A_PAUSE: &str = "the next sync after it tries again by itself; ordersync connect --test STORE asks at once, and ends the pause where it is over";

/// The pause to keep, and the error that says so where it is not the one asked for.
fn bounded(asked: Duration, error: Error) -> (Duration, Error) {
    let (pause, absurd) = told::pause(asked);
    if !absurd {
        return (pause, error);
    }
    let text = format!(
        "{}; it asks for a pause of {} days, which no channel means: it is asked again after an hour",
        error.message(),
        asked.as_secs() / 86_400
    );
    (pause, Error::new(error.kind(), text).hint(PAST_A_PAUSE))
}

/// Whether the URL's host is this machine.
pub(crate) fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        None => false,
    }
}

fn host(request: &Request) -> String {
    request.url.host_str().unwrap_or("the channel").to_owned()
}

fn unknown(error: Error) -> Error {
    Error::new(ErrorKind::Unknown, format!("{}; whether the write was applied is not known", error.message()))
}

fn broken(place: &str, error: &reqwest::Error) -> Broken {
    let why = causes(error);
    if error.is_connect() {
        if let Some(untrusted) = super::tls::untrusted(place, error) {
            return Broken::Final(untrusted);
        }
        let text = Error::new(ErrorKind::Temporary, format!("{place} cannot be reached: {why}"));
        return Broken::Before(text.hint(concat!("check the network and the address; ", super::again!())));
    }
    let what = if error.is_timeout() { "no answer in time".to_owned() } else { format!("the connection broke: {why}") };
    let text = Error::new(ErrorKind::Temporary, format!("{place}: {what}"));
    if error.is_timeout() { Broken::Silent(text.too_much().hint(SLOW)) } else { Broken::During(text) }
}

const SLOW: &str = concat!("the server is there and does not answer, as where it is overloaded; ", super::again!());

fn given_up(request: &Request, what: &str) -> Error {
    Error::new(ErrorKind::Temporary, format!("{}: no answer in time; {what}", origin(&request.url))).hint(SLOW)
}

/// Whether a body was given up because the time was over.
fn is_timeout(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
    error.kind() == std::io::ErrorKind::TimedOut || inner.is_some_and(reqwest::Error::is_timeout)
}

/// Scheme, host and port: what can be out of reach.
fn origin(url: &url::Url) -> String {
    url.origin().ascii_serialization()
}

/// The innermost cause says what happened; the outer ones repeat the URL.
fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
#[cfg(feature = "simulator")]
mod tests {
    use super::*;
    use crate::channel::ChannelKind;
    use crate::clock::{ManualClock, SystemClock, from_millis};
    use crate::sim::{Fault, FaultKind, Server, ServerOptions, rehearsal};

    struct Plain;

    impl Protocol for Plain {
        fn authorize(&self, _: &mut Request) -> Result<()> {
            Ok(())
        }

        fn classify(&self, _: &Request, reply: &Reply) -> Verdict {
            match reply.status {
                429 => {
                    let pause = reply.retry_after(from_millis(1_795_000_000_000));
                    Verdict::Throttled(pause, Error::new(ErrorKind::Temporary, "too many requests"))
                }
                _ => Verdict::Good,
            }
        }
    }

    /// What the first of several requests to a server that always asks for this pause ends with,
    /// and how long all of them waited.
    fn asked_for(pause: Option<&str>) -> (Error, Duration) {
        let real = Arc::new(SystemClock::new(Arc::default()));
        let server = Server::start(rehearsal(ChannelKind::WooCommerce, real, Duration::ZERO), ServerOptions::default());
        let server = server.unwrap();
        server.faults().add(Fault::new(FaultKind::RateLimited(pause.map(str::to_owned))).always());
        let clock = Arc::new(ManualClock::at(from_millis(1_795_000_000_000)));
        let options = Options {
            clock: clock.clone(),
            retry: RetryPolicy::default(),
            limit: RateLimit::open(),
            purpose: Purpose::Act,
            endpoint: None,
            ca_pem: None,
            allow_http: false,
        };
        let url = url::Url::parse(server.url()).unwrap();
        let client = Client::new(options).unwrap();
        let ask = || client.send(&Plain, &Request::get(url.clone())).unwrap_err();
        let first = ask();
        (0..4).for_each(|_| drop(ask()));
        (first, clock.slept().iter().sum())
    }

    /// An adapter that is told by the client where its request goes before it signs it.
    struct Signs(Mutex<Vec<String>>);

    impl Protocol for Signs {
        fn authorize(&self, request: &mut Request) -> Result<()> {
            self.0.lock().unwrap().push(request.url.origin().ascii_serialization());
            Ok(())
        }

        fn classify(&self, _: &Request, _: &Reply) -> Verdict {
            Verdict::Good
        }
    }

    /// An adapter whose token is refused, however new it is.
    struct Renews(AtomicU32);

    impl Protocol for Renews {
        fn authorize(&self, request: &mut Request) -> Result<()> {
            let mut token = HeaderValue::from(self.0.load(Ordering::Relaxed));
            token.set_sensitive(true);
            request.headers.insert("authorization", token);
            Ok(())
        }

        fn classify(&self, _: &Request, _: &Reply) -> Verdict {
            Verdict::Expired(Error::new(ErrorKind::Credentials, "refused"))
        }

        fn renew(&self, _: &Request) -> Result<()> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    #[test]
    fn f3_a_token_that_is_refused_at_once_is_not_replaced_by_each_request() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
        let shop = rehearsal(ChannelKind::WooCommerce, clock.clone(), Duration::ZERO);
        let server = Server::start(shop, ServerOptions::default()).unwrap();
        let retry = RetryPolicy { repeats: 0, ..RetryPolicy::default() };
        let options = Options {
            clock,
            retry,
            limit: RateLimit::open(),
            purpose: Purpose::Act,
            endpoint: None,
            ca_pem: None,
            allow_http: false,
        };
        let client = Client::new(options).unwrap();
        let tokens = Renews(AtomicU32::new(0));
        let read = Request::get(url::Url::parse(server.url()).unwrap());
        let ask = |request: &Request| {
            let before = client.requests();
            assert_eq!(client.send(&tokens, request).unwrap_err().kind(), ErrorKind::Credentials);
            (client.requests() - before, tokens.0.load(Ordering::Relaxed))
        };
        let write = Request { effect: Effect::Write, ..read.clone() };
        assert_eq!(ask(&write), (1, 1), "a write gets its token, and is not sent again");
        assert_eq!([ask(&read), ask(&write), ask(&read)], [(1, 1); 3]);
        // Another process, or its time, has brought another one.
        tokens.0.store(7, Ordering::Relaxed);
        assert_eq!([ask(&read), ask(&read)], [(2, 8), (1, 8)]);
    }

    /// Whatever a store answers to a write, it gets it once; a pause that it asks for is over by then.
    #[test]
    fn d3_a_write_that_has_come_to_the_store_is_never_sent_again() {
        let clock = Arc::new(ManualClock::at(from_millis(1_795_000_000_000)));
        let real: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
        let shop = rehearsal(ChannelKind::WooCommerce, real, Duration::ZERO);
        let server = Server::start(shop, ServerOptions::default()).unwrap();
        let options = Options {
            clock: clock.clone(),
            retry: RetryPolicy::default(),
            limit: RateLimit::open(),
            purpose: Purpose::Act,
            endpoint: None,
            ca_pem: None,
            allow_http: false,
        };
        let client = Client::new(options).unwrap();
        let write = Request { effect: Effect::Write, ..Request::get(url::Url::parse(server.url()).unwrap()) };
        for (pause, waited, answer) in
            [(Some("7"), 7..8, Answer::NotNow), (None, 5..7, Answer::NotNow), (Some("3600"), 0..1, Answer::No)]
        {
            let (asked, slept) = (client.requests(), clock.slept().iter().sum::<Duration>());
            server.faults().add(Fault::new(FaultKind::RateLimited(pause.map(str::to_owned))));
            let error = client.send(&Plain, &write).unwrap_err();
            assert_eq!((error.answer(), client.requests() - asked), (Some(answer), 1), "{pause:?}");
            let slept = clock.slept().iter().sum::<Duration>() - slept;
            assert!(waited.contains(&slept.as_secs()), "{pause:?}: {slept:?}");
        }
        let error = client.send(&Plain, &write).unwrap_err();
        assert_eq!((error.answer(), client.requests()), (None, 3), "the pause holds: it does not go out");
    }

    #[test]
    fn c5_with_an_endpoint_whatever_is_asked_for_is_asked_there() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
        let shop = rehearsal(ChannelKind::WooCommerce, clock.clone(), Duration::ZERO);
        let server = Server::start(shop, ServerOptions::default()).unwrap();
        let endpoint = url::Url::parse(server.url()).unwrap();
        let options = Options {
            clock,
            retry: RetryPolicy { repeats: 0, ..RetryPolicy::default() },
            limit: RateLimit::open(),
            purpose: Purpose::Act,
            endpoint: Some(endpoint.clone()),
            ca_pem: None,
            allow_http: false,
        };
        let client = Client::new(options).unwrap();
        let protocol = Signs(Mutex::default());
        // The channel's API, its token endpoint, a file that an answer names, a page that a list
        // goes on at.
        let asked = [
            "https://api.vendor.example/v1?x=y",
            "http://auth.vendor.example:8443/token",
            "https://a:b@files.example/f#g",
        ];
        for url in asked {
            client.send(&protocol, &Request::get(url::Url::parse(url).unwrap())).unwrap();
        }
        assert_eq!(*protocol.0.lock().unwrap(), [(); 3].map(|()| endpoint.origin().ascii_serialization()));
        assert_eq!(client.requests(), 3);
    }

    proptest::proptest! {
        #[test]
        fn c5_with_an_endpoint_nothing_of_an_address_is_kept_but_path_and_query(
            host in "[a-z]{1,8}(\\.[a-z]{2,5}){1,2}", port in 1u16.., path in "(/[a-zA-Z0-9%._-]{0,8}){0,4}", query in "[a-z0-9=&%]{0,20}",
        ) {
            let endpoint = url::Url::parse("http://127.0.0.1:8089").unwrap();
            let options = Options {
                clock: Arc::new(ManualClock::at(from_millis(0))),
                retry: RetryPolicy::default(),
                limit: RateLimit::open(), purpose: Purpose::Act,
                endpoint: Some(endpoint.clone()),
                ca_pem: None,
                allow_http: false,
            };
            let client = Client::new(options).unwrap();
            let url = url::Url::parse(&format!("https://ann:pa55@{host}:{port}{path}?{query}#part")).unwrap();
            let there = client.address_of(&url);
            proptest::prop_assert_eq!(there.origin(), endpoint.origin());
            proptest::prop_assert_eq!((there.path(), there.query()), (url.path(), url.query()));
            proptest::prop_assert!(there.username().is_empty() && there.password().is_none() && there.fragment().is_none());
            proptest::prop_assert_eq!(client.address_of(&there), there);
        }
    }

    #[test]
    fn d3_a_write_is_waited_for_longer_than_a_look() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
        let shop = rehearsal(ChannelKind::WooCommerce, clock.clone(), Duration::ZERO);
        let server = Server::start(shop, ServerOptions::default()).unwrap();
        server.faults().add(Fault::new(FaultKind::Slow(Duration::from_millis(600))).always());
        let (timeout, write_timeout) = (Duration::from_millis(50), Duration::from_secs(60));
        let retry = RetryPolicy { repeats: 0, timeout, write_timeout, ..RetryPolicy::default() };
        let options = Options {
            clock,
            retry,
            limit: RateLimit::open(),
            purpose: Purpose::Act,
            endpoint: None,
            ca_pem: None,
            allow_http: false,
        };
        let client = Client::new(options).unwrap();
        let url = url::Url::parse(server.url()).unwrap();
        let error = client.send(&Plain, &Request::get(url.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Temporary);
        assert!(error.message().contains("no answer in time") && error.hint_text().is_some(), "{error}");
        let write = Request { effect: Effect::Write, ..Request::get(url) };
        assert!(client.send(&Plain, &write).is_ok());
    }

    /// Whether nothing more comes or a byte now and then: each answer costs its time, and few are
    /// asked for.
    #[test]
    fn f1_answers_that_begin_and_do_not_end_end_the_run() {
        for pause in [Duration::from_secs(3600), Duration::from_millis(20)] {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
            let shop = rehearsal(ChannelKind::WooCommerce, clock.clone(), Duration::ZERO);
            let server = Server::start(shop, ServerOptions::default()).unwrap();
            server.faults().add(Fault::new(FaultKind::Drips(pause)).always());
            let first_pause = Duration::from_millis(1);
            let retry = RetryPolicy { timeout: Duration::from_millis(600), first_pause, ..RetryPolicy::default() };
            let options = Options {
                clock,
                retry,
                limit: RateLimit::open(),
                purpose: Purpose::Act,
                endpoint: None,
                ca_pem: None,
                allow_http: false,
            };
            let client = Client::new(options).unwrap();
            let request = Request::get(url::Url::parse(server.url()).unwrap());
            let mut errors = Vec::new();
            while errors.last().is_none_or(Error::is_too_much) && errors.len() < 10 {
                errors.push(client.send(&Plain, &request).unwrap_err());
            }
            assert_eq!((errors.len(), client.requests()), (4, 5), "{pause:?}");
            for error in &errors {
                assert_eq!(error.kind(), ErrorKind::Temporary);
                assert!(error.message().contains("began and did not end in 1 s"), "{error}");
            }
            assert!(errors[3].message().contains("4 answers before it did the same"), "{}", errors[3]);
            let write = Request { effect: Effect::Write, ..request.clone() };
            let retry = RetryPolicy { write_timeout: Duration::from_millis(200), ..retry };
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
            let options = Options {
                clock,
                retry,
                limit: RateLimit::open(),
                purpose: Purpose::Act,
                endpoint: None,
                ca_pem: None,
                allow_http: false,
            };
            let client = Client::new(options).unwrap();
            assert_eq!(client.send(&Plain, &write).unwrap_err().kind(), ErrorKind::Unknown);
            assert_eq!(client.requests(), 1, "no write is repeated");
        }
    }

    /// Whatever is asked, and again: a silent store costs twice the time of a read, and no store
    /// that speaks again is given up.
    #[test]
    fn f1_a_store_that_never_answers_is_soon_asked_nothing_more() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
        let shop = rehearsal(ChannelKind::WooCommerce, clock.clone(), Duration::ZERO);
        let server = Server::start(shop, ServerOptions::default()).unwrap();
        let retry = RetryPolicy {
            timeout: Duration::from_millis(300),
            first_pause: Duration::from_millis(1),
            ..RetryPolicy::default()
        };
        let options = Options {
            clock,
            retry,
            limit: RateLimit::open(),
            purpose: Purpose::Act,
            endpoint: None,
            ca_pem: None,
            allow_http: false,
        };
        let client = Client::new(options).unwrap();
        let request = Request::get(url::Url::parse(server.url()).unwrap());
        let silent = Fault::new(FaultKind::Slow(Duration::from_secs(3600)));
        server.faults().add(silent.clone().times(1));
        client.send(&Plain, &request).unwrap();
        assert_eq!(client.requests(), 2, "one that hangs is repeated");
        server.faults().add(silent.clone().times(1));
        let page = request.clone().repeated(2);
        assert!(client.send(&Plain, &page).unwrap_err().is_too_much(), "a page is not, but asked for in less");
        client.send(&Plain, &page).unwrap();
        let before = client.requests();
        server.faults().add(silent.always());
        let told = loop {
            let error = client.send(&Plain, &request).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Temporary);
            if !error.is_too_much() {
                break error;
            }
        };
        assert!(told.message().contains("no answer in time; it has said nothing for"), "{told}");
        let asked = client.requests() - before;
        assert!(asked <= 6, "{asked} questions");
        let error = client.send(&Plain, &request).unwrap_err();
        assert!(error.message().contains("nothing more was asked") && error.hint_text().is_some(), "{error}");
        assert_eq!(client.requests() - before, asked);
    }

    #[test]
    fn f1_pauses_that_never_end_end_the_run() {
        let (error, waited) = asked_for(Some("200"));
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Temporary, Some(Duration::from_secs(200))));
        assert!(waited <= Duration::from_secs(1200), "{waited:?}");
        let (error, waited) = asked_for(None);
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Temporary, None));
        assert!((75..95).contains(&waited.as_secs()), "{waited:?}");
        for absurd in ["315360000", "9999999999999999", "99999999999999999999999999"] {
            let (error, waited) = asked_for(Some(absurd));
            assert_eq!((error.retry_after(), waited), (Some(told::INSTEAD), Duration::ZERO), "{absurd}");
            assert!(error.message().contains("no channel means") && error.hint_text().is_some(), "{error}");
        }
    }
}
