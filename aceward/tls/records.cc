#include "aceward/tls/records.h"

#include <algorithm>

namespace aceward::tls {
namespace {

constexpr std::size_t record_header_size = 13;
constexpr std::size_t handshake_header_size = 12;
constexpr std::size_t max_fragment = 16'384 + 2'048;  // RFC 5246 section 6.2.3
constexpr std::uint8_t content_handshake = 22;
constexpr std::uint8_t handshake_client_hello = 1;
constexpr std::size_t extension_session_ticket = 35;

/// Takes octets from the front; once anything was missing, everything is.
class Cursor {
 public:
  explicit Cursor(BytesView octets) : rest_(octets) {}
  BytesView take(std::size_t count) {
    if (count > rest_.size()) {
      sound_ = false;
      rest_ = {};
    }
    if (!sound_) return {};
    const BytesView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  std::size_t number(std::size_t octets) {
    std::size_t value = 0;
    for (const auto octet : take(octets)) value = value << 8 | octet;
    return value;
  }
  BytesView vector(std::size_t length_octets) { return take(number(length_octets)); }
  bool sound() const { return sound_; }
  BytesView rest() const { return rest_; }

 private:
  BytesView rest_;
  bool sound_ = true;
};

}  // namespace

std::optional<Record> next_record(BytesView& rest) {
  if (rest.size() < record_header_size) return std::nullopt;
  const std::uint8_t type = rest[0];
  const std::size_t length = static_cast<std::size_t>(rest[11]) << 8 | rest[12];
  const bool sound = type >= 20 && type <= 23 && rest[1] == 0xfe && (rest[2] == 0xfd || rest[2] == 0xff) &&
                     length <= max_fragment && length <= rest.size() - record_header_size;
  if (!sound) return std::nullopt;
  Record record;
  record.content_type = type;
  record.epoch = static_cast<std::uint16_t>(rest[3] << 8 | rest[4]);
  record.octets = rest.first(record_header_size + length);
  rest = rest.subspan(record.octets.size());
  return record;
}

bool is_client_hello(const Record& record) {
  return record.content_type == content_handshake && record.epoch == 0 && record.octets.size() > record_header_size &&
         record.octets[record_header_size] == handshake_client_hello;
}

std::optional<ClientHello> parse_client_hello(const Record& record) {
  if (!is_client_hello(record) || record.octets.size() < record_header_size + handshake_header_size)
    return std::nullopt;
  Cursor header(record.octets.subspan(record_header_size, handshake_header_size));
  header.take(1);
  const std::size_t length = header.number(3);
  header.take(2);
  const std::size_t fragment_offset = header.number(3);
  const std::size_t fragment_length = header.number(3);
  const BytesView body = record.octets.subspan(record_header_size + handshake_header_size);
  if (fragment_offset != 0 || fragment_length != length || length != body.size()) return std::nullopt;

  Cursor cursor(body);
  ClientHello hello;
  const BytesView version = cursor.take(2);
  const BytesView random = cursor.take(hello.random.size());
  const BytesView session_id = cursor.vector(1);
  hello.cookie = cursor.vector(1);
  const BytesView cipher_suites = cursor.vector(2);
  const BytesView compression = cursor.vector(1);
  if (!cursor.sound() || session_id.size() > 32 || cipher_suites.empty() || cipher_suites.size() % 2 != 0 ||
      compression.empty()) {
    return std::nullopt;
  }
  if (!cursor.rest().empty()) {
    Cursor extensions(cursor.vector(2));
    while (extensions.sound() && !extensions.rest().empty()) {
      const std::size_t type = extensions.number(2);
      const BytesView data = extensions.vector(2);
      if (type == extension_session_ticket) hello.session_ticket = data;
    }
    if (!extensions.sound() || !cursor.sound() || !cursor.rest().empty()) return std::nullopt;
  }
  std::ranges::copy(random, hello.random.begin());
  for (const BytesView part : {version, random, session_id, cipher_suites}) {
    hello.parameters.insert(hello.parameters.end(), part.begin(), part.end());
  }
  return hello;
}

}  // namespace aceward::tls
