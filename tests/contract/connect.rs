//! Connecting a store: which one it is, its secrets, and what is told of them.

use base64::Engine;
use ordersync::sim::{Fault, FaultKind, Purchase};
use serde_json::{Value, json};

use super::desk::{Desk, each, each_kind};

#[test]
fn i9_a_store_is_connected_once() {
    each(|desk| {
        desk.connect("").exits(6).says(&format!("{} is connected already", desk.kind));
        desk.connect("--name again").exits(6).says(desk.kind.word());
        assert_eq!(desk.home.json("connect --list").as_array().unwrap().len(), 1);
        desk.home.run("connect --test").exits(0);
        desk.home.run(&format!("connect --reauth {}", desk.kind)).exits(0);
    });
}

#[test]
fn a1_connect_shows_the_store_what_it_imports_and_the_guide_time() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        let guide = kind.adapter().guide_time.to_string();
        let done = desk.connect("").exits(0).prints("1 at the channel").prints("everything changed since");
        // How many of them are of the last 30 days nobody has said.
        done.prints("the first sync takes at most about 1 min for 1 order ")
            .prints(&format!("approximately {guide}"))
            .prints(&format!("ordersync sync --channel {kind}"));

        let desk = Desk::empty(kind);
        desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        let done = desk.connect("--since all").exits(0).prints("takes about 1 min for 1 order ");
        done.prints(&format!("approximately {guide}"));

        let desk = Desk::empty(kind);
        let told = desk.connect("--json --name second --since all").exits(0).json();
        assert_eq!((&told["store"]["name"], &told["store"]["channel"]), (&json!("second"), &json!(kind.word())));
        assert_eq!((&told["store"]["since"], &told["guide_time"]), (&json!(null), &json!(guide)), "{kind}");
        assert_eq!(told["orders_at_channel"], 0, "{kind}");
    });
}

#[test]
fn c4_without_a_terminal_a_missing_value_is_named_by_its_flag_and_a_secret_is_never_taken_from_one() {
    each_kind(|kind| {
        let desk = Desk::unconnected(kind);
        let flag = |key: &str| format!("--{}", key.replace('_', "-"));
        let fields = kind.adapter().fields;
        let named = fields.iter().find(|field| field.required && !field.secret).unwrap();
        desk.home.run(&format!("connect {kind}")).exits(2).says(&flag(named.key));
        for secret in fields.iter().filter(|field| field.secret) {
            for words in [format!("--set {}=given-012", secret.key), format!("{} given-012", flag(secret.key))] {
                desk.connect(&words).exits(2).without("given-012");
            }
        }
        assert!(desk.server.requests().is_empty() && !desk.home.book().exists(), "{kind}: nothing was asked or made");
    });
}

#[test]
fn secrets_come_from_a_toml_file_or_from_json_on_standard_input() {
    each_kind(|kind| {
        for toml in [true, false] {
            let desk = Desk::unconnected(kind);
            let access = desk.store.access(desk.server.url());
            let key = |name: &str| name.trim_start_matches("ORDERSYNC_").to_lowercase();
            let call = |file: &str| {
                let call = desk.connect(&format!("--credentials {file}"));
                access.secrets.iter().fold(call, |call, (name, _)| call.without(name))
            };
            if toml {
                let lines = access.secrets.iter().map(|(name, value)| format!("{} = \"{value}\"\n", key(name)));
                call(&desk.home.file("key.toml", &lines.collect::<String>())).exits(0);
            } else {
                let members = access.secrets.iter().map(|(name, value)| (key(name), json!(value)));
                call("-").stdin(&Value::Object(members.collect()).to_string()).exits(0);
            }
            desk.home.run("sync").exits(0).silent();
        }
    });
}

#[test]
fn a_connection_can_be_tested_and_says_what_fails() {
    each(|desk| {
        desk.home.run("connect --test").exits(0).prints("the connection works");
        desk.server.faults().add(Fault::new(FaultKind::ServerError(503)).always());
        let told = desk.home.run(&format!("connect --test {} --json", desk.kind)).exits(5).json();
        assert_eq!((&told[0]["ok"], &told[0]["error"]["exit_code"]), (&json!(false), &json!(5)), "{}", desk.kind);
        desk.home.run("connect --test nobody").exits(7);
    });
}

#[test]
fn c4_without_a_terminal_a_missing_secret_is_named_and_nothing_is_connected() {
    each_kind(|kind| {
        let desk = Desk::unconnected(kind);
        let access = desk.store.access(desk.server.url());
        let call = access.secrets.iter().fold(desk.connect(""), |call, (name, _)| call.without(name));
        let done = call.done();
        assert!(matches!(done.code, Some(2 | 4)), "{done:?}");
        let names_one = access.secrets.iter().any(|(name, _)| done.stderr.contains(name));
        assert!(names_one, "{done:?}");
        assert!(desk.server.requests().is_empty(), "{kind}: something was sent");
    });
}

/// What says which store it is stays as it was: the orders in the book hang on it.
#[test]
fn a_setting_that_makes_the_store_this_one_is_neither_changed_nor_taken_away() {
    each(|desk| {
        let key = desk.kind.adapter().fields.iter().find(|field| field.required && !field.secret).unwrap().key;
        for words in ["set", "unset"] {
            let value = if words == "set" { "other" } else { "" };
            let done = desk.home.run(&format!("config {words} {}.{key} {value}", desk.kind)).exits(6);
            done.says("nothing was changed").says(&format!("--reauth {} --{}", desk.kind, key.replace('_', "-")));
        }
        desk.sync();
    });
}

/// Two secrets that were pasted the wrong way round are sent nowhere.
#[test]
fn swapped_secrets_are_told_before_anything_is_sent() {
    each_kind(|kind| {
        let desk = Desk::unconnected(kind);
        let access = desk.store.access(desk.server.url());
        let pairs = access.swapped;
        let text: String = pairs.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect();
        let file = desk.home.file("swapped.toml", &text);
        // What the file has is not said once more.
        let is_swapped = |flag: &str| pairs.iter().any(|(key, _)| flag == format!("--{}", key.replace('_', "-")));
        let flags: Vec<&[String]> = access.flags.chunks(2).filter(|flag| !is_swapped(&flag[0])).collect();
        let words = format!("connect {kind} {} --credentials {file}", flags.concat().join(" "));
        let call = access.secrets.iter().fold(desk.home.run(&words), |call, (name, _)| call.without(name));
        let done = call.exits(2).says("looks like a").says("nothing was sent").says("hint: ");
        pairs.iter().fold(done, |done, (_, value)| done.without(value));
        assert!(desk.server.requests().is_empty(), "{kind}");
    });
}

#[test]
fn x1_a_wrong_secret_is_a_credentials_error() {
    each_kind(|kind| {
        let desk = Desk::unconnected(kind);
        let access = desk.store.access(desk.server.url());
        let wrong =
            || access.secrets.iter().fold(desk.connect(""), |call, (name, _)| call.env(name, "wrong-0123456789"));
        wrong().exits(4).says("hint: ").without("wrong-0123456789");
        let error = wrong().arg("--json").exits(4).error();
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("credentials"), &json!(4)), "{kind}");
        assert_eq!(desk.home.json("connect --list"), json!([]), "{kind}");
        assert!(!desk.home.path().join("credentials").exists(), "{kind}: something is kept of what does not work");
        desk.connect("").exits(0);
        let other =
            access.secrets.iter().fold(desk.home.run(&format!("connect --reauth {kind}")), |call, (name, _)| {
                call.env(name, "wrong-0123456789")
            });
        other.exits(4).says(&format!("ordersync connect --reauth {kind} again"));
        desk.home.run(&format!("connect --test {kind}")).exits(0);
    });
}

/// Firewalls and debugging plugins repeat what they were sent.
#[test]
fn x1_secrets_that_a_server_repeats_are_neither_printed_nor_kept() {
    each(|desk| {
        let secrets = desk.store.access("").secrets;
        let id = desk.paid(&[("TEE-001", 1)]);
        let (first, last) = (&secrets.first().unwrap().1, &secrets.last().unwrap().1);
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for said in [first.clone(), last.clone(), encoded(&format!("{first}:{last}"))] {
            let words = format!("the header {said} is odd");
            desk.server.faults().add(Fault::new(FaultKind::Says(422, words)).always());
            let sync = desk.home.run("sync").done();
            sync.says("the header [secret] is odd").without(&said);
            for (command, more) in [("pull", ""), ("dispatch", "--carrier ups --tracking 1Z1"), ("cancel", "")] {
                desk.on(command, &id, more).done().without(&said);
            }
            desk.server.faults().clear();
            for command in ["runs --json", "inbox --json", "status --json", "outbox --json"] {
                desk.home.run(command).done().without(&said);
            }
            let kept = std::fs::read(desk.home.book()).unwrap();
            assert!(!kept.windows(said.len()).any(|part| part == said.as_bytes()), "{} keeps {said}", desk.kind);
        }
    });
}

#[test]
fn a2_a_shop_without_any_order_is_read_and_said_to_be_empty() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.connect("").exits(0).prints("the shop has no orders yet");
        desk.home.run("status").exits(0).prints("no order yet").prints("approximately");
        for _ in 0..2 {
            desk.home.run("sync").exits(0).silent();
            desk.home.run("status").exits(0).prints("no order yet: the last sync found none since");
            desk.home.run("status --check").exits(0);
        }
        desk.home.run("orders").exits(0).says("no order is in the book yet");
        for command in ["connect --test", "doctor", "sync --full"] {
            desk.home.run(command).exits(0);
        }
    });
}
