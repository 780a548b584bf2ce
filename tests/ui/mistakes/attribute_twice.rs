use isotest::isotest;

#[isotest(net = "host")]
#[isotest(timeout = "5s")]
fn listens() {}

fn main() {}
