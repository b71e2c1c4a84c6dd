/* Queries and their inputs as documents. */
#include "dsl/fmt_build.h"

void wr_fmt_alias(struct wr_fmt *f, struct wr_doc *to, struct wr_ident alias)
{
    if (!alias.text.size) return;
    wr_fmt_text(f, to, " AS ");
    wr_fmt_ident(f, to, alias);
}

void wr_fmt_items(struct wr_fmt *f, struct wr_doc *to, const struct wr_select_item *item, uint32_t count)
{
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    for (uint32_t i = 0; i < count; i++) {
        if (i) wr_fmt_line(f, group, WR_DOC_LINE);
        wr_fmt_before(f, group, item[i].span.start);
        wr_fmt_expression(f, group, item[i].expr);
        wr_fmt_alias(f, group, item[i].alias);
        if (i + 1 < count) wr_fmt_text(f, group, ",");
        wr_fmt_behind(f, group, item[i].span.end);
    }
}

/* ---- FROM ------------------------------------------------------------------------------------------------ */

/* Names of window functions are keywords in all but the grammar. */
static void function_name(struct wr_fmt *f, struct wr_doc *to, struct wr_ident name)
{
    static const char *const known[] = {"TUMBLE", "HOP", "CUMULATE", "SESSION", "ROWS"};
    for (size_t i = 0; i < WR_COUNT(known); i++) {
        if (name.quoted || !wr_slice_equal_nocase(name.text, wr_slice_cstr(known[i]))) continue;
        wr_fmt_text(f, to, known[i]);
        return;
    }
    wr_fmt_ident(f, to, name);
}

static void window(struct wr_fmt *f, struct wr_doc *to, const struct wr_from *from)
{
    const struct wr_from *input = from->input[0];
    bool long_form = from->window.long_form;
    if (long_form) wr_fmt_text(f, to, "TABLE(");
    function_name(f, to, from->window.function);
    wr_fmt_text(f, to, "(");
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    if (long_form) wr_fmt_text(f, group, "TABLE ");
    wr_fmt_from(f, group, input);
    if (from->window.time.text.size) {
        wr_fmt_text(f, group, ",");
        wr_fmt_line(f, group, WR_DOC_LINE);
        wr_fmt_text(f, group, long_form ? "DESCRIPTOR(" : "");
        wr_fmt_ident(f, group, from->window.time);
        wr_fmt_text(f, group, long_form ? ")" : "");
    }
    for (uint32_t i = 0; i < from->window.args.count; i++) {
        wr_fmt_text(f, group, ",");
        wr_fmt_line(f, group, WR_DOC_LINE);
        if (from->window.arg_name && from->window.arg_name[i].text.size) {
            wr_fmt_ident(f, group, from->window.arg_name[i]);
            wr_fmt_text(f, group, " => ");
        }
        wr_fmt_expression(f, group, from->window.args.at[i]);
    }
    wr_fmt_text(f, to, long_form ? "))" : ")");
}

static void subquery(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    struct wr_doc *group = wr_fmt_open(f, to, WR_DOC_GROUP);
    wr_fmt_text(f, group, "(");
    struct wr_doc *inside = wr_fmt_nest(f, group, 4);
    wr_fmt_line(f, inside, WR_DOC_SOFT);
    wr_fmt_query(f, inside, query);
    wr_fmt_behind(f, inside, query->span.end);
    wr_fmt_line(f, group, WR_DOC_SOFT);
    wr_fmt_text(f, group, ")");
}

static void join(struct wr_fmt *f, struct wr_doc *to, const struct wr_from *from)
{
    static const char *const kinds[] = {"JOIN ", "LEFT JOIN ", "RIGHT JOIN ", "FULL JOIN ", "CROSS JOIN "};
    wr_fmt_from(f, to, from->join.left);
    wr_fmt_behind(f, to, from->join.left->span.end);
    wr_fmt_line(f, to, WR_DOC_LINE);
    wr_fmt_text(f, to, kinds[from->join.kind]);
    const struct wr_from *right = from->join.right;
    if (from->join.as_of) {
        wr_fmt_before(f, to, right->span.start);
        wr_fmt_ident(f, to, right->name);
        wr_fmt_text(f, to, " FOR SYSTEM_TIME AS OF ");
        wr_fmt_expression(f, to, from->join.as_of);
        wr_fmt_alias(f, to, right->alias);
    } else {
        wr_fmt_from(f, to, right);
    }
    if (!from->join.on) return;
    wr_fmt_text(f, to, " ON ");
    wr_fmt_expression(f, to, from->join.on);
}

/* MATCH_RECOGNIZE ( and its clauses, each on a line. */
static void match(struct wr_fmt *f, struct wr_doc *to, const struct wr_from *from)
{
    wr_fmt_match(f, wr_fmt_nest(f, to, 4), from->match);
    wr_fmt_before(f, to, from->span.end);
    wr_fmt_line(f, to, WR_DOC_HARD);
    wr_fmt_text(f, to, ")");
    wr_fmt_alias(f, to, from->alias);
}

void wr_fmt_from(struct wr_fmt *f, struct wr_doc *to, const struct wr_from *from)
{
    wr_fmt_before(f, to, from->span.start);
    switch (from->kind) {
    case WR_FROM_ERROR: wr_fmt_text(f, to, "?"); break;
    case WR_FROM_NAME: wr_fmt_ident(f, to, from->name); break;
    case WR_FROM_FILE: wr_fmt_string(f, to, from->file); break;
    case WR_FROM_QUERY: subquery(f, to, from->query); break;
    case WR_FROM_UNION:
        wr_fmt_text(f, to, "(");
        for (uint32_t i = 0; i < from->input_count; i++) {
            if (i) wr_fmt_text(f, to, ", ");
            wr_fmt_from(f, to, from->input[i]);
        }
        wr_fmt_text(f, to, ")");
        break;
    case WR_FROM_WINDOW: window(f, to, from); break;
    case WR_FROM_MATCH:
        wr_fmt_from(f, to, from->input[0]);
        wr_fmt_text(f, to, " MATCH_RECOGNIZE (");
        match(f, to, from);
        return;
    case WR_FROM_JOIN: join(f, to, from); return;
    }
    wr_fmt_alias(f, to, from->alias);
}

/* ---- Queries -------------------------------------------------------------------------------------------------- */

static void select_list(struct wr_fmt *f, struct wr_doc *to, const struct wr_select *select)
{
    wr_fmt_text(f, to, select->distinct ? "SELECT DISTINCT " : "SELECT ");
    wr_fmt_items(f, to, select->item, select->item_count);
}

/* A clause on a line of its own, unless the whole query is on one. */
static void clause(struct wr_fmt *f, struct wr_doc *to, uint32_t start, const char *words)
{
    wr_fmt_line(f, to, WR_DOC_LINE);
    wr_fmt_before(f, to, start);
    wr_fmt_text(f, to, words);
}

static void emit(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    clause(f, to, query->emit_span.start,
           query->emit == WR_EMIT_FINAL     ? "EMIT FINAL"
           : query->emit == WR_EMIT_CHANGES ? "EMIT CHANGES"
                                            : "EMIT EVERY ");
    if (query->emit_every) wr_fmt_expression(f, to, query->emit_every);
    wr_fmt_behind(f, to, query->emit_span.end);
}

static void late(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    clause(f, to, query->late_span.start, "LATE ");
    if (query->late) {
        wr_fmt_expression(f, to, query->late);
        wr_fmt_text(f, to, " ");
    }
    wr_fmt_text(f, to, "INTO ");
    wr_fmt_ident(f, to, query->late_into);
    wr_fmt_behind(f, to, query->late_span.end);
}

static void tails(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    const struct wr_select *select = query->select;
    if (select->where) {
        clause(f, to, select->where->span.start, "WHERE ");
        wr_fmt_expression(f, to, select->where);
        wr_fmt_behind(f, to, select->where->span.end);
    }
    if (select->group.count) {
        clause(f, to, select->group_span.start, "GROUP BY ");
        wr_fmt_exprs(f, to, select->group);
    }
    if (select->having) {
        clause(f, to, select->having->span.start, "HAVING ");
        wr_fmt_expression(f, to, select->having);
        wr_fmt_behind(f, to, select->having->span.end);
    }
    if (query->order.count) {
        clause(f, to, query->order_span.start, "ORDER BY ");
        wr_fmt_orders(f, to, query->order);
    }
    if (query->limit) {
        clause(f, to, query->limit_span.start, "LIMIT ");
        wr_fmt_expression(f, to, query->limit);
        wr_fmt_behind(f, to, query->limit_span.end);
    }
    bool late_first = query->emit != WR_EMIT_UNSAID && query->late_into.text.size &&
                      query->late_span.start < query->emit_span.start;
    if (late_first) late(f, to, query);
    if (query->emit != WR_EMIT_UNSAID) emit(f, to, query);
    if (!late_first && query->late_into.text.size) late(f, to, query);
}

static void select_query(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    const struct wr_select *select = query->select;
    const struct wr_from *from = select->from;
    struct wr_doc *group = wr_fmt_open(f, to, WR_DOC_GROUP);
    if (from && from->kind == WR_FROM_MATCH) { /* the list and the head of the match on one line, if they fit */
        struct wr_doc *head = wr_fmt_open(f, group, WR_DOC_GROUP);
        select_list(f, head, select);
        clause(f, head, from->span.start, "FROM ");
        wr_fmt_from(f, head, from->input[0]);
        wr_fmt_text(f, head, " MATCH_RECOGNIZE (");
        match(f, group, from);
    } else {
        select_list(f, group, select);
        if (from) {
            clause(f, group, from->span.start, "FROM ");
            wr_fmt_from(f, group, from);
            wr_fmt_behind(f, group, from->span.end);
        }
    }
    tails(f, group, query);
}

static void with(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    wr_fmt_text(f, to, "WITH ");
    for (uint32_t i = 0; i < query->with_count; i++) {
        if (i) wr_fmt_text(f, to, ", ");
        wr_fmt_before(f, to, query->with[i].name.span.start);
        wr_fmt_ident(f, to, query->with[i].name);
        wr_fmt_text(f, to, " AS ");
        subquery(f, to, query->with[i].query);
    }
    wr_fmt_line(f, to, WR_DOC_HARD);
}

static void bare(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    if (query->with_count) with(f, to, query);
    switch (query->kind) {
    case WR_QUERY_ERROR: wr_fmt_text(f, to, "?"); break;
    case WR_QUERY_SELECT: select_query(f, to, query); break;
    case WR_QUERY_UNION_ALL:
        wr_fmt_query(f, to, query->left);
        wr_fmt_behind(f, to, query->left->span.end);
        wr_fmt_line(f, to, WR_DOC_HARD);
        wr_fmt_text(f, to, "UNION ALL");
        wr_fmt_line(f, to, WR_DOC_HARD);
        wr_fmt_query(f, to, query->right);
        break;
    case WR_QUERY_PATTERN: {
        struct wr_ident none = {{NULL, 0}, false, query->span};
        wr_fmt_short(f, to, query, none);
        break;
    }
    }
}

void wr_fmt_query(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query)
{
    wr_fmt_before(f, to, query->span.start);
    if (!query->parenthesised) {
        bare(f, to, query);
        return;
    }
    struct wr_doc *group = wr_fmt_open(f, to, WR_DOC_GROUP);
    wr_fmt_text(f, group, "(");
    struct wr_doc *inside = wr_fmt_nest(f, group, 4);
    wr_fmt_line(f, inside, WR_DOC_SOFT);
    bare(f, inside, query);
    wr_fmt_before(f, inside, query->span.end);
    wr_fmt_line(f, group, WR_DOC_SOFT);
    wr_fmt_text(f, group, ")");
}
