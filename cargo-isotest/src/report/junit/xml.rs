//! How is text written in XML? Whatever a test wrote becomes characters that XML knows, and nothing of it is lost but colours.

use std::io::{self, Write};

/// Writes bytes of any kind between two tags. Bytes that are no text become `\xNN`.
pub(super) fn write_bytes(bytes: &[u8], to: &mut dyn Write) -> io::Result<()> {
    for chunk in bytes.utf8_chunks() {
        write_text(chunk.valid(), to)?;
        for byte in chunk.invalid() {
            write!(to, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Writes text between two tags.
pub(super) fn write_text(text: &str, to: &mut dyn Write) -> io::Result<()> {
    // A reader takes `\r\n` for `\n` unless it is written as what it is.
    write_escaped(text, to, |c| match c {
        '\r' => Some("&#13;"),
        _ => common(c),
    })
}

/// Writes ` name="text"`.
pub(crate) fn write_attribute(name: &str, text: &str, to: &mut dyn Write) -> io::Result<()> {
    write!(to, " {name}=\"")?;
    write_escaped(text, to, |c| match c {
        '"' => Some("&quot;"),
        // A reader takes any of them for a blank.
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        '\t' => Some("&#9;"),
        _ => common(c),
    })?;
    to.write_all(b"\"")
}

fn common(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"), // `]]>` must not stand in text.
        _ => None,
    }
}

fn write_escaped(text: &str, to: &mut dyn Write, escape: fn(char) -> Option<&'static str>) -> io::Result<()> {
    let mut write = |text: &str| {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let escaped = escape(c);
            if escaped.is_none() && is_in_xml(c) {
                continue;
            }
            to.write_all(&text.as_bytes()[plain..at])?;
            match escaped {
                Some(escaped) => to.write_all(escaped.as_bytes())?,
                None if u32::from(c) < 0x80 => write!(to, "\\x{:02x}", u32::from(c))?,
                None => write!(to, "\\u{{{:x}}}", u32::from(c))?,
            }
            plain = at + c.len_utf8();
        }
        to.write_all(&text.as_bytes()[plain..])
    };
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        write(&rest[..at])?;
        rest = behind_colour(&rest[at..]);
    }
    write(rest)
}

/// What stands behind a sequence like `ESC [ 1 ; 31 m`, ECMA-48, section 5.4.
fn behind_colour(text: &str) -> &str {
    let parameters = text[2..].find(|c: char| !matches!(c, ' '..='?')).map_or(text.len(), |at| at + 2);
    let ends = matches!(text[parameters..].chars().next(), Some('@'..='~'));
    &text[parameters + usize::from(ends)..]
}

/// <https://www.w3.org/TR/xml/#charsets>
fn is_in_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::{write_attribute, write_bytes};

    fn text(bytes: &[u8]) -> String {
        let mut to = Vec::new();
        write_bytes(bytes, &mut to).expect("memory takes it");
        String::from_utf8(to).expect("text")
    }

    #[test]
    fn what_means_something_in_xml_is_escaped() {
        assert_eq!(text(b"a < b && c > \"d\" ]]>\r\n"), "a &lt; b &amp;&amp; c &gt; \"d\" ]]&gt;&#13;\n");
        let mut to = Vec::new();
        write_attribute("message", "left: \"a\"\n\tright: <b>", &mut to).expect("memory takes it");
        assert_eq!(to, b" message=\"left: &quot;a&quot;&#10;&#9;right: &lt;b&gt;\"");
    }

    #[test]
    fn what_xml_has_no_character_for_is_spelt_out() {
        assert_eq!(text(b"\xff\xfe\0\x07\x7f"), "\\xff\\xfe\\x00\\x07\x7f");
        assert_eq!(text("\u{ffff}é😀".as_bytes()), "\\u{ffff}é😀");
    }

    #[test]
    fn colours_are_taken_off() {
        assert_eq!(text(b"\x1b[31mred\x1b[0m and \x1b[1;38;5;9mbold\x1b[m\n"), "red and bold\n");
        assert_eq!(text("\u{1b}[1\u{1b}[31é\u{1b}[".as_bytes()), "é");
        assert_eq!(text(b"\x1bc\0"), "\\x1bc\\x00");
    }
}
