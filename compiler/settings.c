/* SET and WITH (…): names with suggestions, values by their kind. Values are kept as text. */
#include "compiler/state.h"
#include "vm/limits.h"

enum kind {
    KIND_TEXT, KIND_CHOICE, KIND_CHOICES, KIND_DURATION, KIND_COUNT, KIND_LIMIT, KIND_SIZE, KIND_SWITCH, KIND_CHARACTER
};

struct known {
    const char *name;
    enum kind kind;
    const char *values;
    bool later;
    struct wr_setting_info info;
};

#define LATER "\x01"
static const struct known settings[] = {
#define SETTING(NAME, KIND, VALUES, DEFAULT, SENTENCE) \
    {NAME, KIND_##KIND, VALUES, DEFAULT[0] == 1, {NAME, #KIND, VALUES, DEFAULT, SENTENCE, DEFAULT[0] != 1}},
#define OPTION(NAME, KIND, VALUES, DEFAULT, SENTENCE)
#include "compiler/config.def"
#undef SETTING
#undef OPTION
};
static const struct known options[] = {
#define SETTING(NAME, KIND, VALUES, DEFAULT, SENTENCE)
#define OPTION(NAME, KIND, VALUES, DEFAULT, SENTENCE) \
    {NAME, KIND_##KIND, VALUES, DEFAULT[0] == 1, {NAME, #KIND, VALUES, DEFAULT, SENTENCE, DEFAULT[0] != 1}},
#include "compiler/config.def"
#undef SETTING
#undef OPTION
};

const struct wr_setting_info *wr_setting_at(bool option, size_t i)
{
    if (i >= (option ? WR_COUNT(options) : WR_COUNT(settings))) return NULL;
    return option ? &options[i].info : &settings[i].info;
}

static const struct known *find(const struct known *list, size_t count, struct wr_slice name,
                                struct wr_suggestion *near)
{
    wr_suggestion_init(near, name);
    for (size_t i = 0; i < count; i++) {
        if (wr_slice_equal_nocase(wr_slice_cstr(list[i].name), name)) return &list[i];
        wr_suggestion_offer(near, wr_slice_cstr(list[i].name));
    }
    return NULL;
}

/* "skip|stop|dlq:" as "'skip', 'stop' or 'dlq:…'". */
static struct wr_slice spelled(struct wr_compile *c, const char *values)
{
    struct wr_buf out = {0};
    for (const char *at = values; *at;) {
        size_t n = strcspn(at, "|");
        bool last = !at[n], open = at[n - 1] == ':';
        wr_buf_printf(&out, "%s'%.*s%s'",
                      at == values ? ""
                      : last       ? " or "
                                   : ", ",
                      (int)n, at, open ? "…" : "");
        at += n + !last;
    }
    struct wr_slice text = wr_arena_copy(c->arena, wr_buf_slice(&out));
    wr_buf_release(&out);
    return text;
}

static bool is_choice(const char *values, struct wr_slice value, struct wr_suggestion *near)
{
    wr_suggestion_init(near, value);
    for (const char *at = values; *at;) {
        size_t n = strcspn(at, "|");
        struct wr_slice one = wr_slice_of(at, n);
        bool open = n && at[n - 1] == ':';
        if (wr_slice_equal_nocase(one, value)) return true;
        if (open && value.size > n && memcmp(value.data, at, n) == 0) return true;
        wr_suggestion_offer(near, one);
        at += n + (at[n] == '|');
    }
    return false;
}

/* The first of the values between commas that is none of the choices; "": all are. */
static struct wr_slice first_wrong(const char *values, struct wr_slice list, struct wr_suggestion *near)
{
    while (list.size) {
        const char *comma = memchr(list.data, ',', list.size);
        struct wr_slice one = wr_slice_of(list.data, comma ? (size_t)(comma - list.data) : list.size);
        if (!is_choice(values, one, near)) return one;
        size_t past = one.size + (comma != NULL);
        list = wr_slice_of(list.data + past, list.size - past);
    }
    return list;
}

bool wr_option_text(struct wr_compile *c, const struct wr_expr *value, const char **text)
{
    switch ((int)value->kind) {
    case WR_EXPR_STRING:
    case WR_EXPR_NUMBER: *text = wr_cstr(c, value->u.text); return true;
    case WR_EXPR_BOOL: *text = value->u.boolean ? "true" : "false"; return true;
    case WR_EXPR_DURATION:
        *text = wr_arena_printf(c->arena, "%lldus", (long long)value->u.duration.micros).data;
        return true;
    case WR_EXPR_UNARY:
        if (value->u.unary.op != WR_UNARY_MINUS || value->u.unary.operand->kind != WR_EXPR_NUMBER)
            return false;
        *text =
            wr_arena_printf(c->arena, "-%.*s", WR_SLICE_ARG(value->u.unary.operand->u.text)).data;
        return true;
    case WR_EXPR_NAME: /* format = json */
        if (value->u.name.count != 1) return false;
        *text = wr_cstr(c, value->u.name.at[0].text);
        return true;
    default: return false;
    }
}

static bool bad_value(struct wr_compile *c, enum wr_diag_code code, const struct wr_expr *value,
                      const char *name, struct wr_slice takes)
{
    wr_diag_add(c->diags, code, value->span, "'%s' takes %.*s", name, WR_SLICE_ARG(takes));
    return false;
}

static bool check_value(struct wr_compile *c, const struct known *known,
                        const struct wr_expr *value, enum wr_diag_code code, const char **text)
{
    if (value->kind == WR_EXPR_ERROR) return false;
    if (!wr_option_text(c, value, text)) {
        wr_diag_add(c->diags, WR_DIAG_W0512, value->span, "'%s' takes a literal", known->name);
        return false;
    }
    struct wr_slice t = wr_slice_cstr(*text);
    struct wr_suggestion near;
    int64_t number;
    uint64_t bytes;
    switch (known->kind) {
    case KIND_DURATION:
        if (value->kind == WR_EXPR_DURATION) return true;
        if (value->kind != WR_EXPR_STRING || !wr_parse_interval(t, &number) || number < 0)
            return bad_value(c, code, value, known->name, WR_SLICE("a duration such as 30s"));
        *text = wr_arena_printf(c->arena, "%lldus", (long long)number).data;
        return true;
    case KIND_COUNT:
        if (wr_parse_i64(t, &number) && number >= 0) return true;
        return bad_value(c, code, value, known->name, WR_SLICE("a whole number, 0 or more"));
    case KIND_LIMIT:
        if (wr_parse_i64(t, &number) && number > 0) return true;
        return bad_value(c, code, value, known->name, WR_SLICE("a whole number, 1 or more"));
    case KIND_SIZE:
        if (wr_parse_bytes(t, &bytes) && bytes) return true;
        return bad_value(c, code, value, known->name, WR_SLICE("a number of bytes, such as 1000000 or '512MB'"));
    case KIND_SWITCH:
        if (is_choice("true|false", t, &near)) return true;
        return bad_value(c, code, value, known->name, WR_SLICE("true or false"));
    case KIND_CHARACTER:
        if (wr_slice_equal(t, WR_SLICE("\\t")) || (t.size == 1 && !strchr("\"\r\n", t.data[0]))) return true;
        return bad_value(c, code, value, known->name, WR_SLICE("one character of ASCII, or \\t for a tab; no quote"));
    case KIND_CHOICES:
        if (t.size && !first_wrong(known->values, t, &near).size) return true;
        break;
    default: break;
    }
    if (!known->values[0] || (known->kind != KIND_CHOICES && is_choice(known->values, t, &near))) return true;
    bool what = strcmp(known->name, "connector") == 0 || strcmp(known->name, "format") == 0;
    struct wr_diag *d;
    if (what)
        d = wr_diag_add(c->diags, WR_DIAG_W0317, value->span, "there is no %s '%s' in this build",
                        known->name, *text);
    else
        d = wr_diag_add(c->diags, code, value->span, "'%s' takes %.*s", known->name,
                        WR_SLICE_ARG(spelled(c, known->values)));
    struct wr_slice best = wr_suggestion_best(&near);
    if (best.size) wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
    else if (what)
        wr_diag_help(c->diags, d, "it takes %.*s", WR_SLICE_ARG(spelled(c, known->values)));
    return false;
}

static bool refuse_dead_letters(struct wr_compile *c, const struct known *known,
                                const struct wr_expr *value, const char *text)
{
    if (strcmp(known->name, "on_error") != 0 || strncmp(text, "dlq:", 4) != 0) return false;
    wr_not_yet(c, value->span, "a dead-letter output");
    return true;
}

/* Options of librdkafka are passed on as they are. */
static bool is_passed_on(struct wr_slice name)
{
    struct wr_slice prefix = WR_SLICE("properties.");
    return name.size > prefix.size && memcmp(name.data, prefix.data, prefix.size) == 0;
}

static void check_required(struct wr_compile *c, const struct wr_statement *s,
                           const struct wr_stream *stream)
{
    const char *connector = wr_stream_option(stream, "connector");
    if (!connector) return;
    const char *needs = wr_slice_equal_nocase(wr_slice_cstr(connector), WR_SLICE("kafka")) ? "topic"
                                                                                           : "path";
    if (wr_stream_option(stream, needs)) return;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0608, s->name.span,
                                    "the connector '%s' needs the option '%s'", connector, needs);
    wr_diag_help(c->diags, d, "WITH (connector = '%s', %s = '…')", connector, needs);
}

void wr_check_options(struct wr_compile *c, const struct wr_statement *s, struct wr_stream *stream)
{
    struct wr_option_value *out = WR_NEW_ARRAY(c->arena, struct wr_option_value,
                                               s->option_count + 1);
    uint32_t n = 0;
    bool ok = true;
    for (uint32_t i = 0; i < s->option_count; i++) {
        const struct wr_option *o = &s->option[i];
        struct wr_suggestion near;
        const char *text;
        if (o->name.text.size == 0) continue; /* what could not be read */
        const struct known *known = find(options, WR_COUNT(options), o->name.text, &near);
        if (!known && is_passed_on(o->name.text)) {
            if (wr_option_text(c, o->value, &text))
                out[n++] = (struct wr_option_value){wr_cstr(c, o->name.text), text};
            continue;
        }
        if (!known) {
            struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0310, o->name.span,
                                            "there is no option '%.*s'",
                                            WR_SLICE_ARG(o->name.text));
            struct wr_slice best = wr_suggestion_best(&near);
            if (best.size) wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
            else wr_diag_help(c->diags, d, "`weir help settings` lists settings and options");
            ok = false;
            continue;
        }
        bool twice = false;
        for (uint32_t k = 0; k < n; k++) twice |= strcmp(out[k].name, known->name) == 0;
        if (twice) {
            wr_diag_add(c->diags, WR_DIAG_W0204, o->name.span, "the option '%s' is given twice",
                        known->name);
            ok = false;
        } else if (check_value(c, known, o->value, WR_DIAG_W0508, &text) &&
                   !refuse_dead_letters(c, known, o->value, text)) {
            out[n++] = (struct wr_option_value){known->name, text};
        } else {
            ok = false;
        }
    }
    stream->option = out;
    stream->option_count = n;
    if (ok) check_required(c, s, stream);
}

void wr_check_setting(struct wr_compile *c, const struct wr_statement *s)
{
    struct wr_suggestion near;
    const char *text;
    const struct known *known = find(settings, WR_COUNT(settings), s->name.text, &near);
    if (!known) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0309, s->name.span,
                                        "there is no setting '%.*s'", WR_SLICE_ARG(s->name.text));
        struct wr_slice best = wr_suggestion_best(&near);
        if (best.size) wr_diag_help(c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
        else wr_diag_help(c->diags, d, "`weir help settings` lists settings and options");
        return;
    }
    if (known->later) {
        wr_not_yet(c, s->span,
                   wr_cstr(c, wr_arena_printf(c->arena, "the setting '%s'", known->name)));
        return;
    }
    if (!check_value(c, known, s->value, WR_DIAG_W0509, &text) ||
        refuse_dead_letters(c, known, s->value, text))
        return;
    for (size_t i = 0; i < c->state->setting.count; i++)
        if (strcmp(c->state->setting.at[i].name, known->name) == 0) {
            if (strcmp(known->name, "dialect") == 0 && c->options && c->options->flink_dialect)
                return; /* the command line's */
            wr_diag_add(c->diags, WR_DIAG_W0204, s->name.span, "the setting '%s' is given twice",
                        known->name);
            return;
        }
    if (strcmp(known->name, "dialect") == 0)
        c->flink_dialect = wr_slice_equal_nocase(wr_slice_cstr(text), WR_SLICE("flink"));
    if (strcmp(known->name, "matcher") == 0) c->state->matcher_span = s->value->span;
    wr_list_push(c->arena, &c->state->setting, (struct wr_option_value){known->name, text});
}
