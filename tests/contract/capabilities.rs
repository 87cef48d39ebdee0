//! What a channel can do, both ways: it does what it promises, and refuses the rest before anything
//! is written.

use serde_json::Value;

use super::desk::each;

#[test]
fn d5_a_part_is_shipped_where_the_channel_can_and_refused_where_it_cannot() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        let part = desk.on("dispatch", &id, "--item TEE-001=1 --carrier dhl --tracking JD01");
        if !desk.capabilities().partial {
            part.exits(1);
            assert_eq!(desk.writes(), 0, "{}", desk.kind);
            return;
        }
        part.exits(0);
        assert_eq!(desk.show(&id)["status"], "partially-shipped", "{}", desk.kind);
        assert!(!desk.store.standing(&id).unwrap().shipped, "{}", desk.kind);
        desk.on("dispatch", &id, "--item TEE-001=2 --carrier dhl --tracking JD02").exits(6);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        assert!(desk.store.standing(&id).unwrap().shipped, "{}", desk.kind);
        let mut numbers = desk.tracking_numbers(&id);
        numbers.sort();
        assert_eq!(numbers, ["JD01", "JD02"], "{}", desk.kind);
    });
}

#[test]
fn an_order_that_went_out_without_a_number_is_told_where_one_can_be_entered() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "").exits(0);
        let writes = desk.writes();
        for more in ["", "--again"] {
            let done = desk.on("dispatch", &id, &format!("--carrier dhl --tracking JD01 {more}")).exits(6);
            done.says("nothing left to ship").says("the channel's own pages");
        }
        desk.on("dispatch", &id, "").exits(0).prints("recorded already").without("--again");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d5_a_number_that_two_boxes_have_is_replaced_for_both_here_and_there() {
    each(|desk| {
        if !desk.capabilities().replace_tracking || !desk.capabilities().partial {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, "--item TEE-001=1 --carrier dhl --tracking JD01").exits(0);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02").exits(0);
        let shown = desk.show(&id);
        let boxes = shown["shipments"].as_array().unwrap();
        let book: Vec<&Value> = boxes.iter().map(|one| &one["parcels"][0]["tracking"]).collect();
        assert_eq!(book, ["1Z02", "1Z02"], "{}: {shown}", desk.kind);
        assert!(desk.tracking_numbers(&id).iter().all(|number| number == "1Z02"), "{}", desk.kind);
        desk.on("dispatch", &id, "--replaces JD01 --tracking 1Z03").exits(7);
    });
}

#[test]
fn d5_a_tracking_number_is_replaced_where_the_channel_can() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        let writes = desk.writes();
        let replace = desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02");
        if !desk.capabilities().replace_tracking {
            replace.exits(1);
            assert_eq!(desk.writes(), writes, "{}", desk.kind);
            return;
        }
        replace.exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["1Z02"], "{}", desk.kind);
        let writes = desk.writes();
        desk.on("dispatch", &id, "--replaces JD01 --tracking 1Z03").exits(7);
        desk.on("dispatch", &id, "--replaces 1Z02 --carrier dhl --tracking 1z02").exits(2);
        desk.sync();
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}
