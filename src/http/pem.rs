//! Keys as texts: PEM (RFC 7468) as vendors hand it out, not always with its lines.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// No key that is handed out is longer.
const LONGEST: usize = 16 * 1024;

/// The bytes in a text: between the two lines of this label, or base64 alone. White space matters
/// nowhere. Nothing where it is something else.
pub(crate) fn der(text: &str, label: &str) -> Option<Vec<u8>> {
    let text = Some(text.trim()).filter(|text| text.len() <= LONGEST)?;
    let inner = match text.strip_prefix("-----BEGIN ") {
        Some(rest) => {
            let end = format!("-----END {label}-----");
            rest.strip_prefix(label)?.strip_prefix("-----")?.strip_suffix(&end)?
        }
        None => text,
    };
    let base64: String = inner.split_ascii_whitespace().collect();
    STANDARD.decode(base64).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_with_and_without_its_lines() {
        let whole = "-----BEGIN PUBLIC KEY-----AQID-----END PUBLIC KEY-----";
        let lines = "\n-----BEGIN PUBLIC KEY-----\r\nAQ\nID\r\n-----END PUBLIC KEY-----\r\n";
        for text in [whole, lines, "AQID", " AQ ID "] {
            assert_eq!(der(text, "PUBLIC KEY").as_deref(), Some(&[1, 2, 3][..]), "{text}");
        }
        let long = "A".repeat(LONGEST + 4);
        let cut = &whole[..40];
        let other = "-----BEGIN PRIVATE KEY-----AQID-----END PRIVATE KEY-----";
        let mixed = "-----BEGIN PUBLIC KEY-----AQID-----END PRIVATE KEY-----";
        for text in ["", "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----", other, mixed, cut, "AQI", "ä", &long] {
            assert_eq!(der(text, "PUBLIC KEY"), None, "{text}");
        }
    }
}
