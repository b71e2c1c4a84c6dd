/* Counting what is dropped, and the table of a run. */
#include "runtime/drops.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

void wr_drops_init(struct wr_drops *drops, uint32_t query_count)
{
    *drops = (struct wr_drops){.query_count = query_count};
    wr_arena_init(&drops->arena);
    WR_ASSERT(query_count < WR_NONE);
    drops->head = wr_alloc(sizeof *drops->head * query_count);
    for (uint32_t i = 0; i < query_count; i++) drops->head[i] = WR_NONE;
}

void wr_drops_release(struct wr_drops *drops)
{
    wr_free(drops->head);
    wr_vec_release(&drops->drop);
    wr_arena_release(&drops->arena);
    *drops = (struct wr_drops){0};
}

struct wr_drop *wr_drops_count(struct wr_drops *drops, uint32_t query, enum wr_drop_kind kind,
                               const char *reason, const char *code)
{
    WR_ASSERT(query < drops->query_count && kind < WR_DROP_KINDS && reason && code);
    wr_vec_reserve(&drops->drop, drops->drop.count + 1); /* before anything points to it */
    drops->total[kind]++;
    uint32_t *link = &drops->head[query];
    while (*link != WR_NONE) {
        struct wr_drop *drop = &drops->drop.at[*link];
        if (drop->kind == kind && strcmp(drop->reason, reason) == 0 &&
            strcmp(drop->code, code) == 0) {
            drop->rows++;
            return drop;
        }
        link = &drop->next;
    }
    struct wr_drop fresh = {.query = query,
                            .kind = (uint8_t)kind,
                            .rows = 1,
                            .first = "",
                            .what = "",
                            .reason = wr_arena_cstr(&drops->arena, wr_slice_cstr(reason)),
                            .code = wr_arena_cstr(&drops->arena, wr_slice_cstr(code)),
                            .next = WR_NONE};
    *link = (uint32_t)drops->drop.count;
    wr_vec_push(&drops->drop, fresh);
    return &wr_vec_last(&drops->drop);
}

void wr_drops_restore(struct wr_drops *drops, uint32_t query, enum wr_drop_kind kind, struct wr_slice reason,
                      struct wr_slice code, uint64_t rows, struct wr_slice first, struct wr_slice what)
{
    WR_ASSERT(rows > 0);
    const char *why = wr_arena_cstr(&drops->arena, reason), *number = wr_arena_cstr(&drops->arena, code);
    struct wr_drop *drop = wr_drops_count(drops, query, kind, why, number);
    drop->rows += rows - 1;
    drops->total[kind] += rows - 1;
    drop->logged_rows = drop->rows;
    if (!*drop->first) drop->first = wr_arena_cstr(&drops->arena, first);
    if (!*drop->what) drop->what = wr_arena_cstr(&drops->arena, what);
}

uint64_t wr_drops_of(const struct wr_drops *drops, uint32_t query, enum wr_drop_kind kind)
{
    uint64_t rows = 0;
    if (query == WR_NONE) return 0;
    WR_ASSERT(query < drops->query_count);
    for (uint32_t d = drops->head[query]; d != WR_NONE; d = drops->drop.at[d].next)
        if (drops->drop.at[d].kind == kind) rows += drops->drop.at[d].rows;
    return rows;
}

/* ---- For people
 * ---------------------------------------------------------------------------------- */

/* 1234567 as "1,234,567", right-aligned to a width. */
static void print_count(struct wr_buf *out, uint64_t count, int width)
{
    WR_ASSERT(width >= 0);
    char digits[32], grouped[48];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) grouped[at++] = ',';
        grouped[at++] = digits[i];
    }
    wr_buf_printf(out, "%*.*s", width, at, grouped);
}

static const char *kind_name(uint8_t kind)
{
    static const char *const name[] = {"bad record", "bad row", "late", "other"};
    WR_ASSERT(kind < WR_COUNT(name));
    return name[kind];
}

static void print_details(const struct wr_drops *drops, const char *const *name, struct wr_buf *out)
{
    for (uint32_t q = 0; q < drops->query_count; q++)
        for (uint32_t d = drops->head[q]; d != WR_NONE; d = drops->drop.at[d].next) {
            const struct wr_drop *drop = &drops->drop.at[d];
            wr_buf_printf(out, "  ");
            print_count(out, drop->rows, 0);
            wr_buf_printf(out, " dropped by %s: %s", name[q] ? name[q] : "?",
                          kind_name(drop->kind));
            if (strcmp(drop->reason, kind_name(drop->kind)) != 0)
                wr_buf_printf(out, ", %s", drop->reason);
            if (*drop->code) wr_buf_printf(out, " (%s)", drop->code);
            const char *quote = wr_quote_of(drop->what);
            if (*drop->what) wr_buf_printf(out, " in %s%s%s", quote, drop->what, quote);
            if (*drop->first) wr_buf_printf(out, ", first at %s", drop->first);
            wr_buf_add_char(out, '\n');
        }
}

void wr_drops_print(const struct wr_drops *drops, const struct wr_flow *flow, size_t count,
                    struct wr_buf *out)
{
    enum { LINES_MAX = 40, COLUMN = 12 };
    int width = 5;
    const char **name = wr_alloc_zero(sizeof *name * drops->query_count);
    for (size_t i = 0; i < count; i++) {
        width = (int)WR_MIN(WR_MAX((size_t)width, strlen(flow[i].name)), (size_t)40);
        if (flow[i].query != WR_NONE) name[flow[i].query] = flow[i].name;
    }
    wr_buf_printf(out, "%-*s %*s %*s %*s %*s %*s\n", width, "", COLUMN, "read", COLUMN, "written",
                  COLUMN, "bad", COLUMN, "late", COLUMN, "other drops");
    size_t lines = 0, passed = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bad = wr_drops_of(drops, flow[i].query, WR_DROP_RECORD) +
                       wr_drops_of(drops, flow[i].query, WR_DROP_ROW);
        uint64_t late = wr_drops_of(drops, flow[i].query, WR_DROP_LATE);
        uint64_t other = wr_drops_of(drops, flow[i].query, WR_DROP_OTHER);
        if (lines >= LINES_MAX && bad + late + other == 0) {
            passed++;
            continue;
        }
        lines++;
        wr_buf_printf(out, "%-*s ", width, flow[i].name);
        if (flow[i].is_input)
            print_count(out, flow[i].read, COLUMN);
        else
            wr_buf_printf(out, "%*s", COLUMN, "-");
        wr_buf_add_char(out, ' ');
        if (flow[i].is_output)
            print_count(out, flow[i].written, COLUMN);
        else
            wr_buf_printf(out, "%*s", COLUMN, "-");
        wr_buf_add_char(out, ' ');
        print_count(out, bad, COLUMN);
        wr_buf_add_char(out, ' ');
        print_count(out, late, COLUMN);
        wr_buf_add_char(out, ' ');
        print_count(out, other, COLUMN);
        wr_buf_add_char(out, '\n');
    }
    if (passed) wr_buf_printf(out, "and %zu more with nothing dropped\n", passed);
    print_details(drops, name, out);
    wr_free(name);
}

/* ---- JSON
 * ---------------------------------------------------------------------------------------- */

static void json_number(struct wr_buf *out, const char *name, uint64_t value)
{
    wr_buf_printf(out, ",\"%s\":%" PRIu64, name, value);
}

void wr_drops_print_json(const struct wr_drops *drops, const struct wr_program *program,
                         const struct wr_flow *flow, size_t count, struct wr_buf *out)
{
    static const char *const kind[WR_DROP_KINDS] = {"bad_record", "bad_row", "late", "other"};
    wr_buf_add_cstr(out, "{\"version\":1,\"queries\":[");
    for (size_t i = 0; i < count; i++) {
        wr_buf_add_cstr(out, i ? ",{\"name\":" : "{\"name\":");
        wr_buf_add_json_cstr(out, flow[i].name);
        if (flow[i].is_input) json_number(out, "read", flow[i].read);
        if (flow[i].is_output) json_number(out, "written", flow[i].written);
        for (int k = 0; k < WR_DROP_KINDS; k++)
            json_number(out, kind[k], wr_drops_of(drops, flow[i].query, (enum wr_drop_kind)k));
        wr_buf_add_char(out, '}');
    }
    wr_buf_add_cstr(out, "],\"dropped\":[");
    bool any = false;
    for (uint32_t q = 0; q < drops->query_count; q++)
        for (uint32_t d = drops->head[q]; d != WR_NONE; d = drops->drop.at[d].next) {
            const struct wr_drop *drop = &drops->drop.at[d];
            wr_buf_add_cstr(out, any ? ",{\"query\":" : "{\"query\":");
            any = true;
            wr_buf_add_json_cstr(out, program->query[q]);
            wr_buf_printf(out, ",\"kind\":\"%s\",\"reason\":", kind[drop->kind]);
            wr_buf_add_json_cstr(out, drop->reason);
            wr_buf_add_cstr(out, ",\"code\":");
            wr_buf_add_json_cstr(out, drop->code);
            json_number(out, "rows", drop->rows);
            wr_buf_add_cstr(out, ",\"first\":");
            wr_buf_add_json_cstr(out, drop->first);
            wr_buf_add_cstr(out, ",\"what\":");
            wr_buf_add_json_cstr(out, drop->what);
            wr_buf_add_char(out, '}');
        }
    wr_buf_add_cstr(out, "],\"totals\":{");
    for (int k = 0; k < WR_DROP_KINDS; k++)
        wr_buf_printf(out, "%s\"%s\":%" PRIu64, k ? "," : "", kind[k], drops->total[k]);
    wr_buf_add_char(out, '}');
}
