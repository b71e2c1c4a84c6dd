/* Rows that took no part in a pattern, and why: late, bad, left out by WHERE, of another key. */
#include "cli/why.h"
#include "base/text.h"

#include "vm/text.h"

enum { VARIABLES_MAX = 64 };

static const char *keep(struct wr_why_asides *all, const char *text)
{
    for (size_t i = all->name.count; i-- > 0;)
        if (strcmp(all->name.at[i], text) == 0) return all->name.at[i];
    const char *copy = wr_arena_cstr(&all->arena, wr_slice_cstr(text));
    wr_vec_push(&all->name, copy);
    return copy;
}

void wr_why_asides_init(struct wr_why_asides *all, const char *pattern, const char *key)
{
    *all = (struct wr_why_asides){.pattern = pattern, .key = key};
    wr_arena_init(&all->arena);
}

void wr_why_asides_release(struct wr_why_asides *all)
{
    wr_vec_release(&all->row);
    wr_vec_release(&all->name);
    wr_vec_release(&all->variable);
    wr_vec_release(&all->upstream);
    wr_arena_release(&all->arena);
}

void wr_why_asides_of(struct wr_why_asides *all, const struct wr_program *program, uint32_t node)
{
    const struct wr_node *n = &program->node[node];
    const char *name = keep(all, program->query[n->query]);
    bool known = false;
    for (size_t i = 0; i < all->upstream.count; i++) known |= all->upstream.at[i] == name;
    if (!known) wr_vec_push(&all->upstream, name);
    for (uint32_t i = 0; i < n->input_count; i++) wr_why_asides_of(all, program, n->input[i]);
}

/* Does the query lie on the way to the pattern? */
static bool is_upstream(const struct wr_why_asides *all, const char *query)
{
    for (size_t i = 0; i < all->upstream.count; i++)
        if (strcmp(all->upstream.at[i], query) == 0) return true;
    return false;
}

static void add(struct wr_why_asides *all, struct wr_why_aside aside, const weir_row *row)
{
    aside.stream = keep(all, row->stream);
    aside.partition = row->partition;
    aside.record = row->record;
    aside.time_us = row->time_us;
    wr_vec_push(&all->row, aside);
}

void wr_why_asides_late(struct wr_why_asides *all, const weir_drop *late)
{
    if (late->has_row && is_upstream(all, late->query))
        add(all, (struct wr_why_aside){.kind = WR_ASIDE_LATE, .late_us = late->late_us}, &late->row);
}

void wr_why_asides_drop(struct wr_why_asides *all, const weir_drop *drop)
{
    bool record = strcmp(drop->kind, "record") == 0;
    if (!drop->has_row || (!record && strcmp(drop->kind, "row") != 0)) return;
    if (!is_upstream(all, drop->query)) return;
    add(all, (struct wr_why_aside){.kind = WR_ASIDE_BAD, .reason = keep(all, drop->reason), .code = keep(all, drop->code),
                                   .what = keep(all, drop->what), .no_time = record}, &drop->row);
}

static uint64_t variable_bit(struct wr_why_asides *all, const char *name)
{
    for (size_t i = 0; i < all->variable.count; i++)
        if (strcmp(all->variable.at[i], name) == 0) return UINT64_C(1) << i;
    if (all->variable.count == VARIABLES_MAX) return 0;
    wr_vec_push(&all->variable, keep(all, name));
    return UINT64_C(1) << (all->variable.count - 1);
}

void wr_why_asides_seen(struct wr_why_asides *all, const weir_seen *seen)
{
    bool own = wr_slice_equal_nocase(wr_slice_cstr(seen->query), wr_slice_cstr(all->pattern));
    if (seen->filtered && !is_upstream(all, seen->query)) return;
    if (seen->filtered) {
        add(all, (struct wr_why_aside){.kind = WR_ASIDE_FILTERED, .reason = keep(all, own ? "" : seen->query)}, &seen->row);
        return;
    }
    if (!own) return;
    struct wr_why_aside aside = {.kind = WR_ASIDE_SEEN};
    if (!all->row.count || !all->last_key || strcmp(all->last_key, seen->key) != 0)
        all->last_key = wr_arena_cstr(&all->arena, wr_slice_cstr(seen->key));
    aside.key = all->last_key;
    for (size_t i = 0; i < seen->variable_count; i++) aside.variables |= variable_bit(all, seen->variables[i]);
    if (seen->row.text && all->key && strcmp(all->key, seen->key) == 0 && all->own_rows++ < WR_ASIDES_SHOWN)
        aside.text = wr_arena_cstr(&all->arena, wr_slice_cstr(seen->row.text));
    add(all, aside, &seen->row);
}

/* ---- Choosing and showing ------------------------------------------------------------------------ */

/* Does "`b` or no `c` for 10m" wait for a row of this variable? */
static bool waits_for(const char *waits, const char *variable)
{
    struct wr_buf quoted = {0};
    wr_buf_printf(&quoted, "`%s`", variable);
    const char *at = strstr(waits, wr_buf_cstr(&quoted));
    bool waits_so = at && !(at - waits >= 3 && memcmp(at - 3, "no ", 3) == 0);
    wr_buf_release(&quoted);
    return waits_so;
}

/* One that it waited for, and that the row satisfies as far as its own columns go; NULL: none. */
static const char *wanted(const struct wr_why_asides *all, const struct wr_why_aside *a, const char *waits)
{
    for (size_t v = 0; v < all->variable.count; v++)
        if (a->variables >> v & 1 && waits_for(waits, all->variable.at[v])) return all->variable.at[v];
    return NULL;
}

static bool is_near(const struct wr_why_asides *all, const struct wr_why_aside *a, const weir_start *start)
{
    int64_t time = a->time_us - a->late_us;
    if (a->no_time) /* behind the start's first row in its file */
        return !start || strcmp(a->stream, start->rows[0].stream) != 0 || a->record > start->rows[0].record;
    if (start && (time < start->rows[0].time_us || time > start->end_us)) return false;
    if (a->kind != WR_ASIDE_SEEN) return true;
    if (!start) return all->key && strcmp(a->key, all->key) == 0;
    return strcmp(a->key, start->key) != 0 && wanted(all, a, start->waits) != NULL;
}

static void say(const struct wr_why_asides *all, const struct wr_why_aside *a, const weir_start *start, struct wr_buf *out)
{
    switch (a->kind) {
    case WR_ASIDE_LATE:
        wr_buf_add_cstr(out, "came late by ");
        wr_test_print_interval(out, a->late_us);
        wr_buf_add_cstr(out, "; a pattern takes no late row");
        break;
    case WR_ASIDE_BAD:
        wr_buf_printf(out, "is bad: %s%s%s%s", a->reason, *a->code ? " (" : "", a->code, *a->code ? ")" : "");
        if (*a->what) wr_buf_printf(out, " in %s%s%s", wr_quote_of(a->what), a->what, wr_quote_of(a->what));
        break;
    case WR_ASIDE_FILTERED:
        wr_buf_printf(out, "was left out by WHERE%s%s", *a->reason ? " of " : "", a->reason);
        break;
    default:
        if (start) wr_buf_printf(out, "could be %s, but its key is %s", wanted(all, a, start->waits), a->key);
        else wr_buf_add_cstr(out, "satisfies nothing that a match begins with");
        break;
    }
}

static void put_name(const struct wr_why_aside *a, const struct wr_why_words *words, struct wr_buf *out)
{
    weir_row row = {.stream = a->stream, .partition = a->partition, .record = a->record,
                    .time_us = a->no_time ? INT64_MIN : a->time_us - a->late_us};
    words->row(words->context, &row, out);
}

/* A row of its key that came when its time was up, and would have been taken. */
static void print_too_late(const struct wr_why_asides *all, const weir_start *start, const struct wr_why_words *words,
                           struct wr_buf *out)
{
    if (start->end != WEIR_START_EXPIRED && start->end != WEIR_START_BOUND) return;
    for (size_t i = 0; i < all->row.count; i++) {
        const struct wr_why_aside *a = &all->row.at[i];
        bool own = a->kind == WR_ASIDE_SEEN && strcmp(a->key, start->key) == 0 && a->time_us >= start->end_us;
        const char *variable = own ? wanted(all, a, start->waits) : NULL;
        if (!variable) continue;
        wr_buf_add_cstr(out, "    too late for it: ");
        put_name(a, words, out);
        wr_buf_printf(out, ", %s by its own columns\n", variable);
        return;
    }
}

void wr_why_asides_print(const struct wr_why_asides *all, const weir_start *start, const struct wr_why_words *words,
                         struct wr_buf *out)
{
    size_t count = 0, others = 0;
    if (start) print_too_late(all, start, words, out);
    const struct wr_why_aside *other = NULL; /* rows of other keys are many: they are counted */
    for (size_t i = 0; i < all->row.count; i++) {
        const struct wr_why_aside *a = &all->row.at[i];
        if (!is_near(all, a, start)) continue;
        if (start && a->kind == WR_ASIDE_SEEN) {
            if (!others++) other = a;
            continue;
        }
        if (++count > WR_ASIDES_SHOWN) continue;
        if (count == 1)
            wr_buf_add_cstr(out, start ? "    took no part meanwhile:\n" : "    its rows, and rows that took no part:\n");
        wr_buf_add_cstr(out, "      ");
        put_name(a, words, out);
        wr_buf_add_char(out, ' ');
        say(all, a, start, out);
        if (a->text) wr_buf_printf(out, "  %s", a->text);
        wr_buf_add_char(out, '\n');
    }
    if (count > WR_ASIDES_SHOWN) wr_buf_printf(out, "      … and %zu more\n", count - WR_ASIDES_SHOWN);
    if (!other) return;
    wr_buf_printf(out, "    of other keys: %zu row%s that it waited for, the first ", others, others == 1 ? "" : "s");
    put_name(other, words, out);
    wr_buf_printf(out, ", %s by its own columns, of %s\n", wanted(all, other, start->waits), other->key);
}

void wr_why_asides_json(const struct wr_why_asides *all, const weir_start *start, struct wr_buf *out)
{
    static const char *const kinds[] = {"late", "bad", "filtered", "key"};
    const char *between = "";
    for (size_t i = 0; i < all->row.count; i++) {
        const struct wr_why_aside *a = &all->row.at[i];
        if (!is_near(all, a, start)) continue;
        struct wr_buf why = {0};
        say(all, a, start, &why);
        WR_ASSERT(a->kind < WR_COUNT(kinds));
        wr_buf_printf(out, "%s{\"stream\":", between);
        wr_buf_add_json_cstr(out, a->stream);
        wr_buf_printf(out, ",\"partition\":%u,\"record\":%llu,\"kind\":\"%s\",\"why\":", a->partition,
                      (unsigned long long)a->record, a->kind == WR_ASIDE_SEEN && !start ? "offered" : kinds[a->kind]);
        wr_buf_add_json_cstr(out, wr_buf_cstr(&why));
        wr_buf_add_char(out, '}');
        wr_buf_release(&why);
        between = ",";
    }
}
