#!/usr/bin/env python3
"""Text cases: NAME.weir is checked by `weir check NAME.weir`, and what it prints must be NAME.expect, byte for byte;
NAME.wtest is run by `weir test NAME.wtest`, and fails as NAME.expect says.

Run in the folder of the case, so that names in messages are short. A first line `-- weir: ARGUMENTS` gives another command
in place of `check` (explain --bytecode, fmt, …); what it prints to standard output is compared too. `--golden` rewrites.
"""
import os, re, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
WEIR = os.path.abspath(os.environ["WEIR"])


def output_of(path):
    folder, name = os.path.split(path)
    with open(path, "rb") as f:
        m = re.match(rb"-- weir: ([^\n]*)\n", f.read(200))
    command = m.group(1).decode().split() if m else ["test" if name.endswith(".wtest") else "check"]
    p = subprocess.run([WEIR, *command, name], cwd=folder, capture_output=True, timeout=120)
    text = p.stdout + p.stderr
    return text + b"exit %d\n" % p.returncode


def main():
    golden = "--golden" in sys.argv
    ok = bad = 0
    for folder, _, names in sorted(os.walk(HERE)):
        for name in sorted(n for n in names if n.endswith((".weir", ".wtest"))):
            path = os.path.join(folder, name)
            expect = os.path.splitext(path)[0] + ".expect"
            if not golden and not os.path.exists(expect):
                continue  # a file that others include
            got = output_of(path)
            if golden:
                if os.path.exists(expect) or "errors" in folder or name.endswith(".wtest"):
                    with open(expect, "wb") as f:
                        f.write(got)
                continue
            with open(expect, "rb") as f:
                want = f.read()
            if got == want:
                ok += 1
                continue
            bad += 1
            print(f"{os.path.relpath(path, HERE)}: wanted")
            print(want.decode(errors="replace"))
            print("got")
            print(got.decode(errors="replace"))
    print(f"passed={ok} failed={bad} skipped=0")


main()
