//! The secrets of each store, in a file of its own apart from the book (PRODUCT.md X-1).
//!
//! A file is replaced as a whole: written beside it, flushed to the disk, then renamed over it. Whoever reads
//! sees the old or the new one, and a crash leaves one of the two.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::channel::Secrets;
use crate::config::private_dir;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// The directory of the credential files.
#[derive(Debug, Clone)]
pub struct Vault {
    dir: PathBuf,
}

impl Vault {
    /// The files under `dir`; nothing is created before the first write.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Where a store's file is.
    pub fn path(&self, store: &str) -> PathBuf {
        self.dir.join(format!("{store}.json"))
    }

    /// A store's secrets.
    pub fn read(&self, store: &str) -> Result<Secrets> {
        let path = self.path(store);
        let reauth = format!("ordersync connect --reauth {store}");
        let text = std::fs::read_to_string(&path).map_err(|e| {
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
        let path = self.path(store);
        let replace = || -> std::io::Result<()> {
            // tempfile creates with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            serde_json::to_writer_pretty(&mut file, &plain)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|e| e.error)?;
            #[cfg(unix)]
            std::fs::File::open(&self.dir)?.sync_all()?;
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
    pub fn remove(&self, store: &str) -> Result<()> {
        match std::fs::remove_file(self.path(store)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::new(ErrorKind::Failed, format!("the credentials of {store} could not be deleted: {e}")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn x1_a_credentials_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(&dir.path().join("credentials"));
        let secrets = Secrets::from([("consumer_key".to_owned(), Secret::new("ck_1"))]);
        vault.write("shop", &secrets).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&vault.path("shop")), mode(&dir.path().join("credentials"))), (0o600, 0o700));
        assert_eq!(vault.read("shop").unwrap(), secrets);
        vault.remove("shop").unwrap();
        assert_eq!(vault.read("shop").unwrap_err().kind(), ErrorKind::Credentials);
    }
}
