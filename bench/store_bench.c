/* How entries of state are packed into LMDB values, measured under churn: the figures of docs/state.md.
 *
 * A million keys with entries of 100 bytes; all are written once, then checkpoint after checkpoint a share of them changes
 * (which ones: at random). Each checkpoint is one durable transaction. The ways:
 *   each       an LMDB entry a key, put in key order
 *   bucket N   keys whose hashes lie in one range together in a value of about N bytes: read, changed, put back
 *   log N      values of N bytes with changed entries one after the other, oldest dropped first (runtime/store.h); what is
 *              still needed of the oldest is written anew, so that the log is at most twice the live bytes
 *
 * Printed: changed entries and their bytes per second; bytes written to the file for each changed key; the longest
 * commit, from the first put on; the file's size after the last checkpoint.
 *
 *   store_bench DIRECTORY [keys [word]]      word: only ways whose names have it */
#include "base/hash.h"
#include "base/vec.h"
#include "runtime/clock.h"
#include "runtime/store.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VALUE_BYTES = 100, ENTRY_BYTES = 8 + VALUE_BYTES };

static uint32_t key_count = 1000000;
static uint64_t random_state = 1;

struct figures {
    double seconds;
    uint64_t changed, disk_bytes, file_bytes;
    int64_t commit_max_us;
};

static void die(const char *what, int code)
{
    fprintf(stderr, "store_bench: %s: %s\n", what, code ? mdb_strerror(code) : "failed");
    exit(1);
}

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        int check_code = (call);                                                                                       \
        if (check_code) die(#call, check_code);                                                                        \
    } while (0)

/* Bytes given to the system to write. (write_bytes beside it counts a whole folio for each page changed in it.) */
static uint64_t written_bytes(void)
{
    char line[128];
    unsigned long long bytes = 0;
    FILE *io = fopen("/proc/self/io", "r");
    while (io && fgets(line, sizeof line, io))
        if (sscanf(line, "wchar: %llu", &bytes) == 1) break;
    if (io) fclose(io);
    return bytes;
}

/* An entry's bytes: they follow from the key and how often it has changed. */
static void fill_entry(char *out, uint32_t key, uint32_t version)
{
    uint64_t seed = wr_mix64((uint64_t)key << 32 | version);
    memset(out, 0, 8);
    memcpy(out, &key, 4);
    for (size_t i = 0; i < VALUE_BYTES; i += 8) {
        uint64_t word = wr_mix64(seed + i);
        memcpy(out + 8 + i, &word, WR_MIN(sizeof word, VALUE_BYTES - i));
    }
}

/* The keys that change, ascending: each with the same probability. */
static uint32_t choose(uint32_t *keys, unsigned per_mille)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < key_count; k++)
        if (per_mille >= 1000 || wr_mix64(random_state++) % 1000 < per_mille) keys[n++] = k;
    return n;
}

/* ---- One LMDB entry a key, and buckets ---------------------------------------------------------------- */

static MDB_env *open_env(const char *directory)
{
    MDB_env *env;
    CHECK(mdb_env_create(&env));
    CHECK(mdb_env_set_mapsize(env, 1ull << 36));
    CHECK(mdb_env_open(env, directory, MDB_NOTLS, 0600));
    return env;
}

static void put_each(MDB_txn *txn, MDB_dbi dbi, const uint32_t *keys, uint32_t count, uint32_t version)
{
    char entry[ENTRY_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        char name[8] = {(char)(keys[i] >> 24), (char)(keys[i] >> 16), (char)(keys[i] >> 8), (char)keys[i]};
        MDB_val key = {sizeof name, name}, value = {VALUE_BYTES + 8, NULL};
        fill_entry(entry, keys[i], version);
        CHECK(mdb_put(txn, dbi, &key, &value, MDB_RESERVE));
        memcpy(value.mv_data, entry + 8, VALUE_BYTES);
        uint64_t sum = wr_hash64(entry + 8, VALUE_BYTES, keys[i]);
        memcpy((char *)value.mv_data + VALUE_BYTES, &sum, 8);
    }
}

/* Keys 0…n-1 stand for ranges of a hash: key / keys_per is the bucket. */
static void put_buckets(MDB_txn *txn, MDB_dbi dbi, const uint32_t *keys, uint32_t count, uint32_t version, uint32_t keys_per)
{
    char *bucket = malloc((size_t)keys_per * ENTRY_BYTES + 8);
    for (uint32_t i = 0; i < count;) {
        uint32_t number = keys[i] / keys_per, first = number * keys_per;
        size_t size = (size_t)WR_MIN(keys_per, key_count - first) * ENTRY_BYTES;
        char name[8] = {(char)(number >> 24), (char)(number >> 16), (char)(number >> 8), (char)number};
        MDB_val key = {sizeof name, name}, value;
        int rc = mdb_get(txn, dbi, &key, &value);
        if (rc && rc != MDB_NOTFOUND) die("mdb_get", rc);
        if (rc == 0) {
            uint64_t sum;
            memcpy(&sum, (char *)value.mv_data + size, 8);
            if (sum != wr_hash64(value.mv_data, size, number)) die("checksum", 0);
            memcpy(bucket, value.mv_data, size);
        }
        for (; i < count && keys[i] / keys_per == number; i++)
            fill_entry(bucket + (size_t)(keys[i] - first) * ENTRY_BYTES, keys[i], version);
        uint64_t sum = wr_hash64(bucket, size, number);
        value = (MDB_val){size + 8, NULL};
        CHECK(mdb_put(txn, dbi, &key, &value, MDB_RESERVE));
        memcpy(value.mv_data, bucket, size);
        memcpy((char *)value.mv_data + size, &sum, 8);
    }
    free(bucket);
}

static struct figures run_tree(const char *directory, unsigned bucket_bytes, unsigned per_mille, int checkpoints)
{
    struct figures f = {0};
    MDB_env *env = open_env(directory);
    uint32_t *keys = malloc(key_count * sizeof *keys);
    uint64_t disk_before = 0;
    for (int c = 0; c <= checkpoints; c++) {
        uint32_t count = choose(keys, c ? per_mille : 1000);
        if (c == 1) disk_before = written_bytes();
        int64_t begin = wr_clock_monotonic_us();
        MDB_txn *txn;
        MDB_dbi dbi;
        CHECK(mdb_txn_begin(env, NULL, 0, &txn));
        CHECK(mdb_dbi_open(txn, NULL, 0, &dbi));
        if (bucket_bytes) put_buckets(txn, dbi, keys, count, (uint32_t)c, WR_MAX(bucket_bytes / ENTRY_BYTES, 1u));
        else put_each(txn, dbi, keys, count, (uint32_t)c);
        CHECK(mdb_txn_commit(txn));
        int64_t took = wr_clock_monotonic_us() - begin;
        if (c == 0) continue;
        f.seconds += (double)took / 1e6;
        f.changed += count;
        f.commit_max_us = WR_MAX(f.commit_max_us, took);
    }
    f.disk_bytes = written_bytes() - disk_before;
    mdb_env_close(env);
    free(keys);
    return f;
}

/* ---- The log: through the store -------------------------------------------------------------------------- */

struct segment {
    uint32_t *keys;
    uint32_t count;
};

struct log {
    struct wr_store *store;
    size_t segment_bytes;
    uint64_t first, next;            /* segments that are kept; the next one's number */
    uint64_t *newest;                /* by key: the segment that has its newest entry */
    uint32_t *version;               /* by key: how often it has changed */
    WR_VEC(struct segment) segments; /* by number - 1 */
    WR_VEC(struct wr_buf) open;      /* of this checkpoint; the last is being filled */
    uint64_t in_log;                 /* entries in segments first…next-1 */
};

static void add_entry(struct log *log, uint32_t key)
{
    if (log->open.count == 0 || wr_vec_last(&log->open).size + ENTRY_BYTES > log->segment_bytes) {
        struct wr_buf empty = {0};
        wr_vec_push(&log->open, empty);
        struct segment s = {malloc((log->segment_bytes / ENTRY_BYTES + 1) * sizeof *s.keys), 0};
        wr_vec_push(&log->segments, s);
    }
    struct wr_buf *buf = &wr_vec_last(&log->open);
    fill_entry(wr_buf_reserve(buf, ENTRY_BYTES), key, log->version[key]);
    buf->size += ENTRY_BYTES;
    struct segment *s = &wr_vec_last(&log->segments);
    s->keys[s->count++] = key;
    log->newest[key] = log->segments.count;
    log->in_log++;
}

/* Writes anew what counts of the oldest segments until the log is at most twice what counts. */
static void refresh(struct log *log)
{
    while (log->first < log->next && log->in_log > 2ull * key_count) {
        struct segment *s = &log->segments.at[log->first - 1];
        uint32_t count = s->count, *keys = s->keys;
        log->in_log -= count;
        for (uint32_t i = 0; i < count; i++)
            if (log->newest[keys[i]] == log->first) add_entry(log, keys[i]);
        free(keys);
        log->segments.at[log->first - 1] = (struct segment){0};
        log->first++;
    }
}

static void commit_log(struct log *log, uint64_t epoch)
{
    struct wr_error error = {0};
    struct wr_slice *segment = malloc((log->open.count + 1) * sizeof *segment);
    for (size_t i = 0; i < log->open.count; i++) segment[i] = wr_buf_slice(&log->open.at[i]);
    size_t done = 0, n = log->open.count, per = WR_STORE_APPEND_BYTES / log->segment_bytes;
    for (; n - done > per; done += per)
        if (wr_store_append(log->store, log->next + done, segment + done, per, &error) != WR_OK) die(error.message, 0);
    struct wr_store_commit c = {.first_number = log->next + done, .segment_count = n - done, .segment = segment + done,
                                .record = WR_SLICE("a record"), .keep_from = log->first, .epoch = epoch};
    if (wr_store_commit(log->store, &c, &error) != WR_OK) die(error.message, 0);
    log->next += n;
    for (size_t i = 0; i < n; i++) wr_buf_release(&log->open.at[i]);
    wr_vec_clear(&log->open);
    free(segment);
}

static struct figures run_log(const char *directory, unsigned segment_bytes, unsigned per_mille, int checkpoints)
{
    struct figures f = {0};
    struct wr_error error = {0};
    struct log log = {.segment_bytes = segment_bytes - 24, .first = 1, .next = 1};
    struct wr_store_options options = {.directory = directory, .any_file_system = true};
    rmdir(directory);
    if (wr_store_open(&options, &log.store, &error) != WR_OK) die(error.message, 0);
    log.newest = calloc(key_count, sizeof *log.newest);
    log.version = calloc(key_count, sizeof *log.version);
    uint32_t *keys = malloc(key_count * sizeof *keys);
    uint64_t disk_before = 0;
    for (int c = 0; c <= checkpoints; c++) {
        uint32_t count = choose(keys, c ? per_mille : 1000);
        if (c == 1) disk_before = written_bytes();
        int64_t begin = wr_clock_monotonic_us();
        for (uint32_t i = 0; i < count; i++) {
            log.version[keys[i]]++;
            add_entry(&log, keys[i]);
        }
        refresh(&log);
        int64_t commit_begin = wr_clock_monotonic_us();
        commit_log(&log, (uint64_t)c + 1);
        int64_t end = wr_clock_monotonic_us();
        if (c == 0) continue;
        f.seconds += (double)(end - begin) / 1e6;
        f.changed += count;
        f.commit_max_us = WR_MAX(f.commit_max_us, end - commit_begin);
    }
    f.disk_bytes = written_bytes() - disk_before;
    wr_store_close(log.store);
    for (uint64_t s = log.first; s < log.next; s++) free(log.segments.at[s - 1].keys);
    wr_vec_release(&log.segments);
    wr_vec_release(&log.open);
    free(log.newest);
    free(log.version);
    free(keys);
    return f;
}

/* ---- The table ---------------------------------------------------------------------------------------------- */

/* In a process of its own: what one way leaves in memory or in the page cache's queue does not burden the next. */
static void measure(const char *directory, const char *name, unsigned bytes, unsigned per_mille, int checkpoints)
{
    fflush(stdout);
    sync();
    pid_t child = fork();
    if (child != 0) {
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) die(name, 0);
        return;
    }
    char path[512], file[560];
    snprintf(path, sizeof path, "%s/store-bench", directory);
    snprintf(file, sizeof file, "rm -rf '%s'", path);
    if (system(file) != 0 || mkdir(path, 0700) != 0) die(path, 0);
    struct figures f = strncmp(name, "log", 3) == 0 ? run_log(path, bytes, per_mille, checkpoints)
                                                    : run_tree(path, bytes, per_mille, checkpoints);
    struct stat st;
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (stat(file, &st) == 0) f.file_bytes = (uint64_t)st.st_size;
    double payload = (double)f.changed * ENTRY_BYTES;
    printf("| %5.1f %% | %-14s | %7.1f | %9.0f | %9.0f | %8.1f | %7.0f |\n", per_mille / 10.0, name, payload / 1e6 / f.seconds,
           (double)f.changed / f.seconds, (double)f.disk_bytes / (double)f.changed, (double)f.commit_max_us / 1000,
           (double)f.file_bytes / 1e6);
    fflush(stdout);
    snprintf(file, sizeof file, "rm -rf '%s'", path);
    exit(system(file) == 0 ? 0 : 1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned bytes;
    } ways[] = {{"each", 0},           {"bucket 2 KB", 1990}, {"bucket 16 KB", 16360}, {"log 2 KB", 1990},
                {"log 16 KB", 1 << 14}, {"log 64 KB", 1 << 16}, {"log 256 KB", 1 << 18}, {"log 1 MB", 1 << 20}};
    static const struct {
        unsigned per_mille;
        int checkpoints;
    } loads[] = {{1000, 8}, {100, 40}, {10, 300}};
    if (argc < 2) {
        fprintf(stderr, "store_bench DIRECTORY [keys [word]]\n");
        return 2;
    }
    if (argc > 2) key_count = (uint32_t)strtoul(argv[2], NULL, 10);
    printf("%u keys, entries of %d bytes\n\n", key_count, ENTRY_BYTES);
    printf("| changed | way            |    MB/s |    keys/s | disk/key  | max ms   | file MB |\n");
    printf("|---------|----------------|---------|-----------|-----------|----------|---------|\n");
    for (size_t l = 0; l < WR_COUNT(loads); l++)
        for (size_t w = 0; w < WR_COUNT(ways); w++)
            if (argc < 4 || strstr(ways[w].name, argv[3]))
                measure(argv[1], ways[w].name, ways[w].bytes, loads[l].per_mille, loads[l].checkpoints);
    return 0;
}
