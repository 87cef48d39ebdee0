//! What the people around a simulated store can do to it.

use std::io::{Read, Write};

use ordersync::sim::{Lack, Purchase};
use serde_json::{Value, json};

use super::desk::each;

#[test]
fn what_people_can_do_to_one_kind_of_store_over_http_they_can_do_to_all() {
    each(|desk| {
        let post = |path: &str, body: Value| -> u16 {
            let mut stream = std::net::TcpStream::connect(desk.server.url().trim_start_matches("http://")).unwrap();
            let body = body.to_string();
            let head = format!("POST /__ordersync-sim/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
            write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.split(' ').nth(1).unwrap().parse().unwrap()
        };
        let lines = json!([{ "sku": "TEE-001", "quantity": 3 }, { "sku": "MUG-9", "quantity": 2 }]);
        for wish in
            [json!({}), json!({ "payment": "at-delivery" }), json!({ "delivery": "pick-up" }), json!({ "paid": false })]
        {
            let mut wish = wish;
            wish["lines"] = lines.clone();
            assert_eq!(post("place-order", wish), 201, "{}", desk.kind);
        }
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 3), ("MUG-9", 2)]));
        let acts = [
            ("annotate", json!({ "note": "please ring twice" })),
            ("hold", json!({})),
            ("unpay", json!({})),
            ("pay", json!({})),
            ("edit-address", json!({ "street": "9 New Street" })),
            ("refund-pieces", json!({ "line": 0, "pieces": 1 })),
            ("ship-pieces", json!({ "line": 1, "pieces": 1, "carrier": "DHL", "tracking": "JD01" })),
            ("return-pieces", json!({ "line": 1, "pieces": 1 })),
            ("undo-shipments", json!({})),
            ("refund", json!({ "amount": "1.00" })),
            ("ship", json!({ "carrier": "DHL", "tracking": "JD02" })),
            ("touch", json!({})),
            ("unrenderable", json!({})),
            ("renderable", json!({})),
            ("put-away", json!({})),
        ];
        let lacking = [("hold", Lack::Holds), ("ship-pieces", Lack::Parts), ("put-away", Lack::Archive)];
        for (act, wish) in acts {
            let is_there = lacking.iter().all(|(one, what)| *one != act || !desk.store.lacks(*what));
            let expected = if is_there { 200 } else { 404 };
            assert_eq!(post(&format!("{act}/{id}"), wish), expected, "{}: {act}", desk.kind);
        }
        assert_eq!(post("remove-line/no-such-order", json!({ "line": 0 })), 404, "{}", desk.kind);
        assert_eq!(post("clock", json!({ "minutes": 10 })), 200, "{}", desk.kind);
        for kind in
            ["deaf", "page-cap", "no-count", "frozen", "empty", "html-with-script", "absurd-amounts", "rate-limited"]
        {
            assert_eq!(post("fault", json!({ "kind": kind, "times": 1 })), 200, "{}: {kind}", desk.kind);
        }
    });
}
