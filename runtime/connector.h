/* The seam between the engine and the outside: readers fill batches, writers take bytes. The engine knows
 * nothing of files or formats; connectors know nothing of operators. */
#ifndef WR_RUNTIME_CONNECTOR_H
#define WR_RUNTIME_CONNECTOR_H

#include "base/buf.h"
#include "vm/program.h"

/* A record that is none: reported once, then passed over. `bytes` are its original bytes, lent for the call. */
struct wr_bad_record {
    uint64_t offset;        /* record number in its partition, from 0 */
    uint64_t line;          /* line in the file, from 1; 0: unknown */
    const char *code;       /* "W3101", from runtime/reason.def's decode family */
    const char *reason;     /* short and stable, for the drop table: "not a JSON object" */
    const char *column;     /* the column concerned, or NULL */
    struct wr_slice bytes;
};

/* What a reader is to decode: the fields of a source node, in order; the batch's columns are these. */
struct wr_read_spec {
    const struct wr_program *program; /* for default constants */
    const struct wr_stream *stream;   /* its options: format, timestamp_unit, nulls, header … */
    uint32_t field_count;
    const struct wr_field *field;
    void (*on_bad)(void *context, const struct wr_bad_record *record);
    void *context;
};

struct wr_reader;
struct wr_reader_class {
    const char *name;
    /* Up to WR_BATCH_ROWS_DEFAULT rows. On WR_OK, *batch (owned by the reader, valid until the next call) holds
     * rows >= 0 with columns as the spec's fields and .offset set; .time, .source etc. are the engine's to fill.
     * record_time, when the format has one (Kafka), is in batch->event_time, else that is NULL.
     * WR_END: no more rows, ever. Other statuses: error is filled; rows read before stand. */
    enum wr_status (*read)(struct wr_reader *reader, struct wr_batch *batch, struct wr_error *error);
    /* Bytes read so far and in all (0: unknown), for progress. */
    void (*progress)(const struct wr_reader *reader, uint64_t *done, uint64_t *total);
    void (*close)(struct wr_reader *reader);
};
struct wr_reader {
    const struct wr_reader_class *cls;
    /* the implementation's struct continues */
};

/* Records that the host hands over: whole lines that wait here until a reader takes them. The reader says
 * WR_OK with no rows when there are none, and WR_END once .ended. Owned by the partition that it feeds. */
struct wr_feed {
    struct wr_buf bytes;
    size_t taken;
    bool ended;
    const int64_t *time; /* times of the records from number .first on, while they are pushed; NULL: they have none */
    uint64_t first;
};
static inline bool wr_feed_waits(const struct wr_feed *feed)
{
    return feed->taken < feed->bytes.size;
}

/* Sinks of bytes. write takes whole lines only; flush hands everything to the system.
 * WR_ERR_CLOSED: the reader of a pipe went away; WR_ERR_IO: refused ("no space left on device"). */
struct wr_writer;
struct wr_writer_class {
    const char *name;
    enum wr_status (*write)(struct wr_writer *writer, struct wr_slice bytes, struct wr_error *error);
    enum wr_status (*flush)(struct wr_writer *writer, struct wr_error *error);
    enum wr_status (*close)(struct wr_writer *writer, struct wr_error *error); /* flushes; frees in any case */
};
struct wr_writer {
    const struct wr_writer_class *cls;
};

/* An encoder turns rows of a schema into lines of a format. */
struct wr_encoder;
struct wr_encoder_class {
    const char *name;
    /* Bytes before the first row (a CSV header); may be empty. */
    void (*begin)(struct wr_encoder *encoder, struct wr_buf *out);
    /* Appends row r; `tag`: NULL, or the output's name for {"name":{…}} (JSON), ignored by CSV. */
    void (*row)(struct wr_encoder *encoder, const struct wr_batch *batch, uint32_t row, const char *tag, struct wr_buf *out);
    void (*free)(struct wr_encoder *encoder);
};
struct wr_encoder {
    const struct wr_encoder_class *cls;
};

/* How the engine opens what it needs; weir.c fills it with the connectors of the library. */
struct wr_connectors {
    /* A file path, or "-"; format NULL: by the path's name and content. */
    struct wr_reader *(*open_reader)(const struct wr_read_spec *spec, const char *path, struct wr_error *error);
    /* JSON lines out of a feed, which outlives the reader. */
    struct wr_reader *(*open_feed)(const struct wr_read_spec *spec, const char *name, struct wr_feed *feed,
                                   struct wr_error *error);
    struct wr_writer *(*open_writer)(const struct wr_stream *stream, const char *path, struct wr_error *error);
    /* format: "json" or "csv"; stream may be NULL. */
    struct wr_encoder *(*open_encoder)(const struct wr_schema *schema, const struct wr_stream *stream,
                                       const char *format, struct wr_error *error);
};

#endif
