/* The saver: with a thread and without, the same is in the store; failures are told once and stay. */
#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/saver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static char scratch[64];
static unsigned scratch_count;

static struct wr_store *open_store(const char *path)
{
    struct wr_store_options options = {.directory = path, .volatile_ = true};
    struct wr_store *store;
    struct wr_error error = {0};
    if (wr_store_open(&options, &store, &error) != WR_OK) fail_msg("%s", error.message);
    return store;
}

static const char *new_path(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/d%u", scratch, scratch_count++);
    return path;
}

static void fill_segment(struct wr_buf *out, uint64_t number, size_t size)
{
    wr_buf_clear(out);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = wr_mix64(number * 1000003 + i);
        wr_buf_add(out, &word, WR_MIN(size - i, sizeof word));
    }
}

static void give_segments(struct wr_saver *saver, uint64_t first, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        struct wr_buf bytes = {0};
        fill_segment(&bytes, first + i, size);
        wr_saver_segment(saver, first + i, &bytes);
        if (bytes.data) memset(bytes.data, 0x78, bytes.capacity); /* the buffer is ours again, whichever it is */
        wr_buf_release(&bytes);
    }
}

/* What is handed over is overwritten as soon as the call returns. */
static void give_commit(struct wr_saver *saver, uint64_t next, uint64_t keep_from, uint64_t epoch)
{
    char record[32], op[] = "operator", key[] = "key", value[] = "value", gone[] = "gone";
    snprintf(record, sizeof record, "epoch %u", (unsigned)epoch);
    struct wr_cold_entry cold[] = {{wr_slice_cstr(op), wr_slice_cstr(key), wr_slice_cstr(value), 77, 1},
                                   {wr_slice_cstr(op), wr_slice_cstr(gone), {0}, 0, 0}};
    struct wr_store_commit c = {.first_number = next, .record = wr_slice_cstr(record), .program = wr_slice_cstr(record),
                                .keep_from = keep_from, .epoch = epoch, .cold_count = 2, .cold = cold};
    wr_saver_commit(saver, &c);
    memset(record, 'x', sizeof record);
    memset(value, 'x', sizeof value);
    memset(cold, 0, sizeof cold);
}

static void assert_stored(struct wr_store *store, uint64_t first, uint64_t last, size_t size, const char *record)
{
    struct wr_error error = {0};
    struct wr_buf out = {0}, want = {0};
    uint64_t got_first, got_last;
    struct wr_stored cold;
    assert_int_equal(wr_store_segments(store, &got_first, &got_last, &error), WR_OK);
    assert_int_equal(got_first, first);
    assert_int_equal(got_last, last);
    for (uint64_t n = first; n <= last; n++) {
        if (wr_store_read(store, n, &out, &error) != WR_OK) fail_msg("%s", error.message);
        fill_segment(&want, n, size);
        assert_true(wr_slice_equal(wr_buf_slice(&out), wr_buf_slice(&want)));
    }
    assert_int_equal(wr_store_record(store, &out, &error), WR_OK);
    assert_string_equal(wr_buf_cstr(&out), record);
    assert_int_equal(wr_store_program(store, &out, &error), WR_OK);
    assert_string_equal(wr_buf_cstr(&out), record);
    assert_int_equal(wr_store_cold_find(store, WR_SLICE("operator"), WR_SLICE("key"), &cold, &out, &error), WR_OK);
    assert_true(wr_slice_equal(cold.value, WR_SLICE("value")));
    assert_int_equal(cold.wake, 77);
    wr_buf_release(&out);
    wr_buf_release(&want);
}

static int syncs;

static enum wr_status count_sync(void *context, struct wr_error *error)
{
    WR_UNUSED(error);
    assert_ptr_equal(context, &syncs);
    syncs++;
    return WR_OK;
}

static enum wr_status fail_sync(void *context, struct wr_error *error)
{
    WR_UNUSED(context);
    return wr_error_set(error, WR_ERR_IO, "out.jsonl: No space left on device");
}

static void checkpoints_follow_one_another(void **state)
{
    WR_UNUSED(state);
    for (int thread = 0; thread < 2; thread++) {
        const char *path = new_path();
        struct wr_store *store = open_store(path);
        struct wr_saver *saver = wr_saver_start(store, thread, count_sync, &syncs);
        struct wr_saved saved;
        uint64_t next = 1;
        syncs = 0;
        assert_false(wr_saver_poll(saver, true, &saved)); /* nothing was handed over */
        for (uint64_t epoch = 1; epoch <= 20; epoch++) {
            size_t count = epoch == 7 ? 400 : epoch == 9 ? 0 : 3; /* the seventh goes in several transactions */
            give_segments(saver, next, count, 200000);
            next += count;
            give_commit(saver, next, epoch > 10 ? next - 3 : 1, epoch);
            if (epoch % 2) while (!wr_saver_poll(saver, false, &saved)) {}
            assert_true(wr_saver_poll(saver, true, &saved));
            if (!saved.done) fail_msg("%s", saved.error.message);
            assert_int_equal(saved.epoch, epoch);
            assert_int_equal(saved.bytes, count * 200000);
            assert_int_equal(wr_saver_waiting(saver), 0);
            assert_int_equal(syncs, epoch);
        }
        wr_saver_stop(saver);
        assert_stored(store, next - 3, next - 1, 200000, "epoch 20");
        wr_store_close(store);
        store = open_store(path);
        assert_stored(store, next - 3, next - 1, 200000, "epoch 20");
        wr_store_close(store);
    }
    wr_saver_stop(NULL);
}

static void stopping_finishes_what_is_whole_and_drops_the_rest(void **state)
{
    WR_UNUSED(state);
    for (int thread = 0; thread < 2; thread++) {
        const char *path = new_path();
        struct wr_store *store = open_store(path);
        struct wr_saver *saver = wr_saver_start(store, thread, NULL, NULL);
        give_segments(saver, 1, 5, 100000);
        give_commit(saver, 6, 1, 1);
        give_segments(saver, 6, 500, 200000); /* begun, partly written, not ended */
        wr_saver_stop(saver);
        assert_stored(store, 1, 5, 100000, "epoch 1");
        saver = wr_saver_start(store, thread, NULL, NULL); /* the same numbers again */
        give_segments(saver, 6, 2, 100000);
        give_commit(saver, 8, 2, 2);
        wr_saver_stop(saver);
        assert_stored(store, 2, 7, 100000, "epoch 2");
        wr_store_close(store);
    }
}

static void a_failure_is_told_and_stays(void **state)
{
    WR_UNUSED(state);
    for (int thread = 0; thread < 2; thread++) {
        struct wr_store *store = open_store(new_path());
        struct wr_saver *saver = wr_saver_start(store, thread, NULL, NULL);
        struct wr_saved saved;
        give_segments(saver, 1, 2, 1000);
        give_commit(saver, 3, 1, 1);
        assert_true(wr_saver_poll(saver, true, &saved) && saved.done);
        wr_saver_stop(saver);
        saver = wr_saver_start(store, thread, fail_sync, NULL);
        give_segments(saver, 3, 2, 1000);
        give_commit(saver, 5, 1, 2);
        assert_true(wr_saver_poll(saver, true, &saved));
        assert_false(saved.done);
        assert_int_equal(saved.error.status, WR_ERR_IO);
        assert_string_equal(saved.error.message, "out.jsonl: No space left on device");
        give_segments(saver, 5, 2000, 200000); /* nobody writes them, nobody waits */
        give_commit(saver, 2005, 1, 3);
        assert_true(wr_saver_poll(saver, true, &saved));
        assert_false(saved.done);
        wr_saver_stop(saver);
        assert_stored(store, 1, 2, 1000, "epoch 1");
        wr_store_close(store);
    }
}

static int setup(void **state)
{
    WR_UNUSED(state);
    snprintf(scratch, sizeof scratch, "/tmp/weir-test-saver-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int teardown(void **state)
{
    WR_UNUSED(state);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command);
}

/* ---- Look-ups beside the writer ---------------------------------------------------------------------- */

enum { COLD_KEYS = 300, COLD_EPOCHS = 60 };

/* The checkpoint up to `epoch` that wrote the key last; each writes a third of them. 0: none. */
static uint64_t written_by(uint32_t key, uint64_t epoch)
{
    uint64_t before = (key + epoch) % 3;
    return epoch > before ? epoch - before : 0;
}

static void fill_value(struct wr_buf *out, uint32_t key, uint64_t epoch)
{
    fill_segment(out, key * 1000 + epoch, 100 + 80 * epoch);
}

static void give_cold(struct wr_saver *saver, uint64_t epoch)
{
    struct wr_cold_entry cold[COLD_KEYS];
    struct wr_buf value[COLD_KEYS] = {{0}};
    uint32_t key[COLD_KEYS];
    size_t count = 0;
    for (uint32_t i = 0; i < COLD_KEYS; i++) {
        key[i] = i;
        if (written_by(i, epoch) != epoch) continue;
        fill_value(&value[i], i, epoch);
        cold[count++] = (struct wr_cold_entry){WR_SLICE("operator"), wr_slice_of((const char *)&key[i], sizeof key[i]),
                                               wr_buf_slice(&value[i]), (int64_t)((i * 7 + epoch) % 40), i};
    }
    give_segments(saver, epoch, 1, 120000);
    struct wr_store_commit c = {.first_number = epoch + 1, .record = WR_SLICE("record"), .program = WR_SLICE("program"),
                                .keep_from = 1, .epoch = epoch, .cold_count = count, .cold = cold};
    wr_saver_commit(saver, &c);
    for (uint32_t i = 0; i < COLD_KEYS; i++) wr_buf_release(&value[i]);
}

/* What stands there is of the last checkpoint, or of the one that is being written. */
static void assert_of(const struct wr_stored *cold, uint64_t epoch)
{
    struct wr_buf want = {0};
    uint32_t key;
    assert_int_equal(cold->key.size, sizeof key);
    memcpy(&key, cold->key.data, sizeof key);
    assert_true(cold->epoch == written_by(key, epoch) || cold->epoch == written_by(key, epoch - 1));
    assert_int_equal(cold->wake, (key * 7 + cold->epoch) % 40);
    fill_value(&want, key, cold->epoch);
    assert_true(wr_slice_equal(cold->value, wr_buf_slice(&want)));
    wr_buf_release(&want);
}

static void look(struct wr_store *store, uint64_t epoch, uint64_t random)
{
    uint32_t key = (uint32_t)(wr_mix64(random) % COLD_KEYS);
    struct wr_buf out = {0};
    struct wr_error error = {0};
    struct wr_stored cold;
    enum wr_status status = wr_store_cold_find(store, WR_SLICE("operator"), wr_slice_of((const char *)&key, sizeof key), &cold,
                                               &out, &error);
    if (status != WR_OK && status != WR_END) fail_msg("%s", error.message);
    if (status == WR_OK) assert_of(&cold, epoch);
    else assert_int_equal(written_by(key, epoch - 1), 0);
    if (random % 8 == 0) {
        struct wr_cold_place place = {0};
        size_t met = 0;
        wr_buf_clear(&out);
        status = wr_store_cold_due(store, WR_SLICE("operator"), (int64_t)(random % 40), 30, &place, &out, &error);
        if (status != WR_OK) fail_msg("%s", error.message);
        for (struct wr_slice in = wr_buf_slice(&out); in.size; met++) {
            assert_true(wr_store_cold_next(&in, &cold) && cold.wake <= (int64_t)(random % 40));
            assert_of(&cold, epoch);
        }
        assert_true(met <= 30);
    }
    wr_buf_release(&out);
}

/* The map is small and grows under the one that looks; the build with MODE=tsan sees what both touch. */
static void keys_are_looked_up_while_the_thread_writes(void **state)
{
    WR_UNUSED(state);
    struct wr_store_options options = {.directory = new_path(), .volatile_ = true, .map_bytes = 1 << 20};
    struct wr_store *store;
    struct wr_error error = {0};
    if (wr_store_open(&options, &store, &error) != WR_OK) fail_msg("%s", error.message);
    struct wr_saver *saver = wr_saver_start(store, true, NULL, NULL);
    struct wr_saved saved = {0};
    uint64_t random = 1, beside = 0;
    for (uint64_t epoch = 1; epoch <= COLD_EPOCHS; epoch++) {
        give_cold(saver, epoch);
        for (; !wr_saver_poll(saver, false, &saved); beside++) look(store, epoch, random++);
        if (!saved.done) fail_msg("%s", saved.error.message);
        for (size_t i = 0; i < 20; i++) look(store, epoch, random++);
    }
    assert_true(beside > 0);
    wr_saver_stop(saver);
    struct wr_store_size size;
    assert_int_equal(wr_store_measure(store, &size, &error), WR_OK);
    assert_true(size.file_bytes > 4 << 20 && size.cold_entries == COLD_KEYS);
    wr_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoints_follow_one_another),
        cmocka_unit_test(stopping_finishes_what_is_whole_and_drops_the_rest),
        cmocka_unit_test(a_failure_is_told_and_stays),
        cmocka_unit_test(keys_are_looked_up_while_the_thread_writes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
