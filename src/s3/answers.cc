#include "src/s3/answers.h"

#include <expat.h>

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// The texts of a document's leaves, in order, each with the path of its element.
struct Leaf {
  std::string path{};
  std::string text{};
};
struct Leaves {
  std::vector<std::string> open{};
  std::vector<Leaf> found{};
  std::string text{};
};
constexpr size_t kDeepest = 16;

// Reads a document; false for one that is no XML.
bool Read(std::string_view xml, std::vector<Leaf>* out) {
  Leaves leaves;
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr),
                                                                                             &XML_ParserFree);
  if (parser == nullptr) return false;
  XML_SetUserData(parser.get(), &leaves);
  XML_SetElementHandler(
      parser.get(),
      [](void* data, const XML_Char* name, const XML_Char**) {
        auto& all = *static_cast<Leaves*>(data);
        all.open.emplace_back(all.open.size() < kDeepest ? name : "");
        all.text.clear();
      },
      [](void* data, const XML_Char*) {
        auto& all = *static_cast<Leaves*>(data);
        if (all.open.size() <= kDeepest)
          all.found.push_back({absl::StrJoin(all.open, "/"), std::exchange(all.text, {})});
        all.open.pop_back();
      });
  XML_SetCharacterDataHandler(parser.get(), [](void* data, const XML_Char* text, int size) {
    static_cast<Leaves*>(data)->text.append(text, static_cast<size_t>(size));
  });
  if (XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), 1) != XML_STATUS_OK) return false;
  *out = std::move(leaves.found);
  return true;
}

int Hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string UrlDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && Hex(text[i + 1]) >= 0 && Hex(text[i + 2]) >= 0;
    if (encoded) {
      out += static_cast<char>(Hex(text[i + 1]) * 16 + Hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::pair<std::string, std::string> CodeAndMessage(std::string_view body) {
  std::vector<Leaf> leaves;
  std::pair<std::string, std::string> out;
  if (!Read(body, &leaves)) return out;
  for (const Leaf& leaf : leaves) {
    if (leaf.path == "Error/Code") out.first = leaf.text;
    if (leaf.path == "Error/Message") out.second = leaf.text.substr(0, 300);
  }
  return out;
}

}  // namespace

absl::StatusOr<S3Page> ReadS3Page(std::string_view xml) {
  std::vector<Leaf> leaves;
  S3Page out;
  bool listing = false, more = false, encoded = false;
  if (Read(xml, &leaves)) {
    for (Leaf& leaf : leaves) {
      listing |= leaf.path == "ListBucketResult";
      if (leaf.path == "ListBucketResult/IsTruncated") more = leaf.text == "true";
      if (leaf.path == "ListBucketResult/NextContinuationToken") out.next = std::move(leaf.text);
      if (leaf.path == "ListBucketResult/EncodingType") encoded = leaf.text == "url";
      // Of an object the end of its element comes last.
      if (out.objects.empty()) out.objects.emplace_back();
      S3Object& object = out.objects.back();
      if (leaf.path == "ListBucketResult/Contents/Key") object.key = std::move(leaf.text);
      if (leaf.path == "ListBucketResult/Contents/ETag") object.etag = std::move(leaf.text);
      if (leaf.path == "ListBucketResult/Contents/Size" && !absl::SimpleAtoi(leaf.text, &object.size))
        return MakeError(ErrorKind::kDamaged, absl::StrCat("the listing has an object of size '", leaf.text, "'"));
      if (leaf.path == "ListBucketResult/Contents") out.objects.emplace_back();
    }
  }
  if (!listing) return MakeError(ErrorKind::kDamaged, "the answer to a listing is none of S3");
  if (!out.objects.empty()) out.objects.pop_back();
  if (!more) out.next.clear();
  for (S3Object& object : out.objects) {
    if (encoded) object.key = UrlDecoded(object.key);
  }
  return out;
}

absl::Status S3Error(long http, std::string_view body) {
  const auto [code, message] = CodeAndMessage(body);
  const auto refused = [](const std::string& why) { return MakeError(ErrorKind::kSource, why); };
  if (code == "NoSuchBucket") return MakeError(ErrorKind::kNotFound, "there is no such bucket");
  if (http == 404) return MakeError(ErrorKind::kNotFound, "it is gone");
  if (http == 412) return MakeError(ErrorKind::kDamaged, "it was replaced by another version since it was listed");
  if (http == 403 && absl::StrContains(absl::AsciiStrToLower(message), "kms"))
    return refused("access to its key was denied; the reader needs kms:Decrypt on the KMS key that encrypts it");
  if (code == "InvalidObjectState") return refused("it is in an archived storage class; restore it first");
  if (code == "InvalidAccessKeyId") return refused("the service does not know these credentials");
  if (code == "SignatureDoesNotMatch") return refused("the secret key does not match the access key");
  if (code == "ExpiredToken") return refused("the credentials have expired");
  if (code == "RequestTimeTooSkewed") return refused("the clock of this machine is wrong by more than 15 minutes");
  if (http == 403) return refused("access denied; the reader needs s3:ListBucket and s3:GetObject");
  if (http == 301 || http == 307 || code == "AuthorizationHeaderMalformed")
    return refused("the bucket is in another region");
  const std::string named = code.empty() ? absl::StrCat("HTTP ", http) : code;
  return refused(message.empty() ? absl::StrCat("failed (", named, ")") : absl::StrCat(message, " (", named, ")"));
}

bool IsPassing(long http, std::string_view body) {
  if (http == 429 || http == 500 || http == 502 || http == 503 || http == 504) return true;
  return http == 400 && CodeAndMessage(body).first == "RequestTimeout";
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
