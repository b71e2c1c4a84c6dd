/* Operators of one version of a program matched with those of the next. */
#include "runtime/upgrade.h"

#include <stdlib.h>

const char *wr_upgrade_verdict_name(enum wr_upgrade_verdict verdict)
{
    static const char *const name[] = {"kept", "changed", "gone", "new"};
    WR_ASSERT(verdict < WR_COUNT(name));
    return name[verdict];
}

bool wr_node_kind_has_state(enum wr_node_kind kind)
{
    WR_ASSERT(kind < WR_NODE_KIND_COUNT);
    return kind != WR_NODE_SELECT && kind != WR_NODE_LATE;
}

const char *wr_node_shown_name(const struct wr_program *program, uint32_t node)
{
    WR_ASSERT(node < program->node_count);
    const char *bound = wr_node_binding_name(program, node);
    return bound ? bound : program->node[node].name;
}

/* "alerts.window.2" is "alerts.window": numbers only tell operators of one query apart, and shift with the others. */
static struct wr_slice base_of(struct wr_slice name)
{
    size_t end = name.size;
    while (end && name.data[end - 1] >= '0' && name.data[end - 1] <= '9') end--;
    if (end && end < name.size && (name.data[end - 1] == '.' || name.data[end - 1] == '_')) name.size = end - 1;
    return name;
}

struct matching {
    const struct wr_record_operator *old;
    const struct wr_program *program;
    struct wr_upgrade *upgrade;
};

static void join(struct matching *m, uint32_t old, uint32_t node, enum wr_upgrade_verdict verdict)
{
    struct wr_upgrade *u = m->upgrade;
    WR_ASSERT(u->to[old] == WR_NONE && u->from[node] == WR_NONE);
    u->to[old] = node;
    u->from[node] = old;
    u->old_verdict[old] = u->verdict[node] = (uint8_t)verdict;
}

/* ---- By identity: a hash table of the program's nodes ------------------------------------------ */

static uint32_t slot_of(const void *identity, uint32_t slots)
{
    uint64_t h;
    memcpy(&h, identity, sizeof h); /* a hash already; nobody gains by colliding with himself */
    return (uint32_t)wr_mix64(h) & (slots - 1);
}

static void match_identities(struct matching *m)
{
    struct wr_upgrade *u = m->upgrade;
    uint32_t slots = 16;
    while (slots < u->node_count * 2) slots *= 2;
    uint32_t *table = wr_alloc_zero(slots * sizeof *table);
    WR_ASSERT(u->node_count < slots);
    for (uint32_t n = 0; n < u->node_count; n++) {
        uint32_t at = slot_of(m->program->node[n].identity, slots);
        while (table[at]) at = (at + 1) & (slots - 1);
        table[at] = n + 1;
    }
    for (uint32_t i = 0; i < u->old_count; i++) {
        if (m->old[i].identity.size != 16) continue;
        for (uint32_t at = slot_of(m->old[i].identity.data, slots); table[at]; at = (at + 1) & (slots - 1)) {
            uint32_t n = table[at] - 1;
            if (u->from[n] != WR_NONE || memcmp(m->program->node[n].identity, m->old[i].identity.data, 16) != 0) continue;
            join(m, i, n, WR_UPGRADE_KEPT);
            break;
        }
    }
    wr_free(table);
}

/* ---- By name: those that are left --------------------------------------------------------------- */

struct named {
    struct wr_slice kind, name; /* lent */
    uint32_t number;
};

static int order_text(struct wr_slice a, struct wr_slice b)
{
    for (size_t i = 0; i < a.size && i < b.size; i++) {
        int x = a.data[i] | (a.data[i] >= 'A' && a.data[i] <= 'Z' ? 32 : 0);
        int y = b.data[i] | (b.data[i] >= 'A' && b.data[i] <= 'Z' ? 32 : 0);
        if (x != y) return x < y ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static int order_names(const struct named *a, const struct named *b)
{
    int order = order_text(a->kind, b->kind);
    return order ? order : order_text(a->name, b->name);
}

static int order_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = order_names(x, y);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static uint32_t left_of_old(const struct matching *m, bool base, struct named *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->upgrade->old_count; i++) {
        const struct wr_record_operator *old = &m->old[i];
        WR_ASSERT(m->upgrade->to[i] == WR_NONE || m->upgrade->to[i] < m->upgrade->node_count);
        if (m->upgrade->to[i] != WR_NONE) continue;
        out[count++] = (struct named){old->kind, base ? base_of(old->name) : old->name, i};
    }
    qsort(out, count, sizeof *out, order_named);
    return count;
}

static uint32_t left_of_new(const struct matching *m, bool base, struct named *out)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < m->upgrade->node_count; n++) {
        struct wr_slice kind = wr_slice_cstr(wr_node_kind_name((enum wr_node_kind)m->program->node[n].kind));
        struct wr_slice name = wr_slice_cstr(wr_node_shown_name(m->program, n));
        WR_ASSERT(kind.size > 0);
        if (m->upgrade->from[n] != WR_NONE) continue;
        out[count++] = (struct named){kind, base ? base_of(name) : name, n};
    }
    qsort(out, count, sizeof *out, order_named);
    return count;
}

static void match_names(struct matching *m, bool base)
{
    struct named *old = wr_alloc((m->upgrade->old_count + 1) * sizeof *old);
    struct named *now = wr_alloc((m->upgrade->node_count + 1) * sizeof *now);
    uint32_t olds = left_of_old(m, base, old), news = left_of_new(m, base, now);
    WR_ASSERT(olds <= m->upgrade->old_count && news <= m->upgrade->node_count);
    for (uint32_t i = 0, n = 0; i < olds && n < news;) {
        int order = order_names(&old[i], &now[n]);
        if (order == 0) join(m, old[i].number, now[n].number, WR_UPGRADE_CHANGED);
        i += order <= 0;
        n += order >= 0;
    }
    wr_free(old);
    wr_free(now);
}

void wr_upgrade_match(const struct wr_record_operator *old, uint32_t old_count, const struct wr_program *program,
                      struct wr_upgrade *upgrade)
{
    struct wr_upgrade *u = upgrade;
    struct matching m = {old, program, u};
    WR_ASSERT(old_count == 0 || old);
    *u = (struct wr_upgrade){.old_count = old_count, .node_count = program->node_count};
    u->to = wr_alloc((old_count + 1) * sizeof *u->to);
    u->from = wr_alloc((program->node_count + 1) * sizeof *u->from);
    u->old_verdict = wr_alloc(old_count + 1);
    u->verdict = wr_alloc(program->node_count + 1);
    memset(u->to, 0xff, (old_count + 1) * sizeof *u->to);
    memset(u->from, 0xff, (program->node_count + 1) * sizeof *u->from);
    memset(u->old_verdict, WR_UPGRADE_GONE, old_count + 1);
    memset(u->verdict, WR_UPGRADE_NEW, program->node_count + 1);
    match_identities(&m);
    match_names(&m, false);
    match_names(&m, true);
}

void wr_upgrade_match_programs(const struct wr_program *old, const struct wr_program *program, struct wr_upgrade *upgrade)
{
    struct wr_record_operator *list = wr_alloc_zero((old->node_count + 1) * sizeof *list);
    WR_ASSERT(old->node_count == 0 || old->node);
    for (uint32_t i = 0; i < old->node_count; i++) {
        const struct wr_node *node = &old->node[i];
        list[i].identity = wr_slice_of((const char *)node->identity, sizeof node->identity);
        list[i].kind = wr_slice_cstr(wr_node_kind_name((enum wr_node_kind)node->kind));
        list[i].name = wr_slice_cstr(wr_node_shown_name(old, i));
    }
    wr_upgrade_match(list, old->node_count, program, upgrade);
    wr_free(list);
}

void wr_upgrade_release(struct wr_upgrade *upgrade)
{
    wr_free(upgrade->to);
    wr_free(upgrade->from);
    wr_free(upgrade->old_verdict);
    wr_free(upgrade->verdict);
    wr_free(upgrade->difference);
    wr_free(upgrade->renamed);
    *upgrade = (struct wr_upgrade){0};
}

/* ---- What is behind a verdict ------------------------------------------------------------------- */

static uint32_t differences(const struct wr_meaning *a, const struct wr_meaning *b)
{
    uint32_t parts = 0;
    for (unsigned i = 0; i < WR_MEANING_COUNT; i++)
        if (a->part[i].low != b->part[i].low || a->part[i].high != b->part[i].high) parts |= 1u << i;
    return parts;
}

static uint32_t renamed(const struct wr_upgrade *u, const struct wr_program *program, const struct wr_meaning *meaning,
                        const struct wr_node *old, const struct wr_meaning *old_meaning)
{
    for (uint32_t n = 0; n < u->node_count; n++) {
        if (u->verdict[n] != WR_UPGRADE_NEW || program->node[n].kind != old->kind) continue;
        if (differences(old_meaning, &meaning[n]) == 0) return n;
    }
    return WR_NONE;
}

void wr_upgrade_explain(const struct wr_program *old, const struct wr_program *program, struct wr_upgrade *u)
{
    WR_ASSERT(u->old_count == old->node_count && u->node_count == program->node_count && !u->difference);
    struct wr_meaning *a = wr_alloc((old->node_count + 1) * sizeof *a);
    struct wr_meaning *b = wr_alloc((program->node_count + 1) * sizeof *b);
    u->difference = wr_alloc_zero((u->old_count + 1) * sizeof *u->difference);
    u->renamed = wr_alloc((u->old_count + 1) * sizeof *u->renamed);
    wr_program_meanings(old, a);
    wr_program_meanings(program, b);
    for (uint32_t i = 0; i < u->old_count; i++) {
        u->renamed[i] = WR_NONE;
        if (u->old_verdict[i] == WR_UPGRADE_CHANGED) u->difference[i] = differences(&a[i], &b[u->to[i]]);
        if (u->old_verdict[i] == WR_UPGRADE_GONE) u->renamed[i] = renamed(u, program, b, &old->node[i], &a[i]);
    }
    wr_free(a);
    wr_free(b);
}
