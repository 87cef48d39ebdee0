//! What it takes to sign a request by OAuth 1.0a.

use std::hint::black_box;
use std::time::Instant;

use chrono::Utc;
use url::Url;

use crate::http::oauth1::{Method, Signer};
use crate::http::sign::nonce;
use crate::row;
use crate::secret::Secret;
/// The address of a page of a Magento shop, signed as a header is, with a new nonce each time.
pub fn measure() {
    const TIMES: u32 = 20_000;
    let [key, secret, token, token_secret] = [1, 2, 3, 4].map(|nth| Secret::new(format!("decade{nth:026}")));
    let signer = Signer { consumer: (&key, &secret), token: Some((&token, &token_secret)), method: Method::HmacSha256 };
    let mut url = Url::parse("https://shop.example.test/rest/V1/orders").unwrap();
    let address = url.to_string();
    let search = |name: &str| format!("searchCriteria[{name}]");
    url.query_pairs_mut().extend_pairs([
        (search("filterGroups][0][filters][0][field"), "entity_id".to_owned()),
        (search("filterGroups][0][filters][0][conditionType"), "gteq".to_owned()),
        (search("filterGroups][0][filters][0][value"), "10101".to_owned()),
        (search("sortOrders][0][field"), "entity_id".to_owned()),
        (search("sortOrders][0][direction"), "ASC".to_owned()),
        (search("pageSize"), "100".to_owned()),
        ("fields".to_owned(), format!("items[{}],total_count", "a_member_of_an_order,".repeat(90))),
    ]);
    let began = Instant::now();
    for _ in 0..TIMES {
        let nonce = nonce().unwrap();
        black_box(signer.header("GET", &address, black_box(&url), Utc::now(), &nonce));
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
    row(&format!("OAuth 1.0a, an address of {} bytes", url.as_str().len()), format!("{each:.1} us"), "", true);
}
