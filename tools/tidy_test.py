import subprocess
import unittest

import tidy
from tree_for_tests import tree


def commit(root, message):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, "commit", "-qam", message, "--allow-empty"], cwd=root, check=True)


class Changed(unittest.TestCase):
    def test_takes_the_newest_first_and_what_is_not_committed_before_all(self):
        with tree(**{"a.cc": "", "b.cc": "", "c.h": "", "d.cc": "", "e.txt": ""}) as root:
            commit(root, "first")
            base = tidy.git(root, "rev-parse", "HEAD")
            for name in ("a.cc", "b.cc", "e.txt"):
                (root / name).write_text("changed\n")
                commit(root, name)
            (root / "c.h").write_text("changed\n")
            self.assertEqual(tidy.changed(root, base), ["c.h", "b.cc", "a.cc"])

    def test_takes_all_where_the_history_is_short(self):
        with tree(**{"a.cc": "", "b.cc": ""}) as root:
            commit(root, "first")
            self.assertEqual(tidy.find_base(root), "")
            self.assertEqual(sorted(tidy.changed(root, "")), ["a.cc", "b.cc"])


class Units(unittest.TestCase):
    def test_checks_a_header_through_the_source_beside_it(self):
        compiled = {"a.cc", "b_test.cc", "c.cc"}
        self.assertEqual(tidy.units(["c.cc", "a.h", "a.cc", "b.h", "d.h"], compiled), ["c.cc", "a.cc", "b_test.cc"])


if __name__ == "__main__":
    unittest.main()
