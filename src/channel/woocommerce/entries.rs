//! The entries of a list, each by itself: one that is broken costs one order, and its id is found all the same.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::wire::{Head, Text};
use crate::error::Result;
use crate::http::read_json;

/// An entry of a list.
#[derive(Debug)]
pub enum Entry<'a> {
    /// JSON.
    Whole(&'a RawValue),
    /// Not JSON: its text, with what cannot be text replaced, and what is wrong with it.
    Broken(String, &'static str),
}

/// The entries of a list, and whether notices around it were cut away.
pub fn entries(body: &[u8]) -> Result<(Vec<Entry<'_>>, bool)> {
    match read_json::<Vec<&RawValue>>(body) {
        Ok((documents, cut)) => Ok((documents.into_iter().map(Entry::Whole).collect(), cut)),
        Err(error) => split(body).map(|entries| (entries, false)).ok_or(error),
    }
}

/// The entries of a list of objects that is whole but for what stands within them.
fn split(body: &[u8]) -> Option<Vec<Entry<'_>>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let inner = body.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let parts = parts(inner)?;
    parts.into_iter().map(<[u8]>::trim_ascii).map(|part| part.starts_with(b"{").then(|| entry(part))).collect()
}

fn entry(part: &[u8]) -> Entry<'_> {
    match std::str::from_utf8(part) {
        Err(_) => Entry::Broken(String::from_utf8_lossy(part).into_owned(), "it holds bytes that are no text (UTF-8)"),
        Ok(text) => match serde_json::from_str(text) {
            Ok(document) => Entry::Whole(document),
            Err(_) => Entry::Broken(text.to_owned(), "it is not JSON"),
        },
    }
}

/// What stands between the commas of a list or an object; `None` where its brackets do not close.
fn parts(inner: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut parts, mut start, mut depth, mut text, mut escaped) = (Vec::new(), 0, 0_i32, false, false);
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            _ if text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(inner.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    parts.push(inner.get(start..)?);
    (depth == 0 && !text).then_some(parts)
}

/// What places an order in a list, out of a document that cannot be read as one: member by member, the last of equal ones.
pub fn dug(document: &str) -> Head<'static> {
    let mut head = Head::default();
    let inner = document.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut linked = None;
    for part in parts(inner.as_bytes()).unwrap_or_default() {
        let Some((name, value)) = std::str::from_utf8(part).ok().and_then(|part| part.split_once(':')) else {
            continue;
        };
        let value = value.trim();
        let text = || Text(Cow::Owned(value.trim_matches('"').to_owned()));
        match name.trim().trim_matches('"') {
            "id" => head.id = text(),
            "status" => head.status = text(),
            "date_created_gmt" => head.date_created_gmt = text(),
            "date_modified_gmt" => head.date_modified_gmt = text(),
            "parent_id" => head.parent_id = text(),
            "_links" => linked = own_id(value),
            _ => {}
        }
    }
    let is_id = head.id.get().bytes().all(|byte| byte.is_ascii_digit()) && head.id.id().is_some();
    if let Some(id) = linked.filter(|_| !is_id) {
        head.id = Text(Cow::Owned(id));
    }
    head
}

/// The id in the address that an order has for itself.
fn own_id(links: &str) -> Option<String> {
    let (_, rest) = links.split_once("\"self\"")?;
    let rest = rest.replace("\\/", "/");
    let (_, rest) = rest.split_once("/orders/")?;
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_an_entry_that_is_broken_leaves_the_others_whole_and_has_its_id() {
        for broken in [
            &b"{\"id\":7,\"name\":\"J\xffrg, \\\"x\\\" ]\",\"date_modified_gmt\":\"2026-11-23T07:00:50\"}"[..],
            b"{\"id\":7,\"n\":NaN,\"l\":[{\"id\":9}],\"date_modified_gmt\":\"2026-11-23T07:00:50\"}",
        ] {
            let body = [&b" [{\"id\":6},"[..], broken, b",{\"id\":8}]\n"].concat();
            let (entries, _) = entries(&body).unwrap();
            let [Entry::Whole(one), Entry::Broken(text, _), Entry::Whole(two)] = &entries[..] else {
                panic!("{entries:?}")
            };
            assert_eq!((one.get(), two.get()), (r#"{"id":6}"#, r#"{"id":8}"#));
            let head = dug(text);
            assert_eq!((head.id.get(), head.date_modified_gmt.get()), ("7", "2026-11-23T07:00:50"));
        }
        for body in [&b"[{\"id\":6},{\"id\":NaN"[..], b"[1,NaN]", b"[{\"id\":NaN}]]", b"no list"] {
            entries(body).unwrap_err();
        }
    }

    #[test]
    fn i4_an_id_is_found_where_it_stands_twice_or_is_none() {
        assert_eq!(dug(r#"{"id":7,"id":8,"meta":{"id":9}}"#).id.get(), "8");
        let links =
            r#"{"id":"abc","_links":{"self":[{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders\/102"}]}}"#;
        assert_eq!(dug(links).id.get(), "102");
        assert_eq!(dug("{").id.get(), "");
    }
}
