// CWTs, claims sets and confirmations on arbitrary octets, with the keys of RFC 8392 appendix A.
#include <cstdlib>

#include "aceward/cose/cwt/token.h"

namespace {

using namespace aceward;

cose::Key cwt_fuzz_key(std::string_view hex) { return cose::Key::parse(from_hex(hex).value()).value(); }

class CwtFuzzKeys final : public cwt::KeySource {
 public:
  void candidates(const Query& query, std::vector<Candidate>& out) override {
    switch (query.protection) {
      case cwt::Protection::signature: out.push_back({&verifying_, cwt::IssuerId(1)}); break;
      case cwt::Protection::mac: out.push_back({&mac_, cwt::IssuerId(2)}); break;
      case cwt::Protection::encryption: out.push_back({&content_, cwt::IssuerId(3)}); break;
    }
  }

 private:
  cose::VerifyingKey verifying_ =
      cose::VerifyingKey::from(
          cwt_fuzz_key(
              "a401022001215820143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f22582060f7f1a780d8a"
              "783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9"))
          .value();
  cose::MacKey mac_ =
      cose::MacKey::from(cwt_fuzz_key("a20104205820403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388"),
                         cose::alg::hmac_256_64)
          .value();
  cose::ContentKey content_ =
      cose::ContentKey::from(cwt_fuzz_key("a201042050231f4c4d4d3051fdc2ec0a3851d5b383"), cose::alg::aes_ccm_16_64_128)
          .value();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static CwtFuzzKeys keys;
  const BytesView input(data, size);

  const auto token = cwt::open(input, keys);
  if (token) {
    if (token->layers().empty() || !equal(token->octets(), input)) std::abort();
    if (!cwt::Claims::parse(token->claims_octets())) std::abort();
  } else if (token.error().id().empty()) {
    std::abort();
  }
  (void)cwt::open(input, keys, {.untagged = cwt::Protection::signature});
  (void)cwt::open(input, keys, {.untagged = cwt::Protection::mac});
  (void)cwt::open(input, keys, {.untagged = cwt::Protection::encryption});

  if (const auto claims = cwt::Claims::parse(input)) {
    const auto encoded = claims->serialize();
    if (!encoded) std::abort();
    const auto again = cwt::Claims::parse(encoded->expose());
    if (!again) std::abort();
    const auto same = again->serialize();
    if (!same || !same->equals(*encoded)) std::abort();
    (void)cwt::check_times(*claims, WallTime(std::chrono::seconds(1'700'000'000)), std::chrono::seconds(60));
  }
  if (const auto cnf = cwt::Confirmation::parse(input)) {
    const Secret encoded = cnf->serialize();
    const auto again = cwt::Confirmation::parse(encoded.expose());
    if (!again || !again->serialize().equals(encoded)) std::abort();
  }
  return 0;
}
