#!/usr/bin/env python3
"""Runs every test and closes with `N passed, N failed, N skipped`.

run.py --weir PATH [--only WORD]... [--jobs N] UNIT_TEST_BINARY...

Unit tests are cmocka programs that speak TAP. The other suites are Python files of this folder named in SUITES;
each is run with the path of weir in WEIR and prints, as its last line, `passed=N failed=N skipped=N`, before it
what failed. Exit 1 when anything failed, or when something that was to run did not.
"""
import argparse, concurrent.futures, os, re, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
SUITES = ["cases/run.py", "cli/run.py", "cli/wtest_run.py", "cli/mutate_run.py", "cli/why_run.py", "cli/language_run.py", "cli/state_run.py", "conformance/run.py", "reference/run.py", "examples/run.py", "bad_input/run.py",
          "torture/run.py", "torture/programs.py", "torture/beside.py", "torture/upgrade.py", "golden_state/run.py"]

# Run once more in the test mode of state; reference/run.py does so by itself, case by case.
STATE_SUITES = ["cli/run.py", "cli/wtest_run.py", "cli/language_run.py", "cli/state_run.py", "conformance/run.py", "examples/run.py"]


def unit(path):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    p = subprocess.run([path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    ok = len(re.findall(r"^ok \d+", p.stdout, re.M))
    bad = len(re.findall(r"^not ok \d+ (?!# SKIP)", p.stdout, re.M))
    passed_over = len(re.findall(r"^not ok \d+ # SKIP", p.stdout, re.M))  # how cmocka says skip()
    skipped = len(re.findall(r"^ok \d+.*# SKIP", p.stdout, re.M))
    if p.returncode != 0 and bad == 0:
        bad = 1  # it died before it could say so
    return ok - skipped, bad, skipped + passed_over, p.stdout if bad else ""


def suite(path, state_test=False):
    env = None
    if state_test: # examples hold recordings, and the texts of cli speak of batches: those go through memory, and their tests
        env = dict(os.environ, WEIR_STATE_TEST="1", WEIR_BATCH_ROWS="7") # through a store by --state-store
        if path.endswith(("conformance/run.py", "wtest_run.py")):
            env = dict(os.environ, WEIR_STATE_TEST="store", WEIR_BATCH_ROWS="1")
    if state_test == "cold":
        env = dict(os.environ, WEIR_STATE_TEST="cold", WEIR_BATCH_ROWS="1")
    p = subprocess.run([sys.executable, path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    m = re.search(r"^passed=(\d+) failed=(\d+) skipped=(\d+)\s*\Z", p.stdout, re.M)
    if not m:
        return 0, 1, 0, p.stdout + f"\n{path}: no count at its end (exit {p.returncode})\n"
    ok, bad, skipped = map(int, m.groups())
    return ok, bad, skipped, p.stdout[: m.start()] if bad or skipped else ""


def suite_with_keys_out(path):
    """The same with keys out of memory: after every fourth row all, between them those that the rows leave alone."""
    return suite(path.replace(" (keys out of memory)", ""), "cold")


def suite_with_state_test(path):
    """The same with all state saved, dropped and loaded: through a store after every row, or in memory after seven."""
    return suite(path.replace(" (state saved and loaded)", ""), True)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--weir", required=True)
    a.add_argument("--only", action="append", default=[])
    a.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    a.add_argument("units", nargs="*")
    args = a.parse_args()
    os.environ["WEIR"] = os.path.abspath(args.weir)
    work = [(u, unit) for u in args.units] + [(os.path.join(HERE, s), suite) for s in SUITES
                                              if os.path.exists(os.path.join(HERE, s))]
    work += [(os.path.join(HERE, s) + " (state saved and loaded)", suite_with_state_test) for s in STATE_SUITES
             if os.path.exists(os.path.join(HERE, s))]
    work += [(os.path.join(HERE, s) + " (keys out of memory)", suite_with_keys_out) for s in ["conformance/run.py"]]
    if args.only:
        work = [w for w in work if any(word in w[0] for word in args.only)]
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        started = {}
        for path, run in work:
            started[pool.submit(lambda p=path, r=run: (time.time(), r(p)))] = path
        for future in concurrent.futures.as_completed(started):
            begun, (ok, bad, skipped, text) = future.result()
            name = os.path.relpath(started[future], os.path.dirname(HERE))
            print(f"{'FAIL' if bad else 'ok':4} {name}: {ok} passed, {bad} failed, {skipped} skipped "
                  f"({time.time() - begun:.1f} s)", flush=True)
            if text:
                print("".join(f"     {line}\n" for line in text.rstrip().splitlines()), end="", flush=True)
            for i, n in enumerate((ok, bad, skipped)):
                total[i] += n
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    sys.exit(1 if total[1] or not total[0] else 0)


main()
