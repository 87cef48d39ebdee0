//! Small files that others may have put there, and private ones of our own.

use std::path::Path;

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
