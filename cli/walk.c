/* Files below a folder. */
#include "cli/cli.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool wr_path_ends(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

bool wr_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Hidden folders are left out, and links to folders, which may go round. */
static void walk(const char *folder, const char *const *end, struct wr_paths *paths)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        struct wr_buf path = {0};
        struct stat st;
        if (strcmp(folder, ".") == 0) wr_buf_add_cstr(&path, entry->d_name);
        else
            wr_buf_printf(&path, "%s%s%s", folder, wr_path_ends(folder, "/") ? "" : "/",
                          entry->d_name);
        const char *name = wr_buf_cstr(&path);
        if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode)) walk(name, end, paths);
        else
            for (size_t i = 0; end[i]; i++)
                if (wr_path_ends(name, end[i])) wr_vec_push(&paths->list, wr_strdup(name));
        wr_buf_release(&path);
    }
    closedir(dir);
}

void wr_paths_add(struct wr_paths *paths, const char *path, const char *const *end)
{
    size_t before = paths->list.count;
    if (wr_is_folder(path)) walk(path, end, paths);
    else wr_vec_push(&paths->list, wr_strdup(path));
    size_t added = paths->list.count - before;
    if (added) qsort(paths->list.at + before, added, sizeof *paths->list.at, compare_paths);
}

void wr_paths_release(struct wr_paths *paths)
{
    for (size_t i = 0; i < paths->list.count; i++) wr_free(paths->list.at[i]);
    wr_vec_release(&paths->list);
}
