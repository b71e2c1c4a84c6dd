/* Keys of rows to dense ids: images and hashes of a whole batch, then one probe a row with what it will read asked
 * for beforehand. The layout stands in keytable_internal.h. */
#include "base/alloc.h"
#include "runtime/keytable_internal.h"

#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images of keys are little-endian");

#ifdef WR_HOSTILE
enum { BUCKETS_FIRST = 2 };
#else
enum { BUCKETS_FIRST = 8 };
#endif
/* How many rows ahead a bucket, and then the entry that its tag names, are asked for. */
enum { AHEAD_BUCKET = 24, AHEAD_ENTRY = 12 };

struct wr_keytable *wr_keytable_new(const struct wr_type *type, uint32_t columns, uint64_t seed)
{
    struct wr_keytable *t = wr_alloc_zero(sizeof *t);
    t->columns = columns;
    t->type = wr_alloc((columns ? columns : 1) * sizeof *type);
    if (columns) memcpy(t->type, type, columns * sizeof *type);
    for (unsigned i = 0; i < WR_COUNT(t->secret); i++) t->secret[i] = wr_mix64(seed + i * 0x9e3779b97f4a7c15u) | 1;
    wr_slab_init(&t->entries, sizeof(struct wr_key_entry));
    t->strings = wr_strings_new();
    wr_key_map_init(&t->map, BUCKETS_FIRST, true);
    return t;
}

void wr_keytable_free(struct wr_keytable *t)
{
    if (!t) return;
    wr_free(t->map.bucket);
    wr_free(t->old.bucket);
    wr_slab_release(&t->entries);
    wr_strings_free(t->strings);
    wr_buf_release(&t->bytes);
    wr_free(t->type);
    wr_free(t);
}

void wr_keytable_clear(struct wr_keytable *t)
{
    struct wr_key_map fresh;
    wr_key_map_init(&fresh, BUCKETS_FIRST, true);
    wr_free(t->map.bucket);
    wr_free(t->old.bucket);
    t->map = fresh;
    t->old = (struct wr_key_map){0};
    t->moved = 0;
    t->count = 0;
    t->next_order = 0;
    wr_slab_clear(&t->entries);
    wr_strings_clear(t->strings);
}

/* ---- Encoding ------------------------------------------------------------------------------------ */

/* The bits by which a DOUBLE is compared: 0.0 and -0.0 are one, all NaNs are one. */
static uint64_t f64_bits(double value)
{
    if (value == 0) return 0;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? 0x7ff8000000000000u : bits;
}

static char *put_size(char *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) *p++ = (char)(v | 0x80);
    *p++ = (char)v;
    return p;
}

void wr_key_encode(const struct wr_batch *batch, uint32_t row, const uint32_t *column, uint32_t columns,
                   struct wr_buf *out)
{
    for (uint32_t i = 0; i < columns; i++) {
        const struct wr_vector *v = &batch->column[column[i]];
        if (wr_vector_is_null(v, row)) {
            wr_buf_add_char(out, 0);
            continue;
        }
        size_t extra = v->cls == WR_CLASS_STR ? v->u.str[row].size : 0;
        char *start = wr_buf_reserve(out, 17 + extra), *p = start;
        *p++ = 1;
        switch ((enum wr_class)v->cls) {
        case WR_CLASS_BOOL: *p++ = wr_bit(v->u.bits, row); break;
        case WR_CLASS_I64: memcpy(p, &v->u.i64[row], 8); p += 8; break;
        case WR_CLASS_F64: {
            uint64_t bits = f64_bits(v->u.f64[row]);
            memcpy(p, &bits, 8);
            p += 8;
            break;
        }
        case WR_CLASS_DEC: memcpy(p, &v->u.dec[row], 16); p += 16; break;
        case WR_CLASS_STR:
            p = put_size(p, extra);
            if (extra) memcpy(p, v->u.str[row].data, extra);
            p += extra;
            break;
        case WR_CLASS_COUNT: WR_ASSERT(v->cls < WR_CLASS_COUNT);
        }
        out->size += (size_t)(p - start);
    }
}

/* The first `size` <= 13 bytes at p as a number, without reading past them. */
static inline wr_u128 small_bytes(const char *p, size_t size)
{
    uint64_t a = 0, b = 0;
    if (size >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + size - 8, 8);
        return (wr_u128)a | (wr_u128)b << (8 * (size - 8));
    }
    if (size >= 4) {
        memcpy(&a, p, 4);
        memcpy(&b, p + size - 4, 4);
        return a | b << (8 * (size - 4));
    }
    for (size_t i = 0; i < size; i++) a |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return a;
}

static inline struct wr_key_image image_of(wr_u128 bits)
{
    return (struct wr_key_image){(uint64_t)bits, (uint64_t)(bits >> 64)};
}

static struct wr_key_image image_encoded(const struct wr_keytable *t, struct wr_slice encoded)
{
    if (encoded.size > WR_KEY_INLINE)
        return (struct wr_key_image){WR_KEY_LONG, wr_hash64(encoded.data, encoded.size, t->secret[0])};
    char bytes[16] = {(char)encoded.size};
    if (encoded.size) memcpy(bytes + 1, encoded.data, encoded.size);
    struct wr_key_image image;
    memcpy(&image, bytes, sizeof image);
    return image;
}

/* ---- Images and hashes of a batch ------------------------------------------------------------------ */

static uint32_t select_rows(struct wr_keytable *t, const struct wr_batch *batch, const uint64_t *select)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w * 64 < batch->rows; w++) {
        uint64_t m = select[w];
        if (batch->rows - w * 64 < 64) m &= ((uint64_t)1 << (batch->rows - w * 64)) - 1;
        for (; m; m &= m - 1) t->scratch.row[n++] = (uint16_t)(w * 64 + wr_lowest_bit(m));
    }
    return n;
}

static void image_row(struct wr_keytable *t, const struct wr_batch *batch, const uint32_t *column, uint32_t i)
{
    size_t from = t->bytes.size;
    WR_ASSERT(from <= UINT32_MAX);
    wr_key_encode(batch, t->scratch.row[i], column, t->columns, &t->bytes);
    t->scratch.image[i] = image_encoded(t, wr_slice_of(t->bytes.data + from, t->bytes.size - from));
    if ((t->scratch.image[i].low & 0xff) != WR_KEY_LONG) {
        t->bytes.size = from;
        return;
    }
    t->scratch.offset[i] = (uint32_t)from;
    WR_ASSERT(t->bytes.size - from <= UINT32_MAX);
    t->scratch.size[i] = (uint32_t)(t->bytes.size - from);
}

/* One column of numbers without NULLs: 1, then eight bytes. */
static void images_number(struct wr_keytable *t, const struct wr_vector *v, uint32_t n)
{
    struct wr_key_scratch *s = &t->scratch;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = s->row[i];
        uint64_t bits = v->cls == WR_CLASS_F64 ? f64_bits(v->u.f64[row]) : (uint64_t)v->u.i64[row];
        s->image[i] = (struct wr_key_image){bits << 16 | 1 << 8 | 9, bits >> 48};
    }
}

static void images_string(struct wr_keytable *t, const struct wr_batch *batch, const uint32_t *column, uint32_t n)
{
    struct wr_key_scratch *s = &t->scratch;
    const struct wr_vector *v = &batch->column[column[0]];
    for (uint32_t i = 0; i < n; i++) {
        struct wr_slice text = v->u.str[s->row[i]];
        if (WR_UNLIKELY(text.size > WR_KEY_INLINE - 2)) {
            image_row(t, batch, column, i);
            continue;
        }
        uint64_t head = (text.size + 2) | 1 << 8 | text.size << 16;
        s->image[i] = image_of(small_bytes(text.data, text.size) << 24 | head);
    }
}

static void make_images(struct wr_keytable *t, const struct wr_batch *batch, const uint32_t *column, uint32_t n)
{
    struct wr_key_scratch *s = &t->scratch;
    const struct wr_vector *only = t->columns == 1 ? &batch->column[column[0]] : NULL;
    wr_buf_clear(&t->bytes);
    if (only && (only->flags & WR_VECTOR_NULLS)) only = NULL;
    if (only && only->cls == WR_CLASS_STR) {
        images_string(t, batch, column, n);
    } else if (only && (only->cls == WR_CLASS_I64 || only->cls == WR_CLASS_F64)) {
        images_number(t, only, n);
    } else {
        for (uint32_t i = 0; i < n; i++) image_row(t, batch, column, i);
    }
    for (uint32_t i = 0; i < n; i++) s->hash[i] = wr_key_hash_image(t, s->image[i]);
}

/* ---- Probing --------------------------------------------------------------------------------------- */

static bool entry_is(const struct wr_keytable *t, uint32_t id, struct wr_key_image image, struct wr_slice bytes)
{
    const struct wr_key_image *have = &wr_key_entry_at(t, id)->image;
    if (WR_LIKELY((image.low & 0xff) != WR_KEY_LONG)) return have->low == image.low && have->high == image.high;
    if ((have->low & 0xff) != WR_KEY_LONG || have->high != image.high) return false;
    size_t size;
    const char *own = wr_strings_at(t->strings, (uint32_t)(have->low >> 32), &size);
    return size == bytes.size && memcmp(own, bytes.data, size) == 0;
}

static int32_t probe(const struct wr_keytable *t, uint64_t hash, struct wr_key_image image, struct wr_slice bytes)
{
    const struct wr_key_map *map = wr_key_map_of(t, hash);
    uint8_t tag = wr_key_tag(hash);
    uint32_t home = wr_key_home(map, hash), at = home;
    do {
        const struct wr_key_bucket *b = &map->bucket[at];
        for (uint32_t m = wr_equal16(b, tag) & WR_KEY_SLOT_MASK; m; m &= m - 1) {
            uint32_t id = b->id[wr_lowest_bit(m)];
            if (WR_LIKELY(entry_is(t, id, image, bytes))) return (int32_t)id;
        }
        if (WR_LIKELY(!b->passed)) return WR_KEY_NONE;
        at = (at + 1) & map->mask;
    } while (at != home);
    return WR_KEY_NONE;
}

static int32_t insert_key(struct wr_keytable *t, uint64_t hash, struct wr_key_image image, struct wr_slice bytes)
{
    if ((image.low & 0xff) == WR_KEY_LONG)
        image.low |= (uint64_t)wr_strings_add(t->strings, bytes.data, bytes.size) << 32;
    uint32_t id = wr_slab_alloc(&t->entries) - 1;
    WR_ASSERT(id < INT32_MAX);
    *wr_key_entry_at(t, id) = (struct wr_key_entry){.order = t->next_order++, .image = image};
    wr_key_map_add(t, hash, id);
    t->count++;
    return (int32_t)id;
}

static inline void ask_for_bucket(const struct wr_keytable *t, uint64_t hash)
{
    const struct wr_key_map *map = wr_key_map_of(t, hash);
    wr_prefetch(&map->bucket[wr_key_home(map, hash)]);
}

/* The id + 1 of the entry in the home bucket that the row's key most likely is, asked for; 0: none. */
static inline uint32_t ask_for_entry(const struct wr_keytable *t, uint64_t hash)
{
    const struct wr_key_map *map = wr_key_map_of(t, hash);
    const struct wr_key_bucket *b = &map->bucket[wr_key_home(map, hash)];
    uint32_t m = wr_equal16(b, wr_key_tag(hash)) & WR_KEY_SLOT_MASK;
    if (!m) return 0;
    uint32_t id = b->id[wr_lowest_bit(m)];
    wr_prefetch(wr_key_entry_at(t, id));
    return id + 1;
}

void wr_keytable_lookup(struct wr_keytable *t, const struct wr_batch *batch, const uint32_t *column,
                        const uint64_t *select, const uint64_t *insert, int32_t *id)
{
    struct wr_key_scratch *s = &t->scratch;
    uint32_t n = select_rows(t, batch, select);
    make_images(t, batch, column, n);
    wr_key_map_step(t, 1);
    for (uint32_t i = 0; i < n && i < AHEAD_BUCKET; i++) ask_for_bucket(t, s->hash[i]);
    uint32_t hinted = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i + AHEAD_BUCKET < n) ask_for_bucket(t, s->hash[i + AHEAD_BUCKET]);
        for (; hinted < n && hinted <= i + AHEAD_ENTRY; hinted++) s->hint[hinted] = ask_for_entry(t, s->hash[hinted]);
        uint32_t row = s->row[i];
        struct wr_slice bytes = {0};
        if (WR_UNLIKELY((s->image[i].low & 0xff) == WR_KEY_LONG))
            bytes = wr_slice_of(t->bytes.data + s->offset[i], s->size[i]);
        if (WR_LIKELY(s->hint[i] && entry_is(t, s->hint[i] - 1, s->image[i], bytes))) {
            id[row] = (int32_t)(s->hint[i] - 1);
            continue;
        }
        id[row] = probe(t, s->hash[i], s->image[i], bytes);
        if (id[row] == WR_KEY_NONE && wr_bit(insert, row)) id[row] = insert_key(t, s->hash[i], s->image[i], bytes);
    }
}

int32_t wr_keytable_find(struct wr_keytable *t, struct wr_slice encoded, bool insert)
{
    struct wr_key_image image = image_encoded(t, encoded);
    uint64_t hash = wr_key_hash_image(t, image);
    int32_t id = probe(t, hash, image, encoded);
    return id == WR_KEY_NONE && insert ? insert_key(t, hash, image, encoded) : id;
}

void wr_keytable_reserve(struct wr_keytable *t, uint64_t keys)
{
    enum { BUCKETS_MOST = 1 << 26 };
    uint32_t buckets = BUCKETS_FIRST;
    WR_ASSERT(!t->count && !t->old.bucket);
    while (buckets < BUCKETS_MOST && (uint64_t)buckets * WR_KEY_LOAD <= keys) buckets *= 2;
    if (buckets <= t->map.mask + 1) return;
    struct wr_key_map roomy;
    wr_key_map_init(&roomy, buckets, true);
    wr_free(t->map.bucket);
    t->map = roomy;
}

void wr_keytable_prefetch(struct wr_keytable *t, struct wr_slice encoded)
{
    uint64_t hash = wr_key_hash_image(t, image_encoded(t, encoded));
    wr_prefetch(&t->map.bucket[wr_key_home(&t->map, hash)]);
}

/* ---- Entries --------------------------------------------------------------------------------------- */

bool wr_keytable_is_live(const struct wr_keytable *t, uint32_t id)
{
    return id + 1 < t->entries.used_end && (wr_key_entry_at(t, id)->image.low & 0xff) != WR_KEY_FREE;
}

struct wr_slice wr_keytable_key(const struct wr_keytable *t, uint32_t id)
{
    WR_ASSERT(wr_keytable_is_live(t, id));
    const struct wr_key_image *image = &wr_key_entry_at(t, id)->image;
    size_t size = image->low & 0xff;
    if (size != WR_KEY_LONG) return wr_slice_of((const char *)image + 1, size);
    const char *bytes = wr_strings_at(t->strings, (uint32_t)(image->low >> 32), &size);
    return wr_slice_of(bytes, size);
}

/* Reads one column's value from the front of an encoded key; false when it is not whole. */
static bool take_value(struct wr_slice *in, enum wr_class cls, struct wr_value *value)
{
    *value = (struct wr_value){.cls = (uint8_t)cls};
    const char *p = in->data, *end = p + in->size;
    if (p == end || (unsigned char)*p > 1) return false;
    if (*p++ == 0) {
        value->flag = WR_FLAG_NULL;
    } else if (cls == WR_CLASS_STR) {
        size_t size = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (p == end || shift > 56) return false;
            size |= (size_t)(*p & 0x7f) << shift;
            if (!(*p++ & 0x80)) break;
        }
        if (size > (size_t)(end - p)) return false;
        value->u.str = wr_slice_of(p, size);
        p += size;
    } else {
        size_t size = cls == WR_CLASS_BOOL ? 1 : cls == WR_CLASS_DEC ? 16 : 8;
        if (size > (size_t)(end - p)) return false;
        if (cls == WR_CLASS_BOOL) value->u.boolean = *p != 0;
        else memcpy(&value->u, p, size);
        p += size;
    }
    *in = wr_slice_of(p, (size_t)(end - p));
    return true;
}

bool wr_key_is_valid(const struct wr_type *type, uint32_t columns, struct wr_slice encoded)
{
    struct wr_value value;
    for (uint32_t i = 0; i < columns; i++)
        if (!take_value(&encoded, wr_type_class(type[i]), &value)) return false;
    return encoded.size == 0;
}

struct wr_value wr_keytable_value(const struct wr_keytable *t, uint32_t id, uint32_t column)
{
    WR_ASSERT(column < t->columns);
    struct wr_slice in = wr_keytable_key(t, id);
    struct wr_value value;
    bool whole = true;
    for (uint32_t i = 0; i <= column; i++) whole = take_value(&in, wr_type_class(t->type[i]), &value);
    WR_ASSERT(whole);
    return value;
}

/* The only column of a short key, straight from its image. */
static inline struct wr_value value_of_image(const struct wr_key_image *image, enum wr_class cls)
{
    struct wr_value value = {.cls = (uint8_t)cls};
    const char *bytes = (const char *)image;
    if (cls == WR_CLASS_STR) value.u.str = wr_slice_of(bytes + 3, (size_t)(unsigned char)bytes[2]);
    else memcpy(&value.u.i64, bytes + 2, sizeof value.u.i64);
    return value;
}

void wr_keytable_values(const struct wr_keytable *t, const uint32_t *id, uint32_t count, uint32_t column,
                        struct wr_vector *out)
{
    enum wr_class cls = wr_type_class(t->type[column]);
    WR_ASSERT(out->cls == cls && count <= WR_BATCH_ROWS);
    bool easy = t->columns == 1 && (cls == WR_CLASS_STR || cls == WR_CLASS_I64 || cls == WR_CLASS_F64);
    for (uint32_t i = 0; i < count; i++) {
        if (i + AHEAD_BUCKET < count) wr_prefetch(wr_key_entry_at(t, id[i + AHEAD_BUCKET]));
        const struct wr_key_image *image = &wr_key_entry_at(t, id[i])->image;
        WR_DCHECK(wr_keytable_is_live(t, id[i]));
        bool image_is_value = easy && (image->low & 0xff) != WR_KEY_LONG && (image->low >> 8 & 0xff) == 1;
        struct wr_value value = image_is_value ? value_of_image(image, cls) : wr_keytable_value(t, id[i], column);
        if (WR_UNLIKELY(value.flag == WR_FLAG_NULL)) {
            if (!(out->flags & WR_VECTOR_NULLS)) memset(out->nulls, 0, WR_BATCH_WORDS * sizeof *out->nulls);
            out->flags |= WR_VECTOR_NULLS;
            wr_bit_set(out->nulls, i);
            memset(&value.u, 0, sizeof value.u);
        }
        switch (cls) {
        case WR_CLASS_BOOL: value.u.boolean ? wr_bit_set(out->u.bits, i) : wr_bit_clear(out->u.bits, i); break;
        case WR_CLASS_I64: out->u.i64[i] = value.u.i64; break;
        case WR_CLASS_F64: out->u.f64[i] = value.u.f64; break;
        case WR_CLASS_DEC: out->u.dec[i] = value.u.dec; break;
        case WR_CLASS_STR: out->u.str[i] = value.u.str; break;
        case WR_CLASS_COUNT: WR_ASSERT(cls < WR_CLASS_COUNT);
        }
    }
}

uint64_t wr_keytable_order(const struct wr_keytable *t, uint32_t id)
{
    WR_DCHECK(wr_keytable_is_live(t, id));
    return wr_key_entry_at(t, id)->order;
}

void wr_keytable_set_order(struct wr_keytable *t, uint32_t id, uint64_t order)
{
    WR_ASSERT(wr_keytable_is_live(t, id));
    wr_key_entry_at(t, id)->order = order;
    if (order >= t->next_order) t->next_order = order + 1;
}

void wr_keytable_remove(struct wr_keytable *t, uint32_t id)
{
    WR_ASSERT(wr_keytable_is_live(t, id));
    struct wr_key_image *image = &wr_key_entry_at(t, id)->image;
    wr_key_map_drop(t, wr_key_hash_image(t, *image), id);
    if ((image->low & 0xff) == WR_KEY_LONG) wr_strings_unref(t->strings, (uint32_t)(image->low >> 32));
    wr_slab_free(&t->entries, id + 1);
    image->low = WR_KEY_FREE;
    t->count--;
}

void wr_keytable_prefetch_entry(const struct wr_keytable *t, uint32_t id)
{
    if (id + 1 < t->entries.used_end) wr_prefetch(wr_key_entry_at(t, id));
}

uint32_t *wr_keytable_owned(const struct wr_keytable *t, uint32_t id)
{
    WR_DCHECK(wr_keytable_is_live(t, id));
    return &wr_key_entry_at(t, id)->owned;
}

uint32_t wr_keytable_count(const struct wr_keytable *t)
{
    return t->count;
}

uint32_t wr_keytable_id_limit(const struct wr_keytable *t)
{
    return t->entries.used_end - 1;
}

uint64_t wr_keytable_bytes(const struct wr_keytable *t)
{
    uint64_t buckets = (uint64_t)t->map.mask + 1 + (t->old.bucket ? (uint64_t)t->old.mask + 1 : 0);
    return sizeof *t + buckets * sizeof(struct wr_key_bucket) + wr_slab_bytes(&t->entries) +
           wr_strings_bytes(t->strings) + t->bytes.capacity + t->columns * sizeof *t->type;
}

uint64_t wr_keytable_live_bytes(const struct wr_keytable *t)
{
    return (uint64_t)t->count * wr_keytable_key_bytes() + wr_strings_live_bytes(t->strings);
}

uint64_t wr_keytable_next_order(const struct wr_keytable *t)
{
    return t->next_order;
}

uint32_t wr_keytable_key_bytes(void)
{
    return (uint32_t)(sizeof(struct wr_key_entry) + (2 * sizeof(struct wr_key_bucket) + WR_KEY_LOAD - 1) / WR_KEY_LOAD);
}

struct ordered {
    uint64_t order;
    uint32_t id;
};

static int compare_ordered(const void *a, const void *b)
{
    uint64_t x = ((const struct ordered *)a)->order, y = ((const struct ordered *)b)->order;
    return (x > y) - (x < y);
}

void wr_keytable_ordered(const struct wr_keytable *t, uint32_t *id)
{
    struct ordered *all = wr_alloc(t->count * sizeof *all);
    uint32_t n = 0, limit = wr_keytable_id_limit(t);
    bool sorted = true;
    for (uint32_t i = 0; i < limit; i++) {
        if (!wr_keytable_is_live(t, i)) continue;
        all[n] = (struct ordered){wr_keytable_order(t, i), i};
        sorted = sorted && (n == 0 || all[n - 1].order < all[n].order);
        n++;
    }
    WR_ASSERT(n == t->count);
    if (!sorted) qsort(all, n, sizeof *all, compare_ordered);
    for (uint32_t i = 0; i < n; i++) id[i] = all[i].id;
    wr_free(all);
}

/* ---- Checks ---------------------------------------------------------------------------------------- */

static uint32_t check_map(const struct wr_keytable *t, const struct wr_key_map *map)
{
    uint32_t entries = 0;
    if (!map->bucket) return 0;
    for (uint32_t at = 0; at < map->ready; at++) {
        const struct wr_key_bucket *b = &map->bucket[at];
        for (unsigned slot = 0; slot < WR_KEY_SLOTS; slot++) {
            bool displaced = b->displaced >> slot & 1;
            WR_ASSERT(b->tag[slot] || !displaced);
            if (!b->tag[slot]) continue;
            WR_ASSERT(wr_keytable_is_live(t, b->id[slot]));
            uint64_t hash = wr_key_hash_image(t, wr_key_entry_at(t, b->id[slot])->image);
            WR_ASSERT(wr_key_tag(hash) == b->tag[slot]);
            WR_ASSERT(wr_key_map_of(t, hash) == map);
            WR_ASSERT((wr_key_home(map, hash) != at) == displaced);
            for (uint32_t by = wr_key_home(map, hash); by != at; by = (by + 1) & map->mask)
                WR_ASSERT(map->bucket[by].passed > 0);
            entries++;
        }
    }
    return entries;
}

void wr_keytable_check(const struct wr_keytable *t)
{
    WR_ASSERT(t->count == t->entries.live);
    WR_ASSERT(check_map(t, &t->map) + check_map(t, &t->old) == t->count);
    struct wr_keytable *probed = (struct wr_keytable *)(uintptr_t)t; /* a look-up without insertion changes nothing */
    for (uint32_t id = 0; id < wr_keytable_id_limit(t); id++) {
        if (!wr_keytable_is_live(t, id)) continue;
        WR_ASSERT(wr_keytable_order(t, id) < t->next_order);
        WR_ASSERT(wr_keytable_find(probed, wr_keytable_key(t, id), false) == (int32_t)id);
    }
}
