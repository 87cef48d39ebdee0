//! `ordersync listen`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::output::{self, Format};
use super::{App, Outcome, interrupt};
use crate::book::{Book, Store};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::listen::presence::{self, Presence};
use crate::listen::subscriptions::{deliverable, mend, public, remove};
use crate::listen::{Line, Receiver, Tell, Tells, is_meant, ready, send_test, webhooks_of, why_not_meant};
use crate::sync::Context;
use crate::watch::{How, Watchers};

/// How often it is looked which stores are connected.
const LOOK: Duration = Duration::from_secs(2);

/// How often what was refused is counted in the book.
const COUNTED: Duration = Duration::from_secs(10);

/// Receive webhooks (Instasync): orders are in the book within seconds.
///
/// Runs until it is ended. Channels deliver over https to a public address: put a proxy or a tunnel
/// with a certificate before it. With --public-url the subscriptions at the channels are made; once
/// made, syncs look once a day whether they are still there. Stores that nothing is received for are
/// polled beside it, as `ordersync watch` does. The sync every half hour stays on. With --verbose each
/// delivery and each order that is read for it has a line.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Where to listen: an address of this machine, and a port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8788")]
    bind: SocketAddr,
    /// The address under which the internet reaches this one; subscribes the channels to it
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Take the subscriptions away again, and receive nothing
    #[arg(long, conflicts_with = "public_url")]
    off: bool,
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Do not poll the stores that nothing is received for (ordersync watch)
    #[arg(long)]
    no_watch: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Send a signed test to the public address, and say which link of the way fails
    ///
    /// It goes the way of a delivery: DNS, certificate, proxy, path, ordersync listen, key. It is
    /// about no order and changes nothing.
    SendTest {
        /// Only this store, or all stores of this channel; may be given several times
        #[arg(long, value_name = "STORE")]
        channel: Vec<String>,
    },
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    if let Some(Action::SendTest { channel }) = &args.action {
        return test(app, channel);
    }
    let mut book = app.existing_book()?;
    if args.off {
        let stores = wanted(app, &book, &args.channel)?;
        return switch_off(app, &mut book, &stores);
    }
    let stores = app.stores(&book, &args.channel)?;
    let all = stores.clone();
    let stores = if args.channel.is_empty() { those_meant(app, &book, stores)? } else { stores };
    let public_url = args.public_url.as_deref().map(public).transpose()?;
    let context = Arc::new(Context {
        home: app.context.home.clone(),
        clock: app.context.clock.clone(),
        retry: app.context.retry,
        lock_timeout: app.context.lock_timeout,
    });
    let (lines, all_open) = open_lines(&context, &stores)?;
    let listener = TcpListener::bind(args.bind).map_err(|e| {
        let text = format!("nothing can be received at {}: {e}", args.bind);
        Error::new(ErrorKind::Failed, text).hint("choose another --bind ADDRESS:PORT")
    })?;
    let note: Tell = Arc::new(|text: &str| output::note(text));
    let each: Tell = Arc::new(|text: &str| output::say(&format!("{}\n", output::clean(text))));
    let tells = Tells { note, each: app.global.verbose.then_some(each) };
    let receiver = Receiver::new(&context, &listener, &tells)?;
    let mut listening = Listening { app, context, receiver, public_url, addresses: Vec::new(), failed: Vec::new() };
    for line in &lines {
        listening.expect(&book, line)?;
    }
    for line in &lines {
        listening.receiver.add(line.clone())?;
    }
    listening.receiver.begin(listener)?;
    if !app.global.quiet {
        output::line(&format!("receiving at http://{} (Ctrl-C ends it)", listening.receiver.address()))?;
    }
    listening.is_there(&lines, false);
    ready::tell();
    interrupt::is_the_end();
    listening.failed = stores.iter().filter(|s| lines.iter().all(|l| l.store().id != s.id)).map(|s| s.id).collect();
    let mut wrong = Vec::new();
    for line in &lines {
        wrong.extend(listening.subscribe(&mut book, line)?);
    }
    listening.is_there(&lines, false);
    // Where no shop can deliver, nothing is waited for.
    if wrong.len() == lines.len() && wrong.iter().all(|kind| *kind == ErrorKind::Unsupported) {
        listening.is_there(&lines, true);
        return Ok(exit_code(ErrorKind::Unsupported));
    }
    // What nothing is received for is polled beside it.
    let mut watchers = super::watch::watchers(app, How::default());
    watchers.begin(&unheard(&book, all, &lines, args.no_watch))?;
    listening.go_on(&mut book, &args, lines, &mut watchers);
    watchers.end();
    Ok(if all_open && wrong.is_empty() { 0 } else { EXIT_PARTLY })
}

/// Of all stores those that are received for without being named. Where there is none, those that
/// have no webhooks at all say so.
fn those_meant(app: &App, book: &Book, stores: Vec<Store>) -> Result<Vec<Store>> {
    let (mut meant, mut others) = (Vec::new(), Vec::new());
    for store in stores {
        if is_meant(book, &store)? { &mut meant } else { &mut others }.push(store);
    }
    let left_out: Vec<Error> = others.iter().filter_map(why_not_meant).collect();
    if meant.is_empty() {
        return left_out.into_iter().next().map_or(Ok(others), Err);
    }
    if !app.global.quiet {
        for why in &left_out {
            output::note(&format!("{}; {}", why.message(), why.hint_text().unwrap_or_default()));
        }
    }
    Ok(meant)
}

/// The stores that are named; where none is, all that can be received for, if there are any.
fn wanted(app: &App, book: &Book, channel: &[String]) -> Result<Vec<Store>> {
    let mut stores = app.stores(book, channel)?;
    if channel.is_empty() && stores.iter().any(|store| webhooks_of(store).is_ok()) {
        stores.retain(|store| webhooks_of(store).is_ok());
    }
    Ok(stores)
}

/// A receiver and what it is to do.
struct Listening<'a> {
    app: &'a App,
    context: Arc<Context>,
    receiver: Receiver,
    public_url: Option<String>,
    /// The public addresses that stores are, or were, subscribed to while it runs.
    addresses: Vec<String>,
    /// The stores that nothing can be received for, as was told.
    failed: Vec<i64>,
}

impl Listening<'_> {
    /// What is sent to the addresses of the store is ours. What was sent to an older one may still be
    /// on its way.
    fn expect(&mut self, book: &Book, line: &Line) -> Result<()> {
        let known = book.hooked(line.store().id)?.map(|hooked| hooked.address);
        for address in self.public_url.iter().cloned().chain(known) {
            self.receiver.expect(&address);
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
        if let Some(webhooks) = &line.store().kind.adapter().webhooks {
            for (former, _) in book.former_addresses(line.store().id, webhooks.comes_within)? {
                self.receiver.expect(&former);
            }
        }
        Ok(())
    }

    /// Until it is ended: counts what was refused, and takes up stores that are connected meanwhile.
    fn go_on(&mut self, book: &mut Book, args: &Args, mut lines: Vec<Arc<Line>>, watchers: &mut Watchers) {
        let (mut counted, mut written) = (Duration::ZERO, Duration::ZERO);
        while self.context.clock.sleep(LOOK).is_ok() {
            // What cannot be looked at now is looked at the next time.
            if let Ok(connected) = book.stores() {
                lines = self.receiver.lines(&connected);
                let new = self.take_up(book, &args.channel, &lines).unwrap_or_default();
                if !new.is_empty() {
                    lines.extend(new);
                    written = presence::EACH;
                }
                let named = self.app.stores(book, &args.channel).unwrap_or_default();
                // What cannot be begun now is begun the next time.
                let _ = watchers.begin(&unheard(book, named, &lines, args.no_watch));
            }
            (counted, written) = (counted + LOOK, written + LOOK);
            if counted >= COUNTED {
                count(book, &lines);
                counted = Duration::ZERO;
            }
            if written >= presence::EACH {
                self.is_there(&lines, false);
                written = Duration::ZERO;
            }
        }
        self.receiver.close();
        count(book, &lines);
        self.is_there(&lines, true);
    }

    /// Receives for what is connected by now, and subscribes it to the address of the others.
    fn take_up(&mut self, book: &mut Book, channel: &[String], lines: &[Arc<Line>]) -> anyhow::Result<Vec<Arc<Line>>> {
        // A store that was named and is not connected any more leaves the others.
        let stores: Vec<Store> = match channel {
            [] => {
                let all = wanted(self.app, book, &[])?;
                all.into_iter().filter(|store| is_meant(book, store).unwrap_or(false)).collect()
            }
            named => named
                .iter()
                .filter_map(|one| wanted(self.app, book, std::slice::from_ref(one)).ok())
                .flatten()
                .collect(),
        };
        let mut new = Vec::new();
        for store in stores {
            if lines.iter().any(|line| line.store().id == store.id) || webhooks_of(&store).is_err() {
                continue;
            }
            match Line::new(&self.context, &store) {
                Ok(line) => {
                    let line = Arc::new(line);
                    self.expect(book, &line)?;
                    self.receiver.add(line.clone())?;
                    self.failed.retain(|id| *id != store.id);
                    output::note(&format!("{}: is received for now, too", store.name));
                    self.subscribe(book, &line)?;
                    new.push(line);
                }
                Err(error) if !self.failed.contains(&store.id) => {
                    self.failed.push(store.id);
                    output::print_error(&error, Format::Human);
                }
                Err(_) => {}
            }
        }
        Ok(new)
    }

    /// Writes down that it is there, or has `ended`.
    fn is_there(&self, lines: &[Arc<Line>], ended: bool) {
        let stores = lines.iter().map(|line| line.store().name.clone()).collect();
        let at = self.context.clock.now().timestamp_millis();
        let answered = |line: &Arc<Line>| Some((line.store().name.clone(), line.answered_at()?));
        let answered = lines.iter().filter_map(answered).collect();
        Presence { bind: self.receiver.address(), stores, at, answered, ended }.write(&self.context.home);
    }

    /// The address that the store is to be subscribed to: the one that was given or that it has, or
    /// the one that all others have.
    fn address(&self, book: &Book, store: &Store) -> Result<Option<String>> {
        let known = book.hooked(store.id)?.map(|hooked| hooked.address);
        let others = match self.addresses.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        Ok(self.public_url.clone().or(known).or(others))
    }

    /// Sees to it that the channel delivers here. Without that the others are received all the same;
    /// gives what stands against it, where something does.
    fn subscribe(&self, book: &mut Book, line: &Line) -> anyhow::Result<Option<ErrorKind>> {
        let store = line.store();
        let Some(address) = self.address(book, store)? else {
            output::note(&format!(
                "{}: nothing delivers yet; ordersync listen --public-url https://... subscribes it (its path here is {})",
                store.name,
                line.path()
            ));
            return Ok(None);
        };
        let context = &self.context;
        let done = deliverable(store, &address)
            .and_then(|()| context.open(store))
            .and_then(|open| mend(context, book, &open, &address));
        match done {
            Ok(mended) => {
                if !self.app.global.quiet {
                    let done = mended.told().unwrap_or_else(|| "subscribed, as it was".to_owned());
                    output::line(&format!("{}: {done}, delivered to {address}", store.name))?;
                }
                Ok(None)
            }
            // Whoever ends a receiver wants just that. It was received all the same.
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                output::note(&format!(
                    "{}: its subscriptions were not looked at to the end; the next ordersync listen or sync does it",
                    store.name
                ));
                Ok(None)
            }
            Err(error) => {
                let kind = error.kind();
                let text = format!("{}: its subscriptions are not as they should be", store.name);
                output::print_error(&error.context(text), Format::Human);
                Ok(Some(kind))
            }
        }
    }
}

/// The stores that nothing is received for, where those are to be polled: also those that deliver
/// nowhere yet, or not any more.
fn unheard(book: &Book, stores: Vec<Store>, lines: &[Arc<Line>], no_watch: bool) -> Vec<Store> {
    let has_line = |store: &Store| lines.iter().any(|line| line.store().id == store.id);
    let is_hooked = |store: &Store| book.hooked(store.id).is_ok_and(|hooked| hooked.is_some());
    stores.into_iter().filter(|store| !(no_watch || has_line(store) && is_hooked(store))).collect()
}

/// Tries the way of a delivery for the stores that are subscribed, or named.
fn test(app: &App, channel: &[String]) -> Outcome {
    let book = app.existing_book()?;
    let stores = wanted(app, &book, channel)?;
    let mut rows = Vec::new();
    for store in stores {
        // What tells of nothing by webhook is refused in its own words.
        webhooks_of(&store)?;
        let address = book.hooked(store.id)?.map(|hooked| hooked.address);
        rows.push((store, address));
    }
    if channel.is_empty() && rows.iter().any(|(_, address)| address.is_some()) {
        rows.retain(|(_, address)| address.is_some());
    }
    if has_own_authorities() {
        output::note(
            "certificates are trusted here by SSL_CERT_FILE or SSL_CERT_DIR; a channel knows the public authorities alone",
        );
    }
    let (mut codes, mut told) = (Vec::new(), Vec::new());
    for (store, address) in rows {
        app.context.clock.check_interrupt()?;
        let sent = send_test::send(&app.context, &store, address.as_deref())?;
        codes.push(sent.as_ref().map_or_else(|failed| exit_code(failed.error.kind()), |_| 0));
        let (took, failed) = (sent.as_ref().ok(), sent.as_ref().err());
        told.push(json!({
            "store": store.name, "address": address, "ok": failed.is_none(),
            "link": failed.map(|failed| failed.link.word()),
            "message": failed.map(|failed| failed.error.message()),
            "hint": failed.and_then(|failed| failed.error.hint_text()),
            "milliseconds": took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        }));
        if app.global.json {
            continue;
        }
        match &sent {
            Ok(took) if !app.global.quiet => output::line(&format!(
                "{}: a signed test came to ordersync listen by {} within {} ms",
                store.name,
                address.unwrap_or_default(),
                took.as_millis()
            ))?,
            Ok(_) => {}
            Err(failed) => output::print_error(&failed.error.clone().context(&store.name), Format::Human),
        }
    }
    if app.global.json {
        output::print_json(&told)?;
    }
    Ok(common_code(codes).unwrap_or(EXIT_PARTLY))
}

/// Whether whom to trust is said by the environment.
fn has_own_authorities() -> bool {
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The lines of the stores, without those that nothing can be received for; whether that is none.
fn open_lines(context: &Context, stores: &[Store]) -> Result<(Vec<Arc<Line>>, bool)> {
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    for store in stores {
        match Line::new(context, store) {
            Ok(line) => lines.push(Arc::new(line)),
            Err(error) => errors.push(error),
        }
    }
    let is_whole = errors.is_empty();
    for error in errors {
        if lines.is_empty() {
            return Err(error);
        }
        output::print_error(&error, Format::Human);
    }
    Ok((lines, is_whole))
}

fn switch_off(app: &App, book: &mut Book, stores: &[Store]) -> Outcome {
    let mut codes = Vec::new();
    for store in stores {
        match app.context.open(store).and_then(|open| remove(&app.context, book, &open)) {
            Ok(removed) => {
                let what = output::count(removed as u64, "subscription");
                output::line(&format!("{}: {what} taken away; its orders come with the sync", store.name))?;
                codes.push(0);
            }
            Err(error) => {
                codes.push(exit_code(error.kind()));
                // No sync goes on with it.
                let error = match error.kind() {
                    ErrorKind::Temporary => {
                        error.hint(format!("once it answers: ordersync listen --off --channel {}", store.name))
                    }
                    _ => error,
                };
                let text = format!("{}: subscriptions may still be there", store.name);
                output::print_error(&error.context(text), Format::Human);
            }
        }
    }
    Ok(common_code(codes).unwrap_or(EXIT_PARTLY))
}

/// What cannot be counted now is no reason to receive nothing.
fn count(book: &mut Book, lines: &[Arc<Line>]) {
    for line in lines {
        let refused = line.take_refused();
        if refused > 0 {
            let _ = book.count_refused(line.store().id, refused);
        }
    }
}
