/* weir query: a text over files that nobody declared. The declarations are inferred and put before the text. */
#include "cli/cli.h"

#include <strings.h>
#include <sys/stat.h>

struct bound {
    char *text;       /* NAME=PATH, as replay's --in takes it */
    const char *name; /* into text */
    const char *path; /* into text */
};

/* NAME=PATH when what stands before the first '=' is a name; else a path, named by its file name. */
static struct bound bind_argument(const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t name_size = equals ? (size_t)(equals - argument) : 0;
    bool named = name_size > 0 && !memchr(argument, '/', name_size) && !memchr(argument, '.', name_size);
    struct wr_buf buf = {0};
    if (named) {
        wr_buf_add(&buf, argument, name_size);
    } else {
        wr_stream_name_of(argument, &buf);
        name_size = buf.size;
    }
    wr_buf_add_char(&buf, '=');
    wr_buf_add_cstr(&buf, named ? equals + 1 : argument);
    wr_buf_add_char(&buf, 0);
    return (struct bound){buf.data, buf.data, buf.data + name_size + 1};
}

/* Declares each name once: further files of a name are further partitions of its stream. */
static bool declare_all(const struct bound *bound, size_t count, struct wr_buf *preamble, int *code)
{
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        size_t size = (size_t)(bound[i].path - bound[i].name);
        for (size_t k = 0; k < i; k++) seen = seen || strncmp(bound[k].name, bound[i].name, size) == 0;
        if (seen) continue;
        struct wr_buf name = {0};
        wr_buf_add(&name, bound[i].name, size - 1);
        if (strcmp(bound[i].path, "-") == 0) {
            wr_fail(0, "query looks at a file's head to infer its columns, which standard input has not; "
                       "name a file, or declare the stream and use `weir replay`");
            wr_buf_release(&name);
            *code = WR_EXIT_USAGE;
            return false;
        }
        bool ok = wr_declare_from_file(wr_buf_cstr(&name), bound[i].path, false, preamble, code);
        wr_buf_release(&name);
        if (!ok) return false;
    }
    return true;
}

/* false after a message: a file that the text does not read is a slip, and its rows would be missed in silence. */
static bool all_are_read(const weir_program *program, const struct bound *bound, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int size = (int)(bound[i].path - bound[i].name) - 1;
        bool read = false;
        const char *stream = NULL; /* one that files were given for */
        for (size_t k = 0; !read && weir_program_input(program, k); k++) {
            const char *input = weir_program_input(program, k);
            read = strlen(input) == (size_t)size && strncasecmp(input, bound[i].name, (size_t)size) == 0;
            if (!strpbrk(input, "./")) stream = input;
        }
        if (read) continue;
        if (stream)
            wr_fail(0, "%s is not read: the query has no FROM %.*s (to read files as one stream: %s=%s %s=…)", bound[i].path,
                    size, bound[i].name, stream, bound[i].path, stream);
        else
            wr_fail(0, "%s is not read: the query has no FROM %.*s", bound[i].path, size, bound[i].name);
        return false;
    }
    return true;
}

static int compile_and_run(struct wr_args *args, const char *preamble, const struct bound *bound, size_t count)
{
    const char *text = args->positional.at[0];
    weir_compile_options options = WEIR_COMPILE_OPTIONS_INIT;
    options.color = args->color;
    options.warnings = !wr_args_has(args, WR_OPTION_QUIET);
    options.infer_files = 1;
    options.preamble = preamble;
    options.flink_dialect = wr_args_dialect(args);
    options.recorded = options.name_columns = options.whole_input = 1;
    weir_program *program = NULL;
    weir_text *diagnostics = NULL;
    weir_status status = weir_compile("query", text, strlen(text), &options, &program, &diagnostics);
    if (diagnostics) fputs(weir_text_data(diagnostics), stderr);
    weir_text_free(diagnostics);
    if (status != WEIR_OK) return status == WEIR_E_MEMORY ? wr_exit_of(status, NULL) : (int)status;
    if (!all_are_read(program, bound, count)) {
        weir_program_free(program);
        return WR_EXIT_USAGE;
    }
    WR_VEC(const char *) input = {0};
    for (size_t i = 0; i < count; i++) wr_vec_push(&input, bound[i].text);
    int code = wr_run_program(args, program, input.at, input.count);
    wr_vec_release(&input);
    weir_program_free(program);
    return code;
}

/* The text is the first argument, and one. false after a message. */
static bool is_text_first(const struct wr_args *args)
{
    const char *text = args->positional.count ? args->positional.at[0] : NULL;
    struct stat seen;
    if (!text)
        wr_fail(0, "query wants a text: weir query \"SELECT * FROM payments\" payments.jsonl");
    else if (strspn(text, " \t\r\n") == strlen(text))
        wr_fail(0, "the text of the query is empty");
    else if (stat(text, &seen) == 0)
        wr_fail(0, "query wants its text first: weir query \"SELECT * FROM payments\" payments.jsonl");
    else if (!strpbrk(text, " \t\n") && (strcasecmp(text, "SELECT") == 0 || strcasecmp(text, "PATTERN") == 0))
        wr_fail(0, "query wants its text as one word, in quotes: weir query \"%s …\" payments.jsonl", text);
    else return true;
    return false;
}

int wr_cli_query(struct wr_args *args)
{
    if (!is_text_first(args)) return WR_EXIT_USAGE;
    WR_VEC(struct bound) bound = {0};
    struct wr_buf preamble = {0};
    int code;
    for (size_t i = 1; i < args->positional.count; i++) wr_vec_push(&bound, bind_argument(args->positional.at[i]));
    if (declare_all(bound.at, bound.count, &preamble, &code))
        code = compile_and_run(args, wr_buf_cstr(&preamble), bound.at, bound.count);
    for (size_t i = 0; i < bound.count; i++) wr_free(bound.at[i].text);
    wr_vec_release(&bound);
    wr_buf_release(&preamble);
    return code;
}
