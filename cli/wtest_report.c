/* Verdicts for machines: JUnit, TAP, JSON. */
#include "cli/mutate.h"

const char *wr_test_verdict_name(enum wr_test_verdict verdict)
{
    static const char *const names[] = {"ok", "FAIL", "ERROR", "SKIP", "XFAIL", "XPASS"};
    WR_ASSERT((size_t)verdict < WR_COUNT(names));
    return names[verdict];
}

static void add_xml(struct wr_buf *out, struct wr_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '<') wr_buf_add_cstr(out, "&lt;");
        else if (c == '>') wr_buf_add_cstr(out, "&gt;");
        else if (c == '&') wr_buf_add_cstr(out, "&amp;");
        else if (c == '"') wr_buf_add_cstr(out, "&quot;");
        else if ((unsigned char)c < 0x20 && c != '\n' && c != '\t') wr_buf_add_char(out, '?');
        else wr_buf_add_char(out, c);
    }
}

static bool is_bad(enum wr_test_verdict v)
{
    return v == WR_TEST_FAIL || v == WR_TEST_ERROR_VERDICT || v == WR_TEST_XPASS;
}

void wr_test_write_junit(const struct wr_test_report *report, size_t count, struct wr_buf *out)
{
    size_t failures = 0, errors = 0, skipped = 0;
    double seconds = 0;
    for (size_t i = 0; i < count; i++) {
        enum wr_test_verdict v = report[i].verdict;
        failures += v == WR_TEST_FAIL || v == WR_TEST_XPASS;
        errors += v == WR_TEST_ERROR_VERDICT;
        skipped += v == WR_TEST_SKIP || v == WR_TEST_XFAIL;
        seconds += report[i].seconds;
    }
    wr_buf_printf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"weir\" "
                  "tests=\"%zu\" failures=\"%zu\" "
                  "errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
                  count, failures, errors, skipped, seconds);
    for (size_t i = 0; i < count; i++) {
        const struct wr_test_report *r = &report[i];
        wr_buf_add_cstr(out, "  <testcase classname=\"");
        add_xml(out, wr_slice_cstr(r->path));
        wr_buf_add_cstr(out, "\" name=\"");
        add_xml(out, r->name);
        wr_buf_printf(out, "\" file=\"");
        add_xml(out, wr_slice_cstr(r->path));
        wr_buf_printf(out, "\" line=\"%u\" time=\"%.3f\"", r->line, r->seconds);
        if (r->verdict == WR_TEST_OK) {
            wr_buf_add_cstr(out, "/>\n");
            continue;
        }
        const char *tag = r->verdict == WR_TEST_ERROR_VERDICT ? "error"
                          : is_bad(r->verdict)                ? "failure"
                                                              : "skipped";
        wr_buf_printf(out, ">\n    <%s message=\"%s\">", tag, wr_test_verdict_name(r->verdict));
        add_xml(out, wr_slice_cstr(r->text));
        wr_buf_printf(out, "</%s>\n  </testcase>\n", tag);
    }
    wr_buf_add_cstr(out, "</testsuite>\n");
}

void wr_test_write_json(const struct wr_test_report *report, size_t count, const struct wr_test_coverage *coverage,
                        double coverage_min, const struct wr_mutation *mutation, double mutation_min, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "{\"version\":1,\"cases\":[");
    for (size_t i = 0; i < count; i++) {
        wr_buf_add_cstr(out, i ? ",\n{\"file\":" : "\n{\"file\":");
        wr_buf_add_json(out, wr_slice_cstr(report[i].path));
        wr_buf_printf(out, ",\"line\":%u,\"name\":", report[i].line);
        wr_buf_add_json(out, report[i].name);
        wr_buf_printf(out, ",\"verdict\":\"%s\",\"seconds\":%.3f,\"text\":",
                      wr_test_verdict_name(report[i].verdict), report[i].seconds);
        wr_buf_add_json(out, wr_slice_cstr(report[i].text));
        wr_buf_add_char(out, '}');
    }
    wr_buf_add_char(out, ']');
    if (coverage) {
        wr_buf_add_cstr(out, ",\n\"coverage\":");
        wr_test_cover_json(coverage, coverage_min, out);
    }
    if (mutation) {
        wr_buf_add_cstr(out, ",\n\"mutants\":");
        wr_mutation_json(mutation, mutation_min, out);
    }
    wr_buf_add_cstr(out, "}\n");
}

void wr_test_write_tap(const struct wr_test_report *report, size_t count, struct wr_buf *out)
{
    wr_buf_printf(out, "TAP version 13\n1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        const struct wr_test_report *r = &report[i];
        bool expected = r->verdict == WR_TEST_XFAIL || r->verdict == WR_TEST_XPASS;
        bool bad = is_bad(r->verdict) || r->verdict == WR_TEST_XFAIL;
        wr_buf_printf(out, "%s %zu - %s: ", bad && r->verdict != WR_TEST_XPASS ? "not ok" : "ok",
                      i + 1, r->path);
        for (size_t k = 0; k < r->name.size; k++) {
            if (r->name.data[k] == '#' || r->name.data[k] == '\\') wr_buf_add_char(out, '\\');
            wr_buf_add_char(out, r->name.data[k]);
        }
        struct wr_slice rest = wr_slice_cstr(r->text), line;
        if (r->verdict == WR_TEST_SKIP) wr_buf_printf(out, " # SKIP %s", r->text);
        if (expected)
            wr_buf_add_cstr(out, " # TO"
                                 "DO expected to fail"); /* TAP's own word */
        wr_buf_add_char(out, '\n');
        while (r->verdict != WR_TEST_SKIP && wr_test_next_line(&rest, &line))
            wr_buf_printf(out, "# %.*s\n", WR_SLICE_ARG(line));
    }
}
