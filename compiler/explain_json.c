/* explain for programs. The shape is versioned: fields are added, never changed, without another
 * number.
 *
 *   {"version":1,
 *    "nodes":[{"id","kind","name","query","inputs":[id],"identity","line","columns":[{"name","type"}],
 *              "state":{"key","start","way","row"}, bytes as in vm/state_bound.h, where there is any,
 *              and by kind:
 *       source   "stream","time","delay_us","fields":[{"name","type","from","not_null"}]
 *       select   "where": true when it filters
 *       window   "size_us","slide_us","offset_us","late_us","late_into","keys":[name],"bound"
 *       output   "stream","only_if_bound"
 *       pattern  "pattern","keys","within_us","after_match","matcher","why","late_into","longest",
 *                "bound","kept":[name],"variables":[{"name","condition","row","past":[text]}],
 *                "begin":[…],"positions":[{"variable","follow":[{"to","connector"}]}]}],
 *    "identity"}
 * "to" is a position's number or "end"; "longest" is null when a match may have any number of
 * rows. */
#include "compiler/explain.h"

#include "vm/pattern_class.h"

static void add_text(const char *key, const char *text, struct wr_buf *out)
{
    wr_buf_printf(out, ",\"%s\":", key);
    if (text) wr_buf_add_json_cstr(out, text);
    else wr_buf_add_cstr(out, "null");
}

static void add_number(const char *key, int64_t value, struct wr_buf *out)
{
    wr_buf_printf(out, ",\"%s\":%lld", key, (long long)value);
}

static void add_bool(const char *key, bool value, struct wr_buf *out)
{
    wr_buf_printf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

static void add_names(const char *key, const struct wr_schema *in, const uint32_t *column,
                      uint32_t count, struct wr_buf *out)
{
    wr_buf_printf(out, ",\"%s\":[", key);
    for (uint32_t i = 0; i < count; i++) {
        wr_buf_add_cstr(out, i ? "," : "");
        wr_buf_add_json_cstr(out, in->column[column[i]].name);
    }
    wr_buf_add_char(out, ']');
}

static void add_type(struct wr_type type, struct wr_buf *out)
{
    struct wr_buf text = {0};
    wr_type_print(type, &text);
    add_text("type", wr_buf_cstr(&text), out);
    wr_buf_release(&text);
}

static void add_bound(const struct wr_explain *e, const struct wr_node *n)
{
    struct wr_buf text = {0};
    wr_explain_bound(e, (uint32_t)(n - e->program->node), ". ", &text);
    add_text("bound", wr_buf_cstr(&text), e->out);
    wr_buf_release(&text);
}

static void add_source(const struct wr_explain *e, const struct wr_node *n)
{
    const struct wr_source_node *s = &n->u.source;
    add_text("stream", e->program->stream[s->stream].name, e->out);
    add_text("time", s->time_column == WR_NONE ? NULL : n->schema.column[s->time_column].name,
             e->out);
    if (s->delay_us >= 0) add_number("delay_us", s->delay_us, e->out);
    else add_text("delay_us", NULL, e->out);
    wr_buf_add_cstr(e->out, ",\"fields\":[");
    for (uint32_t i = 0; i < s->field_count; i++) {
        struct wr_buf from = {0};
        wr_explain_origin(&s->field[i], &from);
        wr_buf_printf(e->out, "%s{\"name\":", i ? "," : "");
        wr_buf_add_json_cstr(e->out, s->field[i].name);
        add_type(s->field[i].type, e->out);
        add_text("from", wr_buf_cstr(&from), e->out);
        add_bool("not_null", s->field[i].not_null, e->out);
        wr_buf_add_char(e->out, '}');
        wr_buf_release(&from);
    }
    wr_buf_add_char(e->out, ']');
}

static void add_window(const struct wr_explain *e, const struct wr_node *n)
{
    const struct wr_window_node *w = &n->u.window;
    add_number("size_us", w->size_us, e->out);
    add_number("slide_us", w->slide_us, e->out);
    add_number("offset_us", w->offset_us, e->out);
    add_number("late_us", w->late_us, e->out);
    add_bool("late_into", w->late_into, e->out);
    add_names("keys", &e->program->node[n->input[0]].schema, w->key, w->key_count, e->out);
    add_bound(e, n);
}

/* "not": variables of which no row may come, the very next or any until the next one taken; "not_before": with how
 * long before; "but": variables whose rows a possessive loop takes. */
static void add_refusals(const struct wr_pattern_node *p, const struct wr_follow *f, struct wr_buf *out)
{
    if (f->kill_count) wr_buf_add_cstr(out, ",\"not\":[");
    for (uint32_t i = 0; i < f->kill_count; i++) {
        const struct wr_kill *kill = &p->kill[f->kill + i];
        wr_buf_add_cstr(out, i ? ",{\"variable\":" : "{\"variable\":");
        wr_buf_add_json_cstr(out, p->variable[kill->variable].name);
        add_bool("next_only", kill->next_only, out);
        wr_buf_add_char(out, '}');
    }
    if (f->kill_count) wr_buf_add_char(out, ']');
    if (f->lead_count) wr_buf_add_cstr(out, ",\"not_before\":[");
    for (uint32_t i = 0; i < f->lead_count; i++) {
        const struct wr_lead *lead = &p->lead[f->lead + i];
        wr_buf_add_cstr(out, i ? ",{\"variable\":" : "{\"variable\":");
        wr_buf_add_json_cstr(out, p->variable[lead->variable].name);
        add_number("for_us", lead->for_us, out);
        wr_buf_add_char(out, '}');
    }
    if (f->lead_count) wr_buf_add_char(out, ']');
    if (f->claim_count) wr_buf_add_cstr(out, ",\"but\":[");
    for (uint32_t i = 0; i < f->claim_count; i++) {
        wr_buf_add_cstr(out, i ? "," : "");
        uint16_t position = p->follow[p->claim[f->claim + i]].position;
        wr_buf_add_json_cstr(out, p->variable[p->position[position].variable].name);
    }
    if (f->claim_count) wr_buf_add_char(out, ']');
}

static void add_list(const struct wr_pattern_node *p, uint32_t start, uint32_t count, bool first,
                     struct wr_buf *out)
{
    static const char *const connector[] = {"strict", "next", "any"};
    wr_buf_add_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_follow *f = &p->follow[start + i];
        wr_buf_add_cstr(out, i ? "," : "");
        if (f->position == WR_ACCEPT) wr_buf_add_cstr(out, "{\"to\":\"end\"");
        else wr_buf_printf(out, "{\"to\":%u", f->position);
        if (f->position != WR_ACCEPT && !first) add_text("connector", connector[f->connector], out);
        if (f->low_us >= 0) add_number("low_us", f->low_us, out);
        if (f->high_us >= 0) add_number("high_us", f->high_us, out);
        if (f->flags) add_text("only_at", f->flags & WR_FOLLOW_AT_END ? "end" : "start", out);
        add_refusals(p, f, out);
        wr_buf_add_char(out, '}');
    }
    wr_buf_add_char(out, ']');
}

static void add_variables(const struct wr_explain *e, const struct wr_node *n)
{
    const struct wr_pattern_node *p = &n->u.pattern;
    wr_buf_add_cstr(e->out, ",\"variables\":[");
    for (uint32_t v = 0; v < p->variable_count; v++) {
        const struct wr_pattern_variable *variable = &p->variable[v];
        wr_buf_printf(e->out, "%s{\"name\":", v ? "," : "");
        wr_buf_add_json_cstr(e->out, variable->name);
        add_text("condition", variable->text, e->out);
        add_bool("row", variable->row_condition != WR_NONE, e->out);
        wr_buf_add_cstr(e->out, ",\"past\":[");
        const struct wr_code *code = variable->condition == WR_NONE
                                         ? NULL
                                         : &e->program->code[variable->condition];
        bool any = false;
        for (uint32_t i = 0; code && i < code->input_count; i++) {
            struct wr_buf text = {0};
            if (code->input[i].kind == WR_INPUT_COLUMN) continue;
            wr_explain_input(e->program, n, &code->input[i], &text);
            wr_buf_add_cstr(e->out, any ? "," : "");
            wr_buf_add_json_cstr(e->out, wr_buf_cstr(&text));
            wr_buf_release(&text);
            any = true;
        }
        wr_buf_add_cstr(e->out, "]}");
    }
    wr_buf_add_char(e->out, ']');
}

static void add_pattern(const struct wr_explain *e, const struct wr_node *n)
{
    const struct wr_pattern_node *p = &n->u.pattern;
    const struct wr_schema *in = &e->program->node[n->input[0]].schema;
    uint32_t longest = wr_explain_longest(p);
    add_text("pattern", p->text, e->out);
    add_names("keys", in, p->key, p->key_count, e->out);
    if (p->within_us >= 0) add_number("within_us", p->within_us, e->out);
    else add_text("within_us", NULL, e->out);
    static const char *const after[] = {"past last row", "to next row", "to first", "to last"};
    static const char *const rows[] = {"one", "all, show empty", "all, omit empty", "all, with unmatched"};
    WR_ASSERT(p->after_match < WR_COUNT(after) && p->all_rows < WR_COUNT(rows));
    add_text("after_match", after[p->after_match], e->out);
    if (p->all_rows) add_text("rows", rows[p->all_rows], e->out);
    if (p->timeouts) add_text("timeouts", p->timeouts == 2 ? "all" : "one", e->out);
    if (p->limit_starts) add_number("limit_starts", p->limit_starts, e->out);
    if (p->suppress_us) add_number("suppress_us", p->suppress_us, e->out);
    const char *why;
    add_text("matcher", wr_matcher_class_name(wr_explain_matcher(e->program, p, &why)), e->out);
    add_text("why", why, e->out);
    add_bool("late_into", p->late_into, e->out);
    if (longest) add_number("longest", longest, e->out);
    else add_text("longest", NULL, e->out);
    add_bound(e, n);
    add_names("kept", in, p->keep, p->keep_count, e->out);
    add_variables(e, n);
    wr_buf_add_cstr(e->out, ",\"begin\":");
    add_list(p, p->first, p->first_count, true, e->out);
    wr_buf_add_cstr(e->out, ",\"positions\":[");
    for (uint32_t i = 0; i < p->position_count; i++) {
        wr_buf_printf(e->out, "%s{\"variable\":", i ? "," : "");
        wr_buf_add_json_cstr(e->out, p->variable[p->position[i].variable].name);
        if (p->position[i].excluded) add_bool("excluded", true, e->out);
        if (p->position[i].absence_us == WR_ABSENCE_WITHIN) add_text("absent", "within", e->out);
        else if (p->position[i].absence_us) add_number("absent_us", p->position[i].absence_us, e->out);
        wr_buf_add_cstr(e->out, ",\"follow\":");
        add_list(p, p->position[i].follow, p->position[i].follow_count, false, e->out);
        wr_buf_add_char(e->out, '}');
    }
    wr_buf_add_char(e->out, ']');
}

static void add_identity(const uint8_t identity[16], struct wr_buf *out)
{
    wr_buf_add_cstr(out, ",\"identity\":\"");
    for (unsigned i = 0; i < 16; i++) wr_buf_printf(out, "%02x", identity[i]);
    wr_buf_add_char(out, '"');
}

static void add_state(const struct wr_state_bound *bound, struct wr_buf *out)
{
    if (!bound->key && !bound->start && !bound->row) return;
    wr_buf_printf(out, ",\"state\":{\"key\":%u,\"start\":%u,\"way\":%u,\"row\":%u}", bound->key, bound->start, bound->way,
                  bound->row);
}

static void add_node(const struct wr_explain *e, uint32_t number)
{
    const struct wr_node *n = &e->program->node[number];
    uint32_t line = wr_explain_line(e->program, n->place);
    wr_buf_printf(e->out, "{\"id\":%u", number);
    add_text("kind", wr_explain_kind(n), e->out);
    add_text("name", n->name, e->out);
    add_text("query", n->query < e->program->query_count ? e->program->query[n->query] : NULL,
             e->out);
    wr_buf_add_cstr(e->out, ",\"inputs\":[");
    for (uint32_t k = 0; k < n->input_count; k++)
        wr_buf_printf(e->out, "%s%u", k ? "," : "", n->input[k]);
    wr_buf_add_char(e->out, ']');
    add_identity(n->identity, e->out);
    if (e->bound) add_state(&e->bound[number], e->out);
    if (line) add_number("line", line, e->out);
    else add_text("line", NULL, e->out);
    wr_buf_add_cstr(e->out, ",\"columns\":[");
    for (uint32_t i = 0; i < n->schema.count; i++) {
        wr_buf_printf(e->out, "%s{\"name\":", i ? "," : "");
        wr_buf_add_json_cstr(e->out, n->schema.column[i].name);
        add_type(n->schema.column[i].type, e->out);
        wr_buf_add_char(e->out, '}');
    }
    wr_buf_add_char(e->out, ']');
    switch ((enum wr_node_kind)n->kind) {
    case WR_NODE_SOURCE: add_source(e, n); break;
    case WR_NODE_SELECT: add_bool("where", n->u.select.where != WR_NONE, e->out); break;
    case WR_NODE_WINDOW: add_window(e, n); break;
    case WR_NODE_PATTERN: add_pattern(e, n); break;
    case WR_NODE_OUTPUT:
        add_text("stream",
                 n->u.output.stream == WR_NONE ? NULL : e->program->stream[n->u.output.stream].name,
                 e->out);
        add_bool("only_if_bound", n->u.output.only_if_bound, e->out);
        break;
    default: break;
    }
    wr_buf_add_char(e->out, '}');
}

void wr_explain_json(const struct wr_explain *e)
{
    bool any = false;
    wr_buf_add_cstr(e->out, "{\"version\":1,\"nodes\":[");
    for (uint32_t i = 0; i < e->program->node_count; i++) {
        if (!e->shown[i]) continue;
        wr_buf_add_cstr(e->out, any ? ",\n" : "\n");
        add_node(e, i);
        any = true;
    }
    wr_buf_add_cstr(e->out, "\n]");
    add_identity(e->program->identity, e->out);
    wr_buf_add_cstr(e->out, "}\n");
}
