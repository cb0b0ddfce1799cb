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

// The code of a text among those of a dictionary, or one that none has.
int32_t CodeOf(const EventColumn& column, std::string_view text) {
  const auto at = std::find(column.texts().begin(), column.texts().end(), text);
  return at == column.texts().end() ? kNullCode - 1 : static_cast<int32_t>(at - column.texts().begin());
}

uint64_t HashOfCode(const EventColumn& column, size_t code) {
  return column.is_text() ? SketchHash(std::string_view(column.texts()[code]))
                          : SketchHash(column.values->addresses[code]);
}

uint64_t HashOfValue(const EventColumn& column, size_t row) {
  if (column.type == ColumnType::kText || column.type == ColumnType::kAddress)
    return HashOfCode(column, static_cast<size_t>(column.i32[row]));
  return SketchHash(std::string_view(column.values->ToText(column.first + row)));
}

using Halves = std::array<uint64_t, 2>;
constexpr uint64_t kSecondHalf = 0x6A09E667F3BCC909ull;

void Mix(uint64_t value, Halves* halves) {
  (*halves)[0] += SketchHash(value);
  (*halves)[1] += SketchHash(value ^ kSecondHalf);
}

std::string_view WithoutFolders(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Adds the hash of each row's value to its id; null adds nothing.
template <class T>
void MixNumbers(const T* values, T null, uint64_t salt, std::vector<Halves>* ids) {
  for (size_t i = 0; i < ids->size(); ++i) {
    const uint64_t there = values[i] == null ? 0 : ~uint64_t{0}, hash = salt + static_cast<uint64_t>(values[i]);
    (*ids)[i][0] += SketchHash(hash) & there;
    (*ids)[i][1] += SketchHash(hash ^ kSecondHalf) & there;
  }
}

void MixColumn(const EventColumn& column, uint64_t salt, std::vector<Halves>* ids) {
  if (column.type == ColumnType::kInt64 || column.type == ColumnType::kTime)
    return MixNumbers(column.i64, kNullInt64, salt, ids);
  if (column.type == ColumnType::kInt32 || column.type == ColumnType::kBool)
    return MixNumbers(column.i32, kNullInt32, salt, ids);
  const bool coded = column.type == ColumnType::kText || column.type == ColumnType::kAddress;
  if (!coded || column.dictionary_size() > ids->size()) {
    for (size_t i = 0; i < ids->size(); ++i) {
      if (!column.is_null(i)) Mix(salt + HashOfValue(column, i), &(*ids)[i]);
    }
    return;
  }
  std::vector<Halves> mixed(column.dictionary_size() + 1);  // null first, which adds nothing
  for (size_t code = 0; code < column.dictionary_size(); ++code) Mix(salt + HashOfCode(column, code), &mixed[code + 1]);
  for (size_t i = 0; i < ids->size(); ++i) {
    const Halves& one = mixed[static_cast<size_t>(column.i32[i] + 1)];
    (*ids)[i][0] += one[0];
    (*ids)[i][1] += one[1];
  }
}

}  // namespace

EventColumn EventColumn::Nulls(std::string_view name, ColumnType type, const TableColumn* dictionary, size_t rows) {
  EventColumn out;
  out.name = name;
  out.type = type;
  out.values = dictionary;
  if (type == ColumnType::kInt64 || type == ColumnType::kTime) {
    out.made64_.assign(rows, kNullInt64);
  } else {
    out.made32_.assign(rows, kNullCode);
  }
  out.PointToOwn();
  return out;
}

EventColumn EventColumn::Like(const EventColumn& other, size_t rows) {
  EventColumn out;
  out.name = other.name;
  out.type = other.type;
  out.values = other.values;
  out.first = other.first;
  if (other.i32 != nullptr) out.made32_.assign(other.i32, other.i32 + rows);
  if (other.i64 != nullptr) out.made64_.assign(other.i64, other.i64 + rows);
  out.PointToOwn();
  return out;
}

void EventColumn::PointToOwn() {
  i32 = made32_.empty() ? nullptr : made32_.data();
  i64 = made64_.empty() ? nullptr : made64_.data();
}

void EventColumn::set_null(size_t row) {
  if (!made64_.empty()) {
    made64_[row] = kNullInt64;
  } else {
    made32_[row] = type == ColumnType::kInt32 || type == ColumnType::kBool ? kNullInt32 : kNullCode;
  }
}

EventColumns::EventColumns(const Table& table, size_t begin, size_t rows) : rows_(rows) {
  sessions_ = table.Find("client").has_value() && table.Find("server").has_value();
  for (const TableColumn& column : table.columns) {
    const EventColumn* const made = &made_.emplace_back(column, begin);
    if (!sessions_ && column.name == "file" && column.type == ColumnType::kText) {
      file_ = made;
    } else if (!sessions_ && column.name == "offset" && column.type == ColumnType::kInt64) {
      offset_ = made;
    } else {
      own_.push_back(made);
    }
  }
  if (sessions_) AddSessions();
}

bool EventColumns::IsAllNull(const EventColumn& column) const {
  if (rows_ == 0 || !column.is_null(0)) return rows_ == 0;
  // Null is one number; without an exit in the loop it is compared by vectors.
  const auto all = [rows = rows_](const auto* values) {
    auto others = values[0] ^ values[0];
    for (size_t i = 0; i < rows; ++i) others |= values[i] ^ values[0];
    return others == 0;
  };
  if (column.i32 != nullptr) return all(column.i32);
  if (column.i64 != nullptr) return all(column.i64);
  for (size_t i = 0; i < rows_; ++i) {
    if (!column.is_null(i)) return false;
  }
  return true;
}

const TableColumn* EventColumns::Dictionary(std::vector<std::string> texts) {
  TableColumn& out = dictionaries_.emplace_back();
  out.type = ColumnType::kText;
  out.texts = std::move(texts);
  return &out;
}

// Each session as if it were a record of the client's to the server.
void EventColumns::AddSessions() {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"client", "srcaddr"},           {"server", "dstaddr"},
      {"client_port", "srcport"},      {"server_port", "dstport"},
      {"interface", "interface_id"},   {"client_bytes", "bytes_out"},
      {"server_bytes", "bytes_in"},    {"client_packets", "packets_out"},
      {"server_packets", "packets_in"}};
  std::erase_if(own_, [](const EventColumn* column) { return column->name == "duration"; });
  for (EventColumn& column : made_) {
    for (const auto& [session, record] : kNames) {
      if (column.name == session) {
        column.name = record;
        break;
      }
    }
  }
  const auto total = [&](std::string_view name, std::string_view one, std::string_view other, bool flags) {
    const EventColumn *const a = OfTable(one), *const b = OfTable(other);
    if (a == nullptr || b == nullptr) return;
    EventColumn out = EventColumn::Nulls(name, ColumnType::kInt64, nullptr, rows_);
    const auto value = [](const EventColumn& c, size_t i) -> int64_t {
      if (c.is_null(i)) return 0;
      return c.type == ColumnType::kInt32 ? c.i32[i] : c.type == ColumnType::kInt64 ? c.i64[i] : 0;
    };
    for (size_t i = 0; i < rows_; ++i) {
      if (a->is_null(i) && b->is_null(i)) continue;
      const int64_t x = value(*a, i), y = value(*b, i);
      if (flags) {
        out.mutable64()[i] = x | y;
      } else if (__builtin_add_overflow(x, y, &out.mutable64()[i])) {
        out.mutable64()[i] = std::numeric_limits<int64_t>::max();
      }
    }
    own_.push_back(&Keep(std::move(out)));
  };
  total("bytes", "bytes_out", "bytes_in", false);
  total("packets", "packets_out", "packets_in", false);
  total("tcp_flags", "client_flags", "server_flags", true);
  if (const EventColumn* const state = OfTable("state"); state != nullptr && state->is_text()) {
    EventColumn action = EventColumn::Nulls("action", ColumnType::kText, Dictionary({"ACCEPT", "REJECT"}), rows_);
    const int32_t rejected = CodeOf(*state, "rejected");
    for (size_t i = 0; i < rows_; ++i) {
      if (!state->is_null(i)) action.mutable32()[i] = state->i32[i] == rejected ? 1 : 0;
    }
    own_.push_back(&Keep(std::move(action)));
  }
}

const EventColumn* EventColumns::OfTable(std::string_view value) const {
  const auto same = [](char a, char b) { return a == (b == '-' ? '_' : b); };
  const auto at = std::find_if(own_.begin(), own_.end(), [&](const EventColumn* c) {
    return std::equal(c->name.begin(), c->name.end(), value.begin(), value.end(), same);
  });
  return at == own_.end() ? nullptr : *at;
}

// A copy of a column of the table, to be changed; nothing if there is none.
std::optional<EventColumn> EventColumns::Copy(std::string_view value) const {
  const EventColumn* const own = OfTable(value);
  return own == nullptr ? std::nullopt : std::optional(EventColumn::Like(*own, rows_));
}

const EventColumn* EventColumns::Find(std::string_view value) {
  const auto known = found_.find(value);
  if (known != found_.end()) return known->second;
  // A label of a computed value's name is not that value.
  std::optional<EventColumn> made = Compute(value);
  const EventColumn* out = made ? &Keep(*std::move(made)) : OfTable(value);
  if (out != nullptr && IsAllNull(*out)) out = nullptr;
  found_.emplace(value, out);
  return out;
}

std::optional<EventColumn> EventColumns::Compute(std::string_view value) {
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
  if (value == "bytes-out" || value == "packets-out") return Copy(sessions_ ? value : value.substr(0, value.find('-')));
  if (value == "reason") return Reason();
  if (value == "direction") return Direction();
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

EventColumn EventColumns::Direction() {
  const EventColumn* const direction = OfTable("flow-direction");
  std::vector<std::string> texts;
  if (direction != nullptr && direction->is_text()) texts = direction->texts();
  const auto none = static_cast<int32_t>(texts.size());
  EventColumn out = EventColumn::Nulls("direction", ColumnType::kText, nullptr, rows_);
  for (size_t i = 0; i < rows_; ++i) {
    const bool null = none == 0 || direction->is_null(i);
    out.mutable32()[i] = null ? none : direction->i32[i];
  }
  texts.emplace_back("none");
  out.values = Dictionary(std::move(texts));
  return out;
}

EventColumn EventColumns::Verdict() {
  EventColumn out = EventColumn::Nulls("verdict", ColumnType::kText,
                                       Dictionary({"ACCEPT", "REJECT", "OTHER", "-", "NODATA", "SKIPDATA"}), rows_);
  const auto codes = [&](const EventColumn* column, std::initializer_list<int32_t> known, int32_t other) {
    std::vector<int32_t> to;
    if (column == nullptr || !column->is_text()) return to;
    for (const std::string& text : column->texts()) {
      const int32_t code = CodeOf(out, text);
      to.push_back(std::find(known.begin(), known.end(), code) == known.end() ? other : code);
    }
    return to;
  };
  const EventColumn *const action = OfTable("action"), *const status = OfTable("log-status");
  const std::vector<int32_t> of_action = codes(action, {0, 1}, 2), of_status = codes(status, {4, 5}, kNullCode);
  for (size_t i = 0; i < rows_; ++i) {
    int32_t code = kNullCode;
    if (!of_status.empty() && status->i32[i] >= 0) code = of_status[static_cast<size_t>(status->i32[i])];
    if (!of_action.empty() && action->i32[i] >= 0) code = of_action[static_cast<size_t>(action->i32[i])];
    out.mutable32()[i] = code == kNullCode ? 3 : code;
  }
  return out;
}

std::optional<EventColumn> EventColumns::Reason() {
  const EventColumn* const status = OfTable("log-status");
  std::optional<EventColumn> out = status == nullptr ? std::nullopt : Copy("reject-reason");
  for (size_t i = 0; i < rows_ && out; ++i) {
    if (status->is_null(i)) out->set_null(i);
  }
  return out;
}

std::optional<EventColumn> EventColumns::Time(std::string_view first, std::string_view second) {
  EventColumn out = EventColumn::Nulls("time", ColumnType::kTime, nullptr, rows_);
  const EventColumn *const a = OfTable(first), *const b = OfTable(second);
  for (size_t i = 0; i < rows_; ++i) {
    const auto at = [&](const EventColumn* c) {
      return c != nullptr && c->type == ColumnType::kTime ? c->i64[i] : kNullInt64;
    };
    const int64_t time = at(a) != kNullInt64 ? at(a) : at(b);
    out.mutable64()[i] = time == kNullInt64 ? 0 : time;
  }
  return out;
}

std::optional<EventColumn> EventColumns::Duration() {
  const EventColumn *const start = OfTable("start"), *const end = OfTable("end");
  if (start == nullptr || end == nullptr || start->type != end->type || start->type != ColumnType::kTime)
    return std::nullopt;
  EventColumn out = EventColumn::Nulls("duration", ColumnType::kTime, nullptr, rows_);
  for (size_t i = 0; i < rows_; ++i) {
    if (!start->is_null(i) && !end->is_null(i) && end->i64[i] >= start->i64[i])
      out.mutable64()[i] = end->i64[i] - start->i64[i];
  }
  return out;
}

std::optional<EventColumn> EventColumns::PacketAddress(std::string_view side) {
  const std::string name = std::string(side) + "addr";
  const EventColumn *const own = OfTable(name), *const pkt = OfTable("pkt-" + name);
  if (own == nullptr || pkt == nullptr) return Copy(own != nullptr ? name : "pkt-" + name);
  EventColumn out = EventColumn::Like(*pkt, rows_);
  std::vector<size_t> others;
  for (size_t i = 0; i < rows_; ++i) {
    if (pkt->is_null(i) && !own->is_null(i)) others.push_back(i);
  }
  if (others.empty()) return out;
  TableColumn& both = dictionaries_.emplace_back();
  both.type = ColumnType::kAddress;
  both.addresses = pkt->values->addresses;
  const auto behind = static_cast<int32_t>(both.addresses.size());
  both.addresses.insert(both.addresses.end(), own->values->addresses.begin(), own->values->addresses.end());
  out.values = &both;
  for (const size_t i : others) out.mutable32()[i] = own->i32[i] + behind;
  return out;
}

// The interface's address, or the packet's, where both are there and differ.
std::optional<EventColumn> EventColumns::Nat(std::string_view side, bool packet) {
  const std::string name = std::string(side) + "addr";
  const EventColumn* const other = OfTable(packet ? name : "pkt-" + name);
  std::optional<EventColumn> out = other == nullptr ? std::nullopt : Copy(packet ? "pkt-" + name : name);
  for (size_t i = 0; i < rows_ && out; ++i) {
    if (!out->is_null(i) && (other->is_null(i) || out->address(i) == other->address(i))) out->set_null(i);
  }
  return out;
}

std::optional<EventColumn> EventColumns::OfVersion(std::string_view value, bool v4) {
  const EventColumn* const all = Find(value);
  if (all == nullptr) return std::nullopt;
  EventColumn out = EventColumn::Like(*all, rows_);
  for (size_t i = 0; i < rows_; ++i) {
    if (!out.is_null(i) && out.address(i).is_v4() != v4) out.set_null(i);
  }
  return out;
}

// What went that way: of a session its own figure, of records that of those of one direction.
std::optional<EventColumn> EventColumns::Carried(std::string_view what, std::string_view way, std::string_view end) {
  return sessions_ ? Copy(std::string(what) + std::string(way)) : AtEnd(what, end);
}

std::optional<EventColumn> EventColumns::AtEnd(std::string_view field, std::string_view end) {
  const EventColumn* const direction = OfTable("flow-direction");
  const bool known = direction != nullptr && direction->is_text(), device = end == "device";
  if (!known && !device) return EventColumn::Nulls(field, ColumnType::kText, nullptr, rows_);
  std::optional<EventColumn> out = Copy(field);
  if (!out || !known) return out;
  const int32_t egress = CodeOf(*direction, "egress"), ingress = CodeOf(*direction, "ingress");
  const int32_t here = end == "src" ? egress : ingress;
  std::vector<char> stands(direction->texts().size() + 1, device ? 1 : 0);  // by the direction, null first
  for (const int32_t code : {egress, ingress}) {
    if (code >= 0) stands[static_cast<size_t>(code + 1)] = !device && code == here;
  }
  const auto clear = [&](auto* values, auto null) {
    for (size_t i = 0; i < rows_; ++i) {
      if (!stands[static_cast<size_t>(direction->i32[i] + 1)]) values[i] = null;
    }
  };
  if (out->i64 != nullptr) {
    clear(out->mutable64(), kNullInt64);
  } else {
    clear(out->mutable32(), out->type == ColumnType::kInt32 ? kNullInt32 : kNullCode);
  }
  return out;
}

// Rows where a field is null and a reader would take another's value for it.
std::optional<EventColumn> EventColumns::Lacks(std::string_view field) {
  const std::string_view other = field == "start"            ? "end"
                                 : field.starts_with("pkt-") ? field.substr(4)
                                                             : std::string_view();
  const std::string name = other.empty() ? "pkt-" + std::string(field) : std::string(other);
  const EventColumn *const own = OfTable(field), *const read = OfTable(name);
  if (field != "start" && read == nullptr) return std::nullopt;
  EventColumn out = EventColumn::Nulls(field, ColumnType::kText, Dictionary({"-"}), rows_);
  for (size_t i = 0; i < rows_; ++i) {
    // Of times there is always one to be read.
    if ((own == nullptr || own->is_null(i)) && (field == "start" || !read->is_null(i))) out.mutable32()[i] = 0;
  }
  return out;
}

std::optional<EventColumn> EventColumns::Small(std::string_view field) {
  std::optional<EventColumn> out = Copy(field);
  if (!out || out->type != ColumnType::kTime) return std::nullopt;
  for (size_t i = 0; i < rows_; ++i) {
    if (!out->is_null(i) && out->i64[i] / kMillisecond > kLeastMillis) out->set_null(i);
  }
  return out;
}

std::optional<EventColumn> EventColumns::Marks(const std::vector<std::string>& values, bool where_none,
                                               const std::vector<std::string>& but_one_of) {
  const auto columns_of = [this](const std::vector<std::string>& names) {
    std::vector<const EventColumn*> out;
    for (const std::string& name : names) {
      if (const EventColumn* const column = Find(name)) out.push_back(column);
    }
    return out;
  };
  const std::vector<const EventColumn*> columns = columns_of(values), needed = columns_of(but_one_of);
  EventColumn out = EventColumn::Nulls("", ColumnType::kText, Dictionary({"-"}), rows_);
  for (size_t i = 0; i < rows_; ++i) {
    const auto there = [i](const EventColumn* column) { return !column->is_null(i); };
    const bool any = std::any_of(columns.begin(), columns.end(), there);
    if (any != where_none && (but_one_of.empty() || std::any_of(needed.begin(), needed.end(), there)))
      out.mutable32()[i] = 0;
  }
  return out;
}

std::vector<std::array<uint64_t, 2>> EventColumns::Ids() const {
  std::vector<Halves> out(rows_);
  if (sessions_) {
    // Both ends alike: their hashes are added, so that it does not matter who is the client.
    const auto end = [&](std::string_view address, std::string_view port) {
      const EventColumn *const a = OfTable(address), *const p = OfTable(port);
      for (size_t i = 0; i < rows_; ++i) {
        uint64_t hash = a == nullptr || a->is_null(i) ? 0 : SketchHash(a->address(i));
        if (p != nullptr && !p->is_null(i)) hash = SketchHash(hash + static_cast<uint64_t>(p->i32[i]) + 1);
        Mix(hash, &out[i]);
      }
    };
    end("srcaddr", "srcport");
    end("dstaddr", "dstport");
    for (const std::string_view name : {"protocol", "start"}) {
      if (const EventColumn* const column = OfTable(name)) MixColumn(*column, SketchHash(name), &out);
    }
  } else {
    for (const EventColumn* const column : own_) MixColumn(*column, SketchHash(column->name), &out);
    if (offset_ != nullptr) MixColumn(*offset_, SketchHash(std::string_view("offset of the line")), &out);
    std::vector<uint64_t> files;
    for (const std::string& name : file_ == nullptr ? std::vector<std::string>() : file_->texts())
      files.push_back(SketchHash(WithoutFolders(name)));
    for (size_t i = 0; i < rows_ && file_ != nullptr; ++i) {
      if (!file_->is_null(i)) Mix(files[static_cast<size_t>(file_->i32[i])], &out[i]);
    }
  }
  for (Halves& id : out) id = {SketchHash(id[0]), SketchHash(id[1])};
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
