/* Pieces of text about nodes, for all formats of explain. */
#include "compiler/explain.h"

#include "vm/limits.h"

void wr_explain_duration(int64_t micros, struct wr_buf *out)
{
    static const struct {
        int64_t size;
        const char *unit;
    } units[] = {{86400000000, "d"}, {3600000000, "h"}, {60000000, "m"},
                 {1000000, "s"},     {1000, "ms"},      {1, "us"}};
    if (micros == 0) wr_buf_add_cstr(out, "0s");
    if (micros < 0) wr_buf_add_char(out, '-');
    /* The sign is out: INT64_MIN has no positive counterpart in 64 signed bits. */
    uint64_t left = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
    for (size_t i = 0; i < WR_COUNT(units); i++) {
        uint64_t n = left / (uint64_t)units[i].size;
        if (n) wr_buf_printf(out, "%llu%s", (unsigned long long)n, units[i].unit);
        left -= n * (uint64_t)units[i].size;
    }
}

const char *wr_explain_kind(const struct wr_node *node)
{
    static const char *const kinds[WR_NODE_KIND_COUNT] = {"source",  "select", "merge", "window",
                                                          "pattern", "late",   "output"};
    WR_ASSERT(node->kind < WR_NODE_KIND_COUNT);
    return kinds[node->kind];
}

void wr_explain_columns(const struct wr_schema *schema, struct wr_buf *out)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        wr_buf_printf(out, "%s%s ", i ? ", " : "", schema->column[i].name);
        wr_type_print(schema->column[i].type, out);
    }
}

uint32_t wr_explain_line(const struct wr_program *program, uint32_t place)
{
    if (place >= program->source_text.size) return 0;
    uint32_t line = 1;
    for (uint32_t i = 0; i < place; i++) line += program->source_text.data[i] == '\n';
    return line;
}

void wr_explain_origin(const struct wr_field *field, struct wr_buf *out)
{
    switch ((enum wr_field_from)field->from) {
    case WR_FIELD_PATH:
        wr_buf_add_char(out, '$');
        for (uint32_t i = 0; i < field->path_count; i++)
            wr_buf_printf(out, "%s%s", field->path[i][0] == '[' ? "" : ".", field->path[i]);
        return;
    case WR_FIELD_KEY: wr_buf_add_cstr(out, "KEY"); return;
    case WR_FIELD_HEADER:
        wr_buf_printf(out, "HEADER '%s'", field->path_count ? field->path[0] : "");
        return;
    case WR_FIELD_OFFSET: wr_buf_add_cstr(out, "OFFSET"); return;
    case WR_FIELD_PARTITION: wr_buf_add_cstr(out, "PARTITION"); return;
    case WR_FIELD_TIMESTAMP: wr_buf_add_cstr(out, "TIMESTAMP"); return;
    }
}

/* ---- Inputs of patterns ---------------------------------------------------------------------- */

/* "small." of a variable, "a|b." of a SUBSET, nothing of all rows; nor where the column is a
 * helper, called after an expression in which the variable stands already. */
static void print_set(const struct wr_pattern_node *p, uint16_t set, const char *column,
                      struct wr_buf *out)
{
    bool any = false;
    if (set == WR_SET_ALL || strpbrk(column, " .(")) return;
    for (uint32_t v = 0; v < p->variable_count; v++) {
        if (!wr_pattern_set_has(p, set, v)) continue;
        wr_buf_printf(out, "%s%s", any ? "|" : "", p->variable[v].name);
        any = true;
    }
    wr_buf_add_char(out, '.');
}

/* "CLASSIFIER()", "CLASSIFIER(a|b)". */
static void print_classifier(const struct wr_pattern_node *p, uint16_t set, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "CLASSIFIER(");
    print_set(p, set, "", out);
    if (set != WR_SET_ALL) out->size--; /* the dot */
    wr_buf_add_char(out, ')');
}

static void print_aggregate(const struct wr_schema *in, const struct wr_pattern_node *p,
                            const struct wr_aggregate *a, struct wr_buf *out)
{
    wr_buf_printf(out, "%s(", wr_aggregate_name(a->fn));
    if (a->column == WR_COLUMN_CLASSIFIER) {
        print_classifier(p, a->set, out);
    } else {
        const char *column = a->column == WR_NONE ? "*" : in->column[a->column].name;
        print_set(p, a->set, column, out);
        wr_buf_add_cstr(out, column);
    }
    if (a->column2 != WR_NONE) wr_buf_printf(out, ", %s", in->column[a->column2].name);
    wr_buf_add_char(out, ')');
    if (a->filter != WR_NONE) wr_buf_printf(out, " FILTER (WHERE %s)", in->column[a->filter].name);
}

void wr_explain_input(const struct wr_program *program, const struct wr_node *pattern,
                      const struct wr_input *input, struct wr_buf *out)
{
    static const char *const special[WR_SPECIAL_COUNT] = {
        "event_time",     "window_start",    "window_end",     "window_time", "MATCH_ID()",
        "MATCH_NUMBER()", "MATCH_ROWTIME()", "MATCH_STATUS()", "CLASSIFIER()"};
    const struct wr_schema *in = &program->node[pattern->input[0]].schema;
    const struct wr_pattern_node *p = &pattern->u.pattern;
    bool classifier = input->kind == WR_INPUT_SPECIAL && input->column == WR_SPECIAL_CLASSIFIER;
    if (input->step) wr_buf_add_cstr(out, input->step < 0 ? "PREV(" : "NEXT(");
    if (input->final_) wr_buf_add_cstr(out, "FINAL ");
    switch ((enum wr_input_kind)input->kind) {
    case WR_INPUT_COLUMN: wr_buf_add_cstr(out, in->column[input->column].name); break;
    case WR_INPUT_KEY: wr_buf_add_cstr(out, in->column[p->key[input->column]].name); break;
    case WR_INPUT_AGGREGATE: print_aggregate(in, p, &p->aggregate[input->column], out); break;
    case WR_INPUT_SPECIAL:
        if (!classifier) {
            wr_buf_add_cstr(out, special[input->column]);
            break;
        }
        wr_buf_add_cstr(out, input->from_first ? "FIRST(" : "LAST(");
        print_classifier(p, input->set, out);
        if (input->offset) wr_buf_printf(out, ", %u", input->offset);
        wr_buf_add_char(out, ')');
        break;
    case WR_INPUT_LAST:
    case WR_INPUT_FIRST:
        wr_buf_add_cstr(out, input->kind == WR_INPUT_LAST ? "LAST(" : "FIRST(");
        print_set(p, input->set, in->column[input->column].name, out);
        wr_buf_add_cstr(out, in->column[input->column].name);
        if (input->offset) wr_buf_printf(out, ", %u", input->offset);
        wr_buf_add_char(out, ')');
    }
    if (input->step) wr_buf_printf(out, ", %d)", input->step < 0 ? -input->step : input->step);
}

void wr_explain_entry(const struct wr_pattern_node *p, const struct wr_follow *f, bool first, struct wr_buf *out)
{
    if (!first && f->connector) wr_buf_add_cstr(out, f->connector == 1 ? "->" : "->>");
    if (f->low_us >= 0 || f->high_us >= 0) {
        wr_buf_add_char(out, '[');
        if (f->low_us >= 0) wr_explain_duration(f->low_us, out);
        wr_buf_add_cstr(out, "..");
        if (f->high_us >= 0) wr_explain_duration(f->high_us, out);
        wr_buf_add_char(out, ']');
    }
    if (!first && f->connector) wr_buf_add_char(out, ' ');
    if (f->flags & WR_FOLLOW_AT_START) wr_buf_add_char(out, '^');
    for (uint32_t k = 0; k < f->kill_count; k++)
        wr_buf_printf(out, "!%s%s ", p->variable[p->kill[f->kill + k].variable].name,
                      p->kill[f->kill + k].next_only ? "" : "*");
    for (uint32_t k = 0; k < f->lead_count; k++) {
        wr_buf_printf(out, "!%s ", p->variable[p->lead[f->lead + k].variable].name);
        wr_explain_duration(p->lead[f->lead + k].for_us, out);
        wr_buf_add_char(out, ' ');
    }
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* Positions are numbered from left to right, so only loops lead back, and one pass from the last
 * position finds the longest way when there are none. */
uint32_t wr_explain_longest(const struct wr_pattern_node *p)
{
    uint32_t *rows = wr_alloc_zero((p->position_count + 1) * sizeof *rows), longest = 0;
    bool loops = false;
    for (uint32_t i = p->position_count; i-- > 0;) {
        rows[i] = p->position[i].absence_us == WR_ABSENCE_NONE;
        for (uint32_t k = 0; k < p->position[i].follow_count; k++) {
            uint32_t q = p->follow[p->position[i].follow + k].position;
            loops |= q <= i;
            if (q != WR_ACCEPT) rows[i] = WR_MAX(rows[i], rows[q] + (p->position[i].absence_us == WR_ABSENCE_NONE));
        }
    }
    for (uint32_t i = 0; i < p->first_count; i++) {
        uint32_t q = p->follow[p->first + i].position;
        if (q != WR_ACCEPT) longest = WR_MAX(longest, rows[q]);
    }
    wr_free(rows);
    return loops ? 0 : longest;
}

enum wr_matcher_class wr_explain_matcher(const struct wr_program *program, const struct wr_pattern_node *p,
                                         const char **why)
{
    struct wr_limits limits;
    wr_limits_read(program, &limits);
    *why = "a limit counts each start by itself";
    if (wr_limits_drop_starts(&limits, p)) return WR_MATCHER_GENERAL;
    const char *list = wr_program_setting(program, "matcher"), *refuses;
    enum wr_matcher_class own = wr_pattern_class(p);
    enum wr_matcher_class forced = list ? wr_pattern_class_forced(p, list, &refuses) : own;
    *why = forced == own ? wr_pattern_class_why(p) : "SET matcher asks for it";
    return forced;
}
