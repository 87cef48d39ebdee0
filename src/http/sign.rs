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

/// HMAC-SHA256 of `message` in hexadecimal digits.
pub(crate) fn hmac_sha256_in_hex(key: &[u8], message: &[u8]) -> String {
    // HMAC takes keys of any length, so the error arm is never reached.
    let Ok(mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return String::new() };
    let code = mac.chain_update(message).finalize().into_bytes();
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `base64` is the HMAC-SHA256 of the parts of `message` one after the other; takes as long
/// whatever is wrong with it. With an empty key nothing is.
pub(crate) fn is_hmac_sha256(key: &[u8], message: &[&[u8]], base64: &str) -> bool {
    base64::engine::general_purpose::STANDARD.decode(base64).is_ok_and(|signature| proves(key, message, &signature))
}

/// The same of a signature in hexadecimal digits.
pub(crate) fn is_hmac_sha256_in_hex(key: &[u8], message: &[&[u8]], hex: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    // No code is as long as to be worth more work.
    let signature: Option<Vec<u8>> = hex.as_bytes().chunks(2).take(33).map(byte).collect();
    signature.is_some_and(|signature| proves(key, message, &signature))
}

fn proves(key: &[u8], message: &[&[u8]], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return false };
    message.iter().for_each(|part| mac.update(part));
    !key.is_empty() && mac.verify_slice(signature).is_ok()
}

/// Whether two texts are the same; takes as long whatever is different. Empty ones are not.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    // By their codes under a key that does not matter: these are of one length, and are compared so.
    let code = Hmac::<sha2::Sha256>::new_from_slice(b"same").map(|mac| mac.chain_update(one).finalize());
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"same").map(|mac| mac.chain_update(other));
    let (Ok(code), Ok(mac)) = (code, mac) else { return false };
    !one.is_empty() && mac.verify(&code.into_bytes()).is_ok()
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
    fn a_signature_is_held_against_every_byte_of_the_message_and_an_empty_key_signs_nothing() {
        let signature = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        let is_it =
            |key: &str, text: &str, signature: &str| is_hmac_sha256(key.as_bytes(), &[text.as_bytes()], signature);
        assert!(is_hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"], signature));
        assert!(!is_it("Jefe", "what do ya want for nothing? ", signature));
        assert!(!is_it("Jefe2", "what do ya want for nothing?", signature));
        for odd in ["", "W9zB", "not base64!", &signature[..43], &format!("{signature}\n")] {
            assert!(!is_it("Jefe", "what do ya want for nothing?", odd), "{odd}");
        }
        assert!(!is_it("", "x", &hmac_sha256(b"", b"x")));
        assert!(is_same(b"abc", b"abc") && !is_same(b"abc", b"abd") && !is_same(b"abc", b"ab") && !is_same(b"", b""));
    }

    #[test]
    fn the_signature_is_that_of_rfc_4231_case_2() {
        assert_eq!(
            hmac_sha256(b"Jefe", b"what do ya want for nothing?"),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }
}
