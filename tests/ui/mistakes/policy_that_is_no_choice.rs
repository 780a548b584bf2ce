#[isotest::isotest(leaks = "forbid")]
fn has_a_mistake() {}

fn main() {}
