/* Random values, batches and blocks of code for the tests of the VM, all from one seed. */
#ifndef WR_TESTS_VM_RANDOM_CODE_H
#define WR_TESTS_VM_RANDOM_CODE_H

#include "base/hash.h"
#include "vm/builtin.h"
#include "vm/decimal.h"
#include "vm/opcode.h"
#include "vm/program.h"
#include "vm/text.h"

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
    return wr_mix64(r->state++);
}

static inline uint32_t random_below(struct random *r, uint32_t n)
{
    return (uint32_t)(random_next(r) % n);
}

static const char *const random_texts[] = {
    "",
    " ",
    "a",
    "abc",
    "declined",
    "approved",
    "  padded  ",
    "12",
    "-7",
    "3.25",
    "1e3",
    "99999999999999999999",
    "true",
    "FALSE",
    "2026-03-01",
    "2026-03-29T02:30:00+02:00",
    "2026-02-30",
    "12:34:56.789",
    "PT1H30M",
    "10m",
    "1h30m",
    "Europe/Berlin",
    "America/New_York",
    "UTC",
    "Nowhere/Land",
    "YEAR",
    "month",
    "Week",
    "day",
    "HOUR",
    "SECOND",
    "epoch",
    "dow",
    "%Y-%m-%d",
    "%F %T",
    "%d.%m.%Y %H:%M:%S.%f %Z",
    "%a %A %j %V",
    "%Q",
    "ms",
    "us",
    "ns",
    "$.a",
    "$.b[0]",
    "$.c.d",
    "bad path",
    "{\"a\": 1, \"b\": [true, null], \"c\": {\"d\": \"x\"}}",
    "[1,2,3]",
    "{",
    "%",
    "_%",
    "a%c",
    "%cl%",
    "50\\%",
    "\\",
    "(a|b)+c",
    "^de.*ed$",
    "[0-9]+",
    "(",
    "a*a*a*a*b",
    "\xc3\xa4\xc3\xb6\xc3\xbc \xc3\x9f",
    "\xce\xa3\xce\xb1\xcf\x82",
    "\xd0\x96\xd1\x83\xd0\xba",
    "\xe6\x97\xa5\xe6\x9c\xac",
    "\xf0\x9f\x8c\x8a",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static inline struct wr_value random_value(struct random *r, enum wr_class cls)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      2,
                                      3,
                                      7,
                                      10,
                                      100,
                                      -100,
                                      INT32_MAX,
                                      INT32_MIN,
                                      INT64_MAX,
                                      INT64_MIN,
                                      86400000000,
                                      1772366400000000,
                                      -1,
                                      1743300000000000};
    static const double doubles[] = {0.0,    -0.0,    1.0,  -1.0,   0.5,          2.5, -2.5,  1e300, -1e300,
                                     1e-300, 3.14159, 1e18, 9.3e18, 2147483648.0, 0.1, 2.675, 52.5,  13.4};
    struct wr_value v = {.cls = (uint8_t)cls};
    uint64_t x = random_next(r);
    switch (cls) {
    case WR_CLASS_BOOL: v.u.boolean = x & 1; break;
    case WR_CLASS_I64:
        v.u.i64 = x % 4 ? numbers[x / 4 % WR_COUNT(numbers)] : (int64_t)random_next(r) >> (x >> 8 & 63);
        break;
    case WR_CLASS_F64:
        v.u.f64 = x % 4 ? doubles[x / 4 % WR_COUNT(doubles)] : (double)(int64_t)random_next(r) / 1e9;
        break;
    case WR_CLASS_DEC: {
        wr_u128 m =
            ((wr_u128)random_next(r) << 64 | random_next(r)) % (wr_u128)wr_pow10((unsigned)(x % 38) + 1);
        v.u.dec = x >> 63 ? -(wr_i128)m : (wr_i128)m;
        break;
    }
    case WR_CLASS_STR: v.u.str = wr_slice_cstr(random_texts[x % WR_COUNT(random_texts)]); break;
    case WR_CLASS_COUNT: break;
    }
    return v;
}

/* A type of the class, for columns. */
static inline struct wr_type random_type_of(enum wr_class cls)
{
    static const uint8_t kind[WR_CLASS_COUNT] = {WR_KIND_BOOLEAN, WR_KIND_BIGINT, WR_KIND_DOUBLE,
                                                 WR_KIND_DECIMAL, WR_KIND_STRING};
    return kind[cls] == WR_KIND_DECIMAL ? wr_type_decimal(38, 2) : wr_type_of((enum wr_kind)kind[cls]);
}

/* Fills a builder with rows of random values; of 16 values `odd` are NULL or an error. */
static inline void random_batch(struct random *r, struct wr_batch_builder *b, uint32_t rows, uint32_t odd)
{
    wr_batch_builder_clear(b);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t c = 0; c < b->batch.columns; c++) {
            struct wr_value v = random_value(r, wr_type_class(b->type[c]));
            uint32_t dice = random_below(r, 16);
            if (dice < odd)
                v.flag = dice % 2 ? WR_FLAG_ERROR : WR_FLAG_NULL, v.reason = dice % 2 ? WR_REASON_CAST : 0;
            wr_batch_builder_put(b, c, row, &v, false);
        }
        b->event_time[row] = b->time[row] = b->place_time[row] = (int64_t)row * 1000;
        b->batch.rows++;
    }
}

/* A block under construction: all inputs are columns 0 … of the batch. */
struct random_block {
    struct random *r;
    struct wr_program *program;
    struct wr_code *code;
    uint32_t *word;
    uint8_t *cls;
    struct wr_input *input;
    uint32_t *constant;
    uint16_t *result;
};

enum { RANDOM_WORDS_MAX = 4096, RANDOM_REGISTERS_MAX = 1024 };

static inline void random_block_begin(struct random_block *b, struct random *r, struct wr_program *program,
                                      const struct wr_type *column, uint32_t columns, uint32_t constants)
{
    struct wr_arena *arena = &program->arena;
    b->r = r;
    b->program = program;
    b->code = WR_NEW(arena, struct wr_code);
    b->word = WR_NEW_ARRAY(arena, uint32_t, RANDOM_WORDS_MAX);
    b->cls = WR_NEW_ARRAY(arena, uint8_t, RANDOM_REGISTERS_MAX);
    b->input = WR_NEW_ARRAY(arena, struct wr_input, columns + 1);
    b->constant = WR_NEW_ARRAY(arena, uint32_t, constants + 1);
    b->result = WR_NEW_ARRAY(arena, uint16_t, RANDOM_REGISTERS_MAX);
    program->constant = WR_NEW_ARRAY(arena, struct wr_constant, constants + 1);
    program->constant_count = constants;
    for (uint32_t i = 0; i < columns; i++) {
        b->input[i] = (struct wr_input){.kind = WR_INPUT_COLUMN, .column = (uint16_t)i, .type = column[i]};
        b->cls[i] = (uint8_t)wr_type_class(column[i]);
    }
    for (uint32_t i = 0; i < constants; i++) {
        enum wr_class cls = (enum wr_class)(i % WR_CLASS_COUNT);
        struct wr_value v = random_value(r, cls);
        if (random_below(r, 8) == 0) v.flag = WR_FLAG_NULL;
        program->constant[i] = (struct wr_constant){random_type_of(cls), v, WR_NONE};
        b->constant[i] = i;
        b->cls[columns + i] = (uint8_t)cls;
    }
    *b->code = (struct wr_code){.input_count = columns, .input = b->input, .constant_count = constants,
                                .constant = b->constant, .register_count = columns + constants,
                                .register_class = b->cls, .word = b->word, .result = b->result};
    program->code = b->code;
    program->code_count = 1;
}

/* A register of the class that has been written; any class for WR_OPERAND_ANY. */
static inline uint32_t random_source(struct random_block *b, unsigned operand)
{
    for (uint32_t tries = 0; tries < 10000; tries++) {
        uint32_t reg = random_below(b->r, b->code->register_count);
        if (operand == WR_OPERAND_ANY || b->cls[reg] == operand) return reg;
    }
    WR_ASSERT(false);
    return 0;
}

/* A new register, or now and then an old temporary that is written anew. */
static inline uint32_t random_target(struct random_block *b, enum wr_class cls, bool must_be_written)
{
    uint32_t fixed = b->code->input_count + b->code->constant_count;
    bool again = must_be_written || random_below(b->r, 4) == 0;
    for (uint32_t tries = 0; again && b->code->register_count > fixed && tries < 200; tries++) {
        uint32_t reg = fixed + random_below(b->r, b->code->register_count - fixed);
        if (b->cls[reg] == cls) return reg;
    }
    if (must_be_written) return WR_NONE;
    WR_ASSERT(b->code->register_count < RANDOM_REGISTERS_MAX);
    b->cls[b->code->register_count] = (uint8_t)cls;
    return b->code->register_count++;
}

static inline void random_emit(struct random_block *b, enum wr_op op, int k, uint32_t a, uint32_t bb,
                               uint32_t c)
{
    WR_ASSERT(b->code->word_count + 2 <= RANDOM_WORDS_MAX);
    b->word[b->code->word_count++] = wr_word0(wr_op_word(op, k), a);
    b->word[b->code->word_count++] = wr_word1(bb, c);
}

static inline int random_k(struct random_block *b, const struct wr_op_info *info)
{
    static const uint8_t kinds[] = {WR_KIND_BIGINT, WR_KIND_INT, WR_KIND_DATE, WR_KIND_TIME, WR_KIND_TIMESTAMP,
                                    WR_KIND_INTERVAL};
    unsigned cls = info->a == WR_OPERAND_STR ? info->b : info->a;
    switch ((enum wr_operand)info->k) {
    case WR_OPERAND_KIND:
        return cls == WR_OPERAND_F64 ? (random_below(b->r, 2) ? WR_KIND_DOUBLE : WR_KIND_FLOAT)
                                     : kinds[random_below(b->r, WR_COUNT(kinds))];
    case WR_OPERAND_SCALE: return (int)random_below(b->r, 39);
    case WR_OPERAND_SHIFT:
        return random_below(b->r, 3) ? (int)random_below(b->r, 9) - 4 : (int)random_below(b->r, 153) - 76;
    default: return 0;
    }
}

/* One instruction of the kind, on registers as they come; false when it cannot be made here. */
static inline bool random_op(struct random_block *b, enum wr_op op)
{
    const struct wr_op_info *info = wr_op_info(op);
    uint32_t source_b = 0, source_c = 0, target;
    int k = random_k(b, info);
    WR_ASSERT(op != WR_OP_CALL);
    if (info->b <= WR_OPERAND_ANY) source_b = random_source(b, info->b);
    if (info->c <= WR_OPERAND_ANY) source_c = random_source(b, info->c);
    if (info->c == WR_OPERAND_DECTYPE) {
        uint32_t precision = 1 + random_below(b->r, 38);
        source_c = wr_dectype_word(precision, random_below(b->r, precision + 1));
    }
    if (info->rule == WR_RULE_SELECT) {
        target = random_target(b, (enum wr_class)info->a, true);
        if (target == WR_NONE) {
            uint32_t from = random_source(b, info->a);
            target = random_target(b, (enum wr_class)info->a, false);
            random_emit(b, wr_op_of(WR_OP_MOVE_BOOL, (enum wr_class)info->a), 0, target, from, 0);
        }
    } else {
        target = random_target(b, (enum wr_class)info->a, false);
    }
    random_emit(b, op, k, target, source_b, source_c);
    return true;
}

/* A call: its arguments are copied into fresh registers that follow each other. */
static inline void random_call(struct random_block *b, enum wr_builtin builtin)
{
    unsigned least, most, hidden;
    wr_builtin_arity(builtin, &least, &most, &hidden);
    unsigned count = least + random_below(b->r, WR_MIN(most, least + 3) - least + 1) + hidden;
    uint32_t source[WR_CALL_ARGUMENTS_MAX];
    for (unsigned i = 0; i < count; i++)
        source[i] = random_source(b, (unsigned)wr_builtin_argument_class(builtin, i, count));
    uint32_t first = b->code->register_count;
    for (unsigned i = 0; i < count; i++) {
        enum wr_class cls = wr_builtin_argument_class(builtin, i, count);
        WR_ASSERT(b->code->register_count < RANDOM_REGISTERS_MAX);
        b->cls[b->code->register_count++] = (uint8_t)cls;
        random_emit(b, wr_op_of(WR_OP_MOVE_BOOL, cls), 0, first + i, source[i], 0);
    }
    uint32_t target = random_target(b, wr_builtin_class(builtin), false);
    random_emit(b, WR_OP_CALL, (int)count, target, builtin, first);
}

/* Every register is a result. */
static inline void random_block_end(struct random_block *b)
{
    for (uint32_t i = 0; i < b->code->register_count; i++) b->result[i] = (uint16_t)i;
    b->code->result_count = b->code->register_count;
}

#endif
