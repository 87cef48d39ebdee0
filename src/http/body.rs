//! Bodies as they come from real servers.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Error, ErrorKind};

/// The largest reply that is read, in bytes. A page of 100 large orders is under 4 MB.
pub(crate) const MAX_REPLY: u64 = 48 * 1024 * 1024;

/// Parses JSON out of a reply body: one that is JSON from its first sign to its last, or JSON with
/// notices around it that a server program printed (PHP), a byte-order mark aside. Returns the
/// value and whether something had to be cut away.
///
/// The error describes the body by its kind (HTML, empty, cut off) and never repeats it.
pub(crate) fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<(T, bool), Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let unreadable = |why: String| Error::new(ErrorKind::Unreadable, why);
    let strict = match serde_json::from_slice::<T>(body) {
        Ok(value) => return Ok((value, false)),
        Err(error) => error,
    };
    let json = among_notices(body).map_err(|why| unreadable(why.unwrap_or_else(|| describe(body, &strict))))?;
    serde_json::from_slice(json)
        .map(|value| (value, json.len() < body.trim_ascii().len()))
        .map_err(|error| unreadable(describe(json, &error)))
}

/// The command that tells more about an answer that cannot be used.
pub(crate) const TEST: &str = concat!("ordersync connect --test STORE tests the connection; ", super::again!());

/// An answer of `place` that was `what`: nobody can use it, and what was `done` about it.
pub(crate) fn unusable(place: &str, what: impl std::fmt::Display, done: &str) -> Error {
    // What was asked in detail tells a merchant nothing.
    let place = place.split('?').next().unwrap_or(place);
    let text = format!("{place} answered with {what}{done}");
    let hint = format!("a proxy, a cache or a plugin may answer in the place of the API; {TEST}");
    Error::new(ErrorKind::Unreadable, text).hint(hint)
}

/// Whether a good answer is JSON that may be used: said to be a web page it never is, whatever
/// stands in it.
///
/// # Errors
/// In words that describe the answer and never repeat it.
pub(crate) fn check_json(reply: &super::Reply) -> Result<(), Error> {
    let html = reply.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    if html {
        return Err(Error::new(ErrorKind::Unreadable, "a web page (HTML) where JSON was expected"));
    }
    let body = reply.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&reply.body).trim_ascii();
    // Reading a good page here would read the whole of it twice.
    let looks_whole = matches!((body.first(), body.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
    if looks_whole { Ok(()) } else { read_json::<IgnoredAny>(&reply.body).map(drop) }
}

/// The one JSON value among notices: an object or a list of objects that begins at the start of a
/// line, with nothing like it beside and no web page around. Notices hold brackets too (`$row[0]`),
/// and so do the scripts of a page that stands in the place of an answer (`window.dataLayer ||
/// []`): neither is ever taken for one. Where the value breaks off, no part of it is taken for the
/// whole.
fn among_notices(body: &[u8]) -> Result<&[u8], Option<String>> {
    let start = value_start(body, 0).ok_or(None)?;
    let (before, rest) = body.split_at_checked(start).ok_or(None)?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
    if let Err(error) = values.next().ok_or(None)? {
        return Err(Some(describe(rest, &error)));
    }
    let (json, after) = rest.split_at_checked(values.byte_offset()).ok_or(None)?;
    if is_page(before) || is_page(after) {
        return Err(Some("a web page (HTML) where JSON was expected".to_owned()));
    }
    if value_start(after, 1).is_some() {
        return Err(Some("several JSON values where one was expected".to_owned()));
    }
    // Nothing is what is found everywhere: it counts only beside what surely is a notice.
    let empty = json.iter().all(|byte| matches!(byte, b'[' | b']' | b'{' | b'}') || byte.is_ascii_whitespace());
    let blank = before.trim_ascii().is_empty() && after.trim_ascii().is_empty();
    if empty && !blank && !has_notice(before) && !has_notice(after) {
        return Err(Some("text in which no JSON is certain, where JSON was expected".to_owned()));
    }
    Ok(json)
}

/// Where the first object or list of objects begins: at the start of a line, at or after `from`.
fn value_start(body: &[u8], from: usize) -> Option<usize> {
    let begins = |at: usize| at == 0 || body.get(at - 1).is_some_and(|byte| matches!(byte, b'\n' | b'\r'));
    let opens = |at: usize| {
        let next = body.get(at + 1..).and_then(|rest| rest.trim_ascii_start().first());
        match body.get(at) {
            Some(b'{') => matches!(next, Some(b'"' | b'}') | None),
            Some(b'[') => matches!(next, Some(b'{' | b']') | None),
            _ => false,
        }
    };
    let first = body.len() - body.trim_ascii_start().len();
    (from..body.len()).find(|at| (begins(*at) || *at == first) && opens(*at))
}

/// Whether there is a part of a web page in the text, more than a notice's own marks (`<br />`,
/// `<b>`, `<!-- -->`).
fn is_page(text: &[u8]) -> bool {
    const MARKS: [&[u8]; 11] = [
        b"<?xml",
        b"<!doctype",
        b"<html",
        b"<head",
        b"<body",
        b"<script",
        b"</script",
        b"<style",
        b"<meta",
        b"<title",
        b"<form",
    ];
    contains_any(text, &MARKS)
}

/// Whether PHP, or a cache that signs its work, has printed something there.
fn has_notice(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"notice", b"warning", b"deprecated", b"error", b"strict standards", b"<!--"];
    contains_any(text, &WORDS)
}

fn contains_any(text: &[u8], words: &[&[u8]]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.windows(word.len()).any(|part| part == *word))
}

fn describe(body: &[u8], error: &serde_json::Error) -> String {
    let start = body.trim_ascii_start();
    let head = start.get(..start.len().min(200)).unwrap_or_default().to_ascii_lowercase();
    if start.is_empty() {
        "an empty answer where JSON was expected".to_owned()
    } else if head.starts_with(b"<?xml") {
        "XML where JSON was expected".to_owned()
    } else if head.starts_with(b"<") {
        "a web page (HTML) where JSON was expected".to_owned()
    } else if error.is_eof() {
        format!("JSON that breaks off after {} bytes", body.len())
    } else {
        let (line, column) = (error.line(), error.column());
        match of_another_kind(start, error) {
            Some(other) => other,
            None if error.is_data() => {
                format!("JSON in which something is not as its documents promise (line {line}, column {column})")
            }
            None => format!("something that is not JSON (from line {line}, column {column} on)"),
        }
    }
}

/// What the whole of a body is, where another kind of JSON was expected. The error repeats what was
/// found and not expected, so only its last words are used, which are ours.
fn of_another_kind(json: &[u8], error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (_, expected) = text.rsplit_once(", expected ")?;
    let expected = match expected.split(' ').take(2).collect::<Vec<_>>().as_slice() {
        ["a", "sequence"] => "a list",
        ["a", "map"] | ["struct", _] => "an object",
        _ => return None,
    };
    let found = match json.first()? {
        b'[' => "a JSON list",
        b'{' => "a JSON object",
        b'"' => "a JSON text",
        b'n' => "null",
        _ => "a JSON value",
    };
    let is_whole = !found.ends_with(expected.trim_start_matches("an ").trim_start_matches("a "));
    is_whole.then(|| format!("{found} where {expected} was expected"))
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

    /// What stands in a page's scripts, an order's inner lists and the halves of an answer is not
    /// the answer.
    #[test]
    fn f4_nothing_but_the_answer_itself_is_taken_for_it() {
        for body in [
            "<!DOCTYPE html><script>window.dataLayer = window.dataLayer || [];</script>",
            "<html><script>\n[]\n</script></html>",
            "<html><script>\n[{\"id\":1}]\n</script></html>",
            "<p>back soon</p>\n[]\n",
            "[{\"id\":1,\"lines\":[{\"id\":2}]",
            "[\n{\"id\":1},\n{\"id\":2}\n",
            "[{\"id\":1},{\"id\":2,}]\n[{\"id\":3}]",
            "{\"id\":1}\n{\"id\":2}",
            "Notice: x\n[{\"id\":1}]\nNotice: y\n[{\"id\":2}]",
            "Notice: $row[0]",
            "Array\n(\n    [0] => []\n)\n",
        ] {
            assert!(read_json::<Value>(body.as_bytes()).is_err(), "{body}");
        }
        let empty: (Value, bool) = read_json(b"Notice: x in y.php on line 3\n[]").unwrap();
        assert_eq!(empty, (serde_json::json!([]), true));
    }

    #[test]
    fn f4_what_calls_itself_a_web_page_is_none_whatever_stands_in_it() {
        let reply = |kind: &str, body: &str| {
            let mut headers = reqwest::header::HeaderMap::new();
            headers.insert("content-type", kind.parse().unwrap());
            super::super::Reply { status: 200, headers, body: body.as_bytes().to_vec(), ..Default::default() }
        };
        for kind in ["text/html", "Text/HTML; charset=UTF-8", "application/xhtml+xml"] {
            assert!(check_json(&reply(kind, "[]")).is_err(), "{kind}");
        }
        assert!(check_json(&reply("application/json", "[]")).is_ok());
        assert!(check_json(&reply("text/plain", " [] ")).is_ok());
        assert!(check_json(&reply("application/json", "<html>[]</html>")).is_err());
        assert!(check_json(&reply("application/json", "")).is_err());
    }

    proptest::proptest! {
        /// Whatever is printed before and after, what is read is the answer or nothing.
        #[test]
        fn f4_text_around_an_answer_never_makes_another_of_it(
            before in "([ -~\\n]{0,60}|(<b>Notice</b>: \\$row\\[0\\] = \\[\\]\n){0,3})",
            after in "[ -~\\n\\[\\]{}\"]{0,60}",
            ids in proptest::collection::vec(0u32..1000, 0..4),
        ) {
            let answer = Value::Array(ids.iter().map(|id| serde_json::json!({ "id": id })).collect());
            let body = format!("{before}\n{answer}{after}");
            match read_json::<Value>(body.as_bytes()) {
                Ok((read, _)) => proptest::prop_assert_eq!(read, answer),
                Err(error) => proptest::prop_assert_eq!(error.kind(), ErrorKind::Unreadable),
            }
        }

        /// An answer that breaks off anywhere is never read.
        #[test]
        fn f4_no_part_of_an_answer_is_taken_for_the_whole(ids in proptest::collection::vec(0u32..1000, 1..6), cut in 0.0f64..1.0) {
            let rows: Vec<Value> = ids.iter().map(|id| serde_json::json!({ "id": id, "lines": [{ "id": 7 }], "meta": [] })).collect();
            for whole in [serde_json::to_string(&rows).unwrap(), serde_json::to_string_pretty(&rows).unwrap()] {
                let at = ((whole.len() - 1) as f64 * cut) as usize;
                proptest::prop_assert!(read_json::<Value>(&whole.as_bytes()[..at]).is_err());
            }
        }
    }

    #[test]
    fn f4_an_unusable_body_is_named_by_kind_and_never_repeated() {
        let text = |body: &[u8]| read_json::<Value>(body).unwrap_err().to_string();
        assert_eq!(text(b""), "an empty answer where JSON was expected");
        assert_eq!(text(b"  <!DOCTYPE html><p>Ann Example"), "a web page (HTML) where JSON was expected");
        assert!(text(b"{\"id\":7,\"name\":\"Ann").starts_with("JSON that breaks off"));
    }
}
