//! Who changes the brakes? A thread of its own, because the kernel's answer may have to wait for others that change something in their
//! networks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::super::brakes::{Allowance, Brakes};
use super::super::failure;
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
    /// Where it may run.
    cpus: Option<CpuSet>,
    tell: Option<Sender<Order>>,
}

impl Clerk {
    /// One that runs wherever the calling thread may.
    pub(super) fn new(brakes: &Arc<Brakes>) -> Clerk {
        Clerk { brakes: Arc::clone(brakes), cpus: sched_getaffinity(Pid::from_raw(0)).ok(), tell: None }
    }

    /// One whose orders somebody else gets.
    #[cfg(test)]
    pub(super) fn heard() -> (Clerk, Receiver<Order>) {
        let (tell, told) = channel();
        (Clerk { brakes: Arc::default(), cpus: None, tell: Some(tell) }, told)
    }

    pub(super) fn does(&mut self, order: Order) {
        if self.tell.is_none() {
            let (tell, orders) = channel();
            let (brakes, cpus) = (Arc::clone(&self.brakes), self.cpus);
            let thread = std::thread::Builder::new().name("lab-brakes".to_owned());
            // Where no thread can be started, what passes by itself is what passes.
            if thread.spawn(move || serve(&orders, &brakes, cpus)).is_err() {
                return;
            }
            self.tell = Some(tell);
        }
        if let Some(tell) = &self.tell {
            tell.send(order).ok(); // Who hears it lives as long as this.
        }
    }
}

fn serve(orders: &Receiver<Order>, brakes: &Brakes, cpus: Option<CpuSet>) {
    if let Some(cpus) = cpus {
        // Who starts it stays on one. Where this fails, so does this.
        sched_setaffinity(Pid::from_raw(0), &cpus).ok();
    }
    let mut kicks = Kicks::default();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        for order in orders {
            match order {
                Order::Grant(grants) => brakes.grant(&grants, &mut kicks),
                Order::Close => brakes.close(),
            }
        }
    }));
    if ended.is_err() {
        failure::note("who lets packets into the lab's links with faults has panicked: they wait longer".to_owned());
    }
}
