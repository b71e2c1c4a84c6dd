/* A table from names to numbers, for thousands of declarations: hashed without case, compared by
 * the rule of the language (wr_ident_equal). */
#include "compiler/state.h"
#include "base/hash.h"

struct entry {
    struct wr_ident name;
    uint32_t value, next; /* next: 1 + entry of the same slot */
};

struct wr_names {
    struct wr_arena *arena;
    WR_LIST(struct entry) entry;
    uint32_t *slot;
    uint32_t slots;
};

struct wr_names *wr_names_new(struct wr_arena *arena)
{
    struct wr_names *n = WR_NEW(arena, struct wr_names);
    n->arena = arena;
    n->slots = 32;
    n->slot = WR_NEW_ARRAY(arena, uint32_t, n->slots);
    return n;
}

static uint32_t hash_name(struct wr_slice text)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < text.size; i++)
        h = (h ^ (uint8_t)wr_lower(text.data[i])) * 1099511628211u;
    return (uint32_t)wr_mix64(h);
}

uint32_t wr_names_find(const struct wr_names *n, const struct wr_ident *name)
{
    for (uint32_t i = n->slot[hash_name(name->text) & (n->slots - 1)]; i;
         i = n->entry.at[i - 1].next)
        if (wr_ident_equal(n->entry.at[i - 1].name, *name)) return n->entry.at[i - 1].value;
    return WR_NONE;
}

static void link_entry(struct wr_names *n, uint32_t i)
{
    uint32_t *slot = &n->slot[hash_name(n->entry.at[i].name.text) & (n->slots - 1)];
    n->entry.at[i].next = *slot;
    *slot = i + 1;
}

bool wr_names_add(struct wr_names *n, const struct wr_ident *name, uint32_t value)
{
    if (wr_names_find(n, name) != WR_NONE) return false;
    if (n->entry.count >= n->slots) {
        n->slots *= 4;
        n->slot = WR_NEW_ARRAY(n->arena, uint32_t, n->slots);
        for (uint32_t i = 0; i < n->entry.count; i++) link_entry(n, i);
    }
    wr_list_push(n->arena, &n->entry, (struct entry){*name, value, 0});
    link_entry(n, (uint32_t)n->entry.count - 1);
    return true;
}

void wr_names_offer(const struct wr_names *n, struct wr_suggestion *suggestion)
{
    for (size_t i = 0; i < n->entry.count; i++)
        wr_suggestion_offer(suggestion, n->entry.at[i].name.text);
}
