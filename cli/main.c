/* weir: finds the command and gives it its arguments. */
#include "base/fault.h"
#include "base/text.h"
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>

const struct wr_command_info wr_command_table[] = {
#define COMMAND(name, function, arguments, line, example, more) {#name, function, arguments, line, example, more},
#include "cli/commands.def"
#undef COMMAND
};
const size_t wr_command_count = WR_COUNT(wr_command_table);

const struct wr_command_info *wr_command_find(const char *name)
{
    for (size_t i = 0; i < wr_command_count; i++)
        if (strcmp(wr_command_table[i].name, name) == 0) return &wr_command_table[i];
    return NULL;
}

/* Commands of the design that are not here yet: an honest answer instead of a guess. */
static const char *const later_commands[] = {"diff", "run", "record", "gen", "state", "savepoint", "dlq",
                                             "tap", "top", "shell", "bench", "doctor", "serve", "lsp", "deploy"};

static void print_overview(FILE *out)
{
    fputs("weir finds patterns and computes windows over event streams.\n\n"
          "  weir query \"SELECT card, amount FROM payments WHERE amount > 500\" payments.jsonl\n"
          "  weir replay fraud.weir --in payments=payments.jsonl\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < wr_command_count; i++)
        fprintf(out, "  %-11s %s\n", wr_command_table[i].name, wr_command_table[i].line);
    fputs("\n`weir COMMAND --help` shows an example and every option; `weir help TOPIC` explains more.\n", out);
}

static int unknown_command(const char *name)
{
    for (size_t i = 0; i < WR_COUNT(later_commands); i++)
        if (strcmp(later_commands[i], name) == 0)
            return wr_fail(WR_EXIT_USAGE, "this version has no command '%s'; `weir help` lists those it has", name);
    struct wr_suggestion s;
    wr_suggestion_init(&s, wr_slice_cstr(name));
    for (size_t i = 0; i < wr_command_count; i++) wr_suggestion_offer(&s, wr_slice_cstr(wr_command_table[i].name));
    struct wr_slice best = wr_suggestion_best(&s);
    if (best.size)
        return wr_fail(WR_EXIT_USAGE, "unknown command '%s'; did you mean '%.*s'?", name, WR_SLICE_ARG(best));
    return wr_fail(WR_EXIT_USAGE, "unknown command '%s'; `weir help` lists the commands", name);
}

/* Builds with WR_FAULTS take faults from the environment, for tests; others do not look. */
static bool faults_understood(void)
{
#ifdef WR_FAULTS
    const char *wrong = wr_fault_configure(getenv("WEIR_CRASH_AT"), getenv("WEIR_FAIL_AT"));
    if (wrong) return wr_fail(WR_EXIT_USAGE, "%s", wrong), false;
    if (!wr_fault_set_defect(getenv("WEIR_DEFECT")))
        return wr_fail(WR_EXIT_USAGE, "WEIR_DEFECT names no defect of base/fault.def"), false;
    const char *check = getenv("WEIR_STATE_CHECK");
    wr_fault_check_state(check && *check);
#endif
    return true;
}

/* For tests, in the same builds: the names that WEIR_CRASH_AT and WEIR_DEFECT take. */
static bool fault_names_wanted(int argc, char **argv)
{
#ifdef WR_FAULTS
    if (argc != 3 || strcmp(argv[1], "version") != 0) return false;
    bool defects = strcmp(argv[2], "--defects") == 0;
    if (!defects && strcmp(argv[2], "--crash-points") != 0) return false;
    const char *name;
    for (size_t i = 0; (name = defects ? wr_fault_defect_name(i) : wr_fault_name(i)); i++) puts(name);
    return true;
#else
    WR_UNUSED(argc);
    WR_UNUSED(argv);
    return false;
#endif
}

int main(int argc, char **argv)
{
    /* A broken pipe and a file that may grow no further are statuses of the write, not the death of the process. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!faults_understood()) return WR_EXIT_USAGE;
    if (fault_names_wanted(argc, argv)) return WR_EXIT_DONE;
    if (argc < 2) {
        print_overview(stderr);
        return WR_EXIT_USAGE;
    }
    const char *name = argv[1];
    bool version = strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0;
    bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (help || (strcmp(name, "help") == 0 && argc == 2)) {
        print_overview(stdout);
        return WR_EXIT_DONE;
    }
    const struct wr_command_info *command = wr_command_find(version ? "version" : name);
    if (!command) {
        if (name[0] == '-') return wr_fail(WR_EXIT_USAGE, "unknown option '%s'; options stand behind a command", name);
        return unknown_command(name);
    }
    struct wr_args args = {0};
    int code = WR_EXIT_USAGE;
    if (wr_args_parse(&args, command->name, argc - 2, argv + 2)) {
        if (wr_args_has(&args, WR_OPTION_HELP)) {
            bool brief = false;
            for (int i = 2; i < argc; i++) brief = brief || strcmp(argv[i], "-h") == 0;
            wr_print_usage(command, brief, stdout);
            code = WR_EXIT_DONE;
        } else if (wr_args_has(&args, WR_OPTION_VERSION) && command->run != wr_cli_version) {
            code = wr_cli_version(&args);
        } else {
            code = command->run(&args);
        }
    }
    wr_args_release(&args);
    if (fflush(stdout) != 0 && code == WR_EXIT_DONE) code = WR_EXIT_IO;
    return code;
}
