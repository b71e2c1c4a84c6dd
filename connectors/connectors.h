/* The connectors of the library: files (plain, gzip, zstd, lz4; JSON lines, CSV, TSV), standard streams. */
#ifndef WR_CONNECTORS_CONNECTORS_H
#define WR_CONNECTORS_CONNECTORS_H

#include "runtime/connector.h"

extern const struct wr_connectors wr_connectors_library;

/* Bytes of a file or standard input ("-"), decompressed by content, in pieces. Shared by the readers and by
 * `init --from` / `query`, which look at a file's head. */
struct wr_byte_source;
struct wr_byte_source *wr_byte_source_open(const char *path, struct wr_error *error);
/* Reads up to capacity bytes; *size 0 at the end. A container that breaks off: what came before is given first,
 * then WR_ERR_INPUT. */
enum wr_status wr_byte_source_read(struct wr_byte_source *source, char *out, size_t capacity, size_t *size,
                                   struct wr_error *error);
void wr_byte_source_progress(const struct wr_byte_source *source, uint64_t *done, uint64_t *total);
void wr_byte_source_close(struct wr_byte_source *source);

/* The format a path's name and the file's head say: "json", "csv", "tsv". */
const char *wr_format_guess(const char *path, struct wr_slice head);

/* Opens a reader over an already open byte source (tests, inference). Takes ownership of source. */
struct wr_reader *wr_json_reader_new(const struct wr_read_spec *spec, struct wr_byte_source *source, struct wr_error *error);
struct wr_reader *wr_csv_reader_new(const struct wr_read_spec *spec, struct wr_byte_source *source, char delimiter,
                                    struct wr_error *error);

/* What a recording looks like, for `init --from` and `query`: columns in order of appearance with types, which one is
 * the event time and in what unit, how far out of order it is, a likely key. Looks at up to `rows` records. */
struct wr_inferred_column {
    struct wr_slice name;
    struct wr_type type;
    struct wr_slice path;      /* "$.payment.amount" where it differs from the name; else empty */
    uint64_t nulls, distinct;  /* distinct: exact up to 4,096, then 4,097 */
    bool quoted;               /* the name needs quotes */
    const char *why;           /* a few words for the comment beside the guess */
};
struct wr_inferred {
    const char *format;        /* "json", "csv", "tsv" */
    char delimiter;            /* 0: the format's own; else what stands between the fields of its header */
    uint64_t rows, bad_rows;
    uint32_t count;
    struct wr_inferred_column *column;
    uint32_t time_column;      /* WR_NONE: none */
    const char *time_unit;     /* "s", "ms", "us", "ns" for numbers; NULL for text */
    int64_t disorder_us;       /* greatest lag behind the running maximum seen */
    uint32_t key_column;       /* WR_NONE: none */
    const char *note;          /* what is odd about the header, in a sentence; or NULL */
    bool is_array;             /* there is no record, since the file is one JSON array */
};
enum wr_status wr_infer(const char *path, uint64_t rows, struct wr_arena *arena, struct wr_inferred *out,
                        struct wr_error *error);

#endif
