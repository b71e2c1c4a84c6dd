#!/usr/bin/env python3
"""Random programs that are killed again and again give the bytes of a run that was never disturbed.

A case: patterns of the reference's generator (tests/reference/generate.py), random queries over windows of their streams
and of their results, with every aggregate of vm/aggregates.def, over random rows, some of them late. It runs once
without state. Then it runs with --state, a checkpoint after every batch of one to five rows (WEIR_STATE_TEST), and is ended at the n-th
durable commit (WEIR_CRASH_AT, in a build with faults) or before the n-th write or sync below it (shim.c); the same
command goes on, over and over, until it comes to its end. Every output, and the table of what was dropped, must be
those of the run without state.

  WEIR=build/weir python3 tests/torture/programs.py [--seed N] [--count N] [--failures N]
"""
import argparse, collections, concurrent.futures, gzip, json, os, random, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "tests/reference")]
import generate, power
from program import Case, STREAMS

WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(TOP, "build/weir")))
POINTS = ["store.after_commit"] * 4 + ["store.before_commit", "saver.after_sync", "published.after_write", "open.done"]
COLUMNS = {"ev": (["n", "bit", "n * 0.5 + bit"], ["s", "k"]), "ew": (["bit", "bit / 4.0"], ["s", "kk"])}


# ---- Queries over windows ----------------------------------------------------------------------------------------

def aggregates():
    """ID and name of each aggregate function, from the list that the compiler has."""
    text = open(os.path.join(TOP, "vm/aggregates.def")).read()
    return re.findall(r'^AGGREGATE\((\w+), "(\w+)"\)', text, re.M)


def call(r, function, numbers, texts):
    """One call. A new kind of function is called with one number, and says itself what it lacks."""
    name, number, text = function[1], r.choice(numbers), r.choice(texts or numbers)
    arguments = {"COUNT_ROWS": "*", "COUNT": r.choice([number, text]), "COUNT_DISTINCT": "DISTINCT " + r.choice([number, text]),
                 "MIN": r.choice([number, text]), "MAX": r.choice([number, text]), "ANY_VALUE": r.choice([number, text]),
                 "FIRST": r.choice([number, text]), "LAST": r.choice([number, text]), "ARG_MIN": f"{text}, {number}",
                 "ARG_MAX": f"{number}, {text}", "STRING_AGG": f"{text if texts else 'NULLIF(CAST(1 AS STRING), NULL)'}, '+'"}
    name = {"FIRST": "FIRST_VALUE", "LAST": "LAST_VALUE", "COUNT_DISTINCT": "COUNT"}.get(function[0], name)
    return f"{name}({arguments.get(function[0], number)})"


def window_text(r, kind, source, time):
    size, step = r.choice([4, 7, 10, 25, 200]), r.choice([2, 3, 5])
    return {"TUMBLE": f"TUMBLE({source}, {time}, {size}ms" + r.choice(["", ", 1ms"]) + ")",
            "HOP": f"HOP({source}, {time}, {step}ms, {step * r.choice([2, 3, 5])}ms)",
            "CUMULATE": f"CUMULATE({source}, {time}, {step}ms, {step * 4}ms)",
            "SESSION": f"SESSION({source}, {time}, {step}ms)", "ROWS": f"ROWS({source}, {step})", "": source}[kind]


KINDS = ["TUMBLE", "HOP", "CUMULATE", "SESSION", "ROWS", ""]


def probe(text):
    """Does it run? None: yes; else its errors. Without W0901, "does not run yet", it is a mistake of this file."""
    with tempfile.NamedTemporaryFile("w", suffix=".weir") as f:
        f.write(text)
        f.flush()
        p = subprocess.run([WEIR, "check", f.name], capture_output=True, text=True)
    errors = set(re.findall(r"error\[(\w+)\]", p.stdout + p.stderr))
    assert p.returncode == 0 or "W0901" in errors, p.stdout + p.stderr
    return errors or None


def running_forms():
    """(aggregates, kinds of windows) that this weir runs, and the names of what does not run yet."""
    head = Case([], {"ev": 0}, []).program() + "CREATE STREAM w; INSERT INTO w SELECT "
    r, tried, waits = random.Random(1), {}, []
    for function in aggregates():
        tried[function] = probe(head + call(r, function, ["n"], ["s"]) + " AS x FROM TUMBLE(ev, at, 5ms) GROUP BY window_end;\n")
    kinds = {k: probe(head + f"COUNT(*) AS x FROM {window_text(r, k, 'ev', 'at')} GROUP BY k"
                      + (", window_end" if k not in ("ROWS", "") else " EMIT CHANGES") + ";\n") for k in KINDS}
    waits = [f[0] for f, why in tried.items() if why] + [k or "GROUP BY without a window" for k, why in kinds.items() if why]
    return [f for f, why in tried.items() if not why], [k for k, why in kinds.items() if not why], waits


def window_query(r, i, sources, forms):
    """Its text and the names of its outputs."""
    functions, kinds, _ = forms
    source, (numbers, texts) = r.choice(sorted(sources.items()))
    kind, time = r.choice(kinds), "event_time" if source not in STREAMS else "at"
    group = [r.choice(texts)] if texts and r.random() < 0.7 else []
    ends = kind not in ("ROWS", "")
    bounds = r.choice([["window_start"], ["window_end"], ["window_start", "window_end"]]) if ends else []
    select = group + bounds + [f"{call(r, f, numbers, texts)} AS x{n}" for n, f in
                               enumerate(r.sample(functions, r.randint(1, min(5, len(functions)))))]
    where = f" WHERE {r.choice(numbers)} >= {r.randint(0, 3)}" if r.random() < 0.2 else ""
    having = f" HAVING COUNT(*) > {r.randint(0, 2)}" if r.random() < 0.25 else ""
    late = (r.choice([" LATE INTO ", " LATE 4ms INTO "]) + f"l{i}") if ends and r.random() < 0.4 else ""
    text = f"CREATE STREAM w{i};\n" + (f"CREATE STREAM l{i};\n" if late else "")
    text += (f"INSERT INTO w{i} SELECT {', '.join(select)}\nFROM {window_text(r, kind, source, time)}{where}"
             + (f"\nGROUP BY {', '.join(group + bounds)}" if group + bounds else "") + having
             + ("" if ends else " EMIT CHANGES") + late + ";\n")
    return text, [f"w{i}"] + ([f"l{i}"] if late else [])


# ---- A case --------------------------------------------------------------------------------------------------------

def more_rows(r, case):
    """The case's files, longer: a part of them several times over, later each time."""
    files, bit = [], 1
    for stream, rows in case.files:
        longer, shift = [], 0
        for _ in range(r.choice([1, 2, 3])):
            for row in rows or generate.random_rows(r, stream, ["x", "y"], 1, case.delay[stream]):
                longer.append(dict(row, t=row["t"] + shift, bit=bit))
                bit = bit * 2 if bit < 2 ** 40 else 1
            shift += r.randint(0, 60)
        files.append((stream, longer))
    return files


class Random:
    def __init__(self, seed, forms):
        r = self.r = random.Random(f"programs {seed}")
        case = generate.random_case(seed)
        for p in case.patterns:
            if (p.get("limit") or (0, ""))[1] == "FAIL":
                p["limit"] = (p["limit"][0], "DROP NEW")
            if p["skip"][0] == "first":  # where it is the first row of every match the program is refused
                p["skip"] = r.choice(["past", "next", ("last", p["skip"][1])])
        self.case = Case(more_rows(r, case), case.delay, case.patterns)
        self.text, names = self.case.program(), [f"o{i}" for i in range(len(case.patterns))]
        sources = {s: COLUMNS[s] for s in self.case.streams()}
        sources.update({f"o{i}": (["first_row", "rows"], []) for i, p in enumerate(case.patterns) if not p.get("rows")})
        for i in range(r.randint(0, 3) if case.patterns else 1):
            text, more = window_query(r, i, sources, forms)
            self.text, names = self.text + text, names + more
        self.outputs = {n: n + r.choice([".jsonl"] * 5 + [".csv"] * 3 + [".jsonl.gz"]) for n in names}
        if len(names) > 1 and r.random() < 0.15:
            self.outputs = dict.fromkeys(names, "all.jsonl")

    def command(self, folder, inputs, how):
        line = [WEIR, "replay", os.path.join(folder, "p.weir"), "--stats", "-q", *inputs]
        for name, file in self.outputs.items():
            line += ["--out", f"{name}={os.path.join(folder, file)}"]
        return line + how

    def run(self, folder, inputs, how, env=None, mode=""):
        """mode: "store" or "cold", with a checkpoint after every batch; cold: keys leave memory and come back."""
        p = subprocess.run(self.command(folder, inputs, how), capture_output=True, text=True, timeout=120,
                           env=dict(os.environ, WEIR_STATE_TEST=mode, **(env or {})))
        return p.returncode, p.stderr

    def contents(self, folder):
        return {f: content(os.path.join(folder, f)) for f in sorted(set(self.outputs.values()))}


def content(path):
    return gzip.open(path).read() if path.endswith(".gz") else open(path, "rb").read()


def table(stderr):
    found = [line for line in stderr.splitlines() if line.startswith('{"version"')]
    stats = json.loads(found[-1])
    return stats["queries"], stats["totals"]


# ---- War -----------------------------------------------------------------------------------------------------------

def disturbance(r, has_faults, folder, most):
    """The environment of a run that is to die."""
    n = r.randint(1, most)
    if has_faults:
        env = {"WEIR_CRASH_AT": f"{r.choice(POINTS)}:{n}"}
        return dict(env, WEIR_STATE_CHECK="1") if r.random() < 0.3 else env
    return power.environment(SHIM, folder, WEIR_SHIM_KILL=str(n * 6 + r.randint(-5, 0)))


def difference(want, got):
    return "".join(f"{f} differs\n  expected {want[f]!r}\n  came     {got[f]!r}\n" for f in want if want[f] != got[f])


def verdict(case, folder, has_faults):
    """(how often it was killed, what is wrong or None)."""
    r = case.r
    peace, war = os.path.join(folder, "peace"), os.path.join(folder, "war")
    os.mkdir(peace)
    os.mkdir(war)
    inputs = case.case.write(peace)
    for place in (peace, war):
        with open(os.path.join(place, "p.weir"), "w") as f:
            f.write(case.text)
    code, err = case.run(peace, inputs, [])
    if code == 3 and set(re.findall(r"error\[(\w+)\]", err)) == {"W0803"}:
        return None, None
    if code:
        return 0, f"without state: exit {code}: {err}"
    want, told = case.contents(peace), table(err)
    for batch in ("1", "2"):  # keys leave memory and come back, nothing is killed
        code, err = case.run(peace, inputs, ["--batch-rows", batch], mode="cold")
        if code or case.contents(peace) != want or table(err) != told:
            return 0, f"with keys out of memory, --batch-rows {batch}: exit {code}: {err}: {difference(want, case.contents(peace))}"
    kills, rows = 0, sum(len(rows) for _, rows in case.case.files)
    most = max(4, rows // 5)
    while True:
        how = ["--state", os.path.join(war, "state"), "--batch-rows", str(r.randint(1, 5))]
        dies = kills < 60
        code, err = case.run(war, inputs, how, disturbance(r, has_faults, war, most) if dies else None, r.choice(["store", "cold"]))
        if code == 0:
            break
        if code != -9 or not dies:
            return kills, f"after {kills} kills: exit {code}: {err}"
        kills += 1
    wrong = difference(want, case.contents(war))
    if wrong:
        return kills, f"after {kills} kills {wrong}"
    return kills, None if table(err) == told else f"after {kills} kills another table: {err}"


def one(seed, forms, has_faults):
    case = Random(seed, forms)
    folder = tempfile.mkdtemp(prefix=f"weir-programs-{seed}-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        kills, wrong = verdict(case, folder, has_faults)
    except (subprocess.TimeoutExpired, AssertionError, IndexError, FileNotFoundError) as e:
        kills, wrong = 0, f"{type(e).__name__}: {e}"
    if wrong:
        return seed, kills, f"FAIL seed {seed} (files are in {folder}): {wrong}\n--- program\n{case.text}"
    shutil.rmtree(folder)
    return seed, kills, ""


def begin(shim):
    global SHIM
    SHIM = shim


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--count", type=int, default=int(os.environ.get("PROGRAMS_COUNT", "30")))
    a.add_argument("--failures", type=int, default=5, help="stop after so many")
    args = a.parse_args()
    p = subprocess.run([WEIR, "version", "--crash-points"], capture_output=True, text=True)
    has_faults = p.returncode == 0 and "store.after_commit" in p.stdout
    forms, count = running_forms(), collections.Counter()
    folder = tempfile.mkdtemp()
    shim = power.build(folder)
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count() or 2, initializer=begin, initargs=(shim,)) as pool:
        jobs = [pool.submit(one, s, forms, has_faults) for s in range(args.seed, args.seed + args.count)]
        for job in jobs:
            seed, kills, text = job.result()
            count["refused" if kills is None else "failed" if text else "passed"] += 1
            count["kills"] += kills or 0
            if text:
                print(text, flush=True)
            if count["failed"] >= args.failures:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    shutil.rmtree(folder)
    where = "named points" if has_faults else "writes and syncs"
    print(f"{count['kills']} kills at {where}; {count['refused']} programs refused by the compiler; "
          f"what does not run yet: {', '.join(forms[2]) or 'nothing'}")
    print(f"passed={count['passed']} failed={count['failed']} skipped=0")
    sys.exit(1 if count["failed"] else 0)


if __name__ == "__main__":
    main()
