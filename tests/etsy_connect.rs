//! The merchant's consent at Etsy and the tokens that come of it, by the real program: what a
//! browser brings back, what is shut out, and what becomes of tokens that are renewed, lost or
//! revoked.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use ordersync::sim::etsy::{Key, NewOrder, Options, REHEARSAL_KEYSTRING, REHEARSAL_SECRET};
use ordersync::sim::{Exchange, Fault, FaultKind, Simulated};
use serde_json::{Value, json};
use support::browser::{Chromium, Waiting, ask, deny, permit};
use support::etsy::Rig;
use support::program::{RENEWAL, until};

const REFRESH: &str = "ORDERSYNC_REFRESH_TOKEN";

/// An address of the merchant's that is not this machine.
const ELSEWHERE: &str = "https://shop.example.test/etsy";

/// Where tokens are given.
const TOKENS: &str = "/v3/public/oauth/token";

/// A port that nobody listens on just now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A shop whose seller has to consent, and the address on this machine that is registered for it.
struct Desk {
    rig: Rig,
    landing: String,
}

impl Desk {
    fn new() -> Self {
        Self::with(Options::rehearsal())
    }

    fn with(options: Options) -> Self {
        let landing = format!("http://localhost:{}/etsy", free_port());
        let redirects = vec![landing.clone(), ELSEWHERE.to_owned()];
        Self { rig: Rig::unconnected(Options { redirects, ..options }), landing }
    }

    fn words(&self, command: &str, landing: &str, way: &str) -> String {
        let url = self.rig.server.url();
        format!(
            "connect {command} --keystring {REHEARSAL_KEYSTRING} --set redirect_uri={landing} --endpoint {url} --consent {way}"
        )
    }

    /// Begins to connect, up to the address of the page.
    fn begin(&self, command: &str, way: &str, env: &[(&str, &str)]) -> Waiting {
        let landing = if way == "listen" { &*self.landing } else { ELSEWHERE };
        Waiting::for_page(self.rig.home.spawn_listening(&self.words(command, landing, way), env, REFRESH))
    }

    fn file(&self) -> std::path::PathBuf {
        self.rig.home.path().join("credentials/etsy.json")
    }

    fn kept(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    /// Puts a value among the kept secrets, as a copy that was put back might.
    fn put(&self, key: &str, value: &str) {
        let mut kept = self.kept();
        kept[key] = json!(value);
        std::fs::write(self.file(), kept.to_string()).unwrap();
    }

    fn assert_nothing_kept(&self) {
        assert!(!self.rig.home.path().join("credentials").exists(), "secrets were kept");
        assert_eq!(self.rig.home.json("connect --list"), json!([]));
    }

    /// Connected by the refresh token of an earlier consent.
    fn connected(options: Options) -> Self {
        let desk = Self::with(options);
        let words = self::words_of(&desk);
        desk.rig.home.run(&words).exits(0);
        desk.rig.server.clear_requests();
        desk
    }

    fn tokens(&self) -> Vec<Exchange> {
        self.rig.server.requests().into_iter().filter(|one| one.path == TOKENS).collect()
    }
}

fn words_of(desk: &Desk) -> String {
    let url = desk.rig.server.url();
    format!("connect etsy --keystring {REHEARSAL_KEYSTRING} --set redirect_uri={} --endpoint {url}", desk.landing)
}

/// What a landing address holds.
fn part(landed: &str, name: &str) -> String {
    let url = url::Url::parse(landed).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

#[test]
fn a_browser_that_lands_on_this_machine_connects_the_store() {
    let desk = Desk::new();
    let waiting = desk.begin("etsy", "listen", &[]);
    let page = waiting.page.clone();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", REHEARSAL_KEYSTRING),
        ("redirect_uri", &desk.landing),
        ("scope", "transactions_r transactions_w shops_r"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(part(&page, name), value);
    }
    let landed = permit(&page);
    let thanks = ask("GET", &landed, "");
    assert!(thanks.status == 200 && thanks.body.contains("heard of your consent"), "{thanks:?}");
    assert_eq!(thanks.header("cache-control"), Some("no-store"));
    assert!(!thanks.body.contains("<script"), "{thanks:?}");
    let outcome = waiting.end().ends(0, "callback URLs");
    assert!(outcome.stdout.contains("GreenCatPottery"), "{outcome:?}");
    let kept = desk.kept();
    let secrets = ["token", "refresh_token", "shared_secret"].map(|key| kept[key].as_str().unwrap());
    outcome.without(&secrets).without(&[&part(&landed, "code")]);
    // The shared secret is for the API alone.
    let asked = desk.tokens();
    assert!(asked.len() == 1 && asked[0].headers.iter().all(|(name, _)| name != "x-api-key"), "{asked:?}");
    desk.rig.home.run("sync").without(REFRESH).exits(0).silent();
    // The address has been used: nobody listens any more.
    assert!(TcpListener::bind(("127.0.0.1", url::Url::parse(&desk.landing).unwrap().port().unwrap())).is_ok());
}

#[test]
fn a_landing_address_that_is_brought_by_hand_connects_the_store() {
    let desk = Desk::new();
    let waiting = desk.begin("etsy", "paste", &[]);
    let landed = permit(&waiting.page);
    assert!(landed.starts_with(ELSEWHERE));
    waiting.told(&format!("{landed}\n")).ends(0, "").without(&[&part(&landed, "code")]);
    desk.rig.home.run("sync").without(REFRESH).exits(0).silent();
    // A browser that could not land is no obstacle, whatever was registered.
    let desk = Desk::new();
    let child = desk.rig.home.spawn_listening(&desk.words("etsy", &desk.landing, "paste"), &[], REFRESH);
    let waiting = Waiting::for_page(child);
    let landed = permit(&waiting.page);
    waiting.told(&landed).ends(0, "");
}

#[test]
fn what_is_no_consent_of_this_attempt_is_said_and_nothing_is_stored() {
    // What is brought in the place of the landing address, by the one that the page has given.
    type Brings = fn(&Desk, &str) -> String;
    let cases: [(&str, Brings, i32, &str); 10] = [
        ("nothing", |_, _| String::new(), 2, "no landing address was given"),
        ("a blank line", |_, _| " \n".to_owned(), 2, "no landing address was given"),
        ("blanks within", |_, landed| landed.replace("&state", " &state"), 2, "has blanks"),
        ("the code alone", |_, landed| part(landed, "code"), 2, "is no address"),
        ("another path", |_, landed| landed.replace("/etsy?", "/ebay?"), 2, "is another address"),
        ("another host", |_, landed| landed.replace("shop.example", "app.example"), 2, "is another address"),
        ("half of it", |_, landed| landed.split_once("code=").unwrap().0.to_owned(), 2, "has no code in it"),
        ("another state", |_, landed| landed.replace("state=", "state=x"), 6, "belongs to another attempt"),
        (
            "a no",
            |_, landed| format!("{ELSEWHERE}?error=access_denied&state={}", part(landed, "state")),
            4,
            "was refused",
        ),
        (
            "a used code",
            |desk, landed| {
                let form = format!(
                    "grant_type=authorization_code&client_id={REHEARSAL_KEYSTRING}&code={}&code_verifier=x",
                    part(landed, "code")
                );
                assert_eq!(ask("POST", &format!("{}{TOKENS}", desk.rig.server.url()), &form).status, 400);
                landed.to_owned()
            },
            4,
            "it was used already",
        ),
    ];
    for (what, brings, code, says) in cases {
        let desk = Desk::new();
        let waiting = desk.begin("etsy", "paste", &[]);
        let landed = permit(&waiting.page);
        let outcome = waiting.told(&brings(&desk, &landed)).ends(code, says).ends(code, "nothing was stored");
        assert!(outcome.stderr.contains("hint: "), "{what}: {outcome:?}");
        outcome.without(&[&part(&landed, "code")]);
        desk.assert_nothing_kept();
        assert_eq!(desk.tokens().len(), if what == "a used code" { 2 } else { 0 }, "{what}");
    }
}

/// A code of one attempt is worth nothing in another, also where somebody has put it there.
#[test]
fn a_landing_address_of_an_earlier_attempt_is_refused() {
    let desk = Desk::new();
    let earlier = desk.begin("etsy", "paste", &[]);
    let landed = permit(&earlier.page);
    earlier.told("").ends(2, "no landing address");
    desk.begin("etsy", "paste", &[]).told(&landed).ends(6, "belongs to another attempt");
    assert!(desk.tokens().is_empty());
}

#[test]
fn a_browser_that_lands_with_something_else_is_told_so_and_nothing_is_stored() {
    type Lands = fn(&str) -> String;
    let cases: [(Lands, i32, &str); 3] = [
        (|page| permit(page).replace("state=", "state=x"), 6, "belongs to another attempt"),
        (deny, 4, "was refused on the page"),
        (|page| format!("{}&code=again", permit(page)), 2, "says one thing twice"),
    ];
    for (lands, code, says) in cases {
        let desk = Desk::new();
        let waiting = desk.begin("etsy", "listen", &[]);
        let answer = ask("GET", &lands(&waiting.page), "");
        assert!(answer.body.contains("got no consent"), "{answer:?}");
        waiting.end().ends(code, says).ends(code, "nothing was stored");
        desk.assert_nothing_kept();
    }
    // Etsy may show a page of its own to whoever says no, and send nobody back.
    let desk = Desk::with(Options { denial_returns: false, ..Options::rehearsal() });
    let waiting = desk.begin("etsy", "listen", &[("ORDERSYNC_CONSENT_MS", "400")]);
    assert_eq!(ask("GET", &waiting.page.replace("/oauth/connect?", "/oauth/connect/deny?"), "").status, 200);
    waiting.end().ends(4, "no browser came back").ends(4, "--consent paste");
    desk.assert_nothing_kept();
}

#[test]
fn a_taken_port_is_said_before_the_merchant_is_sent_anywhere() {
    let desk = Desk::new();
    let port = url::Url::parse(&desk.landing).unwrap().port().unwrap();
    let _other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let done = desk.rig.home.run(&desk.words("etsy", &desk.landing, "listen")).without(REFRESH).exits(6);
    done.says(&format!("another program listens on port {port}")).says("nothing was stored").says("--consent paste");
    assert!(desk.rig.server.requests().is_empty());
    desk.assert_nothing_kept();
}

#[cfg(unix)]
#[test]
fn whoever_gives_up_while_a_browser_is_waited_for_has_connected_nothing() {
    let desk = Desk::new();
    let waiting = desk.begin("etsy", "listen", &[]);
    let id = waiting.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    waiting.end().ends(130, "interrupted; nothing is connected");
    desk.assert_nothing_kept();
}

#[test]
fn c4_without_a_terminal_nobody_is_waited_for_unless_that_is_said() {
    let desk = Desk::new();
    let done = desk.rig.home.run(&words_of(&desk)).without(REFRESH).exits(2).says("needs a refresh_token");
    done.says("ORDERSYNC_ETSY_REFRESH_TOKEN").says("--consent listen").says("--consent paste");
    let done = desk.rig.home.run(&desk.words("etsy", ELSEWHERE, "listen")).without(REFRESH).exits(2);
    done.says("not this machine").says("--consent paste");
    let secrets = format!("{{\"shared_secret\": \"{REHEARSAL_SECRET}\"}}");
    let both = desk.rig.home.run(&desk.words("etsy", ELSEWHERE, "paste")).arg("--credentials").arg("-");
    both.without(REFRESH).stdin(&secrets).exits(2).says("standard input holds the credentials");
    assert!(desk.rig.server.requests().is_empty());
    desk.assert_nothing_kept();
}

/// The shop's owner may be signed in as somebody else.
#[test]
fn i9_a_consent_of_another_shop_takes_no_store_over() {
    let desk = Desk::connected(Options::rehearsal());
    let before = std::fs::read(desk.file()).unwrap();
    desk.rig.shop.options().stranger = true;
    let waiting = desk.begin("--reauth etsy", "listen", &[]);
    ask("GET", &permit(&waiting.page), "");
    waiting.end().ends(6, "as a store of its own");
    assert_eq!(std::fs::read(desk.file()).unwrap(), before, "the old credentials stay");
    desk.rig.shop.options().stranger = false;
    let waiting = desk.begin("--reauth etsy", "listen", &[]);
    ask("GET", &permit(&waiting.page), "");
    let outcome = waiting.end().ends(0, "");
    assert!(outcome.stdout.contains("its orders and its position are as they were"), "{outcome:?}");
    assert_ne!(std::fs::read(desk.file()).unwrap(), before);
}

#[test]
fn what_the_consent_covers_is_held_against_what_was_asked_for() {
    for names_scopes in [true, false] {
        for (granted, code, says) in [
            (&["shops_r"][..], 4, "lacks the scope transactions_r"),
            (&["transactions_r", "transactions_w"], 4, "lacks the scope shops_r"),
            (&["transactions_r", "shops_r"], 0, "lacks the scope transactions_w: nothing can be dispatched"),
        ] {
            let scopes = granted.iter().map(|scope| (*scope).to_owned()).collect();
            let desk = Desk::with(Options { scopes, names_scopes, ..Options::rehearsal() });
            let waiting = desk.begin("etsy", "listen", &[]);
            ask("GET", &permit(&waiting.page), "");
            waiting.end().ends(code, says);
            if code != 0 {
                desk.assert_nothing_kept();
            }
        }
    }
}

#[test]
fn i4_a_receipt_that_etsy_cannot_show_keeps_nobody_from_connecting() {
    let desk = Desk::new();
    let id = desk.rig.shop.place_order(NewOrder::of(&[("TEE-001", 1)]));
    assert!(desk.rig.shop.set_unrenderable(&id.to_string(), true));
    desk.rig.home.run(&words_of(&desk)).exits(0).prints("GreenCatPottery");
    desk.rig.home.run("connect --test").exits(0);
}

/// Numbers as texts, texts as numbers, and null wherever it may be.
#[test]
fn what_a_shop_tells_of_itself_is_read_in_any_spelling() {
    let desk = Desk::new();
    let answers = [
        ("/openapi-ping", json!({ "application_id": "123456789" })),
        ("/scopes", json!(["transactions_r", "transactions_w", "shops_r"])),
        ("/users/me", json!({ "user_id": null, "shop_id": "22220000" })),
        (
            "/shops/22220000",
            json!({ "shop_id": "22220000", "shop_name": 12345, "currency_code": null, "url": null, "is_vacation": null,
                    "shipping_from_country_iso": null }),
        ),
        ("/receipts", json!({ "count": "5", "results": null })),
    ];
    // The longer path first: an answer is for the first that fits.
    for (path, answer) in answers.into_iter().rev() {
        desk.rig.server.faults().add(Fault::new(FaultKind::OtherJson(answer)).on_path(path));
    }
    desk.rig.home.run(&words_of(&desk)).exits(0).prints("12345");
    desk.rig.server.faults().clear();
    desk.rig.home.run("connect --test").exits(0).prints("GreenCatPottery");
    desk.rig.home.run("sync").exits(0).silent();
    for odd in [json!({}), json!({ "scopes": null }), json!("transactions_r"), json!(7)] {
        desk.rig.server.faults().add(Fault::new(FaultKind::OtherJson(odd)).on_path("/scopes"));
        desk.rig.home.run("connect --test").exits(1).says("nothing was used of it");
    }
    desk.rig
        .server
        .faults()
        .add(Fault::new(FaultKind::OtherJson(json!({ "user_id": 7, "shop_id": null }))).on_path("/me"));
    desk.rig.home.run("connect --test").exits(6).says("has no shop at Etsy");
}

/// Each has its own sentence, and the command or the place that helps.
#[test]
fn what_lets_nobody_in_is_told_apart() {
    let desk = Desk::with(Options { key: Key::Inactive, ..Options::rehearsal() });
    let done = desk.rig.home.run(&desk.words("etsy", &desk.landing, "listen")).without(REFRESH).exits(4);
    // Nobody is sent to a page that can only fail.
    done.says("waits for Etsy's approval").says("developers/your-apps").without("oauth/connect");
    desk.assert_nothing_kept();

    let desk = Desk::connected(Options::rehearsal());
    let reauth = "ordersync connect --reauth etsy";
    let incomplete = FaultKind::Says(403, "Shared secret is required in x-api-key header.".to_owned());
    desk.rig.server.faults().add(Fault::new(incomplete).always());
    desk.rig.home.run("connect --test").exits(4).says("keystring without its shared secret").says(reauth);
    desk.rig.home.run("sync").exits(4).says("keystring without its shared secret").says(reauth);
    desk.rig.server.faults().clear();
    desk.rig.shop.options().key = Key::Inactive;
    desk.rig.home.run("sync").exits(4).says("does not let this key in").says("a pending key can only be waited for");
    desk.rig.shop.options().key = Key::Active;
    desk.rig.home.run("sync").exits(0);
    desk.rig.shop.revoke();
    desk.rig.home.run("sync").exits(4).says("has revoked the consent").says(reauth);
}

#[test]
fn a_revoked_consent_is_never_asked_for_in_a_loop_and_is_given_anew() {
    let desk = Desk::connected(Options::rehearsal());
    desk.rig.shop.revoke();
    for _ in 0..2 {
        desk.rig.server.clear_requests();
        desk.rig.home.run("sync").without(REFRESH).exits(4).says("ordersync connect --reauth etsy");
        assert!(desk.tokens().len() <= 2, "{:?}", desk.tokens().len());
    }
    desk.rig.home.run("status --check").exits(4).says("").prints("connect --reauth etsy");
    let waiting = desk.begin("--reauth etsy", "listen", &[]);
    ask("GET", &permit(&waiting.page), "");
    waiting.end().ends(0, "");
    desk.rig.home.run("sync").without(REFRESH).exits(0).silent();
    desk.rig.home.run("status --check").exits(0);
}

#[test]
fn a_token_endpoint_that_fails_now_and_then_is_asked_again() {
    let desk = Desk::connected(Options::rehearsal());
    desk.rig.shop.end_tokens();
    desk.rig.shop.fail_tokens(2);
    desk.rig.home.run("sync").exits(0).silent();
    assert_eq!(desk.tokens().len(), 3);
    // One that goes on failing costs this run, and no token.
    desk.rig.shop.end_tokens();
    desk.rig.shop.fail_tokens(100);
    let refresh = desk.kept()["refresh_token"].clone();
    desk.rig.server.clear_requests();
    desk.rig.home.run("sync").exits(5);
    assert_eq!((desk.tokens().len(), &desk.kept()["refresh_token"]), (4, &refresh));
    assert!(desk.kept()["renewal_asked_at"].is_null(), "what failed at Etsy has given nothing that could be lost");
    desk.rig.shop.fail_tokens(0);
    desk.rig.home.run("sync").exits(0).silent();
}

/// The one before it is kept until its successor has worked.
#[test]
fn f3_a_refresh_token_is_replaced_by_each_renewal_and_kept_before_it_is_used() {
    let desk = Desk::connected(Options { renewed_works: false, ..Options::rehearsal() });
    for _ in 0..3 {
        let before = desk.kept();
        desk.rig.shop.end_tokens();
        desk.rig.home.run("sync").exits(0).silent();
        let now = desk.kept();
        assert_ne!(now["token"], before["token"]);
        assert_ne!(now["refresh_token"], before["refresh_token"]);
        assert_eq!(now["refresh_token_before"], before["refresh_token"]);
        assert!(now["refresh_token_ends_at"].as_str().unwrap() > "2026" && now["renewal_asked_at"].is_null(), "{now}");
    }
}

#[test]
fn f3_two_processes_that_renew_at_once_make_one_request_and_both_go_on() {
    let desk = Desk::connected(Options { renewed_works: false, ..Options::rehearsal() });
    for _ in 0..3 {
        desk.rig.shop.end_tokens();
        desk.rig.server.clear_requests();
        desk.rig.server.faults().add(Fault::new(FaultKind::Slow(Duration::from_millis(300))).on_path(TOKENS).always());
        let children: Vec<_> =
            ["connect --test", "doctor", "sync"].map(|words| desk.rig.home.spawn(words, &[])).into_iter().collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        desk.rig.server.faults().clear();
        assert_eq!(desk.tokens().len(), 1);
    }
}

/// A renewal whose answer was never kept costs a new consent at most, and says so.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_renewal_that_is_killed_costs_a_consent_at_most_and_says_so() {
    let [before_it_is_kept, after_it_is_kept] = RENEWAL;
    for renewed_works in [true, false] {
        let desk = Desk::connected(Options { renewed_works, ..Options::rehearsal() });
        // The first refresh token is a script's, which stands for a consent of its own each time.
        desk.rig.shop.end_tokens();
        desk.rig.home.run("sync").exits(0);
        desk.rig.shop.end_tokens();
        desk.rig.home.run("sync").dies_at(after_it_is_kept);
        desk.rig.home.run("sync").exits(0).silent();
        desk.rig.shop.end_tokens();
        desk.rig.home.run("sync").dies_at(before_it_is_kept);
        if renewed_works {
            desk.rig.home.run("sync").exits(0).silent();
            assert!(desk.kept()["renewal_asked_at"].is_null());
            continue;
        }
        // The script's own token would heal it here: the one before.
        desk.put("refresh_token_before", "11111111.gone-0123456789");
        for _ in 0..2 {
            let done = desk.rig.home.run("sync").exits(4).says("was cut off before its answer was kept");
            done.says("ordersync connect --reauth etsy");
        }
        let waiting = desk.begin("--reauth etsy", "listen", &[]);
        ask("GET", &permit(&waiting.page), "");
        waiting.end().ends(0, "");
        desk.rig.home.run("sync").exits(0).silent();
        desk.rig.shop.revoke();
        let done = desk.rig.home.run("sync").exits(4).says("has revoked the consent");
        done.without("cut off");
    }
}

/// Etsy has put another in its place, and the answer never came.
#[test]
fn f5_a_renewal_whose_answer_is_lost_says_so_where_it_costs_the_consent() {
    let desk = Desk::connected(Options { renewed_works: false, ..Options::rehearsal() });
    desk.rig.shop.end_tokens();
    desk.rig.home.run("sync").exits(0);
    desk.put("refresh_token_before", "11111111.gone-0123456789");
    desk.rig.shop.end_tokens();
    desk.rig.server.faults().add(Fault::new(FaultKind::AnswerLost).on_path(TOKENS));
    for _ in 0..2 {
        let done = desk.rig.home.run("sync").exits(4).says("was cut off before its answer was kept");
        done.says("ordersync connect --reauth etsy");
    }
}

/// A refresh token is spent by its first use, also where nothing comes of the attempt.
#[test]
fn f3_what_takes_the_place_of_a_given_refresh_token_is_kept_until_the_store_stands() {
    let desk = Desk::connected(Options { renewed_works: false, ..Options::rehearsal() });
    let given = desk.kept()["refresh_token"].as_str().unwrap().to_owned();
    desk.rig.home.run("connect --remove etsy").exits(0);
    let connect = |more: &str| desk.rig.home.run(&format!("{}{more}", words_of(&desk))).env(REFRESH, &given);
    desk.rig.server.faults().add(Fault::new(FaultKind::ServerError(503)).on_path("users/me").always());
    for _ in 0..2 {
        connect("").exits(5).says("is kept on this machine").without(&given);
    }
    desk.rig.server.faults().clear();
    connect(" --name other").exits(0);
    let files: Vec<_> =
        std::fs::read_dir(desk.rig.home.path().join("credentials")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, ["other.json"]);
    desk.rig.home.run("sync").exits(0).silent();
    // The same of new credentials for a store that stands.
    let kept = std::fs::read(desk.rig.home.path().join("credentials/other.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let given = kept["refresh_token"].as_str().unwrap();
    let reauth = || desk.rig.home.run("connect --reauth other").env(REFRESH, given);
    desk.rig.server.faults().add(Fault::new(FaultKind::ServerError(503)).on_path("users/me").always());
    reauth().exits(5).says("is kept on this machine");
    desk.rig.server.faults().clear();
    reauth().exits(0);
    desk.rig.home.run("sync").exits(0).silent();
}

#[test]
fn f3_the_refresh_token_before_is_tried_where_its_successor_is_not_known() {
    let desk = Desk::connected(Options::rehearsal());
    let good = desk.kept()["refresh_token"].as_str().unwrap().to_owned();
    desk.put("refresh_token", "11111111.not-known-0123456789");
    desk.put("refresh_token_before", &good);
    desk.rig.shop.end_tokens();
    desk.rig.home.run("sync").exits(0).silent();
    assert_eq!(desk.tokens().len(), 2);
    let kept = desk.kept();
    assert_eq!(kept["refresh_token_before"], good.as_str());
    assert_ne!(kept["refresh_token"], good.as_str());
}

#[test]
fn f1_a_consent_or_a_key_that_is_about_to_end_is_spoken_of() {
    let desk = Desk::connected(Options::rehearsal());
    let at = |days: i64| (chrono::Utc::now() + chrono::TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let ends = || desk.rig.home.json("status")["stores"][0]["credentials_expire_at"].clone();
    assert!(ends().as_str().unwrap() > at(89).as_str(), "{}", ends());
    desk.rig.home.run("status").exits(0).without("your consent");
    desk.rig.home.run("doctor --offline").exits(0);
    desk.put("refresh_token_ends_at", &at(9));
    desk.rig.home.run("status").exits(0).prints("your consent at the channel ends in");
    desk.rig.home.run("doctor --offline").exits(3).prints("your consent at the channel ends in");
    desk.put("refresh_token_ends_at", &at(-1));
    desk.rig.home.run("status").exits(0).prints("has ended by its age").prints("--reauth etsy");
    desk.rig.shop.end_tokens();
    desk.rig.home.run("sync").exits(0);
    desk.rig.home.run("doctor --offline").exits(0);
    let long_ago = at(-155).parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
    desk.rig.home.sql(&format!(
        "UPDATE stores SET connected_at = {long_ago}, last_sync_at = {long_ago}, tested_at = NULL RETURNING id"
    ));
    let done = desk.rig.home.run("doctor --offline").exits(3).prints("the last good call was");
    done.prints("the channel takes the access away").prints("ordersync connect --test etsy");
    desk.rig.home.run("status").exits(0).prints("the last good call was");
    // What asks Etsy has used the key.
    desk.rig.home.run("doctor").exits(0).without("the last good call");
}

#[test]
fn a_browser_walks_through_the_consent() {
    let Some(mut browser) = Chromium::start() else {
        eprintln!("chromium is not installed, so no real browser has walked through the consent");
        return;
    };
    let desk = Desk::new();
    let waiting = desk.begin("etsy", "listen", &[]);
    browser.open(&waiting.page);
    browser.until("!!document.querySelector('#allow')");
    browser.eval("document.querySelector('#allow').click()");
    browser.until("document.body.innerText.includes('heard of your consent')");
    let outcome = waiting.end().ends(0, "");
    assert!(outcome.stdout.contains("GreenCatPottery"), "{outcome:?}");
    desk.rig.home.run("sync").without(REFRESH).exits(0).silent();
    // And says no.
    let waiting = desk.begin("--reauth etsy", "listen", &[]);
    browser.open(&waiting.page);
    browser.until("!!document.querySelector('#deny')");
    browser.eval("document.querySelector('#deny').click()");
    browser.until("document.body.innerText.includes('got no consent')");
    waiting.end().ends(4, "was refused on the page");
    until("nobody listens", || {
        TcpListener::bind(("127.0.0.1", url::Url::parse(&desk.landing).unwrap().port().unwrap())).is_ok()
    });
}
