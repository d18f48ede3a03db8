// Concise Problem Details (RFC 9290): why a request failed, for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/cbor/codec.h"
#include "aceward/cbor/schema.h"
#include "aceward/coap/layer.h"

namespace aceward::coap {

/// tag38-direction = &(ltr: false, rtl: true, auto: null)
enum class TextDirection : std::uint8_t { left_to_right, right_to_left, automatic };

/// oltext = text / tag38
/// tag38 = #6.38([tag38-ltag, text, ?tag38-direction])
struct ProblemText {
  std::string text;
  /// A well-formed language tag: then the text travels with tag 38.
  std::optional<std::string> language;
  /// Only together with `language`.
  std::optional<TextDirection> direction;

  ProblemText() = default;
  ProblemText(std::string_view plain) : text(plain) {}  // NOLINT: as implicit as std::string
  ProblemText(const char* plain) : text(plain) {}       // NOLINT
  ProblemText(std::string_view lang, std::string_view words, std::optional<TextDirection> dir = std::nullopt)
      : text(words), language(lang), direction(dir) {}
  friend bool operator==(const ProblemText&, const ProblemText&) = default;
};

/// An entry of an application: its map, as received.
struct CustomProblem {
  /// A registered number, or an absolute URI, which is never dereferenced (RFC 9290 section 3.2).
  std::variant<std::uint64_t, std::string> key;
  /// A map with at least one pair.
  cbor::Raw map;
  friend bool operator==(const CustomProblem&, const CustomProblem&) = default;
};

/// problem-details = non-empty<{
///   ? -1 => oltext  ; title          ? -2 => oltext  ; detail        ? -3 => ~uri  ; instance
///   ? -4 => uint .size 1  ; response-code               ? -5 => ~uri  ; base-uri
///   ? -6 => tag38-ltag  ; base-lang  ? -7 => tag38-direction  ; base-rtl
///   ? -8 => uint / [2* uint]  ; unprocessed-coap-option
///   * nint => any,  * (uint/~uri) => { + any => any } }>
struct ProblemDetails {
  std::optional<ProblemText> title;     ///< what kind of problem it is
  std::optional<ProblemText> detail;    ///< what happened this time
  std::optional<std::string> instance;  ///< a URI reference
  std::optional<Code> response_code;
  std::optional<std::string> base_uri;
  std::optional<std::string> base_lang;            ///< of texts without a language of their own
  std::optional<TextDirection> base_direction;     ///< base-rtl
  std::vector<std::uint64_t> unprocessed_options;  ///< numbers of CoAP options, in any order
  cbor::UnknownPairs other_standard;               ///< entries with negative keys that are not known here, kept
  std::vector<CustomProblem> custom;

  bool empty() const;
  const CustomProblem* find(std::uint64_t key) const;
  const CustomProblem* find(std::string_view uri) const;

  friend bool operator==(const ProblemDetails&, const ProblemDetails&) = default;
};

/// Preferred serialization only. Errors: those of cbor::Reader, `problem_malformed` (the detail names the entry).
Result<ProblemDetails> parse_problem_details(BytesView octets, const cbor::Limits& limits = {});
/// Deterministic. To serialize what parse would refuse (nothing at all, a malformed language tag, an entry that is no
/// map) is a bug of the caller.
Bytes serialize(const ProblemDetails& problem);

/// An error response with Content-Format 257. If `problem` names a response code, it is made the same as `code`, as it
/// must be (section 2). Without any entry it is the bare code.
Response make_problem_response(Code code, ProblemDetails problem);

/// What the payload of a response with an error code is (RFC 7252 section 5.5): nothing, a diagnostic in UTF-8, problem
/// details, or the result of the action in another format.
struct DiagnosticText {
  std::string text;
};
struct OtherPayload {
  ContentFormat format;
};
using ErrorPayload = std::variant<std::monostate, DiagnosticText, ProblemDetails, OtherPayload>;
/// Control characters of a diagnostic are replaced by U+FFFD, as are octets that are not UTF-8, so that it can be
/// printed; `limit` octets of it at most. Problem details that do not parse count as another format.
ErrorPayload error_payload(const Response& response, std::size_t limit = 1024);

/// The text of an ErrorPayload for a person, on one line: "title: detail"; empty if it says nothing.
std::string describe(const ErrorPayload& payload);

}  // namespace aceward::coap
