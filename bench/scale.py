#!/usr/bin/env python3
"""make bench-scale: what an event costs while the pattern, the window and the number of keys grow, and on inputs made to hurt.

scale.py --weir build/weir --build build/bench [--events N] [--only length,window,keys,hurt]

Every figure is nanoseconds of CPU per event of the whole process less those of a program that only decodes and filters the same
file, and the peak memory; the least of several runs, as other work on the machine only adds. Where the length grows, the program
that is taken off evaluates the same conditions, so that what is left is keys, matching and results; the conditions' own cost stands
behind. Events are those of bench/peers/gen.c.
"""
import argparse, os, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
STREAM = "CREATE STREAM ev (card STRING KEY, mcc INT, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at);\n"


def run(args, program, data):
    path = f"{args.build}/scale.weir"
    with open(path, "w") as f:
        f.write(STREAM + program)
    times, memory = [], 0
    for _ in range(args.runs):
        p = subprocess.Popen([args.weir, "replay", "-q", path, "--in", f"ev={data}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        err = p.stderr.read()
        _, status, usage = os.wait4(p.pid, 0)
        if os.waitstatus_to_exitcode(status) not in (0, 7):
            sys.exit(f"status {status}\n{program}\n{err.decode()[-1500:]}")
        if os.waitstatus_to_exitcode(status) == 7:
            return None, usage.ru_maxrss / 1024
        times.append(usage.ru_utime + usage.ru_stime)
        memory = max(memory, usage.ru_maxrss / 1024)
    return min(times), memory


def events_of(args, keys):
    path = f"{args.build}/scale-{args.events}-{keys}.jsonl"
    if not os.path.exists(path):
        subprocess.run(f"cc -O2 -o {args.build}/gen {HERE}/peers/gen.c && {args.build}/gen --events {args.events} --keys {keys} > {path}",
                       shell=True, check=True)
    return path


def sequence(length, arrow=" -> ", within="10m"):
    """A sequence of `length` steps, each taken by about a fifth of the rows."""
    names = [f"v{i}" for i in range(length)]
    define = ", ".join(f"{n} AS status = 'declined' AND mcc % 7 <> {i % 7}" for i, n in enumerate(names))
    return (f"PATTERN p FROM ev PARTITION BY card MATCH {arrow.join(names)} WITHIN {within}\nDEFINE {define}\n"
            f"SELECT card, {names[0]}.at AS first, {names[-1]}.at AS last;\n")


def conditions(length):
    """Decodes what a sequence of this length reads and evaluates its conditions, and hardly anything passes."""
    every = " OR ".join(f"status = 'declined' AND mcc % 7 <> {i % 7}" for i in range(length))
    return f"SELECT card, at, mcc FROM ev WHERE amount > 1e6 AND ({every});\n"


def at_one_time(args, data):
    """The same events, all of one time."""
    path = data.replace(".jsonl", "-one-time.jsonl")
    if not os.path.exists(path):
        subprocess.run(f"sed 's/\"at\":[0-9]*/\"at\":1767225600000/' {data} > {path}", shell=True, check=True)
    return path


def line(args, name, program, data, base, behind=""):
    seconds, memory = run(args, program, data)
    shown = "limit (exit 7)" if seconds is None else f"{(seconds - base) / args.events * 1e9:.0f} ns"
    print(f"{name:<60}{shown:>16}{memory:>12.0f} MB{behind}", flush=True)


def lengths(args, data, arrow, name, base):
    for length in (3, 6, 12, 24):
        own, _ = run(args, conditions(length), data)
        line(args, f"length {length}: {name}", sequence(length, arrow), data, own,
             f"   conditions {(own - base) / args.events * 1e9:.0f} ns")


# Inputs made to hurt: what a pattern is (row conditions alone, one key where it says so). None may cost more a row as rows go by.
START, NEVER = "PATTERN p FROM ev", "amount < 0"
HURT = {
    "every row starts, nothing completes, 100,000 keys":
        f"{START} PARTITION BY card MATCH a -> b WITHIN 10m DEFINE b AS {NEVER} SELECT card, a.at AS x;\n",
    "every row satisfies every variable, 100,000 keys":
        f"{START} PARTITION BY card MATCH a -> b -> c WITHIN 10m SELECT card, a.at AS x;\n",
    "a condition on history that never holds, 100,000 keys":
        f"{START} PARTITION BY card MATCH a -> b WITHIN 10m DEFINE b AS amount < -a.amount SELECT card, a.at AS x;\n",
    "one key: a -> b":
        f"{START} MATCH a -> b WITHIN 10m DEFINE b AS {NEVER} SELECT a.at AS x;\n",
    "one key: a+ -> b":
        f"{START} MATCH a+ -> b WITHIN 1m DEFINE a AS amount > 0, b AS {NEVER} SELECT b.at AS x;\n",
    "one key: a->{3,} -> b":
        f"{START} MATCH a->{{3,}} -> b WITHIN 1m DEFINE a AS amount > 0, b AS {NEVER} SELECT b.at AS x;\n",
    "one key: a->{3,} -> b SKIP TO NEXT ROW, no time limit":
        f"{START} MATCH a->{{3,}} -> b SKIP TO NEXT ROW LIMIT 100000 STARTS PER KEY DEFINE a AS amount > 0, b AS {NEVER} SELECT b.at AS x;\n",
    "one key: (a | b) -> (c | d) -> e":
        f"{START} MATCH (a | b) -> (c | d) -> e WITHIN 10m DEFINE a AS mcc > 50, c AS mcc < 20, d AS mcc < 30, e AS {NEVER} SELECT e.at AS x;\n",
    "one key: a -> b? -> c":
        f"{START} MATCH a -> b? -> c WITHIN 10m DEFINE b AS mcc < 5, c AS {NEVER} SELECT c.at AS x;\n",
    "one key: a NOT b -> c":
        f"{START} MATCH a NOT b -> c WITHIN 10m DEFINE b AS {NEVER}, c AS {NEVER} SELECT c.at AS x;\n",
    "one key: a -> b -> c SKIP TO LAST b":
        f"{START} MATCH a -> b -> c WITHIN 10m SKIP TO LAST b DEFINE b AS mcc < 5, c AS {NEVER} SELECT c.at AS x;\n",
    "one key: a -> b->* (waits for its time)":
        f"{START} MATCH a -> b->* WITHIN 10m DEFINE b AS mcc < 50 SELECT a.at AS x;\n",
    "one key, nested loops, within 100ms":
        f"{START} MATCH (a+)+ b WITHIN 100ms DEFINE a AS amount > 0, b AS {NEVER} SELECT b.at AS x;\n",
}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--weir", default="build/weir")
    a.add_argument("--build", default="build/bench")
    a.add_argument("--events", type=int, default=2000000)
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--only", default="length,window,keys,hurt", help="some of them")
    args = a.parse_args()
    os.makedirs(args.build, exist_ok=True)
    base_program = "SELECT card, at, mcc FROM ev WHERE status = 'declined' AND amount > 1e6;\n"
    many = events_of(args, 100000)
    base, _ = run(args, base_program, many)
    print(f"{'':<60}{'per event':>16}{'peak':>15}")
    if "length" in args.only:
        lengths(args, many, " -> ", "v0 -> v1 -> … within 10m, 100,000 keys", base)
        lengths(args, many, " ", "v0 v1 … (strict), 100,000 keys", base)
    for within in ("1s", "10s", "1m", "10m", "1h") if "window" in args.only else ():
        line(args, f"window {within}: v0 -> v1 -> v2, 100,000 keys", sequence(3, within=within), many, base)
    if "window" in args.only: # where every window has rows of its key
        few = events_of(args, 100)
        own, _ = run(args, base_program, few)
        for within in ("1s", "10s", "1m", "10m", "1h"):
            line(args, f"window {within}: v0 -> v1 -> v2, 100 keys", sequence(3, within=within), few, own)
    for keys in (1000, 10000, 100000, 1000000, 10000000) if "keys" in args.only else ():
        data = events_of(args, keys)
        own, _ = run(args, base_program, data)
        line(args, f"keys {keys:,}: v0 -> v1 -> v2 within 10m", sequence(3), data, own)
    once = at_one_time(args, many) if "hurt" in args.only else None
    for name, program in HURT.items() if "hurt" in args.only else ():
        line(args, name, program, many, base)
        if name.startswith("one key"):
            line(args, "  all of one time", program, once, base)


main()
