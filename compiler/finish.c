/* The program as it will run: everything that the passes left in the compile arena, copied into the
 * program's. */
#include "base/hash.h"
#include "compiler/state.h"
#include "vm/identity.h"

static const char *text(struct wr_compile *c, const char *from)
{
    return wr_arena_cstr(&c->program->arena, wr_slice_cstr(from));
}

static void *copied(struct wr_compile *c, const void *from, size_t count, size_t size)
{
    void *to = wr_arena_alloc_zero(&c->program->arena, (count + 1) * size);
    if (count) memcpy(to, from, count * size);
    return to;
}

/* ---- Constants ------------------------------------------------------------------------------- */

static uint64_t hash_constant(struct wr_type type, const struct wr_value *v, uint32_t parameter)
{
    uint64_t h = wr_mix64((uint64_t)type.kind << 24 | (uint64_t)type.precision << 16 |
                          (uint64_t)type.scale << 8 | v->flag);
    h = wr_mix64(h ^ parameter);
    if (v->flag != WR_FLAG_VALUE) return h;
    switch ((int)wr_type_class(type)) {
    case WR_CLASS_BOOL: return wr_mix64(h ^ v->u.boolean);
    case WR_CLASS_I64: return wr_mix64(h ^ (uint64_t)v->u.i64);
    case WR_CLASS_F64: return h ^ wr_hash64(&v->u.f64, sizeof v->u.f64, h);
    case WR_CLASS_DEC: return h ^ wr_hash64(&v->u.dec, sizeof v->u.dec, h);
    default: return h ^ wr_hash64(v->u.str.data, v->u.str.size, h);
    }
}

static bool same_constant(const struct wr_constant *a, struct wr_type type,
                          const struct wr_value *v, uint32_t parameter)
{
    if (!wr_type_equal(a->type, type) || a->parameter != parameter || a->value.flag != v->flag)
        return false;
    if (v->flag != WR_FLAG_VALUE) return true;
    switch ((int)wr_type_class(type)) {
    case WR_CLASS_BOOL: return a->value.u.boolean == v->u.boolean;
    case WR_CLASS_I64: return a->value.u.i64 == v->u.i64;
    case WR_CLASS_F64: return memcmp(&a->value.u.f64, &v->u.f64, sizeof v->u.f64) == 0;
    case WR_CLASS_DEC: return a->value.u.dec == v->u.dec;
    default: return wr_slice_equal(a->value.u.str, v->u.str);
    }
}

static void rehash(struct wr_compile *c, uint32_t slots)
{
    struct wr_state *s = c->state;
    s->constant_slots = slots;
    s->constant_slot = WR_NEW_ARRAY(c->arena, uint32_t, slots);
    for (size_t i = 0; i < s->constant.count; i++) {
        const struct wr_constant *k = &s->constant.at[i];
        uint32_t at = (uint32_t)hash_constant(k->type, &k->value, k->parameter) & (slots - 1);
        while (s->constant_slot[at]) at = (at + 1) & (slots - 1);
        s->constant_slot[at] = (uint32_t)i + 1;
    }
}

uint32_t wr_constant_add(struct wr_compile *c, struct wr_type type, const struct wr_value *value,
                         uint32_t parameter)
{
    struct wr_state *s = c->state;
    if (s->constant.count * 2 >= s->constant_slots)
        rehash(c, s->constant_slots ? s->constant_slots * 4 : 64);
    uint32_t at = (uint32_t)hash_constant(type, value, parameter) & (s->constant_slots - 1);
    for (; s->constant_slot[at]; at = (at + 1) & (s->constant_slots - 1))
        if (same_constant(&s->constant.at[s->constant_slot[at] - 1], type, value, parameter))
            return s->constant_slot[at] - 1;
    struct wr_constant k = {.type = type, .value = *value, .parameter = parameter};
    k.value.cls = (uint8_t)wr_type_class(type);
    if (k.value.flag == WR_FLAG_VALUE && k.value.cls == WR_CLASS_STR)
        k.value.u.str = wr_arena_copy(&c->program->arena, value->u.str);
    wr_list_push(c->arena, &s->constant, k);
    s->constant_slot[at] = (uint32_t)s->constant.count;
    return (uint32_t)s->constant.count - 1;
}

/* ---- Codes, in the order of the nodes that run them ------------------------------------------ */

struct codes {
    WR_LIST(struct wr_code) code;
    uint32_t *number; /* by block; 1 + code, 0: not yet emitted */
};

static uint32_t code_of(struct wr_compile *c, struct codes *codes, uint32_t block)
{
    if (block == WR_NONE) return WR_NONE;
    if (!codes->number[block]) {
        struct wr_code code = {0};
        wr_block_emit(c->state->block.at[block], &code);
        wr_list_push(c->arena, &codes->code, code);
        codes->number[block] = (uint32_t)codes->code.count;
    }
    return codes->number[block] - 1;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static struct wr_schema copy_schema(struct wr_compile *c, const struct wr_schema *from)
{
    struct wr_schema_column *column = copied(c, from->column, from->count, sizeof *column);
    for (uint32_t i = 0; i < from->count; i++) column[i].name = text(c, column[i].name);
    return (struct wr_schema){from->count, column};
}

static void copy_source(struct wr_compile *c, struct codes *codes,
                        const struct wr_constant *defaults, uint32_t columns,
                        struct wr_source_node *s)
{
    if (s->computed_not_null)
        s->computed_not_null = copied(c, s->computed_not_null, columns - s->field_count, 1);
    struct wr_field *field = copied(c, s->field, s->field_count, sizeof *field);
    for (uint32_t i = 0; i < s->field_count; i++) {
        struct wr_field *f = &field[i];
        const char **path = copied(c, f->path, f->path_count, sizeof *path);
        for (uint32_t k = 0; k < f->path_count; k++) path[k] = text(c, path[k]);
        f->path = path;
        f->name = text(c, f->name);
        if (f->default_constant == WR_NONE) continue;
        const struct wr_constant *k = &defaults[f->default_constant];
        f->default_constant = wr_constant_add(c, k->type, &k->value, WR_NONE);
    }
    s->field = field;
    s->computed = code_of(c, codes, s->computed);
    s->watermark = code_of(c, codes, s->watermark);
}

static void copy_pattern(struct wr_compile *c, struct codes *codes, struct wr_pattern_node *p)
{
    struct wr_pattern_variable *variable = copied(c, p->variable, p->variable_count,
                                                  sizeof *variable);
    p->row_code = code_of(c, codes, p->row_code);
    for (uint32_t i = 0; i < p->variable_count; i++) {
        variable[i].name = text(c, variable[i].name);
        variable[i].text = text(c, variable[i].text);
        variable[i].condition = code_of(c, codes, variable[i].condition);
    }
    p->variable = variable;
    p->key = copied(c, p->key, p->key_count, sizeof *p->key);
    p->set = copied(c, p->set, (size_t)p->set_count * p->set_words, sizeof *p->set);
    p->position = copied(c, p->position, p->position_count, sizeof *p->position);
    p->follow = copied(c, p->follow, p->follow_count, sizeof *p->follow);
    p->kill = copied(c, p->kill, p->kill_count, sizeof *p->kill);
    p->claim = copied(c, p->claim, p->claim_count, sizeof *p->claim);
    p->lead = copied(c, p->lead, p->lead_count, sizeof *p->lead);
    p->keep = copied(c, p->keep, p->keep_count, sizeof *p->keep);
    p->aggregate = copied(c, p->aggregate, p->aggregate_count, sizeof *p->aggregate);
    p->history = copied(c, p->history, p->history_count, sizeof *p->history);
    p->reads = copied(c, p->reads, (size_t)p->reads_count * p->reads_words, sizeof *p->reads);
    p->output = copied(c, p->output, p->output_count, sizeof *p->output);
    p->text = text(c, p->text ? p->text : "");
}

static void copy_node(struct wr_compile *c, struct codes *codes, const struct wr_constant *defaults,
                      uint32_t *query_number, struct wr_node *n)
{
    if (!query_number[n->query]) query_number[n->query] = ++c->program->query_count;
    n->query = query_number[n->query] - 1;
    n->name = text(c, n->name);
    n->input = copied(c, n->input, n->input_count, sizeof *n->input);
    n->schema = copy_schema(c, &n->schema);
    switch (n->kind) {
    case WR_NODE_SOURCE: copy_source(c, codes, defaults, n->schema.count, &n->u.source); break;
    case WR_NODE_SELECT:
        n->u.select.where = code_of(c, codes, n->u.select.where);
        n->u.select.project = code_of(c, codes, n->u.select.project);
        n->u.select.carry = copied(c, n->u.select.carry, n->schema.count, 1);
        break;
    case WR_NODE_WINDOW:
        n->u.window.key = copied(c, n->u.window.key, n->u.window.key_count,
                                 sizeof *n->u.window.key);
        n->u.window.aggregate = copied(c, n->u.window.aggregate, n->u.window.aggregate_count,
                                       sizeof *n->u.window.aggregate);
        break;
    case WR_NODE_PATTERN: copy_pattern(c, codes, &n->u.pattern); break;
    default: break;
    }
}

/* ---- The rest -------------------------------------------------------------------------------- */

static struct wr_option_value *copy_options(struct wr_compile *c,
                                            const struct wr_option_value *from, size_t count)
{
    struct wr_option_value *to = copied(c, from, count, sizeof *to);
    for (size_t i = 0; i < count; i++)
        to[i] = (struct wr_option_value){text(c, from[i].name), text(c, from[i].value)};
    return to;
}

static void copy_streams(struct wr_compile *c)
{
    struct wr_state *s = c->state;
    struct wr_stream *stream = copied(c, s->stream.at, s->stream.count, sizeof *stream);
    for (size_t i = 0; i < s->stream.count; i++) {
        stream[i].name = text(c, stream[i].name);
        stream[i].option = copy_options(c, stream[i].option, stream[i].option_count);
        stream[i].declared = copy_schema(c, &stream[i].declared);
    }
    c->program->stream = stream;
    c->program->stream_count = (uint32_t)s->stream.count;
}

static void copy_parameters(struct wr_compile *c)
{
    struct wr_state *s = c->state;
    struct wr_parameter *p = copied(c, s->parameter.at, s->parameter.count, sizeof *p);
    for (size_t i = 0; i < s->parameter.count; i++) {
        p[i].name = text(c, p[i].name);
        if (p[i].value.flag == WR_FLAG_VALUE && wr_type_class(p[i].type) == WR_CLASS_STR)
            p[i].value.u.str = wr_arena_copy(&c->program->arena, p[i].value.u.str);
    }
    c->program->parameter = p;
    c->program->parameter_count = (uint32_t)s->parameter.count;
}

void wr_emit(struct wr_compile *c)
{
    struct wr_state *s = c->state;
    struct wr_program *program = c->program;
    struct codes codes = {.number = WR_NEW_ARRAY(c->arena, uint32_t, s->block.count + 1)};
    uint32_t *query_number = WR_NEW_ARRAY(c->arena, uint32_t, s->query.count + 1);
    /* Defaults of columns were numbered on the way; only those that stay become constants of the
     * program. */
    struct wr_constant *defaults = WR_NEW_ARRAY(c->arena, struct wr_constant,
                                                s->constant.count + 1);
    if (s->constant.count) memcpy(defaults, s->constant.at, s->constant.count * sizeof *defaults);
    s->constant.count = 0;
    rehash(c, 64);

    struct wr_node *node = copied(c, s->node.at, s->node.count, sizeof *node);
    for (size_t i = 0; i < s->node.count; i++)
        copy_node(c, &codes, defaults, query_number, &node[i]);
    const char **query = wr_arena_alloc_zero(&program->arena,
                                             (program->query_count + 1) * sizeof *query);
    for (size_t i = 0; i < s->query.count; i++)
        if (query_number[i]) query[query_number[i] - 1] = text(c, s->query.at[i]);
    copy_streams(c);
    copy_parameters(c);
    program->setting = copy_options(c, s->setting.at, s->setting.count);
    program->setting_count = (uint32_t)s->setting.count;
    program->node = node;
    program->node_count = (uint32_t)s->node.count;
    program->query = query;
    program->code = copied(c, codes.code.at, codes.code.count, sizeof *codes.code.at);
    program->code_count = (uint32_t)codes.code.count;
    program->constant = copied(c, s->constant.at, s->constant.count, sizeof *s->constant.at);
    program->constant_count = (uint32_t)s->constant.count;
    const struct wr_source *source = &c->diags->sources->at[s->main_file];
    program->source_name = wr_arena_cstr(&program->arena, source->name);
    program->source_text = wr_arena_copy(&program->arena, source->text);
    wr_program_identify(program);
}
