/* Products of bfloat16 matrices, of a model's weights and of stored states, by the tiles of a CPU that multiplies them (Intel AMX: Intel 64 and IA-32
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
#define PARTS 3                 /* bfloat16 numbers that together are a float32 number */
#define ALONG (SIDE / PARTS)    /* directions of a tile: their first parts, then their second and their third ones */
#define TOGETHER 4              /* tiles of directions that pass beside each other */
#define SOON (4 * BLOCK)        /* numbers of a state that are fetched before they are needed */
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

/* Tiles of so many rows. */
static void shape(const uint8_t of[8]) {
  struct shapes shapes = {.palette = 1};
  for (size_t tile = 0; tile < 8; tile++) {
    shapes.rows[tile] = of[tile];
    shapes.bytes[tile] = 64;
  }
  __asm__ volatile("" : : "r"(&shapes) : "memory"); /* gcc's header says that only its first bytes are read */
  _tile_loadconfig(&shapes);
}

/* For `multiply` tiles 0 to 3 are sums, of the first and the second rows for the first and the second outputs; 4 and 5 the
 * rows, 6 and 7 the weights. */
static void shape_for(size_t rows) {
  const uint8_t first = rows < SIDE ? rows : SIDE, second = rows > SIDE ? rows - SIDE : 1;
  shape((const uint8_t[8]){first, first, second, second, first, second, SIDE, SIDE});
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
          if (now != shaped) shape_for(shaped = now);
          add_up(now, in, row == chunk, x + row * in, weights + block * BLOCK * in, sums);
          put(now, out, past_caches, sums, bias == NULL ? NULL : bias + block * BLOCK, y + row * out + block * BLOCK);
        }
    _tile_release();
    if (past_caches) _mm_sfence();
  }
}

/* Adds to tile `sums` the products of the states in tile 4 with a tile of directions, which takes the place of tile `by`. */
#define ADD(sums, by)                              \
  if (sums < count) {                              \
    _tile_loadd(by, here + sums * width * SIDE, 64); \
    _tile_dpbf16ps(sums, 4, by);                   \
  }

/* `scores[d, t] = directions[d] . states[t]` in float32, for `states` [tokens, width] and `scores` [tiles * ALONG, tokens].
 * Directions are [tiles, width / 32, 16 pairs, 16, 2]: of 16 the first ALONG are the largest parts of as many directions, the
 * next ones what these leave, and so on. The width is a multiple of 32. Without threads of its own: whoever calls has them. */
void project(size_t tokens, size_t width, size_t tiles, const bfloat *states, const bfloat *directions, float *scores) {
  const ints lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const __m512i places = (__m512i)(lane * (int32_t)tokens);
  float sums[TOGETHER][SIDE * SIDE] __attribute__((aligned(64)));
  size_t shaped = 0;
  for (size_t token = 0; token < tokens; token += SIDE) {
    const uint8_t now = tokens - token < SIDE ? tokens - token : SIDE;
    if (now != shaped) shape((const uint8_t[8]){now, now, now, now, now, SIDE, SIDE, SIDE}), shaped = now;
    for (size_t tile = 0; tile < tiles; tile += TOGETHER) {
      const size_t count = tiles - tile < TOGETHER ? tiles - tile : TOGETHER;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
      for (size_t at = 0; at < width; at += BLOCK) {
        const bfloat *here = directions + tile * width * SIDE + at * SIDE;
        const bfloat *read_now = states + token * width + at;
        _tile_loadd(4, read_now, width * sizeof(bfloat));
        for (size_t row = 0; row < now; row++) _mm_prefetch((const char *)(read_now + row * width + SOON), _MM_HINT_T0);
        ADD(0, 5)
        ADD(1, 6)
        ADD(2, 7)
        ADD(3, 5)
      }
      _tile_stored(0, sums[0], 64);
      _tile_stored(1, sums[1], 64);
      _tile_stored(2, sums[2], 64);
      _tile_stored(3, sums[3], 64);
      for (size_t of = 0; of < count; of++)
        for (size_t row = 0; row < now; row++) {
          const floats parts = read_floats(sums[of] + row * SIDE);
          const floats small = __builtin_shuffle(parts, (lane + ALONG) & 15) + __builtin_shuffle(parts, (lane + 2 * ALONG) & 15);
          _mm512_mask_i32scatter_ps(scores + (tile + of) * ALONG * tokens + token + row, (1 << ALONG) - 1, places, (__m512)(parts + small), 4);
        }
    }
  }
  _tile_release();
}

#else
int allowed(void) { return 0; }

void project(size_t tokens, size_t width, size_t tiles, const bfloat *states, const bfloat *directions, float *scores) {}

void multiply(int threads, size_t rows, size_t in, size_t out, const bfloat *x, const bfloat *weights, const bfloat *bias, bfloat *y) {}
#endif
