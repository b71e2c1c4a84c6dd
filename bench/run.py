#!/usr/bin/env python3
"""make bench: weir beside the physical limits of this machine, on the same file, in the same run.

run.py --weir build/weir --build build/bench [--events N] [--runs N] [--peers esper,flink,siddhi]

Every figure is a ratio: the limit's (or peer's) time over weir's, so that more is better, from medians of runs taken in turn.
Times are CPU seconds (both sides are one thread), which a busy machine disturbs less than the clock on the wall. `decode` is a bare simdjson loop over the four fields that the workloads read (bench/peers/limits/limits.cpp).
weir's time is that of the whole process, start and end included, its results encoded as JSON lines. Digests are those of
bench/peers/README.md; a wrong one fails. With --peers the engines of bench/peers/ run too (a JDK and Maven are needed).
"""
import argparse, json, os, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
# workload: program, fields of the tuple, rows, digest, least ratio to the bare loop (None: only shown)
WORKLOADS = {
    "W1": ("w1", ["t:at", "c:amount", "0"], 20234, "7e28debbe82d775e", 0.8),
    "W2": ("w2", ["t:first", "t:last", "1"], 14727, "9e3663179b1ca3e8", 0.5),
    "W3": ("w3", ["t:first", "t:last", "1"], 1617, "6ac02b50448593ed", None),
    "W4": ("w4", ["t:first", "t:last", "1"], 140061, "112a7e88874c1cd1", None),
    "W4 DECIMAL": ("w4_decimal", ["t:first", "t:last", "1"], 140061, "1f17d18f74ec11fc", None),
    "W5": ("w5", ["t:first", "t:last", "n:tries"], 3035, "b87cf7bc160e9dcc", 0.3),
    "W6": ("w6", ["t:first", "0", "0"], 138314, "0a909a3f8961f258", None),
    "W7": ("w7", ["t:start", "n:n", "c:amount"], 1507059, "969d3c91461fd753", 0.25),
}
# 1 M keys with absences armed, beside the same pattern without: name, with, without (DEFINE as in absences below).
ABSENCES = [
    ("a -> NOT b FOR 1h", "a -> NOT b FOR 1h", "a -> b WITHIN 1h"),
    ("a -> NOT b WITHIN 1h", "a -> NOT b WITHIN 1h", "a -> b WITHIN 1h"),
    ("a -> NOT b -> c", "a -> NOT b -> c WITHIN 1h", "a -> c WITHIN 1h"),
    ("a -> NOT b FOR 5m -> c", "a -> NOT b FOR 5m -> c WITHIN 1h", "a -> c WITHIN 1h"),
    ("NOT b FOR 5m -> a -> c", "NOT b FOR 5m -> a -> c WITHIN 1h", "a -> c WITHIN 1h"),
]
failed = []


def run(command, **options):
    """(CPU seconds, peak RSS in MB, what it wrote, wall seconds) of one command; ends the program when it fails."""
    begun = time.perf_counter()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    out, err = p.stdout.read(), p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.perf_counter() - begun
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}\n{err[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out, wall


def replay(args, name, data, out="/dev/null"):
    return run([args.weir, "replay", "-q", os.path.join(PROGRAMS, name + ".weir"), "--in", f"ev={data}", "--out", f"out={out}"])


def prepare(args):
    os.makedirs(args.build, exist_ok=True)
    def need(target, command):
        if not os.path.exists(target):
            subprocess.run(command, shell=True, check=True)
        return target
    gen = need(f"{args.build}/gen", f"cc -O2 -o {args.build}/gen {HERE}/peers/gen.c")
    need(f"{args.build}/digest", f"cc -O2 -o {args.build}/digest {HERE}/digest.c -lm")
    need(f"{args.build}/limits", f"g++ -O3 -std=c++17 -o {args.build}/limits {HERE}/peers/limits/limits.cpp -lsimdjson")
    many = need(f"{args.build}/100k.jsonl", f"{gen} --events {args.events} > {args.build}/100k.jsonl")
    idle = need(f"{args.build}/1m.jsonl", f"{gen} --events {args.events} --keys 1000000 > {args.build}/1m.jsonl")
    return many, idle


def row(name, *cells):
    print(f"{name:<28}" + "".join(f"{c:>16}" for c in cells), flush=True)


def verdict(name, value, least):
    if least is None:
        return ""
    if value < least:
        failed.append(f"{name}: {value:.2f}, wanted {least}")
    return f"{'ok' if value >= least else 'LOW'} (>= {least})"


def check_digest(args, name, program, fields, rows, digest, data):
    out = f"{args.build}/out.jsonl"
    replay(args, program, data, out)
    with open(out) as f:
        got = subprocess.run([f"{args.build}/digest", *fields], stdin=f, stdout=subprocess.PIPE, text=True).stdout.split()
    os.remove(out)
    if args.events != 2000000:
        return "-"
    good = got == [str(rows), digest]
    if not good:
        failed.append(f"{name}: {got}, wanted {rows} {digest}")
    return "ok" if good else "WRONG"


def workloads(args, data):
    row("workload", "bare loop s", "weir s", "events/s", "ratio", "digest", "goal")
    for name, (program, fields, rows, digest, least) in WORKLOADS.items():
        if args.only and name not in args.only:
            continue
        bare, ours = [], []
        for _ in range(args.runs):
            bare.append(json.loads(run([f"{args.build}/limits", "decode", data])[2])["cpu_s"])
            ours.append(replay(args, program, data)[0])
        b, w = statistics.median(bare), statistics.median(ours)
        row(name, f"{b:.3f}", f"{w:.3f}", f"{args.events / w / 1e6:.2f} M", f"{b / w:.2f}",
            check_digest(args, name, program, fields, rows, digest, data), verdict(name, b / w, least))


def absences(args, idle):
    conditions = {"a": "status = 'approved'", "b": "status = 'declined'", "c": "status = 'approved' AND amount > 300"}
    program = f"{args.build}/absence.weir"

    def seconds(match):
        names = [n for n in conditions if n in match.replace("FOR", "").replace("NOT", "").split()]
        with open(program, "w") as f:
            f.write("CREATE STREAM ev (card STRING KEY, mcc INT, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at);\n"
                    f"CREATE STREAM out;\nPATTERN p FROM ev PARTITION BY card MATCH {match} SKIP TO NEXT ROW "
                    f"DEFINE {', '.join(f'{n} AS {conditions[n]}' for n in names)} SELECT card INTO out;\n")
        return run([args.weir, "replay", "-q", program, "--in", f"ev={idle}", "--out", "out=/dev/null"])[0]

    print()
    row("1 M keys, absence armed", "without s", "with s", "ratio", "goal")
    for name, armed, bare in ABSENCES:
        pairs = [(seconds(bare), seconds(armed)) for _ in range(args.runs)]
        w, a = (min(p[i] for p in pairs) for i in (0, 1))
        if a > 2 * w:
            failed.append(f"{name}: {a / w:.2f} times, wanted <= 2")
        row(name, f"{w:.3f}", f"{a:.3f}", f"{a / w:.2f}", "ok (<= 2)" if a <= 2 * w else "HIGH (<= 2)")


def small_figures(args, idle):
    print()
    row("figure", "measured", "goal")
    def figure(name, value, most, unit):
        if value > most:
            failed.append(f"{name}: {value:.2f} {unit}, wanted <= {most}")
        row(name, f"{value:.2f} {unit}", f"{'ok' if value <= most else 'HIGH'} (<= {most})")
    figure("weir --version", 1000 * statistics.median(run([args.weir, "--version"])[3] for _ in range(21)), 10, "ms")
    library = os.path.join(os.path.dirname(args.build), args.mode, "libweir.a")
    tool = f"{args.build}/compile_time"
    libs = os.environ.get("WEIR_LDLIBS", "-llmdb -pthread -lsimdjson -lstdc++ -lpcre2-8 -lzstd -llz4 -lz -ljansson -lm")
    subprocess.run(f"cc -O2 -I{HERE}/.. -o {tool} {HERE}/compile_time.c {library} {libs}", shell=True, check=True)
    figure("compile, one pattern", float(run([tool, f"{PROGRAMS}/w2.weir"])[2]) / 1000, 1, "ms")
    flights = os.path.join(HERE, "..", "examples", "flights")
    seconds = statistics.median(
        run([args.weir, "replay", "-q", f"{flights}/flights.weir", "--in", f"flights={flights}/flights-2013-01-02.jsonl.zst"])[3]
        for _ in range(args.runs))
    figure("replay of the flights", seconds, 0.3, "s")
    figure("memory, W2, 1 M keys", replay(args, "w2", idle)[1], 150, "MB")


def peers(args, data):
    print()
    row("peer", "workload", "events", "peer s", "weir s", "weir is faster by")
    for engine in args.peers.split(","):
        for name in WORKLOADS:
            if name == "W4 DECIMAL" or (args.only and name not in args.only):
                continue
            events = min(args.events, 50000 if (engine, name) == ("siddhi", "W6") else 1000000 if engine in ("flink", "siddhi") else args.events)
            head = f"{args.build}/head.jsonl"
            subprocess.run(f"head -n {events} {data} > {head}", shell=True, check=True)
            theirs = json.loads(run([f"{HERE}/peers/run", engine, name, head, "--events", str(events)])[2].splitlines()[-1])
            ours = statistics.median(replay(args, WORKLOADS[name][0], head)[3] for _ in range(args.runs))
            row(engine, name, events, f"{theirs['seconds']:.3f}", f"{ours:.3f}", f"{theirs['seconds'] / ours:.1f} x")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--weir", default="build/weir")
    a.add_argument("--build", default="build/bench")
    a.add_argument("--mode", default="release")
    a.add_argument("--events", type=int, default=2000000)
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--peers", default="")
    a.add_argument("--only", action="append", default=[])
    args = a.parse_args()
    args.weir = os.path.abspath(args.weir)
    os.environ.setdefault("PEERS_BUILD", os.path.abspath(os.path.join(args.build, "..", "peers")))
    many, idle = prepare(args)
    workloads(args, many)
    if not args.only or "absence" in args.only:
        absences(args, idle)
    if not args.only:
        small_figures(args, idle)
    if args.peers:
        peers(args, many)
    for line in failed:
        print("short of its goal:", line)
    sys.exit(1 if failed else 0)


main()
