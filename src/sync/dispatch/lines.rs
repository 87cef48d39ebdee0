//! Which lines a dispatch contains.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::book::{BookLine, BookOrder, OutboxRow, OutboxState};
use crate::channel::Goal;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Parcel, Shipment, normal_number, parse_decimal, same_number, sum};

/// The lines wanted by `items` (`SKU=QTY` or `#2=1`), or all that is left; and whether nothing that
/// ships is left after them. `can_replace`: the channel takes another number for a parcel.
pub(crate) fn choose(order: &BookOrder, items: &[String], can_replace: bool) -> Result<(Vec<LineQuantity>, bool)> {
    let open: Vec<(&BookLine, Decimal)> = order
        .lines
        .iter()
        .filter(|line| line.ships)
        .map(|line| (line, line.open()))
        .filter(|(_, left)| *left > Decimal::ZERO)
        .collect();
    let chosen =
        if items.is_empty() { everything(order, &open, can_replace)? } else { wanted(order, &open, items, &SHIPPED)? };
    // What may be owed besides is not done with.
    let completes = order.unclear_words().is_none()
        && open.iter().all(|(line, left)| {
            let taken = sum(chosen.iter().filter(|c| c.line_id == line.remote_id).map(|c| c.quantity));
            taken >= *left
        });
    Ok((chosen, completes))
}

/// All that is left. An order in which nothing goes into a parcel (downloads) is dispatched as a
/// whole.
fn everything(order: &BookOrder, open: &[(&BookLine, Decimal)], can_replace: bool) -> Result<Vec<LineQuantity>> {
    if !open.is_empty() {
        return Ok(open.iter().map(|(line, left)| quantity(line, *left)).collect());
    }
    if order.lines.iter().any(|line| line.ships) {
        if let Some((text, hint)) = order.unclear_words() {
            let text = format!("order {}: {text}; nothing was recorded or sent", order.id);
            return Err(Error::new(ErrorKind::Refused, text).hint(hint));
        }
        let is_given_back = order.lines.iter().any(|line| line.refunded > Decimal::ZERO);
        if is_given_back && order.lines.iter().all(|line| line.shipped.is_zero()) {
            let text = format!(
                "order {} is refunded in full, so nothing of it is left to ship; nothing was recorded or sent",
                order.id
            );
            return Err(Error::new(ErrorKind::Refused, text).hint(format!(
                "ordersync cancel book:{0} --local takes it out of your work; ordersync show book:{0} lists what was given back",
                order.id
            )));
        }
        let text = format!("order {} has nothing left to ship; nothing was recorded or sent", order.id);
        return Err(Error::new(ErrorKind::Refused, text).hint(way_to_another_number(order, can_replace)));
    }
    Ok(order.lines.iter().map(|line| quantity(line, line.quantity)).collect())
}

/// What can be done for an order that has gone out and whose number is wrong, missing or not the
/// only one.
fn way_to_another_number(order: &BookOrder, can_replace: bool) -> String {
    let shown = format!("ordersync show book:{} lists its shipments", order.id);
    let numbers: Vec<&str> = order.shipments.iter().flat_map(|s| &s.parcels).map(|p| p.tracking.as_str()).collect();
    match numbers.iter().rfind(|number| !number.is_empty()) {
        None => format!("it went out without a number, which can be entered in the channel's own pages now; {shown}"),
        Some(_) if !can_replace => {
            format!(
                "another number of its parcel, and that of one more box, is entered in the channel's own pages; {shown}"
            )
        }
        Some(number) => format!(
            "--replaces {number:?} gives its parcel another number, and that of one more box is entered in the channel's own \
             pages; {shown}"
        ),
    }
}

/// Whether something of the order is still to be shipped.
pub(super) fn is_open(order: &BookOrder) -> bool {
    order.lines.iter().any(|line| line.ships && line.open() > Decimal::ZERO)
}

/// How it is said what lines are named for.
struct Purpose {
    flag: &'static str,
    left: &'static str,
    not_done: &'static str,
    listed: &'static str,
}

const SHIPPED: Purpose = Purpose {
    flag: "--item",
    left: "left to ship",
    not_done: "nothing was recorded or sent",
    listed: "lists its shipments",
};

const RETURNED: Purpose = Purpose {
    flag: "--returned",
    left: "given back",
    not_done: "nothing was recorded",
    listed: "lists what was given back",
};

const GIVEN_BACK: Purpose = Purpose {
    flag: "--line",
    left: "left to give back",
    not_done: "nothing was recorded",
    listed: "lists what was given back",
};

/// The lines that are given back, named by `items` like those of a dispatch; whether they were sent
/// makes no difference.
pub(crate) fn given_back(order: &BookOrder, items: &[String]) -> Result<Vec<LineQuantity>> {
    let rest = |line: &BookLine| line.quantity.saturating_sub(line.refunded).max(Decimal::ZERO);
    let open: Vec<(&BookLine, Decimal)> =
        order.lines.iter().map(|line| (line, rest(line))).filter(|(_, left)| *left > Decimal::ZERO).collect();
    wanted(order, &open, items, &GIVEN_BACK)
}

/// What the merchant says of the lines of which pieces were given back: how many of those had been
/// sent before; none is a number here.
pub(crate) fn returned(order: &BookOrder, items: &[String]) -> Result<Vec<LineQuantity>> {
    let mut said = Vec::new();
    for item in items {
        let none = item.rsplit_once('=').filter(|(name, count)| !name.is_empty() && *count == "0");
        let back = |line: &BookLine| line.refunded > Decimal::ZERO;
        let open: Vec<(&BookLine, Decimal)> =
            order.lines.iter().filter(|line| back(line)).map(|line| (line, line.refunded)).collect();
        match none {
            None => said.extend(wanted(order, &open, std::slice::from_ref(item), &RETURNED)?),
            Some((name, _)) => {
                let of_it = matching(order, &open, name, Decimal::ONE, &RETURNED)?;
                said.extend(of_it.into_iter().map(|(line, _)| quantity(line, Decimal::ZERO)));
            }
        }
    }
    Ok(said)
}

fn wanted(
    order: &BookOrder,
    open: &[(&BookLine, Decimal)],
    items: &[String],
    purpose: &Purpose,
) -> Result<Vec<LineQuantity>> {
    let mut chosen: Vec<LineQuantity> = Vec::new();
    for item in items {
        let (name, count) = parse(item, purpose)?;
        let mut missing = count;
        for (line, left) in matching(order, open, name, count, purpose)? {
            let taken = sum(chosen.iter().filter(|c| c.line_id == line.remote_id).map(|c| c.quantity));
            let take = missing.min(left - taken);
            if take > Decimal::ZERO {
                missing -= take;
                match chosen.iter_mut().find(|c| c.line_id == line.remote_id) {
                    Some(already) => already.quantity += take,
                    None => chosen.push(quantity(line, take)),
                }
            }
        }
        if missing > Decimal::ZERO {
            let text = format!(
                "order {} has only {} of {name} {}, not {count}; {}",
                order.id,
                count - missing,
                purpose.left,
                purpose.not_done
            );
            let hint = order.unclear_words().filter(|_| purpose.flag == SHIPPED.flag);
            let hint = hint.map_or_else(|| format!("ordersync show book:{}", order.id), |(_, hint)| hint);
            return Err(Error::new(ErrorKind::Refused, text).hint(hint));
        }
    }
    Ok(chosen)
}

/// The merchant's own earlier dispatch of the same lines and quantities under the same numbers, if
/// there is one. Where nothing is left, all that was left is what went out under these numbers.
pub(super) fn already<'a>(order: &'a BookOrder, items: &[String], parcels: &[Parcel]) -> Result<Option<&'a OutboxRow>> {
    let numbers = numbers(parcels);
    let mut wanted = Pieces::new();
    for item in items {
        let (name, count) = parse(item, &SHIPPED)?;
        add(&mut wanted, kind(order, name), count);
    }
    let open: Vec<&BookLine> = order.lines.iter().filter(|line| line.ships && line.open() > Decimal::ZERO).collect();
    if items.is_empty() {
        open.iter().for_each(|line| add(&mut wanted, kind_of(line), line.open()));
    }
    let nothing_left = items.is_empty() && open.is_empty();
    Ok(order.outbox.iter().rev().find(|row| {
        let Goal::Dispatched(earlier) = &row.goal else { return false };
        let counts = row.shipment.is_some() && row.state != OutboxState::Failed;
        counts
            && numbers == self::numbers(&earlier.parcels)
            && (nothing_left || wanted == pieces(order, &earlier.lines))
    }))
}

/// A number's carrier is not changed by saying the dispatch again, and what was said is not
/// dropped. It may have been corrected since the dispatch.
pub(super) fn refuse_other_carrier(
    order: &BookOrder,
    earlier: &OutboxRow,
    parcels: &[Parcel],
    can_replace: bool,
) -> Result<()> {
    let Goal::Dispatched(sent) = &earlier.goal else { return Ok(()) };
    let now = || order.shipments.iter().filter(|one| one.own).flat_map(|one| &one.parcels).chain(&sent.parcels);
    let other = |parcel: &&Parcel| {
        let known = now().find(|known| same_number(&known.tracking, &parcel.tracking));
        known.filter(|known| !parcel.carrier.is_empty() && !parcel.carrier.eq_ignore_ascii_case(&known.carrier))
    };
    let Some((parcel, known)) = parcels.iter().find_map(|parcel| other(&parcel).map(|known| (parcel, known))) else {
        return Ok(());
    };
    let with = if known.carrier.is_empty() { "without a carrier" } else { known.title() };
    let text = format!(
        "order {} is dispatched under {} already, {with} and not {}; nothing was recorded or sent",
        order.id,
        known.tracking,
        parcel.title()
    );
    let hint = if earlier.state == OutboxState::Queued && !earlier.may_be_there {
        format!("it has not gone out: ordersync outbox --withdraw {} takes it back, then dispatch it again", earlier.id)
    } else if can_replace {
        format!(
            "ordersync dispatch book:{} --replaces {1:?} --tracking {1:?} --carrier NAME corrects the carrier",
            order.id, known.tracking
        )
    } else {
        "correct the carrier in the channel's own pages".to_owned()
    };
    Err(Error::new(ErrorKind::Refused, text).hint(hint))
}

/// Other pieces under a number that the order has already are a slip, or more of the same parcel:
/// only the merchant can tell.
pub(super) fn refuse_known_number(order: &BookOrder, shipment: &Shipment) -> Result<()> {
    let with = |parcel: &Parcel| {
        let mut own = order.shipments.iter().filter(|one| one.own && one.state != OutboxState::Failed.word());
        own.find(|one| one.parcels.iter().any(|known| same_number(&known.tracking, &parcel.tracking)))
    };
    let known = shipment.parcels.iter().find_map(|parcel| with(parcel).map(|known| (parcel, known)));
    let Some((parcel, known)) = known else { return Ok(()) };
    let text = format!(
        "order {} has the tracking number {} already, for {}, and this is {}; nothing was recorded or sent",
        order.id,
        parcel.tracking,
        words(&pieces(order, &known.lines)),
        words(&pieces(order, &shipment.lines)),
    );
    Err(Error::new(ErrorKind::Refused, text)
        .hint("add --again if it is right: more pieces in that parcel, or a further one under its number"))
}

/// `2 × TEE-001, 1 × MUG-9`.
fn words(pieces: &Pieces) -> String {
    pieces.iter().map(|(what, count)| format!("{} × {what}", count.normalize())).collect::<Vec<_>>().join(", ")
}

/// How many of what, whichever line it is taken from.
type Pieces = BTreeMap<String, Decimal>;

fn add(pieces: &mut Pieces, what: String, count: Decimal) {
    let so_far = pieces.entry(what).or_default();
    *so_far = so_far.saturating_add(count);
}

fn pieces(order: &BookOrder, lines: &[LineQuantity]) -> Pieces {
    let mut pieces = Pieces::new();
    for sent in lines {
        let line = order.lines.iter().find(|line| line.remote_id == sent.line_id);
        add(&mut pieces, line.map_or_else(|| sent.line_id.clone(), kind_of), sent.quantity);
    }
    pieces
}

fn kind_of(line: &BookLine) -> String {
    if line.sku.is_empty() { format!("line {}", line.remote_id) } else { line.sku.clone() }
}

fn kind(order: &BookOrder, name: &str) -> String {
    numbered(order, name).map_or_else(|| name.to_owned(), kind_of)
}

/// The line that `#2` names.
fn numbered<'a>(order: &'a BookOrder, name: &str) -> Option<&'a BookLine> {
    let number = name.strip_prefix('#')?.parse::<usize>().ok()?;
    order.lines.get(number.checked_sub(1)?)
}

fn numbers(parcels: &[Parcel]) -> BTreeSet<String> {
    parcels.iter().map(|parcel| normal_number(&parcel.tracking)).collect()
}

fn parse<'a>(item: &'a str, purpose: &Purpose) -> Result<(&'a str, Decimal)> {
    let usage =
        || Error::new(ErrorKind::Usage, format!("{} {item:?} is not SKU=QTY; nothing was recorded", purpose.flag));
    let (name, count) = item.rsplit_once('=').ok_or_else(usage)?;
    let plain = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let count = parse_decimal(count).map_err(|_| usage())?;
    if name.is_empty() || !plain || count <= Decimal::ZERO { Err(usage()) } else { Ok((name, count)) }
}

/// The open lines with this SKU, or the line with this number.
fn matching<'a>(
    order: &BookOrder,
    open: &[(&'a BookLine, Decimal)],
    name: &str,
    count: Decimal,
    purpose: &Purpose,
) -> Result<Vec<(&'a BookLine, Decimal)>> {
    let Purpose { left, not_done, listed, .. } = purpose;
    let ordered = |line: &&BookLine| match numbered(order, name) {
        Some(numbered) => line.remote_id == numbered.remote_id,
        None => line.sku == name,
    };
    if numbered(order, name).is_some() && order.lines.iter().any(|line| line.sku == name) {
        let text = format!("order {}: {name:?} is a line's number and a line's SKU; nothing was recorded", order.id);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    if !count.is_integer() && order.lines.iter().filter(ordered).all(|line| line.quantity.is_integer()) {
        let text = format!("order {} has whole pieces of {name}, not {count}; nothing was recorded", order.id);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    let found: Vec<_> = open.iter().filter(|(line, _)| ordered(line)).copied().collect();
    if found.is_empty() && order.lines.iter().any(|line| ordered(&line)) {
        let text = format!("order {} has nothing of {name} {left}; {not_done}", order.id);
        let hint = order.unclear_words().filter(|_| purpose.flag == SHIPPED.flag);
        let hint = hint.map_or_else(|| format!("ordersync show book:{} {listed}", order.id), |(_, hint)| hint);
        return Err(Error::new(ErrorKind::Refused, text).hint(hint));
    }
    if found.is_empty() {
        let skus: Vec<&str> = open.iter().map(|(line, _)| line.sku.as_str()).filter(|sku| !sku.is_empty()).collect();
        let text = format!("order {} has no line {name:?} {left} (left: {}); {not_done}", order.id, skus.join(", "));
        return Err(Error::new(ErrorKind::NotFound, text)
            .hint(format!("ordersync show book:{} numbers its lines; #2=1 takes one of the second", order.id)));
    }
    Ok(found)
}

fn quantity(line: &BookLine, quantity: Decimal) -> LineQuantity {
    LineQuantity { line_id: line.remote_id.clone(), quantity }
}
