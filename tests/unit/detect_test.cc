#include <cmath>
#include <map>
#include <random>
#include <set>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vpcflow_testing::kHeader;

// A record of one side of a conversation.
std::string Says(const std::string& from, int from_port, const std::string& to, int to_port, int packets, int64_t bytes,
                 int64_t start, const std::string& action = "ACCEPT") {
  return "2 1 eni-1 " + from + " " + to + " " + std::to_string(from_port) + " " + std::to_string(to_port) + " 6 " +
         std::to_string(packets) + " " + std::to_string(bytes) + " " + std::to_string(start) + " " +
         std::to_string(start + 5) + " " + action + " OK\n";
}

Table SessionsOf(const std::string& log) {
  PlanSpec spec;
  spec.sessions.emplace();
  return Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
}

Result ResultOf(const std::vector<Source>& sources) {
  PlanSpec spec;
  spec.sessions = SessionSpec();
  return *Plan::Make(spec)->Run(sources, {});
}

// A scan of 60 ports, of which one answers, and a log in to it.
std::string Attack(const std::string& from) {
  std::string log;
  for (int i = 0; i < 60; ++i) log += Says(from, 40'000 + i, "10.0.0.9", 1 + i, 1, 40, 1000 + i, "REJECT");
  log += Says(from, 41'000, "10.0.0.9", 22, 20, 5000, 1100) + Says("10.0.0.9", 22, from, 41'000, 20, 5000, 1100);
  return log;
}

std::vector<Finding> FindIn(Detection* detection, std::string_view name) {
  absl::StatusOr<std::vector<Finding>> found = detection->Find(name);
  EXPECT_TRUE(found.ok()) << found.status();
  return *std::move(found);
}

std::string Told(Detection* detection) {
  std::string out;
  for (const DetectorInfo* detector : Detectors()) {
    for (const Finding& f : detection->Find(*detector)) {
      out += f.sentence + " " + std::to_string(f.score) + " " + std::to_string(f.evidence.size()) + "\n";
    }
  }
  return out;
}

TEST(Detect, AScanAndWhatItFound) {
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(SessionsOf(kHeader + Attack("198.51.100.7"))).ok());
  EXPECT_EQ(detection.sessions(), 61u);
  const std::vector<Finding> scans = FindIn(&detection, "port_scan");
  ASSERT_THAT(scans, SizeIs(1));
  EXPECT_EQ(scans[0].detector, "port_scan");
  EXPECT_EQ(scans[0].severity, Severity::kHigh);  // somebody answered
  EXPECT_EQ(ToString(scans[0].actor), "198.51.100.7");
  ASSERT_THAT(scans[0].targets, SizeIs(1));
  EXPECT_EQ(scans[0].start, 1000);
  EXPECT_EQ(scans[0].score, 0.792);              // 1 - 25 / 60 / 2
  EXPECT_EQ(scans[0].confidence, std::nullopt);  // none that was not measured
  EXPECT_EQ(
      scans[0].sentence,
      "198.51.100.7 tried 60 ports of 10.0.0.9, which answered on 22, 1970-01-01 00:16:40 to 1970-01-01 00:18:25 UTC");
  std::map<std::string_view, Evidence> evidence(scans[0].evidence.begin(), scans[0].evidence.end());
  EXPECT_EQ(std::get<int64_t>(evidence["ports"]), 60);
  EXPECT_THAT(std::get<std::vector<int64_t>>(evidence["answered_ports"]), ElementsAre(22));
  ASSERT_THAT(FindIn(&detection, "accepted_after_reject"), SizeIs(1));
  EXPECT_THAT(FindIn(&detection, "unauthorised_access"), SizeIs(1));
  EXPECT_THAT(FindIn(&detection, "beacon"), IsEmpty());
}

TEST(Detect, PartsInAnyOrderAndMergedAreTheSame) {
  std::vector<Table> parts;
  std::string all = kHeader;
  for (int i = 0; i < 6; ++i) {
    const std::string log = Attack("198.51.100." + std::to_string(i));
    parts.push_back(SessionsOf(kHeader + log));
    all += log;
  }
  const auto over = [&](std::initializer_list<size_t> order) {
    Detection out = *Detection::Make({});
    for (const size_t i : order) EXPECT_TRUE(out.Add(parts[i]).ok());
    return out;
  };
  Detection whole = *Detection::Make({});
  ASSERT_TRUE(whole.Add(SessionsOf(all)).ok());
  const std::string told = Told(&whole);
  EXPECT_THAT(told, HasSubstr("198.51.100.5 tried 60 ports"));
  Detection forwards = over({0, 1, 2, 3, 4, 5}), backwards = over({5, 4, 3, 2, 1, 0});
  EXPECT_EQ(Told(&forwards), told);
  EXPECT_EQ(Told(&backwards), told);
  Detection left = over({4, 1}), right = over({0, 5, 2, 3});
  EXPECT_NE(Told(&left), told);  // and asking does not change what is merged
  ASSERT_TRUE(left.Merge(right).ok());
  EXPECT_EQ(Told(&left), told);
}

TEST(Detect, SessionsInAnyOrder) {
  std::string log = kHeader;
  for (int i = 9; i > 0; --i) log += Attack("198.51.100." + std::to_string(i));
  PlanSpec spec;
  spec.sessions.emplace();
  spec.sessions->ordered = false;
  Table table = Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
  Table ordered = SessionsOf(log);
  Detection any = *Detection::Make({}), in_order = *Detection::Make({});
  ASSERT_TRUE(any.Add(table).ok() && in_order.Add(ordered).ok());
  EXPECT_EQ(Told(&any), Told(&in_order));
  const std::vector<SortKey> all = {{"client"}, {"client_port"}, {"server"}, {"server_port"}, {"start"}};
  SortTable(&table, all);
  SortTable(&ordered, all);
  for (size_t row = 0; row < ordered.rows; ++row) {
    for (const char* name : {"start", "end", "client_bytes", "server_packets"})
      EXPECT_EQ(table.columns[*table.Find(name)].i64[row], ordered.columns[*ordered.Find(name)].i64[row]);
    EXPECT_EQ(table.columns[*table.Find("server_port")].i32[row],
              ordered.columns[*ordered.Find("server_port")].i32[row]);
  }
}

TEST(Detect, WhatIsNewNeedsABaseline) {
  const auto talk = [](const std::string& to, int64_t start) {
    return Says("10.0.0.4", 41'000, to, 22, 20, 5000, start) + Says(to, 22, "10.0.0.4", 41'000, 20, 5000, start);
  };
  const Table today = SessionsOf(kHeader + talk("10.0.0.9", 1000) + talk("10.0.0.10", 1000));
  const auto past_of = [](const std::string& log) {
    PlanSpec spec;
    spec.by = {"srcaddr", "dstaddr", "dstport"};
    spec.aggs = {{"n", "count()"}};
    return Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
  };
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(today).ok());
  EXPECT_THAT(FindIn(&detection, "new_admin_edge"), IsEmpty());
  ASSERT_TRUE(detection.AddBaseline(past_of(kHeader + talk("10.0.0.9", 10))).ok());
  const std::vector<Finding> found = FindIn(&detection, "new_admin_edge");
  ASSERT_THAT(found, SizeIs(1));
  ASSERT_THAT(found[0].targets, SizeIs(1));
  EXPECT_EQ(ToString(found[0].targets[0]), "10.0.0.10");
  Detection past = *Detection::Make({});
  ASSERT_TRUE(past.AddBaseline(past_of(kHeader + talk("10.0.0.10", 10))).ok());
  ASSERT_TRUE(detection.Merge(past).ok());
  EXPECT_THAT(FindIn(&detection, "new_admin_edge"), IsEmpty());
}

// A past of parts has the sessions of all of them.
TEST(Detect, HabitsOfManyParts) {
  const auto past_of = [](int sessions, int32_t protocol, int32_t port) {
    std::string log = "srcaddr dstaddr dstport protocol\n";
    for (int i = 0; i < sessions; ++i)
      log += "10.0.0.4 198.51.100.7 " + std::to_string(port) + " " + std::to_string(protocol) + "\n";
    PlanSpec spec;
    spec.by = {"srcaddr", "dstaddr", "dstport", "protocol"};
    spec.aggs = {{"n", "count()"}};
    return Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
  };
  const Table today = SessionsOf(kHeader + Says("10.0.0.4", 41'000, "203.0.113.9", 6667, 20, 5000, 1000) +
                                 Says("203.0.113.9", 6667, "10.0.0.4", 41'000, 20, 5000, 1000));
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(today).ok() && detection.AddBaseline(past_of(60, 17, 443)).ok());
  for (const char* detector : {"new_port", "new_protocol", "new_destination"})
    EXPECT_THAT(FindIn(&detection, detector), IsEmpty());  // one of 61 sessions might be new
  Detection other = *Detection::Make({});
  ASSERT_TRUE(other.AddBaseline(past_of(60, 17, 443)).ok() && detection.Merge(other).ok());
  EXPECT_THAT(FindIn(&detection, "new_port").at(0).sentence,
              HasSubstr("used port 6667 of outside hosts (203.0.113.9) for the first time in 120 sessions"));
  EXPECT_THAT(FindIn(&detection, "new_protocol").at(0).sentence, HasSubstr("used protocol 6 (203.0.113.9)"));
  EXPECT_THAT(FindIn(&detection, "new_destination").at(0).sentence,
              HasSubstr("talked to 203.0.113.9 at port 6667 for the"));
  // Two of 123 sessions came alone: three of 123 might be new.
  ASSERT_TRUE(detection.AddBaseline(past_of(1, 47, 80)).ok() && detection.AddBaseline(past_of(1, 50, 25)).ok());
  EXPECT_THAT(FindIn(&detection, "new_port"), IsEmpty());
  EXPECT_THAT(FindIn(&detection, "new_protocol"), IsEmpty());
  EXPECT_THAT(FindIn(&detection, "new_destination"), SizeIs(1));
}

TEST(Detect, ListsOfAnyLength) {
  Prefixes inside, bad;
  for (int i = 0; i < 100'000; ++i) {
    inside.push_back(ToString(Ip::V4(0xC0000200u + static_cast<uint32_t>(i) * 2)));
    bad.push_back(ToString(Ip::V4(0x2D000000u + static_cast<uint32_t>(i) * 2)));
  }
  DetectSettings settings;
  settings.Set("inside", std::move(inside)).Set("bad", std::move(bad));
  const auto talk = [](const std::string& from, const std::string& to) {
    return Says(from, 41'000, to, 443, 20, 5000, 1000) + Says(to, 443, from, 41'000, 20, 5000, 1000);
  };
  Detection detection = *Detection::Make(settings);
  ASSERT_TRUE(detection.Add(SessionsOf(kHeader + talk("192.0.2.4", "45.0.0.4") + talk("192.0.2.4", "45.0.0.5"))).ok());
  const std::vector<Finding> found = FindIn(&detection, "known_bad");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].sentence,
            "192.0.2.4 talked to 45.0.0.4, which is listed, at port 443, 1 time, "
            "1970-01-01 00:16:40 to 1970-01-01 00:16:45 UTC");
}

TEST(Detect, Mistakes) {
  DetectSettings settings;
  settings.Set("admin_sources", Prefixes{"10.0.0.1/8"});
  EXPECT_THAT(Detection::Make(settings).status().message(), HasSubstr("did you mean 10.0.0.0/8?"));
  settings.Set("admin_sources", Prefixes{"the office"});
  EXPECT_THAT(Detection::Make(settings).status().message(), HasSubstr("'the office' is no address and no prefix"));
  Detection detection = *Detection::Make({});
  EXPECT_THAT(detection.Add(Table()).message(),
              HasSubstr("a table of sessions is needed; this one has no column client"));
  EXPECT_THAT(detection.AddBaseline(Table()).message(), HasSubstr("no column srcaddr"));
  settings = {};
  settings.max_memory = 1000;
  Detection small = *Detection::Make(settings);
  EXPECT_EQ(small.Add(SessionsOf(kHeader + Attack("198.51.100.7"))).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetectorNamed("beacon")->name, "beacon");
  EXPECT_EQ(DetectorNamed("beacons"), nullptr);
  EXPECT_THAT(detection.Find("beacons").status().message(), HasSubstr("did you mean 'beacon'?"));
}

TEST(Detect, SettingsByName) {
  const auto message = [](const DetectSettings& settings) {
    return std::string(Detection::Make(settings).status().message());
  };
  EXPECT_EQ(message({.values = {{"scan_port", 3}}}), "detect: no setting 'scan_port'; did you mean 'scan_ports'?");
  EXPECT_EQ(message({.values = {{"scan_ports", Prefixes{"3"}}}}),
            "detect: scan_ports: a value of type integer is needed, not prefixes");
  EXPECT_EQ(message({.values = {{"scan_failed", 1}}}), "");  // a whole number is a number
  Detection fewer = *Detection::Make({.values = {{"scan_ports", 61}, {"scan_hosts", 61}}});
  ASSERT_TRUE(fewer.Add(SessionsOf(kHeader + Attack("198.51.100.7"))).ok());
  EXPECT_THAT(FindIn(&fewer, "port_scan"), IsEmpty());
  EXPECT_THAT(fewer.SetLabels("scan_ports", {}).message(), HasSubstr("no setting of labels: 'scan_ports'"));
  std::set<std::string_view> names;
  for (const DetectorInfo* detector : Detectors()) {
    for (const SettingInfo* setting : detector->settings) {
      names.insert(setting->name);
      EXPECT_THAT(setting->meaning, testing::Not(testing::IsEmpty())) << setting->name;
      EXPECT_EQ(DefaultOf(*setting).index(), static_cast<size_t>(setting->type)) << setting->name;
    }
  }
  EXPECT_THAT(names, testing::Contains("new_chance"));  // of three detectors
}

// What a format hides is said of each source: without ports nobody sees a scan.
TEST(Detect, CoverageOfAllFormats) {
  const auto coverage_of = [](const Detection& detection, std::string_view name) {
    for (const DetectorCoverage& coverage : detection.Coverage()) {
      if (coverage.detector == name) return coverage;
    }
    ADD_FAILURE() << name;
    return DetectorCoverage();
  };
  Detection detection = *Detection::Make({}), other = *Detection::Make({});
  EXPECT_EQ(coverage_of(detection, "port_scan").sources, 0u);  // no format is known
  PlanSpec spec;
  spec.sessions.emplace();
  const std::string all = kHeader + Attack("198.51.100.7");
  ASSERT_TRUE(detection.Add(*Plan::Make(spec)->Run({Source::Bytes("all", std::string_view(all))}, {})).ok());
  EXPECT_EQ(coverage_of(detection, "unauthorised_access").verdict, Verdict::kExact);
  EXPECT_EQ(coverage_of(detection, "port_scan").losses.at(0).field, Field::kTcpFlags);
  other.AddFormats({{"${srcaddr} ${dstaddr} ${protocol} ${packets} ${bytes} ${start} ${end} ${my-column}", 2}});
  const DetectorCoverage blind = coverage_of(other, "unauthorised_access");
  EXPECT_EQ(blind.verdict, Verdict::kImpossible);
  EXPECT_EQ(blind.losses.at(0).field, Field::kDstPort);
  EXPECT_TRUE(blind.losses.at(0).essential);
  ASSERT_TRUE(detection.Merge(other).ok());
  const DetectorCoverage partly = coverage_of(detection, "unauthorised_access");
  EXPECT_EQ(partly.verdict, Verdict::kDegraded);
  EXPECT_EQ(partly.sources, 3u);
  EXPECT_EQ(partly.blind, 2u);
}

// A field that is null in every record of a source shows no more than one that the format lacks.
TEST(Detect, CoverageOfFieldsWithoutValues) {
  const std::string blind =
      "srcaddr dstaddr dstport packets start end\n10.0.0.1 10.0.0.2 - 3 0 60\n10.0.0.1 10.0.0.3 - 3 0 60\n";
  const std::string header = "srcaddr dstaddr dstport packets start end\n";
  const Result result =
      ResultOf({Source::Bytes("blind", std::string_view(blind)), Source::Bytes("header", std::string_view(header))});
  EXPECT_EQ(result.report.shown, (std::map<std::string, uint64_t>{{"srcaddr dstaddr start end -dstport packets", 1}}));
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(result).ok());
  for (const DetectorCoverage& coverage : detection.Coverage()) {
    if (coverage.detector != "unauthorised_access") continue;
    EXPECT_EQ(coverage.verdict, Verdict::kImpossible);
    EXPECT_EQ(coverage.sources, 1u);
    EXPECT_EQ(coverage.losses.at(0).field, Field::kDstPort);
    EXPECT_EQ(coverage.losses.at(0).null, 1u);
    EXPECT_FALSE(coverage.unknown);
  }
}

TEST(Detect, SettingsHaveRanges) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, SettingValue>>{{"scan_failed", 2.0},
                                                                                     {"scan_failed", std::nan("")},
                                                                                     {"scan_ports", int64_t{0}},
                                                                                     {"exfil_bytes", int64_t{-1}}}) {
    DetectSettings settings;
    settings.Set(name, value);
    EXPECT_EQ(Detection::Make(settings).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  for (const SettingInfo* setting : Detectors()[0]->settings) EXPECT_LE(setting->least(), setting->most());
}

TEST(Detect, EachRowIsWhole) {
  std::vector<std::string_view> names;
  for (const DetectorInfo* detector : Detectors()) {
    names.push_back(detector->name);
    EXPECT_THAT(std::string(detector->technique), testing::MatchesRegex("T1[0-9][0-9][0-9]")) << detector->name;
    for (const std::string_view text : {detector->meaning, detector->method, detector->misses})
      EXPECT_GT(text.size(), 10u);
    for (const std::string_view field : {"srcaddr", "dstaddr", "start"}) {
      const Capability none = CapabilityOf(detector->analysis(), Format());
      EXPECT_THAT(none.lacks, testing::Contains(*FindField(field))) << detector->name;
    }
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(Analyses().size(), std::size(kAnalyses) + names.size());
  EXPECT_EQ(SeverityName(Severity::kLow), "low");
}

TEST(Detect, ServicesOfAws) {
  const std::string log = kHeader + Says("10.0.0.4", 41'000, "203.0.113.9", 443, 1'000'000, 3'000'000'000, 1000);
  const auto services = std::make_shared<Labels>();
  Cidr cidr;
  ASSERT_TRUE(ParseCidr("203.0.113.0/24", &cidr));
  services->AddPrefix(cidr, "S3");
  services->Freeze();
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(SessionsOf(log)).ok());
  EXPECT_EQ(FindIn(&detection, "exfiltration").at(0).severity, Severity::kHigh);
  ASSERT_TRUE(detection.SetLabels("aws_ranges", {services, {}, false}).ok());
  const Finding found = FindIn(&detection, "exfiltration").at(0);
  EXPECT_EQ(found.severity, Severity::kLow);
  EXPECT_THAT(found.sentence, HasSubstr("sent 3.0 GB to 203.0.113.9, which sent 0.00 GB, an address of AWS's S3, "));
}

TEST(Detect, S3IsKnownByItsAddresses) {
  const auto severity_of = [](const std::string& to) {
    Detection detection = *Detection::Make({});
    EXPECT_TRUE(
        detection.Add(SessionsOf(kHeader + Says("10.0.0.4", 41'000, to, 443, 1'000'000, 3'000'000'000, 1000))).ok());
    return FindIn(&detection, "exfiltration").at(0).severity;
  };
  EXPECT_EQ(severity_of("52.216.1.1"), Severity::kLow);
  EXPECT_EQ(severity_of("2600:1fa0:8000::1"), Severity::kLow);
  EXPECT_EQ(severity_of("203.0.113.9"), Severity::kHigh);
  EXPECT_GT(AwsS3Prefixes().size(), 300u);
  EXPECT_THAT(std::string(AwsDay()), testing::MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]"));
  EXPECT_EQ(AwsS3()->size(), AwsS3Prefixes().size());
}

// A log made to hurt: one source, very many large uploads, very many ports and hosts.
TEST(Detect, ManyOfEverythingTakeNoLongerThanTheyMust) {
  std::string log = kHeader;
  for (int i = 0; i < 60'000; ++i) {
    const std::string peer =
        "203." + std::to_string(i / 65'536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
    log += Says("10.0.0.4", 41'000, peer, 1 + i % 60'000, 1, int64_t{1} << 40, 1000 + i);
  }
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(SessionsOf(log)).ok());
  EXPECT_THAT(FindIn(&detection, "exfiltration"), SizeIs(60'000));
  EXPECT_THAT(FindIn(&detection, "port_scan"), SizeIs(1));
}

// Totals of numbers as large as logs can have: none wraps.
TEST(Detect, HugeNumbers) {
  std::string log = kHeader;
  for (int i = 0; i < 8; ++i) {
    log += Says("10.0.0.4", 41'000 + i, "203.0.113.9", 53, 2'000'000'000, int64_t{1} << 62, 1000 + i);
    log += Says("203.0.113.9", 53, "10.0.0.4", 41'000 + i, 1, 40, 1000 + i);
  }
  Detection detection = *Detection::Make({});
  ASSERT_TRUE(detection.Add(SessionsOf(log)).ok());
  const std::vector<Finding> found = FindIn(&detection, "tunnel");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].sentence,
            "10.0.0.4 sent 36,893,488,147,419,103,232 bytes of DNS in packets of 2,305,843,009 bytes to 203.0.113.9, "
            "which sent 320, 1970-01-01 00:16:40 to 1970-01-01 00:16:52 UTC");
}

TEST(Detect, FindingsAsJson) {
  Finding finding;
  finding.detector = "port_scan";
  finding.severity = Severity::kHigh;
  finding.actor = Ip::V4(0x0A000001);
  finding.targets = {Ip::V4(0x0A000002)};
  finding.start = 1000;
  finding.end = 1060;
  finding.score = 1;
  finding.technique = "T1046";
  finding.AddEvidence("none", std::monostate());
  finding.AddEvidence("whole", int64_t{-5});
  finding.AddEvidence("wide", uint128{1} << 64);
  for (const double value : {0.1, 1e16, 1234567890123456.0, 0.00012, 1.5e-5, 1e100}) finding.AddEvidence("real", value);
  finding.AddEvidence("text", std::string("a\"\\\n\x01\x7F\xC3\xA9\xF0\x9F\x98\x80\xFF"));
  finding.AddEvidence("address", Ip::V4(0x0A000003));
  finding.AddEvidence("list", std::vector<int64_t>{1, 2});
  finding.sentence = "it scans";
  FindingCoverage coverage;
  coverage.degraded = {"which side began"};
  coverage.add = {"tcp-flags"};
  coverage.skipdata = "2 SKIPDATA records: counts are floors";
  EXPECT_EQ(
      ToJson(finding, coverage),
      R"({"schema_version": 1, "detector": "port_scan", "severity": "high", "actor": "10.0.0.1", "targets": ["10.0.0.2"], )"
      R"("start": 1000, "end": 1060, "score": 1.0, "technique": "T1046", "evidence": {"none": null, "whole": -5, )"
      R"("wide": 18446744073709551616, "real": 0.1, "real": 1e+16, "real": 1234567890123456.0, "real": 0.00012, )"
      R"("real": 1.5e-05, "real": 1e+100, "text": "a\"\\\n\u0001\u007f\u00e9\ud83d\ude00\ufffd", "address": "10.0.0.3", "list": [1, 2]}, )"
      R"("coverage": {"degraded": ["which side began"], "add": ["tcp-flags"], )"
      R"("skipdata": "2 SKIPDATA records: counts are floors"}, "sentence": "it scans", "confidence": null, )"
      R"("samples": []})");
  finding.confidence = 0.75;
  EXPECT_THAT(ToJson(finding), HasSubstr("\"coverage\": {}, \"sentence\": \"it scans\", \"confidence\": 0.75,"));
}

}  // namespace
}  // namespace vpcflow
