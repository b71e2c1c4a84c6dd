/* weir check: every error and warning of programs, at once. */
#include "cli/language.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef WR_VEC(char *) path_list;

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* All .weir files below a folder, hidden folders left out. */
static void walk(const char *folder, path_list *paths)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        struct wr_buf path = {0};
        struct stat st;
        wr_buf_printf(&path, "%s/%s", folder, entry->d_name);
        const char *name = wr_buf_cstr(&path);
        if (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) walk(name, paths);
        else if (ends_with(name, ".weir")) wr_vec_push(paths, wr_strdup(name));
        wr_buf_release(&path);
    }
    closedir(dir);
}

/* One annotation line per diagnostic, as GitHub's log commands want them. */
static void print_github(const struct wr_diags *diags, struct wr_buf *out)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct wr_diag *d = &diags->at[i];
        const struct wr_source *source = &diags->sources->at[d->span.file];
        struct wr_position at = wr_source_position(source, d->span.start);
        wr_buf_printf(out, "::%s file=%.*s,line=%u,col=%u,title=%s::",
                      wr_diag_severity(d->code) == WR_SEVERITY_ERROR ? "error" : "warning", WR_SLICE_ARG(source->name),
                      at.line, at.column, wr_diag_name(d->code));
        wr_buf_printf(out, "%.*s\n", WR_SLICE_ARG(d->message));
    }
}

/* Text goes to standard error, what a machine reads to standard output. */
static int check_one(struct wr_args *args, const char *path, const char *format)
{
    struct wr_language language;
    int code;
    wr_language_init(&language);
    if (wr_language_read(&language, path, &code)) {
        struct wr_program *program = wr_language_compile(&language, args);
        struct wr_buf out = {0};
        code = program ? WR_EXIT_DONE : WR_EXIT_PROGRAM;
        if (strcmp(format, "json") == 0) wr_diags_render_json(&language.diags, &out);
        else if (strcmp(format, "github") == 0) print_github(&language.diags, &out);
        else if (code != WR_EXIT_DONE || !wr_args_has(args, WR_OPTION_QUIET))
            wr_diags_render(&language.diags, args->color, &out);
        if (out.size && strcmp(format, "text") == 0) fwrite(out.data, 1, out.size, stderr);
        else if (out.size) wr_put_out(wr_buf_slice(&out));
        wr_buf_release(&out);
        if (program) wr_program_free(program);
    }
    wr_language_release(&language);
    return code;
}

int wr_cli_check(struct wr_args *args)
{
    const char *format = wr_args_value(args, WR_OPTION_FORMAT);
    if (!format) format = wr_args_has(args, WR_OPTION_JSON) ? "json" : "text";
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 && strcmp(format, "github") != 0)
        return wr_fail(WR_EXIT_USAGE, "--format of check is text, json or github, not '%s'", format);
    if (args->positional.count == 0) return wr_fail(WR_EXIT_USAGE, "check wants a program or a folder: weir check PATH");
    int worst = WR_EXIT_DONE;
    for (size_t i = 0; i < args->positional.count; i++) {
        path_list paths = {0};
        struct stat st;
        const char *path = args->positional.at[i];
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) walk(path, &paths);
        else wr_vec_push(&paths, wr_strdup(path));
        if (paths.count) qsort(paths.at, paths.count, sizeof *paths.at, compare_paths);
        else wr_fail(0, "%s: no .weir file in it", path);
        for (size_t k = 0; k < paths.count; k++) {
            int code = check_one(args, paths.at[k], format);
            worst = WR_MAX(worst, code);
            wr_free(paths.at[k]);
        }
        wr_vec_release(&paths);
    }
    return worst;
}
