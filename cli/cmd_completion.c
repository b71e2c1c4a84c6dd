/* weir completion: scripts for shells, made from the tables of commands and options. */
#include "cli/cli.h"

static void bash(struct wr_buf *out)
{
    wr_buf_add_cstr(out, "_weir() {\n    local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
                         "    if [ \"$COMP_CWORD\" -eq 1 ]; then words='");
    for (size_t i = 0; i < wr_command_count; i++) wr_buf_printf(out, "%s%s", i ? " " : "", wr_command_table[i].name);
    wr_buf_add_cstr(out, " --help --version'\n    else case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        wr_buf_printf(out, "        %s) words='", wr_command_table[i].name);
        for (size_t k = 0; k < WR_OPTION_COUNT; k++)
            if (wr_option_of_command(&wr_option_table[k], wr_command_table[i].name))
                wr_buf_printf(out, "--%s ", wr_option_table[k].name);
        wr_buf_add_cstr(out, "' ;;\n");
    }
    wr_buf_add_cstr(out, "    esac; fi\n"
                         "    case $cur in\n"
                         "        -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
                         "        *) if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                         "           else COMPREPLY=($(compgen -f -- \"${cur#*=}\")); fi ;;\n"
                         "    esac\n}\ncomplete -o filenames -F _weir weir\n");
}

/* A single quote inside a single-quoted word of the shell. */
static void quoted(struct wr_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') wr_buf_add_cstr(out, "'\\''");
        else wr_buf_add_char(out, *text);
    }
}

static void zsh(struct wr_buf *out)
{
    wr_buf_add_cstr(out, "#compdef weir\n_weir() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        wr_buf_printf(out, "        '%s:", wr_command_table[i].name);
        quoted(out, wr_command_table[i].line);
        wr_buf_add_cstr(out, "'\n");
    }
    wr_buf_add_cstr(out, "    )\n    if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
                         "    case $words[2] in\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        wr_buf_printf(out, "        %s) _arguments", wr_command_table[i].name);
        for (size_t k = 0; k < WR_OPTION_COUNT; k++) {
            const struct wr_option_info *o = &wr_option_table[k];
            if (!wr_option_of_command(o, wr_command_table[i].name)) continue;
            wr_buf_printf(out, " '*--%s%s[", o->name, o->argument ? "=" : "");
            for (const char *p = o->text; *p; p++) {
                if (*p == '\'') wr_buf_add_cstr(out, "'\\''");
                else if (*p == '[' || *p == ']' || *p == ':') wr_buf_printf(out, "\\%c", *p);
                else wr_buf_add_char(out, *p);
            }
            wr_buf_printf(out, "]%s'", o->argument ? ":value:_files" : "");
        }
        wr_buf_add_cstr(out, " '*:file:_files' ;;\n");
    }
    wr_buf_add_cstr(out, "    esac\n}\n_weir \"$@\"\n");
}

static void fish(struct wr_buf *out)
{
    for (size_t i = 0; i < wr_command_count; i++) {
        wr_buf_printf(out, "complete -c weir -n __fish_use_subcommand -f -a %s -d '", wr_command_table[i].name);
        quoted(out, wr_command_table[i].line);
        wr_buf_add_cstr(out, "'\n");
        for (size_t k = 0; k < WR_OPTION_COUNT; k++) {
            const struct wr_option_info *o = &wr_option_table[k];
            if (!wr_option_of_command(o, wr_command_table[i].name)) continue;
            wr_buf_printf(out, "complete -c weir -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
                          wr_command_table[i].name, o->name, o->argument ? " -r" : "");
            quoted(out, o->text);
            wr_buf_add_cstr(out, "'\n");
        }
    }
}

int wr_cli_completion(struct wr_args *args)
{
    const char *shell = args->positional.count == 1 ? args->positional.at[0] : "";
    struct wr_buf out = {0};
    if (strcmp(shell, "bash") == 0) bash(&out);
    else if (strcmp(shell, "zsh") == 0) zsh(&out);
    else if (strcmp(shell, "fish") == 0) fish(&out);
    else return wr_fail(WR_EXIT_USAGE, "completion wants bash, zsh or fish");
    wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
    return WR_EXIT_DONE;
}
