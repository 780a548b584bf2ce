#[isotest::isotest(egress = ["10.0.0.0/33", "example.com:443", "10.0.0.0/8:443", 7])]
fn has_a_mistake() {}

fn main() {}
