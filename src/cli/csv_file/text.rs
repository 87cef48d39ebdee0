//! From a file to its text: bounded, whatever spreadsheet or system wrote it.

use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// The largest file; some two hundred thousand rows.
const LARGEST: usize = 16 * 1024 * 1024;

/// How long a pipe may take to come to its end.
const PIPE: Duration = Duration::from_secs(60);

/// What is in the file; `-` is standard input.
///
/// # Errors
/// `Usage` with the reason, or `Interrupted`: reading goes on beside, so that Ctrl-C ends also a
/// pipe that nobody writes to.
pub(super) fn read(file: &Path, clock: &dyn Clock) -> Result<Vec<u8>> {
    let unusable = |why: String| Error::new(ErrorKind::Usage, why);
    let standard_input = file == Path::new("-");
    let pipe = !standard_input && std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    let (done, result) = channel();
    let path = file.to_owned();
    std::thread::spawn(move || {
        let _ = done.send(if standard_input { bounded(std::io::stdin()) } else { open(&path) });
    });
    let begun = Instant::now();
    loop {
        match result.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(bytes)) if bytes.len() > LARGEST => {
                return Err(unusable(format!("it is larger than {} MiB; split it", LARGEST / (1024 * 1024))));
            }
            Ok(read) => return read.map_err(|e| unusable(e.to_string())),
            Err(RecvTimeoutError::Timeout) if pipe && begun.elapsed() > PIPE => {
                return Err(unusable(format!("it is a pipe that did not come to its end within {} s", PIPE.as_secs())));
            }
            Err(RecvTimeoutError::Timeout) => clock.check_interrupt()?,
            Err(RecvTimeoutError::Disconnected) => return Err(unusable("it could not be read".to_owned())),
        }
    }
}

fn open(path: &Path) -> std::io::Result<Vec<u8>> {
    bounded(std::fs::File::open(path)?)
}

/// One byte more than is taken shows that there is more.
fn bounded(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text, and what it was taken for where that is not plain: UTF-8, UTF-16 (Excel's "Unicode
/// text"), else Windows-1252.
pub(super) fn decode(bytes: &[u8]) -> std::result::Result<(String, Option<&'static str>), &'static str> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err("it is a spreadsheet, not CSV; save it as CSV (UTF-8)");
    }
    let encoding = encoding_of(bytes);
    let (text, broken) = encoding.decode_with_bom_removal(bytes);
    if broken || text.contains('\0') {
        return Err("it is not a text file");
    }
    let told = (encoding == WINDOWS_1252).then_some("it is not UTF-8, so it was read as Windows-1252 (Latin-1)");
    Ok((text.replace("\r\n", "\n").replace('\r', "\n"), told))
}

fn encoding_of(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    // Without a mark: every other byte of plain text is zero.
    let (pairs, _) = bytes.as_chunks::<2>();
    let zeros = |nth: usize| pairs.iter().filter(|pair| pair.get(nth) == Some(&0)).count() * 2 > pairs.len();
    match (zeros(0), zeros(1)) {
        (false, true) => UTF_16LE,
        (true, false) => UTF_16BE,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    }
}
