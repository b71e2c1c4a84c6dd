/* weir test: cases out of files, run in every way, judged and reported. */
#include "cli/mutate.h"
#include "cli/file_watch.h"
#include "vm/builtin_impl.h"
#include "vm/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct shown {
    struct wr_slice text;
    const char *where; /* FILE:LINE of the case that it was shown with */
};

struct testing {
    struct wr_args *args;
    struct wr_regexp *only;
    bool update, quiet, machine, state_store, covers, mutates;
    double coverage_min, mutation_min; /* percent */
    struct wr_file_watch *watch;            /* NULL: the tests are run once */

    /* What follows is of one round. */
    struct wr_arena arena;
    WR_VEC(struct wr_test_report) report;
    WR_VEC(struct shown) shown; /* errors of programs: each text once */
    uint32_t count[WR_TEST_XPASS + 1];
    struct wr_test_coverage coverage;
    struct wr_mutation mutation;
    WR_VEC(struct wr_test_file *) kept; /* for the mutants */
    bool missing; /* a file that is not there */
    size_t unwanted; /* cases that --run leaves out */
};

/* ---- One case -------------------------------------------------------------------------------- */

static const char *say(struct testing *t, const char *format, ...) WR_PRINTF(2, 3);
static const char *say(struct testing *t, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return wr_arena_cstr(&t->arena, wr_slice_cstr(text));
}

static bool knows_label(const struct wr_test_job *job, struct wr_slice label)
{
    for (size_t i = 0; i < job->record.count; i++) {
        const struct wr_test_record *r = &job->record.at[i];
        const struct wr_test_event *e = &job->c->event.at[r->event];
        if (wr_slice_equal(e->label, label)) return true;
        struct wr_buf own = {0};
        wr_buf_printf(&own, "%.*s[%u]", WR_SLICE_ARG(e->label), r->repeat);
        bool same = e->label.size && wr_slice_equal(wr_buf_slice(&own), label);
        wr_buf_release(&own);
        if (same) return true;
    }
    return false;
}

static bool knows_pattern(const struct wr_program *program, struct wr_slice name)
{
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == WR_NODE_PATTERN &&
            wr_slice_equal_nocase(wr_slice_cstr(program->query[program->node[i].query]), name))
            return true;
    return false;
}

/* What an expectation names must be there, or the case could never fail for its own reason. */
static const char *check_names(struct testing *t, struct wr_test_job *job,
                               const struct wr_test_expect *e)
{
    struct wr_slice best;
    bool output = true;
    bool row = e->kind == WR_TEST_ROW || e->kind == WR_TEST_NOT;
    if (row) (void)wr_test_output_type(&job->program, e->stream, WR_SLICE(""), &output, &best);
    if (!output)
        return best.size ? say(t, "the program has no output '%.*s'; did you mean '%.*s'?",
                               WR_SLICE_ARG(e->stream), WR_SLICE_ARG(best))
                         : say(t, "the program has no output '%.*s'", WR_SLICE_ARG(e->stream));
    for (uint32_t i = 0; row && i < e->field_count; i++) {
        struct wr_slice name = e->field[i].name;
        if (wr_test_output_type(&job->program, e->stream, name, &output, &best).kind !=
            WR_KIND_NULL)
            continue;
        return best.size ? say(t, "output %.*s has no column '%.*s'; did you mean '%.*s'?",
                               WR_SLICE_ARG(e->stream), WR_SLICE_ARG(name), WR_SLICE_ARG(best))
                         : say(t, "output %.*s has no column '%.*s'", WR_SLICE_ARG(e->stream),
                               WR_SLICE_ARG(name));
    }
    if ((e->kind == WR_TEST_OPEN || e->kind == WR_TEST_TIMEOUT) &&
        !knows_pattern(job->program.program, e->stream))
        return say(t, "the program has no pattern '%.*s'", WR_SLICE_ARG(e->stream));
    for (uint32_t i = 0; i < e->label_count; i++)
        if (!knows_label(job, e->label[i]))
            return say(t, "no line above is labelled #%.*s", WR_SLICE_ARG(e->label[i]));
    return NULL;
}

static bool expects_errors(const struct wr_test_case *c)
{
    for (size_t i = 0; i < c->expect.count; i++)
        if (c->expect.at[i].kind == WR_TEST_ERROR) return true;
    return false;
}

static const char *reason_to_skip(const struct wr_test_case *c)
{
    if (c->skip) return c->skip;
    for (size_t i = 0; i < c->event.count; i++)
        if (c->event.at[i].unsupported) return c->event.at[i].unsupported;
    for (size_t i = 0; i < c->expect.count; i++) {
        if (c->expect.at[i].unsupported) return c->expect.at[i].unsupported;
    }
    return NULL;
}

struct verdict {
    enum wr_test_verdict verdict;
    struct wr_buf text;
    struct wr_buf came; /* what would be expected; empty when it did not run */
};

static void error_at(struct verdict *v, const struct wr_test_file *file, uint32_t line,
                     const char *why)
{
    v->verdict = WR_TEST_ERROR_VERDICT;
    wr_buf_printf(&v->text, "  %s:%u: %s\n", file->path, line, why);
}

static void cover(struct testing *t, struct wr_test_job *job)
{
    struct wr_test_outcome traced;
    wr_test_run(job,
                &(struct wr_test_variant){
                    .name = "counted", .batch_rows = 1, .trace = true, .coverage = true},
                &traced);
    if (!traced.error)
        wr_test_cover_add(&t->coverage, job->c->use ? job->c->use : job->file->path, &traced);
    wr_test_outcome_release(&traced);
}

static void run_program(struct testing *t, struct wr_test_job *job, struct verdict *v)
{
    const char *why = NULL;
    uint32_t line = job->c->line;
    for (size_t i = 0; i < job->c->expect.count && !why; i++)
        if (job->c->expect.at[i].kind == WR_TEST_ERROR) {
            v->verdict = WR_TEST_FAIL;
            wr_buf_printf(&v->text, "  %s:%u: expected %.*s, and the program has no error\n",
                          job->file->path, job->c->expect.at[i].line,
                          WR_SLICE_ARG(job->c->expect.at[i].stream));
            return;
        }
    if (!wr_test_job_records(job, &why, &line)) {
        error_at(v, job->file, line, why);
        return;
    }
    for (size_t i = 0; i < job->c->expect.count; i++)
        if ((why = check_names(t, job, &job->c->expect.at[i]))) {
            error_at(v, job->file, job->c->expect.at[i].line, why);
            return;
        }
    struct wr_test_outcome base;
    wr_test_run(job, &(struct wr_test_variant){.name = "as written"}, &base);
    if (base.error) {
        error_at(v, job->file, job->c->line, base.error);
    } else {
        bool same = wr_test_compare(job, &base, &v->text);
        const char *other = wr_test_vary(job, &base, &t->arena);
        if (other) wr_buf_add_cstr(&v->text, other);
        v->verdict = same && !other ? WR_TEST_OK : WR_TEST_FAIL;
        if (!same) wr_test_expectation(job, &base, &v->came);
        if (t->covers) cover(t, job);
    }
    wr_test_outcome_release(&base);
}

/* In full with the first case of the program; the others say where that is. */
static void program_errors(struct testing *t, const struct wr_test_job *job, struct verdict *v)
{
    struct wr_slice text = wr_buf_slice(&job->program.rendered);
    for (size_t i = 0; i < t->shown.count; i++)
        if (wr_slice_equal(t->shown.at[i].text, text)) {
            error_at(v, job->file, job->c->line, say(t, "the program has errors: see %s", t->shown.at[i].where));
            return;
        }
    struct shown shown = {wr_arena_copy(&t->arena, text), say(t, "%s:%u", job->file->path, job->c->line)};
    wr_vec_push(&t->shown, shown);
    error_at(v, job->file, job->c->line, "the program has errors:");
    wr_buf_add_slice(&v->text, text);
}

static void judge(struct testing *t, const struct wr_test_file *file, const struct wr_test_case *c,
                  struct verdict *v)
{
    struct wr_test_job job = {.file = file, .c = c, .state_store = t->state_store};
    const char *skip = reason_to_skip(c), *why;
    if (c->error) {
        error_at(v, file, c->error_line, c->error);
        return;
    }
    if (skip) {
        v->verdict = WR_TEST_SKIP;
        wr_buf_add_cstr(&v->text, skip);
        return;
    }
    wr_arena_init(&job.arena);
    bool opened =
        wr_test_program_open(&job.program, file, c, t->args->color_out && !t->machine, &why);
    for (uint32_t i = 0; t->watch && i < job.program.source_count; i++) wr_file_watch_needs(t->watch, job.program.source[i]);
    if (!opened) {
        error_at(v, file, c->line, why);
    } else if (job.program.program) {
        run_program(t, &job, v);
    } else if (expects_errors(c)) {
        v->verdict = wr_test_compare_errors(&job, &v->text) ? WR_TEST_OK : WR_TEST_FAIL;
    } else {
        program_errors(t, &job, v);
    }
    wr_test_program_close(&job.program);
    wr_vec_release(&job.record);
    wr_vec_release(&job.step);
    wr_arena_release(&job.arena);
    if (c->xfail && v->verdict == WR_TEST_FAIL) v->verdict = WR_TEST_XFAIL;
    else if (c->xfail && v->verdict == WR_TEST_OK) {
        v->verdict = WR_TEST_XPASS;
        wr_buf_printf(&v->text, "  expected to fail (%s), and it passes\n", c->xfail);
    }
}

/* ---- Reporting ------------------------------------------------------------------------------- */

static void print_case(const struct testing *t, const struct wr_test_report *r)
{
    static const char *const color[] = {"32", "31", "31", "33", "33", "31"};
    bool good =
        r->verdict == WR_TEST_OK || r->verdict == WR_TEST_SKIP || r->verdict == WR_TEST_XFAIL;
    if (t->machine || (t->quiet && good)) return;
    struct wr_buf out = {0};
    if (t->args->color_out) wr_buf_printf(&out, "\033[%sm", color[r->verdict]);
    wr_buf_printf(&out, "%-5s", wr_test_verdict_name(r->verdict));
    if (t->args->color_out) wr_buf_add_cstr(&out, "\033[0m");
    wr_buf_printf(&out, " %s:%u: %.*s", r->path, r->line, WR_SLICE_ARG(r->name));
    if (r->verdict == WR_TEST_SKIP) wr_buf_printf(&out, " (%s)", r->text);
    wr_buf_add_char(&out, '\n');
    if (!good) wr_buf_add_cstr(&out, r->text);
    wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As it is shown. */
static struct wr_slice name_of(struct testing *t, const struct wr_test_case *c)
{
    return c->name.size ? c->name : wr_arena_printf(&t->arena, "line %u", c->line);
}

static bool is_wanted(struct testing *t, struct wr_slice name)
{
    return !t->only || wr_regexp_find(t->only, name) > 0;
}

/* ---- Updating -------------------------------------------------------------------------------- */

/* Lines of a case below --- that are replaced: up to the blank lines and comments in front of the
 * next. */
static uint32_t end_of_expectation(struct wr_slice text, const struct wr_test_case *c)
{
    struct wr_slice line;
    uint32_t end = c->below, number = 1;
    while (wr_test_next_line(&text, &line)) {
        size_t i = 0;
        while (i < line.size && (line.data[i] == ' ' || line.data[i] == '\t')) i++;
        if (number >= c->below && number < c->end && i < line.size && line.data[i] != '#')
            end = number + 1;
        number++;
    }
    return end;
}

/* Replaces lines from `below` to before `end` of the text. Lines keep their ends; new ones have that of the first. */
static void replace(struct wr_slice text, uint32_t below, uint32_t end, struct wr_slice by,
                    struct wr_buf *out)
{
    const char *first = memchr(text.data, '\n', text.size);
    const char *line_end = first && first > text.data && first[-1] == '\r' ? "\r\n" : "\n";
    struct wr_slice line, before = text;
    struct wr_buf lines = {0};
    while (wr_test_next_line(&by, &line)) wr_buf_printf(&lines, "%.*s%s", WR_SLICE_ARG(line), line_end);
    uint32_t number = 1;
    for (; wr_test_next_line(&text, &line); number++, before = text) {
        if (number == below) wr_buf_add_slice(out, wr_buf_slice(&lines));
        if (number >= below && number < end) continue;
        wr_buf_add(out, before.data, before.size - text.size);
        if (!text.size && before.data[before.size - 1] != '\n') wr_buf_add_cstr(out, line_end);
    }
    if (number <= below) wr_buf_add_slice(out, wr_buf_slice(&lines)); /* the --- was the last line */
    wr_buf_release(&lines);
}

struct change {
    uint32_t below, end;
    struct wr_buf text;
};

/* ---- Files ----------------------------------------------------------------------------------- */

static void add_report(struct testing *t, struct wr_test_report report)
{
    wr_vec_push(&t->report, report);
    t->count[report.verdict]++;
    print_case(t, &report);
}

static void show_change(const struct change *change, struct wr_slice text)
{
    struct wr_slice line, rest = wr_buf_slice(&change->text);
    uint32_t number = 1;
    for (; wr_test_next_line(&text, &line); number++)
        if (number >= change->below && number < change->end)
            printf("  - %.*s\n", WR_SLICE_ARG(line));
    while (wr_test_next_line(&rest, &line)) printf("  + %.*s\n", WR_SLICE_ARG(line));
}

static void write_changes(const struct wr_test_file *file, struct change *change, size_t count)
{
    struct wr_buf now = {0};
    wr_buf_add_slice(&now, file->text);
    while (count-- > 0) { /* from the last to the first, so that line numbers stay right */
        struct wr_buf next = {0};
        replace(wr_buf_slice(&now), change[count].below, change[count].end,
                wr_buf_slice(&change[count].text), &next);
        wr_buf_release(&now);
        now = next;
    }
    wr_write_file(file->path, wr_buf_slice(&now));
    wr_buf_release(&now);
}

static void run_case(struct testing *t, struct wr_test_file *file, const struct wr_test_case *c,
                     struct change *change)
{
    struct verdict v = {0};
    double begun = seconds_now();
    judge(t, file, c, &v);
    bool updates = t->update && v.verdict == WR_TEST_FAIL && v.came.size;
    struct wr_slice name = name_of(t, c);
    if (updates) {
        change->below = c->below;
        change->end = end_of_expectation(file->text, c);
        change->text = v.came;
        v.came = (struct wr_buf){0};
        fflush(stdout);
        printf("updated %s:%u: %.*s\n", file->path, c->line, WR_SLICE_ARG(name));
        show_change(change, file->text);
        v.verdict = WR_TEST_OK;
    }
    struct wr_test_report report = {.path = wr_arena_cstr(&t->arena, wr_slice_cstr(file->path)),
                                    .name = wr_arena_copy(&t->arena, name),
                                    .line = c->line,
                                    .verdict = v.verdict,
                                    .text = wr_arena_cstr(&t->arena, wr_buf_slice(&v.text)),
                                    .seconds = seconds_now() - begun};
    if (updates) {
        wr_vec_push(&t->report, report);
        t->count[WR_TEST_OK]++;
    } else {
        add_report(t, report);
    }
    if (t->mutates && v.verdict == WR_TEST_OK) wr_mutation_add(&t->mutation, file, c);
    wr_buf_release(&v.text);
    wr_buf_release(&v.came);
}

/* In front of all cases: none of them runs. */
static void report_file_error(struct testing *t, const struct wr_test_file *file)
{
    uint32_t line = WR_MAX(file->error_line, 1u);
    struct wr_slice why = wr_arena_printf(&t->arena, "  %s:%u: %s\n", file->path, line, file->error);
    add_report(t, (struct wr_test_report){.path = wr_arena_cstr(&t->arena, wr_slice_cstr(file->path)),
                                          .line = line,
                                          .name = file->error_line ? WR_SLICE("the file's head") : WR_SLICE("the file"),
                                          .verdict = WR_TEST_ERROR_VERDICT,
                                          .text = why.data});
}

/* The program and the recordings that the cases name, there or not. */
static void watch_needs(struct testing *t, const struct wr_test_file *file)
{
    for (size_t i = 0; i < file->cases.count; i++) {
        const struct wr_test_case *c = &file->cases.at[i];
        if (c->use) wr_file_watch_needs(t->watch, c->use);
        for (size_t k = 0; k < c->event.count; k++) {
            struct wr_slice path = c->event.at[k].path;
            if (c->event.at[k].kind != WR_TEST_INPUT || !path.size) continue;
            const char *folder = path.data[0] == '/' ? "" : file->folder;
            wr_file_watch_needs(t->watch, wr_arena_printf(&t->arena, "%s%.*s", folder, WR_SLICE_ARG(path)).data);
        }
    }
}

static void run_cases(struct testing *t, struct wr_test_file *file)
{
    struct change *change = wr_alloc_zero(sizeof *change * (file->cases.count + 1));
    size_t changes = 0;
    for (size_t i = 0; i < file->cases.count && !file->error && !wr_stop_asked; i++) {
        const struct wr_test_case *c = &file->cases.at[i];
        if (!is_wanted(t, name_of(t, c))) {
            t->unwanted++;
            continue;
        }
        run_case(t, file, c, &change[changes]);
        changes += change[changes].below != 0;
    }
    if (changes) write_changes(file, change, changes);
    for (size_t i = 0; i < changes; i++) wr_buf_release(&change[i].text);
    wr_free(change);
}

static uint32_t bad_cases(const struct testing *t)
{
    return t->count[WR_TEST_FAIL] + t->count[WR_TEST_ERROR_VERDICT] + t->count[WR_TEST_XPASS];
}

static void run_file(struct testing *t, const char *path)
{
    struct wr_test_file *file;
    struct wr_buf text = {0};
    int code;
    uint32_t bad = bad_cases(t);
    if (t->watch) wr_file_watch_begin(t->watch, path);
    if (!wr_read_file(path, &text, &code)) {
        t->missing = true;
        return;
    }
    file = wr_alloc_zero(sizeof *file);
    wr_test_file_init(file, wr_arena_cstr(&t->arena, wr_slice_cstr(path)));
    file->text = wr_arena_copy(&file->arena, wr_buf_slice(&text));
    file->error = wr_test_text_error(file->text);
    if (file->error) file->error_line = 1;
    else if (wr_path_ends(path, ".md")) wr_test_parse_markdown(file, file->text);
    else wr_test_parse(file, file->text, 1, NULL, 0);
    if (!file->cases.count && !file->error && wr_path_ends(path, ".wtest"))
        file->error = "no case in this file: write lines with a time, then --- and what is expected";
    if (file->error) report_file_error(t, file);
    if (t->watch) watch_needs(t, file);
    run_cases(t, file);
    if (t->watch) wr_file_watch_bad(t->watch, bad_cases(t) > bad);
    wr_vec_push(&t->kept, file);
    wr_buf_release(&text);
}

/* What no case has made happen; the exit code is 1 when less happens than --coverage=MIN wants. JSON has it in its
 * document; beside TAP it goes to standard error. */
static int report_coverage(struct testing *t, struct wr_buf *out)
{
    struct wr_buf text = {0};
    double share = wr_test_cover_share(&t->coverage);
    bool low = share < t->coverage_min;
    wr_test_cover_print(&t->coverage, &text);
    if (t->coverage_min > 0)
        wr_buf_printf(&text, "coverage %.1f %%, %s %g %%\n", share, low ? "less than" : "at least", t->coverage_min);
    if (!t->machine) wr_buf_add_slice(out, wr_buf_slice(&text));
    else if (!wr_args_has(t->args, WR_OPTION_JSON)) fwrite(text.data, 1, text.size, stderr);
    wr_buf_release(&text);
    return low ? WR_EXIT_NO : WR_EXIT_DONE;
}

/* Survivors; the exit code is 1 when less is told than --mutate=MIN wants. JSON has them in its document. */
static int report_mutants(struct testing *t, struct wr_buf *out)
{
    struct wr_buf text = {0};
    double score = wr_mutation_score(&t->mutation);
    bool low = score < t->mutation_min;
    wr_mutation_print(&t->mutation, t->args->color_out && !t->machine, &text);
    if (t->mutation_min > 0)
        wr_buf_printf(&text, "mutants told %.1f %%, %s %g %%\n", score, low ? "less than" : "at least", t->mutation_min);
    if (!t->machine) wr_buf_add_slice(out, wr_buf_slice(&text));
    else if (!wr_args_has(t->args, WR_OPTION_JSON)) fwrite(text.data, 1, text.size, stderr);
    wr_buf_release(&text);
    return low ? WR_EXIT_NO : WR_EXIT_DONE;
}

/* Programs whose cases fail as they stand have no mutants: anything would be told. */
static bool run_mutants(struct testing *t)
{
    if (!t->mutates || t->missing || wr_stop_asked || !t->report.count) return false;
    if (bad_cases(t)) {
        wr_fail(0, "no mutants are made while cases fail on the programs as they stand");
        return false;
    }
    t->mutation.progress = !t->quiet && !t->machine && isatty(STDERR_FILENO);
    t->mutation.stop = &wr_stop_asked;
    if (!t->watch) wr_file_watch_signals(true);
    wr_mutation_run(&t->mutation);
    if (!t->watch) wr_file_watch_signals(false);
    return true;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static const char *const ends[] = {".wtest", ".md", NULL};

/* A file, or all tests of a folder. What brings no case must not look like success. */
static void run_path(struct testing *t, const char *path)
{
    struct wr_paths paths = {0};
    size_t before = t->report.count + t->unwanted;
    if (wr_path_ends(path, ".weir")) {
        wr_fail(0, "%s is a program; its tests stand in .wtest files beside it: weir test FOLDER", path);
        t->missing = true;
        return;
    }
    wr_paths_add(&paths, path, ends);
    for (size_t i = 0; i < paths.list.count && !wr_stop_asked; i++)
        if (!t->watch || wr_file_watch_affected(t->watch, paths.list.at[i])) run_file(t, paths.list.at[i]);
    wr_paths_release(&paths);
    if (t->report.count + t->unwanted > before || t->missing || t->watch || !wr_is_folder(path)) return;
    wr_fail(0, "no case in %s: tests are .wtest files, or ```wtest in Markdown",
            strcmp(path, ".") == 0 ? "this folder" : path);
    t->missing = true;
}

static int no_case(const struct testing *t)
{
    if (!t->unwanted)
        return wr_fail(WR_EXIT_USAGE, "no case to run: tests are .wtest files, or ```wtest in Markdown");
    return wr_fail(WR_EXIT_USAGE, "no case to run: --run '%s' matches none of the %zu names",
                   wr_args_value(t->args, WR_OPTION_RUN), t->unwanted);
}

/* The verdicts for who asked for them in this form, and what was counted. */
static int report_all(struct testing *t, struct wr_buf *out)
{
    bool json = wr_args_has(t->args, WR_OPTION_JSON), mutated = json && run_mutants(t);
    int low = WR_EXIT_DONE, told = WR_EXIT_DONE;
    if (json)
        wr_test_write_json(t->report.at, t->report.count, t->covers ? &t->coverage : NULL, t->coverage_min,
                           mutated ? &t->mutation : NULL, t->mutation_min, out);
    else if (wr_args_has(t->args, WR_OPTION_TAP))
        wr_test_write_tap(t->report.at, t->report.count, out);
    else
        wr_buf_printf(out, "%u passed, %u failed, %u skipped\n", t->count[WR_TEST_OK] + t->count[WR_TEST_XFAIL],
                      bad_cases(t), t->count[WR_TEST_SKIP]);
    if (t->covers) low = report_coverage(t, out);
    if (!json) {
        wr_put_out(wr_buf_slice(out)); /* mutants take their time */
        wr_buf_clear(out);
        mutated = run_mutants(t);
    }
    if (mutated) told = report_mutants(t, out);
    return WR_MAX(low, told);
}

static int finish(struct testing *t)
{
    struct wr_buf out = {0};
    const char *junit = wr_args_value(t->args, WR_OPTION_JUNIT);
    int code = bad_cases(t) ? WR_EXIT_NO : WR_EXIT_DONE;
    if (junit) {
        wr_test_write_junit(t->report.at, t->report.count, &out);
        if (!wr_write_file(junit, wr_buf_slice(&out))) code = WR_EXIT_IO;
        wr_buf_clear(&out);
    }
    int low = report_all(t, &out);
    code = WR_MAX(code, low);
    wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
    if (t->missing) return WR_EXIT_USAGE;
    if (t->mutation.stopped && !t->watch) return 128 + SIGINT;
    return t->report.count ? code : no_case(t);
}

static int run_round(struct testing *t)
{
    struct wr_args *args = t->args;
    memset(t->count, 0, sizeof t->count);
    t->missing = false;
    t->unwanted = 0;
    wr_arena_init(&t->arena);
    t->coverage = (struct wr_test_coverage){.arena = &t->arena};
    wr_mutation_init(&t->mutation);
    for (size_t i = 0; i < args->positional.count; i++) run_path(t, args->positional.at[i]);
    if (!args->positional.count) run_path(t, ".");
    int code = finish(t);
    wr_mutation_release(&t->mutation);
    for (size_t i = 0; i < t->kept.count; i++) {
        wr_test_file_release(t->kept.at[i]);
        wr_free(t->kept.at[i]);
    }
    wr_vec_release(&t->kept);
    wr_vec_release(&t->report);
    wr_vec_release(&t->shown);
    wr_vec_release(&t->coverage.item);
    wr_arena_release(&t->arena);
    return code;
}

/* ---- Watching -------------------------------------------------------------------------------- */

/* Is there something to run? Folders that have come since are watched, files that have gone forgotten. */
static bool look_around(struct testing *t)
{
    struct wr_paths paths = {0};
    const struct wr_args *args = t->args;
    bool affected = false;
    for (size_t i = 0; i < WR_MAX(args->positional.count, (size_t)1); i++) {
        const char *path = args->positional.count ? args->positional.at[i] : ".";
        if (wr_is_folder(path)) wr_file_watch_folder(t->watch, path);
        wr_paths_add(&paths, path, ends);
    }
    for (size_t i = 0; i < paths.list.count && !affected; i++)
        affected = access(paths.list.at[i], R_OK) == 0 && wr_file_watch_affected(t->watch, paths.list.at[i]);
    wr_file_watch_keep(t->watch, &paths);
    wr_paths_release(&paths);
    return affected;
}

/* Rounds of what has changed until Ctrl-C. The exit status is that of the last verdict of every file. */
static int run_watching(struct testing *t)
{
    t->watch = wr_file_watch_new();
    if (!t->watch) return WR_EXIT_IO;
    wr_file_watch_signals(true);
    (void)look_around(t); /* watched before they are read: no change between is missed */
    int code = run_round(t);
    bool nothing = code == WR_EXIT_USAGE && t->missing;
    if (!nothing) fputs("watching for changes; Ctrl-C ends\n", stderr);
    while (!nothing && wr_file_watch_wait(t->watch)) {
        if (!look_around(t)) continue;
        struct wr_buf head = {0};
        if (isatty(STDOUT_FILENO)) wr_buf_add_cstr(&head, "\033[H\033[2J\033[3J");
        wr_buf_add_cstr(&head, "changed: ");
        wr_file_watch_print_changed(t->watch, &head);
        wr_buf_add_char(&head, '\n');
        wr_put_out(wr_buf_slice(&head));
        wr_buf_release(&head);
        code = run_round(t);
    }
    if (wr_file_watch_any_bad(t->watch)) code = WR_MAX(code, WR_EXIT_NO);
    wr_file_watch_free(t->watch);
    return code;
}

/* ---- The command ----------------------------------------------------------------------------- */

/* --coverage and --mutate have a least share, or none. */
static bool take_share(const struct wr_args *args, enum wr_option_id id, const char *name, bool *given, double *min)
{
    const char *least = wr_args_value(args, id);
    *given = wr_args_has(args, id);
    if (!least || (wr_parse_f64(wr_slice_cstr(least), min) && *min >= 0 && *min <= 100)) return true;
    wr_fail(WR_EXIT_USAGE, "--%s=MIN is a percentage, not '%s'", name, least);
    return false;
}

int wr_cli_test(struct wr_args *args)
{
    struct testing t = {.args = args,
                        .update = wr_args_has(args, WR_OPTION_UPDATE),
                        .quiet = wr_args_has(args, WR_OPTION_QUIET),
                        .machine =
                            wr_args_has(args, WR_OPTION_JSON) || wr_args_has(args, WR_OPTION_TAP)};
    const char *run = wr_args_value(args, WR_OPTION_RUN), *ci = getenv("CI"), *state = getenv("WEIR_STATE_TEST");
    bool watches = wr_args_has(args, WR_OPTION_WATCH);
    t.state_store = wr_args_has(args, WR_OPTION_STATE_STORE) || (state && strcmp(state, "store") == 0);
    if (t.update && ci && *ci && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0)
        return wr_fail(WR_EXIT_USAGE,
                       "--update does not run under CI: what is expected is for people to say");
    if (!take_share(args, WR_OPTION_COVERAGE, "coverage", &t.covers, &t.coverage_min) ||
        !take_share(args, WR_OPTION_MUTATE, "mutate", &t.mutates, &t.mutation_min))
        return WR_EXIT_USAGE;
    if (t.mutates && t.update)
        return wr_fail(WR_EXIT_USAGE, "--mutate and --update do not go together: first say what is expected, then test it");
    if (watches && t.machine)
        return wr_fail(WR_EXIT_USAGE, "--watch has no end that a document could have: leave --json and --tap out");
    if (run) {
        char why[256];
        t.only = wr_regexp_new(wr_slice_cstr(run), why, sizeof why);
        if (!t.only) return wr_fail(WR_EXIT_USAGE, "--run '%s': %s", run, why);
    }
    int code = watches ? run_watching(&t) : run_round(&t);
    if (t.only) wr_regexp_free(t.only);
    return code;
}
