/* What the files of this folder share: the head of a byte source, decompression, and the window of bytes that
 * the readers of text formats look through. */
#ifndef WR_CONNECTORS_INTERNAL_H
#define WR_CONNECTORS_INTERNAL_H

#include "base/alloc.h"
#include "connectors/connectors.h"

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Reads until the first `wanted` bytes, a whole line or the end are known, and lends what it has. They are
 * given again by the reads that follow. An error is kept for the read that comes to its place. */
struct wr_slice wr_byte_source_peek(struct wr_byte_source *source, size_t wanted);
const char *wr_byte_source_name(const struct wr_byte_source *source); /* the path, or "standard input" */
/* A source over bytes in memory, which outlive it (tests); a read gives at most `step` bytes. */
struct wr_byte_source *wr_byte_source_memory(const char *name, struct wr_slice bytes, size_t step);

/* A source over what a host hands over; a read of an empty feed says WR_ERR_STOPPED until it has ended. */
struct wr_byte_source *wr_byte_source_feed(const char *name, struct wr_feed *feed);

/* The next read gives what stands at `byte` of the content. false, and nothing has changed: only by reading up to it
 * (a compressed file, a pipe). */
bool wr_byte_source_jump(struct wr_byte_source *source, uint64_t byte);
bool wr_byte_source_is_feed(const struct wr_byte_source *source);

enum wr_container { WR_CONTAINER_PLAIN, WR_CONTAINER_GZIP, WR_CONTAINER_ZSTD, WR_CONTAINER_LZ4 };

struct wr_decompressor;
struct wr_decompressor *wr_decompressor_new(enum wr_container container); /* NULL: out of memory */
void wr_decompressor_free(struct wr_decompressor *d);
/* Turns bytes from *in into bytes in *out and advances both. at_end: no input follows. Stops when the output is
 * full or the input used up. WR_END: the container ended as it should (only when at_end); WR_ERR_INPUT: it
 * breaks off or is damaged; what was written before it stands. */
enum wr_status wr_decompress(struct wr_decompressor *d, struct wr_slice *in, char **out, size_t *room, bool at_end,
                             struct wr_error *error);

/* The other way: output files whose names end in .gz, .zst or .lz4. */
struct wr_compressor;
struct wr_compressor *wr_compressor_new(enum wr_container container); /* NULL: out of memory */
void wr_compressor_free(struct wr_compressor *c);
/* GIVE: as it comes; FLUSH: all that was given can be read back; FINISH: the frame ends, and what is given next begins
 * another. Appends to out. */
enum wr_compress { WR_COMPRESS_GIVE, WR_COMPRESS_FLUSH, WR_COMPRESS_FINISH };
void wr_compress(struct wr_compressor *c, struct wr_slice bytes, enum wr_compress how, struct wr_buf *out);

/* ---- Readers, writers, encoders of the library ------------------------------------------------- */

struct wr_writer *wr_file_writer_new(const char *path, struct wr_error *error);
/* Over a file that is there; nothing of it is cut before resume. One that is not there is made. */
struct wr_writer *wr_file_writer_reopen(const char *path, struct wr_error *error);
struct wr_encoder *wr_json_encoder_new(const struct wr_schema *schema, const struct wr_stream *stream,
                                       struct wr_error *error);
struct wr_encoder *wr_csv_encoder_new(const struct wr_schema *schema, const struct wr_stream *stream,
                                      char delimiter, struct wr_error *error);

/* A stream's option, or NULL; a stream that is NULL has none. */
const char *wr_option(const struct wr_stream *stream, const char *name);
/* The delimiter that a stream's options ask for, else `usual`. */
char wr_option_delimiter(const struct wr_stream *stream, char usual);

/* ---- A window on a text: unread bytes in one piece of memory ----------------------------------- */

/* Inputs are told again by hashes of so many of their first bytes, and of those before a place. */
enum { WR_WINDOW_PADDING = 64, WR_MARK_BYTES = 4096 };
#ifdef WR_HOSTILE
enum { WR_WINDOW_BYTES = 64, WR_RECORD_BYTES_MAX = 64 * 1024 * 1024 };
#else
enum { WR_WINDOW_BYTES = 128 * 1024, WR_RECORD_BYTES_MAX = 256 * 1024 * 1024 };
#endif

struct wr_window {
    struct wr_byte_source *source;
    char *data;            /* capacity + WR_WINDOW_PADDING bytes, the padding readable whatever it holds */
    size_t capacity;
    size_t begin, end;     /* unread bytes */
    uint64_t base;         /* where data begins in the content */
    struct wr_buf head;    /* the first bytes of the content */
    struct wr_buf tail;    /* the bytes before base, WR_MARK_BYTES at least where there are so many */
    bool at_end;           /* the source has no more; .failed says whether it ended well */
    struct wr_error failed;/* status WR_OK: it ended well */
};

void wr_window_init(struct wr_window *w, struct wr_byte_source *source); /* takes the source */
void wr_window_release(struct wr_window *w);
/* Moves what is unread to the front, doubles the memory when it is full of it, and reads once. Pointers into the
 * window are void afterwards. false: a signal came before any byte, so nothing has changed. */
bool wr_window_fill(struct wr_window *w);
/* Where the unread bytes begin in the content. */
static inline uint64_t wr_window_byte(const struct wr_window *w)
{
    return w->base + w->begin;
}
/* Sets the position's byte, head and before. */
void wr_window_position(const struct wr_window *w, struct wr_read_position *position);
/* Goes forward until the unread bytes begin where the position says. WR_ERR_STATE: the input is not the one, or shorter;
 * WR_ERR_STOPPED: a signal came first. */
enum wr_status wr_window_seek(struct wr_window *w, const struct wr_read_position *position, struct wr_error *error);

#endif
