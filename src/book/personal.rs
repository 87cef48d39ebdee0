//! What of the book is personal data: each column of each table, said once. Clearing an order goes
//! by this list, and a test holds it against the schema, so that no column comes in unclassed.
//!
//! Kept are keys, amounts, pieces, times, what was sold (SKU and title), tracking numbers, the
//! country that an order went to (with the region where tax hangs on it), and words of the channel
//! or of this program. Taken out is what tells of a person, and whatever people may have written:
//! what an option or a coupon says may be a name.

use std::borrow::Cow;
use std::sync::OnceLock;

use rusqlite::{Connection, params};

use super::error::Done;
use crate::error::Result;
use crate::order::Order;

/// Where a region's own taxes are part of the total.
const TAXED_BY_REGION: [&str; 4] = ["BR", "CA", "IN", "US"];

/// What becomes of the rows of a table when the order `?1` is cleared.
enum Rows {
    /// They tell of no order.
    OfNoOrder,
    /// Those of the order stay, without what is personal.
    Stay(&'static str),
    /// Those of the order go: each condition names some of them.
    Go(&'static [&'static str]),
}

/// A table: its columns that hold texts or bytes, and are neither numbers nor times.
struct Table {
    name: &'static str,
    rows: Rows,
    /// Columns that are kept as they are, with blanks between.
    #[cfg_attr(not(test), expect(dead_code, reason = "what is classed is held against the schema by a test"))]
    kept: &'static str,
    /// Columns that are personal, each with what stands there afterwards.
    personal: &'static [(&'static str, &'static str)],
}

const fn kept(name: &'static str, rows: Rows, kept: &'static str) -> Table {
    Table { name, rows, kept, personal: &[] }
}

/// Rows of a table that tells of one order each.
const OF_ORDER: Rows = Rows::Stay("order_id = ?1");
const ALL_GO: Rows = Rows::Go(&["order_id = ?1"]);
const OF_SHIPMENT: Rows = Rows::Stay("shipment_id IN (SELECT id FROM shipments WHERE order_id = ?1)");

/// Reasons, links and whatever else is free text in what was told to the channel.
const GOAL: &str = "CASE WHEN NOT json_valid(goal) THEN '{}'
    WHEN kind = 'cancel' THEN json_set(goal, '$.cancelled.reason', '')
    WHEN kind = 'tracking' THEN json_remove(goal, '$.retracked.parcel.url', '$.retracked.before.url')
    ELSE json_set(goal, '$.dispatched.parcels', json((SELECT json_group_array(json_remove(p.value, '$.url'))
      FROM json_each(goal, '$.dispatched.parcels') p))) END";

/// All tables, those that others refer to behind these.
const TABLES: &[Table] = &[
    Table {
        name: "orders",
        rows: Rows::Stay("id = ?1"),
        kept: "remote_id number status bare_status channel_status presence currency total lines_total shipping_total \
               tax_total discount_total refunded_total shop_currency shop_totals payment_method source left_out",
        personal: &[
            ("buyer_remote_id", "''"),
            ("buyer_name", "''"),
            ("buyer_email", "''"),
            ("buyer_phone", "''"),
            ("payment_title", "''"),
            ("transaction_id", "''"),
            ("buyer_note", "''"),
            ("attributes", "'[]'"),
        ],
    },
    Table {
        name: "lines",
        rows: OF_ORDER,
        kept: "remote_id sku name product_id quantity refunded unit_price total tax refunded_there returned",
        personal: &[("variant", "''")],
    },
    Table {
        name: "addresses",
        rows: OF_ORDER,
        kept: "kind country",
        personal: &[
            ("remote_id", "NULL"),
            ("name", "''"),
            ("company", "''"),
            ("line1", "''"),
            ("line2", "''"),
            ("city", "''"),
            ("region", "iif(country IN ('BR', 'CA', 'IN', 'US'), region, '')"),
            ("postcode", "''"),
            ("phone", "''"),
            ("email", "''"),
        ],
    },
    Table {
        name: "charges",
        rows: OF_ORDER,
        kept: "kind remote_id amount tax",
        personal: &[("code", "iif(kind = 'tax', code, '')"), ("title", "iif(kind = 'tax', title, '')")],
    },
    Table { name: "refunds", rows: OF_ORDER, kept: "remote_id amount lines", personal: &[("reason", "''")] },
    kept("shipments", OF_ORDER, "key remote_id"),
    kept("shipment_lines", OF_SHIPMENT, "line_id quantity"),
    Table { name: "parcels", rows: OF_SHIPMENT, kept: "carrier tracking", personal: &[("url", "NULL")] },
    Table {
        name: "versions",
        rows: OF_ORDER,
        kept: "role",
        personal: &[("fingerprint", "zeroblob(16)"), ("codec", "0"), ("document", "CAST('{}' AS BLOB)")],
    },
    kept("accepted", ALL_GO, "field"),
    Table { name: "accepted_versions", rows: ALL_GO, kept: "", personal: &[("document", "")] },
    Table { name: "rejections", rows: ALL_GO, kept: "field", personal: &[("mark", "")] },
    kept("changes", ALL_GO, "field fate"),
    kept("undecided", ALL_GO, "tried"),
    Table { name: "edits", rows: ALL_GO, kept: "field", personal: &[("value", ""), ("channels", "")] },
    Table { name: "history", rows: OF_ORDER, kept: "what who", personal: &[("detail", "''")] },
    Table {
        name: "outbox",
        rows: OF_ORDER,
        kept: "kind guard state status_before error_kind written",
        personal: &[("goal", GOAL), ("doing", "''"), ("receipts", "'[]'"), ("acknowledged", "'[]'"), ("error", "NULL")],
    },
    Table {
        name: "inbox",
        rows: Rows::Go(&[
            "order_id = ?1 AND resolved_at IS NULL",
            "order_id = ?1 AND resolved_at IS NOT NULL",
            "order_id IS NULL AND resolved_at IS NOT NULL
               AND (store_id, subject) = (SELECT o.store_id, o.remote_id FROM orders o WHERE o.id = ?1)",
        ]),
        kept: "kind subject program",
        personal: &[("text", ""), ("hint", ""), ("document", "")],
    },
    Table { name: "holds", rows: ALL_GO, kept: "", personal: &[("reason", "")] },
    // Whom the merchant asked is not who has bought.
    kept("dropships", OF_ORDER, "supplier"),
    Table { name: "own_refunds", rows: OF_ORDER, kept: "amount lines known", personal: &[("reason", "''")] },
    kept("own_returns", OF_ORDER, "line_id returned of_given_back"),
    Table {
        name: "notes",
        rows: OF_ORDER,
        kept: "",
        personal: &[("text", "''"), ("removed_at", "coalesce(removed_at, written_at)")],
    },
    Table { name: "tags", rows: ALL_GO, kept: "", personal: &[("tag", "")] },
    kept("twins", OF_ORDER, "state how"),
    // Hashes of name, place and sum, which could be tried out.
    kept("twin_marks", ALL_GO, ""),
    kept("gone", OF_ORDER, ""),
    kept("searched", OF_ORDER, ""),
    kept("cleared", OF_ORDER, "how"),
    kept("forgetting", OF_ORDER, ""),
    // Of no order, or of its id alone. An error may quote a channel's own words, and those may name
    // anybody: addresses are left out where it is written down ([`unaddressed`]), and the rest goes
    // with the first order that is cleared ([`clear_told`]).
    kept(
        "stores",
        Rows::OfNoOrder,
        "name channel remote_id title url currency time_zone settings facts test_error paused_why told_kind",
    ),
    kept("cursors", Rows::OfNoOrder, "walk position again"),
    kept("counts", Rows::OfNoOrder, "status"),
    kept("runs", Rows::OfNoOrder, "kind"),
    kept("run_stores", Rows::OfNoOrder, "error_kind error notes"),
    kept("rereads", Rows::OfNoOrder, "remote_id why"),
    kept("hooks", Rows::OfNoOrder, "address"),
    kept("former_addresses", Rows::OfNoOrder, "address"),
    kept("deliveries", Rows::OfNoOrder, "key"),
    kept("unannounced", Rows::OfNoOrder, "remote_id"),
    // Numbers of people, until these are forgotten.
    kept("to_forget", Rows::OfNoOrder, "person"),
    kept("readings", Rows::OfNoOrder, "program statuses"),
    kept("zone_offsets", Rows::OfNoOrder, ""),
    kept("lanes", Rows::OfNoOrder, "lane standing"),
    kept("twins_unsought", Rows::OfNoOrder, ""),
    kept("comparisons", Rows::OfNoOrder, "asked"),
    kept("comparison_walks", Rows::OfNoOrder, "position"),
    kept("listed", Rows::OfNoOrder, "remote_id state why"),
    kept("search_seen", Rows::OfNoOrder, ""),
    kept("purges", Rows::OfNoOrder, "how"),
    kept("wiping", Rows::OfNoOrder, "failure"),
];

/// Before the rest: of an order's versions one stays, with the time of the newest.
const ONE_VERSION: [&str; 2] = [
    "UPDATE versions SET updated_at = (SELECT max(v.updated_at) FROM versions v WHERE v.order_id = ?1) WHERE order_id = ?1 AND role = 'base'",
    "DELETE FROM versions WHERE order_id = ?1 AND role = 'newest'",
];

impl Table {
    fn statements(&self) -> Vec<String> {
        let name = self.name;
        match self.rows {
            Rows::Stay(of) if !self.personal.is_empty() => {
                let set: Vec<String> =
                    self.personal.iter().map(|(column, blank)| format!("{column} = {blank}")).collect();
                vec![format!("UPDATE {name} SET {} WHERE {of}", set.join(", "))]
            }
            Rows::Go(which) => which.iter().map(|of| format!("DELETE FROM {name} WHERE {of}")).collect(),
            Rows::Stay(_) | Rows::OfNoOrder => Vec::new(),
        }
    }
}

/// Takes the personal data of an order out of every table but the index of words.
pub(super) fn clear(db: &Connection, order: i64) -> Result<()> {
    static SQL: OnceLock<Vec<String>> = OnceLock::new();
    let all = || {
        let versions = ONE_VERSION.into_iter().map(str::to_owned);
        versions.chain(TABLES.iter().flat_map(Table::statements)).collect()
    };
    for sql in SQL.get_or_init(all) {
        db.prepare_cached(sql).done("written")?.execute(params![order]).done("written")?;
    }
    Ok(())
}

/// What stands in the place of an error that a channel's own words may be in.
const GONE: &str = "what was said of it went with personal data that were cleared";

/// Takes out what was noted of a store in the words of others, who may have named anybody: why its
/// syncs, its test and its lists failed. That they did, and by which kind of error, stays.
pub(super) fn clear_told(db: &Connection, store: i64) -> Result<()> {
    for sql in [
        "UPDATE run_stores SET error = 'failed (' || coalesce(error_kind, '') || '); ' || ?2
         WHERE store_id = ?1 AND error IS NOT NULL AND instr(error, ?2) = 0",
        "UPDATE run_stores SET notes = '[]' WHERE store_id = ?1 AND notes <> '[]' AND ?2 <> ''",
        "UPDATE stores SET test_error = iif(test_error IS NULL, NULL, ?2), paused_why = NULL
         WHERE id = ?1 AND (paused_why IS NOT NULL OR test_error <> ?2)",
        "UPDATE inbox SET text = ?2 WHERE store_id = ?1 AND order_id IS NULL AND kind IN ('credentials', 'unshown') AND text <> ?2",
    ] {
        db.prepare_cached(sql).done("written")?.execute(params![store, GONE]).done("written")?;
    }
    Ok(())
}

/// What stands in the place of an e-mail address.
const ADDRESS: &str = "(an address)";

/// A text that may quote a channel, without e-mail addresses.
pub(super) fn unaddressed(text: &str) -> Cow<'_, str> {
    let is_address = |word: &str| {
        let parts = word.split_once('@').or_else(|| word.split_once("%40"));
        parts.is_some_and(|(who, place)| !who.is_empty() && !place.is_empty())
    };
    if !text.split_whitespace().any(is_address) {
        return Cow::Borrowed(text);
    }
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let bare = word.trim_end();
        if is_address(bare) { word.replace(bare, ADDRESS) } else { word.to_owned() }
    });
    Cow::Owned(words.collect())
}

impl Order {
    /// The same without what [`clear`] takes out: what a version that comes later may still tell.
    pub(super) fn without_personal(&self) -> Self {
        let mut bare = self.clone();
        bare.buyer = Default::default();
        bare.buyer_note.clear();
        bare.payment.title.clear();
        bare.payment.transaction_id.clear();
        bare.attributes.clear();
        for address in bare.ship_to.iter_mut().chain(&mut bare.bill_to) {
            let (country, mut region) = (std::mem::take(&mut address.country), std::mem::take(&mut address.region));
            if !TAXED_BY_REGION.contains(&country.as_str()) {
                region.clear();
            }
            *address = crate::order::Address { country, region, ..Default::default() };
        }
        bare.lines.iter_mut().for_each(|line| line.variant.clear());
        for charge in bare.charges.iter_mut().filter(|charge| charge.kind != crate::order::ChargeKind::Tax) {
            charge.code.clear();
            charge.title.clear();
        }
        bare.refunds.iter_mut().for_each(|refund| refund.reason.clear());
        bare.shipments.iter_mut().flat_map(|one| &mut one.parcels).for_each(|parcel| parcel.url = None);
        bare
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn x3_addresses_in_a_text_of_others_are_left_out() {
        for (text, kept) in [
            ("refused (400): cannot render", "refused (400): cannot render"),
            ("no order of a.b+c@example.test today", "no order of (an address) today"),
            ("to <zoë@example.test>,\nnor x%40y.test", "to (an address)\nnor (an address)"),
            ("2 @ 3.00, @home, a@", "2 @ 3.00, @home, a@"),
            ("", ""),
        ] {
            assert_eq!(unaddressed(text), kept);
        }
    }

    /// A step of the schema that adds a text is held up here until somebody says what it holds.
    #[test]
    fn x3_every_text_of_the_book_is_classed_as_personal_or_not() {
        let db = Connection::open_in_memory().unwrap();
        super::super::SCHEMA.iter().for_each(|step| db.execute_batch(step).unwrap());
        let names = |sql: &str| -> BTreeSet<String> {
            db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        // The index of words keeps tables of its own, which `search.rs` clears.
        let index = "('search', 'search_data', 'search_idx', 'search_content', 'search_docsize', 'search_config')";
        let there = names(&format!("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN {index}"));
        let classed: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        assert_eq!(there, classed);
        for table in TABLES {
            let texts = names(&format!(
                "SELECT name FROM pragma_table_xinfo('{}') WHERE type NOT LIKE 'INTEGER%' AND type NOT LIKE 'REAL%'",
                table.name
            ));
            let all = names(&format!("SELECT name FROM pragma_table_xinfo('{}')", table.name));
            let kept = table.kept.split_whitespace().map(str::to_owned);
            let personal = table.personal.iter().map(|(name, _)| (*name).to_owned());
            let classed: Vec<String> = kept.chain(personal).collect();
            let once: BTreeSet<String> = classed.iter().cloned().collect();
            assert_eq!(once.len(), classed.len(), "{}: a column is classed twice", table.name);
            assert!(once.is_subset(&all), "{}: no such column: {once:?}", table.name);
            assert!(texts.is_subset(&once), "{}: not classed: {:?}", table.name, texts.difference(&once));
        }
        let regions = TAXED_BY_REGION.map(|country| format!("'{country}'")).join(", ");
        let addresses = TABLES.iter().find(|table| table.name == "addresses").unwrap();
        assert!(addresses.personal.iter().any(|(name, blank)| *name == "region" && blank.contains(&regions)));
    }
}
