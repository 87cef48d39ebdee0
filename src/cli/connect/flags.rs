//! The flags of `connect` that come from the channels' own fields.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Command, Error};

use crate::channel::{ChannelKind, Field};

/// A flag for each field that a connection cannot be without and that is no secret.
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

/// The fields by key, each with the channels that have it, as far as merchants are told of them.
fn flags() -> BTreeMap<&'static str, (&'static Field, Vec<&'static str>)> {
    let mut flags = BTreeMap::new();
    for kind in ChannelKind::offered().chain(ChannelKind::ALL) {
        for field in kind.adapter().fields.iter().filter(|field| is_flag(field)) {
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
        flags().into_iter().fold(command, |command, (key, (field, channels))| {
            let flag = Arg::new(key)
                .long(key.replace('_', "-"))
                .value_name(key.rsplit('_').next().unwrap_or(key).to_uppercase())
                .help(format!("{} ({})", field.prompt, channels.join(", ")))
                .hide(channels.is_empty())
                .conflicts_with_all(["list", "test", "remove"]);
            command.arg(flag)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for FieldFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = flags().into_keys().filter_map(|key| Some((key, matches.get_one::<String>(key)?.clone())));
        Ok(Self { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
