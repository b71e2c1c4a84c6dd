/* weir version, weir --version. */
#include "cli/cli.h"

int wr_cli_version(struct wr_args *args)
{
    if (wr_args_has(args, WR_OPTION_JSON)) printf("{\"version\":1,\"weir\":\"%s\"}\n", weir_version());
    else printf("weir %s\n", weir_version());
    return WR_EXIT_DONE;
}
