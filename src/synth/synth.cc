// Making logs: windows of records into texts and files.
#include "vpcflow/synth/synth.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/synth/plants.h"
#include "src/synth/world.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::Random;
using internal::Renderer;
using internal::SynthRecord;
using internal::World;

// Records are mixed within runs of this many, as deliveries are.
constexpr size_t kRun = 65536;

std::vector<std::string> PlantNames(SynthWorld world, bool benign_alone = false) {
  std::vector<std::string> out;
  for (const PlantInfo& plant : Plants()) {
    if (plant.world == world && (plant.benign || !benign_alone)) out.emplace_back(plant.name);
  }
  return out;
}

// The plants that options ask for, of names that there are.
std::vector<std::string> PlantsAsked(const SynthOptions& options) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  for (const std::string& name : options.plant) {
    if (name == "all" || name == "benign") {
      for (const std::string& each : PlantNames(options.world, name == "benign")) add(each);
    } else if (name.starts_with('-')) {
      std::erase(out, name.substr(1));
    } else {
      add(name);
    }
  }
  return out;
}

absl::Status Check(const SynthOptions& o) {
  const auto bad = [](const std::string& what) { return MakeError(ErrorKind::kSynth, absl::StrCat("synth: ", what)); };
  for (const FormatColumn& column : o.format.columns()) {
    if (column.field == Field::kUnknown)
      return bad(
          absl::StrCat("field '", column.name, "' is not in the catalogue, so there is nothing to write into it"));
  }
  if (o.format.empty()) return bad("the format has no fields");
  const std::vector<std::string> plants = PlantNames(o.world);
  for (const std::string& name : o.plant) {
    const std::string plain = name.substr(name.starts_with('-') ? 1 : 0);
    if (name == "all" || name == "benign" || std::find(plants.begin(), plants.end(), plain) != plants.end()) continue;
    const std::string nearest = Nearest(plain, plants);
    return bad(absl::StrCat("cannot plant '", internal::Printable(name), "'; there are all, benign, ",
                            absl::StrJoin(plants, ", "),
                            nearest.empty() ? "" : absl::StrCat("; did you mean '", nearest, "'?")));
  }
  if (o.interfaces < 16 || o.interfaces > 10'000'000) return bad("interfaces: 16 to 10,000,000");
  if (o.peers < 1 || o.noise_sources < 1 || o.peers > 100'000'000 || o.noise_sources > 100'000'000)
    return bad("peers and noise_sources: 1 to 100,000,000");
  if (!(o.hours > 0 && o.hours <= 24 * 3660)) return bad("hours: more than 0, at most ten years");
  if (!(o.intensity > 0 && o.intensity <= 1000)) return bad("intensity: more than 0, at most 1,000");
  if (o.window < 10 || o.window > 600) return bad("window: 10 to 600 seconds");
  if (o.start < 0 || o.start > int64_t{1} << 31) return bad("start: Unix seconds up to 2^31");
  if (o.files < 1 || o.files > 1'000'000) return bad("files: 1 to 1,000,000");
  if (o.gzip_level < 1 || o.gzip_level > 9) return bad("gzip_level: 1 to 9");
  for (double share : {o.ipv6_share, o.nodata_share, o.skipdata_share, o.reject_share}) {
    if (!(share >= 0 && share <= 1)) return bad("shares are from 0 to 1");
  }
  if (o.nodata_share + o.skipdata_share + o.reject_share > 1)
    return bad("nodata, skipdata and reject shares together are at most 1");
  return absl::OkStatus();
}

// Makes all records in the order of delivery: windows in time, mixed inside.
class Maker {
 public:
  // Takes records in the order of the indices.
  using Sink = std::function<absl::Status(const std::vector<SynthRecord>&, const std::vector<uint32_t>&)>;

  explicit Maker(const SynthOptions& options) : options_(options), random_(options.seed), world_(options, &random_) {
    const auto plant = options.world == SynthWorld::kTame ? &internal::PlantTame : &internal::PlantOffice;
    planted_ = plant(world_, PlantsAsked(options), random_.Next());
    std::stable_sort(planted_.records.begin(), planted_.records.end(),
                     [](const SynthRecord& a, const SynthRecord& b) { return a.start < b.start; });
  }
  const World& world() const { return world_; }
  std::string labels() const { return absl::StrCat("[", absl::StrJoin(planted_.labels, ","), "\n]\n"); }
  uint64_t planted() const { return planted_.records.size(); }

  absl::Status Run(const Sink& sink) {
    const auto windows = std::max<int64_t>(1, static_cast<int64_t>(options_.hours * 3600) / options_.window);
    std::vector<double> load;  // cumulative: more by day (14:00 UTC) than by night
    double sum = 0;
    for (int64_t w = 0; w < windows; ++w) {
      const double hour = static_cast<double>((options_.start + w * options_.window) % 86400) / 3600;
      load.push_back(sum += 1 + 0.6 * std::cos((hour - 14) / 24 * 2 * 3.14159265358979));
    }
    const uint64_t ordinary = options_.records - planted();
    internal::Traffic traffic(world_, random_.Next());
    uint64_t made = 0;
    size_t next = 0;
    for (int64_t w = 0; w < windows; ++w) {
      const int64_t begin = options_.start + w * options_.window;
      while (next < planted_.records.size() &&
             (planted_.records[next].start < begin + options_.window || w + 1 == windows))
        run_.push_back(planted_.records[next++]);
      const auto until =
          w + 1 == windows ? ordinary
                           : static_cast<uint64_t>(static_cast<double>(ordinary) * load[static_cast<size_t>(w)] / sum);
      absl::Status status;
      if (until > made) {
        traffic.Window(begin, until - made, [&](const SynthRecord& record) {
          run_.push_back(record);
          if (run_.size() >= kRun && status.ok()) status = Flush(sink);
        });
      }
      made = std::max(made, until);
      if (status.ok()) status = Flush(sink);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Flush(const Sink& sink) {
    order_.resize(run_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.Below(i)]);
    absl::Status status = sink(run_, order_);
    run_.clear();
    return status;
  }

  const SynthOptions& options_;
  Random random_;
  World world_;
  internal::Planted planted_;
  std::vector<SynthRecord> run_;
  std::vector<uint32_t> order_;
};

absl::Status CannotWrite(std::string_view path, int error) {
  return absl::UnavailableError(
      absl::StrCat(std::string(path), ": cannot be written: ", std::generic_category().message(error)));
}

// One file being written, gzip or not.
class LogFile {
 public:
  LogFile(std::string path, bool gzip, int level) : path_(std::move(path)), gzip_(gzip) {
    file_ = std::fopen(path_.c_str(), "wb");
    // 15 + 16: gzip; no name and no time inside, so that equal options give equal bytes.
    if (file_ == nullptr) {
      error_ = errno;
    } else if (gzip_ && deflateInit2(&zlib_, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      error_ = ENOMEM;
    }
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() { (void)Close(); }

  void Write(std::string_view text) { gzip_ ? Deflate(text, Z_NO_FLUSH) : Raw(text.data(), text.size()); }
  absl::Status Close() {
    if (file_ != nullptr) {
      if (gzip_ && error_ == 0) Deflate("", Z_FINISH);
      if (gzip_) deflateEnd(&zlib_);
      if (std::fclose(std::exchange(file_, nullptr)) != 0 && error_ == 0) error_ = errno;
    }
    return error_ == 0 ? absl::OkStatus() : CannotWrite(path_, error_);
  }

 private:
  void Raw(const char* data, size_t size) {
    if (error_ == 0 && std::fwrite(data, 1, size, file_) != size) error_ = errno;
  }
  void Deflate(std::string_view text, int flush) {
    if (error_ != 0) return;
    char out[65536];
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    zlib_.avail_in = static_cast<uInt>(text.size());
    do {
      zlib_.next_out = reinterpret_cast<Bytef*>(out);
      zlib_.avail_out = sizeof out;
      deflate(&zlib_, flush);
      Raw(out, sizeof out - zlib_.avail_out);
    } while (zlib_.avail_out == 0);
  }

  std::string path_;
  bool gzip_;
  int error_ = 0;  // the first, of errno
  std::FILE* file_ = nullptr;
  z_stream zlib_{};
};

std::string HeaderLine(const Format& format) {
  std::string out;
  for (const FormatColumn& column : format.columns()) absl::StrAppend(&out, out.empty() ? "" : " ", column.name);
  return out + "\n";
}

// Distributes records over files, in either layout.
class Writer {
 public:
  Writer(const SynthOptions& options, const World& world, std::string folder, SynthSummary* summary)
      : options_(options),
        world_(world),
        renderer_(world, options.format),
        folder_(std::move(folder)),
        summary_(summary),
        line_(renderer_.max_line(), '\0') {}

  absl::Status Write(const std::vector<SynthRecord>& records, const std::vector<uint32_t>& order) {
    for (uint32_t i : order) {
      const SynthRecord& record = records[i];
      absl::StatusOr<LogFile*> file = options_.s3_layout ? S3File(record) : FlatFile();
      if (!file.ok()) return file.status();
      Put(*file, {line_.data(), static_cast<size_t>(renderer_.Write(record, line_.data()) - line_.data())});
      ++summary_->records;
    }
    if (!options_.s3_layout || records.empty()) return absl::OkStatus();
    // Nothing later ends before the window that these records are of, which began less than two windows before them.
    const auto first = std::min_element(records.begin(), records.end(),
                                        [](const SynthRecord& a, const SynthRecord& b) { return a.start < b.start; });
    return CloseBefore(first->start - 2 * options_.window);
  }

  absl::Status Finish() {
    if (absl::Status s = CloseBefore(std::numeric_limits<int64_t>::max()); !s.ok()) return s;
    while (!options_.s3_layout && summary_->files.size() < options_.files) {  // fewer records than files
      if (absl::Status s = OpenFlat().status(); !s.ok()) return s;
    }
    for (auto& [name, file] : flat_) {
      if (absl::Status s = file->Close(); !s.ok()) return s;
    }
    std::sort(summary_->files.begin(), summary_->files.end());
    return absl::OkStatus();
  }

 private:
  using SlotKey = std::tuple<int64_t, uint32_t, uint32_t>;  // 5-minute slot of the end, account, region

  void Put(LogFile* file, std::string_view text) {
    file->Write(text);
    summary_->text_bytes += text.size();
  }

  absl::StatusOr<std::unique_ptr<LogFile>> Open(const std::string& name) {
    const std::filesystem::path path = std::filesystem::path(folder_) / name;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    auto file = std::make_unique<LogFile>(path.native(), options_.gzip || options_.s3_layout, options_.gzip_level);
    if (options_.header) Put(file.get(), HeaderLine(options_.format));
    summary_->files.push_back(name);
    return file;
  }

  absl::StatusOr<LogFile*> OpenFlat() {
    char name[32];
    std::snprintf(name, sizeof name, "flow-%04zu.log%s", summary_->files.size(), options_.gzip ? ".gz" : "");
    absl::StatusOr<std::unique_ptr<LogFile>> file = Open(name);
    if (!file.ok()) return file.status();
    for (auto& [old_name, old] : flat_) {
      if (absl::Status s = old->Close(); !s.ok()) return s;
    }
    flat_.clear();
    return flat_.emplace(name, *std::move(file)).first->second.get();
  }

  // Files of equal numbers of records, one after the other.
  absl::StatusOr<LogFile*> FlatFile() {
    const uint64_t n = summary_->files.size();
    const uint64_t boundary =
        options_.records / options_.files * n + std::min<uint64_t>(n, options_.records % options_.files);
    if (n == 0 || (summary_->records >= boundary && n < options_.files)) return OpenFlat();
    return flat_.begin()->second.get();
  }

  absl::StatusOr<LogFile*> S3File(const SynthRecord& record) {
    const internal::Interface& eni = world_.interfaces[record.interface];
    const SlotKey key{record.end / 300, eni.account, eni.region};
    if (last_ != nullptr && key == last_key_) return last_;
    auto it = slots_.find(key);
    if (it == slots_.end()) {
      absl::StatusOr<std::unique_ptr<LogFile>> file = Open(S3Name(key));
      if (!file.ok()) return file.status();
      it = slots_.emplace(key, *std::move(file)).first;
    }
    last_key_ = key;
    return last_ = it->second.get();
  }

  std::string S3Name(const SlotKey& key) const {
    const auto& [slot, account, region] = key;
    const std::string time = FormatInstant(slot * 300);  // 2026-11-23T10:05:00Z
    const std::string day = absl::StrCat(time.substr(0, 4), "/", time.substr(5, 2), "/", time.substr(8, 2));
    const std::string stamp = absl::StrCat(time.substr(0, 4), time.substr(5, 2), time.substr(8, 2), "T",
                                           time.substr(11, 2), time.substr(14, 2), "Z");
    const auto hex = [](uint64_t n, int digits) {
      std::string out(static_cast<size_t>(digits), '0');
      for (auto c = out.rbegin(); c != out.rend(); ++c, n >>= 4) *c = "0123456789abcdef"[n & 15];
      return out;
    };
    const std::string& a = world_.accounts[account];
    const std::string& r = world_.regions[region];
    Random id(options_.seed + account * 4 + region);
    Random hash(options_.seed * 1000003 + static_cast<uint64_t>(slot) * 64 + account * 4 + region);
    return absl::StrCat("AWSLogs/", a, "/vpcflowlogs/", r, "/", day, "/", a, "_vpcflowlogs_", r, "_fl-0",
                        hex(id.Next(), 16), "_", stamp, "_", hex(hash.Next() & 0xFFFFFFFF, 8), ".log.gz");
  }

  absl::Status CloseBefore(int64_t end) {
    while (!slots_.empty() && std::get<0>(slots_.begin()->first) < end / 300) {
      if (absl::Status s = slots_.begin()->second->Close(); !s.ok()) return s;
      if (slots_.begin()->second.get() == last_) last_ = nullptr;
      slots_.erase(slots_.begin());
    }
    return absl::OkStatus();
  }

  const SynthOptions& options_;
  const World& world_;
  Renderer renderer_;
  std::string folder_;
  SynthSummary* summary_;
  std::string line_;
  std::map<std::string, std::unique_ptr<LogFile>> flat_;  // the one in hand
  std::map<SlotKey, std::unique_ptr<LogFile>> slots_;
  LogFile* last_ = nullptr;
  SlotKey last_key_;
};

absl::Status CheckPlanted(const SynthOptions& options, const Maker& maker) {
  if (maker.planted() <= options.records) return absl::OkStatus();
  return MakeError(ErrorKind::kSynth, absl::StrCat("synth: what is planted takes ", maker.planted(),
                                                   " records, more than the ", options.records, " asked for"));
}

absl::Status WriteText(const std::filesystem::path& path, const std::string& text) {
  LogFile file(path.native(), false, 0);
  file.Write(text);
  return file.Close();
}

}  // namespace

absl::StatusOr<SynthSummary> Synthesize(const SynthOptions& options, const std::string& folder,
                                        const std::function<bool(uint64_t)>& poll) {
  if (absl::Status s = Check(options); !s.ok()) return s;
  Maker maker(options);
  if (absl::Status s = CheckPlanted(options, maker); !s.ok()) return s;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder, error))
    return absl::UnavailableError(absl::StrCat(folder, ": no folder can be made here"));
  SynthSummary summary;
  Writer writer(options, maker.world(), folder, &summary);
  absl::Status status = maker.Run([&](const std::vector<SynthRecord>& records, const std::vector<uint32_t>& order) {
    if (poll && !poll(summary.records)) return absl::CancelledError("synth: cancelled");
    return writer.Write(records, order);
  });
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return status;
  const std::filesystem::path root(folder);
  if (!options.plant.empty()) {
    summary.labels_json = maker.labels();
    if (absl::Status s = WriteText(root / "labels.json", summary.labels_json); !s.ok()) return s;
  }
  const std::string manifest = absl::StrCat("{\"records\": ", summary.records, ", \"text_bytes\": ", summary.text_bytes,
                                            ", \"seed\": ", options.seed, ", \"format\": \"", options.format.ToString(),
                                            "\", \"files\": [\"", absl::StrJoin(summary.files, "\", \""), "\"]}\n");
  if (absl::Status s = WriteText(root / "manifest.json", manifest); !s.ok()) return s;
  return summary;
}

absl::StatusOr<std::string> SynthesizeText(const SynthOptions& options, SynthSummary* summary) {
  if (absl::Status s = Check(options); !s.ok()) return s;
  Maker maker(options);
  if (absl::Status s = CheckPlanted(options, maker); !s.ok()) return s;
  const Renderer renderer(maker.world(), options.format);
  std::string text = options.header ? HeaderLine(options.format) : "";
  std::string line(renderer.max_line(), '\0');
  const absl::Status status =
      maker.Run([&](const std::vector<SynthRecord>& records, const std::vector<uint32_t>& order) {
        for (uint32_t i : order) text.append(line.data(), renderer.Write(records[i], line.data()));
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  if (summary != nullptr) *summary = {options.records, text.size(), {}, maker.labels()};
  return text;
}

std::span<const PlantInfo> Plants() {
  static const std::vector<PlantInfo> plants = [] {
    std::vector<PlantInfo> out = internal::TamePlants();
    const std::vector<PlantInfo> office = internal::OfficePlants();
    out.insert(out.end(), office.begin(), office.end());
    return out;
  }();
  return plants;
}

VPCFLOW_NAMESPACE_END
