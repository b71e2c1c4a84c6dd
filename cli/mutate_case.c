/* Cases with one event changed: a field set to a value on which a condition may turn, a time moved to where a bound may
 * lie, an event left out, come once more, or come late. Values come from the program's text and from the case. */
#include "cli/mutate.h"
#include "vm/text.h"

enum { EVENTS_MAX = 40, VALUES_MAX = 64, FIELDS_MAX = 700, TIMES_MAX = 500, COPIES_MAX = 500, SECOND = 1000000 };

struct changing {
    const struct wr_test_program *program;
    const struct wr_mutants *mutants;
    const struct wr_test_case *c;
    struct wr_changes *out;
    WR_VEC(struct wr_slice) value; /* of the column that is looked at */
};

static size_t count_of(const struct changing *g, enum wr_change_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < g->out->list.count; i++) count += g->out->list.at[i].kind == kind;
    return count;
}

/* ---- Values of a column ---------------------------------------------------------------------- */

static const struct wr_test_field *field_in(const struct wr_test_field *field, uint32_t count, struct wr_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (wr_slice_equal_nocase(field[i].name, name)) return &field[i];
    return NULL;
}

/* What an event gives a column, itself or by a default; NULL: nothing. */
static const struct wr_test_field *field_of(const struct wr_test_case *c, const struct wr_test_event *e,
                                            struct wr_slice name)
{
    const struct wr_test_field *found = field_in(e->field, e->field_count, name);
    for (size_t d = c->defaults.count; d-- > 0 && !found;)
        if (wr_slice_equal_nocase(c->defaults.at[d].stream, e->stream))
            found = field_in(c->defaults.at[d].field, c->defaults.at[d].field_count, name);
    return found;
}

static void add_value(struct changing *g, struct wr_slice value)
{
    for (size_t i = 0; i < g->value.count; i++)
        if (wr_slice_equal(g->value.at[i], value)) return;
    if (g->value.count < VALUES_MAX) wr_vec_push(&g->value, value);
}

static void add_number(struct changing *g, double value, bool whole)
{
    double rounded = (double)(int64_t)value;
    bool is_whole = !(rounded < value) && !(rounded > value);
    if (!(value > -1e15 && value < 1e15) || (whole && !is_whole)) return;
    add_value(g, wr_arena_printf(g->out->arena, "%.10g", value));
}

/* A number and its neighbours. */
static void add_near(struct changing *g, double value, bool whole)
{
    add_number(g, value, whole);
    add_number(g, value - 1, whole);
    add_number(g, value + 1, whole);
}

static void number_values(struct changing *g, const struct wr_test_event *like, struct wr_slice name, bool whole)
{
    double own[EVENTS_MAX], sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < g->c->event.count; i++) {
        const struct wr_test_event *e = &g->c->event.at[i];
        if (e->kind != WR_TEST_RECORD || !wr_slice_equal_nocase(e->stream, like->stream)) continue;
        const struct wr_test_field *f = field_of(g->c, e, name);
        if (!f || !wr_parse_f64(f->value, &own[count])) continue;
        sum += own[count++];
    }
    for (size_t k = 0; k < g->mutants->number.count; k++) add_near(g, g->mutants->number.at[k], whole);
    for (size_t i = 0; i < count; i++) add_number(g, own[i], whole);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < g->mutants->number.count; k++) {
            add_near(g, own[i] * g->mutants->number.at[k], whole);
            add_number(g, own[i] + g->mutants->number.at[k], whole);
        }
    for (size_t i = 0; i < count; i++) add_near(g, own[i], whole);
    if (count > 1) add_near(g, sum - own[count - 1], whole);
}

static void text_values(struct changing *g, const struct wr_test_event *like, struct wr_slice name)
{
    add_value(g, WR_SLICE("other"));
    for (size_t i = 0; i < g->c->event.count; i++) {
        const struct wr_test_event *e = &g->c->event.at[i];
        if (e->kind != WR_TEST_RECORD || !wr_slice_equal_nocase(e->stream, like->stream)) continue;
        const struct wr_test_field *f = field_of(g->c, e, name);
        if (f) add_value(g, f->value);
    }
    for (size_t k = 0; k < g->mutants->string.count; k++) add_value(g, g->mutants->string.at[k]);
}

static void make_values(struct changing *g, const struct wr_test_event *e, const struct wr_field *column)
{
    struct wr_slice name = wr_slice_cstr(column->name);
    wr_vec_clear(&g->value);
    switch (column->type.kind) {
    case WR_KIND_INT:
    case WR_KIND_BIGINT: number_values(g, e, name, true); break;
    case WR_KIND_FLOAT:
    case WR_KIND_DOUBLE:
    case WR_KIND_DECIMAL: number_values(g, e, name, false); break;
    case WR_KIND_BOOLEAN:
        add_value(g, WR_SLICE("true"));
        add_value(g, WR_SLICE("false"));
        break;
    case WR_KIND_STRING: text_values(g, e, name); break;
    default: return;
    }
    if (!column->not_null) add_value(g, WR_SLICE("null"));
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void add(struct changing *g, struct wr_change change)
{
    wr_vec_push(&g->out->list, change);
}

static const struct wr_source_node *source_of(const struct changing *g, const struct wr_test_event *e)
{
    const struct wr_stream *stream = wr_test_stream(g->program, e->stream);
    return stream ? wr_test_source(g->program, stream) : NULL;
}

static bool has_fields(const struct wr_test_event *e)
{
    return e->kind == WR_TEST_RECORD && !e->json.size && !e->has_bytes;
}

/* Each value of each column that the program reads, in the event or in a copy of it. */
static void add_fields(struct changing *g, uint32_t index, enum wr_change_kind kind, int64_t time, size_t max)
{
    const struct wr_test_event *e = &g->c->event.at[index];
    const struct wr_source_node *source = source_of(g, e);
    for (uint32_t i = 0; source && i < source->field_count; i++) {
        const struct wr_field *column = &source->field[i];
        if (i == source->time_column || column->from != WR_FIELD_PATH) continue;
        const struct wr_test_field *now = field_of(g->c, e, wr_slice_cstr(column->name));
        make_values(g, e, column);
        for (size_t k = 0; k < g->value.count && count_of(g, kind) < max; k++) {
            struct wr_slice value = g->value.at[k];
            if (now ? wr_slice_equal(now->value, value) : wr_slice_equal(value, WR_SLICE("null"))) continue;
            bool plain = value.size && !memchr(value.data, ' ', value.size);
            struct wr_test_field field = {.name = wr_slice_cstr(column->name), .value = value,
                                          .kind = plain ? WR_TEST_BARE : WR_TEST_QUOTED};
            add(g, (struct wr_change){.kind = kind, .event = index, .time = time, .field = field});
        }
    }
}

static void add_time(struct changing *g, enum wr_change_kind kind, uint32_t index, int64_t time)
{
    if (kind == WR_CHANGE_TIME && g->c->event.at[index].time == time) return;
    for (size_t i = 0; i < g->out->list.count; i++) {
        const struct wr_change *c = &g->out->list.at[i];
        if (c->kind == kind && c->event == index && c->time == time && !c->field.name.size) return;
    }
    add(g, (struct wr_change){.kind = kind, .event = index, .time = time});
}

/* To where a length of time from another event ends, just before it, inside what a mutant adds or takes. */
static void add_times(struct changing *g, uint32_t index, enum wr_change_kind kind, size_t max)
{
    for (size_t d = 0; d < g->mutants->duration.count; d++) {
        int64_t us = g->mutants->duration.at[d];
        const int64_t lengths[] = {us - us / 20, us + us / 20, us, us - 1, us / 4 * 3, us / 2 * 3};
        for (size_t k = 0; k < WR_COUNT(lengths); k++)
            for (size_t i = 0; i < g->c->event.count; i++) {
                const struct wr_test_event *e = &g->c->event.at[i];
                int64_t length = lengths[k] > SECOND * 20 ? lengths[k] - lengths[k] % SECOND : lengths[k];
                if (lengths[k] == us - 1) length = us - 1;
                if (e->kind != WR_TEST_RECORD || i == index || count_of(g, kind) >= max) continue;
                add_time(g, kind, index, e->time + length);
            }
    }
}

/* Once more behind all others, about as late as the program may allow. */
static void add_late(struct changing *g, uint32_t index, int64_t last)
{
    for (size_t d = 0; d < g->mutants->duration.count; d++) {
        int64_t us = g->mutants->duration.at[d];
        const int64_t lengths[] = {us - us / 20, us + us / 20, us};
        for (size_t k = 0; k < WR_COUNT(lengths); k++)
            if (count_of(g, WR_CHANGE_LATE) < TIMES_MAX) add_time(g, WR_CHANGE_LATE, index, last - lengths[k]);
    }
}

static bool is_short(const struct wr_test_case *c)
{
    bool files = false;
    for (size_t i = 0; i < c->event.count; i++) files |= c->event.at[i].kind != WR_TEST_RECORD &&
                                                         c->event.at[i].kind != WR_TEST_WATERMARK;
    return !files && c->event.count <= EVENTS_MAX;
}

void wr_changes_make(const struct wr_test_program *program, const struct wr_mutants *mutants,
                     const struct wr_test_case *c, struct wr_changes *out)
{
    struct changing g = {.program = program, .mutants = mutants, .c = c, .out = out};
    int64_t last = INT64_MIN;
    add(&g, (struct wr_change){.kind = WR_CHANGE_NONE});
    if (!is_short(c)) return;
    for (uint32_t i = 0; i < c->event.count; i++) {
        const struct wr_test_event *e = &c->event.at[i];
        if (e->kind != WR_TEST_RECORD) continue;
        last = WR_MAX(last, e->time + e->every * (int64_t)(e->times ? e->times - 1 : 0));
        add(&g, (struct wr_change){.kind = WR_CHANGE_DROP, .event = i});
        add_time(&g, WR_CHANGE_COPY, i, e->time);
    }
    for (uint32_t i = (uint32_t)c->event.count; i-- > 0;)
        if (has_fields(&c->event.at[i])) add_fields(&g, i, WR_CHANGE_FIELD, 0, FIELDS_MAX);
    for (uint32_t i = (uint32_t)c->event.count; i-- > 0;)
        if (c->event.at[i].kind == WR_TEST_RECORD) {
            add_times(&g, i, WR_CHANGE_TIME, TIMES_MAX);
            add_late(&g, i, last);
            add_time(&g, WR_CHANGE_COPY, i, last + SECOND);
        }
    for (uint32_t i = (uint32_t)c->event.count; i-- > 0;)
        if (has_fields(&c->event.at[i])) {
            add_fields(&g, i, WR_CHANGE_COPY, last + SECOND, COPIES_MAX);
            add_times(&g, i, WR_CHANGE_COPY, COPIES_MAX * 2);
        }
    wr_vec_release(&g.value);
}

/* ---- Applied --------------------------------------------------------------------------------- */

static void set_field(struct wr_arena *arena, struct wr_test_event *e, const struct wr_test_field *field)
{
    struct wr_test_field *all = WR_NEW_ARRAY(arena, struct wr_test_field, e->field_count + 1);
    bool set = false;
    for (uint32_t i = 0; i < e->field_count; i++) {
        bool same = wr_slice_equal_nocase(e->field[i].name, field->name);
        all[i] = same ? *field : e->field[i];
        set |= same;
    }
    if (!set) all[e->field_count++] = *field;
    e->field = all;
}

static struct wr_test_event changed_event(struct wr_arena *arena, const struct wr_test_case *c,
                                          const struct wr_change *change)
{
    struct wr_test_event e = c->event.at[change->event];
    if (change->field.name.size) set_field(arena, &e, &change->field);
    if (change->kind != WR_CHANGE_FIELD) e.time = change->time;
    if (change->kind == WR_CHANGE_COPY || change->kind == WR_CHANGE_LATE) {
        e.times = 1;
        e.every = 0;
        e.label = WR_SLICE("new");
    }
    return e;
}

struct wr_test_case wr_change_apply(struct wr_arena *arena, const struct wr_test_case *c, const struct wr_change *change)
{
    struct wr_test_case out = *c;
    if (change->kind == WR_CHANGE_NONE) return out;
    out.event.at = WR_NEW_ARRAY(arena, struct wr_test_event, c->event.count + 1);
    out.event.count = 0;
    out.event.capacity = c->event.count + 1;
    bool moves = change->kind == WR_CHANGE_TIME || change->kind == WR_CHANGE_COPY, late = change->kind == WR_CHANGE_LATE;
    bool placed = !moves;
    struct wr_test_event e = changed_event(arena, c, change);
    for (uint32_t i = 0; i < c->event.count; i++) {
        if (!placed && c->event.at[i].time > e.time) { /* where its time says */
            out.event.at[out.event.count++] = e;
            placed = true;
        }
        if (i != change->event || change->kind == WR_CHANGE_COPY || late) out.event.at[out.event.count++] = c->event.at[i];
        else if (change->kind == WR_CHANGE_FIELD) out.event.at[out.event.count++] = e;
    }
    if (!placed || late) out.event.at[out.event.count++] = e;
    return out;
}

/* ---- As text --------------------------------------------------------------------------------- */

static void print_event(struct wr_buf *out, const struct wr_test_case *c, const struct wr_test_event *e)
{
    wr_test_print_time(out, c, e->time);
    wr_buf_printf(out, " %.*s", WR_SLICE_ARG(e->stream));
    if (e->json.size) wr_buf_printf(out, " %.*s", WR_SLICE_ARG(e->json));
    for (uint32_t i = 0; i < e->field_count; i++) {
        const struct wr_test_field *f = &e->field[i];
        wr_buf_printf(out, " %.*s=", WR_SLICE_ARG(f->name));
        if (f->kind == WR_TEST_QUOTED) wr_buf_add_json(out, f->value);
        else wr_buf_add_slice(out, f->value);
    }
    if (e->times > 1) wr_buf_printf(out, " x%u every ", e->times);
    if (e->times > 1) wr_test_print_interval(out, e->every);
    if (e->label.size) wr_buf_printf(out, " #%.*s", WR_SLICE_ARG(e->label));
}

void wr_change_print(const struct wr_test_file *file, const struct wr_test_case *c, const struct wr_change *change,
                     const char *indent, struct wr_buf *out)
{
    struct wr_arena arena;
    wr_arena_init(&arena);
    bool named = c->name.size != 0;
    wr_buf_printf(out, "%stold in %s:%u", indent, file->path, c->line);
    if (named) wr_buf_printf(out, " \"%.*s\"", WR_SLICE_ARG(c->name));
    if (change->kind == WR_CHANGE_NONE) {
        wr_buf_add_cstr(out, " as it stands, by what it does not ask for\n");
    } else {
        struct wr_test_event e = change->kind == WR_CHANGE_DROP ? c->event.at[change->event]
                                                                : changed_event(&arena, c, change);
        static const char *const how[] = {[WR_CHANGE_FIELD] = "with", [WR_CHANGE_TIME] = "with",
                                          [WR_CHANGE_DROP] = "without", [WR_CHANGE_COPY] = "with one line more",
                                          [WR_CHANGE_LATE] = "with one line more behind all others"};
        wr_buf_printf(out, ", %s\n%s  ", how[change->kind], indent);
        print_event(out, c, &e);
        if (change->kind == WR_CHANGE_FIELD || change->kind == WR_CHANGE_TIME)
            wr_buf_printf(out, "   in place of line %u", e.line);
        wr_buf_add_char(out, '\n');
    }
    wr_arena_release(&arena);
}
