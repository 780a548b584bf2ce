#[isotest::isotest(net = "host", egress = "record")]
fn has_a_mistake() {}

fn main() {}
