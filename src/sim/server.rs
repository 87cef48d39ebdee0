//! A small HTTP server on the loopback address for one simulated store.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

use super::CONTROL;
use super::faults::{self, FaultKind, Faults, Strike};
use super::http::{RAW_QUERY, Request, Response, Store, parse_query};
use super::record::{Exchange, Recorder, Recording};
use crate::error::{Error, ErrorKind, Result};

/// How a simulated store is served.
pub struct ServerOptions {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// What is remembered of the requests.
    pub recording: Recording,
    /// Serve over TLS with this certificate.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { port: 0, recording: Recording::Last(10_000), tls: None }
    }
}

/// A simulated store being served; stops when dropped.
pub struct Server {
    url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    store: Arc<dyn Store>,
    faults: Faults,
    recorder: Recorder,
    secure: bool,
}

impl Server {
    /// Serves `store` on 127.0.0.1. Fails when the port is taken.
    pub fn start(store: Arc<dyn Store>, options: ServerOptions) -> Result<Self> {
        let listener = listen(options.port).map_err(|error| cannot_serve(options.port, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_serve(options.port, &error))?;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        store.served_at(&url);
        let recorder = Recorder::new(options.recording);
        let shared = Arc::new(Shared { store, faults: Faults::default(), recorder, secure: options.tls.is_some() });
        let (stop, stopped) = oneshot::channel();
        let thread = spawn(listener, shared.clone(), options.tls, stopped)
            .map_err(|error| cannot_serve(options.port, &error))?;
        Ok(Self { url, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far, oldest first, as far as they are recorded.
    pub fn requests(&self) -> Vec<Exchange> {
        self.shared.recorder.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.recorder.clear();
    }

    /// What can be made to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Stops serving; open connections are closed.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down();
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn cannot_serve(port: u16, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Failed, format!("cannot serve a simulated store on 127.0.0.1:{port}: {error}"))
        .hint("choose another port")
}

fn spawn(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<Arc<rustls::ServerConfig>>,
    stopped: oneshot::Receiver<Infallible>,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("simulated store".to_owned()).spawn(move || {
        runtime.block_on(async {
            if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                tokio::spawn(accept(listener, shared, tls));
                let _ = stopped.await;
            }
        });
        runtime.shutdown_background();
    })
}

async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>, tls: Option<Arc<rustls::ServerConfig>>) {
    let acceptor = tls.map(tokio_rustls::TlsAcceptor::from);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        match acceptor.clone() {
            None => tokio::spawn(converse(stream, shared)),
            Some(acceptor) => tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    converse(stream, shared).await;
                }
            }),
        };
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(shared.clone(), request));
    // A fault ends the connection with an error on purpose; there is nobody to tell.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Outcome = std::result::Result<hyper::Response<Answer>, std::io::Error>;

async fn answer(shared: Arc<Shared>, incoming: hyper::Request<Incoming>) -> Outcome {
    let request = read(incoming, shared.secure).await?;
    if request.path.starts_with(CONTROL) {
        return send(control(&shared, &request), None);
    }
    let strike = shared.faults.strike(&request);
    wait(strike.delay).await;
    if strike.kind == Some(FaultKind::CutBefore) {
        shared.recorder.add(&request, None, true);
        return Err(cut());
    }
    let response = respond(&shared, &request, &strike);
    wait(response.delay).await;
    match strike.kind {
        Some(FaultKind::AnswerLost) => Err(cut()),
        kind => send(response, kind),
    }
}

/// Waits, if there is something to wait for: even a sleep of nothing lasts until the timer's next
/// tick, a millisecond.
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// The answer after the faults that replace or damage it.
fn respond(shared: &Shared, request: &Request, strike: &Strike) -> Response {
    let Some(kind) = &strike.kind else {
        let response = shared.store.handle(request);
        shared.recorder.add(request, Some(&response), false);
        return response;
    };
    if let FaultKind::DoneThen(answer) = kind {
        let strike = Strike { kind: Some((**answer).clone()), ..Strike::default() };
        drop(shared.store.handle(request));
        return respond(shared, request, &strike);
    }
    let own = shared.store.fault(kind, request);
    let replaced = own.or_else(|| faults::instead(kind, request)).or_else(|| again(kind, strike));
    let lags = *kind == FaultKind::Lagging && !super::record::writes(request);
    let replaced = replaced.or_else(|| lags.then(|| shared.faults.lagging(request, || shared.store.handle(request))));
    let mut response = replaced.unwrap_or_else(|| {
        let mut heard = request.clone();
        faults::muffle(kind, &mut heard);
        shared.store.handle(&heard)
    });
    shared.recorder.add(request, Some(&response), true);
    if kind.keeps_an_answer() && strike.cached.is_none() {
        shared.faults.keep_in_cache(&response);
    }
    faults::damage(kind, &mut response);
    response
}

/// The answer that was kept; a page cache makes a page of it.
fn again(kind: &FaultKind, strike: &Strike) -> Option<Response> {
    let kept = strike.cached.clone()?.with_header("X-Cache", "HIT");
    Some(match kind {
        FaultKind::StaleCache => kept.with_header("Content-Type", "text/html; charset=UTF-8"),
        _ => kept,
    })
}

/// Largest request body a simulated store reads.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

async fn read(incoming: hyper::Request<Incoming>, secure: bool) -> std::io::Result<Request> {
    let (parts, body) = incoming.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(std::io::Error::other)?.to_bytes();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let raw_query = parts.uri.query().unwrap_or_default();
    let known = std::iter::once((RAW_QUERY.to_owned(), raw_query.to_owned()));
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parse_query(raw_query),
        headers: headers.chain(known).collect(),
        body: body.to_vec(),
        secure,
    })
}

fn cut() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut on purpose")
}

fn send(response: Response, kind: Option<FaultKind>) -> Outcome {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let body = Bytes::from(response.body);
    let answer = match kind {
        Some(FaultKind::Truncated) => {
            builder = builder.header("Content-Length", body.len());
            Answer::half(body)
        }
        Some(FaultKind::Endless) => Answer::Endless,
        Some(FaultKind::Drips(each)) => Answer::Drips(Some(body), each, Box::pin(tokio::time::sleep(each))),
        _ => Answer::Whole(Some(body)),
    };
    builder.body(answer).map_err(std::io::Error::other)
}

/// The part of the control surface that belongs to the server: faults. The rest is the store's.
fn control(shared: &Shared, request: &Request) -> Response {
    let rest = request.path.get(CONTROL.len()..).unwrap_or_default().trim_start_matches('/');
    match (request.method.as_str(), rest) {
        ("POST", "fault") => match request.json().as_ref().and_then(faults::from_json) {
            Some(fault) => {
                shared.faults.add(fault);
                Response::json(200, &json!({"armed": shared.faults.pending()}))
            }
            None => Response::json(400, &json!({"error": "unknown fault: ordersync simulate --help lists the kinds"})),
        },
        ("DELETE", "fault") => {
            shared.faults.clear();
            Response::json(200, &json!({"armed": 0}))
        }
        _ => shared.store.handle(request),
    }
}

/// A body that can misbehave.
enum Answer {
    Whole(Option<Bytes>),
    /// The half that is sent, then the pause that lets it out of the buffer, then an error.
    Half(Option<Bytes>, Pin<Box<tokio::time::Sleep>>),
    Endless,
    /// The whole, and then a blank after each such time.
    Drips(Option<Bytes>, Duration, Pin<Box<tokio::time::Sleep>>),
}

impl Answer {
    fn half(body: Bytes) -> Self {
        let part = body.slice(..body.len() / 2);
        Self::Half(Some(part), Box::pin(tokio::time::sleep(Duration::from_millis(20))))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Half(part, pause) => match part.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => pause.as_mut().poll(cx).map(|()| Some(Err(cut()))),
            },
            Self::Endless => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 64 * 1024]))))),
            Self::Drips(whole, each, pause) => match whole.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => pause.as_mut().poll(cx).map(|()| {
                    pause.as_mut().reset(tokio::time::Instant::now() + *each);
                    Some(Ok(Frame::data(Bytes::from_static(b" "))))
                }),
            },
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(body) => hyper::body::SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64),
            _ => hyper::body::SizeHint::default(),
        }
    }
}
