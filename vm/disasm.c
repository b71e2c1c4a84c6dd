/* One block as text: inputs and constants by name, an instruction a line with its formula in real names. */
#include "vm/builtin.h"
#include "vm/opcode.h"
#include "vm/program.h"
#include "vm/text.h"

struct listing {
    const struct wr_program *program;
    const struct wr_code *code;
    const struct wr_schema *schema;        /* that COLUMN inputs number; NULL: nobody uses the block */
    const struct wr_pattern_node *pattern; /* that LAST, FIRST, AGGREGATE and KEY belong to, or NULL */
    struct wr_buf *out;
};

/* ---- Whose block it is ---------------------------------------------------------------------------- */

static bool pattern_uses(const struct wr_pattern_node *p, uint32_t number)
{
    if (p->row_code == number) return true;
    for (uint32_t v = 0; v < p->variable_count; v++)
        if (p->variable[v].condition == number) return true;
    return false;
}

static void find_user(struct listing *l)
{
    const struct wr_program *program = l->program;
    uint32_t number = 0;
    while (number < program->code_count && &program->code[number] != l->code) number++;
    if (number == program->code_count) return;
    for (uint32_t i = 0; i < program->node_count && !l->schema; i++) {
        const struct wr_node *node = &program->node[i];
        bool own = node->kind == WR_NODE_SOURCE &&
                   (node->u.source.computed == number || node->u.source.watermark == number);
        bool select = node->kind == WR_NODE_SELECT &&
                      (node->u.select.where == number || node->u.select.project == number);
        bool pattern = node->kind == WR_NODE_PATTERN && pattern_uses(&node->u.pattern, number);
        if (own) l->schema = &node->schema;
        if (select || pattern) l->schema = &program->node[node->input[0]].schema;
        if (pattern) l->pattern = &node->u.pattern;
    }
}

/* ---- Names ---------------------------------------------------------------------------------------- */

static void put_column(const struct listing *l, uint32_t column)
{
    if (l->schema && column < l->schema->count) wr_buf_add_cstr(l->out, l->schema->column[column].name);
    else wr_buf_printf(l->out, "column%u", column);
}

static void put_set(const struct listing *l, uint32_t set)
{
    if (set == WR_SET_ALL) return;
    if (l->pattern && set < l->pattern->variable_count) wr_buf_printf(l->out, "%s.", l->pattern->variable[set].name);
    else wr_buf_printf(l->out, "set%u.", set);
}

static void put_aggregate(const struct listing *l, uint32_t number)
{
    if (!l->pattern || number >= l->pattern->aggregate_count) {
        wr_buf_printf(l->out, "aggregate%u", number);
        return;
    }
    const struct wr_aggregate *a = &l->pattern->aggregate[number];
    wr_buf_printf(l->out, "%s(", wr_aggregate_name(a->fn));
    put_set(l, a->set);
    if (a->column == WR_NONE) wr_buf_add_char(l->out, '*');
    else put_column(l, a->column);
    wr_buf_add_char(l->out, ')');
}

static void put_special(const struct listing *l, uint32_t special)
{
    static const char *const name[WR_SPECIAL_COUNT] = {"event_time", "window_start", "window_end", "window_time",
                                                       "MATCH_ID()", "MATCH_NUMBER()", "MATCH_ROWTIME()",
                                                       "MATCH_STATUS()", "CLASSIFIER()"};
    wr_buf_add_cstr(l->out, special < WR_SPECIAL_COUNT ? name[special] : "?");
}

static void put_input(const struct listing *l, const struct wr_input *input)
{
    switch ((enum wr_input_kind)input->kind) {
    case WR_INPUT_COLUMN: put_column(l, input->column); break;
    case WR_INPUT_LAST:
    case WR_INPUT_FIRST:
        wr_buf_add_cstr(l->out, input->kind == WR_INPUT_LAST ? "LAST(" : "FIRST(");
        put_set(l, input->set);
        put_column(l, input->column);
        if (input->offset) wr_buf_printf(l->out, ", %u", input->offset);
        wr_buf_add_char(l->out, ')');
        break;
    case WR_INPUT_AGGREGATE: put_aggregate(l, input->column); break;
    case WR_INPUT_KEY:
        if (l->pattern && input->column < l->pattern->key_count) put_column(l, l->pattern->key[input->column]);
        else wr_buf_printf(l->out, "key%u", input->column);
        break;
    case WR_INPUT_SPECIAL: put_special(l, input->column); break;
    }
}

static void put_constant(const struct listing *l, const struct wr_constant *constant)
{
    bool quoted = constant->value.flag == WR_FLAG_VALUE && constant->type.kind > WR_KIND_DECIMAL;
    if (constant->parameter != WR_NONE) {
        wr_buf_printf(l->out, ":%s", l->program->parameter[constant->parameter].name);
        return;
    }
    if (!quoted) {
        wr_value_print(constant->type, &constant->value, l->out);
        return;
    }
    struct wr_buf text = {0};
    wr_value_print(constant->type, &constant->value, &text);
    wr_buf_add_char(l->out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\'') wr_buf_add_char(l->out, c);
        if ((unsigned char)c < 0x20 || c == 0x7f) wr_buf_printf(l->out, "\\x%02x", (unsigned)(unsigned char)c);
        else wr_buf_add_char(l->out, c);
    }
    wr_buf_add_char(l->out, '\'');
    wr_buf_release(&text);
}

static void put_register(const struct listing *l, uint32_t reg)
{
    const struct wr_code *code = l->code;
    WR_ASSERT(reg < code->register_count);
    if (reg < code->input_count) put_input(l, &code->input[reg]);
    else if (reg < code->input_count + code->constant_count)
        put_constant(l, &l->program->constant[code->constant[reg - code->input_count]]);
    else wr_buf_printf(l->out, "r%u", reg);
}

/* ---- Instructions --------------------------------------------------------------------------------- */

static void put_kind(const struct listing *l, int kind)
{
    struct wr_type type = kind == WR_KIND_DECIMAL ? wr_type_decimal(38, 0) : wr_type_of((enum wr_kind)kind);
    wr_type_print(type, l->out);
}

static void put_field(const struct listing *l, char field, const struct wr_op_info *info, uint32_t word0,
                      uint32_t word1)
{
    unsigned operand = field == 'A' ? info->a : field == 'B' ? info->b : field == 'C' ? info->c : info->k;
    uint32_t number = field == 'A' ? wr_word_a(word0) : field == 'B' ? wr_word_b(word1) : wr_word_c(word1);
    switch ((enum wr_operand)operand) {
    case WR_OPERAND_DECTYPE: wr_buf_printf(l->out, "%u,%u", number & 0xff, number >> 8); break;
    case WR_OPERAND_KIND: put_kind(l, wr_word_k(word0)); break;
    case WR_OPERAND_SCALE:
    case WR_OPERAND_COUNT: wr_buf_printf(l->out, "%d", wr_word_k(word0)); break;
    case WR_OPERAND_SHIFT: wr_buf_printf(l->out, "%d", wr_word_shift(word0)); break;
    default: put_register(l, number); break;
    }
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The formula with its letters A, B, C, K replaced; a shift by 10^0 is left out. */
static void put_formula(const struct listing *l, const struct wr_op_info *info, uint32_t word0, uint32_t word1)
{
    static const char shift[] = " * 10^K";
    bool no_shift = info->k == WR_OPERAND_SHIFT && wr_word_shift(word0) == 0;
    for (const char *p = info->formula; *p; p++) {
        if (no_shift && strncmp(p, shift, sizeof shift - 1) == 0) {
            p += sizeof shift - 2;
            continue;
        }
        bool alone = (p == info->formula || !is_word_char(p[-1])) && !is_word_char(p[1]);
        if (alone && (*p == 'A' || *p == 'B' || *p == 'C' || *p == 'K')) put_field(l, *p, info, word0, word1);
        else wr_buf_add_char(l->out, *p);
    }
}

static void put_call(const struct listing *l, uint32_t word0, uint32_t word1)
{
    const struct wr_builtin_info *info = wr_builtin_info((enum wr_builtin)wr_word_b(word1));
    wr_buf_printf(l->out, "r%u = %s(", wr_word_a(word0), info->name);
    for (int i = 0; i < wr_word_k(word0); i++) {
        if (i) wr_buf_add_cstr(l->out, ", ");
        put_register(l, wr_word_c(word1) + (uint32_t)i);
    }
    wr_buf_add_char(l->out, ')');
}

static void put_fields(const struct listing *l, const struct wr_op_info *info, uint32_t word0, uint32_t word1)
{
    size_t start = l->out->size;
    wr_buf_printf(l->out, "r%u", wr_word_a(word0));
    if (info->b == WR_OPERAND_BUILTIN) wr_buf_printf(l->out, " %u", wr_word_b(word1));
    else if (info->b != WR_OPERAND_NONE) wr_buf_printf(l->out, " r%u", wr_word_b(word1));
    if (info->c <= WR_OPERAND_ANY || info->c == WR_OPERAND_ARGS) wr_buf_printf(l->out, " r%u", wr_word_c(word1));
    else if (info->c != WR_OPERAND_NONE) wr_buf_printf(l->out, " %u", wr_word_c(word1));
    if (info->k == WR_OPERAND_SHIFT) wr_buf_printf(l->out, " %d", wr_word_shift(word0));
    else if (info->k != WR_OPERAND_NONE) wr_buf_printf(l->out, " %d", wr_word_k(word0));
    while (l->out->size - start < 20) wr_buf_add_char(l->out, ' ');
    wr_buf_add_cstr(l->out, "  ");
}

static void put_instruction(const struct listing *l, uint32_t i)
{
    WR_ASSERT(2 * i + 1 < l->code->word_count);
    uint32_t word0 = l->code->word[2 * i], word1 = l->code->word[2 * i + 1];
    enum wr_op op = wr_word_op(word0);
    const struct wr_op_info *info = wr_op_info(op);
    wr_buf_printf(l->out, "%5u  %-18s ", i, info->name);
    put_fields(l, info, word0, word1);
    if (op == WR_OP_CALL) put_call(l, word0, word1);
    else put_formula(l, info, word0, word1);
    wr_buf_add_char(l->out, '\n');
}

/* The source line that holds the byte, as a comment, if it is another one than the last. */
static void put_source_line(const struct listing *l, uint32_t place, size_t *last)
{
    struct wr_slice text = l->program->source_text;
    size_t start = 0, line = 1;
    WR_ASSERT(last);
    if (place >= text.size) return;
    for (size_t i = 0; i < place; i++)
        if (text.data[i] == '\n') start = i + 1, line++;
    if (line == *last) return;
    *last = line;
    const char *newline = memchr(text.data + start, '\n', text.size - start);
    size_t end = newline ? (size_t)(newline - text.data) : text.size;
    if (end > start && text.data[end - 1] == '\r') end--;
    while (start < end && text.data[start] == ' ') start++;
    wr_buf_printf(l->out, "  -- %zu: %.*s\n", line, (int)(end - start), text.data + start);
}

void wr_code_print(const struct wr_program *program, const struct wr_code *code, bool with_source, struct wr_buf *out)
{
    struct listing l = {.program = program, .code = code, .out = out};
    size_t line = 0;
    find_user(&l);
    for (uint32_t r = 0; r < code->input_count; r++) {
        wr_buf_printf(out, "  input    r%-5u ", r);
        wr_type_print(code->input[r].type, out);
        wr_buf_add_char(out, ' ');
        put_input(&l, &code->input[r]);
        wr_buf_add_char(out, '\n');
    }
    for (uint32_t i = 0; i < code->constant_count; i++) {
        const struct wr_constant *constant = &program->constant[code->constant[i]];
        wr_buf_printf(out, "  constant r%-5u ", code->input_count + i);
        wr_type_print(constant->type, out);
        wr_buf_add_char(out, ' ');
        put_constant(&l, constant);
        wr_buf_add_char(out, '\n');
    }
    for (uint32_t i = 0; i < code->word_count / 2; i++) {
        if (with_source && code->place) put_source_line(&l, code->place[i], &line);
        put_instruction(&l, i);
    }
    for (uint32_t i = 0; i < code->result_count; i++) {
        wr_buf_printf(out, "  result   %-6u ", i);
        put_register(&l, code->result[i]);
        wr_buf_add_char(out, '\n');
    }
}
