#include "src/events/event_mapper.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "src/container/json_bytes.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/base/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;
using dom::element_type;

constexpr int kMostNesting = 12;  // of values in which ids are looked for
constexpr std::string_view kBlanks = " \t\r\n\f\v";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

bool IsScalar(const dom::element& value) {
  const element_type type = value.type();
  return type != element_type::ARRAY && type != element_type::OBJECT && type != element_type::NULL_VALUE;
}

// Whether a value is neither empty, zero, false nor null.
bool Counts(const dom::element& value) {
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

// A plain value as text.
std::string_view Word(const dom::element& value, std::string* scratch) {
  switch (value.type()) {
    case element_type::STRING: return value.get_string().value_unsafe();
    case element_type::BOOL: return value.get_bool().value_unsafe() ? "True" : "False";
    default: *scratch = simdjson::minify(value); return *scratch;
  }
}

// The last member of that name, or nothing.
std::optional<dom::element> Member(const dom::element& value, std::string_view name) {
  dom::object object;
  std::optional<dom::element> out;
  if (value.get(object) != simdjson::SUCCESS) return out;
  for (const auto& [key, member] : object) {
    if (key == name) out = member;
  }
  return out;
}

std::optional<dom::element> At(dom::element value, std::string_view path) {
  while (true) {
    const size_t dot = std::min(path.find('.'), path.size());
    const std::optional<dom::element> member = Member(value, path.substr(0, dot));
    if (!member || dot == path.size()) return member;
    value = *member;
    path.remove_prefix(dot + 1);
  }
}

// The objects of a list, whatever its shape.
std::vector<dom::element> ItemsIn(std::optional<dom::element> value) {
  std::vector<dom::element> out;
  if (value && value->is_object()) {
    std::optional<dom::element> inner = Member(*value, "items");
    if (!inner || !Counts(*inner)) inner = Member(*value, "item");
    value = inner;
  }
  if (!value) return out;
  if (value->is_object()) out.push_back(*value);
  if (dom::array array; value->get(array) == simdjson::SUCCESS) {
    for (const dom::element item : array) {
      if (item.is_object()) out.push_back(item);
    }
  }
  return out;
}

// A port as documents have it: a number, or a text of one.
std::optional<int64_t> Port(const std::optional<dom::element>& value) {
  if (!value) return std::nullopt;
  switch (value->type()) {
    case element_type::INT64: return value->get_int64().value_unsafe();
    case element_type::DOUBLE: {
      const double number = value->get_double().value_unsafe();
      if (!(std::abs(number) < 1e9)) return std::nullopt;
      return static_cast<int64_t>(number);
    }
    case element_type::STRING: {
      std::string_view text = Trimmed(value->get_string().value_unsafe());
      if (text.starts_with('+')) text.remove_prefix(1);
      int64_t number;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
      return number;
    }
    default: return std::nullopt;
  }
}

// Ports as JSON: one, or a range as text; all for protocols without and for what names none.
std::string Ports(const std::optional<dom::element>& first, const std::optional<dom::element>& last,
                  std::string_view protocol) {
  constexpr int64_t kLastPort = 65535;
  constexpr std::string_view kAll = "\"0-65535\"";
  const std::optional<int64_t> low = Port(first), high = Port(last);
  if (!low || !high || protocol == "-1" || protocol == "all") return std::string(kAll);
  if (*low < 0 || *low > kLastPort || *high < 0 || *high > kLastPort) return std::string(kAll);
  return *low == *high ? absl::StrCat(*low) : absl::StrCat("\"", *low, "-", *high, "\"");
}

bool IsAlphanumeric(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

// Whether a text is the id of an instance, interface, security group, flow log or NAT gateway.
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

// Whether a name can be that of an attr: letters, digits and `_`, at most 60.
bool IsName(std::string_view name) {
  constexpr size_t kMost = 60;
  const auto fits = [](char c) { return c == '_' || IsAlphanumeric(c) || static_cast<unsigned char>(c) >= 0x80; };
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits) &&
         static_cast<size_t>(std::count_if(name.begin(), name.end(), begins)) <= kMost;
}

bool TimeOf(const dom::element& value, int64_t* seconds) {
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

void AppendValue(const dom::element& value, std::string* out) {
  switch (value.type()) {
    case element_type::STRING: AppendJson(value.get_string().value_unsafe(), out); break;
    case element_type::BOOL: *out += value.get_bool().value_unsafe() ? "true" : "false"; break;
    default: *out += simdjson::minify(value);
  }
}

void AppendName(std::string_view name, std::string* out) {
  *out += *out == "{" ? "\"" : ",\"";
  out->append(name).append("\":");
}

}  // namespace

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

EventMapper::EventMapper(EventMap map) : map_(std::move(map)), kind_at_(index_.Add(map_.kind)) {
  time_at_ = index_.Add(map_.time);
  if (!map_.end.empty()) end_at_ = index_.Add(map_.end);
  if (!map_.key.empty()) key_at_ = index_.Add(map_.key);
  if (!map_.attrs_of.empty()) attrs_of_ = index_.Add(map_.attrs_of);
  for (const std::string& path : map_.needs) needs_.push_back(index_.Add(path));
  for (const std::string& path : map_.ids_in) ids_in_.push_back(index_.Add(path));
  for (const EventAttr& row : map_.attrs) {
    Attr& attr = attrs_.emplace_back(Attr{&row, {}});
    for (const std::string& path : row.paths) attr.paths.push_back(index_.Add(path));
  }
  for (const EventPart& part : map_.parts) {
    part_paths_.emplace_back(part.list, index_.Add(part.list));
    for (const EventAttr& row : part.attrs) {
      for (const std::string& path : row.paths) {
        if (!path.starts_with("item.") && path != "each") part_paths_.emplace_back(path, index_.Add(path));
      }
    }
  }
  const auto places = [this](const std::vector<std::string>& names, std::vector<size_t>* out) {
    for (size_t i = 0; i < attrs_.size(); ++i) {
      if (Is(names, attrs_[i].row->name)) out->push_back(i);
    }
  };
  for (const std::string& name : map_.entities) places({name}, &entities_);
  for (const std::string& name : map_.addresses) places({name}, &addresses_);
}

bool EventMapper::Is(const std::vector<std::string>& kinds, std::string_view kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool EventMapper::Begin(const Element& document) {
  index_.Find(document);
  const Element *kind = index_.value(kind_at_), *time = index_.value(time_at_);
  return kind != nullptr && kind->get(kind_) == simdjson::SUCCESS && time != nullptr && TimeOf(*time, &time_) &&
         std::all_of(needs_.begin(), needs_.end(), [this](size_t path) { return index_.value(path) != nullptr; });
}

int64_t EventMapper::end() const {
  int64_t out;
  const Element* value = end_at_ > 0 ? index_.value(end_at_) : nullptr;
  return value != nullptr && TimeOf(*value, &out) ? std::max(out, time_) : time_;
}

// The items of a part, with what `each` is of them.
std::vector<std::pair<EventMapper::Element, std::optional<EventMapper::Element>>> EventMapper::Items(
    const EventPart& part) const {
  const auto path =
      std::find_if(part_paths_.begin(), part_paths_.end(), [&](const auto& one) { return one.first == part.list; });
  const Element* list = index_.value(path->second);
  std::vector<std::pair<Element, std::optional<Element>>> out;
  if (list == nullptr) return out;
  const std::vector<Element> items = part.one ? std::vector<Element>{*list} : ItemsIn(*list);
  for (const Element& item : items) {
    if (!part.needs.empty()) {
      const std::optional<Element> needed = At(item, part.needs);
      if (!needed || !Counts(*needed)) continue;
    }
    if (part.each.empty()) out.emplace_back(item, std::nullopt);
    for (const std::string& each : part.each) {
      const size_t dot = each.find('.');
      for (const Element& one : ItemsIn(Member(item, std::string_view(each).substr(0, dot)))) {
        const std::optional<Element> value = Member(one, std::string_view(each).substr(dot + 1));
        out.emplace_back(item, value.value_or(one));  // an object is no value
      }
    }
  }
  return out;
}

std::optional<EventMapper::Element> EventMapper::PartPath(const std::string& path, const Element& item,
                                                          const Element* each) const {
  constexpr std::string_view kItem = "item.";
  if (path.starts_with(kItem)) return At(item, std::string_view(path).substr(kItem.size()));
  if (path == "each") return each == nullptr ? std::nullopt : std::optional(*each);
  const auto known =
      std::find_if(part_paths_.begin(), part_paths_.end(), [&](const auto& one) { return one.first == path; });
  const Element* value = index_.value(known->second);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

void EventMapper::FillPart(const EventPart& part, const Element& item, const Element* each) {
  part_.clear();
  for (const EventAttr& row : part.attrs) {
    PartValue& out = part_.emplace_back(PartValue{&row});
    if (row.as == EventAs::kPorts) {
      std::string scratch;
      const std::optional<Element> protocol = PartPath(row.paths[2], item, each);
      out.word = Ports(PartPath(row.paths[0], item, each), PartPath(row.paths[1], item, each),
                       protocol && IsScalar(*protocol) ? Word(*protocol, &scratch) : "-1");
      out.has_word = true;
      continue;
    }
    for (const std::string& path : row.paths) {
      out.value = PartPath(path, item, each);
      if (out.value && Counts(*out.value)) break;
    }
    if (out.value && (row.as == EventAs::kText ? !out.value->is_string() : !IsScalar(*out.value))) out.value.reset();
    if (row.as == EventAs::kWord) {
      std::string scratch;
      AppendJson(out.value ? Word(*out.value, &scratch) : std::string_view(row.otherwise), &out.word);
      out.has_word = true;
    }
  }
}

void EventMapper::AddAttrs(const EventPart* part) {
  const auto is_attr = [this](std::string_view name) {
    return std::any_of(attrs_.begin(), attrs_.end(), [name](const Attr& one) { return one.row->name == name; });
  };
  const auto overridden = [&](std::string_view name) {
    return part != nullptr && std::any_of(part_.begin(), part_.end(), [&](const PartValue& one) {
             return one.row->name == name && (part->replaces || one.value || one.has_word);
           });
  };
  row_.attrs = "{";
  for (const Attr& attr : attrs_) {
    if (!attr.value || overridden(attr.row->name)) continue;
    AppendName(attr.row->name, &row_.attrs);
    AppendValue(*attr.value, &row_.attrs);
  }
  const Element* more = attrs_of_ > 0 ? index_.value(attrs_of_) : nullptr;
  if (dom::object object; more != nullptr && more->get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) {
      if (!IsScalar(value) || !IsName(key) || is_attr(key) || overridden(key)) continue;
      AppendName(key, &row_.attrs);
      AppendValue(value, &row_.attrs);
    }
  }
  if (part != nullptr) {
    for (const PartValue& one : part_) {
      if (!one.has_word && !one.value) continue;
      AppendName(one.row->name, &row_.attrs);
      if (one.has_word) row_.attrs += one.word;
      if (!one.has_word) AppendValue(*one.value, &row_.attrs);
    }
  }
  row_.attrs += '}';
}

void EventMapper::AddEntity(std::string_view entity) {
  if (entity.empty()) return;
  for (size_t i = 0; i < row_.count; ++i) {
    if (row_.entities[i] == entity) return;
  }
  if (row_.count == row_.entities.size()) row_.entities.emplace_back();
  row_.entities[row_.count++].assign(entity);
}

void EventMapper::AddIds(const Element& value, int nesting) {
  if (value.is_string()) {
    if (const std::string_view text = value.get_string().value_unsafe(); IsResource(text)) AddEntity(text);
    return;
  }
  if (nesting >= kMostNesting) return;
  if (dom::object object; value.get(object) == simdjson::SUCCESS) {
    for (const auto& [key, member] : object) AddIds(member, nesting + 1);
  } else if (dom::array array; value.get(array) == simdjson::SUCCESS) {
    for (const Element item : array) AddIds(item, nesting + 1);
  }
}

void EventMapper::AddEntities(const Element* item) {
  row_.count = 0;
  if (item != nullptr) {
    AddIds(*item, 0);
  } else {
    for (const size_t path : ids_in_) {
      if (const Element* value = index_.value(path)) AddIds(*value, 0);
    }
  }
  std::string scratch;
  for (const size_t place : entities_) {
    if (const std::optional<Element>& value = attrs_[place].value; value && Counts(*value))
      AddEntity(Word(*value, &scratch));
  }
  for (const size_t place : addresses_) {
    const std::optional<Element>& value = attrs_[place].value;
    Ip address;
    if (value && value->is_string() && ParseIp(Trimmed(value->get_string().value_unsafe()), &address))
      AddEntity(value->get_string().value_unsafe());
  }
}

bool EventMapper::Fits(const EventSeverity& severity) const {
  if (!severity.kinds.empty() && !Is(severity.kinds, kind_)) return false;
  for (const auto& [name, values] : severity.where) {
    std::optional<Element> value;
    for (const Attr& attr : attrs_) {
      if (attr.row->name == name) value = attr.value;
    }
    for (const PartValue& one : part_) {
      if (one.row->name == name) value = one.value;
    }
    if (!value || !Counts(*value)) return false;
    std::string_view text;
    if (!values.empty() && (value->get(text) != simdjson::SUCCESS || !Is(values, text))) return false;
  }
  return true;
}

std::string_view EventMapper::Severity() const {
  const auto found = std::find_if(map_.severities.begin(), map_.severities.end(),
                                  [this](const EventSeverity& severity) { return Fits(severity); });
  return found == map_.severities.end() ? std::string_view() : std::string_view(found->level);
}

void EventMapper::Fill(const std::string& place, size_t number, const EventPart* part, const Element* item,
                       const Element* each) {
  if (number == 0) {
    for (Attr& attr : attrs_) {
      const Element* value = nullptr;
      for (const size_t path : attr.paths) {
        value = index_.value(path);
        if (value != nullptr && Counts(*value)) break;
      }
      const bool fits = value != nullptr && (attr.row->as == EventAs::kText ? value->is_string() : IsScalar(*value));
      attr.value = fits ? std::optional(*value) : std::nullopt;
    }
  }
  part_.clear();
  if (part != nullptr) FillPart(*part, *item, each);
  AddAttrs(part);
  AddEntities(part != nullptr && part->own_ids ? item : nullptr);
  row_.severity = Severity();
  const Element* key = key_at_ > 0 ? index_.value(key_at_) : nullptr;
  std::string scratch;
  row_.key = key != nullptr && IsScalar(*key) && Counts(*key) ? Word(*key, &scratch) : std::string_view(place);
  if (number > 0) absl::StrAppend(&row_.key, "/", number);
}

}  // namespace internal

bool ParseEventTime(std::string_view text, int64_t* seconds) {
  constexpr size_t kLeast = 10, kMost = 40;
  const size_t given = text.size();
  text = internal::Trimmed(text);
  if (!text.empty() && text.size() <= kMaxTimeDigits && text.find_first_not_of("0123456789") == text.npos) {
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    *seconds = number > kLatestTime ? number / 1000 : number;
    return true;
  }
  return given >= kLeast && given <= kMost && ParseInstant(text, seconds) && *seconds >= 0 && *seconds <= kLatestTime;
}

VPCFLOW_NAMESPACE_END
