/* weir_compile of include/weir.h: a text with what it includes, files that it names without declaring them, diagnostics. */
#include "runtime/weir_internal.h"

#include "compiler/compile.h"
#include "connectors/connectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct compiling {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    struct wr_buf rendered;
    weir_compile_options options;
    struct wr_program *program;
};

static struct wr_slice folder_of(struct wr_slice path)
{
    size_t size = path.size;
    while (size && path.data[size - 1] != '/') size--;
    return wr_slice_of(path.data, size);
}

static bool read_file(struct wr_arena *arena, const char *path, struct wr_slice *text,
                      struct wr_slice *why)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) != 0) {
        *why = errno == ENOENT ? WR_SLICE("no such file")
                               : wr_arena_printf(arena, "%s", strerror(errno));
        if (file) fclose(file);
        return false;
    }
    if (S_ISDIR(info.st_mode)) {
        *why = WR_SLICE("it is a folder");
        fclose(file);
        return false;
    }
    struct wr_buf buf = {0};
    size_t got;
    do {
        char *room = wr_buf_reserve(&buf, 1 << 16);
        got = fread(room, 1, 1 << 16, file);
        buf.size += got;
    } while (got);
    bool failed = ferror(file);
    if (failed) *why = wr_arena_printf(arena, "%s", strerror(errno));
    fclose(file);
    *text = wr_arena_copy(arena, wr_buf_slice(&buf));
    wr_buf_release(&buf);
    return !failed;
}

static bool include(void *context, struct wr_arena *arena, struct wr_slice from,
                    struct wr_slice name, struct wr_slice *full_name, struct wr_slice *text,
                    struct wr_slice *why)
{
    struct compiling *job = context;
    bool absolute = name.size && name.data[0] == '/';
    struct wr_slice folder = absolute ? wr_slice_of("", 0) : folder_of(from);
    *full_name = wr_arena_printf(arena, "%.*s%.*s", WR_SLICE_ARG(folder), WR_SLICE_ARG(name));
    if (!job->options.include) return read_file(arena, wr_arena_cstr(arena, *full_name), text, why);
    char *bytes = NULL;
    size_t size = 0;
    if (job->options.include(job->options.include_context, wr_arena_cstr(arena, from),
                             wr_arena_cstr(arena, name), &bytes, &size) != 0) {
        *why = WR_SLICE("no such file");
        return false;
    }
    *text = wr_arena_copy(arena, wr_slice_of(bytes, size));
    wr_free(bytes); /* malloc'ed by the host, as the header says */
    return true;
}

static void put_quoted(struct wr_buf *out, char quote, struct wr_slice text)
{
    wr_buf_add_char(out, quote);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == quote) wr_buf_add_char(out, quote);
        wr_buf_add_char(out, text.data[i]);
    }
    wr_buf_add_char(out, quote);
}

static void put_name(struct wr_buf *out, const struct wr_inferred_column *column)
{
    if (column->quoted)
        put_quoted(out, '"', column->name);
    else
        wr_buf_add_slice(out, column->name);
}

/* The disorder seen, rounded up to a length that a person would choose: the rest of the file may
 * hold a little more. */
static int64_t delay_for(int64_t disorder_us)
{
    static const int64_t seconds[] = {0,    1,    5,    10,    30,    60,    300,    600,
                                      1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800};
    for (size_t i = 0; i < WR_COUNT(seconds); i++)
        if (seconds[i] * 1000000 >= disorder_us) return seconds[i];
    return (disorder_us / 86400000000 + 1) * 86400;
}

/* CREATE STREAM "path" (…) as text: what was inferred reads like any other declaration. */
static void declare(const struct wr_inferred *seen, struct wr_slice path, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "CREATE STREAM ");
    put_quoted(out, '"', path);
    wr_buf_add_cstr(out, " (\n");
    for (uint32_t c = 0; c < seen->count; c++) {
        const struct wr_inferred_column *column = &seen->column[c];
        wr_buf_add_cstr(out, c ? ",\n    " : "    ");
        put_name(out, column);
        wr_buf_add_char(out, ' ');
        wr_type_print(column->type, out);
        if (!column->path.size) continue;
        wr_buf_add_cstr(out, " FROM ");
        put_quoted(out, '\'', column->path);
    }
    if (seen->time_column != WR_NONE) {
        const struct wr_inferred_column *time = &seen->column[seen->time_column];
        wr_buf_add_cstr(out, ",\n    WATERMARK FOR ");
        put_name(out, time);
        wr_buf_add_cstr(out, " AS ");
        put_name(out, time);
        if (seen->disorder_us > 0)
            wr_buf_printf(out, " - %llds", (long long)delay_for(seen->disorder_us));
    }
    wr_buf_add_cstr(out, "\n) WITH (connector = 'file', path = ");
    put_quoted(out, '\'', path);
    wr_buf_printf(out, ", format = '%s'", seen->format);
    if (seen->delimiter == '\t') wr_buf_add_cstr(out, ", delimiter = '\\t'");
    else if (seen->delimiter) wr_buf_printf(out, ", delimiter = '%c'", seen->delimiter);
    if (seen->time_unit) wr_buf_printf(out, ", timestamp_unit = '%s'", seen->time_unit);
    wr_buf_add_cstr(out, ");\n");
}

static bool file_stream(void *context, struct wr_arena *arena, struct wr_slice path,
                        struct wr_statement *declaration, struct wr_slice *why)
{
    enum { ROWS = 10000 };
    struct compiling *job = context;
    struct wr_inferred seen;
    struct wr_error error = {0};
    if (wr_infer(wr_arena_cstr(arena, path), ROWS, arena, &seen, &error) != WR_OK) {
        *why = wr_arena_printf(arena, "%s", error.message);
        return false;
    }
    if (seen.count == 0) {
        *why = WR_SLICE("it has no records to infer columns from");
        return false;
    }
    struct wr_buf text = {0};
    declare(&seen, path, &text);
    uint32_t file =
        wr_sources_add(&job->sources, WR_SLICE("inferred declaration"), wr_buf_slice(&text));
    wr_buf_release(&text);
    struct wr_tree tree = wr_parse_one(arena, &job->diags, file);
    if (tree.count != 1 || tree.statement[0].kind != WR_STATEMENT_CREATE_STREAM) {
        *why = WR_SLICE("its columns cannot be declared");
        return false;
    }
    *declaration = tree.statement[0];
    if (seen.note) *why = wr_slice_cstr(seen.note);
    return true;
}

/* Warnings that the caller does not want: those of one file, whose text he has not written, or (WR_NONE) all. */
static void drop_warnings(struct wr_diags *diags, uint32_t file)
{
    uint32_t kept = 0, warnings = 0;
    for (uint32_t i = 0; i < diags->count; i++) {
        bool warning = wr_diag_severity(diags->at[i].code) != WR_SEVERITY_ERROR;
        if (warning && (file == WR_NONE || diags->at[i].span.file == file)) continue;
        warnings += warning;
        diags->at[kept++] = diags->at[i];
    }
    diags->count = kept;
    diags->warning_count = warnings;
}

static void compile_text(struct compiling *job, struct wr_slice name, struct wr_slice text)
{
    wr_sources_init(&job->sources, &job->arena);
    wr_diags_init(&job->diags, &job->arena, &job->sources);
    struct wr_tree before = {0};
    uint32_t before_file = WR_NONE;
    if (job->options.preamble) {
        before_file = wr_sources_add(&job->sources, WR_SLICE("declarations"),
                                     wr_slice_cstr(job->options.preamble));
        before = wr_parse(&job->arena, &job->diags, before_file, include, job);
    }
    uint32_t main_file = wr_sources_add(&job->sources, name, text);
    struct wr_tree tree = wr_parse(&job->arena, &job->diags, main_file, include, job);
    if (before.count) {
        struct wr_statement *all =
            WR_NEW_ARRAY(&job->arena, struct wr_statement, before.count + (size_t)tree.count);
        memcpy(all, before.statement, before.count * sizeof *all);
        if (tree.count) memcpy(all + before.count, tree.statement, tree.count * sizeof *all);
        tree.statement = all;
        tree.count += before.count;
    }
    struct wr_compile_options options = {.flink_dialect = job->options.flink_dialect,
                                         .recorded = job->options.recorded != 0,
                                         .name_columns = job->options.name_columns != 0,
                                         .whole_input = job->options.whole_input != 0,
                                         .file_stream =
                                             job->options.infer_files ? file_stream : NULL,
                                         .file_stream_context = job};
    job->program = wr_compile(&tree, &job->diags, main_file, &options);
    if (wr_diags_failed(&job->diags) && job->program) {
        wr_program_free(job->program);
        job->program = NULL;
    }
    if (!job->options.warnings) drop_warnings(&job->diags, WR_NONE);
    else if (job->options.preamble) drop_warnings(&job->diags, before_file);
    if (job->diags.count == 0) return;
    if (job->options.json)
        wr_diags_render_json(&job->diags, &job->rendered);
    else
        wr_diags_render(&job->diags, job->options.color != 0, &job->rendered);
}

weir_status weir_compile(const char *name, const char *text, size_t size,
                         const weir_compile_options *options, weir_program **program,
                         weir_text **diagnostics)
{
    struct wr_memory_guard guard;
    struct compiling *job = NULL;
    WR_ASSERT(program && (text || !size));
    *program = NULL;
    if (diagnostics) *diagnostics = NULL;
    if (WR_MEMORY_GUARD(&guard)) return WEIR_E_MEMORY;
    job = wr_alloc_zero(sizeof *job); /* outlives a failure further down */
    wr_memory_guard_pop(&guard);
    job->options = (weir_compile_options)WEIR_COMPILE_OPTIONS_INIT;
    if (options) memcpy(&job->options, options, WR_MIN(options->struct_size, sizeof *options));
    wr_arena_init(&job->arena);
    volatile weir_status status = WEIR_E_MEMORY;
    if (!WR_MEMORY_GUARD(&guard)) {
        compile_text(job, wr_slice_cstr(name), wr_slice_of(text, size));
        if (job->program) {
            *program = wr_alloc(sizeof **program);
            (*program)->program = job->program;
        }
        if (diagnostics && job->rendered.size) *diagnostics = wr_text_of(&job->rendered);
        wr_memory_guard_pop(&guard);
        status = job->program ? WEIR_OK : WEIR_E_PROGRAM;
    }
    wr_buf_release(&job->rendered);
    wr_arena_release(&job->arena);
    wr_free(job);
    return status;
}
