# The kernels for each instruction set: one unit each, the only ones compiled with its flags.
option(VPCFLOW_SIMD "Build the kernels that use vector instructions, if xsimd is there" ON)

function(vpcflow_add_kernels name)
  target_sources(vpcflow PRIVATE src/simd/kernels_${name}.cc)
  # The functions of these units are compiled for processors that others may not have: nothing of them may be shared.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/simd/kernels_${name}.cc PROPERTIES COMPILE_OPTIONS "${ARGN}")
endfunction()

if(VPCFLOW_SIMD AND VPCFLOW_XSIMD_INCLUDE)
  set(VPCFLOW_SIMD_UNITS ON)
  target_include_directories(vpcflow SYSTEM PRIVATE ${VPCFLOW_XSIMD_INCLUDE})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    target_compile_definitions(vpcflow PRIVATE VPCFLOW_SIMD_X86)
    set(avx2 -O3 -fno-exceptions -mavx2 -mbmi -mbmi2 -mpopcnt)
    vpcflow_add_kernels(sse2 -O3 -fno-exceptions -msse2)
    vpcflow_add_kernels(avx2 ${avx2})
    # GCC 12 warns wrongly inside of intrinsics (bug 105593).
    set(avx512bw ${avx2} $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl)
    vpcflow_add_kernels(avx512bw ${avx512bw})
    vpcflow_add_kernels(avx512vbmi2 ${avx512bw} -mavx512vbmi -mavx512vbmi2)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    target_compile_definitions(vpcflow PRIVATE VPCFLOW_SIMD_NEON64)
    vpcflow_add_kernels(neon64 -O3 -fno-exceptions)
  endif()
else()
  message(STATUS "vpcflow: without xsimd there are portable kernels only (libxsimd-dev, xsimd-devel, xsimd)")
endif()
