//! Tracking numbers as people paste them and spreadsheets break them: mended where that is certain,
//! else refused (D-6).

/// Digits that a spreadsheet keeps of a number; it makes zeros of those behind them.
pub(crate) const KEPT_DIGITS: usize = 15;

/// The longest tracking number; the longest in use have about forty characters.
const LONGEST: usize = 100;

/// What a cell or a pasted text said before a spreadsheet dressed it: without characters that
/// nobody sees, `="..."` and apostrophes around. Wide letters and digits become plain ones.
pub(crate) fn undressed(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !is_invisible(*c)).map(plain).collect();
    let mut text = plain.trim();
    while let Some(inner) = without_dress(text) {
        text = inner.trim();
    }
    text.replace("\"\"", "\"")
}

fn without_dress(text: &str) -> Option<&str> {
    let quoted = |text: &'_ str| text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    if let Some(formula) = text.strip_prefix('=').map(str::trim).filter(|rest| quoted(rest)) {
        return Some(formula);
    }
    if quoted(text) {
        return text.get(1..text.len() - 1);
    }
    let inner = text.strip_prefix(['\'', '’', '‘', '`'])?;
    Some(inner.strip_suffix(['\'', '’']).unwrap_or(inner))
}

/// Zero-width characters, marks of direction, soft hyphens.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() && !c.is_control() => ' ',
        c => c,
    }
}

/// The tracking number in `text`.
///
/// # Errors
/// Why it is none, or cannot be told for sure, in words that go on after the text itself.
pub(crate) fn tracking_number(text: &str) -> Result<String, &'static str> {
    let seen = undressed(text);
    if seen.is_empty() {
        return Err("is empty");
    }
    if seen.chars().any(|c| matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}')) {
        return Err("holds several lines; one number in each, please");
    }
    if seen.chars().any(char::is_control) || seen.chars().count() > LONGEST {
        return Err("is not a tracking number");
    }
    if seen.contains(['"', char::REPLACEMENT_CHARACTER]) {
        return Err("holds a quote or a sign that was broken on the way; look where it came from");
    }
    if is_placeholder(&seen) || seen.starts_with(['=', '+', '@']) {
        return Err("is not a tracking number but what a spreadsheet or a person puts where there is none");
    }
    if seen.contains("://") {
        return Err("is a link, not a number");
    }
    if is_scientific(&seen) {
        return Err(
            "has been shortened by a spreadsheet and its last digits are lost; format the column as text and export it again",
        );
    }
    if let Some(digits) = without_decimals(&seen) {
        return kept(digits);
    }
    if let Some(digits) = without_thousands(&seen, text) {
        return kept(digits);
    }
    if holds_several(&seen) {
        return Err("holds several numbers; one in each, please");
    }
    Ok(seen.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A number that went through a spreadsheet as a number is whole only as far as one keeps digits.
fn kept(digits: String) -> Result<String, &'static str> {
    if digits.len() > KEPT_DIGITS {
        return Err(
            "has gone through a spreadsheet as a number, which keeps 15 digits; format the column as text and export it again",
        );
    }
    Ok(digits)
}

/// How many zeros a number of digits has behind those that a spreadsheet keeps, where nothing else
/// is there. Nothing of a number that a spreadsheet would have kept whole, or that is more than
/// digits.
pub(crate) fn zeros_behind(number: &str) -> Option<usize> {
    let rest = number.get(KEPT_DIGITS..).filter(|rest| !rest.is_empty())?;
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| if rest.bytes().all(|b| b == b'0') { rest.len() } else { 0 })
}

fn is_placeholder(text: &str) -> bool {
    const EMPTY: [&str; 10] = ["N/A", "NA", "NULL", "NAN", "NONE", "TBA", "TBD", "TRUE", "FALSE", "UNKNOWN"];
    let upper = text.to_uppercase();
    EMPTY.contains(&upper.as_str())
        || !text.chars().any(char::is_alphanumeric)
        || text.starts_with('#') && (text.ends_with('!') || text.ends_with('?') || upper == "#N/A")
}

/// `9.4E+21`, `9,4E+21`, `9E+21`: one digit, decimals or a sign, an exponent.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let signed = exponent.strip_prefix(['+', '-']);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, decimals) =
        mantissa.split_once(['.', ',']).map_or((mantissa, None), |(whole, rest)| (whole, Some(rest)));
    let exponent = signed.unwrap_or(exponent);
    whole.strip_prefix('-').unwrap_or(whole).len() == 1
        && digits(whole.strip_prefix('-').unwrap_or(whole))
        && digits(exponent)
        && exponent.len() <= 3
        && decimals.is_none_or(digits)
        && (decimals.is_some() || signed.is_some())
}

/// `123456789012.0` is a number with a decimal; `940.000` may as well be one with a point between
/// its thousands.
fn without_decimals(text: &str) -> Option<String> {
    let (whole, decimals) = text.rsplit_once(['.', ','])?;
    let zeros = !decimals.is_empty() && decimals.len() != 3 && decimals.bytes().all(|b| b == b'0');
    if !zeros {
        return None;
    }
    let digits = whole.bytes().all(|b| b.is_ascii_digit()) && !whole.is_empty();
    if digits { Some(whole.to_owned()) } else { without_thousands(whole, whole) }
}

/// `940,011,189,922`: at least two signs of one kind, three digits behind each. A blank counts
/// where it is one that only machines write.
fn without_thousands(text: &str, raw: &str) -> Option<String> {
    let machine_blank = raw.contains(['\u{a0}', '\u{202f}', '\u{2009}']) && !raw.trim().contains(' ');
    let signs = [',', '.', '\'', '’'].into_iter().chain(machine_blank.then_some(' '));
    signs.into_iter().find_map(|sign| {
        let groups: Vec<&str> = text.split(sign).collect();
        let (first, others) = groups.split_first()?;
        let three = |group: &&str| group.len() == 3;
        let all_digits = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_digit()));
        let grouped = others.len() >= 2 && (1..=3).contains(&first.len()) && others.iter().all(three) && all_digits;
        grouped.then(|| groups.concat())
    })
}

/// Signs that stand between two numbers and in none, or words that are numbers each.
fn holds_several(text: &str) -> bool {
    let between = |word: &str| matches!(word, "/" | "&" | "+" | "-" | "and" | "und" | "et" | "y" | "e");
    let whole = |word: &str| word.len() >= 8 && word.bytes().filter(u8::is_ascii_digit).count() >= 4;
    let has_digits = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = text.split_whitespace().collect();
    let parts = words.split(|word| between(word)).filter(|part| part.iter().any(has_digits));
    text.contains([',', ';', '|']) || parts.count() > 1 || words.iter().filter(|word| whole(word)).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d6_what_a_spreadsheet_did_to_a_number_is_undone_where_that_is_certain() {
        for (text, number) in [
            ("JD01", "JD01"),
            (" JD01\u{a0}", "JD01"),
            ("=\"9400111899223100000001\"", "9400111899223100000001"),
            ("=\"\"9400111899223100000001\"\"", "9400111899223100000001"),
            ("'00340434161094000119", "00340434161094000119"),
            ("’00340434161094000119", "00340434161094000119"),
            ("\"JD01\"", "JD01"),
            ("RR 123 456 789 DE", "RR 123 456 789 DE"),
            ("RR  123\u{a0}456 789\u{2009}DE", "RR 123 456 789 DE"),
            ("9400 1118 9922 3100 0000 01", "9400 1118 9922 3100 0000 01"),
            ("\u{feff}1Z999\u{200b}AA1\u{200e}", "1Z999AA1"),
            ("JD\u{ad}01", "JD01"),
            ("123456789012.0", "123456789012"),
            ("123456789012,00", "123456789012"),
            ("123,456,789,012", "123456789012"),
            ("123.456.789.012", "123456789012"),
            ("123'456'789'012", "123456789012"),
            ("123\u{a0}456\u{a0}789\u{a0}012", "123456789012"),
            ("123,456,789,012.00", "123456789012"),
            ("ＪＤ０１", "JD01"),
            ("3SABC–1", "3SABC-1"),
            ("99.00.123456.12345678", "99.00.123456.12345678"),
            ("1E5", "1E5"),
            ("1234E5678", "1234E5678"),
            ("A_B/C#1", "A_B/C#1"),
            ("jd-01 & 'co'", "jd-01 & 'co'"),
        ] {
            assert_eq!(tracking_number(text).as_deref(), Ok(number), "{text:?}");
        }
    }

    #[test]
    fn d6_zeros_are_counted_where_a_spreadsheet_puts_them() {
        for (number, zeros) in [
            ("340434161094123000", Some(3)),
            ("3404341610941230", Some(1)),
            ("00340434161094000119", Some(0)),
            ("100000000000000", None),
            ("1Z999AA10123456000", None),
        ] {
            assert_eq!(zeros_behind(number), zeros, "{number}");
        }
    }

    #[test]
    fn d6_what_cannot_be_told_for_sure_is_refused() {
        for (text, why) in [
            ("", "empty"),
            ("\u{200b} ", "empty"),
            ("9.4E+21", "last digits"),
            ("9,40011E+21", "last digits"),
            ("9E+21", "last digits"),
            ("9.4e21", "last digits"),
            ("='JD01", "spreadsheet"),
            ("=A1&B1", "spreadsheet"),
            ("+49123", "spreadsheet"),
            ("#N/A", "spreadsheet"),
            ("#REF!", "spreadsheet"),
            ("n/a", "spreadsheet"),
            ("-", "spreadsheet"),
            ("https://dhl.example/track?x=JD01", "a link"),
            ("JD01, JD02", "several"),
            ("JD01;JD02", "several"),
            ("JD01\nJD02", "several lines"),
            ("JD01 and JD02", "several"),
            ("1Z999AA10123456784 1Z999AA10123456785", "several"),
            ("1Z999AA1 / 1Z999AA2", "several"),
            ("9400111899223100000001.0", "15 digits"),
            ("9,400,111,899,223,100,000,001", "15 digits"),
            ("123,456", "several"),
            ("JD\u{1b}[2J", "not a tracking number"),
            ("JD\"01", "holds a quote"),
            ("JD\u{fffd}01", "broken on the way"),
        ] {
            let refused = tracking_number(text).unwrap_err();
            assert!(refused.contains(why), "{text:?}: {refused}");
        }
        assert!(tracking_number(&"1".repeat(101)).is_err());
    }
}
