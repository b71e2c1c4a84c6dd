#!/usr/bin/env python3
"""Random patterns over random rows: the engine against the reference, and against itself.

    WEIR=build/weir run.py [--seed N] [--count N]      a range of seeds; each is one program of several patterns

Every program runs four times: as it is, with batches of one row, with all state saved and loaded after every batch, and with the
general matcher forced. All must give the same bytes, and the matches of the reference. A failure is shrunk and printed as a
program and its input.
"""
import argparse, concurrent.futures, json, os, random, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reference as ref

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
VARIANTS = [[], ["--batch-rows", "1"], ["--batch-rows", "2", "--state-test"], ["--matcher", "general"]]
LETTERS = "abcde"

# ---- Programs as text ----------------------------------------------------------------------------------------


def sql_operand(x):
    kind = x[0]
    if kind == "col":
        return x[1]
    if kind == "const":
        return repr(x[1]).replace('"', "'") if isinstance(x[1], str) else str(x[1])
    if kind == "add":
        return f"{sql_operand(x[1])} + {sql_operand(x[2])}"
    name = (lambda c: c if x[-2] is None else f"{x[-2]}.{c}")
    if kind == "last":
        return f"LAST({name(x[2])})" if x[1] is None else f"{x[1]}.{x[2]}"
    if kind == "first":
        return f"FIRST({name(x[2])})"
    if kind == "step":
        column = x[3] if x[1] is None else f"{x[1]}.{x[3]}"
        return f"{'PREV' if x[2] < 0 else 'NEXT'}({column}, {abs(x[2])})"
    _, fn, var, column = x
    if fn == "count*":
        return "COUNT(*)" if var is None else f"COUNT({var}.*)"
    return f"{fn.upper()}({name(column)})"


def sql(c):
    kind = c[0]
    if kind == "cmp":
        return f"{sql_operand(c[2])} {c[1]} {sql_operand(c[3])}"
    if kind == "isnull":
        return f"{sql_operand(c[1])} IS NULL"
    if kind == "not":
        return f"NOT ({sql(c[1])})"
    return f"({sql(c[1])} {kind.upper()} {sql(c[2])})"


class Case:
    """One stream (its files), its delay, and several patterns over it."""

    def __init__(self, files, delay, patterns):
        self.files, self.delay, self.patterns = files, delay, patterns

    def program(self):
        delay = f" - {self.delay}ms" if self.delay else ""
        text = ["CREATE STREAM ev (k STRING, s STRING, n BIGINT, bit BIGINT, at TIMESTAMP,"
                f" WATERMARK FOR at AS at{delay});"]
        for i, p in enumerate(self.patterns):
            names = sorted(ref.variables(p["pattern"]))
            timeouts = " WITH TIMEOUTS" if p.get("timeouts") else ""
            lines = [f"PATTERN p{i} FROM ev" + (" PARTITION BY k" if p["keyed"] else ""),
                     "MATCH " + ref.text_of(p["pattern"]) + (f" WITHIN {p['within']}ms" if p["within"] else "") + timeouts
                     + (" SKIP TO NEXT ROW" if p["skip"] == "next" else "")]
            define = [f"{v} AS {sql(c)}" for v, c in sorted(p["define"].items()) if v not in ref.UNTIL]
            if define:
                lines.append("DEFINE " + ", ".join(define))
            select = (["k"] if p["keyed"] else []) + ["COUNT(*) AS rows", "FIRST(bit) AS first_row"]
            if p.get("steps"):
                select += [f"PREV(FIRST(bit), {p['steps'][0]}) AS before", f"NEXT(LAST(bit), {p['steps'][1]}) AS behind"]
            if timeouts:
                select.append("MATCH_STATUS() AS status")
            for v in names:
                select += [f"SUM({v}.bit) AS {v}_bits", f"COUNT({v}.*) AS {v}_rows", f"AVG({v}.n) AS {v}_avg"]
            lines.append("SELECT " + ", ".join(select))
            lines.append(f"INTO o{i};")
            text.append(f"CREATE STREAM o{i};")
            text.append("\n".join(lines))
        return "\n".join(text) + "\n"

    def expected(self):
        rows = ref.in_order(self.files, self.delay)
        end = rows[-1]["t"] if rows else 0
        result = []
        for i, p in enumerate(self.patterns):
            names = sorted(ref.variables(p["pattern"]))
            keys = []
            for row in rows:
                key = row["k"] if p["keyed"] else 0
                if key not in keys:
                    keys.append(key)
            for key in keys:
                mine = [r for r in rows if not p["keyed"] or r["k"] == key]
                for _, taken, whole in ref.matches(p["pattern"], p["define"], mine, p["within"], p["skip"],
                                                   p.get("timeouts"), end):
                    out = {"k": key} if p["keyed"] else {}
                    if p.get("timeouts"):
                        out["status"] = "matched" if whole else "timeout"
                    bound = [(v, mine[j]) for j, v in taken]
                    out["rows"] = len(taken)
                    out["first_row"] = mine[taken[0][0]]["bit"] if taken else None
                    if p.get("steps"):
                        before, behind = p["steps"]
                        out["before"] = ref.stepped(mine, mine[taken[0][0]], -before, "bit") if taken else None
                        out["behind"] = ref.stepped(mine, mine[taken[-1][0]], behind, "bit") if taken else None
                    for v in names:
                        of = [r for name, r in bound if name == v]
                        ns = [r["n"] for r in of if r["n"] is not None]
                        out[f"{v}_bits"] = sum(r["bit"] for r in of) if of else None
                        out[f"{v}_rows"] = len(of)
                        out[f"{v}_avg"] = sum(ns) / len(ns) if ns else None
                    result.append((f"o{i}", out))
        return result

    def write(self, folder):
        with open(os.path.join(folder, "p.weir"), "w") as f:
            f.write(self.program())
        inputs = []
        for n, rows in enumerate(self.files):
            path = os.path.join(folder, f"ev{n}.jsonl")
            with open(path, "w") as f:
                for row in rows:
                    f.write(json.dumps({"k": row["k"], "s": row["s"], "n": row["n"], "bit": row["bit"], "at": row["t"]}) + "\n")
            inputs += ["--in", f"ev={path}"]
        return inputs

    def run(self, folder, extra):
        inputs = self.write(folder)
        p = subprocess.run([WEIR, "replay", "-q", "--tag", os.path.join(folder, "p.weir"), *inputs, *extra],
                           capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr


def canonical(rows):
    return sorted(json.dumps(r, sort_keys=True) for r in rows)


def verdict(case, folder):
    """None when all is well, else what is wrong."""
    want = canonical([name, {k: float(v) if k.endswith("_avg") and v is not None else v for k, v in out.items()}]
                     for name, out in case.expected())
    plain = None
    for extra in VARIANTS:
        code, out, err = case.run(folder, extra)
        if code != 0:
            return f"weir {' '.join(extra)}: exit {code}\n{err}"
        got = []
        for line in out.splitlines():
            (name, row), = json.loads(line).items()
            got.append([name, {k: float(v) if k.endswith("_avg") and v is not None else v for k, v in row.items()}])
        if canonical(got) != want:
            missing = [w for w in want if w not in canonical(got)]
            extra_rows = [g for g in canonical(got) if g not in want]
            return (f"weir {' '.join(extra)}: other matches than the reference\n  missing: {missing[:6]}\n"
                    f"  not expected: {extra_rows[:6]}\n  {len(want)} expected, {len(got)} found")
        if plain is None:
            plain = out
        elif out != plain:
            return f"weir {' '.join(extra)}: other bytes (order) than without it\n  {plain!r}\n  {out!r}"
    return None


# ---- Random cases ------------------------------------------------------------------------------------------------


def random_pattern(r, names, depth):
    pick = r.random()
    if depth == 0 or pick < 0.30:
        node = ("var", r.choice(names))
    elif pick < 0.72:
        count = r.randint(2, 3)
        node = ("seq", [(None if i == 0 else r.choice([" ", "->"]), random_pattern(r, names, depth - 1)) for i in range(count)])
    elif pick < 0.86:
        node = ("alt", [random_pattern(r, names, depth - 1) for _ in range(r.randint(2, 3))])
    elif pick < 0.89:
        node = ("empty",)
    else:
        node = ("var", r.choice(names))
    if r.random() < 0.38:
        least, most = r.choice([(0, 1), (0, None), (1, None), (2, None), (2, 2), (1, 2), (0, 2), (2, 3), (3, None)])
        node = ("rep", node, least, most, r.random() < 0.7, r.choice([" ", " ", "->"]))
    return node


def is_empty(node):
    """May the pattern match no row?"""
    if node[0] == "seq":
        return all(is_empty(child) for _, child in node[1])
    if node[0] == "alt":
        return any(is_empty(child) for child in node[1])
    return node[0] == "empty" or (node[0] == "rep" and (node[2] == 0 or is_empty(node[1])))


def is_firm(node):
    """Is its first element one that is never left out? (NOT and bounds in front of others: compiler's cases.)"""
    if node[0] == "seq":
        return is_firm(node[1][0][1])
    if node[0] == "alt":
        return all(is_firm(child) for child in node[1])
    return node[0] == "var" or (node[0] == "rep" and node[2] > 0 and is_firm(node[1]))


def random_timed(r, names, within):
    """A sequence with NOT, absences, bounds and UNTIL between parts that take rows."""
    def part():
        while True:
            node = random_pattern(r, names, r.randint(0, 2))
            if not is_empty(node) and is_firm(node):
                break
        if node[0] == "rep" and len(node) == 6 and r.random() < 0.4:
            node += ("u",)
        return node

    items = [(None, part())]
    for _ in range(r.randint(1, 3)):
        pick = r.random()
        if pick < 0.3:
            items.append(("->", ("absent", r.choice("pq"), r.choice([1, 2, 3, 5, 8]))))
            if r.random() < 0.5:
                continue
        nots = [(r.random() < 0.5, r.choice("pq"))] if r.random() < 0.4 else []
        arrow = r.choice([" ", "->", "->"])
        low, high = r.choice([(None, None), (None, None), (1, None), (None, 3), (2, 6)]) if arrow == "->" else (None, None)
        items.append(((arrow, nots, low, high), part()))
    if within and r.random() < 0.15:
        items.append(("->", ("absent", r.choice("pq"), None)))
    node = ("seq", items)
    return ("lead", r.choice("pq"), r.choice([1, 3, 6]), node) if r.random() < 0.2 else node


def random_operand(r, names, own, steps):
    pick = r.random()
    var = r.choice(names + [own, None])
    if steps and pick < 0.3:
        return ("step", r.choice([None, None] + names), r.choice(steps), "n")
    if pick < 0.35:
        return ("const", r.randint(0, 9))
    if pick < 0.55:
        return ("last", var, "n") if var else ("col", "n")
    if pick < 0.65:
        return ("first", var, "n")
    if pick < 0.75:
        return ("add", ("last", r.choice(names), "n"), ("const", r.randint(-2, 3)))
    fn = r.choice(["sum", "avg", "min", "max", "count", "count*"])
    return ("agg", fn, var, "n")


def random_condition(r, names, own, steps=(), depth=1):
    pick = r.random()
    if depth and pick < 0.25:
        return (r.choice(["and", "and", "or"]), random_condition(r, names, own, steps, depth - 1), random_condition(r, names, own, steps, depth - 1))
    if depth and pick < 0.30:
        return ("not", random_condition(r, names, own, steps, depth - 1))
    if pick < 0.62:
        return ("cmp", r.choice(["=", "=", "=", "<>", "<="]), ("col", "s"), ("const", r.choice(LETTERS)))
    if pick < 0.66:
        return ("isnull", ("col", "n"))
    return ("cmp", r.choice(["<", "<=", ">", ">=", "=", "<>"]), ("col", "n"), random_operand(r, names, own, steps))


def random_case(seed):
    r = random.Random(seed)
    names = ["a", "b", "c", "d"][:r.randint(2, 4)]
    patterns = []
    for _ in range(r.randint(1, 4)):
        within = r.choice([None, None, 5, 10, 20, 40])
        timed = r.random() < 0.5
        pattern = random_timed(r, names, within) if timed else random_pattern(r, names, r.randint(1, 3))
        used = sorted(ref.variables(pattern))
        if not used:
            continue
        steps = r.choice([[], [], [-1], [-1, -2], [-2, 1], [1, 2], [-1, 3]])
        define = {}
        for v in used:
            if r.random() < 0.85:
                define[v] = random_condition(r, used, v, steps)
        for v in sorted(ref.forbidden(pattern)):
            define[v] = random_condition(r, used, r.choice(used), steps)
        define["u"] = ("cmp", "=", ("col", "s"), ("const", "e"))
        patterns.append({"pattern": pattern, "define": define, "keyed": r.random() < 0.8, "skip": r.choice(["past", "past", "next"]),
                         "within": within,
                         "steps": r.choice([None, None, (1, 1), (2, 1), (1, 3)]), "timeouts": bool(timed and within and r.random() < 0.3)})
    if not patterns:
        patterns.append({"pattern": ("var", "a"), "define": {}, "keyed": True, "skip": "past", "within": None})
    delay = r.choice([0, 0, 3, 10])
    keys = r.choice([["x"], ["x", "y"], ["x", "y", None]])
    bit, files = 1, []
    for _ in range(r.choice([1, 1, 1, 2])):
        t, rows = 1000, []
        for _ in range(r.randint(0, 14)):
            t += r.choice([0, 0, 1, 1, 2, 3, 8])
            at = t - (r.randint(0, 14) if delay or r.random() < 0.05 else 0)
            rows.append({"k": r.choice(keys), "s": r.choice(LETTERS + (LETTERS[:2])) if r.random() > 0.04 else None,
                         "n": r.randint(0, 9) if r.random() > 0.1 else None, "bit": bit, "t": at})
            bit *= 2
        files.append(rows)
    return Case(files, delay, patterns)


# ---- Shrinking -----------------------------------------------------------------------------------------------------


def smaller_patterns(node):
    kind = node[0]
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
    elif kind == "rep":
        yield node[1]
        for s in smaller_patterns(node[1]):
            yield (kind, s) + node[2:]
    elif kind == "lead":
        yield node[3]
        for s in smaller_patterns(node[3]):
            yield node[:3] + (s,)


def smaller(case):
    for i in range(len(case.patterns)):
        if len(case.patterns) > 1:
            yield Case(case.files, case.delay, [case.patterns[i]])
    if len(case.files) > 1:
        for i in range(len(case.files)):
            yield Case([case.files[i]], case.delay, case.patterns)
    for f, rows in enumerate(case.files):
        for i in range(len(rows)):
            yield Case(case.files[:f] + [rows[:i] + rows[i + 1:]] + case.files[f + 1:], case.delay, case.patterns)
    if len(case.patterns) == 1:
        p = case.patterns[0]
        for s in smaller_patterns(p["pattern"]):
            if ref.variables(s):
                keep = ref.variables(s) | ref.forbidden(s) | {"u"}
                define = {v: c for v, c in p["define"].items() if v in keep and mentions(c) <= keep}
                yield Case(case.files, case.delay, [dict(p, pattern=s, define=define)])
        for v in p["define"]:
            yield Case(case.files, case.delay, [dict(p, define={k: c for k, c in p["define"].items() if k != v})])
            if p["define"][v][0] in ("and", "or", "not"):
                for part in p["define"][v][1:]:
                    yield Case(case.files, case.delay, [dict(p, define=dict(p["define"], **{v: part}))])
        if p.get("steps"):
            yield Case(case.files, case.delay, [dict(p, steps=None)])
        if p["within"]:
            yield Case(case.files, case.delay, [dict(p, within=None, timeouts=False)])
        if p["keyed"]:
            yield Case(case.files, case.delay, [dict(p, keyed=False)])
    if case.delay:
        yield Case(case.files, 0, case.patterns)


def mentions(c):
    if not isinstance(c, tuple):
        return set()
    own = {c[1]} if c[0] in ("last", "first", "step") and c[1] else {c[2]} if c[0] == "agg" and c[2] else set()
    return own.union(*(mentions(x) for x in c[1:])) if len(c) > 1 else own


def shrink(case, folder):
    wrong = verdict(case, folder)
    for _ in range(400):
        for candidate in smaller(case):
            try:
                w = verdict(candidate, folder)
            except (ref.TooMany, subprocess.TimeoutExpired, IndexError, TypeError):
                continue  # the last two: a pattern that begins with an absence, or has one without an end
            if w and ("exit" in w) == ("exit" in wrong):
                case, wrong = candidate, w
                break
        else:
            break
    return case, wrong


def report(seed, case, wrong):
    text = [f"seed {seed}: {wrong}", "--- program", case.program()]
    for n, rows in enumerate(case.files):
        text.append(f"--- ev, file {n}")
        text += [json.dumps({"k": x["k"], "s": x["s"], "n": x["n"], "bit": x["bit"], "at": x["t"]}) for x in rows]
    return "\n".join(text)


def one(seed):
    case = random_case(seed)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        try:
            wrong = verdict(case, folder)
        except ref.TooMany:
            return "skip", ""
        except subprocess.TimeoutExpired:
            return "fail", report(seed, case, "weir took more than 60 s")
        if not wrong:
            return "ok", ""
        case, wrong = shrink(case, folder)
        return "fail", report(seed, case, wrong)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--count", type=int, default=int(os.environ.get("REFERENCE_COUNT", "3000")))
    a.add_argument("--failures", type=int, default=5, help="stop after so many")
    args = a.parse_args()
    ok = bad = beyond = 0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count() or 2) as pool:
        for kind, text in pool.map(one, range(args.seed, args.seed + args.count), chunksize=8):
            ok += kind == "ok"
            beyond += kind == "skip"
            bad += kind == "fail"
            if text:
                print(text, flush=True)
            if bad >= args.failures:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    if beyond:
        print(f"{beyond} cases had too many candidates for brute force and were not compared")
    print(f"passed={ok} failed={bad} skipped=0")


if __name__ == "__main__":
    main()
