import unittest

import conformance
from tree_for_tests import run, tree

HEAD = "| section | requirement | where | test | state |\n|---|---|---|---|---|\n"
FILES = {
    "a_test.cc": "TEST(A, One) {}\nTEST(A, Two) {}\n",
    "docs/divergences.md": "| standard | section | what | why |\n|---|---|---|---|\n| RFC 8392 | 3.1 | x | y |\n",
}


class Conformance(unittest.TestCase):
    def outcome(self, *rows, arguments=("--quiet",)):
        with tree(**FILES, **{"docs/conformance/rfc8392.md": HEAD + "".join(row + "\n" for row in rows)}) as root:
            return run(conformance.main, list(arguments), root=root)

    def test_counts(self):
        status, out = self.outcome("| 3 | must a | `a_test.cc` | `A.One`, `A.Two` | covered |", "| 4 | must b | | | open |",
                                   "| 3.1 | must c | a_test.cc | A.One | otherwise |", arguments=())
        self.assertEqual(status, 0)
        self.assertEqual(out.splitlines()[1].split(), ["rfc8392", "3", "1", "1", "1"])

    def test_refuses_rows_that_claim_too_much(self):
        for row, what in (
            ("| 3 | must a | a_test.cc | A.Three | covered |", "there is no test A.Three"),
            ("| 3 | must a | b.cc | A.One | covered |", "there is no file b.cc"),
            ("| 3 | must a | a_test.cc | - | covered |", "covered by which test?"),
            ("| 3 | must a | | A.One | covered |", "covered where?"),
            ("| 3 | must a | a_test.cc | A.One | done |", "the state is one of"),
            ("| 3 | must a | a_test.cc | A.One | otherwise |", "divergences.md"),
        ):
            status, out = self.outcome(row)
            self.assertEqual(status, 1, row)
            self.assertIn("docs/conformance/rfc8392.md:3: " + what if "divergences" not in what else what, out)

    def test_refuses_a_document_without_rows(self):
        self.assertEqual(self.outcome()[0], 1)

    def test_knows_no_other_standard(self):
        self.assertEqual(self.outcome("| 4 | must b | | | open |", arguments=["rfc9999"])[0], 2)


if __name__ == "__main__":
    unittest.main()
