/* Cases against mutants: each program that the cases use, each of its mutants, cases until one fails. */
#include "cli/mutate.h"

#include <time.h>
#include <unistd.h>

void wr_mutation_init(struct wr_mutation *m)
{
    *m = (struct wr_mutation){0};
    wr_arena_init(&m->arena);
}

void wr_mutation_release(struct wr_mutation *m)
{
    for (size_t i = 0; i < m->program.count; i++) {
        wr_mutants_release(&m->program.at[i].mutants);
        wr_vec_release(&m->program.at[i].cases);
    }
    wr_vec_release(&m->program);
    wr_arena_release(&m->arena);
}

/* ---- Cases by their programs ----------------------------------------------------------------- */

static bool is_of(const struct wr_mutation_program *p, const struct wr_test_file *file, const struct wr_test_case *c)
{
    if (c->use) return !p->text && strcmp(p->path, c->use) == 0;
    return p->text && strcmp(p->path, file->path) == 0 && p->line == c->program_line &&
           strcmp(p->text, c->program_text) == 0;
}

void wr_mutation_add(struct wr_mutation *m, const struct wr_test_file *file, const struct wr_test_case *c)
{
    struct wr_mutation_program *p = NULL;
    if (!c->use && !c->program_text) return;
    for (size_t i = 0; i < c->expect.count; i++)
        if (c->expect.at[i].kind == WR_TEST_ERROR) return;
    for (size_t i = 0; i < m->program.count && !p; i++)
        if (is_of(&m->program.at[i], file, c)) p = &m->program.at[i];
    if (!p) {
        struct wr_mutation_program fresh = {.path = c->use ? c->use : file->path,
                                            .text = c->use ? NULL : c->program_text,
                                            .line = c->program_line};
        wr_vec_push(&m->program, fresh);
        p = &wr_vec_last(&m->program);
    }
    wr_vec_push(&p->cases, (struct wr_mutation_case){file, c});
}

/* ---- Running --------------------------------------------------------------------------------- */

static bool is_stopped(const struct wr_mutation *m)
{
    return m->stop && *m->stop;
}

/* Fails the case on it? What does not run, fails. */
static bool tells(const struct wr_test_program *mutant, const struct wr_mutation_case *c)
{
    struct wr_test_job job;
    struct wr_test_outcome out;
    struct wr_buf text = {0};
    bool runs = wr_mutation_case_run(mutant, c, &job, &out);
    bool same = runs && wr_test_compare(&job, &out, &text);
    wr_buf_release(&text);
    wr_mutation_case_release(&job, &out);
    return !same;
}

/* The file with the mutant's text in place of its own. */
static struct wr_slice mutated(const struct wr_mutant *mutant, struct wr_buf *text)
{
    wr_buf_clear(text);
    wr_buf_add(text, mutant->whole.data, mutant->start);
    wr_buf_add_slice(text, mutant->by);
    wr_buf_add(text, mutant->whole.data + mutant->end, mutant->whole.size - mutant->end);
    return wr_buf_slice(text);
}

/* false: it does not compile, and is none. */
static bool run_mutant(struct wr_mutation *m, struct wr_mutation_program *p, struct wr_mutant *mutant,
                       struct wr_mutation_probe **probe)
{
    struct wr_test_program program;
    struct wr_buf text = {0};
    const char *why;
    const struct wr_mutation_case *first = &p->cases.at[0];
    bool opened = wr_test_program_open_edited(&program, first->file, first->c, mutant->file, mutated(mutant, &text), false,
                                              &why);
    bool compiles = opened && program.program && program.loaded;
    for (uint32_t i = 0; compiles && i < p->cases.count && !mutant->told && !is_stopped(m); i++)
        if (tells(&program, &p->cases.at[i])) {
            mutant->told = true;
            mutant->told_by = i;
        }
    if (compiles && !mutant->told && !is_stopped(m)) {
        if (!*probe) *probe = wr_mutation_probe_new(p);
        static const char *const about_time[] = {"bound", "window", "skip", "arrow"};
        bool timed = false;
        for (size_t i = 0; i < WR_COUNT(about_time); i++) timed |= strcmp(mutant->kind, about_time[i]) == 0;
        mutant->tells = wr_mutation_probe_find(*probe, &program, timed, m->stop, &m->arena);
    }
    wr_test_program_close(&program);
    wr_buf_release(&text);
    return compiles;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show_progress(const struct wr_mutation *m, const struct wr_mutation_program *p, size_t done, double begun)
{
    if (!m->progress || seconds_now() - begun < 1) return;
    fprintf(stderr, "\r\033[K%s: %zu of %zu mutants", p->path, done, p->mutants.list.count);
    fflush(stderr);
}

/* The mutants of a program; those that do not compile are taken out of the list. */
static void run_program(struct wr_mutation *m, struct wr_mutation_program *p, double begun)
{
    struct wr_mutation_probe *probe = NULL;
    const struct wr_mutation_case *first = &p->cases.at[0];
    const char *why;
    size_t kept = 0, done = 0;
    bool opened = wr_test_program_open(&p->as_written, first->file, first->c, false, &why);
    WR_ASSERT(opened && p->as_written.program); /* its cases have passed */
    for (; done < p->mutants.list.count && !is_stopped(m); done++) {
        struct wr_mutant mutant = p->mutants.list.at[done];
        bool compiles = run_mutant(m, p, &mutant, &probe);
        if (is_stopped(m) && !mutant.told) break;
        if (compiles) p->mutants.list.at[kept++] = mutant;
        m->total += compiles;
        m->told += compiles && mutant.told;
        m->untold += compiles && !mutant.told && !mutant.tells;
        show_progress(m, p, done + 1, begun);
    }
    m->stopped |= done < p->mutants.list.count;
    p->mutants.list.count = kept;
    wr_mutation_probe_free(probe);
    wr_test_program_close(&p->as_written);
}

static void make_mutants(struct wr_mutation *m, struct wr_mutation_program *p)
{
    struct wr_language language;
    wr_language_init(&language);
    p->mutants.arena = &m->arena;
    if (!wr_test_program_read(&language, p->cases.at[0].file, p->cases.at[0].c, &m->arena)) {
        struct wr_tree tree = wr_language_parse(&language);
        if (!wr_diags_failed(&language.diags)) wr_mutants_make(&language, &tree, &p->mutants);
    }
    wr_language_release(&language);
}

void wr_mutation_run(struct wr_mutation *m)
{
    double begun = seconds_now();
    for (size_t i = 0; i < m->program.count && !is_stopped(m); i++) {
        make_mutants(m, &m->program.at[i]);
        run_program(m, &m->program.at[i], begun);
    }
    m->stopped |= is_stopped(m);
    if (m->progress && seconds_now() - begun >= 1) fputs("\r\033[K", stderr);
}

double wr_mutation_score(const struct wr_mutation *m)
{
    return m->total ? 100.0 * (double)m->told / (double)m->total : 100.0;
}
