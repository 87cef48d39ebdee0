//! Parameters, routes and pages, whatever the vendor.

use serde_json::{Map, json};

use super::*;

fn params(query: &str) -> Map<String, Value> {
    from_pairs(&crate::sim::http::parse_query(query))
}

#[test]
fn brackets_make_lists_and_objects() {
    let read = params("a[]=1&a[]=2&b[1]=y&b[0]=x&c[k][0][f]=v&d=1&d=2&e[=3");
    let expected = json!({
        "a": ["1", "2"], "b": ["x", "y"], "c": { "k": [{ "f": "v" }] }, "d": "2", "e[": "3",
    });
    assert_eq!(Value::Object(read), expected);
}

#[test]
fn what_is_declared_is_checked_and_filled_in() {
    let args = declared("page:int(1..)=1 size:int(1..100)=10 order:asc|desc=desc ids:[int]=[] note! at:date");
    let wrong = |query: &str| -> Vec<String> {
        check(&args, &mut params(query)).err().unwrap_or_default().into_iter().map(|wrong| wrong.name).collect()
    };
    assert_eq!(wrong("page=0"), ["note"], "what is missing is told alone");
    assert_eq!(
        wrong("note=x&page=0&size=101&order=up&ids=1,x&at=yesterday"),
        ["page", "size", "order", "ids[1]", "at"]
    );
    let mut good = params("note=x&size=7&at=2026-11-24T12:00:00%2B01:00");
    assert!(check(&args, &mut good).is_ok());
    assert_eq!((&good["page"], &good["order"], &good["size"]), (&json!(1), &json!("desc"), &json!("7")));
}

#[test]
fn dates_keep_what_is_written() {
    let noon = 1_795_608_000;
    assert_eq!(date_time("2026-11-25T12:00:00"), Some((noon, None)));
    assert_eq!(date_time("2026-11-25 12:00:00.250Z"), Some((noon, Some(0))));
    assert_eq!(date_time("2026-11-25T12:00:00-05:30"), Some((noon, Some(-19_800))));
    for text in ["2026-11-25", "2026-11-25T12:00:00+0100", "2026-11-25T12:00", "2026-13-25T12:00:00", "äöü"] {
        assert_eq!(date_time(text), None, "{text}");
    }
}

#[test]
fn a_route_is_found_by_method_and_pattern() {
    let routes = [
        Route("GET", "orders/{id}", "", 1),
        Route("PUT|PATCH", "orders/{id}", "", 2),
        Route("GET", "orders/{id}/parcels/{id:x}", "", 3),
    ];
    let found = |method: &str, path: &str| find(&routes, method, path).map(|(route, parts)| (route.3, parts.join(" ")));
    assert_eq!(found("GET", "orders/7"), Some((1, "7".to_owned())));
    assert_eq!(found("PATCH", "orders/7"), Some((2, "7".to_owned())));
    assert_eq!(found("GET", "orders/7/parcels/0f"), Some((3, "7 0f".to_owned())));
    assert!(found("GET", "orders/x").is_none() && found("PUT", "orders/7/parcels/0f").is_none());
}

#[test]
fn a_page_past_the_end_is_empty() {
    let rows = [1, 2, 3, 4, 5];
    assert_eq!(Page::new(2, 2).of(&rows), [3, 4]);
    assert_eq!(Page::new(3, 2).of(&rows), [5]);
    assert!(Page::new(4, 2).of(&rows).is_empty() && Page::new(usize::MAX, usize::MAX).of(&rows).is_empty());
}
