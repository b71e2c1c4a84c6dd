/* What was probably meant by a line that is not understood; texts that are none. */
#include "base/text.h"
#include "cli/wtest.h"

static const char *const above_words[] = {"watermark", "wallclock", "idle",  "input", "use",
                                          "start",     "default",   "param", "skip",  "xfail"};
static const char *const below_words[] = {"none", "unordered", "...",  "not",   "late",
                                          "dlq",  "dropped",   "open", "error", "timeout"};

static bool is_one_of(struct wr_slice word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (wr_slice_equal_nocase(word, wr_slice_cstr(list[i]))) return true;
    return false;
}

/* Made of nothing but this, at least twice? */
static bool is_all(struct wr_slice word, const char *unit)
{
    size_t size = strlen(unit), count = 0;
    for (; word.size >= size && memcmp(word.data, unit, size) == 0; count++)
        word = wr_slice_of(word.data + size, word.size - size);
    return !word.size && count > 1;
}

static bool is_dashes(struct wr_slice word)
{
    static const char *const dashes[] = {"—", "–", "−"}; /* one of these stands for several */
    for (size_t i = 0; i < WR_COUNT(dashes); i++)
        if (wr_slice_equal(word, wr_slice_cstr(dashes[i])) || is_all(word, dashes[i])) return true;
    return is_all(word, "-") || wr_slice_equal(word, WR_SLICE("-—")) || wr_slice_equal(word, WR_SLICE("—-"));
}

static bool begins(struct wr_slice word, const char *with)
{
    size_t size = strlen(with);
    return word.size >= size && memcmp(word.data, with, size) == 0;
}

static struct wr_slice nearest(struct wr_slice word, bool below)
{
    const char *const *list = below ? below_words : above_words;
    size_t count = below ? WR_COUNT(below_words) : WR_COUNT(above_words);
    struct wr_suggestion s;
    wr_suggestion_init(&s, word);
    for (size_t i = 0; i < count; i++) wr_suggestion_offer(&s, wr_slice_cstr(list[i]));
    return wr_suggestion_best(&s);
}

const char *wr_test_hint(struct wr_arena *arena, struct wr_slice word, bool below)
{
    const char *line = "the line between what comes in and what is expected is three of them: ---";
    bool known_above = is_one_of(word, above_words, WR_COUNT(above_words));
    bool known_below = is_one_of(word, below_words, WR_COUNT(below_words));
    if (is_dashes(word)) return line;
    if (is_all(word, "=")) return "a case begins with three of them: === NAME";
    if (begins(word, "===")) return "write a blank behind ===, then the name of the case";
    if (begins(word, "//")) return "a comment begins with #";
    if (below ? known_below : known_above) return "in small letters";
    if (known_below) return "what is expected stands below a --- line, and there is none above this line";
    if (known_above) return "it stands above the --- line; the next case begins with === NAME";
    struct wr_slice best = nearest(word, below);
    if (!best.size) best = nearest(word, !below);
    return best.size ? wr_arena_printf(arena, "did you mean '%.*s'?", WR_SLICE_ARG(best)).data : NULL;
}

const char *wr_test_text_error(struct wr_slice text)
{
    if (begins(text, "\xff\xfe") || begins(text, "\xfe\xff") || (text.size && memchr(text.data, 0, WR_MIN(text.size, 4096u))))
        return "the file is not UTF-8 (it may be UTF-16): save it as UTF-8";
    return NULL;
}

struct wr_slice wr_test_behind_mark(struct wr_slice text)
{
    return begins(text, "\xef\xbb\xbf") ? wr_slice_of(text.data + 3, text.size - 3) : text;
}
