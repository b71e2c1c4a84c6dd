/* gzip (several members), zstd (several frames) and lz4 frames, as a stream. The libraries keep their own memory;
 * a stream that ends in the middle, or that is damaged, is an error of the input with a sentence. */
#include "connectors/internal.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

struct wr_decompressor {
    enum wr_container container;
    z_stream z;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
    bool inside;  /* in the middle of a member or frame */
    bool padding; /* gzip: zeros behind the last member, as tapes have them */
};

static const int zstd_window_log_max = 31; /* whatever --long was given when it was written */

struct wr_decompressor *wr_decompressor_new(enum wr_container container)
{
    struct wr_decompressor *d = wr_alloc_zero(sizeof *d);
    bool ready = false;
    d->container = container;
    d->inside = true;
    switch (container) {
    case WR_CONTAINER_GZIP: ready = inflateInit2(&d->z, 15 + 16) == Z_OK; break;
    case WR_CONTAINER_ZSTD:
        d->zstd = ZSTD_createDStream();
        ready = d->zstd &&
                !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, zstd_window_log_max));
        break;
    case WR_CONTAINER_LZ4: ready = !LZ4F_isError(LZ4F_createDecompressionContext(&d->lz4, LZ4F_VERSION)); break;
    case WR_CONTAINER_PLAIN: break;
    }
    if (ready) return d;
    wr_decompressor_free(d);
    return NULL;
}

void wr_decompressor_free(struct wr_decompressor *d)
{
    if (!d) return;
    switch (d->container) {
    case WR_CONTAINER_GZIP: inflateEnd(&d->z); break;
    case WR_CONTAINER_ZSTD: ZSTD_freeDStream(d->zstd); break;
    case WR_CONTAINER_LZ4: LZ4F_freeDecompressionContext(d->lz4); break;
    case WR_CONTAINER_PLAIN: break;
    }
    wr_free(d);
}

static enum wr_status damaged(struct wr_error *error, const char *what, const char *why)
{
    return wr_error_set(error, WR_ERR_INPUT, "the %s data is damaged: %s", what, why);
}

static void advance(struct wr_slice *in, char **out, size_t *room, size_t read, size_t written)
{
    WR_ASSERT(read <= in->size && written <= *room);
    *in = wr_slice_of(in->data + read, in->size - read);
    *out += written;
    *room -= written;
}

/* Between two members: more of them, zeros, or something that is no gzip. */
static enum wr_status gzip_next(struct wr_decompressor *d, struct wr_slice *in, struct wr_error *error)
{
    while (in->size && in->data[0] == 0) {
        d->padding = true;
        *in = wr_slice_of(in->data + 1, in->size - 1);
    }
    if (in->size == 0) return WR_OK;
    if (d->padding || (unsigned char)in->data[0] != 0x1f)
        return damaged(error, "gzip", "something else follows its end");
    inflateReset(&d->z);
    d->inside = true;
    return WR_OK;
}

static enum wr_status gzip_step(struct wr_decompressor *d, struct wr_slice *in, char **out, size_t *room,
                                struct wr_error *error)
{
    enum wr_status status = d->inside ? WR_OK : gzip_next(d, in, error);
    if (status != WR_OK || !d->inside) return status;
    union {
        const char *lent;
        Bytef *z;
    } next = {in->data}; /* zlib does not write to its input but has no const in its interface */
    uInt before = (uInt)WR_MIN(in->size, (size_t)1 << 30), space = (uInt)WR_MIN(*room, (size_t)1 << 30);
    d->z.next_in = next.z;
    d->z.avail_in = before;
    d->z.next_out = (Bytef *)*out;
    d->z.avail_out = space;
    int result = inflate(&d->z, Z_NO_FLUSH);
    advance(in, out, room, before - d->z.avail_in, space - d->z.avail_out);
    if (result == Z_STREAM_END) d->inside = false;
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return WR_OK;
    return damaged(error, "gzip", d->z.msg ? d->z.msg : "it cannot be read");
}

static enum wr_status zstd_step(struct wr_decompressor *d, struct wr_slice *in, char **out, size_t *room,
                                struct wr_error *error)
{
    ZSTD_inBuffer from = {in->data, in->size, 0};
    ZSTD_outBuffer to = {*out, *room, 0};
    size_t result = ZSTD_decompressStream(d->zstd, &to, &from);
    advance(in, out, room, from.pos, to.pos);
    if (ZSTD_isError(result)) return damaged(error, "zstd", ZSTD_getErrorName(result));
    if (from.pos || to.pos) d->inside = result != 0;
    return WR_OK;
}

static enum wr_status lz4_step(struct wr_decompressor *d, struct wr_slice *in, char **out, size_t *room,
                               struct wr_error *error)
{
    size_t read = in->size, written = *room;
    size_t result = LZ4F_decompress(d->lz4, *out, &written, in->data, &read, NULL);
    if (LZ4F_isError(result)) return damaged(error, "lz4", LZ4F_getErrorName(result));
    advance(in, out, room, read, written);
    if (read || written) d->inside = result != 0;
    return WR_OK;
}

enum wr_status wr_decompress(struct wr_decompressor *d, struct wr_slice *in, char **out, size_t *room, bool at_end,
                             struct wr_error *error)
{
    static const char *const names[] = {"", "gzip", "zstd", "lz4"};
    for (;;) {
        size_t in_before = in->size, room_before = *room;
        enum wr_status status = d->container == WR_CONTAINER_GZIP   ? gzip_step(d, in, out, room, error)
                                : d->container == WR_CONTAINER_ZSTD ? zstd_step(d, in, out, room, error)
                                                                    : lz4_step(d, in, out, room, error);
        if (status != WR_OK) return status;
        if (*room == 0) return WR_OK;
        if (in->size == in_before && *room == room_before) break;
    }
    /* No progress with room left: the library holds nothing back, and wants more. */
    if (in->size) return damaged(error, names[d->container], "it leads nowhere");
    if (!at_end) return WR_OK;
    if (!d->inside) return WR_END;
    return wr_error_set(error, WR_ERR_INPUT, "the %s data breaks off: the file is not whole", names[d->container]);
}
