"""The proof of the calendar by somebody else: from every day of 2004 to 2026 the end of a limit of 20
working days as the PyPI package `chinesecalendar` counts it, as a digest that the test
`twenty_days_from_every_day_end_where_chinesecalendar_says` of platform/cases compares.

    pip install chinesecalendar==1.11.0 && python benches/working_days.py
"""

import datetime
import hashlib

import chinese_calendar

FIRST, LAST = datetime.date(2004, 1, 1), datetime.date(2026, 12, 31)
ONE = datetime.timedelta(days=1)


def end(start):
    left, day = 20, start
    while left:
        day += ONE
        if day > LAST:
            return None
        left -= chinese_calendar.is_workday(day)
    return day


digest, count, day = hashlib.sha256(), 0, FIRST
while (last := end(day)) is not None:
    digest.update(f"{day} {last}\n".encode())
    count, day = count + 1, day + ONE
print(count, digest.hexdigest())
for year in (2004, 2005, 2006):
    day, said = datetime.date(year, 1, 1), []
    while day.year == year:
        works = chinese_calendar.is_workday(day)
        if works != (day.weekday() < 5):
            said.append(f"{day:%m%d}{'+' if works else '-'}")
        day += ONE
    print(year, " ".join(said))
