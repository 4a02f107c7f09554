/* Products of bfloat16 rows with a model's weights, which lie in the order in which they are read: what tiles.c and dots.c have
 * in common. Whoever includes this says how rows are added up, at most `MOST` of them at once. */
#ifndef PRODUCTS_H
#define PRODUCTS_H
#include "numbers.h"
#include <immintrin.h>
#include <omp.h>

#define SIDE 16                   /* outputs that lie beside each other */
#define BLOCK (2 * SIDE)          /* outputs and inputs that are worked on at once */
#define CHUNK (256 / MOST * MOST) /* rows that stay near while all weights pass */
#define AHEAD 4096                /* weights that are fetched before they are needed */
#define LARGE (1024 * 1024)       /* outputs: so many are not kept near */
#define ENOUGH (64 * 1024)        /* weights that are worth a second thread */

/* The sums [rows, BLOCK] of at most MOST rows of x [rows, in] for the outputs of one block of weights, each in the order of its
 * inputs. `fetching`: the weights pass for the first time, so that those which are needed next are to be fetched. */
INLINE void add_up(size_t rows, size_t in, int fetching, const bfloat *x, const bfloat *weights, float *sums);

/* After the last sums of a thread. */
INLINE void leave(void);

/* Of one block of weights, while the one before it is worked on. */
INLINE void fetch(const bfloat *weights) {
  for (size_t at = 0; at < BLOCK * BLOCK; at += 32) _mm_prefetch((const char *)(weights + AHEAD + at), _MM_HINT_T1);
}

/* Rounds the sums of a block, plus the bias, into y. */
INLINE void put(size_t rows, size_t out, int past_caches, const float *sums, const bfloat *bias, bfloat *y) {
  const floats first = bias == NULL ? all(0) : read(bias), second = bias == NULL ? all(0) : read(bias + SIDE);
  for (size_t row = 0; row < rows; row++) {
    const floats low = read_floats(sums + row * BLOCK) + first, high = read_floats(sums + row * BLOCK + SIDE) + second;
    const __m512i rounded = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    if (past_caches) _mm512_stream_si512((__m512i *)(y + row * out), rounded);
    else _mm512_storeu_si512(y + row * out, rounded);
  }
}

/* `y = round(x W^T + bias)` for x [rows, in], y [rows, out] and weights [out / 32, in / 32, 2, 16, 16, 2]: of 32 outputs and
 * 32 inputs, of the first and then the second 16 outputs, 16 pairs of inputs for each. The bias [out] may be NULL; `in` and
 * `out` are multiples of 32. A row's outputs do not depend on the rows beside it. */
void multiply(int threads, size_t rows, size_t in, size_t out, const bfloat *x, const bfloat *weights, const bfloat *bias, bfloat *y) {
  const int past_caches = rows * out > LARGE && (uintptr_t)y % 64 == 0;
#pragma omp parallel num_threads(threads) if (in * out > ENOUGH)
  {
    const size_t blocks = out / BLOCK, own = omp_get_thread_num(), of = omp_get_num_threads();
    float sums[MOST * BLOCK] __attribute__((aligned(64)));
    for (size_t chunk = 0; chunk < rows; chunk += CHUNK)
      for (size_t block = blocks * own / of; block < blocks * (own + 1) / of; block++)
        for (size_t row = chunk; row < rows && row < chunk + CHUNK; row += MOST) {
          const size_t now = rows - row < MOST ? rows - row : MOST;
          add_up(now, in, row == chunk, x + row * in, weights + block * BLOCK * in, sums);
          put(now, out, past_caches, sums, bias == NULL ? NULL : bias + block * BLOCK, y + row * out + block * BLOCK);
        }
    leave();
    if (past_caches) _mm_sfence();
  }
}

#endif
