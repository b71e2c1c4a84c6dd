/* Mutants of a program: its statements, queries and windows; what the other files of mutants share. */
#include "cli/mutate.h"
#include "base/text.h"
#include "dsl/lexer.h"

#include <stdarg.h>
#include <stdlib.h>

struct wr_slice wr_mutating_text(const struct wr_mutating *m, struct wr_span span)
{
    return wr_span_text(&m->language->sources, span);
}

void wr_mutate(struct wr_mutating *m, const char *kind, struct wr_span span, const char *by, ...)
{
    struct wr_buf text = {0};
    char small[512];
    va_list args;
    va_start(args, by);
    int size = vsnprintf(small, sizeof small, by, args);
    va_end(args);
    if (size < 0) return;
    if ((size_t)size >= sizeof small) {
        va_start(args, by);
        vsnprintf(wr_buf_reserve(&text, (size_t)size + 1), (size_t)size + 1, by, args);
        va_end(args);
        text.size = (size_t)size;
    } else {
        wr_buf_add(&text, small, (size_t)size);
    }
    const struct wr_source *source = &m->language->sources.at[span.file];
    uint32_t shown = span.start; /* the first that is no blank */
    while (shown < span.end && strchr(" \t\r\n", source->text.data[shown])) shown++;
    if (shown == span.end) shown = span.start;
    struct wr_position at = wr_source_position(source, shown);
    struct wr_mutant mutant = {.kind = kind,
                               .file = source->name,
                               .whole = source->text,
                               .start = span.start,
                               .end = span.end,
                               .by = wr_arena_copy(m->out->arena, wr_buf_slice(&text)),
                               .at = at,
                               .line = wr_source_line(source, at.line)};
    wr_vec_push(&m->out->list, mutant);
    wr_buf_release(&text);
}

/* The last such token that ends before `behind`, or, asked for the first, the first from `from` on. */
static struct wr_span find_token(const struct wr_mutating *m, uint32_t file, uint32_t from, uint32_t behind,
                                 const char *word, bool first)
{
    struct wr_lexer lexer;
    struct wr_span found = {.file = file};
    wr_lexer_init(&lexer, &m->language->diags, file);
    for (;;) {
        struct wr_token token = wr_lexer_next(&lexer);
        if (token.span.end > behind || token.span.start == token.span.end) return found;
        if (token.span.start < from || !wr_slice_equal_nocase(wr_mutating_text(m, token.span), wr_slice_cstr(word)))
            continue;
        found = token.span;
        if (first) return found;
    }
}

struct wr_span wr_mutating_before(const struct wr_mutating *m, struct wr_span place, const char *word)
{
    return find_token(m, place.file, 0, place.start, word, false);
}

struct wr_span wr_mutating_inside(const struct wr_mutating *m, struct wr_span span, const char *word)
{
    return find_token(m, span.file, span.start, span.end, word, true);
}

void wr_mutate_drop(struct wr_mutating *m, const char *kind, const struct wr_span *part, uint32_t count, uint32_t i)
{
    struct wr_span gone = part[i];
    if (count < 2) return;
    if (i) gone.start = part[i - 1].end;
    else gone.end = part[1].start;
    wr_mutate(m, kind, gone, "%s", "");
}

/* ---- Queries --------------------------------------------------------------------------------- */

static void mutate_query(struct wr_mutating *m, const struct wr_query *q);

static void mutate_from(struct wr_mutating *m, const struct wr_from *from)
{
    if (!from) return;
    for (uint32_t i = 0; i < from->input_count; i++) mutate_from(m, from->input[i]);
    if (from->query) mutate_query(m, from->query);
    if (from->kind == WR_FROM_WINDOW) {
        m->window = true;
        for (uint32_t i = 0; i < from->window.args.count; i++) wr_mutate_value(m, from->window.args.at[i]);
        m->window = false;
    }
    if (from->match) wr_mutate_match(m, from->match);
}

/* A window's start says what its end says: without one of the two the groups are the same. */
static bool is_of_window(const struct wr_expr *e)
{
    if (e->kind != WR_EXPR_NAME) return false;
    struct wr_slice last = e->u.name.at[e->u.name.count - 1].text;
    return wr_slice_equal_nocase(last, WR_SLICE("window_start")) || wr_slice_equal_nocase(last, WR_SLICE("window_end"));
}

static void mutate_select(struct wr_mutating *m, const struct wr_select *s)
{
    if (s->distinct) wr_mutate(m, "clause", s->distinct_span, "%s", "");
    for (uint32_t i = 0; i < s->item_count; i++) wr_mutate_value(m, s->item[i].expr);
    mutate_from(m, s->from);
    wr_mutate_condition(m, s->where);
    enum { KEYS_MAX = 32 };
    struct wr_span part[KEYS_MAX];
    uint32_t keys = s->group.count;
    for (uint32_t i = 0; i < keys && keys <= KEYS_MAX; i++) part[i] = s->group.at[i]->span;
    for (uint32_t i = 0; i < keys && keys <= KEYS_MAX; i++)
        if (!is_of_window(s->group.at[i])) wr_mutate_drop(m, "key", part, keys, i);
    wr_mutate_condition(m, s->having);
}

static void mutate_query(struct wr_mutating *m, const struct wr_query *q)
{
    for (uint32_t i = 0; i < q->with_count; i++) mutate_query(m, q->with[i].query);
    if (q->left) mutate_query(m, q->left);
    if (q->right) mutate_query(m, q->right);
    if (q->select) mutate_select(m, q->select);
    if (q->kind == WR_QUERY_PATTERN) {
        mutate_from(m, q->pattern.from);
        wr_mutate_condition(m, q->pattern.where);
        if (q->pattern.match) wr_mutate_match(m, q->pattern.match);
    }
    wr_mutate_value(m, q->late);
}

static void mutate_statement(struct wr_mutating *m, const struct wr_statement *s)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        wr_mutate_value(m, s->column[i].default_value);
        wr_mutate_value(m, s->column[i].computed);
    }
    wr_mutate_value(m, s->watermark);
    if (s->query) mutate_query(m, s->query);
    if (s->kind == WR_STATEMENT_CREATE_FUNCTION || s->kind == WR_STATEMENT_CREATE_PARAMETER)
        wr_mutate_value(m, s->value);
}

/* ---- All of a program ------------------------------------------------------------------------ */

static int compare_mutants(const void *a, const void *b)
{
    const struct wr_mutant *x = a, *y = b;
    int order = wr_slice_compare(x->file, y->file);
    if (!order) order = x->start < y->start ? -1 : x->start > y->start;
    if (!order) order = x->end < y->end ? -1 : x->end > y->end;
    return order ? order : wr_slice_compare(x->by, y->by);
}

void wr_mutants_make(struct wr_language *language, const struct wr_tree *tree, struct wr_mutants *out)
{
    struct wr_mutating m = {.language = language, .out = out};
    for (uint32_t i = 0; i < tree->count; i++) mutate_statement(&m, &tree->statement[i]);
    if (out->list.count) qsort(out->list.at, out->list.count, sizeof *out->list.at, compare_mutants);
    size_t kept = 0;
    for (size_t i = 0; i < out->list.count; i++) {
        struct wr_mutant *mutant = &out->list.at[i];
        if (kept && !compare_mutants(&out->list.at[kept - 1], mutant)) continue;
        mutant->file = wr_arena_copy(out->arena, mutant->file);
        bool same_file = kept && wr_slice_equal(out->list.at[kept - 1].file, mutant->file);
        mutant->whole = same_file ? out->list.at[kept - 1].whole : wr_arena_copy(out->arena, mutant->whole);
        mutant->line = wr_arena_copy(out->arena, mutant->line);
        out->list.at[kept++] = *mutant;
    }
    out->list.count = kept;
}

void wr_mutants_release(struct wr_mutants *mutants)
{
    wr_vec_release(&mutants->list);
    wr_vec_release(&mutants->duration);
    wr_vec_release(&mutants->number);
    wr_vec_release(&mutants->string);
}
