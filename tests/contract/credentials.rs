//! What is kept of a connection: which store it is, its secrets, and for whom they are.

use ordersync::channel::Field;
use ordersync::sim::{Fault, FaultKind};
use serde_json::json;

use super::desk::{Desk, each, each_kind};
use super::setups::peculiar;

/// What says which store it is, or which server has it.
fn named(desk: &Desk) -> &'static Field {
    desk.kind.adapter().fields.iter().find(|field| field.required && !field.secret).unwrap()
}

#[test]
fn i9_new_credentials_keep_orders_and_position() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        let position = || desk.home.sql("SELECT walk || position FROM cursors ORDER BY walk");
        let before = position();
        let done = desk.home.run(&format!("connect --reauth {}", desk.kind)).exits(0);
        done.prints("its orders and its position are as they were");
        assert_eq!(position(), before, "{}", desk.kind);
        let run = desk.sync();
        assert_eq!((&run["new"], &run["changed"]), (&json!(0), &json!(0)), "{}: {run}", desk.kind);
    });
}

#[test]
fn i9_credentials_of_another_store_are_refused_and_the_old_ones_stay() {
    each(|desk| {
        let other = Desk::empty(desk.kind);
        let access = other.store.access(other.server.url());
        let call = desk.home.run(&format!("connect --reauth {} {}", desk.kind, access.flags.join(" ")));
        let done = access.secrets.iter().fold(call, |call, (name, value)| call.env(name, value)).exits(6);
        done.says("as a store of its own");
        desk.sync();
    });
}

#[test]
fn i9_a_store_that_was_removed_leaves_its_orders_and_no_credentials_and_comes_back_as_itself() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let file = desk.home.path().join(format!("credentials/{}.json", desk.kind));
        let orders = desk.orders();
        assert!(file.exists(), "{}", desk.kind);
        let done = desk.home.run(&format!("connect --remove {}", desk.kind)).exits(0);
        done.prints("its orders stay in the book");
        assert!(!file.exists(), "{}", desk.kind);
        desk.home.run("sync").exits(7).says("no store is connected");
        desk.connect("").exits(0);
        desk.sync();
        assert_eq!(desk.orders(), orders, "{}: the same orders, not others beside them", desk.kind);
        desk.show(&id);
    });
}

#[test]
fn i9_a_store_that_comes_back_from_further_back_is_read_from_there() {
    each_kind(|kind| {
        let desk = Desk::unconnected(kind);
        desk.connect("--since 1d").exits(0);
        desk.sync();
        let few = desk.orders();
        let again = |more: &str| {
            desk.home.run(&format!("connect --remove {kind}")).exits(0);
            desk.connect(more).exits(0);
            desk.sync()
        };
        again("--since all");
        let whole = Desk::new(kind);
        whole.sync();
        assert_eq!(desk.orders(), whole.orders(), "{kind}");
        assert!(few < desk.orders(), "{kind}");
        let report = again("--since 2d");
        assert_eq!(report["new"], 0, "{kind}: it is wanted from the beginning still");
        assert!(report["fetched"].as_u64().unwrap() < 20, "{kind}: {report}");
    });
}

/// Whoever can change an address, in the book or by a slip, is not sent the secrets.
#[test]
fn x6_credentials_are_sent_to_nobody_but_the_server_they_were_given_for() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let other = Desk::empty(desk.kind);
        let before = desk.home.sql("SELECT settings FROM stores")[0].clone();
        let elsewhere = format!("config set {}.endpoint {}", desk.kind, other.server.url());
        desk.home.run(&elsewhere).exits(0).says(&format!("--reauth {}", desk.kind));
        let refused = || {
            for words in ["sync", "connect --test", &format!("pull {}:{id}", desk.kind)] {
                let done = desk.home.run(words).exits(4).says("nothing was sent");
                done.says(&format!("ordersync connect --reauth {}", desk.kind));
            }
            assert!(other.server.requests().is_empty(), "{}", desk.kind);
        };
        refused();
        desk.home.sql(&format!("UPDATE stores SET settings = '{before}' RETURNING id"));
        desk.sync();
        // The address that the program makes of what says which store it is.
        let key = named(desk).key;
        desk.home.sql(&format!(
            "UPDATE stores SET settings = json_set(json_remove(settings, '$.endpoint'), '$.{key}', '{}') RETURNING id",
            other.server.url()
        ));
        desk.home.run("sync").done();
        assert!(other.server.requests().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn x1_secrets_are_nowhere_but_in_their_file() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        let backup = desk.home.beside("copy.sqlite");
        desk.home.run(&format!("backup {}", backup.display())).exits(0);
        let home = std::fs::read_dir(desk.home.path()).unwrap().map(|entry| entry.unwrap().path());
        for file in home.filter(|path| path.is_file()).chain([backup]) {
            desk.home.assert_no_secret_in(&file);
        }
    });
}

/// Whoever meets with it: new credentials are what helps.
#[test]
fn c6_every_command_gives_the_same_advice_where_the_credentials_are_refused() {
    each(|desk| {
        desk.sync();
        let reauth = format!("ordersync connect --reauth {}", desk.kind);
        let refused = Fault::new(FaultKind::Unauthorized).on_path(peculiar(desk.kind).api);
        desk.server.faults().add(refused.always());
        for command in ["connect --test", "status", "sync", "inbox", "doctor", "status"] {
            let done = desk.home.run(command).done();
            let said = format!("{}{}", done.stdout, done.stderr);
            assert!(said.contains(&reauth) && !said.contains("connect --test"), "{command}: {done:?}");
        }
        desk.server.faults().clear();
        desk.home.run("connect --test").exits(0);
        desk.home.run("status --check").exits(0).without("credentials");
    });
}
