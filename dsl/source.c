/* Source texts and places in them. Line starts are found once, a place by bisection. */
#include "dsl/source.h"
#include "base/alloc.h"

void wr_sources_init(struct wr_sources *sources, struct wr_arena *arena)
{
    *sources = (struct wr_sources){.arena = arena};
}

static void find_lines(struct wr_source *source, struct wr_arena *arena)
{
    const char *text = source->text.data, *end = text + source->text.size;
    uint32_t count = 1;
    for (const char *p = text; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) count++;
    source->line_start = WR_NEW_ARRAY(arena, uint32_t, count);
    source->line_count = count;
    uint32_t line = 1;
    for (const char *p = text; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        source->line_start[line++] = (uint32_t)(p + 1 - text);
}

uint32_t wr_sources_add(struct wr_sources *sources, struct wr_slice name, struct wr_slice text)
{
    if (sources->count == sources->capacity) {
        uint32_t capacity = sources->capacity ? 2 * sources->capacity : 4;
        struct wr_source *grown = WR_NEW_ARRAY(sources->arena, struct wr_source, capacity);
        if (sources->count) memcpy(grown, sources->at, sources->count * sizeof *grown);
        sources->at = grown;
        sources->capacity = capacity;
    }
    struct wr_source *source = &sources->at[sources->count];
    *source = (struct wr_source){.name = wr_arena_copy(sources->arena, name),
                                 .text = wr_arena_copy(sources->arena, text)};
    find_lines(source, sources->arena);
    return sources->count++;
}

struct wr_position wr_source_position(const struct wr_source *source, uint32_t offset)
{
    if (offset > source->text.size) offset = (uint32_t)source->text.size;
    uint32_t low = 0, high = source->line_count; /* line_start[low] <= offset < line_start[high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_start[middle] <= offset) low = middle;
        else high = middle;
    }
    uint32_t start = source->line_start[low], column = 1;
    if (start == 0 && source->text.size >= 3 && memcmp(source->text.data, "\xef\xbb\xbf", 3) == 0) start = 3;
    for (uint32_t i = start; i < offset; i++)
        if (((unsigned char)source->text.data[i] & 0xc0) != 0x80) column++;
    return (struct wr_position){low + 1 + source->line_shift, column};
}

struct wr_slice wr_source_line(const struct wr_source *source, uint32_t line)
{
    line -= source->line_shift;
    if (line < 1 || line > source->line_count) return (struct wr_slice){NULL, 0};
    uint32_t start = source->line_start[line - 1];
    size_t end = line < source->line_count ? source->line_start[line] - 1 : source->text.size;
    if (end > start && source->text.data[end - 1] == '\r') end--;
    if (start == 0 && end >= 3 && memcmp(source->text.data, "\xef\xbb\xbf", 3) == 0) start = 3;
    return wr_slice_of(source->text.data + start, end - start);
}

struct wr_slice wr_span_text(const struct wr_sources *sources, struct wr_span span)
{
    WR_ASSERT(span.file < sources->count);
    struct wr_slice text = sources->at[span.file].text;
    WR_ASSERT(span.start <= span.end && span.end <= text.size);
    return wr_slice_of(text.data + span.start, span.end - span.start);
}
