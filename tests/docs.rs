//! The documentation is true: completions are those of the real command tree, and the README names
//! what there is.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap_complete::Shell;
use clap_mangen::Man;
use ordersync::channel::{CancelSupport, ChannelKind, Notify};
use ordersync::cli::command_tree;
use ordersync::cli::completions::script;
use ordersync::cli::help::TOPICS;
use ordersync::clock::{ManualClock, Timestamp};
use ordersync::credentials::Credentials;
use ordersync::home::Home;
use ordersync::http::RetryPolicy;
use ordersync::secret::Secret;
use ordersync::sync::Context;
use ordersync::sync::store::open_new;
use support::program::until;
use support::woo::Rig;

/// Every checked-in completion script, and the shell it is for.
const SCRIPTS: [(&str, Shell); 3] =
    [("ordersync.bash", Shell::Bash), ("_ordersync", Shell::Zsh), ("ordersync.fish", Shell::Fish)];

/// Holds a file of the project against what it is to be; writes it where that is asked for.
fn hold(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("ORDERSYNC_WRITE_COMPLETIONS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is out of date: ORDERSYNC_WRITE_COMPLETIONS=1 cargo test --test docs");
}

#[test]
fn completions_are_those_of_the_real_command_tree() {
    for (file, shell) in SCRIPTS {
        hold(&format!("completions/{file}"), &script(shell));
    }
}

/// A page of the manual.
fn page(command: clap::Command) -> String {
    let mut page = Vec::new();
    Man::new(command).render(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// A line as roff has it.
fn roff(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-").replace('`', "");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

/// The answers as a section of the manual.
fn questions() -> String {
    let mut page = ".SH QUESTIONS\n".to_owned();
    for (word, text) in TOPICS {
        let mut is_command = false;
        for line in text.lines() {
            let command = line.strip_prefix("    ");
            if command.is_some() != is_command {
                page += if is_command { ".fi\n.RE\n" } else { ".RS 4\n.nf\n" };
                is_command = !is_command;
            }
            page += &match (command, line.strip_prefix("# "), line.strip_prefix("- ")) {
                (Some(command), ..) => roff(command) + "\n",
                (_, Some(title), _) => format!(".SS \"{} (ordersync help {word})\"\n", roff(title)),
                (.., Some(item)) => format!(".IP \\(bu 2\n{}\n", roff(item)),
                _ if line.is_empty() => ".PP\n".to_owned(),
                _ => roff(line.trim_start()) + "\n",
            };
        }
        if is_command {
            page += ".fi\n.RE\n";
        }
    }
    page
}

#[test]
fn the_manual_is_that_of_the_real_command_tree_and_has_the_answers() {
    let mut tree = command_tree();
    tree.build();
    hold("docs/man/ordersync.1", &(page(tree.clone()) + &questions()));
    for command in tree.get_subcommands().filter(|command| !command.is_hide_set()) {
        hold(&format!("docs/man/ordersync-{}.1", command.get_name()), &page(command.clone()));
    }
}

#[test]
fn the_answers_are_in_the_docs_and_fit_a_terminal() {
    let intro = "# Questions\n\nWhat merchants ask, answered in short: the texts of `ordersync help` and the word in brackets.\n";
    let answer = |(word, text): (&str, &str)| {
        let (title, rest) = text.strip_prefix("# ").unwrap().split_once('\n').unwrap();
        format!("\n## {title} (`{word}`)\n{rest}")
    };
    hold("docs/questions.md", &(intro.to_owned() + &TOPICS.map(answer).concat()));
    for (word, text) in TOPICS {
        let wide: Vec<&str> =
            text.lines().filter(|line| line.chars().count() > 80 && !line.starts_with("    ")).collect();
        assert!(wide.is_empty(), "{word}: {wide:?}");
    }
}

/// A directory with the one program that a timer can be made with.
fn timer(rig: &Rig) -> String {
    let dir = rig.home.path().join("bin");
    std::fs::create_dir_all(&dir).unwrap();
    let program = dir.join("crontab");
    std::fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    dir.to_string_lossy().into_owned()
}

/// The words of a command as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(nth, part)| {
            if nth % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        })
        .collect()
}

#[test]
fn every_command_of_an_answer_can_be_run() {
    for (word, text) in TOPICS {
        let (rig, ids) = Rig::with_orders(&[2]);
        if word == "refunds" {
            rig.shop.refund(ids[0], "1.00", "").unwrap();
        }
        let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        assert!(commands.len() >= 4, "{word}");
        for (nth, line) in commands.into_iter().enumerate() {
            if word == "address" {
                rig.shop.edit_address(ids[0], |address| address.first_name = format!("Zoë {nth}"));
                rig.home.run("sync").exits(0);
            }
            let line = line.replace("woocommerce:1042", &format!("woocommerce:{}", ids[0])).replace(" 17", " 1");
            let words = words(line.strip_prefix("ordersync ").unwrap_or_else(|| panic!("{word}: {line:?}")));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let call = rig.home.call(&words);
            let call = if words[0] == "schedule" { call.env("PATH", &timer(&rig)) } else { call };
            let done = call.done();
            assert_eq!(done.code, Some(0), "{word}: {line}\n{}{}", done.stdout, done.stderr);
        }
    }
}

/// The commands within the sentences of an answer.
fn within(text: &str) -> Vec<String> {
    let sentences = text.lines().map(|line| if line.starts_with("    ") { "" } else { line });
    let joined = sentences.collect::<Vec<_>>().join(" ");
    let quoted = joined.split('`').skip(1).step_by(2);
    quoted.filter_map(|words| words.strip_prefix("ordersync ").map(str::to_owned)).collect()
}

/// Starts a command that stays at work, waits until it says or does what it is there for, and ends it
/// as a service manager does once `meanwhile` is done.
#[cfg(unix)]
fn at_work(rig: &Rig, words: &str, port: u16, meanwhile: impl FnOnce()) {
    let asked = rig.server.requests().len();
    let is_receiver = words.starts_with("listen");
    let bind = if is_receiver { format!(" --bind 127.0.0.1:{port}") } else { String::new() };
    let mut child = rig.home.spawn(&format!("{words}{bind}"), &[]);
    let said = Arc::new(Mutex::new(String::new()));
    let gather = |from: Box<dyn Read + Send>, said: Arc<Mutex<String>>| {
        std::thread::spawn(move || {
            let lines = BufReader::new(from).lines().map_while(Result::ok);
            lines.for_each(|line| said.lock().unwrap().push_str(&(line + "\n")));
        })
    };
    let readers = [
        gather(Box::new(child.stdout.take().unwrap()), said.clone()),
        gather(Box::new(child.stderr.take().unwrap()), said.clone()),
    ];
    let is_there =
        || if is_receiver { said.lock().unwrap().contains("deliver") } else { rig.server.requests().len() > asked };
    until(words, is_there);
    meanwhile();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let code = child.wait().unwrap().code();
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert_eq!(code, Some(0), "{words}\n{}", said.lock().unwrap());
}

#[test]
#[cfg(unix)]
fn every_command_within_a_sentence_of_an_answer_can_be_run() {
    let mut tried = BTreeSet::new();
    for (word, text) in TOPICS {
        let rig = Rig::with_orders(&[2]).0;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for words in within(text) {
            let line = words.replace("https://orders.example.com", &format!("http://127.0.0.1:{port}"));
            tried.insert(words.clone());
            if line == "watch" || line == "listen" || line.starts_with("listen --") {
                at_work(&rig, &line, port, || ());
                continue;
            }
            let parts: Vec<&str> = line.split_whitespace().collect();
            let run = || {
                // A timer of the test's own, which writes nothing beside the home.
                let (bin, own) = (timer(&rig), rig.home.beside("account"));
                std::fs::create_dir_all(&own).unwrap();
                std::fs::copy(format!("{bin}/crontab"), format!("{bin}/systemctl")).unwrap();
                let call = rig.home.call(&parts).env("PATH", &bin).env("HOME", own.to_str().unwrap());
                let done = call.env("XDG_CONFIG_HOME", own.join("config").to_str().unwrap()).done();
                assert_eq!(done.code, Some(0), "{word}: {line}\n{}{}", done.stdout, done.stderr);
            };
            // The way to a receiver that is at work, under the address that it was given before.
            if parts[0] == "listen" { at_work(&rig, "listen", port, run) } else { run() }
        }
    }
    assert!(tried.len() >= 5, "the sentences name commands: {tried:?}");
}

#[test]
fn help_answers_a_question_and_goes_on_to_explain_commands() {
    let home = support::program::Home::new();
    for (word, text) in TOPICS {
        let done = home.run(&format!("help {word}")).exits(0);
        assert!(done.stdout.starts_with(text.trim_start_matches("# ")), "{word}");
        assert_eq!(
            done.stdout.contains("--help"),
            matches!(word, "sync" | "dispatch") || text.contains("--help"),
            "{word}"
        );
    }
    home.run("help orders").exits(0).prints("Usage: ordersync orders");
    home.run("sync --help").exits(0).prints("Usage: ordersync sync");
    home.run("help").exits(0).prints("ordersync help sync, address, refunds, dispatch, instasync");
    home.run("help nonsense").exits(2);
    assert!(!home.path().exists(), "asking makes nothing");
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
    let can = open_new(&context, kind, values, Arc::new(Credentials::loose(secrets)), None).unwrap().capabilities();
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let told = match can.notify {
        Notify::Choice => "you",
        Notify::ShopDecides => "the shop's settings",
        Notify::Always => "always told",
    };
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
        row("eBay", ChannelKind::Ebay, &[("marketplace", "EBAY_GB")]),
        row("Etsy", ChannelKind::Etsy, &[("keystring", "a1b2c3d4e5f6a1b2c3d4e5f6")]),
        row("Magento", ChannelKind::Magento, &shop),
        row("Shopify", ChannelKind::Shopify, &[("shop", "x.myshopify.com")]),
        row("WooCommerce with order fulfilments", ChannelKind::WooCommerce, &with("fulfillments")),
        row("WooCommerce with the Shipment Tracking extension", ChannelKind::WooCommerce, &with("shipment-tracking")),
        row("WooCommerce otherwise (an order note)", ChannelKind::WooCommerce, &with("note")),
    ];
    for row in &rows {
        assert!(readme.contains(row), "README.md lacks {row}");
    }
    for title in ChannelKind::offered().map(ChannelKind::title) {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| {title} "))), "no row is of {title}");
        let told = ["a", "an"].iter().any(|a| readme.contains(&format!("\n## Connect {a} {title} ")));
        assert!(told, "README.md does not say how to connect {title}");
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
