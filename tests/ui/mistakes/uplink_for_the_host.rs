#[isotest::isotest(uplink = true, net = "host")]
fn has_a_mistake() {}

fn main() {}
