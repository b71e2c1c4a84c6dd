/* The store: what is committed is there, what is not is not; who may open what; what is damaged is never handed out. */
#include "runtime/store_harness.h"

#include "runtime/store_internal.h"

#include <lmdb.h>

static void a_new_store_is_empty(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    for (int round = 0; round < 3; round++) {
        struct wr_store *store = open_store(path, round == 2);
        assert_record(store, "");
        assert_segments(store, 1, 0, 0);
        struct wr_store_size size;
        struct wr_error error = {0};
        assert_int_equal(wr_store_measure(store, &size, &error), WR_OK);
        assert_int_equal(size.segments, 0);
        assert_int_equal(size.cold_entries, 0);
        assert_true(size.file_bytes >= size.used_bytes && size.used_bytes > 0);
        assert_int_equal(wr_store_verify(store, NULL, NULL, &error), WR_OK);
        wr_store_close(store);
    }
    struct stat st;
    char file[160];
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    wr_store_close(NULL);
}

static void what_is_committed_is_there_after_reopening(void **state)
{
    WR_UNUSED(state);
    const size_t sizes[] = {1, 100, 1999, 2000, 2001, 4072, 4073, 100000, WR_SEGMENT_BYTES};
    for (size_t s = 0; s < WR_COUNT(sizes); s++) {
        const char *path = new_path();
        struct wr_store *store = open_store(path, false);
        uint64_t next = 1, keep = 1;
        for (uint64_t epoch = 1; epoch <= 6; epoch++) {
            char record[32];
            if (epoch > 2) keep += 2;
            commit(store, next, 3, sizes[s], keep, epoch);
            next += 3;
            snprintf(record, sizeof record, "epoch %u", (unsigned)epoch);
            assert_record(store, record);
            assert_segments(store, keep, next - 1, sizes[s]);
            wr_store_close(store);
            store = open_store(path, false);
            assert_record(store, record);
            assert_segments(store, keep, next - 1, sizes[s]);
        }
        commit(store, next, 0, 0, next, 7); /* nothing counts any more */
        assert_segments(store, next, next - 1, 0);
        commit(store, next, 2, sizes[s], next, 8);
        assert_segments(store, next, next + 1, sizes[s]);
        wr_store_close(store);
    }
}

static void segments_of_an_unfinished_checkpoint_go(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_store *store = open_store(path, false);
    struct wr_buf bytes = {0}, out = {0};
    struct wr_error error = {0};
    commit(store, 1, 2, 5000, 1, 1);
    for (uint64_t n = 3; n <= 6; n++) {
        fill_segment(&bytes, n, 99, 300000);
        struct wr_slice segment = wr_buf_slice(&bytes);
        assert_int_equal(wr_store_append(store, n, &segment, 1, &error), WR_OK);
        uint64_t first, last;
        assert_int_equal(wr_store_segments(store, &first, &last, &error), WR_OK);
        assert_int_equal(last, 2);
    }
    wr_store_close(store);
    store = open_store(path, true); /* a reader sees them, and does not count them */
    struct wr_store_size size;
    assert_int_equal(wr_store_measure(store, &size, &error), WR_OK);
    assert_int_equal(size.segments, 6);
    assert_record(store, "epoch 1");
    wr_store_close(store);
    store = open_store(path, false);
    assert_int_equal(wr_store_measure(store, &size, &error), WR_OK);
    assert_int_equal(size.segments, 2);
    assert_int_equal(wr_store_read(store, 3, &out, &error), WR_END);
    commit(store, 3, 1, 5000, 1, 2);
    assert_segments(store, 1, 3, 5000);
    /* Begun and begun anew, without closing. */
    struct wr_slice segment = wr_buf_slice(&bytes);
    assert_int_equal(wr_store_append(store, 4, &segment, 1, &error), WR_OK);
    assert_int_equal(wr_store_append(store, 5, &segment, 1, &error), WR_OK);
    commit(store, 4, 1, 5000, 2, 3);
    assert_segments(store, 2, 4, 5000);
    /* Appended, then ended with none of its own. */
    fill_segment(&bytes, 5, 0, 5000);
    segment = wr_buf_slice(&bytes);
    assert_int_equal(wr_store_append(store, 5, &segment, 1, &error), WR_OK);
    commit(store, 6, 0, 0, 3, 4);
    assert_segments(store, 3, 5, 5000);
    wr_store_close(store);
    wr_buf_release(&bytes);
    wr_buf_release(&out);
}

static void the_program_stays_until_another_comes(void **state)
{
    WR_UNUSED(state);
    struct wr_store *store = open_store(new_path(), false);
    struct wr_buf out = {0}, program = {0};
    struct wr_error error = {0};
    assert_int_equal(wr_store_program(store, &out, &error), WR_OK);
    assert_int_equal(out.size, 0);
    fill_segment(&program, 7, 7, 123456);
    struct wr_store_commit c = {.first_number = 1, .record = WR_SLICE("r"), .program = wr_buf_slice(&program), .keep_from = 1};
    assert_int_equal(wr_store_commit(store, &c, &error), WR_OK);
    c.program.size = 0;
    assert_int_equal(wr_store_commit(store, &c, &error), WR_OK);
    assert_int_equal(wr_store_program(store, &out, &error), WR_OK);
    assert_true(wr_slice_equal(wr_buf_slice(&out), wr_buf_slice(&program)));
    wr_store_close(store);
    wr_buf_release(&out);
    wr_buf_release(&program);
}

static void a_full_map_is_enlarged(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_store_options options = {.directory = path, .volatile_ = true, .map_bytes = 1 << 20};
    struct wr_store *store;
    struct wr_error error = {0};
    assert_int_equal(wr_store_open(&options, &store, &error), WR_OK);
    for (uint64_t n = 0; n < 8; n++) commit(store, 1 + 20 * n, 20, 200000, 1, n + 1);
    assert_segments(store, 1, 160, 200000);
    wr_store_close(store);
    assert_int_equal(wr_store_open(&options, &store, &error), WR_OK); /* more than map_bytes is there */
    assert_segments(store, 1, 160, 200000);
    commit(store, 161, 20, 200000, 100, 9);
    wr_store_close(store);
}

/* ---- Cold entries -------------------------------------------------------------------------------- */

enum { COLD_KEYS = 400 };

static struct wr_slice cold_key_text(uint64_t i, char *text, size_t *size)
{
    /* Short, empty, just short enough, too long for LMDB, with zeros inside. */
    static const size_t lengths[] = {4, 30, 480, 495, 499, 500, 501, 1000, 70000};
    *size = lengths[i % WR_COUNT(lengths)];
    memset(text, (int)(i % 3), *size);
    uint32_t number = (uint32_t)i;
    memcpy(text, &number, 4);
    return wr_slice_of(text, *size);
}

static uint64_t value_seed[COLD_KEYS]; /* 0: not there */

static struct wr_slice cold_op(uint64_t i)
{
    static char long_op[300];
    memset(long_op, 'o', sizeof long_op);
    return i % 17 == 0 ? wr_slice_of(long_op, sizeof long_op) : i % 2 ? WR_SLICE("operator-1234567") : WR_SLICE("");
}

static size_t visited;

static bool visit(void *context, const struct wr_stored *cold)
{
    const struct wr_slice op = cold->op, key = cold->key, value = cold->value;
    uint64_t epoch = cold->epoch;
    struct wr_buf want = {0};
    uint32_t number;
    memcpy(&number, key.data, 4);
    assert_true(number < COLD_KEYS && value_seed[number]);
    assert_true(wr_slice_equal(op, cold_op(number)));
    assert_int_equal(epoch, value_seed[number]);
    fill_segment(&want, number, epoch, 10 + number * 13);
    assert_true(wr_slice_equal(value, wr_buf_slice(&want)));
    wr_buf_release(&want);
    visited++;
    return context == NULL || visited < *(size_t *)context;
}

/* Some before 1970, some of one time, some never. */
static int64_t wake_of(uint64_t i, uint64_t epoch)
{
    return (i + epoch) % 11 == 0 ? INT64_MAX : ((int64_t)(i * 7 + epoch) % 40 - 20) * 1000;
}

/* A walk by time meets each entry of an operator once, in order, as far as it is to go; in steps of any length. */
static void assert_due(struct wr_store *store)
{
    struct wr_error error = {0};
    struct wr_buf out = {0};
    for (uint64_t which = 0; which < 3; which++)
        for (uint32_t most = 1; most < 200; most += 67) {
            struct wr_slice op = cold_op(which == 2 ? 0 : which + 1), in;
            struct wr_cold_place place = {0};
            const int64_t until = most == 1 ? 5000 : INT64_MAX;
            size_t expected = 0, met = 0;
            int64_t wake = INT64_MIN;
            uint64_t order = 0;
            for (uint64_t i = 0; i < COLD_KEYS; i++)
                expected += value_seed[i] && wr_slice_equal(cold_op(i), op) && wake_of(i, value_seed[i]) <= until;
            do {
                struct wr_stored cold;
                wr_buf_clear(&out);
                if (wr_store_cold_due(store, op, until, most, &place, &out, &error) != WR_OK) fail_msg("%s", error.message);
                for (in = wr_buf_slice(&out); in.size; met++) {
                    uint32_t number;
                    assert_true(wr_store_cold_next(&in, &cold));
                    memcpy(&number, cold.key.data, 4);
                    assert_true(wr_slice_equal(cold.op, op) && cold.wake <= until);
                    assert_int_equal(cold.wake, wake_of(number, value_seed[number]));
                    assert_true(cold.wake > wake || (cold.wake == wake && cold.order > order));
                    wake = cold.wake;
                    order = cold.order;
                }
            } while (out.size);
            assert_int_equal(met, expected);
        }
    wr_buf_release(&out);
}

static void assert_cold(struct wr_store *store)
{
    static char text[70000];
    struct wr_buf out = {0}, want = {0};
    struct wr_error error = {0};
    size_t there = 0;
    for (uint64_t i = 0; i < COLD_KEYS; i++) {
        size_t size;
        struct wr_stored cold;
        struct wr_slice key = cold_key_text(i, text, &size);
        enum wr_status status = wr_store_cold_find(store, cold_op(i), key, &cold, &out, &error);
        if (status != (value_seed[i] ? WR_OK : WR_END)) fail_msg("%s", error.message);
        if (!value_seed[i]) continue;
        assert_int_equal(cold.epoch, value_seed[i]);
        assert_int_equal(cold.wake, wake_of(i, value_seed[i]));
        assert_int_equal(cold.order, i);
        fill_segment(&want, i, value_seed[i], 10 + i * 13);
        assert_true(wr_slice_equal(cold.value, wr_buf_slice(&want)) && wr_slice_equal(cold.key, key));
        there++;
    }
    visited = 0;
    if (wr_store_cold_visit(store, visit, NULL, &error) != WR_OK) fail_msg("%s", error.message);
    assert_int_equal(visited, there);
    struct wr_store_size measure;
    assert_int_equal(wr_store_measure(store, &measure, &error), WR_OK);
    assert_int_equal(measure.cold_entries, there);
    size_t three = 3;
    visited = 0;
    assert_int_equal(wr_store_cold_visit(store, visit, &three, &error), WR_OK);
    assert_int_equal(visited, WR_MIN(three, there));
    assert_due(store);
    wr_buf_release(&out);
    wr_buf_release(&want);
}

static void cold_entries_are_found_replaced_and_go(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_store *store = open_store(path, false);
    uint64_t random = 1;
    memset(value_seed, 0, sizeof value_seed);
    for (uint64_t epoch = 1; epoch <= 30; epoch++) {
        struct wr_cold_entry cold[64];
        struct wr_buf values[64] = {{0}};
        static char texts[64][70000];
        struct wr_error error = {0};
        for (size_t i = 0; i < 64; i++) {
            uint64_t n = wr_mix64(random++) % COLD_KEYS;
            size_t size;
            bool goes = wr_mix64(random++) % 3 == 0;
            cold[i] = (struct wr_cold_entry){.op = cold_op(n), .key = cold_key_text(n, texts[i], &size)};
            value_seed[n] = goes ? 0 : epoch;
            if (goes) continue;
            cold[i].wake = wake_of(n, epoch);
            cold[i].order = n;
            fill_segment(&values[i], n, epoch, 10 + n * 13);
            cold[i].value = wr_buf_slice(&values[i]);
        }
        struct wr_cold_due due = {cold_op(1), epoch % 8 ? 4000 : 3999}; /* those of that very time, and none behind it */
        struct wr_store_commit c = {.first_number = 1, .record = WR_SLICE("r"), .keep_from = 1, .epoch = epoch, .cold_count = 64,
                                    .cold = cold, .due_count = epoch % 4 == 0, .due = &due};
        for (uint64_t n = 0; c.due_count && n < COLD_KEYS; n++)
            if (value_seed[n] && value_seed[n] < epoch && wr_slice_equal(cold_op(n), due.op) &&
                wake_of(n, value_seed[n]) <= due.until)
                value_seed[n] = 0;
        if (wr_store_commit(store, &c, &error) != WR_OK) fail_msg("%s", error.message);
        for (size_t i = 0; i < 64; i++) wr_buf_release(&values[i]);
        assert_cold(store);
    }
    wr_store_close(store);
    store = open_store(path, true);
    assert_cold(store);
    struct wr_error error = {0};
    if (wr_store_verify(store, NULL, NULL, &error) != WR_OK) fail_msg("%s", error.message);
    wr_store_close(store);
}

/* ---- Who may open what ---------------------------------------------------------------------------- */

static int read_beside(const char *path)
{
    struct wr_store *store = open_store(path, true);
    assert_segments(store, 1, 3, 1000);
    wr_store_close(store);
    return 0;
}

static int refuse_while_held(const char *path)
{
    char words[64];
    snprintf(words, sizeof words, "in use by another weir (process %ld)", (long)getppid());
    assert_refused((struct wr_store_options){.directory = path}, WR_ERR_USAGE, words);
    return 0;
}

static void one_writes_and_others_read(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_store *store = open_store(path, false);
    commit(store, 1, 3, 1000, 1, 1);
    assert_refused((struct wr_store_options){.directory = path}, WR_ERR_USAGE, "already open in this process");
    assert_refused((struct wr_store_options){.directory = path, .read_only = true}, WR_ERR_USAGE, "already open in this process");
    assert_int_equal(in_child(refuse_while_held, path), 0);
    assert_int_equal(in_child(read_beside, path), 0);
    commit(store, 4, 1, 1000, 2, 2);
    wr_store_close(store);
    wr_store_close(open_store(path, false));
}

static void what_is_not_weirs_is_refused(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_store_options write = {.directory = path}, read = {.directory = path, .read_only = true};
    assert_refused(read, WR_ERR_USAGE, "there is no directory");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(read, WR_ERR_USAGE, "there is no state in");
    write_file(path, "letter.txt", "dear");
    assert_refused(write, WR_ERR_STATE, "holds something else ('letter.txt')");
    write_file(path, "data.mdb", "");
    assert_refused(write, WR_ERR_STATE, "data.mdb");
    write_file(path, "data.mdb", "not an environment");
    assert_refused(write, WR_ERR_STATE, "damaged");
    assert_refused(read, WR_ERR_STATE, "damaged");

    path = new_path();
    write_file(scratch, "a-file", "x");
    char inside[192];
    snprintf(inside, sizeof inside, "%s/a-file", scratch);
    assert_refused((struct wr_store_options){.directory = inside}, WR_ERR_USAGE, "cannot be opened: Not a directory");
    snprintf(inside, sizeof inside, "%s/no/such", scratch);
    assert_refused((struct wr_store_options){.directory = inside}, WR_ERR_USAGE, "cannot be made: No such file");
    assert_refused((struct wr_store_options){.directory = "/proc/weir"}, WR_ERR_USAGE, "cannot be made");

    /* The file is gone. */
    wr_store_close(open_store(path, false));
    snprintf(inside, sizeof inside, "%s/data.mdb", path);
    assert_int_equal(unlink(inside), 0);
    assert_refused((struct wr_store_options){.directory = path}, WR_ERR_STATE, "has lost its file 'data.mdb'");
    assert_refused((struct wr_store_options){.directory = path, .read_only = true}, WR_ERR_STATE, "has lost its file");
}

/* Replaces the first entry's form, with the checksum that belongs to it. */
static void write_form(const char *path, unsigned char form, bool whole)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    char bytes[44];
    MDB_val key = {1, "F"}, value;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOTLS, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
    assert_int_equal(value.mv_size, sizeof bytes);
    memcpy(bytes, value.mv_data, sizeof bytes);
    bytes[16] = (char)form;
    if (whole) wr_store_put64(bytes + 36, wr_store_checksum(WR_SLICE("F"), bytes, 36));
    value = (MDB_val){sizeof bytes, bytes};
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void another_form_is_refused(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    wr_store_close(open_store(path, false));
    write_form(path, WR_STORE_FORMAT + 1, true);
    assert_refused((struct wr_store_options){.directory = path}, WR_ERR_STATE, "has form 3, this weir knows form 2");
    write_form(path, WR_STORE_FORMAT, false); /* a checksum that does not belong to it */
    assert_refused((struct wr_store_options){.directory = path}, WR_ERR_STATE, "does not hold its checksum");
    write_form(path, WR_STORE_FORMAT, true);
    wr_store_close(open_store(path, false));
}

static int form_of(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {1, "F"}, value;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOTLS | MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
    int form = ((const unsigned char *)value.mv_data)[16];
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return form;
}

/* Reading, and segments of a checkpoint that is never finished, leave the form as it was. */
static void the_older_form_becomes_this_one_with_a_commit(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_error error = {0};
    struct wr_store *store = open_store(path, false);
    commit(store, 1, 2, 1000, 1, 1);
    wr_store_close(store);
    assert_int_equal(form_of(path), WR_STORE_FORMAT);
    write_form(path, WR_STORE_FORMAT_READ, true);
    wr_store_close(open_store(path, true));
    store = open_store(path, false);
    const struct wr_slice segment = WR_SLICE("of no checkpoint");
    assert_int_equal(wr_store_append(store, 3, &segment, 1, &error), WR_OK);
    wr_store_close(store);
    assert_int_equal(form_of(path), WR_STORE_FORMAT_READ);
    store = open_store(path, false);
    commit(store, 3, 1, 1000, 1, 2);
    wr_store_close(store);
    assert_int_equal(form_of(path), WR_STORE_FORMAT);
    wr_store_close(open_store(path, false));
}

static int open_with_few_addresses(const char *path)
{
    struct rlimit limit = {1u << 30, 1u << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
    struct wr_store *store = open_store(path, false);
    commit(store, 1, 3, 100000, 1, 1);
    assert_segments(store, 1, 3, 100000);
    wr_store_close(store);
    return 0;
}

static void few_addresses_make_a_smaller_map(void **state)
{
    WR_UNUSED(state);
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip(); /* the sanitizer's own shadow wants more addresses than the limit allows */
#endif
    assert_int_equal(in_child(open_with_few_addresses, new_path()), 0);
}

/* A reader that was there before the map grew, and segments that go under it. */
static void a_reader_follows_a_growing_writer(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    struct wr_store_options options = {.directory = path, .volatile_ = true, .map_bytes = 1 << 20};
    struct wr_store *store;
    struct wr_error error = {0};
    int go[2], ready[2];
    char byte = 0;
    wr_store_close(open_store(path, false));
    assert_int_equal(pipe(go) | pipe(ready), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct wr_buf out = {0};
        options.read_only = true;
        if (wr_store_open(&options, &store, &error) != WR_OK) _exit(1);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) _exit(2);
        uint64_t first, last;
        if (wr_store_segments(store, &first, &last, &error) != WR_OK || first != 30 || last != 60) _exit(3);
        if (wr_store_read(store, 29, &out, &error) != WR_END || wr_store_read(store, 60, &out, &error) != WR_OK) _exit(4);
        if (wr_store_verify(store, NULL, NULL, &error) != WR_OK) _exit(5);
        wr_store_close(store);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    if (wr_store_open(&options, &store, &error) != WR_OK) fail_msg("%s", error.message);
    commit(store, 1, 40, 200000, 1, 1);
    commit(store, 41, 20, 200000, 30, 2);
    assert_int_equal(write(go[1], &byte, 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    wr_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_is_empty),
        cmocka_unit_test(what_is_committed_is_there_after_reopening),
        cmocka_unit_test(segments_of_an_unfinished_checkpoint_go),
        cmocka_unit_test(the_program_stays_until_another_comes),
        cmocka_unit_test(a_full_map_is_enlarged),
        cmocka_unit_test(cold_entries_are_found_replaced_and_go),
        cmocka_unit_test(one_writes_and_others_read),
        cmocka_unit_test(what_is_not_weirs_is_refused),
        cmocka_unit_test(another_form_is_refused),
        cmocka_unit_test(the_older_form_becomes_this_one_with_a_commit),
        cmocka_unit_test(few_addresses_make_a_smaller_map),
        cmocka_unit_test(a_reader_follows_a_growing_writer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
