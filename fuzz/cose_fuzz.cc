// COSE keys and messages on arbitrary octets, checked with fixed keys.
#include <cstdlib>

#include "aceward/cose/encrypt0.h"
#include "aceward/cose/key.h"
#include "aceward/cose/mac0.h"
#include "aceward/cose/sign1.h"

namespace {

using namespace aceward;

cose::Key fuzz_key(std::string_view hex) { return cose::Key::parse(from_hex(hex).value()).value(); }

struct FuzzKeys {
  // RFC 9052 appendix C.7: "11", "our-secret", "our-secret2".
  cose::VerifyingKey verifying =
      cose::VerifyingKey::from(
          fuzz_key("a401022001215820bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
                   "22582020138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"))
          .value();
  cose::MacKey mac =
      cose::MacKey::from(fuzz_key("a20104205820849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188"),
                         cose::alg::hmac_256_256)
          .value();
  cose::ContentKey content =
      cose::ContentKey::from(fuzz_key("a201042050849b5786457c1491be3a76dcea6c4271"), cose::alg::aes_ccm_16_64_128)
          .value();
};

void check_error(const Error& error) {
  if (error.id().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FuzzKeys keys;
  const BytesView input(data, size);

  if (const auto key = cose::Key::parse(input)) {
    const Secret encoded = key->serialize();
    const auto again = cose::Key::parse(encoded.expose());
    if (!again || !again->same_key(*key) || !again->serialize().equals(encoded)) std::abort();
    if (again->thumbprint() != key->thumbprint()) std::abort();
    if (const auto shown = key->public_part(); shown && shown->has_private()) std::abort();
  } else {
    check_error(key.error());
  }

  const cose::VerifyOptions anywhere{.external_aad = {}, .algorithm = cose::AlgorithmRule::optional};
  if (const auto message = cose::Sign1::parse(input)) {
    (void)message->verify(keys.verifying);
    (void)message->verify(keys.verifying, anywhere);
    (void)message->verify_detached(keys.verifying, input, anywhere);
    // What was accepted as protected is what is verified, so it must still be the same map.
    const auto map = cose::HeaderMap::parse(
        message->headers().protected_octets().empty() ? Bytes{0xa0} : message->headers().protected_octets());
    if (!map || *map != message->headers().protected_map) std::abort();
  } else {
    check_error(message.error());
  }
  if (const auto message = cose::Mac0::parse(input)) {
    (void)message->verify(keys.mac);
    (void)message->verify(keys.mac, anywhere);
    (void)message->verify_detached(keys.mac, input, anywhere);
  }
  if (const auto message = cose::Encrypt0::parse(input)) {
    (void)message->decrypt(keys.content);
    (void)message->decrypt(keys.content, anywhere, Bytes(13, 1));
    (void)message->decrypt_detached(keys.content, input, anywhere);
  }
  if (const auto map = cose::HeaderMap::parse(input)) {
    const auto again = cose::HeaderMap::parse(map->serialize());
    if (!again || again->serialize() != map->serialize()) std::abort();
  }
  return 0;
}
