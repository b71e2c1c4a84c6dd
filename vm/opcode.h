/* The instructions as an enum and a table, made from opcodes.def, and the casts spelled as instructions.
 *
 * Word 0 of an instruction is op (bits 0-7) | K (bits 8-15) | A (bits 16-31), word 1 is B | C << 16:
 * emit with wr_word0(wr_op_word(WR_OP_X, k), a), wr_word1(b, c). K is 0 where an instruction has none;
 * a negative shift goes in as (uint8_t)shift. */
#ifndef WR_VM_OPCODE_H
#define WR_VM_OPCODE_H

#include "vm/code.h"

enum wr_op {
#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE) WR_OP_##NAME,
#include "vm/opcodes.def"
#undef OP
    WR_OP_COUNT
};

enum wr_op_rule {
    WR_RULE_PLAIN, WR_RULE_CHECKED, WR_RULE_CAREFUL, WR_RULE_COMPARE, WR_RULE_WORD, WR_RULE_LOGIC, WR_RULE_DISTINCT,
    WR_RULE_SELECT, WR_RULE_COALESCE, WR_RULE_MOVE, WR_RULE_TRY, WR_RULE_CALL
};

/* What a field of an instruction holds: a register of a class, or something else. */
enum wr_operand {
    WR_OPERAND_BOOL = WR_CLASS_BOOL,
    WR_OPERAND_I64 = WR_CLASS_I64,
    WR_OPERAND_F64 = WR_CLASS_F64,
    WR_OPERAND_DEC = WR_CLASS_DEC,
    WR_OPERAND_STR = WR_CLASS_STR,
    WR_OPERAND_ANY,     /* a register of any class */
    WR_OPERAND_NONE,    /* 0 */
    WR_OPERAND_DECTYPE, /* precision | scale << 8 */
    WR_OPERAND_BUILTIN, /* enum wr_builtin */
    WR_OPERAND_ARGS,    /* the first of K argument registers */
    WR_OPERAND_KIND,    /* K: an enum wr_kind of the operand's class */
    WR_OPERAND_SCALE,   /* K: 0..38 */
    WR_OPERAND_SHIFT,   /* K: a power of ten, -WR_SHIFT_MAX..WR_SHIFT_MAX */
    WR_OPERAND_COUNT    /* K: a number of arguments */
};
enum { WR_SHIFT_MAX = 76 };

struct wr_op_info {
    const char *name;    /* "ADD_I64" */
    const char *formula; /* "A = B + C" */
    uint8_t a, b, c, k;  /* enum wr_operand */
    uint8_t rule;        /* enum wr_op_rule; SELECT reads A too */
};
const struct wr_op_info *wr_op_info(enum wr_op op);
/* Is B op C always C op B? */
bool wr_op_commutes(enum wr_op op);

/* The five instructions of a family, by class: wr_op_of(WR_OP_SELECT_BOOL, cls). */
static inline enum wr_op wr_op_of(enum wr_op first_of_five, enum wr_class cls)
{
    return (enum wr_op)((unsigned)first_of_five + (unsigned)cls);
}
enum wr_comparison { WR_CMP_EQ, WR_CMP_NE, WR_CMP_LT, WR_CMP_LE, WR_CMP_GT, WR_CMP_GE, WR_CMP_DISTINCT };
/* The comparison of two registers of a class. */
static inline enum wr_op wr_op_comparison(enum wr_comparison comparison, enum wr_class cls)
{
    return (enum wr_op)(WR_OP_EQ_BOOL + 7u * (unsigned)cls + (unsigned)comparison);
}

static inline uint32_t wr_op_word(enum wr_op op, int k) { return (uint32_t)op | (uint32_t)(uint8_t)k << 8; }
static inline enum wr_op wr_word_op(uint32_t word0) { return (enum wr_op)(word0 & 0xff); }
static inline int wr_word_k(uint32_t word0) { return (int)(word0 >> 8 & 0xff); }
static inline int wr_word_shift(uint32_t word0) { return (int8_t)(word0 >> 8 & 0xff); }
static inline uint32_t wr_word_a(uint32_t word0) { return word0 >> 16; }
static inline uint32_t wr_word_b(uint32_t word1) { return word1 & 0xffff; }
static inline uint32_t wr_word_c(uint32_t word1) { return word1 >> 16; }
static inline uint32_t wr_dectype_word(unsigned precision, unsigned scale) { return precision | scale << 8; }

/* One step of a cast: A = op(B), with K and the C field as given. */
struct wr_cast_step {
    uint8_t op;  /* enum wr_op */
    int8_t k;
    uint16_t c;
    uint8_t cls; /* class of its result */
};
enum { WR_CAST_STEPS_MAX = 4 };
/* The instructions that CAST(x AS to) of an x of type `from` takes, one after the other; 0 when the value
 * is used as it is. False when there is no such cast. A NULL constant is cast by giving it the type. */
bool wr_cast_steps(struct wr_type from, struct wr_type to, struct wr_cast_step step[WR_CAST_STEPS_MAX],
                   unsigned *count);

#endif
