//! Personal data that are to go are gone: from every file of the home, whatever a store tells of a
//! person and whatever was written of them here, and nothing brings them back.

use std::collections::BTreeSet;
use std::path::Path;

use ordersync::clock::from_millis;
use ordersync::sim::{Fault, FaultKind, Lack, Purchase};
use serde_json::{Value, json};

use super::desk::{Desk, clock, each_kind};
use super::kills::CLEARING;
use super::setups::NUMBER;

const STREET: &str = "77 Quillfeather Terrace";
const OTHER_STREET: &str = "78 Quillfeather Terrace";
const EDITED: &str = "Rear Ottoline Cottage";
const BUYERS_NOTE: &str = "leave it with Wilhelmina Ashgrove";
const LATER_NOTE: &str = "leave it with Peregrine Oakhollow";

/// What is told of people in what `show` prints: its texts but for codes of countries and the like.
fn personal(shown: &Value) -> BTreeSet<String> {
    fn texts(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if text.chars().count() >= 5 => drop(found.insert(text.clone())),
            Value::Array(all) => all.iter().for_each(|one| texts(one, found)),
            Value::Object(all) => all.values().for_each(|one| texts(one, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for key in ["buyer", "ship_to", "bill_to", "buyer_note", "attributes"] {
        texts(&shown[key], &mut found);
    }
    found
}

/// The words by which the orders of the book are found.
fn words(desk: &Desk) -> BTreeSet<String> {
    let book = rusqlite::Connection::open(desk.home.book()).unwrap();
    book.execute_batch("CREATE VIRTUAL TABLE temp.w USING fts5vocab('main', 'search', 'row')").unwrap();
    let mut found = book.prepare("SELECT term FROM temp.w").unwrap();
    let found = found.query_map([], |row| row.get::<_, String>(0)).unwrap();
    found.map(Result::unwrap).filter(|word| word.chars().count() >= 5).collect()
}

fn files(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.to_string_lossy().into_owned(), std::fs::read(&path).unwrap()));
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A text as it is, as JSON writes it, and in small letters.
fn spellings(text: &str) -> [Vec<u8>; 3] {
    let escaped: String = text
        .encode_utf16()
        .map(|unit| if unit < 128 { char::from(unit as u8).to_string() } else { format!("\\u{unit:04x}") })
        .collect();
    [text.as_bytes().to_vec(), escaped.into_bytes(), text.to_lowercase().into_bytes()]
}

/// Traces of a person: texts, and bytes of the packed documents.
pub struct Traces {
    texts: BTreeSet<String>,
    packed: Vec<Vec<u8>>,
}

impl Traces {
    fn of(desk: &Desk, texts: impl IntoIterator<Item = String>) -> Self {
        let book = rusqlite::Connection::open(desk.home.book()).unwrap();
        let mut packed =
            book.prepare("SELECT v.document FROM versions v JOIN orders o ON o.id = v.order_id WHERE o.status <> 'awaiting-fulfillment'
                 UNION ALL SELECT document FROM accepted_versions").unwrap();
        let packed = packed.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap().map(Result::unwrap);
        // What every document of the channel has is no trace of anybody.
        let mut kept = book
            .prepare("SELECT v.document FROM versions v JOIN orders o ON o.id = v.order_id WHERE o.status = 'awaiting-fulfillment'")
            .unwrap();
        let kept: Vec<Vec<u8>> = kept.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let own = |bytes: Vec<u8>| {
            let mut parts = bytes.get(100..)?.windows(40).step_by(20);
            parts.find(|part| kept.iter().all(|kept| !holds(kept, part))).map(<[u8]>::to_vec)
        };
        let packed: Vec<Vec<u8>> = packed.filter_map(own).collect();
        assert!(packed.len() >= 2, "{}: {}", desk.kind, packed.len());
        Self { texts: texts.into_iter().collect(), packed }
    }

    fn found_in(&self, dir: &Path) -> Vec<String> {
        let (mut all, mut found) = (Vec::new(), Vec::new());
        files(dir, &mut all);
        for (name, bytes) in &all {
            let texts = self.texts.iter().filter(|text| spellings(text).iter().any(|part| holds(bytes, part)));
            found.extend(texts.map(|text| format!("{name}: {text}")));
            let packed = self.packed.iter().enumerate().filter(|(_, part)| holds(bytes, part));
            found.extend(packed.map(|(n, _)| format!("{name}: document {n}")));
        }
        found
    }

    /// Nothing is left in the home, nor in a backup that is made now.
    fn are_gone(&self, desk: &Desk, when: &str) {
        assert_eq!(self.found_in(&desk.home.path()), [""; 0], "{}: {when}", desk.kind);
        let dir = desk.home.beside(&format!("copies-{}", when.replace(' ', "-")));
        std::fs::create_dir(&dir).unwrap();
        desk.home.call(&["backup", dir.join("copy.sqlite").to_str().unwrap()]).exits(0);
        assert_eq!(self.found_in(&dir), [""; 0], "{}: a backup, {when}", desk.kind);
    }
}

/// A store with one order that everything was done to and that is shipped, one that is cancelled
/// and one that is open; the ids, and what is told of the people of the first two.
fn worked_on(kind: ordersync::channel::ChannelKind) -> (Desk, [String; 3], Traces) {
    let desk = Desk::empty(kind);
    desk.connect("").exits(0);
    for (setting, value) in [("edits", "ignore"), ("address", "review"), ("cancels", "review")] {
        desk.set(&format!("{setting}={value}"));
    }
    let wish = |street: &str| Purchase::of(&[("TEE-001", 2)]).street(street).note(BUYERS_NOTE);
    let sent = desk.store.place(&wish(STREET));
    let ended = desk.store.place(&wish("79 Quillfeather Terrace"));
    let open = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).street("5 Staying Street"));
    desk.sync();
    let mut texts = personal(&desk.show(&sent));
    texts.extend(personal(&desk.show(&ended)));
    assert!(texts.iter().any(|text| text.contains("Quillfeather")), "{kind}: {texts:?}");
    let hold = |id: &str| {
        desk.home.call(&["hold", &format!("{kind}:{id}"), "--reason", "asked for Ophelia Brackenbury"]).exits(0)
    };
    hold(&sent);
    desk.on("release", &sent, "").exits(0);
    desk.home.call(&["edit", &format!("{kind}:{sent}"), "--line2", EDITED]).exits(0);
    desk.home.call(&["note", &format!("{kind}:{sent}"), "Thaddeus Merriweather rang"]).exits(0);
    desk.home.call(&["tag", &format!("{kind}:{sent}"), "friend-of-leocadia"]).exits(0);
    desk.home.run("orders --search Thaddeus").exits(0);
    desk.store.readdress(&sent, OTHER_STREET);
    desk.settle();
    desk.sync();
    desk.on("reject", &sent, "").exits(0);
    desk.on("dispatch", &sent, &format!("{NUMBER} --as-local")).exits(0);
    desk.home
        .call(&["refund", &format!("{kind}:{sent}"), "--amount", "1.00", "--reason", "for Cressida Nightingale"])
        .exits(0);
    let cancel =
        desk.home.call(&["cancel", &format!("{kind}:{ended}"), "--local", "--reason", "Balthazar Thistlewood died"]);
    cancel.exits(0);
    desk.settle();
    desk.sync();
    let own = [
        OTHER_STREET,
        EDITED,
        "Ophelia Brackenbury",
        "Thaddeus",
        "thaddeus",
        "leocadia",
        "Cressida Nightingale",
        "Balthazar",
    ];
    texts.extend(own.map(str::to_owned));
    assert_eq!(desk.home.json("orders --search Wilhelmina").as_array().map(Vec::len), Some(2), "{kind}");
    // Letters that no word of the order that stays has.
    let staying = personal(&desk.show(&open));
    texts.retain(|text| {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        !staying
            .iter()
            .any(|stays| stays.contains(text.as_str()) || stays.to_lowercase().contains(&text.to_lowercase()))
    });
    texts.extend(["quillfeather", "wilhelmina", "ashgrove"].map(str::to_owned));
    let traces = Traces::of(&desk, texts);
    (desk, [sent, ended, open], traces)
}

/// So many days pass for what is in the book.
fn age(desk: &Desk, days: i64) {
    let ms = days * 86_400_000;
    for (table, columns) in [
        ("orders", &["placed_at", "updated_at"][..]),
        ("versions", &["updated_at"]),
        ("shipments", &["shipped_at"]),
        ("refunds", &["refunded_at"]),
        ("own_refunds", &["refunded_at"]),
        ("history", &["at"]),
    ] {
        let set: Vec<String> = columns.iter().map(|column| format!("{column} = {column} - {ms}")).collect();
        desk.home.sql(&format!("UPDATE {table} SET {} RETURNING 1", set.join(", ")));
    }
}

/// Of cleared orders this stays, and no more.
fn is_cleared(desk: &Desk, id: &str, how: &str) {
    let shown = desk.show(id);
    assert_eq!(shown["cleared"]["how"], how, "{}: {shown}", desk.kind);
    assert_eq!(shown["buyer"], json!({ "name": "", "email": "", "phone": "" }), "{}", desk.kind);
    assert_eq!(
        (&shown["notes"], &shown["tags"], &shown["edits"]),
        (&json!([]), &json!([]), &json!([])),
        "{}",
        desk.kind
    );
    assert_eq!(
        (&shown["lines"][0]["sku"], &shown["lines"][0]["quantity"]),
        (&json!("TEE-001"), &json!("2")),
        "{}",
        desk.kind
    );
    assert_ne!(shown["totals"]["total"], "0.00", "{}", desk.kind);
    let country = shown["ship_to"][0]["country"].as_str().unwrap();
    assert_eq!(country.len(), 2, "{}: the tax country stays", desk.kind);
    desk.on("show", id, "").exits(0).prints("cleared");
}

#[test]
fn x3_a_purge_leaves_nothing_of_people_in_any_file_and_nothing_brings_it_back() {
    each_kind(|kind| {
        let (desk, [sent, ended, open], traces) = worked_on(kind);
        let before = words(&desk);
        assert!(!traces.found_in(&desk.home.path()).is_empty(), "{kind}: there is something to be found");
        let young = desk.home.json("purge --older-than 90d");
        assert_eq!(young["stores"][0]["orders"], 0, "{kind}: what has just happened is not old");
        age(&desk, 100);
        let told = desk.home.json("purge --older-than 90d --dry-run");
        assert_eq!(
            (&told["stores"][0]["orders"], &told["stores"][0]["left_out"]),
            (&json!(2), &json!(1)),
            "{kind}: {told}"
        );
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}");
        let done = desk.home.json("purge --older-than 90d");
        assert_eq!((&done["stores"], &done["left"]), (&told["stores"], &json!("nothing")), "{kind}: {done}");
        traces.are_gone(&desk, "purged");
        is_cleared(&desk, &sent, "purge");
        is_cleared(&desk, &ended, "purge");
        assert_eq!(desk.show(&open)["cleared"], Value::Null, "{kind}");
        let after = words(&desk);
        let lost: BTreeSet<String> = before.difference(&after).cloned().collect();
        assert!(lost.contains("quillfeather") || lost.contains("ashgrove"), "{kind}: {lost:?}");
        assert_eq!(desk.home.json("orders --search Wilhelmina"), json!([]), "{kind}");
        assert_eq!(desk.home.json("orders --search TEE-001").as_array().map(Vec::len), Some(3), "{kind}");
        comes_not_back(&desk, &sent, &traces);
        assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{kind}");
    });
}

/// Every way in which the order may be read again.
fn comes_not_back(desk: &Desk, sent: &str, traces: &Traces) {
    let kind = desk.kind;
    desk.home.run("sync --full").exits(0);
    desk.on("pull", sent, "").exits(0);
    traces.are_gone(desk, "read again");
    desk.store.annotate(sent, LATER_NOTE);
    desk.store.readdress(sent, STREET);
    assert!(desk.store.refund(sent, "2.00"), "{kind}");
    desk.settle();
    desk.home.run("sync").exits(0);
    desk.on("pull", sent, "").exits(0);
    assert_eq!(desk.show(sent)["totals"]["refunded"], "2.00", "{kind}: facts go on");
    assert!(desk.store.spoil(sent, true), "{kind}");
    desk.on("pull", sent, "").exits(0);
    desk.store.spoil(sent, false);
    desk.home.run("reconcile --since 25d").done();
    desk.home.run("doctor --offline --mend --bundle bundle.json").done();
    let mut later = Traces { texts: traces.texts.clone(), packed: traces.packed.clone() };
    later.texts.extend(["Peregrine".to_owned(), "peregrine".to_owned()]);
    later.are_gone(desk, "changed there");
    for (command, more) in [
        ("dispatch", "--carrier dhl --tracking JD99 --again --as-local --force"),
        ("cancel", "--force"),
        ("note", "again"),
        ("edit", "--line1 elsewhere"),
        ("hold", ""),
        ("refund", "--amount 1.50"),
    ] {
        let writes = desk.writes();
        desk.on(command, sent, more).exits(6).says("personal data").says("hint: ");
        assert_eq!(desk.writes(), writes, "{kind}: {command}");
    }
    desk.on("show", sent, "--raw").exits(7);
    // A new sale to the same person is one like any other.
    let again = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).street(STREET));
    desk.settle();
    desk.home.run("sync").exits(0);
    assert_eq!(desk.show(&again)["ship_to"][0]["line1"], STREET, "{kind}");
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn x3_a_purge_that_is_killed_at_any_step_is_finished_by_the_next_sync() {
    each_kind(|kind| {
        let (desk, [sent, ..], traces) = worked_on(kind);
        age(&desk, 100);
        for nth in 1..6 {
            let done =
                desk.home.run("purge --older-than 90d").env("ORDERSYNC_CRASH_AT", &format!("{CLEARING}:{nth}")).done();
            assert!(matches!(done.code, None | Some(0)), "{kind}: {done:?}");
            if nth == 1 {
                assert_eq!(done.code, None, "{kind}: there is a step to be killed at");
            }
        }
        let left = desk.home.json("status")["clearing"].clone();
        desk.home.run("orders").exits(0);
        desk.on("show", &sent, "").exits(0);
        assert_eq!(desk.home.json("status")["clearing"], left, "{kind}: who only reads does nothing of it");
        desk.home.run("sync").exits(0);
        assert_eq!(desk.home.json("status")["clearing"], Value::Null, "{kind}");
        traces.are_gone(&desk, "killed");
        is_cleared(&desk, &sent, "purge");
        assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{kind}");
    });
}

#[test]
fn x3_a_person_is_forgotten_as_a_whole_or_not_at_all() {
    each_kind(|kind| {
        if Desk::unconnected(kind).store.lacks(Lack::Emails) {
            return;
        }
        let (desk, [sent, ended, open], traces) = worked_on(kind);
        let forget = |user: &str| desk.home.call(&["forget", kind.word(), user]);
        let buyer = |id: &str| desk.show(id)["buyer"].clone();
        let email = buyer(&sent)["email"].as_str().unwrap().to_owned();
        assert!(email.contains('@'), "{kind}");
        forget("nobody-at-all@example.test").exits(7).says("nothing was cleared");
        let name = buyer(&sent)["name"].as_str().unwrap().to_owned();
        if !name.contains('@') {
            let refused = forget(&name).exits(6).says("name").says("nothing was cleared");
            assert!(!refused.stderr.contains(&name), "{kind}: nobody's name is in an error");
        }
        // A new order of theirs is open.
        let young = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).street(STREET));
        desk.settle();
        desk.sync();
        let sets = format!(
            "UPDATE orders SET buyer_email = '{}' WHERE remote_id = '{young}' RETURNING id",
            email.to_uppercase()
        );
        let number = desk.home.sql(&sets)[0].clone();
        for dry in ["", "--dry-run"] {
            let refused =
                desk.home.call(&["forget", kind.word(), &email]).arg(if dry.is_empty() { "--quiet" } else { dry });
            refused.exits(6).says(&format!("{number} (awaiting-fulfillment)")).says("nothing was cleared");
        }
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}");
        desk.on("cancel", &young, "--local").exits(0);
        let rehearsed = desk.home.call(&["forget", kind.word(), &email, "--dry-run", "--json"]).exits(0).json();
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}");
        let done = desk.home.call(&["forget", kind.word(), &email, "--json"]).exits(0).json();
        assert_eq!((&done["orders"], &done["left"]), (&rehearsed["orders"], &json!("nothing")), "{kind}: {done}");
        assert!(done["orders"].as_array().unwrap().contains(&json!(number)), "{kind}: {done}");
        // The other one may be somebody else's.
        let other = buyer(&ended)["email"].as_str().unwrap().to_owned();
        if !other.is_empty() {
            forget(&other).exits(0);
        }
        is_cleared(&desk, &sent, "forget");
        is_cleared(&desk, &ended, "forget");
        assert_eq!(desk.show(&open)["cleared"], Value::Null, "{kind}");
        traces.are_gone(&desk, "forgotten");
        desk.home.run("sync --full").exits(0);
        traces.are_gone(&desk, "read again");
        forget(&email).exits(7);
    });
}

#[test]
fn x3_what_a_store_keeps_no_longer_is_cleared_by_its_syncs() {
    each_kind(|kind| {
        let (desk, [sent, ended, open], traces) = worked_on(kind);
        desk.home.run(&format!("config set {kind}.retain 12h")).exits(2);
        desk.set("retain=90d");
        desk.home.run("sync").exits(0).silent();
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}: it is young");
        age(&desk, 100);
        desk.home.run(&format!("config set {kind}.retain 90d")).exits(0).says("for good");
        // So does the store say, which else shows in the overlap that they have just changed.
        let long_ago = from_millis(clock().now().timestamp_millis() - 100 * 86_400_000);
        assert!(desk.store.redate(&sent, long_ago) && desk.store.redate(&ended, long_ago), "{kind}");
        desk.home.run("sync").exits(0);
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}: once a day");
        desk.home.sql("UPDATE purges SET begun_at = begun_at - 90000000 RETURNING 1");
        desk.home.run("sync --dry-run").exits(0);
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}: a rehearsal clears nothing");
        desk.server.faults().add(Fault::new(FaultKind::ServerError(502)).always());
        desk.home.run("sync").exits(5);
        desk.server.faults().clear();
        assert_eq!(desk.show(&sent)["cleared"], Value::Null, "{kind}: nothing is cleared where nothing was read");
        desk.home.run("sync").exits(0).silent();
        is_cleared(&desk, &sent, "retention");
        assert_eq!(desk.show(&open)["cleared"], Value::Null, "{kind}");
        traces.are_gone(&desk, "kept no longer");
        let status = desk.home.json("status");
        let store = &status["stores"][0];
        assert_eq!((&store["retain"], &store["last_purge"]["orders"]), (&json!("90d"), &json!(2)), "{kind}: {store}");
        assert_eq!(status["clearing"], Value::Null, "{kind}");
        desk.home.run("status").exits(0).prints("kept for 90d");
        let advice = format!("ordersync purge --channel {kind} --older-than 90d");
        desk.home.run(&format!("connect --remove {kind}")).exits(0).says(&advice);
        desk.home.run(advice.trim_start_matches("ordersync ")).exits(0);
    });
}

/// What a store says of its own accord may name people, and is said of no order.
#[test]
fn x3_what_a_store_has_said_of_a_person_goes_with_them() {
    each_kind(|kind| {
        let (desk, [sent, ended, open], _) = worked_on(kind);
        let shown = desk.show(&sent);
        let email = shown["buyer"]["email"].as_str().filter(|email| !email.is_empty()).unwrap_or("o.b@example.test");
        let said = format!("cannot show the order of {email}, Ottoline Featherstonehaugh");
        for status in [400, 403, 422, 500] {
            desk.server.faults().add(Fault::new(FaultKind::Says(status, said.clone())).always());
            for command in ["sync", "connect --test", "reconcile --since 7d"] {
                desk.home.run(command).done();
            }
            desk.on("pull", &open, "").done();
            desk.server.faults().clear();
            desk.home.sql("UPDATE stores SET paused_until = 0 RETURNING 1");
            desk.home.sql("DELETE FROM lanes RETURNING 1");
        }
        desk.home.run("sync").exits(0);
        let traces =
            Traces { texts: BTreeSet::from([email.to_owned(), "Featherstonehaugh".to_owned()]), packed: Vec::new() };
        assert!(
            desk.home.json("runs").to_string().contains("failed") || !traces.found_in(&desk.home.path()).is_empty()
        );
        for id in [&sent, &ended] {
            let (user, _) = known_by(&desk, id);
            forgotten(&desk, &user);
        }
        traces.are_gone(&desk, "forgotten");
        desk.home.run("runs").exits(0);
        desk.home.run("status").exits(0);
    });
}

/// What a person is known by: their number at the channel, else their e-mail address; and their phone,
/// where that is told.
fn known_by(desk: &Desk, id: &str) -> (String, String) {
    let columns = "SELECT buyer_remote_id || char(9) || buyer_email || char(9) || buyer_phone FROM orders";
    let found = desk.home.sql(&format!("{columns} WHERE remote_id = '{id}'"))[0].clone();
    let [number, email, phone] = found.split('\t').collect::<Vec<_>>()[..] else { panic!("{found}") };
    let is_number = !number.is_empty() && number != "0";
    (if is_number { number } else { email }.to_owned(), phone.to_owned())
}

/// Forgets somebody who may be forgotten already.
fn forgotten(desk: &Desk, user: &str) {
    let done = desk.home.call(&["forget", desk.kind.word(), user, "--force"]).done();
    assert!(matches!(done.code, Some(0 | 7)), "{}: {done:?}", desk.kind);
}

/// Also where the channel tells of no e-mail address.
#[test]
fn x3_a_person_is_forgotten_by_number_or_phone_as_well() {
    each_kind(|kind| {
        let (desk, [sent, ended, open], traces) = worked_on(kind);
        let (number, phone) = known_by(&desk, &sent);
        assert!(!number.is_empty(), "{kind}: {}", desk.show(&sent)["buyer"]);
        let by = if phone.is_empty() { &number } else { &phone };
        let done = desk.home.call(&["forget", kind.word(), by, "--force", "--json"]).exits(0).json();
        assert_eq!(done["left"], "nothing", "{kind}: {done}");
        is_cleared(&desk, &sent, "forget");
        let (number, _) = known_by(&desk, &ended);
        if !number.is_empty() {
            forgotten(&desk, &number);
        }
        is_cleared(&desk, &ended, "forget");
        assert_eq!(desk.show(&open)["cleared"], Value::Null, "{kind}");
        traces.are_gone(&desk, "forgotten");
        desk.home.run("sync --full").exits(0);
        traces.are_gone(&desk, "read again");
    });
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &there);
        } else {
            std::fs::copy(&path, &there).unwrap();
        }
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn x3_a_forgetting_that_is_killed_at_any_step_is_finished_by_the_next_sync() {
    each_kind(|kind| {
        let (desk, [sent, ended, open], traces) = worked_on(kind);
        let users = [&sent, &ended].map(|id| known_by(&desk, id).0);
        let (home, before) = (desk.home.path(), desk.home.beside("before"));
        copied(&home, &before);
        let mut steps = 0;
        for nth in 1.. {
            std::fs::remove_dir_all(&home).unwrap();
            copied(&before, &home);
            let (first, last) = users.split_at(1);
            forgotten(&desk, &first[0]);
            let point = format!("{CLEARING}:{nth}");
            let killed =
                desk.home.call(&["forget", kind.word(), &last[0], "--force"]).env("ORDERSYNC_CRASH_AT", &point);
            let killed = killed.done();
            if killed.code.is_some() {
                // One buyer has bought both.
                assert!(matches!(killed.code, Some(0 | 7)), "{kind}: {killed:?}");
                break;
            }
            steps += 1;
            // What has begun is not to be seen or acted on any more.
            desk.on("note", &ended, "again").exits(6).says("personal data");
            desk.home.run("sync").exits(0);
            assert_eq!(desk.home.json("status")["clearing"], Value::Null, "{kind}: killed at step {nth}");
            for id in [&sent, &ended] {
                is_cleared(&desk, id, "forget");
            }
            assert_eq!(desk.show(&open)["cleared"], Value::Null, "{kind}");
            std::fs::remove_dir_all(before.with_file_name(format!("copies-killed-at-{nth}"))).ok();
            traces.are_gone(&desk, &format!("killed at {nth}"));
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{kind}");
        }
        assert!(steps >= 2 || users[0] == users[1], "{kind}: {steps} steps to be killed at");
    });
}
