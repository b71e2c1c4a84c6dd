/* The same case in every other way that must give the same: state saved, dropped and loaded after each event, whole
 * batches, each executor, each matcher that is right for it, rows in another order, more source partitions. */
#include "cli/wtest.h"
#include "vm/pattern_class.h"

enum { EVENTS_SINGLE = 1000, SAVES_OF_LONG = 200 };

/* Those that every case can take; matchers come from the program. */
static const struct wr_test_variant variants[] = {
    {.name = "with all state saved, dropped and loaded after each event", .batch_rows = 1, .roundtrip = true},
    {.name = "in batches of 1,024", .batch_rows = 1024, .grouped = true},
    {.name = "with every expression in the batch executor", .executor = WEIR_EXECUTOR_BATCH},
    {.name = "with every expression in the row executor, in batches of 1,024",
     .executor = WEIR_EXECUTOR_ROW,
     .batch_rows = 1024,
     .grouped = true},
    {.name = "with rows shuffled inside the allowed lateness", .shuffle = 1},
    {.name = "with rows shuffled again, in batches of 1,024", .shuffle = 7, .batch_rows = 1024, .grouped = true},
    {.name = "spread over 2 source partitions", .partitions = 2},
    {.name = "spread over 8 source partitions, with state saved after each event",
     .partitions = 8,
     .roundtrip = true,
     .batch_rows = 1},
};

/* May rows come in another order, or from other partitions? Not where one is late, where a time is
 * not the line's, where the program reads what the order changes, or where the delay is no plain
 * length of time. */
static bool may_reorder(const struct wr_test_job *job, const struct wr_test_outcome *base)
{
    const struct wr_program *program = job->program.program;
    if (base->late.count || base->drop.count || wr_program_setting(program, "dialect"))
        return false;
    for (size_t i = 0; i < job->record.count; i++)
        if (job->record.at[i].own_time) return false;
    for (size_t i = 0; i < job->c->event.count; i++)
        if (job->c->event.at[i].kind == WR_TEST_INPUT) return false;
    for (uint32_t i = 0; i < program->node_count; i++) {
        const struct wr_node *n = &program->node[i];
        if (n->kind == WR_NODE_PATTERN && n->u.pattern.needs_ids) return false;
        if (n->kind != WR_NODE_SOURCE) continue;
        if (n->u.source.time_column != WR_NONE && n->u.source.delay_us < 0) return false;
        for (uint32_t f = 0; f < n->u.source.field_count; f++)
            if (n->u.source.field[f].from != WR_FIELD_PATH) return false;
    }
    return true;
}

/* ---- Differences ----------------------------------------------------------------------------- */

static bool same_result(const struct wr_test_result *a, const struct wr_test_result *b)
{
    bool same = strcmp(a->output, b->output) == 0 && a->time == b->time &&
                wr_slice_equal(a->row, b->row) && a->rows_known == b->rows_known &&
                a->row_count == b->row_count;
    for (uint32_t i = 0; same && i < a->row_count; i++) same = a->row_index[i] == b->row_index[i];
    return same;
}

static bool same_drop(const struct wr_test_drop *a, const struct wr_test_drop *b)
{
    return strcmp(a->query, b->query) == 0 && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->code, b->code) == 0 && a->record == b->record && a->late_us == b->late_us;
}

static void print_one(struct wr_buf *out, const struct wr_test_job *job,
                      const struct wr_test_outcome *outcome, size_t at, bool rows)
{
    if (at < outcome->result.count) wr_test_print_result(out, job, &outcome->result.at[at], rows);
    else wr_buf_add_cstr(out, "nothing more");
}

/* How many were dropped, and the first that the other has none like. */
static void print_drops(struct wr_buf *out, const struct wr_test_job *job, const struct wr_test_outcome *a,
                        const struct wr_test_outcome *b)
{
    wr_buf_printf(out, "%zu dropped", a->drop.count);
    for (size_t i = 0; i < a->drop.count; i++) {
        const struct wr_test_drop *d = &a->drop.at[i];
        size_t k = 0;
        while (k < b->drop.count && !same_drop(d, &b->drop.at[k])) k++;
        if (k < b->drop.count) continue;
        wr_buf_printf(out, ", by %s: ", d->query);
        wr_test_print_label(out, job, d->record);
        wr_buf_printf(out, " %s", d->reason);
        if (d->late_us) wr_buf_add_cstr(out, " by ");
        if (d->late_us) wr_test_print_interval(out, d->late_us);
        break;
    }
    wr_buf_add_char(out, '\n');
}

/* What was dropped, in no order: each of a's has its own of b's. */
static bool same_drops(const struct wr_test_outcome *a, const struct wr_test_outcome *b)
{
    if (a->drop.count != b->drop.count) return false;
    bool *used = wr_alloc_zero(sizeof *used * (b->drop.count + 1)), same = true;
    for (size_t i = 0; i < a->drop.count && same; i++) {
        size_t k = 0;
        while (k < b->drop.count && (used[k] || !same_drop(&a->drop.at[i], &b->drop.at[k]))) k++;
        same = k < b->drop.count;
        if (same) used[k] = true;
    }
    wr_free(used);
    return same;
}

bool wr_test_print_difference(const struct wr_test_job *job, const struct wr_test_outcome *a, const char *a_words,
                              const struct wr_test_outcome *b, const char *b_words, struct wr_buf *out)
{
    size_t at = 0, count = WR_MAX(a->result.count, b->result.count);
    while (at < a->result.count && at < b->result.count && same_result(&a->result.at[at], &b->result.at[at])) at++;
    if (at < count) {
        /* The rows that took part are said where nothing else differs. */
        bool both = at < a->result.count && at < b->result.count;
        bool rows = both && a->result.at[at].time == b->result.at[at].time &&
                    wr_slice_equal(a->result.at[at].row, b->result.at[at].row);
        wr_buf_add_cstr(out, a_words);
        print_one(out, job, a, at, rows);
        wr_buf_printf(out, "\n%s", b_words);
        print_one(out, job, b, at, rows);
        wr_buf_add_char(out, '\n');
        return true;
    }
    if (!same_drops(a, b)) {
        wr_buf_add_cstr(out, a_words);
        print_drops(out, job, a, b);
        wr_buf_add_cstr(out, b_words);
        print_drops(out, job, b, a);
        return true;
    }
    const struct wr_program *program = job->program.program;
    for (size_t i = 0; i < WR_MIN(a->open.count, b->open.count); i++) {
        if (a->open.at[i] == b->open.at[i]) continue;
        const char *name = program->query[program->node[i].query];
        wr_buf_printf(out, "%sopen %s %llu\n%sopen %s %llu\n", a_words, name, (unsigned long long)a->open.at[i],
                      b_words, name, (unsigned long long)b->open.at[i]);
        return true;
    }
    return false;
}

static bool differs(const struct wr_test_job *job, const struct wr_test_outcome *base,
                    const struct wr_test_outcome *other, struct wr_buf *out)
{
    if (other->error) {
        wr_buf_printf(out, "    it does not run: %s\n", other->error);
        return true;
    }
    return wr_test_print_difference(job, base, "    as written: ", other, "    so:         ", out);
}

/* ---- Running them ---------------------------------------------------------------------------- */

struct varying {
    struct wr_test_job *job;
    const struct wr_test_outcome *base;
    struct wr_arena *arena;
    const char *found;
};

static void run_variant(struct varying *v, const struct wr_test_variant *asked)
{
    if (v->found) return;
    struct wr_test_outcome other;
    struct wr_buf text = {0};
    struct wr_test_variant variant = *asked;
    /* Recordings are long: then state is saved some hundred times, not after every event. */
    if (variant.batch_rows == 1 && v->base->events > EVENTS_SINGLE) {
        variant.batch_rows = (uint32_t)WR_MIN(v->base->events / SAVES_OF_LONG + 1, UINT64_C(1024));
        variant.grouped = true;
    }
    wr_test_run(v->job, &variant, &other);
    wr_buf_printf(&text, "  run again %s%s, the case gives something else: this is a defect of weir\n", variant.name,
                  variant.store ? ", through a store on disk" : "");
    if (differs(v->job, v->base, &other, &text)) v->found = wr_arena_cstr(v->arena, wr_buf_slice(&text));
    wr_buf_release(&text);
    wr_test_outcome_release(&other);
    if (!v->job->state_store || !asked->roundtrip || asked->store) return;
    variant = *asked;
    variant.store = true;
    run_variant(v, &variant);
}

/* Does the list give any pattern another matcher than it has as the program stands? */
static bool changes_matcher(const struct wr_program *program, const char *list)
{
    const char *own = wr_program_setting(program, "matcher"), *why;
    for (uint32_t i = 0; i < program->node_count; i++) {
        const struct wr_pattern_node *p = &program->node[i].u.pattern;
        if (program->node[i].kind == WR_NODE_PATTERN &&
            wr_pattern_class_forced(p, list, &why) != wr_pattern_class_forced(p, own ? own : "auto", &why))
            return true;
    }
    return false;
}

/* Each matcher that is right for a pattern and not its own, by itself and with state saved after each event. */
static void run_matchers(struct varying *v)
{
    for (int i = WR_MATCHER_ROW; i <= WR_MATCHER_GENERAL; i++) {
        const char *name = wr_matcher_class_name((enum wr_matcher_class)i);
        char list[32], by_itself[48], saved[96];
        snprintf(list, sizeof list, "%s,auto", name);
        if (!changes_matcher(v->job->program.program, list)) continue;
        snprintf(by_itself, sizeof by_itself, "with the %s matcher", name);
        snprintf(saved, sizeof saved, "%s and state saved after each event", by_itself);
        run_variant(v, &(struct wr_test_variant){.name = by_itself, .matcher = list, .batch_rows = 1});
        run_variant(v, &(struct wr_test_variant){.name = saved, .matcher = list, .batch_rows = 1, .roundtrip = true});
    }
}

const char *wr_test_vary(struct wr_test_job *job, const struct wr_test_outcome *base, struct wr_arena *arena)
{
    struct varying v = {.job = job, .base = base, .arena = arena};
    bool reorder = may_reorder(job, base);
    for (size_t i = 0; i < WR_COUNT(variants); i++)
        if (reorder || !(variants[i].shuffle || variants[i].partitions > 1)) run_variant(&v, &variants[i]);
    run_matchers(&v);
    return v.found;
}
