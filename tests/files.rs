//! `ordersync dispatch --from FILE.csv`: what a spreadsheet makes of a file is read as it was
//! meant, or nothing of it goes out. On one store: it is about the file.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use ordersync::sim::woocommerce::*;
use serde_json::{Value, json};
use support::program::Call;
use support::woo::Rig;

/// What was in a file that came from elsewhere, dispatched.
fn bytes<'a>(rig: &'a Rig, content: &[u8]) -> Call<'a> {
    let path = rig.home.beside("labels.csv");
    std::fs::write(&path, content).unwrap();
    rig.home.call(&["dispatch", "--from", &path.to_string_lossy()])
}

fn csv<'a>(rig: &'a Rig, text: &str) -> Call<'a> {
    bytes(rig, text.as_bytes())
}

/// The carrier's name and the tracking number that the shop has for an order.
fn told(rig: &Rig, id: u64) -> (String, String) {
    let all = rig.shop.fulfillments(id);
    assert_eq!(all.len(), 1, "{all:?}");
    let meta = |key: &str| {
        let entries = all[0]["meta_data"].as_array().unwrap();
        let value = entries.iter().find(|entry| entry["key"] == key).map(|entry| entry["value"].clone());
        value.unwrap_or_default().as_str().unwrap_or_default().to_owned()
    };
    (meta("_shipment_provider"), meta("_tracking_number"))
}

const USPS: &str = "9400111899223100000001";

fn utf16(text: &str) -> Vec<u8> {
    [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

#[test]
fn a_file_of_any_spreadsheet_is_read_as_it_was_meant() {
    let latin1 = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("a mark of UTF-8", format!("\u{feff}order,carrier,tracking\r\nID,usps,{USPS}\r\n").into()),
        ("sep=;", format!("sep=;\norder;carrier;tracking\nID;usps;{USPS}\n").into()),
        ("UTF-16", utf16(&format!("order\tcarrier\ttracking\r\nID\tusps\t{USPS}\r\n"))),
        ("tabs", format!("order\tcarrier\ttracking\nID\tusps\t{USPS}\n").into()),
        ("titles", format!("Order Number,Carrier Name,Tracking Number\nID,USPS,{USPS}\n").into()),
        ("German titles", format!("Auftragsnummer;Paketdienst;Paketnummer\nID;usps;{USPS}\n").into()),
        ("capitals", format!("Order,Carrier,Tracking\nID,USPS,{USPS}\n").into()),
        ("an apostrophe", format!("order,carrier,tracking\nID,usps,'{USPS}\n").into()),
        ("a formula guard", format!("order,carrier,tracking\nID,usps,\"=\"\"{USPS}\"\"\"\n").into()),
        ("old line ends", format!("order,carrier,tracking\rID,usps,{USPS}\r").into()),
        ("blanks", format!("order , carrier,tracking\n ID\u{a0},usps,\u{a0}{USPS}\u{200b} \n,,\n").into()),
        ("columns at the end", format!("order;carrier;tracking;;\nID;usps;{USPS};;\n").into()),
        ("a hash and no mark", format!("order,carrier,tracking\n#ID,usps,{USPS}\n").into()),
        ("a service", format!("order,carrier,tracking\nID,USPS Ground Advantage,{USPS}\n").into()),
        ("a decimal", format!("order,carrier,tracking\nID.0,usps,{USPS}\n").into()),
    ];
    let rig = Rig::new();
    let ids: Vec<u64> = files.iter().map(|_| rig.paid(1)).collect();
    let post = rig.paid(1);
    rig.sync();
    let with_id = |content: &[u8], id: u64| {
        let (from, to) = (b"ID".as_slice(), id.to_string());
        let wide = |text: &[u8]| text.iter().flat_map(|b| [*b, 0]).collect::<Vec<u8>>();
        let (from, to) = if content.starts_with(&[0xff, 0xfe]) {
            (wide(from), wide(to.as_bytes()))
        } else {
            (from.to_vec(), to.into_bytes())
        };
        let at = content.windows(from.len()).rposition(|part| part == from).unwrap();
        [&content[..at], &to, &content[at + from.len()..]].concat()
    };
    for ((what, content), id) in files.iter().zip(&ids) {
        let done = bytes(&rig, &with_id(content, *id)).done();
        assert_eq!(done.code, Some(0), "{what}: {done:?}");
        assert_eq!(told(&rig, *id), ("usps".to_owned(), USPS.to_owned()), "{what}");
    }
    let done =
        bytes(&rig, &with_id(&latin1("order;carrier;tracking\nID;Österreichische Post;1042000000000001\n"), post));
    done.exits(0).says("Windows-1252");
    assert_eq!(told(&rig, post).0, "osterreichische-post");
}

#[test]
fn a_title_that_is_read_as_another_is_said() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let done = csv(&rig, &format!("Order Number,Carrier Name,Tracking Number\n{},UPS,'1Z1\n", ids[0])).exits(0);
    done.says("\"Order Number\" is read as order").says("1 cell mended");
}

#[test]
fn what_a_file_says_that_cannot_be_meant_stops_all_of_it() {
    let rig = Rig::new();
    let (one, two) = (rig.paid(3), rig.paid(3));
    rig.sync();
    for (text, says) in [
        ("", "no row"),
        ("order,carrier,tracking\n", "no row"),
        ("order,carrier,tracking_nr_2\nA,ups,1Z1\n", "the nearest is tracking"),
        ("order,courrier,tracking\nA,ups,1Z1\n", "the nearest is carrier"),
        ("order,weight,tracking\nA,2,1Z1\n", "no column \"weight\""),
        ("order,name,street,tracking\nA,B,C,1Z1\n", "add --ignore \"name\" --ignore \"street\""),
        ("order,Order ID,tracking\nA,A,1Z1\n", "two columns hold the order"),
        ("carrier,tracking\nups,1Z1\n", "no column is called order"),
        ("order,carrier,tracking\nA,ups,\n", "row 2 has the carrier ups but no tracking number"),
        ("order,carrier,tracking\nB,ups,1Z1\nA,,\n", "row 3 has no tracking number"),
        ("order,tracking,sku,quantity\nA,1Z1,TEE-001,1\nA,,TEE-001,1\n", "row 3 has no tracking number"),
        ("order,sku\nA,\n", "no column is called tracking"),
        ("order,tracking,quantity\nA,1Z1,1\n", "row 2 has a quantity but no sku"),
        ("order,tracking,sku\nA,1Z1,TEE-001\n", "row 2 has the sku TEE-001 but no quantity"),
        ("order,tracking,sku,quantity\nA,1Z1,TEE-001,0\n", "the quantity \"0\""),
        ("order,tracking,sku,quantity\nA,1Z1,TEE-001,-1\n", "the quantity \"-1\""),
        ("order,tracking,sku,quantity\nA,1Z1,TEE-001,1e1\n", "the quantity \"1e1\""),
        ("order,tracking,sku,quantity\nA,1Z1,TEE-001,1.5\n", "whole pieces"),
        ("order,tracking,sku,quantity\nA,1Z1,NOPE,1\n", "no line \"NOPE\""),
        ("order,tracking,sku,quantity\nA,1Z1,TEE-001,1\nA,1Z1,TEE-001,1\n", "row 3 is the same as row 2"),
        ("order,tracking,sku,quantity\nA,1Z1,,\nA,1Z1,TEE-001,1\n", "row 3 names a sku where another"),
        ("order,carrier,tracking\nA,ups,1Z1\nA,dhl,1Z1\n", "another carrier"),
        ("order,carrier,tracking\nA,ups,1Z1\nB,ups,1Z2\nA,ups,1Z3\n", "put its rows together"),
        ("order,carrier,tracking\nA,ups,1Z1\nwoocommerce:A,ups,1Z3\n", "stands above already"),
        ("order,carrier,tracking\nB,ups,1Z1\nA,ups\n", "row 3 has 2 cells"),
        ("order,carrier,tracking\nA,ups,1Z1,more\n", "belongs to no column"),
        ("order,carrier,tracking\n,ups,1Z1\n", "row 2 names no order"),
        ("order,carrier,tracking\nB,ups,1Z1\nA,usps,9.40011E+21\n", "row 3 cannot be used: the tracking number"),
        ("order,carrier,tracking\nA,usps,9400111899223100000000\n", "rounded"),
        ("order,carrier,tracking\nA,ups,\"1Z1, 1Z2\"\n", "several numbers"),
        ("order,carrier,tracking\nA,ups,\"1Z1\nB,ups,1Z2\n", "row 2 opens a quote that is never closed"),
        ("order,carrier,tracking\nB,ups,1Z2\nA,ups,\"1Z1", "row 3 opens a quote that is never closed"),
        ("order,\"carrier,tracking\nA,ups,1Z1\n", "row 1 opens a quote that is never closed"),
        ("order,tracking,carrier\nA,1Z1,\"ups\nB,1Z2,\"ups\"\n", "row 3 goes on behind a closing quote"),
        ("order,tracking,carrier\nA,\"1Z1\"2,ups\n", "row 2 goes on behind a closing quote"),
        ("order,tracking\nA,1Z1\n\u{feff}Order,Tracking\nB,1Z2\n", "row 3 names the columns again"),
        ("order,tracking\nB,1Z1\nA,1Z\"2\n", "row 3 cannot be used: the tracking number"),
        ("sep=;\norder;tracking\nA,;\"1Z1\n", "row 3 opens a quote"),
        ("order,carrier,tracking\nA,ups,#N/A\n", "spreadsheet"),
        ("order,carrier,tracking\nB,ups,1Z1\nA,dlh,JD01\n", "looks like a slip of dhl"),
        ("order,carrier,tracking\nA,DHL Parcel,JD01\n", "may mean any of"),
        ("order,carrier,tracking,by\nA,ups,1Z1,me\n", "book or channel"),
        ("order,carrier,tracking,store\nwoocommerce:A,ups,1Z1,other\n", "and the store other"),
        ("order,carrier,tracking\n1.05E+12,ups,1Z1\n", "a spreadsheet has shortened"),
    ] {
        let text = text.replace("A,", &format!("{one},")).replace("B,", &format!("{two},"));
        let done = csv(&rig, &text).done();
        assert!(matches!(done.code, Some(2 | 7)), "{text}: {done:?}");
        done.says(says).says("nothing was dispatched");
    }
    for (content, says) in [
        (b"PK\x03\x04rest of it".to_vec(), "a spreadsheet, not CSV"),
        (b"order,tracking\n\0\0\0\0".to_vec(), "not a text file"),
        ([b"order,tracking\n".to_vec(), b"1,1Z\n".repeat(17 * 1024 * 1024 / 5)].concat(), "larger than 16 MiB"),
    ] {
        bytes(&rig, &content).exits(2).says(says);
    }
    assert!(rig.writes().is_empty());
    assert_eq!(rig.home.json("outbox --all"), json!([]));
    rig.home.call(&["dispatch", "--from", "/dev/zero"]).exits(2).says("larger than 16 MiB");
    rig.home.call(&["dispatch", "--from", "/"]).exits(2);
}

#[test]
fn a_row_without_a_number_goes_out_only_where_one_says_so() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(1), rig.paid(1)];
    rig.sync();
    let half = format!("order;carrier;tracking\r\n{};ups;1Z1\r\n{};;\r\n", ids[0], ids[1]);
    let done = csv(&rig, &half).exits(2);
    done.says(&format!("row 3, order {}", ids[1])).says("--no-tracking").says("nothing was dispatched");
    let none = format!("order\n{}\n", ids[2]);
    csv(&rig, &none).exits(2).says("--no-tracking").says("nothing was dispatched");
    assert!(rig.writes().is_empty());
    csv(&rig, &half).arg("--no-tracking").exits(0);
    csv(&rig, &none).arg("--no-tracking").exits(0);
    assert_eq!(told(&rig, ids[0]).1, "1Z1");
    assert_eq!((told(&rig, ids[1]).1, told(&rig, ids[2]).1), (String::new(), String::new()));
    rig.home.run("dispatch 1 --no-tracking").exits(2);
}

#[test]
fn d6_numbers_that_a_spreadsheet_rounded_are_refused_by_the_zeros_they_share() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(1), rig.paid(1)];
    rig.sync();
    let file = |numbers: [&str; 3]| {
        let rows = ids.iter().zip(numbers).map(|(id, number)| format!("{id},dhl,{number}\n"));
        format!("order,carrier,tracking\n{}", rows.collect::<String>())
    };
    let one = file(["JD01", "340434161094123000", "JD02"]);
    csv(&rig, &one).exits(2).says("row 3 cannot be used").says("rounded").says("--trust-numbers");
    let all = file(["JD01", "34043416109412300", "3404341610941230"]);
    csv(&rig, &all).exits(2).says("row 3 cannot be used").says("row 4 cannot be used").says("each long one");
    assert!(rig.writes().is_empty());
    csv(&rig, &file(["JD01", "34043416109412300", "3404341610941231"])).arg("--dry-run").exits(0);
    csv(&rig, &one).arg("--trust-numbers").exits(0);
    assert_eq!(told(&rig, ids[1]).1, "340434161094123000");
}

#[test]
fn a_quote_left_open_in_a_column_that_is_left_out_swallows_no_row() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(1)];
    rig.sync();
    let text = format!("order,tracking,note\n{},1Z1,\"3 inch\n{},1Z2,fine\n", ids[0], ids[1]);
    let done = csv(&rig, &text).arg("--ignore").arg("note").exits(2);
    done.says("row 2 opens a quote").says("nothing was dispatched");
    assert!(rig.writes().is_empty());
}

#[test]
fn an_order_that_is_not_in_the_book_costs_its_row() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(1)];
    rig.sync();
    let text = format!("order,carrier,tracking\n{},ups,1Z1\n77777,ups,1Z2\n{},ups,1Z3\n", ids[0], ids[1]);
    let done = csv(&rig, &text).arg("--dry-run").exits(3);
    done.says("row 3, order 77777").says("2 of 3 orders went well; not so row 3");
    assert!(rig.writes().is_empty());
    let rows = csv(&rig, &text).arg("--json").exits(3).json();
    let joined: Vec<(&Value, &Value, &Value)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["rows"][0], &row["reference"], &row["error"]["kind"]))
        .collect();
    let (first, last) = (json!(ids[0].to_string()), json!(ids[1].to_string()));
    let wanted = [
        (&json!(2), &first, &Value::Null),
        (&json!(3), &json!("77777"), &json!("not-found")),
        (&json!(4), &last, &Value::Null),
    ];
    assert_eq!(joined, wanted);
    ids.iter().for_each(|id| rig.assert_told_once(*id, "the other rows"));
}

#[test]
fn one_bad_row_among_good_ones_is_named_and_nothing_goes_out() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(1)];
    rig.sync();
    let text = format!("order,carrier,tracking\n{},ups,1Z1\n77777,ups,1Z2\n{},royl-mail,1Z3\n", ids[0], ids[1]);
    csv(&rig, &text).exits(2).says("row 4, order").says("1 shipment of 3").says("nothing was dispatched");
    assert!(rig.writes().is_empty());
}

#[test]
fn results_can_be_joined_with_the_file() {
    let rig = Rig::new();
    let ids = [rig.paid(3), rig.paid(1)];
    rig.sync();
    let text = format!(
        "order,carrier,tracking,sku,quantity\n#{0},ups,1Z1,TEE-001,1\n#{0},ups,1Z2,TEE-001,2\n\n{1},ups,1Z3,TEE-001,1\n",
        ids[0], ids[1]
    );
    let rows = csv(&rig, &text).arg("--json").exits(0).json();
    assert_eq!((&rows[0]["rows"], &rows[0]["reference"]), (&json!([2, 3]), &json!(format!("#{}", ids[0]))));
    assert_eq!((&rows[1]["rows"], &rows[1]["order"]), (&json!([5]), &json!("2")));
}

#[test]
fn d3_a_file_that_says_the_same_in_other_words_does_nothing() {
    let rig = Rig::new();
    let ids = [rig.paid(3), rig.paid(1)];
    rig.sync();
    let text = format!(
        "order,carrier,tracking,sku,quantity\n{0},ups,1Z1,TEE-001,1\n{0},ups,1Z2,TEE-001,2\n{1},ups,1Z3,,\n",
        ids[0], ids[1]
    );
    csv(&rig, &text).exits(0);
    let writes = rig.writes().len();
    csv(&rig, &text).exits(0).prints("recorded already");
    let part = format!("order,carrier,tracking,sku,quantity\n{},ups,'1Z 3,TEE-001,1.0\n", ids[1]);
    csv(&rig, &part).exits(0).prints("recorded already");
    assert_eq!(rig.writes().len(), writes);
}

#[test]
fn what_waits_in_the_outbox_has_not_gone_well_and_a_shared_number_is_told() {
    let rig = Rig::new();
    let (one, other) = (rig.paid(1), rig.paid(1));
    rig.sync();
    rig.unplug();
    let text = format!("order,carrier,tracking\n{one},ups,1Z1\n{other},ups,1Z1\n");
    let done = csv(&rig, &text).exits(5).says("0 of 2 orders went well; not so rows 2, 3");
    done.says(&format!("the number 1Z1 stands at several orders: {one}, {other}"));
}

#[test]
fn a_state_that_speaks_against_one_order_costs_that_order() {
    let rig = Rig::new();
    let (one, unpaid) = (rig.paid(1), rig.shop.place_order(NewOrder::paid().unpaid()));
    rig.sync();
    let text = format!("order,carrier,tracking\n{unpaid},ups,1Z1\n{one},ups,1Z2\n");
    let done = csv(&rig, &text).exits(3).says("not paid yet").says(&format!("row 2, order {unpaid}"));
    done.says("1 of 2 orders went well; not so row 2");
    assert_eq!(told(&rig, one).1, "1Z2");
}

#[test]
fn a_column_tells_the_store_or_whose_number_it_is() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.sync();
    csv(&rig, &format!("order,store,tracking,weight\n{id},woocommerce,1Z1,2 kg\n"))
        .arg("--ignore")
        .arg("Weight")
        .arg("--dry-run")
        .exits(0)
        .prints("order 1 ");
    csv(&rig, "order,by,tracking\n1,book,1Z1\n").arg("--dry-run").exits(0).prints("order 1 ");
    csv(&rig, "order,by,tracking\n1,channel,1Z1\n").arg("--dry-run").exits(7);
}

#[test]
fn what_the_file_refuses_the_flags_refuse_too() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let on = |words: &[&str]| {
        let order = format!("woocommerce:{}", ids[0]);
        rig.home.call(&[&["dispatch", &order], words].concat())
    };
    on(&["--carrier", "usps", "--tracking", "9.4E+21"]).exits(2).says("last digits");
    on(&["--carrier", "ups", "--tracking", "1Z1, 1Z2"]).exits(2).says("several numbers");
    on(&["--carrier", "dlh", "--tracking", "JD01"]).exits(2).says("dhl").says("--other-carrier");
    on(&["--carrier", "", "--tracking", "JD01"]).exits(2).says("is empty");
    on(&["--carrier", "JD0146", "--tracking", "dhl"]).exits(2).says("a carrier's name");
    on(&["--carrier", "dhl", "--tracking", "https://dhl.example/x=JD01"]).exits(2).says("a link");
    on(&["--carrier", "fedx", "--tracking", "JD01"]).exits(2).says("fedex");
    assert!(rig.writes().is_empty());
    on(&["--carrier", "dlh", "--other-carrier", "--tracking", "=\"00340434161094000119\""]).exits(0);
    assert_eq!(told(&rig, ids[0]), ("dlh".to_owned(), "00340434161094000119".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_to_its_end() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let pipe = rig.home.beside("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| std::fs::write(&pipe, format!("order,carrier,tracking\n{},ups,1Z1\n", ids[0])).unwrap());
        rig.home.call(&["dispatch", "--from", &pipe.to_string_lossy()]).exits(0);
    });
    assert_eq!(told(&rig, ids[0]).1, "1Z1");
}
