#!/usr/bin/env python3
"""A run dies with more published than its checkpoint holds; then the same program, a changed one, one without an output go on.

Killed before each of so many writes in a row (shim.c), with a checkpoint after every batch, so that every place between
two checkpoints is met: also those where the journal of published positions is ahead. From each of them:
  same       the same program comes to the bytes of a run in peace
  cut        with lines lost that had been published, a changed program: the old one writes them again first
  refused    a changed condition is refused, yet the old program has first run on to what it had published; when that one
             comes back, the bytes are those of a run in peace
  loss       --accept-loss: what the old program had published stays, then come the results of the new one over the rest
  fewer      a program that lacks an output goes on with the others; what stands in the one that is left stays
No published line is lost, none comes twice.
"""
import gzip, json, os, random, shutil, struct, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import power

WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(TOP, "build/weir")))
PLACES = range(60, 90)  # which write the process dies before: some three checkpoints, with what lies between
STREAM = """CREATE STREAM ev (k STRING, n BIGINT, at TIMESTAMP, WATERMARK FOR at AS at) WITH (timestamp_unit = 'ms');
CREATE STREAM out;
PATTERN p FROM ev PARTITION BY k MATCH a -> b WITHIN 1s
DEFINE a AS n > %d, b AS n < 30 SELECT k, a.n AS x, b.n AS y, b.at AS at INTO out;
"""
OTHER = "CREATE STREAM other;\nINSERT INTO other SELECT k, n FROM ev WHERE n > 90;\n"
PROGRAMS = {"old": STREAM % 50 + OTHER, "changed": STREAM % 60 + OTHER, "fewer": STREAM % 50}


FILES = {"out": "out.jsonl", "other": "other.jsonl.gz"}  # one that can be cut anywhere, one that cannot


def run(folder, program, *more, env=None, input="ev.jsonl"):
    outputs = [f"{n}={FILES[n]}" for n in (["out", "other"] if "other" in PROGRAMS[program] else ["out"])]
    line = [WEIR, "replay", os.path.join(folder, "..", program + ".weir"), "--in", f"ev=../{input}", "-q", "--stats", *more]
    for output in outputs:
        line += ["--out", output]
    p = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60,
                       env={**os.environ, "WEIR_STATE_TEST": "", "WEIR_BATCH_ROWS": "", **(env or {})})
    return p.returncode, p.stderr


def weir(folder, program, *more, code=0, **how):
    got, err = run(folder, program, *more, **how)
    assert got == code, f"{program}: exit {got}, wanted {code}: {err}"
    return err


def read(*path):
    path = os.path.join(*path)
    return (gzip.open if path.endswith(".gz") else open)(path, "rb").read()


def number(data, at):
    """LEB128."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def published(folder):
    """Positions of the newest slot of the journal; in the order of the outputs that `weir state ls` lists."""
    data, newest = read(folder, "state/published"), (-1, [])
    for at in (0, 65536):
        if len(data) < at + 9:
            continue
        _, at = number(data, at + 8)
        sequence = struct.unpack_from("<Q", data, at + 8)[0]
        count, at = number(data, at + 16)
        newest = max(newest, (sequence, [struct.unpack_from("<Q", data, at + 24 * i + 8)[0] for i in range(count)]))
    return newest[1]


def checkpoint(folder):
    p = subprocess.run([WEIR, "state", "ls", "state", "--json"], cwd=folder, capture_output=True, text=True, check=True)
    state = json.loads(p.stdout)
    return {o["name"]: o["bytes"] for o in state["outputs"]}, sum(i["rows"] for i in state["inputs"])


def copy_of(folder, name):
    to = os.path.join(os.path.dirname(folder), name)
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    return to


def from_here(top, dead, peace, counted):
    """dead: the folder as the kill left it."""
    before, _ = checkpoint(dead)
    counted["ahead"] += any(p > b for p, b in zip(published(dead), before.values()))

    same = copy_of(dead, "same")
    weir(same, "old", "--state", "state")
    assert {f: read(same, f) for f in peace} == peace, "the same program comes to other bytes"

    cut = copy_of(dead, "cut")  # a loss of power took what was published beyond the checkpoint: it is written again
    os.truncate(os.path.join(cut, FILES["out"]), before["out"])
    weir(cut, "changed", "--state", "state", code=5)
    assert all(b >= p for p, b in zip(published(dead), checkpoint(cut)[0].values())), "cut off lines do not come again"
    weir(cut, "old", "--state", "state")
    assert {f: read(cut, f) for f in peace} == peace, "after lines were cut off there are other bytes"

    refused = copy_of(dead, "refused")
    told = weir(refused, "changed", "--state", "state", code=5)
    assert "--accept-loss" in told, told
    positions, rows = checkpoint(refused)
    assert all(b >= p for p, b in zip(published(dead), positions.values())), "the old program did not run on to what it had published"
    for file in peace:
        name = file.partition(".")[0]
        assert read(refused, file) == peace[file][: positions[name]], f"{file} is not what the old program gives"
    weir(refused, "old", "--state", "state")
    assert {f: read(refused, f) for f in peace} == peace, "back with the old program there are other bytes"

    loss = copy_of(dead, "loss")
    weir(loss, "changed", "--state", "state", "--accept-loss")
    with open(os.path.join(top, "rest.jsonl"), "wb") as f:
        f.writelines(read(top, "ev.jsonl").splitlines(True)[rows:])
    fresh = os.path.join(top, "fresh")
    os.makedirs(fresh, exist_ok=True)
    weir(fresh, "changed", input="rest.jsonl")
    for file in peace:
        wanted = peace[file][: positions[file.partition(".")[0]]] + read(fresh, file)
        assert read(loss, file) == wanted, f"{file}: not the old lines and then those of the new program"

    fewer = copy_of(dead, "fewer")
    weir(fewer, "fewer", "--state", "state")
    assert read(fewer, "out.jsonl") == peace["out.jsonl"], "with an output less the other differs"
    assert read(fewer, FILES["other"]) == peace[FILES["other"]][: positions["other"]], "the output that is left was changed"
    counted["places"] += 1


def failing_calls(top, dead):
    """In a build with faults: calls fail, one in each take-over; what goes on behind it comes to what it comes to without."""
    loss = copy_of(dead, "loss")
    weir(loss, "changed", "--state", "state", "--accept-loss")
    wanted, count = {f: read(loss, f) for f in FILES.values()}, 0
    for kind, step in (("store", 9), ("file", 1), ("alloc", 61)):
        n = clean = 0
        while clean < 3:
            n += step if "--all" not in sys.argv else 1
            loss = copy_of(dead, "loss")
            code, err = run(loss, "changed", "--state", "state", "--accept-loss", env={"WEIR_FAIL_AT": f"{kind}:{n}"})
            assert code in (0, 6, 7) and (code == 0 or "weir: " in err) and "Sanitizer" not in err, f"{kind}:{n}: exit {code}: {err}"
            clean = clean + 1 if code == 0 else 0
            count += code != 0
            weir(loss, "changed", "--state", "state", "--accept-loss")
            assert {f: read(loss, f) for f in wanted} == wanted, f"{kind}:{n}: something was lost or came twice"
    return count


def main():
    top = tempfile.mkdtemp(prefix="weir-upgrade-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    shim, r = power.build(top), random.Random(1)
    counted, failed = {"ahead": 0, "places": 0}, 0
    with open(os.path.join(top, "ev.jsonl"), "w") as f:
        for i in range(400):
            f.write(json.dumps({"k": f"c{r.randrange(5)}", "n": r.randrange(100), "at": i * 10}) + "\n")
    for name, text in PROGRAMS.items():
        open(os.path.join(top, name + ".weir"), "w").write(text)
    for folder in ("peace", "dead"):
        os.mkdir(os.path.join(top, folder))
    weir(os.path.join(top, "peace"), "old")
    peace = {f: read(top, "peace", f) for f in FILES.values()}
    dead, ahead = os.path.join(top, "dead"), None
    has_faults = "store.after_commit" in subprocess.run([WEIR, "version", "--crash-points"], capture_output=True, text=True).stdout
    for place in PLACES:
        try:
            shutil.rmtree(dead)
            os.mkdir(dead)
            env = power.environment(shim, dead, WEIR_SHIM_KILL=str(place))
            weir(dead, "old", "--state", "state", "--batch-rows", "7", code=-9, env=dict(env, WEIR_STATE_TEST="store"))
            was = counted["ahead"]
            from_here(top, dead, peace, counted)
            if counted["ahead"] > was:
                ahead = copy_of(dead, "ahead")
        except AssertionError as e:
            failed += 1
            print(f"FAIL killed before write {place}: {e}")
    if has_faults and not failed:
        try:
            print(f"{failing_calls(top, ahead)} calls that failed while a changed program took over, nothing lost")
        except AssertionError as e:
            failed += 1
            print(f"FAIL {e}")
    if not counted["ahead"]:
        failed += 1
        print("FAIL the journal was never ahead of the checkpoint: nothing was tested")
    print(f"{counted['places']} places, {counted['ahead']} of them with the journal ahead of the checkpoint")
    if not failed:
        shutil.rmtree(top)
    print(f"passed={counted['places']} failed={failed} skipped=0")
    sys.exit(1 if failed else 0)


main()
