#[isotest::isotest]
fn listens(port: u16) {}

fn main() {}
