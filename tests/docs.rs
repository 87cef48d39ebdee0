//! The documentation is true: completions are those of the real command tree, and the README names what there is.

use clap_complete::Shell;
use ordersync::cli::command_tree;
use ordersync::cli::completions::script;

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
