/* weir help: commands, topics and diagnostic codes, offline. */
#include "base/text.h"
#include "cli/cli.h"
#include "compiler/compile.h"
#include "dsl/diag.h"
#include "vm/builtin.h"
#include "vm/bytecode_page.h"

struct topic {
    const char *name, *line, *page;
};

static const struct topic topics[] = {
#define TOPIC(name, line, page) {#name, line, page},
#include "cli/topics.def"
#undef TOPIC
};

/* "exit-codes" and "exit_codes" alike. */
static bool same_topic(const char *name, const char *wanted)
{
    for (; *name && *wanted; name++, wanted++)
        if (*name != wr_lower(*wanted) && !(*name == '_' && *wanted == '-')) return false;
    return *name == *wanted;
}

/* Overloads of a function are told once where they say the same. */
static bool says_the_same(int builtin)
{
    if (builtin == 0) return false;
    const struct wr_builtin_info *a = wr_builtin_info((enum wr_builtin)(builtin - 1)),
                                 *b = wr_builtin_info((enum wr_builtin)builtin);
    return strcmp(a->signature, b->signature) == 0 && strcmp(a->sentence, b->sentence) == 0;
}

/* One function, by its name. */
static void print_function(const char *wanted, struct wr_buf *out)
{
    for (int i = 0; i < WR_BUILTIN_COUNT; i++) {
        const struct wr_builtin_info *b = wr_builtin_info((enum wr_builtin)i);
        if (wr_slice_equal_nocase(wr_slice_cstr(b->name), wr_slice_cstr(wanted)) && !says_the_same(i))
            wr_buf_printf(out, "%s\n  %s\n", b->signature, b->sentence);
    }
}

static void print_functions(struct wr_buf *out)
{
    wr_buf_add_cstr(out, "Scalar functions:\n\n");
    for (int i = 0; i < WR_BUILTIN_COUNT; i++) {
        const struct wr_builtin_info *b = wr_builtin_info((enum wr_builtin)i);
        size_t width = wr_utf8_length(wr_slice_cstr(b->signature));
        int blanks = width < 44 ? (int)(44 - width) : 0;
        if (!says_the_same(i)) wr_buf_printf(out, "  %s%*s %s\n", b->signature, blanks, "", b->sentence);
    }
    wr_buf_add_cstr(out, "\nOf the language itself: COALESCE(x, …) the first that is not NULL;\n"
                         "NULLIF(x, y) NULL where they are equal;\n"
                         "CASE WHEN … THEN … ELSE … END; CAST(x AS t), x::t, TRY_CAST(x AS t) (NULL where it fails);\n"
                         "NOW() the event time of the row, since there is no clock.\n");
    wr_buf_add_cstr(out, "\nAggregates, each with FILTER (WHERE …): COUNT SUM AVG MIN MAX VAR_SAMP STDDEV_SAMP FIRST LAST\n"
                         "ARG_MIN ARG_MAX ANY_VALUE STRING_AGG COUNT(DISTINCT x)\n");
}

/* How a value of that kind is written. */
static void print_values(const struct wr_setting_info *s, struct wr_buf *out)
{
    static const struct { const char *kind, *written; } kinds[] = {
        {"DURATION", "a duration: 10s, 5m"}, {"COUNT", "a whole number"}, {"LIMIT", "a whole number from 1 on"},
        {"SIZE", "bytes: 1000000, '512MB'"}, {"SWITCH", "true or false"}, {"CHARACTER", "one byte: ';'"}};
    if (strcmp(s->kind, "CHOICES") == 0) wr_buf_add_cstr(out, "some of: ");
    for (const char *at = s->values; *at; at++) {
        if (*at == '|') wr_buf_add_cstr(out, ", ");
        else wr_buf_add_char(out, *at);
        if (*at == ':' && (!at[1] || at[1] == '|')) wr_buf_add_cstr(out, "NAME");
    }
    if (!*s->values && strcmp(s->kind, "TEXT") == 0) wr_buf_add_cstr(out, "a text");
    for (size_t i = 0; i < WR_COUNT(kinds); i++)
        if (strcmp(s->kind, kinds[i].kind) == 0) wr_buf_add_cstr(out, kinds[i].written);
}

static void print_settings(bool option, struct wr_buf *out)
{
    const struct wr_setting_info *s;
    wr_buf_add_cstr(out, option ? "\nCREATE STREAM … WITH (name = value):\n\n" : "\nSET name = value:\n\n");
    for (size_t i = 0; (s = wr_setting_at(option, i)); i++) {
        wr_buf_printf(out, "  %-22s  %s", s->name, s->sentence);
        wr_buf_printf(out, "\n  %-22s    ", "");
        print_values(s, out);
        if (!s->runs) wr_buf_add_cstr(out, "; does not run yet");
        else if (*s->otherwise) wr_buf_printf(out, "; if not said: %s", s->otherwise);
        wr_buf_add_char(out, '\n');
    }
}

/* docs/settings.md: every setting and option. */
static void print_settings_page(struct wr_buf *out)
{
    const struct wr_setting_info *s;
    wr_buf_add_cstr(out, "# Settings\n\nMade from `compiler/config.def`; `weir help settings` shows the same.\n"
                         "`SET name = value;` stands in a program, `WITH (name = value, …)` behind the columns of a stream.\n");
    for (int option = 0; option < 2; option++) {
        wr_buf_printf(out, "\n## %s\n\n| name | what it is | value | if not said |\n|---|---|---|---|\n",
                      option ? "Of a stream: WITH" : "Of a program: SET");
        for (size_t i = 0; (s = wr_setting_at(option, i)); i++) {
            wr_buf_printf(out, "| `%s` | %s | ", s->name, s->sentence);
            print_values(s, out);
            wr_buf_printf(out, " | %s |\n", s->runs ? s->otherwise : "does not run yet: refused by name");
        }
    }
}

/* Words that a person looks for, and the topic that has them. */
static const struct { const char *word, *topic; } also[] = {
    {"streams", "statements"}, {"stream", "statements"}, {"create", "statements"}, {"view", "statements"},
    {"views", "statements"}, {"parameter", "statements"}, {"parameters", "statements"}, {"insert", "statements"},
    {"set", "settings"}, {"late", "time"}, {"watermark", "time"}, {"tumble", "windows"}, {"hop", "windows"},
    {"window", "windows"}, {"within", "patterns"}, {"define", "patterns"}, {"match", "patterns"},
    {"match_recognize", "patterns"}, {"pattern", "patterns"}, {"not", "patterns"}, {"json", "files"}, {"csv", "files"},
    {"gzip", "files"}, {"type", "types"}, {"decimal", "types"}, {"timestamp", "types"}, {"interval", "types"},
    {"aggregates", "functions"}, {"test", "tests"}, {"wtest", "tests"}, {"exit", "exit_codes"},
    {"with", "settings"}, {"limits", "settings"}, {"memory", "settings"}, {"states", "state"}, {"checkpoint", "state"},
    {"checkpoints", "state"}, {"resume", "state"}, {"upgrade", "state"}, {"upgrades", "state"}};

static const char *topic_of(const char *wanted)
{
    for (size_t i = 0; i < WR_COUNT(also); i++)
        if (same_topic(also[i].word, wanted)) return also[i].topic;
    return wanted;
}

static void offer_all(struct wr_suggestion *s)
{
    for (size_t i = 0; i < wr_command_count; i++) wr_suggestion_offer(s, wr_slice_cstr(wr_command_table[i].name));
    for (size_t i = 0; i < WR_COUNT(topics); i++) wr_suggestion_offer(s, wr_slice_cstr(topics[i].name));
    wr_suggestion_offer(s, WR_SLICE("functions"));
    for (int i = 0; i < WR_BUILTIN_COUNT; i++) {
        const char *name = wr_builtin_info((enum wr_builtin)i)->name;
        if (i && strcmp(name, wr_builtin_info((enum wr_builtin)(i - 1))->name) == 0) continue;
        wr_suggestion_offer(s, wr_slice_cstr(name));
    }
    for (int code = 0; code < WR_DIAG_COUNT; code++)
        wr_suggestion_offer(s, wr_slice_cstr(wr_diag_name((enum wr_diag_code)code)));
}

static int unknown_topic(const char *wanted)
{
    struct wr_suggestion s;
    wr_suggestion_init(&s, wr_slice_cstr(wanted));
    offer_all(&s);
    struct wr_slice best = wr_suggestion_best(&s);
    if (best.size)
        return wr_fail(WR_EXIT_USAGE, "no command, topic or code '%s'; did you mean '%.*s'?", wanted, WR_SLICE_ARG(best));
    wr_fail(0, "no command, topic or code '%s'; the topics are:", wanted);
    for (size_t i = 0; i < WR_COUNT(topics); i++) fprintf(stderr, "  %-11s %s\n", topics[i].name, topics[i].line);
    fprintf(stderr, "  %-11s %s\n", "functions", "every scalar function and aggregate");
    return WR_EXIT_USAGE;
}

static void print_code(enum wr_diag_code code, struct wr_buf *out)
{
    wr_buf_printf(out, "%s: %s (%s)\n\n%s", wr_diag_name(code), wr_diag_title(code),
                  wr_diag_severity(code) == WR_SEVERITY_ERROR ? "error" : "warning", wr_diag_page(code));
    if (out->size && out->data[out->size - 1] != '\n') wr_buf_add_char(out, '\n');
}

/* docs/errors.md: every diagnostic with its page. */
static void print_errors_page(struct wr_buf *out)
{
    wr_buf_add_cstr(out, "# Diagnostics\n\n"
                         "Every code with what it means and how it is mended; `weir help CODE` shows the same offline.\n"
                         "Made from `dsl/diag.def`.\n");
    for (int code = 0; code < WR_DIAG_COUNT; code++) {
        enum wr_diag_code c = (enum wr_diag_code)code;
        wr_buf_printf(out, "\n## %s: %s\n\n%s.\n\n```\n%s", wr_diag_name(c), wr_diag_title(c),
                      wr_diag_severity(c) == WR_SEVERITY_ERROR ? "Error" : "Warning", wr_diag_page(c));
        if (out->data[out->size - 1] != '\n') wr_buf_add_char(out, '\n');
        wr_buf_add_cstr(out, "```\n");
    }
}

/* docs/functions.md: every scalar function. */
static void print_functions_page(struct wr_buf *out)
{
    wr_buf_add_cstr(out, "# Functions\n\nMade from `vm/builtins.def`.\n\n| function | what it gives |\n|---|---|\n");
    for (int i = 0; i < WR_BUILTIN_COUNT; i++) {
        const struct wr_builtin_info *b = wr_builtin_info((enum wr_builtin)i);
        if (says_the_same(i)) continue;
        wr_buf_add_cstr(out, "| `");
        for (const char *p = b->signature; *p; p++) wr_buf_printf(out, *p == '|' ? "\\%c" : "%c", *p);
        wr_buf_printf(out, "` | %s |\n", b->sentence);
    }
}

static int print_page(const char *page)
{
    struct wr_buf out = {0};
    if (strcmp(page, "bytecode") == 0) wr_bytecode_page(&out);
    else if (strcmp(page, "errors") == 0) print_errors_page(&out);
    else if (strcmp(page, "functions") == 0) print_functions_page(&out);
    else if (strcmp(page, "settings") == 0) print_settings_page(&out);
    else return wr_fail(WR_EXIT_USAGE, "--page is bytecode, errors, functions or settings, not '%s'", page);
    wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
    return WR_EXIT_DONE;
}

int wr_cli_help(struct wr_args *args)
{
    const char *page = wr_args_value(args, WR_OPTION_PAGE);
    if (page) return print_page(page);
    if (args->positional.count != 1) return wr_fail(WR_EXIT_USAGE, "help explains one thing at a time: weir help TOPIC");
    const char *wanted = args->positional.at[0];
    const struct wr_command_info *command = wr_command_find(wanted);
    struct wr_buf out = {0};
    if (command) {
        wr_print_usage(command, false, stdout);
        for (size_t i = 0; i < WR_COUNT(topics); i++)
            if (same_topic(topics[i].name, wanted)) wr_buf_printf(&out, "\n%s", topics[i].page);
        if (out.size) wr_put_out(wr_buf_slice(&out));
        wr_buf_release(&out);
        return WR_EXIT_DONE;
    }
    enum wr_diag_code code = wr_diag_find(wr_slice_cstr(wanted));
    wanted = topic_of(wanted);
    if (code != WR_DIAG_COUNT) print_code(code, &out);
    else if (same_topic("functions", wanted)) print_functions(&out);
    for (size_t i = 0; i < WR_COUNT(topics); i++)
        if (same_topic(topics[i].name, wanted)) wr_buf_add_cstr(&out, topics[i].page);
    for (int option = 0; option < 2 && same_topic("settings", wanted); option++) print_settings(option, &out);
    if (!out.size) print_function(wanted, &out);
    int result = out.size ? WR_EXIT_DONE : unknown_topic(wanted);
    if (out.size) wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
    return result;
}
