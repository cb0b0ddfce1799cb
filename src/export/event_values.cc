#include "src/export/event_values.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/export/json_text.h"
#include "vpcflow/export/text.h"
#include "vpcflow/format/iana.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// The word that is written for a value; nothing if there is none.
std::optional<std::string_view> WordOf(const EventRow& row, std::string_view value) {
  const EventTranslation* const words = row.written != nullptr ? row.written : row.words;
  if (words == nullptr) return value;
  std::optional<std::string_view> other;
  for (const auto& [from, to] : *words) {
    if (to.empty()) break;
    if (to == value) return from.empty() ? std::nullopt : std::optional(from);
    if (to == "-" && !other) other = from;
  }
  return other;
}

// Controls have no escape but for the ends of lines; a blank stands for each.
void AppendCefText(std::string_view text, std::string* out) {
  const std::string valid = ValidUtf8(text);
  for (size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    if (byte == '\\' || byte == '=') {
      *out += '\\';
      *out += valid[i];
    } else if (byte == '\n' || byte == '\r') {
      *out += byte == '\n' ? "\\n" : "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      *out += ' ';
    } else if (byte == 0xC2 && static_cast<unsigned char>(valid[i + 1]) < 0xA0) {  // U+0080 to U+009F
      *out += ' ';
      ++i;
    } else {
      *out += valid[i];
    }
  }
}

std::string ProtocolName(std::string_view number, bool capitals) {
  for (const NumberName& known : kProtocols) {
    if (std::to_string(known.number) != number || known.written.empty()) continue;
    const std::string name(UsualName(known));
    return capitals ? absl::AsciiStrToUpper(name) : absl::AsciiStrToLower(name);
  }
  return {};
}

std::string ValueTextOf(const EventColumn& column, int64_t code) {
  if (column.type == ColumnType::kText) return column.texts()[static_cast<size_t>(code)];
  if (column.type == ColumnType::kAddress) {
    char buffer[kMaxIpText];
    return {buffer, FormatIp(column.values->addresses[static_cast<size_t>(code)], buffer)};
  }
  if (column.type == ColumnType::kBool) return code != 0 ? "true" : "false";
  if (column.type == ColumnType::kTime) return std::to_string(code / kMicrosPerSecond);
  return std::to_string(code);
}

bool IsQuoted(const EventRow& row, ColumnType type) {
  switch (row.as) {
    case EventValue::kText:
    case EventValue::kWord:
    case EventValue::kProtocol:
    case EventValue::kPROTOCOL: return true;
    case EventValue::kNatural: return type == ColumnType::kText || type == ColumnType::kAddress;
    default: return false;
  }
}

}  // namespace

MemberFrame FrameOf(std::string_view name, EventStyle style, bool quoted) {
  const char* const quote = quoted ? "\"" : "";
  std::string key;
  if (style != EventStyle::kCef) AppendJsonText(name, &key);
  switch (style) {
    case EventStyle::kObject: return {absl::StrCat(key, ":", quote), absl::StrCat(quote, ",")};
    case EventStyle::kElement: return {quote, absl::StrCat(quote, ",")};
    case EventStyle::kPair: return {absl::StrCat("{\"key\":", key, ",\"value\":", quote), absl::StrCat(quote, "},")};
    case EventStyle::kCef: return {absl::StrCat(" ", absl::string_view(name.data(), name.size()), "="), ""};
    case EventStyle::kRaw: break;
  }
  return {};
}

EventMember::EventMember(const EventRow& of, std::string_view name, EventStyle as)
    : row(&of), style(as), frame(FrameOf(name, as, false)) {
  if (row->as == EventValue::kNatural) {
    address = FrameOf(name, as, true);
  } else if (row->as == EventValue::kObservable) {
    address.before = frame.before + "{\"name\":";
    AppendJsonText(row->constant, &address.before);
    address.before += ",\"type\":\"IP Address\",\"type_id\":2,\"value\":\"";
    address.behind = "\"}" + frame.behind;
  }
}

std::optional<std::string> PlainValue(const EventRow& row, const EventColumn& column, int64_t code) {
  switch (row.as) {
    case EventValue::kNull: return "null";
    case EventValue::kProtocol:
    case EventValue::kPROTOCOL: {
      std::string name = ProtocolName(ValueTextOf(column, code), row.as == EventValue::kPROTOCOL);
      return name.empty() ? std::nullopt : std::optional(std::move(name));
    }
    case EventValue::kWord:
    case EventValue::kNumber: {
      const std::string value = ValueTextOf(column, code);
      const std::optional<std::string_view> word = WordOf(row, value);
      return word ? std::optional(std::string(*word)) : std::nullopt;
    }
    case EventValue::kList: {
      const std::string value = ValueTextOf(column, code);
      const std::optional<std::string_view> words = WordOf(row, value);
      if (!words) return std::nullopt;
      std::string out = "[\"";
      for (const char c : *words) out += c == ' ' ? "\",\"" : std::string(1, c);
      return out + "\"]";
    }
    case EventValue::kObservable:  // of addresses alone
    case EventValue::kNatural:
    case EventValue::kText:
    case EventValue::kMillis:  // times are written by steps of their own
    case EventValue::kSeconds:
    case EventValue::kTimeNanos:
    case EventValue::kRfc3339:
    case EventValue::kRest:
    case EventValue::kRestTexts: break;
  }
  return ValueTextOf(column, code);
}

void AppendMember(const EventMember& member, const EventColumn& column, int64_t code, std::string* out) {
  const EventRow& row = *member.row;
  if (member.style <= EventStyle::kPair && row.as == EventValue::kNatural && column.type == ColumnType::kText) {
    *out += member.frame.before;  // most are so
    AppendJsonText(column.texts()[static_cast<size_t>(code)], out);
    *out += member.frame.behind;
    return;
  }
  if (column.type == ColumnType::kAddress && !member.address.before.empty()) {
    char buffer[kMaxIpText];
    const std::string_view text(
        buffer, static_cast<size_t>(FormatIp(column.values->addresses[static_cast<size_t>(code)], buffer) - buffer));
    out->append(member.address.before).append(text).append(member.address.behind);
    return;
  }
  const std::optional<std::string> value = PlainValue(row, column, code);
  if (!value) return;
  *out += member.frame.before;
  if (member.style == EventStyle::kCef) {
    AppendCefText(*value, out);
  } else if (member.style != EventStyle::kRaw && IsQuoted(row, column.type)) {
    AppendJsonText(*value, out);
  } else {
    *out += *value;
  }
  *out += member.frame.behind;
}

bool IsReadAsWritten(const EventRow& row, std::string_view value) {
  const std::optional<std::string_view> word = WordOf(row, value);
  if (!word) return false;
  if (row.words == nullptr) return *word == value;
  for (const auto& [from, to] : *row.words) {
    if (from.empty()) break;
    if (absl::EqualsIgnoreCase(absl::string_view(from.data(), from.size()),
                               absl::string_view(word->data(), word->size())))
      return to == value;
  }
  return *word == value;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
