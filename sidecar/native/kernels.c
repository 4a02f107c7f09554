/* What a forward pass on a CPU does between its matrix products, each in one pass over memory: torch takes several, or
 * calls that each cost more than their work. Numbers are bfloat16 in memory and float32 in arithmetic. A width is a
 * multiple of 16, of `rotate` one of 32, of `attend` one of 64.
 * Built by build_kernels.py. */
#include <math.h>
#include <omp.h>

#include "numbers.h"

#define BLOCK 4            /* vectors that are summed at once */
#define MOST_HEADS 4       /* heads of a group that are worked on at once */
#define MOST_WIDTH 512     /* of a head */
#define MOST_RANK 64       /* of adapters */
#define ENOUGH (1 << 15)   /* numbers that are worth a second thread */

/* To the nearest bfloat16, of two as near to the even one; NaN stays NaN. */
INLINE floats rounded(floats x) {
  const words bits = (words)x;
  const words near = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
  return choose(x == x, (floats)near, all(NAN));
}

INLINE void write(bfloat *to, floats x) {
  const halves kept = __builtin_convertvector((words)rounded(x) >> 16, halves);
  memcpy(to, &kept, sizeof kept);
}

/* e to the power of x, within 2 units in the last place: a power of two times Cephes' polynomial (expf.c) for the rest.
 * Below e^-87 it is 0, above e^88 that. */
INLINE floats power_of_e(floats x) {
  const floats whole = all(12582912.0f); /* 1.5 * 2^23: what is added to it is rounded to a whole number */
  const floats within = choose(x > 88.0f, all(88.0f), choose(x < -87.0f, all(-87.0f), x));
  const floats two = (within * 1.44269504f + whole) - whole;
  const floats rest = within - two * 0.693359375f + two * 2.12194440e-4f;
  floats series = rest * 1.9875691500e-4f + 1.3981999507e-3f;
  series = series * rest + 8.3334519073e-3f;
  series = series * rest + 4.1665795894e-2f;
  series = series * rest + 1.6666665459e-1f;
  series = series * rest + 5.0000001201e-1f;
  series = series * rest * rest + rest + 1.0f;
  const floats power = (floats)((__builtin_convertvector(two, ints) + 127) << 23);
  return choose(x < -87.0f, all(0.0f), series * power);
}

/* The part of `all` items that is this thread's. */
#define OWN(item, items)                                                                     \
  for (size_t item = (items)*omp_get_thread_num() / omp_get_num_threads(),                   \
              item##_end = (items) * (omp_get_thread_num() + 1) / omp_get_num_threads();     \
       item < item##_end; item++)

/* `y = round(x / rms(x)) * weight` for rows of x. */
void rms_norm(int threads, size_t rows, size_t width, float epsilon, const bfloat *x, const bfloat *weight, bfloat *y) {
#pragma omp parallel num_threads(threads) if (rows * width > ENOUGH)
  OWN(row, rows) {
    const bfloat *from = x + row * width;
    bfloat *to = y + row * width;
    floats squares = all(0);
    for (size_t at = 0; at < width; at += LANES) squares += read(from + at) * read(from + at);
    const float scale = 1.0f / sqrtf(sum(squares) / (float)width + epsilon);
    for (size_t at = 0; at < width; at += LANES) write(to + at, rounded(read(from + at) * scale) * read(weight + at));
  }
}

/* `y = round(silu(gate)) * up` for rows of a gate and, behind it, what it lets through. */
void gated(int threads, size_t rows, size_t width, const bfloat *gate_and_up, bfloat *y) {
#pragma omp parallel num_threads(threads) if (rows * width > ENOUGH)
  OWN(row, rows) {
    const bfloat *gate = gate_and_up + row * 2 * width, *up = gate + width;
    for (size_t at = 0; at < width; at += LANES) {
      const floats x = read(gate + at);
      write(y + row * width + at, rounded(x / (1.0f + power_of_e(-x))) * read(up + at));
    }
  }
}

/* `y += round(x A) B` for few rows of x: what a low-rank adapter adds. A is [rank, in], B [rank, out], the rank a multiple
 * of BLOCK and at most MOST_RANK. */
void add_low_rank(int threads, size_t rows, size_t in, size_t rank, size_t out, const bfloat *x, const bfloat *a, const bfloat *b, bfloat *y) {
#pragma omp parallel num_threads(threads) if (rows * rank * (in + out) > ENOUGH)
  OWN(row, rows) {
    float inner[MOST_RANK];
    for (size_t first = 0; first < rank; first += BLOCK) {
      floats products[BLOCK];
      for (size_t of = 0; of < BLOCK; of++) products[of] = all(0);
      for (size_t at = 0; at < in; at += LANES) {
        const floats number = read(x + row * in + at);
        for (size_t of = 0; of < BLOCK; of++) products[of] += number * read(a + (first + of) * in + at);
      }
      for (size_t of = 0; of < BLOCK; of++) inner[first + of] = rounded(all(sum(products[of])))[0];
    }
    for (size_t at = 0; at < out; at += LANES) {
      floats added = all(0);
      for (size_t of = 0; of < rank; of++) added += inner[of] * read(b + of * out + at);
      write(y + row * out + at, read(y + row * out + at) + added);
    }
  }
}

/* Rotary position embedding: `y = round(round(x * cos) + round(turned * sin))`, where `turned` has the second half of x,
 * negated, before the first. x is [rows, heads, tokens, width] with `row`, `head` and `token` numbers from one to the next;
 * cos and sin are [rows, tokens, width] with `angle_row` from one row to the next; y is dense. */
void rotate(int threads, size_t rows, size_t heads, size_t tokens, size_t width, size_t row, size_t head, size_t token, size_t angle_row,
            const bfloat *x, const bfloat *cosine, const bfloat *sine, bfloat *y) {
  const size_t half = width / 2;
#pragma omp parallel num_threads(threads) if (rows * heads * tokens * width > ENOUGH)
  OWN(item, rows * heads)
  for (size_t now = 0; now < tokens; now++) {
    const bfloat *from = x + item / heads * row + item % heads * head + now * token;
    const size_t angle = item / heads * angle_row + now * width;
    bfloat *to = y + (item * tokens + now) * width;
    for (size_t at = 0; at < half; at += LANES) {
      const floats first = read(from + at), second = read(from + half + at);
      write(to + at, rounded(first * read(cosine + angle + at)) - rounded(second * read(sine + angle + at)));
      write(to + half + at, rounded(second * read(cosine + angle + half + at)) + rounded(first * read(sine + angle + half + at)));
    }
  }
}

/* What `heads` heads of a group attend with: one token's queries, and the keys and values that they share. */
struct group {
  size_t tokens, padded, width; /* `padded`: tokens, and as many more as fill the last vector */
  const bfloat *keys, *values;  /* [tokens, width] */
  const uint8_t *seen;          /* [tokens], or NULL where all are */
  float *weights;               /* [MOST_HEADS, padded] */
};

INLINE void score(size_t heads, size_t vectors, const struct group *group, const float *query) {
  for (size_t token = 0; token < group->padded; token++) {
    floats products[MOST_HEADS];
    const int seen = token < group->tokens && (group->seen == NULL || group->seen[token]);
    for (size_t head = 0; head < heads; head++) products[head] = all(0);
    for (size_t at = 0; seen && at < vectors * LANES; at += LANES) {
      const floats key = read(group->keys + token * group->width + at);
      for (size_t head = 0; head < heads; head++) products[head] += key * read_floats(query + head * group->width + at);
    }
    for (size_t head = 0; head < heads; head++)
      group->weights[head * group->padded + token] = seen ? sum(products[head]) : -INFINITY;
  }
}

INLINE void softmax(size_t padded, float *scores) {
  float most = -INFINITY;
  floats total = all(0);
  for (size_t at = 0; at < padded; at++) most = scores[at] > most ? scores[at] : most;
  for (size_t at = 0; at < padded; at += LANES) {
    const floats power = power_of_e(read_floats(scores + at) - most);
    write_floats(scores + at, power);
    total += power;
  }
  const float share = 1.0f / sum(total);
  for (size_t at = 0; at < padded; at += LANES) write_floats(scores + at, read_floats(scores + at) * share);
}

INLINE void gather(size_t heads, size_t vectors, const struct group *group, bfloat *output) {
  for (size_t block = 0; block < vectors; block += BLOCK) {
    floats sums[MOST_HEADS][BLOCK];
    for (size_t head = 0; head < heads; head++)
      for (size_t vector = 0; vector < BLOCK; vector++) sums[head][vector] = all(0);
    for (size_t token = 0; token < group->tokens; token++)
      for (size_t vector = 0; vector < BLOCK; vector++) {
        const floats value = read(group->values + token * group->width + (block + vector) * LANES);
        for (size_t head = 0; head < heads; head++) sums[head][vector] += value * group->weights[head * group->padded + token];
      }
    for (size_t head = 0; head < heads; head++)
      for (size_t vector = 0; vector < BLOCK; vector++) write(output + head * group->width + (block + vector) * LANES, sums[head][vector]);
  }
}

INLINE void attend_with(size_t heads, size_t vectors, const struct group *group, float scaling, const bfloat *query, bfloat *output) {
  float scaled[MOST_HEADS * MOST_WIDTH];
  for (size_t at = 0; at < heads * group->width; at += LANES) write_floats(scaled + at, read(query + at) * scaling);
  score(heads, vectors, group, scaled);
  for (size_t head = 0; head < heads; head++) softmax(group->padded, group->weights + head * group->padded);
  gather(heads, vectors, group, output);
}

/* Loops over constants stay in registers, so each number of heads and the usual width are compiled for themselves. */
static void attend_heads(size_t heads, const struct group *group, float scaling, const bfloat *query, bfloat *output) {
  const size_t vectors = group->width / LANES;
#define CASE(count)                                                                                   \
  case count:                                                                                         \
    if (vectors == 64 / LANES) attend_with(count, 64 / LANES, group, scaling, query, output);         \
    else attend_with(count, vectors, group, scaling, query, output);                                  \
    break;
  switch (heads) { CASE(1) CASE(2) CASE(3) CASE(4) }
#undef CASE
}

/* Attention of one token a row to `tokens` tokens. Queries and output are [rows, groups, heads, width], keys and values
 * [rows, groups, tokens, width] with `row` and `group` numbers from one to the next; `seen` [rows, tokens] is 0 where a
 * token is not, with `seen_row` bytes from one to the next, or NULL. `scratch`: [threads, MOST_HEADS, tokens, and as many
 * more as fill a vector]. */
void attend(int threads, size_t rows, size_t groups, size_t heads, size_t tokens, size_t width, size_t row, size_t group, size_t seen_row,
            float scaling, const bfloat *query, const bfloat *keys, const bfloat *values, const uint8_t *seen, bfloat *output, float *scratch) {
  const size_t padded = (tokens + LANES - 1) / LANES * LANES;
#pragma omp parallel num_threads(threads) if (rows * groups * tokens * width > ENOUGH)
  OWN(item, rows * groups) {
    const size_t at = item / groups * row + item % groups * group;
    const uint8_t *seen_here = seen == NULL ? NULL : seen + item / groups * seen_row;
    float *weights = scratch + (size_t)omp_get_thread_num() * MOST_HEADS * padded;
    const struct group shared = {tokens, padded, width, keys + at, values + at, seen_here, weights};
    for (size_t head = 0; head < heads; head += MOST_HEADS) {
      const size_t first = (item * heads + head) * width;
      attend_heads(heads - head < MOST_HEADS ? heads - head : MOST_HEADS, &shared, scaling, query + first, output + first);
    }
  }
}
