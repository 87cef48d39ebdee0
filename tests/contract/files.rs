//! Dispatches from a file (how a file is read stands in `tests/files.rs`).

use ordersync::sim::{Exchange, Fault, FaultKind};
use serde_json::json;

use super::desk::{Desk, each, lost, struck, writes_of_a_dispatch};
use super::support::program::Call;

fn csv<'a>(desk: &'a Desk, rows: &[(&str, &str)]) -> Call<'a> {
    let rows: String = rows.iter().map(|(id, number)| format!("{id},ups,{number}\n")).collect();
    let path = desk.home.file("labels.csv", &format!("order,carrier,tracking\n{rows}"));
    desk.home.call(&["dispatch", "--from", &path])
}

/// The number of an order in the book is another one's at the shop.
#[test]
fn d1_a_list_that_is_made_a_file_of_dispatches_means_the_orders_that_it_lists() {
    each(|desk| {
        let ids = [desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)])];
        let list = desk.home.run("orders --to-send --csv").exits(0).stdout;
        let mut rows = list.lines();
        let at = |name: &str| list.lines().next().unwrap().split(',').position(|column| column == name).unwrap();
        let (order, store, remote) = (at("order"), at("store"), at("remote_id"));
        rows.next();
        let mut labels = "order,store,carrier,tracking\n".to_owned();
        for cells in rows.map(|row| row.split(',').collect::<Vec<_>>()) {
            if let Some(nth) = ids.iter().position(|id| id.ends_with(cells[remote].trim_start_matches('\''))) {
                labels.push_str(&format!("{},{},ups,1Z{nth}\n", cells[order], cells[store]));
            }
        }
        assert_eq!(labels.lines().count(), 3, "{}: {list}", desk.kind);
        let path = desk.home.file("labels.csv", &labels);
        desk.home.call(&["dispatch", "--from", &path]).exits(0);
        for (nth, id) in ids.iter().enumerate() {
            assert_eq!(desk.tracking_numbers(id), [format!("1Z{nth}")], "{}", desk.kind);
        }
        let wrong = desk.home.file("wrong.csv", "order,store,carrier,tracking\nbook:1,other,ups,1Z9\n");
        desk.home.call(&["dispatch", "--from", &wrong]).exits(7);
    });
}

#[test]
fn d3_the_same_file_again_does_nothing() {
    each(|desk| {
        let (one, two) = (desk.paid(&[("TEE-001", 3)]), desk.paid(&[("TEE-001", 1)]));
        let name = |id: &str| format!("{}:{id}", desk.kind);
        let (first, second) = (name(&one), name(&two));
        let rows = [(first.as_str(), "1Z1"), (second.as_str(), "1Z3")];
        csv(desk, &rows).exits(0);
        let writes = desk.writes();
        csv(desk, &rows).exits(0).prints("recorded already");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
        assert_eq!(
            (desk.tracking_numbers(&one), desk.tracking_numbers(&two)),
            (vec!["1Z1".into()], vec!["1Z3".into()])
        );
    });
}

#[test]
fn a_store_that_cannot_be_reached_is_not_asked_again_for_every_row_and_all_of_them_wait() {
    each(|desk| {
        let ids = [0; 3].map(|_| desk.paid(&[("TEE-001", 1)]));
        let names = ids.clone().map(|id| format!("{}:{id}", desk.kind));
        let numbers = ["1Z1", "1Z2", "1Z3"];
        let rows: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(numbers).collect();
        desk.server.faults().add(Fault::new(FaultKind::ServerError(503)).always());
        desk.server.clear_requests();
        csv(desk, &rows[..1]).arg("--dry-run").exits(5);
        let asked = desk.server.requests().len();
        desk.server.clear_requests();
        csv(desk, &rows).arg("--dry-run").exits(5);
        assert!(asked > 0 && desk.server.requests().len() == asked, "{}", desk.kind);
        desk.server.clear_requests();
        csv(desk, &rows).exits(5);
        assert_eq!(desk.server.requests().len(), asked, "{}", desk.kind);
        desk.server.faults().clear();
        desk.home.run("sync").exits(0);
        for (id, number) in ids.iter().zip(numbers) {
            assert_eq!(desk.tracking_numbers(id), [number], "{}", desk.kind);
        }
        assert_eq!(desk.home.json("outbox"), json!([]), "{}", desk.kind);
    });
}

/// What is recorded and not confirmed is told by the same code, with `--dry-run` and behind a row
/// whose store cannot be reached.
#[test]
fn d2_a_dispatch_whose_answer_was_lost_is_not_done_because_it_is_recorded() {
    each(|desk| {
        let (first, lost, next) =
            (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        desk.on("dispatch", &first, "--carrier ups --tracking 1Z1").exits(0);
        let write = desk.server.requests().into_iter().rfind(Exchange::is_write).unwrap();
        desk.server.faults().add(struck(FaultKind::AnswerLost, &write, &first));
        desk.on("dispatch", &lost, "--carrier ups --tracking 1Z2").exits(5);
        desk.server.faults().clear();
        for how in ["", "--dry-run"] {
            let done = desk.on("dispatch", &lost, &format!("--carrier ups --tracking 1Z2 {how}")).exits(5);
            done.prints("recorded already");
        }
        desk.server.faults().add(Fault::new(FaultKind::ServerError(503)).always());
        let names = [&next, &lost].map(|id| format!("{}:{id}", desk.kind));
        csv(desk, &[(&names[0], "1Z3"), (&names[1], "1Z2")]).exits(5).prints("recorded already");
    });
}

#[test]
fn c6_a_row_whose_answer_was_lost_has_not_gone_well() {
    each(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(lost(&writes[0], &without));
        csv(desk, &[(&id, "JD01")]).exits(5).says("row 2, order").says("0 of 1 orders went well; not so row 2");
    });
}
