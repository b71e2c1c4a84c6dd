/* Bytes of a file or of standard input. What a file is, its first bytes say, never its name. */
#include "base/fault.h"
#include "connectors/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAW_BYTES = 256 * 1024, MAGIC_BYTES = 4, STEP_MAX = 1 << 20 };

struct wr_byte_source {
    int fd;                  /* -1: memory, or a feed */
    struct wr_feed *feed;    /* NULL: memory */
    bool owned;              /* fd is closed with the source */
    char *name;
    uint64_t done, total;    /* bytes of the file itself, not of what is in it */
    struct wr_decompressor *decompressor; /* NULL: plain */
    char *raw;               /* compressed bytes, RAW_BYTES; NULL for a plain source */
    struct wr_slice unread;  /* part of raw, or of the memory */
    size_t step;             /* memory: bytes that one read gives */
    bool raw_end;
    struct wr_buf head;      /* bytes that were looked at before they were asked for */
    size_t head_read;
    struct wr_error failed;  /* what the read behind the head will say; WR_OK: nothing */
    bool seekable;           /* a plain file, opened by its name */
};

/* One read(2). WR_ERR_STOPPED: a signal came first; nothing was read and nothing is lost. */
static enum wr_status raw_read(struct wr_byte_source *s, char *out, size_t capacity, size_t *size,
                               struct wr_error *error)
{
    *size = 0;
    if (s->feed) {
        struct wr_feed *feed = s->feed;
        if (!wr_feed_waits(feed) && !feed->ended)
            return wr_error_set(error, WR_ERR_STOPPED, "%s: nothing yet", s->name);
        *size = WR_MIN(capacity, feed->bytes.size - feed->taken);
        if (*size) memcpy(out, feed->bytes.data + feed->taken, *size);
        feed->taken += *size;
        if (!wr_feed_waits(feed)) feed->bytes.size = feed->taken = 0;
    } else if (s->fd < 0) {
        *size = WR_MIN(WR_MIN(capacity, s->step), s->unread.size);
        if (*size) memcpy(out, s->unread.data, *size);
        s->unread = wr_slice_of(s->unread.data + *size, s->unread.size - *size);
    } else {
        ssize_t n = WR_FAULT_DUE(WR_FAULT_FILE) ? (errno = EIO, -1) : read(s->fd, out, WR_MIN(capacity, (size_t)STEP_MAX));
        if (n < 0 && errno == EINTR) return wr_error_set(error, WR_ERR_STOPPED, "%s: interrupted", s->name);
        if (n < 0) return wr_error_set(error, WR_ERR_IO, "%s: %s", s->name, strerror(errno));
        *size = (size_t)n;
    }
    s->done += *size;
    if (*size == 0) s->raw_end = true;
    return WR_OK;
}

static enum wr_status unpack(struct wr_byte_source *s, char *out, size_t capacity, size_t *size,
                             struct wr_error *error)
{
    char *to = out;
    size_t room = capacity;
    enum wr_status status = WR_OK;
    while (status == WR_OK && room == capacity) {
        if (s->unread.size == 0 && !s->raw_end) {
            size_t n;
            status = raw_read(s, s->raw, RAW_BYTES, &n, error);
            if (status != WR_OK) break;
            s->unread = wr_slice_of(s->raw, n);
        }
        status = wr_decompress(s->decompressor, &s->unread, &to, &room, s->raw_end, error);
        if (status != WR_OK && status != WR_END) wr_error_context(error, "%s", s->name);
    }
    *size = capacity - room;
    return status == WR_END ? WR_OK : status;
}

/* Reads past the head. An error that comes with bytes is kept until those are given. */
static enum wr_status read_on(struct wr_byte_source *s, char *out, size_t capacity, size_t *size,
                              struct wr_error *error)
{
    *size = 0;
    if (s->failed.status != WR_OK) {
        if (error) *error = s->failed;
        return s->failed.status;
    }
    struct wr_error local = {0};
    enum wr_status status = s->decompressor ? unpack(s, out, capacity, size, &local)
                                            : raw_read(s, out, capacity, size, &local);
    if (status == WR_OK) return WR_OK;
    if (status != WR_ERR_STOPPED) s->failed = local;
    if (*size) return WR_OK;
    if (error) *error = local;
    return status;
}

enum wr_status wr_byte_source_read(struct wr_byte_source *s, char *out, size_t capacity, size_t *size,
                                   struct wr_error *error)
{
    WR_ASSERT(capacity > 0);
    size_t n = WR_MIN(capacity, s->head.size - s->head_read);
    if (n == 0) return read_on(s, out, capacity, size, error);
    memcpy(out, s->head.data + s->head_read, n);
    s->head_read += n;
    *size = n;
    return WR_OK;
}

struct wr_slice wr_byte_source_peek(struct wr_byte_source *s, size_t wanted)
{
    WR_ASSERT(s->head_read == 0);
    while (s->head.size < wanted && !(s->head.size && memchr(s->head.data, '\n', s->head.size))) {
        size_t n;
        char *to = wr_buf_reserve(&s->head, wanted);
        enum wr_status status = read_on(s, to, wanted, &n, NULL);
        if (status != WR_OK || n == 0) break;
        s->head.size += n;
    }
    return wr_buf_slice(&s->head);
}

bool wr_byte_source_jump(struct wr_byte_source *s, uint64_t byte)
{
    if (!s->seekable || byte > INT64_MAX || lseek(s->fd, (off_t)byte, SEEK_SET) < 0) return false;
    s->head_read = s->head.size = 0;
    s->failed = (struct wr_error){0};
    s->raw_end = false;
    s->done = byte;
    return true;
}

bool wr_byte_source_is_feed(const struct wr_byte_source *s)
{
    return s->feed != NULL;
}

const char *wr_byte_source_name(const struct wr_byte_source *s)
{
    return s->name;
}

void wr_byte_source_progress(const struct wr_byte_source *s, uint64_t *done, uint64_t *total)
{
    *done = s->done - (s->decompressor ? s->unread.size : 0);
    *total = s->total;
}

void wr_byte_source_close(struct wr_byte_source *s)
{
    if (!s) return;
    if (s->owned) close(s->fd);
    wr_decompressor_free(s->decompressor);
    wr_free(s->raw);
    wr_free(s->name);
    wr_buf_release(&s->head);
    wr_free(s);
}

struct magic {
    const char *bytes;
    unsigned size;
    enum wr_container container;
    const char *refused; /* what it is, when it cannot be read */
};

static const struct magic magics[] = {
    {"\x1f\x8b", 2, WR_CONTAINER_GZIP, NULL},
    {"\x28\xb5\x2f\xfd", 4, WR_CONTAINER_ZSTD, NULL},
    {"\x04\x22\x4d\x18", 4, WR_CONTAINER_LZ4, NULL},
    {"\xfd" "7zX", 4, WR_CONTAINER_PLAIN, "compressed with xz"},
    {"BZh", 3, WR_CONTAINER_PLAIN, "compressed with bzip2"},
    {"PK\x03\x04", 4, WR_CONTAINER_PLAIN, "a zip archive"},
    {"\x02\x21\x4c\x18", 4, WR_CONTAINER_PLAIN, "an lz4 file in the old form without frames"},
    {"Obj\x01", 4, WR_CONTAINER_PLAIN, "an Avro file"},
    {"PAR1", 4, WR_CONTAINER_PLAIN, "a Parquet file"},
    {"\xff\xfe", 2, WR_CONTAINER_PLAIN, "text in UTF-16"},
    {"\xfe\xff", 2, WR_CONTAINER_PLAIN, "text in UTF-16"},
};

static const struct magic *magic_of(struct wr_slice head)
{
    /* zstd and lz4 may begin with a frame to be skipped; the tools of zstd are the ones that write it. */
    static const struct magic skippable = {"", 0, WR_CONTAINER_ZSTD, NULL};
    if (head.size >= 4 && (head.data[0] & 0xf0) == 0x50 && memcmp(head.data + 1, "\x2a\x4d\x18", 3) == 0)
        return &skippable;
    for (size_t i = 0; i < WR_COUNT(magics); i++)
        if (head.size >= magics[i].size && memcmp(head.data, magics[i].bytes, magics[i].size) == 0)
            return &magics[i];
    return NULL;
}

/* Reads the first bytes and sets up what they ask for. */
static enum wr_status look(struct wr_byte_source *s, struct wr_error *error)
{
    char first[4096];
    size_t have = 0;
    while (have < MAGIC_BYTES && !s->raw_end) {
        size_t n;
        enum wr_status status = raw_read(s, first + have, sizeof first - have, &n, error);
        if (status != WR_OK) return status;
        have += n;
    }
    const struct magic *magic = magic_of(wr_slice_of(first, have));
    if (magic && magic->refused)
        return wr_error_set(error, WR_ERR_INPUT, "%s: is %s, which weir does not read", s->name, magic->refused);
    if (!magic) {
        wr_buf_add(&s->head, first, have);
        return WR_OK;
    }
    s->seekable = false;
    s->decompressor = wr_decompressor_new(magic->container);
    if (!s->decompressor) return wr_error_set(error, WR_ERR_MEMORY, "%s: no memory to decompress it", s->name);
    s->raw = wr_alloc(RAW_BYTES);
    memcpy(s->raw, first, have);
    s->unread = wr_slice_of(s->raw, have);
    return WR_OK;
}

struct wr_byte_source *wr_byte_source_open(const char *path, struct wr_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        wr_error_set(error, WR_ERR_USAGE, "%s: %s", standard ? "standard input" : path, strerror(errno));
        if (fd >= 0 && !standard) close(fd);
        return NULL;
    }
    struct wr_byte_source *s = wr_alloc_zero(sizeof *s);
    s->fd = fd;
    s->owned = !standard;
    s->name = wr_strdup(standard ? "standard input" : path);
    if (S_ISDIR(st.st_mode)) {
        wr_error_set(error, WR_ERR_USAGE, "%s: is a directory; a file is wanted", s->name);
        wr_byte_source_close(s);
        return NULL;
    }
    if (S_ISREG(st.st_mode)) {
        s->total = (uint64_t)st.st_size;
        s->seekable = !standard;
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    if (look(s, error) != WR_OK) {
        wr_byte_source_close(s);
        return NULL;
    }
    return s;
}

struct wr_byte_source *wr_byte_source_memory(const char *name, struct wr_slice bytes, size_t step)
{
    struct wr_byte_source *s = wr_alloc_zero(sizeof *s);
    s->fd = -1;
    s->name = wr_strdup(name);
    s->unread = bytes;
    s->step = step;
    s->total = bytes.size;
    return s;
}

struct wr_byte_source *wr_byte_source_feed(const char *name, struct wr_feed *feed)
{
    struct wr_byte_source *s = wr_alloc_zero(sizeof *s);
    s->fd = -1;
    s->name = wr_strdup(name);
    s->feed = feed;
    return s;
}
