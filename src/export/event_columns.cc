#include "src/export/event_columns.h"

#include <algorithm>
#include <utility>

#include "vpcflow/sketch/hash.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int64_t kMillisecond = 1000;
// Below it readers take a number for seconds (see OcsfTime).
constexpr int64_t kLeastMillis = int64_t{1} << 31;

std::string NameOf(std::string_view value) {
  std::string name(value);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

TableColumn TextColumn(std::string_view name, size_t rows, std::vector<std::string> texts) {
  TableColumn out;
  out.name = name;
  out.type = ColumnType::kText;
  out.texts = std::move(texts);
  out.i32.assign(rows, kNullCode);
  return out;
}

TableColumn NumberColumn(std::string_view name, size_t rows, ColumnType type) {
  TableColumn out;
  out.name = name;
  out.type = type;
  out.i64.assign(rows, kNullInt64);
  return out;
}

// The code of a text among those of a dictionary, or one that none has.
int32_t CodeOf(const TableColumn& column, std::string_view text) {
  const auto at = std::find(column.texts.begin(), column.texts.end(), text);
  return at == column.texts.end() ? kNullCode - 1 : static_cast<int32_t>(at - column.texts.begin());
}

uint64_t HashOfValue(const TableColumn& column, size_t row) {
  switch (column.type) {
    case ColumnType::kInt64:
    case ColumnType::kTime: return static_cast<uint64_t>(column.i64[row]);
    case ColumnType::kInt32:
    case ColumnType::kBool: return static_cast<uint64_t>(column.i32[row]);
    default: return SketchHash(std::string_view(column.ToText(row)));
  }
}

// The hash of each value of a dictionary.
std::vector<uint64_t> HashesOfDictionary(const TableColumn& column) {
  std::vector<uint64_t> out;
  for (const Ip& ip : column.addresses) out.push_back(SketchHash(ip));
  for (const std::string& text : column.texts) out.push_back(SketchHash(std::string_view(text)));
  return out;
}

using Halves = std::array<uint64_t, 2>;
constexpr uint64_t kSecondHalf = 0x6A09E667F3BCC909ull;

void Mix(uint64_t value, Halves* halves) {
  (*halves)[0] += SketchHash(value);
  (*halves)[1] += SketchHash(value ^ kSecondHalf);
}

std::string_view WithoutFolders(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

EventColumns::EventColumns(const Table& table) : rows_(table.rows) {
  sessions_ = table.Find("client").has_value() && table.Find("server").has_value();
  if (sessions_) {
    AddSessions(table);
    return;
  }
  for (const TableColumn& column : table.columns) {
    if (column.name == "file" && column.type == ColumnType::kText) {
      file_ = &column;
    } else if (column.name == "offset" && column.type == ColumnType::kInt64) {
      offset_ = &column;
    } else {
      own_.push_back(&column);
    }
  }
}

bool EventColumns::IsAllNull(const TableColumn& column) const {
  for (size_t i = 0; i < rows_; ++i) {
    if (!IsNull(column, i)) return false;
  }
  return true;
}

// Each session as if it were a record of the client's to the server.
void EventColumns::AddSessions(const Table& table) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"client", "srcaddr"},           {"server", "dstaddr"},
      {"client_port", "srcport"},      {"server_port", "dstport"},
      {"interface", "interface_id"},   {"client_bytes", "bytes_out"},
      {"server_bytes", "bytes_in"},    {"client_packets", "packets_out"},
      {"server_packets", "packets_in"}};
  for (const TableColumn& column : table.columns) {
    const auto* const known =
        std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& pair) { return pair.first == column.name; });
    if (column.name == "duration") continue;
    if (known == std::end(kNames)) {
      own_.push_back(&column);
      continue;
    }
    TableColumn& renamed = made_.emplace_back(column);
    renamed.name = known->second;
    own_.push_back(&renamed);
  }
  const auto total = [&](std::string_view name, std::string_view one, std::string_view other, bool flags) {
    const TableColumn *const a = OfTable(one), *const b = OfTable(other);
    if (a == nullptr || b == nullptr) return;
    TableColumn& out = made_.emplace_back(NumberColumn(name, rows_, ColumnType::kInt64));
    const auto value = [](const TableColumn& c, size_t i) -> int64_t {
      if (IsNull(c, i)) return 0;
      return c.type == ColumnType::kInt32 ? c.i32[i] : c.type == ColumnType::kInt64 ? c.i64[i] : 0;
    };
    for (size_t i = 0; i < rows_; ++i) {
      if (IsNull(*a, i) && IsNull(*b, i)) continue;
      const int64_t x = value(*a, i), y = value(*b, i);
      if (flags) {
        out.i64[i] = x | y;
      } else if (__builtin_add_overflow(x, y, &out.i64[i])) {
        out.i64[i] = std::numeric_limits<int64_t>::max();
      }
    }
    own_.push_back(&out);
  };
  total("bytes", "bytes_out", "bytes_in", false);
  total("packets", "packets_out", "packets_in", false);
  total("tcp_flags", "client_flags", "server_flags", true);
  if (const TableColumn* const state = OfTable("state"); state != nullptr && state->type == ColumnType::kText) {
    TableColumn& action = made_.emplace_back(TextColumn("action", rows_, {"ACCEPT", "REJECT"}));
    const int32_t rejected = CodeOf(*state, "rejected");
    for (size_t i = 0; i < rows_; ++i) {
      if (state->i32[i] != kNullCode) action.i32[i] = state->i32[i] == rejected ? 1 : 0;
    }
    own_.push_back(&action);
  }
}

const TableColumn* EventColumns::OfTable(std::string_view value) const {
  const std::string name = NameOf(value);
  const auto at = std::find_if(own_.begin(), own_.end(), [&](const TableColumn* c) { return c->name == name; });
  return at == own_.end() ? nullptr : *at;
}

const TableColumn* EventColumns::Find(std::string_view value) {
  const auto known = found_.find(value);
  if (known != found_.end()) return known->second;
  // A label of a computed value's name is not that value.
  std::optional<TableColumn> made = Compute(value);
  const TableColumn* out = made ? &made_.emplace_back(*std::move(made)) : OfTable(value);
  if (out != nullptr && IsAllNull(*out)) out = nullptr;
  found_.emplace(value, out);
  return out;
}

std::optional<TableColumn> EventColumns::Compute(std::string_view value) {
  constexpr std::string_view kLacks = "-lacks", kSmall = "-small", kUnnamed = "-unnamed";
  const std::string_view head = value.substr(0, value.find('@'));
  if (head.size() < value.size()) return AtEnd(head, value.substr(head.size() + 1));
  if (value.ends_with(kLacks)) return Lacks(value.substr(0, value.size() - kLacks.size()));
  if (value.ends_with(kSmall)) return Small(value.substr(0, value.size() - kSmall.size()));
  if (value == "verdict") return Verdict();
  if (value == "time") return Time("start", "end");
  if (value == "last-time") return Time("end", "start");
  if (value == "duration") return Duration();
  if (value == "src-ip" || value == "dst-ip") return PacketAddress(value.substr(0, 3));
  if (value == "src-nat" || value == "dst-nat") return Nat(value.substr(0, 3), /*packet=*/false);
  if (value.ends_with("-v4") || value.ends_with("-v6")) return OfVersion(value.substr(0, 6), value.ends_with("-v4"));
  if (value.ends_with("-differs")) return Nat(value.substr(4, 3), /*packet=*/true);
  if (value.starts_with("sent-")) return Carried(value.substr(5), "_out", "src");
  if (value.starts_with("received-")) return Carried(value.substr(9), "_in", "dst");
  if (value == "bytes-out" || value == "packets-out") {
    const TableColumn* const all = OfTable(sessions_ ? value : value.substr(0, value.find('-')));
    return all == nullptr ? std::nullopt : std::optional(*all);
  }
  if (value == "reason") return Reason();
  if (value == "direction") {
    const TableColumn* const direction = OfTable("flow-direction");
    const bool text = direction != nullptr && direction->type == ColumnType::kText;
    TableColumn out = text ? *direction : TextColumn("direction", rows_, {});
    const auto none = static_cast<int32_t>(out.texts.size());
    out.texts.emplace_back("none");
    std::replace(out.i32.begin(), out.i32.end(), kNullCode, none);
    return out;
  }
  const std::vector<std::string> recording = {"interface-id@", "instance-id@", "vpc-id@", "subnet-id@"};
  if (value.ends_with(kUnnamed)) {
    const std::string side(value.substr(0, value.size() - kUnnamed.size()));
    const std::string interface = recording[0] + side, instance = recording[1] + side;
    if (side == "device") return Marks({interface, instance}, true, {recording[2] + side, recording[3] + side});
    return Marks({side + "-ip", "pkt-" + side + "-aws-service", interface, instance}, true);
  }
  if (value == "device") {
    std::vector<std::string> any;
    for (const std::string& field : recording) any.push_back(field + "device");
    return Marks(any, false);
  }
  return std::nullopt;
}

TableColumn EventColumns::Verdict() {
  TableColumn out = TextColumn("verdict", rows_, {"ACCEPT", "REJECT", "OTHER", "-", "NODATA", "SKIPDATA"});
  const auto codes = [&](const TableColumn* column, std::initializer_list<int32_t> known, int32_t other) {
    std::vector<int32_t> to;
    if (column == nullptr || column->type != ColumnType::kText) return to;
    for (const std::string& text : column->texts) {
      const int32_t code = CodeOf(out, text);
      to.push_back(std::find(known.begin(), known.end(), code) == known.end() ? other : code);
    }
    return to;
  };
  const TableColumn *const action = OfTable("action"), *const status = OfTable("log-status");
  const std::vector<int32_t> of_action = codes(action, {0, 1}, 2), of_status = codes(status, {4, 5}, kNullCode);
  for (size_t i = 0; i < rows_; ++i) {
    int32_t code = kNullCode;
    if (!of_status.empty() && status->i32[i] >= 0) code = of_status[static_cast<size_t>(status->i32[i])];
    if (!of_action.empty() && action->i32[i] >= 0) code = of_action[static_cast<size_t>(action->i32[i])];
    out.i32[i] = code == kNullCode ? 3 : code;
  }
  return out;
}

std::optional<TableColumn> EventColumns::Reason() {
  const TableColumn *const reason = OfTable("reject-reason"), *const status = OfTable("log-status");
  if (reason == nullptr || status == nullptr) return std::nullopt;
  TableColumn out = *reason;
  for (size_t i = 0; i < rows_; ++i) {
    if (IsNull(*status, i)) out.i32[i] = kNullCode;
  }
  return out;
}

std::optional<TableColumn> EventColumns::Time(std::string_view first, std::string_view second) {
  TableColumn out = NumberColumn("time", rows_, ColumnType::kTime);
  const TableColumn *const a = OfTable(first), *const b = OfTable(second);
  for (size_t i = 0; i < rows_; ++i) {
    const auto at = [&](const TableColumn* c) {
      return c != nullptr && c->type == ColumnType::kTime ? c->i64[i] : kNullInt64;
    };
    const int64_t time = at(a) != kNullInt64 ? at(a) : at(b);
    out.i64[i] = time == kNullInt64 ? 0 : time;
  }
  return out;
}

std::optional<TableColumn> EventColumns::Duration() {
  const TableColumn *const start = OfTable("start"), *const end = OfTable("end");
  if (start == nullptr || end == nullptr || start->type != end->type || start->type != ColumnType::kTime)
    return std::nullopt;
  TableColumn out = NumberColumn("duration", rows_, ColumnType::kTime);
  for (size_t i = 0; i < rows_; ++i) {
    if (!IsNull(*start, i) && !IsNull(*end, i) && end->i64[i] >= start->i64[i])
      out.i64[i] = end->i64[i] - start->i64[i];
  }
  return out;
}

std::optional<TableColumn> EventColumns::PacketAddress(std::string_view side) {
  const TableColumn *const own = OfTable(std::string(side) + "addr"), *const pkt =
                                                                          OfTable("pkt-" + std::string(side) + "addr");
  if (own == nullptr || pkt == nullptr) {
    const TableColumn* const only = own != nullptr ? own : pkt;
    return only == nullptr ? std::nullopt : std::optional(*only);
  }
  TableColumn out = *pkt;
  const auto behind = static_cast<int32_t>(pkt->addresses.size());
  out.addresses.insert(out.addresses.end(), own->addresses.begin(), own->addresses.end());
  for (size_t i = 0; i < rows_; ++i) {
    if (out.i32[i] == kNullCode && own->i32[i] != kNullCode) out.i32[i] = own->i32[i] + behind;
  }
  return out;
}

// The interface's address, or the packet's, where both are there and differ.
std::optional<TableColumn> EventColumns::Nat(std::string_view side, bool packet) {
  const std::string name = std::string(side) + "addr";
  const TableColumn *const own = OfTable(packet ? "pkt-" + name : name), *const other =
                                                                             OfTable(packet ? name : "pkt-" + name);
  if (own == nullptr || other == nullptr) return std::nullopt;
  TableColumn out = *own;
  for (size_t i = 0; i < rows_; ++i) {
    if (out.i32[i] == kNullCode) continue;
    const bool same = other->i32[i] == kNullCode || own->addresses[static_cast<size_t>(own->i32[i])] ==
                                                        other->addresses[static_cast<size_t>(other->i32[i])];
    if (same) out.i32[i] = kNullCode;
  }
  return out;
}

std::optional<TableColumn> EventColumns::OfVersion(std::string_view value, bool v4) {
  const TableColumn* const all = Find(value);
  if (all == nullptr) return std::nullopt;
  TableColumn out = *all;
  for (int32_t& code : out.i32) {
    if (code != kNullCode && out.addresses[static_cast<size_t>(code)].is_v4() != v4) code = kNullCode;
  }
  return out;
}

// What went that way: of a session its own figure, of records that of those of one direction.
std::optional<TableColumn> EventColumns::Carried(std::string_view what, std::string_view way, std::string_view end) {
  if (!sessions_) return AtEnd(what, end);
  const TableColumn* const own = OfTable(std::string(what) + std::string(way));
  return own == nullptr ? std::nullopt : std::optional(*own);
}

std::optional<TableColumn> EventColumns::AtEnd(std::string_view field, std::string_view end) {
  const TableColumn *const values = OfTable(field), *const direction = OfTable("flow-direction");
  if (values == nullptr) return std::nullopt;
  TableColumn out = *values;
  const bool known = direction != nullptr && direction->type == ColumnType::kText;
  const int32_t egress = known ? CodeOf(*direction, "egress") : kNullCode - 1;
  const int32_t ingress = known ? CodeOf(*direction, "ingress") : kNullCode - 1;
  for (size_t i = 0; i < rows_; ++i) {
    const int32_t code = known ? direction->i32[i] : kNullCode;
    const std::string_view there = code == egress ? "src" : code == ingress ? "dst" : "device";
    if (there == end) continue;
    if (out.type == ColumnType::kInt64) {
      out.i64[i] = kNullInt64;
    } else {
      out.i32[i] = out.type == ColumnType::kInt32 ? kNullInt32 : kNullCode;
    }
  }
  return out;
}

// Rows where a field is null and a reader would take another's value for it.
std::optional<TableColumn> EventColumns::Lacks(std::string_view field) {
  const std::string_view other = field == "start"            ? "end"
                                 : field.starts_with("pkt-") ? field.substr(4)
                                                             : std::string_view();
  const std::string name = other.empty() ? "pkt-" + std::string(field) : std::string(other);
  const TableColumn *const own = OfTable(field), *const read = OfTable(name);
  if (field != "start" && read == nullptr) return std::nullopt;
  TableColumn out = TextColumn(field, rows_, {"-"});
  for (size_t i = 0; i < rows_; ++i) {
    // Of times there is always one to be read.
    if ((own == nullptr || IsNull(*own, i)) && (field == "start" || !IsNull(*read, i))) out.i32[i] = 0;
  }
  return out;
}

std::optional<TableColumn> EventColumns::Small(std::string_view field) {
  const TableColumn* const time = OfTable(field);
  if (time == nullptr || time->type != ColumnType::kTime) return std::nullopt;
  TableColumn out = NumberColumn(field, rows_, ColumnType::kTime);
  for (size_t i = 0; i < rows_; ++i) {
    if (!IsNull(*time, i) && time->i64[i] / kMillisecond <= kLeastMillis) out.i64[i] = time->i64[i];
  }
  return out;
}

std::optional<TableColumn> EventColumns::Marks(const std::vector<std::string>& values, bool where_none,
                                               const std::vector<std::string>& but_one_of) {
  const auto columns_of = [this](const std::vector<std::string>& names) {
    std::vector<const TableColumn*> out;
    for (const std::string& name : names) {
      if (const TableColumn* const column = Find(name)) out.push_back(column);
    }
    return out;
  };
  const std::vector<const TableColumn*> columns = columns_of(values), needed = columns_of(but_one_of);
  TableColumn out = TextColumn("", rows_, {"-"});
  for (size_t i = 0; i < rows_; ++i) {
    const auto there = [i](const TableColumn* column) { return !IsNull(*column, i); };
    const bool any = std::any_of(columns.begin(), columns.end(), there);
    if (any != where_none && (but_one_of.empty() || std::any_of(needed.begin(), needed.end(), there))) out.i32[i] = 0;
  }
  return out;
}

std::vector<std::array<uint64_t, 2>> EventColumns::Ids() const {
  std::vector<Halves> out(rows_);
  const auto add = [&](const TableColumn& column, uint64_t salt) {
    const std::vector<uint64_t> dictionary = HashesOfDictionary(column);
    for (size_t i = 0; i < rows_; ++i) {
      if (IsNull(column, i)) continue;
      Mix(salt + (dictionary.empty() ? HashOfValue(column, i) : dictionary[static_cast<size_t>(column.i32[i])]),
          &out[i]);
    }
  };
  if (sessions_) {
    // Both ends alike: their hashes are added, so that it does not matter who is the client.
    const auto end = [&](std::string_view address, std::string_view port) {
      const TableColumn *const a = OfTable(address), *const p = OfTable(port);
      for (size_t i = 0; i < rows_; ++i) {
        uint64_t hash = a == nullptr || IsNull(*a, i) ? 0 : SketchHash(a->addresses[static_cast<size_t>(a->i32[i])]);
        if (p != nullptr && !IsNull(*p, i)) hash = SketchHash(hash + static_cast<uint64_t>(p->i32[i]) + 1);
        Mix(hash, &out[i]);
      }
    };
    end("srcaddr", "srcport");
    end("dstaddr", "dstport");
    for (const std::string_view name : {"protocol", "start"}) {
      if (const TableColumn* const column = OfTable(name)) add(*column, SketchHash(name));
    }
  } else {
    for (const TableColumn* const column : own_) add(*column, SketchHash(std::string_view(column->name)));
    if (offset_ != nullptr) add(*offset_, SketchHash(std::string_view("offset of the line")));
    std::vector<uint64_t> files;
    for (const std::string& name : file_ == nullptr ? std::vector<std::string>() : file_->texts)
      files.push_back(SketchHash(WithoutFolders(name)));
    for (size_t i = 0; i < rows_ && file_ != nullptr; ++i) {
      if (!IsNull(*file_, i)) Mix(files[static_cast<size_t>(file_->i32[i])], &out[i]);
    }
  }
  for (Halves& id : out) id = {SketchHash(id[0]), SketchHash(id[1])};
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
