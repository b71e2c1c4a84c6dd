/* What a pattern's node implies, worked out once: the entries of each position as masks, which earlier rows the
 * conditions read and how links remember them, which rows can begin a match. */
#include "runtime/pattern.h"
#include "vm/pattern_kept.h"

static bool is_absence(const struct wr_pattern_node *spec, const struct wr_follow *entry)
{
    return entry->position != WR_ACCEPT && spec->position[entry->position].absence_us != WR_ABSENCE_NONE;
}

/* What an entry asks for beyond a connector and a position. A match begins with its start's row, whatever stands in
 * front of the first element. */
static void plan_entry(const struct wr_pattern_node *spec, struct wr_step *step, const struct wr_follow *entry)
{
    bool bound = !step->beginning && (entry->low_us >= 0 || entry->high_us >= 0), absence = is_absence(spec, entry);
    step->any_strict |= entry->connector == 0 && !absence;
    step->special |= bound || absence || entry->position == WR_ACCEPT || entry->flags || entry->kill_count ||
                     entry->claim_count || entry->lead_count;
    step->timed |= bound || absence;
    step->moments |= (bound && entry->high_us >= 0) || absence;
    for (uint32_t k = 0; k < entry->kill_count; k++) step->needs_aged |= spec->kill[entry->kill + k].next_only != 0;
    for (uint32_t c = 0; c < entry->claim_count; c++) {
        const struct wr_follow *claim = &spec->follow[spec->claim[entry->claim + c]];
        step->needs_aged |= claim->connector == 0;
        step->timed |= !step->beginning && (claim->low_us >= 0 || claim->high_us >= 0);
        for (uint32_t k = 0; k < claim->kill_count; k++) step->needs_aged |= spec->kill[claim->kill + k].next_only != 0;
    }
    if (step->beginning) step->needs_aged = false;
}

static bool is_strict(const struct wr_pattern_node *spec, const struct wr_step *step, const struct wr_follow *entry)
{
    if (step->beginning || entry->position == WR_ACCEPT) return true;
    return entry->connector == 0 && !is_absence(spec, entry);
}

static void plan_steps(struct wr_plan *plan, const struct wr_pattern_node *spec)
{
    uint32_t steps = spec->position_count + 1, most = 1;
    plan->step = wr_alloc_zero(steps * sizeof *plan->step);
    for (uint32_t s = 0; s < steps; s++) {
        struct wr_step *step = &plan->step[s];
        bool beginning = s == spec->position_count;
        const struct wr_pattern_position *position = beginning ? NULL : &spec->position[s];
        uint32_t count = beginning ? spec->first_count : position->follow_count;
        step->variable = beginning ? 0 : position->variable;
        step->follow = &spec->follow[beginning ? spec->first : position->follow];
        step->reads = beginning || position->reads == WR_NONE
                          ? NULL
                          : &spec->reads[(size_t)position->reads * spec->reads_words];
        step->beginning = beginning;
        while (step->entries < count &&
               (step->follow[step->entries].position != WR_ACCEPT || step->follow[step->entries].flags)) {
            const struct wr_follow *entry = &step->follow[step->entries++];
            WR_ASSERT(entry->position < spec->position_count || entry->position == WR_ACCEPT);
            WR_ASSERT(entry->connector <= 1);
            plan_entry(spec, step, entry);
            plan->at_start |= entry->flags == WR_FOLLOW_AT_START;
            plan->at_end |= (entry->flags & WR_FOLLOW_AT_END) != 0;
            for (uint32_t c = 0; c < entry->claim_count; c++)
                plan->at_start |= spec->follow[spec->claim[entry->claim + c]].flags == WR_FOLLOW_AT_START;
            plan->empty_match |= beginning && entry->position == WR_ACCEPT;
        }
        step->accepts = step->entries < count;
        most = WR_MAX(most, step->entries);
        if (!beginning) plan->strict |= step->any_strict || step->needs_aged;
        plan->moments |= step->moments;
    }
    plan->empty_match |= plan->step[steps - 1].accepts;
    plan->alive_words = (most + 63) / 64;
    plan->masks = wr_alloc_zero((size_t)steps * 2 * plan->alive_words * sizeof *plan->masks);
    for (uint32_t s = 0; s < steps; s++) {
        struct wr_step *step = &plan->step[s];
        step->full = plan->masks + (size_t)s * 2 * plan->alive_words;
        step->strict = step->full + plan->alive_words;
        for (uint32_t e = 0; e < step->entries; e++) {
            wr_bit_set(step->full, e);
            if (is_strict(spec, step, &step->follow[e])) wr_bit_set(step->strict, e);
        }
    }
}

/* Behind which absences a match may end with no further row: at once, or behind further ones. */
static void plan_ends(struct wr_plan *plan, const struct wr_pattern_node *spec)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t s = 0; s < spec->position_count; s++) {
            struct wr_step *step = &plan->step[s];
            if (step->ends_by_time || spec->position[s].absence_us == WR_ABSENCE_NONE) continue;
            bool ends = step->accepts;
            for (uint32_t e = 0; e < step->entries; e++)
                ends |= step->follow[e].position == WR_ACCEPT || plan->step[step->follow[e].position].ends_by_time;
            step->ends_by_time = ends;
            changed |= ends;
        }
    }
}

static uint32_t track_of(struct wr_plan *plan, const struct wr_input *input)
{
    bool first = input->kind == WR_INPUT_FIRST;
    uint32_t t = 0;
    while (t < plan->track_count && (plan->track[t].set != input->set || plan->track[t].first != first)) t++;
    if (t == plan->track_count) plan->track[plan->track_count++] = (struct wr_track){.set = input->set, .first = first};
    plan->track[t].count = WR_MAX(plan->track[t].count, input->offset + 1u);
    return t;
}

static void plan_history(struct wr_plan *plan, const struct wr_pattern_node *spec)
{
    plan->track = wr_alloc_zero((spec->history_count + 1) * sizeof *plan->track);
    plan->history_track = wr_alloc((spec->history_count + 1) * sizeof *plan->history_track);
    for (uint32_t h = 0; h < spec->history_count; h++) {
        const struct wr_input *input = &spec->history[h];
        bool rows = input->kind == WR_INPUT_LAST || input->kind == WR_INPUT_FIRST;
        plan->history_track[h] = rows ? track_of(plan, input) : WR_NONE;
    }
    for (uint32_t t = 0; t < plan->track_count; t++) {
        struct wr_track *track = &plan->track[t];
        track->cached = track->count <= WR_TRACK_MAX;
        track->slot = plan->slot_count;
        if (track->cached) plan->slot_count += track->count;
    }
    plan->time_slot = WR_NONE;
    for (uint32_t i = 0; i < spec->follow_count; i++) { /* absences in front of everything no entry leads to */
        if (!is_absence(spec, &spec->follow[i])) continue;
        plan->time_slot = plan->slot_count;
        plan->slot_count += sizeof(int64_t) / sizeof(uint32_t);
        break;
    }
    plan->accumulator = wr_alloc((spec->aggregate_count + 1) * sizeof *plan->accumulator);
    for (uint32_t a = 0; a < spec->aggregate_count; a++) {
        const struct wr_aggregate *aggregate = &spec->aggregate[a];
        plan->accumulator[a] = WR_NONE;
        if (!aggregate->running) continue;
        plan->accumulator[a] = plan->accumulator_size;
        plan->accumulator_size += (uint32_t)wr_aggregate_size(aggregate);
        bool plain = aggregate->fn <= WR_AGG_AVG || aggregate->fn == WR_AGG_VAR_SAMP ||
                     aggregate->fn == WR_AGG_STDDEV_SAMP;
        plan->accumulators_owning |= !plain;
    }
}

static void plan_condition(struct wr_plan *plan, const struct wr_task *task, const struct wr_pattern_node *spec,
                           uint32_t variable)
{
    const struct wr_program *program = wr_task_program(task);
    struct wr_condition *condition = &plan->condition[variable];
    uint32_t number = spec->variable[variable].condition;
    if (number == WR_NONE) return;
    WR_ASSERT(number < program->code_count);
    const struct wr_code *code = &program->code[number];
    condition->frame = wr_task_row_frame(task, number);
    condition->input = wr_alloc_zero((code->input_count + 1) * sizeof *condition->input);
    for (uint32_t i = 0; i < code->input_count; i++) {
        const struct wr_input *input = &code->input[i];
        struct wr_source_of *from = &condition->input[i];
        *from = (struct wr_source_of){.kind = input->kind, .column = input->column, .offset = input->offset,
                                      .set = input->set, .step = input->step, .from_first = input->from_first};
        uint32_t set = input->set;
        switch ((enum wr_input_kind)input->kind) {
        case WR_INPUT_LAST:
        case WR_INPUT_FIRST: from->track = track_of(plan, input); break;
        case WR_INPUT_AGGREGATE:
            WR_ASSERT(input->column < spec->aggregate_count && plan->accumulator[input->column] != WR_NONE);
            set = spec->aggregate[input->column].set;
            break;
        case WR_INPUT_COLUMN:
        case WR_INPUT_KEY: continue;
        case WR_INPUT_SPECIAL:
            if (input->column == WR_SPECIAL_EVENT_TIME) continue;
            WR_ASSERT(input->column == WR_SPECIAL_CLASSIFIER);
            condition->own |= input->step != 0; /* the current row may be the one that is stepped to */
            break;
        }
        condition->own |= wr_pattern_set_has(spec, set, variable);
    }
}

/* Kept columns, and which of them of a variable's rows are read by anything: the others need not be saved. */
static void plan_keep(struct wr_plan *plan, const struct wr_program *program, const struct wr_pattern_node *spec)
{
    uint32_t words = wr_pattern_words(spec);
    plan->own_keep = wr_alloc((wr_pattern_kept_most(program, spec) + 1) * sizeof *plan->own_keep);
    plan->keep = plan->own_keep;
    plan->keep_count = wr_pattern_kept(program, spec, plan->own_keep);
    plan->needed = wr_alloc_zero((size_t)spec->variable_count * plan->keep_count + 1);
    uint64_t *needed = wr_alloc_zero(((size_t)words * plan->keep_count + 1) * sizeof *needed);
    wr_pattern_needed(spec, plan->keep, plan->keep_count, needed);
    for (uint32_t k = 0; k < plan->keep_count; k++) {
        for (uint32_t v = 0; v < spec->variable_count; v++)
            plan->needed[(size_t)v * plan->keep_count + k] = wr_bit(needed + (size_t)k * words, v);
    }
    wr_free(needed);
}

/* What is to be known of a key beside its starts. */
static void plan_more(struct wr_plan *plan, const struct wr_pattern_node *spec)
{
    plan->shows_start = spec->all_rows == WR_OUTPUT_UNMATCHED ||
                        (spec->all_rows == WR_OUTPUT_SHOW_EMPTY && plan->empty_match);
    for (uint32_t o = 0; o < spec->output_count; o++)
        plan->numbers |= spec->output[o].kind == WR_INPUT_SPECIAL && spec->output[o].column == WR_SPECIAL_MATCH_NUMBER;
    plan->past_last = spec->after_match == WR_AFTER_PAST_LAST;
    plan->in_order = spec->after_match != WR_AFTER_NEXT_ROW || plan->numbers;
    plan->rows = spec->prev_max || spec->next_max || spec->out_next_max || plan->shows_start;
    for (uint32_t h = 0; h < spec->history_count; h++) plan->rows |= spec->history[h].step != 0;
    for (uint32_t o = 0; o < spec->output_count; o++) plan->rows |= spec->output[o].step != 0;
    plan->more = plan->rows || plan->at_start || plan->numbers || spec->suppress_us || spec->lead_count;
}

static void plan_limit(struct wr_plan *plan, const struct wr_pattern_node *spec)
{
    static const uint8_t policy[] = {[WR_ON_LIMIT_FAIL] = WR_STARTS_FAIL, [WR_ON_LIMIT_DROP_OLDEST] = WR_STARTS_DROP_OLDEST,
                                     [WR_ON_LIMIT_DROP_NEW] = WR_STARTS_DROP_NEW};
    plan->limit_starts = spec->limit_starts;
    plan->limit_policy = spec->limit_policy;
    if (spec->limit_starts || plan->limits.starts_key == UINT64_MAX) return;
    plan->limit_starts = plan->limits.starts_key;
    plan->limit_policy = policy[plan->limits.policy];
}

/* A window's results have its end - 1 µs for their time and stand at the moment that brings them. 0: the rows are not of
 * windows alone that wait equally long. */
static int64_t behind_window(const struct wr_program *program, const struct wr_node *node)
{
    if (node->kind == WR_NODE_WINDOW) return node->u.window.late_us + 1;
    if (node->kind != WR_NODE_SELECT && node->kind != WR_NODE_MERGE) return 0;
    int64_t behind = behind_window(program, &program->node[node->input[0]]);
    for (uint32_t i = 1; i < node->input_count; i++)
        if (behind_window(program, &program->node[node->input[i]]) != behind) return 0;
    return behind;
}

void wr_plan_init(struct wr_plan *plan, const struct wr_task *task, const struct wr_node *node)
{
    const struct wr_program *program = wr_task_program(task);
    const struct wr_pattern_node *spec = &node->u.pattern;
    WR_ASSERT(!spec->all_matches && spec->after_match < WR_AFTER_NONE);
    *plan = (struct wr_plan){0};
    wr_limits_read(program, &plan->limits);
    plan->behind = behind_window(program, &program->node[node->input[0]]);
    plan_limit(plan, spec);
    plan_keep(plan, program, spec);
    plan_steps(plan, spec);
    plan_ends(plan, spec);
    plan_more(plan, spec);
    plan_history(plan, spec);
    plan->condition = wr_alloc_zero((spec->variable_count + 1) * sizeof *plan->condition);
    uint32_t tracks = plan->track_count;
    for (uint32_t v = 0; v < spec->variable_count; v++) plan_condition(plan, task, spec, v);
    WR_ASSERT(plan->track_count == tracks); /* .history lists all that conditions read */
    plan->selects = wr_alloc_zero(spec->variable_count + 1);
    plan->begins = wr_alloc_zero(spec->variable_count + 1);
    for (uint32_t i = 0; i < spec->position_count; i++) plan->selects[spec->position[i].variable] = 1;
    for (uint32_t i = 0; i < spec->kill_count; i++) plan->selects[spec->kill[i].variable] = 1;
    const struct wr_step *beginning = &plan->step[spec->position_count];
    for (uint32_t e = 0; e < beginning->entries; e++) {
        if (beginning->follow[e].position != WR_ACCEPT)
            plan->begins[spec->position[beginning->follow[e].position].variable] = 1;
    }
    for (uint32_t i = 0; i < spec->lead_count; i++) /* these are to be remembered, so they make a key known too */
        plan->selects[spec->lead[i].variable] = plan->begins[spec->lead[i].variable] = 1;
    bool limited = plan->limit_starts || wr_limits_drop_starts(&plan->limits, spec); /* then each start is counted */
    /* A match that a moment ends may cover no row of a later start that has come as far. */
    plan->elders = wr_pattern_drops_younger(spec) && !limited && plan->time_slot == WR_NONE;
    /* By -> alone and without NOT and a time limit a start never fails, and in a sequence no later one is sooner done. */
    plan->one_start = plan->past_last && !plan->strict && spec->within_us < 0 && spec->position_count > 0 &&
                      wr_pattern_class(spec) <= WR_MATCHER_SEQUENCE && !spec->kill_count && !plan->moments && !limited;
    for (const struct wr_node *other = program->node; other != node; other++)
        plan->number += other->kind == WR_NODE_PATTERN && other->query == node->query;
}

void wr_plan_release(struct wr_plan *plan, const struct wr_node *node)
{
    for (uint32_t v = 0; v < node->u.pattern.variable_count; v++) {
        if (plan->condition[v].frame) wr_row_frame_free(plan->condition[v].frame);
        wr_free(plan->condition[v].input);
    }
    wr_free(plan->condition);
    wr_free(plan->step);
    wr_free(plan->masks);
    wr_free(plan->track);
    wr_free(plan->history_track);
    wr_free(plan->accumulator);
    wr_free(plan->selects);
    wr_free(plan->begins);
    wr_free(plan->needed);
    wr_free(plan->own_keep);
    *plan = (struct wr_plan){0};
}
