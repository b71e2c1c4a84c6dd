/* Days and civil dates of the proleptic Gregorian calendar; times within a day. */
#ifndef WR_VM_CALENDAR_H
#define WR_VM_CALENDAR_H

#include "base/slice.h"

#define WR_SECOND_US INT64_C(1000000)
#define WR_MINUTE_US (60 * WR_SECOND_US)
#define WR_HOUR_US (60 * WR_MINUTE_US)
#define WR_DAY_US (24 * WR_HOUR_US)

/* Towards minus infinity; c > 0. */
static inline int64_t wr_floor_div(int64_t b, int64_t c)
{
    return b / c - (b % c < 0);
}

struct wr_civil {
    int64_t year;
    int month, day;             /* 1..12, 1..31 */
    int hour, minute, second, micro;
    int week_day;               /* ISO: Monday 1 … Sunday 7 */
    int year_day;               /* 1..366 */
};

/* Days since 1970-01-01 of a date; the month may be out of 1..12 and carries into the year. */
int64_t wr_days_of(int64_t year, int64_t month, int64_t day);
int wr_month_days(int64_t year, int month);
struct wr_civil wr_civil_of_days(int64_t days);
struct wr_civil wr_civil_of(int64_t micros);
/* The ISO week (1..53) and the year it belongs to. */
int wr_iso_week(const struct wr_civil *c, int64_t *iso_year);

#endif
