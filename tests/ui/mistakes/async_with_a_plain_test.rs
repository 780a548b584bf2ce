#[isotest::isotest]
#[test]
async fn listens() {}

fn main() {}
