#!/usr/bin/env python3
"""Checks what the compiler does not: the direction of includes, where the outside world may be touched, names, sizes.

What is allowed in spite of a rule stands in tools/allowed.txt with its reason.
"""

import re
import sys

import repo

# What a folder may include besides itself. The longest folder that matches decides; docs/architecture.md draws it.
LOW = {"base", "cbor", "crypto"}
ACE = LOW | {"cose", "cose/cwt", "coap", "coap/problem"}
LIBRARIES = {
    "base": set(),
    "cbor": {"base"},
    "crypto": {"base"},
    "cose": LOW,
    "cose/cwt": LOW | {"cose"},
    "pki": LOW,
    "coap": {"base"},
    "coap/problem": {"base", "cbor", "coap"},
    "oscore": LOW | {"coap", "cose"},
    "oscore/group": LOW | {"coap", "cose", "oscore"},
    "edhoc": LOW | {"cose"},
    "tls": {"base", "crypto"},
    "coaps": {"base", "crypto", "coap", "tls"},
    "ace": ACE,
    "ace/profile": ACE | {"ace", "tls", "coaps", "oscore", "edhoc"},
    "group": ACE | {"ace", "oscore", "oscore/group"},
    "pubsub": ACE | {"ace"},
    "est": LOW | {"coap", "pki", "coaps", "tls", "oscore", "edhoc"},
}
LIBRARIES["store"] = set(LIBRARIES)
LIBRARIES["net"] = {"base", "coap"}
LIBRARIES["net/coaps"] = {"base", "crypto", "coap", "tls", "coaps", "net"}

# Includes and calls that only some folders may use: what it is, the pattern, the folders.
OUTSIDE_WORLD = [
    ("OpenSSL and libsodium", re.compile(r'#\s*include\s*[<"](openssl/|sodium)'), ["aceward/crypto/openssl"]),
    ("GnuTLS", re.compile(r'#\s*include\s*[<"]gnutls/'), ["aceward/tls"]),
    ("sockets", re.compile(r'#\s*include\s*[<"](sys/socket|sys/un\.h|netinet/|netdb|asio|poll\.h|sys/epoll)'),
     ["aceward/net", "sim"]),
    ("address conversion", re.compile(r'#\s*include\s*[<"]arpa/inet'), ["aceward/net", "aceward/base", "sim"]),
    ("a clock", re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b"
                           r"|(?<![\w.>:])(std::|::)?time\s*\(\s*(nullptr|NULL|0|&\w+)\s*\)"),
     ["aceward/net", "aceward/base", "sim", "bench"]),
    ("a random source", re.compile(r"\b(random_device|getrandom|getentropy|arc4random|RAND_bytes|randombytes_buf)\b"
                                   r"|/dev/u?random|(?<![\w.>:])s?rand\s*\("),
     ["aceward/net", "aceward/base", "sim", "bench", "aceward/crypto/openssl"]),
]
HEAVY = re.compile(r'#\s*include\s*[<"](asio|httplib|CLI/|nlohmann/|toml\+\+|toml\.hpp|spdlog/)')
INCLUDE = re.compile(r'^\s*#\s*include\s*"(aceward/[^"]+)"', re.MULTILINE)
BARE_INCLUDE = re.compile(r'^\s*#\s*include\s*"(?!(?:aceward|app|sim|bench|demo|interop|tests|examples|fuzz)/)([^"]+)"',
                          re.MULTILINE)
# Built from pieces, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(" + "|".join(["wo" + "rk", "ho" + "me", "ro" + "ot", "far" + "m",
                                                       "Use" + "rs"]) + r")/\w")
EMPTY_NAMES = re.compile(r"(^|_)(utils?|common|managers?|helpers?)(_|$)")
MAX_LINES = 500


def module_of(path, modules=LIBRARIES):
    """`aceward/ace/rs/x.h` is of the module `ace`; None outside the libraries."""
    if path.parts[0] != "aceward":
        return None
    parts = path.parts[1:-1]
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in modules:
            return name
    return "/".join(parts[:1])


def inside(path, folders):
    return any(str(path).startswith(folder + "/") for folder in folders)


def check_directions(path, text):
    module = module_of(path)
    for included in INCLUDE.findall(text):
        other = module_of(repo.pathlib.PurePosixPath(included))
        if path.parts[0] == "aceward":
            if module not in LIBRARIES:
                yield "direction", f"the module {module} is not in the table of tools/check_includes.py"
                return
            if other != module and other not in LIBRARIES[module]:
                yield "direction", f'{module} may not include "{included}" of {other}'
        if "crypto/openssl/" in included and path.suffix == ".h" and module not in ("crypto", None):
            yield "direction", f'"{included}" is named in a header; take the port instead'


def check_source(path, text):
    """The rules for one C++ file; yields (rule, what is wrong)."""
    code = repo.without_comments(text)
    yield from check_directions(path, code)
    for what, pattern, folders in OUTSIDE_WORLD:
        if not inside(path, folders):
            for line in code.splitlines():
                if pattern.search(line):
                    yield "outside-world", f"{what}: {line.strip()}"
    if path.suffix == ".h" and HEAVY.search(code):
        yield "heavy-header", f"{HEAVY.search(code).group(0)}…: only a .cc file may include it"
    for bare in BARE_INCLUDE.findall(code):
        yield "include-form", f'"{bare}": includes read "aceward/…" from the top of the tree'
    if path.suffix == ".h" and "#pragma once" not in text:
        yield "include-form", "the header has no #pragma once"
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield "size", f"{lines} lines; {MAX_LINES} is where a file should be two"


def check_any(path, text):
    """The rules for every text file."""
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield "unfinished", f"line {number}: {line.strip()}"
        if MACHINE_PATH.search(line):
            yield "machine-path", f"line {number}: {line.strip()}"
    if EMPTY_NAMES.search(path.name.split(".")[0]):
        yield "name", "the file's name says nothing: name what it does"


def check_folders(root, paths):
    folders = {path.parent for path in paths if path.suffix in (".h", ".cc")}
    for folder in sorted(folders):
        if not (root / folder / "README.md").is_file():
            yield folder, "readme", "a folder with sources says in a README.md what lives there and what does not"


def find_all(root, paths):
    """Yields (path, rule, what is wrong) over all the files."""
    for path in paths:
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue  # seeds and vectors
        if not inside(path, ["fuzz/seeds"]) and path.name != "LICENSE":
            for rule, what in check_any(path, text):
                yield path, rule, what
        if path.suffix in (".h", ".cc"):
            for rule, what in check_source(path, text):
                yield path, rule, what
    yield from check_folders(root, paths)


def read_allowed(text):
    """Lines `RULE PATH: REASON`."""
    allowed = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            head, _, reason = line.partition(": ")
            rule, _, path = head.partition(" ")
            if not reason.strip() or not path:
                raise SystemExit(f"tools/allowed.txt: not `RULE PATH: REASON`: {line}")
            allowed[(rule, path)] = reason
    return allowed


def main(root=repo.ROOT):
    allowed = read_allowed((root / "tools/allowed.txt").read_text())
    used, wrong = set(), 0
    for path, rule, what in find_all(root, repo.tracked(root)):
        if (rule, str(path)) in allowed:
            used.add((rule, str(path)))
            continue
        print(f"{path}: {rule}: {what}")
        wrong += 1
    for rule, path in sorted(set(allowed) - used):
        print(f"tools/allowed.txt: nothing needs `{rule} {path}` any more")
        wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
