/* Looking into a state directory without running it: for `weir state`. All of it works beside a running engine. */
#ifndef WR_RUNTIME_STATE_VIEW_H
#define WR_RUNTIME_STATE_VIEW_H

#include "runtime/checkpoint.h"

/* What lies in a directory, read in one go: record, program, every segment that counts. */
struct wr_state_image {
    char *directory;
    struct wr_buf record, program_bytes;
    struct wr_program *program;
    uint64_t first, last;              /* numbers of the segments */
    struct wr_buf *segment;            /* last - first + 1 of them */
    struct wr_buf cold;                /* keys that were out of memory, for wr_store_cold_next */
    struct wr_store_size size;
};
enum wr_status wr_state_image_read(struct wr_state_image *image, const char *directory, struct wr_error *error);
void wr_state_image_release(struct wr_state_image *image);

/* Every entry that counts: those that belong to no unit, then the units, newest first. */
typedef void wr_state_visit_fn(void *context, const struct wr_segment_entry *entry);
enum wr_status wr_state_visit(const struct wr_state_image *image, wr_state_visit_fn *fn, void *context, struct wr_error *error);

/* Each appends text for people, or one JSON object. */
enum wr_status wr_state_list(const struct wr_state_image *image, bool json, struct wr_buf *out, struct wr_error *error);
enum wr_status wr_state_size(const struct wr_state_image *image, bool json, struct wr_buf *out, struct wr_error *error);
/* op: the operator's name as wr_state_list shows it; key NULL: the keys, `most` of them (0: all). */
enum wr_status wr_state_show(const struct wr_state_image *image, const struct wr_connectors *connectors, const char *op,
                             const char *key, uint64_t most, bool json, struct wr_buf *out, struct wr_error *error);
/* Every checksum, and every entry into an operator of the stored program. WR_ERR_STATE: something does not hold, said in
 * `out`. */
enum wr_status wr_state_verify(const char *directory, const struct wr_connectors *connectors, bool json, struct wr_buf *out,
                               struct wr_error *error);
/* What becomes of the state under another program; *lost: how many operators lose theirs. */
enum wr_status wr_state_compare(const struct wr_state_image *image, const struct wr_program *program, bool json,
                                uint32_t *lost, struct wr_buf *out, struct wr_error *error);

/* state_copy.c. The form of an exported file: "WEIRSTATE1\n"; then for each part a byte ('r' record, 'p' program, 's'
 * segment, 'c' keys that were out of memory, 'e' end), LEB128 length, bytes; the end's bytes are a 64-bit hash of
 * all before it. */
enum wr_status wr_state_export(const struct wr_state_image *image, const char *path, struct wr_error *error);
/* Into a directory that is not there or holds no checkpoint. */
enum wr_status wr_state_import(const char *path, const char *directory, struct wr_error *error);
enum wr_status wr_state_copy(const struct wr_state_image *image, const char *directory, struct wr_error *error);

#endif
