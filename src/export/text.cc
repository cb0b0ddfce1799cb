#include "vpcflow/export/text.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "src/export/json_text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

// Length of the valid UTF-8 sequence at the beginning of the text, or 0 (RFC 3629: no surrogates, no overlong forms).
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0, surrogate = first == 0xED && byte(1) > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90, beyond = first == 0xF4 && byte(1) > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void AppendCsvText(std::string text, bool safe, std::string* out) {
  if (safe && !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos)
    text.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    *out += text;
    return;
  }
  *out += '"';
  for (char c : text) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

constexpr size_t kUsualValue = 12;                 // bytes of a value of a flow log with its blank
constexpr size_t kMostReserved = size_t{1} << 28;  // bytes

// Appends a text as a value of a flow log: bytes that would end it are percent-encoded, as AWS does it with tags.
void AppendLogText(std::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text.empty() ? std::string_view("-") : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7F) {
      *out += c;
    } else {
      *out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

// The values of a column's dictionary as a flow log has them.
std::vector<std::string> LogValues(const TableColumn& column) {
  std::vector<std::string> out;
  for (const Ip& ip : column.addresses) out.push_back(ToString(ip));
  for (const std::string& text : column.texts) AppendLogText(text, &out.emplace_back());
  return out;
}

void AppendNumber(int64_t value, std::string* out) {
  char text[24];
  out->append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

namespace internal {

void AppendJsonText(std::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out->append("\"").append(text).append("\"");
    return;
  }
  const std::string valid = ValidUtf8(text);
  *out += '"';
  for (char c : valid) {
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      *out += "\\u00";
      *out += kHex[static_cast<unsigned char>(c) >> 4];
      *out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      *out += c;
    }
  }
  *out += '"';
}

}  // namespace internal

std::string ValidUtf8(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string(text);
  std::string out;
  while (!text.empty()) {
    const size_t n = SequenceLength(text);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, n);
      text.remove_prefix(n);
    }
  }
  return out;
}

std::string ToCsv(const Table& table, bool header, bool safe) {
  std::string out;
  if (header) {
    for (const TableColumn& column : table.columns) {
      if (&column != table.columns.data()) out += ',';
      AppendCsvText(column.name, safe, &out);
    }
    out += '\n';
  }
  for (size_t row = 0; row < table.rows; ++row) {
    for (const TableColumn& column : table.columns) {
      if (&column != table.columns.data()) out += ',';
      if (column.is_null(row)) continue;
      AppendCsvText(column.ToText(row), safe && column.type == ColumnType::kText, &out);
    }
    out += '\n';
  }
  return out;
}

std::string ToJsonLines(const Table& table) {
  std::vector<std::string> keys;
  for (const TableColumn& column : table.columns) {
    std::string& key = keys.emplace_back(keys.empty() ? "{" : ", ");
    internal::AppendJsonText(column.name, &key);
    key += ": ";
  }
  std::string out;
  for (size_t row = 0; row < table.rows; ++row) {
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const TableColumn& column = table.columns[c];
      out += keys[c];
      if (column.is_null(row)) {
        out += "null";
      } else if (column.type == ColumnType::kText || column.type == ColumnType::kAddress) {
        internal::AppendJsonText(column.ToText(row), &out);
      } else {
        out += column.ToText(row);
      }
    }
    out += table.columns.empty() ? "{}\n" : "}\n";
  }
  return out;
}

std::string ToLogLines(const Table& table) {
  std::vector<std::vector<std::string>> values;
  for (const TableColumn& column : table.columns) values.push_back(LogValues(column));
  std::string out;
  out.reserve(std::min(table.rows * table.columns.size() * kUsualValue, kMostReserved));
  for (size_t row = 0; row < table.rows; ++row) {
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const TableColumn& column = table.columns[c];
      if (c > 0) out += ' ';
      if (column.is_null(row)) {
        out += '-';
        continue;
      }
      switch (column.type) {
        case ColumnType::kAddress:
        case ColumnType::kText: out += values[c][static_cast<size_t>(column.i32[row])]; break;
        case ColumnType::kInt32: AppendNumber(column.i32[row], &out); break;
        case ColumnType::kInt64: AppendNumber(column.i64[row], &out); break;
        case ColumnType::kTime: AppendNumber(column.i64[row] / kMicrosPerSecond, &out); break;
        default: out += column.ToText(row);
      }
    }
    out += '\n';
  }
  return out;
}

VPCFLOW_NAMESPACE_END
