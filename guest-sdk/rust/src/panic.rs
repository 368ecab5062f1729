#![forbid(unsafe_code)]
use crate::bindings::loom::actor::guest;
use std::panic::{set_hook, PanicHookInfo};

/// Makes a panic's message and place the caller's `ERR_TRAP`. Runs before an actor's state is made.
pub fn start() {
    set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let message = text.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
    match info.location() {
        Some(place) => guest::panic(message, place.file(), place.line(), place.column()),
        None => guest::panic(message, "", 0, 0),
    }
}
