/* What all operators keep, against the limits of the program. Counts are those of measure(): cheap, but with what nobody has
 * looked at since its time was up; so a limit that seems to be passed is looked at again when that has been let go. */
#include "runtime/pattern.h"
#include "runtime/task.h"

/* Where only the default bound of bytes holds, it need not be asked for after each batch. */
enum { BATCHES_UNCHECKED = 64 };

struct excess {
    const char *setting; /* NULL: no limit is passed */
    uint64_t most;
};

/* A pattern may know keys that have no open start: for PREV, MATCH_NUMBER(), SUPPRESS. Those are no keys for the limit. */
static uint64_t open_keys(const struct wr_operator *op, const struct wr_operator_size *size)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    bool asks = op->cls == &wr_pattern_operator && p->matcher->open_keys;
    return asks ? p->matcher->open_keys(p) : size->keys;
}

static struct excess excess_of(const struct wr_operator *op, struct wr_operator_size *size)
{
    const struct wr_limits *limits = &op->task->limits;
    bool pattern = op->cls == &wr_pattern_operator;
    op->cls->measure(op, size);
    size->bytes += wr_timers_bytes(&op->timers);
    if (pattern && size->starts > limits->starts_pattern)
        return (struct excess){"max_starts_per_pattern", limits->starts_pattern};
    if (!pattern && size->starts > limits->windows) return (struct excess){"max_windows", limits->windows};
    if (size->keys > limits->keys && open_keys(op, size) > limits->keys) return (struct excess){"max_keys", limits->keys};
    if (pattern && size->rows > limits->rows) return (struct excess){"max_rows_kept", limits->rows};
    if (size->bytes > limits->bytes) return (struct excess){"max_state_bytes", limits->bytes};
    return (struct excess){0};
}

/* What helps, by what there is too much of. */
static const char *advice(const struct wr_operator *op, const char *setting)
{
    bool drops = op->task->limits.policy != WR_ON_LIMIT_FAIL;
    if (op->cls != &wr_pattern_operator)
        return strcmp(setting, "max_windows") == 0 ? "a longer slide, a shorter LATE or a higher limit helps"
                                                   : "fewer keys, shorter windows or a higher limit helps";
    if (strcmp(setting, "max_state_bytes") == 0 || strcmp(setting, "max_starts") == 0)
        return "a shorter WITHIN, PARTITION BY, LIMIT n STARTS PER KEY or a higher limit helps";
    if (drops) return "nothing is left that could be dropped; a higher limit helps";
    return "a shorter WITHIN ends them sooner, a higher limit lets them be, SET on_limit = 'drop_oldest' drops starts instead";
}

static void fail(struct wr_operator *op, const struct excess *excess, const struct wr_operator_size *size)
{
    static const struct { const char *setting, *what; } known[] = {
        {"max_starts_per_pattern", "open starts"}, {"max_starts", "open starts in all patterns"},
        {"max_windows", "open windows"}, {"max_keys", "keys"}, {"max_rows_kept", "kept rows"}};
    struct wr_buf most = {0};
    struct wr_error error;
    if (strcmp(excess->setting, "max_state_bytes") == 0) {
        wr_print_bytes(excess->most, &most);
        wr_buf_printf(&most, " of state, in %llu keys and %llu open %s", (unsigned long long)size->keys,
                      (unsigned long long)size->starts, op->cls == &wr_pattern_operator ? "starts" : "windows");
    }
    for (size_t i = 0; i < WR_COUNT(known); i++)
        if (strcmp(known[i].setting, excess->setting) == 0)
            wr_buf_printf(&most, "%llu %s", (unsigned long long)excess->most, known[i].what);
    WR_ASSERT(most.size > 0);
    wr_error_set(&error, WR_ERR_LIMIT, "%s: more than %s (%s); %s", op->task->program->query[op->node->query],
                 wr_buf_cstr(&most), excess->setting, advice(op, excess->setting));
    wr_task_fail(op->task, &error);
    wr_buf_release(&most);
}

void wr_limits_check_operator(struct wr_operator *op)
{
    struct wr_operator_size size = {0};
    WR_ASSERT(op->cls->measure);
    struct excess excess = excess_of(op, &size);
    if (excess.setting) fail(op, &excess, &size);
}

/* The same between batches, when what is past its time can be let go first. */
static uint64_t check(struct wr_operator *op)
{
    struct wr_operator_size size = {0};
    bool pattern = op->cls == &wr_pattern_operator;
    WR_ASSERT(pattern || op->cls == &wr_window_operator);
    struct excess excess = excess_of(op, &size);
    if (excess.setting && pattern) {
        wr_pattern_sweep_all(op);
        excess = excess_of(op, &size);
    }
    if (excess.setting) fail(op, &excess, &size);
    return pattern ? size.starts : 0;
}

void wr_limits_check(struct wr_task *task)
{
    if (task->error.status != WR_OK || (!task->limits.set && ++task->unchecked < BATCHES_UNCHECKED)) return;
    task->unchecked = 0;
    WR_ASSERT(task->op_count == task->program->node_count);
    uint64_t starts = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        starts = 0;
        for (uint32_t i = 0; i < task->op_count; i++) {
            struct wr_operator *op = task->op[i];
            if (op->cls != &wr_pattern_operator && op->cls != &wr_window_operator) continue;
            if (pass && op->cls == &wr_pattern_operator) wr_pattern_sweep_all(op);
            starts += check(op);
        }
        if (starts <= task->limits.starts) return;
    }
    struct wr_operator *most = NULL; /* the pattern that has most of them is named */
    struct wr_operator_size size = {0}, most_size = {0};
    for (uint32_t i = 0; i < task->op_count; i++) {
        if (task->op[i]->cls != &wr_pattern_operator) continue;
        task->op[i]->cls->measure(task->op[i], &size);
        if (most && size.starts <= most_size.starts) continue;
        most = task->op[i];
        most_size = size;
    }
    WR_ASSERT(most && most_size.starts > 0);
    fail(most, &(struct excess){"max_starts", task->limits.starts}, &most_size);
}
