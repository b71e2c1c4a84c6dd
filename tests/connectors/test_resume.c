/* Readers that go on where another one stood: from every place where a reader can stand, whatever the input comes in,
 * the rest is the same to the byte, and another input is told from the one that was read. */
#include "base/fault.h"
#include "connectors/harness.h"

#include <fcntl.h>
#include <unistd.h>

enum { PLACES_MAX = 4000 };

static uint32_t batch_rows; /* of the readers: small where the text is, so that they stand behind every row */

/* All that a reader gives, and where it stood after each read. */
struct reading {
    struct wr_buf rows, bad;
    size_t count;
    struct wr_read_position place[PLACES_MAX];
    size_t rows_size[PLACES_MAX], bad_size[PLACES_MAX];
};

static void release(struct reading *reading)
{
    wr_buf_release(&reading->rows);
    wr_buf_release(&reading->bad);
    reading->count = 0;
}

static void note(struct table *t, struct wr_reader *r, struct reading *out)
{
    wr_buf_add_slice(&out->bad, wr_buf_slice(&t->bad));
    wr_buf_clear(&t->bad);
    if (out->count == PLACES_MAX) out->count--; /* the last place is the end */
    r->cls->position(r, &out->place[out->count]);
    out->rows_size[out->count] = out->rows.size;
    out->bad_size[out->count++] = out->bad.size;
}

static void read_all(struct table *t, struct wr_reader *r, struct reading *out)
{
    struct wr_error error = {0};
    struct wr_encoder *e = wr_connectors_library.open_encoder(&t->schema, &t->stream, "json", &error);
    struct wr_batch batch;
    enum wr_status status;
    note(t, r, out);
    while ((status = r->cls->read(r, &batch, &error)) == WR_OK) {
        for (uint32_t i = 0; i < batch.rows; i++) e->cls->row(e, &batch, i, NULL, &out->rows);
        note(t, r, out);
    }
    note(t, r, out);
    if (status != WR_END) fail_msg("%s", error.message);
    e->cls->free(e);
    r->cls->close(r);
}

static struct wr_reader *reader_of(struct table *t, const char *format, struct wr_byte_source *source)
{
    struct wr_error error = {0};
    struct wr_read_spec spec = table_spec(t);
    spec.batch_rows = batch_rows;
    struct wr_reader *r = strcmp(format, "json") == 0 ? wr_json_reader_new(&spec, source, &error)
                                                      : wr_csv_reader_new(&spec, source, ',', &error);
    assert_non_null(r);
    return r;
}

/* ---- What an input may come in --------------------------------------------------------------- */

enum kind { MEMORY_WHOLE, MEMORY_1, MEMORY_7, PLAIN, GZIP, ZSTD, LZ4, GROWN, STDIN_FILE, STDIN_PIPE, KINDS };

static struct wr_buf packed(enum wr_container container, struct wr_slice text)
{
    struct wr_buf out = {0};
    for (size_t part = 0; part < 2; part++) { /* two members or frames */
        struct wr_compressor *c = wr_compressor_new(container);
        size_t from = part ? text.size / 2 : 0, to = part ? text.size : text.size / 2;
        wr_compress(c, wr_slice_of(text.data + from, to - from), WR_COMPRESS_FINISH, &out);
        wr_compressor_free(c);
    }
    return out;
}

static char *file_of(enum kind kind, struct wr_slice text)
{
    struct wr_buf bytes = {0};
    if (kind == GZIP || kind == ZSTD || kind == LZ4)
        bytes = packed(kind == GZIP ? WR_CONTAINER_GZIP : kind == ZSTD ? WR_CONTAINER_ZSTD : WR_CONTAINER_LZ4, text);
    else
        wr_buf_add_slice(&bytes, text);
    char *path = temporary(".in", wr_buf_slice(&bytes));
    wr_buf_release(&bytes);
    return path;
}

static void to_stdin(enum kind kind, struct wr_slice text, const char *path)
{
    int end[2];
    if (kind == STDIN_FILE) {
        end[0] = open(path, O_RDONLY);
    } else { /* small enough to wait in the pipe */
        assert_int_equal(pipe(end), 0);
        assert_int_equal(write(end[1], text.data, text.size), text.size);
        close(end[1]);
    }
    assert_true(end[0] > 0 && dup2(end[0], 0) == 0);
    close(end[0]);
}

static struct wr_byte_source *source_of(enum kind kind, struct wr_slice text, const char *path)
{
    struct wr_error error = {0};
    if (kind <= MEMORY_7)
        return wr_byte_source_memory("text", text, kind == MEMORY_WHOLE ? SIZE_MAX : kind == MEMORY_1 ? 1 : 7);
    if (kind == STDIN_FILE || kind == STDIN_PIPE) to_stdin(kind, text, path);
    struct wr_byte_source *source = wr_byte_source_open(kind >= STDIN_FILE ? "-" : path, &error);
    if (!source) fail_msg("%s", error.message);
    (void)wr_byte_source_peek(source, 4096);
    return source;
}

/* ---- The test ---------------------------------------------------------------------------------- */

static void go_on(struct table *t, const char *format, enum kind kind, struct wr_slice text, const char *path,
                  const struct reading *all, size_t at)
{
    static struct reading rest;
    struct wr_error error = {0};
    struct wr_reader *r = reader_of(t, format, source_of(kind, text, path));
    if (r->cls->seek(r, &all->place[at], &error) != WR_OK)
        fail_msg("kind %d, byte %llu: %s", kind, (unsigned long long)all->place[at].byte, error.message);
    assert_int_equal(t->bad.size, 0);
    struct wr_read_position again;
    r->cls->position(r, &again);
    assert_int_equal(again.byte, all->place[at].byte);
    assert_int_equal(again.line, all->place[at].line);
    assert_int_equal(again.offset, all->place[at].offset);
    assert_int_equal(again.head, all->place[at].head);
    read_all(t, r, &rest);
    if (kind != GROWN) {
        assert_string_equal(wr_buf_cstr(&rest.rows), all->rows.data + all->rows_size[at]);
        assert_string_equal(wr_buf_cstr(&rest.bad), all->bad.data + all->bad_size[at]);
    } else {
        size_t wanted = all->rows.size - all->rows_size[at];
        assert_true(rest.rows.size > wanted);
        assert_memory_equal(wr_buf_cstr(&rest.rows), all->rows.data + all->rows_size[at], wanted);
    }
    release(&rest);
}

/* From every place at which readers fed with whole texts, single bytes and seven bytes at a time stood. `more`: what the
 * file has grown by; NULL: no line may follow. step: not every place, where there are many. */
static void every_place(struct table *t, const char *format, struct wr_slice text, const char *more, size_t step)
{
    static struct reading all;
    struct wr_buf grown = {0};
    wr_buf_add_slice(&grown, text);
    if (more) wr_buf_add_cstr(&grown, more);
    batch_rows = text.size > 100000 ? 0 : 1;
    for (enum kind from = MEMORY_WHOLE; from <= MEMORY_7; from++) {
        if (from != MEMORY_WHOLE && text.size > 100000) break;
        read_all(t, reader_of(t, format, source_of(from, text, NULL)), &all);
        (void)wr_buf_cstr(&all.rows);
        (void)wr_buf_cstr(&all.bad);
        for (enum kind kind = MEMORY_WHOLE; kind < KINDS; kind++) {
            if (kind == GROWN && !more) continue;
            if (kind == STDIN_PIPE && text.size > 60000) continue;
            if (kind == MEMORY_1 && text.size > 100000) continue;
            struct wr_slice bytes = kind == GROWN ? wr_buf_slice(&grown) : text;
            char *path = file_of(kind, bytes);
            for (size_t at = 0; at < all.count; at += step) go_on(t, format, kind, bytes, path, &all, at);
            go_on(t, format, kind, bytes, path, &all, all.count - 1);
            unlink(path);
            free(path);
        }
        release(&all);
    }
    wr_buf_release(&grown);
    batch_rows = 0;
}

static const char json_lines[] = "{\"o\":1,\"s\":\"a\"}\n"
                                 "\n"
                                 "{\"s\":\"crlf\"}\r\n"
                                 "not json\n"
                                 "{\"s\":\"\xff\"}\n"
                                 "{\"s\":\"open\n"
                                 "{\"s\":\"\\u00e9 and a text that is longer than the smallest window of them all, so that it "
                                 "has to grow while it is read, and then some more of it\",\"n\":7}\n"
                                 "  \r\n"
                                 "{\"n\":\"no number\"}\n"
                                 "{\"s\":\"b\",\"n\":2}{\"s\":\"two\"}\n"
                                 "{\"s\":\"c\",\"n\":3}\n";

static void json_goes_on_from_every_place(void **state)
{
    (void)state;
    struct table t;
    struct wr_buf text = {0};
    table_begin(&t, "off:BIGINT#OFFSET s:STRING n:BIGINT");
    every_place(&t, "json", wr_slice_cstr(json_lines), "{\"s\":\"more\"}\n", 1);
    wr_buf_add_cstr(&text, "\xef\xbb\xbf");
    wr_buf_add_cstr(&text, json_lines);
    wr_buf_add_cstr(&text, "{\"s\":\"without a line end\"}");
    every_place(&t, "json", wr_buf_slice(&text), NULL, 1);
    every_place(&t, "json", WR_SLICE("\n\n\nbad"), NULL, 1);
    every_place(&t, "json", WR_SLICE("\xef\xbb\xbf"), NULL, 1);
    wr_buf_release(&text);
    table_end(&t);
}

static const char csv_lines[] = "s,n,other\r\n"
                                "a,1,x\r\n"
                                "\n"
                                "\"quoted, with \"\"quotes\"\"\nand a line end\",2,y\n"
                                "ragged,3\n"
                                "b,no number,z\n"
                                "\"tail\"x,4,z\n"
                                "\xff,5,z\n"
                                "\"a text that is longer than the smallest window, which has to grow while this is looked "
                                "through\",6,\"\n\"\n"
                                "c,7,z\n";

static void csv_goes_on_from_every_place(void **state)
{
    (void)state;
    struct table t;
    struct wr_buf text = {0};
    table_begin(&t, "n:BIGINT off:BIGINT#OFFSET s:STRING absent:DOUBLE");
    every_place(&t, "csv", wr_slice_cstr(csv_lines), "more,8,z\n", 1);
    wr_buf_add_cstr(&text, "\xef\xbb\xbf\n \n\"broken\" header,1\n");
    wr_buf_add_cstr(&text, csv_lines);
    wr_buf_add_cstr(&text, "\"open at the end,1");
    every_place(&t, "csv", wr_buf_slice(&text), NULL, 1);
    every_place(&t, "csv", WR_SLICE("s,n\n"), "a,1\n", 1);
    wr_buf_release(&text);
    table_end(&t);
    table_begin(&t, "s:STRING n:BIGINT"); /* what the first record is decides how many fields they have */
    table_option(&t, "header", "false");
    every_place(&t, "csv", WR_SLICE("\na,1\nb,2,3\nc,4\n"), "d,5\n", 1);
    table_end(&t);
}

static void long_files_go_on(void **state)
{
    (void)state;
    struct table t;
    struct wr_buf json = {0}, csv = {0};
    wr_buf_add_cstr(&csv, "n,s\n");
    for (int i = 0; i < 12000; i++) {
        wr_buf_printf(&json, "{\"n\":%d,\"s\":\"%0*d\"}\n", i, i % 4000 == 3000 ? 200000 : 5, i);
        wr_buf_printf(&csv, "%d,%0*d\n", i, i % 4000 == 3000 ? 200000 : 5, i);
        if (i % 1000 == 999) wr_buf_add_cstr(&json, "no record\n");
        if (i % 1000 == 999) wr_buf_add_cstr(&csv, "no,such,record\n");
    }
#ifdef WR_HOSTILE
    size_t step = 997;
#else
    size_t step = 1;
#endif
    table_begin(&t, "off:BIGINT#OFFSET s:STRING n:BIGINT");
    every_place(&t, "json", wr_buf_slice(&json), "{\"n\":12001}\n", step);
    every_place(&t, "csv", wr_buf_slice(&csv), "12001,x\n", step);
    table_end(&t);
    wr_buf_release(&json);
    wr_buf_release(&csv);
}

/* ---- Another input ------------------------------------------------------------------------------- */

static void refused(struct table *t, const char *format, enum kind kind, struct wr_slice text,
                    const struct wr_read_position *place, const char *why)
{
    struct wr_error error = {0};
    char *path = file_of(kind, text);
    struct wr_reader *r = reader_of(t, format, source_of(kind, text, path));
    assert_int_equal(r->cls->seek(r, place, &error), WR_ERR_STATE);
    if (!strstr(error.message, why)) fail_msg("%s: not: %s", error.message, why);
    r->cls->close(r);
    unlink(path);
    free(path);
}

static void other_inputs_are_told(void **state)
{
    (void)state;
    static struct reading all;
    static const char *const formats[] = {"json", "csv"};
    for (size_t f = 0; f < WR_COUNT(formats); f++) {
        struct table t;
        struct wr_buf text = {0};
        table_begin(&t, "n:BIGINT s:STRING");
        if (f) wr_buf_add_cstr(&text, "n,s\n");
        for (int i = 0; i < 3000; i++) wr_buf_printf(&text, f ? "%d,%08d\n" : "{\"n\":%d,\"s\":\"%08d\"}\n", i, i);
        read_all(&t, reader_of(&t, formats[f], source_of(MEMORY_WHOLE, wr_buf_slice(&text), NULL)), &all);
        size_t at = 0;
        while (all.place[at].byte <= 8192) at++;
        struct wr_read_position middle = all.place[at], end = all.place[all.count - 1];
        assert_true(middle.byte > 8192 && middle.byte < end.byte && end.byte == text.size);
        static const enum kind kinds[] = {MEMORY_WHOLE, PLAIN, GZIP, ZSTD, LZ4, STDIN_FILE};
        for (size_t k = 0; k < WR_COUNT(kinds); k++) {
            refused(&t, formats[f], kinds[k], wr_slice_of(text.data, middle.byte - 1), &middle, "shorter");
            refused(&t, formats[f], kinds[k], wr_slice_of(text.data, text.size - 1), &end, "shorter");
            refused(&t, formats[f], kinds[k], (struct wr_slice){0}, &middle, "shorter");
            text.data[40] ^= 1;
            refused(&t, formats[f], kinds[k], wr_buf_slice(&text), &middle, "first bytes");
            text.data[40] ^= 1;
            text.data[middle.byte - 3] ^= 1;
            refused(&t, formats[f], kinds[k], wr_buf_slice(&text), &middle, "bytes before");
            text.data[middle.byte - 3] ^= 1;
        }
        release(&all);
        wr_buf_release(&text);
        table_end(&t);
    }
}

/* A container that breaks off before the place is shorter as well, and says why. */
static void a_container_that_breaks_off_is_shorter(void **state)
{
    (void)state;
    static struct reading all;
    struct table t;
    struct wr_buf text = {0};
    table_begin(&t, "n:BIGINT s:STRING");
    for (int i = 0; i < 30000; i++)
        wr_buf_printf(&text, "{\"n\":%d,\"s\":\"%llx\"}\n", i, (unsigned long long)wr_mix64((uint64_t)i));
    read_all(&t, reader_of(&t, "json", source_of(MEMORY_WHOLE, wr_buf_slice(&text), NULL)), &all);
    for (enum kind kind = GZIP; kind <= LZ4; kind++) {
        struct wr_error error = {0};
        char *path = file_of(kind, wr_buf_slice(&text));
        assert_int_equal(truncate(path, 200000), 0);
        struct wr_reader *r = reader_of(&t, "json", source_of(kind, wr_buf_slice(&text), path));
        assert_int_equal(r->cls->seek(r, &all.place[all.count - 1], &error), WR_ERR_STATE);
        if (!strstr(error.message, "breaks off")) fail_msg("%s", error.message);
        r->cls->close(r);
        unlink(path);
        free(path);
    }
    release(&all);
    wr_buf_release(&text);
    table_end(&t);
}

/* ---- Writers that go on ---------------------------------------------------------------------------- */

static void put(struct wr_writer *w, const char *text)
{
    struct wr_error error = {0};
    assert_int_equal(w->cls->write(w, wr_slice_cstr(text), &error), WR_OK);
}

static uint64_t mark(struct wr_writer *w)
{
    struct wr_error error = {0};
    uint64_t size = 0;
    assert_int_equal(w->cls->mark(w, &size, &error), WR_OK);
    return size;
}

static struct wr_writer *opened(bool again, const char *path)
{
    struct wr_error error = {0};
    struct wr_writer *w = again ? wr_connectors_library.reopen_writer(NULL, path, &error)
                                : wr_connectors_library.open_writer(NULL, path, &error);
    if (!w) fail_msg("%s", error.message);
    return w;
}

/* The file as a process that dies leaves it. */
static void copy(const char *from, const char *to)
{
    char bytes[4096];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    while ((n = fread(bytes, 1, sizeof bytes, in)) > 0) assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    fclose(out);
}

static void piece(void *context, struct wr_slice bytes)
{
    wr_buf_add_slice(context, bytes);
}

static void content_is(const char *path, const char *wanted)
{
    struct wr_error error = {0};
    struct wr_buf out = {0};
    struct wr_byte_source *s = wr_byte_source_open(path, &error);
    size_t n = 1;
    while (n && wr_byte_source_read(s, wr_buf_reserve(&out, 5000), 5000, &n, &error) == WR_OK) out.size += n;
    assert_string_equal(error.message, "");
    assert_string_equal(wr_buf_cstr(&out), wanted);
    wr_byte_source_close(s);
    wr_buf_release(&out);
}

static const char *const suffixes[] = {".jsonl", ".jsonl.gz", ".jsonl.zst", ".jsonl.lz4"};

static void files_are_cut_where_a_mark_was_and_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(suffixes); i++) {
        struct wr_error error = {0};
        char *path = temporary(suffixes[i], (struct wr_slice){0}), *left = temporary(suffixes[i], (struct wr_slice){0});
        struct wr_writer *w = opened(false, path);
        assert_int_equal(mark(w), 0);
        assert_int_equal(mark(w), 0);
        put(w, "first\n");
        uint64_t one = mark(w);
        assert_int_equal(w->cls->flush(w, &error), WR_OK);
        assert_int_equal(mark(w), one);
        put(w, "second\n");
        assert_int_equal(w->cls->flush(w, &error), WR_OK);
        put(w, "third\n");
        uint64_t two = mark(w);
        assert_true(two > one && one > 0);
        assert_int_equal(w->cls->sync(w, &error), WR_OK);
        put(w, "lost\n");
        assert_int_equal(w->cls->flush(w, &error), WR_OK);
        copy(path, left);
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        content_is(path, "first\nsecond\nthird\nlost\n");
        w = opened(true, left);
        assert_int_equal(w->cls->compressed, i != 0);
        struct wr_buf back = {0};
        assert_int_equal(w->cls->read_back(w, 3, 15, piece, &back, &error), WR_OK);
        assert_string_equal(wr_buf_cstr(&back), "st\nsecond\nth");
        wr_buf_release(&back);
        assert_int_equal(w->cls->read_back(w, 3, 30, piece, &back, &error), WR_ERR_STATE);
        wr_buf_release(&back);
        assert_int_equal(w->cls->resume(w, two, &error), WR_OK);
        put(w, "other\n");
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        content_is(left, "first\nsecond\nthird\nother\n");
        w = opened(true, left);
        assert_int_equal(w->cls->resume(w, one, &error), WR_OK);
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        content_is(left, "first\n");
        w = opened(true, left);
        assert_int_equal(w->cls->resume(w, 0, &error), WR_OK);
        put(w, "anew\n");
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        content_is(left, "anew\n");
        unlink(path);
        unlink(left);
        free(path);
        free(left);
    }
}

static void what_cannot_go_on_is_left_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(suffixes); i++) {
        struct wr_error error = {0};
        char *path = temporary(suffixes[i], WR_SLICE("not ours\n"));
        struct wr_writer *w = opened(true, path);
        assert_int_equal(w->cls->resume(w, 10, &error), WR_ERR_STATE);
        assert_non_null(strstr(error.message, "has 9 bytes, and it had 10"));
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        w = opened(true, path);
        assert_int_equal(w->cls->close(w, &error), WR_OK); /* never resumed: nothing is written */
        content_is(path, "not ours\n");
        unlink(path);
        w = opened(true, path);
        assert_int_equal(w->cls->resume(w, 10, &error), WR_ERR_STATE);
        assert_non_null(strstr(error.message, "is not there"));
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        assert_int_equal(access(path, F_OK), -1);
        w = opened(true, path);
        assert_int_equal(w->cls->resume(w, 0, &error), WR_OK);
        put(w, "made\n");
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        content_is(path, "made\n");
        unlink(path);
        free(path);
    }
}

static void pipes_and_devices_keep_nothing(void **state)
{
    (void)state;
    struct wr_error error = {0};
    static const char *const paths[] = {"-", "/dev/null"};
    for (size_t i = 0; i < 2 * WR_COUNT(paths); i++) {
        struct wr_writer *w = opened(i % 2, paths[i / 2]);
        assert_true(!w->cls->mark && !w->cls->sync && !w->cls->resume && !w->cls->read_back);
        assert_int_equal(w->cls->close(w, &error), WR_OK);
    }
}

#ifdef WR_FAULTS
static void calls_that_fail_are_told(void **state)
{
    (void)state;
    struct wr_error error = {0};
    uint64_t size;
    char *path = temporary(".jsonl", WR_SLICE("line\n"));
    struct wr_buf back = {0};
    struct wr_writer *w = opened(true, path);
    wr_fault_fail_at(WR_FAULT_FILE, 1, 1);
    assert_int_equal(w->cls->read_back(w, 0, 5, piece, &back, &error), WR_ERR_IO);
    wr_fault_fail_at(WR_FAULT_FILE, 1, 1);
    assert_int_equal(w->cls->resume(w, 5, &error), WR_ERR_IO);
    wr_fault_fail_at(WR_FAULT_FILE, 0, 0);
    (void)w->cls->close(w, &error);
    content_is(path, "line\n");
    w = opened(true, path);
    assert_int_equal(w->cls->resume(w, 5, &error), WR_OK);
    wr_fault_fail_at(WR_FAULT_FILE, 1, 1);
    assert_int_equal(w->cls->sync(w, &error), WR_ERR_IO);
    put(w, "more\n");
    wr_fault_fail_at(WR_FAULT_FILE, 1, 1);
    assert_int_equal(w->cls->mark(w, &size, &error), WR_ERR_IO);
    wr_fault_fail_at(WR_FAULT_FILE, 0, 0);
    (void)w->cls->close(w, &error);
    wr_buf_release(&back);
    unlink(path);
    free(path);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_goes_on_from_every_place),
        cmocka_unit_test(csv_goes_on_from_every_place),
        cmocka_unit_test(long_files_go_on),
        cmocka_unit_test(other_inputs_are_told),
        cmocka_unit_test(a_container_that_breaks_off_is_shorter),
        cmocka_unit_test(files_are_cut_where_a_mark_was_and_go_on),
        cmocka_unit_test(what_cannot_go_on_is_left_as_it_was),
        cmocka_unit_test(pipes_and_devices_keep_nothing),
#ifdef WR_FAULTS
        cmocka_unit_test(calls_that_fail_are_told),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
