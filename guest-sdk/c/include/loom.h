/**
 * loom.h: what every actor in C may use. The functions of the actor's own WIT are declared in "world.h",
 * which `loom build` makes.
 *
 * Memory, in two kinds:
 *   malloc, realloc, free   the actor's state. Lasts until it is freed.
 *   the call's memory       arguments, what host functions return, loom_temp. Gone, and overwritten with
 *                           zeros, when the call ends. Never free it. Copy what is to stay: loom_keep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** A WIT string or the text of one: UTF-8, not ended by a zero. */
typedef struct {
  char *ptr;
  size_t len;
} loom_string;

/** Memory of the call, zeroed. Traps when there is none left. */
void *loom_temp(size_t size);

/** A text that C wrote, not copied. */
loom_string loom_text(const char *text);

/** A copy of `text` in the actor's state, ended by a zero that `len` does not count; free(copy.ptr). */
loom_string loom_keep(loom_string text);

bool loom_equal(loom_string a, loom_string b);

/** As printf, into memory of the call; a loom_string is "%.*s", (int)text.len, text.ptr. Adds 10 KB. */
loom_string loom_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Ends the call: its caller gets ERR_TRAP with `message`, the actor is as it was before the call. */
_Noreturn void loom_panic_at(const char *message, const char *file, int line);
#define loom_panic(message) loom_panic_at(message, __FILE_NAME__, __LINE__)
#define loom_assert(condition) \
  ((condition) ? (void)0 : loom_panic_at("assertion failed: " #condition, __FILE_NAME__, __LINE__))

/** Lines for the host's log, silent in a replay. printf writes lines of level info, stderr of level error. */
typedef enum { LOOM_TRACE, LOOM_DEBUG, LOOM_INFO, LOOM_WARN, LOOM_ERROR } loom_level;
void loom_log(loom_level level, loom_string message);

/** Wall-clock time. Recorded: a replay gives the same. Units: milliseconds since 1970-01-01T00:00:00Z. */
uint64_t loom_now(void);

/** A clock that never goes back. Recorded. Units: nanoseconds from an arbitrary start. */
uint64_t loom_monotonic_now(void);

/** Random bits. Recorded. */
uint64_t loom_random(void);

/** Who is running, and in which call. In memory of the call. */
typedef struct {
  loom_string actor_type;
  loom_string id;
} loom_actor_id;
loom_actor_id loom_self(void);
loom_string loom_incarnation(void);
loom_string loom_invocation_id(void);
