/* Mutants in words and for programs. */
#include "cli/mutate.h"

enum { SHOWN_MAX = 60 };

/* On one line, blanks and comments that take several as one, cut where it is long. */
static void add_short(struct wr_buf *out, struct wr_slice text)
{
    size_t written = 0;
    bool blank = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = written > 0;
            continue;
        }
        if (written >= SHOWN_MAX && ((unsigned char)c & 0xc0) != 0x80) {
            wr_buf_add_cstr(out, "…");
            return;
        }
        if (blank) wr_buf_add_char(out, ' ');
        blank = false;
        wr_buf_add_char(out, c);
        written++;
    }
}

static bool is_blank(struct wr_slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\n' && text.data[i] != '\t' && text.data[i] != '\r') return false;
    return true;
}

static struct wr_slice before_of(const struct wr_mutant *mutant)
{
    return wr_slice_of(mutant->whole.data + mutant->start, mutant->end - mutant->start);
}

/* "`>` changed to `>=`", "`AND x > 1` dropped", "`->` added". */
static void add_change(struct wr_buf *out, const struct wr_mutant *mutant)
{
    bool adds = is_blank(before_of(mutant)), drops = is_blank(mutant->by);
    wr_buf_add_char(out, '`');
    add_short(out, adds ? mutant->by : before_of(mutant));
    wr_buf_add_cstr(out, adds ? "` added" : drops ? "` dropped" : "` changed to `");
    if (adds || drops) return;
    add_short(out, mutant->by);
    wr_buf_add_char(out, '`');
}

static void print_mutant(const struct wr_mutant *mutant, bool color, struct wr_buf *out)
{
    wr_buf_printf(out, "%ssurvived%s %.*s:%u:%u: ", color ? "\033[31m" : "", color ? "\033[0m" : "",
                  WR_SLICE_ARG(mutant->file), mutant->at.line, mutant->at.column);
    add_change(out, mutant);
    wr_buf_printf(out, "\n  %4u | %.*s\n       | %*s", mutant->at.line, WR_SLICE_ARG(mutant->line),
                  (int)mutant->at.column - 1, "");
    for (uint32_t i = mutant->start; i < WR_MAX(mutant->end, mutant->start + 1); i++) {
        unsigned char c = i < mutant->whole.size ? (unsigned char)mutant->whole.data[i] : '\n';
        if (c == '\n' && i > mutant->start) break;
        if ((c & 0xc0) != 0x80) wr_buf_add_char(out, '^');
    }
    wr_buf_printf(out, "\n%s", mutant->tells ? mutant->tells : "    no event found that tells\n");
}

static size_t told_of(const struct wr_mutation_program *p)
{
    size_t told = 0;
    for (size_t i = 0; i < p->mutants.list.count; i++) told += p->mutants.list.at[i].told;
    return told;
}

void wr_mutation_print(const struct wr_mutation *m, bool color, struct wr_buf *out)
{
    for (size_t i = 0; i < m->program.count; i++) {
        const struct wr_mutation_program *p = &m->program.at[i];
        size_t told = told_of(p), all = p->mutants.list.count;
        for (size_t k = 0; k < all; k++)
            if (!p->mutants.list.at[k].told) print_mutant(&p->mutants.list.at[k], color, out);
        wr_buf_printf(out, "mutants of %s", p->path);
        if (p->text) wr_buf_printf(out, ":%u", p->line);
        wr_buf_printf(out, ": %zu of %zu told", told, all);
        if (all) wr_buf_printf(out, ", %.1f %%", 100.0 * (double)told / (double)all);
        wr_buf_add_char(out, '\n');
    }
    wr_buf_printf(out, "%zu mutants, %zu told, %zu survived", m->total, m->told, m->total - m->told);
    if (m->untold) wr_buf_printf(out, " (%zu with no event found that tells)", m->untold);
    wr_buf_printf(out, ": %.1f %%%s\n", wr_mutation_score(m), m->stopped ? ", interrupted" : "");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_case(const struct wr_mutation_case *c, struct wr_buf *out)
{
    wr_buf_add_cstr(out, ",\"case\":{\"file\":");
    wr_buf_add_json_cstr(out, c->file->path);
    wr_buf_printf(out, ",\"line\":%u,\"name\":", c->c->line);
    wr_buf_add_json(out, c->c->name);
    wr_buf_add_char(out, '}');
}

static void mutant_json(const struct wr_mutation_program *p, const struct wr_mutant *mutant, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "{\"file\":");
    wr_buf_add_json(out, mutant->file);
    wr_buf_printf(out, ",\"line\":%u,\"column\":%u,\"kind\":\"%s\",\"before\":", mutant->at.line, mutant->at.column,
                  mutant->kind);
    wr_buf_add_json(out, before_of(mutant));
    wr_buf_add_cstr(out, ",\"after\":");
    wr_buf_add_json(out, mutant->by);
    wr_buf_printf(out, ",\"survived\":%s", mutant->told ? "false" : "true");
    if (mutant->told) {
        add_case(&p->cases.at[mutant->told_by], out);
    } else {
        wr_buf_add_cstr(out, ",\"tells\":");
        if (mutant->tells) wr_buf_add_json_cstr(out, mutant->tells);
        else wr_buf_add_cstr(out, "null");
    }
    wr_buf_add_char(out, '}');
}

void wr_mutation_json(const struct wr_mutation *m, double min, struct wr_buf *out)
{
    wr_buf_printf(out, "{\"percent\":%.2f,\"min\":%g,\"told\":%zu,\"total\":%zu,\"interrupted\":%s,\"programs\":[",
                  wr_mutation_score(m), min, m->told, m->total, m->stopped ? "true" : "false");
    for (size_t i = 0; i < m->program.count; i++) {
        const struct wr_mutation_program *p = &m->program.at[i];
        wr_buf_add_cstr(out, i ? ",\n{\"program\":" : "\n{\"program\":");
        wr_buf_add_json_cstr(out, p->path);
        wr_buf_printf(out, ",\"told\":%zu,\"total\":%zu,\"mutants\":[", told_of(p), p->mutants.list.count);
        for (size_t k = 0; k < p->mutants.list.count; k++) {
            wr_buf_add_cstr(out, k ? ",\n" : "\n");
            mutant_json(p, &p->mutants.list.at[k], out);
        }
        wr_buf_add_cstr(out, "]}");
    }
    wr_buf_add_cstr(out, "]}");
}
