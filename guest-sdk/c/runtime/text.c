// Texts: literals, copies that stay, formatting.
#include "loom.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

loom_string loom_text(const char *text) { return (loom_string){(char *)text, strlen(text)}; }

loom_string loom_keep(loom_string text) {
  char *copy = malloc(text.len + 1);
  if (copy == NULL) loom_panic("out of memory");
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = 0;
  return (loom_string){copy, text.len};
}

bool loom_equal(loom_string a, loom_string b) {
  return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

loom_string loom_format(const char *format, ...) {
  va_list measured, written;
  va_start(measured, format);
  int length = vsnprintf(NULL, 0, format, measured);
  va_end(measured);
  if (length < 0) loom_panic("loom_format: the format is wrong");
  char *text = loom_temp((size_t)length + 1);
  va_start(written, format);
  vsnprintf(text, (size_t)length + 1, format, written);
  va_end(written);
  return (loom_string){text, (size_t)length};
}
