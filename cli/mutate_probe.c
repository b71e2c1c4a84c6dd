/* The search for an event that tells a survivor from its program: each case with each change, in both. What the program
 * gives is kept as a number, so that it runs once for all survivors. */
#include "cli/mutate.h"

#include <stdlib.h>

/* How many changes are tried for one survivor. */
enum { TRIES_MAX = 4000 };

struct given {
    uint64_t rows; /* results and drops; 0: not run yet, 1: it does not run */
    uint64_t open; /* starts that are open at the end */
};
struct probed {
    struct wr_changes changes;
    struct given *given; /* beside them: what the program gives */
};

struct wr_mutation_probe {
    const struct wr_mutation_program *program;
    struct wr_arena arena;
    struct probed *cases;
};

bool wr_mutation_case_run(const struct wr_test_program *program, const struct wr_mutation_case *c,
                          struct wr_test_job *job, struct wr_test_outcome *out)
{
    const char *why = NULL;
    uint32_t line = 0;
    *job = (struct wr_test_job){.file = c->file, .c = c->c, .program = *program, .brief = true};
    *out = (struct wr_test_outcome){0};
    wr_arena_init(&job->arena);
    wr_arena_init(&out->arena);
    if (!wr_test_job_records(job, &why, &line)) return false;
    wr_arena_release(&out->arena);
    wr_test_run(job, &(struct wr_test_variant){.name = "as written"}, out);
    return !out->error;
}

void wr_mutation_case_release(struct wr_test_job *job, struct wr_test_outcome *out)
{
    wr_test_outcome_release(out);
    wr_vec_release(&job->record);
    wr_vec_release(&job->step);
    wr_arena_release(&job->arena);
}

/* ---- What a run gives, as a number ----------------------------------------------------------- */

static uint64_t mix(uint64_t h, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    return mix(h, text, strlen(text) + 1);
}

/* Of drops only the sum counts: they have no order. */
static struct given given_by(const struct wr_test_outcome *o)
{
    const uint64_t seed = UINT64_C(0xcbf29ce484222325);
    uint64_t h = seed, drops = 0;
    for (size_t i = 0; i < o->result.count; i++) {
        const struct wr_test_result *r = &o->result.at[i];
        h = mix_text(h, r->output);
        h = mix(h, &r->time, sizeof r->time);
        h = mix(h, r->row.data, r->row.size);
        h = mix(h, r->row_index, sizeof *r->row_index * r->row_count);
    }
    for (size_t i = 0; i < o->drop.count; i++) {
        const struct wr_test_drop *d = &o->drop.at[i];
        uint64_t one = mix_text(mix_text(mix_text(seed, d->query), d->reason), d->code);
        drops += mix(mix(one, &d->record, sizeof d->record), &d->late_us, sizeof d->late_us);
    }
    h = mix(h, &drops, sizeof drops);
    return (struct given){h > 1 ? h : 2, mix(seed, o->open.at, sizeof *o->open.at * o->open.count)};
}

static struct given run_changed(const struct wr_test_program *program, const struct wr_mutation_case *c,
                            const struct wr_change *change)
{
    struct wr_arena arena;
    struct wr_test_job job;
    struct wr_test_outcome out;
    wr_arena_init(&arena);
    struct wr_test_case changed = wr_change_apply(&arena, c->c, change);
    struct wr_mutation_case run = {c->file, &changed};
    struct given given = {1, 1};
    if (wr_mutation_case_run(program, &run, &job, &out)) given = given_by(&out);
    wr_mutation_case_release(&job, &out);
    wr_arena_release(&arena);
    return given;
}

/* ---- The search ------------------------------------------------------------------------------ */

struct wr_mutation_probe *wr_mutation_probe_new(const struct wr_mutation_program *program)
{
    struct wr_mutation_probe *probe = wr_alloc_zero(sizeof *probe);
    probe->program = program;
    wr_arena_init(&probe->arena);
    probe->cases = wr_alloc_zero(sizeof *probe->cases * (program->cases.count + 1));
    for (size_t i = 0; i < program->cases.count; i++) {
        struct probed *p = &probe->cases[i];
        p->changes.arena = &probe->arena;
        wr_changes_make(&program->as_written, &program->mutants, program->cases.at[i].c, &p->changes);
        p->given = wr_alloc_zero(sizeof *p->given * p->changes.list.count);
    }
    return probe;
}

void wr_mutation_probe_free(struct wr_mutation_probe *probe)
{
    if (!probe) return;
    for (size_t i = 0; i < probe->program->cases.count; i++) {
        wr_vec_release(&probe->cases[i].changes.list);
        wr_free(probe->cases[i].given);
    }
    wr_free(probe->cases);
    wr_arena_release(&probe->arena);
    wr_free(probe);
}

/* The change with what each of the two gives; both run once more for it. */
static const char *explain(const struct wr_mutation_probe *probe, const struct wr_test_program *mutant, size_t i,
                           const struct wr_change *change, struct wr_arena *arena)
{
    const struct wr_mutation_case *c = &probe->program->cases.at[i];
    struct wr_arena own;
    struct wr_test_job a_job, b_job;
    struct wr_test_outcome a, b;
    struct wr_buf text = {0};
    wr_arena_init(&own);
    struct wr_test_case changed = wr_change_apply(&own, c->c, change);
    struct wr_mutation_case run = {c->file, &changed};
    bool runs = wr_mutation_case_run(&probe->program->as_written, &run, &a_job, &a);
    bool mutant_runs = wr_mutation_case_run(mutant, &run, &b_job, &b);
    wr_change_print(c->file, c->c, change, "    ", &text);
    if (!runs || !mutant_runs ||
        !wr_test_print_difference(&a_job, &a, "      expected         ", &b, "      the mutant gives ", &text))
        wr_buf_printf(&text, "      the %s does not run: %s\n", runs ? "mutant" : "program",
                      runs ? b.error ? b.error : "its input is another" : a.error ? a.error : "");
    const char *kept = wr_arena_cstr(arena, wr_buf_slice(&text));
    wr_mutation_case_release(&a_job, &a);
    wr_mutation_case_release(&b_job, &b);
    wr_arena_release(&own);
    wr_buf_release(&text);
    return kept;
}

struct search {
    struct wr_mutation_probe *probe;
    const struct wr_test_program *mutant;
    const volatile sig_atomic_t *stop;
    size_t tries, found_case, open_case;
    const struct wr_change *found, *open; /* open: told by open starts alone, for where no row tells */
};

/* One change of one case; true: the search is over. */
static bool try_change(struct search *s, size_t i, size_t k)
{
    struct probed *p = &s->probe->cases[i];
    const struct wr_change *change = &p->changes.list.at[k];
    const struct wr_mutation_case *c = &s->probe->program->cases.at[i];
    if ((s->stop && *s->stop) || s->tries >= TRIES_MAX) return true;
    if (!p->given[k].rows) p->given[k] = run_changed(&s->probe->program->as_written, c, change);
    if (p->given[k].rows == 1) return false;
    s->tries++;
    struct given given = run_changed(s->mutant, c, change);
    if (given.rows != p->given[k].rows) {
        s->found = change;
        s->found_case = i;
    } else if (given.open != p->given[k].open && !s->open) {
        s->open = change;
        s->open_case = i;
    }
    return s->found;
}

static bool is_about_time(const struct wr_change *change)
{
    return change->kind == WR_CHANGE_TIME || change->kind == WR_CHANGE_LATE ||
           (change->kind == WR_CHANGE_COPY && !change->field.name.size);
}

/* The changes of this sort: the first of every case, then what is next in each. */
static bool try_all(struct search *s, bool about_time)
{
    const struct wr_mutation_program *program = s->probe->program;
    size_t most = 0;
    for (size_t i = 0; i < program->cases.count; i++) most = WR_MAX(most, s->probe->cases[i].changes.list.count);
    WR_VEC(size_t) next = {0};
    for (size_t i = 0; i < program->cases.count; i++) wr_vec_push(&next, 0);
    bool over = false;
    for (size_t round = 0; round < most && !over; round++)
        for (size_t i = 0; i < program->cases.count && !over; i++) {
            const struct wr_changes *changes = &s->probe->cases[i].changes;
            while (next.at[i] < changes->list.count && is_about_time(&changes->list.at[next.at[i]]) != about_time)
                next.at[i]++;
            if (next.at[i] < changes->list.count) over = try_change(s, i, next.at[i]++);
        }
    wr_vec_release(&next);
    return over;
}

const char *wr_mutation_probe_find(struct wr_mutation_probe *probe, const struct wr_test_program *mutant, bool about_time,
                                   const volatile sig_atomic_t *stop, struct wr_arena *arena)
{
    struct search s = {.probe = probe, .mutant = mutant, .stop = stop};
    for (size_t i = 0; i < probe->program->cases.count; i++) /* as they stand */
        if (try_change(&s, i, 0)) break;
    if (!s.found && !try_all(&s, about_time)) (void)try_all(&s, !about_time);
    if (stop && *stop) return NULL;
    if (s.found) return explain(probe, mutant, s.found_case, s.found, arena);
    return s.open ? explain(probe, mutant, s.open_case, s.open, arena) : NULL;
}
