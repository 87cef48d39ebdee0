//! `ordersync completions`.

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
    clap_complete::generate(shell, &mut command_tree(), "ordersync", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
