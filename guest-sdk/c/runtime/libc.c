// What the C library asks of its system, served by the host: printf becomes lines of the log, time() and
// clock_gettime() the recorded clocks, rand seeds and getentropy() recorded random bits. Files, sockets and
// processes are not here; a program that uses them is refused by the build.
#include "loom.h"
#include <string.h>
#include <wasi/api.h>

__wasi_errno_t __wasi_fd_write(__wasi_fd_t fd, const __wasi_ciovec_t *parts, size_t count, __wasi_size_t *written) {
  if (fd != 1 && fd != 2) return __WASI_ERRNO_BADF;
  size_t length = 0;
  for (size_t part = 0; part < count; part++) length += parts[part].buf_len;
  char *text = loom_temp(length), *end = text;
  for (size_t part = 0; part < count; part++) {
    memcpy(end, parts[part].buf, parts[part].buf_len);
    end += parts[part].buf_len;
  }
  *written = length;
  for (char *line = text; line < end;) {
    char *stop = memchr(line, '\n', (size_t)(end - line));
    if (stop == NULL) stop = end;
    loom_log(fd == 1 ? LOOM_INFO : LOOM_ERROR, (loom_string){line, (size_t)(stop - line)});
    line = stop + 1;
  }
  return __WASI_ERRNO_SUCCESS;
}

/** Standard output and error are a terminal, so that the library writes them line by line. */
__wasi_errno_t __wasi_fd_fdstat_get(__wasi_fd_t fd, __wasi_fdstat_t *stat) {
  if (fd != 1 && fd != 2) return __WASI_ERRNO_BADF;
  *stat = (__wasi_fdstat_t){.fs_filetype = __WASI_FILETYPE_CHARACTER_DEVICE};
  return __WASI_ERRNO_SUCCESS;
}

__wasi_errno_t __wasi_fd_close(__wasi_fd_t fd) {
  (void)fd;
  return __WASI_ERRNO_BADF;
}

__wasi_errno_t __wasi_fd_seek(__wasi_fd_t fd, __wasi_filedelta_t by, __wasi_whence_t from, __wasi_filesize_t *at) {
  (void)fd, (void)by, (void)from, (void)at;
  return __WASI_ERRNO_SPIPE;
}

__wasi_errno_t __wasi_clock_time_get(__wasi_clockid_t id, __wasi_timestamp_t precision, __wasi_timestamp_t *time) {
  (void)precision;
  if (id == __WASI_CLOCKID_REALTIME) *time = loom_now() * 1000000;
  else if (id == __WASI_CLOCKID_MONOTONIC) *time = loom_monotonic_now();
  else return __WASI_ERRNO_NOTSUP;
  return __WASI_ERRNO_SUCCESS;
}

__wasi_errno_t __wasi_random_get(uint8_t *bytes, __wasi_size_t size) {
  for (__wasi_size_t at = 0; at < size; at += 8) {
    uint64_t bits = loom_random();
    memcpy(bytes + at, &bits, size - at < 8 ? size - at : 8);
  }
  return __WASI_ERRNO_SUCCESS;
}

_Noreturn void __wasi_proc_exit(__wasi_exitcode_t code) {
  loom_panic_at(code == 0 ? "exit(0)" : "exit with a failure", "exit", 0);
}
