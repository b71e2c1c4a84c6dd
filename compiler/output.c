/* What goes into streams and comes out of the program: statements, INSERT and INTO, MERGE, OUTPUT
 * nodes. */
#include "compiler/state.h"

enum { MERGE_INPUTS_MAX = 255 };

/* ---- Casts and unions ------------------------------------------------------------------------ */

void wr_relation_cast(struct wr_compile *c, struct wr_relation *r, const struct wr_type *type,
                      uint32_t query, struct wr_span span)
{
    uint32_t n = r->schema->count;
    bool same = true;
    for (uint32_t i = 0; i < n; i++) same &= wr_type_equal(r->schema->column[i].type, type[i]);
    if (same) return;
    struct wr_schema *schema = WR_NEW(c->arena, struct wr_schema);
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column, n + 1);
    struct wr_block *b = wr_block_new(c);
    b->span = span;
    for (uint32_t i = 0; i < n; i++) {
        struct wr_ir *ir = wr_ir_cast(b, wr_relation_value(b, r, i), type[i], false, false);
        WR_ASSERT(ir != NULL);
        column[i] = (struct wr_schema_column){r->schema->column[i].name, type[i]};
        wr_block_column(b, ir);
    }
    *schema = (struct wr_schema){n, column};
    r->node = wr_select_add(c, r->node, WR_NONE, b, false, schema, query, span);
    r->schema = schema;
}

static uint32_t add_merge(struct wr_compile *c, const uint32_t *input, uint32_t count,
                          const struct wr_schema *schema, uint32_t query)
{
    if (count == 1) return input[0];
    uint32_t *list = WR_NEW_ARRAY(c->arena, uint32_t, MERGE_INPUTS_MAX);
    uint32_t n = 0, group = (count + MERGE_INPUTS_MAX - 1) / MERGE_INPUTS_MAX;
    if (group >
        1) { /* a tree keeps the order of positions, since each part is a run of neighbours */
        uint32_t each = MERGE_INPUTS_MAX;
        while ((count + each - 1) / each > MERGE_INPUTS_MAX) each *= MERGE_INPUTS_MAX;
        for (uint32_t i = 0; i < count; i += each)
            list[n++] = add_merge(c, input + i, WR_MIN(each, count - i), schema, query);
    } else {
        memcpy(list, input, count * sizeof *list);
        n = count;
    }
    struct wr_node node = {.kind = WR_NODE_MERGE,
                           .input_count = (uint8_t)n,
                           .query = query,
                           .input = list,
                           .schema = *schema};
    return wr_node_add(c, &node);
}

static bool same_counts(struct wr_compile *c, const struct wr_relation *part,
                        const struct wr_span *span, uint32_t count)
{
    bool ok = true;
    for (uint32_t i = 1; i < count; i++) {
        if (part[i].schema->count == part[0].schema->count) continue;
        struct wr_diag *d = wr_diag_add(
            c->diags, WR_DIAG_W0408, span[i], "this part has %u column%s, the first has %u",
            part[i].schema->count, part[i].schema->count == 1 ? "" : "s", part[0].schema->count);
        wr_diag_second(c->diags, d, span[0], "the first part");
        ok = false;
    }
    return ok;
}

static bool common_columns(struct wr_compile *c, const struct wr_relation *part,
                           const struct wr_span *span, uint32_t count, struct wr_type *type)
{
    bool ok = true;
    for (uint32_t k = 0; k < part[0].schema->count; k++) {
        type[k] = part[0].schema->column[k].type;
        for (uint32_t i = 1; i < count; i++) {
            struct wr_type other = part[i].schema->column[k].type, common;
            if (wr_type_common(type[k], other, &common)) {
                type[k] = common;
                continue;
            }
            struct wr_span at = part[i].column_ident && part[i].column_ident[k].span.end
                                    ? part[i].column_ident[k].span
                                    : span[i];
            struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0408, at,
                                            "column %u is %s here and %s before", k + 1,
                                            wr_type_text(c, other), wr_type_text(c, type[k]));
            struct wr_span first = part[0].column_ident && part[0].column_ident[k].span.end
                                       ? part[0].column_ident[k].span
                                       : span[0];
            wr_diag_second(c->diags, d, first, "column '%s' of the first part",
                           part[0].schema->column[k].name);
            ok = false;
        }
    }
    return ok;
}

bool wr_lower_merge(struct wr_compile *c, struct wr_relation *part, const struct wr_span *span,
                    uint32_t count, struct wr_slice name, struct wr_relation *result)
{
    uint32_t query = wr_query_name(c, name), n = part[0].schema->count;
    struct wr_type *type = WR_NEW_ARRAY(c->arena, struct wr_type, n + 1);
    if (!same_counts(c, part, span, count) || !common_columns(c, part, span, count, type))
        return false;
    uint32_t *input = WR_NEW_ARRAY(c->arena, uint32_t, count);
    *result = part[0];
    for (uint32_t i = 0; i < count; i++) {
        wr_relation_cast(c, &part[i], type, query, span[i]);
        input[i] = part[i].node;
        result->has_watermark &= part[i].has_watermark;
        if (part[i].time_column != result->time_column) result->time_column = WR_NONE;
    }
    result->schema = part[0].schema;
    result->node = add_merge(c, input, count, result->schema, query);
    result->alias = (struct wr_slice){0};
    return true;
}

/* ---- Streams that queries feed --------------------------------------------------------------- */

void wr_decl_record(struct wr_compile *c, struct wr_decl *decl)
{
    if (decl->record.column || !decl->columns.count) return;
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column,
                                                   decl->columns.count + 1);
    decl->record_ident = WR_NEW_ARRAY(c->arena, struct wr_ident, decl->columns.count + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < decl->columns.count; i++) {
        if (decl->statement->column[i].computed) continue;
        column[n] = decl->columns.column[i];
        decl->record_ident[n++] = decl->column_ident[i];
    }
    decl->record = (struct wr_schema){n, column};
}

struct wr_decl *wr_find_target(struct wr_compile *c, const struct wr_ident *name)
{
    struct wr_decl *decl = wr_decl_find(c, name);
    if (!decl && c->state->parse_failed) return NULL;
    if (!decl) {
        struct wr_suggestion near;
        wr_suggestion_init(&near, name->text);
        for (size_t i = 0; i < c->state->decl.count; i++)
            if (c->state->decl.at[i]->kind == WR_DECL_STREAM &&
                !c->state->decl.at[i]->statement->query)
                wr_suggestion_offer(&near, c->state->decl.at[i]->name.text);
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0301, name->span,
                                        "there is no stream '%.*s'", WR_SLICE_ARG(name->text));
        struct wr_slice best = wr_suggestion_best(&near);
        if (best.size) wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
        else wr_diag_help(c->diags, d, "CREATE STREAM %.*s; declares one", WR_SLICE_ARG(name->text));
        return NULL;
    }
    if (decl->kind == WR_DECL_TABLE) return NULL; /* refused where it is created */
    bool derived = decl->kind == WR_DECL_STREAM && decl->statement->query;
    if (decl->kind == WR_DECL_STREAM && !derived) return decl;
    struct wr_diag *d = wr_diag_add(
        c->diags, WR_DIAG_W0605, name->span, "nothing can be sent into the %s '%.*s'",
        derived ? "derived stream" : wr_decl_kind_text(decl), WR_SLICE_ARG(name->text));
    wr_diag_second(c->diags, d, decl->name.span, "defined here by a query of its own");
    return NULL;
}

static bool fit_columns(struct wr_compile *c, struct wr_decl *decl, const struct wr_relation *rows,
                        struct wr_span span)
{
    const struct wr_schema *want = &decl->record;
    bool ok = true;
    if (rows->schema->count != want->count) {
        struct wr_diag *d = wr_diag_add(
            c->diags, WR_DIAG_W0606, span, "%u column%s for the %u of '%.*s'", rows->schema->count,
            rows->schema->count == 1 ? "" : "s", want->count, WR_SLICE_ARG(decl->name.text));
        wr_diag_second(c->diags, d, decl->name.span, "declared here");
        return false;
    }
    for (uint32_t i = 0; i < want->count; i++) {
        struct wr_type from = rows->schema->column[i].type, to = want->column[i].type;
        if (to.kind == WR_KIND_ERROR) return false;
        if (wr_type_converts(from, to)) continue;
        struct wr_span at = rows->column_ident && rows->column_ident[i].span.end
                                ? rows->column_ident[i].span
                                : span;
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0409, at,
                                        "column %u of '%.*s', '%s', is %s, this is %s", i + 1,
                                        WR_SLICE_ARG(decl->name.text), want->column[i].name,
                                        wr_type_text(c, to), wr_type_text(c, from));
        wr_diag_second(c->diags, d, decl->record_ident[i].span, "declared here");
        wr_diag_help(c->diags, d,
                     "columns go in by their position; CAST where another type is meant");
        ok = false;
    }
    return ok;
}

static bool fit_late(struct wr_compile *c, struct wr_decl *decl, const struct wr_relation *rows,
                     struct wr_span span)
{
    const struct wr_schema *want = &decl->record;
    bool fits = rows->schema->count == want->count;
    for (uint32_t i = 0; fits && i < want->count; i++) {
        if (want->column[i].type.kind == WR_KIND_ERROR) return false;
        fits = wr_type_converts(rows->schema->column[i].type, want->column[i].type);
    }
    if (fits) return true;
    struct wr_diag *d = wr_diag_add(
        c->diags, WR_DIAG_W0610, span,
        "late rows have the columns of the rows read, which do not fit those of '%.*s'",
        WR_SLICE_ARG(decl->name.text));
    wr_diag_second(c->diags, d, decl->name.span, "declared here");
    wr_diag_help(c->diags, d, "CREATE STREAM %.*s; takes what comes",
                 WR_SLICE_ARG(decl->name.text));
    return false;
}

bool wr_feed(struct wr_compile *c, const struct wr_ident *target, const struct wr_relation *rows,
             struct wr_span span, bool late)
{
    struct wr_decl *decl = wr_find_target(c, target);
    if (!decl) return false;
    struct wr_feeder feeder = {.relation = *rows, .span = span, .statement = c->state->current};
    if (decl->statement->has_columns) {
        wr_decl_record(c, decl);
        if (late ? !fit_late(c, decl, rows, target->span) : !fit_columns(c, decl, rows, span))
            return false;
        struct wr_type *type = WR_NEW_ARRAY(c->arena, struct wr_type, decl->record.count + 1);
        for (uint32_t i = 0; i < decl->record.count; i++) type[i] = decl->record.column[i].type;
        wr_relation_cast(c, &feeder.relation, type, wr_query_name(c, decl->name.text), span);
    }
    wr_list_push(c->arena, &decl->feeder, feeder);
    return true;
}

/* Feeders in the order of their statements, whichever was lowered first. */
static void sort_feeders(struct wr_decl *decl)
{
    for (size_t i = 1; i < decl->feeder.count; i++) {
        struct wr_feeder f = decl->feeder.at[i];
        size_t k = i;
        for (; k && decl->feeder.at[k - 1].statement > f.statement; k--)
            decl->feeder.at[k] = decl->feeder.at[k - 1];
        decl->feeder.at[k] = f;
    }
}

bool wr_lower_feeders(struct wr_compile *c, struct wr_decl *decl, struct wr_relation *relation)
{
    uint32_t n = (uint32_t)decl->feeder.count;
    if (!n) return false;
    sort_feeders(decl);
    struct wr_relation *part = WR_NEW_ARRAY(c->arena, struct wr_relation, n);
    struct wr_span *span = WR_NEW_ARRAY(c->arena, struct wr_span, n);
    for (uint32_t i = 0; i < n; i++) {
        part[i] = decl->feeder.at[i].relation;
        span[i] = decl->feeder.at[i].span;
    }
    if (!wr_lower_merge(c, part, span, n, decl->name.text, relation)) return false;
    if (decl->statement->has_columns) {
        relation->schema = &decl->record;
        relation->column_ident = decl->record_ident;
    }
    relation->alias = decl->name.text;
    relation->alias_quoted = decl->name.quoted;
    relation->declared_at = decl->name.span;
    relation->has_watermark |= decl->statement->watermark_column.text.size != 0;
    return true;
}

/* ---- Names and statements, each lowered when first asked for --------------------------------- */

static bool report_circle(struct wr_compile *c, const struct wr_statement *s,
                          struct wr_span asked_at)
{
    bool feeds = s->kind == WR_STATEMENT_INSERT || s->kind == WR_STATEMENT_QUERY;
    struct wr_diag *d;
    if (feeds)
        d = wr_diag_add(c->diags, WR_DIAG_W0611, asked_at,
                        "streams feed each other in a circle here");
    else
        d = wr_diag_add(c->diags, WR_DIAG_W0313, asked_at, "'%.*s' uses itself",
                        WR_SLICE_ARG(s->name.text));
    struct wr_span second = s->name.text.size ? s->name.span : s->span;
    if (second.start != asked_at.start)
        wr_diag_second(c->diags, d, second, feeds ? "this query is part of it" : "defined here");
    return false;
}

static bool lower_stream(struct wr_compile *c, struct wr_decl *decl, struct wr_span asked_at)
{
    if (decl->is_fed && !decl->statement->query) {
        bool ok = true;
        for (size_t i = 0; i < decl->feeder_statement.count; i++)
            ok &= wr_lower_statement(c, decl->feeder_statement.at[i], asked_at);
        if (!ok || !wr_lower_feeders(c, decl, &decl->relation)) return false;
        return !decl->statement->has_columns || wr_lower_computed(c, decl, &decl->relation);
    }
    if (decl->statement->has_columns) return wr_lower_source(c, decl, &decl->relation);
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0604, asked_at,
                                    "'%.*s' has no columns, and nothing is inserted "
                                    "into it",
                                    WR_SLICE_ARG(decl->name.text));
    wr_diag_second(c->diags, d, decl->name.span, "declared here");
    return false;
}

bool wr_lower_decl(struct wr_compile *c, struct wr_decl *decl, struct wr_span asked_at,
                   struct wr_relation *relation)
{
    decl->is_read = true;
    if (decl->mark == WR_MARK_FAILED) return false;
    bool by_statement = decl->kind == WR_DECL_VIEW || decl->kind == WR_DECL_PATTERN ||
                        decl->statement->query;
    if (decl->mark == WR_MARK_OPEN) {
        /* A stream whose feeders are being lowered: the statement that is open says it. */
        for (size_t i = 0; i < decl->feeder_statement.count; i++) {
            uint32_t n = decl->feeder_statement.at[i];
            if (c->state->statement_mark[n] == WR_MARK_OPEN)
                return report_circle(c, &c->state->tree->statement[n], asked_at);
        }
        return false;
    }
    if (decl->mark == WR_MARK_NEW && by_statement) {
        if (!wr_lower_statement(c, decl->statement_number, asked_at)) return false;
    } else if (decl->mark == WR_MARK_NEW) {
        decl->mark = WR_MARK_OPEN;
        bool ok = lower_stream(c, decl, asked_at);
        decl->mark = ok ? WR_MARK_DONE : WR_MARK_FAILED;
        if (!ok) return false;
    }
    WR_ASSERT(decl->mark == WR_MARK_DONE);
    *relation = decl->relation;
    return true;
}

static bool lower_insert(struct wr_compile *c, const struct wr_statement *s)
{
    struct wr_decl *decl = wr_find_target(c, &s->name);
    bool pattern = s->query->kind == WR_QUERY_PATTERN;
    struct wr_target target = {.name = pattern ? s->query->pattern.name.text : s->name.text};
    if (decl && decl->statement->has_columns) {
        wr_decl_record(c, decl);
        target.columns = &decl->record;
    }
    struct wr_relation rows;
    return wr_lower_query(c, s->query, NULL, &target, &rows) && decl &&
           wr_feed(c, &s->name, &rows, s->query->span, false);
}

static bool lower_definition(struct wr_compile *c, const struct wr_statement *s,
                             const struct wr_ident *name)
{
    struct wr_decl *decl = wr_decl_find(c, name);
    struct wr_target target = {.name = name->text};
    struct wr_relation rows;
    bool ok = wr_lower_query(c, s->query, NULL, &target, &rows);
    if (!decl || decl->statement != s) return ok; /* a second definition of the name: reported */
    decl->mark = ok ? WR_MARK_DONE : WR_MARK_FAILED;
    rows.alias = name->text;
    rows.alias_quoted = name->quoted;
    rows.declared_at = name->span;
    decl->relation = rows;
    return ok;
}

static bool lower_bare(struct wr_compile *c, const struct wr_statement *s)
{
    struct wr_target target = {
        .name = wr_arena_printf(c->arena, "select_%u", ++c->state->select_count)};
    struct wr_relation rows;
    if (!wr_lower_query(c, s->query, NULL, &target, &rows)) return false;
    wr_add_output(c, &rows, target.name, WR_NONE, false);
    return true;
}

static bool lower_statement(struct wr_compile *c, const struct wr_statement *s)
{
    if (!s->query) return true;
    switch (s->kind) {
    case WR_STATEMENT_CREATE_STREAM:
    case WR_STATEMENT_CREATE_VIEW: return lower_definition(c, s, &s->name);
    case WR_STATEMENT_INSERT: return lower_insert(c, s);
    case WR_STATEMENT_QUERY:
        if (s->query->kind != WR_QUERY_PATTERN) return lower_bare(c, s);
        if (s->name.text.size) return lower_insert(c, s);
        return lower_definition(c, s, &s->query->pattern.name);
    default: return true;
    }
}

bool wr_lower_statement(struct wr_compile *c, uint32_t n, struct wr_span asked_at)
{
    uint8_t *mark = &c->state->statement_mark[n];
    if (*mark == WR_MARK_DONE) return true;
    if (*mark == WR_MARK_FAILED) return false;
    if (*mark == WR_MARK_OPEN) return report_circle(c, &c->state->tree->statement[n], asked_at);
    *mark = WR_MARK_OPEN;
    uint32_t outer = c->state->current;
    c->state->current = n;
    bool ok = lower_statement(c, &c->state->tree->statement[n]);
    c->state->current = outer;
    *mark = ok ? WR_MARK_DONE : WR_MARK_FAILED;
    return ok;
}

/* ---- OUTPUT ---------------------------------------------------------------------------------- */

void wr_add_output(struct wr_compile *c, const struct wr_relation *rows, struct wr_slice name,
                   uint32_t stream, bool only_if_bound)
{
    struct wr_node node = {.kind = WR_NODE_OUTPUT,
                           .input_count = 1,
                           .query = wr_query_name(c, name),
                           .input = wr_inputs(c, rows->node),
                           .schema = *rows->schema};
    node.u.output = (struct wr_output_node){.stream = stream, .only_if_bound = only_if_bound};
    wr_node_add(c, &node);
    c->state->output_count++;
}

static void add_stream_output(struct wr_compile *c, struct wr_decl *decl)
{
    const struct wr_statement *s = decl->statement;
    struct wr_relation rows;
    if (decl->kind == WR_DECL_PATTERN) {
        if (decl->mark == WR_MARK_DONE)
            wr_add_output(c, &decl->relation, decl->name.text, WR_NONE, false);
    } else if (decl->kind == WR_DECL_STREAM && s->query) {
        bool connector = wr_stream_option(&c->state->stream.at[decl->stream], "connector") != NULL;
        if (decl->mark == WR_MARK_DONE)
            wr_add_output(c, &decl->relation, decl->name.text, decl->stream,
                          decl->is_read && !connector);
    } else if (decl->kind == WR_DECL_STREAM && decl->feeder.count) {
        /* What is written is the record; computed columns are for those who read. */
        if (decl->mark == WR_MARK_FAILED) return;
        if (decl->mark == WR_MARK_DONE && !decl->statement->has_columns) rows = decl->relation;
        else if (!wr_lower_feeders(c, decl, &rows)) return;
        wr_add_output(c, &rows, decl->name.text, decl->stream, false);
    }
}

/* Streams in the order of their declarations; bare SELECTs have theirs already. */
void wr_outputs(struct wr_compile *c)
{
    for (size_t i = 0; i < c->state->decl.count; i++) add_stream_output(c, c->state->decl.at[i]);
}
