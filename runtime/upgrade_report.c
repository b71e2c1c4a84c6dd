/* What `weir state check` says of a new program: a line an operator that holds state, by what becomes of it. */
#include "runtime/upgrade.h"

#include <inttypes.h>

#include "base/text.h"

struct report {
    const struct wr_record_operator *old;
    const struct wr_program *program;
    const struct wr_upgrade *upgrade;
    bool json;
    uint32_t lost; /* operators whose state is lost */
    bool any;
    struct wr_buf *out;
};

static bool has_state(struct wr_slice kind)
{
    for (unsigned k = 0; k < WR_NODE_KIND_COUNT; k++)
        if (wr_slice_equal(kind, wr_slice_cstr(wr_node_kind_name((enum wr_node_kind)k))))
            return wr_node_kind_has_state((enum wr_node_kind)k);
    return true; /* of a kind that this weir does not know */
}

static void put_parts(const struct report *r, uint32_t parts)
{
    const char *between = r->json ? "" : ": ";
    WR_ASSERT(parts < 1u << WR_MEANING_COUNT);
    for (unsigned i = 0; i < WR_MEANING_COUNT; i++) {
        if (!(parts >> i & 1)) continue;
        const char *name = wr_meaning_part_name((enum wr_meaning_part)i);
        wr_buf_printf(r->out, r->json ? "%s\"%s\"" : "%s%s", between, name);
        between = r->json ? "," : ", ";
    }
}

static const char *renamed_to(const struct report *r, uint32_t i)
{
    const struct wr_upgrade *u = r->upgrade;
    WR_ASSERT(i < u->old_count);
    return u->renamed && u->renamed[i] != WR_NONE ? wr_node_shown_name(r->program, u->renamed[i]) : NULL;
}

static void json_line(struct report *r, struct wr_slice kind, struct wr_slice name, enum wr_upgrade_verdict verdict)
{
    WR_ASSERT(kind.size);
    wr_buf_add_cstr(r->out, r->any ? ",\n" : "\n");
    r->any = true;
    wr_buf_add_cstr(r->out, "{\"kind\":");
    wr_buf_add_json(r->out, kind);
    wr_buf_add_cstr(r->out, ",\"name\":");
    wr_buf_add_json(r->out, name);
    wr_buf_printf(r->out, ",\"verdict\":\"%s\"", wr_upgrade_verdict_name(verdict));
}

static void old_json(struct report *r, uint32_t i)
{
    const struct wr_upgrade *u = r->upgrade;
    const struct wr_record_operator *old = &r->old[i];
    const char *renamed = renamed_to(r, i);
    WR_ASSERT(r->json);
    json_line(r, old->kind, old->name, (enum wr_upgrade_verdict)u->old_verdict[i]);
    wr_buf_printf(r->out, ",\"keys\":%" PRIu64 ",\"bytes\":%" PRIu64, old->units, old->bytes);
    if (u->to[i] != WR_NONE) {
        wr_buf_add_cstr(r->out, ",\"as\":");
        wr_buf_add_json(r->out, wr_slice_cstr(wr_node_shown_name(r->program, u->to[i])));
    }
    if (u->difference && u->difference[i]) {
        wr_buf_add_cstr(r->out, ",\"differs\":[");
        put_parts(r, u->difference[i]);
        wr_buf_add_char(r->out, ']');
    }
    if (renamed) {
        wr_buf_add_cstr(r->out, ",\"renamed\":");
        wr_buf_add_json(r->out, wr_slice_cstr(renamed));
    }
    wr_buf_add_char(r->out, '}');
}

static void old_words(struct report *r, uint32_t i)
{
    const struct wr_upgrade *u = r->upgrade;
    const struct wr_record_operator *old = &r->old[i];
    enum wr_upgrade_verdict verdict = (enum wr_upgrade_verdict)u->old_verdict[i];
    const char *renamed = renamed_to(r, i), *plural = old->units == 1 ? "" : "s";
    WR_ASSERT(!r->json);
    wr_buf_printf(r->out, "%-8s %-8.*s %.*s", wr_upgrade_verdict_name(verdict), WR_SLICE_ARG(old->kind), WR_SLICE_ARG(old->name));
    if (u->to[i] != WR_NONE && !wr_slice_equal_nocase(old->name, wr_slice_cstr(wr_node_shown_name(r->program, u->to[i]))))
        wr_buf_printf(r->out, " as %s", wr_node_shown_name(r->program, u->to[i]));
    if (verdict == WR_UPGRADE_CHANGED && u->difference) put_parts(r, u->difference[i]);
    if (verdict == WR_UPGRADE_CHANGED) wr_buf_add_cstr(r->out, "; begins empty");
    if (renamed) wr_buf_printf(r->out, "; the new %s is the same under another name: keep the name", renamed);
    if (old->units) {
        wr_buf_printf(r->out, verdict == WR_UPGRADE_KEPT ? " (%" PRIu64 " key%s)" : "; %" PRIu64 " key%s lost", old->units,
                      plural);
    }
    wr_buf_add_char(r->out, '\n');
}

static void new_line(struct report *r, uint32_t n)
{
    const struct wr_node *node = &r->program->node[n];
    const char *kind = wr_node_kind_name((enum wr_node_kind)node->kind), *name = wr_node_shown_name(r->program, n);
    WR_ASSERT(kind && name);
    if (r->json) {
        json_line(r, wr_slice_cstr(kind), wr_slice_cstr(name), WR_UPGRADE_NEW);
        wr_buf_add_char(r->out, '}');
    } else {
        wr_buf_printf(r->out, "%-8s %-8s %s; begins empty\n", wr_upgrade_verdict_name(WR_UPGRADE_NEW), kind, name);
    }
}

static uint32_t put_all(struct report *r)
{
    if (r->json) wr_buf_add_cstr(r->out, "{\"version\":1,\"operators\":[");
    for (uint32_t i = 0; i < r->upgrade->old_count; i++) {
        if (!has_state(r->old[i].kind)) continue;
        WR_ASSERT(r->upgrade->old_verdict[i] != WR_UPGRADE_NEW);
        r->lost += r->upgrade->old_verdict[i] != WR_UPGRADE_KEPT && r->old[i].units;
        if (r->json) old_json(r, i);
        else old_words(r, i);
    }
    for (uint32_t n = 0; n < r->upgrade->node_count; n++) {
        if (r->upgrade->verdict[n] != WR_UPGRADE_NEW) continue;
        if (wr_node_kind_has_state((enum wr_node_kind)r->program->node[n].kind)) new_line(r, n);
    }
    if (r->json) wr_buf_printf(r->out, "\n],\"lost\":%u}\n", r->lost);
    return r->lost;
}

uint32_t wr_upgrade_report(const struct wr_record_operator *old, uint32_t count, const struct wr_program *old_program,
                           const struct wr_program *program, bool json, struct wr_buf *out)
{
    struct wr_upgrade upgrade;
    struct wr_record_operator *list = wr_alloc((count + 1) * sizeof *list);
    WR_ASSERT(count == 0 || old);
    if (count) memcpy(list, old, count * sizeof *list);
    if (old_program && old_program->node_count != count) old_program = NULL; /* not the program of this record */
    for (uint32_t i = 0; old_program && i < count; i++)
        list[i].identity = wr_slice_of((const char *)old_program->node[i].identity, 16);
    wr_upgrade_match(list, count, program, &upgrade);
    if (old_program) wr_upgrade_explain(old_program, program, &upgrade);
    struct report r = {.old = list, .program = program, .upgrade = &upgrade, .json = json, .out = out};
    uint32_t lost = put_all(&r);
    wr_upgrade_release(&upgrade);
    wr_free(list);
    return lost;
}
