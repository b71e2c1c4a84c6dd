/* The store under faults: kill -9 at any moment, a disk that is full or refuses, every call of LMDB that fails, bytes that
 * change in its file. What counts: the last whole checkpoint is there, nothing wrong is ever handed out, nothing crashes. */
#include "runtime/store_harness.h"

#include "base/fault.h"
#include "runtime/clock.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t n)
{
    return wr_mix64(random_state++) % n;
}

/* ---- A store of many kinds, whose whole content follows from its epoch ------------------------------- */

static size_t segment_size(uint64_t number)
{
    static const size_t sizes[] = {10, 700, 3000, 9000, 70000, WR_SEGMENT_BYTES};
    return sizes[wr_mix64(number) % WR_COUNT(sizes)];
}

static uint64_t first_of(uint64_t epoch) /* the number of an epoch's first segment; each has 4 */
{
    return 4 * (epoch - 1) + 1;
}

static uint64_t keep_of(uint64_t epoch)
{
    return epoch > 5 ? first_of(epoch - 5) : 1;
}

enum { COLD = 40 };

/* A cold key's value at an epoch: it changes at every fifth, and is not there at some. 0: not there. */
static uint64_t cold_epoch(uint64_t key, uint64_t epoch)
{
    while (epoch && (epoch + key) % 5) epoch--;
    return epoch && wr_mix64(key * 1000 + epoch) % 4 ? epoch : 0;
}

static struct wr_slice cold_key(uint64_t key, char text[1200])
{
    size_t size = key % 4 == 3 ? 1000 : 20;
    memset(text, (int)key, size);
    return wr_slice_of(text, size);
}

static enum wr_status write_epoch(struct wr_store *store, uint64_t epoch, struct wr_error *error)
{
    struct wr_buf bytes[4] = {{0}}, values[COLD] = {{0}};
    struct wr_slice segment[4];
    struct wr_cold_entry cold[COLD];
    static char text[COLD][1200];
    char record[32];
    size_t cold_count = 0;
    for (size_t i = 0; i < 4; i++) {
        fill_segment(&bytes[i], first_of(epoch) + i, 0, segment_size(first_of(epoch) + i));
        segment[i] = wr_buf_slice(&bytes[i]);
    }
    for (uint64_t k = 0; k < COLD; k++) {
        if ((epoch + k) % 5) continue;
        cold[cold_count] = (struct wr_cold_entry){WR_SLICE("op"), cold_key(k, text[k]), {0}, (int64_t)(epoch * 3 + k), k};
        if (cold_epoch(k, epoch)) {
            fill_segment(&values[k], k, epoch, 30 + 90 * k);
            cold[cold_count].value = wr_buf_slice(&values[k]);
        }
        cold_count++;
    }
    snprintf(record, sizeof record, "epoch %u", (unsigned)epoch);
    enum wr_status status = WR_OK;
    if (epoch % 3 == 0) status = wr_store_append(store, first_of(epoch), segment, 2, error);
    size_t done = epoch % 3 == 0 ? 2 : 0;
    struct wr_store_commit c = {.first_number = first_of(epoch) + done, .segment_count = 4 - done, .segment = segment + done,
                                .record = wr_slice_cstr(record), .program = wr_slice_cstr(record), .keep_from = keep_of(epoch),
                                .epoch = epoch, .cold_count = cold_count, .cold = cold};
    if (status == WR_OK) status = wr_store_commit(store, &c, error);
    for (size_t i = 0; i < 4; i++) wr_buf_release(&bytes[i]);
    for (size_t i = 0; i < COLD; i++) wr_buf_release(&values[i]);
    return status;
}

static size_t seen_cold;
static bool see_cold(void *context, const struct wr_stored *cold)
{
    const struct wr_slice key = cold->key, value = cold->value;
    uint64_t epoch = cold->epoch;
    struct wr_buf want = {0};
    uint64_t k = (unsigned char)key.data[0];
    bool right = k < COLD && epoch == cold_epoch(k, *(uint64_t *)context);
    if (right) fill_segment(&want, k, epoch, 30 + 90 * k);
    right = right && wr_slice_equal(value, wr_buf_slice(&want));
    wr_buf_release(&want);
    seen_cold += right ? 1 : 1000000;
    return right;
}

/* What a whole reading comes to: the epoch, 0 for an empty store, or a status. wrong: something was handed out that was never
 * written, or something is missing without a word. */
struct reading {
    enum wr_status status;
    uint64_t epoch;
    bool wrong;
    struct wr_error error;
};

static struct reading read_all(struct wr_store *store)
{
    struct reading r = {0};
    struct wr_buf out = {0}, want = {0};
    uint64_t first, last;
    char text[1200], record[32];
    r.status = wr_store_record(store, &out, &r.error);
    if (r.status == WR_OK && out.size && sscanf(wr_buf_cstr(&out), "epoch %lu", &r.epoch) != 1) r.wrong = true;
    if (r.status == WR_OK) r.status = wr_store_segments(store, &first, &last, &r.error);
    if (r.status == WR_OK)
        r.wrong = r.wrong || (r.epoch ? first != keep_of(r.epoch) || last != first_of(r.epoch) + 3 : last != 0);
    for (uint64_t n = first; r.status == WR_OK && !r.wrong && n <= last; n++) {
        r.status = wr_store_read(store, n, &out, &r.error);
        if (r.status != WR_OK) break;
        fill_segment(&want, n, 0, segment_size(n));
        r.wrong = !wr_slice_equal(wr_buf_slice(&out), wr_buf_slice(&want));
    }
    if (r.status == WR_OK) r.status = wr_store_program(store, &out, &r.error);
    snprintf(record, sizeof record, "epoch %u", (unsigned)r.epoch);
    if (r.status == WR_OK && r.epoch) r.wrong = r.wrong || strcmp(wr_buf_cstr(&out), record) != 0;
    size_t there = 0;
    for (uint64_t k = 0; r.status == WR_OK && !r.wrong && k < COLD; k++) {
        struct wr_stored cold = {0};
        uint64_t at = cold_epoch(k, r.epoch);
        there += at != 0;
        r.status = wr_store_cold_find(store, WR_SLICE("op"), cold_key(k, text), &cold, &out, &r.error);
        if (r.status != WR_OK && r.status != WR_END) break;
        r.wrong = (r.status == WR_OK) != (at != 0);
        r.status = WR_OK;
        if (!at) continue;
        fill_segment(&want, k, at, 30 + 90 * k);
        r.wrong = r.wrong || cold.epoch != at || !wr_slice_equal(cold.value, wr_buf_slice(&want));
    }
    seen_cold = 0;
    if (r.status == WR_OK && !r.wrong) r.status = wr_store_cold_visit(store, see_cold, &r.epoch, &r.error);
    if (r.status == WR_OK && !r.wrong) r.wrong = seen_cold != there;
    wr_buf_release(&out);
    wr_buf_release(&want);
    return r;
}

static struct reading open_and_read(const char *path, bool read_only)
{
    struct wr_store_options options = {.directory = path, .volatile_ = true, .read_only = read_only};
    struct wr_store *store;
    struct reading r = {0};
    r.status = wr_store_open(&options, &store, &r.error);
    if (r.status != WR_OK) return r;
    r = read_all(store);
    wr_store_close(store);
    return r;
}

static void assert_epoch(const char *path, uint64_t epoch)
{
    struct reading r = open_and_read(path, false);
    if (r.status != WR_OK) fail_msg("%s", r.error.message);
    assert_false(r.wrong);
    assert_int_equal(r.epoch, epoch);
}

static void write_epochs(const char *path, uint64_t from, uint64_t to)
{
    struct wr_store *store = open_store(path, false);
    struct wr_error error = {0};
    for (uint64_t e = from; e <= to; e++)
        if (write_epoch(store, e, &error) != WR_OK) fail_msg("%s", error.message);
    wr_store_close(store);
}

static void long_churn_leaves_a_file_that_passes(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    uint64_t epoch = 0;
    for (int round = 0; round < 60; round++) {
        uint64_t steps = 1 + random_below(12);
        write_epochs(path, epoch + 1, epoch + steps);
        epoch += steps;
        assert_epoch(path, epoch); /* opening checks all pages */
    }
    struct wr_store *store = open_store(path, true);
    struct wr_store_size size;
    struct wr_error error = {0};
    assert_int_equal(wr_store_measure(store, &size, &error), WR_OK);
    assert_int_equal(size.segments, 24);
    assert_true(size.file_bytes < 8 * size.segment_bytes + (8 << 20)); /* pages are used again */
    assert_int_equal(wr_store_verify(store, NULL, NULL, &error), WR_OK);
    wr_store_close(store);
}

/* ---- Kills -------------------------------------------------------------------------------------------- */

static void killed_at_any_moment_the_last_checkpoint_is_there(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    const char *loops = getenv("WEIR_KILL_LOOPS");
    int count = loops ? atoi(loops) : 40;
    uint64_t epoch = 0;
    for (int i = 0; i < count; i++) {
        int told[2];
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) { /* writes as fast as it can, and tells what is durable */
            struct wr_store_options options = {.directory = path};
            struct wr_store *store;
            struct wr_error error = {0};
            if (wr_store_open(&options, &store, &error) != WR_OK) _exit(1);
            for (uint64_t e = epoch + 1;; e++) {
                if (write_epoch(store, e, &error) != WR_OK) _exit(2);
                if (write(told[1], &e, sizeof e) != sizeof e) _exit(3);
            }
        }
        close(told[1]);
        usleep((useconds_t)random_below(25000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        uint64_t durable = epoch, e;
        while (read(told[0], &e, sizeof e) == sizeof e) durable = e;
        close(told[0]);
        struct reading r = open_and_read(path, false);
        if (r.status != WR_OK) fail_msg("%s", r.error.message);
        assert_false(r.wrong);
        assert_true(r.epoch == durable || r.epoch == durable + 1); /* committed, and killed before it could say so */
        epoch = r.epoch;
    }
}

#ifdef WR_FAULTS

static int write_three(const char *path)
{
    struct wr_store_options options = {.directory = path, .volatile_ = true};
    struct wr_store *store;
    struct wr_error error = {0};
    if (wr_store_open(&options, &store, &error) != WR_OK) return 1;
    struct wr_buf out = {0};
    uint64_t epoch = 0;
    if (wr_store_record(store, &out, &error) != WR_OK) return 2;
    if (out.size && sscanf(wr_buf_cstr(&out), "epoch %lu", &epoch) != 1) return 3;
    wr_buf_release(&out);
    for (uint64_t e = epoch + 1; e <= epoch + 3; e++)
        if (write_epoch(store, e, &error) != WR_OK) return 4;
    wr_store_close(store);
    return 0;
}

static const char *crash_at;
static int crash_while_writing(const char *path)
{
    if (wr_fault_configure(crash_at, NULL)) return 99;
    return write_three(path);
}

static void at_each_named_point(void **state)
{
    WR_UNUSED(state);
    for (size_t i = 0; wr_fault_name(i); i++) {
        const char *name = wr_fault_name(i), *path = new_path();
        if (strncmp(name, "store.", 6) != 0 && strncmp(name, "open.", 5) != 0) continue;
        int kills = 0;
        uint64_t before = 0;
        for (unsigned turn = 1; turn <= 40; turn++) {
            char text[64];
            snprintf(text, sizeof text, "%s:%u", name, 1 + turn % 7);
            crash_at = text;
            int code = in_child(crash_while_writing, path);
            if (code != 0 && code != 128 + SIGKILL) fail_msg("%s: exit %d", text, code);
            kills += code != 0;
            struct reading r = open_and_read(path, false);
            if (r.status != WR_OK) fail_msg("%s: %s", text, r.error.message);
            assert_false(r.wrong);
            assert_true(r.epoch >= before && r.epoch <= before + 3);
            before = r.epoch;
        }
        bool once_only = strcmp(name, "open.directory_made") == 0 || strcmp(name, "open.environment_made") == 0 ||
                         strcmp(name, "open.before_first_commit") == 0 || strcmp(name, "open.first_commit") == 0 ||
                         strcmp(name, "open.renamed") == 0 || strcmp(name, "open.before_drop") == 0;
        if (!kills && !once_only) fail_msg("%s was never passed", name);
    }
}

/* Points that a store passes once in its life, or after an unfinished checkpoint only. */
static void at_the_points_of_a_first_opening(void **state)
{
    WR_UNUSED(state);
    static const char *const names[] = {"open.directory_made",     "open.locked",       "open.environment_made",
                                        "open.before_first_commit", "open.first_commit", "open.renamed"};
    for (size_t i = 0; i < WR_COUNT(names); i++) {
        const char *path = new_path();
        crash_at = names[i];
        assert_int_equal(in_child(crash_while_writing, path), 128 + SIGKILL);
        struct reading r = open_and_read(path, true); /* a reader finds no state, or an empty one */
        assert_true(r.status == WR_ERR_USAGE || (r.status == WR_OK && !r.wrong && r.epoch == 0));
        assert_int_equal(in_child(write_three, path), 0);
        assert_epoch(path, 3);
    }
    const char *path = new_path();
    assert_int_equal(in_child(write_three, path), 0);
    crash_at = "store.after_append";
    assert_int_equal(in_child(crash_while_writing, path), 128 + SIGKILL);
    crash_at = "open.before_drop";
    assert_int_equal(in_child(crash_while_writing, path), 128 + SIGKILL);
    assert_epoch(path, 5);
}

/* Each call of LMDB fails in turn: an error with words, the last checkpoint stands, and the store can be used on. */
static void each_failing_call_of_lmdb_is_survived(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    write_epochs(path, 1, 6);
    uint64_t epoch = 6, failures = 0;
    struct wr_store *store = open_store(path, false);
    for (uint64_t n = 1;; n++) {
        struct wr_error error = {0};
        wr_fault_fail_at(WR_FAULT_STORE, n, 1);
        enum wr_status status = write_epoch(store, epoch + 1, &error);
        bool all = wr_fault_count(WR_FAULT_STORE) < n;
        wr_fault_fail_at(WR_FAULT_STORE, 0, 0);
        if (all) {
            assert_int_equal(status, WR_OK);
            epoch++;
            break;
        }
        if (status == WR_OK) { /* a call whose failure does no harm: the ending may be left to the next opening */
            epoch++;
        } else {
            failures++;
            assert_true(error.message[0]);
            struct reading r = read_all(store);
            if (r.status != WR_OK) fail_msg("%s", r.error.message);
            assert_true(!r.wrong && r.epoch == epoch);
            assert_int_equal(write_epoch(store, epoch + 1, &error), WR_OK);
            epoch++;
        }
    }
    assert_true(failures > 20);
    wr_store_close(store);
    assert_epoch(path, epoch);
}

static void each_failing_call_at_opening_is_survived(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    for (int fresh = 0; fresh < 2; fresh++) {
        for (uint64_t n = 1;; n++) {
            if (!fresh && n > 1) path = new_path();
            struct wr_store_options options = {.directory = path, .volatile_ = true};
            struct wr_store *store;
            struct wr_error error = {0};
            wr_fault_fail_at(WR_FAULT_STORE, n, 1);
            enum wr_status status = wr_store_open(&options, &store, &error);
            bool all = wr_fault_count(WR_FAULT_STORE) < n;
            wr_fault_fail_at(WR_FAULT_STORE, 0, 0);
            if (status == WR_OK) wr_store_close(store);
            else assert_true(error.message[0] && !store);
            assert_epoch(path, 0);
            if (all) break;
        }
    }
}

#endif

/* ---- Disks ---------------------------------------------------------------------------------------------- */

static int fill_up(const char *path)
{
    struct wr_store_options options = {.directory = path};
    struct wr_store *store;
    struct wr_error error = {0};
    if (wr_store_open(&options, &store, &error) != WR_OK) return 1;
    for (uint64_t e = 1; e < 200; e++) {
        enum wr_status status = write_epoch(store, e, &error);
        if (status == WR_OK) continue;
        if (status != WR_ERR_IO || !error.message[0]) return 2;
        /* The last checkpoint stands, for this store and for the next. */
        struct reading r = read_all(store);
        if (r.status != WR_OK || r.wrong || r.epoch != e - 1) return 3;
        wr_store_close(store);
        if (getenv("WEIR_TEST_SAY")) fprintf(stderr, "%s\n", error.message);
        return strstr(error.message, "is full") ? 50 : strstr(error.message, "limit on the size of files") ? 51 : 4;
    }
    return 5;
}

static int fill_up_to_a_limit(const char *path)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {3000000, 3000000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 6;
    return fill_up(path);
}

static void a_limit_on_file_sizes_is_named(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    assert_int_equal(in_child(fill_up_to_a_limit, path), 51);
    struct reading r = open_and_read(path, false);
    if (r.status != WR_OK) fail_msg("%s", r.error.message);
    assert_true(!r.wrong && r.epoch > 0);
    write_epochs(path, r.epoch + 1, r.epoch + 10);
    assert_epoch(path, r.epoch + 10);
}

/* Needs the right to mount; skipped without. */
static void a_full_disk_is_named_and_room_heals_it(void **state)
{
    WR_UNUSED(state);
    char disk[128], path[160], ballast[160];
    snprintf(disk, sizeof disk, "%s", new_path());
    snprintf(path, sizeof path, "%s/state", disk);
    snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    assert_int_equal(mkdir(disk, 0700), 0);
    for (unsigned spare = 0; spare < 60; spare++) {
        if (mount("none", disk, "tmpfs", 0, "size=6m") != 0) skip();
        /* Some pages short of everything: directories, lock files, the first commit, later ones. */
        int fd = open(ballast, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        struct statvfs fs;
        assert_int_equal(fstatvfs(fd, &fs), 0);
        uint64_t leave = spare < 40 ? spare * 4096 : (uint64_t)(spare - 39) * 130000;
        assert_int_equal(posix_fallocate(fd, 0, (off_t)(fs.f_bavail * fs.f_frsize - leave)), 0);
        int code = in_child(fill_up, path);
        if (code == 1) {
            struct reading r = open_and_read(path, false);
            if (r.status != WR_ERR_IO && r.status != WR_OK) fail_msg("%u: %s", spare, r.error.message);
            if (r.status == WR_ERR_IO && !strstr(r.error.message, "full")) fail_msg("%u: %s", spare, r.error.message);
        } else {
            assert_int_equal(code, 50);
        }
        assert_int_equal(ftruncate(fd, 0), 0); /* room */
        close(fd);
        struct reading r = open_and_read(path, false);
        if (r.status != WR_OK) fail_msg("%u: %s", spare, r.error.message);
        assert_false(r.wrong);
        write_epochs(path, r.epoch + 1, r.epoch + 2);
        assert_epoch(path, r.epoch + 2);
        assert_int_equal(umount(disk), 0);
    }
}

static int open_as_nobody(const char *path)
{
    if (geteuid() == 0 && setuid(65534) != 0) return 7;
    assert_refused((struct wr_store_options){.directory = path}, WR_ERR_USAGE, "Permission denied");
    return 0;
}

static int read_as_nobody(const char *path)
{
    if (geteuid() == 0 && setuid(65534) != 0) return 7;
    struct reading r = open_and_read(path, true);
    if (r.status != WR_OK) fprintf(stderr, "%s\n", r.error.message);
    return r.status != WR_OK || r.wrong || r.epoch != 4;
}

static int refused_as_nobody(const char *path)
{
    if (geteuid() == 0 && setuid(65534) != 0) return 7;
    assert_refused((struct wr_store_options){.directory = path, .read_only = true}, WR_ERR_USAGE, "is being written by process");
    return 0;
}

static void a_directory_that_cannot_be_written(void **state)
{
    WR_UNUSED(state);
    const char *path = new_path();
    char file[160];
    write_epochs(path, 1, 4);
    assert_int_equal(chmod(scratch, 0755), 0);
    assert_int_equal(chmod(path, 0555), 0);
    static const char *const names[] = {"data.mdb", "lock.mdb", "weir.lock"};
    for (size_t i = 0; i < WR_COUNT(names); i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        assert_int_equal(chmod(file, 0444), 0);
    }
    assert_int_equal(in_child(open_as_nobody, path), 0);
    assert_int_equal(in_child(read_as_nobody, path), 0);
    struct wr_store_options options = {.directory = path, .volatile_ = true};
    struct wr_store *store;
    struct wr_error error = {0};
    if (wr_store_open(&options, &store, &error) == WR_OK) { /* the superuser may */
        assert_int_equal(in_child(refused_as_nobody, path), 0);
        wr_store_close(store);
    }
    /* A disk mounted for reading only. */
    if (mount(path, path, NULL, MS_BIND, NULL) == 0) {
        assert_int_equal(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
        assert_refused(options, WR_ERR_USAGE, "Read-only file system");
        struct reading r = open_and_read(path, true);
        if (r.status != WR_OK) fail_msg("%s", r.error.message);
        assert_true(!r.wrong && r.epoch == 4);
        assert_int_equal(umount(path), 0);
    }
}

/* ---- Damage ----------------------------------------------------------------------------------------------- */

static void read_file(const char *path, struct wr_buf *out)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) wr_buf_add(out, block, n);
    fclose(file);
}

static void write_bytes(const char *path, struct wr_slice bytes)
{
    unlink(path); /* a file that is emptied and filled again would be synced by ext4 */
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
}

static uint64_t epoch_written;

/* In a process of its own, so that a crash is seen: 0 all is right; 10 refused or found; else what went wrong. */
static int look_at_damage(const char *path)
{
    struct reading r = open_and_read(path, true);
    if (r.status == WR_OK && !r.wrong && r.epoch == epoch_written) {
        struct wr_store *store = open_store(path, true);
        struct wr_error error = {0};
        enum wr_status status = wr_store_verify(store, NULL, NULL, &error);
        wr_store_close(store);
        if (status != WR_OK) return 11; /* reading found nothing, verifying did: bytes that nobody needs */
        /* What reading and verifying let pass must also bear writing. */
        struct wr_store_options options = {.directory = path, .volatile_ = true};
        if (wr_store_open(&options, &store, &error) != WR_OK) return 12;
        for (uint64_t e = epoch_written + 1; e < epoch_written + 6; e++)
            if (write_epoch(store, e, &error) != WR_OK) return 13;
        r = read_all(store);
        wr_store_close(store);
        return r.status == WR_OK && !r.wrong && r.epoch == epoch_written + 5 ? 0 : 14;
    }
    if (r.status == WR_ERR_STATE) return 10;
    if (r.status == WR_OK && r.wrong) return 15;
    if (r.status == WR_OK) return 16; /* another epoch */
    if (getenv("WEIR_TEST_SAY")) fprintf(stderr, "%s\n", r.error.message);
    return 17;
}

static void flipped_bytes_are_found_or_do_no_harm(void **state)
{
    WR_UNUSED(state);
    const char *loops = getenv("WEIR_FLIP_LOOPS");
    int count = loops ? atoi(loops) : 400, found = 0;
    char path[128], file[160];
    struct wr_buf whole = {0}, damaged = {0};
    snprintf(path, sizeof path, "%s", new_path());
    snprintf(file, sizeof file, "%s/data.mdb", path);
    epoch_written = 15;
    write_epochs(path, 1, epoch_written);
    read_file(file, &whole);
    for (int i = 0; i < count; i++) {
        wr_buf_clear(&damaged);
        wr_buf_add_slice(&damaged, wr_buf_slice(&whole));
        uint64_t pages = whole.size / 4096, page = random_below(pages);
        uint64_t flips = random_below(4) ? 1 : 1 + random_below(20);
        /* Half of them in pages that hold more than values: the heads of all pages, and the first two. */
        unsigned what = (unsigned)random_below(4);
        for (uint64_t f = 0; f < flips; f++) {
            uint64_t at = what == 0 ? page * 4096 + random_below(16) : what == 1 ? random_below(2) * 4096 + random_below(160)
                                                                                   : page * 4096 + random_below(4096);
            damaged.data[at] ^= (char)(1 << random_below(8));
        }
        if (wr_slice_equal(wr_buf_slice(&damaged), wr_buf_slice(&whole))) continue;
        write_bytes(file, wr_buf_slice(&damaged));
        int code = in_child(look_at_damage, path);
        if (code != 0 && code != 10 && code != 11)
            fail_msg("round %d: page %u, %u flips of kind %u: %d", i, (unsigned)page, (unsigned)flips, what, code);
        found += code == 10;
    }
    assert_true(found > count / 4);
    wr_buf_release(&whole);
    wr_buf_release(&damaged);
}

static void a_file_cut_short_is_refused(void **state)
{
    WR_UNUSED(state);
    char path[128], file[160];
    struct wr_buf whole = {0};
    snprintf(path, sizeof path, "%s", new_path());
    snprintf(file, sizeof file, "%s/data.mdb", path);
    epoch_written = 12;
    write_epochs(path, 1, epoch_written);
    read_file(file, &whole);
    for (size_t size = 0; size < whole.size; size += size < 9000 ? 500 : size < 40000 ? 4096 : 50000 + random_below(9000)) {
        write_bytes(file, wr_slice_of(whole.data, size));
        int code = in_child(look_at_damage, path);
        if (code != 10 && code != 0) fail_msg("%u bytes of %u: %d", (unsigned)size, (unsigned)whole.size, code);
        assert_true(code == 10 || size > whole.size / 2);
    }
    wr_buf_release(&whole);
}

/* Pages of another moment in the place of today's: each whole in itself. */
static void old_pages_are_found_or_do_no_harm(void **state)
{
    WR_UNUSED(state);
    char path[128], file[160];
    struct wr_buf old = {0}, whole = {0}, mixed = {0};
    snprintf(path, sizeof path, "%s", new_path());
    snprintf(file, sizeof file, "%s/data.mdb", path);
    write_epochs(path, 1, 11);
    read_file(file, &old);
    epoch_written = 15;
    write_epochs(path, 12, epoch_written);
    read_file(file, &whole);
    int found = 0;
    for (uint64_t page = 0; page < old.size / 4096; page++) {
        if (memcmp(old.data + page * 4096, whole.data + page * 4096, 4096) == 0) continue;
        wr_buf_clear(&mixed);
        wr_buf_add_slice(&mixed, wr_buf_slice(&whole));
        memcpy(mixed.data + page * 4096, old.data + page * 4096, 4096);
        write_bytes(file, wr_buf_slice(&mixed));
        int code = in_child(look_at_damage, path);
        if (code != 0 && code != 10 && code != 11) fail_msg("page %u of an older file: %d", (unsigned)page, code);
        found += code == 10;
    }
    assert_true(found > 0);
    wr_buf_release(&old);
    wr_buf_release(&whole);
    wr_buf_release(&mixed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_churn_leaves_a_file_that_passes),
        cmocka_unit_test(killed_at_any_moment_the_last_checkpoint_is_there),
#ifdef WR_FAULTS
        cmocka_unit_test(at_each_named_point),
        cmocka_unit_test(at_the_points_of_a_first_opening),
        cmocka_unit_test(each_failing_call_of_lmdb_is_survived),
        cmocka_unit_test(each_failing_call_at_opening_is_survived),
#endif
        cmocka_unit_test(a_limit_on_file_sizes_is_named),
        cmocka_unit_test(a_full_disk_is_named_and_room_heals_it),
        cmocka_unit_test(a_directory_that_cannot_be_written),
        cmocka_unit_test(flipped_bytes_are_found_or_do_no_harm),
        cmocka_unit_test(a_file_cut_short_is_refused),
        cmocka_unit_test(old_pages_are_found_or_do_no_harm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
