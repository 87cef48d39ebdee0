use proptest::prelude::*;
use rusqlite::Connection;

use super::*;

/// An index of one order.
fn index(fill: impl FnOnce(&mut Words)) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(super::super::search::TABLE).unwrap();
    let mut words = Words::default();
    fill(&mut words);
    db.execute("INSERT INTO search (rowid, words) VALUES (7, ?)", [words.into_text()]).unwrap();
    db
}

fn finds(db: &Connection, text: &str) -> bool {
    let Some(question) = question(text) else { return false };
    let sql = "SELECT count(*) FROM search WHERE search MATCH ?";
    db.query_row(sql, [&question], |row| row.get::<_, i64>(0)).unwrap_or_else(|e| panic!("{text:?} {question}: {e}"))
        > 0
}

fn check(fill: impl FnOnce(&mut Words), found: &[&str], not_found: &[&str]) {
    let db = index(fill);
    for text in found {
        assert!(finds(&db, text), "{text:?} is not found: {:?}", question(text));
    }
    for text in not_found {
        assert!(!finds(&db, text), "{text:?} is found: {:?}", question(text));
    }
}

#[test]
fn a_name_is_found_with_and_without_its_marks_and_by_the_beginnings_of_its_words() {
    let found = ["José", "jose", "JOSÉ GROSS", "größmann", "grossmann jos", "Jose\u{301}", "Ｊｏｓé"];
    check(|words| words.text("José Größmann"), &found, &["ose", "mann", "jose maria"]);
    check(|words| words.text("Jose Grossmann"), &found, &["josef"]);
    check(|words| words.text("Søren Łukasz Ðorđe Æsir"), &["soren", "Lukasz", "dorde", "aesir", "SØREN"], &["sren"]);
    check(
        |words| words.text("Seán O’Brien-Smith"),
        &["o'brien", "OBrien", "brien", "smith sean", "o’brien smith"],
        &["rien"],
    );
    check(|words| words.text("Σωκράτης"), &["σωκρατησ", "ΣΩΚΡΆΤΗΣ", "Σωκράτης"], &["κρατης"]);
    check(|words| words.text("Юлия Ёлкина"), &["юлия елкина", "ЁЛК"], &["кина"]);
}

#[test]
fn arabic_is_found_however_its_letters_are_written() {
    let found = ["أحمد", "احمد", "أَحْمَد", "فاطمة", "فاطمه", "أحمـــد", "کریمي", "كريمى"];
    check(|words| words.text("أحمد فاطمة کریمی"), &found, &["حمد"]);
    check(|words| words.number("١٢٣٤٥"), &["12345", "١٢٣", "۱۲۳۴۵"], &["2345"]);
}

#[test]
fn of_a_script_without_blanks_any_part_is_found() {
    check(
        |words| words.text("佐藤花子"),
        &["佐藤", "花子", "藤花", "子", "佐藤花子", "花子 佐藤"],
        &["藤佐", "佐花", "太郎"],
    );
    check(|words| words.text("김민수"), &["민수", "김", "김민", "\u{1100}\u{1175}\u{11b7}"], &["수민", "기"]);
    check(|words| words.text("ガーデン ﾎｰｽ"), &["ホース", "ｶﾞｰﾃﾞﾝ", "ガー"], &["スホ"]);
    check(|words| words.text("陳 Wei 大文"), &["wei 陳", "大文", "陳"], &["文大"]);
    check(|words| words.text("สมชาย ใจดี"), &["สมชาย", "ใจดี", "ชาย"], &["ยาช"]);
}

#[test]
fn a_phone_number_is_found_in_parts_however_it_is_written() {
    let parts = [
        "0170 123",
        "+49-170",
        "+49 170 1234567",
        "0049 (0)170 123",
        "0170/1234567",
        "1701234567",
        "123 4567",
        "4567",
        "34567",
    ];
    for stored in
        ["+49 170 1234567", "0170 1234567", "0170/123-45-67", "+49 (0) 170 1234567", "00491701234567", "٠١٧٠١٢٣٤٥٦٧"]
    {
        check(|words| words.phone(stored), &parts, &["0171", "0170 124", "1234", "+44 171", "170 456"]);
    }
    let american = ["(212) 555", "212-555-1234", "+1 212 555 1234", "1-212-555-1234", "555-1234", "2125551234"];
    for stored in ["+1 (212) 555-1234", "212.555.1234", "1 212 555 1234", "+1 212-555-1234 ext. 98765"] {
        check(|words| words.phone(stored), &american, &["212-556", "98765"]);
    }
    check(|words| words.phone("none"), &[], &["none", "0"]);
}

#[test]
fn an_e_mail_address_is_found_as_a_whole_by_its_words_and_by_its_domain() {
    let found = [
        "anna.smith@acme-corp.co.uk",
        "Anna.Smith@ACME",
        "smith",
        "anna smith",
        "acme",
        "@acme-corp.co.uk",
        "acme-corp.co",
    ];
    check(|words| words.email("anna.smith@acme-corp.co.uk"), &found, &["bob@acme", "corp.com", "mith"]);
    check(|words| words.email("no address"), &["address"], &["dress"]);
}

#[test]
fn numbers_and_skus_are_found_whatever_stands_between_their_parts() {
    check(
        |words| words.number("205-1234567-7654321"),
        &["205-1234567-7654321", "20512345677654321", "205-1234567", "1234567", "2051"],
        &["205-7654321", "34567"],
    );
    check(|words| words.number("#1001"), &["1001", "#1001", "100"], &["001", "1001 2"]);
    check(
        |words| words.text("TEE-042XL/red"),
        &["tee-042xl", "TEE042", "042 xl", "xl/red", "red tee"],
        &["tee 42", "x"],
    );
    check(|words| words.text("Mug 100%_3"), &["100%_3", "100% mug"], &["%", "_", "100%_4"]);
}

#[test]
fn a_search_text_is_never_syntax() {
    let db = index(|words| {
        words.text("Rock AND Roll NOT");
        words.text("near by or");
    });
    let words = ["rock AND roll", "AND", "NOT", "NEAR", "OR", "roc* AND", "NOT rock", "NEAR near", "AND OR NOT"];
    let marks =
        ["\"rock", "rock\"", "rock*", "-rock", "rock -roll", "^rock", "{rock}", "(rock", "rock)", "rock + roll"];
    for text in words.iter().chain(&marks) {
        assert!(finds(&db, text), "{text:?}: {:?}", question(text));
    }
    for text in ["rock roll pop", "rock NOT AND pop", "\"pop\" OR rock", "words:rock", "rock OR pop", "NEAR(rock)"] {
        assert!(!finds(&db, text), "{text:?}");
    }
    for text in ["", " ", "\"", "***", "' -- ;", "()", "\u{0}", "\u{202e}"] {
        assert_eq!(question(text), None, "{text:?}");
    }
}

proptest! {
    /// Whatever somebody types is a question that SQLite can answer, and a text is found by itself.
    #[test]
    fn a_text_is_found_by_itself_and_no_text_is_an_error(text in "\\PC{0,40}", other in "\\PC{0,40}") {
        let db = index(|words| words.text(&text));
        finds(&db, &other);
        let few = text.split_whitespace().count() <= MOST_WORDS;
        prop_assert!(!few || question(&text).is_none() || finds(&db, &text), "{:?}", question(&text));
    }

    #[test]
    fn digits_of_any_number_are_a_question(text in "[-+()/. 0-9]{0,40}") {
        let db = index(|words| words.phone(&text));
        let phone = Phone::of(&text).is_some();
        let is_one = text.chars().filter(char::is_ascii_digit).count() > 0;
        prop_assert!(!phone || !is_one || finds(&db, &text), "{:?}", question(&text));
    }
}
