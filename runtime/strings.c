/* Byte strings by id: a head of reference count and size, then the bytes, in cells of the size class that fits.
 * What is larger than the largest class lies in an allocation of its own, which its cell points to.
 * An id is the class in the low four bits and the slab's id above. */
#include "base/alloc.h"
#include "runtime/slab.h"

enum { CLASS_BITS = 4, LARGE = 15 };

static const uint16_t class_size[LARGE] = {16,  24,  32,  48,  64,   96,   128, 192,
                                           256, 384, 512, 768, 1024, 2048, 4096};

struct head {
    uint32_t refs, size;
};
struct large {
    struct head head;
    char *bytes; /* owned */
};

struct wr_strings {
    struct wr_slab slab[LARGE + 1];
    uint64_t large_bytes;
};

struct wr_strings *wr_strings_new(void)
{
    struct wr_strings *strings = wr_alloc_zero(sizeof *strings);
    for (unsigned i = 0; i < LARGE; i++) wr_slab_init(&strings->slab[i], class_size[i]);
    wr_slab_init(&strings->slab[LARGE], sizeof(struct large));
    return strings;
}

static void free_large(struct wr_strings *strings)
{
    struct wr_slab *slab = &strings->slab[LARGE];
    for (uint32_t id = 1; id < slab->used_end && slab->live; id++) {
        struct large *cell = wr_slab_at(slab, id);
        if (cell->bytes) wr_free(cell->bytes); /* a freed cell's pointer was set to NULL */
        cell->bytes = NULL;
    }
    strings->large_bytes = 0;
}

void wr_strings_free(struct wr_strings *strings)
{
    if (!strings) return;
    free_large(strings);
    for (unsigned i = 0; i <= LARGE; i++) wr_slab_release(&strings->slab[i]);
    wr_free(strings);
}

void wr_strings_clear(struct wr_strings *strings)
{
    free_large(strings);
    for (unsigned i = 0; i <= LARGE; i++) wr_slab_clear(&strings->slab[i]);
}

static unsigned class_of(size_t size)
{
    unsigned cls = 0;
    while (cls < LARGE && size + sizeof(struct head) > class_size[cls]) cls++;
    return cls;
}

static struct head *head_at(const struct wr_strings *strings, uint32_t id)
{
    struct head *head = wr_slab_at(&strings->slab[id & LARGE], id >> CLASS_BITS);
    WR_DCHECK(head->refs > 0);
    return head;
}

uint32_t wr_strings_add(struct wr_strings *strings, const char *data, size_t size)
{
    char *bytes;
    uint32_t id = wr_strings_alloc(strings, size, &bytes);
    if (size) memcpy(bytes, data, size);
    return id;
}

uint32_t wr_strings_alloc(struct wr_strings *strings, size_t size, char **bytes)
{
    if (size == 0) return 0;
    /* Sizes have 32 bits and a class has 2^28 ids. A full class hands on to the next one; past that memory is out
     * for every purpose, and wr_alloc says so. */
    unsigned cls = class_of(size);
    while (cls <= LARGE && !strings->slab[cls].free && strings->slab[cls].used_end >> (32 - CLASS_BITS)) cls++;
    if (WR_UNLIKELY(cls > LARGE || size > UINT32_MAX)) wr_free(wr_alloc(SIZE_MAX / 2));
    char *own = cls == LARGE ? wr_alloc(size) : NULL;
    uint32_t cell = wr_slab_alloc(&strings->slab[cls]);
    struct head *head = wr_slab_at(&strings->slab[cls], cell);
    *head = (struct head){.refs = 1, .size = (uint32_t)size};
    if (own) {
        ((struct large *)(void *)head)->bytes = own;
        strings->large_bytes += size;
    } else {
        own = (char *)(head + 1);
    }
    *bytes = own;
    return cell << CLASS_BITS | cls;
}

void wr_strings_ref(struct wr_strings *strings, uint32_t id)
{
    if (id == 0) return;
    struct head *head = head_at(strings, id);
    WR_ASSERT(head->refs < UINT32_MAX);
    head->refs++;
}

bool wr_strings_unref(struct wr_strings *strings, uint32_t id)
{
    if (id == 0) return false;
    struct head *head = head_at(strings, id);
    WR_ASSERT(head->refs > 0);
    if (--head->refs) return false;
    struct wr_slab *slab = &strings->slab[id & LARGE];
    if ((id & LARGE) == LARGE) {
        struct large *cell = wr_slab_at(slab, id >> CLASS_BITS);
        strings->large_bytes -= head->size;
        wr_free(cell->bytes);
        wr_slab_free(slab, id >> CLASS_BITS);
        cell->bytes = NULL;
        return true;
    }
    wr_slab_free(slab, id >> CLASS_BITS);
    return true;
}

const char *wr_strings_at(const struct wr_strings *strings, uint32_t id, size_t *size)
{
    if (id == 0) {
        *size = 0;
        return "";
    }
    struct head *head = head_at(strings, id);
    *size = head->size;
    return (id & LARGE) == LARGE ? ((struct large *)(void *)head)->bytes : (const char *)(head + 1);
}

char *wr_strings_edit(struct wr_strings *strings, uint32_t id)
{
    struct head *head = head_at(strings, id);
    WR_ASSERT(head->refs == 1);
    return (id & LARGE) == LARGE ? ((struct large *)(void *)head)->bytes : (char *)(head + 1);
}

uint64_t wr_strings_bytes(const struct wr_strings *strings)
{
    uint64_t bytes = sizeof *strings + strings->large_bytes;
    for (unsigned i = 0; i <= LARGE; i++) bytes += wr_slab_bytes(&strings->slab[i]);
    return bytes;
}

uint64_t wr_strings_live_bytes(const struct wr_strings *strings)
{
    uint64_t bytes = strings->large_bytes;
    for (unsigned i = 0; i <= LARGE; i++) bytes += wr_slab_live_bytes(&strings->slab[i]);
    return bytes;
}
