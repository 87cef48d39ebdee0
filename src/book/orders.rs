//! Finding an order by what the merchant calls it.

use rusqlite::{OptionalExtension, params};

use super::Book;
use super::error::Done;
use crate::error::{Error, ErrorKind, Result};

impl Book {
    /// The short number of the order meant by `reference`: its short number, `STORE:ID` with the channel's id or number, or the
    /// channel's own number where only one order has it. A `#` before a number is the channel's way of writing it.
    ///
    /// # Errors
    /// `NotFound` for no such order, `Usage` where several are meant; it names them.
    pub fn find(&self, reference: &str) -> Result<i64> {
        let reference = reference.trim();
        if let Some((store, id)) = reference.split_once(':') {
            if let Some(found) = self.find_in_store(store, id)? {
                return Ok(found);
            }
            let text = format!("no order {reference} is in the book");
            return Err(Error::new(ErrorKind::NotFound, text)
                .hint(format!("ordersync pull {reference} reads it from the channel")));
        }
        if let Ok(number) = reference.parse::<i64>() {
            let found = self
                .db
                .prepare_cached("SELECT id FROM orders WHERE id = ?")
                .done("read")?
                .query_row([number], |row| row.get(0))
                .optional()
                .done("read")?;
            if let Some(id) = found {
                return Ok(id);
            }
        }
        self.find_by_number(reference)
    }

    fn find_in_store(&self, store: &str, id: &str) -> Result<Option<i64>> {
        let sql = "SELECT o.id FROM orders o JOIN stores s ON s.id = o.store_id WHERE s.name = ?1 AND o.remote_id = ?2
                   UNION ALL
                   SELECT o.id FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.number = ?2 AND s.name = ?1 LIMIT 1";
        self.db
            .prepare_cached(sql)
            .done("read")?
            .query_row(params![store, id], |row| row.get(0))
            .optional()
            .done("read")
    }

    fn find_by_number(&self, number: &str) -> Result<i64> {
        let sql = "SELECT o.id, s.name || ':' || o.remote_id FROM orders o JOIN stores s ON s.id = o.store_id
                   WHERE o.number IN (?1, ltrim(?1, '#'), '#' || ?1) LIMIT 6";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([number], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
        let found: Vec<(i64, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
        match found.as_slice() {
            [(id, _)] => Ok(*id),
            [] => Err(Error::new(ErrorKind::NotFound, format!("no order {number:?} is in the book"))
                .hint("ordersync orders lists them; STORE:ID names one by the channel's id")),
            several => {
                let names: Vec<&str> = several.iter().map(|(_, name)| name.as_str()).collect();
                let text = format!("several orders are called {number}: {}; nothing was done", names.join(", "));
                Err(Error::new(ErrorKind::Usage, text).hint("name the one you mean as STORE:ID"))
            }
        }
    }
}
