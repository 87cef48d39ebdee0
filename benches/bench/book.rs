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
    // Without what the book computes.
    let columns = |table: &str| -> String {
        let sql = format!("SELECT group_concat(name, ', ') FROM pragma_table_info('{table}')");
        db.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let (of_orders, of_parts) = (columns("orders"), PARTS.map(|part| (part, columns(part))));
    for copy in 1..wanted.div_ceil(base as u64) as i64 {
        let (shift, remote) = (copy * base, copy * (highest + 1));
        let mut sql = format!(
            "BEGIN; CREATE TEMP TABLE t AS SELECT {of_orders} FROM orders WHERE id <= {base};
             UPDATE t SET id = id + {shift}, remote_id = CAST(remote_id AS INTEGER) + {remote}, number = CAST(number AS INTEGER) + {remote},
               placed_at = placed_at - {copy} * 7777, buyer_email = {copy} || buyer_email;
             INSERT INTO orders ({of_orders}) SELECT * FROM t; DROP TABLE t;"
        );
        for (part, columns) in &of_parts {
            sql += &format!(
                "CREATE TEMP TABLE t AS SELECT {columns} FROM {part} WHERE order_id <= {base}; UPDATE t SET order_id = order_id + {shift};
                 INSERT INTO {part} ({columns}) SELECT * FROM t; DROP TABLE t;"
            );
        }
        db.execute_batch(&(sql + "COMMIT;")).unwrap();
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
}

/// What merchants search for: names, numbers, e-mail addresses, phone numbers and parts of them, of
/// orders all over the book.
pub fn searches(file: &Path, each: u64) -> Vec<String> {
    let db = Connection::open(file).unwrap();
    let (orders, mut found): (u64, Vec<String>) =
        (db.query_row("SELECT max(id) FROM orders", [], |row| row.get(0)).unwrap(), Vec::new());
    for n in 0..each {
        let id = n * 7919 * 31 % orders + 1;
        let sql = "SELECT o.number, o.buyer_name, o.buyer_email, o.buyer_phone, l.sku FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.id = ?";
        let texts: [String; 5] = db
            .query_row(sql, [id], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
            .unwrap();
        let [number, name, email, phone, sku] = texts;
        let last = name.split(' ').next_back().unwrap_or_default().to_owned();
        let part = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
        found.extend([
            part(&number, 4),
            part(&last, 4),
            part(&phone, 7),
            format!("{name} {sku}"),
            number,
            name,
            last,
            email,
            phone,
            sku,
        ]);
    }
    found.retain(|text| text.chars().any(char::is_alphanumeric));
    found
}

/// Bytes of the book, and how many of them are the index of words.
pub fn bytes(file: &Path) -> (u64, u64) {
    let db = Connection::open(file).unwrap();
    let size = |sql: &str| db.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap_or(0);
    let whole = size("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()");
    (whole, size("SELECT sum(length(block)) FROM search_data") + size("SELECT count(*) * 30 FROM searched"))
}
