//! `ordersync doctor`.

use serde_json::json;

use super::output;
use super::status::{consent_ending, key_ending, lapsing};
use super::{App, Outcome};
use crate::book::{Book, Fault, Store, exposed};
use crate::channel::format;
use crate::clock::rfc3339;
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result};
use crate::http::message_signature::key_ends_at;
use crate::http::oauth2::consent_ends_at;
use crate::listen::presence;
use crate::order::sums::balanced_copy;
use crate::sync::goes_by::Versions;

/// Check the installation and every store.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write what a report needs to a file; without secrets and without personal data
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "ordersync-bundle.json")]
    bundle: Option<std::path::PathBuf>,
    /// Do not talk to any channel
    #[arg(long)]
    offline: bool,
    /// Make orders whose sums do not hold anew from the channel's documents that the book has
    #[arg(long)]
    mend: bool,
}

/// How many orders are named for one kind of flaw.
const NAMED: usize = 10;

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

    /// What failed, and what the error advises.
    fn failed(check: &'static str, what: impl Into<String>, error: &Error) -> Self {
        Self { check, what: what.into(), problem: Some(error.message().to_owned()), hint: output::advice(error) }
    }

    fn bad(check: &'static str, what: impl Into<String>, problem: impl Into<String>, hint: Option<&str>) -> Self {
        Self { check, what: what.into(), problem: Some(problem.into()), hint: hint.map(str::to_owned) }
    }
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut findings = Vec::new();
    let book = Book::open_existing(&app.context.home.book(), app.context.clock.clone());
    match &book {
        Err(error) => findings.push(Finding::failed("book", "book", error)),
        Ok(None) => findings.push(Finding::bad("book", "book", "there is none yet", Some("ordersync connect CHANNEL"))),
        Ok(Some(book)) => {
            findings.push(check_book(book)?);
            findings.extend(check_rights(app));
            if args.mend {
                mend(app)?;
            }
            findings.extend(check_orders(book, args.mend)?);
            for store in book.stores()? {
                findings.push(check_file(app, &store));
                findings.extend(check_endpoint(app, book, &store)?);
                findings.extend(check_webhooks(app, book, &store)?);
                let connection = if args.offline { Vec::new() } else { check_store(app, &store) };
                // What was answered just now is used and renewed.
                let answered = connection.iter().any(|finding| finding.problem.is_none());
                findings.extend(connection);
                findings.extend(check_access(app, &store, answered));
            }
        }
    }
    print(app, &findings)?;
    if let Some(file) = &args.bundle {
        bundle(app, file, book.as_ref().ok().and_then(Option::as_ref), &findings)?;
    }
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

/// The orders whose sums or pieces do not hold, and those that are shipped only here.
#[derive(Default)]
struct Flaws {
    sums: Named,
    too_large: Named,
    pieces: Named,
    uncounted: Named,
    in_vain: Named,
    unseen: Named,
}

/// Some of the orders with a flaw by their numbers, and how many there are.
#[derive(Default)]
struct Named {
    orders: u64,
    first: Vec<(i64, String)>,
}

impl Named {
    fn add(&mut self, order: i64, detail: String) {
        self.orders += 1;
        if self.first.len() < NAMED {
            self.first.push((order, detail));
        }
    }

    fn finding(&self, problem: &str, hint: &str) -> Option<Finding> {
        let (first, _) = self.first.first()?;
        let names: Vec<String> = self.first.iter().map(|(order, detail)| format!("{order}{detail}")).collect();
        let more = self.orders - self.first.len() as u64;
        let more = if more > 0 { format!(" and {} more", output::number(more)) } else { String::new() };
        let problem = format!("{problem}: {}{more}", names.join(", "));
        Some(Finding::bad("orders", "orders", problem, Some(&hint.replace("ORDER", &first.to_string()))))
    }
}

fn flaws(book: &Book) -> Result<Flaws> {
    let mut flaws = Flaws::default();
    book.audit(&mut |flaw| match flaw.fault {
        Fault::Sums(rest) => flaws.sums.add(flaw.order, format!(" (by {})", rest.normalize())),
        Fault::TooLarge => flaws.too_large.add(flaw.order, String::new()),
        Fault::Pieces => flaws.pieces.add(flaw.order, String::new()),
        Fault::Uncounted => flaws.uncounted.add(flaw.order, String::new()),
        Fault::InVain(row) => flaws.in_vain.add(flaw.order, format!(" (row {row})")),
        Fault::Unseen => flaws.unseen.add(flaw.order, String::new()),
    })?;
    Ok(flaws)
}

fn check_orders(book: &Book, mended: bool) -> Result<Vec<Finding>> {
    let flaws = flaws(book)?;
    let anew = "ordersync doctor --mend makes them anew from the documents in the book";
    let there = "mend the order in the shop, then ordersync pull ORDER and ordersync accept ORDER";
    let sums = if mended { there } else { anew };
    let row = flaws
        .in_vain
        .first
        .first()
        .map_or(String::new(), |(_, row)| row.replace([' ', '(', ')'], "").replace("row", ""));
    let back = format!("ordersync retry book:ORDER sends it again; ordersync outbox --withdraw {row} takes it back");
    let found = [
        flaws.sums.finding("the parts are not the total, and no charge says why", sums),
        flaws.too_large.finding("amounts that nobody can mean", sums),
        flaws.pieces.finding(
            "more is sent or given back than was ordered",
            "ordersync show book:ORDER --history tells what was sent",
        ),
        flaws.uncounted.finding(
            "a number of pieces that cannot be read",
            "ordersync pull book:ORDER and ordersync accept book:ORDER take it over from the channel anew",
        ),
        flaws.in_vain.finding("shipped here, but the dispatch was refused and the channel does not know", &back),
        flaws.unseen.finding(
            "the version that you last saw is lost, so nothing goes out",
            "ordersync pull book:ORDER reads the channel's; ordersync show book:ORDER and ordersync accept book:ORDER make it yours",
        ),
    ];
    let found: Vec<Finding> = found.into_iter().flatten().collect();
    Ok(if found.is_empty() { vec![Finding::good("orders", "orders: sums and pieces add up")] } else { found })
}

/// The orders whose sums do not hold.
fn with_wrong_sums(book: &Book) -> Result<Vec<i64>> {
    let mut orders = Vec::new();
    book.audit(&mut |flaw| {
        if matches!(flaw.fault, Fault::Sums(_) | Fault::TooLarge) {
            orders.push(flaw.order);
        }
    })?;
    Ok(orders)
}

/// Makes every copy whose sums do not hold anew, from the documents that it was made of.
fn mend(app: &App) -> Result<()> {
    let mut book = app.existing_book()?;
    let orders = with_wrong_sums(&book)?;
    let stores = book.stores()?;
    let mut anew = Vec::new();
    for order in orders {
        let store = book.order(order)?.store;
        let Some(store) = stores.iter().find(|known| known.name == store) else { continue };
        let event = book.last_event(order)?;
        // One that is not understood any more is left as it is, and named.
        let read = |book: &Book| Versions::read(book, order, format(store.kind, &store.values)?.as_ref());
        if let Ok(Some(versions)) = read(&book)
            && book.remake(order, event, &balanced_copy(versions.written))?
        {
            anew.push(order);
        }
    }
    // One whose documents say no better is as it was, and is named.
    let still = if anew.is_empty() { Vec::new() } else { with_wrong_sums(&book)? };
    let mended = anew.iter().filter(|order| !still.contains(order)).count() as u64;
    if mended > 0 {
        output::note(&format!("{} made anew from the documents in the book", output::count(mended, "order")));
    }
    Ok(())
}

/// Whether the book is its owner's alone.
fn check_rights(app: &App) -> Vec<Finding> {
    let book = app.context.home.book();
    exposed(&book).into_iter().map(|problem| Finding::bad("rights", "rights of the book", problem, None)).collect()
}

/// The credentials file: there, readable, and for nobody else.
fn check_file(app: &App, store: &Store) -> Finding {
    let what = format!("{}: credentials file", store.name);
    let credential_store = app.context.credential_store();
    if let Err(error) = credential_store.read(&store.name) {
        return Finding::failed("credentials file", what, &error);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = credential_store.path(&store.name);
        let mode = std::fs::metadata(&path).map(|data| data.permissions().mode() & 0o777).unwrap_or(0o600);
        if mode & 0o077 != 0 {
            let hint = format!("chmod 600 '{}'", path.display());
            return Finding::bad("credentials file", what, format!("others can read it (mode {mode:o})"), Some(&hint));
        }
    }
    Finding::good("credentials file", what)
}

/// The address where the channel asks and tells. One that looks whether somebody is there wants to be
/// answered always, and not only about orders.
fn check_endpoint(app: &App, book: &Book, store: &Store) -> Result<Option<Finding>> {
    let adapter = store.kind.adapter();
    if adapter.webhooks.as_ref().is_none_or(|webhooks| webhooks.challenge.is_none()) {
        return Ok(None);
    }
    let (what, title) = (format!("{}: endpoint", store.name), adapter.title);
    let Some(hooked) = book.hooked(store.id)? else {
        let note = format!(
            "{what}: none here: what {title} tells by webhook is not heard, also not whom it has erased (ordersync listen \
             --public-url https://... receives it; ordersync forget {} USER does it by hand)",
            store.name
        );
        return Ok(Some(Finding::good("endpoint", note)));
    };
    let now = app.context.clock.now();
    let answered = presence::answered_at(&app.context.home, &store.name, now).max(hooked.delivered_at);
    Ok(Some(match answered {
        Some(at) => {
            let ago = output::duration(now - at);
            Finding::good("endpoint", format!("{what}: {} last answered {title} {ago} ago", hooked.address))
        }
        None => {
            let problem = format!("{title} was never answered at {}", hooked.address);
            Finding::bad("endpoint", what, problem, Some("ordersync listen has to run where that address reaches it"))
        }
    }))
}

/// Where Instasync is on: the subscriptions, whoever receives, and what has not come. Reads only local
/// files.
fn check_webhooks(app: &App, book: &Book, store: &Store) -> Result<Vec<Finding>> {
    let (Some(hooked), Some(webhooks)) = (book.hooked(store.id)?, &store.kind.adapter().webhooks) else {
        return Ok(Vec::new());
    };
    let (name, now) = (&store.name, app.context.clock.now());
    let ago = |at| output::duration(now - at);
    let what = format!("{name}: webhooks");
    let bad = |problem: String, hint: &str| Finding::bad("webhooks", what.clone(), problem, Some(hint));
    let mut findings = vec![if hooked.is_whole {
        let last =
            hooked.delivered_at.map_or("none came yet".to_owned(), |at| format!("the last came {} ago", ago(at)));
        let looked = ago(hooked.checked_at);
        let good = format!("{what}: subscribed to {}, as was seen {looked} ago; {last}", hooked.address);
        Finding::good("webhooks", good)
    } else {
        let again = format!("ordersync listen --public-url {} --channel {name}", hooked.address);
        bad(format!("not all subscriptions to {} are made", hooked.address), &again)
    }];
    let stores = presence::all(&app.context.home, now);
    let seen = stores.iter().find(|found| found.stores.contains(name)).map(|found| ago(found.seen_at()));
    findings.push(if presence::is_received(&app.context.home, name, now) {
        Finding::good("receiver", format!("{name}: receiver: ordersync listen is at work"))
    } else {
        let problem = match seen {
            Some(ago) => format!("no ordersync listen has run for {ago}"),
            None => "no ordersync listen is at work".to_owned(),
        };
        let hint = "ordersync schedule install --listen keeps one running";
        Finding::bad("receiver", format!("{name}: receiver"), problem, Some(hint))
    });
    if let Some(since) = book.unannounced_since(store.id, webhooks.comes_within)? {
        let problem = format!("for {} syncs have found new orders that no webhook told of", ago(since));
        findings.push(bad(problem, &format!("ordersync listen send-test --channel {name} tries the way")));
    }
    for (former, until) in book.former_addresses(store.id, webhooks.comes_within)? {
        let why = "what failed there is sent there again";
        let text = match until {
            Some(until) => format!("keep {former} up for another {}: {why}", output::duration(until - now)),
            None => format!("keep {former} up: subscriptions to it may still be there, and {why}"),
        };
        findings.push(Finding::good("former address", format!("{name}: note: {text}")));
    }
    Ok(findings)
}

/// An access that ends by its age or by want of use. `answered`: it was used just now, and renewed where
/// use renews it.
fn check_access(app: &App, store: &Store, answered: bool) -> Vec<Finding> {
    let now = app.context.clock.now();
    let what = format!("{}: access", store.name);
    let secrets = app.context.credential_store().read(&store.name).ok();
    let ends = secrets.as_ref().and_then(consent_ends_at);
    let is_renewed = answered && store.kind.adapter().renews_consent;
    let ending = consent_ending(store, ends.filter(|_| !is_renewed), now);
    let ending = ending.map(|text| Finding::bad("access", what.clone(), text, None));
    let key = key_ending(store, secrets.as_ref().and_then(key_ends_at), now);
    let key = key.map(|text| Finding::bad("access", what.clone(), text, None));
    let idle = if answered { None } else { lapsing(app, store, now) };
    let idle = idle.map(|problem| Finding::bad("access", what, problem, None));
    ending.into_iter().chain(key).chain(idle).collect()
}

/// The connection, and the clocks on both sides: signatures and cursors go wrong where they are
/// hours apart.
fn check_store(app: &App, store: &Store) -> Vec<Finding> {
    let what = format!("{}: connection", store.name);
    let open = match app.context.open(store) {
        Ok(open) => open,
        Err(error) => return vec![Finding::failed("connection", what, &error)],
    };
    let probed = open.channel.probe();
    let mut findings = vec![match &probed {
        Ok(shop) => Finding::good("connection", format!("{what}: {} ({})", shop.title, shop.url)),
        Err(error) => Finding::failed("connection", what, error),
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
    write_private(file, &format!("{value:#}\n")).map_err(|e| {
        Error::new(ErrorKind::Failed, format!("{} cannot be written: {e}; there is no bundle", file.display()))
    })?;
    output::note(&format!(
        "{} holds what a report needs: no secrets, no personal data; look before you send it",
        file.display()
    ));
    Ok(())
}

/// Writes a file that is the merchant's alone to pass on.
fn write_private(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// Of what the adapter found out, only what says nothing about who the merchant is: versions and
/// yes/no.
fn facts(store: &Store) -> serde_json::Value {
    let Some(all) = store.facts.as_object() else { return json!({}) };
    all.iter()
        .filter(|(key, value)| value.is_boolean() || value.is_number() || key.contains("version"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
