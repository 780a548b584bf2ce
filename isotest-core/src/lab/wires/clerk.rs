//! Who changes the brakes? A thread of its own, because the kernel's answer may have to wait for others that change something in their
//! networks.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::brakes::{Allowance, Brakes};
use super::super::kicks::Kicks;

/// What is to change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// To these ends so much.
    Grant(Vec<(usize, Allowance)>),
    Close,
}

/// Tells that thread, which begins when there is something to tell it.
pub(super) struct Clerk {
    brakes: Arc<Brakes>,
    tell: Option<Sender<Order>>,
}

impl Clerk {
    pub(super) fn new(brakes: &Arc<Brakes>) -> Clerk {
        Clerk { brakes: Arc::clone(brakes), tell: None }
    }

    /// One whose orders somebody else gets.
    #[cfg(test)]
    pub(super) fn heard() -> (Clerk, Receiver<Order>) {
        let (tell, told) = channel();
        (Clerk { brakes: Arc::default(), tell: Some(tell) }, told)
    }

    pub(super) fn does(&mut self, order: Order) {
        if self.tell.is_none() {
            let (tell, orders) = channel();
            let brakes = Arc::clone(&self.brakes);
            let thread = std::thread::Builder::new().name("lab-brakes".to_owned());
            // Where no thread can be started, what passes by itself is what passes.
            if thread.spawn(move || serve(&orders, &brakes)).is_err() {
                return;
            }
            self.tell = Some(tell);
        }
        if let Some(tell) = &self.tell {
            tell.send(order).ok(); // Who hears it lives as long as this.
        }
    }
}

fn serve(orders: &Receiver<Order>, brakes: &Brakes) {
    let mut kicks = Kicks::default();
    for order in orders {
        match order {
            Order::Grant(grants) => brakes.grant(&grants, &mut kicks),
            Order::Close => brakes.close(),
        }
    }
}
