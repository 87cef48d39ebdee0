//! `ordersync connect`.

mod consent;
mod flags;
mod listener;
mod values;

use std::io::IsTerminal;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::interrupt::{self, Left};
use super::output;
use super::select::{connect_one, none_connected};
use super::when::parse_since;
use super::{App, Outcome};
use crate::book::check_store_name;
use crate::book::{Book, NewStore, OutboxRow, Store};
use crate::channel::{Channel, ChannelKind, GuideTime, ShopInfo, Values, origin};
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::http::oauth2::REFRESH_TOKEN;
use crate::listen::keys::take_over;
use crate::listen::subscriptions;
use crate::secret::Secrets;
use crate::sync::advice;
use crate::sync::store::open_new;
use flags::FieldFlags;

/// How far back the first sync reaches when the merchant says nothing.
const DEFAULT_REACH: TimeDelta = TimeDelta::days(30);

/// Connect a store, or list, test and remove connected ones.
///
/// On a terminal a wizard asks for what is missing. In scripts, values are flags; secrets come from
/// a file (--credentials; - is standard input) or from environment variables such as
/// ORDERSYNC_WOOCOMMERCE_CONSUMER_KEY, never from a flag. What is named wins over what lies about
/// in the environment.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").args(["channel", "list", "test", "reauth", "remove"]))]
pub(super) struct Args {
    /// The kind of channel
    #[arg(value_enum)]
    channel: Option<ChannelKind>,
    /// What to call the store; default is the channel's name
    #[arg(long, value_name = "STORE", requires = "channel", conflicts_with_all = ["list", "test", "reauth", "remove"])]
    name: Option<String>,
    /// Import everything changed since then (90d, 2025-01-01, all); default 30d
    #[arg(long, value_name = "TIME", requires = "channel", conflicts_with_all = ["list", "test", "reauth", "remove"])]
    since: Option<String>,
    /// A TOML or JSON file with the secrets (and, if wanted, the other values); - reads standard
    /// input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "test", "remove"])]
    credentials: Option<std::path::PathBuf>,
    #[command(flatten)]
    fields: FieldFlags,
    /// Another scheme, host and port for every request: a test system, a proxy, a simulated store
    #[arg(long, value_name = "URL", conflicts_with_all = ["list", "test", "remove"])]
    endpoint: Option<String>,
    /// Any other value of the channel, as KEY=VALUE (`ordersync config` lists them)
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["list", "test", "remove"])]
    set: Vec<String>,
    /// Where the channel asks for your consent in a browser: how it comes back
    #[arg(long, value_enum, value_name = "WAY", conflicts_with_all = ["list", "test", "remove"])]
    consent: Option<consent::Way>,
    /// Talk to the shop without encryption
    #[arg(long, conflicts_with_all = ["list", "test", "remove"])]
    allow_http: bool,
    /// A PEM file with the certificate authority of a shop that has one of its own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "test", "remove"])]
    ca_file: Option<std::path::PathBuf>,
    /// List the connected stores
    #[arg(long)]
    list: bool,
    /// With --list: print as CSV
    #[arg(long, requires = "list", conflicts_with = "json")]
    csv: bool,
    /// Test a connection (all, without a name)
    #[arg(long, value_name = "STORE", num_args = 0..=1)]
    test: Option<Option<String>>,
    /// Give a store new credentials; orders and position stay
    #[arg(long, value_name = "STORE")]
    reauth: Option<String>,
    /// Disconnect a store: its credentials are deleted, its orders stay in the book
    #[arg(long, value_name = "STORE")]
    remove: Option<String>,
    /// With --remove: also where a dispatch or cancellation has not arrived at the channel
    #[arg(long, requires = "remove")]
    force: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    if args.list {
        return list(app, args.csv);
    }
    if let Some(name) = &args.test {
        return test(app, name.as_deref());
    }
    if let Some(name) = &args.reauth {
        return reauth(app, &args, name);
    }
    if let Some(name) = &args.remove {
        return remove(app, name, args.force);
    }
    match args.channel {
        Some(kind) => connect(app, &args, kind),
        None => Err(nothing_named().into()),
    }
}

fn nothing_named() -> Error {
    let kinds = ChannelKind::offered().map(ChannelKind::word).collect::<Vec<_>>().join(", ");
    Error::new(ErrorKind::Usage, format!("name a channel: {kinds}; nothing was connected")).hint(
        "ordersync connect CHANNEL asks for what it needs; --list, --test, --reauth STORE and --remove STORE \
         are about stores that are connected",
    )
}

fn connect(app: &App, args: &Args, kind: ChannelKind) -> Outcome {
    let name = args.name.clone().unwrap_or_else(|| kind.word().to_owned());
    check_store_name(&name)?;
    let since = since(app, args)?;
    if let Some(taken) = Book::open_existing(&app.context.home.book(), app.context.clock.clone())?
        .map(|book| book.store(&name))
        .transpose()?
        .flatten()
    {
        let text = format!("a store called {name} is connected already ({}); nothing was changed", taken.url);
        let hint =
            format!("give the new one another --name, or new credentials with ordersync connect --reauth {name}");
        return Err(Error::new(ErrorKind::Refused, text).hint(hint).into());
    }
    interrupt::leaves(Left::Unconnected);
    let (values, secrets) = values::gather(app, args, kind, &Values::new())?;
    let credentials = Arc::new(Credentials::of_new_store(secrets, REFRESH_TOKEN, app.context.credential_store()));
    let done = establish(app, args, kind, name, since, values, &credentials);
    tell_what_is_kept(app, done.is_err(), &credentials);
    done
}

/// Tests the connection, and adds the store to the book.
fn establish(
    app: &App,
    args: &Args,
    kind: ChannelKind,
    name: String,
    since: Option<Timestamp>,
    mut values: Values,
    credentials: &Arc<Credentials>,
) -> Outcome {
    let channel = open_new(&app.context, kind, values.clone(), credentials.clone(), None)?;
    consent::obtain(app, args, kind, channel.as_ref())?;
    let mut shop = probe(app, channel.as_ref())?;
    shop.check_choices(&values)?;
    values::choose_of_shop(app, args, &mut shop, &mut values)?;
    channel.furnish(&mut shop)?;
    interrupt::leaves(Left::Kept);
    credentials.bind(&origin(kind, &values)?);
    let mut book = app.context.book()?;
    let store = book.add_store(&NewStore {
        name: name.clone(),
        kind,
        remote_id: shop.remote_id.clone(),
        title: shop.title.clone(),
        url: shop.url.clone(),
        currency: shop.currency,
        time_zone: shop.time_zone.clone(),
        values,
        facts: shop.facts.clone(),
        since,
    })?;
    // A store without credentials is mended with --reauth; credentials without a store would lie
    // about forgotten.
    app.context.credential_store().write(&name, &credentials.all())?;
    credentials.settled();
    welcome(app, &store, &shop, channel.as_ref())?;
    Ok(0)
}

fn since(app: &App, args: &Args) -> Result<Option<Timestamp>> {
    let now = app.context.clock.now();
    match args.since.as_deref() {
        None => Ok(Some(now - DEFAULT_REACH)),
        Some(text) => parse_since(text, now),
    }
}

fn probe(app: &App, channel: &dyn Channel) -> Result<ShopInfo> {
    if std::io::stderr().is_terminal() && !app.global.quiet {
        output::note("testing the connection ...");
    }
    channel.probe()
}

fn welcome(app: &App, store: &Store, shop: &ShopInfo, channel: &dyn Channel) -> anyhow::Result<()> {
    let reach = store
        .since
        .map_or_else(|| "every order".to_owned(), |at| format!("everything changed since {}", output::date(at)));
    if app.global.json {
        return output::print_json(&json!({
            "store": store_json(store), "orders_at_channel": shop.orders, "warnings": shop.warnings,
            "guide_time": channel.capabilities().guide_time.to_string(),
        }));
    }
    if app.global.quiet {
        return Ok(());
    }
    output::line(&format!("connected {} as {}", shop.url, store.name))?;
    let currency = shop.currency.map_or("unknown".to_owned(), |c| c.to_string());
    output::line(&format!("  shop      {}", shop.title))?;
    output::line(&format!("  currency  {currency}    time zone  {}", shop.time_zone))?;
    if let Some(orders) = shop.orders {
        output::line(&format!("  orders    {} at the channel", output::number(orders)))?;
    }
    let more = if store.since.is_some() { " (sync --since T for more)" } else { "" };
    output::line(&format!("  import    {reach}{more}"))?;
    output::line(&format!("  {}", first_sync(shop.orders, store.since.is_none(), channel.capabilities().guide_time)))?;
    for warning in &shop.warnings {
        output::note(warning);
    }
    output::line("")?;
    output::line(&format!("next: ordersync sync --channel {}", store.name))?;
    output::line(&match crate::schedule::is_possible() {
        true => "      ordersync schedule install   (every half hour from then on)".to_owned(),
        false => format!(
            "      {}   (have anything run that every half hour: no timer can be installed on this machine)",
            crate::schedule::BY_OTHERS
        ),
    })?;
    Ok(())
}

/// How long until the orders are there: by the channel's own number of them, where it tells one.
fn first_sync(orders: Option<u64>, all: bool, guide: GuideTime) -> String {
    match orders {
        Some(0) => format!("the shop has no orders yet; a first sync takes approximately {guide} where it has many"),
        Some(orders) => format!(
            "the first sync takes {} {} for {} (guide time of the channel: approximately {guide})",
            if all { "about" } else { "at most about" },
            output::duration(advice::first_sync(orders)),
            output::count(orders, "order")
        ),
        None => format!("the first sync takes approximately {guide}"),
    }
}

/// What `connect --list` and `status` call a store in JSON.
fn store_json(store: &Store) -> serde_json::Value {
    json!({
        "name": store.name, "channel": store.kind.word(), "title": store.title, "url": store.url,
        "currency": store.currency.map(|c| c.to_string()), "time_zone": store.time_zone,
        "since": store.since.map(crate::clock::rfc3339), "connected_at": crate::clock::rfc3339(store.connected_at),
        "settings": store.values,
    })
}

/// What a list of stores has in CSV.
const COLUMNS: [&str; 8] = ["name", "channel", "title", "url", "currency", "time_zone", "since", "connected_at"];

fn list(app: &App, csv: bool) -> Outcome {
    let book = Book::open_existing(&app.context.home.book(), app.context.clock.clone())?;
    let stores = book.as_ref().map_or(Ok(Vec::new()), Book::stores)?;
    if app.global.json || csv {
        let rows: Vec<_> = stores.iter().map(store_json).collect();
        if csv {
            output::print_csv_of(&COLUMNS, &rows)?
        } else {
            output::print_json(&rows)?
        }
        return Ok(0);
    }
    if stores.is_empty() {
        match book.as_ref().map(none_connected).transpose()?.flatten() {
            Some(old) => output::note(&format!("{}: {}", old.message(), old.hint_text().unwrap_or_default())),
            None => output::note(&format!("no store is connected yet: {}", connect_one())),
        }
    }
    let mut table = output::Table::new(&["store", "channel", "shop", "address", "since"]);
    for store in &stores {
        let since = store.since.map_or_else(|| "all".to_owned(), output::date);
        table.row(&[&store.name, store.kind.word(), &store.title, &store.url, &since]);
    }
    table.print()?;
    Ok(0)
}

fn test(app: &App, name: Option<&str>) -> Outcome {
    let mut book = app.existing_book()?;
    let stores = name.map_or_else(|| app.stores(&book, &[]), |name| Ok(vec![app.store(&book, name)?]))?;
    let mut results = Vec::new();
    for store in &stores {
        // A test asks now, also where the channel asked to be left alone: that is how a pause ends
        // which should not have been.
        let asked = Store { paused_until: None, ..store.clone() };
        book.forget_lanes(store.id)?;
        let result = app.context.open(&asked).and_then(|open| open.channel.probe());
        let result = result.and_then(|shop| same_shop(store, shop));
        book.note_access(store.id, &result)?;
        match &result {
            Ok(shop) => {
                book.update_store(store.id, shop)?;
                book.note_test(store.id, true, "")?;
                book.end_pause(store.id)?;
            }
            Err(error) => book.note_test(store.id, false, error.message())?,
        }
        if !app.global.json {
            tell_test(app, store, &result)?;
        }
        results.push((store, result));
    }
    if app.global.json {
        let rows: Vec<_> = results
            .iter()
            .map(|(store, result)| {
                json!({ "store": store.name, "ok": result.is_ok(), "error": result.as_ref().err().map(output::error_json) })
            })
            .collect();
        output::print_json(&rows)?;
    }
    let codes = results.iter().map(|(_, result)| result.as_ref().err().map_or(0, |error| exit_code(error.kind())));
    Ok(common_code(codes).unwrap_or(EXIT_PARTLY))
}

fn tell_test(app: &App, store: &Store, result: &Result<ShopInfo>) -> anyhow::Result<()> {
    match result {
        Ok(shop) => {
            if !app.global.quiet {
                output::line(&format!("{}: the connection works ({}, {})", store.name, shop.title, shop.url))?;
                shop.warnings.iter().for_each(|warning| output::note(warning));
            }
        }
        Err(error) => output::print_error(&error.clone().context(&store.name), output::Format::Human),
    }
    Ok(())
}

/// A key for another shop would mix two shops' orders in one store.
fn same_shop(store: &Store, shop: ShopInfo) -> Result<ShopInfo> {
    if shop.remote_id == store.remote_id {
        return Ok(shop);
    }
    let text = format!("these credentials open {} but {} is {}; nothing was changed", shop.url, store.name, store.url);
    let hint = format!("connect the other shop as a store of its own: ordersync connect {} --name ANOTHER", store.kind);
    Err(Error::new(ErrorKind::Refused, text).hint(hint))
}

fn reauth(app: &App, args: &Args, name: &str) -> Outcome {
    let mut book = app.existing_book()?;
    let store = app.store(&book, name)?;
    interrupt::leaves(Left::Nothing);
    let (values, secrets) = values::gather(app, args, store.kind, &store.values)?;
    let credentials = Arc::new(Credentials::of_new_store(secrets, REFRESH_TOKEN, app.context.credential_store()));
    let tested = retest(app, args, &store, &values, &credentials);
    tell_what_is_kept(app, tested.is_err(), &credentials);
    let shop = tested?;
    interrupt::leaves(Left::Kept);
    credentials.bind(&origin(store.kind, &values)?);
    let mut secrets = credentials.all();
    if let (Some(webhooks), Ok(before)) = (&store.kind.adapter().webhooks, app.context.credential_store().read(name)) {
        take_over(&before, &mut secrets, webhooks, app.context.clock.now());
    }
    app.context.credential_store().write(name, &secrets)?;
    credentials.settled();
    book.update_store(store.id, &shop)?;
    for (key, value) in &values {
        book.set_store_value(store.id, key, Some(value))?;
    }
    book.note_test(store.id, true, "")?;
    book.credentials_work(store.id)?;
    book.end_pause(store.id)?;
    if !app.global.quiet {
        output::line(&format!("{name} has new credentials; its orders and its position are as they were"))?;
        shop.warnings.iter().for_each(|warning| output::note(warning));
    }
    Ok(0)
}

/// The shop that new credentials open, which must be the store's.
fn retest(app: &App, args: &Args, store: &Store, values: &Values, credentials: &Arc<Credentials>) -> Result<ShopInfo> {
    let channel = open_new(&app.context, store.kind, values.clone(), credentials.clone(), Some(&store.name))?;
    consent::obtain(app, args, store.kind, channel.as_ref())?;
    let mut shop = same_shop(store, probe(app, channel.as_ref())?)?;
    shop.check_choices(values)?;
    channel.furnish(&mut shop)?;
    Ok(shop)
}

/// A token that was given may be spent, though nothing has come of it.
fn tell_what_is_kept(app: &App, failed: bool, credentials: &Credentials) {
    if failed && credentials.is_pending() && !app.global.json {
        output::note(
            "the channel has put another refresh token in the place of the one that you gave; it is kept on this machine, and \
             the same command goes on with it",
        );
    }
}

/// What a shop was not told yet it would never be told without its credentials, while the book
/// calls the order shipped or cancelled.
fn refuse_untold(book: &Book, store: &Store) -> Result<()> {
    let rows: Vec<OutboxRow> = book.open_outbox()?.into_iter().filter(|row| row.store_id == store.id).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let (name, has) = (&store.name, if rows.len() == 1 { "has" } else { "have" });
    let named: Vec<String> =
        rows.iter().map(|row| format!("row {}, {} of order {}", row.id, row.goal.word(), row.order_id)).collect();
    let text = format!(
        "{} of {name} {has} not arrived at the channel ({}); nothing was changed",
        output::count(rows.len() as u64, "write"),
        named.join("; ")
    );
    let hint = format!(
        "ordersync sync --channel {name} sends what can go; ordersync outbox lists them, --withdraw ROW takes one back; \
         ordersync connect --remove {name} --force leaves them untold"
    );
    Err(Error::new(ErrorKind::Refused, text).hint(hint))
}

fn remove(app: &App, name: &str, force: bool) -> Outcome {
    let mut book = app.existing_book()?;
    let store = app.store(&book, name)?;
    if !force {
        refuse_untold(&book, &store)?;
    }
    let unsubscribed = unsubscribe(app, &mut book, &store);
    book.remove_store(store.id)?;
    app.context.credential_store().remove(name)?;
    let unsubscribed = unsubscribed.map_err(|error| {
        let text = format!("{name}: its webhooks were not taken away, and may still be sent");
        let hint = "delete those with /hooks/ in their address in the channel's own pages";
        output::print_error(&error.context(text).hint(hint), output::Format::Human);
    });
    if !app.global.quiet {
        output::line(&format!("{name} is disconnected: its credentials are deleted, its orders stay in the book"))?;
        if let Ok(taken @ 1..) = unsubscribed {
            let were = if taken == 1 { "was" } else { "were" };
            output::note(&format!("{} {were} taken away at the channel", output::count(taken as u64, "webhook")));
        }
        output::note("the key itself still exists at the channel; delete it there if it is not used elsewhere");
        // Nothing synchronises it any more, and it is the syncs that clear.
        if let Some(age) = store.values.get("retain") {
            output::note(&format!(
                "its retain of {age} ends with it: ordersync purge --channel {name} --older-than {age} goes on taking personal data out"
            ));
        }
    }
    Ok(if unsubscribed.is_ok() { 0 } else { EXIT_PARTLY })
}

/// Takes away the subscriptions of a store that has any; gives how many.
fn unsubscribe(app: &App, book: &mut Book, store: &Store) -> Result<usize> {
    if book.hooked(store.id)?.is_none() {
        return Ok(0);
    }
    let removed = app.context.open(store).and_then(|open| subscriptions::remove(&app.context, book, &open));
    book.unhook(store.id)?;
    removed
}

/// The keys that are secrets of this kind.
fn secret_keys(kind: ChannelKind) -> impl Iterator<Item = &'static str> {
    kind.adapter().fields.iter().filter(|field| field.secret).map(|field| field.key)
}

/// Splits gathered values into what the book may hold and what it may not.
fn split(kind: ChannelKind, all: std::collections::BTreeMap<String, String>) -> (Values, Secrets) {
    let is_secret = |key: &str| secret_keys(kind).any(|secret| secret == key);
    let (secrets, values): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, _)| is_secret(key));
    (values.into_iter().collect(), secrets.into_iter().map(|(k, v)| (k, crate::secret::Secret::new(v))).collect())
}
