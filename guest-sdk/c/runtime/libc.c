// What the C library asks of its system, served by the host: printf becomes lines of the log, time() and
// clock_gettime() the recorded clocks, rand seeds and getentropy() recorded random bits. Files, sockets and
// processes are not here; a program that uses them is refused by the build.
//
// What is defined here is what the C library would import, so that it works with any part of it.
#include "loom.h"
#include <string.h>
#include <wasi/api.h>

#define SYSTEM(name) __imported_wasi_snapshot_preview1_##name

int32_t SYSTEM(fd_write)(int32_t fd, int32_t first, int32_t count, int32_t written) {
  const __wasi_ciovec_t *parts = (const __wasi_ciovec_t *)first;
  if (fd != 1 && fd != 2) return __WASI_ERRNO_BADF;
  size_t length = 0;
  for (int32_t part = 0; part < count; part++) length += parts[part].buf_len;
  char *text = loom_temp(length), *end = text;
  for (int32_t part = 0; part < count; part++) {
    memcpy(end, parts[part].buf, parts[part].buf_len);
    end += parts[part].buf_len;
  }
  *(__wasi_size_t *)written = length;
  for (char *line = text; line < end;) {
    char *stop = memchr(line, '\n', (size_t)(end - line));
    if (stop == NULL) stop = end;
    loom_log(fd == 1 ? LOOM_INFO : LOOM_ERROR, (loom_string){line, (size_t)(stop - line)});
    line = stop + 1;
  }
  return __WASI_ERRNO_SUCCESS;
}

/** Standard output and error are a terminal, so that the library writes them line by line. */
int32_t SYSTEM(fd_fdstat_get)(int32_t fd, int32_t stat) {
  if (fd != 1 && fd != 2) return __WASI_ERRNO_BADF;
  *(__wasi_fdstat_t *)stat = (__wasi_fdstat_t){.fs_filetype = __WASI_FILETYPE_CHARACTER_DEVICE};
  return __WASI_ERRNO_SUCCESS;
}

int32_t SYSTEM(fd_close)(int32_t fd) {
  (void)fd;
  return __WASI_ERRNO_BADF;
}

int32_t SYSTEM(fd_seek)(int32_t fd, int64_t by, int32_t from, int32_t at) {
  (void)fd, (void)by, (void)from, (void)at;
  return __WASI_ERRNO_SPIPE;
}

int32_t SYSTEM(clock_time_get)(int32_t id, int64_t precision, int32_t time) {
  (void)precision;
  if (id != (int32_t)__WASI_CLOCKID_REALTIME && id != (int32_t)__WASI_CLOCKID_MONOTONIC)
    return __WASI_ERRNO_NOTSUP;
  bool is_wall = id == (int32_t)__WASI_CLOCKID_REALTIME;
  *(__wasi_timestamp_t *)time = is_wall ? loom_now() * 1000000 : loom_monotonic_now();
  return __WASI_ERRNO_SUCCESS;
}

int32_t SYSTEM(random_get)(int32_t bytes, int32_t size) {
  for (int32_t at = 0; at < size; at += 8) {
    uint64_t bits = loom_random();
    memcpy((uint8_t *)bytes + at, &bits, size - at < 8 ? (size_t)(size - at) : 8);
  }
  return __WASI_ERRNO_SUCCESS;
}

_Noreturn void SYSTEM(proc_exit)(int32_t code) {
  loom_panic_at(code == 0 ? "exit(0)" : "exit with a failure", "exit", 0);
}
