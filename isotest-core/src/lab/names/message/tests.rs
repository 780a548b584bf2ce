//! Is each kind of question answered as it should be?

use std::net::{IpAddr, Ipv4Addr};

use super::*;

/// A question, as stubs put it: recursion desired.
fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    bytes.extend(wire_name(name));
    bytes.extend(kind.to_be_bytes());
    bytes.extend(IN.to_be_bytes());
    bytes
}

/// The same with an OPT record.
fn extended(mut message: Vec<u8>, room: u16, version: u8) -> Vec<u8> {
    message[11] += 1;
    message.push(0);
    put_record(&mut message, kind::OPT, room, (u32::from(version) << 16) | (1 << 15), &[]);
    message
}

fn known(name: &str) -> Found {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    match name {
        "bob" => Found::Addresses(vec![address("10.1.0.2"), address("fd00::2")]),
        "2.0.1.10.in-addr.arpa" => Found::Pointer("bob".to_owned()),
        "1.10.in-addr.arpa" => Found::Addresses(Vec::new()),
        "crowd" => Found::Addresses((0..100).map(|n| Ipv4Addr::new(10, 1, 0, n).into()).collect()),
        _ => Found::Nobody,
    }
}

/// Code, and the counts of answers, authorities and additional records.
fn outcome(reply: &[u8]) -> (u16, [u16; 3]) {
    let count = |at| word(reply, at).expect("a header");
    (count(2) & 0xf, [count(6), count(8), count(10)])
}

fn ask(message: &[u8]) -> Vec<u8> {
    answer(message, Way::Udp, known).expect("it is a question")
}

#[test]
fn each_type_has_its_records() {
    let reply = ask(&question("bob", kind::A));
    assert_eq!(outcome(&reply), (code::NO_ERROR, [1, 0, 0]));
    assert!(reply.ends_with(&[0, 4, 10, 1, 0, 2]), "{reply:?}");
    let flags = word(&reply, 2).expect("a header");
    assert_eq!(flags & (IS_ANSWER | AUTHORITATIVE | RECURSION_DESIRED), IS_ANSWER | AUTHORITATIVE | RECURSION_DESIRED);
    assert_eq!(reply[..2], [0xab, 0xcd], "whose answer it is");
    assert!(ask(&question("bob", kind::AAAA)).ends_with(&[0, 16, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]));
    assert!(ask(&question("2.0.1.10.in-addr.arpa", kind::PTR)).ends_with(&[0, 5, 3, b'b', b'o', b'b', 0]));
    assert_eq!(outcome(&ask(&question("bob", kind::ANY))), (code::NO_ERROR, [2, 0, 0]));
}

#[test]
fn no_such_name_and_no_such_record_are_told_apart_and_both_say_who_decides() {
    assert_eq!(outcome(&ask(&question("eve", kind::A))), (code::NO_SUCH_NAME, [0, 1, 0]));
    assert_eq!(outcome(&ask(&question("bob", 15))), (code::NO_ERROR, [0, 1, 0]));
    assert_eq!(outcome(&ask(&question("1.10.in-addr.arpa", kind::PTR))), (code::NO_ERROR, [0, 1, 0]));
    assert_eq!(outcome(&ask(&question("", kind::A))), (code::NO_SUCH_NAME, [0, 1, 0]));
}

#[test]
fn case_does_not_matter_and_is_given_back() {
    let asked = question("bOb", kind::A);
    let reply = ask(&asked);
    assert_eq!(outcome(&reply), (code::NO_ERROR, [1, 0, 0]));
    assert_eq!(reply[HEADER..asked.len()], asked[HEADER..]);
}

#[test]
fn what_does_not_fit_says_so_and_comes_whole_by_tcp() {
    let cut = ask(&question("crowd", kind::A));
    assert_eq!((word(&cut, 2).expect("a header") & TRUNCATED, outcome(&cut)), (TRUNCATED, (0, [0, 0, 0])));
    let whole = answer(&question("crowd", kind::A), Way::Tcp, known).expect("it is a question");
    assert_eq!((word(&whole, 2).expect("a header") & TRUNCATED, outcome(&whole)), (0, (0, [100, 0, 0])));
    let with_room = ask(&extended(question("crowd", kind::A), 4096, 0));
    assert_eq!(outcome(&with_room), (0, [100, 0, 1]));
    let without = ask(&extended(question("crowd", kind::A), 100, 0));
    assert_eq!((without.len() <= LEAST, outcome(&without)), (true, (0, [0, 0, 1])));
}

#[test]
fn an_opt_record_is_answered_by_one() {
    let reply = ask(&extended(question("bob", kind::A), 1232, 0));
    assert_eq!(outcome(&reply), (0, [1, 0, 1]));
    assert!(reply.ends_with(&[0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 0]), "{reply:?}");
    let newer = ask(&extended(question("bob", kind::A), 1232, 1));
    assert!(newer.ends_with(&[0, 0, 41, 16, 0, 1, 0, 0x80, 0, 0, 0]), "{newer:?}");
    let twice = extended(extended(question("bob", kind::A), 1232, 0), 1232, 0);
    assert_eq!(outcome(&ask(&twice)).0, code::FORMAT_ERROR);
}

#[test]
fn what_is_not_done_here_is_refused() {
    let mut other_class = question("bob", kind::A);
    *other_class.last_mut().expect("a class") = 3;
    assert_eq!(outcome(&ask(&other_class)).0, code::REFUSED);
    assert_eq!(outcome(&ask(&question("bob", kind::AXFR))).0, code::REFUSED);
    let mut update = question("bob", kind::A);
    update[2] |= 5 << 3;
    assert_eq!(outcome(&ask(&update)).0, code::NOT_IMPLEMENTED);
}

#[test]
fn answers_and_scraps_are_met_with_silence() {
    let mut reply = question("bob", kind::A);
    reply[2] |= 0x80;
    assert_eq!(answer(&reply, Way::Udp, known), None);
    for length in 0..HEADER {
        assert_eq!(answer(&question("bob", kind::A)[..length], Way::Udp, known), None);
    }
}

#[test]
fn broken_questions_are_told_so() {
    let whole = extended(question("bob", kind::A), 1232, 0);
    for length in HEADER..whole.len() {
        assert_eq!(outcome(&ask(&whole[..length])).0, code::FORMAT_ERROR, "the first {length} bytes");
    }
    let mut two = question("bob", kind::A);
    two[5] = 2;
    let mut pointer = question("bob", kind::A);
    pointer[HEADER] = 0xc0;
    let mut long = question(&["a23456789"; 26].join("."), kind::A);
    assert_eq!(outcome(&ask(&long)).0, code::FORMAT_ERROR, "255 bytes at most");
    long = question(&["a23456789"; 25].join("."), kind::A);
    assert_eq!(outcome(&ask(&long)).0, code::NO_SUCH_NAME);
    for broken in [two, pointer] {
        assert_eq!(outcome(&ask(&broken)).0, code::FORMAT_ERROR);
    }
}

#[test]
fn whatever_comes_the_answer_is_short_and_there_is_no_panic() {
    let whole = extended(question("bob", kind::ANY), 65535, 0);
    let mut state = 1_u32;
    for _ in 0..20_000 {
        let mut message = whole.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 16) as usize % message.len();
            message[at] = state.to_be_bytes()[0];
        }
        if let Some(reply) = answer(&message, Way::Udp, known) {
            assert!(reply.len() <= usize::from(MOST));
        }
    }
}
