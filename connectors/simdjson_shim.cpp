// The one file that knows simdjson. Of it only the first stage is used, through the interface that picks the
// machine's implementation at run time: the walk over the tokens (json_walk.c) knows lines, columns and the
// layout of the record before, which no general parser can, and so needs neither a tree nor a look-up per key.
#include "connectors/simdjson_shim.h"

#include <charconv>
#include <memory>
#include <new>
#include <simdjson.h>
#include <system_error>

struct wr_simdjson {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
};

static const size_t capacity_least = 64 * 1024;
static const size_t depth = 1; // the second stage, which would need more, is never run

struct wr_simdjson *wr_simdjson_new(void)
{
    wr_simdjson *parser = new (std::nothrow) wr_simdjson;
    if (!parser) return nullptr;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity_least, depth,
                                                                                parser->stage)) {
        delete parser;
        return nullptr;
    }
    return parser;
}

void wr_simdjson_free(struct wr_simdjson *parser)
{
    delete parser;
}

static wr_simdjson_status status_of(simdjson::error_code error)
{
    switch (error) {
    case simdjson::SUCCESS: return WR_SIMDJSON_OK;
    case simdjson::EMPTY: return WR_SIMDJSON_OK;
    case simdjson::UTF8_ERROR: return WR_SIMDJSON_BAD_UTF8;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return WR_SIMDJSON_NO_MEMORY;
    default: return WR_SIMDJSON_BAD_STRING;
    }
}

enum wr_simdjson_status wr_simdjson_index(struct wr_simdjson *parser, const char *text, size_t size,
                                          const uint32_t **index, size_t *count)
{
    simdjson::internal::dom_parser_implementation &stage = *parser->stage;
    *count = 0;
    if (size > stage.capacity()) {
        size_t doubled = stage.capacity() * 2;
        if (stage.set_capacity(size > doubled ? size : doubled)) return WR_SIMDJSON_NO_MEMORY;
    }
    simdjson::error_code error = stage.stage1(reinterpret_cast<const uint8_t *>(text), size,
                                              simdjson::stage1_mode::regular);
    if (error == simdjson::SUCCESS) *count = stage.n_structural_indexes;
    for (size_t i = 0; i < WR_SIMDJSON_SENTINELS; i++)
        stage.structural_indexes[*count + i] = static_cast<uint32_t>(size);
    *index = stage.structural_indexes.get();
    return status_of(error);
}

bool wr_simdjson_utf8_valid(const char *text, size_t size)
{
    return simdjson::validate_utf8(text, size);
}

// from_chars says only "out of range" for what is too great and too small alike; the first of the two is
// told by what the text's exponent must be for the smallest of such numbers.
template <class T> static bool number(const char *text, size_t size, T *out)
{
    std::from_chars_result result = std::from_chars(text, text + size, *out);
    if (result.ec == std::errc()) return *out - *out == 0;
    if (result.ec != std::errc::result_out_of_range) return false;
    long digits_before = 0, exponent = 0;
    bool negative = size && *text == '-', significant = false, fraction = false, tiny = false;
    const char *p = text + negative, *end = text + size;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') fraction = true;
        else if (*p != '0') significant = true;
        if (*p == '.') continue;
        if (significant && !fraction) digits_before++;
        else if (!significant && fraction) digits_before--;
    }
    if (p < end) {
        p++;
        tiny = p < end && *p == '-';
        if (p < end && (*p == '+' || *p == '-')) p++;
        for (; p < end; p++)
            if (exponent < 1000000000) exponent = exponent * 10 + (*p - '0');
    }
    if (digits_before + (tiny ? -exponent : exponent) > 0) return false;
    *out = negative ? -T(0) : T(0);
    return true;
}

bool wr_simdjson_f64(const char *text, size_t size, double *out)
{
    return number(text, size, out);
}

bool wr_simdjson_f32(const char *text, size_t size, float *out)
{
    return number(text, size, out);
}
