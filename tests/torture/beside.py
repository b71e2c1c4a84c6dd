#!/usr/bin/env python3
"""Keys come back out of the store while the saver's thread writes into it, and the results stay the same.

A program with SET memory_max runs over many keys, with checkpoints all the time, beside the same program without state.
In a build with MODE=tsan two threads that touch one thing without a lock between them end the run.

  WEIR=build/weir python3 tests/torture/beside.py [--events N] [--seed N]
"""
import argparse, json, os, random, subprocess, sys, tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(TOP, "build/weir")))
OUTPUTS = ["threes", "silent", "sums"]
PROGRAM = """SET memory_max = '300KB';
CREATE STREAM ev (card STRING KEY, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at - 1s)
    WITH (timestamp_unit = 'ms');
CREATE STREAM threes;
CREATE STREAM silent;
CREATE STREAM sums;
PATTERN three FROM ev PARTITION BY card MATCH a -> b -> c WITHIN 10m
DEFINE a AS status = 'declined', b AS amount > a.amount, c AS status = 'approved' AND amount > 300
SELECT card, a.at AS first, c.at AS last, MATCH_ID() AS id INTO threes;
PATTERN silence FROM ev PARTITION BY card MATCH a -> NOT b FOR 10s
DEFINE a AS amount > 400, b AS amount <= 400 SELECT card, a.at AS since INTO silent;
INSERT INTO sums SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total, STRING_AGG(status, ',') AS s
FROM HOP(ev, at, 10s, 30s) GROUP BY card, window_start;
"""


def run(folder, name, options):
    line = [WEIR, "replay", "-q", "--stats", os.path.join(folder, "p.weir"), "--in", "ev=" + os.path.join(folder, "in.jsonl")]
    for output in OUTPUTS:
        line += ["--out", f"{output}=" + os.path.join(folder, f"{name}.{output}.jsonl")]
    p = subprocess.run(line + options, capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, f"exit {p.returncode}: {p.stderr[:4000]}"
    return [json.loads(t) for t in p.stderr.splitlines() if t.startswith('{"version"')]


def check(folder, batch):
    name = f"b{batch}"
    stats = run(folder, name, ["--state", os.path.join(folder, name), "--checkpoint-interval", "2ms", "--batch-rows", str(batch)])
    for output in OUTPUTS:
        wanted, got = (open(os.path.join(folder, f"{n}.{output}.jsonl")).read() for n in ("alone", name))
        assert wanted and got == wanted, f"{output}: {len(got)} bytes came, {len(wanted)} were expected"
    taken = stats[0]["checkpoints"]["taken"]
    assert taken >= 10, f"{taken} checkpoints: no key was looked up beside one"
    return taken


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--events", type=int, default=8000)
    a.add_argument("--seed", type=int, default=1)
    args = a.parse_args()
    rng, passed, failed = random.Random(args.seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="weir-beside-") as folder:
        with open(os.path.join(folder, "p.weir"), "w") as f:
            f.write(PROGRAM)
        with open(os.path.join(folder, "in.jsonl"), "w") as f:
            for i in range(args.events):
                f.write(json.dumps({"card": f"c{rng.randrange(args.events // 6)}", "amount": round(rng.random() * 500, 2),
                                    "status": rng.choice(["declined", "approved"]), "at": 1767225600000 + i * 7}) + "\n")
        run(folder, "alone", [])
        for batch in (20, 300):
            try:
                print(f"  batches of {batch}: {check(folder, batch)} checkpoints, the same bytes")
                passed += 1
            except AssertionError as e:
                failed += 1
                print(f"FAIL batches of {batch}: {e}")
    print(f"passed={passed} failed={failed} skipped=0")
    sys.exit(1 if failed else 0)


main()
