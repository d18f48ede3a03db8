import unittest

import check_dependencies


class Dependencies(unittest.TestCase):
    DEV = "packages_build=(g++ cmake\n  ninja-build)\npackages_test=(python3)\n"
    DOCUMENT = ("| set | packages | what for |\n|---|---|---|\n| build | `g++` | the compiler |\n"
                "| build, test | `cmake`, `python3` | more |\n")

    def test_compares_the_sets(self):
        dev, document = check_dependencies.installed(self.DEV), check_dependencies.documented(self.DOCUMENT)
        self.assertEqual(dev, {"build": {"g++", "cmake", "ninja-build"}, "test": {"python3"}})
        self.assertEqual(sorted(check_dependencies.problems(dev, document)), [
            "./dev does not install cmake (test)", "./dev does not install python3 (build)",
            "docs/dependencies.md does not say what ninja-build (build) is for"])


if __name__ == "__main__":
    unittest.main()
