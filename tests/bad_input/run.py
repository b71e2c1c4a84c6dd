#!/usr/bin/env python3
"""Bad input: each kind gets its sentence and its exit code, and no byte is lost silently."""
import gzip, json, os, resource, signal, subprocess, sys, tempfile, time

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
STREAM = "CREATE STREAM s (k STRING, n BIGINT, at TIMESTAMP, WATERMARK FOR at AS at);\n"
SELECT = STREAM + "SELECT k, n FROM s;\n"
GOOD = '{"k":"a","n":1,"at":1000}\n'
results = []


class Folder:
    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = self.temporary.name
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def file(self, name, content):
        path = os.path.join(self.path, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path


def weir(*args, **options):
    options.setdefault("timeout", 60)
    p = subprocess.run([WEIR, *args], capture_output=True, **options)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def case(function):
    with Folder() as folder:
        try:
            function(folder)
            results.append((function.__name__, None))
        except Exception as e:  # a failing case is reported, the others go on
            results.append((function.__name__, f"{type(e).__name__}: {e}"))
    return function


def expect(got, code, *words, out=None):
    rc, stdout, stderr = got
    assert rc == code, f"exit {rc}, wanted {code}\n{stdout[:500]}\n{stderr[:1500]}"
    for word in words:
        assert word in stderr, f"'{word}' is not in: {stderr[:1500]}"
    if out is not None:
        assert stdout == out, f"output {stdout[:500]!r}, wanted {out[:500]!r}"


def check(folder, text, code, *words):
    expect(weir("check", folder.file("p.weir", text)), code, *words)


def replay(folder, rows, *args, program=SELECT, name="in.jsonl"):
    return weir("replay", folder.file("p.weir", program), "--in", "s=" + folder.file(name, rows), *args)


@case
def an_unterminated_string(f):
    check(f, "SELECT 'abc FROM s;\n", 3, "p.weir:1:8")


@case
def an_unterminated_comment(f):
    check(f, "SELECT 1 /* and so on\n", 3, "p.weir:1:10", "comment")


@case
def invalid_utf8_in_a_program(f):
    check(f, b"SELECT '\xff' FROM s;\n", 3, "p.weir:1:9", "UTF-8")


@case
def a_program_of_ten_megabytes(f):
    text = STREAM + "".join(f"CREATE STREAM o{i}; INSERT INTO o{i} SELECT k FROM s WHERE n = {i};\n" for i in range(20))
    text += "-- padding " + "x" * (10 << 20) + "\n"
    check(f, text, 0)


@case
def ten_megabytes_of_one_expression(f):
    text = STREAM + "SELECT k FROM s WHERE n IN (" + ",".join(str(i) for i in range(1300000)) + ");\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    rc, _, err = weir("check", f.file("p.weir", text), timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert rc in (0, 3), f"exit {rc}: {err[:300]}"
    assert rc == 0 or "error[" in err, err[:300]
    sanitized = any(f"/{mode}/" in WEIR for mode in ("asan", "ubsan", "tsan", "hostile", "debug"))
    assert sanitized or after.ru_utime - before.ru_utime < 20, "took too long"


@case
def a_thousand_nested_parentheses(f):
    check(f, STREAM + "SELECT k FROM s WHERE " + "(" * 1000 + "n = 1" + ")" * 1000 + ";\n", 0)


@case
def a_hundred_thousand_nested_parentheses(f):
    check(f, STREAM + "SELECT k FROM s WHERE " + "(" * 100000 + "n = 1" + ")" * 100000 + ";\n", 3, "nested")


@case
def a_hundred_variables(f):
    names = [f"v{i}" for i in range(100)]
    program = (STREAM + "PATTERN p FROM s MATCH " + " ".join(names) + " WITHIN 1h DEFINE "
               + ", ".join(f"v{i} AS n = {i}" for i in range(100)) + " SELECT v0.n AS first, v99.n AS last;\n")
    rows = "".join(json.dumps({"k": "a", "n": i, "at": i}) + "\n" for i in range(100))
    expect(replay(f, rows, program=program), 0, out='{"first":0,"last":99}\n')


@case
def an_empty_program(f):
    check(f, "", 3, "no statement")


@case
def an_empty_input(f):
    expect(replay(f, ""), 0, out="")


@case
def a_byte_order_mark_in_program_and_input(f):
    expect(replay(f, b"\xef\xbb\xbf" + GOOD.encode(), program="\ufeff" + SELECT), 0, out='{"k":"a","n":1}\n')


@case
def carriage_returns_in_program_and_input(f):
    expect(replay(f, GOOD.replace("\n", "\r\n"), program=SELECT.replace("\n", "\r\n")), 0, out='{"k":"a","n":1}\n')


@case
def a_folder_for_a_program(f):
    expect(weir("replay", f.path), 2, "folder")


@case
def a_folder_for_an_input(f):
    expect(weir("replay", f.file("p.weir", SELECT), "--in", "s=" + f.path), 2, "directory")


@case
def a_missing_input(f):
    expect(weir("replay", f.file("p.weir", SELECT), "--in", "s=" + f.path + "/nothing.jsonl"), 2, "nothing.jsonl", "No such file")


@case
def a_truncated_gzip(f):
    rows = "".join(json.dumps({"k": f"k{i * 7919 % 10007}", "n": i, "at": i}) + "\n" for i in range(20000))
    whole = gzip.compress(rows.encode())
    rc, out, err = replay(f, whole[: len(whole) // 2], name="in.jsonl.gz")
    assert rc == 4, f"exit {rc}: {err}"
    assert "breaks off" in err, err
    lines = out.splitlines()
    assert len(lines) > 1000, f"only {len(lines)} rows of what came before"
    assert json.loads(lines[500]) == {"k": f"k{500 * 7919 % 10007}", "n": 500}


@case
def a_line_of_fifty_megabytes(f):
    rows = GOOD + json.dumps({"k": "x" * (50 << 20), "n": 2, "at": 2000}) + "\n" + GOOD.replace("1000", "3000")
    rc, out, err = replay(f, rows, program=STREAM + "SELECT LENGTH(k) AS size, n FROM s;\n")
    assert rc == 0 and out == f'{{"size":1,"n":1}}\n{{"size":{50 << 20},"n":2}}\n{{"size":1,"n":1}}\n', (rc, out[:200], err[:500])


@case
def a_field_of_the_wrong_type(f):
    rc, out, err = replay(f, GOOD + '{"k":"b","n":"many","at":2000}\n' + '{"k":5,"n":1,"at":2000}\n')
    assert rc == 0 and out == '{"k":"a","n":1}\n', (rc, out, err)
    assert "2" in err and "n" in err, err


@case
def duplicate_fields_the_first_counts(f):
    expect(replay(f, '{"k":"a","n":1,"n":2,"at":1000}\n'), 0, out='{"k":"a","n":1}\n')


@case
def numbers_past_their_range(f):
    rc, out, err = replay(f, '{"k":"a","n":9223372036854775808,"at":1000}\n{"k":"b","n":1e400,"at":1000}\n' + GOOD)
    assert rc == 0 and out == '{"k":"a","n":1}\n', (rc, out, err)


@case
def an_absent_time(f):
    rc, out, err = replay(f, '{"k":"a","n":1}\n{"k":"b","n":2,"at":null}\n' + GOOD)
    assert rc == 0 and out == '{"k":"a","n":1}\n', (rc, out, err)
    assert "2" in err, err


@case
def records_that_are_none(f):
    bad = ['{"k":"a"', "[1,2]", "5", '{"k":"a"}}', '{"k":"a","n":1,"at":1} x', '{"k":"\xff"}'.encode("latin-1").decode("latin-1"), '{"k":"unended', "nonsense"]
    rc, out, err = replay(f, GOOD + "\n".join(bad) + "\n" + GOOD)
    assert rc == 0, err
    assert out == '{"k":"a","n":1}\n' * 2, out


@case
def the_budget_of_bad_rows(f):
    rc, out, err = replay(f, GOOD + "nonsense\n" * 3 + GOOD, "--max-errors", "2")
    assert rc == 4, (rc, err)
    rc, _, _ = replay(f, GOOD + "nonsense\n" * 3 + GOOD, "--max-errors", "3")
    assert rc == 0


@case
def an_expression_that_fails_on_a_row(f):
    rc, out, err = replay(f, GOOD + GOOD.replace('"n":1', '"n":0'), program=STREAM + "SELECT k, 10 / n AS q FROM s;\n")
    assert rc == 0 and out == '{"k":"a","q":10}\n', (rc, out, err)
    assert "division by zero" in err, err


@case
def a_program_file_cut_short_or_of_another_version(f):
    program, compiled = f.file("p.weir", SELECT), os.path.join(f.path, "p.weirc")
    expect(weir("compile", program, "-o", compiled), 0)
    whole = open(compiled, "rb").read()
    data = f.file("in.jsonl", GOOD)
    expect(weir("replay", compiled, "--in", "s=" + data), 0, out='{"k":"a","n":1}\n')
    for size in (7, 12, len(whole) // 2, len(whole) - 1):
        expect(weir("replay", f.file("cut.weirc", whole[:size]), "--in", "s=" + data), 5)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x40
    expect(weir("replay", f.file("bad.weirc", bytes(damaged)), "--in", "s=" + data), 5)
    other = bytearray(whole)
    other[6] ^= 0x7F
    expect(weir("replay", f.file("other.weirc", bytes(other)), "--in", "s=" + data), 5, "version")


@case
def the_same_text_gives_the_same_bytes(f):
    a, b = os.path.join(f.path, "a.weirc"), os.path.join(f.path, "b.weirc")
    program = f.file("p.weir", SELECT)
    weir("compile", program, "-o", a)
    weir("compile", program, "-o", b)
    assert open(a, "rb").read() == open(b, "rb").read()


@case
def a_full_disk(f):
    rows = "".join(GOOD.replace("1000", str(i)) for i in range(5000))
    expect(replay(f, rows, "--out", "select_1=/dev/full"), 6, "No space left")
    with open("/dev/full", "w") as full:
        p = subprocess.run([WEIR, "replay", f.path + "/p.weir", "--in", "s=" + f.path + "/in.jsonl"], stdout=full, stderr=subprocess.PIPE)
    assert p.returncode == 6 and b"No space left" in p.stderr, (p.returncode, p.stderr)


@case
def a_closed_pipe(f):
    rows = "".join(GOOD.replace("1000", str(i)) for i in range(200000))
    program, data = f.file("p.weir", SELECT), f.file("in.jsonl", rows)
    p = subprocess.Popen([WEIR, "replay", program, "--in", "s=" + data], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.stdout.readline() == b'{"k":"a","n":1}\n'
    p.stdout.close()
    err = p.stderr.read()
    assert p.wait(timeout=30) == 0 and err == b"", (p.returncode, err)


@case
def an_interrupt_in_the_middle(f):
    program = f.file("p.weir", SELECT)
    p = subprocess.Popen([WEIR, "replay", program, "--in", "s=-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    block = b"".join(b'{"k":"a","n":%d,"at":%d}\n' % (i, i) for i in range(50000))
    os.set_blocking(p.stdin.fileno(), True)
    out = []

    def reader():
        out.append(p.stdout.read())

    import threading
    thread = threading.Thread(target=reader)
    thread.start()
    p.stdin.write(block)
    p.stdin.flush()
    time.sleep(0.3)
    p.send_signal(signal.SIGINT)
    time.sleep(0.1)
    try:
        p.stdin.write(block)
        p.stdin.close()
    except BrokenPipeError:
        pass
    assert p.wait(timeout=30) == 130, p.returncode
    thread.join()
    lines = out[0].split(b"\n")
    assert lines[-1] == b"" and all(json.loads(line)["k"] == "a" for line in lines[:-1]), "a line is not whole"


@case
def an_unknown_input_and_an_unbound_one(f):
    program, data = f.file("p.weir", SELECT), f.file("in.jsonl", GOOD)
    expect(weir("replay", program, "--in", "ss=" + data), 2, "ss", "'s'")
    expect(weir("replay", program), 2, "--in")


@case
def unknown_commands_and_options(f):
    expect(weir("repaly"), 2, "did you mean 'replay'?")
    expect(weir("replay", "--inn", "x"), 2, "did you mean '--in'?")
    expect(weir("shell"), 2, "no command 'shell'")
    expect(weir(), 2, "weir finds patterns")
    expect(weir("help", "W9999"), 2)


@case
def numbers_from_text_and_times_of_many_kinds(f):
    program = "CREATE STREAM s (d DECIMAL(10,2), n INT, at TIMESTAMP, WATERMARK FOR at AS at);\nSELECT d, n, at FROM s;\n"
    rows = ('{"d":"12.345","n":"7","at":"2026-01-01T00:00:00+02:00"}\n{"d":1e2,"n":5.0,"at":"2026-01-01 00:00:00"}\n'
            '{"d":1,"n":5.5,"at":"2026-01-01T00:00:00Z"}\n{"d":null,"at":1767225600500}\n')
    rc, out, err = replay(f, rows, program=program)
    assert rc == 0 and out == ('{"d":12.35,"n":7,"at":"2025-12-31T22:00:00Z"}\n{"d":100.00,"n":5,"at":"2026-01-01T00:00:00Z"}\n'
                               '{"d":null,"n":null,"at":"2026-01-01T00:00:00.5Z"}\n'), (rc, out, err)


failed = [(name, why) for name, why in results if why]
for name, why in failed:
    print(f"{name.replace('_', ' ')}: {why}")
print(f"passed={len(results) - len(failed)} failed={len(failed)} skipped=0")
sys.exit(1 if failed else 0)
