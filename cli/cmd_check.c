/* weir check: every error and warning of programs, at once. */
#include "cli/language.h"
#include "cli/wtest.h"

/* One annotation line per diagnostic, as GitHub's log commands want them. */
static void print_github(const struct wr_diags *diags, struct wr_buf *out)
{
    const struct wr_diag **order = wr_diags_by_place(diags);
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct wr_diag *d = order[i];
        const struct wr_source *source = &diags->sources->at[d->span.file];
        struct wr_position at = wr_source_position(source, d->span.start);
        wr_buf_printf(out, "::%s file=%.*s,line=%u,col=%u,title=%s::",
                      wr_diag_severity(d->code) == WR_SEVERITY_ERROR ? "error" : "warning",
                      WR_SLICE_ARG(source->name), at.line, at.column, wr_diag_name(d->code));
        wr_buf_printf(out, "%.*s\n", WR_SLICE_ARG(d->message));
    }
}

/* Text goes to standard error, what a machine reads to standard output. */
static int check_read(struct wr_args *args, struct wr_language *language, const char *format)
{
    struct wr_program *program = wr_language_compile(language, args);
    struct wr_buf out = {0};
    int code = program ? WR_EXIT_DONE : WR_EXIT_PROGRAM;
    if (strcmp(format, "json") == 0) wr_diags_render_json(&language->diags, &out);
    else if (strcmp(format, "github") == 0) print_github(&language->diags, &out);
    else if (code != WR_EXIT_DONE || !wr_args_has(args, WR_OPTION_QUIET))
        wr_diags_render(&language->diags, args->color, &out);
    if (out.size && strcmp(format, "text") == 0) fwrite(out.data, 1, out.size, stderr);
    else if (out.size) wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
    if (program) wr_program_free(program);
    return code;
}

static int check_text(struct wr_args *args, const char *path, const char *format,
                      struct wr_slice text)
{
    struct wr_language language;
    wr_language_init(&language);
    language.file = wr_sources_add(&language.sources, wr_slice_cstr(path), text);
    int code = check_read(args, &language, format);
    wr_language_release(&language);
    return code;
}

/* The programs of a Markdown file: a fence with all those that continue it is one. */
static int check_fences(struct wr_args *args, const char *path, const char *format)
{
    struct wr_buf text = {0}, program = {0};
    int code, worst = WR_EXIT_DONE;
    bool read = wr_read_file(path, &text, &code);
    struct wr_slice rest = wr_buf_slice(&text);
    struct wr_fence fence;
    uint32_t line = 1;
    while (read && wr_fence_next(&rest, &line, &fence)) {
        if (!wr_fence_is_program(&fence) || wr_fence_has_errors(&fence)) continue;
        if (program.size && !wr_fence_continues(&fence)) {
            code = check_text(args, path, format, wr_buf_slice(&program));
            worst = WR_MAX(worst, code);
        }
        wr_fence_program(&fence, &program);
    }
    if (program.size) {
        code = check_text(args, path, format, wr_buf_slice(&program));
        worst = WR_MAX(worst, code);
    }
    wr_buf_release(&text);
    wr_buf_release(&program);
    return read ? worst : code;
}

static int check_one(struct wr_args *args, const char *path, const char *format)
{
    if (wr_path_ends(path, ".md")) return check_fences(args, path, format);
    struct wr_language language;
    int code;
    wr_language_init(&language);
    if (wr_language_read(&language, path, &code)) code = check_read(args, &language, format);
    wr_language_release(&language);
    return code;
}

int wr_cli_check(struct wr_args *args)
{
    const char *format = wr_args_value(args, WR_OPTION_FORMAT);
    if (!format) format = wr_args_has(args, WR_OPTION_JSON) ? "json" : "text";
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 && strcmp(format, "github") != 0)
        return wr_fail(WR_EXIT_USAGE, "--format of check is text, json or github, not '%s'",
                       format);
    static const char *const ends[] = {".weir", ".md", NULL};
    int worst = WR_EXIT_DONE;
    for (size_t i = 0; i < WR_MAX(args->positional.count, (size_t)1); i++) {
        struct wr_paths paths = {0};
        const char *path = args->positional.count ? args->positional.at[i] : ".";
        wr_paths_add(&paths, path, ends);
        if (!paths.list.count) wr_fail(0, "%s: no .weir or .md file in it", path);
        for (size_t k = 0; k < paths.list.count; k++) {
            int code = check_one(args, paths.list.at[k], format);
            worst = WR_MAX(worst, code);
        }
        wr_paths_release(&paths);
    }
    return worst;
}
