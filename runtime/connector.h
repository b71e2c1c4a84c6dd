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
    uint32_t batch_rows; /* at most so many rows in a batch; 0: WR_BATCH_ROWS_DEFAULT */
};

/* Where a reader stands: behind the last row of the last batch that it gave. */
struct wr_read_position {
    uint64_t offset;        /* number of the record that comes next, from 0 */
    uint64_t line;          /* its line, from 1 */
    uint64_t byte;          /* where it begins, in the bytes after decompression */
    /* What tells the file again: hashes of its first bytes and of those just before .byte (how many: the reader's
     * affair, the same when it looks again). */
    uint64_t head, before;
};

struct wr_reader;
struct wr_reader_class {
    const char *name;
    /* Up to the spec's batch_rows. On WR_OK, *batch (owned by the reader, valid until the next call) holds
     * rows >= 0 with columns as the spec's fields and .offset set; .time, .source etc. are the engine's to fill.
     * record_time, when the format has one (Kafka), is in batch->event_time, else that is NULL.
     * WR_END: no more rows, ever. Other statuses: error is filled; rows read before stand. */
    enum wr_status (*read)(struct wr_reader *reader, struct wr_batch *batch, struct wr_error *error);
    /* Bytes read so far and in all (0: unknown), for progress. */
    void (*progress)(const struct wr_reader *reader, uint64_t *done, uint64_t *total);
    /* Where it stands now. NULL: cannot say (what the host feeds). */
    void (*position)(struct wr_reader *reader, struct wr_read_position *position);
    /* Before the first read: goes on from there; a compressed or piped input is read up to it. WR_ERR_STATE: it is not
     * the input that the position was taken from, or it is shorter (the message says which and how it is known). */
    enum wr_status (*seek)(struct wr_reader *reader, const struct wr_read_position *position, struct wr_error *error);
    void (*close)(struct wr_reader *reader);
    /* Is it known that no record can have a value for this field of the spec (a header without its name)? May be
     * NULL: never known. */
    bool (*lacks)(const struct wr_reader *reader, uint32_t field);
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
    /* For outputs that outlive a crash; all NULL: a pipe, which keeps nothing.
     * mark: everything written stands in the file, and the file could be cut off behind it (a compressed stream ends
     * its frame); *size is the file's size then.
     * sync: what was marked survives a loss of power. May be called from another thread beside the others.
     * resume: before the first write: the file is cut to `size` bytes (as mark gave it, or more) and goes on there.
     * WR_ERR_STATE: it is shorter, or not there (unless size is 0); nothing has been changed or left behind then.
     * read_back: gives the content from byte `from` to byte `to` (of a compressed file: after decompression), piece by
     * piece. WR_ERR_STATE: there is less. */
    enum wr_status (*mark)(struct wr_writer *writer, uint64_t *size, struct wr_error *error);
    enum wr_status (*sync)(struct wr_writer *writer, struct wr_error *error);
    enum wr_status (*resume)(struct wr_writer *writer, uint64_t size, struct wr_error *error);
    enum wr_status (*read_back)(struct wr_writer *writer, uint64_t from, uint64_t to,
                                void (*piece)(void *context, struct wr_slice bytes), void *context, struct wr_error *error);
    bool compressed; /* the file's bytes are not the content's; it can be cut where a mark was, nowhere else */
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
    /* The same for a file that a run before this one wrote: nothing is cut until wr_writer_class.resume. */
    struct wr_writer *(*reopen_writer)(const struct wr_stream *stream, const char *path, struct wr_error *error);
    /* format: "json" or "csv"; stream may be NULL. */
    struct wr_encoder *(*open_encoder)(const struct wr_schema *schema, const struct wr_stream *stream,
                                       const char *format, struct wr_error *error);
};

#endif
