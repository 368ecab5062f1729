//! A counter that starts at zero.
#![deny(unsafe_code)]
loom_actor::bindings!();

use bindings::exports::loom::counter::counter::Guest;

#[derive(Default)]
struct Counter {
    total: u64,
}

loom_actor::actor! {
    impl Guest for Counter {
        fn increment(&mut self, by: u32) -> u64 {
            self.total += u64::from(by);
            self.total
        }

        fn value(&self) -> u64 {
            self.total
        }
    }
}
