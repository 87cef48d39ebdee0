//! The proxies of `docs/instasync.md`, started for real with the very lines that stand there: only
//! names, ports and certificates are others. Where one is not installed, its test says so and passes.

#![cfg(all(feature = "simulator", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ordersync::sim::Simulated;
use rustls::pki_types::pem::PemObject;
use support::program::until;
use support::woo::Rig;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.0.wait();
    }
}

/// The lines of the page between these fences.
fn snippet(language: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/instasync.md")).unwrap();
    let begin = format!("```{language}\n");
    let mut found = page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let one = found.next().unwrap();
    assert!(found.next().is_none(), "several of {language}");
    one
}

/// With another text in the place of one that must be there.
fn with(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "no {old:?} in {text}");
    text.replace(old, new)
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The program, where it is installed.
fn installed(program: &str) -> Option<String> {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/sbin"].map(str::to_owned);
    let path = std::env::var("PATH").unwrap_or_default();
    let all = path.split(':').map(str::to_owned).chain(places);
    let found = all.map(|dir| format!("{dir}/{program}")).find(|file| std::path::Path::new(file).is_file());
    if found.is_none() {
        println!("skipped: {program} is not installed here");
    }
    found
}

/// What is answered to a body of so many bytes.
fn posted(port: u16, pem: &str, path: &str, length: usize) -> u16 {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let mut session = rustls::ClientConnection::new(config, name).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    tls.write_all(head.as_bytes()).unwrap();
    let part = vec![b'x'; 64 * 1024];
    let mut left = length;
    while left > 0 {
        // Who is refused is not listened to any further.
        match tls.write(&part[..left.min(part.len())]) {
            Ok(written) if written > 0 => left -= written,
            _ => break,
        }
    }
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.windows(2).any(|end| end == b"\r\n") {
        match tls.read(&mut part) {
            Ok(read) if read > 0 => answer.extend_from_slice(&part[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Runs `proxy` before a receiver, and goes all ways through it.
fn proven(name: &str, proxy: impl FnOnce(&std::path::Path, u16, u16) -> Command) {
    let rig = Rig::new();
    let (dir, near, far) = (tempfile::tempdir().unwrap(), port(), port());
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::NoCa;
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(dir.path().join("fullchain.pem"), &pem).unwrap();
    std::fs::write(dir.path().join("privkey.pem"), key.serialize_pem()).unwrap();
    let listen = format!("listen --bind 127.0.0.1:{near} --public-url http://127.0.0.1:{near}/ordersync");
    let listening = Running(rig.home.spawn(&listen, &[]));
    until("the subscriptions", || rig.shop.letters().len() == 4);
    until("what is written down of it", || !rig.home.sql("SELECT 1 FROM hooks WHERE checked_at > 0").is_empty());
    let hook = rig.shop.hooks()[0].address.split_once(&format!(":{near}")).unwrap().1.to_owned();
    let mut command = proxy(dir.path(), near, far);
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let _proxy = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    let said = || std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    until(&format!("{name}, which said: {}", said()), || TcpStream::connect(("127.0.0.1", far)).is_ok());

    // The whole way: TLS, the path, a large body that is signed.
    rig.home.sql(&format!("UPDATE hooks SET address = 'https://localhost:{far}/ordersync' RETURNING 1"));
    let file = dir.path().join("fullchain.pem");
    let test = || rig.home.run("listen send-test").env("SSL_CERT_FILE", file.to_str().unwrap()).without("SSL_CERT_DIR");
    test().exits(0).prints("came to ordersync listen");
    // What is not signed comes through as well, to be refused there, up to the limit.
    assert_eq!(posted(far, &pem, &hook, 1_000_000), 401, "{}", said());
    // Caddy reads a body while it hands it on, so its refusal may come as a broken connection to the receiver.
    let refused = posted(far, &pem, &hook, 3_000_000);
    assert!(refused == 413 || (name == "Caddy" && refused == 502), "{refused}: {}", said());
    // Nothing beside the path is handed on.
    assert_eq!(posted(far, &pem, &hook.replace("/ordersync", ""), 10), 404, "{}", said());
    // The certificate is a real one: nobody else trusts it.
    let other = rig.home.run("listen send-test").without("SSL_CERT_FILE").without("SSL_CERT_DIR").exits(1);
    assert!(other.stderr.contains("certificate: "), "{other:?}");
    drop(listening);
    let gone = test().done();
    assert!(gone.code == Some(1) && gone.stderr.contains("listen: the proxy at"), "{gone:?}");
}

#[test]
fn w1_the_lines_for_caddy_bring_deliveries_to_the_receiver() {
    let Some(program) = installed("caddy") else { return };
    proven("Caddy", |dir, near, far| {
        let site = with(
            &snippet("caddy"),
            "orders.example.com {",
            &format!("localhost:{far} {{\n    tls {0}/fullchain.pem {0}/privkey.pem", dir.display()),
        );
        let site = with(&site, "127.0.0.1:8788", &format!("127.0.0.1:{near}"));
        let file = dir.join("Caddyfile");
        std::fs::write(&file, format!("{{\n    admin off\n    auto_https disable_redirects\n}}\n{site}")).unwrap();
        let mut command = Command::new(program);
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(file)
            .env("HOME", dir)
            .env("XDG_DATA_HOME", dir);
        command
    });
}

#[test]
fn w1_the_lines_for_nginx_bring_deliveries_to_the_receiver() {
    let Some(program) = installed("nginx") else { return };
    proven("nginx", |dir, near, far| {
        let server = with(&snippet("nginx"), "listen 443 ssl", &format!("listen 127.0.0.1:{far} ssl"));
        let server = with(&server, "server_name orders.example.com", "server_name localhost");
        let server = with(&server, "/etc/letsencrypt/live/orders.example.com", &dir.display().to_string());
        let server = with(&server, "127.0.0.1:8788", &format!("127.0.0.1:{near}"));
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|what| format!("    {what}_temp_path {}/{what};\n", dir.display()))
            .collect();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}{server}}}\n",
            dir.display()
        );
        let file = dir.join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(dir).arg("-c").arg(file);
        command
    });
}
