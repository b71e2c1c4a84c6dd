"""Programs for run.py: what a scenario is called, its program, its outputs (stream: file), how its events are made."""

EVENTS = """CREATE STREAM ev (card STRING KEY, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at{delay})
    WITH (timestamp_unit = 'ms');
"""
SCENARIOS = {
    "out_of_memory": ("SET memory_max = '24KB';\n" + EVENTS.format(delay=" - 1s") + """CREATE STREAM out;
CREATE STREAM silent;
CREATE STREAM sums;
PATTERN p FROM ev PARTITION BY card MATCH a -> b -> c WITHIN 1m
DEFINE a AS status = 'declined', b AS amount > a.amount, c AS status = 'approved' AND amount > 300
SELECT card, a.at AS first, c.at AS last INTO out;
PATTERN quiet FROM ev PARTITION BY card MATCH a -> NOT b FOR 5s
DEFINE a AS amount > 400, b AS amount <= 400 SELECT card, a.at AS since INTO silent;
INSERT INTO sums SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total, STRING_AGG(status, ',') AS s
FROM HOP(ev, at, 5s, 15s) GROUP BY card, window_start;""",
                      {"out": "out.jsonl", "silent": "silent.jsonl", "sums": "sums.csv"}, {"disorder": 800}),
    "sequence": (EVENTS.format(delay="") + """CREATE STREAM out;
PATTERN p FROM ev PARTITION BY card MATCH a -> b -> c WITHIN 10m
DEFINE a AS status = 'declined', b AS status = 'declined' AND b.amount > a.amount, c AS status = 'approved' AND amount > 300
SELECT card, a.at AS first, c.at AS last, MATCH_ID() AS id INTO out;""", {"out": "out.jsonl"}, {}),
    "windows": (EVENTS.format(delay=" - 2s") + """CREATE STREAM out;
CREATE STREAM late_rows;
INSERT INTO out SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total, MIN(status) AS s FROM TUMBLE(ev, at, 10s)
GROUP BY card, window_start LATE INTO late_rows;""", {"out": "out.csv", "late_rows": "late.jsonl"}, {"disorder": 5000}),
    # Keys whose state changes over many checkpoints, and nothing else that changes beside them.
    "sums": (EVENTS.format(delay=" - 1s") + """CREATE STREAM out;
INSERT INTO out SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total, ARG_MAX(status, amount) AS s
FROM TUMBLE(ev, at, 1h) GROUP BY card, window_start;""", {"out": "out.jsonl"}, {"disorder": 800}),
    "absence": (EVENTS.format(delay=" - 1s") + """CREATE STREAM silent;
CREATE STREAM halves;
PATTERN quiet FROM ev PARTITION BY card MATCH a -> NOT b FOR 5s
DEFINE a AS amount > 400, b AS amount <= 400 SELECT card, a.at AS since INTO silent;
PATTERN half FROM ev PARTITION BY card MATCH a -> b WITHIN 3s WITH TIMEOUTS
DEFINE a AS amount > 450, b AS amount > 460 SELECT card, a.at AS first, b.at AS second, MATCH_STATUS() AS how INTO halves;""",
                {"silent": "silent.jsonl.zst", "halves": "halves.jsonl.gz"}, {"disorder": 800}),
    "running": (EVENTS.format(delay="") + """CREATE STREAM out;
PATTERN p FROM ev PARTITION BY card MATCH small->{3,} -> large WITHIN 2m
DEFINE small AS status = 'declined', large AS status = 'approved' AND amount > 2 * AVG(small.amount)
SELECT card, COUNT(small.*) AS tries, SUM(small.amount) AS tried, large.amount AS amount INTO out;
SELECT card, amount / (amount - amount) AS broken FROM ev WHERE amount > 499;""", {"out": "out.jsonl"}, {"bad": 0.01}),
    "rows": (EVENTS.format(delay=" - 500ms") + """CREATE STREAM out;
INSERT INTO out SELECT card, i, m, n FROM ev MATCH_RECOGNIZE (PARTITION BY card ORDER BY at
  MEASURES MATCH_NUMBER() AS m, COUNT(*) AS n, a.amount AS i ALL ROWS PER MATCH WITH UNMATCHED ROWS
  AFTER MATCH SKIP TO NEXT ROW PATTERN (a b+ c?) DEFINE b AS amount > PREV(amount), c AS amount < PREV(amount, 2));""",
             {"out": "out.jsonl"}, {"disorder": 1000, "keys": 40}),
    "merged": ("""CREATE STREAM ev (card STRING KEY, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at - 1s)
    WITH (timestamp_unit = 'ms');
CREATE STREAM more (card STRING KEY, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at - 2s)
    WITH (timestamp_unit = 'ms');
CREATE STREAM pairs;
CREATE STREAM out;
PATTERN pair FROM (ev, more) PARTITION BY card MATCH a -> b WITHIN 5s
DEFINE a AS amount > 250, b AS amount < 100 SELECT card, a.at AS first, b.at AS at, b.amount AS amount INTO pairs;
PATTERN twice FROM pairs PARTITION BY card MATCH x -> y WITHIN 1m
DEFINE y AS amount < x.amount SELECT card, x.at AS first, y.at AS last, MATCH_ID() AS id INTO out;""",
               {"pairs": "both.jsonl", "out": "both.jsonl"}, {"disorder": 1500}),
    "hops": (EVENTS.format(delay=" - 1s") + """CREATE STREAM out;
CREATE STREAM late_rows;
INSERT INTO out SELECT card, window_start, COUNT(*) AS n, AVG(amount) AS a, MAX(amount) AS m, COUNT(DISTINCT status) AS d,
  FIRST_VALUE(status) AS f FROM HOP(ev, at, 2s, 6s) GROUP BY card, window_start LATE INTO late_rows;""",
             {"out": "out.jsonl.zst", "late_rows": "late.csv"}, {"disorder": 6000, "keys": 60}),
    "limits": (EVENTS.format(delay=" - 300ms") + """CREATE STREAM out;
CREATE STREAM rare;
PATTERN p FROM ev PARTITION BY card MATCH a -> b+ -> c WITHIN 4s WITH ALL TIMEOUTS LIMIT 3 STARTS PER KEY ON LIMIT DROP OLDEST
DEFINE a AS amount > 300, b AS amount > a.amount - 100, c AS amount < 50
SELECT card, a.at AS first, COUNT(b.*) AS n, MATCH_STATUS() AS how INTO out;
PATTERN q FROM ev PARTITION BY card MATCH a -> b WITHIN 4s SUPPRESS 10s
DEFINE a AS status = 'declined', b AS amount > a.amount SELECT card, a.at AS first, b.at AS last INTO rare;""",
               {"out": "out.jsonl", "rare": "rare.jsonl"}, {"disorder": 600, "keys": 80}),
}
