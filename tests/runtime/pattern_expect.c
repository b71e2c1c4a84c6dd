/* What a pattern means, by brute force: the preferred match of each start by trying all in order, the place at which
 * it is certain, then the skip rule. Written from the rules alone; shares nothing with the matchers. */
#include "tests/runtime/pattern_bench.h"

#include "vm/program.h"

#include <stdlib.h>

enum { PLACE_MOMENT, PLACE_ROW, PLACE_END };
struct certain { /* when something is certain: compared by time, kind, number */
    int64_t time;
    uint64_t number; /* of the row, or of the first row of the start whose time ends; from 1 */
    int kind;
};
struct taken {
    uint32_t row;
    uint16_t variable;
};
struct trial {
    const struct bench_pattern *b;
    const struct bench_row *row;
    const uint32_t *of_key; /* rows of the key that count, in order */
    uint32_t count;
    uint32_t start;         /* index in of_key */
    struct certain when;
    struct taken chain[64];
};
struct found {
    struct certain when;
    uint32_t first, length;
    struct taken chain[64];
};

static int compare(struct certain a, struct certain b)
{
    if (a.time != b.time) return a.time < b.time ? -1 : 1;
    if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
    return (a.number > b.number) - (a.number < b.number);
}

static void touch(struct trial *t, struct certain place)
{
    if (compare(place, t->when) > 0) t->when = place;
}

static struct certain at_row(const struct trial *t, uint32_t i)
{
    uint32_t row = t->of_key[i];
    return (struct certain){t->row[row].time, row + 1, PLACE_ROW};
}

/* The end of the start's time, or of the input. */
static struct certain at_end(const struct trial *t)
{
    uint32_t first = t->of_key[t->start];
    if (t->b->within < 0) return (struct certain){WR_TIME_MAX, 0, PLACE_END};
    return (struct certain){t->row[first].time + t->b->within, first + 1, PLACE_MOMENT};
}

/* The variable's rows among the first n of the chain. */
static uint32_t rows_of(const struct trial *t, uint32_t n, uint16_t set, uint32_t *row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (set == WR_SET_ALL || t->chain[i].variable == set) row[count++] = t->chain[i].row;
    }
    return count;
}

/* Does the row hold for the variable behind the first n of the chain? */
static bool holds(struct trial *t, uint32_t n, uint16_t variable, uint32_t row)
{
    const struct bench_row *r = &t->row[row];
    if (r->error[variable] || !r->flag[variable]) return false;
    const struct bench_condition *c = &t->b->condition[variable];
    if (c->ask == ASK_NOTHING) return true;
    uint32_t other[64];
    t->chain[n] = (struct taken){row, variable};
    uint32_t count = rows_of(t, n + 1, c->set, other);
    if (!(c->set == WR_SET_ALL || c->set == variable)) count = rows_of(t, n, c->set, other);
    if (c->ask == ASK_COUNT_AT_MOST) return count <= c->offset + 1u;
    if (c->offset >= count || r->null_x) return false;
    const struct bench_row *old = &t->row[other[c->ask == ASK_MORE_THAN_LAST ? count - 1 - c->offset : c->offset]];
    if (old->null_x) return false;
    return c->ask == ASK_MORE_THAN_LAST ? r->x > old->x : r->x < old->x;
}

static uint32_t explore(struct trial *t, uint32_t n, const struct bench_list *list, uint32_t alive, uint32_t i);

/* Takes rows by the alive entries at index i: the length of the preferred match, 0: none. `rest` is what stays. */
static uint32_t takers(struct trial *t, uint32_t n, const struct bench_list *list, uint32_t alive, uint32_t i,
                       bool must, uint32_t *rest)
{
    *rest = 0;
    for (uint32_t e = 0; e < list->count; e++) {
        if (!(alive >> e & 1)) continue;
        uint16_t position = list->entry[e].position, variable = t->b->variable[position];
        if (!holds(t, n, variable, t->of_key[i])) {
            if (list->entry[e].arrow && !must) *rest |= 1u << e;
            continue;
        }
        t->chain[n] = (struct taken){t->of_key[i], variable};
        const struct bench_list *next = &t->b->follow[position];
        uint32_t entries = 0;
        while (entries < next->count && next->entry[entries].position != WR_ACCEPT) entries++;
        if (entries) {
            uint32_t length = explore(t, n + 1, next, (1u << entries) - 1, i + 1);
            if (length) return length;
            t->chain[n] = (struct taken){t->of_key[i], variable};
        }
        touch(t, at_row(t, i));
        if (entries < next->count) return n + 1;
    }
    return 0;
}

static uint32_t explore(struct trial *t, uint32_t n, const struct bench_list *list, uint32_t alive, uint32_t i)
{
    for (; alive; i++) {
        int64_t first = t->row[t->of_key[t->start]].time;
        if (i == t->count || (t->b->within >= 0 && t->row[t->of_key[i]].time >= first + t->b->within)) {
            touch(t, at_end(t));
            return 0;
        }
        uint32_t rest, length = takers(t, n, list, alive, i, false, &rest);
        if (length) return length;
        alive = rest;
        if (!alive) touch(t, at_row(t, i));
    }
    return 0;
}

static int found_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = compare(x->when, y->when);
    return order ? order : (x->first > y->first) - (x->first < y->first);
}

typedef WR_VEC(struct found) found_list;

static void search_key(const struct bench_pattern *b, const struct bench_row *row, const uint32_t *of_key,
                       uint32_t count, found_list *out)
{
    const struct bench_list *list = &b->follow[b->positions];
    uint32_t entries = 0;
    while (entries < list->count && list->entry[entries].position != WR_ACCEPT) entries++;
    struct certain before = {WR_TIME_MIN, 0, PLACE_MOMENT};
    uint32_t next = 0;
    for (uint32_t s = 0; s < count; s++) {
        if (s < next) continue;
        struct trial t = {.b = b, .row = row, .of_key = of_key, .count = count, .start = s,
                          .when = {WR_TIME_MIN, 0, PLACE_MOMENT}};
        uint32_t rest, length = takers(&t, 0, list, (1u << entries) - 1, s, true, &rest);
        bool match = length || entries < list->count;
        if (match && !length) touch(&t, at_row(&t, s));
        if (b->past_last) {
            if (compare(t.when, before) < 0) t.when = before;
            before = t.when;
        }
        if (!match) continue;
        struct found f = {.when = t.when, .first = of_key[s], .length = length};
        memcpy(f.chain, t.chain, sizeof f.chain);
        wr_vec_push(out, f);
        if (!b->past_last || !length) continue;
        for (next = s + 1; next < count && of_key[next] <= f.chain[length - 1].row; next++) continue;
    }
}

static void print_found(const struct bench_pattern *b, const struct bench_row *row, uint32_t rows,
                        const struct found *f, struct wr_buf *out)
{
    int64_t time = f->when.kind == PLACE_END ? row[rows - 1].time : f->when.time;
    uint64_t offset = f->when.number - 1;
    if (f->when.kind == PLACE_END) offset = 1;
    if (f->when.kind == PLACE_MOMENT) offset = (uint64_t)1 << 44 | f->when.number;
    unsigned source = f->when.kind == PLACE_END ? WR_SOURCE_END : f->when.kind == PLACE_ROW ? 1 : 0;
    wr_buf_printf(out, "%lld.%u.%llu first %u:", (long long)time, source, (unsigned long long)offset, f->first);
    if (b->keyed && row[f->first].null_key) wr_buf_add_cstr(out, " -");
    else if (b->keyed) wr_buf_printf(out, " %lld", (long long)row[f->first].key);
    for (uint32_t v = 0; v < b->variables; v++) {
        uint32_t count = 0, first = 0, last = 0;
        for (uint32_t i = 0; i < f->length; i++) {
            if (f->chain[i].variable != v) continue;
            if (!count++) first = f->chain[i].row;
            last = f->chain[i].row;
        }
        if (count) wr_buf_printf(out, " %u %u %u", count, first, last);
        else wr_buf_add_cstr(out, " 0 - -");
    }
    if (f->length) wr_buf_printf(out, " %c\n", "abcd"[f->chain[f->length - 1].variable]);
    else wr_buf_add_cstr(out, " -\n");
}

char *bench_expect(const struct bench_pattern *b, const struct bench_row *row, uint32_t rows)
{
    found_list out = {0};
    uint32_t *of_key = wr_alloc((rows + 1) * sizeof *of_key);
    uint8_t *done = wr_alloc_zero(rows + 1);
    uint32_t late = 0, errors = 0;
    for (uint32_t r = 0; r < rows; r++) {
        late += row[r].late;
        for (uint32_t v = 0; v < b->variables; v++) errors += !row[r].late && row[r].error[v];
        if (done[r] || row[r].late) continue;
        uint32_t count = 0;
        for (uint32_t i = r; i < rows; i++) {
            bool same = !b->keyed || (row[i].null_key == row[r].null_key &&
                                      (row[r].null_key || row[i].key == row[r].key));
            if (row[i].late || !same) continue;
            done[i] = 1;
            of_key[count++] = i;
        }
        search_key(b, row, of_key, count, &out);
    }
    if (out.count) qsort(out.at, out.count, sizeof *out.at, found_order);
    struct wr_buf text = {0};
    for (size_t i = 0; i < out.count; i++) print_found(b, row, rows, &out.at[i], &text);
    wr_buf_printf(&text, "late %u errors %u\n", late, errors);
    char *result = wr_strdup(wr_buf_cstr(&text));
    wr_buf_release(&text);
    wr_vec_release(&out);
    wr_free(of_key);
    wr_free(done);
    return result;
}
