/* Outputs that outlive a crash: positions in checkpoints, the journal of published positions, and cutting files to them.
 *
 * The journal has two slots of 64 KiB, written in turn, so that one that tears leaves the other. A slot: 8 bytes of
 * hash over what follows; LEB128 size of that; 8 bytes run; 8 bytes sequence number; LEB128 count; for each sink
 * 8 bytes of hash of its names, 8 bytes of content, 8 bytes of their digest. More sinks than a slot holds (2,700) are more
 * than a process may have files: their positions are those of checkpoints.
 *
 * A position in a checkpoint: its length, then names and path (each LEB128 length and bytes); 'p' a plain file, 'c' a
 * compressed one, 's' a stream, which keeps nothing; 8 bytes of content; 8 bytes of the file; LEB128 length and bytes of
 * the digest; 8 bytes of hash of a file's last bytes of content (WR_SINK_TAIL, or all where there are fewer). */
#include "base/fault.h"
#include "base/hash.h"
#include "runtime/engine.h"
#include "runtime/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SLOT_BYTES = 64 * 1024 };

struct wr_published {
    int fd;
    char *path;
    uint64_t sequence;      /* of the slot written last */
    struct wr_buf slot[2];  /* as they were when the journal was opened; empty: not valid */
    struct wr_buf writing;
};

/* ---- The journal --------------------------------------------------------------------------------- */

static uint64_t sequence_of(struct wr_slice slot)
{
    uint64_t run, sequence = 0;
    return wr_get_u64(&slot, &run) && wr_get_u64(&slot, &sequence) ? sequence : 0;
}

static void read_slot(struct wr_published *p, uint32_t number)
{
    char *bytes = wr_alloc(SLOT_BYTES);
    ssize_t n = pread(p->fd, bytes, SLOT_BYTES, (off_t)number * SLOT_BYTES);
    struct wr_slice in = wr_slice_of(bytes, n > 0 ? (size_t)n : 0);
    uint64_t hash, size;
    if (wr_get_u64(&in, &hash) && wr_get_uint(&in, &size) && size <= in.size && wr_hash64(in.data, size, 0) == hash) {
        wr_buf_add(&p->slot[number], in.data, size);
        p->sequence = WR_MAX(p->sequence, sequence_of(wr_slice_of(in.data, size)));
    }
    wr_free(bytes);
}

struct wr_published *wr_published_open(const char *directory, struct wr_error *error)
{
    struct wr_buf path = {0};
    WR_ASSERT(directory);
    wr_buf_printf(&path, "%s/published", directory);
    int fd = open(wr_buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        wr_error_set(error, WR_ERR_IO, "%s: %s", wr_buf_cstr(&path), strerror(errno));
        wr_buf_release(&path);
        return NULL;
    }
    struct wr_published *p = wr_alloc_zero(sizeof *p);
    p->fd = fd;
    p->path = wr_strdup(wr_buf_cstr(&path));
    wr_buf_release(&path);
    read_slot(p, 0);
    read_slot(p, 1);
    return p;
}

void wr_published_close(struct wr_published *p)
{
    if (!p) return;
    close(p->fd);
    wr_free(p->path);
    wr_buf_release(&p->slot[0]);
    wr_buf_release(&p->slot[1]);
    wr_buf_release(&p->writing);
    wr_free(p);
}

/* "alerts, timeouts": what tells a sink, wherever its file lies. */
static void put_names(const struct wr_sink *sink, struct wr_buf *out)
{
    const struct wr_operator *before = NULL;
    struct wr_buf names = {0};
    WR_ASSERT(sink->task);
    for (size_t i = 0; i < sink->input.count; i++) {
        const struct wr_operator *op = sink->input.at[i].op;
        if (op == before) continue;
        before = op;
        wr_buf_printf(&names, "%s%s", names.size ? ", " : "", wr_node_binding_name(sink->task->program, op->id));
    }
    wr_put_bytes(out, wr_buf_slice(&names));
    wr_buf_release(&names);
}

enum wr_status wr_published_note(struct wr_published *p, uint64_t run, struct wr_sink *const *sink, size_t count,
                                 struct wr_error *error)
{
    struct wr_buf body = {0}, names = {0};
    wr_put_u64(&body, run);
    wr_put_u64(&body, ++p->sequence);
    wr_put_uint(&body, count);
    for (size_t i = 0; i < count; i++) {
        bool behind = sink[i]->bytes < sink[i]->journal; /* what was published stays published */
        wr_buf_clear(&names);
        put_names(sink[i], &names);
        wr_put_u64(&body, wr_hash64(names.data, names.size, 0));
        wr_put_u64(&body, behind ? sink[i]->journal : sink[i]->bytes);
        wr_put_u64(&body, behind ? sink[i]->published_digest : wr_digest_value(&sink[i]->digest));
    }
    wr_buf_release(&names);
    wr_buf_clear(&p->writing);
    wr_put_u64(&p->writing, wr_hash64(body.data, body.size, 0));
    wr_put_bytes(&p->writing, wr_buf_slice(&body));
    wr_buf_release(&body);
    if (p->writing.size > SLOT_BYTES) return WR_OK;
    WR_CRASH_POINT("published.before_write");
    ssize_t n = WR_FAULT_DUE(WR_FAULT_FILE) ? (errno = EIO, -1)
                                            : pwrite(p->fd, p->writing.data, p->writing.size,
                                                     (off_t)(p->sequence % 2) * SLOT_BYTES);
    WR_CRASH_POINT("published.after_write");
    if (n == (ssize_t)p->writing.size) return WR_OK;
    return wr_error_set(error, WR_ERR_IO, "%s: %s", p->path, n < 0 ? strerror(errno) : "no space left on device");
}

/* The sink's newest published position of this run. */
static bool find_published(const struct wr_published *p, uint64_t run, const struct wr_sink *sink, uint64_t *bytes,
                           uint64_t *digest)
{
    uint64_t newest = 0;
    struct wr_buf names = {0};
    WR_ASSERT(p);
    put_names(sink, &names);
    uint64_t own = wr_hash64(names.data, names.size, 0);
    wr_buf_release(&names);
    for (uint32_t i = 0; i < 2; i++) {
        struct wr_slice in = wr_buf_slice(&p->slot[i]);
        uint64_t of, sequence, count, name, at, hash;
        if (!wr_get_u64(&in, &of) || of != run || !wr_get_u64(&in, &sequence) || sequence < newest ||
            !wr_get_uint(&in, &count))
            continue;
        while (count-- && wr_get_u64(&in, &name) && wr_get_u64(&in, &at) && wr_get_u64(&in, &hash)) {
            if (name != own) continue;
            newest = sequence;
            *bytes = at;
            *digest = hash;
        }
    }
    return newest != 0;
}

/* ---- Positions in checkpoints --------------------------------------------------------------------- */

static void digest_piece(void *context, struct wr_slice bytes)
{
    wr_digest_add(context, bytes);
}

static void buffer_piece(void *context, struct wr_slice bytes)
{
    wr_buf_add_slice(context, bytes);
}

static uint8_t kind_of(const struct wr_sink *sink)
{
    if (!sink->writer || !sink->writer->cls->mark) return 's';
    return sink->writer->cls->compressed ? 'c' : 'p';
}

static size_t tail_size(uint64_t bytes)
{
    return (size_t)WR_MIN(bytes, (uint64_t)WR_SINK_TAIL);
}

enum wr_status wr_sink_mark(struct wr_sink *sink, struct wr_buf *out, struct wr_error *error)
{
    struct wr_buf one = {0};
    uint64_t size = 0;
    if (!sink->digested) { /* the first one: nothing has been written yet */
        wr_digest_init(&sink->digest);
        sink->digested = true;
    }
    wr_sink_flush(sink);
    if (sink->failed) return *error = sink->task->error, error->status;
    if (sink->writer && sink->writer->cls->mark && sink->writer->cls->mark(sink->writer, &size, error) != WR_OK)
        return error->status;
    put_names(sink, &one);
    wr_put_bytes(&one, wr_slice_cstr(sink->path));
    wr_put_u8(&one, kind_of(sink));
    wr_put_u64(&one, sink->bytes);
    wr_put_u64(&one, size);
    wr_put_bytes(&one, wr_slice_of((const char *)&sink->digest, sizeof sink->digest));
    size_t tail = kind_of(sink) == 's' ? 0 : tail_size(sink->bytes);
    WR_ASSERT(tail <= sink->tail.size);
    wr_put_u64(&one, wr_hash64(tail ? sink->tail.data + sink->tail.size - tail : "", tail, 0));
    wr_put_bytes(out, wr_buf_slice(&one));
    wr_buf_release(&one);
    return WR_OK;
}

bool wr_mark_next(struct wr_slice *in, struct wr_mark *m)
{
    struct wr_slice one;
    return wr_get_bytes(in, &one) && wr_get_bytes(&one, &m->names) && wr_get_bytes(&one, &m->path) &&
           wr_get_u8(&one, &m->kind) && wr_get_u64(&one, &m->bytes) && wr_get_u64(&one, &m->size) &&
           wr_get_bytes(&one, &m->digest) && m->digest.size == sizeof(struct wr_digest) && wr_get_u64(&one, &m->tail);
}

static bool find_mark(const struct wr_sink *sink, struct wr_slice marks, struct wr_mark *m)
{
    struct wr_buf names = {0};
    struct wr_slice own;
    bool found = false;
    put_names(sink, &names);
    struct wr_slice in = wr_buf_slice(&names);
    bool whole = wr_get_bytes(&in, &own);
    WR_ASSERT(whole);
    while (!found && marks.size && wr_mark_next(&marks, m)) found = wr_slice_equal(m->names, own);
    wr_buf_release(&names);
    return found;
}

static void tell(const struct wr_sink_resume *how, const struct wr_sink *sink, const char *what)
{
    char line[512];
    WR_ASSERT(how->told);
    (void)snprintf(line, sizeof line, "%s: %s", sink->path, what);
    how->told(how->context, line);
}

/* Another version of the program may write other columns: the head of a file that goes on is not written again. */
static void compare_head(struct wr_sink *sink, const struct wr_sink_resume *how)
{
    struct wr_buf head = {0};
    struct wr_error read = {0};
    if (!how->fresh || !sink->buffer.size || kind_of(sink) == 's') return;
    if (sink->writer->cls->read_back(sink->writer, 0, sink->buffer.size, buffer_piece, &head, &read) != WR_OK ||
        !wr_slice_equal(wr_buf_slice(&head), wr_buf_slice(&sink->buffer)))
        tell(how, sink, "its first line names other columns than the rows that follow now");
    wr_buf_release(&head);
}

/* How far the file may stay as it is: what was published beyond the checkpoint, if it still lies there. */
static enum wr_status published_in_file(struct wr_sink *sink, const struct wr_mark *m, const struct wr_sink_resume *how,
                                        struct wr_error *error)
{
    uint64_t bytes = 0, digest = 0;
    struct wr_digest all = sink->digest;
    sink->published = sink->journal = m->bytes;
    if (!find_published(how->published, how->run, sink, &bytes, &digest) || bytes <= m->bytes) return WR_OK;
    sink->journal = bytes;
    sink->published_digest = digest;
    if (kind_of(sink) == 'c') return WR_OK; /* whole frames only */
    if (kind_of(sink) == 'p') {             /* of a stream: what is gone is gone */
        enum wr_status status = sink->writer->cls->read_back(sink->writer, m->bytes, bytes, digest_piece, &all, error);
        if (status != WR_OK && status != WR_ERR_STATE) return status; /* the disk: it may lie there all the same */
        bool there = status == WR_OK && wr_digest_value(&all) == digest;
        const char *what = "results that had been written last are damaged; it goes on from the checkpoint";
        if (status != WR_OK) what = "results that had been written are not there any more; it goes on from the checkpoint";
        if (!there) tell(how, sink, what);
        *error = (struct wr_error){0};
        if (!there) return WR_OK;
    }
    sink->published = bytes;
    return WR_OK;
}

static enum wr_status unknown_output(const struct wr_sink *sink, struct wr_slice marks, struct wr_error *error)
{
    struct wr_buf had = {0};
    struct wr_mark m;
    while (marks.size && wr_mark_next(&marks, &m))
        wr_buf_printf(&had, "%s%.*s in %.*s", had.size ? "; " : "", WR_SLICE_ARG(m.names), WR_SLICE_ARG(m.path));
    wr_error_set(error, WR_ERR_STATE, "%s: the run that left this state had other outputs (%s): bind the same ones",
                 sink->path, had.size ? wr_buf_cstr(&had) : "none");
    wr_buf_release(&had);
    return WR_ERR_STATE;
}

static enum wr_status other_file(const struct wr_sink *sink, const struct wr_mark *m, const char *how, struct wr_error *error)
{
    bool moved = !wr_slice_equal(wr_slice_cstr(sink->path), m->path);
    return wr_error_set(error, WR_ERR_STATE,
                        "%s: is not what had been written before (%llu bytes%s%.*s): %s; put that file %s, or say "
                        "--discard-state to begin anew",
                        sink->path, (unsigned long long)m->bytes, moved ? ", to " : "", moved ? (int)m->path.size : 0,
                        moved ? m->path.data : "", how, moved ? "there, bind the output to it again" : "back");
}

/* Is the file that the sink writes now the one of the mark? Its last bytes and its size say so. */
static enum wr_status recognise(struct wr_sink *sink, const struct wr_mark *m, struct wr_error *error)
{
    struct wr_error read = {0};
    uint8_t kind = kind_of(sink);
    if (!m->bytes) return WR_OK;
    if (kind != m->kind)
        return other_file(sink, m,
                          kind == 's' || m->kind == 's' ? "only one of the two is a file"
                                                        : "only one of the two is compressed",
                          error);
    if (kind == 's') return WR_OK;
    uint64_t from = m->bytes - tail_size(m->bytes);
    enum wr_status status = sink->writer->cls->read_back(sink->writer, from, m->bytes, buffer_piece, &sink->tail, &read);
    if (status == WR_ERR_STATE) status = other_file(sink, m, "it is shorter", error);
    else if (status != WR_OK) *error = read;
    else if (wr_hash64(sink->tail.data, sink->tail.size, 0) != m->tail)
        status = other_file(sink, m, "its bytes before the place of the checkpoint differ", error);
    return status;
}

enum wr_status wr_sink_resume(struct wr_sink *sink, struct wr_sink_resume *how, struct wr_error *error)
{
    struct wr_mark m;
    const struct wr_writer_class *cls = sink->writer ? sink->writer->cls : NULL;
    WR_ASSERT(!sink->bytes && !sink->digested);
    sink->digested = true;
    if (!find_mark(sink, how->marks, &m)) {
        wr_digest_init(&sink->digest);
        if (!how->fresh) return unknown_output(sink, how->marks, error);
        return cls && cls->resume ? cls->resume(sink->writer, 0, error) : WR_OK;
    }
    enum wr_status status = recognise(sink, &m, error);
    if (status != WR_OK) return status;
    memcpy(&sink->digest, m.digest.data, sizeof sink->digest);
    sink->bytes = m.bytes;
    if (m.bytes) compare_head(sink, how);
    if (m.bytes) wr_buf_clear(&sink->buffer); /* a header: it stands there already */
    if (published_in_file(sink, &m, how, error) != WR_OK) return error->status;
    how->ahead |= sink->journal > m.bytes;
    if (!cls || !cls->resume) return WR_OK;
    return cls->resume(sink->writer, cls->compressed ? m.size : sink->published, error);
}

bool wr_sink_is_behind(const struct wr_sink *sink) { return sink->bytes < sink->published; }

enum wr_status wr_sink_sync(struct wr_sink *sink, struct wr_error *error)
{
    if (!sink->writer || !sink->writer->cls->sync) return WR_OK;
    return sink->writer->cls->sync(sink->writer, error);
}
