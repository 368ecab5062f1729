// Lines for the host's log. Written when the turn runs live, silent when it is replayed.

import { log as write, Level } from "loom/host/log";

export { Level };

export function log(level: Level, message: string): void {
  write(level, message);
}

export function trace(message: string): void {
  write(Level.Trace, message);
}

export function debug(message: string): void {
  write(Level.Debug, message);
}

export function info(message: string): void {
  write(Level.Info, message);
}

export function warn(message: string): void {
  write(Level.Warn, message);
}

export function error(message: string): void {
  write(Level.Error, message);
}
