//! What is fit for errors, logs and the book: URLs without their values, and answers without the
//! store's secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::Finder;
use url::Url;

use super::sign::encode;
use crate::secret::Secret;

/// What stands in the place of a secret.
const MARK: &[u8] = b"[secret]";

/// What is shorter may be a part of any word; no vendor's keys are.
const SHORTEST: usize = 8;

/// The secrets of a store, in whatever form a server or a firewall repeats what it was sent: as they
/// are, as in a URL, as Basic authentication has them, each also as JSON that escapes slashes. They
/// are prepared once for an answer, whose headers are many.
pub(super) struct Forms {
    forms: Vec<Finder<'static>>,
    /// How they begin. Many begin alike, and where no beginning is, as in nearly every answer, none of
    /// them is.
    beginnings: Vec<Finder<'static>>,
}

impl Forms {
    /// The longest first: a pair holds its parts.
    pub(super) fn of(secrets: &[Secret]) -> Self {
        let plain: Vec<&str> = secrets.iter().map(Secret::reveal).filter(|text| text.len() >= SHORTEST).collect();
        let pairs =
            plain.iter().flat_map(|name| plain.iter().map(move |word| STANDARD.encode(format!("{name}:{word}"))));
        let singles = plain.iter().flat_map(|text| [(*text).to_owned(), STANDARD.encode(text)]);
        let mut forms: Vec<String> =
            pairs.chain(singles).flat_map(|text| [encode(&text), text.replace('/', "\\/"), text]).collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let mut beginnings: Vec<&[u8]> = forms.iter().map(|form| beginning(form.as_bytes())).collect();
        beginnings.sort_unstable();
        beginnings.dedup();
        let beginnings = beginnings.into_iter().map(|text| Finder::new(text).into_owned()).collect();
        Self { forms: forms.iter().map(|form| Finder::new(form).into_owned()).collect(), beginnings }
    }

    /// Puts a mark in the place of every secret in a server's text. `None` where there is none in
    /// it.
    pub(super) fn marked(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.beginnings.iter().all(|beginning| beginning.find(text).is_none()) {
            return None;
        }
        let mut clean: Option<Vec<u8>> = None;
        for form in &self.forms {
            let now = clean.as_deref().unwrap_or(text);
            let mut found = form.find_iter(now).peekable();
            if found.peek().is_none() {
                continue;
            }
            let (mut kept, mut from) = (Vec::with_capacity(now.len()), 0);
            for at in found {
                kept.extend_from_slice(now.get(from..at).unwrap_or_default());
                kept.extend_from_slice(MARK);
                from = at.saturating_add(form.needle().len());
            }
            kept.extend_from_slice(now.get(from..).unwrap_or_default());
            clean = Some(kept);
        }
        clean
    }
}

/// The first few bytes of a form; all that no writing changes, so that forms of one secret have one.
fn beginning(form: &[u8]) -> &[u8] {
    let plain = form.iter().take(SHORTEST).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    // One that is too short is everywhere.
    form.get(..plain).filter(|_| plain >= 4).unwrap_or(form)
}

/// Scheme, host, port and path; of the query only the names. Values can be keys, signatures or
/// personal data.
pub(crate) fn url_for_people(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let names: Vec<_> =
        url.query_pairs().filter(|(name, _)| !is_credential(name)).map(|(name, _)| name.into_owned()).collect();
    let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or(""), url.path())
}

fn is_credential(name: &str) -> bool {
    name.starts_with("oauth_") || name.starts_with("consumer_") || name.contains("token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_a_secret_is_marked_in_whatever_form_a_server_repeats_it() {
        let secrets = [Secret::new("ck_0123456789"), Secret::new("cs_+/x/abcdef"), Secret::new("short")];
        let basic = STANDARD.encode("ck_0123456789:cs_+/x/abcdef");
        for (said, kept) in [
            ("key ck_0123456789, ck_0123456789", "key [secret], [secret]"),
            (r#"{"m":"cs_+\/x\/abcdef"}"#, r#"{"m":"[secret]"}"#),
            ("?s=cs_%2B%2Fx%2Fabcdef&n=1", "?s=[secret]&n=1"),
            (&format!("Basic {basic}."), "Basic [secret]."),
            (&format!("Basic {}", encode(&basic)), "Basic [secret]"),
        ] {
            let clean = Forms::of(&secrets).marked(said.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(clean).unwrap(), kept, "{said}");
        }
        assert_eq!(Forms::of(&secrets).marked(b"a short word"), None);
    }

    #[test]
    fn x1_no_value_of_a_query_and_no_login_is_shown() {
        let url = Url::parse(
            "https://ck_1:cs_2@shop.example.test:8443/wp-json/wc/v3/orders?consumer_key=ck_1&per_page=100&search=Ann",
        )
        .unwrap();
        assert_eq!(url_for_people(&url), "https://shop.example.test:8443/wp-json/wc/v3/orders?per_page&search");
    }
}
