/* A state directory in words: what it holds, how big it is, whether all of it can be read. */
#include "runtime/state_view.h"

#include "runtime/cold.h"
#include "runtime/key_set.h"
#include "runtime/upgrade.h"
#include "vm/text.h"

#include <inttypes.h>

/* ---- Reading a directory ------------------------------------------------------------------------- */

static bool gather_cold(void *context, const struct wr_stored *cold)
{
    wr_store_cold_put(context, cold);
    return true;
}

/* Cold entries are read in slices: they belong together where no newer checkpoint has come meanwhile. */
static enum wr_status read_cold(struct wr_state_image *image, struct wr_store *store, struct wr_error *error)
{
    struct wr_buf now = {0};
    wr_buf_clear(&image->cold);
    if (!wr_record_find(wr_buf_slice(&image->record), "cold").data) return WR_OK;
    enum wr_status status = wr_store_cold_visit(store, gather_cold, &image->cold, error);
    if (status == WR_OK) status = wr_store_record(store, &now, error);
    if (status == WR_OK && !wr_slice_equal(wr_buf_slice(&now), wr_buf_slice(&image->record))) status = WR_END;
    wr_buf_release(&now);
    return status;
}

static enum wr_status read_once(struct wr_state_image *image, struct wr_store *store, struct wr_error *error)
{
    if (wr_store_record(store, &image->record, error) != WR_OK ||
        wr_store_program(store, &image->program_bytes, error) != WR_OK ||
        wr_store_segments(store, &image->first, &image->last, error) != WR_OK ||
        wr_store_measure(store, &image->size, error) != WR_OK)
        return error->status;
    if (!image->record.size)
        return wr_error_set(error, WR_ERR_USAGE, "there is no checkpoint in '%s' yet", image->directory);
    uint64_t count = image->last >= image->first ? image->last - image->first + 1 : 0;
    image->segment = wr_alloc_zero((count + 1) * sizeof *image->segment);
    for (uint64_t i = 0; i < count; i++) {
        enum wr_status status = wr_store_read(store, image->first + i, &image->segment[i], error);
        if (status != WR_OK) return status; /* WR_END: a newer checkpoint has dropped it */
    }
    return read_cold(image, store, error);
}

static void forget(struct wr_state_image *image)
{
    for (uint64_t i = 0; image->segment && i + image->first <= image->last; i++) wr_buf_release(&image->segment[i]);
    wr_free(image->segment);
    image->segment = NULL;
    wr_buf_clear(&image->record);
    wr_buf_clear(&image->program_bytes);
}

enum wr_status wr_state_image_read(struct wr_state_image *image, const char *directory, struct wr_error *error)
{
    enum { TRIES = 50 };
    struct wr_store *store = NULL;
    *image = (struct wr_state_image){.directory = wr_strdup(directory), .first = 1};
    struct wr_store_options options = {.directory = directory, .read_only = true, .any_file_system = true};
    enum wr_status status = wr_store_open(&options, &store, error);
    for (uint32_t i = 0; status == WR_OK && i < TRIES; i++) {
        status = read_once(image, store, error);
        if (status != WR_END) break;
        forget(image);
        status = i + 1 < TRIES ? WR_OK : wr_error_set(error, WR_ERR_IO, "'%s' changes faster than it can be read", directory);
    }
    wr_store_close(store);
    if (status == WR_OK) image->program = wr_program_decode(wr_buf_slice(&image->program_bytes), error);
    return status == WR_OK && !image->program ? error->status : status;
}

void wr_state_image_release(struct wr_state_image *image)
{
    forget(image);
    if (image->program) wr_program_free(image->program);
    wr_buf_release(&image->record);
    wr_buf_release(&image->cold);
    wr_buf_release(&image->program_bytes);
    wr_free(image->directory);
}

static int64_t number_of(struct wr_slice record, const char *name)
{
    struct wr_slice value = wr_record_find(record, name);
    int64_t number = 0;
    return value.data && wr_get_i64(&value, &number) ? number : 0;
}

static void put_time(struct wr_buf *out, int64_t time)
{
    char text[WR_TEXT_MAX];
    if (time == WR_TIME_MIN) wr_buf_add_cstr(out, "none");
    else if (time == WR_TIME_MAX) wr_buf_add_cstr(out, "the end");
    else wr_buf_add(out, text, wr_print_timestamp(text, time));
}

/* ---- Counting entries ----------------------------------------------------------------------------- */

/* Entries that count, newest first, each key once. */
struct counted {
    uint64_t entries, bytes; /* entries: keys, and rows that wait */
};


static uint32_t operator_count(struct wr_slice record)
{
    struct wr_slice list = wr_record_find(record, "operators");
    struct wr_record_operator one;
    uint32_t count = 0;
    while (list.size && wr_record_operator_next(&list, &one)) count++;
    return count;
}

/* Keys that were out of memory are units like others. */
static enum wr_status visit_cold(const struct wr_state_image *image, wr_state_visit_fn *fn, void *context, struct wr_error *error)
{
    struct wr_stored cold;
    struct wr_record_cold one;
    for (struct wr_slice in = wr_buf_slice(&image->cold); in.size;) {
        bool found = false, whole = wr_store_cold_next(&in, &cold);
        struct wr_slice list = wr_record_find(wr_buf_slice(&image->record), "cold");
        while (whole && !found && list.size && wr_record_cold_next(&list, &one)) found = wr_slice_equal(one.name, cold.op);
        if (!found || one.op >= operator_count(wr_buf_slice(&image->record)))
            return wr_error_set(error, WR_ERR_STATE, "'%s': a key that was out of memory is no operator's", image->directory);
        fn(context, &(struct wr_segment_entry){.op = one.op, .kind = 'u', .key = cold.key, .value = cold.value});
    }
    return WR_OK;
}

/* Visits every entry that counts: what belongs to no unit of the newest epoch, then the units, newest first. */
enum wr_status wr_state_visit(const struct wr_state_image *image, wr_state_visit_fn *fn, void *context, struct wr_error *error)
{
    uint64_t count = image->last >= image->first ? image->last - image->first + 1 : 0, epoch;
    uint64_t own = (uint64_t)number_of(wr_buf_slice(&image->record), "epoch");
    uint32_t operators = operator_count(wr_buf_slice(&image->record));
    struct wr_key_set seen = {0};
    WR_VEC(struct wr_segment_entry) entry = {0};
    enum wr_status status = WR_OK;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint64_t n = 0; n < count && status == WR_OK; n++) {
            struct wr_slice in = wr_buf_slice(&image->segment[pass ? count - 1 - n : n]);
            struct wr_segment_entry one;
            wr_vec_clear(&entry);
            bool whole = wr_segment_begin(&in, &epoch);
            while (whole && in.size) {
                whole = wr_segment_next(&in, &one) && one.op < operators;
                if (whole) wr_vec_push(&entry, one);
            }
            if (!whole)
                status = wr_error_set(error, WR_ERR_STATE, "'%s': a segment is malformed", image->directory);
            for (size_t i = 0; !pass && epoch == own && i < entry.count; i++)
                if (entry.at[i].kind == 'o') fn(context, &entry.at[i]);
            for (size_t i = entry.count; pass && i-- > 0;)
                if (entry.at[i].kind != 'o' && wr_key_set_add(&seen, entry.at[i].op, entry.at[i].key) && entry.at[i].kind == 'u')
                    fn(context, &entry.at[i]);
        }
    wr_vec_release(&entry);
    wr_key_set_release(&seen);
    return status == WR_OK ? visit_cold(image, fn, context, error) : status;
}

static void count_entry(void *context, const struct wr_segment_entry *entry)
{
    struct counted *c = context;
    bool waits = entry->kind == 'o' && entry->key.size && entry->key.data[0] == 'r'; /* a row, in a source or a merge */
    c[entry->op].entries += entry->kind == 'u' || waits;
    c[entry->op].bytes += entry->key.size + entry->value.size;
}

/* ---- ls -------------------------------------------------------------------------------------------- */

static void list_json(const struct wr_state_image *image, const struct counted *c, struct wr_buf *out)
{
    struct wr_slice record = wr_buf_slice(&image->record), list = wr_record_find(record, "partitions");
    struct wr_record_partition p;
    struct wr_record_operator op;
    struct wr_mark mark;
    const char *between = "";
    wr_buf_printf(out, "{\"version\":1,\"checkpoint\":%" PRId64 ",\"taken\":\"", number_of(record, "epoch"));
    put_time(out, number_of(record, "taken_us"));
    wr_buf_add_cstr(out, "\",\"program\":");
    wr_buf_add_json(out, wr_record_find(record, "program"));
    wr_buf_printf(out, ",\"finished\":%s,\"watermark\":\"", number_of(record, "finished") ? "true" : "false");
    put_time(out, number_of(record, "watermark"));
    wr_buf_printf(out, "\",\"rows_written\":%" PRId64 ",\"inputs\":[", number_of(record, "rows_written"));
    while (list.size && wr_record_partition_next(&list, &p)) {
        wr_buf_printf(out, "%s{\"stream\":", between);
        wr_buf_add_json(out, p.stream);
        wr_buf_add_cstr(out, ",\"path\":");
        wr_buf_add_json(out, p.path);
        wr_buf_printf(out, ",\"rows\":%" PRIu64 ",\"byte\":%" PRIu64 ",\"ended\":%s}", p.rows, p.position.byte,
                      p.ended ? "true" : "false");
        between = ",";
    }
    wr_buf_add_cstr(out, "],\"outputs\":[");
    list = wr_record_find(record, "sinks");
    between = "";
    while (list.size && wr_mark_next(&list, &mark)) {
        wr_buf_printf(out, "%s{\"name\":", between);
        wr_buf_add_json(out, mark.names);
        wr_buf_add_cstr(out, ",\"path\":");
        wr_buf_add_json(out, mark.path);
        wr_buf_printf(out, ",\"bytes\":%" PRIu64 "}", mark.bytes);
        between = ",";
    }
    wr_buf_add_cstr(out, "],\"operators\":[");
    list = wr_record_find(record, "operators");
    between = "";
    for (uint32_t i = 0; list.size && wr_record_operator_next(&list, &op); i++) {
        wr_buf_printf(out, "%s{\"name\":", between);
        wr_buf_add_json(out, op.name);
        wr_buf_add_cstr(out, ",\"kind\":");
        wr_buf_add_json(out, op.kind);
        wr_buf_printf(out, ",\"keys\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", c[i].entries, c[i].bytes);
        between = ",";
    }
    wr_buf_add_cstr(out, "]}\n");
}

static void list_text(const struct wr_state_image *image, const struct counted *c, struct wr_buf *out)
{
    struct wr_slice record = wr_buf_slice(&image->record), list = wr_record_find(record, "partitions");
    struct wr_record_partition p;
    struct wr_record_operator op;
    struct wr_mark mark;
    wr_buf_printf(out, "checkpoint %" PRId64 " of %.*s, taken ", number_of(record, "epoch"),
                  WR_SLICE_ARG(wr_record_find(record, "program")));
    put_time(out, number_of(record, "taken_us"));
    wr_buf_printf(out, "%s\nevent time  ", number_of(record, "finished") ? ", of a run that came to its end" : "");
    put_time(out, number_of(record, "watermark"));
    wr_buf_printf(out, "; %" PRId64 " rows written\n", number_of(record, "rows_written"));
    while (list.size && wr_record_partition_next(&list, &p))
        wr_buf_printf(out, "input       %.*s=%.*s: %" PRIu64 " rows, byte %" PRIu64 "%s\n", WR_SLICE_ARG(p.stream),
                      WR_SLICE_ARG(p.path), p.rows, p.position.byte, p.ended ? ", ended" : "");
    list = wr_record_find(record, "sinks");
    while (list.size && wr_mark_next(&list, &mark))
        wr_buf_printf(out, "output      %.*s in %.*s: %" PRIu64 " bytes\n", WR_SLICE_ARG(mark.names), WR_SLICE_ARG(mark.path),
                      mark.bytes);
    list = wr_record_find(record, "operators");
    for (uint32_t i = 0; list.size && wr_record_operator_next(&list, &op); i++)
        if (c[i].entries)
            wr_buf_printf(out, "%-10.*s  %.*s: %" PRIu64 " keys, %" PRIu64 " bytes\n", WR_SLICE_ARG(op.kind),
                          WR_SLICE_ARG(op.name), c[i].entries, c[i].bytes);
}

enum wr_status wr_state_list(const struct wr_state_image *image, bool json, struct wr_buf *out, struct wr_error *error)
{
    struct counted *c = wr_alloc_zero((operator_count(wr_buf_slice(&image->record)) + 1) * sizeof *c);
    enum wr_status status = wr_state_visit(image, count_entry, c, error);
    if (status == WR_OK && json) list_json(image, c, out);
    else if (status == WR_OK) list_text(image, c, out);
    wr_free(c);
    return status;
}

/* Keys that lie in the store alone. */
static uint64_t count_cold(struct wr_slice record)
{
    struct wr_slice list = wr_record_find(record, "cold");
    struct wr_record_cold one;
    uint64_t count = 0;
    while (list.size && wr_record_cold_next(&list, &one)) count += one.count;
    return count;
}

enum wr_status wr_state_size(const struct wr_state_image *image, bool json, struct wr_buf *out, struct wr_error *error)
{
    const struct wr_store_size *s = &image->size;
    struct wr_slice list = wr_record_find(wr_buf_slice(&image->record), "operators");
    struct counted *c = wr_alloc_zero((operator_count(wr_buf_slice(&image->record)) + 1) * sizeof *c);
    struct wr_record_operator op;
    enum wr_status status = wr_state_visit(image, count_entry, c, error);
    uint64_t cold = count_cold(wr_buf_slice(&image->record));
    wr_buf_printf(out, json ? "{\"version\":1,\"file\":%" PRIu64 ",\"used\":%" PRIu64 ",\"free\":%" PRIu64
                              ",\"segments\":%" PRIu64 ",\"segment_bytes\":%" PRIu64 ",\"disk_free\":%" PRIu64 ","
                            : "file        %" PRIu64 " bytes: %" PRIu64 " in use, %" PRIu64 " free inside\n"
                              "segments    %" PRIu64 " of %" PRIu64 " bytes\ndisk        %" PRIu64 " bytes free\n",
                  s->file_bytes, s->used_bytes, s->free_bytes, s->segments, s->segment_bytes, s->disk_free_bytes);
    const char *between = "";
    if (json) wr_buf_printf(out, "\"out_of_memory\":%" PRIu64 ",\"operators\":[", cold);
    else if (cold) wr_buf_printf(out, "memory      %" PRIu64 " keys were out of it\n", cold);
    for (uint32_t i = 0; list.size && wr_record_operator_next(&list, &op); i++) {
        uint64_t each = c[i].entries ? c[i].bytes / c[i].entries : 0;
        if (!c[i].bytes) continue;
        if (json) {
            wr_buf_printf(out, "%s{\"name\":", between);
            wr_buf_add_json(out, op.name);
            wr_buf_printf(out, ",\"keys\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"bytes_per_key\":%" PRIu64 "}", c[i].entries,
                          c[i].bytes, each);
        } else {
            wr_buf_printf(out, "%-10.*s  %.*s: %" PRIu64 " bytes, %" PRIu64 " keys, %" PRIu64 " bytes a key\n",
                          WR_SLICE_ARG(op.kind), WR_SLICE_ARG(op.name), c[i].bytes, c[i].entries, each);
        }
        between = ",";
    }
    if (json) wr_buf_add_cstr(out, "]}\n");
    wr_free(c);
    return status;
}

/* ---- check ----------------------------------------------------------------------------------------- */

enum wr_status wr_state_compare(const struct wr_state_image *image, const struct wr_program *program, bool json,
                                uint32_t *lost, struct wr_buf *out, struct wr_error *error)
{
    struct wr_slice list = wr_record_find(wr_buf_slice(&image->record), "operators");
    WR_VEC(struct wr_record_operator) old = {0};
    struct wr_record_operator one;
    while (list.size && wr_record_operator_next(&list, &one)) wr_vec_push(&old, one);
    if (list.size) {
        wr_vec_release(&old);
        return wr_error_set(error, WR_ERR_STATE, "'%s': the list of operators is malformed", image->directory);
    }
    struct counted *c = wr_alloc_zero((old.count + 1) * sizeof *c);
    enum wr_status status = wr_state_visit(image, count_entry, c, error);
    for (size_t i = 0; status == WR_OK && i < old.count; i++) {
        old.at[i].units = c[i].entries;
        old.at[i].bytes = c[i].bytes;
    }
    wr_free(c);
    if (status == WR_OK) *lost = wr_upgrade_report(old.at, (uint32_t)old.count, image->program, program, json, out);
    wr_vec_release(&old);
    return status;
}
