//! Connecting a store: which one it is, its secrets, and what is told of them.

use base64::Engine;
use ordersync::channel::ChannelKind;
use ordersync::sim::{Fault, FaultKind};

use super::desk::{Desk, each, each_kind};

#[test]
fn i9_a_store_is_connected_once() {
    each(|desk| {
        desk.connect("--name again").exits(6).says(desk.kind.word());
        desk.home.run("connect --test").exits(0);
        desk.home.run(&format!("connect --reauth {}", desk.kind)).exits(0);
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
    for (kind, pairs) in [
        (ChannelKind::WooCommerce, [("consumer_key", "cs_0123456789"), ("consumer_secret", "ck_0123456789")]),
        (ChannelKind::Shopify, [("access_token", "shpss_0123456789"), ("api_secret", "shpat_0123456789")]),
        (ChannelKind::BigCommerce, [("store_hash", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d"), ("access_token", "abc123xyz0")]),
    ] {
        let desk = Desk::unconnected(kind);
        let access = desk.store.access(desk.server.url());
        let text: String = pairs.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect();
        let file = desk.home.file("swapped.toml", &text);
        let flags = access.flags.join(" ");
        let flags = flags.split("--store-hash").next().unwrap_or_default();
        let endpoint = format!("--endpoint {}", desk.server.url());
        let endpoint = if flags.contains("--endpoint") { "" } else { &endpoint };
        let words = format!("connect {kind} {flags} {endpoint} --credentials {file}");
        let call = access.secrets.iter().fold(desk.home.run(&words), |call, (name, _)| call.without(name));
        let done = call.exits(2).says("looks like a").says("nothing was sent").says("hint: ");
        pairs.iter().fold(done, |done, (_, value)| done.without(value));
        assert!(desk.server.requests().is_empty(), "{kind}");
    }
}

#[test]
fn x1_a_wrong_secret_is_a_credentials_error() {
    each_kind(|kind| {
        let desk = Desk::unconnected(kind);
        let access = desk.store.access(desk.server.url());
        let call = access.secrets.iter().fold(desk.connect(""), |call, (name, _)| call.env(name, "wrong-0123456789"));
        call.exits(4).without("wrong-0123456789");
    });
}

/// Firewalls and debugging plugins repeat what they were sent.
#[test]
fn x1_secrets_that_a_server_repeats_are_neither_printed_nor_kept() {
    each(|desk| {
        let secrets = desk.store.access("").secrets;
        let id = desk.paid(&[("TEE-001", 1)]);
        let (first, last) = (&secrets[0].1, &secrets[1].1);
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for said in [first.clone(), last.clone(), encoded(&format!("{first}:{last}"))] {
            let status = if desk.kind == ChannelKind::Shopify { 200 } else { 422 };
            let words = format!("the header {said} is odd");
            desk.server.faults().add(Fault::new(FaultKind::Says(status, words)).always());
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
