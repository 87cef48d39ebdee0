//! `ordersync cancel`.

use serde_json::json;

use super::interrupt::{self, Left};
use super::output;
use super::{App, Outcome};
use crate::error::exit_code;
use crate::sync::cancel::{self, Done, Request};

/// Cancel an order here and at its channel.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Why, for the channel's own record
    #[arg(long, default_value = "")]
    reason: String,
    /// Only in the book; the channel is not told
    #[arg(long)]
    local: bool,
    /// Have the channel tell the buyer, where it leaves that to us
    #[arg(long)]
    notify: bool,
    /// Do not put the stock back (the default puts it back, where the channel leaves it to us)
    #[arg(long)]
    no_restock: bool,
    /// Give the money back the way it was paid, where the channel can
    #[arg(long, conflicts_with = "local")]
    refund: bool,
    /// Also an order of which something is shipped or given back
    #[arg(long)]
    force: bool,
    /// Say what would happen, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    interrupt::leaves(Left::Nothing);
    let mut book = app.book_to_write()?;
    let order = book.find(&args.order)?;
    let request = Request {
        reason: args.reason,
        local: args.local,
        notify: args.notify,
        restock: !args.no_restock,
        refund: args.refund,
        force: args.force,
        dry_run: args.dry_run,
    };
    let done = cancel::cancel(&app.context, &mut book, app, order, &request)?;
    print(app, &done)?;
    Ok(done.error.map_or(0, |error| exit_code(error.kind())))
}

fn print(app: &App, done: &Done) -> anyhow::Result<()> {
    let rehearsal = done.state == "dry-run";
    if app.global.json {
        let mut value = json!({
            "order": done.order.to_string(), "name": done.name, "state": done.state, "detail": done.detail,
        });
        if rehearsal {
            value["writes"] = json!(done.writes);
        } else {
            value["error"] = json!(done.error.as_ref().map(output::error_json));
        }
        return output::print_json(&value);
    }
    if rehearsal {
        output::line(&done.detail)?;
        return done.writes.iter().try_for_each(|write| output::line(&format!("  {write}")));
    }
    if !app.global.quiet {
        output::line(&format!("order {} ({}): {}", done.order, done.name, done.detail))?;
        if done.error.is_none() && !done.effect.is_empty() {
            output::note(&done.effect);
        }
    }
    if let Some(error) = &done.error {
        output::print_error(error, output::Format::Human);
    }
    Ok(())
}
