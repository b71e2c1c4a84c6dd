#!/usr/bin/env python3
"""Random patterns over random rows: the engine against the reference, and against itself.

    WEIR=build/weir run.py [--seed N] [--count N]      a range of seeds; each is one program of several patterns

Every program runs several times: as it is, with batches of one row, with all state saved and loaded after every batch, and with
each matcher forced that is right for a pattern. All must give the same bytes, and the matches of the reference. A failure is shrunk and printed as a
program and its input. What was dropped, late and held back is compared too. A long run also counts the forms of the language
that occurred, and fails when one never did.
"""
import argparse, collections, concurrent.futures, datetime, json, os, re, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate
import reference as ref
from program import Case

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
VARIANTS = [[], ["--batch-rows", "1", "--executor", "batch"], ["--batch-rows", "2", "--state-test"],
            ["--matcher", "general"], ["--matcher", "group,general", "--executor", "row"],
            ["--matcher", "group,general", "--batch-rows", "3", "--state-test"]]

ROWS_ALONE_COUNT = 400  # cases of that kind in a run of no seed

# ---- One case ------------------------------------------------------------------------------------------------------


def run(case, folder, extra):
    inputs = case.write(folder)
    p = subprocess.run([WEIR, "replay", "-q", "--stats", "--tag", os.path.join(folder, "p.weir"), *inputs, *extra],
                       capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout, p.stderr


def moment(time):
    """In µs, of a number of ms or a text of weir."""
    if isinstance(time, str):
        since = datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
        return round(since.total_seconds() * 1e6)
    return round(time * 1000)


def canonical(case, rows):
    """Rows as sorted texts. Under WITH ALL TIMEOUTS ways that show the same are one."""
    every = {f"o{i}" for i, p in enumerate(case.patterns) if p.get("timeouts") == "all"}
    texts = []
    for name, row in rows:
        row = {k: float(v) if k.endswith("_avg") and v is not None else v for k, v in row.items()}
        if row.get("decided") is not None:
            row["decided"] = moment(row["decided"])
        texts.append((json.dumps([name, row], sort_keys=True), name in every and row["status"] == "timeout"))
    return sorted([t for t, once in texts if not once] + list({t for t, once in texts if once}))


def counters_of(stats):
    found = {}
    for drop in json.loads(stats.splitlines()[-1])["dropped"]:
        if drop["query"].startswith("p"):
            name = drop["query"], drop["code"] or drop["reason"]
            found[name] = found.get(name, 0) + drop["rows"]
    return found


class Refused(Exception):
    """The compiler does not take the program, and says why."""


REFUSED = {"W0803"}


def verdict(case, folder):
    """None when all is well, else what is wrong."""
    rows, counters = case.expected()
    want = canonical(case, rows)
    fails = any(reason == "FAIL" for _, reason in counters)
    plain = None
    for extra in VARIANTS:
        code, out, err = run(case, folder, extra)
        if code == 3 and any(f"error[{c}]" in err for c in REFUSED):
            raise Refused()
        if fails and code == 7 and "starts of a key are open" in err:
            continue
        if fails or code != 0:
            return f"weir {' '.join(extra)}: exit {code}{', an error is due' if fails else ''}\n{err}"
        got = canonical(case, [next(iter(json.loads(line).items())) for line in out.splitlines()])
        if got != want:
            missing, extra_rows = [w for w in want if w not in got], [g for g in got if g not in want]
            return (f"weir {' '.join(extra)}: other matches than the reference\n  missing: {missing[:6]}\n"
                    f"  not expected: {extra_rows[:6]}\n  {len(want)} expected, {len(got)} found")
        if counters_of(err) != counters:
            return f"weir {' '.join(extra)}: other counters than the reference: {counters} expected, {counters_of(err)} found"
        if plain is None:
            plain = out
        elif out != plain:
            return f"weir {' '.join(extra)}: other bytes (order) than without it\n  {plain!r}\n  {out!r}"
    return None


# ---- Shrinking -----------------------------------------------------------------------------------------------------


def smaller_patterns(node):
    kind = node[0]
    if kind == "absent":
        return
    if kind in ("seq", "alt"):
        children = [c for _, c in node[1]] if kind == "seq" else node[1]
        yield from children
        for i in range(len(children)):
            if len(children) > 2:
                rest = node[1][:i] + node[1][i + 1:]
                if kind == "seq" and i == 0:
                    rest = [(None, rest[0][1])] + rest[1:]
                yield (kind, rest)
            for s in smaller_patterns(children[i]):
                new = (node[1][i][0], s) if kind == "seq" else s
                yield (kind, node[1][:i] + [new] + node[1][i + 1:])
            if kind == "seq" and i and isinstance(node[1][i][0], tuple):
                yield (kind, node[1][:i] + [(node[1][i][0][0], children[i])] + node[1][i + 1:])
    elif kind in ("perm", "and"):
        for i in range(len(node[1])):
            yield node[1][i]
            if len(node[1]) > 2:
                yield (kind, node[1][:i] + node[1][i + 1:])
    elif kind == "hide":
        yield node[1]
        for s in smaller_patterns(node[1]):
            yield (kind, s)
    elif kind == "rep":
        yield node[1]
        if len(node) > 6:
            yield node[:6]
        if node[4] is not True:
            yield node[:4] + (True,) + node[5:]
        if node[5] != " ":
            yield node[:5] + (" ",) + node[6:]
        for s in smaller_patterns(node[1]):
            yield (kind, s) + node[2:]


def smaller(case):
    for i in range(len(case.patterns)):
        if len(case.patterns) > 1:
            yield case.but(patterns=[case.patterns[i]])
    for i in range(len(case.files)):
        rest = case.files[:i] + case.files[i + 1:]
        if case.files[i][0] in [s for s, _ in rest]:
            yield case.but(files=rest)
    for f, (stream, rows) in enumerate(case.files):
        for i in range(len(rows)):
            yield case.but(files=case.files[:f] + [(stream, rows[:i] + rows[i + 1:])] + case.files[f + 1:])
    if len(case.patterns) == 1:
        p = case.patterns[0]
        for s in smaller_patterns(p["pattern"]):
            if ref.variables(s) and (p["within"] or True not in ref.ends_under_not(s)) and not generate.is_absence_behind_end(s):
                keep = ref.variables(s) | ref.forbidden(s) | {"u"}
                if not isinstance(p["skip"], str) and not set(p["skip"][1]) <= ref.variables(s):
                    continue
                keep |= {x for x in p.get("subsets", []) if set(x) <= ref.variables(s)}
                define = {v: c for v, c in p["define"].items() if v in keep and mentions(c) <= keep}
                yield case.but(patterns=[dict(
                    p, pattern=s, define=define, subsets=[x for x in p.get("subsets", []) if x in keep],
                    measures=[m for m in p.get("measures", []) if mentions(m[1]) <= keep])])
        for v in set(p["define"]) - set(p["from"]):
            yield case.but(patterns=[dict(p, define={k: c for k, c in p["define"].items() if k != v})])
            if p["define"][v][0] in ("and", "or", "not") and v not in p.get("of", {}):
                for part in p["define"][v][1:]:
                    yield case.but(patterns=[dict(p, define=dict(p["define"], **{v: part}))])
        for name in ["steps", "rows", "limit", "suppress", "decided", "number", "timeouts"]:
            if p.get(name):
                yield case.but(patterns=[dict(p, **{name: None})])
        for m in p.get("measures", []):
            yield case.but(patterns=[dict(p, measures=[x for x in p["measures"] if x is not m])])
        if p["skip"] != "past":
            yield case.but(patterns=[dict(p, skip="past")])
        if p["within"] and True not in ref.ends_under_not(p["pattern"]):
            yield case.but(patterns=[dict(p, within=None, timeouts=False)])
        if p["keyed"]:
            yield case.but(patterns=[dict(p, keyed=False)])
    if any(case.delay.values()):
        yield case.but(delay=dict.fromkeys(case.delay, 0))
    for i in range(len(case.limits)):
        yield case.but(limits=case.limits[:i] + case.limits[i + 1:])


def mentions(c):
    if not isinstance(c, tuple):
        return set()
    own = {c[1]} if c[0] in ("last", "first", "step", "cls") and c[1] else {c[2]} if c[0] in ("agg", "nav") and c[2] else set()
    return own.union(*(mentions(x) for x in c[1:])) if len(c) > 1 else own


def shrink(case, folder):
    wrong = verdict(case, folder)
    for _ in range(400):
        for candidate in smaller(case):
            try:
                w = verdict(candidate, folder)
            except (ref.TooMany, Refused, AssertionError, subprocess.TimeoutExpired, IndexError, TypeError):
                continue  # the last two: a pattern that begins with an absence, or has one without an end
            if w and ("exit" in w) == ("exit" in wrong):
                case, wrong = candidate, w
                break
        else:
            break
    return case, wrong


def report(seed, case, wrong):
    text = [f"seed {seed}: {wrong}", "--- program", case.program()]
    for n, (stream, rows) in enumerate(case.files):
        text += [f"--- {stream}, file {n}", *case.lines(stream, rows)]
    return "\n".join(text)


def without_skip_to(seed, case, folder):
    """A program that is refused as its SKIP TO is certain to go nowhere: it does go nowhere, and what is left of it is right."""
    _, counters = case.expected()
    asking = [i for i, p in enumerate(case.patterns) if not isinstance(p["skip"], str)]
    nowhere = {i: counters.get((f"p{i}", "W3010"), 0) + counters.get((f"p{i}", "W3011"), 0) for i in asking}
    if all(nowhere[i] < sum(t.matched and bool(t.rows) for t in case.told[i]) for i in asking):
        return "fail", report(seed, case, "refused, though SKIP TO goes on"), ((), ())
    case = case.but(patterns=[dict(p, skip="past" if i in asking else p["skip"]) for i, p in enumerate(case.patterns)])
    wrong = verdict(case, folder)
    if not wrong:
        return "refused", "", generate.forms_of(case)
    case, wrong = shrink(case, folder)
    return "fail", report(seed, case, wrong), ((), ())


def one(seed):
    case = generate.random_case(seed)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        try:
            try:
                wrong = verdict(case, folder)
            except Refused:
                return without_skip_to(seed, case, folder)
        except ref.TooMany:
            return "skip", "", ((), ())
        except AssertionError as e:
            return "fail", report(seed, case, str(e)), ((), ())
        except subprocess.TimeoutExpired:
            return "fail", report(seed, case, "weir took more than 120 s"), ((), ())
        if not wrong:
            return "ok", "", generate.forms_of(case)
        case, wrong = shrink(case, folder)
        return "fail", report(seed, case, wrong), ((), ())


def forms_in(seed):
    """What forms_of says of the seed's case; nothing where brute force would take too long."""
    try:
        return generate.forms_of(generate.random_case(seed))
    except ref.TooMany:
        return (), ()


def tell_forms(used, giving):
    print(f"{'cases':>7} {'results':>7}   form (cases where it occurs, and where a pattern that has it gives a result)")
    for form in generate.FORMS:
        print(f"{used[form]:7} {giving[form]:7}   {form}")


def count_features(seeds, pool):
    """Without the engine: which forms of the language the cases of these seeds have."""
    used, giving = collections.Counter(), collections.Counter()
    for here, there in pool.map(forms_in, seeds, chunksize=8):
        used.update(here)
        giving.update(there)
    tell_forms(used, giving)


def regress():
    """Runs what has been wrong once; (passed, failed)."""
    here = os.path.dirname(os.path.abspath(__file__))
    p = subprocess.run([WEIR, "test", os.path.join(here, "regress.md")], capture_output=True, text=True, timeout=120)
    found = re.search(r"(\d+) passed, (\d+) failed", p.stdout)
    if p.returncode != 0 or not found:
        print(p.stdout + p.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 1)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--seed", type=int, help="from here on; without it from 1, and some of those whose conditions read the row alone")
    a.add_argument("--count", type=int)
    a.add_argument("--failures", type=int, default=5, help="stop after so many")
    a.add_argument("--forms", action="store_true", help="say how many cases each form of the language occurred in")
    a.add_argument("--count-features", action="store_true", help="say that of the cases (2000 if --count is not given), and run nothing")
    a.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="cases at once")
    args = a.parse_args()
    counted = 2000 - (ROWS_ALONE_COUNT if args.seed is None else 0)
    args.count = args.count or (counted if args.count_features else int(os.environ.get("REFERENCE_COUNT", "3000")))
    first = args.seed if args.seed is not None else 1
    seeds = list(range(first, first + args.count))
    if args.seed is None:
        seeds += range(generate.ROWS_ALONE, generate.ROWS_ALONE + ROWS_ALONE_COUNT)
    if args.count_features:
        with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
            count_features(seeds, pool)
        return
    beyond = refused = 0
    ok, bad = regress()
    used, giving = collections.Counter(), collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        for kind, text, seen in pool.map(one, seeds, chunksize=8):
            ok += kind == "ok"
            beyond += kind == "skip"
            bad += kind == "fail"
            refused += kind == "refused"
            used.update(seen[0])
            giving.update(seen[1])
            if text:
                print(text, flush=True)
            if bad >= args.failures:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    if beyond:
        print(f"{beyond} cases had too many candidates for brute force and were not compared")
    if refused:
        print(f"{refused} programs were refused by the compiler, as their SKIP TO is certain to go nowhere, and ran without it")
    if args.forms:
        tell_forms(used, giving)
    never = [form for form in generate.FORMS if not giving[form]]
    if args.count >= 1000 and not bad and (never or refused > args.count / 4):
        print(f"forms that never gave a result: {', '.join(never)}; {refused} programs refused")
        bad += 1
    print(f"passed={ok} failed={bad} skipped=0")


if __name__ == "__main__":
    main()
