/* What the files that implement builtins.def share. Nobody outside vm/ includes it. */
#ifndef WR_VM_BUILTIN_IMPL_H
#define WR_VM_BUILTIN_IMPL_H

#include "base/arena.h"
#include "vm/builtin.h"

/* What a CALL keeps between rows, made by the first one; released with the frame. Slot 0 is a compiled
 * pattern, slot 1 a zone. */
enum { WR_CACHE_PATTERN, WR_CACHE_ZONE, WR_CACHE_SLOTS };
struct wr_frame_cache {
    struct {
        void *data;
        void (*release)(void *data);
    } slot[WR_CACHE_SLOTS];
};
static inline void wr_frame_cache_release(struct wr_frame_cache *cache)
{
    for (int i = 0; i < WR_CACHE_SLOTS; i++)
        if (cache->slot[i].release) cache->slot[i].release(cache->slot[i].data);
}

#define WR_BUILTIN_FN(name)                                                                               \
    enum wr_reason wr_builtin_##name(struct wr_call *call, const struct wr_value *argument, unsigned count, \
                                     struct wr_value *out)

/* The prototypes of all of them, from the list (a function may stand behind several entries). */
#define BUILTIN(ID, NAME, ARGUMENTS, RESULT, HIDDEN, SIGNATURE, SENTENCE, FUNCTION) WR_BUILTIN_FN(FUNCTION);
#include "vm/builtins.def"
#undef BUILTIN

/* Text made by one function is at most so long; more is WR_REASON_LENGTH. */
#define WR_TEXT_SIZE_MAX ((size_t)16 << 20)

/* Units of EXTRACT and DATE_TRUNC. */
enum wr_unit {
    WR_UNIT_MICROSECOND, WR_UNIT_MILLISECOND, WR_UNIT_SECOND, WR_UNIT_MINUTE, WR_UNIT_HOUR, WR_UNIT_DAY,
    WR_UNIT_WEEK, WR_UNIT_MONTH, WR_UNIT_QUARTER, WR_UNIT_YEAR, WR_UNIT_EPOCH, WR_UNIT_DOW, WR_UNIT_ISODOW,
    WR_UNIT_DOY, WR_UNIT_ISOYEAR, WR_UNIT_COUNT /* none of them */
};
enum wr_unit wr_unit_find(struct wr_slice name);
bool wr_unit_fits(enum wr_builtin builtin, enum wr_unit unit);
/* A format of FORMAT_TIMESTAMP; the first field that is unknown, or an empty slice. */
struct wr_slice wr_format_check(struct wr_slice format);
bool wr_number_unit(struct wr_slice name, int64_t *per_second);

/* A compiled regular expression (regexp.c). */
struct wr_regexp;
/* NULL and a sentence in message when it is none. */
struct wr_regexp *wr_regexp_new(struct wr_slice pattern, char *message, size_t size);
void wr_regexp_free(void *regexp);
struct wr_slice wr_regexp_pattern(const struct wr_regexp *regexp);
/* Found anywhere: 1, not: 0, too much work: -1. Linear in the text for a given pattern. */
int wr_regexp_find(struct wr_regexp *regexp, struct wr_slice text);

/* A time zone (zone.c). */
struct wr_zone;
struct wr_zone *wr_zone_new(struct wr_slice name); /* NULL: there is none of that name */
void wr_zone_free(void *zone);
struct wr_slice wr_zone_name(const struct wr_zone *zone);
/* Seconds east of UTC at an instant (seconds since 1970), and the abbreviation in force. */
int32_t wr_zone_offset(const struct wr_zone *zone, int64_t second, const char **abbreviation);
/* The first instant whose local time is `local` (seconds of the local calendar) or, where that is left out
 * because clocks go forward, the instant of that change. */
int64_t wr_zone_instant(const struct wr_zone *zone, int64_t local);

#endif
