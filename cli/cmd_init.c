/* weir init: a first program with its test: a sample with its events, or one for a recording. */
#include "cli/init.h"
#include "cli/language.h"
#include "cli/wtest.h"
#include "dsl/fmt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FIRST_ROWS = 3 };

static bool make_folder(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0) return true;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return true;
    wr_fail(0, "%s: %s", path, errno == EEXIST ? "is there, and no folder" : strerror(errno));
    return false;
}

/* None of the files is overwritten, unless that was asked for. */
static bool is_free(const struct wr_args *args, const char *folder, const char *name)
{
    struct wr_buf path = {0};
    struct stat st;
    wr_buf_printf(&path, "%s/%s", folder, name);
    bool there = stat(wr_buf_cstr(&path), &st) == 0 && !wr_args_has(args, WR_OPTION_FORCE);
    if (there) wr_fail(0, "%s is there already; --force overwrites it", wr_buf_cstr(&path));
    wr_buf_release(&path);
    return !there;
}

static bool write_one(const char *folder, const char *name, struct wr_slice text)
{
    struct wr_buf path = {0};
    wr_buf_printf(&path, "%s/%s", folder, name);
    bool ok = wr_write_file(wr_buf_cstr(&path), text);
    if (ok) fprintf(stderr, "wrote %s\n", wr_buf_cstr(&path));
    wr_buf_release(&path);
    return ok;
}

static int sample(struct wr_args *args, const char *folder)
{
    struct wr_buf events = {0};
    if (!make_folder(folder)) return WR_EXIT_IO;
    if (!is_free(args, folder, "card_testing.weir") ||
        !is_free(args, folder, "card_testing.wtest") || !is_free(args, folder, "payments.jsonl"))
        return WR_EXIT_USAGE;
    wr_init_events(&events);
    bool ok = write_one(folder, "card_testing.weir", wr_slice_cstr(wr_init_program)) &&
              write_one(folder, "card_testing.wtest", wr_slice_cstr(wr_init_test)) &&
              write_one(folder, "payments.jsonl", wr_buf_slice(&events));
    if (ok)
        fprintf(stderr,
                "now run: weir test %s && weir replay %s/card_testing.weir --in "
                "payments=%s/payments.jsonl\n",
                folder, folder, folder);
    wr_buf_release(&events);
    return ok ? WR_EXIT_DONE : WR_EXIT_IO;
}

/* ---- For a recording ------------------------------------------------------------------------- */

struct first_rows {
    weir_engine *engine;
    struct wr_test_case c; /* its start: where times count from */
    struct wr_test_job job;
    const char *stream;
    struct wr_buf lines;
    uint32_t count;
};

static void on_result(void *context, const weir_result *result)
{
    struct first_rows *rows = context;
    if (rows->count == FIRST_ROWS) return;
    if (rows->count++ == 0) {
        int64_t second = result->event_time_us % 1000000;
        rows->c.start = result->event_time_us - (second < 0 ? second + 1000000 : second);
    }
    struct wr_test_result r = {.output = rows->stream,
                               .time = result->event_time_us,
                               .row = wr_slice_of(result->row, result->row_size)};
    wr_test_print_result(&rows->lines, &rows->job, &r, false);
    wr_buf_add_char(&rows->lines, '\n');
    if (rows->count == FIRST_ROWS) weir_engine_stop(rows->engine);
}

/* The first rows of the recording as a test of the program that reads them. Empty when there are
 * none. Returns an exit code: the recording may be none that can be read. */
static int write_test(const char *program_path, struct wr_slice program, const char *name,
                       const char *stream, const char *from, struct wr_buf *out)
{
    weir_program *loaded = NULL;
    weir_text *diagnostics = NULL;
    weir_error error = {0};
    struct first_rows rows = {.stream = stream};
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    rows.job.c = &rows.c;
    options.context = &rows;
    options.on_result = on_result;
    weir_status status =
        weir_compile(program_path, program.data, program.size, NULL, &loaded, &diagnostics);
    if (status == WEIR_OK) status = weir_engine_open(loaded, &options, &rows.engine, &error);
    if (status == WEIR_OK) status = weir_engine_bind_input(rows.engine, NULL, from, &error);
    if (status == WEIR_OK) status = weir_engine_run(rows.engine, &error);
    weir_engine_close(rows.engine);
    weir_program_free(loaded);
    weir_text_free(diagnostics);
    if (rows.count) {
        struct wr_buf text = {0}, start = {0};
        wr_buf_printf(&text, "# The first rows of %s.\nuse \"%s.weir\"\nstart ", from, name);
        struct wr_test_case epoch = {.start = INT64_MAX};
        wr_test_print_time(&start, &epoch, rows.c.start);
        wr_buf_add_slice(&text, wr_buf_slice(&start));
        wr_buf_printf(&text, "\n\n=== the first rows\n%.*s---\n",
                      WR_SLICE_ARG(wr_buf_slice(&rows.lines)));
        if (!wr_test_complete(program_path, wr_buf_slice(&text), out)) wr_buf_clear(out);
        wr_buf_release(&text);
        wr_buf_release(&start);
    }
    wr_buf_release(&rows.lines);
    return rows.count ? WR_EXIT_DONE : wr_exit_of(status, &error);
}

/* The text as `weir fmt` lays it out. */
static void lay_out(struct wr_buf *text)
{
    struct wr_language language;
    struct wr_buf out = {0};
    wr_language_init(&language);
    language.file = wr_sources_add(&language.sources, WR_SLICE("program"), wr_buf_slice(text));
    if (wr_fmt(&language.arena, &language.diags, language.file, false, &out)) {
        wr_buf_clear(text);
        wr_buf_add_slice(text, wr_buf_slice(&out));
    }
    wr_buf_release(&out);
    wr_language_release(&language);
}

static int from_recording(struct wr_args *args, const char *folder, const char *from)
{
    struct wr_buf name = {0}, file = {0}, test_file = {0}, path = {0}, text = {0}, test = {0};
    int code;
    wr_stream_name_of(from, &name);
    const char *stream = wr_buf_cstr(&name);
    wr_buf_printf(&text, "-- Inferred from the first rows of %s: look at each guess.\n", from);
    if (wr_declare_from_file(stream, from, true, &text, &code)) {
        wr_buf_printf(&text, "\nSELECT * FROM %s;\n", stream);
        lay_out(&text);
        wr_buf_printf(&file, "%s.weir", stream);
        wr_buf_printf(&test_file, "%s.wtest", stream);
        wr_buf_printf(&path, "%s/%s", folder, wr_buf_cstr(&file));
        code = make_folder(folder) ? WR_EXIT_DONE : WR_EXIT_IO;
        if (code == WR_EXIT_DONE && (!is_free(args, folder, wr_buf_cstr(&file)) ||
                                     !is_free(args, folder, wr_buf_cstr(&test_file))))
            code = WR_EXIT_USAGE;
        if (code == WR_EXIT_DONE && !write_one(folder, wr_buf_cstr(&file), wr_buf_slice(&text)))
            code = WR_EXIT_IO;
        if (code == WR_EXIT_DONE && strcmp(from, "-") != 0)
            code = write_test(wr_buf_cstr(&path), wr_buf_slice(&text), stream, stream, from, &test);
        if (test.size && !write_one(folder, wr_buf_cstr(&test_file), wr_buf_slice(&test)))
            code = WR_EXIT_IO;
        if (code == WR_EXIT_DONE)
            fprintf(stderr, strpbrk(from, " '") ? "now run: weir replay %s --in \"%s=%s\"\n"
                                               : "now run: weir replay %s --in %s=%s\n",
                    wr_buf_cstr(&path), stream, from);
    }
    wr_buf_release(&name);
    wr_buf_release(&file);
    wr_buf_release(&test_file);
    wr_buf_release(&path);
    wr_buf_release(&text);
    wr_buf_release(&test);
    return code;
}

int wr_cli_init(struct wr_args *args)
{
    const char *from = wr_args_value(args, WR_OPTION_FROM);
    if (args->positional.count > 1) return wr_fail(WR_EXIT_USAGE, "init takes one folder");
    const char *folder = args->positional.count ? args->positional.at[0] : ".";
    return from ? from_recording(args, folder, from) : sample(args, folder);
}
