/* Which operators keep their state in a new version of a program: tests/runtime/upgrade/NAME.txt holds pairs of programs
 * with what becomes of each operator. A file is made of
 *
 *     === name               a piece of text that cases use
 *     === case: what is changed
 *     --- before: name …     the pieces, then what follows
 *     --- after: name …
 *     --- verdicts           a line an operator that holds state, sorted; a changed one with what differs
 */
#include "tests/compiler/compiling.h"

#include <dirent.h>
#include <stdlib.h>

#include "connectors/connectors.h"
#include "runtime/upgrade.h"

enum { LINES_MAX = 64, PIECES_MAX = 64 };

struct piece {
    struct wr_slice name, text;
};
struct cases {
    struct piece piece[PIECES_MAX];
    uint32_t piece_count, passed, failed;
};

/* ---- What becomes of the operators --------------------------------------------------------------- */

static int order_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct lines {
    char *at[LINES_MAX];
    size_t count;
};

static void add_line(struct lines *lines, struct wr_buf *line)
{
    assert_true(lines->count < LINES_MAX);
    lines->at[lines->count++] = wr_strdup(wr_buf_cstr(line));
    wr_buf_clear(line);
}

static void add_differences(uint32_t parts, struct wr_buf *line)
{
    const char *between = ": ";
    for (unsigned i = 0; i < WR_MEANING_COUNT; i++) {
        if (!(parts >> i & 1)) continue;
        wr_buf_printf(line, "%s%s", between, wr_meaning_part_name((enum wr_meaning_part)i));
        between = ", ";
    }
}

static void old_lines(const struct wr_program *old, const struct wr_program *now, const struct wr_upgrade *u,
                      struct lines *lines)
{
    struct wr_buf line = {0};
    for (uint32_t i = 0; i < old->node_count; i++) {
        enum wr_node_kind kind = (enum wr_node_kind)old->node[i].kind;
        if (!wr_node_kind_has_state(kind)) continue;
        enum wr_upgrade_verdict verdict = (enum wr_upgrade_verdict)u->old_verdict[i];
        wr_buf_printf(&line, "%s %s %s", wr_node_kind_name(kind), wr_node_shown_name(old, i),
                      wr_upgrade_verdict_name(verdict));
        if (u->to[i] != WR_NONE && strcmp(wr_node_shown_name(old, i), wr_node_shown_name(now, u->to[i])) != 0)
            wr_buf_printf(&line, " as %s", wr_node_shown_name(now, u->to[i]));
        if (verdict == WR_UPGRADE_CHANGED) add_differences(u->difference[i], &line);
        if (u->renamed[i] != WR_NONE)
            wr_buf_printf(&line, ", is now called %s", wr_node_shown_name(now, u->renamed[i]));
        add_line(lines, &line);
    }
    wr_buf_release(&line);
}

static void verdicts(const struct wr_program *old, const struct wr_program *now, struct wr_buf *out)
{
    struct wr_upgrade u;
    struct lines lines = {.count = 0};
    struct wr_buf line = {0};
    wr_upgrade_match_programs(old, now, &u);
    wr_upgrade_explain(old, now, &u);
    old_lines(old, now, &u, &lines);
    for (uint32_t n = 0; n < now->node_count; n++) {
        enum wr_node_kind kind = (enum wr_node_kind)now->node[n].kind;
        if (!wr_node_kind_has_state(kind) || u.verdict[n] != WR_UPGRADE_NEW) continue;
        wr_buf_printf(&line, "%s %s new", wr_node_kind_name(kind), wr_node_shown_name(now, n));
        add_line(&lines, &line);
    }
    qsort(lines.at, lines.count, sizeof *lines.at, order_lines);
    for (size_t i = 0; i < lines.count; i++) {
        wr_buf_printf(out, "%s\n", lines.at[i]);
        wr_free(lines.at[i]);
    }
    wr_buf_release(&line);
    wr_upgrade_release(&u);
}

/* The program once more, from its file: what is read is who was written. */
static void same_from_its_file(const struct wr_program *program)
{
    struct wr_buf file = {0};
    struct wr_error error = {0};
    wr_program_encode(program, &file);
    struct wr_program *again = wr_program_decode(wr_buf_slice(&file), &error);
    assert_non_null(again);
    assert_memory_equal(again->identity, program->identity, 16);
    for (uint32_t i = 0; i < program->node_count; i++)
        assert_memory_equal(again->node[i].identity, program->node[i].identity, 16);
    wr_program_free(again);
    wr_buf_release(&file);
}

static void all_differ(const struct wr_program *program)
{
    for (uint32_t i = 0; i < program->node_count; i++)
        for (uint32_t k = 0; k < i; k++)
            assert_memory_not_equal(program->node[i].identity, program->node[k].identity, 16);
}

/* ---- The files ------------------------------------------------------------------------------------ */

static struct wr_slice next_line(struct wr_slice *text)
{
    const char *end = memchr(text->data, '\n', text->size);
    struct wr_slice line = {text->data, end ? (size_t)(end - text->data) : text->size};
    size_t past = line.size + (end ? 1 : 0);
    *text = wr_slice_of(text->data + past, text->size - past);
    return line;
}

static bool begins(struct wr_slice text, const char *with)
{
    size_t size = strlen(with);
    return text.size >= size && memcmp(text.data, with, size) == 0;
}

/* What stands up to the next line that begins with a mark. */
static struct wr_slice body_of(struct wr_slice *text)
{
    struct wr_slice body = {text->data, 0};
    while (text->size && !begins(*text, "===") && !begins(*text, "---")) {
        next_line(text);
        body.size = (size_t)(text->data - body.data);
    }
    return body;
}

static void add_pieces(const struct cases *cases, struct wr_slice names, struct wr_buf *out)
{
    while (names.size) {
        const char *blank = memchr(names.data, ' ', names.size);
        struct wr_slice name = {names.data, blank ? (size_t)(blank - names.data) : names.size};
        names = wr_slice_of(names.data + name.size + (blank ? 1 : 0), names.size - name.size - (blank ? 1 : 0));
        if (!name.size) continue;
        uint32_t i = 0;
        while (i < cases->piece_count && !wr_slice_equal(cases->piece[i].name, name)) i++;
        if (i == cases->piece_count) fail_msg("there is no piece '%.*s'", WR_SLICE_ARG(name));
        wr_buf_add_slice(out, cases->piece[i].text);
    }
}

static void read_program(const struct cases *cases, struct wr_slice *text, const char *mark, struct wr_buf *out)
{
    struct wr_slice line = next_line(text);
    if (!begins(line, mark)) fail_msg("'%s' is wanted, not '%.*s'", mark, WR_SLICE_ARG(line));
    size_t size = strlen(mark);
    add_pieces(cases, wr_slice_of(line.data + size, line.size - size), out);
    wr_buf_add_slice(out, body_of(text));
}

static void run_case(struct cases *cases, struct wr_slice name, struct wr_slice *text)
{
    struct wr_buf before = {0}, after = {0}, got = {0};
    struct compiling old, now;
    read_program(cases, text, "--- before:", &before);
    read_program(cases, text, "--- after:", &after);
    struct wr_slice line = next_line(text), want = body_of(text);
    assert_true(begins(line, "--- verdicts"));
    compile_well(&old, wr_buf_cstr(&before));
    compile_well(&now, wr_buf_cstr(&after));
    same_from_its_file(now.program);
    all_differ(now.program);
    verdicts(old.program, now.program, &got);
    while (want.size > 1 && want.data[want.size - 2] == '\n') want.size--; /* an empty line between cases */
    if (wr_slice_equal(want, wr_buf_slice(&got))) {
        cases->passed++;
    } else {
        cases->failed++;
        print_error("%.*s: wanted\n%.*sgot\n%s\n", WR_SLICE_ARG(name), WR_SLICE_ARG(want), wr_buf_cstr(&got));
    }
    release(&old);
    release(&now);
    wr_buf_release(&before);
    wr_buf_release(&after);
    wr_buf_release(&got);
}

static void run_text(struct cases *cases, struct wr_slice text)
{
    cases->piece_count = 0;
    body_of(&text);
    while (text.size) {
        struct wr_slice line = next_line(&text);
        assert_true(begins(line, "=== "));
        struct wr_slice name = wr_slice_of(line.data + 4, line.size - 4);
        if (begins(name, "case: ")) {
            body_of(&text);
            run_case(cases, name, &text);
            continue;
        }
        assert_true(cases->piece_count < PIECES_MAX);
        cases->piece[cases->piece_count++] = (struct piece){name, body_of(&text)};
    }
}

static void run_file(struct cases *cases, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read", path);
    struct wr_buf text = {0};
    size_t got;
    while ((got = fread(wr_buf_reserve(&text, 65536), 1, 65536, file)) > 0) text.size += got;
    fclose(file);
    run_text(cases, wr_buf_slice(&text));
    wr_buf_release(&text);
}

static void pairs_of_programs(void **state)
{
    static const char folder[] = "tests/runtime/upgrade";
    struct cases *cases = wr_alloc_zero(sizeof *cases);
    struct dirent **entry;
    int count = scandir(folder, &entry, NULL, alphasort);
    (void)state;
    if (count < 0) fail_msg("%s is not there: run from the project's folder", folder);
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (strstr(entry[i]->d_name, ".txt")) run_file(cases, path);
        free(entry[i]);
    }
    free(entry);
    print_message("%u pairs of programs\n", cases->passed + cases->failed);
    assert_int_equal(cases->failed, 0);
    assert_true(cases->passed >= 60);
    wr_free(cases);
}

/* ---- The whole program ----------------------------------------------------------------------------- */

static bool equal_programs(const char *a, const char *b)
{
    struct compiling x, y;
    compile_well(&x, a);
    compile_well(&y, b);
    bool equal = memcmp(x.program->identity, y.program->identity, 16) == 0;
    release(&x);
    release(&y);
    return equal;
}

static void the_identity_of_a_program(void **state)
{
    static const char text[] = "CREATE STREAM s (k STRING, n INT); PATTERN p FROM s PARTITION BY k MATCH a -> b WITHIN 1h "
                               "DEFINE a AS n = 1, b AS n = 2 SELECT k;";
    (void)state;
    assert_true(equal_programs(text, text));
    assert_true(equal_programs(text, "-- a comment\nCREATE STREAM s (k STRING,\n n INT);\n\nPATTERN p FROM s PARTITION BY k\n"
                                     "MATCH a -> b WITHIN 60m DEFINE a AS (n = 1), b AS n = 2 SELECT k;"));
    assert_false(equal_programs(text, "CREATE STREAM s (k STRING, n INT); PATTERN p FROM s PARTITION BY k MATCH a -> b "
                                      "WITHIN 1h DEFINE a AS n = 1, b AS n = 3 SELECT k;"));
    assert_false(equal_programs(text, "CREATE STREAM s (k STRING, n INT) WITH (format = 'csv'); PATTERN p FROM s PARTITION BY k "
                                      "MATCH a -> b WITHIN 1h DEFINE a AS n = 1, b AS n = 2 SELECT k;"));
}

/* ---- What is told ------------------------------------------------------------------------------------ */

#define STREAM "CREATE STREAM s (k STRING, n INT, at TIMESTAMP, WATERMARK FOR at AS at);\n"
#define PATTERN(name, within)                                                                                         \
    "PATTERN " name " FROM s PARTITION BY k MATCH a -> b WITHIN " within " DEFINE a AS n = 1, b AS n = 2 SELECT k;\n"

static void expect_report(const struct wr_record_operator *list, const struct compiling *old, bool know_old,
                          const struct compiling *now, bool json, uint32_t lost, const char *want)
{
    struct wr_buf out = {0};
    uint32_t got = wr_upgrade_report(list, old->program->node_count, know_old ? old->program : NULL, now->program, json, &out);
    assert_string_equal(wr_buf_cstr(&out), want);
    assert_int_equal(got, lost);
    wr_buf_release(&out);
}

static void reports(void **state)
{
    struct compiling old, now;
    (void)state;
    compile_well(&old, STREAM PATTERN("p", "1h") PATTERN("q", "1h") PATTERN("r", "2h"));
    compile_well(&now, STREAM PATTERN("p", "1h") PATTERN("q", "2h") PATTERN("rr", "2h"));
    struct wr_record_operator *list = wr_alloc_zero(old.program->node_count * sizeof *list);
    for (uint32_t i = 0; i < old.program->node_count; i++) {
        const struct wr_node *node = &old.program->node[i];
        list[i].identity = wr_slice_of((const char *)node->identity, 16);
        list[i].kind = wr_slice_cstr(wr_node_kind_name((enum wr_node_kind)node->kind));
        list[i].name = wr_slice_cstr(wr_node_shown_name(old.program, i));
        list[i].units = node->kind == WR_NODE_PATTERN ? i : 0;
    }
    expect_report(list, &old, true, &now, false, 2,
                  "kept     source   s\n"
                  "kept     pattern  p (1 key)\n"
                  "changed  pattern  q: WITHIN; begins empty; 3 keys lost\n"
                  "gone     pattern  r; the new rr is the same under another name: keep the name; 5 keys lost\n"
                  "kept     output   p\n"
                  "kept     output   q\n"
                  "gone     output   r; the new rr is the same under another name: keep the name\n"
                  "new      pattern  rr; begins empty\n"
                  "new      output   rr; begins empty\n");
    expect_report(list, &old, false, &now, false, 2,
                  "kept     source   s\n"
                  "kept     pattern  p (1 key)\n"
                  "changed  pattern  q; begins empty; 3 keys lost\n"
                  "gone     pattern  r; 5 keys lost\n"
                  "kept     output   p\n"
                  "kept     output   q\n"
                  "gone     output   r\n"
                  "new      pattern  rr; begins empty\n"
                  "new      output   rr; begins empty\n");
    expect_report(list, &old, true, &now, true, 2,
                  "{\"version\":1,\"operators\":[\n"
                  "{\"kind\":\"source\",\"name\":\"s\",\"verdict\":\"kept\",\"keys\":0,\"bytes\":0,\"as\":\"s\"},\n"
                  "{\"kind\":\"pattern\",\"name\":\"p\",\"verdict\":\"kept\",\"keys\":1,\"bytes\":0,\"as\":\"p\"},\n"
                  "{\"kind\":\"pattern\",\"name\":\"q\",\"verdict\":\"changed\",\"keys\":3,\"bytes\":0,\"as\":\"q\","
                  "\"differs\":[\"WITHIN\"]},\n"
                  "{\"kind\":\"pattern\",\"name\":\"r\",\"verdict\":\"gone\",\"keys\":5,\"bytes\":0,\"renamed\":\"rr\"},\n"
                  "{\"kind\":\"output\",\"name\":\"p\",\"verdict\":\"kept\",\"keys\":0,\"bytes\":0,\"as\":\"p\"},\n"
                  "{\"kind\":\"output\",\"name\":\"q\",\"verdict\":\"kept\",\"keys\":0,\"bytes\":0,\"as\":\"q\"},\n"
                  "{\"kind\":\"output\",\"name\":\"r\",\"verdict\":\"gone\",\"keys\":0,\"bytes\":0,\"renamed\":\"rr\"},\n"
                  "{\"kind\":\"pattern\",\"name\":\"rr\",\"verdict\":\"new\"},\n"
                  "{\"kind\":\"output\",\"name\":\"rr\",\"verdict\":\"new\"}\n"
                  "],\"lost\":2}\n");
    wr_free(list);
    release(&old);
    release(&now);
}

/* ---- State goes on in another program ----------------------------------------------------------------- */

struct moved {
    struct wr_operator *to;
    uint32_t entries, loaded;
};

static void move_entry(void *context, struct wr_slice key, struct wr_slice value)
{
    struct moved *moved = context;
    moved->entries++;
    moved->loaded += moved->to->cls->load(moved->to, key, value);
}

static int nothing(void *context, const char *lines, size_t size)
{
    (void)context, (void)lines, (void)size;
    return 0;
}

static void start_engine(struct wr_engine *engine, const struct wr_program *program)
{
    struct wr_error error = {0};
    struct wr_engine_options options = {.errors_max = -1, .on_output = nothing};
    uint32_t partition;
    memset(engine, 0, sizeof *engine);
    assert_int_equal(wr_engine_init(engine, program, &wr_connectors_library, &options, &error), WR_OK);
    assert_int_equal(wr_engine_feed(engine, "s", &partition, &error), WR_OK);
    assert_int_equal(wr_engine_start(engine, &error), WR_OK);
}

/* What kept operators hold can be put into those of the new program, whatever has come to stand before them. */
static void kept_state_can_be_loaded(void **state)
{
    static const char lines[] = "{\"k\":\"a\",\"n\":1,\"at\":1000}\n{\"k\":\"b\",\"n\":1,\"at\":5000}\n";
    struct compiling old, now;
    struct wr_engine from, to;
    struct wr_error error = {0};
    struct wr_upgrade u;
    (void)state;
    compile_well(&old, STREAM PATTERN("p", "1h") "CREATE STREAM t; INSERT INTO t SELECT k, window_end AS e, SUM(n) AS n "
                       "FROM TUMBLE(s, at, 1h) GROUP BY k, window_start, window_end;");
    compile_well(&now, STREAM PATTERN("before", "2h") PATTERN("p", "1h") "CREATE STREAM r; INSERT INTO r SELECT k FROM s; "
                       "CREATE STREAM t; INSERT INTO t SELECT k, window_end AS e, SUM(n) AS n FROM TUMBLE(s, at, 1h) "
                       "GROUP BY k, window_start, window_end;");
    wr_upgrade_match_programs(old.program, now.program, &u);
    start_engine(&from, old.program);
    start_engine(&to, now.program);
    assert_int_equal(wr_engine_push(&from, "s", 0, wr_slice_cstr(lines), NULL, &error), WR_OK);
    assert_int_equal(wr_engine_advance(&from, 5000000, &error), WR_OK);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < old.program->node_count; i++) {
        struct wr_operator *op = from.task.op[i];
        if (!op->cls->save_all || u.old_verdict[i] != WR_UPGRADE_KEPT) continue;
        struct moved moved = {.to = to.task.op[u.to[i]]};
        op->cls->save_all(op, move_entry, &moved);
        if (moved.loaded < moved.entries) print_error("%s: not all can be loaded\n", wr_node_shown_name(old.program, i));
        assert_int_equal(moved.loaded, moved.entries);
        kept++;
    }
    assert_int_equal(kept, 5); /* source, pattern, window, two outputs */
    wr_engine_release(&from);
    wr_engine_release(&to);
    wr_upgrade_release(&u);
    release(&old);
    release(&now);
}

/* Another size means another field: vm/identity.c has to take it in, unless it changes neither what the operator does
 * nor the bytes of its state. Then put the new size here. */
static void every_field_is_known(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct wr_source_node), 48);
    assert_int_equal(sizeof(struct wr_field), 32);
    assert_int_equal(sizeof(struct wr_select_node), 16);
    assert_int_equal(sizeof(struct wr_window_node), 64);
    assert_int_equal(sizeof(struct wr_aggregate), 24);
    assert_int_equal(sizeof(struct wr_pattern_node), 256);
    assert_int_equal(sizeof(struct wr_pattern_position), 32);
    assert_int_equal(sizeof(struct wr_pattern_variable), 24);
    assert_int_equal(sizeof(struct wr_follow), 40);
    assert_int_equal(sizeof(struct wr_kill), 4);
    assert_int_equal(sizeof(struct wr_lead), 16);
    assert_int_equal(sizeof(struct wr_input), 16);
    assert_int_equal(sizeof(struct wr_output_node), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pairs_of_programs), cmocka_unit_test(the_identity_of_a_program),
                                       cmocka_unit_test(reports), cmocka_unit_test(kept_state_can_be_loaded),
                                       cmocka_unit_test(every_field_is_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
