#[isotest::isotest]
#[should_panic(expected = "refused")]
fn listens() -> Result<(), String> {
    Ok(())
}

fn main() {}
