/* How the engine opens what the library has: by a format's name, a file's name, a file's content. */
#include "connectors/internal.h"

#include "base/text.h"

#include <strings.h>

const char *wr_option(const struct wr_stream *stream, const char *name)
{
    return stream ? wr_stream_option(stream, name) : NULL;
}

char wr_option_delimiter(const struct wr_stream *stream, char usual)
{
    const char *text = wr_option(stream, "delimiter");
    if (!text || !*text) return usual;
    return strcmp(text, "\\t") == 0 ? '\t' : *text;
}

/* ---- Formats --------------------------------------------------------------------------------- */

static const char *const formats[] = {"json", "csv", "tsv"};

static const char *format_of_option(const char *text)
{
    for (size_t i = 0; text && i < WR_COUNT(formats); i++)
        if (strcasecmp(text, formats[i]) == 0) return formats[i];
    return NULL;
}

static bool take_suffix(struct wr_slice *name, const char *suffix)
{
    size_t n = strlen(suffix);
    if (name->size <= n) return false;
    struct wr_slice end = wr_slice_of(name->data + name->size - n, n);
    if (!wr_slice_equal_nocase(end, wr_slice_of(suffix, n))) return false;
    name->size -= n;
    return true;
}

static const char *format_of_name(const char *path)
{
    struct wr_slice name = wr_slice_cstr(path);
    if (!take_suffix(&name, ".gz") && !take_suffix(&name, ".zst")) take_suffix(&name, ".lz4");
    if (take_suffix(&name, ".csv")) return "csv";
    if (take_suffix(&name, ".tsv") || take_suffix(&name, ".tab")) return "tsv";
    return take_suffix(&name, ".jsonl") || take_suffix(&name, ".ndjson") || take_suffix(&name, ".json") ? "json"
                                                                                                       : NULL;
}

static struct wr_slice first_text(struct wr_slice head)
{
    if (head.size >= 3 && memcmp(head.data, "\xef\xbb\xbf", 3) == 0) head = wr_slice_of(head.data + 3, head.size - 3);
    while (head.size && (head.data[0] == ' ' || head.data[0] == '\n' || head.data[0] == '\r'))
        head = wr_slice_of(head.data + 1, head.size - 1);
    return head;
}

const char *wr_format_guess(const char *path, struct wr_slice head)
{
    head = first_text(head);
    if (head.size && head.data[0] == '{') return "json";
    const char *named = format_of_name(path);
    if (named) return named;
    size_t tabs = 0, commas = 0;
    for (size_t i = 0; i < head.size && head.data[i] != '\n'; i++) {
        tabs += head.data[i] == '\t';
        commas += head.data[i] == ',';
    }
    return tabs > commas ? "tsv" : commas ? "csv" : "json";
}

/* A file's content says what it is, its name comes second. What the stream declares stands for its connector, and
 * any stream may be bound to any file; it decides where the file leaves it open. */
static const char *format_of(const struct wr_stream *stream, const char *path, struct wr_slice head)
{
    const char *declared = format_of_option(wr_option(stream, "format")), *named = format_of_name(path);
    head = first_text(head);
    if (head.size && head.data[0] == '{' && !(declared && declared == named)) return "json";
    if (named) return named;
    return declared ? declared : wr_format_guess(path, head);
}

/* ---- The table ------------------------------------------------------------------------------- */

enum { HEAD_BYTES = 4096 };

static struct wr_reader *open_reader(const struct wr_read_spec *spec, const char *path, struct wr_error *error)
{
    struct wr_byte_source *source = wr_byte_source_open(path, error);
    if (!source) return NULL;
    const char *format = format_of(spec->stream, path, wr_byte_source_peek(source, HEAD_BYTES));
    if (strcmp(format, "json") == 0) return wr_json_reader_new(spec, source, error);
    return wr_csv_reader_new(spec, source, strcmp(format, "tsv") == 0 ? '\t' : ',', error);
}

static struct wr_reader *open_feed(const struct wr_read_spec *spec, const char *name, struct wr_feed *feed,
                                   struct wr_error *error)
{
    return wr_json_reader_new(spec, wr_byte_source_feed(name, feed), error);
}

static struct wr_writer *open_writer(const struct wr_stream *stream, const char *path, struct wr_error *error)
{
    WR_UNUSED(stream);
    return wr_file_writer_new(path, error);
}

static struct wr_writer *reopen_writer(const struct wr_stream *stream, const char *path, struct wr_error *error)
{
    WR_UNUSED(stream);
    return wr_file_writer_reopen(path, error);
}

static struct wr_encoder *open_encoder(const struct wr_schema *schema, const struct wr_stream *stream,
                                       const char *format, struct wr_error *error)
{
    const char *known = format_of_option(format);
    if (!known) {
        wr_error_set(error, WR_ERR_USAGE, "there is no output format '%s'; the formats are json, csv and tsv", format);
        return NULL;
    }
    if (strcmp(known, "json") == 0) return wr_json_encoder_new(schema, stream, error);
    return wr_csv_encoder_new(schema, stream, strcmp(known, "tsv") == 0 ? '\t' : ',', error);
}

const struct wr_connectors wr_connectors_library = {.open_reader = open_reader,
                                                   .open_feed = open_feed,
                                                   .open_writer = open_writer,
                                                   .reopen_writer = reopen_writer,
                                                   .open_encoder = open_encoder};
