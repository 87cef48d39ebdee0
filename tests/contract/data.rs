//! What commands print for programs is what `docs/data.md` says, key by key (C-1): in a book in
//! which much has happened, of stores of every kind.

use std::collections::{BTreeMap, BTreeSet};

use ordersync::channel::ChannelKind;
use ordersync::sim::{Fault, FaultKind, Purchase};
use serde_json::Value;

use super::desk::Desk;
use super::setups::NUMBER;
use super::support::page::{Entry, csv_columns, section};

/// A home with a store of this kind in which each thing happens that a list tells of, and the ids
/// of its orders.
struct Book {
    desk: Desk,
    _other: Desk,
}

impl Book {
    fn new(kind: ChannelKind) -> Self {
        let beside = if kind == ChannelKind::Shopify { ChannelKind::BigCommerce } else { ChannelKind::Shopify };
        let (desk, other) = (Desk::empty(kind), Desk::empty(beside));
        desk.connect("--since all").exits(0);
        desk.connect_also(&other, "origin");
        let book = Self { desk, _other: other };
        book.fill();
        book
    }

    fn paid(&self) -> String {
        let id = self.desk.store.place(&Purchase::of(&[("TEE-001", 2)]));
        // Something of another order may wait or need the merchant, which it says.
        self.desk.home.run("sync").done();
        id
    }

    fn fill(&self) {
        let Self { desk, _other: other } = self;
        for setting in ["edits=review", "address=review", "cancels=review", "shipments=review"] {
            desk.set(setting);
        }
        // A sale in both stores, as far as this kind of store has a connector.
        let sale = other.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.store.place(&Purchase::of(&[("TEE-001", 1)]).note(&format!("Imported, order {sale}")).by_a_program());
        let changed = self.paid();
        assert!(desk.store.readdress(&changed, "77 Elsewhere") && desk.store.annotate(&changed, "ring twice"));
        let refunded = self.paid();
        assert!(desk.store.refund(&refunded, "1.00"));
        assert!(desk.store.refund_pieces(&self.paid(), 0, 1));
        desk.home.run("sync").done();
        desk.on("refund", &refunded, "--amount 1 --line TEE-001=1 --reason scratched").exits(0);
        let mine = self.paid();
        desk.on("note", &mine, "fragile").exits(0);
        desk.on("tag", &mine, "gift").exits(0);
        desk.on("edit", &mine, "--line1 Mine --buyer-note mine").exits(0);
        desk.on("hold", &mine, "--until 3d --reason asked").exits(0);
        desk.on("dropship", &self.paid(), "--to Sam").exits(0);
        self.send();
        let spoilt = self.paid();
        assert!(desk.store.touch(&spoilt) && desk.store.spoil(&spoilt, true));
        desk.home.run("sync").done();
        // What no list of this store has any more is compared.
        assert!(desk.store.erase(&self.paid()));
        desk.home.run("reconcile").done();
        desk.home.run("connect --test").exits(0);
        let entries = desk.home.json("inbox");
        let entry = entries.as_array().unwrap().last().unwrap()["entry"].as_str().unwrap().to_owned();
        desk.home.run(&format!("inbox --done {entry}")).exits(0);
    }

    /// Something differs from what the channel lists.
    fn differ(&self) {
        assert!(self.desk.store.erase(&self.paid()));
        let older = self.paid();
        self.desk.home.sql(&format!(
            "UPDATE versions SET updated_at = updated_at - 100000000
             WHERE order_id = (SELECT id FROM orders WHERE remote_id = '{older}') RETURNING 1"
        ));
    }

    /// Something of each state in the outbox.
    fn send(&self) {
        let desk = &self.desk;
        desk.on("dispatch", &self.paid(), NUMBER).exits(0);
        let renumbered = self.paid();
        desk.on("dispatch", &renumbered, "--carrier dhl --tracking JD02").exits(0);
        if desk.capabilities().replace_tracking {
            desk.on("dispatch", &renumbered, "--replaces JD02 --carrier dhl --tracking JD03 --later").exits(0);
        }
        let lost = self.paid();
        desk.server.faults().add(Fault::new(FaultKind::ServerError(500)).always());
        desk.on("dispatch", &lost, "--carrier dhl --tracking JD04").done();
        desk.home.run("sync").done();
        desk.server.faults().clear();
        for tracking in ["JD05", "JD06", "JD07", "JD08"] {
            desk.on("dispatch", &self.paid(), &format!("--carrier dhl --tracking {tracking} --later")).exits(0);
        }
        for (state, nth) in [("unknown", 0), ("failed", 1), ("sent", 2)] {
            desk.home.sql(&format!(
                "UPDATE outbox SET state = '{state}', attempted_at = queued_at, next_at = queued_at + 86400000, error = 'none'
                 WHERE id = (SELECT max(id) - {nth} FROM outbox) RETURNING 1"
            ));
        }
    }

    /// The numbers in the book of all its orders.
    fn orders(&self) -> Vec<String> {
        self.desk.home.sql("SELECT id FROM orders ORDER BY id")
    }
}

/// The commands of a section of the page.
fn commands(book: &Book, title: &str) -> Vec<String> {
    let of_all = |word: &str| book.orders().iter().map(|order| format!("{word} book:{order}")).collect();
    let kind = book.desk.kind;
    let fixed = |words: &[&str]| words.iter().map(|words| (*words).to_owned()).collect();
    match title {
        "show" => of_all("show"),
        "why" => {
            let mut all: Vec<String> = of_all("why");
            all.push(format!("why {kind}:987654321"));
            all
        }
        "outbox" => fixed(&["outbox", "outbox --all"]),
        "inbox" => fixed(&["inbox", "inbox --all"]),
        "reconcile" => {
            book.differ();
            fixed(&["reconcile --dry-run", "reconcile", "reconcile --since all"])
        }
        "connect --test" => vec![format!("connect --test {kind}")],
        "config get" => vec![format!("config get {kind}.cancels"), format!("config get {kind}.interval")],
        "doctor" => fixed(&["doctor --offline", "doctor"]),
        other => fixed(&[other]),
    }
}

/// The reading commands, each with a section of its own on the page.
const COMMANDS: [&str; 15] = [
    "status",
    "orders",
    "show",
    "changes",
    "outbox",
    "inbox",
    "runs",
    "why",
    "reconcile",
    "carriers",
    "connect --list",
    "connect --test",
    "config",
    "doctor",
    "schedule show",
];

/// What was found: what is wrong, and which keys of the page were seen with a value.
#[derive(Default)]
struct Found {
    wrong: BTreeSet<String>,
    seen: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Found {
    /// Holds a value, and what is in it, against the page.
    fn hold(&mut self, title: &'static str, page: &[Entry], path: &mut Vec<String>, value: &Value) {
        let entry = page.iter().find(|entry| entry.is_at(path));
        if let Some(entry) = entry {
            if !entry.fits(value) {
                self.wrong.insert(format!("{title}: {} is {value}, and the page says {}", path.join("."), entry.kind));
            }
            if !value.is_null() {
                self.seen.entry(title).or_default().insert(entry.name.clone());
            }
        }
        let is_whole = entry.is_some_and(|entry| !matches!(entry.kind.as_str(), "object" | "list"));
        match value {
            _ if is_whole => {}
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                path.push(key.clone());
                self.hold(title, page, path, value);
                path.pop();
            }),
            Value::Array(items) => {
                let last = path.pop().unwrap_or_default();
                path.push(format!("{last}[]"));
                items.iter().for_each(|item| self.hold(title, page, path, item));
                let is_known = entry.is_some() || page.iter().any(|entry| entry.is_at(path) || entry.is_below(path));
                if items.is_empty() && !is_known {
                    self.wrong.insert(format!("{title}: the page lacks {}", path.join(".")));
                }
                path.pop();
                if !last.is_empty() || !path.is_empty() {
                    path.push(last);
                }
            }
            _ if entry.is_none() => {
                self.wrong.insert(format!("{title}: the page lacks {} ({value})", path.join(".")));
            }
            _ => {}
        }
    }
}

#[test]
fn c1_every_key_that_a_reading_command_prints_is_on_the_page_and_is_what_it_says() {
    let mut found = Found::default();
    for kind in ChannelKind::ALL {
        let book = Book::new(kind);
        for title in COMMANDS {
            let page = section(title);
            for words in commands(&book, title) {
                let done = book.desk.home.run(&words).arg("--json").done();
                assert!(matches!(done.code, Some(0 | 3)), "{done:?}");
                let value = done.json();
                found.hold(title, &page, &mut Vec::new(), &value);
            }
        }
        for title in COMMANDS {
            hold_csv(&book, title);
        }
    }
    for title in COMMANDS {
        let seen = found.seen.remove(title).unwrap_or_default();
        let unseen = section(title).into_iter().filter(|entry| !entry.is_rare() && !seen.contains(&entry.name));
        found.wrong.extend(unseen.map(|entry| format!("{title}: nothing printed has {}", entry.name)));
    }
    assert!(found.wrong.is_empty(), "{}", found.wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Lists are printed as CSV, too, under the names that the same things have in JSON.
fn hold_csv(book: &Book, title: &str) {
    let columns = csv_columns(title);
    if columns.is_empty() {
        return;
    }
    let words = if matches!(title, "outbox" | "inbox") { format!("{title} --all") } else { title.to_owned() };
    let done = book.desk.home.run(&words).arg("--csv").exits(0);
    let mut csv = csv::Reader::from_reader(done.stdout.as_bytes());
    assert_eq!(csv.headers().unwrap().iter().collect::<Vec<_>>(), columns, "{title}");
    let rows = csv.records().map(Result::unwrap).count();
    assert!(rows > 0, "{title} has no rows");
    // What of `changes` is read again as a file has the names that people know.
    if title == "changes" {
        return;
    }
    let names: Vec<String> = section(title).into_iter().map(|entry| entry.name).collect();
    for column in columns {
        let is_key = |name: &String| name.rsplit('.').next() == Some(&column) || name.contains(&format!(".{column}[]"));
        assert!(names.iter().any(is_key), "{title}: {column} is no key of --json");
    }
}

#[test]
fn c1_machine_formats_of_every_list_are_complete() {
    let desk = Desk::empty(ChannelKind::WooCommerce);
    desk.connect("").exits(0);
    desk.set("edits=review");
    desk.set("address=review");
    let ids: Vec<String> = (0..52).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
    desk.sync();
    ids.iter().for_each(|id| assert!(desk.store.readdress(id, "77 Elsewhere")));
    desk.home.run("sync").done();
    assert_eq!(desk.home.json("changes").as_array().unwrap().len(), 52);
    assert_eq!(desk.home.run("changes --csv").exits(0).stdout.lines().count(), 53);
    desk.home.run("changes").exits(0).says("only the first 50");
    desk.home.sql(
        "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 250)
         INSERT INTO inbox (store_id, order_id, kind, subject, text, hint, created_at, resolved_at)
         SELECT 1, 1, 'rejected', n, 'x', '', 0, 0 FROM c RETURNING 1",
    );
    assert!(desk.home.json("inbox --all").as_array().unwrap().len() >= 250);
    desk.on("dispatch", &ids[0], &format!("{NUMBER} --as-local --later")).exits(0);
    let columns =
        desk.home.sql("SELECT group_concat(name, ', ') FROM pragma_table_info('outbox') WHERE name <> 'id'").remove(0);
    desk.home.sql(&format!(
        "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 250)
         INSERT INTO outbox ({columns}) SELECT {} FROM outbox, c RETURNING 1",
        columns.replace("shipment_id", "NULL").replacen(" state,", " 'withdrawn',", 1)
    ));
    assert_eq!(desk.home.json("outbox --all").as_array().unwrap().len(), 251);
    assert_eq!(desk.home.run("outbox --all --csv").exits(0).stdout.lines().count(), 252);
}
