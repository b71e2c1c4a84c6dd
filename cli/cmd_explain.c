/* weir explain: what a program does, drawn from the bytecode that will run. */
#include "base/text.h"
#include "cli/language.h"
#include "include/weir.h"

/* PROGRAM:NAME, where the part before the last colon is a file that is there. */
static struct wr_slice split_name(const char *argument, struct wr_buf *path)
{
    const char *colon = strrchr(argument, ':');
    FILE *whole = fopen(argument, "rb");
    if (whole) fclose(whole);
    size_t size = colon && !whole ? (size_t)(colon - argument) : strlen(argument);
    wr_buf_add(path, argument, size);
    return colon && !whole ? wr_slice_cstr(colon + 1) : (struct wr_slice){0};
}

static struct wr_program *load(struct wr_language *language, struct wr_args *args, const char *path, int *code)
{
    if (!wr_language_read(language, path, code)) return NULL;
    struct wr_slice text = language->sources.at[language->file].text;
    if (wr_program_is_file(text)) {
        struct wr_error error = {0};
        struct wr_program *program = wr_program_decode(text, &error);
        if (!program) *code = wr_fail(WR_EXIT_STATE, "%s: %s", path, error.message);
        return program;
    }
    struct wr_program *program = wr_language_compile(language, args);
    if (!program) {
        struct wr_buf out = {0};
        wr_diags_render(&language->diags, args->color, &out);
        fwrite(out.data, 1, out.size, stderr);
        wr_buf_release(&out);
        *code = wr_fail(WR_EXIT_PROGRAM, "nothing to explain until the program is right: `weir check %s` says when it is",
                        path);
    }
    return program;
}

static bool choose_format(const struct wr_args *args, enum wr_explain_format *format)
{
    const char *wanted = wr_args_value(args, WR_OPTION_FORMAT);
    *format = wr_args_has(args, WR_OPTION_JSON) ? WR_EXPLAIN_JSON : WR_EXPLAIN_TEXT;
    if (!wanted) return true;
    if (strcmp(wanted, "text") == 0) *format = WR_EXPLAIN_TEXT;
    else if (strcmp(wanted, "dot") == 0) *format = WR_EXPLAIN_DOT;
    else if (strcmp(wanted, "json") == 0) *format = WR_EXPLAIN_JSON;
    else {
        wr_fail(0, "--format of explain is text, dot or json, not '%s'", wanted);
        return false;
    }
    return true;
}

/* What state takes is the engine's to say: it is given the program as a file, and asked. NULL: it cannot be had. */
static struct wr_state_bound *state_of(const struct wr_program *program)
{
    struct wr_buf file = {0};
    weir_program *same = NULL;
    weir_error error;
    struct wr_state_bound *bound = NULL;
    size_t count = program->node_count;
    wr_program_encode(program, &file);
    if (weir_program_load(file.data, file.size, &same, &error) == WEIR_OK) {
        weir_state_size *size = wr_alloc_zero((count + 1) * sizeof *size);
        bound = wr_alloc_zero((count + 1) * sizeof *bound);
        weir_program_state_sizes(same, size, count);
        for (size_t i = 0; i < count; i++)
            bound[i] = (struct wr_state_bound){size[i].key, size[i].start, size[i].way, size[i].row,
                                               size[i].one_start != 0, size[i].elders != 0};
        wr_free(size);
    }
    weir_program_free(same);
    wr_buf_release(&file);
    return bound;
}

/* The names that explain takes: of queries and streams, and of streams that outputs go to. */
static int no_such_name(const struct wr_program *program, const char *path, struct wr_slice only)
{
    struct wr_suggestion near;
    struct wr_buf list = {0};
    wr_suggestion_init(&near, only);
    for (uint32_t i = 0; i < program->query_count; i++) wr_suggestion_offer(&near, wr_slice_cstr(program->query[i]));
    for (uint32_t i = 0; i < program->node_count; i++) {
        const struct wr_node *n = &program->node[i];
        if (n->kind != WR_NODE_OUTPUT || n->u.output.stream == WR_NONE) continue;
        const char *name = program->stream[n->u.output.stream].name;
        if (strcmp(name, program->query[n->query]) != 0) wr_suggestion_offer(&near, wr_slice_cstr(name));
    }
    struct wr_slice best = wr_suggestion_best(&near);
    if (best.size) wr_buf_printf(&list, "; did you mean '%.*s'?", WR_SLICE_ARG(best));
    else {
        uint32_t listed = near.offered < WR_SUGGESTION_LISTED ? near.offered : WR_SUGGESTION_LISTED;
        for (uint32_t i = 0; i < listed; i++)
            wr_buf_printf(&list, "%s%.*s", i ? ", " : listed == 1 ? "; there is " : "; there are ", WR_SLICE_ARG(near.listed[i]));
        if (listed < near.offered) wr_buf_add_cstr(&list, ", …");
    }
    int code = wr_fail(WR_EXIT_USAGE, "%s: no query or pattern is called '%.*s'%s", path, WR_SLICE_ARG(only), wr_buf_cstr(&list));
    wr_buf_release(&list);
    return code;
}

int wr_cli_explain(struct wr_args *args)
{
    enum wr_explain_format format;
    if (args->positional.count == 2)
        return wr_fail(WR_EXIT_USAGE, "explain wants one program: weir explain %s:%s", args->positional.at[0],
                       args->positional.at[1]);
    if (args->positional.count != 1) return wr_fail(WR_EXIT_USAGE, "explain wants one program: weir explain PROGRAM[:NAME]");
    if (!choose_format(args, &format)) return WR_EXIT_USAGE;
    struct wr_language language;
    struct wr_buf path = {0}, out = {0};
    int code = WR_EXIT_DONE;
    wr_language_init(&language);
    struct wr_slice only = split_name(args->positional.at[0], &path);
    struct wr_program *program = load(&language, args, wr_buf_cstr(&path), &code);
    if (program) {
        code = WR_EXIT_DONE;
        struct wr_state_bound *bound = state_of(program);
        if (wr_explain(program, format, only, wr_args_has(args, WR_OPTION_BYTECODE), bound, &out))
            wr_put_out(wr_buf_slice(&out));
        else
            code = no_such_name(program, wr_buf_cstr(&path), only);
        wr_free(bound);
        wr_program_free(program);
    }
    wr_buf_release(&path);
    wr_buf_release(&out);
    wr_language_release(&language);
    return code;
}
