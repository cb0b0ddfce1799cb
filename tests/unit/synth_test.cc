#include <cmath>
#include <functional>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;

SynthOptions Small() {
  SynthOptions o;
  o.records = 30'000;
  o.interfaces = 40;
  o.peers = 500;
  o.noise_sources = 300;
  o.hours = 2;
  return o;
}

Report Read(const std::string& text, std::string* json = nullptr) {
  PlanSpec spec;
  spec.check_all = true;
  spec.allow_missing = true;
  spec.by = {"action"};
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"sources", "n_unique(srcaddr)"}};
  Report report;
  const std::string out =
      vpcflow_testing::RunToJson(spec, {Source::Bytes("synth", std::string_view(text))}, {}, &report);
  if (json != nullptr) *json = out;
  return report;
}

TEST(Synth, SameOptionsSameBytes) {
  SynthOptions o = Small();
  o.plant = {"all"};
  const std::string a = *SynthesizeText(o), b = *SynthesizeText(o);
  EXPECT_EQ(a, b);
  o.seed = 2;
  EXPECT_NE(*SynthesizeText(o), a);
}

// Of gcc 12 and clang 16 on x86-64.
TEST(Synth, SameBytesByEveryCompiler) {
  SynthOptions options = Small();
  options.seed = 7;
  options.ipv6_share = 0.1;
  options.plant = {"all"};
  options.records = 20'000;
  const std::string text = *SynthesizeText(options);
  EXPECT_EQ(crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())), 2789628422u);
}

TEST(Synth, EveryFormatIsReadBackWhole) {
  for (const char* name : {"default", "v5", "v11", "tgw", "bytes srcaddr log-status action"}) {
    SynthOptions o = Small();
    o.plant = {"all"};
    FormatError error;
    ASSERT_TRUE(Format::Parse(name, &o.format, &error));
    const Report report = Read(*SynthesizeText(o));
    EXPECT_EQ(report.records(), o.records) << name;
    EXPECT_EQ(report.rejected(), 0u) << name;
    EXPECT_EQ(report.formats.count(o.format.ToString()), 1u);
  }
}

TEST(Synth, SharesAreNearWhatWasAsked) {
  SynthOptions o = Small();
  o.records = 200'000;
  std::string json;
  const Report report = Read(*SynthesizeText(o), &json);
  const auto share = [&](uint64_t n) { return static_cast<double>(n) / static_cast<double>(o.records); };
  EXPECT_NEAR(share(report.nodata), o.nodata_share, 0.001);
  EXPECT_NEAR(share(report.skipdata), o.skipdata_share, 0.0005);
  const size_t at = json.find("\"REJECT\", \"n\": ");
  ASSERT_NE(at, std::string::npos) << json;
  EXPECT_NEAR(share(std::stoull(json.substr(at + 15))), o.reject_share, 0.01);
}

TEST(Synth, FilesAndLayouts) {
  vpcflow_testing::TempDir dir;
  SynthOptions o = Small();
  o.files = 4;
  o.plant = {"beacon"};
  absl::StatusOr<SynthSummary> flat = Synthesize(o, dir / "flat");
  ASSERT_TRUE(flat.ok()) << flat.status();
  EXPECT_EQ(flat->files.size(), 4u);
  EXPECT_THAT(flat->labels_json, HasSubstr("\"kind\": \"beacon\""));
  o.s3_layout = true;
  absl::StatusOr<SynthSummary> s3 = Synthesize(o, dir / "s3");
  ASSERT_TRUE(s3.ok());
  EXPECT_THAT(s3->files[0],
              ::testing::MatchesRegex("AWSLogs/[0-9]+/vpcflowlogs/[a-z0-9-]+/2025/10/09/"
                                      "[0-9]+_vpcflowlogs_[a-z0-9-]+_fl-[0-9a-f]+_20251009T[0-9]+Z_[0-9a-f]+.log.gz"));
  PlanSpec spec;
  spec.by = {"action", "srcaddr"};
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}};
  Report report;
  const std::string a = vpcflow_testing::RunToJson(spec, *Source::Expand(dir / "flat"), {}, &report);
  EXPECT_EQ(report.records(), o.records);
  EXPECT_EQ(report.sources, 4u);
  EXPECT_EQ(vpcflow_testing::RunToJson(spec, *Source::Expand(dir / "s3")), a);
}

TEST(Synth, Mistakes) {
  const auto error = [](SynthOptions o) { return std::string(SynthesizeText(o).status().message()); };
  SynthOptions o = Small();
  o.plant = {"port_scam"};
  EXPECT_THAT(error(o), HasSubstr("did you mean 'port_scan'?"));
  o = Small();
  o.records = 100;
  o.plant = {"port_scan"};
  EXPECT_THAT(error(o), HasSubstr("more than the 100"));
  o = Small();
  o.hours = -1;
  EXPECT_THAT(error(o), HasSubstr("hours"));
  FormatError ignored;
  Format::Parse("srcaddr security-groups", &o.format, &ignored);
  EXPECT_THAT(error(o), HasSubstr("security-groups"));
}

TEST(Synth, EveryOptionHasBounds) {
  const std::vector<std::pair<std::string, std::function<void(SynthOptions*)>>> wrong = {
      {"no fields", [](auto* o) { o->format = Format(); }},
      {"interfaces", [](auto* o) { o->interfaces = 15; }},
      {"interfaces", [](auto* o) { o->interfaces = 10'000'001; }},
      {"peers", [](auto* o) { o->peers = 0; }},
      {"peers", [](auto* o) { o->noise_sources = 0; }},
      {"peers", [](auto* o) { o->peers = 100'000'001; }},
      {"peers", [](auto* o) { o->noise_sources = 100'000'001; }},
      {"hours", [](auto* o) { o->hours = 0; }},
      {"hours", [](auto* o) { o->hours = 1e9; }},
      {"hours", [](auto* o) { o->hours = std::nan(""); }},
      {"window", [](auto* o) { o->window = 9; }},
      {"window", [](auto* o) { o->window = 601; }},
      {"start", [](auto* o) { o->start = -1; }},
      {"start", [](auto* o) { o->start = int64_t{1} << 32; }},
      {"files", [](auto* o) { o->files = 0; }},
      {"files", [](auto* o) { o->files = 1'000'001; }},
      {"gzip_level", [](auto* o) { o->gzip_level = 0; }},
      {"gzip_level", [](auto* o) { o->gzip_level = 10; }},
      {"shares", [](auto* o) { o->ipv6_share = 1.01; }},
      {"shares", [](auto* o) { o->nodata_share = -0.01; }},
      {"shares", [](auto* o) { o->skipdata_share = std::nan(""); }},
      {"together", [](auto* o) { o->nodata_share = o->reject_share = 0.6; }},
  };
  for (const auto& [what, spoil] : wrong) {
    SynthOptions options = Small();
    spoil(&options);
    EXPECT_THAT(std::string(SynthesizeText(options).status().message()), HasSubstr(what));
  }
}

TEST(Synth, AnOfficeHasWhatItIsAskedFor) {
  SynthOptions options = Small();
  options.world = SynthWorld::kOffice;
  options.hours = 1;
  options.interfaces = 80;
  options.records = 1'000'000;
  options.plant = {"all", "-slow_http", "-exfil_dns"};
  SynthSummary summary;
  const absl::StatusOr<std::string> text = SynthesizeText(options, &summary);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, *SynthesizeText(options));
  for (const PlantInfo& plant : Plants()) {
    const bool asked = plant.world == SynthWorld::kOffice && plant.name != "slow_http" && plant.name != "exfil_dns";
    // What is done at night is done in none of these hours.
    const bool by_night = plant.name == "nightly_backup" || plant.name == "vulnerability_scanner" ||
                          plant.name == "patching_night" || plant.name == "scp_nightly";
    const bool made = summary.labels_json.find("{\"kind\": \"" + std::string(plant.name) + "\"") != std::string::npos;
    EXPECT_EQ(made, asked && !by_night) << plant.name;
  }
  // What one plant makes does not depend on the others.
  SynthSummary one, two;
  options.plant = {"ssh_guesses"};
  ASSERT_TRUE(SynthesizeText(options, &one).ok());
  options.plant = {"kubernetes", "ssh_guesses", "-kubernetes"};
  ASSERT_TRUE(SynthesizeText(options, &two).ok());
  EXPECT_EQ(one.labels_json, two.labels_json);
  options.plant = {"port_scan"};
  EXPECT_THAT(std::string(SynthesizeText(options).status().message()),
              HasSubstr("cannot plant 'port_scan'; there are"));
}

TEST(Synth, FoldersThatCannotBeWrittenAndCancelling) {
  vpcflow_testing::TempDir dir;
  const std::string file = dir.Write("a-file", "x");
  EXPECT_FALSE(Synthesize(Small(), file).ok());
  EXPECT_FALSE(Synthesize(Small(), file + "/below").ok());
  SynthOptions many = Small();
  many.records = 200'000;
  EXPECT_EQ(Synthesize(many, dir / "cancelled", [](uint64_t) { return false; }).status().code(),
            absl::StatusCode::kCancelled);
  SynthOptions few = Small();
  few.records = 3;
  few.files = 5;
  EXPECT_EQ(Synthesize(few, dir / "few")->files.size(), 5u);
}

}  // namespace
}  // namespace vpcflow
