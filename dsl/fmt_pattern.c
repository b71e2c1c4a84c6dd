/* Row patterns, and the clauses of both forms of a pattern. */
#include "dsl/fmt_build.h"
#include <stdlib.h>

/* ---- Row patterns -------------------------------------------------------------------------------------- */

static void arrow(struct wr_fmt *f, struct wr_doc *to, const struct wr_arrow *a)
{
    wr_fmt_text(f, to, a->connector == WR_CONNECT_ANY ? "->>" : "->");
    if (!a->low && !a->high) return;
    wr_fmt_text(f, to, "[");
    if (a->low) wr_fmt_expression(f, to, a->low);
    wr_fmt_text(f, to, "..");
    if (a->high) wr_fmt_expression(f, to, a->high);
    wr_fmt_text(f, to, "]");
}

static void quantifier(struct wr_fmt *f, struct wr_doc *to, const struct wr_quantifier *q)
{
    if (q->arrow.connector != WR_CONNECT_STRICT) arrow(f, to, &q->arrow);
    if (q->form != '{') {
        wr_fmt_printf(f, to, "%c", q->form);
    } else if (q->max == UINT32_MAX) {
        wr_fmt_printf(f, to, "{%u,}", q->min);
    } else if (q->min == q->max) {
        wr_fmt_printf(f, to, "{%u}", q->min);
    } else if (q->min == 0) {
        wr_fmt_printf(f, to, "{,%u}", q->max);
    } else {
        wr_fmt_printf(f, to, "{%u,%u}", q->min, q->max);
    }
    if (q->mode != WR_GREEDY) wr_fmt_text(f, to, q->mode == WR_RELUCTANT ? "?" : "+");
}

static void items(struct wr_fmt *f, struct wr_doc *to, const struct wr_pattern *pattern, const char *separator)
{
    struct wr_doc *align = wr_fmt_open(f, to, WR_DOC_ALIGN), *group = align;
    for (uint32_t i = 0; i < pattern->item_count; i++) {
        const struct wr_pattern_item *item = &pattern->item[i];
        if (i) { /* as many on a line as fit */
            if (separator[0] == ',') wr_fmt_text(f, align, ",");
            wr_fmt_behind(f, align, pattern->item[i - 1].pattern->span.end);
            group = wr_fmt_open(f, align, WR_DOC_GROUP);
            wr_fmt_line(f, group, WR_DOC_LINE);
            if (separator[0] && separator[0] != ',') wr_fmt_text(f, group, separator);
            if (item->arrow.connector != WR_CONNECT_STRICT) {
                arrow(f, group, &item->arrow);
                wr_fmt_text(f, group, " ");
            }
        }
        wr_fmt_row_pattern(f, group, item->pattern);
    }
}

static void bare(struct wr_fmt *f, struct wr_doc *to, const struct wr_pattern *pattern)
{
    switch (pattern->kind) {
    case WR_PATTERN_ERROR: wr_fmt_text(f, to, "?"); break;
    case WR_PATTERN_EMPTY: wr_fmt_text(f, to, "()"); break;
    case WR_PATTERN_VARIABLE: wr_fmt_ident(f, to, pattern->variable); break;
    case WR_PATTERN_SEQUENCE: items(f, to, pattern, ""); break;
    case WR_PATTERN_ALTERNATION: items(f, to, pattern, "| "); break;
    case WR_PATTERN_AND: items(f, to, pattern, "& "); break;
    case WR_PATTERN_REPEAT:
        wr_fmt_row_pattern(f, to, pattern->child);
        quantifier(f, to, &pattern->quantifier);
        if (!pattern->until) break;
        wr_fmt_text(f, to, " UNTIL (");
        wr_fmt_expression(f, to, pattern->until);
        wr_fmt_text(f, to, ")");
        break;
    case WR_PATTERN_PERMUTE:
        wr_fmt_text(f, to, "PERMUTE(");
        items(f, to, pattern, ",");
        wr_fmt_text(f, to, ")");
        break;
    case WR_PATTERN_EXCLUDE:
        wr_fmt_text(f, to, "{- ");
        wr_fmt_row_pattern(f, to, pattern->child);
        wr_fmt_text(f, to, " -}");
        break;
    case WR_PATTERN_START: wr_fmt_text(f, to, "^"); break;
    case WR_PATTERN_END: wr_fmt_text(f, to, "$"); break;
    case WR_PATTERN_NOT:
        wr_fmt_text(f, to, "NOT ");
        wr_fmt_ident(f, to, pattern->variable);
        if (!pattern->duration) break;
        wr_fmt_text(f, to, " FOR ");
        wr_fmt_expression(f, to, pattern->duration);
        break;
    case WR_PATTERN_EACH:
        wr_fmt_text(f, to, "EACH DISTINCT (");
        wr_fmt_expression(f, to, pattern->key);
        wr_fmt_text(f, to, ") EXPIRE ");
        wr_fmt_expression(f, to, pattern->duration);
        wr_fmt_text(f, to, " ");
        wr_fmt_row_pattern(f, to, pattern->child);
        break;
    }
}

void wr_fmt_row_pattern(struct wr_fmt *f, struct wr_doc *to, const struct wr_pattern *pattern)
{
    wr_fmt_before(f, to, pattern->span.start);
    bool parens = pattern->parenthesised && pattern->kind != WR_PATTERN_EMPTY;
    if (parens) wr_fmt_text(f, to, "(");
    bare(f, to, pattern);
    if (parens) wr_fmt_text(f, to, ")");
}

/* ---- Clauses ---------------------------------------------------------------------------------------------- */

static void define_list(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    struct wr_doc *align = wr_fmt_open(f, to, WR_DOC_ALIGN);
    uint32_t widest = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < match->define_count; i++) {
            const struct wr_define *define = &match->define[i];
            struct wr_doc *head = wr_doc_of(f->arena, WR_DOC_CAT);
            wr_fmt_ident(f, head, define->variable);
            if (define->stream.text.size) {
                wr_fmt_text(f, head, " FROM ");
                wr_fmt_ident(f, head, define->stream);
            }
            uint32_t width = wr_fmt_width(f, head);
            if (pass == 0) {
                if (define->condition) widest = WR_MAX(widest, width);
                continue;
            }
            if (i) wr_fmt_line(f, align, WR_DOC_HARD);
            wr_fmt_before(f, align, define->variable.span.start);
            wr_doc_add(f->arena, align, head);
            uint32_t end = define->stream.text.size ? define->stream.span.end : define->variable.span.end;
            if (define->condition) {
                wr_fmt_printf(f, align, "%*sAS ",
                              (int)(WR_MIN(widest, 40) + 1 > width ? WR_MIN(widest, 40) + 1 - width : 1), "");
                wr_fmt_expression(f, align, define->condition);
                end = define->condition->span.end;
            }
            if (i + 1 < match->define_count) wr_fmt_text(f, align, ",");
            wr_fmt_behind(f, align, end);
        }
    }
}

static void subsets(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    wr_fmt_text(f, to, "SUBSET ");
    for (uint32_t i = 0; i < match->subset_count; i++) {
        if (i) wr_fmt_text(f, to, ", ");
        wr_fmt_ident(f, to, match->subset[i].name);
        wr_fmt_text(f, to, " = (");
        for (uint32_t j = 0; j < match->subset[i].members.count; j++) {
            if (j) wr_fmt_text(f, to, ", ");
            wr_fmt_ident(f, to, match->subset[i].members.at[j]);
        }
        wr_fmt_text(f, to, ")");
    }
}

static void skip(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    static const char *const targets[] = {"", "SKIP PAST LAST ROW", "SKIP TO NEXT ROW", "SKIP TO FIRST ",
                                          "SKIP TO LAST "};
    wr_fmt_text(f, to, match->short_form && !f->expand ? "" : "AFTER MATCH ");
    wr_fmt_text(f, to, targets[match->skip]);
    if (match->skip_variable.text.size) wr_fmt_ident(f, to, match->skip_variable);
}

static void limit(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    static const char *const policies[] = {" ON LIMIT DROP OLDEST", " ON LIMIT DROP NEW", " ON LIMIT FAIL"};
    wr_fmt_printf(f, to, "LIMIT %u STARTS PER KEY", match->limit_starts);
    wr_fmt_text(f, to, policies[match->limit_policy]);
}

static void rows(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    static const char *const texts[] = {"ONE ROW PER MATCH", "ALL ROWS PER MATCH",
                                        "ALL ROWS PER MATCH OMIT EMPTY MATCHES",
                                        "ALL ROWS PER MATCH WITH UNMATCHED ROWS"};
    wr_fmt_text(f, to, texts[match->rows]);
}

/* WITHIN in the long form that other engines read too: INTERVAL '10' MINUTE. */
static void interval(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    static const struct { const char *name; int64_t micros; } units[] = {
        {"DAY", 86400000000}, {"HOUR", 3600000000}, {"MINUTE", 60000000}, {"SECOND", 1000000}};
    if (expr->kind != WR_EXPR_DURATION) {
        wr_fmt_expression(f, to, expr);
        return;
    }
    wr_fmt_before(f, to, expr->span.start);
    int64_t micros = expr->u.duration.micros;
    for (size_t i = 0; i < WR_COUNT(units); i++) {
        if (micros == 0 || micros % units[i].micros != 0) continue;
        wr_fmt_printf(f, to, "INTERVAL '%lld' %s", (long long)(micros / units[i].micros), units[i].name);
        return;
    }
    char digits[7];
    int64_t part = llabs(micros % 1000000);
    int count = 6;
    for (int i = 5; i >= 0; i--, part /= 10) digits[i] = (char)('0' + part % 10);
    while (count > 1 && digits[count - 1] == '0') count--;
    wr_fmt_printf(f, to, "INTERVAL '%s%lld.%.*s' SECOND", micros < 0 ? "-" : "", llabs(micros / 1000000),
                  count, digits);
}

static void partition(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    bool list = match->partition_alias.text.size && match->partition.count > 1;
    wr_fmt_text(f, to, list ? "PARTITION BY (" : "PARTITION BY ");
    wr_fmt_exprs(f, to, match->partition);
    if (list) wr_fmt_text(f, to, ")");
    wr_fmt_alias(f, to, match->partition_alias);
}

enum part { PART_PARTITION, PART_ORDER, PART_MEASURES, PART_ROWS, PART_MATCHES, PART_SKIP, PART_PATTERN, PART_WITHIN,
            PART_TIMEOUTS, PART_SUPPRESS, PART_LIMIT, PART_LATE, PART_SUBSET, PART_DEFINE, PART_COUNT };

struct place {
    enum part part;
    uint32_t start;
    bool present;
};

static void put_part(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match, enum part part)
{
    switch (part) {
    case PART_PARTITION: partition(f, to, match); break;
    case PART_ORDER:
        wr_fmt_text(f, to, "ORDER BY ");
        wr_fmt_orders(f, to, match->order);
        break;
    case PART_MEASURES:
        wr_fmt_text(f, to, "MEASURES ");
        wr_fmt_items(f, to, match->measure, match->measure_count);
        break;
    case PART_ROWS: rows(f, to, match); break;
    case PART_MATCHES: wr_fmt_text(f, to, match->all_matches ? "ALL MATCHES" : "ONE MATCH"); break;
    case PART_SKIP: skip(f, to, match); break;
    case PART_PATTERN:
        wr_fmt_text(f, to, "PATTERN (");
        wr_fmt_row_pattern(f, to, match->pattern);
        wr_fmt_text(f, to, ")");
        break;
    case PART_WITHIN:
        wr_fmt_text(f, to, "WITHIN ");
        if (f->expand && match->short_form) interval(f, to, match->within);
        else wr_fmt_expression(f, to, match->within);
        break;
    case PART_TIMEOUTS: wr_fmt_text(f, to, match->timeouts == 2 ? "WITH ALL TIMEOUTS" : "WITH TIMEOUTS"); break;
    case PART_SUPPRESS:
        wr_fmt_text(f, to, "SUPPRESS ");
        wr_fmt_expression(f, to, match->suppress);
        break;
    case PART_LIMIT: limit(f, to, match); break;
    case PART_LATE:
        wr_fmt_text(f, to, "LATE INTO ");
        wr_fmt_ident(f, to, match->late_into);
        break;
    case PART_SUBSET: subsets(f, to, match); break;
    case PART_DEFINE:
        wr_fmt_text(f, to, "DEFINE ");
        define_list(f, to, match);
        break;
    case PART_COUNT: break;
    }
}

static int by_start(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    return (a->part > b->part) - (a->part < b->part);
}

static bool said(struct wr_span span)
{
    return span.end > span.start;
}

/* The clauses that are there: as written, or in the order of the standard for a pattern that is expanded. */
static uint32_t places_of(const struct wr_match *match, bool written, struct place *place)
{
    place[PART_PARTITION] =
        (struct place){PART_PARTITION, match->partition.count ? match->partition.at[0]->span.start : 0,
                       match->partition.count != 0};
    place[PART_ORDER] = (struct place){
        PART_ORDER, match->order.count ? match->order.at[0].expr->span.start : 0, match->order.count != 0};
    place[PART_MEASURES] = (struct place){
        PART_MEASURES, match->measure_count ? match->measure[0].span.start : 0, match->measure_count != 0};
    place[PART_ROWS] = (struct place){PART_ROWS, match->rows_span.start, said(match->rows_span)};
    place[PART_MATCHES] = (struct place){PART_MATCHES, match->all_matches_span.start, said(match->all_matches_span)};
    place[PART_SKIP] = (struct place){PART_SKIP, match->skip_span.start, match->skip != WR_SKIP_UNSAID};
    place[PART_PATTERN] = (struct place){PART_PATTERN, match->pattern->span.start, true};
    place[PART_WITHIN] = (struct place){PART_WITHIN, match->within_span.start, match->within != NULL};
    place[PART_TIMEOUTS] = (struct place){PART_TIMEOUTS, match->timeouts_span.start, match->timeouts != 0};
    place[PART_SUPPRESS] = (struct place){PART_SUPPRESS, match->suppress_span.start, match->suppress != NULL};
    place[PART_LIMIT] = (struct place){PART_LIMIT, match->limit_span.start, match->limit_starts != 0};
    place[PART_LATE] = (struct place){PART_LATE, match->late_into.span.start, match->late_into.text.size != 0};
    place[PART_SUBSET] = (struct place){PART_SUBSET, match->subset_span.start, match->subset_count != 0};
    place[PART_DEFINE] =
        (struct place){PART_DEFINE, match->define_count ? match->define[0].variable.span.start : 0,
                       match->define_count != 0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < PART_COUNT; i++)
        if (place[i].present) place[count++] = place[i];
    if (written) qsort(place, count, sizeof *place, by_start);
    return count;
}

void wr_fmt_match(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match)
{
    struct place place[PART_COUNT];
    uint32_t count = places_of(match, !match->short_form, place);
    for (uint32_t i = 0; i < count; i++) {
        bool joined = i && ((place[i].part == PART_ORDER && place[i - 1].part == PART_PARTITION) ||
                            (place[i].part == PART_WITHIN && place[i - 1].part == PART_PATTERN));
        if (joined) {
            wr_fmt_text(f, to, " ");
        } else {
            wr_fmt_line(f, to, WR_DOC_HARD);
            if (!match->short_form) wr_fmt_before(f, to, place[i].start);
        }
        put_part(f, to, match, place[i].part);
    }
}

/* ---- The short form ------------------------------------------------------------------------------------------ */

static uint32_t pattern_end(const struct wr_match *match)
{
    uint32_t end = match->pattern->span.end;
    const struct wr_span spans[] = {match->within_span, match->rows_span, match->skip_span, match->all_matches_span,
                                    match->subset_span, match->timeouts_span, match->suppress_span, match->limit_span,
                                    match->late_into.span};
    for (size_t i = 0; i < WR_COUNT(spans); i++) end = WR_MAX(end, spans[i].end);
    return end;
}

void wr_fmt_short(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query, struct wr_ident into)
{
    const struct wr_match *match = query->pattern.match;
    struct wr_doc *head = wr_fmt_open(f, to, WR_DOC_GROUP);
    wr_fmt_text(f, head, "PATTERN ");
    wr_fmt_ident(f, head, query->pattern.name);
    wr_fmt_line(f, head, WR_DOC_LINE);
    wr_fmt_text(f, head, "FROM ");
    wr_fmt_from(f, head, query->pattern.from);
    wr_fmt_behind(f, head, query->pattern.from->span.end);
    if (query->pattern.where) {
        wr_fmt_line(f, head, WR_DOC_LINE);
        wr_fmt_text(f, head, "WHERE ");
        wr_fmt_expression(f, head, query->pattern.where);
        wr_fmt_behind(f, head, query->pattern.where->span.end);
    }
    if (match->partition.count) {
        wr_fmt_line(f, head, WR_DOC_LINE);
        partition(f, head, match);
        wr_fmt_behind(f, head, match->partition.at[match->partition.count - 1]->span.end);
    }
    wr_fmt_line(f, to, WR_DOC_HARD);
    wr_fmt_before(f, to, match->pattern->span.start);
    wr_fmt_text(f, to, "MATCH   ");
    struct wr_doc *body = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    struct place place[PART_COUNT];
    uint32_t count = places_of(match, true, place);
    wr_fmt_row_pattern(f, body, match->pattern);
    wr_fmt_behind(f, body, match->pattern->span.end);
    for (uint32_t i = 0; i < count; i++) {
        enum part part = place[i].part;
        if (part == PART_PATTERN || part == PART_PARTITION || part == PART_MEASURES || part == PART_DEFINE) continue;
        wr_fmt_line(f, body, WR_DOC_LINE);
        wr_fmt_before(f, body, place[i].start);
        put_part(f, body, match, part);
    }
    wr_fmt_behind(f, body, pattern_end(match));
    if (match->define_count) {
        wr_fmt_line(f, to, WR_DOC_HARD);
        wr_fmt_before(f, to, match->define[0].variable.span.start);
        wr_fmt_text(f, to, "DEFINE  ");
        define_list(f, to, match);
    }
    wr_fmt_line(f, to, WR_DOC_HARD);
    wr_fmt_before(f, to, match->measure[0].span.start);
    wr_fmt_text(f, to, "SELECT  ");
    wr_fmt_items(f, to, match->measure, match->measure_count);
    if (into.text.size) {
        wr_fmt_line(f, to, WR_DOC_HARD);
        wr_fmt_before(f, to, into.span.start);
        wr_fmt_text(f, to, "INTO    ");
        wr_fmt_ident(f, to, into);
    }
}
