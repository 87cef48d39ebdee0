//! `ordersync help`: a merchant's questions answered in short. The same texts are in the man page
//! and in `docs/questions.md`; a test runs every command in them.

use super::output;

/// The questions by the word that they are asked with, each with its answer: a title, then
/// paragraphs and lists, and commands on lines of their own, all at 80 columns.
pub const TOPICS: [(&str, &str); 5] = [
    ("sync", include_str!("help/sync.md")),
    ("address", include_str!("help/address.md")),
    ("refunds", include_str!("help/refunds.md")),
    ("dispatch", include_str!("help/dispatch.md")),
    ("instasync", include_str!("help/instasync.md")),
];

/// The answer to the question that is asked with this word.
pub(super) fn topic(word: &str) -> Option<&'static str> {
    TOPICS.iter().find(|(topic, _)| *topic == word).map(|(_, text)| *text)
}

/// Prints an answer. Where the word is a command's as well, its flags are one step away.
pub(super) fn print(word: &str, text: &str) -> anyhow::Result<()> {
    output::put(text.trim_start_matches("# "))?;
    if super::command_tree().find_subcommand(word).is_some() {
        output::put(&format!("\nEvery flag of the command: ordersync {word} --help\n"))?;
    }
    Ok(())
}
