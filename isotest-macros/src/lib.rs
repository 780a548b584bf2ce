//! The `#[isotest]` attribute. Depend on `isotest-core`, which re-exports it.
//!
//! `args` reads what stands in the parentheses, `check` decides whether the item can be a test, `expand` writes what
//! it becomes. To add an argument, add a row to the table in `args`, an entry to the documentation below and a file
//! per mistake to `tests/ui/mistakes`.

mod args;
mod check;
mod expand;
mod mistakes;

use proc_macro::TokenStream;

use crate::args::Arguments;
use crate::check::Test;
use crate::mistakes::Mistakes;

/// Gives a test a machine of its own: fresh PID, network, mount, UTS, IPC and user namespaces, a private tmpfs and a
/// reaping init.
///
/// ```
/// use isotest::isotest;
///
/// #[isotest(timeout = "5s", hostname = "web-1", env(RUST_LOG = "debug"))]
/// fn listens_on_port_80() -> std::io::Result<()> {
///     let listener = std::net::TcpListener::bind("127.0.0.1:80")?; // Free in every sandbox, and allowed.
///     assert_eq!(listener.local_addr()?.port(), 80);
///     assert_eq!(std::process::id(), 2); // PID 1 is this test's own init.
///     Ok(())
/// }
/// ```
///
/// The function becomes a `#[test]` of the same name. It takes no parameters and returns whatever a test may return:
/// nothing, a `Result`, an `ExitCode`, any other [`Termination`](std::process::Termination). `#[should_panic]`,
/// `#[ignore]`, `#[cfg]` and lint levels mean what they mean on any test, above or below. `#[isotest::test]` is
/// another spelling of the same attribute.
///
/// Examples on this page are compiled and not run, as tests in documentation are; the project's `examples/` folder
/// has some that are run.
///
/// # Arguments
///
/// - `egress = "ignore"`, `"warn"` or `"fail"`: what becomes of a test that tries to reach an address outside of its
///   network, if it passes otherwise. See [below](#what-a-test-leaves-behind-and-where-it-wants-to-go). Default `"warn"`.
///   `egress = "record"` tells where to: names that were asked for, and addresses with protocol and port.
///   `egress = ["10.0.0.0/8:443", "example.com"]` does so too, and fails the test if it tried to go anywhere else. Nothing leaves
///   the sandbox in either case.
/// - `env(NAME = "value", …)`: environment variables, set before the test starts. A name that is no identifier stands
///   in quotes: `env("my.name" = "value")`. `environ(7)`
/// - `hostname = "db-1"`: the host name inside, 1 to 64 letters, digits, `-`, `_` and `.`. Default `"isotest"`.
///   `sethostname(2)`
/// - `init = true` or `init = false`: whether PID 1 is an init that reaps orphans, with the test as PID 2; or the test
///   itself is PID 1, so that nobody reaps for it and signals that it does not handle are ignored. Default `true`.
///   `pid_namespaces(7)`
/// - `ipc = "isolated"` or `ipc = "host"`: System V IPC and POSIX message queues of the test's own, or the caller's.
///   Default `"isolated"`. `ipc_namespaces(7)`
/// - `leaks = "ignore"`, `"warn"` or `"fail"`: what becomes of a test that leaves processes or files behind, if it passes
///   otherwise. See [below](#what-a-test-leaves-behind-and-where-it-wants-to-go). Default `"warn"`.
/// - `mount = "isolated"` or `mount = "host"`: mounts of the test's own, with private temporary directories and a `/proc`
///   and `/sys` that fit its other namespaces; or the caller's mounts, which takes `pid = "host"` beside it. Default
///   `"isolated"`. `mount_namespaces(7)`
/// - `net = "isolated"` or `net = "host"`: a network of the test's own with nothing in it but `lo`, which is up; or the
///   caller's network. Default `"isolated"`. `network_namespaces(7)`
/// - `pcap = "failed"`, `"always"` or `"never"`: of which runs the packets that went over the test's network are kept, those of
///   the hosts of its labs included: `target/isotest/captures/BINARY.TEST.pcapng`, which Wireshark reads, from before the
///   first packet until nothing of the test is left that could send one, at most 256 MiB. Default `"never"`. `packet(7)`
/// - `pid = "isolated"` or `pid = "host"`: process ids of the test's own; or the caller's. Then the test sees all
///   processes of the host and may signal the caller's. What it has started is killed all the same, one by one, unless
///   the init is killed first. Default `"isolated"`. `pid_namespaces(7)`
/// - `processes = 4096`: how many processes and threads may exist inside at once. Default `4096`. Root is
///   bound since Linux 6.14. `RLIMIT_NPROC` in `setrlimit(2)`
/// - `timeout = "5s"`: how long after its start the test is killed, with all that it has started. Whole numbers, each
///   with a unit (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`), which add up, as in `"1m 30s"`. Default: never. `SIGKILL` in
///   `signal(7)`
/// - `tmp = "64M"`: the size of each private tmpfs (`/tmp`, `/var/tmp`, `/dev/shm`, `/run`), in bytes, or with `K`,
///   `M`, `G`, `T` in powers of 1024 bytes. Default `"256M"`. `tmpfs(5)`
/// - `uplink = true` or `uplink = false`: whether the test's labs may be connected to the machine's network, by
///   `Lab::uplink`. Default `false`.
/// - `user = "self"` or `user = "root"`: the caller's own user and group, with whom file permissions mean what they
///   mean outside; or uid 0 and gid 0, with every capability over the test's own namespaces. Default `"self"`.
///   `user_namespaces(7)`
/// - `uts = "isolated"` or `uts = "host"`: a host name of the test's own, or the caller's. Default `"isolated"`.
///   `uts_namespaces(7)`
/// - `crate = path::to::isotest`: where generated code finds this library, which is under another name if the
///   dependency was renamed, or in another crate if that re-exports it. Default `::isotest`.
///
/// # Together with other test attributes
///
/// Put `#[isotest]` **above** an attribute that turns one function into one test, and **below** one that makes several
/// tests, or a test with parameters: below all its cases, so that each of them gets a sandbox of its own.
///
/// ```
/// # use isotest::isotest;
/// # use rstest::rstest;
/// #[isotest]
/// #[tokio::test]
/// async fn the_runtime_lives_in_the_sandbox() {}
///
/// #[isotest]
/// #[test_log::test]
/// fn what_it_logs_is_captured() {}
///
/// #[rstest]
/// #[case::web(80)]
/// #[case::dns(53)]
/// #[isotest]
/// fn each_case_has_a_sandbox_of_its_own(#[case] port: u16) {}
/// ```
///
/// A plain `#[test]` below `#[isotest]` is the same as none. Above, where `#[test_case]` writes one, it has made a test
/// of its own before `#[isotest]` can know of it: the harness then has the test twice.
///
/// # What a test leaves behind, and where it wants to go
///
/// When the test process has ended, its init looks once, without waiting: which processes are still running, other than
/// those that have begun to end (`leaks`); what there is in the private directories, `/tmp`, `/var/tmp`, `/dev/shm`,
/// `/run` and `$TMPDIR` (`leaks`); how often the kernel had no route for an address (`egress`). `warn` tells it in a note,
/// `fail` makes a failure of a test that passed otherwise, `#[should_panic]` or not. All that was left is gone afterwards
/// in any case.
///
/// A child that is killed but not waited for does not count, one whose input was just closed may: wait for children. An
/// attempt is one that names an address, by `connect(2)` or `sendto(2)` and their like over TCP or UDP, broadcast and
/// multicast included; names that have to be asked for at a server outside make some too. Raw IPv4 sockets are not
/// counted by the kernel. With `init = false` the kernel has ended all other processes before anybody can look, with
/// `mount = "host"` there are no private directories, and with `net = "host"` attempts succeed: nothing is told of these.
///
/// # Where a test can't be isolated
///
/// On a system other than Linux the tests are ignored, with the reason. On Linux a test whose sandbox can't be made
/// fails and says why; the environment variable `ISOTEST_UNAVAILABLE` (`fail`, `skip`, `run`) chooses otherwise.
#[proc_macro_attribute]
pub fn isotest(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(arguments.into(), item.into()).into()
}

fn attribute(arguments: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut mistakes = Mistakes::default();
    let arguments = mistakes.sort(Arguments::read(arguments));
    let test = mistakes.sort(Test::from_item(item.clone()));
    match (arguments, test) {
        (Some(arguments), Some(test)) => expand::test(&arguments, test),
        _ => {
            let mut tokens = mistakes.to_compile_errors();
            tokens.extend(expand::given_back(item));
            tokens
        }
    }
}
