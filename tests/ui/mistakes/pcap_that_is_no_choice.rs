#[isotest::isotest(pcap = "on-failure")]
fn a_test() {}

fn main() {}
