/* weir why: what became of the starts of a pattern over recorded files: the rows of its matches, or
 * how far the best partial match came and the condition that said no, with what it read. */
#include "cli/why.h"

#include "base/arena.h"
#include "base/text.h"
#include "vm/program.h"
#include "vm/text.h"

#include <stdlib.h>

enum { SHOWN_MAX = 10 };

struct asking {
    struct wr_args *args;
    const char *pattern, *key;
    bool has_time;
    int64_t time;
    struct wr_arena arena;
    WR_VEC(struct wr_why_start) start; /* that may be shown */
    uint64_t matches, partials, suppressed, rows_of_key;
    struct wr_why_asides asides;
};

/* ---- Choosing -------------------------------------------------------------------------------- */

/* The best partial match: what took most, and of these what was stopped by nothing but itself. */
static size_t rank(const weir_start *start)
{
    bool outside = start->end == WEIR_START_TAKEN || start->end == WEIR_START_COVERED;
    return start->row_count * 2 + !outside;
}

/* Without --at the first matches and the best partial one are kept, with it all that were open
 * then. */
static void on_start(void *context, const weir_start *start)
{
    struct asking *a = context;
    bool matched = start->end == WEIR_START_MATCH;
    if (!wr_slice_equal_nocase(wr_slice_cstr(start->pattern), wr_slice_cstr(a->pattern))) return;
    if ((a->key && strcmp(a->key, start->key) != 0) || !start->row_count) return;
    if (a->has_time && (start->rows[0].time_us > a->time || start->end_us < a->time)) return;
    if (matched) a->matches++;
    else if (start->end == WEIR_START_SUPPRESSED) a->suppressed++;
    else a->partials++;
    if (matched || a->has_time) {
        if (a->start.count < SHOWN_MAX + 1) wr_vec_push(&a->start, wr_why_copy_start(&a->arena, start));
        return;
    }
    for (size_t i = 0; i < a->start.count; i++) {
        if (a->start.at[i].start.end == WEIR_START_MATCH) continue;
        if (rank(&a->start.at[i].start) <= rank(start))
            a->start.at[i] = wr_why_copy_start(&a->arena, start);
        return;
    }
    wr_vec_push(&a->start, wr_why_copy_start(&a->arena, start));
}

static void on_late(void *context, const weir_drop *late)
{
    struct asking *a = context;
    wr_why_asides_late(&a->asides, late);
}

static void on_drop(void *context, const weir_drop *drop)
{
    struct asking *a = context;
    wr_why_asides_drop(&a->asides, drop);
}

static void on_seen(void *context, const weir_seen *seen)
{
    struct asking *a = context;
    if (a->key && seen->key && strcmp(a->key, seen->key) == 0) a->rows_of_key++;
    wr_why_asides_seen(&a->asides, seen);
}

static void ignore_result(void *context, const weir_result *result)
{
    WR_UNUSED(context);
    WR_UNUSED(result);
}

/* ---- Showing --------------------------------------------------------------------------------- */

static void name_row(void *context, const weir_row *row, struct wr_buf *out)
{
    WR_UNUSED(context);
    char text[WR_TEXT_MAX];
    size_t size = wr_print_timestamp(text, row->time_us);
    wr_buf_printf(out, "%s #%llu", row->stream, (unsigned long long)row->record + 1);
    if (row->partition) wr_buf_printf(out, " of file %u", row->partition + 1);
    if (row->time_us != INT64_MIN) wr_buf_printf(out, " (%.*s)", (int)size, text);
}

static const struct wr_why_words words = {.row = name_row};

static void show(struct asking *a, const struct wr_program *program, struct wr_buf *out)
{
    size_t shown = WR_MIN(a->start.count, (size_t)SHOWN_MAX);
    for (size_t i = 0; i < shown; i++) {
        const weir_start *start = &a->start.at[i].start;
        wr_why_print_start(start, &words, out);
        if (start->end != WEIR_START_MATCH) wr_why_asides_print(&a->asides, start, &words, out);
    }
    uint64_t all = a->has_time || !a->matches ? a->matches + a->partials + a->suppressed : a->matches,
             more = all - shown;
    if (a->suppressed && a->matches && !a->has_time)
        wr_buf_printf(out, "%llu further match%s suppressed (SUPPRESS)\n", (unsigned long long)a->suppressed,
                      a->suppressed == 1 ? " was" : "es were");
    const char *what = a->has_time ? "" : a->matches ? " matches" : " that came no farther";
    if (more)
        wr_buf_printf(out, "… and %llu more%s; --key and --at narrow it down\n",
                      (unsigned long long)more, what);
    if (a->start.count) return;
    if (a->key && !a->rows_of_key) {
        wr_buf_printf(out, "%s: no row that comes to it has the key %s\n", a->pattern, a->key);
        if (!a->has_time) wr_why_asides_print(&a->asides, NULL, &words, out);
        return;
    }
    wr_buf_printf(out, "%s%s%s: no row %s a match\n", a->pattern, a->key ? " for " : "",
                  a->key ? a->key : "", a->has_time ? "at that time was part of" : "began");
    wr_why_print_beginnings(program, a->pattern, out);
    if (!a->has_time) wr_why_asides_print(&a->asides, NULL, &words, out);
}

/* ---- The command ----------------------------------------------------------------------------- */

static void list_patterns(const struct wr_program *program, struct wr_suggestion *near, struct wr_buf *out)
{
    const char *between = "";
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == WR_NODE_PATTERN) {
            const char *name = program->query[program->node[i].query];
            wr_suggestion_offer(near, wr_slice_cstr(name));
            wr_buf_printf(out, "%s%s", between, name);
            between = ", ";
        }
}

/* --pattern, or the only one there is. false after a message. */
static bool choose_pattern(struct asking *a, const struct wr_program *program)
{
    uint32_t count = 0;
    const char *only = NULL, *wanted = wr_args_value(a->args, WR_OPTION_PATTERN);
    for (uint32_t i = 0; i < program->node_count; i++) {
        if (program->node[i].kind != WR_NODE_PATTERN) continue;
        const char *name = program->query[program->node[i].query];
        count++;
        only = name;
        if (wanted && wr_slice_equal_nocase(wr_slice_cstr(wanted), wr_slice_cstr(name)))
            a->pattern = name;
    }
    if (!wanted && count == 1) a->pattern = only;
    if (a->pattern) return true;
    struct wr_buf names = {0};
    struct wr_suggestion near;
    wr_suggestion_init(&near, wr_slice_cstr(wanted ? wanted : ""));
    list_patterns(program, &near, &names);
    struct wr_slice best = wr_suggestion_best(&near);
    if (!count) wr_fail(0, "the program has no pattern");
    else if (best.size)
        wr_fail(0, "the program has no pattern '%s'; did you mean '%.*s'?", wanted, WR_SLICE_ARG(best));
    else if (wanted)
        wr_fail(0, "the program has no pattern '%s' (%s)", wanted, wr_buf_cstr(&names));
    else
        wr_fail(0, "the program has %u patterns (%s): say which with --pattern", count,
                wr_buf_cstr(&names));
    wr_buf_release(&names);
    return false;
}

static int run(struct asking *a, weir_program *loaded)
{
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    weir_engine *engine = NULL;
    weir_error error = {0};
    options.context = a;
    options.on_start = on_start;
    options.on_late = on_late;
    options.on_drop = on_drop;
    options.on_seen = on_seen;
    options.on_result = ignore_result;
    weir_status status = weir_engine_open(loaded, &options, &engine, &error);
    if (status == WEIR_OK)
        status = wr_run_bind(a->args, engine, a->args->positional.at + 1,
                             a->args->positional.count - 1, &error);
    if (status == WEIR_OK) status = weir_engine_run(engine, &error);
    weir_engine_close(engine);
    return wr_exit_of(status, &error);
}

/* Matches first; where there is one, the partial matches are not what was asked about, unless for a
 * time. */
static void order(struct asking *a)
{
    size_t matches = 0;
    for (size_t i = 0; i < a->start.count; i++) {
        if (a->start.at[i].start.end != WEIR_START_MATCH) continue;
        struct wr_why_start match = a->start.at[i];
        memmove(&a->start.at[matches + 1], &a->start.at[matches], (i - matches) * sizeof match);
        a->start.at[matches++] = match;
    }
    if (matches && !a->has_time) a->start.count = matches;
}

static int answer(struct asking *a, weir_program *loaded, const struct wr_program *program)
{
    const char *at = wr_args_value(a->args, WR_OPTION_AT);
    a->key = wr_args_value(a->args, WR_OPTION_KEY);
    a->has_time = at != NULL;
    if (at && !wr_parse_timestamp(wr_slice_cstr(at), &a->time))
        return wr_fail(WR_EXIT_USAGE, "--at wants a time such as 2026-03-01T12:00:00Z, not '%s'",
                       at);
    if (!choose_pattern(a, program)) return WR_EXIT_USAGE;
    a->asides.pattern = a->pattern;
    a->asides.key = a->key;
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == WR_NODE_PATTERN && strcmp(program->query[program->node[i].query], a->pattern) == 0)
            wr_why_asides_of(&a->asides, program, i);
    int code = run(a, loaded);
    if (code != WR_EXIT_DONE) return code;
    order(a);
    struct wr_buf out = {0};
    if (wr_args_has(a->args, WR_OPTION_AS_TEST)) {
        if (!a->start.count)
            code = wr_fail(WR_EXIT_NO, "no row began a match: there is nothing to write a test of");
        else code = wr_why_as_test(a->args, &a->start.at[0].start, &a->asides, &out);
    } else if (wr_args_has(a->args, WR_OPTION_JSON)) {
        wr_why_print_json(a->start.at, WR_MIN(a->start.count, (size_t)SHOWN_MAX), a->matches,
                          a->partials, &a->asides, &out);
    } else {
        show(a, program, &out);
    }
    if (out.size) wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
    return code;
}

int wr_cli_why(struct wr_args *args)
{
    struct asking a = {.args = args};
    int code;
    if (!args->positional.count)
        return wr_fail(WR_EXIT_USAGE,
                       "why wants a program: weir why PROGRAM --in NAME=PATH --pattern P");
    weir_program *loaded = wr_load_program(args, args->positional.at[0], &code);
    if (!loaded) return code;
    wr_arena_init(&a.arena);
    wr_why_asides_init(&a.asides, NULL, NULL);
    weir_text *bytes = NULL;
    weir_error error = {0};
    struct wr_error inner = {0};
    struct wr_program *program = NULL;
    if (weir_program_save(loaded, &bytes, &error) == WEIR_OK)
        program =
            wr_program_decode(wr_slice_of(weir_text_data(bytes), weir_text_size(bytes)), &inner);
    code = program ? answer(&a, loaded, program)
                   : wr_fail(WR_EXIT_STATE, "%s%s", error.message, inner.message);
    weir_text_free(bytes);
    if (program) wr_program_free(program);
    weir_program_free(loaded);
    wr_vec_release(&a.start);
    wr_why_asides_release(&a.asides);
    wr_arena_release(&a.arena);
    return code;
}
