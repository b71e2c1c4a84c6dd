/* Lines into a file or to standard output, compressed where the file's name says so. What the system refuses is
 * said with its own words: at a write, at the latest when the writer is closed. */
#include "base/fault.h"
#include "connectors/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, GIVE_BYTES = 1 << 20 };

struct file_writer {
    struct wr_writer writer;
    int fd;
    bool owned;
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
        if (f->compressor) wr_compress(f->compressor, (struct wr_slice){0}, WR_COMPRESS_FINISH, &f->buffer);
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

static enum wr_container container_of_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot) return WR_CONTAINER_PLAIN;
    if (strcmp(dot, ".gz") == 0) return WR_CONTAINER_GZIP;
    if (strcmp(dot, ".zst") == 0) return WR_CONTAINER_ZSTD;
    return strcmp(dot, ".lz4") == 0 ? WR_CONTAINER_LZ4 : WR_CONTAINER_PLAIN;
}

struct wr_writer *wr_file_writer_new(const char *path, struct wr_error *error)
{
    static const struct wr_writer_class cls = {.name = "file", .write = file_write, .flush = file_flush, .close = file_close};
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
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
    f->writer.cls = &cls;
    f->fd = fd;
    f->owned = !standard;
    f->name = wr_strdup(standard ? "standard output" : path);
    wr_buf_reserve(&f->buffer, BUFFER_BYTES);
    if (container == WR_CONTAINER_PLAIN) return &f->writer;
    f->compressor = wr_compressor_new(container);
    if (f->compressor) return &f->writer;
    file_close(&f->writer, NULL);
    wr_error_set(error, WR_ERR_MEMORY, "%s: no memory to compress it", path);
    return NULL;
}
