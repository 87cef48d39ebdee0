//! The words that an order is found by, and a search text as a question for the index of words.
//!
//! What is indexed and what is searched go through the same rules, so that é finds e and e finds é.
//! A word is a run of letters or a run of digits: `TEE-42XL` is `tee`, `42`, `xl`, however it is
//! written. Scripts that put no blanks between words (Chinese, Japanese, Korean, Thai ...) have a
//! word for each character, and several of them are searched as a phrase: any part of a name is
//! found. Phone numbers and e-mail addresses are words of their own kinds besides.
//!
//! Nothing of a search text is syntax: only letters and digits of it get into the question, in
//! quotation marks.

use std::collections::HashSet;
use std::fmt::Write;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// What begins the words of a kind of their own: no letter of any script.
const PHONE: char = '\u{e000}';
const PHONE_BACKWARDS: char = '\u{e001}';
const EMAIL: char = '\u{e002}';
const DOMAIN: char = '\u{e003}';

/// Longer words are cut off.
const LONGEST: usize = 60;

/// A word that is shorter is searched as it is, a longer one also finds what only begins with it:
/// too many words begin with any one letter.
const SHORTEST_BEGINNING: usize = 2;

/// Fewer digits than these are no phone number.
const SHORTEST_PHONE: usize = 4;

/// No phone number has more.
const LONGEST_PHONE: usize = 18;

/// As many words of a search text count.
const MOST_WORDS: usize = 32;

/// The words of one order on their way into the index.
#[derive(Debug, Default)]
pub(super) struct Words {
    text: String,
    seen: HashSet<String>,
}

impl Words {
    /// The words of a name, a title, a note.
    pub(super) fn text(&mut self, text: &str) {
        if self.is_new(text) {
            words(text).iter().for_each(|word| self.push(word));
            self.with_apostrophes(text);
        }
    }

    /// A number or id: also found by its digits alone.
    pub(super) fn number(&mut self, text: &str) {
        if self.is_new(text) {
            let parts = words(text);
            let digits = parts.iter().filter(|part| part.starts_with(|c: char| c.is_ascii_digit()));
            let joined = digits.clone().map(String::as_str).collect::<String>();
            parts.iter().for_each(|word| self.push(word));
            if digits.count() > 1 {
                self.push(&joined);
            }
        }
    }

    /// An e-mail address: as a whole, by the words in it, and by its domain.
    pub(super) fn email(&mut self, text: &str) {
        if text.is_empty() || !self.is_new(text) {
            return;
        }
        let (name, domain) = text.rsplit_once('@').unwrap_or((text, ""));
        self.push(&format!("{EMAIL}{}", joined(text)));
        words(name).iter().for_each(|word| self.push(word));
        let host = domain.rsplit_once('.').map_or(domain, |(host, _)| host);
        words(host).iter().for_each(|word| self.push(word));
        if !domain.is_empty() {
            self.push(&format!("{DOMAIN}{}", joined(domain)));
        }
    }

    /// A phone number, from its beginning and from its end.
    pub(super) fn phone(&mut self, text: &str) {
        if text.is_empty() || !self.is_new(text) {
            return;
        }
        let Some(phone) = Phone::of(text) else { return };
        self.push(&format!("{PHONE}{}", phone.national));
        if let Some(whole) = phone.international.filter(|whole| *whole != phone.national) {
            self.push(&format!("{PHONE}{whole}"));
        }
        self.push(&format!("{PHONE_BACKWARDS}{}", backwards(&phone.national)));
    }

    /// All of them, with blanks between.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// What stands in several places of an order (the same name on both addresses) counts once.
    fn is_new(&mut self, text: &str) -> bool {
        !text.is_empty() && self.seen.insert(text.to_owned())
    }

    fn push(&mut self, word: &str) {
        if !word.is_empty() {
            self.text.push_str(cut(word));
            self.text.push(' ');
        }
    }

    /// `O'Brien` is one word, and is found by `brien` as well.
    fn with_apostrophes(&mut self, text: &str) {
        if text.contains(APOSTROPHES) {
            for part in text.split(|c: char| !c.is_alphanumeric() && !APOSTROPHES.contains(&c)) {
                let tail = part.split_once(APOSTROPHES).map(|(_, tail)| words(tail));
                tail.into_iter().flatten().for_each(|word| self.push(&word));
            }
        }
    }
}

/// The question that a search text is; `None` where there is neither a letter nor a digit in it.
pub(super) fn question(text: &str) -> Option<String> {
    let mut question = String::new();
    let mut and = |clause: String| {
        if !clause.is_empty() {
            let between = if question.is_empty() { "" } else { " AND " };
            let _ = write!(question, "{between}{clause}");
        }
    };
    let pieces: Vec<&str> = text.split(is_blank).filter(|piece| !piece.is_empty()).take(MOST_WORDS).collect();
    let mut rest = pieces.as_slice();
    while let Some(first) = rest.first() {
        let digits = rest.iter().take_while(|piece| is_of_phone(piece)).count();
        and(if digits > 0 { numeric(&rest[..digits]) } else { wordy(first) });
        rest = &rest[digits.max(1)..];
    }
    (!question.is_empty()).then_some(question)
}

/// Pieces of nothing but digits: numbers each, or a phone number all together.
fn numeric(pieces: &[&str]) -> String {
    // A sign that stands alone is no piece of a number.
    let each: Vec<String> = pieces.iter().map(|piece| wordy(piece)).filter(|clause| !clause.is_empty()).collect();
    let mut ways = vec![each.join(" AND ")];
    if let Some(phone) = Phone::of(&pieces.join(" ")) {
        ways.push(beginning(&format!("{PHONE}{}", phone.national)));
        ways.extend(phone.international.map(|whole| beginning(&format!("{PHONE}{whole}"))));
        if phone.national.len() >= SHORTEST_PHONE {
            ways.push(beginning(&format!("{PHONE_BACKWARDS}{}", backwards(&phone.national))));
        }
    }
    any(ways)
}

/// Any other piece.
fn wordy(piece: &str) -> String {
    let parts = words(piece);
    let mut ways = Vec::new();
    match piece.split_once('@') {
        Some(("", domain)) => ways.push(beginning(&format!("{DOMAIN}{}", joined(domain)))),
        Some(_) => ways.push(beginning(&format!("{EMAIL}{}", joined(piece)))),
        None if piece.contains('.') && parts.len() > 1 => {
            ways.push(beginning(&format!("{DOMAIN}{}", joined(piece))));
        }
        None => {}
    }
    if let Some(last) = parts.last() {
        let open = last.chars().count() >= SHORTEST_BEGINNING && !last.starts_with(stands_alone);
        let phrase: Vec<&str> = parts.iter().map(|part| cut(part)).collect();
        ways.push(format!("\"{}\"{}", phrase.join(" "), if open { "*" } else { "" }));
    }
    any(ways)
}

fn any(mut ways: Vec<String>) -> String {
    ways.retain(|way| !way.is_empty());
    ways.dedup();
    match ways.as_slice() {
        [] => String::new(),
        [one] if !one.contains(" AND ") => one.clone(),
        _ => format!("(({}))", ways.join(") OR (")),
    }
}

/// All words that begin so. A mark alone is the beginning of nothing.
fn beginning(word: &str) -> String {
    if word.chars().count() > 1 { format!("\"{}\"*", cut(word)) } else { String::new() }
}

/// The words of a name: two that are written in another way are the same.
pub(super) fn folded_words(text: &str) -> Vec<String> {
    words(text)
}

/// A phone number as people write it; nothing where it is none.
pub(super) fn phone(text: &str) -> Option<Phone> {
    Phone::of(text)
}

/// The words of a text.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = Class::Between;
    let mut take = |c: char| {
        let class = Class::of(c);
        match (class, words.last_mut()) {
            (Class::Nothing, _) => return,
            (Class::Between, _) => {}
            (Class::Letter | Class::Digit, Some(word)) if class == before => word.push(c),
            _ => words.push(c.into()),
        }
        before = class;
    };
    folded(text, &mut take);
    words
}

/// All letters and digits of a text, together.
fn joined(text: &str) -> String {
    words(text).concat()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// A word of its own.
    Alone,
    /// Not there: an apostrophe, a mark that nobody sees.
    Nothing,
    Between,
}

const APOSTROPHES: [char; 5] = ['\'', '\u{2019}', '\u{2018}', '\u{2bc}', '`'];

impl Class {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' => Self::Letter,
            '0'..='9' => Self::Digit,
            c if APOSTROPHES.contains(&c) => Self::Nothing,
            c if c.is_ascii() => Self::Between,
            // Soft hyphen, joiners, directions, tatweel, byte order mark.
            '\u{ad}' | '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => Self::Nothing,
            '\u{2060}'..='\u{2069}' | '\u{feff}' => Self::Nothing,
            c if stands_alone(c) => Self::Alone,
            c if c.is_numeric() => Self::Digit,
            c if c.is_alphabetic() => Self::Letter,
            _ => Self::Between,
        }
    }
}

/// Whether a letter is of a script without blanks between words.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' // Thai, Lao, Burmese, Khmer
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

/// A text letter by letter, without case, marks and what else nobody types in a search.
fn folded(text: &str, take: &mut impl FnMut(char)) {
    if text.is_ascii() {
        return text.chars().for_each(|c| take(c.to_ascii_lowercase()));
    }
    for c in text.nfkc() {
        // A syllable of Hangul is a letter like any other, not three.
        if ('\u{ac00}'..='\u{d7af}').contains(&c) {
            take(c);
            continue;
        }
        decompose_compatible(c, |part| {
            if !is_combining_mark(part) {
                part.to_lowercase().filter(|part| !is_combining_mark(*part)).for_each(|part| plain(part, take));
            }
        });
    }
}

/// What Unicode does not take apart and people write in a plainer way.
fn plain(c: char, take: &mut impl FnMut(char)) {
    let text = match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ŧ' => "t",
        'ς' => "σ",
        // Arabic and Persian: forms of alef, yeh, kaf and heh that are written for one another.
        'ٱ' => "ا",
        'ى' | 'ی' | 'ې' => "ي",
        'ک' => "ك",
        'ة' | 'ہ' | 'ە' => "ه",
        '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => {
            let digit = char::from_digit(u32::from(c) & 0xf, 10);
            return digit.into_iter().for_each(take);
        }
        c => return take(c),
    };
    text.chars().for_each(take);
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(LONGEST).map_or(word, |(end, _)| &word[..end])
}

fn backwards(digits: &str) -> String {
    digits.chars().rev().collect()
}

/// Whether there is nothing in a piece but what phone numbers are written with.
fn is_of_phone(piece: &str) -> bool {
    let mut fits = true;
    folded(piece, &mut |c| {
        fits &= Class::of(c) == Class::Nothing || c.is_ascii_digit() || "+-()/.".contains(c) || DASHES.contains(&c);
    });
    fits
}

const DASHES: [char; 5] = ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}'];

/// A phone number, or the beginning or end of one.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    /// Without the zero before it, and without the country's number where that can be told.
    national: String,
    /// With the country's number, where it is written or may be.
    international: Option<String>,
    /// Whether the country's number is written.
    is_whole: bool,
}

impl Phone {
    fn of(text: &str) -> Option<Self> {
        let (mut digits, mut plus, mut ended) = (String::new(), false, false);
        folded(text, &mut |c| {
            // What is behind a letter is an extension.
            ended |= Class::of(c) == Class::Letter && !digits.is_empty();
            plus |= c == '+' && digits.is_empty();
            if c.is_ascii_digit() && !ended && digits.len() <= LONGEST_PHONE {
                digits.push(c);
            }
        });
        if !(SHORTEST_PHONE..=LONGEST_PHONE).contains(&digits.len()) {
            return None;
        }
        let whole = if plus { Some(digits.as_str()) } else { digits.strip_prefix("00") };
        let (national, international) = match whole {
            Some(whole) => (without_country(whole), Some(whole)),
            None if digits.starts_with('0') => (digits.as_str(), None),
            // In North America the country's number is written without a plus as well.
            None if digits.len() == 11 && digits.starts_with('1') => (&digits[1..], Some(digits.as_str())),
            None => (digits.as_str(), Some(digits.as_str())),
        };
        let national = national.trim_start_matches('0');
        let national = if national.is_empty() { &digits } else { national };
        let (national, international) = (national.to_owned(), international.map(str::to_owned));
        Some(Self { national, international, is_whole: whole.is_some() })
    }

    /// Whether the two are one number: with their countries' numbers where both have one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_same_whole = self.international.is_some() && self.international == other.international;
        is_same_whole || (self.national == other.national && !(self.is_whole && other.is_whole))
    }

    /// How many digits it has without the country's.
    pub(super) fn len(&self) -> usize {
        self.national.len()
    }
}

/// A number without the country's number. These have one digit (1, 7), two, or else three.
fn without_country(digits: &str) -> &str {
    const OF_TWO: [&str; 43] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95",
    ];
    let length = match digits.get(..2) {
        Some(two) if two.starts_with(['1', '7']) => 1,
        Some(two) if OF_TWO.contains(&two) || two == "98" => 2,
        _ => 3,
    };
    digits.get(length..).unwrap_or(digits)
}

#[cfg(test)]
mod tests;
