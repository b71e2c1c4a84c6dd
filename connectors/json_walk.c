/* The walk over a record's tokens. The paths of all columns form a tree of names; a record is walked along it once.
 *
 * Records of one stream look alike, so each object of the tree keeps a plan: for each field, in the order in which the
 * record before had them, the bytes from the separator before its key to its value, such as `,"amount": `. One
 * comparison with them stands for the separator, the white space, the key and the colon; only a field that the plan
 * does not foresee is taken apart. Nothing here trusts the plan: it saves work, never a check. */
#include "connectors/json_walk.h"

#include "connectors/number.h"

enum { PLAN_MAX = 64, PLAN_AHEAD = 4, LEAD_MAX = 128, PATH_MAX_PARTS = 256, DEPTH_MAX = 4096 };

/* What most values are, decoded in the loop over the fields; all else, and all that is odd, goes the general way. */
enum action { ACTION_GENERAL, ACTION_SKIP, ACTION_STRING, ACTION_DOUBLE, ACTION_INTEGER };

struct plan_entry {
    const uint64_t *lead;  /* separator, key, colon; padded to whole words */
    uint64_t last_mask;    /* of the last word, the bytes that count */
    uint32_t size;         /* in bytes */
    uint32_t child;        /* node, or WR_NONE: nothing reads it */
    uint64_t *seen;        /* of the child; where there is none, a word of the entry's own */
    void *data;            /* the column's elements */
    uint64_t factor, most; /* INTEGER: what the number is multiplied by, and the greatest that may be */
    enum action action;
    uint32_t leaves;       /* 1: some column has its value */
};

struct node {
    struct wr_slice name; /* of a member */
    uint64_t index;       /* of an element */
    uint32_t next;        /* sibling */
    uint32_t members, elements; /* first child of each kind */
    uint32_t column;      /* first column whose value this is; more by .same */
    uint64_t seen;        /* the record that has last had it: of duplicates the first counts */
    uint32_t plan_count;
    struct plan_entry *plan; /* PLAN_MAX entries and a spare one, for nodes with members */
};

struct wr_json_walk {
    struct wr_arena arena;
    struct wr_decode_columns *columns;
    struct node *node; /* 0: the record */
    uint32_t node_count;
    uint32_t *node_of; /* by column; WR_NONE: no part of the record */
    uint32_t *same;    /* by column: the next column of the same node */
    uint32_t leaf_count, meta_count;
    uint64_t record;   /* counts up */
    /* the record at hand */
    const char *base;
    const uint32_t *token, *end;
    uint32_t row, leaves_seen, failed_column;
    bool one_line;     /* surely no line end between its first token and its last */
};

/* ---- The tree of paths ----------------------------------------------------------------------- */

static bool element_index(const char *part, uint64_t *index)
{
    size_t n = strlen(part);
    if (n < 3 || n > 12 || part[0] != '[' || part[n - 1] != ']') return false;
    *index = 0;
    for (size_t i = 1; i < n - 1; i++) {
        if ((unsigned)(part[i] - '0') > 9) return false;
        *index = *index * 10 + (unsigned)(part[i] - '0');
    }
    return true;
}

static uint32_t node_add(struct wr_json_walk *w, struct wr_slice name, uint64_t index)
{
    struct node *n = &w->node[w->node_count];
    *n = (struct node){.name = name, .index = index, .next = WR_NONE, .members = WR_NONE, .elements = WR_NONE,
                       .column = WR_NONE};
    return w->node_count++;
}

/* The child of a node along one part of a path; made when it is not there. */
static uint32_t child_of(struct wr_json_walk *w, uint32_t parent, const char *part)
{
    uint64_t index = 0;
    bool element = parent != 0 && element_index(part, &index);
    struct wr_slice name = element ? (struct wr_slice){0} : wr_slice_cstr(part);
    uint32_t *first = element ? &w->node[parent].elements : &w->node[parent].members;
    for (uint32_t i = *first; i != WR_NONE; i = w->node[i].next)
        if (element ? w->node[i].index == index : wr_slice_equal(w->node[i].name, name)) return i;
    uint32_t made = node_add(w, element ? name : wr_arena_copy(&w->arena, name), index);
    w->node[made].next = *first;
    *first = made;
    return made;
}

struct wr_json_walk *wr_json_walk_new(const struct wr_read_spec *spec, struct wr_decode_columns *columns,
                                      struct wr_error *error)
{
    size_t nodes = 1;
    for (uint32_t i = 0; i < spec->field_count; i++) {
        nodes += spec->field[i].path_count;
        if (spec->field[i].path_count <= PATH_MAX_PARTS) continue;
        wr_error_set(error, WR_ERR_PROGRAM, "column %s: its path has more than %d parts", spec->field[i].name,
                     (int)PATH_MAX_PARTS);
        return NULL;
    }
    struct wr_json_walk *w = wr_alloc_zero(sizeof *w);
    wr_arena_init(&w->arena);
    w->columns = columns;
    w->node = wr_arena_alloc_zero(&w->arena, nodes * sizeof *w->node);
    w->node_of = wr_arena_alloc_zero(&w->arena, (spec->field_count + 1) * sizeof *w->node_of);
    w->same = wr_arena_alloc_zero(&w->arena, (spec->field_count + 1) * sizeof *w->same);
    node_add(w, (struct wr_slice){0}, 0);
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct wr_field *field = &spec->field[i];
        w->node_of[i] = WR_NONE;
        if (field->from != WR_FIELD_PATH || field->path_count == 0) {
            w->meta_count++;
            continue;
        }
        uint32_t at = 0;
        for (uint16_t k = 0; k < field->path_count; k++) at = child_of(w, at, field->path[k]);
        w->node_of[i] = at;
        w->same[i] = w->node[at].column;
        w->leaf_count += w->node[at].column == WR_NONE;
        w->node[at].column = i;
    }
    for (uint32_t i = 0; i < w->node_count; i++)
        if (i == 0 || w->node[i].members != WR_NONE)
            w->node[i].plan = wr_arena_alloc_zero(&w->arena, (PLAN_MAX + 1) * sizeof *w->node[i].plan);
    return w;
}

void wr_json_walk_free(struct wr_json_walk *w)
{
    if (!w) return;
    wr_arena_release(&w->arena);
    wr_free(w);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void plan_action(const struct wr_json_walk *w, struct plan_entry *e)
{
    struct node *n = &w->node[e->child];
    e->seen = &n->seen;
    e->leaves = n->column != WR_NONE;
    if (n->column == WR_NONE || w->same[n->column] != WR_NONE) return;
    const struct wr_decode_column *c = &w->columns->column[n->column];
    e->data = w->columns->vector[n->column].u.data;
    e->factor = 1;
    switch ((enum wr_kind)c->kind) {
    case WR_KIND_STRING: e->action = ACTION_STRING; break;
    case WR_KIND_DOUBLE: e->action = ACTION_DOUBLE; break;
    case WR_KIND_TIMESTAMP:
        if (c->time_scale < 0) return;
        e->factor = wr_powers_of_10[c->time_scale];
        /* fall through */
    case WR_KIND_INT:
    case WR_KIND_BIGINT:
        e->action = ACTION_INTEGER;
        e->most = c->kind == WR_KIND_INT ? INT32_MAX : (uint64_t)(INT64_MAX - 1) / e->factor;
        break;
    default: break;
    }
}

/* Puts a field's lead into the plan before the place at which it was met. */
static void plan_insert(struct wr_json_walk *w, struct node *n, uint32_t at, struct wr_slice lead, uint32_t child)
{
    if (n->plan_count == PLAN_MAX || lead.size > LEAD_MAX || memchr(lead.data, '\n', lead.size)) return;
    size_t words = (lead.size + 7) / 8;
    char *padded = wr_arena_alloc_zero(&w->arena, words * 8);
    uint64_t *word = wr_arena_alloc(&w->arena, words * 8);
    memcpy(padded, lead.data, lead.size);
    for (size_t i = 0; i < words; i++) word[i] = wr_load8(padded + i * 8);
    memmove(n->plan + at + 1, n->plan + at, (n->plan_count - at) * sizeof *n->plan);
    n->plan_count++;
    struct plan_entry *e = &n->plan[at];
    *e = (struct plan_entry){.lead = word, .size = (uint32_t)lead.size, .child = child};
    e->last_mask = UINT64_MAX >> (words * 8 - lead.size) * 8;
    if (child != WR_NONE) {
        plan_action(w, e);
    } else {
        e->action = ACTION_SKIP;
        e->seen = WR_NEW(&w->arena, uint64_t);
    }
}

/* Cuts white space off the end of a token that the next one follows at `next`. */
static inline const char *trim(const char *start, const char *next)
{
    while (next > start && (next[-1] == ' ' || next[-1] == '\n' || next[-1] == '\r' || next[-1] == '\t')) next--;
    return next;
}

static uint32_t member_named(const struct wr_json_walk *w, const struct node *n, struct wr_slice name)
{
    for (uint32_t i = n->members; i != WR_NONE; i = w->node[i].next)
        if (wr_slice_equal(w->node[i].name, name)) return i;
    return WR_NONE;
}

/* A field that the plan does not foresee: token[0] is the separator, [1] the key, [2] the colon, [3] the value. */
static enum wr_decode field_unplanned(struct wr_json_walk *w, struct node *n, const uint32_t *token,
                                      uint32_t *cursor, uint32_t *child)
{
    const char *lead = w->base + token[0], *key = w->base + token[1], *end = trim(key, w->base + token[2]);
    if (*key != '"' || w->base[token[2]] != ':') return WR_DECODE_MALFORMED;
    struct wr_slice name = wr_slice_of(key + 1, (size_t)(end - key) - 2);
    if (memchr(name.data, '\\', name.size)) {
        char *out = wr_arena_alloc(&w->columns->strings, name.size);
        name = wr_slice_of(out, wr_json_unescape(name.data, name.data + name.size, out));
        if (name.size == SIZE_MAX) return WR_DECODE_ESCAPE;
    }
    *child = member_named(w, n, name);
    uint32_t before = n->plan_count;
    plan_insert(w, n, *cursor, wr_slice_of(lead, token[3] - token[0]), *child);
    *cursor += n->plan_count - before;
    w->one_line = false;
    return WR_DECODE_OK;
}

/* `room` bytes lie between the separator and the value. Reads up to 7 bytes more than the lead has. */
static inline bool lead_matches(const struct plan_entry *e, const char *p, uint32_t room)
{
    if (e->size != room) return false;
    const uint64_t *word = e->lead;
    if (room <= 8) return ((wr_load8(p) ^ *word) & e->last_mask) == 0;
    if (room <= 16) return ((wr_load8(p) ^ word[0]) | ((wr_load8(p + 8) ^ word[1]) & e->last_mask)) == 0;
    for (; room > 8; room -= 8, p += 8)
        if (wr_load8(p) != *word++) return false;
    return ((wr_load8(p) ^ *word) & e->last_mask) == 0;
}

/* The plan's entry for the field, looked for from `next` on; NULL: the plan does not foresee it. */
static const struct plan_entry *plan_ahead(const struct node *n, const struct plan_entry *next, const char *p,
                                           uint32_t room)
{
    const struct plan_entry *end = n->plan + n->plan_count;
    for (unsigned k = 0; k < PLAN_AHEAD && next < end; k++, next++)
        if (lead_matches(next, p, room)) return next;
    return NULL;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static inline bool is_scalar_start(char c)
{
    static const char operators[256] = {['{'] = 1, ['['] = 1, ['}'] = 1, [']'] = 1, [','] = 1, [':'] = 1};
    return !operators[(unsigned char)c];
}

/* Passes over a value of any kind; brackets must close in the order in which they were opened. */
static enum wr_decode skip_value(struct wr_json_walk *w)
{
    uint64_t kinds[DEPTH_MAX / 64]; /* a bit a level: 1 for an object */
    unsigned depth = 0;
    w->one_line = false;
    if (w->token >= w->end) return WR_DECODE_MALFORMED;
    char c = w->base[*w->token++];
    if (c != '{' && c != '[') return is_scalar_start(c) ? WR_DECODE_OK : WR_DECODE_MALFORMED;
    for (;;) {
        if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX) return WR_DECODE_DEPTH;
            uint64_t bit = (uint64_t)1 << (depth & 63);
            if (c == '{') kinds[depth >> 6] |= bit;
            else kinds[depth >> 6] &= ~bit;
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
            if ((kinds[depth >> 6] >> (depth & 63) & 1) != (c == '}')) return WR_DECODE_MALFORMED;
            if (depth == 0) return WR_DECODE_OK;
        }
        if (w->token >= w->end) return WR_DECODE_MALFORMED;
        c = w->base[*w->token++];
    }
}

static enum wr_decode walk_object(struct wr_json_walk *w, uint32_t node);
static enum wr_decode walk_value(struct wr_json_walk *w, uint32_t node);

static enum wr_decode walk_array(struct wr_json_walk *w, uint32_t node)
{
    w->token++;
    w->one_line = false;
    if (w->token < w->end && w->base[*w->token] == ']') {
        w->token++;
        return WR_DECODE_OK;
    }
    for (uint64_t index = 0;; index++) {
        uint32_t child = w->node[node].elements;
        while (child != WR_NONE && w->node[child].index != index) child = w->node[child].next;
        enum wr_decode d = child == WR_NONE ? skip_value(w) : walk_value(w, child);
        if (d != WR_DECODE_OK) return d;
        if (w->token >= w->end) return WR_DECODE_MALFORMED;
        char c = w->base[*w->token++];
        if (c == ']') return WR_DECODE_OK;
        if (c != ',') return WR_DECODE_MALFORMED;
    }
}

static enum wr_decode scalar_into(struct wr_json_walk *w, uint32_t column)
{
    const char *p = w->base + w->token[0], *end = trim(p, w->base + w->token[1]);
    for (; column != WR_NONE; column = w->same[column]) {
        enum wr_decode d = wr_decode_json(w->columns, column, w->row, p, end);
        if (WR_LIKELY(d == WR_DECODE_OK)) continue;
        w->failed_column = column;
        return d;
    }
    return WR_DECODE_OK;
}

/* A value that some column reads, or parts of which some columns read. */
static enum wr_decode walk_value(struct wr_json_walk *w, uint32_t index)
{
    struct node *n = &w->node[index];
    if (w->token >= w->end) return WR_DECODE_MALFORMED;
    char c = w->base[*w->token];
    if (n->seen == w->record) return skip_value(w);
    n->seen = w->record;
    w->leaves_seen += n->column != WR_NONE;
    if (is_scalar_start(c)) {
        enum wr_decode d = scalar_into(w, n->column);
        w->token++;
        return d;
    }
    if (c != '{' && c != '[') return WR_DECODE_MALFORMED;
    if (n->column != WR_NONE) {
        w->token++;
        w->failed_column = n->column;
        return wr_decode_container(w->columns, n->column);
    }
    if (c == '{' && n->members != WR_NONE) return walk_object(w, index);
    if (c == '[' && n->elements != WR_NONE) return walk_array(w, index);
    return skip_value(w);
}

/* Eight bytes at a time. An escape found behind the end only makes the caller take the general way. */
static inline bool has_escape(const char *p, const char *end)
{
    uint64_t found = 0;
    for (; p < end; p += 8) found |= wr_zero_bytes(wr_load8(p) ^ (WR_ONES * '\\'));
    return found != 0;
}

/* The value p, which the next token follows at `next` with no space between; false: take the general way. */
static inline bool short_value(const struct plan_entry *e, const char *p, const char *next, uint32_t row)
{
    size_t n = (size_t)(next - p);
    uint64_t u;
    if ((unsigned char)next[-1] <= ' ') return false;
    switch (e->action) {
    case ACTION_SKIP: return is_scalar_start(*p);
    case ACTION_STRING:
        if (*p != '"' || has_escape(p + 1, next - 1)) return false;
        ((struct wr_slice *)e->data)[row] = wr_slice_of(p + 1, n - 2);
        return true;
    case ACTION_DOUBLE: return wr_number_medium_f64(p, n, &((double *)e->data)[row]);
    case ACTION_INTEGER: {
        bool negative = *p == '-';
        p += negative;
        n -= negative;
        if (n - 1 > 17 || (*p == '0' && n > 1) || !wr_digits(p, n, &u) || u > e->most) return false;
        int64_t value = (int64_t)(u * e->factor);
        ((int64_t *)e->data)[row] = negative ? -value : value;
        return true;
    }
    case ACTION_GENERAL: break;
    }
    return false;
}

/* One field the general way; `token` is its separator, e its entry in the plan or NULL, *next where the plan goes on.
 * On success w->token is the separator behind it. */
static enum wr_decode walk_field(struct wr_json_walk *w, struct node *n, const struct plan_entry *e,
                                 const uint32_t *token, const struct plan_entry **next)
{
    uint32_t child = e ? e->child : WR_NONE, cursor = (uint32_t)(*next - n->plan);
    enum wr_decode d = e ? WR_DECODE_OK : field_unplanned(w, n, token, &cursor, &child);
    if (d != WR_DECODE_OK) return d;
    *next = n->plan + cursor;
    w->token = token + 3;
    d = child == WR_NONE ? skip_value(w) : walk_value(w, child);
    if (d != WR_DECODE_OK) return d;
    if (w->token >= w->end) return WR_DECODE_MALFORMED;
    if ((unsigned char)w->base[*w->token - 1] <= ' ') w->one_line = false;
    return WR_DECODE_OK;
}

static enum wr_decode walk_object(struct wr_json_walk *w, uint32_t index)
{
    struct node *n = &w->node[index];
    const char *base = w->base;
    const uint32_t *token = w->token; /* the separator before the field */
    const uint32_t *const stop = w->end - token < 5 ? token : w->end - 4; /* separator key : value separator */
    const uint32_t row = w->row;
    const uint64_t record = w->record;
    const struct plan_entry *next = n->plan;
    if (w->end - token >= 2 && base[token[1]] == '}') {
        w->one_line = false;
        w->token = token + 2;
        return WR_DECODE_OK;
    }
    for (;;) {
        if (WR_UNLIKELY(token >= stop)) {
            w->token = token;
            return WR_DECODE_MALFORMED;
        }
        const char *lead = base + token[0], *value = base + token[3];
        const struct plan_entry *e = next;
        /* Behind its last entry a plan has one of size 0, which is no field's. */
        if (WR_UNLIKELY(!lead_matches(e, lead, (uint32_t)(value - lead))))
            e = plan_ahead(n, next + 1, lead, (uint32_t)(value - lead));
        if (WR_LIKELY(e != NULL)) next = e + 1;
        if (WR_LIKELY(e && *e->seen != record && short_value(e, value, base + token[4], row))) {
            *e->seen = record;
            w->leaves_seen += e->leaves;
            token += 4;
        } else {
            enum wr_decode d = walk_field(w, n, e, token, &next);
            if (d != WR_DECODE_OK) return d;
            token = w->token;
        }
        char c = base[*token];
        if (WR_LIKELY(c == ',')) continue;
        w->token = token + 1;
        return c == '}' ? WR_DECODE_OK : WR_DECODE_MALFORMED;
    }
}

/* Columns that the record did not have, and those that no record has. */
static enum wr_decode fill_rest(struct wr_json_walk *w, uint64_t offset)
{
    for (uint32_t i = 0; i < w->columns->count; i++) {
        uint32_t node = w->node_of[i];
        enum wr_decode d = WR_DECODE_OK;
        if (node == WR_NONE) d = wr_decode_meta(w->columns, i, w->row, offset);
        else if (w->node[node].seen != w->record) d = wr_decode_absent(w->columns, i, w->row);
        if (d == WR_DECODE_OK) continue;
        w->failed_column = i;
        return d;
    }
    return WR_DECODE_OK;
}

enum wr_decode wr_json_walk_record(struct wr_json_walk *w, const uint32_t **token, uint32_t row,
                                   struct wr_json_record *record)
{
    w->base = record->base;
    w->token = *token;
    w->end = record->end;
    w->row = row;
    w->record++;
    w->leaves_seen = 0;
    w->failed_column = WR_NONE;
    w->one_line = true;
    enum wr_decode d = w->base[**token] == '{' ? walk_object(w, 0) : WR_DECODE_NOT_OBJECT;
    if (d == WR_DECODE_OK && (w->leaves_seen != w->leaf_count || w->meta_count)) d = fill_rest(w, record->offset);
    *token = w->token;
    record->column = w->failed_column;
    record->one_line = w->one_line;
    return d;
}
