#include "aceward/cbor/diagnostic.h"

#include <gtest/gtest.h>

namespace aceward::cbor {
namespace {

std::string show(std::string_view hex, const DiagnosticOptions& options = {}) {
  return to_diagnostic(from_hex(hex).value(), options);
}

std::string read(std::string_view text) {
  std::size_t offset = 0;
  const auto octets = from_diagnostic(text, &offset);
  if (!octets) return std::string(octets.error().id()) + '@' + std::to_string(offset);
  return to_hex(*octets);
}

TEST(CborDiagnostic, MarksEncodingsThatAreNotPreferred) {
  for (const auto& [hex, text] :
       std::initializer_list<std::pair<const char*, const char*>>{{"1801", "1_0"},
                                                                  {"190001", "1_1"},
                                                                  {"1a00000001", "1_2"},
                                                                  {"1b0000000000000001", "1_3"},
                                                                  {"390000", "-1_1"},
                                                                  {"fb3ff8000000000000", "1.5_3"},
                                                                  {"fa3fc00000", "1.5_2"},
                                                                  {"580101", "h'01'_0"},
                                                                  {"59000101", "h'01'_1"},
                                                                  {"780161", "\"a\"_0"},
                                                                  {"980101", "[_0 1]"},
                                                                  {"99000101", "[_1 1]"},
                                                                  {"b8010102", "{_0 1: 2}"},
                                                                  {"d90001"
                                                                   "00",
                                                                   "1_1(0)"},
                                                                  {"5f"
                                                                   "ff",
                                                                   "''_"},
                                                                  {"7f"
                                                                   "ff",
                                                                   "\"\"_"},
                                                                  {"5f40ff", "(_ h'')"},
                                                                  {"5f58010140ff", "(_ h'01'_0, h'')"},
                                                                  {"bfff", "{_ }"},
                                                                  {"c2"
                                                                   "5809010000000000000000",
                                                                   "2(h'010000000000000000'_0)"},
                                                                  {"c2"
                                                                   "49000000000000000001",
                                                                   "2(h'000000000000000001')"},
                                                                  {"c2"
                                                                   "4101",
                                                                   "2(h'01')"}}) {
    if (std::string_view(hex).size() == 0) continue;
    EXPECT_EQ(show(hex), text) << hex;
    EXPECT_EQ(read(text), hex) << text;
  }
}

TEST(CborDiagnostic, ShowsWhatNoNotationOfTheStandardCovers) {
  for (const auto& [hex, text] :
       std::initializer_list<std::pair<const char*, const char*>>{{"f97e01", "float'7e01'"},
                                                                  {"f9fe00", "float'fe00'"},
                                                                  {"fa7f800001", "float'7f800001'"},
                                                                  {"fb7ff0000000000001", "float'7ff0000000000001'"},
                                                                  {"62c328", "nonutf8'c328'"},
                                                                  {"780161", "\"a\"_0"}}) {
    EXPECT_EQ(show(hex), text);
    EXPECT_EQ(read(text), hex);
  }
}

TEST(CborDiagnostic, WritesSequencesWithCommas) {
  EXPECT_EQ(show("01020a"), "1, 2, 10");
  EXPECT_EQ(read("1, 2, 10"), "01020a");
  EXPECT_EQ(show(""), "");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read(" / nothing / "), "");
}

Names token_request_names() {
  Names names;
  names.key(5, "audience").key(9, "scope");
  names.key(33, "grant_type", Names().value(2, "client_credentials"));
  Names cnf = Names().key(1, "COSE_Key", Names().key(1, "kty", Names().value(4, "Symmetric")).key(-1, "k", [] {
    Names secret;
    secret.secret = true;
    return secret;
  }()));
  names.key(4, "req_cnf", cnf);
  return names;
}

TEST(CborDiagnostic, PutsNamesBeforeNumbersAsTheFiguresOfRfc9200Do) {
  const Names names = token_request_names();
  const DiagnosticOptions options{.names = &names};
  EXPECT_EQ(show("a2182102056161", options), "{/ grant_type / 33 : / client_credentials / 2, / audience / 5 : \"a\"}");
  EXPECT_EQ(read(show("a2182102056161", options)), "a2182102056161");
  EXPECT_EQ(show("a21863f6616100", options), "{99: null, \"a\": 0}");
}

TEST(CborDiagnostic, NeverShowsSecrets) {
  const Names names = token_request_names();
  const std::string text = show("a104a101a2010420420a0b", {.names = &names});
  EXPECT_EQ(text,
            "{/ req_cnf / 4 : {/ COSE_Key / 1 : {/ kty / 1 : / Symmetric / 4, / k / -1 : / secret, 2 octets / ...}}}");
}

TEST(CborDiagnostic, ShowsNoSecretAfterAFault) {
  const Names names = token_request_names();
  // k ends too early; k follows an octet that begins no item; the map says that there is more after k.
  for (const char* hex : {"a104a101a2010420440a0b0c", "a104a101a2011c20430a0b0c", "a104a101a3010420430a0b0c"}) {
    const std::string text = show(hex, {.names = &names});
    EXPECT_EQ(text.find("0a0b0c"), std::string::npos) << text;
    EXPECT_NE(text.find(" / cbor_"), std::string::npos) << text;
  }
  // Within a byte string that should hold CBOR and does not.
  Names embedded = names;
  embedded.embedded = true;
  EXPECT_EQ(show("4ca104a101a2010420440a0b0c", {.names = &embedded}), "/ secret, 12 octets / ...");
  Names harmless = Names().key(1, "a");
  EXPECT_EQ(show("a1011c", {.names = &harmless}), "{/ a / 1 :  / cbor_not_well_formed at octet 2, rest h'1c' /");
}

TEST(CborDiagnostic, IndentsOneLineAPair) {
  const Names names = token_request_names();
  EXPECT_EQ(show("a318210204a0098301f5a0", {.names = &names, .indented = true}),
            "{\n"
            "  / grant_type / 33 : / client_credentials / 2,\n"
            "  / req_cnf / 4 : {},\n"
            "  / scope / 9 : [\n"
            "    1,\n"
            "    true,\n"
            "    {}\n"
            "  ]\n"
            "}");
  EXPECT_EQ(show("a10183010203", {.indented = true}), "{\n  1: [1, 2, 3]\n}");
}

TEST(CborDiagnostic, NamesPlacesElementsAndTagContent) {
  Names header = Names().key(1, "alg", Names().value(10, "AES-CCM-16-64-128"));
  header.embedded = true;
  Names message = Names().place("protected", header).place("unprotected").place("ciphertext");
  const DiagnosticOptions options{.names = &message};
  EXPECT_EQ(show("d08343a1010aa04101", options),
            "16([/ protected / <<{/ alg / 1 : / AES-CCM-16-64-128 / 10}>>, / unprotected / {}, / ciphertext / h'01'])");
  EXPECT_EQ(read(show("d08343a1010aa04101", options)), "d08343a1010aa04101");
  const Names list = Names().each_is(Names().value(1, "one"));
  EXPECT_EQ(show("820102", {.names = &list}), "[/ one / 1, 2]");
}

TEST(CborDiagnostic, ShowsAByteStringAsSuchIfNoCborIsInIt) {
  Names embedded;
  embedded.embedded = true;
  EXPECT_EQ(show("411c", {.names = &embedded}), "h'1c'");
  EXPECT_EQ(show("40", {.names = &embedded}), "h''");
  EXPECT_EQ(show("42"
                 "0102",
                 {.names = &embedded}),
            "<<1, 2>>");
  EXPECT_EQ(show("5802"
                 "0102",
                 {.names = &embedded}),
            "<<1, 2>>_0");
  EXPECT_EQ(read("<<1, 2>>_0"), "58020102");
}

TEST(CborDiagnostic, ElidesLongStringsOnDisplay) {
  EXPECT_EQ(show("480102030405060708", {.elide_beyond = 4}), "h'0102...0708' / 8 octets /");
  EXPECT_EQ(show("4401020304", {.elide_beyond = 4}), "h'01020304'");
  EXPECT_EQ(show("686162636465666768", {.elide_beyond = 4}), "\"abcd\"... / 8 octets /");
}

TEST(CborDiagnostic, KeepsANameInsideItsComment) {
  const Names names = Names().value(1, "a/ 2, /b\n");
  EXPECT_EQ(show("01", {.names = &names}), "/ a| 2, |b? / 1");
}

TEST(CborDiagnostic, ReadsCommentsAndWhiteSpace) {
  EXPECT_EQ(read("{ / grant_type / 33 : / client_credentials / 2,\n # comment\n \"a\" // another\n : [1,] , }"),
            "a21821026161"
            "8101");
  EXPECT_EQ(read("h'01 02 / three / 03\n# four\n04'"), "4401020304");
}

TEST(CborDiagnostic, ReadsEveryBaseOfByteStrings) {
  EXPECT_EQ(read("h'12345678'"), "4412345678");
  EXPECT_EQ(read("b32'CI2FM6A'"), "4412345678");
  EXPECT_EQ(read("h32'28Q5CU0'"), "4412345678");
  EXPECT_EQ(read("b64'EjRWeA'"), "4412345678");
  EXPECT_EQ(read("b64'EjRWeA=='"), "4412345678");
  EXPECT_EQ(read("b64'-_+/'"), "43fbffbf");
  EXPECT_EQ(read("'it\\'s'"), "4469742773");
  EXPECT_EQ(read("<<1, \"a\">>"), "43016161");
  EXPECT_EQ(read("<<>>"), "40");
  EXPECT_EQ(read("'a' + h'62' + b64'Yw'"), "43616263");
  EXPECT_EQ(read("\"a\" + \"b\""), "626162");
}

TEST(CborDiagnostic, ReadsNumbersOfAllForms) {
  EXPECT_EQ(read("0x10"), "10");
  EXPECT_EQ(read("-0b11"), "22");
  EXPECT_EQ(read("0o17"), "0f");
  EXPECT_EQ(read("+5"), "05");
  EXPECT_EQ(read("1_i"), "01");
  EXPECT_EQ(read("1.5_1"), "f93e00");
  EXPECT_EQ(read("1e3"), "f963d0");
  EXPECT_EQ(read("0x1.8p0"), "f93e00");
  EXPECT_EQ(read("0x1p-1"), "f93800");
  EXPECT_EQ(read("-Infinity_2"), "faff800000");
  EXPECT_EQ(read("NaN_3"), "fb7ff8000000000000");
  EXPECT_EQ(read("18446744073709551616"), "c249010000000000000000");
  EXPECT_EQ(read("-18446744073709551616"), "3bffffffffffffffff");
  EXPECT_EQ(read("-18446744073709551617"), "c349010000000000000000");
  EXPECT_EQ(read("simple( 99 )"), "f863");
  EXPECT_EQ(read("simple(20)"), "f4");
}

TEST(CborDiagnostic, ReadsEscapes) {
  EXPECT_EQ(read("\"\\u00fc\\n\\/\\ud800\\udd51\\u{10151}\""),
            "6c"
            "c3bc"
            "0a"
            "2f"
            "f0908591"
            "f0908591");
  EXPECT_EQ(read("\"\xc3\xbc\""), "62c3bc");
}

TEST(CborDiagnostic, SaysWhereTheTextIsWrong) {
  for (const auto& [text, offset] : std::initializer_list<std::pair<const char*, int>>{{"[1, 2", 5},
                                                                                       {"[1 2]", 3},
                                                                                       {"{1 2}", 3},
                                                                                       {"{1: }", 4},
                                                                                       {"(_ )", 3},
                                                                                       {"(_ 1)", 3},
                                                                                       {"(_ h'', \"\")", 10},
                                                                                       {"\"abc", 4},
                                                                                       {"\"\\x\"", 3},
                                                                                       {"\"\\ud800\"", 7},
                                                                                       {"h'0'", 3},
                                                                                       {"h'zz'", 2},
                                                                                       {"simple(24)", 7},
                                                                                       {"1_4", 2},
                                                                                       {"256_0", 5},
                                                                                       {"24_i", 4},
                                                                                       {"1.1_2", 5},
                                                                                       {"1.5_0", 5},
                                                                                       {"1e999", 5},
                                                                                       {"0x", 2},
                                                                                       {"0b12", 4},
                                                                                       {"1 / open", 2},
                                                                                       {"-0", 2},
                                                                                       {"h'01'_", 6},
                                                                                       {"[_i "
                                                                                        "1_ ]",
                                                                                        6},
                                                                                       {"18446744073709551616_3", 22},
                                                                                       {"\"\xff\"", 3},
                                                                                       {"truex", 0},
                                                                                       {"1(2", 3},
                                                                                       {"b64'E'", 5},
                                                                                       {"h'01...02'", 4},
                                                                                       {"...", 0},
                                                                                       {"float'01'", 9},
                                                                                       {"<<1", 3},
                                                                                       {",", 0}}) {
    EXPECT_EQ(read(text), "cbor_diagnostic_malformed@" + std::to_string(offset)) << text;
  }
}

TEST(CborDiagnostic, BoundsNesting) {
  EXPECT_EQ(read(std::string(100'000, '[')), "cbor_too_deep@65");
  EXPECT_EQ(read(std::string(64, '[') + "1" + std::string(64, ']')).size(), 130u);
  const std::string deep = show(std::string(2 * 100, '8').replace(0, 200, [] {
    std::string hex;
    for (int i = 0; i < 100; ++i) hex += "81";
    return hex;
  }()));
  EXPECT_NE(deep.find("cbor_too_deep"), std::string::npos);
}

}  // namespace
}  // namespace aceward::cbor
