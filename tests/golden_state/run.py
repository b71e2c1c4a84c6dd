#!/usr/bin/env python3
"""A state that an earlier weir left stays readable: a run that was killed goes on from it and gives the same bytes.

    WEIR=build/weir run.py            each folder here: its state is unpacked, the run goes on, outputs are compared
    run.py --make NAME FAULTY_WEIR    makes a folder with a build with faults (build/debug/weir); an old one is never remade.
                                      A NAME that ends with _cold: most keys are out of memory when the run is killed.

A folder: program.weir, in.jsonl.gz, left.tar.gz with left/ (state and outputs as the kill left them) and wanted/ (those of a run in peace).
"""
import gzip, json, os, random, re, shutil, signal, subprocess, sys, tarfile, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
PROGRAM = """CREATE STREAM ev (card STRING KEY, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at - 1s)
    WITH (timestamp_unit = 'ms');
CREATE STREAM pairs;
CREATE STREAM totals;
CREATE STREAM quiet;
CREATE STREAM runs;
PATTERN pair FROM ev PARTITION BY card MATCH a -> b -> c WITHIN 10m
DEFINE a AS status = 'declined', b AS b.amount > a.amount, c AS status = 'approved' AND amount > 300
SELECT card, a.at AS first, c.at AS last, MATCH_ID() AS id INTO pairs;
PATTERN silence FROM ev PARTITION BY card MATCH a -> NOT b FOR 5s
DEFINE a AS amount > 400, b AS amount <= 400 SELECT card, a.at AS since INTO quiet;
PATTERN loops FROM ev PARTITION BY card MATCH a+ b WITHIN 2m
DEFINE a AS status = 'declined' AND amount >= FIRST(a.amount), b AS status = 'approved' AND amount > SUM(a.amount)
SELECT card, COUNT(a.*) AS n, SUM(a.amount) AS spent, b.at AS ended INTO runs;
INSERT INTO totals SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total, AVG(amount) AS mean, MIN(status) AS s,
  COUNT(DISTINCT status) AS kinds FROM HOP(ev, at, 2s, 6s) GROUP BY card, window_start;
"""
# How many cards there are, where the run is killed.
KINDS = {"warm": ("", 40, "store.after_commit:3"), "cold": ("SET memory_max = '40KB';\n", 900, "store.after_commit:60")}


def outputs_of(home):
    with open(os.path.join(home, "program.weir")) as f:
        return re.findall(r"^CREATE STREAM (\w+);", f.read(), re.M)


def is_cold(name):
    return name.endswith("_cold")


def size_of(weir, state):
    p = subprocess.run([weir, "state", "size", "--json", state], capture_output=True, text=True, timeout=60)
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout)


def are_most_out(size):
    """Of the operators whose keys may leave: `size` is of `weir state size`."""
    keys = sum(o["keys"] for o in size["operators"] if o["name"] in ("pair", "silence", "loops", "totals.window"))
    return size["out_of_memory"] > keys / 2, f"{size['out_of_memory']} of {keys} keys are out of memory"


def replay(weir, home, folder, options, env=None):
    line = [weir, "replay", "-q", "program.weir", "--in", "ev=in.jsonl.gz"]
    for name in outputs_of(home):
        line += ["--out", f"{name}={folder}/{name}.jsonl"]
    return subprocess.run(line + options, capture_output=True, text=True, cwd=home, env=dict(os.environ, **(env or {})), timeout=60)


def make(name, weir):
    home, rng = os.path.join(HERE, name), random.Random(1)
    settings, cards, place = KINDS["cold" if is_cold(name) else "warm"]
    os.makedirs(os.path.join(home, "wanted"))
    with open(os.path.join(home, "program.weir"), "w") as f:
        f.write(settings + PROGRAM)
    rows = [{"card": f"c{rng.randrange(cards)}", "amount": round(rng.random() * 500, 2),
             "status": rng.choice(["declined", "approved"]), "at": 1767225600000 + i * 20 - rng.randrange(900)} for i in range(3000)]
    with open(os.path.join(home, "in.jsonl.gz"), "wb") as f:
        f.write(gzip.compress("".join(json.dumps(r) + "\n" for r in rows).encode(), mtime=0))
    p = replay(weir, home, "wanted", [])
    assert p.returncode == 0, p.stderr
    os.mkdir(os.path.join(home, "left"))
    p = replay(weir, home, "left", ["--state", "left/state", "--checkpoint-interval", "5ms", "--batch-rows", "1"],
               {"WEIR_CRASH_AT": place})
    assert p.returncode == -signal.SIGKILL, (p.returncode, p.stderr)
    left = size_of(weir, os.path.join(home, "left", "state"))
    print(left)
    assert not is_cold(name) or are_most_out(left)[0], are_most_out(left)[1]
    os.unlink(os.path.join(home, "left", "state", "lock.mdb"))  # LMDB's table of readers: of this machine
    with tarfile.open(os.path.join(home, "left.tar.gz"), "w:gz") as tar:
        for part in ("left", "wanted"):
            tar.add(os.path.join(home, part), part)
            shutil.rmtree(os.path.join(home, part))


def check(name):
    with tempfile.TemporaryDirectory() as folder:
        home = os.path.join(folder, name)
        shutil.copytree(os.path.join(HERE, name), home)
        with tarfile.open(os.path.join(home, "left.tar.gz")) as tar:
            tar.extractall(home)
        shorter = [o for o in outputs_of(home) if os.path.getsize(os.path.join(home, "left", o + ".jsonl")) <
                   os.path.getsize(os.path.join(home, "wanted", o + ".jsonl"))]
        assert shorter, "the run had nothing left to do"
        if is_cold(name):
            most, text = are_most_out(size_of(WEIR, os.path.join(home, "left", "state")))
            assert most, text
        p = replay(WEIR, home, "left", ["--state", "left/state", "--stats"])
        assert p.returncode == 0, p.stderr
        rows = [s["read"] for s in json.loads(p.stderr.splitlines()[-1])["queries"] if s["name"] == "ev"]
        assert rows == [3000], rows
        for output in outputs_of(home):
            got, wanted = (open(os.path.join(home, f, output + ".jsonl")).read() for f in ("left", "wanted"))
            assert wanted and got == wanted, f"{output}: {len(got)} bytes came, {len(wanted)} were expected"


if sys.argv[1:2] == ["--make"]:
    make(sys.argv[2], os.path.abspath(sys.argv[3]))
else:
    passed = failed = 0
    for name in sorted(n for n in os.listdir(HERE) if os.path.isdir(os.path.join(HERE, n)) and not n.startswith("_")):
        try:
            check(name)
            passed += 1
        except Exception as e:
            failed += 1
            print(f"{name}: {type(e).__name__}: {e}")
    print(f"passed={passed} failed={failed} skipped=0")
    sys.exit(1 if failed else 0)
