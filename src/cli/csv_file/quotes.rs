//! Quotes that do not come in pairs. A reader of CSV takes them without a word, and with them a
//! part of the file for what it is not.

/// What the bytes before this one are to the cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing of it yet.
    Begin,
    /// Text without quotes; one within it is a sign like any other (`="0034"`, `3" nails`).
    Plain,
    /// Behind a quote that opened.
    Quoted,
    /// Directly behind a second quote: the end of the cell, or the first half of a doubled one.
    Second,
    /// Behind the end of a quoted cell: blanks may come, nothing else.
    End,
}

/// Holds the text against what quotes mean: the one that opens a cell is closed, and behind that
/// comes the next cell or row.
///
/// # Errors
/// With the row, as an editor counts lines.
pub(super) fn check(text: &str, lines_before: u64, delimiter: u8) -> Result<(), String> {
    let (mut place, mut line, mut opened) = (Place::Begin, lines_before + 1, 0);
    for byte in text.bytes() {
        place = match (place, byte) {
            (Place::Quoted, b'"') => Place::Second,
            (Place::Quoted, _) | (Place::Second, b'"') => Place::Quoted,
            (_, b'\n') => Place::Begin,
            (_, byte) if byte == delimiter => Place::Begin,
            (Place::Begin, b'"') => {
                opened = line;
                Place::Quoted
            }
            (Place::Second | Place::End, b' ' | b'\t') => Place::End,
            (Place::Second | Place::End, _) => {
                return Err(format!(
                    "row {line} goes on behind a closing quote (the cell begins in row {opened}); a quote within a cell is doubled"
                ));
            }
            (Place::Begin | Place::Plain, _) => Place::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    if place == Place::Quoted {
        return Err(format!(
            "row {opened} opens a quote that is never closed, so that the rest of the file is one cell"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn quotes_in_pairs_pass_whatever_stands_between_them() {
        for text in [
            "",
            "a,b\n1,2",
            "a,b\n\"1,\n2\",3\n",
            "a,b\n\"say \"\"x\"\"\",\"\"\n",
            "a,b\n=\"0034\",3\" nails\n",
            "a,b\n\"1\" ,\"2\"\t\n",
            "a,b\n\"\"\"\",2\n",
        ] {
            assert_eq!(check(text, 0, b','), Ok(()), "{text}");
        }
        assert_eq!(check("a;b\n\"1;2\";3\n", 1, b';'), Ok(()));
    }

    #[test]
    fn a_quote_without_its_fellow_is_told_with_its_row() {
        for (text, row) in [
            ("\"a,b\n1,2\n", "row 1 opens"),
            ("a,b\n1,2\n3,\"4\n5,6\n", "row 3 opens"),
            ("a,b\n1,\"2", "row 2 opens"),
            ("a,b\n\"x\ny\",\"2\n", "row 3 opens"),
            ("a,b\n1,\"2\n3,\"4\"\n", "row 3 goes on behind a closing quote (the cell begins in row 2)"),
            ("a,b\n\"1\"2,3\n", "row 2 goes on"),
            ("a,b\n\"1\" \"2\",3\n", "row 2 goes on"),
        ] {
            let told = check(text, 0, b',').unwrap_err();
            assert!(told.starts_with(row), "{text}: {told}");
        }
        assert!(check("a,b\n1,\"2\n", 1, b',').unwrap_err().starts_with("row 3"), "the line sep= counts");
    }
}
