/* Entries that are more than a connector and a position: bounds on arrows, NOT and UNTIL, claims of possessive loops,
 * absences, anchors. */
#include "runtime/match_general.h"

static bool is_killed(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, const struct wr_follow *f,
                      uint32_t row)
{
    for (uint32_t i = 0; i < f->kill_count; i++) {
        const struct wr_kill *kill = &p->spec->kill[f->kill + i];
        if (kill->next_only && t->aged) continue;
        if (wr_link_holds(p, g, t->link, kill->variable, row)) return true;
    }
    return false;
}

/* Bounds on the arrow: -1 the row is too early, 1 too late. */
static int out_of_bounds(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t,
                         const struct wr_follow *f)
{
    if (f->low_us < 0 && f->high_us < 0) return 0;
    int64_t last = wr_link_time(p, g, wr_link_at(g, t->link));
    if (f->high_us >= 0 && g->time > wr_time_later(last, f->high_us)) return 1;
    return f->low_us >= 0 && g->time < wr_time_later(last, f->low_us) ? -1 : 0;
}

/* Could the entry, a possessive loop's way on, take the row? */
static bool could_take(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, const struct wr_follow *f,
                       uint32_t row)
{
    bool beginning = p->plan.step[t->position].beginning;
    if ((f->flags & WR_FOLLOW_AT_START) && g->key_more.at[g->at_key].seen) return false;
    if (!beginning && f->connector == 0 && t->aged) return false;
    if (!beginning && out_of_bounds(p, g, t, f)) return false;
    return !is_killed(p, g, t, f, row) && wr_link_holds(p, g, t->link, p->spec->position[f->position].variable, row);
}

static bool is_claimed(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, const struct wr_follow *f,
                       uint32_t row)
{
    for (uint32_t i = 0; i < f->claim_count; i++)
        if (could_take(p, g, t, &p->spec->follow[p->spec->claim[f->claim + i]], row)) return true;
    return false;
}

/* NOT b FOR d in front of everything: has a b been seen less than d before? */
static bool is_led(const struct wr_pattern *p, const struct wr_general *g, const struct wr_follow *f)
{
    for (uint32_t i = f->lead; i < f->lead + f->lead_count; i++) {
        int64_t seen = g->lead.at[(size_t)g->at_key * p->spec->lead_count + i];
        if (seen != WR_TIME_MIN && wr_time_later(seen, p->spec->lead[i].for_us) > g->time) return true;
    }
    return false;
}

enum wr_verdict wr_entry_judge(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                               uint32_t row)
{
    const struct wr_step *step = &p->plan.step[t->position];
    const struct wr_follow *f = &step->follow[entry];
    if (step->beginning) {
        if ((f->flags & WR_FOLLOW_AT_START) && g->key_more.at[g->at_key].seen) return WR_ENTRY_DIES;
        if (f->position == WR_ACCEPT) return WR_ENTRY_TAKES;
        return is_led(p, g, f) || is_claimed(p, g, t, f, row) ? WR_ENTRY_DIES : WR_ENTRY_TAKES;
    }
    if (f->position == WR_ACCEPT) return WR_ENTRY_DIES; /* this was not the partition's end */
    const struct wr_pattern_position *position = &p->spec->position[f->position];
    if (position->absence_us != WR_ABSENCE_NONE) {
        bool seen = is_killed(p, g, t, f, row) || wr_link_holds(p, g, t->link, position->variable, row);
        return seen ? WR_ENTRY_DIES : WR_ENTRY_SKIPS;
    }
    int bounds = out_of_bounds(p, g, t, f);
    if (bounds > 0 || is_killed(p, g, t, f, row)) return WR_ENTRY_DIES;
    return bounds < 0 || is_claimed(p, g, t, f, row) ? WR_ENTRY_SKIPS : WR_ENTRY_TAKES;
}

bool wr_entry_is_touched(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                         uint32_t row)
{
    const struct wr_follow *f = &p->plan.step[t->position].follow[entry];
    for (uint32_t i = 0; i < f->kill_count; i++)
        if (wr_row_bit(p, g, p->spec->kill[f->kill + i].variable, row)) return true;
    return false;
}

int64_t wr_entry_due(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                     int64_t first)
{
    const struct wr_follow *f = &p->plan.step[t->position].follow[entry];
    if (f->position == WR_ACCEPT) return WR_TIME_MAX;
    int64_t absence = p->spec->position[f->position].absence_us;
    if (absence == WR_ABSENCE_NONE && f->high_us < 0) return WR_TIME_MAX;
    const struct wr_link *link = wr_link_at(g, t->link);
    int64_t last = wr_link_time(p, g, link);
    if (absence == WR_ABSENCE_NONE) return wr_time_later(wr_time_later(last, f->high_us), 1);
    /* What moments at the end of the input have armed does not fire. */
    if (wr_link_is_moment(link) && last > p->closing) return WR_TIME_MAX;
    return absence == WR_ABSENCE_WITHIN ? wr_pattern_deadline(p, first) : wr_time_later(last, absence);
}

struct wr_blame wr_entry_blame(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                               uint32_t row)
{
    const struct wr_follow *f = &p->plan.step[t->position].follow[entry];
    WR_ASSERT(f->position != WR_ACCEPT);
    const struct wr_pattern_position *position = &p->spec->position[f->position];
    struct wr_blame blame = {WR_REFUSAL_CONDITION, position->variable, 0};
    bool absence = position->absence_us != WR_ABSENCE_NONE, beginning = p->plan.step[t->position].beginning;
    if (absence && wr_link_holds(p, g, t->link, position->variable, row)) {
        blame.kind = WR_REFUSAL_ABSENCE;
        blame.limit_us = position->absence_us == WR_ABSENCE_WITHIN ? -1 : position->absence_us;
        return blame;
    }
    int bounds = absence || beginning ? 0 : out_of_bounds(p, g, t, f);
    if (bounds > 0) return (struct wr_blame){WR_REFUSAL_BOUND, position->variable, f->high_us};
    for (uint32_t i = 0; i < f->kill_count && !beginning; i++) {
        const struct wr_kill *kill = &p->spec->kill[f->kill + i];
        if ((kill->next_only && t->aged) || !wr_link_holds(p, g, t->link, kill->variable, row)) continue;
        bool until = strncmp(p->spec->variable[kill->variable].name, "UNTIL (", 7) == 0;
        return (struct wr_blame){until ? WR_REFUSAL_CLOSED : WR_REFUSAL_FORBIDDEN, kill->variable, 0};
    }
    if (absence || !wr_link_holds(p, g, t->link, position->variable, row)) return blame;
    if (bounds < 0) return (struct wr_blame){WR_REFUSAL_EARLY, position->variable, f->low_us};
    if (is_claimed(p, g, t, f, row)) blame.kind = WR_REFUSAL_CLAIMED;
    return blame;
}
