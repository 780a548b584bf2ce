#[isotest::isotest]
const fn listens() {}

fn main() {}
