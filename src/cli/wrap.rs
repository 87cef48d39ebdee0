//! Lines for a terminal, broken between words: a terminal itself breaks them anywhere.

use unicode_width::UnicodeWidthStr;

/// Breaks what is wider than the terminal at blanks, the rest of it `hanging` deep. What belongs
/// together, and a word that is too long for a line, is whole on a line of its own: it is there to
/// be copied.
pub(crate) fn wrapped(line: &str, width: Option<usize>, hanging: usize) -> String {
    let Some(width) = width.filter(|width| line.width() > *width) else { return line.to_owned() };
    let hanging = if hanging * 2 > width { 0 } else { hanging };
    let mut text = String::with_capacity(line.len() + 16);
    let (mut used, mut is_new) = (0, true);
    for word in together(line) {
        let wide = word.width();
        // The blanks that a line begins with are no place to break it.
        let blank = text.trim_start().is_empty();
        if !is_new && !blank && used + 1 + wide > width {
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            text.push_str(&" ".repeat(hanging));
            (used, is_new) = (hanging, true);
        }
        if is_new && word.is_empty() && !text.is_empty() {
            continue;
        }
        if !is_new {
            text.push(' ');
            used += 1;
        }
        text.push_str(&word);
        (used, is_new) = (used + wide, false);
    }
    text
}

/// The words of a line, a command of ours with its flags and their values as one of them.
fn together(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut command: Option<usize> = None;
    for word in line.split(' ') {
        let last = words.last().and_then(|known| known.rsplit(' ').next()).unwrap_or_default();
        let goes_on = match command {
            Some(1) => true,
            Some(_) => !ends(last) && (last.starts_with("--") || is_typed(word)),
            None => false,
        };
        match words.last_mut().filter(|_| goes_on && !word.is_empty()) {
            Some(known) => {
                known.push(' ');
                known.push_str(word);
                command = command.map(|count| count + 1);
            }
            None => {
                words.push(word.to_owned());
                command = (word.trim_start_matches(['(', '`']) == "ordersync").then_some(1);
            }
        }
    }
    words
}

/// Whether the word behind a command belongs to it: a flag, a value, what stands for a value, or a
/// word that commands take and prose hardly has.
fn is_typed(word: &str) -> bool {
    const TAKEN: [&str; 11] =
        ["install", "remove", "set", "unset", "get", "bash", "zsh", "fish", "woocommerce", "shopify", "bigcommerce"];
    let bare = word.trim_end_matches([';', ',', '.', ')', ':', '`']);
    let stands_for = bare.len() > 1 && bare.bytes().all(|b| b.is_ascii_uppercase() || b == b'=');
    let is_value = bare.contains([':', '.', '=', '/']) || bare.bytes().any(|b| b.is_ascii_digit());
    word.starts_with("--") || stands_for || is_value || TAKEN.contains(&bare)
}

/// Whether a sentence ends or pauses behind the word.
fn ends(word: &str) -> bool {
    word.ends_with([';', ',', '.', ')', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_whole_and_the_rest_hangs_below() {
        let hint = "hint: check the key in the shop (WooCommerce > Settings > Advanced > REST API), then ordersync connect --reauth woocommerce";
        let told = wrapped(hint, Some(80), 6);
        let lines: Vec<&str> = told.split('\n').collect();
        assert_eq!(
            lines,
            [
                "hint: check the key in the shop (WooCommerce > Settings > Advanced > REST API),",
                "      then ordersync connect --reauth woocommerce"
            ]
        );
        assert_eq!(wrapped("  shop      Tea & Cups", Some(80), 2), "  shop      Tea & Cups");
        assert_eq!(wrapped(hint, None, 6), hint, "nobody sees it: one line");
        let row = "   40  woocommerce  141     29 Nov 14:06  awaiting-fulfillment      2     36.53  EUR  AT";
        let told = wrapped(row, Some(80), 2);
        assert_eq!(told.split('\n').collect::<Vec<_>>(), [row.trim_end_matches("  EUR  AT"), "  EUR  AT"]);
        let url = format!("see https://shop.example/{} for it", "x".repeat(90));
        assert_eq!(wrapped(&url, Some(80), 0).split('\n').count(), 3);
        assert_eq!(
            together("a; ordersync sync --channel tea tries now; ordersync show book:7 --raw, b"),
            ["a;", "ordersync sync --channel tea", "tries", "now;", "ordersync show book:7 --raw,", "b"]
        );
        for (hint, command) in [
            (
                "then ordersync config set shop.unpaid_methods cod,bacs2 does it",
                "ordersync config set shop.unpaid_methods",
            ),
            ("so ordersync connect woocommerce --name ANOTHER helps", "ordersync connect woocommerce --name ANOTHER"),
            ("then ordersync schedule install syncs every half hour", "ordersync schedule install"),
            ("so ordersync cancel 17 --reason x.", "ordersync cancel 17 --reason x."),
            ("or ordersync connect KIND takes it up again", "ordersync connect KIND"),
            ("as ordersync outbox tells why", "ordersync outbox"),
        ] {
            assert!(together(hint).iter().any(|word| word.starts_with(command)), "{:?}", together(hint));
        }
    }

    proptest::proptest! {
        /// Nothing is lost or added but breaks between words, and no word of under 60 letters is
        /// broken or out of sight.
        #[test]
        fn no_word_is_broken(
            words in proptest::collection::vec("([a-zäé—花]{1,59}|ordersync|--[a-z]{1,9}|[a-z]{1,4}[;,.]| {0,2}|https://x\\.example/[a-z]{60,99})", 0..40),
            width in 70usize..140, hanging in 0usize..9,
        ) {
            let line = words.join(" ");
            let told = wrapped(&line, Some(width), hanging);
            let bare = |text: &str| text.split([' ', '\n']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            proptest::prop_assert_eq!(bare(&told), bare(&line));
            for line in told.split('\n').filter(|line| line.width() > width) {
                let one = line.trim();
                proptest::prop_assert!(one.starts_with("ordersync ") || !one.contains(' '), "{:?} in {}", line, told);
            }
        }
    }
}
