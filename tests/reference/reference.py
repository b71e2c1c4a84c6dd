"""The reference matcher: brute force over a list of rows, written from the meaning of patterns alone.

It shares nothing with the engine. A pattern is a small tree; every candidate of a start is enumerated by plain backtracking with
the list of choices that led to it; the rule of preferment then says which one is the match. It is meant to be read and believed, not to be fast;
one file, over 800 lines, because its rules are read together.

Trees (tuples):
    ('var', name)                     one row
    ('empty',)
    ('seq', [(connector, node), …])   connector: ' ' strict, '->' next; the first one's is None; or
                                      (arrow, nots, low, high): nots a list of (next row only?, variable), low and high
                                      bounds in ms or None
    ('absent', var, ms or None)       NOT var FOR ms; None: as long as WITHIN lasts. Before the first row: not so long before it
    ('alt', [node, …])
    ('rep', node, least, most or None, greedy, connector)    connector ' ', '->' or the longer form between rounds; greedy:
                                                             True, False, or 'possessive'; a seventh element is a variable
                                                             whose rows close the loop: UNTIL
    ('perm', [node, …])               PERMUTE: neighbours, in any order
    ('and', [node, …])                (a & b): in any order, other rows between
    ('hide', node)                    {- node -}
    ('begin',) ('end',)               ^ and $

Conditions (tuples), three-valued (True, False, None):
    ('cmp', op, x, y)  ('and', c, d)  ('or', c, d)  ('not', c)  ('isnull', x)
    operands: ('col', c)  ('const', v)  ('last', var, c)  ('first', var, c)  ('agg', fn, var, c)  ('add', x, y)
              ('step', var or None, by, c)    PREV (by < 0) or NEXT of the last row of var; None: of the current row
              ('nav', fn, var, n, by, c)      FIRST or LAST with an offset, and PREV or NEXT around it (by 0: neither)
              ('cls', var)                    CLASSIFIER
`var` None in an operand is the universal variable; a name of several letters is a SUBSET of the variables that they name.
"""
import itertools
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
        text = f"NOT {node[1]}" + (f" FOR {node[2]}ms" if node[2] is not None else "")
        return f"({text})" if outer == 2 else text
    if kind == "perm":
        return "PERMUTE(" + ", ".join(text_of(child) for child in node[1]) + ")"
    if kind == "and":
        return "(" + " & ".join(text_of(child, 2) for child in node[1]) + ")"
    if kind == "hide":
        return "{- " + text_of(node[1]) + " -}"
    if kind in ("begin", "end"):
        return "^" if kind == "begin" else "$"
    _, child, least, most, greedy, connector = node[:6]
    inner = text_of(child, 2)
    if child[0] == "rep":
        inner = f"({inner})"
    quantifier = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most))
    if quantifier is None:
        quantifier = f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"
    arrow = connector_text(connector).strip()
    mode = {True: "", False: "?", "possessive": "+"}[greedy]
    return inner + arrow + quantifier + mode + (f" UNTIL ({UNTIL[node[6]]})" if len(node) > 6 else "")


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


MANY = ("alt", "perm", "and")


def variables(node):
    if node[0] == "var":
        return {node[1]}
    if node[0] == "seq":
        return set().union(*(variables(child) for _, child in node[1]))
    if node[0] in MANY:
        return set().union(*(variables(child) for child in node[1]))
    return variables(node[1]) if node[0] in ("rep", "hide") else set()


def forbidden(node):
    """Variables that stand under NOT."""
    if node[0] == "seq":
        return set().union(*(forbidden(child) for _, child in node[1]), *({v for _, v in parts_of(c)[1]} for c, _ in node[1]))
    if node[0] in MANY:
        return set().union(*(forbidden(child) for child in node[1]))
    if node[0] == "absent":
        return {node[1]}
    return forbidden(node[1]) if node[0] in ("rep", "hide") else set()


def ends_under_not(node, under=False):
    """Whether ways behind the node have a NOT (without FOR) that nothing has been taken behind: a set of True, False.

    under: whether the way that comes to it has one."""
    kind = node[0]
    if kind == "seq":
        ways = {under}
        for connector, child in node[1]:
            ways = set().union(*(ends_under_not(child, way or bool(parts_of(connector)[1])) for way in ways))
        return ways
    if kind == "alt":
        return set().union(*(ends_under_not(child, under) for child in node[1]))
    if kind in ("perm", "and"):
        return ends_under_not(in_any_order(node), under)
    if kind == "hide":
        return ends_under_not(node[1], under)
    if kind == "rep":
        ways, new = {under} if node[2] == 0 else set(), ends_under_not(node[1], under)
        while not new <= ways:
            ways |= new
            new = set().union(*(ends_under_not(node[1], way) for way in new))
        return ways
    return {under} if kind in ("empty", "begin") else {False}


def in_any_order(node):
    """PERMUTE and & as the alternation that they stand for. PERMUTE is SQL's, of all orders; (a & b & c) is
    (a -> (b & c) | b -> (a & c) | c -> (a & b)), so that behind an a whoever takes the next row is preferred, be it b or c."""
    if node[0] == "perm":
        return ("alt", [("seq", [(None if i == 0 else " ", child) for i, child in enumerate(order)])
                        for order in itertools.permutations(node[1])])
    rest = [node[1][:i] + node[1][i + 1:] for i in range(len(node[1]))]
    return ("alt", [("seq", [(None, first), ("->", ("and", others) if len(others) > 1 else others[0])])
                    for first, others in zip(node[1], rest)])


def is_empty(node):
    """May the pattern match no row?"""
    if node[0] == "seq":
        return all(is_empty(child) for _, child in node[1])
    if node[0] == "alt":
        return any(is_empty(child) for child in node[1])
    if node[0] in ("perm", "and"):
        return all(is_empty(child) for child in node[1])
    if node[0] == "hide":
        return is_empty(node[1])
    return node[0] in ("empty", "begin", "end") or (node[0] == "rep" and (node[2] == 0 or is_empty(node[1])))


# ---- Conditions ----------------------------------------------------------------------------------------


def of_variable(bound, var):
    return [row for v, row in bound if var is None or v in var]


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
    if kind == "nav":
        _, fn, var, n, by, column = x
        of = of_variable(bound, var)
        if n >= len(of):
            return None
        row = of[n] if fn == "first" else of[-1 - n]
        return stepped(rows, row, by, column)
    if kind == "cls":
        of = [v for v, _ in bound if x[1] is None or v in x[1]]
        return of[-1] if of else None
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


HIDDEN = -1         # in the place of a row that {- -} leaves out
INSTANT = 0.001     # a microsecond, in ms


class TooMany(Exception):
    """The case has more candidates than brute force should look at."""


class Start:
    """All candidates that begin at one row, as they are when `seen` rows are there and moments up to `now` have come."""

    def __init__(self, pattern, define, rows, first, within, end=None, budget=20000, seen=None, now=None, closed=False):
        self.define, self.rows, self.first, self.within, self.budget = define, rows, first, within, budget
        self.end = end   # time at which the input ended
        self.seen, self.now = len(rows) if seen is None else seen, now  # now None: the input has ended
        self.closed = closed or now is None  # is it known that no row is to come?
        self.untils = []  # of the loops that we are in: (variable, elements taken before the loop)
        self.nots = []  # passed on the way: (elements taken then, next row only?, variable)
        self.led = False  # has an absence before the first row been passed?
        self.claims = []  # of possessive loops that were left: (elements taken then, loop, its place, how it was entered)
        self.probe = None  # (taken, row index): only looks whether a loop could take that row behind these
        self.found = []  # (taken, choices): taken is a list of (when, variable, place), choices a list of numbers
        self.waiting = []  # taken of those that still wait when their time is up; when: (time, 1, row index) or (time, 0, 0)
        self.alive = []  # (taken, choices, when time alone changes that or None) of those that wait for rows or moments to come
        self.deadline = None if within is None else rows[first]["t"] + within
        self.supposed = self.over = False
        self.walk(pattern, None, (), [], [], self.is_whole)

    def is_whole(self, taken, choices):
        """A way through the pattern has been found, or (behind a $) would be one if the input ended here."""
        if not taken and self.led:
            return  # an absence before the first row speaks of that row
        pending = self.pending(taken)
        if pending and not self.over:
            # What stood behind the last NOT has been left out, so it is a trailing one.
            moment = self.moment(taken, pending[:-1], ("absent", pending[-1][1], None), choices)
            if moment is not None:
                self.found.append((taken + [((moment, 0, 0), "!" + pending[-1][1], ("end",))], choices))
            return
        if not self.supposed:
            self.found.append((taken, choices))
            return
        self.wait(taken, choices, None)
        if self.is_late(self.behind(taken)):
            self.waiting.append((taken, choices))

    def is_late(self, index):
        """Is the row out of WITHIN, or is there none before that is?"""
        if self.deadline is None:
            return False
        return self.rows[index]["t"] >= self.deadline if index < len(self.rows) else self.deadline <= self.end

    def at_end(self, go_on, taken, choices, supposed):
        """Behind a $: no further row may come. Supposed: it is not the end, or not yet."""
        before = self.supposed, self.over
        self.supposed, self.over = self.supposed or supposed, True
        go_on(taken, choices)
        self.supposed, self.over = before

    def has_come(self, time):
        return self.now is None or time <= self.now

    def wait(self, taken, choices, due):
        """It waits for what is to come, if its time is not up."""
        if self.now is not None and not (self.deadline is not None and self.has_come(self.deadline)):
            self.alive.append((taken, choices, due))

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
        if self.probe and (kind == "var" or (kind == "absent" and taken)) and len(taken) < len(self.probe[0]):
            self.again(node, place, taken, choices, go_on)
        elif kind == "empty":
            go_on(taken, choices)
        elif kind == "var":
            index = self.next_row(taken, connector, node[1], choices)
            if index is not None:
                go_on(taken + [((self.rows[index]["t"], 1, index), node[1], place)], choices)
        elif kind == "absent":
            if not taken and node[2] is not None:
                self.before_the_first(node, choices, go_on)
                return
            if node[2] is None:
                before, self.nots = self.nots, self.nots + [(len(taken), False, node[1])]
                go_on(taken, choices)
                self.nots = before
                return
            if self.probe:
                return  # a loop that waits for a moment takes no row
            moment = self.moment(taken, self.refused(taken), node, choices)
            if moment is not None:
                go_on(taken + [((moment, 0, 0), "!" + node[1], place)], choices)
        elif kind == "begin":
            if not taken and self.first == 0:
                go_on(taken, choices)
        elif kind == "end":
            if taken and self.behind(taken) == len(self.rows) and self.closed:
                # A partial match that time has ended before the input did is not there any more.
                self.at_end(go_on, taken, choices, self.deadline is not None and self.deadline <= self.end)
            elif taken and (self.behind(taken) == self.seen or self.is_late(self.behind(taken))):
                self.at_end(go_on, taken, choices, True)
        elif kind == "hide":
            self.walk(node[1], connector, place + (HIDDEN,), taken, choices, go_on)
        elif kind in ("perm", "and"):
            self.walk(in_any_order(node), connector, place, taken, choices, go_on)
        elif kind == "alt":
            for i, child in enumerate(node[1]):
                self.walk(child, connector, place + (i,), taken, choices + [i], go_on)
        elif kind == "seq":
            self.sequence(node[1], 0, connector, place, taken, choices, go_on)
        else:
            self.rounds(node, 0, connector, place, taken, choices, go_on)

    def before_the_first(self, node, choices, go_on):
        """NOT b FOR d with no row taken: there has been no b so long before the first row."""
        _, var, ms = node
        if any(self.rows[self.first]["t"] - self.rows[i]["t"] < ms and self.holds([], var, i, True) for i in range(self.first)):
            return
        before, self.led = self.led, True
        go_on([], choices)
        self.led = before

    def pending(self, taken):
        """The NOTs that stand behind the last element taken: (next row only?, variable)."""
        return [(next_only, v) for count, next_only, v in self.nots if taken and count == len(taken)]

    def refused(self, taken, untils=None):
        """Of what a row may not be that comes next: by NOT, or by UNTIL of a loop that has an element."""
        return self.pending(taken) + [(False, v) for v, begun in (self.untils if untils is None else untils) if len(taken) > begun]

    def again(self, node, place, taken, choices, go_on):
        """A probe takes what has been taken: looked for anew without the claims of that time, it might be an earlier row."""
        same = self.probe[0][len(taken)]
        if same[1:] == (node[1] if node[0] == "var" else "!" + node[1], place):
            go_on(taken + [same], choices)

    def next_row(self, taken, connector, var, choices):
        """The row that var takes, or None. The first row of all stands under no connector."""
        if self.probe:
            self.hit = self.hit or self.could_take(taken, var, connector, self.untils, self.probe[1])
            return None
        if not taken:
            return self.first if self.holds(taken, var, self.first) and not self.is_claimed(taken, self.first) else None
        if self.over:
            return None
        arrow, _, low, high = parts_of(connector)
        nots = self.refused(taken)
        last, index = taken[-1][0][0], self.behind(taken)
        following = index
        while index < self.seen:
            t = self.rows[index]["t"]
            if self.deadline is not None and t >= self.deadline:
                break
            if high is not None and t > last + high:
                return None
            if any((index == following or not next_only) and self.holds(taken, v, index) for next_only, v in nots):
                return None
            if (low is None or t >= last + low) and self.holds(taken, var, index) and not self.is_claimed(taken, index):
                return index
            if arrow == " ":
                return None
            index += 1
        due = None if high is None else last + high + INSTANT
        if due is None or not self.has_come(due):
            self.wait(taken, choices, due)
        # It waits: for ever, or until its time is up.
        if high is None or self.deadline is None or last + high >= self.deadline:
            self.waiting.append((taken, choices))
        return None

    def is_claimed(self, taken, index):
        """Could a possessive loop that has just been left take the row instead?"""
        return any(len(taken) == count and self.can_go_on(taken, index, *loop) for count, *loop in self.claims)

    def can_go_on(self, taken, index, node, place, entry):
        """Is there a way through the loop that has taken the same and takes the row next, inside the loop?"""
        connector, begun, untils, nots = entry
        kept = self.untils, self.nots, self.claims, self.waiting, self.alive
        self.untils, self.nots, self.claims, self.waiting, self.alive = untils, nots, [], [], []
        self.probe, self.hit = (taken, index), False
        self.walk(node, connector, place, taken[:begun], [], lambda t, c: None)
        self.probe = None
        self.untils, self.nots, self.claims, self.waiting, self.alive = kept
        return self.hit

    def could_take(self, taken, var, connector, untils, index):
        if taken:
            arrow, _, low, high = parts_of(connector)
            t, last, following = self.rows[index]["t"], taken[-1][0][0], self.behind(taken)
            nots = self.refused(taken, untils)
            if (arrow == " " and index != following) or (low is not None and t < last + low) or \
                    (high is not None and t > last + high):
                return False
            if any((index == following or not next_only) and self.holds(taken, v, index) for next_only, v in nots):
                return False
        return self.holds(taken, var, index)

    def behind(self, taken):
        """Index of the first row behind the last element."""
        time, is_row, index = taken[-1][0]
        if is_row:
            return index + 1
        return next((i for i, r in enumerate(self.rows) if r["t"] >= time), len(self.rows))

    def moment(self, taken, nots, node, choices):
        """When the absence is complete, or None. nots: those that stand before it."""
        since = taken[-1][0][0]
        until = self.deadline if node[2] is None else since + node[2]
        late = self.deadline is not None and until > self.deadline
        # What moments behind the end of the input would arm is never armed.
        never = not taken[-1][0][1] and since > self.end
        for index in range(self.behind(taken), self.seen):
            t = self.rows[index]["t"]
            if t >= until or (self.deadline is not None and t >= self.deadline):
                break
            if self.holds(taken, node[1], index):
                return None
            if any((index == self.behind(taken) or not next_only) and self.holds(taken, v, index) for next_only, v in nots):
                return None
        if late or never:
            self.waiting.append((taken, choices))
            self.wait(taken, choices, None)
            return None
        if not self.has_come(until):
            self.wait(taken, choices, until)
            return None
        return until

    def sequence(self, items, at, connector, place, taken, choices, go_on):
        if at == len(items):
            go_on(taken, choices)
            return
        own, child = items[at]
        before = self.nots
        self.nots = before + [(len(taken), next_only, v) for next_only, v in parts_of(own)[1]]
        self.walk(child, connector if at == 0 else own, place + (at,), taken, choices,
                  lambda t, c: self.sequence(items, at + 1, connector, place, t, c, go_on))
        self.nots = before

    def rounds(self, node, count, connector, place, taken, choices, go_on, begun=None, entry=None):
        _, child, least, most, greedy, arrow = node[:6]
        until = node[6] if len(node) > 6 else None
        begun = len(taken) if begun is None else begun
        entry = entry or (connector, begun, self.untils, self.nots)

        def further():
            if most is not None and count >= most:
                return
            mine = choices + [0 if greedy else 1] if count >= least else choices

            def after(t, c):
                inside = self.untils
                if until:
                    self.untils = inside[:-1]
                if len(t) == len(taken) and count + 1 >= least:
                    claimed(t, c)  # a round without a row with which the minimum is met is the last
                else:
                    self.rounds(node, count + 1, arrow, place, t, c, go_on, begun, entry)
                self.untils = inside

            outside = self.untils
            if until:
                self.untils = outside + [(until, begun)]
            self.walk(child, connector if count == 0 else arrow, place + (count,), taken, mine, after)
            self.untils = outside

        def claimed(t, c):
            """On behind the loop: what it could take is not for what follows."""
            before = self.claims
            if greedy == "possessive" and not self.probe:
                self.claims = before + [(len(t), node, place, entry)]
            go_on(t, c)
            self.claims = before

        def leave():
            if count >= least:
                # A loop that is full has no choice.
                chosen = [1 if greedy else 0] if most is None or count < most else []
                claimed(taken, choices + chosen)

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


def all_partial(waiting):
    """Every branch once, by the variables that it has taken rows as."""
    return [list(t) for t in dict.fromkeys(tuple((when, var, (HIDDEN,) * (HIDDEN in place)) for when, var, place in w[0])
                                           for w in waiting)]


def rows_of(taken):
    """[(row index, variable, is it left out?)] of what a candidate has taken; moments are no rows."""
    return [(when[2], var, HIDDEN in place) for when, var, place in taken if when[1]]


def goes_on(rows, skip, start):
    """(where the search goes on behind a match, the code of a mistake or None)."""
    if not rows or skip == "next":
        return start + 1, None
    if skip == "past":
        return rows[-1][0] + 1, None
    which, name = skip
    of = [index for index, var, _ in rows if var in name]
    if not of:
        return start + 1, "W3011"
    target = of[0 if which == "first" else -1]
    return (target, None) if target > start else (start + 1, "W3010")


class Told:
    """A result: of a match, of a start whose time ran out, or None for kind: nothing but its number is known."""

    def __init__(self, start, rows, matched, number, decided=None, at_end=False):
        self.start, self.rows, self.matched, self.number, self.decided = start, rows, matched, number, decided
        self.at_end = at_end  # decided by the end of the input


def timed_out(start, timeouts):
    """What a start shows whose time ran out: lists of rows."""
    if not timeouts or not start.waiting:
        return []
    if timeouts == "all":
        shown = [rows_of(branch) for branch in all_partial(start.waiting)]
        return [list(t) for t in dict.fromkeys(map(tuple, shown))]
    return [rows_of(best_partial(start.waiting))]


def matches(pattern, define, rows, within, skip, timeouts=False, end=None, counted=None):
    """Results of one key's rows, in the order of their starts; mistakes of SKIP TO go to `counted`."""
    result = []
    i = number = 0
    end = end if end is not None else rows[-1]["t"] if rows else 0
    while i < len(rows):
        start = Start(pattern, define, rows, i, within, end)
        candidate = best(start.found)
        if candidate is None:
            result += [Told(i, taken, False, None) for taken in timed_out(start, timeouts)]
            i += 1
            continue
        number += 1
        taken = rows_of(candidate[0])
        result.append(Told(i, taken, True, number))
        i, wrong = goes_on(taken, skip, i)
        if wrong and counted is not None:
            counted.append(wrong)
    return result


# ---- When things are decided -------------------------------------------------------------------------------------

NEVER = float("inf")


def leads(start):
    """(the preferred candidate, is it final?): whether one that is still open would be preferred to all that are there."""
    future = [(taken + [((NEVER, 1, 0), "?", ("?",))], choices) for taken, choices, _ in start.alive]
    whole = best(start.found)
    return whole, not future or best(start.found + future) is whole


class Life:
    """What is known of a start, place by place: [(place, state, the preferred candidate of those that have ended)], state
    'open', 'match' or 'dead'.

    A place is (time, 0, 0) for moments, (time, 1, index) for rows, (time, 2, 0) for the point behind the last row of the input,
    which $ asks for, (NEVER, 0, 0) for the end of the input, which is behind all moments."""

    def __init__(self, pattern, define, rows, first, within, end):
        self.first, self.states = first, []
        self.start = None
        self.args = pattern, define, rows, first, within, end
        for seen in range(first + 1, len(rows) + 1):
            now = rows[seen - 1]["t"]
            if self.look(Start(*self.args, seen=seen, now=now), (now, 1, seen - 1)):
                return
            if self.moments(seen, now, rows[seen]["t"] if seen < len(rows) else end, False):
                return
        if self.look(Start(*self.args, now=end, closed=True), (end, 2, 0)) or self.moments(len(rows), end, NEVER, True):
            return
        self.look(Start(*self.args), (NEVER, 0, 0))

    def moments(self, seen, now, limit, closed):
        """What time alone brings, up to `limit`; True: the start is decided."""
        while True:
            due = min([d for d in [self.start.deadline] + [d for _, _, d in self.start.alive] if d is not None and d > now], default=NEVER)
            if due > limit or due == NEVER:
                return False
            now = due
            if self.look(Start(*self.args, seen=seen, now=now, closed=closed), (now, 0, 0)):
                return True

    def look(self, start, place):
        self.start = start
        whole, final = leads(start)
        state = "open" if not final else "dead" if whole is None else "match"
        self.states.append((place, state, whole))
        return state != "open"

    def at(self, place):
        return next(s for s in reversed(self.states) if s[0] <= place)


class Search:
    """The starts of one key, place by place: for what depends on when a match is decided.

    limit: (starts, policy, what drops are counted as)."""

    def __init__(self, pattern, define, rows, within, skip, timeouts, end, limit, numbers, goes=True):
        self.args = pattern, define, rows, within
        self.rows, self.skip, self.timeouts, self.end, self.limit = rows, skip, timeouts, end, limit
        self.in_order = skip != "next" or numbers
        self.told, self.counted, self.open, self.number, self.failed = [], [], [], 0, False
        self.time = None  # of the place at hand; what the input's end decides has the time of its last row
        self.begins = [Life(*self.args[:3], i, within, end) for i in range(len(rows))]
        self.places = sorted({p for life in self.begins for p, _, _ in life.states} | {(r["t"], 1, i) for i, r in enumerate(rows)})
        for place in self.places if goes else []:
            self.go(place)

    def go(self, place):
        self.latest = place
        self.time = self.end if place[0] == NEVER else place[0]
        self.pass_over(place, self.begins[place[2]] if place[1] == 1 else None)
        if self.limit and place[1] == 1 and len(self.open) > self.limit[0]:
            self.failed |= self.limit[1] == "FAIL"
            self.drop(0 if self.limit[1] == "DROP OLDEST" else -1, place, self.limit[2])

    def drop(self, which, place, reason):
        self.counted.append(reason)
        self.open.pop(which)
        self.pass_over(place, None)

    def covered(self, life, place, whole):
        """Up to which row no later start can bring a match, while this one waits with a candidate that has ended behind what is
        preferred to it: what that becomes takes further rows, and so all of these, unless moments alone end it."""
        seen = sum((r["t"], 1, i) <= place for i, r in enumerate(self.rows))
        pattern, define, rows, within = self.args
        now = max(place[0], self.rows[seen - 1]["t"])
        found = Start(pattern, define, rows, life.first, within, self.end, seen=seen, now=now).found
        by_time = Start(pattern, define, rows[:seen], life.first, within, NEVER if within else now + 60).found
        outcomes = [whole] + [best(found + [c]) for c in by_time if c not in found]
        return min(rows_of(c[0])[-1][0] for c in outcomes if c[0])

    def pass_over(self, place, new):
        behind, some_open, left = 0, False, []
        for life in self.open + [new] * (new is not None):
            if life.first < behind:
                continue
            _, state, whole = life.at(place)
            taken = whole and rows_of(whole[0])
            if state == "dead":
                self.told += [Told(life.first, rows, False, None, self.time) for rows in timed_out(
                    Start(*self.args[:3], life.first, self.args[3], self.end), self.timeouts if life.start.deadline == place[0] else False)]
            elif state == "match" and not (self.in_order and some_open):
                self.number += 1
                self.told.append(Told(life.first, taken, True, self.number, self.time, place[0] == NEVER))
                on, wrong = goes_on(taken, self.skip, life.first)
                behind = max(behind, on if taken and self.skip != "next" else 0)
                self.counted += [wrong] if wrong else []
            else:
                if taken and self.skip == "past" and not some_open:
                    behind = max(behind, self.covered(life, place, whole) + 1)
                some_open = True
                left.append(life)
        self.open = left


def search_all(searches, rows, limits, policy):
    """Goes over the starts of all keys together, place by place, under limits on all of them.

    searches: one a key, in the order of the keys' first rows, that have not gone yet; rows: all rows of all keys, in order;
    limits: [(setting, how many)] of max_starts_per_pattern, max_keys; policy 'drop_oldest' or 'drop_new'."""
    number = {id(row): i for i, row in enumerate(rows)}
    places = [((*p[:2], number[id(s.rows[p[2]])] if p[1] == 1 else at), s, p) for at, s in enumerate(searches) for p in s.places]
    for _, search, place in sorted(places, key=lambda p: p[0]):
        search.go(place)
        began = place[1] == 1 and search.open and search.open[-1].first == place[2]
        while place[1] == 1:
            open_keys = [s for s in searches if s.open]
            size = {"max_starts_per_pattern": sum(len(s.open) for s in searches), "max_keys": len(open_keys)}
            passed = next((name for name, most in limits if size[name] > most), None)
            if not passed:
                break
            assert began, "a limit is passed where nothing began"
            if policy == "drop_new":
                search.drop(-1, place, passed)
                continue
            oldest = min(open_keys, key=lambda s: number[id(s.rows[s.open[0].first])])
            for _ in range(len(oldest.open) - 1 if passed == "max_keys" else 0):
                oldest.counted.append(passed)
                oldest.open.pop(0)
            oldest.time = search.time
            oldest.drop(0, oldest.latest, passed)


def end_time(end, given):
    """The time of the end of the input, which stands behind all places: that of its last row, or of a later moment that gave a result.

    given: those of all keys that gave one."""
    return max([end] + [t.decided for t in given if not t.at_end])


def held_back(told, apart):
    """SUPPRESS: (those that are told, how many are not)."""
    given, result = None, []
    for t in told:
        if t.matched and given is not None and t.decided - given < apart:
            continue
        given = t.decided if t.matched else given
        result.append(t)
    return result, len(told) - len(result)


# ---- Time ----------------------------------------------------------------------------------------------------


def in_order(sources):
    """(rows of the sources in the one order of the task, rows that came late, which patterns do not take).

    sources: [(position of the stream in FROM, its delay, its rows in order of arrival)], rows with event time row['t'].
    Late: earlier than the source's greatest t - delay so far.
    """
    placed, late = [], []
    for number, (stream, delay, rows) in enumerate(sources):
        watermark = None
        for offset, row in enumerate(rows):
            if watermark is not None and row["t"] < watermark:
                late.append(row)
            else:
                placed.append((row["t"], stream, number, offset, row))
            watermark = row["t"] - delay if watermark is None else max(watermark, row["t"] - delay)
    placed.sort(key=lambda p: p[:4])
    return [p[4] for p in placed], late
