/* The shortest digits that read back the same, and reading them: std::to_chars and std::from_chars, which
 * know no locale. The only C++ of this folder. */
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string>

extern "C" {
size_t wr_double_shortest(char *out, double v);
size_t wr_float_shortest(char *out, double v);
bool wr_double_read(const char *text, size_t size, double *out);
}

/* Whole numbers and small fractions as people write them, 100000 and 0.00001; an exponent only past that. */
template <typename T> static size_t shortest(char *out, T v)
{
    const T size = std::fabs(v);
    const bool plain = v == 0 || (size >= T(1e-6) && size < T(1e16));
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    return static_cast<size_t>(std::to_chars(out, out + 40, v, format).ptr - out);
}

size_t wr_double_shortest(char *out, double v)
{
    return shortest(out, v);
}

size_t wr_float_shortest(char *out, double v)
{
    return shortest(out, static_cast<float>(v));
}

/* The whole text is a number; one too small for a double is zero, one too large is none. */
bool wr_double_read(const char *text, size_t size, double *out)
{
    std::from_chars_result r = std::from_chars(text, text + size, *out);
    if (r.ptr != text + size) return false;
    if (r.ec == std::errc()) return true;
    if (r.ec != std::errc::result_out_of_range) return false;
    *out = std::strtod(std::string(text, size).c_str(), nullptr);
    return std::fabs(*out) < 1.0;
}
