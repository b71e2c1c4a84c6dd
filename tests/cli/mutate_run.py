#!/usr/bin/env python3
"""weir test --mutate: which mutants are made, which are told, the event that would tell; --watch: what runs again, when."""
import json, os, select, shutil, signal, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import case, equal, finish

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
STREAM = "CREATE STREAM s (k STRING KEY, v INT, w STRING, at TIMESTAMP, WATERMARK FOR at AS at - 5s);\nCREATE STREAM o;\n"
HEAD = 'use "p.weir"\nstart 2026-03-01T12:00:00Z\ndefault s k=a\n\n'
PAIR = STREAM + "PATTERN p FROM s PARTITION BY k\nMATCH   a -> b WITHIN 10m\nDEFINE  a AS v = 1, b AS v > 10\nSELECT  k, b.v AS v INTO o;\n"


def environment():
    return {k: v for k, v in os.environ.items() if k != "CI"}


def weir(*args, cwd):
    p = subprocess.run([WEIR, *args], capture_output=True, text=True, timeout=120, cwd=cwd, env=environment())
    return p.returncode, p.stdout, p.stderr


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)


def mutate(folder, program, cases, *args, head=HEAD):
    write(folder, "p.weir", program)
    write(folder, "t.wtest", head + cases)
    return weir("test", "-q", "--mutate", "t.wtest", *args, cwd=folder)


def document(folder, program, cases, head=HEAD):
    rc, out, err = mutate(folder, program, cases, "--json", head=head)
    assert rc == 0, out + err
    return json.loads(out)["mutants"]


def made(folder, program, cases="=== it\n+0s s v=1\n---\n...\n"):
    """The mutants of a program as (kind, before, after), blanks at the ends left out."""
    doc = document(folder, program, cases)
    return {(m["kind"], m["before"].strip(), m["after"].strip()) for p in doc["programs"] for m in p["mutants"]}


def holds(got, *want):
    missing = [w for w in want if w not in got]
    assert not missing, f"missing {missing} of\n" + "\n".join(map(str, sorted(got)))


# ---- Which mutants are made --------------------------------------------------------------------------

@case
def comparisons_conditions_and_their_parts_are_changed(f):
    got = made(f, STREAM + "INSERT INTO o SELECT k FROM s WHERE v >= 3 AND w <> 'x' OR NOT (v < 1) OR w IN ('a', 'b') OR w IS NULL\n"
                           "  OR v BETWEEN 20 AND 29;\n")
    whole = "v >= 3 AND w <> 'x' OR NOT (v < 1) OR w IN ('a', 'b') OR w IS NULL\n  OR v BETWEEN 20 AND 29"
    holds(got, ("comparison", ">=", ">"), ("comparison", ">=", "<"), ("comparison", "<>", "="), ("comparison", "<", "<="),
          ("comparison", "<", ">"), ("logic", "AND", "OR"), ("logic", "OR", "AND"), ("condition", "AND w <> 'x'", ""),
          ("condition", "v >= 3 AND", ""), ("condition", "v >= 3 AND w <> 'x' OR", ""), ("condition", "OR w IN ('a', 'b')", ""),
          ("condition", "NOT (v < 1)", "(v < 1)"), ("condition", "w IN ('a', 'b')", "NOT (w IN ('a', 'b'))"),
          ("condition", "'a',", ""), ("condition", ", 'b'", ""), ("condition", "w IS NULL", "NOT (w IS NULL)"),
          ("condition", whole, "TRUE"), ("condition", whole, f"NOT ({whole})"), ("number", "3", "4"), ("number", "3", "2"),
          ("number", "20", "22"), ("number", "20", "18"), ("condition", "v BETWEEN 20 AND 29", "NOT (v BETWEEN 20 AND 29)"))
    assert ("number", "1", "0") in got and ("logic", "AND 29", "OR 29") not in got, got


@case
def arrows_quantifiers_absences_and_alternatives_are_changed(f):
    got = made(f, STREAM + "PATTERN p FROM s PARTITION BY k MATCH a{2,4} b* ->[2s..9s] (c | d) -> NOT e FOR 20s\n"
                           "DEFINE a AS v = 1, b AS v = 2, c AS v = 3, d AS v = 4, e AS v = 5 SELECT k INTO o;\n")
    holds(got, ("quantifier", "{2,4}", "{1,4}"), ("quantifier", "{2,4}", "{3,4}"), ("quantifier", "{2,4}", "{2,5}"),
          ("quantifier", "{2,4}", "{2,3}"), ("quantifier", "{2,4}", "{2,4}?"), ("quantifier", "*", "+"), ("quantifier", "*", "*?"),
          ("arrow", "", "->"), ("arrow", "->[2s..9s]", ""), ("bound", "[2s..9s]", ""), ("bound", "9s", "9s900ms"),
          ("bound", "2s", "1s800ms"), ("condition", "v = 4", "FALSE"), ("condition", "v = 4", "TRUE"), ("pattern", "NOT e FOR 20s", "e"),
          ("bound", "20s", "18s"), ("bound", "20s", "22s"))
    assert not any(kind == "arrow" and before == "->" for kind, before, after in got), got  # says no more before an absence


@case
def key_skip_rule_and_clauses_are_changed(f):
    short = STREAM + "PATTERN p FROM s WHERE v > 0 PARTITION BY k%s MATCH a -> b%s WITHIN 10m SUPPRESS 1h\nDEFINE a AS v = 1, b AS v = 2\nSELECT %s INTO o;\n"
    got = made(f, short % ("", "", "b.k AS x"))
    holds(got, ("key", "PARTITION BY k", ""), ("skip", "", "SKIP TO NEXT ROW"), ("bound", "WITHIN 10m", ""), ("bound", "10m", "9m"),
          ("bound", "10m", "11m"), ("clause", "SUPPRESS 1h", ""), ("bound", "1h", "54m"), ("bound", "5s", "4s500ms"))
    got = made(f, short % (", w", " SKIP TO NEXT ROW", "b.v AS x"))
    holds(got, ("key", "k,", ""), ("key", ", w", ""), ("skip", "TO NEXT ROW", "PAST LAST ROW"))
    got = made(f, STREAM + "INSERT INTO o SELECT x FROM s MATCH_RECOGNIZE (PARTITION BY k ORDER BY at\nMEASURES FIRST(a.v) AS x\n"
                           "AFTER MATCH SKIP TO LAST b PATTERN (^ a PERMUTE(b, c)) DEFINE a AS v = 1, b AS v = 2, c AS v = 3);\n")
    holds(got, ("skip", "TO LAST b", "PAST LAST ROW"), ("skip", "TO LAST b", "TO NEXT ROW"), ("skip", "TO LAST b", "TO FIRST b"),
          ("aggregate", "FIRST", "LAST"), ("condition", "v = 2", "FALSE"), ("pattern", "PERMUTE(b, c)", "(b c)"), ("pattern", "^", ""))


@case
def windows_aggregates_and_arithmetic_are_changed(f):
    got = made(f, STREAM + "INSERT INTO o SELECT k, window_start AS t, SUM(v) AS a, MIN(v) AS b, COUNT(DISTINCT w) AS c, AVG(v + 2 * v) AS d,\n"
                           "COUNT(*) FILTER (WHERE v > 5) AS e FROM HOP(s, at, 1m, 10m) GROUP BY k, window_start, window_end HAVING COUNT(*) > 1;\n")
    holds(got, ("aggregate", "SUM", "AVG"), ("aggregate", "MIN", "MAX"), ("aggregate", "AVG", "SUM"), ("aggregate", "DISTINCT", ""),
          ("arithmetic", "+", "-"), ("arithmetic", "*", "/"), ("window", "1m", "2m"), ("window", "1m", "30s"), ("window", "10m", "5m"),
          ("window", "10m", "20m"), ("condition", "v > 5", "TRUE"), ("condition", "COUNT(*) > 1", "TRUE"))
    assert not any("window_" in before for kind, before, after in got), got  # their groups are the same


@case
def what_does_not_compile_is_no_mutant(f):
    """->> is not run yet; SELECT k wants its PARTITION BY."""
    got = made(f, PAIR)
    assert ("arrow", "->", "") in got and ("arrow", "->", "->>") not in got, got
    got = made(f, STREAM + "INSERT INTO o SELECT LENGTH(w) AS n FROM s WHERE LENGTH(w) + 1 > 2;\n")
    assert ("arithmetic", "+", "-") in got and not any("LENGTH" in before and after == "" for kind, before, after in got), got


@case
def files_that_are_included_and_fences_have_mutants_too(f):
    write(f, "part.weir", STREAM)
    doc = document(f, 'INCLUDE \'part.weir\';\nINSERT INTO o SELECT k FROM s WHERE v > 1;\n', "=== it\n+0s s v=2\n---\n+0s o k=a\n")
    places = {(m["file"], m["line"], m["column"], m["before"]) for m in doc["programs"][0]["mutants"]}
    holds(places, ("part.weir", 1, 88, "5s"), ("p.weir", 2, 39, ">"))
    write(f, "a.md", "# T\n\n```sql\n" + STREAM + "INSERT INTO o SELECT k FROM s WHERE v > 1;\n```\n\n```wtest\n+0s s k=a v=2\n---\n+0s o k=a\n```\n")
    rc, out, err = weir("test", "-q", "--mutate", "a.md", cwd=f)
    assert rc == 0 and "survived a.md:6:39: `>` changed to `>=`\n     6 | INSERT INTO o SELECT k FROM s WHERE v > 1;\n" in out, out


# ---- Which are told ----------------------------------------------------------------------------------

@case
def a_survivor_is_shown_with_its_place_and_the_event_that_would_tell(f):
    rc, out, err = mutate(f, PAIR, "=== one\n+0s s v=1\n+1s s v=20\n---\n+1s o v=20\n")
    equal((rc, err), (0, ""))
    assert ("survived p.weir:5:28: `>` changed to `>=`\n     5 | DEFINE  a AS v = 1, b AS v > 10\n       |                            ^\n"
            '    told in t.wtest:5 "one", with\n      +1s s v=10   in place of line 7\n'
            "      expected         nothing more\n      the mutant gives +1s o k=a v=10\n") in out, out
    assert "survived p.weir:5:16: `=` changed" not in out, out
    # the very event makes the mutant be told
    rc, more, err = mutate(f, PAIR, "=== one\n+0s s v=1\n+1s s v=20\n---\n+1s o v=20\n=== ten\n+0s s v=1\n+1s s v=10\n---\nnone\n")
    assert rc == 0 and "`>` changed to `>=`" not in more, more


@case
def times_keys_and_late_rows_tell(f):
    rc, out, err = mutate(f, PAIR, "=== one\n+0s s v=1\n+1s s v=20\n---\n+1s o v=20\n")
    def part(head):
        assert head in out, (head, out)
        return out.split(head)[1].split("survived")[0]
    assert "+9m30s s v=20   in place of line 7" in part("`10m` changed to `9m`"), out
    assert "+10m30s s v=20   in place of line 7" in part("`10m` changed to `11m`"), out
    assert "k=other" in part("`PARTITION BY k` dropped"), out
    assert "behind all others" in part("`5s` changed to `4s500ms`"), out


@case
def what_the_cases_do_not_ask_for_tells_as_it_stands(f):
    rc, out, err = mutate(f, STREAM + "INSERT INTO o SELECT k, v + 1 AS n FROM s;\n", "=== one\n+0s s v=4\n---\n+0s o k=a\n")
    assert ("`+` changed to `-`" in out and '    told in t.wtest:5 "one" as it stands, by what it does not ask for\n'
            "      expected         +0s o k=a n=5\n      the mutant gives +0s o k=a n=3\n" in out), out


@case
def mutants_of_the_same_meaning_are_told_by_no_event(f):
    rc, out, err = mutate(f, STREAM + "INSERT INTO o SELECT k FROM s WHERE v > 3 AND v > 2;\n", "=== one\n+0s s v=4\n+1s s v=3\n---\n+0s o k=a\n")
    assert "`AND v > 2` dropped" in out, out
    assert "no event found that tells" in out.split("`AND v > 2` dropped")[1].split("survived")[0], out
    last = out.splitlines()[-1]
    assert "with no event found that tells" in last, last


@case
def the_score_decides_the_exit_status_where_it_is_asked_for(f):
    cases = "=== one\n+0s s v=1\n+1s s v=20\n---\n+1s o v=20\n"
    write(f, "p.weir", PAIR)
    write(f, "t.wtest", HEAD + cases)
    equal(weir("test", "-q", "--mutate=1", "t.wtest", cwd=f)[0], 0)
    rc, out, err = weir("test", "-q", "--mutate=100", "t.wtest", cwd=f)
    assert rc == 1 and out.splitlines()[-1].endswith(", less than 100 %"), out
    rc, out, err = weir("test", "--mutate=100", "--json", "t.wtest", cwd=f)
    doc = json.loads(out)["mutants"]
    mutants = doc["programs"][0]["mutants"]
    equal((rc, err, doc["min"], doc["total"], doc["interrupted"]), (1, "", 100, len(mutants), False))
    equal(doc["told"], sum(not m["survived"] for m in mutants))
    equal(round(100 * doc["told"] / doc["total"], 2), doc["percent"])
    told = next(m for m in mutants if not m["survived"])
    equal(told["case"], {"file": "t.wtest", "line": 5, "name": "one"})
    equal((weir("test", "--mutate=x", cwd=f)[0], weir("test", "--mutate=101", cwd=f)[0], weir("test", "--mutate", "--update", cwd=f)[0]), (2, 2, 2))
    assert "mutants" not in json.loads(weir("test", "--json", "t.wtest", cwd=f)[1])
    rc, out, err = weir("test", "--tap", "--mutate", "t.wtest", cwd=f)
    assert rc == 0 and "survived" not in out and "survived" in err, out + err


@case
def no_mutants_are_made_while_a_case_fails(f):
    rc, out, err = mutate(f, PAIR, "=== one\n+0s s v=1\n---\n+1s o v=20\n")
    equal((rc, err), (1, "weir: no mutants are made while cases fail on the programs as they stand\n"))
    assert "mutants" not in out, out
    rc, out, err = mutate(f, PAIR, "=== one\n+0s s v=1\n---\nnone\n=== two\nxfail so it is\n---\n+1s o v=20\n=== three\nskip not now\n---\nnone\n")
    assert rc == 0 and "mutants of p.weir" in out, out + err


@case
def it_is_the_same_each_time_and_writes_nothing(f):
    cases = "=== one\n+0s s v=1\n+1s s v=20\n---\n+1s o v=20\n"
    first = mutate(f, PAIR, cases)
    before = {n: os.stat(os.path.join(f, n)).st_mtime_ns for n in os.listdir(f)}
    equal(weir("test", "-q", "--mutate", "t.wtest", cwd=f), first)
    equal({n: os.stat(os.path.join(f, n)).st_mtime_ns for n in os.listdir(f)}, before)


@case
def an_interrupt_shows_what_was_found_so_far(f):
    write(f, "p.weir", STREAM + "".join(
        f"PATTERN p{i} FROM s PARTITION BY k MATCH a b{{1,3}} -> c WITHIN 10m DEFINE a AS v = 1 AND v < 5{i}, b AS v > 10 AND v < 6{i}, "
        f"c AS v > 1000 SELECT k, c.v AS v INTO o;\n" for i in range(60)))
    write(f, "t.wtest", HEAD + "".join(f"=== {i}\n+0s s v=1\n+1s s v=11\n+2s s v=2000\n---\n...\n" for i in range(20)))
    p = subprocess.Popen([WEIR, "test", "-q", "--mutate", "t.wtest"], cwd=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    line = p.stdout.readline()  # the verdicts come before the mutants
    assert b"20 passed" in line, line
    time.sleep(0.3)
    p.send_signal(signal.SIGINT)
    out = p.communicate(timeout=60)[0].decode()
    equal(p.returncode, 130)
    assert out.splitlines()[-1].endswith("%, interrupted"), out[-300:]


# ---- Watching ----------------------------------------------------------------------------------------

class Watched:
    def __init__(self, folder, *args):
        self.p = subprocess.Popen([WEIR, "test", "--watch", *args], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=environment())
        self.seen = ""

    def until(self, text):
        end = time.monotonic() + 60
        while text not in self.seen:
            ready = select.select([self.p.stdout], [], [], max(0, end - time.monotonic()))[0]
            piece = os.read(self.p.stdout.fileno(), 65536).decode() if ready else ""
            assert piece, f"no {text!r} in\n{self.seen}"
            self.seen += piece
        out, self.seen = self.seen, ""
        return out

    def stop(self, sign=signal.SIGINT):
        self.p.send_signal(sign)
        out, err = self.p.communicate(timeout=60)
        return self.p.returncode, out.decode(), err.decode()


WHERE = STREAM + "INSERT INTO o SELECT k, v FROM s WHERE v > %d;\n"
TWO = "=== it\n+0s s v=2\n---\n+0s o v=2\n"


def two_programs(f):
    for name in ("one", "two"):
        os.mkdir(f"{f}/{name}")
        write(f, f"{name}/p.weir", WHERE % 1)
        write(f, f"{name}/t.wtest", HEAD + TWO)


@case
def a_changed_program_runs_its_own_cases_again(f):
    two_programs(f)
    w = Watched(f)
    out = w.until("2 passed, 0 failed, 0 skipped\n")
    assert "ok    one/t.wtest:5: it\nok    two/t.wtest:5: it\n" in out, out
    write(f, "two/p.weir", WHERE % 3)
    out = w.until("0 passed, 1 failed, 0 skipped\n")
    assert out.startswith("changed: p.weir\nFAIL  two/t.wtest:5: it\n") and "one/" not in out and "\033" not in out, out
    write(f, "one/t.wtest", HEAD + TWO.replace("it", "that"))
    assert "ok    one/t.wtest:5: that\n1 passed, 0 failed" in w.until("1 passed, 0 failed, 0 skipped\n")
    rc, out, err = w.stop()
    equal((rc, out, err), (1, "", "watching for changes; Ctrl-C ends\n"))  # two/ still fails


@case
def a_file_that_an_editor_renames_into_place_is_seen(f):
    two_programs(f)
    w = Watched(f)
    w.until("2 passed, 0 failed, 0 skipped\n")
    for text, verdict in ((WHERE % 3, "0 passed, 1 failed"), (WHERE % 1, "1 passed, 0 failed"), (WHERE % 4, "0 passed, 1 failed"),
                          (WHERE % 0, "1 passed, 0 failed")):
        write(f, "one/.p.weir.swp", text)
        os.rename(f + "/one/.p.weir.swp", f + "/one/p.weir")
        assert "one/t.wtest" in w.until(verdict)
    equal(w.stop(signal.SIGTERM)[0], 0)


@case
def included_files_recordings_and_new_tests_are_seen(f):
    os.mkdir(f + "/t")
    os.mkdir(f + "/part")
    write(f, "part/s.weir", STREAM)
    write(f, "t/p.weir", "INCLUDE '../part/s.weir';\nINSERT INTO o SELECT k, v FROM s WHERE v > 1;\n")
    write(f, "t/s.jsonl", '{"k":"a","v":2,"at":"2026-03-01T12:00:00Z"}\n')
    write(f, "t/t.wtest", HEAD + '=== it\ninput s "s.jsonl"\n---\n+0s o v=2\n')
    w = Watched(f, "t")
    w.until("1 passed, 0 failed, 0 skipped\n")
    write(f, "t/s.jsonl", '{"k":"a","v":9,"at":"2026-03-01T12:00:00Z"}\n')
    assert w.until("0 passed, 1 failed, 0 skipped\n").startswith("changed: s.jsonl\n")
    write(f, "t/s.jsonl", '{"k":"a","v":2,"at":"2026-03-01T12:00:00Z"}\n')
    w.until("1 passed, 0 failed, 0 skipped\n")
    write(f, "part/s.weir", STREAM.replace("v INT", "v2 INT"))
    assert "has no column 'v'" in w.until("0 passed, 1 failed, 0 skipped\n")
    write(f, "part/s.weir", STREAM)
    w.until("1 passed, 0 failed, 0 skipped\n")
    os.mkdir(f + "/t/deep")
    time.sleep(0.3)
    write(f, "t/deep/p.weir", WHERE % 1)
    write(f, "t/deep/new.wtest", HEAD + TWO)
    assert "ok    t/deep/new.wtest:5: it" in w.until("1 passed, 0 failed, 0 skipped\n")
    os.remove(f + "/t/t.wtest")
    write(f, "t/deep/p.weir", WHERE % 5)
    out = w.until("0 passed, 1 failed, 0 skipped\n")
    assert "t/t.wtest" not in out, out
    shutil.rmtree(f + "/t/deep")
    write(f, "t/last.wtest", HEAD + '=== it\ninput s "s.jsonl"\n---\n+0s o v=2\n')
    w.until("1 passed, 0 failed, 0 skipped\n")
    equal(w.stop()[0], 0)  # what fails is gone


@case
def a_program_that_is_missed_is_waited_for(f):
    write(f, "t.wtest", HEAD + TWO)
    w = Watched(f, "t.wtest")
    assert "No such file" in w.until("0 passed, 1 failed, 0 skipped\n")
    write(f, "p.weir", WHERE % 1)
    w.until("1 passed, 0 failed, 0 skipped\n")
    equal(w.stop()[0], 0)


@case
def many_changes_at_once_are_one_round(f):
    two_programs(f)
    w = Watched(f, "-q")
    w.until("2 passed, 0 failed, 0 skipped\n")
    for name in ("one/p.weir", "two/p.weir", "one/t.wtest", "two/t.wtest"):
        os.utime(f"{f}/{name}")
        with open(f"{f}/{name}", "a") as more:
            more.write("\n")
    equal(w.until("2 passed, 0 failed, 0 skipped\n").count("changed:"), 1)
    equal(w.stop()[0], 0)


@case
def watching_wants_files_and_writes_no_documents(f):
    equal(weir("test", "--watch", "nowhere.wtest", cwd=f)[0], 2)
    equal(weir("test", "--watch", "--json", cwd=f)[0], 2)
    equal(weir("test", "--watch", "--tap", cwd=f)[0], 2)
    for shell in ("bash", "zsh", "fish"):
        out = weir("completion", shell, cwd=f)[1]
        assert "watch" in out and "mutate" in out, out
    out = weir("test", "--help", cwd=f)[1]
    assert "--mutate [=MIN]" in out and "--watch" in out, out


finish()
