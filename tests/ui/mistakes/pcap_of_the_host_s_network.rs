#[isotest::isotest(net = "host", pcap = "failed")]
fn a_test() {}

fn main() {}
