#[isotest::isotest(hostname = "db 1")]
fn listens() {}

fn main() {}
