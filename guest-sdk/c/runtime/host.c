// The host's own interfaces (wit/loom-actor@0.1.0, wasi:clocks, wasi:random). What an actor does not use
// does not get into its component.
#include "loom.h"
#include <string.h>

#define IMPORT(interface, function) __attribute__((import_module(interface), import_name(function)))

IMPORT("loom:actor/guest@0.1.0", "panic")
void host_panic(const char *message, size_t length, const char *file, size_t file_length, uint32_t line, uint32_t column);
IMPORT("loom:actor/log@0.1.0", "log") void host_log(uint32_t level, const char *message, size_t length);
typedef struct {
  uint64_t seconds;
  uint32_t nanoseconds;
} datetime;
IMPORT("wasi:clocks/wall-clock@0.2.0", "now") void host_now(datetime *time);
IMPORT("wasi:clocks/monotonic-clock@0.2.0", "now") uint64_t host_monotonic_now(void);
IMPORT("wasi:random/random@0.2.0", "get-random-u64") uint64_t host_random(void);

_Noreturn void loom_panic_at(const char *message, const char *file, int line) {
  host_panic(message, strlen(message), file, strlen(file), (uint32_t)line, 1);
  __builtin_trap();
}

/** What assert() of assert.h calls. */
_Noreturn void __assert_fail(const char *text, const char *file, int line, const char *function) {
  (void)function;
  loom_panic_at(text, file, line);
}

void loom_log(loom_level level, loom_string message) { host_log(level, message.ptr, message.len); }

uint64_t loom_now(void) {
  datetime time;
  host_now(&time);
  return time.seconds * 1000 + time.nanoseconds / 1000000;
}

uint64_t loom_monotonic_now(void) { return host_monotonic_now(); }

uint64_t loom_random(void) { return host_random(); }
