//! Who and where the running turn is. The same at every replay.
#![forbid(unsafe_code)]
use crate::bindings::loom::actor::context;

/// An actor's identity: the name of its type and its id.
pub use crate::bindings::loom::actor::context::ActorId;

/// The actor that is running.
pub fn actor() -> ActorId {
    context::self_()
}

/// Random id of this life of the actor; a deleted and recreated actor has another.
pub fn incarnation() -> String {
    context::incarnation()
}

/// Id of the running invocation: the caller's idempotency key, or a random id journaled with the turn.
pub fn invocation_id() -> String {
    context::invocation_id()
}
