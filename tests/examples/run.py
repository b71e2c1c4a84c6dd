#!/usr/bin/env python3
"""The examples and the manual give what they are said to give: tests, recordings, the library in a program of one's own."""
import collections, glob, json, os, shlex, shutil, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import case, equal, finish

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
FLIGHTS = os.path.join(TOP, "examples", "flights")
RECORDING = os.path.join(FLIGHTS, "flights-2013-01-02.jsonl.zst")
EXAMPLES = sorted(os.path.dirname(p) for p in glob.glob(os.path.join(TOP, "examples", "*", "*.weir")))


def first_difference(got, want):
    for n, (a, b) in enumerate(zip(got.splitlines() + ["(nothing)"], want.splitlines() + ["(nothing)"]), 1):
        if a != b:
            return f"line {n}: came {a}, expected {b}"
    return f"{len(got)} bytes came, {len(want)} were expected"


def replay(*args):
    p = subprocess.run([WEIR, "replay", "--stats", *args], capture_output=True, text=True, timeout=120)
    assert p.returncode == 0, p.stderr
    return p.stdout


def rows_of(program, folder):
    path = os.path.join(folder, "p.weir")
    with open(path, "w") as f:
        f.write(program)
    return [json.loads(line) for line in replay("-q", path, "--in", "flights=" + RECORDING).splitlines()]


@case
def the_tests_of_examples_and_manual_pass(folder):
    """Copied first: nothing here may write into the checkout."""
    for name in ("examples", "docs"):
        shutil.copytree(os.path.join(TOP, name), os.path.join(folder, name))
    shutil.copy(os.path.join(TOP, "README.md"), folder)
    p = subprocess.run([WEIR, "test", "--state-store", "examples", "docs", "README.md"], capture_output=True, text=True, timeout=300, cwd=folder)
    assert p.returncode == 0, "\n".join(l for l in p.stdout.splitlines() if not l.startswith("ok ")) + p.stderr
    tested = {line.split()[1].split(":")[0] for line in p.stdout.splitlines() if line.startswith("ok ")}
    want = {os.path.relpath(p, TOP) for p in glob.glob(os.path.join(TOP, "examples", "*", "*.wtest"))}
    equal(want - tested, set())
    equal(len(want), len(EXAMPLES))
    assert {"docs/patterns.md", "docs/time.md", "docs/testing.md"} <= tested, tested


@case
def failures_look_as_the_manual_shows_them(folder):
    """Each ```failure of docs/testing.md is, byte for byte, what the case above it gives; the page is in its layout."""
    page = os.path.join(TOP, "docs", "testing.md")
    p = subprocess.run([WEIR, "test", "--json", "docs/testing.md"], capture_output=True, text=True, timeout=120, cwd=TOP)
    came = [c["text"] for c in json.loads(p.stdout)["cases"] if c["verdict"] == "XFAIL"]
    with open(page) as f:
        shown = [part.split("```\n")[0] for part in f.read().split("```failure\n")[1:]]
    equal(len(came), len(shown))
    for a, b in zip(came, shown):
        assert a == b, f"{first_difference(a, b)}\n{a}"
    equal(subprocess.run([WEIR, "fmt", "--check", page], capture_output=True, timeout=60).returncode, 0)


@case
def programs_of_the_manual_check_and_what_it_calls_refused_is(folder):
    docs = [os.path.join(TOP, "docs"), os.path.join(TOP, "README.md"), os.path.join(TOP, "examples")]
    p = subprocess.run([WEIR, "check", *docs], capture_output=True, text=True, timeout=60)
    assert p.returncode == 0, p.stderr
    with open(os.path.join(TOP, "docs", "patterns.md")) as f:
        refused = [part.split("```")[0] for part in f.read().split("```sql ignore\n")[1:]]
    assert refused
    for program in refused:
        p = subprocess.run([WEIR, "check", "-"], input=program, capture_output=True, text=True, timeout=60)
        assert p.returncode == 3 and "W0901" in p.stderr and "error[W0901]" == p.stderr[:12], program + p.stderr


@case
def examples_stand_in_the_canonical_layout(folder):
    """The flights too, but for their program: its line numbers are shown in the README."""
    files = [p for p in glob.glob(os.path.join(TOP, "examples", "*", "*.wtest")) + glob.glob(os.path.join(TOP, "examples", "*", "*.weir"))
             if not p.endswith("flights.weir")]
    p = subprocess.run([WEIR, "fmt", "--check", *files], capture_output=True, text=True, timeout=60)
    assert p.returncode == 0, p.stdout + p.stderr


@case
def replays_write_what_is_expected(folder):
    """The command is the one that the example's README shows."""
    for example in EXAMPLES:
        name = os.path.basename(example)
        here = os.path.join(folder, name)
        shutil.copytree(example, here)
        with open(os.path.join(here, "README.md")) as f:
            commands = [line.split(None, 1)[1] for line in f if line.startswith("    weir replay ")]
        equal((name, len(commands)), (name, 1))
        p = subprocess.run([WEIR, *shlex.split(commands[0])], capture_output=True, text=True, timeout=120, cwd=here)
        assert p.returncode == 0, f"{name}: {p.stderr}"
        with open(os.path.join(here, "expected.jsonl")) as f:
            wanted = f.read()
        assert p.stdout == wanted, f"{name}: {first_difference(p.stdout, wanted)}"


@case
def a_recording_in_two_files_gives_the_same(folder):
    """Sessions and silences do not depend on which file a row came from."""
    for name, stream, recording in (("web_sessions", "views", "views.jsonl"), ("iot_silence", "readings", "readings.jsonl"),
                                    ("stuck_order", "orders", "orders.jsonl")):
        example = os.path.join(TOP, "examples", name)
        with open(os.path.join(example, recording)) as f:
            lines = f.readlines()
        halves = [os.path.join(folder, f"{name}{i}.jsonl") for i in (0, 1)]
        for i, path in enumerate(halves):
            with open(path, "w") as f:
                f.writelines(lines[i::2])
        got = replay("-q", os.path.join(example, name + ".weir"), *sum((["--in", f"{stream}={p}"] for p in halves), []))
        with open(os.path.join(example, "expected.jsonl")) as f:
            equal(sorted(got.splitlines()), sorted(f.read().splitlines()))


@case
def the_recording_has_the_rows_that_its_readme_says(folder):
    declaration = open(os.path.join(FLIGHTS, "flights.weir")).read().split(");")[0] + ");\n"
    rows = rows_of(declaration + "SELECT status, tail FROM flights;\n", folder)
    equal(len(rows), 51955)
    equal(sum(r["tail"] is None for r in rows), 601)
    equal(collections.Counter(r["status"] for r in rows), {"flown": 51955 - 1782 - 164, "cancelled": 1782, "departed": 164})


@case
def late_rows_are_as_many_as_the_readme_says(folder):
    for patience, late in (("6h", 186), ("4h", 6446)):
        program = ("CREATE STREAM flights (at TIMESTAMP, WATERMARK FOR at AS at - " + patience + ");\nCREATE STREAM behind;\n"
                   "PATTERN p FROM flights MATCH a b WITHIN 1s LATE INTO behind DEFINE a AS FALSE SELECT a.at AS at;\n")
        rows = [r for r in rows_of(program, folder) if "behind" in r]
        equal(len(rows), late)


@case
def hours_storms_and_delays_agree_with_the_rows(folder):
    """The windows against counts made here from the rows that a plain query gives."""
    out = {name: os.path.join(folder, name + ".jsonl") for name in ("travelling_delays", "storms", "departures", "too_late")}
    replay("-q", os.path.join(FLIGHTS, "flights.weir"), "--in", "flights=" + RECORDING,
           *sum((["--out", f"{name}={path}"] for name, path in out.items()), []))
    got = {name: [json.loads(line) for line in open(path)] for name, path in out.items()}
    declaration = open(os.path.join(FLIGHTS, "flights.weir")).read().split(");")[0] + ");\n"
    rows = rows_of(declaration + "SELECT at, origin, status, tail, delay, arrival_delay FROM flights;\n", folder)
    hours = collections.Counter((r["origin"], r["at"][:13]) for r in rows)
    hours.subtract(collections.Counter((r["origin"], r["at"][:13]) for r in got["too_late"]))
    equal({(r["origin"], r["hour"][:13]): r["scheduled"] for r in got["departures"]}, {k: n for k, n in hours.items() if n})
    assert len(got["too_late"]) < 186  # the others found their hour still open
    assert all(r["flights"] >= 10 for r in got["storms"]) and len(got["storms"]) > 0
    assert all(r["further_flights"] >= 2 and r["began_with"] >= 60 for r in got["travelling_delays"])
    delayed = {(r["tail"], r["at"]) for r in rows if (r["delay"] or 0) >= 60 and (r["arrival_delay"] or 0) >= 60}
    assert all((r["tail"], r["since"]) in delayed for r in got["travelling_delays"])


@case
def the_library_runs_in_a_program_of_ones_own(folder):
    if any(f"/{mode}/" in WEIR for mode in ("asan", "ubsan", "tsan", "hostile", "fuzz")):
        return  # a sanitizer's library wants the sanitizer's own flags; the plain build shows what an embedder does
    library = os.path.join(os.path.dirname(WEIR), "libweir.a")
    if not os.path.exists(library):
        library = os.path.join(os.path.dirname(WEIR), "release", "libweir.a")
    program, data = os.path.join(folder, "embed"), os.path.join(folder, "payments.jsonl")
    flags = os.environ.get("WEIR_LINK", "-llmdb -pthread -lsimdjson -lstdc++ -lpcre2-8 -lzstd -llz4 -lz -ljansson -lm").split()
    sanitize = next((f"-fsanitize={s}" for m, s in (("/asan/", "address"), ("/ubsan/", "undefined"), ("/tsan/", "thread"),
                                                    ("/hostile/", "address,undefined")) if m in library), None)
    subprocess.run(["cc", "-I", TOP, "-o", program, os.path.join(TOP, "examples", "embed.c"), library, *flags]
                   + ([sanitize] if sanitize else []), check=True, capture_output=True)
    with open(data, "w") as f:
        f.write('{"card":"a","amount":501,"at":1}\n{"card":"b","amount":500,"at":2}\n')
    p = subprocess.run([program, data], capture_output=True, text=True)
    equal((p.returncode, p.stdout), (0, '{"card":"a","amount":501}\n'))


finish()
