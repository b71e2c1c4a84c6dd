/* Texts of a pattern's trace: rows as JSON, what a condition read, what a candidate waits for. */
#include "runtime/match_general.h"
#include "runtime/pattern_trace.h"
#include "vm/text.h"

#include <ctype.h>

/* The row being handled: one of the batch, or (WR_NONE) a kept one that has waited. */
uint64_t wr_trace_sequence(const struct wr_pattern *p, uint32_t row)
{
    return row == WR_NONE ? ((const struct wr_general *)p->state)->sequence : p->sequence + row + 1;
}

struct wr_place wr_trace_place(const struct wr_pattern *p, uint32_t row)
{
    const struct wr_general *g = p->state;
    WR_ASSERT(row == WR_NONE ? g->current != 0 : row < p->batch->rows);
    return row == WR_NONE ? wr_kept_at(g, g->current)->id.place : wr_batch_place(p->batch, row);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Is it a column of a stream, and none that the compiler made of an expression or for telling streams apart? */
static bool is_own_column(const char *name)
{
    for (; is_name_char(*name); name++) continue;
    return !*name;
}

char *wr_trace_row(struct wr_pattern *p, uint32_t row)
{
    struct wr_pattern_trace *trace = p->trace;
    struct wr_buf *buf = &trace->buf;
    wr_buf_clear(buf);
    if (!trace->encoder || row == WR_NONE) return wr_strdup("");
    wr_vec_clear(&trace->column);
    for (uint32_t c = 0; c < p->input->count; c++)
        if (is_own_column(p->input->column[c].name)) wr_vec_push(&trace->column, p->batch->column[c]);
    struct wr_batch own = *p->batch;
    own.column = trace->column.at;
    own.columns = (uint32_t)trace->column.count;
    trace->encoder->cls->row(trace->encoder, &own, row, NULL, buf);
    while (buf->size && buf->data[buf->size - 1] == '\n') buf->size--;
    return wr_strdup(wr_buf_cstr(buf));
}

void wr_trace_columns(const struct wr_schema *input, struct wr_schema *own)
{
    struct wr_schema_column *column = wr_alloc((input->count + 1) * sizeof *column);
    *own = (struct wr_schema){.column = column};
    for (uint32_t c = 0; c < input->count; c++)
        if (is_own_column(input->column[c].name)) column[own->count++] = input->column[c];
}

static void put_value(struct wr_buf *out, struct wr_type type, const struct wr_value *value)
{
    bool text = type.kind == WR_KIND_STRING && value->flag == WR_FLAG_VALUE;
    if (value->flag == WR_FLAG_ERROR) {
        wr_buf_printf(out, "an error (%s)", wr_reason_name((enum wr_reason)value->reason));
        return;
    }
    if (text) wr_buf_add_char(out, '\'');
    wr_value_print(type, value, out);
    if (text) wr_buf_add_char(out, '\'');
}

/* Does the condition name the column as one of the row itself: bare, or of its own variable? */
static bool names_column(const char *text, const char *column, const char *variable)
{
    size_t size = strlen(column), own = strlen(variable);
    for (const char *at = text; (at = strstr(at, column)); at += size) {
        if (is_name_char(at[size]) || at[size] == '(' || (at > text && is_name_char(at[-1])))
            continue;
        if (at == text || at[-1] != '.') return true;
        const char *dot = at - 1;
        if ((size_t)(dot - text) >= own && memcmp(dot - own, variable, own) == 0 &&
            ((size_t)(dot - text) == own || !is_name_char(dot[-own - 1])))
            return true;
    }
    return false;
}

/* Its column as the condition names it: "small.amount"; of a SUBSET "(a, b).amount". An expression stands for itself. */
static void put_column(const struct wr_pattern *p, uint32_t set, uint32_t column, struct wr_buf *out)
{
    const char *name = column == WR_NONE ? "*" : p->input->column[column].name;
    if (column == WR_NONE || is_own_column(name)) {
        const char *between = "(";
        if (set < p->spec->variable_count) wr_buf_printf(out, "%s.", p->spec->variable[set].name);
        for (uint32_t v = 0; set >= p->spec->variable_count && set != WR_SET_ALL && v < p->spec->variable_count; v++) {
            if (!wr_pattern_set_has(p->spec, set, v)) continue;
            wr_buf_printf(out, "%s%s", between, p->spec->variable[v].name);
            between = ", ";
        }
        if (*between == ',') wr_buf_add_cstr(out, ").");
    }
    wr_buf_add_cstr(out, name);
}

static void put_history_name(const struct wr_pattern *p, const struct wr_input *input,
                             struct wr_buf *out)
{
    bool aggregate = input->kind == WR_INPUT_AGGREGATE;
    const struct wr_aggregate *a = aggregate ? &p->spec->aggregate[input->column] : NULL;
    const char *step = input->step < 0 ? "PREV(" : input->step > 0 ? "NEXT(" : "";
    uint32_t set = input->kind == WR_INPUT_COLUMN ? WR_SET_ALL : aggregate ? a->set : input->set;
    bool first = input->kind == WR_INPUT_FIRST, call = first || (input->kind == WR_INPUT_LAST && input->offset);
    wr_buf_add_cstr(out, step);
    if (aggregate && a->fn == WR_AGG_COUNT_DISTINCT) wr_buf_add_cstr(out, "COUNT(DISTINCT ");
    else if (aggregate) wr_buf_printf(out, "%s(", wr_aggregate_name(a->fn));
    else if (call) wr_buf_add_cstr(out, first ? "FIRST(" : "LAST(");
    put_column(p, set, aggregate ? a->column : input->column, out);
    if (call && input->offset) wr_buf_printf(out, ", %u", input->offset);
    if (call || aggregate) wr_buf_add_char(out, ')');
    if (input->step < -1 || input->step > 1) wr_buf_printf(out, ", %d", input->step < 0 ? -input->step : input->step);
    if (input->step) wr_buf_add_char(out, ')');
}

/* What the variable's condition read: the row's columns that it names, and the history it was
 * given. */
char *wr_trace_values(struct wr_pattern *p, uint16_t variable, uint32_t row)
{
    struct wr_buf *out = &p->trace->buf;
    const struct wr_pattern_variable *v = &p->spec->variable[variable];
    const char *between = "";
    wr_buf_clear(out);
    for (uint32_t c = 0; c < p->input->count; c++) {
        const char *name = p->input->column[c].name;
        if (!is_own_column(name) || !names_column(v->text, name, v->name)) continue;
        if (row == WR_NONE && p->keep.slot[c] == WR_LAYOUT_NONE) continue;
        struct wr_value value = wr_current_value(p, p->state, row, c);
        wr_buf_printf(out, "%s%s = ", between, name);
        put_value(out, p->input->column[c].type, &value);
        between = ", ";
    }
    const struct wr_condition *condition = &p->plan.condition[variable];
    bool asked = condition->frame && condition->filled == wr_trace_sequence(p, row) &&
                 wr_row_bit(p, p->state, variable, row);
    for (uint32_t i = 0; asked && i < condition->frame->code->input_count; i++) {
        const struct wr_input *input = &condition->frame->code->input[i];
        bool step = input->kind == WR_INPUT_COLUMN && input->step;
        if (input->kind != WR_INPUT_LAST && input->kind != WR_INPUT_FIRST && input->kind != WR_INPUT_AGGREGATE && !step)
            continue;
        wr_buf_add_cstr(out, between);
        put_history_name(p, input, out);
        wr_buf_add_cstr(out, " = ");
        put_value(out, input->type, &condition->frame->value[i]);
        between = ", ";
    }
    return wr_strdup(wr_buf_cstr(out));
}

/* A length of time as the language writes it: 1h30m. */
static void put_interval(struct wr_buf *out, int64_t us)
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{86400000000, "d"}, {3600000000, "h"}, {60000000, "m"}, {1000000, "s"}, {1000, "ms"}, {1, "us"}};
    WR_ASSERT(us > 0);
    for (size_t i = 0; i < WR_COUNT(units); i++) {
        if (us / units[i].us) wr_buf_printf(out, "%lld%s", (long long)(us / units[i].us), units[i].unit);
        us %= units[i].us;
    }
}

void wr_trace_waits_for(const struct wr_pattern *p, uint16_t position, struct wr_buf *out)
{
    const struct wr_step *step = &p->plan.step[position];
    wr_buf_clear(out);
    for (uint32_t e = 0; e < step->entries; e++) {
        const char *between = out->size ? " or " : "";
        if (step->follow[e].position == WR_ACCEPT) {
            wr_buf_printf(out, "%sthe end of the rows", between);
            continue;
        }
        const struct wr_pattern_position *to = &p->spec->position[step->follow[e].position];
        bool said = false;
        for (uint32_t k = 0; k < e && !said; k++)
            said = step->follow[k].position != WR_ACCEPT &&
                   p->spec->position[step->follow[k].position].variable == to->variable;
        if (said) continue;
        const char *name = p->spec->variable[to->variable].name;
        if (to->absence_us == WR_ABSENCE_NONE) {
            wr_buf_printf(out, "%s`%s`", between, name);
        } else {
            wr_buf_printf(out, "%sno `%s` ", between, name);
            if (to->absence_us == WR_ABSENCE_WITHIN) wr_buf_add_cstr(out, "until its time is up");
            else {
                wr_buf_add_cstr(out, "for ");
                put_interval(out, to->absence_us);
            }
        }
    }
}

void wr_trace_skip(const struct wr_pattern *p, struct wr_buf *out)
{
    const char *set = p->spec->after_set < p->spec->variable_count ? p->spec->variable[p->spec->after_set].name : "…";
    wr_buf_clear(out);
    switch ((enum wr_after_match)p->spec->after_match) {
    case WR_AFTER_PAST_LAST: wr_buf_add_cstr(out, "SKIP PAST LAST ROW"); break;
    case WR_AFTER_TO_FIRST: wr_buf_printf(out, "SKIP TO FIRST %s", set); break;
    case WR_AFTER_TO_LAST: wr_buf_printf(out, "SKIP TO LAST %s", set); break;
    case WR_AFTER_NEXT_ROW:
    case WR_AFTER_NONE: break;
    }
}
