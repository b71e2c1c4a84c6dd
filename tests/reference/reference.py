"""The reference matcher: brute force over a list of rows, written from the meaning of patterns alone.

It shares nothing with the engine. A pattern is a small tree; every candidate of a start is enumerated by plain backtracking with
the list of choices that led to it; the rule of preferment then says which one is the match. It is meant to be read and believed, not to be fast.

Trees (tuples):
    ('var', name)                     one row
    ('empty',)
    ('seq', [(connector, node), …])   connector: ' ' strict, '->' next; the first one's is None
    ('alt', [node, …])
    ('rep', node, least, most or None, greedy, connector)    connector ' ' or '->' between rounds

Conditions (tuples), three-valued (True, False, None):
    ('cmp', op, x, y)  ('and', c, d)  ('or', c, d)  ('not', c)  ('isnull', x)
    operands: ('col', c)  ('const', v)  ('last', var, c)  ('first', var, c)  ('agg', fn, var, c)  ('add', x, y)
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
        parts = [("" if connector is None else " " if connector == " " else " -> ") + text_of(child, 1)
                 for connector, child in node[1]]
        text = "".join(parts)
        return f"({text})" if outer else text
    if kind == "alt":
        text = " | ".join(text_of(child, 1 if child[0] == "alt" else 0) for child in node[1])
        return f"({text})" if outer else text
    _, child, least, most, greedy, connector = node
    inner = text_of(child, 2)
    if child[0] == "rep":
        inner = f"({inner})"
    quantifier = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most))
    if quantifier is None:
        quantifier = f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"
    arrow = "->" if connector == "->" else ""
    return inner + arrow + quantifier + ("" if greedy else "?")


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
    if node[0] == "alt":
        return set().union(*(variables(child) for child in node[1]))
    return variables(node[1]) if node[0] == "rep" else set()


# ---- Conditions ----------------------------------------------------------------------------------------


def of_variable(bound, var):
    return [row for v, row in bound if var is None or v == var]


def operand(x, bound, row):
    """bound: [(variable, row)] with the current row included under its own variable."""
    kind = x[0]
    if kind == "col":
        return row[x[1]]
    if kind == "const":
        return x[1]
    if kind == "add":
        a, b = operand(x[1], bound, row), operand(x[2], bound, row)
        return None if a is None or b is None else a + b
    if kind == "last":
        rows = of_variable(bound, x[1])
        return rows[-1][x[2]] if rows else None
    if kind == "first":
        rows = of_variable(bound, x[1])
        return rows[0][x[2]] if rows else None
    _, fn, var, column = x
    rows = of_variable(bound, var)
    if fn == "count*":
        return len(rows)
    values = [r[column] for r in rows if r[column] is not None]
    if fn == "count":
        return len(values)
    if not values:
        return None
    if fn == "sum":
        return sum(values)
    if fn == "avg":
        return Fraction(sum(values), len(values))
    return min(values) if fn == "min" else max(values)


def condition(c, bound, row):
    kind = c[0]
    if kind == "cmp":
        a, b = operand(c[2], bound, row), operand(c[3], bound, row)
        if a is None or b is None:
            return None
        return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[c[1]]
    if kind == "isnull":
        return operand(c[1], bound, row) is None
    if kind == "not":
        v = condition(c[1], bound, row)
        return None if v is None else not v
    a, b = condition(c[1], bound, row), condition(c[2], bound, row)
    if kind == "and":
        return False if a is False or b is False else None if a is None or b is None else True
    return True if a is True or b is True else None if a is None or b is None else False


# ---- Candidates -------------------------------------------------------------------------------------------


class TooMany(Exception):
    """The case has more candidates than brute force should look at."""


class Start:
    """All candidates that begin at one row."""

    def __init__(self, pattern, define, rows, first, within, budget=20000):
        self.define, self.rows, self.first, self.within, self.budget = define, rows, first, within, budget
        self.found = []  # (taken, choices): taken is a list of (row index, variable, place), choices a list of numbers
        self.walk(pattern, None, (), [], [], lambda taken, choices: self.found.append((taken, choices)))

    def holds(self, taken, var, index):
        row = self.rows[index]
        if self.within is not None and row["t"] - self.rows[self.first]["t"] >= self.within:
            return False
        c = self.define.get(var)
        if c is None:
            return True
        bound = [(v, self.rows[i]) for i, v, _ in taken] + [(var, row)]
        return condition(c, bound, row) is True

    def walk(self, node, connector, place, taken, choices, go_on):
        self.budget -= 1
        if self.budget < 0:
            raise TooMany()
        kind = node[0]
        if kind == "empty":
            go_on(taken, choices)
        elif kind == "var":
            index = self.next_row(taken, connector, node[1])
            if index is not None:
                go_on(taken + [(index, node[1], place)], choices)
        elif kind == "alt":
            for i, child in enumerate(node[1]):
                self.walk(child, connector, place + (i,), taken, choices + [i], go_on)
        elif kind == "seq":
            self.sequence(node[1], 0, connector, place, taken, choices, go_on)
        else:
            self.rounds(node, 0, connector, place, taken, choices, go_on)

    def next_row(self, taken, connector, var):
        """The row that var takes, or None. The first row of all stands under no connector."""
        if not taken:
            return self.first if self.first < len(self.rows) and self.holds(taken, var, self.first) else None
        index = taken[-1][0] + 1
        if connector == " ":
            return index if index < len(self.rows) and self.holds(taken, var, index) else None
        while index < len(self.rows):
            if self.holds(taken, var, index):
                return index
            index += 1
        return None

    def sequence(self, items, at, connector, place, taken, choices, go_on):
        if at == len(items):
            go_on(taken, choices)
            return
        own, child = items[at]
        self.walk(child, connector if at == 0 else own, place + (at,), taken, choices,
                  lambda t, c: self.sequence(items, at + 1, connector, place, t, c, go_on))

    def rounds(self, node, count, connector, place, taken, choices, go_on):
        _, child, least, most, greedy, arrow = node

        def further():
            if most is not None and count >= most:
                return
            mine = choices + [0 if greedy else 1] if count >= least else choices

            def after(t, c):
                if len(t) == len(taken) and count >= least:
                    go_on(t, c)  # a round without a row, the minimum being met, is the last
                else:
                    self.rounds(node, count + 1, arrow, place, t, c, go_on)

            self.walk(child, connector if count == 0 else arrow, place + (count,), taken, mine, after)

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


def matches(pattern, define, rows, within, skip):
    """Matches of one key's rows, in the order of their starts: lists of (row index, variable); [] with a start is empty."""
    result = []
    i = 0
    while i < len(rows):
        candidate = best(Start(pattern, define, rows, i, within).found)
        if candidate is None:
            i += 1
            continue
        taken = [(index, var) for index, var, _ in candidate[0]]
        result.append((i, taken))
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
