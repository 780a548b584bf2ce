//! What do questions and answers about names look like on the wire? RFC 1035, section 4, and RFC 6891. Pure.
//!
//! Of any bytes comes an answer, or none; an answer is never longer than the asker has room for.

use std::net::IpAddr;

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is nobody's.
    Nobody,
    /// It has these addresses; with none, there are names below it.
    Addresses(Vec<IpAddr>),
    /// It is an address, written as a name, and this is whose.
    Pointer(String),
    /// Others have to be asked.
    Elsewhere,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In one datagram, as long as the asker allows.
    Udp,
    /// In a stream, where there is room for all.
    Tcp,
}

/// Types of records.
mod kind {
    pub(super) const A: u16 = 1;
    pub(super) const SOA: u16 = 6;
    pub(super) const PTR: u16 = 12;
    pub(super) const AAAA: u16 = 28;
    pub(super) const OPT: u16 = 41;
    pub(super) const IXFR: u16 = 251;
    pub(super) const AXFR: u16 = 252;
    pub(super) const ANY: u16 = 255;
}

/// Classes.
const IN: u16 = 1;
const ANY_CLASS: u16 = 255;

/// How it went, RFC 1035, section 4.1.1; the last is RFC 6891's, whose upper bits stand in the OPT record.
mod code {
    pub(super) const NO_ERROR: u16 = 0;
    pub(super) const FORMAT_ERROR: u16 = 1;
    pub(super) const SERVER_FAILURE: u16 = 2;
    pub(super) const NO_SUCH_NAME: u16 = 3;
    pub(super) const NOT_IMPLEMENTED: u16 = 4;
    pub(super) const REFUSED: u16 = 5;
    pub(super) const BAD_VERSION: u16 = 16;
}

/// The length of a message's header.
const HEADER: usize = 12;
/// Bits of the header's second word.
const IS_ANSWER: u16 = 1 << 15;
const OPERATION: u16 = 0xf << 11;
const AUTHORITATIVE: u16 = 1 << 10;
const TRUNCATED: u16 = 1 << 9;
const RECURSION_DESIRED: u16 = 1 << 8;
const RECURSION_AVAILABLE: u16 = 1 << 7;
/// What every asker has room for, and the most that is put into a datagram.
const LEAST: usize = 512;
const MOST: u16 = 4096;

/// A question that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    header: [u8; 4],
    /// As it was asked, upper and lower case included, because some compare.
    wire: Vec<u8>,
    /// In lower case, without a dot at its end.
    name: String,
    kind: u16,
    class: u16,
    extended: Option<Extended>,
}

/// What the asker's OPT record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extended {
    room: u16,
    version: u8,
    /// Whether signatures are welcome; that is said back, RFC 3225.
    signed: bool,
}

/// The answer to a message, by what `look_up` knows of its name, in lower case and without a dot at its end. `None` where silence
/// is best: to what is an answer itself, or is no message at all. Where others have to be asked, it says that nobody answers.
pub(crate) fn answer(message: &[u8], way: Way, look_up: impl FnOnce(&str) -> Found) -> Option<Vec<u8>> {
    let header = *message.first_chunk::<4>()?;
    let flags = u16::from_be_bytes([header[2], header[3]]);
    if message.len() < HEADER || flags & IS_ANSWER != 0 {
        return None;
    }
    if flags & OPERATION != 0 {
        return Some(bare(header, code::NOT_IMPLEMENTED));
    }
    let Some(question) = read(header, message) else { return Some(bare(header, code::FORMAT_ERROR)) };
    if question.extended.is_some_and(|extended| extended.version != 0) {
        return Some(question.reply(code::BAD_VERSION, &[], false, usize::from(MOST)));
    }
    let transfer = matches!(question.kind, kind::AXFR | kind::IXFR);
    if transfer || !matches!(question.class, IN | ANY_CLASS) {
        return Some(question.reply(code::REFUSED, &[], false, LEAST));
    }
    let found = look_up(&question.name);
    let code = match found {
        Found::Nobody => code::NO_SUCH_NAME,
        Found::Elsewhere => code::SERVER_FAILURE,
        Found::Addresses(_) | Found::Pointer(_) => code::NO_ERROR,
    };
    let records = records(&found, question.kind);
    let room = match (way, question.extended) {
        (Way::Tcp, _) => usize::from(u16::MAX),
        (Way::Udp, None) => LEAST,
        (Way::Udp, Some(extended)) => usize::from(extended.room.min(MOST)).max(LEAST),
    };
    Some(question.reply(code, &records, records.is_empty() && found != Found::Elsewhere, room))
}

/// The records of the type that was asked for: type, and data.
fn records(found: &Found, asked: u16) -> Vec<(u16, Vec<u8>)> {
    let all: Vec<(u16, Vec<u8>)> = match found {
        Found::Nobody | Found::Elsewhere => Vec::new(),
        Found::Pointer(name) => vec![(kind::PTR, wire_name(name))],
        Found::Addresses(addresses) => addresses
            .iter()
            .map(|address| match address {
                IpAddr::V4(address) => (kind::A, address.octets().to_vec()),
                IpAddr::V6(address) => (kind::AAAA, address.octets().to_vec()),
            })
            .collect(),
    };
    all.into_iter().filter(|(kind, _)| asked == kind::ANY || asked == *kind).collect()
}

impl Question {
    /// The whole message. Where it would be longer than `room`, it says that it was cut and has no records.
    fn reply(&self, code: u16, records: &[(u16, Vec<u8>)], says_who_decides: bool, room: usize) -> Vec<u8> {
        let whole = self.written(code, records, says_who_decides, 0);
        if whole.len() <= room { whole } else { self.written(code, &[], false, TRUNCATED) }
    }

    fn written(&self, code: u16, records: &[(u16, Vec<u8>)], says_who_decides: bool, flags: u16) -> Vec<u8> {
        let mut bytes = header(self.header, flags | (code & 0xf));
        let counts = [1, records.len() as u16, u16::from(says_who_decides), u16::from(self.extended.is_some())];
        bytes.extend(counts.into_iter().flat_map(u16::to_be_bytes));
        bytes.extend(&self.wire);
        for (kind, data) in records {
            // The name is where the question has it, right behind the header.
            bytes.extend((0xc000 | HEADER as u16).to_be_bytes());
            put_record(&mut bytes, *kind, IN, 0, data);
        }
        if says_who_decides {
            bytes.push(0);
            put_record(&mut bytes, kind::SOA, IN, 0, &start_of_authority());
        }
        if let Some(extended) = self.extended {
            let upper_bits = u32::from(code >> 4) << 24;
            bytes.push(0);
            put_record(&mut bytes, kind::OPT, MOST, upper_bits | (u32::from(extended.signed) << 15), &[]);
        }
        bytes
    }
}

/// A record behind its name. Nothing is to be remembered: the next question may have another answer.
fn put_record(bytes: &mut Vec<u8>, kind: u16, class: u16, time_to_live: u32, data: &[u8]) {
    bytes.extend(kind.to_be_bytes());
    bytes.extend(class.to_be_bytes());
    bytes.extend(time_to_live.to_be_bytes());
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
}

/// The lab decides about all names there are. The five numbers, of which the last is how long a no is remembered, mean nothing.
fn start_of_authority() -> Vec<u8> {
    let mut data = wire_name("localhost");
    data.extend(wire_name("nobody.invalid"));
    data.extend([1_u32, 0, 0, 0, 0].into_iter().flat_map(u32::to_be_bytes));
    data
}

/// A message without a question.
fn bare(asked: [u8; 4], code: u16) -> Vec<u8> {
    let mut bytes = header(asked, code);
    bytes.resize(HEADER, 0);
    bytes
}

/// The first four bytes of an answer.
fn header([high, low, flags_high, flags_low]: [u8; 4], own: u16) -> Vec<u8> {
    let asked = u16::from_be_bytes([flags_high, flags_low]) & (OPERATION | RECURSION_DESIRED);
    let flags = asked | own | IS_ANSWER | AUTHORITATIVE | RECURSION_AVAILABLE;
    [[high, low], flags.to_be_bytes()].concat()
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// Reads the one question, and the OPT record if there is one.
fn read(header: [u8; 4], message: &[u8]) -> Option<Question> {
    let count = |at: usize| word(message, at);
    if count(4)? != 1 {
        return None;
    }
    let (name, name_end) = question_name(message)?;
    let (kind, class) = (word(message, name_end)?, word(message, name_end + 2)?);
    let end = name_end + 4;
    let mut question = Question { header, wire: message[HEADER..end].to_vec(), name, kind, class, extended: None };
    let records = u32::from(count(6)?) + u32::from(count(8)?) + u32::from(count(10)?);
    let mut at = end;
    for _ in 0..records {
        let fixed = after_name(message, at)?;
        let data = fixed + 10;
        at = data + usize::from(word(message, fixed + 8)?);
        message.get(data..at)?;
        if word(message, fixed)? == kind::OPT {
            let flags = word(message, fixed + 6)?;
            let extended =
                Extended { room: word(message, fixed + 2)?, version: message[fixed + 5], signed: flags >> 15 == 1 };
            if question.extended.replace(extended).is_some() {
                return None;
            }
        }
    }
    Some(question)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// The name right behind the header, and where it ends. Bytes that no host name has make it a name that nobody has.
fn question_name(message: &[u8]) -> Option<(String, usize)> {
    let (mut at, mut name) = (HEADER, String::new());
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            return (at - HEADER <= 255).then_some((name, at));
        }
        // Nothing stands before the question that a pointer could mean.
        if length > 63 {
            return None;
        }
        if !name.is_empty() {
            name.push('.');
        }
        let label = message.get(at..at + length)?;
        let plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'.';
        name.extend(label.iter().map(|byte| if plain(byte) { byte.to_ascii_lowercase().into() } else { '\u{fffd}' }));
        at += length;
    }
}

/// Where a name ends that may be abbreviated by a pointer.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
