import unittest

import reasons
from tree_for_tests import run, tree

ONE = '''inline constexpr Reason token_expired{"token_expired", ErrorClass::denied,
                                      "the token is past its "
                                      "exp claim", "ask for a new one; a \\"clock\\" may be wrong"};
'''


class Reasons(unittest.TestCase):
    def test_reads_joined_literals(self):
        self.assertEqual(reasons.parse(ONE, "ace"), [{
            "id": "token_expired", "name": "token_expired", "error_class": "denied", "module": "ace",
            "what": "the token is past its exp claim", "check": 'ask for a new one; a "clock" may be wrong'}])

    def test_refuses_a_form_that_it_cannot_read(self):
        with self.assertRaises(ValueError):
            reasons.parse("inline constexpr Reason x{make()};", "ace")
        with self.assertRaises(ValueError):
            reasons.parse("const Reason x = make();", "ace")

    def test_finds_ids_that_collide_or_differ_from_the_constant(self):
        twice = reasons.parse(ONE, "ace") + reasons.parse(ONE, "coap")
        self.assertEqual(len(list(reasons.problems(twice))), 1)
        other = reasons.parse(ONE.replace("Reason token_expired", "Reason token_old"), "ace")
        self.assertEqual(len(list(reasons.problems(other))), 1)

    def test_writes_what_it_then_accepts_and_sees_what_is_stale(self):
        with tree(**{"aceward/ace/token/reasons.h": ONE, "docs/README.md": ""}) as root:
            self.assertEqual(run(reasons.main, ["--check"], root=root)[0], 1)
            self.assertEqual(run(reasons.main, ["--write"], root=root)[0], 0)
            self.assertIn("| `token_expired` | denied |", (root / "docs/reasons.md").read_text())
            self.assertEqual(run(reasons.main, ["--check"], root=root)[0], 0)
            (root / "aceward/ace/token/reasons.h").write_text(ONE.replace("past", "behind"))
            self.assertEqual(run(reasons.main, ["--check"], root=root)[0], 1)


if __name__ == "__main__":
    unittest.main()
