/* What came, as the lines that expect it: below --- of a case. */
#include "cli/wtest.h"

static bool is_mentioned(const struct wr_test_case *c, const struct wr_test_result *r)
{
    if (!r->derived) return true;
    for (size_t i = 0; i < c->expect.count; i++)
        if (c->expect.at[i].kind == WR_TEST_ROW &&
            wr_slice_equal_nocase(c->expect.at[i].stream, wr_slice_cstr(r->output)))
            return true;
    return false;
}

/* <- is written where every row that took part has a label. */
static bool all_labelled(const struct wr_test_job *job, const struct wr_test_result *r)
{
    if (!r->rows_known || !r->row_count) return false;
    for (uint32_t i = 0; i < r->row_count; i++) {
        if (r->row_index[i] >= job->record.count) return false;
        if (!job->c->event.at[job->record.at[r->row_index[i]].event].label.size) return false;
    }
    return true;
}

void wr_test_print_drops(const struct wr_test_job *job, const struct wr_test_outcome *outcome, struct wr_buf *out)
{
    for (size_t i = 0; i < outcome->drop.count; i++) {
        const struct wr_test_drop *d = &outcome->drop.at[i];
        bool late = strcmp(d->kind, "late") == 0, before = false;
        const struct wr_test_event *e = d->record < job->record.count
                                            ? &job->c->event.at[job->record.at[d->record].event]
                                            : NULL;
        if (late && e && e->label.size) {
            for (size_t k = 0; k < i; k++)
                before |= strcmp(outcome->drop.at[k].kind, "late") == 0 &&
                          outcome->drop.at[k].record == d->record;
            if (before) continue;
            wr_buf_add_cstr(out, "late ");
            wr_test_print_label(out, job, d->record);
            wr_buf_add_cstr(out, " by ");
            wr_test_print_interval(out, d->late_us);
            wr_buf_add_char(out, '\n');
            continue;
        }
        const char *what = strcmp(d->kind, "record") == 0  ? "decode"
                           : strcmp(d->kind, "other") == 0 ? d->reason
                                                           : d->kind;
        uint64_t count = 0;
        for (size_t k = 0; k < outcome->drop.count; k++) {
            const struct wr_test_drop *other = &outcome->drop.at[k];
            bool same = strcmp(other->kind, d->kind) == 0 &&
                        (strcmp(d->kind, "other") != 0 || strcmp(other->reason, d->reason) == 0);
            count += same;
            before |= same && k < i;
        }
        const char *quote = strchr(what, ' ') ? "\"" : "";
        if (!before)
            wr_buf_printf(out, "dropped %llu %s%s%s\n", (unsigned long long)count, quote, what,
                          quote);
    }
}

void wr_test_expectation(struct wr_test_job *job, const struct wr_test_outcome *outcome,
                         struct wr_buf *out)
{
    const struct wr_test_case *c = job->c;
    size_t before = out->size;
    for (size_t i = 0; i < outcome->result.count; i++) {
        const struct wr_test_result *r = &outcome->result.at[i];
        if (!is_mentioned(c, r)) continue;
        wr_test_print_result(out, job, r, all_labelled(job, r));
        wr_buf_add_char(out, '\n');
    }
    if (out->size == before) wr_buf_add_cstr(out, "none\n");
    wr_test_print_drops(job, outcome, out);
    /* What is open was asked for by name: it stays asked for. */
    const struct wr_program *program = job->program.program;
    for (size_t i = 0; i < c->expect.count; i++) {
        if (c->expect.at[i].kind != WR_TEST_OPEN) continue;
        uint64_t open = 0;
        for (size_t k = 0; k < outcome->open.count; k++)
            if (outcome->open.at[k] != UINT64_MAX &&
                wr_slice_equal_nocase(c->expect.at[i].stream,
                                      wr_slice_cstr(program->query[program->node[k].query])))
                open = outcome->open.at[k];
        wr_buf_printf(out, "open %.*s %llu\n", WR_SLICE_ARG(c->expect.at[i].stream),
                      (unsigned long long)open);
    }
}

bool wr_test_complete(const char *path, struct wr_slice text, struct wr_buf *out)
{
    struct wr_test_file file;
    const char *why = NULL;
    uint32_t line;
    wr_test_file_init(&file, path);
    file.text = text;
    wr_test_parse(&file, text, 1, NULL, 0);
    struct wr_test_job job = {.file = &file, .c = file.cases.at};
    bool ok = file.cases.count == 1 && !job.c->error;
    wr_arena_init(&job.arena);
    bool opened = ok && wr_test_program_open(&job.program, &file, job.c, false, &why);
    ok = opened && job.program.program && wr_test_job_records(&job, &why, &line);
    if (ok) {
        struct wr_test_outcome outcome;
        struct wr_buf whole = {0};
        wr_test_run(&job, &(struct wr_test_variant){.name = "as written"}, &outcome);
        wr_buf_add_slice(&whole, text);
        wr_test_expectation(&job, &outcome, &whole);
        ok = !outcome.error && wr_test_format(wr_buf_slice(&whole), out, &why, &line);
        wr_test_outcome_release(&outcome);
        wr_buf_release(&whole);
    }
    if (opened) wr_test_program_close(&job.program);
    wr_vec_release(&job.record);
    wr_vec_release(&job.step);
    wr_arena_release(&job.arena);
    wr_test_file_release(&file);
    return ok;
}
