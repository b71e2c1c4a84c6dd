/* digest: reads result rows (JSON lines) and prints their number and the order-free digest of bench/peers/README.md.
 *
 *   digest FIELD FIELD FIELD < rows.jsonl
 *
 * Each FIELD is one integer of the result tuple: `t:name` a timestamp as milliseconds, `c:name` an amount as cents,
 * `n:name` a whole number, or a constant such as `1`. The key is the field "card". */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x) /* splitmix64's finaliser */
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The text behind "name": in the line; exits when it is not there. */
static const char *value_of(const char *line, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(line, key);
    if (!at) {
        fprintf(stderr, "digest: no field %s in %s", name, line);
        exit(1);
    }
    return at + strlen(key);
}

/* Days since 1970-01-01 of a civil date. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t milliseconds(const char *text)
{
    int y, mo, d, h, mi;
    double s;
    if (sscanf(text, "\"%d-%d-%dT%d:%d:%lf", &y, &mo, &d, &h, &mi, &s) != 6) {
        fprintf(stderr, "digest: no timestamp: %s", text);
        exit(1);
    }
    return ((days_of(y, (unsigned)mo, (unsigned)d) * 24 + h) * 60 + mi) * 60000 + llround(s * 1000);
}

static int64_t integer_of(const char *line, const char *field)
{
    if (field[1] != ':') return strtoll(field, NULL, 10);
    const char *text = value_of(line, field + 2);
    if (field[0] == 't') return milliseconds(text);
    if (*text == '"') text++; /* a DECIMAL may be written as text */
    return field[0] == 'c' ? llround(strtod(text, NULL) * 100) : strtoll(text, NULL, 10);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: digest FIELD FIELD FIELD < rows.jsonl\n");
        return 2;
    }
    static char line[1 << 16];
    uint64_t rows = 0, digest = 0;
    while (fgets(line, sizeof line, stdin)) {
        uint64_t h = 0xcbf29ce484222325u;
        for (const char *p = value_of(line, "card") + 1; *p != '"'; p++) h = (h ^ (uint8_t)*p) * 0x100000001b3u;
        for (int i = 1; i < 4; i++) h = mix(h + (uint64_t)integer_of(line, argv[i]));
        digest += h;
        rows++;
    }
    printf("%" PRIu64 " %016" PRIx64 "\n", rows, digest);
    return 0;
}
