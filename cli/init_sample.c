/* What `weir init` writes without a recording: a program, its test, and events made by a small
 * generator. */
#include "cli/cli.h"
#include "cli/init.h"

const char wr_init_program[] =
    "-- Three declines in a row, then an approval of more than five times their average, within "
    "ten minutes, per card.\n"
    "CREATE STREAM payments (\n"
    "    card   STRING KEY,\n"
    "    amount DECIMAL(12,2),\n"
    "    status STRING,\n"
    "    at     TIMESTAMP,\n"
    "    WATERMARK FOR at AS at - 5s\n"
    ");\n"
    "\n"
    "CREATE STREAM alerts;\n"
    "\n"
    "PATTERN card_testing FROM payments PARTITION BY card\n"
    "MATCH   small{3,} -> large WITHIN 10m\n"
    "DEFINE  small AS status = 'declined',\n"
    "        large AS status = 'approved' AND amount > 5 * AVG(small.amount)\n"
    "SELECT  card, COUNT(small.*) AS tries, SUM(small.amount) AS tried, large.amount AS amount\n"
    "INTO    alerts;\n";

const char wr_init_test[] =
    "# Rows above the line, what is expected below it. Run: weir test\n"
    "use \"card_testing.weir\"\n"
    "start 2026-03-01T12:00:00Z\n"
    "default payments status=declined\n\n"
    "=== three declines, then a large approval\n"
    "+0s   payments card=c1 amount=1                    #a\n"
    "+20s  payments card=c1 amount=2                    #b\n"
    "+40s  payments card=c1 amount=3                    #c\n"
    "+50s  payments card=c2 amount=900 status=approved  # another card takes no part\n"
    "+60s  payments card=c1 amount=500 status=approved  #d\n"
    "---\n"
    "+60s  alerts card=c1 tries=3 tried=6 amount=500 <- #a #b #c #d\n\n"
    "=== an approval of the usual size is none\n"
    "+0s   payments card=c1 amount=100 x3 every 10s\n"
    "+60s  payments card=c1 amount=500 status=approved\n"
    "---\n"
    "none\n\n"
    "=== too late: nothing, and the state is freed\n"
    "+0s     payments card=c1 amount=1 x3 every 10s\n"
    "+10m1s  payments card=c1 amount=500 status=approved\n"
    "watermark +11m\n"
    "---\n"
    "none\n"
    "open card_testing 0\n\n"
    "=== the sample events\n"
    "input payments \"payments.jsonl\"\n"
    "---\n"
    "+13m10s  alerts card=c07 tries=3 tried=6 amount=480\n"
    "+31m20s  alerts card=c13 tries=4 tried=10 amount=950\n";

enum { EVENTS = 200, STEP_S = 10 };

/* The tries of two cards lie among the ordinary payments of twenty. */
static bool planted(uint32_t i, const char **card, uint32_t *amount, bool *declined)
{
    static const struct {
        uint32_t at;
        const char *card;
        uint32_t amount;
        bool declined;
    } plant[] = {{71, "c07", 1, true},    {73, "c07", 2, true},  {76, "c07", 3, true},
                 {79, "c07", 480, false}, {170, "c13", 1, true}, {172, "c13", 2, true},
                 {175, "c13", 3, true},   {181, "c13", 4, true}, {188, "c13", 950, false}};
    for (size_t k = 0; k < WR_COUNT(plant); k++) {
        if (plant[k].at != i) continue;
        *card = plant[k].card;
        *amount = plant[k].amount;
        *declined = plant[k].declined;
        return true;
    }
    return false;
}

void wr_init_events(struct wr_buf *out)
{
    static const char *const cards[] = {"c01", "c02", "c03", "c04", "c05", "c06",
                                        "c08", "c09", "c10", "c11", "c12", "c14",
                                        "c15", "c16", "c17", "c18", "c19", "c20"};
    uint64_t state = 20260301;
    for (uint32_t i = 0; i < EVENTS; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const char *card = cards[(state >> 33) % WR_COUNT(cards)];
        uint32_t amount = 5 + (uint32_t)(state >> 40) % 200, second = i * STEP_S;
        bool declined = (state >> 50) % 12 == 0;
        (void)planted(i, &card, &amount, &declined);
        wr_buf_printf(out,
                      "{\"card\":\"%s\",\"amount\":%u.00,\"status\":\"%s\",\"at\":\"2026-03-01T12:%"
                      "02u:%02uZ\"}\n",
                      card, amount, declined ? "declined" : "approved", second / 60, second % 60);
    }
}
