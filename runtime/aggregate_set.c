/* The aggregates of variable size. STRING_AGG: a chain of nodes from the last to the first, each one string, so that a
 * text is added in constant time and a copy shares what it has. COUNT(DISTINCT): an open-addressing set in one string:
 * a head, slots of item numbers, and the items in order of first appearance. */
#include "base/hash.h"
#include "runtime/aggregate_internal.h"
#include "runtime/codec.h"

/* ---- Lists ----------------------------------------------------------------------------------------- */

struct node {
    uint32_t before, separator_size; /* then the separator's bytes, then the text's */
};

static struct node node_at(const struct wr_strings *strings, uint32_t id, struct wr_slice *separator,
                           struct wr_slice *text)
{
    size_t size;
    const char *bytes = wr_strings_at(strings, id, &size);
    struct node node;
    WR_ASSERT(size >= sizeof node);
    memcpy(&node, bytes, sizeof node);
    WR_ASSERT(node.separator_size <= size - sizeof node);
    *separator = wr_slice_of(bytes + sizeof node, node.separator_size);
    *text = wr_slice_of(bytes + sizeof node + node.separator_size, size - sizeof node - node.separator_size);
    return node;
}

void wr_list_append(struct wr_cell_list *list, struct wr_slice separator, struct wr_slice text,
                    struct wr_strings *strings)
{
    uint64_t size = list->size + text.size + (list->last ? separator.size : 0);
    if (size > WR_AGGREGATE_TEXT_MAX || separator.size > WR_AGGREGATE_TEXT_MAX) {
        wr_cell_set_error(list, WR_REASON_LENGTH);
        return;
    }
    char *bytes;
    struct node node = {list->last, (uint32_t)separator.size};
    uint32_t id = wr_strings_alloc(strings, sizeof node + separator.size + text.size, &bytes);
    memcpy(bytes, &node, sizeof node);
    if (separator.size) memcpy(bytes + sizeof node, separator.data, separator.size);
    if (text.size) memcpy(bytes + sizeof node + separator.size, text.data, text.size);
    list->last = id;
    list->size = size;
    list->mark++;
}

/* The ids of the nodes, first to last; owned by the caller. */
static uint32_t *node_ids(const struct wr_cell_list *list, const struct wr_strings *strings, size_t *count)
{
    *count = (size_t)wr_cell_count(list);
    uint32_t *ids = wr_alloc(*count * sizeof *ids), id = list->last;
    for (size_t i = *count; i-- > 0;) {
        struct wr_slice separator, text;
        WR_ASSERT(id != 0);
        ids[i] = id;
        id = node_at(strings, id, &separator, &text).before;
    }
    return ids;
}

void wr_list_append_list(struct wr_cell_list *list, const struct wr_cell_list *later, struct wr_strings *strings)
{
    size_t count;
    WR_ASSERT(list != later);
    uint32_t *ids = node_ids(later, strings, &count);
    for (size_t i = 0; i < count; i++) {
        struct wr_slice separator, text;
        node_at(strings, ids[i], &separator, &text); /* bytes of a string do not move when another is added */
        wr_list_append(list, separator, text, strings);
    }
    wr_free(ids);
}

struct wr_slice wr_list_text(const struct wr_cell_list *list, const struct wr_strings *strings, struct wr_arena *scratch)
{
    char *out = wr_arena_alloc(scratch, list->size), *p = out + list->size;
    for (uint32_t id = list->last; id;) {
        struct wr_slice separator, text;
        id = node_at(strings, id, &separator, &text).before;
        p -= text.size;
        if (text.size) memcpy(p, text.data, text.size);
        if (!id) break;
        p -= separator.size;
        if (separator.size) memcpy(p, separator.data, separator.size);
    }
    WR_ASSERT(p == out);
    return wr_slice_of(out, list->size);
}

void wr_list_encode(const struct wr_cell_list *list, const struct wr_strings *strings, struct wr_buf *out)
{
    size_t count;
    uint32_t *ids = node_ids(list, strings, &count);
    for (size_t i = 0; i < count; i++) {
        struct wr_slice separator, text;
        node_at(strings, ids[i], &separator, &text);
        wr_put_bytes(out, separator);
        wr_put_bytes(out, text);
    }
    wr_free(ids);
}

bool wr_list_decode(struct wr_cell_list *list, struct wr_strings *strings, struct wr_slice *in)
{
    uint64_t count = wr_cell_count(list), reason = list->mark & ~WR_MARK_COUNT;
    WR_ASSERT(!list->last && !list->size);
    list->mark = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct wr_slice separator, text;
        if (!wr_get_bytes(in, &separator) || !wr_get_bytes(in, &text)) return false;
        wr_list_append(list, separator, text, strings);
        if (list->mark != i + 1) return false;
    }
    list->mark |= reason;
    return true;
}

void wr_list_release(struct wr_cell_list *list, struct wr_strings *strings)
{
    for (uint32_t id = list->last; id;) {
        struct wr_slice separator, text;
        uint32_t before = node_at(strings, id, &separator, &text).before;
        if (!wr_strings_unref(strings, id)) break; /* what lies before belongs to another list too */
        id = before;
    }
    list->last = 0;
}

/* ---- Sets ------------------------------------------------------------------------------------------ */

enum { SLOTS_FIRST = 8 };

struct set_head {
    uint32_t slots; /* a power of two, 3/4 of them used at most */
    uint32_t spare;
};

static size_t item_size(enum wr_class cls)
{
    return cls == WR_CLASS_DEC ? 16 : 8;
}

static uint32_t room(uint32_t slots)
{
    return slots / 4 * 3;
}

static char *item_at(char *memory, uint32_t slots, size_t size, uint32_t i)
{
    return memory + sizeof(struct set_head) + (size_t)slots * sizeof(uint32_t) + i * size;
}

/* The bits by which members are compared; those of a string are its hash, and its bytes decide. */
static void key_bits(enum wr_class cls, const struct wr_value *value, uint64_t seed, uint64_t bits[2])
{
    bits[1] = 0;
    switch (cls) {
    case WR_CLASS_BOOL: bits[0] = value->u.boolean; break;
    case WR_CLASS_I64: bits[0] = (uint64_t)value->u.i64; break;
    case WR_CLASS_F64: {
        double v = value->u.f64 == 0 ? 0 : value->u.f64;
        memcpy(bits, &v, sizeof v);
        if (v != v) bits[0] = 0x7ff8000000000000u;
        break;
    }
    case WR_CLASS_DEC:
        bits[0] = (uint64_t)(wr_u128)value->u.dec;
        bits[1] = (uint64_t)((wr_u128)value->u.dec >> 64);
        break;
    case WR_CLASS_STR: bits[0] = wr_hash64(value->u.str.data, value->u.str.size, seed); break;
    case WR_CLASS_COUNT: WR_ASSERT(cls < WR_CLASS_COUNT);
    }
}

static uint32_t slot_hash(const uint64_t bits[2], uint64_t seed)
{
    return (uint32_t)(wr_mix64(wr_mix64(bits[0] ^ seed) + bits[1]) >> 32);
}

/* Item: the bits; for a string its hash's low half and its id. */
static void item_make(enum wr_class cls, const uint64_t bits[2], uint32_t id, char *item)
{
    uint64_t word = cls == WR_CLASS_STR ? (bits[0] & UINT32_MAX) | (uint64_t)id << 32 : bits[0];
    memcpy(item, &word, 8);
    if (cls == WR_CLASS_DEC) memcpy(item + 8, &bits[1], 8);
}

static bool item_is(enum wr_class cls, const char *item, const uint64_t bits[2], const struct wr_value *value,
                    const struct wr_strings *strings)
{
    uint64_t word, more = 0;
    memcpy(&word, item, 8);
    if (cls == WR_CLASS_DEC) memcpy(&more, item + 8, 8);
    if (cls != WR_CLASS_STR) return word == bits[0] && more == bits[1];
    if ((uint32_t)word != (uint32_t)bits[0]) return false;
    size_t size;
    const char *have = wr_strings_at(strings, (uint32_t)(word >> 32), &size);
    return wr_slice_equal(wr_slice_of(have, size), value->u.str);
}

struct wr_value wr_set_at(const struct wr_cell_set *set, enum wr_class cls, uint32_t i, const struct wr_strings *strings)
{
    WR_ASSERT(i < wr_cell_count(set));
    size_t size;
    const char *memory = wr_strings_at(strings, set->set, &size);
    struct set_head head;
    memcpy(&head, memory, sizeof head);
    const char *item = memory + sizeof head + (size_t)head.slots * sizeof(uint32_t) + i * item_size(cls);
    uint64_t word[2] = {0};
    memcpy(word, item, item_size(cls));
    if (cls == WR_CLASS_STR) word[0] >>= 32;
    return wr_words_load(word, cls, strings);
}

/* A larger set with the same items; the slots are filled again by their hashes. */
static void grow(struct wr_cell_set *set, enum wr_class cls, struct wr_strings *strings, uint64_t seed)
{
    uint32_t count = (uint32_t)wr_cell_count(set), slots = SLOTS_FIRST;
    while (room(slots) <= count) slots *= 2;
    size_t each = item_size(cls);
    char *memory;
    uint32_t id = wr_strings_alloc(strings, sizeof(struct set_head) + slots * sizeof(uint32_t) + room(slots) * each, &memory);
    struct set_head head = {.slots = slots};
    memcpy(memory, &head, sizeof head);
    memset(memory + sizeof head, 0, slots * sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++) {
        struct wr_value value = wr_set_at(set, cls, i, strings);
        uint64_t bits[2];
        key_bits(cls, &value, seed, bits);
        uint32_t at = slot_hash(bits, seed) & (slots - 1), used;
        while (memcpy(&used, memory + sizeof head + at * sizeof used, sizeof used), used) at = (at + 1) & (slots - 1);
        used = i + 1;
        memcpy(memory + sizeof head + at * sizeof used, &used, sizeof used);
    }
    if (set->set) {
        char *old = wr_strings_edit(strings, set->set);
        struct set_head old_head;
        memcpy(&old_head, old, sizeof old_head);
        memcpy(item_at(memory, slots, each, 0), item_at(old, old_head.slots, each, 0), count * each);
        wr_strings_unref(strings, set->set);
    }
    set->set = id;
}

void wr_set_insert(struct wr_cell_set *set, enum wr_class cls, const struct wr_value *value, struct wr_strings *strings)
{
    /* Strings' own address keys the hash: it is nobody's choice, and the order of slots shows nowhere. */
    uint64_t seed = wr_mix64((uint64_t)(uintptr_t)strings), bits[2];
    uint32_t count = (uint32_t)wr_cell_count(set);
    struct set_head head = {0};
    char *memory = set->set ? wr_strings_edit(strings, set->set) : NULL;
    if (memory) memcpy(&head, memory, sizeof head);
    key_bits(cls, value, seed, bits);
    for (uint32_t at = slot_hash(bits, seed) & (head.slots - 1); memory; at = (at + 1) & (head.slots - 1)) {
        uint32_t used;
        memcpy(&used, memory + sizeof head + at * sizeof used, sizeof used);
        if (!used) break;
        if (item_is(cls, item_at(memory, head.slots, item_size(cls), used - 1), bits, value, strings)) return;
    }
    uint32_t text = cls == WR_CLASS_STR ? wr_strings_add(strings, value->u.str.data, value->u.str.size) : 0;
    if (!memory || count == room(head.slots)) grow(set, cls, strings, seed);
    memory = wr_strings_edit(strings, set->set);
    memcpy(&head, memory, sizeof head);
    uint32_t at = slot_hash(bits, seed) & (head.slots - 1), used;
    while (memcpy(&used, memory + sizeof head + at * sizeof used, sizeof used), used) at = (at + 1) & (head.slots - 1);
    item_make(cls, bits, text, item_at(memory, head.slots, item_size(cls), count));
    used = count + 1;
    memcpy(memory + sizeof head + at * sizeof used, &used, sizeof used);
    set->mark++;
}

void wr_set_release(struct wr_cell_set *set, enum wr_class cls, struct wr_strings *strings)
{
    if (!set->set) return;
    for (uint32_t i = 0, count = (uint32_t)wr_cell_count(set); cls == WR_CLASS_STR && i < count; i++) {
        size_t size;
        const char *memory = wr_strings_at(strings, set->set, &size);
        struct set_head head;
        memcpy(&head, memory, sizeof head);
        uint64_t word;
        memcpy(&word, memory + sizeof head + (size_t)head.slots * sizeof(uint32_t) + i * sizeof word, sizeof word);
        wr_strings_unref(strings, (uint32_t)(word >> 32));
    }
    wr_strings_unref(strings, set->set);
    set->set = 0;
}
