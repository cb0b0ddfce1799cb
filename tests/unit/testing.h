// What the unit tests share.
#ifndef VPCFLOW_TESTS_UNIT_TESTING_H_
#define VPCFLOW_TESTS_UNIT_TESTING_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "vpcflow/vpcflow.h"

namespace vpcflow_testing {

inline const std::string kHeader =
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status\n";

// A default-format line.
inline std::string Line(const std::string& src, int dstport, int64_t bytes, int64_t start = 1000, int64_t end = 1060,
                        const std::string& action = "ACCEPT") {
  return "2 123456789010 eni-1 " + src + " 10.0.0.9 40000 " + std::to_string(dstport) + " 6 10 " +
         std::to_string(bytes) + " " + std::to_string(start) + " " + std::to_string(end) + " " + action + " OK\n";
}

// One stream of zlib's, packed as `bits` says: 15 for zlib's own container, -15 for none, 15 + 16 for gzip.
inline std::string Deflated(const std::string& text, int bits, int level = 6) {
  z_stream z{};
  deflateInit2(&z, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// One gzip member.
inline std::string Gzip(const std::string& text) { return Deflated(text, 15 + 16); }

// A folder that is gone after the test.
class TempDir {
 public:
  TempDir()
      : path_(std::filesystem::temp_directory_path() /
              ("vpcflow-test-" + std::to_string(getpid()) + "-" + std::to_string(next_++))) {
    std::filesystem::create_directories(path_);
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).native(); }
  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.native();
  }
  std::string path() const { return path_.native(); }

 private:
  static inline int next_ = 0;
  std::filesystem::path path_;
};

// A plan's result as JSON lines, of damaged sources and without records, too; or the error's text.
inline std::string RunToJson(const vpcflow::PlanSpec& spec, const std::vector<vpcflow::Source>& sources,
                             vpcflow::ScanOptions options = {}, vpcflow::Report* report = nullptr) {
  absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
  if (!plan.ok()) return std::string(plan.status().message());
  options.allow_empty = true;
  vpcflow::Result partial;
  absl::StatusOr<vpcflow::Result> result = plan->Run(sources, options, &partial);
  if (!result.ok() && partial.report.errors.empty()) return std::string(result.status().message());
  if (!result.ok()) result = std::move(partial);
  if (report != nullptr) *report = result->report;
  return vpcflow::ToJsonLines(result->table);
}

}  // namespace vpcflow_testing

#endif  // VPCFLOW_TESTS_UNIT_TESTING_H_
