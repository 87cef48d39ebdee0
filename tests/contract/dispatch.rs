//! The ordinary course of a dispatch: recorded, told, read back, and never told again.

use ordersync::sim::{Fault, FaultKind, Lack, Purchase};
use serde_json::{Value, json};

use super::desk::each;
use super::setups::{NUMBER, each_set_up, states};

#[test]
fn d4_a_dispatch_is_read_back_and_a_second_one_writes_nothing() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        let rehearsed = desk.on("dispatch", &id, &format!("{NUMBER} --dry-run")).exits(0);
        rehearsed.prints("JD01").prints("nothing was written");
        assert_eq!((desk.writes(), desk.home.json("outbox --all")), (0, json!([])), "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}: a dry run", desk.kind);
        let done = desk.on("dispatch", &id, NUMBER).arg("--json").exits(0).json();
        assert_eq!((&done["state"], &done["error"]), (&json!("confirmed"), &Value::Null), "{}: {done}", desk.kind);
        assert!(!done["writes"].as_array().unwrap().is_empty(), "{}: {done}", desk.kind);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.shipped, standing.told("JD01")), (true, 1), "{}: {standing:?}", desk.kind);
        let writes = desk.writes();
        desk.on("dispatch", &id, NUMBER).exits(0).prints("recorded already");
        let error = desk.on("dispatch", &id, "--carrier dhl --tracking JD02").arg("--json").exits(6).error();
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("refused"), &json!(6)), "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.writes(), writes, "{}: told again", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        assert_eq!(desk.show(&id)["changed_at_channel"], false, "{}: {}", desk.kind, desk.show(&id));
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: its own echo is news", desk.kind);
    });
}

#[test]
fn d2_a_dispatch_that_cannot_reach_the_channel_or_is_for_later_goes_out_with_the_next_sync() {
    each(|desk| {
        for later in [false, true] {
            let id = desk.paid(&[("TEE-001", 1)]);
            if later {
                let done = desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
                done.prints("the next sync tells the channel");
                assert!(desk.server.requests().is_empty(), "{}", desk.kind);
            } else {
                desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
                desk.on("dispatch", &id, NUMBER).exits(5).prints("recorded").says("error: ");
                desk.home.run("sync").exits(5);
                desk.server.faults().clear();
            }
            assert_eq!((states(desk), desk.show(&id)["status"].as_str()), (vec!["queued".to_owned()], Some("shipped")));
            desk.sync();
            let standing = desk.store.standing(&id).unwrap();
            assert_eq!((standing.shipped, standing.told("JD01")), (true, 1), "{} {later}: {standing:?}", desk.kind);
            assert_eq!(states(desk), [""; 0], "{} {later}", desk.kind);
        }
    });
}

#[test]
fn d2_what_has_not_gone_out_can_be_taken_back_and_what_has_not() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let row = || desk.home.json("outbox --all")[0]["row"].as_str().unwrap().to_owned();
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.home.run(&format!("outbox --withdraw {}", row())).exits(0);
        desk.sync();
        assert_eq!((desk.writes(), &desk.show(&id)["status"]), (0, &json!("awaiting-fulfillment")), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        desk.home.run(&format!("outbox --withdraw {}", row())).exits(6).says("may have reached the channel");
    });
}

#[test]
fn d3_a_number_is_recognised_however_it_is_written() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let order = format!("{}:{id}", desk.kind);
        let dispatch = ["dispatch", &order, "--carrier", "dhl", "--tracking", "RR 123 456 789 DE"];
        desk.home.call(&dispatch).exits(0).prints("confirmed");
        let (writes, told) = (desk.writes(), desk.store.standing(&id).unwrap());
        desk.home.sql("UPDATE outbox SET state = 'unknown', next_at = 0");
        desk.sync();
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, told), "{}", desk.kind);
        assert_eq!(states(desk), [""; 0], "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.ship_elsewhere(&id, "DHL", "rr123456789de"));
        let (writes, order) = (desk.writes(), format!("{}:{id}", desk.kind));
        let dispatch = ["dispatch", &order, "--carrier", "dhl", "--tracking", "RR-123-456-789-DE"];
        desk.home.call(&dispatch).exits(0).prints("the channel had it already; nothing was written");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d3_a_dispatch_that_says_the_same_again_is_the_earlier_one() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 3), ("MUG-9", 1)]);
        let number = "--carrier ups --tracking 1Z999AA10123456784";
        let spaced = ["--carrier", "ups", "--tracking", "1z 999 aa1 01 2345 6784"];
        let part = if desk.capabilities().partial { "--item TEE-001=1" } else { "" };
        desk.on("dispatch", &id, &format!("{number} {part}")).exits(0);
        let (writes, once) = (desk.writes(), desk.store.standing(&id).unwrap());
        for more in ["", "--later", "--dry-run", "--as-local"] {
            let done = desk.on("dispatch", &id, &format!("{number} {part} {more}")).arg("--json").exits(0).json();
            assert_eq!(done["state"], "confirmed", "{}: {done}", desk.kind);
            assert!(done["detail"].to_string().contains("recorded already"), "{}: {done}", desk.kind);
        }
        let grouped = spaced.iter().fold(desk.on("dispatch", &id, part), |call, arg| call.arg(arg));
        let grouped = grouped.exits(0).prints("recorded already");
        assert_eq!(grouped.stdout.contains("--again"), !part.is_empty(), "{}: only where something is left", desk.kind);
        let file = desk.home.file(
            "parcels.csv",
            &format!(
                "order,carrier,tracking,sku,quantity\n{}:{id},ups,1Z999AA10123456784,{}\n",
                desk.kind,
                if part.is_empty() { "," } else { "TEE-001,1" }
            ),
        );
        desk.home.run(&format!("dispatch --from {file}")).exits(0).prints("recorded already");
        desk.sync();
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, once.clone()), "{}", desk.kind);
        if !part.is_empty() {
            desk.on("dispatch", &id, &format!("{number} {part} --again")).exits(0);
            let twice = desk.store.standing(&id).unwrap();
            assert!(twice.parcels.len() == 2 && twice.dispatch_mails > once.dispatch_mails, "{}: {twice:?}", desk.kind);
            desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        }
        let writes = desk.writes();
        desk.on("dispatch", &id, &format!("{number} {part}")).exits(0).prints("recorded already");
        desk.on("dispatch", &id, &format!("{number} {part} --again")).exits(6).says("left");
        let done = desk.on("dispatch", &id, "--carrier dhl --tracking JD99").exits(6).says("nothing left to ship");
        match desk.capabilities().replace_tracking {
            true => done.says("--replaces"),
            false => done.says("the channel's own pages").without("--replaces"),
        };
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d4_of_pieces_under_our_number_only_what_is_left_goes_out_and_other_goods_under_it_are_not_ours() {
    each(|desk| {
        if desk.store.lacks(Lack::Parts) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        assert!(desk.store.ship_pieces(&id, 0, 1, "DHL", "JD01"));
        desk.home.run("sync").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.sent, standing.shipped), (3, true), "{}: {standing:?}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1), ("MUG-9", 1)]);
        assert!(desk.store.ship_pieces(&id, 1, 1, "DHL", "JD02"));
        let tee = "--item TEE-001=1 --carrier dhl --tracking JD02";
        desk.on("dispatch", &id, tee).exits(6).says("shipped");
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, tee).exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.sent, standing.shipped), (2, true), "{}: {standing:?}", desk.kind);
    });
}

#[test]
fn d4_what_was_shipped_by_other_means_with_the_same_number_is_adopted() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.ship_elsewhere(&id, "DHL", "JD01"));
        let (writes, told) = (desk.writes(), desk.store.standing(&id).unwrap());
        desk.on("dispatch", &id, NUMBER).exits(0).prints("the channel had it already; nothing was written");
        assert_eq!((desk.show(&id)["status"].as_str(), states(desk)), (Some("shipped"), Vec::new()), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6);
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, told), "{}: shipped twice", desk.kind);
    });
}

#[test]
fn d4_what_the_inbox_told_of_a_shipment_is_settled_once_a_dispatch_adopts_it() {
    each_set_up(|desk| {
        desk.set("edits=ignore");
        for noted in [false, true] {
            let id = desk.paid(&[("TEE-001", 1)]);
            assert!(!noted || desk.store.annotate(&id, "please ring"));
            assert!(desk.store.ship_elsewhere(&id, "DHL", "JD01"));
            desk.sync();
            let told = || desk.show(&id)["inbox"].clone();
            assert_eq!(told()[0]["kind"], "shipped", "{} {noted}", desk.kind);
            desk.on("dispatch", &id, NUMBER).exits(0).prints("the channel had it already");
            assert_eq!(told(), json!([]), "{} {noted}", desk.kind);
            desk.sync();
            assert_eq!(told(), json!([]), "{} {noted}: after a sync", desk.kind);
        }
    });
}

/// Downloads are in no shipment, and an order of nothing else is done by saying so.
#[test]
fn p12_what_needs_no_parcel_is_in_no_shipment() {
    each_set_up(|desk| {
        let mixed = desk.paid(&[("TEE-001", 1), ("VOUCHER-25", 2)]);
        desk.on("dispatch", &mixed, NUMBER).exits(0);
        let (standing, shown) = (desk.store.standing(&mixed).unwrap(), desk.show(&mixed));
        // Not every channel tells of each line whether it ships.
        let ships = |line: &&Value| line["ships"] == true;
        let pieces = shown["lines"].as_array().unwrap().iter().filter(ships).map(|line| line["quantity"].as_str());
        let pieces: u64 = pieces.map(|pieces| pieces.unwrap().parse::<u64>().unwrap()).sum();
        // Where only whole orders go, nothing may be counted.
        let is_counted = standing.sent == pieces || (standing.sent == 0 && !desk.capabilities().partial);
        assert!(is_counted && standing.told("JD01") == 1, "{}: {standing:?}", desk.kind);
        assert_eq!(shown["status"], "shipped", "{}", desk.kind);
        let digital = desk.store.place(&Purchase::paid().only_virtual());
        desk.sync();
        desk.on("dispatch", &digital, NUMBER).exits(6).says("needs no parcel");
        desk.on("dispatch", &digital, "").exits(0);
        assert_eq!(desk.show(&digital)["status"], "shipped", "{}", desk.kind);
        assert_eq!((desk.store.standing(&digital).unwrap().sent, states(desk)), (0, Vec::new()), "{}", desk.kind);
    });
}

#[test]
fn p12_what_the_buyer_comes_for_takes_no_parcel() {
    each(|desk| {
        if desk.store.lacks(Lack::PickUp) {
            return;
        }
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 2)]).picked_up());
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("needs no parcel");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        // What only the shop's own pages can do is refused.
        let done = desk.on("dispatch", &id, "").done();
        assert!(matches!(done.code, Some(0 | 6)), "{done:?}");
        let status = if done.code == Some(0) { "shipped" } else { "awaiting-fulfillment" };
        assert_eq!(desk.show(&id)["status"], status, "{}", desk.kind);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.sent, standing.parcels.len()), (0, 0), "{}: {standing:?}", desk.kind);
    });
}

#[test]
fn an_order_that_went_out_without_a_number_is_told_where_one_can_be_entered() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "").exits(0).prints("confirmed by the channel");
        assert!(desk.store.standing(&id).unwrap().shipped, "{}", desk.kind);
        let writes = desk.writes();
        for more in ["", "--again"] {
            let done = desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(6);
            done.says("nothing left to ship").says("the channel's own pages");
        }
        desk.on("dispatch", &id, "").exits(0).prints("recorded already").without("--again");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn what_is_dispatched_stays_so_when_a_newer_version_is_accepted() {
    each(|desk| {
        if !desk.capabilities().partial {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, &format!("--item TEE-001=2 {NUMBER}")).exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&json!("partially-shipped"), &json!("1")));
    });
}

#[test]
fn d6_another_carrier_for_a_number_that_is_dispatched_is_not_dropped_in_silence() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        let other = "--carrier ups --tracking jd01";
        let waits = desk.on("dispatch", &id, other).exits(6);
        waits.says("DHL and not UPS").says("nothing was recorded or sent").says("outbox --withdraw");
        desk.sync();
        let writes = desk.writes();
        for how in ["", "--dry-run", "--later"] {
            let done = desk.on("dispatch", &id, &format!("{other} {how}")).exits(6);
            let can = desk.capabilities().replace_tracking;
            done.says("DHL and not UPS").says(if can { "--replaces" } else { "the channel's own pages" });
        }
        desk.on("dispatch", &id, "--tracking JD01").exits(0).prints("recorded already");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d5_one_number_given_twice_is_no_second_parcel() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 3)]);
        let twice = "--carrier dhl --tracking JD01 --tracking jd-01";
        desk.on("dispatch", &id, twice).exits(2).says("given twice").says("nothing was recorded");
        assert_eq!((desk.writes(), desk.home.json("outbox --all")), (0, json!([])), "{}", desk.kind);
        if !desk.capabilities().partial {
            return;
        }
        desk.on("dispatch", &id, &format!("--item TEE-001=1 {NUMBER}")).exits(0);
        let (writes, once) = (desk.writes(), desk.store.standing(&id).unwrap());
        for how in ["", "--dry-run", "--later", "--as-local"] {
            let done = desk.on("dispatch", &id, &format!("{NUMBER} {how}")).exits(6);
            done.says("JD01 already, for 1 × TEE-001, and this is 2 × TEE-001").says("--again");
        }
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, once), "{}", desk.kind);
        desk.on("dispatch", &id, &format!("{NUMBER} --again")).exits(0);
        assert_eq!(desk.store.standing(&id).unwrap().sent, 3, "{}", desk.kind);
    });
}

#[test]
fn what_waits_is_listed_with_its_numbers_and_carriers() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        let row = desk.home.json("outbox")[0].clone();
        let parcels = json!([{ "carrier": "dhl", "tracking": "JD01" }]);
        assert_eq!((&row["kind"], &row["parcels"], &row["replaces"]), (&json!("dispatch"), &parcels, &Value::Null));
        assert_eq!(row["what"], "dispatch dhl JD01", "{}", desk.kind);
        desk.sync();
        if !desk.capabilities().replace_tracking {
            return;
        }
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02 --later").exits(0);
        let row = desk.home.json("outbox")[0].clone();
        let parcels = json!([{ "carrier": "ups", "tracking": "1Z02" }]);
        assert_eq!((&row["kind"], &row["parcels"], &row["replaces"]), (&json!("tracking"), &parcels, &json!("JD01")));
    });
}
