//! `ordersync listen`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use super::output::{self, Format};
use super::{App, Outcome, interrupt};
use crate::book::{Book, Store};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::listen::subscriptions::{mend, public, remove};
use crate::listen::{Line, Tell, start, webhooks_of};
use crate::sync::Context;
use crate::watch::How;

/// How often what was refused is counted in the book.
const COUNTED: Duration = Duration::from_secs(10);

/// Receive webhooks (Instasync): orders are in the book within seconds.
///
/// Runs until it is ended. Channels deliver over https to a public address: put a proxy or a tunnel
/// with a certificate before it. With --public-url the subscriptions at the channels are made; once
/// made, syncs look once a day whether they are still there. Stores that nothing is received for are
/// polled beside it, as `ordersync watch` does. The sync every half hour stays on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
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

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let mut stores = app.stores(&book, &args.channel)?;
    let all = stores.clone();
    if args.channel.is_empty() && stores.iter().any(|store| webhooks_of(store).is_ok()) {
        stores.retain(|store| webhooks_of(store).is_ok());
    }
    if args.off {
        return switch_off(app, &mut book, &stores);
    }
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
    // What was sent to an older address may still be on its way.
    let mut addresses: Vec<String> = public_url.iter().cloned().collect();
    for line in &lines {
        addresses.extend(book.hooked(line.store().id)?.map(|hooked| hooked.address));
    }
    let tell: Tell = Arc::new(|text: &str| output::note(text));
    let address = start(&context, &lines, &listener, &addresses, &tell)?;
    if !app.global.quiet {
        output::line(&format!("receiving at http://{address} (Ctrl-C ends it)"))?;
    }
    // What nothing is received for is polled beside it.
    let unheard = |store: &Store| !lines.iter().any(|line| line.store().id == store.id);
    let unheard: Vec<Store> = all.into_iter().filter(|store| !args.no_watch && unheard(store)).collect();
    let mut watchers = super::watch::watchers(app, How::default());
    watchers.begin(&unheard)?;
    let mut all_well = all_open;
    for line in &lines {
        all_well &= subscribe(app, &context, &mut book, line, public_url.as_deref())?;
    }
    interrupt::is_the_end();
    while context.clock.sleep(COUNTED).is_ok() {
        count(&mut book, &lines);
    }
    count(&mut book, &lines);
    watchers.end();
    Ok(if all_well { 0 } else { EXIT_PARTLY })
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

/// Sees to it that the channel delivers here. Without that the others are received all the same;
/// false where it could not be done.
fn subscribe(
    app: &App,
    context: &Context,
    book: &mut Book,
    line: &Line,
    public_url: Option<&str>,
) -> anyhow::Result<bool> {
    let store = line.store();
    let known = book.hooked(store.id)?.map(|hooked| hooked.address);
    let Some(address) = public_url.map(str::to_owned).or(known) else {
        output::note(&format!(
            "{}: nothing delivers yet; ordersync listen --public-url https://... subscribes it (its path here is {})",
            store.name,
            line.path()
        ));
        return Ok(true);
    };
    match context.open(store).and_then(|open| mend(context, book, &open, &address)) {
        Ok(mended) => {
            if !app.global.quiet {
                let done = mended.told().unwrap_or_else(|| "subscribed, as it was".to_owned());
                output::line(&format!("{}: {done}, delivered to {address}", store.name))?;
            }
            Ok(true)
        }
        Err(error) => {
            let text = format!("{}: its subscriptions are not as they should be", store.name);
            output::print_error(&error.context(text), Format::Human);
            Ok(false)
        }
    }
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
