//! What is a text without its colours? All other bytes stay as they are, also those that are no text: they are a test's.

use std::borrow::Cow;

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// Leaves out whole control sequences (ECMA-48) and operating system commands, such as hyperlinks. One that does not end is no such thing,
/// and must not take with it all that follows.
pub(super) fn without_escapes(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == ESCAPE) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = sequence(rest).or_else(|| command(rest)).unwrap_or(0);
        if length == 0 {
            plain.push(ESCAPE);
        }
        rest = &rest[length.max(1)..];
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// How long the control sequence is that the text begins with: parameters, intermediate bytes, and a final one.
fn sequence(text: &[u8]) -> Option<usize> {
    let body = text.strip_prefix(&[ESCAPE, b'['])?;
    let end = body.iter().position(|byte| !matches!(byte, 0x20..=0x3f))?;
    matches!(body[end], 0x40..=0x7e).then_some(end + 3)
}

/// How long the operating system command is that the text begins with. It ends on its line.
fn command(text: &[u8]) -> Option<usize> {
    let body = text.strip_prefix(&[ESCAPE, b']'])?;
    let end = body.iter().position(|byte| matches!(*byte, BELL | ESCAPE | b'\n'))?;
    match body[end..] {
        [BELL, ..] => Some(end + 3),
        [ESCAPE, b'\\', ..] => Some(end + 4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::without_escapes;

    #[test]
    fn colours_and_links_go_and_nothing_else() {
        for (text, plain) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"\x1b[1;32mgood\x1b[0m, \x1b[38;5;1mbad\x1b[m", b"good, bad"),
            (b"\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\ \x1b]0;title\x07.", b"link ."),
            (b"caf\xe9 \xff\xfe\0\x80 \xc3\xa9", b"caf\xe9 \xff\xfe\0\x80 \xc3\xa9"),
            (b"\x1b[31", b"\x1b[31"),
            (b"\x1b]0;no end\nFAIL", b"\x1b]0;no end\nFAIL"),
            (b"\x1bPno end\nFAIL \x1b", b"\x1bPno end\nFAIL \x1b"),
        ] {
            assert_eq!(without_escapes(text), plain, "{}", text.escape_ascii());
        }
    }
}
