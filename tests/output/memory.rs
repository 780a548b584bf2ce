//! How much memory a process has used at most.

use std::fs;

/// The most memory, in bytes, of the process of this name that was started below this one, however deep.
pub(crate) fn peak(name: &str, ancestor: u32) -> u64 {
    let process = below(ancestor).into_iter().find(|process| status(*process, "Name") == name);
    let process = process.unwrap_or_else(|| panic!("no {name} runs below process {ancestor}"));
    let peak = status(process, "VmHWM");
    let kilobytes: u64 = peak.trim_end_matches(" kB").parse().unwrap_or_else(|_| panic!("no size: {peak}"));
    kilobytes << 10
}

fn below(ancestor: u32) -> Vec<u32> {
    let children = fs::read_dir(format!("/proc/{ancestor}/task")).into_iter().flatten().flatten().flat_map(|thread| {
        let listed = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        listed.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>()
    });
    children.flat_map(|child| [vec![child], below(child)].concat()).collect()
}

/// A line of `/proc/PID/status`.
fn status(process: u32, line: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let value = status.lines().find_map(|own| own.strip_prefix(line)?.strip_prefix(':'));
    value.unwrap_or_default().trim().to_owned()
}
