//! What the merchant does with an order in the book alone: the channel is told nothing of it, and
//! takes nothing of it back.

use serde_json::json;

use super::desk::{Desk, each};
use super::setups::NUMBER;

fn status(desk: &Desk, id: &str) -> String {
    desk.show(id)["status"].as_str().unwrap_or_default().to_owned()
}

fn is_listed(desk: &Desk, filter: &str, id: &str) -> bool {
    let listed = desk.home.json(&format!("orders --limit 0 {filter}"));
    listed.as_array().unwrap().iter().any(|row| row["remote_id"] == json!(id))
}

#[test]
fn p5_a_hold_stops_a_dispatch_and_outlives_a_sync_and_an_accept() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        let to_send = || desk.home.json("status")["to_send"].as_u64().unwrap();
        let before = to_send();
        desk.on("hold", &id, "--reason asked").exits(0).prints("on hold here, until you release it");
        desk.on("hold", &id, "").exits(0).prints("already").prints("nothing was changed");
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        assert_eq!((status(desk, &id), &desk.show(&id)["hold"]["reason"]), ("on-hold".to_owned(), &json!("asked")));
        desk.on("accept", &id, "").exits(0);
        assert_eq!(status(desk, &id), "on-hold", "{}", desk.kind);
        assert!(is_listed(desk, "--status on-hold", &id), "{}", desk.kind);
        assert!(!is_listed(desk, "--status awaiting-fulfillment", &id), "{}", desk.kind);
        assert_eq!(to_send(), before - 1, "{}", desk.kind);
        desk.server.clear_requests();
        for more in ["", "--later", "--dry-run", "--as-local", "--as-local --force"] {
            let done = desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(6);
            done.says("on hold here").says("ordersync release book:").says("--on-hold");
        }
        assert!(desk.server.requests().is_empty(), "{}: the channel knows nothing of it", desk.kind);
        desk.on("release", &id, "").exits(0).prints("awaiting-fulfillment again");
        desk.on("release", &id, "").exits(0).prints("nothing was changed");
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
        desk.on("dispatch", &id, NUMBER).exits(0);
        assert_eq!((status(desk, &id), desk.tracking_numbers(&id)), ("shipped".into(), vec!["JD01".to_owned()]));
        desk.on("hold", &id, "").exits(6).says("is shipped");
    });
}

#[test]
fn d2_an_order_on_hold_here_ships_where_the_merchant_says_so() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("hold", &id, "--until 3d").exits(0);
        desk.on("dispatch", &id, &format!("{NUMBER} --on-hold")).exits(0);
        assert_eq!((status(desk, &id), desk.tracking_numbers(&id)), ("shipped".into(), vec!["JD01".to_owned()]));
        desk.sync();
        assert_eq!(status(desk, &id), "shipped", "{}", desk.kind);
    });
}

/// P-3: an order that the merchant holds is one that was begun with.
#[test]
fn p3_a_cancellation_at_the_channel_waits_where_the_order_is_on_hold_here() {
    each(|desk| {
        desk.set("cancels=apply");
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("hold", &id, "").exits(0);
        assert!(desk.store.cancel(&id));
        desk.sync();
        assert_eq!(status(desk, &id), "on-hold", "{}", desk.kind);
        let inbox = desk.home.json("inbox").to_string();
        assert!(inbox.contains("it stays on-hold here"), "{}: {inbox}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(status(desk, &id), "cancelled", "{}", desk.kind);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
    });
}

#[test]
fn d2_what_a_supplier_ships_is_dispatched_as_any_order_and_changes_wait_for_a_word() {
    each(|desk| {
        desk.set("address=apply");
        let id = desk.paid(&[("TEE-001", 2)]);
        desk.on("dropship", &id, "--to Sam").exits(0).prints("requested from Sam").prints("nothing was sent");
        desk.on("dropship", &id, "--to Sam").exits(0).prints("nothing was changed");
        assert!(is_listed(desk, "--status dropshipment-requested", &id), "{}", desk.kind);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        assert_eq!(status(desk, &id), "dropshipment-requested", "{}", desk.kind);
        desk.home.run("changes").exits(0).prints("77 Somewhere Else");
        desk.on("accept", &id, "").exits(0);
        assert_eq!(status(desk, &id), "dropshipment-requested", "{}", desk.kind);
        desk.on("dropship", &id, "--withdraw").exits(0).prints("awaiting-fulfillment");
        desk.on("dropship", &id, "").exits(0);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
        desk.on("dispatch", &id, NUMBER).exits(0);
        assert_eq!((status(desk, &id), desk.tracking_numbers(&id)), ("shipped".into(), vec!["JD01".to_owned()]));
        desk.on("dropship", &id, "").exits(6).says("is shipped");
    });
}
