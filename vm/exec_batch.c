/* The batch executor: each instruction is a loop over whole vectors, made from opcodes.def by the macros
 * below, one for each RULE. The Makefile compiles this file with -O3, so that plain loops become vector code.
 *
 * Where an operand is a constant (mostly C) it is one value beside the loop, not a vector. */
#include "vm/frame.h"
#include "vm/opcode.h"
#include "vm/scalar.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* 64 bytes that are 0 or 1 as the bits of a word. */
static inline uint64_t pack64(const uint8_t byte[64])
{
    uint64_t word = 0;
#if defined(__SSE2__)
    for (int i = 0; i < 4; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(byte + 16 * i));
        word |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_slli_epi16(x, 7)) << (16 * i);
    }
#else
    for (int i = 0; i < 8; i++) /* gathers the lowest bit of eight bytes in the highest byte */
        word |= (wr_load64((const char *)byte + 8 * i) * 0x0102040810204080u >> 56) << (8 * i);
#endif
    return word;
}

/* What a step works on. */
struct operands {
    struct wr_vector *a;
    const struct wr_vector *b, *c;
    uint32_t rows, words;
};

static inline uint64_t nulls_of(const struct wr_vector *v, uint32_t w)
{
    return v->flags & WR_VECTOR_NULLS ? v->nulls[w] & ~(v->flags & WR_VECTOR_ERRORS ? v->errors[w] : 0) : 0;
}

static inline uint64_t errors_of(const struct wr_vector *v, uint32_t w)
{
    return v->flags & WR_VECTOR_ERRORS ? v->errors[w] : 0;
}

/* The bits of word w that are rows of the batch. */
static inline uint64_t lanes_of(uint32_t rows, uint32_t w)
{
    WR_DCHECK(w * 64 < rows);
    uint32_t left = rows - w * 64;
    return left >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << left) - 1;
}

/* The masks of a strict operation: an error if an operand is one, else NULL if one is. */
static inline void masks_strict(struct wr_vector *a, const struct wr_vector *b, const struct wr_vector *c,
                                uint32_t words)
{
    WR_DCHECK(words <= WR_BATCH_WORDS);
    a->flags = b->flags | c->flags;
    if (a->flags & WR_VECTOR_ERRORS)
        for (uint32_t w = 0; w < words; w++) a->errors[w] = errors_of(b, w) | errors_of(c, w);
    if (a->flags & WR_VECTOR_NULLS)
        for (uint32_t w = 0; w < words; w++) a->nulls[w] = nulls_of(b, w) | nulls_of(c, w);
}

/* Rows that have neither a NULL nor an error so far. */
static inline uint64_t valid_of(const struct wr_vector *a, uint32_t w)
{
    return ~((a->flags & WR_VECTOR_ERRORS ? a->errors[w] : 0) | (a->flags & WR_VECTOR_NULLS ? a->nulls[w] : 0));
}

static inline void errors_begin(struct wr_vector *a)
{
    WR_DCHECK(a->errors);
    if (a->flags & WR_VECTOR_ERRORS) return;
    memset(a->errors, 0, WR_BATCH_WORDS * sizeof(uint64_t));
    a->flags |= WR_VECTOR_ERRORS;
}

/* BOOL: rows without a value read as false. */
static inline void clear_invalid(struct wr_vector *a, uint32_t words)
{
    if (a->flags)
        for (uint32_t w = 0; w < words; w++) a->u.bits[w] &= valid_of(a, w);
}

/* ---- Types by class ---------------------------------------------------------------------------- */

#define TYPE_BOOL bool
#define TYPE_I64 int64_t
#define TYPE_F64 double
#define TYPE_DEC wr_i128
#define TYPE_STR struct wr_slice
#define TYPE_NONE int
#define TYPE_DECTYPE int
/* Element i of a vector's data. */
#define AT_BOOL(v, i) wr_bit((v)->u.bits, i)
#define AT_I64(v, i) ((v)->u.i64[i])
#define AT_F64(v, i) ((v)->u.f64[i])
#define AT_DEC(v, i) ((v)->u.dec[i])
#define AT_STR(v, i) ((v)->u.str[i])
#define AT_NONE(v, i) 0
#define AT_DECTYPE(v, i) 0
/* Data as an array that nothing else points into. */
#define ARRAY_I64(v) (v)->u.i64
#define ARRAY_F64(v) (v)->u.f64
#define ARRAY_DEC(v) (v)->u.dec
#define ARRAY_STR(v) (v)->u.str

/* One loop for a constant C, one for a vector; `BODY(i)` sees b and c. A constant B is spread out before. */
#define LOOP_VECTOR(B, C, i, from, to, ...)                                                               \
    for (uint32_t i = (from); i < (to); i++) {                                                            \
        const TYPE_##B b = pb[i];                                                                         \
        const TYPE_##C c = pc[i];                                                                         \
        WR_UNUSED(c);                                                                                     \
        __VA_ARGS__                                                                                       \
    }
#define LOOP_CONSTANT(B, C, i, from, to, ...)                                                             \
    for (uint32_t i = (from); i < (to); i++) {                                                            \
        const TYPE_##B b = pb[i];                                                                         \
        __VA_ARGS__                                                                                       \
    }
#define BINARY_LOOP(B, C, i, from, to, ...)                                                               \
    {                                                                                                     \
        const TYPE_##B *restrict pb = ARRAY_##B(o.b);                                                     \
        const TYPE_##C *restrict pc = ARRAY_##C(o.c);                                                     \
        if (step->c_constant) {                                                                           \
            const TYPE_##C c = pc[0];                                                                     \
            WR_UNUSED(c);                                                                                 \
            LOOP_CONSTANT(B, C, i, from, to, __VA_ARGS__)                                                 \
        } else {                                                                                          \
            LOOP_VECTOR(B, C, i, from, to, __VA_ARGS__)                                                   \
        }                                                                                                 \
    }
#define UNARY_LOOP(B, C, i, from, to, ...)                                                                \
    {                                                                                                     \
        const TYPE_##B *restrict pb = ARRAY_##B(o.b);                                                     \
        LOOP_CONSTANT(B, C, i, from, to, __VA_ARGS__)                                                     \
    }
#define LOOP_I64 BINARY_LOOP
#define LOOP_F64 BINARY_LOOP
#define LOOP_DEC BINARY_LOOP
#define LOOP_STR BINARY_LOOP
#define LOOP_NONE UNARY_LOOP
#define LOOP_DECTYPE UNARY_LOOP
#define LOOP_(C) LOOP_##C

/* ---- Rules -------------------------------------------------------------------------------------- */

/* PLAIN into BOOL: 64 comparisons into bytes, the bytes into a word. */
#define PLAIN_BOOL(A, B, C, VALUE, MORE)                                                                  \
    masks_strict(o.a, o.b, o.c, o.words);                                                                 \
    for (uint32_t w = 0; w < o.words; w++) {                                                              \
        uint8_t byte[64];                                                                                 \
        const uint32_t from = w * 64, to = WR_MIN(from + 64, o.rows);                                     \
        if (to - from < 64) memset(byte, 0, sizeof byte);                                                 \
        LOOP_(C)(B, C, i, from, to, byte[i - from] = (VALUE);)                                            \
        o.a->u.bits[w] = pack64(byte);                                                                    \
    }                                                                                                     \
    clear_invalid(o.a, o.words);
#define PLAIN_I64(A, B, C, VALUE, MORE)                                                                   \
    masks_strict(o.a, o.b, o.c, o.words);                                                                 \
    TYPE_##A *restrict pa = ARRAY_##A(o.a);                                                               \
    LOOP_(C)(B, C, i, 0, o.rows, pa[i] = (VALUE);)
#define PLAIN_F64 PLAIN_I64
#define PLAIN(A, B, C, VALUE, MORE) PLAIN_##A(A, B, C, VALUE, MORE)

/* CHECKED: all values and the union of all reasons; only where some row failed, which one. */
#define CHECKED(A, B, C, VALUE, MORE)                                                                     \
    masks_strict(o.a, o.b, o.c, o.words);                                                                 \
    TYPE_##A *restrict pa = ARRAY_##A(o.a);                                                               \
    uint64_t reasons = 0;                                                                                 \
    LOOP_(C)(B, C, i, 0, o.rows, {                                                                        \
        const TYPE_##A a = (VALUE);                                                                       \
        WR_UNUSED(b);                                                                                     \
        pa[i] = a;                                                                                        \
        reasons |= (uint64_t)(MORE);                                                                      \
    })                                                                                                    \
    if (WR_UNLIKELY(reasons)) {                                                                           \
        errors_begin(o.a);                                                                                \
        for (uint32_t w = 0; w < o.words; w++) {                                                          \
            uint64_t failed = 0;                                                                          \
            const uint32_t from = w * 64, to = WR_MIN(from + 64, o.rows);                                 \
            LOOP_(C)(B, C, i, from, to, {                                                                 \
                const TYPE_##A a = pa[i];                                                                 \
                WR_UNUSED(a);                                                                             \
                WR_UNUSED(b);                                                                             \
                failed |= (uint64_t)((MORE) != 0) << (i & 63);                                            \
            })                                                                                            \
            o.a->errors[w] |= failed & valid_of(o.a, w);                                                  \
        }                                                                                                 \
    }

/* CAREFUL: only the rows whose operands are values. */
#define CAREFUL_ROW(A, B, C, VALUE, MORE)                                                                 \
    {                                                                                                     \
        const uint32_t row = w * 64 + j;                                                                  \
        const TYPE_##B b = AT_##B(o.b, step->b_constant ? 0 : row);                                       \
        const TYPE_##C c = AT_##C(o.c, step->c_constant ? 0 : row);                                       \
        enum wr_reason e = WR_REASON_NONE;                                                                \
        WR_UNUSED(c);                                                                                     \
        PUT_##A(VALUE)                                                                                    \
        failed |= (uint64_t)((MORE) != 0) << j;                                                           \
        WR_UNUSED(e);                                                                                     \
    }
#define PUT_BOOL(VALUE) bits |= (uint64_t)(VALUE) << j;
#define PUT_I64(VALUE) o.a->u.i64[row] = (VALUE);
#define PUT_F64(VALUE) o.a->u.f64[row] = (VALUE);
#define PUT_DEC(VALUE) o.a->u.dec[row] = (VALUE);
#define PUT_STR(VALUE) o.a->u.str[row] = (VALUE);
#define END_BOOL o.a->u.bits[w] = bits & ~failed;
#define END_I64
#define END_F64
#define END_DEC
#define END_STR
#define CAREFUL(A, B, C, VALUE, MORE)                                                                     \
    masks_strict(o.a, o.b, o.c, o.words);                                                                 \
    for (uint32_t w = 0; w < o.words; w++) {                                                              \
        const uint64_t lanes = lanes_of(o.rows, w);                                                       \
        uint64_t valid = valid_of(o.a, w) & lanes, bits = 0, failed = 0;                                  \
        if (valid == ~(uint64_t)0) {                                                                      \
            for (uint32_t j = 0; j < 64; j++) CAREFUL_ROW(A, B, C, VALUE, MORE)                           \
        } else {                                                                                          \
            for (; valid; valid &= valid - 1) {                                                           \
                const uint32_t j = (uint32_t)__builtin_ctzll(valid);                                      \
                CAREFUL_ROW(A, B, C, VALUE, MORE)                                                         \
            }                                                                                             \
        }                                                                                                 \
        END_##A                                                                                           \
        WR_UNUSED(bits);                                                                                  \
        if (WR_UNLIKELY(failed)) {                                                                        \
            errors_begin(o.a);                                                                            \
            o.a->errors[w] |= failed;                                                                     \
        }                                                                                                 \
    }

/* COMPARE: where a whole word of rows has values, bytes as in PLAIN; else one by one. */
#define COMPARE(A, B, C, VALUE, MORE)                                                                     \
    masks_strict(o.a, o.b, o.c, o.words);                                                                 \
    for (uint32_t w = 0; w < o.words; w++) {                                                              \
        const uint64_t lanes = lanes_of(o.rows, w);                                                       \
        uint64_t valid = valid_of(o.a, w) & lanes, bits = 0;                                              \
        const uint32_t from = w * 64, to = WR_MIN(from + 64, o.rows);                                     \
        if (valid == lanes) {                                                                             \
            uint8_t byte[64];                                                                             \
            if (to - from < 64) memset(byte, 0, sizeof byte);                                             \
            LOOP_(C)(B, C, i, from, to, byte[i - from] = (VALUE);)                                        \
            bits = pack64(byte);                                                                          \
        } else {                                                                                          \
            for (; valid; valid &= valid - 1) {                                                           \
                const uint32_t j = (uint32_t)__builtin_ctzll(valid), row = from + j;                      \
                const TYPE_##B b = AT_##B(o.b, row);                                                      \
                const TYPE_##C c = AT_##C(o.c, step->c_constant ? 0 : row);                               \
                bits |= (uint64_t)(VALUE) << j;                                                           \
            }                                                                                             \
        }                                                                                                 \
        o.a->u.bits[w] = bits;                                                                            \
    }

#define WORD(A, B, C, VALUE, MORE)                                                                        \
    masks_strict(o.a, o.b, o.c, o.words);                                                                 \
    for (uint32_t w = 0; w < o.words; w++) {                                                              \
        const uint64_t b = o.b->u.bits[w], c = o.c->u.bits[w];                                            \
        o.a->u.bits[w] = (VALUE);                                                                         \
    }                                                                                                     \
    clear_invalid(o.a, o.words);

#define TRUTH_BOOL(v, w) ((v)->u.bits[w])
#define TRUTH_ANY(v, w) (~(uint64_t)0)
#define TRUTH_NONE(v, w) ((uint64_t)0)
#define ERRORS_BOOL(v, w) errors_of(v, w)
#define ERRORS_NONE(v, w) ((uint64_t)0)
#define NULLS_BOOL(v, w) nulls_of(v, w)
#define NULLS_NONE(v, w) ((uint64_t)0)
#define LOGIC(A, B, C, VALUE, MORE)                                                                       \
    {                                                                                                     \
        uint64_t any_null = 0, any_error = 0;                                                             \
        for (uint32_t w = 0; w < o.words; w++) {                                                          \
            const uint64_t be = errors_of(o.b, w), bn = nulls_of(o.b, w);                                 \
            const uint64_t bt = TRUTH_##B(o.b, w) & ~(be | bn), bf = ~(be | bn | bt);                     \
            const uint64_t ce = ERRORS_##C(o.c, w), cn = NULLS_##C(o.c, w);                               \
            const uint64_t ct = TRUTH_##C(o.c, w) & ~(ce | cn), cf = ~(ce | cn | ct);                     \
            const uint64_t is_true = (VALUE), is_false = (MORE);                                          \
            const uint64_t error = (be | ce) & ~(is_true | is_false);                                     \
            const uint64_t null = ~(is_true | is_false | error);                                          \
            WR_UNUSED(bf), WR_UNUSED(ct), WR_UNUSED(cf);                                                  \
            o.a->u.bits[w] = is_true;                                                                     \
            o.a->errors[w] = error;                                                                       \
            o.a->nulls[w] = null;                                                                         \
            any_error |= error;                                                                           \
            any_null |= null;                                                                             \
        }                                                                                                 \
        o.a->flags = (uint8_t)((any_error ? WR_VECTOR_ERRORS : 0) | (any_null ? WR_VECTOR_NULLS : 0));    \
    }

#define DISTINCT(A, B, C, VALUE, MORE)                                                                    \
    o.a->flags = (o.b->flags | o.c->flags) & WR_VECTOR_ERRORS;                                            \
    for (uint32_t w = 0; w < o.words; w++) {                                                              \
        const uint64_t errors = errors_of(o.b, w) | errors_of(o.c, w);                                    \
        const uint64_t bn = nulls_of(o.b, w), cn = nulls_of(o.c, w);                                      \
        uint64_t bits = 0, valid = lanes_of(o.rows, w) & ~(errors | bn | cn);                             \
        if (o.a->flags) o.a->errors[w] = errors;                                                          \
        for (; valid; valid &= valid - 1) {                                                               \
            const uint32_t j = (uint32_t)__builtin_ctzll(valid), row = w * 64 + j;                        \
            const TYPE_##B b = AT_##B(o.b, step->b_constant ? 0 : row);                                   \
            const TYPE_##C c = AT_##C(o.c, step->c_constant ? 0 : row);                                   \
            bits |= (uint64_t)(VALUE) << j;                                                               \
        }                                                                                                 \
        o.a->u.bits[w] = (bits | (bn ^ cn)) & ~errors;                                                    \
    }

/* ---- Choices ------------------------------------------------------------------------------------ */

/* Takes the masks of rows `from` of C into A, whose own are whole. */
static inline void merge_masks(struct wr_vector *a, const struct wr_vector *c, uint32_t w, uint64_t from)
{
    a->nulls[w] = (a->nulls[w] & ~from) | (nulls_of(c, w) & from);
    a->errors[w] = (a->errors[w] & ~from) | (errors_of(c, w) & from);
}

/* A vector's masks made whole in its own memory, so that they can be changed. */
static inline void masks_whole(struct wr_vector *a, const struct wr_vector *of, uint32_t words)
{
    WR_DCHECK(a->nulls && a->errors);
    for (uint32_t w = 0; w < words; w++) {
        uint64_t nulls = nulls_of(of, w), errors = errors_of(of, w);
        a->nulls[w] = nulls;
        a->errors[w] = errors;
    }
}

#define TAKE_ROWS(A)                                                                                      \
    {                                                                                                     \
        TYPE_##A *pa = ARRAY_##A(o.a);                                                                    \
        const TYPE_##A *pc = ARRAY_##A(o.c);                                                              \
        for (; from; from &= from - 1) {                                                                  \
            const uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(from);                                \
            pa[row] = pc[step->c_constant ? 0 : row];                                                     \
        }                                                                                                 \
    }
#define ROWS_BOOL o.a->u.bits[w] = (o.a->u.bits[w] & ~from) | (o.c->u.bits[w] & from);
#define ROWS_I64 TAKE_ROWS(I64)
#define ROWS_F64 TAKE_ROWS(F64)
#define ROWS_DEC TAKE_ROWS(DEC)
#define ROWS_STR TAKE_ROWS(STR)
#define CLEAR_BOOL clear_invalid(o.a, o.words);
#define CLEAR_I64
#define CLEAR_F64
#define CLEAR_DEC
#define CLEAR_STR
#define SELECT(A, B, C, VALUE, MORE)                                                                      \
    if (o.c != o.a || (o.b->flags & WR_VECTOR_ERRORS)) {                                                  \
        const uint8_t flags = (uint8_t)(o.a->flags | o.c->flags | (o.b->flags & WR_VECTOR_ERRORS));       \
        const bool has_masks = flags != 0;                                                                \
        uint64_t taken[WR_BATCH_WORDS], failed[WR_BATCH_WORDS];                                           \
        for (uint32_t w = 0; w < o.words; w++) {                                                          \
            failed[w] = errors_of(o.b, w);                                                                \
            taken[w] = o.b->u.bits[w] & ~failed[w] & ~nulls_of(o.b, w) & lanes_of(o.rows, w);             \
        }                                                                                                 \
        if (has_masks) masks_whole(o.a, o.a, o.words);                                                    \
        for (uint32_t w = 0; w < o.words; w++) {                                                          \
            uint64_t from = taken[w];                                                                     \
            if (has_masks) {                                                                              \
                merge_masks(o.a, o.c, w, from);                                                           \
                o.a->errors[w] |= failed[w];                                                              \
                o.a->nulls[w] &= ~failed[w];                                                              \
            }                                                                                             \
            ROWS_##A                                                                                      \
        }                                                                                                 \
        o.a->flags = has_masks ? WR_VECTOR_NULLS | WR_VECTOR_ERRORS : 0;                                  \
        CLEAR_##A                                                                                         \
    }

static void copy_data(const struct operands *o, const struct wr_step *step);

#define COALESCE(A, B, C, VALUE, MORE)                                                                    \
    copy_data(&o, step);                                                                                  \
    masks_whole(o.a, o.b, o.words);                                                                       \
    for (uint32_t w = 0; w < o.words; w++) {                                                              \
        uint64_t from = nulls_of(o.b, w) & lanes_of(o.rows, w);                                           \
        merge_masks(o.a, o.c, w, from);                                                                   \
        ROWS_##A                                                                                          \
    }                                                                                                     \
    o.a->flags = (uint8_t)((o.b->flags & WR_VECTOR_ERRORS) |                                              \
                           (o.b->flags & WR_VECTOR_NULLS ? o.c->flags : 0));                              \
    CLEAR_##A

#define MOVE(A, B, C, VALUE, MORE)                                                                        \
    copy_data(&o, step);                                                                                  \
    masks_whole(o.a, o.b, o.words);                                                                       \
    o.a->flags = o.b->flags;                                                                              \
    CLEAR_##A

#define TRY(A, B, C, VALUE, MORE)                                                                         \
    copy_data(&o, step);                                                                                  \
    for (uint32_t w = 0; w < o.words; w++) o.a->nulls[w] = nulls_of(o.b, w) | errors_of(o.b, w);          \
    o.a->flags = o.b->flags ? WR_VECTOR_NULLS : 0;                                                        \
    CLEAR_##A

static void copy_data(const struct operands *o, const struct wr_step *step)
{
    size_t size[WR_CLASS_COUNT] = {o->words * sizeof(uint64_t), o->rows * sizeof(int64_t), o->rows * sizeof(double),
                                   o->rows * sizeof(wr_i128), o->rows * sizeof(struct wr_slice)};
    WR_ASSERT(o->a->cls == o->b->cls);
    WR_DCHECK(!step->b_constant); /* spread out by then */
    WR_UNUSED(step);
    if (o->rows) memcpy(o->a->u.data, o->b->u.data, size[o->a->cls]);
}

/* ---- Calls -------------------------------------------------------------------------------------- */

static void put_result(struct wr_vector *a, uint32_t row, const struct wr_value *value)
{
    WR_DCHECK(value->cls == a->cls && row < WR_BATCH_ROWS);
    switch ((enum wr_class)a->cls) {
    case WR_CLASS_BOOL:
        if (value->u.boolean) wr_bit_set(a->u.bits, row);
        break;
    case WR_CLASS_I64: a->u.i64[row] = value->u.i64; break;
    case WR_CLASS_F64: a->u.f64[row] = value->u.f64; break;
    case WR_CLASS_DEC: a->u.dec[row] = value->u.dec; break;
    case WR_CLASS_STR: a->u.str[row] = value->u.str; break;
    case WR_CLASS_COUNT: break;
    }
}

static void call(struct wr_frame *frame, const struct wr_step *step, uint32_t rows)
{
    struct wr_vector *a = &frame->vector[step->a];
    const uint32_t *argument = frame->argument + step->c;
    const uint32_t count = (uint32_t)step->k, words = (rows + 63) / 64;
    const uint32_t inputs = frame->code->input_count, fixed = inputs + frame->code->constant_count;
    WR_ASSERT(step->b < WR_BUILTIN_COUNT && step->cache);
    wr_builtin_fn *function = wr_builtin_info((enum wr_builtin)step->b)->function;
    struct wr_call call = {frame->strings, step->cache};
    struct wr_value value[WR_CALL_ARGUMENTS_MAX];
    WR_ASSERT(count <= WR_COUNT(value));
    bool varies[WR_CALL_ARGUMENTS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        varies[i] = argument[i] < inputs || argument[i] >= fixed;
        if (!varies[i]) value[i] = wr_vector_at(&frame->vector[argument[i]], 0);
    }
    uint64_t any_null = 0, any_error = 0;
    if (a->cls == WR_CLASS_BOOL) memset(a->u.bits, 0, words * sizeof(uint64_t));
    for (uint32_t w = 0; w < words; w++) {
        uint64_t nulls = 0, errors = 0;
        for (uint32_t i = 0; i < count; i++) {
            errors |= errors_of(&frame->vector[argument[i]], w);
            nulls |= nulls_of(&frame->vector[argument[i]], w);
        }
        nulls &= ~errors;
        for (uint64_t left = lanes_of(rows, w) & ~(nulls | errors); left; left &= left - 1) {
            const uint32_t j = (uint32_t)__builtin_ctzll(left), row = w * 64 + j;
            struct wr_value result = {.cls = a->cls};
            for (uint32_t i = 0; i < count; i++)
                if (varies[i]) value[i] = wr_vector_at(&frame->vector[argument[i]], row);
            if (function(&call, value, count, &result)) errors |= (uint64_t)1 << j;
            else if (result.flag) nulls |= (uint64_t)1 << j;
            else put_result(a, row, &result);
        }
        any_null |= a->nulls[w] = nulls;
        any_error |= a->errors[w] = errors;
    }
    a->flags = (uint8_t)((any_null ? WR_VECTOR_NULLS : 0) | (any_error ? WR_VECTOR_ERRORS : 0));
}

/* ---- Dispatch ----------------------------------------------------------------------------------- */

/* A constant that stands where a vector is wanted, as a vector in the frame's spare memory. */
static struct wr_vector spread(struct wr_frame *frame, const struct wr_vector *v, uint32_t rows)
{
    struct wr_vector whole = *v;
    WR_ASSERT(rows <= WR_BATCH_ROWS && frame->splat);
    if (v->cls == WR_CLASS_BOOL) return whole;
    whole.u.data = frame->splat;
    for (uint32_t i = 0; i < rows; i++) {
        switch ((enum wr_class)v->cls) {
        case WR_CLASS_I64: whole.u.i64[i] = v->u.i64[0]; break;
        case WR_CLASS_F64: whole.u.f64[i] = v->u.f64[0]; break;
        case WR_CLASS_DEC: whole.u.dec[i] = v->u.dec[0]; break;
        case WR_CLASS_STR: whole.u.str[i] = v->u.str[0]; break;
        case WR_CLASS_BOOL:
        case WR_CLASS_COUNT: break;
        }
    }
    return whole;
}

#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE) OP_##RULE(NAME, A, B, C, RULE, VALUE, MORE)
#define OP_CALL(NAME, A, B, C, RULE, VALUE, MORE)
#define OP_FUNCTION(NAME, A, B, C, RULE, VALUE, MORE)                                                     \
    static void run_##NAME(struct wr_frame *frame, const struct wr_step *step, struct operands o)         \
    {                                                                                                     \
        const int k = step->k;                                                                            \
        const unsigned imm = step->imm;                                                                   \
        WR_UNUSED(frame), WR_UNUSED(k), WR_UNUSED(imm);                                                   \
        RULE(A, B, C, VALUE, MORE)                                                                        \
    }
#define OP_PLAIN OP_FUNCTION
#define OP_CHECKED OP_FUNCTION
#define OP_CAREFUL OP_FUNCTION
#define OP_COMPARE OP_FUNCTION
#define OP_WORD OP_FUNCTION
#define OP_LOGIC OP_FUNCTION
#define OP_DISTINCT OP_FUNCTION
#define OP_SELECT OP_FUNCTION
#define OP_COALESCE OP_FUNCTION
#define OP_MOVE OP_FUNCTION
#define OP_TRY OP_FUNCTION
#include "vm/opcodes.def"
#undef OP

typedef void op_function(struct wr_frame *frame, const struct wr_step *step, struct operands o);

static op_function *const functions[WR_OP_COUNT] = {
#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE) POINTER_##RULE(NAME)
#define POINTER_(NAME) run_##NAME,
#define POINTER_CALL(NAME) NULL,
#define POINTER_PLAIN POINTER_
#define POINTER_CHECKED POINTER_
#define POINTER_CAREFUL POINTER_
#define POINTER_COMPARE POINTER_
#define POINTER_WORD POINTER_
#define POINTER_LOGIC POINTER_
#define POINTER_DISTINCT POINTER_
#define POINTER_SELECT POINTER_
#define POINTER_COALESCE POINTER_
#define POINTER_MOVE POINTER_
#define POINTER_TRY POINTER_
#include "vm/opcodes.def"
#undef OP
};

void wr_frame_execute(struct wr_frame *frame, uint32_t rows)
{
    WR_ASSERT(rows <= WR_BATCH_ROWS);
    static const struct wr_vector none; /* field C of one-operand instructions: no masks */
    for (uint32_t i = 0; i < frame->step_count; i++) {
        const struct wr_step *step = &frame->step[i];
        const struct wr_op_info *info = wr_op_info((enum wr_op)step->op);
        if (info->rule == WR_RULE_CALL) {
            call(frame, step, rows);
            continue;
        }
        struct operands o = {&frame->vector[step->a], &frame->vector[step->b], &none, rows, (rows + 63) / 64};
        if (info->c <= WR_OPERAND_ANY) o.c = &frame->vector[step->c];
        WR_DCHECK(info->rule == WR_RULE_SELECT || (o.a != o.b && o.a != o.c));
        struct wr_vector whole;
        struct wr_step changed;
        if (step->b_constant && info->rule != WR_RULE_CAREFUL && info->rule != WR_RULE_DISTINCT) {
            whole = spread(frame, o.b, rows);
            changed = *step;
            changed.b_constant = 0;
            o.b = &whole;
            step = &changed;
        }
        functions[step->op](frame, step, o);
    }
}
