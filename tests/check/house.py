#!/usr/bin/env python3
"""make check: the rules of the house that a machine can hold.

Who may include whom, a README line for each file, sizes of files and functions, banned calls, left-over markers, assertions,
every diagnostic code with a text case, and the generated pages of docs/. Prints what is wrong; exit 1 when anything is.
"""
import os, re, subprocess, sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(TOP)
WEIR = os.environ.get("WEIR", "build/weir")
wrong = []

MAY_INCLUDE = {
    "base": {"base"},
    "dsl": {"dsl", "base"},
    "vm": {"vm", "base"},
    "compiler": {"compiler", "dsl", "vm", "base"},
    "runtime": {"runtime", "vm", "base"},
    "connectors": {"connectors", "vm", "base"},
    "cli": {"cli", "include", "base", "dsl", "compiler", "vm", "connectors"},
    "include": set(),
}
MAY_ALSO = {
    ("connectors", "runtime/connector.h"),  # the interface that connectors implement
    ("runtime/weir.c", "*"),                # these join the sides
    ("runtime/weir_compile.c", "*"),
    ("runtime/weir_internal.h", "*"),
}
ONLY_IN = {"lmdb.h": "runtime/store_lmdb.h", "pthread.h": ("base/populate.c", "runtime/saver.c", "runtime/segment_reader.c", "runtime/store_lmdb.h"), "rdkafka.h": "connectors/kafka_", "simdjson.h": "connectors/simdjson_shim.cpp",
           "xxhash.h": "base/hash.c"}
BANNED = re.compile(r"(?<![.>])\b(strcpy|strcat|sprintf|atoi|atol|atof|strtok|gets|localtime|gmtime|getenv|abort|exit|_exit|_Exit|printf|puts"
                    r"|malloc|calloc|realloc|free|assert)\s*\(")
BANNED_EXCEPT = {"base/alloc.c", "base/hash.c"}
SIZE_EXCEPT = {"dsl/grammar.y", "dsl/ast.h"}


def files():
    out = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
    return [f for f in out if f and os.path.exists(f)]


def room_of(path):
    return path.split("/")[0]


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def check_includes(path, text):
    room = room_of(path)
    for line, name in ((n, m.group(1)) for n, l in enumerate(text.split("\n"), 1)
                       if (m := re.match(r'\s*#include\s+"([^"]+)"', l))):
        target = room_of(name)
        if target == room or "/" not in name or target not in MAY_INCLUDE:
            if "/" not in name:
                wrong.append(f"{path}:{line}: include \"{name}\" is not written from the root")
            continue
        if target not in MAY_INCLUDE.get(room, set()) and (room, name) not in MAY_ALSO and (path, "*") not in MAY_ALSO:
            wrong.append(f"{path}:{line}: {room}/ may not include {name}")
    for m in re.finditer(r"#include\s+<([^>]+)>", text):
        home = ONLY_IN.get(os.path.basename(m.group(1)))
        if home and not path.startswith(home):
            wrong.append(f"{path}: only {home} includes {m.group(1)}")


def check_readmes(all_files):
    for room in list(MAY_INCLUDE) + ["tests", "bench", "examples", "docs", "web"]:
        if not any(f.startswith(room + "/") for f in all_files) or room == "include":
            continue
        readme = f"{room}/README.md"
        if not os.path.exists(readme):
            wrong.append(f"{readme}: is not there")
            continue
        text = open(readme).read()
        for f in all_files:
            name = f[len(room) + 1:]
            if f.startswith(room + "/") and name != "README.md" and "/" not in name and f"`{name}`" not in text:
                wrong.append(f"{readme}: no line for {name}")
        for name in re.findall(r"`([a-z0-9_]+\.(?:c|h|re|y|def|cpp))`", text):
            if not os.path.exists(f"{room}/{name}"):
                wrong.append(f"{readme}: speaks of {name}, which is not there")


def check_sizes(path, text):
    lines = text.count("\n")
    if lines > 800 and path not in SIZE_EXCEPT and not path.endswith(".def") and not path.startswith(("tests/", "bench/")):
        wrong.append(f"{path}: {lines} lines, more than 800")
    longest = max((len(l), n) for n, l in enumerate(text.split("\n"), 1))
    if longest[0] > 130:
        wrong.append(f"{path}:{longest[1]}: a line of {longest[0]} characters")


def check_text(path, text):
    room = room_of(path)
    if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text):
        wrong.append(f"{path}: a left-over marker")
    if room in ("base", "dsl", "vm", "compiler", "runtime", "connectors") and path not in BANNED_EXCEPT and path.endswith((".c", ".h")):
        for n, line in enumerate(strip_comments(text).split("\n"), 1):
            m = BANNED.search(line)
            if m and not re.match(r"\s*(#|_Noreturn)", line):
                wrong.append(f"{path}:{n}: {m.group(1)} is banned here")
            if "__builtin_prefetch" in line and path != "base/simd.h":
                wrong.append(f"{path}:{n}: wr_prefetch is not dropped by compilers, __builtin_prefetch may be")


def check_assertions(all_files):
    for room in ("vm", "runtime"):
        code = [f for f in all_files if f.startswith(room + "/") and f.endswith(".c")]
        lines = sum(open(f).read().count("\n") for f in code)
        asserts = sum(len(re.findall(r"WR_(ASSERT|DCHECK)\(", open(f).read())) for f in code)
        if code and asserts * 40 < lines:
            wrong.append(f"{room}/: {asserts} assertions in {lines} lines, fewer than one in 40")


def check_diagnostics():
    codes = re.findall(r"^DIAG\((W\d{4}),", open("dsl/diag.def").read(), re.M)
    texts = ""
    for folder, _, names in os.walk("tests/cases"):
        for name in names:
            if name.endswith(".expect"):
                texts += open(os.path.join(folder, name)).read()
    exempt = set(re.findall(r"\bW\d{4}\b", open("tests/cases/no_case.txt").read())) if os.path.exists("tests/cases/no_case.txt") else set()
    for code in codes:
        if f"[{code}]" not in texts and code not in exempt:
            wrong.append(f"dsl/diag.def: no text case shows {code}")


def check_pages():
    for page in ("bytecode", "errors", "functions", "settings"):
        want = subprocess.run([WEIR, "help", "--page", page], capture_output=True, text=True).stdout
        path = f"docs/{page}.md"
        if not os.path.exists(path) or open(path).read() != want:
            wrong.append(f"{path}: is not what `weir help --page {page}` prints; run `make pages`")


def main():
    all_files = files()
    for path in all_files:
        if path.startswith(("bench/peers/", "examples/")) or not path.endswith((".c", ".h", ".cpp", ".re", ".y", ".def")):
            continue
        text = open(path).read()
        if room_of(path) in MAY_INCLUDE:
            check_includes(path, text)
        check_sizes(path, text)
        check_text(path, text)
    check_readmes(all_files)
    check_assertions(all_files)
    check_diagnostics()
    check_pages()
    for line in wrong:
        print(line)
    print(f"house: {len(wrong)} wrong" if wrong else "house: in order")
    sys.exit(1 if wrong else 0)


main()
