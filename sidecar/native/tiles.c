/* Products of bfloat16 matrices, of a model's weights and of stored states, by the tiles of a CPU that multiplies them (Intel AMX: Intel 64 and IA-32
 * Architectures Software Developer's Manual, volume 1, chapter 18). Built by build_kernels.py, which has torch's threads run
 * what is parallel here; where the compiler or the architecture has no tiles, `allowed` says no.
 *
 * A tile has 16 rows of 64 bytes. `TDPBF16PS` adds to 16 x 16 float32 sums the products of 16 rows of 32 numbers and of 32
 * numbers for 16 outputs, in pairs. */
#include "numbers.h"

#if defined __AVX512F__ && defined __linux__ && __GNUC__ >= 11
#pragma GCC target("amx-tile,amx-bf16,avx512bf16")
#define MOST 32 /* rows of two tiles */
#include "products.h"
#include <sys/syscall.h>

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

/* Rows that this thread's tiles are shaped for, 0 where they are not. */
static _Thread_local size_t shaped;

INLINE void leave(void) {
  _tile_release();
  shaped = 0;
}

/* For `add_up` tiles 0 to 3 are sums, of the first and the second rows for the first and the second outputs; 4 and 5 the
 * rows, 6 and 7 the weights. */
static void shape_for(size_t rows) {
  if (rows == shaped) return;
  shaped = rows;
  const uint8_t first = rows < SIDE ? rows : SIDE, second = rows > SIDE ? rows - SIDE : 1;
  shape((const uint8_t[8]){first, first, second, second, first, second, SIDE, SIDE});
}

INLINE void add_up(size_t rows, size_t in, int fetching, const bfloat *x, const bfloat *weights, float *sums) {
  const size_t row = in * sizeof(bfloat), sum = BLOCK * sizeof(float);
  shape_for(rows);
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
  size_t shaped_for = 0;
  for (size_t token = 0; token < tokens; token += SIDE) {
    const uint8_t now = tokens - token < SIDE ? tokens - token : SIDE;
    if (now != shaped_for) shape((const uint8_t[8]){now, now, now, now, now, SIDE, SIDE, SIDE}), shaped_for = now;
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
