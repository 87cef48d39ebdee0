//! The pieces of request signing that channels share: percent-encoding by RFC 3986, HMAC in base64,
//! nonces.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986, which is what OAuth 1.0a signs (RFC 5849,
/// 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes `text` as OAuth 1.0a wants it.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// HMAC-SHA1 of `message` in base64.
#[cfg(test)]
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> String {
    finish(Hmac::<sha1::Sha1>::new_from_slice(key), message)
}

/// HMAC-SHA256 of `message` in base64.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    finish(Hmac::<sha2::Sha256>::new_from_slice(key), message)
}

fn finish<M: Mac>(mac: Result<M, hmac::digest::InvalidLength>, message: &[u8]) -> String {
    // HMAC takes keys of any length, so the error arm is never reached.
    let Ok(mut mac) = mac else { return String::new() };
    mac.update(message);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// 32 random hexadecimal characters, for a nonce or a key that must not repeat.
pub(crate) fn nonce() -> crate::error::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        crate::error::Error::new(
            crate::error::ErrorKind::Failed,
            "the system gives no random numbers; nothing was sent",
        )
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_leaves_only_the_unreserved_characters() {
        assert_eq!(encode("Ladies + Gentlemen ~-._%"), "Ladies%20%2B%20Gentlemen%20~-._%25");
        assert_eq!(encode("ü"), "%C3%BC");
    }

    #[test]
    fn the_signature_is_that_of_rfc_4231_case_2() {
        assert_eq!(
            hmac_sha256(b"Jefe", b"what do ya want for nothing?"),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }
}
