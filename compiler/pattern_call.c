/* Calls in DEFINE and MEASURES: aggregates over the rows of a set, FIRST and LAST, and the
 * functions of a match. */
#include "compiler/pattern.h"

enum wr_match_function wr_match_function(struct wr_slice name)
{
    static const struct {
        const char *name;
        enum wr_match_function function;
    } functions[] = {
        {"FIRST", WR_MATCH_FIRST},
        {"LAST", WR_MATCH_LAST},
        {"PREV", WR_MATCH_PREV},
        {"NEXT", WR_MATCH_NEXT},
        {"CLASSIFIER", WR_MATCH_CLASSIFIER},
        {"MATCH_NUMBER", WR_MATCH_NUMBER},
        {"MATCH_ID", WR_MATCH_ID},
        {"MATCH_ROWTIME", WR_MATCH_ROWTIME},
        {"MATCH_STATUS", WR_MATCH_STATUS},
    };
    for (size_t i = 0; i < WR_COUNT(functions); i++)
        if (wr_slice_equal_nocase(name, wr_slice_cstr(functions[i].name)))
            return functions[i].function;
    return WR_MATCH_NONE;
}

static struct wr_slice call_name(const struct wr_expr *call)
{
    return call->u.call.name.text;
}

/* Says how many arguments there may be; false after a report. */
static bool check_count(struct wr_compile *c, const struct wr_expr *call, uint32_t least,
                        uint32_t most)
{
    uint32_t n = call->u.call.args.count;
    if (n >= least && n <= most) return true;
    struct wr_slice name = call_name(call);
    if (most == 0)
        wr_diag_add(c->diags, WR_DIAG_W0404, call->span, "%.*s takes no argument, not %u",
                    WR_SLICE_ARG(name), n);
    else if (least == most)
        wr_diag_add(c->diags, WR_DIAG_W0404, call->span, "%.*s takes %u argument%s, not %u",
                    WR_SLICE_ARG(name), least, least == 1 ? "" : "s", n);
    else
        wr_diag_add(c->diags, WR_DIAG_W0404, call->span, "%.*s takes %u or %u arguments, not %u",
                    WR_SLICE_ARG(name), least, most, n);
    return false;
}

/* What only some aggregates take, and navigations never. */
static bool refuse_extras(struct wr_compile *c, const struct wr_expr *call)
{
    const char *what = call->u.call.distinct      ? "DISTINCT"
                       : call->u.call.filter      ? "FILTER"
                       : call->u.call.order.count ? "ORDER BY"
                       : call->u.call.over        ? "OVER" : NULL;
    if (!what) return false;
    wr_diag_add(c->diags, WR_DIAG_W0412, call->span, "%s does not go with %.*s", what,
                WR_SLICE_ARG(call_name(call)));
    return true;
}

static bool refuse_frame(struct wr_match_lowering *m, const struct wr_expr *call)
{
    if (!m->in_define || call->u.call.frame != WR_FRAME_FINAL) return false;
    struct wr_diag *d = wr_diag_add(
        m->c->diags, WR_DIAG_W0809, call->span,
        "a condition sees the rows so far, so it cannot read a FINAL value");
    wr_diag_help(m->c->diags, d, "leave FINAL out, or move this to the SELECT list");
    return true;
}

/* ---- FIRST and LAST -------------------------------------------------------------------------- */

static bool check_offset(struct wr_match_lowering *m, const struct wr_expr *expr, uint16_t *offset)
{
    struct wr_compile *c = m->c;
    struct wr_argument_scope a;
    struct wr_value value;
    wr_argument_scope(&a, m, "an offset", true);
    struct wr_ir *ir = wr_check_expr(c, &a.scope, m->extra, expr);
    if (!ir) return false;
    if (!wr_ir_is_constant(ir, &value) || value.flag != WR_FLAG_VALUE) {
        wr_diag_add(c->diags, WR_DIAG_W0512, expr->span, "how many rows to go is a constant");
        return false;
    }
    struct wr_type type = wr_ir_type(ir);
    if (type.kind != WR_KIND_INT && type.kind != WR_KIND_BIGINT) {
        wr_diag_add(c->diags, WR_DIAG_W0403, expr->span,
                    "how many rows to go is a whole number, this is %s", wr_type_text(c, type));
        return false;
    }
    if (value.u.i64 < 0 || value.u.i64 > UINT16_MAX) {
        wr_diag_add(c->diags, WR_DIAG_W0515, expr->span,
                    "how many rows to go is a number from 0 to %d", UINT16_MAX);
        return false;
    }
    *offset = (uint16_t)value.u.i64;
    return true;
}

/* What a navigation says before its argument is looked at: PREV(FINAL LAST(x, 1), 2). */
struct navigation {
    const char *inside; /* the outer function's name, for messages */
    bool first, physical;
    bool final_;
    uint16_t offset;
    int16_t step;
    const struct wr_expr *argument;
};

static bool is_function(const struct wr_expr *e, enum wr_match_function function)
{
    return e->kind == WR_EXPR_CALL && wr_match_function(call_name(e)) == function;
}

/* FIRST or LAST. */
static bool read_logical(struct wr_match_lowering *m, const struct wr_expr *call, struct navigation *n)
{
    const struct wr_expr_list *args = &call->u.call.args;
    if (!check_count(m->c, call, 1, 2) || refuse_extras(m->c, call) || refuse_frame(m, call))
        return false;
    n->first = is_function(call, WR_MATCH_FIRST);
    n->final_ = wr_match_is_final(m, call->u.call.frame);
    n->argument = args->at[0];
    return args->count == 1 || check_offset(m, args->at[1], &n->offset);
}

/* PREV or NEXT, with a FIRST or LAST in it or without. */
static bool read_physical(struct wr_match_lowering *m, const struct wr_expr *call, struct navigation *n)
{
    const struct wr_expr_list *args = &call->u.call.args;
    uint16_t by = 1;
    if (!check_count(m->c, call, 1, 2) || refuse_extras(m->c, call)) return false;
    if (call->u.call.frame != WR_FRAME_DEFAULT) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0809, call->span,
                                        "RUNNING and FINAL do not stand before %s", n->inside);
        wr_diag_help(m->c->diags, d, "put it before the FIRST or LAST inside: %s(FINAL LAST(x))",
                     n->inside);
        return false;
    }
    if (args->count == 2 && !check_offset(m, args->at[1], &by)) return false;
    if (by > INT16_MAX) {
        wr_diag_add(m->c->diags, WR_DIAG_W0515, args->at[1]->span,
                    "how many rows to go is a number from 0 to %d", INT16_MAX);
        return false;
    }
    n->step = (int16_t)(is_function(call, WR_MATCH_PREV) ? -(int)by : (int)by);
    n->physical = true;
    n->argument = args->at[0];
    n->final_ = wr_match_is_final(m, WR_FRAME_DEFAULT);
    bool nested = is_function(n->argument, WR_MATCH_FIRST) || is_function(n->argument, WR_MATCH_LAST);
    return !nested || read_logical(m, n->argument, n);
}

/* The set that CLASSIFIER names; WR_NONE after a report. */
static uint32_t classifier_set(struct wr_match_lowering *m, const struct wr_expr *call)
{
    if (!check_count(m->c, call, 0, 1) || refuse_extras(m->c, call)) return WR_NONE;
    if (call->u.call.frame != WR_FRAME_DEFAULT) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0809, call->span,
                                        "RUNNING and FINAL do not stand before CLASSIFIER");
        wr_diag_help(m->c->diags, d, "FINAL LAST(CLASSIFIER()) is that of the match's last row");
        return WR_NONE;
    }
    if (call->u.call.args.count == 0) return WR_SET_ALL;
    const struct wr_expr *name = call->u.call.args.at[0];
    if (name->kind != WR_EXPR_NAME || name->u.name.count != 1) {
        wr_diag_add(m->c->diags, WR_DIAG_W0814, name->span, "CLASSIFIER takes a variable of the pattern");
        return WR_NONE;
    }
    uint32_t set = wr_match_find_set(m, &name->u.name.at[0]);
    if (set == WR_NONE) {
        wr_match_unknown_variable(m, &name->u.name.at[0], "CLASSIFIER");
    } else if (set < m->variable.count && !m->variable.at[set].has_rows) {
        wr_diag_add(m->c->diags, WR_DIAG_W0806, name->span,
                    "'%.*s' stands under NOT, so no row is one of it",
                    WR_SLICE_ARG(name->u.name.at[0].text));
        set = WR_NONE;
    }
    return set;
}

/* In the condition of a variable of the set the last row is the current one, which counts as taken. */
static struct wr_ir *navigate_classifier(struct wr_match_lowering *m, struct wr_block *b,
                                         const struct wr_expr *call, const struct navigation *n)
{
    uint32_t set = classifier_set(m, call);
    if (set == WR_NONE) return NULL;
    bool current = m->in_define && wr_match_set_has(m, set, m->current) && !n->first && n->offset == 0;
    struct wr_type type = wr_type_of(WR_KIND_STRING);
    if (current && n->step == 0 && !m->variable.at[m->current].until) {
        struct wr_value value = {.cls = WR_CLASS_STR, .u.str = m->variable.at[m->current].name.text};
        return wr_ir_constant(b, type, value);
    }
    if (current && n->step > 0) return wr_ir_constant(b, type, (struct wr_value){.cls = WR_CLASS_STR,
                                                                              .flag = WR_FLAG_NULL});
    return wr_match_read(m, b, (struct wr_input){.kind = WR_INPUT_SPECIAL,
                                                 .final_ = n->final_,
                                                 .set = (uint16_t)set,
                                                 .column = WR_SPECIAL_CLASSIFIER,
                                                 .offset = n->offset,
                                                 .step = n->step,
                                                 .from_first = n->first,
                                                 .type = type});
}

/* In the condition of a variable of the set the last row is the current one: nothing kept is read
 * then. */
static struct wr_ir *call_navigation(struct wr_match_lowering *m, struct wr_block *b,
                                     const struct wr_expr *call, enum wr_match_function function)
{
    static const char *const names[] = {[WR_MATCH_FIRST] = "FIRST", [WR_MATCH_LAST] = "LAST",
                                        [WR_MATCH_PREV] = "PREV", [WR_MATCH_NEXT] = "NEXT"};
    struct navigation n = {.inside = names[function]};
    bool physical = function == WR_MATCH_PREV || function == WR_MATCH_NEXT;
    struct wr_argument_scope a;
    uint32_t column;
    if (!(physical ? read_physical(m, call, &n) : read_logical(m, call, &n))) return NULL;
    if (is_function(n.argument, WR_MATCH_CLASSIFIER)) return navigate_classifier(m, b, n.argument, &n);
    wr_argument_scope(&a, m, n.inside, true);
    if (!wr_check_expr(m->c, &a.scope, m->extra, n.argument)) return NULL;
    bool current = m->in_define && !n.first && n.offset == 0 && wr_match_set_has(m, a.set, m->current);
    if (current && n.step == 0) return wr_check_expr(m->c, &a.scope, b, n.argument);
    struct wr_input in = {.kind = current   ? WR_INPUT_COLUMN
                                  : n.first ? WR_INPUT_FIRST
                                            : WR_INPUT_LAST,
                          .final_ = n.final_,
                          .set = current ? 0 : (uint16_t)a.set,
                          .offset = n.offset,
                          .step = n.step};
    if (!wr_argument_column(&a, n.argument, &column, &in.type)) return NULL;
    in.column = (uint16_t)column;
    return wr_match_read(m, b, in);
}

/* ---- Aggregates ------------------------------------------------------------------------------ */

static bool same_aggregate(const struct wr_aggregate *a, const struct wr_aggregate *b)
{
    return a->fn == b->fn && a->set == b->set && a->column == b->column &&
           a->column2 == b->column2 && a->filter == b->filter;
}

static uint32_t add_aggregate(struct wr_match_lowering *m, const struct wr_aggregate *aggregate,
                              const struct wr_expr *call)
{
    for (uint32_t i = 0; i < m->aggregate.count; i++) {
        if (!same_aggregate(&m->aggregate.at[i], aggregate)) continue;
        m->aggregate.at[i].running |= aggregate->running;
        return i;
    }
    wr_list_push(m->c->arena, &m->aggregate, *aggregate);
    struct wr_expr bare = *call;
    bare.u.call.frame = WR_FRAME_DEFAULT; /* RUNNING and FINAL are those of the places that read it */
    wr_list_push(m->c->arena, &m->aggregate_text, wr_match_text(m, &bare));
    return m->aggregate.count - 1;
}

/* COUNT(*) and COUNT(v.*). */
static bool count_rows(struct wr_argument_scope *a, const struct wr_expr *star)
{
    struct wr_match_lowering *m = a->m;
    a->known = true;
    a->first = star->span;
    if (star->u.name.count == 0) return true;
    const struct wr_ident *name = &star->u.name.at[0];
    a->set = wr_match_find_set(m, name);
    if (a->set == WR_NONE) {
        struct wr_ident alias = {.text = m->input->alias, .quoted = m->input->alias_quoted};
        a->set = WR_SET_ALL;
        if (alias.text.size && wr_ident_equal(alias, *name)) return true;
        wr_match_unknown_variable(m, name, "COUNT");
        return false;
    }
    if (a->set >= m->variable.count || m->variable.at[a->set].has_rows) return true;
    wr_diag_add(m->c->diags, WR_DIAG_W0806, name->span,
                "'%.*s' stands under NOT, so it has no rows to count", WR_SLICE_ARG(name->text));
    return false;
}

/* Which aggregate it is, with its number of arguments; false after a report. */
static bool check_kind(struct wr_match_lowering *m, const struct wr_expr *call,
                       struct wr_aggregate *out)
{
    struct wr_compile *c = m->c;
    enum wr_aggregate_fn fn = WR_AGG_FN_COUNT;
    wr_aggregate_find(call_name(call), &fn);
    if (refuse_frame(m, call)) return false;
    if (call->u.call.over) {
        wr_diag_add(c->diags, WR_DIAG_W0412, call->span,
                    "OVER does not go with an aggregate of a pattern");
        return false;
    }
    if (fn == WR_AGG_FN_COUNT) {
        const char *name =
            wr_arena_printf(c->arena, "%.*s in a pattern", WR_SLICE_ARG(call_name(call))).data;
        wr_not_yet(c, call->span, name);
        return false;
    }
    if (call->u.call.order.count) {
        wr_not_yet(c, call->span, "ORDER BY in an aggregate");
        return false;
    }
    if (call->u.call.distinct) {
        if (fn == WR_AGG_COUNT) {
            fn = WR_AGG_COUNT_DISTINCT;
        } else if (fn != WR_AGG_MIN && fn != WR_AGG_MAX) { /* which do not mind */
            wr_not_yet(c, call->span, "DISTINCT in an aggregate other than COUNT");
            return false;
        }
    }
    bool two = fn == WR_AGG_ARG_MIN || fn == WR_AGG_ARG_MAX || fn == WR_AGG_STRING_AGG;
    out->fn = (uint8_t)fn;
    return check_count(c, call, two ? 2 : 1, two ? 2 : 1);
}

static bool check_filter(struct wr_argument_scope *a, const struct wr_expr *filter,
                         uint32_t *column)
{
    struct wr_type type;
    a->in_filter = true;
    a->inside = "a FILTER";
    return wr_check_condition(a->m->c, &a->scope, a->m->extra, filter) &&
           wr_argument_column(a, filter, column, &type);
}

static struct wr_ir *call_aggregate(struct wr_match_lowering *m, struct wr_block *b,
                                    const struct wr_expr *call)
{
    struct wr_aggregate g = {
        .running = m->in_define, .column = WR_NONE, .column2 = WR_NONE, .filter = WR_NONE};
    struct wr_argument_scope a;
    struct wr_type second;
    if (!check_kind(m, call, &g)) return NULL;
    const struct wr_expr_list *args = &call->u.call.args;
    wr_argument_scope(&a, m, "an aggregate", false);
    if (args->at[0]->kind == WR_EXPR_STAR && g.fn == WR_AGG_COUNT) {
        g.fn = WR_AGG_COUNT_ROWS;
        if (!count_rows(&a, args->at[0])) return NULL;
    } else if (is_function(args->at[0], WR_MATCH_CLASSIFIER)) {
        a.set = classifier_set(m, args->at[0]);
        a.known = true;
        a.first = args->at[0]->span;
        g.column = WR_COLUMN_CLASSIFIER;
        g.argument = wr_type_of(WR_KIND_STRING);
        if (a.set == WR_NONE) return NULL;
    } else if (!wr_argument_column(&a, args->at[0], &g.column, &g.argument)) {
        return NULL;
    }
    if (args->count == 2) {
        if (!wr_argument_column(&a, args->at[1], &g.column2, &second)) return NULL;
        if (g.fn != WR_AGG_STRING_AGG) {
            if (!wr_check_key_type(m->c, args->at[1]->span, second)) return NULL;
        } else if (second.kind != WR_KIND_STRING) {
            wr_diag_add(m->c->diags, WR_DIAG_W0403, args->at[1]->span,
                        "the separator is a STRING, this is %s", wr_type_text(m->c, second));
            return NULL;
        }
    }
    if (call->u.call.filter && !check_filter(&a, call->u.call.filter, &g.filter)) return NULL;
    if (!wr_aggregate_type(m->c, call, (enum wr_aggregate_fn)g.fn, g.argument, &g.type))
        return NULL;
    g.set = (uint16_t)a.set;
    uint32_t number = add_aggregate(m, &g, call);
    return wr_match_read(m, b, (struct wr_input){.kind = WR_INPUT_AGGREGATE,
                                                 .final_ = wr_match_is_final(m, call->u.call.frame),
                                                 .set = g.set,
                                                 .column = (uint16_t)number,
                                                 .type = g.type});
}

/* ---- Functions of the match ------------------------------------------------------------------ */

static struct wr_ir *call_special(struct wr_match_lowering *m, struct wr_block *b,
                                  const struct wr_expr *call, enum wr_match_function function)
{
    if (!check_count(m->c, call, 0, 0) || refuse_extras(m->c, call)) return NULL;
    if (m->in_define) {
        wr_diag_add(m->c->diags, WR_DIAG_W0421, call->span,
                    "%.*s is known when a match is whole, not in a condition",
                    WR_SLICE_ARG(call_name(call)));
        return NULL;
    }
    struct wr_input in = {.kind = WR_INPUT_SPECIAL, .column = WR_SPECIAL_MATCH_ROWTIME,
                          .type = wr_type_of(WR_KIND_TIMESTAMP)};
    switch (function) {
    case WR_MATCH_ROWTIME: return wr_match_read(m, b, in);
    case WR_MATCH_ID:
        m->needs_ids = true;
        in.column = WR_SPECIAL_MATCH_ID;
        in.type = wr_type_of(WR_KIND_STRING);
        return wr_match_read(m, b, in);
    case WR_MATCH_NUMBER:
        in.column = WR_SPECIAL_MATCH_NUMBER;
        in.type = wr_type_of(WR_KIND_BIGINT);
        return wr_match_read(m, b, in);
    default:
        WR_ASSERT(function == WR_MATCH_STATUS);
        in.column = WR_SPECIAL_MATCH_STATUS;
        in.type = wr_type_of(WR_KIND_STRING);
        return wr_match_read(m, b, in);
    }
}

/* CLASSIFIER() by itself is that of the last row so far. */
static struct wr_ir *call_classifier(struct wr_match_lowering *m, struct wr_block *b,
                                     const struct wr_expr *call)
{
    struct navigation n = {.inside = "CLASSIFIER", .final_ = wr_match_is_final(m, WR_FRAME_DEFAULT)};
    return navigate_classifier(m, b, call, &n);
}

struct wr_ir *wr_match_call(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *call, bool *handled)
{
    struct wr_match_lowering *m = scope->context;
    enum wr_aggregate_fn fn;
    enum wr_match_function function = wr_match_function(call_name(call));
    WR_UNUSED(c);
    *handled = true;
    switch (function) {
    case WR_MATCH_FIRST:
    case WR_MATCH_LAST:
    case WR_MATCH_PREV:
    case WR_MATCH_NEXT: return call_navigation(m, b, call, function);
    case WR_MATCH_CLASSIFIER: return call_classifier(m, b, call);
    case WR_MATCH_NUMBER:
    case WR_MATCH_ID:
    case WR_MATCH_ROWTIME:
    case WR_MATCH_STATUS: return call_special(m, b, call, function);
    case WR_MATCH_NONE: break;
    }
    if (wr_aggregate_find(call_name(call), &fn)) return call_aggregate(m, b, call);
    *handled = false;
    return NULL;
}
