//! What an order goes out in spite of (D-9): each obstacle has a switch of its own, and none of
//! them switches the check off.

use ordersync::sim::{Lack, Purchase};

use super::desk::each;

#[test]
fn d9_an_order_on_hold_goes_out_by_its_own_switch_and_the_check_stays() {
    each(|desk| {
        if desk.store.lacks(Lack::Holds) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.hold(&id));
        desk.sync();
        desk.on("accept", &id, "").done();
        let number = "--carrier dhl --tracking JD01";
        desk.on("dispatch", &id, &format!("{number} --as-local")).exits(6).says("hold");
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("dispatch", &id, &format!("{number} --on-hold")).exits(6).says("address");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
    });
}

/// Some channels ship what they hold, others nothing of it whoever insists.
#[test]
fn d2_what_helps_with_an_order_that_the_channel_holds_is_what_the_hint_says() {
    let number = "--carrier dhl --tracking JD01";
    each(|desk| {
        if desk.store.lacks(Lack::Holds) {
            return;
        }
        let kind = desk.kind;
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.hold(&id));
        desk.sync();
        let pull = "ordersync pull book:";
        let insists = desk.on("dispatch", &id, number).exits(6).says("on hold").says(pull).stderr.contains("--on-hold");
        let done = desk.on("release", &id, "").exits(6).says(pull);
        assert_eq!(done.stderr.contains("--on-hold"), insists, "{kind}: {done:?}");
        if insists {
            desk.on("dispatch", &id, &format!("{number} --on-hold")).exits(0);
        } else {
            desk.on("dispatch", &id, &format!("{number} --on-hold")).exits(6).says("hold").says(pull);
            assert_eq!(desk.writes(), 0, "{kind}");
            assert!(desk.store.release(&id));
            desk.on("pull", &id, "").exits(0);
            desk.on("dispatch", &id, number).exits(0);
        }
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");

        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{number} --later")).exits(0);
        assert!(desk.store.hold(&id));
        desk.home.run("sync").exits(3);
        let entries = desk.home.json("inbox").to_string();
        assert!(
            entries.contains("on hold at the channel") && entries.contains("ordersync retry book:"),
            "{kind}: {entries}"
        );
        assert_eq!(entries.contains("--on-hold"), insists, "{kind}: {entries}");
        assert!(desk.store.release(&id));
        desk.on("retry", &id, "").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");
    });
}

#[test]
fn d9_an_unpaid_order_goes_out_by_its_own_switch_or_setting_and_the_check_stays() {
    each(|desk| {
        let place = || {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
            desk.sync();
            id
        };
        let number = "--carrier dhl --tracking JD01";
        let id = place();
        desk.on("dispatch", &id, number).exits(6).says("--unpaid");
        desk.on("dispatch", &id, &format!("{number} --as-local")).exits(6).says("--unpaid");
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("dispatch", &id, &format!("{number} --unpaid")).exits(6).says("address");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        desk.sync();
        desk.on("dispatch", &id, &format!("{number} --unpaid")).exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);

        let id = place();
        let payment = desk.show(&id)["payment"].clone();
        let names = ["method", "title"].map(|name| payment[name].as_str().unwrap_or_default().to_owned());
        let method = names.into_iter().find(|name| !name.is_empty()).unwrap();
        desk.home.run("config set").arg(&format!("{}.unpaid_methods", desk.kind)).arg(&format!("x, {method}")).exits(0);
        desk.on("dispatch", &id, &format!("{number} --later")).exits(0);
        desk.sync();
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}: {method}", desk.kind);
    });
}
