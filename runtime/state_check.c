/* Units of state, encoded at the moment of a checkpoint and compared later. */
#include "runtime/state_check.h"

#ifdef WR_FAULTS

#include <stdio.h>

#include "base/fault.h"
#include "runtime/pattern.h"

struct wr_state_check {
    uint32_t op_count;
    struct checked {
        WR_VEC(struct wr_buf) unit; /* key and value at the last checkpoint, each with its length; empty: no entry */
        uint32_t known;             /* units below this one have been seen at a checkpoint */
    } *op;
};

static void collect(void *context, struct wr_slice key, struct wr_slice value)
{
    wr_put_bytes(context, key);
    wr_put_bytes(context, value);
}

static void encode(struct wr_operator *op, uint32_t unit, struct wr_buf *out)
{
    wr_buf_clear(out);
    op->cls->save_unit(op, unit, collect, out);
}

/* ---- Patterns: starts whose time is up --------------------------------------------------------------- */

static bool same_thread(const struct wr_pattern *p, const struct wr_picture *a, const struct wr_picture *b, uint32_t i,
                        uint32_t k)
{
    const struct wr_picture_thread *x = &a->thread.at[i], *y = &b->thread.at[k];
    if (x->position != y->position || x->ended != y->ended || x->aged != y->aged) return false;
    for (uint32_t w = 0; w < p->plan.alive_words; w++)
        if (a->alive.at[x->alive + w] != b->alive.at[y->alive + w]) return false;
    return true;
}

/* Starts that are there before and not after have come to the end of their time; the others are the same. */
static bool same_starts(const struct wr_pattern *p, const struct wr_picture *before, const struct wr_picture *after)
{
    size_t at = 0;
    for (size_t i = 0; i < before->start.count; i++) {
        const struct wr_picture_start *x = &before->start.at[i], *y = &after->start.at[at];
        if (at < after->start.count && x->first.sequence == y->first.sequence) {
            if (x->count != y->count) return false;
            for (uint32_t t = 0; t < x->count; t++)
                if (!same_thread(p, before, after, x->thread + t, y->thread + t)) return false;
            at++;
        } else if (wr_pattern_deadline(p, x->first.place.time) > p->now) {
            return false;
        }
    }
    return at == after->start.count && after->start.count < before->start.count;
}

static bool same_but_for_time(struct wr_operator *op, struct wr_slice before, struct wr_slice after)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    struct wr_picture was = {0}, is = {0};
    struct wr_slice key = {0}, other = {0}, a = {0}, b = {0};
    uint64_t order, order_is = 0;
    if (op->cls != &wr_pattern_operator || p->spec->within_us < 0 || !before.size) return false;
    bool same = wr_get_bytes(&before, &key) && wr_get_bytes(&before, &a) && wr_pattern_picture_of(p, a, &was, &order);
    WR_ASSERT(same);
    if (after.size) {
        same = wr_get_bytes(&after, &other) && wr_get_bytes(&after, &b) && wr_pattern_picture_of(p, b, &is, &order_is);
        WR_ASSERT(same);
        same = wr_slice_equal(key, other) && order == order_is;
    }
    same = same && same_starts(p, &was, &is);
    wr_picture_release(&was);
    wr_picture_release(&is);
    return same;
}

/* ---- Comparing ------------------------------------------------------------------------------------- */

static void print(const char *what, struct wr_slice bytes)
{
    fprintf(stderr, "  %s:", what);
    for (size_t i = 0; i < bytes.size; i++)
        fprintf(stderr, bytes.data[i] > ' ' && bytes.data[i] < 127 ? "%c" : "\\%02x", (unsigned char)bytes.data[i]);
    fputc('\n', stderr);
}

static void compare(struct wr_operator *op, uint32_t unit, const struct wr_buf *before, const struct wr_buf *after,
                    const char *when)
{
    struct wr_slice a = wr_buf_slice(before), b = wr_buf_slice(after);
    if (wr_slice_equal(a, b) || same_but_for_time(op, a, b)) return;
    fprintf(stderr, "state check: operator %u (%s), unit %u %s\n", op->id, op->cls->name, unit, when);
    print("at the checkpoint", a);
    print("now", b);
    WR_ASSERT(false && "a unit changed without wr_unit_touch");
}

static struct wr_state_check *check_of(struct wr_checkpointer *c)
{
    if (!wr_fault_checks_state()) return NULL;
    if (!c->check) {
        c->check = wr_alloc_zero(sizeof *c->check);
        c->check->op_count = c->engine->task.op_count;
        c->check->op = wr_alloc_zero((c->check->op_count + 1) * sizeof *c->check->op);
    }
    return c->check;
}

static void check_operator(struct checked *checked, struct wr_operator *op)
{
    const struct wr_changes *changes = &op->changes;
    uint32_t limit = op->cls->unit_limit(op);
    struct wr_buf now = {0};
    wr_vec_reserve(&checked->unit, limit);
    while (checked->unit.count < limit) wr_vec_push(&checked->unit, (struct wr_buf){0});
    for (uint32_t unit = 0; unit < limit; unit++) {
        uint64_t bit = (uint64_t)1 << unit % 64;
        bool inside = unit / 64 < changes->words;
        bool frozen = inside && changes->frozen[unit / 64] & bit, stored = inside && changes->stored[unit / 64] & bit;
        encode(op, unit, &now);
        if (!frozen && now.size && !stored) compare(op, unit, &(struct wr_buf){0}, &now, "was never touched");
        if (!frozen && stored && unit < checked->known) compare(op, unit, &checked->unit.at[unit], &now, "was not touched");
        struct wr_buf swap = checked->unit.at[unit];
        checked->unit.at[unit] = now;
        now = swap;
    }
    checked->known = limit;
    wr_buf_release(&now);
}

void wr_state_check_barrier(struct wr_checkpointer *c)
{
    struct wr_state_check *check = check_of(c);
    struct wr_task *task = &c->engine->task;
    for (uint32_t i = 0; check && i < task->op_count; i++)
        if (task->op[i]->cls->save_unit) check_operator(&check->op[i], task->op[i]);
}

void wr_state_check_unit(struct wr_checkpointer *c, struct wr_operator *op, uint32_t unit)
{
    struct wr_state_check *check = check_of(c);
    if (!check) return;
    struct wr_buf now = {0};
    struct checked *checked = &check->op[op->id];
    WR_ASSERT(op->id < check->op_count);
    encode(op, unit, &now);
    if (unit < checked->known) compare(op, unit, &checked->unit.at[unit], &now, "is saved after it has changed");
    else compare(op, unit, &(struct wr_buf){0}, &now, "came after the checkpoint");
    wr_buf_release(&now);
}

void wr_state_check_forget(struct wr_checkpointer *c)
{
    struct wr_state_check *check = c->check;
    for (uint32_t i = 0; check && i < check->op_count; i++) {
        for (size_t k = 0; k < check->op[i].unit.count; k++) wr_buf_release(&check->op[i].unit.at[k]);
        wr_vec_release(&check->op[i].unit);
    }
    if (check) wr_free(check->op);
    wr_free(check);
    c->check = NULL;
}

#else

/* A translation unit must not be empty. */
extern const int wr_state_check_is_compiled_out;
const int wr_state_check_is_compiled_out = 1;

#endif
