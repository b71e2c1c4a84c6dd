/* The formatter: parses with comments, turns statements into documents, lays them out.
 *
 * Order of comments is the order of the text. Each is written before the first thing that stands
 * behind it, or at the end of its line when it was there; none is dropped, whatever is moved. */
#include "dsl/fmt.h"
#include "dsl/fmt_build.h"
#include "dsl/read.h"

enum { WIDTH = 100, NO_END = UINT32_MAX / 2 };

/* ---- Comments --------------------------------------------------------------------------------------------- */

static bool ends_its_line(const struct wr_fmt *f, const struct wr_comment *comment)
{
    struct wr_slice text = f->source->text;
    size_t at = comment->span.end;
    while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == '\r')) at++;
    return at == text.size || text.data[at] == '\n';
}

static void add_comment(struct wr_fmt *f, struct wr_doc *to, const struct wr_comment *comment)
{
    struct wr_slice text = {f->source->text.data + comment->span.start, comment->span.end - comment->span.start};
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) text.size--;
    bool alone = comment->first && (comment->line || ends_its_line(f, comment));
    bool behind = !alone && (comment->line || ends_its_line(f, comment));
    wr_doc_add(f->arena, to,
               wr_doc_comment(f->arena,
                              alone    ? WR_COMMENT_OWN
                              : behind ? WR_COMMENT_BEHIND
                                       : WR_COMMENT_INLINE,
                              text));
}

void wr_fmt_before(struct wr_fmt *f, struct wr_doc *to, uint32_t offset)
{
    while (f->comments && f->next_comment < f->comments->count &&
           f->comments->at[f->next_comment].span.start < offset)
        add_comment(f, to, &f->comments->at[f->next_comment++]);
}

void wr_fmt_behind(struct wr_fmt *f, struct wr_doc *to, uint32_t offset)
{
    wr_fmt_before(f, to, offset); /* those inside that nothing has taken */
    while (f->comments && f->next_comment < f->comments->count) {
        const struct wr_comment *comment = &f->comments->at[f->next_comment];
        if (!comment->line && !ends_its_line(f, comment)) return;
        uint32_t at = offset;
        for (; at < comment->span.start; at++) {
            char c = f->source->text.data[at];
            if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ',') return;
        }
        if (at > comment->span.start) return;
        add_comment(f, to, comment);
        f->next_comment++;
        offset = comment->span.end;
    }
}

/* ---- Statements ----------------------------------------------------------------------------------------------- */

static void option_name(struct wr_fmt *f, struct wr_doc *to, struct wr_ident name)
{
    if (f->source->text.data[name.span.start] == '\'') wr_fmt_string(f, to, name.text);
    else if (name.quoted) wr_fmt_ident(f, to, name);
    else wr_fmt_slice(f, to, wr_slice_of(f->source->text.data + name.span.start, name.span.end - name.span.start));
}

static void options(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    if (!s->option_count) return;
    wr_fmt_text(f, to, " WITH (");
    struct wr_doc *group = wr_fmt_open(f, to, WR_DOC_GROUP), *inside = wr_fmt_nest(f, group, 4);
    wr_fmt_line(f, inside, WR_DOC_SOFT);
    for (uint32_t i = 0; i < s->option_count; i++) {
        if (i) wr_fmt_line(f, inside, WR_DOC_LINE);
        wr_fmt_before(f, inside, s->option[i].name.span.start);
        option_name(f, inside, s->option[i].name);
        wr_fmt_text(f, inside, " = ");
        wr_fmt_expression(f, inside, s->option[i].value);
        if (i + 1 < s->option_count) wr_fmt_text(f, inside, ",");
        wr_fmt_behind(f, inside, s->option[i].value->span.end);
    }
    wr_fmt_line(f, group, WR_DOC_SOFT);
    wr_fmt_text(f, group, ")");
}

static bool column_has_tail(const struct wr_column_def *c)
{
    return c->from != WR_COLUMN_FROM_NAME || c->key || c->not_null || c->default_value || c->computed;
}

/* What stands behind a column's type. */
static void column_tail(struct wr_fmt *f, struct wr_doc *to, const struct wr_column_def *c)
{
    static const char *const sources[] = {"", "", "KEY", "HEADER ", "OFFSET", "PARTITION", "TIMESTAMP"};
    if (c->from != WR_COLUMN_FROM_NAME) {
        wr_fmt_text(f, to, " FROM ");
        wr_fmt_text(f, to, sources[c->from]);
        if (c->from == WR_COLUMN_FROM_PATH || c->from == WR_COLUMN_FROM_HEADER) wr_fmt_string(f, to, c->from_text);
    }
    if (c->key) wr_fmt_text(f, to, " KEY");
    if (c->not_null) wr_fmt_text(f, to, " NOT NULL");
    if (c->default_value) {
        wr_fmt_text(f, to, " DEFAULT ");
        wr_fmt_expression(f, to, c->default_value);
    }
    if (c->computed) {
        wr_fmt_text(f, to, " AS ");
        wr_fmt_expression(f, to, c->computed);
    }
}

/* Widths of names and types, within reason: one long name does not push all the others away. */
struct table_widths {
    uint32_t name, type;
};
enum { ALIGN_MAX = 32 };

static uint32_t width_of_name(struct wr_fmt *f, struct wr_ident name)
{
    struct wr_doc *doc = wr_doc_of(f->arena, WR_DOC_CAT);
    wr_fmt_ident(f, doc, name);
    return wr_fmt_width(f, doc);
}

static uint32_t width_of_type(struct wr_fmt *f, const struct wr_type_name *type)
{
    struct wr_doc *doc = wr_doc_of(f->arena, WR_DOC_CAT);
    wr_fmt_type(f, doc, type);
    return wr_fmt_width(f, doc);
}

static void column(struct wr_fmt *f, struct wr_doc *to, const struct wr_column_def *c, struct table_widths widths)
{
    uint32_t name = width_of_name(f, c->name), type = width_of_type(f, c->type);
    wr_fmt_before(f, to, c->span.start);
    wr_fmt_ident(f, to, c->name);
    wr_fmt_printf(f, to, "%*s", (int)(widths.name >= name ? widths.name - name + 1 : 1), "");
    wr_fmt_type(f, to, c->type);
    if (!column_has_tail(c)) return;
    wr_fmt_printf(f, to, "%*s", (int)(widths.type >= type ? widths.type - type : 0), "");
    column_tail(f, to, c);
}

/* Entries of a column list in the order in which they were written. */
static void columns(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    struct table_widths widths = {0, 0};
    for (uint32_t i = 0; i < s->column_count; i++) {
        uint32_t name = width_of_name(f, s->column[i].name), type = width_of_type(f, s->column[i].type);
        if (name <= ALIGN_MAX) widths.name = WR_MAX(widths.name, name);
        if (type <= ALIGN_MAX && column_has_tail(&s->column[i])) widths.type = WR_MAX(widths.type, type);
    }
    bool watermark = s->watermark != NULL, key = s->primary_key.count != 0;
    uint32_t left = s->column_count + watermark + key, next = 0;
    wr_fmt_text(f, to, " (");
    struct wr_doc *inside = wr_fmt_nest(f, to, 4);
    while (left-- > 0) {
        uint32_t at = next < s->column_count ? s->column[next].span.start : NO_END, end;
        wr_fmt_line(f, inside, WR_DOC_HARD);
        if (watermark && s->watermark_span.start < at &&
            (!key || s->watermark_span.start < s->primary_key_span.start)) {
            watermark = false;
            wr_fmt_before(f, inside, s->watermark_span.start);
            wr_fmt_text(f, inside, "WATERMARK FOR ");
            wr_fmt_ident(f, inside, s->watermark_column);
            wr_fmt_text(f, inside, " AS ");
            wr_fmt_expression(f, inside, s->watermark);
            end = s->watermark_span.end;
        } else if (key && s->primary_key_span.start < at) {
            key = false;
            wr_fmt_before(f, inside, s->primary_key_span.start);
            wr_fmt_text(f, inside, "PRIMARY KEY (");
            for (uint32_t i = 0; i < s->primary_key.count; i++) {
                if (i) wr_fmt_text(f, inside, ", ");
                wr_fmt_ident(f, inside, s->primary_key.at[i]);
            }
            wr_fmt_text(f, inside, ")");
            end = s->primary_key_span.end;
        } else {
            column(f, inside, &s->column[next], widths);
            end = s->column[next++].span.end;
        }
        if (left) wr_fmt_text(f, inside, ",");
        wr_fmt_behind(f, inside, end);
    }
    wr_fmt_line(f, to, WR_DOC_HARD);
    wr_fmt_text(f, to, ")");
}

static void create(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    wr_fmt_text(f, to, s->kind == WR_STATEMENT_CREATE_STREAM ? "CREATE STREAM " : "CREATE TABLE ");
    wr_fmt_ident(f, to, s->name);
    if (s->column_count || s->watermark || s->primary_key.count) columns(f, to, s);
    else if (s->has_columns) wr_fmt_text(f, to, " ()");
    options(f, to, s);
    if (!s->query) return;
    wr_fmt_text(f, to, " AS");
    wr_fmt_line(f, to, WR_DOC_HARD);
    wr_fmt_query(f, to, s->query);
}

static void function(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    struct wr_doc *group = wr_fmt_open(f, to, WR_DOC_GROUP);
    wr_fmt_text(f, group, "CREATE FUNCTION ");
    wr_fmt_ident(f, group, s->name);
    wr_fmt_text(f, group, "(");
    for (uint32_t i = 0; i < s->parameter_count; i++) {
        if (i) wr_fmt_text(f, group, ", ");
        wr_fmt_before(f, group, s->parameter[i].span.start);
        wr_fmt_ident(f, group, s->parameter[i]);
        wr_fmt_text(f, group, " ");
        wr_fmt_type(f, group, s->parameter_type[i]);
    }
    wr_fmt_text(f, group, ") RETURNS ");
    wr_fmt_type(f, group, s->type);
    wr_fmt_text(f, group, " AS");
    struct wr_doc *inside = wr_fmt_nest(f, group, 4);
    wr_fmt_line(f, inside, WR_DOC_LINE);
    wr_fmt_expression(f, inside, s->value);
}

static void query_statement(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    if (s->query->kind != WR_QUERY_PATTERN) wr_fmt_query(f, to, s->query);
    else if (!f->expand || !wr_fmt_expanded(f, to, s->query, s->name)) wr_fmt_short(f, to, s->query, s->name);
}

/* CREATE VIEW v AS, INSERT INTO s: a head, and the query below it. */
static void headed_query(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    bool view = s->kind == WR_STATEMENT_CREATE_VIEW;
    struct wr_ident none = {{NULL, 0}, false, s->span};
    wr_fmt_text(f, to, view ? "CREATE VIEW " : "INSERT INTO ");
    wr_fmt_ident(f, to, s->name);
    if (view) wr_fmt_text(f, to, " AS");
    wr_fmt_line(f, to, WR_DOC_HARD);
    if (s->query->kind == WR_QUERY_PATTERN && f->expand && wr_fmt_expanded(f, to, s->query, none)) return;
    wr_fmt_query(f, to, s->query);
}

static void statement(struct wr_fmt *f, struct wr_doc *to, const struct wr_statement *s)
{
    switch (s->kind) {
    case WR_STATEMENT_ERROR: break;
    case WR_STATEMENT_CREATE_STREAM: case WR_STATEMENT_CREATE_TABLE: create(f, to, s); break;
    case WR_STATEMENT_CREATE_VIEW: case WR_STATEMENT_INSERT: headed_query(f, to, s); break;
    case WR_STATEMENT_CREATE_FUNCTION: function(f, to, s); break;
    case WR_STATEMENT_CREATE_PARAMETER:
        wr_fmt_text(f, to, "CREATE PARAMETER ");
        wr_fmt_ident(f, to, s->name);
        wr_fmt_text(f, to, " ");
        wr_fmt_type(f, to, s->type);
        if (!s->value) break;
        wr_fmt_text(f, to, " DEFAULT ");
        wr_fmt_expression(f, to, s->value);
        break;
    case WR_STATEMENT_QUERY: query_statement(f, to, s); break;
    case WR_STATEMENT_SET:
        wr_fmt_text(f, to, "SET ");
        option_name(f, to, s->name);
        wr_fmt_text(f, to, " = ");
        wr_fmt_expression(f, to, s->value);
        break;
    case WR_STATEMENT_INCLUDE:
        wr_fmt_text(f, to, "INCLUDE ");
        wr_fmt_string(f, to, s->path);
        break;
    }
    wr_fmt_before(f, to, s->span.end);
    wr_fmt_text(f, to, ";");
}

/* ---- The whole text
 * ---------------------------------------------------------------------------------------------- */

/* The line on which an offset lies, counted from 0. */
static uint32_t line_of(const struct wr_source *source, uint32_t offset)
{
    return wr_source_position(source, offset).line;
}

/* Comments up to an offset between statements: at the end of the line before, or on lines of their own with the
 * blank lines that were there. *last is the line on which what was written last ended; 0: nothing was. */
static void between(struct wr_fmt *f, struct wr_doc *to, uint32_t offset, uint32_t *last)
{
    while (f->next_comment < f->comments->count && f->comments->at[f->next_comment].span.start < offset) {
        const struct wr_comment *comment = &f->comments->at[f->next_comment++];
        uint32_t line = line_of(f->source, comment->span.start);
        if (*last && (line > *last || comment->first))
            wr_fmt_line(f, to, line > *last + 1 ? WR_DOC_BLANK : WR_DOC_HARD);
        add_comment(f, to, comment);
        *last = line_of(f->source, comment->span.end);
    }
}

/* Where the semicolon behind a statement stands, or the statement's end. */
static uint32_t semicolon(const struct wr_fmt *f, uint32_t end, uint32_t next)
{
    uint32_t comment = f->next_comment;
    while (end < next && f->source->text.data[end] != ';') {
        while (comment < f->comments->count && f->comments->at[comment].span.end <= end) comment++;
        if (comment < f->comments->count && f->comments->at[comment].span.start == end)
            end = f->comments->at[comment].span.end;
        else end++;
    }
    return end;
}

static void program(struct wr_fmt *f, struct wr_doc *to, const struct wr_tree *tree)
{
    uint32_t last = 0, size = (uint32_t)f->source->text.size;
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct wr_statement *s = &tree->statement[i];
        between(f, to, s->span.start, &last);
        uint32_t line = line_of(f->source, s->span.start);
        if (last) wr_fmt_line(f, to, line > last + 1 ? WR_DOC_BLANK : WR_DOC_HARD);
        statement(f, to, s);
        uint32_t next = i + 1 < tree->count ? tree->statement[i + 1].span.start : size;
        uint32_t end = semicolon(f, s->span.end, next);
        wr_fmt_before(f, to, end);
        last = line_of(f->source, end);
    }
    between(f, to, size, &last);
    if (last) wr_fmt_line(f, to, WR_DOC_HARD);
}

bool wr_fmt(struct wr_arena *arena, struct wr_diags *diags, uint32_t file, bool expand, struct wr_buf *out)
{
    struct wr_comments comments = {NULL, 0, 0};
    struct wr_tree tree = wr_parse_with_comments(arena, diags, file, &comments);
    if (wr_diags_failed(diags)) return false;
    struct wr_fmt f = {.arena = arena,
                       .source = &diags->sources->at[file],
                       .comments = &comments,
                       .tree = &tree,
                       .expand = expand};
    struct wr_doc *doc = wr_doc_of(arena, WR_DOC_CAT);
    program(&f, doc, &tree);
    wr_doc_layout(doc, WIDTH, out);
    return true;
}

/* The arena of a text that is written and forgotten. */
static void lone(const struct wr_expr *expr, const struct wr_pattern *pattern, struct wr_buf *out)
{
    struct wr_arena arena;
    wr_arena_init(&arena);
    struct wr_fmt f = {.arena = &arena};
    struct wr_doc *doc = wr_doc_of(&arena, WR_DOC_CAT);
    if (expr) wr_fmt_expression(&f, doc, expr);
    else wr_fmt_row_pattern(&f, doc, pattern);
    wr_doc_layout(doc, NO_END, out);
    wr_arena_release(&arena);
}

void wr_fmt_expr(const struct wr_expr *expr, struct wr_buf *out)
{
    lone(expr, NULL, out);
}

void wr_fmt_pattern(const struct wr_pattern *pattern, struct wr_buf *out)
{
    lone(NULL, pattern, out);
}
