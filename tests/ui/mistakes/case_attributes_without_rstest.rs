#[isotest::isotest]
fn listens(#[case] port: u16) {}

fn main() {}
