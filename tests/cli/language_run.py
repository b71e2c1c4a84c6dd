#!/usr/bin/env python3
"""Expressions and statements run as a user runs them: a program, rows, and what comes out."""
import json, os, subprocess, tempfile

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
results = []


def case(function):
    try:
        function()
        results.append((function.__name__, None))
    except Exception as e:
        results.append((function.__name__, f"{type(e).__name__}: {e}"))
    return function


def equal(got, want):
    assert got == want, f"got {got!r}\nwanted {want!r}"


def replay(program, rows, *options):
    """Exit status, rows that came out, standard error; rows are those of a stream s."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/p.weir", "w") as f:
            f.write(program)
        with open(folder + "/s.jsonl", "w") as f:
            f.writelines(json.dumps(row) + "\n" for row in rows)
        p = subprocess.run([WEIR, "replay", folder + "/p.weir", "--in", f"s={folder}/s.jsonl", *options],
                           capture_output=True, text=True, timeout=60)
    return p.returncode, [json.loads(line) for line in p.stdout.splitlines()], p.stderr


VALUES = "CREATE STREAM s (t STRING, d DECIMAL(8,2), i BIGINT, at TIMESTAMP, WATERMARK FOR at AS at);\n"
ROWS = [{"t": "a", "d": 1.5, "i": 1, "at": 1}, {"t": "b", "d": 1, "i": 2, "at": 2}, {"at": 3}]


def values(expression):
    """Of the expression on each of ROWS, the same in batches and in a condition of a pattern."""
    rc, out, err = replay(f"{VALUES}SELECT {expression} AS v FROM s;", ROWS)
    equal((rc, err if rc else ""), (0, ""))
    return [row["v"] for row in out]


@case
def arrays_are_written_out_of_any_values():
    equal(values("[i, 2, NULL]"), [[1, 2, None], [2, 2, None], [None, 2, None]])
    equal(values("[d, 1]"), [[1.5, 1], [1, 1], [None, 1]])
    equal(values("[t, 'x']"), [["a", "x"], ["b", "x"], [None, "x"]])
    equal(values("[i = 1, TRUE]"), [[True, True], [False, True], [None, True]])
    equal(values("[]"), [[], [], []])
    many = ", ".join(["i"] * 700)
    equal([len(v) for v in values(f"[{many}]")], [700, 700, 700])


@case
def arrays_compare_as_rows_do():
    equal(values("[i, 2] = [1, 2]"), [True, False, None])
    equal(values("[i, 2] <> [1, 2]"), [False, True, None])
    equal(values("[t, NULL] = ['a', 'x']"), [None, False, None])
    equal(values("[t] = ['a', 'x']"), [False, False, False])
    equal(values("[t, NULL] IS NOT DISTINCT FROM ['a', NULL]"), [True, False, False])
    equal(values("[t] IS DISTINCT FROM NULL"), [True, True, True])
    equal(values("[d] = [1]"), [False, True, None])
    equal(values("[i] = [1.0]"), [True, False, None])
    equal(values("[i] = [1e0]"), [True, False, None])


@case
def elements_are_counted_from_1():
    equal(values("['x', t][2]"), ["a", "b", None])
    equal(values("['x', 'y'][i + 1]"), ["y", None, None])
    equal(values("[d, 7][i]"), [1.5, 7, None])
    equal(values("CARDINALITY([t, t, 'c'])"), [3, 3, 3])
    equal(values("CONTAINS([1, i], 2)"), [False, True, None])
    equal(values("CONTAINS(['a', 'c'], t)"), [True, False, None])


@case
def a_map_is_asked_for_a_key():
    equal(values("{'a': 1, 'b': 2.5}[t]"), [1, 2.5, None])
    equal(values("{1: 'one'}[i]"), ["one", None, None])


@case
def an_array_of_a_match_is_compared_in_a_condition():
    rc, out, err = replay(VALUES + "PATTERN p FROM s MATCH a+ b DEFINE a AS i IS NOT NULL, "
                          "b AS ARRAY_AGG(t) = ['a', 'b', NULL] OR CARDINALITY(ARRAY_AGG(i)) = 3 SELECT ARRAY_AGG(t)[2] AS v;", ROWS)
    equal((rc, out), (0, [{"v": "b"}]))


@case
def intervals_may_have_their_unit_in_the_quotes():
    for text, seconds in (("interval '1 day'", 86400), ("INTERVAL '5 minutes'", 300), ("Interval '1 Hour 30 MIN'", 5400),
                          ("interval '1.5 hours'", 5400), ("interval '2w 1d'", 1296000), ("interval '-90 secs'", -90),
                          ("interval '90' second", 90), ("interval '10 ms'", 0), ("CAST('2 days' AS INTERVAL)", 172800)):
        equal(values(f"EXTRACT(EPOCH FROM {text})"), [seconds] * 3)
    equal(values("at + '5 minutes' = at + 5m")[0], True)
    rc, out, err = replay(VALUES + "PATTERN p FROM s MATCH a -> b WITHIN '1 minute' DEFINE b AS i = 2 SELECT b.i AS i;", ROWS)
    equal((rc, out), (0, [{"i": 2}]))


if __name__ == "__main__":
    for name, failure in results:
        if failure:
            print(f"{name}: {failure}")
    bad = sum(1 for _, failure in results if failure)
    print(f"passed={len(results) - bad} failed={bad} skipped=0")
