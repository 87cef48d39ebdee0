//! Small files that others may have put there, and private ones of our own.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Reads a small text that somebody else may have put there, which is also a pipe (`<(pass show
/// key)`): no more of it than `largest` bytes, and not for longer than anybody waits for it.
pub(crate) fn read_small(path: &Path, largest: u64) -> std::io::Result<String> {
    const LONGEST: std::time::Duration = std::time::Duration::from_secs(30);
    let (sender, receiver) = std::sync::mpsc::channel();
    let path = path.to_owned();
    // Opening a pipe that nobody writes to never returns; the thread is left behind, and ends with
    // the program.
    std::thread::spawn(move || {
        let text = std::fs::File::open(&path).and_then(|file| bounded(file, largest));
        let _ = sender.send(text);
    });
    receiver.recv_timeout(LONGEST).unwrap_or_else(|_| Err(std::io::Error::other("it gives nothing to read")))
}

/// What is in a small file that is one: another thing of that name would be waited for without end.
pub(crate) fn read_file(path: &Path, largest: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(std::io::Error::other(format!("it is larger than {} kB", largest / 1024)));
    }
    Ok(bytes)
}

/// The text of `source`, if it is not larger than `largest`.
pub(crate) fn bounded(source: impl std::io::Read, largest: u64) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    source.take(largest + 1).read_to_string(&mut text)?;
    if text.len() as u64 > largest {
        return Err(std::io::Error::other(format!("it is larger than {} kB", largest / 1024)));
    }
    Ok(text)
}

/// Writes a file that nobody but its owner reads, replacing one that is there.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile creates with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".ordersync.").suffix(".tmp").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// A private file that comes under its name when it is whole, and not at all before.
pub(crate) struct NewFile {
    file: tempfile::NamedTempFile,
    to: PathBuf,
    dir: PathBuf,
    replaces: bool,
    undone: &'static str,
}

impl NewFile {
    /// Begins what is to be at `to`, beside it under a name that begins with `prefix`. `undone` is
    /// what errors say of it: "no backup was made".
    ///
    /// # Errors
    /// `Refused` where there is something at `to` already, also a link that leads nowhere; with
    /// `replaces` where that is no file.
    pub(crate) fn begin(to: &Path, prefix: &str, replaces: bool, undone: &'static str) -> Result<Self> {
        let failed = |e: std::io::Error| unwritten(to, undone, &e);
        // Whatever others would make of such a name (`:memory:`, `file:...`), here it is one in a
        // directory.
        let to = std::path::absolute(to).map_err(failed)?;
        if let Ok(there) = to.symlink_metadata() {
            match replaces {
                false => return Err(exists(&to, undone)),
                true if !there.is_file() => {
                    let text = format!("{} is not a file that could be replaced; {undone}", to.display());
                    return Err(Error::new(ErrorKind::Refused, text).hint("give another file name"));
                }
                true => {}
            }
        }
        let dir = to.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
        if !dir.is_dir() {
            return Err(failed(std::io::Error::other(format!("there is no directory {}", dir.display()))));
        }
        let file = tempfile::Builder::new().prefix(prefix).suffix(".tmp").tempfile_in(&dir).map_err(failed)?;
        Ok(Self { file, to, dir, replaces, undone })
    }

    /// Where it is meanwhile.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// To be written to.
    pub(crate) fn as_file(&self) -> &std::fs::File {
        self.file.as_file()
    }

    /// What is said of a failure to write it.
    pub(crate) fn failed(&self, error: &std::io::Error) -> Error {
        unwritten(&self.to, self.undone, error)
    }

    /// Gives it its name, on the disk before this returns.
    pub(crate) fn keep(self) -> Result<()> {
        let Self { file, to, dir, replaces, undone } = self;
        let failed = |e: std::io::Error| unwritten(&to, undone, &e);
        file.as_file().sync_all().map_err(failed)?;
        if replaces {
            // Who may read the one that was there may read this one.
            if let Ok(there) = to.symlink_metadata().as_ref().map(std::fs::Metadata::permissions) {
                file.as_file().set_permissions(there).map_err(failed)?;
            }
            file.persist(&to).map_err(|e| failed(e.error))?;
        } else {
            match file.persist_noclobber(&to) {
                Ok(_) => {}
                Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => return Err(exists(&to, undone)),
                // A file system that can neither rename without replacing nor link, as on memory
                // sticks.
                Err(e) if to.symlink_metadata().is_err() => {
                    e.file.persist(&to).map(drop).map_err(|e| failed(e.error))?;
                }
                Err(e) => return Err(failed(e.error)),
            }
        }
        #[cfg(unix)]
        std::fs::File::open(&dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        Ok(())
    }
}

fn unwritten(to: &Path, undone: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Failed, format!("{} cannot be written: {error}; {undone}", to.display()))
}

fn exists(to: &Path, undone: &str) -> Error {
    let text = format!("{} exists already; {undone}", to.display());
    Error::new(ErrorKind::Refused, text).hint("give another file name")
}

/// Creates `dir` with all above it, readable by its owner only.
pub(crate) fn private_dir(dir: &Path) -> Result<()> {
    let failed = |e: std::io::Error| {
        Error::new(
            ErrorKind::Failed,
            format!("the directory {} cannot be created: {e}; nothing was written", dir.display()),
        )
    };
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(failed)
}
