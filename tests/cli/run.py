#!/usr/bin/env python3
"""The habits of the command line: streams, exit codes, help, formats, suggestions, colours."""
import json, os, signal, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import case_of, equal, finish

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
ROWS = ('{"card":"c1","amount":12.5,"status":"approved","at":"2026-01-01T00:00:00Z"}\n'
        '{"card":"c2","amount":900,"status":"approved","at":"2026-01-01T00:00:05Z"}\n'
        '{"card":"c1","amount":700.25,"status":"declined","at":"2026-01-01T00:00:09Z"}\n')
PROGRAM = ("CREATE STREAM payments (card STRING, amount DOUBLE, status STRING, at TIMESTAMP, WATERMARK FOR at AS at);\n"
           "CREATE STREAM big;\nINSERT INTO big SELECT card, amount FROM payments WHERE amount > 500;\n")


def weir(*args, stdin=None, env=None, cwd=None):
    p = subprocess.run([WEIR, *args], input=stdin, capture_output=True, text=True, timeout=60, cwd=cwd,
                       env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout, p.stderr


def prepare(folder):
    with open(folder + "/payments.jsonl", "w") as f:
        f.write(ROWS)
    with open(folder + "/p.weir", "w") as f:
        f.write(PROGRAM)


case = case_of(prepare)
BIG = '{"card":"c2","amount":900}\n{"card":"c1","amount":700.25}\n'


@case
def a_query_over_a_file_needs_no_declaration(f):
    rc, out, err = weir("query", "SELECT card, amount FROM payments WHERE amount > 500", f + "/payments.jsonl")
    equal((rc, out), (0, BIG))


@case
def a_query_names_its_file_itself(f):
    rc, out, err = weir("query", "SELECT card, amount FROM 'payments.jsonl' WHERE amount > 500", cwd=f)
    equal((rc, out, err if rc else ""), (0, BIG, ""))


@case
def a_query_may_be_a_pattern(f):
    rc, out, err = weir("query", "PATTERN p FROM payments PARTITION BY card MATCH a -> b WITHIN 1h "
                        "DEFINE b AS status = 'declined' SELECT card, b.amount AS amount", f + "/payments.jsonl")
    equal((rc, out), (0, '{"card":"c1","amount":700.25}\n'))


@case
def a_name_may_be_given_to_the_file(f):
    rc, out, err = weir("query", "SELECT card FROM p WHERE amount > 800", "p=" + f + "/payments.jsonl")
    equal((rc, out), (0, '{"card":"c2"}\n'))


@case
def a_file_that_the_query_does_not_read_is_a_slip(f):
    with open(f + "/more.jsonl", "w") as file:
        file.write(ROWS)
    rc, out, err = weir("query", "SELECT card FROM payments", "payments.jsonl", "more.jsonl", cwd=f)
    equal((rc, out), (2, ""))
    assert "W2007" not in err and "more.jsonl is not read: the query has no FROM more" in err, err
    assert "payments=more.jsonl payments=" in err, err
    rc, out, err = weir("query", "SELECT card FROM payments", "payments=payments.jsonl", "payments=more.jsonl", cwd=f)
    equal((rc, len(out.splitlines())), (0, 6))
    rc, out, err = weir("query", "SELECT card FROM 'payments.jsonl'", "more.jsonl", cwd=f)
    assert rc == 2 and "one stream" not in err, err


@case
def columns_of_a_query_need_no_name(f):
    query = "SELECT card, COUNT(*), count(amount), 1 + 1 FROM TUMBLE(payments, at, 1h) GROUP BY card, window_start, window_end"
    rc, out, err = weir("query", query, f + "/payments.jsonl")
    equal((rc, json.loads(out.splitlines()[0])), (0, {"card": "c1", "count": 2, "count_2": 2, "column_4": 2}))
    with open(f + "/q.weir", "w") as file:
        file.write(PROGRAM + query + ";\n")
    assert "W0614" in weir("check", f + "/q.weir")[2]


@case
def an_aggregate_over_a_file_needs_no_window(f):
    def q(text):
        rc, out, err = weir("query", text, cwd=f)
        assert rc == 0, err
        return [json.loads(line) for line in out.splitlines()]
    equal(q("SELECT COUNT(*) FROM 'payments.jsonl'"), [{"count": 3}])
    equal(q("SELECT COUNT(*), SUM(amount), SUM(amount) AS s FROM 'payments.jsonl' WHERE amount > 1e6"),
          [{"count": 0, "sum": None, "s": None}])
    equal(q("SELECT card, COUNT(*) AS n, SUM(amount), MAX(at) FROM 'payments.jsonl' GROUP BY card"),
          [{"card": "c1", "n": 2, "sum": 712.75, "max": "2026-01-01T00:00:09Z"},
           {"card": "c2", "n": 1, "sum": 900, "max": "2026-01-01T00:00:05Z"}])
    equal(q("SELECT card, UPPER(card) FROM 'payments.jsonl' GROUP BY card HAVING COUNT(*) > 1"), [{"card": "c1", "upper": "C1"}])
    equal(q("SELECT COUNT(*) FILTER (WHERE amount > 800) FROM 'payments.jsonl' WHERE status = 'approved'"), [{"count": 1}])
    equal(q("SELECT COUNT(*) AS n FROM 'payments.jsonl' MATCH_RECOGNIZE (PARTITION BY card ORDER BY at PATTERN (a b) "
            "DEFINE b AS amount > a.amount)"), [{"n": 1}])
    with open(f + "/late.csv", "w") as file:  # no time at all
        file.write("a,b\n1,2\n3,4\n")
    equal(q("SELECT SUM(a) FROM 'late.csv'"), [{"sum": 4}])
    assert "W0701" in weir("check", "-", stdin="CREATE STREAM s (a INT); SELECT COUNT(*) AS n FROM s;")[2]


@case
def columns_of_a_query_that_are_there_twice_get_a_number(f):
    rc, out, err = weir("query", "SELECT card, amount, card, amount * 2 FROM 'payments.jsonl' WHERE amount > 800", cwd=f)
    equal((rc, out), (0, '{"card":"c2","amount":900,"card_2":"c2","column_4":1800}\n'))


@case
def a_recording_ends_so_nothing_waits_for_ever(f):
    with open(f + "/q.weir", "w") as file:
        file.write(PROGRAM + "PATTERN p FROM payments PARTITION BY card MATCH a -> b+ WITHIN 1h DEFINE a AS amount > 1, b AS "
                   "amount > 2 SELECT card;\n")
    assert "W2003" in weir("check", f + "/q.weir")[2]
    assert "W2003" in weir("compile", f + "/q.weir")[2]
    rc, out, err = weir("replay", f + "/q.weir", f + "/payments.jsonl")
    assert rc == 0 and "W2003" not in err, err


@case
def values_of_options_are_checked(f):
    args = ["replay", "-q", f + "/p.weir", f + "/payments.jsonl"]
    rc, out, err = weir(*args, "--dialect", "flnk")
    assert rc == 2 and "did you mean 'flink'?" in err, err
    equal(weir(*args, "--dialect", "standard")[:2], (0, BIG))
    rc, out, err = weir(*args, "--matcher", "genral")
    assert rc == 2 and "did you mean 'general'?" in err, err
    rc, out, err = weir(*args, "--executor", "rows")
    assert rc == 2 and "did you mean 'row'?" in err, err
    rc, out, err = weir(*args, env={"WEIR_EXECUTOR": "fast"})
    assert rc == 2 and "WEIR_EXECUTOR is batch or row, not 'fast'" in err, err
    equal([weir(*args, "--executor", name)[:2] for name in ("batch", "row")], [(0, BIG), (0, BIG)])
    rc, out, err = weir(*args, env={"WEIR_MATCHER": "group,fast"})
    assert rc == 2 and "WEIR_MATCHER is row, sequence, group or general, not 'fast'" in err, err
    with open(f + "/loop.weir", "w") as file:
        file.write(PROGRAM + "PATTERN p FROM payments MATCH a+ b WITHIN 1h DEFINE a AS amount > 1, b AS amount > 2 SELECT b.amount AS x;\n")
    rc, out, err = weir("replay", "-q", f + "/loop.weir", f + "/payments.jsonl", "--matcher", "sequence")
    assert rc == 2 and "the matcher 'sequence' is not right for p: there is more than one way through it" in err, err
    equal(weir("replay", "-q", f + "/loop.weir", f + "/payments.jsonl", "--matcher", "sequence,group")[0], 0)
    rc, out, err = weir(*args, "--out", f"big={f}/o.parquet")
    assert rc == 2 and "not as Parquet" in err and not os.path.exists(f + "/o.parquet"), err
    equal(weir(*args, "--out", f"big={f}/o.txt")[0], 0)


@case
def the_dialect_of_the_command_line_is_the_stronger_one(f):
    with open(f + "/q.weir", "w") as file:
        file.write("SET dialect = 'flink';\n" + PROGRAM + "PATTERN p FROM payments MATCH a -> b WITHIN 1h DEFINE a AS "
                   "amount > 1, b AS amount > 2 SELECT a.amount AS amount;\n")
    wide = weir("replay", "-q", f + "/q.weir", f + "/payments.jsonl")
    narrow = weir("replay", "-q", "--dialect=standard", f + "/q.weir", f + "/payments.jsonl")
    assert wide[0] == narrow[0] == 0 and wide[1] != narrow[1], (wide, narrow)


@case
def results_as_table_json_and_csv(f):
    query = ["query", "SELECT card, amount FROM payments WHERE amount > 500", f + "/payments.jsonl", "-o"]
    equal(weir(*query, "table")[1], "card  amount\n----  ------\nc2       900\nc1    700.25\n(2 rows)\n")
    equal(json.loads(weir(*query, "json")[1]), [json.loads(line) for line in BIG.splitlines()])
    equal(weir(*query, "csv")[1], "card,amount\nc2,900\nc1,700.25\n")
    rc, out, err = weir(*query, "jsonll")
    assert rc == 2 and "did you mean 'jsonl'?" in err, err


@case
def replay_binds_inputs_and_outputs_by_name(f):
    rc, out, err = weir("replay", f + "/p.weir", "--in", f"payments={f}/payments.jsonl", "--out", f"big={f}/big.jsonl")
    equal((rc, out, open(f + "/big.jsonl").read()), (0, "", BIG))
    rc, out, err = weir("replay", f + "/p.weir", f + "/payments.jsonl")
    equal((rc, out), (0, BIG))


@case
def the_summary_is_always_shown_and_never_on_standard_output(f):
    rc, out, err = weir("replay", f + "/p.weir", f + "/payments.jsonl")
    assert "3" in err and out == BIG, (out, err)
    equal(weir("replay", "-q", f + "/p.weir", f + "/payments.jsonl")[2], "")
    stats = json.loads(weir("replay", "-q", "--stats", f + "/p.weir", f + "/payments.jsonl")[2])
    equal(stats["version"], 1)


@case
def columns_that_no_record_has_are_named(f):
    with open(f + "/q.weir", "w") as file:
        file.write(PROGRAM.replace("card STRING,", "card STRING, nosuch INT, deep INT FROM '$.a[\"b c\"]', other INT DEFAULT 3, unread INT,")
                   .replace("SELECT card,", "SELECT card, nosuch, deep, other,"))
    rc, out, err = weir("replay", "q.weir", "payments.jsonl", cwd=f)
    assert "no record of payments had a value for 'nosuch' ($.nosuch)" in err and "'deep' ($.a." in err, err
    assert "other'" not in err and "unread" not in err, err
    stats = json.loads(weir("replay", "-q", "--stats", "q.weir", "payments.jsonl", cwd=f)[2])
    equal(stats["no_value"], [{"stream": "payments", "column": c} for c in ("nosuch", "deep")])
    with open(f + "/payments.csv", "w") as file:
        file.write("card,amount,status,at\nc1,900,ok,2026-01-01T00:00:00Z\n")
    err = weir("replay", "q.weir", "payments.csv", cwd=f)[2]
    assert "no record of payments had a value for 'nosuch': the header of payments.csv has no such column" in err, err
    open(f + "/empty.jsonl", "w").close()
    assert "had a value" not in weir("replay", "q.weir", "empty.jsonl", cwd=f)[2]
    assert "had a value" not in weir("replay", "p.weir", "payments.jsonl", cwd=f)[2]


@case
def standard_input_is_a_file_like_another(f):
    equal(weir("replay", f + "/p.weir", "-", stdin=ROWS)[:2], (0, BIG))
    equal(weir("replay", "-", f + "/payments.jsonl", stdin=PROGRAM)[:2], (0, BIG))


@case
def csv_files_are_read_and_written(f):
    with open(f + "/payments.csv", "w") as file:
        file.write('card,amount,status,at\nc1,900,"a ""b"", c",2026-01-01T00:00:00Z\n')
    rc, out, err = weir("query", "SELECT status, amount FROM payments", f + "/payments.csv", "-o", "csv")
    equal((rc, out), (0, 'status,amount\n"a ""b"", c",900\n'))
    weir("replay", f + "/p.weir", f + "/payments.jsonl", "--out", f"big={f}/big.csv")
    equal(open(f + "/big.csv").read(), "card,amount\nc2,900\nc1,700.25\n")


@case
def csv_with_another_sign_between_its_fields(f):
    for name, sign, option in (("semi", ";", ";"), ("tabs", "\t", "\\t"), ("bars", "|", "|")):
        with open(f + f"/{name}.csv", "w") as file:
            file.write("card,amount,status,at\nc1,900,\"a;b|\",2026-01-01T00:00:00Z\n".replace(",", sign))
        rc, out, err = weir("query", f"SELECT status, amount FROM '{name}.csv'", cwd=f)
        equal((rc, out, err.count("dropped")), (0, '{"status":"a;b|","amount":900}\n', 0))
        rc, out, err = weir("query", f"SELECT status, amount FROM {name}", f"{name}.csv", cwd=f)
        equal((rc, out), (0, '{"status":"a;b|","amount":900}\n'))
        equal(weir("init", "--from", f"{name}.csv", cwd=f)[0], 0)
        assert f"WITH (format = 'csv', delimiter = '{option}')" in open(f + f"/{name}.weir").read(), open(f + f"/{name}.weir").read()
        rc, out, err = weir("replay", "-q", f"{name}.weir", "--in", f"{name}={name}.csv", cwd=f)
        equal((rc, len(out.splitlines())), (0, 1))
        rc, out, err = weir("replay", "p.weir", "--in", f"payments={name}.csv", cwd=f)
        equal((rc, out), (4, ""))
        shown = option if sign == "\t" else sign
        assert (f"weir: {name}.csv:1: the header is one column, 'card{sign}amount{sign}status{sign}at'; where '{shown}' stands "
                f"between the fields, add delimiter = '{shown}' to WITH (…) of payments\n") in err, err
    with open(f + "/one.csv", "w") as file:
        file.write("amount\n900\n")
    equal(weir("replay", "-q", "p.weir", "--in", "payments=one.csv", cwd=f)[0], 0)


@case
def columns_of_csv_without_a_name_or_with_the_same_one(f):
    with open(f + "/a.csv", "w") as file:
        file.write("card,,amount,amount,\nc1,x,5,6,\nc2,y,7,8,\n")
    rc, out, err = weir("query", "SELECT card, column_2 FROM 'a.csv'", "-o", "csv", cwd=f)
    equal((rc, out), (0, "card,column_2\nc1,x\nc2,y\n"))
    assert "warning[W2013]: a.csv: column 2 has no name in the header and is called column_2\n" in err, err
    rc, out, err = weir("query", "SELECT * FROM 'a.csv'", cwd=f)
    equal((rc, out), (4, ""))
    assert "a.csv: columns 3 and 4 of the header are both called amount; rename one of them" in err, err
    with open(f + "/b.csv", "w") as file:
        file.write("card,Amount,amount,\nc1,5,7,\n")
    rc, out, err = weir("query", "SELECT * FROM 'b.csv'", cwd=f)
    equal((rc, out), (0, '{"card":"c1","Amount":5,"amount":7,"column_4":null}\n'))
    with open(f + "/q.weir", "w") as file:
        file.write("CREATE STREAM s (card STRING, amount INT) WITH (format = 'csv');\nSELECT card FROM s;\n")
    equal(weir("replay", "q.weir", "--in", "s=a.csv", cwd=f)[:2], (0, '{"card":"c1"}\n{"card":"c2"}\n'))


@case
def a_dropped_row_is_told_with_its_clause_or_column(f):
    with open(f + "/w.jsonl", "w") as file:
        file.write('{"a":4,"b":0,"s":"x","at":"2026-01-01T00:00:00Z"}\n{"a":4,"b":2,"s":"1","at":"2026-01-01T00:00:01Z"}\n'
                   '{"a":4,"b":2,"s":"1"}\n')
    for text, where, out in (("SELECT a FROM w WHERE a / b > 1", "division by zero (W3002) in WHERE", '{"a":4}\n'),
                             ("SELECT COUNT(*) AS n FROM w WHERE a / b > 1", "division by zero (W3002) in WHERE", '{"n":1}\n'),
                             ("SELECT SUM(a) AS n FROM w WHERE s::INT = 1", "cast (W3003) in WHERE", '{"n":4}\n'),
                             ("SELECT SUM(a) FILTER (WHERE b < 9) AS n FROM w WHERE a / b > 9", "division by zero (W3002) in WHERE",
                              '{"n":null}\n'),
                             ("SELECT SUM(a) AS n FROM w WHERE a / b > 1 GROUP BY s", "division by zero (W3002) in WHERE", '{"n":4}\n'),
                             ("SELECT SUM(a / b) AS n FROM w", "division by zero (W3002) in 'SUM(a / b)'", '{"n":2}\n'),
                             ("SELECT a / b AS n FROM w", "division by zero (W3002) in 'n'", '{"n":2}\n')):
        rc, rows, err = weir("query", text, "w=w.jsonl", cwd=f)
        equal((text, rc, rows), (text, 0, out))
        assert f"dropped by select_1: {where} at w.jsonl, record 1\n" in err, err
        assert "1 dropped by select_1: bad row, " + where + ", first at w.jsonl, record 1\n" in err, err
        assert "dropped by w: no event time (W3104) in 'at' at w.jsonl, record 3\n" in err, err


@case
def a_name_that_explain_does_not_find_is_suggested(f):
    with open(f + "/e.weir", "w") as file:
        file.write(PROGRAM + "SELECT card FROM payments;\n")
    rc, out, err = weir("explain", "e.weir:bgi", cwd=f)
    equal((rc, out), (2, ""))
    equal(err, "weir: e.weir: no query or pattern is called 'bgi'; did you mean 'big'?\n")
    rc, out, err = weir("explain", "e.weir:alerts", cwd=f)
    equal(err, "weir: e.weir: no query or pattern is called 'alerts'; there are payments, big, select_1\n")


@case
def what_stands_at_the_wrong_place_is_told(f):
    text = 'query wants its text first: weir query "SELECT * FROM payments" payments.jsonl\n'
    for args, said in ((("query", "payments.jsonl", "SELECT card FROM payments"), "weir: " + text),
                       (("query", "payments.jsonl"), "weir: " + text),
                       (("query", "SELECT", "card", "FROM", "payments", "payments.jsonl"),
                        'weir: query wants its text as one word, in quotes: weir query "SELECT …" payments.jsonl\n'),
                       (("query", "  ", "payments.jsonl"), "weir: the text of the query is empty\n"),
                       (("explain", "p.weir", "big"), "weir: explain wants one program: weir explain p.weir:big\n"),
                       (("explain", "p.weir", "big", "x"), "weir: explain wants one program: weir explain PROGRAM[:NAME]\n")):
        equal((args, *weir(*args, cwd=f)), (args, 2, "", said))
    rc, out, err = weir("check", "payments.jsonl", cwd=f)
    assert rc == 3 and "no statement begins with {" in err and 'weir query "SELECT …" FILE reads records' in err, err
    with open(f + "/w.weir", "w") as file:
        file.write("CREATE STREAM s (n INT, at TIMESTAMP, WATERMARK FOR at AS at);\n"
                   "PATTERN rises FROM s MATCH a b WITHIN 1m DEFINE a AS n = 1, b AS n = 2 SELECT a.n;\n")
    rc, out, err = weir("why", "w.weir", "--in", "s=payments.jsonl", "--pattern", "riess", cwd=f)
    equal((rc, err), (2, "weir: the program has no pattern 'riess'; did you mean 'rises'?\n"))
    rc, out, err = weir("why", "w.weir", "--in", "s=payments.jsonl", "--pattern", "other", cwd=f)
    equal((rc, err), (2, "weir: the program has no pattern 'other' (rises)\n"))


@case
def help_explains_a_function_by_its_name(f):
    rc, out, err = weir("help", "substring")
    equal((rc, err), (0, ""))
    assert out.startswith("SUBSTRING(text, from [, length])\n  The characters from position"), out
    equal(weir("help", "ABS")[1], "ABS(x)\n  Without its sign.\n")
    rc, out, err = weir("help", "functions")
    lines = [line for line in out.splitlines() if line.startswith("  ")]
    equal(len(lines), len(set(lines)))
    rc, out, err = weir("help", "substrng")
    equal((rc, err), (2, "weir: no command, topic or code 'substrng'; did you mean 'SUBSTRING'?\n"))


@case
def a_path_may_quote_its_steps(f):
    with open(f + "/d.weir", "w") as file:
        file.write("CREATE STREAM d (a STRING FROM '$.\"Device ID\"', b STRING FROM '$[\"Device ID\"]', c INT FROM '$.\"x.y\".z[1]');\n"
                   "SELECT a, b, c FROM d;\n")
    equal(weir("replay", "-q", f + "/d.weir", "-", stdin='{"Device ID":"d1","x.y":{"z":[1,2]}}\n')[:2],
          (0, '{"a":"d1","b":"d1","c":2}\n'))


@case
def tagged_lines_say_which_output_they_belong_to(f):
    equal(weir("replay", "--tag", f + "/p.weir", f + "/payments.jsonl")[1],
          '{"big":{"card":"c2","amount":900}}\n{"big":{"card":"c1","amount":700.25}}\n')


@case
def parameters_from_the_command_line_and_the_environment(f):
    with open(f + "/q.weir", "w") as file:
        file.write(PROGRAM.replace("> 500", "> :least").replace("CREATE STREAM big;", "CREATE STREAM big;\nCREATE PARAMETER least DOUBLE;"))
    args = ["replay", "-q", f + "/q.weir", f + "/payments.jsonl"]
    equal(weir(*args, "--param", "least=800")[:2], (0, '{"card":"c2","amount":900}\n'))
    equal(weir(*args, env={"WEIR_PARAM_LEAST": "800"})[:2], (0, '{"card":"c2","amount":900}\n'))
    equal(weir(*args, "--param", "least=800", env={"WEIR_PARAM_LEAST": "1"})[:2], (0, '{"card":"c2","amount":900}\n'))
    rc, out, err = weir(*args)
    assert rc == 2 and "least" in err, (rc, err)
    rc, out, err = weir(*args, "--param", "leest=1")
    assert rc == 2 and "least" in err, (rc, err)


@case
def a_program_file_runs_in_place_of_the_text(f):
    equal(weir("compile", f + "/p.weir")[:2], (0, ""))
    equal(weir("replay", f + "/p.weirc", f + "/payments.jsonl")[:2], (0, BIG))
    assert weir("explain", f + "/p.weirc")[0] == 0


@case
def check_shows_every_error_at_once(f):
    with open(f + "/bad.weir", "w") as file:
        file.write("SELECT x FROM nowhere;\nSELECT y FROM payments;\n" + PROGRAM)
    rc, out, err = weir("check", "bad.weir", cwd=f)
    assert rc == 3 and "bad.weir:1:" in err and "bad.weir:2:" in err and "\033[" not in err, err
    rc, out, err = weir("check", "--json", "bad.weir", cwd=f)
    assert rc == 3 and len(json.loads(out)["diagnostics"]) >= 2
    assert "\033[" in weir("check", "--color=always", "bad.weir", cwd=f)[2]
    assert weir("check", "--format", "github", "bad.weir", cwd=f)[1].startswith("::error file=bad.weir,line=1")


@case
def fmt_is_idempotent_and_checks(f):
    rc, out, err = weir("fmt", f + "/p.weir")
    assert rc == 0, err
    equal(weir("fmt", "-", stdin=out)[1], out)
    equal(weir("fmt", "--check", "-", stdin=out)[0], 0)
    equal(weir("fmt", "--check", "-", stdin="select 1 ;  \n\n\n")[0], 1)
    weir("fmt", "-w", f + "/p.weir")
    equal(open(f + "/p.weir").read(), out)


@case
def init_writes_a_program_that_runs(f):
    rc, out, err = weir("init", "--from", "payments.jsonl", cwd=f)
    assert rc == 0 and "weir replay ./payments.weir --in payments=payments.jsonl" in err, err
    rc, out, err = weir("replay", "-q", "payments.weir", "--in", "payments=payments.jsonl", cwd=f)
    equal((rc, len(out.splitlines())), (0, 3))
    assert weir("init", "--from", "payments.jsonl", cwd=f)[0] == 2, "overwrote a file"


@case
def what_init_writes_is_in_order(f):
    os.makedirs(f + "/sample")
    os.makedirs(f + "/recording")
    with open(f + "/odd name.csv", "w") as file:
        file.write("card,,at,select\nc1,5,2026-01-01T00:00:00Z,x\nc2,7,2026-01-01T00:00:09Z,y\nc2,7,2026-01-01T00:00:01Z,y\n")
    equal(weir("init", "sample", cwd=f)[0], 0)
    equal(weir("init", "recording", "--from", "payments.jsonl", cwd=f)[0], 0)
    rc, out, err = weir("init", "recording", "--from", "odd name.csv", cwd=f)
    equal(rc, 0)
    assert err.endswith('--in "odd_name=odd name.csv"\n'), err
    for folder in ("sample", "recording"):
        equal(weir("fmt", "--check", folder, cwd=f), (0, "", ""))
        equal(weir("check", cwd=f + "/" + folder), (0, "", ""))
        rc, out, err = weir("test", cwd=f + "/" + folder)
        assert rc == 0 and " 0 failed, 0 skipped" in out, out + err


@case
def init_reads_headers_as_replay_does(f):
    with open(f + "/quotes.csv", "w") as file:
        file.write('id,"a ""b"" c",at\nx,1,2026-01-01T00:00:00Z\n')
    with open(f + "/twice.csv", "w") as file:
        file.write("id,n,id,at\nx,1,2,2026-01-01T00:00:00Z\n")
    equal(weir("init", "--from", "quotes.csv", cwd=f)[0], 0)
    rc, out, err = weir("replay", "-q", "quotes.weir", "--in", "quotes=quotes.csv", cwd=f)
    equal((rc, json.loads(out)['a "b" c']), (0, 1))
    rc, out, err = weir("init", "--from", "twice.csv", cwd=f)
    assert rc == 4 and "both called id; rename one of them" in err and "now run" not in err, (rc, err)


@case
def annotations_stand_in_order_of_place(f):
    with open(f + "/q.weir", "w") as file:
        file.write("CREATE STREAM s (a INT);\nSELECT b FROM s;\nSELECT a FORM s;\nSELECT c FROM s;\n")
    rc, out, err = weir("check", "--format", "github", "q.weir", cwd=f)
    equal(rc, 3)
    lines = [int(line.split("line=")[1].split(",")[0]) for line in out.splitlines()]
    equal(lines, sorted(lines))
    rc, out, err = weir("explain", "q.weir", cwd=f)
    assert rc == 3 and "`weir check q.weir`" in err, err


@case
def explain_in_every_format(f):
    assert "payments" in weir("explain", f + "/p.weir")[1]
    assert weir("explain", "--format", "dot", f + "/p.weir")[1].startswith("digraph")
    json.loads(weir("explain", "--json", f + "/p.weir")[1])
    assert "amount" in weir("explain", "--bytecode", f + "/p.weir")[1]
    assert weir("explain", f + "/p.weir:nothing")[0] == 2


@case
def help_for_commands_topics_and_codes(f):
    for name in ("query", "replay", "check", "compile", "explain", "fmt", "init", "help", "version", "completion"):
        rc, out, err = weir(name, "--help")
        assert rc == 0 and out.startswith("Example:"), (name, out, err)
        assert weir(name, "-h")[1].startswith("Usage:")
    for topic in ("patterns", "time", "types", "functions", "windows", "files", "exit-codes", "settings"):
        rc, out, err = weir("help", topic)
        assert rc == 0 and out, topic
    rc, out, err = weir("help", "paterns")
    assert rc == 2 and "did you mean 'patterns'?" in err, err
    assert "W0301" in weir("help", "W0301")[1]
    settings = weir("help", "settings")[1]
    assert "memory_max" in settings and "skip, stop, dlq:NAME; if not said: skip" in settings, settings
    assert "savepoint DIR TO" in weir("help", "checkpoints")[1]
    of_command = weir("help", "state")[1]  # a command and a topic
    assert of_command.startswith("Example:") and "savepoint DIR TO" in of_command, of_command


@case
def versions_and_completions(f):
    assert weir("--version")[1].startswith("weir ")
    equal(json.loads(weir("version", "--json")[1])["version"], 1)
    for shell in ("bash", "zsh", "fish"):
        assert "replay" in weir("completion", shell)[1]
    script = weir("completion", "bash")[1]
    equal(subprocess.run(["bash", "-n"], input=script, text=True).returncode, 0)
    equal(weir("completion", "tcsh")[0], 2)


# An hour of absences that each arm the next, a microsecond later: 3.6 billion moments between two rows.
ENDLESS = ("CREATE STREAM s (at TIMESTAMP, kind STRING, WATERMARK FOR at AS at);\n"
           "PATTERN p FROM s MATCH a -> (NOT b FOR 1us)+ -> c WITHIN 2h "
           "DEFINE a AS kind = 'a', b AS kind = 'b', c AS kind = 'c' SELECT a.at AS first;\n")
ENDLESS_ROWS = '{"at":1700000000000,"kind":"a"}\n{"at":1700003600000,"kind":"c"}\n'


@case
def outputs_of_one_file_share_it_however_it_is_spelt(f):
    with open(f + "/two.weir", "w") as p:
        p.write(PROGRAM + "CREATE STREAM small;\nINSERT INTO small SELECT card FROM payments WHERE amount < 500;\n")
    wanted = '{"small":{"card":"c1"}}\n{"big":{"card":"c2","amount":900}}\n{"big":{"card":"c1","amount":700.25}}\n'
    os.symlink("one", f + "/link")
    open(f + "/one", "w").write("older")
    for big, small in (("x", "./x"), ("x", f + "/x"), ("one", "link"), ("y", "../" + os.path.basename(f) + "/y")):
        for _ in range(2):  # also over a file that is there
            rc, out, err = weir("replay", "two.weir", "--in", "payments.jsonl", "--out", "big=" + big, "--out", "small=" + small,
                                "-q", cwd=f)
            equal((rc, err, open(f"{f}/{big}").read()), (0, "", wanted))


@case
def results_are_not_written_over_the_program(f):
    os.symlink("p.weir", f + "/link")
    for out in ("p.weir", "./p.weir", "link"):
        rc, _, err = weir("replay", "p.weir", "--in", "payments.jsonl", "--out", "big=" + out, cwd=f)
        equal((rc, err), (2, f"weir: --out big={out}: results cannot be written over the program\n"))
    equal(open(f + "/p.weir").read(), PROGRAM)


@case
def an_interrupt_ends_whatever_runs(f):
    with open(f + "/e.weir", "w") as e:
        e.write(ENDLESS)
    with open(f + "/s.jsonl", "w") as s:
        s.write(ENDLESS_ROWS)
    with open(f + "/e.wtest", "w") as t:
        t.write('use "e.weir"\nstart 2026-03-03T18:00:00Z\n\n=== endless\n+0s s kind=a\n+1h s kind=c\n---\nnone\n')
    query = ENDLESS.split("\n")[1].rstrip(";")
    for args in (["replay", f + "/e.weir", "--in", "s=" + f + "/s.jsonl"], ["query", query, f + "/s.jsonl"],
                 ["why", f + "/e.weir", "--in", "s=" + f + "/s.jsonl"], ["test", f + "/e.wtest"]):
        for number in (signal.SIGINT, signal.SIGTERM):
            p = subprocess.Popen([WEIR, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
            time.sleep(0.3)
            assert p.poll() is None, (args, p.communicate())
            p.send_signal(number)
            out, err = p.communicate(timeout=20)
            assert p.returncode in (128 + number, -number), (args, p.returncode, err)
            equal(out, "")


finish()
