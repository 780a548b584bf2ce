#[isotest::isotest]
unsafe fn listens() {}

fn main() {}
