/* Outputs that outlive a crash: whatever a run that died has left in its files and in the journal, the run that goes on
 * from the checkpoint makes the file of a run that was never disturbed, or says why it cannot. */
#include "base/fault.h"
#include "connectors/internal.h"
#include "runtime/codec.h"
#include "runtime/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { CHECKPOINT = 700, NOTED_FIRST = 900, NOTED = 1000, WRITTEN = 1100, END = 1500 };
static const uint64_t RUN = 77;

struct place {
    char directory[64], journal[96], path[96], other[96];
    struct wr_program program;
    struct wr_node node[2];
    const char *query[2];
    struct wr_task task;
    struct wr_operator op[2];
    struct wr_buf marks, taken, told;
};

static void place_begin(struct place *p, const char *suffix)
{
    memset(p, 0, sizeof *p);
    snprintf(p->directory, sizeof p->directory, "/tmp/weir-test-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->journal, sizeof p->journal, "%s/published", p->directory);
    snprintf(p->path, sizeof p->path, "%s/out%s", p->directory, suffix);
    snprintf(p->other, sizeof p->other, "%s/other%s", p->directory, suffix);
    p->program.node = p->node;
    p->program.node_count = 2;
    p->program.query = p->query;
    p->task.program = &p->program;
    for (uint32_t i = 0; i < 2; i++) {
        p->query[i] = i ? "second" : "first";
        p->node[i] = (struct wr_node){.kind = WR_NODE_OUTPUT, .query = i, .u.output.stream = WR_NONE};
        p->op[i] = (struct wr_operator){.task = &p->task, .node = &p->node[i], .id = i};
    }
}

static void place_end(struct place *p)
{
    (void)unlink(p->journal);
    (void)unlink(p->path);
    (void)unlink(p->other);
    assert_int_equal(rmdir(p->directory), 0);
    wr_buf_release(&p->marks);
    wr_buf_release(&p->taken);
    wr_buf_release(&p->told);
}

static int take(void *context, const char *lines, size_t size)
{
    struct place *p = context;
    wr_buf_add(&p->taken, lines, size);
    return 0;
}

static void told(void *context, const char *line)
{
    struct place *p = context;
    wr_buf_printf(&p->told, "%s\n", line);
}

/* path NULL: the function takes the lines. */
static struct wr_sink *opened(struct place *p, uint32_t output, const char *path, bool again)
{
    struct wr_error error = {0};
    struct wr_sink *sink = wr_sink_new(&p->task, path ? path : "standard output", path ? NULL : take, p);
    wr_sink_add_input(sink, &p->op[output], output);
    if (path)
        sink->writer = again ? wr_connectors_library.reopen_writer(NULL, path, &error)
                             : wr_connectors_library.open_writer(NULL, path, &error);
    if (path && !sink->writer) fail_msg("%s", error.message);
    wr_sink_add(sink, 0, NULL, WR_SLICE("header\n"));
    return sink;
}

static void line_of(int i, struct wr_buf *out)
{
    wr_buf_printf(out, "line %d %llx\n", i, (unsigned long long)wr_mix64((uint64_t)i));
}

static void give(struct wr_sink *sink, int from, int to)
{
    struct wr_buf line = {0};
    for (int i = from; i < to; i++) {
        struct wr_sink_key key = {0};
        wr_buf_clear(&line);
        line_of(i, &line);
        wr_sink_add(sink, 0, &key, wr_buf_slice(&line));
        if (i % 50 == 49) wr_sink_flush(sink);
    }
    wr_sink_flush(sink);
    wr_buf_release(&line);
}

static void whole(struct wr_buf *out, int from, int to)
{
    if (from == 0) wr_buf_add_cstr(out, "header\n");
    for (int i = from; i < to; i++) line_of(i, out);
}

static void mark(struct place *p, struct wr_sink *sink)
{
    struct wr_error error = {0};
    wr_buf_clear(&p->marks);
    if (wr_sink_mark(sink, &p->marks, &error) != WR_OK) fail_msg("%s", error.message);
}

static void note(struct place *p, struct wr_sink *sink)
{
    struct wr_error error = {0};
    struct wr_published *journal = wr_published_open(p->directory, &error);
    assert_non_null(journal);
    if (wr_published_note(journal, RUN, &sink, 1, &error) != WR_OK) fail_msg("%s", error.message);
    wr_published_close(journal);
}

/* The run that dies: a checkpoint, two published positions, and lines that the journal has not heard of. */
static void die(struct place *p, const char *path)
{
    struct wr_sink *sink = opened(p, 0, path, false);
    mark(p, sink);
    give(sink, 0, CHECKPOINT);
    mark(p, sink);
    give(sink, CHECKPOINT, NOTED_FIRST);
    note(p, sink);
    give(sink, NOTED_FIRST, NOTED);
    note(p, sink);
    give(sink, NOTED, WRITTEN);
    wr_sink_free(sink);
    assert_int_equal(p->task.error.status, WR_OK);
}

static enum wr_status resume(struct place *p, struct wr_sink *sink, bool *ahead, struct wr_error *error)
{
    struct wr_error opening = {0};
    struct wr_published *journal = wr_published_open(p->directory, &opening);
    struct wr_sink_resume how = {.marks = wr_buf_slice(&p->marks), .published = journal, .run = RUN, .told = told, .context = p};
    enum wr_status status = wr_sink_resume(sink, &how, error);
    wr_published_close(journal);
    if (ahead) *ahead = how.ahead;
    return status;
}

static void content_is(const char *path, int end)
{
    struct wr_error error = {0};
    struct wr_buf out = {0}, wanted = {0};
    struct wr_byte_source *s = wr_byte_source_open(path, &error);
    size_t n = 1;
    while (n && wr_byte_source_read(s, wr_buf_reserve(&out, 5000), 5000, &n, &error) == WR_OK) out.size += n;
    assert_string_equal(error.message, "");
    whole(&wanted, 0, end);
    assert_string_equal(wr_buf_cstr(&out), wr_buf_cstr(&wanted));
    wr_byte_source_close(s);
    wr_buf_release(&out);
    wr_buf_release(&wanted);
}

/* Goes on and writes the rest; the file is then what it is in peace. held: what was published is not written again. */
static void go_on(struct place *p, const char *path, bool held, const char *told_wanted)
{
    struct wr_error error = {0};
    bool ahead;
    struct wr_sink *sink = opened(p, 0, path, true);
    if (resume(p, sink, &ahead, &error) != WR_OK) fail_msg("%s", error.message);
    assert_true(ahead || !held); /* also where nothing is held back: what was damaged, or compressed, was ahead */
    assert_int_equal(wr_sink_is_behind(sink), held);
    if (!told_wanted != !p->told.size || (told_wanted && !strstr(wr_buf_cstr(&p->told), told_wanted)))
        fail_msg("told: %s", wr_buf_cstr(&p->told));
    give(sink, CHECKPOINT, CHECKPOINT + 120);
    assert_int_equal(wr_sink_is_behind(sink), held);
    give(sink, CHECKPOINT + 120, END);
    assert_false(wr_sink_is_behind(sink));
    wr_sink_close(sink);
    wr_sink_free(sink);
    assert_string_equal(p->task.error.message, "");
    content_is(path, END);
}

static void change_byte(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int c = fgetc(f);
    assert_true(c != EOF);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(c ^ 1, f);
    fclose(f);
}

static long size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static long size_at(int end)
{
    struct wr_buf text = {0};
    whole(&text, 0, end);
    long size = (long)text.size;
    wr_buf_release(&text);
    return size;
}

static void the_file_is_that_of_an_undisturbed_run(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".csv", ".csv.gz", ".csv.zst", ".csv.lz4"};
    for (size_t i = 0; i < WR_COUNT(suffixes); i++) {
        struct place p;
        place_begin(&p, suffixes[i]);
        die(&p, p.path);
        go_on(&p, p.path, i == 0, NULL); /* compressed ones are published with checkpoints */
        place_end(&p);
    }
}

/* What was flushed and not noted is cut, what was noted is not written again: the file does not change until then. */
static void up_to_the_published_position_nothing_is_written(void **state)
{
    (void)state;
    struct place p;
    struct wr_error error = {0};
    place_begin(&p, ".csv");
    die(&p, p.path);
    assert_int_equal(size_of(p.path), size_at(WRITTEN));
    struct wr_sink *sink = opened(&p, 0, p.path, true);
    assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
    assert_int_equal(size_of(p.path), size_at(NOTED));
    for (int i = CHECKPOINT; i < NOTED; i++) {
        assert_true(wr_sink_is_behind(sink));
        give(sink, i, i + 1);
        assert_int_equal(size_of(p.path), size_at(NOTED));
    }
    assert_false(wr_sink_is_behind(sink));
    give(sink, NOTED, NOTED + 1);
    assert_int_equal(size_of(p.path), size_at(NOTED + 1));
    wr_sink_free(sink);
    place_end(&p);
}

static void torn_slots_leave_the_other(void **state)
{
    (void)state;
    for (int torn = 1; torn < 4; torn++) {
        struct place p;
        struct wr_error error = {0};
        place_begin(&p, ".csv");
        die(&p, p.path);
        /* the second note is the newer one, and its sequence number, 2, is even */
        if (torn & 1) change_byte(p.journal, 20);
        if (torn & 2) change_byte(p.journal, 64 * 1024 + 20);
        struct wr_sink *sink = opened(&p, 0, p.path, true);
        assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
        assert_int_equal(size_of(p.path), size_at(torn == 1 ? NOTED_FIRST : torn == 2 ? NOTED : CHECKPOINT));
        wr_sink_free(sink);
        go_on(&p, p.path, torn != 3, NULL);
        place_end(&p);
    }
    struct place p;
    place_begin(&p, ".csv"); /* a journal that lost its second half, and one of another run */
    die(&p, p.path);
    assert_int_equal(truncate(p.journal, 60), 0);
    go_on(&p, p.path, true, NULL);
    place_end(&p);
    place_begin(&p, ".csv");
    die(&p, p.path);
    assert_int_equal(unlink(p.journal), 0);
    go_on(&p, p.path, false, NULL);
    place_end(&p);
}

static void damaged_and_lost_tails_are_cut_back_to_the_checkpoint(void **state)
{
    (void)state;
    struct place p;
    place_begin(&p, ".csv");
    die(&p, p.path);
    change_byte(p.path, size_at(NOTED) - 5);
    go_on(&p, p.path, false, "damaged");
    place_end(&p);
    place_begin(&p, ".csv");
    die(&p, p.path);
    assert_int_equal(truncate(p.path, size_at(NOTED) - 1), 0);
    go_on(&p, p.path, false, "not there any more");
    place_end(&p);
    place_begin(&p, ".csv"); /* behind the published position nothing matters */
    die(&p, p.path);
    change_byte(p.path, size_at(NOTED));
    assert_int_equal(truncate(p.path, size_at(NOTED) + 3), 0);
    go_on(&p, p.path, true, NULL);
    place_end(&p);
}

static void refused(struct place *p, const char *path, const char *why)
{
    struct wr_error error = {0};
    long size = path ? size_of(path) : 0;
    struct wr_sink *sink = opened(p, 0, path, true);
    assert_int_equal(resume(p, sink, NULL, &error), WR_ERR_STATE);
    if (!strstr(error.message, why)) fail_msg("%s: not: %s", error.message, why);
    wr_sink_free(sink);
    if (path) assert_int_equal(size_of(path), size); /* nothing was touched or left behind */
}

static void other_files_are_refused_and_left_alone(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".csv", ".csv.gz"};
    for (size_t i = 0; i < WR_COUNT(suffixes); i++) {
        struct place p;
        place_begin(&p, suffixes[i]);
        die(&p, p.path);
        refused(&p, p.other, p.path); /* not there */
        FILE *f = fopen(p.other, "wb");
        for (int k = 0; k < 100000; k++) fputc('x', f);
        fclose(f);
        refused(&p, p.other, p.path);
        refused(&p, NULL, "file");
        assert_int_equal(rename(p.path, p.other), 0); /* moved */
        go_on(&p, p.other, i == 0, NULL);
        place_end(&p);
        place_begin(&p, suffixes[i]);
        die(&p, p.path);
        if (i == 0) change_byte(p.path, size_at(CHECKPOINT) - 3);
        if (i == 0) refused(&p, p.path, "differ");
        assert_int_equal(truncate(p.path, i ? 200 : size_at(CHECKPOINT) - 1), 0);
        refused(&p, p.path, "shorter");
        place_end(&p);
    }
}

static void other_results_are_told(void **state)
{
    (void)state;
    struct place p;
    struct wr_error error = {0};
    place_begin(&p, ".csv");
    die(&p, p.path);
    struct wr_sink *sink = opened(&p, 0, p.path, true);
    assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
    give(sink, CHECKPOINT, CHECKPOINT + 10);
    give(sink, CHECKPOINT + 9, END);
    assert_int_equal(p.task.error.status, WR_ERR_STATE);
    assert_non_null(strstr(p.task.error.message, "other results"));
    wr_sink_close(sink);
    wr_sink_free(sink);
    assert_int_equal(size_of(p.path), size_at(NOTED));
    place_end(&p);
    place_begin(&p, ".csv");
    die(&p, p.path);
    sink = opened(&p, 0, p.path, true);
    assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
    give(sink, CHECKPOINT, NOTED - 1);
    wr_sink_close(sink);
    wr_sink_free(sink);
    assert_int_equal(p.task.error.status, WR_ERR_STATE);
    assert_non_null(strstr(p.task.error.message, "fewer results"));
    place_end(&p);
}

/* What went through a function or a pipe cannot be cut: what was not noted comes twice, all else once. */
static void streams_repeat_only_what_was_not_noted(void **state)
{
    (void)state;
    struct place p;
    struct wr_error error = {0};
    struct wr_buf wanted = {0};
    place_begin(&p, ".csv");
    die(&p, NULL);
    struct wr_sink *sink = opened(&p, 0, NULL, true);
    bool ahead;
    assert_int_equal(resume(&p, sink, &ahead, &error), WR_OK);
    assert_true(ahead);
    give(sink, CHECKPOINT, END);
    mark(&p, sink);
    wr_sink_close(sink);
    wr_sink_free(sink);
    whole(&wanted, 0, WRITTEN);
    whole(&wanted, NOTED, END);
    assert_string_equal(wr_buf_cstr(&p.taken), wr_buf_cstr(&wanted));
    refused(&p, p.path, "file");
    wr_buf_release(&wanted);
    place_end(&p);
}

/* A run that dies again before it has come to the published position: with and without a checkpoint on its way. */
static void a_run_may_die_again_and_again(void **state)
{
    (void)state;
    struct place p;
    struct wr_error error = {0};
    place_begin(&p, ".csv");
    die(&p, p.path);
    for (int i = 0; i < 3; i++) {
        struct wr_sink *sink = opened(&p, 0, p.path, true);
        assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
        give(sink, CHECKPOINT, CHECKPOINT + 30);
        note(&p, sink); /* what was published stays published */
        wr_sink_free(sink);
        assert_int_equal(size_of(p.path), size_at(NOTED));
    }
    struct wr_sink *sink = opened(&p, 0, p.path, true);
    assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
    give(sink, CHECKPOINT, CHECKPOINT + 30);
    mark(&p, sink);
    note(&p, sink);
    wr_sink_free(sink);
    sink = opened(&p, 0, p.path, true);
    bool ahead;
    assert_int_equal(resume(&p, sink, &ahead, &error), WR_OK);
    assert_true(ahead);
    give(sink, CHECKPOINT + 30, END);
    wr_sink_close(sink);
    wr_sink_free(sink);
    assert_string_equal(p.task.error.message, "");
    content_is(p.path, END);
    place_end(&p);
}

static void outputs_are_known_by_their_names(void **state)
{
    (void)state;
    struct place p;
    struct wr_error error = {0};
    place_begin(&p, ".csv");
    die(&p, p.path);
    struct wr_sink *sink = opened(&p, 1, p.other, true);
    assert_int_equal(resume(&p, sink, NULL, &error), WR_ERR_STATE);
    assert_non_null(strstr(error.message, "first in "));
    wr_sink_free(sink);
    assert_int_equal(size_of(p.other), -1);
    sink = opened(&p, 1, p.other, true);
    struct wr_sink_resume how = {.marks = wr_buf_slice(&p.marks), .published = wr_published_open(p.directory, &error),
                                 .run = RUN, .fresh = true, .told = told, .context = &p};
    assert_int_equal(wr_sink_resume(sink, &how, &error), WR_OK);
    give(sink, 0, 10);
    wr_sink_close(sink);
    wr_sink_free(sink);
    content_is(p.other, 10);
    wr_published_close(how.published);
    place_end(&p);
}

static void many_sinks_share_a_journal(void **state)
{
    (void)state;
    enum { SINKS = 2 };
    struct place p;
    struct wr_error error = {0};
    struct wr_sink *sink[SINKS];
    place_begin(&p, ".csv");
    for (uint32_t i = 0; i < SINKS; i++) {
        sink[i] = opened(&p, i, i ? p.other : p.path, false);
        assert_int_equal(wr_sink_mark(sink[i], &p.marks, &error), WR_OK);
        give(sink[i], 0, i ? NOTED : CHECKPOINT);
    }
    struct wr_published *journal = wr_published_open(p.directory, &error);
    assert_int_equal(wr_published_note(journal, RUN, sink, SINKS, &error), WR_OK);
    wr_published_close(journal);
    for (uint32_t i = 0; i < SINKS; i++) {
        give(sink[i], i ? NOTED : CHECKPOINT, WRITTEN);
        wr_sink_free(sink[i]);
        struct wr_sink *again = opened(&p, i, i ? p.other : p.path, true);
        assert_int_equal(resume(&p, again, NULL, &error), WR_OK);
        assert_int_equal(size_of(i ? p.other : p.path), size_at(i ? NOTED : CHECKPOINT));
        give(again, 0, END);
        wr_sink_free(again);
        assert_string_equal(p.task.error.message, "");
    }
    place_end(&p);
}

static void digests_are_xxh64_and_may_be_saved(void **state)
{
    (void)state;
    char text[300];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + 3);
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct wr_digest first, second;
        wr_digest_init(&first);
        wr_digest_add(&first, wr_slice_of(text, cut));
        memcpy(&second, &first, sizeof first);
        wr_digest_add(&second, wr_slice_of(text + cut, sizeof text - cut));
        assert_true(wr_digest_value(&first) == wr_xxh64(text, cut, 0));
        assert_true(wr_digest_value(&second) == wr_xxh64(text, sizeof text, 0));
    }
}

#ifdef WR_FAULTS
static void what_was_not_written_is_not_published(void **state)
{
    (void)state;
    struct place p;
    struct wr_error error = {0};
    place_begin(&p, ".csv");
    struct wr_sink *sink = opened(&p, 0, p.path, false);
    mark(&p, sink);
    give(sink, 0, CHECKPOINT);
    mark(&p, sink);
    wr_fault_fail_at(WR_FAULT_FILE, 3, 1000);
    give(sink, CHECKPOINT, END);
    wr_fault_fail_at(WR_FAULT_FILE, 0, 0);
    assert_int_equal(p.task.error.status, WR_ERR_IO);
    note(&p, sink);
    wr_sink_free(sink);
    p.task.error = (struct wr_error){0};
    wr_fault_fail_at(WR_FAULT_FILE, 1, 1);
    struct wr_published *journal = wr_published_open(p.directory, &error);
    assert_int_equal(wr_published_note(journal, RUN, NULL, 0, &error), WR_ERR_IO);
    wr_published_close(journal);
    wr_fault_fail_at(WR_FAULT_FILE, 0, 0);
    sink = opened(&p, 0, p.path, true);
    assert_int_equal(resume(&p, sink, NULL, &error), WR_OK);
    assert_int_equal(p.told.size, 0);
    give(sink, CHECKPOINT, END);
    wr_sink_close(sink);
    wr_sink_free(sink);
    content_is(p.path, END);
    place_end(&p);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_that_of_an_undisturbed_run),
        cmocka_unit_test(up_to_the_published_position_nothing_is_written),
        cmocka_unit_test(torn_slots_leave_the_other),
        cmocka_unit_test(damaged_and_lost_tails_are_cut_back_to_the_checkpoint),
        cmocka_unit_test(other_files_are_refused_and_left_alone),
        cmocka_unit_test(other_results_are_told),
        cmocka_unit_test(streams_repeat_only_what_was_not_noted),
        cmocka_unit_test(a_run_may_die_again_and_again),
        cmocka_unit_test(outputs_are_known_by_their_names),
        cmocka_unit_test(many_sinks_share_a_journal),
        cmocka_unit_test(digests_are_xxh64_and_may_be_saved),
#ifdef WR_FAULTS
        cmocka_unit_test(what_was_not_written_is_not_published),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
