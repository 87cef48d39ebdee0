//! `ordersync show`.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::output::{self, bold};
use super::{App, Outcome};
use crate::book::{BookOrder, Edit, Event, Place, Value};
use crate::channel::Goal;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Address, Difference, Fate, Field, Totals, scaled};
use crate::sync::goes_by::Versions;

/// One order with everything known about it: lines, addresses, what changed at the channel,
/// shipments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Print the channel's own document instead; the newest version of it
    #[arg(long)]
    raw: bool,
    /// Also the audit trail: when, who (channel, merchant, policy of the store, program), what, in
    /// which run
    #[arg(long)]
    history: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let id = book.find(&args.order)?;
    if args.raw {
        let document = match book.newest_document(id)? {
            Some(newest) => Some(newest),
            None => book.base_document(id)?,
        };
        if let Some(cleared) = book.cleared(id)? {
            let text = format!(
                "the channel's document of order {id} was cleared with its personal data at {}",
                rfc3339(cleared.at)
            );
            return Err(Error::new(ErrorKind::NotFound, text).hint("the channel's own pages may still have it").into());
        }
        let value: Json = serde_json::from_slice(&document.unwrap_or_default())?;
        output::print_json(&value)?;
        return Ok(0);
    }
    let order = book.order(id)?;
    let versions = if order.drifted { super::changes::versions(&book, &order) } else { Ok(None) };
    let drift = versions.as_ref().map(|found| found.as_ref().map(Versions::differences).unwrap_or_default());
    let drift = drift.unwrap_or_default();
    let gone = book.gone_at(id)?;
    let history = if args.history || app.global.json { book.history(id)? } else { Vec::new() };
    if app.global.json {
        let mut told = to_json(&order, &drift, &history);
        told["gone_at_channel_since"] = json!(gone.map(rfc3339));
        output::print_json(&told)?;
    } else {
        let fates = book.circumstances(id)?.fates;
        let changed = order.drifted.then(|| Changed { drift: &drift, fates: &fates, untold: untold(&versions) });
        print(app, &order, gone, changed, &history)?;
    }
    Ok(0)
}

fn print(
    app: &App,
    o: &BookOrder,
    gone: Option<Timestamp>,
    changed: Option<Changed<'_>>,
    history: &[Event],
) -> anyhow::Result<()> {
    let now = app.context.clock.now();
    let when = |at| output::when(at, now);
    // Made safe before it is emphasised: the emphasis itself would not pass as text.
    let test = if o.test { "  (a test order: not to be sent)" } else { "" };
    let head = format!("order {}  {}:{}  {}{test}", o.id, o.store, o.number, o.shown);
    output::put(&format!("{}\n", bold(&output::clean(&head))))?;
    output::line(&format!("  at the channel  {}{} (id {})", o.channel_status, presence(o), o.remote_id))?;
    if let Some(at) = gone {
        output::line(&format!("  gone    the channel has it no more, as was found {}", when(at)))?;
    }
    let paid = o.paid_at.map_or("not marked as paid".to_owned(), |at| format!("paid {}", when(at)));
    output::line(&format!("  placed {}, {paid}, imported {}", when(o.placed_at), when(o.imported_at)))?;
    if let Some(at) = o.ship_by {
        output::line(&format!("  ship by {}", when(at)))?;
    }
    if let Some(cleared) = o.cleared {
        let at = when(cleared.at);
        output::line(&format!("  cleared {at} ({}): names, addresses and notes were taken out", cleared.how.word()))?;
    }
    output::line(&format!("  buyer   {}", joined(&[&o.buyer.name, &o.buyer.email, &o.buyer.phone])))?;
    let several = o.ship_to.len() > 1;
    for (n, address) in o.ship_to.iter().enumerate() {
        let nth = if several { format!("{}: ", n + 1) } else { String::new() };
        output::line(&format!("  ship to {nth}{}", one_line(address)))?;
        print_edit(o, Place::Address(n))?;
    }
    if o.ship_to.is_empty() {
        output::line("  ship to nowhere: nothing in it goes into a parcel")?;
    }
    if let Some(address) = o.bill_to.as_ref().filter(|bill| !o.ship_to.iter().any(|ship| ship.same_place(bill))) {
        output::line(&format!("  bill to {}", one_line(address)))?;
    }
    if !o.buyer_note.is_empty() {
        output::line(&format!("  note    {}", output::clean(&o.buyer_note)))?;
    }
    print_edit(o, Place::Notes)?;
    for (label, text) in &o.attributes {
        output::line(&format!("  {}", output::clean(&format!("{label}: {text}"))))?;
    }
    print_local(o, &when)?;
    output::line("")?;
    print_lines(o)?;
    if let Some((text, hint)) = o.unclear_words() {
        output::line(&format!("  ? {text}: {hint}"))?;
    }
    print_money(o)?;
    print_shipments(app, o)?;
    print_twins(o)?;
    for entry in o.inbox.iter().filter(|entry| entry.kind != "twin") {
        output::line(&format!("  ! {}: {}", entry.kind, entry.text))?;
    }
    if let Some(changed) = changed {
        print_drift(o, &changed)?;
    }
    for event in history {
        let run = event.run.map(|run| format!(" (run {run})")).unwrap_or_default();
        output::line(&format!("  {}  {:<8}  {}: {}{run}", when(event.at), event.who, event.what, event.detail))?;
    }
    Ok(())
}

/// What of an order its channel has otherwise.
struct Changed<'a> {
    drift: &'a [Difference],
    fates: &'a [(Field, Fate)],
    /// What is to be said where there is nothing to be told apart.
    untold: &'static str,
}

/// Why no difference can be told of two versions.
fn untold(versions: &Result<Option<Versions>>) -> &'static str {
    match versions {
        Ok(Some(found)) if found.newest.is_some() => "nothing by now: what it says is what yours says",
        Ok(None) => "the version that you had is lost: look at the whole order in the channel's own pages",
        Ok(Some(_)) | Err(_) => {
            "this version of ordersync cannot read one of the two: look at the whole order in the channel's own pages"
        }
    }
}

/// What the channel has otherwise, and what can be done about it.
fn print_drift(o: &BookOrder, changed: &Changed<'_>) -> anyhow::Result<()> {
    let Changed { drift, fates, untold } = *changed;
    output::line("")?;
    let own = drift.iter().find_map(|d| unanswered(o, d.aspect));
    let is_all_own = own.is_some() && drift.iter().all(|d| unanswered(o, d.aspect).is_some());
    let is_rejected = |d: &Difference| fates.contains(&(d.aspect, Fate::Rejected));
    let is_known = is_all_own || (!drift.is_empty() && drift.iter().all(is_rejected));
    let since = if is_known { "otherwise at the channel" } else { "changed at the channel since you last saw it" };
    output::line(&format!("  {since} (yours → the channel's):"))?;
    let waits = fates.iter().any(|(_, fate)| *fate == Fate::Review);
    for d in drift {
        let fate = fates.iter().find(|(field, _)| *field == d.aspect).map(|(_, fate)| *fate);
        let fate = match fate {
            Some(Fate::Review) => "  (waits for your word)",
            Some(Fate::Rejected) => "  (rejected)",
            _ => "",
        };
        output::line(&format!("    {}: {} → {}{fate}", d.aspect.word(), d.before, d.after))?;
    }
    if drift.is_empty() {
        output::line(&format!("    {untold}"))?;
    }
    if let Some(own) = own {
        let text =
            format!("  probably your own {own}, of which no answer has come: ordersync retry book:{} looks", o.id);
        return output::line(&text);
    }
    let keeps = if waits { format!("; ordersync reject book:{} keeps yours", o.id) } else { String::new() };
    output::line(&format!("  ordersync accept book:{} takes over the channel's version{keeps}", o.id))
}

/// The act of the merchant's by which this field may differ: one that may have reached the channel,
/// and is not confirmed.
fn unanswered(o: &BookOrder, field: Field) -> Option<String> {
    o.outbox.iter().filter(|row| row.state.is_open() && row.may_be_there).find_map(|row| match (&row.goal, field) {
        (Goal::Dispatched(shipment), Field::Shipped) => {
            let numbers: Vec<&str> = shipment.parcels.iter().map(|parcel| parcel.tracking.as_str()).collect();
            Some(format!("dispatch {}", numbers.join(", ")).trim_end().to_owned())
        }
        (Goal::Retracked(_), Field::Shipped) => Some("new tracking number".to_owned()),
        (Goal::Cancelled(_), Field::Cancelled) => Some("cancellation".to_owned()),
        _ => None,
    })
}

/// What the merchant does with it here alone.
fn print_local(o: &BookOrder, when: &dyn Fn(Timestamp) -> String) -> anyhow::Result<()> {
    if let Some(at) = o.not_before {
        output::line(&format!("  not to be sent before {} (ordersync config: {}.send_after)", when(at), o.store))?;
    }
    if let Some(hold) = &o.hold {
        let reason = if hold.reason.is_empty() { String::new() } else { format!(": {}", output::clean(&hold.reason)) };
        let (since, until) = (when(hold.since), super::hold::until(hold, when));
        output::line(&format!("  on hold here since {since}, {until}{reason}"))?;
    }
    if let Some(request) = &o.dropship {
        let whom = if request.supplier.is_empty() { "a supplier" } else { &request.supplier };
        output::line(&format!("  dropshipment requested from {} on {}", output::clean(whom), when(request.since)))?;
    }
    for note in &o.notes {
        output::line(&format!("  your note {} of {}: {}", note.number, when(note.at), output::clean(&note.text)))?;
    }
    if !o.tags.is_empty() {
        output::line(&format!("  your tags {}", output::clean(&o.tags.join(", "))))?;
    }
    Ok(())
}

/// What the channel has where the merchant has edited something.
fn print_edit(o: &BookOrder, place: Place) -> anyhow::Result<()> {
    let Some(edit) = o.edits.iter().find(|edit| edit.place == place) else { return Ok(()) };
    let channels = edit.channels.as_ref().map_or("none".to_owned(), Value::words);
    let what = edit.place.field().word();
    output::line(&format!("          {what} edited by you; the channel's: {channels}"))
}

fn edits_json(o: &BookOrder) -> Vec<Json> {
    let edit = |edit: &Edit| {
        let nth = match edit.place {
            Place::Address(position) => Some(position),
            Place::Notes => None,
        };
        json!({ "field": edit.place.field(), "ship_to": nth, "yours": edit.value, "channels": edit.channels })
    };
    o.edits.iter().map(edit).collect()
}

fn print_twins(o: &BookOrder) -> anyhow::Result<()> {
    for twin in &o.twins {
        let known = if twin.confirmed {
            "confirmed".to_owned()
        } else {
            format!(
                "{}; ordersync twin confirm|deny book:{} book:{} settles whether it is one sale",
                twin.known_by(),
                o.id,
                twin.id
            )
        };
        output::line(&format!("  twin of  {} (order {}, {}): {known}", twin.name, twin.id, twin.status))?;
    }
    Ok(())
}

fn presence(o: &BookOrder) -> String {
    if o.presence == "listed" { String::new() } else { format!(", {}", o.presence) }
}

fn joined(parts: &[&String]) -> String {
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn one_line(a: &Address) -> String {
    let town = format!("{} {}", a.postcode, a.city).trim().to_owned();
    joined(&[&a.name, &a.company, &a.line1, &a.line2, &town, &a.region, &a.country, &a.phone])
}

fn print_lines(o: &BookOrder) -> anyhow::Result<()> {
    // To which of several addresses a line goes decides what is packed into which box.
    let several = o.ship_to.len() > 1;
    let mut header = vec!["  ", ">qty", ">left", ">to", "sku", "name", ">each", ">total"];
    if !several {
        header.remove(3);
    }
    let mut table = output::Table::new(&header);
    for (n, line) in o.lines.iter().enumerate() {
        let name =
            if line.variant.is_empty() { line.name.clone() } else { format!("{} ({})", line.name, line.variant) };
        let left = if line.ships { line.open().normalize().to_string() } else { "-".to_owned() };
        let to = if line.ships { (line.ship_to + 1).to_string() } else { String::new() };
        let (number, quantity) = (format!("  #{}", n + 1), line.quantity.normalize().to_string());
        let (each, total) = (scaled(line.unit_price, &o.currency), scaled(line.total, &o.currency));
        let mut cells: Vec<&str> = vec![&number, &quantity, &left, &to, &line.sku, &name, &each, &total];
        if !several {
            cells.remove(3);
        }
        table.row(&cells);
    }
    table.print()
}

fn print_money(o: &BookOrder) -> anyhow::Result<()> {
    for charge in &o.charges {
        let label = if charge.title.is_empty() { &charge.code } else { &charge.title };
        let tax =
            if charge.tax.is_zero() { String::new() } else { format!(" + {} tax", scaled(charge.tax, &o.currency)) };
        output::line(&format!("  {:<9} {:>10}{tax}  {label}", charge.kind.word(), scaled(charge.amount, &o.currency)))?;
    }
    let sums = |totals: &Totals, currency: &str, whose: &str| -> anyhow::Result<()> {
        let shown = |(name, amount): &(&str, Decimal)| *name == "total" || *name == "refunded" && !amount.is_zero();
        for (name, amount) in totals.named().into_iter().filter(shown) {
            output::line(&format!("  {name:<9} {:>10} {currency}{whose}", scaled(amount, currency)))?;
        }
        Ok(())
    };
    sums(&o.totals, &o.currency, "")?;
    if let Some((currency, totals)) = &o.shop_totals {
        sums(totals, currency, " for the shop")?;
    }
    for refund in &o.refunds {
        let at = refund.refunded_at.map(|at| format!(" on {}", output::date(at))).unwrap_or_default();
        let back = refund.lines.iter().filter(|line| !line.quantity.is_zero());
        let pieces = super::refund::pieces(o, back.map(|line| (&line.line_id, &line.quantity)));
        let words = joined(&[&pieces, &refund.reason]);
        output::line(&format!("  refund    {:>10}{at}  {words}", scaled(refund.amount, &o.currency)))?;
    }
    for refund in &o.own_refunds {
        let (amount, at) = (scaled(refund.amount, &o.currency), output::date(refund.at));
        let (number, pieces) =
            (refund.number, super::refund::pieces(o, refund.lines.iter().map(|l| (&l.line_id, &l.quantity))));
        let words = joined(&[&pieces, &refund.reason]);
        output::line(&format!("  by hand   {amount:>10} on {at}  refund {number}, recorded here: {words}"))?;
    }
    let label = if o.payment.title.is_empty() { &o.payment.method } else { &o.payment.title };
    if !label.is_empty() {
        output::line(&format!("  payment   {}", joined(&[label, &o.payment.transaction_id])))?;
    }
    Ok(())
}

fn print_shipments(app: &App, o: &BookOrder) -> anyhow::Result<()> {
    let now = app.context.clock.now();
    for shipment in &o.shipments {
        let parcels: Vec<String> =
            shipment.parcels.iter().map(|p| format!("{} {}", p.carrier, p.tracking).trim().to_owned()).collect();
        let parcels = if parcels.is_empty() { "no tracking".to_owned() } else { parcels.join(", ") };
        let at = shipment.shipped_at.map(|at| output::when(at, now)).unwrap_or_default();
        let what: Vec<String> = shipment
            .lines
            .iter()
            .filter_map(|l| {
                let line = o.lines.iter().find(|line| line.remote_id == l.line_id)?;
                Some(format!(
                    "{} × {}",
                    l.quantity.normalize(),
                    if line.sku.is_empty() { &line.name } else { &line.sku }
                ))
            })
            .collect();
        output::line(&format!("  shipped   {at}  {parcels}  {}  [{}]", what.join(", "), shipment.state))?;
    }
    for row in o.outbox.iter().filter(|row| row.error.is_some()) {
        output::line(&format!("  outbox    row {} ({}): {}", row.id, row.state, row.error.as_deref().unwrap_or("")))?;
    }
    Ok(())
}

fn to_json(o: &BookOrder, drift: &[Difference], history: &[Event]) -> Json {
    let money = |amount: &Decimal| scaled(*amount, &o.currency);
    let count = |count: Decimal| count.normalize().to_string();
    let totals = |totals: &Totals, currency: &str| -> serde_json::Map<String, Json> {
        totals.named().into_iter().map(|(name, amount)| (name.to_owned(), scaled(amount, currency).into())).collect()
    };
    let shop_totals = o
        .shop_totals
        .as_ref()
        .map(|(currency, amounts)| json!({ "currency": currency, "totals": totals(amounts, currency) }));
    let mut value = json!({
        "order": o.id.to_string(), "store": o.store, "channel": o.channel, "remote_id": o.remote_id, "number": o.number,
        "status": o.shown, "channel_status": o.channel_status, "presence": o.presence, "test": o.test, "source": o.source,
        "placed_at": rfc3339(o.placed_at), "updated_at": rfc3339(o.updated_at), "imported_at": rfc3339(o.imported_at),
        "paid_at": o.paid_at.map(rfc3339), "ship_by": o.ship_by.map(rfc3339), "currency": o.currency, "totals": totals(&o.totals, &o.currency),
        "in_shop_currency": shop_totals,
        "buyer": { "name": o.buyer.name, "email": o.buyer.email, "phone": o.buyer.phone },
        "payment": { "method": o.payment.method, "title": o.payment.title, "transaction_id": o.payment.transaction_id },
        "buyer_note": o.buyer_note, "ship_to": o.ship_to, "bill_to": o.bill_to, "attributes": o.attributes,
        "lines": o.lines.iter().map(|l| json!({
            "id": l.remote_id, "sku": l.sku, "name": l.name, "variant": l.variant, "quantity": count(l.quantity),
            "refunded": count(l.refunded), "shipped": count(l.shipped), "left": count(l.open()),
            "returned": count(l.pieces.returned), "unclear": count(l.unclear()),
            "unit_price": money(&l.unit_price), "total": money(&l.total), "tax": money(&l.tax), "ships": l.ships,
            "ship_to": l.ships.then_some(l.ship_to),
        })).collect::<Vec<_>>(),
        "charges": o.charges.iter().map(|c| json!({
            "kind": c.kind, "code": c.code, "title": c.title, "amount": money(&c.amount), "tax": money(&c.tax),
        })).collect::<Vec<_>>(),
        "refunds": o.refunds.iter().map(|r| json!({
            "remote_id": r.remote_id, "refunded_at": r.refunded_at.map(rfc3339), "amount": money(&r.amount), "reason": r.reason,
            "lines": r.lines.iter().map(|l| json!({
                "line_id": l.line_id, "quantity": count(l.quantity), "amount": money(&l.amount),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "shipments": o.shipments.iter().map(|s| json!({
            "remote_id": s.remote_id, "shipped_at": s.shipped_at.map(rfc3339), "lines": s.lines, "parcels": s.parcels,
            "recorded_here": s.own, "state": s.state,
        })).collect::<Vec<_>>(),
        "outbox": o.outbox.iter().map(super::outbox::to_json).collect::<Vec<_>>(),
        "inbox": o.inbox.iter().map(|e| json!({ "entry": e.id.to_string(), "kind": e.kind, "text": e.text, "hint": e.hint })).collect::<Vec<_>>(),
        "twins": o.twins.iter().map(|t| json!({
            "order": t.id.to_string(), "name": t.name, "status": t.status, "original": t.is_original, "confirmed": t.confirmed, "found_by": t.how,
        })).collect::<Vec<_>>(),
        "edits": edits_json(o), "changed_at_channel": o.drifted, "differences": drift,
        "history": history.iter().map(|e| json!({
            "at": rfc3339(e.at), "who": e.who, "run": e.run.map(|run| run.to_string()), "what": e.what, "detail": e.detail,
        })).collect::<Vec<_>>(),
    });
    if let (Json::Object(all), Json::Object(local)) = (&mut value, local_json(o)) {
        all.extend(local);
    }
    value
}

/// What the merchant does with it here alone.
fn local_json(o: &BookOrder) -> Json {
    json!({
        "hold": o.hold.as_ref().map(super::hold::to_json), "dropship": o.dropship.as_ref().map(super::dropship::to_json),
        "own_refunds": o.own_refunds.iter().map(|refund| super::refund::to_json(o, refund)).collect::<Vec<_>>(),
        "notes": o.notes.iter().map(|note| json!({
            "note": note.number.to_string(), "at": rfc3339(note.at), "text": note.text,
        })).collect::<Vec<_>>(),
        "cleared": o.cleared.map(|cleared| json!({ "at": rfc3339(cleared.at), "how": cleared.how.word() })),
        "tags": o.tags, "not_before": o.not_before.map(rfc3339),
    })
}
