// Ports of services that detectors look at.
#ifndef VPCFLOW_SRC_DETECT_PORTS_H_
#define VPCFLOW_SRC_DETECT_PORTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Services that ask a person for a password; those that applications log in to all day, of which only tries from
// outside say something; and those by which one host gets into another.
inline constexpr std::array<int32_t, 8> kAdminPorts = {21, 22, 23, 445, 3389, 5900, 5985, 5986};
inline constexpr std::array<int32_t, 5> kDatabasePorts = {1433, 1521, 3306, 5432, 27017};
// Stores that often ask for no password: Redis, Elasticsearch, Cassandra, memcached, CouchDB, etcd.
inline constexpr std::array<int32_t, 6> kStorePorts = {6379, 9200, 9042, 11211, 5984, 2379};
inline constexpr std::array<int32_t, 7> kLateralPorts = {22, 135, 139, 445, 3389, 5985, 5986};
inline constexpr std::array<int32_t, 2> kWebPorts = {80, 443};
inline constexpr int32_t kDynamicPorts = 49152;  // RFC 6335: from here on ports are of no service

inline constexpr int32_t kSsh = 22;
// Files: FTP, ssh, rsync, SMB, NFS.
inline constexpr std::array<int32_t, 6> kFilePorts = {21, 22, 139, 445, 873, 2049};

template <size_t n>
bool IsOneOf(const std::array<int32_t, n>& ports, int32_t port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

// Whether a service keeps data: databases, other stores, files.
inline bool IsStorePort(int32_t port) {
  return IsOneOf(kDatabasePorts, port) || IsOneOf(kStorePorts, port) || IsOneOf(kFilePorts, port);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_PORTS_H_
