"""Random cases for the reference, and the forms of the language that occur in them."""
import random

import reference as ref
from program import Case

LETTERS = "abcde"
ROWS_ALONE = 1000000  # seeds from here on: mostly conditions that read the row alone, for the matchers that want them

# ---- Random cases ------------------------------------------------------------------------------------------------


def random_pattern(r, names, depth, timed=False):
    """timed: with NOT, absences, bounds and UNTIL in it."""
    pick = r.random()
    if depth == 0 or pick < 0.30:
        node = ("absent", r.choice("pq"), r.choice([1, 2, 3, 5])) if timed and r.random() < 0.15 else ("var", r.choice(names))
    elif pick < 0.72:
        node = random_sequence(r, names, depth, timed)
    elif pick < 0.86:
        node = ("alt", [random_pattern(r, names, depth - 1, timed) for _ in range(r.randint(2, 3))])
    elif pick < 0.89:
        node = ("empty",)
    elif pick < 0.91:
        node = ("perm", [random_pattern(r, names, 0) for _ in range(r.randint(2, 3))])
    elif pick < 0.93:
        node = ("and", [random_pattern(r, names, 0) for _ in range(r.randint(2, 3))])
    elif pick < 0.95:
        node = ("hide", random_pattern(r, names, depth - 1, timed))
    elif pick < 0.97:
        node = ("seq", [(None, ("begin",)), (" ", random_pattern(r, names, depth - 1))])
    elif pick < 0.985:
        node = ("seq", [(None, random_pattern(r, names, depth - 1, timed)), (" ", ("end",))])
    else:
        node = ("var", r.choice(names))
    if r.random() < 0.38:
        least, most = r.choice([(0, 1), (0, None), (1, None), (2, None), (2, 2), (1, 2), (0, 2), (2, 3), (3, None)])
        mode = r.choice([True] * 6 + [False] * 3 + ["possessive"] * 2)
        arrow = r.choice([" ", " ", " ", "->", "->", ("->", [], *r.choice([(1, None), (None, 3), (1, 6)]))])
        node = ("rep", node, least, most, mode, arrow)
        if timed and r.random() < 0.3:
            node += ("u",)
    return node


def random_sequence(r, names, depth, timed):
    items = [(None, random_pattern(r, names, depth - 1, timed))]
    for _ in range(r.randint(1, 2)):
        child = random_pattern(r, names, depth - 1, timed)
        arrow = r.choice([" ", "->"])
        if timed and r.random() < 0.5:
            before = any(node[0] not in ("empty", "begin", "absent") for _, node in items)
            nots = [(r.random() < 0.5, v) for v in r.choice(["p", "p", "q", "pq"])] if before and r.random() < 0.4 else []
            bounds = r.choice([(None, None), (1, None), (None, 3), (2, 6)]) if arrow == "->" and child[0] != "absent" else (None, None)
            arrow = (arrow, nots, *bounds)
        items.append((arrow, child))
    return ("seq", items)


def random_timed(r, names, within):
    """A flat sequence with NOT, absences, bounds and UNTIL between parts that take rows."""
    def part():
        node = random_pattern(r, names, r.randint(0, 2))
        if node[0] == "rep" and r.random() < 0.4:
            node += ("u",)
        return node

    items = [(None, part())]
    for _ in range(r.randint(1, 3)):
        pick = r.random()
        if pick < 0.3:
            items.append(("->", ("absent", r.choice("pq"), r.choice([1, 2, 3, 5, 8]))))
            if r.random() < 0.5:
                continue
        nots = [(r.random() < 0.5, r.choice("pq"))] if r.random() < 0.4 and items[0][1][0] != "empty" else []
        arrow = r.choice([" ", "->", "->"])
        low, high = r.choice([(None, None), (None, None), (1, None), (None, 3), (2, 6)]) if arrow == "->" else (None, None)
        items.append(((arrow, nots, low, high), part()))
    if within and r.random() < 0.15:
        items.append((r.choice(["->", " "]), ("absent", r.choice("pq"), None)))
    if r.random() < 0.2:
        items = [(None, ("absent", r.choice("pq"), r.choice([1, 3, 6]))), ("->", items[0][1])] + items[1:]
    return ("seq", items)


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
    if pick < 0.70:
        return ("nav", r.choice(["first", "last"]), var, r.choice([0, 1, 2]), r.choice([0, 0, *steps]), "n")
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
    if pick < 0.70:
        return ("cmp", r.choice(["=", "<>"]), ("cls", r.choice(names + [None])), ("const", r.choice(names)[0]))
    return ("cmp", r.choice(["<", "<=", ">", ">=", "=", "<>"]), ("col", "n"), random_operand(r, names, own, steps))


def random_measures(r, names, steps):
    result = []
    for _ in range(r.randint(0, 3)):
        var = r.choice(names + [None])
        pick = r.random()
        if pick < 0.55:
            x = ("nav", r.choice(["first", "last"]), var, r.choice([0, 0, 1, 2]), r.choice(steps), r.choice(["n", "bit"]))
        elif pick < 0.75:
            x = ("cls", r.choice(names + [None]))
        else:
            x = ("agg", r.choice(["sum", "min", "max", "count", "count*"]), var, "n")
        result.append((r.choice(["", "FINAL", "RUNNING"]) if x[0] != "cls" else "", x))
    return result


def random_query(r, names, streams):
    within = r.choice([None, None, 5, 10, 20, 40])
    source = r.choice(streams)
    if r.random() < (0.3 if len(source) > 1 else 0.02):
        names = names + [r.choice(source)]  # a variable that names a stream is a row of it
    kind = r.choice(["plain", "plain", "flat", "timed"])
    if kind == "flat":
        pattern = random_timed(r, names, within)
    else:
        pattern = random_pattern(r, names, r.randint(1, 3), kind == "timed")
    used = sorted(ref.variables(pattern))
    if not used or is_absence_behind_end(pattern):
        return None
    if True in ref.ends_under_not(pattern):
        within = within or r.choice([5, 10, 20, 40])  # else it is refused
    letters = [v for v in used if len(v) == 1]
    subsets = ["".join(letters[i:i + 2]) for i in range(len(letters) - 1)] if r.random() < 0.3 else []
    steps = r.choice([[], [], [], [-1], [-1, -2], [-2, 1], [1, 2], [-1, 3]])
    read = used + subsets
    define, of = {}, {}
    for v in used:
        if r.random() < 0.85:
            define[v] = random_condition(r, read, v, steps)
    for v in sorted(ref.forbidden(pattern)):
        define[v] = random_condition(r, read, r.choice(used), steps)
    for v in set(used) - set(letters):
        define[v] = ("cmp", "=", ("col", "of"), ("const", v))
    if len(source) > 1:
        for v in sorted(set(define) - set(source)):
            if r.random() < 0.5:
                of[v] = r.choice(source)
                define[v] = ("and", ("cmp", "=", ("col", "of"), ("const", of[v])), define[v])
    define["u"] = ("cmp", "=", ("col", "s"), ("const", "e"))
    p = {"pattern": pattern, "define": define, "within": within, "from": source, "of": of, "subsets": subsets,
         "keyed": r.random() < 0.8, "skip": r.choice(["past", "past", "next"])}
    if r.random() < 0.25:
        p["skip"] = (r.choice(["first", "last"]), r.choice(read))
    p["spelt"] = r.random() < 0.5  # what may be left out is said: LAST, SHOW EMPTY MATCHES
    p["timeouts"] = r.choice([True, "all"]) if within and r.random() < 0.3 else False
    p["rows"] = r.choice([None] * (1 if is_hiding(pattern) else 5) + ["show", "omit"] + ["unmatched"] * (not is_hiding(pattern)))
    p["measures"] = random_measures(r, read, r.choice([[0, 0, -1, -2], [0, 0, 1, 2, -1]])) if r.random() < 0.6 else []
    p["number"] = r.random() < 0.3
    ahead = any(s > 0 for s in steps)
    p["steps"] = r.choice([None, None, (1, 1), (2, 1), (1, 3)]) if not p["rows"] else None
    if not ahead and r.random() < 0.5:
        p["steps"] = None
        waits = any(m[0] == "nav" and m[4] > 0 for _, m in p["measures"])  # for rows that it shows
        p["decided"] = p["rows"] != "unmatched" and not waits and r.random() < 0.5
        if r.random() < 0.4 and not waits:
            p["suppress"] = r.choice([1, 3, 8, 20]) if p["rows"] in (None, "show") else None
        if r.random() < 0.5:
            p["limit"] = (r.randint(1, 3), r.choice(["DROP OLDEST", "DROP NEW", "FAIL"]))
    return p


def is_absence_behind_end(node):
    """No rule says what an absence behind the key's last row is."""
    text = ref.text_of(node)
    return "FOR" in text[text.find("$"):] * ("$" in text)


def is_hiding(node):
    return "hide" in kinds(node)


def random_rows(r, stream, keys, bit, delay):
    t, rows = 1000, []
    for _ in range(r.randint(0, 14)):
        t += r.choice([0, 0, 1, 1, 2, 3, 8])
        at = t - (r.randint(0, 14) if delay or r.random() < 0.05 else 0)
        rows.append({"k": r.choice(keys), "s": r.choice(LETTERS + (LETTERS[:2])) if r.random() > 0.04 else None,
                     "n": r.randint(0, 9) if r.random() > 0.1 and stream == "ev" else None, "bit": bit, "t": at, "of": stream})
        bit *= 2
    return rows


def read_rows_alone(r, p):
    """Makes it one for the matchers that want conditions on the row alone, and no more of a key than its starts."""
    for v in sorted(set(p["define"]) - set(ref.UNTIL) - set(p["from"])):
        p["define"][v] = row_condition(r)
    p["steps"], p["number"], p["timeouts"], p["measures"] = None, False, False, []
    p.pop("suppress", None)


def make_plain(r, p, names):
    """Makes it a fixed sequence with NOT and absences, for the matcher of those."""
    items = [(None, ("var", r.choice(names)))]
    for _ in range(r.randint(1, 4)):
        nots = [(False, r.choice("pq"))] if r.random() < 0.3 else []
        if r.random() < 0.4:
            items.append((("->", nots, None, None), ("absent", r.choice("pq"), r.choice([1, 2, 3, 5, 8]))))
        else:
            items.append(((r.choice([" ", "->", "->"]), nots, None, None), ("var", r.choice(names))))
    if p["within"] and r.random() < 0.3:
        items.append(("->", ("absent", r.choice("pq"), None)))
    if r.random() < 0.3:
        items = [(None, ("absent", r.choice("pq"), r.choice([1, 3, 6]))), ("->", items[0][1])] + items[1:]
    p["pattern"] = ("seq", items)
    p["subsets"], p["rows"], p["skip"] = [], None, r.choice(["past", "next"])
    p.pop("limit", None)
    used = ref.variables(p["pattern"]) | ref.forbidden(p["pattern"])
    p["define"] = {v: c for v, c in p["define"].items() if v in used or v in ref.UNTIL}  # of names of streams none is used
    for v in sorted(used - set(p["define"])):
        p["define"][v] = row_condition(r)


def row_condition(r):
    return ("cmp", r.choice(["=", "=", "<>", "<=", ">"]), ("col", "s"), ("const", r.choice(LETTERS)))


def random_limits(r, patterns):
    """([(setting, how many)], policy) of limits on all patterns; mostly none."""
    if r.random() > 0.12 or any(p.get("timeouts") and looks_ahead(p) or looks_ahead(p) for p in patterns):
        return [], None
    limits = r.choice([["max_starts_per_key"], ["max_starts_per_pattern"], ["max_keys"], ["max_starts_per_pattern", "max_keys"]])
    fails = limits == ["max_starts_per_key"] and len(patterns) == 1 and r.random() < 0.2
    return [(name, r.randint(1, 2 if name == "max_keys" else 3)) for name in limits], "fail" if fails else r.choice(["drop_oldest", "drop_new"])


def looks_ahead(p):
    """Does a condition look at rows behind its own?"""
    return any((x[0] == "step" and x[2] > 0) or (x[0] == "nav" and x[4] > 0) for c in p["define"].values() for x in operands(c))


def random_case(seed):
    r = random.Random(seed)
    names = ["a", "b", "c", "d"][:r.randint(2, 4)]
    several = r.random() < 0.25
    streams = [["ev"], ["ev", "ew"], ["ew", "ev"]] if several else [["ev"]]
    patterns = [p for p in (random_query(r, names, streams) for _ in range(r.randint(1, 3))) if p]
    alone = random.Random(-seed - 1)
    for p in patterns:
        if seed >= ROWS_ALONE and alone.random() < 0.8 and not p.get("of"):
            read_rows_alone(alone, p)
            if alone.random() < 0.4:
                make_plain(alone, p, names)
    if not patterns:
        patterns.append({"pattern": ("var", "a"), "define": {}, "keyed": True, "skip": "past", "within": None, "from": ["ev"]})
    failing = [p for p in patterns if (p.get("limit") or (0, ""))[1] == "FAIL"]
    patterns = failing[:1] or patterns  # its end is everybody's
    delay = {"ev": r.choice([0, 0, 3, 10]), "ew": r.choice([0, 3])}
    keys = r.choice([["x"], ["x", "y"], ["x", "y", None]])
    files, bit = [], 1
    for stream in r.choice([["ev"], ["ev"], ["ev", "ev"]]) + (["ew"] if several else []):
        files.append((stream, random_rows(r, stream, keys, bit, delay[stream])))
        bit <<= len(files[-1][1])
    return Case(files, delay, patterns, *random_limits(random.Random(-seed - 2), patterns))


# ---- Forms ---------------------------------------------------------------------------------------------------------

FORMS = """all rows show|all rows omit|all rows unmatched|empty match|empty match shown|empty match omitted|unmatched row|subset|
subset in a condition|prev|next|first|last|first offset|last offset|prev of first|prev of last|next of first|next of last|
classifier|classifier of a variable|classifier in a condition|match number|final|running|skip past|skip next|skip to first|skip to last|
skip error|permute|any order|exclusion|row left out|begin|end|possessive +|possessive {}|possessive ?|possessive arrow|not next|not between|
not before an optional element|absence last|absence inside|absence first|absence in a loop|absence in a branch|trailing not|bound low|bound high|
bound both|bounds in a loop|until|timeouts|all timeouts|timed out|suppress|suppressed|limit DROP OLDEST|limit DROP NEW|limit FAIL|
dropped by limit|failed by limit|max_starts_per_key|max_starts_per_pattern|max_keys|dropped by max_starts_per_key|
dropped by max_starts_per_pattern|dropped by max_keys|several streams|variable of a stream|variable that names a stream|late|equal times|
watermark delay|out of order|decided|decided by a moment|decided by the end|within|reluctant|arrow in a loop|nullable loop""".replace("\n", "").split("|")


def kinds(node, around=()):
    """Of all that stands in a pattern. around: kinds of the nodes that it stands in."""
    found = {node[0]} - {"absent"}
    inner = around + (node[0],)
    if node[0] == "seq":
        for at, (connector, child) in enumerate(node[1]):
            found |= kinds(child, inner)
            found |= kinds_of_connector(connector, child, ref.is_empty(child))
            if child[0] == "absent":
                found.add("trailing not" if child[2] is None else "absence first" if at == 0 and "seq" not in around and "rep" not in around
                          else "absence last" if at == len(node[1]) - 1 else "absence inside")
    elif node[0] in ref.MANY:
        found |= set().union(*(kinds(child, inner) for child in node[1]))
    elif node[0] == "rep":
        found |= kinds(node[1], inner)
        arrow = node[5] != " "
        if node[4] == "possessive":
            found.add("possessive " + ("?" if node[2:4] == (0, 1) else "+" if node[2:4] in ((0, None), (1, None)) else "{}"))
            found |= {"possessive arrow"} if arrow else set()
        found |= {"bounds in a loop"} if isinstance(node[5], tuple) else {"arrow in a loop"} if arrow else set()
        found |= {"until"} if len(node) > 6 else set()
        found |= {"reluctant"} if node[4] is False else set()
        found |= {"nullable loop"} if ref.is_empty(node[1]) and node[2] > 0 else set()
    elif node[0] == "hide":
        found |= kinds(node[1], inner)
    elif node[0] == "absent":
        found |= ({"absence in a loop"} if "rep" in around else set()) | ({"absence in a branch"} if "alt" in around else set())
    return found


def kinds_of_connector(connector, child, optional):
    _, nots, low, high = ref.parts_of(connector)
    found = {"not next" if next_only else "not between" for next_only, _ in nots}
    found |= {"not before an optional element"} if nots and optional and child[0] != "absent" else set()
    if (low, high) != (None, None):
        found.add("bound low" if high is None else "bound high" if low is None else "bound both")
    return found


def operands(x):
    return [x] + [y for part in x[1:] if isinstance(part, tuple) for y in operands(part)] if isinstance(x, tuple) else []


def forms_of_operands(p):
    found = set()
    in_conditions = [y for c in p["define"].values() for y in operands(c)]
    for x in in_conditions + [y for _, m in p.get("measures", []) for y in operands(m)]:
        by = x[2] if x[0] == "step" else x[4] if x[0] == "nav" else 0
        step = "prev" if by < 0 else "next"
        if x[0] == "nav":
            found |= {x[1]} | ({f"{step} of {x[1]}"} if by else set()) | ({f"{x[1]} offset"} if x[3] else set())
        else:
            found |= {step} if by else {x[0]} if x[0] in ("first", "last") else set()
        found |= {"classifier of a variable" if x[1] else "classifier"} if x[0] == "cls" else set()
    if any(x[0] == "cls" for x in in_conditions):
        found.add("classifier in a condition")
    if any(x[0] in ("first", "last", "cls") and x[1] in p.get("subsets", []) or x[0] in ("nav", "agg") and x[2] in p.get("subsets", [])
           for x in in_conditions):
        found.add("subset in a condition")
    return found


def forms_of_pattern(case, i, rows, counters):
    """The forms that occur in a pattern, its rows and its results."""
    p = case.patterns[i]
    names = {"perm": "permute", "and": "any order", "hide": "exclusion"}
    found = {names.get(k, k) for k in kinds(p["pattern"])} | forms_of_operands(p)
    flags = {"all rows " + (p.get("rows") or ""): p.get("rows"), "subset": p.get("subsets"), "match number": p.get("number"),
             "suppress": p.get("suppress"), "several streams": len(p["from"]) > 1, "variable of a stream": p.get("of"),
             "variable that names a stream": ref.variables(p["pattern"]) & set(p["from"]),
             "decided": p.get("decided"), "within": p["within"], "timeouts": p.get("timeouts") is True,
             "all timeouts": p.get("timeouts") == "all", "classifier": p.get("rows"),
             "watermark delay": any(case.delay[s] for s in p["from"])}
    found |= {name for name, there in flags.items() if there}
    found.add("skip " + (p["skip"] if isinstance(p["skip"], str) else "to " + p["skip"][0]))
    found |= {"limit " + p["limit"][1]} if p.get("limit") else set()
    found |= {mode.lower() for mode, _ in p.get("measures", [])}
    found |= {name for name, _ in case.limits}
    reasons = {"limit": "dropped by limit", "FAIL": "failed by limit", "W3010": "skip error", "W3011": "skip error"}
    for of, reason in counters:
        if of == f"p{i}":
            found.add("dropped by " + reason if reason.startswith("max_") else reasons.get(reason, reason))
    return found | forms_of_rows(case, p) | forms_of_results(case, i, rows)


def forms_of_rows(case, p):
    found = set()
    for stream, rows in case.files:
        if stream in p["from"]:
            times = [r["t"] for r in rows]
            found |= {"equal times"} if len(set(times)) < len(times) else set()
            late = len(ref.in_order([(0, case.delay[stream], rows)])[1])
            found |= {"out of order"} if times != sorted(times) and late < sum(a > b for a, b in zip(times, times[1:])) else set()
    return found


def forms_of_results(case, i, rows):
    p = case.patterns[i]
    mine = [out for name, out in rows if name == f"o{i}"]
    found = {"timed out"} if any(out.get("status") == "timeout" for out in mine) else set()
    if any(t.matched and not t.rows for t in case.told[i]):
        found |= {"empty match"} | {f"empty match {w}" for w in ["shown"] * (p.get("rows") == "show") + ["omitted"] * (p.get("rows") == "omit")}
    if p.get("rows") and any(hidden for t in case.told[i] for _, _, hidden in t.rows):
        found.add("row left out")
    if p.get("rows") == "unmatched" and sum(out["var"] is None for out in mine) > sum(not t.rows for t in case.told[i]):
        found.add("unmatched row")
    if p.get("decided"):
        found |= {"decided by the end" if t.at_end else "decided by a moment" for t in case.told[i]
                  if t.at_end or t.decided not in [r["t"] for _, rows in case.files for r in rows]}
    return found


def forms_of(case):
    """(the forms that occur in a case, those of them that occur in patterns which give a result)."""
    used, giving = set(), set()
    rows, counters = case.expected()
    for i in range(len(case.patterns)):
        found = forms_of_pattern(case, i, rows, counters)
        used |= found
        if any(name == f"o{i}" for name, _ in rows) or "failed by limit" in found or "empty match omitted" in found:
            giving |= found
    return used, giving
