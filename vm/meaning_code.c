/* What expressions mean: a block is followed once, and each register becomes a hash of how it came about. */
#include "vm/meaning.h"

#include <stdlib.h>

#include "vm/builtin.h"
#include "vm/opcode.h"

/* ---- Hashing --------------------------------------------------------------------------------------- */

struct wr_hash128 wr_meaning_end(struct wr_meanings *m, size_t mark)
{
    WR_ASSERT(mark < m->bytes.size);
    struct wr_hash128 hash = wr_hash128_of(m->bytes.data + mark, m->bytes.size - mark, 0);
    m->bytes.size = mark;
    return hash;
}

void wr_meaning_number(struct wr_meanings *m, int64_t number)
{
    char bytes[8];
    for (unsigned i = 0; i < 8; i++) bytes[i] = (char)((uint64_t)number >> (8 * i));
    wr_buf_add(&m->bytes, bytes, sizeof bytes);
}

void wr_meaning_text(struct wr_meanings *m, struct wr_slice text)
{
    wr_meaning_number(m, (int64_t)text.size);
    wr_buf_add_slice(&m->bytes, text);
}

void wr_meaning_name(struct wr_meanings *m, struct wr_slice name)
{
    wr_meaning_number(m, (int64_t)name.size);
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        wr_buf_add_char(&m->bytes, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
}

void wr_meaning_type(struct wr_meanings *m, struct wr_type type)
{
    wr_type_print(type, &m->bytes);
    wr_buf_add_char(&m->bytes, 0);
}

void wr_meaning_hash(struct wr_meanings *m, struct wr_hash128 hash)
{
    wr_meaning_number(m, (int64_t)hash.low);
    wr_meaning_number(m, (int64_t)hash.high);
}

static int hash_order(const void *a, const void *b)
{
    const struct wr_hash128 *x = a, *y = b;
    if (x->high != y->high) return x->high < y->high ? -1 : 1;
    return (x->low > y->low) - (x->low < y->low);
}

void wr_meaning_unordered(struct wr_meanings *m, struct wr_hash128 *hash, size_t count)
{
    qsort(hash, count, sizeof *hash, hash_order);
    for (size_t i = 0; i < count; i++) wr_meaning_hash(m, hash[i]);
}

/* ---- What comes from outside ----------------------------------------------------------------------- */

void wr_meaning_set(struct wr_meanings *m, const struct wr_pattern_node *pattern, uint32_t set)
{
    WR_ASSERT(set == WR_SET_ALL || set < pattern->set_count);
    if (set == WR_SET_ALL) {
        wr_meaning_number(m, -1);
        return;
    }
    wr_meaning_number(m, pattern->set_words);
    for (uint32_t w = 0; w < pattern->set_words; w++)
        wr_meaning_number(m, (int64_t)pattern->set[(size_t)set * pattern->set_words + w]);
}

/* Where names of variables can be seen, they are part of the meaning. */
static void add_names(struct wr_meanings *m, const struct wr_pattern_node *pattern)
{
    for (uint32_t v = 0; v < pattern->variable_count; v++) wr_meaning_text(m, wr_slice_cstr(pattern->variable[v].name));
}

static struct wr_hash128 column_of(const struct wr_meanings *m, uint32_t from, uint32_t column)
{
    WR_ASSERT(column < m->program->node[from].schema.count);
    return m->column[from][column];
}

struct wr_hash128 wr_meaning_of_aggregate(struct wr_meanings *m, const struct wr_aggregate *a, uint32_t from,
                                          const struct wr_pattern_node *pattern)
{
    size_t mark = wr_meaning_begin(m, "aggregate");
    wr_meaning_number(m, a->fn);
    wr_meaning_type(m, a->argument);
    wr_meaning_type(m, a->type);
    if (pattern) wr_meaning_set(m, pattern, a->set);
    const uint32_t column[] = {a->column, a->column2, a->filter};
    for (unsigned i = 0; i < WR_COUNT(column); i++) {
        bool names = column[i] == WR_COLUMN_CLASSIFIER && pattern;
        wr_meaning_number(m, column[i] == WR_NONE ? 0 : names ? 1 : 2);
        if (names) add_names(m, pattern);
        else if (column[i] != WR_NONE) wr_meaning_hash(m, column_of(m, from, column[i]));
    }
    return wr_meaning_end(m, mark);
}

struct wr_hash128 wr_meaning_of_input(struct wr_meanings *m, const struct wr_input *input, uint32_t from,
                                      const struct wr_pattern_node *pattern)
{
    if (input->kind == WR_INPUT_COLUMN && !input->step && !input->final_) return column_of(m, from, input->column);
    if (input->kind == WR_INPUT_AGGREGATE && pattern && !input->final_) {
        WR_ASSERT(input->column < pattern->aggregate_count);
        return wr_meaning_of_aggregate(m, &pattern->aggregate[input->column], from, pattern);
    }
    size_t mark = wr_meaning_begin(m, "input");
    wr_meaning_number(m, input->kind);
    wr_meaning_number(m, input->final_);
    switch ((enum wr_input_kind)input->kind) {
    case WR_INPUT_LAST:
    case WR_INPUT_FIRST:
        wr_meaning_number(m, input->offset);
        if (pattern) wr_meaning_set(m, pattern, input->set);
        wr_meaning_hash(m, column_of(m, from, input->column));
        break;
    case WR_INPUT_COLUMN: wr_meaning_hash(m, column_of(m, from, input->column)); break;
    case WR_INPUT_AGGREGATE:
        if (pattern) wr_meaning_hash(m, wr_meaning_of_aggregate(m, &pattern->aggregate[input->column], from, pattern));
        break;
    case WR_INPUT_KEY:
        if (pattern) wr_meaning_hash(m, column_of(m, from, pattern->key[input->column]));
        break;
    case WR_INPUT_SPECIAL:
        wr_meaning_number(m, input->column);
        if (input->column != WR_SPECIAL_CLASSIFIER || !pattern) break;
        wr_meaning_number(m, input->offset);
        wr_meaning_number(m, input->from_first);
        wr_meaning_set(m, pattern, input->set);
        add_names(m, pattern);
        break;
    }
    wr_meaning_number(m, input->step);
    return wr_meaning_end(m, mark);
}

struct wr_hash128 wr_meaning_of_constant(struct wr_meanings *m, uint32_t number)
{
    WR_ASSERT(number < m->program->constant_count);
    const struct wr_constant *c = &m->program->constant[number];
    if (c->parameter != WR_NONE) {
        size_t mark = wr_meaning_begin(m, "parameter");
        wr_meaning_name(m, wr_slice_cstr(m->program->parameter[c->parameter].name));
        wr_meaning_type(m, c->type);
        return wr_meaning_end(m, mark);
    }
    size_t mark = wr_meaning_begin(m, "constant");
    wr_meaning_number(m, c->value.cls);
    wr_meaning_number(m, c->value.flag);
    if (c->value.flag != WR_FLAG_VALUE) return wr_meaning_end(m, mark);
    int64_t bits;
    switch ((enum wr_class)c->value.cls) {
    case WR_CLASS_BOOL: wr_meaning_number(m, c->value.u.boolean); break;
    case WR_CLASS_I64: wr_meaning_number(m, c->value.u.i64); break;
    case WR_CLASS_F64:
        memcpy(&bits, &c->value.u.f64, sizeof bits);
        wr_meaning_number(m, bits);
        break;
    case WR_CLASS_DEC:
        wr_meaning_number(m, (int64_t)(wr_u128)c->value.u.dec);
        wr_meaning_number(m, (int64_t)((wr_u128)c->value.u.dec >> 64));
        break;
    case WR_CLASS_STR: wr_meaning_text(m, c->value.u.str); break;
    case WR_CLASS_COUNT: break;
    }
    return wr_meaning_end(m, mark);
}

/* ---- Blocks ---------------------------------------------------------------------------------------- */

/* What a register holds. A chain of ANDs (or ORs) is one set of operands: their hashes added up, whatever the order. */
struct value {
    struct wr_hash128 hash;
    wr_u128 sum;
    uint8_t chain; /* WR_OP_AND, WR_OP_OR; 0: none */
};
_Static_assert(WR_OP_MOVE_BOOL == 0, "0 is no chain");

static wr_u128 part_of_sum(const struct value *v, enum wr_op op)
{
    return v->chain == op ? v->sum : (wr_u128)v->hash.high << 64 | v->hash.low;
}

static struct value chain(struct wr_meanings *m, enum wr_op op, const struct value *b, const struct value *c)
{
    struct value v = {.chain = (uint8_t)op, .sum = part_of_sum(b, op) + part_of_sum(c, op)};
    size_t mark = wr_meaning_begin(m, wr_op_info(op)->name);
    wr_meaning_number(m, (int64_t)v.sum);
    wr_meaning_number(m, (int64_t)(v.sum >> 64));
    v.hash = wr_meaning_end(m, mark);
    return v;
}

static struct wr_hash128 call(struct wr_meanings *m, const struct value *reg, uint32_t word0, uint32_t word1)
{
    const struct wr_builtin_info *info = wr_builtin_info((enum wr_builtin)wr_word_b(word1));
    size_t mark = wr_meaning_begin(m, info->name);
    wr_meaning_text(m, wr_slice_cstr(info->arguments));
    wr_meaning_text(m, wr_slice_cstr(info->result));
    for (int i = 0; i < wr_word_k(word0); i++) wr_meaning_hash(m, reg[wr_word_c(word1) + (uint32_t)i].hash);
    return wr_meaning_end(m, mark);
}

static struct value instruction(struct wr_meanings *m, const struct value *reg, uint32_t word0, uint32_t word1)
{
    enum wr_op op = wr_word_op(word0);
    const struct wr_op_info *info = wr_op_info(op);
    const struct value *b = info->b <= WR_OPERAND_ANY ? &reg[wr_word_b(word1)] : NULL;
    const struct value *c = info->c <= WR_OPERAND_ANY ? &reg[wr_word_c(word1)] : NULL;
    WR_ASSERT(op < WR_OP_COUNT);
    if (info->rule == WR_RULE_MOVE) return *b;
    if (op == WR_OP_AND || op == WR_OP_OR) return chain(m, op, b, c);
    struct value v = {.chain = 0};
    if (op == WR_OP_CALL) {
        v.hash = call(m, reg, word0, word1);
        return v;
    }
    size_t mark = wr_meaning_begin(m, info->name);
    wr_meaning_number(m, wr_word_k(word0));
    if (info->c == WR_OPERAND_DECTYPE) wr_meaning_number(m, wr_word_c(word1));
    if (info->rule == WR_RULE_SELECT) wr_meaning_hash(m, reg[wr_word_a(word0)].hash);
    struct wr_hash128 operand[2];
    size_t count = 0;
    if (b) operand[count++] = b->hash;
    if (c) operand[count++] = c->hash;
    if (wr_op_commutes(op)) wr_meaning_unordered(m, operand, count);
    else for (size_t i = 0; i < count; i++) wr_meaning_hash(m, operand[i]);
    v.hash = wr_meaning_end(m, mark);
    return v;
}

struct wr_hash128 wr_meaning_of_result(struct wr_meanings *m, uint32_t number, uint32_t result, uint32_t from,
                                       const struct wr_pattern_node *pattern)
{
    const struct wr_code *code = &m->program->code[number];
    struct wr_meaning_results *known = &m->results[number];
    WR_ASSERT(number < m->program->code_count && result < code->result_count);
    if (known->hash && known->from == from && known->pattern == pattern) return known->hash[result];
    size_t size = code->register_count * sizeof(struct value);
    wr_buf_clear(&m->registers);
    struct value *reg = memset(wr_buf_reserve(&m->registers, size + 1), 0, size);
    for (uint32_t i = 0; i < code->input_count; i++)
        reg[i].hash = wr_meaning_of_input(m, &code->input[i], from, pattern);
    for (uint32_t i = 0; i < code->constant_count; i++)
        reg[code->input_count + i].hash = wr_meaning_of_constant(m, code->constant[i]);
    for (uint32_t i = 0; i < code->word_count; i += 2)
        reg[wr_word_a(code->word[i])] = instruction(m, reg, code->word[i], code->word[i + 1]);
    if (!known->hash) known->hash = WR_NEW_ARRAY(&m->arena, struct wr_hash128, code->result_count + 1);
    for (uint32_t i = 0; i < code->result_count; i++) known->hash[i] = reg[code->result[i]].hash;
    known->from = from;
    known->pattern = pattern;
    return known->hash[result];
}
