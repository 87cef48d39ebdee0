//! What the merchant has edited in an order: values that lie over those of the channel, and stay
//! there whatever becomes of these (P-5).
//!
//! The copy's rows hold the merchant's value; the channel's stands beside it and is renewed
//! whenever the copy is, so that it can be shown, compared and given back.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::Book;
use super::error::{Done, odd};
use super::import::Kept;
use super::inbox::{InboxKind, resolve_order};
use super::trail::{self, By, Who};
use super::{accepted, acts, copy};
use crate::error::Result;
use crate::order::{Address, Difference, Field, Order, People};

/// What of an order can be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// One of the addresses that parcels go to.
    Address(usize),
    /// What the buyer wrote.
    Notes,
}

impl Place {
    /// The field that it is of.
    pub(crate) fn field(self) -> Field {
        match self {
            Self::Address(_) => Field::Address,
            Self::Notes => Field::Notes,
        }
    }

    fn position(self) -> usize {
        match self {
            Self::Address(position) => position,
            Self::Notes => 0,
        }
    }

    fn of(field: &str, position: usize) -> Option<Self> {
        match Field::from_word(field)? {
            Field::Address => Some(Self::Address(position)),
            Field::Notes => Some(Self::Notes),
            _ => None,
        }
    }
}

/// A value that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// A text.
    Text(String),
    /// An address.
    Address(Box<Address>),
}

impl Value {
    /// In words, on one line.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Text(text) if text.trim().is_empty() => "none".to_owned(),
            Self::Text(text) => text.trim().to_owned(),
            Self::Address(address) => address.in_words(),
        }
    }
}

/// Something that the merchant has edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// What.
    pub(crate) place: Place,
    /// As the merchant has it.
    pub(crate) value: Value,
    /// As it would be without; `None`: there would be nothing.
    pub(crate) channels: Option<Value>,
}

/// Values that are to lie over those of the channel.
pub(crate) struct NewEdits<'a> {
    /// The order's number.
    pub(crate) order: i64,
    /// The order's last event when it was read.
    pub(crate) event: Option<i64>,
    /// The values.
    pub(crate) edits: &'a [(Place, Value)],
    /// The same in words.
    pub(crate) differences: &'a [Difference],
}

impl Book {
    /// What the merchant has edited in an order.
    pub(crate) fn edits(&self, order: i64) -> Result<Vec<Edit>> {
        of(&self.db, order)
    }

    /// Lays the merchant's values over those of the channel. False, and nothing is
    /// changed, where the order has changed since it was read.
    pub(crate) fn edit(&mut self, new: &NewEdits<'_>) -> Result<bool> {
        let (by, order) = (self.by(Who::Merchant), new.order);
        self.write_durably("written", |db| {
            if acts::has_moved(db, order, new.event)? {
                return Ok(false);
            }
            let known = of(db, order)?;
            for (place, value) in new.edits {
                let before = known.iter().find(|edit| edit.place == *place);
                let channels = match before {
                    Some(edit) => edit.channels.clone(),
                    None => standing(db, order, *place)?,
                };
                put(db, order, &Edit { place: *place, value: value.clone(), channels }, by)?;
                put_row(db, order, *place, Some(value))?;
            }
            accepted::take_applied(db, order, &[])?;
            note(db, order, by, "edited", new.differences)?;
            Ok(true)
        })
    }

    /// Gives up what the merchant has edited in these fields: the copy has the channel's values
    /// again, and with `newest` comes what becomes of that version then. False, and nothing is changed,
    /// where the order has changed since it was read.
    pub(crate) fn revert(
        &mut self,
        order: i64,
        event: Option<i64>,
        fields: &[Field],
        newest: Option<(&Order, &Kept)>,
        differences: &[Difference],
    ) -> Result<bool> {
        let by = self.by(Who::Merchant);
        self.write_durably("written", |db| {
            if acts::has_moved(db, order, event)? {
                return Ok(false);
            }
            drop_of(db, order, fields, by)?;
            note(db, order, by, "reverted", differences)?;
            if let Some((seen, kept)) = newest {
                super::import::stand(db, order, seen, kept, by)?;
            }
            Ok(true)
        })
    }
}

fn note(db: &Connection, order: i64, by: By, what: &str, differences: &[Difference]) -> Result<()> {
    for found in differences {
        let words = format!("{}: {} → {}", found.aspect.word(), found.before, found.after);
        trail::note(db, order, by, what, &words)?;
    }
    Ok(())
}

pub(super) fn of(db: &Connection, order: i64) -> Result<Vec<Edit>> {
    let sql = "SELECT field, position, value, channels FROM edits WHERE order_id = ? ORDER BY field, position";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let mut rows = statement.query([order]).done("read")?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().done("read")? {
        let (field, position): (String, usize) = (row.get(0).done("read")?, row.get(1).done("read")?);
        let (value, channels): (String, Option<String>) = (row.get(2).done("read")?, row.get(3).done("read")?);
        let read = |text: &String| serde_json::from_str::<Value>(text).map_err(|_| odd("edited value", &field));
        let place = Place::of(&field, position).ok_or_else(|| odd("edited field", &field))?;
        found.push(Edit { place, value: read(&value)?, channels: channels.as_ref().map(read).transpose()? });
    }
    Ok(found)
}

/// The fields in which the merchant has edited something.
pub(super) fn fields(db: &Connection, order: i64) -> Result<Vec<Field>> {
    let words = acts::column::<String>(db, "SELECT DISTINCT field FROM edits WHERE order_id = ?", [order])?;
    Ok(words.iter().filter_map(|word| Field::from_word(word)).collect())
}

/// Lays what the merchant has edited over what the copy is about to be, and notes what the channel
/// has in its place. Gives the fields in which the channel has another value than before.
pub(super) fn overlay(db: &Connection, id: i64, order: &mut Order) -> Result<Vec<Field>> {
    let mut news = Vec::new();
    for mut edit in of(db, id)? {
        let channels = lay(order, &edit);
        if edit.channels != channels {
            news.push(edit.place.field());
            edit.channels = channels;
            let (field, position) = (edit.place.field().word(), edit.place.position());
            let sql = "UPDATE edits SET channels = ? WHERE order_id = ? AND field = ? AND position = ?";
            let text = edit.channels.as_ref().map(json).transpose()?;
            db.prepare_cached(sql).done("written")?.execute(params![text, id, field, position]).done("written")?;
        }
    }
    Ok(news)
}

/// Puts the edited value in its place, and gives what stood there.
fn lay(order: &mut Order, edit: &Edit) -> Option<Value> {
    match (edit.place, &edit.value) {
        (Place::Notes, Value::Text(text)) => Some(Value::Text(std::mem::replace(&mut order.buyer_note, text.clone()))),
        // The channel tells no address at all, and the merchant knows one.
        (Place::Address(_), Value::Address(own)) if order.ship_to.is_empty() => {
            order.ship_to.push(own.as_ref().clone());
            None
        }
        (Place::Address(position), Value::Address(own)) => {
            let Some(there) = order.ship_to.get_mut(position) else { return edit.channels.clone() };
            let own = Address { remote_id: there.remote_id.clone(), ..own.as_ref().clone() };
            Some(Value::Address(Box::new(std::mem::replace(there, own))))
        }
        _ => edit.channels.clone(),
    }
}

/// What the copy would know of people without what the merchant has edited.
pub(super) fn unedited(db: &Connection, order: i64, people: &mut People) -> Result<()> {
    // From the end: an address that only the merchant knows is taken out.
    for edit in of(db, order)?.into_iter().rev() {
        match (edit.place, edit.channels) {
            (Place::Notes, Some(Value::Text(text))) => people.buyer_note = text,
            (Place::Address(position), Some(Value::Address(address))) => {
                people.ship_to.get_mut(position).into_iter().for_each(|there| there.clone_from(&address));
            }
            (Place::Address(position), None) if position < people.ship_to.len() => {
                people.ship_to.remove(position);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Gives up what the merchant has edited in these fields, where there is any, and says so.
pub(super) fn give_up(db: &Connection, order: i64, fields: &[Field], by: By) -> Result<()> {
    for edit in drop_of(db, order, fields, by)? {
        let words = format!("{}: {}", edit.place.field().word(), edit.value.words());
        trail::note(db, order, by, "edit given up", &words)?;
    }
    Ok(())
}

/// Puts the channel's values back, and gives what was edited.
fn drop_of(db: &Connection, order: i64, fields: &[Field], by: By) -> Result<Vec<Edit>> {
    let all = of(db, order)?;
    let dropped: Vec<Edit> = all.into_iter().filter(|edit| fields.contains(&edit.place.field())).collect();
    for edit in &dropped {
        put_row(db, order, edit.place, edit.channels.as_ref())?;
        db.execute("DELETE FROM edits WHERE order_id = ? AND field = ?", params![order, edit.place.field().word()])
            .done("written")?;
    }
    if !dropped.is_empty() {
        resolve_order(db, order, &[InboxKind::Edited.word()], by.at)?;
    }
    Ok(dropped)
}

fn put(db: &Connection, order: i64, edit: &Edit, by: By) -> Result<()> {
    let channels = edit.channels.as_ref().map(json).transpose()?;
    db.execute(
        "INSERT OR REPLACE INTO edits VALUES (?, ?, ?, ?, ?, ?)",
        params![
            order,
            edit.place.field().word(),
            edit.place.position(),
            json(&edit.value)?,
            channels,
            by.at.timestamp_millis()
        ],
    )
    .done("written")?;
    Ok(())
}

fn json(value: &Value) -> Result<String> {
    serde_json::to_string(value).map_err(|e| odd("edited value", &e.to_string()))
}

/// What stands in the copy's row.
fn standing(db: &Connection, order: i64, place: Place) -> Result<Option<Value>> {
    Ok(match place {
        Place::Notes => {
            let sql = "SELECT buyer_note FROM orders WHERE id = ?";
            Some(Value::Text(db.query_row(sql, [order], |row| row.get(0)).done("read")?))
        }
        Place::Address(position) => {
            let there = copy::addresses(db, order, "ship")?.into_iter().nth(position);
            there.map(|address| Value::Address(Box::new(address)))
        }
    })
}

/// Puts a value in the copy's row.
fn put_row(db: &Connection, order: i64, place: Place, value: Option<&Value>) -> Result<()> {
    match (place, value) {
        (Place::Notes, Some(Value::Text(text))) => {
            db.execute("UPDATE orders SET buyer_note = ? WHERE id = ?", params![text, order]).done("written")?;
        }
        (Place::Address(position), value) => {
            db.execute(
                "DELETE FROM addresses WHERE order_id = ? AND kind = 'ship' AND position = ?",
                params![order, position],
            )
            .done("written")?;
            if let Some(Value::Address(address)) = value {
                copy::insert_address(db, order, "ship", position, address)?;
            }
        }
        (Place::Notes, _) => {}
    }
    Ok(())
}
