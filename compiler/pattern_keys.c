/* PARTITION BY: the key of the rows, and over several streams that of each. */
#include "compiler/ir.h"
#include "compiler/pattern.h"
#include "compiler/state.h"

/* The stream that the name before a column is; WR_NONE: no stream's. */
static uint32_t stream_of(const struct wr_match_lowering *m, const struct wr_expr *expr)
{
    if (expr->kind != WR_EXPR_NAME || expr->u.name.count != 2) return WR_NONE;
    return wr_match_find_stream(m, &expr->u.name.at[0]);
}

static void bad_key(struct wr_match_lowering *m, struct wr_span span, const char *why)
{
    struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0812, span, "%s", why);
    wr_diag_help(m->c->diags, d, "name a key of each stream: (%.*s.a, %.*s.b)",
                 WR_SLICE_ARG(m->input->stream[0].text), WR_SLICE_ARG(m->input->stream[1].text));
}

/* The key of each stream as a value; false after a report. */
static bool read_stream_keys(struct wr_match_lowering *m, struct wr_ir **value, struct wr_span *span)
{
    const struct wr_expr_list *keys = &m->match->partition;
    const struct wr_relation *r = m->input;
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct wr_expr *key = keys->at[i];
        uint32_t s = stream_of(m, key);
        if (s == WR_NONE || value[s]) {
            bad_key(m, key->span,
                    s == WR_NONE ? "the keys of several streams are columns with their streams' names"
                                 : "this stream has a key already");
            return false;
        }
        const struct wr_ident *name = &key->u.name.at[1];
        uint32_t column = wr_relation_column(m->c, r, name);
        if (column == WR_NONE) return false;
        if (!r->stream_has[(size_t)s * r->schema->count + column]) {
            wr_diag_add(m->c->diags, WR_DIAG_W0302, name->span, "'%.*s' has no column '%.*s'",
                        WR_SLICE_ARG(r->stream[s].text), WR_SLICE_ARG(name->text));
            return false;
        }
        value[s] = wr_relation_value(m->extra, r, column);
        span[s] = key->span;
        if (!wr_check_key_type(m->c, key->span, wr_ir_type(value[s]))) return false;
    }
    for (uint32_t s = 0; s < r->stream_count; s++) {
        if (value[s]) continue;
        const char *why = wr_arena_printf(m->c->arena, "the stream '%.*s' has no key here",
                                          WR_SLICE_ARG(r->stream[s].text)).data;
        bad_key(m, keys->at[0]->span, why);
        return false;
    }
    return true;
}

/* PARTITION BY (logins.user_id, transfers.account): one key, in each row that of its stream. Its name stands
 * also after a report, so that what reads it is not reported too. */
static bool lower_stream_keys(struct wr_match_lowering *m)
{
    static const char what[] = "the keys of the streams";
    uint32_t n = m->input->stream_count, column = 0;
    struct wr_ir **value = WR_NEW_ARRAY(m->c->arena, struct wr_ir *, n);
    struct wr_span *span = WR_NEW_ARRAY(m->c->arena, struct wr_span, n);
    const struct wr_expr *first = m->match->partition.at[0];
    struct wr_type type;
    bool ok = read_stream_keys(m, value, span) &&
              wr_common_type(m->c, value, span, n, what, &type) &&
              wr_all_to_type(m->c, m->extra, value, span, n, what, type);
    if (ok) {
        struct wr_ir *key = value[n - 1];
        for (uint32_t s = n - 1; s-- > 0;)
            key = wr_ir_select(m->extra, wr_match_is_of_stream(m, m->extra, s), value[s], key);
        ok = wr_match_helper(m, key, first, &column);
    }
    struct wr_ident name = m->match->partition_alias;
    if (!name.text.size) name = (struct wr_ident){.text = WR_SLICE("key"), .span = first->span};
    wr_list_push(m->c->arena, &m->key, column);
    wr_list_push(m->c->arena, &m->key_name, name);
    return ok;
}

/* Rows of a stream without the column would all be of the key NULL. */
static bool check_common_key(struct wr_match_lowering *m, const struct wr_expr *expr, uint32_t column)
{
    const struct wr_relation *r = m->input;
    for (uint32_t s = 0; s < r->stream_count && column < r->schema->count; s++) {
        if (r->stream_has[(size_t)s * r->schema->count + column]) continue;
        const char *why = wr_arena_printf(m->c->arena, "the stream '%.*s' has no column '%s'",
                                          WR_SLICE_ARG(r->stream[s].text),
                                          r->schema->column[column].name).data;
        bad_key(m, expr->span, why);
        return false;
    }
    return true;
}

bool wr_match_lower_keys(struct wr_match_lowering *m)
{
    const struct wr_match *match = m->match;
    bool ok = true;
    for (uint32_t i = 0; i < match->partition.count; i++)
        if (stream_of(m, match->partition.at[i]) != WR_NONE) return lower_stream_keys(m);
    if (match->partition_alias.text.size && match->partition.count != 1) {
        struct wr_diag *d = wr_diag_add(
            m->c->diags, WR_DIAG_W0812, match->partition_alias.span,
            "one name for several keys names a key of each stream, and this pattern reads "
            "one stream");
        wr_diag_help(m->c->diags, d, "leave the parentheses and the name out: PARTITION BY a, b");
        return false;
    }
    for (uint32_t i = 0; i < match->partition.count; i++) {
        const struct wr_expr *expr = match->partition.at[i];
        uint32_t column;
        if (!wr_match_key_column(m, expr, &column) || !check_common_key(m, expr, column)) {
            ok = false;
            continue;
        }
        struct wr_ident name = {.text = WR_SLICE("key"), .span = expr->span};
        if (i) name.text = wr_arena_printf(m->c->arena, "key_%u", i + 1);
        if (match->partition_alias.text.size) name = match->partition_alias;
        else if (column < m->input->schema->count) {
            name = expr->u.name.at[expr->u.name.count - 1];
            name.text = wr_slice_cstr(m->input->schema->column[column].name);
        }
        wr_list_push(m->c->arena, &m->key, column);
        wr_list_push(m->c->arena, &m->key_name, name);
    }
    return ok;
}
