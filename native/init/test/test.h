/* A test program exits 0, or aborts with the place and the seed that failed. */
#ifndef GANTRY_TEST_H
#define GANTRY_TEST_H

#include "../gantry.h"

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: %s (seed %llu)\n", __FILE__, __LINE__, #condition, (unsigned long long) seed); \
      abort(); \
    } \
  } while (0)

static uint64_t seed = 1;

/* xorshift64: the same sequence everywhere. */
static inline uint32_t random_below(uint32_t limit) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t) (seed >> 16) % limit;
}

#endif
