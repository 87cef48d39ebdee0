//! Credentials on requests: the static token of a store-level API account, and the headers that
//! every request must have.

use reqwest::header::{ACCEPT, HeaderValue};

use crate::error::{Error, ErrorKind, Result};
use crate::http::Request;
use crate::secret::Secret;

/// Puts the token on a request. Without `Accept`, V2 may answer in XML.
pub(crate) fn put_on(request: &mut Request, token: &Secret) -> Result<()> {
    let mut value = HeaderValue::from_str(token.reveal().trim())
        .map_err(|_| Error::new(ErrorKind::Credentials, "the access token cannot be sent; nothing was sent"))?;
    value.set_sensitive(true);
    request.headers.insert("x-auth-token", value);
    request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_every_request_has_the_token_which_is_never_shown_and_asks_for_json() {
        let mut request = Request::get(url::Url::parse("https://api.bigcommerce.com/stores/abc123/v2/store").unwrap());
        put_on(&mut request, &Secret::new("sesame")).unwrap();
        assert_eq!(request.headers["x-auth-token"], "sesame");
        assert_eq!(request.headers["accept"], "application/json");
        assert!(!format!("{request:?}").contains("sesame"));
    }
}
