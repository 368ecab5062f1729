/*
 * Faults at the calls by which LMDB makes data durable, for processes started with LD_PRELOAD.
 * Counted are calls that write, grow or sync a file named data.mdb, from the start of the process.
 *
 *   FAULT_KILL_AT=n      SIGKILL instead of the n-th call
 *   FAULT_TORN_AT=n      the n-th call writes half of its bytes, then SIGKILL
 *   FAULT_EIO_FROM=n     from the n-th call on, FAULT_EIO_COUNT calls (1) do nothing and fail with EIO
 *   FAULT_EIO_CALL=name  counts, and fails, calls of that name alone: pwrite, fdatasync, ...
 *   FAULT_DELAY_MS=d     fdatasync and fsync, and writes to files opened for synchronous writing, take d longer
 *   FAULT_MAP_DELAY_MS=d mapping the file takes d longer: LMDB maps between reading the newest transaction id
 *                        and storing it, when it opens
 *   FAULT_COUNT=file     the number of calls is written there whenever it changes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static long setting(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : atol(text);
}

static int is_data(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 9) return 0;
  path[size] = 0;
  return strcmp(path + size - 9, "/data.mdb") == 0;
}

static void publish(long count) {
  const char *file = getenv("FAULT_COUNT");
  if (file == NULL) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT, 0644);
  char text[24];
  int size = snprintf(text, sizeof text, "%-20ld", count);
  syscall(SYS_write, fd, text, size);
  syscall(SYS_close, fd);
}

static void delay(int fd, int is_sync) {
  long ms = setting("FAULT_DELAY_MS");
  if (ms == 0 || (!is_sync && !(fcntl(fd, F_GETFL) & O_DSYNC))) return;
  struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
  nanosleep(&time, NULL);
}

/* What becomes of this call: 0 it is made, 1 it fails, 2 it is torn. May not return. */
static int fate(int fd, const char *name, int is_sync) {
  if (!is_data(fd)) return 0;
  const char *only = getenv("FAULT_EIO_CALL");
  if (only != NULL && strcmp(only, name) != 0) return 0;
  long number = atomic_fetch_add(&calls, 1) + 1;
  publish(number);
  delay(fd, is_sync);
  if (number == setting("FAULT_KILL_AT")) raise(SIGKILL);
  if (number == setting("FAULT_TORN_AT")) return 2;
  long from = setting("FAULT_EIO_FROM"), count = setting("FAULT_EIO_COUNT");
  if (from == 0 || number < from || number >= from + (count == 0 ? 1 : count)) return 0;
  errno = EIO;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  int end = fate(fd, "pwrite", 0);
  if (end == 1) return -1;
  if (end == 0) return REAL(pwrite64)(fd, bytes, size, at);
  REAL(pwrite64)(fd, bytes, size / 2, at);
  raise(SIGKILL);
  return -1;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  int end = fate(fd, "write", 0);
  if (end == 1) return -1;
  if (end == 0) return REAL(write)(fd, bytes, size);
  REAL(write)(fd, bytes, size / 2);
  raise(SIGKILL);
  return -1;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  int end = fate(fd, "writev", 0);
  if (end == 1) return -1;
  if (end == 0) return REAL(writev)(fd, parts, count);
  REAL(writev)(fd, parts, count / 2);
  raise(SIGKILL);
  return -1;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  int end = fate(fd, "pwritev", 0);
  if (end == 1) return -1;
  if (end == 0) return REAL(pwritev64)(fd, parts, count, at);
  REAL(pwritev64)(fd, parts, count / 2, at);
  raise(SIGKILL);
  return -1;
}

int fdatasync(int fd) {
  int end = fate(fd, "fdatasync", 1);
  if (end == 2) raise(SIGKILL);
  return end == 0 ? REAL(fdatasync)(fd) : -1;
}

int fsync(int fd) {
  int end = fate(fd, "fsync", 1);
  if (end == 2) raise(SIGKILL);
  return end == 0 ? REAL(fsync)(fd) : -1;
}

void *mmap64(void *at, size_t size, int access, int flags, int fd, off64_t offset) {
  long ms = fd >= 0 ? setting("FAULT_MAP_DELAY_MS") : 0;
  if (ms > 0 && is_data(fd)) {
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
  }
  return REAL(mmap64)(at, size, access, flags, fd, offset);
}

int ftruncate64(int fd, off64_t size) {
  int end = fate(fd, "ftruncate", 0);
  if (end == 2) raise(SIGKILL);
  return end == 0 ? REAL(ftruncate64)(fd, size) : -1;
}
