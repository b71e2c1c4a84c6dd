/* weir compile: a program file from a text. */
#include "cli/cli.h"

/* fraud.weir → fraud.weirc; anything else gets ".weirc" behind it. */
static void default_output(const char *path, struct wr_buf *out)
{
    size_t size = strlen(path);
    if (size > 5 && strcmp(path + size - 5, ".weir") == 0) size -= 5;
    wr_buf_add(out, path, size);
    wr_buf_add_cstr(out, ".weirc");
}

int wr_cli_compile(struct wr_args *args)
{
    if (args->positional.count != 1) return wr_fail(WR_EXIT_USAGE, "compile wants one program: weir compile PROGRAM");
    const char *path = args->positional.at[0], *wanted = wr_args_value(args, WR_OPTION_OUTPUT);
    if (!wanted && strcmp(path, "-") == 0)
        return wr_fail(WR_EXIT_USAGE, "say where the bytecode goes: weir compile - -o OUT.weirc");
    int code;
    weir_program *program = wr_load_program(args, path, &code);
    if (!program) return code;
    struct wr_buf out = {0};
    if (wanted) wr_buf_add_cstr(&out, wanted);
    else default_output(path, &out);
    weir_text *bytes = NULL;
    weir_error error = {0};
    weir_status status = weir_program_save(program, &bytes, &error);
    code = wr_exit_of(status, &error);
    if (status == WEIR_OK &&
        !wr_write_file(wr_buf_cstr(&out), wr_slice_of(weir_text_data(bytes), weir_text_size(bytes))))
        code = WR_EXIT_IO;
    weir_text_free(bytes);
    weir_program_free(program);
    wr_buf_release(&out);
    return code;
}
