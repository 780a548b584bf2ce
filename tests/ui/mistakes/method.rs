struct Server;

impl Server {
    #[isotest::isotest]
    fn listens(&self) {}
}

fn main() {}
