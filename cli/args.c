/* Parsing of options from the one table, with suggestions for what is misspelt. */
#include "base/text.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

const struct wr_option_info wr_option_table[WR_OPTION_COUNT] = {
#define OPTION(id, name, letter, argument, commands, text) {WR_OPTION_##id, name, letter, argument, commands, text},
#include "cli/options.def"
#undef OPTION
};

bool wr_option_of_command(const struct wr_option_info *option, const char *command)
{
    if (strcmp(option->commands, "*") == 0) return true;
    size_t size = strlen(command);
    for (const char *p = option->commands; (p = strstr(p, command)); p += size)
        if ((p == option->commands || p[-1] == ' ') && (p[size] == 0 || p[size] == ' ')) return true;
    return false;
}

static const struct wr_option_info *find_long(const char *command, const char *name, size_t size)
{
    for (size_t i = 0; i < WR_OPTION_COUNT; i++) {
        const struct wr_option_info *o = &wr_option_table[i];
        if (strlen(o->name) == size && memcmp(o->name, name, size) == 0 && wr_option_of_command(o, command)) return o;
    }
    return NULL;
}

static const struct wr_option_info *find_letter(const char *command, char letter)
{
    for (size_t i = 0; i < WR_OPTION_COUNT; i++)
        if (wr_option_table[i].letter == letter && letter && wr_option_of_command(&wr_option_table[i], command))
            return &wr_option_table[i];
    return NULL;
}

static bool unknown_long(const char *command, const char *name, size_t size)
{
    struct wr_suggestion s;
    wr_suggestion_init(&s, wr_slice_of(name, size));
    for (size_t i = 0; i < WR_OPTION_COUNT; i++)
        if (wr_option_of_command(&wr_option_table[i], command))
            wr_suggestion_offer(&s, wr_slice_cstr(wr_option_table[i].name));
    struct wr_slice best = wr_suggestion_best(&s);
    if (best.size)
        wr_fail(WR_EXIT_USAGE, "`weir %s` has no option '--%.*s'; did you mean '--%.*s'?", command, (int)size, name,
                WR_SLICE_ARG(best));
    else
        wr_fail(WR_EXIT_USAGE, "`weir %s` has no option '--%.*s'; `weir %s --help` lists them", command, (int)size,
                name, command);
    return false;
}

/* Parses the option at argv[*i]; steps over its argument. */
static bool parse_option(struct wr_args *args, const char *command, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value = NULL;
    const struct wr_option_info *option;
    if (word[1] == '-') {
        const char *name = word + 2, *equals = strchr(name, '=');
        size_t size = equals ? (size_t)(equals - name) : strlen(name);
        option = find_long(command, name, size);
        if (!option) return unknown_long(command, name, size);
        value = equals ? equals + 1 : NULL;
    } else {
        option = find_letter(command, word[1]);
        if (!option) {
            wr_fail(WR_EXIT_USAGE, "`weir %s` has no option '-%c'; `weir %s --help` lists them", command, word[1], command);
            return false;
        }
        if (word[2]) value = word[2] == '=' ? word + 3 : word + 2;
    }
    bool optional = option->argument && option->argument[0] == '['; /* only as --name=value */
    if (option->argument && !value && !optional) {
        if (*i + 1 >= argc) {
            wr_fail(WR_EXIT_USAGE, "option '--%s' wants %s behind it", option->name, option->argument);
            return false;
        }
        value = argv[++*i];
    } else if (!option->argument && value) {
        wr_fail(WR_EXIT_USAGE, "option '--%s' takes no value", option->name);
        return false;
    }
    wr_vec_push(&args->option, (struct wr_given_option){option->id, value});
    return true;
}

static bool decide_color(struct wr_args *args)
{
    const char *wanted = wr_args_value(args, WR_OPTION_COLOR), *term = getenv("TERM"), *no = getenv("NO_COLOR");
    bool automatic = !(no && *no) && !(term && strcmp(term, "dumb") == 0);
    args->color = automatic && isatty(STDERR_FILENO);
    args->color_out = automatic && isatty(STDOUT_FILENO);
    if (!wanted || strcmp(wanted, "auto") == 0) return true;
    if (strcmp(wanted, "always") == 0 || strcmp(wanted, "never") == 0) {
        args->color = args->color_out = wanted[0] == 'a';
        return true;
    }
    wr_fail(WR_EXIT_USAGE, "--color is always, never or auto, not '%s'", wanted);
    return false;
}

bool wr_args_parse(struct wr_args *args, const char *command, int argc, char **argv)
{
    args->command = command;
    bool options = true;
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(args, command, argc, argv, &i)) return false;
        } else {
            wr_vec_push(&args->positional, argv[i]);
        }
    }
    return decide_color(args);
}

void wr_args_release(struct wr_args *args)
{
    wr_vec_release(&args->option);
    wr_vec_release(&args->positional);
}

bool wr_args_has(const struct wr_args *args, enum wr_option_id id)
{
    for (size_t i = 0; i < args->option.count; i++)
        if (args->option.at[i].id == id) return true;
    return false;
}

const char *wr_args_value(const struct wr_args *args, enum wr_option_id id)
{
    for (size_t i = args->option.count; i > 0; i--)
        if (args->option.at[i - 1].id == id) return args->option.at[i - 1].value;
    return NULL;
}

bool wr_args_number(const struct wr_args *args, enum wr_option_id id, int64_t low, int64_t high, int64_t fallback,
                    int64_t *value)
{
    const char *text = wr_args_value(args, id);
    *value = fallback;
    if (!text) return true;
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end || end == text || v < low || v > high) {
        wr_fail(WR_EXIT_USAGE, "--%s wants a whole number from %lld to %lld, not '%s'", wr_option_table[id].name,
                (long long)low, (long long)high, text);
        return false;
    }
    *value = v;
    return true;
}
