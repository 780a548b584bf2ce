#[isotest::isotest(tmp = "64M", mount = "host", pid = "host")]
fn has_a_mistake() {}

fn main() {}
