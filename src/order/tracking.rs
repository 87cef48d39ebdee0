//! Tracking numbers: one normal form, and where a text names one.
//!
//! A number is printed in groups (`RR 123 456 789 DE`), typed without them, and changed on its way
//! by shops that make their texts pretty. Two spellings are one number where their letters and
//! digits are the same. What was sent is looked for by that, and never by a part of it: one number
//! may be the beginning of another.

/// The letters and digits of a number, in upper case; the text itself where it has none.
pub(crate) fn normal_number(number: &str) -> String {
    let normal: String = plain(number).filter(|c| c.is_alphanumeric()).collect();
    if normal.is_empty() { number.trim().to_uppercase() } else { normal }
}

/// Whether two spellings are the same tracking number. Nothing is no number.
pub(crate) fn same_number(a: &str, b: &str) -> bool {
    let normal = normal_number(a);
    !normal.is_empty() && normal == normal_number(b)
}

/// Whether a text names this tracking number as a whole, however it is grouped. In doubt it does
/// not: a number next to other digits, with only a space or a hyphen between, may be a group of a
/// longer one.
pub(crate) fn names_number(text: &str, number: &str) -> bool {
    let wanted = normal_number(number);
    if wanted.is_empty() {
        return false;
    }
    let words = words(text);
    text.trim().eq_ignore_ascii_case(number.trim())
        || (0..words.len())
            .any(|first| ends(&words, first, &wanted).is_some_and(|last| stands_alone(&words, first, last)))
}

/// A run of letters and digits, and whether only a space or a sign that numbers are grouped with is
/// between it and the one before.
struct Word {
    text: String,
    joined: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut apart, mut joined) = (true, false);
    for c in plain(text) {
        if c.is_alphanumeric() {
            match words.last_mut().filter(|_| !apart) {
                Some(word) => word.text.push(c),
                None => words.push(Word { text: c.to_string(), joined: joined && !words.is_empty() }),
            }
            (apart, joined) = (false, true);
        } else {
            apart = true;
            joined &= groups(c);
        }
    }
    words
}

/// Signs that stand between the groups of one number. A comma, a semicolon or a new line stands
/// between two.
fn groups(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}'
            | '\u{202f}'
            | '\u{2009}'
            | '.'
            | '_'
            | '/'
            | '#'
            | '\\'
            | '&'
            | '+'
            | '\''
            | '"'
            | '’'
            | '”'
            | '…'
    ) || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The last word of the number that begins at the word `first`, where it does.
fn ends(words: &[Word], first: usize, wanted: &str) -> Option<usize> {
    let mut rest = wanted;
    for (nth, word) in words.iter().enumerate().skip(first) {
        if nth > first && !word.joined {
            return None;
        }
        rest = rest.strip_prefix(word.text.as_str())?;
        if rest.is_empty() {
            return Some(nth);
        }
    }
    None
}

/// Whether no group of a longer number stands beside these words: other digits, or the two pairs of
/// letters around the nine digits of an international postal number.
fn stands_alone(words: &[Word], first: usize, last: usize) -> bool {
    let before = first.checked_sub(1).and_then(|nth| words.get(nth)).filter(|_| words[first].joined);
    let after = words.get(last + 1).filter(|word| word.joined);
    let has_digits = |word: Option<&Word>| word.is_some_and(|word| word.text.contains(|c: char| c.is_ascii_digit()));
    let pair = |word: Option<&Word>| word.is_some_and(|word| word.text.chars().count() == 2);
    let digits: String = words[first..=last].iter().map(|word| word.text.as_str()).collect();
    let postal = digits.len() == 9 && digits.bytes().all(|b| b.is_ascii_digit());
    !(has_digits(before) || has_digits(after) || postal && pair(before) && pair(after))
}

/// The signs of a text as they were before a shop made them pretty: upper case, no full-width
/// forms, an `x` between digits that became a multiplication sign.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|c| {
        let c = match c {
            '×' => 'x',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            other => other,
        };
        c.to_uppercase()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_found_in_a_text_as_a_whole() {
        for (text, number) in [
            ("Shipped with DHL, tracking number JD01 https://x.example/JD01", "JD01"),
            ("JD01, JD02", "jd02"),
            ("Your parcel (RR123456789DE) is on its way.", "RR 123 456 789 DE"),
            ("tracking number RR 123 456 789 DE https://t.example/?n=1", "rr123456789de"),
            ("No 4×5", "4x5"),
            ("with A–1/2.3_4#5 – thanks", "A-1/2.3_4#5"),
            ("０１２３", "0123"),
            ("**", "**"),
        ] {
            assert!(names_number(text, number), "{number} in {text}");
        }
        for (text, number) in [
            ("tracking number JD011", "JD01"),
            ("RR 123 456 789 DE", "RR 123 456"),
            ("RR 123 456 789 DE", "456 789 DE"),
            ("RR 123456789 DE", "123456789"),
            ("0034 0434 1610 9400", "0434-1610"),
            ("JD01, JD02", "JD01JD02"),
            ("", "JD01"),
            ("anything", ""),
            ("anything", "  "),
        ] {
            assert!(!names_number(text, number), "{number} in {text}");
        }
    }

    /// A number in groups, with what stands between them.
    fn spelt(groups: &[String], between: &[&str]) -> String {
        let ends = between.iter().copied().cycle();
        groups.iter().zip(ends).map(|(group, end)| format!("{group}{end}")).collect()
    }

    fn number() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[A-Z]{0,2}[0-9]{1,6}", 1..5)
    }

    /// A number in groups, and some of the groups that follow each other in it, not all of them.
    fn number_and_part() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
        let groups = proptest::collection::vec("[A-Z]{0,2}[0-9]{1,6}", 2..5);
        (groups, 0usize..4, 1usize..4).prop_map(|(number, from, length)| {
            let length = length.min(number.len() - 1);
            let from = from.min(number.len() - length);
            let part = number.iter().skip(from).take(length).cloned().collect();
            (number, part)
        })
    }

    fn signs() -> impl Strategy<Value = Vec<&'static str>> {
        proptest::collection::vec(proptest::sample::select(vec![" ", "-", ".", "_", "/", "#", "", "\u{a0}", "–"]), 1..4)
    }

    proptest! {
        #[test]
        fn d3_a_number_is_recognised_however_it_is_written(number in number(), a in signs(), b in signs()) {
            let (one, other) = (spelt(&number, &a), spelt(&number, &b).to_lowercase());
            prop_assert!(same_number(&one, &other), "{one} {other}");
            let text = format!("Shipped with Royal Mail, tracking number {one}; see https://t.example/x");
            prop_assert!(names_number(&text, &other), "{other} in {text}");
        }

        #[test]
        fn d3_a_number_is_never_found_in_another_one(
            (number, part) in number_and_part(), a in signs(), b in signs()
        ) {
            let (whole, part) = (spelt(&number, &a), spelt(&part, &b));
            prop_assume!(!same_number(&whole, &part));
            let text = format!("Shipped with Royal Mail, tracking number {whole}; see https://t.example/x");
            prop_assert!(!names_number(&text, &part), "{part} in {text}");
            let twice = format!("{part}, {part}");
            prop_assert!(!names_number(&twice, &whole), "{whole} in {twice}");
        }
    }
}
