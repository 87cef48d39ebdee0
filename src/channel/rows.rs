//! The rows of a list, each on its own: what is wrong with one of them costs one of them (I-4).
//!
//! A list is cut into its rows by its brackets and quotes alone; no number is read and no text is
//! checked. A row that is no JSON, or no UTF-8, is kept as a JSON text of what came, and its id is
//! looked for in the text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::http::Reply;

/// The rows of a body that is a list, and whether something had to be cut away around it.
///
/// # Errors
/// Those of [`Reply::json`], where the body is not even a list by its brackets.
pub(crate) fn rows(reply: &Reply) -> Result<(Vec<Cow<'_, RawValue>>, bool)> {
    match reply.json::<Vec<&RawValue>>() {
        Ok((rows, cut)) => Ok((rows.into_iter().map(Cow::Borrowed).collect(), cut)),
        Err(error) => split(&reply.body).map(|rows| (rows.into_iter().map(row).collect(), false)).ok_or(error),
    }
}

/// A list that is a member of a body, beside the number of all its rows.
pub(crate) struct Listed<'r> {
    /// The rows; none where the member is null.
    pub(crate) rows: Vec<Cow<'r, RawValue>>,
    /// What stands under the name of the count, where it is a plain text or number.
    pub(crate) total: Option<String>,
    /// Something had to be cut away around the body.
    pub(crate) cut: bool,
}

/// The rows under `member` in a body that is an object, and the count under `total`.
///
/// # Errors
/// Those of [`Reply::json`], where there is no list by its brackets.
pub(crate) fn member<'r>(reply: &'r Reply, member: &str, total: &str) -> Result<Listed<'r>> {
    let (members, cut) = match reply.json::<BTreeMap<Cow<'_, str>, &RawValue>>() {
        Ok(read) => read,
        Err(error) => {
            let rows = list_of(&reply.body, member).and_then(split).ok_or(error)?;
            let total = dug(&row(&reply.body), total);
            return Ok(Listed { rows: rows.into_iter().map(row).collect(), total, cut: false });
        }
    };
    let rows = match members.get(member).map(|list| list.get()) {
        Some("null") => Vec::new(),
        Some(list) => serde_json::from_str::<Vec<&RawValue>>(list)
            .map_err(|_| reply.unusable(format!("JSON in which {member} is no list")))?,
        None if members.contains_key(total) => Vec::new(),
        None => return Err(reply.unusable(format!("JSON without {member}"))),
    };
    let total = members.get(total).and_then(|total| plain(total.get()));
    Ok(Listed { rows: rows.into_iter().map(Cow::Borrowed).collect(), total, cut })
}

/// The list under a member of an object, by its brackets.
fn list_of<'b>(body: &'b [u8], member: &str) -> Option<&'b [u8]> {
    let (mut depth, mut scan, mut from, mut opened) = (0_u32, Scan::default(), 0, None);
    for (at, byte) in body.iter().enumerate() {
        let was_open = scan.open;
        if scan.in_text(*byte) {
            from = if was_open { from } else { at + 1 };
            let is_named = !scan.open && depth == 1 && body.get(from..at) == Some(member.as_bytes());
            let rest = body.get(at + 1..).filter(|_| is_named && opened.is_none());
            let value = rest.and_then(|rest| rest.trim_ascii_start().strip_prefix(b":")).map(<[u8]>::trim_ascii_start);
            opened =
                opened.or_else(|| value.filter(|value| value.starts_with(b"[")).map(|value| body.len() - value.len()));
            continue;
        }
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if let Some(start) = opened.filter(|start| depth == 1 && *byte == b']' && at > *start) {
            return body.get(start..=at);
        }
    }
    None
}

/// A body that is one row.
///
/// # Errors
/// Those of [`Reply::json`], where the body is not even an object by its brackets.
pub(crate) fn single(reply: &Reply) -> Result<Cow<'_, RawValue>> {
    single_with(reply, "id")
}

/// The same where the row's id has this name.
///
/// # Errors
/// The same.
pub(crate) fn single_with<'r>(reply: &'r Reply, id: &str) -> Result<Cow<'r, RawValue>> {
    let found = match reply.json::<&RawValue>() {
        Ok((row, _)) => Cow::Borrowed(row),
        Err(error) => {
            let body = reply.body.trim_ascii();
            if body.starts_with(b"{") && body.ends_with(b"}") { row(body) } else { return Err(error) }
        }
    };
    // Taken for an order that cannot be read, it would stand in the inbox for good.
    if dug(&found, id).is_none() {
        return Err(reply.unusable("JSON in which there is no order"));
    }
    Ok(found)
}

/// A row as JSON: itself where it is, else a text that holds it.
fn row(bytes: &[u8]) -> Cow<'_, RawValue> {
    if let Some(row) = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str::<&RawValue>(text).ok()) {
        return Cow::Borrowed(row);
    }
    // A text can always be written down.
    let text = serde_json::value::to_raw_value(&String::from_utf8_lossy(bytes));
    Cow::Owned(text.unwrap_or_else(|_| RawValue::NULL.to_owned()))
}

/// Why a row is kept as a text of what came; `None` for one that is JSON.
pub(crate) fn broken(row: &RawValue) -> Option<&'static str> {
    let why = || match row.get().contains(char::REPLACEMENT_CHARACTER) {
        true => "it holds bytes that are no text (UTF-8)",
        false => "it is not JSON",
    };
    row.get().starts_with('"').then(why)
}

/// What came as a row.
pub(crate) fn text(row: &RawValue) -> Cow<'_, str> {
    serde_json::from_str::<String>(row.get()).map_or(Cow::Borrowed(row.get()), Cow::Owned)
}

/// Cuts a list into its rows; `None` where the body is no list, or does not end where it should.
fn split(body: &[u8]) -> Option<Vec<&[u8]>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let inner = body.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let (mut rows, mut from, mut depth, mut scan) = (Vec::new(), 0, 0_u32, Scan::default());
    for (at, byte) in inner.iter().enumerate() {
        if scan.in_text(*byte) {
            continue;
        }
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                rows.push(inner.get(from..at)?.trim_ascii());
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = inner.get(from..)?.trim_ascii();
    if depth > 0 || scan.open || rows.iter().any(|row| row.is_empty()) {
        return None;
    }
    rows.extend((!last.is_empty()).then_some(last));
    // Rows of orders are objects: anything else is another kind of answer.
    rows.iter().all(|row| row.starts_with(b"{") && row.ends_with(b"}")).then_some(rows)
}

/// Where texts begin and end.
#[derive(Default)]
struct Scan {
    open: bool,
    escaped: bool,
}

impl Scan {
    /// Whether the byte belongs to a text, its quotes included.
    fn in_text(&mut self, byte: u8) -> bool {
        if !self.open {
            self.open = byte == b'"';
            return self.open;
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.open = false,
            _ => {}
        }
        true
    }
}

/// The value of a member of a row that could not be read as a whole: the last of that name, as all
/// who read JSON take it, where it is a plain text or number.
pub(crate) fn dug(row: &RawValue, name: &str) -> Option<String> {
    let text = text(row);
    let text = text.trim();
    let (bytes, mut depth, mut scan, mut from) = (text.as_bytes(), 0_u32, Scan::default(), 0);
    let mut found = None;
    for (at, byte) in bytes.iter().enumerate() {
        let was_open = scan.open;
        if scan.in_text(*byte) {
            if !was_open {
                from = at + 1;
            }
            if !scan.open && depth == 1 && text.get(from..at) == Some(name) {
                let rest = text.get(at + 1..)?.trim_start();
                if let Some(value) = rest.strip_prefix(':') {
                    found = plain(value.trim_start());
                }
            }
            continue;
        }
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    found
}

/// A text without escapes, or a number's digits, at the beginning of `rest`.
fn plain(rest: &str) -> Option<String> {
    let value = match rest.strip_prefix('"') {
        Some(text) => text.split_once('"')?.0,
        None => rest.split(|c: char| matches!(c, ',' | '}') || c.is_whitespace()).next()?,
    };
    let sound = !value.is_empty()
        && value.len() <= 64
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "/:_-".contains(c));
    (sound && value != "null").then(|| value.to_owned())
}

/// What the name of an order without an id begins with.
pub(crate) const NAMELESS: &str = "unreadable-";

/// A name for an order without an id, the same each time it comes.
pub(crate) fn nameless(document: &str) -> String {
    let hash = Sha256::digest(document.as_bytes());
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{NAMELESS}{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(body: &[u8]) -> Reply {
        Reply { body: body.to_vec(), ..Reply::default() }
    }

    fn ids(body: &[u8]) -> Vec<Option<String>> {
        rows(&reply(body)).unwrap().0.iter().map(|row| dug(row, "id")).collect()
    }

    #[test]
    fn i4_a_row_that_is_no_json_costs_one_row_and_keeps_its_id() {
        for broken in [
            &br#"{"id":8,"name":"M\xff"}"#[..],
            b"{\"id\":8,\"name\":\"M\xc3\x28\"}",
            br#"{"id":8,"total":01}"#,
            br#"{"id":8,"total":NaN}"#,
            br#"{"id":8,"total":1e999}"#,
            br#"{"id":8,"id":8}"#,
            b"{\"lines\":[{\"id\":5}],\"id\":\"8\",\"note\":\"a\nb [ } \\\" ,\"}",
        ] {
            let body = [&br#"[{"id":7,"x":[1,{"y":"]"}]}, "#[..], broken, br#",{"id":"9"}]"#].concat();
            let found: Vec<String> = ids(&body).into_iter().flatten().collect();
            assert_eq!(found, ["7", "8", "9"], "{}", String::from_utf8_lossy(broken));
        }
    }

    #[test]
    fn i4_the_rows_of_a_list_within_an_answer_are_read_each_by_itself_and_null_is_none() {
        let read = |body: &str| {
            let reply = reply(body.as_bytes());
            let listed = member(&reply, "items", "total_count").ok()?;
            Some((
                listed.rows.iter().map(|row| dug(row, "id").unwrap_or_default()).collect::<Vec<_>>().join(","),
                listed.total,
            ))
        };
        let some = |ids: &str, total: &str| Some((ids.to_owned(), Some(total.to_owned())));
        assert_eq!(read(r#"{"items":[{"id":7},{"id":8}],"total_count":9}"#), some("7,8", "9"));
        assert_eq!(read(r#"{"items":null,"total_count":9}"#), some("", "9"));
        assert_eq!(read(r#"{"total_count":0}"#), some("", "0"));
        let broken = r#"{"x":{"items":[{"id":1}]},"items":[{"id":7,"a":["]"]},{"id":8,"n":01}], "total_count":9}"#;
        assert_eq!(read(broken), some("7,8", "9"));
        for none in ["[]", "{}", r#"{"items":{"id":7}}"#, r#"{"items":[{"id":7,"n":01}"#, r#"{"items":"[]","n":01}"#] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn f4_what_is_no_list_of_objects_stays_an_error() {
        for body in ["", "{}", "[{]", "[{},,{}]", "[{\"a\":\"}]", "<html>[]", "[1,2 x]", "[{\"id\":1},{\"id\":2"] {
            assert!(rows(&reply(body.as_bytes())).is_err(), "{body}");
        }
        assert!(rows(&reply(b"[]")).unwrap().0.is_empty());
    }

    #[test]
    fn an_id_is_taken_only_where_it_is_one() {
        let dig = |text: &str| dug(&RawValue::from_string(text.to_owned()).unwrap(), "id");
        assert_eq!(dig(r#"{"a":{"id":1},"id" : 12 }"#).as_deref(), Some("12"));
        assert_eq!(dig(r#"{"id":"gid://shopify/Order/7"}"#).as_deref(), Some("gid://shopify/Order/7"));
        for none in [r#"{"id":{"x":1}}"#, r#"{"id":null}"#, r#"{"x":"id"}"#, r#"{"id":""}"#, r#"[{"id":1}]"#, "null"] {
            assert_eq!(dig(none), None, "{none}");
        }
    }
}
