#[isotest::isotest]
mod tests {}

fn main() {}
