/* Relations: what a query reads, its columns and their names, and the nodes that yield it. */
#include "compiler/state.h"

enum { COLUMNS_MAX = 4096, INPUTS_MAX = 60000 };

const char *wr_cstr(struct wr_compile *c, struct wr_slice text)
{
    return wr_arena_cstr(c->arena, text);
}

void wr_not_yet(struct wr_compile *c, struct wr_span span, const char *feature)
{
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0901, span, "%s does not run yet", feature);
    const char *instead = wr_foreign(WR_FOREIGN_FEATURE, wr_slice_cstr(feature));
    if (instead) wr_diag_help(c->diags, d, "%s", instead);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* Stable identities: "alerts", "alerts.window", and where one is taken, "alerts.window.2". */
static const char *unique_name(struct wr_compile *c, const struct wr_node *node)
{
    static const char *const suffix[] = {"",         ".select", ".merge", ".window",
                                         ".pattern", ".late",   ".output"};
    const char *base = node->name;
    if (!base)
        base = wr_cstr(c, wr_arena_printf(c->arena, "%s%s", c->state->query.at[node->query],
                                          suffix[node->kind]));
    struct wr_ident ident = {.text = wr_slice_cstr(base), .quoted = true};
    for (unsigned n = 2; !wr_names_add(c->state->node_names, &ident, 0); n++)
        ident.text = wr_arena_printf(c->arena, "%s.%u", base, n);
    return ident.text.data;
}

uint32_t wr_node_add(struct wr_compile *c, const struct wr_node *node)
{
    struct wr_node n = *node;
    for (unsigned i = 0; i < n.input_count; i++) WR_ASSERT(n.input[i] < c->state->node.count);
    n.name = unique_name(c, node);
    wr_list_push(c->arena, &c->state->node, n);
    return (uint32_t)c->state->node.count - 1;
}

const struct wr_node *wr_node_at(const struct wr_compile *c, uint32_t node)
{
    WR_ASSERT(node < c->state->node.count);
    return &c->state->node.at[node];
}

uint32_t wr_query_name(struct wr_compile *c, struct wr_slice name)
{
    struct wr_ident ident = {.text = name, .quoted = true};
    uint32_t n = wr_names_find(c->state->query_names, &ident);
    if (n != WR_NONE) return n;
    ident.text = wr_slice_cstr(wr_cstr(c, name));
    n = (uint32_t)c->state->query.count;
    wr_names_add(c->state->query_names, &ident, n);
    wr_list_push(c->arena, &c->state->query, ident.text.data);
    return n;
}

const uint32_t *wr_inputs(struct wr_compile *c, uint32_t input)
{
    uint32_t *list = WR_NEW(c->arena, uint32_t);
    *list = input;
    return list;
}

static uint32_t place_of(struct wr_compile *c, struct wr_span span)
{
    return span.file == c->state->main_file ? span.start : 0;
}

uint32_t wr_select_add(struct wr_compile *c, uint32_t input, uint32_t where,
                       struct wr_block *project, bool carry, const struct wr_schema *schema,
                       uint32_t query, struct wr_span span)
{
    uint8_t *carries = WR_NEW_ARRAY(c->arena, uint8_t, schema->count + 1);
    memset(carries, carry, schema->count);
    WR_ASSERT(wr_block_result_count(project) == schema->count);
    struct wr_node node = {.kind = WR_NODE_SELECT,
                           .input_count = 1,
                           .query = query,
                           .input = wr_inputs(c, input),
                           .schema = *schema,
                           .place = place_of(c, span)};
    node.u.select = (struct wr_select_node){
        .where = where, .project = wr_block_finish(project), .carry = carries};
    return wr_node_add(c, &node);
}

uint32_t wr_node_prepare(struct wr_compile *c, const struct wr_relation *relation, uint32_t where,
                         struct wr_block *extra, uint32_t query, struct wr_span span)
{
    uint32_t passed = relation->schema->count, added = wr_block_result_count(extra);
    if (added == 0 && where == WR_NONE) return relation->node;
    if (passed + added > INPUTS_MAX) {
        wr_diag_add(c->diags, WR_DIAG_W0616, span,
                    "this query computes more than %d values for its groups", INPUTS_MAX);
        return relation->node;
    }
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column,
                                                   passed + added + 1);
    struct wr_ir **helper = WR_NEW_ARRAY(c->arena, struct wr_ir *, added + 1);
    for (uint32_t i = 0; i < added; i++) {
        helper[i] = extra->result.at[i];
        helper[i]->result = 0;
        column[passed + i].name = wr_cstr(c, wr_arena_printf(c->arena, "$%u", i + 1));
        column[passed + i].type = helper[i]->type;
    }
    extra->result.count = 0;
    for (uint32_t i = 0; i < passed; i++) {
        column[i] = relation->schema->column[i];
        wr_block_column(extra, wr_relation_value(extra, relation, i));
    }
    for (uint32_t i = 0; i < added; i++) wr_block_column(extra, helper[i]);
    struct wr_schema schema = {passed + added, column};
    return wr_select_add(c, relation->node, where, extra, true, &schema, query, span);
}

uint32_t wr_node_append(struct wr_compile *c, const struct wr_relation *relation,
                        struct wr_block *extra, uint32_t extra_count,
                        const struct wr_type *extra_type, uint32_t query, uint32_t *first)
{
    WR_ASSERT(extra_count == wr_block_result_count(extra));
    WR_UNUSED(extra_type);
    *first = relation->schema->count;
    return wr_node_prepare(c, relation, WR_NONE, extra, query, extra->span);
}

/* ---- Names ----------------------------------------------------------------------------------- */

void wr_relation_of_node(struct wr_compile *c, uint32_t node, struct wr_relation *relation)
{
    const struct wr_schema *from = &wr_node_at(c, node)->schema;
    struct wr_schema *schema = WR_NEW(c->arena, struct wr_schema);
    *schema = *from;
    *relation = (struct wr_relation){.node = node, .schema = schema, .time_column = WR_NONE};
}

static struct wr_ident column_ident(const struct wr_relation *r, uint32_t i)
{
    if (r->column_ident) return r->column_ident[i];
    return (struct wr_ident){.text = wr_slice_cstr(r->schema->column[i].name)};
}

uint32_t wr_relation_find(const struct wr_relation *r, const struct wr_ident *name)
{
    for (uint32_t i = 0; i < r->schema->count; i++)
        if (wr_ident_equal(column_ident(r, i), *name)) return i;
    return WR_NONE;
}

uint32_t wr_relation_column(struct wr_compile *c, const struct wr_relation *r,
                            const struct wr_ident *name)
{
    struct wr_suggestion near;
    uint32_t found = WR_NONE;
    wr_suggestion_init(&near, name->text);
    for (uint32_t i = 0; i < r->schema->count; i++) {
        if (wr_ident_equal(column_ident(r, i), *name)) {
            if (found == WR_NONE) {
                found = i;
                continue;
            }
            struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0303, name->span,
                                            "more than one column is called '%.*s'",
                                            WR_SLICE_ARG(name->text));
            if (column_ident(r, i).span.end)
                wr_diag_second(c->diags, d, column_ident(r, i).span, "one of them");
            return WR_NONE;
        }
        wr_suggestion_offer(&near, column_ident(r, i).text);
    }
    if (found != WR_NONE) return found;
    struct wr_diag *d;
    if (r->alias.size)
        d = wr_diag_add(c->diags, WR_DIAG_W0302, name->span, "'%.*s' has no column '%.*s'",
                        WR_SLICE_ARG(r->alias), WR_SLICE_ARG(name->text));
    else
        d = wr_diag_add(c->diags, WR_DIAG_W0302, name->span, "there is no column '%.*s'",
                        WR_SLICE_ARG(name->text));
    if (wr_named_help(c, d, name)) return WR_NONE;
    if (r->declared_at.end)
        wr_diag_second(c->diags, d, r->declared_at, "its columns are declared here");
    const char *instead = name->quoted ? NULL : wr_foreign(WR_FOREIGN_NAME, name->text);
    bool near_one = wr_suggestion_best(&near).size != 0;
    if (instead) wr_diag_help(c->diags, d, "write %s", instead);
    else if (!name->quoted && wr_names_find(c->state->parameter_names, name) != WR_NONE)
        wr_diag_help(c->diags, d, "the parameter is written :%.*s", WR_SLICE_ARG(name->text));
    else if (c->state->beside_text && !name->quoted && !near_one)
        wr_diag_help(c->diags, d, "a text stands in single quotes: '%.*s'", WR_SLICE_ARG(name->text));
    else if (name->quoted && !near_one)
        wr_diag_help(c->diags, d, "double quotes make a name; a text stands in single quotes: '%.*s'", WR_SLICE_ARG(name->text));
    else wr_diag_suggest(c->diags, d, &near, r->alias.size ? "it has" : "there are");
    return WR_NONE;
}

bool wr_is_event_time_name(const struct wr_ident *name)
{
    return !name->quoted && wr_slice_equal_nocase(name->text, WR_SLICE("event_time"));
}

static bool names_relation(const struct wr_relation *r, const struct wr_ident *qualifier)
{
    struct wr_ident alias = {.text = r->alias, .quoted = r->alias_quoted};
    return r->alias.size && wr_ident_equal(alias, *qualifier);
}

static void unknown_qualifier(struct wr_compile *c, const struct wr_relation *r,
                              const struct wr_ident *qualifier)
{
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0320, qualifier->span,
                                    "'%.*s' is no input of this query",
                                    WR_SLICE_ARG(qualifier->text));
    if (r->alias.size)
        wr_diag_help(c->diags, d, "its input is called '%.*s'", WR_SLICE_ARG(r->alias));
    else if (r->stream_count)
        wr_diag_help(c->diags, d, "the columns of several streams are united: leave the name before it out");
}

bool wr_relation_is_qualifier(struct wr_compile *c, const struct wr_relation *r,
                              const struct wr_ident *qualifier)
{
    if (names_relation(r, qualifier)) return true;
    unknown_qualifier(c, r, qualifier);
    return false;
}

bool wr_relation_is_time(const struct wr_relation *r, const struct wr_expr *expr)
{
    if (expr->kind != WR_EXPR_NAME || expr->u.name.count > 2) return false;
    const struct wr_ident *name = &expr->u.name.at[expr->u.name.count - 1];
    if (expr->u.name.count == 2 && !names_relation(r, &expr->u.name.at[0])) return false;
    uint32_t column = wr_relation_find(r, name);
    if (column != WR_NONE) return column == r->time_column;
    return wr_is_event_time_name(name);
}

struct wr_ir *wr_relation_value(struct wr_block *b, const struct wr_relation *r, uint32_t column)
{
    return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                            .column = (uint16_t)column,
                                            .type = r->schema->column[column].type});
}

static struct wr_ir *resolve(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                             const struct wr_expr *expr, bool *handled)
{
    const struct wr_relation *r = scope->context;
    const struct wr_ident_list *name = &expr->u.name;
    const struct wr_ident *last = &name->at[name->count - 1];
    *handled = true;
    if (name->count > 2 || (name->count == 2 && !names_relation(r, &name->at[0]))) {
        if (wr_relation_find(r, &name->at[0]) != WR_NONE && !names_relation(r, &name->at[0]))
            wr_diag_add(c->diags, WR_DIAG_W0414, expr->span, "the column '%.*s' has no fields",
                        WR_SLICE_ARG(name->at[0].text));
        else if (name->count > 2 && names_relation(r, &name->at[0]))
            wr_diag_add(c->diags, WR_DIAG_W0414, expr->span, "the column '%.*s' has no fields",
                        WR_SLICE_ARG(name->at[1].text));
        else unknown_qualifier(c, r, &name->at[0]);
        return NULL;
    }
    if (wr_is_event_time_name(last) && wr_relation_find(r, last) == WR_NONE)
        return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_SPECIAL,
                                                .column = WR_SPECIAL_EVENT_TIME,
                                                .type = wr_type_of(WR_KIND_TIMESTAMP)});
    uint32_t column = wr_relation_column(c, r, last);
    if (column == WR_NONE || r->schema->column[column].type.kind == WR_KIND_ERROR) return NULL;
    return wr_relation_value(b, r, column);
}

void wr_scope_of_relation(struct wr_scope *scope, const struct wr_relation *relation)
{
    *scope = (struct wr_scope){.context = (void *)(uintptr_t)relation, .resolve = resolve};
}

void wr_warn_watermark(struct wr_compile *c, const struct wr_relation *r, struct wr_span span)
{
    if (r->has_watermark || !r->declared_at.end) return;
    for (size_t i = 0; i < c->state->decl.count; i++) {
        struct wr_decl *decl = c->state->decl.at[i];
        if (decl->name.span.file != r->declared_at.file ||
            decl->name.span.start != r->declared_at.start)
            continue;
        if (decl->warned_watermark) return;
        decl->warned_watermark = true;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W2004, span,
                                    "time matters here, but '%.*s' declares no watermark",
                                    WR_SLICE_ARG(wr_span_text(c->diags->sources, r->declared_at)));
    wr_diag_second(c->diags, d, r->declared_at, "declared here");
    wr_diag_help(c->diags, d, "add WATERMARK FOR its time column AS that column - 5s");
}

/* ---- Result columns -------------------------------------------------------------------------- */

static bool has_column(const struct wr_columns *columns, struct wr_slice name)
{
    for (uint32_t i = 0; i < columns->ident.count; i++)
        if (wr_slice_equal_nocase(columns->ident.at[i].text, name)) return true;
    return false;
}

/* What a shell of SQL writes above a column without a name: the function, else its place. */
static struct wr_slice invented_name(struct wr_compile *c, const struct wr_columns *columns, const struct wr_expr *expr)
{
    struct wr_slice base = WR_SLICE("column");
    uint32_t number = columns->column.count + 1;
    if (expr->kind == WR_EXPR_CALL) {
        char *lower = WR_NEW_ARRAY(c->arena, char, expr->u.call.name.text.size + 1);
        for (size_t i = 0; i < expr->u.call.name.text.size; i++) lower[i] = wr_lower(expr->u.call.name.text.data[i]);
        base = wr_slice_of(lower, expr->u.call.name.text.size);
        if (!has_column(columns, base)) return base;
        number = 2;
    }
    for (;; number++) {
        struct wr_slice name = wr_arena_printf(c->arena, "%.*s_%u", WR_SLICE_ARG(base), number);
        if (!has_column(columns, name)) return name;
    }
}

static bool is_there(const struct wr_columns *columns, struct wr_ident ident)
{
    for (uint32_t i = 0; i < columns->ident.count; i++)
        if (wr_ident_equal(columns->ident.at[i], ident)) return true;
    return false;
}

void wr_columns_distinct(struct wr_compile *c, const struct wr_columns *columns, struct wr_ident *ident)
{
    struct wr_slice base = ident->text;
    if (!c->options || !c->options->name_columns) return;
    for (uint32_t n = 2; base.size && is_there(columns, *ident); n++)
        ident->text = wr_arena_printf(c->arena, "%.*s_%u", WR_SLICE_ARG(base), n);
}

bool wr_columns_add(struct wr_compile *c, struct wr_columns *columns,
                    const struct wr_select_item *item, struct wr_type type, bool need_name)
{
    struct wr_ident ident = item->alias;
    if (!ident.text.size && item->expr->kind == WR_EXPR_NAME)
        ident = item->expr->u.name.at[item->expr->u.name.count - 1];
    if (!ident.text.size && item->expr->kind == WR_EXPR_FIELD) ident = item->expr->u.field.name;
    bool invent = need_name && c->options && c->options->name_columns;
    if (!ident.text.size && invent) {
        ident.text = invented_name(c, columns, item->expr);
    } else if (!ident.text.size && need_name) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0614, item->span,
                                        "this column of the result has no name");
        wr_diag_help(c->diags, d, "give it one: %.*s AS name",
                     WR_SLICE_ARG(wr_span_text(c->diags->sources, item->expr->span)));
        return false;
    }
    if (type.kind == WR_KIND_NULL) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0418, item->expr->span,
                                        "nothing says which type this NULL has");
        wr_diag_help(c->diags, d, "CAST(NULL AS STRING), for example");
        return false;
    }
    if (!ident.text.size) ident.text = wr_arena_printf(c->arena, "$%u", columns->column.count + 1);
    if (!ident.span.end) ident.span = item->span;
    wr_list_push(c->arena, &columns->column, (struct wr_schema_column){wr_cstr(c, ident.text), type});
    wr_list_push(c->arena, &columns->ident, ident);
    return true;
}

bool wr_columns_finish(struct wr_compile *c, struct wr_columns *columns, bool need_name,
                       struct wr_relation *relation)
{
    uint32_t n = (uint32_t)columns->column.count;
    bool ok = true;
    if (n > COLUMNS_MAX) {
        wr_diag_add(c->diags, WR_DIAG_W0616, columns->ident.at[COLUMNS_MAX].span,
                    "a result has at most 4,096 columns");
        return false;
    }
    struct wr_names *names = need_name ? wr_names_new(c->arena) : NULL;
    for (uint32_t i = 0; i < n && names; i++) {
        if (wr_names_add(names, &columns->ident.at[i], i)) continue;
        uint32_t first = wr_names_find(names, &columns->ident.at[i]);
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0307, columns->ident.at[i].span,
                                        "the result has two columns '%.*s'",
                                        WR_SLICE_ARG(columns->ident.at[i].text));
        wr_diag_second(c->diags, d, columns->ident.at[first].span, "the first one");
        wr_diag_help(c->diags, d, "rename one with AS");
        ok = false;
    }
    struct wr_schema *schema = WR_NEW(c->arena, struct wr_schema);
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column, n + 1);
    struct wr_ident *ident = WR_NEW_ARRAY(c->arena, struct wr_ident, n + 1);
    if (n) memcpy(column, columns->column.at, n * sizeof *column);
    if (n) memcpy(ident, columns->ident.at, n * sizeof *ident);
    *schema = (struct wr_schema){n, column};
    relation->schema = schema;
    relation->column_ident = ident;
    return ok;
}
