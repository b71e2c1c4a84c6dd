/* One JSON record, from its tokens into a row of columns. Knows nothing of files and lines. */
#ifndef WR_CONNECTORS_JSON_WALK_H
#define WR_CONNECTORS_JSON_WALK_H

#include "connectors/decode.h"

struct wr_json_walk;
/* NULL and WR_ERR_PROGRAM when a path of the spec is none that can be read. The columns outlive the walk. */
struct wr_json_walk *wr_json_walk_new(const struct wr_read_spec *spec, struct wr_decode_columns *columns,
                                      struct wr_error *error);
void wr_json_walk_free(struct wr_json_walk *w);

struct wr_json_record {
    const char *base;     /* what the offsets of tokens count from */
    const uint32_t *end;  /* behind the last token there is; two readable sentinels follow */
    uint64_t offset;      /* the record's number */
    uint32_t column;      /* out: on an error the column concerned, or WR_NONE */
    bool one_line;        /* out: there is surely no line end inside the record */
};

/* Decodes the record whose first token is *token into the row; afterwards *token is behind the tokens that were used.
 * The record has no end of its own here: the caller sees whether its last token lies where it should. On an error the
 * row is to be undone. */
enum wr_decode wr_json_walk_record(struct wr_json_walk *w, const uint32_t **token, uint32_t row,
                                   struct wr_json_record *record);

#endif
