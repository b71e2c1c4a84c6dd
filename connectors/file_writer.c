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

enum { BUFFER_BYTES = 256 * 1024, GIVE_BYTES = 1 << 20 };

struct file_writer {
    struct wr_writer writer;
    int fd;
    bool owned;
    bool unmarked;  /* something has been written since the last mark */
    bool unsynced;  /* the file's name may not be durable yet */
    uint64_t size;  /* bytes handed to the system */
    enum wr_container container;
    bool failed; /* the system has refused; nothing more is tried, also not by close */
    char *name;
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
    if (f->compressor) wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FLUSH, &f->buffer);
    return hand_over(f, (struct wr_slice){0}, error);
}

static enum wr_status file_close(struct wr_writer *writer, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    enum wr_status status = WR_OK;
    if (!f->failed) {
        if (f->compressor && (f->unmarked || !f->size))
            wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FINISH, &f->buffer);
        status = hand_over(f, (struct wr_slice){0}, error);
    }
    /* Some file systems only say here that the disk is full. EINTR leaves the descriptor closed. */
    if (f->owned && close(f->fd) != 0 && errno != EINTR && status == WR_OK && !f->failed)
        status = refused(f, errno, error);
    wr_compressor_free(f->compressor);
    wr_buf_release(&f->buffer);
    wr_free(f->name);
    wr_free(f);
    return status;
}

/* ---- Outputs that outlive a crash ------------------------------------------------------------------- */

static enum wr_status file_mark(struct wr_writer *writer, uint64_t *size, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    if (f->failed) return already_failed(f, error);
    if (f->compressor && f->unmarked) { /* a frame ends here; what follows is the next one */
        wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FINISH, &f->buffer);
        wr_compressor_free(f->compressor);
        f->compressor = wr_compressor_new(f->container);
        if (!f->compressor) return wr_error_set(error, WR_ERR_MEMORY, "%s: no memory to compress it", f->name);
    }
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
    if (fd >= 0) close(fd);
    wr_free(folder);
    return rc;
}

/* May run beside the other functions: it reads what they do not change. */
static enum wr_status file_sync(struct wr_writer *writer, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    bool failed = WR_FAULT_DUE(WR_FAULT_FILE);
    if (failed) errno = EIO;
    failed = failed || fdatasync(f->fd) != 0 || (f->unsynced && sync_folder(f->name) != 0);
    if (failed && errno != EINVAL && errno != EROFS) /* a pipe or a device has nothing to sync */
        return wr_error_set(error, WR_ERR_IO, "%s: %s", f->name, strerror(errno));
    f->unsynced = false;
    return WR_OK;
}

static enum wr_status file_resume(struct wr_writer *writer, uint64_t size, struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    struct stat st;
    WR_ASSERT(!f->size && !f->buffer.size);
    WR_CRASH_POINT("output.before_cut");
    if (fstat(f->fd, &st) != 0) return refused(f, errno, error);
    if ((uint64_t)st.st_size < size)
        return wr_error_set(error, WR_ERR_STATE, "%s: has %lld bytes, and the state was made when it had %llu", f->name,
                            (long long)st.st_size, (unsigned long long)size);
    if (ftruncate(f->fd, (off_t)size) != 0 || lseek(f->fd, (off_t)size, SEEK_SET) < 0) return refused(f, errno, error);
    WR_CRASH_POINT("output.after_cut");
    f->size = size;
    return WR_OK;
}

static enum wr_status file_read_back(struct wr_writer *writer, uint64_t from, uint64_t to,
                                     void (*piece)(void *context, struct wr_slice bytes), void *context,
                                     struct wr_error *error)
{
    struct file_writer *f = (struct file_writer *)writer;
    char bytes[65536];
    while (from < to) {
        ssize_t n = pread(f->fd, bytes, (size_t)WR_MIN(to - from, sizeof bytes), (off_t)from);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return wr_error_set(error, WR_ERR_IO, "%s: %s", f->name, strerror(errno));
        if (n == 0) return wr_error_set(error, WR_ERR_STATE, "%s: is shorter than it was", f->name);
        piece(context, wr_slice_of(bytes, (size_t)n));
        from += (uint64_t)n;
    }
    return WR_OK;
}

static enum wr_container container_of_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot) return WR_CONTAINER_PLAIN;
    if (strcmp(dot, ".gz") == 0) return WR_CONTAINER_GZIP;
    if (strcmp(dot, ".zst") == 0) return WR_CONTAINER_ZSTD;
    return strcmp(dot, ".lz4") == 0 ? WR_CONTAINER_LZ4 : WR_CONTAINER_PLAIN;
}

/* again: the file of a run before this one; nothing is cut, and it may be read back. */
static struct wr_writer *open_file(const char *path, bool again, struct wr_error *error)
{
    static const struct wr_writer_class pipe = {.name = "pipe", .write = file_write, .flush = file_flush, .close = file_close};
    static const struct wr_writer_class plain = {.name = "file", .write = file_write, .flush = file_flush,
                                                 .mark = file_mark, .sync = file_sync, .resume = file_resume,
                                                 .read_back = file_read_back, .close = file_close};
    static const struct wr_writer_class packed = {.name = "compressed file", .write = file_write, .flush = file_flush,
                                                  .mark = file_mark, .sync = file_sync, .resume = file_resume,
                                                  .close = file_close};
    bool standard = strcmp(path, "-") == 0;
    int flags = again ? O_RDWR | O_CREAT | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    int fd = standard ? STDOUT_FILENO : open(path, flags, 0666);
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
    f->container = standard ? WR_CONTAINER_PLAIN : container_of_name(path);
    struct stat st;
    bool keeps = !standard && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    f->writer.cls = !keeps ? &pipe : f->container == WR_CONTAINER_PLAIN ? &plain : &packed;
    f->fd = fd;
    f->owned = !standard;
    f->unsynced = true;
    f->name = wr_strdup(standard ? "standard output" : path);
    wr_buf_reserve(&f->buffer, BUFFER_BYTES);
    if (f->container == WR_CONTAINER_PLAIN) return &f->writer;
    f->compressor = wr_compressor_new(f->container);
    if (f->compressor) return &f->writer;
    file_close(&f->writer, NULL);
    wr_error_set(error, WR_ERR_MEMORY, "%s: no memory to compress it", path);
    return NULL;
}

struct wr_writer *wr_file_writer_new(const char *path, struct wr_error *error) { return open_file(path, false, error); }

struct wr_writer *wr_file_writer_reopen(const char *path, struct wr_error *error) { return open_file(path, true, error); }
