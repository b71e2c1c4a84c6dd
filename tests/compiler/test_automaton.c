/* The automaton against a second reading of the standard: a backtracking matcher over the pattern's
 * tree that lists all ways through it in order of preferment, for hand-made and for random
 * patterns. */
#include "compiler/internal.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

/* ---- A small notation: a b, a>b, a|b, (a), (), x?*+{n,m} with ~ behind for reluctant and > in
 * front for an arrow inside; P(a,b) is PERMUTE
 * --------------------------------------------------------------------- */

struct notation {
    struct wr_arena *arena;
    const char *at;
};

static struct wr_pattern *parse_alternation(struct notation *n);

static struct wr_pattern *make(struct notation *n, enum wr_pattern_kind kind)
{
    struct wr_pattern *p = WR_NEW(n->arena, struct wr_pattern);
    p->kind = kind;
    return p;
}

static struct wr_pattern *make_items(struct notation *n, enum wr_pattern_kind kind,
                                     struct wr_pattern_item *item, uint32_t count)
{
    struct wr_pattern *p = make(n, kind);
    p->item = WR_NEW_ARRAY(n->arena, struct wr_pattern_item, count);
    memcpy(p->item, item, count * sizeof *item);
    p->item_count = count;
    return p;
}

static struct wr_pattern *parse_primary(struct notation *n)
{
    if (*n->at == '(') {
        n->at++;
        struct wr_pattern *p = *n->at == ')' ? make(n, WR_PATTERN_EMPTY) : parse_alternation(n);
        assert_int_equal(*n->at, ')');
        n->at++;
        return p;
    }
    if (*n->at == 'P') {
        struct wr_pattern_item item[12] = {0};
        uint32_t count = 0;
        do {
            n->at++;
            item[count++].pattern = parse_alternation(n);
        } while (*n->at == ',');
        n->at++;
        return make_items(n, WR_PATTERN_PERMUTE, item, count);
    }
    struct wr_pattern *p = make(n, WR_PATTERN_VARIABLE);
    p->variable.text = wr_slice_of(n->at++, 1);
    return p;
}

static uint32_t parse_number(struct notation *n, uint32_t otherwise)
{
    if (*n->at < '0' || *n->at > '9') return otherwise;
    uint32_t value = 0;
    while (*n->at >= '0' && *n->at <= '9') value = value * 10 + (uint32_t)(*n->at++ - '0');
    return value;
}

static struct wr_pattern *parse_repeat(struct notation *n)
{
    struct wr_pattern *p = parse_primary(n);
    bool arrow = n->at[0] == '>' && strchr("?*+{", n->at[1]) && n->at[1];
    if (!arrow && (!*n->at || !strchr("?*+{", *n->at))) return p;
    struct wr_pattern *r = make(n, WR_PATTERN_REPEAT);
    r->child = p;
    struct wr_quantifier *q = &r->quantifier;
    q->present = true;
    if (arrow) {
        q->arrow.connector = WR_CONNECT_NEXT;
        n->at++;
    }
    char form = *n->at++;
    q->min = form == '+';
    q->max = form == '?' ? 1 : UINT32_MAX;
    if (form == '{') {
        q->min = q->max = parse_number(n, 0);
        if (*n->at == ',') {
            n->at++;
            q->max = parse_number(n, UINT32_MAX);
        }
        n->at++;
    }
    if (*n->at == '~') {
        q->mode = WR_RELUCTANT;
        n->at++;
    }
    return r;
}

static struct wr_pattern *parse_sequence(struct notation *n)
{
    struct wr_pattern_item item[64] = {0};
    uint32_t count = 0;
    while (*n->at && !strchr("|),", *n->at)) {
        if (*n->at == '>') {
            item[count].arrow.connector = WR_CONNECT_NEXT;
            n->at++;
        }
        item[count++].pattern = parse_repeat(n);
    }
    return count == 1 ? item[0].pattern : make_items(n, WR_PATTERN_SEQUENCE, item, count);
}

static struct wr_pattern *parse_alternation(struct notation *n)
{
    struct wr_pattern_item item[64] = {0};
    uint32_t count = 0;
    item[count++].pattern = parse_sequence(n);
    while (*n->at == '|') {
        n->at++;
        item[count++].pattern = parse_sequence(n);
    }
    return count == 1 ? item[0].pattern : make_items(n, WR_PATTERN_ALTERNATION, item, count);
}

/* ---- The reference: continuations over the tree ---------------------------------------------- */

enum { WORD_MAX = 6, WORDS_MAX = 40000 };

/* Ways through a pattern: a letter for each row, '>' before it where it follows by an arrow. */
struct words {
    char (*at)[2 * WORD_MAX + 2];
    uint32_t count;
    uint64_t steps;
};

struct more {
    enum { MORE_ITEM, MORE_ROUND } kind;
    const struct wr_pattern *p;
    uint32_t index;  /* next item; rounds done with this one */
    size_t size;     /* ROUND: length of the word when the round began */
    const struct more *then;
};

struct way {
    struct words *out;
    char word[2 * WORD_MAX + 2];
    size_t size;
    uint32_t rows;
};

static void go(struct way *w, const struct wr_pattern *p, char connector, const struct more *then);

static void go_round(struct way *w, const struct wr_pattern *p, char connector, uint32_t done,
                     const struct more *then)
{
    struct more more = {MORE_ROUND, p, done + 1, w->size, then};
    go(w, p->child, done ? p->quantifier.arrow.connector == WR_CONNECT_NEXT ? '>' : ' ' : connector,
       &more);
}

static void go_on(struct way *w, const struct more *m)
{
    if (!m) {
        for (uint32_t i = 0; i < w->out->count; i++)
            if (!strcmp(w->out->at[i], w->word)) return;
        assert_true(w->out->count < WORDS_MAX);
        memcpy(w->out->at[w->out->count++], w->word, sizeof w->word);
        return;
    }
    if (m->kind == MORE_ITEM) {
        if (m->index == m->p->item_count) {
            go_on(w, m->then);
            return;
        }
        struct more more = {MORE_ITEM, m->p, m->index + 1, 0, m->then};
        const struct wr_pattern_item *item = &m->p->item[m->index];
        go(w, item->pattern, item->arrow.connector == WR_CONNECT_NEXT ? '>' : ' ', &more);
        return;
    }
    const struct wr_quantifier *q = &m->p->quantifier;
    bool empty = m->size == w->size;
    if (m->index < q->min) {
        go_round(w, m->p, 0, m->index, m->then);
        return;
    }
    bool further = !empty && m->index < q->max;
    if (further && q->mode == WR_GREEDY) go_round(w, m->p, 0, m->index, m->then);
    go_on(w, m->then);
    if (further && q->mode == WR_RELUCTANT) go_round(w, m->p, 0, m->index, m->then);
}

/* All orders of PERMUTE's elements, `count` of which are chosen, each as a sequence with blanks. */
static void go_orders(struct way *w, const struct wr_pattern *p, struct wr_pattern_item *item,
                      uint32_t count, uint32_t chosen, char connector, const struct more *then)
{
    if (count == p->item_count) {
        struct wr_pattern sequence = {
            .kind = WR_PATTERN_SEQUENCE, .item = item, .item_count = count};
        go(w, &sequence, connector, then);
    }
    for (uint32_t e = 0; e < p->item_count; e++) {
        if (chosen >> e & 1) continue;
        item[count] = (struct wr_pattern_item){.pattern = p->item[e].pattern};
        go_orders(w, p, item, count + 1, chosen | 1u << e, connector, then);
    }
}

static void go(struct way *w, const struct wr_pattern *p, char connector, const struct more *then)
{
    struct wr_pattern_item item[12];
    w->out->steps++;
    if (w->out->steps > 3000000) return;
    switch (p->kind) {
    case WR_PATTERN_EMPTY: go_on(w, then); return;
    case WR_PATTERN_VARIABLE: {
        if (w->rows == WORD_MAX) return;
        size_t size = w->size;
        if (w->rows && connector == '>') w->word[w->size++] = '>';
        w->word[w->size++] = *p->variable.text.data;
        w->word[w->size] = 0;
        w->rows++;
        go_on(w, then);
        w->rows--;
        w->size = size;
        w->word[size] = 0;
        return;
    }
    case WR_PATTERN_SEQUENCE: {
        struct more more = {MORE_ITEM, p, 1, 0, then};
        go(w, p->item[0].pattern, connector, &more);
        return;
    }
    case WR_PATTERN_ALTERNATION:
        for (uint32_t i = 0; i < p->item_count; i++) go(w, p->item[i].pattern, connector, then);
        return;
    case WR_PATTERN_PERMUTE: go_orders(w, p, item, 0, 0, connector, then); return;
    default:
        assert_int_equal(p->kind, WR_PATTERN_REPEAT);
        if (p->quantifier.min == 0 && p->quantifier.mode == WR_RELUCTANT) go_on(w, then);
        go_round(w, p, connector, 0, then);
        if (p->quantifier.min == 0 && p->quantifier.mode == WR_GREEDY) go_on(w, then);
    }
}

/* ---- The same from the automaton ------------------------------------------------------------- */

static void run(struct way *w, const struct wr_automaton *a, uint32_t start, uint32_t count)
{
    w->out->steps++;
    if (w->out->steps > 3000000) return;
    for (uint32_t i = start; i < start + count; i++) {
        const struct wr_follow *f = &a->follow[i];
        if (f->position == WR_ACCEPT) {
            go_on(w, NULL);
            continue;
        }
        if (w->rows == WORD_MAX) continue;
        size_t size = w->size;
        if (w->rows && f->connector == WR_CONNECT_NEXT) w->word[w->size++] = '>';
        w->word[w->size++] = (char)a->variable[f->position];
        w->word[w->size] = 0;
        w->rows++;
        run(w, a, a->follow_start[f->position], a->follow_size[f->position]);
        w->rows--;
        w->size = size;
        w->word[size] = 0;
    }
}

static int letter_of(void *context, const struct wr_ident *name)
{
    (void)context;
    return *name->text.data;
}

static const struct wr_automaton_source letters = {.variable_of = letter_of, .variable_count = 128};

struct bench {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    struct wr_compile c;
};

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    wr_arena_init(&b->arena);
    wr_sources_init(&b->sources, &b->arena);
    wr_sources_add(&b->sources, WR_SLICE("test"), WR_SLICE("x"));
    wr_diags_init(&b->diags, &b->arena, &b->sources);
    b->c.arena = &b->arena;
    b->c.diags = &b->diags;
}

static struct wr_pattern *parse(struct bench *b, const char *text)
{
    struct notation n = {&b->arena, text};
    struct wr_pattern *p = parse_alternation(&n);
    assert_int_equal(*n.at, 0);
    return p;
}

/* Both lists must be the same. The pattern ends in its only z, so that nothing is cut behind an
 * end. */
static void compare(const char *text)
{
    struct bench b;
    bench_init(&b);
    struct words expected = {.at = calloc(WORDS_MAX, sizeof *expected.at)};
    struct words given = {.at = calloc(WORDS_MAX, sizeof *given.at)};
    struct wr_pattern *p = parse(&b, text);
    struct way w = {.out = &expected};
    go(&w, p, ' ', NULL);
    struct wr_automaton a;
    assert_true(wr_automaton_build(&b.c, p, &letters, &a));
    struct way v = {.out = &given};
    run(&v, &a, a.first, a.first_count);
    if (expected.steps <= 3000000 && given.steps <= 3000000) {
        for (uint32_t i = 0; i < expected.count || i < given.count; i++) {
            const char *x = i < expected.count ? expected.at[i] : "(none)";
            const char *y = i < given.count ? given.at[i] : "(none)";
            if (strcmp(x, y)) fail_msg("%s: way %u is %s, the automaton has %s", text, i, x, y);
        }
    }
    free(expected.at);
    free(given.at);
    wr_arena_release(&b.arena);
}

static void known_patterns_have_their_ways_in_the_standard_s_order(void **state)
{
    (void)state;
    static const char *const pattern[] = {
        "abz",
        "a>b>z",
        "(a|b)z",
        "a?z",
        "a?~z",
        "a*z",
        "a+~z",
        "a{2,4}z",
        "a{2,4}~z",
        "a{2,}z",
        "(b?~)?z",
        "(a|())*z",
        "(a?){2,}z",
        "((a?)*)*z",
        "(a?b?)*z",
        "(a*)*z",
        "(a+)+z",
        "(a*~)*~z",
        "(()|a)*z",
        "(()|a){2,3}z",
        "(()|a)+~z",
        "a>b?z",
        "ab?>z",
        "a>(b|c)z",
        "a>(bc|c)z",
        "a>+z",
        "a>{2,3}>z",
        "(ab)>+z",
        "(a?b)>*z",
        "a>(b?c)z",
        "a>(b?){2}z",
        "(a>b?)+z",
        "a()z",
        "a>()z",
        "Pa,b,c)z",
        "a>Pb,c)z",
        "Pa?,b)z",
        "Pab,b?,c)z",
        "(Pa,b))>+z",
        "(a|b){2}(a|())z",
        "((a|())*|b)*z",
        "(a?~b?~)*z",
        "(a{0,2}){0,2}z",
        "(a{0,2}~){1,}z",
        "((()|a)(()|b))*z",
    };
    for (size_t i = 0; i < WR_COUNT(pattern); i++) compare(pattern[i]);
}

/* ---- Random patterns ------------------------------------------------------------------------- */

static uint64_t seed;

static uint32_t roll(uint32_t sides)
{
    seed = wr_mix64(seed);
    return (uint32_t)(seed >> 33) % sides;
}

static void random_pattern(struct wr_buf *out, uint32_t depth)
{
    static const char *const quantifier[] = {"?",   "?~",    "*",      "*~",    "+",    "+~",
                                             "{2}", "{1,2}", "{0,2}~", "{2,}",  "{,3}", "{2,}~",
                                             ">+",  ">*~",   ">{2,3}", ">{1,}~"};
    switch (depth ? roll(8) : 7) {
    case 0:
    case 1: {
        uint32_t items = 2 + roll(2);
        wr_buf_add_char(out, '(');
        for (uint32_t i = 0; i < items; i++) {
            if (i && roll(3) == 0) wr_buf_add_char(out, '>');
            random_pattern(out, depth - 1);
        }
        wr_buf_add_char(out, ')');
        return;
    }
    case 2: {
        uint32_t items = 2 + roll(2);
        for (uint32_t i = 0; i < items; i++) {
            wr_buf_add_char(out, i ? '|' : '(');
            random_pattern(out, depth - 1);
        }
        wr_buf_add_char(out, ')');
        return;
    }
    case 3: wr_buf_add_cstr(out, "()"); return;
    case 4: {
        uint32_t items = 2 + roll(2);
        for (uint32_t i = 0; i < items; i++) {
            wr_buf_add_char(out, i ? ',' : 'P');
            random_pattern(out, depth > 1 ? 1 : 0);
        }
        wr_buf_add_char(out, ')');
        return;
    }
    case 5:
    case 6: {
        wr_buf_add_char(out, '(');
        random_pattern(out, depth - 1);
        wr_buf_add_char(out, ')');
        wr_buf_add_cstr(out, quantifier[roll(WR_COUNT(quantifier))]);
        return;
    }
    default:
        wr_buf_add_char(out, "abc"[roll(3)]);
        if (roll(3) == 0) wr_buf_add_cstr(out, quantifier[roll(WR_COUNT(quantifier))]);
    }
}

static void random_patterns_have_the_same_ways_in_the_same_order(void **state)
{
    (void)state;
    struct wr_buf text = {0};
    for (uint64_t n = 0; n < 3000; n++) {
        seed = n;
        wr_buf_clear(&text);
        random_pattern(&text, 1 + roll(3));
        wr_buf_add_cstr(&text, roll(2) ? "z" : ">z");
        compare(wr_buf_cstr(&text));
    }
    wr_buf_release(&text);
}

/* ---- Shape ----------------------------------------------------------------------------------- */

/* "ab*" as "a(1,) b(1,end)": each position with what follows, then what may be first. */
static void print_automaton(const struct wr_automaton *a, struct wr_buf *out)
{
    for (uint32_t p = 0; p <= a->position_count; p++) {
        bool first = p == a->position_count;
        uint32_t start = first ? a->first : a->follow_start[p];
        uint32_t count = first ? a->first_count : a->follow_size[p];
        if (!first) wr_buf_printf(out, "%c", (char)a->variable[p]);
        wr_buf_add_char(out, '[');
        for (uint32_t i = start; i < start + count; i++) {
            const struct wr_follow *f = &a->follow[i];
            if (i > start) wr_buf_add_char(out, ' ');
            if (f->connector == WR_CONNECT_NEXT) wr_buf_add_char(out, '>');
            if (f->position == WR_ACCEPT) wr_buf_add_cstr(out, "end");
            else wr_buf_printf(out, "%u", f->position);
        }
        wr_buf_add_char(out, ']');
    }
}

static void shape(const char *text, const char *expected)
{
    struct bench b;
    bench_init(&b);
    struct wr_automaton a;
    assert_true(wr_automaton_build(&b.c, parse(&b, text), &letters, &a));
    struct wr_buf out = {0};
    print_automaton(&a, &out);
    assert_string_equal(wr_buf_cstr(&out), expected);
    wr_buf_release(&out);
    wr_arena_release(&b.arena);
}

static void positions_and_their_lists_are_as_small_as_they_can_be(void **state)
{
    (void)state;
    shape("ab", "a[1]b[end][0]");
    shape("a>b", "a[>1]b[end][0]");
    shape("a>{3,}>b", "a[>1]a[>2]a[>2 >3]b[end][0]");
    shape("a>b?>c", "a[>1 >2]b[>2]c[end][0]");
    shape("a>b?c", "a[>1 2]b[2]c[end][0]");
    shape("a>(b|c)", "a[>1 >2]b[end]c[end][0]");
    shape("a+", "a[0 end][0]");
    shape("a+~", "a[end][0]");
    shape("a*", "a[0 end][0 end]");
    shape("(ab)>+", "a[1]b[>0 end][0]");
    shape("(a?b?)*", "a[1 0 end]b[0 1 end][0 1 end]");
    shape("(b?~)?", "b[end][end]");
    shape("(a|())*", "a[0 end][0 end]");
    shape("Pa,b)", "a[2]b[3]b[end]a[end][0 1]");
    shape("((()))a((())()){2,5}", "a[end][0]");
}

static void refuse(const char *text, enum wr_diag_code code)
{
    struct bench b;
    bench_init(&b);
    struct wr_automaton a;
    assert_false(wr_automaton_build(&b.c, parse(&b, text), &letters, &a));
    assert_int_equal(b.diags.error_count, 1);
    assert_int_equal(b.diags.at[0].code, code);
    wr_arena_release(&b.arena);
}

static void patterns_past_the_limits_are_refused_at_once(void **state)
{
    (void)state;
    refuse("a{4097}", WR_DIAG_W0808);
    refuse("a{4000000000}", WR_DIAG_W0808);
    refuse("((((a{9}){99}){999}){9999}){99999}", WR_DIAG_W0808);
    refuse("(a?){4000}", WR_DIAG_W0808);
    refuse("Pa,b,c,d,e,f,g,h,i,j)", WR_DIAG_W0808);
    refuse("Pa?,b,c,d,e,f,g)", WR_DIAG_W0808);
    refuse("()", WR_DIAG_W0807);
    refuse("(()|(())*){2,3}", WR_DIAG_W0807);
}

static struct wr_pattern *nested_loops(struct bench *b, int depth)
{
    struct notation n = {&b->arena, "a"};
    struct wr_pattern *p = parse_alternation(&n);
    for (int i = 0; i < depth; i++) {
        struct wr_pattern *loop = make(&n, WR_PATTERN_REPEAT);
        loop->child = p;
        loop->quantifier = (struct wr_quantifier){.present = true, .max = UINT32_MAX};
        p = loop;
    }
    return p;
}

static void loops_in_loops_are_built_until_they_are_thousands_deep(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    struct wr_automaton a;
    struct wr_buf out = {0};
    assert_true(wr_automaton_build(&b.c, nested_loops(&b, 1000), &letters, &a));
    print_automaton(&a, &out);
    assert_string_equal(wr_buf_cstr(&out), "a[0 end][0 end]");
    assert_false(wr_automaton_build(&b.c, nested_loops(&b, 2900), &letters, &a));
    assert_int_equal(b.diags.at[0].code, WR_DIAG_W0808);
    wr_buf_release(&out);
    wr_arena_release(&b.arena);
}

static void patterns_at_the_limits_are_built(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    struct wr_automaton a;
    assert_true(wr_automaton_build(&b.c, parse(&b, "a{4096}"), &letters, &a));
    assert_int_equal(a.position_count, 4096);
    assert_true(wr_automaton_build(&b.c, parse(&b, "Pa,b,c,d,e,f,g,h,i)"), &letters, &a));
    assert_int_equal(a.position_count, 9 * 256);
    assert_true(wr_automaton_build(&b.c, parse(&b, "(a?b?c?){300}"), &letters, &a));
    assert_int_equal(a.position_count, 900);
    wr_arena_release(&b.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_patterns_have_their_ways_in_the_standard_s_order),
        cmocka_unit_test(random_patterns_have_the_same_ways_in_the_same_order),
        cmocka_unit_test(positions_and_their_lists_are_as_small_as_they_can_be),
        cmocka_unit_test(patterns_past_the_limits_are_refused_at_once),
        cmocka_unit_test(loops_in_loops_are_built_until_they_are_thousands_deep),
        cmocka_unit_test(patterns_at_the_limits_are_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
