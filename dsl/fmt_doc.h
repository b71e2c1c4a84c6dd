/* Documents: text with places where a line may end, laid out to a width (after Wadler and Oppen).
 * A group is flat when it fits into the line, else each of its own lines breaks. Comments travel as
 * nodes: only the layout knows whether there is a line whose end they can take. Private to dsl/. */
#ifndef WR_DSL_FMT_DOC_H
#define WR_DSL_FMT_DOC_H

#include "base/arena.h"
#include "base/buf.h"

enum wr_doc_kind {
    WR_DOC_TEXT,
    WR_DOC_LINE,  /* a blank, or the end of a line */
    WR_DOC_SOFT,  /* nothing, or the end of a line */
    WR_DOC_HARD,  /* the end of a line */
    WR_DOC_BLANK, /* the end of a line and an empty one */
    WR_DOC_CAT,
    WR_DOC_GROUP,
    WR_DOC_NEST,  /* .indent more */
    WR_DOC_ALIGN, /* lines below begin in the column where this begins */
    WR_DOC_COMMENT
};

enum wr_doc_comment {
    WR_COMMENT_BEHIND, /* -- at the end of a line of program */
    WR_COMMENT_OWN,    /* on a line of its own */
    WR_COMMENT_INLINE  /* a block comment between two tokens */
};

struct wr_doc {
    enum wr_doc_kind kind;
    enum wr_doc_comment comment;
    uint32_t indent;
    struct wr_slice text;
    struct wr_doc **child;
    uint32_t count, capacity;
};

struct wr_doc *wr_doc_text(struct wr_arena *arena, struct wr_slice text);
struct wr_doc *wr_doc_of(struct wr_arena *arena,
                         enum wr_doc_kind kind); /* LINE, SOFT, HARD, BLANK, CAT, GROUP, ALIGN */
struct wr_doc *wr_doc_nest(struct wr_arena *arena, uint32_t indent);
struct wr_doc *wr_doc_comment(struct wr_arena *arena, enum wr_doc_comment kind, struct wr_slice text);
/* Adds to a CAT, GROUP, NEST or ALIGN. */
void wr_doc_add(struct wr_arena *arena, struct wr_doc *parent, struct wr_doc *child);
void wr_doc_layout(const struct wr_doc *doc, uint32_t width, struct wr_buf *out);

#endif
