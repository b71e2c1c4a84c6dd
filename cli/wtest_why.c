/* Why what is expected did not come: the start that came farthest and what ended it, the rows that took no part, what is
 * open. The case is run once more for it, traced. */
#include "base/text.h"
#include "cli/why.h"
#include "cli/wtest.h"

enum { OPEN_SHOWN = 5 };

/* ---- Patterns and keys ------------------------------------------------------------------------- */

static uint32_t pattern_named(const struct wr_program *program, struct wr_slice name)
{
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == WR_NODE_PATTERN &&
            wr_slice_equal_nocase(wr_slice_cstr(program->query[program->node[i].query]), name))
            return i;
    return WR_NONE;
}

static uint32_t output_named(const struct wr_program *program, struct wr_slice output, uint32_t after)
{
    for (uint32_t i = after; i < program->node_count; i++) {
        const struct wr_node *n = &program->node[i];
        if (n->kind != WR_NODE_OUTPUT) continue;
        const char *name = n->u.output.stream != WR_NONE ? program->stream[n->u.output.stream].name
                                                         : program->query[n->query];
        if (wr_slice_equal_nocase(wr_slice_cstr(name), output)) return i;
    }
    return WR_NONE;
}

/* The pattern that gives an output its rows. */
static uint32_t pattern_behind(const struct wr_program *program, struct wr_slice output)
{
    for (uint32_t i = output_named(program, output, 0); i != WR_NONE; i = output_named(program, output, i + 1)) {
        uint32_t at = i;
        while (program->node[at].input_count && program->node[at].kind != WR_NODE_PATTERN) at = program->node[at].input[0];
        if (program->node[at].kind == WR_NODE_PATTERN) return at;
    }
    return WR_NONE;
}

static uint32_t pattern_of(const struct wr_program *program, const struct wr_test_expect *e)
{
    bool named = e->kind == WR_TEST_TIMEOUT || e->kind == WR_TEST_OPEN;
    return named ? pattern_named(program, e->stream) : pattern_behind(program, e->stream);
}

const char *wr_test_key_column(const struct wr_program *program, const struct wr_test_expect *e, uint32_t number)
{
    uint32_t at = pattern_of(program, e);
    if (at == WR_NONE || number >= program->node[at].u.pattern.key_count) return NULL;
    const struct wr_node *n = &program->node[at];
    return program->node[n->input[0]].schema.column[n->u.pattern.key[number]].name;
}

/* The key as traces write it, where the expectation names all its columns by their own names. */
static bool expected_key(const struct wr_program *program, const struct wr_test_expect *e, struct wr_buf *key)
{
    const char *column;
    uint32_t number = 0;
    for (; (column = wr_test_key_column(program, e, number)); number++) {
        const struct wr_test_field *field = NULL;
        for (uint32_t i = 0; i < e->field_count; i++)
            if (wr_slice_equal_nocase(e->field[i].name, wr_slice_cstr(column))) field = &e->field[i];
        if (!field || (field->kind != WR_TEST_BARE && field->kind != WR_TEST_QUOTED)) return false;
        if (number) wr_buf_add_cstr(key, ", ");
        wr_buf_add_slice(key, field->value);
    }
    return number > 0;
}

/* ---- The traced run ---------------------------------------------------------------------------- */

static void trace(struct wr_test_reasons *r, uint32_t pattern)
{
    if (r->traced && r->pattern == pattern) return;
    wr_test_reasons_release(r);
    const struct wr_program *program = r->job->program.program;
    r->traced = true;
    r->pattern = pattern;
    r->asides = wr_alloc_zero(sizeof *r->asides);
    wr_why_asides_init(r->asides, program->query[program->node[pattern].query], NULL);
    wr_why_asides_of(r->asides, program, pattern);
    wr_test_run(r->job, &(struct wr_test_variant){.name = "traced", .batch_rows = 1, .trace = true, .asides = r->asides},
                &r->outcome);
}

void wr_test_reasons_release(struct wr_test_reasons *r)
{
    if (!r->traced) return;
    wr_test_outcome_release(&r->outcome);
    wr_why_asides_release(r->asides);
    wr_free(r->asides);
    r->traced = false;
}

static bool is_of(const struct wr_test_reasons *r, const struct wr_test_why *why)
{
    return strcmp(why->pattern, r->asides->pattern) == 0;
}

/* What took most, and of these what was stopped by nothing but itself. */
static uint32_t rank(const struct wr_test_why *why)
{
    return why->came * 2 + (why->end != WEIR_START_TAKEN && why->end != WEIR_START_COVERED);
}

/* The start that the first label names; else the one that came farthest before the expected time, of the expected key. */
static const struct wr_test_why *choose(const struct wr_test_reasons *r, const struct wr_test_expect *e, const char *key)
{
    const struct wr_test_why *best = NULL;
    for (size_t i = 0; i < r->outcome.why.count; i++) {
        const struct wr_test_why *why = &r->outcome.why.at[i];
        if (!is_of(r, why)) continue;
        if (e->label_count) { /* of a line that is repeated the start that came farthest */
            bool named = wr_test_has_label(r->job, why->first, e->label[0]);
            if (named && (!best || rank(why) > rank(best))) best = why;
            continue;
        }
        bool timeout = e->kind == WR_TEST_TIMEOUT; /* there a match is an answer too */
        if (timeout ? why->end == WEIR_START_EXPIRED : why->matched) continue;
        if (key && strcmp(key, why->start.key) != 0) continue;
        bool before = why->first < r->job->record.count && r->job->record.at[why->first].time <= e->time;
        if ((before || e->any_time) && (!best || rank(why) >= rank(best))) best = why;
    }
    return best;
}

static void indent(struct wr_buf *out, struct wr_slice text)
{
    struct wr_slice line;
    while (wr_test_next_line(&text, &line)) wr_buf_printf(out, "      %.*s\n", WR_SLICE_ARG(line));
}

/* Has the pattern seen the row that the first label names, and nothing begun with it? */
static bool saw_label(const struct wr_test_reasons *r, const struct wr_test_expect *e)
{
    for (size_t i = 0; e->label_count && i < r->asides->row.count; i++) {
        const struct wr_why_aside *a = &r->asides->row.at[i];
        weir_row row = {.stream = a->stream, .partition = a->partition, .record = a->record};
        if (a->kind == WR_ASIDE_SEEN && wr_test_has_label(r->job, wr_test_record_of(&r->outcome, &row), e->label[0]))
            return true;
    }
    return false;
}

/* Are there starts of the key (NULL: any) that came to a match? */
static bool has_matches(const struct wr_test_reasons *r, const char *key)
{
    for (size_t i = 0; i < r->outcome.why.count; i++) {
        const struct wr_test_why *why = &r->outcome.why.at[i];
        if (is_of(r, why) && why->matched && (!key || strcmp(key, why->start.key) == 0)) return true;
    }
    return false;
}

static void print_unbegun(struct wr_test_reasons *r, const struct wr_test_expect *e, const char *key,
                          const struct wr_why_words *words, struct wr_buf *out)
{
    struct wr_buf text = {0};
    const struct wr_program *program = r->job->program.program;
    bool keyed = program->node[r->pattern].u.pattern.key_count > 0, other = has_matches(r, key);
    wr_buf_add_cstr(out, "    why: ");
    if (e->label_count) {
        wr_buf_printf(out, "#%.*s began no match of %s\n", WR_SLICE_ARG(e->label[0]), r->asides->pattern);
        if (saw_label(r, e)) wr_buf_printf(&text, "    #%.*s satisfies nothing that it begins with\n", WR_SLICE_ARG(e->label[0]));
    } else {
        wr_buf_printf(out, "no %srow%s%s before it began a match of %s\n", other ? "other " : "", key ? " of " : "",
                      key ? key : "", r->asides->pattern);
        r->asides->key = other ? NULL : keyed ? key : "";
    }
    wr_why_print_beginnings(program, r->asides->pattern, &text);
    wr_why_asides_print(r->asides, NULL, words, &text);
    indent(out, wr_buf_slice(&text));
    wr_buf_release(&text);
}

/* How often a WHERE said yes and no: of the query and of what feeds it. */
static void print_wheres(const struct wr_test_outcome *counted, const struct wr_why_asides *way, struct wr_buf *out)
{
    for (size_t i = 0; i + 1 < counted->cover.count; i++) {
        const struct wr_test_cover *yes = &counted->cover.at[i], *no = yes + 1;
        bool own = false;
        for (size_t k = 0; k < way->upstream.count; k++) own |= strcmp(way->upstream.at[k], yes->query) == 0;
        if (!own || strcmp(yes->what, "WHERE true") != 0) continue;
        wr_buf_printf(out, "    the WHERE of %s (line %u of the program) was true of %llu row%s, and not of %llu\n", yes->query,
                      yes->line, (unsigned long long)yes->hits, yes->hits == 1 ? "" : "s", (unsigned long long)no->hits);
    }
}

/* Of an output that no pattern gives its rows. */
static void print_counts(struct wr_test_reasons *r, const struct wr_test_expect *e, struct wr_buf *out)
{
    const struct wr_program *program = r->job->program.program;
    struct wr_why_asides way;
    struct wr_test_outcome counted;
    wr_why_asides_init(&way, "", NULL);
    for (uint32_t at = output_named(program, e->stream, 0); at != WR_NONE; at = output_named(program, e->stream, at + 1))
        wr_why_asides_of(&way, program, at);
    wr_test_run(r->job, &(struct wr_test_variant){.name = "counted", .batch_rows = 1, .trace = true, .coverage = true},
                &counted);
    print_wheres(&counted, &way, out);
    wr_test_outcome_release(&counted);
    wr_why_asides_release(&way);
}

void wr_test_print_why(struct wr_test_reasons *r, const struct wr_test_expect *e, struct wr_buf *out)
{
    uint32_t pattern = pattern_of(r->job->program.program, e);
    if (r->job->brief) return;
    if (pattern == WR_NONE && e->kind == WR_TEST_ROW) print_counts(r, e, out);
    if (pattern == WR_NONE) return;
    struct wr_buf text = {0}, key = {0};
    trace(r, pattern);
    struct wr_test_naming naming = {r->job, &r->outcome};
    struct wr_why_words words = {wr_test_name_row, wr_test_name_time, &naming};
    bool keyed = expected_key(r->job->program.program, e, &key);
    const struct wr_test_why *best = choose(r, e, keyed ? wr_buf_cstr(&key) : NULL);
    if (best) {
        wr_buf_printf(out, "    why: %s",
                      e->label_count ? "what became of #" : best->matched ? "its start" : "the best partial match");
        if (e->label_count) wr_buf_add_slice(out, e->label[0]);
        wr_buf_add_char(out, '\n');
        wr_buf_add_slice(&text, best->text);
        if (!best->matched) wr_why_asides_print(r->asides, &best->start, &words, &text);
        indent(out, wr_buf_slice(&text));
    } else {
        print_unbegun(r, e, keyed ? wr_buf_cstr(&key) : NULL, &words, out);
    }
    wr_buf_release(&text);
    wr_buf_release(&key);
}

/* ---- What is open ------------------------------------------------------------------------------ */

static void print_open(const struct wr_test_reasons *r, const struct wr_test_why *why, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "      ");
    if (*why->start.key) wr_buf_printf(out, "for %s: ", why->start.key);
    for (size_t i = 0; i < why->start.row_count; i++) {
        const weir_row *row = &why->start.rows[i];
        if (i) wr_buf_add_char(out, ' ');
        if (row->is_moment) wr_buf_printf(out, "(no %s)", row->variable ? row->variable : "row");
        else wr_test_print_label(out, r->job, wr_test_record_of(&r->outcome, row));
    }
    if (*why->start.waits) wr_buf_printf(out, ", waiting for %s", why->start.waits);
    wr_buf_add_char(out, '\n');
}

void wr_test_print_open(struct wr_test_reasons *r, const struct wr_test_expect *e, bool too_few, struct wr_buf *out)
{
    uint32_t pattern = pattern_of(r->job->program.program, e);
    if (pattern == WR_NONE || r->job->brief) return;
    trace(r, pattern);
    size_t count = 0;
    for (size_t i = r->outcome.why_open; i < r->outcome.why.count; i++) {
        if (!is_of(r, &r->outcome.why.at[i])) continue;
        if (!count++) wr_buf_add_cstr(out, "    open before the input ends:\n");
        if (count <= OPEN_SHOWN) print_open(r, &r->outcome.why.at[i], out);
    }
    if (count > OPEN_SHOWN) wr_buf_printf(out, "      … and %zu more\n", count - OPEN_SHOWN);
    const struct wr_test_why *last = NULL;
    for (size_t i = 0; too_few && i < r->outcome.why_open; i++)
        if (is_of(r, &r->outcome.why.at[i]) && (!last || rank(&r->outcome.why.at[i]) >= rank(last)))
            last = &r->outcome.why.at[i];
    if (!last) return;
    wr_buf_add_cstr(out, "    the farthest of those that have ended:\n");
    indent(out, last->text);
}
