/* Coverage: which conditions were true and false, which steps of patterns were taken, what ran out
 * of time or came late. Counted where somebody asks for it, per node and item:
 *
 *   any node      LATE: rows refused for lateness
 *   SELECT        TRUE, FALSE: rows for which WHERE was so
 *   PATTERN       EXPIRED: starts whose time ran out; FIRST + 2v, + 1: the condition of variable v
 * true, false; then the entries of the follow lists, in their order */
#include "runtime/watch.h"

#include "runtime/task.h"

uint32_t wr_cover_variable(uint32_t variable, bool holds)
{
    return WR_COVER_FIRST + 2 * variable + !holds;
}

uint32_t wr_cover_follow(const struct wr_pattern_node *pattern, uint32_t follow)
{
    WR_ASSERT(follow < pattern->follow_count);
    return WR_COVER_FIRST + 2 * pattern->variable_count + follow;
}

/* ---- Listing ------------------------------------------------------------------------------------
 */

struct listing {
    const struct wr_watch *watch;
    const struct wr_program *program;
    uint32_t node;
    wr_cover_fn *visit;
    void *context;
    struct wr_buf text;
};

static uint32_t line_at(struct wr_slice text, size_t place)
{
    uint32_t line = 1;
    for (size_t i = 0; i < place && i < text.size; i++) line += text.data[i] == '\n';
    return line;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Where the variable is defined: its name with AS behind it, past the pattern's beginning. */
static uint32_t define_line(const struct listing *l, const char *variable)
{
    struct wr_slice text = l->program->source_text;
    size_t place = l->program->node[l->node].place, size = strlen(variable);
    for (size_t i = place; i + size + 3 < text.size; i++) {
        if (memcmp(text.data + i, variable, size) != 0 || (i && is_name_char(text.data[i - 1])))
            continue;
        size_t k = i + size;
        while (k < text.size && (text.data[k] == ' ' || text.data[k] == '\n')) k++;
        bool as = k > i + size && k + 2 < text.size && (text.data[k] | 32) == 'a' &&
                  (text.data[k + 1] | 32) == 's' && !is_name_char(text.data[k + 2]);
        if (as) return line_at(text, i);
    }
    return line_at(text, place);
}

static void item(struct listing *l, uint32_t number, uint32_t line, const char *what)
{
    const struct wr_node *node = &l->program->node[l->node];
    WR_ASSERT(node->query < l->program->query_count);
    struct wr_cover cover = {.query = l->program->query[node->query],
                             .what = what,
                             .line = line,
                             .hits = wr_watch_counted(l->watch, l->node, number)};
    l->visit(l->context, &cover);
}

static const char *say(struct listing *l, const char *before, const char *name, const char *behind)
{
    wr_buf_clear(&l->text);
    wr_buf_printf(&l->text, "%s%s%s", before, name, behind);
    return wr_buf_cstr(&l->text);
}

/* A step: from a position of the pattern (or its beginning) to the next. Several positions of a
 * variable have numbers. */
static void name_position(const struct wr_pattern_node *p, uint32_t position, struct wr_buf *out)
{
    uint32_t same = 0, number = 0;
    WR_ASSERT(position < p->position_count);
    uint16_t variable = p->position[position].variable;
    for (uint32_t i = 0; i < p->position_count; i++) {
        if (p->position[i].variable != variable) continue;
        same++;
        if (i <= position) number++;
    }
    wr_buf_add_cstr(out, p->variable[variable].name);
    if (same > 1) wr_buf_printf(out, "[%u]", number);
}

static void list_steps(struct listing *l, const struct wr_pattern_node *p, uint32_t from,
                       uint32_t first, uint32_t count)
{
    for (uint32_t e = first; e < first + count; e++) {
        if (p->follow[e].position == WR_ACCEPT)
            break; /* what stands behind it is never looked at */
        wr_buf_clear(&l->text);
        wr_buf_add_cstr(&l->text, "step ");
        if (from < p->position_count) name_position(p, from, &l->text);
        else wr_buf_add_cstr(&l->text, "begin");
        wr_buf_add_cstr(&l->text, " to ");
        name_position(p, p->follow[e].position, &l->text);
        item(l, wr_cover_follow(p, e),
             line_at(l->program->source_text, l->program->node[l->node].place),
             wr_buf_cstr(&l->text));
    }
}

static void list_pattern(struct listing *l)
{
    const struct wr_pattern_node *p = &l->program->node[l->node].u.pattern;
    for (uint32_t v = 0; v < p->variable_count; v++) {
        const char *name = p->variable[v].name;
        if (!*p->variable[v].text) continue; /* takes any row */
        uint32_t line = define_line(l, name);
        item(l, wr_cover_variable(v, true), line, say(l, "condition of ", name, " true"));
        item(l, wr_cover_variable(v, false), line, say(l, "condition of ", name, " false"));
    }
    list_steps(l, p, p->position_count, p->first, p->first_count);
    for (uint32_t i = 0; i < p->position_count; i++)
        list_steps(l, p, i, p->position[i].follow, p->position[i].follow_count);
    uint32_t line = line_at(l->program->source_text, l->program->node[l->node].place);
    if (p->within_us >= 0) item(l, WR_COVER_EXPIRED, line, "a start that runs out of time");
    item(l, WR_COVER_LATE, line, "a late row");
}

void wr_watch_cover(const struct wr_watch *watch, const struct wr_program *program,
                    wr_cover_fn *visit, void *context)
{
    struct listing l = {.watch = watch, .program = program, .visit = visit, .context = context};
    for (l.node = 0; l.node < program->node_count; l.node++) {
        const struct wr_node *node = &program->node[l.node];
        uint32_t line = line_at(program->source_text, node->place);
        if (node->kind == WR_NODE_PATTERN) list_pattern(&l);
        if (node->kind == WR_NODE_WINDOW) item(&l, WR_COVER_LATE, line, "a late row");
        if (node->kind != WR_NODE_SELECT || node->u.select.where == WR_NONE) continue;
        item(&l, WR_COVER_TRUE, line, "WHERE true");
        item(&l, WR_COVER_FALSE, line, "WHERE false");
    }
    wr_buf_release(&l.text);
}
