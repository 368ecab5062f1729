// What the compiler and the standard library ask of their surroundings, sent to the host.
//
// Owns: abort (the compiler's word for any failure with a message), trace, console.
// Does not own: Date.now, performance.now, Math.random's seed; the build points their imports at
// `loom:actor/guest`, which has the same core signatures.

import { panic } from "loom/host/guest";
import { log as write, Level } from "loom/host/log";

function abort(
  message: string | null = null,
  file: string | null = null,
  line: u32 = 0,
  column: u32 = 0,
): void {
  panic(message === null ? "abort" : message, file === null ? "" : file, line, column);
  unreachable();
}

function trace(
  message: string,
  n: i32 = 0,
  a0: f64 = 0,
  a1: f64 = 0,
  a2: f64 = 0,
  a3: f64 = 0,
  a4: f64 = 0,
): void {
  let line = message;
  if (n > 0) line += " " + a0.toString();
  if (n > 1) line += ", " + a1.toString();
  if (n > 2) line += ", " + a2.toString();
  if (n > 3) line += ", " + a3.toString();
  if (n > 4) line += ", " + a4.toString();
  write(Level.Trace, line);
}

namespace console {
  export function assert<T>(condition: T, message: string = ""): void {
    if (!condition) write(Level.Error, "Assertion failed: " + message);
  }
  export function debug(message: string = ""): void {
    write(Level.Debug, message);
  }
  export function info(message: string = ""): void {
    write(Level.Info, message);
  }
  export function log(message: string = ""): void {
    write(Level.Info, message);
  }
  export function warn(message: string = ""): void {
    write(Level.Warn, message);
  }
  export function error(message: string = ""): void {
    write(Level.Error, message);
  }
}
