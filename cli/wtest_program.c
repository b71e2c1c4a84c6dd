/* The program of a case: compiled once with its diagnostics' places, loaded for the engine, looked
 * into for its streams and columns. */
#include "base/text.h"
#include "cli/language.h"
#include "cli/wtest.h"

#include <errno.h>

static void keep_places(struct wr_test_program *p, const struct wr_diags *diags)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct wr_diag *d = &diags->at[i];
        if (wr_diag_severity(d->code) != WR_SEVERITY_ERROR) continue;
        struct wr_position at =
            wr_source_position(&diags->sources->at[d->span.file], d->span.start);
        wr_buf_printf(&p->place, "%s %u:%u\n", wr_diag_name(d->code), at.line, at.column);
        wr_buf_printf(&p->message, "%.*s\n", WR_SLICE_ARG(d->message));
    }
}

/* The program's own text in a Markdown file: as many empty lines in front as stand before it there.
 */
static void add_text(struct wr_language *language, const struct wr_test_file *file,
                     const struct wr_test_case *c)
{
    bool edited = wr_slice_equal(language->edited, wr_slice_cstr(file->path));
    language->file = wr_sources_add(&language->sources, wr_slice_cstr(file->path),
                                    edited ? language->edited_text : wr_slice_cstr(c->program_text));
    language->sources.at[language->file].line_shift = c->program_line - 1;
}

const char *wr_test_program_read(struct wr_language *language, const struct wr_test_file *file,
                                 const struct wr_test_case *c, struct wr_arena *arena)
{
    if (!c->use) {
        add_text(language, file, c);
        return NULL;
    }
    FILE *there = fopen(c->use, "rb");
    int code;
    if (!there) return wr_arena_printf(arena, "%s: %s", c->use, strerror(errno)).data;
    fclose(there);
    return wr_language_read(language, c->use, &code) ? NULL : "the program cannot be read";
}

/* The files that it came from, for who waits for their changes. */
static void keep_sources(struct wr_test_program *p, const struct wr_sources *sources)
{
    p->source_count = sources->count;
    p->source = WR_NEW_ARRAY(&p->arena, const char *, sources->count + 1);
    for (uint32_t i = 0; i < sources->count; i++) p->source[i] = wr_arena_cstr(&p->arena, sources->at[i].name);
}

bool wr_test_program_open(struct wr_test_program *p, const struct wr_test_file *file,
                          const struct wr_test_case *c, bool color, const char **why)
{
    return wr_test_program_open_edited(p, file, c, WR_SLICE(""), WR_SLICE(""), color, why);
}

bool wr_test_program_open_edited(struct wr_test_program *p, const struct wr_test_file *file,
                                 const struct wr_test_case *c, struct wr_slice name, struct wr_slice text, bool color,
                                 const char **why)
{
    struct wr_language language;
    struct wr_args none = {0};
    *p = (struct wr_test_program){0};
    wr_arena_init(&p->arena);
    wr_language_init(&language);
    language.edited = name;
    language.edited_text = text;
    *why = wr_test_program_read(&language, file, c, &p->arena);
    if (*why) {
        wr_language_release(&language);
        return false;
    }
    p->program = wr_language_compile(&language, &none);
    keep_sources(p, &language.sources);
    if (wr_diags_failed(&language.diags) && p->program) {
        wr_program_free(p->program);
        p->program = NULL;
    }
    if (p->program) {
        struct wr_buf bytes = {0};
        weir_error error = {0};
        wr_program_encode(p->program, &bytes);
        if (weir_program_load(bytes.data, bytes.size, &p->loaded, &error) != WEIR_OK)
            *why = wr_arena_cstr(&p->arena, wr_slice_cstr(error.message));
        wr_buf_release(&bytes);
    } else {
        wr_diags_render(&language.diags, color, &p->rendered);
        keep_places(p, &language.diags);
    }
    wr_language_release(&language);
    return !*why;
}

void wr_test_program_close(struct wr_test_program *p)
{
    if (p->program) wr_program_free(p->program);
    weir_program_free(p->loaded);
    wr_buf_release(&p->rendered);
    wr_buf_release(&p->place);
    wr_buf_release(&p->message);
    wr_arena_release(&p->arena);
}

const struct wr_stream *wr_test_stream(const struct wr_test_program *p, struct wr_slice name)
{
    for (uint32_t i = 0; i < p->program->stream_count; i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(p->program->stream[i].name), name))
            return &p->program->stream[i];
    return NULL;
}

const struct wr_source_node *wr_test_source(const struct wr_test_program *p,
                                            const struct wr_stream *stream)
{
    for (uint32_t i = 0; i < p->program->node_count; i++) {
        const struct wr_node *node = &p->program->node[i];
        if (node->kind == WR_NODE_SOURCE && &p->program->stream[node->u.source.stream] == stream)
            return &node->u.source;
    }
    return NULL;
}

struct wr_type wr_test_output_type(const struct wr_test_program *p, struct wr_slice output,
                                   struct wr_slice column, bool *output_found,
                                   struct wr_slice *suggestion)
{
    struct wr_suggestion outputs, columns;
    struct wr_type type = wr_type_of(WR_KIND_NULL);
    *output_found = false;
    wr_suggestion_init(&outputs, output);
    wr_suggestion_init(&columns, column);
    for (uint32_t i = 0; i < p->program->node_count; i++) {
        const struct wr_node *node = &p->program->node[i];
        if (node->kind != WR_NODE_OUTPUT) continue;
        const char *name = node->u.output.stream != WR_NONE
                               ? p->program->stream[node->u.output.stream].name
                               : p->program->query[node->query];
        wr_suggestion_offer(&outputs, wr_slice_cstr(name));
        if (!wr_slice_equal_nocase(wr_slice_cstr(name), output)) continue;
        *output_found = true;
        for (uint32_t k = 0; k < node->schema.count; k++) {
            struct wr_slice own = wr_slice_cstr(node->schema.column[k].name);
            wr_suggestion_offer(&columns, own);
            if (wr_slice_equal_nocase(own, column)) type = node->schema.column[k].type;
        }
    }
    *suggestion = wr_suggestion_best(*output_found ? &columns : &outputs);
    return type;
}

/* ---- Errors that are expected ------------------------------------------------------------------ */

static bool is_code(const struct wr_test_expect *e, struct wr_slice place)
{
    return place.size > e->stream.size && place.data[e->stream.size] == ' ' &&
           memcmp(place.data, e->stream.data, e->stream.size) == 0;
}

/* place: CODE LINE:COLUMN */
static bool is_error(const struct wr_test_expect *e, struct wr_slice place)
{
    char at[32];
    if (!is_code(e, place)) return false;
    int size = snprintf(at, sizeof at, "%u:%u", e->at_line, e->at_column);
    struct wr_slice own = wr_slice_of(place.data + e->stream.size + 1, place.size - e->stream.size - 1);
    return !e->at_line || wr_slice_equal(own, wr_slice_of(at, (size_t)size));
}

static bool has_error(const struct wr_test_program *p, const struct wr_test_expect *e)
{
    struct wr_slice rest = wr_buf_slice(&p->place), place;
    while (wr_test_next_line(&rest, &place))
        if (is_error(e, place)) return true;
    return false;
}

static bool is_expected(const struct wr_test_case *c, struct wr_slice place)
{
    for (size_t i = 0; i < c->expect.count; i++) {
        const struct wr_test_expect *e = &c->expect.at[i];
        if (e->kind == WR_TEST_OTHERS || (e->kind == WR_TEST_ERROR && is_error(e, place))) return true;
    }
    return false;
}

/* The places where the program has the code that was expected elsewhere. */
static void print_elsewhere(const struct wr_test_program *p, const struct wr_test_expect *e, struct wr_buf *out)
{
    struct wr_slice rest = wr_buf_slice(&p->place), place;
    const char *between = ": it has it at ";
    wr_buf_add_cstr(out, "    the program has no such error");
    while (wr_test_next_line(&rest, &place)) {
        if (!is_code(e, place)) continue;
        wr_buf_printf(out, "%s%.*s", between, (int)(place.size - e->stream.size - 1), place.data + e->stream.size + 1);
        between = ", ";
    }
    wr_buf_add_char(out, '\n');
}

bool wr_test_compare_errors(const struct wr_test_job *job, struct wr_buf *out)
{
    bool wrong = false;
    for (size_t i = 0; i < job->c->expect.count; i++) {
        const struct wr_test_expect *e = &job->c->expect.at[i];
        if (e->kind != WR_TEST_ERROR || has_error(&job->program, e)) continue;
        wrong = true;
        wr_buf_printf(out, "  %s:%u: expected  error %.*s", job->file->path, e->line, WR_SLICE_ARG(e->stream));
        if (e->at_line) wr_buf_printf(out, " %u:%u", e->at_line, e->at_column);
        wr_buf_add_char(out, '\n');
        print_elsewhere(&job->program, e, out);
    }
    struct wr_slice places = wr_buf_slice(&job->program.place), messages = wr_buf_slice(&job->program.message), place, message;
    while (wr_test_next_line(&places, &place) && wr_test_next_line(&messages, &message)) {
        if (is_expected(job->c, place)) continue;
        wrong = true;
        wr_buf_printf(out, "  the program has an error that is not expected: %.*s: %.*s\n", WR_SLICE_ARG(place),
                      WR_SLICE_ARG(message));
    }
    return !wrong;
}
