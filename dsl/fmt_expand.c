/* PATTERN in the long form: what the short one stands for. */
#include "dsl/fmt_build.h"

/* The name a column gets: its alias, else the last part of a plain name; empty: none. */
static struct wr_ident column_name(const struct wr_select_item *item)
{
    if (item->alias.text.size) return item->alias;
    if (item->expr->kind == WR_EXPR_NAME) return item->expr->u.name.at[item->expr->u.name.count - 1];
    return (struct wr_ident){{NULL, 0}, false, item->span};
}

/* The partition column that an item is, which is no measure: by its name or by the whole path. */
static bool is_partition(const struct wr_match *match, const struct wr_select_item *item)
{
    if (item->expr->kind != WR_EXPR_NAME) return false;
    struct wr_ident_list path = item->expr->u.name;
    if (path.count == 1 && match->partition_alias.text.size &&
        wr_ident_equal(path.at[0], match->partition_alias))
        return true;
    if (match->partition_alias.text.size) return false;
    for (uint32_t i = 0; i < match->partition.count; i++) {
        const struct wr_expr *key = match->partition.at[i];
        if (key->kind != WR_EXPR_NAME) continue;
        if (path.count == 1 && wr_ident_equal(path.at[0], key->u.name.at[key->u.name.count - 1])) return true;
    }
    return false;
}

/* The time column of a stream that this program declares; event_time names that of any other. */
static struct wr_ident time_column(const struct wr_fmt *f, const struct wr_from *from)
{
    for (uint32_t i = 0; from->kind == WR_FROM_NAME && i < f->tree->count; i++) {
        const struct wr_statement *s = &f->tree->statement[i];
        if (s->kind == WR_STATEMENT_CREATE_STREAM && s->watermark && wr_ident_equal(s->name, from->name))
            return s->watermark_column;
    }
    return (struct wr_ident){WR_SLICE("event_time"), false, from->span};
}

static bool flink_dialect(const struct wr_fmt *f)
{
    for (uint32_t i = 0; i < f->tree->count; i++) {
        const struct wr_statement *s = &f->tree->statement[i];
        if (s->kind == WR_STATEMENT_SET && wr_slice_equal_nocase(s->name.text, WR_SLICE("dialect")) &&
            s->value->kind == WR_EXPR_STRING && wr_slice_equal_nocase(s->value->u.text, WR_SLICE("flink")))
            return true;
    }
    return false;
}

/* The match with its defaults said, and measures that all have names. */
static struct wr_match *complete(struct wr_fmt *f, const struct wr_query *query)
{
    struct wr_match *match = wr_arena_alloc(f->arena, sizeof *match);
    *match = *query->pattern.match;
    struct wr_span said = {match->span.file, match->span.start, match->span.start + 1};
    if (match->rows_span.end == match->rows_span.start) match->rows_span = said;
    if (match->skip == WR_SKIP_UNSAID && !match->all_matches)
        match->skip = flink_dialect(f) ? WR_SKIP_NEXT_ROW : WR_SKIP_PAST_LAST;
    if (!match->all_matches) match->all_matches_span.end = match->all_matches_span.start;
    struct wr_order_item *order = WR_NEW(f->arena, struct wr_order_item);
    struct wr_expr *time = WR_NEW(f->arena, struct wr_expr);
    struct wr_ident *name = WR_NEW(f->arena, struct wr_ident);
    *name = time_column(f, query->pattern.from);
    time->kind = WR_EXPR_NAME;
    time->span = (struct wr_span){match->span.file, match->span.start, match->span.start};
    time->u.name = (struct wr_ident_list){name, 1};
    order->expr = time;
    match->order = (struct wr_order_list){order, 1};
    struct wr_select_item *measure = WR_NEW_ARRAY(f->arena, struct wr_select_item, match->measure_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < match->measure_count; i++) {
        if (is_partition(match, &match->measure[i])) continue;
        measure[count] = match->measure[i];
        measure[count++].alias = column_name(&match->measure[i]);
    }
    match->measure = measure;
    match->measure_count = count;
    return match;
}

static void outer_columns(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    for (uint32_t i = 0; i < match->measure_count; i++) {
        const struct wr_select_item *item = &match->measure[i];
        if (i) {
            wr_fmt_text(f, group, ",");
            wr_fmt_line(f, group, WR_DOC_LINE);
        }
        if (is_partition(match, item)) {
            wr_fmt_ident(f, group, item->expr->u.name.at[0]);
            wr_fmt_alias(f, group, item->alias);
        } else {
            wr_fmt_ident(f, group, column_name(item));
        }
    }
}

bool wr_fmt_expanded(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query, struct wr_ident into)
{
    const struct wr_match *match = query->pattern.match;
    for (uint32_t i = 0; i < match->measure_count; i++)
        if (!column_name(&match->measure[i]).text.size) return false;
    if (into.text.size) {
        wr_fmt_text(f, to, "INSERT INTO ");
        wr_fmt_ident(f, to, into);
        wr_fmt_line(f, to, WR_DOC_HARD);
    }
    struct wr_doc *head = wr_fmt_open(f, to, WR_DOC_GROUP);
    wr_fmt_text(f, head, "SELECT ");
    outer_columns(f, head, match);
    wr_fmt_line(f, head, WR_DOC_LINE);
    wr_fmt_text(f, head, "FROM ");
    if (query->pattern.where) {
        wr_fmt_text(f, head, "(SELECT * FROM ");
        wr_fmt_from(f, head, query->pattern.from);
        wr_fmt_text(f, head, " WHERE ");
        wr_fmt_expression(f, head, query->pattern.where);
        wr_fmt_text(f, head, ")");
    } else {
        wr_fmt_from(f, head, query->pattern.from);
    }
    wr_fmt_text(f, head, " MATCH_RECOGNIZE (");
    wr_fmt_match(f, wr_fmt_nest(f, to, 4), complete(f, query));
    wr_fmt_line(f, to, WR_DOC_HARD);
    wr_fmt_text(f, to, ")");
    wr_fmt_alias(f, to, query->pattern.name);
    return true;
}
