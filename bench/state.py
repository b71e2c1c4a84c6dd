#!/usr/bin/env python3
"""What state on disk costs: pauses, throughput, bytes, growth, a cold start. `make bench-state`.

Each figure stands beside the same run without state, on the same file. Times on the wall need a quiet machine; the time
of the engine's own thread that checkpoints took is told apart."""
import argparse, json, os, resource, shutil, signal, subprocess, sys, time

STREAM = ("CREATE STREAM ev (card STRING KEY, mcc INT, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at);\n"
          "CREATE STREAM out;\n")
PROGRAMS = {
    # Every event changes its card's window: all keys change, all the time.
    "window": STREAM + "INSERT INTO out SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total "
                       "FROM TUMBLE(ev, at, 30d) GROUP BY card, window_start;",
    # Every first event of a card opens a start, which stays.
    "starts": STREAM + "PATTERN p FROM ev PARTITION BY card MATCH a -> b -> c WITHIN 30d DEFINE a AS TRUE, "
                       "b AS amount > 499.9, c AS amount > 499.9 SELECT card, a.at AS first INTO out;",
}


def run(weir, program, file, state=None, interval="1s", kill_at=None, cpu=False):
    line = [weir, "replay", program, "--in", f"ev={file}", "--out", "out=" + (state + ".out" if state else "/dev/null"),
            "--stats", "-q"] + (["--state", state, "--checkpoint-interval", interval] if state else [])
    start, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    if kill_at:
        time.sleep(kill_at)
        p.send_signal(signal.SIGKILL)
    err = p.communicate()[1]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = [json.loads(x)["checkpoints"] for x in err.splitlines() if x.startswith('{"version":1,"checkpoints"')]
    return {"wall": time.time() - start, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "rss": after.ru_maxrss, "checkpoints": taken[-1] if taken else None, "code": p.returncode, "err": err}


def clean(state):
    shutil.rmtree(state, ignore_errors=True)
    if os.path.exists(state + ".out"):
        os.remove(state + ".out")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default="build/weir")
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--keys", default="1000000,10000000")
    parser.add_argument("--events", type=int, default=20000000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.makedirs(args.build, exist_ok=True)
    gen = os.path.join(args.build, "gen")
    if not os.path.exists(gen):
        subprocess.run(["cc", "-O2", "-o", gen, "bench/peers/gen.c"], check=True)
    print("program, keys | events/s without, with state (loss) | engine's thread in checkpoints | pause p99, max |"
          " checkpoints, entries, bytes an entry | file/entries' bytes")
    for keys in (int(k) for k in args.keys.split(",")):
        file = os.path.join(args.build, f"state-{args.events}-{keys}.jsonl")
        if not os.path.exists(file):
            with open(file, "w") as f:
                subprocess.run([gen, "--events", str(args.events), "--keys", str(keys)], stdout=f, check=True)
        for name, text in PROGRAMS.items():
            program = os.path.join(args.build, f"state-{name}.weir")
            open(program, "w").write(text + "\n")
            state = os.path.join(args.build, "state-dir")
            bare = min((run(args.weir, program, file) for _ in range(args.rounds)), key=lambda r: r["wall"])
            best, size = None, 0
            for _ in range(args.rounds):
                clean(state)
                r = run(args.weir, program, file, state)
                if r["code"] or not r["checkpoints"]:
                    sys.exit(f"{name}: exit {r['code']}: {r['err']}")
                if best is None or r["wall"] < best["wall"]:
                    best, size = r, os.path.getsize(os.path.join(state, "data.mdb"))
            c = best["checkpoints"]
            print(f"{name}, {keys:,} | {args.events / bare['wall'] / 1e6:.2f} M, {args.events / best['wall'] / 1e6:.2f} M "
                  f"({100 * (best['wall'] / bare['wall'] - 1):.1f} % slower; CPU {best['cpu'] / bare['cpu']:.2f} x) | "
                  f"{c['pause_sum_us'] / 1e6:.2f} s of {best['wall']:.1f} | {c['pause_p99_us'] / 1e3:.2f} ms, "
                  f"{c['pause_max_us'] / 1e3:.2f} ms | {c['taken']}, {c['keys']:,}, {c['bytes'] / max(c['keys'], 1):.0f} | "
                  f"{size / 1e6:.0f} MB", flush=True)
            # A cold start: killed shortly before its end, gone on with.
            clean(state)
            run(args.weir, program, file, state, kill_at=best["wall"] * 0.85)
            start = time.time()
            again = run(args.weir, program, file, state, "100s")
            c = again["checkpoints"]
            print(f"  cold start of {keys:,} keys: the rest of the run took {time.time() - start:.2f} s, of which "
                  f"{args.events - c['resumed_rows']:,} events; without state these take "
                  f"{bare['wall'] * (args.events - c['resumed_rows']) / args.events:.2f} s", flush=True)
            clean(state)


main()
