//! `ordersync accept`.

use serde_json::json;

use super::decide::{self, Act, Asked, Told, Which};
use super::{App, Outcome, output, pull};
use crate::book::{Book, BookOrder, OutboxRow, OutboxState, Store};
use crate::channel;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Fate, Field};
use crate::sync::accept::{self, Done};
use crate::sync::act;

/// Take over the channel's newer version of an order, or of many.
///
/// The version that the book has seen and `show` prints; where it has seen none and one order is
/// named, the channel is asked for it. With `--field` only that of it: the rest stays as you have it,
/// and differs. Of many each is a matter of its own, with its own result.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ordersync accept [OPTIONS] <ORDER>...\n       ordersync accept [OPTIONS] --from <FILE>")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    decide::run(app, &args.which, &Act { done: "accepted", one })
}

fn one(app: &App, book: &mut Book, id: i64, asked: Asked<'_>) -> Result<Told> {
    let mut rejected = None;
    act::at_rest(id, || once(app, book, id, asked, &mut rejected))
}

/// One try; nothing where the order changed while it was read: then what was read of it is void.
/// What was `rejected` at the first try is not what another command rejects in this moment.
fn once(
    app: &App,
    book: &mut Book,
    id: i64,
    asked: Asked<'_>,
    rejected: &mut Option<Vec<Field>>,
) -> Result<Option<Told>> {
    let order = book.order(id)?;
    let store = app.store(book, &order.store)?;
    if book.newest_document(id)?.is_none() {
        if !asked.alone {
            return Err(Book::no_newer(id).hint(format!("ordersync accept book:{id} asks the channel for one")));
        }
        // What was asked for is in the book now, and the order another than the one that was read.
        return Ok(if ask(app, book, &store, id, &order.remote_id)? { None } else { Some(followed(id)) });
    }
    let fates = book.circumstances(id)?.fates;
    let now: Vec<Field> = fates.iter().filter(|(_, fate)| *fate == Fate::Rejected).map(|(field, _)| *field).collect();
    let before = rejected.get_or_insert_with(|| now.clone());
    let is_wanted = |field: &Field| asked.fields.is_empty() || asked.fields.contains(field);
    if now.iter().any(|field| is_wanted(field) && !before.contains(field)) {
        return Err(rejected_meanwhile(id));
    }
    if !asked.seen.is_empty() {
        let found = super::changes::versions(book, &order)?.map(|versions| versions.differences());
        decide::is_as_seen(&order, asked, &found.unwrap_or_default())?;
    }
    let format = channel::format(store.kind, &store.values)?;
    let done = accept::accept(book, &store, format.as_ref(), &order, asked.fields)?;
    Ok(done.map(|done| told(&order, &done, &now)))
}

/// Two commands want opposite things at once: the one that comes second does not win in silence.
fn rejected_meanwhile(id: i64) -> Error {
    let text = format!("order {id} was rejected by another command in this very moment; it stays as you have it");
    Error::new(ErrorKind::Refused, text)
        .hint(format!("ordersync accept book:{id} once more takes the channel's version over all the same"))
}

fn told(order: &BookOrder, done: &Done, rejected: &[Field]) -> Told {
    let id = order.id;
    let left: Vec<&str> = done.left.iter().map(|field| field.word()).collect();
    let had: Vec<&str> = (done.differences.iter().map(|found| found.aspect))
        .filter(|field| rejected.contains(field))
        .map(Field::word)
        .collect();
    // What had not gone out, and is taken back, waits no more.
    let stays = |row: &&OutboxRow| done.taken_back == 0 || row.may_be_there;
    let failed: Vec<_> = order.outbox.iter().filter(|row| row.state == OutboxState::Failed).filter(stays).collect();
    let json = json!({
        "order": id.to_string(), "accepted": done.differences, "left": left, "taken_back": done.taken_back,
        "given_up": done.given_up, "had_rejected": had, "failed": failed.iter().map(|row| json!({
            "row": row.id.to_string(), "goal": row.goal.word(), "error": row.error,
        })).collect::<Vec<_>>(),
    });
    let but = if left.is_empty() { String::new() } else { format!(", but for {}", left.join(", ")) };
    let mut lines = vec![format!("order {id} ({}:{}) is now as the channel has it{but}", order.store, order.number)];
    lines.extend(done.differences.iter().map(|one| format!("  {}: {} → {}", one.aspect.word(), one.before, one.after)));
    lines.extend((!had.is_empty()).then(|| format!("  what you had rejected is taken over: {}", had.join(", "))));
    let parted = |one, other| done.differences.iter().any(|found| found.aspect == one) && done.left.contains(&other);
    if parted(Field::Lines, Field::Totals) || parted(Field::Totals, Field::Lines) {
        lines.push("  its lines and its totals are of different versions now: show has what they differ by".to_owned());
    }
    let edits = done.given_up.iter();
    lines.extend(
        edits.map(|edit| format!("  what you had edited is given up: {}: {}", edit.aspect.word(), edit.before)),
    );
    if done.taken_back > 0 {
        lines.push("its dispatch had not gone out and is taken back; the channel was told nothing".to_owned());
    }
    lines.extend(failed.iter().map(|row| {
        format!(
            "  its {} was refused and waits for you: ordersync retry book:{id} tries it again, ordersync outbox --withdraw {} takes it back",
            row.goal.word(),
            row.id
        )
    }));
    Told { json, lines }
}

/// Asks for the channel's version of an order of which the book has seen no newer one. It may have
/// been changed just now, so the channel is asked before it is said that there is none. False where
/// the order took over what was new as it was read, as one that is not paid does.
fn ask(app: &App, book: &mut Book, store: &Store, id: i64, remote_id: &str) -> Result<bool> {
    let read = pull::read_now(app, book, store, remote_id).map_err(|error| not_asked(app, store, id, error))?;
    let is_newer = book.newest_document(id)?.is_some();
    if !is_newer && read.changed == 0 {
        let text = format!(
            "{} was asked just now and has no newer version of order {id} than the book; nothing was changed",
            store.name
        );
        return Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{id} says how it stands")));
    }
    Ok(is_newer)
}

fn followed(id: i64) -> Told {
    Told {
        json: json!({
            "order": id.to_string(), "accepted": [], "left": [], "taken_back": 0, "given_up": [], "had_rejected": [],
            "failed": [],
        }),
        lines: vec![format!("order {id} was read just now and is as the channel has it; until it is paid it follows")],
    }
}

fn not_asked(app: &App, store: &Store, id: i64, error: Error) -> Error {
    if error.kind() == ErrorKind::Interrupted {
        return error;
    }
    let read = store.last_sync_at.map_or_else(
        || format!("{} was never read in full", store.name),
        |at| format!("{} was last read {} ago", store.name, output::duration(app.context.clock.now() - at)),
    );
    let context = format!(
        "nothing was changed: the book has no newer version of order {id} ({read}), and it could not be read now"
    );
    let hint = error.hint_text().map_or_else(|| format!("ordersync pull book:{id} reads it"), str::to_owned);
    Error::new(error.kind(), error.message()).context(context).hint(hint)
}
