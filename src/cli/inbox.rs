//! `ordersync inbox`.

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::clock::rfc3339;
use crate::error::{Error, ErrorKind};

const COLUMNS: [&str; 8] = ["entry", "store", "order", "kind", "text", "hint", "created_at", "resolved_at"];

/// What needs you: orders that could not be read, refused writes, refused credentials, changes at
/// the channel.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also what is dealt with
    #[arg(long)]
    all: bool,
    /// Print as CSV
    #[arg(long, conflicts_with_all = ["json", "done"])]
    csv: bool,
    /// Mark an entry as dealt with
    #[arg(long, value_name = "ENTRY", conflicts_with = "all")]
    done: Option<i64>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    if let Some(id) = args.done {
        if !book.resolve(id)? {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the inbox has no open entry {id}; nothing was changed"),
            )
            .into());
        }
        return Ok(0);
    }
    let entries = book.inbox(args.all)?;
    if app.global.json || args.csv {
        let rows: Vec<_> = entries
            .iter()
            .map(|e| {
                json!({
                    "entry": e.id.to_string(), "store": e.store, "order": e.order_id.map(|id| id.to_string()),
                    "number": e.number, "kind": e.kind,
                    "text": e.text, "hint": e.hint, "created_at": rfc3339(e.created_at), "resolved_at": e.resolved_at.map(rfc3339),
                })
            })
            .collect();
        if args.csv {
            output::print_csv_of(&COLUMNS, &rows)?
        } else {
            output::print_json(&rows)?
        }
        return Ok(0);
    }
    if entries.is_empty() && !app.global.quiet {
        output::note("the inbox is empty: nothing needs you");
    }
    let now = app.context.clock.now();
    for e in &entries {
        let store = e.store.as_deref().unwrap_or("");
        // What the order is called in the shop, where the merchant looks.
        let about = e.number.as_ref().map_or(store.to_owned(), |number| format!("{store}:{number}"));
        let done = if e.resolved_at.is_some() { " (done)" } else { "" };
        output::line(&format!(
            "{:>4}  {}  {about}  {}: {}{done}",
            e.id,
            output::when(e.created_at, now),
            e.kind,
            e.text
        ))?;
        if !e.hint.is_empty() && e.resolved_at.is_none() {
            output::line(&format!("      {}", e.hint))?;
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::book::InboxKind;
    use crate::cli::command_tree;

    /// The commands in a text: from the program's name on, as many words as make a command line.
    fn commands(text: &str) -> Vec<Vec<&str>> {
        let parse = |words: &[&str]| command_tree().try_get_matches_from(words).is_ok();
        let parts = text.split("ordersync ").skip(1);
        parts
            .map(|part| {
                let words: Vec<&str> = std::iter::once("ordersync").chain(part.split_whitespace()).collect();
                let words: Vec<&str> = words.iter().map(|word| word.trim_end_matches([',', ';'])).collect();
                (2..=words.len())
                    .rev()
                    .filter_map(|end| words.get(..end))
                    .find(|line| parse(line))
                    .unwrap_or_default()
                    .to_vec()
            })
            .collect()
    }

    #[test]
    fn c6_every_kind_of_entry_has_a_fix_and_its_commands_are_commands() {
        for kind in InboxKind::ALL {
            let fix = kind.fix().replace("ORDER", "17").replace("STORE", "shop");
            let found = commands(&fix);
            assert!(!found.is_empty() && found.iter().all(|line| line.len() > 1), "{}: {fix}: {found:?}", kind.word());
        }
    }
}
