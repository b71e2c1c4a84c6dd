#!/usr/bin/env python3
"""Runs that are killed and started again give the bytes of a run that was never disturbed.

Each scenario is a program over generated events. It is run once in peace, then over and over with --state while it is
killed: at random moments (kill -9), with a loss of power behind it (shim.c, power.py), with files that may not grow; with
--faults also at each named point of the checkpoint's protocol (WEIR_CRASH_AT) and with calls that fail (WEIR_FAIL_AT).
Between two runs nothing is cleaned up. In the end every output file, and the table of what was dropped, must equal those
of the run in peace. WEIR_STATE_CHECK=1 with a build with faults also finds units that change untouched.

  WEIR=build/weir python3 tests/torture/run.py --kills 200 [--seed N] [--only NAME] [--faults build/debug/weir]
"""
import argparse, gzip, json, os, random, resource, shutil, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import power
from scenarios import SCENARIOS

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(TOP, "build/weir")))

def events(path, rng, count, keys=500, disorder=0, bad=0.0):
    """One file of events; its name says how: .jsonl or .csv, then .gz, .zst or .lz4."""
    csv, rows = ".csv" in path, []
    for i in range(count):
        at = 1767225600000 + i * 7 - (rng.randrange(disorder) if disorder and rng.random() < 0.3 else 0)
        if rng.random() < bad and not csv:
            rows.append(rng.choice(["{", "not json", '{"card":"x"}', '{"card":1,"amount":"a","at":2}']))
        row = {"card": f"c{rng.randrange(keys)}", "amount": round(rng.random() * 500, 2),
               "status": rng.choice(["declined", "approved"]), "at": at}
        rows.append(",".join(str(v) for v in row.values()) if csv else json.dumps(row, separators=(",", ":")))
    text = "".join(line + "\n" for line in (["card,amount,status,at"] if csv else []) + rows).encode()
    tool = {".gz": ["gzip", "-c"], ".zst": ["zstd", "-qc"], ".lz4": ["lz4", "-qc"]}.get(os.path.splitext(path)[1])
    if tool and not shutil.which(tool[0]):
        tool = None  # what a file is, its content says, not its name
    with open(path, "wb") as f:
        f.write(subprocess.run(tool, input=text, stdout=subprocess.PIPE, check=True).stdout if tool else text)


def content(path):
    if not os.path.exists(path):
        return None
    if path.endswith(".gz"):
        return gzip.open(path).read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    return open(path, "rb").read()


def command(weir, folder, outputs, inputs, how):
    """how: the options of checkpoints; None: no state."""
    line = [weir, "replay", os.path.join(folder, "p.weir"), "--stats", "-q"]
    for stream, path in inputs:
        line += ["--in", f"{stream}={path}"]
    for name, file in outputs.items():
        line += ["--out", f"{name}={os.path.join(folder, file)}"]
    return line + (["--state", os.path.join(folder, "state"), *how] if how is not None else [])


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
        if not shutil.which("zstd"):  # then nobody here can read such a file back
            self.outputs = {n: f.replace(".zst", ".gz") for n, f in self.outputs.items()}
        self.folder = tempfile.mkdtemp(prefix=f"weir-torture-{name}-")
        self.peace = os.path.join(self.folder, "peace")
        self.war = os.path.join(self.folder, "war")
        for folder in (self.peace, self.war):
            os.mkdir(folder)
            open(os.path.join(folder, "p.weir"), "w").write(program)
        self.inputs = []
        files = ["a.jsonl", "b.jsonl" + rng.choice([".gz", ".zst", ".lz4"]), "c.csv" + rng.choice(["", ".gz"])]
        for number, file in enumerate(files):
            stream = "more" if "STREAM more" in program and number != 1 else "ev"
            self.inputs.append((stream, os.path.join(self.folder, file)))
            events(self.inputs[-1][1], rng, count // (1, 3, 2)[number], **shape)
        start = time.time()
        p = subprocess.run(command(WEIR, self.peace, self.outputs, self.inputs, None), capture_output=True, text=True)
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
        self.options = self.rng.choice([["--checkpoint-interval", "1ms"], ["--checkpoint-interval", "1ms"],
                                        ["--checkpoint-rows", str(self.rng.randrange(1, 500))],
                                        ["--checkpoint-interval", "20ms"]])
        if self.rng.random() < 0.6:  # a checkpoint stands between two batches
            self.options = self.options + ["--batch-rows", str(self.rng.choice([7, 20, 64, 200]))]
        # Runs are over before they have taken many checkpoints: some take one after each batch.
        self.each = self.rng.random() < 0.3
        if self.each:
            self.options = ["--batch-rows", str(self.rng.choice([64, 200, 500]))]

    def begin(self, faults):
        """A state in the middle of a run, kept to begin from again and again."""
        self.reset()
        self.options, self.each = ["--batch-rows", "100"], False
        code, out, err = self.run(faults, {"WEIR_CRASH_AT": "published.after_write:6", "WEIR_STATE_TEST": "store"})
        assert code == -signal.SIGKILL, f"exit {code}: {err}"
        self.begun = os.path.join(self.folder, "begun")
        shutil.rmtree(self.begun, ignore_errors=True)
        shutil.copytree(self.war, self.begun)

    def reset_to(self, begun):
        self.reset()
        if begun:
            shutil.rmtree(self.war)
            shutil.copytree(self.begun, self.war)

    def change_white_space(self):
        with open(os.path.join(self.war, "p.weir"), "a") as f:
            f.write(self.rng.choice(["\n", " -- nothing new\n", "\n\n   \n"]))

    def run(self, weir, env=None, kill_after=None, limit=None):
        env = {**os.environ, **({"WEIR_STATE_TEST": "store"} if self.each else {}), **(env or {})}
        p = subprocess.Popen(command(weir, self.war, self.outputs, self.inputs, self.options), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=env, preexec_fn=limit)
        if kill_after is not None:
            try:
                p.wait(kill_after * (10 if self.each else 1))
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

        def disturb(i):
            if i and t.rng.random() < 0.1:
                t.change_white_space()
            return {"weir": WEIR, "kill_after": t.rng.random() * (t.took * 1.3 + 0.02)} if i < budget else None
        done += t.until_done(disturb)
        done += budget == 0
    return done


def power_losses(t, shim, losses):
    """kill -9, then a random part of what was not synced is lost. Some runs end by a sync that fails."""
    log, done = os.path.join(t.folder, "unsynced"), 0
    while done < losses:
        t.reset()
        shutil.rmtree(log, ignore_errors=True)
        os.mkdir(log)
        budget = t.rng.randrange(1, 6)
        for i in range(budget + 1):
            env = power.environment(shim, t.war, WEIR_SHIM_LOG=log) if i < budget else None
            fails = env is not None and t.rng.random() < 0.3
            if fails:
                env["WEIR_SHIM_FAIL"] = str(t.rng.randrange(1, 40))
            elif env and t.rng.random() < 0.6:
                env["WEIR_SHIM_KILL"] = str(t.rng.randrange(1, 150))
            code, out, err = t.run(WEIR, env, t.rng.random() * (t.took * 4 + 0.05) if env else None)
            if code == 0:
                t.check(err)
                break
            assert env and (code == -signal.SIGKILL or (fails and code in (7, 6) and err.strip())), f"exit {code}: {err}"
            done += 1
            power.lose(t.war, log, t.rng)
    return done


def full_disks(t, count):
    """No file may grow past a limit that is met somewhere on the way; then there is room again."""
    def limited(size):
        def set_limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return set_limit

    for _ in range(count):
        t.reset()
        size = t.rng.choice([4096, 20000, 70000, 140000, 300000, 600000]) + t.rng.randrange(4096)
        code, out, err = t.run(WEIR, limit=limited(size))
        assert code == 0 or (code > 0 and code != 70 and err.strip()), f"limit {size}: exit {code}: {err}"
        t.until_done(lambda i: None)
    return count


def names_of(weir):
    """The named points of a build with faults; none of one without."""
    return subprocess.run([weir, "version", "--crash-points"], capture_output=True, text=True).stdout.split()


def crash_points(t, faults, share):
    names, count = names_of(faults), 0
    assert names, "this build knows no crash points"
    for name in names if not share else t.rng.sample(names, 8):
        for n in (1, 1, 2, 2, t.rng.randrange(3, 9)) if not share else (1, t.rng.randrange(1, 4)):
            t.reset_to(count % 2)
            t.until_done(lambda i: {"weir": faults, "env": {"WEIR_CRASH_AT": f"{name}:{n}"}} if i == 0 else None)
            count += 1
    return count


def failing_calls(t, faults, kind, limit, begun):
    """Calls fail, one in each run, up to the last that the run makes: all of them, or a sample of so many (below 1000).
    begun: of a run that goes on from the middle, with more published than its checkpoint holds."""
    count, n, most = 0, 0, 0
    step = {"store": 12, "file": 4, "alloc": 180}[kind] if limit < 20 else 0
    while count < limit or limit >= 1000:
        n += 1 + (t.rng.randrange(2 * (n // 10 + 1) + step) if limit < 1000 else 0)
        t.reset_to(begun)
        t.options, t.each = ["--checkpoint-rows", "700"], False
        code, out, err = t.run(faults, env={"WEIR_FAIL_AT": f"{kind}:{n}"})
        if code < 0 or code == 70 or "Sanitizer" in err:
            raise AssertionError(f"{kind}:{n}: exit {code}: {err}")
        if code == 0:
            t.check(err)
            most += 1
            if most == 3:  # not met any more; one alone may be a failure that did not matter
                return count
            continue
        most = 0
        assert err.strip(), f"{kind}:{n}: exit {code} without a word"
        t.until_done(lambda i: None)
        count += 1
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=1500)
    parser.add_argument("--fails", type=int, default=60, help="failing calls of each kind and scenario, with --faults; 1000: all of them")
    parser.add_argument("--only", default="")
    parser.add_argument("--faults", default="")
    args = parser.parse_args()
    names = [n for n in SCENARIOS if args.only in n]
    passed = failed = 0
    print(f"seed {args.seed}")
    for name in names:
        t = Torture(name, random.Random(f"{args.seed} {name}"), args.events)
        try:
            share = (args.kills + len(names) - 1) // len(names)
            kills = random_kills(t, share - share // 4)
            losses = power_losses(t, power.build(t.folder), share // 4)
            print(f"  {name}: {kills} kills at random moments, {losses} losses of power, {full_disks(t, 1 + share // 20)} full disks: "
                  "the same bytes")
            passed += 3
            if args.faults or names_of(WEIR):  # a build with faults: a share of them also where nobody asks
                faults = os.path.abspath(args.faults) if args.faults else WEIR
                t.begin(faults)
                print(f"  {name}: killed at {crash_points(t, faults, not args.faults)} named points, the same bytes")
                for kind in ("store", "file", "alloc"):
                    limit = args.fails if args.faults else 3
                    n = [failing_calls(t, faults, kind, limit, begun) for begun in (False, True)]
                    print(f"  {name}: {n[0]} failing calls ({kind}) from the beginning, {n[1]} from the middle: nothing lost")
                passed += 2
            shutil.rmtree(t.folder)
        except AssertionError as e:
            failed += 1
            print(f"FAIL {name} (--seed {args.seed}; files are in {t.folder}): {e}")
    print(f"passed={passed} failed={failed} skipped=0")
    sys.exit(1 if failed else 0)


main()
