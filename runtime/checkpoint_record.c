/* The record of a checkpoint: everything of a task that is no operator's own state. */
#include "runtime/checkpoint_internal.h"

#include "base/hash.h"
#include "runtime/clock.h"
#include "runtime/source.h"
#include "runtime/upgrade.h"
#include <inttypes.h>

/* ---- Writing ------------------------------------------------------------------------------------- */

static void put_field(struct wr_buf *out, const char *name, struct wr_slice value)
{
    wr_put_bytes(out, wr_slice_cstr(name));
    wr_put_bytes(out, value);
}

static void put_number(struct wr_buf *out, const char *name, int64_t number)
{
    struct wr_buf value = {0};
    wr_put_i64(&value, number);
    put_field(out, name, wr_buf_slice(&value));
    wr_buf_release(&value);
}

/* One element of a list, counted. */
static void put_element(struct wr_buf *out, struct wr_buf *one)
{
    wr_put_bytes(out, wr_buf_slice(one));
    wr_buf_clear(one);
}

/* Units that will have an entry when the checkpoint is whole, or a few more. */
static uint64_t units_of(const struct wr_operator *op)
{
    const struct wr_changes *c = &op->changes;
    uint64_t count = 0;
    for (uint32_t w = 0; w < c->words; w++) count += (uint64_t)__builtin_popcountll(c->stored[w] | c->changed[w]);
    return count;
}

static void put_operators(struct wr_checkpointer *c, struct wr_buf *out)
{
    struct wr_task *task = &c->engine->task;
    struct wr_buf list = {0}, one = {0}, clock = {0};
    uint64_t each = c->unit_count ? c->unit_bytes / c->unit_count : 0;
    for (uint32_t i = 0; i < task->op_count; i++) {
        const struct wr_operator *op = task->op[i];
        wr_put_bytes(&one, wr_slice_of((const char *)op->node->identity, sizeof op->node->identity));
        wr_put_bytes(&one, wr_slice_cstr(op->cls->name));
        wr_put_bytes(&one, wr_slice_cstr(wr_node_shown_name(task->program, i)));
        struct wr_operator_size size = {0};
        if (op->cls->freeze) op->cls->measure(op, &size); /* rows that wait are entries too */
        uint64_t units = units_of(op) + size.rows;
        wr_put_uint(&one, units);
        wr_put_uint(&one, op->cls->freeze ? size.bytes : units * each);
        wr_buf_clear(&clock);
        wr_put_i64(&clock, op->watermark);
        wr_put_i64(&clock, op->time);
        wr_put_u8(&clock, op->ended);
        wr_put_u64(&clock, op->cls == &wr_output_operator ? wr_output_rows(op) : 0);
        wr_put_bytes(&one, wr_buf_slice(&clock));
        put_element(&list, &one);
    }
    put_field(out, "operators", wr_buf_slice(&list));
    wr_buf_release(&list);
    wr_buf_release(&one);
    wr_buf_release(&clock);
}

static void put_partitions(struct wr_checkpointer *c, struct wr_buf *out)
{
    struct wr_task *task = &c->engine->task;
    struct wr_buf list = {0}, one = {0};
    for (uint32_t i = 0; i < task->partition_count; i++) {
        struct wr_partition *p = task->partition[i];
        struct wr_read_position at = {0};
        if (p->reader && p->reader->cls->position) p->reader->cls->position(p->reader, &at);
        wr_put_bytes(&one, wr_slice_cstr(p->source->stream->name));
        wr_put_bytes(&one, wr_slice_cstr(p->path));
        wr_put_uint(&one, p->number);
        wr_put_uint(&one, p->rows);
        wr_put_u8(&one, p->ended);
        wr_put_i64(&one, p->watermark);
        wr_put_u64(&one, at.offset);
        wr_put_u64(&one, at.line);
        wr_put_u64(&one, at.byte);
        wr_put_u64(&one, at.head);
        wr_put_u64(&one, at.before);
        uint64_t done = 0, total = 0;
        if (p->reader) p->reader->cls->progress(p->reader, &done, &total);
        wr_put_uint(&one, total);
        put_element(&list, &one);
    }
    put_field(out, "partitions", wr_buf_slice(&list));
    wr_buf_release(&list);
    wr_buf_release(&one);
}

static void put_drops(const struct wr_task *task, struct wr_buf *out)
{
    struct wr_buf list = {0}, one = {0};
    for (size_t i = 0; i < task->drops.drop.count; i++) {
        const struct wr_drop *drop = &task->drops.drop.at[i];
        wr_put_bytes(&one, wr_slice_cstr(task->program->query[drop->query]));
        wr_put_u8(&one, drop->kind);
        wr_put_bytes(&one, wr_slice_cstr(drop->reason));
        wr_put_bytes(&one, wr_slice_cstr(drop->code));
        wr_put_uint(&one, drop->rows);
        wr_put_bytes(&one, wr_slice_cstr(drop->first));
        wr_put_bytes(&one, wr_slice_cstr(drop->what));
        put_element(&list, &one);
    }
    put_field(out, "drops", wr_buf_slice(&list));
    wr_buf_release(&list);
    wr_buf_release(&one);
}

static enum wr_status put_sinks(struct wr_checkpointer *c, struct wr_buf *out, struct wr_error *error)
{
    struct wr_engine *engine = c->engine;
    struct wr_buf marks = {0};
    enum wr_status status = WR_OK;
    for (size_t i = 0; c->directory && i < engine->sink.count && status == WR_OK; i++)
        status = wr_sink_mark(engine->sink.at[i], &marks, error);
    put_field(out, "sinks", wr_buf_slice(&marks));
    wr_buf_release(&marks);
    return status;
}

enum wr_status wr_record_encode(struct wr_checkpointer *c, bool finished, struct wr_buf *out, struct wr_error *error)
{
    struct wr_task *task = &c->engine->task;
    wr_put_u8(out, 1);
    put_number(out, "epoch", (int64_t)c->epoch);
    put_number(out, "first_segment", (int64_t)c->first_segment);
    put_number(out, "taken_us", wr_clock_wall_us());
    put_field(out, "weir", wr_slice_cstr(WEIR_VERSION));
    put_field(out, "store", wr_slice_of((const char *)c->store_id, sizeof c->store_id));
    put_number(out, "content", (int64_t)wr_program_hash(task->program));
    put_field(out, "identity", wr_slice_of((const char *)task->program->identity, sizeof task->program->identity));
    put_field(out, "program", wr_slice_cstr(task->program->source_name ? task->program->source_name : ""));
    put_number(out, "finished", finished);
    put_number(out, "watermark", task->watermark);
    put_number(out, "time", task->time);
    put_number(out, "rows_written", (int64_t)task->rows_written);
    put_operators(c, out);
    put_partitions(c, out);
    put_drops(task, out);
    if (task->broken.status != WR_OK) {
        put_number(out, "broken", (int64_t)task->broken.status);
        put_field(out, "broken_message", wr_slice_cstr(task->broken.message));
    }
    return put_sinks(c, out, error);
}

uint64_t wr_task_rows(const struct wr_task *task)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < task->partition_count; i++) rows += task->partition[i]->rows;
    return rows;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static bool get_number(struct wr_slice record, const char *name, int64_t *number)
{
    struct wr_slice value = wr_record_find(record, name);
    return value.data && wr_get_i64(&value, number) && value.size == 0;
}

bool wr_record_is_of(struct wr_slice record, const struct wr_program *program)
{
    int64_t content;
    return get_number(record, "content", &content) && (uint64_t)content == wr_program_hash(program);
}

static bool get_operators(struct wr_engine *engine, struct wr_slice record, const uint32_t *from)
{
    struct wr_task *task = &engine->task;
    struct wr_slice list = wr_record_find(record, "operators");
    struct wr_record_operator one;
    for (uint32_t number = 0; list.size; number++) {
        int64_t watermark, time;
        uint8_t ended;
        uint64_t rows;
        if (!wr_record_operator_next(&list, &one) || !wr_get_i64(&one.clock, &watermark) ||
            !wr_get_i64(&one.clock, &time) || !wr_get_u8(&one.clock, &ended) || !wr_get_u64(&one.clock, &rows))
            return false;
        for (uint32_t i = 0; i < task->op_count; i++) {
            if (from[i] != number) continue;
            task->op[i]->watermark = watermark;
            task->op[i]->time = time;
            task->op[i]->ended = ended;
            if (task->op[i]->cls == &wr_output_operator) wr_output_set_rows(task->op[i], rows);
        }
    }
    return true;
}

static bool get_drops(struct wr_task *task, struct wr_slice list)
{
    while (list.size) {
        struct wr_slice one, query, reason, code, first, what;
        uint8_t kind;
        uint64_t rows;
        if (!wr_get_bytes(&list, &one) || !wr_get_bytes(&one, &query) || !wr_get_u8(&one, &kind) || kind >= WR_DROP_KINDS ||
            !wr_get_bytes(&one, &reason) || !wr_get_bytes(&one, &code) || !wr_get_uint(&one, &rows) ||
            !wr_get_bytes(&one, &first) || !wr_get_bytes(&one, &what) || !rows)
            return false;
        uint32_t q = 0;
        while (q < task->program->query_count && !wr_slice_equal(query, wr_slice_cstr(task->program->query[q]))) q++;
        if (q == task->program->query_count) continue; /* a query that is no more */
        wr_drops_restore(&task->drops, q, (enum wr_drop_kind)kind, reason, code, rows, first, what);
    }
    return true;
}

static struct wr_partition *partition_of(struct wr_task *task, const struct wr_record_partition *one)
{
    for (uint32_t i = 0; i < task->partition_count; i++) {
        struct wr_partition *p = task->partition[i];
        if (p->number == one->number && wr_slice_equal(one->stream, wr_slice_cstr(p->source->stream->name))) return p;
    }
    return NULL;
}

static enum wr_status other_inputs(struct wr_engine *engine, struct wr_slice list, struct wr_error *error)
{
    struct wr_record_partition one;
    struct wr_buf text = {0};
    const char *between = "";
    while (list.size && wr_record_partition_next(&list, &one)) {
        wr_buf_printf(&text, "%s%.*s=%.*s", between, WR_SLICE_ARG(one.stream), WR_SLICE_ARG(one.path));
        between = ", ";
    }
    WR_UNUSED(engine);
    wr_error_set(error, WR_ERR_STATE, "the state is of a run with other inputs (%s): bind the same ones, in the same order",
                 wr_buf_cstr(&text));
    wr_buf_release(&text);
    return WR_ERR_STATE;
}

static enum wr_status get_partitions(struct wr_engine *engine, struct wr_slice list, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    struct wr_slice rest = list;
    struct wr_record_partition one;
    uint32_t count = 0;
    while (rest.size) {
        if (!wr_record_partition_next(&rest, &one))
            return wr_error_set(error, WR_ERR_STATE, "the checkpoint's list of inputs is malformed");
        struct wr_partition *p = partition_of(task, &one);
        if (!p) return other_inputs(engine, list, error);
        WR_ASSERT(p->rows == 0);
        p->rows = one.rows;
        p->ended = one.ended;
        p->watermark = one.watermark;
        count++;
    }
    return count == task->partition_count ? WR_OK : other_inputs(engine, list, error);
}

enum wr_status wr_record_apply(struct wr_engine *engine, struct wr_slice record, const uint32_t *from, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    int64_t written, broken;
    WR_ASSERT(task->op_count == task->program->node_count);
    if (get_partitions(engine, wr_record_find(record, "partitions"), error) != WR_OK) return error->status;
    if (!get_number(record, "watermark", &task->watermark) || !get_number(record, "time", &task->time) ||
        !get_number(record, "rows_written", &written) || !get_operators(engine, record, from) ||
        !get_drops(task, wr_record_find(record, "drops")))
        return wr_error_set(error, WR_ERR_STATE, "the checkpoint's record is malformed");
    task->rows_written = (uint64_t)written;
    if (get_number(record, "broken", &broken)) {
        struct wr_slice message = wr_record_find(record, "broken_message");
        wr_error_set(&task->broken, (enum wr_status)broken, "%.*s", WR_SLICE_ARG(message));
    }
    return WR_OK;
}

/* What has been read to its end is not read again: it must be what it was. */
static enum wr_status check_ended(struct wr_partition *p, const struct wr_record_partition *one, struct wr_error *error)
{
    uint64_t done = 0, total = 0;
    WR_ASSERT(p->ended);
    p->reader->cls->progress(p->reader, &done, &total);
    if (!one->total || total == one->total) return WR_OK; /* a pipe has no size */
    if (total < one->total)
        return wr_error_set(error, WR_ERR_STATE,
                            "%s is shorter than when it was read before: it had %" PRIu64 " bytes at its end and has %" PRIu64
                            " now; put that file back, or say --discard-state to begin anew",
                            p->path, one->total, total);
    return wr_error_set(error, WR_ERR_STATE,
                        "%s had been read to its end with %" PRIu64 " bytes and has %" PRIu64 " now: what has been added "
                        "cannot be taken in, since its end had counted; --discard-state begins anew",
                        p->path, one->total, total);
}

enum wr_status wr_record_seek(struct wr_engine *engine, struct wr_slice record, struct wr_error *error)
{
    struct wr_slice list = wr_record_find(record, "partitions");
    struct wr_record_partition one;
    while (list.size && wr_record_partition_next(&list, &one)) {
        struct wr_partition *p = partition_of(&engine->task, &one);
        WR_ASSERT(p);
        if (p->ended) {
            if (check_ended(p, &one, error) != WR_OK) return error->status;
            continue;
        }
        if (!p->reader->cls->seek)
            return wr_error_set(error, WR_ERR_STATE, "%s: cannot be read from where the checkpoint stands", p->path);
        if (p->reader->cls->seek(p->reader, &one.position, error) != WR_OK) return error->status;
    }
    return WR_OK;
}

enum wr_status wr_record_match(struct wr_engine *engine, struct wr_slice record, uint32_t *from, struct wr_buf *lost,
                               struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    struct wr_slice list = wr_record_find(record, "operators");
    WR_VEC(struct wr_record_operator) old = {0};
    struct wr_record_operator one;
    while (list.size && wr_record_operator_next(&list, &one)) wr_vec_push(&old, one);
    if (list.size) {
        wr_vec_release(&old);
        return wr_error_set(error, WR_ERR_STATE, "the checkpoint's list of operators is malformed");
    }
    struct wr_upgrade upgrade;
    int64_t finished;
    bool holds_none = get_number(record, "finished", &finished) && finished; /* whatever its operators had */
    wr_upgrade_match(old.at, (uint32_t)old.count, task->program, &upgrade);
    for (uint32_t i = 0; i < task->op_count; i++)
        from[i] = upgrade.verdict[i] == WR_UPGRADE_KEPT ? upgrade.from[i] : WR_NONE;
    for (uint32_t i = 0; i < old.count; i++) {
        const struct wr_record_operator *o = &old.at[i];
        if (upgrade.old_verdict[i] == WR_UPGRADE_KEPT || !o->units || holds_none) continue;
        wr_buf_printf(lost, "%s%.*s (%.*s, %" PRIu64 " entries)", lost->size ? ", " : "", WR_SLICE_ARG(o->name),
                      WR_SLICE_ARG(o->kind), o->units);
    }
    wr_upgrade_release(&upgrade);
    wr_vec_release(&old);
    return WR_OK;
}
