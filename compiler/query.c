/* Queries: FROM, WHERE, select lists, WITH, UNION ALL, patterns in FROM and in their short form. */
#include "compiler/state.h"

/* ---- FROM ------------------------------------------------------------------------------------ */

static void unknown_input(struct wr_compile *c, const struct wr_ident *name,
                          const struct wr_with_scope *with)
{
    struct wr_suggestion near;
    if (c->state->parse_failed) return;
    bool function = wr_names_find(c->state->function_names, name) != WR_NONE;
    uint32_t pattern = wr_names_find(c->state->pattern_names, name);
    if (function || pattern != WR_NONE) {
        struct wr_diag *d = wr_diag_add(
            c->diags, WR_DIAG_W0314, name->span, "'%.*s' is a %s, and has no rows to read",
            WR_SLICE_ARG(name->text), function ? "function" : "pattern");
        if (pattern != WR_NONE)
            wr_diag_help(c->diags, d, "its matches go into '%.*s': read that",
                         WR_SLICE_ARG(c->state->tree->statement[pattern].name.text));
        return;
    }
    wr_suggestion_init(&near, name->text);
    wr_names_offer(c->state->relation_names, &near);
    for (; with; with = with->outer) wr_suggestion_offer(&near, with->with->name.text);
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0301, name->span,
                                    "there is no stream, table or view '%.*s'",
                                    WR_SLICE_ARG(name->text));
    wr_diag_suggest(c->diags, d, &near, near.offered == 1 ? "there is" : "there are");
    if (near.offered) return;
    if (c->options && c->options->file_stream)
        wr_diag_help(c->diags, d, "name its file behind the text, as in %.*s=events.jsonl", WR_SLICE_ARG(name->text));
    else wr_diag_help(c->diags, d, "CREATE STREAM declares one");
}

static bool lower_with(struct wr_compile *c, struct wr_with_scope *with)
{
    with->used = true;
    if (with->mark == WR_MARK_DONE) return true;
    if (with->mark == WR_MARK_FAILED) return false;
    WR_ASSERT(with->mark == WR_MARK_NEW); /* it sees only what stands before it */
    with->mark = WR_MARK_OPEN;
    struct wr_target target = {.name = with->with->name.text};
    bool ok = wr_lower_query(c, with->with->query, with->outer, &target, &with->relation);
    with->mark = ok ? WR_MARK_DONE : WR_MARK_FAILED;
    with->relation.alias = with->with->name.text;
    with->relation.alias_quoted = with->with->name.quoted;
    with->relation.declared_at = with->with->name.span;
    return ok;
}

static bool lower_name(struct wr_compile *c, const struct wr_ident *name,
                       struct wr_with_scope *with, struct wr_relation *result)
{
    for (struct wr_with_scope *w = with; w; w = w->outer) {
        if (!wr_ident_equal(w->with->name, *name)) continue;
        if (!lower_with(c, w)) return false;
        *result = w->relation;
        return true;
    }
    struct wr_decl *decl = wr_decl_find(c, name);
    if (!decl) {
        unknown_input(c, name, with);
        return false;
    }
    return wr_lower_decl(c, decl, name->span, result);
}

static bool lower_match(struct wr_compile *c, const struct wr_from *from,
                        const struct wr_query *query, struct wr_with_scope *with,
                        const struct wr_target *target, struct wr_relation *result);

static void check_input_names(struct wr_compile *c, const struct wr_from *from,
                              struct wr_names *names)
{
    if (from->kind == WR_FROM_JOIN) {
        check_input_names(c, from->join.left, names);
        check_input_names(c, from->join.right, names);
        return;
    }
    for (uint32_t i = 0; i < from->input_count && from->kind == WR_FROM_UNION; i++)
        check_input_names(c, from->input[i], names);
    const struct wr_ident *name = from->alias.text.size ? &from->alias : &from->name;
    if (!name->text.size || wr_names_add(names, name, 0)) return;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0321, name->span,
                                    "two inputs of this query are called '%.*s'",
                                    WR_SLICE_ARG(name->text));
    wr_diag_help(c->diags, d, "give one another name with AS");
}

bool wr_lower_from(struct wr_compile *c, const struct wr_from *from, struct wr_with_scope *with,
                   const struct wr_target *target, struct wr_relation *result)
{
    bool ok = false;
    switch (from->kind) {
    case WR_FROM_ERROR: return false;
    case WR_FROM_NAME: ok = lower_name(c, &from->name, with, result); break;
    case WR_FROM_FILE: {
        struct wr_decl *decl = wr_declare_file(c, from);
        ok = decl && wr_lower_decl(c, decl, from->span, result);
        break;
    }
    case WR_FROM_QUERY: {
        struct wr_target inner = {.name = target->name};
        ok = wr_lower_query(c, from->query, with, &inner, result);
        result->alias = (struct wr_slice){0};
        break;
    }
    case WR_FROM_UNION:
    case WR_FROM_JOIN: {
        struct wr_names *names = wr_names_new(c->arena);
        check_input_names(c, from, names);
        wr_not_yet(c, from->span,
                   from->kind == WR_FROM_JOIN ? "JOIN" : "FROM over several streams without a pattern");
        return false;
    }
    case WR_FROM_MATCH: ok = lower_match(c, from, NULL, with, target, result); break;
    case WR_FROM_WINDOW: {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0711, from->span,
                                        "a window stands in the FROM of a query that "
                                        "groups by its bounds");
        wr_diag_help(c->diags, d,
                     "put the query with GROUP BY window_start, window_end in parentheses here");
        return false;
    }
    }
    if (from->alias.text.size) {
        result->alias = from->alias.text;
        result->alias_quoted = from->alias.quoted;
    }
    return ok;
}

/* ---- Select lists ---------------------------------------------------------------------------- */

bool wr_lower_condition(struct wr_compile *c, struct wr_scope *scope,
                        const struct wr_expr *condition, uint32_t *code)
{
    *code = WR_NONE;
    if (!condition) return true;
    struct wr_block *b = wr_block_new(c);
    struct wr_ir *ir = wr_check_condition(c, scope, b, condition);
    if (!ir) return false;
    wr_warn_condition(c, b, ir);
    wr_block_result(b, ir);
    *code = wr_block_finish(b);
    return true;
}

static bool find_aggregate(void *context, const struct wr_expr *expr)
{
    const struct wr_expr **found = context;
    enum wr_aggregate_fn fn;
    if (!*found && expr->kind == WR_EXPR_CALL && wr_aggregate_find(expr->u.call.name.text, &fn))
        *found = expr;
    return !*found;
}

bool wr_has_aggregate(const struct wr_expr *expr)
{
    const struct wr_expr *found = NULL;
    wr_expr_visit(expr, find_aggregate, &found);
    return found != NULL;
}

const struct wr_expr *wr_find_aggregate(const struct wr_select *select)
{
    const struct wr_expr *found = NULL;
    for (uint32_t i = 0; i < select->item_count && !found; i++)
        if (select->item[i].expr) wr_expr_visit(select->item[i].expr, find_aggregate, &found);
    if (select->having && !found) wr_expr_visit(select->having, find_aggregate, &found);
    return found;
}

static bool is_time(const struct wr_ir *ir, const struct wr_relation *relation)
{
    if (ir->kind != WR_IR_INPUT) return false;
    if (ir->u.input.kind == WR_INPUT_SPECIAL) return ir->u.input.column == WR_SPECIAL_EVENT_TIME;
    return relation && ir->u.input.kind == WR_INPUT_COLUMN &&
           ir->u.input.column == relation->time_column;
}

static bool add_star(struct wr_compile *c, const struct wr_select_item *item,
                     const struct wr_relation *relation, struct wr_block *project,
                     struct wr_columns *columns)
{
    if (!relation) {
        wr_diag_add(c->diags, WR_DIAG_W0415, item->span,
                    "* cannot stand in a query with GROUP BY: name the columns");
        return false;
    }
    if (item->alias.text.size) {
        wr_diag_add(c->diags, WR_DIAG_W0415, item->span,
                    "* stands for several columns and takes no name");
        return false;
    }
    const struct wr_ident_list *name = &item->expr->u.name;
    if (name->count && !wr_relation_is_qualifier(c, relation, &name->at[0])) return false;
    for (uint32_t i = 0; i < relation->schema->count; i++) {
        if (relation->schema->column[i].type.kind == WR_KIND_ERROR) return false;
        if (columns->time_column == WR_NONE && i == relation->time_column)
            columns->time_column = (uint32_t)columns->column.count;
        wr_block_column(project, wr_relation_value(project, relation, i));
        struct wr_ident ident = {.text = wr_slice_cstr(relation->schema->column[i].name),
                                 .span = item->span};
        if (relation->column_ident) ident = relation->column_ident[i];
        wr_list_push(c->arena, &columns->column, relation->schema->column[i]);
        wr_list_push(c->arena, &columns->ident, ident);
    }
    return true;
}

static bool names_matter(const struct wr_target *target)
{
    return !target->columns && !target->names_optional;
}

/* A column alone keeps the spelling of its declaration, however it is written here. */
static struct wr_ident declared_name(const struct wr_expr *name, const struct wr_relation *relation)
{
    struct wr_ident ident = name->u.name.at[name->u.name.count - 1];
    uint32_t column = relation ? wr_relation_find(relation, &ident) : WR_NONE;
    if (column != WR_NONE) ident.text = wr_slice_cstr(relation->schema->column[column].name);
    return ident;
}

static bool add_item(struct wr_compile *c, const struct wr_select_item *item,
                     struct wr_scope *scope, const struct wr_relation *relation,
                     const struct wr_relation *named_in, struct wr_block *project,
                     const struct wr_target *target, struct wr_columns *columns)
{
    struct wr_ir *ir = wr_check_expr(c, scope, project, item->expr);
    if (!ir) return false;
    uint32_t n = (uint32_t)columns->column.count;
    if (target->columns && n < target->columns->count) {
        struct wr_type want = target->columns->column[n].type;
        bool reported = false;
        struct wr_ir *to = want.kind == WR_KIND_ERROR ? NULL
                                                      : wr_coerce(c, project, ir, want, &reported);
        if (reported) return false;
        if (to) ir = to; /* else wr_feed says what does not fit */
    }
    bool time = is_time(ir, relation);
    struct wr_select_item named = *item;
    if (!item->alias.text.size && item->expr->kind == WR_EXPR_NAME)
        named.alias = declared_name(item->expr, named_in);
    if (!item->alias.text.size && names_matter(target)) wr_columns_distinct(c, columns, &named.alias);
    if (!wr_columns_add(c, columns, &named, ir->type, names_matter(target))) return false;
    if (time && columns->time_column == WR_NONE) columns->time_column = n;
    wr_block_column(project, ir);
    return true;
}

bool wr_lower_list(struct wr_compile *c, const struct wr_select *select, struct wr_scope *scope,
                   const struct wr_relation *relation, const struct wr_relation *named_in,
                   struct wr_block *project, const struct wr_target *target,
                   struct wr_relation *result)
{
    struct wr_columns columns = {.time_column = WR_NONE};
    bool ok = true;
    for (uint32_t i = 0; i < select->item_count; i++) {
        const struct wr_select_item *item = &select->item[i];
        if (!item->expr || item->expr->kind == WR_EXPR_ERROR) ok = false;
        else if (item->expr->kind == WR_EXPR_STAR)
            ok &= add_star(c, item, relation, project, &columns);
        else ok &= add_item(c, item, scope, relation, named_in, project, target, &columns);
    }
    ok &= wr_columns_finish(c, &columns, names_matter(target), result);
    result->time_column = columns.time_column;
    return ok;
}

/* ---- SELECT ---------------------------------------------------------------------------------- */

static void refuse_emit(struct wr_compile *c, const struct wr_query *q, bool aggregates)
{
    if (q->emit == WR_EMIT_UNSAID || (q->emit == WR_EMIT_FINAL && aggregates)) return;
    if (aggregates) {
        wr_not_yet(c, q->emit_span, q->emit == WR_EMIT_CHANGES ? "EMIT CHANGES" : "EMIT EVERY");
    } else {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0704, q->emit_span,
                                        "EMIT stands with an aggregation only");
        wr_diag_help(c->diags, d, "leave it out: rows come out as they are");
    }
}

static bool check_grouping(struct wr_compile *c, const struct wr_query *q)
{
    const struct wr_select *s = q->select;
    const struct wr_expr *aggregate = wr_find_aggregate(s);
    if (aggregate && aggregate->u.call.over) {
        wr_not_yet(c, aggregate->u.call.over->span, "OVER");
        return false;
    }
    bool whole = c->options && c->options->whole_input && q->emit == WR_EMIT_UNSAID;
    if ((aggregate || s->group.count) && !whole) {
        if (q->emit == WR_EMIT_CHANGES || q->emit == WR_EMIT_EVERY) {
            refuse_emit(c, q, true);
            return false;
        }
        struct wr_span span = s->group.count ? s->group_span : aggregate->span;
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0701, span,
                                        "this aggregation has no end");
        wr_diag_help(c->diags, d,
                     "FROM TUMBLE(stream, time, 1m) GROUP BY …, window_start, window_end");
        return false;
    }
    if (s->having && !aggregate && !s->group.count) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0703, s->having->span,
                                        "HAVING chooses among groups, and "
                                        "there are none");
        wr_diag_help(c->diags, d, "write WHERE");
        return false;
    }
    if (!aggregate && !s->group.count) refuse_emit(c, q, false);
    return true;
}

static bool lower_select(struct wr_compile *c, const struct wr_query *q, struct wr_with_scope *with,
                         const struct wr_target *target, struct wr_relation *result)
{
    const struct wr_select *s = q->select;
    if (s->distinct) {
        wr_not_yet(c, s->distinct_span, "SELECT DISTINCT");
        return false;
    }
    if (!s->from) {
        if (c->state->parse_failed) return false;
        wr_diag_add(c->diags, WR_DIAG_W0713, s->span, "a query reads a stream: FROM is missing");
        return false;
    }
    if (s->from->kind == WR_FROM_WINDOW) return wr_lower_window(c, q, with, target, result);
    bool ok = check_grouping(c, q);
    bool late = q->late_into.text.size != 0;
    if (late && s->from->kind != WR_FROM_MATCH) {
        wr_diag_add(c->diags, WR_DIAG_W0705, q->late_span,
                    "nothing can be late here: rows of a filter pass late or not");
        ok = false;
    }
    struct wr_relation input;
    bool have = s->from->kind == WR_FROM_MATCH ? lower_match(c, s->from, q, with, target, &input)
                                               : wr_lower_from(c, s->from, with, target, &input);
    if (!have || !ok) return false;
    if (s->group.count || wr_find_aggregate(s)) return wr_lower_whole(c, q, &input, target, result);
    struct wr_scope scope;
    wr_scope_of_relation(&scope, &input);
    scope.aggregates_refused = "in WHERE";
    uint32_t where;
    ok = wr_lower_condition(c, &scope, s->where, &where);
    scope.aggregates_refused = "here";
    struct wr_block *project = wr_block_new(c);
    ok &= wr_lower_list(c, s, &scope, &input, &input, project, target, result);
    if (!ok) return false;
    result->node = wr_select_add(c, input.node, where, project, false, result->schema,
                                 wr_query_name(c, target->name), q->span);
    result->has_watermark = input.has_watermark;
    return true;
}

/* ---- Patterns -------------------------------------------------------------------------------- */

/* Late rows of a window or pattern: the visible columns of what it reads. */
bool wr_feed_late(struct wr_compile *c, const struct wr_ident *into, uint32_t late_node,
                  const struct wr_relation *input, uint32_t query, struct wr_span span)
{
    struct wr_relation late = *input;
    struct wr_schema *visible = WR_NEW(c->arena, struct wr_schema);
    struct wr_block *pass = wr_block_new(c);
    *visible = *input->schema;
    if (input->stream_count) visible->count = input->stream_column;
    for (uint32_t i = 0; i < visible->count; i++)
        wr_block_column(pass, wr_relation_value(pass, input, i));
    late.schema = visible;
    late.node = wr_select_add(c, late_node, WR_NONE, pass, false, visible, query, span);
    return wr_feed(c, into, &late, span, true);
}

/* What a pattern reads. */
static bool lower_rows(struct wr_compile *c, const struct wr_from *from, struct wr_with_scope *with,
                       const struct wr_target *target, struct wr_relation *result)
{
    if (from->kind != WR_FROM_UNION) return wr_lower_from(c, from, with, target, result);
    uint32_t errors = c->diags->error_count;
    check_input_names(c, from, wr_names_new(c->arena));
    return wr_lower_streams(c, from, with, target, result) && c->diags->error_count == errors;
}

static bool run_match(struct wr_compile *c, const struct wr_match *match,
                      const struct wr_ident *late_into, struct wr_slice name,
                      const struct wr_relation *input, struct wr_span span,
                      struct wr_relation *result)
{
    struct wr_match copy = *match;
    if (!copy.late_into.text.size && late_into) copy.late_into = *late_into;
    uint32_t query = wr_query_name(c, name), late_node = WR_NONE;
    struct wr_named before = wr_named_set(
        c, (struct wr_named){.item = match->measure, .count = match->measure_count, .span = match->span});
    bool ok = wr_lower_match(c, &copy, name, input, query, result, &late_node);
    wr_named_set(c, before);
    if (!ok) return false;
    if (late_node == WR_NONE) return true;
    return wr_feed_late(c, &copy.late_into, late_node, input, query, span);
}

static bool lower_match(struct wr_compile *c, const struct wr_from *from,
                        const struct wr_query *query, struct wr_with_scope *with,
                        const struct wr_target *target, struct wr_relation *result)
{
    struct wr_relation input;
    if (query && query->late) {
        wr_diag_add(c->diags, WR_DIAG_W0705, query->late->span,
                    "a pattern waits for no late rows: write LATE INTO %.*s",
                    WR_SLICE_ARG(query->late_into.text));
        return false;
    }
    if (!lower_rows(c, from->input[0], with, target, &input)) return false;
    struct wr_slice name = from->alias.text.size ? from->alias.text : target->name;
    if (!run_match(c, from->match, query ? &query->late_into : NULL, name, &input, from->span,
                   result))
        return false;
    result->alias = name;
    result->alias_quoted = from->alias.quoted;
    return true;
}

static bool lower_pattern(struct wr_compile *c, const struct wr_query *q,
                          struct wr_with_scope *with, struct wr_relation *result)
{
    struct wr_relation input;
    struct wr_target target = {.name = q->pattern.name.text};
    refuse_emit(c, q, false);
    if (q->emit != WR_EMIT_UNSAID) return false;
    if (!q->pattern.from || !q->pattern.match ||
        !lower_rows(c, q->pattern.from, with, &target, &input))
        return false;
    struct wr_scope scope;
    wr_scope_of_relation(&scope, &input);
    scope.aggregates_refused = "in WHERE";
    uint32_t where;
    bool ok = wr_lower_condition(c, &scope, q->pattern.where, &where);
    if (ok)
        input.node = wr_node_prepare(c, &input, where, wr_block_new(c),
                                     wr_query_name(c, target.name), q->span);
    ok &= run_match(c, q->pattern.match, &q->late_into, target.name, &input, q->span, result);
    result->alias = (struct wr_slice){0};
    return ok;
}

/* ---- UNION ALL ------------------------------------------------------------------------------- */

static bool is_bare_union(const struct wr_query *q)
{
    return q->kind == WR_QUERY_UNION_ALL && !q->with_count && q->emit == WR_EMIT_UNSAID &&
           !q->late_into.text.size;
}

static bool lower_union(struct wr_compile *c, const struct wr_query *q, struct wr_with_scope *with,
                        const struct wr_target *target, struct wr_relation *result)
{
    WR_LIST(const struct wr_query *) stack = {0};
    WR_LIST(const struct wr_query *) part = {0};
    wr_list_push(c->arena, &stack, q->right);
    wr_list_push(c->arena, &stack, q->left);
    while (stack.count) {
        const struct wr_query *p = stack.at[--stack.count];
        if (!is_bare_union(p)) {
            wr_list_push(c->arena, &part, p);
            continue;
        }
        wr_list_push(c->arena, &stack, p->right);
        wr_list_push(c->arena, &stack, p->left);
    }
    if (q->emit != WR_EMIT_UNSAID) refuse_emit(c, q, false);
    if (q->late_into.text.size)
        wr_diag_add(c->diags, WR_DIAG_W0705, q->late_span,
                    "LATE stands with one of the queries, not with their union");
    bool ok = q->emit == WR_EMIT_UNSAID && !q->late_into.text.size;
    uint32_t n = (uint32_t)part.count;
    struct wr_relation *rows = WR_NEW_ARRAY(c->arena, struct wr_relation, n);
    struct wr_span *span = WR_NEW_ARRAY(c->arena, struct wr_span, n);
    for (uint32_t i = 0; i < n; i++) {
        /* Names come from the first part. */
        struct wr_target inner = {.name = target->name,
                                  .columns = target->columns,
                                  .names_optional = i > 0 || target->names_optional};
        ok &= wr_lower_query(c, part.at[i], with, &inner, &rows[i]);
        span[i] = part.at[i]->span;
    }
    return ok && wr_lower_merge(c, rows, span, n, target->name, result);
}

/* ---- Queries --------------------------------------------------------------------------------- */

static bool refuse_order(struct wr_compile *c, const struct wr_query *q)
{
    bool order = q->order.count != 0, limit = q->limit != NULL;
    if (!order && !limit) return true;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0709, order ? q->order_span : q->limit_span,
                                    "%s needs the end of the result, and weir gives each row as soon as it is there",
                                    order ? "ORDER BY" : "LIMIT");
    wr_diag_help(c->diags, d,
                 order ? "sort what comes out, for example with sort" : "cut off what comes out, for example with head");
    return false;
}

bool wr_lower_query(struct wr_compile *c, const struct wr_query *q, struct wr_with_scope *with,
                    const struct wr_target *target, struct wr_relation *result)
{
    *result = (struct wr_relation){.time_column = WR_NONE};
    struct wr_with_scope *outer = with;
    for (uint32_t i = 0; i < q->with_count; i++) {
        struct wr_with_scope *w = WR_NEW(c->arena, struct wr_with_scope);
        w->with = &q->with[i];
        w->outer = with;
        for (struct wr_with_scope *before = with; before != outer; before = before->outer)
            if (wr_ident_equal(before->with->name, w->with->name)) {
                struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0306, w->with->name.span,
                                                "the name '%.*s' is defined twice",
                                                WR_SLICE_ARG(w->with->name.text));
                wr_diag_second(c->diags, d, before->with->name.span, "the first definition");
            }
        with = w;
    }
    bool ok = refuse_order(c, q);
    switch (q->kind) {
    case WR_QUERY_SELECT: {
        struct wr_named before = wr_named_set(c, (struct wr_named){.item = q->select->item, .count = q->select->item_count,
                                                                  .select = q->select, .span = q->span});
        ok &= lower_select(c, q, with, target, result);
        wr_named_set(c, before);
        break;
    }
    case WR_QUERY_UNION_ALL: ok &= lower_union(c, q, with, target, result); break;
    case WR_QUERY_PATTERN: ok &= lower_pattern(c, q, with, result); break;
    case WR_QUERY_ERROR: return false;
    }
    for (struct wr_with_scope *w = with; w != outer; w = w->outer) {
        if (w->used) continue;
        if (lower_with(c, w)) /* checked all the same */
            wr_diag_add(c->diags, WR_DIAG_W2007, w->with->name.span, "nothing uses '%.*s'",
                        WR_SLICE_ARG(w->with->name.text));
        else ok = false;
    }
    return ok;
}
