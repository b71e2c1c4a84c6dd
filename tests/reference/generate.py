"""Random cases for the reference, and the forms of the language that occur in them."""
import random

import reference as ref
from program import Case

LETTERS = "abcde"
ROWS_ALONE = 1000000  # seeds from here on: mostly conditions that read the row alone, for the matchers that want them

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
    elif pick < 0.91:
        node = ("perm", [random_pattern(r, names, 0) for _ in range(r.randint(2, 3))])
    elif pick < 0.93:
        node = ("and", [random_pattern(r, names, 0) for _ in range(r.randint(2, 3))])
    elif pick < 0.95:
        node = ("hide", random_pattern(r, names, depth - 1))
    elif pick < 0.97:
        node = ("seq", [(None, ("begin",)), (" ", random_pattern(r, names, depth - 1))])
    elif pick < 0.985:
        node = ("seq", [(None, random_pattern(r, names, depth - 1)), (" ", ("end",))])
    else:
        node = ("var", r.choice(names))
    if r.random() < 0.38:
        least, most = r.choice([(0, 1), (0, None), (1, None), (2, None), (2, 2), (1, 2), (0, 2), (2, 3), (3, None)])
        mode = r.choice([True] * 6 + [False] * 3 + ["possessive"] * 2)
        arrow = r.choice([" ", " ", " ", "->", "->", ("->", [], *r.choice([(1, None), (None, 3), (1, 6)]))])
        node = ("rep", node, least, most, mode, arrow)
    return node


def is_firm(node):
    """Is its first element one that is never left out? (NOT and bounds in front of others: compiler's cases.)"""
    if node[0] == "seq":
        return is_firm(node[1][0][1])
    if node[0] in ref.MANY:
        return all(is_firm(child) for child in node[1])
    if node[0] == "hide":
        return is_firm(node[1])
    return node[0] == "var" or (node[0] == "rep" and node[2] > 0 and is_firm(node[1]))


def random_timed(r, names, within):
    """A sequence with NOT, absences, bounds and UNTIL between parts that take rows."""
    def part():
        while True:
            node = random_pattern(r, names, r.randint(0, 2))
            if not ref.is_empty(node) and is_firm(node):
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
    if pick < 0.70:
        return ("nav", r.choice(["first", "last"]), var, r.choice([0, 1, 2]), r.choice([0, 0] + [s for s in steps if s < 0]), "n")
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


def random_measures(r, names, final_only):
    result = []
    for _ in range(r.randint(0, 3)):
        var = r.choice(names + [None])
        pick = r.random()
        if pick < 0.55:
            x = ("nav", r.choice(["first", "last"]), var, r.choice([0, 0, 1, 2]), r.choice([0, 0, -1, -2]), r.choice(["n", "bit"]))
        elif pick < 0.75:
            x = ("cls", r.choice(names + [None]))
        else:
            x = ("agg", r.choice(["sum", "min", "max", "count", "count*"]), var, "n")
        result.append((r.choice(["", "FINAL", "RUNNING"]) if x[0] != "cls" else "", x))
    return result


def random_query(r, names, streams):
    within = r.choice([None, None, 5, 10, 20, 40])
    timed = r.random() < 0.5
    pattern = random_timed(r, names, within) if timed else random_pattern(r, names, r.randint(1, 3))
    used = sorted(ref.variables(pattern))
    text = ref.text_of(pattern)
    if not used or "NOT" in text[text.find("$"):] * ("$" in text):
        return None  # no rule says when an absence behind the key's last row is decided
    subsets = ["".join(used[i:i + 2]) for i in range(len(used) - 1)] if r.random() < 0.3 else []
    steps = r.choice([[], [], [], [-1], [-1, -2], [-2, 1], [1, 2], [-1, 3]])
    read = used + subsets
    define, of = {}, {}
    for v in used:
        if r.random() < 0.85:
            define[v] = random_condition(r, read, v, steps)
    for v in sorted(ref.forbidden(pattern)):
        define[v] = random_condition(r, read, r.choice(used), steps)
    source = r.choice(streams)
    if len(source) > 1:
        for v in list(define):
            if r.random() < 0.5:
                of[v] = r.choice(source)
                define[v] = ("and", ("cmp", "=", ("col", "of"), ("const", of[v])), define[v])
    define["u"] = ("cmp", "=", ("col", "s"), ("const", "e"))
    p = {"pattern": pattern, "define": define, "within": within, "from": source, "of": of, "subsets": subsets,
         "keyed": r.random() < 0.8, "skip": r.choice(["past", "past", "next"])}
    if r.random() < 0.25:
        p["skip"] = (r.choice(["first", "last"]), r.choice(read))
    p["timeouts"] = r.choice([True, "all"]) if within and r.random() < 0.3 else False
    p["rows"] = r.choice([None] * 5 + ["show", "omit"] + ["unmatched"] * (not is_hiding(pattern)))
    p["measures"] = random_measures(r, read, False) if r.random() < 0.6 else []
    p["number"] = r.random() < 0.3
    ahead = any(s > 0 for s in steps)
    if ahead and "end" in kinds(pattern) and "trailing not" in kinds(pattern):
        return None
    if ahead and "end" in kinds(pattern):
        p["within"], p["timeouts"] = None, False  # where rows are looked at later, $ may be known before time is up
    p["steps"] = r.choice([None, None, (1, 1), (2, 1), (1, 3)]) if not p["rows"] else None
    if not ahead and r.random() < 0.5:
        p["steps"] = None
        p["decided"] = p["rows"] != "unmatched" and r.random() < 0.5
        if r.random() < 0.4:
            p["suppress"] = r.choice([1, 3, 8, 20]) if p["rows"] in (None, "show") else None
        if r.random() < 0.5:
            p["limit"] = (r.randint(1, 3), r.choice(["DROP OLDEST", "DROP NEW", "FAIL"]))
    return p


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
    for v in sorted(set(p["define"]) - set(ref.UNTIL)):
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
    p["pattern"] = ("seq", items) if r.random() < 0.7 else ("lead", r.choice("pq"), r.choice([1, 3, 6]), ("seq", items))
    p["subsets"], p["rows"], p["skip"] = [], None, r.choice(["past", "next"])
    p.pop("limit", None)
    used = ref.variables(p["pattern"]) | ref.forbidden(p["pattern"])
    p["define"] = {v: c for v, c in p["define"].items() if v in used or v in ref.UNTIL}
    for v in sorted(used - set(p["define"])):
        p["define"][v] = row_condition(r)


def row_condition(r):
    return ("cmp", r.choice(["=", "=", "<>", "<=", ">"]), ("col", "s"), ("const", r.choice(LETTERS)))


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
    return Case(files, delay, patterns)


# ---- Forms ---------------------------------------------------------------------------------------------------------

FORMS = """all rows show|all rows omit|all rows unmatched|empty match|subset|prev|next|offset|nested|classifier|classifier in a condition|
match number|final|running|skip past|skip next|skip to first|skip to last|skip error|permute|any order|exclusion|begin|end|
possessive +|possessive {}|possessive ?|possessive arrow|not next|not between|absence last|absence inside|absence first|trailing not|
bounds|bounds in a loop|until|timeouts|all timeouts|suppress|suppressed|limit DROP OLDEST|limit DROP NEW|limit FAIL|dropped by limit|
failed by limit|several streams|variable of a stream|late|decided|within|reluctant|arrow in a loop""".replace("\n", "").split("|")


def kinds(node):
    """Of all that stands in a pattern."""
    found = {node[0]}
    if node[0] == "seq":
        found |= set().union(*(kinds(child) for _, child in node[1]))
        for at, (connector, child) in enumerate(node[1]):
            _, nots, low, high = ref.parts_of(connector)
            found |= {"not next" if next_only else "not between" for next_only, _ in nots}
            found |= {"bounds"} if (low, high) != (None, None) else set()
            if child[0] == "absent":
                found.add("trailing not" if child[2] is None else "absence last" if at == len(node[1]) - 1 else "absence inside")
    elif node[0] in ref.MANY:
        found |= set().union(*(kinds(child) for child in node[1]))
    elif node[0] == "lead":
        found |= kinds(node[3])
    elif node[0] == "rep":
        found |= kinds(node[1])
        arrow = node[5] != " "
        if node[4] == "possessive":
            found.add("possessive " + ("?" if node[2:4] == (0, 1) else "+" if node[2:4] in ((0, None), (1, None)) else "{}"))
            found |= {"possessive arrow"} if arrow else set()
        found |= {"bounds in a loop"} if isinstance(node[5], tuple) else {"arrow in a loop"} if arrow else set()
        found |= {"until"} if len(node) > 6 else set()
        found |= {"reluctant"} if node[4] is False else set()
    elif node[0] == "hide":
        found |= kinds(node[1])
    return found


def operands(x):
    return [x] + [y for part in x[1:] if isinstance(part, tuple) for y in operands(part)] if isinstance(x, tuple) else []


def forms_of(case):
    """The forms that occur in a case, of patterns and of results."""
    found = set()
    rows, counters = case.expected()
    for p in case.patterns:
        names = {"perm": "permute", "and": "any order", "hide": "exclusion", "lead": "absence first"}
        found |= {names.get(k, k) for k in kinds(p["pattern"])}
        flags = {"all rows " + (p.get("rows") or ""): p.get("rows"), "subset": p.get("subsets"), "match number": p.get("number"),
                 "suppress": p.get("suppress"), "several streams": len(p["from"]) > 1, "variable of a stream": p.get("of"),
                 "decided": p.get("decided"), "within": p["within"], "timeouts": p.get("timeouts") is True,
                 "all timeouts": p.get("timeouts") == "all", "classifier": p.get("rows")}
        found |= {name for name, there in flags.items() if there}
        found.add("skip " + (p["skip"] if isinstance(p["skip"], str) else "to " + p["skip"][0]))
        found |= {"limit " + p["limit"][1]} if p.get("limit") else set()
        found |= {mode.lower() for mode, _ in p.get("measures", [])}
        for x in [y for c in p["define"].values() for y in operands(c)] + [y for _, m in p.get("measures", []) for y in operands(m)]:
            found |= {"classifier"} if x[0] == "cls" else set()
            by = x[2] if x[0] == "step" else x[4] if x[0] == "nav" else 0
            found |= {"prev"} if by < 0 else {"next"} if by > 0 else set()
            found |= {"offset"} if x[0] == "nav" and x[3] else set()
            found |= {"nested"} if x[0] == "nav" and x[4] else set()
        if any(x[0] == "cls" for c in p["define"].values() for x in operands(c)):
            found.add("classifier in a condition")
    reasons = {"limit": "dropped by limit", "FAIL": "failed by limit", "W3010": "skip error", "W3011": "skip error"}
    found |= {reasons.get(reason, reason) for _, reason in counters}
    found |= {"empty match"} if any(out.get("rows") == 0 for _, out in rows) else set()
    return found
