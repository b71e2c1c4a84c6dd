/* The directory that state lies in: making it, its lock, its file system, and why the disk refuses.
 *
 *   weir.lock   locked (flock) by the process that writes; the text is its process id
 *   data.mdb    the environment; lock.mdb LMDB's table of readers
 *   begin/      a new environment until its first commit is durable: data.mdb itself is never there half made
 *
 * So a directory without data.mdb holds no state yet, unless lock.mdb lies there: then the file has been lost. */
#include "runtime/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

/* LMDB needs memory maps that all processes see alike, POSIX locks and a working fsync. File systems over a network or in
 * a user's process promise none of them. overlayfs is not among them: containers have it as their root, and a file that is
 * opened for writing lies in its upper layer, an ordinary local file system, with that one's maps, locks and syncs. (What
 * it breaks is a file read before its first write: a reader must not be older than the copy. The writer copies at once,
 * and a reader opens the file anew each time.) tmpfs carries it too, as long as the machine is up. */
static const struct {
    unsigned long magic;
    const char *name;
} refused_file_systems[] = {
    {0x6969, "NFS"},           {0x517B, "SMB"},        {0xFF534D42, "CIFS"},     {0xFE534D42, "SMB"},   {0x65735546, "FUSE"},
    {0x01021997, "9p"},        {0x5346414F, "AFS"},    {0x6B414653, "AFS"},      {0x73757245, "Coda"},  {0x00C36400, "Ceph"},
    {0x0BD00BD0, "Lustre"},    {0x47504653, "GPFS"},   {0x19830326, "BeeGFS"},   {0x7461636F, "OCFS2"}, {0x01161970, "GFS2"},
    {0x786F4256, "VirtualBox"}, {0xBACBACBC, "VMware"}, {0x0000564C, "NetWare"}, {0x013111A8, "IBRIX"}, {0x61756673, "aufs"},
};

static enum wr_status check_file_system(struct wr_store_directory *d, struct wr_error *error)
{
    struct statfs fs;
    if (fstatfs(d->fd, &fs) != 0) return WR_OK; /* what cannot be asked is not refused */
    unsigned long magic = (unsigned long)fs.f_type & 0xFFFFFFFFu;
    for (size_t i = 0; i < WR_COUNT(refused_file_systems); i++)
        if (refused_file_systems[i].magic == magic)
            return wr_error_set(error, WR_ERR_USAGE,
                                "'%s' is on a file system (%s) that does not keep state safe: choose a local directory",
                                d->path, refused_file_systems[i].name);
    return WR_OK;
}

static bool present(const struct wr_store_directory *d, const char *name)
{
    struct stat st;
    return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A directory that has never been weir's and is not empty is left alone. */
static enum wr_status check_foreign(struct wr_store_directory *d, struct wr_error *error)
{
    if (present(d, "weir.lock") || present(d, "data.mdb")) return WR_OK;
    int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) {
        int code = errno;
        if (fd >= 0) close(fd);
        return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be listed: %s", d->path, strerror(code));
    }
    enum wr_status status = WR_OK;
    for (struct dirent *entry; status == WR_OK && (entry = readdir(listing));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0) continue;
        status = wr_error_set(error, WR_ERR_STATE,
                              "'%s' holds something else ('%s') and no state: name an empty directory, or one that is not there",
                              d->path, name);
    }
    closedir(listing);
    return status;
}

/* The process that the lock's text names; 0: it names none. */
static long holder_of(int fd)
{
    char text[32];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    if (size <= 0) return 0;
    text[size] = 0;
    return strtol(text, NULL, 10);
}

static enum wr_status in_use(struct wr_store_directory *d, int fd, struct wr_error *error)
{
    long holder = holder_of(fd);
    if (holder == (long)getpid())
        return wr_error_set(error, WR_ERR_USAGE, "'%s' is already open in this process", d->path);
    if (holder > 0)
        return wr_error_set(error, WR_ERR_USAGE,
                            "'%s' is in use by another weir (process %ld): stop it, or choose another directory", d->path,
                            holder);
    return wr_error_set(error, WR_ERR_USAGE, "'%s' is in use by another weir: stop it, or choose another directory", d->path);
}

/* A process that has just been killed holds its lock for a moment more: a second of patience, no longer. */
static bool take_lock(int fd)
{
    enum { TRIES = 20, WAIT_NS = 50000000 };
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == TRIES || holder_of(fd) == (long)getpid()) {
            if (i) errno = EWOULDBLOCK;
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
    return true;
}

static enum wr_status lock_for_writing(struct wr_store_directory *d, struct wr_error *error)
{
    d->lock_fd = openat(d->fd, "weir.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d->lock_fd < 0) {
        if (errno == ENOSPC || errno == EDQUOT) return wr_store_directory_failed(d, errno, 4096, error);
        return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be written: %s", d->path, strerror(errno));
    }
    if (!take_lock(d->lock_fd)) {
        if (errno == EWOULDBLOCK) return in_use(d, d->lock_fd, error);
        return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be locked: %s", d->path, strerror(errno));
    }
    /* For people only: on a full disk the lock holds without the text. Of fixed length, since emptying a file costs ext4
     * milliseconds. */
    char text[32];
    int size = snprintf(text, sizeof text, "%-20ld\n", (long)getpid());
    if (pwrite(d->lock_fd, text, (size_t)size, 0) != size) errno = 0;
    return WR_OK;
}

/* A reader goes on beside a writer of another process, by LMDB's table of readers. Where it cannot write that table (a
 * read-only disk, another user's directory), it may read only while nobody writes, and keeps it so. */
static enum wr_status lock_for_reading(struct wr_store_directory *d, struct wr_error *error)
{
    int fd = openat(d->fd, "weir.lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool free_ = fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0;
    const char *table = present(d, "lock.mdb") ? "lock.mdb" : ".";
    d->unlocked = faccessat(d->fd, table, W_OK, AT_EACCESS) != 0;
    enum wr_status status = WR_OK;
    if (!free_ && holder_of(fd) == (long)getpid()) status = in_use(d, fd, error);
    else if (!free_ && d->unlocked)
        status = wr_error_set(error, WR_ERR_USAGE,
                              "'%s' is being written by process %ld, and reading beside it needs the right to write 'lock.mdb'",
                              d->path, holder_of(fd));
    if (fd >= 0 && status == WR_OK && free_ && d->unlocked) d->lock_fd = fd;
    else if (fd >= 0) close(fd);
    return status;
}

static enum wr_status open_path(const struct wr_store_options *options, struct wr_store_directory *d, struct wr_error *error)
{
    bool made = false;
    if (!options->read_only) {
        made = mkdir(d->path, 0700) == 0;
        if (!made && errno != EEXIST) {
            if (errno == ENOSPC || errno == EDQUOT)
                return wr_error_set(error, WR_ERR_IO, "the disk that '%s' would be on is full", d->path);
            return wr_error_set(error, WR_ERR_USAGE, "the directory '%s' cannot be made: %s", d->path, strerror(errno));
        }
    }
    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0 && errno == ENOENT) return wr_error_set(error, WR_ERR_USAGE, "there is no directory '%s'", d->path);
    if (d->fd < 0) return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be opened: %s", d->path, strerror(errno));
    if (made) {
        WR_CRASH_POINT("open.directory_made");
        int parent = openat(d->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent >= 0) {
            if (!options->volatile_) fsync(parent); /* a parent that cannot be synced cannot be helped */
            close(parent);
        }
    }
    return WR_OK;
}

static void remove_beginning(struct wr_store_directory *d)
{
    unlinkat(d->fd, "begin/lock.mdb", 0);
    unlinkat(d->fd, "begin", AT_REMOVEDIR);
}

enum wr_status wr_store_directory_open(const struct wr_store_options *options, struct wr_store_directory *d,
                                       struct wr_error *error)
{
    WR_ASSERT(options->directory && *options->directory);
    *d = (struct wr_store_directory){.path = wr_strdup(options->directory), .fd = -1, .lock_fd = -1};
    for (size_t n = strlen(d->path); n > 1 && d->path[n - 1] == '/'; n--) d->path[n - 1] = 0;
    enum wr_status status = open_path(options, d, error);
    if (status == WR_OK && !options->any_file_system) status = check_file_system(d, error);
    if (status == WR_OK && !options->read_only) status = check_foreign(d, error);
    if (status == WR_OK) status = options->read_only ? lock_for_reading(d, error) : lock_for_writing(d, error);
    if (status != WR_OK) return status;
    WR_CRASH_POINT("open.locked");
    d->fresh = !present(d, "data.mdb");
    if (!d->fresh && !options->read_only) remove_beginning(d);
    if (d->fresh && present(d, "lock.mdb"))
        return wr_error_set(error, WR_ERR_STATE,
                            "the state in '%s' has lost its file 'data.mdb': bring it back from a copy, or name another "
                            "directory; --discard-state throws away what is left",
                            d->path);
    if (d->fresh && options->read_only) return wr_error_set(error, WR_ERR_USAGE, "there is no state in '%s'", d->path);
    return WR_OK;
}

enum wr_status wr_store_discard(const char *directory, struct wr_error *error)
{
    static const char *const file[] = {"data.mdb", "lock.mdb", "published", "begin/data.mdb"};
    struct wr_store_directory d = {.path = wr_strdup(directory), .fd = -1, .lock_fd = -1};
    d.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum wr_status status = WR_OK;
    if (d.fd < 0 && errno != ENOENT)
        status = wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be opened: %s", directory, strerror(errno));
    if (d.fd >= 0) status = check_foreign(&d, error);
    if (d.fd >= 0 && status == WR_OK) status = lock_for_writing(&d, error);
    for (size_t i = 0; d.fd >= 0 && status == WR_OK && i < WR_COUNT(file); i++)
        if (unlinkat(d.fd, file[i], 0) != 0 && errno != ENOENT && errno != ENOTDIR)
            status = wr_error_set(error, WR_ERR_USAGE, "'%s/%s' cannot be removed: %s", directory, file[i], strerror(errno));
    if (d.fd >= 0 && status == WR_OK) remove_beginning(&d);
    wr_store_directory_release(&d);
    return status;
}

void wr_store_directory_release(struct wr_store_directory *d)
{
    if (d->lock_fd >= 0) close(d->lock_fd);
    if (d->fd >= 0) close(d->fd);
    wr_free(d->path);
    *d = (struct wr_store_directory){.fd = -1, .lock_fd = -1};
}

enum wr_status wr_store_directory_begin(struct wr_store_directory *d, struct wr_error *error)
{
    WR_ASSERT(d->fresh && d->lock_fd >= 0);
    if (mkdirat(d->fd, "begin", 0700) != 0 && errno != EEXIST) {
        if (errno == ENOSPC || errno == EDQUOT) return wr_store_directory_failed(d, errno, 8192, error);
        return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be written: %s", d->path, strerror(errno));
    }
    unlinkat(d->fd, "begin/data.mdb", 0); /* of a run that came no further than this */
    unlinkat(d->fd, "begin/lock.mdb", 0);
    return WR_OK;
}

enum wr_status wr_store_directory_finish(struct wr_store_directory *d, bool volatile_, struct wr_error *error)
{
    WR_ASSERT(d->fresh && d->lock_fd >= 0);
    WR_CRASH_POINT("open.first_commit");
    if (renameat(d->fd, "begin/data.mdb", d->fd, "data.mdb") != 0 || (!volatile_ && fsync(d->fd) != 0))
        return wr_store_directory_failed(d, errno, 8192, error);
    WR_CRASH_POINT("open.renamed");
    remove_beginning(d);
    d->fresh = false;
    return WR_OK;
}

enum wr_status wr_store_directory_reserve(struct wr_store_directory *d, const char *inside, struct wr_error *error)
{
    WR_ASSERT(d->lock_fd >= 0);
    enum { TABLE_BYTES = 8192 }; /* LMDB's for the 126 readers that it allows */
    char name[32];
    snprintf(name, sizeof name, "%slock.mdb", inside);
    int fd = openat(d->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        if (errno == ENOSPC || errno == EDQUOT) return wr_store_directory_failed(d, errno, TABLE_BYTES, error);
        return wr_error_set(error, WR_ERR_USAGE, "'%s/%s' cannot be written: %s", d->path, name, strerror(errno));
    }
    struct stat st;
    int code = fstat(fd, &st) == 0 && st.st_blocks * 512 >= TABLE_BYTES ? 0 : posix_fallocate(fd, 0, TABLE_BYTES);
    close(fd);
    return code ? wr_store_directory_failed(d, code, TABLE_BYTES, error) : WR_OK;
}

uint64_t wr_store_directory_free(const struct wr_store_directory *d)
{
    struct statvfs fs;
    return fstatvfs(d->fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

/* "12.3 MB" */
static const char *bytes_text(uint64_t bytes, char text[static 32])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < WR_COUNT(units)) {
        value /= 1000;
        unit++;
    }
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

/* LMDB says EIO where a write came back short, which a full disk does: the free space decides. A limit of the process on
 * file sizes looks the same. */
enum wr_status wr_store_directory_failed(const struct wr_store_directory *d, int code, uint64_t needed, struct wr_error *error)
{
    WR_ASSERT(code && d->fd >= 0);
    char free_text[32], need_text[32];
    uint64_t free_bytes = wr_store_directory_free(d);
    struct rlimit limit;
    struct stat st;
    bool limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
                   fstatat(d->fd, "data.mdb", &st, 0) == 0 && (uint64_t)st.st_size + needed > limit.rlim_cur;
    if (code == EDQUOT)
        return wr_error_set(error, WR_ERR_IO, "the disk quota for '%s' is used up: about %s more are needed", d->path,
                            bytes_text(needed, need_text));
    if (code == ENOSPC || (code == EIO && free_bytes < needed))
        return wr_error_set(error, WR_ERR_IO, "the disk of '%s' is full: %s are free, about %s are needed", d->path,
                            bytes_text(free_bytes, free_text), bytes_text(needed, need_text));
    if (code == EFBIG || (code == EIO && limited))
        return wr_error_set(error, WR_ERR_IO, "'%s/data.mdb' would grow past this process's limit on the size of files (%s)",
                            d->path, bytes_text((uint64_t)limit.rlim_cur, free_text));
    return wr_error_set(error, WR_ERR_IO, "writing to '%s' failed: %s", d->path, strerror(code));
}
