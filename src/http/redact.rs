//! URLs fit for errors and logs.

use url::Url;

/// Scheme, host, port and path; of the query only the names. Values can be keys, signatures or personal data.
pub fn url_for_people(url: &Url) -> String {
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
    fn x1_no_value_of_a_query_and_no_login_is_shown() {
        let url = Url::parse(
            "https://ck_1:cs_2@shop.example.test:8443/wp-json/wc/v3/orders?consumer_key=ck_1&per_page=100&search=Ann",
        )
        .unwrap();
        assert_eq!(url_for_people(&url), "https://shop.example.test:8443/wp-json/wc/v3/orders?per_page&search");
    }
}
