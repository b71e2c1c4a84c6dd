/* weir why --as-test: a case with the fewest rows that still show what became of a start. */
#include "cli/why.h"

#include "cli/wtest.h"
#include "connectors/connectors.h"
#include "vm/text.h"

enum { ROWS_MAX = 2000 };

struct example {
    struct wr_args *args;
    const weir_start *start;
    const char *program; /* its path */
    struct wr_arena arena;
    WR_VEC(weir_row) row; /* rows of the start, then those that were refused, in order of time */
    WR_VEC(struct wr_slice) text; /* their records as JSON */
    bool *left_out;
    struct wr_buf shown; /* what must stay to be seen */
};

/* ---- Records --------------------------------------------------------------------------------- */

/* The path that --in bound to partition `number` of a stream; NULL: another way. */
static const char *path_of(const struct example *x, const char *stream, uint32_t number)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < x->args->option.count; i++) {
        const struct wr_given_option *o = &x->args->option.at[i];
        if (o->id != WR_OPTION_IN) continue;
        const char *equals = strchr(o->value, '=');
        struct wr_slice name = wr_slice_of(o->value, equals ? (size_t)(equals - o->value) : 0);
        if (equals && !wr_slice_equal_nocase(name, wr_slice_cstr(stream))) continue;
        if (seen++ == number) return equals ? equals + 1 : o->value;
    }
    for (size_t i = 1; i < x->args->positional.count; i++) {
        const char *equals = strchr(x->args->positional.at[i], '=');
        if (seen++ == number) return equals ? equals + 1 : x->args->positional.at[i];
    }
    return NULL;
}

static bool is_blank(struct wr_slice line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') return false;
    return true;
}

/* Record `number` of a file of JSON lines; empty: it is none, or cannot be read. */
static struct wr_slice record_of(struct example *x, const char *path, uint64_t number)
{
    struct wr_error error = {0};
    struct wr_slice found = {0}, line;
    struct wr_buf text = {0};
    struct wr_byte_source *source =
        strcmp(path, "-") == 0 ? NULL : wr_byte_source_open(path, &error);
    bool more = source != NULL;
    while (more) {
        size_t size;
        char *room = wr_buf_reserve(&text, 65536);
        more = wr_byte_source_read(source, room, 65536, &size, &error) == WR_OK && size;
        if (more) text.size += size;
        /* whole lines, and what is left at the end */
        const char *last = text.size ? memrchr(text.data, '\n', text.size) : NULL;
        size_t whole = !more ? text.size : last ? (size_t)(last - text.data) + 1 : 0;
        struct wr_slice rest = wr_slice_of(text.data, whole);
        while (wr_test_next_line(&rest, &line)) {
            if (is_blank(line)) continue;
            if (number-- == 0) {
                found = wr_arena_copy(&x->arena, line);
                more = false;
                break;
            }
        }
        memmove(text.data, text.data + whole, text.size - whole);
        text.size -= whole;
    }
    if (source) wr_byte_source_close(source);
    wr_buf_release(&text);
    while (found.size && found.data[0] == ' ') found = wr_slice_of(found.data + 1, found.size - 1);
    return found.size && found.data[0] == '{' ? found : (struct wr_slice){0};
}

static bool add_row(struct example *x, const weir_row *row)
{
    if (row->is_moment) return true;
    for (size_t i = 0; i < x->row.count; i++) {
        const weir_row *other = &x->row.at[i];
        if (other->record == row->record && other->partition == row->partition &&
            strcmp(other->stream, row->stream) == 0)
            return true;
    }
    if (!*row->stream) return false; /* the result of a window */
    const char *path = path_of(x, row->stream, row->partition);
    struct wr_slice text = path ? record_of(x, path, row->record) : (struct wr_slice){0};
    if (!text.size && row->text)
        text = wr_slice_cstr(row->text); /* no JSON lines: the row as the pattern saw it */
    if (!text.size) return false;
    size_t at = x->row.count;
    wr_vec_push(&x->row, *row);
    wr_vec_push(&x->text, text);
    while (at > 0 &&
           (x->row.at[at - 1].time_us > row->time_us ||
            (x->row.at[at - 1].time_us == row->time_us && x->row.at[at - 1].record > row->record &&
             strcmp(x->row.at[at - 1].stream, row->stream) == 0))) {
        x->row.at[at] = x->row.at[at - 1];
        x->text.at[at] = x->text.at[at - 1];
        at--;
    }
    x->row.at[at] = *row;
    x->text.at[at] = text;
    return true;
}

/* ---- The case -------------------------------------------------------------------------------- */

static void write_case(struct example *x, struct wr_buf *out)
{
    char time[WR_TEXT_MAX];
    size_t size = wr_print_timestamp(time, x->row.at[0].time_us);
    const char *slash = strrchr(x->program, '/');
    wr_buf_printf(out, "use \"%s\"\nstart %.*s\n", slash ? slash + 1 : x->program, (int)size, time);
    for (size_t i = 0; i < x->args->option.count; i++)
        if (x->args->option.at[i].id == WR_OPTION_PARAM)
            wr_buf_printf(out, "param %s\n", x->args->option.at[i].value);
    wr_buf_printf(out, "\n=== %s%s%s%s\n", x->start->pattern, *x->start->key ? " for " : "",
                  x->start->key, x->start->end == WEIR_START_MATCH ? "" : ": no match");
    size_t number = 0;
    for (size_t i = 0; i < x->row.count; i++) {
        if (x->left_out[i]) continue;
        wr_buf_add_char(out, '+');
        wr_test_print_interval(out, x->row.at[i].time_us - x->row.at[0].time_us);
        wr_buf_printf(out, " %s %.*s #", x->row.at[i].stream, WR_SLICE_ARG(x->text.at[i]));
        if (x->row.count <= 26) wr_buf_add_char(out, (char)('a' + number));
        else wr_buf_printf(out, "r%zu", number + 1);
        wr_buf_add_char(out, '\n');
        number++;
    }
    if (x->start->end == WEIR_START_EXPIRED || x->start->end == WEIR_START_BOUND) { /* that its time is up, not the input */
        wr_buf_add_cstr(out, "watermark +");
        wr_test_print_interval(out, x->start->end_us - x->row.at[0].time_us);
        wr_buf_add_char(out, '\n');
    }
    wr_buf_add_cstr(out, "---\n");
}

/* What must stay: how far it came, the last refusal and the end. Nothing: it is not shown. */
static void essence(const struct wr_test_outcome *outcome, const struct example *x,
                    struct wr_buf *out)
{
    for (size_t i = 0; i < outcome->why.count; i++) {
        const struct wr_test_why *w = &outcome->why.at[i];
        if (strcmp(w->pattern, x->start->pattern) != 0 || w->came != wr_why_rows(x->start) || w->end != x->start->end)
            continue;
        struct wr_slice rest = w->text, line;
        struct wr_slice last[2] = {{0}, {0}};
        while (wr_test_next_line(&rest, &line)) {
            const char *colon =
                memchr(line.data, ':', line.size); /* without the row's label, which moves */
            last[0] = last[1];
            last[1] = colon ? wr_slice_of(colon, (size_t)(line.data + line.size - colon)) : line;
        }
        bool by_rows = w->matched || w->end == WEIR_START_TAKEN || w->end == WEIR_START_COVERED; /* labels move there too */
        wr_buf_printf(out, "%u", w->came);
        if (!by_rows) wr_buf_printf(out, "%.*s%.*s", WR_SLICE_ARG(last[0]), WR_SLICE_ARG(last[1]));
        return;
    }
}

/* Runs the case as it stands. `whole`: the finished test is appended. false: it does not run. */
static bool try_case(struct example *x, struct wr_buf *seen, struct wr_buf *whole)
{
    struct wr_buf text = {0};
    struct wr_test_file file;
    const char *why = NULL;
    uint32_t line;
    write_case(x, &text);
    wr_test_file_init(&file, x->program);
    file.text = wr_buf_slice(&text);
    wr_test_parse(&file, file.text, 1, NULL, 0);
    struct wr_test_job job = {.file = &file, .c = &file.cases.at[0]};
    wr_arena_init(&job.arena);
    bool ok = !file.cases.at[0].error &&
              wr_test_program_open(&job.program, &file, job.c, false, &why) &&
              job.program.program && wr_test_job_records(&job, &why, &line);
    if (ok) {
        struct wr_test_outcome outcome;
        wr_test_run(&job,
                    &(struct wr_test_variant){.name = "traced", .batch_rows = 1, .trace = true},
                    &outcome);
        ok = !outcome.error;
        if (ok) essence(&outcome, x, seen);
        if (ok && whole) {
            wr_buf_add_slice(&text, WR_SLICE(""));
            wr_test_expectation(&job, &outcome, &text);
            uint32_t number;
            ok = wr_test_format(wr_buf_slice(&text), whole, &why, &number);
        }
        wr_test_outcome_release(&outcome);
    }
    wr_test_program_close(&job.program);
    wr_vec_release(&job.record);
    wr_vec_release(&job.step);
    wr_arena_release(&job.arena);
    wr_test_file_release(&file);
    wr_buf_release(&text);
    return ok;
}

/* All rows of the key up to its end: where those of the start alone do not show it, as with matches of other starts. */
static bool add_all(struct example *x, const struct wr_why_asides *asides)
{
    size_t added = 0;
    for (size_t i = asides->row.count; i-- > 0 && added < ROWS_MAX;) {
        const struct wr_why_aside *a = &asides->row.at[i];
        if (a->kind != WR_ASIDE_SEEN || a->time_us > x->start->end_us || strcmp(a->key, x->start->key) != 0) continue;
        weir_row row = {.stream = a->stream, .partition = a->partition, .record = a->record, .time_us = a->time_us};
        if (!add_row(x, &row)) return false;
        added++;
    }
    return true;
}

/* Leaves out what is not needed: halves first, then row by row until none can go. */
static void shrink(struct example *x, struct wr_buf *first)
{
    struct wr_buf now = {0};
    bool changed = true;
    for (size_t size = WR_MAX(x->row.count / 2, (size_t)1); size && (size > 1 || changed); size = size > 1 ? size / 2 : 1) {
        changed = false;
        for (size_t end = x->row.count; end > 0; end = end > size ? end - size : 0) {
            size_t from = end > size ? end - size : 0;
            bool *before = wr_arena_alloc(&x->arena, size), any = false;
            for (size_t i = from; i < end; i++) {
                before[i - from] = x->left_out[i];
                any |= !x->left_out[i];
                x->left_out[i] = true;
            }
            wr_buf_clear(&now);
            bool shows = any && try_case(x, &now, NULL) && wr_slice_equal(wr_buf_slice(&now), wr_buf_slice(first));
            changed |= shows;
            for (size_t i = from; i < end && !shows; i++) x->left_out[i] = before[i - from];
        }
    }
    wr_buf_release(&now);
}

/* Does the case as it stands show the start? */
static bool shows(struct example *x, struct wr_buf *seen)
{
    wr_buf_clear(seen);
    x->left_out = wr_arena_alloc_zero(&x->arena, x->row.count + 1);
    return x->row.count && try_case(x, seen, NULL) && seen->size;
}

int wr_why_as_test(struct wr_args *args, const weir_start *start, const struct wr_why_asides *asides, struct wr_buf *out)
{
    struct example x = {.args = args, .start = start, .program = args->positional.at[0]};
    struct wr_buf first = {0}, now = {0};
    int code = WR_EXIT_DONE;
    if (wr_path_ends(x.program, ".weirc"))
        return wr_fail(WR_EXIT_USAGE, "--as-test wants the program's text, not a .weirc file");
    bool ok = true;
    wr_arena_init(&x.arena);
    for (size_t i = 0; ok && i < start->row_count; i++) ok = add_row(&x, &start->rows[i]);
    for (size_t i = 0; ok && i < start->refusal_count; i++)
        ok = add_row(&x, &start->refusals[i].row);
    if (!ok) {
        code = wr_fail(WR_EXIT_NO, "its rows cannot be written as a test: they are no rows of a bound file");
    } else if (!shows(&x, &first) && !(add_all(&x, asides) && shows(&x, &first))) {
        code = wr_fail(WR_EXIT_NO, "the rows of its key alone do not show it again: no test can be written of them");
    } else {
        shrink(&x, &first);
        ok = try_case(&x, &now, out);
        WR_ASSERT(ok);
    }
    wr_vec_release(&x.row);
    wr_vec_release(&x.text);
    wr_buf_release(&first);
    wr_buf_release(&now);
    wr_arena_release(&x.arena);
    return code;
}
