# The libraries from pinned archives, built in place and linked statically. Local copies: -DFETCHCONTENT_SOURCE_DIR_ABSL=...,
# and so on with RE2, SIMDJSON, ZLIB, ZSTD, XSIMD, ISAL.
include(FetchContent)
enable_language(C)
function(vpcflow_declare name url sha256)
  FetchContent_Declare(${name} SYSTEM URL https://github.com/${url} URL_HASH SHA256=${sha256} ${ARGN})
endfunction()
vpcflow_declare(absl abseil/abseil-cpp/archive/refs/tags/20250127.1.tar.gz b396401fd29e2e679cace77867481d388c807671dc2acc602a0259eeb79b7811)
vpcflow_declare(re2 google/re2/archive/refs/tags/2025-07-22.tar.gz f54c29f1c3e13e12693e3d6d1230554df3ab3a1066b2e1f28c5330bfbf6db1e3)
vpcflow_declare(simdjson simdjson/simdjson/archive/refs/tags/v3.12.3.tar.gz d0af071f2f4187d8b26b556e83ef832b634bd5feb4e2f537b9dabbd334d4e334)
vpcflow_declare(isal intel/isa-l/archive/refs/tags/v2.32.1.tar.gz d9f7179ab0e14a3db9b610fac22793854a1435e8423ec9ce07f4cbedc5f92f5e)
# Of these the sources alone are taken: a folder without CMakeLists.txt is named.
vpcflow_declare(xsimd xtensor-stack/xsimd/archive/refs/tags/13.2.0.tar.gz edd8cd3d548c185adc70321c53c36df41abe64c1fe2c67bc6d93c3ecda82447a SOURCE_SUBDIR none)
vpcflow_declare(zlib madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz 9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23 SOURCE_SUBDIR none)
vpcflow_declare(zstd facebook/zstd/releases/download/v1.5.7/zstd-1.5.7.tar.gz eb33e51f49a15e023950cd7825ca74a4a2b43db8354825ac24fc1b7ee09e6fa3 SOURCE_SUBDIR none)

# Of the subprojects: static, fit for the extension module, without tests, and by values that are set here.
set(BUILD_SHARED_LIBS OFF)
set(BUILD_TESTING OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
set(CMAKE_CXX_STANDARD 20)  # of all: what some types of Abseil are depends on it
set(ABSL_PROPAGATE_CXX_STD ON)
set(ABSL_ENABLE_INSTALL ON)  # re2 exports its targets, and asks for that
set(RE2_BUILD_TESTING OFF)
FetchContent_MakeAvailable(absl re2 simdjson xsimd zlib zstd)
target_link_libraries(vpcflow_re2 INTERFACE re2::re2)
target_link_libraries(vpcflow_simdjson INTERFACE simdjson::simdjson)
set(VPCFLOW_XSIMD_INCLUDE ${xsimd_SOURCE_DIR}/include)

file(GLOB sources ${zlib_SOURCE_DIR}/*.c)
add_library(vpcflow_zlib_sources STATIC ${sources})
target_compile_definitions(vpcflow_zlib_sources PRIVATE HAVE_UNISTD_H _LARGEFILE64_SOURCE=1)
target_include_directories(vpcflow_zlib_sources SYSTEM PUBLIC ${zlib_SOURCE_DIR})
target_link_libraries(vpcflow_zlib INTERFACE vpcflow_zlib_sources)

file(GLOB sources ${zstd_SOURCE_DIR}/lib/common/*.c ${zstd_SOURCE_DIR}/lib/compress/*.c ${zstd_SOURCE_DIR}/lib/decompress/*.c)
add_library(vpcflow_zstd_sources STATIC ${sources})
target_compile_definitions(vpcflow_zstd_sources PRIVATE ZSTD_DISABLE_ASM)
target_include_directories(vpcflow_zstd_sources SYSTEM PUBLIC ${zstd_SOURCE_DIR}/lib)
target_link_libraries(vpcflow_zstd INTERFACE vpcflow_zstd_sources)

# ISA-L's code for x86-64 needs an assembler.
if(NOT VPCFLOW_GZIP_DECODER STREQUAL "zlib")
  find_program(VPCFLOW_NASM nasm)
  if(VPCFLOW_NASM OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(ISAL_BUILD_TESTS OFF)
    set(ISAL_BUILD_PERF_TESTS OFF)
    set(ISAL_BUILD_ISAL_SHIM OFF)
    FetchContent_MakeAvailable(isal)
    set(VPCFLOW_HAS_ISAL ON)
    target_link_libraries(vpcflow_isal INTERFACE isal)
  else()
    message(STATUS "vpcflow: without nasm there is no ISA-L: gzip takes twice as long")
  endif()
endif()
