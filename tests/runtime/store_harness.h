/* What the tests of the store share: scratch directories, segments whose bytes follow from their numbers, comparisons. */
#ifndef WR_TESTS_RUNTIME_STORE_HARNESS_H
#define WR_TESTS_RUNTIME_STORE_HARNESS_H

#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char scratch[64];
static unsigned scratch_count;

/* A path that is not there yet. */
static inline const char *new_path(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/d%u", scratch, scratch_count++);
    return path;
}

static inline struct wr_store *open_store(const char *path, bool read_only)
{
    struct wr_store_options options = {.directory = path, .read_only = read_only, .volatile_ = true};
    struct wr_store *store;
    struct wr_error error = {0};
    if (wr_store_open(&options, &store, &error) != WR_OK) fail_msg("%s", error.message);
    return store;
}

static inline void assert_refused(struct wr_store_options options, enum wr_status want, const char *words)
{
    struct wr_store *store;
    struct wr_error error = {0};
    assert_int_equal(wr_store_open(&options, &store, &error), want);
    assert_null(store);
    if (!strstr(error.message, words)) fail_msg("'%s' does not say '%s'", error.message, words);
}

/* A segment's bytes as a function of its number and a seed. */
static inline void fill_segment(struct wr_buf *out, uint64_t number, uint64_t seed, size_t size)
{
    wr_buf_clear(out);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = wr_mix64(number * 1000003 + seed * 7919 + i);
        wr_buf_add(out, &word, WR_MIN(size - i, sizeof word));
    }
}

static inline void commit(struct wr_store *store, uint64_t first, size_t count, size_t size, uint64_t keep_from, uint64_t epoch)
{
    struct wr_buf bytes[64] = {{0}};
    struct wr_slice segment[64];
    char record[32];
    struct wr_error error = {0};
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++) {
        fill_segment(&bytes[i], first + i, 0, size);
        segment[i] = wr_buf_slice(&bytes[i]);
    }
    snprintf(record, sizeof record, "epoch %u", (unsigned)epoch);
    struct wr_store_commit c = {.first_number = first, .segment_count = count, .segment = segment,
                                .record = wr_slice_cstr(record), .keep_from = keep_from, .epoch = epoch};
    if (wr_store_commit(store, &c, &error) != WR_OK) fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++) wr_buf_release(&bytes[i]);
}

static inline void assert_record(struct wr_store *store, const char *want)
{
    struct wr_buf out = {0};
    struct wr_error error = {0};
    if (wr_store_record(store, &out, &error) != WR_OK) fail_msg("%s", error.message);
    assert_string_equal(wr_buf_cstr(&out), want);
    wr_buf_release(&out);
}

/* The segments that count are first..last and hold what fill_segment gave them. */
static inline void assert_segments(struct wr_store *store, uint64_t first, uint64_t last, size_t size)
{
    uint64_t got_first, got_last;
    struct wr_buf want = {0}, got = {0};
    struct wr_error error = {0};
    assert_int_equal(wr_store_segments(store, &got_first, &got_last, &error), WR_OK);
    assert_int_equal(got_first, first);
    assert_int_equal(got_last, last);
    for (uint64_t n = first; n <= last; n++) {
        if (wr_store_read(store, n, &got, &error) != WR_OK) fail_msg("%s", error.message);
        fill_segment(&want, n, 0, size);
        assert_true(wr_slice_equal(wr_buf_slice(&want), wr_buf_slice(&got)));
    }
    assert_int_equal(wr_store_read(store, last + 1, &got, &error), WR_END);
    if (first > 1) assert_int_equal(wr_store_read(store, first - 1, &got, &error), WR_END);
    wr_buf_release(&want);
    wr_buf_release(&got);
}

/* Runs fn in a process of its own; its exit status. */
static inline int in_child(int (*fn)(const char *path), const char *path)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) { /* a crash is to be one, and not what cmocka makes of it */
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        signal(SIGFPE, SIG_DFL);
        signal(SIGILL, SIG_DFL);
        _exit(fn(path));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void write_file(const char *directory, const char *name, const char *text)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline int setup(void **state)
{
    WR_UNUSED(state);
    snprintf(scratch, sizeof scratch, "/tmp/weir-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int teardown(void **state)
{
    WR_UNUSED(state);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command);
}

#endif
