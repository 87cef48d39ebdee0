//! Where things live, and the settings of a store.

use std::path::{Path, PathBuf};

use crate::channel::ChannelKind;
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
    pub fn locks(&self) -> PathBuf {
        self.data.join("locks")
    }

    /// The directory of the credential files.
    pub fn credentials(&self) -> &Path {
        &self.credentials
    }

    /// The directory that holds the book.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The directory given by `--home` or `ORDERSYNC_HOME`, if one was.
    pub fn explicit(&self) -> Option<&Path> {
        self.explicit.as_deref()
    }
}

/// A setting of a store that the core reads; adapters add their own (`channel::fields`).
#[derive(Debug)]
pub struct Setting {
    /// Its key: `ordersync config set STORE.KEY VALUE`.
    pub key: &'static str,
    /// What it does, its unit and its default.
    pub help: &'static str,
    check: fn(&str) -> bool,
}

/// The core's settings, the same for every channel.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "interval",
        help: "minutes between two autosyncs of this store, 5 to 1440 (default 30)",
        check: |text| text.parse::<u32>().is_ok_and(|minutes| (5..=1440).contains(&minutes)),
    },
    Setting {
        key: "in_flight",
        help: "pages fetched at the same time in a first sync, 1 to 8 (default 4 where the channel sets no limit)",
        check: |text| text.parse::<usize>().is_ok_and(|pages| (1..=8).contains(&pages)),
    },
    Setting {
        key: "unpaid_methods",
        help: "payment methods of orders that ship before they are paid, with commas between (cod, bacs, \"Cash on Delivery\")",
        check: |text| text.split(',').any(|method| !method.trim().is_empty()),
    },
    Setting {
        key: "allow_http",
        help: "yes: talk to this store without encryption (default no; the own machine is always permitted)",
        check: |text| matches!(text, "yes" | "no"),
    },
    Setting {
        key: "ca_file",
        help: "a PEM file with the certificate authority of a shop that has one of its own",
        check: |text| Path::new(text).is_absolute(),
    },
    Setting {
        key: "endpoint",
        help: "scheme, host and port to use instead of the channel's own, for every request",
        check: |text| endpoint(text).is_ok(),
    },
];

/// Checks a setting's key and value for a store of `kind`; the adapter checks its own values when
/// the store is opened.
pub fn check_setting(kind: ChannelKind, key: &str, value: &str) -> Result<()> {
    if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) {
        if (setting.check)(value) {
            return Ok(());
        }
        // Without the value: an address may hold a password.
        let text = format!("the value given for {key} does not fit: {}; nothing was changed", setting.help);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    let own: Vec<&str> = kind.adapter().fields.iter().filter(|field| !field.secret).map(|field| field.key).collect();
    if own.contains(&key) {
        return Ok(());
    }
    let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).chain(own).collect();
    Err(Error::new(ErrorKind::Usage, format!("{kind} stores have no setting {key:?}; one of: {}", known.join(", "))))
}

/// What stands in the place of a channel's own server: scheme, host and port. A login, a path or a
/// query would be kept in the book and shown.
pub fn endpoint(text: &str) -> Result<url::Url> {
    let refused = |why: &str| {
        let text = format!("the endpoint {why}; nothing was sent");
        Error::new(ErrorKind::Usage, text).hint("scheme, host and port alone: https://test.example.com:8443")
    };
    let url = url::Url::parse(text.trim()).map_err(|e| refused(&format!("is no address ({e})")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(refused("is not an http:// or https:// address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a login, which would be kept where everybody can read it"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refused("holds more than scheme, host and port"));
    }
    Ok(url)
}

/// Scheme, host and port of an endpoint that an older version has kept with more than that.
pub fn endpoint_alone(text: &str) -> String {
    url::Url::parse(text).map_or_else(|_| text.to_owned(), |url| url.origin().ascii_serialization())
}

/// Reads a small text that somebody else may have put there, which is also a pipe (`<(pass show
/// key)`): no more of it than `largest` bytes, and not for longer than anybody waits for it.
pub fn read_small(path: &Path, largest: u64) -> std::io::Result<String> {
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
pub fn read_file(path: &Path, largest: u64) -> std::io::Result<Vec<u8>> {
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
pub fn bounded(source: impl std::io::Read, largest: u64) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    source.take(largest + 1).read_to_string(&mut text)?;
    if text.len() as u64 > largest {
        return Err(std::io::Error::other(format!("it is larger than {} kB", largest / 1024)));
    }
    Ok(text)
}

/// Writes a file that nobody but its owner reads, replacing one that is there.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile creates with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".ordersync.").suffix(".tmp").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// Checks a store's name: it becomes a file name and a word on the command line.
pub fn check_store_name(name: &str) -> Result<()> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let rest = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if name == crate::book::BOOK {
        let text =
            format!("{name:?} cannot name a store: {name}:17 is an order's number in the book; nothing was connected");
        return Err(Error::new(ErrorKind::Usage, text));
    }
    if first && rest && name.len() <= 40 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!(
            "{name:?} cannot name a store: 1 to 40 of a-z, 0-9, - and _, starting with a letter; nothing was connected"
        ),
    ))
}

/// Creates `dir` with all above it, readable by its owner only.
pub fn private_dir(dir: &Path) -> Result<()> {
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

    #[test]
    fn x6_an_endpoint_is_scheme_host_and_port_and_its_refusal_repeats_nothing() {
        for good in ["http://127.0.0.1:8899", "https://test.example.com/", "http://[::1]:1"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "https://ann:pa55word@shop.example.com",
            "https://pa55word@shop.example.com",
            "https://shop.example.com?key=pa55word",
            "https://shop.example.com/#pa55word",
            "https://shop.example.com/pa55word",
            "ftp://pa55word",
            "pa55word",
            "",
        ] {
            let error = endpoint(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{bad}");
            assert!(!error.message().contains("pa55word"), "{error}");
        }
        assert_eq!(endpoint_alone("https://ann:pa55word@shop.example.com:8443/x?y#z"), "https://shop.example.com:8443");
    }

    #[test]
    fn a_store_name_cannot_leave_its_directory() {
        for name in ["", "../x", "A", "a b", ".a", "a/b", "-a", "ä"] {
            assert!(check_store_name(name).is_err(), "{name}");
        }
        assert!(check_store_name("shopify-uk").is_ok());
    }
}
