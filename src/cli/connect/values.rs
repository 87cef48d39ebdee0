//! Where the values of a connection come from: flags and a credentials file, then the environment,
//! then the wizard: what was named wins over what lies about (C-4).

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;

use super::flags::is_flag;
use super::{Args, split};
use crate::channel::settings::{SETTINGS, check_setting};
use crate::channel::{AuthMethod, ChannelKind, Field, ShopInfo, Values, misplaced};
use crate::cli::interrupt::HiddenQuestion;
use crate::cli::{App, output};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{bounded, read_small};
use crate::secret::Secrets;
use crate::sync::store::reach;

/// Everything the channel needs, asked for where it is missing and somebody is there to ask.
pub(super) fn gather(app: &App, args: &Args, kind: ChannelKind, known: &Values) -> Result<(Values, Secrets)> {
    let mut all: BTreeMap<String, String> = known.clone();
    if let Some(file) = &args.credentials {
        all.extend(from_file(kind, file)?);
    }
    all.extend(from_flags(args, kind)?);
    let environment = from_environment(kind, &all, args.credentials.is_some());
    all.extend(environment);
    let mut address = Address::default();
    for field in kind.adapter().fields.iter().filter(|field| field.required) {
        if !all.contains_key(field.key) {
            address.try_before(app, args, kind, field, &all)?;
            all.insert(field.key.to_owned(), ask(app, args, kind, field)?);
        }
    }
    all.retain(|_, value| !value.is_empty());
    // Nothing is asked for what may only stand in another place.
    all.iter().try_for_each(|(key, value)| in_place(kind, key, value))?;
    ask_for_a_way(app, args, kind, &mut all, &mut address)?;
    all.iter().try_for_each(|(key, value)| in_place(kind, key, value))?;
    let (values, secrets) = split(kind, all);
    for (key, value) in &values {
        check_setting(kind, key, value)?;
    }
    Ok((values, secrets))
}

/// A value that is surely meant for another field is not sent anywhere; most often two were
/// swapped. It may be a secret, so it is not shown.
fn in_place(kind: ChannelKind, key: &str, value: &str) -> Result<()> {
    let Some((of, other)) = misplaced(kind, key, value) else { return Ok(()) };
    let whose = if of == kind { String::new() } else { format!(" of {}", of.title()) };
    let text = format!("what was given as {key} looks like {}{whose}; nothing was sent", with_article(other));
    let error = Error::new(ErrorKind::Usage, text);
    Err(match kind.adapter().fields.iter().find(|field| field.key == key) {
        Some(field) => error.hint(format!("{}: {}", field.prompt, field.help)),
        None => error,
    })
}

fn with_article(key: &str) -> String {
    let article = if key.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {key}")
}

fn from_flags(args: &Args, kind: ChannelKind) -> Result<BTreeMap<String, String>> {
    let fields = args.fields.given().map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
    let mut given: BTreeMap<String, String> = fields.collect();
    let mut add = |key: &str, value: &Option<String>| {
        if let Some(value) = value {
            given.insert(key.to_owned(), value.trim().to_owned());
        }
    };
    add("endpoint", &args.endpoint);
    add("allow_http", &args.allow_http.then(|| "yes".to_owned()));
    let ca_file = args.ca_file.as_deref().map(|path| std::path::absolute(path).unwrap_or(path.to_owned()));
    add("ca_file", &ca_file.map(|path| path.to_string_lossy().into_owned()));
    for pair in &args.set {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("--set {pair:?} is not KEY=VALUE; nothing was connected"))
        })?;
        let key = key.trim();
        // A command line stands in the shell's history and in the list of processes.
        if let Some(field) = kind.adapter().fields.iter().find(|field| field.secret && field.key == key) {
            let text =
                format!("{key} is a secret and not taken from a flag: {}; nothing was connected", flag(kind, field));
            return Err(Error::new(ErrorKind::Usage, text));
        }
        given.insert(key.to_owned(), value.trim().to_owned());
    }
    Ok(given)
}

/// A TOML or JSON file of texts and numbers. An unknown key is most often a typo of a known one, so
/// it is refused.
fn from_file(kind: ChannelKind, file: &Path) -> Result<BTreeMap<String, String>> {
    let refused = |why: String| {
        Error::new(ErrorKind::Usage, format!("the credentials file {}: {why}; nothing was connected", file.display()))
    };
    let text = read(file).map_err(|e| refused(e.to_string()))?;
    if text.trim().is_empty() {
        return Err(refused("it is empty".to_owned()));
    }
    let text = text.trim_start_matches('\u{feff}');
    let table: serde_json::Map<String, serde_json::Value> = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|e| refused(format!("no JSON object (line {})", e.line())))?
    } else {
        toml::from_str(text).map_err(|e: toml::de::Error| refused(format!("no TOML ({})", e.message())))?
    };
    let known: Vec<&str> = kind.adapter().fields.iter().map(|f| f.key).chain(SETTINGS.iter().map(|s| s.key)).collect();
    table
        .into_iter()
        .map(|(key, value)| {
            if !known.contains(&key.as_str()) {
                return Err(refused(format!(
                    "it has a key {key:?} that {kind} does not take; known: {}",
                    known.join(", ")
                )));
            }
            match value {
                serde_json::Value::String(text) => Ok((key, text.trim().to_owned())),
                serde_json::Value::Number(number) => Ok((key, number.to_string())),
                serde_json::Value::Bool(yes) => Ok((key, if yes { "yes" } else { "no" }.to_owned())),
                _ => Err(refused(format!("{key} is neither a text nor a number"))),
            }
        })
        .collect()
}

fn read(file: &Path) -> std::io::Result<String> {
    const LARGEST: u64 = 1024 * 1024;
    if file == Path::new("-") { bounded(std::io::stdin(), LARGEST) } else { read_small(file, LARGEST) }
}

/// What the environment has of what was not named: the channel's own variables and, where no file
/// is named, the short ones, which several channels share. Of several ways in, only the one that
/// was begun by name.
fn from_environment(kind: ChannelKind, named: &BTreeMap<String, String>, by_file: bool) -> Vec<(String, String)> {
    let begun: Vec<&AuthMethod> =
        kind.adapter().auth_methods.iter().filter(|way| way.keys.iter().any(|key| named.contains_key(*key))).collect();
    let of_another_way = |key: &str| {
        !begun.is_empty()
            && kind.adapter().auth_methods.iter().any(|way| way.keys.contains(&key))
            && !begun.iter().any(|way| way.keys.contains(&key))
    };
    let found = |name: String| std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
    kind.adapter()
        .fields
        .iter()
        .filter(|field| !named.contains_key(field.key) && !of_another_way(field.key))
        .filter_map(|field| {
            let [own, short] = variables(kind, field);
            let value = found(own).or_else(|| if by_file { None } else { found(short) })?;
            Some((field.key.to_owned(), value))
        })
        .collect()
}

/// The variables of a field: the channel's own, and the short one.
fn variables(kind: ChannelKind, field: &Field) -> [String; 2] {
    let key = field.key.to_uppercase();
    [format!("ORDERSYNC_{}_{key}", kind.word().to_uppercase()), format!("ORDERSYNC_{key}")]
}

fn flag(kind: ChannelKind, field: &Field) -> String {
    match field.key {
        key if is_flag(field) => format!("--{}", key.replace('_', "-")),
        key if field.secret => {
            let [own, short] = variables(kind, field);
            format!("{key} in a --credentials file or the variable {own} (without a file also {short})")
        }
        key => format!("--set {key}=..."),
    }
}

/// Where a channel has several ways in: completes the one that is begun, or lets the merchant
/// choose one.
fn ask_for_a_way(
    app: &App,
    args: &Args,
    kind: ChannelKind,
    all: &mut BTreeMap<String, String>,
    address: &mut Address,
) -> Result<()> {
    let ways = kind.adapter().auth_methods;
    let has = |key: &&str| all.contains_key(*key);
    if ways.is_empty() || ways.iter().any(|way| way.keys.iter().all(has)) {
        return Ok(());
    }
    let begun: Vec<&AuthMethod> = ways.iter().filter(|way| way.keys.iter().any(has)).collect();
    let way = match begun.as_slice() {
        [one] => *one,
        _ if someone_there(app, args) => choose(ways)?,
        _ => {
            let both: Vec<String> =
                ways.iter().map(|way| format!("{} ({})", way.keys.join(" and "), way.title)).collect();
            let text = format!("{kind} needs {}; nothing was connected", both.join(", or "));
            let first = kind.adapter().fields.iter().find(|field| ways.iter().any(|way| way.keys.contains(&field.key)));
            let named = first.map(|field| variables(kind, field).join(", or without a file ")).unwrap_or_default();
            let hint = format!("put them in a --credentials file, or in variables such as {named}");
            return Err(Error::new(ErrorKind::Usage, text).hint(hint));
        }
    };
    for field in kind.adapter().fields.iter().filter(|field| way.keys.contains(&field.key)) {
        if !all.contains_key(field.key) {
            address.try_before(app, args, kind, field, all)?;
            all.insert(field.key.to_owned(), ask(app, args, kind, field)?);
        }
    }
    Ok(())
}

/// The address of a shop, which is tried before anybody looks for secrets and types them.
#[derive(Default)]
struct Address {
    is_tried: bool,
}

impl Address {
    /// Tries it where this field is the first secret that is asked for, all else being known.
    fn try_before(
        &mut self,
        app: &App,
        args: &Args,
        kind: ChannelKind,
        field: &Field,
        all: &BTreeMap<String, String>,
    ) -> Result<()> {
        if !field.secret || self.is_tried || !someone_there(app, args) {
            return Ok(());
        }
        self.is_tried = true;
        let (values, _) = split(kind, all.clone());
        values.iter().try_for_each(|(key, value)| in_place(kind, key, value))?;
        values.iter().try_for_each(|(key, value)| check_setting(kind, key, value))?;
        reach(&app.context, kind, &values)
    }
}

fn choose(ways: &'static [AuthMethod]) -> Result<&'static AuthMethod> {
    let titles: Vec<&str> = ways.iter().map(|way| way.title).collect();
    select("What do you have", &titles, ways)
}

fn select<'a, T>(prompt: &str, titles: &[&str], from: &'a [T]) -> Result<&'a T> {
    let picked = dialoguer::Select::new().with_prompt(prompt).items(titles).default(0).interact();
    from.get(picked.map_err(|e| unanswered(&e))?)
        .ok_or_else(|| Error::new(ErrorKind::Failed, "the question was not answered; nothing was connected"))
}

/// Has the merchant choose what the shop has several of, where somebody is there: it is no warning
/// any more then.
pub(super) fn choose_of_shop(app: &App, args: &Args, shop: &mut ShopInfo, values: &mut Values) -> Result<()> {
    for choice in shop.choices.iter().filter(|_| someone_there(app, args)) {
        let (Some(wanted), false) = (&choice.wanted, choice.of.is_empty()) else { continue };
        let codes: Vec<&str> = choice.of.iter().map(String::as_str).collect();
        let prompt = args.channel.and_then(|kind| kind.adapter().fields.iter().find(|field| field.key == choice.key));
        let code = select(prompt.map_or(choice.key, |field| field.prompt), &codes, &choice.of)?;
        values.insert(choice.key.to_owned(), code.clone());
        shop.warnings.retain(|warning| warning != wanted);
    }
    Ok(())
}

/// Whether questions can be asked.
pub(super) fn someone_there(app: &App, args: &Args) -> bool {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    terminal && !app.global.json && args.credentials.is_none()
}

/// Asks on a terminal; without one a missing value is an error that names the flag (C-4).
fn ask(app: &App, args: &Args, kind: ChannelKind, field: &Field) -> Result<String> {
    if !someone_there(app, args) {
        let text = format!("{} is missing: {}; nothing was connected", field.prompt.to_lowercase(), flag(kind, field));
        return Err(Error::new(ErrorKind::Usage, text).hint(field.help));
    }
    output::note(&format!("{}: {}", field.prompt, field.help));
    let answer = if field.secret {
        let _hidden = HiddenQuestion::begin();
        dialoguer::Password::new().with_prompt(field.prompt).interact()
    } else {
        dialoguer::Input::<String>::new().with_prompt(field.prompt).interact_text()
    };
    answer.map(|text| text.trim().to_owned()).map_err(|e| unanswered(&e))
}

/// Why a question has no answer.
pub(super) fn unanswered(error: &dialoguer::Error) -> Error {
    let kind = match error {
        dialoguer::Error::IO(io) if io.kind() == std::io::ErrorKind::Interrupted => {
            // The cursor still stands behind the question.
            super::super::output::say("\n");
            ErrorKind::Interrupted
        }
        _ => ErrorKind::Failed,
    };
    Error::new(kind, "the question was not answered; nothing was connected")
}
