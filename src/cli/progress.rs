//! Progress bars, one line per store, on a terminal only.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use super::output::{clean, cut_to, number, stderr_width, utf8};
use crate::http::Client;
use crate::sync::Progress;

/// How a bar looks before the number of orders is known, and after.
const UNKNOWN: &str = "{spinner} {prefix}  {told}";
const KNOWN: &str = "{prefix}  {bar:24} {told}";

/// How wide the bar of [`KNOWN`] is, with the blank behind it.
const BAR: usize = 25;

/// The widest name of a store in a bar.
const PREFIX: usize = 24;

/// What a store was told last, for its bar.
type Message = Arc<Mutex<String>>;

/// The bars of a run.
pub(crate) struct Bars {
    bars: BTreeMap<String, ProgressBar>,
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
    messages: BTreeMap<String, Message>,
    all: MultiProgress,
}

impl Bars {
    /// One line for each store.
    pub(crate) fn new<'a>(stores: impl Iterator<Item = &'a str>) -> Self {
        let all = MultiProgress::new();
        let mut messages = BTreeMap::new();
        let bars = stores
            .map(|store| {
                let message = Message::default();
                let style = form(store, false, None, message.clone());
                messages.insert(store.to_owned(), message);
                let bar = all.add(ProgressBar::new_spinner().with_style(style));
                bar.set_prefix(cut_to(store, PREFIX));
                bar.enable_steady_tick(std::time::Duration::from_millis(120));
                (store.to_owned(), bar)
            })
            .collect();
        Self { bars, clients: Mutex::default(), messages, all }
    }

    fn message_of(&self, store: &str) -> Message {
        self.messages.get(store).cloned().unwrap_or_default()
    }

    fn client(&self, store: &str) -> Option<Arc<Client>> {
        self.clients.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(store).cloned()
    }
}

/// The bar of a store, whose number of orders is known or not; `client` tells what is being waited
/// for.
fn form(store: &str, is_known: bool, client: Option<Arc<Client>>, message: Message) -> ProgressStyle {
    let template = if is_known { KNOWN } else { UNKNOWN };
    let beside = store.width().min(PREFIX) + 2 + if is_known { BAR } else { 2 };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("told", move |bar: &ProgressState, out: &mut dyn Write| {
        let waiting = client.as_ref().and_then(|client| client.waiting());
        let message = message.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        let more = format!("{message}{}", waiting.unwrap_or_default());
        put(out, &told(&counted(bar, is_known), &clean(&more), stderr_width(), beside));
    });
    if utf8() { style } else { style.progress_chars("#>-").tick_chars("|/-\\ ") }
}

/// How far a bar has come, in words.
fn counted(bar: &ProgressState, is_known: bool) -> String {
    let (orders, rate) = (number(bar.pos()), bar.per_sec());
    if !is_known {
        return format!("{orders} orders  {rate:.0}/s");
    }
    let all = number(bar.len().unwrap_or(0));
    format!("{orders} / {all} orders  {rate:.0}/s  ETA {:#}", HumanDuration(bar.eta()))
}

/// What stands `beside` so many other signs of a bar. A line that is wider than the terminal is
/// drawn over the wrong one the next time.
fn told(counted: &str, more: &str, width: Option<usize>, beside: usize) -> String {
    let whole = format!("{counted}  {more}");
    // A terminal may break a line that fills it.
    width.map_or(whole.clone(), |width| cut_to(whole.trim_end(), width.saturating_sub(beside + 1)))
}

/// Writing into the line that is being built cannot fail.
fn put(line: &mut dyn Write, text: &str) {
    let _ = line.write_str(text);
}

impl Progress for Bars {
    fn opened(&self, store: &str, http: &Arc<Client>) {
        self.clients.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(store.to_owned(), http.clone());
        if let Some(bar) = self.bars.get(store) {
            bar.set_style(form(store, false, Some(http.clone()), self.message_of(store)));
        }
    }

    fn total(&self, store: &str, total: u64) {
        if let Some(bar) = self.bars.get(store) {
            bar.set_style(form(store, true, self.client(store), self.message_of(store)));
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
        if let Some(message) = self.messages.get(store) {
            text.clone_into(&mut message.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_a_bar_is_never_wider_than_its_terminal() {
        let why = "HTTP 503 from 127.0.0.1:8899: waiting for 14 s before it is asked again, the 3rd time";
        for beside in [10, 40, 51] {
            let told = told("1 200 / 12 300 orders  40/s  ETA 5m", why, Some(80), beside);
            assert!(beside + told.width() < 80, "{told}");
        }
        assert!(told("3 orders  1/s", why, None, 10).ends_with("3rd time"));
        assert_eq!(told("3 orders  1/s", "", Some(80), 10), "3 orders  1/s");
    }
}
