/* Operators: what the nodes of a program become when it runs. Each is a table of functions over a struct that
 * begins with struct wr_operator. None has a time logic, a late logic, a timer or a limit of its own.
 *
 * Flow: a task pushes batches through the operators in topological order. An operator gets rows in order of
 * place (batch->time nondecreasing), gives its results to wr_operator_emit in order of the places that decided
 * them, and hears on_watermark(w) when every row with time < w has been given to it: all its moments <= w fire then.
 * Before it handles a row of time t it lets moments <= t fire (wr_moments_until): a moment stands before
 * the rows of its time. */
#ifndef WR_RUNTIME_OPERATOR_H
#define WR_RUNTIME_OPERATOR_H

#include "runtime/changes.h"
#include "runtime/connector.h"
#include "runtime/timers.h"
#include "vm/state_bound.h"

struct wr_task;
struct wr_operator;
struct wr_watch;

struct wr_operator_size {
    uint64_t keys, starts, rows, bytes; /* starts of a window: its open windows, of all keys */
    uint64_t live;                      /* bytes in use, of those: what leaves when keys leave */
};

/* Where save puts entries and load gets them: (key bytes, value bytes), no pointers or dense ids inside.
 * Key bytes are wr_key_encode'd columns; the empty key is the operator's own entry. */
typedef void wr_state_entry_fn(void *context, struct wr_slice key, struct wr_slice value);

struct wr_operator_class {
    const char *name;
    struct wr_operator *(*create)(struct wr_task *task, const struct wr_node *node);
    void (*free)(struct wr_operator *op);
    /* Input `port` (index in node->input) has rows. */
    void (*on_batch)(struct wr_operator *op, uint32_t port, const struct wr_batch *batch);
    /* A moment armed by wr_timer_arm; `key` is what it was armed with. */
    void (*on_moment)(struct wr_operator *op, int64_t time, uint32_t key);
    /* A moment of this key fires soon: asks for memory that it will read, nothing else. Stages 0 to 3 come nearer and
     * nearer. NULL: nothing to ask for. */
    void (*prefetch_moment)(const struct wr_operator *op, uint32_t key, unsigned stage);
    /* All rows of the input with time < watermark have come. Passes its own watermark on. */
    void (*on_watermark)(struct wr_operator *op, uint32_t port, int64_t watermark);
    /* The bounded input has ended (after on_watermark(WR_TIME_MAX) fired what was armed). */
    void (*on_end)(struct wr_operator *op);
    /* State in its one logical form. NULL: stateless. save_all visits keys in order of their first appearance;
     * load adds one entry; timers are armed again by load. */
    void (*save_all)(struct wr_operator *op, wr_state_entry_fn *entry, void *context);
    bool (*load)(struct wr_operator *op, struct wr_slice key, struct wr_slice value);
    /* For checkpoints, which save what has changed: the units of the state (keys by their dense ids) are below
     * unit_limit; save_unit gives the entry of one, or nothing when it holds nothing; save_own gives all entries that
     * belong to no unit, whole every time; unit_key is the key of a unit's entry, lent. All NULL: save_all's entries
     * belong to no unit. wr_unit_touch and wr_unit_forget say what has changed. */
    uint32_t (*unit_limit)(const struct wr_operator *op);
    void (*save_unit)(struct wr_operator *op, uint32_t unit, wr_state_entry_fn *entry, void *context);
    /* Asks for what save_unit of that unit will read; called for many units with stage 0, then 1, 2 and 3. May be NULL. */
    void (*prefetch_unit)(const struct wr_operator *op, uint32_t unit, unsigned stage);
    void (*save_own)(struct wr_operator *op, wr_state_entry_fn *entry, void *context);
    struct wr_slice (*unit_key)(const struct wr_operator *op, uint32_t unit);
    /* For memory_max (cold.h). unit_due: may the unit leave memory, by when must it be back (WR_TIME_MAX: never), and in which
     * order among those of that time; drop_unit forgets one that lies in the store, and decides nothing; find_unit: WR_NONE
     * when the key is not there. moments_are_units: on_moment's key is a unit. All NULL: nothing leaves. */
    bool (*unit_due)(const struct wr_operator *op, uint32_t unit, int64_t *wake, uint64_t *order);
    void (*drop_unit)(struct wr_operator *op, uint32_t unit);
    uint32_t (*find_unit)(const struct wr_operator *op, struct wr_slice key);
    bool moments_are_units;
    /* Before many are loaded: how many units there will be; the key of one that comes soon. May be NULL. */
    void (*reserve)(struct wr_operator *op, uint64_t units);
    void (*prefetch)(struct wr_operator *op, struct wr_slice key);
    /* Entries that belong to no unit and are too many to be saved at one go: freeze remembers what is there now,
     * save_frozen gives so many of them, false: none is left. Both NULL: save_own gives all. */
    void (*freeze)(struct wr_operator *op);
    bool (*save_frozen)(struct wr_operator *op, uint32_t count, wr_state_entry_fn *entry, void *context);
    /* Forgets all state and timers (then load puts it back). */
    void (*clear)(struct wr_operator *op);
    /* Counts for --stats, tests and limits: keys, open starts, kept rows, bytes. */
    void (*measure)(const struct wr_operator *op, struct wr_operator_size *size);
    /* What its state takes, of an operator that has just been made. NULL: it has none worth telling. */
    void (*bound)(const struct wr_operator *op, struct wr_state_bound *bound);
};

struct wr_consumer {
    struct wr_operator *op;
    uint32_t port;
};

struct wr_operator {
    const struct wr_operator_class *cls;
    struct wr_task *task;
    const struct wr_node *node;
    uint32_t id;                     /* node number: moments of one time stand in this order */
    uint64_t emitted;                /* batches given to consumers so far */
    struct wr_consumer *consumer;    /* of the main output */
    uint32_t consumer_count;
    struct wr_operator *late;        /* the LATE node that takes rows refused for lateness; NULL: counted */
    struct wr_timers timers;         /* its moments; made and released by the task */
    struct wr_changes changes;       /* of its state, for checkpoints */
    struct wr_cold_keys *cold;       /* its keys that have left memory; NULL: none can */
    int64_t watermark;               /* last one passed on */
    int64_t time;                    /* greatest time of a row given to it or a moment fired; WR_TIME_MIN: none */
    bool ended;                      /* on_end has been called */
};

/* Before anything of the unit changes. */
static inline void wr_unit_touch(struct wr_operator *op, uint32_t unit)
{
    if (op->changes.checkpointer) wr_unit_touch_slow(op, unit);
}
/* The same for many units, in any order, some of them negative: none. What they read is asked for together, where touching
 * one after the other would wait for the memory of each. */
static inline void wr_units_touch(struct wr_operator *op, const int32_t *unit, uint32_t count)
{
    if (op->changes.checkpointer) wr_units_touch_slow(op, unit, count);
}
/* Some unit may be frozen, or on its way out of memory: then it matters that each is touched before anything else of it is. An
 * operator that knows a unit to be marked as changed since it was saved last need not touch it again else. */
static inline bool wr_units_need_care(const struct wr_operator *op)
{
    return op->changes.checkpointer && (op->changes.frozen_from != WR_NONE || wr_units_leave(op));
}
/* wr_unit_touch where no care is needed. */
static inline void wr_unit_mark(struct wr_operator *op, uint32_t unit)
{
    if (WR_LIKELY(unit / 64 < op->changes.words)) op->changes.changed[unit / 64] |= (uint64_t)1 << unit % 64;
    else wr_unit_touch(op, unit);
}
/* Before the unit's id is given back. */
static inline void wr_unit_forget(struct wr_operator *op, uint32_t unit)
{
    if (op->changes.checkpointer) wr_unit_forget_slow(op, unit);
}

/* A block over the rows that node `from` emits, run once for each batch whatever number of its consumers ask. The frame is the
 * task's; its results are good until the next batch of that node. */
struct wr_row_code;
struct wr_row_code *wr_task_row_code(struct wr_task *task, uint32_t code, uint32_t from);
struct wr_frame *wr_row_code_run(struct wr_row_code *shared, const struct wr_batch *batch);

/* Gives rows to all consumers. The batch is lent; it has at least one row, else nothing happens. */
void wr_operator_emit(struct wr_operator *op, const struct wr_batch *batch);
/* Passes a watermark on to the consumers and to the LATE node (no-op when it does not advance). At the end of the
 * input (WR_TIME_MAX) the operator's own on_end is called just before, so that what it decides there reaches the
 * consumers before their ends. An operator therefore passes WR_TIME_MAX on exactly when all its inputs have. */
void wr_operator_emit_watermark(struct wr_operator *op, int64_t watermark);
/* A row that this query does not take because it is late: to the LATE node, or counted. */
void wr_operator_refuse_late(struct wr_operator *op, const struct wr_batch *batch, uint32_t row);
/* A row that is bad for this query: counted by reason and code with a sample, budget checked.
 * `what` is the condition or column concerned. */
void wr_operator_count_error(struct wr_operator *op, const struct wr_batch *batch, uint32_t row,
                             enum wr_reason reason, const char *what);
/* Another counted drop ("limit", "suppressed" …). */
void wr_operator_count(struct wr_operator *op, const char *reason, const char *code, struct wr_place place);

/* Fails the run when the operator keeps more than the program's limits allow. */
void wr_limits_check_operator(struct wr_operator *op);

/* Fires the operator's moments <= time, in order. Cheap when none is due. */
static inline void wr_moments_until(struct wr_operator *op, int64_t time)
{
    if (WR_UNLIKELY(op->timers.next <= time)) wr_timers_fire(&op->timers, op, time);
}

/* The place of the moment being handled, for results decided by it: its time, source 0, and for offset the operator's
 * number and the key's order, so that moments of one time compare as they stand in the program. */
struct wr_place wr_moment_place(const struct wr_operator *op);
/* Time of the last place that was handled: the time of results decided by the end of the input. In on_end it is the
 * ending operator's own if that is later than any row of the task. */
int64_t wr_task_time(const struct wr_task *task);
/* The matcher class that --matcher or a test forces, or NULL. */
const char *wr_task_matcher(const struct wr_task *task);
/* Blocks made ready to run, by the executor that a test forces. */
struct wr_frame *wr_task_frame(const struct wr_task *task, uint32_t code);
struct wr_row_frame *wr_task_row_frame(const struct wr_task *task, uint32_t code);
/* Who watches the run (runtime/watch.h), or NULL. */
struct wr_watch *wr_task_watch(const struct wr_task *task);
/* The host asked for the end, or a limit was passed, in the middle of a batch; asked between rows and moments where they can
 * take long. From the first true answer on nothing more is given to any operator: what was written is what the run would have
 * written first. */
bool wr_task_halted(struct wr_task *task);
/* Something that stops the run: the first error stands, the task ends at the next batch. */
void wr_task_fail(struct wr_task *task, const struct wr_error *error);
const struct wr_program *wr_task_program(const struct wr_task *task);
/* Identity of a source partition (stream name, partition number) for ids that outlive dense numbers. */
void wr_task_source_identity(const struct wr_task *task, uint32_t source, struct wr_slice *stream, uint32_t *partition);
uint32_t wr_task_source_find(const struct wr_task *task, struct wr_slice stream, uint32_t partition);
uint64_t wr_task_hash_seed(const struct wr_task *task);

extern const struct wr_operator_class wr_select_operator, wr_merge_operator, wr_window_operator, wr_pattern_operator,
    wr_late_operator, wr_output_operator;

#endif
