/* The list of diagnostics of one program. How they look is in diag_render.c. */
#include "dsl/diag.h"

#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *title, *page;
    enum wr_severity severity;
} infos[WR_DIAG_COUNT] = {
#define DIAG(code, level, title_text, page_text) {#code, title_text, page_text, WR_SEVERITY_##level},
#include "dsl/diag.def"
#undef DIAG
};

const char *wr_diag_name(enum wr_diag_code code)
{
    WR_ASSERT(code < WR_DIAG_COUNT);
    return infos[code].name;
}

const char *wr_diag_title(enum wr_diag_code code)
{
    WR_ASSERT(code < WR_DIAG_COUNT);
    return infos[code].title;
}

enum wr_severity wr_diag_severity(enum wr_diag_code code)
{
    WR_ASSERT(code < WR_DIAG_COUNT);
    return infos[code].severity;
}

const char *wr_diag_page(enum wr_diag_code code)
{
    WR_ASSERT(code < WR_DIAG_COUNT);
    return infos[code].page;
}

enum wr_diag_code wr_diag_find(struct wr_slice name)
{
    for (int i = 0; i < WR_DIAG_COUNT; i++)
        if (wr_slice_equal_nocase(name, wr_slice_cstr(infos[i].name))) return (enum wr_diag_code)i;
    return WR_DIAG_COUNT;
}

void wr_diags_init(struct wr_diags *diags, struct wr_arena *arena, struct wr_sources *sources)
{
    *diags = (struct wr_diags){.arena = arena, .sources = sources};
}

static struct wr_slice text_of(struct wr_diags *diags, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    WR_ASSERT(size >= 0);
    char *text = wr_arena_alloc(diags->arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    return wr_slice_of(text, (size_t)size);
}

/* Room in the list; the spare one past the most errors that are kept (warnings have the same bound of
 * their own). */
static struct wr_diag *slot(struct wr_diags *diags, enum wr_severity severity)
{
    uint32_t *count = severity == WR_SEVERITY_ERROR ? &diags->error_count : &diags->warning_count;
    if ((*count)++ >= WR_DIAG_ERRORS_MAX) return diags->spare;
    if (!diags->at) { /* all that will ever be kept, so that what is given out stays where it is */
        diags->capacity = 2 * WR_DIAG_ERRORS_MAX;
        diags->at = WR_NEW_ARRAY(diags->arena, struct wr_diag, diags->capacity);
    }
    WR_ASSERT(diags->count < diags->capacity);
    return &diags->at[diags->count++];
}

struct wr_diag *wr_diag_add(struct wr_diags *diags, enum wr_diag_code code, struct wr_span span,
                            const char *format, ...)
{
    if (!diags->spare) diags->spare = WR_NEW(diags->arena, struct wr_diag);
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct wr_diag *d = &diags->at[i];
        if (d->code == code && d->span.file == span.file && d->span.start == span.start && d->span.end == span.end)
            return diags->spare;
    }
    struct wr_diag *d = slot(diags, wr_diag_severity(code));
    if (d == diags->spare) return d;
    va_list arguments;
    va_start(arguments, format);
    *d = (struct wr_diag){.code = code, .span = span, .message = text_of(diags, format, arguments)};
    va_end(arguments);
    return d;
}

void wr_diag_label(struct wr_diags *diags, struct wr_diag *d, const char *format, ...)
{
    if (d == diags->spare) return;
    va_list arguments;
    va_start(arguments, format);
    d->label = text_of(diags, format, arguments);
    va_end(arguments);
}

void wr_diag_second(struct wr_diags *diags, struct wr_diag *d, struct wr_span span, const char *format, ...)
{
    if (d == diags->spare) return;
    va_list arguments;
    va_start(arguments, format);
    d->second_label = text_of(diags, format, arguments);
    va_end(arguments);
    d->second = span;
    d->has_second = true;
}

void wr_diag_help(struct wr_diags *diags, struct wr_diag *d, const char *format, ...)
{
    if (d == diags->spare) return;
    va_list arguments;
    va_start(arguments, format);
    d->help = text_of(diags, format, arguments);
    va_end(arguments);
}

void wr_diag_suggest(struct wr_diags *diags, struct wr_diag *diag, const struct wr_suggestion *near, const char *all)
{
    struct wr_slice best = wr_suggestion_best(near);
    if (best.size) {
        wr_diag_help(diags, diag, "did you mean '%.*s'?", WR_SLICE_ARG(best));
    } else if (near->offered && near->offered <= WR_SUGGESTION_LISTED) {
        struct wr_buf text = {0};
        for (uint32_t i = 0; i < near->offered; i++)
            wr_buf_printf(&text, "%s%.*s", i ? ", " : "", WR_SLICE_ARG(near->listed[i]));
        wr_diag_help(diags, diag, "%s %s", all, wr_buf_cstr(&text));
        wr_buf_release(&text);
    }
}
