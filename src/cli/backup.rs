//! `ordersync backup`.

use std::path::PathBuf;

use super::output;
use super::{App, Outcome};

/// Copy the book to a file, consistently, also while it is in use. Credentials are not in it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write; must not exist yet. Without it, orders-DATE-TIME.sqlite in this directory
    file: Option<PathBuf>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let file = args.file.unwrap_or_else(|| {
        let now = app.context.clock.now().with_timezone(&chrono::Local);
        PathBuf::from(now.format("orders-%Y-%m-%d-%H%M%S.sqlite").to_string())
    });
    book.backup(&file)?;
    if app.global.json {
        output::print_json(&serde_json::json!({ "file": file.to_string_lossy() }))?;
    } else if !app.global.quiet {
        output::line(&format!("the book is copied to {}", file.display()))?;
    }
    Ok(0)
}
