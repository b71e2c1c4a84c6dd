/* Functions of arrays. An array travels as bytes (vm/array.h); what its elements are stands beside it as a
 * hidden constant. Both may come from a program of a stranger: bytes that are no array, and numbers that name no
 * class, are an error of the row. */
#include "vm/array.h"
#include "vm/builtin_impl.h"
#include "vm/decimal.h"

/* The elements of an array as a hidden argument: class and, of DECIMALs, scale. */
int64_t wr_array_word(struct wr_type array)
{
    WR_ASSERT(array.kind == WR_KIND_ARRAY);
    return (int64_t)wr_type_class(wr_type_element(array)) | (int64_t)array.scale << 8;
}

static bool word_is_good(int64_t word)
{
    return word >= 0 && (word & 0xff) < WR_CLASS_COUNT && word >> 8 <= WR_DECIMAL_DIGITS;
}

static enum wr_class class_in(int64_t word)
{
    WR_ASSERT(word_is_good(word));
    return (enum wr_class)(word & 0xff);
}

WR_BUILTIN_FN(array_item)
{
    struct wr_buf buf = {0};
    WR_ASSERT(count == 1 && argument[0].flag == WR_FLAG_VALUE);
    wr_array_add(&buf, &argument[0]);
    out->u.str = wr_arena_copy(call->strings, wr_buf_slice(&buf));
    wr_buf_release(&buf);
    return WR_REASON_NONE;
}

/* ---- Comparison ---------------------------------------------------------------------------------- */

static double as_f64(const struct wr_value *v, int64_t word)
{
    switch (class_in(word)) {
    case WR_CLASS_I64: return (double)v->u.i64;
    case WR_CLASS_DEC: return wr_dec_to_f64(v->u.dec, (int)(word >> 8));
    default: return v->u.f64;
    }
}

static bool is_whole(enum wr_class cls)
{
    return cls == WR_CLASS_I64 || cls == WR_CLASS_DEC;
}

static bool elements_equal(const struct wr_value *a, int64_t a_word, const struct wr_value *b, int64_t b_word)
{
    enum wr_class x = class_in(a_word), y = class_in(b_word);
    if (x != y && is_whole(x) && is_whole(y)) {
        wr_i128 l = x == WR_CLASS_I64 ? (wr_i128)a->u.i64 : a->u.dec;
        wr_i128 r = y == WR_CLASS_I64 ? (wr_i128)b->u.i64 : b->u.dec;
        return wr_dec_compare(l, r, (int)(b_word >> 8) - (int)(a_word >> 8)) == 0;
    }
    if (x == WR_CLASS_F64 || y == WR_CLASS_F64) return as_f64(a, a_word) == as_f64(b, b_word);
    if (x != y) return false; /* no program of the compiler's asks for it */
    switch (x) {
    case WR_CLASS_BOOL: return a->u.boolean == b->u.boolean;
    case WR_CLASS_I64: return a->u.i64 == b->u.i64;
    case WR_CLASS_DEC: return wr_dec_compare(a->u.dec, b->u.dec, (int)(b_word >> 8) - (int)(a_word >> 8)) == 0;
    default: return wr_slice_equal(a->u.str, b->u.str);
    }
}

enum verdict { DIFFERENT, ALIKE, UNDECIDED, DAMAGED };

/* As rows compare in SQL: a pair that differs decides, else a NULL leaves it open (null_is_value: two NULLs are
 * alike). */
static enum verdict compare(const struct wr_value *argument, bool null_is_value)
{
    struct wr_slice left = argument[0].u.str, right = argument[1].u.str;
    int64_t l = argument[2].u.i64, r = argument[3].u.i64;
    if (!word_is_good(l) || !word_is_good(r)) return DAMAGED;
    enum verdict verdict = ALIKE;
    for (;;) {
        struct wr_value a, b;
        bool bad_left, bad_right;
        bool more_left = wr_array_read(&left, class_in(l), &a, &bad_left);
        bool more_right = wr_array_read(&right, class_in(r), &b, &bad_right);
        if (bad_left || bad_right) return DAMAGED;
        if (!more_left || !more_right) return more_left == more_right ? verdict : DIFFERENT;
        bool nulls = a.flag == WR_FLAG_NULL || b.flag == WR_FLAG_NULL;
        if (nulls && null_is_value && a.flag != b.flag) return DIFFERENT;
        if (nulls && !null_is_value) verdict = UNDECIDED;
        if (!nulls && !elements_equal(&a, l, &b, r)) return DIFFERENT;
    }
}

static enum wr_reason answer(enum verdict verdict, struct wr_value *out)
{
    WR_ASSERT(verdict <= DAMAGED);
    if (verdict == DAMAGED) return WR_REASON_DOMAIN;
    if (verdict == UNDECIDED) out->flag = WR_FLAG_NULL;
    out->u.boolean = verdict == ALIKE;
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(array_equal)
{
    WR_UNUSED(call);
    WR_ASSERT(count == 4);
    return answer(compare(argument, false), out);
}

WR_BUILTIN_FN(array_same)
{
    WR_UNUSED(call);
    WR_ASSERT(count == 4);
    return answer(compare(argument, true), out);
}

/* The second array has one element, which is looked for in the first; as x IN (…) answers. */
WR_BUILTIN_FN(array_contains)
{
    struct wr_slice rest = argument[0].u.str, wanted = argument[1].u.str;
    int64_t word = argument[2].u.i64, wanted_word = argument[3].u.i64;
    struct wr_value element, sought;
    bool damaged;
    enum verdict verdict = DIFFERENT;
    WR_UNUSED(call);
    WR_ASSERT(count == 4);
    if (!word_is_good(word) || !word_is_good(wanted_word) ||
        !wr_array_read(&wanted, class_in(wanted_word), &sought, &damaged))
        return WR_REASON_DOMAIN;
    while (verdict != ALIKE && wr_array_read(&rest, class_in(word), &element, &damaged)) {
        if (element.flag == WR_FLAG_NULL || sought.flag == WR_FLAG_NULL) verdict = UNDECIDED;
        else if (elements_equal(&element, word, &sought, wanted_word)) verdict = ALIKE;
    }
    return answer(verdict == ALIKE || !damaged ? verdict : DAMAGED, out);
}

/* ---- Elements ------------------------------------------------------------------------------------ */

WR_BUILTIN_FN(array_count)
{
    struct wr_slice rest = argument[0].u.str;
    struct wr_value element;
    bool damaged = false;
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    if (!word_is_good(argument[1].u.i64)) return WR_REASON_DOMAIN;
    out->u.i64 = 0;
    while (wr_array_read(&rest, class_in(argument[1].u.i64), &element, &damaged)) out->u.i64++;
    return damaged ? WR_REASON_DOMAIN : WR_REASON_NONE;
}

static enum wr_reason element_at(const struct wr_value *argument, enum wr_class cls, struct wr_value *out)
{
    struct wr_slice rest = argument[0].u.str;
    int64_t number = argument[1].u.i64;
    struct wr_value element;
    bool damaged = false;
    WR_ASSERT(cls < WR_CLASS_COUNT);
    out->flag = WR_FLAG_NULL;
    while (wr_array_read(&rest, cls, &element, &damaged)) {
        if (--number) continue;
        out->flag = element.flag;
        out->u = element.u;
        break;
    }
    return damaged ? WR_REASON_DOMAIN : WR_REASON_NONE;
}

#define ARRAY_AT(name, cls)                         \
    WR_BUILTIN_FN(name)                             \
    {                                               \
        WR_UNUSED(call);                            \
        WR_ASSERT(count == 2);                      \
        return element_at(argument, cls, out);      \
    }
ARRAY_AT(array_at_bool, WR_CLASS_BOOL)
ARRAY_AT(array_at_i64, WR_CLASS_I64)
ARRAY_AT(array_at_f64, WR_CLASS_F64)
ARRAY_AT(array_at_dec, WR_CLASS_DEC)
ARRAY_AT(array_at_str, WR_CLASS_STR)
