#!/usr/bin/env python3
"""weir test, weir why and the layout of tests: every form of a line, every verdict, the texts of failures."""
import json, os, random, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Skip, case, equal, finish
import xml.etree.ElementTree as xml

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
PROGRAM = """CREATE STREAM payments (
    card STRING KEY, amount DECIMAL(12,2), status STRING, score DOUBLE, ok BOOLEAN, seen TIMESTAMP,
    city STRING FROM '$.place.city', zip INT FROM '$.place.zip', doubled INT AS zip * 2, at TIMESTAMP,
    WATERMARK FOR at AS at - 5s);
CREATE STREAM alerts;
CREATE STREAM big;
PATTERN card_testing FROM payments PARTITION BY card
MATCH   small{3,} -> large WITHIN 10m
DEFINE  small AS status = 'declined',
        large AS status = 'approved' AND amount > 5 * AVG(small.amount)
SELECT  card, COUNT(small.*) AS tries, SUM(small.amount) AS tried, large.amount AS amount
INTO    alerts;
INSERT INTO big SELECT card, amount, status, score, ok, seen, city, zip, doubled FROM payments WHERE amount > 1000;
CREATE STREAM hourly AS
SELECT card, window_start, COUNT(*) AS n FROM TUMBLE(payments, at, 1m) GROUP BY card, window_start, window_end;
CREATE STREAM busy;
INSERT INTO busy SELECT card, n FROM hourly WHERE n > 100;
"""
HEAD = 'use "p.weir"\nstart 2026-03-01T12:00:00Z\ndefault payments status=declined\n\n'
THREE = ("+0s payments card=c1 amount=1 #a\n+20s payments card=c1 amount=2 #b\n+40s payments card=c1 amount=3 #c\n"
         "+60s payments card=c1 amount=500 status=approved #d\n")


def weir(*args, cwd, stdin=None, env=None):
    base = {k: v for k, v in os.environ.items() if k != "CI"}
    p = subprocess.run([WEIR, *args], input=stdin, capture_output=True, text=True, timeout=60, cwd=cwd,
                       env=dict(base, **(env or {})))
    return p.returncode, p.stdout, p.stderr


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)


def run(folder, case, head=HEAD, args=(), program=PROGRAM):
    write(folder, "p.weir", program)
    write(folder, "t.wtest", head + case)
    return weir("test", "t.wtest", *args, cwd=folder)


def ok(folder, case, **more):
    rc, out, err = run(folder, "=== it\n" + case, **more)
    assert rc == 0 and out.endswith("1 passed, 0 failed, 0 skipped\n"), out + err


def says(folder, case, text, rc=1, **more):
    got, out, err = run(folder, "=== it\n" + case, **more)
    assert got == rc and text in out, f"exit {got}\n{out}{err}\nwanted {text!r}"
    return out


@case
def the_example_of_the_manual(f):
    ok(f, THREE + "---\n+60s alerts card=c1 tries=3 amount=500 <- #a #b #c #d\n")


@case
def times_relative_to_the_line_before_and_absolute(f):
    ok(f, "+0s payments card=c1 amount=1\n~20s payments card=c1 amount=2\n~20s payments card=c1 amount=3\n"
          "2026-03-01T12:01:00Z payments card=c1 amount=500 status=approved\n---\n2026-03-01T12:01:00Z alerts tries=3\n")
    ok(f, THREE + "---\n* alerts tries=3\n")


@case
def times_may_have_fractions_of_their_last_unit(f):
    ok(f, "+0.000001s payments card=a amount=2000 seen=+1.25s\n~1.5s payments card=b amount=2000 x2 every 0.25ms\n"
          "+1h0m9.999s payments card=c amount=2000\n+1.5h payments card=d amount=2000 #d\n+1h payments card=e amount=2000 #e\n---\n"
          "+1us big card=a seen=+1250ms\n+1.500001s big card=b\n+1500.251ms big card=b\n* big\n+60m big card=e\n"
          "* big card=d <- #d\nlate #e by 29m55.0s\n")
    out = says(f, "+1.5s payments card=a amount=2000\n---\n+1h0.25ms big card=a\n", "time: expected +1h250us, came +1.5s")
    assert "came  +1.5s big card=a" in out, out
    for word, why in (("+1.0000005s", "'1.0000005s' is finer than a microsecond"), ("+0.5us", "'0.5us' is finer than a microsecond"),
                      ("+1.5m30s", "'1.5m30s' has a fraction in a unit that is not its last: write 1m30.5s"),
                      ("+1.s", "'1.s' is no length of time, such as 10s, 1m30s, 1.5s, 250ms"), ("+.5s", "'.5s' is no length"),
                      ("~1.5", "'1.5' is no length"), ("+1.5.5s", "'1.5.5s' is no length"), ("+1.5x", "'1.5x' is no length"),
                      ("9.999s", "a time has a sign: +9.999s behind the start, or ~9.999s behind the line before")):
        says(f, word + " payments card=a\n---\nnone\n", "ERROR t.wtest:5: it\n  t.wtest:6: " + why)
    says(f, "+1s payments card=a amount=2000 seen=+1.0000001s\n---\nnone\n", "t.wtest:6: '+1.0000001s' is finer than a microsecond")
    says(f, "+1s payments card=a #x\n---\nnone\nlate #x by 0.0000001s\n", "t.wtest:9: '0.0000001s' is finer than a microsecond")


@case
def values_that_begin_with_a_slash(f):
    """Above the line a word like any other; below it an expression from / to /, and a text only in quotes."""
    ok(f, "+0s payments card=/var/log amount=2000 city=/\n+1s payments card=/a/ amount=2000\n---\n"
          '+0s big card="/var/log" city="/"\n+1s big card=/^\\/a\\/$/\n')
    ok(f, '+0s payments card="a b" amount=2000\n---\n+0s big card=/a b/   # blanks too\n')
    says(f, "+0s payments card=/usr/bin amount=2000\n---\n+0s big card=/usr/bin\n",
         "t.wtest:8: a regular expression ends with its second /: write \\/ for a slash inside it, and a text that begins with / "
         "in double quotes")
    says(f, "+0s payments card=/usr amount=2000\n---\n+0s big card=/usr\n",
         "t.wtest:8: a regular expression is not closed: /…/; a text that begins with / stands in double quotes")
    says(f, "---\nnone\n=== b\n+0s payments card=/usr/bin amount=2000\n---\nnone\n", '+0s big card="/usr/bin"')
    write(f, "t.wtest", '=== path=/usr "is any text\n+0s payments card=/a b=/c  d=1\n---\n+0s big card=/a b/  x=1\n')
    equal(weir("fmt", "t.wtest", cwd=f)[1], '=== path=/usr "is any text\n+0s  payments card=/a b=/c d=1\n---\n+0s  big card=/a b/ x=1\n')


@case
def repeated_lines_count_and_have_numbers(f):
    ok(f, "+0s payments card=c1 amount=$i x3 every 10s #a\n~10s payments card=c1 amount=500 status=approved #b\n---\n"
          "+30s alerts tried=3 amount=500 <- #a #b\n")
    ok(f, "+0s payments card=c$i amount=2000 x2 #a\n---\nunordered\n+0s big card=c1 <- #a[1]\n+0s big card=c0 <- #a[0]\n")


@case
def records_as_objects_and_bytes(f):
    ok(f, '+0s payments {"card":"c1","amount":2000,"place":{"city":"Ulm","zip":7}} #a\n---\n'
          "+0s big card=c1 city=Ulm zip=7 doubled=14 <- #a\n")
    ok(f, '+0s payments {"at":"2026-03-01T12:00:09Z","card":"c1","amount":2000}\n---\n+9s big card=c1\n')
    ok(f, "+0s payments bytes=0x00ff #x\n---\nnone\ndropped 1 decode\n")


@case
def values_of_every_type(f):
    ok(f, '+0s payments card="a b" amount=1000.01 score=3.1415 ok=true seen=+5s city="x=\\"y\\"" zip=12 status=null\n---\n'
          '+0s big card="a b" amount=1000.010 score=3.14~0.01 ok=true seen=+5s city="x=\\"y\\"" zip=12 status=null doubled=24\n')
    ok(f, "+0s payments card=123 amount=2000 score=1e3\n---\n+0s big card=\"123\" card=* score=1000\n".replace("card=* ", ""))
    ok(f, "+0s payments card=abc amount=2000\n---\n+0s big card=/^a.c$/ amount=* zip=null\n")
    says(f, "+0s payments card=abc amount=2000\n---\n+0s big card=/^b/\n", "card: expected /^b/, came \"abc\"")
    says(f, "+0s payments card=abc amount=2000 score=3.2\n---\n+0s big score=3.1~0.05\n", "score: expected 3.1~0.05, came 3.2")


@case
def none_not_others_unordered(f):
    ok(f, "+0s payments card=c1 amount=1\n---\nnone\n")
    ok(f, THREE + "---\n...\n")
    ok(f, THREE + "---\n...\nnot alerts card=c2\nnot big\n")
    out = says(f, THREE + "---\n...\nnot alerts card=c1\n", "not alerts card=c1, and it came:")
    assert "+1m alerts card=c1 tries=3 tried=6.00 amount=500.00 <- #a #b #c #d" in out, out
    two = "+0s payments card=c1 amount=2000\n+1s payments card=c2 amount=2000\n---\n"
    ok(f, two + "+0s big card=c1\n+1s big card=c2\n")
    ok(f, two + "unordered\n+1s big card=c2\n+0s big card=c1\n")
    says(f, two + "+1s big card=c2\n+0s big card=c1\n", "it came behind the row of line 10; `unordered` below the line lets it")
    says(f, THREE + "---\nnone\n", "came, and is not expected:  +1m alerts card=c1")


@case
def derived_streams_count_where_they_are_named(f):
    ok(f, THREE + "---\nunordered\n+60s alerts tries=3\n* hourly card=c1 window_start=+0s n=3\n* hourly window_start=+1m n=1\n")
    says(f, THREE + "---\nunordered\n+60s alerts tries=3\n* hourly card=c1 n=3 <- #a\n* hourly n=1\n",
         "rows: not known behind a window")


@case
def late_rows_and_drops_must_be_said(f):
    late = "+2m payments card=c1 amount=1\n+1m payments card=c1 amount=2 #x\n---\n"
    ok(f, late + "none\nlate #x by 55s\n")
    ok(f, late + "none\nlate #x\n")
    says(f, late + "none\nlate #x by 54s\n", "it came late by 55s")
    says(f, late + "none\n", "dropped by card_testing, and not expected:  #x: late by 55s")
    says(f, "+2m payments card=c1 #x\n---\nnone\nlate #x\n", "it was not late")
    says(f, "+0s payments bytes=0x7b #x\n---\nnone\ndropped 2 decode\n", "expected  dropped 2 decode\n    came 1")
    ok(f, "+0s payments card=c1 amount=abc\n---\nnone\ndropped 1 decode\n")
    ok(f, "+0s payments card=c1 amount=2000 zip=2000000000 #x\n---\nnone\ndropped 1 row\n")
    ok(f, "+0s payments card=c1 amount=2000 zip=2000000000 #x\n---\nnone\ndropped 1 W3001\n")
    says(f, "+0s payments card=c1 amount=2000 zip=2000000000 #x\n---\nnone\n", "#x: overflow (W3001) in 'doubled'")


@case
def open_starts_are_counted_before_the_end(f):
    ok(f, "+0s payments card=c1 amount=1\n+1s payments card=c2 amount=1\n---\nnone\nopen card_testing 2\n")
    ok(f, "+0s payments card=c1 amount=1\nwatermark +11m\n---\nnone\nopen card_testing 0\n")
    says(f, "+0s payments card=c1 amount=1\n---\nnone\nopen card_testing 5\n", "expected  open card_testing 5\n    came 1")


@case
def a_watermark_makes_later_rows_late(f):
    ok(f, "+0s payments card=c1 amount=1\nwatermark +30s\n+10s payments card=c1 amount=1 #x\n---\nnone\nlate #x by 20s\n")


@case
def files_are_brought_as_inputs(f):
    write(f, "day.jsonl", '{"card":"c9","amount":5000,"at":"2026-03-01T12:00:00Z"}\n')
    ok(f, 'input payments "day.jsonl"\n+1s payments card=c1 amount=6000 #b\n---\n+0s big card=c9\n+1s big card=c1 <- #b\n')
    says(f, 'input payments "nothing.jsonl"\n---\nnone\n', "nothing.jsonl: No such file or directory")


@case
def parameters_may_be_set(f):
    program = PROGRAM.replace("amount > 1000", "amount > :least") + "CREATE PARAMETER least DOUBLE;\n"
    ok(f, "param least=10\n+0s payments card=c1 amount=11\n---\n+0s big amount=11\n", program=program)
    says(f, "param leest=10\n+0s payments card=c1\n---\nnone\n", "ERROR", program=program)


@case
def errors_of_the_program_can_be_expected(f):
    bad = "CREATE STREAM s (a INT, at TIMESTAMP, WATERMARK FOR at AS at);\nSELECT b FROM s;\n"
    rc, out, err = weir("check", "--json", "-", cwd=f, stdin=bad)
    d = json.loads(out)["diagnostics"][0]
    code, line, column = d["code"], 2, 8
    ok(f, f"---\nerror {code} {line}:{column}\n", program=bad)
    ok(f, f"---\nerror {code}\n", program=bad)
    says(f, f"---\nerror {code} 3:1\n", "the program has no such error", program=bad)
    says(f, "---\nerror W0107\n", f"the program has an error that is not expected: {code} 2:8", program=bad)
    says(f, f"---\nerror {code}\n", "and the program has no error")
    says(f, "---\nnone\n", f"error[{code}]", program=bad)


@case
def every_verdict_and_its_count(f):
    rc, out, err = run(f, "=== good\n---\nnone\n=== bad\n" + THREE + "---\nnone\n=== broken\n+0s payments crad=c1\n---\nnone\n"
                       "=== later\nskip not today\n---\nnone\n=== known\nxfail bug 7\n" + THREE + "---\nnone\n"
                       "=== mended\nxfail bug 8\n---\nnone\n=== live\nwallclock ~5m\n---\nnone\n")
    equal(rc, 1)
    for line in ("ok    t.wtest:5: good", "FAIL  t.wtest:8: bad", "ERROR t.wtest:15: broken",
                 "SKIP  t.wtest:19: later (not today)", "XFAIL t.wtest:23: known", "XPASS t.wtest:31: mended",
                 "SKIP  t.wtest:35: live (`wallclock` needs a live input, which does not run yet)",
                 "stream payments has no column 'crad'; did you mean 'card'?"):
        assert line in out, (line, out)
    assert out.endswith("2 passed, 3 failed, 2 skipped\n"), out


@case
def a_failure_shows_the_field_the_rows_and_why(f):
    rc, out, err = run(f, "=== it\n" + THREE + "---\n+60s alerts card=c1 tries=4 amount=500 <- #a #b #d\n")
    equal(out, "FAIL  t.wtest:5: it\n"
          "  t.wtest:11: expected  +60s alerts card=c1 tries=4 amount=500 <- #a #b #d\n"
          "    came  +1m alerts card=c1 tries=3 tried=6.00 amount=500.00 <- #a #b #c #d\n"
          "      tries: expected 4, came 3\n"
          "      rows: expected #a #b #d, came #a #b #c #d: #c took part too\n"
          "    rows around it:\n"
          "         6  +0s payments card=c1 amount=1 #a\n"
          "         7  +20s payments card=c1 amount=2 #b\n"
          "         8  +40s payments card=c1 amount=3 #c\n"
          "         9  +60s payments card=c1 amount=500 status=approved #d\n"
          "0 passed, 1 failed, 0 skipped\n")
    out = says(f, THREE.replace("amount=500", "amount=5") + "---\n+60s alerts card=c1\n", "did not come")
    for line in ("why: the best partial match", "card_testing for c1: came as far as 3 rows", "small took #a +0s",
                 "large refused #d +1m: status = 'approved' AND amount > 5 * AVG(small.amount), where amount = 5.00, "
                 "status = 'approved', AVG(small.amount) = 2.000000", "it ended with the input"):
        assert line in out, (line, out)
    says(f, "+0s payments card=c1 status=approved\n---\n+60s alerts card=c1\n", "no row of c1 before it began a match of card_testing\n          it begins with small AS status = 'declined'")


@case
def what_an_expectation_names_must_be_there(f):
    says(f, "---\n+0s alrets card=c1\n", "ERROR t.wtest:5: it\n  t.wtest:7: the program has no output 'alrets'; did you mean 'alerts'?")
    says(f, "---\n+0s alerts trys=1\n", "output alerts has no column 'trys'; did you mean 'tries'?")
    says(f, "---\n+0s alerts tries=1 <- #z\n", "no line above is labelled #z")
    says(f, "---\nopen nothing 0\n", "the program has no pattern 'nothing'")
    says(f, "+0s paymnts card=c1\n---\nnone\n", "the program has no stream 'paymnts'; did you mean 'payments'?")


@case
def bad_lines_are_errors_with_their_places(f):
    for line, text in (("+x payments a=1", "'x' is no length of time, such as 10s, 1m30s, 1.5s, 250ms"),
                       ("+0s payments card", "'card' is no field: write name=value"),
                       ("+0s payments card=", "card= wants a value; an empty text is \"\""),
                       ("+0s payments card=\"a", "a text in quotes is not closed"),
                       ("+0s payments {\"a\":1", "a JSON object is not closed"),
                       ("+0s payments {\"a\":}", "this is no JSON object"),
                       ("+0s payments card=1 card=2", "field 'card' stands twice in one line"),
                       ("+0s payments bytes=0x0", "write pairs of hexadecimal digits behind 0x"),
                       ("+0s payments card=c1 x0", "a line is repeated 1 to"),
                       ("+0s payments doubled=1", "column doubled is computed; give what it is computed from"),
                       ("whatever", "'whatever' is not understood above the line"),
                       ("watermark", "write the time behind it: watermark +30s"),
                       ("+0s payments card=c1 #a\n+0s payments card=c2 #a", "the label #a stands on line 6 already")):
        says(f, line + "\n---\nnone\n", text)
    says(f, "---\nwhatever\n", "t.wtest:7: 'whatever' is not understood below the line")
    says(f, "none\n", "'none' is not understood above the line")
    says(f, "", "no --- in this case")
    says(f, "---\n", "nothing stands below the line")
    says(f, "---\nnone\n", "no program: write use", head="")
    says(f, "---\nnone\n", "q.weir: No such file or directory", head='use "q.weir"\n')


@case
def files_of_other_editors_are_read(f):
    """A byte order mark, CRLF and tabs do no harm; what would be taken wrongly in silence is refused with its place."""
    good = HEAD + "=== it\n+0s\tpayments\tcard=c1 amount=2000\t#a\n---\n+0s\tbig\tcard=c1\t<-\t#a\n"
    program = PROGRAM.encode()
    write(f, "p.weir", PROGRAM)
    for text in (good, "\ufeff" + good, good.replace("\n", "\r\n"), "\ufeff" + good.replace("\n", "\r\n"), good.rstrip("\n"),
                 good.replace("\n", "  \r\n").rstrip("\n")):
        with open(f + "/t.wtest", "wb") as t:
            t.write(text.encode())
        rc, out, err = weir("test", "t.wtest", cwd=f)
        assert (rc, out) == (0, "ok    t.wtest:5: it\n1 passed, 0 failed, 0 skipped\n"), (text, out, err)
        equal(weir("fmt", "t.wtest", cwd=f)[1], 'use "p.weir"\nstart 2026-03-01T12:00:00Z\ndefault payments status=declined\n\n=== it\n'
              "+0s  payments card=c1 amount=2000  #a\n---\n+0s  big card=c1 <- #a\n")
    with open(f + "/p.weir", "wb") as t:
        t.write(b"\xef\xbb\xbf" + program.replace(b"\n", b"\r\n"))
    equal(weir("test", "t.wtest", cwd=f)[0], 0)
    write(f, "a.md", "\ufeff```sql\r\n" + PROGRAM.replace("\n", "\r\n") + "```\r\n```wtest\r\n+0s payments card=c amount=2000\r\n---\r\n+0s big card=c\r\n```\r\n")
    equal(weir("test", "a.md", cwd=f)[0], 0)
    for line, why in (("+0s payments\u00a0card=c1", "t.wtest:6: a blank that does not break, or a wide one, stands in this line"),
                      ("+0s\u3000payments card=c1", "t.wtest:6: a blank that does not break, or a wide one, stands in this line"),
                      ("+0s payments card=c1\r+1s payments card=c1", "t.wtest:6: a carriage return stands inside this line")):
        with open(f + "/t.wtest", "wb") as t:
            t.write((HEAD + "=== it\n" + line + "\n---\nnone\n").encode())
        rc, out, err = weir("test", "t.wtest", cwd=f)
        assert rc == 1 and why in out, out
    write(f, "t.wtest", HEAD + '=== it\n+0s payments card="a\u00a0b" amount=2000 # \u00a0\n---\n+0s big card="a\u00a0b"\n')
    equal(weir("test", "t.wtest", cwd=f)[0], 0)
    with open(f + "/t.wtest", "wb") as t:
        t.write(good.encode("utf-16"))
    equal(weir("test", "t.wtest", cwd=f)[1], "ERROR t.wtest:1: the file's head\n  t.wtest:1: the file is not UTF-8 (it may be "
          "UTF-16): save it as UTF-8\n0 passed, 1 failed, 0 skipped\n")
    rc, out, err = weir("fmt", "t.wtest", cwd=f)
    assert rc == 3 and "t.wtest:1: the file is not UTF-8" in err, err


@case
def update_keeps_the_ends_of_lines(f):
    write(f, "p.weir", PROGRAM)
    text = "\ufeff" + HEAD + "=== a\n+0s payments card=c1 amount=2000\n---\nnone\n\n=== b\n---\nnone\n"
    for end in ("\n", "\r\n"):
        with open(f + "/t.wtest", "wb") as t:
            t.write(text.replace("\n", end).encode())
        equal(weir("test", "--update", "-q", "t.wtest", cwd=f)[0], 0)
        want = text.replace("---\nnone\n\n", "---\n+0s big card=c1 amount=2000.00 status=declined score=null ok=null seen=null "
                            "city=null zip=null doubled=null\n\n").replace("\n", end)
        equal(open(f + "/t.wtest", "rb").read(), want.encode())
    with open(f + "/t.wtest", "wb") as t:
        t.write((HEAD + "=== a\n+0s payments card=c1 amount=1\n---\n+0s big\n\n=== b\n---\nnone").encode())
    equal(weir("test", "--update", "-q", "t.wtest", cwd=f)[0], 0)
    assert open(f + "/t.wtest").read().endswith("---\nnone\n\n=== b\n---\nnone\n"), open(f + "/t.wtest").read()


@case
def many_differences_are_told_shortly(f):
    rows = "".join(f"+{i}s payments card=c{i} amount=2000\n" for i in range(40))
    rc, out, err = run(f, "=== it\n" + rows + "---\nnone\n")
    equal((out.count("came, and is not expected"), out.count("rows around it:")), (20, 5))
    assert "  … and 20 more that are not expected\n" in out, out
    rc, out, err = run(f, "=== it\n" + THREE.replace("card=c1", "card=c$i").replace(" #", " x9 every 1s #") + "---\n+60s alerts card=c9\n")
    assert out.count("rows around it:") == 5 and out.count("why:") == 1, out
    rc, out, err = run(f, "=== it\n" + "".join(f"+{i}s payments bytes=0x7b\n" for i in range(30)) + "---\nnone\n")
    equal(out.count("dropped by"), 20)
    assert "  … and 10 more that are dropped\n    where that is meant, it stands below the line: dropped 30 decode\n" in out, out


@case
def reasons_name_rows_that_took_no_part(f):
    """Late, bad, left out by WHERE, of another key: what a pattern never saw is told too."""
    out = says(f, "+0s payments card=c1 amount=1\n+30s payments card=c1 amount=2\n+10s payments card=c1 amount=3 #late\n"
               "+60s payments card=c1 amount=500 status=approved\n---\n+60s alerts card=c1\nlate #late\n", "did not come")
    assert "#late +10s came late by 15s; a pattern takes no late row" in out, out
    out = says(f, "+0s payments card=c1 amount=1\n+1s payments card=c1 amount=2\n+2s payments card=c1 amount=x #bad\n"
               "+60s payments card=c1 amount=500 status=approved\n---\n+60s alerts card=c1\ndropped 1 decode\n", "did not come")
    assert "#bad +2s is bad: not a number (W3114) in 'amount'" in out, out
    out = says(f, "+0s payments card=c1 amount=1 x2 every 1s\n+2s payments card=c7 amount=1 #other\n"
               "+60s payments card=c1 amount=500 status=approved\n---\n+60s alerts card=c1\n", "did not come")
    assert "of other keys: 1 row that it waited for, the first #other +2s, small by its own columns, of c7" in out, out
    program = PROGRAM.replace("FROM payments PARTITION BY", "FROM payments WHERE city IS NULL PARTITION BY")
    out = says(f, "+0s payments card=c1 amount=1 x2 every 1s\n+2s payments card=c1 amount=1 city=Ulm #out\n"
               "+60s payments card=c1 amount=500 status=approved\n---\n+60s alerts card=c1\n", "did not come", program=program)
    assert "#out +2s was left out by WHERE" in out, out
    out = says(f, THREE + "+2m payments card=c1 amount=1 status=approved\n---\n+60s alerts card=c1\n+2m alerts card=c1\n", "did not come")
    assert "why: no other row of c1 before it began a match" not in out and "came as far as 2 rows" in out, out
    out = says(f, THREE + "---\n+60s alerts card=c1 <- #a #b #c #d\n+61s alerts card=c1 <- #d\n", "did not come")
    assert "why: #d began no match of card_testing\n          #d satisfies nothing that it begins with\n" in out, out


@case
def errors_of_a_program_are_shown_once(f):
    bad = PROGRAM.replace("status = 'declined'", "statsu = 'declined'")
    write(f, "p.weir", bad)
    write(f, "s.wtest", HEAD + "=== a\n---\nnone\n=== b\n---\nnone\n")
    write(f, "t.wtest", HEAD + "=== c\n---\nnone\n")
    rc, out, err = weir("test", cwd=f)
    equal((rc, out.count("error[W0302]")), (1, 1))
    assert "  s.wtest:8: the program has errors: see s.wtest:5\n" in out and "  t.wtest:5: the program has errors: see s.wtest:5\n" in out, out
    doc = json.loads(weir("test", "--json", cwd=f)[1])
    equal([c["text"].count("error[W0302]") for c in doc["cases"]], [1, 0, 0])


@case
def update_rewrites_what_is_below_the_line(f):
    rc, out, err = run(f, "=== one\n" + THREE + "---\n+60s alerts tries=9\n\n# about two\n=== two\n" + THREE + "---\nnone\n"
                       "=== three\n+0s payments nope=1\n---\nnone\n", args=["--update"])
    equal(rc, 1)
    assert "updated t.wtest:5: one\n  - +60s alerts tries=9\n  + +1m alerts card=c1 tries=3 tried=6.00 amount=500.00 <- #a #b #c #d\n" in out, out
    text = open(f + "/t.wtest").read()
    assert "---\n+1m alerts card=c1 tries=3 tried=6.00 amount=500.00 <- #a #b #c #d\n\n# about two\n=== two\n" in text, text
    assert text.endswith("=== three\n+0s payments nope=1\n---\nnone\n"), text
    assert "2 passed, 1 failed" in weir("test", cwd=f)[1]
    rc, out, err = weir("test", "--update", cwd=f, env={"CI": "true"})
    assert rc == 2 and "under CI" in err, err
    rc, out, err = run(f, "=== drops\n+2m payments card=c1\n+0s payments card=c1 #x\n+3m payments bytes=0x7b\n---\n", args=["--update"])
    assert open(f + "/t.wtest").read().endswith("---\nnone\nlate #x by 1m55s\ndropped 1 decode\n"), open(f + "/t.wtest").read()
    equal(weir("test", cwd=f)[0], 0)


@case
def cases_are_chosen_by_name_and_found_in_folders(f):
    os.mkdir(f + "/deep")
    write(f, "deep/p.weir", PROGRAM)
    write(f, "deep/u.wtest", HEAD + "=== apple\n---\nnone\n=== pear\n---\n+0s alerts tries=1\n")
    equal(weir("test", "--run", "app", cwd=f)[1], "ok    deep/u.wtest:5: apple\n1 passed, 0 failed, 0 skipped\n")
    equal(weir("test", "deep", cwd=f)[0], 1)
    equal(weir("test", "-q", "--run", "^apple$", cwd=f)[1], "1 passed, 0 failed, 0 skipped\n")
    equal(weir("test", "--run", "(", cwd=f)[0], 2)
    equal(weir("test", "nowhere.wtest", cwd=f)[0], 2)
    equal(weir("test", "--run", "grape", cwd=f)[1:], ("0 passed, 0 failed, 0 skipped\n",
                                                    "weir: no case to run: --run 'grape' matches none of the 2 names\n"))
    equal(weir("test", "--run", "grape", cwd=f)[0], 2)


@case
def what_brings_no_case_is_no_success(f):
    write(f, "p.weir", PROGRAM)
    write(f, "t.wtest", HEAD + "=== good\n---\nnone\n")
    write(f, "a.md", "# text only\n")
    write(f, "e.wtest", "# nothing\n")
    os.mkdir(f + "/empty")
    os.mkdir(f + "/notes")
    write(f, "notes/a.md", "# text only\n")
    none = "tests are .wtest files, or ```wtest in Markdown\n"
    for args, want in ((["empty"], "weir: no case in empty: " + none), (["notes", "t.wtest"], "weir: no case in notes: " + none),
                       (["a.md"], "weir: no case to run: " + none),
                       (["p.weir"], "weir: p.weir is a program; its tests stand in .wtest files beside it: weir test FOLDER\n")):
        rc, out, err = weir("test", *args, cwd=f)
        equal((rc, err), (2, want))
    equal(weir("test", cwd=f + "/empty")[2], "weir: no case in this folder: " + none)
    equal(weir("test", "a.md", "t.wtest", cwd=f)[::2], (0, ""))
    equal(json.loads(weir("test", "--json", "empty", cwd=f)[1])["cases"], [])
    rc, out, err = weir("test", "e.wtest", cwd=f)
    equal((rc, out), (1, "ERROR e.wtest:1: the file\n  e.wtest:1: no case in this file: write lines with a time, then --- and "
                         "what is expected\n0 passed, 1 failed, 0 skipped\n"))


@case
def verdicts_for_machines(f):
    write(f, "p.weir", PROGRAM)
    write(f, "t.wtest", HEAD + "=== good <&\n---\nnone\n=== bad\n" + THREE + "---\nnone\n=== later\nskip not today\n---\nnone\n")
    rc, out, err = weir("test", "--json", "--junit", "j.xml", cwd=f)
    doc = json.loads(out)
    equal((rc, doc["version"], [c["verdict"] for c in doc["cases"]]), (1, 1, ["ok", "FAIL", "SKIP"]))
    suite = xml.parse(f + "/j.xml").getroot()
    equal((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("3", "1", "1"))
    equal(suite[0].get("name"), "good <&")
    assert "came, and is not expected" in suite[1].find("failure").text
    rc, out, err = weir("test", "--tap", cwd=f)
    assert out.startswith("TAP version 13\n1..3\nok 1 - t.wtest: good <&\nnot ok 2 - t.wtest: bad\n#   came, and"), out
    assert "ok 3 - t.wtest: later # SKIP not today" in out, out


@case
def expectations_inside_markdown_are_updated(f):
    write(f, "a.md", "# T\n\n```sql\nCREATE STREAM s (v INT, at TIMESTAMP, WATERMARK FOR at AS at);\nSELECT v FROM s;\n```\n\n"
          "```wtest\n+1s s v=2\n---\n+1s select_1 v=3\n```\nend\n")
    equal(weir("test", "a.md", cwd=f)[0], 1)
    equal(weir("test", "--update", "a.md", cwd=f)[0], 0)
    assert open(f + "/a.md").read().endswith("```wtest\n+1s s v=2\n---\n+1s select_1 v=2\n```\nend\n"), open(f + "/a.md").read()


@case
def names_in_quotes_and_absolute_paths(f):
    write(f, "q.weir", 'CREATE STREAM s ("a=b" INT, at TIMESTAMP, WATERMARK FOR at AS at);\nSELECT "a=b" FROM s;\n')
    ok(f, '+1s s "a=b"=2\n---\n+1s select_1 "a=b"=2\n', head=f'use "{f}/q.weir"\n')
    ok(f, '+1s s "a=b"=2\n---\n+1s select_1 "a=b"=2\n', head=f"use {f}/q.weir\n")


@case
def strings_of_the_second_row_of_a_sequence_are_let_go_with_it(f):
    """Once the place of another row's string was given back, and weir fell."""
    rows = [(1, "first"), (2, "second"), (3, "third")] * 2
    text = "".join(f'+{i}0s payments card=c amount={n} status="the {s} text, longer than what lies inline"\n'
                   for i, (n, s) in enumerate(rows))
    ok(f, text + '---\n+20s steps begun=/first/ further=/second/\n+50s steps begun=/first/ further=/second/\n', program=PROGRAM.split("CREATE STREAM alerts")[0] +
       "CREATE STREAM steps;\nPATTERN p FROM payments PARTITION BY card MATCH a -> b -> c WITHIN 1h\n"
       "DEFINE a AS amount = 1, b AS amount = 2, c AS amount = 3 SELECT a.status AS begun, b.status AS further INTO steps;\n")


@case
def coverage_says_what_no_case_has_made_happen(f):
    rc, out, err = run(f, "=== it\n" + THREE + "---\n+60s alerts tries=3\n", args=["-q", "--coverage"])
    assert rc == 0 and "coverage of p.weir: " in out and out.count("coverage of") == 1, out
    assert "condition of large true" not in out, out
    for line in ("p.weir:10: card_testing: never: condition of large false", "p.weir:7: card_testing: never: a start that runs out of time", "p.weir:7: card_testing: never: a late row",
                 "p.weir:13: big: never: WHERE true"):
        assert line in out, (line, out)
    rc, out, err = run(f, "=== it\n---\nnone\n", args=["-q", "--coverage=50"])
    assert rc == 1 and "less than 50 %" in out, out
    equal(run(f, "=== it\n---\nnone\n", args=["--coverage=x"])[0], 2)
    rc, out, err = run(f, "=== it\n" + THREE + "---\n+60s alerts tries=3\n", args=["--json", "--coverage=99"])
    doc = json.loads(out)
    c, program = doc["coverage"], doc["coverage"]["programs"][0]
    equal((rc, err, doc["version"], c["min"], [p["program"] for p in c["programs"]]), (1, "", 1, 99, ["p.weir"]))
    equal((c["covered"], c["total"]), (program["covered"], program["total"]))
    equal((len(program["items"]), sum(i["hits"] > 0 for i in program["items"])), (c["total"], c["covered"]))
    assert {"line": 10, "query": "card_testing", "what": "condition of large false", "hits": 0} in program["items"], program
    assert "coverage" not in json.loads(run(f, "=== it\n---\nnone\n", args=["--json"])[1])


DEFECTS = """CREATE STREAM s (k STRING KEY, v INT, at TIMESTAMP, WATERMARK FOR at AS at - 5s);
CREATE STREAM steps;
PATTERN three FROM s PARTITION BY k MATCH a -> b WITHIN 1m DEFINE a AS v > 1, b AS v > 10
SELECT k, a.v AS low, b.v AS high INTO steps;
CREATE STREAM rising;
PATTERN rise FROM s PARTITION BY k MATCH a b WITHIN 1m DEFINE a AS v > 1, b AS v > a.v
SELECT k, a.v AS low, b.v AS high INTO rising;
"""


@case
def each_way_of_running_a_case_again_tells_its_defect(f):
    """In builds with faults: one thing is wrong in that way alone, and the case that passes as written fails."""
    defects = weir("version", "--defects", cwd=f)
    if defects[0]:
        raise Skip
    text = ("+0s s k=a v=2 #a\n+2s s k=a v=3 #b\n+4s s k=b v=3 #c\n+6s s k=a v=12 #d\n---\nunordered\n"
            "+2s rising low=2 high=3\n+6s steps low=2 high=12\n")
    told = {"state": "with all state saved, dropped and loaded after each event,",
            "store": "with all state saved, dropped and loaded after each event, through a store on disk,",
            "batch": "in batches of 1,024,", "executor.row": "with every expression in the row executor, in batches of 1,024,",
            "executor.batch": "with every expression in the batch executor,", "matcher.general": "with the general matcher,",
            "matcher.group": "with the group matcher,", "order": "with rows shuffled inside the allowed lateness,",
            "partitions": "spread over 2 source partitions,"}
    equal(set(defects[1].split()), set(told))
    ok(f, text, head='use "p.weir"\n', program=DEFECTS, args=["--state-store"])
    for name, way in told.items():
        write(f, "t.wtest", 'use "p.weir"\n=== it\n' + text)
        rc, out, err = weir("test", "--state-store", "t.wtest", cwd=f, env={"WEIR_DEFECT": name})
        assert rc == 1 and f"  run again {way} the case gives something else: this is a defect of weir\n    as written: " in out, \
            (name, out + err)
        assert name == "matcher.general" or "expected" not in out, (name, out)


@case
def tests_are_laid_out(f):
    text = ('use   "p.weir"\n# c\n\n\n=== one   two\n+0s payments card=c1   amount=1 #a\n+10m payments card="a  b" # says\n'
            "watermark +11m\n---\n+60s alerts tries=1 <- #a\n=== next\n---\nnone\n")
    write(f, "t.wtest", text)
    rc, out, err = weir("fmt", "t.wtest", cwd=f)
    equal(out, 'use "p.weir"\n# c\n\n=== one two\n+0s   payments card=c1 amount=1  #a\n+10m  payments card="a  b"       # says\n'
          "watermark +11m\n---\n+60s  alerts tries=1 <- #a\n\n=== next\n---\nnone\n")
    equal(weir("fmt", "--check", "t.wtest", cwd=f)[0], 1)
    equal(weir("fmt", "-w", "t.wtest", cwd=f)[0], 0)
    equal(weir("fmt", "--check", "t.wtest", cwd=f)[0], 0)
    write(f, "t.wtest", "=== x\n+0s größe a=é #a\n+1s s a=bb #b\n---\nnone\n")
    equal(weir("fmt", "t.wtest", cwd=f)[1], "=== x\n+0s  größe a=é   #a\n+1s  s     a=bb  #b\n---\nnone\n")
    write(f, "t.wtest", "=== x\n+0s s a=\"\n")
    rc, out, err = weir("fmt", "t.wtest", cwd=f)
    assert rc == 3 and "t.wtest:2: a text in quotes is not closed" in err, err


@case
def comments_above_a_case_are_its_own(f):
    write(f, "t.wtest", "# head\n=== a\n\n+0s s # x\n---\n\nnone\n# about b\n  # more\n=== b\n---\nnone\n# tail of b\n\n=== c\n# in c\n---\n"
          "none\n\n\n# about d\n=== d # name\n\n\n\n---\n* s a=\"x  # y\"\t#\n")
    want = ("# head\n=== a\n+0s  s  # x\n---\nnone\n\n# about b\n# more\n=== b\n---\nnone\n# tail of b\n\n=== c\n# in c\n---\nnone\n\n"
            "# about d\n=== d  # name\n---\n*  s a=\"x  # y\"  #\n")
    equal(weir("fmt", "t.wtest", cwd=f)[1], want)
    write(f, "t.wtest", want)
    equal(weir("fmt", "t.wtest", cwd=f)[1], want)


@case
def layouts_keep_every_word(f):
    """Lines of anything: laid out twice they are the same, and not a character but blanks comes or goes."""
    random.seed(7)
    words = ("+0s ~5s * 2026-03-01T12:00:00Z payments card=c1 #a x3 every 10s <- none late by dropped 1 open ... watermark use "
             "=== --- größe=é a=/x b=/x#y/ # #b #c bytes=0x00ff a=1~0.1 = a==b / 日本=語").split() + [
             'a="x  y # z"', '{"a": 1, "b":[1,2]}', "# c  d", '"q r"=1', 'a="not closed']
    laid = 0
    for i in range(150):
        text = "".join(" \t"[i % 2:] + "  ".join(random.choice(words) for _ in range(random.randrange(7))) + random.choice(["\n", "\r\n", "\n\n"])
                       for _ in range(random.randrange(1, 9)))
        write(f, "t.wtest", text)
        rc, once, err = weir("fmt", "t.wtest", cwd=f)
        if rc == 3:
            continue
        laid += 1
        equal("".join(once.split()), "".join(text.split()))
        write(f, "t.wtest", once)
        equal(weir("fmt", "--check", "t.wtest", cwd=f)[:2], (0, ""))
    assert laid > 50, laid


@case
def fences_are_laid_out_where_the_file_is_named(f):
    text = ("# T\n\n```sql\ncreate stream s (v int, at timestamp, watermark for at as at);\n```\ntext   with   blanks\n\n"
            "```sql continues\nSELECT v FROM s\nWHERE v>1;\n```\n```wtest\n+1s   s   v=2 #a\n---\n+1s select_1 v=2\n```\n"
            "```sql ignore\nselect   … ;\n```\n```\nplain   x\n```\nend")
    for end in ("\n", "\r\n"):
        with open(f + "/a.md", "wb") as t:
            t.write(text.replace("\n", end).encode())
        equal(weir("fmt", "--check", ".", cwd=f)[0], 0)
        equal(weir("fmt", "--check", "a.md", cwd=f)[:2], (1, "a.md\n"))
        equal(weir("fmt", "-w", "a.md", cwd=f)[0], 0)
        got = open(f + "/a.md", "rb").read().decode()
        equal(weir("fmt", "--check", "a.md", cwd=f)[0], 0)
        equal(weir("test", "a.md", cwd=f)[0], 0)
        for kept in ("text   with   blanks", "select   … ;", "plain   x", "+1s  s v=2  #a"):
            assert kept + end in got, got
        assert "CREATE STREAM s" in got and got.endswith("end") and got.replace(end, "").count("\n") == 0, got
    write(f, "b.md", "x\n```wtest\n+1s s v=\"2\n```\n")
    equal(weir("fmt", "-w", "b.md", cwd=f)[::2], (3, "weir: b.md:3: a text in quotes is not closed\n"))
    write(f, "c.md", "x\n```sql\nSELECT FROM;\n```\n")
    rc, out, err = weir("fmt", "c.md", cwd=f)
    assert rc == 3 and "c.md:3:8" in err, err


@case
def markdown_is_read_by_its_fences(f):
    write(f, "a.md", "# T\n\n```sql\nCREATE STREAM s (k STRING, v INT, at TIMESTAMP, WATERMARK FOR at AS at);\n```\n\n"
          "```sql continues\nSELECT k, v FROM s WHERE v > 1;\n```\n\n```wtest\n+1s s k=a v=2 #a\n+2s s k=a v=1\n---\n"
          "+1s select_1 k=a v=2 <- #a\n```\n\n```sql ignore\nSELECT … ;\n```\n\n```\nplain\n```\n")
    equal(weir("check", "a.md", cwd=f)[0], 0)
    equal(weir("test", cwd=f)[1], "ok    a.md:12: line 12\n1 passed, 0 failed, 0 skipped\n")
    equal(weir("test", "--run", "^line 12$", cwd=f)[0], 0)
    equal(weir("test", "--run", "^line 1$", cwd=f)[0], 2)
    write(f, "b.md", "text\n```weir\nSELECT a FROM nowhere;\n```\n")
    rc, out, err = weir("check", ".", cwd=f)
    assert rc == 3 and "b.md:3:15" in err and "a.md" not in err, err


@case
def init_writes_tests_that_pass(f):
    rc, out, err = weir("init", "sample", cwd=f)
    assert rc == 0 and err.splitlines()[-1].startswith("now run: weir test sample"), err
    equal(len(open(f + "/sample/payments.jsonl").read().splitlines()), 200)
    assert "4 passed, 0 failed" in weir("test", "sample", cwd=f)[1]
    equal(weir("fmt", "--check", "sample/card_testing.weir", "sample/card_testing.wtest", cwd=f)[0], 0)
    equal(weir("init", "sample", cwd=f)[0], 2)
    equal(weir("init", "--from", "sample/payments.jsonl", "mine", cwd=f)[0], 0)
    assert "1 passed, 0 failed" in weir("test", "mine", cwd=f)[1]


@case
def why_shows_matches_and_what_came_near(f):
    rows = [("c1", 1, "declined", 0), ("c1", 2, "declined", 20), ("c1", 3, "declined", 40), ("c1", 5, "approved", 50),
            ("c2", 1, "declined", 100), ("c2", 1, "declined", 101), ("c2", 1, "declined", 102), ("c2", 50, "approved", 110),
            ("c3", 5, "approved", 120)]
    write(f, "p.weir", PROGRAM)
    write(f, "p.jsonl", "".join(json.dumps({"card": c, "amount": a, "status": s, "at": f"2026-03-01T12:{t // 60:02}:{t % 60:02}Z"})
                                + "\n" for c, a, s, t in rows))
    ask = ["why", "p.weir", "--in", "payments=p.jsonl", "--pattern", "card_testing"]
    rc, out, err = weir(*ask, "--key", "c1", cwd=f)
    assert rc == 0 and "card_testing for c1: came as far as 3 rows" in out, out + err
    other = weir(*ask, "--key", "c9", cwd=f)[1]
    assert "card_testing: no row that comes to it has the key c9" in other, other
    assert "large refused payments #4 (2026-03-01T12:00:50Z): status = 'approved' AND amount > 5 * AVG(small.amount), " \
           "where amount = 5.00, status = 'approved', AVG(small.amount) = 2.000000" in out, out
    assert "it ended with the input, waiting for `small` or `large`" in out, out
    assert "of other keys: 5 rows that it waited for, the first payments #5 (2026-03-01T12:01:40Z), small by its own columns, of c2" in out, out
    out = weir(*ask, cwd=f)[1]
    assert out.startswith("card_testing for c2: a match of 4 rows\n") and "large took payments #8" in out, out
    equal(weir(*ask, "--key", "c3", cwd=f)[1],
          "card_testing for c3: no row began a match\n    it begins with small AS status = 'declined'\n"
          "    its rows, and rows that took no part:\n      payments #9 (2026-03-01T12:02:00Z) satisfies nothing that a match "
          'begins with  {"card":"c3","amount":5.00,"status":"approved","score":null,"ok":null,"seen":null,"city":null,'
          '"zip":null,"at":"2026-03-01T12:02:00Z","doubled":null}\n')
    doc = json.loads(weir(*ask, "--key", "c2", "--json", cwd=f)[1])
    equal((doc["version"], doc["matches"], [r["record"] for r in doc["starts"][0]["rows"]]), (1, 1, [4, 5, 6, 7]))
    for key in ("c1", "c2"):
        rc, out, err = weir(*ask, "--key", key, "--as-test", cwd=f)
        equal(rc, 0)
        write(f, "w.wtest", out)
        assert "1 passed" in weir("test", "w.wtest", cwd=f)[1], out
        equal(out.count("payments"), 4)
    assert "2026" in weir(*ask, "--at", "2026-03-01T12:00:45Z", cwd=f)[1]
    equal(weir(*ask, "--at", "noon", cwd=f)[0], 2)
    equal(weir("why", "p.weir", "p.jsonl", "--pattern", "nope", cwd=f)[0], 2)


finish()
