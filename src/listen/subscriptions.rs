//! What a channel is to send where: subscriptions that are missing are made, those that were
//! switched off are switched on, and those of an older address of ours are taken away.
//!
//! Ours is what ends with the store's path, which nobody can guess. Nothing else is touched.

use chrono::TimeDelta;
use url::Url;

use super::{BELOW, keys, webhooks_of};
use crate::book::{Book, Store};
use crate::channel::webhooks::{Hook, HookChange, Webhooks};
use crate::error::{Answer, Error, ErrorKind, Result};
use crate::http::is_loopback;
use crate::sync::Context;
use crate::sync::health::LATE;
use crate::sync::store::OpenStore;

/// How often a sync looks whether all are there: less than once a day.
const DAILY: TimeDelta = TimeDelta::hours(25);

/// How often at most it looks because it has found orders that nothing has told of.
const HOURLY: TimeDelta = TimeDelta::hours(1);

/// How often it is gone on with what the channel wanted to have asked later.
const TRIES: u32 = 5;

/// A public address as subscriptions take it: without a slash at its end.
///
/// # Errors
/// `Usage` for one that no channel can deliver to.
pub(crate) fn public(text: &str) -> Result<String> {
    let refused = |why: &str| {
        let hint = "give the address that the internet reaches this machine by: https://shop.example.com";
        Error::new(ErrorKind::Usage, format!("--public-url {why}; nothing was subscribed to")).hint(hint)
    };
    let url = Url::parse(text).map_err(|e| refused(&format!("is no address ({e})")))?;
    let is_bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        _ if !is_bare || url.host().is_none() => Err(refused("is to be scheme, host and path alone")),
        "https" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        "http" if is_loopback(&url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        _ => Err(refused("is not https, and channels deliver nowhere else")),
    }
}

/// Whether the store's channel delivers to this public address.
///
/// # Errors
/// `Unsupported` where it takes no such port. A rehearsal on this machine takes any.
pub(crate) fn deliverable(store: &Store, address: &str) -> Result<()> {
    let (webhooks, url) = (webhooks_of(store)?, Url::parse(address).ok());
    let asked = url.filter(|url| !is_loopback(url)).and_then(|url| url.port_or_known_default());
    match (webhooks.port, asked) {
        (Some(only), Some(asked)) if only != asked => {
            let title = store.kind.title();
            let text = format!(
                "{title} delivers to port {only} alone, and {address} is at {asked}; nothing was subscribed to"
            );
            let hint = format!("have a proxy or a tunnel take https at port {only}: --public-url without a port");
            Err(Error::new(ErrorKind::Unsupported, text).hint(hint))
        }
        _ => Ok(()),
    }
}

/// What was done about a store's subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mended {
    /// Topics that were subscribed to.
    pub(crate) made: Vec<String>,
    /// Topics that deliver again.
    pub(crate) resumed: Vec<String>,
    /// How many of ours were taken away.
    pub(crate) removed: usize,
}

impl Mended {
    /// In words; nothing where all was well.
    pub(crate) fn told(&self) -> Option<String> {
        let list =
            |what: &str, topics: &[String]| (!topics.is_empty()).then(|| format!("{what} {}", topics.join(", ")));
        let removed = (self.removed > 0).then(|| format!("took away {} of an older address", self.removed));
        let all = [list("subscribed to", &self.made), list("switched on again", &self.resumed), removed];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Sees to it that the store's deliveries come to this public address, and to no other of ours. What
/// cannot be done now, the next sync goes on with.
pub(crate) fn mend(context: &Context, book: &mut Book, open: &OpenStore, address: &str) -> Result<Mended> {
    let is_new = book.hooked(open.store.id)?.is_none();
    book.hook(open.store.id, address)?;
    let mut mended = Mended::default();
    let mut tried = 1;
    while let Err(error) = mend_once(context, open, address, &mut mended) {
        // There is nothing there that the next sync could go on with.
        if is_new && error.kind() == ErrorKind::Unsupported && mended == Mended::default() {
            book.unhook(open.store.id)?;
        }
        // The client has waited the pause out, and does not repeat a write. What was made is listed
        // when it is looked again.
        if tried == TRIES || error.answer() != Some(Answer::NotNow) {
            return Err(error);
        }
        tried += 1;
        context.clock.check_interrupt()?;
    }
    book.hooks_checked(open.store.id, address)?;
    if !mended.made.is_empty() || !mended.resumed.is_empty() {
        book.hooks_restored(open.store.id)?;
    }
    Ok(mended)
}

fn mend_once(context: &Context, open: &OpenStore, address: &str, mended: &mut Mended) -> Result<()> {
    let webhooks = webhooks_of(&open.store)?;
    let secrets = keys::ensure(context, &open.store, webhooks)?;
    let (path, given) = keys::of(&secrets, webhooks, context.clock.now());
    let ours = of_ours(open.channel.hooks()?, &path);
    let wanted = format!("{address}{BELOW}{path}");
    let mut kept = Vec::new();
    for topic in webhooks.topics.iter().filter(|topic| open.channel.may_subscribe(topic)) {
        let is_it = |hook: &&Hook| hook.topic == *topic && hook.address == wanted;
        match ours.iter().filter(is_it).max_by_key(|hook| hook.is_active) {
            Some(hook) => {
                kept.push(&hook.id);
                if !hook.is_active {
                    open.channel.change_hook(&HookChange::Enable(hook.clone()))?;
                    mended.resumed.push((*topic).to_owned());
                }
            }
            None => {
                let key = given.own.first().cloned().unwrap_or_else(|| crate::secret::Secret::new(""));
                open.channel.change_hook(&HookChange::Create { topic, address: wanted.clone(), key })?;
                mended.made.push((*topic).to_owned());
            }
        }
    }
    for hook in ours.iter().filter(|hook| !kept.contains(&&hook.id) && is_there(hook, webhooks)) {
        open.channel.change_hook(&HookChange::Remove(hook.clone()))?;
        mended.removed += 1;
    }
    Ok(())
}

/// What a sync looks at once a day, and after a gap: gives what it had to mend, in words.
pub(crate) fn check(context: &Context, book: &mut Book, open: &OpenStore) -> Result<Option<String>> {
    let Some(hooked) = book.hooked(open.store.id)? else { return Ok(None) };
    let (now, store) = (context.clock.now(), open.store.id);
    let since = (now - hooked.checked_at).abs();
    if since < HOURLY || (since < DAILY && !book.finds_untold(store, now - LATE)?) {
        return Ok(None);
    }
    match mend(context, book, open, &hooked.address) {
        Ok(mended) => Ok(mended.told().map(|told| format!("Instasync: {told}"))),
        Err(error) if matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Interrupted) => Err(error),
        // Asked again each half hour it would be refused each half hour.
        Err(error) => {
            book.hooks_not_checked(open.store.id)?;
            Ok(Some(format!("Instasync: the subscriptions could not be looked at: {}", error.message())))
        }
    }
}

/// Takes all of ours away, where there are any; gives how many.
pub(crate) fn remove(context: &Context, book: &mut Book, open: &OpenStore) -> Result<usize> {
    let secrets = context.credential_store().read(&open.store.name)?;
    let Some(path) = keys::path(&secrets) else { return Ok(0) };
    let webhooks = webhooks_of(&open.store)?;
    let mut ours = of_ours(open.channel.hooks()?, &path);
    ours.retain(|hook| is_there(hook, webhooks));
    // Another store may still be told by them.
    if let Some(application) = &webhooks.application
        && is_shared(context, book, open, &path)?
    {
        ours.retain(|hook| !application.topics.contains(&hook.topic.as_str()));
    }
    for hook in &ours {
        open.channel.change_hook(&HookChange::Remove(hook.clone()))?;
    }
    book.unhook(open.store.id)?;
    Ok(ours.len())
}

/// Whether another store that Instasync is on for has the same path.
fn is_shared(context: &Context, book: &Book, open: &OpenStore, path: &str) -> Result<bool> {
    for other in book.stores()? {
        if other.id != open.store.id && book.hooked(other.id)?.is_some() {
            let secrets = context.credential_store().read(&other.name)?;
            if keys::path(&secrets).as_deref() == Some(path) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether there is anything to take away. Where nothing is deleted, what was taken away is listed
/// for good.
fn is_there(hook: &Hook, webhooks: &Webhooks) -> bool {
    webhooks.deletes || hook.is_active
}

fn of_ours(hooks: Vec<Hook>, path: &str) -> Vec<Hook> {
    let end = format!("{BELOW}{path}");
    hooks.into_iter().filter(|hook| !path.is_empty() && hook.address.ends_with(&end)).collect()
}
