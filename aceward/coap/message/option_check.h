// Which options of a received message are understood, and what becomes of the others.
#pragma once

#include <initializer_list>
#include <optional>
#include <vector>

#include "aceward/coap/message/options.h"

namespace aceward::coap {

/// The critical options that somebody above will process. An elective option needs no entry: whoever does not know it
/// ignores it.
class KnownOptions {
 public:
  KnownOptions() = default;
  KnownOptions(std::initializer_list<OptionNumber> numbers) : numbers_(numbers) {}

  KnownOptions& add(OptionNumber number);
  bool has(OptionNumber number) const;

  /// What every server of ours understands in a request: Uri-Host, Uri-Port, Uri-Path, Uri-Query, Accept. If-Match and
  /// If-None-Match are for a server whose resources evaluate them, Proxy-Uri and Proxy-Scheme for a proxy, Block1 and
  /// Block2 for block-wise transfer: without somebody who does so they must stay out.
  static KnownOptions in_requests();
  /// No critical option of RFC 7252 is for responses.
  static KnownOptions in_responses() { return {}; }

 private:
  std::vector<OptionNumber> numbers_;
};

/// Applies RFC 7252 section 5.4.1, 5.4.3 and 5.4.5: an occurrence is unrecognized if its critical number is not in
/// `known`, if its length is not allowed, or if it repeats an option that may not be repeated. Unrecognized elective
/// occurrences of options in our table are removed from `options` (unknown elective ones stay, for a proxy to forward).
/// Returns the number of the first unrecognized critical occurrence; nullopt if there is none.
std::optional<OptionNumber> check_options(Options& options, const KnownOptions& known);

}  // namespace aceward::coap
