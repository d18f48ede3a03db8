#include "aceward/coap/problem/problem_details.h"

#include <algorithm>

#include "aceward/coap/links/attribute_grammar.h"
#include "aceward/coap/links/uri_reference.h"
#include "aceward/coap/problem/reasons.h"

namespace aceward::coap {

namespace {

constexpr std::uint64_t language_tagged = 38;

struct DirectionItem {
  TextDirection value = TextDirection::automatic;
};

struct TextItem {
  ProblemText value;
};

/// T / [ 2* T ]
struct OptionNumbersItem {
  std::vector<std::uint64_t> value;
};

struct WireProblem {
  std::optional<TextItem> title;
  std::optional<TextItem> detail;
  std::optional<std::string> instance;
  std::optional<std::uint8_t> response_code;
  std::optional<std::string> base_uri;
  std::optional<std::string> base_lang;
  std::optional<DirectionItem> base_rtl;
  std::optional<OptionNumbersItem> unprocessed;
  cbor::UnknownPairs others;
};

/// RFC 9290 appendix A.2: tags around the elements annotate them and change nothing.
Result<std::string_view> annotated_text(cbor::Reader& reader) {
  while (ACEWARD_TRY(reader.peek()) == cbor::Kind::tag) ACEWARD_TRY(reader.tag());
  return reader.text_string();
}

bool is_absolute_uri(std::string_view text) {
  const auto parts = links::UriReference::parse(text);
  return parts && parts->scheme;
}

}  // namespace

}  // namespace aceward::coap

namespace aceward::cbor {

template <>
struct Codec<coap::DirectionItem> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::boolean || kind == Kind::null; }
  static Result<coap::DirectionItem> read(Reader& reader) {
    if (ACEWARD_TRY(reader.peek()) == Kind::null) {
      ACEWARD_TRY(reader.null());
      return coap::DirectionItem{coap::TextDirection::automatic};
    }
    const bool right_to_left = ACEWARD_TRY(reader.boolean());
    return coap::DirectionItem{right_to_left ? coap::TextDirection::right_to_left : coap::TextDirection::left_to_right};
  }
  static void write(Writer& writer, const coap::DirectionItem& item) {
    if (item.value == coap::TextDirection::automatic) {
      writer.null();
    } else {
      writer.boolean(item.value == coap::TextDirection::right_to_left);
    }
  }
};

template <>
struct Codec<coap::TextItem> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::text_string || kind == Kind::tag; }
  static Result<coap::TextItem> read(Reader& reader) {
    coap::TextItem item;
    if (ACEWARD_TRY(reader.peek()) != Kind::tag) {
      item.value.text = ACEWARD_TRY(reader.text_string());
      return item;
    }
    if (ACEWARD_TRY(reader.tag()) != coap::language_tagged) return fail(reason::cbor_unexpected_kind);
    const auto count = ACEWARD_TRY(reader.array());
    if (count < 2 || count > 3) return fail(reason::cbor_out_of_range);
    item.value.language = ACEWARD_TRY(coap::annotated_text(reader));
    if (!coap::links::is_language_tag(*item.value.language)) return fail(reason::problem_malformed);
    item.value.text = ACEWARD_TRY(coap::annotated_text(reader));
    if (count == 3) item.value.direction = ACEWARD_TRY(Codec<coap::DirectionItem>::read(reader)).value;
    return item;
  }
  static void write(Writer& writer, const coap::TextItem& item) {
    const auto& [text, language, direction] = item.value;
    if (!language) {
      writer.text_string(text);
      return;
    }
    writer.tag(coap::language_tagged).array(direction ? 3 : 2).text_string(*language).text_string(text);
    if (direction) Codec<coap::DirectionItem>::write(writer, {*direction});
  }
};

template <>
struct Codec<coap::OptionNumbersItem> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::unsigned_integer || kind == Kind::array; }
  static Result<coap::OptionNumbersItem> read(Reader& reader) {
    if (ACEWARD_TRY(reader.peek()) != Kind::array)
      return coap::OptionNumbersItem{{ACEWARD_TRY(reader.unsigned_integer())}};
    coap::OptionNumbersItem item{ACEWARD_TRY(Codec<std::vector<std::uint64_t>>::read(reader))};
    if (item.value.size() < 2) return fail(reason::cbor_out_of_range);
    return item;
  }
  static void write(Writer& writer, const coap::OptionNumbersItem& item) {
    if (item.value.size() == 1) {
      writer.unsigned_integer(item.value.front());
    } else {
      Codec<std::vector<std::uint64_t>>::write(writer, item.value);
    }
  }
};

template <>
struct Schema<coap::WireProblem> {
  using T = coap::WireProblem;
  static constexpr auto value = declare<T>(
      "problem-details", unknown_into(&T::others), optional(-1, "title", &T::title), optional(-2, "detail", &T::detail),
      optional(-3, "instance", &T::instance), optional(-4, "response-code", &T::response_code),
      optional(-5, "base-uri", &T::base_uri), optional(-6, "base-lang", &T::base_lang),
      optional(-7, "base-rtl", &T::base_rtl), optional(-8, "unprocessed-coap-option", &T::unprocessed));
};

}  // namespace aceward::cbor

namespace aceward::coap {

namespace {

/// Sorts an entry that has no member of its own to where it belongs.
Result<void> add_other(ProblemDetails& problem, cbor::Raw key, cbor::Raw value, const cbor::Limits& limits) {
  cbor::Reader key_reader(key.octets, limits);
  const auto kind = ACEWARD_TRY(key_reader.peek());
  if (kind == cbor::Kind::negative_integer) {
    problem.other_standard.emplace_back(std::move(key), std::move(value));
    return {};
  }
  CustomProblem custom;
  if (kind == cbor::Kind::unsigned_integer) {
    custom.key = ACEWARD_TRY(key_reader.unsigned_integer());
  } else if (kind == cbor::Kind::text_string) {
    const auto uri = ACEWARD_TRY(key_reader.text_string());
    if (!is_absolute_uri(uri)) return fail(reason::problem_malformed, "custom key");
    custom.key = std::string(uri);
  } else {
    return fail(reason::problem_malformed, "key");
  }
  cbor::Reader map_reader(value.octets, limits);
  if (ACEWARD_TRY(map_reader.peek()) != cbor::Kind::map || ACEWARD_TRY(map_reader.map()) == 0) {
    return fail(reason::problem_malformed, "custom entry");
  }
  custom.map = std::move(value);
  problem.custom.push_back(std::move(custom));
  return {};
}

}  // namespace

bool ProblemDetails::empty() const {
  return !title && !detail && !instance && !response_code && !base_uri && !base_lang && !base_direction &&
         unprocessed_options.empty() && other_standard.empty() && custom.empty();
}

const CustomProblem* ProblemDetails::find(std::uint64_t key) const {
  const auto found = std::ranges::find_if(
      custom, [key](const CustomProblem& one) { return one.key == std::variant<std::uint64_t, std::string>(key); });
  return found == custom.end() ? nullptr : &*found;
}

const CustomProblem* ProblemDetails::find(std::string_view uri) const {
  const auto found = std::ranges::find_if(custom, [uri](const CustomProblem& one) {
    const auto* key = std::get_if<std::string>(&one.key);
    return key != nullptr && *key == uri;
  });
  return found == custom.end() ? nullptr : &*found;
}

Result<ProblemDetails> parse_problem_details(BytesView octets, const cbor::Limits& limits) {
  auto wire = ACEWARD_TRY(cbor::parse<WireProblem>(octets, limits));
  ProblemDetails problem;
  if (wire.title) problem.title = std::move(wire.title->value);
  if (wire.detail) problem.detail = std::move(wire.detail->value);
  problem.instance = std::move(wire.instance);
  if (wire.response_code) problem.response_code = Code(*wire.response_code);
  problem.base_uri = std::move(wire.base_uri);
  problem.base_lang = std::move(wire.base_lang);
  if (wire.base_rtl) problem.base_direction = wire.base_rtl->value;
  if (wire.unprocessed) problem.unprocessed_options = std::move(wire.unprocessed->value);
  // In the order in which they are written, so that the same entries are the same problem however they came.
  std::ranges::sort(wire.others, cbor::key_less, [](const auto& pair) { return BytesView(pair.first.octets); });
  for (auto& [key, value] : wire.others) ACEWARD_TRY(add_other(problem, std::move(key), std::move(value), limits));

  if (problem.empty()) return fail(reason::problem_malformed, "empty");
  if (problem.instance && !links::UriReference::parse(*problem.instance)) {
    return fail(reason::problem_malformed, "instance");
  }
  if (problem.base_uri && !is_absolute_uri(*problem.base_uri)) return fail(reason::problem_malformed, "base-uri");
  if (problem.base_lang && !links::is_language_tag(*problem.base_lang)) {
    return fail(reason::problem_malformed, "base-lang");
  }
  return problem;
}

Bytes serialize(const ProblemDetails& problem) {
  WireProblem wire;
  if (problem.title) wire.title = TextItem{*problem.title};
  if (problem.detail) wire.detail = TextItem{*problem.detail};
  wire.instance = problem.instance;
  if (problem.response_code) wire.response_code = problem.response_code->value;
  wire.base_uri = problem.base_uri;
  wire.base_lang = problem.base_lang;
  if (problem.base_direction) wire.base_rtl = DirectionItem{*problem.base_direction};
  if (!problem.unprocessed_options.empty()) wire.unprocessed = OptionNumbersItem{problem.unprocessed_options};
  wire.others = problem.other_standard;
  for (const auto& custom : problem.custom) {
    cbor::Writer key;
    if (const auto* number = std::get_if<std::uint64_t>(&custom.key)) {
      key.unsigned_integer(*number);
    } else {
      key.text_string(std::get<std::string>(custom.key));
    }
    wire.others.emplace_back(cbor::Raw{key.take()}, custom.map);
  }
  return cbor::serialize(wire);
}

Response make_problem_response(Code code, ProblemDetails problem) {
  if (problem.response_code) problem.response_code = code;
  Response response{code, {}, {}};
  if (problem.empty()) return response;
  response.options.set_content_format(content_format::concise_problem_details_cbor);
  response.payload = serialize(problem);
  return response;
}

}  // namespace aceward::coap
