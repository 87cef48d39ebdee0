//! A dispatch is told once: lost answers, repeats, and shipments that are there already.

use ordersync::channel::ChannelKind;
use ordersync::sim::{Exchange, Fault, FaultKind};

use super::desk::{Desk, each, each_kind, lost, struck, writes_of_a_dispatch};

#[test]
fn d3_a_number_is_recognised_however_it_is_written() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let order = format!("{}:{id}", desk.kind);
        let dispatch = ["dispatch", &order, "--carrier", "dhl", "--tracking", "RR 123 456 789 DE"];
        desk.home.call(&dispatch).exits(0).prints("confirmed");
        let (writes, told) = (desk.writes(), desk.store.standing(&id).unwrap());
        desk.home.sql("UPDATE outbox SET state = 'unknown', next_at = 0");
        desk.sync();
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, told), "{}", desk.kind);
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.ship_elsewhere(&id, "DHL", "rr123456789de"));
        let (writes, order) = (desk.writes(), format!("{}:{id}", desk.kind));
        let dispatch = ["dispatch", &order, "--carrier", "dhl", "--tracking", "RR-123-456-789-DE"];
        let done = desk.home.call(&dispatch).done();
        assert!(matches!(done.code, Some(0 | 6)), "{done:?}");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d3_what_the_channel_took_is_only_looked_for_however_long_it_does_not_show_it() {
    each(|desk| {
        let once = {
            let id = desk.paid(&[("TEE-001", 2)]);
            let writes = desk.writes();
            desk.on("dispatch", &id, "--carrier dhl --tracking JD00").exits(0);
            (desk.writes() - writes, desk.store.standing(&id).unwrap().dispatch_mails)
        };
        let id = desk.paid(&[("TEE-001", 2)]);
        let writes = desk.writes();
        desk.server.faults().add(Fault::new(FaultKind::Lagging).always());
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        for _ in 0..3 {
            desk.on("retry", &id, "").done();
            desk.home.sql("UPDATE outbox SET next_at = 0, attempted_at = attempted_at - 7200000 WHERE state = 'sent'");
            desk.home.run("sync").done();
        }
        let standing = desk.store.standing(&id).unwrap();
        assert!(desk.writes() - writes <= once.0, "{}: {} writes", desk.kind, desk.writes() - writes);
        assert!(standing.dispatch_mails <= once.1 && standing.parcels.len() == 1, "{}: {standing:?}", desk.kind);
        let told = desk.home.json("inbox").to_string();
        assert!(told.contains("does not show it") && told.contains("retry"), "{}: {told}", desk.kind);
        desk.server.faults().clear();
        desk.on("retry", &id, "").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((desk.writes() - writes, standing.dispatch_mails), once, "{}: {standing:?}", desk.kind);
        assert!(standing.shipped, "{}: {standing:?}", desk.kind);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn d4_a_dispatch_is_read_back_and_a_second_one_writes_nothing() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --dry-run").exits(0);
        assert_eq!(desk.writes(), 0, "{}: a dry run wrote", desk.kind);
        let done = desk.on("dispatch", &id, "--carrier dhl --tracking JD01").arg("--json").exits(0).json();
        assert_eq!(done["state"], "confirmed", "{}: {done}", desk.kind);
        let standing = desk.store.standing(&id).unwrap();
        assert!(standing.shipped, "{}: {standing:?}", desk.kind);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
        let writes = desk.writes();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0).prints("recorded already");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6);
        desk.sync();
        assert_eq!(desk.writes(), writes, "{}: told again", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        assert_eq!(desk.show(&id)["changed_at_channel"], false, "{}: {}", desk.kind, desk.show(&id));
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: its own echo is news", desk.kind);
    });
}

/// The channels that take a piece that is shipped already once more.
const TAKE_REPEATS: [ChannelKind; 1] = [ChannelKind::WooCommerce];

/// That the repeat is refused does not say that the first one came to nothing: it may be the
/// reason.
#[test]
fn d3_a_lost_write_whose_repeat_is_refused_is_only_looked_for() {
    each_kind(|kind| {
        if TAKE_REPEATS.contains(&kind) {
            return;
        }
        let desk = Desk::new(kind);
        let without_fault = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &without_fault, "--carrier dhl --tracking JD00").exits(0);
        let once = desk.store.standing(&without_fault).unwrap().dispatch_mails;
        let write = desk.server.requests().into_iter().find(Exchange::is_write).unwrap();
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(lost(&write, &without_fault));
        // What answers from then on does not know of it yet.
        desk.server.faults().add(Fault::new(FaultKind::Lagging).always());
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        for _ in 0..3 {
            desk.home.run("retry").done();
            desk.home.run("sync").done();
            let row = desk.home.json("outbox")[0].clone();
            assert!(matches!(row["state"].as_str(), Some("unknown" | "sent")), "{kind}: {row}");
        }
        let tried = desk.server.requests().iter().filter(|one| one.is_write()).count();
        assert!(tried <= 2, "{kind}: written {tried} times");
        assert_eq!(desk.show(&id)["status"], "shipped", "{kind}");
        let inbox = desk.home.json("inbox").to_string();
        assert!(!inbox.contains("did not go out"), "{kind}: {inbox}");
        desk.server.faults().clear();
        desk.home.run("retry").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.parcels.len(), standing.dispatch_mails), (1, once), "{kind}: {standing:?}");
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{kind}");
    });
}

#[test]
fn d3_a_dispatch_whose_answer_was_lost_tells_the_buyer_once() {
    each(|desk| {
        let without_fault = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &without_fault, "--carrier dhl --tracking JD00").exits(0);
        let once = desk.store.standing(&without_fault).unwrap().dispatch_mails;
        let writes: Vec<Exchange> = desk.server.requests().into_iter().filter(Exchange::is_write).collect();
        let id = desk.paid(&[("TEE-001", 1)]);
        for write in &writes {
            desk.server.faults().add(lost(write, &without_fault));
        }
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        desk.server.faults().clear();
        // An answer that was lost just now may still be on its way at the channel, so each retry
        // waits a little.
        desk.home.run("retry").done();
        desk.sync();
        let standing = desk.store.standing(&id).unwrap();
        assert!(standing.shipped, "{}: {standing:?}", desk.kind);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
        assert_eq!(standing.dispatch_mails, once, "{}", desk.kind);
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{}", desk.kind);
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
        desk.on("dispatch", &id, "--carrier dhl --tracking JD99")
            .exits(6)
            .says("nothing left to ship")
            .says("--replaces");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

/// The answer to a dispatch is lost, it never arrived, and then somebody else ships the order.
#[test]
fn d3_what_others_have_shipped_since_an_answer_was_lost_is_not_shipped_again() {
    each(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 2)]);
        for write in &writes {
            desk.server.faults().add(struck(FaultKind::ServerError(502), write, &without).always());
        }
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        desk.server.faults().clear();
        assert_eq!(desk.home.json("outbox")[0]["state"], "unknown", "{}", desk.kind);
        assert!(desk.store.ship_elsewhere(&id, "UPS", "1Z01"));
        let before = desk.writes();
        desk.home.run("retry").done();
        assert!(!desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: the merchant has to look", desk.kind);
        assert_eq!(desk.writes(), before, "{}: {:?}", desk.kind, desk.home.json("inbox"));
        desk.on("accept", &id, "").exits(0);
        desk.home.run("retry").done();
        desk.home.run("sync").done();
        assert_eq!((desk.writes(), desk.tracking_numbers(&id)), (before, vec!["1Z01".to_owned()]), "{}", desk.kind);
        // The merchant has looked: it is not there, and there is nothing left to make it of.
        desk.on("retry", &id, "--again").done();
        assert_eq!(desk.writes(), before, "{}", desk.kind);
        for row in desk.home.json("outbox").as_array().unwrap() {
            desk.home.run(&format!("outbox --withdraw {}", row["row"].as_str().unwrap())).exits(0);
        }
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&"shipped".into(), &"0".into()), "{}", desk.kind);
    });
}

/// A server that takes every write and loses every answer, and shows nothing of it: each may have
/// told the buyer.
#[test]
fn d3_after_four_lost_answers_nothing_more_is_written_without_the_merchant() {
    each(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 2)]);
        for write in &writes {
            desk.server.faults().add(struck(FaultKind::ServerError(502), write, &without).always());
        }
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        for _ in 0..5 {
            desk.home.run("retry").done();
        }
        let tried = desk.server.requests().iter().filter(|request| request.is_write()).count();
        assert_eq!(tried, 4, "{}", desk.kind);
        let told = desk.home.json("inbox");
        assert!(told.as_array().unwrap().iter().any(|note| note["kind"] == "unseen"), "{}: {told}", desk.kind);
        desk.server.faults().clear();
        desk.on("retry", &id, "--again").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
    });
}

#[test]
fn d4_what_was_shipped_by_other_means_with_the_same_number_is_adopted() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.ship_elsewhere(&id, "DHL", "JD01"));
        let writes = desk.writes();
        let done = desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        // Adopted, or the merchant is asked first because it was shipped meanwhile; never written.
        assert!(matches!(done.code, Some(0 | 6)), "{done:?}");
        assert_eq!(desk.writes(), writes, "{}: shipped twice", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6);
        assert_eq!(desk.writes(), writes, "{}: shipped twice", desk.kind);
    });
}

#[test]
fn d4_of_pieces_under_our_number_only_what_is_left_goes_out_and_other_goods_under_it_are_not_ours() {
    each(|desk| {
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
