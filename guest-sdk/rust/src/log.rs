//! Lines for the host's log. Written when the turn runs live, silent when it is replayed.
#![forbid(unsafe_code)]
use crate::bindings::loom::actor::log;

pub use crate::bindings::loom::actor::log::Level;

/// One line of the given level.
pub fn write(level: Level, message: &str) {
    log::log(level, message);
}

/// One line, of level trace.
pub fn trace(message: &str) {
    write(Level::Trace, message);
}

/// One line, of level debug.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// One line, of level info.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// One line, of level warn.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// One line, of level error.
pub fn error(message: &str) {
    write(Level::Error, message);
}
