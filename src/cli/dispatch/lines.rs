//! Which lines a dispatch contains.

use rust_decimal::Decimal;

use crate::book::{BookLine, BookOrder};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, parse_decimal, sum};

/// The lines wanted by `items` (`SKU=QTY` or `#2=1`), or all that is left; and whether nothing that ships is left after them.
pub(super) fn choose(order: &BookOrder, items: &[String]) -> Result<(Vec<LineQuantity>, bool)> {
    let open: Vec<(&BookLine, Decimal)> = order
        .lines
        .iter()
        .filter(|line| line.ships)
        .map(|line| (line, line.open()))
        .filter(|(_, left)| *left > Decimal::ZERO)
        .collect();
    let chosen = if items.is_empty() { everything(order, &open)? } else { wanted(order, &open, items)? };
    let completes = open.iter().all(|(line, left)| {
        let taken = sum(chosen.iter().filter(|c| c.line_id == line.remote_id).map(|c| c.quantity));
        taken >= *left
    });
    Ok((chosen, completes))
}

/// All that is left. An order in which nothing goes into a parcel (downloads) is dispatched as a whole.
fn everything(order: &BookOrder, open: &[(&BookLine, Decimal)]) -> Result<Vec<LineQuantity>> {
    if !open.is_empty() {
        return Ok(open.iter().map(|(line, left)| quantity(line, *left)).collect());
    }
    if order.lines.iter().any(|line| line.ships) {
        let text = format!("order {} has nothing left to ship; nothing was recorded or sent", order.id);
        return Err(
            Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{} lists its shipments", order.id))
        );
    }
    Ok(order.lines.iter().map(|line| quantity(line, line.quantity)).collect())
}

fn wanted(order: &BookOrder, open: &[(&BookLine, Decimal)], items: &[String]) -> Result<Vec<LineQuantity>> {
    let mut chosen: Vec<LineQuantity> = Vec::new();
    for item in items {
        let (name, count) = parse(item)?;
        let mut missing = count;
        for (line, left) in matching(order, open, name)? {
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
                "order {} has only {} of {name} left to ship, not {count}; nothing was recorded or sent",
                order.id,
                count - missing
            );
            return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{}", order.id)));
        }
    }
    Ok(chosen)
}

fn parse(item: &str) -> Result<(&str, Decimal)> {
    let usage = || Error::new(ErrorKind::Usage, format!("--item {item:?} is not SKU=QTY; nothing was recorded"));
    let (name, count) = item.rsplit_once('=').ok_or_else(usage)?;
    let count = parse_decimal(count).map_err(|_| usage())?;
    if name.is_empty() || count <= Decimal::ZERO { Err(usage()) } else { Ok((name, count)) }
}

/// The open lines with this SKU, or the line with this number.
fn matching<'a>(
    order: &BookOrder,
    open: &[(&'a BookLine, Decimal)],
    name: &str,
) -> Result<Vec<(&'a BookLine, Decimal)>> {
    let by_number = name.strip_prefix('#').and_then(|n| n.parse::<usize>().ok());
    let found: Vec<_> = match by_number.and_then(|n| order.lines.get(n.checked_sub(1)?)) {
        Some(line) => open.iter().filter(|(l, _)| l.remote_id == line.remote_id).copied().collect(),
        None => open.iter().filter(|(line, _)| line.sku == name).copied().collect(),
    };
    if found.is_empty() {
        let skus: Vec<&str> = open.iter().map(|(line, _)| line.sku.as_str()).filter(|sku| !sku.is_empty()).collect();
        let text = format!(
            "order {} has no line {name:?} left to ship (left: {}); nothing was recorded or sent",
            order.id,
            skus.join(", ")
        );
        return Err(Error::new(ErrorKind::NotFound, text)
            .hint(format!("ordersync show book:{} numbers its lines; #2=1 takes one of the second", order.id)));
    }
    Ok(found)
}

fn quantity(line: &BookLine, quantity: Decimal) -> LineQuantity {
    LineQuantity { line_id: line.remote_id.clone(), quantity }
}
