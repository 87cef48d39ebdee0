//! Text that a vendor stores as it stands in a web page, made plain.

/// Decodes the entities of HTML, by their names and by their numbers (`&#8211;`, `&#x27;`), once:
/// `&amp;amp;` becomes `&amp;`. What is no entity stays as it is.
pub(crate) fn decode(text: &str) -> String {
    html_escape::decode_html_entities(text).into_owned()
}

/// Takes the HTML tags out of `text` (WordPress wraps displayed values in `<p>`), then decodes it.
pub(crate) fn plain(text: &str) -> String {
    if !text.contains('<') {
        return html_escape::decode_html_entities(text).trim().to_owned();
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
    fn entities_are_decoded_once_and_what_is_none_stays() {
        assert_eq!(decode("Tea &amp; S&#246;hne &#8211; &#x27;x&#039;"), "Tea & Söhne – 'x'");
        assert_eq!(decode("&amp;amp; AT&T; a & b &nope;"), "&amp; AT&T; a & b &nope;");
        assert_eq!(plain("<p>S &lt; M</p>\n"), "S < M");
        assert_eq!(plain("3 < 4"), "3 < 4");
        assert_eq!(decode("don&#39;t &quot;Fianc&eacute;&quot; &hearts; &#x1F381;"), "don't \"Fiancé\" ♥ 🎁");
        assert_eq!(
            decode("&#0; &#27; &#xD800; &#99999999; &; &# & &#x;"),
            "&#0; &#27; &#xD800; &#99999999; &; &# & &#x;"
        );
    }
}
