/* Columns of a stream and the SOURCE node that reads them. */
#include "compiler/state.h"

enum { COLUMNS_MAX = 4096 };

static bool bad_path(struct wr_compile *c, struct wr_span span, struct wr_slice text)
{
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0513, span, "'%.*s' is no path",
                                    WR_SLICE_ARG(text));
    wr_diag_help(c->diags, d, "$ and then steps: '$.payment.items[0].price'");
    return false;
}

/* $ .name ["name"] ['name'] [n] */
bool wr_check_path(struct wr_compile *c, struct wr_span span, struct wr_slice text,
                   const char *const **path, uint16_t *count)
{
    const char *at = text.data, *end = text.data + text.size;
    WR_LIST(const char *) step = {0};
    bool ok = text.size > 1 && *at++ == '$';
    while (ok && at < end) {
        const char *from = at + 1;
        if (*at == '.' && from < end && *from == '"') { /* $."Device ID" */
            for (at = ++from; at < end && *at != '"';) at++;
            ok = at > from && at < end && *from != '[';
            wr_list_push(c->arena, &step, wr_cstr(c, wr_slice_of(from, (size_t)(at - from))));
            at++;
        } else if (*at == '.') {
            for (at++; at < end && *at != '.' && *at != '[';) at++;
            ok = at > from;
            wr_list_push(c->arena, &step, wr_cstr(c, wr_slice_of(from, (size_t)(at - from))));
        } else if (*at == '[' && from < end && (*from == '\'' || *from == '"')) {
            char quote = *from++;
            for (at = from; at < end && *at != quote;) at++;
            ok = at > from && at + 1 < end && at[1] == ']' && *from != '[';
            wr_list_push(c->arena, &step, wr_cstr(c, wr_slice_of(from, (size_t)(at - from))));
            at += 2;
        } else if (*at == '[') {
            for (at++; at < end && *at >= '0' && *at <= '9';) at++;
            ok = at > from && at < end && *at == ']' && at - from <= 9;
            if (ok) wr_list_push(c->arena, &step, wr_cstr(c, wr_slice_of(from - 1, (size_t)(at - from) + 2)));
            at++;
        } else {
            ok = false;
        }
    }
    ok &= step.count <= 64;
    if (ok) {
        const char **copy = WR_NEW_ARRAY(c->arena, const char *, step.count + 1);
        if (step.count) memcpy(copy, step.at, step.count * sizeof *copy);
        *path = copy;
        *count = (uint16_t)step.count;
    }
    return ok ? true : bad_path(c, span, text);
}

static bool in_record(const struct wr_column_def *def)
{
    return !def->computed && (def->from == WR_COLUMN_FROM_NAME || def->from == WR_COLUMN_FROM_PATH);
}

static bool refuse_option(struct wr_compile *c, const struct wr_column_def *def, const char *why)
{
    wr_diag_add(c->diags, WR_DIAG_W0607, def->span, "column '%.*s': %s",
                WR_SLICE_ARG(def->name.text), why);
    return false;
}

static bool check_column_options(struct wr_compile *c, const struct wr_column_def *def,
                                 struct wr_type type)
{
    bool meta = def->from == WR_COLUMN_FROM_OFFSET || def->from == WR_COLUMN_FROM_PARTITION ||
                def->from == WR_COLUMN_FROM_TIMESTAMP;
    if (def->computed) {
        if (def->from != WR_COLUMN_FROM_NAME)
            return refuse_option(c, def, "a computed column comes FROM nowhere");
        if (def->key)
            return refuse_option(c, def, "a computed column is no part of the record, so no KEY");
        if (def->default_value) return refuse_option(c, def, "a computed column takes no DEFAULT");
        return true;
    }
    if (meta && def->default_value)
        return refuse_option(c, def, "every record has this, so no DEFAULT");
    if (type.kind == WR_KIND_ERROR) return true;
    bool integer = wr_type_is_integer(type);
    if ((def->from == WR_COLUMN_FROM_OFFSET || def->from == WR_COLUMN_FROM_PARTITION) && !integer)
        return refuse_option(c, def, "FROM OFFSET and FROM PARTITION give an INT or a BIGINT");
    if (def->from == WR_COLUMN_FROM_TIMESTAMP && type.kind != WR_KIND_TIMESTAMP)
        return refuse_option(c, def, "FROM TIMESTAMP gives a TIMESTAMP");
    if (def->from == WR_COLUMN_FROM_HEADER && type.kind != WR_KIND_STRING &&
        type.kind != WR_KIND_BYTES)
        return refuse_option(c, def, "FROM HEADER gives a STRING or BYTES");
    return true;
}

/* `INT x` and `WATERMARK at AS at - 5s` read as columns called INT and WATERMARK. */
static bool is_other_way_round(struct wr_compile *c, const struct wr_column_def *def)
{
    bool watermark = wr_slice_equal_nocase(def->name.text, WR_SLICE("WATERMARK"));
    if (def->name.quoted || wr_is_near_type_name(def->type->name.text)) return false;
    if (!watermark && !wr_is_type_name(def->name.text)) return false;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0311, def->type->span, "there is no type '%.*s'",
                                    WR_SLICE_ARG(def->type->name.text));
    if (watermark) wr_diag_help(c->diags, d, "write WATERMARK FOR %.*s AS …", WR_SLICE_ARG(def->type->name.text));
    else
        wr_diag_help(c->diags, d, "the name stands first: %.*s %.*s", WR_SLICE_ARG(def->type->name.text),
                     WR_SLICE_ARG(def->name.text));
    return true;
}

/* Types of a computed column without one are found when it is lowered; for the rest of the program
 * it needs one. */
void wr_declare_columns(struct wr_compile *c, struct wr_decl *decl)
{
    const struct wr_statement *s = decl->statement;
    uint32_t n = WR_MIN(s->column_count, (uint32_t)COLUMNS_MAX);
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column, n + 1);
    decl->column_ident = WR_NEW_ARRAY(c->arena, struct wr_ident, n + 1);
    struct wr_names *names = wr_names_new(c->arena);
    if (s->column_count > COLUMNS_MAX)
        wr_diag_add(c->diags, WR_DIAG_W0616, s->column[COLUMNS_MAX].span,
                    "a stream has at most 4,096 columns");
    for (uint32_t i = 0; i < n; i++) {
        const struct wr_column_def *def = &s->column[i];
        column[i].name = wr_cstr(c, def->name.text);
        column[i].type = wr_type_of(WR_KIND_ERROR);
        decl->column_ident[i] = def->name;
        if (def->type && !is_other_way_round(c, def)) wr_check_type_name(c, def->type, &column[i].type);
        check_column_options(c, def, column[i].type);
        if (wr_names_add(names, &def->name, i)) continue;
        struct wr_diag *d = wr_diag_add(
            c->diags, WR_DIAG_W0307, def->name.span, "'%.*s' has two columns '%.*s'",
            WR_SLICE_ARG(decl->name.text), WR_SLICE_ARG(def->name.text));
        wr_diag_second(c->diags, d, s->column[wr_names_find(names, &def->name)].name.span,
                       "the first one");
    }
    decl->columns = (struct wr_schema){n, column};
}

uint32_t wr_record_columns(const struct wr_decl *decl)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < decl->columns.count; i++)
        count += in_record(&decl->statement->column[i]);
    return count;
}

/* ---- Computed columns ------------------------------------------------------------------------ */

struct computed {
    const struct wr_decl *decl;
    const uint32_t *field; /* column of the input by declared column; WR_NONE for computed ones */
    struct wr_ir **value;  /* of computed columns done so far */
    uint32_t current;
};

static struct wr_ir *resolve_column(struct wr_compile *c, struct wr_scope *scope,
                                    struct wr_block *b, const struct wr_expr *expr, bool *handled)
{
    const struct computed *in = scope->context;
    const struct wr_decl *decl = in->decl;
    struct wr_relation r = {.schema = &decl->columns,
                            .column_ident = decl->column_ident,
                            .alias = decl->name.text,
                            .alias_quoted = decl->name.quoted,
                            .declared_at = decl->name.span,
                            .time_column = WR_NONE};
    const struct wr_ident *last = &expr->u.name.at[expr->u.name.count - 1];
    *handled = true;
    if (expr->u.name.count > 2 ||
        (expr->u.name.count == 2 && !wr_relation_is_qualifier(c, &r, &expr->u.name.at[0])))
        return NULL;
    uint32_t column = wr_relation_column(c, &r, last);
    if (column == WR_NONE) return NULL;
    struct wr_type type = decl->columns.column[column].type;
    if (in->field[column] != WR_NONE) {
        if (type.kind == WR_KIND_ERROR) return NULL;
        return wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                                .column = (uint16_t)in->field[column],
                                                .type = type});
    }
    if (column < in->current) return in->value[column];
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0615, expr->span,
                                    column == in->current
                                        ? "the computed column '%.*s' uses itself"
                                        : "the computed column '%.*s' stands only later",
                                    WR_SLICE_ARG(last->text));
    wr_diag_second(c->diags, d, decl->column_ident[column].span, "declared here");
    return NULL;
}

/* Checks the computed columns into a block over the record's columns, in their order; value[i] is
 * NULL for others. */
static bool check_computed(struct wr_compile *c, struct wr_decl *decl, const uint32_t *field,
                           struct wr_block *b, struct wr_ir **value)
{
    const struct wr_statement *s = decl->statement;
    struct wr_schema_column *column = (struct wr_schema_column *)(uintptr_t)decl->columns.column;
    struct computed in = {decl, field, value, 0};
    struct wr_scope scope = {
        .context = &in, .resolve = resolve_column, .aggregates_refused = "in a computed column"};
    bool ok = true;
    for (uint32_t i = 0; i < decl->columns.count; i++) {
        if (field[i] != WR_NONE) continue;
        in.current = i;
        struct wr_ir *ir = wr_check_expr(c, &scope, b, s->column[i].computed);
        bool reported = false, declared = s->column[i].type != NULL;
        if (ir && !declared && ir->type.kind == WR_KIND_NULL) {
            wr_diag_add(c->diags, WR_DIAG_W0418, s->column[i].computed->span,
                        "nothing says which type this NULL has");
            ir = NULL;
        }
        if (ir && !declared) column[i].type = ir->type;
        if (!ir || column[i].type.kind == WR_KIND_ERROR) {
            ok = false;
            continue;
        }
        value[i] = wr_coerce(c, b, ir, column[i].type, &reported);
        if (!value[i] && !reported) {
            struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0420, s->column[i].computed->span,
                                            "the column '%s' has type %s, this is %s",
                                            column[i].name, wr_type_text(c, column[i].type),
                                            wr_type_text(c, ir->type));
            wr_diag_second(c->diags, d, s->column[i].type->span, "declared here");
        }
        ok &= value[i] != NULL;
    }
    return ok;
}

/* ---- The SOURCE node ------------------------------------------------------------------------- */

static bool make_field(struct wr_compile *c, const struct wr_column_def *def, struct wr_type type,
                       uint32_t ordinal, struct wr_field *f)
{
    *f = (struct wr_field){.name = wr_cstr(c, def->name.text),
                           .type = type,
                           .not_null = def->not_null,
                           .default_constant = WR_NONE,
                           .ordinal = ordinal};
    static const uint8_t from[] = {WR_FIELD_PATH,     WR_FIELD_PATH,   WR_FIELD_KEY,
                                   WR_FIELD_HEADER,   WR_FIELD_OFFSET, WR_FIELD_PARTITION,
                                   WR_FIELD_TIMESTAMP};
    f->from = from[def->from];
    bool ok = true;
    if (def->from == WR_COLUMN_FROM_PATH) {
        ok = wr_check_path(c, def->from_span, def->from_text, &f->path, &f->path_count);
    } else if (def->from == WR_COLUMN_FROM_NAME || def->from == WR_COLUMN_FROM_HEADER) {
        const char **path = WR_NEW(c->arena, const char *);
        *path = def->from == WR_COLUMN_FROM_NAME ? f->name : wr_cstr(c, def->from_text);
        f->path = path;
        f->path_count = 1;
    }
    if (def->default_value && type.kind != WR_KIND_ERROR) {
        struct wr_value value;
        if (!wr_check_literal(c, def->default_value, type, WR_DIAG_W0420, "the default of a column",
                              &value))
            return false;
        f->default_constant = wr_constant_add(c, type, &value, WR_NONE);
    }
    return ok;
}

/* c or c - constant: the delay; anything else is code. */
static int64_t delay_of(const struct wr_ir *ir, uint32_t time_column)
{
    struct wr_value value;
    if (ir->kind == WR_IR_INPUT && ir->u.input.column == time_column) return 0;
    if (ir->kind != WR_IR_OP || ir->u.op.op != WR_OP_SUB_I64) return -1;
    const struct wr_ir *left = ir->u.op.arg[0], *right = ir->u.op.arg[1];
    if (left->kind != WR_IR_INPUT || left->u.input.column != time_column ||
        !wr_ir_is_constant(right, &value) || value.flag != WR_FLAG_VALUE)
        return -1;
    return value.u.i64 >= 0 ? value.u.i64 : -1;
}

static bool check_watermark(struct wr_compile *c, struct wr_decl *decl, const uint32_t *position,
                            const struct wr_schema *node_schema, struct wr_source_node *source)
{
    const struct wr_statement *s = decl->statement;
    struct wr_relation r = {.schema = &decl->columns,
                            .column_ident = decl->column_ident,
                            .alias = decl->name.text,
                            .alias_quoted = decl->name.quoted,
                            .declared_at = decl->name.span,
                            .time_column = WR_NONE};
    uint32_t column = wr_relation_column(c, &r, &s->watermark_column);
    if (column == WR_NONE) return false;
    struct wr_type type = decl->columns.column[column].type;
    if (type.kind == WR_KIND_ERROR) return false;
    if (type.kind != WR_KIND_TIMESTAMP) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0602, s->watermark_column.span,
                                        "the event time is a TIMESTAMP, '%.*s' is %s",
                                        WR_SLICE_ARG(s->watermark_column.text),
                                        wr_type_text(c, type));
        wr_diag_second(c->diags, d, decl->column_ident[column].span, "declared here");
        if (type.kind == WR_KIND_STRING || wr_type_is_integer(type))
            wr_diag_help(c->diags, d, "declare it as TIMESTAMP: RFC 3339 texts and numbers of milliseconds are read as such");
        return false;
    }
    source->time_column = position[column];
    struct wr_ident *ident = WR_NEW_ARRAY(c->arena, struct wr_ident, node_schema->count + 1);
    for (uint32_t i = 0; i < decl->columns.count; i++) ident[position[i]] = decl->column_ident[i];
    struct wr_relation over = r;
    over.schema = node_schema;
    over.column_ident = ident;
    struct wr_scope scope;
    wr_scope_of_relation(&scope, &over);
    scope.aggregates_refused = "in a watermark";
    struct wr_block *b = wr_block_new(c);
    struct wr_ir *ir = wr_check_expr(c, &scope, b, s->watermark);
    if (!ir) return false;
    if (ir->type.kind != WR_KIND_TIMESTAMP) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0603, s->watermark->span,
                                        "a watermark is a TIMESTAMP, this is %s",
                                        wr_type_text(c, ir->type));
        wr_diag_help(c->diags, d, "%.*s - 5s", WR_SLICE_ARG(s->watermark_column.text));
        return false;
    }
    source->delay_us = delay_of(ir, source->time_column);
    wr_block_result(b, ir);
    if (source->delay_us < 0) source->watermark = wr_block_finish(b);
    return true;
}

/* A SOURCE has its computed columns last; * gives the columns as they are declared. */
static void in_declared_order(struct wr_compile *c, const struct wr_decl *decl,
                              const uint32_t *position, struct wr_relation *relation)
{
    bool in_order = true;
    struct wr_block *b = wr_block_new(c);
    for (uint32_t i = 0; i < decl->columns.count; i++) {
        struct wr_input input = {.kind = WR_INPUT_COLUMN,
                                 .column = (uint16_t)position[i],
                                 .type = decl->columns.column[i].type};
        wr_block_column(b, wr_ir_input(b, input));
        in_order &= position[i] == i;
    }
    if (in_order) return;
    uint32_t query = wr_node_at(c, relation->node)->query;
    relation->node = wr_select_add(c, relation->node, WR_NONE, b, true, &decl->columns, query,
                                   decl->statement->span);
}

bool wr_lower_source(struct wr_compile *c, struct wr_decl *decl, struct wr_relation *relation)
{
    const struct wr_statement *s = decl->statement;
    uint32_t n = decl->columns.count, fields = 0, ordinal = 0;
    uint32_t *field = WR_NEW_ARRAY(c->arena, uint32_t, n + 1); /* as an input of computed columns */
    uint32_t *position = WR_NEW_ARRAY(c->arena, uint32_t, n + 1); /* in the node's schema */
    struct wr_field *list = WR_NEW_ARRAY(c->arena, struct wr_field, n + 1);
    bool ok = true;
    for (uint32_t i = 0; i < n; i++) {
        field[i] = WR_NONE;
        if (s->column[i].computed) continue;
        ok &= make_field(c, &s->column[i], decl->columns.column[i].type, ordinal, &list[fields]);
        ordinal += in_record(&s->column[i]);
        field[i] = position[i] = fields++;
    }
    struct wr_block *b = wr_block_new(c);
    struct wr_ir **value = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    ok &= check_computed(c, decl, field, b, value);
    for (uint32_t i = 0; i < n; i++) ok &= decl->columns.column[i].type.kind != WR_KIND_ERROR;
    struct wr_schema_column *column = WR_NEW_ARRAY(c->arena, struct wr_schema_column, n + 1);
    uint32_t next = fields;
    uint8_t *not_null = WR_NEW_ARRAY(c->arena, uint8_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (field[i] == WR_NONE) {
            not_null[next - fields] = s->column[i].not_null;
            position[i] = next++;
        }
        column[position[i]] = decl->columns.column[i];
        if (field[i] == WR_NONE && ok) wr_block_column(b, value[i]);
    }
    struct wr_node node = {.kind = WR_NODE_SOURCE,
                           .query = wr_query_name(c, decl->name.text),
                           .name = wr_cstr(c, decl->name.text),
                           .schema = {n, column},
                           .place = s->span.file == c->state->main_file ? s->span.start : 0};
    node.u.source = (struct wr_source_node){.stream = decl->stream,
                                            .field_count = fields,
                                            .field = list,
                                            .computed = WR_NONE,
                                            .time_column = WR_NONE,
                                            .watermark = WR_NONE,
                                            .delay_us = -1};
    if (s->watermark_column.text.size)
        ok &= check_watermark(c, decl, position, &node.schema, &node.u.source);
    else node.u.source.delay_us = 0;
    if (fields < n) {
        node.u.source.computed = wr_block_finish(b);
        node.u.source.computed_not_null = not_null;
    }
    if (!ok) node.u.source.computed = node.u.source.watermark = WR_NONE;
    *relation = (struct wr_relation){.node = wr_node_add(c, &node), .time_column = WR_NONE};
    for (uint32_t i = 0; i < n; i++)
        if (position[i] == node.u.source.time_column) relation->time_column = i;
    if (ok) in_declared_order(c, decl, position, relation);
    /* The columns are there even where something is wrong, so that queries are checked all the same. */
    relation->schema = &decl->columns;
    relation->column_ident = decl->column_ident;
    relation->alias = decl->name.text;
    relation->alias_quoted = decl->name.quoted;
    relation->declared_at = decl->name.span;
    relation->has_watermark = s->watermark_column.text.size != 0;
    return true;
}

bool wr_lower_computed(struct wr_compile *c, struct wr_decl *decl, struct wr_relation *relation)
{
    uint32_t n = decl->columns.count, inserted = 0;
    uint32_t *field = WR_NEW_ARRAY(c->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++)
        field[i] = decl->statement->column[i].computed ? WR_NONE : inserted++;
    if (inserted == n) return true;
    struct wr_block *b = wr_block_new(c);
    struct wr_ir **value = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    if (!check_computed(c, decl, field, b, value)) return false;
    uint32_t time = relation->time_column;
    relation->time_column = WR_NONE;
    for (uint32_t i = 0; i < n; i++) {
        if (field[i] != WR_NONE) {
            value[i] = wr_relation_value(b, relation, field[i]);
            if (field[i] == time) relation->time_column = i;
        }
        wr_block_column(b, value[i]);
    }
    relation->node = wr_select_add(c, relation->node, WR_NONE, b, true, &decl->columns,
                                   wr_query_name(c, decl->name.text), decl->statement->span);
    relation->schema = &decl->columns;
    relation->column_ident = decl->column_ident;
    return true;
}

struct wr_decl *wr_declare_file(struct wr_compile *c, const struct wr_from *from)
{
    for (size_t i = 0; i < c->state->decl.count; i++) {
        struct wr_decl *old = c->state->decl.at[i];
        if (old->kind == WR_DECL_FILE && wr_slice_equal(old->statement->path, from->file))
            return old;
    }
    struct wr_statement *s = WR_NEW(c->arena, struct wr_statement);
    struct wr_slice why = {0};
    if (!c->options || !c->options->file_stream) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0301, from->span,
                                        "a program reads streams; files are named "
                                        "when it is started");
        wr_diag_help(c->diags, d, "CREATE STREAM s (…); and --in s=%.*s", WR_SLICE_ARG(from->file));
        return NULL;
    }
    if (!c->options->file_stream(c->options->file_stream_context, c->arena, from->file, s, &why)) {
        wr_diag_add(c->diags, WR_DIAG_W0301, from->span, "'%.*s' cannot be read: %.*s",
                    WR_SLICE_ARG(from->file), WR_SLICE_ARG(why));
        return NULL;
    }
    if (why.size)
        wr_diag_add(c->diags, WR_DIAG_W2013, from->span, "%.*s: %.*s", WR_SLICE_ARG(from->file), WR_SLICE_ARG(why));
    if (!s->path.data) s->path = from->file;
    struct wr_decl *decl = wr_declare_stream(c, s, WR_NONE);
    decl->kind = WR_DECL_FILE;
    return decl;
}
