/* Lines into a file or to standard output, compressed where the file's name says so. What the system refuses is
 * said with its own words: at a write, at the latest when the writer is closed. */
#include "base/fault.h"
#include "connectors/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, GIVE_BYTES = 1 << 20, PIECE_BYTES = 64 * 1024 };

struct file_writer {
    struct wr_writer writer;
    int fd;
    bool owned;
    bool made;     /* the file was not there when it was opened */
    bool waiting;  /* for resume: until then nothing of the file is touched */
    bool unmarked; /* something has been written since the last mark */
    bool unsynced; /* the file's name may not be durable yet; file_sync's */
    bool failed;   /* the system has refused; nothing more is tried, also not by close */
    uint64_t size; /* of the file: bytes handed to the system */
    char *path, *name;
    struct wr_compressor *compressor; /* NULL: plain */
    struct wr_buf buffer;
};

static enum wr_status refused(struct file_writer *f, int cause, struct wr_error *error)
{
    f->failed = true;
    if (cause == EPIPE) return wr_error_set(error, WR_ERR_CLOSED, "%s: nobody reads it any more", f->name);
    return wr_error_set(error, WR_ERR_IO, "%s: %s", f->name, strerror(cause));
}

/* Everything in the buffer, and then the bytes. */
static enum wr_status hand_over(struct file_writer *f, struct wr_slice bytes, struct wr_error *error)
{
    union {
        const char *lent;
        void *base;
    } tail = {bytes.data}; /* writev only reads */
    struct iovec part[2] = {{f->buffer.data, f->buffer.size}, {tail.base, bytes.size}};
    while (part[0].iov_len + part[1].iov_len > 0) {
        ssize_t n = WR_FAULT_DUE(WR_FAULT_FILE) ? (errno = EIO, -1) : writev(f->fd, part, 2);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = f->fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
            continue;
        }
        if (n < 0) return refused(f, errno, error);
        f->size += (uint64_t)n;
        size_t first = WR_MIN((size_t)n, part[0].iov_len), second = (size_t)n - first;
        part[0] = (struct iovec){(char *)part[0].iov_base + first, part[0].iov_len - first};
        part[1] = (struct iovec){second ? (char *)part[1].iov_base + second : part[1].iov_base,
                                 part[1].iov_len - second};
    }
    wr_buf_clear(&f->buffer);
    return WR_OK;
}

static enum wr_status already_failed(struct file_writer *f, struct wr_error *error)
{
    return wr_error_set(error, WR_ERR_IO, "%s: was given up after an error", f->name);
}

static enum wr_status file_write(struct wr_writer *writer, struct wr_slice bytes, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    WR_ASSERT(!f->waiting);
    if (f->failed) return already_failed(f, error);
    f->unmarked |= bytes.size != 0;
    if (!f->compressor) {
        if (f->buffer.size + bytes.size > BUFFER_BYTES) return hand_over(f, bytes, error);
        wr_buf_add_slice(&f->buffer, bytes);
        return WR_OK;
    }
    while (bytes.size) {
        size_t n = WR_MIN(bytes.size, (size_t)GIVE_BYTES);
        wr_compress(f->compressor, wr_slice_of(bytes.data, n), WR_COMPRESS_GIVE, &f->buffer);
        bytes = wr_slice_of(bytes.data + n, bytes.size - n);
        if (f->buffer.size <= BUFFER_BYTES) continue;
        enum wr_status status = hand_over(f, (struct wr_slice){0}, error);
        if (status != WR_OK) return status;
    }
    return WR_OK;
}

static enum wr_status file_flush(struct wr_writer *writer, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    if (f->failed) return already_failed(f, error);
    if (f->compressor && f->unmarked) wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FLUSH, &f->buffer);
    return hand_over(f, (struct wr_slice){0}, error);
}

static enum wr_status file_close(struct wr_writer *writer, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    enum wr_status status = WR_OK;
    if (f->waiting && f->made) (void)unlink(f->path);
    if (!f->failed && !f->waiting) {
        if (f->compressor && (f->unmarked || !f->size))
            wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FINISH, &f->buffer);
        status = hand_over(f, (struct wr_slice){0}, error);
    }
    /* Some file systems only say here that the disk is full. EINTR leaves the descriptor closed. */
    if (f->owned && close(f->fd) != 0 && errno != EINTR && status == WR_OK && !f->failed)
        status = refused(f, errno, error);
    wr_compressor_free(f->compressor);
    wr_buf_release(&f->buffer);
    wr_free(f->path);
    wr_free(f->name);
    wr_free(f);
    return status;
}

/* ---- Outputs that outlive a crash ------------------------------------------------------------------- */

static enum wr_status file_mark(struct wr_writer *writer, uint64_t *size, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    if (f->failed) return already_failed(f, error);
    if (f->compressor && f->unmarked) wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FINISH, &f->buffer);
    f->unmarked = false;
    enum wr_status status = hand_over(f, (struct wr_slice){0}, error);
    *size = f->size;
    return status;
}

/* The file's name in its folder survives as well. */
static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? wr_strdup(path) : wr_strdup(".");
    if (slash) folder[slash == path ? 1 : slash - path] = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (rc != 0 && fd >= 0 && errno == EINVAL) rc = 0; /* a file system whose folders need none */
    int cause = errno;
    if (fd >= 0) close(fd);
    wr_free(folder);
    errno = cause;
    return rc;
}

/* May run beside the other functions: it reads what they do not change. What has failed once is not tried again: the
 * system may call pages clean that it could not write. */
static enum wr_status file_sync(struct wr_writer *writer, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    int rc = WR_FAULT_DUE(WR_FAULT_FILE) ? (errno = EIO, -1) : fdatasync(f->fd);
    if (rc == 0 && f->unsynced) rc = sync_folder(f->path);
    if (rc != 0) return wr_error_set(error, WR_ERR_IO, "%s: cannot be made durable: %s", f->name, strerror(errno));
    f->unsynced = false;
    return WR_OK;
}

static enum wr_status shorter(struct file_writer *f, uint64_t has, uint64_t wanted, struct wr_error *error)
{
    return wr_error_set(error, WR_ERR_STATE, "%s: has %llu bytes, and it had %llu when the state was saved", f->name,
                        (unsigned long long)has, (unsigned long long)wanted);
}

static enum wr_status file_resume(struct wr_writer *writer, uint64_t size, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    struct stat st;
    WR_ASSERT(!f->size && !f->buffer.size);
    if (f->made && size) {
        return wr_error_set(error, WR_ERR_STATE, "%s: is not there, and it had %llu bytes when the state was saved", f->name,
                            (unsigned long long)size);
    }
    if (fstat(f->fd, &st) != 0) return refused(f, errno, error);
    if ((uint64_t)st.st_size < size) return shorter(f, (uint64_t)st.st_size, size, error);
    WR_CRASH_POINT("output.before_cut");
    if (WR_FAULT_DUE(WR_FAULT_FILE)) return refused(f, EIO, error);
    if (ftruncate(f->fd, (off_t)size) != 0 || lseek(f->fd, (off_t)size, SEEK_SET) < 0) return refused(f, errno, error);
    WR_CRASH_POINT("output.after_cut");
    f->size = size;
    f->waiting = false;
    return WR_OK;
}

static enum wr_status plain_read_back(struct wr_writer *writer, uint64_t from, uint64_t to,
                                      void (*piece)(void *context, struct wr_slice bytes), void *context,
                                      struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    char bytes[PIECE_BYTES];
    while (from < to) {
        size_t wanted = (size_t)WR_MIN(to - from, sizeof bytes);
        ssize_t n = WR_FAULT_DUE(WR_FAULT_FILE) ? (errno = EIO, -1) : pread(f->fd, bytes, wanted, (off_t)from);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return wr_error_set(error, WR_ERR_IO, "%s: %s", f->name, strerror(errno));
        if (n == 0) return shorter(f, from, to, error);
        piece(context, wr_slice_of(bytes, (size_t)n));
        from += (uint64_t)n;
    }
    return WR_OK;
}

/* From the file's beginning: frames do not say where they stand in the content. */
static enum wr_status packed_read_back(struct wr_writer *writer, uint64_t from, uint64_t to,
                                       void (*piece)(void *context, struct wr_slice bytes), void *context,
                                       struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    char bytes[PIECE_BYTES];
    if (from == to) return WR_OK;
    struct wr_byte_source *source = wr_byte_source_open(f->path, error);
    if (!source) return error->status == WR_ERR_IO ? WR_ERR_IO : (error->status = WR_ERR_STATE);
    enum wr_status status = WR_OK;
    uint64_t at = 0;
    while (at < to && status == WR_OK) {
        size_t n, wanted = (size_t)WR_MIN((at < from ? from : to) - at, sizeof bytes);
        status = wr_byte_source_read(source, bytes, wanted, &n, error);
        if (status == WR_ERR_STOPPED) status = WR_OK; /* a signal; a file does not keep anybody waiting */
        else if (status == WR_OK && n == 0)
            status = wr_error_set(error, WR_ERR_STATE, "%s: holds %llu bytes of text, and it held %llu when the state was saved",
                                  f->name, (unsigned long long)at, (unsigned long long)to);
        if (n && at >= from) piece(context, wr_slice_of(bytes, n));
        at += n;
    }
    wr_byte_source_close(source);
    return status == WR_ERR_INPUT ? error->status = WR_ERR_STATE : status;
}

static enum wr_container container_of_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot) return WR_CONTAINER_PLAIN;
    if (strcmp(dot, ".gz") == 0) return WR_CONTAINER_GZIP;
    if (strcmp(dot, ".zst") == 0) return WR_CONTAINER_ZSTD;
    return strcmp(dot, ".lz4") == 0 ? WR_CONTAINER_LZ4 : WR_CONTAINER_PLAIN;
}

static const struct wr_writer_class pipe_class = {.name = "pipe", .write = file_write, .flush = file_flush, .close = file_close};
static const struct wr_writer_class plain_class = {.name = "file",
                                                   .write = file_write,
                                                   .flush = file_flush,
                                                   .mark = file_mark,
                                                   .sync = file_sync,
                                                   .resume = file_resume,
                                                   .read_back = plain_read_back,
                                                   .close = file_close};
static const struct wr_writer_class packed_class = {.name = "compressed file",
                                                    .write = file_write,
                                                    .flush = file_flush,
                                                    .mark = file_mark,
                                                    .sync = file_sync,
                                                    .resume = file_resume,
                                                    .read_back = packed_read_back,
                                                    .compressed = true,
                                                    .close = file_close};

static int open_path(const char *path, bool again, bool *made)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    *made = !there;
    if (again && (!there || S_ISREG(st.st_mode))) return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/* again: the file of a run before this one; nothing of it is cut, and it may be read back. */
static struct wr_writer *open_file(const char *path, bool again, struct wr_error *error)
{
    bool standard = strcmp(path, "-") == 0, made = false;
    int fd = standard ? STDOUT_FILENO : open_path(path, again, &made);
    if (fd < 0) {
        int cause = errno;
        bool place = cause == ENOENT || cause == ENOTDIR || cause == EISDIR;
        wr_error_set(error, place ? WR_ERR_USAGE : WR_ERR_IO, "%s: %s", path,
                     cause == ENOENT   ? "its folder is not there"
                     : cause == EISDIR ? "is a directory; a file is wanted"
                                       : strerror(cause));
        return NULL;
    }
    struct file_writer *f = wr_alloc_zero(sizeof *f);
    enum wr_container container = standard ? WR_CONTAINER_PLAIN : container_of_name(path);
    struct stat st;
    bool keeps = !standard && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    f->writer.cls = !keeps ? &pipe_class : container == WR_CONTAINER_PLAIN ? &plain_class : &packed_class;
    f->fd = fd;
    f->owned = !standard;
    f->made = made;
    f->waiting = again && keeps;
    f->unsynced = true;
    f->path = wr_strdup(path);
    f->name = wr_strdup(standard ? "standard output" : path);
    wr_buf_reserve(&f->buffer, BUFFER_BYTES);
    if (container == WR_CONTAINER_PLAIN) return &f->writer;
    f->compressor = wr_compressor_new(container);
    if (f->compressor) return &f->writer;
    f->failed = true;
    file_close(&f->writer, NULL);
    wr_error_set(error, WR_ERR_MEMORY, "%s: no memory to compress it", path);
    return NULL;
}

struct wr_writer *wr_file_writer_new(const char *path, struct wr_error *error)
{
    return open_file(path, false, error);
}

struct wr_writer *wr_file_writer_reopen(const char *path, struct wr_error *error)
{
    return open_file(path, true, error);
}
