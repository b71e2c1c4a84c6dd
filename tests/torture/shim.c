/* Loss of power, for tests: LD_PRELOADed below weir and LMDB. Before bytes under WEIR_SHIM_DIR change, what stood there is
 * noted in WEIR_SHIM_LOG/<inode>; a sync of the file forgets the notes. After a kill, power.py puts a random part of
 * what was noted back, sector by sector, as a disk does that had not written them yet. A descriptor opened with
 * O_DSYNC keeps nothing to lose. WEIR_SHIM_FAIL=n: the n-th sync fails with EIO. WEIR_SHIM_KILL=n: the n-th write, cut or
 * sync of a file under WEIR_SHIM_DIR kills the process before it happens; without WEIR_SHIM_LOG nothing is noted.
 *
 * A note: 8 bytes each of offset, size of the file before, count of old bytes; the old bytes. Process death between a
 * note and its write does no harm: the note says what is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long syncs, changes;

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);
typedef ssize_t write_fn(int, const void *, size_t);
typedef ssize_t writev_fn(int, const struct iovec *, int);
typedef int sync_fn(int);
typedef int truncate_fn(int, off_t);

/* Is it a file of ours that can lose something? */
static int watched(int fd, struct stat *st)
{
    const char *folder = getenv("WEIR_SHIM_DIR");
    char link[64], path[PATH_MAX];
    if (!folder || fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* Under the mutex. Is this the change that the process is to be killed at? */
static void count_change(void)
{
    const char *at = getenv("WEIR_SHIM_KILL");
    if (!at || ++changes != strtoul(at, NULL, 10)) return;
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void log_path(const struct stat *st, char *path)
{
    snprintf(path, PATH_MAX, "%s/%llu", getenv("WEIR_SHIM_LOG"), (unsigned long long)st->st_ino);
}

/* Notes what stands in [offset, offset + size) now. */
static void note(int fd, const struct stat *st, uint64_t offset, uint64_t size)
{
    char path[PATH_MAX], link[64];
    if (!getenv("WEIR_SHIM_LOG")) return;
    log_path(st, path);
    uint64_t end = offset + size < (uint64_t)st->st_size ? offset + size : (uint64_t)st->st_size;
    uint64_t old = end > offset ? end - offset : 0, head[3] = {offset, (uint64_t)st->st_size, old};
    char *bytes = malloc(sizeof head + old);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int reading = open(link, O_RDONLY | O_CLOEXEC), log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    memcpy(bytes, head, sizeof head);
    if (reading < 0 || log < 0 || pread(reading, bytes + sizeof head, old, (off_t)offset) != (ssize_t)old ||
        REAL("write", write_fn *)(log, bytes, sizeof head + old) != (ssize_t)(sizeof head + old)) {
        static const char message[] = "shim: cannot note what a write changes\n";
        (void)!REAL("write", write_fn *)(2, message, sizeof message - 1);
        abort();
    }
    close(reading);
    close(log);
    free(bytes);
}

static void before(int fd, off_t offset, size_t size)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (!watched(fd, &st)) return;
    count_change();
    if (flags & O_DSYNC) return;
    if (flags & O_APPEND) offset = st.st_size;
    note(fd, &st, (uint64_t)offset, size);
}

static ssize_t locked_write(int fd, const struct iovec *part, int count, off_t offset)
{
    size_t size = 0;
    for (int i = 0; i < count; i++) size += part[i].iov_len;
    pthread_mutex_lock(&mutex);
    before(fd, offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR), size);
    ssize_t n = offset >= 0 ? REAL("pwrite", pwrite_fn *)(fd, part->iov_base, part->iov_len, offset)
                            : REAL("writev", writev_fn *)(fd, part, count);
    int code = errno;
    pthread_mutex_unlock(&mutex);
    errno = code;
    return n;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return locked_write(fd, &(struct iovec){(void *)(uintptr_t)bytes, size}, 1, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) { return pwrite(fd, bytes, size, offset); }

ssize_t write(int fd, const void *bytes, size_t size)
{
    return locked_write(fd, &(struct iovec){(void *)(uintptr_t)bytes, size}, 1, -1);
}

ssize_t writev(int fd, const struct iovec *part, int count) { return locked_write(fd, part, count, -1); }

int ftruncate(int fd, off_t size)
{
    struct stat st;
    pthread_mutex_lock(&mutex);
    if (watched(fd, &st) && size != st.st_size) {
        count_change();
        note(fd, &st, (uint64_t)size, size < st.st_size ? (uint64_t)(st.st_size - size) : 0);
    }
    int rc = REAL("ftruncate", truncate_fn *)(fd, size), code = errno;
    pthread_mutex_unlock(&mutex);
    errno = code;
    return rc;
}

int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

/* Everything written so far is safe. The disk itself is left in peace. */
static int synced(int fd)
{
    struct stat st;
    char path[PATH_MAX];
    const char *fail = getenv("WEIR_SHIM_FAIL");
    pthread_mutex_lock(&mutex);
    int fails = fail && ++syncs == strtoul(fail, NULL, 10);
    int ours = watched(fd, &st);
    if (ours) count_change();
    if (!fails && ours && getenv("WEIR_SHIM_LOG")) {
        log_path(&st, path);
        unlink(path);
    }
    pthread_mutex_unlock(&mutex);
    if (fails) errno = EIO;
    return fails ? -1 : 0;
}

int fsync(int fd) { return synced(fd); }

int fdatasync(int fd) { return synced(fd); }
