"""A random case: streams, patterns over them, their text, their input files, and what the reference says of them."""
import json, os

import reference as ref

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
    if kind == "nav":
        _, fn, var, n, by, column = x
        text = f"{fn.upper()}({column if var is None else f'{var}.{column}'}" + (f", {n})" if n else ")")
        return text if not by else f"{'PREV' if by < 0 else 'NEXT'}({text}, {abs(by)})"
    if kind == "cls":
        return f"CLASSIFIER({x[1] or ''})"
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


# ---- Measures: (mode, operand); mode FINAL, RUNNING or '' ----------------------------------------------------------


def measure_text(mode, x):
    text = sql_operand(x)
    if not mode:
        return text
    if x[0] == "nav" and x[4]:
        inner = sql_operand(x[:4] + (0,) + x[5:])
        return text.replace(inner, f"{mode} {inner}")
    return f"{mode} {text}"


def measure(mode, x, taken, at, rows, all_rows):
    """Its value at row number `at` of the match; taken: [(variable, row)]. None for `at`: a match of no row."""
    final = mode == "FINAL" or (not mode and not all_rows)
    bound = taken if final else taken[:at + 1] if at is not None else []
    value = ref.operand(x, bound, bound[-1][1] if bound else None, rows)
    return float(value) if x[0] == "agg" and x[1] == "avg" and value is not None else value


STREAMS = {"ev": ("k", "k STRING, s STRING, n BIGINT, bit BIGINT"), "ew": ("kk", "kk STRING, s STRING, bit BIGINT")}


class Case:
    """Files [(stream, rows)], the delay of each stream, several patterns over them, and limits on each of these:
    [(setting, how many)] and what is done where one is passed."""

    def __init__(self, files, delay, patterns, limits=(), policy=None):
        self.files, self.delay, self.patterns, self.limits, self.policy = files, delay, patterns, list(limits), policy
        self.told = []  # of each pattern, by expected()

    def but(self, **changes):
        """A case that differs in these."""
        own = {name: getattr(self, name) for name in ("files", "delay", "patterns", "limits", "policy")}
        return Case(**{**own, **changes})

    def streams(self):
        return [s for s in STREAMS if s == "ev" or any(s in p["from"] for p in self.patterns)]

    def program(self):
        text = [f"SET {name} = {most};" for name, most in self.limits]
        text += [f"SET on_limit = '{self.policy}';"] if self.limits else []
        for s in self.streams():
            delay = f" - {self.delay[s]}ms" if self.delay[s] else ""
            text.append(f"CREATE STREAM {s} ({STREAMS[s][1]}, at TIMESTAMP, WATERMARK FOR at AS at{delay});")
        for i, p in enumerate(self.patterns):
            text += [f"CREATE STREAM o{i};", self.pattern_text(i, p)]
        return "\n".join(text) + "\n"

    @staticmethod
    def key_of(p):
        return "k" if len(p["from"]) == 1 else "key"

    def pattern_text(self, i, p):
        several = len(p["from"]) > 1
        lines = [f"PATTERN p{i} FROM " + (f"({', '.join(p['from'])})" if several else p["from"][0])]
        if p["keyed"]:
            lines[0] += " PARTITION BY " + (f"({', '.join(f'{s}.{STREAMS[s][0]}' for s in p['from'])})" if several else "k")
        skip = {"past": " AFTER MATCH SKIP PAST LAST ROW", "next": " AFTER MATCH SKIP TO NEXT ROW"}.get(p["skip"])
        if skip is None:
            which, name = p["skip"]
            skip = f" AFTER MATCH SKIP TO {'FIRST ' if which == 'first' else 'LAST ' if p.get('spelt') else ''}{name}"
        rows = {"show": " ALL ROWS PER MATCH" + " SHOW EMPTY MATCHES" * bool(p.get("spelt")), "omit": " ALL ROWS PER MATCH OMIT EMPTY MATCHES",
                "unmatched": " ALL ROWS PER MATCH WITH UNMATCHED ROWS"}.get(p.get("rows"), "")
        options = ((f" WITHIN {p['within']}ms" if p["within"] else "")
                   + {"all": " WITH ALL TIMEOUTS", True: " WITH TIMEOUTS"}.get(p.get("timeouts"), "")
                   + (f" SUPPRESS {p['suppress']}ms" if p.get("suppress") else "")
                   + (f" LIMIT {p['limit'][0]} STARTS PER KEY ON LIMIT {p['limit'][1]}" if p.get("limit") else ""))
        lines.append(f"MATCH {ref.text_of(p['pattern'])}{skip}{options}")
        if p.get("subsets"):
            lines.append("SUBSET " + ", ".join(f"{s} = ({', '.join(s)})" for s in p["subsets"]))
        define = []
        for v, c in sorted(p["define"].items()):
            if v in ref.UNTIL or v in p["from"]:
                continue
            source = p.get("of", {}).get(v)
            own = c[2] if source else c  # ('and', is of the stream, c)
            define.append(v + (f" FROM {source}" if source else "") + f" AS {sql(own)}")
        if define:
            lines.append("DEFINE " + ", ".join(define))
        if p.get("rows"):
            lines[1:2] = [(rows + skip).strip(), f"PATTERN ({ref.text_of(p['pattern'])}){options}"]
            return self.long_text(i, p, lines)
        lines.append("SELECT " + ", ".join(self.select(p)) + f"\nINTO o{i};")
        return "\n".join(lines)

    def long_text(self, i, p, lines):
        """MATCH_RECOGNIZE, whose result has the columns of the stream beside its measures."""
        source, _, key = lines[0].partition(" FROM ")[2].partition(" PARTITION BY ")
        own = [m for m in self.select(p) if m not in ("bit", self.key_of(p))]
        names = ([self.key_of(p)] if p["keyed"] else []) + [m.rpartition(" AS ")[2] for m in own] + ["bit"]
        inner = ([f"PARTITION BY {key}"] if key else []) + ["ORDER BY at", "MEASURES " + ", ".join(own), *lines[1:]]
        return (f"INSERT INTO o{i} SELECT {', '.join(names)} FROM {source} MATCH_RECOGNIZE (\n  "
                + "\n  ".join(inner) + f"\n) AS p{i};")

    def select(self, p):
        select = [self.key_of(p)] if p["keyed"] else []
        if p.get("timeouts"):
            select.append("MATCH_STATUS() AS status")
        if p.get("number"):
            select.append("MATCH_NUMBER() AS nr")
        if p.get("decided"):
            select.append("MATCH_ROWTIME() AS decided")
        select += [f"{measure_text(*m)} AS m{j}" for j, m in enumerate(p.get("measures", []))]
        if p.get("rows"):
            return select + ["bit", "CLASSIFIER() AS var"]
        select += ["COUNT(*) AS rows", "FIRST(bit) AS first_row"]
        if p.get("steps"):
            select += [f"PREV(FIRST(bit), {p['steps'][0]}) AS before", f"NEXT(LAST(bit), {p['steps'][1]}) AS behind"]
        for v in sorted(ref.variables(p["pattern"])):
            select += [f"SUM({v}.bit) AS {v}_bits", f"COUNT({v}.*) AS {v}_rows", f"AVG({v}.n) AS {v}_avg"]
        return select

    # ---- What the reference says ---------------------------------------------------------------------------------

    def expected(self):
        """(rows, counters): [(output, row)], {(pattern, reason): count}; a counter 'FAIL': the run must end with an error."""
        result, counters, self.told = [], {}, []
        named = [(s, rows) for s, rows in self.files if s in self.streams()]
        end = max([r["t"] for r in ref.in_order([(0, self.delay[s], rows) for s, rows in named])[0]], default=0)
        for i, p in enumerate(self.patterns):
            sources = [(p["from"].index(s), self.delay[s], rows) for s, rows in named if s in p["from"]]
            rows, late = ref.in_order(sources)
            counted = ["late"] * len(late)
            keys = list(dict.fromkeys(r["k"] if p["keyed"] else 0 for r in rows))
            of = {key: [r for r in rows if not p["keyed"] or r["k"] == key] for key in keys}
            if any(name != "max_starts_per_key" for name, _ in self.limits):
                found = self.search_all(p, of, rows, end, counted)
            else:
                found = {key: self.search(p, mine, end, counted) for key, mine in of.items()}
            self.end_all(p, of, found, end)
            self.told.append([t for told in found.values() for t in told])
            for key, mine in of.items():
                told = found[key]
                if p.get("suppress"):
                    told, held = ref.held_back(told, p["suppress"])
                    counted += ["suppressed"] * held
                shown = [out for t in told for out in self.show(p, t, mine)]
                if p.get("rows") == "unmatched":
                    hit = {j for t in told if t.matched for j in ([r[0] for r in t.rows] or [t.start])}
                    shown += [self.bare(p, r) for j, r in enumerate(mine) if j not in hit]
                for out in shown:
                    result.append((f"o{i}", {self.key_of(p): key, **out} if p["keyed"] else out))
            for reason in counted:
                counters[f"p{i}", reason] = counters.get((f"p{i}", reason), 0) + 1
        return result, counters

    def limit_of(self, p):
        """(starts of a key, policy, what a drop is counted as) or None."""
        if p.get("limit"):
            return (*p["limit"], "limit")
        most = dict(self.limits).get("max_starts_per_key")
        return most and (most, self.policy.upper().replace("_", " "), "max_starts_per_key")

    def search(self, p, mine, end, counted):
        args = p["pattern"], p["define"], mine, p["within"], p["skip"], p.get("timeouts"), end
        limit = self.limit_of(p)
        if not (p.get("decided") or limit or p.get("suppress")):
            return ref.matches(*args, counted)
        search = ref.Search(*args, limit, bool(p.get("number")))
        if not limit:
            plain = sorted((t.start, t.matched, t.rows) for t in ref.matches(*args))
            assert plain == sorted((t.start, t.matched, t.rows) for t in search.told), "the reference differs from itself"
        counted += search.counted + ["FAIL"] * search.failed
        return search.told

    def search_all(self, p, of, rows, end, counted):
        """Under limits on all keys together."""
        searches = {key: ref.Search(p["pattern"], p["define"], mine, p["within"], p["skip"], p.get("timeouts"), end, self.limit_of(p),
                                    bool(p.get("number")), goes=False) for key, mine in of.items()}
        limits = [(name, most) for name, most in self.limits if name != "max_starts_per_key"]
        ref.search_all(list(searches.values()), rows, limits, self.policy)
        for search in searches.values():
            counted += search.counted + ["FAIL"] * search.failed
        return {key: search.told for key, search in searches.items()}

    def end_all(self, p, of, found, end):
        """Gives what the end of the input decides its time. found: what is told of each key."""
        if not (p.get("decided") or p.get("suppress")):
            return
        given = []
        for key, told in found.items():
            early = [t for t in told if not t.at_end]
            early = ref.held_back(early, p["suppress"])[0] if p.get("suppress") else early
            given += [t for t in early if self.show(p, t, of[key])]
        time = ref.end_time(end, given)
        for t in [t for told in found.values() for t in told if t.at_end]:
            t.decided = time

    def head(self, p, t):
        out = {}
        if p.get("timeouts"):
            out["status"] = "matched" if t.matched else "timeout"
        if p.get("number"):
            out["nr"] = t.number
        if p.get("decided"):
            out["decided"] = t.decided
        return out

    def bare(self, p, row):
        """An unmatched row."""
        out = {name: None for name in [f"m{j}" for j in range(len(p.get("measures", [])))] + ["var"]}
        out.update({"nr": None} if p.get("number") else {})
        out.update({"status": None} if p.get("timeouts") else {})
        out.update({"decided": None} if p.get("decided") else {})
        return {**out, "bit": row["bit"]}

    def show(self, p, t, mine):
        bound = [(v, mine[j]) for j, v, _ in t.rows]
        head = self.head(p, t)
        measures = (lambda at: {f"m{j}": measure(*m, bound, at, mine, p.get("rows")) for j, m in enumerate(p.get("measures", []))})
        if p.get("rows"):
            if not bound:
                return [] if p["rows"] == "omit" else [{**head, **measures(None), "bit": mine[t.start]["bit"], "var": None}]
            return [{**head, **measures(at), "bit": mine[j]["bit"], "var": v}
                    for at, (j, v, hidden) in enumerate(t.rows) if not hidden]
        out = {**head, **measures(len(bound) - 1 if bound else None), "rows": len(bound),
               "first_row": bound[0][1]["bit"] if bound else None}
        if p.get("steps"):
            before, behind = p["steps"]
            out["before"] = ref.stepped(mine, bound[0][1], -before, "bit") if bound else None
            out["behind"] = ref.stepped(mine, bound[-1][1], behind, "bit") if bound else None
        for v in sorted(ref.variables(p["pattern"])):
            of = [r for name, r in bound if name == v]
            ns = [r["n"] for r in of if r["n"] is not None]
            out[f"{v}_bits"] = sum(r["bit"] for r in of) if of else None
            out[f"{v}_rows"] = len(of)
            out[f"{v}_avg"] = sum(ns) / len(ns) if ns else None
        return [out]

    # ---- As files ------------------------------------------------------------------------------------------------

    def lines(self, stream, rows):
        for r in rows:
            row = {"k": r["k"], "s": r["s"], "n": r["n"], "bit": r["bit"], "at": r["t"]}
            yield json.dumps(row if stream == "ev" else {"kk": r["k"], "s": r["s"], "bit": r["bit"], "at": r["t"]})

    def write(self, folder):
        with open(os.path.join(folder, "p.weir"), "w") as f:
            f.write(self.program())
        inputs = []
        for n, (stream, rows) in enumerate(self.files):
            if stream not in self.streams():
                continue
            path = os.path.join(folder, f"{stream}{n}.jsonl")
            with open(path, "w") as f:
                f.writelines(line + "\n" for line in self.lines(stream, rows))
            inputs += ["--in", f"{stream}={path}"]
        return inputs
