#!/usr/bin/env python3
"""Conformance vectors: what Trino and Flink CEP answered, and what public test suites assert.

    WEIR=build/weir run.py [--only ID]... [--verbose]

  iso-random.jsonl.gz       MATCH_RECOGNIZE queries answered by Trino, agreed by a second implementation
  flink-random.jsonl.gz     patterns with ALL MATCHES answered by Flink CEP
  flink-exceptions.jsonl.gz the same where the readings part; `plain` is what weir gives
  peer-rows.jsonl           vectors D of peer-vectors.md (SQL:2016 as Oracle and DuckDB answer) as programs
  flink-trino.tsv           vectors of both projects' own tests, in a small notation
  trino-rows.jsonl          those of them that say more than variables, as programs with their rows in order

A case whose program weir refuses with W0901 ('does not run yet') is not run: it is counted by the feature named.
Every case that compiles must agree.
"""
import argparse, collections, concurrent.futures, gzip, json, math, os, re, subprocess, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
EXTRA = os.environ.get("CONFORMANCE_OPTIONS", "").split()  # e.g. "--batch-rows 1 --state-test"


def replay(program, stream, lines, extra=()):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        with open(f"{folder}/p.weir", "w") as f:
            f.write(program)
        with open(f"{folder}/in.jsonl", "w") as f:
            f.writelines(json.dumps(line) + "\n" for line in lines)
        p = subprocess.run([WEIR, "replay", "--stats", f"{folder}/p.weir", "--in", f"{stream}={folder}/in.jsonl", *extra, *EXTRA],
                           capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout, p.stderr


def not_yet(code, err):
    """The features that do not run yet and that a refused program asked for, or None."""
    if code != 3:
        return None
    errors = re.findall(r"^error\[(W\d+)\]: (.*)", err, re.M)
    return [text for name, text in errors if name == "W0901"] or None


def number_or(value):
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    a, b = number_or(a), number_or(b)
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) if isinstance(a, float) and isinstance(b, float) else a == b


def same_multiset(got, want):
    if len(got) != len(want):
        return False
    rest = list(want)
    for row in got:
        for i, candidate in enumerate(rest):
            if same(row, candidate):
                del rest[i]
                break
        else:
            return False
    return True


# ---- Trino's answers ---------------------------------------------------------------------------------------------

ISO_STREAM = "CREATE STREAM t (k STRING, i BIGINT, p BIGINT, s STRING, at TIMESTAMP, WATERMARK FOR at AS at);\n"


def iso(case):
    program = ISO_STREAM + case["query"].replace("ORDER BY i", "ORDER BY at", 1) + ";\n"
    rows = [{"k": k, "i": i, "p": p, "s": s, "at": i} for k, i, p, s in case["rows"]]
    code, out, err = replay(program, "t", rows)
    features = not_yet(code, err)
    if features:
        return "later", features
    error = case.get("error", "")
    if "upper bound is 0" in error:
        return ("ok", "") if code == 3 else ("fail", f"a quantifier with the upper bound 0 was accepted\n{program}")
    if code != 0 and not (error and code == 3):
        return "fail", f"exit {code}\n{program}{err}"
    if error:
        return ("ok", "") if code == 3 or re.search(r'"W\d+"', err) else ("fail", f"no error counted: {error}\n{program}{err}")
    got = []
    for line in out.splitlines():
        row = json.loads(line)
        row.pop("at", None)
        got.append([row.get(name) for name in case["names"]])
    if same_multiset(got, case["expected"]):
        return "ok", ""
    return "fail", f"{program}input {json.dumps(case['rows'])}\nwanted {case['expected']}\ngot    {got}"


# ---- Flink's answers ---------------------------------------------------------------------------------------------

FLINK_STREAM = "CREATE STREAM ev (i BIGINT, s STRING, n BIGINT, at TIMESTAMP, WATERMARK FOR at AS at);\n"


def flink(case):
    text = case["weir"]["text"]
    program = FLINK_STREAM + re.sub(r" INTO out$", "", text) + ";\n"
    rows = [{"i": i, "s": s, "n": n, "at": t} for i, (t, s, n) in enumerate(case["events"])]
    code, out, err = replay(program, "ev", rows)
    features = not_yet(code, err)
    if features:
        return "later", features
    if code != 0:
        return "fail", f"exit {code}\n{program}{err}"
    got = sorted(json.dumps({k: v for k, v in json.loads(line).items() if v is not None}, sort_keys=True) for line in out.splitlines())
    want = sorted(json.dumps(m, sort_keys=True) for m in case.get("plain", case["matches"]))
    return ("ok", "") if got == want else ("fail", f"{program}{json.dumps(case['events'])}\nwanted {want}\ngot    {got}")


# ---- Vectors of Trino's own tests ------------------------------------------------------------------------------

def trino_notation(row):
    """(program, rows, expected label strings per match or None when the notation says more than labels)."""
    _, _, pattern, events, expected, skip = row
    m = re.match(r"PATTERN (\(.*\)) over letters, first match at position 0$", pattern)
    if m:
        names = sorted(set(re.findall(r"\b[A-Z]\b", m.group(1))))
        define = ", ".join(f"{n} AS s = '{n}'" for n in names)
        rows = [{"s": c, "v": 0, "id": i, "at": i} for i, c in enumerate(events)]
        return m.group(1), define, rows, expected, "first"
    m = re.match(r"PATTERN (\(.*\)) DEFINE (.*?) \| (ALL ROWS|ONE ROW PER MATCH)", pattern)
    if not m or "SUBSET" in pattern or "CLASSIFIER" in pattern:
        return None
    values = re.match(r"(?:v|id|v \(by id\)): ([-0-9 ]+)$", events)
    if not values:
        return None
    rows = [{"s": "", "v": int(v), "id": i + 1, "at": i} for i, v in enumerate(values.group(1).split())]
    if events.startswith("id:"):
        rows = [dict(r, v=0) for r in rows]
    return m.group(1), m.group(2), rows, expected, "all"


def trino_expected(expected):
    """The matches as lists of (row, label), for the notations `m1: 1=A 2=B ; 3:(empty) m2` and `(none)`."""
    if expected == "(none)":
        return []
    matches = []
    for part in expected.split(" ; "):
        m = re.match(r"(\d+):\(empty\)", part)
        if m:
            matches.append([])
            continue
        m = re.match(r"(?:m\d+: )?((?:\d+=[A-Z]\s*)+)$", part)
        if not m:
            return None
        matches.append([(int(a), b) for a, b in re.findall(r"(\d+)=([A-Z])", m.group(1))])
    return matches


def trino(row):
    parsed = trino_notation(row)
    if not parsed or (row[5] not in ("PAST LAST ROW", "PAST LAST ROW (default)", "TO NEXT ROW", "-")):
        return "later", ["another notation"]
    pattern, define, rows, expected, mode = parsed
    names = sorted(set(re.findall(r"\b[A-Z]\b", pattern)))
    if mode == "first" and "excluded" in expected:
        return "later", ["excluded rows (ALL ROWS PER MATCH)"]
    want = None if mode == "first" else trino_expected(expected)
    if mode == "all" and want is None:
        return "later", ["another notation"]
    if "{-" in pattern:
        return "later", ["excluded rows (ALL ROWS PER MATCH)"]
    program = ("CREATE STREAM t (s STRING, v BIGINT, id BIGINT, at TIMESTAMP, WATERMARK FOR at AS at);\n"
               "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY at MEASURES COUNT(*) AS n, "
               + ", ".join(f"STRING_AGG(CAST({n}.id AS STRING), ',') AS {n}" for n in names)
               + f" ONE ROW PER MATCH AFTER MATCH SKIP {row[5] if row[5] == 'TO NEXT ROW' else 'PAST LAST ROW'}"
               f" PATTERN {pattern} DEFINE {define.replace('AS true', 'AS TRUE')});\n")
    code, out, err = replay(program, "t", rows)
    features = not_yet(code, err)
    if features:
        return "later", features
    if code != 0:
        return "fail", f"{row[0]}: exit {code}\n{program}{err}"
    got = []
    for line in out.splitlines():
        r = json.loads(line)
        got.append(sorted((int(i), n) for n in names for i in (r[n] or "").split(",") if i))
    if mode == "first":
        labels = [] if expected == "(none)" else expected.replace("A x10", " ".join("A" * 10)).split()
        found = [label for _, label in got[0]] if got and got[0] and got[0][0][0] == 0 else []
        good = found == labels
    else:
        good = got == [sorted(m) for m in want]
    return ("ok", "") if good else ("fail", f"{program}{rows}\nwanted {expected}\ngot    {got}")


def trino_rows(case):
    """A row of flink-trino.tsv that says more than which row is which variable, spelt out as a program."""
    code, out, err = replay(case["program"], "t", case["rows"])
    if "error" in case:
        return ("ok", "") if case["error"] in err else ("fail", f"no {case['error']}\n{case['program']}{err}")
    features = not_yet(code, err)
    if features:
        return "later", features
    got = [[json.loads(line).get(name) for name in case["names"]] for line in out.splitlines()]
    good = same_multiset(got, case["expected"]) if "any_order" in case else same(got, case["expected"])
    good = code == 0 and good
    return ("ok", "") if good else ("fail", f"{case['program']}{case['rows']}\nwanted {case['expected']}\ngot    {got}\n{err}")


def load():
    spelt = {}
    with open(os.path.join(HERE, "trino-rows.jsonl")) as f:
        for line in f:
            case = json.loads(line)
            spelt[case["id"]] = case
            yield case["id"], trino_rows, case
    with open(os.path.join(HERE, "peer-rows.jsonl")) as f:
        for line in f:
            case = json.loads(line)
            yield case["id"], trino_rows, case
    for name, run in (("iso-random", iso), ("flink-random", flink), ("flink-exceptions", flink)):
        with gzip.open(os.path.join(HERE, name + ".jsonl.gz"), "rt") as f:
            for line in f:
                case = json.loads(line)
                yield case["id"], run, case
    with open(os.path.join(HERE, "flink-trino.tsv")) as f:
        for line in list(f)[1:]:
            row = line.rstrip("\n").split("\t")
            if row[0].startswith("trino:") and row[0] not in spelt:
                yield row[0], trino, row


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--only", action="append", default=[])
    a.add_argument("--verbose", action="store_true")
    args = a.parse_args()
    cases = [c for c in load() if not args.only or any(c[0].startswith(o) for o in args.only)]
    share = int(os.environ.get("CONFORMANCE_SHARE", "1"))  # sanitizer builds run every n-th case
    cases = cases[::share]
    counts, later, shown = collections.Counter(), collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for (name, _, _), (kind, more) in zip(cases, pool.map(lambda c: c[1](c[2]), cases)):
            counts[kind] += 1
            if kind == "later":
                later.update({re.sub(r" does not run yet.*", "", more[0])})
            if kind == "fail" and (shown < 8 or args.verbose):
                shown += 1
                print(f"{name}: {more}\n", flush=True)
    if counts["later"]:
        print(f"{counts['later']} cases ask for what does not run yet, by the first such feature:")
        for feature, n in later.most_common():
            print(f"  {n:5} {feature}")
    print(f"passed={counts['ok']} failed={counts['fail']} skipped={counts['later']}")


main()
