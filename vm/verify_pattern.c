/* The verifier of patterns: the automaton's lists are in range, conditions read what is kept for them, and the
 * forms are ones that this version runs. */
#include "vm/verify.h"

/* Reads of the past that two partial matches have to agree on. */
static bool is_history(const struct wr_input *input)
{
    return input->kind == WR_INPUT_LAST || input->kind == WR_INPUT_FIRST || input->kind == WR_INPUT_AGGREGATE ||
           (input->kind == WR_INPUT_SPECIAL && input->column == WR_SPECIAL_CLASSIFIER);
}

static bool is_kept(const struct wr_pattern_node *p, uint32_t column)
{
    for (uint32_t i = 0; i < p->keep_count; i++)
        if (p->keep[i] == column) return true;
    return false;
}

static struct wr_type special_type(unsigned special)
{
    WR_ASSERT(special < WR_SPECIAL_COUNT);
    switch (special) {
    case WR_SPECIAL_MATCH_ID:
    case WR_SPECIAL_MATCH_STATUS:
    case WR_SPECIAL_CLASSIFIER: return wr_type_of(WR_KIND_STRING);
    case WR_SPECIAL_MATCH_NUMBER: return wr_type_of(WR_KIND_BIGINT);
    default: return wr_type_of(WR_KIND_TIMESTAMP);
    }
}

static bool has_set(const struct wr_pattern_node *p, uint32_t set)
{
    return set < p->set_count || set == WR_SET_ALL;
}

/* An input of a condition, of the history or of the output: exists, and has the type that it says. */
static bool verify_input(struct wr_verifier *v, const struct wr_pattern_node *p, const struct wr_schema *schema,
                         const struct wr_input *input)
{
    struct wr_type type;
    switch ((enum wr_input_kind)input->kind) {
    case WR_INPUT_COLUMN:
    case WR_INPUT_LAST:
    case WR_INPUT_FIRST:
        if (input->column >= schema->count)
            return wr_verify_fail(v, "it reads column %u of %u", input->column, schema->count);
        if (input->kind != WR_INPUT_COLUMN && !has_set(p, input->set))
            return wr_verify_fail(v, "it reads rows of a set that there is not");
        if ((input->kind != WR_INPUT_COLUMN || input->step) && !is_kept(p, input->column))
            return wr_verify_fail(v, "it reads column %u of rows that do not keep it", input->column);
        type = schema->column[input->column].type;
        break;
    case WR_INPUT_AGGREGATE:
        if (input->column >= p->aggregate_count) return wr_verify_fail(v, "it reads an aggregate that there is not");
        type = p->aggregate[input->column].type;
        break;
    case WR_INPUT_KEY:
        if (input->column >= p->key_count) return wr_verify_fail(v, "it reads a key that there is not");
        type = schema->column[p->key[input->column]].type;
        break;
    case WR_INPUT_SPECIAL:
        if (input->column >= WR_SPECIAL_COUNT) return wr_verify_fail(v, "it reads what there is not");
        if (input->column == WR_SPECIAL_CLASSIFIER && !has_set(p, input->set))
            return wr_verify_fail(v, "it reads the classifier of a set that there is not");
        type = special_type(input->column);
        break;
    default: return wr_verify_fail(v, "it reads what there is not");
    }
    if (input->step && input->kind != WR_INPUT_COLUMN && input->kind != WR_INPUT_LAST &&
        input->kind != WR_INPUT_FIRST && !is_history(input))
        return wr_verify_fail(v, "it steps from what is no row");
    if (input->step < -(int)p->prev_max)
        return wr_verify_fail(v, "it reads further back than is kept");
    return wr_type_equal(type, input->type) || wr_verify_fail(v, "it reads something as another type");
}

static bool input_equal(const struct wr_input *a, const struct wr_input *b)
{
    if (a->kind != b->kind || a->column != b->column) return false;
    return a->kind == WR_INPUT_AGGREGATE || (a->set == b->set && a->offset == b->offset && a->step == b->step &&
                                             a->from_first == b->from_first);
}

static bool in_history(const struct wr_pattern_node *p, const struct wr_input *input)
{
    for (uint32_t i = 0; i < p->history_count; i++)
        if (input_equal(&p->history[i], input)) return true;
    return false;
}

static bool verify_condition(struct wr_verifier *v, const struct wr_pattern_node *p, const struct wr_schema *schema,
                             uint32_t number)
{
    WR_ASSERT(number != WR_NONE);
    if (number >= v->program->code_count) return wr_verify_fail(v, "there is no block %u", number);
    const struct wr_code *code = &v->program->code[number];
    if (code->result_count != 1 || code->register_class[code->result[0]] != WR_CLASS_BOOL)
        return wr_verify_fail(v, "a condition is no BOOLEAN");
    for (uint32_t i = 0; i < code->input_count; i++) {
        const struct wr_input *input = &code->input[i];
        if (!verify_input(v, p, schema, input)) return false;
        if (input->kind == WR_INPUT_SPECIAL && input->column != WR_SPECIAL_EVENT_TIME &&
            input->column != WR_SPECIAL_CLASSIFIER)
            return wr_verify_fail(v, "a condition reads what only a match has");
        if (input->step > (int)p->next_max)
            return wr_verify_fail(v, "a condition reads further ahead than is waited for");
        if (is_history(input) && !in_history(p, input))
            return wr_verify_fail(v, "a condition reads more of the past than is said");
        if (input->kind == WR_INPUT_AGGREGATE && !p->aggregate[input->column].running)
            return wr_verify_fail(v, "a condition reads an aggregate that is not running");
    }
    return true;
}

static bool verify_variables(struct wr_verifier *v, const struct wr_pattern_node *p, const struct wr_schema *schema)
{
    const struct wr_code *row = NULL;
    if (p->row_code != WR_NONE) {
        if (!wr_verify_batch_code(v, p->row_code, schema, schema->count)) return false;
        row = &v->program->code[p->row_code];
        for (uint32_t i = 0; i < row->result_count; i++)
            if (row->register_class[row->result[i]] != WR_CLASS_BOOL)
                return wr_verify_fail(v, "a condition is no BOOLEAN");
    }
    for (uint32_t i = 0; i < p->variable_count; i++) {
        const struct wr_pattern_variable *variable = &p->variable[i];
        if (!wr_verify_text(v, variable->name, "a variable's name")) return false;
        if (variable->text && !wr_verify_text(v, variable->text, "a variable's text")) return false;
        if (variable->row_condition != WR_NONE && (!row || variable->row_condition >= row->result_count))
            return wr_verify_fail(v, "variable %s has a condition that there is not", variable->name);
        if (variable->condition != WR_NONE && !verify_condition(v, p, schema, variable->condition)) return false;
    }
    return true;
}

static bool verify_sets(struct wr_verifier *v, const struct wr_pattern_node *p)
{
    uint32_t words = p->variable_count / 64 + (p->variable_count % 64 != 0);
    if (p->variable_count < 1 || p->variable_count > 4096 || p->set_count < p->variable_count ||
        p->set_count >= WR_SET_ALL || p->set_words != words)
        return wr_verify_fail(v, "a pattern has %u sets of %u variables", p->set_count, p->variable_count);
    WR_ASSERT(p->set);
    for (uint32_t s = 0; s < p->set_count; s++)
        for (uint32_t bit = 0; bit < words * 64; bit++) {
            bool in = p->set[(size_t)s * words + bit / 64] >> (bit % 64) & 1;
            if (s < p->variable_count ? in != (bit == s) : in && bit >= p->variable_count)
                return wr_verify_fail(v, "set %u of a pattern is amiss", s);
        }
    return true;
}

static bool in_range(uint32_t first, uint32_t count, uint32_t all)
{
    return first <= all && count <= all - first;
}

/* Entry f of the list of `count` entries from `first` on. */
static bool verify_follow(struct wr_verifier *v, const struct wr_pattern_node *p, const struct wr_follow *f,
                          uint32_t first, uint32_t count)
{
    bool begins = first == p->first && count == p->first_count, end = f->position == WR_ACCEPT;
    if (!end && f->position >= p->position_count) return wr_verify_fail(v, "a follow list leads to no position");
    if (f->connector > 1 || f->low_us < -1 || f->high_us < -1)
        return wr_verify_fail(v, "a follow list has a form that this version does not run");
    if (f->flags & ~(begins ? WR_FOLLOW_AT_START : end ? WR_FOLLOW_AT_END : 0))
        return wr_verify_fail(v, "an anchor stands where there is none");
    if (!in_range(f->kill, f->kill_count, p->kill_count) || !in_range(f->claim, f->claim_count, p->claim_count) ||
        !in_range(f->lead, f->lead_count, p->lead_count))
        return wr_verify_fail(v, "a follow list is out of bounds");
    if ((end && (f->kill_count || f->claim_count || f->lead_count)) || (!begins && f->lead_count) ||
        (begins && (f->kill_count || (!end && p->position[f->position].absence_us != WR_ABSENCE_NONE))))
        return wr_verify_fail(v, "a follow list says what it cannot mean");
    for (uint32_t i = 0; i < f->claim_count; i++) {
        uint32_t claim = p->claim[f->claim + i];
        if (claim < first || claim >= p->follow_count || &p->follow[claim] == f ||
            p->follow[claim].position >= p->position_count ||
            p->position[p->follow[claim].position].absence_us != WR_ABSENCE_NONE)
            return wr_verify_fail(v, "a follow list claims what it cannot");
        if (claim - first < count) continue; /* else it is in no list, and claims nothing itself */
        if (p->follow[claim].claim_count) return wr_verify_fail(v, "a follow list claims what it cannot");
        if (!verify_follow(v, p, &p->follow[claim], first, count)) return false;
    }
    return true;
}

static bool verify_list(struct wr_verifier *v, const struct wr_pattern_node *p, uint32_t first, uint32_t count)
{
    if (!in_range(first, count, p->follow_count)) return wr_verify_fail(v, "a follow list is out of bounds");
    for (uint32_t i = first; i < first + count; i++)
        if (!verify_follow(v, p, &p->follow[i], first, count)) return false;
    return true;
}

/* What entries refer to. */
static bool verify_killers(struct wr_verifier *v, const struct wr_pattern_node *p)
{
    for (uint32_t i = 0; i < p->kill_count; i++)
        if (p->kill[i].variable >= p->variable_count || p->kill[i].next_only > 1)
            return wr_verify_fail(v, "what stands under NOT is amiss");
    for (uint32_t i = 0; i < p->lead_count; i++)
        if (p->lead[i].variable >= p->variable_count || p->lead[i].for_us <= 0)
            return wr_verify_fail(v, "what stands under NOT is amiss");
    for (uint32_t i = 0; i < p->position_count; i++) {
        int64_t absence = p->position[i].absence_us;
        if (absence != WR_ABSENCE_NONE && absence <= 0 && (absence != WR_ABSENCE_WITHIN || p->within_us < 0))
            return wr_verify_fail(v, "what stands under NOT has no time");
        if (p->position[i].excluded > 1) return wr_verify_fail(v, "a position is amiss");
    }
    return true;
}

static bool verify_automaton(struct wr_verifier *v, const struct wr_pattern_node *p)
{
    WR_ASSERT(p->position_count == 0 || p->position);
    if (p->position_count >= WR_ACCEPT) return wr_verify_fail(v, "a pattern has too many positions");
    if (!verify_killers(v, p) || !verify_list(v, p, p->first, p->first_count)) return false;
    for (uint32_t i = 0; i < p->position_count; i++) {
        const struct wr_pattern_position *position = &p->position[i];
        if (position->variable >= p->variable_count) return wr_verify_fail(v, "position %u has no variable", i);
        if (position->reads != WR_NONE && position->reads >= p->reads_count)
            return wr_verify_fail(v, "position %u reads what there is not", i);
        if (!verify_list(v, p, position->follow, position->follow_count)) return false;
    }
    if (p->reads_count && p->reads_words != (p->history_count + 63) / 64)
        return wr_verify_fail(v, "what positions read is amiss");
    for (uint32_t r = 0; p->history_count % 64 && r < p->reads_count; r++)
        if (p->reads[(size_t)(r + 1) * p->reads_words - 1] >> (p->history_count % 64))
            return wr_verify_fail(v, "what positions read is amiss");
    return true;
}

static bool verify_output(struct wr_verifier *v, const struct wr_pattern_node *p, const struct wr_schema *input,
                          const struct wr_schema *schema)
{
    if (p->output_count != schema->count)
        return wr_verify_fail(v, "a pattern has %u results for %u columns", p->output_count, schema->count);
    for (uint32_t i = 0; i < p->output_count; i++) {
        const struct wr_input *output = &p->output[i];
        if (!verify_input(v, p, input, output)) return false;
        bool current = output->kind == WR_INPUT_COLUMN ||
                       (output->kind == WR_INPUT_SPECIAL && output->column == WR_SPECIAL_EVENT_TIME);
        bool window = output->kind == WR_INPUT_SPECIAL &&
                      (output->column == WR_SPECIAL_WINDOW_START || output->column == WR_SPECIAL_WINDOW_END ||
                       output->column == WR_SPECIAL_WINDOW_TIME);
        if (output->kind == WR_INPUT_COLUMN && !is_kept(p, output->column))
            return wr_verify_fail(v, "result %u of a pattern is of rows that do not keep it", i);
        if (output->step > (int)p->out_next_max)
            return wr_verify_fail(v, "result %u of a pattern reads further ahead than is waited for", i);
        if (window || (current && p->all_rows == WR_OUTPUT_ONE_ROW))
            return wr_verify_fail(v, "result %u of a pattern is none that a match has", i);
        if (output->kind == WR_INPUT_SPECIAL && output->column == WR_SPECIAL_MATCH_ID && !p->needs_ids)
            return wr_verify_fail(v, "a pattern gives ids that it does not keep");
        if (!wr_type_equal(output->type, schema->column[i].type))
            return wr_verify_fail(v, "column %u of a pattern has another type", i);
    }
    return true;
}

bool wr_verify_pattern(struct wr_verifier *v, const struct wr_node *node, const struct wr_schema *input)
{
    const struct wr_pattern_node *p = &node->u.pattern;
    WR_ASSERT(node->kind == WR_NODE_PATTERN && input);
    if (p->all_matches || p->after_match >= WR_AFTER_NONE || p->all_rows > WR_OUTPUT_UNMATCHED || p->timeouts > 2 ||
        p->limit_policy > WR_STARTS_FAIL)
        return wr_verify_fail(v, "a pattern has a form that this version does not run");
    bool to = p->after_match == WR_AFTER_TO_FIRST || p->after_match == WR_AFTER_TO_LAST;
    if (to && p->after_set >= p->set_count) return wr_verify_fail(v, "a pattern goes on at a set that there is not");
    if (p->timeouts && p->within_us < 0) return wr_verify_fail(v, "a pattern's starts have no time to run out of");
    if (p->within_us < -1 || p->suppress_us < 0) return wr_verify_fail(v, "a pattern's time is negative");
    if (!wr_verify_text(v, p->text, "a pattern's text")) return false;
    if (!wr_verify_columns(v, p->key, p->key_count, input, "key")) return false;
    if (!wr_verify_columns(v, p->keep, p->keep_count, input, "kept column")) return false;
    if (!verify_sets(v, p) || !wr_verify_aggregates(v, p->aggregate, p->aggregate_count, input, p->set_count))
        return false;
    for (uint32_t i = 0; i < p->aggregate_count; i++) {
        const uint32_t column[] = {p->aggregate[i].column, p->aggregate[i].column2, p->aggregate[i].filter};
        for (size_t c = 0; c < WR_COUNT(column); c++)
            if (column[c] != WR_NONE && column[c] != WR_COLUMN_CLASSIFIER && !is_kept(p, column[c]))
                return wr_verify_fail(v, "an aggregate reads what is not kept");
    }
    for (uint32_t i = 0; i < p->history_count; i++) {
        const struct wr_input *h = &p->history[i];
        if (!is_history(h)) return wr_verify_fail(v, "a pattern's history is amiss");
        if (!verify_input(v, p, input, h)) return false;
    }
    return verify_variables(v, p, input) && verify_automaton(v, p) && verify_output(v, p, input, &node->schema);
}
