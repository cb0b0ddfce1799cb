// Labels: names for values of a field, from a table in memory. With them a plan gets further columns, which are text
// and can be filtered by, grouped by and selected like fields.
//
// Example:
//   auto networks = std::make_shared<vpcflow::Labels>();
//   vpcflow::Cidr office, printers;
//   if (!vpcflow::ParseCidr("10.1.0.0/16", &office) || !vpcflow::ParseCidr("10.1.9.0/24", &printers)) return {};
//   networks->AddPrefix(office, "office");
//   networks->AddPrefix(printers, "office/printers");                  // the longest prefix wins
//   networks->Freeze();
//   spec.labels = {{"src-network", "srcaddr", networks}};
//   spec.by = {"src-network"};
//
// Labels can be of a time: an interface that belonged to one instance until noon and to another from then on has two
// labels, and a record gets the one that held at its start. Of several that hold the one that was added last wins; of
// prefixes first the longest one.
//
// Filled by one thread; frozen, looked up by any number, and no longer added to.
#ifndef VPCFLOW_ENRICH_LABELS_H_
#define VPCFLOW_ENRICH_LABELS_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// From `from` on, before `until`; Unix seconds.
struct LabelValidity {
  int64_t from = std::numeric_limits<int64_t>::min();
  int64_t until = std::numeric_limits<int64_t>::max();
};

class Labels {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  using Validity = LabelValidity;

  void AddPrefix(const Cidr& prefix, std::string_view label, Validity validity = {});
  void AddText(std::string_view value, std::string_view label, Validity validity = {});
  void AddNumber(int64_t value, std::string_view label, Validity validity = {});
  // Ends adding: must come before the first lookup, and nothing may be added after it; a plan takes frozen ones only.
  // O(entries log entries).
  void Freeze();
  bool frozen() const { return frozen_; }

  // Returns the number of the label of a value at a time, or kNone. O(log prefixes) for addresses, else expected O(1),
  // and the number of labels that the value has at different times.
  uint32_t OfAddress(const Ip& address, int64_t time) const;
  uint32_t OfText(std::string_view value, int64_t time) const;
  uint32_t OfNumber(int64_t value, int64_t time) const;
  const std::string& label(uint32_t number) const& { return labels_[number]; }
  const std::string& label(uint32_t number) const&& = delete;
  size_t label_count() const { return labels_.size(); }
  // Returns whether any label is of a time.
  bool timed() const { return timed_; }
  size_t size() const { return entries_; }

 private:
  struct Entry {
    uint32_t label;
    Validity validity;
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // Addresses [first, first of the next) share the entries from `begin` on.
  struct Range {
    Ip first;
    std::vector<Entry> entries;  // the ones that win come last
  };

  uint32_t Number(std::string_view label);
  void Note(const Validity& validity);
  static uint32_t At(const std::vector<Entry>& entries, int64_t time);

  std::vector<std::string> labels_;
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<std::pair<Cidr, Entry>> prefixes_;  // until Freeze
  std::vector<Range> ranges_;                     // then
  std::unordered_map<std::string, std::vector<Entry>, TextHash, std::equal_to<>> texts_;
  std::unordered_map<int64_t, std::vector<Entry>> numbered_;
  bool timed_ = false;
  bool frozen_ = false;
  size_t entries_ = 0;
};

class RecordLabels;  // record_labels.h

// A column of labels: `name` is its name, `field` the field it looks up; or `record`, which looks at several.
struct LabelColumn {
  std::string name{};
  std::string field{};
  std::shared_ptr<const Labels> labels{};
  std::shared_ptr<const RecordLabels> record{};
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_ENRICH_LABELS_H_
