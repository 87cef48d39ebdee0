//! The path and the keys of a store's deliveries. They are kept with its credentials: neither is in
//! the book.

use std::time::Duration;

use chrono::TimeDelta;

use crate::book::Store;
use crate::channel::webhooks::{Keys, Webhooks};
use crate::clock::{Timestamp, rfc3339};
use crate::credentials::{HOOK_KEY as KEY, HOOK_PATH as PATH};
use crate::error::Result;
use crate::http::sign;
use crate::lock::{Lock, Work};
use crate::secret::{Secret, Secrets};
use crate::sync::Context;

/// The vendor's key before the present one, and since when it is not that any more.
const BEFORE: &str = "hook_key_before";
const BEFORE_AT: &str = "hook_key_before_at";

/// How long the vendor may sign with a key that the merchant has replaced; Shopify speaks of an hour.
const REPLACED: TimeDelta = TimeDelta::hours(24);

/// How long to wait for another process that writes the same file.
const PATIENCE: Duration = Duration::from_secs(60);

/// The store's credentials, with a path and a key for its deliveries, made where there are none yet.
/// Stores of one application have the same.
pub(super) fn ensure(context: &Context, store: &Store, webhooks: &Webhooks) -> Result<Secrets> {
    let files = context.credential_store();
    let is_whole = |secrets: &Secrets| [PATH, KEY].iter().all(|name| secrets.contains_key(*name));
    let secrets = files.read(&store.name)?;
    if is_whole(&secrets) {
        return Ok(secrets);
    }
    let _one_process = Lock::take(&context.home.locks(), &store.name, Work::Renewal, PATIENCE, context.clock.as_ref())?;
    let mut secrets = files.read(&store.name)?;
    if !is_whole(&secrets) {
        let shared = of_application(context, store, webhooks, &secrets)?;
        for name in [PATH, KEY] {
            let own = match shared.get(name) {
                Some(shared) => shared.clone(),
                None => Secret::new(format!("{}{}", sign::nonce()?, sign::nonce()?)),
            };
            secrets.insert(name.to_owned(), own);
        }
        files.write(&store.name, &secrets)?;
    }
    Ok(secrets)
}

/// Path and key of another store of the same application; empty where there is none.
fn of_application(context: &Context, store: &Store, webhooks: &Webhooks, own: &Secrets) -> Result<Secrets> {
    let Some(application) = &webhooks.application else { return Ok(Secrets::new()) };
    for other in context.book()?.stores()? {
        if other.kind != store.kind || other.id == store.id {
            continue;
        }
        let secrets = context.credential_store().read(&other.name)?;
        let is_same = secrets.get(application.credential).is_some_and(|it| own.get(application.credential) == Some(it));
        if is_same && [PATH, KEY].iter().all(|name| secrets.contains_key(*name)) {
            return Ok(secrets);
        }
    }
    Ok(Secrets::new())
}

/// The path and the keys as they are now.
pub(super) fn of(secrets: &Secrets, webhooks: &Webhooks, now: Timestamp) -> (String, Keys) {
    let get = |name: &str| secrets.get(name).filter(|secret| !secret.is_empty()).cloned();
    let replaced_at = get(BEFORE_AT).and_then(|at| at.reveal().parse::<Timestamp>().ok());
    let before = get(BEFORE).filter(|_| replaced_at.is_some_and(|at| (now - at).abs() < REPLACED));
    let vendor = signing(secrets, webhooks).into_iter().chain(before).collect();
    (path(secrets).unwrap_or_default(), Keys { vendor, own: get(KEY).into_iter().collect(), fetched: None })
}

/// The path, where the store has one.
pub(super) fn path(secrets: &Secrets) -> Option<String> {
    secrets.get(PATH).map(|path| path.reveal().to_owned())
}

fn signing(secrets: &Secrets, webhooks: &Webhooks) -> Option<Secret> {
    webhooks.signed_with.iter().find_map(|key| secrets.get(*key).filter(|secret| !secret.is_empty()).cloned())
}

/// Takes path and keys over from what a store had before it got other credentials. For a while the
/// vendor may still sign with what is replaced.
pub(crate) fn take_over(before: &Secrets, fresh: &mut Secrets, webhooks: &Webhooks, now: Timestamp) {
    for name in [PATH, KEY, BEFORE, BEFORE_AT] {
        if let Some(kept) = before.get(name) {
            fresh.entry(name.to_owned()).or_insert_with(|| kept.clone());
        }
    }
    let (old, new) = (signing(before, webhooks), signing(fresh, webhooks));
    if let Some(old) = old.filter(|old| Some(old) != new.as_ref()) {
        fresh.insert(BEFORE.to_owned(), old);
        fresh.insert(BEFORE_AT.to_owned(), Secret::new(rfc3339(now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelKind;
    use crate::clock::from_millis;

    #[test]
    fn w2_new_credentials_keep_path_and_key_and_for_a_day_the_old_secret_is_good_too() {
        let webhooks = ChannelKind::Shopify.adapter().webhooks.as_ref().unwrap();
        let secrets = |pairs: &[(&str, &str)]| -> Secrets {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
        };
        let now = from_millis(1_795_000_000_000);
        let before = secrets(&[("api_secret", "old"), (PATH, "p"), (KEY, "k"), ("access_token", "t")]);
        let mut fresh = secrets(&[("client_secret", "new")]);
        take_over(&before, &mut fresh, webhooks, now);
        let good = |at| {
            let (path, keys) = of(&fresh, webhooks, at);
            assert_eq!((path.as_str(), keys.own), ("p", vec![Secret::new("k")]));
            keys.vendor.iter().map(|key| key.reveal().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(good(now + TimeDelta::hours(23)), ["new", "old"]);
        assert_eq!(good(now + TimeDelta::hours(25)), ["new"]);
        assert!(!fresh.contains_key("access_token"), "nothing else is taken over");
        // The same secret again is no new one.
        let mut again = secrets(&[("client_secret", "new")]);
        take_over(&secrets(&[("client_secret", "new"), (PATH, "p"), (KEY, "k")]), &mut again, webhooks, now);
        assert!(!again.contains_key(BEFORE));
    }
}
