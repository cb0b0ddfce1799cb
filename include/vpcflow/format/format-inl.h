// Definitions of format.h; include that.
#ifndef VPCFLOW_FORMAT_FORMAT_INL_H_
#define VPCFLOW_FORMAT_FORMAT_INL_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN

namespace internal {

inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A letter, then letters, digits, `-` and `_`.
inline bool LooksLikeName(std::string_view token) {
  if (token.empty() || token.size() > 128) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(token[0])) return false;
  for (char c : token) {
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
  }
  return true;
}

// Text for an error message: printable ASCII only, shortened.
inline std::string Printable(std::string_view text, size_t limit = 60) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size() && i < limit; ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7F && c != '\\') {
      out += static_cast<char>(c);
    } else {
      out += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
    }
  }
  if (text.size() > limit) out += "...";
  return out;
}

}  // namespace internal

inline bool Format::Add(std::string_view name, FormatError* error) {
  const std::optional<Field> field = FindField(name);
  FormatColumn column{field.value_or(Field::kUnknown), CanonicalName(name)};
  if (columns_.size() == kMaxColumns) {
    error->message = "a format has at most " + std::to_string(kMaxColumns) + " fields";
    return false;
  }
  if ((field ? IndexOf(*field) : IndexOf(std::string_view(column.name))) >= 0) {
    error->message = "field '" + column.name + "' is there twice";
    return false;
  }
  if (field) index_[static_cast<size_t>(*field)] = static_cast<int16_t>(columns_.size());
  columns_.push_back(std::move(column));
  return true;
}

inline Format Format::FromNames(std::string_view names) {
  Format format;
  FormatError ignored;
  while (!names.empty()) {
    const size_t n = std::min(names.find(' '), names.size());
    format.Add(names.substr(0, n), &ignored);
    names.remove_prefix(std::min(names.size(), n + 1));
  }
  return format;
}

inline Format Format::Default() { return UpToVersion(2); }

inline Format Format::TransitGatewayDefault() { return FromNames(VPCFLOW_TGW_DEFAULT); }

inline Format Format::UpToVersion(int version) {
  Format format;
  FormatError ignored;
  for (const FieldInfo& info : kFields) {
    if (info.version <= version && info.delivered_in != LogKind::kTgw) format.Add(info.name, &ignored);
  }
  return format;
}

inline bool Format::Parse(std::string_view text, Format* out, FormatError* error) {
  using internal::IsBlank;
  Format format;
  const auto separator = [](char c) { return IsBlank(c) || c == ','; };
  size_t at = 0, token_number = 0;
  const auto fail = [&](std::string message, size_t offset) {
    *error = {"format, token " + std::to_string(token_number) + ": " + message, offset, token_number};
    return false;
  };
  while (true) {
    while (at < text.size() && separator(text[at])) ++at;
    if (at == text.size()) break;
    const size_t begin = at;
    ++token_number;
    std::string_view name;
    if (text[at] == '$') {
      while (at < text.size() && text[at] == '$') ++at;
      const size_t close = text.find('}', at);
      if (at - begin > 2 || at == text.size() || text[at] != '{' || close == std::string_view::npos) {
        return fail("'" + internal::Printable(text.substr(begin, 40)) + "' is not of the form ${field}", begin);
      }
      name = text.substr(at + 1, close - at - 1);
      at = close + 1;
    } else {
      while (at < text.size() && !separator(text[at]) && text[at] != '$') ++at;
      name = text.substr(begin, at - begin);
    }
    if (!internal::LooksLikeName(name)) {
      return fail("'" + internal::Printable(name) + "' is not a field name", begin);
    }
    if (!FindField(name)) {
      const std::string nearest = NearestField(name);
      if (!nearest.empty()) {
        return fail("unknown field '" + std::string(name) + "'; did you mean '" + nearest + "'?", begin);
      }
    }
    FormatError detail;
    if (!format.Add(name, &detail)) return fail(detail.message, begin);
  }
  if (format.size() == 1 && format.columns_[0].field == Field::kUnknown) {
    const std::string& name = format.columns_[0].name;
    if (name == "default") {
      format = Default();
    } else if (name == "tgw") {
      format = TransitGatewayDefault();
    } else if (name[0] == 'v' && name.size() <= 3) {
      uint64_t version = 0;
      if (ParseUint(std::string_view(name).substr(1), 11, &version) == Errc::kOk && version >= 2 && version != 6) {
        format = UpToVersion(static_cast<int>(version));
      }
    }
  }
  if (format.empty()) {
    *error = {"format: no field in it; write for example \"${srcaddr} ${dstaddr} ${bytes}\"", 0, 0};
    return false;
  }
  if (std::all_of(format.columns_.begin(), format.columns_.end(),
                  [](const FormatColumn& c) { return c.field == Field::kUnknown; })) {
    *error = {"format: none of its fields is a flow log field ('" + format.columns_[0].name + "' ...)", 0, 1};
    return false;
  }
  *out = std::move(format);
  return true;
}

inline bool Format::ParseHeader(std::string_view line, Format* out, bool sure) {
  Format format;
  FormatError ignored;
  size_t known = 0, at = 0;
  while (true) {
    while (at < line.size() && internal::IsBlank(line[at])) ++at;
    if (at == line.size()) break;
    const size_t begin = at;
    while (at < line.size() && !internal::IsBlank(line[at])) ++at;
    const std::string_view name = line.substr(begin, at - begin);
    if (!internal::LooksLikeName(name) || !format.Add(name, &ignored)) return false;
    known += format.columns_.back().field != Field::kUnknown;
  }
  if (known == 0 || (!sure && known * 2 < format.size())) return false;
  *out = std::move(format);
  return true;
}

inline int Format::IndexOf(std::string_view name) const {
  const std::string canonical = CanonicalName(name);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].name == canonical) return static_cast<int>(i);
  }
  return -1;
}

inline std::string Format::ToString() const {
  std::string out;
  for (const FormatColumn& column : columns_) {
    if (!out.empty()) out += ' ';
    out += "${" + column.name + "}";
  }
  return out;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_FORMAT_INL_H_
