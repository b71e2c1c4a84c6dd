/* What nodes mean, and from it who they are. Inputs have smaller numbers, so one walk does. */
#include "vm/identity.h"

#include <stdlib.h>

#include "base/text.h"
#include "vm/meaning.h"
#include "vm/pattern_kept.h"

const char *wr_node_kind_name(enum wr_node_kind kind)
{
    static const char *const name[] = {"source", "select", "merge", "window", "pattern", "late", "output"};
    WR_ASSERT(kind < WR_NODE_KIND_COUNT);
    return name[kind];
}

const char *wr_meaning_part_name(enum wr_meaning_part part)
{
    static const char *const name[] = {
        "the rows that it reads", "the key", "the pattern", "DEFINE", "WITHIN", "AFTER MATCH", "ROWS PER MATCH", "LIMIT",
        "what is kept of its rows", "the window", "the aggregates", "the columns", "the format"};
    _Static_assert(WR_COUNT(name) == WR_MEANING_COUNT, "each part has a name");
    WR_ASSERT(part < WR_MEANING_COUNT);
    return name[part];
}

/* ---- Sources ---------------------------------------------------------------------------------------- */

static struct wr_hash128 field(struct wr_meanings *m, const struct wr_field *f)
{
    size_t mark = wr_meaning_begin(m, "field");
    wr_meaning_number(m, f->from);
    wr_meaning_number(m, f->not_null);
    wr_meaning_type(m, f->type);
    for (uint32_t i = 0; i < f->path_count; i++) wr_meaning_text(m, wr_slice_cstr(f->path[i]));
    if (f->default_constant != WR_NONE) wr_meaning_hash(m, wr_meaning_of_constant(m, f->default_constant));
    return wr_meaning_end(m, mark);
}

static void source(struct wr_meanings *m, uint32_t n, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    const struct wr_source_node *s = &node->u.source;
    const struct wr_stream *stream = &m->program->stream[s->stream];
    WR_ASSERT(s->stream < m->program->stream_count && s->field_count <= node->schema.count);
    for (uint32_t i = 0; i < s->field_count; i++) m->column[n][i] = field(m, &s->field[i]);
    for (uint32_t i = s->field_count; i < node->schema.count; i++) {
        uint32_t result = i - s->field_count;
        struct wr_hash128 value = wr_meaning_of_result(m, s->computed, result, n, NULL);
        if (s->computed_not_null && s->computed_not_null[result]) {
            size_t mark = wr_meaning_begin(m, "not null");
            wr_meaning_hash(m, value);
            value = wr_meaning_end(m, mark);
        }
        m->column[n][i] = value;
    }
    size_t mark = wr_meaning_begin(m, "source");
    const char *unit = wr_stream_option(stream, "timestamp_unit");
    wr_meaning_name(m, wr_slice_cstr(stream->name));
    wr_meaning_name(m, wr_slice_cstr(unit ? unit : "ms"));
    if (s->time_column != WR_NONE) wr_meaning_hash(m, m->column[n][s->time_column]);
    m->rows[n] = out->part[WR_MEANING_READS] = wr_meaning_end(m, mark);
}

/* ---- Filters and unions ------------------------------------------------------------------------------ */

static void select_rows(struct wr_meanings *m, uint32_t n, uint32_t from, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    const struct wr_select_node *s = &node->u.select;
    WR_ASSERT(from < n);
    for (uint32_t i = 0; i < node->schema.count; i++)
        m->column[n][i] = wr_meaning_of_result(m, s->project, i, from, NULL);
    m->rows[n] = m->rows[from];
    if (s->where != WR_NONE) {
        size_t mark = wr_meaning_begin(m, "where");
        wr_meaning_hash(m, m->rows[from]);
        wr_meaning_hash(m, wr_meaning_of_result(m, s->where, 0, from, NULL));
        m->rows[n] = wr_meaning_end(m, mark);
    }
    out->part[WR_MEANING_READS] = m->rows[n];
}

static void merge(struct wr_meanings *m, uint32_t n, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    struct wr_hash128 *part = WR_NEW_ARRAY(&m->arena, struct wr_hash128, node->input_count + 1u);
    WR_ASSERT(node->input_count > 0);
    /* Where they wait the inputs stand in order; to readers it is one stream, whoever is named first. */
    size_t mark = wr_meaning_begin(m, "inputs");
    for (uint32_t i = 0; i < node->input_count; i++) wr_meaning_hash(m, m->rows[node->input[i]]);
    out->part[WR_MEANING_READS] = wr_meaning_end(m, mark);
    for (uint32_t i = 0; i < node->input_count; i++) part[i] = m->rows[node->input[i]];
    mark = wr_meaning_begin(m, "merge");
    wr_meaning_unordered(m, part, node->input_count);
    m->rows[n] = wr_meaning_end(m, mark);
    for (uint32_t k = 0; k < node->schema.count; k++) {
        for (uint32_t i = 0; i < node->input_count; i++) {
            mark = wr_meaning_begin(m, "of");
            wr_meaning_hash(m, m->rows[node->input[i]]);
            wr_meaning_hash(m, m->column[node->input[i]][k]);
            part[i] = wr_meaning_end(m, mark);
        }
        mark = wr_meaning_begin(m, "one of");
        wr_meaning_unordered(m, part, node->input_count);
        m->column[n][k] = wr_meaning_end(m, mark);
    }
}

static struct wr_hash128 columns(struct wr_meanings *m, uint32_t n, bool names)
{
    const struct wr_schema *schema = &m->program->node[n].schema;
    size_t mark = wr_meaning_begin(m, "columns");
    for (uint32_t i = 0; i < schema->count; i++) {
        if (names) wr_meaning_text(m, wr_slice_cstr(schema->column[i].name));
        else wr_meaning_hash(m, m->column[n][i]);
        wr_meaning_type(m, schema->column[i].type);
    }
    return wr_meaning_end(m, mark);
}

static struct wr_hash128 keys(struct wr_meanings *m, uint32_t from, const uint32_t *key, uint32_t count)
{
    size_t mark = wr_meaning_begin(m, "key");
    for (uint32_t i = 0; i < count; i++) {
        WR_ASSERT(key[i] < m->program->node[from].schema.count);
        wr_meaning_hash(m, m->column[from][key[i]]);
        wr_meaning_type(m, m->program->node[from].schema.column[key[i]].type);
    }
    return wr_meaning_end(m, mark);
}

/* ---- Windows ----------------------------------------------------------------------------------------- */

static void window(struct wr_meanings *m, uint32_t n, uint32_t from, struct wr_meaning *out)
{
    const struct wr_window_node *w = &m->program->node[n].u.window;
    WR_ASSERT(from < n);
    out->part[WR_MEANING_READS] = m->rows[from];
    out->part[WR_MEANING_KEY] = keys(m, from, w->key, w->key_count);
    size_t mark = wr_meaning_begin(m, "window");
    wr_meaning_number(m, w->size_us);
    wr_meaning_number(m, w->slide_us);
    wr_meaning_number(m, w->offset_us);
    wr_meaning_number(m, w->late_us);
    out->part[WR_MEANING_WINDOW] = wr_meaning_end(m, mark);
    for (uint32_t i = 0; i < w->key_count; i++) m->column[n][i] = m->column[from][w->key[i]];
    for (uint32_t i = 0; i < 2; i++)
        m->column[n][w->key_count + i] = wr_meaning_end(m, wr_meaning_begin(m, i ? "window_end" : "window_start"));
    for (uint32_t i = 0; i < w->aggregate_count; i++)
        m->column[n][w->key_count + 2 + i] = wr_meaning_of_aggregate(m, &w->aggregate[i], from, NULL);
    mark = wr_meaning_begin(m, "aggregates");
    for (uint32_t i = 0; i < w->aggregate_count; i++) wr_meaning_hash(m, m->column[n][w->key_count + 2 + i]);
    out->part[WR_MEANING_AGGREGATES] = wr_meaning_end(m, mark);
    mark = wr_meaning_begin(m, "windows");
    wr_meaning_hash(m, m->rows[from]);
    wr_meaning_hash(m, out->part[WR_MEANING_KEY]);
    wr_meaning_hash(m, out->part[WR_MEANING_WINDOW]);
    m->rows[n] = wr_meaning_end(m, mark);
}

/* ---- Patterns ---------------------------------------------------------------------------------------- */

static void entry(struct wr_meanings *m, const struct wr_pattern_node *p, const struct wr_follow *f, uint32_t first,
                  uint32_t count)
{
    const int64_t number[] = {f->position, f->connector, f->flags, f->low_us, f->high_us, f->kill_count,
                              f->claim_count, f->lead_count};
    for (unsigned k = 0; k < WR_COUNT(number); k++) wr_meaning_number(m, number[k]);
    for (uint32_t k = 0; k < f->kill_count; k++) {
        wr_meaning_number(m, p->kill[f->kill + k].variable);
        wr_meaning_number(m, p->kill[f->kill + k].next_only);
    }
    for (uint32_t k = 0; k < f->claim_count; k++) { /* numbers of entries; those of this list stand together */
        uint32_t claim = p->claim[f->claim + k];
        WR_ASSERT(claim >= first && claim < p->follow_count);
        wr_meaning_number(m, (int64_t)claim - first);
        if (claim - first >= count) entry(m, p, &p->follow[claim], first, count); /* in no list; it claims nothing */
    }
    for (uint32_t k = 0; k < f->lead_count; k++) {
        wr_meaning_number(m, p->lead[f->lead + k].variable);
        wr_meaning_number(m, p->lead[f->lead + k].for_us);
    }
}

static void entries(struct wr_meanings *m, const struct wr_pattern_node *p, uint32_t first, uint32_t count)
{
    wr_meaning_number(m, count);
    WR_ASSERT(first + count <= p->follow_count);
    for (uint32_t i = first; i < first + count; i++) entry(m, p, &p->follow[i], first, count);
}

static struct wr_hash128 automaton(struct wr_meanings *m, const struct wr_pattern_node *p)
{
    size_t mark = wr_meaning_begin(m, "pattern");
    wr_meaning_number(m, p->variable_count);
    wr_meaning_number(m, p->position_count);
    entries(m, p, p->first, p->first_count);
    for (uint32_t i = 0; i < p->position_count; i++) {
        const struct wr_pattern_position *position = &p->position[i];
        wr_meaning_number(m, position->variable);
        wr_meaning_number(m, position->excluded);
        wr_meaning_number(m, position->absence_us);
        entries(m, p, position->follow, position->follow_count);
    }
    wr_meaning_number(m, p->all_matches);
    return wr_meaning_end(m, mark);
}

static struct wr_hash128 conditions(struct wr_meanings *m, uint32_t from, const struct wr_pattern_node *p)
{
    struct wr_hash128 none = {0, 0};
    size_t mark = wr_meaning_begin(m, "define");
    for (uint32_t v = 0; v < p->variable_count; v++) {
        const struct wr_pattern_variable *variable = &p->variable[v];
        bool row = variable->row_condition != WR_NONE && p->row_code != WR_NONE;
        WR_ASSERT(variable->condition == WR_NONE || variable->condition < m->program->code_count);
        wr_meaning_hash(m, row ? wr_meaning_of_result(m, p->row_code, variable->row_condition, from, NULL) : none);
        wr_meaning_hash(m, variable->condition != WR_NONE ? wr_meaning_of_result(m, variable->condition, 0, from, p) : none);
    }
    return wr_meaning_end(m, mark);
}

/* What the state's bytes hold beyond positions: columns of rows, accumulators, rows around the match. */
static struct wr_hash128 kept(struct wr_meanings *m, uint32_t from, const struct wr_pattern_node *p)
{
    uint32_t words = wr_pattern_words(p), most = wr_pattern_kept_most(m->program, p);
    uint32_t *keep = WR_NEW_ARRAY(&m->arena, uint32_t, most + 1);
    uint32_t count = wr_pattern_kept(m->program, p, keep);
    uint64_t *needed = WR_NEW_ARRAY(&m->arena, uint64_t, (size_t)count * words + 1);
    wr_pattern_needed(p, keep, count, needed);
    size_t mark = wr_meaning_begin(m, "kept");
    for (uint32_t k = 0; k < count; k++) {
        WR_ASSERT(keep[k] < m->program->node[from].schema.count);
        wr_meaning_hash(m, m->column[from][keep[k]]);
        wr_meaning_type(m, m->program->node[from].schema.column[keep[k]].type);
        for (uint32_t w = 0; w < words; w++) wr_meaning_number(m, (int64_t)needed[(size_t)k * words + w]);
    }
    for (uint32_t a = 0; a < p->aggregate_count; a++)
        if (p->aggregate[a].running) wr_meaning_hash(m, wr_meaning_of_aggregate(m, &p->aggregate[a], from, p));
    bool numbers = false, steps = false;
    for (uint32_t i = 0; i < p->output_count; i++) {
        numbers |= p->output[i].kind == WR_INPUT_SPECIAL && p->output[i].column == WR_SPECIAL_MATCH_NUMBER;
        steps |= p->output[i].step != 0;
    }
    const int64_t number[] = {numbers, steps, p->prev_max, p->next_max, p->out_next_max};
    for (unsigned i = 0; i < WR_COUNT(number); i++) wr_meaning_number(m, number[i]);
    return wr_meaning_end(m, mark);
}

static struct wr_hash128 numbers(struct wr_meanings *m, const char *what, int64_t a, int64_t b, int64_t c)
{
    size_t mark = wr_meaning_begin(m, what);
    WR_ASSERT(mark < m->bytes.size);
    wr_meaning_number(m, a);
    wr_meaning_number(m, b);
    wr_meaning_number(m, c);
    return wr_meaning_end(m, mark);
}

static void pattern(struct wr_meanings *m, uint32_t n, uint32_t from, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    const struct wr_pattern_node *p = &node->u.pattern;
    WR_ASSERT(from < n && p->output_count == node->schema.count);
    out->part[WR_MEANING_READS] = m->rows[from];
    out->part[WR_MEANING_KEY] = keys(m, from, p->key, p->key_count);
    out->part[WR_MEANING_PATTERN] = automaton(m, p);
    out->part[WR_MEANING_DEFINE] = conditions(m, from, p);
    out->part[WR_MEANING_WITHIN] = numbers(m, "within", p->within_us, 0, 0);
    size_t mark = wr_meaning_begin(m, "after match");
    wr_meaning_number(m, p->after_match);
    if (p->after_match == WR_AFTER_TO_FIRST || p->after_match == WR_AFTER_TO_LAST) wr_meaning_set(m, p, p->after_set);
    out->part[WR_MEANING_AFTER] = wr_meaning_end(m, mark);
    out->part[WR_MEANING_RESULTS] = numbers(m, "results", p->all_rows, p->timeouts, 0);
    int64_t policy = p->limit_starts ? p->limit_policy : 0;
    out->part[WR_MEANING_LIMITS] = numbers(m, "limits", p->limit_starts, policy, p->suppress_us);
    mark = wr_meaning_begin(m, "matches");
    for (unsigned part = 0; part < WR_MEANING_KEPT; part++) wr_meaning_hash(m, out->part[part]);
    m->rows[n] = wr_meaning_end(m, mark);
    out->part[WR_MEANING_KEPT] = kept(m, from, p);
    for (uint32_t i = 0; i < p->output_count; i++) m->column[n][i] = wr_meaning_of_input(m, &p->output[i], from, p);
}

/* ---- The rest ---------------------------------------------------------------------------------------- */

static void late(struct wr_meanings *m, uint32_t n, uint32_t from, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    uint32_t reads = m->program->node[from].input[0];
    WR_ASSERT(reads < from && node->schema.count == m->program->node[reads].schema.count);
    size_t mark = wr_meaning_begin(m, "late");
    wr_meaning_hash(m, m->rows[from]);
    m->rows[n] = out->part[WR_MEANING_READS] = wr_meaning_end(m, mark);
    for (uint32_t i = 0; i < node->schema.count; i++) m->column[n][i] = m->column[reads][i];
}

/* Lines that wait were decided by what stood before, so a change there does them nothing. But an output without a name
 * of its own is known by nothing else. */
static void output(struct wr_meanings *m, uint32_t n, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    uint32_t stream = node->u.output.stream;
    const char *format = stream == WR_NONE ? NULL : wr_stream_option(&m->program->stream[stream], "format");
    WR_ASSERT(stream == WR_NONE || stream < m->program->stream_count);
    size_t mark = wr_meaning_begin(m, "output");
    wr_meaning_number(m, node->input_count);
    for (uint32_t i = 0; i < node->input_count && !wr_node_known_as(m->program, node).size; i++) {
        wr_meaning_hash(m, m->rows[node->input[i]]);
        for (uint32_t k = 0; k < node->schema.count; k++) wr_meaning_hash(m, m->column[node->input[i]][k]);
    }
    out->part[WR_MEANING_READS] = wr_meaning_end(m, mark);
    out->part[WR_MEANING_COLUMNS] = columns(m, n, true);
    mark = wr_meaning_begin(m, "format");
    wr_meaning_name(m, wr_slice_cstr(format ? format : "json"));
    out->part[WR_MEANING_FORMAT] = wr_meaning_end(m, mark);
}

static void meaning_of(struct wr_meanings *m, uint32_t n, struct wr_meaning *out)
{
    const struct wr_node *node = &m->program->node[n];
    uint32_t from = node->input_count ? node->input[0] : WR_NONE;
    WR_ASSERT(node->kind < WR_NODE_KIND_COUNT);
    *out = (struct wr_meaning){.part = {{0, 0}}};
    m->column[n] = WR_NEW_ARRAY(&m->arena, struct wr_hash128, node->schema.count + 1);
    switch ((enum wr_node_kind)node->kind) {
    case WR_NODE_SOURCE: source(m, n, out); break;
    case WR_NODE_SELECT: select_rows(m, n, from, out); break;
    case WR_NODE_MERGE: merge(m, n, out); break;
    case WR_NODE_WINDOW: window(m, n, from, out); break;
    case WR_NODE_PATTERN: pattern(m, n, from, out); break;
    case WR_NODE_LATE: late(m, n, from, out); break;
    case WR_NODE_OUTPUT: output(m, n, out); break;
    case WR_NODE_KIND_COUNT: break;
    }
    if (node->kind == WR_NODE_SOURCE || node->kind == WR_NODE_MERGE) out->part[WR_MEANING_COLUMNS] = columns(m, n, false);
}

static void release(struct wr_meanings *m)
{
    wr_buf_release(&m->bytes);
    wr_buf_release(&m->registers);
    wr_arena_release(&m->arena);
}

void wr_program_meanings(const struct wr_program *program, struct wr_meaning *meaning)
{
    struct wr_memory_guard guard;
    struct wr_meanings m = {.program = program};
    wr_arena_init(&m.arena);
    if (WR_MEMORY_GUARD(&guard)) {
        release(&m);
        wr_memory_fail();
    }
    WR_ASSERT(program->node_count == 0 || meaning);
    m.rows = WR_NEW_ARRAY(&m.arena, struct wr_hash128, program->node_count + 1);
    m.column = WR_NEW_ARRAY(&m.arena, struct wr_hash128 *, program->node_count + 1);
    m.results = WR_NEW_ARRAY(&m.arena, struct wr_meaning_results, program->code_count + 1);
    for (uint32_t n = 0; n < program->node_count; n++) meaning_of(&m, n, &meaning[n]);
    wr_memory_guard_pop(&guard);
    release(&m);
}

/* ---- Who it is --------------------------------------------------------------------------------------- */

struct wr_slice wr_node_known_as(const struct wr_program *program, const struct wr_node *node)
{
    struct wr_slice name = wr_slice_cstr(program->query[node->query]), made_up = WR_SLICE("select_");
    WR_ASSERT(node->query < program->query_count);
    if (name.size <= made_up.size || memcmp(name.data, made_up.data, made_up.size) != 0) return name;
    for (size_t i = made_up.size; i < name.size; i++)
        if (name.data[i] < '0' || name.data[i] > '9') return name;
    return WR_SLICE("");
}

struct who {
    struct wr_hash128 hash; /* of kind, name and meaning */
    uint32_t node;
};

static int who_order(const void *a, const void *b)
{
    const struct who *x = a, *y = b;
    if (x->hash.high != y->hash.high) return x->hash.high < y->hash.high ? -1 : 1;
    if (x->hash.low != y->hash.low) return x->hash.low < y->hash.low ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static void identity_put(struct wr_hash128 hash, uint8_t identity[16])
{
    for (unsigned i = 0; i < 8; i++) {
        identity[i] = (uint8_t)(hash.high >> (56 - 8 * i));
        identity[8 + i] = (uint8_t)(hash.low >> (56 - 8 * i));
    }
}

/* Equal operators of one program are told apart by their order. */
static void number_equals(struct wr_program *program, struct wr_meanings *m, struct who *who)
{
    struct wr_node *node = (struct wr_node *)(uintptr_t)program->node;
    qsort(who, program->node_count, sizeof *who, who_order);
    for (uint32_t i = 0, ordinal = 0; i < program->node_count; i++) {
        bool again = i && who[i].hash.low == who[i - 1].hash.low && who[i].hash.high == who[i - 1].hash.high;
        ordinal = again ? ordinal + 1 : 0;
        WR_ASSERT(who[i].node < program->node_count);
        size_t mark = wr_meaning_begin(m, "operator");
        wr_meaning_hash(m, who[i].hash);
        wr_meaning_number(m, ordinal);
        identity_put(wr_meaning_end(m, mark), node[who[i].node].identity);
    }
}

static void identify(struct wr_program *program, struct wr_meanings *m)
{
    struct wr_meaning *meaning = WR_NEW_ARRAY(&m->arena, struct wr_meaning, program->node_count + 1);
    struct who *who = WR_NEW_ARRAY(&m->arena, struct who, program->node_count + 1);
    wr_program_meanings(program, meaning);
    for (uint32_t n = 0; n < program->node_count; n++) {
        const struct wr_node *node = &program->node[n];
        size_t mark = wr_meaning_begin(m, wr_node_kind_name((enum wr_node_kind)node->kind));
        wr_meaning_name(m, wr_node_known_as(program, node));
        for (unsigned part = 0; part < WR_MEANING_COUNT; part++) wr_meaning_hash(m, meaning[n].part[part]);
        who[n] = (struct who){wr_meaning_end(m, mark), n};
    }
    number_equals(program, m, who);
    identity_put(wr_program_core_hash(program), program->identity);
}

void wr_program_identify(struct wr_program *program)
{
    struct wr_memory_guard guard;
    struct wr_meanings m = {.program = program};
    wr_arena_init(&m.arena);
    WR_ASSERT(program->node_count == 0 || program->node);
    if (WR_MEMORY_GUARD(&guard)) {
        release(&m);
        wr_memory_fail();
    }
    identify(program, &m);
    wr_memory_guard_pop(&guard);
    release(&m);
}
