#!/usr/bin/env python3
"""What state on disk costs: pauses, throughput, bytes, growth, a cold start. `make bench-state`.

Each figure stands beside the same run without state, on the same file, outputs written to a file both times. Times on the
wall need a quiet machine; the time of the engine's own thread that checkpoints took is told apart. `--growth SECONDS` writes
a table of the file's size while every key changes all the time, from a generator that never ends."""
import argparse, json, os, resource, shutil, signal, subprocess, sys, time

STREAM = ("CREATE STREAM ev (card STRING KEY, mcc INT, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at);\n"
          "CREATE STREAM out;\n")
PROGRAMS = {
    # Every event changes its card's window: all keys change, all the time.
    "window": STREAM + "INSERT INTO out SELECT card, window_start, COUNT(*) AS n, SUM(amount) AS total "
                       "FROM TUMBLE(ev, at, 30d) GROUP BY card, window_start;",
    # Every event of a card opens a start, which stays until the card has had two more, on average.
    "starts": STREAM + "PATTERN p FROM ev PARTITION BY card MATCH a -> b -> c WITHIN {within}s DEFINE a AS TRUE, "
                       "b AS amount > 499.9, c AS amount > 499.9 SELECT card, a.at AS first INTO out;",
}
# Of a cold start: every card that was seen has state, and results come at once.
COLD = {
    "window": PROGRAMS["window"] + "\nPATTERN large FROM ev MATCH a DEFINE a AS amount > 400 "
                                   "SELECT a.card AS card, a.at AS window_start, 1 AS n, a.amount AS total INTO out;",
    "starts": STREAM + "PATTERN p FROM ev PARTITION BY card MATCH a -> b WITHIN 30d DEFINE a AS TRUE, b AS amount > 450 "
                       "SELECT card, a.at AS first, b.at AS last INTO out;",
}


class Run:
    """One run of weir; `wait` gives its wall and CPU seconds and the counts of its checkpoints."""

    def __init__(self, weir, program, source, state=None, interval="1s", out="/dev/null", stdin=None):
        line = [weir, "replay", program, "--in", f"ev={source}", "--out", "out=" + out, "--stats", "-q"]
        line += ["--state", state, "--checkpoint-interval", interval] if state else []
        self.start, self.before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process = subprocess.Popen(line, stdin=stdin, stderr=subprocess.PIPE, text=True)

    def wait(self):
        err = self.process.communicate()[1]
        after, b = resource.getrusage(resource.RUSAGE_CHILDREN), self.before
        taken = [json.loads(x)["checkpoints"] for x in err.splitlines() if x.startswith('{"version":1,"checkpoints"')]
        return {"wall": time.time() - self.start, "cpu": after.ru_utime + after.ru_stime - b.ru_utime - b.ru_stime,
                "checkpoints": taken[-1] if taken else None, "code": self.process.returncode, "err": err}


def clean(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(path):
            os.remove(path)


def write_program(build, name, text):
    path = os.path.join(build, f"state-{name}.weir")
    with open(path, "w") as f:
        f.write(text + "\n")
    return path


def generator(build):
    gen = os.path.join(build, "gen")
    if not os.path.exists(gen):
        subprocess.run(["cc", "-O2", "-o", gen, "bench/peers/gen.c"], check=True)
    return gen


def events_file(build, events, keys):
    path = os.path.join(build, f"state-{events}-{keys}.jsonl")
    if not os.path.exists(path):
        with open(path, "w") as f:
            subprocess.run([generator(build), "--events", str(events), "--keys", str(keys)], stdout=f, check=True)
    return path


def throughput(args, keys):
    file, state = events_file(args.build, args.events, keys), os.path.join(args.build, "state-dir")
    out = state + ".out"
    for name, text in PROGRAMS.items():
        program = write_program(args.build, name, text.replace("{within}", str(keys * 2 // 1000))) # an event a millisecond
        bare = best = None
        for _ in range(args.rounds):
            clean(state, out)
            b = Run(args.weir, program, file, out=out).wait()
            clean(state, out)
            r = Run(args.weir, program, file, state, out=out).wait()
            if r["code"] or not r["checkpoints"]:
                sys.exit(f"{name}: exit {r['code']}: {r['err']}")
            bare = b if bare is None or b["wall"] < bare["wall"] else bare
            if best is None or r["wall"] < best["wall"]:
                best, size = r, os.path.getsize(os.path.join(state, "data.mdb"))
        c = best["checkpoints"]
        print(f"{name}, {keys:,} | {args.events / bare['wall'] / 1e6:.2f} M, {args.events / best['wall'] / 1e6:.2f} M "
              f"({100 * (best['wall'] / bare['wall'] - 1):.1f} % longer; CPU {best['cpu'] / bare['cpu']:.2f} x) | "
              f"{c['pause_sum_us'] / 1e6:.2f} s of {best['wall']:.1f} | {c['pause_p99_us'] / 1e3:.2f} ms, "
              f"{c['pause_max_us'] / 1e3:.2f} ms | {c['taken']}, {c['keys']:,}, {c['bytes'] / max(c['keys'], 1):.0f} | "
              f"{size / 1e6:.0f} MB", flush=True)
        clean(state, out)


def cold_start(args, keys, name):
    """Interrupted, which takes a checkpoint, when most has been read; then the time to the next result."""
    file, state = events_file(args.build, args.events, keys), os.path.join(args.build, "state-dir")
    out, program = state + ".out", write_program(args.build, "cold-" + name, COLD[name])
    clean(state, out)
    bare = Run(args.weir, program, file, out=out).wait()
    clean(state, out)
    first = Run(args.weir, program, file, state, "1000s", out)
    time.sleep(bare["wall"] * (0.3 if name == "window" else 0.5))
    first.process.send_signal(signal.SIGINT)
    first.wait()
    # Only what lies in files counts: the pages of the state are dropped from the system's memory, where that is allowed.
    subprocess.run(["sync"])
    dropped = subprocess.run("echo 3 > /proc/sys/vm/drop_caches", shell=True, stderr=subprocess.DEVNULL).returncode == 0
    had = os.path.getsize(out)
    again = Run(args.weir, program, file, state, "1000s", out)
    while os.path.getsize(out) <= had and again.process.poll() is None:
        time.sleep(0.001)
    took = time.time() - again.start
    again.process.send_signal(signal.SIGINT)
    c = again.wait()["checkpoints"]
    listed = json.loads(subprocess.run([args.weir, "state", "ls", state, "--json"], capture_output=True, text=True).stdout)
    held = sum(o["keys"] for o in listed["operators"])
    print(f"cold start, {name}: {held:,} keys, {sum(o['bytes'] for o in listed['operators']) / 1e6:.0f} MB, after {c['resumed_rows']:,} events: "
          f"{took:.2f} s from the start of the process to its first new result{'' if dropped else ' (pages cached by the system)'}",
          flush=True)
    clean(state, out)


def growth(args, keys):
    state, program = os.path.join(args.build, "state-dir"), write_program(args.build, "window", PROGRAMS["window"])
    clean(state)
    gen = subprocess.Popen([generator(args.build), "--events", str(10 ** 12), "--keys", str(keys), "--step-us", "1"],
                           stdout=subprocess.PIPE)
    run = Run(args.weir, program, "-", state, stdin=gen.stdout)
    gen.stdout.close()
    print(f"growth, {keys:,} keys, all changing | seconds | file, MB", flush=True)
    begun = time.time()
    for at in range(args.growth // 10, args.growth + 1, args.growth // 10):
        time.sleep(max(0, begun + at - time.time()))
        print(f"  | {at} | {os.path.getsize(os.path.join(state, 'data.mdb')) / 1e6:.0f}", flush=True)
    run.process.send_signal(signal.SIGINT)
    c = run.wait()["checkpoints"]
    gen.terminate()
    gen.wait()
    print(f"  {c['taken']} checkpoints, {c['keys']:,} entries, {c['bytes'] / 1e6:.0f} MB written", flush=True)
    clean(state)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", default="build/weir")
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--keys", default="1000000,10000000")
    parser.add_argument("--events", type=int, default=40000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--only", choices=["throughput", "cold", "growth"])
    args = parser.parse_args()
    os.makedirs(args.build, exist_ok=True)
    keys = [int(k) for k in args.keys.split(",")]
    if args.only in (None, "throughput"):
        print("program, keys | events/s without, with state (loss) | engine's thread in checkpoints | pause p99, max |"
              " checkpoints, entries, bytes an entry | file", flush=True)
        for k in keys:
            throughput(args, k)
    if args.only in (None, "cold"):
        for k in keys:
            for name in COLD:
                cold_start(args, k, name)
    if args.growth:
        growth(args, keys[0])


main()
