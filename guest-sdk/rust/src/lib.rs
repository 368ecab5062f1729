//! Durable virtual actors in Rust.
//!
//! Owns: keeping an actor's state in a plain struct ([`actor!`]), telling the host why an actor panicked,
//! and the host's interfaces as Rust functions.
//! Does not own: the bindings of an actor's own WIT, which wit-bindgen generates ([`bindings!`]).
//!
//! Unsafe code is in `bindings` alone, here and in an actor: what wit-bindgen generates.
#![deny(unsafe_code, missing_docs)]

mod actor;
#[allow(unsafe_code, missing_docs)]
mod bindings;
pub mod clock;
pub mod context;
pub mod log;
mod panic;
pub mod random;

#[doc(hidden)]
pub use panic::start;
#[doc(hidden)]
pub use wit_bindgen;
