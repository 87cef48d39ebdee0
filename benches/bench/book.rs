//! Books made for measuring.

use std::path::Path;

use rusqlite::Connection;

/// The tables whose rows belong to an order.
const PARTS: [&str; 6] = ["lines", "addresses", "charges", "refunds", "versions", "history"];

/// Both books must hold the same rows, or the comparison would be of two different things.
pub fn compare(sync: &Path, floor: &Path) {
    let (sync, floor) = (Connection::open(sync).unwrap(), Connection::open(floor).unwrap());
    for table in PARTS.iter().chain(&["orders", "counts"]) {
        let count = |db: &Connection| -> i64 {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        let (ours, bare) = (count(&sync), count(&floor));
        // The bare program does not know when a blank delivery address means the billing one.
        assert!((ours - bare).abs() * 200 <= ours, "rows of {table}: {ours} in a sync, {bare} in the bare program");
    }
}

/// Copies the orders of a book, with other ids and earlier times, until there are `wanted`.
pub fn multiply(file: &Path, wanted: u64) {
    let db = Connection::open(file).unwrap();
    db.execute_batch("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-200000;").unwrap();
    let (base, highest): (i64, i64) = db
        .query_row("SELECT count(*), max(CAST(remote_id AS INTEGER)) FROM orders", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    for copy in 1..wanted.div_ceil(base as u64) as i64 {
        let (shift, remote) = (copy * base, copy * (highest + 1));
        let mut sql = format!(
            "BEGIN; CREATE TEMP TABLE t AS SELECT * FROM orders WHERE id <= {base};
             UPDATE t SET id = id + {shift}, remote_id = CAST(remote_id AS INTEGER) + {remote}, number = CAST(number AS INTEGER) + {remote},
               placed_at = placed_at - {copy} * 7777, buyer_email = {copy} || buyer_email;
             INSERT INTO orders SELECT * FROM t; DROP TABLE t;"
        );
        for part in PARTS {
            sql += &format!(
                "CREATE TEMP TABLE t AS SELECT * FROM {part} WHERE order_id <= {base}; UPDATE t SET order_id = order_id + {shift};
                 INSERT INTO {part} SELECT * FROM t; DROP TABLE t;"
            );
        }
        db.execute_batch(&(sql + "COMMIT;")).unwrap();
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
}
