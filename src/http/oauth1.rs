//! Requests signed as OAuth 1.0a has it (RFC 5849): by a consumer's key, with or without an access
//! token.

use url::Url;

use super::sign::{encode, hmac_sha256};
use crate::clock::Timestamp;
use crate::secret::Secret;

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The RFC's own, which its examples are of.
    #[cfg(test)]
    HmacSha1,
    /// What servers have in its place today.
    HmacSha256,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            #[cfg(test)]
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    fn sign(self, key: &[u8], message: &[u8]) -> String {
        match self {
            #[cfg(test)]
            Self::HmacSha1 => super::sign::hmac_sha1(key, message),
            Self::HmacSha256 => hmac_sha256(key, message),
        }
    }
}

/// A key and its secret.
pub(crate) type Pair<'a> = (&'a Secret, &'a Secret);

/// Who signs.
pub(crate) struct Signer<'a> {
    /// The consumer's key.
    pub(crate) consumer: Pair<'a>,
    /// The access token, where there is one.
    pub(crate) token: Option<Pair<'a>>,
    /// How.
    pub(crate) method: Method,
}

impl Signer<'_> {
    /// The parameters that a request is authorised by, the signature last. They belong in its
    /// header or behind its query. `address` is what the server takes its own address for, without
    /// a query; the query that is signed is that of `url`.
    pub(crate) fn parameters(
        &self,
        http_method: &str,
        address: &str,
        url: &Url,
        now: Timestamp,
        nonce: &str,
    ) -> Vec<(&'static str, String)> {
        let mut ours = vec![
            ("oauth_consumer_key", self.consumer.0.reveal().to_owned()),
            ("oauth_nonce", nonce.to_owned()),
            ("oauth_signature_method", self.method.word().to_owned()),
            ("oauth_timestamp", now.timestamp().to_string()),
        ];
        ours.extend(self.token.map(|(token, _)| ("oauth_token", token.reveal().to_owned())));
        let base = base_string(http_method, address, url, &ours);
        let token_secret = self.token.map(|(_, secret)| encode(secret.reveal())).unwrap_or_default();
        let key = format!("{}&{token_secret}", encode(self.consumer.1.reveal()));
        ours.push(("oauth_signature", self.method.sign(key.as_bytes(), base.as_bytes())));
        ours
    }
}

/// Method, address and sorted parameters (3.4.1). A name or a value is encoded once as such,
/// brackets too, and once more with all of them.
fn base_string(http_method: &str, address: &str, url: &Url, ours: &[(&'static str, String)]) -> String {
    let theirs = url.query_pairs().map(|(name, value)| (encode(&name), encode(&value)));
    let mut pairs: Vec<_> = theirs.chain(ours.iter().map(|(name, value)| (encode(name), encode(value)))).collect();
    pairs.sort();
    let parameters: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{http_method}&{}&{}", encode(address), encode(&parameters.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn the_signature_is_that_of_rfc_5849() {
        let secret = |text: &str| Secret::new(text);
        let (key, key_secret) = (secret("dpf43f3p2l4k3l03"), secret("kd94hf93k423kf44"));
        let (token, token_secret) = (secret("nnch734d00sl2jdk"), secret("pfkkdhi9sl3r4s00"));
        let consumer = (&key, &key_secret);
        let signer = Signer { consumer, token: Some((&token, &token_secret)), method: Method::HmacSha1 };
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let now = from_millis(137_131_202_000);
        let signed = signer.parameters("GET", "http://photos.example.net/photos", &url, now, "chapoH");
        assert_eq!(signed.last(), Some(&("oauth_signature", "MdpQcU8iPSUjWoN/UDMsK2sui9I=".to_owned())));
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        assert!(names.contains(&"oauth_token") && !names.contains(&"oauth_version"));
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849() {
        // The RFC's example has a part of the parameters in a body; here all of them are in the
        // query.
        let url = Url::parse("http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q").unwrap();
        let ours = [
            ("oauth_consumer_key", "9djdj82h48djs9d2".to_owned()),
            ("oauth_token", "kkk9d7dh3k39sjv7".to_owned()),
            ("oauth_signature_method", "HMAC-SHA1".to_owned()),
            ("oauth_timestamp", "137131201".to_owned()),
            ("oauth_nonce", "7d8f3e4a".to_owned()),
        ];
        assert_eq!(
            base_string("POST", "http://example.com/request", &url, &ours),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D\
             %26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1\
             %26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn brackets_in_a_name_are_encoded_as_every_other_sign() {
        let url = Url::parse("https://x.test/V1/orders?searchCriteria[pageSize]=5&searchCriteria%5BcurrentPage%5D=1")
            .unwrap();
        assert!(
            base_string("GET", "https://x.test/V1/orders", &url, &[])
                .ends_with("&searchCriteria%255BcurrentPage%255D%3D1%26searchCriteria%255BpageSize%255D%3D5")
        );
    }
}
