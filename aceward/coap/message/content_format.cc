#include "aceward/coap/message/content_format.h"

namespace aceward::coap {

std::string_view name_of(ContentFormat format) {
  switch (format.value) {
    case 0: return "text/plain;charset=utf-8";
    case 16: return "application/cose; cose-type=\"cose-encrypt0\"";
    case 17: return "application/cose; cose-type=\"cose-mac0\"";
    case 18: return "application/cose; cose-type=\"cose-sign1\"";
    case 19: return "application/ace+cbor";
    case 40: return "application/link-format";
    case 42: return "application/octet-stream";
    case 50: return "application/json";
    case 51: return "application/json-patch+json";
    case 52: return "application/merge-patch+json";
    case 60: return "application/cbor";
    case 61: return "application/cwt";
    case 62: return "application/multipart-core";
    case 63: return "application/cbor-seq";
    case 64: return "application/edhoc+cbor-seq";
    case 65: return "application/cid-edhoc+cbor-seq";
    case 96: return "application/cose; cose-type=\"cose-encrypt\"";
    case 97: return "application/cose; cose-type=\"cose-mac\"";
    case 98: return "application/cose; cose-type=\"cose-sign\"";
    case 101: return "application/cose-key";
    case 102: return "application/cose-key-set";
    case 257: return "application/concise-problem-details+cbor";
    case 261: return "application/ace-groupcomm+cbor";
    case 262: return "application/ace-trl+cbor";
    case 272: return "application/missing-blocks+cbor-seq";
    case 280: return "application/pkcs7-mime; smime-type=server-generated-key";
    case 281: return "application/pkcs7-mime; smime-type=certs-only";
    case 284: return "application/pkcs8";
    case 285: return "application/csrattrs";
    case 286: return "application/pkcs10";
    case 287: return "application/pkix-cert";
    case 290: return "application/aif+cbor";
    case 291: return "application/aif+json";
    case 297: return "application/aif+cbor; toid=oscore-gname; tperm=oscore-gperm";
    case 298: return "application/aif+json; toid=oscore-gname; tperm=oscore-gperm";
    case 10001: return "application/oscore";
    default: return {};
  }
}

std::string to_string(ContentFormat format) {
  std::string text = std::to_string(format.value);
  if (const auto name = name_of(format); !name.empty()) text.append(" (").append(name).append(")");
  return text;
}

}  // namespace aceward::coap
