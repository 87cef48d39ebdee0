//! Connected stores.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use super::error::{Done, odd};
use super::personal::unaddressed;
use super::{Book, undecided, zones};
use crate::channel::settings::{INTERVAL, SEND_AFTER, USUAL_INTERVAL};
use crate::channel::{ChannelKind, ShopInfo, Values};
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::http::told::kept_pause;
use crate::order::{Currency, Status};

/// A connected store. Its secrets are elsewhere (`credentials`).
#[derive(Debug, Clone)]
pub struct Store {
    /// The book's number of it.
    pub id: i64,
    /// Its name on the command line.
    pub name: String,
    /// The kind of its channel.
    pub kind: ChannelKind,
    /// What makes the shop the same shop under another name.
    pub remote_id: String,
    /// The shop's own name.
    pub title: String,
    /// Its address for people.
    pub url: String,
    /// Its currency, where the key may read it.
    pub currency: Option<Currency>,
    /// Its time zone in the channel's words.
    pub time_zone: String,
    /// Connection values and settings, none of them secret.
    pub values: Values,
    /// What the adapter found out about the shop.
    pub facts: serde_json::Value,
    /// How far back orders are wanted; `None`: all.
    pub since: Option<Timestamp>,
    /// When it was connected.
    pub(crate) connected_at: Timestamp,
    /// The last connection test and what was wrong with it, if anything.
    pub(crate) test: Option<(Timestamp, Option<String>)>,
    /// When orders were last imported without an error.
    pub(crate) last_sync_at: Option<Timestamp>,
    /// When the last autosync that ended, well or not, began.
    pub(crate) last_autosync_at: Option<Timestamp>,
    /// Until when the channel wants to be left alone.
    pub(crate) paused_until: Option<Timestamp>,
    /// Whether its credentials were refused when they were last used.
    pub(crate) refused: bool,
}

impl Store {
    /// Until when the channel wants to be left alone, if it does now and can mean it.
    pub(crate) fn pause(&self, now: Timestamp) -> Option<Timestamp> {
        kept_pause(self.paused_until, now)
    }

    /// How long after it was placed an order is not to be sent yet, if the merchant wants that.
    pub(crate) fn send_after(&self) -> Option<chrono::TimeDelta> {
        let minutes: i64 = self.values.get("send_after")?.trim().parse().ok()?;
        Some(chrono::TimeDelta::minutes(minutes.clamp(*SEND_AFTER.start(), *SEND_AFTER.end())))
    }

    /// How long the personal data of its closed orders are kept, if not for good.
    pub(crate) fn retain(&self) -> Option<chrono::TimeDelta> {
        self.values.get("retain").and_then(|text| crate::clock::parse_age(text))
    }

    /// How long two autosyncs of it are apart.
    pub(crate) fn interval(&self) -> chrono::TimeDelta {
        let minutes: Option<i64> = self.values.get("interval").and_then(|text| text.parse().ok());
        let minutes = minutes.unwrap_or(USUAL_INTERVAL);
        chrono::TimeDelta::minutes(minutes.clamp(*INTERVAL.start(), *INTERVAL.end()))
    }
}

/// A store to be connected.
#[derive(Debug, Clone)]
pub struct NewStore {
    /// Its name on the command line.
    pub name: String,
    /// The kind of its channel.
    pub kind: ChannelKind,
    /// What makes the shop the same shop under another name.
    pub remote_id: String,
    /// The shop's own name.
    pub title: String,
    /// Its address for people.
    pub url: String,
    /// Its currency.
    pub currency: Option<Currency>,
    /// Its time zone.
    pub time_zone: String,
    /// Connection values and settings.
    pub values: Values,
    /// What the adapter found out.
    pub facts: serde_json::Value,
    /// How far back orders are wanted.
    pub since: Option<Timestamp>,
}

/// How many orders of a store have which status.
pub(crate) type Counts = BTreeMap<(i64, &'static str), u64>;

/// How long a failure that stays is not told again.
const AGAIN: chrono::TimeDelta = chrono::TimeDelta::days(1);

const COLUMNS: &str = "id, name, channel, remote_id, title, url, currency, time_zone, settings, facts, since, connected_at, \
                       tested_at, test_error, last_sync_at, last_autosync_at, paused_until, \
                       EXISTS (SELECT 1 FROM inbox i INDEXED BY inbox_open WHERE i.store_id = stores.id AND i.kind = 'credentials' AND i.resolved_at IS NULL)";

impl Book {
    /// Adds a store. One that was removed before comes back with its orders and its position.
    ///
    /// # Errors
    /// `Refused` where the same shop is connected already, or the name is taken.
    pub fn add_store(&mut self, new: &NewStore) -> Result<Store> {
        let now = self.now_ms();
        let id = self.write("written", |db| {
            let same: Option<(i64, String, Option<i64>)> = db
                .query_row(
                    "SELECT id, name, removed_at FROM stores WHERE channel = ? AND remote_id = ?",
                    params![new.kind.word(), new.remote_id],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()
                .done("read")?;
            let taken: Option<i64> = db
                .query_row("SELECT id FROM stores WHERE name = ?", [&new.name], |row| row.get(0))
                .optional()
                .done("read")?;
            match same {
                Some((_, name, None)) => return Err(connected_already(&new.url, &name)),
                Some((id, _, Some(_))) if taken.is_none_or(|other| other == id) => return revive(db, id, new, now),
                _ => {}
            }
            if taken.is_some() {
                let text = format!("the name {} belongs to another shop whose orders are in the book; nothing was connected", new.name);
                return Err(Error::new(ErrorKind::Refused, text).hint("choose another --name"));
            }
            db.execute(
                "INSERT INTO stores (name, channel, remote_id, title, url, currency, time_zone, settings, facts, since, connected_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    new.name,
                    new.kind.word(),
                    new.remote_id,
                    new.title,
                    new.url,
                    new.currency.map(|c| c.to_string()),
                    new.time_zone,
                    json(&new.values),
                    new.facts.to_string(),
                    new.since.map(|at| at.timestamp_millis()),
                    now
                ],
            )
            .done("written")?;
            let id = db.last_insert_rowid();
            zones::keep(db, id, &new.time_zone)?;
            Ok(id)
        })?;
        store_by_id(&self.db, id)
    }

    /// The connected stores, by name.
    pub fn stores(&self) -> Result<Vec<Store>> {
        let sql = format!("SELECT {COLUMNS} FROM stores WHERE removed_at IS NULL ORDER BY name");
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let rows = statement.query_map([], store).done("read")?;
        rows.map(|row| row.done("read")?).collect()
    }

    /// Every store that has orders here: also those that are not connected any more, which come
    /// last.
    pub(crate) fn stores_of_old(&self) -> Result<Vec<Store>> {
        let sql = format!("SELECT {COLUMNS} FROM stores ORDER BY removed_at IS NOT NULL, name");
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let rows = statement.query_map([], store).done("read")?;
        rows.map(|row| row.done("read")?).collect()
    }

    /// The connected store of this name.
    pub fn store(&self, name: &str) -> Result<Option<Store>> {
        Ok(self.stores()?.into_iter().find(|store| store.name == name))
    }

    /// Takes over what a new probe found out.
    pub(crate) fn update_store(&mut self, id: i64, shop: &ShopInfo) -> Result<()> {
        self.write("written", |db| {
            db.execute(
                "UPDATE stores SET title = ?, url = ?, currency = coalesce(?, currency), time_zone = ?, facts = ? WHERE id = ?",
                params![shop.title, shop.url, shop.currency.map(|c| c.to_string()), shop.time_zone, shop.facts.to_string(), id],
            )
            .done("written")?;
            zones::keep(db, id, &shop.time_zone)
        })
    }

    /// Keeps one more fact about a store, until the next probe replaces them all.
    pub(crate) fn learn(&mut self, id: i64, name: &str, value: &serde_json::Value) -> Result<()> {
        self.write("written", |db| {
            let facts: String =
                db.query_row("SELECT facts FROM stores WHERE id = ?", [id], |row| row.get(0)).done("read")?;
            let mut facts: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&facts).unwrap_or_default();
            facts.insert(name.to_owned(), value.clone());
            let facts = serde_json::Value::from(facts).to_string();
            db.execute("UPDATE stores SET facts = ? WHERE id = ?", params![facts, id]).done("written")?;
            Ok(())
        })
    }

    /// Sets or removes one value of a store. Where that is what it does with changes, all that is
    /// kept beside its copies is decided again: gives of how many orders that is.
    pub(crate) fn set_store_value(&mut self, id: i64, key: &str, value: Option<&str>) -> Result<u64> {
        self.write("written", |db| {
            let Store { kind, values: before, .. } = store_by_id(db, id)?;
            let mut values = before.clone();
            match value {
                Some(value) => values.insert(key.to_owned(), value.to_owned()),
                None => values.remove(key),
            };
            db.execute("UPDATE stores SET settings = ? WHERE id = ?", params![json(&values), id]).done("written")?;
            undecided::note_all(db, id, kind, &before, &values)
        })
    }

    /// Disconnects a store. Its orders and its position stay.
    pub(crate) fn remove_store(&mut self, id: i64) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            db.execute("UPDATE stores SET removed_at = ? WHERE id = ?", [now, id]).done("written")?;
            db.execute(
                "UPDATE inbox SET resolved_at = ?, document = NULL WHERE store_id = ? AND resolved_at IS NULL",
                [now, id],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// Remembers how a connection test ended, for the advice about a first sync.
    pub(crate) fn note_test(&mut self, id: i64, passed: bool, why: &str) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            let error = (!passed).then_some(unaddressed(why));
            db.execute("UPDATE stores SET tested_at = ?, test_error = ? WHERE id = ?", params![now, error, id])
                .done("written")?;
            Ok(())
        })
    }

    /// Remembers until when the channel wants to be left alone, for every process (I-6). One that
    /// is kept already and ends later stays, unless nobody can mean it.
    pub(crate) fn pause(&mut self, id: i64, until: Timestamp, why: &str) -> Result<()> {
        let now = self.clock.now();
        self.write("written", |db| {
            let kept: Option<i64> =
                db.query_row("SELECT paused_until FROM stores WHERE id = ?", [id], |row| row.get(0)).done("read")?;
            if kept_pause(kept.map(from_millis), now).is_some_and(|kept| kept >= until) {
                return Ok(());
            }
            db.execute(
                "UPDATE stores SET paused_until = ?, paused_why = ? WHERE id = ?",
                params![until.timestamp_millis(), unaddressed(why), id],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// Forgets a pause: the channel has answered again.
    pub fn end_pause(&mut self, id: i64) -> Result<()> {
        self.write("written", |db| {
            db.execute("UPDATE stores SET paused_until = NULL, paused_why = NULL WHERE id = ?", [id])
                .done("written")?;
            Ok(())
        })
    }

    /// Whether a failure of this kind is news to the merchant: the first of an outage is, and then
    /// one a day. Remembers that it was told.
    pub(crate) fn is_news(&mut self, store: &str, error: &Error) -> Result<bool> {
        let now = self.now_ms();
        let again = now - AGAIN.num_milliseconds();
        self.write("written", |db| {
            let told = db.execute(
                "UPDATE stores SET told_kind = ?1, told_at = ?2
                 WHERE name = ?3 AND (told_kind IS NOT ?1 OR coalesce(told_at, 0) NOT BETWEEN ?4 AND ?2)",
                params![error.kind().word(), now, store, again],
            );
            Ok(told.done("written")? > 0)
        })
    }

    /// How many orders of each store have which status, and how many orders have a newer version
    /// beside them.
    pub(crate) fn counts(&self) -> Result<(Counts, u64)> {
        let mut statement =
            self.db.prepare_cached("SELECT store_id, status, orders FROM counts WHERE orders > 0").done("read")?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))).done("read")?;
        let mut counts = Counts::new();
        for row in rows {
            let (store, word, orders): (i64, String, u64) = row.done("read")?;
            let status: Status = word.parse().map_err(|_| odd("status", &word))?;
            counts.insert((store, status.word()), orders);
        }
        let drifted = self
            .db
            .query_row(
                "SELECT count(DISTINCT order_id) FROM changes INDEXED BY changes_apart WHERE fate <> 'applied'",
                [],
                |row| row.get(0),
            )
            .done("read")?;
        Ok((counts, drifted))
    }
}

fn store_by_id(db: &rusqlite::Connection, id: i64) -> Result<Store> {
    let sql = format!("SELECT {COLUMNS} FROM stores WHERE id = ?");
    db.query_row(&sql, [id], store).done("read")?
}

/// Takes a store up again that was removed. One that is wanted from further back than before is
/// read from there as at first, as what its walks stand behind was never asked for.
fn revive(db: &rusqlite::Connection, id: i64, new: &NewStore, now: i64) -> Result<i64> {
    let since = new.since.map(|at| at.timestamp_millis());
    db.execute(
        "DELETE FROM cursors WHERE store_id = ?1
           AND (SELECT since IS NOT NULL AND (?2 IS NULL OR ?2 < since) FROM stores WHERE id = ?1)",
        params![id, since],
    )
    .done("written")?;
    undecided::note_all(db, id, new.kind, &store_by_id(db, id)?.values, &new.values)?;
    db.execute(
        "UPDATE stores SET removed_at = NULL, name = ?, title = ?, url = ?, settings = ?, facts = ?, connected_at = ?,
           tested_at = NULL, test_error = NULL, paused_until = NULL, since = CASE WHEN ? IS NULL OR since IS NULL THEN NULL ELSE min(since, ?) END
         WHERE id = ?",
        params![
            new.name,
            new.title,
            new.url,
            json(&new.values),
            new.facts.to_string(),
            now,
            since,
            since,
            id
        ],
    )
    .done("written")?;
    Ok(id)
}

/// Checks a store's name: it becomes a file name and a word on the command line.
pub(crate) fn check_store_name(name: &str) -> Result<()> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let rest = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if name == super::BOOK {
        let text =
            format!("{name:?} cannot name a store: {name}:17 is an order's number in the book; nothing was connected");
        return Err(Error::new(ErrorKind::Usage, text));
    }
    if first && rest && name.len() <= 40 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!(
            "{name:?} cannot name a store: 1 to 40 of a-z, 0-9, - and _, starting with a letter; nothing was connected"
        ),
    ))
}

fn connected_already(url: &str, name: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("{url} is connected already, as {name}; nothing was changed"))
        .hint(format!("new credentials for it: ordersync connect --reauth {name}"))
}

/// The values without what an older version kept of an endpoint beside scheme, host and port: there
/// may be a login in it.
fn alone(mut values: Values) -> Values {
    if let Some(endpoint) = values.get_mut("endpoint") {
        *endpoint = crate::channel::settings::endpoint_alone(endpoint);
    }
    values
}

fn json(values: &Values) -> String {
    serde_json::to_string(values).unwrap_or_else(|_| "{}".to_owned())
}

fn store(row: &Row<'_>) -> rusqlite::Result<Result<Store>> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(from_millis));
    let word: String = row.get(2)?;
    let Some(kind) = ChannelKind::from_word(&word) else { return Ok(Err(odd("channel", &word))) };
    let error: Option<String> = row.get(13)?;
    let (values, facts): (String, String) = (row.get(8)?, row.get(9)?);
    // Without its settings a store would be asked and written to in another way than was meant.
    let Ok(values) = serde_json::from_str(&values) else { return Ok(Err(odd("store", "its values"))) };
    Ok(Ok(Store {
        id: row.get(0)?,
        name: row.get(1)?,
        kind,
        remote_id: row.get(3)?,
        title: row.get(4)?,
        url: row.get(5)?,
        currency: row.get::<_, Option<String>>(6)?.and_then(|code| Currency::new(&code)),
        time_zone: row.get(7)?,
        values: alone(values),
        // What the adapter found out, it finds out again.
        facts: serde_json::from_str(&facts).unwrap_or_default(),
        since: time(10)?,
        connected_at: time(11)?.unwrap_or_default(),
        test: time(12)?.map(|at| (at, error)),
        last_sync_at: time(14)?,
        last_autosync_at: time(15)?,
        paused_until: time(16)?,
        refused: row.get(17)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_name_cannot_leave_its_directory() {
        for name in ["", "../x", "A", "a b", ".a", "a/b", "-a", "ä"] {
            assert!(check_store_name(name).is_err(), "{name}");
        }
        assert!(check_store_name("shopify-uk").is_ok());
    }
}
