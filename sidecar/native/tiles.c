/* Products with matrices of bfloat16 weights by the tiles of a CPU that multiplies them (Intel AMX: Intel 64 and IA-32
 * Architectures Software Developer's Manual, volume 1, chapter 18). Built by build_kernels.py, which has torch's threads run
 * what is parallel here; where the compiler or the architecture has no tiles, `allowed` says no.
 *
 * A tile has 16 rows of 64 bytes. `TDPBF16PS` adds to 16 x 16 float32 sums the products of 16 rows of 32 numbers and of 32
 * numbers for 16 outputs, in pairs. A row's outputs are summed in the order of its numbers, whatever rows are beside it. */
#include "numbers.h"

#if defined __AVX512F__ && defined __linux__ && __GNUC__ >= 11
#pragma GCC target("amx-tile,amx-bf16,avx512bf16")
#include <immintrin.h>
#include <omp.h>
#include <sys/syscall.h>

#define SIDE 16                 /* rows of a tile, and outputs */
#define BLOCK (2 * SIDE)        /* rows, outputs and inputs that are worked on at once */
#define CHUNK 256               /* rows that stay near while all weights pass */
#define AHEAD 4096              /* weights that are fetched before they are needed */
#define LARGE (1024 * 1024)     /* outputs: so many are not kept near */
#define ENOUGH (64 * 1024)      /* weights that are worth a second thread */
#define REQUEST_STATE 0x1023    /* arch_prctl(2): ARCH_REQ_XCOMP_PERM */
#define TILE_STATE 18           /* XFEATURE_XTILEDATA */

long syscall(long number, ...); /* unistd.h has another `read` */

/* What LDTILECFG reads. */
struct __attribute__((packed)) shapes {
  uint8_t palette, start, unused[14];
  uint16_t bytes[16];
  uint8_t rows[16];
};

/* Whether the kernel lets this process use tiles; asks it to. */
int allowed(void) { return syscall(SYS_arch_prctl, REQUEST_STATE, TILE_STATE) == 0; }

/* Tiles 0 to 3 are sums, of the first and the second rows for the first and the second outputs; 4 and 5 the rows, 6 and 7
 * the weights. */
static void shape(size_t rows) {
  struct shapes shapes = {.palette = 1};
  const uint8_t first = rows < SIDE ? rows : SIDE, second = rows > SIDE ? rows - SIDE : 1;
  const uint8_t of[8] = {first, first, second, second, first, second, SIDE, SIDE};
  for (size_t tile = 0; tile < 8; tile++) {
    shapes.rows[tile] = of[tile];
    shapes.bytes[tile] = 64;
  }
  __asm__ volatile("" : : "r"(&shapes) : "memory"); /* gcc's header says that only its first bytes are read */
  _tile_loadconfig(&shapes);
}

INLINE void fetch(const bfloat *weights) {
  for (size_t at = 0; at < BLOCK * BLOCK; at += 32) _mm_prefetch((const char *)(weights + AHEAD + at), _MM_HINT_T1);
}

/* The sums [BLOCK, BLOCK] of at most BLOCK rows of x for the outputs of one block of weights. */
INLINE void add_up(size_t rows, size_t in, int fetching, const bfloat *x, const bfloat *weights, float *sums) {
  const size_t row = in * sizeof(bfloat), sum = BLOCK * sizeof(float);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (size_t at = 0; at < in; at += BLOCK) {
    const bfloat *here = weights + at * BLOCK;
    _tile_loadd(4, x + at, row);
    _tile_loadd(6, here, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, here + BLOCK * SIDE, 64);
    _tile_dpbf16ps(1, 4, 7);
    if (rows > SIDE) {
      _tile_loadd(5, x + SIDE * in + at, row);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    if (fetching) fetch(here);
  }
  _tile_stored(0, sums, sum);
  _tile_stored(1, sums + SIDE, sum);
  if (rows > SIDE) {
    _tile_stored(2, sums + SIDE * BLOCK, sum);
    _tile_stored(3, sums + SIDE * BLOCK + SIDE, sum);
  }
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
 * `out` are multiples of 32. */
void multiply(int threads, size_t rows, size_t in, size_t out, const bfloat *x, const bfloat *weights, const bfloat *bias, bfloat *y) {
  const int past_caches = rows * out > LARGE && (uintptr_t)y % 64 == 0;
#pragma omp parallel num_threads(threads) if (in * out > ENOUGH)
  {
    const size_t blocks = out / BLOCK, own = omp_get_thread_num(), of = omp_get_num_threads();
    float sums[BLOCK * BLOCK] __attribute__((aligned(64)));
    size_t shaped = 0;
    for (size_t chunk = 0; chunk < rows; chunk += CHUNK)
      for (size_t block = blocks * own / of; block < blocks * (own + 1) / of; block++)
        for (size_t row = chunk; row < rows && row < chunk + CHUNK; row += BLOCK) {
          const size_t now = rows - row < BLOCK ? rows - row : BLOCK;
          if (now != shaped) shape(shaped = now);
          add_up(now, in, row == chunk, x + row * in, weights + block * BLOCK * in, sums);
          put(now, out, past_caches, sums, bias == NULL ? NULL : bias + block * BLOCK, y + row * out + block * BLOCK);
        }
    _tile_release();
    if (past_caches) _mm_sfence();
  }
}

#else
int allowed(void) { return 0; }

void multiply(int threads, size_t rows, size_t in, size_t out, const bfloat *x, const bfloat *weights, const bfloat *bias, bfloat *y) {}
#endif
