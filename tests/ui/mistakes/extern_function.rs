#[isotest::isotest]
extern "C" fn listens() {}

fn main() {}
