#include "vm/bytecode_page.h"

#include "vm/builtin.h"
#include "vm/opcode.h"
#include "vm/program.h"

/* What the page says before the lists. */
static const char head[] =
    "# Bytecode\n"
    "\n"
    "This page is made from `vm/opcodes.def` and `vm/builtins.def` by `make pages`; `make check` compares it.\n"
    "`weir explain PROGRAM` shows a program's own code.\n"
    "\n"
    "A compiled program holds blocks of code. A block computes its results from its inputs and constants by a\n"
    "straight line of typed instructions. There are no jumps: a block ends by construction, and a choice\n"
    "(`CASE`, `COALESCE`) is an instruction that picks between two values already computed. An error is a value,\n"
    "like NULL, and an operand that cannot decide discards it, so nothing needs to be left uncomputed.\n"
    "\n"
    "The batch executor runs each instruction over up to 1,024 rows at once; the row executor runs a block for\n"
    "one row, for conditions that depend on a partial match. Both come from one list and give the same values,\n"
    "NULLs and errors.\n"
    "\n"
    "## An instruction\n"
    "\n"
    "Two words of 32 bits, little endian in the file:\n"
    "\n"
    "```\n"
    "          31            16 15      8 7       0\n"
    " word 0  |       A        |    K    |   op    |\n"
    " word 1  |       C        |         B         |\n"
    "```\n"
    "\n"
    "`A` is the register that is written, `B` and `C` are read. Where the table says so, `C` is no register but\n"
    "`DECIMAL`, a type as precision + 256 * scale, and `K` is a small number: a *kind* of type, a *scale* (0 to\n"
    "38), a *shift*, a signed power of ten (-76 to 76), or a *count* of arguments. Fields that an instruction does\n"
    "not have are 0.\n"
    "\n"
    "## Registers\n"
    "\n"
    "Inputs come first, then constants, then temporaries; an instruction writes temporaries only, and each is\n"
    "written before it is read. A register has one class:\n"
    "\n"
    "| class | types | in a batch |\n"
    "|---|---|---|\n"
    "| `BOOL` | BOOLEAN | a bit a row |\n"
    "| `I64` | INT, BIGINT, DATE (days), TIME, TIMESTAMP, INTERVAL (microseconds) | 8 bytes |\n"
    "| `F64` | FLOAT, DOUBLE; always finite | 8 bytes |\n"
    "| `DEC` | DECIMAL: an integer of up to 38 digits; the scale stands in the code | 16 bytes |\n"
    "| `STR` | STRING, BYTES, JSON | a pointer and a size |\n"
    "\n"
    "Beside the values each vector has a mask of NULLs and one of errors.\n"
    "\n"
    "## NULLs and errors\n"
    "\n"
    "| rule | the result is |\n"
    "|---|---|\n"
    "| strict | an error if an operand is one, else NULL if one is, else by the formula |\n"
    "| may fail | as strict, or an error where the formula has no value |\n"
    "| logic | what the operands that are known decide; else an error if an operand is one, else NULL |\n"
    "| distinct | an error if an operand is one; two NULLs are alike, a NULL and a value are not |\n"
    "| choice, copy | as the formula says; the operand that is not taken does not matter, not even its errors |\n"
    "| call | strict in all arguments; the function may fail or give NULL |\n"
    "\n"
    "The reasons of errors are";

static const char *rule_name(const struct wr_op_info *info)
{
    switch ((enum wr_op_rule)info->rule) {
    case WR_RULE_PLAIN:
    case WR_RULE_COMPARE:
    case WR_RULE_WORD: return "strict";
    case WR_RULE_CHECKED: return "may fail";
    case WR_RULE_CAREFUL: /* comparisons and the like cannot */
        return info->a == WR_OPERAND_BOOL && info->b == info->c ? "strict" : "may fail";
    case WR_RULE_LOGIC: return "logic";
    case WR_RULE_DISTINCT: return "distinct";
    case WR_RULE_SELECT:
    case WR_RULE_COALESCE: return "choice";
    case WR_RULE_MOVE:
    case WR_RULE_TRY: return "copy";
    case WR_RULE_CALL: return "call";
    }
    return "";
}

static void put_operand(struct wr_buf *out, const char *field, unsigned operand)
{
    static const char *const name[] = {"BOOL", "I64", "F64", "DEC", "STR", "any", "", "DECIMAL",
                                       "builtin", "first argument", "kind", "scale", "shift", "count"};
    WR_ASSERT(operand < WR_COUNT(name));
    if (operand != WR_OPERAND_NONE) wr_buf_printf(out, " %s %s", field, name[operand]);
}

/* A table cell: `|` would end it. */
static void put_cell(struct wr_buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '|') wr_buf_add_char(out, '\\');
        wr_buf_add_char(out, *p);
    }
}

static void put_op(struct wr_buf *out, enum wr_op op)
{
    const struct wr_op_info *info = wr_op_info(op);
    wr_buf_printf(out, "| %u | `%s` |", (unsigned)op, info->name);
    put_operand(out, "A", info->a);
    put_operand(out, "B", info->b);
    put_operand(out, "C", info->c);
    put_operand(out, "K", info->k);
    wr_buf_printf(out, " | `%s` | %s |\n", info->formula, rule_name(info));
}

static void put_ops(struct wr_buf *out)
{
#define OP_FAMILY(TITLE)                                                                                     \
    wr_buf_add_cstr(out,                                                                                     \
                    "\n### " TITLE                                                                           \
                    "\n\n| op | name | fields | formula | NULLs and errors |\n|---|---|---|---|---|\n");
#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE) put_op(out, WR_OP_##NAME);
#include "vm/opcodes.def"
#undef OP
}

static const char *class_name(enum wr_class cls)
{
    static const char *const name[WR_CLASS_COUNT] = {"BOOL", "I64", "F64", "DEC", "STR"};
    WR_ASSERT(cls < WR_CLASS_COUNT);
    return name[cls];
}

static void put_builtin(struct wr_buf *out, enum wr_builtin builtin)
{
    const struct wr_builtin_info *info = wr_builtin_info(builtin);
    unsigned least, most, hidden;
    wr_builtin_arity(builtin, &least, &most, &hidden);
    unsigned shown = WR_MIN(most, 4u) + hidden;
    wr_buf_printf(out, "| %u | `", (unsigned)builtin);
    put_cell(out, info->signature);
    wr_buf_add_cstr(out, "` |");
    for (unsigned i = 0; i < shown; i++) {
        if (most > 4 && i == 1 && hidden == 0) {
            wr_buf_add_cstr(out, " …");
            break;
        }
        bool optional = i >= least && i < most;
        wr_buf_printf(out, " %s%s%s", optional ? "[" : "", class_name(wr_builtin_argument_class(builtin, i, shown)),
                      optional ? "]" : "");
    }
    wr_buf_printf(out, " -> %s | ", class_name(wr_builtin_class(builtin)));
    put_cell(out, info->sentence);
    wr_buf_add_cstr(out, " |\n");
}

static void put_builtins(struct wr_buf *out)
{
    wr_buf_add_cstr(out, "\n## Functions for CALL\n\nArguments lie in consecutive registers. Overloads of "
                         "one name are functions of "
                         "their own;\nthe last arguments of ROUND, FLOOR and CEIL of a DECIMAL are scales "
                         "that the compiler adds.\n");
#define BUILTIN_FAMILY(TITLE)                                                                             \
    wr_buf_add_cstr(out, "\n### " TITLE "\n\n| builtin | call | classes | what it gives |\n|---|---|---|---|\n");
#define BUILTIN(ID, NAME, ARGUMENTS, RESULT, HIDDEN, SIGNATURE, SENTENCE, FUNCTION) put_builtin(out, WR_BUILTIN_##ID);
#include "vm/builtins.def"
#undef BUILTIN
}

void wr_bytecode_page(struct wr_buf *out)
{
    wr_buf_add_cstr(out, head);
    for (int r = WR_REASON_NONE + 1; r < WR_REASON_COUNT; r++)
        wr_buf_printf(out, "%s %s (%s)", r > WR_REASON_NONE + 1 ? "," : "", wr_reason_name((enum wr_reason)r),
                      wr_reason_code((enum wr_reason)r));
    wr_buf_printf(out, ".\n\n## Instructions\n\nNumbers are those of version %d of the program file.\n",
                  WR_PROGRAM_VERSION);
    put_ops(out);
    put_builtins(out);
}
