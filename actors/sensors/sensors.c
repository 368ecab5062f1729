// Figures of many sensors. Mean and variance are updated with each reading (Welford), so a sensor takes the
// same memory whatever it reports.
#include <math.h>
#include <string.h>
#include "world.h"

#define SENSOR_COUNT_MAX 1000
#define NAME_BYTES_MAX 64

typedef struct {
  loom_string name;
  uint64_t count;
  double min, max, mean, squares, last;
  uint64_t last_at;
} sensor;

static sensor *sensors;
static size_t sensor_count, sensor_room;

typedef result_u64_aggregator_refusal_t added;

static added refused(aggregator_refusal_t refusal) {
  return (added){.is_err = true, .err = refusal};
}

static sensor *find(loom_string name) {
  for (size_t at = 0; at < sensor_count; at++)
    if (loom_equal(sensors[at].name, name)) return &sensors[at];
  return NULL;
}

static sensor *make(loom_string name) {
  if (sensor_count == sensor_room) {
    size_t room = sensor_room == 0 ? 8 : 2 * sensor_room;
    sensor *moved = realloc(sensors, room * sizeof *sensors);
    loom_assert(moved != NULL);
    sensors = moved;
    sensor_room = room;
  }
  sensor *made = &sensors[sensor_count++];
  *made = (sensor){.name = loom_keep(name), .min = INFINITY, .max = -INFINITY};
  return made;
}

added aggregator_add(loom_string name, double value) {
  if (name.len == 0 || name.len > NAME_BYTES_MAX)
    return refused((aggregator_refusal_t){.tag = AGGREGATOR_REFUSAL_BAD_NAME});
  if (!isfinite(value)) return refused((aggregator_refusal_t){.tag = AGGREGATOR_REFUSAL_BAD_VALUE});
  sensor *of = find(name);
  if (of == NULL && sensor_count == SENSOR_COUNT_MAX)
    return refused((aggregator_refusal_t){.tag = AGGREGATOR_REFUSAL_TOO_MANY_SENSORS,
                                          .val.too_many_sensors = SENSOR_COUNT_MAX});
  if (of == NULL) of = make(name);
  double from_mean = value - of->mean;
  of->count++;
  of->mean += from_mean / (double)of->count;
  of->squares += from_mean * (value - of->mean);
  if (value < of->min) of->min = value;
  if (value > of->max) of->max = value;
  of->last = value;
  of->last_at = loom_now();
  return (added){.is_err = false, .ok = of->count};
}

option_aggregator_summary_t aggregator_summarize(loom_string name) {
  const sensor *of = find(name);
  if (of == NULL) return (option_aggregator_summary_t){.some = false};
  return (option_aggregator_summary_t){
      .some = true,
      .value = {.count = of->count,
                .min = of->min,
                .max = of->max,
                .mean = of->mean,
                .standard_deviation = sqrt(of->squares / (double)of->count),
                .last = of->last,
                .last_at = of->last_at},
  };
}

list_string_t aggregator_sensors(void) {
  loom_string *names = loom_temp(sensor_count * sizeof *names);
  for (size_t at = 0; at < sensor_count; at++) names[at] = sensors[at].name;
  return (list_string_t){names, sensor_count};
}

bool aggregator_remove(loom_string name) {
  sensor *of = find(name);
  if (of == NULL) return false;
  free(of->name.ptr);
  size_t behind = sensor_count - 1 - (size_t)(of - sensors);
  memmove(of, of + 1, behind * sizeof *of);
  sensor_count--;
  return true;
}
