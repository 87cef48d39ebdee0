//! Progress bars, one line per store, on a terminal only.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::output::{clean, number, utf8};
use crate::http::Client;
use crate::sync::Progress;

/// How a bar looks before the number of orders is known, and after.
const UNKNOWN: &str = "{spinner} {prefix}  {orders} orders  {rate}  {msg}{wait}";
const KNOWN: &str = "{prefix}  {bar:24} {orders} / {all} orders  {rate}  ETA {eta}  {msg}{wait}";

/// The bars of a run.
pub(crate) struct Bars {
    bars: BTreeMap<String, ProgressBar>,
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
    all: MultiProgress,
}

impl Bars {
    /// One line for each store.
    pub(crate) fn new<'a>(stores: impl Iterator<Item = &'a str>) -> Self {
        let all = MultiProgress::new();
        let bars = stores
            .map(|store| {
                let bar = all.add(ProgressBar::new_spinner().with_style(form(UNKNOWN, None)));
                bar.set_prefix(store.to_owned());
                bar.enable_steady_tick(std::time::Duration::from_millis(120));
                (store.to_owned(), bar)
            })
            .collect();
        Self { bars, clients: Mutex::default(), all }
    }

    fn client(&self, store: &str) -> Option<Arc<Client>> {
        self.clients.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(store).cloned()
    }
}

/// A bar with this template; `client` tells what is being waited for.
fn form(template: &str, client: Option<Arc<Client>>) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style
        .with_key("orders", |bar: &ProgressState, out: &mut dyn Write| put(out, &number(bar.pos())))
        .with_key("all", |bar: &ProgressState, out: &mut dyn Write| put(out, &number(bar.len().unwrap_or(0))))
        .with_key("rate", |bar: &ProgressState, out: &mut dyn Write| put(out, &format!("{:.0}/s", bar.per_sec())))
        .with_key("wait", move |_: &ProgressState, out: &mut dyn Write| {
            let waiting = client.as_ref().and_then(|client| client.waiting());
            put(out, &clean(&waiting.unwrap_or_default()));
        });
    if utf8() { style } else { style.progress_chars("#>-").tick_chars("|/-\\ ") }
}

/// Writing into the line that is being built cannot fail.
fn put(line: &mut dyn Write, text: &str) {
    let _ = line.write_str(text);
}

impl Progress for Bars {
    fn opened(&self, store: &str, http: &Arc<Client>) {
        self.clients.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(store.to_owned(), http.clone());
        if let Some(bar) = self.bars.get(store) {
            bar.set_style(form(UNKNOWN, Some(http.clone())));
        }
    }

    fn total(&self, store: &str, total: u64) {
        if let Some(bar) = self.bars.get(store) {
            bar.set_style(form(KNOWN, self.client(store)));
            bar.set_length(total);
            bar.reset_eta();
        }
    }

    fn advanced(&self, store: &str, orders: u64) {
        if let Some(bar) = self.bars.get(store) {
            bar.inc(orders);
            // A shop that sells while it is read ends above the number that it named first.
            if bar.length().is_some_and(|total| bar.position() > total) {
                bar.set_length(bar.position());
            }
        }
    }

    fn message(&self, store: &str, text: &str) {
        if let Some(bar) = self.bars.get(store) {
            bar.set_message(clean(text).into_owned());
        }
    }

    fn finished(&self, store: &str) {
        if let Some(bar) = self.bars.get(store) {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let _ = self.all.clear();
    }
}
