// Records by their ends: which rows of a table are between hosts that somebody asks for.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "convert.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/result/table.h"

namespace vpcflow_python {
namespace {

using vpcflow::Ip;
using vpcflow::Table;
using vpcflow::TableColumn;

// Pairs of hosts, in either direction, and hosts whose every record is asked for. Hosts are numbered once, so that a row
// costs two look-ups of a number; columns of addresses are dictionaries.
class Ends {
 public:
  void Add(const std::string& one, const std::string& other) { pairs_.insert(PairOf(Number(one), Number(other))); }
  void Remove(const std::string& one, const std::string& other) { pairs_.erase(PairOf(Number(one), Number(other))); }
  void AddHost(const std::string& host) { hosts_.insert(Number(host)); }
  void RemoveHost(const std::string& host) { hosts_.erase(Number(host)); }

  // The rows whose ends are asked for; an end is that of the first column that has one.
  std::vector<size_t> Rows(const Table& table, const std::vector<std::string>& sources,
                           const std::vector<std::string>& targets) const {
    const std::vector<Column> from = ColumnsOf(table, sources), to = ColumnsOf(table, targets);
    std::vector<size_t> out;
    for (size_t row = 0; row < table.rows; ++row) {
      const uint32_t source = EndOf(from, row), target = EndOf(to, row);
      if ((source != kNobody && hosts_.contains(source)) || (target != kNobody && hosts_.contains(target)) ||
          (source != kNobody && target != kNobody && pairs_.contains(PairOf(source, target))))
        out.push_back(row);
    }
    return out;
  }

 private:
  static constexpr uint32_t kNobody = 0;  // who is not asked for
  struct Column {
    const TableColumn* column;
    std::vector<uint32_t> numbers;  // by entry of the dictionary
  };

  static uint64_t PairOf(uint32_t one, uint32_t other) {
    return uint64_t{std::min(one, other)} << 32 | std::max(one, other);
  }

  uint32_t Number(const std::string& host) {
    Ip ip;
    if (!vpcflow::ParseIp(host, &ip)) Raise("ArgumentError", "ends: no address: '" + vpcflow::ValidUtf8(host) + "'");
    return numbers_.emplace(std::pair(ip.hi, ip.lo), static_cast<uint32_t>(numbers_.size() + 1)).first->second;
  }

  std::vector<Column> ColumnsOf(const Table& table, const std::vector<std::string>& names) const {
    std::vector<Column> out;
    for (const std::string& name : names) {
      const std::optional<size_t> index = table.Find(name);
      if (!index || table.columns[*index].type != vpcflow::ColumnType::kAddress) continue;
      Column column{&table.columns[*index], {}};
      for (const Ip& address : column.column->addresses) {
        const auto known = numbers_.find(std::pair(address.hi, address.lo));
        column.numbers.push_back(known == numbers_.end() ? kNobody : known->second);
      }
      out.push_back(std::move(column));
    }
    return out;
  }

  static uint32_t EndOf(const std::vector<Column>& columns, size_t row) {
    for (const Column& column : columns)
      if (const int32_t code = column.column->i32[row]; code != vpcflow::kNullCode)
        return column.numbers[static_cast<size_t>(code)];
    return kNobody;
  }

  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, uint32_t> numbers_;  // from 1
  absl::flat_hash_set<uint64_t> pairs_;
  absl::flat_hash_set<uint32_t> hosts_;
};

}  // namespace

void BindEnds(py::module_& m) {
  py::class_<Ends>(m, "Ends")
      .def(py::init<>())
      .def("add", &Ends::Add, py::arg("one"), py::arg("other"))
      .def("remove", &Ends::Remove, py::arg("one"), py::arg("other"))
      .def("add_host", &Ends::AddHost, py::arg("host"))
      .def("remove_host", &Ends::RemoveHost, py::arg("host"))
      .def("rows", &Ends::Rows, py::arg("table"), py::arg("sources"), py::arg("targets"));
}

}  // namespace vpcflow_python
