/* Accumulators: their size, their beginning, and taking rows, one by one or a batch at a time. NULLs are passed over
 * by all but COUNT(*) and the argument of ARG_MIN and ARG_MAX, whose second value decides. */
#include "runtime/aggregate_internal.h"
#include "vm/array.h"
#include "vm/decimal.h"

size_t wr_aggregate_size(const struct wr_aggregate *aggregate)
{
    switch (wr_cell_kind(aggregate)) {
    case WR_CELL_COUNT: return sizeof(uint64_t);
    case WR_CELL_SUM_I64: return sizeof(struct wr_cell_sum_i64);
    case WR_CELL_SUM_F64: return sizeof(struct wr_cell_sum_f64);
    case WR_CELL_SUM_DEC: return sizeof(struct wr_cell_sum_dec);
    case WR_CELL_VALUE:
        return wr_type_class(aggregate->argument) == WR_CLASS_DEC ? sizeof(struct wr_cell_value) : 2 * sizeof(uint64_t);
    case WR_CELL_VARIANCE: return sizeof(struct wr_cell_variance);
    case WR_CELL_ARG: return sizeof(struct wr_cell_arg);
    case WR_CELL_LIST: return sizeof(struct wr_cell_list);
    case WR_CELL_SET: return sizeof(struct wr_cell_set);
    }
    return 0;
}

void wr_aggregate_init(const struct wr_aggregate *aggregate, void *cell)
{
    WR_ASSERT(wr_aggregate_size(aggregate) >= sizeof(uint64_t) && wr_aggregate_size(aggregate) % sizeof(uint64_t) == 0);
    memset(cell, 0, wr_aggregate_size(aggregate));
}

/* ---- Values ---------------------------------------------------------------------------------------- */

int wr_value_compare(const struct wr_value *a, const struct wr_value *b)
{
    WR_ASSERT(a->cls == b->cls);
    switch ((enum wr_class)a->cls) {
    case WR_CLASS_BOOL: return a->u.boolean - b->u.boolean;
    case WR_CLASS_I64: return (a->u.i64 > b->u.i64) - (a->u.i64 < b->u.i64);
    case WR_CLASS_F64: return wr_f64_less(b->u.f64, a->u.f64) - wr_f64_less(a->u.f64, b->u.f64);
    case WR_CLASS_DEC: return (a->u.dec > b->u.dec) - (a->u.dec < b->u.dec);
    case WR_CLASS_STR: return wr_slice_compare(a->u.str, b->u.str);
    case WR_CLASS_COUNT: break;
    }
    return 0;
}

void wr_words_store(uint64_t *word, const struct wr_value *value, struct wr_strings *strings)
{
    switch ((enum wr_class)value->cls) {
    case WR_CLASS_BOOL: word[0] = value->u.boolean; break;
    case WR_CLASS_I64: word[0] = (uint64_t)value->u.i64; break;
    case WR_CLASS_F64: memcpy(word, &value->u.f64, sizeof *word); break;
    case WR_CLASS_DEC: memcpy(word, &value->u.dec, sizeof value->u.dec); break;
    case WR_CLASS_STR: word[0] = wr_strings_add(strings, value->u.str.data, value->u.str.size); break;
    case WR_CLASS_COUNT: WR_ASSERT(value->cls < WR_CLASS_COUNT);
    }
}

struct wr_value wr_words_load(const uint64_t *word, enum wr_class cls, const struct wr_strings *strings)
{
    struct wr_value value = {.cls = (uint8_t)cls};
    switch (cls) {
    case WR_CLASS_BOOL: value.u.boolean = word[0] != 0; break;
    case WR_CLASS_I64: value.u.i64 = (int64_t)word[0]; break;
    case WR_CLASS_F64: memcpy(&value.u.f64, word, sizeof *word); break;
    case WR_CLASS_DEC: memcpy(&value.u.dec, word, sizeof value.u.dec); break;
    case WR_CLASS_STR: value.u.str.data = wr_strings_at(strings, (uint32_t)word[0], &value.u.str.size); break;
    case WR_CLASS_COUNT: WR_ASSERT(cls < WR_CLASS_COUNT);
    }
    return value;
}

/* Puts a value in the place of the one that is there, if any. */
static void replace(uint64_t *word, bool have, const struct wr_value *value, struct wr_strings *strings)
{
    uint32_t old = have && value->cls == WR_CLASS_STR ? (uint32_t)word[0] : 0;
    wr_words_store(word, value, strings);
    wr_strings_unref(strings, old);
}

static void slot_set(struct wr_cell_slot *slot, const struct wr_value *value, struct wr_strings *strings)
{
    uint32_t old = slot->cls == WR_CLASS_STR && slot->flag == WR_FLAG_VALUE ? (uint32_t)slot->word[0] : 0;
    if (value->flag == WR_FLAG_VALUE) wr_words_store(slot->word, value, strings);
    slot->cls = value->cls;
    slot->flag = value->flag;
    wr_strings_unref(strings, old);
}

/* ---- Adding ---------------------------------------------------------------------------------------- */

/* Does a value belong in the place of the one that a MIN, MAX, FIRST, LAST or ANY_VALUE has? */
static bool takes_over(enum wr_aggregate_fn fn, int order)
{
    if (fn == WR_AGG_MIN || fn == WR_AGG_ARG_MIN) return order < 0;
    if (fn == WR_AGG_MAX || fn == WR_AGG_ARG_MAX) return order > 0;
    return fn == WR_AGG_LAST;
}

static void add_value(enum wr_aggregate_fn fn, struct wr_cell_value *c, const struct wr_value *value,
                      struct wr_strings *strings)
{
    bool have = (c->mark & WR_MARK_COUNT) != 0;
    c->mark++;
    if (have) {
        struct wr_value old = wr_words_load(c->word, (enum wr_class)value->cls, strings);
        int order = fn == WR_AGG_MIN || fn == WR_AGG_MAX ? wr_value_compare(value, &old) : 0;
        if (!takes_over(fn, order)) return;
    }
    replace(c->word, have, value, strings);
}

static void add_arg(enum wr_aggregate_fn fn, struct wr_cell_arg *c, const struct wr_value *argument,
                    const struct wr_value *second, struct wr_strings *strings)
{
    if (second->flag == WR_FLAG_NULL) return;
    if (c->mark & WR_MARK_COUNT) {
        struct wr_value old = wr_words_load(c->second.word, (enum wr_class)c->second.cls, strings);
        if (!takes_over(fn, wr_value_compare(second, &old))) return;
    } else {
        c->value.flag = c->second.flag = WR_FLAG_NULL;
    }
    c->mark |= 1;
    slot_set(&c->value, argument, strings);
    slot_set(&c->second, second, strings);
}

static double as_f64(const struct wr_aggregate *a, const struct wr_value *v)
{
    if (v->cls == WR_CLASS_F64) return v->u.f64;
    return v->cls == WR_CLASS_DEC ? wr_dec_to_f64(v->u.dec, a->argument.scale) : (double)v->u.i64;
}

static void add_variance(struct wr_cell_variance *c, double x)
{
    c->mark++;
    double from_mean = x - c->mean;
    c->mean += from_mean / (double)(c->mark & WR_MARK_COUNT);
    c->m2 += from_mean * (x - c->mean);
}

/* NULLs are elements too. */
static void add_element(struct wr_cell_list *list, const struct wr_value *element, struct wr_strings *strings)
{
    struct wr_buf one = {0};
    wr_array_add(&one, element);
    wr_list_append(list, (struct wr_slice){0}, wr_buf_slice(&one), strings);
    wr_buf_release(&one);
}

void wr_aggregate_add(const struct wr_aggregate *a, void *cell, const struct wr_value *argument,
                      const struct wr_value *second, struct wr_strings *strings)
{
    if (argument && argument->flag == WR_FLAG_ERROR) wr_cell_set_error(cell, argument->reason);
    if (second && second->flag == WR_FLAG_ERROR) wr_cell_set_error(cell, second->reason);
    if (wr_cell_is_error(cell)) return;
    enum wr_cell_kind kind = wr_cell_kind(a);
    if (a->fn == WR_AGG_ARRAY_AGG) {
        add_element(cell, argument, strings);
        return;
    }
    if (a->fn != WR_AGG_COUNT_ROWS && kind != WR_CELL_ARG && argument->flag == WR_FLAG_NULL) return;
    switch (kind) {
    case WR_CELL_COUNT: ++*(uint64_t *)cell; break;
    case WR_CELL_SUM_I64: wr_sum_add_i64(cell, argument->u.i64); break;
    case WR_CELL_SUM_F64:
        ((struct wr_cell_sum_f64 *)cell)->mark++;
        wr_sum_add_f64(cell, argument->u.f64);
        break;
    case WR_CELL_SUM_DEC: wr_sum_add_dec(cell, argument->u.dec); break;
    case WR_CELL_VALUE: add_value((enum wr_aggregate_fn)a->fn, cell, argument, strings); break;
    case WR_CELL_VARIANCE: add_variance(cell, as_f64(a, argument)); break;
    case WR_CELL_ARG: add_arg((enum wr_aggregate_fn)a->fn, cell, argument, second, strings); break;
    case WR_CELL_LIST:
        wr_list_append(cell, second && second->flag == WR_FLAG_VALUE ? second->u.str : (struct wr_slice){0},
                       argument->u.str, strings);
        break;
    case WR_CELL_SET: wr_set_insert(cell, (enum wr_class)argument->cls, argument, strings); break;
    }
}

/* Loops for one function and class over an argument without NULLs or errors. */
static bool add_plain(const struct wr_aggregate *a, void *const *cell, const uint16_t *row, uint32_t count,
                      const struct wr_vector *v)
{
    enum wr_cell_kind kind = wr_cell_kind(a);
    if (kind == WR_CELL_COUNT) {
        for (uint32_t i = 0; i < count; i++) ++*(uint64_t *)cell[i];
    } else if (kind == WR_CELL_SUM_I64) {
        for (uint32_t i = 0; i < count; i++) wr_sum_add_i64(cell[i], v->u.i64[row[i]]);
    } else if (kind == WR_CELL_SUM_F64) {
        for (uint32_t i = 0; i < count; i++) {
            ((struct wr_cell_sum_f64 *)cell[i])->mark++;
            wr_sum_add_f64(cell[i], v->u.f64[row[i]]);
        }
    } else if (kind == WR_CELL_SUM_DEC) {
        for (uint32_t i = 0; i < count; i++) wr_sum_add_dec(cell[i], v->u.dec[row[i]]);
    } else if (kind == WR_CELL_VARIANCE && v->cls == WR_CLASS_F64) {
        for (uint32_t i = 0; i < count; i++) add_variance(cell[i], v->u.f64[row[i]]);
    } else if ((a->fn == WR_AGG_MIN || a->fn == WR_AGG_MAX) && v->cls == WR_CLASS_I64) {
        for (uint32_t i = 0; i < count; i++) {
            struct wr_cell_value *c = cell[i];
            int64_t x = v->u.i64[row[i]], old = (int64_t)c->word[0];
            bool better = a->fn == WR_AGG_MIN ? x < old : x > old;
            if (!(c->mark & WR_MARK_COUNT) || better) c->word[0] = (uint64_t)x;
            c->mark++;
        }
    } else if ((a->fn == WR_AGG_MIN || a->fn == WR_AGG_MAX) && v->cls == WR_CLASS_F64) {
        for (uint32_t i = 0; i < count; i++) {
            struct wr_cell_value *c = cell[i];
            double x = v->u.f64[row[i]], old;
            memcpy(&old, c->word, sizeof old);
            bool better = a->fn == WR_AGG_MIN ? wr_f64_less(x, old) : wr_f64_less(old, x);
            if (!(c->mark & WR_MARK_COUNT) || better) memcpy(c->word, &x, sizeof x);
            c->mark++;
        }
    } else {
        return false;
    }
    return true;
}

void wr_aggregate_add_rows(const struct wr_aggregate *a, void *const *cell, const uint16_t *row, uint32_t count,
                           const struct wr_batch *batch, struct wr_strings *strings)
{
    const struct wr_vector *v = a->column == WR_NONE ? NULL : &batch->column[a->column];
    const struct wr_vector *second = a->column2 == WR_NONE ? NULL : &batch->column[a->column2];
    if ((!v || !(v->flags & (WR_VECTOR_NULLS | WR_VECTOR_ERRORS))) && !second && add_plain(a, cell, row, count, v)) return;
    struct wr_value argument = {0}, other = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (v) argument = wr_vector_at(v, row[i]);
        if (second) other = wr_vector_at(second, row[i]);
        wr_aggregate_add(a, cell[i], v ? &argument : NULL, second ? &other : NULL, strings);
    }
}
