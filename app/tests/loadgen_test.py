#!/usr/bin/env python3
"""`aceward loadgen` at a real server over loopback. Usage: loadgen_test.py BINARY [unittest's options]."""

import json
import socket
import sys
import unittest

import command_line_test as program
from command_line_test import CLIENT_ERROR, DONE, NO_ANSWER, SECURITY, USAGE, run


def load(uri, *options, expect=DONE):
    return json.loads(run("--json", "loadgen", uri, *options, expect=expect).stdout)


class AtAServer(program.Folder):
    # What Flow does, without its tests.
    serve, start, stop_all = program.Flow.serve, program.Flow.start, program.Flow.stop_all

    def setUp(self):
        super().setUp()
        self.init()
        self.servers = []
        self.addCleanup(self.stop_all)
        for place in (r'(\[as\]\nlisten = "\[::1\]:)\d+', r'(\[rs\]\nlisten = "\[::1\]:)\d+',
                      r'(listen_plain = "\[::1\]:)\d+'):
            self.change(place, r"\g<1>0")
        self.change(r'path = "/temp"\ncontent = "21.5 C"', 'path = "/temp"\ncontent = "21.5 C"\npublic = true')
        self.start()

    def test_every_request_of_an_open_loop_is_answered(self):
        report = load(self.plain + "/temp", "--endpoints", 20, "--rate", 400, "--requests", 200, "--burst", 4)
        self.assertEqual((report["sent"], report["answered"], report["timeouts"]), (200, 200, 0))
        self.assertEqual([report[name] for name in ("wrong_token", "wrong_payload", "wrong_code", "malformed")], [0] * 4)
        latency = report["latency_us"]
        self.assertEqual(latency["count"], 200)
        in_order = [latency[name] for name in ("min", "p50", "p90", "p99", "p99_9", "max")]
        self.assertEqual(in_order, sorted(in_order))
        self.assertGreater(latency["min"], 0)

    def test_a_closed_loop_goes_on_as_answers_come(self):
        report = load(self.plain + "/temp", "--endpoints", 50, "--outstanding", 5, "--requests", 50, "--non",
                      "--warm-up", "0.05", "--expect-payload", "21.5 C")
        self.assertEqual(report["latency_us"]["count"], 50)
        self.assertEqual(report["answered"], report["sent"])
        self.assertEqual(report["retransmitted"], 0)

    def test_it_says_for_people_what_came(self):
        told = run("loadgen", self.plain + "/temp", "--outstanding", 1, "--requests", 3).stdout
        self.assertIn("3 of 3", told)
        self.assertIn("p99.9", told)

    def test_one_endpoint_does_not_reuse_message_ids_too_soon(self):
        report = load(self.plain + "/temp", "--outstanding", 1, "--requests", 30)
        self.assertTrue(report["held_back"])
        self.assertLessEqual(report["rate"], 30 / (29 / 265.4))

    def test_another_answer_than_expected_is_a_failure(self):
        report = load(self.plain + "/nothing", "--outstanding", 1, "--requests", 2, expect=CLIENT_ERROR)
        self.assertEqual((report["wrong_code"], report["answered"]), (2, 0))
        load(self.plain + "/temp", "--outstanding", 1, "--requests", 2, "--method", "delete", "--expect", "4.05")
        report = load(self.plain + "/temp", "--outstanding", 1, "--requests", 2, "--expect-payload", "21.6 C",
                      expect=SECURITY)
        self.assertEqual(report["wrong_payload"], 2)

    def test_each_endpoint_has_a_session_of_its_own(self):
        keys = self.config.parent / "keys"
        with_keys = ("--key", keys / "client.pem", "--server-key", keys / "rs.pub.pem", "--endpoints", 6, "--outstanding",
                     3, "--requests", 30)
        run("-c", self.config, "policy", "add", "--client", "client", "--rs", "rs", "--scope", "read_led")
        run("-c", self.config, "get", self.secure + "/led")  # leaves a token for the client's key
        report = load(self.secure + "/led", *with_keys)
        self.assertEqual(report["answered"], 30)
        self.assertEqual((report["dtls"]["sessions"], report["dtls"]["failed"]), (6, 0))
        self.assertEqual(report["dtls"]["cipher_suite"], "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8")
        stranger = self.folder / "stranger"
        stranger.write_text("30313233343536373839616263646566\n")
        stranger.chmod(0o600)
        refused = run("--json", "loadgen", self.secure + "/led", "--psk-identity", "nobody", "--psk", f"file:{stranger}",
                      "--outstanding", 1, "--requests", 1, expect=SECURITY)
        self.assertEqual(json.loads(refused.stdout)["dtls"]["failed"], 1)


class WithoutAServer(unittest.TestCase):
    def test_a_rate_above_the_standards_limit_is_refused_with_what_it_would_need(self):
        refused = run("loadgen", "coap://[::1]/temp", "--rate", 10000, "--endpoints", 37, "--duration", 1, expect=USAGE)
        self.assertIn("265", refused.stderr)
        self.assertIn("--endpoints 38", refused.stderr)

    def test_what_is_missing_or_too_much_is_refused(self):
        uri = "coap://[::1]/temp"
        for options in (("--duration", 1), ("--rate", 1), ("--rate", 1, "--outstanding", 1, "--duration", 1),
                        ("--outstanding", 2, "--duration", 1), ("--rate", 1, "--duration", 1, "--expect", "1.05"),
                        ("--rate", 1, "--duration", 1, "--method", "take"),
                        ("--rate", 1, "--duration", 1, "--psk-identity", "a")):
            run("loadgen", uri, *options, expect=USAGE)
        run("loadgen", "coaps://[::1]/temp", "--rate", 1, "--duration", 1, expect=USAGE)

    def test_silence_is_no_answer(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            report = load(f"coap://127.0.0.1:{silent.getsockname()[1]}/temp", "--outstanding", 1, "--requests", 1,
                          "--timeout", 0.2, expect=NO_ANSWER)
        self.assertEqual((report["sent"], report["timeouts"]), (1, 1))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
