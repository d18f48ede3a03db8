"""A small git repository in a temporary folder, for the tests of the checks."""

import contextlib
import io
import pathlib
import subprocess
import tempfile


@contextlib.contextmanager
def tree(**files):
    """tree(**{"docs/x.md": "…"}): yields the folder; git tracks the files."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        subprocess.run(["git", "add", "-A"], cwd=root, check=True)
        yield root


def run(main, *arguments, **options):
    """What a check returns, and what it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = main(*arguments, **options)
    return status, out.getvalue()
