//! Signatures of vendors that sign with keys of their own: ECDSA on the curve P-256.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use sha1::{Digest, Sha1};

use super::pem;

/// Whether `signature`, DER in base64, is that of `message` over SHA-1 by the key of which `key` is
/// the public half, as PEM with or without its lines. With what is no key of this curve nothing is.
///
/// SHA-1 is what the vendor signs over. Two texts with one hash can be made; one that goes with the
/// hash of what the vendor has signed cannot.
pub(crate) fn is_p256_sha1(key: &str, message: &[u8], signature: &str) -> bool {
    let key = pem::der(key, "PUBLIC KEY").and_then(|der| VerifyingKey::from_public_key_der(&der).ok());
    let signature = STANDARD.decode(signature).ok().and_then(|der| Signature::from_der(&der).ok());
    let (Some(key), Some(signature)) = (key, signature) else { return false };
    key.verify_prehash(&Sha1::digest(message), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// As `test/test.json` of eBay/event-notification-nodejs-sdk has it (Apache-2.0): what was sent,
    /// the key without lines, and the signature.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYO\
        yf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----";
    const MESSAGE: &str = concat!(
        r#"{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"#,
        r#""notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-"#,
        r#"791923bd9a6d","eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","#,
        r#""publishAttemptCount":1,"data":{"username":"test_user","userId":"ma8vp1jySJC","#,
        r#""eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}"#,
    );
    const SIGNATURE: &str =
        "MEYCIQCfxfIWuxmWcIBQJ9c5/X7iGDJqs2RCGsBEaAjinyrrfAIhAIV6wGcTiBuV5KJUif2hokyrL+Q9ssHkad+mx2nEE25w";

    #[test]
    fn a_signature_is_ebay_s_published_one() {
        assert!(is_p256_sha1(KEY, MESSAGE.as_bytes(), SIGNATURE));
        let lines = KEY.replace("KEY-----MFk", "KEY-----\nMFk").replace("==-----", "==\n-----");
        assert!(is_p256_sha1(&lines, MESSAGE.as_bytes(), SIGNATURE));
        // Of another body, of another key, and the published one that does not match.
        let mismatch =
            "MEUCIQCGcSNmAkTfr+ZZ2Vg0bWEos8a/teBqi7Pe68+hGmLMCQIgeFvkrto+8ds8RVwI3Ggn1mMGCrNMEZJ3SRlO2fx/xrQ=";
        assert!(!is_p256_sha1(KEY, MESSAGE.replace("test_user", "test_uses").as_bytes(), SIGNATURE));
        assert!(!is_p256_sha1(KEY, format!("{MESSAGE}\n").as_bytes(), SIGNATURE));
        assert!(!is_p256_sha1(KEY, MESSAGE.as_bytes(), mismatch));
        assert!(!is_p256_sha1(KEY, b"", SIGNATURE));
    }

    #[test]
    fn what_is_no_signature_or_no_key_proves_nothing() {
        // r and s that are nothing, one that is cut off, one with something behind it.
        let zeros = STANDARD.encode([0x30, 6, 2, 1, 0, 2, 1, 0]);
        let more = STANDARD.encode([STANDARD.decode(SIGNATURE).unwrap(), vec![0]].concat());
        for odd in ["", "no base64!", &SIGNATURE[..92], &zeros, &more, &"A".repeat(4096)] {
            assert!(!is_p256_sha1(KEY, MESSAGE.as_bytes(), odd), "{odd}");
        }
        // Ed25519, a point that is not on the curve, cut off, a private key's label.
        let ed25519 = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
        let astray = KEY.replace("hhxXKtR", "hhxXKtS");
        for odd in ["", "x", ed25519, &astray, &KEY[..100], &KEY.replace("PUBLIC", "PRIVATE")] {
            assert!(!is_p256_sha1(odd, MESSAGE.as_bytes(), SIGNATURE), "{odd}");
        }
    }

    #[test]
    fn what_openssl_signs_is_found_to_be_signed() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let openssl = |arguments: &[&str]| Command::new("openssl").args(arguments).output();
        let [private, public, signature, text] = ["key.pem", "public.pem", "signature", "text"].map(path);
        let curve = "ec_paramgen_curve:prime256v1";
        if openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &private]).is_err() {
            eprintln!("there is no openssl here: nothing was held against it");
            return;
        }
        assert!(openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]).unwrap().status.success());
        let key = std::fs::read_to_string(&public).unwrap();
        for message in [&b""[..], b"{\"a\":1}", &[0xff; 3000]] {
            std::fs::write(&text, message).unwrap();
            for (digest, is_it) in [("-sha1", true), ("-sha256", false)] {
                let made = openssl(&["dgst", digest, "-sign", &private, "-out", &signature, &text]).unwrap();
                assert!(made.status.success(), "{digest}");
                let signature = STANDARD.encode(std::fs::read(&signature).unwrap());
                assert_eq!(is_p256_sha1(&key.replace('\n', ""), message, &signature), is_it, "{digest}");
            }
        }
    }
}
