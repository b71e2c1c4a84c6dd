/* A checkpoint as one file, out of it into a directory, and from directory to directory. */
#include "base/hash.h"
#include "runtime/state_view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[] = "WEIRSTATE1\n";

/* The same record for segments that are numbered from 1. */
static void renumber(struct wr_slice record, uint64_t first, struct wr_buf *out)
{
    struct wr_record_field field;
    struct wr_slice in = record;
    bool begun = wr_record_begin(&in);
    WR_ASSERT(begun && first > 0);
    wr_put_u8(out, 1);
    while (wr_record_next(&in, &field)) {
        int64_t number;
        wr_put_bytes(out, field.name);
        if (!wr_slice_equal(field.name, WR_SLICE("first_segment")) || !wr_get_i64(&field.value, &number)) {
            wr_put_bytes(out, field.value);
            continue;
        }
        wr_put_uint(out, 8);
        wr_put_i64(out, WR_MAX(number - (int64_t)first + 1, 1));
    }
}

/* Segments, record, program and keys that were out of memory (wr_store_cold_next) into a directory that holds no checkpoint. */
static enum wr_status write_directory(const char *directory, struct wr_slice record, struct wr_slice program,
                                      struct wr_slice cold, const struct wr_slice *segment, uint64_t count,
                                      struct wr_error *error)
{
    WR_VEC(struct wr_cold_entry) entry = {0};
    struct wr_stored one;
    while (cold.size) {
        if (!wr_store_cold_next(&cold, &one)) {
            wr_vec_release(&entry);
            return wr_error_set(error, WR_ERR_STATE, "a key that was out of memory is malformed");
        }
        wr_vec_push(&entry, (struct wr_cold_entry){one.op, one.key, one.value, one.wake, one.order});
    }
    struct wr_store *store = NULL;
    struct wr_buf there = {0};
    struct wr_store_options options = {.directory = directory};
    enum wr_status status = wr_store_open(&options, &store, error);
    if (status == WR_OK) status = wr_store_record(store, &there, error);
    if (status == WR_OK && there.size)
        status = wr_error_set(error, WR_ERR_USAGE, "'%s' holds a checkpoint already: name another directory", directory);
    enum { AT_ONCE = 256 };
    uint64_t done = 0;
    for (; status == WR_OK && count - done > AT_ONCE; done += AT_ONCE)
        status = wr_store_append(store, done + 1, segment + done, AT_ONCE, error);
    struct wr_store_commit commit = {.first_number = done + 1,
                                     .segment_count = (size_t)(count - done),
                                     .segment = segment + done,
                                     .record = record,
                                     .program = program,
                                     .keep_from = 1,
                                     .epoch = 1,
                                     .cold = entry.at,
                                     .cold_count = entry.count};
    if (status == WR_OK) status = wr_store_commit(store, &commit, error);
    wr_vec_release(&entry);
    wr_store_close(store);
    wr_buf_release(&there);
    return status;
}

static uint64_t segments_of(const struct wr_state_image *image)
{
    return image->last >= image->first ? image->last - image->first + 1 : 0;
}

enum wr_status wr_state_copy(const struct wr_state_image *image, const char *directory, struct wr_error *error)
{
    uint64_t count = segments_of(image);
    struct wr_slice *segment = wr_alloc((count + 1) * sizeof *segment);
    struct wr_buf record = {0};
    for (uint64_t i = 0; i < count; i++) segment[i] = wr_buf_slice(&image->segment[i]);
    renumber(wr_buf_slice(&image->record), image->first, &record);
    enum wr_status status = write_directory(directory, wr_buf_slice(&record), wr_buf_slice(&image->program_bytes),
                                            wr_buf_slice(&image->cold), segment, count, error);
    wr_buf_release(&record);
    wr_free(segment);
    return status;
}

/* ---- One file -------------------------------------------------------------------------------------- */

static bool write_part(FILE *file, struct wr_digest *digest, uint8_t kind, struct wr_slice bytes)
{
    struct wr_buf head = {0};
    wr_put_u8(&head, kind);
    wr_put_uint(&head, bytes.size);
    bool written = fwrite(head.data, 1, head.size, file) == head.size &&
                   (!bytes.size || fwrite(bytes.data, 1, bytes.size, file) == bytes.size);
    wr_digest_add(digest, wr_buf_slice(&head));
    wr_digest_add(digest, bytes);
    wr_buf_release(&head);
    return written;
}

/* The parts, one after the other. 0, or errno. */
static int write_parts(const struct wr_state_image *image, FILE *file)
{
    struct wr_digest digest;
    struct wr_buf record = {0}, hash = {0};
    wr_digest_init(&digest);
    renumber(wr_buf_slice(&image->record), image->first, &record);
    bool written = fwrite(MAGIC, 1, sizeof MAGIC - 1, file) == sizeof MAGIC - 1 &&
                   write_part(file, &digest, 'r', wr_buf_slice(&record)) &&
                   write_part(file, &digest, 'p', wr_buf_slice(&image->program_bytes));
    for (uint64_t i = 0; written && i < segments_of(image); i++)
        written = write_part(file, &digest, 's', wr_buf_slice(&image->segment[i]));
    if (written && image->cold.size) written = write_part(file, &digest, 'c', wr_buf_slice(&image->cold));
    wr_put_u64(&hash, wr_digest_value(&digest));
    written = written && write_part(file, &digest, 'e', wr_buf_slice(&hash));
    int code = written && fflush(file) == 0 ? 0 : errno;
    wr_buf_release(&record);
    wr_buf_release(&hash);
    return code;
}

/* An older export is replaced; nothing else that lies there is. */
static bool is_export(const char *path)
{
    char head[sizeof MAGIC - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head && memcmp(head, MAGIC, sizeof head) == 0;
    if (fd >= 0) close(fd);
    return same;
}

/* The folder's list of names is made durable too. */
static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct wr_buf folder = {0};
    wr_buf_add_slice(&folder, slash ? wr_slice_of(path, (size_t)(slash - path) + 1) : WR_SLICE("."));
    int fd = open(wr_buf_cstr(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd >= 0 && fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    if (fd >= 0) close(fd);
    wr_buf_release(&folder);
    return code;
}

/* Under another name first, so that `path` is at every moment the older export or the whole new one. 0, or errno. */
static int write_beside(const struct wr_state_image *image, const char *path, bool *opened)
{
    struct wr_buf beside = {0};
    wr_buf_printf(&beside, "%s.XXXXXX", path);
    (void)wr_buf_cstr(&beside);
    int fd = mkostemp(beside.data, O_CLOEXEC), code = fd < 0 ? errno : 0; /* mode 0600, as the state itself */
    FILE *file = code ? NULL : fdopen(fd, "wb");
    *opened = file != NULL;
    if (file) code = write_parts(image, file);
    if (file && !code && fsync(fd) != 0) code = errno;
    if (file && fclose(file) != 0 && !code) code = errno;
    if (file && !code && rename(beside.data, path) != 0) code = errno;
    if (file && code) (void)unlink(beside.data);
    wr_buf_release(&beside);
    return code ? code : sync_folder(path);
}

enum wr_status wr_state_export(const struct wr_state_image *image, const char *path, struct wr_error *error)
{
    struct stat st;
    bool opened;
    int code;
    WR_ASSERT(image && path);
    if (!*path) return wr_error_set(error, WR_ERR_USAGE, "an empty name is no file");
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) return wr_error_set(error, WR_ERR_USAGE, "%s: is a folder, not a file", path);
    if (there && S_ISREG(st.st_mode) && st.st_size > 0 && !is_export(path))
        return wr_error_set(error, WR_ERR_USAGE, "%s: is there and no exported state: it is not written over", path);
    if (there && !S_ISREG(st.st_mode)) { /* a pipe, a device */
        FILE *file = fopen(path, "wbe");
        opened = file != NULL;
        code = opened ? write_parts(image, file) : errno;
        if (file && fclose(file) != 0 && !code) code = errno;
    } else {
        char real[PATH_MAX]; /* a link stays a link */
        code = write_beside(image, there && realpath(path, real) ? real : path, &opened);
    }
    return code ? wr_error_set(error, opened ? WR_ERR_IO : WR_ERR_USAGE, "%s: %s", path, strerror(code)) : WR_OK;
}

static enum wr_status read_file(const char *path, struct wr_buf *out, struct wr_error *error)
{
    enum { PIECE = 1 << 20 };
    struct stat st;
    if (!*path) return wr_error_set(error, WR_ERR_USAGE, "an empty name is no file");
    FILE *file = fopen(path, "rbe");
    if (file && fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(file);
        return wr_error_set(error, WR_ERR_USAGE, "%s: is a folder, not a file", path);
    }
    if (!file) return wr_error_set(error, WR_ERR_USAGE, "%s: %s", path, strerror(errno));
    size_t n;
    while ((n = fread(wr_buf_reserve(out, PIECE), 1, PIECE, file)) > 0) out->size += n;
    bool failed = ferror(file) != 0;
    fclose(file);
    return failed ? wr_error_set(error, WR_ERR_IO, "%s: cannot be read", path) : WR_OK;
}

enum wr_status wr_state_import(const char *path, const char *directory, struct wr_error *error)
{
    struct wr_buf bytes = {0};
    WR_VEC(struct wr_slice) segment = {0};
    struct wr_slice record = {0}, program = {0}, cold = {0}, part;
    if (read_file(path, &bytes, error) != WR_OK) return error->status;
    struct wr_slice in = wr_buf_slice(&bytes);
    bool whole = in.size >= sizeof MAGIC - 1 && memcmp(in.data, MAGIC, sizeof MAGIC - 1) == 0, ended = false;
    if (!whole) wr_error_set(error, WR_ERR_STATE, "%s: is no exported state", path);
    if (whole) in = wr_slice_of(in.data + sizeof MAGIC - 1, in.size - (sizeof MAGIC - 1));
    const char *body = in.data;
    while (whole && !ended && in.size) {
        const char *before = in.data;
        uint8_t kind = 0;
        uint64_t hash = 0;
        struct wr_digest digest;
        whole = wr_get_u8(&in, &kind) && wr_get_bytes(&in, &part);
        if (kind == 'r') record = part;
        else if (kind == 'p') program = part;
        else if (kind == 'c') cold = part;
        else if (kind == 's') wr_vec_push(&segment, part);
        else if (kind == 'e') {
            wr_digest_init(&digest);
            wr_digest_add(&digest, wr_slice_of(body, (size_t)(before - body)));
            whole = whole && wr_get_u64(&part, &hash) && hash == wr_digest_value(&digest) && !in.size;
            ended = true;
        } else whole = false;
    }
    enum wr_status status = error->status;
    if (status == WR_OK && (!whole || !ended || !record.size || !program.size))
        status = wr_error_set(error, WR_ERR_STATE, "%s: is cut short or damaged", path);
    if (status == WR_OK) status = write_directory(directory, record, program, cold, segment.at, segment.count, error);
    wr_vec_release(&segment);
    wr_buf_release(&bytes);
    return status;
}
