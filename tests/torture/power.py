"""What a loss of power leaves behind: a random part of what was written since the last sync (shim.c)."""
import os, struct, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SECTOR = 512


def build(folder):
    path = os.path.join(folder, "shim.so")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", path, os.path.join(HERE, "shim.c"), "-ldl", "-pthread"], check=True)
    return path


def environment(shim, folder, **more):
    """A build with ASan asks to be loaded before all others; the shim replaces nothing that it does."""
    return {"LD_PRELOAD": shim, "WEIR_SHIM_DIR": folder + "/", **more,
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def notes(path):
    data, at = open(path, "rb").read(), 0
    while at + 24 <= len(data):
        offset, size, count = struct.unpack_from("<QQQ", data, at)
        if at + 24 + count > len(data):
            return  # the process died while it noted: nothing has been written yet
        yield offset, size, data[at + 24: at + 24 + count]
        at += 24 + count


def lose(folder, log, rng):
    """Puts sectors back that were never synced, each with a chance; some files lose nothing, some all."""
    lost = 0
    files = {str(os.stat(p).st_ino): p for f, _, names in os.walk(folder) for p in (os.path.join(f, n) for n in names)}
    for name in os.listdir(log):
        if name in files:
            lost += lose_of(files[name], list(notes(os.path.join(log, name))), rng)
        os.unlink(os.path.join(log, name))
    return lost


def lose_of(path, noted, rng):
    if not noted:
        return 0
    now = bytearray(open(path, "rb").read())
    synced = bytearray(now)  # as it was when it was synced last: notes undone, last one first
    for offset, size, old in reversed(noted):
        synced.extend(bytes(max(0, size - len(synced))))
        del synced[size:]
        synced[offset: offset + len(old)] = old
    chance = rng.choice([0.0, 0.5, 0.5, 0.9, 1.0])
    size = len(synced) if rng.random() < chance else len(now)
    torn, lost = bytearray(size), 0
    for at in range(0, size, SECTOR):
        back = rng.random() < chance
        lost += back
        part = (synced if back else now)[at: at + SECTOR]
        torn[at: at + len(part)] = part[: size - at]
    with open(path, "r+b") as f:
        f.write(torn)
        f.truncate(size)
    return lost
