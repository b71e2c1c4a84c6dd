/* weir state, weir savepoint: looking into a state directory, and copies of it. */
#include "cli/cli.h"

#include <inttypes.h>
#include <string.h>

static int ask(weir_state_request *request, struct wr_args *args, uint64_t *answer)
{
    weir_text *text = NULL;
    weir_error error = {0};
    request->struct_size = sizeof *request;
    request->json = wr_args_has(args, WR_OPTION_JSON);
    weir_status status = weir_state(request, &text, answer, &error);
    if (weir_text_size(text)) fwrite(weir_text_data(text), 1, weir_text_size(text), stdout);
    weir_text_free(text);
    return status == WEIR_OK ? WR_EXIT_DONE : wr_exit_of(status, &error);
}

/* check NEW.weir: what would become of the state. */
static int check(struct wr_args *args, weir_state_request *request)
{
    int code;
    uint64_t lost = 0;
    const char *directory = wr_args_value(args, WR_OPTION_STATE);
    if (!directory && args->positional.count < 3)
        return wr_fail(WR_EXIT_USAGE, "weir state check wants a program and a directory: weir state check NEW.weir --state DIR");
    if (directory && args->positional.count > 2)
        return wr_fail(WR_EXIT_USAGE, "weir state check wants its directory once: '%s' or '%s'",
                       args->positional.at[2], directory);
    weir_program *program = wr_load_program(args, args->positional.at[1], &code);
    if (!program) return code;
    request->question = WEIR_STATE_CHECK;
    request->directory = directory ? directory : args->positional.at[2];
    request->program = program;
    code = ask(request, args, &lost);
    weir_program_free(program);
    return code == WR_EXIT_DONE && lost ? WR_EXIT_NO : code;
}

struct verb {
    const char *name, *wants;
    weir_state_question question;
    size_t least, most; /* what stands behind it */
};

int wr_cli_state(struct wr_args *args)
{
    static const struct verb verbs[] = {
        {"ls", "DIR", WEIR_STATE_LIST, 1, 1},
        {"show", "DIR OPERATOR [KEY]", WEIR_STATE_SHOW, 2, 3},
        {"size", "DIR", WEIR_STATE_SIZE, 1, 1},
        {"verify", "DIR", WEIR_STATE_VERIFY, 1, 1},
        {"export", "DIR FILE", WEIR_STATE_EXPORT, 2, 2},
        {"import", "FILE DIR", WEIR_STATE_IMPORT, 2, 2},
        {"check", "NEW.weir --state DIR", WEIR_STATE_CHECK, 1, 2},
    };
    enum { KEYS = 20 };
    const char *name = args->positional.count ? args->positional.at[0] : "";
    for (size_t i = 0; i < WR_COUNT(verbs); i++) {
        const struct verb *v = &verbs[i];
        size_t given = args->positional.count - 1;
        uint64_t answer = 0;
        weir_state_request request = {.question = v->question, .most = wr_args_has(args, WR_OPTION_ALL) ? 0 : KEYS};
        if (!args->positional.count || strcmp(v->name, name) != 0) continue;
        if (given < v->least || given > v->most)
            return wr_fail(WR_EXIT_USAGE, "weir state %s wants %s", v->name, v->wants);
        if (v->question == WEIR_STATE_CHECK) return check(args, &request);
        request.directory = args->positional.at[1];
        if (v->question == WEIR_STATE_SHOW) {
            request.operator_name = args->positional.at[2];
            request.key = given > 2 ? args->positional.at[3] : NULL;
        } else if (given > 1) {
            request.to = args->positional.at[2];
        }
        return ask(&request, args, &answer);
    }
    return wr_fail(WR_EXIT_USAGE, "weir state wants one of ls, show, size, verify, export, import, check%s%s%s",
                   *name ? ", not '" : "", name, *name ? "'" : "");
}

int wr_cli_savepoint(struct wr_args *args)
{
    uint64_t answer = 0;
    if (args->positional.count != 2)
        return wr_fail(WR_EXIT_USAGE, "weir savepoint wants two directories: weir savepoint DIR TO");
    weir_state_request request = {
        .question = WEIR_STATE_COPY, .directory = args->positional.at[0], .to = args->positional.at[1]};
    return ask(&request, args, &answer);
}
