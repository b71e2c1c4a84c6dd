/* Calls: what the scope knows (aggregates, pattern functions), user functions, forms of the
 * language that look like functions, and the scalar functions of vm/builtins.def. */
#include "compiler/state.h"
#include "vm/builtin.h"

enum { FUNCTION_DEPTH_MAX = 100 };

/* ---- User functions: inlined ----------------------------------------------------------------- */

struct body { /* context of a function's body */
    const struct wr_function *function;
    struct wr_ir **argument; /* cast to the parameters' types */
};

static struct wr_ir *resolve_parameter(struct wr_compile *c, struct wr_scope *scope,
                                       struct wr_block *b, const struct wr_expr *name,
                                       bool *handled)
{
    const struct body *body = scope->context;
    const struct wr_statement *s = body->function->statement;
    struct wr_suggestion near;
    WR_UNUSED(b);
    *handled = true;
    wr_suggestion_init(&near, name->u.name.at[0].text);
    for (uint32_t i = 0; i < s->parameter_count; i++) {
        if (name->u.name.count == 1 && wr_ident_equal(s->parameter[i], name->u.name.at[0]))
            return body->argument[i];
        wr_suggestion_offer(&near, s->parameter[i].text);
    }
    struct wr_diag *d = wr_diag_add(
        c->diags, WR_DIAG_W0302, name->span, "the function '%.*s' has no parameter '%.*s'",
        WR_SLICE_ARG(s->name.text), WR_SLICE_ARG(wr_span_text(c->diags->sources, name->span)));
    struct wr_slice best = wr_suggestion_best(&near);
    if (best.size) wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
    return NULL;
}

static struct wr_ir *inline_body(struct wr_compile *c, struct wr_block *b, struct wr_function *f,
                                 struct wr_ir **argument)
{
    struct body body = {f, argument};
    struct wr_scope scope = {.context = &body,
                             .resolve = resolve_parameter,
                             .aggregates_refused = "in the body of a function"};
    f->open = true;
    c->state->function_depth++;
    struct wr_ir *ir = wr_check_expr(c, &scope, b, f->statement->value);
    c->state->function_depth--;
    f->open = false;
    if (!ir) return NULL;
    bool reported = false;
    struct wr_ir *result = wr_coerce(c, b, ir, f->returns, &reported);
    if (!result && !reported) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0413, f->statement->value->span,
                                        "the function '%.*s' returns %s, its body gives %s",
                                        WR_SLICE_ARG(f->statement->name.text),
                                        wr_type_text(c, f->returns), wr_type_text(c, ir->type));
        wr_diag_second(c->diags, d, f->statement->type->span, "declared here");
    }
    return result;
}

/* The body is checked once, with columns in place of arguments; a call then cannot go wrong inside.
 */
bool wr_check_function(struct wr_compile *c, struct wr_function *f)
{
    if (f->checked) return f->ok;
    uint32_t n = f->statement->parameter_count;
    struct wr_block *b = wr_block_new(c);
    struct wr_ir **argument = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    for (uint32_t i = 0; i < n; i++)
        argument[i] = wr_ir_input(
            b,
            (struct wr_input){.kind = WR_INPUT_COLUMN, .column = (uint16_t)i, .type = f->type[i]});
    bool ok = inline_body(c, b, f, argument) != NULL;
    f->ok &= ok;
    f->checked = true;
    return f->ok;
}

static struct wr_ir *call_function(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                   const struct wr_expr *expr, struct wr_function *f)
{
    const struct wr_statement *s = f->statement;
    const struct wr_expr_list *args = &expr->u.call.args;
    f->used = true;
    if (f->open || c->state->function_depth >= FUNCTION_DEPTH_MAX) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0313, expr->span,
                                        f->open ? "the function '%.*s' uses itself"
                                                : "functions are nested too deeply at '%.*s'",
                                        WR_SLICE_ARG(s->name.text));
        wr_diag_second(c->diags, d, s->name.span, "declared here");
        return NULL;
    }
    if (args->count != s->parameter_count) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0404, expr->span,
                                        "'%.*s' takes %u argument%s, not %u",
                                        WR_SLICE_ARG(s->name.text), s->parameter_count,
                                        s->parameter_count == 1 ? "" : "s", args->count);
        wr_diag_second(c->diags, d, s->name.span, "declared here");
        return NULL;
    }
    struct wr_ir **argument = WR_NEW_ARRAY(c->arena, struct wr_ir *, args->count + 1);
    bool ok = wr_check_function(c, f);
    for (uint32_t i = 0; i < args->count; i++) {
        bool reported = false;
        struct wr_ir *ir = wr_check_expr(c, scope, b, args->at[i]);
        if (!ir || f->type[i].kind == WR_KIND_ERROR) {
            ok = false;
            continue;
        }
        argument[i] = wr_coerce(c, b, ir, f->type[i], &reported);
        if (!argument[i] && !reported) {
            struct wr_diag *d = wr_diag_add(
                c->diags, WR_DIAG_W0403, args->at[i]->span, "'%.*s' takes %s here, this is %s",
                WR_SLICE_ARG(s->name.text), wr_type_text(c, f->type[i]), wr_type_text(c, ir->type));
            wr_diag_second(c->diags, d, s->parameter[i].span, "declared here");
        }
        ok &= argument[i] != NULL;
    }
    return ok ? inline_body(c, b, f, argument) : NULL;
}

/* ---- Forms that look like functions ---------------------------------------------------------- */

static bool wrong_count(struct wr_compile *c, const struct wr_expr *expr, const char *takes)
{
    wr_diag_add(c->diags, WR_DIAG_W0404, expr->span, "%.*s takes %s, not %u",
                WR_SLICE_ARG(expr->u.call.name.text), takes, expr->u.call.args.count);
    return false;
}

static struct wr_ir **check_arguments(struct wr_compile *c, struct wr_scope *scope,
                                      struct wr_block *b, const struct wr_expr *expr,
                                      struct wr_span **span)
{
    const struct wr_expr_list *args = &expr->u.call.args;
    struct wr_ir **ir = WR_NEW_ARRAY(c->arena, struct wr_ir *, args->count + 1);
    *span = WR_NEW_ARRAY(c->arena, struct wr_span, args->count + 1);
    bool ok = true;
    for (uint32_t i = 0; i < args->count; i++) {
        ir[i] = wr_check_expr(c, scope, b, args->at[i]);
        (*span)[i] = args->at[i]->span;
        ok &= ir[i] != NULL;
    }
    return ok ? ir : NULL;
}

static struct wr_ir *check_coalesce(struct wr_compile *c, struct wr_scope *scope,
                                    struct wr_block *b, const struct wr_expr *expr)
{
    uint32_t n = expr->u.call.args.count;
    struct wr_span *span;
    struct wr_type type;
    if (n == 0) return wrong_count(c, expr, "at least one argument"), NULL;
    struct wr_ir **arg = check_arguments(c, scope, b, expr, &span);
    if (!arg || !wr_common_type(c, arg, span, n, "the arguments of COALESCE", &type) ||
        !wr_all_to_type(c, b, arg, span, n, "the arguments of COALESCE", type))
        return NULL;
    struct wr_ir *ir = arg[n - 1];
    for (uint32_t i = n - 1; i-- > 0;) {
        struct wr_ir *pair[2] = {arg[i], ir};
        struct wr_value value;
        if (wr_ir_is_constant(arg[i], &value)) ir = value.flag == WR_FLAG_NULL ? ir : arg[i];
        else
            ir = wr_ir_op(b, wr_op_of(WR_OP_COALESCE_BOOL, wr_type_class(type)), 0, 0, type, pair,
                          2);
    }
    return ir;
}

static struct wr_ir *check_nullif(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                  const struct wr_expr *expr)
{
    struct wr_span *span;
    if (expr->u.call.args.count != 2) return wrong_count(c, expr, "2 arguments"), NULL;
    struct wr_ir **arg = check_arguments(c, scope, b, expr, &span);
    if (!arg) return NULL;
    struct wr_ir *equal = wr_compare_checked(c, b, WR_BINARY_EQ, arg[0], arg[1], expr->span);
    return equal ? wr_ir_select(b, equal, wr_ir_null(b, arg[0]->type), arg[0]) : NULL;
}

static struct wr_ir *check_now(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                               const struct wr_expr *expr)
{
    WR_UNUSED(scope);
    if (expr->u.call.args.count) return wrong_count(c, expr, "no arguments"), NULL;
    return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_SPECIAL,
                                            .column = WR_SPECIAL_EVENT_TIME,
                                            .type = wr_type_of(WR_KIND_TIMESTAMP)});
}

static const struct {
    const char *name;
    struct wr_ir *(*check)(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                           const struct wr_expr *expr);
} forms[] = {
    {"COALESCE", check_coalesce}, {"IFNULL", check_coalesce},       {"NULLIF", check_nullif},
    {"NOW", check_now},           {"CURRENT_TIMESTAMP", check_now},
};

static const char *const pattern_functions[] = {
    "PREV", "NEXT", "CLASSIFIER", "MATCH_NUMBER", "MATCH_ID", "MATCH_STATUS", "MATCH_ROWTIME"};
static const char *const window_functions[] = {
    "TUMBLE",     "HOP",       "CUMULATE", "SESSION",        "TUMBLE_START",
    "TUMBLE_END", "HOP_START", "HOP_END",  "TUMBLE_ROWTIME", "HOP_ROWTIME"};

static bool is_one_of(struct wr_slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(list[i]), name)) return true;
    return false;
}

/* ---- Scalar functions ------------------------------------------------------------------------ */

static void unknown_function(struct wr_compile *c, const struct wr_expr *expr)
{
    struct wr_suggestion near;
    struct wr_slice name = expr->u.call.name.text;
    if (c->state->parse_failed) return;
    wr_suggestion_init(&near, name);
    for (unsigned i = 0; i < WR_BUILTIN_COUNT; i++) {
        struct wr_slice candidate = wr_slice_cstr(wr_builtin_info((enum wr_builtin)i)->name);
        /* Overloads of one name follow each other; one offer is enough (a second would be a tie).
         */
        if (i && wr_slice_equal(candidate,
                                wr_slice_cstr(wr_builtin_info((enum wr_builtin)(i - 1))->name)))
            continue;
        wr_suggestion_offer(&near, candidate);
    }
    for (size_t i = 0; i < WR_COUNT(forms); i++)
        wr_suggestion_offer(&near, wr_slice_cstr(forms[i].name));
    wr_aggregates_offer(&near);
    wr_names_offer(c->state->function_names, &near);
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0304, expr->u.call.name.span,
                                    "there is no function '%.*s'", WR_SLICE_ARG(name));
    struct wr_slice best = wr_suggestion_best(&near);
    if (wr_foreign_function(c, d, name)) return;
    if (best.size) wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
}

/* The code of a bad constant argument, by what it is. */
static enum wr_diag_code constant_code(enum wr_builtin builtin, struct wr_slice name, int argument)
{
    static const struct {
        const char *name;
        int8_t argument; /* -1: any */
        uint16_t code;
    } codes[] = {
        {"REGEXP", -1, WR_DIAG_W0505},      {"LIKE", -1, WR_DIAG_W0506},
        {"EXTRACT", 0, WR_DIAG_W0318},      {"DATE_TRUNC", 0, WR_DIAG_W0318},
        {"EXTRACT", 2, WR_DIAG_W0319},      {"DATE_TRUNC", 2, WR_DIAG_W0319},
        {"TO_TIMESTAMP", 2, WR_DIAG_W0319}, {"FORMAT_TIMESTAMP", 2, WR_DIAG_W0319},
        {"TO_TIMESTAMP", 1, WR_DIAG_W0514}, {"FORMAT_TIMESTAMP", 1, WR_DIAG_W0514},
        {"JSON_VALUE", 1, WR_DIAG_W0513},   {"JSON_QUERY", 1, WR_DIAG_W0513},
    };
    if (builtin == WR_BUILTIN_TO_TIMESTAMP_NUMBER) return WR_DIAG_W0318;
    for (size_t i = 0; i < WR_COUNT(codes); i++)
        if ((codes[i].argument < 0 || codes[i].argument == argument) &&
            wr_slice_equal_nocase(wr_slice_cstr(codes[i].name), name))
            return (enum wr_diag_code)codes[i].code;
    return WR_DIAG_W0515;
}

static void unresolved(struct wr_compile *c, struct wr_slice name, struct wr_span whole,
                       struct wr_span const *span, const struct wr_type *type, unsigned n,
                       enum wr_resolution why, const struct wr_builtin_call *call)
{
    const struct wr_builtin_info *info = wr_builtin_info(call->builtin);
    struct wr_span at = call->bad < n ? span[call->bad] : whole;
    struct wr_diag *d;
    if (why == WR_RESOLVE_COUNT) {
        d = wr_diag_add(c->diags, WR_DIAG_W0404, whole, "%.*s does not take %u argument%s",
                        WR_SLICE_ARG(name), n, n == 1 ? "" : "s");
    } else if (why == WR_RESOLVE_CONSTANT) {
        d = wr_diag_add(c->diags, WR_DIAG_W0512, at, "this argument of %.*s is a constant",
                        WR_SLICE_ARG(name));
    } else {
        const char *text = wr_type_text(c, type[call->bad < n ? call->bad : 0]);
        d = wr_diag_add(c->diags, WR_DIAG_W0403, at, "%.*s does not take %s here",
                        WR_SLICE_ARG(name), text);
        wr_diag_label(c->diags, d, "%s", text);
    }
    wr_diag_help(c->diags, d, "%s", info->signature);
}

/* Whole-number arguments that no row could be computed with. */
static bool check_ranges(struct wr_compile *c, struct wr_slice name, struct wr_span const *span,
                         const struct wr_value *const *constant, unsigned n)
{
    static const struct {
        const char *name;
        unsigned argument;
        int64_t least, greatest;
        const char *takes;
    } ranges[] = {
        {"ROUND", 1, -38, 38, "ROUND takes -38 to 38 places"},
        {"SUBSTRING", 2, 0, INT64_MAX, "a length is 0 or more"},
        {"SUBSTR", 2, 0, INT64_MAX, "a length is 0 or more"},
    };
    for (size_t i = 0; i < WR_COUNT(ranges); i++) {
        unsigned k = ranges[i].argument;
        if (k >= n || !constant[k] || constant[k]->flag != WR_FLAG_VALUE ||
            constant[k]->cls != WR_CLASS_I64 ||
            !wr_slice_equal_nocase(wr_slice_cstr(ranges[i].name), name))
            continue;
        if (constant[k]->u.i64 >= ranges[i].least && constant[k]->u.i64 <= ranges[i].greatest)
            continue;
        wr_diag_add(c->diags, WR_DIAG_W0515, span[k], "%s", ranges[i].takes);
        return false;
    }
    return true;
}

struct wr_ir *wr_check_builtin(struct wr_compile *c, struct wr_block *b, struct wr_slice name,
                               struct wr_span whole, struct wr_ir **arg, struct wr_span const *span,
                               unsigned n, bool *no_name)
{
    struct wr_type *type = WR_NEW_ARRAY(c->arena, struct wr_type, n + 1),
                   *want = WR_NEW_ARRAY(c->arena, struct wr_type, n + 1);
    const struct wr_value **constant = WR_NEW_ARRAY(c->arena, const struct wr_value *,
                                                    n + WR_CALL_HIDDEN_MAX + 1);
    struct wr_builtin_call call = {0};
    *no_name = false;
    if (n + WR_CALL_HIDDEN_MAX > WR_CALL_ARGUMENTS_MAX) {
        wr_diag_add(c->diags, WR_DIAG_W0404, whole, "a function takes at most %d arguments",
                    WR_CALL_ARGUMENTS_MAX - WR_CALL_HIDDEN_MAX);
        return NULL;
    }
    for (unsigned i = 0; i < n; i++) {
        type[i] = arg[i]->type;
        constant[i] = wr_ir_is_constant(arg[i], NULL) ? &arg[i]->u.constant.value : NULL;
    }
    enum wr_resolution why = wr_builtin_resolve(name, type, constant, n, want, &call);
    if (why == WR_RESOLVE_NO_NAME) {
        *no_name = true;
        return NULL;
    }
    if (why != WR_RESOLVED) {
        unresolved(c, name, whole, span, type, n, why, &call);
        return NULL;
    }
    struct wr_ir **full = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + call.hidden_count + 1);
    for (unsigned i = 0; i < n; i++) {
        bool reported = false;
        struct wr_ir *ir = wr_coerce(c, b, arg[i], want[i], &reported);
        if (!ir && !reported) ir = wr_ir_cast(b, arg[i], want[i], true, false);
        if (!ir) return NULL;
        full[i] = ir;
        constant[i] = wr_ir_is_constant(ir, NULL) ? &ir->u.constant.value : NULL;
    }
    for (unsigned i = 0; i < call.hidden_count; i++)
        full[n + i] = wr_ir_i64(b, wr_type_of(WR_KIND_BIGINT), call.hidden[i]);
    if (!check_ranges(c, name, span, constant, n)) return NULL;
    char message[256];
    int bad = wr_builtin_check_constants(call.builtin, constant, n, message, sizeof message);
    if (bad >= 0) {
        enum wr_diag_code code = constant_code(call.builtin, name, bad);
        wr_diag_add(c->diags, code, (unsigned)bad < n ? span[bad] : whole, "%s", message);
        return NULL;
    }
    return wr_ir_call(b, call.builtin, call.result, full, n + call.hidden_count);
}

/* The pattern of a LIKE as far as it is constant: the escape is one character, and stands before %,
 * _ or itself. */
static bool check_escape(struct wr_compile *c, struct wr_ir *const *arg, struct wr_span const *span,
                         unsigned n)
{
    struct wr_value pattern, escape;
    if (n < 3 || !wr_ir_is_constant(arg[2], &escape) || escape.flag != WR_FLAG_VALUE ||
        arg[2]->type.kind != WR_KIND_STRING)
        return true;
    if (wr_utf8_length(escape.u.str) != 1) {
        wr_diag_add(c->diags, WR_DIAG_W0506, span[2], "ESCAPE takes one character");
        return false;
    }
    if (!wr_ir_is_constant(arg[1], &pattern) || pattern.flag != WR_FLAG_VALUE ||
        arg[1]->type.kind != WR_KIND_STRING)
        return true;
    struct wr_slice p = pattern.u.str, e = escape.u.str;
    for (size_t i = 0; i + e.size <= p.size;) {
        if (memcmp(p.data + i, e.data, e.size) != 0) {
            i++;
            continue;
        }
        i += e.size;
        bool itself = i + e.size <= p.size && memcmp(p.data + i, e.data, e.size) == 0;
        if (itself || (i < p.size && (p.data[i] == '%' || p.data[i] == '_'))) {
            i += itself ? e.size : 1;
            continue;
        }
        wr_diag_add(c->diags, WR_DIAG_W0506, span[1],
                    "the escape '%.*s' stands before %%, _ or itself", WR_SLICE_ARG(e));
        return false;
    }
    return true;
}

struct wr_ir *wr_check_like(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *expr)
{
    const struct wr_expr *part[3] = {expr->u.like.operand, expr->u.like.pattern,
                                     expr->u.like.escape};
    struct wr_ir *arg[3];
    struct wr_span span[3];
    unsigned n = part[2] ? 3 : 2;
    bool ok = true, no_name;
    for (unsigned i = 0; i < n; i++) {
        arg[i] = wr_check_expr(c, scope, b, part[i]);
        span[i] = part[i]->span;
        ok &= arg[i] != NULL;
    }
    if (!ok || (!expr->u.like.regexp && !check_escape(c, arg, span, n))) return NULL;
    struct wr_slice name = expr->u.like.regexp ? WR_SLICE("REGEXP") : WR_SLICE("LIKE");
    struct wr_ir *ir = wr_check_builtin(c, b, name, expr->span, arg, span, n, &no_name);
    return ir && expr->u.like.negated ? wr_ir_not(b, ir) : ir;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static bool refuse_extras(struct wr_compile *c, const struct wr_expr *expr)
{
    const char *what = expr->u.call.distinct      ? "DISTINCT"
                       : expr->u.call.filter      ? "FILTER"
                       : expr->u.call.order.count ? "ORDER BY"
                       : expr->u.call.over        ? "OVER"
                                                  : NULL;
    if (what) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0412, expr->span,
                                        "%s stands with an aggregate, '%.*s' is none", what,
                                        WR_SLICE_ARG(expr->u.call.name.text));
        wr_foreign_function(c, d, expr->u.call.name.text);
        return true;
    }
    if (expr->u.call.frame != WR_FRAME_DEFAULT) {
        wr_diag_add(c->diags, WR_DIAG_W0809, expr->span,
                    "RUNNING and FINAL stand before an aggregate, FIRST or LAST "
                    "in MEASURES");
        return true;
    }
    for (uint32_t i = 0; expr->u.call.arg_name && i < expr->u.call.args.count; i++)
        if (expr->u.call.arg_name[i].text.size) {
            wr_diag_add(c->diags, WR_DIAG_W0312, expr->u.call.arg_name[i].span,
                        "'%.*s' has no argument '%.*s'", WR_SLICE_ARG(expr->u.call.name.text),
                        WR_SLICE_ARG(expr->u.call.arg_name[i].text));
            return true;
        }
    return false;
}

static bool refuse_place(struct wr_compile *c, struct wr_scope *scope, const struct wr_expr *expr)
{
    struct wr_slice name = expr->u.call.name.text;
    enum wr_aggregate_fn fn;
    if (wr_aggregate_find(name, &fn)) {
        if (expr->u.call.over) wr_not_yet(c, expr->u.call.over->span, "OVER");
        else
            wr_diag_add(c->diags, WR_DIAG_W0410, expr->span, "the aggregate %.*s cannot stand %s",
                        WR_SLICE_ARG(name),
                        scope->aggregates_refused ? scope->aggregates_refused : "here");
        return true;
    }
    if (wr_slice_equal_nocase(name, WR_SLICE("ROW_NUMBER"))) {
        wr_not_yet(c, expr->span, "ROW_NUMBER() OVER (…)");
        return true;
    }
    if (is_one_of(name, pattern_functions, WR_COUNT(pattern_functions))) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0421, expr->span,
                                        "%.*s stands in the DEFINE and SELECT of a pattern", WR_SLICE_ARG(name));
        if (!scope->call && (wr_slice_equal_nocase(name, WR_SLICE("PREV")) || wr_slice_equal_nocase(name, WR_SLICE("NEXT"))))
            wr_diag_help(c->diags, d, "PATTERN p FROM s PARTITION BY k MATCH a SELECT %.*s(a.x) AS beside, a.x",
                         WR_SLICE_ARG(name));
        return true;
    }
    if (is_one_of(name, window_functions, WR_COUNT(window_functions))) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0421, expr->span,
                                        "%.*s is no function of values", WR_SLICE_ARG(name));
        wr_diag_help(
            c->diags, d,
            "windows stand in FROM: FROM TUMBLE(s, at, 1m) … GROUP BY window_start, window_end");
        return true;
    }
    return false;
}

struct wr_ir *wr_check_call(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *expr)
{
    if (scope->call) {
        bool handled = true;
        struct wr_ir *ir = scope->call(c, scope, b, expr, &handled);
        if (ir || handled) return ir;
    }
    if (refuse_place(c, scope, expr) || refuse_extras(c, expr)) return NULL;
    uint32_t number = wr_names_find(c->state->function_names, &expr->u.call.name);
    if (number != WR_NONE) return call_function(c, scope, b, expr, c->state->function.at[number]);
    for (size_t i = 0; i < WR_COUNT(forms); i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(forms[i].name), expr->u.call.name.text))
            return forms[i].check(c, scope, b, expr);
    struct wr_span *span;
    struct wr_ir **arg = check_arguments(c, scope, b, expr, &span);
    bool no_name = false;
    if (!arg) {
        /* The name is looked at even where an argument is wrong: both are the user's to mend. */
        for (unsigned i = 0; i < WR_BUILTIN_COUNT; i++)
            if (wr_slice_equal_nocase(wr_slice_cstr(wr_builtin_info((enum wr_builtin)i)->name),
                                      expr->u.call.name.text))
                return NULL;
        unknown_function(c, expr);
        return NULL;
    }
    if (expr->u.call.args.count == 2 && arg[0]->type.kind == WR_KIND_ARRAY &&
        wr_slice_equal_nocase(WR_SLICE("CONTAINS"), expr->u.call.name.text))
        return wr_array_contains(c, b, arg[0], arg[1], span[1]);
    struct wr_ir *ir = wr_check_builtin(c, b, expr->u.call.name.text, expr->span, arg, span,
                                        expr->u.call.args.count, &no_name);
    if (no_name) unknown_function(c, expr);
    return ir;
}
