//! The command line: the tree of commands here, one file per subcommand, output in `output`.
//!
//! A command parses, calls the library, prints. Results go to stdout; progress, notes and errors to
//! stderr.

pub(crate) mod output;
pub(crate) mod progress;

mod accept;
mod backup;
mod cancel;
mod carriers;
mod changes;
pub mod completions;
mod config;
mod connect;
mod csv_file;
mod decide;
#[cfg(feature = "simulator")]
mod demo;
mod dispatch;
mod doctor;
mod dropship;
mod edit;
mod export;
mod forget;
pub mod help;
mod hold;
mod inbox;
mod interrupt;
mod listen;
mod local;
mod note;
mod observer;
mod orders;
mod outbox;
mod privacy;
mod pull;
mod purge;
mod reconcile;
mod refund;
mod reject;
mod release;
mod retry;
mod revert;
mod runs;
mod schedule;
mod select;
mod show;
#[cfg(feature = "simulator")]
mod simulate;
mod status;
mod sync;
mod tag;
mod twin;
mod waiting;
mod watch;
mod when;
mod why;
mod wrap;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result, exit_code};
use crate::home::Home;
use crate::http::RetryPolicy;
use crate::lock;
use crate::sync::Context;

/// Shown under the list of commands.
const AFTER_ALL: &str = "Questions answered in short: ordersync help sync, address, refunds, dispatch, instasync\n\n\
                         Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 credentials, 5 temporary (network, rate limit, channel down), \
                         6 refused by a guard, 7 not found, 8 another run holds the lock, 130 interrupted";

/// Every order from every shop you sell in, in one SQLite file you own.
#[derive(Debug, Parser)]
#[command(name = "ordersync", version, after_help = AFTER_ALL, propagate_version = true, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it
    /// too
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print nothing but results and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: a summary line also where nobody watches
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Connect a store, or list, test and remove connected ones
    Connect(connect::Args),
    /// Bring new and changed orders in, send dispatches and cancellations out
    Sync(sync::Args),
    /// Say that an order is on its way: recorded here, told to the channel
    Dispatch(dispatch::Args),
    /// Cancel an order here and at its channel
    Cancel(cancel::Args),
    /// How every store stands, on one screen
    Status(status::Args),
    /// List orders
    Orders(orders::Args),
    /// One order with everything known about it
    Show(show::Args),
    /// Changes at the channel that wait for your word
    Changes(changes::Args),
    /// Take over the channel's newer version of an order
    Accept(accept::Args),
    /// Keep your version of an order, although the channel has another
    Reject(reject::Args),
    /// Hold an order back, here only
    Hold(hold::Args),
    /// End a hold
    Release(release::Args),
    /// Note that a supplier is to ship an order
    Dropship(dropship::Args),
    /// Record a refund that you made by hand
    Refund(refund::Args),
    /// Write a note of your own on an order
    Note(note::Args),
    /// Give an order tags of your own
    Tag(tag::Args),
    /// Change where an order goes, or the buyer's note, in the book
    Edit(edit::Args),
    /// Give up what you have edited in an order
    Revert(revert::Args),
    /// Say whether orders of two stores are one sale
    Twin(twin::Args),
    /// What is still to be written to channels
    Outbox(outbox::Args),
    /// What needs you
    Inbox(inbox::Args),
    /// Try a failed dispatch or cancellation again
    Retry(retry::Args),
    /// What each sync did
    Runs(runs::Args),
    /// Read one order from its channel now
    Pull(pull::Args),
    /// Receive webhooks (Instasync): orders are in the book within seconds
    Listen(listen::Args),
    /// Poll stores without webhooks as often as their channels' limits allow
    Watch(watch::Args),
    /// Compare a channel's list of orders with the book, both ways
    Reconcile(reconcile::Args),
    /// Explain why an order is in the book, or is not
    Why(why::Args),
    /// The carriers that dispatch knows by name
    Carriers(carriers::Args),
    /// Sync every half hour: install, remove or show the timer
    Schedule(schedule::Args),
    /// Write the book, or a part of it, as CSV or NDJSON
    Export(export::Args),
    /// Copy the book to a file, consistently, also while it is in use
    Backup(backup::Args),
    /// Take the personal data of old, closed orders out of the book
    Purge(purge::Args),
    /// Take the personal data of one person out of the book
    Forget(forget::Args),
    /// Check the installation and every store
    Doctor(doctor::Args),
    /// Show or change the settings of stores
    Config(config::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
    #[cfg(feature = "simulator")]
    /// Play the whole story in a temporary home, against a simulated shop
    Demo(demo::Args),
    #[cfg(feature = "simulator")]
    /// Serve a simulated shop on this machine to rehearse against
    Simulate(simulate::Args),
}

/// What every command is given.
pub(crate) struct App {
    /// Where and how to work.
    pub(crate) context: Context,
    /// The global flags.
    pub(crate) global: Global,
}

/// A command's result: its exit code, or the error to print.
pub(crate) type Outcome = anyhow::Result<u8>;

/// The whole tree of commands, for completions and the tests of the documentation.
pub fn command_tree() -> clap::Command {
    Cli::command()
}

/// Runs the command line `args` and returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some((word, text)) = asked(&args) {
        return help::print(word, text).map_or_else(|e| output::print_failure(&e, false), |()| 0);
    }
    let args = help_last(args);
    output::running(&args);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if error.kind() == clap::error::ErrorKind::MissingSubcommand => {
            let _ = command_tree().print_help();
            return exit_code(ErrorKind::Usage);
        }
        Err(error) => {
            if !error.use_stderr() {
                let told = output::put(&error.render().to_string());
                return told.map_or_else(|e| output::print_failure(&e, false), |()| 0);
            }
            // What was typed is repeated in it, and may have come from elsewhere (C-7).
            error.render().to_string().lines().for_each(|line| output::say(&format!("{}\n", output::typed(line))));
            return exit_code(ErrorKind::Usage);
        }
    };
    let json = cli.global.json;
    match start(cli) {
        Ok(code) => code,
        Err(error) => {
            output::show_cursor();
            output::print_failure(&interrupt::told(error), json)
        }
    }
}

/// `help sync`: a question with an answer of its own.
fn asked(args: &[OsString]) -> Option<(&str, &'static str)> {
    let [_, help, word] = args else { return None };
    let word = word.to_str().filter(|_| help == "help")?;
    Some((word, help::topic(word)?))
}

/// `help`, `help orders`: as people ask for it in the first place. `--help` it is, behind the
/// command.
fn help_last(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.get(1).is_some_and(|word| word == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

fn start(cli: Cli) -> Outcome {
    let interrupted = interrupt::on_ctrl_c()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(interrupted));
    let context = Context {
        home: Home::locate(home(&cli.global)?)?,
        clock,
        retry: retry(&cli.command)?,
        lock_timeout: lock::BRIEFLY,
    };
    let app = App { context, global: cli.global };
    match cli.command {
        Command::Connect(args) => connect::run(&app, args),
        Command::Sync(args) => sync::run(&app, args),
        Command::Dispatch(args) => dispatch::run(&app, args),
        Command::Cancel(args) => cancel::run(&app, args),
        Command::Status(args) => status::run(&app, args),
        Command::Orders(args) => orders::run(&app, args),
        Command::Show(args) => show::run(&app, args),
        Command::Changes(args) => changes::run(&app, args),
        Command::Accept(args) => accept::run(&app, args),
        Command::Reject(args) => reject::run(&app, args),
        Command::Hold(args) => hold::run(&app, args),
        Command::Release(args) => release::run(&app, args),
        Command::Dropship(args) => dropship::run(&app, args),
        Command::Refund(args) => refund::run(&app, args),
        Command::Note(args) => note::run(&app, args),
        Command::Tag(args) => tag::run(&app, args),
        Command::Edit(args) => edit::run(&app, args),
        Command::Revert(args) => revert::run(&app, args),
        Command::Twin(args) => twin::run(&app, args),
        Command::Outbox(args) => outbox::run(&app, args),
        Command::Inbox(args) => inbox::run(&app, args),
        Command::Retry(args) => retry::run(&app, args),
        Command::Runs(args) => runs::run(&app, args),
        Command::Pull(args) => pull::run(&app, args),
        Command::Listen(args) => listen::run(&app, args),
        Command::Watch(args) => watch::run(&app, args),
        Command::Reconcile(args) => reconcile::run(&app, args),
        Command::Why(args) => why::run(&app, args),
        Command::Carriers(args) => carriers::run(&app, args),
        Command::Schedule(args) => schedule::run(&app, args),
        Command::Export(args) => export::run(&app, args),
        Command::Backup(args) => backup::run(&app, args),
        Command::Purge(args) => purge::run(&app, args),
        Command::Forget(args) => forget::run(&app, args),
        Command::Doctor(args) => doctor::run(&app, args),
        Command::Config(args) => config::run(&app, args),
        Command::Completions(args) => completions::run(args),
        #[cfg(feature = "simulator")]
        Command::Demo(args) => demo::run(&app, args),
        #[cfg(feature = "simulator")]
        Command::Simulate(args) => simulate::run(&app, args),
    }
}

/// The home that was named. The variable is not read by clap, which shows a flag that a variable
/// has set as one that must be given.
fn home(global: &Global) -> Result<Option<PathBuf>> {
    match (&global.home, std::env::var_os("ORDERSYNC_HOME")) {
        (Some(dir), _) => Ok(Some(dir.clone())),
        // A script whose own variable is empty means some directory, and surely not the one that is
        // taken where none is named.
        (None, Some(dir)) if dir.is_empty() => {
            Err(Error::new(ErrorKind::Usage, "ORDERSYNC_HOME is empty; nothing was read or written")
                .hint("name a directory in it or with --home, or take the variable away (unset ORDERSYNC_HOME)"))
        }
        (None, dir) => Ok(dir.map(PathBuf::from)),
    }
}

/// The patience of a run. `ORDERSYNC_RETRY_MS` shortens the pauses between repeats, for rehearsals
/// and tests.
fn retry(command: &Command) -> anyhow::Result<RetryPolicy> {
    // Whoever connects a shop or acts on an order sits and waits.
    let retry = match command {
        Command::Connect(_) | Command::Doctor(_) => RetryPolicy::short(),
        Command::Dispatch(_)
        | Command::Cancel(_)
        | Command::Accept(_)
        | Command::Listen(_)
        | Command::Pull(_)
        | Command::Watch(_)
        | Command::Why(_) => RetryPolicy::brief(),
        _ => RetryPolicy::default(),
    };
    match std::env::var("ORDERSYNC_RETRY_MS") {
        Err(_) => Ok(retry),
        Ok(text) => match text.parse() {
            Ok(ms) => Ok(retry.starting_at(Duration::from_millis(ms))),
            Err(_) => Err(Error::new(ErrorKind::Usage, "ORDERSYNC_RETRY_MS is not a number of milliseconds").into()),
        },
    }
}
