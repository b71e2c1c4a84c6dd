#!/usr/bin/env python3
"""weir why: every way in which a start may end has its own true sentence, in words and as JSON; rows that took no part;
cases shrunk by --as-test pass as they stand."""
import json, os, subprocess, sys, tempfile

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STREAM = "CREATE STREAM s (k STRING KEY, t STRING, v INT, at TIMESTAMP, WATERMARK FOR at AS at - 5s);\n"
AB, ABC = "a AS t = 'a', b AS t = 'b'", "a AS t = 'a', b AS t = 'b', c AS t = 'c'"
results = []

# name, MATCH, DEFINE, rows (t:second:key:v), how it ends, what is said, --at second or None
FORMS = [
    ("an adjacent row does not fit", "a b c", ABC, "a b d", "died",
     ["c refused s #3 (2026-03-01T12:00:02Z): t = 'c', where t = 'd'", "it ended there: the very next row of its key had to be `c`"], None),
    ("WITHIN", "a -> b WITHIN 10s", AB, "a:0 d:5 b:20", "expired",
     ["b refused s #2", "it ended by WITHIN 10s at 2026-03-01T12:00:10Z, waiting for `b`"], None),
    ("the end of the input", "a -> b", AB, "a:0 d:5", "input_ended", ["it ended with the input, waiting for `b`"], None),
    ("NOT FOR", "a -> NOT b FOR 10s", "a AS t = 'a', b AS t = 'b' AND v > 0", "a:0 d:3 b:5:x:7 d:30", "forbidden",
     ["s #3 (2026-03-01T12:00:05Z) satisfied b, which must not come within 10s of a: t = 'b' AND v > 0, where t = 'b', v = 7\n    it ended there\n"], None),
    ("NOT between", "a -> NOT b -> c WITHIN 1m", ABC, "a:0 d:3 b:5 c:7 d:30", "forbidden",
     ["s #3 (2026-03-01T12:00:05Z) satisfied b, which must not come between a and c: t = 'b', where t = 'b'"], None),
    ("NOT at once", "a NOT b c", ABC, "a:0 b:1 c:2", "forbidden", ["satisfied b, which must not come between a and c"], None),
    ("a trailing NOT", "a -> b -> NOT c WITHIN 1m", ABC, "a:0 b:3 c:5 d:90", "forbidden",
     ["s #3 (2026-03-01T12:00:05Z) satisfied c, which must not come until the time of WITHIN is up"], None),
    ("a leading NOT", "NOT b FOR 10s -> c", "b AS t = 'b', c AS t = 'c'", "b:0 c:5 d:30", "led",
     ["it could not begin: a b had come at 2026-03-01T12:00:00Z, less than 10s before"], None),
    ("the bounds of an arrow", "a ->[2s..10s] b", AB, "a:0 b:1 d:5 b:20", "bound",
     ["b refused s #2 (2026-03-01T12:00:01Z): it came sooner than 2s after a",
      "it ended at 2026-03-01T12:00:10.000001Z, waiting for `b`: it had to come no later than 10s after a"], None),
    ("UNTIL", "a b+ UNTIL (v > 90) c", ABC, "a:0 b:1 b:2 b:3:x:95 c:4", "closed",
     ["s #4 (2026-03-01T12:00:03Z) closed the loop of b: UNTIL (v > 90), where v = 95",
      "it ended there: nothing else could take that row"], None),
    ("a possessive loop", "a b++ c", "a AS t = 'a', b AS t = 'b', c AS v = 2", "a:0 b:1 b:2:x:2 d:3", "died",
     ["c refused s #4", "it ended there"], None),
    ("SKIP PAST LAST ROW", "a b+ c", "a AS TRUE, b AS t = 'b', c AS t = 'c'", "a:0 b:1 b:2 c:3", "taken",
     ["it ended because a match before it, of s #1 (2026-03-01T12:00:00Z) to s #4 (2026-03-01T12:00:03Z), took its row "
      "away (AFTER MATCH SKIP PAST LAST ROW)"], 2),
    ("SKIP TO a variable", "a b+ c SKIP TO LAST b", "a AS TRUE, b AS t = 'b', c AS t = 'c'", "b:0 b:1 b:2 c:3 c:5", "taken",
     ["took its row away (AFTER MATCH SKIP TO LAST b)"], 1),
    ("an earlier start", "a -> b", AB, "a:0 a:5 d:20", "covered",
     ["it was not followed: the earlier start at s #1 (2026-03-01T12:00:00Z) was open"], 5),
    ("LIMIT", "a -> b LIMIT 1 STARTS PER KEY ON LIMIT DROP OLDEST SKIP TO NEXT ROW", AB, "a:0 a:1 d:2", "limit",
     ["it was dropped at 2026-03-01T12:00:01Z: more starts of its key were open"], 0),
    ("SUPPRESS", "a SUPPRESS 10s", "a AS t = 'a'", "a:0 a:5 a:20", "suppressed",
     ["p for x: a suppressed match of 1 row", "a match of the key had been given at 2026-03-01T12:00:00Z, less than 10s before"], 5),
    ("a match that waits", "a b+", AB, "a:0 b:1 b:2 c:30", "match",
     ["p for x: a match of 3 rows", "it was told only at 2026-03-01T12:00:30Z: until then a longer one"], None),
    ("a moment of a match", "a -> NOT b FOR 10s -> c", ABC, "a:0 d:3 c:15", "match",
     ["p for x: a match of 2 rows", "then no b came until 2026-03-01T12:00:10Z", "c took s #3"], None),
    ("aggregates of what was taken", "a{2,} b", "a AS t = 'a', b AS t = 'b' AND SUM(a.v * 2) < 1 AND v <> PREV(v)",
     "a:0:x:1 a:1:x:2 b:2:x:3", "died", ["where t = 'b', v = 3, SUM(a.v * 2) = 6, PREV(v) = 2"], None),
    ("a SUBSET", "a b c SUBSET u = (a, b)", "a AS t = 'a', b AS t = 'b', c AS t = 'c' AND AVG(u.v) > 5", "a b c", "died",
     ["where t = 'c', AVG((a, b).v) = 1"], None),
    ("groups and alternation", "a -> (b | c d) WITHIN 1m", "a AS t = 'a', b AS t = 'b' AND v > 5, c AS t = 'c', d AS t = 'd'",
     "a:0 c:1 b:2", "died", ["d refused s #3", "the very next row of its key had to be `d`"], None),
    ("PERMUTE", "PERMUTE(a, b, c)", ABC, "a:0 c:1 d:2", "died", ["b refused s #3"], None),
    ("NEXT", "a b", "a AS t = 'a', b AS t = 'b' AND NEXT(v) > v", "a:0:x:1 b:1:x:2 b:2:x:1", "died", ["NEXT(v) = 1"], None),
]


def records(spec):
    out = []
    for i, word in enumerate(spec.split()):
        part = word.split(":") + ["", "", ""]
        at = int(part[1] or i)
        out.append({"k": part[2] or "x", "t": part[0], "v": int(part[3] or 1), "at": f"2026-03-01T12:{at // 60:02}:{at % 60:02}Z"})
    return "".join(json.dumps(r) + "\n" for r in out)


def weir(*args, cwd):
    p = subprocess.run([WEIR, *args], capture_output=True, text=True, timeout=60, cwd=cwd)
    return p.returncode, p.stdout, p.stderr


def ask(folder, match, define, rows, *args, where=""):
    with open(folder + "/p.weir", "w") as f:
        f.write(f"{STREAM}PATTERN p FROM s {where} PARTITION BY k\nMATCH {match}\nDEFINE {define}\nSELECT k;\n")
    with open(folder + "/s.jsonl", "w") as f:
        f.write(records(rows))
    rc, out, err = weir("why", "p.weir", "-q", "--in", "s=s.jsonl", *args, cwd=folder)
    assert rc == 0, err
    return out


def check(name, function):
    with tempfile.TemporaryDirectory() as folder:
        try:
            function(folder)
            results.append((name, None))
        except Exception as e:
            results.append((name, f"{type(e).__name__}: {e}"))


def form(match, define, rows, end, said, at):
    def run(folder):
        more = [] if at is None else ["--at", f"2026-03-01T12:00:{at:02}Z"]
        out = ask(folder, match, define, rows, *more)
        for text in said:
            assert text in out, f"wanted {text!r} in\n{out}"
        starts = json.loads(ask(folder, match, define, rows, "--json", *more))["starts"]
        assert end in [s["end"] for s in starts], [s["end"] for s in starts]
        if at is not None:
            return
        test = ask(folder, match, define, rows, "--as-test")
        with open(folder + "/w.wtest", "w") as f:
            f.write(test)
        rc, out, err = weir("test", "w.wtest", cwd=folder)
        assert rc == 0, test + out + err
        assert weir("fmt", "--check", "w.wtest", cwd=folder)[0] == 0, test
    return run


def rows_that_took_no_part(folder):
    out = ask(folder, "a -> b WITHIN 1m", "a AS t = 'a', b AS t = 'b' AND v > 10", "a:20 b:22:y:20 b:23:x:0 b:40:x:5 b:30:x:20 d:50",
              where="WHERE v > 0")
    for text in ("s #3 (2026-03-01T12:00:23Z) was left out by WHERE\n", "s #5 (2026-03-01T12:00:30Z) came late by 5s; a pattern takes no late row",
                 "of other keys: 1 row that it waited for, the first s #2 (2026-03-01T12:00:22Z), b by its own columns, of y"):
        assert text in out, f"wanted {text!r} in\n{out}"
    asides = json.loads(ask(folder, "a -> b WITHIN 1m", "a AS t = 'a', b AS t = 'b' AND v > 10",
                            "a:20 b:22:y:20 b:23:x:0 b:40:x:5 b:30:x:20 d:50", "--json", where="WHERE v > 0"))["starts"][0]["aside"]
    assert [(a["kind"], a["record"]) for a in asides] == [("late", 4), ("filtered", 2), ("key", 1)], asides
    with open(folder + "/s.jsonl", "w") as f:
        f.write('{"k":"x","t":"a","v":1,"at":"2026-03-01T12:00:00Z"}\n{"k":"x","t":"b","v":"many","at":"2026-03-01T12:00:05Z"}\n'
                '{"k":"x","t":"d","v":1,"at":"2026-03-01T12:00:09Z"}\n')
    out = weir("why", "p.weir", "-q", "--in", "s=s.jsonl", cwd=folder)[1]
    assert "s #2 is bad: " in out and " in 'v'" in out, out


def no_start_shows_the_rows(folder):
    out = ask(folder, "a -> b", AB, "c:0 b:1", "--key", "x")
    assert "p for x: no row began a match\n    it begins with a AS t = 'a'\n" in out, out
    assert "s #2 (2026-03-01T12:00:01Z) satisfies nothing that a match begins with" in out, out


def examples_have_no_internal_names_and_pass_as_tests(folder):
    for name in sorted(os.listdir(ROOT + "/examples")):
        home = f"{ROOT}/examples/{name}"
        if name == "flights" or not os.path.exists(f"{home}/{name}.weir"):
            continue
        program = open(f"{home}/{name}.weir").read()
        streams = [w.split()[2] for w in program.split("\n") if w.startswith("CREATE STREAM") and w.rstrip().endswith("(")]
        inputs = []
        for stream in streams:
            found = [f for f in os.listdir(home) if f.split(".")[0] == stream]
            inputs += ["--in", f"{stream}={home}/{found[0]}"]
        with open(f"{folder}/{name}.weir", "w") as f:
            f.write(program)
        patterns = [w.split()[1] for w in program.split("\n") if w.startswith("PATTERN ")]
        patterns += [w.split(" AS ")[-1].strip(" ;") for w in program.split("\n") if w.startswith(") AS ")]
        for pattern in patterns:
            rc, out, err = weir("why", f"{name}.weir", "-q", *inputs, "--pattern", pattern, cwd=folder)
            assert rc == 0 and "$" not in out, (name, pattern, out, err)
            rc, out, err = weir("why", f"{name}.weir", "-q", *inputs, "--pattern", pattern, "--as-test", cwd=folder)
            assert rc == 0, (name, pattern, err)
            with open(folder + "/w.wtest", "w") as f:
                f.write(out)
            rc, said, err = weir("test", "w.wtest", cwd=folder)
            assert rc == 0, f"{name} {pattern}\n{out}\n{said}{err}"


for name, *rest in FORMS:
    check(name, form(*rest))
check("rows that took no part", rows_that_took_no_part)
check("no start shows the rows", no_start_shows_the_rows)
check("examples", examples_have_no_internal_names_and_pass_as_tests)
failed = [(name, why) for name, why in results if why]
for name, why in failed:
    print(f"{name}: {why}")
print(f"\npassed={len(results) - len(failed)} failed={len(failed)} skipped=0")
sys.exit(1 if failed else 0)
