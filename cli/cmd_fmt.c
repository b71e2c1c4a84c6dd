/* weir fmt: the one canonical layout. */
#include "cli/language.h"
#include "cli/wtest.h"
#include "dsl/fmt.h"

/* What becomes of the text of a file once it is laid out. */
static int give(struct wr_args *args, const char *path, struct wr_slice before,
                struct wr_slice after)
{
    bool same = wr_slice_equal(before, after);
    if (wr_args_has(args, WR_OPTION_CHECK)) {
        if (!same) printf("%s\n", path);
        return same ? WR_EXIT_DONE : WR_EXIT_NO;
    }
    if (!wr_args_has(args, WR_OPTION_WRITE)) wr_put_out(after);
    else if (!same && !wr_write_file(path, after)) return WR_EXIT_IO;
    return WR_EXIT_DONE;
}

static int format_test(struct wr_args *args, const char *path)
{
    struct wr_buf text = {0}, out = {0};
    const char *why;
    uint32_t line;
    int code;
    if (wr_read_file(path, &text, &code))
        code = wr_test_format(wr_buf_slice(&text), &out, &why, &line)
                   ? give(args, path, wr_buf_slice(&text), wr_buf_slice(&out))
                   : wr_fail(WR_EXIT_PROGRAM, "%s:%u: %s", path, line, why);
    wr_buf_release(&text);
    wr_buf_release(&out);
    return code;
}

static int format_one(struct wr_args *args, const char *path)
{
    struct wr_language language;
    struct wr_buf out = {0};
    int code;
    wr_language_init(&language);
    if (wr_language_read(&language, path, &code)) {
        struct wr_slice text = language.sources.at[language.file].text;
        code = WR_EXIT_DONE;
        if (!wr_fmt(&language.arena, &language.diags, language.file,
                    wr_args_has(args, WR_OPTION_EXPAND), &out)) {
            wr_buf_clear(&out);
            wr_diags_render(&language.diags, args->color, &out);
            fwrite(out.data, 1, out.size, stderr);
            code = WR_EXIT_PROGRAM;
        } else {
            code = give(args, path, text, wr_buf_slice(&out));
        }
    }
    wr_buf_release(&out);
    wr_language_release(&language);
    return code;
}

int wr_cli_fmt(struct wr_args *args)
{
    static const char *const ends[] = {".weir", ".wtest", NULL};
    if (args->positional.count == 0)
        return wr_fail(WR_EXIT_USAGE, "fmt wants a program or a folder ('-' is standard input)");
    int worst = WR_EXIT_DONE;
    for (size_t i = 0; i < args->positional.count; i++) {
        struct wr_paths paths = {0};
        bool folder = wr_is_folder(args->positional.at[i]);
        if (folder && !wr_args_has(args, WR_OPTION_CHECK) && !wr_args_has(args, WR_OPTION_WRITE))
            return wr_fail(WR_EXIT_USAGE, "%s is a folder: --check looks at its files, -w rewrites them",
                           args->positional.at[i]);
        wr_paths_add(&paths, args->positional.at[i], ends);
        for (size_t k = 0; k < paths.list.count; k++) {
            const char *path = paths.list.at[k];
            int code = wr_path_ends(path, ".wtest") ? format_test(args, path) : format_one(args, path);
            worst = WR_MAX(worst, code);
        }
        wr_paths_release(&paths);
    }
    return worst;
}
