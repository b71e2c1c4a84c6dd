/* The cells of accumulators, shared by the aggregate*.c files. Every cell begins with a mark: how many values it has
 * taken (low 56 bits), and the first error value among them (top byte: 0, or 1 + enum wr_reason). After an error the
 * rest of a cell has no meaning but what release must give back. */
#ifndef WR_RUNTIME_AGGREGATE_INTERNAL_H
#define WR_RUNTIME_AGGREGATE_INTERNAL_H

#include "runtime/aggregate.h"

enum { WR_MARK_BITS = 56 };
enum { WR_AGGREGATE_TEXT_MAX = 1 << 24 /* bytes of STRING_AGG's result; more is WR_REASON_LENGTH */ };
#define WR_MARK_COUNT (((uint64_t)1 << WR_MARK_BITS) - 1)

/* What an accumulator keeps, whatever function uses it. */
enum wr_cell_kind {
    WR_CELL_COUNT,    /* the mark alone */
    WR_CELL_SUM_I64,
    WR_CELL_SUM_F64,
    WR_CELL_SUM_DEC,
    WR_CELL_VALUE,    /* one value of the argument: MIN MAX FIRST LAST ANY_VALUE */
    WR_CELL_VARIANCE,
    WR_CELL_ARG,      /* the argument of the row with the least or greatest second value */
    WR_CELL_LIST,     /* STRING_AGG, ARRAY_AGG */
    WR_CELL_SET       /* COUNT(DISTINCT) */
};

struct wr_cell_sum_i64 {
    uint64_t mark, low;
    int64_t high; /* 128 bits in two's complement, in words because cells are aligned to 8 */
};
struct wr_cell_sum_f64 {
    uint64_t mark;
    double sum, rest; /* Neumaier: what the sum lost by rounding */
};
struct wr_cell_sum_dec {
    uint64_t mark, word[3]; /* 192 bits in two's complement: no order of summands overflows */
};
/* A stored value: BOOL, I64, F64 in the first word, DEC in both, STR the string's id. */
struct wr_cell_value {
    uint64_t mark, word[2]; /* a cell of a class other than DEC ends after word[0] */
};
struct wr_cell_variance {
    uint64_t mark;
    double mean, m2; /* Welford */
};
struct wr_cell_slot {
    uint64_t word[2];
    uint8_t cls, flag, spare[6];
};
struct wr_cell_arg {
    uint64_t mark;
    struct wr_cell_slot value, second;
};
struct wr_cell_list {
    uint64_t mark;
    uint32_t last, spare; /* strings: the last node; a node is its predecessor's id, its separator's size, both texts */
    uint64_t size;        /* bytes of the result */
};
struct wr_cell_set {
    uint64_t mark;
    uint32_t set, spare; /* strings: the set's memory (aggregate_set.c) */
};

static inline enum wr_cell_kind wr_cell_kind(const struct wr_aggregate *a)
{
    switch ((enum wr_aggregate_fn)a->fn) {
    case WR_AGG_COUNT_ROWS:
    case WR_AGG_COUNT: return WR_CELL_COUNT;
    case WR_AGG_SUM:
    case WR_AGG_AVG: {
        enum wr_class cls = wr_type_class(a->argument);
        return cls == WR_CLASS_F64 ? WR_CELL_SUM_F64 : cls == WR_CLASS_DEC ? WR_CELL_SUM_DEC : WR_CELL_SUM_I64;
    }
    case WR_AGG_VAR_SAMP:
    case WR_AGG_STDDEV_SAMP: return WR_CELL_VARIANCE;
    case WR_AGG_ARG_MIN:
    case WR_AGG_ARG_MAX: return WR_CELL_ARG;
    case WR_AGG_ARRAY_AGG: /* elements in vm/array.h's form, one a node */
    case WR_AGG_STRING_AGG: return WR_CELL_LIST;
    case WR_AGG_COUNT_DISTINCT: return WR_CELL_SET;
    case WR_AGG_MIN:
    case WR_AGG_MAX:
    case WR_AGG_FIRST:
    case WR_AGG_LAST:
    case WR_AGG_ANY_VALUE: return WR_CELL_VALUE;
    case WR_AGG_FN_COUNT: break;
    }
    WR_ASSERT(false); /* the verifier lets no other function through */
    return WR_CELL_COUNT;
}

static inline uint64_t wr_cell_count(const void *cell)
{
    uint64_t mark;
    memcpy(&mark, cell, sizeof mark);
    return mark & WR_MARK_COUNT;
}
static inline bool wr_cell_is_error(const void *cell)
{
    uint64_t mark;
    memcpy(&mark, cell, sizeof mark);
    return mark >> WR_MARK_BITS != 0;
}
/* The first error stands. */
static inline void wr_cell_set_error(void *cell, unsigned reason)
{
    uint64_t mark;
    memcpy(&mark, cell, sizeof mark);
    if (mark >> WR_MARK_BITS) return;
    mark |= (uint64_t)(reason + 1) << WR_MARK_BITS;
    memcpy(cell, &mark, sizeof mark);
}

static inline void wr_sum_add_i64(struct wr_cell_sum_i64 *s, int64_t v)
{
    s->mark++;
    s->low += (uint64_t)v;
    s->high += (v < 0 ? -1 : 0) + (int64_t)(s->low < (uint64_t)v);
}

static inline void wr_sum_add_f64(struct wr_cell_sum_f64 *s, double v)
{
    double t = s->sum + v, a = s->sum < 0 ? -s->sum : s->sum, b = v < 0 ? -v : v;
    s->rest += a >= b ? (s->sum - t) + v : (v - t) + s->sum;
    s->sum = t;
}

static inline void wr_sum_add_words(struct wr_cell_sum_dec *s, const uint64_t word[3])
{
    wr_u128 t = (wr_u128)s->word[0] + word[0];
    s->word[0] = (uint64_t)t;
    t = (t >> 64) + s->word[1] + word[1];
    s->word[1] = (uint64_t)t;
    s->word[2] += word[2] + (uint64_t)(t >> 64);
}

static inline void wr_sum_add_dec(struct wr_cell_sum_dec *s, wr_i128 v)
{
    uint64_t word[3] = {(uint64_t)(wr_u128)v, (uint64_t)((wr_u128)v >> 64), v < 0 ? UINT64_MAX : 0};
    s->mark++;
    wr_sum_add_words(s, word);
}

/* The order of DOUBLE among MIN, MAX, ARG_MIN and ARG_MAX: NaN is greater than every number, so MAX shows it and MIN
 * shows it only where there is nothing else; -0.0 equals 0.0. */
static inline bool wr_f64_less(double a, double b)
{
    return a < b || (b != b && a == a);
}
int wr_value_compare(const struct wr_value *a, const struct wr_value *b); /* one class, no NULLs, no errors */

/* The words of a value to keep, and back. Storing a string adds it; reading one lends it. */
void wr_words_store(uint64_t *word, const struct wr_value *value, struct wr_strings *strings);
struct wr_value wr_words_load(const uint64_t *word, enum wr_class cls, const struct wr_strings *strings);
bool wr_words_less(const uint64_t *word, const struct wr_value *value, const struct wr_strings *strings);

/* Lists of STRING_AGG. */
void wr_list_append(struct wr_cell_list *list, struct wr_slice separator, struct wr_slice text, struct wr_strings *strings);
void wr_list_append_list(struct wr_cell_list *list, const struct wr_cell_list *later, struct wr_strings *strings);
struct wr_slice wr_list_text(const struct wr_cell_list *list, const struct wr_strings *strings, struct wr_arena *scratch);
void wr_list_encode(const struct wr_cell_list *list, const struct wr_strings *strings, struct wr_buf *out);
bool wr_list_decode(struct wr_cell_list *list, struct wr_strings *strings, struct wr_slice *in);
void wr_list_release(struct wr_cell_list *list, struct wr_strings *strings);

/* Sets of COUNT(DISTINCT); the mark counts their members. */
void wr_set_insert(struct wr_cell_set *set, enum wr_class cls, const struct wr_value *value, struct wr_strings *strings);
/* Member number i in order of first appearance. */
struct wr_value wr_set_at(const struct wr_cell_set *set, enum wr_class cls, uint32_t i, const struct wr_strings *strings);
void wr_set_release(struct wr_cell_set *set, enum wr_class cls, struct wr_strings *strings);

#endif
