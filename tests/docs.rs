//! The documentation is true: completions are those of the real command tree, and the README names
//! what there is.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, reason = "helpers of a test; a failure here is a failed test")]

use std::sync::Arc;
use std::time::Duration;

use clap_complete::Shell;
use ordersync::channel::{CancelSupport, ChannelKind, Notify};
use ordersync::cli::command_tree;
use ordersync::cli::completions::script;
use ordersync::clock::{ManualClock, Timestamp};
use ordersync::credentials::Credentials;
use ordersync::home::Home;
use ordersync::http::RetryPolicy;
use ordersync::secret::Secret;
use ordersync::sync::Context;
use ordersync::sync::store::open_new;

/// Every checked-in completion script, and the shell it is for.
const SCRIPTS: [(&str, Shell); 3] =
    [("ordersync.bash", Shell::Bash), ("_ordersync", Shell::Zsh), ("ordersync.fish", Shell::Fish)];

#[test]
fn completions_are_those_of_the_real_command_tree() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (file, shell) in SCRIPTS {
        let path = dir.join(file);
        let wanted = script(shell);
        if std::env::var_os("ORDERSYNC_WRITE_COMPLETIONS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == wanted,
            "completions/{file} is out of date: ORDERSYNC_WRITE_COMPLETIONS=1 cargo test --test docs"
        );
    }
}

#[test]
fn every_command_and_every_flag_has_help() {
    for command in command_tree().get_subcommands() {
        assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
            let name = format!("{} {}", command.get_name(), argument.get_id());
            assert!(argument.get_help().is_some(), "{name} has no help");
        }
    }
}

#[test]
fn the_readme_names_every_command_and_every_exit_code() {
    let readme = include_str!("../README.md");
    for command in command_tree().get_subcommands() {
        let name = format!("ordersync {}", command.get_name());
        assert!(readme.contains(&name), "README.md does not mention `{name}`");
    }
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 6 |", "| 7 |", "| 8 |", "| 130 |"] {
        assert!(readme.contains(code), "README.md does not explain exit code {code}");
    }
}

#[test]
fn the_help_lists_the_exit_codes() {
    let help = command_tree().render_help().to_string();
    assert!(
        help.contains("6 refused by a guard") && help.contains("130 interrupted") || help.contains("130\ninterrupted")
    );
}

/// A row of the README's table: a channel, in one of its set-ups, as its capabilities say.
fn row(title: &str, kind: ChannelKind, values: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let context = Context {
        home: Home::locate(Some(dir.path().into())).unwrap(),
        clock: Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)),
        retry: RetryPolicy::default(),
        lock_timeout: Duration::ZERO,
    };
    let secrets = kind.adapter().fields.iter().filter(|field| field.secret);
    let secrets = secrets.map(|field| (field.key.to_owned(), Secret::new("none"))).collect();
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let can = open_new(&context, kind, values, Arc::new(Credentials::loose(secrets))).unwrap().capabilities();
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let told = if can.notify == Notify::Choice { "you" } else { "the shop's settings" };
    let cancel = match can.cancel {
        CancelSupport::Yes(can) => format!("yes | {} | {}", yes(can.restock), yes(can.refund)),
        CancelSupport::No(_) => "no | no | no".to_owned(),
    };
    let (part, several, other) = (yes(can.partial), yes(can.several_parcels), yes(can.replace_tracking));
    format!("| {title} | {part} | {several} | {other} | {told} | {cancel} |")
}

#[test]
fn the_readmes_table_says_what_the_channels_capabilities_say() {
    let readme = include_str!("../README.md");
    let shop = [("url", "https://shop.example.test")];
    let with = |tracking| [shop[0], ("tracking", tracking)];
    let rows = [
        row("BigCommerce", ChannelKind::BigCommerce, &[("store_hash", "abc123")]),
        row("Shopify", ChannelKind::Shopify, &[("shop", "x.myshopify.com")]),
        row("WooCommerce with order fulfilments", ChannelKind::WooCommerce, &with("fulfillments")),
        row("WooCommerce with the Shipment Tracking extension", ChannelKind::WooCommerce, &with("shipment-tracking")),
        row("WooCommerce otherwise (an order note)", ChannelKind::WooCommerce, &with("note")),
    ];
    for row in rows {
        assert!(readme.contains(&row), "README.md lacks {row}");
    }
}
