//! Where things live on this machine.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The directories of one installation (C-5).
#[derive(Debug, Clone)]
pub struct Home {
    credentials: PathBuf,
    data: PathBuf,
    /// Whether the home was named by `--home` or `ORDERSYNC_HOME`.
    explicit: Option<PathBuf>,
}

impl Home {
    /// Everything under `root`, or in the platform's own directories.
    pub fn locate(root: Option<PathBuf>) -> Result<Self> {
        if let Some(root) = root {
            let root = std::path::absolute(&root).unwrap_or(root);
            return Ok(Self { credentials: root.join("credentials"), data: root.clone(), explicit: Some(root) });
        }
        let dirs = directories::ProjectDirs::from("", "", "ordersync").ok_or_else(|| {
            Error::new(ErrorKind::Failed, "this account has no home directory; nothing was read or written")
                .hint("name a directory with --home DIR or ORDERSYNC_HOME")
        })?;
        Ok(Self {
            credentials: dirs.config_dir().join("credentials"),
            data: dirs.data_dir().to_owned(),
            explicit: None,
        })
    }

    /// The order book.
    pub fn book(&self) -> PathBuf {
        self.data.join("orders.sqlite")
    }

    /// The directory of the lock files.
    pub(crate) fn locks(&self) -> PathBuf {
        self.data.join("locks")
    }

    /// The directory of the credential files.
    pub(crate) fn credentials(&self) -> &Path {
        &self.credentials
    }

    /// The directory that holds the book.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The directory given by `--home` or `ORDERSYNC_HOME`, if one was.
    pub(crate) fn explicit(&self) -> Option<&Path> {
        self.explicit.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c5_a_named_home_holds_everything() {
        let home = Home::locate(Some("/tmp/x".into())).unwrap();
        assert!(
            [home.book(), home.locks(), home.credentials().to_owned()].iter().all(|path| path.starts_with("/tmp/x"))
        );
    }
}
