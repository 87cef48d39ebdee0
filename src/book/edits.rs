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
use super::inbox::{EDITED, InboxKind, InboxNote, put_note, resolve_note, resolve_order};
use super::trail::{self, By, Who};
use super::{accepted, acts, copy, twins};
use crate::clock::{Timestamp, from_millis};
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
            super::clearing::refuse_cleared(db, order)?;
            let known = of(db, order)?;
            for (place, value) in new.edits {
                let before = known.iter().find(|edit| edit.place == *place);
                let channels = match before {
                    Some(edit) => edit.channels.clone(),
                    None => standing(db, order, *place)?,
                };
                put(db, order, &Edit { place: *place, value: value.clone(), channels }, by.at)?;
                put_row(db, order, *place, Some(value))?;
            }
            // Who edits again has seen what changed under all that was edited before.
            let settles = |field: &Field| {
                let before = known.iter().filter(|edit| edit.place.field() == *field);
                before.into_iter().all(|edit| new.edits.iter().any(|(place, _)| *place == edit.place))
                    && new.edits.iter().any(|(place, _)| place.field() == *field)
            };
            let settled: Vec<Field> = accepted::followed(db, order)?.into_iter().filter(settles).collect();
            accepted::take_applied(db, order, &settled)?;
            seen(db, order, by.at)?;
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
            // What was followed under the edit is the merchant's now.
            let mut settled = accepted::followed(db, order)?;
            settled.retain(|field| fields.contains(field));
            accepted::settle(db, order, &settled)?;
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

/// The merchant has looked at what the channel has changed: what is told of edits is dealt with,
/// but for what was followed under one and is not settled yet.
pub(super) fn seen(db: &Connection, order: i64, now: Timestamp) -> Result<()> {
    if accepted::followed(db, order)?.is_empty() {
        resolve_order(db, order, &[EDITED], now)?;
    }
    Ok(())
}

/// What was told of the channel's changes under an edit is dealt with once nothing is left of those
/// that were followed before.
pub(super) fn settled(db: &Connection, order: i64, followed: &[Field], now: Timestamp) -> Result<()> {
    if followed.is_empty() || !accepted::followed(db, order)?.is_empty() {
        return Ok(());
    }
    let sql = "SELECT remote_id FROM orders WHERE id = ?";
    let remote_id: String = db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")?;
    resolve_note(db, order, InboxKind::Edited, &remote_id, now)
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

/// What became of the merchant's edits when the copy was made anew.
#[derive(Debug, Default)]
pub(super) struct Overlaid {
    /// The fields in which the channel has another value than before.
    pub(super) news: Vec<Field>,
    /// The addresses, counted from one as they stood, that are not there as they were: what the
    /// merchant had edited in them is given up.
    pub(super) dropped: Vec<usize>,
}

/// Lays what the merchant has edited over what the copy is about to be, and notes what the channel
/// has in its place. An edit lies over the address that it was made of, wherever that stands by
/// now; where that cannot be told it is given up, as a parcel would go to a wrong door.
pub(super) fn overlay(db: &Connection, id: i64, order: &mut Order, by: By) -> Result<Overlaid> {
    let edits = of(db, id)?;
    if edits.is_empty() {
        return Ok(Overlaid::default());
    }
    let before = copy::addresses(db, id, "ship")?.len();
    let places: Vec<Option<Place>> = edits.iter().map(|edit| edit.place_in(before, &order.ship_to)).collect();
    let mut laid = Overlaid::default();
    let mut moved = Vec::new();
    for (edit, place) in edits.iter().zip(places) {
        let Some(place) = place else {
            laid.dropped.push(edit.place.position() + 1);
            moved.push((edit, None));
            continue;
        };
        let now = lay(order, edit, place);
        if now.channels != edit.channels {
            laid.news.push(place.field());
        }
        if now != *edit {
            moved.push((edit, Some(now)));
        }
    }
    renew(db, id, &moved)?;
    if !laid.dropped.is_empty() {
        for (edit, _) in moved.iter().filter(|(_, now)| now.is_none()) {
            say_given_up(db, id, edit, by.who(Who::Program))?;
        }
        let note = InboxNote::edit_given_up(id, &laid.dropped);
        // Beside what is told of edits that stay.
        let subject = format!("{} addresses", order.remote_id);
        put_note(db, Some(twins::store_of(db, id)?), Some(id), &subject, &note, by.at)?;
    }
    Ok(laid)
}

impl Edit {
    /// Where it lies among these addresses, the order having had `before` so many: over the one
    /// with the same id at the channel. Where that has none, over the only one, or where it lay if
    /// their number and what stands there are as before. Nothing where that cannot be told.
    pub(crate) fn place_in(&self, before: usize, now: &[Address]) -> Option<Place> {
        let (Place::Address(position), Value::Address(own)) = (self.place, &self.value) else {
            return Some(self.place);
        };
        if own.remote_id.is_some() {
            let mut same = now.iter().enumerate().filter(|(_, there)| there.remote_id == own.remote_id);
            let found = same.next().map(|(position, _)| Place::Address(position));
            return found.filter(|_| same.next().is_none());
        }
        match &self.channels {
            // The channel told none, and the merchant knew one.
            None => (before <= 1 && now.len() <= 1).then_some(Place::Address(0)),
            Some(_) if before == 1 && now.len() == 1 => Some(Place::Address(0)),
            Some(Value::Address(stood)) => {
                let is_there = now.get(position).is_some_and(|there| there == stood.as_ref());
                (before == now.len() && is_there).then_some(self.place)
            }
            Some(Value::Text(_)) => None,
        }
    }
}

/// Puts the edited value in this place, and gives the edit as it stands there.
fn lay(order: &mut Order, edit: &Edit, place: Place) -> Edit {
    let mut now = Edit { place, ..edit.clone() };
    match (place, &mut now.value) {
        (Place::Notes, Value::Text(text)) => {
            now.channels = Some(Value::Text(std::mem::replace(&mut order.buyer_note, text.clone())));
        }
        (Place::Address(position), Value::Address(own)) => match order.ship_to.get_mut(position) {
            Some(there) => {
                own.remote_id.clone_from(&there.remote_id);
                now.channels = Some(Value::Address(Box::new(std::mem::replace(there, own.as_ref().clone()))));
            }
            // The channel tells no address at all, and the merchant knows one.
            None => {
                order.ship_to.push(own.as_ref().clone());
                now.channels = None;
            }
        },
        _ => {}
    }
    now
}

/// Notes of each of these edits how it stands now; nothing: it is given up.
fn renew(db: &Connection, order: i64, moved: &[(&Edit, Option<Edit>)]) -> Result<()> {
    let mut since = Vec::new();
    // All of them leave their places before one takes the place of another.
    for (edit, now) in moved {
        let sql = "DELETE FROM edits WHERE order_id = ? AND field = ? AND position = ? RETURNING edited_at";
        let at: i64 = db
            .prepare_cached(sql)
            .done("written")?
            .query_row(params![order, edit.place.field().word(), edit.place.position()], |row| row.get(0))
            .done("written")?;
        since.extend(now.as_ref().map(|now| (now, at)));
    }
    since.into_iter().try_for_each(|(edit, at)| put(db, order, edit, from_millis(at)))
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
        say_given_up(db, order, &edit, by)?;
    }
    Ok(())
}

fn say_given_up(db: &Connection, order: i64, edit: &Edit, by: By) -> Result<()> {
    let words = format!("{}: {}", edit.place.field().word(), edit.value.words());
    trail::note(db, order, by, "edit given up", &words)
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
        resolve_order(db, order, &[EDITED], by.at)?;
    }
    Ok(dropped)
}

fn put(db: &Connection, order: i64, edit: &Edit, at: Timestamp) -> Result<()> {
    let channels = edit.channels.as_ref().map(json).transpose()?;
    db.execute(
        "INSERT OR REPLACE INTO edits VALUES (?, ?, ?, ?, ?, ?)",
        params![
            order,
            edit.place.field().word(),
            edit.place.position(),
            json(&edit.value)?,
            channels,
            at.timestamp_millis()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(street: &str, id: Option<&str>) -> Address {
        Address { remote_id: id.map(str::to_owned), line1: street.to_owned(), ..Address::default() }
    }

    fn edit(position: usize, id: Option<&str>, stood: Option<&str>) -> Edit {
        let value = |street: &str| Value::Address(Box::new(at(street, id)));
        Edit { place: Place::Address(position), value: value("9 Merchants Lane"), channels: stood.map(value) }
    }

    #[test]
    fn p5_an_edit_lies_over_the_address_that_it_is_of_and_nothing_is_guessed() {
        let place = |edit: &Edit, before, now: &[(&str, Option<&str>)]| {
            let now: Vec<Address> = now.iter().map(|(street, id)| at(street, *id)).collect();
            edit.place_in(before, &now).map(Place::position)
        };
        let (named, bare) = (edit(1, Some("8"), Some("B")), edit(1, None, Some("B")));
        for (what, edit, before, now, expected) in [
            ("as before", &named, 2, &[("A", Some("7")), ("B", Some("8"))][..], Some(1)),
            ("in another order", &named, 2, &[("B", Some("8")), ("A", Some("7"))], Some(0)),
            ("another street under its id", &named, 2, &[("C", Some("8")), ("A", Some("7"))], Some(0)),
            ("taken out", &named, 2, &[("A", Some("7"))], None),
            ("all of them new", &named, 2, &[("A", Some("17")), ("B", Some("18"))], None),
            ("no address any more", &named, 2, &[], None),
            ("an id that is there twice", &named, 2, &[("A", Some("8")), ("B", Some("8"))], None),
            ("without ids, as before", &bare, 2, &[("A", None), ("B", None)], Some(1)),
            ("without ids, in another order", &bare, 2, &[("B", None), ("A", None)], None),
            ("without ids, another street", &bare, 2, &[("A", None), ("C", None)], None),
            ("without ids, one less", &bare, 2, &[("B", None)], None),
            ("without ids, one more", &bare, 2, &[("A", None), ("B", None), ("C", None)], None),
        ] {
            assert_eq!(place(edit, before, now), expected, "{what}");
        }
        let only = edit(0, None, Some("B"));
        assert_eq!(place(&only, 1, &[("C", None)]), Some(0), "the only one");
        let own = edit(0, None, None);
        assert_eq!(place(&own, 1, &[]), Some(0), "still none at the channel");
        assert_eq!(place(&own, 1, &[("C", Some("7"))]), Some(0), "the only one");
        assert_eq!(place(&own, 1, &[("C", None), ("D", None)]), None, "one of several");
    }
}
