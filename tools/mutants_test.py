import pathlib
import unittest

import mutants
from tree_for_tests import run, tree

PATCH = """Test: A.One
Target: a_test
Why: the condition matters

--- a/a.cc
+++ b/a.cc
@@ -1,3 +1,3 @@
 one
-two
+2
 three
"""
FILES = {"a.cc": "one\ntwo\nthree\n", "a_test.cc": "TEST(A, One) {}\n"}


class Check(unittest.TestCase):
    def outcome(self, patch, **files):
        with tree(**FILES, **{"mutants/01-x.patch": patch}, **files) as root:
            return run(mutants.check, root)

    def test_accepts_a_patch_that_applies(self):
        self.assertEqual(self.outcome(PATCH), (0, ""))

    def test_refuses_what_proves_nothing(self):
        self.assertIn("does not apply", self.outcome(PATCH.replace("-two", "-four"))[1])
        self.assertIn("there is no test A.Two", self.outcome(PATCH.replace("A.One", "A.Two"))[1])
        self.assertIn("no Why:", self.outcome(PATCH.replace("Why", "Because"))[1])
        self.assertIn("changes nothing", self.outcome(PATCH.replace("-two\n+2", " two"))[1])
        self.assertIn("has this number too", self.outcome(PATCH, **{"mutants/01-y.patch": PATCH})[1])


class FakeBench:
    """A bench whose test passes as long as a.cc holds the line that the mutant changes."""

    def __init__(self, tree, needs):
        self.tree, self.needs = tree, needs

    def make(self, target):
        pass

    def passes(self, mutant):
        return self.needs in (self.tree / "a.cc").read_text()


class TryOne(unittest.TestCase):
    def try_with(self, needs):
        with tree(**FILES, **{"mutants/01-x.patch": PATCH}) as root:
            mutant = mutants.read_patch(root / "mutants/01-x.patch")
            caught = mutants.try_one(FakeBench(root, needs), mutant)
            self.assertEqual((root / "a.cc").read_text(), FILES["a.cc"], "the mutant was left in")
        return caught

    def test_tells_a_caught_mutant_from_one_that_survives(self):
        self.assertTrue(self.try_with("two"))
        self.assertFalse(self.try_with("three"))


class CopyTree(unittest.TestCase):
    def test_copies_what_changed_and_drops_what_is_gone(self):
        with tree(**FILES) as root:
            copy = pathlib.Path(root) / "build/mutants/tree"
            (root / ".gitignore").write_text("/build/\n")
            mutants.copy_tree(root, copy)
            before = (copy / "a_test.cc").stat().st_mtime_ns
            (root / "a.cc").unlink()
            (root / "b.cc").write_text("new\n")
            mutants.copy_tree(root, copy)
            self.assertFalse((copy / "a.cc").exists())
            self.assertEqual((copy / "b.cc").read_text(), "new\n")
            self.assertEqual((copy / "a_test.cc").stat().st_mtime_ns, before)


if __name__ == "__main__":
    unittest.main()
