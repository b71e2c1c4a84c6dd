/* gzip, zstd and lz4 frames, written as a stream. */
#include "connectors/internal.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

struct wr_compressor {
    enum wr_container container;
    z_stream z;
    ZSTD_CStream *zstd;
    LZ4F_cctx *lz4;
    bool begun; /* lz4: the frame's head was written */
};

enum { ROOM = 64 * 1024, GZIP_LEVEL = 4, ZSTD_LEVEL = 3 };

struct wr_compressor *wr_compressor_new(enum wr_container container)
{
    struct wr_compressor *c = wr_alloc_zero(sizeof *c);
    bool ready = false;
    c->container = container;
    switch (container) {
    case WR_CONTAINER_GZIP:
        ready = deflateInit2(&c->z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        break;
    case WR_CONTAINER_ZSTD:
        c->zstd = ZSTD_createCStream();
        ready = c->zstd && !ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
                !ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1));
        break;
    case WR_CONTAINER_LZ4: ready = !LZ4F_isError(LZ4F_createCompressionContext(&c->lz4, LZ4F_VERSION)); break;
    case WR_CONTAINER_PLAIN: break;
    }
    if (ready) return c;
    wr_compressor_free(c);
    return NULL;
}

void wr_compressor_free(struct wr_compressor *c)
{
    if (!c) return;
    switch (c->container) {
    case WR_CONTAINER_GZIP: deflateEnd(&c->z); break;
    case WR_CONTAINER_ZSTD: ZSTD_freeCStream(c->zstd); break;
    case WR_CONTAINER_LZ4: LZ4F_freeCompressionContext(c->lz4); break;
    case WR_CONTAINER_PLAIN: break;
    }
    wr_free(c);
}

static void gzip_give(struct wr_compressor *c, struct wr_slice bytes, enum wr_compress how, struct wr_buf *out)
{
    union {
        const char *lent;
        Bytef *z;
    } next = {bytes.data}; /* zlib has no const in its interface */
    int flush = how == WR_COMPRESS_GIVE ? Z_NO_FLUSH : how == WR_COMPRESS_FLUSH ? Z_SYNC_FLUSH : Z_FINISH;
    WR_ASSERT(bytes.size <= UINT32_MAX);
    c->z.next_in = next.z;
    c->z.avail_in = (uInt)bytes.size;
    do {
        c->z.next_out = (Bytef *)wr_buf_reserve(out, ROOM);
        c->z.avail_out = ROOM;
        int result = deflate(&c->z, flush);
        WR_ASSERT(result != Z_STREAM_ERROR);
        out->size += ROOM - c->z.avail_out;
    } while (c->z.avail_out == 0);
    if (how == WR_COMPRESS_FINISH) deflateReset(&c->z);
}

static void zstd_give(struct wr_compressor *c, struct wr_slice bytes, enum wr_compress how, struct wr_buf *out)
{
    ZSTD_EndDirective end = how == WR_COMPRESS_GIVE    ? ZSTD_e_continue
                            : how == WR_COMPRESS_FLUSH ? ZSTD_e_flush
                                                       : ZSTD_e_end;
    ZSTD_inBuffer in = {bytes.data, bytes.size, 0};
    size_t left;
    do {
        ZSTD_outBuffer to = {wr_buf_reserve(out, ROOM), ROOM, 0};
        left = ZSTD_compressStream2(c->zstd, &to, &in, end);
        WR_ASSERT(!ZSTD_isError(left));
        out->size += to.pos;
    } while (end == ZSTD_e_continue ? in.pos < in.size : left != 0);
}

static void lz4_give(struct wr_compressor *c, struct wr_slice bytes, enum wr_compress how, struct wr_buf *out)
{
    static const LZ4F_preferences_t preferences = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled};
    size_t written = 0, room = LZ4F_compressBound(bytes.size, &preferences) + LZ4F_HEADER_SIZE_MAX;
    char *to = wr_buf_reserve(out, room * 2);
    if (!c->begun) {
        written = LZ4F_compressBegin(c->lz4, to, room, &preferences);
        WR_ASSERT(!LZ4F_isError(written));
        c->begun = true;
    }
    size_t n = LZ4F_compressUpdate(c->lz4, to + written, room, bytes.data, bytes.size, NULL);
    WR_ASSERT(!LZ4F_isError(n));
    written += n;
    out->size += written;
    if (how == WR_COMPRESS_GIVE) return;
    room = LZ4F_compressBound(0, &preferences);
    to = wr_buf_reserve(out, room);
    n = how == WR_COMPRESS_FLUSH ? LZ4F_flush(c->lz4, to, room, NULL) : LZ4F_compressEnd(c->lz4, to, room, NULL);
    WR_ASSERT(!LZ4F_isError(n));
    out->size += n;
    c->begun = how == WR_COMPRESS_FLUSH;
}

void wr_compress(struct wr_compressor *c, struct wr_slice bytes, enum wr_compress how, struct wr_buf *out)
{
    if (c->container == WR_CONTAINER_GZIP) gzip_give(c, bytes, how, out);
    else if (c->container == WR_CONTAINER_ZSTD) zstd_give(c, bytes, how, out);
    else lz4_give(c, bytes, how, out);
}
