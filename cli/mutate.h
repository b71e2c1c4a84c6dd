/* Tests of tests: a program with one thing changed is a mutant; a case that fails on it tells it from the program.
 *
 *   mutate_query.c    mutants of a program: statements, queries, windows
 *   mutate_pattern.c  … of row patterns and their clauses
 *   mutate_expr.c     … of expressions
 *   mutate_case.c     a case with one of its events changed
 *   mutate_probe.c    the search for an event that tells a survivor from the program
 *   mutate.c          cases run against mutants
 *   mutate_report.c   survivors as text, all mutants as JSON */
#ifndef WR_CLI_MUTATE_H
#define WR_CLI_MUTATE_H

#include "cli/language.h"
#include "cli/wtest.h"

#include <signal.h>

/* ---- Mutants --------------------------------------------------------------------------------- */

struct wr_mutant {
    const char *kind;             /* "comparison", "bound", "arrow", … */
    struct wr_slice file, whole;  /* the file that is changed and its text, as it stands */
    uint32_t start, end;          /* the bytes of it that are replaced */
    struct wr_slice by;           /* what stands there instead; empty: nothing */
    struct wr_position at;
    struct wr_slice line;         /* the line of `at` */
    bool told;                    /* a case fails on it */
    uint32_t told_by;             /* index among the program's cases */
    const char *tells;            /* survivors: the event that would tell, lines; NULL: none was found */
};

/* A program and what the search for telling events takes from its text. */
struct wr_mutants {
    struct wr_arena *arena;
    WR_VEC(struct wr_mutant) list;     /* by file and place, no two alike */
    WR_VEC(int64_t) duration;          /* of its text, in microseconds, each once */
    WR_VEC(double) number;
    WR_VEC(struct wr_slice) string;
};
/* Makes the mutants of a program that has no errors; some may not compile. Texts lie in `out->arena`. */
void wr_mutants_make(struct wr_language *language, const struct wr_tree *tree, struct wr_mutants *out);
void wr_mutants_release(struct wr_mutants *mutants);

/* What the files that make mutants share. */
struct wr_mutating {
    struct wr_language *language;
    struct wr_mutants *out;
    bool window; /* durations are sizes of windows: doubled and halved, so that hops still fit */
};
/* A mutant: the text of `span` replaced by this. */
void wr_mutate(struct wr_mutating *m, const char *kind, struct wr_span span, const char *by, ...) WR_PRINTF(4, 5);
struct wr_slice wr_mutating_text(const struct wr_mutating *m, struct wr_span span);
/* The nearest such word or sign in front of a place; .end 0: there is none. */
struct wr_span wr_mutating_before(const struct wr_mutating *m, struct wr_span place, const char *word);
/* … and the first inside a span. */
struct wr_span wr_mutating_inside(const struct wr_mutating *m, struct wr_span span, const char *word);
/* A mutant without part i of a list whose parts have something between them. */
void wr_mutate_drop(struct wr_mutating *m, const char *kind, const struct wr_span *part, uint32_t count, uint32_t i);

void wr_mutate_value(struct wr_mutating *m, const struct wr_expr *e);     /* NULL: nothing */
void wr_mutate_condition(struct wr_mutating *m, const struct wr_expr *e); /* a whole one: WHERE, DEFINE x AS … */
void wr_mutate_match(struct wr_mutating *m, const struct wr_match *match);

/* ---- Cases with one event changed ------------------------------------------------------------ */

enum wr_change_kind {
    WR_CHANGE_NONE,
    WR_CHANGE_FIELD, /* the event's field has another value */
    WR_CHANGE_TIME,  /* it comes at another time */
    WR_CHANGE_DROP,  /* it does not come */
    WR_CHANGE_COPY,  /* it comes once more, at `time`, `field` changed where it has a name */
    WR_CHANGE_LATE   /* it comes once more, with this time, behind all others */
};
struct wr_change {
    enum wr_change_kind kind;
    uint32_t event;
    int64_t time;
    struct wr_test_field field; /* name empty: none */
};
struct wr_changes {
    struct wr_arena *arena;
    WR_VEC(struct wr_change) list;
};
/* What may be tried of a case of a program: the first is the case as it stands. Long cases, and those that read files,
 * have no other. */
void wr_changes_make(const struct wr_test_program *program, const struct wr_mutants *mutants,
                     const struct wr_test_case *c, struct wr_changes *out);
/* The case with the change; its events lie in the arena. */
struct wr_test_case wr_change_apply(struct wr_arena *arena, const struct wr_test_case *c, const struct wr_change *change);
/* The change as lines for people, each with this indent. */
void wr_change_print(const struct wr_test_file *file, const struct wr_test_case *c, const struct wr_change *change,
                     const char *indent, struct wr_buf *out);

/* ---- Running --------------------------------------------------------------------------------- */

struct wr_mutation_case {
    const struct wr_test_file *file;
    const struct wr_test_case *c;
};
struct wr_mutation_program {
    const char *path;     /* as reports name it */
    const char *text;     /* inside Markdown, else NULL: with the line it is one program */
    uint32_t line;
    WR_VEC(struct wr_mutation_case) cases;
    struct wr_mutants mutants;
    struct wr_test_program as_written;
};
struct wr_mutation {
    struct wr_arena arena;
    WR_VEC(struct wr_mutation_program) program;
    const volatile sig_atomic_t *stop; /* not 0: ends soon */
    bool progress;                     /* on standard error */
    size_t total, told, untold;        /* untold: survivors that no event was found for */
    bool stopped;                      /* before all were run */
};
void wr_mutation_init(struct wr_mutation *m);
void wr_mutation_release(struct wr_mutation *m);
/* A case that passes; file and case stay the caller's, and must live as long. Cases that expect errors take no part. */
void wr_mutation_add(struct wr_mutation *m, const struct wr_test_file *file, const struct wr_test_case *c);
void wr_mutation_run(struct wr_mutation *m);
/* In percent; 100 where there is no mutant. */
double wr_mutation_score(const struct wr_mutation *m);
void wr_mutation_print(const struct wr_mutation *m, bool color, struct wr_buf *out);
void wr_mutation_json(const struct wr_mutation *m, double min, struct wr_buf *out);

/* A case run once against a program: as its own, with its records. false: it does not run. */
bool wr_mutation_case_run(const struct wr_test_program *program, const struct wr_mutation_case *c,
                          struct wr_test_job *job, struct wr_test_outcome *out);
void wr_mutation_case_release(struct wr_test_job *job, struct wr_test_outcome *out);
/* Looks for an event on which program and mutant part: lines for people in the arena, or NULL. about_time: times are
 * changed before values are. */
struct wr_mutation_probe;
struct wr_mutation_probe *wr_mutation_probe_new(const struct wr_mutation_program *program);
void wr_mutation_probe_free(struct wr_mutation_probe *probe);
const char *wr_mutation_probe_find(struct wr_mutation_probe *probe, const struct wr_test_program *mutant, bool about_time,
                                   const volatile sig_atomic_t *stop, struct wr_arena *arena);

#endif
