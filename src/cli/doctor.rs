//! `ordersync doctor`.

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::{Book, Store};
use crate::clock::rfc3339;
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result};

/// Check the installation and every store.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write what a report needs to a file; without secrets and without personal data
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "ordersync-bundle.json")]
    bundle: Option<std::path::PathBuf>,
    /// Do not talk to any channel
    #[arg(long)]
    offline: bool,
}

struct Finding {
    /// Which check it is: all that a bundle says of it.
    check: &'static str,
    /// What was checked, with names.
    what: String,
    problem: Option<String>,
    hint: Option<String>,
}

impl Finding {
    fn good(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, what: what.into(), problem: None, hint: None }
    }

    fn bad(check: &'static str, what: impl Into<String>, problem: impl Into<String>, hint: Option<&str>) -> Self {
        Self { check, what: what.into(), problem: Some(problem.into()), hint: hint.map(str::to_owned) }
    }
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut findings = Vec::new();
    let book = Book::open_existing(&app.context.home.book(), app.context.clock.clone());
    match &book {
        Err(error) => findings.push(Finding::bad("book", "book", error.message(), error.hint_text())),
        Ok(None) => {
            findings.push(Finding::bad("book", "book", "there is none yet", Some("ordersync connect woocommerce")))
        }
        Ok(Some(book)) => {
            findings.push(check_book(book)?);
            for store in book.stores()? {
                findings.push(check_file(app, &store));
                if !args.offline {
                    findings.extend(check_store(app, &store));
                }
            }
        }
    }
    if let Some(file) = &args.bundle {
        bundle(app, file, book.as_ref().ok().and_then(Option::as_ref), &findings)?;
    }
    print(app, &findings)?;
    Ok(if findings.iter().all(|f| f.problem.is_none()) { 0 } else { EXIT_PARTLY })
}

fn check_book(book: &Book) -> Result<Finding> {
    let check = book.check()?;
    let size = book.size()?;
    let what = format!("book: {}, {:.1} MB", output::count(size.orders, "order"), size.bytes as f64 / 1e6);
    Ok(match check.faults.first() {
        None => Finding::good("book", what),
        Some(first) => {
            let problem = format!("damaged: {first} ({} faults)", check.faults.len());
            Finding::bad("book", what, problem, Some("restore the latest ordersync backup, then ordersync sync --full"))
        }
    })
}

/// The credentials file: there, readable, and for nobody else.
fn check_file(app: &App, store: &Store) -> Finding {
    let what = format!("{}: credentials file", store.name);
    let vault = app.context.vault();
    if let Err(error) = vault.read(&store.name) {
        return Finding::bad("credentials file", what, error.message(), error.hint_text());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = vault.path(&store.name);
        let mode = std::fs::metadata(&path).map(|data| data.permissions().mode() & 0o777).unwrap_or(0o600);
        if mode & 0o077 != 0 {
            let hint = format!("chmod 600 '{}'", path.display());
            return Finding::bad("credentials file", what, format!("others can read it (mode {mode:o})"), Some(&hint));
        }
    }
    Finding::good("credentials file", what)
}

/// The connection, and the clocks on both sides: signatures and cursors go wrong where they are hours apart.
fn check_store(app: &App, store: &Store) -> Vec<Finding> {
    let what = format!("{}: connection", store.name);
    let open = match app.context.open(store) {
        Ok(open) => open,
        Err(error) => return vec![Finding::bad("connection", what, error.message(), error.hint_text())],
    };
    let probed = open.channel.probe();
    let mut findings = vec![match &probed {
        Ok(shop) => Finding::good("connection", format!("{what}: {} ({})", shop.title, shop.url)),
        Err(error) => Finding::bad("connection", what, error.message(), error.hint_text()),
    }];
    if let Ok(shop) = &probed {
        findings.extend(
            shop.warnings.iter().map(|warning| Finding::good("note", format!("{}: note: {warning}", store.name))),
        );
    }
    if let Some(apart) = open.http.clock_difference().filter(|apart| apart.num_minutes().abs() >= 5) {
        let problem = format!("this machine's clock and the shop's are {} apart", output::duration(apart.abs()));
        findings.push(Finding::bad(
            "clock",
            format!("{}: clock", store.name),
            problem,
            Some("set the clock (timedatectl set-ntp true)"),
        ));
    }
    findings
}

fn print(app: &App, findings: &[Finding]) -> anyhow::Result<()> {
    if app.global.json {
        let rows: Vec<_> = findings
            .iter()
            .map(|f| json!({ "what": f.what, "ok": f.problem.is_none(), "problem": f.problem, "hint": f.hint }))
            .collect();
        return output::print_json(&rows);
    }
    for f in findings {
        match &f.problem {
            None => output::line(&format!("ok    {}", f.what))?,
            Some(problem) => output::line(&format!("BAD   {}: {problem}", f.what))?,
        }
        if let Some(hint) = &f.hint {
            output::line(&format!("      {hint}"))?;
        }
    }
    Ok(())
}

/// Versions, counts, runs and errors: no secret, no name, no address, no document.
fn bundle(app: &App, file: &std::path::Path, book: Option<&Book>, findings: &[Finding]) -> anyhow::Result<()> {
    let mut stores = Vec::new();
    let mut runs = Vec::new();
    let mut inbox = Vec::new();
    if let Some(book) = book {
        let (counts, drifted) = book.counts()?;
        for store in book.stores()? {
            let orders: serde_json::Map<_, _> = counts
                .iter()
                .filter(|((id, _), _)| *id == store.id)
                .map(|((_, status), n)| ((*status).to_owned(), json!(n)))
                .collect();
            let (outbox, oldest) = book.outbox_age(store.id)?;
            stores.push(json!({
                "channel": store.kind.word(), "connected_at": rfc3339(store.connected_at), "facts": facts(&store),
                "orders": orders, "drifted": drifted, "outbox": outbox, "oldest_at": oldest.map(rfc3339),
                "tested": store.test.as_ref().map(|(at, error)| json!({ "at": rfc3339(*at), "passed": error.is_none() })),
            }));
        }
        for r in book.runs(50)? {
            runs.push(json!({
                "kind": r.kind, "started_at": rfc3339(r.started_at), "finished_at": r.finished_at.map(rfc3339),
                "fetched": r.tally.fetched(), "new": r.tally.new, "changed": r.tally.changed, "failed": r.tally.failed,
                "sent": r.exported, "requests": r.requests, "failed_with": r.error.is_some(),
            }));
        }
        inbox =
            book.inbox(false)?.into_iter().map(|e| json!({ "kind": e.kind, "at": rfc3339(e.created_at) })).collect();
    }
    let value = json!({
        "program": env!("CARGO_PKG_VERSION"), "system": std::env::consts::OS, "machine": std::env::consts::ARCH,
        "at": rfc3339(app.context.clock.now()),
        "checks": findings.iter().map(|f| json!({ "ok": f.problem.is_none(), "check": f.check })).collect::<Vec<_>>(),
        "stores": stores, "runs": runs, "inbox": inbox,
    });
    std::fs::write(file, format!("{value:#}\n"))
        .map_err(|e| Error::new(ErrorKind::Failed, format!("{} cannot be written: {e}", file.display())))?;
    output::note(&format!(
        "{} holds what a report needs: no secrets, no personal data; look before you send it",
        file.display()
    ));
    Ok(())
}

/// Of what the adapter found out, only what says nothing about who the merchant is: versions and yes/no.
fn facts(store: &Store) -> serde_json::Value {
    let Some(all) = store.facts.as_object() else { return json!({}) };
    all.iter()
        .filter(|(key, value)| value.is_boolean() || value.is_number() || key.contains("version"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
