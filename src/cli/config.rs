//! `ordersync config`.

use serde_json::json;

use super::output::{self, Table};
use super::{App, Outcome};
use crate::book::{Book, Store};
use crate::channel::settings::{SETTINGS, check_setting};
use crate::channel::{ChannelKind, ShopInfo, Values, origin};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Policy;
use crate::sync::store::check;
use crate::sync::undecided;

/// The payment methods of orders that ship before they are paid.
const UNPAID_METHODS: &str = "unpaid_methods";

/// How long the personal data of closed orders are kept.
const RETAIN: &str = "retain";

/// Show or change the settings of stores. Without arguments: where everything lives, and every
/// setting.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print one setting
    Get {
        /// STORE.KEY
        key: String,
    },
    /// Change one setting
    Set {
        /// STORE.KEY
        key: String,
        /// The new value
        value: String,
    },
    /// Go back to the default
    Unset {
        /// STORE.KEY
        key: String,
    },
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    match args.action {
        None => show(app),
        Some(Action::Get { key }) => {
            let book = app.existing_book()?;
            let (store, key) = split(app, &book, &key)?;
            get(app, &store, key)
        }
        Some(Action::Set { key, value }) => change(app, &key, Some(&value)),
        Some(Action::Unset { key }) => change(app, &key, None),
    }
}

/// Prints a setting's value, or the default that holds without one.
fn get(app: &App, store: &Store, key: &str) -> Outcome {
    let set = store.values.get(key).cloned();
    let help = settings(store.kind).find(|(known, _)| *known == key).map(|(_, help)| help);
    if set.is_none() && help.is_none() {
        // An unknown key is told with the known ones.
        check_setting(store.kind, key, "")?;
    }
    let default = default(store.kind, key);
    if app.global.json {
        output::print_json(&json!({ "key": key, "value": set, "default": default }))?;
        return Ok(0);
    }
    if set.is_none() && default.is_some() && !app.global.quiet {
        output::note(&format!("{}.{key} is not set; this is the default", store.name));
    }
    output::line(set.as_deref().or(default).unwrap_or_default())?;
    Ok(0)
}

/// The settings of a kind of store, each with what it does.
fn settings(kind: ChannelKind) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = kind.adapter().fields.iter().filter(|field| !field.secret).map(|field| (field.key, field.help));
    SETTINGS.iter().map(|s| (s.key, s.help)).chain(own)
}

/// The default of a setting: what the channel's stores do, or what its help names.
fn default(kind: ChannelKind, key: &str) -> Option<&'static str> {
    let of_channel = kind.adapter().policies.get(key).map(Policy::word);
    of_channel.or_else(|| settings(kind).find(|(known, _)| *known == key).and_then(|(_, help)| default_in(help)))
}

/// The default that a setting's help names: `... (default 30)`, `... (default no; the own machine
/// ...)`.
fn default_in(help: &str) -> Option<&str> {
    let (_, rest) = help.split_once("(default ")?;
    rest.split([')', ';', ' ', ':']).next().filter(|word| !word.is_empty())
}

fn change(app: &App, key: &str, value: Option<&str>) -> Outcome {
    let mut book = app.existing_book()?;
    let (store, key) = split(app, &book, key)?;
    changeable(&store, key)?;
    let mut changed = store.values.clone();
    let together = value
        .filter(|_| key == crate::sync::readings::STATUSES)
        .map(|more| crate::sync::readings::with_more(changed.get(key).map_or("", String::as_str), more));
    let value = together.as_deref().or(value);
    if let Some(value) = value {
        if value.trim().is_empty() {
            let text = format!("an empty value for {}.{key}; nothing was changed", store.name);
            let hint = format!("ordersync config unset {}.{key} goes back to the default", store.name);
            return Err(Error::new(ErrorKind::Usage, text).hint(hint).into());
        }
        check_setting(store.kind, key, value)?;
        changed.insert(key.to_owned(), value.to_owned());
    } else {
        changed.remove(key);
    }
    // The adapter has its own idea of what its values may be.
    check(&app.context, store.kind, &changed)?;
    let shop = asked(app, &store, key, &changed)?;
    let again = book.set_store_value(store.id, key, value)?;
    if let Some(shop) = shop {
        book.update_store(store.id, &shop)?;
    }
    if key == crate::sync::readings::STATUSES
        && let Some(store) = book.store(&store.name)?
    {
        crate::sync::readings::refresh(&mut book, &app.context.open(&store)?)?;
    }
    let (before, after) = (origin(store.kind, &store.values), origin(store.kind, &changed)?);
    if before.is_ok_and(|before| before != after) {
        output::note(&format!(
            "the credentials of {0} are for another server; ordersync connect --reauth {0} gives it some for {after}",
            store.name
        ));
    }
    if !app.global.quiet {
        output::line(&stands(&store, key, value))?;
    }
    decide_again(app, &mut book, &store, again)?;
    if key == RETAIN && value.is_some() {
        say_what_goes(app, &book, &store.name)?;
    }
    if let (true, Some(methods)) = (key == UNPAID_METHODS && !app.global.quiet, value) {
        for method in methods.split(',').map(str::trim).filter(|method| !method.is_empty()) {
            if !book.is_paid_by(store.id, method)? {
                output::note(&format!(
                    "no order of {} is paid by {method:?}; ordersync show ORDER --json has payment.method of an order",
                    store.name
                ));
            }
        }
    }
    let timer = crate::schedule::Installed::read(&app.context.home).filter(|_| key == "interval");
    if timer.is_some_and(|timer| value.is_some_and(|v| v.parse().is_ok_and(|minutes: u32| minutes < timer.every))) {
        output::note("the timer runs less often than that; ordersync schedule install makes it run often enough");
    }
    Ok(0)
}

/// The shop as it answers with the new value, where its values are the shop's own.
fn asked(app: &App, store: &Store, key: &str, changed: &Values) -> Result<Option<ShopInfo>> {
    if !store.kind.adapter().of_shop.contains(&key) {
        return Ok(None);
    }
    let name = &store.name;
    let changed = Store { values: changed.clone(), ..store.clone() };
    let shop = app.context.open(&changed)?.channel.probe().map_err(|error| error.context(format!("{name}.{key}")))?;
    if shop.remote_id != store.remote_id {
        let text =
            format!("with that {key} {name} would be another shop than the one of its orders; nothing was changed");
        let hint = format!("connect the other one beside it: ordersync connect {} --name ANOTHER", store.kind);
        return Err(Error::new(ErrorKind::Refused, text).hint(hint));
    }
    shop.check_choices(&changed.values).map(|()| Some(shop))
}

/// What changed at the channel before is decided again by what the store is set to do now.
fn decide_again(app: &App, book: &mut Book, store: &Store, orders: u64) -> Result<()> {
    if orders == 0 {
        return Ok(());
    }
    let before = book.waiting_count()?;
    if !app.global.quiet {
        let name = &store.name;
        output::note(&format!(
            "{} of {name} changed at the channel and {} looked at again",
            output::count(orders, "order"),
            if orders == 1 { "is" } else { "are" }
        ));
    }
    undecided::all(book, app.context.clock.as_ref())
        .map_err(|error| error.context("it is set; the next commands look at the rest"))?;
    let now = book.waiting_count()?;
    if !app.global.quiet && now > before {
        output::note(&format!(
            "{} more with changes that wait for your word: ordersync changes",
            output::count(now - before, "order")
        ));
    }
    Ok(())
}

/// What is cleared of personal data does not come back, and nobody watches a timer's sync.
fn say_what_goes(app: &App, book: &Book, store: &str) -> Result<()> {
    let Some(store) = book.store(store)?.filter(|_| !app.global.quiet) else { return Ok(()) };
    let Some(before) = store.retain().and_then(|age| app.context.clock.now().checked_sub_signed(age)) else {
        return Ok(());
    };
    let (orders, _) = book.old_orders(store.id, before)?;
    if orders > 0 {
        output::note(&format!(
            "{} of {} as old as that: the next syncs take the personal data out, for good; ordersync config unset {}.{RETAIN} before that keeps them",
            output::count(orders, "order"),
            store.name,
            store.name
        ));
    }
    Ok(())
}

/// What a setting is now.
fn stands(store: &Store, key: &str, value: Option<&str>) -> String {
    let default = || settings(store.kind).find(|(known, _)| *known == key).and_then(|(_, help)| default_in(help));
    match value {
        Some(value) => format!("{}.{key} is {value} now", store.name),
        None => format!(
            "{}.{key} is the default again{}",
            store.name,
            default().map_or(String::new(), |word| format!(", {word}"))
        ),
    }
}

/// A setting that there is, and not what makes the store this one: its orders hang on that.
fn changeable(store: &Store, key: &str) -> Result<()> {
    if store.kind.adapter().fields.iter().any(|field| field.key == key && field.required && !field.secret) {
        let text = format!("{key} says which store {} is, and its orders hang on it; nothing was changed", store.name);
        let hint = format!("ordersync connect --reauth {} --{} ...", store.name, key.replace('_', "-"));
        return Err(Error::new(ErrorKind::Refused, text).hint(hint));
    }
    if settings(store.kind).any(|(known, _)| known == key) {
        return Ok(());
    }
    // An unknown key is told with the known ones.
    check_setting(store.kind, key, "")
}

fn split<'a>(app: &App, book: &Book, key: &'a str) -> Result<(Store, &'a str)> {
    let (store, key) = key.split_once('.').ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{key:?} is not STORE.KEY; nothing was changed"))
            .hint("ordersync config lists them")
    })?;
    Ok((app.store(book, store)?, key))
}

fn show(app: &App) -> Outcome {
    let home = &app.context.home;
    let stores = match Book::open_existing(&home.book(), app.context.clock.clone())? {
        Some(book) => book.stores()?,
        None => Vec::new(),
    };
    if app.global.json {
        let settings: serde_json::Map<_, _> = stores.iter().map(|s| (s.name.clone(), json!(s.values))).collect();
        output::print_json(&json!({
            "book": home.book().to_string_lossy(), "credentials": home.credentials().to_string_lossy(), "settings": settings,
        }))?;
        return Ok(0);
    }
    output::line(&format!("book         {}", home.book().display()))?;
    output::line(&format!("credentials  {}", home.credentials().display()))?;
    for store in &stores {
        output::line("")?;
        let mut table = Table::new(&["setting", "value", "what it does"]).below("what it does");
        for (key, help) in settings(store.kind) {
            let default = default(store.kind, key).map_or("-".to_owned(), |word| format!("{word} (default)"));
            let value = store.values.get(key).cloned().unwrap_or(default);
            table.row(&[&format!("{}.{key}", store.name), &value, help]);
        }
        table.print()?;
    }
    Ok(0)
}
