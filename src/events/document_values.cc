#include "src/events/document_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/container/json_bytes.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/base/time.h"
#include "vpcflow/events/event_map.h"
#include "vpcflow/sketch/hash.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;
using dom::element_type;

constexpr std::string_view kBlanks = " \t\r\n\f\v";

bool IsAlphanumeric(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

}  // namespace

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::string Lower(std::string_view text) {
  std::string out(text);
  absl::AsciiStrToLower(&out);
  return out;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  absl::AsciiStrToUpper(&out);
  return out;
}

bool IsScalar(const Element& value) {
  const element_type type = value.type();
  return type != element_type::ARRAY && type != element_type::OBJECT && type != element_type::NULL_VALUE;
}

bool Counts(const Element& value) {
  switch (value.type()) {
    case element_type::NULL_VALUE: return false;
    case element_type::STRING: return !value.get_string().value_unsafe().empty();
    case element_type::BOOL: return value.get_bool().value_unsafe();
    case element_type::INT64: return value.get_int64().value_unsafe() != 0;
    case element_type::UINT64: return value.get_uint64().value_unsafe() != 0;
    case element_type::DOUBLE: return value.get_double().value_unsafe() != 0;
    case element_type::ARRAY: {
      const dom::array array = value.get_array().value_unsafe();
      return array.begin() != array.end();
    }
    case element_type::OBJECT: {
      const dom::object object = value.get_object().value_unsafe();
      return object.begin() != object.end();
    }
    default: return true;
  }
}

std::string_view Word(const Element& value, std::string* scratch) {
  switch (value.type()) {
    case element_type::STRING: return value.get_string().value_unsafe();
    case element_type::BOOL: return value.get_bool().value_unsafe() ? "True" : "False";
    default: *scratch = simdjson::minify(value); return *scratch;
  }
}

namespace {

template <class Same>
std::optional<Element> LastMember(const Element& value, Same same) {
  dom::object object;
  std::optional<Element> out;
  if (value.get(object) != simdjson::SUCCESS) return out;
  for (const auto& [key, member] : object) {
    if (same(key)) out = member;
  }
  return out;
}

template <class Step>
std::optional<Element> Walk(Element value, std::string_view path, Step step) {
  while (true) {
    const size_t dot = std::min(path.find('.'), path.size());
    const std::optional<Element> member = step(value, path.substr(0, dot));
    if (!member || dot == path.size()) return member;
    value = *member;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace

std::optional<Element> Member(const Element& value, std::string_view name) {
  return LastMember(value, [name](std::string_view key) { return key == name; });
}

std::optional<Element> PascalMember(const Element& value, std::string_view name) {
  return LastMember(value, [name](std::string_view key) {
    return key.size() == name.size() && (key[0] == name[0] || key[0] == (name[0] & ~0x20)) &&
           key.substr(1) == name.substr(1);
  });
}

std::optional<Element> At(Element value, std::string_view path) { return Walk(value, path, Member); }
std::optional<Element> PascalAt(Element value, std::string_view path) { return Walk(value, path, PascalMember); }

std::vector<Element> ItemsIn(const std::optional<Element>& given) {
  std::optional<Element> value = given;
  std::vector<Element> out;
  if (value && value->is_object()) {
    std::optional<Element> inner = Member(*value, "items");
    if (!inner || !Counts(*inner)) inner = Member(*value, "item");
    value = inner;
  }
  if (!value) return out;
  if (value->is_object()) out.push_back(*value);
  if (dom::array array; value->get(array) == simdjson::SUCCESS) {
    for (const Element item : array) {
      if (item.is_object()) out.push_back(item);
    }
  }
  return out;
}

bool IsResource(std::string_view text) {
  constexpr size_t kMost = 41;
  if (text.empty() || (text[0] != 'i' && text[0] != 'e' && text[0] != 's' && text[0] != 'f' && text[0] != 'n'))
    return false;
  for (const std::string_view prefix : {"i-", "eni-", "sg-", "fl-", "nat-"}) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view rest = text.substr(prefix.size());
    return !rest.empty() && rest.size() <= kMost && IsAlphanumeric(rest[0]) &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return c == '-' || IsAlphanumeric(c); });
  }
  return false;
}

bool TimeOf(const Element& value, int64_t* seconds) {
  double number;
  switch (value.type()) {
    case element_type::STRING: return ParseEventTime(value.get_string().value_unsafe(), seconds);
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE: number = value.get_double().value_unsafe(); break;
    default: return false;
  }
  if (number > static_cast<double>(kLatestTime)) number /= 1000;
  if (!(number >= 0 && number <= static_cast<double>(kLatestTime))) return false;
  *seconds = static_cast<int64_t>(number);
  return true;
}

void AppendValue(const Element& value, std::string* out) {
  switch (value.type()) {
    case element_type::STRING: AppendJson(value.get_string().value_unsafe(), out); break;
    case element_type::BOOL: *out += value.get_bool().value_unsafe() ? "true" : "false"; break;
    case element_type::INT64: absl::StrAppend(out, value.get_int64().value_unsafe()); break;
    case element_type::UINT64: absl::StrAppend(out, value.get_uint64().value_unsafe()); break;
    default: *out += simdjson::minify(value);
  }
}

void AppendName(std::string_view name, std::string* out) {
  *out += out->back() == '{' ? "\"" : ",\"";
  out->append(name).append("\":");
}

void AppendJson(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  *out += '"';
  size_t done = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.size() - at >= kJsonBytes) {
      const JsonBytes bytes(text.data() + at);
      const unsigned plain = bytes.Printable() & ~(bytes.Equal('"') | bytes.Equal('\\'));
      at += static_cast<unsigned>(std::countr_one(plain & ((1u << kJsonBytes) - 1)));
      if (at == text.size()) break;
    }
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text, done, at - done);
    done = at + 1;
    if (c >= 0x20) {
      *out += '\\';
      *out += static_cast<char>(c);
    } else {
      out->append("\\u00").append(1, kHex[c >> 4]).append(1, kHex[c & 15]);
    }
  }
  out->append(text, done, text.size() - done);
  *out += '"';
}

std::string_view Text(const Element* value) {
  std::string_view text;
  return value != nullptr && value->get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool IsAddress(std::string_view text) {
  Ip address;
  return ParseIp(Trimmed(text), &address);
}

namespace {

using Digest = std::array<uint64_t, 2>;

constexpr uint64_t kSecond = 0x5851F42D4C957F2D;

Digest Of(std::string_view text, uint64_t what) {
  Digest out = {what, what ^ kSecond};
  for (size_t at = 0; at < text.size(); at += 8) {
    const std::string_view part = text.substr(at, 8);
    uint64_t word = 0;
    for (size_t i = 0; i < part.size(); ++i) word |= uint64_t{static_cast<uint8_t>(part[i])} << 8 * i;
    out[0] = SketchHash(out[0] + word);
    out[1] = SketchHash(out[1] ^ (word * kSecond));
  }
  return {SketchHash(out[0] + text.size()), SketchHash(out[1] ^ text.size())};
}

Digest Joined(const Digest& a, const Digest& b) {
  return {SketchHash(a[0] + SketchHash(b[0])), SketchHash(a[1] ^ SketchHash(b[1] + kSecond))};
}

Digest Of(const Element& value) {
  std::string scratch;
  if (dom::object object; value.get(object) == simdjson::SUCCESS) {
    Digest sum = {1, 2};
    for (const auto& [key, member] : object) {  // in any order
      const Digest one = Joined(Of(key, 3), Of(member));
      sum = {sum[0] + one[0], sum[1] + one[1]};
    }
    return {SketchHash(sum[0]), SketchHash(sum[1])};
  }
  if (dom::array array; value.get(array) == simdjson::SUCCESS) {
    Digest out = {4, 5};
    for (const Element item : array) out = Joined(out, Of(item));
    return out;
  }
  if (value.is_string()) return Of(value.get_string().value_unsafe(), 6);
  return Of(value.is_null() ? "null" : Word(value, &scratch), 7);
}

std::string Hex(const Digest& digest) {
  return absl::StrCat(absl::Hex(digest[0], absl::kZeroPad16), absl::Hex(digest[1], absl::kZeroPad16));
}

}  // namespace

std::string DigestOf(const Element& document) { return Hex(Of(document)); }
std::string DigestOf(std::string_view line) { return Hex(Of(line, 8)); }

}  // namespace internal
VPCFLOW_NAMESPACE_END
