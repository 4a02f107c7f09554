/* How far stored states lie along directions: one pass over states that are bfloat16 in memory. Built by build_kernels.py,
 * without threads of its own: whoever calls has them. */
#include "numbers.h"

#define VECTORS 6 /* directions that are worked on at once: `directions` holds a multiple of so many */
#ifdef __AVX512F__
#define TOKENS 4 /* states that are: the sums of all pairs stay in registers */
#else
#define TOKENS 2
#endif

/* `scores[d, t] = directions[d] . states[t]` in float32, for `states` [tokens, width], `directions` [vectors, width] and
 * `scores` [vectors, tokens]; the width is a multiple of 16. How a score is summed depends on nothing but the width. */
void project(size_t tokens, size_t width, size_t vectors, const bfloat *states, const float *directions, float *scores) {
  for (size_t token = 0; token < tokens; token += TOKENS) {
    const size_t last = tokens - 1 - token; /* what is beyond it is computed of it, and not written */
    for (size_t vector = 0; vector < vectors; vector += VECTORS) {
      floats sums[TOKENS][VECTORS];
      for (size_t of = 0; of < TOKENS; of++)
        for (size_t along = 0; along < VECTORS; along++) sums[of][along] = all(0);
      for (size_t at = 0; at < width; at += LANES) {
        floats direction[VECTORS];
        for (size_t along = 0; along < VECTORS; along++) direction[along] = read_floats(directions + (vector + along) * width + at);
        for (size_t of = 0; of < TOKENS; of++) {
          const floats state = read(states + (token + (of < last ? of : last)) * width + at);
          for (size_t along = 0; along < VECTORS; along++) sums[of][along] += state * direction[along];
        }
      }
      for (size_t of = 0; of < TOKENS && of <= last; of++)
        for (size_t along = 0; along < VECTORS; along++) scores[(vector + along) * tokens + token + of] = sum(sums[of][along]);
    }
  }
}
