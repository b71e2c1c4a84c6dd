/* weir fmt: the one canonical layout. */
#include "cli/language.h"
#include "dsl/fmt.h"

static int format_one(struct wr_args *args, const char *path)
{
    struct wr_language language;
    struct wr_buf out = {0};
    int code;
    wr_language_init(&language);
    if (wr_language_read(&language, path, &code)) {
        struct wr_slice text = language.sources.at[language.file].text;
        code = WR_EXIT_DONE;
        if (!wr_fmt(&language.arena, &language.diags, language.file, wr_args_has(args, WR_OPTION_EXPAND), &out)) {
            wr_buf_clear(&out);
            wr_diags_render(&language.diags, args->color, &out);
            fwrite(out.data, 1, out.size, stderr);
            code = WR_EXIT_PROGRAM;
        } else if (wr_args_has(args, WR_OPTION_CHECK)) {
            if (!wr_slice_equal(text, wr_buf_slice(&out))) {
                printf("%s\n", path);
                code = WR_EXIT_NO;
            }
        } else if (!wr_args_has(args, WR_OPTION_WRITE)) {
            wr_put_out(wr_buf_slice(&out));
        } else if (!wr_slice_equal(text, wr_buf_slice(&out)) && !wr_write_file(path, wr_buf_slice(&out))) {
            code = WR_EXIT_IO;
        }
    }
    wr_buf_release(&out);
    wr_language_release(&language);
    return code;
}

int wr_cli_fmt(struct wr_args *args)
{
    if (args->positional.count == 0) return wr_fail(WR_EXIT_USAGE, "fmt wants a program ('-' is standard input)");
    int worst = WR_EXIT_DONE;
    for (size_t i = 0; i < args->positional.count; i++) {
        int code = format_one(args, args->positional.at[i]);
        worst = WR_MAX(worst, code);
    }
    return worst;
}
