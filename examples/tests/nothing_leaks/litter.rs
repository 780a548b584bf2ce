//! What can a test leave behind? Twenty tests that leave all of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::unistd::sethostname;

/// The environment variable that says which name the litter of the twenty bears.
pub(crate) const NAME: &str = "LITTER_NAME";

macro_rules! littering_tests {
    ($($test:ident)*) => {
        mod twenty {
            $(
                #[isotest::isotest(timeout = "60s")]
                fn $test() {
                    super::drop_everything(&std::env::var(super::NAME).unwrap_or_else(|_| "litter".to_owned()));
                }
            )*
        }
    };
}

littering_tests! {
    one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
}

/// Files, a mount, a new host name and a daemon, all bearing `name`.
pub(crate) fn drop_everything(name: &str) {
    for directory in ["/tmp", "/var/tmp", "/dev/shm", "/run"].into_iter().filter(|path| Path::new(path).is_dir()) {
        fs::write(format!("{directory}/{name}"), "litter").expect("the directory is the test's own");
    }
    let disk = format!("/tmp/{name}.disk");
    fs::create_dir(&disk).expect("/tmp is the test's own");
    mount(Some(name), disk.as_str(), Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("a test may mount");
    sethostname(name).expect("a test may rename its own machine");
    let mut parent = Command::new("sh");
    parent.args(["-c", &format!("sh -c 'sleep 1000; : {name}' &")]);
    parent.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(parent.status().expect("sh runs").success(), "the daemon's parent ends and leaves it alone");
}
