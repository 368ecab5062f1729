// Who is running. Apart from host.c, because its results need the memory of the call.
#include "loom.h"

#define IMPORT(function) __attribute__((import_module("loom:actor/context@0.1.0"), import_name(function)))

IMPORT("self") void host_self(loom_actor_id *self);
IMPORT("incarnation") void host_incarnation(loom_string *text);
IMPORT("invocation-id") void host_invocation_id(loom_string *text);

// The results lie in memory of the call, like the texts in them.
loom_actor_id loom_self(void) {
  loom_actor_id *self = loom_temp(sizeof *self);
  host_self(self);
  return *self;
}

loom_string loom_incarnation(void) {
  loom_string *text = loom_temp(sizeof *text);
  host_incarnation(text);
  return *text;
}

loom_string loom_invocation_id(void) {
  loom_string *text = loom_temp(sizeof *text);
  host_invocation_id(text);
  return *text;
}
