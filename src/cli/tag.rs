//! `ordersync tag`.

use serde_json::json;

use super::local::Told;
use super::{App, Outcome};
use crate::book::Worked;

/// Give an order tags of your own, here only; `orders --tag` lists by them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// The tags; capitals and small letters are the same
    #[arg(required = true, value_parser = tag)]
    tag: Vec<String>,
    /// Take them away
    #[arg(long)]
    remove: bool,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
}

/// A tag as it is kept: in small letters, of 60 characters at most.
pub(super) fn tag(text: &str) -> Result<String, String> {
    let tag = text.trim().to_lowercase();
    let fits = (1..=60).contains(&tag.chars().count()) && !tag.contains(|c: char| c == ',' || c.is_control());
    if fits { Ok(tag) } else { Err("a tag has 1 to 60 characters and no comma".to_owned()) }
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    let (worked, tags) = book.tag(id, &args.tag, args.remove, args.dry_run)?;
    let order = book.order(id)?;
    let has = if tags.is_empty() { "it has no tags".to_owned() } else { format!("its tags are {}", tags.join(", ")) };
    let detail = if worked == Worked::Already { format!("{has} already") } else { has };
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "tags": tags }))
}
