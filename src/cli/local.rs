//! What the commands of local work have in common: how they tell what became of it.

use serde_json::{Map, Value, json};

use super::output;
use super::{App, Outcome};
use crate::book::{BookOrder, Worked};
use crate::error::{Error, ErrorKind, Result};

/// What local work on an order came to.
pub(super) struct Told<'a> {
    /// The order, as it is now.
    pub(super) order: &'a BookOrder,
    /// Whether anything was done.
    pub(super) worked: Worked,
    /// Whether it was only rehearsed.
    pub(super) dry_run: bool,
    /// In words.
    pub(super) detail: String,
}

impl Told<'_> {
    /// Prints it; `more` is what JSON has beside.
    pub(super) fn tell(self, app: &App, more: Value) -> Outcome {
        let Self { order, worked, dry_run, detail } = self;
        let name = format!("{}:{}", order.store, order.number);
        if app.global.json {
            let state = match worked {
                Worked::Already => "already",
                Worked::Done if dry_run => "dry-run",
                Worked::Done => "done",
            };
            let mut told = Map::new();
            told.insert("order".to_owned(), json!(order.id.to_string()));
            told.insert("name".to_owned(), json!(name));
            told.insert("state".to_owned(), json!(state));
            told.insert("status".to_owned(), json!(order.shown));
            told.insert("detail".to_owned(), json!(detail));
            told.extend(more.as_object().cloned().unwrap_or_default());
            output::print_json(&Value::Object(told))?;
        } else if !app.global.quiet || dry_run {
            let end = match worked {
                Worked::Already => "; nothing was changed",
                Worked::Done if dry_run => "; a dry run, nothing was changed",
                Worked::Done => "",
            };
            output::line(&format!("order {} ({name}): {detail}{end}", order.id))?;
        }
        Ok(0)
    }
}

/// The longest text of the merchant's own that is kept.
const LONGEST: usize = 4000;

/// A text of the merchant's own, checked. It may hold personal data, so no error repeats it.
pub(super) fn text(text: &str, what: &str) -> Result<String> {
    let text = text.trim();
    let usage = |why: &str| Error::new(ErrorKind::Usage, format!("{what} {why}; nothing was changed"));
    match text.chars().count() {
        0 => Err(usage("is empty, as where a script's variable is not set")),
        n if n > LONGEST => Err(usage(&format!("has {n} characters, and {LONGEST} are kept at most"))),
        _ => Ok(text.to_owned()),
    }
}
