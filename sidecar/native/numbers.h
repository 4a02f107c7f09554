/* Vectors of numbers that are bfloat16 in memory and float32 in arithmetic, by gcc's vectors (gcc manual, "Using Vector
 * Instructions through Built-in Functions"). */
#ifndef NUMBERS_H
#define NUMBERS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX512F__
#define LANES 16
#else
#define LANES 8
#endif
#define INLINE static inline __attribute__((always_inline))

typedef uint16_t bfloat;
typedef float floats __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES)));

INLINE floats all(float x) { return x - (floats){0}; }

INLINE floats choose(ints where, floats then, floats otherwise) {
  return (floats)((where & (ints)then) | (~where & (ints)otherwise));
}

INLINE floats read_floats(const float *from) {
  floats x;
  memcpy(&x, from, sizeof x);
  return x;
}

INLINE void write_floats(float *to, floats x) { memcpy(to, &x, sizeof x); }

INLINE floats read(const bfloat *from) {
  halves x;
  memcpy(&x, from, sizeof x);
  return (floats)(__builtin_convertvector(x, words) << 16);
}

/* Of all lanes, in pairs. */
INLINE float sum(floats x) {
#if LANES == 16
  const ints lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#else
  const ints lane = {0, 1, 2, 3, 4, 5, 6, 7};
#endif
  for (int step = LANES / 2; step > 0; step /= 2) x += __builtin_shuffle(x, lane ^ step);
  return x[0];
}

#endif
