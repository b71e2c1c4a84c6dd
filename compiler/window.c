/* TUMBLE and HOP: SELECT keys, bounds, aggregates FROM a window GROUP BY keys, bounds.
 *
 *     SELECT  where, the input's columns, and as helpers the keys and aggregate arguments that are
 * no columns WINDOW  keys, window_start, window_end, aggregates SELECT  having, the select list
 * over those
 *
 * The select list and HAVING are checked in a scope of their own (struct group): a name is a key or
 * a bound, an aggregate call becomes a column of the WINDOW when it is first met, and an expression
 * that stands in GROUP BY as a whole is that key. */
#include "compiler/state.h"
#include "dsl/fmt.h"

enum { AGGREGATES_MAX = 4096 };

struct window {
    int64_t size_us, slide_us, offset_us;
};

struct key {
    const struct wr_expr *expr; /* as in GROUP BY */
    uint32_t column;            /* of the WINDOW's input */
    struct wr_type type;
};

struct group {
    const struct wr_relation *input;
    struct wr_span group_span;
    /* Computes what is no plain column; result i is input column count + i. */
    struct wr_block *helper;
    bool whole;          /* all of the input is one window, whose bounds nobody asks for */
    struct wr_ir *where; /* counted by each aggregate in place of a WHERE, so that no rows give a COUNT of 0 */
    WR_LIST(struct key) key;
    WR_LIST(struct wr_aggregate) aggregate;
    WR_LIST(const char *) aggregate_text; /* of each its call, for messages */
};

/* ---- The window function --------------------------------------------------------------------- */

enum bound { NO_BOUND, BOUND_START, BOUND_END, BOUND_TIME };

static enum bound bound_of(const struct wr_ident *name)
{
    static const char *const names[] = {"", "window_start", "window_end", "window_time"};
    for (unsigned i = 1; i < WR_COUNT(names); i++)
        if (wr_slice_equal_nocase(name->text, wr_slice_cstr(names[i]))) return (enum bound)i;
    return NO_BOUND;
}

static bool check_function(struct wr_compile *c, const struct wr_from *from, bool *hop)
{
    static const char *const names[] = {"TUMBLE", "HOP", "CUMULATE", "SESSION", "ROWS"};
    const struct wr_ident *name = &from->window.function;
    struct wr_suggestion near;
    wr_suggestion_init(&near, name->text);
    for (unsigned i = 0; i < WR_COUNT(names); i++) {
        wr_suggestion_offer(&near, wr_slice_cstr(names[i]));
        if (!wr_slice_equal_nocase(name->text, wr_slice_cstr(names[i]))) continue;
        *hop = i == 1;
        if (i > 1)
            wr_not_yet(c, name->span,
                       wr_cstr(c, wr_arena_printf(c->arena, "the window %s", names[i])));
        return i <= 1;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0707, name->span,
                                    "there is no window function '%.*s'", WR_SLICE_ARG(name->text));
    struct wr_slice best = wr_suggestion_best(&near);
    if (best.size) wr_diag_help(c->diags, d, "did you mean %.*s?", WR_SLICE_ARG(best));
    return false;
}

/* Puts the durations into place[0..n), by position or by name; false after a report. */
static bool place_arguments(struct wr_compile *c, const struct wr_from *from,
                            const char *const *names, unsigned n, const struct wr_expr **place)
{
    bool ok = true;
    for (uint32_t i = 0; i < from->window.args.count; i++) {
        const struct wr_ident *name = from->window.arg_name ? &from->window.arg_name[i] : NULL;
        unsigned at = i;
        if (name && name->text.size) {
            struct wr_suggestion near;
            wr_suggestion_init(&near, name->text);
            for (at = 0; at < n && !wr_slice_equal_nocase(name->text, wr_slice_cstr(names[at]));
                 at++)
                wr_suggestion_offer(&near, wr_slice_cstr(names[at]));
            if (at == n && wr_slice_equal_nocase(name->text, WR_SLICE("zone"))) {
                wr_not_yet(c, name->span, "a window in a time zone");
                return false;
            }
            if (at == n) {
                struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0312, name->span,
                                                "a window has no argument '%.*s'",
                                                WR_SLICE_ARG(name->text));
                wr_suggestion_offer(&near, WR_SLICE("zone"));
                struct wr_slice best = wr_suggestion_best(&near);
                if (best.size)
                    wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
                ok = false;
                continue;
            }
        }
        if (at >= n || place[at]) {
            wr_diag_add(c->diags, WR_DIAG_W0712, from->window.args.at[i]->span,
                        at >= n ? "this argument is one too many" : "this argument is given twice");
            return false;
        }
        place[at] = from->window.args.at[i];
    }
    return ok;
}

static bool check_window(struct wr_compile *c, const struct wr_from *from, bool hop,
                         struct window *w)
{
    static const char *const tumble_names[] = {"size", "offset"}, *const hop_names[] = {
                                                                      "slide", "size", "offset"};
    const struct wr_expr *place[3] = {0};
    unsigned n = hop ? 3 : 2;
    if (!place_arguments(c, from, hop ? hop_names : tumble_names, n, place)) return false;
    const struct wr_expr *size = place[hop ? 1 : 0], *slide = hop ? place[0] : NULL,
                         *offset = place[n - 1];
    if (!size || (hop && !slide)) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0712, from->span,
                                        "the window lacks its %s",
                                        hop && !slide ? "slide and size" : "size");
        wr_diag_help(c->diags, d,
                     hop ? "HOP(stream, time, slide, size)" : "TUMBLE(stream, time, size)");
        return false;
    }
    bool ok = wr_check_duration(c, size, "the size of a window", &w->size_us);
    w->slide_us = w->size_us;
    if (slide) ok &= wr_check_duration(c, slide, "the slide of a window", &w->slide_us);
    if (offset) ok &= wr_check_interval(c, offset, "the offset of a window", &w->offset_us);
    if (!ok) return false;
    if (w->slide_us > w->size_us) {
        struct wr_diag *d = wr_diag_add(
            c->diags, WR_DIAG_W0708, slide->span,
            "the slide is longer than the size, so that rows would fall between windows");
        wr_diag_second(c->diags, d, size->span, "the size");
        wr_diag_help(c->diags, d, "HOP takes the slide first, then the size");
        return false;
    }
    if (w->offset_us >= w->size_us || w->offset_us <= -w->size_us) {
        wr_diag_add(c->diags, WR_DIAG_W0708, offset->span,
                    "the offset is no less than the size of the window");
        return false;
    }
    w->offset_us %= w->slide_us;
    if (w->offset_us < 0) w->offset_us += w->slide_us;
    return true;
}

static bool check_time(struct wr_compile *c, const struct wr_from *from,
                       const struct wr_relation *input)
{
    const struct wr_ident *time = &from->window.time;
    if (!time->text.size) {
        wr_diag_add(c->diags, WR_DIAG_W0712, from->span, "the window lacks its time column");
        return false;
    }
    uint32_t column = wr_relation_find(input, time);
    if (column == WR_NONE && wr_is_event_time_name(time)) {
        wr_warn_watermark(c, input, time->span);
        return true;
    }
    if (column == WR_NONE)
        column = wr_relation_column(c, input, time); /* says that there is none */
    if (column == WR_NONE) return false;
    if (column == input->time_column) return true;
    struct wr_diag *d;
    if (!input->has_watermark && input->time_column == WR_NONE && input->declared_at.end) {
        d = wr_diag_add(c->diags, WR_DIAG_W0601, time->span, "'%.*s' declares no event time",
                        WR_SLICE_ARG(input->alias));
        wr_diag_second(c->diags, d, input->declared_at, "declared here");
        wr_diag_help(c->diags, d, "add WATERMARK FOR %.*s AS %.*s - 5s", WR_SLICE_ARG(time->text),
                     WR_SLICE_ARG(time->text));
        return false;
    }
    d = wr_diag_add(c->diags, WR_DIAG_W0706, time->span, "'%.*s' is not the event time",
                    WR_SLICE_ARG(time->text));
    if (input->time_column != WR_NONE)
        wr_diag_help(c->diags, d, "the event time is '%s'",
                     input->schema->column[input->time_column].name);
    else wr_diag_help(c->diags, d, "the event time is called event_time");
    return false;
}

/* ---- GROUP BY -------------------------------------------------------------------------------- */

/* Names of the rows that the window reads: as of the relation, but the bounds are not known yet. */
static struct wr_ir *resolve_row(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr *name, bool *handled)
{
    const struct group *g = scope->context;
    const struct wr_ident *last = &name->u.name.at[name->u.name.count - 1];
    *handled = true;
    if (bound_of(last) && !g->whole && wr_relation_find(g->input, last) == WR_NONE) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0421, name->span,
                                        "'%.*s' is not known before the rows are "
                                        "grouped",
                                        WR_SLICE_ARG(last->text));
        wr_diag_help(c->diags, d, "HAVING and the SELECT list may use it");
        return NULL;
    }
    struct wr_scope inner;
    wr_scope_of_relation(&inner, g->input);
    return inner.resolve(c, &inner, b, name, handled);
}

static struct wr_scope row_scope(struct group *g, const char *refused)
{
    return (struct wr_scope){.context = g, .resolve = resolve_row, .aggregates_refused = refused};
}

/* The input column that has a value: itself where it is a plain column, else a helper. */
static uint32_t column_of(struct group *g, struct wr_ir *ir)
{
    if (ir->kind == WR_IR_INPUT && ir->u.input.kind == WR_INPUT_COLUMN) return ir->u.input.column;
    return g->input->schema->count + wr_block_result(g->helper, ir);
}

static bool add_key(struct wr_compile *c, struct group *g, const struct wr_expr *expr)
{
    struct wr_scope scope = row_scope(g, "in GROUP BY");
    struct wr_ir *ir = wr_check_expr(c, &scope, g->helper, expr);
    if (!ir) return false;
    if (ir->kind == WR_IR_CONSTANT) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0411, expr->span,
                                        "GROUP BY takes columns, this is a constant");
        wr_diag_help(c->diags, d, "positions are not meant here: repeat the expression");
        return false;
    }
    if (!wr_check_key_type(c, expr->span, ir->type)) return false;
    uint32_t column = column_of(g, ir);
    wr_list_push(c->arena, &g->key, (struct key){expr, column, ir->type});
    return true;
}

static bool check_group(struct wr_compile *c, const struct wr_select *s, struct group *g)
{
    bool bound = false, ok = true;
    for (uint32_t i = 0; i < s->group.count; i++) {
        const struct wr_expr *e = s->group.at[i];
        const struct wr_ident *last = e->kind == WR_EXPR_NAME ? &e->u.name.at[e->u.name.count - 1]
                                                              : NULL;
        enum bound b = last ? bound_of(last) : NO_BOUND;
        if (last && e->u.name.count == 2 && b)
            ok &= wr_relation_is_qualifier(c, g->input, &e->u.name.at[0]);
        bound |= b != NO_BOUND;
        if (!b || g->whole) ok &= add_key(c, g, e);
    }
    if (bound || g->whole) return ok;
    if (!s->group.count && !wr_find_aggregate(s) && !s->having) {
        wr_not_yet(c, s->from->span, "a window without GROUP BY");
        return false;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0702,
                                    s->group.count ? s->group_span : s->from->span,
                                    "this query mixes rows of different windows");
    wr_diag_help(c->diags, d, "GROUP BY %swindow_start, window_end", s->group.count ? "…, " : "");
    return false;
}

/* ---- Aggregates ------------------------------------------------------------------------------ */

static bool refuse_call(struct wr_compile *c, const struct wr_expr *call, enum wr_aggregate_fn fn)
{
    struct wr_slice name = call->u.call.name.text;
    if (call->u.call.over) wr_not_yet(c, call->u.call.over->span, "OVER");
    else if (call->u.call.distinct && fn != WR_AGG_COUNT && fn != WR_AGG_MIN && fn != WR_AGG_MAX)
        wr_not_yet(c, call->span, "DISTINCT in an aggregate other than COUNT");
    else if (call->u.call.order.count) wr_not_yet(c, call->span, "ORDER BY in an aggregate");
    else if (call->u.call.frame != WR_FRAME_DEFAULT)
        wr_diag_add(c->diags, WR_DIAG_W0809, call->span,
                    "RUNNING and FINAL stand in patterns only");
    else if (fn == WR_AGG_FN_COUNT || fn == WR_AGG_ARRAY_AGG)
        wr_not_yet(c, call->span,
                   wr_cstr(c, wr_arena_printf(c->arena, "%.*s", WR_SLICE_ARG(name))));
    else return false;
    return true;
}

static bool check_argument_count(struct wr_compile *c, const struct wr_expr *call,
                                 enum wr_aggregate_fn fn)
{
    uint32_t takes = fn == WR_AGG_ARG_MIN || fn == WR_AGG_ARG_MAX || fn == WR_AGG_STRING_AGG ? 2
                                                                                             : 1;
    if (call->u.call.args.count == takes) return true;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0404, call->span,
                                    "%.*s takes %u argument%s, not %u",
                                    WR_SLICE_ARG(call->u.call.name.text), takes,
                                    takes == 1 ? "" : "s", call->u.call.args.count);
    if (fn == WR_AGG_COUNT) wr_diag_help(c->diags, d, "COUNT(*) counts rows");
    return false;
}

/* Fills the aggregate from the call; arguments and filter become columns of the input. */
static bool check_aggregate(struct wr_compile *c, struct group *g, const struct wr_expr *call,
                            enum wr_aggregate_fn fn, struct wr_aggregate *a)
{
    struct wr_scope scope = row_scope(g, "inside another aggregate");
    const struct wr_expr_list *args = &call->u.call.args;
    *a = (struct wr_aggregate){.fn = (uint8_t)fn,
                               .set = WR_SET_ALL,
                               .column = WR_NONE,
                               .column2 = WR_NONE,
                               .filter = WR_NONE};
    if (refuse_call(c, call, fn) || !check_argument_count(c, call, fn)) return false;
    bool star = args->at[0]->kind == WR_EXPR_STAR, ok = true;
    if (star && fn != WR_AGG_COUNT) {
        wr_diag_add(c->diags, WR_DIAG_W0415, args->at[0]->span, "only COUNT takes *");
        return false;
    }
    if (star && args->at[0]->u.name.count)
        ok &= wr_relation_is_qualifier(c, g->input, &args->at[0]->u.name.at[0]);
    struct wr_ir *ir = star ? NULL : wr_check_expr(c, &scope, g->helper, args->at[0]);
    struct wr_ir *second = args->count > 1 ? wr_check_expr(c, &scope, g->helper, args->at[1])
                                           : NULL;
    struct wr_ir *filter = call->u.call.filter
                               ? wr_check_condition(c, &scope, g->helper, call->u.call.filter)
                               : NULL;
    ok &= (star || ir) && (args->count < 2 || second) && (!call->u.call.filter || filter);
    if (!ok) return false;
    if (star && call->u.call.distinct) {
        wr_diag_add(c->diags, WR_DIAG_W0415, args->at[0]->span, "COUNT(DISTINCT x) wants an expression, not *");
        return false;
    }
    if (star) a->fn = WR_AGG_COUNT_ROWS;
    else if (fn == WR_AGG_COUNT && call->u.call.distinct) a->fn = WR_AGG_COUNT_DISTINCT;
    if (ir && ir->type.kind == WR_KIND_NULL) {
        wr_diag_add(c->diags, WR_DIAG_W0418, args->at[0]->span,
                    "nothing says which type this NULL has");
        return false;
    }
    a->argument = ir ? ir->type : wr_type_of(WR_KIND_NULL);
    if (!wr_aggregate_type(c, call, (enum wr_aggregate_fn)a->fn, a->argument, &a->type))
        return false;
    if (second && fn == WR_AGG_STRING_AGG && second->type.kind != WR_KIND_STRING) {
        wr_diag_add(c->diags, WR_DIAG_W0403, args->at[1]->span, "the separator is a STRING");
        return false;
    }
    if (second && fn != WR_AGG_STRING_AGG && !wr_check_key_type(c, args->at[1]->span, second->type))
        return false;
    if (ir) a->column = column_of(g, ir);
    if (second) a->column2 = column_of(g, second);
    if (filter && g->where) filter = wr_ir_and(g->helper, g->where, filter);
    if (!filter) filter = g->where;
    if (filter) a->filter = column_of(g, filter);
    return true;
}

static const char *call_text(struct wr_compile *c, const struct wr_expr *call)
{
    struct wr_buf text = {0};
    wr_fmt_expr(call, &text);
    const char *copy = wr_arena_cstr(c->arena, wr_buf_slice(&text));
    wr_buf_release(&text);
    return copy;
}

static struct wr_ir *call_aggregate(struct wr_compile *c, struct wr_scope *scope,
                                    struct wr_block *b, const struct wr_expr *call, bool *handled)
{
    struct group *g = scope->context;
    enum wr_aggregate_fn fn;
    struct wr_aggregate a;
    *handled = wr_aggregate_find(call->u.call.name.text, &fn);
    if (!*handled || !check_aggregate(c, g, call, fn, &a)) return NULL;
    size_t n = 0;
    while (n < g->aggregate.count) {
        const struct wr_aggregate *old = &g->aggregate.at[n];
        if (old->fn == a.fn && old->column == a.column && old->column2 == a.column2 &&
            old->filter == a.filter)
            break;
        n++;
    }
    if (n == AGGREGATES_MAX) {
        wr_diag_add(c->diags, WR_DIAG_W0616, call->span, "a query has at most %d aggregates",
                    AGGREGATES_MAX);
        return NULL;
    }
    if (n == g->aggregate.count) {
        wr_list_push(c->arena, &g->aggregate, a);
        wr_list_push(c->arena, &g->aggregate_text, call_text(c, call));
    }
    return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                            .column = (uint16_t)(g->key.count + 2 + n),
                                            .type = a.type});
}

/* ---- The select list's scope ----------------------------------------------------------------- */

static struct wr_ir *key_value(struct wr_block *b, const struct group *g, size_t key)
{
    return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                            .column = (uint16_t)key,
                                            .type = g->key.at[key].type});
}

static struct wr_ir *resolve_group(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                   const struct wr_expr *expr, bool *handled)
{
    const struct group *g = scope->context;
    const struct wr_ident_list *name = &expr->u.name;
    const struct wr_ident *last = &name->at[name->count - 1];
    struct wr_type timestamp = wr_type_of(WR_KIND_TIMESTAMP);
    *handled = true;
    if (name->count > 2 ||
        (name->count == 2 && !wr_relation_is_qualifier(c, g->input, &name->at[0]))) {
        if (name->count > 2)
            wr_diag_add(c->diags, WR_DIAG_W0414, expr->span, "columns have no fields here");
        return NULL;
    }
    enum bound bound = g->whole ? NO_BOUND : bound_of(last);
    if (bound == BOUND_START || bound == BOUND_END)
        return wr_ir_input(
            b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                 .type = timestamp,
                                 .column = (uint16_t)(g->key.count + (bound == BOUND_END))});
    uint32_t column = wr_relation_find(g->input, last);
    if (bound == BOUND_TIME || (column == WR_NONE && !g->whole && wr_is_event_time_name(last)))
        return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_SPECIAL,
                                                .column = WR_SPECIAL_EVENT_TIME,
                                                .type = timestamp});
    if (column == WR_NONE) {
        column = wr_relation_column(c, g->input, last); /* says that there is none */
        return NULL;
    }
    for (size_t i = 0; i < g->key.count; i++)
        if (g->key.at[i].column == column) return key_value(b, g, i);
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0411, expr->span,
                                    "'%.*s' is neither in GROUP BY nor in an aggregate",
                                    WR_SLICE_ARG(last->text));
    wr_diag_second(c->diags, d, g->group_span, "the groups");
    wr_diag_help(c->diags, d, "add it to GROUP BY, or take MAX(%.*s)", WR_SLICE_ARG(last->text));
    return NULL;
}

static struct wr_ir *whole_key(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                               const struct wr_expr *expr, bool *failed)
{
    const struct group *g = scope->context;
    WR_UNUSED(c);
    WR_UNUSED(failed);
    if (expr->kind == WR_EXPR_NAME) return NULL;
    for (size_t i = 0; i < g->key.count; i++)
        if (g->key.at[i].expr->kind != WR_EXPR_NAME && wr_expr_equal(g->key.at[i].expr, expr))
            return key_value(b, g, i);
    return NULL;
}

/* ---- The nodes ------------------------------------------------------------------------------- */

static uint32_t add_window_node(struct wr_compile *c, const struct group *g, const struct window *w,
                                uint32_t input, uint32_t query, int64_t late_us, bool late_into,
                                struct wr_span span)
{
    uint32_t keys = (uint32_t)g->key.count, aggregates = (uint32_t)g->aggregate.count;
    uint32_t *key = WR_NEW_ARRAY(c->arena, uint32_t, keys + 1);
    struct wr_aggregate *aggregate = WR_NEW_ARRAY(c->arena, struct wr_aggregate, aggregates + 1);
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column,
                                                   keys + 2 + aggregates);
    const struct wr_schema *from = &wr_node_at(c, input)->schema;
    for (uint32_t i = 0; i < keys; i++) {
        key[i] = g->key.at[i].column;
        column[i] = from->column[key[i]];
    }
    column[keys] = (struct wr_schema_column){"window_start", wr_type_of(WR_KIND_TIMESTAMP)};
    column[keys + 1] = (struct wr_schema_column){"window_end", wr_type_of(WR_KIND_TIMESTAMP)};
    for (uint32_t i = 0; i < aggregates; i++) {
        aggregate[i] = g->aggregate.at[i];
        column[keys + 2 + i].name = g->aggregate_text.at[i];
        column[keys + 2 + i].type = aggregate[i].type;
    }
    struct wr_node node = {.kind = WR_NODE_WINDOW,
                           .input_count = 1,
                           .query = query,
                           .input = wr_inputs(c, input),
                           .schema = {keys + 2 + aggregates, column},
                           .place = span.file == c->state->main_file ? span.start : 0};
    node.u.window = (struct wr_window_node){.size_us = w->size_us,
                                            .slide_us = w->slide_us,
                                            .offset_us = w->offset_us,
                                            .late_us = late_us,
                                            .late_into = late_into,
                                            .key_count = keys,
                                            .key = key,
                                            .aggregate_count = aggregates,
                                            .aggregate = aggregate};
    return wr_node_add(c, &node);
}

static bool add_late(struct wr_compile *c, const struct wr_query *q, uint32_t window,
                     const struct wr_relation *input, uint32_t query)
{
    uint32_t reads = wr_node_at(c, window)->input[0];
    struct wr_node node = {.kind = WR_NODE_LATE,
                           .input_count = 1,
                           .query = query,
                           .input = wr_inputs(c, window),
                           .schema = wr_node_at(c, reads)->schema,
                           .place = wr_node_at(c, window)->place};
    return wr_feed_late(c, &q->late_into, wr_node_add(c, &node), input, query, q->late_span);
}

static bool check_late(struct wr_compile *c, const struct wr_query *q, int64_t *late_us)
{
    *late_us = 0;
    if (!q->late) return true;
    if (!wr_check_interval(c, q->late, "LATE", late_us)) return false;
    if (*late_us >= 0) return true;
    wr_diag_add(c->diags, WR_DIAG_W0504, q->late->span, "LATE takes a duration of 0 or more");
    return false;
}

static bool check_emit(struct wr_compile *c, const struct wr_query *q)
{
    if (q->emit == WR_EMIT_UNSAID || q->emit == WR_EMIT_FINAL) return true;
    wr_not_yet(c, q->emit_span, q->emit == WR_EMIT_CHANGES ? "EMIT CHANGES" : "EMIT EVERY");
    return false;
}

/* A WHERE that leaves out, and counts as its own, the rows on which the condition fails, and no others. */
static bool rows_without_error(struct wr_compile *c, struct wr_scope *rows, const struct wr_expr *condition, uint32_t *code)
{
    struct wr_block *b = wr_block_new(c);
    struct wr_ir *ir = wr_check_condition(c, rows, b, condition);
    if (!ir) return false;
    struct wr_type boolean = wr_type_of(WR_KIND_BOOLEAN);
    struct wr_ir *either[] = {wr_ir_unary(b, WR_OP_IS_NULL, boolean, ir), wr_ir_unary(b, WR_OP_IS_NOT_NULL, boolean, ir)};
    wr_block_result(b, wr_ir_or(b, either[0], either[1]));
    *code = wr_block_finish(b);
    return true;
}

static bool lower_parts(struct wr_compile *c, const struct wr_query *q,
                        const struct wr_target *target, struct group *g, const struct window *w,
                        struct wr_relation *result)
{
    const struct wr_select *s = q->select;
    struct wr_scope rows = row_scope(g, "in WHERE");
    uint32_t where = WR_NONE, having, query = wr_query_name(c, target->name);
    bool ok = true;
    if (g->whole && s->where && !s->group.count) {
        g->where = wr_check_condition(c, &rows, g->helper, s->where);
        ok = g->where && rows_without_error(c, &rows, s->where, &where);
    } else ok = wr_lower_condition(c, &rows, s->where, &where);
    if (!check_group(c, s, g)) return false;
    struct wr_scope groups = {
        .context = g, .resolve = resolve_group, .call = call_aggregate, .whole = whole_key};
    struct wr_block *project = wr_block_new(c);
    ok &= wr_lower_list(c, s, &groups, NULL, g->input, project, target, result);
    ok &= wr_lower_condition(c, &groups, s->having, &having);
    int64_t late_us;
    ok &= check_late(c, q, &late_us);
    ok &= check_emit(c, q);
    if (!ok) return false;
    bool late_into = q->late_into.text.size != 0;
    uint32_t input = wr_node_prepare(c, g->input, where, g->helper, query, q->span);
    uint32_t window = add_window_node(c, g, w, input, query, late_us, late_into, s->from->span);
    if (late_into && !add_late(c, q, window, g->input, query)) return false;
    result->node = wr_select_add(c, window, having, project, false, result->schema, query, q->span);
    /* The select list found the event time through its scope: the row's own, end - 1 us. */
    result->has_watermark = true;
    return true;
}

bool wr_lower_whole(struct wr_compile *c, const struct wr_query *q, struct wr_relation *input,
                    const struct wr_target *target, struct wr_relation *result)
{
    /* From some 36,000 years before 1970 to as many behind it; only the end of the input closes it. */
    const int64_t size = INT64_MAX / 4;
    struct window w = {size, size, size - size / 2};
    struct group g = {.input = input, .group_span = q->select->group_span, .helper = wr_block_new(c), .whole = true};
    return lower_parts(c, q, target, &g, &w, result);
}

bool wr_lower_window(struct wr_compile *c, const struct wr_query *q, struct wr_with_scope *with,
                     const struct wr_target *target, struct wr_relation *result)
{
    const struct wr_from *from = q->select->from;
    struct wr_relation input;
    struct window w = {0};
    bool hop = false;
    bool ok = check_function(c, from, &hop);
    bool have = from->input_count == 1 && wr_lower_from(c, from->input[0], with, target, &input);
    if (!ok || !check_window(c, from, hop, &w)) {
        w = (struct window){1, 1, 0}; /* the rest is checked all the same */
        ok = false;
    }
    if (!have) return false;
    if (from->alias.text.size) {
        input.alias = from->alias.text;
        input.alias_quoted = from->alias.quoted;
    }
    ok &= check_time(c, from, &input);
    struct group g = {
        .input = &input, .group_span = q->select->group_span, .helper = wr_block_new(c)};
    ok &= lower_parts(c, q, target, &g, &w, result);
    return ok;
}
