/* The pages of LMDB's file, looked at before LMDB does. LMDB keeps no checksums of its own pages and follows what stands in
 * them: a flipped bit there can send it anywhere, a file cut short is a SIGBUS under its map, a wrong list of free pages
 * lets it write over what is in use. So at each opening all pages that hold keys are read as bytes and must be what LMDB
 * writes: two B-trees (keys; free pages), each page once, keys in order, nodes inside their pages, values inside the file,
 * no page both free and in use. Values that lie between keys are checked whole; larger ones when they are read.
 *
 * The layout is that of data version 1 (LMDB 0.9), on the machine's own byte order:
 *   a page     number 8, (unused 2), flags 2, end of pointers 2, begin of nodes 2, pointers 2 each … nodes to the page's end;
 *              a run of pages for one large value: number 8, (2), flags 2, count of pages 4, the value
 *   a node     size 4 or (leaf) number of the run's page in its data; flags 2, size of key 2, key, data;
 *              in a branch the first six bytes are the child's page
 *   page 0, 1  magic 4, version 4, address 8, size of the map 8, two trees of 48 bytes, last page 8, transaction 8 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/store_internal.h"

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_RUN = 4, PAGE_META = 8 };
enum { HEAD_BYTES = 16, NODE_BYTES = 8, NODE_IN_RUN = 1, DEPTH_MAX = 24, KEY_BYTES_MAX = 511, META_BYTES = 152 };
enum { PAGE_BYTES_MIN = 512, PAGE_BYTES_MAX = 65536, INTEGER_KEYS = 8 };

struct tree {
    uint64_t root, entries;
    uint32_t depth, flags;
};

struct meta {
    uint64_t id, last_page, map_bytes;
    uint32_t page_bytes;
    struct tree free_pages, keys;
};

static uint16_t at16(const char *p)
{
    uint16_t n;
    memcpy(&n, p, sizeof n);
    return n;
}

static uint32_t at32(const char *p)
{
    uint32_t n;
    memcpy(&n, p, sizeof n);
    return n;
}

static uint64_t at64(const char *p)
{
    uint64_t n;
    memcpy(&n, p, sizeof n);
    return n;
}

static bool read_at(int fd, char *out, size_t size, uint64_t at)
{
    while (size) {
        ssize_t n = pread(fd, out, size, (off_t)at);
        if (n <= 0) return false;
        out += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

/* ---- The first two pages ------------------------------------------------------------------------------- */

static struct tree tree_at(const char *p)
{
    return (struct tree){.flags = at16(p + 4), .depth = at16(p + 6), .entries = at64(p + 32), .root = at64(p + 40)};
}

/* NULL: it is what LMDB writes. */
static const char *take_meta(const char *page, struct meta *meta)
{
    const char *m = page + HEAD_BYTES;
    if (at16(page + 10) != PAGE_META || at32(m) != 0xBEEFC0DE) return "data.mdb is not an environment of LMDB";
    if (at32(m + 4) != 1) return "data.mdb is of another version of LMDB";
    meta->map_bytes = at64(m + 16);
    meta->page_bytes = at32(m + 24);
    meta->free_pages = tree_at(m + 24);
    meta->keys = tree_at(m + 72);
    meta->last_page = at64(m + 120);
    meta->id = at64(m + 128);
    uint32_t bytes = meta->page_bytes;
    if (bytes < PAGE_BYTES_MIN || bytes > PAGE_BYTES_MAX || (bytes & (bytes - 1))) return "the first pages name no page size";
    if (meta->free_pages.flags != INTEGER_KEYS || meta->keys.flags != 0) return "the first pages describe other tables";
    if (meta->free_pages.depth > DEPTH_MAX || meta->keys.depth > DEPTH_MAX) return "the first pages describe other tables";
    if (meta->map_bytes > 1ull << 47 || meta->last_page >= (1ull << 47) / bytes) return "the first pages name impossible sizes";
    return NULL;
}

/* Both of them; NULL: good. They are written in turns, so their transactions follow one another. */
static const char *take_metas(int fd, struct meta meta[2])
{
    char page[META_BYTES];
    for (int i = 0; i < 2; i++) {
        if (!read_at(fd, page, sizeof page, i ? meta[0].page_bytes : 0)) return "data.mdb is cut short";
        const char *wrong = take_meta(page, &meta[i]);
        if (wrong) return wrong;
        if (at64(page) != (uint64_t)i || (meta[i].id & 1) != (uint64_t)i) return "the first pages have changed places";
    }
    if (meta[0].page_bytes != meta[1].page_bytes) return "the first pages disagree";
    uint64_t low = WR_MIN(meta[0].id, meta[1].id), high = WR_MAX(meta[0].id, meta[1].id);
    return high - low == 1 ? NULL : "the first pages do not follow one another";
}

enum wr_pages_verdict wr_store_pages_begin(int fd, char what[WR_PAGES_TEXT_BYTES])
{
    struct meta meta[2];
    const char *wrong = NULL;
    /* A process that writes at this moment can make them look torn: they are read again. */
    for (int attempt = 0; attempt < 5; attempt++) {
        if (attempt) usleep(1000);
        wrong = take_metas(fd, meta);
        if (!wrong) return WR_PAGES_GOOD;
    }
    snprintf(what, WR_PAGES_TEXT_BYTES, "%s", wrong);
    return WR_PAGES_WRONG;
}

/* ---- The trees ------------------------------------------------------------------------------------------- */

struct walk {
    int fd;
    uint32_t page_bytes;
    uint64_t file_pages, last_page;
    uint64_t *seen;     /* a bit a page */
    char *pages;        /* a page for each level */
    struct wr_buf list; /* of free pages */
    bool free_tree;
    uint64_t entries, free_count, id;
    uint32_t depth;
    char *what;
};

static bool wrong(struct walk *w, uint64_t page, const char *format, ...) WR_PRINTF(3, 4);
static bool wrong(struct walk *w, uint64_t page, const char *format, ...)
{
    char text[WR_PAGES_TEXT_BYTES - 40];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(w->what, WR_PAGES_TEXT_BYTES, "page %llu %s", (unsigned long long)page, text);
    return false;
}

/* Each page is of one thing only. */
static bool mark(struct walk *w, uint64_t page, uint64_t count)
{
    if (page < 2 || page > w->last_page || count > w->last_page - page + 1) return wrong(w, page, "lies outside");
    for (uint64_t i = page; i < page + count; i++) {
        uint64_t bit = 1ull << (i & 63);
        if (w->seen[i >> 6] & bit) return wrong(w, i, "belongs to two things at once");
        w->seen[i >> 6] |= bit;
    }
    return true;
}

static int compare_keys(const struct walk *w, struct wr_slice a, struct wr_slice b)
{
    if (!w->free_tree) return wr_slice_compare(a, b);
    uint64_t x = at64(a.data), y = at64(b.data);
    return (x > y) - (x < y);
}

/* A list of free pages: its count, then their numbers, descending. */
static bool check_free_list(struct walk *w, uint64_t page, struct wr_slice key, struct wr_slice list)
{
    if (list.size < 8 || at64(key.data) > w->id) return wrong(w, page, "holds a list of free pages that LMDB does not write");
    uint64_t count = at64(list.data), before = UINT64_MAX;
    if (count > list.size / 8 - 1) return wrong(w, page, "holds a list of free pages that is longer than itself");
    w->free_count += count;
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t n = at64(list.data + 8 * i);
        if (n >= before) return wrong(w, page, "holds a list of free pages that is out of order");
        if (!mark(w, n, 1)) return false;
        before = n;
    }
    return true;
}

/* A value in a run of pages of its own. */
static bool check_run(struct walk *w, uint64_t page, struct wr_slice key, uint64_t run, uint64_t size)
{
    char head[HEAD_BYTES + WR_PLAUSIBLE_BYTES];
    uint64_t count = (HEAD_BYTES - 1 + size) / w->page_bytes + 1;
    if (run >= w->file_pages || count > w->file_pages - run) {
        snprintf(w->what, WR_PAGES_TEXT_BYTES, "data.mdb is cut short");
        return false;
    }
    if (!mark(w, run, count)) return false;
    if (!read_at(w->fd, head, sizeof head, run * w->page_bytes)) return wrong(w, run, "cannot be read");
    if (at64(head) != run || at16(head + 10) != PAGE_RUN || at32(head + 12) != count)
        return wrong(w, run, "is not the value that it should be");
    if (!w->free_tree)
        return wr_store_plausible(key, wr_slice_of(head + HEAD_BYTES, WR_PLAUSIBLE_BYTES), false) ||
               wrong(w, page, "holds a key that does not belong to its value");
    wr_buf_clear(&w->list);
    wr_buf_reserve(&w->list, size);
    w->list.size = size;
    if (!read_at(w->fd, w->list.data, size, run * w->page_bytes + HEAD_BYTES)) return wrong(w, run, "cannot be read");
    return check_free_list(w, page, key, wr_buf_slice(&w->list));
}

/* The i-th node of a page: false when it does not lie inside. */
static bool node_at(const struct walk *w, const char *page, size_t i, const char **node, struct wr_slice *key)
{
    size_t begin = at16(page + 14), at = at16(page + HEAD_BYTES + 2 * i);
    if (at < begin || (at & 1) || at + NODE_BYTES > w->page_bytes) return false;
    *node = page + at;
    *key = wr_slice_of(*node + NODE_BYTES, at16(*node + 6));
    return key->size <= KEY_BYTES_MAX && at + NODE_BYTES + key->size <= w->page_bytes;
}

static bool check_entry(struct walk *w, uint64_t number, const char *page, const char *node, struct wr_slice key, size_t *bytes)
{
    WR_ASSERT(node > page && node + NODE_BYTES <= page + w->page_bytes);
    uint64_t size = at32(node);
    uint16_t flags = at16(node + 4);
    size_t inside = flags & NODE_IN_RUN ? 8 : (size_t)size;
    const char *data = key.data + key.size;
    if (flags & ~NODE_IN_RUN) return wrong(w, number, "holds a kind of entry that weir does not write");
    if (inside > (size_t)(page + w->page_bytes - data)) return wrong(w, number, "holds an entry that does not end in it");
    if (w->free_tree && key.size != 8) return wrong(w, number, "holds a list of free pages that LMDB does not write");
    *bytes += (NODE_BYTES + key.size + inside + 1) & ~(size_t)1;
    w->entries++;
    if (flags & NODE_IN_RUN) return check_run(w, number, key, at64(data), size);
    if (w->free_tree) return check_free_list(w, number, key, wr_slice_of(data, inside));
    return wr_store_plausible(key, wr_slice_of(data, inside), true) ||
           wrong(w, number, "holds an entry that does not hold its checksum");
}

static bool check_page(struct walk *w, uint64_t number, uint32_t level, struct wr_slice low, struct wr_slice high);

static bool check_branch(struct walk *w, uint64_t number, const char *page, size_t count, uint32_t level, struct wr_slice low,
                         struct wr_slice high)
{
    const char *node, *next;
    struct wr_slice key, next_key;
    size_t bytes = 0;
    if (count < 2) return wrong(w, number, "branches into nothing");
    for (size_t i = 0; i < count; i++) {
        if (!node_at(w, page, i, &node, &key)) return wrong(w, number, "holds a node that does not lie in it");
        if (i + 1 < count && !node_at(w, page, i + 1, &next, &next_key))
            return wrong(w, number, "holds a node that does not lie in it");
        if (i && (!key.size || (w->free_tree && key.size != 8))) return wrong(w, number, "holds a key that LMDB does not write");
        if (w->free_tree && i + 1 < count && next_key.size != 8) return wrong(w, number, "holds a key that LMDB does not write");
        bytes += (NODE_BYTES + key.size + 1) & ~(size_t)1;
        uint64_t child = at16(node) | (uint64_t)at16(node + 2) << 16 | (uint64_t)at16(node + 4) << 32;
        if (!check_page(w, child, level + 1, i ? key : low, i + 1 < count ? next_key : high)) return false;
    }
    return bytes == w->page_bytes - (size_t)at16(page + 14) || wrong(w, number, "does not add up");
}

/* low: no key below it; high: none at it or behind; data NULL: no bound. */
static bool check_leaf(struct walk *w, uint64_t number, const char *page, size_t count, struct wr_slice low, struct wr_slice high)
{
    const char *node;
    struct wr_slice key, before = {0};
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++, before = key) {
        if (!node_at(w, page, i, &node, &key) || !key.size) return wrong(w, number, "holds a node that does not lie in it");
        if (!check_entry(w, number, page, node, key, &bytes)) return false;
        bool ordered = i ? compare_keys(w, before, key) < 0 : !low.data || compare_keys(w, low, key) <= 0;
        if (!ordered || (high.data && compare_keys(w, key, high) >= 0)) return wrong(w, number, "holds keys out of order");
    }
    return bytes == w->page_bytes - (size_t)at16(page + 14) || wrong(w, number, "does not add up");
}

static bool check_page(struct walk *w, uint64_t number, uint32_t level, struct wr_slice low, struct wr_slice high)
{
    if (level >= w->depth) return wrong(w, number, "lies deeper than its tree");
    if (!mark(w, number, 1)) return false;
    char *page = w->pages + (size_t)level * w->page_bytes;
    if (number >= w->file_pages || !read_at(w->fd, page, w->page_bytes, number * w->page_bytes)) {
        snprintf(w->what, WR_PAGES_TEXT_BYTES, "data.mdb is cut short");
        return false;
    }
    bool leaf = level + 1 == w->depth;
    WR_ASSERT(level < DEPTH_MAX);
    size_t end = at16(page + 12), begin = at16(page + 14);
    if (at64(page) != number || at16(page + 10) != (leaf ? PAGE_LEAF : PAGE_BRANCH) || end < HEAD_BYTES || (end & 1) ||
        end > begin || begin > w->page_bytes)
        return wrong(w, number, "is not the page that it should be");
    size_t count = (end - HEAD_BYTES) / 2;
    return leaf ? check_leaf(w, number, page, count, low, high) : check_branch(w, number, page, count, level, low, high);
}

static bool check_tree(struct walk *w, const struct tree *tree, bool free_tree)
{
    w->free_tree = free_tree;
    w->depth = tree->depth;
    w->entries = 0;
    const struct wr_slice none = {0};
    bool empty = tree->root == UINT64_MAX;
    if (empty != (tree->depth == 0)) return wrong(w, tree->root, "is the root of no tree");
    if (!empty && !check_page(w, tree->root, 0, none, none)) return false;
    return w->entries == tree->entries || wrong(w, tree->root, "is the root of a tree that does not add up");
}

static bool check_trees(struct walk *w, const struct meta *meta)
{
    if (!check_tree(w, &meta->keys, false) || !check_tree(w, &meta->free_pages, true)) return false;
    /* Pages that were taken and given back in one transaction may never have been written, at the file's end. */
    if (w->last_page >= w->file_pages && w->last_page - w->file_pages > w->free_count + 1024) {
        snprintf(w->what, WR_PAGES_TEXT_BYTES, "data.mdb is cut short");
        return false;
    }
    return true;
}

static void release(struct walk *w)
{
    wr_free(w->seen);
    wr_free(w->pages);
    wr_buf_release(&w->list);
    wr_free(w);
}

enum wr_pages_verdict wr_store_pages_check(int fd, uint64_t id, char what[WR_PAGES_TEXT_BYTES])
{
    struct meta meta[2];
    struct stat st;
    const char *bad = take_metas(fd, meta);
    const struct meta *m = &meta[id & 1];
    if (bad || m->id != id) return WR_PAGES_GONE;
    if (fstat(fd, &st) != 0) return WR_PAGES_GONE;
    uint64_t file_pages = (uint64_t)st.st_size / m->page_bytes;
    if (m->last_page > 2 * file_pages + 65536) {
        snprintf(what, WR_PAGES_TEXT_BYTES, "data.mdb is cut short");
        return WR_PAGES_WRONG;
    }
    struct walk *w = wr_alloc_zero(sizeof *w);
    *w = (struct walk){.fd = fd, .page_bytes = m->page_bytes, .file_pages = file_pages, .last_page = m->last_page, .id = id,
                       .what = what};
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) {
        release(w);
        wr_memory_fail();
    }
    w->seen = wr_alloc_zero((size_t)(w->last_page / 64 + 1) * sizeof *w->seen);
    w->pages = wr_alloc(DEPTH_MAX * (size_t)w->page_bytes);
    bool good = check_trees(w, m);
    wr_memory_guard_pop(&guard);
    release(w);
    WR_ASSERT(good || what[0]);
    return good ? WR_PAGES_GOOD : WR_PAGES_WRONG;
}
