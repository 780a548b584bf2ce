#[isotest::isotest(nett = "host", timeout = "5", env(PORT = 80, "" = "x"))]
#[should_panic]
const unsafe fn listens<A>(port: u16) -> Result<(), String> {
    Ok(())
}

fn main() {}
