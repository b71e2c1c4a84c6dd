/* Results with the rows that took part, drops with their rows. Lines of outputs carry a frame on
 * their way through the sinks, so that they are reported in the order in which they would be
 * written:
 *
 *     NODE TIME KNOWN COUNT {SOURCE OFFSET ROWTIME VARIABLE}… JSON\n
 * VARIABLE -1: none. */
#include "runtime/watch.h"

#include "runtime/task.h"

#include <inttypes.h>
#include <stdlib.h>

enum { HASH_FIRST = 256 };

struct entry {
    uint32_t node, next;   /* next: of the same bucket, 1 + index */
    struct wr_place place; /* of the result */
    uint32_t first, count; /* rows in .taken */
    bool timed_out;
};

struct node_counts {
    WR_VEC(uint64_t) item;
};

struct wr_watch {
    struct wr_watch_options options;
    const struct wr_connectors *connectors;
    WR_VEC(struct entry) entry;
    WR_VEC(struct wr_watch_taken) taken;
    uint32_t *bucket, buckets;
    WR_VEC(struct wr_watch_taken) gathered; /* work space of frames; variable UINT16_MAX: none */
    WR_VEC(struct wr_watch_row) row;
    WR_VEC(struct node_counts) count; /* by node */
};

struct wr_watch *wr_watch_new(const struct wr_watch_options *options,
                              const struct wr_connectors *connectors)
{
    struct wr_watch *watch = wr_alloc_zero(sizeof *watch);
    watch->options = *options;
    watch->connectors = connectors;
    return watch;
}

void wr_watch_free(struct wr_watch *watch)
{
    if (!watch) return;
    wr_vec_release(&watch->entry);
    wr_vec_release(&watch->taken);
    wr_vec_release(&watch->gathered);
    wr_vec_release(&watch->row);
    for (size_t i = 0; i < watch->count.count; i++) wr_vec_release(&watch->count.at[i].item);
    wr_vec_release(&watch->count);
    wr_free(watch->bucket);
    wr_free(watch);
}

bool wr_watch_traces(const struct wr_watch *watch)
{
    return watch && watch->options.on_start;
}

struct wr_encoder *wr_watch_encoder(struct wr_watch *watch, const struct wr_schema *schema)
{
    struct wr_error ignored = {0};
    WR_ASSERT(watch->connectors);
    return watch->connectors->open_encoder(schema, NULL, "json", &ignored);
}

/* ---- Rows of matches ------------------------------------------------------------------------- */

static uint32_t bucket_of(const struct wr_watch *watch, uint32_t node, struct wr_place place)
{
    uint64_t h = (uint64_t)place.time * 0x9e3779b97f4a7c15u;
    h ^= (place.offset + ((uint64_t)place.source << 32) + ((uint64_t)place.ordinal << 17) + node) *
         0xc2b2ae3d27d4eb4fu;
    h ^= h >> 29;
    WR_ASSERT(watch->buckets > 0);
    return (uint32_t)(h & (watch->buckets - 1));
}

static void link_entry(struct wr_watch *watch, uint32_t index)
{
    struct entry *e = &watch->entry.at[index];
    uint32_t b = bucket_of(watch, e->node, e->place);
    e->next = watch->bucket[b];
    watch->bucket[b] = index + 1;
}

static void grow_buckets(struct wr_watch *watch)
{
    watch->buckets = watch->buckets ? watch->buckets * 2 : HASH_FIRST;
    wr_free(watch->bucket);
    watch->bucket = wr_alloc_zero(sizeof *watch->bucket * watch->buckets);
    for (size_t i = 0; i < watch->entry.count; i++) link_entry(watch, (uint32_t)i);
}

void wr_watch_match(struct wr_watch *watch, const struct wr_operator *pattern,
                    struct wr_place result, const struct wr_watch_taken *taken, size_t count)
{
    WR_ASSERT(pattern->node->kind == WR_NODE_PATTERN);
    if (watch->entry.count >= watch->buckets) grow_buckets(watch);
    struct entry e = {.node = pattern->id,
                      .place = result,
                      .first = (uint32_t)watch->taken.count,
                      .count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) wr_vec_push(&watch->taken, taken[i]);
    wr_vec_push(&watch->entry, e);
    link_entry(watch, (uint32_t)watch->entry.count - 1);
}

void wr_watch_timed_out(struct wr_watch *watch)
{
    WR_ASSERT(watch->entry.count > 0);
    wr_vec_last(&watch->entry).timed_out = true;
}

static const struct entry *find_entry(const struct wr_watch *watch, uint32_t node,
                                      struct wr_place place)
{
    if (!watch->buckets) return NULL;
    for (uint32_t at = watch->bucket[bucket_of(watch, node, place)]; at;) {
        const struct entry *e = &watch->entry.at[at - 1];
        if (e->node == node && wr_place_compare(e->place, place) == 0) return e;
        at = e->next;
    }
    return NULL;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static bool is_of_stream(const struct wr_task *task, uint32_t source, uint32_t node)
{
    if (source == 0 || source == WR_SOURCE_END) return false;
    WR_ASSERT(source <= task->partition_count);
    return (const struct wr_operator *)task->partition[source - 1]->source == task->op[node];
}

/* Gathers the source rows behind the row of a node with this place. false: they are not known, or
 * the row is none of this node's (a MERGE asks all its inputs). */
static bool gather(struct wr_watch *watch, const struct wr_task *task, uint32_t node,
                   struct wr_place place, uint16_t variable)
{
    const struct wr_node *n = &task->program->node[node];
    switch (n->kind) {
    case WR_NODE_SOURCE:
        if (place.source == 0) return true; /* a moment that a match holds: no row */
        if (!is_of_stream(task, place.source, node)) return false;
        wr_vec_push(&watch->gathered, (struct wr_watch_taken){place, variable});
        return true;
    case WR_NODE_SELECT: return gather(watch, task, n->input[0], place, variable);
    case WR_NODE_LATE: /* the rows of what refused them */
        return gather(watch, task, task->program->node[n->input[0]].input[0], place, variable);
    case WR_NODE_MERGE:
        for (uint32_t i = 0; i < n->input_count; i++)
            if (gather(watch, task, n->input[i], place, variable)) return true;
        return false;
    case WR_NODE_PATTERN: {
        const struct entry *e = find_entry(watch, node, place);
        if (!e) return false;
        bool known = true;
        for (uint32_t i = 0; i < e->count; i++) {
            const struct wr_watch_taken *t = &watch->taken.at[e->first + i];
            known &= gather(watch, task, n->input[0], t->place,
                            variable == UINT16_MAX ? t->variable : UINT16_MAX - 1);
        }
        return known;
    }
    default: return false;
    }
}

/* The node of the pattern that gives a node its rows; WR_NONE: none does, or several. */
static uint32_t pattern_below(const struct wr_program *program, uint32_t node)
{
    while (program->node[node].kind == WR_NODE_SELECT) node = program->node[node].input[0];
    return program->node[node].kind == WR_NODE_PATTERN ? node : WR_NONE;
}

void wr_watch_frame(struct wr_watch *watch, const struct wr_operator *output, uint32_t port,
                    const struct wr_batch *batch, uint32_t row, struct wr_buf *out)
{
    const struct wr_task *task = output->task;
    uint32_t node = output->node->input[port];
    WR_ASSERT(output->node->kind == WR_NODE_OUTPUT && port < output->node->input_count);
    wr_vec_clear(&watch->gathered);
    bool known = gather(watch, task, node, wr_batch_place(batch, row), UINT16_MAX);
    size_t count = known ? watch->gathered.count : 0;
    uint32_t below = pattern_below(task->program, node);
    const struct wr_pattern_node *pattern =
        below != WR_NONE ? &task->program->node[below].u.pattern : NULL;
    const struct entry *match =
        pattern ? find_entry(watch, below, wr_batch_place(batch, row)) : NULL;
    wr_buf_printf(out, "%u %" PRId64 " %d %zu ", output->id | port << 24, batch->event_time[row],
                  known | (match && match->timed_out) << 1, count);
    for (size_t i = 0; i < count; i++) {
        const struct wr_watch_taken *t = &watch->gathered.at[i];
        bool named = pattern && t->variable < pattern->variable_count;
        wr_buf_printf(out, "%u %" PRIu64 " %" PRId64 " %d ", t->place.source, t->place.offset,
                      t->place.time, named ? (int)t->variable : -1);
    }
}

static const char *next_number(const char *p, int64_t *value)
{
    char *end;
    *value = strtoll(p, &end, 10);
    WR_ASSERT(end > p && *end == ' ');
    return end + 1;
}

static const char *report_line(struct wr_watch *watch, const struct wr_task *task, const char *p,
                               const char *end)
{
    int64_t number, time, known, count, source, offset, at, variable;
    p = next_number(next_number(next_number(next_number(p, &number), &time), &known), &count);
    uint32_t node = (uint32_t)number & 0xffffff, port = (uint32_t)number >> 24;
    uint32_t below = pattern_below(task->program, task->program->node[node].input[port]);
    const struct wr_node *from = below != WR_NONE ? &task->program->node[below] : NULL;
    wr_vec_clear(&watch->row);
    for (int64_t i = 0; i < count; i++) {
        p = next_number(next_number(next_number(next_number(p, &source), &offset), &at), &variable);
        struct wr_watch_row row;
        bool of_source = wr_watch_row_of(
            task,
            (struct wr_place){.time = at, .source = (uint32_t)source, .offset = (uint64_t)offset},
            &row);
        WR_ASSERT(of_source);
        if (variable >= 0 && from) row.variable = from->u.pattern.variable[variable].name;
        wr_vec_push(&watch->row, row);
    }
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    WR_ASSERT(newline);
    const struct wr_node *n = &task->program->node[node];
    struct wr_watch_result result = {.output = n->u.output.stream != WR_NONE
                                                   ? task->program->stream[n->u.output.stream].name
                                                   : task->program->query[n->query],
                                     .derived = n->u.output.only_if_bound != 0,
                                     .time = time,
                                     .row = wr_slice_of(p, (size_t)(newline - p)),
                                     .pattern = from ? task->program->query[from->query] : NULL,
                                     .timed_out = (known & 2) != 0,
                                     .rows_known = (known & 1) != 0,
                                     .rows = watch->row.at,
                                     .row_count = watch->row.count};
    if (watch->options.on_result) watch->options.on_result(watch->options.context, &result);
    return newline + 1;
}

void wr_watch_lines(struct wr_watch *watch, const struct wr_task *task, const char *lines,
                    size_t size)
{
    for (const char *p = lines, *end = lines + size; p < end;) p = report_line(watch, task, p, end);
}

/* ---- Counts -------------------------------------------------------------------------------------
 */

void wr_watch_count(struct wr_watch *watch, uint32_t node, uint32_t item, uint64_t times)
{
    if (!watch || !watch->options.coverage) return;
    while (watch->count.count <= node) wr_vec_push(&watch->count, (struct node_counts){0});
    struct node_counts *counts = &watch->count.at[node];
    while (counts->item.count <= item) wr_vec_push(&counts->item, 0);
    counts->item.at[item] += times;
}

uint64_t wr_watch_counted(const struct wr_watch *watch, uint32_t node, uint32_t item)
{
    if (node >= watch->count.count || item >= watch->count.at[node].item.count) return 0;
    return watch->count.at[node].item.at[item];
}

/* ---- Drops ----------------------------------------------------------------------------------- */

bool wr_watch_row_of(const struct wr_task *task, struct wr_place place, struct wr_watch_row *row)
{
    *row = (struct wr_watch_row){.record = place.offset, .time = place.time};
    if (place.source == 0 || place.source == WR_SOURCE_END) return false;
    WR_ASSERT(place.source <= task->partition_count);
    const struct wr_partition *p = task->partition[place.source - 1];
    struct wr_slice stream;
    wr_task_source_identity(task, place.source, &stream, &row->partition);
    row->stream = stream.data; /* a name of the program: NUL-terminated */
    row->partition = p->number;
    return true;
}

static void name_drop(const struct wr_task *task, struct wr_watch_drop *drop, uint32_t query,
                      struct wr_place place)
{
    WR_ASSERT(query < task->program->query_count);
    drop->query = task->program->query[query];
    drop->has_row = wr_watch_row_of(task, place, &drop->row);
}

void wr_watch_drop(struct wr_watch *watch, const struct wr_task *task, uint32_t query,
                   const char *kind, const char *reason, const char *code, const char *what,
                   struct wr_place place, int64_t late_us)
{
    if (!watch->options.on_drop) return;
    struct wr_watch_drop drop = {.kind = kind,
                                 .reason = reason,
                                 .code = code ? code : "",
                                 .what = what ? what : "",
                                 .late_us = late_us};
    name_drop(task, &drop, query, place);
    watch->options.on_drop(watch->options.context, &drop);
}

void wr_watch_late(struct wr_watch *watch, const struct wr_task *task, uint32_t query,
                   struct wr_place place, int64_t late_us)
{
    if (!watch->options.on_late) return;
    struct wr_watch_drop drop = {
        .kind = "late", .reason = "late", .code = "", .what = "", .late_us = late_us};
    name_drop(task, &drop, query, place);
    watch->options.on_late(watch->options.context, &drop);
}

bool wr_watch_sees(const struct wr_watch *watch)
{
    return watch && watch->options.on_seen;
}

void wr_watch_seen(struct wr_watch *watch, const struct wr_watch_seen *seen)
{
    WR_ASSERT(wr_watch_sees(watch));
    watch->options.on_seen(watch->options.context, seen);
}

void wr_watch_start_ended(struct wr_watch *watch, const struct wr_watch_start *start)
{
    WR_ASSERT(wr_watch_traces(watch));
    watch->options.on_start(watch->options.context, start);
}
