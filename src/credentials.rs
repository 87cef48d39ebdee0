//! The secrets of each store, in a file of its own apart from the book.
//!
//! A file is replaced as a whole: written beside it, flushed to the disk, then renamed over it.
//! Whoever reads sees the old or the new one, and a crash leaves one of the two.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::{Clock, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::files::private_dir;
use crate::lock::{Lock, Work};
use crate::secret::Secret;
use crate::secret::Secrets;

/// The directory of the credential files.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    dir: PathBuf,
}

impl CredentialStore {
    /// The files under `dir`; nothing is created before the first write.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Where a store's file is.
    pub(crate) fn path(&self, store: &str) -> PathBuf {
        self.dir.join(format!("{store}.json"))
    }

    /// A store's secrets.
    pub(crate) fn read(&self, store: &str) -> Result<Secrets> {
        let path = self.path(store);
        let reauth = format!("ordersync connect --reauth {store}");
        let text = read_text(&path).map_err(|e| {
            let text =
                format!("the credentials of {store} cannot be read from {}: {e}; nothing was sent", path.display());
            Error::new(ErrorKind::Credentials, text).hint(reauth.clone())
        })?;
        let plain: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|_| {
            let text = format!("the credentials file {} is damaged; nothing was sent", path.display());
            Error::new(ErrorKind::Credentials, text).hint(reauth)
        })?;
        Ok(plain.into_iter().map(|(key, value)| (key, Secret::new(value))).collect())
    }

    /// Replaces a store's secrets, durably.
    pub fn write(&self, store: &str, secrets: &Secrets) -> Result<()> {
        private_dir(&self.dir)?;
        let plain: BTreeMap<&str, &str> = secrets.iter().map(|(key, secret)| (key.as_str(), secret.reveal())).collect();
        // A merchant who keeps the file elsewhere and a link here keeps the link.
        let path = std::fs::canonicalize(self.path(store)).unwrap_or_else(|_| self.path(store));
        let dir = path.parent().unwrap_or(&self.dir);
        let replace = || -> std::io::Result<()> {
            let prefix = format!(".{store}.");
            sweep(dir, &prefix, ".tmp", AT_WORK);
            // tempfile creates with mode 0600.
            let mut file = tempfile::Builder::new().prefix(&prefix).suffix(".tmp").tempfile_in(dir)?;
            serde_json::to_writer_pretty(&mut file, &plain)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|e| e.error)?;
            #[cfg(unix)]
            std::fs::File::open(dir)?.sync_all()?;
            Ok(())
        };
        replace().map_err(|e| {
            Error::new(
                ErrorKind::Failed,
                format!("the credentials of {store} could not be saved in {}: {e}", path.display()),
            )
        })
    }

    /// Deletes a store's file; none to delete is fine.
    pub(crate) fn remove(&self, store: &str) -> Result<()> {
        match std::fs::remove_file(self.path(store)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::new(ErrorKind::Failed, format!("the credentials of {store} could not be deleted: {e}")))
            }
            _ => Ok(()),
        }
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = crate::files::read_file(path, 1024 * 1024)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not text"))
}

/// Deletes what a run that was killed while it wrote has left behind: there are secrets in it. Not
/// what one at work just now is writing.
fn sweep(dir: &Path, prefix: &str, suffix: &str, older_than: Duration) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let old = || {
            let modified = entry.metadata().and_then(|data| data.modified()).ok();
            modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > older_than)
        };
        if name.starts_with(prefix) && name.ends_with(suffix) && old() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A file that is being written is not older than this.
const AT_WORK: Duration = Duration::from_secs(600);

/// No vendor's token that was never used is good for longer.
const WORTH_KEEPING: Duration = Duration::from_secs(90 * 24 * 3600);

/// Under which key a file says for which server its secrets are.
const ORIGIN: &str = "origin";

/// Under which key a file has the path that deliveries of the store come to. Nobody can guess it, and
/// the channel shows it beside its subscriptions: by that they are known to be ours.
pub(crate) const HOOK_PATH: &str = "hook_path";

/// Under which key it has our own key, which goes with subscriptions.
pub(crate) const HOOK_KEY: &str = "hook_key";

/// Since when a vendor is being asked for a successor of what is in the file.
const ASKED_AT: &str = "renewal_asked_at";

/// A refusal, where an earlier request's answer was lost that may have been the successor.
fn cut_off(error: Error, since: Option<&Secret>) -> Error {
    let Some(since) = since.filter(|_| error.kind() == ErrorKind::Credentials) else { return error };
    error.adding(&format!(
        "the renewal of {} was cut off before its answer was kept, so what took the place of the old token may be lost",
        since.reveal()
    ))
}

/// Why a renewal brought nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong.
    pub(crate) error: Error,
    /// The vendor may have answered all the same with a successor of what it was asked with, and
    /// the answer is lost.
    pub(crate) is_lost: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, is_lost: false }
    }
}

/// How the keys of times end that are kept beside the secrets.
pub(crate) const TIME: &str = "_at";

/// How long to wait for another process that is renewing a token.
const RENEWAL: Duration = Duration::from_secs(60);

/// A store's secrets in use. Tokens that are renewed while it runs are put back into the store's
/// file, durably, before anything is sent with them, by one process at a time (F-3): a rotated
/// token that is lost would lock the merchant out.
pub struct Credentials {
    secrets: RwLock<Secrets>,
    renewing: Mutex<()>,
    shelf: Option<Shelf>,
    pending: Option<Pending>,
}

/// Where a credentials's secrets are kept.
struct Shelf {
    credential_store: CredentialStore,
    store: String,
    locks: PathBuf,
    clock: Arc<dyn Clock>,
}

/// How the files begin that are kept for an attempt to connect. No store's name begins with a dot.
const PENDING: &str = ".pending-";

/// Where the successors of a given secret are kept while a store is being connected.
struct Pending {
    credential_store: CredentialStore,
    store: String,
}

impl Pending {
    fn name(given: &Secret) -> String {
        let mark: String = Sha256::digest(given.reveal()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("{PENDING}{mark}")
    }

    fn keep(&self, secrets: &Secrets) -> Result<()> {
        self.credential_store.write(&self.store, secrets)
    }
}

impl Credentials {
    /// Secrets that are in no file yet: those of a store that is being connected.
    pub fn loose(secrets: Secrets) -> Self {
        Self { secrets: RwLock::new(secrets), renewing: Mutex::new(()), shelf: None, pending: None }
    }

    /// The same, where the vendor may put another secret in the place of the one under `key` while
    /// the store is tested. What it gives is kept beside the stores' files until the store stands
    /// ([`Credentials::settled`]), and taken up again by whoever comes with the same secret: with
    /// a test that fails halfway the merchant would have nothing else.
    pub(crate) fn of_new_store(secrets: Secrets, key: &str, credential_store: CredentialStore) -> Self {
        let Some(given) = secrets.get(key).filter(|given| !given.is_empty()) else { return Self::loose(secrets) };
        sweep(&credential_store.dir, PENDING, ".json", WORTH_KEEPING);
        let pending = Pending { store: Pending::name(given), credential_store };
        let mut all = secrets.clone();
        if let Ok(kept) = pending.credential_store.read(&pending.store) {
            all.extend(kept.into_iter().filter(|(name, _)| name == key || !secrets.contains_key(name)));
        }
        Self { pending: Some(pending), ..Self::loose(all) }
    }

    /// The store stands, and its file has all of these.
    pub(crate) fn settled(&self) {
        if let Some(pending) = &self.pending {
            let _ = pending.credential_store.remove(&pending.store);
        }
    }

    /// Whether the vendor has put something in the place of what was given, and it is kept for the
    /// next attempt.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.credential_store.path(&pending.store).exists())
    }

    /// The secrets of a connected store, to be sent to `origin`; renewals take a lock file in
    /// `locks`. A file of an older version, which does not say for which server it is, is bound to
    /// this one now.
    ///
    /// # Errors
    /// `Credentials` where they were given for another server: whoever can change an address must
    /// not be sent the secrets.
    pub(crate) fn of_store(
        credential_store: CredentialStore,
        store: &str,
        locks: PathBuf,
        clock: Arc<dyn Clock>,
        origin: &str,
    ) -> Result<Self> {
        let mut secrets = credential_store.read(store)?;
        if !secrets.contains_key(ORIGIN) {
            let _one_process = Lock::take(&locks, store, Work::Renewal, RENEWAL, clock.as_ref())?;
            secrets = credential_store.read(store)?;
            secrets.entry(ORIGIN.to_owned()).or_insert_with(|| Secret::new(origin));
            credential_store.write(store, &secrets)?;
        }
        if let Some(given) = secrets.get(ORIGIN).map(Secret::reveal).filter(|given| *given != origin) {
            let text = format!(
                "the credentials of {store} are for {given}, but its address is now {origin}; nothing was sent"
            );
            let hint = format!("if that is meant, give it credentials for there: ordersync connect --reauth {store}");
            return Err(Error::new(ErrorKind::Credentials, text).hint(hint));
        }
        let shelf = Shelf { credential_store, store: store.to_owned(), locks, clock };
        Ok(Self { secrets: RwLock::new(secrets), renewing: Mutex::new(()), shelf: Some(shelf), pending: None })
    }

    /// Binds the secrets to the server that they were tested with, before they are put into a file.
    pub(crate) fn bind(&self, origin: &str) {
        self.take_over(Secrets::from([(ORIGIN.to_owned(), Secret::new(origin))]));
    }

    /// The secret of this key, where there is one.
    pub(crate) fn get(&self, key: &str) -> Option<Secret> {
        let secrets = self.secrets.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        secrets.get(key).filter(|secret| !secret.is_empty()).cloned()
    }

    /// The secret of this key.
    ///
    /// # Errors
    /// `Credentials` where there is none.
    pub(crate) fn need(&self, key: &str) -> Result<Secret> {
        self.get(key).ok_or_else(|| {
            Error::new(ErrorKind::Credentials, format!("{key} is missing; nothing was sent"))
                .hint("ordersync connect --reauth STORE")
        })
    }

    /// Those that must never be shown: all but what says for which server they are and until when, and
    /// where the channel delivers to.
    pub(crate) fn hidden(&self) -> Vec<Secret> {
        let secrets = self.secrets.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let open = |key: &str| matches!(key, ORIGIN | HOOK_PATH) || key.ends_with(TIME);
        secrets.iter().filter(|(key, _)| !open(key)).map(|(_, secret)| secret.clone()).collect()
    }

    /// All of them, to be written to a file.
    pub fn all(&self) -> Secrets {
        self.secrets.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Puts what `fetch` brings in the place of the old secrets, unless `key` is no longer `stale`:
    /// then another thread or process has renewed it already, and its token is taken over. `fetch`
    /// is given the secrets as they are in the file now.
    ///
    /// Where the vendor may take back what it is asked with (`rotates`), the file says that it is
    /// being asked until what it answered is in there: if that never gets so far, whoever is
    /// refused the old secret afterwards is told why.
    pub(crate) fn renew(
        &self,
        key: &str,
        stale: Option<&Secret>,
        rotates: bool,
        fetch: &dyn Fn(&Secrets) -> Result<Secrets, Failure>,
    ) -> Result<()> {
        let _one_thread = self.renewing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.get(key).as_ref() != stale {
            return Ok(());
        }
        let Some(shelf) = &self.shelf else {
            let fresh = fetch(&self.all()).map_err(|failure| failure.error)?;
            self.take_over(fresh);
            return self.pending.as_ref().filter(|_| rotates).map_or(Ok(()), |pending| pending.keep(&self.all()));
        };
        let _one_process = Lock::take(&shelf.locks, &shelf.store, Work::Renewal, RENEWAL, shelf.clock.as_ref())?;
        let mut secrets = shelf.credential_store.read(&shelf.store)?;
        if secrets.get(key) == stale {
            let mut lost_since = secrets.get(ASKED_AT).cloned();
            if rotates && lost_since.is_none() {
                secrets.insert(ASKED_AT.to_owned(), Secret::new(rfc3339(shelf.clock.now())));
                shelf.credential_store.write(&shelf.store, &secrets)?;
            }
            let fresh = match fetch(&secrets) {
                Err(Failure { error, is_lost }) => {
                    lost_since = lost_since.or_else(|| secrets.get(ASKED_AT).filter(|_| is_lost).cloned());
                    if lost_since.is_none() && secrets.remove(ASKED_AT).is_some() {
                        shelf.credential_store.write(&shelf.store, &secrets)?;
                    }
                    return Err(cut_off(error, lost_since.as_ref()));
                }
                Ok(fresh) => fresh,
            };
            crate::crash::point("before-renewed");
            secrets.extend(fresh);
            secrets.remove(ASKED_AT);
            shelf.credential_store.write(&shelf.store, &secrets)?;
            crate::crash::point("after-renewed");
        }
        self.take_over(secrets);
        Ok(())
    }

    /// Puts these in the place of those of the same keys.
    pub(crate) fn put(&self, fresh: Secrets) {
        self.take_over(fresh);
    }

    fn take_over(&self, fresh: Secrets) {
        self.secrets.write().unwrap_or_else(|poisoned| poisoned.into_inner()).extend(fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};

    fn token(value: &str) -> Secrets {
        Secrets::from([("token".to_owned(), Secret::new(value))])
    }

    #[test]
    fn f3_a_token_is_renewed_once_for_all_processes_and_is_in_the_file_before_it_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let credential_store = CredentialStore::new(dir.path());
        credential_store.write("shop", &token("old")).unwrap();
        let process = || {
            let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
            Credentials::of_store(credential_store.clone(), "shop", dir.path().join("locks"), clock, "https://a.test")
                .unwrap()
        };
        let (one, other) = (process(), process());
        let old = one.get("token");
        one.renew("token", old.as_ref(), false, &|_| Ok(token("new"))).unwrap();
        assert_eq!(credential_store.read("shop").unwrap()["token"], Secret::new("new"));
        let again = |_: &Secrets| -> Result<Secrets, Failure> { panic!("a second process fetched a second token") };
        other.renew("token", old.as_ref(), false, &again).unwrap();
        one.renew("token", old.as_ref(), false, &again).unwrap();
        assert_eq!(other.get("token"), Some(Secret::new("new")));
    }

    #[test]
    fn f3_a_renewal_that_fails_leaves_the_old_token() {
        let dir = tempfile::tempdir().unwrap();
        let credential_store = CredentialStore::new(dir.path());
        credential_store.write("shop", &token("old")).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let ring =
            Credentials::of_store(credential_store.clone(), "shop", dir.path().join("locks"), clock, "https://a.test")
                .unwrap();
        let refused = |_: &Secrets| Err(Error::new(ErrorKind::Credentials, "revoked").into());
        assert!(ring.renew("token", Some(&Secret::new("old")), false, &refused).is_err());
        let kept = credential_store.read("shop").unwrap().remove("token");
        assert_eq!((ring.get("token"), kept), (Some(Secret::new("old")), Some(Secret::new("old"))));
    }

    #[test]
    fn x6_credentials_are_bound_to_the_server_that_they_were_given_for() {
        let dir = tempfile::tempdir().unwrap();
        let credential_store = CredentialStore::new(dir.path());
        let open = |origin: &str| {
            let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
            Credentials::of_store(credential_store.clone(), "shop", dir.path().join("locks"), clock, origin)
                .map(|ring| ring.all())
        };
        // A file of an older version is for the server that it is first used with.
        credential_store.write("shop", &token("old")).unwrap();
        open("https://a.test").unwrap();
        for other in ["https://b.test", "http://a.test", "https://a.test:8443", "http://127.0.0.1:80"] {
            let error = open(other).unwrap_err();
            assert!(error.kind() == ErrorKind::Credentials && error.hint_text().unwrap().contains("--reauth shop"));
        }
        assert!(open("https://a.test").is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn x1_a_link_stays_a_link_and_what_a_killed_run_left_is_swept_up() {
        let dir = tempfile::tempdir().unwrap();
        let credential_store = CredentialStore::new(&dir.path().join("credentials"));
        credential_store.write("shop", &token("old")).unwrap();
        let elsewhere = dir.path().join("shop.json");
        std::fs::rename(credential_store.path("shop"), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, credential_store.path("shop")).unwrap();
        let left = dir.path().join(".shop.a1b2c3.tmp");
        let file = std::fs::File::create(&left).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
        credential_store.write("shop", &token("new")).unwrap();
        assert!(std::fs::symlink_metadata(credential_store.path("shop")).unwrap().is_symlink());
        assert!(std::fs::read_to_string(&elsewhere).unwrap().contains("new") && !left.exists());
        std::fs::remove_file(credential_store.path("shop")).unwrap();
        std::fs::create_dir(credential_store.path("shop")).unwrap();
        assert_eq!(credential_store.read("shop").unwrap_err().kind(), ErrorKind::Credentials);
    }

    #[cfg(unix)]
    #[test]
    fn x1_a_credentials_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let credential_store = CredentialStore::new(&dir.path().join("credentials"));
        let secrets = Secrets::from([("consumer_key".to_owned(), Secret::new("ck_1"))]);
        credential_store.write("shop", &secrets).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&credential_store.path("shop")), mode(&dir.path().join("credentials"))), (0o600, 0o700));
        assert_eq!(credential_store.read("shop").unwrap(), secrets);
        credential_store.remove("shop").unwrap();
        assert_eq!(credential_store.read("shop").unwrap_err().kind(), ErrorKind::Credentials);
    }
}
