/* From the tree to documents: what the files of the formatter share. Private to dsl/.
 *
 * Comments are taken in their order: whoever is about to write what stands at a place first takes
 * the comments before that place, and a list takes those right behind each of its elements. */
#ifndef WR_DSL_FMT_BUILD_H
#define WR_DSL_FMT_BUILD_H

#include "dsl/ast.h"
#include "dsl/fmt_doc.h"
#include "dsl/lexer.h"

struct wr_fmt {
    struct wr_arena *arena;
    const struct wr_source *source;     /* NULL: a lone expression or pattern */
    const struct wr_comments *comments; /* NULL: none */
    uint32_t next_comment;
    const struct wr_tree *tree;         /* for expand: where a stream's time column is declared */
    bool expand;
};

/* Adding to a document. */
void wr_fmt_text(struct wr_fmt *f, struct wr_doc *to, const char *text);
void wr_fmt_slice(struct wr_fmt *f, struct wr_doc *to, struct wr_slice text);
void wr_fmt_printf(struct wr_fmt *f, struct wr_doc *to, const char *format, ...) WR_PRINTF(3, 4);
void wr_fmt_line(struct wr_fmt *f, struct wr_doc *to, enum wr_doc_kind kind);
/* A new inner document, added to `to`. */
struct wr_doc *wr_fmt_open(struct wr_fmt *f, struct wr_doc *to, enum wr_doc_kind kind);
struct wr_doc *wr_fmt_nest(struct wr_fmt *f, struct wr_doc *to, uint32_t indent);
/* Columns of a text that is laid out flat. */
uint32_t wr_fmt_width(struct wr_fmt *f, const struct wr_doc *doc);

/* The comments before a place; those right behind one (separators between); whether there are any before. */
void wr_fmt_before(struct wr_fmt *f, struct wr_doc *to, uint32_t offset);
void wr_fmt_behind(struct wr_fmt *f, struct wr_doc *to, uint32_t offset);

void wr_fmt_ident(struct wr_fmt *f, struct wr_doc *to, struct wr_ident ident);
void wr_fmt_string(struct wr_fmt *f, struct wr_doc *to, struct wr_slice text);
void wr_fmt_upper(struct wr_fmt *f, struct wr_doc *to, struct wr_slice text);
void wr_fmt_type(struct wr_fmt *f, struct wr_doc *to, const struct wr_type_name *type);
void wr_fmt_expression(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr);
void wr_fmt_exprs(struct wr_fmt *f, struct wr_doc *to, struct wr_expr_list list);
void wr_fmt_orders(struct wr_fmt *f, struct wr_doc *to, struct wr_order_list list);
void wr_fmt_row_pattern(struct wr_fmt *f, struct wr_doc *to, const struct wr_pattern *pattern);
void wr_fmt_items(struct wr_fmt *f, struct wr_doc *to, const struct wr_select_item *item, uint32_t count);
void wr_fmt_from(struct wr_fmt *f, struct wr_doc *to, const struct wr_from *from);
void wr_fmt_alias(struct wr_fmt *f, struct wr_doc *to, struct wr_ident alias);
void wr_fmt_query(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query);
/* The clauses of MATCH_RECOGNIZE, each on a line, without the parentheses. */
void wr_fmt_match(struct wr_fmt *f, struct wr_doc *to, const struct wr_match *match);
/* PATTERN …; `into` may be empty. */
void wr_fmt_short(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query, struct wr_ident into);
/* The same in the long form; false when a column has no name to give it (then nothing is added). */
bool wr_fmt_expanded(struct wr_fmt *f, struct wr_doc *to, const struct wr_query *query, struct wr_ident into);

#endif
