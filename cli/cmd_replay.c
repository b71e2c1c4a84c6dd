/* weir replay: a program over recorded files. */
#include "cli/cli.h"

int wr_cli_replay(struct wr_args *args)
{
    if (args->positional.count == 0)
        return wr_fail(WR_EXIT_USAGE, "replay wants a program: weir replay PROGRAM --in NAME=PATH");
    int code;
    weir_program *program = wr_load_program(args, args->positional.at[0], &code);
    if (!program) return code;
    code = wr_run_program(args, program, args->positional.at + 1, args->positional.count - 1);
    weir_program_free(program);
    return code;
}
