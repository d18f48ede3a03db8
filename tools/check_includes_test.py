import pathlib
import unittest

import check_includes
from tree_for_tests import run, tree


def rules(path, text):
    return [rule for rule, _ in check_includes.check_source(pathlib.PurePosixPath(path), text)]


class Source(unittest.TestCase):
    def test_lets_a_module_include_what_stands_below_it(self):
        self.assertEqual(rules("aceward/cose/x.cc", '#include "aceward/cbor/reader.h"\n'), [])
        self.assertEqual(rules("aceward/ace/profile/dtls/x.cc", '#include "aceward/coaps/endpoint.h"\n'), [])

    def test_refuses_an_include_that_points_up(self):
        self.assertEqual(rules("aceward/cbor/x.cc", '#include "aceward/cose/key.h"\n'), ["direction"])
        self.assertEqual(rules("aceward/ace/rs/x.cc", '#include "aceward/tls/server.h"\n'), ["direction"])
        self.assertEqual(rules("aceward/cose/x.cc", '#include "aceward/cose/cwt/claims.h"\n'), ["direction"])

    def test_refuses_a_module_that_nobody_declared(self):
        self.assertEqual(rules("aceward/misc/x.cc", '#include "aceward/base/bytes.h"\n'), ["direction"])

    def test_keeps_libraries_in_their_folders(self):
        for line in ("#include <openssl/evp.h>", "#include <sodium.h>", "#include <gnutls/gnutls.h>",
                     "#include <sys/socket.h>", "#include <asio/io_context.hpp>", "#include <netinet/in.h>"):
            self.assertEqual(rules("aceward/coap/x.cc", line + "\n"), ["outside-world"], line)
        self.assertEqual(rules("aceward/crypto/openssl/x.cc", "#include <openssl/evp.h>\n"), [])
        self.assertEqual(rules("aceward/tls/x.cc", "#include <gnutls/dtls.h>\n"), [])
        self.assertEqual(rules("aceward/net/x.cc", "#include <sys/socket.h>\n"), [])

    def test_refuses_clocks_and_random_sources(self):
        for line in ("auto t = std::chrono::steady_clock::now();", "auto t = std::time(nullptr);", "auto t = time(0);",
                     "clock_gettime(CLOCK_REALTIME, &t);", "std::random_device d;", "getrandom(p, n, 0);",
                     'open("/dev/urandom");', "int x = rand();"):
            self.assertEqual(rules("app/x.cc", line + "\n"), ["outside-world"], line)
        for line in ("// std::random_device", "clock.time(now)", "on_time(0)", "brand()"):
            self.assertEqual(rules("app/x.cc", line + "\n"), [], line)
        self.assertEqual(rules("aceward/base/time.cc", "std::chrono::system_clock::now();\n"), [])

    def test_keeps_heavy_headers_out_of_headers(self):
        self.assertEqual(rules("app/x.h", "#pragma once\n#include <CLI/CLI.hpp>\n"), ["heavy-header"])
        self.assertEqual(rules("app/x.cc", "#include <CLI/CLI.hpp>\n"), [])

    def test_wants_whole_include_paths_and_include_guards(self):
        self.assertEqual(rules("app/x.cc", '#include "bytes.h"\n'), ["include-form"])
        self.assertEqual(rules("app/x.h", "int x;\n"), ["include-form"])

    def test_refuses_long_files(self):
        self.assertEqual(rules("app/x.cc", "int x;\n" * 500), [])
        self.assertEqual(rules("app/x.cc", "int x;\n" * 501), ["size"])


class AnyFile(unittest.TestCase):
    def check(self, path, text):
        return [rule for rule, _ in check_includes.check_any(pathlib.PurePosixPath(path), text)]

    def test_refuses_unfinished_work_and_machine_paths(self):
        self.assertEqual(self.check("a.py", "# TO" + "DO later"), ["unfinished"])
        self.assertEqual(self.check("a.md", "see /wo" + "rk/x"), ["machine-path"])
        self.assertEqual(self.check("a.md", "see ../work/x and a/root/b, ../shared/vectors"), [])

    def test_refuses_empty_names(self):
        for name in ("utils.h", "string_utils.cc", "common.h", "session_manager.h", "helpers_test.cc"):
            self.assertEqual(self.check(name, ""), ["name"], name)
        self.assertEqual(self.check("utility.h", ""), [])


class WholeTree(unittest.TestCase):
    FILES = {"app/a.cc": '#include "b.h"\n', "app/README.md": "a", "lib/c.cc": ""}

    def test_reports_everything(self):
        with tree(**self.FILES, **{"tools/allowed.txt": ""}) as root:
            status, out = run(check_includes.main, root)
        self.assertEqual(status, 1)
        self.assertIn("app/a.cc: include-form", out)
        self.assertIn("lib: readme", out)

    def test_lets_pass_what_is_allowed_and_wants_no_stale_line(self):
        allowed = "include-form app/a.cc: a reason\nreadme lib: a reason\n"
        with tree(**self.FILES, **{"tools/allowed.txt": allowed}) as root:
            self.assertEqual(run(check_includes.main, root), (0, ""))
        with tree(**self.FILES, **{"tools/allowed.txt": allowed + "size app/a.cc: once\n"}) as root:
            self.assertEqual(run(check_includes.main, root)[0], 1)


if __name__ == "__main__":
    unittest.main()
