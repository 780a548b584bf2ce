#[isotest::isotest]
async fn listens() {}

fn main() {}
