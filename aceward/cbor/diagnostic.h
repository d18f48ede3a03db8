// Diagnostic notation (RFC 8949 section 8, RFC 8610 appendix G), both ways.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/cbor/names.h"
#include "aceward/cbor/reader.h"

namespace aceward::cbor {

struct DiagnosticOptions {
  /// The names of the top-level item (of each one, in a sequence); null for none. Outlives the call.
  const Names* names = nullptr;
  /// One line if false; else one line a pair or element.
  bool indented = false;
  /// For display: of byte and text strings beyond so many octets only the ends are shown. 0: never. What is elided
  /// does not read back.
  std::size_t elide_beyond = 0;
  Limits limits{.max_depth = Reader::depth_cap, .max_items = 1 << 20, .max_size = 1 << 24};
};

/// Text for a CBOR sequence (most often of one item). Takes all that is well-formed. Unless something was elided or
/// kept secret, `from_diagnostic` gives the same octets again: where an encoding is not the preferred one it carries
/// an indicator (`1_1`, `1.5_3`, `[_ 1]`). Pure ASCII. Two forms are our own: a NaN with a payload is
/// `float'7e01'`, a text string that is not UTF-8 is `nonutf8'ff'`. Input that is not well-formed, or passes a limit,
/// is shown up to the fault and then as a comment with the reason and the rest in hexadecimal; without the rest when
/// the names have a secret anywhere, as it may stand there.
std::string to_diagnostic(BytesView sequence, const DiagnosticOptions& options = {});

/// Octets for the notation: all that `to_diagnostic` writes, and: comments `/ … /`, `# …` and `// …` to the end of
/// the line; h'' with white space and comments, b64'', 'text' as a byte string, `<<1, 2>>`, 0x, 0o and 0b integers,
/// integers beyond 64 bits (as bignums), hexadecimal floats, strings joined by +, trailing commas, sequences; `1_1`,
/// `"a"_2`, `[_0 1]` and so on force an encoding. Without an indicator the preferred encoding is chosen; maps keep the
/// order of the text, and duplicate keys are let through (tests need them). Nesting is limited to 64.
/// Errors: `cbor_diagnostic_malformed` with what was expected as its detail, `cbor_too_deep`; `*error_offset`, if
/// given, is then the place in `text`, in octets.
Result<Bytes> from_diagnostic(std::string_view text, std::size_t* error_offset = nullptr);

}  // namespace aceward::cbor
