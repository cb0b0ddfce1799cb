# Abseil, re2, zlib, zstd, simdjson, and what makes it faster: ISA-L, xsimd. All from the system, or all fetched and built, never
# mixed (new re2 needs new Abseil). Nothing is fetched unless it is asked for.
find_package(Threads REQUIRED)
if(VPCFLOW_DEPS STREQUAL "auto")  # the former default, in the caches of build trees
  set(VPCFLOW_DEPS system CACHE STRING "" FORCE)
endif()
if(NOT VPCFLOW_DEPS MATCHES "^(system|fetch)$")
  message(FATAL_ERROR "VPCFLOW_DEPS is '${VPCFLOW_DEPS}'; it must be system or fetch")
endif()
if(NOT VPCFLOW_GZIP_DECODER MATCHES "^(auto|isal|zlib)$")
  message(FATAL_ERROR "VPCFLOW_GZIP_DECODER is '${VPCFLOW_GZIP_DECODER}'; it must be auto, isal or zlib")
endif()
foreach(library re2 zlib zstd simdjson isal)
  add_library(vpcflow_${library} INTERFACE)
endforeach()
include(cmake/${VPCFLOW_DEPS}.cmake)

set(VPCFLOW_GZIP zlib)
if(VPCFLOW_HAS_ISAL)
  set(VPCFLOW_GZIP isal)
elseif(VPCFLOW_GZIP_DECODER STREQUAL "isal")
  message(FATAL_ERROR "VPCFLOW_GZIP_DECODER is isal, and ISA-L was not found (libisal-dev)")
endif()
message(STATUS "vpcflow: dependencies from: ${VPCFLOW_DEPS}; gzip is unpacked by: ${VPCFLOW_GZIP}")
