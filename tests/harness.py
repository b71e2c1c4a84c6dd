"""What suites written in Python share: cases in folders of their own, and the line of counts that run.py reads."""
import sys, tempfile

results = []  # name, why it failed
skipped = []  # names


class Skip(Exception):
    """Raised by a case that this build cannot run."""


def case_of(prepare=None):
    """A decorator that runs a function with a new folder, which `prepare` fills; what it raises is its failure."""
    def case(function):
        with tempfile.TemporaryDirectory() as folder:
            try:
                if prepare:
                    prepare(folder)
                function(folder)
                results.append((function.__name__, None))
            except Skip:
                skipped.append(function.__name__)
            except Exception as e:
                results.append((function.__name__, f"{type(e).__name__}: {e}"))
        return function
    return case


case = case_of()


def equal(got, want):
    assert got == want, f"got\n{got}\nwanted\n{want}"


def finish():
    """Prints what failed and the counts, and ends the process with 1 when anything has."""
    failed = [(name, why) for name, why in results if why]
    for name, why in failed:
        print(f"{name.replace('_', ' ')}: {why}")
    print(f"passed={len(results) - len(failed)} failed={len(failed)} skipped={len(skipped)}")
    sys.exit(1 if failed else 0)
