/* PATTERN and MATCH_RECOGNIZE: their clauses, and one wr_match out of them. */
#include "dsl/build.h"

struct wr_clause *wr_clause_new(struct wr_parse *parse, enum wr_clause_kind kind, struct wr_span span)
{
    struct wr_clause *clause = WR_NEW(parse->arena, struct wr_clause);
    clause->kind = kind;
    clause->span = span;
    clause->name = wr_ident_none(span);
    return clause;
}

struct wr_clause *wr_clause_expr(struct wr_parse *parse, enum wr_clause_kind kind, struct wr_expr *expr,
                                 struct wr_span span) {
    struct wr_clause *clause = wr_clause_new(parse, kind, span);
    clause->expr = expr;
    return clause;
}

struct wr_clause *wr_clause_list(struct wr_parse *parse, enum wr_clause_kind kind, struct wr_list *list,
                                 struct wr_span span) {
    struct wr_clause *clause = wr_clause_new(parse, kind, span);
    clause->list = list;
    return clause;
}

struct wr_clause *wr_clause_named(struct wr_parse *parse, enum wr_clause_kind kind, uint32_t choice,
                                  struct wr_ident name, struct wr_span span) {
    struct wr_clause *clause = wr_clause_new(parse, kind, span);
    clause->choice = choice;
    clause->name = name;
    return clause;
}

struct wr_clause *wr_clause_pattern(struct wr_parse *parse, struct wr_pattern *pattern, struct wr_span span)
{
    struct wr_clause *clause = wr_clause_new(parse, WR_CLAUSE_PATTERN, span);
    clause->pattern = pattern;
    return clause;
}

struct wr_clause *wr_clause_partition(struct wr_parse *parse, struct wr_list *list, struct wr_ident alias,
                                      struct wr_span span)
{
    struct wr_clause *clause = wr_clause_list(parse, WR_CLAUSE_PARTITION, list, span);
    clause->name = alias;
    return clause;
}

struct wr_clause *wr_clause_emit(struct wr_parse *parse, enum wr_emit_kind kind, struct wr_expr *every,
                                 struct wr_span span) {
    struct wr_clause *clause = wr_clause_expr(parse, WR_CLAUSE_EMIT, every, span);
    clause->choice = kind;
    return clause;
}

struct wr_clause *wr_clause_late(struct wr_parse *parse, struct wr_expr *duration, struct wr_ident into,
                                 struct wr_span span) {
    struct wr_clause *clause = wr_clause_expr(parse, WR_CLAUSE_LATE, duration, span);
    clause->name = into;
    return clause;
}

struct wr_clause *wr_clause_skip(struct wr_parse *parse, struct wr_clause *target, struct wr_span span)
{
    WR_UNUSED(parse);
    target->span = span;
    return target;
}

struct wr_clause *wr_clause_limit_starts(struct wr_parse *parse, struct wr_span number, uint32_t policy,
                                         struct wr_span span) {
    struct wr_clause *clause = wr_clause_new(parse, WR_CLAUSE_LIMIT_STARTS, span);
    clause->number = wr_number_at(parse, number, 1000000000);
    clause->choice = policy;
    if (clause->number == 0 && !parse->failed)
        wr_parse_error(parse, WR_DIAG_W0209, number, "a limit of 0 starts would match nothing");
    return clause;
}

struct wr_define *wr_define_new(struct wr_parse *parse, struct wr_ident variable, struct wr_ident stream,
                                struct wr_expr *condition)
{
    struct wr_define *define = WR_NEW(parse->arena, struct wr_define);
    *define = (struct wr_define){variable, stream, condition};
    return define;
}

struct wr_subset *wr_subset_new(struct wr_parse *parse, struct wr_ident name, struct wr_list *members)
{
    struct wr_subset *subset = WR_NEW(parse->arena, struct wr_subset);
    *subset = (struct wr_subset){name, wr_list_idents(members)};
    return subset;
}

/* ---- One wr_match from its clauses ------------------------------------------------------------------- */

/* Names for messages, and the order of clauses in the two forms; 0: anywhere. */
static const struct {
    const char *name;
    int short_rank, long_rank;
} clauses_of_match[WR_CLAUSE_COUNT] = {[WR_CLAUSE_WHERE] = {"WHERE", 1, 0},
                                       [WR_CLAUSE_PARTITION] = {"PARTITION BY", 2, 1},
                                       [WR_CLAUSE_ORDER] = {"ORDER BY", 0, 2},
                                       [WR_CLAUSE_MEASURES] = {"MEASURES", 0, 3},
                                       [WR_CLAUSE_ROWS] = {"ROW PER MATCH", 4, 4},
                                       [WR_CLAUSE_UNMATCHED] = {"WITH UNMATCHED ROWS", 4, 4},
                                       [WR_CLAUSE_SKIP] = {"SKIP", 4, 5},
                                       [WR_CLAUSE_PATTERN] = {"the row pattern", 3, 6},
                                       [WR_CLAUSE_WITHIN] = {"WITHIN", 4, 7},
                                       [WR_CLAUSE_SUBSET] = {"SUBSET", 4, 8},
                                       [WR_CLAUSE_DEFINE] = {"DEFINE", 5, 9},
                                       [WR_CLAUSE_SELECT] = {"SELECT", 6, 0},
                                       [WR_CLAUSE_INTO] = {"INTO", 7, 0},
                                       [WR_CLAUSE_MATCHES] = {"ONE or ALL MATCHES", 4, 0},
                                       [WR_CLAUSE_TIMEOUTS] = {"WITH TIMEOUTS", 4, 0},
                                       [WR_CLAUSE_SUPPRESS] = {"SUPPRESS", 4, 0},
                                       [WR_CLAUSE_LIMIT_STARTS] = {"LIMIT", 4, 0},
                                       [WR_CLAUSE_LATE] = {"LATE INTO", 4, 0}};

static const char *name_of(const struct wr_clause *clause, bool short_form)
{
    if (clause->kind == WR_CLAUSE_PATTERN) return short_form ? "MATCH" : "PATTERN";
    return clauses_of_match[clause->kind].name;
}

static void put_rows(struct wr_parse *parse, struct wr_match *match, const struct wr_clause *clause)
{
    if (clause->kind == WR_CLAUSE_ROWS) {
        match->rows = (enum wr_rows_per_match)clause->choice;
        match->rows_span = clause->span;
    } else if (match->rows != WR_ALL_ROWS_SHOW) {
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0205, clause->span,
                                    "WITH UNMATCHED ROWS has no ALL ROWS PER MATCH before it"),
                     "write ALL ROWS PER MATCH WITH UNMATCHED ROWS");
    } else {
        match->rows = WR_ALL_ROWS_UNMATCHED;
        match->rows_span = wr_span_join(match->rows_span, clause->span);
    }
}

static void put_skip(struct wr_match *match, const struct wr_clause *clause)
{
    match->skip = (enum wr_skip_kind)clause->choice;
    match->skip_variable = clause->name;
    match->skip_span = clause->span;
}

static void put_late(struct wr_parse *parse, struct wr_match *match, const struct wr_clause *clause)
{
    if (clause->expr)
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0205, clause->expr->span, "LATE takes no duration in a pattern"),
                     "a pattern never takes a late row; write LATE INTO %.*s", WR_SLICE_ARG(clause->name.text));
    match->late_into = clause->name;
}

static void put(struct wr_parse *parse, struct wr_match *match, const struct wr_clause *clause)
{
    struct wr_list none = {NULL, 0, 0};
    const struct wr_list *list = clause->list ? clause->list : &none;
    switch (clause->kind) {
    case WR_CLAUSE_PARTITION:
        match->partition = wr_list_exprs(list);
        match->partition_alias = clause->name;
        break;
    case WR_CLAUSE_ORDER: match->order = wr_list_orders(list); break;
    case WR_CLAUSE_MEASURES: case WR_CLAUSE_SELECT:
        match->measure = (struct wr_select_item *)(void *)list->at;
        match->measure_count = list->count;
        break;
    case WR_CLAUSE_ROWS: case WR_CLAUSE_UNMATCHED: put_rows(parse, match, clause); break;
    case WR_CLAUSE_SKIP: put_skip(match, clause); break;
    case WR_CLAUSE_MATCHES:
        match->all_matches = clause->choice != 0;
        match->all_matches_span = clause->span;
        break;
    case WR_CLAUSE_PATTERN: match->pattern = clause->pattern; break;
    case WR_CLAUSE_WITHIN:
        match->within = clause->expr;
        match->within_span = clause->span;
        break;
    case WR_CLAUSE_SUBSET:
        match->subset = (struct wr_subset *)(void *)list->at;
        match->subset_count = list->count;
        match->subset_span = clause->span;
        break;
    case WR_CLAUSE_DEFINE:
        match->define = (struct wr_define *)(void *)list->at;
        match->define_count = list->count;
        break;
    case WR_CLAUSE_TIMEOUTS:
        match->timeouts = (uint8_t)clause->choice;
        match->timeouts_span = clause->span;
        break;
    case WR_CLAUSE_SUPPRESS:
        match->suppress = clause->expr;
        match->suppress_span = clause->span;
        break;
    case WR_CLAUSE_LIMIT_STARTS:
        match->limit_starts = clause->number;
        match->limit_policy = (enum wr_limit_policy)clause->choice;
        match->limit_span = clause->span;
        break;
    case WR_CLAUSE_LATE: put_late(parse, match, clause); break;
    case WR_CLAUSE_WHERE: case WR_CLAUSE_GROUP: case WR_CLAUSE_HAVING: case WR_CLAUSE_LIMIT: case WR_CLAUSE_EMIT:
    case WR_CLAUSE_INTO: case WR_CLAUSE_FROM: case WR_CLAUSE_KEY: case WR_CLAUSE_NOT_NULL: case WR_CLAUSE_DEFAULT:
    case WR_CLAUSE_COMPUTED: case WR_CLAUSE_PRIMARY_KEY: case WR_CLAUSE_COUNT:
        break; /* not of a match; INTO and WHERE are the statement's */
    }
}

/* Complains about what comes twice, too late, or in the wrong form; true: take the clause. */
static bool in_place(struct wr_parse *parse, bool short_form, const struct wr_clause *clause,
                     const struct wr_clause **seen, const struct wr_clause **latest)
{
    const char *name = name_of(clause, short_form);
    if (seen[clause->kind]) {
        wr_diag_second(parse->diags, wr_parse_error(parse, WR_DIAG_W0204, clause->span, "%s is given twice", name),
                       seen[clause->kind]->span, "the first one");
        return false;
    }
    if (short_form && clause->kind == WR_CLAUSE_ORDER) {
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0205, clause->span, "PATTERN takes no ORDER BY"),
                     "the stream's event time is the order; leave the clause out");
        return false;
    }
    if (short_form && clause->kind == WR_CLAUSE_MEASURES) {
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0205, clause->span, "PATTERN takes no MEASURES"),
                     "write SELECT with the same list behind DEFINE");
        return false;
    }
    int rank = short_form ? clauses_of_match[clause->kind].short_rank : clauses_of_match[clause->kind].long_rank;
    int most = !*latest     ? 0
               : short_form ? clauses_of_match[(*latest)->kind].short_rank
                            : clauses_of_match[(*latest)->kind].long_rank;
    if (rank && rank < most) {
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0205, clause->span, "%s stands before %s", name,
                                           name_of(*latest, short_form));
        wr_diag_second(parse->diags, d, (*latest)->span, "%s is here", name_of(*latest, short_form));
        if (clause->kind == WR_CLAUSE_WHERE)
            wr_diag_help(parse->diags, d, "a condition on the rows of a variable stands in DEFINE");
    }
    if (rank >= most && rank) *latest = clause;
    seen[clause->kind] = clause;
    return true;
}

static struct wr_match *new_match(struct wr_parse *parse, bool short_form, struct wr_list *list, struct wr_span span,
                                  const struct wr_clause **seen)
{
    struct wr_match *match = WR_NEW(parse->arena, struct wr_match);
    match->short_form = short_form;
    match->span = span;
    match->partition_alias = match->skip_variable = match->late_into = wr_ident_none(span);
    struct wr_clause **clause = (struct wr_clause **)(void *)list->at;
    const struct wr_clause *latest = NULL;
    for (uint32_t i = 0; i < list->count; i++)
        if (in_place(parse, short_form, clause[i], seen, &latest)) put(parse, match, clause[i]);
    return match;
}

/* `MEASURES a.x AS x, PATTERN (a+ b)`: the comma made a measure of the PATTERN. */
static bool ends_with_pattern(const struct wr_match *match)
{
    const struct wr_expr *last = match->measure_count ? match->measure[match->measure_count - 1].expr : NULL;
    return last && last->kind == WR_EXPR_CALL && wr_slice_equal_nocase(last->u.call.name.text, WR_SLICE("PATTERN"));
}

struct wr_from *wr_from_match(struct wr_parse *parse, struct wr_from *input, struct wr_list *clauses,
                              struct wr_ident alias, struct wr_span span) {
    struct wr_from *from = WR_NEW(parse->arena, struct wr_from);
    const struct wr_clause *seen[WR_CLAUSE_COUNT] = {NULL};
    from->kind = WR_FROM_MATCH;
    from->span = span;
    from->alias = alias;
    from->depth = wr_from_whole(parse, input)->depth + 1;
    from->input = WR_NEW_ARRAY(parse->arena, struct wr_from *, 1);
    from->input[0] = input;
    from->input_count = 1;
    from->match = new_match(parse, false, clauses, span, seen);
    if (!from->match->pattern && parse->recovering) {
        from->kind = WR_FROM_ERROR; /* the error before may have taken it */
    } else if (!from->match->pattern) {
        struct wr_span end = {span.file, span.end - 1, span.end};
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0217, end, "MATCH_RECOGNIZE lacks its PATTERN"),
                     ends_with_pattern(from->match) ? "leave the comma before PATTERN out"
                                                    : "write PATTERN (a b+ c) before DEFINE");
        from->kind = WR_FROM_ERROR;
    }
    if (from->depth > WR_AST_DEPTH_MAX) {
        wr_parse_error(parse, WR_DIAG_W0202, alias.span, "query is nested more than %d deep", WR_AST_DEPTH_MAX);
        from->kind = WR_FROM_ERROR;
        from->depth = 1;
    }
    return from;
}

struct wr_statement *wr_query_pattern(struct wr_parse *parse, struct wr_ident name, struct wr_from *from,
                                      struct wr_list *clauses, struct wr_span span)
{
    struct wr_statement *statement = WR_NEW(parse->arena, struct wr_statement);
    struct wr_query *query = statement->query = WR_NEW(parse->arena, struct wr_query);
    const struct wr_clause *seen[WR_CLAUSE_COUNT] = {NULL};
    statement->kind = WR_STATEMENT_QUERY;
    statement->span = span;
    query->kind = WR_QUERY_PATTERN;
    query->span = span;
    query->depth = from->depth + 1;
    query->late_into = wr_ident_none(span);
    query->pattern.name = name;
    query->pattern.from = from;
    query->pattern.match = new_match(parse, true, clauses, span, seen);
    query->pattern.where = seen[WR_CLAUSE_WHERE] ? seen[WR_CLAUSE_WHERE]->expr : NULL;
    statement->name = seen[WR_CLAUSE_INTO] ? seen[WR_CLAUSE_INTO]->name : wr_ident_none(span);
    bool complete = seen[WR_CLAUSE_PATTERN] && seen[WR_CLAUSE_SELECT];
    if (!seen[WR_CLAUSE_PATTERN])
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0217, name.span, "the pattern '%.*s' lacks its MATCH",
                                    WR_SLICE_ARG(name.text)),
                     "write MATCH a -> b behind FROM and PARTITION BY");
    else if (!seen[WR_CLAUSE_SELECT])
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0217, name.span, "the pattern '%.*s' lacks its SELECT",
                                    WR_SLICE_ARG(name.text)),
                     "say what a match gives, as in SELECT a.x, COUNT(b.*) AS n");
    if (!complete) query->kind = WR_QUERY_ERROR;
    return statement;
}

struct wr_query *wr_query_inner(struct wr_parse *parse, struct wr_statement *pattern)
{
    if (pattern->name.text.size)
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0205, pattern->name.span,
                                    "INTO stands with a PATTERN that is a statement of its own"),
                     "leave INTO out; the statement around says where the matches go");
    return pattern->query;
}
