/* FROM (logins, transfers): the rows of several streams as those of one. Columns are united by name; what a
 * stream does not have is NULL in its rows. A further column, which no name reaches, holds the number of the
 * stream; a variable that is bound to one compares it. */
#include "compiler/ir.h"
#include "compiler/state.h"

struct united {
    WR_LIST(struct wr_schema_column) column;
    WR_LIST(struct wr_ident) ident;
    WR_LIST(struct wr_span) first; /* the stream that had it first, for messages */
};

static struct wr_ident ident_of(const struct wr_relation *r, uint32_t column)
{
    if (r->column_ident) return r->column_ident[column];
    return (struct wr_ident){.text = wr_slice_cstr(r->schema->column[column].name), .quoted = true};
}

static uint32_t find(const struct united *u, const struct wr_ident *name)
{
    for (uint32_t i = 0; i < u->ident.count; i++)
        if (wr_ident_equal(u->ident.at[i], *name)) return i;
    return WR_NONE;
}

/* Adds the columns of a stream; to[i] is where its column i is. */
static bool unite(struct wr_compile *c, struct united *u, const struct wr_relation *part,
                  struct wr_span span, uint32_t *to)
{
    bool ok = true;
    for (uint32_t i = 0; i < part->schema->count; i++) {
        const struct wr_schema_column *column = &part->schema->column[i];
        struct wr_ident name = ident_of(part, i);
        struct wr_type common;
        to[i] = find(u, &name);
        if (to[i] == WR_NONE) {
            to[i] = (uint32_t)u->column.count;
            wr_list_push(c->arena, &u->column, *column);
            wr_list_push(c->arena, &u->ident, name);
            wr_list_push(c->arena, &u->first, span);
        } else if (wr_type_common(u->column.at[to[i]].type, column->type, &common)) {
            u->column.at[to[i]].type = common;
        } else {
            struct wr_diag *d = wr_diag_add(
                c->diags, WR_DIAG_W0408, span, "column '%s' is %s in this stream and %s in another",
                column->name, wr_type_text(c, column->type),
                wr_type_text(c, u->column.at[to[i]].type));
            wr_diag_second(c->diags, d, u->first.at[to[i]], "the other");
            wr_diag_help(c->diags, d, "read one of them through a view that casts or renames it");
            ok = false;
        }
    }
    return ok;
}

/* The rows of stream `number` with the united columns and the number behind them. */
static void project(struct wr_compile *c, struct wr_relation *part, uint32_t number, const uint32_t *to,
                    const struct wr_schema *schema, uint32_t query, struct wr_span span)
{
    struct wr_block *b = wr_block_new(c);
    uint32_t columns = schema->count - 1;
    struct wr_ir **value = WR_NEW_ARRAY(c->arena, struct wr_ir *, columns + 1);
    for (uint32_t i = 0; i < part->schema->count; i++)
        value[to[i]] = wr_ir_cast(b, wr_relation_value(b, part, i), schema->column[to[i]].type, false,
                                  false);
    for (uint32_t i = 0; i < columns; i++)
        wr_block_column(b, value[i] ? value[i] : wr_ir_null(b, schema->column[i].type));
    wr_block_column(b, wr_ir_i64(b, schema->column[columns].type, number));
    if (part->time_column != WR_NONE) part->time_column = to[part->time_column];
    part->node = wr_select_add(c, part->node, WR_NONE, b, true, schema, query, span);
    part->schema = schema;
}

/* The first stream whose time has no declared watermark, or the first. */
static struct wr_span warned_at(const struct wr_relation *part, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!part[i].has_watermark) return part[i].declared_at;
    return part[0].declared_at;
}

static void describe(struct wr_compile *c, const struct wr_from *from, const struct wr_relation *part,
                     const struct united *u, struct wr_relation *result)
{
    uint32_t n = from->input_count, columns = (uint32_t)u->column.count;
    struct wr_ident *stream = WR_NEW_ARRAY(c->arena, struct wr_ident, n);
    struct wr_ident *ident = WR_NEW_ARRAY(c->arena, struct wr_ident, columns + 1);
    for (uint32_t i = 0; i < n; i++)
        stream[i] = (struct wr_ident){part[i].alias, part[i].alias_quoted, from->input[i]->span};
    memcpy(ident, u->ident.at, columns * sizeof *ident);
    ident[columns] = (struct wr_ident){.text = WR_SLICE("$stream"), .quoted = true};
    result->column_ident = ident;
    result->stream_count = n;
    result->stream = stream;
    result->stream_column = columns;
}

bool wr_lower_streams(struct wr_compile *c, const struct wr_from *from, struct wr_with_scope *with,
                      const struct wr_target *target, struct wr_relation *result)
{
    uint32_t n = from->input_count, query = wr_query_name(c, target->name);
    struct wr_relation *part = WR_NEW_ARRAY(c->arena, struct wr_relation, n);
    struct wr_span *span = WR_NEW_ARRAY(c->arena, struct wr_span, n);
    uint32_t **to = WR_NEW_ARRAY(c->arena, uint32_t *, n);
    struct united u = {0};
    bool ok = true;
    for (uint32_t i = 0; i < n; i++) {
        span[i] = from->input[i]->span;
        bool there = wr_lower_from(c, from->input[i], with, target, &part[i]);
        ok &= there;
        if (!there) continue;
        to[i] = WR_NEW_ARRAY(c->arena, uint32_t, part[i].schema->count + 1);
        ok &= unite(c, &u, &part[i], span[i], to[i]);
    }
    if (!ok) return false;
    struct wr_schema *schema = WR_NEW(c->arena, struct wr_schema);
    uint32_t columns = (uint32_t)u.column.count;
    wr_list_push(c->arena, &u.column,
                 (struct wr_schema_column){"$stream", wr_type_of(WR_KIND_BIGINT)});
    *schema = (struct wr_schema){columns + 1, u.column.at};
    u.column.count = columns;
    uint8_t *has = WR_NEW_ARRAY(c->arena, uint8_t, (size_t)n * (columns + 1));
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < part[i].schema->count; k++) has[(size_t)i * (columns + 1) + to[i][k]] = 1;
    struct wr_span at = warned_at(part, n);
    for (uint32_t i = 0; i < n; i++) project(c, &part[i], i, to[i], schema, query, span[i]);
    if (!wr_lower_merge(c, part, span, n, target->name, result)) return false;
    describe(c, from, part, &u, result);
    result->stream_has = has;
    result->declared_at = at;
    return true;
}
