// How a Confirmation stands as a member of an ACE message: `cnf`, `req_cnf`, `rs_cnf` (RFC 9201 section 3).
#pragma once

#include "aceward/cbor/codec.h"
#include "aceward/cose/cwt/confirmation.h"

template <>
struct aceward::cbor::Codec<aceward::cwt::Confirmation> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::map; }
  static Result<cwt::Confirmation> read(Reader& reader) { return cwt::Confirmation::parse(ACEWARD_TRY(reader.skip())); }
  static void write(Writer& writer, const cwt::Confirmation& value) { writer.raw(value.serialize().expose()); }
};
