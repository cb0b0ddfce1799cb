#include "src/events/event_mapper.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "vpcflow/base/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;
using simdjson::dom::element_type;

constexpr int kMostNesting = 12;  // of values in which ids are looked for

// A port as documents have it: a number, or a text of one.
std::optional<int64_t> Port(const std::optional<Element>& value) {
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
std::string Ports(const std::optional<Element>& first, const std::optional<Element>& last, std::string_view protocol) {
  constexpr int64_t kLastPort = 65535;
  constexpr std::string_view kAll = "\"0-65535\"";
  const std::optional<int64_t> low = Port(first), high = Port(last);
  if (!low || !high || protocol == "-1" || protocol == "all") return std::string(kAll);
  if (*low < 0 || *low > kLastPort || *high < 0 || *high > kLastPort) return std::string(kAll);
  return *low == *high ? absl::StrCat(*low) : absl::StrCat("\"", *low, "-", *high, "\"");
}

// Whether a name can be that of an attr: letters, digits and `_`, at most 60.
bool IsName(std::string_view name) {
  constexpr size_t kMost = 60;
  const auto fits = [](char c) {
    return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
  };
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits) &&
         static_cast<size_t>(std::count_if(name.begin(), name.end(), begins)) <= kMost;
}

}  // namespace

EventMapper::EventMapper(EventMap map) : map_(std::move(map)), kind_at_(index_.Add(map_.kind)) {
  source_ = map_.source;
  time_at_ = index_.Add(map_.time);
  if (!map_.end.empty()) end_at_ = index_.Add(map_.end);
  if (!map_.version.empty()) version_at_ = index_.Add(map_.version);
  for (const std::string& path : map_.key) key_.push_back(index_.Add(path));
  if (!map_.attrs_of.empty()) attrs_of_ = index_.Add(map_.attrs_of);
  for (const std::string& path : map_.needs) needs_.push_back(index_.Add(path));
  for (const std::string& path : map_.ids_in) ids_in_.push_back(index_.Add(path));
  for (const EventAttr& row : map_.attrs) {
    Attr& attr = attrs_.emplace_back(Attr{&row, {}});
    attr_sizes_ |= uint32_t{1} << row.name.size() % 32;
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
  if (kind == nullptr || kind->get(kind_) != simdjson::SUCCESS || time == nullptr || !TimeOf(*time, &time_))
    return false;
  const auto there = [this](size_t path) { return index_.value(path) != nullptr; };
  if (!std::all_of(needs_.begin(), needs_.end(), there)) return false;
  const Element* end = end_at_ > 0 ? index_.value(end_at_) : nullptr;
  end_ = end != nullptr && TimeOf(*end, &end_) ? std::max(end_, time_) : time_;
  version_ = version_at_ > 0 ? Text(index_.value(version_at_)) : std::string_view();
  return true;
}

void EventMapper::Rows(std::string_view place, Take take) {
  size_t made = 0;
  for (const EventPart& part : map_.parts) {
    if (!Is(part.kinds, kind_)) continue;
    for (const auto& [item, each] : Items(part)) {
      Fill(place, made++, &part, &item, each ? &*each : nullptr);
      take(row_, made == 1);
    }
    if (part.alone && made > 0) break;
  }
  if (made > 0) return;
  Fill(place, 0, nullptr, nullptr, nullptr);
  take(row_, true);
}

// The items of a part, with what `each` is of them.
std::vector<std::pair<Element, std::optional<Element>>> EventMapper::Items(const EventPart& part) const {
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

std::optional<Element> EventMapper::PartPath(const std::string& path, const Element& item, const Element* each) const {
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
    return (attr_sizes_ >> name.size() % 32 & 1) != 0 &&
           std::any_of(attrs_.begin(), attrs_.end(), [name](const Attr& one) { return one.row->name == name; });
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
}

void EventMapper::AddIds(const Element& value, int nesting) {
  if (value.is_string()) {
    if (const std::string_view text = value.get_string().value_unsafe(); IsResource(text)) row_.AddEntity(text);
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
      row_.AddEntity(Word(*value, &scratch));
  }
  for (const size_t place : addresses_) {
    const std::optional<Element>& value = attrs_[place].value;
    if (IsAddress(Text(value))) row_.AddEntity(value);
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

void EventMapper::Fill(std::string_view place, size_t number, const EventPart* part, const Element* item,
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
  std::string scratch;
  row_.key = place;
  for (const size_t path : key_) {
    const Element* key = index_.value(path);
    if (key == nullptr || !IsScalar(*key) || !Counts(*key)) continue;
    row_.key = Word(*key, &scratch);
    break;
  }
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
