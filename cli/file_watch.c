/* Changes of files by inotify. Folders are watched and not files: an editor that writes a new file and renames it leaves
 * the old one without a word. A file is known by its folder's watch and its name there. */
#include "cli/file_watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUIET_MS = 60, NAMES_SHOWN = 4 };
static const uint32_t EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR;

volatile sig_atomic_t wr_stop_asked;

struct place {
    int folder; /* its watch */
    char *name;
};
struct watched {
    char *path;
    bool bad;
    WR_VEC(struct place) needs;
};
struct wr_file_watch {
    int fd;
    bool everything; /* more has changed than can be told */
    bool full;       /* said that no more folders can be watched */
    size_t current;
    WR_VEC(struct watched) file;
    WR_VEC(struct place) changed;
};

/* ---- Signals --------------------------------------------------------------------------------- */

static void on_stop(int signal_number)
{
    wr_stop_asked = signal_number;
    signal(signal_number, SIG_DFL);
}

void wr_file_watch_signals(bool catches)
{
    struct sigaction action = {.sa_handler = catches ? on_stop : SIG_DFL};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* -1: it is no folder. A folder that is watched already keeps its number. */
static int watch_folder(struct wr_file_watch *watch, const char *path)
{
    int folder = inotify_add_watch(watch->fd, *path ? path : ".", EVENTS);
    if (folder < 0 && errno == ENOSPC && !watch->full) {
        watch->full = true;
        wr_fail(0, "no more folders can be watched: fs.inotify.max_user_watches is the limit");
    }
    return folder;
}

static struct place place_of(struct wr_file_watch *watch, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = wr_strdup(path);
    folder[slash ? slash - path + 1 : 0] = 0;
    struct place place = {watch_folder(watch, folder), wr_strdup(slash ? slash + 1 : path)};
    wr_free(folder);
    return place;
}

static bool same_place(const struct place *a, const struct place *b)
{
    return a->folder >= 0 && a->folder == b->folder && strcmp(a->name, b->name) == 0;
}

static void clear_needs(struct watched *file)
{
    for (size_t i = 0; i < file->needs.count; i++) wr_free(file->needs.at[i].name);
    wr_vec_clear(&file->needs);
}

static void release_file(struct watched *file)
{
    clear_needs(file);
    wr_vec_release(&file->needs);
    wr_free(file->path);
}

static void clear_changed(struct wr_file_watch *watch)
{
    for (size_t i = 0; i < watch->changed.count; i++) wr_free(watch->changed.at[i].name);
    wr_vec_clear(&watch->changed);
    watch->everything = false;
}

struct wr_file_watch *wr_file_watch_new(void)
{
    struct wr_file_watch *watch = wr_alloc_zero(sizeof *watch);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd >= 0) return watch;
    wr_fail(0, "files cannot be watched: %s", strerror(errno));
    wr_free(watch);
    return NULL;
}

void wr_file_watch_free(struct wr_file_watch *watch)
{
    clear_changed(watch);
    for (size_t i = 0; i < watch->file.count; i++) release_file(&watch->file.at[i]);
    wr_vec_release(&watch->file);
    wr_vec_release(&watch->changed);
    close(watch->fd);
    wr_free(watch);
}

/* Hidden folders are left out, and links to folders, as in the walk for tests. */
void wr_file_watch_folder(struct wr_file_watch *watch, const char *path)
{
    DIR *dir = watch_folder(watch, path) >= 0 ? opendir(path) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        struct wr_buf inner = {0};
        struct stat st;
        wr_buf_printf(&inner, "%s/%s", path, entry->d_name);
        if (lstat(wr_buf_cstr(&inner), &st) == 0 && S_ISDIR(st.st_mode)) wr_file_watch_folder(watch, wr_buf_cstr(&inner));
        wr_buf_release(&inner);
    }
    if (dir) closedir(dir);
}

/* ---- Files of tests -------------------------------------------------------------------------- */

static size_t find(const struct wr_file_watch *watch, const char *path)
{
    size_t i = 0;
    while (i < watch->file.count && strcmp(watch->file.at[i].path, path) != 0) i++;
    return i;
}

void wr_file_watch_begin(struct wr_file_watch *watch, const char *path)
{
    watch->current = find(watch, path);
    if (watch->current == watch->file.count) wr_vec_push(&watch->file, (struct watched){.path = wr_strdup(path)});
    clear_needs(&watch->file.at[watch->current]);
    wr_file_watch_needs(watch, path);
}

/* Also where a link leads: the file behind it is what an editor writes. */
void wr_file_watch_needs(struct wr_file_watch *watch, const char *path)
{
    struct watched *file = &watch->file.at[watch->current];
    char real[PATH_MAX];
    wr_vec_push(&file->needs, place_of(watch, path));
    if (realpath(path, real)) wr_vec_push(&file->needs, place_of(watch, real));
}

void wr_file_watch_bad(struct wr_file_watch *watch, bool bad)
{
    watch->file.at[watch->current].bad = bad;
}

static bool needs_place(const struct watched *file, const struct place *place)
{
    for (size_t i = 0; i < file->needs.count; i++)
        if (same_place(&file->needs.at[i], place)) return true;
    return false;
}

/* A program that nobody is known to need may be the one that a failing test misses. */
static bool may_be_missed(const struct wr_file_watch *watch, const struct place *place)
{
    if (!strstr(place->name, ".weir")) return false;
    for (size_t i = 0; i < watch->file.count; i++)
        if (needs_place(&watch->file.at[i], place)) return false;
    return true;
}

bool wr_file_watch_affected(const struct wr_file_watch *watch, const char *path)
{
    size_t at = find(watch, path);
    if (at == watch->file.count || watch->everything) return true;
    const struct watched *file = &watch->file.at[at];
    for (size_t i = 0; i < watch->changed.count; i++)
        if (needs_place(file, &watch->changed.at[i]) || (file->bad && may_be_missed(watch, &watch->changed.at[i])))
            return true;
    return false;
}

bool wr_file_watch_any_bad(const struct wr_file_watch *watch)
{
    for (size_t i = 0; i < watch->file.count; i++)
        if (watch->file.at[i].bad) return true;
    return false;
}

void wr_file_watch_keep(struct wr_file_watch *watch, const struct wr_paths *paths)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->file.count; i++) {
        bool listed = false;
        for (size_t k = 0; k < paths->list.count && !listed; k++)
            listed = strcmp(watch->file.at[i].path, paths->list.at[k]) == 0;
        if (listed) watch->file.at[kept++] = watch->file.at[i];
        else release_file(&watch->file.at[i]);
    }
    watch->file.count = kept;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void take_change(struct wr_file_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) watch->everything = true;
    if (!event->len) return;
    for (size_t i = 0; i < watch->changed.count; i++)
        if (watch->changed.at[i].folder == event->wd && strcmp(watch->changed.at[i].name, event->name) == 0) return;
    wr_vec_push(&watch->changed, (struct place){event->wd, wr_strdup(event->name)});
}

/* Takes what the kernel has; true: there was something. */
static bool take_changes(struct wr_file_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[16384];
    bool any = false;
    for (ssize_t n; (n = read(watch->fd, bytes, sizeof bytes)) > 0; any = true)
        for (char *p = bytes; p < bytes + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)p;
            take_change(watch, event);
            p += sizeof *event + event->len;
        }
    return any;
}

bool wr_file_watch_wait(struct wr_file_watch *watch)
{
    struct pollfd ready = {.fd = watch->fd, .events = POLLIN};
    const struct timespec quiet = {.tv_nsec = QUIET_MS * 1000000L};
    sigset_t blocked, before;
    bool changed = false;
    clear_changed(watch);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before); /* a signal comes only while ppoll waits: none is missed */
    while (!wr_stop_asked) {
        int n = ppoll(&ready, 1, changed ? &quiet : NULL, &before);
        if (n > 0) changed |= take_changes(watch);
        else if (n == 0 || errno != EINTR) break;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return !wr_stop_asked && changed;
}

void wr_file_watch_print_changed(const struct wr_file_watch *watch, struct wr_buf *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < watch->changed.count; i++) {
        bool needed = false;
        for (size_t k = 0; k < watch->file.count && !needed; k++)
            needed = needs_place(&watch->file.at[k], &watch->changed.at[i]);
        if (needed && shown++ < NAMES_SHOWN) wr_buf_printf(out, "%s%s", shown > 1 ? ", " : "", watch->changed.at[i].name);
    }
    if (shown > NAMES_SHOWN) wr_buf_printf(out, " and %zu more", shown - NAMES_SHOWN);
    if (!shown) wr_buf_add_cstr(out, "files");
}
