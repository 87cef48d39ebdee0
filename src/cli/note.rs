//! `ordersync note`.

use serde_json::json;

use super::local::{Told, text};
use super::{App, Outcome};
use crate::book::Worked;

/// Write a note of your own on an order, here only.
///
/// `show` prints the notes with their numbers. What the buyer wrote is another thing and stays as it
/// is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// What it says
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    text: Option<String>,
    /// Remove the note with this number; its text is gone then, but for its words in the search index
    /// of a book with more than 20,000 orders, which leave it by and by
    #[arg(long, value_name = "NUMBER")]
    remove: Option<i64>,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let written = args.text.as_deref().map(|note| text(note, "the note")).transpose()?;
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    let (worked, number, detail) = match (&written, args.remove) {
        (Some(text), _) => {
            let (worked, number) = book.add_note(id, text, args.dry_run)?;
            let already = if worked == Worked::Already { " is there already" } else { "" };
            (worked, number, format!("note {number}{already}"))
        }
        (None, number) => {
            let number = number.unwrap_or_default();
            let worked = book.remove_note(id, number, args.dry_run)?;
            let already = if worked == Worked::Already { " already" } else { "" };
            (worked, number, format!("note {number} is removed{already}"))
        }
    };
    let order = book.order(id)?;
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "note": number.to_string() }))
}
