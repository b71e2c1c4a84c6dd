/* The verifier of code blocks: every register exists, has the class that its instruction wants, and is written
 * before it is read; inputs and constants are never written; immediates are in range. */
#include "vm/builtin.h"
#include "vm/decimal.h"
#include "vm/opcode.h"
#include "vm/verify.h"

struct block {
    struct wr_verifier *v;
    const struct wr_code *code;
    uint64_t *written;      /* a bit a register */
    uint32_t at;            /* the instruction */
};

static bool fail_at(struct block *b, const char *what)
{
    return wr_verify_fail(b->v, "instruction %u: %s", b->at, what);
}

static bool verify_source(struct block *b, uint32_t reg, unsigned operand)
{
    WR_ASSERT(operand <= WR_OPERAND_ANY);
    if (reg >= b->code->register_count) return fail_at(b, "it reads a register that there is not");
    if (!(b->written[reg / 64] >> (reg % 64) & 1)) return fail_at(b, "it reads a register that is not written yet");
    if (operand != WR_OPERAND_ANY && b->code->register_class[reg] != operand)
        return fail_at(b, "it reads a register of another class");
    return true;
}

static bool verify_target(struct block *b, uint32_t reg, unsigned cls)
{
    uint32_t fixed = b->code->input_count + b->code->constant_count;
    WR_ASSERT(cls < WR_CLASS_COUNT);
    if (reg >= b->code->register_count) return fail_at(b, "it writes a register that there is not");
    if (reg < fixed) return fail_at(b, "it writes an input or a constant");
    if (b->code->register_class[reg] != cls) return fail_at(b, "it writes a register of another class");
    b->written[reg / 64] |= (uint64_t)1 << (reg % 64);
    return true;
}

/* The kind that K names belongs to the class of the operand that is no text. */
static bool verify_kind(struct block *b, const struct wr_op_info *info, int kind)
{
    unsigned cls = info->a == WR_OPERAND_STR ? info->b : info->a;
    WR_ASSERT(cls < WR_CLASS_COUNT && cls != WR_CLASS_STR);
    if (kind < 0 || kind > WR_KIND_JSON || kind == WR_KIND_DECIMAL) return fail_at(b, "it names no kind");
    return wr_type_class(wr_type_of((enum wr_kind)kind)) == cls || fail_at(b, "it names a kind of another class");
}

static bool verify_immediates(struct block *b, const struct wr_op_info *info, uint32_t word0, uint32_t word1)
{
    int k = wr_word_k(word0), shift = wr_word_shift(word0);
    unsigned precision = wr_word_c(word1) & 0xff, scale = wr_word_c(word1) >> 8;
    switch ((enum wr_operand)info->k) {
    case WR_OPERAND_NONE:
        if (k) return fail_at(b, "it has no K");
        break;
    case WR_OPERAND_KIND:
        if (!verify_kind(b, info, k)) return false;
        break;
    case WR_OPERAND_SCALE:
        if (k > WR_DECIMAL_DIGITS) return fail_at(b, "its scale is past 38");
        break;
    case WR_OPERAND_SHIFT:
        if (shift < -WR_SHIFT_MAX || shift > WR_SHIFT_MAX) return fail_at(b, "its shift is past 76");
        break;
    default: break;
    }
    if (info->c == WR_OPERAND_DECTYPE && (precision < 1 || precision > WR_DECIMAL_DIGITS || scale > precision))
        return fail_at(b, "it names no DECIMAL");
    if ((info->c == WR_OPERAND_NONE && wr_word_c(word1)) || (info->b == WR_OPERAND_NONE && wr_word_b(word1)))
        return fail_at(b, "it has an operand too many");
    return true;
}

static bool verify_call(struct block *b, uint32_t word0, uint32_t word1)
{
    unsigned least, most, hidden, count = (unsigned)wr_word_k(word0);
    if (wr_word_b(word1) >= WR_BUILTIN_COUNT) return fail_at(b, "it calls a function that there is not");
    enum wr_builtin builtin = (enum wr_builtin)wr_word_b(word1);
    wr_builtin_arity(builtin, &least, &most, &hidden);
    WR_ASSERT(least <= most && hidden <= WR_CALL_HIDDEN_MAX);
    if (count < least + hidden || count > most + hidden || count > WR_CALL_ARGUMENTS_MAX)
        return fail_at(b, "it calls a function with another number of arguments");
    for (unsigned i = 0; i < count; i++)
        if (!verify_source(b, wr_word_c(word1) + i, wr_builtin_argument_class(builtin, i, count))) return false;
    return verify_target(b, wr_word_a(word0), wr_builtin_class(builtin));
}

static bool verify_instruction(struct block *b)
{
    WR_ASSERT(2 * b->at + 1 < b->code->word_count);
    uint32_t word0 = b->code->word[2 * b->at], word1 = b->code->word[2 * b->at + 1];
    if (wr_word_op(word0) >= WR_OP_COUNT) return fail_at(b, "there is no such instruction");
    enum wr_op op = wr_word_op(word0);
    const struct wr_op_info *info = wr_op_info(op);
    if (op == WR_OP_CALL) return verify_call(b, word0, word1);
    if (!verify_immediates(b, info, word0, word1)) return false;
    if (info->b <= WR_OPERAND_ANY && !verify_source(b, wr_word_b(word1), info->b)) return false;
    if (info->c <= WR_OPERAND_ANY && !verify_source(b, wr_word_c(word1), info->c)) return false;
    if (info->rule == WR_RULE_SELECT && !verify_source(b, wr_word_a(word0), info->a)) return false;
    return verify_target(b, wr_word_a(word0), info->a);
}

static bool verify_fixed(struct wr_verifier *v, const struct wr_code *code)
{
    uint64_t fixed = (uint64_t)code->input_count + code->constant_count;
    if (code->register_count > 65536 || fixed > code->register_count)
        return wr_verify_fail(v, "it has %u registers for %llu inputs and constants", code->register_count,
                              (unsigned long long)fixed);
    for (uint32_t r = 0; r < code->register_count; r++)
        if (code->register_class[r] >= WR_CLASS_COUNT) return wr_verify_fail(v, "register %u has no class", r);
    for (uint32_t i = 0; i < code->input_count; i++) {
        if (code->input[i].kind > WR_INPUT_SPECIAL) return wr_verify_fail(v, "input %u is of no kind", i);
        if (!wr_verify_type(v, code->input[i].type)) return false;
        if (code->register_class[i] != wr_type_class(code->input[i].type))
            return wr_verify_fail(v, "input %u has a register of another class", i);
    }
    for (uint32_t i = 0; i < code->constant_count; i++) {
        if (code->constant[i] >= v->program->constant_count)
            return wr_verify_fail(v, "there is no constant %u", code->constant[i]);
        if (code->register_class[code->input_count + i] != v->program->constant[code->constant[i]].value.cls)
            return wr_verify_fail(v, "constant %u has a register of another class", i);
    }
    return true;
}

bool wr_verify_code(struct wr_verifier *v, const struct wr_code *code)
{
    if (!verify_fixed(v, code)) return false;
    if (code->word_count % 2) return wr_verify_fail(v, "half an instruction");
    struct block b = {v, code, wr_alloc_zero(code->register_count / 64 * 8 + 8), 0};
    uint32_t fixed = code->input_count + code->constant_count;
    for (uint32_t r = 0; r < fixed; r++) b.written[r / 64] |= (uint64_t)1 << (r % 64);
    bool fine = true;
    for (; fine && b.at < code->word_count / 2; b.at++) fine = verify_instruction(&b);
    for (uint32_t i = 0; fine && i < code->result_count; i++) {
        uint32_t r = code->result[i];
        if (r >= code->register_count || !(b.written[r / 64] >> (r % 64) & 1))
            fine = wr_verify_fail(v, "result %u is a register that is not written", i);
    }
    wr_free(b.written);
    return fine;
}

bool wr_verify_batch_code(struct wr_verifier *v, uint32_t number, const struct wr_schema *schema, uint32_t columns)
{
    if (number >= v->program->code_count) return wr_verify_fail(v, "there is no block %u", number);
    const struct wr_code *code = &v->program->code[number];
    WR_ASSERT(columns <= schema->count);
    for (uint32_t i = 0; i < code->input_count; i++) {
        const struct wr_input *input = &code->input[i];
        if (input->kind == WR_INPUT_COLUMN) {
            if (input->column >= columns)
                return wr_verify_fail(v, "block %u reads column %u of %u", number, input->column, columns);
            if (!wr_type_equal(input->type, schema->column[input->column].type))
                return wr_verify_fail(v, "block %u reads column %u as another type", number, input->column);
        } else if (input->kind != WR_INPUT_SPECIAL || input->column != WR_SPECIAL_EVENT_TIME ||
                   input->type.kind != WR_KIND_TIMESTAMP) {
            return wr_verify_fail(v, "block %u reads what a batch does not have", number);
        }
    }
    return true;
}
