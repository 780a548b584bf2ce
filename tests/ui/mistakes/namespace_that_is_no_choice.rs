#[isotest::isotest(pid = "shared", ipc = "own", uts = "hosts")]
fn has_a_mistake() {}

fn main() {}
