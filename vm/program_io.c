/* The program file (.weirc): docs/program-file.md describes it.
 *
 *     "WEIRC" 0 | version u16 | size of what follows the header u64 | its xxHash u64 | sections
 *     section: name of 4 bytes | size u64 | content
 *
 * Fixed numbers are little endian; all others are variable (seven bits a byte, the lowest first). One walk over a
 * program serves both directions, so that what is written and what is read cannot drift apart. */
#include "vm/program.h"

#include "base/hash.h"
#include "vm/identity.h"
#include "vm/opcode.h"

static const char magic[6] = {'W', 'E', 'I', 'R', 'C', 0};
enum { HEADER_SIZE = 24, STRING_SIZE_MAX = 1 << 28 };

typedef const char *string; /* as an element of ARRAY */

/* Writes into .out, or reads from .p into the program's arena. After a failure everything reads as 0. */
struct codec {
    struct wr_buf *out; /* NULL: reading */
    const unsigned char *p, *end;
    struct wr_arena *arena;
    bool failed;
    bool bare; /* writing without what only people read */
};

/* ---- Numbers and strings ------------------------------------------------------------------------- */

static void fail(struct codec *c)
{
    WR_ASSERT(!c->out); /* writing cannot fail */
    c->failed = true;
    c->p = c->end;
}

static size_t left(const struct codec *c)
{
    WR_ASSERT(!c->out && c->p <= c->end);
    return (size_t)(c->end - c->p);
}

static uint64_t walk_number(struct codec *c, uint64_t value)
{
    if (c->out) {
        for (; value >= 0x80; value >>= 7) wr_buf_add_char(c->out, (char)((value & 0x7f) | 0x80));
        wr_buf_add_char(c->out, (char)value);
        return value;
    }
    uint64_t read = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (c->p == c->end) break;
        uint64_t byte = *c->p++;
        read |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            /* One way to write a number: no empty last byte, nothing past the 64th bit. */
            if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1)) break;
            return read;
        }
    }
    fail(c);
    return 0;
}

static uint64_t walk_limited(struct codec *c, uint64_t value, uint64_t limit)
{
    uint64_t result = walk_number(c, value);
    if (c->out) return value;
    if (result > limit) fail(c);
    return c->failed ? 0 : result;
}

static void walk_bytes(struct codec *c, void *bytes, size_t size)
{
    if (c->out) {
        wr_buf_add(c->out, bytes, size);
    } else if (left(c) < size) {
        memset(bytes, 0, size);
        fail(c);
    } else {
        memcpy(bytes, c->p, size);
        c->p += size;
    }
}

/* While writing nothing is stored: the program may be shared. */
static void walk_u8(struct codec *c, uint8_t *value)
{
    walk_bytes(c, value, 1);
}

static void walk_u16(struct codec *c, uint16_t *value)
{
    uint64_t number = walk_limited(c, *value, UINT16_MAX);
    if (!c->out) *value = (uint16_t)number;
}

static void walk_u32(struct codec *c, uint32_t *value)
{
    uint64_t number = walk_limited(c, *value, UINT32_MAX);
    if (!c->out) *value = (uint32_t)number;
}

static void walk_bool(struct codec *c, bool *value)
{
    uint64_t number = walk_limited(c, *value, 1);
    if (!c->out) *value = number != 0;
}

/* A number or WR_NONE, which is written as 0. */
static void walk_index(struct codec *c, uint32_t *value)
{
    uint64_t number = walk_limited(c, *value == WR_NONE ? 0 : (uint64_t)*value + 1, UINT32_MAX);
    if (!c->out) *value = number == 0 ? WR_NONE : (uint32_t)(number - 1);
}

static void walk_i64(struct codec *c, int64_t *value)
{
    uint64_t folded = walk_number(c, (uint64_t)*value << 1 ^ (uint64_t)(*value < 0 ? -1 : 0));
    if (!c->out) *value = (int64_t)(folded >> 1 ^ (0 - (folded & 1)));
}

static void walk_fixed(struct codec *c, uint64_t *value, unsigned size)
{
    uint8_t bytes[8];
    WR_ASSERT(size <= sizeof bytes);
    for (unsigned i = 0; i < size; i++) bytes[i] = (uint8_t)(*value >> (8 * i));
    walk_bytes(c, bytes, size);
    if (c->out) return;
    *value = 0;
    for (unsigned i = 0; i < size; i++) *value |= (uint64_t)bytes[i] << (8 * i);
}

static void walk_slice(struct codec *c, struct wr_slice *value)
{
    size_t size = (size_t)walk_limited(c, value->size, STRING_SIZE_MAX);
    if (c->out) {
        wr_buf_add_slice(c->out, *value);
    } else if (size > left(c)) {
        fail(c);
        *value = wr_slice_of("", 0);
    } else {
        *value = wr_arena_copy(c->arena, wr_slice_of((const char *)c->p, size));
        c->p += size;
    }
}

static void walk_cstr(struct codec *c, const char **value)
{
    WR_ASSERT(value);
    struct wr_slice text = c->out && *value ? wr_slice_cstr(*value) : wr_slice_of("", 0);
    walk_slice(c, &text);
    if (c->out) return;
    if (text.size && memchr(text.data, 0, text.size)) fail(c), text = wr_slice_of("", 0);
    *value = text.data;
}

/* The elements of an array whose count is walked here (count) or known already (elements_of). Reading: zeroed
 * memory of the program. An element takes at least `least` bytes of the file, so that a short file cannot ask
 * for much memory. Writing: the program's own array, which the walk leaves as it is. */
static void *elements_of(struct codec *c, const void *array, uint32_t *count, size_t size, size_t least)
{
    if (c->out) return (void *)(uintptr_t)array;
    WR_ASSERT(least >= 1);
    if (*count > left(c) / least) fail(c), *count = 0;
    return wr_arena_alloc_zero(c->arena, size * *count);
}

static void *elements(struct codec *c, const void *array, uint32_t *count, size_t size, size_t least)
{
    walk_u32(c, count);
    return elements_of(c, array, count, size, least);
}

/* for each `item` of an array field: ARRAY(c, node, struct wr_node, program->node, program->node_count, 8) { … } */
#define ARRAY(c, item, type, array, count, least)                                                         \
    for (type *item = elements(c, array, &(count), sizeof(type), least), *first_##item = item,            \
              *end_##item = ((void)((c)->out ? 0 : ((array) = first_##item, 0)),                          \
                             (count) ? item + (count) : item);                                            \
         item < end_##item; item++)

static void walk_u32s(struct codec *c, const uint32_t **array, uint32_t *count)
{
    ARRAY(c, n, uint32_t, *array, *count, 1) walk_index(c, n);
}

/* As many flags as `count`, which stands elsewhere; may be absent. */
static void walk_flags(struct codec *c, const uint8_t **array, uint32_t count)
{
    bool there = c->out && *array;
    walk_bool(c, &there);
    uint32_t n = there ? count : 0;
    uint8_t *flags = elements_of(c, *array, &n, 1, 1);
    if (n) walk_bytes(c, flags, n);
    if (!c->out) *array = there && n == count ? flags : NULL;
}

/* ---- Parts ---------------------------------------------------------------------------------------- */

static void walk_type(struct codec *c, struct wr_type *type)
{
    walk_u8(c, &type->kind);
    if (type->kind == WR_KIND_ARRAY) walk_u8(c, &type->element);
    if (type->kind == WR_KIND_DECIMAL || (type->kind == WR_KIND_ARRAY && type->element == WR_KIND_DECIMAL))
        walk_u8(c, &type->precision), walk_u8(c, &type->scale);
    WR_ASSERT(!c->out || type->kind < WR_KIND_ERROR); /* those do not outlive the compiler */
    if (type->kind >= WR_KIND_ERROR) fail(c);
}

/* A value or NULL. */
static void walk_value(struct codec *c, struct wr_type type, struct wr_value *value)
{
    bool null = value->flag != WR_FLAG_VALUE;
    uint64_t part;
    WR_ASSERT(!c->out || (value->flag != WR_FLAG_ERROR && value->cls == wr_type_class(type)));
    walk_bool(c, &null);
    if (!c->out) *value = (struct wr_value){.cls = (uint8_t)wr_type_class(type), .flag = null ? WR_FLAG_NULL : 0};
    if (null) return;
    switch (wr_type_class(type)) {
    case WR_CLASS_BOOL: walk_bool(c, &value->u.boolean); break;
    case WR_CLASS_I64: walk_i64(c, &value->u.i64); break;
    case WR_CLASS_F64:
        memcpy(&part, &value->u.f64, sizeof part);
        walk_fixed(c, &part, 8);
        if (!c->out) memcpy(&value->u.f64, &part, sizeof part);
        break;
    case WR_CLASS_DEC:
        part = (uint64_t)(wr_u128)value->u.dec;
        walk_fixed(c, &part, 8);
        wr_u128 low = part;
        part = (uint64_t)((wr_u128)value->u.dec >> 64);
        walk_fixed(c, &part, 8);
        if (!c->out) value->u.dec = (wr_i128)((wr_u128)part << 64 | low);
        break;
    case WR_CLASS_STR: walk_slice(c, &value->u.str); break;
    case WR_CLASS_COUNT: break;
    }
}

static void walk_schema(struct codec *c, struct wr_schema *schema)
{
    ARRAY(c, column, struct wr_schema_column, schema->column, schema->count, 2)
    {
        walk_cstr(c, &column->name);
        walk_type(c, &column->type);
    }
}

static void walk_input(struct codec *c, struct wr_input *input)
{
    walk_u8(c, &input->kind);
    walk_u8(c, &input->final_);
    walk_u16(c, &input->set);
    walk_u16(c, &input->column);
    walk_u16(c, &input->offset);
    int64_t step = input->step;
    walk_i64(c, &step);
    if (step < INT16_MIN || step > INT16_MAX) fail(c), step = 0;
    if (!c->out) input->step = (int16_t)step;
    walk_u8(c, &input->from_first);
    walk_type(c, &input->type);
}

static void walk_options(struct codec *c, const struct wr_option_value **options, uint32_t *count)
{
    ARRAY(c, option, struct wr_option_value, *options, *count, 2)
    {
        walk_cstr(c, &option->name);
        walk_cstr(c, &option->value);
    }
}

static void walk_code(struct codec *c, struct wr_code *code)
{
    ARRAY(c, input, struct wr_input, code->input, code->input_count, 8) walk_input(c, input);
    walk_u32s(c, &code->constant, &code->constant_count);
    ARRAY(c, cls, uint8_t, code->register_class, code->register_count, 1) walk_u8(c, cls);
    ARRAY(c, word, uint32_t, code->word, code->word_count, 4)
    {
        uint64_t value = *word;
        walk_fixed(c, &value, 4);
        if (!c->out) *word = (uint32_t)value;
    }
    ARRAY(c, result, uint16_t, code->result, code->result_count, 1) walk_u16(c, result);
    bool places = c->out && code->place && !c->bare;
    walk_bool(c, &places);
    if (!places) return;
    uint32_t count = code->word_count / 2;
    uint32_t *place = elements_of(c, code->place, &count, sizeof *place, 1);
    for (uint32_t i = 0; i < count; i++) walk_u32(c, &place[i]);
    if (!c->out) code->place = count == code->word_count / 2 ? place : NULL;
}

static void walk_aggregates(struct codec *c, const struct wr_aggregate **aggregates, uint32_t *count)
{
    ARRAY(c, a, struct wr_aggregate, *aggregates, *count, 8)
    {
        walk_u8(c, &a->fn);
        walk_u8(c, &a->running);
        walk_u16(c, &a->set);
        walk_index(c, &a->column);
        walk_index(c, &a->column2);
        walk_index(c, &a->filter);
        walk_type(c, &a->argument);
        walk_type(c, &a->type);
    }
}

/* ---- Nodes ---------------------------------------------------------------------------------------- */

static void walk_source(struct codec *c, struct wr_source_node *source, uint32_t columns)
{
    walk_u32(c, &source->stream);
    ARRAY(c, field, struct wr_field, source->field, source->field_count, 7)
    {
        walk_cstr(c, &field->name);
        walk_type(c, &field->type);
        walk_u8(c, &field->from);
        walk_u8(c, &field->not_null);
        uint32_t count = field->path_count;
        ARRAY(c, name, string, field->path, count, 1) walk_cstr(c, name);
        if (count > UINT16_MAX) fail(c), count = 0;
        if (!c->out) field->path_count = (uint16_t)count;
        walk_index(c, &field->default_constant);
        walk_u32(c, &field->ordinal);
    }
    walk_index(c, &source->computed);
    uint32_t computed = columns >= source->field_count ? columns - source->field_count : 0;
    walk_flags(c, &source->computed_not_null, computed);
    walk_index(c, &source->time_column);
    walk_index(c, &source->watermark);
    walk_i64(c, &source->delay_us);
}

static void walk_window(struct codec *c, struct wr_window_node *window)
{
    walk_i64(c, &window->size_us);
    walk_i64(c, &window->slide_us);
    walk_i64(c, &window->offset_us);
    walk_i64(c, &window->late_us);
    walk_u8(c, &window->late_into);
    walk_u32s(c, &window->key, &window->key_count);
    walk_aggregates(c, &window->aggregate, &window->aggregate_count);
}

/* `rows` bit sets of `words` words each. */
static void walk_bits(struct codec *c, const uint64_t **bits, uint32_t *rows, uint32_t *words)
{
    walk_u32(c, rows);
    walk_u32(c, words);
    if (*words && *rows > UINT32_MAX / *words) fail(c), *rows = *words = 0;
    uint32_t count = *rows * *words;
    uint64_t *word = elements_of(c, *bits, &count, sizeof *word, 8);
    for (uint32_t i = 0; i < count; i++) walk_fixed(c, &word[i], 8);
    if (!c->out) *bits = word;
}

static void walk_follow(struct codec *c, struct wr_pattern_node *p)
{
    ARRAY(c, f, struct wr_follow, p->follow, p->follow_count, 11)
    {
        walk_u16(c, &f->position);
        walk_u8(c, &f->connector);
        walk_u8(c, &f->flags);
        walk_u16(c, &f->kill_count);
        walk_u16(c, &f->claim_count);
        walk_u16(c, &f->lead_count);
        walk_u32(c, &f->kill);
        walk_u32(c, &f->claim);
        walk_u32(c, &f->lead);
        walk_i64(c, &f->low_us);
        walk_i64(c, &f->high_us);
    }
    ARRAY(c, kill, struct wr_kill, p->kill, p->kill_count, 2)
    {
        walk_u16(c, &kill->variable);
        walk_u8(c, &kill->next_only);
    }
    walk_u32s(c, &p->claim, &p->claim_count);
    ARRAY(c, lead, struct wr_lead, p->lead, p->lead_count, 2)
    {
        walk_u16(c, &lead->variable);
        walk_i64(c, &lead->for_us);
    }
}

static void walk_pattern(struct codec *c, struct wr_pattern_node *p)
{
    walk_u32s(c, &p->key, &p->key_count);
    ARRAY(c, v, struct wr_pattern_variable, p->variable, p->variable_count, 4)
    {
        walk_cstr(c, &v->name);
        if (!c->bare) walk_cstr(c, &v->text);
        walk_index(c, &v->row_condition);
        walk_index(c, &v->condition);
    }
    walk_bits(c, &p->set, &p->set_count, &p->set_words);
    walk_index(c, &p->row_code);
    ARRAY(c, position, struct wr_pattern_position, p->position, p->position_count, 6)
    {
        walk_u16(c, &position->variable);
        walk_u8(c, &position->excluded);
        walk_i64(c, &position->absence_us);
        walk_u16(c, &position->follow_count);
        walk_u32(c, &position->follow);
        walk_index(c, &position->reads);
    }
    walk_follow(c, p);
    walk_u32(c, &p->first);
    walk_u32(c, &p->first_count);
    walk_i64(c, &p->within_us);
    walk_u8(c, &p->after_match);
    walk_u16(c, &p->after_set);
    walk_u8(c, &p->all_matches);
    walk_u8(c, &p->all_rows);
    walk_u8(c, &p->timeouts);
    walk_u8(c, &p->limit_policy);
    walk_u32(c, &p->limit_starts);
    walk_i64(c, &p->suppress_us);
    walk_u16(c, &p->prev_max);
    walk_u16(c, &p->next_max);
    walk_u16(c, &p->out_next_max);
    walk_u8(c, &p->late_into);
    walk_u8(c, &p->needs_ids);
    walk_u32s(c, &p->keep, &p->keep_count);
    walk_aggregates(c, &p->aggregate, &p->aggregate_count);
    ARRAY(c, history, struct wr_input, p->history, p->history_count, 8) walk_input(c, history);
    walk_bits(c, &p->reads, &p->reads_count, &p->reads_words);
    ARRAY(c, output, struct wr_input, p->output, p->output_count, 8) walk_input(c, output);
    if (!c->bare) walk_cstr(c, &p->text);
}

static void walk_node(struct codec *c, struct wr_node *node)
{
    walk_u8(c, &node->kind);
    walk_u32(c, &node->query);
    walk_cstr(c, &node->name);
    uint32_t inputs = node->input_count;
    walk_u32s(c, &node->input, &inputs);
    if (inputs > UINT8_MAX) fail(c), inputs = 0;
    if (!c->out) node->input_count = (uint8_t)inputs;
    walk_schema(c, &node->schema);
    if (!c->bare) walk_u32(c, &node->place);
    switch ((enum wr_node_kind)node->kind) {
    case WR_NODE_SOURCE: walk_source(c, &node->u.source, node->schema.count); break;
    case WR_NODE_SELECT:
        walk_index(c, &node->u.select.where);
        walk_u32(c, &node->u.select.project);
        walk_flags(c, &node->u.select.carry, node->schema.count);
        break;
    case WR_NODE_WINDOW: walk_window(c, &node->u.window); break;
    case WR_NODE_PATTERN: walk_pattern(c, &node->u.pattern); break;
    case WR_NODE_OUTPUT:
        walk_index(c, &node->u.output.stream);
        walk_u8(c, &node->u.output.only_if_bound);
        break;
    case WR_NODE_MERGE:
    case WR_NODE_LATE: break;
    case WR_NODE_KIND_COUNT: fail(c); break;
    }
    if (node->kind > WR_NODE_KIND_COUNT) fail(c);
}

/* ---- Sections ------------------------------------------------------------------------------------- */

static void walk_parameters(struct codec *c, struct wr_program *program)
{
    ARRAY(c, p, struct wr_parameter, program->parameter, program->parameter_count, 3)
    {
        walk_cstr(c, &p->name);
        walk_type(c, &p->type);
        walk_bool(c, &p->has_default);
        if (p->has_default) walk_value(c, p->type, &p->value);
        else if (!c->out) p->value = (struct wr_value){.cls = (uint8_t)wr_type_class(p->type), .flag = WR_FLAG_NULL};
    }
}

static void walk_constants(struct codec *c, struct wr_program *program)
{
    ARRAY(c, constant, struct wr_constant, program->constant, program->constant_count, 2)
    {
        walk_type(c, &constant->type);
        walk_index(c, &constant->parameter);
        if (constant->parameter == WR_NONE) {
            walk_value(c, constant->type, &constant->value);
        } else if (!c->out) {
            if (constant->parameter < program->parameter_count)
                constant->value = program->parameter[constant->parameter].value;
            else fail(c);
        }
    }
}

static void walk_streams(struct codec *c, struct wr_program *program)
{
    ARRAY(c, stream, struct wr_stream, program->stream, program->stream_count, 4)
    {
        walk_cstr(c, &stream->name);
        walk_options(c, &stream->option, &stream->option_count);
        walk_schema(c, &stream->declared);
        walk_u32(c, &stream->record_columns);
    }
}

static void walk_blocks(struct codec *c, struct wr_program *program)
{
    ARRAY(c, code, struct wr_code, program->code, program->code_count, 6) walk_code(c, code);
}

static void walk_queries(struct codec *c, struct wr_program *program)
{
    ARRAY(c, name, string, program->query, program->query_count, 1) walk_cstr(c, name);
}

static void walk_nodes(struct codec *c, struct wr_program *program)
{
    ARRAY(c, node, struct wr_node, program->node, program->node_count, 7) walk_node(c, node);
}

static void walk_settings(struct codec *c, struct wr_program *program)
{
    walk_options(c, &program->setting, &program->setting_count);
}

static void walk_text(struct codec *c, struct wr_program *program)
{
    if (c->bare) return;
    walk_cstr(c, &program->source_name);
    walk_slice(c, &program->source_text);
}

static const struct section {
    char name[5];
    void (*walk)(struct codec *c, struct wr_program *program);
} sections[] = {{"PARA", walk_parameters}, {"CONS", walk_constants}, {"STRM", walk_streams}, {"CODE", walk_blocks},
                {"QURY", walk_queries},    {"NODE", walk_nodes},     {"SETT", walk_settings}, {"TEXT", walk_text}};

static void put_fixed(struct wr_buf *out, uint64_t value, unsigned size)
{
    struct codec c = {.out = out};
    walk_fixed(&c, &value, size);
}

static uint64_t get_fixed(const char *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) value |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return value;
}

struct encoding {
    struct wr_buf body;    /* all sections */
    struct wr_buf content; /* the one being written */
};

static void encode_sections(const struct wr_program *program, bool bare, struct encoding *to)
{
    struct wr_program copy = *program; /* the walk takes one that it could change */
    struct codec c = {.out = &to->content, .bare = bare};
    WR_ASSERT(to->body.size == 0);
    for (size_t i = 0; i < WR_COUNT(sections); i++) {
        wr_buf_clear(&to->content);
        sections[i].walk(&c, &copy);
        wr_buf_add(&to->body, sections[i].name, 4);
        put_fixed(&to->body, to->content.size, 8);
        wr_buf_add_slice(&to->body, wr_buf_slice(&to->content));
    }
    wr_buf_release(&to->content);
}

/* The sections in buffers of the caller's, which are released when memory runs out. */
static void encode_into(const struct wr_program *program, bool bare, struct encoding *to)
{
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) {
        wr_buf_release(&to->body);
        wr_buf_release(&to->content);
        wr_memory_fail();
    }
    encode_sections(program, bare, to);
    wr_memory_guard_pop(&guard);
}

void wr_program_encode(const struct wr_program *program, struct wr_buf *out)
{
    struct encoding e = {0};
    encode_into(program, false, &e);
    wr_buf_add(out, magic, sizeof magic);
    put_fixed(out, WR_PROGRAM_VERSION, 2);
    put_fixed(out, e.body.size, 8);
    put_fixed(out, wr_hash64(e.body.data, e.body.size, 0), 8);
    wr_buf_add_slice(out, wr_buf_slice(&e.body));
    wr_buf_release(&e.body);
}

uint64_t wr_program_hash(const struct wr_program *program)
{
    struct encoding e = {0};
    encode_into(program, false, &e);
    uint64_t hash = wr_hash64(e.body.data, e.body.size, 0);
    wr_buf_release(&e.body);
    return hash;
}

struct wr_hash128 wr_program_core_hash(const struct wr_program *program)
{
    struct encoding e = {0};
    encode_into(program, true, &e);
    struct wr_hash128 hash = wr_hash128_of(e.body.data, e.body.size, 0);
    wr_buf_release(&e.body);
    return hash;
}

bool wr_program_is_file(struct wr_slice bytes)
{
    return bytes.size >= sizeof magic && memcmp(bytes.data, magic, sizeof magic) == 0;
}

/* ---- Reading -------------------------------------------------------------------------------------- */

static enum wr_status check_header(struct wr_slice bytes, struct wr_error *error)
{
    if (!wr_program_is_file(bytes))
        return wr_error_set(error, WR_ERR_STATE, "this is no compiled program (it does not begin with WEIRC)");
    if (bytes.size < HEADER_SIZE) return wr_error_set(error, WR_ERR_STATE, "the program file is cut short");
    uint64_t version = get_fixed(bytes.data + 6, 2), size = get_fixed(bytes.data + 8, 8);
    if (version != WR_PROGRAM_VERSION)
        return wr_error_set(error, WR_ERR_STATE,
                            "the program file has version %u, this weir reads version %d: compile its text again",
                            (unsigned)version, WR_PROGRAM_VERSION);
    if (size > bytes.size - HEADER_SIZE) return wr_error_set(error, WR_ERR_STATE, "the program file is cut short");
    if (size < bytes.size - HEADER_SIZE)
        return wr_error_set(error, WR_ERR_STATE, "something stands behind the end of the program file");
    if (wr_hash64(bytes.data + HEADER_SIZE, (size_t)size, 0) != get_fixed(bytes.data + 16, 8))
        return wr_error_set(error, WR_ERR_STATE, "the program file is damaged (its checksum is wrong)");
    return WR_OK;
}

static enum wr_status read_sections(struct wr_program *program, struct wr_slice bytes, struct wr_error *error)
{
    const char *p = bytes.data, *end = p + bytes.size;
    for (size_t i = 0; i < WR_COUNT(sections); i++) {
        if (end - p < 12 || memcmp(p, sections[i].name, 4) != 0)
            return wr_error_set(error, WR_ERR_STATE, "the program file has no section %s", sections[i].name);
        uint64_t size = get_fixed(p + 4, 8);
        p += 12;
        if (size > (uint64_t)(end - p))
            return wr_error_set(error, WR_ERR_STATE, "section %s of the program file is cut short", sections[i].name);
        const unsigned char *start = (const unsigned char *)p;
        struct codec c = {.p = start, .end = start + size, .arena = &program->arena};
        sections[i].walk(&c, program);
        if (c.failed || c.p != c.end)
            return wr_error_set(error, WR_ERR_STATE, "section %s of the program file cannot be read", sections[i].name);
        p += size;
    }
    if (p != end) return wr_error_set(error, WR_ERR_STATE, "the program file has an unknown section");
    return WR_OK;
}

struct wr_program *wr_program_decode(struct wr_slice bytes, struct wr_error *error)
{
    WR_ASSERT(error);
    if (check_header(bytes, error)) return NULL;
    struct wr_slice body = wr_slice_of(bytes.data + HEADER_SIZE, bytes.size - HEADER_SIZE);
    struct wr_program *program = wr_program_new();
    if (read_sections(program, body, error) == WR_OK && wr_program_verify(program, error) == WR_OK) {
        wr_program_identify(program);
        return program;
    }
    wr_program_free(program);
    return NULL;
}
