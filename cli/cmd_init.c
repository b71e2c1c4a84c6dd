/* weir init --from FILE: a first program for a recording. */
#include "cli/cli.h"

#include <errno.h>
#include <sys/stat.h>

static bool make_folder(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0) return true;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return true;
    wr_fail(0, "%s: %s", path, errno == EEXIST ? "is there, and no folder" : strerror(errno));
    return false;
}

static int write_program(struct wr_args *args, const char *path, const char *from, const char *stream,
                         struct wr_slice text)
{
    struct stat st;
    if (stat(path, &st) == 0 && !wr_args_has(args, WR_OPTION_FORCE))
        return wr_fail(WR_EXIT_USAGE, "%s is there already; --force overwrites it", path);
    if (!wr_write_file(path, text)) return WR_EXIT_IO;
    fprintf(stderr, "wrote %s; now run: weir replay %s --in %s=%s\n", path, path, stream, from);
    return WR_EXIT_DONE;
}

int wr_cli_init(struct wr_args *args)
{
    const char *from = wr_args_value(args, WR_OPTION_FROM);
    if (!from) return wr_fail(WR_EXIT_USAGE, "init wants a recording: weir init --from payments.jsonl");
    if (args->positional.count > 1) return wr_fail(WR_EXIT_USAGE, "init takes one folder");
    const char *folder = args->positional.count ? args->positional.at[0] : ".";
    struct wr_buf name = {0}, path = {0}, text = {0};
    int code;
    wr_stream_name_of(from, &name);
    const char *stream = wr_buf_cstr(&name);
    wr_buf_printf(&text, "-- Inferred from the first rows of %s: look at each guess.\n", from);
    if (wr_declare_from_file(stream, from, true, &text, &code)) {
        wr_buf_printf(&text, "\nSELECT * FROM %s;\n", stream);
        wr_buf_printf(&path, "%s/%s.weir", folder, stream);
        code = make_folder(folder) ? write_program(args, wr_buf_cstr(&path), from, stream, wr_buf_slice(&text))
                                   : WR_EXIT_IO;
    }
    wr_buf_release(&name);
    wr_buf_release(&path);
    wr_buf_release(&text);
    return code;
}
