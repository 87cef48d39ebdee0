//! What `purge` and `forget` have in common: doing it to the end, and what they do not reach.

use std::time::Duration;

use super::App;
use super::output;
use crate::book::{Book, Left};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result};

/// Shown under the help of both.
pub(super) const AFTERWARDS: &str = "What this does not reach: backups that were made before, exported files, CSV files of \
    your own, and the channel itself. Delete the files; the channel's own pages erase what the shop knows of a buyer.";

/// Does what was asked for to the end. Where that cannot be now, the next sync goes on with it.
pub(super) fn finish(app: &App, book: &mut Book) -> Result<Left> {
    book.clear_for(app.context.clock.as_ref(), Duration::MAX).map_err(|error| match error.kind() {
        ErrorKind::Interrupted => error,
        // The book is held by another program, or its disk has failed: what was asked for stands.
        kind => {
            let text = format!("{}; what is to be cleared is noted, and goes on with the next sync", error.message());
            Error::new(kind, text).hint("ordersync status tells whether any is left")
        }
    })
}

/// Says what is left and what was not reached, and gives the exit code.
pub(super) fn told(app: &App, left: Left) -> u8 {
    if !app.global.quiet && !app.global.json {
        output::note(
            "backups made before, exported and CSV files, and the channel itself still have it: delete the files, and erase the buyer in the channel's own pages",
        );
    }
    if left == Left::Nothing {
        return 0;
    }
    let text =
        "the orders are cleared, and bytes of them are still in the book's file: somebody reads or writes it now";
    let error = Error::new(ErrorKind::Partly, text)
        .hint("the next ordersync sync goes on with it; ordersync status tells when it is done");
    output::print_error(&error, output::Format::Human);
    EXIT_PARTLY
}
