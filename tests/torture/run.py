#!/usr/bin/env python3
"""Runs that are killed and started again give the bytes of a run that was never disturbed.

Each scenario is a program over generated events. It is run once in peace, then over and over with --state while it is
killed: at random moments (kill -9), at each named point of the checkpoint's protocol (WEIR_CRASH_AT, in builds with
faults), with calls that fail (WEIR_FAIL_AT) and with writes that tear. Between two runs nothing is cleaned up. In the end
every output file, and the table of what was dropped, must equal those of the run in peace.

  WEIR=build/weir python3 tests/torture/run.py --kills 200 [--seed N] [--only NAME] [--faults build/debug/weir]
"""
import argparse, gzip, json, os, random, shutil, signal, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(TOP, "build/weir")))

EVENTS = """CREATE STREAM ev (card STRING KEY, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at{delay})
    WITH (timestamp_unit = 'ms');
"""
SCENARIOS = {
    "sequence": (EVENTS.format(delay="") + """CREATE STREAM out;
PATTERN p FROM ev PARTITION BY card MATCH a -> b -> c WITHIN 10m
DEFINE a AS status = 'declined', b AS status = 'declined' AND b.amount > a.amount, c AS status = 'approved' AND amount > 300
SELECT card, a.at AS first, c.at AS last, MATCH_ID() AS id INTO out;""", {"out": "out.jsonl"}, {}),
    "windows": (EVENTS.format(delay=" - 2s") + """CREATE STREAM out;
CREATE STREAM late_rows;
INSERT INTO out SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total, MIN(status) AS s FROM TUMBLE(ev, at, 10s)
GROUP BY card, window_start LATE INTO late_rows;""", {"out": "out.csv", "late_rows": "late.jsonl"}, {"disorder": 5000}),
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
}


def events(path, rng, count, keys=500, disorder=0, bad=0.0, compress=False):
    opened = gzip.open(path, "wt") if compress else open(path, "w")
    with opened as f:
        for i in range(count):
            at = 1767225600000 + i * 7 - (rng.randrange(disorder) if disorder and rng.random() < 0.3 else 0)
            if rng.random() < bad:
                f.write(rng.choice(["{", "not json", '{"card":"x"}', '{"card":1,"amount":"a","at":2}']) + "\n")
            f.write(json.dumps({"card": f"c{rng.randrange(keys)}", "amount": round(rng.random() * 500, 2),
                                "status": rng.choice(["declined", "approved"]), "at": at}, separators=(",", ":")) + "\n")


def content(path):
    if not os.path.exists(path):
        return None
    if path.endswith(".gz"):
        return gzip.open(path).read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    return open(path, "rb").read()


def command(weir, folder, outputs, inputs, state):
    line = [weir, "replay", os.path.join(folder, "p.weir"), "--stats", "-q"]
    for path in inputs:
        line += ["--in", f"ev={path}"]
    for name, file in outputs.items():
        line += ["--out", f"{name}={os.path.join(folder, file)}"]
    return line + (["--state", os.path.join(folder, "state"), "--checkpoint-interval", "1ms"] if state else [])


def table(stderr):
    """The drop table, without where the first of each lay: a summary."""
    for line in reversed(stderr.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return None


class Torture:
    def __init__(self, name, rng, count):
        self.name, self.rng = name, rng
        program, self.outputs, shape = SCENARIOS[name]
        self.folder = tempfile.mkdtemp(prefix=f"weir-torture-{name}-")
        self.peace = os.path.join(self.folder, "peace")
        self.war = os.path.join(self.folder, "war")
        for folder in (self.peace, self.war):
            os.mkdir(folder)
            open(os.path.join(folder, "p.weir"), "w").write(program)
        self.inputs = [os.path.join(self.folder, "a.jsonl"), os.path.join(self.folder, "b.jsonl.gz")]
        events(self.inputs[0], rng, count, **shape)
        events(self.inputs[1], rng, count // 3, compress=True, **shape)
        start = time.time()
        p = subprocess.run(command(WEIR, self.peace, self.outputs, self.inputs, False), capture_output=True, text=True)
        self.took = time.time() - start
        assert p.returncode == 0, p.stderr
        self.wanted = {f: content(os.path.join(self.peace, f)) for f in self.outputs.values()}
        self.standard = p.stdout
        self.table = table(p.stderr)
        assert any(self.wanted.values()), f"{name}: writes nothing"

    def reset(self):
        shutil.rmtree(self.war)
        os.mkdir(self.war)
        shutil.copy(os.path.join(self.peace, "p.weir"), self.war)

    def run(self, weir, env=None, kill_after=None, limit=None):
        p = subprocess.Popen(command(weir, self.war, self.outputs, self.inputs, True), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=dict(os.environ, **(env or {})), preexec_fn=limit)
        if kill_after is not None:
            try:
                p.wait(kill_after)
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
        out, err = p.communicate(timeout=120)
        return p.returncode, out, err

    def check(self, err):
        for file, wanted in self.wanted.items():
            got = content(os.path.join(self.war, file))
            if got != wanted:
                a, b = (got or b"").splitlines(), (wanted or b"").splitlines()
                n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                raise AssertionError(f"{file} differs at line {n + 1} of {len(b)} ({len(a)} came): "
                                     f"came {a[n:n + 1]}, expected {b[n:n + 1]}")
        got = table(err)
        assert got["queries"] == self.table["queries"] and got["totals"] == self.table["totals"], \
            f"the table of what was dropped differs: {got} instead of {self.table}"

    def until_done(self, disturb, rounds=1000):
        """Runs until exit 0; disturb(i) gives the keyword arguments of run, None: in peace."""
        kills = 0
        for i in range(rounds):
            how = disturb(i)
            code, out, err = self.run(**(how or {"weir": WEIR}))
            if code == 0:
                self.check(err)
                return kills
            if how is None or (code != -signal.SIGKILL and not how.get("env") and not how.get("limit")):
                raise AssertionError(f"exit {code}: {err}")
            if code in (70, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
                raise AssertionError(f"exit {code}: {err}")
            kills += 1
        raise AssertionError("does not come to its end")


def random_kills(t, kills):
    done = 0
    while done < kills:
        t.reset()
        budget = t.rng.randrange(1, 12)
        done += t.until_done(lambda i: {"weir": WEIR, "kill_after": t.rng.random() * (t.took * 1.3 + 0.02)} if i < budget else None)
        done += 1
    return done


def crash_points(t, faults):
    names = subprocess.run([faults, "version", "--crash-points"], capture_output=True, text=True).stdout.split()
    assert names, "this build knows no crash points"
    count = 0
    for name in names:
        for n in (1, 2, t.rng.randrange(3, 9)):
            t.reset()
            t.until_done(lambda i: {"weir": faults, "env": {"WEIR_CRASH_AT": f"{name}:{n}"}} if i == 0 else None)
            count += 1
    return count


def failing_calls(t, faults, kind, limit):
    """Every call fails once, in turn, until a run passes without meeting the failure."""
    for n in range(1, limit):
        t.reset()
        code, out, err = t.run(faults, env={"WEIR_FAIL_AT": f"{kind}:{n}"})
        if code in (70, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
            raise AssertionError(f"{kind}:{n}: exit {code}: {err}")
        if code == 0 and "WEIR_FAIL_AT" not in err:
            t.check(err)
            return n
        assert code == 0 or err.strip(), f"{kind}:{n}: exit {code} without a word"
        t.until_done(lambda i: None)
    return limit


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--events", type=int, default=40000)
    parser.add_argument("--only", default="")
    parser.add_argument("--faults", default="")
    args = parser.parse_args()
    names = [n for n in SCENARIOS if args.only in n]
    passed = failed = 0
    print(f"seed {args.seed}")
    for name in names:
        t = Torture(name, random.Random(f"{args.seed} {name}"), args.events)
        try:
            kills = random_kills(t, (args.kills + len(names) - 1) // len(names))
            passed += 1
            print(f"  {name}: {kills} kills at random moments, the same bytes")
            if args.faults:
                faults = os.path.abspath(args.faults)
                print(f"  {name}: killed at {crash_points(t, faults)} named points, the same bytes")
                for kind in ("store", "file", "alloc"):
                    n = failing_calls(t, faults, kind, 4000 if kind == "alloc" else 2000)
                    print(f"  {name}: {n} failing calls ({kind}), nothing lost")
                passed += 2
            shutil.rmtree(t.folder)
        except AssertionError as e:
            failed += 1
            print(f"FAIL {name} (--seed {args.seed}; files are in {t.folder}): {e}")
    print(f"passed={passed} failed={failed} skipped=0")
    sys.exit(1 if failed else 0)


main()
