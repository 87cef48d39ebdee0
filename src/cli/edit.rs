//! `ordersync edit`.

use std::io::IsTerminal;

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::BookOrder;
use crate::error::{Error, ErrorKind, Result};
use crate::order::Address;
use crate::sync::act;
use crate::sync::edit::{self, Done, Wish};

/// Change where an order goes, or the buyer's note, in the book.
///
/// What you edit stays as you have it, whatever changes at the channel: `show` prints both, and
/// `ordersync revert` gives the channel's back. The channel is told nothing. Parts that are not
/// named stay as they are; an empty one (`--line2 ""`) is taken out, but for those that no label can be
/// without: name or company, line1, city, postcode, country. On a terminal, without any of them, you
/// are asked for each.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    #[command(flatten)]
    parts: Parts,
    /// What stands in the place of the buyer's note
    #[arg(long, value_name = "TEXT")]
    buyer_note: Option<String>,
    /// Which address, where the order goes to several: 1 is the first that `show` prints
    #[arg(long, value_name = "NUMBER")]
    address: Option<usize>,
    /// Say what would change, change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
struct Parts {
    /// Who it is for
    #[arg(long)]
    name: Option<String>,
    /// The company
    #[arg(long)]
    company: Option<String>,
    /// Street and house number
    #[arg(long)]
    line1: Option<String>,
    /// The second line of the address
    #[arg(long)]
    line2: Option<String>,
    /// The town
    #[arg(long)]
    city: Option<String>,
    /// State, province or county
    #[arg(long)]
    region: Option<String>,
    /// The postcode
    #[arg(long)]
    postcode: Option<String>,
    /// The country's code of two letters (ISO 3166): DE, GB, US
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// The telephone number for the carrier
    #[arg(long)]
    phone: Option<String>,
    /// The e-mail address for the carrier
    #[arg(long)]
    email: Option<String>,
}

impl Parts {
    fn named(self) -> Vec<(&'static str, String)> {
        let values = [
            self.name,
            self.company,
            self.line1,
            self.line2,
            self.city,
            self.region,
            self.postcode,
            self.country,
            self.phone,
            self.email,
        ];
        Address::PARTS.into_iter().zip(values).filter_map(|(part, value)| Some((part, value?))).collect()
    }
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    let mut wish = Wish { parts: args.parts.named(), nth: args.address, note: args.buyer_note, dry_run: args.dry_run };
    if wish.parts.is_empty() && wish.note.is_none() {
        ask(app, &book.order(id)?, &mut wish)?;
    }
    let done = act::at_rest(id, || {
        let order = book.order(id)?;
        edit::edit(&mut book, &order, &wish)
    })?;
    print(app, &book.order(id)?, &done, args.dry_run, "edited")?;
    Ok(0)
}

/// Asks for each part, with what stands there as the answer that is offered.
///
/// # Errors
/// `Usage` where nobody is there to answer (C-4), and what stands against the edit.
fn ask(app: &App, order: &BookOrder, wish: &mut Wish) -> Result<()> {
    if app.global.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let text = format!("nothing is said of what is to change in order {}; nothing was changed", order.id);
        let hint = "name it: --name, --company, --line1, --line2, --city, --region, --postcode, --country, --phone, --email or --buyer-note";
        return Err(Error::new(ErrorKind::Usage, text).hint(hint));
    }
    let position = edit::which(order, wish.nth)?;
    let mut address = order.ship_to.get(position).cloned().unwrap_or_default();
    for part in Address::PARTS {
        let Some(stands) = address.part_mut(part) else { continue };
        let answer = question(part, stands)?;
        if answer.trim() != stands.trim() {
            wish.parts.push((part, answer));
        }
    }
    let note = question("buyer's note", &output::clean(&order.buyer_note))?;
    wish.note = (note.trim() != output::clean(&order.buyer_note).trim()).then_some(note);
    Ok(())
}

fn question(what: &str, stands: &str) -> Result<String> {
    let input = dialoguer::Input::<String>::new().with_prompt(what).with_initial_text(output::clean(stands));
    input.allow_empty(true).interact_text().map_err(|error| {
        let dialoguer::Error::IO(error) = error;
        let kind = match error.kind() {
            std::io::ErrorKind::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Failed,
        };
        Error::new(kind, "the question was not answered; nothing was changed")
    })
}

/// Prints what an edit, or giving one up, came to.
pub(super) fn print(app: &App, order: &BookOrder, done: &Done, dry_run: bool, what: &str) -> anyhow::Result<()> {
    let id = order.id;
    if app.global.json {
        return output::print_json(&json!({
            "order": id.to_string(), what: done.differences, "warnings": done.warnings, "dry_run": dry_run,
        }));
    }
    for warning in &done.warnings {
        output::note(warning);
    }
    if app.global.quiet && !dry_run {
        return Ok(());
    }
    let name = format!("order {id} ({}:{})", order.store, order.number);
    let says = match (done.differences.is_empty(), dry_run) {
        (true, _) => "has that already; nothing was changed".to_owned(),
        (false, true) => format!("would be {what}; nothing was changed"),
        (false, false) => format!("is {what}"),
    };
    output::line(&format!("{name} {says}"))?;
    for found in &done.differences {
        output::line(&format!("  {}: {} → {}", found.aspect.word(), found.before, found.after))?;
    }
    Ok(())
}
