// Fuzzing without clang: replays files, then mutates the seeds and what was replayed with a fixed seed.
//
//   fuzz TARGET RUNS [FILE...]        "all" for every target; prints executions and rate of each
//   fuzz seeds FOLDER                 writes FOLDER/TARGET/N, the inputs that each target begins with, for libFuzzer
//
// Before each run the input is kept in the file named by VPCFLOW_FUZZ_INPUT, if that is set, so that a crash leaves it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "fuzz/targets.h"

namespace {

using vpcflow_fuzz::Target;

std::string Mutated(std::string bytes, const std::vector<std::string>& pool, std::mt19937_64& random) {
  static const char* const kWords[] = {"-",
                                       " ",
                                       "\n",
                                       "\r\n",
                                       "\t",
                                       "65535",
                                       "65536",
                                       "NODATA",
                                       "\"",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       ":",
                                       "\\u0000",
                                       "0",
                                       "99999999999999999999",
                                       "255.255.255.255",
                                       "::1",
                                       "\xFF",
                                       "\x1A",
                                       "srcaddr bytes\n",
                                       "null",
                                       "1e999",
                                       "message",
                                       "${bytes}",
                                       "'",
                                       "(",
                                       " and ",
                                       "="};
  for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 8) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 2: bytes.erase(at, random() % 16); break;
      case 3: bytes.insert(at, kWords[random() % std::size(kWords)]); break;
      case 4: bytes.insert(at, bytes.substr(at, random() % 64)); break;
      case 5: {
        const std::string& other = pool[random() % pool.size()];
        const size_t from = other.empty() ? 0 : random() % other.size();
        bytes.insert(at, other.substr(from, random() % 128));
        break;
      }
      case 6: bytes.resize(at); break;
      default: bytes.insert(at, std::string(random() % 80, static_cast<char>(random()))); break;
    }
    if (bytes.size() > 4096) bytes.resize(4096);
  }
  return bytes;
}

void Run(const Target& target, const std::string& bytes) {
  static const char* const keep = std::getenv("VPCFLOW_FUZZ_INPUT");
  if (keep != nullptr) std::ofstream(keep, std::ios::binary) << bytes;
  // A buffer of its very size, so that a sanitizer sees each byte beyond.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  target.run({exact.data(), exact.size()});
}

void Fuzz(const Target& target, uint64_t runs, const std::vector<std::string>& files) {
  std::vector<std::string> pool = target.seeds();
  pool.insert(pool.end(), files.begin(), files.end());
  for (const std::string& bytes : pool) Run(target, bytes);
  std::mt19937_64 random(20261125);
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < runs; ++i) {
    const std::string mutated = Mutated(pool[random() % pool.size()], pool, random);
    Run(target, mutated);
    // Some mutants are mutated further.
    if (random() % 16 == 0) {
      if (pool.size() < 512) {
        pool.push_back(mutated);
      } else {
        pool[target.seeds().size() + random() % (pool.size() - target.seeds().size())] = mutated;
      }
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("fuzz %-10s %9llu executions, %8.0f a second, no finding\n", target.name,
              static_cast<unsigned long long>(runs), static_cast<double>(runs) / seconds);
}

int WriteSeeds(const std::filesystem::path& folder) {
  for (const Target& target : vpcflow_fuzz::Targets()) {
    std::filesystem::create_directories(folder / target.name);
    size_t number = 0;
    for (const std::string& bytes : target.seeds()) {
      std::ofstream file(folder / target.name / std::to_string(number++), std::ios::binary);
      if (!(file << bytes)) return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: fuzz TARGET|all RUNS [FILE...], or fuzz seeds FOLDER\n");
    return 2;
  }
  if (std::string_view(argv[1]) == "seeds") return WriteSeeds(argv[2]);
  std::vector<std::string> files;
  for (int i = 3; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  const std::string name = argv[1];
  bool found = false;
  for (const Target& target : vpcflow_fuzz::Targets()) {
    if (name != "all" && name != target.name) continue;
    found = true;
    Fuzz(target, std::strtoull(argv[2], nullptr, 10), files);
  }
  if (!found) std::fprintf(stderr, "no target %s\n", name.c_str());
  return found ? 0 : 2;
}
