/* Source texts of a program (the main file and what it includes) and places in them.
 * A span is a half-open range of byte offsets in one text; line and column are found on demand. */
#ifndef WR_DSL_SOURCE_H
#define WR_DSL_SOURCE_H

#include "base/arena.h"

struct wr_span {
    uint32_t file; /* index in wr_sources */
    uint32_t start, end;
};

struct wr_source {
    struct wr_slice name;   /* as the user wrote it; "-" is standard input, "query" a command line */
    struct wr_slice text;   /* NUL behind the last byte; a byte order mark is part of it */
    uint32_t *line_start;   /* offsets of line starts, line_count of them */
    uint32_t line_count;
    uint32_t line_shift;    /* added to line numbers: a fence inside a Markdown file */
};

struct wr_sources {
    struct wr_source *at;
    uint32_t count, capacity;
    struct wr_arena *arena; /* owns names, texts and line tables */
};

void wr_sources_init(struct wr_sources *sources, struct wr_arena *arena);
/* Adds a text (copied) and returns its index. */
uint32_t wr_sources_add(struct wr_sources *sources, struct wr_slice name, struct wr_slice text);

/* Line and column count from 1; the column counts code points. */
struct wr_position {
    uint32_t line, column;
};
struct wr_position wr_source_position(const struct wr_source *source, uint32_t offset);
/* The text of a line (from 1), without its line end. */
struct wr_slice wr_source_line(const struct wr_source *source, uint32_t line);
struct wr_slice wr_span_text(const struct wr_sources *sources, struct wr_span span);

static inline struct wr_span wr_span_join(struct wr_span a, struct wr_span b)
{
    return (struct wr_span){a.file, WR_MIN(a.start, b.start), WR_MAX(a.end, b.end)};
}

#endif
