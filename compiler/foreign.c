/* What is called otherwise in other systems: compiler/foreign.def by name; names of a SELECT list used too early. */
#include "compiler/state.h"

static const struct {
    enum wr_foreign kind;
    const char *name, *instead;
} foreign[] = {
#define FOREIGN(kind, name, instead) {WR_FOREIGN_##kind, name, instead},
#include "compiler/foreign.def"
#undef FOREIGN
};

const char *wr_foreign(enum wr_foreign kind, struct wr_slice name)
{
    for (size_t i = 0; i < WR_COUNT(foreign); i++)
        if (foreign[i].kind == kind && wr_slice_equal_nocase(wr_slice_cstr(foreign[i].name), name))
            return foreign[i].instead;
    return NULL;
}

bool wr_foreign_function(struct wr_compile *c, struct wr_diag *d, struct wr_slice name)
{
    bool in_pattern = c->state->named.item && !c->state->named.select;
    const char *instead = wr_foreign(WR_FOREIGN_PATTERN, name);
    if (instead && in_pattern) {
        wr_diag_help(c->diags, d, "write %s", instead);
        return true;
    }
    const char *plain = wr_foreign(WR_FOREIGN_FUNCTION, name);
    if (!plain) plain = wr_foreign(WR_FOREIGN_AGGREGATE, name);
    if (plain) wr_diag_help(c->diags, d, "write %s", plain);
    else if (instead)
        wr_diag_help(c->diags, d, "rows beside each other meet in a pattern: PATTERN p FROM s PARTITION BY k MATCH a "
                                  "SELECT %s AS beside, a.x", instead);
    return plain || instead;
}

/* ---- Names of a SELECT list ------------------------------------------------------------------ */

struct wr_named wr_named_set(struct wr_compile *c, struct wr_named named)
{
    struct wr_named before = c->state->named;
    c->state->named = named;
    return before;
}

static bool is_inside(struct wr_span part, struct wr_span whole)
{
    return part.file == whole.file && part.start >= whole.start && part.end <= whole.end;
}

static bool is_where(const struct wr_named *named, struct wr_span place)
{
    return named->select && named->select->where && is_inside(place, named->select->where->span);
}

bool wr_named_help(struct wr_compile *c, struct wr_diag *d, const struct wr_ident *name)
{
    const struct wr_named *named = &c->state->named;
    if (!named->count || !is_inside(name->span, named->span)) return false;
    for (uint32_t i = 0; i < named->count; i++) {
        const struct wr_select_item *item = &named->item[i];
        if (!item->alias.text.size || !item->expr || !wr_ident_equal(item->alias, *name)) continue;
        if (item->expr->kind == WR_EXPR_ERROR || is_inside(name->span, item->expr->span)) continue;
        struct wr_slice text = wr_span_text(c->diags->sources, item->expr->span);
        bool binary = item->expr->kind == WR_EXPR_BINARY && !item->expr->parenthesised;
        wr_diag_second(c->diags, d, item->alias.span, "SELECT gives this name to its result");
        if (named->select && is_where(named, name->span) && wr_has_aggregate(item->expr))
            wr_diag_help(c->diags, d, "a condition on an aggregate stands in HAVING");
        else if (text.size > 80 || memchr(text.data, '\n', text.size))
            wr_diag_help(c->diags, d, "write what it stands for: a name of the SELECT list is not known here");
        else
            wr_diag_help(c->diags, d, "write what it stands for: %s%.*s%s", binary ? "(" : "", WR_SLICE_ARG(text),
                         binary ? ")" : "");
        return true;
    }
    return false;
}
