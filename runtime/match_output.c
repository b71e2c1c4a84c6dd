/* From a match to its row of results, or under ALL ROWS PER MATCH to one for each of its rows: the values that the
 * select list wants, the place that decided it, its id. */
#include "base/hash.h"
#include "runtime/pattern.h"

/* ONE ROW PER MATCH looks at the whole match, whatever an input says. */
static bool is_final(const struct wr_pattern_node *spec, const struct wr_input *input)
{
    return input->final_ || spec->all_rows == WR_OUTPUT_ONE_ROW;
}

static bool reads_aggregate(const struct wr_pattern_node *spec, uint32_t aggregate, bool final)
{
    for (uint32_t o = 0; o < spec->output_count; o++) {
        const struct wr_input *input = &spec->output[o];
        if (input->kind == WR_INPUT_AGGREGATE && input->column == aggregate && is_final(spec, input) == final) return true;
    }
    return false;
}

void wr_output_init(struct wr_pattern *p)
{
    const struct wr_pattern_node *spec = p->spec;
    p->out_type = wr_alloc((spec->output_count + 1) * sizeof *p->out_type);
    for (uint32_t o = 0; o < spec->output_count; o++) p->out_type[o] = spec->output[o].type;
    wr_batch_builder_init(&p->out, p->out_type, spec->output_count, true);
    wr_arena_init(&p->strings_built);
    wr_arena_init(&p->final_built);
    p->aggregate = wr_alloc_zero((spec->aggregate_count + 1) * sizeof *p->aggregate);
    p->final_aggregate = wr_alloc_zero((spec->aggregate_count + 1) * sizeof *p->final_aggregate);
    p->scratch_at = wr_alloc((spec->aggregate_count + 1) * sizeof *p->scratch_at);
    p->final_at = wr_alloc((spec->aggregate_count + 1) * sizeof *p->final_at);
    uint32_t size = 0;
    for (uint32_t a = 0; a < spec->aggregate_count; a++) {
        p->scratch_at[a] = p->final_at[a] = WR_NONE;
        uint32_t cell = (uint32_t)wr_aggregate_size(&spec->aggregate[a]);
        if (reads_aggregate(spec, a, true)) {
            p->final_at[a] = size;
            size += cell;
        }
        if (reads_aggregate(spec, a, false)) {
            p->scratch_at[a] = size;
            size += cell;
        }
    }
    p->scratch = wr_alloc_zero(size + 1);
}

void wr_output_release(struct wr_pattern *p)
{
    wr_batch_builder_release(&p->out);
    wr_arena_release(&p->strings_built);
    wr_arena_release(&p->final_built);
    wr_free(p->out_type);
    wr_free(p->aggregate);
    wr_free(p->final_aggregate);
    wr_free(p->scratch_at);
    wr_free(p->final_at);
    wr_free(p->scratch);
    wr_vec_release(&p->match);
    wr_buf_release(&p->buf);
}

void wr_pattern_flush(struct wr_pattern *p)
{
    if (!p->out.batch.rows) return;
    wr_operator_emit(&p->op, &p->out.batch);
    wr_batch_builder_clear(&p->out);
}

/* ---- Values of a match --------------------------------------------------------------------------- */

static struct wr_value row_column(const struct wr_pattern *p, const struct wr_match_row *row, uint32_t column)
{
    WR_ASSERT(!row->is_moment && column < p->input->count);
    if (!row->layout) return wr_vector_at(&p->batch->column[column], row->row);
    uint16_t slot = row->layout->slot[column];
    WR_ASSERT(slot != WR_LAYOUT_NONE);
    return wr_layout_at(row->layout, row->cell, slot, p->strings);
}

/* A row of the match (not a moment) that belongs to a set. */
static bool in_set(const struct wr_pattern *p, const struct wr_match_row *row, uint32_t set)
{
    return !row->is_moment && wr_pattern_set_has(p->spec, set, row->variable);
}

/* Row number `offset` of a set among the first `count` rows, from their end (last) or front; NULL: it has none. */
static const struct wr_match_row *row_of_set(const struct wr_pattern *p, const struct wr_match *m, uint32_t count,
                                             const struct wr_input *input, bool last)
{
    uint32_t offset = input->offset;
    WR_ASSERT(count <= m->count);
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_match_row *row = &m->row[last ? count - 1 - i : i];
        if (in_set(p, row, input->set) && offset-- == 0) return row;
    }
    return NULL;
}

static void add_row(struct wr_pattern *p, const struct wr_aggregate *aggregate, char *cell,
                    const struct wr_match_row *row)
{
    if (!in_set(p, row, aggregate->set)) return;
    if (aggregate->filter != WR_NONE) {
        struct wr_value pass = row_column(p, row, aggregate->filter);
        if (pass.flag != WR_FLAG_VALUE || !pass.u.boolean) return;
    }
    WR_ASSERT(row->variable < p->spec->variable_count);
    struct wr_value argument = {0}, second = {0};
    if (aggregate->column == WR_COLUMN_CLASSIFIER)
        argument = (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_slice_cstr(p->spec->variable[row->variable].name)};
    else if (aggregate->column != WR_NONE) argument = row_column(p, row, aggregate->column);
    if (aggregate->column2 != WR_NONE) second = row_column(p, row, aggregate->column2);
    wr_aggregate_add(aggregate, cell, aggregate->column != WR_NONE ? &argument : NULL,
                     aggregate->column2 != WR_NONE ? &second : NULL, p->strings);
}

static bool is_running(const struct wr_pattern *p, const struct wr_match *m, uint32_t aggregate)
{
    return m->running && p->plan.accumulator[aggregate] != WR_NONE;
}

/* Results over the whole match: what matching has kept is there, others are added up now. The strings of the results
 * live as long as the cells, which release_aggregates lets go. */
static void compute_final(struct wr_pattern *p, const struct wr_match *m)
{
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        const struct wr_aggregate *aggregate = &p->spec->aggregate[a];
        if (p->scratch_at[a] != WR_NONE) wr_aggregate_init(aggregate, p->scratch + p->scratch_at[a]);
        if (p->final_at[a] == WR_NONE) continue;
        if (is_running(p, m, a)) {
            p->final_aggregate[a] = wr_aggregate_result(aggregate, m->running + p->plan.accumulator[a], p->strings,
                                                        &p->final_built);
            continue;
        }
        char *cell = p->scratch + p->final_at[a];
        wr_aggregate_init(aggregate, cell);
        for (uint32_t i = 0; i < m->count; i++) add_row(p, aggregate, cell, &m->row[i]);
        p->final_aggregate[a] = wr_aggregate_result(aggregate, cell, p->strings, &p->final_built);
    }
}

/* Results over the rows up to this one (NULL: over none yet); they are asked for if it is shown. */
static void compute_so_far(struct wr_pattern *p, const struct wr_match_row *row, bool shown)
{
    wr_arena_clear(&p->strings_built);
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        if (p->scratch_at[a] == WR_NONE) continue;
        char *cell = p->scratch + p->scratch_at[a];
        if (row) add_row(p, &p->spec->aggregate[a], cell, row);
        if (shown) p->aggregate[a] = wr_aggregate_result(&p->spec->aggregate[a], cell, p->strings, &p->strings_built);
    }
}

static void release_aggregates(struct wr_pattern *p, const struct wr_match *m)
{
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        const struct wr_aggregate *aggregate = &p->spec->aggregate[a];
        if (p->scratch_at[a] != WR_NONE) wr_aggregate_release(aggregate, p->scratch + p->scratch_at[a], p->strings);
        if (p->final_at[a] != WR_NONE && !is_running(p, m, a))
            wr_aggregate_release(aggregate, p->scratch + p->final_at[a], p->strings);
    }
}

/* ---- Identity ------------------------------------------------------------------------------------ */

/* A row of a source by its stream, partition and offset. A result of a moment, or of the end of the input, has none:
 * its place names the operator that gave it, by a number that is only this program's, and what it gave. */
static void put_place(struct wr_pattern *p, struct wr_place place)
{
    enum { ORDER_BITS = 44 };
    struct wr_slice stream = WR_SLICE("");
    uint32_t partition = 0;
    if (place.source == 0 || place.source == WR_SOURCE_END) {
        uint64_t node = place.source ? place.offset : place.offset >> ORDER_BITS;
        const char *name = node < p->program->node_count ? p->program->node[node].name : NULL;
        if (name) stream = wr_slice_cstr(name);
        place.offset &= ((uint64_t)1 << ORDER_BITS) - 1;
        if (place.source) place.offset = 0;
        wr_put_i64(&p->buf, place.time);
    } else {
        wr_task_source_identity(p->op.task, place.source, &stream, &partition);
    }
    wr_put_bytes(&p->buf, stream);
    wr_put_u32(&p->buf, partition);
    wr_put_u64(&p->buf, place.offset);
    wr_put_u32(&p->buf, place.ordinal);
}

/* MATCH_ID(): a hash of what stays the same when the program is run again: the application, the query, the key, and
 * which row was taken as which variable. */
static struct wr_value match_id(struct wr_pattern *p, const struct wr_match *m)
{
    const char *application = wr_program_setting(p->program, "application");
    wr_buf_clear(&p->buf);
    wr_put_bytes(&p->buf, wr_slice_cstr(application ? application : ""));
    wr_put_bytes(&p->buf, wr_slice_cstr(p->program->query[p->op.node->query]));
    wr_put_u32(&p->buf, p->plan.number);
    /* Encoded keys end by themselves, so they need no length in front. */
    if (p->keys && m->key != WR_NONE) wr_buf_add_slice(&p->buf, wr_keytable_key(p->keys, m->key));
    else if (m->key == WR_NONE) wr_key_encode(p->batch, m->key_row, p->spec->key, p->spec->key_count, &p->buf);
    if (!m->count) put_place(p, m->first);
    for (uint32_t i = 0; i < m->count; i++) {
        wr_put_bytes(&p->buf, wr_slice_cstr(p->spec->variable[m->row[i].variable].name));
        if (m->row[i].is_moment) wr_put_i64(&p->buf, m->row[i].place.time);
        else put_place(p, m->row[i].place);
    }
    if (m->kind != WR_MATCHED) wr_put_u8(&p->buf, m->kind);
    struct wr_hash128 hash = wr_hash128_of(p->buf.data, p->buf.size, 0);
    for (uint32_t i = 0; i < 32; i++) {
        uint64_t half = i < 16 ? hash.high : hash.low;
        p->id_text[i] = "0123456789abcdef"[half >> (60 - 4 * (i % 16)) & 15];
    }
    return (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_slice_of(p->id_text, sizeof p->id_text)};
}

/* ---- The row of results --------------------------------------------------------------------------- */

/* A row to be written: row number `at` of the match is the current one; WR_NONE: a match of no row, an unmatched one. */
struct view {
    const struct wr_match *m;
    const struct wr_match_row *current; /* NULL: there is none to show */
    uint32_t so_far;                    /* rows of the match up to the current one */
};

static struct wr_value text_of(const char *text)
{
    if (!text) return (struct wr_value){.cls = WR_CLASS_STR, .flag = WR_FLAG_NULL};
    return (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_slice_cstr(text)};
}

/* CLASSIFIER: of a row of the match, or of that so many rows before or behind it, if the match has taken that. */
static struct wr_value classifier(const struct wr_pattern *p, const struct view *v, const struct wr_input *input)
{
    uint32_t count = is_final(p->spec, input) ? v->m->count : v->so_far;
    const struct wr_match_row *row = row_of_set(p, v->m, count, input, !input->from_first);
    if (row && input->step) {
        uint32_t kept = wr_general_step(p, row->kept, input->step);
        row = NULL;
        for (uint32_t i = 0; kept && i < v->m->count; i++)
            if (!v->m->row[i].is_moment && v->m->row[i].kept == kept) row = &v->m->row[i];
    }
    return text_of(row ? p->spec->variable[row->variable].name : NULL);
}

static struct wr_value special(struct wr_pattern *p, const struct view *v, const struct wr_input *input)
{
    struct wr_value value = {.cls = WR_CLASS_I64};
    switch ((enum wr_special)input->column) {
    case WR_SPECIAL_MATCH_ID: return match_id(p, v->m);
    case WR_SPECIAL_EVENT_TIME:
        value.u.i64 = v->current ? v->current->place.time - p->plan.behind : p->place.time;
        return value;
    case WR_SPECIAL_MATCH_ROWTIME: value.u.i64 = p->place.time; return value;
    case WR_SPECIAL_MATCH_STATUS: return text_of(v->m->kind == WR_MATCHED ? "matched" : "timeout");
    case WR_SPECIAL_CLASSIFIER: return classifier(p, v, input);
    case WR_SPECIAL_MATCH_NUMBER:
        value.u.i64 = (int64_t)v->m->number;
        if (v->m->kind != WR_MATCHED) value.flag = WR_FLAG_NULL;
        return value;
    case WR_SPECIAL_WINDOW_START:
    case WR_SPECIAL_WINDOW_END:
    case WR_SPECIAL_WINDOW_TIME:
    case WR_SPECIAL_COUNT: break;
    }
    WR_ASSERT(input->column == WR_SPECIAL_MATCH_ID); /* the compiler lets no other through */
    value.flag = WR_FLAG_NULL;
    return value;
}

static struct wr_value stepped(const struct wr_pattern *p, const struct wr_match_row *row, const struct wr_input *input)
{
    if (!input->step) return row_column(p, row, input->column);
    uint32_t kept = wr_general_step(p, row->kept, input->step);
    if (kept) return wr_general_column(p, kept, input->column);
    return (struct wr_value){.cls = (uint8_t)wr_type_class(input->type), .flag = WR_FLAG_NULL};
}

static struct wr_value output_value(struct wr_pattern *p, const struct view *v, const struct wr_input *input)
{
    const struct wr_match *m = v->m;
    bool final = is_final(p->spec, input), unmatched = m->kind == WR_UNMATCHED_ROW;
    switch ((enum wr_input_kind)input->kind) {
    case WR_INPUT_KEY:
        WR_ASSERT(input->column < p->spec->key_count);
        if (m->key != WR_NONE) return wr_keytable_value(p->keys, m->key, input->column);
        return wr_vector_at(&p->batch->column[p->spec->key[input->column]], m->key_row);
    case WR_INPUT_AGGREGATE:
        if (unmatched) break;
        return final ? p->final_aggregate[input->column] : p->aggregate[input->column];
    case WR_INPUT_SPECIAL:
        if (unmatched && input->column != WR_SPECIAL_EVENT_TIME) break;
        return special(p, v, input);
    case WR_INPUT_LAST:
    case WR_INPUT_FIRST: {
        const struct wr_match_row *row =
            row_of_set(p, m, final ? m->count : v->so_far, input, input->kind == WR_INPUT_LAST);
        if (row) return stepped(p, row, input);
        break;
    }
    case WR_INPUT_COLUMN:
        if (v->current && !(unmatched && input->step)) return stepped(p, v->current, input);
        break;
    }
    return (struct wr_value){.cls = (uint8_t)wr_type_class(input->type), .flag = WR_FLAG_NULL};
}

/* Several results of one place are told apart by their number. */
static uint32_t next_ordinal(struct wr_pattern *p)
{
    struct wr_place last = p->last_place;
    if (p->place.time != last.time || p->place.source != last.source || p->place.offset != last.offset) {
        p->last_place = p->place;
        p->last_ordinal = 0;
        return 0;
    }
    return ++p->last_ordinal;
}

static void tell_watch(struct wr_pattern *p, const struct wr_match *m, struct wr_place place)
{
    struct wr_watch_taken *taken = wr_alloc(sizeof *taken * (m->count + 1));
    size_t count = 0;
    for (uint32_t i = 0; i < m->count; i++)
        if (!m->row[i].is_moment) taken[count++] = (struct wr_watch_taken){m->row[i].place, m->row[i].variable};
    WR_ASSERT(count <= m->count);
    wr_watch_match(p->watch, &p->op, place, taken, count);
    if (m->kind == WR_TIMED_OUT) wr_watch_timed_out(p->watch);
    wr_free(taken);
}

static void write_row(struct wr_pattern *p, const struct view *v)
{
    struct wr_batch_builder *out = &p->out;
    if (out->batch.rows == WR_BATCH_ROWS_DEFAULT) wr_pattern_flush(p);
    uint32_t row = out->batch.rows++;
    WR_ASSERT(row < WR_BATCH_ROWS && v->so_far <= v->m->count);
    p->results++;
    out->time[row] = out->event_time[row] = out->place_time[row] = p->place.time;
    out->source[row] = p->place.source;
    out->offset[row] = p->place.offset;
    out->ordinal[row] = next_ordinal(p);
    out->first[row] = v->m->first;
    if (p->watch) tell_watch(p, v->m, wr_batch_place(&out->batch, row));
    for (uint32_t o = 0; o < p->spec->output_count; o++) {
        struct wr_value value = output_value(p, v, &p->spec->output[o]);
        wr_batch_builder_put(out, o, row, &value, true);
    }
}

/* ALL ROWS PER MATCH. */
static void write_rows(struct wr_pattern *p, const struct wr_match *m)
{
    if (!m->count) {
        if (p->spec->all_rows == WR_OUTPUT_OMIT_EMPTY || !m->at) return;
        compute_so_far(p, NULL, true);
        write_row(p, &(struct view){.m = m, .current = m->at});
        return;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        const struct wr_match_row *row = &m->row[i];
        if (row->is_moment) continue;
        compute_so_far(p, row, !row->excluded);
        if (!row->excluded) write_row(p, &(struct view){.m = m, .current = row, .so_far = i + 1});
    }
}

void wr_pattern_report(struct wr_pattern *p, const struct wr_match *m)
{
    WR_ASSERT(m->key == WR_NONE || p->keys || p->spec->key_count == 0);
    wr_arena_clear(&p->final_built);
    compute_final(p, m);
    if (p->spec->all_rows == WR_OUTPUT_ONE_ROW) write_row(p, &(struct view){.m = m, .so_far = m->count});
    else write_rows(p, m);
    release_aggregates(p, m);
}
