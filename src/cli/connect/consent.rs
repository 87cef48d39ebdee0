//! Leads the merchant to a vendor's page and brings back what comes of it: by a browser that lands
//! on this machine, or by an address that is copied from it.

use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;

use chrono::TimeDelta;
use url::Url;

use super::Args;
use super::listener::Listener;
use super::values::{someone_there, unanswered};
use crate::channel::consent::{Attempt, Brought, Consent, Landing};
use crate::channel::{Channel, ChannelKind};
use crate::cli::interrupt::HiddenQuestion;
use crate::cli::{App, output};
use crate::error::{Error, ErrorKind, Result};
use crate::http::is_loopback;

/// How the consent comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Way {
    /// Wait for the browser: it lands on this machine
    Listen,
    /// Take the address at which it lands: at a hidden question, or a line on standard input
    Paste,
}

/// How often a text that is no landing address is asked for again.
const TRIES: usize = 3;

/// No landing address is longer.
const LONGEST: u64 = 64 * 1024;

/// Gets the consent that the store has none of yet.
pub(super) fn obtain(app: &App, args: &Args, kind: ChannelKind, channel: &dyn Channel) -> Result<()> {
    let Some(consent) = channel.consent() else { return Ok(()) };
    let way = way(app, args, kind, consent.landing())?;
    let clock = app.context.clock.as_ref();
    // Before the merchant is sent anywhere.
    let listener = consent.landing().filter(|_| way == Way::Listen).map(Listener::bind).transpose()?;
    output::note(&consent.before());
    let attempt = Attempt::begin(clock.now())?;
    let page = consent.page(&attempt)?;
    show(kind, &page);
    let brought = match listener {
        Some(listener) => {
            output::note("waiting for the browser, for ten minutes at most; Ctrl-C gives up");
            let until = attempt.until().min(clock.now() + patience()?);
            listener
                .wait(clock, until, |landed| attempt.take(Landing::read(consent.landing(), landed)?, clock.now()))?
        }
        None => pasted(app, args, consent.as_ref(), attempt)?,
    };
    clock.check_interrupt()?;
    consent.redeem(&brought)
}

/// The address to open, whole and on a line of its own.
fn show(kind: ChannelKind, page: &Url) {
    output::note(&format!("open this address of {} in a browser, and permit the access there:", kind.title()));
    output::say(&format!("\n{page}\n\n"));
}

/// How the consent is to come back. Nothing waits for anybody where nobody was told to come.
fn way(app: &App, args: &Args, kind: ChannelKind, landing: Option<&Url>) -> Result<Way> {
    let lands_here = landing.is_some_and(|landing| landing.scheme() == "http" && is_loopback(landing));
    let reads_secrets = args.credentials.as_deref() == Some(Path::new("-"));
    match args.consent {
        Some(Way::Listen) if !lands_here => {
            let place = landing.map_or("an address that the vendor alone knows", Url::as_str);
            let text = format!("the browser lands at {place}, which is not this machine; nothing was sent");
            Err(Error::new(ErrorKind::Usage, text).hint("--consent paste takes the address from there"))
        }
        Some(Way::Paste) if reads_secrets => {
            let text = "standard input holds the credentials, so no landing address can come by it; nothing was sent";
            Err(Error::new(ErrorKind::Usage, text).hint("name a file with --credentials FILE, or use variables"))
        }
        Some(way) => Ok(way),
        None if !someone_there(app, args) => {
            let text = format!("{kind} needs a refresh_token, or your consent in a browser; nothing was sent");
            let own = format!("ORDERSYNC_{}_REFRESH_TOKEN", kind.word().to_uppercase());
            Err(Error::new(ErrorKind::Usage, text).hint(format!(
                "refresh_token in a --credentials file or the variable {own}; or --consent listen, which prints an address to \
                 open and waits for the browser; or --consent paste, which reads the address where it lands as a line from \
                 standard input"
            )))
        }
        None if lands_here => Ok(Way::Listen),
        None => Ok(Way::Paste),
    }
}

/// How long the browser is waited for; `ORDERSYNC_CONSENT_MS` shortens it for tests.
fn patience() -> Result<TimeDelta> {
    let Ok(text) = std::env::var("ORDERSYNC_CONSENT_MS") else { return Ok(crate::channel::consent::PATIENCE) };
    text.parse().ok().and_then(TimeDelta::try_milliseconds).ok_or_else(|| {
        Error::new(ErrorKind::Usage, "ORDERSYNC_CONSENT_MS is not a number of milliseconds; nothing was sent")
    })
}

/// What a landing address brings that is given by hand. On a terminal a text that is none is asked
/// for again.
fn pasted(app: &App, args: &Args, consent: &dyn Consent, attempt: Attempt) -> Result<Brought> {
    let at_terminal = someone_there(app, args) || std::io::stdin().is_terminal();
    let mut left = if at_terminal { TRIES } else { 1 };
    if at_terminal {
        output::note(&format!(
            "afterwards the browser lands at {}?code=..., and may say that there is nothing; copy the whole address from its \
             address line. It is a secret, so it is not shown here",
            consent.landing().map_or("an address of yours", Url::as_str)
        ));
    }
    loop {
        let text = if at_terminal { asked()? } else { line()? };
        left -= 1;
        match Landing::read(consent.landing(), &text) {
            Ok(landing) => return attempt.take(landing, app.context.clock.now()),
            Err(error) if left == 0 => return Err(error),
            Err(error) => output::print_error(&error, output::Format::Human),
        }
    }
}

fn asked() -> Result<String> {
    let _hidden = HiddenQuestion::begin();
    let prompt = dialoguer::Password::new().with_prompt("Address where the browser landed").allow_empty_password(true);
    prompt.interact().map_err(|e| unanswered(&e))
}

fn line() -> Result<String> {
    let mut text = String::new();
    let stdin = std::io::stdin().lock();
    stdin.take(LONGEST).read_line(&mut text).map_err(|e| {
        Error::new(
            ErrorKind::Usage,
            format!("no landing address can be read from standard input: {e}; nothing was stored"),
        )
    })?;
    Ok(text)
}
