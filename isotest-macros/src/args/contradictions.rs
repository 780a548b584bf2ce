//! Which arguments can't both be true?
//!
//! `Spec::contradiction` asks the same of a spec from elsewhere. Here there is a token to point at, and it is known what
//! was written and what is a default.

use syn::Error;

use super::given::Given;
use crate::mistakes::Mistakes;

pub(super) fn find(given: &[Given], mistakes: &mut Mistakes) {
    let argument = |name: &str| given.iter().find(|given| given.name() == name);
    let with = |name: &str, value: &str| argument(name).filter(|given| given.says(value));
    let mut refuse = |guilty: &Given, message: &str| mistakes.add(Error::new(guilty.span(), message));

    if let Some(mount) = with("mount", "host")
        && with("pid", "host").is_none()
    {
        refuse(
            mount,
            "`mount = \"host\"` contradicts `pid = \"isolated\"`, which is the default: with the host's mounts, /proc \
             would show the host's processes under the test's numbers; add `pid = \"host\"`",
        );
    }
    if let (Some(init), Some(_)) = (with("init", "false"), with("pid", "host")) {
        refuse(
            init,
            "`init = false` contradicts `pid = \"host\"`: the host has a PID 1 already; leave one of the two out",
        );
    }
    if let (Some(hostname), Some(_)) = (argument("hostname"), with("uts", "host")) {
        refuse(
            hostname,
            "`hostname` contradicts `uts = \"host\"`: the test may not rename the host; leave one of the two out",
        );
    }
    let recorded = argument("egress").filter(|egress| egress.says("record") || egress.destinations().is_some());
    if let (Some(egress), Some(_)) = (recorded, with("net", "host")) {
        refuse(
            egress,
            "`egress` contradicts `net = \"host\"`: with the host's network, attempts succeed; leave one of the two out",
        );
    }
    if let (Some(pcap), Some(_)) = (argument("pcap").filter(|pcap| !pcap.says("never")), with("net", "host")) {
        refuse(
            pcap,
            "`pcap` contradicts `net = \"host\"`: what goes over the host's network is not the test's to keep; leave one \
             of the two out",
        );
    }
    if let (Some(uplink), Some(_)) = (with("uplink", "true"), with("net", "host")) {
        refuse(
            uplink,
            "`uplink = true` contradicts `net = \"host\"`: the test is in the machine's network already; leave one of the \
             two out",
        );
    }
    if let (Some(tmp), Some(_)) = (argument("tmp"), with("mount", "host")) {
        refuse(tmp, "`tmp` contradicts `mount = \"host\"`: the host's /tmp keeps its size; leave one of the two out");
    }
}
