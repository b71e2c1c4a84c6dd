/* Looking at all that a store holds: cold entries, sizes, checksums. Slice after slice, so that no transaction lasts. */
#include <stdio.h>

#include "runtime/store_internal.h"

/* ---- Cold entries ---------------------------------------------------------------------------------- */

struct visit {
    wr_store_cold_fn *fn;
    void *context;
    struct wr_buf *bytes; /* of this slice: two sizes, LMDB's key, payload, again and again */
    bool bad;
};

static bool take_cold(void *context, struct wr_slice key, struct wr_slice value)
{
    struct visit *visit = context;
    struct wr_slice payload;
    if (!wr_store_checked(key, value, &payload)) {
        visit->bad = true;
        return false;
    }
    char sizes[16];
    wr_store_put64(sizes, key.size);
    wr_store_put64(sizes + 8, payload.size);
    wr_buf_add(visit->bytes, sizes, sizeof sizes);
    wr_buf_add_slice(visit->bytes, key);
    wr_buf_add_slice(visit->bytes, payload);
    return visit->bytes->size < 1u << 20;
}

static bool show_cold(void *context)
{
    struct visit *visit = context;
    const char *at = visit->bytes->data, *end = at + visit->bytes->size;
    bool go_on = true;
    while (go_on && !visit->bad && at < end) {
        struct wr_slice key = wr_slice_of(at + 16, (size_t)wr_store_get64(at));
        struct wr_slice payload = wr_slice_of(key.data + key.size, (size_t)wr_store_get64(at + 8));
        struct wr_stored cold;
        at = payload.data + payload.size;
        WR_ASSERT(at <= end);
        if (wr_store_cold_of(key, payload, &cold)) go_on = visit->fn(visit->context, &cold);
        else visit->bad = true;
    }
    wr_buf_clear(visit->bytes);
    return go_on && !visit->bad;
}

enum wr_status wr_store_cold_visit(struct wr_store *store, wr_store_cold_fn *fn, void *context, struct wr_error *error)
{
    WR_ASSERT(fn);
    struct visit visit = {.fn = fn, .context = context, .bytes = wr_store_scratch(store)};
    enum wr_status status = wr_store_scan(store, WR_SLICE("C"), 'E', take_cold, show_cold, &visit, error);
    return status == WR_OK && visit.bad ? wr_store_damaged(store, error, "a cold entry does not hold its checksum") : status;
}

/* ---- Sizes ------------------------------------------------------------------------------------------- */

static bool measure_entry(void *context, struct wr_slice key, struct wr_slice value)
{
    struct wr_store_size *size = context;
    uint64_t bytes = value.size - WR_MIN(value.size, (size_t)WR_CHECKSUM_BYTES);
    if (key.data[0] == 'S') {
        size->segments++;
        size->segment_bytes += bytes;
    } else if (key.data[0] == 'C' || key.data[0] == 'D') {
        size->cold_entries++;
        size->cold_bytes += key.size + bytes;
    } else if (key.data[0] == 'W') {
        size->cold_bytes += key.size + bytes;
    }
    return true;
}

static bool go_on(void *context)
{
    WR_ASSERT(context);
    return true;
}

enum wr_status wr_store_measure(struct wr_store *store, struct wr_store_size *size, struct wr_error *error)
{
    *size = (struct wr_store_size){0};
    enum wr_status status = wr_store_measure_file(store, size, error);
    if (status != WR_OK) return status;
    return wr_store_scan(store, WR_SLICE("C"), 'X', measure_entry, go_on, size, error);
}

/* ---- Checksums ---------------------------------------------------------------------------------------- */

struct verification {
    void (*found)(void *context, const char *what);
    void *context;
    uint64_t bad, expected; /* segments follow one another */
    struct wr_buf *text;    /* of this slice: sentences, each with its NUL */
    size_t bytes;
};

static void complain(struct verification *v, const char *what)
{
    v->bad++;
    wr_buf_add(v->text, what, strlen(what) + 1);
}

static void verify_segment(struct verification *v, uint64_t number, bool holds)
{
    char what[96];
    if (v->expected && number != v->expected) {
        snprintf(what, sizeof what, "segment %llu is missing", (unsigned long long)v->expected);
        complain(v, what);
    }
    v->expected = number + 1;
    snprintf(what, sizeof what, "segment %llu does not hold its checksum", (unsigned long long)number);
    if (!holds) complain(v, what);
}

static bool verify_entry(void *context, struct wr_slice key, struct wr_slice value)
{
    struct verification *v = context;
    struct wr_slice payload;
    struct wr_stored cold;
    uint64_t number;
    bool holds = wr_store_checked(key, value, &payload);
    char kind = key.data[0];
    if (wr_store_is_segment(key, &number)) {
        verify_segment(v, number, holds);
    } else if (kind == 'C' || kind == 'D') {
        if (!holds || !wr_store_cold_of(key, payload, &cold)) complain(v, "a cold entry does not hold its checksum");
    } else if (kind == 'W' && key.size == WR_DUE_KEY_BYTES) {
        if (!holds || !wr_store_due_of(key, payload, &cold.op, &cold.key))
            complain(v, "a cold entry's time does not hold its checksum");
    } else if (key.size != 1 || (kind != 'F' && kind != 'R' && kind != 'P')) {
        complain(v, "there is an entry that weir does not write");
    } else if (!holds) {
        complain(v, kind == 'F'   ? "the first entry does not hold its checksum"
                    : kind == 'R' ? "the record of the checkpoint does not hold its checksum"
                                  : "the program does not hold its checksum");
    }
    v->bytes += value.size;
    if (v->bytes < 16u << 20) return true;
    v->bytes = 0;
    return false;
}

static bool tell_found(void *context)
{
    struct verification *v = context;
    for (size_t at = 0; at < v->text->size; at += strlen(v->text->data + at) + 1)
        if (v->found) v->found(v->context, v->text->data + at);
    wr_buf_clear(v->text);
    return true;
}

enum wr_status wr_store_verify(struct wr_store *store, void (*found)(void *context, const char *what), void *context,
                               struct wr_error *error)
{
    struct verification v = {.found = found, .context = context};
    enum wr_status status = wr_store_check_pages(store, error);
    if (status == WR_ERR_STATE && found) found(context, error->message);
    if (status != WR_OK) return status; /* LMDB would follow them anywhere */
    v.text = wr_store_scratch(store);
    status = wr_store_scan(store, WR_SLICE("\0"), 127, verify_entry, tell_found, &v, error);
    if (status != WR_OK || !v.bad) return status;
    char what[64];
    snprintf(what, sizeof what, "%llu entries do not hold", (unsigned long long)v.bad);
    return wr_store_damaged(store, error, v.bad == 1 ? "one entry does not hold" : what);
}
