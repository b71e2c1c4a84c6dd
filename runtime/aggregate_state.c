/* Merging, copying, releasing accumulators, and their logical form:
 *   LEB128 count, byte (0, or 1 + reason of an error), then by kind, only where there is something and no error:
 *   sums and variance their words; a value as wr_put_value writes it; ARG_MIN and ARG_MAX class and value twice;
 *   lists (separator, text) a node; sets their members in order of first appearance. */
#include "runtime/aggregate_internal.h"
#include "runtime/codec.h"
#include "vm/array.h"

/* Neumaier's sum of an earlier and a later part. */
static void merge_f64(struct wr_cell_sum_f64 *into, const struct wr_cell_sum_f64 *later)
{
    WR_ASSERT(into != later && !(later->mark >> WR_MARK_BITS));
    into->mark += later->mark & WR_MARK_COUNT;
    wr_sum_add_f64(into, later->sum);
    wr_sum_add_f64(into, later->rest);
}

/* Chan's formula. */
static void merge_variance(struct wr_cell_variance *into, const struct wr_cell_variance *later)
{
    double n = (double)(into->mark & WR_MARK_COUNT), m = (double)(later->mark & WR_MARK_COUNT), all = n + m;
    WR_ASSERT(into != later && m > 0);
    double apart = later->mean - into->mean;
    into->mark += later->mark & WR_MARK_COUNT;
    into->mean += apart * (m / all);
    into->m2 += later->m2 + apart * apart * (n * m / all);
}

void wr_aggregate_merge(const struct wr_aggregate *a, void *into, const void *later, struct wr_strings *strings)
{
    uint64_t mark, n = wr_cell_count(later);
    WR_ASSERT(into != later && strings);
    memcpy(&mark, later, sizeof mark);
    if (wr_cell_is_error(into)) return;
    if (mark >> WR_MARK_BITS) wr_cell_set_error(into, (unsigned)(mark >> WR_MARK_BITS) - 1);
    if (mark >> WR_MARK_BITS || n == 0) return;
    enum wr_class cls = a->column == WR_NONE ? WR_CLASS_I64 : wr_type_class(a->argument);
    switch (wr_cell_kind(a)) {
    case WR_CELL_COUNT: *(uint64_t *)into += n; break;
    case WR_CELL_SUM_I64: {
        struct wr_cell_sum_i64 *to = into;
        const struct wr_cell_sum_i64 *from = later;
        to->mark += n;
        to->low += from->low;
        to->high += from->high + (to->low < from->low);
        break;
    }
    case WR_CELL_SUM_F64: merge_f64(into, later); break;
    case WR_CELL_SUM_DEC:
        ((struct wr_cell_sum_dec *)into)->mark += n;
        wr_sum_add_words(into, ((const struct wr_cell_sum_dec *)later)->word);
        break;
    case WR_CELL_VARIANCE: merge_variance(into, later); break;
    case WR_CELL_VALUE: {
        struct wr_value value = wr_words_load(((const struct wr_cell_value *)later)->word, cls, strings);
        wr_aggregate_add(a, into, &value, NULL, strings);
        ((struct wr_cell_value *)into)->mark += n - 1;
        break;
    }
    case WR_CELL_ARG: {
        const struct wr_cell_arg *from = later;
        struct wr_value value = {.cls = from->value.cls, .flag = from->value.flag}, second;
        if (!value.flag) value = wr_words_load(from->value.word, (enum wr_class)from->value.cls, strings);
        second = wr_words_load(from->second.word, (enum wr_class)from->second.cls, strings);
        wr_aggregate_add(a, into, &value, &second, strings);
        break;
    }
    case WR_CELL_LIST: wr_list_append_list(into, later, strings); break;
    case WR_CELL_SET:
        for (uint32_t i = 0; i < n; i++) {
            struct wr_value member = wr_set_at(later, cls, i, strings);
            wr_set_insert(into, cls, &member, strings);
        }
        break;
    }
}

static bool slot_is_string(const struct wr_cell_slot *slot)
{
    return slot->cls == WR_CLASS_STR && slot->flag == WR_FLAG_VALUE;
}

void wr_aggregate_copy(const struct wr_aggregate *a, void *to, const void *from, struct wr_strings *strings)
{
    WR_ASSERT(to != from && strings);
    memcpy(to, from, wr_aggregate_size(a));
    if (wr_cell_count(from) == 0) return;
    switch (wr_cell_kind(a)) {
    case WR_CELL_VALUE:
        if (wr_type_class(a->argument) == WR_CLASS_STR)
            wr_strings_ref(strings, (uint32_t)((struct wr_cell_value *)to)->word[0]);
        break;
    case WR_CELL_ARG: {
        struct wr_cell_arg *c = to;
        if (slot_is_string(&c->value)) wr_strings_ref(strings, (uint32_t)c->value.word[0]);
        if (slot_is_string(&c->second)) wr_strings_ref(strings, (uint32_t)c->second.word[0]);
        break;
    }
    case WR_CELL_LIST: wr_strings_ref(strings, ((struct wr_cell_list *)to)->last); break;
    case WR_CELL_SET: { /* a set is written in place, so it is not shared */
        struct wr_cell_set *c = to;
        uint64_t reason = c->mark & ~WR_MARK_COUNT;
        c->mark = 0;
        c->set = 0;
        for (uint32_t i = 0; i < wr_cell_count(from); i++) {
            struct wr_value member = wr_set_at(from, wr_type_class(a->argument), i, strings);
            wr_set_insert(c, wr_type_class(a->argument), &member, strings);
        }
        c->mark |= reason;
        break;
    }
    case WR_CELL_COUNT:
    case WR_CELL_SUM_I64:
    case WR_CELL_SUM_F64:
    case WR_CELL_SUM_DEC:
    case WR_CELL_VARIANCE: break;
    }
}

void wr_aggregate_release(const struct wr_aggregate *a, void *cell, struct wr_strings *strings)
{
    if (wr_cell_count(cell) == 0) return;
    switch (wr_cell_kind(a)) {
    case WR_CELL_VALUE:
        if (wr_type_class(a->argument) == WR_CLASS_STR)
            wr_strings_unref(strings, (uint32_t)((struct wr_cell_value *)cell)->word[0]);
        break;
    case WR_CELL_ARG: {
        struct wr_cell_arg *c = cell;
        if (slot_is_string(&c->value)) wr_strings_unref(strings, (uint32_t)c->value.word[0]);
        if (slot_is_string(&c->second)) wr_strings_unref(strings, (uint32_t)c->second.word[0]);
        break;
    }
    case WR_CELL_LIST: wr_list_release(cell, strings); break;
    case WR_CELL_SET: wr_set_release(cell, wr_type_class(a->argument), strings); break;
    case WR_CELL_COUNT:
    case WR_CELL_SUM_I64:
    case WR_CELL_SUM_F64:
    case WR_CELL_SUM_DEC:
    case WR_CELL_VARIANCE: break;
    }
    wr_aggregate_init(a, cell);
}

/* ---- The logical form ------------------------------------------------------------------------------ */

static void put_words(struct wr_buf *out, const uint64_t *word, unsigned count)
{
    for (unsigned i = 0; i < count; i++) wr_put_u64(out, word[i]);
}

static bool get_words(struct wr_slice *in, uint64_t *word, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!wr_get_u64(in, &word[i])) return false;
    return true;
}

static void put_slot(struct wr_buf *out, const struct wr_cell_slot *slot, const struct wr_strings *strings)
{
    struct wr_value value = {.cls = slot->cls, .flag = slot->flag};
    if (!value.flag) value = wr_words_load(slot->word, (enum wr_class)slot->cls, strings);
    wr_put_u8(out, slot->cls);
    wr_put_value(out, &value);
}

static bool get_slot(struct wr_slice *in, struct wr_value *value)
{
    uint8_t cls;
    return wr_get_u8(in, &cls) && cls < WR_CLASS_COUNT && wr_get_value(in, (enum wr_class)cls, value) &&
           value->flag != WR_FLAG_ERROR;
}

void wr_aggregate_encode(const struct wr_aggregate *a, const void *cell, struct wr_strings *strings, struct wr_buf *out)
{
    uint64_t mark, n = wr_cell_count(cell);
    memcpy(&mark, cell, sizeof mark);
    bool is_error = mark >> WR_MARK_BITS != 0;
    WR_ASSERT(mark >> WR_MARK_BITS <= WR_REASON_COUNT);
    wr_put_uint(out, is_error ? 0 : n); /* after an error the rest is of no use */
    wr_put_u8(out, (uint8_t)(mark >> WR_MARK_BITS));
    if (n == 0 || is_error) return;
    enum wr_class cls = a->column == WR_NONE ? WR_CLASS_I64 : wr_type_class(a->argument);
    switch (wr_cell_kind(a)) {
    case WR_CELL_COUNT: break;
    case WR_CELL_SUM_I64:
    case WR_CELL_SUM_F64:
    case WR_CELL_VARIANCE: put_words(out, (const uint64_t *)cell + 1, 2); break;
    case WR_CELL_SUM_DEC: put_words(out, (const uint64_t *)cell + 1, 3); break;
    case WR_CELL_VALUE: {
        struct wr_value value = wr_words_load(((const struct wr_cell_value *)cell)->word, cls, strings);
        wr_put_value(out, &value);
        break;
    }
    case WR_CELL_ARG:
        put_slot(out, &((const struct wr_cell_arg *)cell)->value, strings);
        put_slot(out, &((const struct wr_cell_arg *)cell)->second, strings);
        break;
    case WR_CELL_LIST: wr_list_encode(cell, strings, out); break;
    case WR_CELL_SET:
        for (uint32_t i = 0; i < n; i++) {
            struct wr_value member = wr_set_at(cell, cls, i, strings);
            wr_put_value(out, &member);
        }
        break;
    }
}

static bool decode_set(const struct wr_aggregate *a, struct wr_cell_set *c, struct wr_strings *strings, struct wr_slice *in)
{
    uint64_t n = c->mark & WR_MARK_COUNT;
    enum wr_class cls = wr_type_class(a->argument);
    WR_ASSERT(n > 0 && !c->set);
    c->mark = 0;
    for (uint64_t i = 0; i < n; i++) {
        struct wr_value member;
        if (!wr_get_value(in, cls, &member) || member.flag != WR_FLAG_VALUE) return false;
        wr_set_insert(c, cls, &member, strings);
        if (c->mark != i + 1) return false;
    }
    return true;
}

/* What is read must be whole elements, since what uses an array relies on that. */
static bool is_array(const struct wr_aggregate *a, const struct wr_cell_list *list, const struct wr_strings *strings)
{
    WR_ASSERT(a->fn == WR_AGG_ARRAY_AGG && list->last);
    struct wr_arena arena;
    wr_arena_init(&arena);
    bool valid = wr_array_is_valid(wr_list_text(list, strings, &arena), a->argument);
    wr_arena_release(&arena);
    return valid;
}

bool wr_aggregate_decode(const struct wr_aggregate *a, void *cell, struct wr_strings *strings, struct wr_slice *in)
{
    uint64_t n;
    uint8_t reason;
    wr_aggregate_init(a, cell);
    if (!wr_get_uint(in, &n) || n > WR_MARK_COUNT || !wr_get_u8(in, &reason) || reason > WR_REASON_COUNT) return false;
    if (reason) {
        wr_cell_set_error(cell, reason - 1u);
        return n == 0;
    }
    if (n == 0) return true;
    enum wr_class cls = a->column == WR_NONE ? WR_CLASS_I64 : wr_type_class(a->argument);
    *(uint64_t *)cell = n;
    bool whole = true;
    switch (wr_cell_kind(a)) {
    case WR_CELL_COUNT: break;
    case WR_CELL_SUM_I64:
    case WR_CELL_SUM_F64:
    case WR_CELL_VARIANCE: whole = get_words(in, (uint64_t *)cell + 1, 2); break;
    case WR_CELL_SUM_DEC: whole = get_words(in, (uint64_t *)cell + 1, 3); break;
    case WR_CELL_VALUE: {
        struct wr_value value;
        whole = wr_get_value(in, cls, &value) && value.flag == WR_FLAG_VALUE;
        if (whole) wr_words_store(((struct wr_cell_value *)cell)->word, &value, strings);
        break;
    }
    case WR_CELL_ARG: {
        struct wr_value value, second;
        whole = get_slot(in, &value) && get_slot(in, &second) && second.flag == WR_FLAG_VALUE && value.cls == cls && n == 1;
        *(uint64_t *)cell = 0;
        if (whole) wr_aggregate_add(a, cell, &value, &second, strings);
        break;
    }
    case WR_CELL_LIST:
        whole = wr_list_decode(cell, strings, in);
        if (whole && a->fn == WR_AGG_ARRAY_AGG) whole = is_array(a, cell, strings);
        break;
    case WR_CELL_SET: whole = decode_set(a, cell, strings, in); break;
    }
    if (whole) return true;
    if (wr_cell_kind(a) == WR_CELL_VALUE) *(uint64_t *)cell = 0; /* nothing was stored */
    wr_aggregate_release(a, cell, strings);
    wr_aggregate_init(a, cell);
    return false;
}
