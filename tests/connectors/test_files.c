/* Bytes from files and into them: containers by content, what breaks off, what the system refuses. */
#include "connectors/harness.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static struct wr_buf packed(enum wr_container container, struct wr_slice text)
{
    struct wr_buf out = {0};
    struct wr_compressor *c = wr_compressor_new(container);
    wr_compress(c, wr_slice_of(text.data, text.size / 2), WR_COMPRESS_GIVE, &out);
    wr_compress(c, (struct wr_slice){0}, WR_COMPRESS_FLUSH, &out);
    wr_compress(c, wr_slice_of(text.data + text.size / 2, text.size - text.size / 2), WR_COMPRESS_FINISH, &out);
    wr_compressor_free(c);
    return out;
}

/* All bytes of a file, and the status at its end. */
static enum wr_status slurp(const char *path, struct wr_buf *out, struct wr_error *error)
{
    struct wr_byte_source *s = wr_byte_source_open(path, error);
    if (!s) return error->status;
    size_t n = 1;
    enum wr_status status = WR_OK;
    while (n && status == WR_OK) {
        status = wr_byte_source_read(s, wr_buf_reserve(out, 5000), 5000, &n, error);
        out->size += n;
    }
    uint64_t done, total;
    struct stat st;
    wr_byte_source_progress(s, &done, &total);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(total, st.st_size);
    assert_true(done <= total);
    if (status == WR_OK) assert_int_equal(done, total);
    wr_byte_source_close(s);
    return status;
}

static struct wr_buf sample(void)
{
    struct wr_buf text = {0};
    for (int i = 0; i < 30000; i++) wr_buf_printf(&text, "{\"a\":%d,\"s\":\"%llx\"}\n", i,
        (unsigned long long)wr_mix64((uint64_t)i));
    return text;
}

static void every_container_is_read_by_its_content(void **state)
{
    (void)state;
    struct wr_buf text = sample();
    for (int c = WR_CONTAINER_GZIP; c <= WR_CONTAINER_LZ4; c++) {
        struct wr_buf once = packed((enum wr_container)c, wr_buf_slice(&text)), out = {0};
        size_t single = once.size;
        struct wr_buf twice = {0};
        wr_buf_add_slice(&twice, wr_buf_slice(&once));
        wr_buf_add_slice(&twice, wr_buf_slice(&once));
        char *path = temporary(".txt", wr_buf_slice(&twice));
        struct wr_error error = {0};
        assert_int_equal(slurp(path, &out, &error), WR_OK);
        assert_int_equal(out.size, text.size * 2);
        assert_memory_equal(out.data, text.data, text.size);
        assert_memory_equal(out.data + text.size, text.data, text.size);
        unlink(path);
        free(path);
        assert_true(single < text.size);
        wr_buf_release(&once);
        wr_buf_release(&twice);
        wr_buf_release(&out);
    }
    wr_buf_release(&text);
}

static void what_came_before_a_container_breaks_off_is_given_first(void **state)
{
    (void)state;
    static const char *const names[] = {"", "gzip", "zstd", "lz4"};
    struct wr_buf text = sample();
    for (int c = WR_CONTAINER_GZIP; c <= WR_CONTAINER_LZ4; c++) {
        struct wr_buf whole = packed((enum wr_container)c, wr_buf_slice(&text));
        const size_t cuts[] = {whole.size - 1, whole.size / 2, whole.size / 4, 12, 6};
        for (size_t i = 0; i < WR_COUNT(cuts); i++) {
            struct wr_buf out = {0};
            struct wr_error error = {0};
            char *path = temporary(".gz", wr_slice_of(whole.data, cuts[i])), wanted[200];
            assert_int_equal(slurp(path, &out, &error), WR_ERR_INPUT);
            snprintf(wanted, sizeof wanted, "%s: the %s data breaks off: the file is not whole", path, names[c]);
            assert_string_equal(error.message, wanted);
            assert_true(out.size <= text.size);
            if (i == 1) assert_true(out.size > text.size / 4);
            assert_memory_equal(out.size ? out.data : "", text.data, out.size);
            unlink(path);
            free(path);
            wr_buf_release(&out);
        }
        wr_buf_release(&whole);
    }
    wr_buf_release(&text);
}

static void damage_in_a_container_is_told(void **state)
{
    (void)state;
    struct wr_buf text = sample();
    for (int c = WR_CONTAINER_GZIP; c <= WR_CONTAINER_LZ4; c++) {
        struct wr_buf whole = packed((enum wr_container)c, wr_buf_slice(&text)), out = {0};
        struct wr_error error = {0};
        for (size_t i = 0; i < 8; i++) whole.data[whole.size / 2 + i] = (char)~whole.data[whole.size / 2 + i];
        char *path = temporary("", wr_buf_slice(&whole));
        assert_int_equal(slurp(path, &out, &error), WR_ERR_INPUT);
        assert_non_null(strstr(error.message, "data is damaged: "));
        unlink(path);
        free(path);
        wr_buf_release(&whole);
        wr_buf_release(&out);
    }
    struct wr_buf gzip = packed(WR_CONTAINER_GZIP, WR_SLICE("x\n")), out = {0};
    struct wr_error error = {0};
    wr_buf_add_cstr(&gzip, "something else");
    char *path = temporary("", wr_buf_slice(&gzip));
    assert_int_equal(slurp(path, &out, &error), WR_ERR_INPUT);
    assert_non_null(strstr(error.message, "the gzip data is damaged: something else follows its end"));
    assert_string_equal(wr_buf_cstr(&out), "x\n");
    unlink(path);
    free(path);
    wr_buf_release(&gzip);
    wr_buf_release(&out);
    wr_buf_release(&text);
}

static void a_cut_file_gives_its_whole_rows_and_then_the_error(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"a\":1}\n{\"a\":2}\n{\"a\":34567", "a\n1\n2\n34567"};
    static const char *const wanted[] = {"{\"a\":1}\n{\"a\":2}\n! 2 3 W3102 malformed JSON: {\"a\":34567\n= 4 ",
        "{\"a\":1}\n{\"a\":2}\n! 2 4 W3122 record breaks off: 34567\n= 4 "};
    for (int i = 0; i < 2; i++) {
        struct wr_buf whole = packed(WR_CONTAINER_ZSTD, wr_slice_cstr(texts[i])), out = {0}, sorted = {0};
        char *path = temporary(i ? ".csv" : ".jsonl", wr_slice_of(whole.data, whole.size - 4));
        struct table t;
        struct wr_error error = {0};
        table_begin(&t, "a:BIGINT");
        struct wr_read_spec spec = table_spec(&t);
        drain(&t, wr_connectors_library.open_reader(&spec, path, &error), &out);
        wr_buf_printf(&sorted, "%s%s: the zstd data breaks off: the file is not whole\n", wanted[i], path);
        char *bad = strstr(wr_buf_cstr(&out), "! ");
        assert_non_null(bad);
        if (bad != out.data) {
            assert_string_equal(wr_buf_cstr(&out), wr_buf_cstr(&sorted));
        } else { /* the bad one came in the batch of the good ones */
            const char *rows = strchr(bad, '\n') + 1;
            assert_memory_equal(rows, wanted[i], 16);
            assert_non_null(strstr(rows, "breaks off: the file is not whole"));
        }
        unlink(path);
        free(path);
        table_end(&t);
        wr_buf_release(&whole);
        wr_buf_release(&out);
        wr_buf_release(&sorted);
    }
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    struct wr_error error = {0};
    assert_null(wr_byte_source_open("/tmp", &error));
    assert_int_equal(error.status, WR_ERR_USAGE);
    assert_string_equal(error.message, "/tmp: is a directory; a file is wanted");
    assert_null(wr_byte_source_open("/tmp/weir-no-such-file.jsonl", &error));
    assert_int_equal(error.status, WR_ERR_USAGE);
    assert_string_equal(error.message, "/tmp/weir-no-such-file.jsonl: No such file or directory");
    static const char *const refused[][2] = {{"\xfd" "7zXZ rest", "is compressed with xz, which weir does not read"},
                                             {"PK\x03\x04 rest", "is a zip archive, which weir does not read"},
                                             {"\xff\xfe{", "is text in UTF-16, which weir does not read"}};
    for (size_t i = 0; i < WR_COUNT(refused); i++) {
        char *path = temporary(".jsonl", wr_slice_cstr(refused[i][0]));
        assert_null(wr_byte_source_open(path, &error));
        assert_int_equal(error.status, WR_ERR_INPUT);
        assert_string_equal(error.message + strlen(path) + 2, refused[i][1]);
        unlink(path);
        free(path);
    }
    assert_null(wr_connectors_library.open_writer(NULL, "/tmp/weir-no-such-folder/out.jsonl", &error));
    assert_int_equal(error.status, WR_ERR_USAGE);
    assert_string_equal(error.message, "/tmp/weir-no-such-folder/out.jsonl: its folder is not there");
    assert_null(wr_connectors_library.open_writer(NULL, "/tmp", &error));
    assert_string_equal(error.message, "/tmp: is a directory; a file is wanted");
}

static void formats_are_told_by_content_then_by_name(void **state)
{
    (void)state;
    static const struct { const char *path, *head, *wanted; } cases[] = {
        {"x.csv", "{\"a\":1}", "json"}, {"x.csv", "\xef\xbb\xbf\n {\"a\":1}", "json"}, {"x.csv.gz", "a,b\n", "csv"},
        {"x.tsv.zst", "a,b\n", "tsv"}, {"x", "a\tb,c\td\n", "tsv"}, {"x", "a,b\n", "csv"}, {"-", "", "json"},
        {"x.ndjson", "a,b\n", "json"}, {"x.JSONL", "", "json"}, {"x.dat", "what is this", "json"}};
    for (size_t i = 0; i < WR_COUNT(cases); i++)
        assert_string_equal(wr_format_guess(cases[i].path, wr_slice_cstr(cases[i].head)), cases[i].wanted);
}

static void files_are_written_and_read_back_in_every_container(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".jsonl", ".jsonl.gz", ".jsonl.zst", ".jsonl.lz4"};
    struct wr_buf text = sample();
    for (size_t i = 0; i < WR_COUNT(suffixes); i++) {
        char *path = temporary(suffixes[i], WR_SLICE("something longer than nothing"));
        struct wr_error error = {0};
        struct wr_writer *w = wr_connectors_library.open_writer(NULL, path, &error);
        assert_non_null(w);
        for (size_t at = 0; at < text.size; at += 70000) {
            size_t n = WR_MIN(text.size - at, (size_t)70000);
            assert_int_equal(w->cls->write(w, wr_slice_of(text.data + at, n), &error), WR_OK);
            if (at == 140000) assert_int_equal(w->cls->flush(w, &error), WR_OK);
        }
        assert_int_equal(w->cls->close(w, &error), WR_OK);
        struct wr_buf out = {0};
        assert_int_equal(slurp(path, &out, &error), WR_OK);
        assert_int_equal(out.size, text.size);
        assert_memory_equal(out.data, text.data, text.size);
        wr_buf_release(&out);
        unlink(path);
        free(path);
    }
    wr_buf_release(&text);
}

static void a_full_disk_is_told_at_the_latest_by_close(void **state)
{
    (void)state;
    struct wr_error error = {0};
    struct wr_writer *w = wr_connectors_library.open_writer(NULL, "/dev/full", &error);
    assert_non_null(w);
    assert_int_equal(w->cls->write(w, WR_SLICE("{}\n"), &error), WR_OK);
    assert_int_equal(w->cls->flush(w, &error), WR_ERR_IO);
    assert_string_equal(error.message, "/dev/full: No space left on device");
    assert_int_equal(w->cls->write(w, WR_SLICE("{}\n"), &error), WR_ERR_IO);
    assert_int_equal(w->cls->close(w, &error), WR_OK); /* it was told already */
    w = wr_connectors_library.open_writer(NULL, "/dev/full", &error);
    assert_int_equal(w->cls->write(w, WR_SLICE("{}\n"), &error), WR_OK);
    assert_int_equal(w->cls->close(w, &error), WR_ERR_IO);
    struct wr_buf text = sample();
    w = wr_connectors_library.open_writer(NULL, "/dev/full", &error);
    assert_int_equal(w->cls->write(w, wr_buf_slice(&text), &error), WR_ERR_IO);
    w->cls->close(w, &error);
    wr_buf_release(&text);
}

static void a_reader_that_went_away_is_told_apart(void **state)
{
    (void)state;
    int ends[2], out = dup(STDOUT_FILENO);
    struct wr_error error = {0};
    signal(SIGPIPE, SIG_IGN);
    fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    struct wr_writer *w = wr_connectors_library.open_writer(NULL, "-", &error);
    enum wr_status wrote = w->cls->write(w, WR_SLICE("{}\n"), &error), flushed = w->cls->flush(w, &error);
    w->cls->close(w, &error);
    dup2(out, STDOUT_FILENO);
    close(out);
    assert_int_equal(wrote, WR_OK);
    assert_int_equal(flushed, WR_ERR_CLOSED);
}

static void standard_input_may_be_a_pipe_of_small_pieces(void **state)
{
    (void)state;
    int ends[2], in = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        static const char text[] = "{\"a\":1}\n{\"a\":2}\n";
        for (size_t i = 0; i < sizeof text - 1; i++) {
            if (write(ends[1], text + i, 1) != 1) _exit(1);
            usleep(300);
        }
        _exit(0);
    }
    close(ends[1]);
    struct table t;
    struct wr_error error = {0};
    struct wr_buf out = {0};
    table_begin(&t, "a:BIGINT");
    struct wr_read_spec spec = table_spec(&t);
    drain(&t, wr_connectors_library.open_reader(&spec, "-", &error), &out);
    assert_string_equal(wr_buf_cstr(&out), "{\"a\":1}\n{\"a\":2}\n");
    table_end(&t);
    wr_buf_release(&out);
    dup2(in, STDIN_FILENO);
    close(in);
}

static void on_alarm(int number)
{
    (void)number;
}

static void a_signal_ends_a_waiting_read_without_losing_a_byte(void **state)
{
    (void)state;
    int ends[2], in = dup(STDIN_FILENO);
    struct sigaction action = {.sa_handler = on_alarm}, before;
    struct itimerval soon = {.it_value = {.tv_usec = 30000}}, never = {.it_value = {.tv_usec = 0}};
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    struct table t;
    struct wr_error error = {0};
    struct wr_batch batch;
    table_begin(&t, "a:BIGINT");
    struct wr_read_spec spec = table_spec(&t);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_null(wr_connectors_library.open_reader(&spec, "-", &error));
    assert_int_equal(error.status, WR_ERR_STOPPED);
    assert_int_equal(write(ends[1], "{\"a\":1}\n{\"a\"", 12), 12);
    struct wr_reader *r = wr_connectors_library.open_reader(&spec, "-", &error);
    assert_non_null(r);
    assert_int_equal(r->cls->read(r, &batch, &error), WR_OK);
    assert_int_equal(batch.rows, 1);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(r->cls->read(r, &batch, &error), WR_OK);
    assert_int_equal(batch.rows, 0);
    setitimer(ITIMER_REAL, &never, NULL);
    assert_int_equal(write(ends[1], ":2}\n", 4), 4);
    assert_int_equal(r->cls->read(r, &batch, &error), WR_OK);
    assert_int_equal(batch.rows, 1);
    assert_int_equal(batch.column[0].u.i64[0], 2);
    close(ends[1]);
    dup2(in, STDIN_FILENO);
    close(in);
    r->cls->close(r);
    sigaction(SIGALRM, &before, NULL);
    table_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_container_is_read_by_its_content),
        cmocka_unit_test(what_came_before_a_container_breaks_off_is_given_first),
        cmocka_unit_test(damage_in_a_container_is_told),
        cmocka_unit_test(a_cut_file_gives_its_whole_rows_and_then_the_error),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(formats_are_told_by_content_then_by_name),
        cmocka_unit_test(files_are_written_and_read_back_in_every_container),
        cmocka_unit_test(a_full_disk_is_told_at_the_latest_by_close),
        cmocka_unit_test(a_reader_that_went_away_is_told_apart),
        cmocka_unit_test(standard_input_may_be_a_pipe_of_small_pieces),
        cmocka_unit_test(a_signal_ends_a_waiting_read_without_losing_a_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
