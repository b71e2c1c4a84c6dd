/* Civil dates by eras of 400 years that begin on the first of March, so that leap days come last. */
#include "vm/calendar.h"

int64_t wr_days_of(int64_t year, int64_t month, int64_t day)
{
    year += wr_floor_div(month - 1, 12);
    month = month - 1 - wr_floor_div(month - 1, 12) * 12 + 1;
    WR_ASSERT(month >= 1 && month <= 12);
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = wr_floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int wr_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    WR_ASSERT(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap(year));
}

struct wr_civil wr_civil_of_days(int64_t days)
{
    struct wr_civil c = {0};
    int64_t z = days + 719468;
    int64_t era = wr_floor_div(z, 146097);
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    c.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = year + era * 400 + (c.month <= 2);
    int64_t week_day = (days + 3) % 7;
    c.week_day = (int)(week_day < 0 ? week_day + 7 : week_day) + 1;
    c.year_day = (int)(days - wr_days_of(c.year, 1, 1)) + 1;
    WR_ASSERT(c.year_day >= 1 && c.year_day <= 366);
    return c;
}

struct wr_civil wr_civil_of(int64_t micros)
{
    int64_t days = wr_floor_div(micros, WR_DAY_US);
    WR_DCHECK(days > -110000000 && days < 110000000);
    struct wr_civil c = wr_civil_of_days(days);
    /* In unsigned arithmetic: the first day of all begins before INT64_MIN. */
    int64_t rest = (int64_t)((uint64_t)micros - (uint64_t)days * (uint64_t)WR_DAY_US);
    c.micro = (int)(rest % WR_SECOND_US);
    c.second = (int)(rest / WR_SECOND_US % 60);
    c.minute = (int)(rest / WR_MINUTE_US % 60);
    c.hour = (int)(rest / WR_HOUR_US);
    return c;
}

int wr_iso_week(const struct wr_civil *c, int64_t *iso_year)
{
    /* The week's Thursday decides. */
    struct wr_civil thursday = wr_civil_of_days(wr_days_of(c->year, c->month, c->day) + 4 - c->week_day);
    *iso_year = thursday.year;
    WR_ASSERT(thursday.week_day == 4);
    return (thursday.year_day - 1) / 7 + 1;
}
