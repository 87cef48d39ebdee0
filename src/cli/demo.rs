//! `ordersync demo`: the real commands, one after the other, against simulated shops in a temporary
//! home.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::output::{self, bold};
use super::{App, Outcome};
use crate::book::{Book, Filter};
use crate::channel::ChannelKind;
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;
use crate::sim::{Purchase, Recording, Server, ServerOptions, Simulated, rehearsal};

/// Play the whole story in a temporary home, against simulated shops: nothing of yours is touched,
/// no network is used.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The kinds of channel that the merchant of the story sells on [default: all that ordersync
    /// knows]
    #[arg(value_enum)]
    channels: Vec<ChannelKind>,
}

/// How long a simulated shop takes for a page: a quick real one.
const LATENCY: Duration = Duration::from_millis(120);

/// Orders beside the varied ones, over all shops, so that the first sync has something to show.
const MORE_ORDERS: u64 = 1500;

struct Shop {
    store: Arc<dyn Simulated>,
    server: Server,
}

struct Stage<'a> {
    app: &'a App,
    program: std::path::PathBuf,
    home: &'a Path,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let failed = |e: std::io::Error| Error::new(ErrorKind::Failed, format!("the demo cannot run: {e}"));
    let kinds = if args.channels.is_empty() { ChannelKind::offered().collect() } else { args.channels };
    let home = tempfile::Builder::new().prefix("ordersync-demo-").tempdir().map_err(failed)?.keep();
    let more = MORE_ORDERS / kinds.len() as u64;
    let shops = kinds.iter().map(|kind| open_shop(app, *kind, more)).collect::<Result<Vec<_>>>()?;
    let program = std::env::current_exe().map_err(failed)?;
    story(&Stage { app, program, home: &home }, &shops)?;
    shops.into_iter().for_each(|shop| shop.server.stop());
    curtain(&home, &kinds)?;
    Ok(0)
}

fn open_shop(app: &App, kind: ChannelKind, orders: u64) -> Result<Shop> {
    let clock = app.context.clock.clone();
    let store = rehearsal(kind, clock.clone(), LATENCY);
    let now = clock.now();
    store.seed(orders, now - TimeDelta::days(29), now - TimeDelta::hours(2));
    let options = ServerOptions { recording: Recording::Off, ..ServerOptions::default() };
    Ok(Shop { server: Server::start(store.clone(), options)?, store })
}

fn story(stage: &Stage<'_>, shops: &[Shop]) -> anyhow::Result<()> {
    let (one, them) = if shops.len() == 1 { ("A shop", "it") } else { ("Shops", "them") };
    stage.say(&format!("{one} with some 1 500 orders of the last weeks. Connect {them}:"))?;
    for shop in shops {
        let access = shop.store.access(shop.server.url());
        let mut words = vec!["connect", shop.store.kind().word()];
        words.extend(access.flags.iter().map(String::as_str));
        stage.play_with(&access.secrets, &words)?;
    }
    stage.say("The first sync, every shop at once, several pages at a time:")?;
    stage.play(&["sync"])?;
    stage.say("What is to be packed:")?;
    stage.play(&["orders", "--status", "awaiting-fulfillment", "--limit", "5"])?;
    let (one, other, is_told) = stage.two_orders()?;
    stage.say("One is packed. The shop is asked first, told, and asked again whether it knows:")?;
    stage.play(&["dispatch", &one, "--carrier", "dhl", "--tracking", "JD014600000001"])?;
    if is_told {
        stage.say("One is out of stock:")?;
        stage.play(&["cancel", &other, "--reason", "out of stock"])?;
    } else {
        stage.say("One is out of stock. This shop is cancelled at by hand alone; the book is told of that:")?;
        stage.play(&["cancel", &other, "--reason", "out of stock", "--local"])?;
    }
    stage.say("Meanwhile somebody buys:")?;
    for shop in shops {
        shop.store.place(&Purchase::of(&[("TEE-001", 2)]));
    }
    stage.play(&["sync"])?;
    stage.play(&["show", &one])?;
    stage.play(&["status"])
}

impl Stage<'_> {
    fn say(&self, text: &str) -> anyhow::Result<()> {
        output::put(&format!("\n{}\n", bold(text)))
    }

    /// Runs a command as the merchant would, in the demo's home.
    fn play(&self, args: &[&str]) -> anyhow::Result<()> {
        self.play_with(&[], args)
    }

    /// The same with secrets in the environment.
    fn play_with(&self, secrets: &[(&'static str, String)], args: &[&str]) -> anyhow::Result<()> {
        let words = args.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() });
        output::put(&format!("$ ordersync {}\n", words.collect::<Vec<_>>().join(" ")))?;
        self.app.context.clock.check_interrupt()?;
        let status = Command::new(&self.program)
            .arg("--verbose")
            .args(args)
            .env("ORDERSYNC_HOME", self.home)
            .envs(secrets.iter().map(|(name, value)| (name, value)))
            .status()
            .map_err(|e| Error::new(ErrorKind::Failed, format!("the demo cannot run its own program: {e}")))?;
        if !status.success() {
            let text = format!("`ordersync {}` ended with {status}", args.join(" "));
            return Err(Error::new(ErrorKind::Failed, text).into());
        }
        Ok(())
    }

    /// Whether a command would do its work; nothing of it is shown.
    fn would(&self, args: &[&str]) -> Result<bool> {
        let silent = || std::process::Stdio::null();
        let mut command = Command::new(&self.program);
        command.args(args).arg("--dry-run").env("ORDERSYNC_HOME", self.home).stdout(silent()).stderr(silent());
        let failed = |e| Error::new(ErrorKind::Failed, format!("the demo cannot run its own program: {e}"));
        Ok(command.status().map_err(failed)?.success())
    }

    /// Two orders that wait to be shipped, and whether the shop of the second takes a cancellation;
    /// one of a shop that does, if there is any.
    fn two_orders(&self) -> Result<(String, String, bool)> {
        let path = crate::home::Home::locate(Some(self.home.to_owned()))?.book();
        let book = Book::open(&path, self.app.context.clock.clone())?;
        let filter = Filter { status: Some(Status::AwaitingFulfillment), limit: 20, ..Filter::default() };
        let waiting: Vec<String> = book.list(&filter)?.iter().map(|order| format!("book:{}", order.id)).collect();
        let [one, others @ ..] = waiting.as_slice() else {
            return Err(Error::new(ErrorKind::Failed, "the simulated shop has no order to dispatch"));
        };
        for other in others {
            if self.would(&["cancel", other])? {
                return Ok((one.clone(), other.clone(), true));
            }
        }
        let none = || Error::new(ErrorKind::Failed, "the simulated shop has no second order");
        Ok((one.clone(), others.first().ok_or_else(none)?.clone(), false))
    }
}

fn curtain(home: &Path, kinds: &[ChannelKind]) -> anyhow::Result<()> {
    let home = home.display();
    let kind = if let [kind] = kinds { format!(" {kind}") } else { String::new() };
    output::put(&format!("\n{}\n", bold("The book is yours to play with:")))?;
    output::command(&format!("  export ORDERSYNC_HOME={home}"))?;
    output::command("  ordersync orders --search tee")?;
    output::command("  ordersync orders --status awaiting-fulfillment --csv")?;
    output::command("  ordersync show book:3 --history")?;
    output::command("  ordersync runs")?;
    output::command(&format!("  sqlite3 {home}/orders.sqlite 'SELECT * FROM v_sales_by_day LIMIT 5'"))?;
    output::line(&format!(
        "and a shop to rehearse with, and to break; it says how to connect it:  ordersync simulate{kind}"
    ))
}
