/**
 * The WIT of the crate `loom-actor`.
 *
 * Owns: one text of the host's interfaces that the crate may import. It is committed in wit/, because the
 * crate is built without this program; a test compares the two.
 *
 * WASI's interfaces are whole: for wasm32-wasip2 they are merged with those of Rust's standard library, and a
 * part of one does not merge.
 */
import { libraryWit } from '../assemblyscript/package-files.ts'
import { LIBRARY_INTERFACES, nested } from '../tool/wit-source.ts'

export const SDK_WIT = 'guest-sdk/rust/wit/sdk.wit'

const WASI = `package wasi:io@0.2.0 {
  interface poll {
    resource pollable {
      ready: func() -> bool;
      block: func();
    }

    poll: func(in: list<borrow<pollable>>) -> list<u32>;
  }
}

package wasi:clocks@0.2.0 {
  interface wall-clock {
    record datetime {
      seconds: u64,
      nanoseconds: u32,
    }

    now: func() -> datetime;
    resolution: func() -> datetime;
  }

  interface monotonic-clock {
    use wasi:io/poll@0.2.0.{pollable};

    type instant = u64;
    type duration = u64;

    now: func() -> instant;
    resolution: func() -> duration;
    subscribe-instant: func(when: instant) -> pollable;
    subscribe-duration: func(when: duration) -> pollable;
  }
}

package wasi:random@0.2.0 {
  interface random {
    get-random-bytes: func(len: u64) -> list<u8>;
    get-random-u64: func() -> u64;
  }
}
`

export function sdkWit(): string {
  const imports = LIBRARY_INTERFACES.map((id) => `  import ${id};\n`).join('')
  const own = libraryWit().filter((text) => text.startsWith('package loom:'))
  return `// Made by scripts/build-guests.ts from wit/. Do not edit.
package loom:sdk;

/// What the crate may import; what an actor does not use does not get into its component.
world sdk {
${imports}}

${[...own.map((text) => nested(text).text), WASI].join('\n')}`
}
