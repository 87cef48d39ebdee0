//! Text as WordPress stores it, made plain.

/// The entities that WordPress writes into names, titles and notes.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("hellip", '…'),
    ("times", '×'),
    ("rarr", '→'),
    ("euro", '€'),
];

/// Decodes the named entities WordPress emits and numeric ones (`&#8211;`, `&#x27;`), once:
/// `&amp;amp;` becomes `&amp;`. What is no entity stays as it is.
pub(crate) fn decode(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        match after.split_once(';').and_then(|(name, tail)| Some((entity(name)?, tail))) {
            Some((character, tail)) => {
                plain.push(character);
                rest = tail;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|character| *character != '\0');
    }
    ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, character)| *character)
}

/// Takes the HTML tags out of `text` (WordPress wraps displayed values in `<p>`), then decodes it.
pub(crate) fn plain(text: &str) -> String {
    if !text.contains('<') {
        return decode(text).trim().to_owned();
    }
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        bare.push_str(before);
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        match after.split_once('>').filter(|_| is_tag) {
            Some((_, tail)) => rest = tail,
            None => {
                bare.push('<');
                rest = after;
            }
        }
    }
    bare.push_str(rest);
    decode(&bare).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entities_of_wordpress_are_decoded_once_and_others_left_alone() {
        assert_eq!(decode("Tea &amp; S&#246;hne &#8211; &#x27;x&#039;"), "Tea & Söhne – 'x'");
        assert_eq!(decode("&amp;amp; AT&T; a & b &nope;"), "&amp; AT&T; a & b &nope;");
        assert_eq!(plain("<p>S &lt; M</p>\n"), "S < M");
        assert_eq!(plain("3 < 4"), "3 < 4");
    }
}
