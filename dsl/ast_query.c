/* Constructors of inputs (FROM) and queries. Patterns and their clauses are in ast_match.c. */
#include "dsl/build.h"

struct wr_select_item *wr_item_new(struct wr_parse *parse, struct wr_expr *expr, struct wr_ident alias,
                                   struct wr_span span)
{
    struct wr_select_item *item = WR_NEW(parse->arena, struct wr_select_item);
    *item = (struct wr_select_item){expr, alias, span};
    return item;
}

/* ---- FROM ----------------------------------------------------------------------------------------- */

static struct wr_from *make(struct wr_parse *parse, enum wr_from_kind kind, struct wr_ident alias,
                            struct wr_span span) {
    struct wr_from *from = WR_NEW(parse->arena, struct wr_from);
    from->kind = kind;
    from->depth = 1;
    from->alias = alias;
    from->span = span;
    return from;
}

/* An ERROR in its place when the tree would become too deep to walk. */
static struct wr_from *bounded(struct wr_parse *parse, struct wr_from *from, uint32_t below)
{
    from->depth = below + 1;
    if (from->depth <= WR_AST_DEPTH_MAX) return from;
    struct wr_span place = {from->span.file, from->span.end - 1, from->span.end};
    wr_parse_error(parse, WR_DIAG_W0202, place, "query is nested more than %d deep", WR_AST_DEPTH_MAX);
    return make(parse, WR_FROM_ERROR, from->alias, from->span);
}

struct wr_from *wr_from_name(struct wr_parse *parse, struct wr_ident name, struct wr_expr *as_of,
                             struct wr_ident alias, struct wr_span span) {
    struct wr_from *from = make(parse, WR_FROM_NAME, alias, span);
    from->name = name;
    from->join.as_of = as_of; /* wr_from_join takes it from here */
    return from;
}

struct wr_from *wr_from_file(struct wr_parse *parse, struct wr_span text, struct wr_ident alias, struct wr_span span)
{
    struct wr_from *from = make(parse, WR_FROM_FILE, alias, span);
    from->file = wr_string_at(parse, text);
    return from;
}

struct wr_from *wr_from_query(struct wr_parse *parse, struct wr_query *query, struct wr_ident alias,
                              struct wr_span span) {
    struct wr_from *from = make(parse, WR_FROM_QUERY, alias, span);
    from->query = query;
    return bounded(parse, from, query->depth);
}

static void refuse_as_of(struct wr_parse *parse, struct wr_from *from)
{
    if (from->kind != WR_FROM_NAME || !from->join.as_of) return;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0205, from->span,
                                       "FOR SYSTEM_TIME AS OF stands with the right side of a JOIN");
    wr_diag_help(parse->diags, d, "write orders JOIN %.*s FOR SYSTEM_TIME AS OF orders.at ON …",
                 WR_SLICE_ARG(from->name.text));
    from->join.as_of = NULL;
}

struct wr_from *wr_from_union(struct wr_parse *parse, struct wr_list *inputs, struct wr_ident alias,
                              struct wr_span span) {
    struct wr_from *from = make(parse, WR_FROM_UNION, alias, span);
    from->input = (struct wr_from **)(void *)inputs->at;
    from->input_count = inputs->count;
    uint32_t below = 0;
    for (uint32_t i = 0; i < inputs->count; i++) {
        refuse_as_of(parse, from->input[i]);
        below = WR_MAX(below, from->input[i]->depth);
    }
    return bounded(parse, from, below);
}

/* The input of a window as its first argument says it. */
static struct wr_from *window_input(struct wr_parse *parse, const struct wr_arg *arg)
{
    if (arg->from) return arg->from;
    if (arg->expr->kind == WR_EXPR_NAME && arg->expr->u.name.count == 1)
        return wr_from_name(parse, arg->expr->u.name.at[0], NULL, wr_ident_none(arg->span), arg->span);
    if (arg->expr->kind == WR_EXPR_SUBQUERY)
        return wr_from_query(parse, arg->expr->u.query, wr_ident_none(arg->span), arg->span);
    if (arg->expr->kind != WR_EXPR_ERROR)
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0222, arg->span, "expected the stream that the window lies over"),
                     "write TUMBLE(stream, time, 1m)");
    return make(parse, WR_FROM_ERROR, wr_ident_none(arg->span), arg->span);
}

/* `at` or DESCRIPTOR(at); false when the argument is neither. */
static bool window_time(const struct wr_arg *arg, struct wr_ident *time)
{
    const struct wr_expr *expr = arg->expr;
    if (!expr) return false;
    if (expr->kind == WR_EXPR_CALL && expr->u.call.args.count == 1 &&
        wr_slice_equal_nocase(expr->u.call.name.text, WR_SLICE("DESCRIPTOR")))
        expr = expr->u.call.args.at[0];
    if (expr->kind != WR_EXPR_NAME || expr->u.name.count != 1) return false;
    *time = expr->u.name.at[0];
    return true;
}

static bool named(const struct wr_arg *arg, const char *name)
{
    return wr_slice_equal_nocase(arg->name.text, wr_slice_cstr(name));
}

struct wr_from *wr_from_window(struct wr_parse *parse, struct wr_ident function, struct wr_list *args, bool long_form,
                               struct wr_ident alias, struct wr_span span)
{
    struct wr_from *from = make(parse, WR_FROM_WINDOW, alias, span);
    const struct wr_arg *arg = (const struct wr_arg *)(void *)args->at;
    bool counted = wr_slice_equal_nocase(function.text, WR_SLICE("ROWS")), has_time = counted;
    from->window.function = function;
    from->window.time = wr_ident_none(span);
    from->window.long_form = long_form;
    from->window.args.at = WR_NEW_ARRAY(parse->arena, struct wr_expr *, args->count);
    from->input = WR_NEW_ARRAY(parse->arena, struct wr_from *, 1);
    for (uint32_t i = 0; i < args->count; i++) {
        if (!from->input_count && (!arg[i].name.text.size || named(&arg[i], "DATA"))) {
            from->input[from->input_count++] = window_input(parse, &arg[i]);
            continue;
        }
        if (!has_time && (!arg[i].name.text.size || named(&arg[i], "TIMECOL"))) {
            has_time = true;
            if (!window_time(&arg[i], &from->window.time))
                wr_diag_help(parse->diags,
                             wr_parse_error(parse, WR_DIAG_W0222, arg[i].span,
                                            "expected the time column of the window"),
                             "write %.*s(stream, time, …)", WR_SLICE_ARG(function.text));
            continue;
        }
        if (arg[i].from) {
            wr_parse_error(parse, WR_DIAG_W0222, arg[i].span, "a window lies over one input");
            continue;
        }
        uint32_t n = from->window.args.count++;
        from->window.args.at[n] = arg[i].expr;
        if (arg[i].name.text.size) {
            if (!from->window.arg_name)
                from->window.arg_name = WR_NEW_ARRAY(parse->arena, struct wr_ident, args->count);
            from->window.arg_name[n] = arg[i].name;
        } else if (from->window.arg_name) {
            wr_parse_error(parse, WR_DIAG_W0225, arg[i].span,
                           "an argument without a name stands behind one with a name");
        }
    }
    if (!from->input_count || !has_time) {
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0222, span, "the window lacks its %s",
                                                  from->input_count ? "time column" : "input"),
                     "write %.*s(stream, time, …)", WR_SLICE_ARG(function.text));
        return make(parse, WR_FROM_ERROR, alias, span);
    }
    return bounded(parse, from, from->input[0]->depth);
}

struct wr_from *wr_from_join(struct wr_parse *parse, struct wr_from *left, enum wr_join_kind kind,
                             struct wr_from *right, struct wr_expr *on, struct wr_span span) {
    struct wr_from *from = make(parse, WR_FROM_JOIN, wr_ident_none(span), span);
    refuse_as_of(parse, left);
    from->join.kind = kind;
    from->join.left = left;
    from->join.right = right;
    from->join.on = on;
    if (right->kind == WR_FROM_NAME) {
        from->join.as_of = right->join.as_of;
        right->join.as_of = NULL;
    }
    if (!on && kind != WR_JOIN_CROSS && right->kind != WR_FROM_ERROR)
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0217, right->span, "the JOIN lacks its ON"),
                     "write JOIN b ON a.k = b.k AND b.at BETWEEN a.at AND a.at + 5m");
    return bounded(parse, from, WR_MAX(left->depth, right->depth));
}

struct wr_from *wr_from_comma(struct wr_parse *parse, struct wr_from *left, struct wr_from *right,
                              struct wr_span comma, struct wr_span span) {
    WR_UNUSED(right);
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, comma, "inputs are not listed with commas");
    wr_diag_help(parse->diags, d, "FROM (a, b) reads the rows of both: PATTERN p FROM (a, b) PARTITION BY (a.k, b.k) "
                                  "MATCH a -> b WITHIN 5m SELECT …");
    return make(parse, WR_FROM_ERROR, left->alias, span);
}

struct wr_from *wr_from_whole(struct wr_parse *parse, struct wr_from *from)
{
    refuse_as_of(parse, from);
    return from;
}

/* ---- Queries --------------------------------------------------------------------------------------- */

static struct wr_query *new_query(struct wr_parse *parse, enum wr_query_kind kind, struct wr_span span)
{
    struct wr_query *query = WR_NEW(parse->arena, struct wr_query);
    query->kind = kind;
    query->depth = 1;
    query->span = span;
    query->late_into = wr_ident_none(span);
    return query;
}

/* Clauses of a SELECT by their order; EMIT and LATE may change places. */
static const struct {
    const char *name;
    int rank;
} select_clauses[WR_CLAUSE_COUNT] = {
    [WR_CLAUSE_WHERE] = {"WHERE", 1}, [WR_CLAUSE_GROUP] = {"GROUP BY", 2}, [WR_CLAUSE_HAVING] = {"HAVING", 3},
    [WR_CLAUSE_ORDER] = {"ORDER BY", 4}, [WR_CLAUSE_LIMIT] = {"LIMIT", 5}, [WR_CLAUSE_EMIT] = {"EMIT", 6},
    [WR_CLAUSE_LATE] = {"LATE", 6}};

static void put_clause(struct wr_query *query, const struct wr_clause *clause)
{
    struct wr_select *select = query->select;
    if (clause->kind == WR_CLAUSE_WHERE) {
        select->where = clause->expr;
    } else if (clause->kind == WR_CLAUSE_GROUP) {
        select->group = wr_list_exprs(clause->list);
        select->group_span = clause->span;
    } else if (clause->kind == WR_CLAUSE_HAVING) {
        select->having = clause->expr;
    } else if (clause->kind == WR_CLAUSE_ORDER) {
        query->order = wr_list_orders(clause->list);
        query->order_span = clause->span;
    } else if (clause->kind == WR_CLAUSE_LIMIT) {
        query->limit = clause->expr;
        query->limit_span = clause->span;
    } else if (clause->kind == WR_CLAUSE_EMIT) {
        query->emit = (enum wr_emit_kind)clause->choice;
        query->emit_every = clause->expr;
        query->emit_span = clause->span;
    } else if (clause->kind == WR_CLAUSE_LATE) {
        query->late = clause->expr;
        query->late_into = clause->name;
        query->late_span = clause->span;
    }
}

struct wr_query *wr_query_select(struct wr_parse *parse, bool distinct, struct wr_span distinct_span,
                                 struct wr_list *items, struct wr_from *from, struct wr_list *clauses,
                                 struct wr_span span)
{
    struct wr_query *query = new_query(parse, WR_QUERY_SELECT, span);
    struct wr_select *select = query->select = WR_NEW(parse->arena, struct wr_select);
    select->distinct = distinct;
    select->distinct_span = distinct_span;
    select->item = (struct wr_select_item *)(void *)items->at;
    select->item_count = items->count;
    select->from = from;
    select->span = span;
    struct wr_clause **clause = (struct wr_clause **)(void *)clauses->at;
    const struct wr_clause *seen[WR_CLAUSE_COUNT] = {NULL}, *latest = NULL;
    for (uint32_t i = 0; i < clauses->count; i++) {
        const struct wr_clause *c = clause[i];
        if (seen[c->kind]) {
            struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0204, c->span, "%s is given twice",
                                               select_clauses[c->kind].name);
            wr_diag_second(parse->diags, d, seen[c->kind]->span, "the first one");
            continue;
        }
        if (latest && select_clauses[c->kind].rank < select_clauses[latest->kind].rank) {
            struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0205, c->span, "%s stands before %s",
                                               select_clauses[c->kind].name, select_clauses[latest->kind].name);
            wr_diag_second(parse->diags, d, latest->span, "%s is here", select_clauses[latest->kind].name);
        }
        if (!latest || select_clauses[c->kind].rank >= select_clauses[latest->kind].rank) latest = c;
        seen[c->kind] = c;
        put_clause(query, c);
    }
    query->depth = (from ? from->depth : 0) + 1;
    return query;
}

struct wr_query *wr_query_union(struct wr_parse *parse, struct wr_query *left, struct wr_query *right, bool all,
                                struct wr_span op, struct wr_span span)
{
    struct wr_query *query = new_query(parse, WR_QUERY_UNION_ALL, span);
    query->left = left;
    query->right = right;
    query->depth = WR_MAX(left->depth, right->depth) + 1;
    if (left->with_count && !left->parenthesised) { /* WITH stands before the whole union */
        query->with = left->with;
        query->with_count = left->with_count;
        left->with = NULL;
        left->with_count = 0;
    }
    if (!all)
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0201, op, "UNION alone would have to remember every row"),
                     "write UNION ALL, which keeps all rows");
    if (query->depth > WR_AST_DEPTH_MAX) {
        wr_parse_error(parse, WR_DIAG_W0202, op, "query is nested more than %d deep", WR_AST_DEPTH_MAX);
        return new_query(parse, WR_QUERY_ERROR, span);
    }
    return query;
}

struct wr_query *wr_query_with(struct wr_list *with, struct wr_query *query, struct wr_span span)
{
    query->with = (struct wr_with *)(void *)with->at;
    query->with_count = with->count;
    query->span = span;
    for (uint32_t i = 0; i < with->count; i++)
        query->depth = WR_MAX(query->depth, query->with[i].query->depth + 1);
    return query;
}

struct wr_query *wr_query_parens(struct wr_query *query, struct wr_span span)
{
    query->parenthesised = true;
    query->span = span;
    return query;
}

struct wr_with *wr_with_new(struct wr_parse *parse, struct wr_ident name, struct wr_query *query)
{
    struct wr_with *with = WR_NEW(parse->arena, struct wr_with);
    *with = (struct wr_with){name, query};
    return with;
}
