//! `ordersync completions`.

use clap::Command;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use super::{Outcome, command_tree, output};

/// Print the completion script of a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub(super) fn run(args: Args) -> Outcome {
    output::put(&script(args.shell))?;
    Ok(0)
}

/// The completion script of `shell` for the whole tree of commands.
pub fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut without_hidden(command_tree()), "ordersync", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The tree without values that are offered to nobody: the script for bash would offer them.
fn without_hidden(tree: Command) -> Command {
    let shown = |arg: clap::Arg| {
        let values = arg.get_possible_values();
        if !values.iter().any(clap::builder::PossibleValue::is_hide_set) {
            return arg;
        }
        arg.value_parser(PossibleValuesParser::new(values.into_iter().filter(|value| !value.is_hide_set())))
    };
    tree.mut_args(shown).mut_subcommands(without_hidden)
}
