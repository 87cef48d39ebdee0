//! `ordersync demo`: the real commands, one after the other, against a simulated shop in a temporary home.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::output::{self, bold};
use super::{App, Outcome};
use crate::book::{Book, Filter};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;
use crate::sim::woocommerce::{Options, REHEARSAL_KEY, REHEARSAL_SECRET, Shop};
use crate::sim::{Recording, Server, ServerOptions};

/// Play the whole story in a temporary home, against a simulated shop: nothing of yours is touched, no network is used.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// How long the simulated shop takes for a page: a quick real one.
const LATENCY: Duration = Duration::from_millis(120);

/// Orders beside the 40 varied ones, so that the first sync has something to show.
const MORE_ORDERS: u64 = 1500;

struct Stage<'a> {
    app: &'a App,
    program: std::path::PathBuf,
    home: &'a Path,
    url: String,
}

pub(super) fn run(app: &App, _: Args) -> Outcome {
    let failed = |e: std::io::Error| Error::new(ErrorKind::Failed, format!("the demo cannot run: {e}"));
    let home = tempfile::Builder::new().prefix("ordersync-demo-").tempdir().map_err(failed)?.keep();
    let clock = app.context.clock.clone();
    let shop = Arc::new(Shop::demo_with(Options { page_latency: LATENCY, ..Options::demo() }, clock.clone()));
    let now = clock.now();
    shop.seed(MORE_ORDERS, now - TimeDelta::days(29), now - TimeDelta::hours(2));
    let server = Server::start(shop.clone(), ServerOptions { recording: Recording::Off, ..ServerOptions::default() })?;
    let program = std::env::current_exe().map_err(failed)?;
    let stage = Stage { app, program, home: &home, url: server.url().to_owned() };
    story(&stage, &shop)?;
    server.stop();
    curtain(&home)?;
    Ok(0)
}

fn story(stage: &Stage<'_>, shop: &Shop) -> anyhow::Result<()> {
    stage.say("A shop with some 1 500 orders of the last weeks. Connect it:")?;
    stage.play(&["connect", "woocommerce", "--url", &stage.url])?;
    stage.say("The first sync, four pages at a time:")?;
    stage.play(&["sync"])?;
    stage.say("What is to be packed:")?;
    stage.play(&["orders", "--status", "awaiting-fulfillment", "--limit", "5"])?;
    let (one, other) = stage.two_orders()?;
    stage.say("One is packed. The shop is asked first, told, and asked again whether it knows:")?;
    stage.play(&["dispatch", &one, "--carrier", "dhl", "--tracking", "JD0146 0000 0001".replace(' ', "").as_str()])?;
    stage.say("One is out of stock:")?;
    stage.play(&["cancel", &other, "--reason", "out of stock"])?;
    stage.say("Meanwhile somebody buys:")?;
    shop.place_order(crate::sim::woocommerce::NewOrder::paid().line("TEE-001", 2));
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
        let words = args.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() });
        output::put(&format!("$ ordersync {}\n", words.collect::<Vec<_>>().join(" ")))?;
        self.app.context.clock.check_interrupt()?;
        let status = Command::new(&self.program)
            .arg("--verbose")
            .args(args)
            .env("ORDERSYNC_HOME", self.home)
            .env("ORDERSYNC_CONSUMER_KEY", REHEARSAL_KEY)
            .env("ORDERSYNC_CONSUMER_SECRET", REHEARSAL_SECRET)
            .status()
            .map_err(|e| Error::new(ErrorKind::Failed, format!("the demo cannot run its own program: {e}")))?;
        if !status.success() {
            let text = format!("`ordersync {}` ended with {status}", args.join(" "));
            return Err(Error::new(ErrorKind::Failed, text).into());
        }
        Ok(())
    }

    /// Two orders that wait to be shipped.
    fn two_orders(&self) -> Result<(String, String)> {
        let path = crate::config::Home::locate(Some(self.home.to_owned()))?.book();
        let book = Book::open(&path, self.app.context.clock.clone())?;
        let filter = Filter { status: Some(Status::AwaitingFulfillment), limit: 2, ..Filter::default() };
        match book.list(&filter)?.as_slice() {
            [one, other] => Ok((one.id.to_string(), other.id.to_string())),
            _ => Err(Error::new(ErrorKind::Failed, "the simulated shop has no order to dispatch")),
        }
    }
}

fn curtain(home: &Path) -> anyhow::Result<()> {
    let home = home.display();
    output::put(&format!("\n{}\n", bold("The book is yours to play with:")))?;
    output::line(&format!("  export ORDERSYNC_HOME={home}"))?;
    output::line("  ordersync orders --search tee")?;
    output::line("  ordersync orders --status awaiting-fulfillment --csv")?;
    output::line("  ordersync show 3 --history")?;
    output::line("  ordersync runs")?;
    output::line(&format!("  sqlite3 {home}/orders.sqlite 'SELECT * FROM v_sales_by_day LIMIT 5'"))?;
    output::line("and a shop to sync it with, and to break:  ordersync simulate")
}
