//! `ordersync refund`.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::local::{Told, text};
use super::output;
use super::{App, Outcome};
use crate::book::{Book, BookLine, BookOrder, NewRefund, OutboxRow, OwnRefund, Worked};
use crate::channel::Goal;
use crate::clock::rfc3339;
use crate::error::{Error, ErrorKind};
use crate::order::{LineQuantity, parse_decimal, scaled};
use crate::sync::dispatch::{given_back, returned};

/// Record a refund that you made by hand: a transfer, cash, in the channel's own pages.
///
/// No money moves by it, and the channel is told nothing. Pieces given back are not offered for
/// shipping, and of an order that is given back in full nothing goes out. A refund that the channel
/// shows later counts beside it until you say that it is the same money: the inbox asks.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// How much, in the order's currency
    #[arg(long, value_name = "AMOUNT", required_unless_present_any = ["remove", "returned"], conflicts_with = "remove")]
    amount: Option<String>,
    /// Pieces that were given back: SKU=QTY, or the line's number in `show` as #2=1; several times
    /// for several
    #[arg(long, value_name = "SKU=QTY", conflicts_with = "remove")]
    line: Vec<String>,
    /// Why, for yourself
    #[arg(long, value_name = "TEXT", conflicts_with = "remove")]
    reason: Option<String>,
    /// Another one like one that is recorded already
    #[arg(long, conflicts_with = "remove")]
    again: bool,
    /// Take the record with this number back: it was none, or the channel shows the same money
    #[arg(long, value_name = "NUMBER")]
    remove: Option<i64>,
    /// Of the pieces given back, here or at the channel, so many had been sent before and are not
    /// taken away from what is left to send; SKU=0: none of them. Records no refund
    #[arg(long, value_name = "SKU=QTY", conflicts_with_all = ["amount", "line", "reason", "again", "remove"])]
    returned: Vec<String>,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    if !args.returned.is_empty() {
        return say_returned(app, &mut book, id, &args);
    }
    let Some(number) = args.remove else { return record(app, &mut book, id, &args) };
    let worked = book.remove_refund(id, number, args.dry_run)?;
    let already = if worked == Worked::Already { " already" } else { "" };
    let detail = format!("refund {number} made by hand is removed{already}");
    let order = book.order(id)?;
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "refund": number.to_string() }))
}

/// What the merchant says of pieces that were given back.
fn say_returned(app: &App, book: &mut Book, id: i64, args: &Args) -> Outcome {
    let lines = returned(&book.order(id)?, &args.returned)?;
    let worked = book.say_returned(id, &lines, args.dry_run)?;
    let order = book.order(id)?;
    let already = if worked == Worked::Already { " already" } else { "" };
    let detail = format!(
        "of the pieces given back {} had been sent before, as recorded{already}",
        pieces(&order, lines.iter().map(|l| (&l.line_id, &l.quantity)))
    );
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "returned": lines }))
}

fn record(app: &App, book: &mut Book, id: i64, args: &Args) -> Outcome {
    let given = args.amount.as_deref().unwrap_or_default();
    let is_plain = !given.is_empty() && given.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let amount = parse_decimal(given).ok().filter(|_| is_plain).ok_or_else(|| no_amount(given))?;
    let reason = args.reason.as_deref().map(|reason| text(reason, "--reason")).transpose()?.unwrap_or_default();
    let before = book.order(id)?;
    // The same once more is told as that, also where nothing more is left.
    let lines = match same(&before, &args.line) {
        Some(lines) if !args.again => lines,
        _ => by_line(given_back(&before, &args.line)?),
    };
    let new = NewRefund { amount, lines: &lines, reason: &reason, again: args.again };
    let (worked, number) = book.record_refund(id, &new, args.dry_run)?;
    let order = book.order(id)?;
    let money = format!("{} {}", scaled(amount, &order.currency), order.currency);
    let detail = match worked {
        Worked::Already => format!("refund {number} of {money} is recorded already; --again records another one"),
        Worked::Done => format!(
            "refund {number} of {money} recorded, here only; no money moves by it, and {} is told nothing",
            order.store
        ),
    };
    if worked == Worked::Done && !app.global.quiet && !args.dry_run {
        output::note(&format!(
            "if {} is to know of it, enter it in its own pages, and take this record back then: ordersync refund book:{id} --remove {number}",
            order.store
        ));
        if let Some(name) = counted_unsent(&before, &lines) {
            output::note(&format!(
                "pieces that were not sent yet are taken to be given back first; ordersync refund book:{id} --returned '{name}=QTY' says how many of those given back had been sent"
            ));
        }
        let waits =
            |row: &&OutboxRow| row.state.is_open() && !row.may_be_there && matches!(row.goal, Goal::Dispatched(_));
        for row in order.outbox.iter().filter(waits).filter(|_| !lines.is_empty() || order.waits_given_back()) {
            output::note(&format!(
                "row {} of the outbox waits to be sent, and is refused where it has pieces that are given back now; ordersync outbox --withdraw {} takes it back",
                row.id, row.id
            ));
        }
        if order.waits_given_back() {
            output::note(&format!(
                "nothing more of the order is offered to be sent; ordersync cancel book:{id} --local cancels it here"
            ));
        }
    }
    let more = json!({
        "refund": number.to_string(), "amount": scaled(amount, &order.currency), "currency": order.currency, "lines": lines,
    });
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, more)
}

/// A line of which pieces have gone out and others have not: which of them are given back only the
/// merchant knows.
fn counted_unsent(before: &BookOrder, back: &[LineQuantity]) -> Option<String> {
    let is_both = |line: &&BookLine| line.ships && !line.shipped.is_zero() && !line.open().is_zero();
    let line = |one: &LineQuantity| before.lines.iter().find(|line| line.remote_id == one.line_id).filter(is_both);
    back.iter().find_map(line).map(|line| before.name_of(line))
}

fn no_amount(given: &str) -> Error {
    let text = format!("--amount {given:?} is no amount; nothing was recorded");
    // Written with a comma, as in many countries.
    let meant = given.trim().replace(',', ".");
    let is_plain = meant.bytes().all(|b| b.is_ascii_digit() || b == b'.') && given.matches(',').count() == 1;
    let meant = if is_plain && parse_decimal(&meant).is_ok() { meant } else { "12.50".to_owned() };
    Error::new(ErrorKind::Usage, text).hint(format!("--amount {meant}"))
}

/// The lines of a refund that was recorded with the same words.
fn same(order: &BookOrder, items: &[String]) -> Option<Vec<LineQuantity>> {
    // As they would be named if nothing had been given back by hand yet.
    let mut before = order.clone();
    for back in order.own_refunds.iter().flat_map(|refund| &refund.lines) {
        for line in before.lines.iter_mut().filter(|line| line.remote_id == back.line_id) {
            line.refunded = line.refunded.saturating_sub(back.quantity).max(rust_decimal::Decimal::ZERO);
        }
    }
    let lines = given_back(&before, items).map(by_line);
    lines.ok().filter(|lines| order.own_refunds.iter().any(|refund| refund.lines == *lines))
}

/// In one order, whichever the flags had.
fn by_line(mut lines: Vec<LineQuantity>) -> Vec<LineQuantity> {
    lines.sort_unstable_by(|one, other| one.line_id.cmp(&other.line_id));
    lines
}

/// `2 × TEE-001, 1 × MUG-9`.
pub(super) fn pieces<'a>(order: &BookOrder, lines: impl IntoIterator<Item = (&'a String, &'a Decimal)>) -> String {
    let piece = |(id, quantity): (&'a String, &'a Decimal)| {
        let line = order.lines.iter().find(|line| line.remote_id == *id);
        let what = line.map_or(id, |line| if line.sku.is_empty() { &line.name } else { &line.sku });
        format!("{} × {what}", quantity.normalize())
    };
    lines.into_iter().map(piece).collect::<Vec<_>>().join(", ")
}

pub(super) fn to_json(order: &BookOrder, refund: &OwnRefund) -> Value {
    json!({
        "refund": refund.number.to_string(), "at": rfc3339(refund.at), "amount": scaled(refund.amount, &order.currency),
        "reason": refund.reason, "lines": refund.lines,
    })
}
