// ResolvedSettings: the value of each setting of each detector, checked.
#ifndef VPCFLOW_SRC_DETECT_SETTINGS_H_
#define VPCFLOW_SRC_DETECT_SETTINGS_H_

#include <string_view>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/detect/settings.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The networks of the user, which all detectors share.
inline constexpr std::string_view kPrivateNetworks[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                                        "100.64.0.0/10", "fc00::/7"};
inline constexpr Setting<Prefixes> kInsideNetworks = {
    "inside", kPrivateNetworks, "prefixes of your own networks (RFC 1918, RFC 6598 and RFC 4193 by default)"};

class ResolvedSettings {
 public:
  // kInvalidArgument names a setting that no detector has, with the nearest one, or a value of another type.
  static absl::StatusOr<ResolvedSettings> Make(const DetectSettings& settings);

  // Returns the value of a setting that is in the row of some detector.
  template <class T>
  const T& Get(const Setting<T>& setting) const {
    return std::get<T>(values_.at(&setting));
  }
  // Returns the prefixes of a setting of kPrefixes or kAddressList.
  const Prefixes& PrefixesOf(const SettingInfo& setting) const;
  // kInvalidArgument for a name that is no setting of this type.
  absl::Status SetLabels(std::string_view name, AddressLabels labels);

 private:
  absl::flat_hash_map<const SettingInfo*, SettingValue> values_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_SETTINGS_H_
