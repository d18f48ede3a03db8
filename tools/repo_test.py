import unittest

import repo
from tree_for_tests import tree


class WithoutComments(unittest.TestCase):
    def test_keeps_lines_and_strings(self):
        self.assertEqual(repo.without_comments('a; // b\n/* c\nd */ e("// f");'), 'a; \n\n e("// f");')

    def test_empties_strings_when_asked(self):
        self.assertEqual(repo.without_comments('f("TEST(A, B)"); R"x(TEST(A, B))x"', strings=False), 'f(""); ""')


class TestNames(unittest.TestCase):
    def test_finds_every_kind(self):
        with tree(**{
            "aceward/a_test.cc": "TEST(A, One) {}\nTEST_F(A, Two) {}\nTEST_P(B, Three) {}\nTYPED_TEST(C, Four) {}\n",
            "x/CMakeLists.txt": "add_test(NAME tools.x COMMAND y)\naceward_fuzz(cbor LINKS z)\n# add_test(NAME no)\n",
            "interop/libcoap.py": "def test_psk(self):\n  pass\n",
        }) as root:
            self.assertEqual(repo.test_names(root), {"A.One", "A.Two", "B.Three", "C.Four", "tools.x", "fuzz.cbor",
                                                     "interop.libcoap", "interop.test_psk"})

    def test_leaves_out_what_does_not_run(self):
        with tree(**{"a_test.cc": "// TEST(A, One)\n/*\nTEST(A, Two)\n*/\nTEST(A, DISABLED_Three) {}\n"}) as root:
            self.assertEqual(repo.test_names(root), set())


class WithoutParameter(unittest.TestCase):
    def test_instances_and_values_go(self):
        self.assertEqual(repo.without_parameter("Keys/Recovery.APostActsOnce/Psk"), "Recovery.APostActsOnce")
        self.assertEqual(repo.without_parameter("Recovery.APostActsOnce"), "Recovery.APostActsOnce")


class TableRows(unittest.TestCase):
    def test_leaves_out_heads_and_other_tables(self):
        text = "| a | b |\n|---|---|\n| 1 | x \\| y |\n\n| a |\n|---|\n| 2 |\n"
        self.assertEqual(list(repo.table_rows(text, 2)), [(3, ["1", "x | y"])])


if __name__ == "__main__":
    unittest.main()
