/* Expectations against what came: all rows, their order; what is dropped, late, open. */
#include "base/text.h"
#include "cli/wtest.h"

enum { AROUND_BEFORE = 3, AROUND_AFTER = 1, AROUND_MAX = 12, AROUND_HEAD = 4, TABLE_MAX = 4000000, TOLD_MAX = 5, SHOWN_MAX = 20 };

/* ---- All rows together ----------------------------------------------------------------------- */

struct comparing {
    struct wr_test_job *job;
    const struct wr_test_outcome *outcome;
    struct wr_buf *out;
    struct wr_arena arena;
    WR_VEC(const struct wr_test_expect *) wanted;
    WR_VEC(const struct wr_test_result *) came;
    bool unordered, others;
    uint32_t *found; /* per expectation: 1 + the result that is it */
    bool *used;      /* per result */
    bool wrong;
    uint32_t told; /* differences with the rows around them and the reason */
    bool *around;  /* the events shown last around one */
    struct wr_test_reasons reasons;
};

static bool is_it(struct comparing *c, size_t wanted, size_t came)
{
    return wr_test_differences(c->job, &c->arena, c->wanted.at[wanted], c->came.at[came], NULL) == 0;
}

static bool is_mentioned(const struct wr_test_case *c, const char *output)
{
    for (size_t i = 0; i < c->expect.count; i++)
        if ((c->expect.at[i].kind == WR_TEST_ROW || c->expect.at[i].kind == WR_TEST_NOT) &&
            wr_slice_equal_nocase(c->expect.at[i].stream, wr_slice_cstr(output)))
            return true;
    return false;
}

static void collect(struct comparing *c)
{
    const struct wr_test_case *test = c->job->c;
    for (size_t i = 0; i < test->expect.count; i++) {
        const struct wr_test_expect *e = &test->expect.at[i];
        if (e->kind == WR_TEST_ROW || e->kind == WR_TEST_TIMEOUT) wr_vec_push(&c->wanted, e);
        c->unordered |= e->kind == WR_TEST_UNORDERED;
        c->others |= e->kind == WR_TEST_OTHERS;
    }
    for (size_t i = 0; i < c->outcome->result.count; i++) {
        const struct wr_test_result *r = &c->outcome->result.at[i];
        if (!r->derived || is_mentioned(test, r->output)) wr_vec_push(&c->came, r);
    }
    c->found = wr_arena_alloc_zero(&c->arena, sizeof *c->found * (c->wanted.count + 1));
    c->used = wr_arena_alloc_zero(&c->arena, sizeof *c->used * (c->came.count + 1));
}

static void pair_unordered(struct comparing *c)
{
    for (size_t w = 0; w < c->wanted.count; w++)
        for (size_t r = 0; r < c->came.count && !c->found[w]; r++) {
            if (c->used[r] || !is_it(c, w, r)) continue;
            c->found[w] = (uint32_t)r + 1;
            c->used[r] = true;
        }
}

/* In order: as many pairs as there can be (the longest common subsequence). */
static void pair_ordered(struct comparing *c)
{
    size_t n = c->wanted.count, m = c->came.count, head = 0;
    while (head < n && head < m && is_it(c, head, head)) {
        c->found[head] = (uint32_t)head + 1;
        c->used[head++] = true;
    }
    size_t rows = n - head, columns = m - head;
    if (!rows || !columns || rows * columns > TABLE_MAX) return;
    uint32_t *table = wr_arena_alloc_zero(&c->arena, sizeof *table * (rows + 1) * (columns + 1));
    bool *is = wr_arena_alloc_zero(&c->arena, rows * columns);
    for (size_t i = rows; i-- > 0;)
        for (size_t k = columns; k-- > 0;) {
            is[i * columns + k] = is_it(c, head + i, head + k);
            uint32_t skip =
                WR_MAX(table[(i + 1) * (columns + 1) + k], table[i * (columns + 1) + k + 1]);
            uint32_t both = table[(i + 1) * (columns + 1) + k + 1] + is[i * columns + k];
            table[i * (columns + 1) + k] = WR_MAX(skip, both);
        }
    for (size_t i = 0, k = 0; i < rows && k < columns;) {
        if (is[i * columns + k]) {
            c->found[head + i] = (uint32_t)(head + k) + 1;
            c->used[head + k] = true;
            i++;
            k++;
        } else if (table[(i + 1) * (columns + 1) + k] >= table[i * (columns + 1) + k + 1]) {
            i++;
        } else {
            k++;
        }
    }
}

/* The nearest result that is nobody's: what probably was meant. Not one in which everything differs. */
static size_t nearest(struct comparing *c, size_t wanted)
{
    const struct wr_test_expect *e = c->wanted.at[wanted];
    uint32_t all = (!e->any_time && e->kind == WR_TEST_ROW) + e->field_count + e->has_rows;
    size_t best = SIZE_MAX;
    uint32_t least = UINT32_MAX;
    for (size_t r = 0; r < c->came.count; r++) {
        if (c->used[r]) continue;
        uint32_t n = wr_test_differences(c->job, &c->arena, e, c->came.at[r], NULL);
        bool other = n && (e->kind == WR_TEST_TIMEOUT || (all > 1 && n >= all));
        if (n >= least || other || wr_test_is_of_another_key(c->job, &c->arena, e, c->came.at[r])) continue;
        least = n;
        best = r;
    }
    return best;
}

static struct wr_slice trimmed(struct wr_slice text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = wr_slice_of(text.data + 1, text.size - 1);
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static bool is_timed(const struct wr_test_event *e)
{
    return e->kind == WR_TEST_RECORD || e->kind == WR_TEST_WATERMARK;
}

/* The lines above the --- at a time, and those of the rows that took part in `r` (NULL: none). */
static void print_around(struct comparing *c, int64_t time, const struct wr_test_result *r)
{
    const struct wr_test_case *test = c->job->c;
    size_t at = SIZE_MAX, shown = 0, done = 0;
    bool *show = wr_arena_alloc_zero(&c->arena, test->event.count + 1);
    for (size_t i = 0; i < test->event.count; i++)
        if (is_timed(&test->event.at[i]) && test->event.at[i].time <= time) at = i;
    if (at == SIZE_MAX) at = 0;
    for (size_t i = 0; i < test->event.count; i++) show[i] = i + AROUND_BEFORE >= at && i <= at + AROUND_AFTER;
    for (uint32_t i = 0; r && r->rows_known && i < r->row_count; i++)
        if (r->row_index[i] < c->job->record.count) show[c->job->record.at[r->row_index[i]].event] = true;
    for (size_t i = 0; i < test->event.count; i++) shown += show[i];
    bool again = c->around && memcmp(c->around, show, test->event.count) == 0;
    c->around = show;
    if (shown) wr_buf_add_cstr(c->out, again ? "    rows around it: as above\n" : "    rows around it:\n");
    if (again) return;
    bool gap = false;
    for (size_t i = 0; i < test->event.count; i++) {
        bool left_out = shown > AROUND_MAX && done >= AROUND_HEAD && done + AROUND_MAX < shown + AROUND_HEAD;
        done += show[i];
        if (!show[i] || left_out) {
            gap |= done > 0;
            continue;
        }
        if (gap && done > 1) wr_buf_add_cstr(c->out, "         …\n");
        gap = false;
        wr_buf_printf(c->out, "      %4u  %.*s\n", test->event.at[i].line, WR_SLICE_ARG(trimmed(test->event.at[i].text)));
    }
}

static void print_line(struct comparing *c, uint32_t record)
{
    if (record >= c->job->record.count) return;
    const struct wr_test_event *e = &c->job->c->event.at[c->job->record.at[record].event];
    wr_buf_printf(c->out, "      %4u  %.*s\n", e->line, WR_SLICE_ARG(trimmed(e->text)));
}

static void print_expected(struct comparing *c, const struct wr_test_expect *e)
{
    c->wrong = true;
    wr_buf_printf(c->out, "  %s:%u: expected  %.*s\n", c->job->file->path, e->line, WR_SLICE_ARG(trimmed(e->text)));
}

/* It came as expected, but not where: the nearest expectation on the wrong side of it. */
static void print_order(struct comparing *c, size_t w, size_t r)
{
    const struct wr_test_expect *other = NULL;
    bool before = false;
    for (size_t i = 0; i < c->wanted.count && !other; i++) {
        if (!c->found[i] || (i < w) == (c->found[i] - 1 < r)) continue;
        other = c->wanted.at[i];
        before = i > w; /* expected behind it, and came before it */
    }
    if (!other) {
        wr_buf_add_cstr(c->out, "      it came in another place of the order; `unordered` below the line lets it\n");
        return;
    }
    wr_buf_printf(c->out, "      it came %s the row of line %u; `unordered` below the line lets it\n",
                  before ? "behind" : "before", other->line);
}

static void report_missing(struct comparing *c, size_t w)
{
    const struct wr_test_expect *e = c->wanted.at[w];
    size_t near = nearest(c, w);
    const struct wr_test_result *r = near == SIZE_MAX ? NULL : c->came.at[near];
    print_expected(c, e);
    if (r) {
        c->used[near] = true;
        wr_buf_add_cstr(c->out, "    came  ");
        wr_test_print_result(c->out, c->job, r, true);
        wr_buf_add_char(c->out, '\n');
        if (wr_test_differences(c->job, &c->arena, e, r, c->out) == 0) print_order(c, w, near);
    } else {
        wr_buf_add_cstr(c->out, "    did not come\n");
    }
    if (c->told++ >= TOLD_MAX) return;
    print_around(c, r ? r->time : e->any_time ? INT64_MAX : e->time, r);
    if (!r) wr_test_print_why(&c->reasons, e, c->out);
}

static void report_unwanted(struct comparing *c, const struct wr_test_result *r)
{
    c->wrong = true;
    wr_test_print_result(c->out, c->job, r, true);
    wr_buf_add_char(c->out, '\n');
    if (c->told++ < TOLD_MAX) print_around(c, r->time, r);
}

static void compare_rows(struct comparing *c)
{
    size_t shown = 0;
    if (c->unordered) pair_unordered(c);
    else pair_ordered(c);
    for (size_t w = 0; w < c->wanted.count; w++)
        if (!c->found[w]) report_missing(c, w);
    for (size_t r = 0; r < c->came.count && !c->others; r++) {
        if (c->used[r] || shown++ >= SHOWN_MAX) continue;
        wr_buf_add_cstr(c->out, "  came, and is not expected:  ");
        report_unwanted(c, c->came.at[r]);
    }
    if (shown > SHOWN_MAX) wr_buf_printf(c->out, "  … and %zu more that are not expected\n", shown - SHOWN_MAX);
    for (size_t i = 0; i < c->job->c->expect.count; i++) {
        const struct wr_test_expect *e = &c->job->c->expect.at[i];
        for (size_t r = 0; e->kind == WR_TEST_NOT && r < c->came.count; r++) {
            if (wr_test_differences(c->job, &c->arena, e, c->came.at[r], NULL) != 0) continue;
            wr_buf_printf(c->out, "  %s:%u: %.*s, and it came:  ", c->job->file->path, e->line, WR_SLICE_ARG(trimmed(e->text)));
            report_unwanted(c, c->came.at[r]);
        }
    }
}

/* ---- Drops and counts ------------------------------------------------------------------------ */

/* What `dropped N WHAT` counts: a kind, a code, or a reason. */
static bool is_drop(const struct wr_test_drop *d, struct wr_slice what)
{
    if (wr_slice_equal(what, WR_SLICE("decode"))) return strcmp(d->kind, "record") == 0;
    return wr_slice_equal(what, wr_slice_cstr(d->kind)) ||
           wr_slice_equal(what, wr_slice_cstr(d->code)) ||
           wr_slice_equal_nocase(what, wr_slice_cstr(d->reason));
}

static uint32_t labelled(const struct wr_test_job *job, struct wr_slice label)
{
    uint32_t i = 0;
    while (i < job->record.count && !wr_test_has_label(job, i, label)) i++;
    return i;
}

static void compare_late(struct comparing *c, const struct wr_test_expect *e)
{
    const struct wr_test_drop *late = NULL;
    for (size_t i = 0; i < c->outcome->late.count; i++) {
        const struct wr_test_drop *d = &c->outcome->late.at[i];
        if (!wr_test_has_label(c->job, d->record, e->label[0])) continue;
        if (e->by < 0 || d->late_us == e->by) return;
        late = d;
    }
    print_expected(c, e);
    wr_buf_add_cstr(c->out, late ? "    it came late by " : "    it was not late");
    if (late) wr_test_print_interval(c->out, late->late_us);
    wr_buf_add_cstr(c->out, ":\n");
    print_line(c, labelled(c->job, e->label[0]));
}

static void print_drop(struct comparing *c, const struct wr_test_drop *d)
{
    wr_test_print_label(c->out, c->job, d->record);
    wr_buf_printf(c->out, ": %s%s%s%s", d->reason, *d->code ? " (" : "", d->code, *d->code ? ")" : "");
    if (*d->what) wr_buf_printf(c->out, " in %s%s%s", wr_quote_of(d->what), d->what, wr_quote_of(d->what));
    if (d->late_us) wr_buf_add_cstr(c->out, " by ");
    if (d->late_us) wr_test_print_interval(c->out, d->late_us);
    wr_buf_add_char(c->out, '\n');
}

static void compare_dropped(struct comparing *c, const struct wr_test_expect *e)
{
    uint64_t count = 0, shown = 0;
    for (size_t i = 0; i < c->outcome->drop.count; i++) count += is_drop(&c->outcome->drop.at[i], e->stream);
    if (count == e->count) return;
    print_expected(c, e);
    wr_buf_printf(c->out, "    came %llu%s\n", (unsigned long long)count, count ? ":" : "");
    for (size_t i = 0; i < c->outcome->drop.count; i++) {
        const struct wr_test_drop *d = &c->outcome->drop.at[i];
        if (!is_drop(d, e->stream) || shown++ >= SHOWN_MAX) continue;
        wr_buf_add_cstr(c->out, "      ");
        print_drop(c, d);
    }
}

static void compare_open(struct comparing *c, const struct wr_test_expect *e)
{
    const struct wr_program *program = c->job->program.program;
    uint64_t count = 0;
    for (size_t i = 0; i < c->outcome->open.count; i++)
        if (c->outcome->open.at[i] != UINT64_MAX &&
            wr_slice_equal_nocase(e->stream, wr_slice_cstr(program->query[program->node[i].query])))
            count = c->outcome->open.at[i];
    if (count == e->count) return;
    print_expected(c, e);
    wr_buf_printf(c->out, "    came %llu\n", (unsigned long long)count);
    wr_test_print_open(&c->reasons, e, count < e->count, c->out);
}

/* Every drop is said below the line, or the case fails: nothing is lost in silence. */
static void compare_drops(struct comparing *c)
{
    size_t unsaid = 0;
    for (size_t i = 0; i < c->outcome->drop.count && !c->others; i++) {
        const struct wr_test_drop *d = &c->outcome->drop.at[i];
        bool said = false;
        for (size_t k = 0; k < c->job->c->expect.count && !said; k++) {
            const struct wr_test_expect *e = &c->job->c->expect.at[k];
            said = (e->kind == WR_TEST_DROPPED && is_drop(d, e->stream)) ||
                   (e->kind == WR_TEST_LATE && strcmp(d->kind, "late") == 0 &&
                    wr_test_has_label(c->job, d->record, e->label[0]));
        }
        if (said || unsaid++ >= SHOWN_MAX) continue;
        wr_buf_printf(c->out, "  dropped by %s, and not expected:  ", d->query);
        print_drop(c, d);
        print_line(c, d->record);
    }
    if (!unsaid) return;
    c->wrong = true;
    if (unsaid > SHOWN_MAX) wr_buf_printf(c->out, "  … and %zu more that are dropped\n", unsaid - SHOWN_MAX);
    struct wr_buf lines = {0};
    struct wr_slice rest, line;
    wr_test_print_drops(c->job, c->outcome, &lines);
    rest = wr_buf_slice(&lines);
    wr_buf_add_cstr(c->out, "    where that is meant, it stands below the line:");
    for (const char *between = " "; wr_test_next_line(&rest, &line); between = ", ")
        wr_buf_printf(c->out, "%s%.*s", between, WR_SLICE_ARG(line));
    wr_buf_add_char(c->out, '\n');
    wr_buf_release(&lines);
}

bool wr_test_compare(struct wr_test_job *job, const struct wr_test_outcome *outcome,
                     struct wr_buf *out)
{
    struct comparing c = {.job = job, .outcome = outcome, .out = out, .reasons = {.job = job}};
    wr_arena_init(&c.arena);
    collect(&c);
    if (!job->c->expect.count) {
        c.wrong = true;
        wr_buf_add_cstr(out, "  nothing stands below the line: write `none` where nothing is "
                             "expected; --update writes what came\n");
    } else {
        compare_rows(&c);
        for (size_t i = 0; i < job->c->expect.count; i++) {
            const struct wr_test_expect *e = &job->c->expect.at[i];
            if (e->kind == WR_TEST_LATE) compare_late(&c, e);
            if (e->kind == WR_TEST_DROPPED) compare_dropped(&c, e);
            if (e->kind == WR_TEST_OPEN) compare_open(&c, e);
        }
        compare_drops(&c);
    }
    wr_test_reasons_release(&c.reasons);
    wr_vec_release(&c.wanted);
    wr_vec_release(&c.came);
    wr_arena_release(&c.arena);
    return !c.wrong;
}
