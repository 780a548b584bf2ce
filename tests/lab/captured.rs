//! What went over the links, packet by packet: in which file, of which runs, and how much of it?

use std::collections::HashSet;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isotest::isotest;
use isotest::lab::{Lab, Result};
use isotest_tests::{Ended, Fixture};

use crate::pcapng::{ACK, FIN, SYN, at, interfaces, read, saying, to_port, with_flags};
use crate::talk::converse;

/// Runs the fixture's tests, which all write to one directory, one run at a time.
fn ran(command: &mut Command, code: i32) -> (Ended, MutexGuard<'static, ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    (Ended::of(command).with(code), alone)
}

const CAPTURES: [&str; 3] = ["--no-fail-fast", "--test", "captures"];

/// The files that were kept, as these lines tell.
fn kept<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<PathBuf> {
    let told = lines.filter_map(|line| line.split_once("packets on its network"));
    let paths = told.filter_map(|(_, rest)| rest.split_once(": ")?.1.split(" (").next());
    let mut paths: Vec<_> = paths.map(PathBuf::from).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn named<'p>(paths: &'p [PathBuf], test: &str) -> &'p Path {
    let name = format!("labs.captures.{test}.pcapng");
    paths.iter().find(|path| path.ends_with(&name)).unwrap_or_else(|| panic!("no {name} in {paths:?}"))
}

#[test]
fn cargo_test_keeps_packets_of_failed_tests_and_says_where() {
    let mut command = Fixture("labs").cargo(&[&["test"], &CAPTURES[..], &["--", "--show-output"]].concat());
    let (ended, _alone) = ran(&mut command, 101);
    let kept = kept(ended.out.lines());
    let names: Vec<_> = kept.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    assert_eq!(
        names,
        [
            "labs.captures.fails",
            "labs.captures.hangs",
            "labs.captures.is_killed",
            "labs.captures.leaves_a_connection",
            "labs.captures.passes_always",
        ]
    );
    for (test, words) in [
        ("fails", "said before it failed"),
        ("hangs", "said before it hung"),
        ("is_killed", "said before it was killed"),
    ] {
        let packets = read(named(&kept, test));
        assert_eq!(interfaces(&packets), ["alice eth0", "bob eth0"], "{test}");
        assert_eq!(saying(&packets, words), 2, "as it left and as it arrived: {test}");
        for (interface, flags) in [("alice eth0", SYN), ("bob eth0", SYN | ACK)] {
            assert_eq!(with_flags(&at(&packets, interface, true), flags), 1, "{test} {interface}");
        }
    }
}

#[test]
fn lo_is_captured_once_a_packet_until_the_last_process_is_gone() {
    let tests = ["passes_always", "leaves_a_connection"];
    let mut command = Fixture("labs").cargo(&[&["test"], &CAPTURES[..], &["--", "--show-output"], &tests[..]].concat());
    let (ended, _alone) = ran(&mut command, 0);
    let kept = kept(ended.out.lines());
    let packets = read(named(&kept, "passes_always"));
    assert_eq!((interfaces(&packets), saying(&packets, "said on lo")), (vec!["lo"], 1));
    let packets = read(named(&kept, "leaves_a_connection"));
    let all: Vec<_> = packets.iter().collect();
    assert_eq!(with_flags(&all, SYN), 2, "SYN and its answer");
    // The test's own end of the connection ends with the test, and says so from port 80.
    let by_who_was_left = with_flags(&to_port(&packets, 80), FIN);
    assert!(by_who_was_left >= 1, "who held the connection was ended, and the file goes on until then");
}

#[test]
fn cargo_isotest_keeps_them_of_plain_tests_too_and_says_so_in_its_report() {
    let arguments = [&CAPTURES[..], &["--profile", "captured", "--message-format", "json"]].concat();
    let (ended, _alone) = ran(&mut Fixture("labs").cargo_isotest(&arguments), 100);
    let events = ended.out.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let ends = events.filter(|event| event["event"] == "ended");
    let notes: Vec<String> = ends
        .flat_map(|event| event["notes"].as_array().cloned().unwrap_or_default())
        .filter_map(|note| note.as_str().map(str::to_owned))
        .collect();
    let paths = kept(notes.iter().map(String::as_str));
    assert_eq!(paths.len(), 6, "{paths:?}: five as above, and `plain`\n{}", ended.err);
    assert_eq!(saying(&read(named(&paths, "plain")), "said by a plain test"), 1);
}

#[test]
fn a_test_that_passed_is_called_so_though_its_packets_are_kept() {
    let arguments = [&CAPTURES[..], &["passes_always"]].concat();
    let (ended, _alone) = ran(&mut Fixture("labs").cargo_isotest(&arguments), 0);
    let line = ended.err.lines().find(|line| line.contains("passes_always") && line.contains("s]"));
    assert!(line.is_some_and(|line| line.trim_start().starts_with("PASS")), "{}", ended.err);
}

#[test]
fn each_copy_of_a_test_keeps_its_own() {
    let chosen = ["--stress-count", "2", "-E", "test(=passes_always)"];
    let (ended, _alone) = ran(&mut Fixture("labs").cargo_isotest(&[&CAPTURES[..], &chosen].concat()), 0);
    let kept = kept(ended.err.lines());
    let names: Vec<_> = kept.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(names, ["labs.captures.passes_always.copy-1.pcapng", "labs.captures.passes_always.copy-2.pcapng"]);
    for path in &kept {
        assert_eq!(saying(&read(path), "said on lo"), 1, "{path:?}");
        std::fs::remove_file(path).expect("it is there");
    }
}

#[test]
fn each_attempt_at_a_test_keeps_its_own() {
    let run = |retries: &str| {
        let chosen = ["--profile", "captured", "--retries", retries, "-E", "test(=fails)"];
        let (ended, alone) = ran(&mut Fixture("labs").cargo_isotest(&[&CAPTURES[..], &chosen].concat()), 100);
        let kept = kept(ended.err.lines());
        let there = |path: &PathBuf| path.exists().then(|| path.file_name().map(|name| name.to_owned()));
        (kept.iter().filter_map(there).flatten().collect::<Vec<_>>(), kept, alone)
    };
    let (names, kept, alone) = run("2");
    assert_eq!(
        names,
        ["labs.captures.fails.attempt-2.pcapng", "labs.captures.fails.attempt-3.pcapng", "labs.captures.fails.pcapng"]
    );
    for path in &kept {
        assert_eq!(saying(&read(path), "said before it failed"), 2, "{path:?}");
    }
    drop(alone);
    let (names, _, _alone) = run("0");
    assert_eq!(names, ["labs.captures.fails.pcapng"]);
    assert_eq!(kept.iter().filter(|path| path.exists()).count(), 1, "what is left of the run before is gone");
}

#[isotest]
fn a_lab_s_packets_are_written_from_both_ends_until_it_is_stopped() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    let capture = lab.capture("/tmp/lab.pcapng")?;
    assert!(converse(&alice, &bob, bob.address().into()));
    let captured = capture.stop();
    assert!(converse(&bob, &alice, alice.address().into()));
    let packets = read(Path::new("/tmp/lab.pcapng"));
    assert_eq!((captured.packets, captured.missed, captured.cut), (packets.len() as u64, 0, false));
    assert_eq!(interfaces(&packets), ["alice eth0", "bob eth0"]);
    assert_eq!(saying(&packets, "ping"), 4, "there and back, at both ends");
    let syns = ["alice eth0", "bob eth0"].map(|interface| {
        [true, false].map(|out| {
            with_flags(&at(&packets, interface, out), SYN) - with_flags(&at(&packets, interface, out), SYN | ACK)
        })
    });
    assert_eq!(syns, [[1, 0], [0, 1]], "alice calls, bob is called, and what follows the end is not there");
    Ok(())
}

/// Also those that are sent at once, when the kernel has just been asked to note their times.
#[isotest]
fn each_packet_stands_where_it_left_before_where_it_came() -> Result<()> {
    for _ in 0..20 {
        let lab = Lab::new()?;
        let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
        lab.link(&alice, &bob)?;
        let _door = bob.enter(|| UdpSocket::bind("0.0.0.0:9")).expect("every port is free and allowed");
        let sender = alice.enter(|| UdpSocket::bind("0.0.0.0:0")).expect("some port is free");
        let capture = lab.capture("/tmp/order.pcapng")?;
        for number in 0..300_u32 {
            sender
                .send_to(&[b"number", &number.to_be_bytes()[..]].concat(), (bob.address(), 9))
                .expect("there is a route");
        }
        assert_eq!(capture.stop().missed, 0);
        let mut left = HashSet::new();
        for packet in read(Path::new("/tmp/order.pcapng")).into_iter().filter(|it| it.bytes.len() == 14 + 28 + 10) {
            let number = packet.bytes[48..].to_vec();
            let stands_right = if packet.out { left.insert(number) } else { left.contains(&number) };
            assert!(stands_right, "{packet:?}");
        }
        assert_eq!(left.len(), 300);
    }
    Ok(())
}

#[isotest]
fn a_host_s_packets_are_those_of_all_its_interfaces_and_a_link_s_those_at_its_ends() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    let links = lab.switch("lan")?.connect(&[&alice, &bob])?;
    let second = lab.link(&bob, &carol)?;
    let of_bob = bob.capture("/tmp/bob.pcapng")?;
    let of_first = links[0].capture("/tmp/first.pcapng")?;
    let of_second = second.capture("/tmp/second.pcapng")?;
    assert!(converse(&alice, &bob, bob.address().into()));
    assert!(converse(&carol, &bob, second.address_of(&bob)?));
    assert!(converse(&bob, &bob, [127, 0, 0, 1].into()));
    drop((of_bob, of_first, of_second));
    let seen = |name: &str| read(Path::new(name));
    let (of_bob, of_first, of_second) =
        (seen("/tmp/bob.pcapng"), seen("/tmp/first.pcapng"), seen("/tmp/second.pcapng"));
    assert_eq!((interfaces(&of_bob), saying(&of_bob, "ping")), (vec!["bob eth0", "bob eth1", "bob lo"], 6));
    assert_eq!((interfaces(&of_first), saying(&of_first, "ping")), (vec!["alice eth0"], 2));
    assert_eq!((interfaces(&of_second), saying(&of_second, "ping")), (vec!["bob eth1", "carol eth0"], 4));
    Ok(())
}

#[isotest]
fn a_file_that_can_t_be_made_is_told() -> Result<()> {
    let lab = Lab::new()?;
    lab.host("alice")?;
    let error = lab.capture("/nowhere/x.pcapng").expect_err("there is no such directory").to_string();
    assert!(error.starts_with("capturing packets into /nowhere/x.pcapng: No such file or directory"), "{error}");
    Ok(())
}

#[test]
#[ignore = "needs tshark; .ci/run installs it"]
fn wireshark_reads_names_directions_and_what_was_said() {
    let mut command = Fixture("labs").cargo(&[&["test"], &CAPTURES[..], &["--", "fails"]].concat());
    let (ended, _alone) = ran(&mut command, 101);
    let kept = kept(ended.out.lines());
    let file = named(&kept, "fails").to_str().expect("a path of text");
    let tshark = |arguments: &[&str]| Ended::of(Command::new("tshark").args(["-r", file]).args(arguments)).with(0).out;
    let fields =
        ["-T", "fields", "-e", "frame.interface_name", "-e", "frame.packet_flags_direction", "-e", "tcp.flags.str"];
    let syn = tshark(&[&["-Y", "tcp.flags.syn == 1 && ip && tcp.flags.ack == 0"], &fields[..]].concat());
    let expected = ["alice eth0\t0x00000002\t··········S·", "bob eth0\t0x00000001\t··········S·"];
    assert_eq!(syn.lines().collect::<Vec<_>>(), expected);
    let said = tshark(&["-q", "-z", "follow,tcp,ascii,0"]) + &tshark(&["-q", "-z", "follow,tcp,ascii,1"]);
    assert!(said.contains("said before it failed"), "{said}");
    let broken = tshark(&["-Y", "_ws.malformed || _ws.short"]);
    assert_eq!(broken, "", "nothing is malformed");
    let capinfos = Ended::of(Command::new("capinfos").arg(file)).with(0);
    for line in ["Strict time order:   True", "Name = alice eth0", "Name = bob eth0", "isotest "] {
        capinfos.says(&[line]);
    }
}
