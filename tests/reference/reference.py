"""The reference matcher: brute force over a list of rows, written from the meaning of patterns alone.

It shares nothing with the engine. A pattern is a small tree; every candidate of a start is enumerated by plain backtracking with
the list of choices that led to it; the rule of preferment then says which one is the match. It is meant to be read and believed, not to be fast.

Trees (tuples):
    ('var', name)                     one row
    ('empty',)
    ('seq', [(connector, node), …])   connector: ' ' strict, '->' next; the first one's is None; or
                                      (arrow, nots, low, high): nots a list of (next row only?, variable), low and high
                                      bounds in ms or None
    ('absent', var, ms or None)       NOT var FOR ms; None: as long as WITHIN lasts
    ('lead', var, ms, node)           NOT var FOR ms in front of everything
    ('alt', [node, …])
    ('rep', node, least, most or None, greedy, connector)    connector ' ' or '->' between rounds; a seventh element is
                                                             a variable whose rows close the loop: UNTIL

Conditions (tuples), three-valued (True, False, None):
    ('cmp', op, x, y)  ('and', c, d)  ('or', c, d)  ('not', c)  ('isnull', x)
    operands: ('col', c)  ('const', v)  ('last', var, c)  ('first', var, c)  ('agg', fn, var, c)  ('add', x, y)
              ('step', var or None, by, c)    PREV (by < 0) or NEXT of the last row of var; None: of the current row
`var` None in an operand is the universal variable.
"""
from fractions import Fraction

# ---- Patterns as text -------------------------------------------------------------------------------


def text_of(node, outer=0):
    """The pattern in weir's notation; outer: 0 alternation allowed, 1 inside a sequence, 2 under a quantifier."""
    kind = node[0]
    if kind == "var":
        return node[1]
    if kind == "empty":
        return "()"
    if kind == "seq":
        parts = [connector_text(connector) + text_of(child, 1) for connector, child in node[1]]
        text = "".join(parts)
        return f"({text})" if outer else text
    if kind == "alt":
        text = " | ".join(text_of(child, 1 if child[0] == "alt" else 0) for child in node[1])
        return f"({text})" if outer else text
    if kind == "absent":
        return f"NOT {node[1]}" + (f" FOR {node[2]}ms" if node[2] is not None else "")
    if kind == "lead":
        return f"NOT {node[1]} FOR {node[2]}ms -> " + text_of(node[3], 0)
    _, child, least, most, greedy, connector = node[:6]
    inner = text_of(child, 2)
    if child[0] == "rep":
        inner = f"({inner})"
    quantifier = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most))
    if quantifier is None:
        quantifier = f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"
    arrow = "->" if connector == "->" else ""
    return inner + arrow + quantifier + ("" if greedy else "?") + (f" UNTIL ({UNTIL[node[6]]})" if len(node) > 6 else "")


UNTIL = {"u": "s = 'e'"}  # conditions of variables that stand in UNTIL


def parts_of(connector):
    """(arrow, nots, low, high) of any connector."""
    return connector if isinstance(connector, tuple) else (connector, [], None, None)


def connector_text(connector):
    if connector is None:
        return ""
    arrow, nots, low, high = parts_of(connector)
    text = " "
    for next_only, var in nots:
        text += f"NOT {var} " if next_only else f"-> NOT {var} "
    if arrow == "->":
        bound = "" if low is None and high is None else f"[{'' if low is None else f'{low}ms'}..{'' if high is None else f'{high}ms'}]"
        text += f"->{bound} "
    return text


def parse(text):
    """A pattern from its text: the forms of text_of."""
    tokens = []
    i = 0
    while i < len(text):
        c = text[i]
        if c.isspace():
            i += 1
        elif text.startswith("->", i):
            tokens.append("->")
            i += 2
        elif c.isalpha():
            j = i
            while j < len(text) and (text[j].isalnum() or text[j] == "_"):
                j += 1
            tokens.append(("var", text[i:j]))
            i = j
        elif c == "{":
            j = text.index("}", i)
            tokens.append(text[i:j + 1])
            i = j + 1
        else:
            tokens.append(c)
            i += 1
    at = 0

    def peek():
        return tokens[at] if at < len(tokens) else None

    def take():
        nonlocal at
        at += 1
        return tokens[at - 1]

    def alternation():
        branches = [sequence()]
        while peek() == "|":
            take()
            branches.append(sequence())
        return branches[0] if len(branches) == 1 else ("alt", branches)

    def sequence():
        items = [(None, primary())]
        while peek() not in (None, "|", ")"):
            connector = " "
            if peek() == "->":
                take()
                connector = "->"
            items.append((connector, primary()))
        return items[0][1] if len(items) == 1 else ("seq", items)

    def primary():
        token = take()
        if token == "(":
            if peek() == ")":
                take()
                node = ("empty",)
            else:
                node = alternation()
                assert take() == ")"
        else:
            assert isinstance(token, tuple), token
            node = token
        return quantified(node)

    def quantified(node):
        connector = " "
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if peek() == "->" and isinstance(following, str) and following[0] in "?*+{":
            take()
            connector = "->"
        token = peek()
        if not isinstance(token, str) or token[0] not in "?*+{":
            return node
        take()
        if token[0] == "{":
            low, comma, high = token[1:-1].partition(",")
            least = int(low or 0)
            most = (int(high) if high else None) if comma else least
        else:
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[token]
        greedy = True
        if peek() == "?":
            take()
            greedy = False
        return ("rep", node, least, most, greedy, connector)

    node = alternation()
    assert at == len(tokens), (text, at)
    return node


def variables(node):
    if node[0] == "var":
        return {node[1]}
    if node[0] == "seq":
        return set().union(*(variables(child) for _, child in node[1]))
    if node[0] in ("absent", "lead"):
        return variables(node[3]) if node[0] == "lead" else set()
    if node[0] == "alt":
        return set().union(*(variables(child) for child in node[1]))
    return variables(node[1]) if node[0] == "rep" else set()


def forbidden(node):
    """Variables that stand under NOT."""
    if node[0] == "seq":
        return set().union(*(forbidden(child) for _, child in node[1]), *({v for _, v in parts_of(c)[1]} for c, _ in node[1]))
    if node[0] == "alt":
        return set().union(*(forbidden(child) for child in node[1]))
    if node[0] == "absent":
        return {node[1]}
    if node[0] == "lead":
        return {node[1]} | forbidden(node[3])
    return forbidden(node[1]) if node[0] == "rep" else set()


# ---- Conditions ----------------------------------------------------------------------------------------


def of_variable(bound, var):
    return [row for v, row in bound if var is None or v == var]


def stepped(rows, row, by, column):
    """The column of the row so many rows behind (or before) among its key's rows; None outside of them."""
    index = next(i for i, r in enumerate(rows) if r is row) + by
    return rows[index][column] if 0 <= index < len(rows) else None


def operand(x, bound, row, rows):
    """bound: [(variable, row)] with the current row included under its own variable; rows: all rows of the key."""
    kind = x[0]
    if kind == "col":
        return row[x[1]]
    if kind == "const":
        return x[1]
    if kind == "add":
        a, b = operand(x[1], bound, row, rows), operand(x[2], bound, row, rows)
        return None if a is None or b is None else a + b
    if kind in ("last", "first"):
        of = of_variable(bound, x[1])
        return of[-1 if kind == "last" else 0][x[2]] if of else None
    if kind == "step":
        of = of_variable(bound, x[1]) if x[1] else [row]
        return stepped(rows, of[-1], x[2], x[3]) if of else None
    _, fn, var, column = x
    of = of_variable(bound, var)
    if fn == "count*":
        return len(of)
    values = [r[column] for r in of if r[column] is not None]
    if fn == "count":
        return len(values)
    if not values:
        return None
    if fn == "sum":
        return sum(values)
    if fn == "avg":
        return Fraction(sum(values), len(values))
    return min(values) if fn == "min" else max(values)


def condition(c, bound, row, rows):
    kind = c[0]
    if kind == "cmp":
        a, b = operand(c[2], bound, row, rows), operand(c[3], bound, row, rows)
        if a is None or b is None:
            return None
        return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[c[1]]
    if kind == "isnull":
        return operand(c[1], bound, row, rows) is None
    if kind == "not":
        v = condition(c[1], bound, row, rows)
        return None if v is None else not v
    a, b = condition(c[1], bound, row, rows), condition(c[2], bound, row, rows)
    if kind == "and":
        return False if a is False or b is False else None if a is None or b is None else True
    return True if a is True or b is True else None if a is None or b is None else False


# ---- Candidates -------------------------------------------------------------------------------------------


class TooMany(Exception):
    """The case has more candidates than brute force should look at."""


class Start:
    """All candidates that begin at one row."""

    def __init__(self, pattern, define, rows, first, within, end=None, budget=20000):
        self.define, self.rows, self.first, self.within, self.budget = define, rows, first, within, budget
        self.end = end   # time at which the input ended
        self.untils = []  # of the loops that we are in: (variable, elements taken before the loop)
        self.found = []  # (taken, choices): taken is a list of (when, variable, place), choices a list of numbers
        self.waiting = []  # taken of those that still wait when their time is up; when: (time, 1, row index) or (time, 0, 0)
        self.deadline = None if within is None else rows[first]["t"] + within
        if pattern[0] == "lead":
            _, var, ms, pattern = pattern
            if any(self.rows[first]["t"] - self.rows[i]["t"] < ms and self.holds([], var, i, True) for i in range(first)):
                return
        self.walk(pattern, None, (), [], [], lambda taken, choices: self.found.append((taken, choices)))

    def holds(self, taken, var, index, any_time=False):
        row = self.rows[index]
        if self.deadline is not None and not any_time and row["t"] >= self.deadline:
            return False
        c = self.define.get(var)
        if c is None:
            return True
        bound = [(v, self.rows[when[2]]) for when, v, _ in taken if when[1]] + [(var, row)]
        return condition(c, bound, row, self.rows) is True

    def walk(self, node, connector, place, taken, choices, go_on):
        self.budget -= 1
        if self.budget < 0:
            raise TooMany()
        kind = node[0]
        if kind == "empty":
            go_on(taken, choices)
        elif kind == "var":
            index = self.next_row(taken, connector, node[1], choices)
            if index is not None:
                go_on(taken + [((self.rows[index]["t"], 1, index), node[1], place)], choices)
        elif kind == "absent":
            moment = self.moment(taken, connector, node, choices)
            if moment is not None:
                go_on(taken + [((moment, 0, 0), "!" + node[1], place)], choices)
        elif kind == "alt":
            for i, child in enumerate(node[1]):
                self.walk(child, connector, place + (i,), taken, choices + [i], go_on)
        elif kind == "seq":
            self.sequence(node[1], 0, connector, place, taken, choices, go_on)
        else:
            self.rounds(node, 0, connector, place, taken, choices, go_on)

    def next_row(self, taken, connector, var, choices):
        """The row that var takes, or None. The first row of all stands under no connector."""
        if not taken:
            return self.first if self.first < len(self.rows) and self.holds(taken, var, self.first) else None
        arrow, nots, low, high = parts_of(connector)
        nots = nots + [(False, var) for var, begun in self.untils if len(taken) > begun]
        last, index = taken[-1][0][0], self.behind(taken)
        following = index
        while index < len(self.rows):
            t = self.rows[index]["t"]
            if self.deadline is not None and t >= self.deadline:
                break
            if high is not None and t > last + high:
                return None
            if any((index == following or not next_only) and self.holds(taken, v, index) for next_only, v in nots):
                return None
            if (low is None or t >= last + low) and self.holds(taken, var, index):
                return index
            if arrow == " ":
                return None
            index += 1
        # It waits: for ever, or until its time is up.
        if high is None or self.deadline is None or last + high >= self.deadline:
            self.waiting.append((taken, choices))
        return None

    def behind(self, taken):
        """Index of the first row behind the last element."""
        time, is_row, index = taken[-1][0]
        if is_row:
            return index + 1
        return next((i for i, r in enumerate(self.rows) if r["t"] >= time), len(self.rows))

    def moment(self, taken, connector, node, choices):
        """When the absence is complete, or None."""
        since = taken[-1][0][0]
        until = self.deadline if node[2] is None else since + node[2]
        late = self.deadline is not None and until > self.deadline
        # What moments behind the end of the input would arm is never armed.
        never = not taken[-1][0][1] and since > self.end
        nots = parts_of(connector)[1]
        for index in range(self.behind(taken), len(self.rows)):
            t = self.rows[index]["t"]
            if t >= until or (self.deadline is not None and t >= self.deadline):
                break
            if self.holds(taken, node[1], index):
                return None
            if any((index == self.behind(taken) or not next_only) and self.holds(taken, v, index) for next_only, v in nots):
                return None
        if late or never:
            self.waiting.append((taken, choices))
            return None
        return until

    def sequence(self, items, at, connector, place, taken, choices, go_on):
        if at == len(items):
            go_on(taken, choices)
            return
        own, child = items[at]
        self.walk(child, connector if at == 0 else own, place + (at,), taken, choices,
                  lambda t, c: self.sequence(items, at + 1, connector, place, t, c, go_on))

    def rounds(self, node, count, connector, place, taken, choices, go_on, begun=None):
        _, child, least, most, greedy, arrow = node[:6]
        until = node[6] if len(node) > 6 else None
        begun = len(taken) if begun is None else begun

        def further():
            if most is not None and count >= most:
                return
            mine = choices + [0 if greedy else 1] if count >= least else choices

            def after(t, c):
                inside = self.untils
                if until:
                    self.untils = inside[:-1]
                if len(t) == len(taken) and count >= least:
                    go_on(t, c)  # a round without a row, the minimum being met, is the last
                else:
                    self.rounds(node, count + 1, arrow, place, t, c, go_on, begun)
                self.untils = inside

            outside = self.untils
            if until:
                self.untils = outside + [(until, begun)]
            self.walk(child, connector if count == 0 else arrow, place + (count,), taken, mine, after)
            self.untils = outside

        def leave():
            if count >= least:
                # A loop that is full has no choice.
                chosen = [1 if greedy else 0] if most is None or count < most else []
                go_on(taken, choices + chosen)

        if greedy:
            further()
            leave()
        else:
            leave()
            further()


def best(found, taken=0):
    """The preferred one of the candidates, which all agree on their first `taken` rows; None when there is none.

    Candidates part row by row. Where one has ended, SQL's order (that of the choices) decides between it and the others at once:
    those behind it are out for good, those before it are preferred whatever rows they may still skip. Of these, whoever takes the
    next row that anybody takes stands before whoever skips it; among the takers, SQL's order decides between different places.
    (Compared in pairs only, without this order of events, the rule would not be transitive: in `c -> d->? -> c{0,2}?` a later c
    stands before a later d, the d before the end, and the end before the c.)
    """
    if not found:
        return None
    ended = min((c for c in found if len(c[0]) == taken), key=lambda c: c[1], default=None)
    rest = [c for c in found if len(c[0]) > taken and (ended is None or c[1] < ended[1])]
    if not rest:
        return ended
    row = min(c[0][taken][0] for c in rest)
    takers = [c for c in rest if c[0][taken][0] == row]
    first = min(takers, key=lambda c: c[1])
    return best([c for c in takers if c[0][taken] == first[0][taken]], taken + 1)


def best_partial(waiting):
    """What the preferred one of partial candidates has taken: at each element those go on that take the earliest, and of these
    SQL's order decides."""
    taken = 0
    while any(len(w[0]) > taken for w in waiting):
        longer = [w for w in waiting if len(w[0]) > taken]
        when = min(w[0][taken][0] for w in longer)
        first = min((w for w in longer if w[0][taken][0] == when), key=lambda w: w[1])
        waiting = [w for w in longer if w[0][taken] == first[0][taken]]
        taken += 1
    return waiting[0][0]


def matches(pattern, define, rows, within, skip, timeouts=False, end=None):
    """Matches of one key's rows, in the order of their starts: (start, [(row index, variable)], is it a match?).

    The last is False for a start whose time ran out (only with timeouts): the rows are those of a partial match.
    """
    result = []
    i = 0
    end = end if end is not None else rows[-1]["t"] if rows else 0
    while i < len(rows):
        start = Start(pattern, define, rows, i, within, end)
        candidate = best(start.found)
        if candidate is None:
            if timeouts and start.waiting:
                result.append((i, [(when[2], var) for when, var, _ in best_partial(start.waiting) if when[1]], False))
            i += 1
            continue
        taken = [(when[2], var) for when, var, _ in candidate[0] if when[1]]
        result.append((i, taken, True))
        i = taken[-1][0] + 1 if taken and skip == "past" else i + 1
    return result


# ---- Time ----------------------------------------------------------------------------------------------------


def in_order(files, delay):
    """Rows of several files of a stream in the one order of the task; late ones are left out (patterns take none).

    files: lists of rows with event time row['t'] in order of arrival. Late: earlier than the file's greatest t - delay so far.
    """
    placed = []
    for number, rows in enumerate(files):
        watermark = None
        for offset, row in enumerate(rows):
            late = watermark is not None and row["t"] < watermark
            if not late:
                placed.append((row["t"], number, offset, row))
            watermark = row["t"] - delay if watermark is None else max(watermark, row["t"] - delay)
    placed.sort(key=lambda p: p[:3])
    return [p[3] for p in placed]
