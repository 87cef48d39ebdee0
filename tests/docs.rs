//! The documentation is true: completions are those of the real command tree, and the README names
//! what there is.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, reason = "helpers of a test; a failure here is a failed test")]

use std::collections::BTreeSet;
use std::path::Path;
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
    for row in &rows {
        assert!(readme.contains(row), "README.md lacks {row}");
    }
    for title in ChannelKind::ALL.map(ChannelKind::title) {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| {title} "))), "no row is of {title}");
        assert!(readme.contains(&format!("\n## Connect a {title} ")), "README.md does not say how to connect {title}");
    }
}

/// The text of every file of Rust below a folder of the project.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            None if path.is_dir() => all += &sources(&path),
            Some(ending) if ending == "rs" => all += &std::fs::read_to_string(&path).unwrap(),
            _ => {}
        }
    }
    all
}

/// The ids that a test begins with: `d3_f4_a_write_in_doubt_is_looked_for`.
fn ids(line: &str) -> Vec<String> {
    let Some(name) = line.trim_start().strip_prefix("fn ") else { return Vec::new() };
    let id = |part: &str| {
        let (letter, number) = part.split_at_checked(1)?;
        let is_id = letter.bytes().all(|b| b.is_ascii_lowercase()) && number.parse::<u8>().is_ok();
        is_id.then(|| format!("{}-{number}", letter.to_uppercase()))
    };
    name.split('_').map_while(id).collect()
}

/// Those of speed are measured by `cargo bench`.
#[test]
fn every_promise_has_a_test_or_a_measurement_by_its_id_and_every_id_is_a_promise() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = include_str!("../src/lib.rs").lines().filter_map(|line| line.strip_prefix("//! | "));
    let ids_of = |row: &str| row.split_once(" |").map(|(id, _)| id.to_owned()).filter(|id| id.contains('-'));
    let promises: BTreeSet<String> = table.filter_map(ids_of).collect();
    let tests = sources(&project.join("src")) + &sources(&project.join("tests"));
    let tested: BTreeSet<String> = tests.lines().flat_map(ids).collect();
    let measured = sources(&project.join("benches"));
    let untested: Vec<_> = promises.iter().filter(|id| !tested.contains(*id) && !measured.contains(*id)).collect();
    assert!(untested.is_empty(), "neither tested nor measured: {untested:?}");
    let unknown: Vec<_> = tested.difference(&promises).collect();
    assert!(unknown.is_empty(), "no promises of src/lib.rs: {unknown:?}");
}
