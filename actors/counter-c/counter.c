// A counter that starts at zero.
#include "world.h"

static uint64_t total;

uint64_t counter_increment(uint32_t by) { return total += by; }

uint64_t counter_value(void) { return total; }
