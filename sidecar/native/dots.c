/* Products of bfloat16 rows with a model's weights by a CPU that adds up pairs of such numbers in vectors (AVX512_BF16: Intel 64
 * and IA-32 Architectures Software Developer's Manual, volume 2, VDPBF16PS). Built by build_kernels.py, which has torch's
 * threads run what is parallel here; where the compiler or the architecture has no such vectors, `allowed` says no. */
#include "numbers.h"

#if defined __AVX512F__ && __GNUC__ >= 11
#pragma GCC target("avx512bf16")
#define MOST 12 /* rows: with two vectors of sums each, two of weights and one of inputs they stay in registers */
#include "products.h"

int allowed(void) { return 1; }

INLINE void leave(void) {}

/* `rows` is a constant wherever this is called, so that the sums stay in registers. */
INLINE void add_up_exactly(size_t rows, size_t in, int fetching, const bfloat *x, const bfloat *weights, float *sums) {
  __m512 found[MOST][2];
  for (size_t row = 0; row < rows; row++) found[row][0] = found[row][1] = _mm512_setzero_ps();
  for (size_t at = 0; at < in; at += BLOCK) {
    const bfloat *here = weights + at * BLOCK;
    if (fetching) fetch(here);
    for (size_t pair = 0; pair < SIDE; pair++) {
      const __m512bh first = (__m512bh)_mm512_loadu_si512(here + pair * BLOCK);
      const __m512bh second = (__m512bh)_mm512_loadu_si512(here + SIDE * BLOCK + pair * BLOCK);
      for (size_t row = 0; row < rows; row++) {
        int32_t both;
        memcpy(&both, x + row * in + at + 2 * pair, sizeof both);
        const __m512bh numbers = (__m512bh)_mm512_set1_epi32(both);
        found[row][0] = _mm512_dpbf16_ps(found[row][0], first, numbers);
        found[row][1] = _mm512_dpbf16_ps(found[row][1], second, numbers);
      }
    }
  }
  for (size_t row = 0; row < rows; row++) {
    _mm512_storeu_ps(sums + row * BLOCK, found[row][0]);
    _mm512_storeu_ps(sums + row * BLOCK + SIDE, found[row][1]);
  }
}

INLINE void add_up(size_t rows, size_t in, int fetching, const bfloat *x, const bfloat *weights, float *sums) {
#define CASE(count)                                             \
  case count:                                                   \
    add_up_exactly(count, in, fetching, x, weights, sums);      \
    break;
  switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) }
#undef CASE
}

#else
#include <stddef.h>

int allowed(void) { return 0; }

void multiply(int threads, size_t rows, size_t in, size_t out, const bfloat *x, const bfloat *weights, const bfloat *bias, bfloat *y) {}
#endif
