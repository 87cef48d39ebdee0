//! Requests signed as RFC 9421 has it, with Ed25519 (RFC 8032) and one signature: what of a request
//! is signed stands beside the signature, and the body is signed by its digest (RFC 9530).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderName, HeaderValue};
use ring::signature::Ed25519KeyPair;
use sha2::{Digest, Sha256};

use super::{Request, pem};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::{Secret, Secrets};

/// The name of the signature, where there is one only.
const LABEL: &str = "sig1";

const CONTENT_DIGEST: &str = "content-digest";

/// What of a request is no header, and is always signed: nobody can send it elsewhere.
const DERIVED: [&str; 3] = ["@method", "@path", "@authority"];

/// Where it stands among the secrets of a store when its key ends, where the channel ends it.
pub(crate) const KEY_ENDS_AT: &str = "signing_key_ends_at";

/// When the key of a store ends, where it has one that does.
pub(crate) fn key_ends_at(secrets: &Secrets) -> Option<Timestamp> {
    secrets.get(KEY_ENDS_AT)?.reveal().parse().ok()
}

/// A private key of Ed25519.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key in a text: PKCS #8, as PEM with or without its lines, or as base64 alone. Nothing
    /// where there is no such key in it, one of RSA for instance.
    pub(crate) fn read(text: &Secret) -> Option<Self> {
        let der = pem::der(text.reveal(), "PRIVATE KEY")?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok().map(Self)
    }
}

/// Signs a request: its method, path, host and port, these of its `headers`, and its body where it
/// has one. `headers` are in lower case; the order is that of the signature. Whatever stood in the
/// places of digest and signature is replaced, so that each attempt can be signed anew.
///
/// # Errors
/// `Failed` where one of the headers is not there or is no ASCII text: nothing else can be signed
/// in its place.
pub(crate) fn sign(request: &mut Request, key: &SigningKey, headers: &[&str], now: Timestamp) -> Result<()> {
    request.headers.remove(CONTENT_DIGEST);
    let mut names = Vec::new();
    if let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) {
        let digest = content_digest(body);
        put(request, CONTENT_DIGEST, &digest)?;
        names.push(CONTENT_DIGEST);
    }
    names.extend(headers.iter().copied().chain(DERIVED));
    let parameters = format!(";created={}", now.timestamp());
    let Signed { input, signature } = signed(request, key, &names, &parameters)?;
    put(request, "signature-input", &format!("{LABEL}={input}"))?;
    put(request, "signature", &format!("{LABEL}=:{signature}:"))
}

/// The digest of a body as its header has it.
fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

fn put(request: &mut Request, name: &'static str, value: &str) -> Result<()> {
    let value = HeaderValue::from_str(value).map_err(|_| unsigned(name))?;
    request.headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

/// What was signed, and the signature in base64.
struct Signed {
    input: String,
    signature: String,
}

fn signed(request: &Request, key: &SigningKey, names: &[&str], parameters: &str) -> Result<Signed> {
    let (base, input) = base(request, names, parameters)?;
    Ok(Signed { input, signature: STANDARD.encode(key.0.sign(base.as_bytes())) })
}

/// The text that is signed (RFC 9421, 2.5), and the names in it with the parameters.
fn base(request: &Request, names: &[&str], parameters: &str) -> Result<(String, String)> {
    let mut base = String::new();
    for name in names {
        let value = component(request, name).ok_or_else(|| unsigned(name))?;
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let input = format!("({}){parameters}", quoted.join(" "));
    base.push_str(&format!("\"@signature-params\": {input}"));
    Ok((base, input))
}

/// A part of a request as it is signed; nothing where there is none.
fn component(request: &Request, name: &str) -> Option<String> {
    match name {
        "@method" => Some(request.method.as_str().to_owned()),
        "@path" => Some(request.url.path().to_owned()),
        // A port that goes without saying is in neither.
        "@authority" => {
            let host = request.url.host_str()?.to_ascii_lowercase();
            Some(request.url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
        }
        _ => {
            let values = request.headers.get_all(name).iter().map(|value| value.to_str().map(str::trim));
            let values = values.collect::<std::result::Result<Vec<_>, _>>().ok()?;
            (!values.is_empty()).then(|| values.join(", "))
        }
    }
}

fn unsigned(name: &str) -> Error {
    let text = format!("a request cannot be signed: there is no {name:?} in it that can be sent; nothing was sent");
    Error::new(ErrorKind::Failed, text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use reqwest::Method;
    use url::Url;

    use super::*;
    use crate::clock::from_millis;
    use crate::http::Effect;

    /// `test-key-ed25519` of RFC 9421, B.1.4; eBay's examples are signed with the same.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n\
        -----END PUBLIC KEY-----\n";

    fn key() -> SigningKey {
        SigningKey::read(&Secret::new(KEY)).unwrap()
    }

    fn request(method: Method, url: &str, headers: &[(&'static str, &str)], body: &str) -> Request {
        let mut request = Request::get(Url::parse(url).unwrap());
        request.method = method;
        request.effect = Effect::Write;
        request.body = Some(body.as_bytes().to_vec()).filter(|body| !body.is_empty());
        for (name, value) in headers {
            request.headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        request
    }

    fn header<'a>(request: &'a Request, name: &str) -> &'a str {
        request.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn a_request_is_signed_as_in_rfc_9421() {
        let headers = [
            ("host", "example.com"),
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        let request =
            request(Method::POST, "https://example.com/foo?param=Value&Pet=dog", &headers, r#"{"hello": "world"}"#);
        let names = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
        let parameters = r#";created=1618884473;keyid="test-key-ed25519""#;
        let (base, input) = base(&request, &names, parameters).unwrap();
        assert_eq!(
            base,
            r#""date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#
        );
        let signed = signed(&request, &key(), &names, parameters).unwrap();
        assert_eq!(signed.input, input);
        assert_eq!(
            signed.signature,
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
        );
    }

    /// The example in the README of eBay/digital-signature-verification-ebay-api, with its JWE.
    const JWE: &str = "eyJ6aXAiOiJERUYiLCJlbmMiOiJBMjU2R0NNIiwidGFnIjoiSXh2dVRMb0FLS0hlS0Zoa3BxQ05CUSIsImFsZyI6IkEyNT\
        ZHQ01LVyIsIml2IjoiaFd3YjNoczk2QzEyOTNucCJ9.2o02pR9SoTF4g_5qRXZm6tF4H52TarilIAKxoVUqjd8.3qaF0KJN-rFHHm_P.AMUAe9\
        PPduew09mANIZ-O_68CCuv6EIx096rm9WyLZnYz5N1WFDQ3jP0RBkbaOtQZHImMSPXIHVaB96RWshLuJsUgCKmTAwkPVCZv3zhLxZVxMXtPUuJ\
        -ppVmPIv0NzznWCOU5Kvb9Xux7ZtnlvLXgwOFEix-BaWNomUAazbsrUCbrp514GIea3butbyxXLNi6R9TJUNh8V2uan-optT1MMyS7eMQnVGL5r\
        YBULk.9K5ucUqAu0DqkkhgubsHHw";

    #[test]
    fn a_request_is_signed_as_ebay_publishes_it() {
        let mut request = request(
            Method::POST,
            "http://localhost:8080/verifysignature",
            &[("x-ebay-signature-key", JWE), ("content-digest", "of another attempt")],
            r#"{"hello": "world"}"#,
        );
        let at = from_millis(1_658_440_308_999);
        sign(&mut request, &key(), &["x-ebay-signature-key"], at).unwrap();
        assert_eq!(header(&request, "content-digest"), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
        assert_eq!(
            header(&request, "signature-input"),
            r#"sig1=("content-digest" "x-ebay-signature-key" "@method" "@path" "@authority");created=1658440308"#
        );
        let published =
            "sig1=:ZMUpAejnqrt6POSx02ltx3cT9YODV2r+Cem/BKOagDSfztKOtCsjP/MxZqmY+FVJ3/8E4BL76T9Fjty8oJnsAw==:";
        assert_eq!(header(&request, "signature"), published);

        // Without a body there is no digest, and none of an attempt before.
        request.body = None;
        sign(&mut request, &key(), &["x-ebay-signature-key"], at).unwrap();
        assert_eq!(header(&request, "content-digest"), "");
        assert_eq!(
            header(&request, "signature-input"),
            r#"sig1=("x-ebay-signature-key" "@method" "@path" "@authority");created=1658440308"#
        );
        assert_ne!(header(&request, "signature"), published);
    }

    /// Made anew from the RFC's words with another program's cryptography (`crypto.sign` of Node.js 20).
    #[test]
    fn a_request_is_signed_as_another_hand_signs_it() {
        let cancellation = "https://api.ebay.com/post-order/v2/cancellation";
        let body = r#"{"legacyOrderId":"12-12345-12345","cancelReason":"BUYER_ASKED_CANCEL"}"#;
        let cases = [
            (
                cancellation.to_owned(),
                body,
                "gLoGbVDp2BvZarLM7B2Xt2FT6GGxrHrnOGnDA+mYTKaAiwoYfjVAS/cjPPZkM/j0dvXcFbGcI97lDfBDwpdHCA==",
            ),
            (
                format!("{cancellation}/5000123456/approve"),
                "",
                "3qV50u+oDZT1eeml9AuAMr7hrFs0H5QMj4t7fjNK9m8ECafIk3WM9/IKAViBnUo6bS9AShx5vNFpyhv1mBCyDg==",
            ),
            (
                "http://127.0.0.1:8123/post-order/v2/cancellation".to_owned(),
                r#"{"ä":1}"#,
                "6MhZKO4h/VTM0B1kuXLPojtzK58lMJpETrSwK24l0a8FLNcpFdKEdhxV2GcK8k04XnjZZbvr87A46K19cSnaBQ==",
            ),
        ];
        for (url, body, wanted) in cases {
            let mut request = request(Method::POST, &url, &[("x-ebay-signature-key", "abc.def.ghi")], body);
            sign(&mut request, &key(), &["x-ebay-signature-key"], from_millis(1_764_000_000_000)).unwrap();
            assert_eq!(header(&request, "signature"), format!("sig1=:{wanted}:"), "{url}");
        }
    }

    #[test]
    fn what_is_signed_of_an_address_is_what_is_sent() {
        let of = |url: &str, name: &str| component(&request(Method::GET, url, &[], ""), name).unwrap();
        assert_eq!(of("https://API.eBay.com", "@path"), "/");
        assert_eq!(of("https://API.eBay.com:443/a?b=c#d", "@authority"), "api.ebay.com");
        assert_eq!(of("https://apiz.ebay.com:8443/", "@authority"), "apiz.ebay.com:8443");
        assert_eq!(of("http://[::1]:80/", "@authority"), "[::1]");
        assert_eq!(of("https://api.ebay.com/a/../b c/%7e?x=/y", "@path"), "/b%20c/%7e");
        let twice = request(Method::GET, "https://a.test/", &[("x-a", " one "), ("x-a", "two")], "");
        assert_eq!(component(&twice, "x-a").unwrap(), "one, two");
    }

    #[test]
    fn nothing_is_signed_without_what_is_to_be_signed() {
        let mut request = request(Method::GET, "https://api.ebay.com/", &[], "");
        let error = sign(&mut request, &key(), &["x-ebay-signature-key"], from_millis(0)).unwrap_err();
        assert!(error.message().contains("\"x-ebay-signature-key\"") && error.message().ends_with("nothing was sent"));
        assert_eq!(header(&request, "signature"), "");
        request.headers.insert("x-ebay-signature-key", HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(sign(&mut request, &key(), &["x-ebay-signature-key"], from_millis(0)).is_err());
    }

    #[test]
    fn a_key_is_read_in_each_form_that_it_is_handed_out_in() {
        let bare = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
        // The second version of PKCS #8, with the public key beside the private one (RFC 8410, 10.3).
        let second = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcNAQkJFDEPDA1D\
                      dXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        for text in [KEY, &KEY.replace('\n', ""), &KEY.replace('\n', "\r\n"), bare, &format!("  {bare}\n"), second] {
            assert!(SigningKey::read(&Secret::new(text)).is_some(), "{text}");
        }
        let rsa = "MIIEvgIBADALBgkqhkiG9w0BAQoEggSqMIIEpgIBAAKCAQEAr4tmm3r20Wd/Pbqv";
        for text in ["", "x", rsa, PUBLIC, &bare[..60], &KEY[..40], &KEY.replace("PRIVATE", "EC PRIVATE")] {
            assert!(SigningKey::read(&Secret::new(text)).is_none(), "{text}");
        }
    }

    /// `openssl` of this machine with these arguments; nothing where it has none.
    fn openssl(arguments: &[&str]) -> Option<bool> {
        match Command::new("openssl").args(arguments).output() {
            Ok(output) => Some(output.status.success()),
            Err(_) => {
                eprintln!("there is no openssl here: nothing was held against it");
                None
            }
        }
    }

    #[test]
    fn openssl_finds_a_signature_to_be_that_of_its_own_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let write = |name: &str, bytes: &[u8]| std::fs::File::create(path(name)).unwrap().write_all(bytes).unwrap();
        let [private, public, signature, text] = ["key.pem", "public.pem", "signature", "text"].map(path);
        let Some(is_made) = openssl(&["genpkey", "-algorithm", "ed25519", "-out", &private]) else { return };
        assert!(is_made);
        assert_eq!(openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]), Some(true));
        let key = SigningKey::read(&Secret::new(std::fs::read_to_string(&private).unwrap())).unwrap();
        let verify =
            ["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &text, "-sigfile", &signature];
        for body in ["", r#"{"legacyOrderId":"12-12345-12345"}"#] {
            let url = "https://api.ebay.com/post-order/v2/cancellation";
            let mut request = request(Method::POST, url, &[("x-ebay-signature-key", JWE)], body);
            sign(&mut request, &key, &["x-ebay-signature-key"], from_millis(1_764_000_000_000)).unwrap();
            let names: &[&str] = if body.is_empty() { &[] } else { &["content-digest"] };
            let names: Vec<&str> = names.iter().copied().chain(["x-ebay-signature-key"]).chain(DERIVED).collect();
            let (base, _) = base(&request, &names, ";created=1764000000").unwrap();
            let value = header(&request, "signature");
            let value = value.strip_prefix("sig1=:").and_then(|value| value.strip_suffix(':')).unwrap();
            write("signature", &STANDARD.decode(value).unwrap());
            write("text", base.as_bytes());
            assert_eq!(openssl(&verify), Some(true), "{base}");
            write("text", base.replace("POST", "PUT").as_bytes());
            assert_eq!(openssl(&verify), Some(false), "{base}");
        }
    }
}
