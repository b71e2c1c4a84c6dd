#!/usr/bin/env python3
"""weir state, weir savepoint, and what `replay --state` refuses."""
import json, os, resource, shutil, signal, subprocess, sys, tempfile, time

WEIR = os.path.abspath(os.environ.get("WEIR", "build/weir"))
PROGRAM = """CREATE STREAM ev (card STRING KEY, amount DOUBLE, at TIMESTAMP, WATERMARK FOR at AS at) WITH (timestamp_unit = 'ms');
CREATE STREAM out;
PATTERN p FROM ev PARTITION BY card MATCH a -> b WITHIN 10m
DEFINE a AS amount > 400, b AS amount > %s SELECT card, a.at AS first, b.at AS second INTO out;
INSERT INTO out SELECT card, window_start AS first, window_end AS second FROM TUMBLE(ev, at, 1m)
GROUP BY card, window_start, window_end;
INSERT INTO out SELECT card, at AS first, at AS second FROM ev;
"""
results = []


def case(function):
    with tempfile.TemporaryDirectory() as folder:
        here = os.getcwd()
        try:
            os.chdir(folder)
            function()
            results.append((function.__name__, None))
        except Exception as e:
            results.append((function.__name__, f"{type(e).__name__}: {e}"))
        finally:
            os.chdir(here)
    return function


def weir(*args, code=0, env=None, limit=None):
    p = subprocess.run([WEIR, *args], capture_output=True, text=True, timeout=60, preexec_fn=limit, env=dict(os.environ, WEIR_STATE_TEST="",
                                                                                      WEIR_BATCH_ROWS="", **(env or {})))
    assert p.returncode == code, f"exit {p.returncode}, wanted {code}: {args}: {p.stderr}"
    return p.stdout + p.stderr


def has(text, *wanted):
    for w in wanted:
        assert w in text, f"no {w!r} in {text!r}"


def prepare(limit="499"):
    open("p.weir", "w").write(PROGRAM % limit)
    if not os.path.exists("ev.jsonl"):
        with open("ev.jsonl", "w") as f:
            for i in range(60000):
                f.write(json.dumps({"card": f"c{i * 7 % 50}", "amount": i * 37 % 500, "at": 1767225600000 + i * 11}) + "\n")


def command(state, out="out.jsonl", *more):
    return ["replay", "p.weir", "--in", "ev=ev.jsonl", "--out", f"out={out}", "--state", state, "-q", *more]


def interrupted():
    """A state in the middle of a run, which a limit on the size of its output cut off."""
    prepare()
    weir(*command("bare", "peace.jsonl"))
    limit = os.path.getsize("peace.jsonl") // 2
    env = dict(os.environ, WEIR_STATE_TEST="", WEIR_BATCH_ROWS="64")

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    p = subprocess.run([WEIR, *command("st", "out.jsonl", "--checkpoint-rows", "2000", "--checkpoint-interval", "1ms")],
                       capture_output=True, text=True, env=env, preexec_fn=small, timeout=60)
    assert p.returncode == 6, f"{p.returncode} {p.stderr}"


def same():
    assert open("out.jsonl").read() == open("peace.jsonl").read(), "the outputs differ"


@case
def a_run_that_was_cut_off_goes_on():
    interrupted()
    weir(*command("st"))
    same()
    has(weir("replay", "p.weir", "--in", "ev=ev.jsonl", "--out", "out=out.jsonl", "--state", "st"), "nothing was left to do")


@case
def ls_size_verify_show():
    interrupted()
    has(weir("state", "ls", "st"), "checkpoint", "input", "pattern     p:")
    listed = json.loads(weir("state", "ls", "st", "--json"))
    assert listed["version"] == 1 and not listed["finished"]
    has(weir("state", "size", "st"), "bytes a key")
    has(weir("state", "verify", "st"), "all whole")
    keys = weir("state", "show", "st", "p").splitlines()
    has(weir("state", "show", "st", "p", keys[0].split(":")[0]), "open start", "begun at", "a at")
    has(weir("state", "show", "st", "nosuch", code=2), "there are:")
    has(weir("state", "show", "st", "p", "nokey", code=2), "holds nothing for the key")


@case
def copies_go_on_like_the_original():
    interrupted()
    weir("savepoint", "st", "copy")
    weir("state", "export", "st", "file.state")
    weir("state", "import", "file.state", "other")
    shutil.copy("out.jsonl", "half.jsonl")
    for state in ("st", "copy", "other"):
        shutil.copy("half.jsonl", "out.jsonl")
        weir(*command(state))
        same()
    has(weir("savepoint", "st", "copy", code=2), "holds a checkpoint already")
    weir("state", "export", "st", "file.state")  # an older export is replaced
    assert sorted(os.listdir(".")) == ["bare", "copy", "ev.jsonl", "file.state", "half.jsonl", "other", "out.jsonl", "p.weir",
                                       "peace.jsonl", "st"], os.listdir(".")
    whole = open("file.state", "rb").read()
    has(weir("state", "export", "st", "p.weir", code=2), "p.weir: is there and no exported state")
    has(weir("state", "export", "st", "copy", code=2), "is a folder")
    has(weir("state", "export", "st", "nowhere/f", code=2), "No such file")

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) // 2, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    has(weir("state", "export", "st", "file.state", code=6, limit=small), "File too large")
    assert open("file.state", "rb").read() == whole and not [f for f in os.listdir(".") if f.startswith("file.state.")]
    os.symlink("file.state", "link.state")
    weir("state", "export", "st", "link.state")
    assert os.path.islink("link.state")
    open("file.state", "r+b").truncate(os.path.getsize("file.state") - 3)
    has(weir("state", "import", "file.state", "third", code=5), "cut short or damaged")
    has(weir("state", "import", "p.weir", "fourth", code=5), "is no exported state")


@case
def another_version_of_the_program():
    interrupted()
    prepare("498")
    has(weir("state", "check", "p.weir", "--state", "st", code=1), "changed")
    refused = weir(*command("st"), code=5)
    has(refused, "no use for state", "--accept-loss")
    assert "written" not in refused, refused  # no table of what was read behind it
    weir(*command("st", "out.jsonl", "--accept-loss"))
    prepare("499")


@case
def a_run_that_ended_has_no_state_to_lose():
    prepare()
    weir(*command("st"))
    prepare("498")
    weir("state", "check", "p.weir", "--state", "st")
    has(weir("replay", "p.weir", "--in", "ev=ev.jsonl", "--out", "out=out.jsonl", "--state", "st"), "nothing was left to do")


@case
def a_csv_whose_columns_change_is_told():
    interrupted()
    for name, columns in (("st2", "card, at AS first"), ("st3", "card, at AS first, amount AS second")):
        program = PROGRAM.split("INSERT INTO out SELECT card, at")[0] % "499" + "CREATE STREAM more;\nINSERT INTO more SELECT "
        rows = open("ev.jsonl").read().splitlines(True)
        for text, count in ((program + "card, at AS first FROM ev;\n", 30000), (program + columns + " FROM ev;\n", 60000)):
            open("p.weir", "w").write(text)
            os.path.exists("pipe") and os.remove("pipe")
            os.mkfifo("pipe") if count == 30000 else open("pipe", "w").writelines(rows)
            p = subprocess.Popen([WEIR, "replay", "p.weir", "--in", "ev=pipe", "--out", "out=o.jsonl", "--out", "more=more.csv",
                                  "--state", name], env=dict(os.environ, WEIR_STATE_TEST=""), stderr=subprocess.PIPE, text=True)
            if count == 30000:
                with open("pipe", "w") as pipe:
                    pipe.writelines(rows[:count])
                    pipe.flush()
                    time.sleep(0.3)
                    p.send_signal(signal.SIGINT)
                    p.wait(60)
            err = p.communicate(timeout=60)[1]
            assert p.returncode in (0, 130), err
        assert ("more.csv: its first line names other columns" in err) == (name == "st3"), err


@case
def another_layout_keeps_the_state():
    interrupted()
    text = open("p.weir").read()
    open("p.weir", "w").write("-- laid out in another way\n" + text.replace("MATCH a", "\n  MATCH   a"))
    weir("state", "check", "p.weir", "--state", "st")
    weir(*command("st"))
    same()


@case
def what_is_not_what_it_was_is_refused():
    interrupted()
    text = open("ev.jsonl").read()
    open("ev.jsonl", "w").write("x" + text)
    weir(*command("st"), code=5)
    open("ev.jsonl", "w").write(text)
    shutil.copy("out.jsonl", "keep.jsonl")
    os.remove("out.jsonl")
    weir(*command("st"), code=5)
    weir(*command("st", "out.jsonl", "--discard-state"))
    same()


@case
def an_input_that_had_ended_is_longer_or_shorter():
    prepare()
    weir(*command("st"))
    text, result = open("ev.jsonl").read(), open("out.jsonl").read()
    for now, why in ((text[:5000], "shorter than when it was read before"), ("", "shorter than when it was read before"),
                     (text * 2, "what has been added cannot be taken in")):
        open("ev.jsonl", "w").write(now)
        has(weir(*command("st"), code=5), "ev.jsonl", why, "--discard-state")
        assert open("out.jsonl").read() == result
    open("ev.jsonl", "w").write(text)
    weir(*command("st"))


@case
def a_damaged_state_can_be_discarded():
    interrupted()
    with open("st/data.mdb", "r+b") as f:
        f.truncate(5000)
    has(weir(*command("st"), code=5), "damaged", "--discard-state")
    weir(*command("st", "out.jsonl", "--discard-state"))
    same()
    os.mkdir("mine")
    open("mine/precious", "w").write("x")
    weir(*command("mine", "out.jsonl", "--discard-state"), code=5)
    assert os.path.exists("mine/precious")
    shutil.rmtree("st")
    interrupted()
    os.remove("st/data.mdb")
    has(weir(*command("st"), code=5), "has lost its file", "--discard-state")
    weir(*command("st", "out.jsonl", "--discard-state"))
    same()


@case
def two_engines_do_not_share_a_directory():
    prepare()
    weir(*command("bare", "peace.jsonl"))
    os.mkfifo("pipe")
    first = subprocess.Popen([WEIR, "replay", "p.weir", "--in", "ev=pipe", "--out", "out=out.jsonl", "--state", "st", "-q"],
                             env={**os.environ, "WEIR_STATE_TEST": ""}, stderr=subprocess.PIPE, text=True)
    with open("pipe", "w") as pipe:  # waits for the first one, which holds its directory by then
        text = open("ev.jsonl").read()
        pipe.write(text[:20000])
        pipe.flush()
        for more in ([], ["--discard-state"]):
            has(weir(*command("st", "other.jsonl", *more), code=2), f"in use by another weir (process {first.pid})")
        has(weir("savepoint", "bare", "st", code=2), "in use by another weir")
        pipe.write(text[20000:])
    assert first.wait(60) == 0, first.stderr.read()
    same()
    assert not os.path.exists("other.jsonl")


@case
def an_interrupt_leaves_a_checkpoint_where_it_stood():
    prepare()
    with open("p.weir", "a") as f:  # moments, at which a batch could be left in its middle
        for i in range(8):
            f.write(f"PATTERN q{i} FROM ev PARTITION BY card MATCH a -> NOT b FOR {i + 1}s\n"
                    "DEFINE a AS amount > 400, b AS amount > 450 SELECT card, a.at AS first, a.at AS second INTO out;\n")
    line, rows, size = open("ev.jsonl").read(), -1, 0
    with open("ev.jsonl", "w") as f:  # the same rows, later each time: long enough to be met in its middle
        for i in range(20):
            f.write(line.replace('"at": 1767', f'"at": {1767 + i}'))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        p = subprocess.Popen([WEIR, "replay", "p.weir", "--in", "ev=ev.jsonl", "--out", "out=out.jsonl"], stderr=subprocess.PIPE,
                             text=True, env=dict(os.environ, WEIR_STATE_TEST="", WEIR_BATCH_ROWS="1024", WEIR_STATE="st"))
        while p.poll() is None and (not os.path.exists("out.jsonl") or os.path.getsize("out.jsonl") <= size):
            time.sleep(0.01)
        p.send_signal(number)
        err = p.communicate(timeout=60)[1]
        if p.returncode == 0:
            break  # a fast machine
        assert p.returncode == 128 + number, f"exit {p.returncode} after signal {number}: {err}"
        has(err, "the same command goes on from here")
        now = json.loads(weir("state", "ls", "st", "--json"))["inputs"][0]["rows"]
        assert now > max(rows, 0), f"the checkpoint stands behind row {now}, the one before behind row {rows}: {err}"
        rows, size = now, os.path.getsize("out.jsonl")
    assert rows > 0


@case
def a_key_that_comes_back_during_a_checkpoint_lies_in_it_once():
    """K is out of memory. X is forgotten with its moment armed, which fires; a checkpoint begins, and K gets X's number."""
    open("k.weir", "w").write("""SET memory_max = '1MB';
CREATE STREAM ev (k STRING KEY, v STRING, at TIMESTAMP, WATERMARK FOR at AS at) WITH (timestamp_unit = 'ms');
CREATE STREAM out;
PATTERN p FROM ev PARTITION BY k MATCH a -> NOT b FOR 3s -> c WITHIN 1h
DEFINE a AS v = 'a', b AS v = 'b', c AS v = 'c' SELECT k, a.at AS first INTO out;
""")
    idle = ("x", "-")
    rows = [("K", "a", 0), (*idle, 4), (*idle, 5), (*idle, 6), ("X", "a", 7), ("X", "b", 8), (*idle, 8), (*idle, 8), (*idle, 9),
            (*idle, 11), ("K", "c", 12), (*idle, 12), (*idle, 12), (*idle, 12)]
    for shift in range(4):  # a checkpoint has four stages, one after each batch
        os.mkfifo("pipe")
        p = subprocess.Popen([WEIR, "replay", "k.weir", "--in", "ev=pipe", "--out", "out=k.jsonl", "--state", f"k{shift}", "-q"],
                             env=dict(os.environ, WEIR_STATE_TEST="cold", WEIR_BATCH_ROWS="1"))
        with open("pipe", "w") as pipe:
            for k, v, second in [(*idle, 0)] * shift + rows:
                pipe.write(json.dumps({"k": k, "v": v, "at": 1767225600000 + second * 1000}) + "\n")
                pipe.flush()
                time.sleep(0.02)
                v = subprocess.run([WEIR, "state", "verify", f"k{shift}"], capture_output=True, text=True)
                assert v.returncode != 5, v.stdout + v.stderr  # 2: the first checkpoint is not there yet
        assert p.wait(60) == 0
        os.remove("pipe")
        assert open("k.jsonl").read() == '{"k":"K","first":"2026-01-01T00:00:00Z"}\n'


@case
def keys_are_shown_so_that_they_can_be_told_apart():
    open("k.weir", "w").write("""CREATE STREAM ev (k STRING KEY, n INT, at TIMESTAMP, WATERMARK FOR at AS at) WITH (timestamp_unit = 'ms');
PATTERN p FROM ev PARTITION BY k MATCH a -> b WITHIN 1h DEFINE b AS n = 99 SELECT k;
PATTERN q FROM ev PARTITION BY k, n MATCH a -> b WITHIN 1h DEFINE b AS n = 99 SELECT k;
PATTERN all_of_it FROM ev MATCH a -> b WITHIN 1h DEFINE b AS n = 99 SELECT k;
""")
    keys = {"plain": "plain", "a b": "a b", "": '""', "NULL": '"NULL"', None: "NULL", "c1, 7": '"c1, 7"', "x\ny": '"x\\ny"',
            'q"u': '"q\\"u"', "it's": "it's", "7": "7", " pad": '" pad"', "\u65e5\u672c": "\u65e5\u672c"}
    os.mkfifo("pipe")
    p = subprocess.Popen([WEIR, "replay", "k.weir", "--in", "ev=pipe", "--state", "st", "-q"],
                         env=dict(os.environ, WEIR_STATE_TEST="store", WEIR_BATCH_ROWS="1"))
    with open("pipe", "w") as pipe:
        for key in keys:
            pipe.write(json.dumps({"k": key, "n": 7, "at": 1767225600000}) + "\n")
            pipe.flush()
        time.sleep(0.2)
        p.kill()
        p.wait(60)
    shown = [line.rsplit(":", 1)[0] for line in weir("state", "show", "st", "p").splitlines()]
    assert sorted(shown) == sorted(keys.values()), shown
    for key, text in keys.items():
        for way in {text, key or text}:
            if way != "NULL" or key is None:  # bare, it is no text
                has(weir("state", "show", "st", "p", way), f"{text}: ", "1 open start\n")
    has(weir("state", "show", "st", "q", 'c1, 7, 7', code=2), "holds nothing")
    has(weir("state", "show", "st", "q", '"c1, 7", 7'), "1 open start\n")
    has(weir("state", "show", "st", "q", 'NULL, 7'), "NULL, 7: ")
    has(weir("state", "show", "st", "all_of_it"), "(one key)")
    listed = json.loads(weir("state", "show", "st", "q", "--json"))
    assert {tuple(k["values"]) for k in listed["keys"]} == {(k, 7) for k in keys} and listed["all"] == len(keys), listed
    assert json.loads(weir("state", "verify", "st", "--json"))["entries"] > 2 * len(keys)


@case
def state_of_another_user():
    prepare()
    weir(*command("st"))
    os.chmod("st", 0o755)
    os.chmod(".", 0o755)
    stranger = (lambda: os.setuid(65534)) if os.geteuid() == 0 else None
    if stranger is None:
        os.chmod("st/data.mdb", 0)
    for line in (["ls", "st"], ["verify", "st"], ["size", "st"], ["show", "st", "p"]):
        has(weir("state", *line, code=2, limit=stranger), "'st' cannot be read: Permission denied")
    if stranger:
        has(weir("replay", "p.weir", "--in", "ev=ev.jsonl", "--state", "st", "-q", code=2, limit=stranger),
            "'st' cannot be written: Permission denied")
    os.chmod("st/data.mdb", 0o600)


@case
def what_is_read_is_not_written_over():
    prepare()
    has(weir(*command("st", "ev.jsonl"), code=2), "cannot be written over it")
    assert os.path.getsize("ev.jsonl") > 1000


@case
def no_output_lies_in_the_state_directory():
    prepare()
    weir(*command("st", "peace.jsonl"))
    os.symlink("st/data.mdb", "link.jsonl")
    os.symlink("st", "also")
    for out in ("st/data.mdb", "st/weir.lock", "./st/out.jsonl", "also/out.jsonl", "link.jsonl"):
        for more in ([], ["--discard-state"]):
            has(weir(*command("st", out, *more), code=2), f"{out}: lies in the state directory")
        weir("state", "verify", "st") if os.path.exists("st/data.mdb") else None
    has(weir(*command("new", "new/data.mdb"), code=2), "lies in the state directory")
    has(weir(*command("new", "new/published"), code=2), "lies in the state directory")
    weir(*command("st", "peace.jsonl"))
    assert os.path.getsize("peace.jsonl") > 1000


@case
def what_belongs_to_state_wants_a_directory():
    prepare()
    has(weir("replay", "p.weir", "--in", "ev=ev.jsonl", "--checkpoint-rows", "5", code=2), "--state DIR")
    has(weir(*command(""), code=2), "an empty name is no directory")
    for line in (["ls", ""], ["size", ""], ["verify", ""], ["show", "", "p"], ["export", "", "x"], ["check", "p.weir", ""]):
        has(weir("state", *line, code=2), "an empty name is no directory")
    weir(*command("st"))
    for line in (["", "to"], ["st", ""]):
        has(weir("savepoint", *line, code=2), "an empty name is no directory")
    has(weir("state", "export", "st", "", code=2), "an empty name is no file")
    has(weir("state", "import", "", "st", code=2), "an empty name is no file")
    weir("state", "export", "st", "x.state")
    has(weir("state", "import", "x.state", "", code=2), "an empty name is no directory")
    has(weir("state", "import", "st", "new", code=2), "st: is a folder")
    has(weir("state", "check", "p.weir", "st", "--state", "st", code=2), "once")


failed = [r for r in results if r[1]]
for name, why in failed:
    print(f"{name.replace('_', ' ')}: {why}")
print(f"passed={len(results) - len(failed)} failed={len(failed)} skipped=0")
sys.exit(1 if failed else 0)
