//! `ordersync connect` as a program: flags, files and variables, TLS and proxies, homes. On one
//! store; what every channel keeps is in `tests/contract`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::path::Path;

use ordersync::sim::woocommerce::*;
use support::program::{Home, until};
use support::tls::{over_tls, over_tls_with};
use support::woo::{self, Rig, Served};

/// The environment variables that hold the secrets.
const KEY: &str = "ORDERSYNC_CONSUMER_KEY";
const SECRET: &str = "ORDERSYNC_CONSUMER_SECRET";

fn served() -> Served {
    Served::new(Options::demo())
}

/// Whoever gives up at the question for a secret has a terminal that shows again what is typed.
#[cfg(unix)]
#[test]
fn ctrl_c_at_a_hidden_question_leaves_the_terminal_as_it_was() {
    use nix::sys::termios::{LocalFlags, tcgetattr};
    use std::io::Read;
    let shop = served();
    let home = woo::home();
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(None, None).unwrap();
    let echo = || tcgetattr(&slave).unwrap().local_flags.contains(LocalFlags::ECHO);
    let mut child = home.spawn_at(&slave, &format!("connect woocommerce --url {}", shop.server.url()), SECRET);
    until("the question", || !echo());
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(echo(), "the echo is on");
    drop(slave);
    let mut said = Vec::new();
    // A terminal that nobody holds any more ends with an error.
    let _ = std::fs::File::from(master).read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("interrupted; nothing is connected"), "{said}");
}

/// Nobody looks for keys and types them for an address at which nothing is.
#[cfg(unix)]
#[test]
fn a_wrong_address_is_told_before_a_secret_is_asked_for() {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let (shop, home) = (served(), woo::home());
    let plain = shop.server.url().replace("http://", "https://");
    for (address, says) in [(format!("http://{closed}"), "cannot be reached"), (plain, "does not speak TLS")] {
        let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(None, None).unwrap();
        let mut child = home.spawn_at(&slave, &format!("connect woocommerce --url {address}"), SECRET);
        assert_ne!(child.wait().unwrap().code(), Some(0));
        drop(slave);
        let mut said = Vec::new();
        let _ = std::fs::File::from(master).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(says) && !said.to_lowercase().contains("consumer secret"), "{said}");
    }
}

/// What stands at a port without encryption is no matter of certificates, nor of waiting.
#[test]
fn x2_a_port_that_serves_plain_http_is_said_to_and_named_as_the_address_to_try() {
    let (shop, home) = (served(), woo::home());
    let address = shop.server.url().replace("http://", "");
    for url in [format!("https://{address}"), address.clone()] {
        let done = home.run(&format!("connect woocommerce --url {url}")).done();
        if url == address && done.code == Some(0) {
            continue;
        }
        assert_eq!(done.code, Some(1), "{done:?}");
        done.says("does not speak TLS").says(&format!("http://{address}")).says("nothing was sent").without("corrupt");
    }
}

#[test]
fn a_credentials_file_with_a_slip_is_refused_by_name_and_its_values_are_not_repeated() {
    let home = Home::new();
    for (text, says) in [
        ("consumer_kee = \"ck_1\"", "consumer_kee"),
        ("{\"consumer_key\": [\"ck_1\"]}", "consumer_key"),
        ("ck_1 cs_1", "no TOML"),
    ] {
        let file = home.file("key", text);
        let done = home.run(&format!("connect woocommerce --url x.test --credentials {file}")).exits(2);
        done.says(says).says("nothing was connected").without("ck_1\"").without("cs_1");
    }
}

/// An open checkout is no order yet: what is told to be there is what comes.
#[test]
fn i2_an_open_checkout_is_not_counted_as_an_order() {
    let (shop, home) = (served(), woo::home());
    for status in ["processing", "pending", "checkout-draft"] {
        shop.shop.place_order(NewOrder::paid().status(status).line("TEE-001", 1));
    }
    home.run(&format!("connect woocommerce --url {}", shop.server.url())).exits(0).prints("2 at the channel");
    home.run("sync -v").exits(0).prints("2 new");
}

/// What cannot work here is not advised.
#[cfg(target_os = "linux")]
#[test]
fn i1_a_timer_is_advised_only_where_one_can_be_installed() {
    let (shop, home) = (served(), woo::home());
    let bare = |words: &str| home.run(words).env("PATH", "/nonexistent").without("XDG_RUNTIME_DIR");
    let connected = bare(&format!("connect woocommerce --url {}", shop.server.url())).exits(0);
    connected.prints("ordersync sync --autosync   (have anything run that").without("schedule install");
    let told = bare("status").exits(0).prints("no timer can be installed on this machine");
    told.prints("ordersync sync --autosync").without("schedule install");
    let session = home.path().join("session");
    std::fs::create_dir_all(session.join("systemd")).unwrap();
    std::fs::write(session.join("systemd/private"), "").unwrap();
    let session = session.to_str().unwrap();
    home.run("status").env("XDG_RUNTIME_DIR", session).exits(0).prints("ordersync schedule install syncs");
}

/// The orders stay in the book, so nobody is told that there are none.
#[test]
fn p8_a_book_without_a_connected_store_tells_of_the_orders_that_it_keeps() {
    let (shop, home) = (served(), woo::home());
    home.run("status").exits(7).says("no store is connected yet");
    for _ in 0..2 {
        shop.shop.place_order(NewOrder::paid().line("TEE-001", 1));
    }
    home.run(&format!("connect woocommerce --url {}", shop.server.url())).exits(0);
    home.run("sync").exits(0);
    home.run("connect --remove woocommerce").exits(0);
    let told = home.run("sync").exits(7).says("no store is connected any more").without("yet");
    told.says("2 orders of woocommerce").says("ordersync connect woocommerce takes woocommerce");
    // What stands there is told, and nothing of it is wrong.
    let told = home.run("status").exits(0).prints("no store is connected any more").without("yet");
    told.prints("2 orders of woocommerce").prints("ordersync connect woocommerce takes woocommerce");
    home.run("connect --list").exits(0).says("keeps 2 orders of woocommerce");
}

#[test]
fn a_store_with_something_still_to_be_told_is_removed_by_force_only() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.sync();
    rig.home.run(&format!("dispatch woocommerce:{id} --carrier ups --tracking 1Z1 --later")).exits(0);
    let done = rig.home.run("connect --remove woocommerce").exits(6);
    done.says("row 1, dispatch of order 1").says("nothing was changed").says("--force");
    assert_eq!(rig.home.json("outbox").as_array().unwrap().len(), 1);
    rig.home.run("connect --test woocommerce").exits(0);
    rig.home.run("connect --remove woocommerce --force").exits(0);
    let orders = rig.home.json("orders --channel woocommerce");
    assert_eq!(orders.as_array().unwrap().len(), 1, "its orders can still be asked for");
    rig.home.run("orders --channel other").exits(7).says("woocommerce");
}

#[test]
fn x2_a_shop_with_an_authority_of_its_own_is_trusted_only_when_told_to() {
    let (served, pem) = over_tls(Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() });
    let rig = Rig { served, home: woo::home() };
    let id = rig.paid(1);
    rig.connect("").exits(1).says("does not prove that it is itself").says("--ca-file");
    assert!(rig.server.requests().is_empty(), "nothing is said to a stranger");
    let file = rig.home.file("ca.pem", &pem);
    rig.connect(&format!("--ca-file {file}")).exits(0);
    rig.sync();
    assert_eq!(rig.status(id), "awaiting-fulfillment");
    let scheme = |one: &ordersync::sim::Exchange| {
        one.headers.iter().any(|(n, v)| n == "authorization" && v.starts_with("Basic"))
    };
    assert!(rig.server.requests().iter().any(scheme));
}

/// A bare container has none.
#[cfg(target_os = "linux")]
#[test]
fn x2_a_machine_without_certificate_authorities_trusts_nobody_and_is_not_needed_to_on_loopback() {
    let home = || woo::home().env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
    let (served, pem) = over_tls(Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() });
    let rig = Rig { served, home: home() };
    rig.connect("").exits(1).says("knows no certificate authorities").says("ca-certificates");
    assert!(rig.server.requests().is_empty(), "nothing is said to a stranger");
    let file = rig.home.file("ca.pem", &pem);
    rig.connect(&format!("--ca-file {file}")).exits(0);
    let plain = Rig { served: self::served(), home: home() };
    plain.connect("").exits(0);
}

#[test]
fn x2_plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let home = woo::home();
    home.run("connect woocommerce --url http://shop.example.test")
        .exits(6)
        .says("--allow-http")
        .says("nothing was sent");
}

#[test]
fn c5_another_endpoint_stands_in_for_every_request() {
    let shop = served();
    let home = woo::home();
    let connect = format!("connect woocommerce --url https://shop.example.test --endpoint {}", shop.server.url());
    home.run(&connect).exits(0);
    shop.paid(1);
    home.run("sync").exits(0).silent();
    assert_eq!(home.json("orders").as_array().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn x1_what_is_kept_is_for_its_owner_only_and_secrets_are_nowhere_but_in_their_file() {
    use std::os::unix::fs::PermissionsExt;
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01", ids[0])).exits(0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = rig.home.path();
    assert_eq!(mode(&home.join("credentials")), 0o700);
    assert_eq!(mode(&home.join("credentials/woocommerce.json")), 0o600);
    assert_eq!(mode(&home), 0o700);
    for entry in
        std::fs::read_dir(&home).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "credentials")
    {
        if entry.path().is_file() {
            assert_eq!(mode(&entry.path()) & 0o077, 0, "{:?}", entry.file_name());
        }
        rig.home.assert_no_secret_in(&entry.path());
    }
    let backup = rig.home.beside("copy.sqlite");
    rig.home.run(&format!("backup {}", backup.display())).exits(0);
    rig.home.assert_no_secret_in(&backup);
    assert_eq!(mode(&backup) & 0o077, 0);
}

/// A certificate that is no good is told as what it is: waiting does not mend it, nor does any
/// other advice.
#[test]
fn x2_a_certificate_that_has_expired_or_is_for_another_name_is_told_with_its_remedy() {
    let options = || Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() };
    let params = |name: &str| rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let mut old = params("127.0.0.1");
    (old.not_before, old.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    let mut young = params("127.0.0.1");
    (young.not_before, young.not_after) = (rcgen::date_time_ymd(2090, 1, 1), rcgen::date_time_ymd(2099, 1, 1));
    for (params, said, remedy) in [
        (old, "has expired", "renew"),
        (young, "not valid yet", "clock"),
        (params("other.example.test"), "for another name", "check the address"),
    ] {
        let (served, pem) = over_tls_with(options(), params);
        let rig = Rig { served, home: woo::home() };
        let file = rig.home.file("ca.pem", &pem);
        rig.connect(&format!("--ca-file {file}")).exits(1).says(said).says(remedy).without("--ca-file at connect");
        assert!(rig.server.requests().is_empty(), "nothing is said to a stranger");
    }
}

#[test]
fn c4_what_was_named_wins_over_what_lies_about() {
    let (wrong, shop) = ("ck_0000000000000000000000000000000000000000", served());
    let home = woo::home();
    let file = home
        .file("key.toml", &format!("consumer_key = \"{REHEARSAL_KEY}\"\nconsumer_secret = \"{REHEARSAL_SECRET}\"\n"));
    let connect = |name: &str| format!("connect woocommerce --name {name} --url {}", shop.server.url());
    let named = format!("{} --credentials {file}", connect("a"));
    // The file, whatever the environment says, in either form.
    let own = "ORDERSYNC_WOOCOMMERCE_CONSUMER_KEY";
    home.run(&named).env(KEY, wrong).env(SECRET, "cs_x").env(own, wrong).exits(0);
    home.run("connect --remove a").exits(0);
    // Half a file: the channel's own variables fill it up, the short ones, which are another
    // channel's as well, do not.
    let half = home.file("half.toml", &format!("consumer_secret = \"{REHEARSAL_SECRET}\"\n"));
    let halved = format!("{} --credentials {half}", connect("a"));
    home.run(&halved).exits(2).says("ORDERSYNC_WOOCOMMERCE_CONSUMER_KEY");
    home.run(&halved).env(own, REHEARSAL_KEY).exits(0);
    home.run("connect --remove a").exits(0);
    // Without a file the channel's own win over the short ones.
    home.run(&connect("a")).env(KEY, wrong).env(own, REHEARSAL_KEY).exits(0);
    let kept = std::fs::read_to_string(home.path().join("credentials/a.json")).unwrap();
    assert!(!kept.contains(wrong));
}

#[cfg(unix)]
#[test]
fn a_certificate_file_that_is_none_is_not_waited_for() {
    let rig = Rig { served: served(), home: woo::home() };
    let pipe = rig.home.beside("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for file in [pipe.to_string_lossy().as_ref(), "/dev/zero", "/"] {
        rig.connect(&format!("--ca-file {file}")).exits(2).says("it is not a file").says("nothing was sent");
    }
    assert!(rig.server.requests().is_empty());
}

#[test]
fn x6_an_endpoint_with_more_than_scheme_host_and_port_is_refused_and_not_repeated() {
    let rig = Rig::new();
    for bad in [
        "http://ann:pa55word@127.0.0.1:1",
        "http://127.0.0.1:1/?key=pa55word",
        "http://127.0.0.1:1/pa55word",
        "pa55word",
    ] {
        rig.home
            .run(&format!("connect woocommerce --name b --url https://b.test --endpoint {bad}"))
            .exits(2)
            .without("pa55word");
        rig.home.run(&format!("config set woocommerce.endpoint {bad}")).exits(2).without("pa55word");
    }
    // As an older version has kept it.
    let url = rig.server.url().replacen("://", "://ann:pa55word@", 1);
    rig.home.sql(&format!(
        "UPDATE stores SET settings = json_set(settings, '$.endpoint', '{url}/x?y=pa55word') RETURNING id"
    ));
    for words in ["config", "config --json", "connect --list --json", "sync -v", "config get woocommerce.endpoint"] {
        rig.home.run(words).exits(0).without("pa55word");
    }
}

#[test]
fn x5_this_machine_is_never_reached_through_a_proxy() {
    let rig = Rig { served: served(), home: woo::home() };
    let proxied = |words: &str| {
        let call = rig.home.run(words).without("NO_PROXY").without("no_proxy");
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
            .iter()
            .fold(call, |call, name| call.env(name, "http://127.0.0.1:9"))
    };
    for url in [rig.server.url().to_owned(), rig.server.url().replace("127.0.0.1", "localhost")] {
        proxied(&format!("connect woocommerce --url {url}")).exits(0);
        proxied("sync").exits(0);
        rig.home.run("connect --remove woocommerce").exits(0);
    }
}

#[cfg(unix)]
#[test]
fn a_credentials_file_may_be_a_pipe_and_is_small() {
    let shop = served();
    let home = Home::new();
    let pipe = home.beside("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let text = format!("consumer_key = \"{REHEARSAL_KEY}\"\nconsumer_secret = \"{REHEARSAL_SECRET}\"\n");
            std::fs::write(pipe, text).unwrap();
        })
    };
    home.run(&format!("connect woocommerce --url {} --credentials {}", shop.server.url(), pipe.display())).exits(0);
    writer.join().unwrap();
    let connect = format!("connect woocommerce --name b --url {} --credentials", shop.server.url());
    home.run(&format!("{connect} /dev/zero")).exits(2).says("larger than");
    home.run(&format!("{connect} {}", home.path().display())).exits(2);
}

#[test]
fn c7_what_was_typed_is_repeated_without_its_escapes() {
    let home = Home::new();
    for words in [&["\u{1b}[31mred"][..], &["orders", "--status", "\u{1b}]0;x\u{7}"], &["connect", "\u{1b}[2J"]] {
        home.call(words).exits(2).without("\u{1b}").without("\u{7}");
    }
}

/// Everything but this machine is reached through the proxy that the environment names.
#[test]
fn x5_another_machine_is_reached_through_the_proxy() {
    let shop = served();
    let home = woo::home();
    let connect = "connect woocommerce --url http://shop.example.test --allow-http";
    home.run(connect).without("NO_PROXY").without("no_proxy").env("http_proxy", shop.server.url()).exits(0);
    assert!(!shop.server.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn f4_a_home_that_may_not_be_looked_into_is_not_called_empty() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let rig = Rig::new();
    let home = rig.home.path();
    let root = std::fs::metadata(&home).unwrap().uid() == 0;
    let run = |words: &str| if root { rig.home.run(words).user(65_534) } else { rig.home.run(words) };
    if root {
        // Permissions mean nothing to root, so it plays another user, to whom all but the home is
        // open.
        chown(home.parent().unwrap(), Some(65_534), Some(65_534)).unwrap();
    } else {
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    for words in ["orders", "sync", "status", "connect --list"] {
        run(words).exits(1).says("ermission").without("no store is connected");
    }
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
}
