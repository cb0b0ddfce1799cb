// Runs the NEON kernels against the portable ones on random text; without GoogleTest, so that it can be cross-compiled.
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "src/simd/kernels.h"
#include "vpcflow/lines/token_index.h"

int main() {
  const vpcflow::internal::BuiltKernels* all;
  if (vpcflow::internal::AllKernels(&all) != 2) return 1;
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 400, '\0');
    const auto separators = random() % 20 + 1;
    for (char& c : text)
      c = random() % separators == 0 ? " \n\t\r\x7f\0 \n "[random() % 9]
                                     : static_cast<char>("0123456789.-x"[random() % 13]);
    vpcflow::TokenIndex a, b;
    all[0].kernels->index(text.data(), text.size(), a.Reserve(text.size()));
    all[1].kernels->index(text.data(), text.size(), b.Reserve(text.size()));
    bool same =
        a.token_count() == b.token_count() && a.line_count() == b.line_count() && a.bad().size() == b.bad().size();
    for (size_t i = 0; same && i < a.token_count(); ++i)
      same = a.token(i).begin == b.token(i).begin && a.token(i).end == b.token(i).end;
    for (size_t i = 0; same && i < a.line_count(); ++i)
      same = std::memcmp(&a.line(i), &b.line(i), sizeof(vpcflow::TextLine)) == 0;
    for (size_t i = 0; same && i < a.bad().size(); ++i) same = a.bad()[i] == b.bad()[i];
    if (!same) {
      std::printf("%s differs from %s in round %d\n", all[1].kernels->name, all[0].kernels->name, round);
      return 1;
    }
  }
  std::printf("%s: the same as %s on 20,000 texts\n", all[1].kernels->name, all[0].kernels->name);
}
