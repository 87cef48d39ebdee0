//! `ordersync forget`.

use serde_json::json;

use super::output;
use super::privacy::{self, AFTERWARDS};
use super::{App, Outcome};
use crate::book::{Book, Doubt, Person, Store};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result};

/// Take the personal data of one person out of the book: of all their orders in a store, however
/// young.
///
/// What is taken out and what stays is as with purge. Where one of the orders is not shipped or
/// cancelled, waits to be told to its channel, or needs you, nothing is done and they are listed
/// (exit 6). Where they bear several names or e-mail addresses,
/// as those of a shared phone do, they are listed as well. A name alone is nobody: people share them. An order that the person places later is a
/// new one. It cannot be undone.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTERWARDS)]
pub(super) struct Args {
    /// The store
    store: String,
    /// Their e-mail address, the channel's own number of the customer, or their phone number
    #[arg(allow_hyphen_values = true)]
    user: String,
    /// All that is found is one person's, although the orders bear several names or e-mail addresses,
    /// or the number is that of another order as well
    #[arg(long)]
    force: bool,
    /// Say which orders would be cleared, do nothing
    #[arg(long)]
    dry_run: bool,
}

/// As many orders are named where they may be several people's.
const MOST_LISTED: usize = 50;

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let store = store(&book, &args.store)?;
    let person = book.person(store.id, &args.user)?;
    refuse(&store, &person, args.force)?;
    let elsewhere = twins(&book, &person)?;
    if args.dry_run {
        return tell(app, &store, &person, &elsewhere, None);
    }
    book.begin_forgetting(&person.orders)?;
    let left = privacy::finish(app, &mut book)?;
    let (mut cleared, mut kept) = (Vec::new(), Vec::new());
    for order in &person.orders {
        let list = if book.cleared(*order)?.is_some() { &mut cleared } else { &mut kept };
        list.push(*order);
    }
    let code = tell(app, &store, &Person { orders: cleared, ..person }, &elsewhere, Some(left))?;
    if kept.is_empty() {
        return Ok(code);
    }
    let text = format!("opened again in this moment, and left as they are: {}", listed(&kept));
    let hint = "ship, cancel or settle them first; ordersync show and ordersync inbox say what each needs";
    output::print_error(&Error::new(ErrorKind::Partly, text).hint(hint), output::Format::Human);
    Ok(EXIT_PARTLY)
}

/// As every command takes them.
fn listed(orders: &[i64]) -> String {
    orders.iter().map(output::csv_order).collect::<Vec<_>>().join(", ")
}

/// A store by its name, connected or not: its orders are in the book.
fn store(book: &Book, name: &str) -> Result<Store> {
    book.stores_of_old()?.into_iter().find(|store| store.name == name).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("no store is called {name:?}; nothing was cleared"))
            .hint("ordersync connect --list")
    })
}

fn refuse(store: &Store, person: &Person, is_sure: bool) -> Result<()> {
    if !person.namesakes.is_empty() {
        let text = format!(
            "only the name fits, of orders {}, and a name is anybody's; nothing was cleared",
            listed(&person.namesakes)
        );
        let hint = "look at them with ordersync show, and name the person by e-mail address, customer number or phone";
        return Err(Error::new(ErrorKind::Refused, text).hint(hint));
    }
    if person.orders.is_empty() && person.unreadable.is_empty() {
        let text = format!("the book has nobody like that in {}; nothing was cleared", store.name);
        return Err(Error::new(ErrorKind::NotFound, text)
            .hint("ordersync orders --search looks in all stores; who was cleared already is not found any more"));
    }
    if let Some(doubt) = person.doubt.filter(|_| !is_sure) {
        return Err(doubtful(doubt, person));
    }
    let open = person.open.iter().map(|(order, why)| format!("{} ({why})", output::csv_order(order)));
    let unread = person.unreadable.iter().map(|id| format!("{}:{id} (could not be read)", store.name));
    let open: Vec<String> = open.chain(unread).collect();
    if open.is_empty() {
        return Ok(());
    }
    let text = format!("of this person's orders these are not closed: {}; nothing was cleared", open.join(", "));
    let hint = "ship, cancel or settle them first; ordersync show and ordersync inbox say what each needs";
    Err(Error::new(ErrorKind::Refused, text).hint(hint))
}

/// What was found may be several people's.
fn doubtful(doubt: Doubt, person: &Person) -> Error {
    let first = listed(person.orders.get(..MOST_LISTED).unwrap_or(&person.orders));
    let more = match person.orders.len().saturating_sub(MOST_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = match doubt {
        Doubt::Several => "they bear several names or e-mail addresses",
        Doubt::Number => "the number is that of another order as well",
    };
    let text = format!("orders {first}{more} fit, and {why}, so they may not be one person's; nothing was cleared");
    Error::new(ErrorKind::Refused, text)
        .hint("look at them with ordersync show; name the person by e-mail address, or insist with --force")
}

/// The same sales in other stores, which are other orders.
fn twins(book: &Book, person: &Person) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for order in &person.orders {
        let twins = book.order(*order)?.twins;
        names.extend(twins.into_iter().filter(|twin| !person.orders.contains(&twin.id)).map(|twin| twin.name));
    }
    Ok(names)
}

/// What was done; without `left`, what would be.
fn tell(app: &App, store: &Store, person: &Person, elsewhere: &[String], left: Option<crate::book::Left>) -> Outcome {
    let orders: Vec<String> = person.orders.iter().map(i64::to_string).collect();
    if app.global.json {
        output::print_json(&json!({
            "dry_run": left.is_none(), "store": store.name, "orders": orders, "same_sale_in": elsewhere,
            "left": left.map(|left| left.word()),
        }))?;
    } else if !app.global.quiet {
        let done = if left.is_some() { "cleared of personal data" } else { "would be cleared of personal data" };
        let count = output::count(orders.len() as u64, "order");
        output::line(&format!("{}: {count} {done}: {}", store.name, orders.join(", ")))?;
    }
    if !elsewhere.is_empty() && !app.global.quiet && !app.global.json {
        let names = elsewhere.join(", ");
        output::note(&format!("the same sale is in the book from another store, too: {names}; forget them there"));
    }
    Ok(left.map_or(0, |left| privacy::told(app, left)))
}
