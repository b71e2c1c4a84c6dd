/* Constructors of statements, and of columns and options. */
#include "dsl/build.h"

static struct wr_statement *make(struct wr_parse *parse, enum wr_statement_kind kind, struct wr_ident name,
                                 struct wr_span span)
{
    struct wr_statement *statement = WR_NEW(parse->arena, struct wr_statement);
    statement->kind = kind;
    statement->name = name;
    statement->span = span;
    statement->watermark_column = wr_ident_none(span);
    return statement;
}

/* ---- Columns ---------------------------------------------------------------------------------------- */

struct wr_clause *wr_column_from(struct wr_parse *parse, enum wr_column_from from, struct wr_span text,
                                 struct wr_span span) {
    struct wr_clause *clause = wr_clause_new(parse, WR_CLAUSE_FROM, span);
    clause->choice = from;
    if (from == WR_COLUMN_FROM_PATH || from == WR_COLUMN_FROM_HEADER) clause->text = wr_string_at(parse, text);
    return clause;
}

static struct wr_column_entry *entry_new(struct wr_parse *parse, struct wr_span span)
{
    struct wr_column_entry *entry = WR_NEW(parse->arena, struct wr_column_entry);
    entry->span = span;
    return entry;
}

static const char *column_clause_name(enum wr_clause_kind kind)
{
    return kind == WR_CLAUSE_FROM ? "FROM" : kind == WR_CLAUSE_KEY ? "KEY" : kind == WR_CLAUSE_NOT_NULL ? "NOT NULL"
         : kind == WR_CLAUSE_DEFAULT ? "DEFAULT" : "PRIMARY KEY";
}

struct wr_column_entry *wr_column_new(struct wr_parse *parse, struct wr_ident name, struct wr_type_name *type,
                                      struct wr_list *clauses, struct wr_expr *computed, struct wr_span span)
{
    struct wr_column_entry *entry = entry_new(parse, span);
    entry->kind = WR_ENTRY_COLUMN;
    struct wr_column_def *column = &entry->column;
    *column = (struct wr_column_def){.name = name, .type = type, .computed = computed, .span = span};
    struct wr_clause **clause = (struct wr_clause **)(void *)clauses->at;
    const struct wr_clause *seen[WR_CLAUSE_COUNT] = {NULL};
    for (uint32_t i = 0; i < clauses->count; i++) {
        const struct wr_clause *c = clause[i];
        if (seen[c->kind]) {
            struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0204, c->span, "%s is given twice",
                                               column_clause_name(c->kind));
            wr_diag_second(parse->diags, d, seen[c->kind]->span, "the first one");
        }
        seen[c->kind] = c;
        if (c->kind == WR_CLAUSE_FROM) {
            column->from = (enum wr_column_from)c->choice;
            column->from_text = c->text;
            column->from_span = c->span;
        } else if (c->kind == WR_CLAUSE_KEY) {
            column->key = true;
        } else if (c->kind == WR_CLAUSE_NOT_NULL) {
            column->not_null = true;
        } else if (c->kind == WR_CLAUSE_DEFAULT) {
            column->default_value = c->expr;
        } else if (c->kind == WR_CLAUSE_PRIMARY_KEY) {
            struct wr_ident own = name;
            own.span = c->span;
            entry->names = wr_list_of(parse, &own, sizeof own);
        }
    }
    return entry;
}

struct wr_column_entry *wr_column_watermark(struct wr_parse *parse, struct wr_ident name, struct wr_expr *expr,
                                            struct wr_span span)
{
    struct wr_column_entry *entry = entry_new(parse, span);
    entry->kind = WR_ENTRY_WATERMARK;
    entry->name = name;
    entry->expr = expr;
    return entry;
}

struct wr_column_entry *wr_column_primary_key(struct wr_parse *parse, struct wr_list *names, struct wr_span span)
{
    struct wr_column_entry *entry = entry_new(parse, span);
    entry->kind = WR_ENTRY_PRIMARY_KEY;
    entry->names = names;
    return entry;
}

struct wr_column_entry *wr_column_error(struct wr_parse *parse, struct wr_span span)
{
    return entry_new(parse, span);
}

static void put_primary_key(struct wr_parse *parse, struct wr_statement *statement, const struct wr_list *names,
                            struct wr_span span)
{
    if (statement->primary_key.count) {
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0204, span, "PRIMARY KEY is given twice");
        wr_diag_second(parse->diags, d, statement->primary_key_span, "the first one");
        wr_diag_help(parse->diags, d, "a key of several columns is written PRIMARY KEY (a, b)");
        return;
    }
    statement->primary_key = wr_list_idents(names);
    statement->primary_key_span = span;
}

static void put_entry(struct wr_parse *parse, struct wr_statement *statement, const struct wr_column_entry *entry)
{
    switch (entry->kind) {
    case WR_ENTRY_COLUMN:
        statement->column[statement->column_count++] = entry->column;
        if (entry->names) put_primary_key(parse, statement, entry->names, wr_list_idents(entry->names).at[0].span);
        break;
    case WR_ENTRY_WATERMARK:
        if (statement->watermark) {
            struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0204, entry->span, "WATERMARK is given twice");
            wr_diag_second(parse->diags, d, statement->watermark_span, "the first one");
            break;
        }
        statement->watermark_column = entry->name;
        statement->watermark = entry->expr;
        statement->watermark_span = entry->span;
        break;
    case WR_ENTRY_PRIMARY_KEY: put_primary_key(parse, statement, entry->names, entry->span); break;
    case WR_ENTRY_ERROR: break;
    }
}

/* ---- Options ------------------------------------------------------------------------------------------ */

struct wr_option *wr_option_new(struct wr_parse *parse, struct wr_ident name, struct wr_expr *value)
{
    struct wr_option *option = WR_NEW(parse->arena, struct wr_option);
    *option = (struct wr_option){name, value};
    return option;
}

struct wr_ident wr_option_name(struct wr_parse *parse, struct wr_list *path, struct wr_span span)
{
    struct wr_ident_list parts = wr_list_idents(path);
    if (parts.count == 1) return parts.at[0];
    size_t size = 0;
    for (uint32_t i = 0; i < parts.count; i++) size += parts.at[i].text.size + 1;
    char *joined = wr_arena_alloc(parse->arena, size), *next = joined;
    for (uint32_t i = 0; i < parts.count; i++) {
        if (i) *next++ = '.';
        memcpy(next, parts.at[i].text.data, parts.at[i].text.size);
        next += parts.at[i].text.size;
    }
    return (struct wr_ident){wr_slice_of(joined, (size_t)(next - joined)), false, span};
}

struct wr_ident wr_option_string(struct wr_parse *parse, struct wr_span span)
{
    return (struct wr_ident){wr_string_at(parse, span), false, span};
}

/* ---- Statements ----------------------------------------------------------------------------------------- */

struct wr_statement *wr_statement_create(struct wr_parse *parse, enum wr_statement_kind kind, struct wr_ident name,
                                         struct wr_list *columns, struct wr_list *options, struct wr_query *query,
                                         struct wr_span span)
{
    struct wr_statement *statement = make(parse, kind, name, span);
    statement->query = query;
    statement->has_columns = columns != NULL;
    if (columns) {
        const struct wr_column_entry *entry = (const struct wr_column_entry *)(void *)columns->at;
        statement->column = WR_NEW_ARRAY(parse->arena, struct wr_column_def, columns->count + 1);
        for (uint32_t i = 0; i < columns->count; i++) put_entry(parse, statement, &entry[i]);
    }
    if (!options) return statement;
    statement->option = (struct wr_option *)(void *)options->at;
    statement->option_count = options->count;
    for (uint32_t i = 0; i < options->count; i++)
        for (uint32_t j = 0; j < i && statement->option[i].name.text.size; j++) {
            if (!wr_ident_equal(statement->option[i].name, statement->option[j].name)) continue;
            struct wr_diag *d =
                wr_parse_error(parse, WR_DIAG_W0204, statement->option[i].name.span,
                               "option '%.*s' is given twice", WR_SLICE_ARG(statement->option[i].name.text));
            wr_diag_second(parse->diags, d, statement->option[j].name.span, "the first one");
            break;
        }
    return statement;
}

struct wr_statement *wr_statement_query(struct wr_parse *parse, enum wr_statement_kind kind, struct wr_ident name,
                                        struct wr_query *query, struct wr_span span)
{
    struct wr_statement *statement = make(parse, kind, name, span);
    statement->query = query;
    return statement;
}

struct wr_statement *wr_statement_function(struct wr_parse *parse, struct wr_ident name, struct wr_list *params,
                                           struct wr_type_name *type, struct wr_expr *body, struct wr_span span)
{
    struct wr_statement *statement = make(parse, WR_STATEMENT_CREATE_FUNCTION, name, span);
    statement->type = type;
    statement->value = body;
    if (!params) return statement;
    const struct wr_param *param = (const struct wr_param *)(void *)params->at;
    statement->parameter_count = params->count;
    statement->parameter = WR_NEW_ARRAY(parse->arena, struct wr_ident, params->count);
    statement->parameter_type = WR_NEW_ARRAY(parse->arena, struct wr_type_name *, params->count);
    for (uint32_t i = 0; i < params->count; i++) {
        statement->parameter[i] = param[i].name;
        statement->parameter_type[i] = param[i].type;
    }
    return statement;
}

struct wr_statement *wr_statement_parameter(struct wr_parse *parse, struct wr_ident name, struct wr_type_name *type,
                                            struct wr_expr *value, struct wr_span span)
{
    struct wr_statement *statement = make(parse, WR_STATEMENT_CREATE_PARAMETER, name, span);
    statement->type = type;
    statement->value = value;
    return statement;
}

struct wr_statement *wr_statement_set(struct wr_parse *parse, struct wr_option *option, struct wr_span span)
{
    struct wr_statement *statement = make(parse, WR_STATEMENT_SET, option->name, span);
    statement->value = option->value;
    return statement;
}

struct wr_statement *wr_statement_include(struct wr_parse *parse, struct wr_span path, struct wr_span span)
{
    struct wr_statement *statement = make(parse, WR_STATEMENT_INCLUDE, wr_ident_none(span), span);
    statement->path = wr_string_at(parse, path);
    statement->path_span = path;
    return statement;
}
