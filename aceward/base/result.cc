#include "aceward/base/result.h"

namespace aceward {

std::string_view name_of(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::malformed: return "malformed";
    case ErrorClass::unsupported: return "unsupported";
    case ErrorClass::peer_misbehaved: return "peer misbehaved";
    case ErrorClass::denied: return "denied";
    case ErrorClass::internal: return "internal";
  }
  return "unknown";
}

}  // namespace aceward
