//! A program without any privilege that listens where it is told. It ends at once, or where a second argument asks for it,
//! when somebody has come.

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let door = std::net::TcpListener::bind(arguments.next().unwrap_or_default())?;
    match arguments.next() {
        Some(_) => door.accept().map(drop),
        None => Ok(()),
    }
}
