// Queries of Route 53 Resolver, requests that WAF judged, and lines of load balancers' access logs.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "src/container/csv_row.h"
#include "src/events/event_maker.h"
#include "src/events/path_index.h"
#include "vpcflow/events/event_map.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

bool IsFraction(const Element& value) { return value.type() == simdjson::dom::element_type::DOUBLE; }

// The key of what has no id: deliveries of the same bytes are one event, others of the same second are not.
std::string KeyOf(int64_t time, const std::string& digest) { return absl::StrCat(time, "-", digest); }

class Dns final : public EventMaker {
 public:
  Dns() {
    source_ = "dns";
    kind_ = "query";
  }

  bool Begin(const Element& document) override {
    index_.Find(document);
    const Element* time = index_.value(time_at_);
    const Element* name = index_.value(name_at_);
    if (time == nullptr || name == nullptr || !name->is_string() || !TimeOf(*time, &time_)) return false;
    end_ = time_;
    document_ = document;
    return true;
  }

  void Rows(std::string_view /*place*/, Take take) override {
    addresses_.clear();
    if (const Element* answers = index_.value(answers_at_)) {
      for (const Element& answer : ItemsIn(*answers)) {
        const std::string_view address = Text(Member(answer, "Rdata"));
        if (IsAddress(address) && std::find(addresses_.begin(), addresses_.end(), address) == addresses_.end())
          addresses_.push_back(address);
      }
    }
    const std::string_view action = Text(index_.value(attrs_[kAction].second));
    const std::string key = KeyOf(time_, DigestOf(document_));
    for (size_t i = 0; i < std::max<size_t>(addresses_.size(), 1); ++i) {
      row_.Clear();
      row_.severity = i == 0 && (action == "BLOCK" || action == "ALERT") ? "medium" : "";
      row_.key = i == 0 ? key : absl::StrCat(key, "/", i);
      row_.AddEntity(index_.value(instance_at_));
      row_.AddEntity(index_.value(attrs_[kAddress].second));
      AddName();
      for (const auto& [name, path] : attrs_) {
        const Element* value = index_.value(path);
        if (value != nullptr && !IsFraction(*value)) row_.AddAttr(name, value);
      }
      if (!addresses_.empty()) {
        row_.AddEntity(addresses_[i]);
        row_.AddText("answer", addresses_[i]);
      }
      take(row_, i == 0);
    }
  }

 private:
  static constexpr size_t kAction = 2, kAddress = 4;

  // Names are the same in any case, and with the dot of the root.
  void AddName() {
    std::string name = Lower(Text(index_.value(name_at_)));
    name.resize(name.find_last_not_of('.') + 1);
    row_.AddText("query_name", name.empty() ? "." : name);
  }

  PathIndex index_;
  size_t time_at_ = index_.Add("query_timestamp"), name_at_ = index_.Add("query_name");
  size_t answers_at_ = index_.Add("answers"), instance_at_ = index_.Add("srcids.instance");
  std::array<std::pair<std::string_view, size_t>, 7> attrs_ = {
      {{"query_type", index_.Add("query_type")},
       {"rcode", index_.Add("rcode")},
       {"firewall_rule_action", index_.Add("firewall_rule_action")},
       {"vpc_id", index_.Add("vpc_id")},
       {"srcaddr", index_.Add("srcaddr")},
       {"account_id", index_.Add("account_id")},
       {"region", index_.Add("region")}}};
  std::vector<std::string_view> addresses_;
  Element document_;
};

class Waf final : public EventMaker {
 public:
  Waf() {
    source_ = "waf";
    kind_ = "request";
  }

  bool Begin(const Element& document) override {
    index_.Find(document);
    const Element *time = index_.value(time_at_), *asked = index_.value(asked_at_), *action = index_.value(action_at_);
    if (time == nullptr || asked == nullptr || !asked->is_object() || action == nullptr || !action->is_string())
      return false;
    if (!TimeOf(*time, &time_)) return false;
    end_ = time_;
    document_ = document;
    return true;
  }

  void Rows(std::string_view /*place*/, Take take) override {
    std::optional<Element> host, agent;
    if (const Element* headers = index_.value(headers_at_)) {
      for (const Element& header : ItemsIn(*headers)) {
        const std::string name = Lower(Text(Member(header, "name")));
        if (name == "host") host = Member(header, "value");
        if (name == "user-agent") agent = Member(header, "value");
      }
    }
    row_.Clear();
    row_.key = KeyOf(time_, DigestOf(document_));
    if (const std::string_view client = Text(index_.value(client_at_)); IsAddress(client)) row_.AddEntity(client);
    Add("client", index_.value(client_at_));
    Add("action", index_.value(action_at_));
    for (const auto& [name, path] : attrs_) Add(name, index_.value(path));
    Add("host", host && Counts(*host) ? &*host : index_.value(host_at_));
    Add("userAgent", agent ? &*agent : nullptr);
    take(row_, true);
  }

 private:
  void Add(std::string_view name, const Element* value) {
    if (value == nullptr || IsFraction(*value) || (value->is_string() && (Text(value).empty() || Text(value) == "-")))
      return;
    row_.AddAttr(name, value);
  }

  PathIndex index_;
  size_t time_at_ = index_.Add("timestamp"), action_at_ = index_.Add("action"), asked_at_ = index_.Add("httpRequest");
  size_t client_at_ = index_.Add("httpRequest.clientIp"), headers_at_ = index_.Add("httpRequest.headers");
  size_t host_at_ = index_.Add("httpRequest.host");
  std::array<std::pair<std::string_view, size_t>, 6> attrs_ = {{{"ruleId", index_.Add("terminatingRuleId")},
                                                                {"country", index_.Add("httpRequest.country")},
                                                                {"method", index_.Add("httpRequest.httpMethod")},
                                                                {"request", index_.Add("httpRequest.uri")},
                                                                {"webacl", index_.Add("webaclId")},
                                                                {"elb", index_.Add("httpSourceId")}}};
  Element document_;
};

// The address of `address:port`.
std::string_view HostOf(std::string_view text) {
  const size_t colon = text.rfind(':');
  text = text.substr(0, colon == text.npos ? 0 : colon);
  while (text.starts_with('[') || text.starts_with(']')) text.remove_prefix(1);
  while (text.ends_with('[') || text.ends_with(']')) text.remove_suffix(1);
  return text;
}

std::optional<int64_t> TimeIn(std::string_view text) {
  int64_t time;
  return ParseEventTime(text, &time) ? std::optional(time) : std::nullopt;
}

std::optional<int64_t> NumberIn(std::string_view text) {
  constexpr size_t kMost = 18;
  int64_t number = 0;
  if (text.empty() || text.size() > kMost || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A line of an access log.
class AccessLog : public EventMaker {
 public:
  explicit AccessLog(std::string_view source) {
    source_ = source;
    kind_ = "request";
    cells_.SetSeparator(' ');
  }

  bool BeginLine(std::string_view line) final {
    if (!cells_.Split(line) || !BeginCells(cells_.cells())) return false;
    line_ = line;
    end_ = std::max(time_, end_);
    return true;
  }

  void Rows(std::string_view /*place*/, Take take) final {
    row_.Clear();
    row_.key = KeyOf(time_, DigestOf(line_));
    Fill(cells_.cells());
    take(row_, true);
  }

 protected:
  using Cells = std::vector<std::string_view>;

  virtual bool BeginCells(const Cells& cells) = 0;
  virtual void Fill(const Cells& cells) = 0;

  void AddEnds(std::string_view client, std::string_view target) {
    for (const auto& [name, host] : {std::pair("client", HostOf(client)), std::pair("target", HostOf(target))}) {
      if (IsAddress(host)) row_.AddEntity(host);
      Add(name, host);
    }
  }
  void Add(std::string_view name, std::string_view cell) {
    if (cell != "-") row_.AddText(name, cell);
  }
  void AddRequest(std::string_view request) {
    Add("request", request);
    Add("method", request.substr(0, request.find(' ')));
  }

 private:
  CsvRow cells_;
  std::string_view line_;
};

class Alb final : public AccessLog {
 public:
  Alb() : AccessLog("alb") {}

 private:
  bool BeginCells(const Cells& cells) override {
    constexpr std::string_view kTypes[] = {"http", "https", "h2", "grpcs", "ws", "wss"};
    if (cells.size() < 22 || std::find(std::begin(kTypes), std::end(kTypes), cells[0]) == std::end(kTypes))
      return false;
    // When the request came; the first time is that of the answer.
    const std::optional<int64_t> begun = TimeIn(cells[21]), answered = TimeIn(cells[1]);
    const std::optional<int64_t> time = begun ? begun : answered;
    time_ = time.value_or(0);
    end_ = answered.value_or(time_);
    return time.has_value();
  }
  void Fill(const Cells& cells) override {
    AddEnds(cells[3], cells[4]);
    Add("status", cells[8]);
    Add("target_status", cells[9]);
    AddRequest(cells[12]);
    Add("elb", cells[2]);
    Add("userAgent", cells[13]);
  }
};

// TLS connections, which have no status; the first time is that of their end.
class Nlb final : public AccessLog {
 public:
  Nlb() : AccessLog("nlb") {}

 private:
  static constexpr size_t kBegun = 21;

  bool BeginCells(const Cells& cells) override {
    constexpr size_t kMostDigits = 11;
    if (cells.size() < 15 || cells[0] != "tls") return false;
    const std::optional<int64_t> end = TimeIn(cells[2]);
    if (!end) return false;
    const std::optional<int64_t> lasted = cells[7].size() <= kMostDigits ? NumberIn(cells[7]) : std::nullopt;
    const std::optional<int64_t> begun = cells.size() > kBegun ? TimeIn(cells[kBegun]) : std::nullopt;
    end_ = *end;
    time_ = std::min(begun.value_or(std::max<int64_t>(end_ - lasted.value_or(0) / 1000, 0)), end_);
    return true;
  }
  void Fill(const Cells& cells) override {
    AddEnds(cells[5], cells[6]);
    Add("elb", cells[3]);
    Add("listener", cells[4]);
    if (cells.size() > 15) Add("tls_version", cells[15]);
    if (cells.size() > 17) Add("host", cells[17]);
    if (const auto received = NumberIn(cells[9])) row_.AddNumber("received", *received);
    if (const auto sent = NumberIn(cells[10])) row_.AddNumber("sent", *sent);
  }
};

// Classic load balancers; older lines have no agent and no TLS.
class Clb final : public AccessLog {
 public:
  Clb() : AccessLog("clb") {}

 private:
  bool BeginCells(const Cells& cells) override {
    if (cells.size() < 12 || !IsAddress(HostOf(cells[2]))) return false;
    const std::optional<int64_t> time = TimeIn(cells[0]);
    time_ = end_ = time.value_or(0);
    return time.has_value();
  }
  void Fill(const Cells& cells) override {
    AddEnds(cells[2], cells[3]);
    Add("status", cells[7]);
    Add("target_status", cells[8]);
    if (const auto received = NumberIn(cells[9])) row_.AddNumber("received", *received);
    if (const auto sent = NumberIn(cells[10])) row_.AddNumber("sent", *sent);
    if (cells[11] != "- - - ") AddRequest(cells[11]);  // a listener of TCP
    Add("elb", cells[1]);
    if (cells.size() > 12) Add("userAgent", cells[12]);
    if (cells.size() > 14) Add("tls_version", cells[14]);
  }
};

}  // namespace

std::unique_ptr<EventMaker> MakeDns() { return std::make_unique<Dns>(); }
std::unique_ptr<EventMaker> MakeWaf() { return std::make_unique<Waf>(); }
std::unique_ptr<EventMaker> MakeAlb() { return std::make_unique<Alb>(); }
std::unique_ptr<EventMaker> MakeNlb() { return std::make_unique<Nlb>(); }
std::unique_ptr<EventMaker> MakeClb() { return std::make_unique<Clb>(); }

}  // namespace internal
VPCFLOW_NAMESPACE_END
