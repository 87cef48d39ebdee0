//! Bodies as they come from real servers.

use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// The largest reply that is read, in bytes. A page of 100 large orders is under 4 MB.
pub const MAX_REPLY: u64 = 48 * 1024 * 1024;

/// Parses JSON out of a reply body, looking past a byte-order mark and past text that a server program printed
/// before or after the JSON (PHP notices). Returns the value and whether something had to be cut away.
///
/// The error describes the body by its kind (HTML, empty, cut off) and never repeats it.
pub fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<(T, bool), Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let strict = match serde_json::from_slice::<T>(body) {
        Ok(value) => return Ok((value, false)),
        Err(error) => error,
    };
    match longest(body) {
        Some(json) => match serde_json::from_slice(json) {
            Ok(value) => Ok((value, true)),
            Err(error) => Err(Error::new(ErrorKind::Unreadable, describe(json, &error))),
        },
        None => Err(Error::new(ErrorKind::Unreadable, describe(body, &strict))),
    }
}

/// The longest stretch of the body that is JSON by itself. A notice may hold brackets too (`$row[0]`), so the first is not good enough.
fn longest(body: &[u8]) -> Option<&[u8]> {
    let starts = body.iter().enumerate().filter(|(_, byte)| matches!(byte, b'{' | b'[')).map(|(at, _)| at);
    starts
        .take(20)
        .filter_map(|start| {
            let rest = body.get(start..)?;
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde::de::IgnoredAny>();
            values.next()?.ok()?;
            rest.get(..values.byte_offset())
        })
        .max_by_key(|json| json.len())
}

fn describe(body: &[u8], error: &serde_json::Error) -> String {
    let start = body.trim_ascii_start();
    let head = start.get(..start.len().min(200)).unwrap_or_default().to_ascii_lowercase();
    if start.is_empty() {
        "an empty answer where JSON was expected".to_owned()
    } else if head.starts_with(b"<") {
        "a web page (HTML) where JSON was expected".to_owned()
    } else if error.is_eof() {
        format!("JSON that breaks off after {} bytes", body.len())
    } else {
        format!(
            "something that is not the JSON expected ({:?} error at line {}, column {})",
            error.classify(),
            error.line(),
            error.column()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn f4_a_bom_and_notices_around_the_json_are_looked_past() {
        let plain: (Value, bool) = read_json(b"\xef\xbb\xbf[1]").unwrap();
        assert_eq!(plain, (serde_json::json!([1]), false));
        let noisy: (Value, bool) =
            read_json(b"<br />\n<b>Notice</b>: Undefined array key [0] in x.php\n{\"id\":7}").unwrap();
        assert_eq!(noisy.0["id"], 7);
        let trailing: (Value, bool) = read_json(b"{\"id\":7}\n<!-- cached -->").unwrap();
        assert!(trailing.1);
    }

    #[test]
    fn f4_an_unusable_body_is_named_by_kind_and_never_repeated() {
        let text = |body: &[u8]| read_json::<Value>(body).unwrap_err().to_string();
        assert_eq!(text(b""), "an empty answer where JSON was expected");
        assert_eq!(text(b"  <!DOCTYPE html><p>Ann Example"), "a web page (HTML) where JSON was expected");
        assert!(text(b"{\"id\":7,\"name\":\"Ann").starts_with("JSON that breaks off"));
    }
}
