/* Keys of an operator and what they hold, in words; and the proof that every entry can be loaded. A task of the stored
 * program is made for it, with partitions that nobody reads. */
#include "runtime/state_view.h"

#include "runtime/pattern.h"
#include "runtime/source.h"
#include "runtime/upgrade.h"
#include "runtime/window_internal.h"
#include "vm/text.h"

#include <inttypes.h>

static void put_time(struct wr_buf *out, int64_t time)
{
    char text[WR_TEXT_MAX];
    wr_buf_add(out, text, wr_print_timestamp(text, time));
}

/* A task whose operators can take the entries: it knows the partitions by name, and reads nothing. */
static enum wr_status make_task(const struct wr_state_image *image, const struct wr_connectors *connectors,
                                struct wr_task *task, struct wr_error *error)
{
    struct wr_task_options options = {.batch_rows = 1, .errors_max = -1};
    struct wr_slice list = wr_record_find(wr_buf_slice(&image->record), "partitions");
    struct wr_record_partition one;
    wr_task_init(task, image->program, &options);
    while (list.size && wr_record_partition_next(&list, &one))
        for (uint32_t s = 0; s < task->source_count; s++) {
            const struct wr_source *source = task->source[s];
            if (!wr_slice_equal(one.stream, wr_slice_cstr(source->stream->name))) continue;
            if (wr_task_add_partition(task, source->op.id, NULL, connectors, error) != WR_OK) return error->status;
        }
    wr_task_start(task);
    return WR_OK;
}

struct showing {
    struct wr_task task;
    uint32_t op;            /* number of the operator that is shown */
    const char *key;        /* NULL: all */
    uint64_t most, shown, entries, wrong;
    bool json, found, verify;
    const char *between;
    struct wr_buf *out;
    struct wr_buf text, values, bare; /* of a key */
};

/* A text stands for itself where nothing can be taken for something else, else as a string of JSON. */
static bool is_plain(struct wr_slice text)
{
    if (!text.size || wr_slice_equal_nocase(text, WR_SLICE("NULL")) || text.data[0] == ' ' || text.data[text.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f || strchr(",\"", text.data[i])) return false;
    return true;
}

static bool is_text(struct wr_type type, const struct wr_value *value)
{
    return value->flag == WR_FLAG_VALUE && (type.kind == WR_KIND_STRING || type.kind == WR_KIND_BYTES);
}

/* NaN and Infinity are none. */
static bool is_json_number(struct wr_type type, struct wr_slice text)
{
    if (type.kind < WR_KIND_INT || type.kind > WR_KIND_DECIMAL || !text.size) return false;
    char first = text.data[text.data[0] == '-' && text.size > 1];
    return first >= '0' && first <= '9';
}

static void put_column(struct showing *s, struct wr_type type, const struct wr_value *value)
{
    struct wr_buf one = {0};
    const char *between = s->text.size ? ", " : "", *comma = s->values.size ? "," : "";
    wr_value_print(type, value, &one);
    struct wr_slice text = wr_buf_slice(&one);
    wr_buf_add_cstr(&s->text, between);
    wr_buf_add_cstr(&s->values, comma);
    if (is_text(type, value)) {
        wr_buf_clear(&s->bare);
        wr_buf_add_slice(&s->bare, text);
    }
    if (!is_text(type, value) || is_plain(text)) wr_buf_add_slice(&s->text, text);
    else wr_buf_add_json(&s->text, text);
    if (value->flag == WR_FLAG_NULL) wr_buf_add_cstr(&s->values, "null");
    else if (type.kind == WR_KIND_BOOLEAN) wr_buf_add_cstr(&s->values, value->u.boolean ? "true" : "false");
    else if (is_json_number(type, text)) wr_buf_add_slice(&s->values, text);
    else wr_buf_add_json(&s->values, text);
    wr_buf_release(&one);
}

/* In .text as it is shown, in .values as elements of JSON's array; in .bare, of a key of one text, that. */
static void put_key_of(struct showing *s, struct wr_slice encoded)
{
    struct wr_operator *op = s->task.op[s->op];
    struct wr_keytable *keys = NULL;
    const struct wr_type *type = NULL;
    uint32_t columns = 0;
    wr_buf_clear(&s->text);
    wr_buf_clear(&s->values);
    wr_buf_clear(&s->bare);
    if (op->cls == &wr_pattern_operator) {
        struct wr_pattern *p = (struct wr_pattern *)op;
        keys = p->keys;
        type = p->key_type;
        columns = p->spec->key_count;
    } else if (op->cls == &wr_window_operator) {
        struct wr_window *w = (struct wr_window *)op;
        keys = w->keys;
        type = w->type;
        columns = w->spec->key_count;
    }
    if (!keys || !wr_key_is_valid(type, columns, encoded)) return;
    uint32_t id = (uint32_t)wr_keytable_find(keys, encoded, true);
    for (uint32_t k = 0; k < columns; k++) {
        struct wr_value value = wr_keytable_value(keys, id, k);
        put_column(s, type[k], &value);
    }
    if (columns != 1) wr_buf_clear(&s->bare);
}

static bool is_wanted(struct showing *s)
{
    if (!s->key || strcmp(s->key, wr_buf_cstr(&s->text)) == 0) return true;
    return s->bare.size && !wr_slice_equal_nocase(wr_buf_slice(&s->bare), WR_SLICE("NULL")) &&
           strcmp(s->key, wr_buf_cstr(&s->bare)) == 0;
}

/* ---- A pattern's key -------------------------------------------------------------------------------- */

static void put_link(struct showing *s, struct wr_pattern *p, const struct wr_picture *picture, uint32_t link)
{
    const struct wr_picture_link *l = &picture->link.at[link - 1];
    if (l->previous) put_link(s, p, picture, l->previous);
    const struct wr_picture_row *row = &picture->row.at[l->row];
    wr_buf_printf(s->out, "%s%s at ", l->previous ? ", " : "",
                  p->spec->variable[l->flags & 1 ? l->moment : row->variable].name);
    put_time(s->out, l->flags & 1 ? l->time : row->id.place.time);
    const char *between = " (";
    for (uint32_t k = 0; !(l->flags & 1) && k < p->plan.keep_count; k++) {
        const struct wr_value *value = &picture->value.at[row->value + k];
        if (!p->plan.needed[(size_t)row->variable * p->plan.keep_count + k]) continue;
        wr_buf_printf(s->out, "%s%s = ", between, p->input->column[p->plan.keep[k]].name);
        wr_value_print(p->input->column[p->plan.keep[k]].type, value, s->out);
        between = ", ";
    }
    if (*between == ',') wr_buf_add_char(s->out, ')');
}

static void show_pattern(struct showing *s, struct wr_pattern *p, struct wr_slice value)
{
    struct wr_picture *picture = &p->picture;
    uint64_t order;
    if (!wr_pattern_picture_of(p, value, picture, &order)) return;
    wr_buf_printf(s->out, "%zu open start%s\n", picture->start.count, picture->start.count == 1 ? "" : "s");
    for (size_t i = 0; i < picture->start.count; i++) {
        const struct wr_picture_start *start = &picture->start.at[i];
        wr_buf_add_cstr(s->out, "  begun at ");
        put_time(s->out, start->first.place.time);
        int64_t end = wr_pattern_deadline(p, start->first.place.time);
        if (end != WR_TIME_MAX) {
            wr_buf_add_cstr(s->out, ", until ");
            put_time(s->out, end);
        }
        wr_buf_add_char(s->out, '\n');
        for (uint32_t t = 0; t < start->count; t++) {
            const struct wr_picture_thread *thread = &picture->thread.at[start->thread + t];
            wr_buf_add_cstr(s->out, thread->ended ? "    whole, waiting: " : "    taken: ");
            if (thread->link) put_link(s, p, picture, thread->link);
            else wr_buf_add_cstr(s->out, "nothing");
            wr_buf_add_char(s->out, '\n');
        }
    }
    if (picture->listed.count) wr_buf_printf(s->out, "  %zu rows kept in order\n", picture->listed.count);
}

/* ---- A window's key --------------------------------------------------------------------------------- */

static void show_window(struct showing *s, struct wr_window *w, uint32_t id)
{
    struct wr_arena arena;
    wr_arena_init(&arena);
    for (uint32_t at = *wr_window_first_cell(w, id); at;) {
        const struct wr_window_cell *cell = wr_window_cell_at(w, at);
        const struct wr_pane *pane = &w->panes.at[cell->pane];
        wr_buf_add_cstr(s->out, "  window ");
        put_time(s->out, pane->start);
        wr_buf_add_cstr(s->out, " to ");
        put_time(s->out, pane->end);
        for (uint32_t k = 0; k < w->spec->aggregate_count; k++) {
            struct wr_value value = wr_aggregate_result(&w->spec->aggregate[k], (const char *)cell + w->accumulator[k],
                                                        w->strings, &arena);
            wr_buf_printf(s->out, "%s%s = ", k ? ", " : ": ", w->op.node->schema.column[w->spec->key_count + 2 + k].name);
            wr_value_print(w->type[w->spec->key_count + 2 + k], &value, s->out);
        }
        wr_buf_add_char(s->out, '\n');
        at = cell->next;
    }
    wr_arena_release(&arena);
}

/* ---- Entries ---------------------------------------------------------------------------------------- */

static void put_key(struct showing *s, uint64_t bytes)
{
    if (s->json) {
        wr_buf_printf(s->out, "%s{\"key\":", s->between);
        wr_buf_add_json_cstr(s->out, wr_buf_cstr(&s->text));
        wr_buf_printf(s->out, ",\"values\":[%s],\"bytes\":%" PRIu64 "}", wr_buf_cstr(&s->values), bytes);
        s->between = ",";
    } else {
        wr_buf_printf(s->out, "%s: %" PRIu64 " bytes\n", s->text.size ? wr_buf_cstr(&s->text) : "(one key)", bytes);
    }
}

static void verify_entry(struct showing *s, const struct wr_segment_entry *entry)
{
    struct wr_operator *op = s->task.op[entry->op];
    s->entries++;
    if (op->cls == &wr_output_operator) return; /* it takes lines for files that are not open here */
    if (op->cls->load && op->cls->load(op, entry->key, entry->value)) return;
    if (s->wrong++ < 20)
        wr_buf_printf(s->out, "%s: an entry of %zu bytes is not what its operator takes\n",
                      wr_node_shown_name(s->task.program, entry->op), entry->value.size);
}

static void show_entry(void *context, const struct wr_segment_entry *entry)
{
    struct showing *s = context;
    WR_ASSERT(s->out);
    if (entry->op >= s->task.op_count) {
        s->wrong++;
        return;
    }
    if (s->verify) {
        verify_entry(s, entry);
        return;
    }
    if (entry->op != s->op || entry->kind != 'u') return;
    s->entries++;
    if (!s->key && s->most && s->shown >= s->most) return;
    put_key_of(s, entry->key);
    if (!is_wanted(s)) return;
    s->found = true;
    s->shown++;
    put_key(s, entry->key.size + entry->value.size);
    struct wr_operator *op = s->task.op[s->op];
    if (!s->key || s->json) return;
    if (op->cls == &wr_pattern_operator) {
        show_pattern(s, (struct wr_pattern *)op, entry->value);
    } else if (op->cls == &wr_window_operator && op->cls->load(op, entry->key, entry->value)) {
        struct wr_window *w = (struct wr_window *)op;
        show_window(s, w, (uint32_t)wr_keytable_find(w->keys, entry->key, false));
    }
}

static uint32_t find_operator(const struct showing *s, const char *name)
{
    for (uint32_t i = 0; i < s->task.op_count; i++)
        if (s->task.op[i]->cls->unit_limit && strcmp(wr_node_shown_name(s->task.program, i), name) == 0) return i;
    return WR_NONE;
}

static enum wr_status unknown_operator(const struct wr_state_image *image, const struct showing *s, const char *name,
                                       struct wr_error *error)
{
    struct wr_buf names = {0};
    for (uint32_t i = 0; i < s->task.op_count; i++)
        if (s->task.op[i]->cls->unit_limit)
            wr_buf_printf(&names, "%s%s", names.size ? ", " : "", wr_node_shown_name(s->task.program, i));
    wr_error_set(error, WR_ERR_USAGE, "'%s' has no operator '%s' with keys (there are: %s)", image->directory, name,
                 names.size ? wr_buf_cstr(&names) : "none");
    wr_buf_release(&names);
    return WR_ERR_USAGE;
}

enum wr_status wr_state_show(const struct wr_state_image *image, const struct wr_connectors *connectors, const char *op,
                             const char *key, uint64_t most, bool json, struct wr_buf *out, struct wr_error *error)
{
    struct showing s = {.key = key, .most = most, .json = json, .between = "", .out = out};
    enum wr_status status = make_task(image, connectors, &s.task, error);
    s.op = status == WR_OK ? find_operator(&s, op) : WR_NONE;
    if (status == WR_OK && s.op == WR_NONE) status = unknown_operator(image, &s, op, error);
    if (status == WR_OK && json) wr_buf_add_cstr(out, "{\"version\":1,\"keys\":[");
    if (status == WR_OK) status = wr_state_visit(image, show_entry, &s, error);
    if (status == WR_OK && json) wr_buf_printf(out, "],\"all\":%" PRIu64 "}\n", s.entries);
    else if (status == WR_OK && s.entries > s.shown && !key)
        wr_buf_printf(out, "and %" PRIu64 " more (--all shows them)\n", s.entries - s.shown);
    if (status == WR_OK && key && !s.found)
        status = wr_error_set(error, WR_ERR_USAGE, "%s holds nothing for the key '%s' (`weir state show DIR %s` lists its keys; "
                              "one of several columns is written 'c1, 7', an odd text as in JSON: '\"c1, 7\"')", op, key, op);
    wr_task_release(&s.task);
    wr_buf_release(&s.text);
    wr_buf_release(&s.values);
    wr_buf_release(&s.bare);
    return status;
}

static void damaged(void *context, const char *what)
{
    wr_buf_printf(context, "%s\n", what);
}

/* What was found, a line each, as an object of JSON. */
static void verified_json(struct wr_slice lines, uint64_t entries, bool whole, const struct wr_error *error, struct wr_buf *out)
{
    const char *between = "";
    WR_ASSERT(whole == (error->status == WR_OK));
    wr_buf_printf(out, "{\"version\":1,\"whole\":%s,\"entries\":%" PRIu64 ",\"damaged\":[", whole ? "true" : "false", entries);
    while (lines.size) {
        const char *end = memchr(lines.data, '\n', lines.size);
        size_t size = end ? (size_t)(end - lines.data) : lines.size;
        wr_buf_add_cstr(out, between);
        wr_buf_add_json(out, wr_slice_of(lines.data, size));
        lines = wr_slice_of(lines.data + size + (end != NULL), lines.size - size - (end != NULL));
        between = ",";
    }
    if (!whole) {
        wr_buf_add_cstr(out, between);
        wr_buf_add_json_cstr(out, error->message);
    }
    wr_buf_add_cstr(out, "]}\n");
}

static enum wr_status verify(const char *directory, const struct wr_connectors *connectors, struct showing *s,
                             struct wr_error *error)
{
    struct wr_store *store = NULL;
    struct wr_state_image image = {.first = 1};
    struct wr_store_options options = {.directory = directory, .read_only = true, .any_file_system = true};
    enum wr_status status = wr_store_open(&options, &store, error);
    if (status == WR_OK) status = wr_store_verify(store, damaged, s->out, error);
    wr_store_close(store);
    if (status != WR_OK) return status;
    status = wr_state_image_read(&image, directory, error);
    if (status == WR_OK) {
        status = make_task(&image, connectors, &s->task, error);
        if (status == WR_OK) status = wr_state_visit(&image, show_entry, s, error);
        wr_task_release(&s->task);
    }
    if (status == WR_OK && s->wrong)
        status = wr_error_set(error, WR_ERR_STATE, "'%s': %" PRIu64 " of %" PRIu64 " entries cannot be used", directory, s->wrong,
                              s->entries);
    wr_state_image_release(&image);
    return status;
}

enum wr_status wr_state_verify(const char *directory, const struct wr_connectors *connectors, bool json, struct wr_buf *out,
                               struct wr_error *error)
{
    struct wr_buf lines = {0};
    struct showing s = {.verify = true, .out = &lines};
    enum wr_status status = verify(directory, connectors, &s, error);
    if (json && (status == WR_OK || status == WR_ERR_STATE))
        verified_json(wr_buf_slice(&lines), s.entries, status == WR_OK, error, out);
    else if (!json) wr_buf_add_slice(out, wr_buf_slice(&lines));
    if (status == WR_OK && !json) wr_buf_printf(out, "%" PRIu64 " entries, all whole\n", s.entries);
    wr_buf_release(&lines);
    wr_buf_release(&s.text);
    wr_buf_release(&s.values);
    wr_buf_release(&s.bare);
    return status;
}
