// Aim: the build of a C actor says what is wrong and where, in the author's words; and what the C library asks of
// its system is answered by the host.
import { describe, expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/c/index.ts'
import { type ActorHandle, type LogLine, VirtualClock } from '../../host/index.ts'
import { errorOf, openHost } from '../support/host.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

const TIMEOUT = { timeout: 300_000 }

function world(functions: string, imports = ''): string {
  return `package test:it;
interface it {
${functions}
}
world actor {
${imports}
  export it;
}
`
}

describe('a mistake is told with its place', () => {
  const wit = world('  add: func(by: u32) -> u64;')

  test.each([
    [
      'in C',
      {
        'world.wit': wit,
        'it.c': '#include "world.h"\nuint64_t it_add(uint32_t by) { return bye; }\n',
      },
      [/^it\.c:2:39: use of undeclared identifier 'bye'/],
    ],
    [
      'in a file in a folder',
      { 'world.wit': wit, 'parts/it.c': '#include "no-such.h"\n' },
      [/^parts\/it\.c:1:10: 'no-such\.h' file not found/],
    ],
    [
      'a function with other parameters than the interface has',
      {
        'world.wit': wit,
        'it.c': '#include "world.h"\nuint64_t it_add(uint64_t by) { return by; }\n',
      },
      [/^it\.c:2:10: conflicting types for 'it_add'; expected uint64_t it_add\(uint32_t by\)$/],
    ],
    [
      'a function that is not there',
      { 'world.wit': wit, 'it.c': '#include "world.h"\n' },
      [
        /^world\.wit:3:3: the world exports a function that is not defined: uint64_t it_add\(uint32_t by\)$/,
      ],
    ],
    [
      'a function of its own that is not there',
      {
        'world.wit': wit,
        'it.c':
          '#include "world.h"\nint help(void);\nuint64_t it_add(uint32_t by) { return by + help(); }\n',
      },
      [/^it\.c:2:5: undefined: help$/],
    ],
    [
      'a semicolon that the WIT lacks',
      { 'world.wit': wit.replace(';\n}', '\n}'), 'it.c': '' },
      [/^world\.wit:4:1: expected ';', found '}'$/],
    ],
    [
      'an operating system that is not there',
      {
        'world.wit': wit,
        'it.c':
          '#include <stdio.h>\n#include "world.h"\nuint64_t it_add(uint32_t by) { return fopen("/etc/passwd", "r") != NULL ? by : 0; }\n',
      },
      [/the code needs 'path_open' of an operating system/],
    ],
    ['no WIT', { 'it.c': '' }, [/no world\.wit/]],
    ['no world', { 'world.wit': 'package test:it;\n', 'it.c': '' }, [/no world/]],
    ['no C', { 'world.wit': wit }, [/no \.c file/]],
    [
      'in the WIT',
      { 'world.wit': wit.replace('u32', 'u33'), 'it.c': '' },
      [/^world\.wit:3:\d+: .*u33/],
    ],
    [
      'a type that C does not have',
      { 'world.wit': world('  resource thing;\n  make: func() -> thing;'), 'it.c': '' },
      [/^world\.wit:3:12: the resource 'thing' of an exported interface cannot be used from C$/],
    ],
    [
      'a function of the world itself',
      { 'world.wit': wit.replace('export it', 'export help: func()'), 'it.c': '' },
      [/^world\.wit:7:10: the world-level item 'help' cannot be used from C$/],
    ],
    [
      'an interface inside of the world',
      {
        'world.wit': wit.replace('export it;', 'export inner: interface { f: func(); }'),
        'it.c': '',
      },
      [
        /^world\.wit:7:10: the interface 'inner', which the world has inside, cannot be used from C$/,
      ],
    ],
  ] as [string, Record<string, string>, RegExp[]][])('%s', TIMEOUT, async (_, files, expected) => {
    const found = await mistakesIn(files, buildActor)
    for (const pattern of expected)
      expect(found).toEqual(expect.arrayContaining([expect.stringMatching(pattern)]))
  })
})

const LIBRARY_WIT = world(`  print: func(text: string);
  format: func(name: string, by: f64) -> string;
  time: func() -> u64;
  random: func() -> u64;
  sort: func(numbers: list<u32>) -> list<u32>;
  remember: func(text: string);
  recall: func() -> string;
  check: func(is-right: bool);
  leave: func();
  recurse: func(depth: u32) -> u32;
  started: func() -> u32;`)

const LIBRARY_C = `#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "world.h"

static uint32_t started;
__attribute__((constructor)) static void start(void) { started = 7; }
uint32_t it_started(void) { return started; }

void it_print(loom_string text) {
  printf("%.*s\\n", (int)text.len, text.ptr);
  fprintf(stderr, "no end of line");
}
loom_string it_format(loom_string name, double by) {
  return loom_format("%.*s: %+.3f", (int)name.len, name.ptr, by);
}
uint64_t it_time(void) { return (uint64_t)time(NULL); }
uint64_t it_random(void) {
  uint64_t bits;
  getentropy(&bits, sizeof bits);
  return bits;
}
static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}
list_u32_t it_sort(list_u32_t numbers) {
  qsort(numbers.ptr, numbers.len, sizeof *numbers.ptr, compare);
  return numbers;
}
static loom_string dangling;
void it_remember(loom_string text) { dangling = text; }
loom_string it_recall(void) { return dangling; }
void it_check(bool is_right) { assert(is_right); }
void it_leave(void) { exit(3); }
static volatile uint32_t sink;
uint32_t it_recurse(uint32_t depth) {
  volatile uint32_t frame[64];
  frame[depth % 64] = depth;
  sink = frame[depth % 64];
  return depth == 0 ? 0 : 1 + it_recurse(depth - 1) + frame[0] * 0;
}
`

async function openLibrary(lines: string[]): Promise<ActorHandle> {
  const files = { 'world.wit': LIBRARY_WIT, 'it.c': LIBRARY_C }
  const { component, warnings } = await withActor(files, (dir) => buildActor({ dir, write: false }))
  expect(warnings).toEqual([])
  const log = ({ level, message }: LogLine): number => lines.push(`${level} ${message}`)
  const runtime = await openHost({ clock: new VirtualClock(9_000_000), log })
  await runtime.registerActorType('It', { type: 'wasm', component })
  return runtime.getActor('i', 'It')
}

test('the C library is served by the host', TIMEOUT, async () => {
  const lines: string[] = []
  const actor = await openLibrary(lines)
  expect(await actor.call('started')).toBe(7)
  await actor.call('print', 'hello 🦀')
  expect(lines).toEqual(['info hello 🦀', 'error no end of line'])
  expect(await actor.call('format', 'ape', -1.25)).toBe('ape: -1.250')
  expect(await actor.call('time')).toBe(9_000n)
  expect(await actor.call('random')).not.toBe(await actor.call('random'))
  expect(await actor.call('sort', Uint32Array.of(3, 1, 2))).toEqual(Uint32Array.of(1, 2, 3))

  // A kept argument is gone: zeros stand where it was.
  await actor.call('remember', 'ape')
  expect(await actor.call('recall')).toBe('\0\0\0')

  const failed = await errorOf(actor.call('check', false))
  expect(failed).toMatchObject({ code: 'ERR_TRAP' })
  expect(failed.message).toMatch(/is_right.*it\.c:\d+/)
  expect((await errorOf(actor.call('leave'))).message).toMatch(/exit with a failure/)
  expect(await actor.call('recurse', 50)).toBe(50)
  expect(await errorOf(actor.call('recurse', 100_000))).toMatchObject({ code: 'ERR_TRAP' })
  expect(await actor.call('started')).toBe(7)
})

test('what the host serves is imported without a copy of its WIT', TIMEOUT, async () => {
  const imports = 'import loom:actor/reminders@0.2.0;\n  import loom:http/fetch@0.1.0;'
  const files = {
    'world.wit': world('  ask: func(url: string) -> string;').replace(
      'export it;',
      `${imports}\n  export it;\n  export loom:actor/reminder-handler@0.2.0;`,
    ),
    'it.c': `#include "world.h"
loom_string it_ask(loom_string url) {
  reminders_cancel(url);
  fetch_request_t request = {.method = loom_text("GET"), .url = url};
  result_fetch_response_fetch_fetch_error_t answer = fetch_fetch(request);
  return answer.is_err ? answer.err.message : loom_text("answered");
}
void reminder_handler_receive_reminder(loom_string name, list_u8_t data) {
  (void)name;
  (void)data;
}
`,
  }
  const { component, warnings } = await withActor(files, (dir) => buildActor({ dir, write: false }))
  expect(warnings).toEqual([])
  const runtime = await openHost()
  await runtime.registerActorType('It', { type: 'wasm', component })
  const actor = await runtime.getActor('a', 'It')
  expect(await actor.call('ask', 'https://example.com')).toContain('is not allowed')
})
