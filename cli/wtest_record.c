/* Events as records: what a line's fields, object or bytes come to as a line of JSON. */
#include "base/text.h"
#include "cli/wtest.h"
#include "vm/text.h"

#include <jansson.h>
#include <stdlib.h>

/* One member of the record: where it lies and its JSON. */
struct member {
    uint32_t path_count;
    const char *const *path;
    const char *own[1]; /* the path of a column that nothing reads */
    struct wr_slice json;
};

struct making {
    struct wr_test_job *job;
    const struct wr_test_event *event;
    const struct wr_stream *stream;
    const struct wr_source_node *source;
    const struct wr_node *node;
    uint32_t repeat;
    int64_t time;
    const char *why;
    bool own_time;
    WR_VEC(struct member) member;
};

static struct wr_slice json_text(struct wr_arena *arena, struct wr_slice text)
{
    json_t *value = json_stringn(text.data, text.size);
    char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    struct wr_slice out = wr_arena_copy(arena, wr_slice_cstr(dumped ? dumped : "null"));
    free(dumped);
    json_decref(value);
    return out;
}

/* $i becomes the number of the repetition. */
static struct wr_slice with_number(struct making *m, struct wr_slice text)
{
    if (!text.size || !memmem(text.data, text.size, "$i", 2)) return text;
    struct wr_buf out = {0};
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '$' && i + 1 < text.size && text.data[i + 1] == 'i') {
            wr_buf_printf(&out, "%u", m->repeat);
            i++;
        } else {
            wr_buf_add_char(&out, text.data[i]);
        }
    }
    struct wr_slice copy = wr_arena_copy(&m->job->arena, wr_buf_slice(&out));
    wr_buf_release(&out);
    return copy;
}

static bool is_number(struct wr_slice text)
{
    double value;
    bool begins =
        text.size && (text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9'));
    return begins && wr_parse_f64(text, &value);
}

static struct wr_slice timestamp_json(struct making *m, int64_t time)
{
    char text[WR_TEXT_MAX];
    size_t size = wr_print_timestamp(text, time);
    return json_text(&m->job->arena, wr_slice_of(text, size));
}

/* +5s behind the start, or a time as the column reads it. */
static struct wr_slice time_json(struct making *m, struct wr_slice text)
{
    int64_t us;
    if (text.data[0] != '+' || wr_parse_timestamp(text, &us))
        return is_number(text) ? text : json_text(&m->job->arena, text);
    const char *why = wr_test_parse_interval(wr_slice_of(text.data + 1, text.size - 1), &us);
    if (!why && __builtin_add_overflow(m->job->c->start, us, &us)) why = "is past the end of time";
    if (why) m->why = wr_arena_printf(&m->job->arena, "'%.*s' %s", WR_SLICE_ARG(text), why).data;
    return why ? text : timestamp_json(m, us);
}

static struct wr_slice value_json(struct making *m, const struct wr_test_field *field,
                                  struct wr_type type)
{
    struct wr_arena *arena = &m->job->arena;
    struct wr_slice text = with_number(m, field->value);
    if (field->kind == WR_TEST_QUOTED) return json_text(arena, text);
    if (wr_slice_equal(text, WR_SLICE("null"))) return text;
    switch (type.kind) {
    case WR_KIND_STRING:
    case WR_KIND_BYTES:
    case WR_KIND_DATE:
    case WR_KIND_TIME:
    case WR_KIND_INTERVAL: return json_text(arena, text);
    case WR_KIND_TIMESTAMP: return time_json(m, text);
    default: break;
    }
    bool literal =
        wr_slice_equal(text, WR_SLICE("true")) || wr_slice_equal(text, WR_SLICE("false"));
    bool nested = text.data[0] == '[' || text.data[0] == '{';
    return literal || nested || is_number(text) ? text : json_text(arena, text);
}

/* Index in the declared columns, or WR_NONE. */
static uint32_t find_column(const struct wr_schema *schema, struct wr_slice name)
{
    uint32_t found = WR_NONE;
    for (uint32_t i = 0; i < schema->count; i++) {
        struct wr_slice own = wr_slice_cstr(schema->column[i].name);
        if (wr_slice_equal(own, name)) return i;
        if (wr_slice_equal_nocase(own, name)) found = i;
    }
    return found;
}

static void unknown_column(struct making *m, struct wr_slice name)
{
    struct wr_suggestion s;
    wr_suggestion_init(&s, name);
    for (uint32_t i = 0; i < m->stream->declared.count; i++)
        wr_suggestion_offer(&s, wr_slice_cstr(m->stream->declared.column[i].name));
    struct wr_slice best = wr_suggestion_best(&s);
    struct wr_slice text =
        best.size ? wr_arena_printf(&m->job->arena,
                                    "stream %s has no column '%.*s'; did you mean '%.*s'?",
                                    m->stream->name, WR_SLICE_ARG(name), WR_SLICE_ARG(best))
                  : wr_arena_printf(&m->job->arena, "stream %s has no column '%.*s'",
                                    m->stream->name, WR_SLICE_ARG(name));
    m->why = text.data;
}

static const struct wr_field *field_of(const struct making *m, struct wr_slice name)
{
    for (uint32_t i = 0; i < m->source->field_count; i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(m->source->field[i].name), name))
            return &m->source->field[i];
    return NULL;
}

static bool add_member(struct making *m, const struct wr_field *from, struct wr_slice json)
{
    for (uint32_t i = 0; i < from->path_count; i++)
        if (from->path[i][0] == '[') {
            m->why =
                wr_arena_printf(&m->job->arena,
                                "column %s lies inside an array: write the record as a JSON object",
                                from->name)
                    .data;
            return false;
        }
    wr_vec_push(&m->member,
                (struct member){.path_count = from->path_count, .path = from->path, .json = json});
    return true;
}

static void add_field(struct making *m, const struct wr_test_field *field)
{
    uint32_t declared = find_column(&m->stream->declared, field->name);
    if (declared == WR_NONE) {
        unknown_column(m, field->name);
        return;
    }
    const struct wr_schema_column *column = &m->stream->declared.column[declared];
    const struct wr_field *from = field_of(m, wr_slice_cstr(column->name));
    uint32_t in_node = find_column(&m->node->schema, wr_slice_cstr(column->name));
    if (!from && in_node != WR_NONE) {
        m->why =
            wr_arena_printf(&m->job->arena, "column %s is computed; give what it is computed from",
                            column->name)
                .data;
        return;
    }
    if (!from || from->from != WR_FIELD_PATH)
        return; /* nothing reads it, or it is not in the record */
    if (m->source->time_column < m->source->field_count &&
        from == &m->source->field[m->source->time_column])
        m->own_time = true;
    add_member(m, from, value_json(m, field, column->type));
}

/* The members as an object: those at the same place of depth `depth` come together. */
static void write_object(struct making *m, size_t *at, size_t count, uint32_t depth,
                         struct wr_buf *out)
{
    wr_buf_add_char(out, '{');
    for (size_t i = 0, written = 0; i < count; i++) {
        const struct member *a = &m->member.at[at[i]];
        if (a->path_count == 0) continue;
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= strcmp(m->member.at[at[k]].path[depth], a->path[depth]) == 0;
        if (seen) continue;
        if (written++) wr_buf_add_char(out, ',');
        wr_buf_add_slice(out, json_text(&m->job->arena, wr_slice_cstr(a->path[depth])));
        wr_buf_add_char(out, ':');
        if (a->path_count == depth + 1) {
            wr_buf_add_slice(out, a->json);
            continue;
        }
        size_t *inside = wr_arena_alloc(&m->job->arena, sizeof *inside * count), n = 0;
        for (size_t k = i; k < count; k++) {
            const struct member *b = &m->member.at[at[k]];
            if (b->path_count > depth + 1 && strcmp(b->path[depth], a->path[depth]) == 0)
                inside[n++] = at[k];
        }
        write_object(m, inside, n, depth + 1, out);
    }
    wr_buf_add_char(out, '}');
}

static const struct wr_field *time_field(const struct making *m)
{
    uint32_t column = m->source->time_column;
    return column < m->source->field_count && m->source->field[column].from == WR_FIELD_PATH
               ? &m->source->field[column]
               : NULL;
}

static void from_fields(struct making *m, struct wr_buf *out)
{
    const struct wr_test_event *e = m->event;
    wr_vec_clear(&m->member);
    m->own_time = m->source->time_column != WR_NONE && !time_field(m);
    for (uint32_t i = 0; i < e->field_count && !m->why; i++) add_field(m, &e->field[i]);
    for (size_t d = m->job->c->defaults.count; d-- > 0 && !m->why;) {
        const struct wr_test_default *more = &m->job->c->defaults.at[d];
        if (!wr_slice_equal_nocase(more->stream, wr_slice_cstr(m->stream->name))) continue;
        for (uint32_t k = 0; k < more->field_count && !m->why; k++) {
            bool given = false;
            for (uint32_t i = 0; i < e->field_count; i++)
                given |= wr_slice_equal_nocase(e->field[i].name, more->field[k].name);
            if (!given)
                add_field(
                    m,
                    &more->field[k]); /* a later default stands in front: the first member counts */
        }
    }
    if (!m->why && time_field(m) && !m->own_time)
        add_member(m, time_field(m), timestamp_json(m, m->time));
    if (m->why) return;
    size_t *at = wr_arena_alloc(&m->job->arena, sizeof *at * (m->member.count + 1));
    for (size_t i = 0; i < m->member.count; i++) at[i] = i;
    write_object(m, at, m->member.count, 0, out);
}

/* The object as it stands, with the time in front when it does not say it itself. */
static void from_json(struct making *m, struct wr_buf *out)
{
    struct wr_slice text = with_number(m, m->event->json), rest, name, value;
    json_error_t error;
    json_t *object = json_loadb(text.data, text.size, 0, &error);
    if (!object || !json_is_object(object))
        m->why = wr_arena_printf(&m->job->arena, "this is no JSON object: %s", error.text).data;
    json_decref(object);
    if (m->why) return;
    const struct wr_field *time = time_field(m);
    m->own_time = m->source->time_column != WR_NONE && (!time || time->path_count != 1);
    rest = wr_slice_of(text.data + 1, text.size - 1);
    bool empty = true;
    while (wr_test_next_member(&rest, &name, &value)) {
        empty = false;
        struct wr_slice own = wr_test_unquote(&m->job->arena, name);
        if (time && time->path_count == 1 && wr_slice_equal(own, wr_slice_cstr(time->path[0])))
            m->own_time = true;
    }
    if (m->own_time || !time) {
        wr_buf_add_slice(out, text);
        return;
    }
    wr_buf_add_char(out, '{');
    wr_buf_add_slice(out, json_text(&m->job->arena, wr_slice_cstr(time->path[0])));
    wr_buf_add_char(out, ':');
    wr_buf_add_slice(out, timestamp_json(m, m->time));
    if (!empty) wr_buf_add_char(out, ',');
    wr_buf_add(out, text.data + 1, text.size - 1);
}

static void find_node(struct making *m)
{
    const struct wr_program *program = m->job->program.program;
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == WR_NODE_SOURCE && &program->node[i].u.source == m->source)
            m->node = &program->node[i];
}

static bool unknown_stream(struct wr_test_job *job, struct wr_slice name, const char **why)
{
    const struct wr_program *program = job->program.program;
    struct wr_suggestion s;
    wr_suggestion_init(&s, name);
    for (uint32_t i = 0; i < program->stream_count; i++)
        wr_suggestion_offer(&s, wr_slice_cstr(program->stream[i].name));
    struct wr_slice best = wr_suggestion_best(&s);
    *why =
        best.size
            ? wr_arena_printf(&job->arena, "the program has no stream '%.*s'; did you mean '%.*s'?",
                              WR_SLICE_ARG(name), WR_SLICE_ARG(best))
                  .data
            : wr_arena_printf(&job->arena, "the program has no stream '%.*s'", WR_SLICE_ARG(name))
                  .data;
    return false;
}

static bool make(struct wr_test_job *job, uint32_t index, const char **why)
{
    const struct wr_test_event *e = &job->c->event.at[index];
    struct making m = {.job = job, .event = e, .stream = wr_test_stream(&job->program, e->stream)};
    if (!m.stream) return unknown_stream(job, e->stream, why);
    m.source = wr_test_source(&job->program, m.stream);
    if (!m.source) return true; /* nothing reads the stream */
    find_node(&m);
    struct wr_buf out = {0};
    for (m.repeat = 0; m.repeat < e->times && !m.why; m.repeat++) {
        m.time = e->time + e->every * (int64_t)m.repeat;
        wr_buf_clear(&out);
        m.own_time = e->has_bytes;
        if (e->has_bytes) wr_buf_add_slice(&out, e->bytes);
        else if (e->json.size) from_json(&m, &out);
        else from_fields(&m, &out);
        if (!out.size && !m.why) m.why = "a record of no bytes is none";
        wr_buf_add_char(&out, '\n');
        wr_vec_push(&job->step, (int64_t)job->record.count);
        wr_vec_push(&job->record, (struct wr_test_record){
                                      .event = index,
                                      .repeat = m.repeat,
                                      .time = m.time,
                                      .own_time = m.own_time,
                                      .stream = m.stream->name,
                                      .bytes = wr_arena_copy(&job->arena, wr_buf_slice(&out))});
    }
    wr_buf_release(&out);
    wr_vec_release(&m.member);
    *why = m.why;
    return !m.why;
}

bool wr_test_job_records(struct wr_test_job *job, const char **why, uint32_t *line)
{
    for (uint32_t i = 0; i < job->c->event.count; i++) {
        const struct wr_test_event *e = &job->c->event.at[i];
        *line = e->line;
        *why = NULL;
        if (e->kind == WR_TEST_WATERMARK) wr_vec_push(&job->step, ~(int64_t)i);
        if (e->kind == WR_TEST_INPUT && !wr_test_stream(&job->program, e->stream))
            unknown_stream(job, e->stream, why);
        if (*why || (e->kind == WR_TEST_RECORD && !make(job, i, why))) return false;
    }
    return true;
}
