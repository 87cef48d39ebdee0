//! The `ordersync` command: parse, run, print the error, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(ordersync::cli::run(std::env::args_os()))
}
