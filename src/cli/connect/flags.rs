//! The flags of `connect` that come from the channels' own fields.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command, Error};

use crate::channel::{ChannelKind, Field};

/// A flag for each field that a connection cannot be without and that is no secret, and for each that says
/// yes or no.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldFlags {
    given: BTreeMap<&'static str, String>,
}

impl FieldFlags {
    /// The values by the keys of their fields.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().map(|(key, value)| (*key, value.as_str()))
    }
}

/// Whether a field has a flag of its own.
pub(super) fn is_flag(field: &Field) -> bool {
    field.required && !field.secret
}

type Flags = BTreeMap<&'static str, (&'static Field, Vec<&'static str>)>;

/// The fields by key that have a flag with a value.
fn flags() -> Flags {
    fields(|_, field| is_flag(field))
}

/// Those that have one without.
fn switches() -> Flags {
    fields(|kind, field| kind.adapter().switches.contains(&field.key))
}

/// Some fields by key, each with the channels that have it, as far as merchants are told of them.
fn fields(has: impl Fn(ChannelKind, &Field) -> bool) -> Flags {
    let mut flags = Flags::new();
    for kind in ChannelKind::offered().chain(ChannelKind::ALL) {
        for field in kind.adapter().fields.iter().filter(|field| has(kind, field)) {
            let (_, kinds) = flags.entry(field.key).or_insert_with(|| (field, Vec::new()));
            if kind.is_offered() && !kinds.contains(&kind.word()) {
                kinds.push(kind.word());
            }
        }
    }
    flags
}

impl clap::Args for FieldFlags {
    fn augment_args(command: Command) -> Command {
        let flag = |key: &'static str, field: &Field, channels: &[&str]| {
            Arg::new(key)
                .long(key.replace('_', "-"))
                .help(format!("{} ({})", field.prompt, channels.join(", ")))
                .hide(channels.is_empty())
                .conflicts_with_all(["list", "test", "remove"])
        };
        let command = flags().into_iter().fold(command, |command, (key, (field, channels))| {
            let name = key.rsplit('_').next().unwrap_or(key).to_uppercase();
            command.arg(flag(key, field, &channels).value_name(name))
        });
        switches().into_iter().fold(command, |command, (key, (field, channels))| {
            command.arg(flag(key, field, &channels).action(ArgAction::SetTrue))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for FieldFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = flags().into_keys().filter_map(|key| Some((key, matches.get_one::<String>(key)?.clone())));
        let said = switches().into_keys().filter(|key| matches.get_flag(key)).map(|key| (key, "yes".to_owned()));
        Ok(Self { given: given.chain(said).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
